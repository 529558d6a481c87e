// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! Records of `__consumer_offsets`.

pub mod consumer_group_current_member_assignment_key;
pub mod consumer_group_current_member_assignment_value;
pub mod consumer_group_member_metadata_key;
pub mod consumer_group_member_metadata_value;
pub mod consumer_group_metadata_key;
pub mod consumer_group_metadata_value;
pub mod consumer_group_partition_metadata_key;
pub mod consumer_group_partition_metadata_value;
pub mod consumer_group_regular_expression_key;
pub mod consumer_group_regular_expression_value;
pub mod consumer_group_target_assignment_member_key;
pub mod consumer_group_target_assignment_member_value;
pub mod consumer_group_target_assignment_metadata_key;
pub mod consumer_group_target_assignment_metadata_value;
pub mod group_metadata_key;
pub mod group_metadata_value;
pub mod legacy_offset_commit_key;
pub mod legacy_offset_commit_value;
pub mod offset_commit_key;
pub mod offset_commit_value;
pub mod share_group_current_member_assignment_key;
pub mod share_group_current_member_assignment_value;
pub mod share_group_member_metadata_key;
pub mod share_group_member_metadata_value;
pub mod share_group_metadata_key;
pub mod share_group_metadata_value;
pub mod share_group_state_partition_metadata_key;
pub mod share_group_state_partition_metadata_value;
pub mod share_group_target_assignment_member_key;
pub mod share_group_target_assignment_member_value;
pub mod share_group_target_assignment_metadata_key;
pub mod share_group_target_assignment_metadata_value;
pub mod streams_group_current_member_assignment_key;
pub mod streams_group_current_member_assignment_value;
pub mod streams_group_member_metadata_key;
pub mod streams_group_member_metadata_value;
pub mod streams_group_metadata_key;
pub mod streams_group_metadata_value;
pub mod streams_group_target_assignment_member_key;
pub mod streams_group_target_assignment_member_value;
pub mod streams_group_target_assignment_metadata_key;
pub mod streams_group_target_assignment_metadata_value;
pub mod streams_group_topology_key;
pub mod streams_group_topology_value;

pub use consumer_group_current_member_assignment_key::ConsumerGroupCurrentMemberAssignmentKey;
pub use consumer_group_current_member_assignment_value::ConsumerGroupCurrentMemberAssignmentValue;
pub use consumer_group_member_metadata_key::ConsumerGroupMemberMetadataKey;
pub use consumer_group_member_metadata_value::ConsumerGroupMemberMetadataValue;
pub use consumer_group_metadata_key::ConsumerGroupMetadataKey;
pub use consumer_group_metadata_value::ConsumerGroupMetadataValue;
pub use consumer_group_partition_metadata_key::ConsumerGroupPartitionMetadataKey;
pub use consumer_group_partition_metadata_value::ConsumerGroupPartitionMetadataValue;
pub use consumer_group_regular_expression_key::ConsumerGroupRegularExpressionKey;
pub use consumer_group_regular_expression_value::ConsumerGroupRegularExpressionValue;
pub use consumer_group_target_assignment_member_key::ConsumerGroupTargetAssignmentMemberKey;
pub use consumer_group_target_assignment_member_value::ConsumerGroupTargetAssignmentMemberValue;
pub use consumer_group_target_assignment_metadata_key::ConsumerGroupTargetAssignmentMetadataKey;
pub use consumer_group_target_assignment_metadata_value::ConsumerGroupTargetAssignmentMetadataValue;
pub use group_metadata_key::GroupMetadataKey;
pub use group_metadata_value::GroupMetadataValue;
pub use legacy_offset_commit_key::LegacyOffsetCommitKey;
pub use legacy_offset_commit_value::LegacyOffsetCommitValue;
pub use offset_commit_key::OffsetCommitKey;
pub use offset_commit_value::OffsetCommitValue;
pub use share_group_current_member_assignment_key::ShareGroupCurrentMemberAssignmentKey;
pub use share_group_current_member_assignment_value::ShareGroupCurrentMemberAssignmentValue;
pub use share_group_member_metadata_key::ShareGroupMemberMetadataKey;
pub use share_group_member_metadata_value::ShareGroupMemberMetadataValue;
pub use share_group_metadata_key::ShareGroupMetadataKey;
pub use share_group_metadata_value::ShareGroupMetadataValue;
pub use share_group_state_partition_metadata_key::ShareGroupStatePartitionMetadataKey;
pub use share_group_state_partition_metadata_value::ShareGroupStatePartitionMetadataValue;
pub use share_group_target_assignment_member_key::ShareGroupTargetAssignmentMemberKey;
pub use share_group_target_assignment_member_value::ShareGroupTargetAssignmentMemberValue;
pub use share_group_target_assignment_metadata_key::ShareGroupTargetAssignmentMetadataKey;
pub use share_group_target_assignment_metadata_value::ShareGroupTargetAssignmentMetadataValue;
pub use streams_group_current_member_assignment_key::StreamsGroupCurrentMemberAssignmentKey;
pub use streams_group_current_member_assignment_value::StreamsGroupCurrentMemberAssignmentValue;
pub use streams_group_member_metadata_key::StreamsGroupMemberMetadataKey;
pub use streams_group_member_metadata_value::StreamsGroupMemberMetadataValue;
pub use streams_group_metadata_key::StreamsGroupMetadataKey;
pub use streams_group_metadata_value::StreamsGroupMetadataValue;
pub use streams_group_target_assignment_member_key::StreamsGroupTargetAssignmentMemberKey;
pub use streams_group_target_assignment_member_value::StreamsGroupTargetAssignmentMemberValue;
pub use streams_group_target_assignment_metadata_key::StreamsGroupTargetAssignmentMetadataKey;
pub use streams_group_target_assignment_metadata_value::StreamsGroupTargetAssignmentMetadataValue;
pub use streams_group_topology_key::StreamsGroupTopologyKey;
pub use streams_group_topology_value::StreamsGroupTopologyValue;

