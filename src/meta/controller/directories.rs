//! Log directories of replicas (KIP-858): where a new replica of this node's lies, and what the
//! broker tells of those it has.
//!
//! The controller of a broker with several directories leaves the choice to that broker, which
//! tells it with AssignReplicasToDirs. This node is both, so that a new partition has its directory
//! from its first record on: a crash between the two cannot happen.

use super::{
    ApiError, Context, Outcome,
    partition_change::{Election, PartitionChange},
    registration::check_epoch,
};
use crate::meta::{image::Broker, topic::directory};
use protocol::metadata_records::{BrokerRegistrationChangeRecord, MetadataRecord};
use protocol::{ErrorCode, Uuid};
use rustc_hash::FxHashMap;

/// The broker says in which directory it has replicas.
#[derive(Clone, Debug, PartialEq)]
pub struct DirectoryAssignment {
    pub broker_id: i32,
    pub broker_epoch: i64,
    /// Topic id, partition, `directory.id`.
    pub replicas: Vec<(Uuid, i32, Uuid)>,
}

/// The broker says which of its directories take no new replicas (KIP-1066).
#[derive(Clone, Debug, PartialEq)]
pub struct CordonedDirectories {
    pub broker_id: i32,
    pub broker_epoch: i64,
    /// Their `directory.id`.
    pub directories: Vec<Uuid>,
}

/// The level of `metadata.version` from which registrations name cordoned directories.
const CORDONED_FROM: i16 = 30;

/// Records them, where the registration says otherwise.
pub fn cordon(
    context: &Context<'_>,
    request: &CordonedDirectories,
) -> Outcome<Result<(), ApiError>> {
    if let Err(error) = check_epoch(context.image, request.broker_id, request.broker_epoch) {
        return Outcome::only(Err(error));
    }
    let broker = context.image.broker(request.broker_id).expect("its epoch was just checked");
    if broker.0.cordoned_log_dirs.as_deref().unwrap_or_default() == request.directories {
        return Outcome::only(Ok(()));
    }
    if context.image.metadata_version() < CORDONED_FROM {
        let message = format!(
            "cordoned.log.dirs needs metadata.version {CORDONED_FROM}: the cluster has {}",
            context.image.metadata_version()
        );
        return Outcome::only(Err(ApiError::new(ErrorCode::UnsupportedVersion, message)));
    }
    let record = BrokerRegistrationChangeRecord {
        broker_id: request.broker_id,
        broker_epoch: request.broker_epoch,
        cordoned_log_dirs: Some(request.directories.clone()),
        ..Default::default()
    };
    Outcome::of(vec![record.into()], Ok(()))
}

/// Records where the broker has its replicas. One in a directory that is offline cannot be led by
/// it any more, one that is online again can. Replicas that are gone by now are passed over.
pub fn assign(
    context: &Context<'_>,
    request: &DirectoryAssignment,
) -> Outcome<Result<(), ApiError>> {
    if let Err(error) = check_epoch(context.image, request.broker_id, request.broker_epoch) {
        return Outcome::only(Err(error));
    }
    let mut records = Vec::new();
    for &(topic_id, index, directory_id) in &request.replicas {
        let Some(partition) = context.image.partition(topic_id, index) else { continue };
        let mut change = PartitionChange::new(partition, Election::Online);
        let Some(replica) =
            change.replicas.iter_mut().find(|(replica, _)| *replica == request.broker_id)
        else {
            continue;
        };
        replica.1 = directory_id;
        let acceptable = |broker, directory| context.can_lead(broker, directory);
        records.extend(change.into_record(topic_id, index, &acceptable).map(MetadataRecord::from));
    }
    Outcome::of(records, Ok(()))
}

/// Chooses the directory of each new replica of this node's for which none is chosen yet: the one
/// with the fewest.
pub fn choose(context: &Context<'_>, records: &mut [MetadataRecord]) {
    let node_id = context.settings.node_id;
    let Some(broker) = context.image.broker(node_id) else { return };
    let directories = open_to_new_replicas(broker);
    if directories.is_empty() {
        return;
    }
    let mut replicas_in: Option<FxHashMap<Uuid, usize>> = None;
    for record in records {
        let MetadataRecord::Partition(record) = record else { continue };
        for (replica, chosen) in record.replicas.iter().zip(&mut record.directories) {
            if *replica == node_id && *chosen == directory::UNASSIGNED {
                let replicas_in = replicas_in.get_or_insert_with(|| count(context, node_id));
                let count_in = |id: &&Uuid| replicas_in.get(*id).copied().unwrap_or(0);
                *chosen = *directories.iter().min_by_key(count_in).expect("there is a directory");
                *replicas_in.entry(*chosen).or_default() += 1;
            }
        }
    }
}

fn open_to_new_replicas(broker: &Broker) -> Vec<Uuid> {
    let cordoned = broker.0.cordoned_log_dirs.as_deref().unwrap_or_default();
    broker.0.log_dirs.iter().copied().filter(|id| !cordoned.contains(id)).collect()
}

fn count(context: &Context<'_>, node_id: i32) -> FxHashMap<Uuid, usize> {
    let mut replicas_in = FxHashMap::default();
    for partition in context.image.topics.iter().flat_map(|topic| topic.partitions.values()) {
        if let Some(directory) = partition.directory_of(node_id) {
            *replicas_in.entry(directory).or_default() += 1;
        }
    }
    replicas_in
}

