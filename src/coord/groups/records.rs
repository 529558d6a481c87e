//! The group coordinator's records in `__consumer_offsets`: Kafka's bytes on one side, what they
//! mean on the other.
//!
//! Pure. Versions are those that Kafka 4.4 writes: OffsetCommit keys of type 1 with values of
//! version 4 (1 when the commit sets its own expiry), GroupMetadata keys of type 2 with values of
//! version 3. All versions are read. A record without value is a tombstone.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use protocol::group_records::group_metadata_value::MemberMetadata;
use protocol::group_records::{
    GroupMetadataKey, GroupMetadataValue, Key, OffsetCommitKey, OffsetCommitValue, Value,
};
use protocol::{DecodeError, DecodeErrorKind};

use super::classic::{ClassicGroup, GroupState};
use super::member::{Member, Protocol};
use crate::coord::batch::CoordinatorRecord;
use crate::coord::offsets::store::{CommittedOffset, PartitionKey};

const GROUP_METADATA_VERSION: i16 = 3;
const OFFSET_COMMIT_VERSION: i16 = 4;
/// The only version with a field for the expiry that clients before OffsetCommit 5 could ask for.
const OFFSET_COMMIT_WITH_EXPIRY_VERSION: i16 = 1;
/// "None" for timestamps and leader epochs in records.
const UNSET: i64 = -1;
fn record(key: Key, value: Option<(Value, i16)>) -> CoordinatorRecord {
    CoordinatorRecord {
        key: key.encode().expect("names that came in a request fit a record"),
        value: value.map(|(value, version)| {
            value.encode(version).expect("values are built for their version")
        }),
    }
}

/// What a record says.
#[derive(Clone, Debug)]
pub(in crate::coord) enum Change {
    Offset {
        key: PartitionKey,
        value: Option<CommittedOffset>,
    },
    Classic {
        id: Arc<str>,
        value: Option<Box<ClassicGroup>>,
    },
    /// A record of a kind that this coordinator does not serve, such as consumer groups of KIP-848.
    Other {
        record_type: i16,
    },
}

/// Reads a record back. An error is a record that no coordinator should have written.
pub(in crate::coord) fn decode(key: &[u8], value: Option<&[u8]>) -> Result<Change, DecodeError> {
    let key = match Key::decode(key) {
        Ok(key) => key,
        Err(DecodeError {
            kind: DecodeErrorKind::UnknownRecordType { record_type, .. }, ..
        }) => {
            return Ok(Change::Other { record_type: record_type as i16 });
        }
        Err(error) => return Err(error),
    };
    let record_type = key.record_type();
    let served =
        matches!(key, Key::OffsetCommit(_) | Key::LegacyOffsetCommit(_) | Key::GroupMetadata(_));
    let value = match value {
        Some(value) if served => Some(Value::decode(record_type, value)?),
        _ => None,
    };
    let partition_key = |group: String, topic: String, partition: i32| PartitionKey {
        group: Arc::from(group),
        topic: Arc::from(topic),
        partition,
    };
    Ok(match (key, value) {
        (Key::OffsetCommit(key), None) => {
            Change::Offset { key: partition_key(key.group, key.topic, key.partition), value: None }
        }
        (Key::OffsetCommit(key), Some(Value::OffsetCommit(value))) => Change::Offset {
            key: partition_key(key.group, key.topic, key.partition),
            value: Some(committed_offset(value)),
        },
        (Key::LegacyOffsetCommit(key), None) => {
            Change::Offset { key: partition_key(key.group, key.topic, key.partition), value: None }
        }
        (Key::LegacyOffsetCommit(key), Some(Value::LegacyOffsetCommit(value))) => Change::Offset {
            key: partition_key(key.group, key.topic, key.partition),
            value: Some(CommittedOffset {
                offset: value.offset,
                metadata: value.metadata.into(),
                commit_timestamp_ms: value.commit_timestamp,
                ..CommittedOffset::default()
            }),
        },
        (Key::GroupMetadata(key), None) => {
            Change::Classic { id: Arc::from(key.group), value: None }
        }
        (Key::GroupMetadata(key), Some(Value::GroupMetadata(value))) => {
            let id: Arc<str> = Arc::from(key.group);
            Change::Classic { value: Some(Box::new(loaded_group(id.clone(), value))), id }
        }
        _ => Change::Other { record_type },
    })
}

fn committed_offset(value: OffsetCommitValue) -> CommittedOffset {
    CommittedOffset {
        offset: value.offset,
        leader_epoch: value.leader_epoch,
        metadata: value.metadata.into(),
        commit_timestamp_ms: value.commit_timestamp,
        expire_timestamp_ms: Some(value.expire_timestamp).filter(|at| *at != UNSET),
        topic_id: value.topic_id,
        sequence: 0,
    }
}