use super::prelude::*;
use crate::frame::{self, RecordSet};

/// The group coordinator keys, by record type.
#[derive(Clone, Debug, PartialEq)]
pub enum Key {
    LegacyOffsetCommit(LegacyOffsetCommitKey),
    OffsetCommit(OffsetCommitKey),
    GroupMetadata(GroupMetadataKey),
    ConsumerGroupMetadata(ConsumerGroupMetadataKey),
    ConsumerGroupPartitionMetadata(ConsumerGroupPartitionMetadataKey),
    ConsumerGroupMemberMetadata(ConsumerGroupMemberMetadataKey),
    ConsumerGroupTargetAssignmentMetadata(ConsumerGroupTargetAssignmentMetadataKey),
    ConsumerGroupTargetAssignmentMember(ConsumerGroupTargetAssignmentMemberKey),
    ConsumerGroupCurrentMemberAssignment(ConsumerGroupCurrentMemberAssignmentKey),
    ShareGroupMemberMetadata(ShareGroupMemberMetadataKey),
    ShareGroupMetadata(ShareGroupMetadataKey),
    ShareGroupTargetAssignmentMetadata(ShareGroupTargetAssignmentMetadataKey),
    ShareGroupTargetAssignmentMember(ShareGroupTargetAssignmentMemberKey),
    ShareGroupCurrentMemberAssignment(ShareGroupCurrentMemberAssignmentKey),
    ShareGroupStatePartitionMetadata(ShareGroupStatePartitionMetadataKey),
    ConsumerGroupRegularExpression(ConsumerGroupRegularExpressionKey),
    StreamsGroupMetadata(StreamsGroupMetadataKey),
    StreamsGroupMemberMetadata(StreamsGroupMemberMetadataKey),
    StreamsGroupTargetAssignmentMetadata(StreamsGroupTargetAssignmentMetadataKey),
    StreamsGroupTargetAssignmentMember(StreamsGroupTargetAssignmentMemberKey),
    StreamsGroupCurrentMemberAssignment(StreamsGroupCurrentMemberAssignmentKey),
    StreamsGroupTopology(StreamsGroupTopologyKey),
}

impl Key {
    /// The schema's `apiKey`.
    pub fn record_type(&self) -> i16 {
        match self {
            Self::LegacyOffsetCommit(_) => 0,
            Self::OffsetCommit(_) => 1,
            Self::GroupMetadata(_) => 2,
            Self::ConsumerGroupMetadata(_) => 3,
            Self::ConsumerGroupPartitionMetadata(_) => 4,
            Self::ConsumerGroupMemberMetadata(_) => 5,
            Self::ConsumerGroupTargetAssignmentMetadata(_) => 6,
            Self::ConsumerGroupTargetAssignmentMember(_) => 7,
            Self::ConsumerGroupCurrentMemberAssignment(_) => 8,
            Self::ShareGroupMemberMetadata(_) => 10,
            Self::ShareGroupMetadata(_) => 11,
            Self::ShareGroupTargetAssignmentMetadata(_) => 12,
            Self::ShareGroupTargetAssignmentMember(_) => 13,
            Self::ShareGroupCurrentMemberAssignment(_) => 14,
            Self::ShareGroupStatePartitionMetadata(_) => 15,
            Self::ConsumerGroupRegularExpression(_) => 16,
            Self::StreamsGroupMetadata(_) => 17,
            Self::StreamsGroupMemberMetadata(_) => 19,
            Self::StreamsGroupTargetAssignmentMetadata(_) => 20,
            Self::StreamsGroupTargetAssignmentMember(_) => 21,
            Self::StreamsGroupCurrentMemberAssignment(_) => 22,
            Self::StreamsGroupTopology(_) => 23,
        }
    }

