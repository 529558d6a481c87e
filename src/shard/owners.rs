//! Which core owns which partition, of those that have a replica on this node.
//!
//! Owns: the assignment, and how many partitions each core has. Lives on: the core that hosts the
//! controller, which makes each version; the others share it, immutable. Never: moves a partition
//! to another core.

use super::partition::PartitionId;
use crate::{
    limits,
    meta::{
        Changes,
        image::{Map, MetadataImage},
        topic::Topic,
    },
};
use protocol::Uuid;
use std::{collections::BTreeSet, sync::Arc};

/// By topic, one core index per partition. Copies share what they have in common.
#[derive(Clone)]
pub struct Owners {
    node_id: i32,
    by_topic: Map<Uuid, Arc<[u16]>>,
    /// Partitions per core.
    load: Vec<usize>,
}

impl Owners {
    pub fn new(node_id: i32, cores: usize) -> Owners {
        let max = limits::MAX_SHARDS;
        assert!((1..=max).contains(&cores), "{cores} cores own partitions, at most {max} may");
        Owners { node_id, by_topic: Map::new_sync(), load: vec![0; cores] }
    }

    /// The owners after a change of the image: a partition stays where it is, a new one goes to the
    /// core that has the fewest, so that they are spread evenly.
    pub fn apply(
        &self,
        before: &MetadataImage,
        image: &MetadataImage,
        changes: &Changes,
    ) -> Owners {
        let mut next = self.clone();
        let listed = || changes.topics.iter().copied();
        let all = || before.topics.iter().chain(image.topics.iter()).map(|topic| topic.id);
        let ids: Vec<Uuid> = if changes.is_all_new { all().collect() } else { listed().collect() };
        // What goes makes room for what comes.
        for id in ids.iter().filter(|id| image.topics.by_id(**id).is_none()) {
            next.forget(*id);
        }
        for topic in ids.iter().filter_map(|id| image.topics.by_id(*id)) {
            next.take_in(topic);
        }
        next
    }

    fn forget(&mut self, id: Uuid) {
        let Some(owners) = self.by_topic.get(&id).cloned() else { return };
        owners.iter().for_each(|owner| self.release(*owner));
        self.by_topic.remove_mut(&id);
    }

    fn release(&mut self, owner: u16) {
        if let Some(core) = core_of(owner) {
            let load = &mut self.load[core];
            assert!(*load > 0, "core {core} owns no partition that it could lose");
            *load -= 1;
        }
    }

    fn come_back(&mut self, owner: u16) -> u16 {
        if core_of(owner).is_none() {
            assert_ne!(owner, NO_CORE, "what comes back has been here");
            self.load[usize::from(owner & !AWAY)] += 1;
        }
        owner & !AWAY
    }

    fn take_in(&mut self, topic: &Topic) {
        let before = self.by_topic.get(&topic.id).cloned().unwrap_or_default();
        let (known, now) = (before.len(), topic.partitions.len());
        assert!(known <= now, "{} has lost partitions: {known}, now {now}", topic.name);
        let mut owners = Vec::with_capacity(now);
        let known = before.iter().copied().chain(std::iter::repeat(NO_CORE));
        for (partition, before) in topic.partitions.values().zip(known) {
            let is_here = partition.replicas.contains(&self.node_id);
            owners.push(match (is_here, before) {
                (true, NO_CORE) => self.assign(),
                (true, before) => self.come_back(before),
                (false, before) => {
                    self.release(before);
                    before | AWAY
                }
            });
        }
        assert_eq!(owners.len(), now, "each partition of {} has its place", topic.name);
        if owners[..] != before[..] {
            self.by_topic.insert_mut(topic.id, owners.into());
        }
    }

    /// The core that has the fewest partitions gets one more.
    fn assign(&mut self) -> u16 {
        let loads = self.load.iter_mut().enumerate();
        let (core, load) = loads.min_by_key(|(_, load)| **load).expect("a core");
        *load += 1;
        assert!(core < usize::from(AWAY), "core {core} of at most {AWAY}");
        core as u16
    }

