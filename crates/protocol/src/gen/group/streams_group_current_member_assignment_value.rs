// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `StreamsGroupCurrentMemberAssignmentValue`, versions 0 to 0.

use super::super::prelude::*;

/// `StreamsGroupCurrentMemberAssignmentValue`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct StreamsGroupCurrentMemberAssignmentValue {
    /// The current member epoch that is expected from the member in the heartbeat request. (versions 0+)
    pub member_epoch: i32,
    /// If the last epoch bump is lost before reaching the member, the member will retry with the previous epoch. (versions 0+)
    pub previous_member_epoch: i32,
    /// The member state. See StreamsGroupMember.MemberState for the possible values. (versions 0+)
    pub state: i8,
    /// Currently assigned active tasks for this streams client. (versions 0+)
    pub active_tasks: Vec<TaskIds>,
    /// Currently assigned standby tasks for this streams client. (versions 0+)
    pub standby_tasks: Vec<TaskIds>,
    /// Currently assigned warm-up tasks for this streams client. (versions 0+)
    pub warmup_tasks: Vec<TaskIds>,
    /// The active tasks that must be revoked by this member. (versions 0+)
    pub active_tasks_pending_revocation: Vec<TaskIds>,
    /// The standby tasks that must be revoked by this member. (versions 0+)
    pub standby_tasks_pending_revocation: Vec<TaskIds>,
    /// The warmup tasks that must be revoked by this member. (versions 0+)
    pub warmup_tasks_pending_revocation: Vec<TaskIds>,
}

impl Structure for StreamsGroupCurrentMemberAssignmentValue {
    const MIN_WIRE_BYTES: usize = 16;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.member_epoch = reader.i32()?;
        value.previous_member_epoch = reader.i32()?;
        value.state = reader.i8()?;
        value.active_tasks = reader.array(true, version)?;
        value.standby_tasks = reader.array(true, version)?;
        value.warmup_tasks = reader.array(true, version)?;
        value.active_tasks_pending_revocation = reader.array(true, version)?;
        value.standby_tasks_pending_revocation = reader.array(true, version)?;
        value.warmup_tasks_pending_revocation = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.member_epoch);
        writer.put_i32(self.previous_member_epoch);
        writer.put_i8(self.state);
        put_array(writer, &self.active_tasks, true, version)?;
        put_array(writer, &self.standby_tasks, true, version)?;
        put_array(writer, &self.warmup_tasks, true, version)?;
        put_array(writer, &self.active_tasks_pending_revocation, true, version)?;
        put_array(writer, &self.standby_tasks_pending_revocation, true, version)?;
        put_array(writer, &self.warmup_tasks_pending_revocation, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// `TaskIds`.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskIds {
    /// The subtopology ID. (versions 0+)
    pub subtopology_id: String,
    /// The partitions of the input topics processed by this member. (versions 0+)
    pub partitions: Vec<i32>,
    /// The epoch at which the partition was assigned to the member. Used to fence zombie commits requests. Of the same length as Partitions. Only defined for active tasks. (versions 0+, tag 0)
    pub assignment_epochs: Option<Vec<i32>>,
}

impl Default for TaskIds {
    fn default() -> Self {
        Self {
            subtopology_id: Default::default(),
            partitions: Default::default(),
            assignment_epochs: Some(Vec::new()),
        }
    }
}

impl Structure for TaskIds {
    const MIN_WIRE_BYTES: usize = 3;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.subtopology_id = reader.string(true)?;
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
        put_string(writer, &self.subtopology_id, true)?;
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

impl Message for StreamsGroupCurrentMemberAssignmentValue {
    const NAME: &'static str = "StreamsGroupCurrentMemberAssignmentValue";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}
