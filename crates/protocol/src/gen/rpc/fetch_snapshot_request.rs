// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `FetchSnapshotRequest`, versions 0 to 1.

use super::super::prelude::*;

/// `FetchSnapshotRequest`.
#[derive(Clone, Debug, PartialEq)]
pub struct FetchSnapshotRequest {
    /// The clusterId if known, this is used to validate metadata fetches prior to broker registration. (versions 0+, tag 0)
    pub cluster_id: Option<String>,
    /// The broker ID of the follower. (versions 0+)
    pub replica_id: i32,
    /// The maximum bytes to fetch from all of the snapshots. (versions 0+)
    pub max_bytes: i32,
    /// The topics to fetch. (versions 0+)
    pub topics: Vec<TopicSnapshot>,
}

impl Default for FetchSnapshotRequest {
    fn default() -> Self {
        Self {
            cluster_id: Default::default(),
            replica_id: -1,
            max_bytes: i32::MAX,
            topics: Default::default(),
        }
    }
}

impl Structure for FetchSnapshotRequest {
    const MIN_WIRE_BYTES: usize = 10;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.replica_id = reader.i32()?;
        value.max_bytes = reader.i32()?;
        value.topics = reader.array(true, version)?;
        reader.tags(|reader, tag| {
            match tag {
                0 => value.cluster_id = reader.nullable_string(true, true)?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.replica_id);
        writer.put_i32(self.max_bytes);
        put_array(writer, &self.topics, true, version)?;
        let mut tags = Tags::default();
        if self.cluster_id.is_some() {
            tags.put(0, |writer| {
                put_nullable_string(writer, self.cluster_id.as_deref(), true)?;
                Ok(())
            })?;
        }
        tags.finish(writer);
        Ok(())
    }
}

/// The topics to fetch.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TopicSnapshot {
    /// The name of the topic to fetch. (versions 0+)
    pub name: String,
    /// The partitions to fetch. (versions 0+)
    pub partitions: Vec<PartitionSnapshot>,
}

impl Structure for TopicSnapshot {
    const MIN_WIRE_BYTES: usize = 3;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.name = reader.string(true)?;
        value.partitions = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.name, true)?;
        put_array(writer, &self.partitions, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// The partitions to fetch.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct PartitionSnapshot {
    /// The partition index. (versions 0+)
    pub partition: i32,
    /// The current leader epoch of the partition, -1 for unknown leader epoch. (versions 0+)
    pub current_leader_epoch: i32,
    /// The snapshot endOffset and epoch to fetch. (versions 0+)
    pub snapshot_id: SnapshotId,
    /// The byte position within the snapshot to start fetching from. (versions 0+)
    pub position: i64,
    /// The directory id of the follower fetching. (versions 1+, tag 0)
    pub replica_directory_id: Uuid,
}

impl Structure for PartitionSnapshot {
    const MIN_WIRE_BYTES: usize = 30;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.partition = reader.i32()?;
        value.current_leader_epoch = reader.i32()?;
        value.snapshot_id = SnapshotId::read(reader, version)?;
        value.position = reader.i64()?;
        reader.tags(|reader, tag| {
            match tag {
                0 if version >= 1 => value.replica_directory_id = reader.uuid()?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.partition);
        writer.put_i32(self.current_leader_epoch);
        self.snapshot_id.write(writer, version)?;
        writer.put_i64(self.position);
        let mut tags = Tags::default();
        if version >= 1 && !self.replica_directory_id.is_zero() {
            tags.put(0, |writer| {
                put_uuid(writer, self.replica_directory_id);
                Ok(())
            })?;
        }
        tags.finish(writer);
        Ok(())
    }
}

/// The snapshot endOffset and epoch to fetch.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct SnapshotId {
    /// The end offset of the snapshot. (versions 0+)
    pub end_offset: i64,
    /// The epoch of the snapshot. (versions 0+)
    pub epoch: i32,
}

impl Structure for SnapshotId {
    const MIN_WIRE_BYTES: usize = 13;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.end_offset = reader.i64()?;
        value.epoch = reader.i32()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i64(self.end_offset);
        writer.put_i32(self.epoch);
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for FetchSnapshotRequest {
    const NAME: &'static str = "FetchSnapshotRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 1;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Request for FetchSnapshotRequest {
    const API_KEY: i16 = 59;
    type Response = super::FetchSnapshotResponse;
}
