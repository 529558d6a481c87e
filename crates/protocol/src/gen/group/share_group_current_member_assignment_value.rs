// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `ShareGroupCurrentMemberAssignmentValue`, versions 0 to 0.

use super::super::prelude::*;

/// `ShareGroupCurrentMemberAssignmentValue`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ShareGroupCurrentMemberAssignmentValue {
    /// The current member epoch that is expected from the member in the heartbeat request. (versions 0+)
    pub member_epoch: i32,
    /// If the last epoch bump is lost before reaching the member, the member will retry with the previous epoch. (versions 0+)
    pub previous_member_epoch: i32,
    /// The member state. See MemberState for the possible values. (versions 0+)
    pub state: i8,
    /// The partitions assigned to (or owned by) this member. (versions 0+)
    pub assigned_partitions: Vec<TopicPartitions>,
}

impl Structure for ShareGroupCurrentMemberAssignmentValue {
    const MIN_WIRE_BYTES: usize = 11;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.member_epoch = reader.i32()?;
        value.previous_member_epoch = reader.i32()?;
        value.state = reader.i8()?;
        value.assigned_partitions = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.member_epoch);
        writer.put_i32(self.previous_member_epoch);
        writer.put_i8(self.state);
        put_array(writer, &self.assigned_partitions, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// `TopicPartitions`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TopicPartitions {
    /// The topic Id. (versions 0+)
    pub topic_id: Uuid,
    /// The partition Ids. (versions 0+)
    pub partitions: Vec<i32>,
}

impl Structure for TopicPartitions {
    const MIN_WIRE_BYTES: usize = 18;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.topic_id = reader.uuid()?;
        value.partitions = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_uuid(writer, self.topic_id);
        put_array(writer, &self.partitions, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for ShareGroupCurrentMemberAssignmentValue {
    const NAME: &'static str = "ShareGroupCurrentMemberAssignmentValue";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}
