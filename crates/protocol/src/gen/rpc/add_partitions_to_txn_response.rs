// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `AddPartitionsToTxnResponse`, versions 0 to 5.

use super::super::prelude::*;

/// `AddPartitionsToTxnResponse`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct AddPartitionsToTxnResponse {
    /// Duration in milliseconds for which the request was throttled due to a quota violation, or zero if the request did not violate any quota. (versions 0+)
    pub throttle_time_ms: i32,
    /// The response top level error code. (versions 4+)
    pub error_code: i16,
    /// Results categorized by transactional ID. (versions 4+)
    pub results_by_transaction: Vec<AddPartitionsToTxnResult>,
    /// The results for each topic. (versions 0 to 3)
    pub results_by_topic_v3_and_below: Vec<AddPartitionsToTxnTopicResult>,
}

impl Structure for AddPartitionsToTxnResponse {
    const MIN_WIRE_BYTES: usize = 6;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 3;
        let mut value = Self::default();
        value.throttle_time_ms = reader.i32()?;
        if version >= 4 {
            value.error_code = reader.i16()?;
        }
        if version >= 4 {
            value.results_by_transaction = reader.array(flexible, version)?;
        }
        if version <= 3 {
            value.results_by_topic_v3_and_below = reader.array(flexible, version)?;
        }
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 3;
        writer.put_i32(self.throttle_time_ms);
        if version >= 4 {
            writer.put_i16(self.error_code);
        }
        if version >= 4 {
            put_array(writer, &self.results_by_transaction, flexible, version)?;
        } else {
            require(self.results_by_transaction.is_empty(), "ResultsByTransaction", version)?;
        }
        if version <= 3 {
            put_array(writer, &self.results_by_topic_v3_and_below, flexible, version)?;
        } else {
            require(
                self.results_by_topic_v3_and_below.is_empty(),
                "ResultsByTopicV3AndBelow",
                version,
            )?;
        }
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// Results categorized by transactional ID.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct AddPartitionsToTxnResult {
    /// The transactional id corresponding to the transaction. (versions 4+)
    pub transactional_id: String,
    /// The results for each topic. (versions 4+)
    pub topic_results: Vec<AddPartitionsToTxnTopicResult>,
}

impl Structure for AddPartitionsToTxnResult {
    const MIN_WIRE_BYTES: usize = 3;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.transactional_id = reader.string(true)?;
        value.topic_results = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.transactional_id, true)?;
        put_array(writer, &self.topic_results, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// `AddPartitionsToTxnTopicResult`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct AddPartitionsToTxnTopicResult {
    /// The topic name. (versions 0+)
    pub name: String,
    /// The results for each partition. (versions 0+)
    pub results_by_partition: Vec<AddPartitionsToTxnPartitionResult>,
}

impl Structure for AddPartitionsToTxnTopicResult {
    const MIN_WIRE_BYTES: usize = 3;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 3;
        let mut value = Self::default();
        value.name = reader.string(flexible)?;
        value.results_by_partition = reader.array(flexible, version)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 3;
        put_string(writer, &self.name, flexible)?;
        put_array(writer, &self.results_by_partition, flexible, version)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// `AddPartitionsToTxnPartitionResult`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct AddPartitionsToTxnPartitionResult {
    /// The partition indexes. (versions 0+)
    pub partition_index: i32,
    /// The response error code. (versions 0+)
    pub partition_error_code: i16,
}

impl Structure for AddPartitionsToTxnPartitionResult {
    const MIN_WIRE_BYTES: usize = 6;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 3;
        let mut value = Self::default();
        value.partition_index = reader.i32()?;
        value.partition_error_code = reader.i16()?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 3;
        writer.put_i32(self.partition_index);
        writer.put_i16(self.partition_error_code);
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

impl Message for AddPartitionsToTxnResponse {
    const NAME: &'static str = "AddPartitionsToTxnResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 5;
    const FLEXIBLE_FROM: Option<i16> = Some(3);
}

impl Response for AddPartitionsToTxnResponse {
    const API_KEY: i16 = 24;
    type Request = super::AddPartitionsToTxnRequest;
}