    /// The latest version of this record.
    pub fn max_version(&self) -> i16 {
        match self {
            Self::LegacyOffsetCommit(_) => LegacyOffsetCommitKey::MAX_VERSION,
            Self::OffsetCommit(_) => OffsetCommitKey::MAX_VERSION,
            Self::GroupMetadata(_) => GroupMetadataKey::MAX_VERSION,
            Self::ConsumerGroupMetadata(_) => ConsumerGroupMetadataKey::MAX_VERSION,
            Self::ConsumerGroupPartitionMetadata(_) => {
                ConsumerGroupPartitionMetadataKey::MAX_VERSION
            }
            Self::ConsumerGroupMemberMetadata(_) => ConsumerGroupMemberMetadataKey::MAX_VERSION,
            Self::ConsumerGroupTargetAssignmentMetadata(_) => {
                ConsumerGroupTargetAssignmentMetadataKey::MAX_VERSION
            }
            Self::ConsumerGroupTargetAssignmentMember(_) => {
                ConsumerGroupTargetAssignmentMemberKey::MAX_VERSION
            }
            Self::ConsumerGroupCurrentMemberAssignment(_) => {
                ConsumerGroupCurrentMemberAssignmentKey::MAX_VERSION
            }
            Self::ShareGroupMemberMetadata(_) => ShareGroupMemberMetadataKey::MAX_VERSION,
            Self::ShareGroupMetadata(_) => ShareGroupMetadataKey::MAX_VERSION,
            Self::ShareGroupTargetAssignmentMetadata(_) => {
                ShareGroupTargetAssignmentMetadataKey::MAX_VERSION
            }
            Self::ShareGroupTargetAssignmentMember(_) => {
                ShareGroupTargetAssignmentMemberKey::MAX_VERSION
            }
            Self::ShareGroupCurrentMemberAssignment(_) => {
                ShareGroupCurrentMemberAssignmentKey::MAX_VERSION
            }
            Self::ShareGroupStatePartitionMetadata(_) => {
                ShareGroupStatePartitionMetadataKey::MAX_VERSION
            }
            Self::ConsumerGroupRegularExpression(_) => {
                ConsumerGroupRegularExpressionKey::MAX_VERSION
            }
            Self::StreamsGroupMetadata(_) => StreamsGroupMetadataKey::MAX_VERSION,
            Self::StreamsGroupMemberMetadata(_) => StreamsGroupMemberMetadataKey::MAX_VERSION,
            Self::StreamsGroupTargetAssignmentMetadata(_) => {
                StreamsGroupTargetAssignmentMetadataKey::MAX_VERSION
            }
            Self::StreamsGroupTargetAssignmentMember(_) => {
                StreamsGroupTargetAssignmentMemberKey::MAX_VERSION
            }
            Self::StreamsGroupCurrentMemberAssignment(_) => {
                StreamsGroupCurrentMemberAssignmentKey::MAX_VERSION
            }
            Self::StreamsGroupTopology(_) => StreamsGroupTopologyKey::MAX_VERSION,
        }
    }
}

impl RecordSet for Key {
    const NAME: &'static str = "group coordinator keys";

    fn record_type(&self) -> i16 {
        self.record_type()
    }

    fn read_body(
        record_type: i16,
        reader: &mut Reader<'_>,
        version: i16,
    ) -> Result<Option<Self>, DecodeError> {
        Ok(Some(match record_type {
            0 => Self::LegacyOffsetCommit(LegacyOffsetCommitKey::decode(reader, version)?),
            1 => Self::OffsetCommit(OffsetCommitKey::decode(reader, version)?),
            2 => Self::GroupMetadata(GroupMetadataKey::decode(reader, version)?),
            3 => Self::ConsumerGroupMetadata(ConsumerGroupMetadataKey::decode(reader, version)?),
            4 => Self::ConsumerGroupPartitionMetadata(ConsumerGroupPartitionMetadataKey::decode(
                reader, version,
            )?),
            5 => Self::ConsumerGroupMemberMetadata(ConsumerGroupMemberMetadataKey::decode(
                reader, version,
            )?),
            6 => Self::ConsumerGroupTargetAssignmentMetadata(
                ConsumerGroupTargetAssignmentMetadataKey::decode(reader, version)?,
            ),
            7 => Self::ConsumerGroupTargetAssignmentMember(
                ConsumerGroupTargetAssignmentMemberKey::decode(reader, version)?,
            ),
            8 => Self::ConsumerGroupCurrentMemberAssignment(
                ConsumerGroupCurrentMemberAssignmentKey::decode(reader, version)?,
            ),
            10 => Self::ShareGroupMemberMetadata(ShareGroupMemberMetadataKey::decode(
                reader, version,
            )?),
            11 => Self::ShareGroupMetadata(ShareGroupMetadataKey::decode(reader, version)?),
            12 => Self::ShareGroupTargetAssignmentMetadata(
                ShareGroupTargetAssignmentMetadataKey::decode(reader, version)?,
            ),
            13 => Self::ShareGroupTargetAssignmentMember(
                ShareGroupTargetAssignmentMemberKey::decode(reader, version)?,
            ),
            14 => Self::ShareGroupCurrentMemberAssignment(
                ShareGroupCurrentMemberAssignmentKey::decode(reader, version)?,
            ),
            15 => Self::ShareGroupStatePartitionMetadata(
                ShareGroupStatePartitionMetadataKey::decode(reader, version)?,
            ),
            16 => Self::ConsumerGroupRegularExpression(ConsumerGroupRegularExpressionKey::decode(
                reader, version,
            )?),
            17 => Self::StreamsGroupMetadata(StreamsGroupMetadataKey::decode(reader, version)?),
            19 => Self::StreamsGroupMemberMetadata(StreamsGroupMemberMetadataKey::decode(
                reader, version,
            )?),
            20 => Self::StreamsGroupTargetAssignmentMetadata(
                StreamsGroupTargetAssignmentMetadataKey::decode(reader, version)?,
            ),
            21 => Self::StreamsGroupTargetAssignmentMember(
                StreamsGroupTargetAssignmentMemberKey::decode(reader, version)?,
            ),
            22 => Self::StreamsGroupCurrentMemberAssignment(
                StreamsGroupCurrentMemberAssignmentKey::decode(reader, version)?,
            ),
            23 => Self::StreamsGroupTopology(StreamsGroupTopologyKey::decode(reader, version)?),
            _ => return Ok(None),
        }))
    }