    /// The cores that own partitions of a topic.
    pub fn cores_of(&self, topic: Uuid) -> BTreeSet<usize> {
        let owners = self.by_topic.get(&topic);
        owners.iter().flat_map(|owners| owners.iter().filter_map(|owner| core_of(*owner))).collect()
    }

    /// The core of the replica that this node has; `None`: it has none.
    pub fn of(&self, id: PartitionId) -> Option<usize> {
        let owners = self.by_topic.get(&id.topic_id)?;
        let core = core_of(*owners.get(usize::try_from(id.index).ok()?)?)?;
        assert!(core < self.load.len(), "core {core} owns {id:?}, of {}", self.load.len());
        Some(core)
    }
}

/// Beside a core: its replica has gone to another node. Should it come back it is the same core's,
/// which may not even have seen it go: no two cores ever have files of one partition.
const AWAY: u16 = 1 << 15;
/// In the place of a core where no replica was ever here.
const NO_CORE: u16 = u16::MAX;
const _: () = assert!(limits::MAX_SHARDS < AWAY as usize);

/// The core that owns a replica which is here.
fn core_of(owner: u16) -> Option<usize> {
    (owner & AWAY == 0).then_some(usize::from(owner))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shard::view::tests::{image, of_topics};

    #[test]
    fn partitions_are_spread_evenly_and_stay_where_they_are() {
        let of = |owners: &Owners, id: u128| owners.by_topic.get(&Uuid::from_u128(id)).cloned();
        let empty = image(&[]);
        let one = image(&[(101, 3), (102, 3)]);
        let first = Owners::new(1, 2).apply(&empty, &one, &Changes::all_new());
        assert_eq!(first.load, [3, 3]);
        let two = image(&[(101, 3), (102, 5), (103, 2)]);
        let second = first.apply(&one, &two, &of_topics(&[102, 103]));
        assert_eq!(second.load, [5, 5]);
        assert_eq!(of(&second, 101), of(&first, 101));
        assert_eq!(of(&second, 102).unwrap()[..3], of(&first, 102).unwrap()[..]);
        let three = image(&[(103, 2)]);
        let third = second.apply(&two, &three, &of_topics(&[101, 102]));
        assert_eq!((third.load.iter().sum::<usize>(), third.by_topic.size()), (2, 1));
        // Whatever is listed, the outcome is that of looking at everything.
        let whole = second.apply(&two, &three, &Changes::all_new());
        assert_eq!((&whole.load, of(&whole, 103)), (&third.load, of(&third, 103)));
    }

    #[test]
    fn only_replicas_that_are_here_have_a_core_and_it_stays_theirs() {
        let id = PartitionId { topic_id: Uuid::from_u128(101), index: 0 };
        let with = |replicas: &[i32]| {
            let mut image = image(&[(101, 1), (102, 1)]);
            crate::meta::testing::set_replicas(&mut image, id.topic_id, 0, replicas);
            image
        };
        let (here, away) = (with(&[1, 2]), with(&[2, 3]));
        let first = Owners::new(1, 2).apply(&image(&[]), &here, &Changes::all_new());
        let core = first.of(id).expect("it is here");
        let second = first.apply(&here, &away, &of_topics(&[101]));
        assert_eq!((second.of(id), second.load.iter().sum::<usize>()), (None, 1));
        assert!(!second.cores_of(id.topic_id).contains(&core));
        let third = second.apply(&away, &here, &of_topics(&[101]));
        assert_eq!((third.of(id), &third.load), (Some(core), &first.load));
        let never = Owners::new(4, 2).apply(&image(&[]), &away, &Changes::all_new());
        assert_eq!((never.of(id), never.load.iter().sum::<usize>()), (None, 0));
    }
}
