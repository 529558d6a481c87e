// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `FetchResponse`, versions 4 to 18.

use super::super::prelude::*;

/// `FetchResponse`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct FetchResponse {
    /// The duration in milliseconds for which the request was throttled due to a quota violation, or zero if the request did not violate any quota. (versions 1+)
    pub throttle_time_ms: i32,
    /// The top level response error code. (versions 7+)
    pub error_code: i16,
    /// The fetch session ID, or 0 if this is not part of a fetch session. (versions 7+)
    pub session_id: i32,
    /// The response topics. (versions 0+)
    pub responses: Vec<FetchableTopicResponse>,
    /// Endpoints for all current-leaders enumerated in PartitionData, with errors NOT_LEADER_OR_FOLLOWER & FENCED_LEADER_EPOCH. (versions 16+, tag 0)
    pub node_endpoints: Vec<NodeEndpoint>,
}

impl Structure for FetchResponse {
    const MIN_WIRE_BYTES: usize = 8;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 12;
        let mut value = Self::default();
        value.throttle_time_ms = reader.i32()?;
        if version >= 7 {
            value.error_code = reader.i16()?;
        }
        if version >= 7 {
            value.session_id = reader.i32()?;
        }
        value.responses = reader.array(flexible, version)?;
        if flexible {
            reader.tags(|reader, tag| {
                match tag {
                    0 if version >= 16 => value.node_endpoints = reader.array(flexible, version)?,
                    _ => return Ok(false),
                }
                Ok(true)
            })?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 12;
        writer.put_i32(self.throttle_time_ms);
        if version >= 7 {
            writer.put_i16(self.error_code);
        }
        if version >= 7 {
            writer.put_i32(self.session_id);
        } else {
            require(self.session_id == 0, "SessionId", version)?;
        }
        put_array(writer, &self.responses, flexible, version)?;
        require(version >= 16 || self.node_endpoints.is_empty(), "NodeEndpoints", version)?;
        if flexible {
            let mut tags = Tags::default();
            if version >= 16 && !self.node_endpoints.is_empty() {
                tags.put(0, |writer| {
                    put_array(writer, &self.node_endpoints, flexible, version)?;
                    Ok(())
                })?;
            }
            tags.finish(writer);
        }
        Ok(())
    }
}

/// The response topics.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct FetchableTopicResponse {
    /// The topic name. (versions 0 to 12)
    pub topic: String,
    /// The unique topic ID. (versions 13+)
    pub topic_id: Uuid,
    /// The topic partitions. (versions 0+)
    pub partitions: Vec<PartitionData>,
}