#[cfg(test)]
mod tests {
    use super::super::{BrokerRegistration, BrokerUnfence, ControllerRequest, ControllerResponse};
    use super::*;
    use crate::meta::{
        image::MetadataImage,
        testing::{CLUSTER_ID, World},
        topic::NO_LEADER,
    };

    const A: Uuid = Uuid::from_u128(1001);
    const B: Uuid = Uuid::from_u128(2001);

    /// Broker 1 starts anew, with these directories.
    fn start_with(world: &mut World, log_dirs: &[Uuid]) {
        let registration = BrokerRegistration {
            broker_id: 1,
            incarnation_id: Uuid::from_u128(77),
            cluster_id: CLUSTER_ID.to_owned(),
            endpoints: Vec::new(),
            rack: None,
            log_dirs: log_dirs.to_vec(),
        };
        let ControllerResponse::RegisterBroker(Ok(broker_epoch)) =
            world.ask(ControllerRequest::RegisterBroker(registration))
        else {
            panic!("not registered")
        };
        let unfence = BrokerUnfence { broker_id: 1, broker_epoch, renew_leader_epochs: false };
        assert_eq!(
            world.ask(ControllerRequest::UnfenceBroker(unfence)),
            ControllerResponse::UnfenceBroker(Ok(()))
        );
    }

    /// Directory and leader of each partition of `t`.
    fn partitions(image: &MetadataImage) -> Vec<(Uuid, i32)> {
        let topic = image.topics.by_name("t").unwrap();
        topic
            .partitions
            .values()
            .map(|partition| (partition.directory_of(1).unwrap(), partition.leader))
            .collect()
    }

    fn assign(world: &mut World, replicas: Vec<(Uuid, i32, Uuid)>) {
        let broker_epoch = world.image().broker(1).unwrap().0.broker_epoch;
        let request = DirectoryAssignment { broker_id: 1, broker_epoch, replicas };
        let assigned = world.ask(ControllerRequest::AssignReplicasToDirs(request));
        assert_eq!(assigned, ControllerResponse::AssignReplicasToDirs(Ok(())));
    }

    #[test]
    fn new_partitions_go_to_the_directory_with_the_fewest() {
        let mut world = World::new();
        start_with(&mut world, &[A]);
        world.topic("first", 3);
        start_with(&mut world, &[A, B]);
        world.topic("t", 5);
        let directories: Vec<Uuid> =
            partitions(world.image()).into_iter().map(|(directory, _)| directory).collect();
        assert_eq!(directories, [B, B, B, A, B]);
    }

    #[test]
    fn a_cordoned_directory_takes_no_new_partitions() {
        let mut world = World::new();
        start_with(&mut world, &[A, B]);
        let broker_epoch = world.image().broker(1).unwrap().0.broker_epoch;
        let cordon = |world: &mut World, directories: &[Uuid]| {
            let directories = directories.to_vec();
            let request = CordonedDirectories { broker_id: 1, broker_epoch, directories };
            let answer = world.ask(ControllerRequest::CordonDirectories(request));
            assert_eq!(answer, ControllerResponse::CordonDirectories(Ok(())));
        };
        cordon(&mut world, &[A]);
        let offset = world.image().provenance.offset;
        cordon(&mut world, &[A]);
        assert_eq!(world.image().provenance.offset, offset, "nothing has changed");
        world.topic("t", 2);
        assert_eq!(partitions(world.image()), [(B, 1), (B, 1)]);
        cordon(&mut world, &[]);
        world.topic("u", 2);
        let of_u = world.image().topics.by_name("u").unwrap().partitions.values();
        let in_a = of_u.filter(|partition| partition.directory_of(1) == Some(A));
        assert_eq!(in_a.count(), 2, "it has the fewest, and takes them again");
    }

    #[test]
    fn a_partition_whose_directory_is_away_has_no_leader_until_it_is_back() {
        let mut world = World::new();
        start_with(&mut world, &[A, B]);
        world.topic("t", 2);
        assert_eq!(partitions(world.image()), [(A, 1), (B, 1)]);
        start_with(&mut world, &[A]);
        assert_eq!(partitions(world.image()), [(A, 1), (B, NO_LEADER)]);
        let away = world.image().topics.by_name("t").unwrap().partition(1).unwrap().clone();
        assert_eq!(away.isr, [1], "it is still the only one that has everything");
        start_with(&mut world, &[B, A]);
        assert_eq!(partitions(world.image()), [(A, 1), (B, 1)]);
    }

    #[test]
    fn the_broker_says_where_its_replicas_are() {
        let mut world = World::new();
        start_with(&mut world, &[A, B]);
        let id = world.topic("t", 2);
        // Found in the other directory; then lost.
        assign(&mut world, vec![(id, 0, B), (id, 7, B), (Uuid::from_u128(5), 0, B)]);
        assert_eq!(partitions(world.image()), [(B, 1), (B, 1)]);
        assign(&mut world, vec![(id, 0, directory::LOST)]);
        assert_eq!(partitions(world.image()), [(directory::LOST, NO_LEADER), (B, 1)]);
        assign(&mut world, vec![(id, 0, A)]);
        assert_eq!(partitions(world.image()), [(A, 1), (B, 1)]);
        let stale = DirectoryAssignment { broker_id: 1, broker_epoch: -7, replicas: Vec::new() };
        let refused = world.ask(ControllerRequest::AssignReplicasToDirs(stale));
        assert!(matches!(refused, ControllerResponse::AssignReplicasToDirs(Err(_))));
    }
}
