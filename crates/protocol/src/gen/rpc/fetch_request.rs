// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `FetchRequest`, versions 4 to 18.

use super::super::prelude::*;

/// `FetchRequest`.
#[derive(Clone, Debug, PartialEq)]
pub struct FetchRequest {
    /// The clusterId if known. This is used to validate metadata fetches prior to broker registration. (versions 12+, tag 0)
    pub cluster_id: Option<String>,
    /// The broker ID of the follower, of -1 if this request is from a consumer. (versions 0 to 14)
    pub replica_id: i32,
    /// The state of the replica in the follower. (versions 15+, tag 1)
    pub replica_state: ReplicaState,
    /// The maximum time in milliseconds to wait for the response. (versions 0+)
    pub max_wait_ms: i32,
    /// The minimum bytes to accumulate in the response. (versions 0+)
    pub min_bytes: i32,
    /// The maximum bytes to fetch. See KIP-74 for cases where this limit may not be honored. (versions 3+)
    pub max_bytes: i32,
    /// This setting controls the visibility of transactional records. Using READ_UNCOMMITTED (isolation_level = 0) makes all records visible. With READ_COMMITTED (isolation_level = 1), non-transactional and COMMITTED transactional records are visible. To be more concrete, READ_COMMITTED returns all data from offsets smaller than the current LSO (last stable offset), and enables the inclusion of the list of aborted transactions in the result, which allows consumers to discard ABORTED transactional records. (versions 4+)
    pub isolation_level: i8,
    /// The fetch session ID. (versions 7+)
    pub session_id: i32,
    /// The fetch session epoch, which is used for ordering requests in a session. (versions 7+)
    pub session_epoch: i32,
    /// The topics to fetch. (versions 0+)
    pub topics: Vec<FetchTopic>,
    /// In an incremental fetch request, the partitions to remove. (versions 7+)
    pub forgotten_topics_data: Vec<ForgottenTopic>,
    /// Rack ID of the consumer making this request. (versions 11+)
    pub rack_id: String,
}

impl Default for FetchRequest {
    fn default() -> Self {
        Self {
            cluster_id: Default::default(),
            replica_id: -1,
            replica_state: Default::default(),
            max_wait_ms: Default::default(),
            min_bytes: Default::default(),
            max_bytes: i32::MAX,
            isolation_level: Default::default(),
            session_id: Default::default(),
            session_epoch: -1,
            topics: Default::default(),
            forgotten_topics_data: Default::default(),
            rack_id: Default::default(),
        }
    }
}

impl Structure for FetchRequest {
    const MIN_WIRE_BYTES: usize = 21;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 12;
        let mut value = Self::default();
        if version <= 14 {
            value.replica_id = reader.i32()?;
        }
        value.max_wait_ms = reader.i32()?;
        value.min_bytes = reader.i32()?;
        value.max_bytes = reader.i32()?;
        value.isolation_level = reader.i8()?;
        if version >= 7 {
            value.session_id = reader.i32()?;
        }
        if version >= 7 {
            value.session_epoch = reader.i32()?;
        }
        value.topics = reader.array(flexible, version)?;
        if version >= 7 {
            value.forgotten_topics_data = reader.array(flexible, version)?;
        }
        if version >= 11 {
            value.rack_id = reader.string(flexible)?;
        }
        if flexible {
            reader.tags(|reader, tag| {
                match tag {
                    0 if version >= 12 => {
                        value.cluster_id = reader.nullable_string(flexible, true)?
                    }
                    1 if version >= 15 => {
                        value.replica_state = ReplicaState::read(reader, version)?
                    }
                    _ => return Ok(false),
                }
                Ok(true)
            })?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 12;
        if version <= 14 {
            writer.put_i32(self.replica_id);
        } else {
            require(self.replica_id == -1, "ReplicaId", version)?;
        }
        require(
            version >= 15 || self.replica_state == ReplicaState::default(),
            "ReplicaState",
            version,
        )?;
        writer.put_i32(self.max_wait_ms);
        writer.put_i32(self.min_bytes);
        writer.put_i32(self.max_bytes);
        writer.put_i8(self.isolation_level);
        if version >= 7 {
            writer.put_i32(self.session_id);
        }
        if version >= 7 {
            writer.put_i32(self.session_epoch);
        }
        put_array(writer, &self.topics, flexible, version)?;
        if version >= 7 {
            put_array(writer, &self.forgotten_topics_data, flexible, version)?;
        } else {
            require(self.forgotten_topics_data.is_empty(), "ForgottenTopicsData", version)?;
        }
        if version >= 11 {
            put_string(writer, &self.rack_id, flexible)?;
        }
        if flexible {
            let mut tags = Tags::default();
            if self.cluster_id.is_some() {
                tags.put(0, |writer| {
                    put_nullable_string(writer, self.cluster_id.as_deref(), flexible)?;
                    Ok(())
                })?;
            }
            if version >= 15 && self.replica_state != ReplicaState::default() {
                tags.put(1, |writer| {
                    self.replica_state.write(writer, version)?;
                    Ok(())
                })?;
            }
            tags.finish(writer);
        }
        Ok(())
    }
}