impl Structure for FetchableTopicResponse {
    const MIN_WIRE_BYTES: usize = 3;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 12;
        let mut value = Self::default();
        if version <= 12 {
            value.topic = reader.string(flexible)?;
        }
        if version >= 13 {
            value.topic_id = reader.uuid()?;
        }
        value.partitions = reader.array(flexible, version)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 12;
        if version <= 12 {
            put_string(writer, &self.topic, flexible)?;
        }
        if version >= 13 {
            put_uuid(writer, self.topic_id);
        }
        put_array(writer, &self.partitions, flexible, version)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// The topic partitions.
#[derive(Clone, Debug, PartialEq)]
pub struct PartitionData {
    /// The partition index. (versions 0+)
    pub partition_index: i32,
    /// The error code, or 0 if there was no fetch error. (versions 0+)
    pub error_code: i16,
    /// The current high water mark. (versions 0+)
    pub high_watermark: i64,
    /// The last stable offset (or LSO) of the partition. This is the last offset such that the state of all transactional records prior to this offset have been decided (ABORTED or COMMITTED). (versions 4+)
    pub last_stable_offset: i64,
    /// The current log start offset. (versions 5+)
    pub log_start_offset: i64,
    /// In case divergence is detected based on the `LastFetchedEpoch` and `FetchOffset` in the request, this field indicates the largest epoch and its end offset such that subsequent records are known to diverge. (versions 12+, tag 0)
    pub diverging_epoch: EpochEndOffset,
    /// The current leader of the partition. (versions 12+, tag 1)
    pub current_leader: LeaderIdAndEpoch,
    /// In the case of fetching an offset less than the LogStartOffset, this is the end offset and epoch that should be used in the FetchSnapshot request. (versions 12+, tag 2)
    pub snapshot_id: SnapshotId,
    /// The aborted transactions. (versions 4+)
    pub aborted_transactions: Option<Vec<AbortedTransaction>>,
    /// The preferred read replica for the consumer to use on its next fetch request. (versions 11+)
    pub preferred_read_replica: i32,
    /// The record data. (versions 0+)
    pub records: Option<Bytes>,
}

impl Default for PartitionData {
    fn default() -> Self {
        Self {
            partition_index: Default::default(),
            error_code: Default::default(),
            high_watermark: Default::default(),
            last_stable_offset: -1,
            log_start_offset: -1,
            diverging_epoch: Default::default(),
            current_leader: Default::default(),
            snapshot_id: Default::default(),
            aborted_transactions: Some(Vec::new()),
            preferred_read_replica: -1,
            records: Some(Bytes::new()),
        }
    }
}

impl Structure for PartitionData {
    const MIN_WIRE_BYTES: usize = 30;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 12;
        let mut value = Self::default();
        value.partition_index = reader.i32()?;
        value.error_code = reader.i16()?;
        value.high_watermark = reader.i64()?;
        value.last_stable_offset = reader.i64()?;
        if version >= 5 {
            value.log_start_offset = reader.i64()?;
        }
        value.aborted_transactions = reader.nullable_array(flexible, true, version)?;
        if version >= 11 {
            value.preferred_read_replica = reader.i32()?;
        }
        value.records = reader.nullable_bytes(flexible, true)?;
        if flexible {
            reader.tags(|reader, tag| {
                match tag {
                    0 if version >= 12 => {
                        value.diverging_epoch = EpochEndOffset::read(reader, version)?
                    }
                    1 if version >= 12 => {
                        value.current_leader = LeaderIdAndEpoch::read(reader, version)?
                    }
                    2 if version >= 12 => value.snapshot_id = SnapshotId::read(reader, version)?,
                    _ => return Ok(false),
                }
                Ok(true)
            })?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 12;
        writer.put_i32(self.partition_index);
        writer.put_i16(self.error_code);
        writer.put_i64(self.high_watermark);
        writer.put_i64(self.last_stable_offset);
        if version >= 5 {
            writer.put_i64(self.log_start_offset);
        }
        require(
            version >= 12 || self.diverging_epoch == EpochEndOffset::default(),
            "DivergingEpoch",
            version,
        )?;
        require(
            version >= 12 || self.current_leader == LeaderIdAndEpoch::default(),
            "CurrentLeader",
            version,
        )?;
        require(version >= 12 || self.snapshot_id == SnapshotId::default(), "SnapshotId", version)?;
        put_nullable_array(writer, self.aborted_transactions.as_deref(), flexible, version)?;
        if version >= 11 {
            writer.put_i32(self.preferred_read_replica);
        } else {
            require(self.preferred_read_replica == -1, "PreferredReadReplica", version)?;
        }
        put_nullable_bytes(writer, self.records.as_deref(), flexible)?;
        if flexible {
            let mut tags = Tags::default();
            if self.diverging_epoch != EpochEndOffset::default() {
                tags.put(0, |writer| {
                    self.diverging_epoch.write(writer, version)?;
                    Ok(())
                })?;
            }
            if self.current_leader != LeaderIdAndEpoch::default() {
                tags.put(1, |writer| {
                    self.current_leader.write(writer, version)?;
                    Ok(())
                })?;
            }
            if self.snapshot_id != SnapshotId::default() {
                tags.put(2, |writer| {
                    self.snapshot_id.write(writer, version)?;
                    Ok(())
                })?;
            }
            tags.finish(writer);
        }
        Ok(())
    }
}

/// In case divergence is detected based on the `LastFetchedEpoch` and `FetchOffset` in the request, this field indicates the largest epoch and its end offset such that subsequent records are known to diverge.
#[derive(Clone, Debug, PartialEq)]
pub struct EpochEndOffset {
    /// The largest epoch. (versions 12+)
    pub epoch: i32,
    /// The end offset of the epoch. (versions 12+)
    pub end_offset: i64,
}

impl Default for EpochEndOffset {
    fn default() -> Self {
        Self { epoch: -1, end_offset: -1 }
    }
}

impl Structure for EpochEndOffset {
    const MIN_WIRE_BYTES: usize = 13;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.epoch = reader.i32()?;
        value.end_offset = reader.i64()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.epoch);
        writer.put_i64(self.end_offset);
        put_no_tags(writer);
        Ok(())
    }
}

