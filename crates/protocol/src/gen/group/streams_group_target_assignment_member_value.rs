// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `StreamsGroupTargetAssignmentMemberValue`, versions 0 to 0.

use super::super::prelude::*;

/// `StreamsGroupTargetAssignmentMemberValue`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct StreamsGroupTargetAssignmentMemberValue {
    /// Currently assigned active tasks for this streams client. (versions 0+)
    pub active_tasks: Vec<TaskIds>,
    /// Currently assigned standby tasks for this streams client. (versions 0+)
    pub standby_tasks: Vec<TaskIds>,
    /// Currently assigned warm-up tasks for this streams client. (versions 0+)
    pub warmup_tasks: Vec<TaskIds>,
}

impl Structure for StreamsGroupTargetAssignmentMemberValue {
    const MIN_WIRE_BYTES: usize = 4;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.active_tasks = reader.array(true, version)?;
        value.standby_tasks = reader.array(true, version)?;
        value.warmup_tasks = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_array(writer, &self.active_tasks, true, version)?;
        put_array(writer, &self.standby_tasks, true, version)?;
        put_array(writer, &self.warmup_tasks, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// `TaskIds`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TaskIds {
    /// The subtopology ID. (versions 0+)
    pub subtopology_id: String,
    /// The partitions of the input topics processed by this member. (versions 0+)
    pub partitions: Vec<i32>,
}

impl Structure for TaskIds {
    const MIN_WIRE_BYTES: usize = 3;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.subtopology_id = reader.string(true)?;
        value.partitions = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.subtopology_id, true)?;
        put_array(writer, &self.partitions, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for StreamsGroupTargetAssignmentMemberValue {
    const NAME: &'static str = "StreamsGroupTargetAssignmentMemberValue";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}
