//! The one way a partition changes: a target is set, a leader is elected for it, and the difference
//! is a record.
//!
//! Elections take the first replica that is in sync and acceptable; unclean ones any acceptable
//! replica (`PartitionChangeBuilder`). The ISR never becomes empty through a change made here.

use crate::meta::topic::{
    LeaderRecoveryState, NO_LEADER, NO_LEADER_CHANGE, NO_RECOVERY_CHANGE, PartitionRegistration,
};
use protocol::{Uuid, metadata_records::PartitionChangeRecord};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Election {
    /// The preferred replica, else the leader there is, else another.
    Preferred,
    /// The leader there is, else another.
    Online,
    /// As `Online`, else any live replica, at the price of records.
    Unclean,
}

#[derive(Clone, Debug)]
pub struct PartitionChange<'a> {
    partition: &'a PartitionRegistration,
    election: Election,
    pub isr: Vec<i32>,
    /// The replicas and the directory of each.
    pub replicas: Vec<(i32, Uuid)>,
    pub removing: Vec<i32>,
    pub adding: Vec<i32>,
    /// Begin a new leader epoch even when the leader stays.
    pub renew_leader_epoch: bool,
}

impl<'a> PartitionChange<'a> {
    /// A change to what the partition is already, but for an election.
    pub fn new(partition: &'a PartitionRegistration, election: Election) -> Self {
        Self {
            partition,
            election,
            isr: partition.isr.clone(),
            replicas: partition
                .replicas
                .iter()
                .copied()
                .zip(partition.directories.iter().copied())
                .collect(),
            removing: partition.removing_replicas.clone(),
            adding: partition.adding_replicas.clone(),
            renew_leader_epoch: false,
        }
    }

    /// The record that makes the change; None: nothing changes. `acceptable` says which brokers may
    /// lead, with the directory that each has the partition in.
    pub fn into_record(
        mut self,
        topic_id: Uuid,
        partition_id: i32,
        acceptable: &dyn Fn(i32, Uuid) -> bool,
    ) -> Option<PartitionChangeRecord> {
        self.complete_reassignment();
        let mut record =
            PartitionChangeRecord { partition_id, topic_id, ..PartitionChangeRecord::default() };
        assert_eq!(
            (record.leader, record.leader_recovery_state),
            (NO_LEADER_CHANGE, NO_RECOVERY_CHANGE)
        );
        let replicas = self.replicas.clone();
        let directory_of = |id: i32| {
            replicas.iter().find(|(replica, _)| *replica == id).map(|(_, directory)| *directory)
        };
        let (leader, unclean) =
            self.elect(&|id| directory_of(id).is_some_and(|directory| acceptable(id, directory)));
        let current = self.partition;
        if leader != current.leader {
            record.leader = leader;
        }
        if leader != NO_LEADER && (unclean || !self.isr.contains(&leader)) {
            self.isr = vec![leader];
        }
        if unclean && current.leader_recovery_state == LeaderRecoveryState::Recovered {
            record.leader_recovery_state = LeaderRecoveryState::Recovering.code();
        }
        let (replicas, directories): (Vec<i32>, Vec<Uuid>) = self.replicas.iter().copied().unzip();
        // A broker that loses its replica must not take itself for a member of the same epoch.
        let loses_replica = !current.replicas.iter().all(|replica| replicas.contains(replica));
        if record.leader == NO_LEADER_CHANGE && (loses_replica || self.renew_leader_epoch) {
            record.leader = current.leader;
        }
        let changed = |target: Vec<i32>, current: &Vec<i32>| (target != *current).then_some(target);
        record.isr = changed(self.isr, &current.isr).filter(|isr| !isr.is_empty());
        record.replicas = changed(replicas, &current.replicas);
        record.removing_replicas = changed(self.removing, &current.removing_replicas);
        record.adding_replicas = changed(self.adding, &current.adding_replicas);
        record.directories = (directories != current.directories).then_some(directories);
        // The eligible replicas are of use only while the ISR is too small; a leader elected from
        // them joins the ISR.
        if leader != NO_LEADER {
            record.eligible_leader_replicas = changed(Vec::new(), &current.elr);
            record.last_known_elr = changed(Vec::new(), &current.last_known_elr);
        }
        let unchanged =
            PartitionChangeRecord { partition_id, topic_id, ..PartitionChangeRecord::default() };
        (record != unchanged).then_some(record)
    }

    /// The leader, and whether records may be lost by it.
    fn elect(&self, acceptable: &dyn Fn(i32) -> bool) -> (i32, bool) {
        let current = self.partition;
        let in_sync = |replica: i32| {
            let eligible = self.isr.contains(&replica)
                || self.isr.is_empty() && current.elr.contains(&replica);
            eligible && acceptable(replica)
        };
        let mut candidates: Vec<i32> = self.replicas.iter().map(|(replica, _)| *replica).collect();
        let leader_place = match self.election {
            Election::Preferred => candidates.len().min(1),
            Election::Online | Election::Unclean => 0,
        };
        candidates.insert(leader_place, current.leader);
        if let Some(leader) = candidates.iter().copied().find(|&replica| in_sync(replica)) {
            return (leader, false);
        }
        // With no replica in sync or eligible, the last leader is the best that is left (KIP-966).
        let last_known = match current.last_known_elr[..] {
            [last] if self.isr.is_empty() && current.elr.is_empty() => Some(last),
            _ => None,
        };
        let others = if self.election == Election::Unclean { &candidates[..] } else { &[] };
        let unclean = last_known
            .into_iter()
            .chain(others.iter().copied())
            .find(|&replica| acceptable(replica));
        unclean.map_or((NO_LEADER, false), |leader| (leader, true))
    }

    /// Ends a reassignment whose new replicas are all in sync.
    fn complete_reassignment(&mut self) {
        if self.removing.is_empty() && self.adding.is_empty() {
            return;
        }
        let stays = |replica: &i32| !self.removing.contains(replica);
        let isr: Vec<i32> = self.isr.iter().copied().filter(stays).collect();
        let replicas: Vec<(i32, Uuid)> =
            self.replicas.iter().copied().filter(|(replica, _)| stays(replica)).collect();
        let shrinks = self.adding.len() < self.removing.len();
        let is_complete = !isr.is_empty()
            && !replicas.is_empty()
            && self.adding.iter().all(|replica| isr.contains(replica))
            // With fewer replicas than before, none of them may be missing.
            && (!shrinks || replicas.iter().all(|(replica, _)| isr.contains(replica)));
        if is_complete {
            (self.isr, self.replicas) = (isr, replicas);
            self.removing.clear();
            self.adding.clear();
        }
    }
}