    fn write_body(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        match self {
            Self::LegacyOffsetCommit(body) => body.encode(writer, version),
            Self::OffsetCommit(body) => body.encode(writer, version),
            Self::GroupMetadata(body) => body.encode(writer, version),
            Self::ConsumerGroupMetadata(body) => body.encode(writer, version),
            Self::ConsumerGroupPartitionMetadata(body) => body.encode(writer, version),
            Self::ConsumerGroupMemberMetadata(body) => body.encode(writer, version),
            Self::ConsumerGroupTargetAssignmentMetadata(body) => body.encode(writer, version),
            Self::ConsumerGroupTargetAssignmentMember(body) => body.encode(writer, version),
            Self::ConsumerGroupCurrentMemberAssignment(body) => body.encode(writer, version),
            Self::ShareGroupMemberMetadata(body) => body.encode(writer, version),
            Self::ShareGroupMetadata(body) => body.encode(writer, version),
            Self::ShareGroupTargetAssignmentMetadata(body) => body.encode(writer, version),
            Self::ShareGroupTargetAssignmentMember(body) => body.encode(writer, version),
            Self::ShareGroupCurrentMemberAssignment(body) => body.encode(writer, version),
            Self::ShareGroupStatePartitionMetadata(body) => body.encode(writer, version),
            Self::ConsumerGroupRegularExpression(body) => body.encode(writer, version),
            Self::StreamsGroupMetadata(body) => body.encode(writer, version),
            Self::StreamsGroupMemberMetadata(body) => body.encode(writer, version),
            Self::StreamsGroupTargetAssignmentMetadata(body) => body.encode(writer, version),
            Self::StreamsGroupTargetAssignmentMember(body) => body.encode(writer, version),
            Self::StreamsGroupCurrentMemberAssignment(body) => body.encode(writer, version),
            Self::StreamsGroupTopology(body) => body.encode(writer, version),
        }
    }
}

impl From<LegacyOffsetCommitKey> for Key {
    fn from(body: LegacyOffsetCommitKey) -> Self {
        Self::LegacyOffsetCommit(body)
    }
}

impl From<OffsetCommitKey> for Key {
    fn from(body: OffsetCommitKey) -> Self {
        Self::OffsetCommit(body)
    }
}

impl From<GroupMetadataKey> for Key {
    fn from(body: GroupMetadataKey) -> Self {
        Self::GroupMetadata(body)
    }
}

impl From<ConsumerGroupMetadataKey> for Key {
    fn from(body: ConsumerGroupMetadataKey) -> Self {
        Self::ConsumerGroupMetadata(body)
    }
}

impl From<ConsumerGroupPartitionMetadataKey> for Key {
    fn from(body: ConsumerGroupPartitionMetadataKey) -> Self {
        Self::ConsumerGroupPartitionMetadata(body)
    }
}

impl From<ConsumerGroupMemberMetadataKey> for Key {
    fn from(body: ConsumerGroupMemberMetadataKey) -> Self {
        Self::ConsumerGroupMemberMetadata(body)
    }
}

impl From<ConsumerGroupTargetAssignmentMetadataKey> for Key {
    fn from(body: ConsumerGroupTargetAssignmentMetadataKey) -> Self {
        Self::ConsumerGroupTargetAssignmentMetadata(body)
    }
}

impl From<ConsumerGroupTargetAssignmentMemberKey> for Key {
    fn from(body: ConsumerGroupTargetAssignmentMemberKey) -> Self {
        Self::ConsumerGroupTargetAssignmentMember(body)
    }
}

impl From<ConsumerGroupCurrentMemberAssignmentKey> for Key {
    fn from(body: ConsumerGroupCurrentMemberAssignmentKey) -> Self {
        Self::ConsumerGroupCurrentMemberAssignment(body)
    }
}

