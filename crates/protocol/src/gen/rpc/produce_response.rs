// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `ProduceResponse`, versions 3 to 13.

use super::super::prelude::*;

/// `ProduceResponse`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ProduceResponse {
    /// Each produce response. (versions 0+)
    pub responses: Vec<TopicProduceResponse>,
    /// The duration in milliseconds for which the request was throttled due to a quota violation, or zero if the request did not violate any quota. (versions 1+)
    pub throttle_time_ms: i32,
    /// Endpoints for all current-leaders enumerated in PartitionProduceResponses, with errors NOT_LEADER_OR_FOLLOWER. (versions 10+, tag 0)
    pub node_endpoints: Vec<NodeEndpoint>,
}

impl Structure for ProduceResponse {
    const MIN_WIRE_BYTES: usize = 6;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 9;
        let mut value = Self::default();
        value.responses = reader.array(flexible, version)?;
        value.throttle_time_ms = reader.i32()?;
        if flexible {
            reader.tags(|reader, tag| {
                match tag {
                    0 if version >= 10 => value.node_endpoints = reader.array(flexible, version)?,
                    _ => return Ok(false),
                }
                Ok(true)
            })?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 9;
        put_array(writer, &self.responses, flexible, version)?;
        writer.put_i32(self.throttle_time_ms);
        require(version >= 10 || self.node_endpoints.is_empty(), "NodeEndpoints", version)?;
        if flexible {
            let mut tags = Tags::default();
            if version >= 10 && !self.node_endpoints.is_empty() {
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

/// Each produce response.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TopicProduceResponse {
    /// The topic name. (versions 0 to 12)
    pub name: String,
    /// The unique topic ID (versions 13+)
    pub topic_id: Uuid,
    /// Each partition that we produced to within the topic. (versions 0+)
    pub partition_responses: Vec<PartitionProduceResponse>,
}

impl Structure for TopicProduceResponse {
    const MIN_WIRE_BYTES: usize = 3;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 9;
        let mut value = Self::default();
        if version <= 12 {
            value.name = reader.string(flexible)?;
        }
        if version >= 13 {
            value.topic_id = reader.uuid()?;
        }
        value.partition_responses = reader.array(flexible, version)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 9;
        if version <= 12 {
            put_string(writer, &self.name, flexible)?;
        }
        if version >= 13 {
            put_uuid(writer, self.topic_id);
        }
        put_array(writer, &self.partition_responses, flexible, version)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// Each partition that we produced to within the topic.
#[derive(Clone, Debug, PartialEq)]
pub struct PartitionProduceResponse {
    /// The partition index. (versions 0+)
    pub index: i32,
    /// The error code, or 0 if there was no error. (versions 0+)
    pub error_code: i16,
    /// The base offset. (versions 0+)
    pub base_offset: i64,
    /// The timestamp returned by broker after appending the messages. If CreateTime is used for the topic, the timestamp will be -1. If LogAppendTime is used for the topic, the timestamp will be the broker local time when the messages are appended. (versions 2+)
    pub log_append_time_ms: i64,
    /// The log start offset. (versions 5+)
    pub log_start_offset: i64,
    /// The batch indices of records that caused the batch to be dropped. (versions 8+)
    pub record_errors: Vec<BatchIndexAndErrorMessage>,
    /// The global error message summarizing the common root cause of the records that caused the batch to be dropped. (versions 8+)
    pub error_message: Option<String>,
    /// The leader broker that the producer should use for future requests. (versions 10+, tag 0)
    pub current_leader: LeaderIdAndEpoch,
}

impl Default for PartitionProduceResponse {
    fn default() -> Self {
        Self {
            index: Default::default(),
            error_code: Default::default(),
            base_offset: Default::default(),
            log_append_time_ms: -1,
            log_start_offset: -1,
            record_errors: Default::default(),
            error_message: Default::default(),
            current_leader: Default::default(),
        }
    }
}

impl Structure for PartitionProduceResponse {
    const MIN_WIRE_BYTES: usize = 22;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 9;
        let mut value = Self::default();
        value.index = reader.i32()?;
        value.error_code = reader.i16()?;
        value.base_offset = reader.i64()?;
        value.log_append_time_ms = reader.i64()?;
        if version >= 5 {
            value.log_start_offset = reader.i64()?;
        }
        if version >= 8 {
            value.record_errors = reader.array(flexible, version)?;
        }
        if version >= 8 {
            value.error_message = reader.nullable_string(flexible, true)?;
        }
        if flexible {
            reader.tags(|reader, tag| {
                match tag {
                    0 if version >= 10 => {
                        value.current_leader = LeaderIdAndEpoch::read(reader, version)?
                    }
                    _ => return Ok(false),
                }
                Ok(true)
            })?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 9;
        writer.put_i32(self.index);
        writer.put_i16(self.error_code);
        writer.put_i64(self.base_offset);
        writer.put_i64(self.log_append_time_ms);
        if version >= 5 {
            writer.put_i64(self.log_start_offset);
        }
        if version >= 8 {
            put_array(writer, &self.record_errors, flexible, version)?;
        }
        if version >= 8 {
            put_nullable_string(writer, self.error_message.as_deref(), flexible)?;
        }
        require(
            version >= 10 || self.current_leader == LeaderIdAndEpoch::default(),
            "CurrentLeader",
            version,
        )?;
        if flexible {
            let mut tags = Tags::default();
            if version >= 10 && self.current_leader != LeaderIdAndEpoch::default() {
                tags.put(0, |writer| {
                    self.current_leader.write(writer, version)?;
                    Ok(())
                })?;
            }
            tags.finish(writer);
        }
        Ok(())
    }
}

/// The batch indices of records that caused the batch to be dropped.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct BatchIndexAndErrorMessage {
    /// The batch index of the record that caused the batch to be dropped. (versions 8+)
    pub batch_index: i32,
    /// The error message of the record that caused the batch to be dropped. (versions 8+)
    pub batch_index_error_message: Option<String>,
}

impl Structure for BatchIndexAndErrorMessage {
    const MIN_WIRE_BYTES: usize = 6;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 9;
        let mut value = Self::default();
        value.batch_index = reader.i32()?;
        value.batch_index_error_message = reader.nullable_string(flexible, true)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 9;
        writer.put_i32(self.batch_index);
        put_nullable_string(writer, self.batch_index_error_message.as_deref(), flexible)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// The leader broker that the producer should use for future requests.
#[derive(Clone, Debug, PartialEq)]
pub struct LeaderIdAndEpoch {
    /// The ID of the current leader or -1 if the leader is unknown. (versions 10+)
    pub leader_id: i32,
    /// The latest known leader epoch. (versions 10+)
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

/// Endpoints for all current-leaders enumerated in PartitionProduceResponses, with errors NOT_LEADER_OR_FOLLOWER.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct NodeEndpoint {
    /// The ID of the associated node. (versions 10+)
    pub node_id: i32,
    /// The node's hostname. (versions 10+)
    pub host: String,
    /// The node's port. (versions 10+)
    pub port: i32,
    /// The rack of the node, or null if it has not been assigned to a rack. (versions 10+)
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

impl Message for ProduceResponse {
    const NAME: &'static str = "ProduceResponse";
    const MIN_VERSION: i16 = 3;
    const MAX_VERSION: i16 = 13;
    const FLEXIBLE_FROM: Option<i16> = Some(9);
}

impl Response for ProduceResponse {
    const API_KEY: i16 = 0;
    type Request = super::ProduceRequest;
}
