//! A topic and its partitions as the metadata log describes them.

use protocol::Uuid;
use protocol::metadata_records::{PartitionChangeRecord, PartitionRecord};
use std::{collections::BTreeMap, sync::Arc};

/// The leader of a partition without one.
pub const NO_LEADER: i32 = -1;

/// In a PartitionChangeRecord: the leader stays.
pub const NO_LEADER_CHANGE: i32 = -2;

/// In a PartitionChangeRecord: the recovery state stays.
pub const NO_RECOVERY_CHANGE: i8 = -1;

/// Directory ids with a meaning of their own (`DirectoryId`, KIP-858).
pub mod directory {
    use protocol::Uuid;

    /// The replica was placed before brokers told their directories.
    pub const MIGRATING: Uuid = Uuid::ZERO;
    /// No directory is chosen yet.
    pub const UNASSIGNED: Uuid = Uuid::from_u128(1);
    /// The replica is in a directory that is gone for good.
    pub const LOST: Uuid = Uuid::from_u128(2);

    /// Ids that no broker may give a directory: the first hundred.
    pub fn is_reserved(id: Uuid) -> bool {
        id.as_u128() < 100
    }
}

/// Whether the leader still recovers from an unclean election (KIP-704).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LeaderRecoveryState {
    #[default]
    Recovered,
    Recovering,
}

impl LeaderRecoveryState {
    pub fn from_code(code: i8) -> Option<Self> {
        match code {
            0 => Some(Self::Recovered),
            1 => Some(Self::Recovering),
            _ => None,
        }
    }

    pub fn code(self) -> i8 {
        self as i8
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    pub name: Arc<str>,
    pub id: Uuid,
    /// By index. Contiguous from 0 outside of a batch that is being replayed.
    pub partitions: BTreeMap<i32, Arc<PartitionRegistration>>,
}

impl Topic {
    pub fn partition(&self, index: i32) -> Option<&Arc<PartitionRegistration>> {
        self.partitions.get(&index)
    }

    /// The number of replicas of the first partition, as new partitions get it; 0 without
    /// partitions.
    pub fn replication_factor(&self) -> usize {
        self.partitions.values().next().map_or(0, |partition| partition.replicas.len())
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartitionRegistration {
    /// Broker ids, the preferred leader first.
    pub replicas: Vec<i32>,
    /// The log directory of each replica, in the order of `replicas`.
    pub directories: Vec<Uuid>,
    pub isr: Vec<i32>,
    pub removing_replicas: Vec<i32>,
    pub adding_replicas: Vec<i32>,
    /// Eligible leader replicas (KIP-966).
    pub elr: Vec<i32>,
    pub last_known_elr: Vec<i32>,
    /// [`NO_LEADER`]: none.
    pub leader: i32,
    pub leader_recovery_state: LeaderRecoveryState,
    /// Grows whenever a leader is set.
    pub leader_epoch: i32,
    /// Grows with every change of the partition.
    pub partition_epoch: i32,
}

impl PartitionRegistration {
    pub fn directory_of(&self, broker_id: i32) -> Option<Uuid> {
        let position = self.replicas.iter().position(|&replica| replica == broker_id)?;
        Some(self.directories.get(position).copied().unwrap_or(directory::MIGRATING))
    }

    pub fn is_reassigning(&self) -> bool {
        !self.removing_replicas.is_empty() || !self.adding_replicas.is_empty()
    }

    pub fn to_record(&self, topic_id: Uuid, partition_id: i32) -> PartitionRecord {
        // The two lists are tagged fields: absent when they say nothing.
        let unless_empty = |list: &Vec<i32>| (!list.is_empty()).then(|| list.clone());
        PartitionRecord {
            partition_id,
            topic_id,
            replicas: self.replicas.clone(),
            isr: self.isr.clone(),
            removing_replicas: self.removing_replicas.clone(),
            adding_replicas: self.adding_replicas.clone(),
            leader: self.leader,
            leader_recovery_state: self.leader_recovery_state.code(),
            leader_epoch: self.leader_epoch,
            partition_epoch: self.partition_epoch,
            directories: self.directories.clone(),
            eligible_leader_replicas: unless_empty(&self.elr),
            last_known_elr: unless_empty(&self.last_known_elr),
        }
    }

    /// None: the record contradicts itself.
    pub fn from_record(record: &PartitionRecord) -> Option<PartitionRegistration> {
        let partition = PartitionRegistration {
            replicas: record.replicas.clone(),
            directories: complete(&record.directories, record.replicas.len())?,
            isr: record.isr.clone(),
            removing_replicas: record.removing_replicas.clone(),
            adding_replicas: record.adding_replicas.clone(),
            elr: record.eligible_leader_replicas.clone().unwrap_or_default(),
            last_known_elr: record.last_known_elr.clone().unwrap_or_default(),
            leader: record.leader,
            leader_recovery_state: LeaderRecoveryState::from_code(record.leader_recovery_state)?,
            leader_epoch: record.leader_epoch,
            partition_epoch: record.partition_epoch,
        };
        Some(partition)
    }

    /// The partition after a change (`PartitionRegistration.merge`). None: the record contradicts
    /// itself.
    pub fn changed_by(&self, record: &PartitionChangeRecord) -> Option<PartitionRegistration> {
        let list = |change: &Option<Vec<i32>>, current: &Vec<i32>| {
            change.as_ref().unwrap_or(current).clone()
        };
        let replicas = list(&record.replicas, &self.replicas);
        let (leader, leader_epoch) = match record.leader {
            NO_LEADER_CHANGE => (self.leader, self.leader_epoch),
            leader => (leader, self.leader_epoch + 1),
        };
        let leader_recovery_state = match record.leader_recovery_state {
            NO_RECOVERY_CHANGE => self.leader_recovery_state,
            code => LeaderRecoveryState::from_code(code)?,
        };
        Some(PartitionRegistration {
            directories: complete(
                record.directories.as_ref().unwrap_or(&self.directories),
                replicas.len(),
            )?,
            isr: list(&record.isr, &self.isr),
            removing_replicas: list(&record.removing_replicas, &self.removing_replicas),
            adding_replicas: list(&record.adding_replicas, &self.adding_replicas),
            elr: list(&record.eligible_leader_replicas, &self.elr),
            last_known_elr: list(&record.last_known_elr, &self.last_known_elr),
            leader,
            leader_epoch,
            leader_recovery_state,
            partition_epoch: self.partition_epoch + 1,
            replicas,
        })
    }
}

/// Records from before KIP-858 name no directories; then every replica is migrating. None: not one
/// directory per replica.
fn complete(directories: &[Uuid], replicas: usize) -> Option<Vec<Uuid>> {
    if directories.iter().all(|&id| id == directory::MIGRATING) {
        return Some(vec![directory::MIGRATING; replicas]);
    }
    (directories.len() == replicas).then(|| directories.to_vec())
}