impl From<ShareGroupMemberMetadataKey> for Key {
    fn from(body: ShareGroupMemberMetadataKey) -> Self {
        Self::ShareGroupMemberMetadata(body)
    }
}

impl From<ShareGroupMetadataKey> for Key {
    fn from(body: ShareGroupMetadataKey) -> Self {
        Self::ShareGroupMetadata(body)
    }
}

impl From<ShareGroupTargetAssignmentMetadataKey> for Key {
    fn from(body: ShareGroupTargetAssignmentMetadataKey) -> Self {
        Self::ShareGroupTargetAssignmentMetadata(body)
    }
}

impl From<ShareGroupTargetAssignmentMemberKey> for Key {
    fn from(body: ShareGroupTargetAssignmentMemberKey) -> Self {
        Self::ShareGroupTargetAssignmentMember(body)
    }
}

impl From<ShareGroupCurrentMemberAssignmentKey> for Key {
    fn from(body: ShareGroupCurrentMemberAssignmentKey) -> Self {
        Self::ShareGroupCurrentMemberAssignment(body)
    }
}

impl From<ShareGroupStatePartitionMetadataKey> for Key {
    fn from(body: ShareGroupStatePartitionMetadataKey) -> Self {
        Self::ShareGroupStatePartitionMetadata(body)
    }
}

impl From<ConsumerGroupRegularExpressionKey> for Key {
    fn from(body: ConsumerGroupRegularExpressionKey) -> Self {
        Self::ConsumerGroupRegularExpression(body)
    }
}

impl From<StreamsGroupMetadataKey> for Key {
    fn from(body: StreamsGroupMetadataKey) -> Self {
        Self::StreamsGroupMetadata(body)
    }
}

impl From<StreamsGroupMemberMetadataKey> for Key {
    fn from(body: StreamsGroupMemberMetadataKey) -> Self {
        Self::StreamsGroupMemberMetadata(body)
    }
}

impl From<StreamsGroupTargetAssignmentMetadataKey> for Key {
    fn from(body: StreamsGroupTargetAssignmentMetadataKey) -> Self {
        Self::StreamsGroupTargetAssignmentMetadata(body)
    }
}

impl From<StreamsGroupTargetAssignmentMemberKey> for Key {
    fn from(body: StreamsGroupTargetAssignmentMemberKey) -> Self {
        Self::StreamsGroupTargetAssignmentMember(body)
    }
}

impl From<StreamsGroupCurrentMemberAssignmentKey> for Key {
    fn from(body: StreamsGroupCurrentMemberAssignmentKey) -> Self {
        Self::StreamsGroupCurrentMemberAssignment(body)
    }
}

impl From<StreamsGroupTopologyKey> for Key {
    fn from(body: StreamsGroupTopologyKey) -> Self {
        Self::StreamsGroupTopology(body)
    }
}

impl Key {
    /// Decodes a record's key: `i16` record type, body.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        frame::decode_key(bytes)
    }

    /// The inverse of [`Self::decode`].
    pub fn encode(&self) -> Result<Bytes, EncodeError> {
        frame::encode_key(self)
    }
}

/// The group coordinator values, by record type.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    LegacyOffsetCommit(LegacyOffsetCommitValue),
    OffsetCommit(OffsetCommitValue),
    GroupMetadata(GroupMetadataValue),
    ConsumerGroupMetadata(ConsumerGroupMetadataValue),
    ConsumerGroupPartitionMetadata(ConsumerGroupPartitionMetadataValue),
    ConsumerGroupMemberMetadata(ConsumerGroupMemberMetadataValue),
    ConsumerGroupTargetAssignmentMetadata(ConsumerGroupTargetAssignmentMetadataValue),
    ConsumerGroupTargetAssignmentMember(ConsumerGroupTargetAssignmentMemberValue),
    ConsumerGroupCurrentMemberAssignment(ConsumerGroupCurrentMemberAssignmentValue),
    ShareGroupMemberMetadata(ShareGroupMemberMetadataValue),
    ShareGroupMetadata(ShareGroupMetadataValue),
    ShareGroupTargetAssignmentMetadata(ShareGroupTargetAssignmentMetadataValue),
    ShareGroupTargetAssignmentMember(ShareGroupTargetAssignmentMemberValue),
    ShareGroupCurrentMemberAssignment(ShareGroupCurrentMemberAssignmentValue),
    ShareGroupStatePartitionMetadata(ShareGroupStatePartitionMetadataValue),
    ConsumerGroupRegularExpression(ConsumerGroupRegularExpressionValue),
    StreamsGroupMetadata(StreamsGroupMetadataValue),
    StreamsGroupMemberMetadata(StreamsGroupMemberMetadataValue),
    StreamsGroupTargetAssignmentMetadata(StreamsGroupTargetAssignmentMetadataValue),
    StreamsGroupTargetAssignmentMember(StreamsGroupTargetAssignmentMemberValue),
    StreamsGroupCurrentMemberAssignment(StreamsGroupCurrentMemberAssignmentValue),
    StreamsGroupTopology(StreamsGroupTopologyValue),
}

