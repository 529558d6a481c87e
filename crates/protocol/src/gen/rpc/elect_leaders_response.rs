// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `ElectLeadersResponse`, versions 0 to 2.

use super::super::prelude::*;

/// `ElectLeadersResponse`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ElectLeadersResponse {
    /// The duration in milliseconds for which the request was throttled due to a quota violation, or zero if the request did not violate any quota. (versions 0+)
    pub throttle_time_ms: i32,
    /// The top level response error code. (versions 1+)
    pub error_code: i16,
    /// The election results, or an empty array if the requester did not have permission and the request asks for all partitions. (versions 0+)
    pub replica_election_results: Vec<ReplicaElectionResult>,
}

impl Structure for ElectLeadersResponse {
    const MIN_WIRE_BYTES: usize = 8;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 2;
        let mut value = Self::default();
        value.throttle_time_ms = reader.i32()?;
        if version >= 1 {
            value.error_code = reader.i16()?;
        }
        value.replica_election_results = reader.array(flexible, version)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 2;
        writer.put_i32(self.throttle_time_ms);
        if version >= 1 {
            writer.put_i16(self.error_code);
        } else {
            require(self.error_code == 0, "ErrorCode", version)?;
        }
        put_array(writer, &self.replica_election_results, flexible, version)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// The election results, or an empty array if the requester did not have permission and the request asks for all partitions.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ReplicaElectionResult {
    /// The topic name. (versions 0+)
    pub topic: String,
    /// The results for each partition. (versions 0+)
    pub partition_result: Vec<PartitionResult>,
}

impl Structure for ReplicaElectionResult {
    const MIN_WIRE_BYTES: usize = 3;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 2;
        let mut value = Self::default();
        value.topic = reader.string(flexible)?;
        value.partition_result = reader.array(flexible, version)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 2;
        put_string(writer, &self.topic, flexible)?;
        put_array(writer, &self.partition_result, flexible, version)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// The results for each partition.
#[derive(Clone, Debug, PartialEq)]
pub struct PartitionResult {
    /// The partition id. (versions 0+)
    pub partition_id: i32,
    /// The result error, or zero if there was no error. (versions 0+)
    pub error_code: i16,
    /// The result message, or null if there was no error. (versions 0+)
    pub error_message: Option<String>,
}

impl Default for PartitionResult {
    fn default() -> Self {
        Self {
            partition_id: Default::default(),
            error_code: Default::default(),
            error_message: Some(String::new()),
        }
    }
}

impl Structure for PartitionResult {
    const MIN_WIRE_BYTES: usize = 8;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 2;
        let mut value = Self::default();
        value.partition_id = reader.i32()?;
        value.error_code = reader.i16()?;
        value.error_message = reader.nullable_string(flexible, true)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 2;
        writer.put_i32(self.partition_id);
        writer.put_i16(self.error_code);
        put_nullable_string(writer, self.error_message.as_deref(), flexible)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

impl Message for ElectLeadersResponse {
    const NAME: &'static str = "ElectLeadersResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 2;
    const FLEXIBLE_FROM: Option<i16> = Some(2);
}

impl Response for ElectLeadersResponse {
    const API_KEY: i16 = 43;
    type Request = super::ElectLeadersRequest;
}
