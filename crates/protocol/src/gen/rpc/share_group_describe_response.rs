// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `ShareGroupDescribeResponse`, versions 1 to 1.

use super::super::prelude::*;

/// `ShareGroupDescribeResponse`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ShareGroupDescribeResponse {
    /// The duration in milliseconds for which the request was throttled due to a quota violation, or zero if the request did not violate any quota. (versions 0+)
    pub throttle_time_ms: i32,
    /// Each described group. (versions 0+)
    pub groups: Vec<DescribedGroup>,
}

impl Structure for ShareGroupDescribeResponse {
    const MIN_WIRE_BYTES: usize = 6;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.throttle_time_ms = reader.i32()?;
        value.groups = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.throttle_time_ms);
        put_array(writer, &self.groups, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// Each described group.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribedGroup {
    /// The describe error, or 0 if there was no error. (versions 0+)
    pub error_code: i16,
    /// The top-level error message, or null if there was no error. (versions 0+)
    pub error_message: Option<String>,
    /// The group ID string. (versions 0+)
    pub group_id: String,
    /// The group state string, or the empty string. (versions 0+)
    pub group_state: String,
    /// The group epoch. (versions 0+)
    pub group_epoch: i32,
    /// The assignment epoch. (versions 0+)
    pub assignment_epoch: i32,
    /// The selected assignor. (versions 0+)
    pub assignor_name: String,
    /// The members. (versions 0+)
    pub members: Vec<Member>,
    /// 32-bit bitfield to represent authorized operations for this group. (versions 0+)
    pub authorized_operations: i32,
}

impl Default for DescribedGroup {
    fn default() -> Self {
        Self {
            error_code: Default::default(),
            error_message: Default::default(),
            group_id: Default::default(),
            group_state: Default::default(),
            group_epoch: Default::default(),
            assignment_epoch: Default::default(),
            assignor_name: Default::default(),
            members: Default::default(),
            authorized_operations: i32::MIN,
        }
    }
}

impl Structure for DescribedGroup {
    const MIN_WIRE_BYTES: usize = 20;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.error_code = reader.i16()?;
        value.error_message = reader.nullable_string(true, true)?;
        value.group_id = reader.string(true)?;
        value.group_state = reader.string(true)?;
        value.group_epoch = reader.i32()?;
        value.assignment_epoch = reader.i32()?;
        value.assignor_name = reader.string(true)?;
        value.members = reader.array(true, version)?;
        value.authorized_operations = reader.i32()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i16(self.error_code);
        put_nullable_string(writer, self.error_message.as_deref(), true)?;
        put_string(writer, &self.group_id, true)?;
        put_string(writer, &self.group_state, true)?;
        writer.put_i32(self.group_epoch);
        writer.put_i32(self.assignment_epoch);
        put_string(writer, &self.assignor_name, true)?;
        put_array(writer, &self.members, true, version)?;
        writer.put_i32(self.authorized_operations);
        put_no_tags(writer);
        Ok(())
    }
}

/// The members.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Member {
    /// The member ID. (versions 0+)
    pub member_id: String,
    /// The member rack ID. (versions 0+)
    pub rack_id: Option<String>,
    /// The current member epoch. (versions 0+)
    pub member_epoch: i32,
    /// The client ID. (versions 0+)
    pub client_id: String,
    /// The client host. (versions 0+)
    pub client_host: String,
    /// The subscribed topic names. (versions 0+)
    pub subscribed_topic_names: Vec<String>,
    /// The current assignment. (versions 0+)
    pub assignment: Assignment,
}

impl Structure for Member {
    const MIN_WIRE_BYTES: usize = 12;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.member_id = reader.string(true)?;
        value.rack_id = reader.nullable_string(true, true)?;
        value.member_epoch = reader.i32()?;
        value.client_id = reader.string(true)?;
        value.client_host = reader.string(true)?;
        value.subscribed_topic_names = reader.array(true, version)?;
        value.assignment = Assignment::read(reader, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.member_id, true)?;
        put_nullable_string(writer, self.rack_id.as_deref(), true)?;
        writer.put_i32(self.member_epoch);
        put_string(writer, &self.client_id, true)?;
        put_string(writer, &self.client_host, true)?;
        put_array(writer, &self.subscribed_topic_names, true, version)?;
        self.assignment.write(writer, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// `TopicPartitions`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TopicPartitions {
    /// The topic ID. (versions 0+)
    pub topic_id: Uuid,
    /// The topic name. (versions 0+)
    pub topic_name: String,
    /// The partitions. (versions 0+)
    pub partitions: Vec<i32>,
}

impl Structure for TopicPartitions {
    const MIN_WIRE_BYTES: usize = 19;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.topic_id = reader.uuid()?;
        value.topic_name = reader.string(true)?;
        value.partitions = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_uuid(writer, self.topic_id);
        put_string(writer, &self.topic_name, true)?;
        put_array(writer, &self.partitions, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// `Assignment`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Assignment {
    /// The assigned topic-partitions to the member. (versions 0+)
    pub topic_partitions: Vec<TopicPartitions>,
}

impl Structure for Assignment {
    const MIN_WIRE_BYTES: usize = 2;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.topic_partitions = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_array(writer, &self.topic_partitions, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for ShareGroupDescribeResponse {
    const NAME: &'static str = "ShareGroupDescribeResponse";
    const MIN_VERSION: i16 = 1;
    const MAX_VERSION: i16 = 1;
    const FLEXIBLE_FROM: Option<i16> = Some(1);
}

impl Response for ShareGroupDescribeResponse {
    const API_KEY: i16 = 77;
    type Request = super::ShareGroupDescribeRequest;
}
