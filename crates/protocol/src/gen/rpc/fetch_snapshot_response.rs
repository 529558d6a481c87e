// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `FetchSnapshotResponse`, versions 0 to 1.

use super::super::prelude::*;

/// `FetchSnapshotResponse`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct FetchSnapshotResponse {
    /// The duration in milliseconds for which the request was throttled due to a quota violation, or zero if the request did not violate any quota. (versions 0+)
    pub throttle_time_ms: i32,
    /// The top level response error code. (versions 0+)
    pub error_code: i16,
    /// The topics to fetch. (versions 0+)
    pub topics: Vec<TopicSnapshot>,
    /// Endpoints for all current-leaders enumerated in PartitionSnapshot. (versions 1+, tag 0)
    pub node_endpoints: Vec<NodeEndpoint>,
}

impl Structure for FetchSnapshotResponse {
    const MIN_WIRE_BYTES: usize = 8;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.throttle_time_ms = reader.i32()?;
        value.error_code = reader.i16()?;
        value.topics = reader.array(true, version)?;
        reader.tags(|reader, tag| {
            match tag {
                0 if version >= 1 => value.node_endpoints = reader.array(true, version)?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.throttle_time_ms);
        writer.put_i16(self.error_code);
        put_array(writer, &self.topics, true, version)?;
        require(version >= 1 || self.node_endpoints.is_empty(), "NodeEndpoints", version)?;
        let mut tags = Tags::default();
        if version >= 1 && !self.node_endpoints.is_empty() {
            tags.put(0, |writer| {
                put_array(writer, &self.node_endpoints, true, version)?;
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
    pub index: i32,
    /// The error code, or 0 if there was no fetch error. (versions 0+)
    pub error_code: i16,
    /// The snapshot endOffset and epoch fetched. (versions 0+)
    pub snapshot_id: SnapshotId,
    /// The leader of the partition at the time of the snapshot. (versions 0+, tag 0)
    pub current_leader: LeaderIdAndEpoch,
    /// The total size of the snapshot. (versions 0+)
    pub size: i64,
    /// The starting byte position within the snapshot included in the Bytes field. (versions 0+)
    pub position: i64,
    /// Snapshot data in records format which may not be aligned on an offset boundary. (versions 0+)
    pub unaligned_records: Bytes,
}

impl Structure for PartitionSnapshot {
    const MIN_WIRE_BYTES: usize = 37;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.index = reader.i32()?;
        value.error_code = reader.i16()?;
        value.snapshot_id = SnapshotId::read(reader, version)?;
        value.size = reader.i64()?;
        value.position = reader.i64()?;
        value.unaligned_records = reader.bytes(true)?;
        reader.tags(|reader, tag| {
            match tag {
                0 => value.current_leader = LeaderIdAndEpoch::read(reader, version)?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.index);
        writer.put_i16(self.error_code);
        self.snapshot_id.write(writer, version)?;
        writer.put_i64(self.size);
        writer.put_i64(self.position);
        put_bytes(writer, &self.unaligned_records, true)?;
        let mut tags = Tags::default();
        if self.current_leader != LeaderIdAndEpoch::default() {
            tags.put(0, |writer| {
                self.current_leader.write(writer, version)?;
                Ok(())
            })?;
        }
        tags.finish(writer);
        Ok(())
    }
}

/// The snapshot endOffset and epoch fetched.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct SnapshotId {
    /// The snapshot end offset. (versions 0+)
    pub end_offset: i64,
    /// The snapshot epoch. (versions 0+)
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

/// The leader of the partition at the time of the snapshot.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct LeaderIdAndEpoch {
    /// The ID of the current leader or -1 if the leader is unknown. (versions 0+)
    pub leader_id: i32,
    /// The latest known leader epoch. (versions 0+)
    pub leader_epoch: i32,
}

impl Structure for LeaderIdAndEpoch {
    const MIN_WIRE_BYTES: usize = 9;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.leader_id = reader.i32()?;
        value.leader_epoch = reader.i32()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.leader_id);
        writer.put_i32(self.leader_epoch);
        put_no_tags(writer);
        Ok(())
    }
}

/// Endpoints for all current-leaders enumerated in PartitionSnapshot.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct NodeEndpoint {
    /// The ID of the associated node. (versions 1+)
    pub node_id: i32,
    /// The node's hostname. (versions 1+)
    pub host: String,
    /// The node's port. (versions 1+)
    pub port: u16,
}

impl Structure for NodeEndpoint {
    const MIN_WIRE_BYTES: usize = 8;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.node_id = reader.i32()?;
        value.host = reader.string(true)?;
        value.port = reader.u16()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.node_id);
        put_string(writer, &self.host, true)?;
        writer.put_u16(self.port);
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for FetchSnapshotResponse {
    const NAME: &'static str = "FetchSnapshotResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 1;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Response for FetchSnapshotResponse {
    const API_KEY: i16 = 59;
    type Request = super::FetchSnapshotRequest;
}
