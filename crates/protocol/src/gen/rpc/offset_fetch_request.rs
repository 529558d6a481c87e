// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `OffsetFetchRequest`, versions 1 to 10.

use super::super::prelude::*;

/// `OffsetFetchRequest`.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetFetchRequest {
    /// The group to fetch offsets for. (versions 0 to 7)
    pub group_id: String,
    /// Each topic we would like to fetch offsets for, or null to fetch offsets for all topics. (versions 0 to 7)
    pub topics: Option<Vec<OffsetFetchRequestTopic>>,
    /// Each group we would like to fetch offsets for. (versions 8+)
    pub groups: Vec<OffsetFetchRequestGroup>,
    /// Whether broker should hold on returning unstable offsets but set a retriable error code for the partitions. (versions 7+)
    pub require_stable: bool,
}

impl Default for OffsetFetchRequest {
    fn default() -> Self {
        Self {
            group_id: Default::default(),
            topics: Some(Vec::new()),
            groups: Default::default(),
            require_stable: Default::default(),
        }
    }
}

impl Structure for OffsetFetchRequest {
    const MIN_WIRE_BYTES: usize = 3;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 6;
        let mut value = Self::default();
        if version <= 7 {
            value.group_id = reader.string(flexible)?;
        }
        if version <= 7 {
            value.topics = reader.nullable_array(flexible, (2..=7).contains(&version), version)?;
        }
        if version >= 8 {
            value.groups = reader.array(flexible, version)?;
        }
        if version >= 7 {
            value.require_stable = reader.bool()?;
        }
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 6;
        if version <= 7 {
            put_string(writer, &self.group_id, flexible)?;
        } else {
            require(self.group_id.is_empty(), "GroupId", version)?;
        }
        if version <= 7 {
            require(self.topics.is_some() || (2..=7).contains(&version), "Topics", version)?;
            put_nullable_array(writer, self.topics.as_deref(), flexible, version)?;
        } else {
            require(self.topics.as_ref().is_some_and(Vec::is_empty), "Topics", version)?;
        }
        if version >= 8 {
            put_array(writer, &self.groups, flexible, version)?;
        } else {
            require(self.groups.is_empty(), "Groups", version)?;
        }
        if version >= 7 {
            put_bool(writer, self.require_stable);
        } else {
            require(!self.require_stable, "RequireStable", version)?;
        }
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// Each topic we would like to fetch offsets for, or null to fetch offsets for all topics.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct OffsetFetchRequestTopic {
    /// The topic name. (versions 0 to 7)
    pub name: String,
    /// The partition indexes we would like to fetch offsets for. (versions 0 to 7)
    pub partition_indexes: Vec<i32>,
}

impl Structure for OffsetFetchRequestTopic {
    const MIN_WIRE_BYTES: usize = 3;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 6;
        let mut value = Self::default();
        value.name = reader.string(flexible)?;
        value.partition_indexes = reader.array(flexible, version)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 6;
        put_string(writer, &self.name, flexible)?;
        put_array(writer, &self.partition_indexes, flexible, version)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// Each group we would like to fetch offsets for.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetFetchRequestGroup {
    /// The group ID. (versions 8+)
    pub group_id: String,
    /// The member id. (versions 9+)
    pub member_id: Option<String>,
    /// The member epoch if using the new consumer protocol (KIP-848). (versions 9+)
    pub member_epoch: i32,
    /// Each topic we would like to fetch offsets for, or null to fetch offsets for all topics. (versions 8+)
    pub topics: Option<Vec<OffsetFetchRequestTopics>>,
}

impl Default for OffsetFetchRequestGroup {
    fn default() -> Self {
        Self {
            group_id: Default::default(),
            member_id: Default::default(),
            member_epoch: -1,
            topics: Some(Vec::new()),
        }
    }
}

impl Structure for OffsetFetchRequestGroup {
    const MIN_WIRE_BYTES: usize = 3;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.group_id = reader.string(true)?;
        if version >= 9 {
            value.member_id = reader.nullable_string(true, true)?;
        }
        if version >= 9 {
            value.member_epoch = reader.i32()?;
        }
        value.topics = reader.nullable_array(true, true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.group_id, true)?;
        if version >= 9 {
            put_nullable_string(writer, self.member_id.as_deref(), true)?;
        }
        if version >= 9 {
            writer.put_i32(self.member_epoch);
        }
        put_nullable_array(writer, self.topics.as_deref(), true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// Each topic we would like to fetch offsets for, or null to fetch offsets for all topics.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct OffsetFetchRequestTopics {
    /// The topic name. (versions 8 to 9)
    pub name: String,
    /// The topic ID. (versions 10+)
    pub topic_id: Uuid,
    /// The partition indexes we would like to fetch offsets for. (versions 8+)
    pub partition_indexes: Vec<i32>,
}

impl Structure for OffsetFetchRequestTopics {
    const MIN_WIRE_BYTES: usize = 3;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        if version <= 9 {
            value.name = reader.string(true)?;
        }
        if version >= 10 {
            value.topic_id = reader.uuid()?;
        }
        value.partition_indexes = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        if version <= 9 {
            put_string(writer, &self.name, true)?;
        }
        if version >= 10 {
            put_uuid(writer, self.topic_id);
        }
        put_array(writer, &self.partition_indexes, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for OffsetFetchRequest {
    const NAME: &'static str = "OffsetFetchRequest";
    const MIN_VERSION: i16 = 1;
    const MAX_VERSION: i16 = 10;
    const FLEXIBLE_FROM: Option<i16> = Some(6);
}

impl Request for OffsetFetchRequest {
    const API_KEY: i16 = 9;
    type Response = super::OffsetFetchResponse;
}
