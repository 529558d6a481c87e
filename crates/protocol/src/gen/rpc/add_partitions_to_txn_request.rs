// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `AddPartitionsToTxnRequest`, versions 0 to 5.

use super::super::prelude::*;

/// `AddPartitionsToTxnRequest`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct AddPartitionsToTxnRequest {
    /// List of transactions to add partitions to. (versions 4+)
    pub transactions: Vec<AddPartitionsToTxnTransaction>,
    /// The transactional id corresponding to the transaction. (versions 0 to 3)
    pub v3_and_below_transactional_id: String,
    /// Current producer id in use by the transactional id. (versions 0 to 3)
    pub v3_and_below_producer_id: i64,
    /// Current epoch associated with the producer id. (versions 0 to 3)
    pub v3_and_below_producer_epoch: i16,
    /// The partitions to add to the transaction. (versions 0 to 3)
    pub v3_and_below_topics: Vec<AddPartitionsToTxnTopic>,
}

impl Structure for AddPartitionsToTxnRequest {
    const MIN_WIRE_BYTES: usize = 2;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 3;
        let mut value = Self::default();
        if version >= 4 {
            value.transactions = reader.array(flexible, version)?;
        }
        if version <= 3 {
            value.v3_and_below_transactional_id = reader.string(flexible)?;
        }
        if version <= 3 {
            value.v3_and_below_producer_id = reader.i64()?;
        }
        if version <= 3 {
            value.v3_and_below_producer_epoch = reader.i16()?;
        }
        if version <= 3 {
            value.v3_and_below_topics = reader.array(flexible, version)?;
        }
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 3;
        if version >= 4 {
            put_array(writer, &self.transactions, flexible, version)?;
        } else {
            require(self.transactions.is_empty(), "Transactions", version)?;
        }
        if version <= 3 {
            put_string(writer, &self.v3_and_below_transactional_id, flexible)?;
        } else {
            require(
                self.v3_and_below_transactional_id.is_empty(),
                "V3AndBelowTransactionalId",
                version,
            )?;
        }
        if version <= 3 {
            writer.put_i64(self.v3_and_below_producer_id);
        } else {
            require(self.v3_and_below_producer_id == 0, "V3AndBelowProducerId", version)?;
        }
        if version <= 3 {
            writer.put_i16(self.v3_and_below_producer_epoch);
        } else {
            require(self.v3_and_below_producer_epoch == 0, "V3AndBelowProducerEpoch", version)?;
        }
        if version <= 3 {
            put_array(writer, &self.v3_and_below_topics, flexible, version)?;
        } else {
            require(self.v3_and_below_topics.is_empty(), "V3AndBelowTopics", version)?;
        }
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// List of transactions to add partitions to.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct AddPartitionsToTxnTransaction {
    /// The transactional id corresponding to the transaction. (versions 4+)
    pub transactional_id: String,
    /// Current producer id in use by the transactional id. (versions 4+)
    pub producer_id: i64,
    /// Current epoch associated with the producer id. (versions 4+)
    pub producer_epoch: i16,
    /// Boolean to signify if we want to check if the partition is in the transaction rather than add it. (versions 4+)
    pub verify_only: bool,
    /// The partitions to add to the transaction. (versions 4+)
    pub topics: Vec<AddPartitionsToTxnTopic>,
}

impl Structure for AddPartitionsToTxnTransaction {
    const MIN_WIRE_BYTES: usize = 14;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.transactional_id = reader.string(true)?;
        value.producer_id = reader.i64()?;
        value.producer_epoch = reader.i16()?;
        value.verify_only = reader.bool()?;
        value.topics = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.transactional_id, true)?;
        writer.put_i64(self.producer_id);
        writer.put_i16(self.producer_epoch);
        put_bool(writer, self.verify_only);
        put_array(writer, &self.topics, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// `AddPartitionsToTxnTopic`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct AddPartitionsToTxnTopic {
    /// The name of the topic. (versions 0+)
    pub name: String,
    /// The partition indexes to add to the transaction. (versions 0+)
    pub partitions: Vec<i32>,
}

impl Structure for AddPartitionsToTxnTopic {
    const MIN_WIRE_BYTES: usize = 3;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 3;
        let mut value = Self::default();
        value.name = reader.string(flexible)?;
        value.partitions = reader.array(flexible, version)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 3;
        put_string(writer, &self.name, flexible)?;
        put_array(writer, &self.partitions, flexible, version)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

impl Message for AddPartitionsToTxnRequest {
    const NAME: &'static str = "AddPartitionsToTxnRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 5;
    const FLEXIBLE_FROM: Option<i16> = Some(3);
}

impl Request for AddPartitionsToTxnRequest {
    const API_KEY: i16 = 24;
    type Response = super::AddPartitionsToTxnResponse;
}