impl Value {
    /// The schema's `apiKey`.
    pub fn record_type(&self) -> i16 {
        match self {
            Self::LegacyOffsetCommit(_) => 0,
            Self::OffsetCommit(_) => 1,
            Self::GroupMetadata(_) => 2,
            Self::ConsumerGroupMetadata(_) => 3,
            Self::ConsumerGroupPartitionMetadata(_) => 4,
            Self::ConsumerGroupMemberMetadata(_) => 5,
            Self::ConsumerGroupTargetAssignmentMetadata(_) => 6,
            Self::ConsumerGroupTargetAssignmentMember(_) => 7,
            Self::ConsumerGroupCurrentMemberAssignment(_) => 8,
            Self::ShareGroupMemberMetadata(_) => 10,
            Self::ShareGroupMetadata(_) => 11,
            Self::ShareGroupTargetAssignmentMetadata(_) => 12,
            Self::ShareGroupTargetAssignmentMember(_) => 13,
            Self::ShareGroupCurrentMemberAssignment(_) => 14,
            Self::ShareGroupStatePartitionMetadata(_) => 15,
            Self::ConsumerGroupRegularExpression(_) => 16,
            Self::StreamsGroupMetadata(_) => 17,
            Self::StreamsGroupMemberMetadata(_) => 19,
            Self::StreamsGroupTargetAssignmentMetadata(_) => 20,
            Self::StreamsGroupTargetAssignmentMember(_) => 21,
            Self::StreamsGroupCurrentMemberAssignment(_) => 22,
            Self::StreamsGroupTopology(_) => 23,
        }
    }

    /// The latest version of this record.
    pub fn max_version(&self) -> i16 {
        match self {
            Self::LegacyOffsetCommit(_) => LegacyOffsetCommitValue::MAX_VERSION,
            Self::OffsetCommit(_) => OffsetCommitValue::MAX_VERSION,
            Self::GroupMetadata(_) => GroupMetadataValue::MAX_VERSION,
            Self::ConsumerGroupMetadata(_) => ConsumerGroupMetadataValue::MAX_VERSION,
            Self::ConsumerGroupPartitionMetadata(_) => {
                ConsumerGroupPartitionMetadataValue::MAX_VERSION
            }
            Self::ConsumerGroupMemberMetadata(_) => ConsumerGroupMemberMetadataValue::MAX_VERSION,
            Self::ConsumerGroupTargetAssignmentMetadata(_) => {
                ConsumerGroupTargetAssignmentMetadataValue::MAX_VERSION
            }
            Self::ConsumerGroupTargetAssignmentMember(_) => {
                ConsumerGroupTargetAssignmentMemberValue::MAX_VERSION
            }
            Self::ConsumerGroupCurrentMemberAssignment(_) => {
                ConsumerGroupCurrentMemberAssignmentValue::MAX_VERSION
            }
            Self::ShareGroupMemberMetadata(_) => ShareGroupMemberMetadataValue::MAX_VERSION,
            Self::ShareGroupMetadata(_) => ShareGroupMetadataValue::MAX_VERSION,
            Self::ShareGroupTargetAssignmentMetadata(_) => {
                ShareGroupTargetAssignmentMetadataValue::MAX_VERSION
            }
            Self::ShareGroupTargetAssignmentMember(_) => {
                ShareGroupTargetAssignmentMemberValue::MAX_VERSION
            }
            Self::ShareGroupCurrentMemberAssignment(_) => {
                ShareGroupCurrentMemberAssignmentValue::MAX_VERSION
            }
            Self::ShareGroupStatePartitionMetadata(_) => {
                ShareGroupStatePartitionMetadataValue::MAX_VERSION
            }
            Self::ConsumerGroupRegularExpression(_) => {
                ConsumerGroupRegularExpressionValue::MAX_VERSION
            }
            Self::StreamsGroupMetadata(_) => StreamsGroupMetadataValue::MAX_VERSION,
            Self::StreamsGroupMemberMetadata(_) => StreamsGroupMemberMetadataValue::MAX_VERSION,
            Self::StreamsGroupTargetAssignmentMetadata(_) => {
                StreamsGroupTargetAssignmentMetadataValue::MAX_VERSION
            }
            Self::StreamsGroupTargetAssignmentMember(_) => {
                StreamsGroupTargetAssignmentMemberValue::MAX_VERSION
            }
            Self::StreamsGroupCurrentMemberAssignment(_) => {
                StreamsGroupCurrentMemberAssignmentValue::MAX_VERSION
            }
            Self::StreamsGroupTopology(_) => StreamsGroupTopologyValue::MAX_VERSION,
        }
    }
}

impl RecordSet for Value {
    const NAME: &'static str = "group coordinator values";

    fn record_type(&self) -> i16 {
        self.record_type()
    }