pub(in crate::coord) fn offset_commit(
    key: &PartitionKey,
    committed: &CommittedOffset,
) -> CoordinatorRecord {
    let with_expiry = committed.expire_timestamp_ms.is_some();
    let version =
        if with_expiry { OFFSET_COMMIT_WITH_EXPIRY_VERSION } else { OFFSET_COMMIT_VERSION };
    let value = OffsetCommitValue {
        offset: committed.offset,
        leader_epoch: committed.leader_epoch,
        metadata: committed.metadata.to_string(),
        commit_timestamp: committed.commit_timestamp_ms,
        expire_timestamp: committed.expire_timestamp_ms.unwrap_or(UNSET),
        topic_id: committed.topic_id,
    };
    record(offset_key(key), Some((Value::OffsetCommit(value), version)))
}

pub(in crate::coord) fn offset_tombstone(key: &PartitionKey) -> CoordinatorRecord {
    record(offset_key(key), None)
}

fn offset_key(key: &PartitionKey) -> Key {
    Key::OffsetCommit(OffsetCommitKey {
        group: key.group.to_string(),
        topic: key.topic.to_string(),
        partition: key.partition,
    })
}

/// The group with these assignments. Of each member's protocols only the selected one is kept, as
/// in Kafka.
pub(in crate::coord) fn group_metadata(
    group: &ClassicGroup,
    assignments: &BTreeMap<Arc<str>, Bytes>,
) -> CoordinatorRecord {
    let protocol_name = group.protocol_name.as_deref();
    let members = group.members.values().map(|member| MemberMetadata {
        member_id: member.id.to_string(),
        group_instance_id: member.instance_id.clone(),
        client_id: member.client_id.clone(),
        client_host: member.client_host.clone(),
        rebalance_timeout: member.rebalance_timeout_ms,
        session_timeout: member.session_timeout_ms,
        subscription: protocol_name
            .and_then(|name| member.metadata(name))
            .expect("a group with members has a protocol that all of them support")
            .clone(),
        assignment: assignments.get(&member.id).cloned().unwrap_or_default(),
    });
    let value = GroupMetadataValue {
        protocol_type: group.protocol_type.clone().unwrap_or_default(),
        generation: group.generation_id,
        protocol: group.protocol_name.clone(),
        leader: group.leader.as_deref().map(str::to_owned),
        current_state_timestamp: group.state_since_ms.unwrap_or(UNSET),
        members: members.collect(),
    };
    record(group_key(&group.id), Some((Value::GroupMetadata(value), GROUP_METADATA_VERSION)))
}

pub(in crate::coord) fn group_tombstone(id: &str) -> CoordinatorRecord {
    record(group_key(id), None)
}

fn group_key(id: &str) -> Key {
    Key::GroupMetadata(GroupMetadataKey { group: id.to_owned() })
}

/// A group as it comes back from the log: stable if it has members, whose sessions the coordinator
/// then starts.
fn loaded_group(id: Arc<str>, value: GroupMetadataValue) -> ClassicGroup {
    let mut group = ClassicGroup::new(id, 0);
    group.state_since_ms = Some(value.current_state_timestamp).filter(|at| *at != UNSET);
    group.protocol_type = Some(value.protocol_type).filter(|name| !name.is_empty());
    group.generation_id = value.generation;
    for member in value.members {
        let member = loaded_member(member, value.protocol.as_deref().unwrap_or_default());
        if group.members.contains_key(&member.id) {
            tracing::error!(group = %group.id, member = %member.id, "the group's record names a \
                member twice; the first counts");
            continue;
        }
        if let Some(instance_id) = &member.instance_id
            && group.static_members.contains_key(instance_id)
        {
            tracing::error!(group = %group.id, instance_id, "the group's record names an instance \
                twice; the first counts");
            continue;
        }
        group.state = GroupState::Stable;
        group.add(member);
    }
    group.protocol_name = value.protocol;
    // A leader that is no member could never lead: the first member stays in its place.
    if let Some((leader, _)) =
        value.leader.and_then(|leader| group.members.get_key_value(leader.as_str()))
    {
        group.leader = Some(leader.clone());
    }
    group.compute_subscribed_topics();
    group
}

fn loaded_member(member: MemberMetadata, protocol_name: &str) -> Member {
    let unset = i64::from(member.rebalance_timeout) == UNSET;
    Member {
        id: Arc::from(member.member_id),
        instance_id: member.group_instance_id,
        client_id: member.client_id,
        client_host: member.client_host,
        rebalance_timeout_ms: if unset { member.session_timeout } else { member.rebalance_timeout },
        session_timeout_ms: member.session_timeout,
        protocols: vec![Protocol { name: protocol_name.to_owned(), metadata: member.subscription }],
        assignment: member.assignment,
        awaiting_join: None,
        awaiting_sync: None,
        is_new: false,
    }
}
