// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `ShareUpdateValue`, versions 0 to 0.

use super::super::prelude::*;

/// `ShareUpdateValue`.
#[derive(Clone, Debug, PartialEq)]
pub struct ShareUpdateValue {
    /// The snapshot epoch. (versions 0+)
    pub snapshot_epoch: i32,
    /// The leader epoch of the share-partition. (versions 0+)
    pub leader_epoch: i32,
    /// The share-partition start offset, or -1 if the start offset is not being updated. (versions 0+)
    pub start_offset: i64,
    /// The number of offsets greater than or equal to share-partition start offset for which delivery has been completed. (versions 0+, tag 0)
    pub delivery_complete_count: i32,
    /// The state batches that have been updated. (versions 0+)
    pub state_batches: Vec<StateBatch>,
}

impl Default for ShareUpdateValue {
    fn default() -> Self {
        Self {
            snapshot_epoch: Default::default(),
            leader_epoch: Default::default(),
            start_offset: Default::default(),
            delivery_complete_count: -1,
            state_batches: Default::default(),
        }
    }
}

impl Structure for ShareUpdateValue {
    const MIN_WIRE_BYTES: usize = 18;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.snapshot_epoch = reader.i32()?;
        value.leader_epoch = reader.i32()?;
        value.start_offset = reader.i64()?;
        value.state_batches = reader.array(true, version)?;
        reader.tags(|reader, tag| {
            match tag {
                0 => value.delivery_complete_count = reader.i32()?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.snapshot_epoch);
        writer.put_i32(self.leader_epoch);
        writer.put_i64(self.start_offset);
        put_array(writer, &self.state_batches, true, version)?;
        let mut tags = Tags::default();
        if self.delivery_complete_count != -1 {
            tags.put(0, |writer| {
                writer.put_i32(self.delivery_complete_count);
                Ok(())
            })?;
        }
        tags.finish(writer);
        Ok(())
    }
}

/// The state batches that have been updated.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct StateBatch {
    /// The first offset of this state batch. (versions 0+)
    pub first_offset: i64,
    /// The last offset of this state batch. (versions 0+)
    pub last_offset: i64,
    /// The delivery state - 0:Available,2:Acked,4:Archived. (versions 0+)
    pub delivery_state: i8,
    /// The delivery count. (versions 0+)
    pub delivery_count: i16,
}

impl Structure for StateBatch {
    const MIN_WIRE_BYTES: usize = 20;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.first_offset = reader.i64()?;
        value.last_offset = reader.i64()?;
        value.delivery_state = reader.i8()?;
        value.delivery_count = reader.i16()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i64(self.first_offset);
        writer.put_i64(self.last_offset);
        writer.put_i8(self.delivery_state);
        writer.put_i16(self.delivery_count);
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for ShareUpdateValue {
    const NAME: &'static str = "ShareUpdateValue";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}