/// The current leader of the partition.
#[derive(Clone, Debug, PartialEq)]
pub struct LeaderIdAndEpoch {
    /// The ID of the current leader or -1 if the leader is unknown. (versions 12+)
    pub leader_id: i32,
    /// The latest known leader epoch. (versions 12+)
    pub leader_epoch: i32,
}

impl Default for LeaderIdAndEpoch {
    fn default() -> Self {
        Self { leader_id: -1, leader_epoch: -1 }
    }
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

/// In the case of fetching an offset less than the LogStartOffset, this is the end offset and epoch that should be used in the FetchSnapshot request.
#[derive(Clone, Debug, PartialEq)]
pub struct SnapshotId {
    /// The end offset of the epoch. (versions 0+)
    pub end_offset: i64,
    /// The largest epoch. (versions 0+)
    pub epoch: i32,
}

impl Default for SnapshotId {
    fn default() -> Self {
        Self { end_offset: -1, epoch: -1 }
    }
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

/// The aborted transactions.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct AbortedTransaction {
    /// The producer id associated with the aborted transaction. (versions 4+)
    pub producer_id: i64,
    /// The first offset in the aborted transaction. (versions 4+)
    pub first_offset: i64,
}

impl Structure for AbortedTransaction {
    const MIN_WIRE_BYTES: usize = 16;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 12;
        let mut value = Self::default();
        value.producer_id = reader.i64()?;
        value.first_offset = reader.i64()?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 12;
        writer.put_i64(self.producer_id);
        writer.put_i64(self.first_offset);
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// Endpoints for all current-leaders enumerated in PartitionData, with errors NOT_LEADER_OR_FOLLOWER & FENCED_LEADER_EPOCH.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct NodeEndpoint {
    /// The ID of the associated node. (versions 16+)
    pub node_id: i32,
    /// The node's hostname. (versions 16+)
    pub host: String,
    /// The node's port. (versions 16+)
    pub port: i32,
    /// The rack of the node, or null if it has not been assigned to a rack. (versions 16+)
    pub rack: Option<String>,
}

impl Structure for NodeEndpoint {
    const MIN_WIRE_BYTES: usize = 11;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.node_id = reader.i32()?;
        value.host = reader.string(true)?;
        value.port = reader.i32()?;
        value.rack = reader.nullable_string(true, true)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.node_id);
        put_string(writer, &self.host, true)?;
        writer.put_i32(self.port);
        put_nullable_string(writer, self.rack.as_deref(), true)?;
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for FetchResponse {
    const NAME: &'static str = "FetchResponse";
    const MIN_VERSION: i16 = 4;
    const MAX_VERSION: i16 = 18;
    const FLEXIBLE_FROM: Option<i16> = Some(12);
}

impl Response for FetchResponse {
    const API_KEY: i16 = 1;
    type Request = super::FetchRequest;
}
