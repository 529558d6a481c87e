//! What this node is to a partition: its leader, a follower, or offline.
//!
//! Owns: the leadership and what goes with it (the epoch, the replicas in sync, their progress).
//! Lives on: the core that owns the partition. Never: decides which node leads: the metadata say
//! so.
//!
//! Invariants: a leader's ISR has the leader itself; the epoch of the same partition never falls;
//! what is offline stays so until the process ends, and what is gone stays gone.

use super::high_watermark::{FollowerProgress, Progress};
use crate::meta::topic::{NO_LEADER, PartitionRegistration as Registration};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    Leader(Leadership),
    Follower {
        /// `None`: no node leads.
        leader: Option<i32>,
        leader_epoch: i32,
    },
    Offline(Cause),
}

/// Why a partition that was open serves nothing until the process starts anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The first error of its log (a failed flush is final).
    Failed,
    /// It is not this node's any more: its topic was deleted, or its replica was moved. Requests
    /// that still hold it answer as if it were not here.
    Gone,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leadership {
    pub leader_epoch: i32,
    /// As the controller has committed it, this node among them.
    isr: Vec<i32>,
    replica_count: usize,
    followers: Vec<FollowerProgress>,
}

impl Role {
    /// The role of node `node_id`, which has a replica.
    pub fn of(registration: &Registration, node_id: i32) -> Role {
        assert!(registration.replicas.contains(&node_id), "a role is that of a replica");
        let leader_epoch = registration.leader_epoch;
        if registration.leader == node_id {
            return Role::Leader(Leadership::new(registration, node_id));
        }
        let leader = (registration.leader != NO_LEADER).then_some(registration.leader);
        Role::Follower { leader, leader_epoch }
    }

    /// That of the only replica, in its first epoch.
    #[cfg(test)]
    pub fn alone() -> Role {
        let (replicas, isr) = (vec![1], vec![1]);
        Role::of(&Registration { replicas, isr, leader: 1, ..Registration::default() }, 1)
    }

    pub fn is_offline(&self) -> bool {
        matches!(self, Role::Offline(_))
    }

    /// `None` where the partition is offline: its epoch counts no more.
    pub fn leader_epoch(&self) -> Option<i32> {
        match self {
            Role::Leader(leadership) => Some(leadership.leader_epoch),
            Role::Follower { leader_epoch, .. } => Some(*leader_epoch),
            Role::Offline(_) => None,
        }
    }

    /// The role after this one, as the metadata have it now. A leader that stays so in the same
    /// epoch keeps what it knows of its followers.
    pub fn next(&self, registration: &Registration, node_id: i32) -> Role {
        let mut next = Role::of(registration, node_id);
        let before = self.leader_epoch().expect("what is offline gets no other role");
        let now = registration.leader_epoch;
        assert!(before <= now, "the leader epoch was {before}, and is {now}");
        if let (Role::Leader(before), Role::Leader(next)) = (self, &mut next)
            && before.leader_epoch == next.leader_epoch
        {
            next.take_over_progress(before);
        }
        next
    }
}

impl Leadership {
    fn new(registration: &Registration, node_id: i32) -> Leadership {
        let isr = registration.isr.clone();
        let (leader_epoch, replica_count) =
            (registration.leader_epoch, registration.replicas.len());
        assert!(isr.contains(&node_id), "the leader {node_id} is in its ISR {isr:?}");
        let followers: Vec<FollowerProgress> = registration
            .replicas
            .iter()
            .filter(|replica| **replica != node_id)
            .map(|replica| FollowerProgress {
                broker_id: *replica,
                // Nothing is known of it before its first fetch.
                log_end_offset: 0,
                is_in_sync: isr.contains(replica),
            })
            .collect();
        let count = followers.len();
        assert!(count < replica_count, "{count} followers and a leader of {replica_count}");
        Leadership { leader_epoch, isr, replica_count, followers }
    }

    fn take_over_progress(&mut self, before: &Leadership) {
        assert_eq!(self.leader_epoch, before.leader_epoch, "followers are known for one epoch");
        for follower in &mut self.followers {
            let known = before.followers.iter().find(|one| one.broker_id == follower.broker_id);
            follower.log_end_offset = known.map_or(0, |known| known.log_end_offset);
        }
    }

    pub fn in_sync_count(&self) -> usize {
        self.isr.len()
    }

    /// `min.insync.replicas`, but no more than there are replicas (Apache Kafka's
    /// `effectiveMinIsr`): a topic with one replica can be written whatever it asks for.
    pub fn effective_min_in_sync(&self, min_insync_replicas: usize) -> usize {
        min_insync_replicas.min(self.replica_count)
    }

    pub fn progress(&self, leader_safe_offset: i64, min_insync_replicas: usize) -> Progress<'_> {
        Progress {
            leader_safe_offset,
            followers: &self.followers,
            in_sync_count: self.in_sync_count(),
            min_in_sync: self.effective_min_in_sync(min_insync_replicas),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registration(replicas: &[i32], isr: &[i32], leader: i32, epoch: i32) -> Registration {
        Registration {
            replicas: replicas.to_vec(),
            isr: isr.to_vec(),
            leader,
            leader_epoch: epoch,
            ..Registration::default()
        }
    }

    #[test]
    fn the_metadata_say_what_a_replica_is() {
        let led = registration(&[1, 2, 3], &[1, 3], 1, 4);
        let Role::Leader(leadership) = Role::of(&led, 1) else { panic!("node 1 leads") };
        assert_eq!((leadership.leader_epoch, leadership.in_sync_count()), (4, 2));
        assert_eq!(
            leadership.followers.iter().map(|one| one.is_in_sync).collect::<Vec<_>>(),
            [false, true]
        );
        assert_eq!(Role::of(&led, 3), Role::Follower { leader: Some(1), leader_epoch: 4 });
        let none = registration(&[1, 2], &[2], NO_LEADER, 5);
        assert_eq!(Role::of(&none, 2), Role::Follower { leader: None, leader_epoch: 5 });
    }

    #[test]
    fn a_leader_knows_its_followers_for_its_epoch_alone() {
        let mut role = Role::of(&registration(&[1, 2], &[1, 2], 1, 4), 1);
        let Role::Leader(leadership) = &mut role else { panic!("node 1 leads") };
        leadership.followers[0].log_end_offset = 17;
        let end_in = |role: Role| match role {
            Role::Leader(leadership) => leadership.followers[0].log_end_offset,
            other => panic!("{other:?}"),
        };
        assert_eq!(end_in(role.next(&registration(&[1, 2], &[1], 1, 4), 1)), 17);
        assert_eq!(end_in(role.next(&registration(&[1, 2], &[1, 2], 1, 5), 1)), 0);
    }

    #[test]
    fn the_minimum_of_replicas_in_sync_is_no_more_than_there_are() {
        let Role::Leader(alone) = Role::of(&registration(&[1], &[1], 1, 0), 1) else { panic!() };
        assert_eq!(alone.effective_min_in_sync(2), 1);
        assert!(!alone.progress(5, 2).is_under_min_in_sync());
        let Role::Leader(one_of_two) = Role::of(&registration(&[1, 2], &[1], 1, 0), 1) else {
            panic!()
        };
        assert!(one_of_two.progress(5, 2).is_under_min_in_sync());
    }

    #[test]
    #[should_panic(expected = "the leader epoch was 4, and is 3")]
    fn an_epoch_never_falls() {
        let role = Role::of(&registration(&[1], &[1], 1, 4), 1);
        role.next(&registration(&[1], &[1], 1, 3), 1);
    }
}
