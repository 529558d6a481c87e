// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `ShareAcknowledgeRequest`, versions 1 to 2.

use super::super::prelude::*;

/// `ShareAcknowledgeRequest`.
#[derive(Clone, Debug, PartialEq)]
pub struct ShareAcknowledgeRequest {
    /// The group identifier. (versions 0+)
    pub group_id: Option<String>,
    /// The member ID. (versions 0+)
    pub member_id: Option<String>,
    /// The current share session epoch: 0 to open a share session; -1 to close it; otherwise increments for consecutive requests. (versions 0+)
    pub share_session_epoch: i32,
    /// Whether Renew type acknowledgements present in AcknowledgementBatches. (versions 2+)
    pub is_renew_ack: bool,
    /// The topics containing records to acknowledge. (versions 0+)
    pub topics: Vec<AcknowledgeTopic>,
}

impl Default for ShareAcknowledgeRequest {
    fn default() -> Self {
        Self {
            group_id: Default::default(),
            member_id: Some(String::new()),
            share_session_epoch: Default::default(),
            is_renew_ack: Default::default(),
            topics: Default::default(),
        }
    }
}

impl Structure for ShareAcknowledgeRequest {
    const MIN_WIRE_BYTES: usize = 8;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.group_id = reader.nullable_string(true, true)?;
        value.member_id = reader.nullable_string(true, true)?;
        value.share_session_epoch = reader.i32()?;
        if version >= 2 {
            value.is_renew_ack = reader.bool()?;
        }
        value.topics = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_nullable_string(writer, self.group_id.as_deref(), true)?;
        put_nullable_string(writer, self.member_id.as_deref(), true)?;
        writer.put_i32(self.share_session_epoch);
        if version >= 2 {
            put_bool(writer, self.is_renew_ack);
        } else {
            require(!self.is_renew_ack, "IsRenewAck", version)?;
        }
        put_array(writer, &self.topics, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// The topics containing records to acknowledge.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct AcknowledgeTopic {
    /// The unique topic ID. (versions 0+)
    pub topic_id: Uuid,
    /// The partitions containing records to acknowledge. (versions 0+)
    pub partitions: Vec<AcknowledgePartition>,
}

impl Structure for AcknowledgeTopic {
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

/// The partitions containing records to acknowledge.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct AcknowledgePartition {
    /// The partition index. (versions 0+)
    pub partition_index: i32,
    /// Record batches to acknowledge. (versions 0+)
    pub acknowledgement_batches: Vec<AcknowledgementBatch>,
}

impl Structure for AcknowledgePartition {
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

impl Message for ShareAcknowledgeRequest {
    const NAME: &'static str = "ShareAcknowledgeRequest";
    const MIN_VERSION: i16 = 1;
    const MAX_VERSION: i16 = 2;
    const FLEXIBLE_FROM: Option<i16> = Some(1);
}

impl Request for ShareAcknowledgeRequest {
    const API_KEY: i16 = 79;
    type Response = super::ShareAcknowledgeResponse;
}
