// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `ConsumerGroupCurrentMemberAssignmentValue`, versions 0 to 0.

use super::super::prelude::*;

/// `ConsumerGroupCurrentMemberAssignmentValue`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ConsumerGroupCurrentMemberAssignmentValue {
    /// The current member epoch that is expected from the member in the heartbeat request. (versions 0+)
    pub member_epoch: i32,
    /// If the last epoch bump is lost before reaching the member, the member will retry with the previous epoch. (versions 0+)
    pub previous_member_epoch: i32,
    /// The member state. See MemberState for the possible values. (versions 0+)
    pub state: i8,
    /// The partitions assigned to (or owned by) this member. (versions 0+)
    pub assigned_partitions: Vec<TopicPartitions>,
    /// The partitions that must be revoked by this member. (versions 0+)
    pub partitions_pending_revocation: Vec<TopicPartitions>,
}

impl Structure for ConsumerGroupCurrentMemberAssignmentValue {
    const MIN_WIRE_BYTES: usize = 12;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.member_epoch = reader.i32()?;
        value.previous_member_epoch = reader.i32()?;
        value.state = reader.i8()?;
        value.assigned_partitions = reader.array(true, version)?;
        value.partitions_pending_revocation = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.member_epoch);
        writer.put_i32(self.previous_member_epoch);
        writer.put_i8(self.state);
        put_array(writer, &self.assigned_partitions, true, version)?;
        put_array(writer, &self.partitions_pending_revocation, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// `TopicPartitions`.
#[derive(Clone, Debug, PartialEq)]
pub struct TopicPartitions {
    /// The topic Id. (versions 0+)
    pub topic_id: Uuid,
    /// The partition Ids. (versions 0+)
    pub partitions: Vec<i32>,
    /// The epoch at which the partition was assigned to the member. Used to fence zombie commits requests. Of the same length as Partitions. (versions 0+, tag 0)
    pub assignment_epochs: Option<Vec<i32>>,
}

impl Default for TopicPartitions {
    fn default() -> Self {
        Self {
            topic_id: Default::default(),
            partitions: Default::default(),
            assignment_epochs: Some(Vec::new()),
        }
    }
}

impl Structure for TopicPartitions {
    const MIN_WIRE_BYTES: usize = 18;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.topic_id = reader.uuid()?;
        value.partitions = reader.array(true, version)?;
        reader.tags(|reader, tag| {
            match tag {
                0 => value.assignment_epochs = reader.nullable_array(true, true, version)?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_uuid(writer, self.topic_id);
        put_array(writer, &self.partitions, true, version)?;
        let mut tags = Tags::default();
        if !self.assignment_epochs.as_ref().is_some_and(Vec::is_empty) {
            tags.put(0, |writer| {
                put_nullable_array(writer, self.assignment_epochs.as_deref(), true, version)?;
                Ok(())
            })?;
        }
        tags.finish(writer);
        Ok(())
    }
}

impl Message for ConsumerGroupCurrentMemberAssignmentValue {
    const NAME: &'static str = "ConsumerGroupCurrentMemberAssignmentValue";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}