/// The state of the replica in the follower.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplicaState {
    /// The replica ID of the follower, or -1 if this request is from a consumer. (versions 15+)
    pub replica_id: i32,
    /// The epoch of this follower, or -1 if not available. (versions 15+)
    pub replica_epoch: i64,
}

impl Default for ReplicaState {
    fn default() -> Self {
        Self { replica_id: -1, replica_epoch: -1 }
    }
}

impl Structure for ReplicaState {
    const MIN_WIRE_BYTES: usize = 13;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.replica_id = reader.i32()?;
        value.replica_epoch = reader.i64()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.replica_id);
        writer.put_i64(self.replica_epoch);
        put_no_tags(writer);
        Ok(())
    }
}

/// The topics to fetch.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct FetchTopic {
    /// The name of the topic to fetch. (versions 0 to 12)
    pub topic: String,
    /// The unique topic ID. (versions 13+)
    pub topic_id: Uuid,
    /// The partitions to fetch. (versions 0+)
    pub partitions: Vec<FetchPartition>,
}

impl Structure for FetchTopic {
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

/// The partitions to fetch.
#[derive(Clone, Debug, PartialEq)]
pub struct FetchPartition {
    /// The partition index. (versions 0+)
    pub partition: i32,
    /// The current leader epoch of the partition. (versions 9+)
    pub current_leader_epoch: i32,
    /// The message offset. (versions 0+)
    pub fetch_offset: i64,
    /// The epoch of the last fetched record or -1 if there is none. (versions 12+)
    pub last_fetched_epoch: i32,
    /// The earliest available offset of the follower replica. The field is only used when the request is sent by the follower. (versions 5+)
    pub log_start_offset: i64,
    /// The maximum bytes to fetch from this partition. See KIP-74 for cases where this limit may not be honored. (versions 0+)
    pub partition_max_bytes: i32,
    /// The directory id of the follower fetching. (versions 17+, tag 0)
    pub replica_directory_id: Uuid,
    /// The high-watermark known by the replica. -1 if the high-watermark is not known and 9223372036854775807 if the feature is not supported. (versions 18+, tag 1)
    pub high_watermark: i64,
}

impl Default for FetchPartition {
    fn default() -> Self {
        Self {
            partition: Default::default(),
            current_leader_epoch: -1,
            fetch_offset: Default::default(),
            last_fetched_epoch: -1,
            log_start_offset: -1,
            partition_max_bytes: Default::default(),
            replica_directory_id: Default::default(),
            high_watermark: i64::MAX,
        }
    }
}

impl Structure for FetchPartition {
    const MIN_WIRE_BYTES: usize = 16;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 12;
        let mut value = Self::default();
        value.partition = reader.i32()?;
        if version >= 9 {
            value.current_leader_epoch = reader.i32()?;
        }
        value.fetch_offset = reader.i64()?;
        if version >= 12 {
            value.last_fetched_epoch = reader.i32()?;
        }
        if version >= 5 {
            value.log_start_offset = reader.i64()?;
        }
        value.partition_max_bytes = reader.i32()?;
        if flexible {
            reader.tags(|reader, tag| {
                match tag {
                    0 if version >= 17 => value.replica_directory_id = reader.uuid()?,
                    1 if version >= 18 => value.high_watermark = reader.i64()?,
                    _ => return Ok(false),
                }
                Ok(true)
            })?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 12;
        writer.put_i32(self.partition);
        if version >= 9 {
            writer.put_i32(self.current_leader_epoch);
        }
        writer.put_i64(self.fetch_offset);
        if version >= 12 {
            writer.put_i32(self.last_fetched_epoch);
        } else {
            require(self.last_fetched_epoch == -1, "LastFetchedEpoch", version)?;
        }
        if version >= 5 {
            writer.put_i64(self.log_start_offset);
        }
        writer.put_i32(self.partition_max_bytes);
        if flexible {
            let mut tags = Tags::default();
            if version >= 17 && !self.replica_directory_id.is_zero() {
                tags.put(0, |writer| {
                    put_uuid(writer, self.replica_directory_id);
                    Ok(())
                })?;
            }
            if version >= 18 && self.high_watermark != i64::MAX {
                tags.put(1, |writer| {
                    writer.put_i64(self.high_watermark);
                    Ok(())
                })?;
            }
            tags.finish(writer);
        }
        Ok(())
    }
}

/// In an incremental fetch request, the partitions to remove.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ForgottenTopic {
    /// The topic name. (versions 7 to 12)
    pub topic: String,
    /// The unique topic ID. (versions 13+)
    pub topic_id: Uuid,
    /// The partitions indexes to forget. (versions 7+)
    pub partitions: Vec<i32>,
}

impl Structure for ForgottenTopic {
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

impl Message for FetchRequest {
    const NAME: &'static str = "FetchRequest";
    const MIN_VERSION: i16 = 4;
    const MAX_VERSION: i16 = 18;
    const FLEXIBLE_FROM: Option<i16> = Some(12);
}

impl Request for FetchRequest {
    const API_KEY: i16 = 1;
    type Response = super::FetchResponse;
}
