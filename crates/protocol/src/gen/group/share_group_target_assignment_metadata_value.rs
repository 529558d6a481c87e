// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `ShareGroupTargetAssignmentMetadataValue`, versions 0 to 0.

use super::super::prelude::*;

/// `ShareGroupTargetAssignmentMetadataValue`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ShareGroupTargetAssignmentMetadataValue {
    /// The assignment epoch. (versions 0+)
    pub assignment_epoch: i32,
    /// The time at which the assignment calculation finished. (versions 0+, tag 0)
    pub assignment_timestamp: i64,
}

impl Structure for ShareGroupTargetAssignmentMetadataValue {
    const MIN_WIRE_BYTES: usize = 5;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.assignment_epoch = reader.i32()?;
        reader.tags(|reader, tag| {
            match tag {
                0 => value.assignment_timestamp = reader.i64()?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.assignment_epoch);
        let mut tags = Tags::default();
        if self.assignment_timestamp != 0 {
            tags.put(0, |writer| {
                writer.put_i64(self.assignment_timestamp);
                Ok(())
            })?;
        }
        tags.finish(writer);
        Ok(())
    }
}

impl Message for ShareGroupTargetAssignmentMetadataValue {
    const NAME: &'static str = "ShareGroupTargetAssignmentMetadataValue";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}