    fn read_body(
        record_type: i16,
        reader: &mut Reader<'_>,
        version: i16,
    ) -> Result<Option<Self>, DecodeError> {
        Ok(Some(match record_type {
            0 => Self::LegacyOffsetCommit(LegacyOffsetCommitValue::decode(reader, version)?),
            1 => Self::OffsetCommit(OffsetCommitValue::decode(reader, version)?),
            2 => Self::GroupMetadata(GroupMetadataValue::decode(reader, version)?),
            3 => Self::ConsumerGroupMetadata(ConsumerGroupMetadataValue::decode(reader, version)?),
            4 => Self::ConsumerGroupPartitionMetadata(ConsumerGroupPartitionMetadataValue::decode(
                reader, version,
            )?),
            5 => Self::ConsumerGroupMemberMetadata(ConsumerGroupMemberMetadataValue::decode(
                reader, version,
            )?),
            6 => Self::ConsumerGroupTargetAssignmentMetadata(
                ConsumerGroupTargetAssignmentMetadataValue::decode(reader, version)?,
            ),
            7 => Self::ConsumerGroupTargetAssignmentMember(
                ConsumerGroupTargetAssignmentMemberValue::decode(reader, version)?,
            ),
            8 => Self::ConsumerGroupCurrentMemberAssignment(
                ConsumerGroupCurrentMemberAssignmentValue::decode(reader, version)?,
            ),
            10 => Self::ShareGroupMemberMetadata(ShareGroupMemberMetadataValue::decode(
                reader, version,
            )?),
            11 => Self::ShareGroupMetadata(ShareGroupMetadataValue::decode(reader, version)?),
            12 => Self::ShareGroupTargetAssignmentMetadata(
                ShareGroupTargetAssignmentMetadataValue::decode(reader, version)?,
            ),
            13 => Self::ShareGroupTargetAssignmentMember(
                ShareGroupTargetAssignmentMemberValue::decode(reader, version)?,
            ),
            14 => Self::ShareGroupCurrentMemberAssignment(
                ShareGroupCurrentMemberAssignmentValue::decode(reader, version)?,
            ),
            15 => Self::ShareGroupStatePartitionMetadata(
                ShareGroupStatePartitionMetadataValue::decode(reader, version)?,
            ),
            16 => Self::ConsumerGroupRegularExpression(
                ConsumerGroupRegularExpressionValue::decode(reader, version)?,
            ),
            17 => Self::StreamsGroupMetadata(StreamsGroupMetadataValue::decode(reader, version)?),
            19 => Self::StreamsGroupMemberMetadata(StreamsGroupMemberMetadataValue::decode(
                reader, version,
            )?),
            20 => Self::StreamsGroupTargetAssignmentMetadata(
                StreamsGroupTargetAssignmentMetadataValue::decode(reader, version)?,
            ),
            21 => Self::StreamsGroupTargetAssignmentMember(
                StreamsGroupTargetAssignmentMemberValue::decode(reader, version)?,
            ),
            22 => Self::StreamsGroupCurrentMemberAssignment(
                StreamsGroupCurrentMemberAssignmentValue::decode(reader, version)?,
            ),
            23 => Self::StreamsGroupTopology(StreamsGroupTopologyValue::decode(reader, version)?),
            _ => return Ok(None),
        }))
    }

    fn write_body(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        match self {
            Self::LegacyOffsetCommit(body) => body.encode(writer, version),
            Self::OffsetCommit(body) => body.encode(writer, version),
            Self::GroupMetadata(body) => body.encode(writer, version),
            Self::ConsumerGroupMetadata(body) => body.encode(writer, version),
            Self::ConsumerGroupPartitionMetadata(body) => body.encode(writer, version),
            Self::ConsumerGroupMemberMetadata(body) => body.encode(writer, version),
            Self::ConsumerGroupTargetAssignmentMetadata(body) => body.encode(writer, version),
            Self::ConsumerGroupTargetAssignmentMember(body) => body.encode(writer, version),
            Self::ConsumerGroupCurrentMemberAssignment(body) => body.encode(writer, version),
            Self::ShareGroupMemberMetadata(body) => body.encode(writer, version),
            Self::ShareGroupMetadata(body) => body.encode(writer, version),
            Self::ShareGroupTargetAssignmentMetadata(body) => body.encode(writer, version),
            Self::ShareGroupTargetAssignmentMember(body) => body.encode(writer, version),
            Self::ShareGroupCurrentMemberAssignment(body) => body.encode(writer, version),
            Self::ShareGroupStatePartitionMetadata(body) => body.encode(writer, version),
            Self::ConsumerGroupRegularExpression(body) => body.encode(writer, version),
            Self::StreamsGroupMetadata(body) => body.encode(writer, version),
            Self::StreamsGroupMemberMetadata(body) => body.encode(writer, version),
            Self::StreamsGroupTargetAssignmentMetadata(body) => body.encode(writer, version),
            Self::StreamsGroupTargetAssignmentMember(body) => body.encode(writer, version),
            Self::StreamsGroupCurrentMemberAssignment(body) => body.encode(writer, version),
            Self::StreamsGroupTopology(body) => body.encode(writer, version),
        }
    }
}

impl From<LegacyOffsetCommitValue> for Value {
    fn from(body: LegacyOffsetCommitValue) -> Self {
        Self::LegacyOffsetCommit(body)
    }
}

