// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `ShareFetchRequest`, versions 1 to 2.

use super::super::prelude::*;

/// `ShareFetchRequest`.
#[derive(Clone, Debug, PartialEq)]
pub struct ShareFetchRequest {
    /// The group identifier. (versions 0+)
    pub group_id: Option<String>,
    /// The member ID. (versions 0+)
    pub member_id: Option<String>,
    /// The current share session epoch: 0 to open a share session; -1 to close it; otherwise increments for consecutive requests. (versions 0+)
    pub share_session_epoch: i32,
    /// The maximum time in milliseconds to wait for the response. (versions 0+)
    pub max_wait_ms: i32,
    /// The minimum bytes to accumulate in the response. (versions 0+)
    pub min_bytes: i32,
    /// The maximum bytes to fetch. See KIP-74 for cases where this limit may not be honored. (versions 0+)
    pub max_bytes: i32,
    /// The maximum number of records to fetch. This limit can be exceeded for alignment of batch boundaries. (versions 1+)
    pub max_records: i32,
    /// The optimal number of records for batches of acquired records and acknowledgements. (versions 1+)
    pub batch_size: i32,
    /// The acquire mode to control the fetch behavior - 0:batch-optimized,1:record-limit. (versions 2+)
    pub share_acquire_mode: i8,
    /// Whether Renew type acknowledgements present in AcknowledgementBatches. (versions 2+)
    pub is_renew_ack: bool,
    /// The topics to fetch. (versions 0+)
    pub topics: Vec<FetchTopic>,
    /// The partitions to remove from this share session. (versions 0+)
    pub forgotten_topics_data: Vec<ForgottenTopic>,
}

impl Default for ShareFetchRequest {
    fn default() -> Self {
        Self {
            group_id: Default::default(),
            member_id: Some(String::new()),
            share_session_epoch: Default::default(),
            max_wait_ms: Default::default(),
            min_bytes: Default::default(),
            max_bytes: i32::MAX,
            max_records: Default::default(),
            batch_size: Default::default(),
            share_acquire_mode: Default::default(),
            is_renew_ack: Default::default(),
            topics: Default::default(),
            forgotten_topics_data: Default::default(),
        }
    }
}

impl Structure for ShareFetchRequest {
    const MIN_WIRE_BYTES: usize = 29;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.group_id = reader.nullable_string(true, true)?;
        value.member_id = reader.nullable_string(true, true)?;
        value.share_session_epoch = reader.i32()?;
        value.max_wait_ms = reader.i32()?;
        value.min_bytes = reader.i32()?;
        value.max_bytes = reader.i32()?;
        value.max_records = reader.i32()?;
        value.batch_size = reader.i32()?;
        if version >= 2 {
            value.share_acquire_mode = reader.i8()?;
        }
        if version >= 2 {
            value.is_renew_ack = reader.bool()?;
        }
        value.topics = reader.array(true, version)?;
        value.forgotten_topics_data = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_nullable_string(writer, self.group_id.as_deref(), true)?;
        put_nullable_string(writer, self.member_id.as_deref(), true)?;
        writer.put_i32(self.share_session_epoch);
        writer.put_i32(self.max_wait_ms);
        writer.put_i32(self.min_bytes);
        writer.put_i32(self.max_bytes);
        writer.put_i32(self.max_records);
        writer.put_i32(self.batch_size);
        if version >= 2 {
            writer.put_i8(self.share_acquire_mode);
        }
        if version >= 2 {
            put_bool(writer, self.is_renew_ack);
        } else {
            require(!self.is_renew_ack, "IsRenewAck", version)?;
        }
        put_array(writer, &self.topics, true, version)?;
        put_array(writer, &self.forgotten_topics_data, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// The topics to fetch.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct FetchTopic {
    /// The unique topic ID. (versions 0+)
    pub topic_id: Uuid,
    /// The partitions to fetch. (versions 0+)
    pub partitions: Vec<FetchPartition>,
}

impl Structure for FetchTopic {
    const MIN_WIRE_BYTES: usize = 18;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.topic_id = reader.uuid()?;
        value.partitions = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_uuid(writer, self.topic_id);
        put_array(writer, &self.partitions, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// The partitions to fetch.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct FetchPartition {
    /// The partition index. (versions 0+)
    pub partition_index: i32,
    /// The maximum bytes to fetch from this partition. 0 when only acknowledgement with no fetching is required. See KIP-74 for cases where this limit may not be honored. (versions 0 to 0)
    pub partition_max_bytes: i32,
    /// Record batches to acknowledge. (versions 0+)
    pub acknowledgement_batches: Vec<AcknowledgementBatch>,
}

impl Structure for FetchPartition {
    const MIN_WIRE_BYTES: usize = 6;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.partition_index = reader.i32()?;
        value.acknowledgement_batches = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.partition_index);
        require(self.partition_max_bytes == 0, "PartitionMaxBytes", version)?;
        put_array(writer, &self.acknowledgement_batches, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// Record batches to acknowledge.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct AcknowledgementBatch {
    /// First offset of batch of records to acknowledge. (versions 0+)
    pub first_offset: i64,
    /// Last offset (inclusive) of batch of records to acknowledge. (versions 0+)
    pub last_offset: i64,
    /// Array of acknowledge types - 0:Gap,1:Accept,2:Release,3:Reject,4:Renew. (versions 0+)
    pub acknowledge_types: Vec<i8>,
}

impl Structure for AcknowledgementBatch {
    const MIN_WIRE_BYTES: usize = 18;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.first_offset = reader.i64()?;
        value.last_offset = reader.i64()?;
        value.acknowledge_types = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i64(self.first_offset);
        writer.put_i64(self.last_offset);
        put_array(writer, &self.acknowledge_types, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// The partitions to remove from this share session.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ForgottenTopic {
    /// The unique topic ID. (versions 0+)
    pub topic_id: Uuid,
    /// The partitions indexes to forget. (versions 0+)
    pub partitions: Vec<i32>,
}

impl Structure for ForgottenTopic {
    const MIN_WIRE_BYTES: usize = 18;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.topic_id = reader.uuid()?;
        value.partitions = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_uuid(writer, self.topic_id);
        put_array(writer, &self.partitions, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for ShareFetchRequest {
    const NAME: &'static str = "ShareFetchRequest";
    const MIN_VERSION: i16 = 1;
    const MAX_VERSION: i16 = 2;
    const FLEXIBLE_FROM: Option<i16> = Some(1);
}

impl Request for ShareFetchRequest {
    const API_KEY: i16 = 78;
    type Response = super::ShareFetchResponse;
}
