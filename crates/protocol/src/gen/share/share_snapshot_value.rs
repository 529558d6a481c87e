// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `ShareSnapshotValue`, versions 0 to 0.

use super::super::prelude::*;

/// `ShareSnapshotValue`.
#[derive(Clone, Debug, PartialEq)]
pub struct ShareSnapshotValue {
    /// The snapshot epoch. (versions 0+)
    pub snapshot_epoch: i32,
    /// The state epoch for this share-partition. (versions 0+)
    pub state_epoch: i32,
    /// The leader epoch of the share-partition. (versions 0+)
    pub leader_epoch: i32,
    /// The share-partition start offset. (versions 0+)
    pub start_offset: i64,
    /// The number of offsets greater than or equal to share-partition start offset for which delivery has been completed. (versions 0+, tag 0)
    pub delivery_complete_count: i32,
    /// The time at which the state was created. (versions 0+)
    pub create_timestamp: i64,
    /// The time at which the state was written or rewritten. (versions 0+)
    pub write_timestamp: i64,
    /// The state batches. (versions 0+)
    pub state_batches: Vec<StateBatch>,
}

impl Default for ShareSnapshotValue {
    fn default() -> Self {
        Self {
            snapshot_epoch: Default::default(),
            state_epoch: Default::default(),
            leader_epoch: Default::default(),
            start_offset: Default::default(),
            delivery_complete_count: -1,
            create_timestamp: Default::default(),
            write_timestamp: Default::default(),
            state_batches: Default::default(),
        }
    }
}

impl Structure for ShareSnapshotValue {
    const MIN_WIRE_BYTES: usize = 38;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.snapshot_epoch = reader.i32()?;
        value.state_epoch = reader.i32()?;
        value.leader_epoch = reader.i32()?;
        value.start_offset = reader.i64()?;
        value.create_timestamp = reader.i64()?;
        value.write_timestamp = reader.i64()?;
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
        writer.put_i32(self.state_epoch);
        writer.put_i32(self.leader_epoch);
        writer.put_i64(self.start_offset);
        writer.put_i64(self.create_timestamp);
        writer.put_i64(self.write_timestamp);
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

/// The state batches.
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

impl Message for ShareSnapshotValue {
    const NAME: &'static str = "ShareSnapshotValue";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}