impl From<OffsetCommitValue> for Value {
    fn from(body: OffsetCommitValue) -> Self {
        Self::OffsetCommit(body)
    }
}

impl From<GroupMetadataValue> for Value {
    fn from(body: GroupMetadataValue) -> Self {
        Self::GroupMetadata(body)
    }
}

impl From<ConsumerGroupMetadataValue> for Value {
    fn from(body: ConsumerGroupMetadataValue) -> Self {
        Self::ConsumerGroupMetadata(body)
    }
}

impl From<ConsumerGroupPartitionMetadataValue> for Value {
    fn from(body: ConsumerGroupPartitionMetadataValue) -> Self {
        Self::ConsumerGroupPartitionMetadata(body)
    }
}

impl From<ConsumerGroupMemberMetadataValue> for Value {
    fn from(body: ConsumerGroupMemberMetadataValue) -> Self {
        Self::ConsumerGroupMemberMetadata(body)
    }
}

impl From<ConsumerGroupTargetAssignmentMetadataValue> for Value {
    fn from(body: ConsumerGroupTargetAssignmentMetadataValue) -> Self {
        Self::ConsumerGroupTargetAssignmentMetadata(body)
    }
}

impl From<ConsumerGroupTargetAssignmentMemberValue> for Value {
    fn from(body: ConsumerGroupTargetAssignmentMemberValue) -> Self {
        Self::ConsumerGroupTargetAssignmentMember(body)
    }
}

impl From<ConsumerGroupCurrentMemberAssignmentValue> for Value {
    fn from(body: ConsumerGroupCurrentMemberAssignmentValue) -> Self {
        Self::ConsumerGroupCurrentMemberAssignment(body)
    }
}

impl From<ShareGroupMemberMetadataValue> for Value {
    fn from(body: ShareGroupMemberMetadataValue) -> Self {
        Self::ShareGroupMemberMetadata(body)
    }
}

impl From<ShareGroupMetadataValue> for Value {
    fn from(body: ShareGroupMetadataValue) -> Self {
        Self::ShareGroupMetadata(body)
    }
}

impl From<ShareGroupTargetAssignmentMetadataValue> for Value {
    fn from(body: ShareGroupTargetAssignmentMetadataValue) -> Self {
        Self::ShareGroupTargetAssignmentMetadata(body)
    }
}

impl From<ShareGroupTargetAssignmentMemberValue> for Value {
    fn from(body: ShareGroupTargetAssignmentMemberValue) -> Self {
        Self::ShareGroupTargetAssignmentMember(body)
    }
}

impl From<ShareGroupCurrentMemberAssignmentValue> for Value {
    fn from(body: ShareGroupCurrentMemberAssignmentValue) -> Self {
        Self::ShareGroupCurrentMemberAssignment(body)
    }
}

impl From<ShareGroupStatePartitionMetadataValue> for Value {
    fn from(body: ShareGroupStatePartitionMetadataValue) -> Self {
        Self::ShareGroupStatePartitionMetadata(body)
    }
}

impl From<ConsumerGroupRegularExpressionValue> for Value {
    fn from(body: ConsumerGroupRegularExpressionValue) -> Self {
        Self::ConsumerGroupRegularExpression(body)
    }
}

impl From<StreamsGroupMetadataValue> for Value {
    fn from(body: StreamsGroupMetadataValue) -> Self {
        Self::StreamsGroupMetadata(body)
    }
}

impl From<StreamsGroupMemberMetadataValue> for Value {
    fn from(body: StreamsGroupMemberMetadataValue) -> Self {
        Self::StreamsGroupMemberMetadata(body)
    }
}

impl From<StreamsGroupTargetAssignmentMetadataValue> for Value {
    fn from(body: StreamsGroupTargetAssignmentMetadataValue) -> Self {
        Self::StreamsGroupTargetAssignmentMetadata(body)
    }
}

impl From<StreamsGroupTargetAssignmentMemberValue> for Value {
    fn from(body: StreamsGroupTargetAssignmentMemberValue) -> Self {
        Self::StreamsGroupTargetAssignmentMember(body)
    }
}

impl From<StreamsGroupCurrentMemberAssignmentValue> for Value {
    fn from(body: StreamsGroupCurrentMemberAssignmentValue) -> Self {
        Self::StreamsGroupCurrentMemberAssignment(body)
    }
}

impl From<StreamsGroupTopologyValue> for Value {
    fn from(body: StreamsGroupTopologyValue) -> Self {
        Self::StreamsGroupTopology(body)
    }
}

impl Value {
    /// Decodes a record's value, of the type its key names: `i16` version, body.
    pub fn decode(record_type: i16, bytes: &[u8]) -> Result<Self, DecodeError> {
        frame::decode_value(record_type, bytes)
    }

    /// The inverse of [`Self::decode`].
    pub fn encode(&self, version: i16) -> Result<Bytes, EncodeError> {
        frame::encode_value(self, version)
    }
}
