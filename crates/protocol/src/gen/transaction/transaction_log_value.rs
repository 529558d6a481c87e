// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `TransactionLogValue`, versions 0 to 1.

use super::super::prelude::*;

/// `TransactionLogValue`.
#[derive(Clone, Debug, PartialEq)]
pub struct TransactionLogValue {
    /// Producer id in use by the transactional id. (versions 0+)
    pub producer_id: i64,
    /// Producer id used by the last committed transaction. (versions 1+, tag 0)
    pub previous_producer_id: i64,
    /// Latest producer ID sent to the producer for the given transactional id. (versions 1+, tag 1)
    pub next_producer_id: i64,
    /// Epoch associated with the producer id. (versions 0+)
    pub producer_epoch: i16,
    /// Producer epoch associated with the NextProducerId (versions 1+, tag 3)
    pub next_producer_epoch: i16,
    /// Transaction timeout in milliseconds. (versions 0+)
    pub transaction_timeout_ms: i32,
    /// TransactionState the transaction is in. (versions 0+)
    pub transaction_status: i8,
    /// Partitions involved in the transaction. (versions 0+)
    pub transaction_partitions: Option<Vec<PartitionsSchema>>,
    /// Time the transaction was last updated. (versions 0+)
    pub transaction_last_update_timestamp_ms: i64,
    /// Time the transaction was started. (versions 0+)
    pub transaction_start_timestamp_ms: i64,
    /// The transaction version used by the client. (versions 1+, tag 2)
    pub client_transaction_version: i16,
}

impl Default for TransactionLogValue {
    fn default() -> Self {
        Self {
            producer_id: Default::default(),
            previous_producer_id: -1,
            next_producer_id: -1,
            producer_epoch: Default::default(),
            next_producer_epoch: -1,
            transaction_timeout_ms: Default::default(),
            transaction_status: Default::default(),
            transaction_partitions: Some(Vec::new()),
            transaction_last_update_timestamp_ms: Default::default(),
            transaction_start_timestamp_ms: Default::default(),
            client_transaction_version: Default::default(),
        }
    }
}

impl Structure for TransactionLogValue {
    const MIN_WIRE_BYTES: usize = 33;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 1;
        let mut value = Self::default();
        value.producer_id = reader.i64()?;
        value.producer_epoch = reader.i16()?;
        value.transaction_timeout_ms = reader.i32()?;
        value.transaction_status = reader.i8()?;
        value.transaction_partitions = reader.nullable_array(flexible, true, version)?;
        value.transaction_last_update_timestamp_ms = reader.i64()?;
        value.transaction_start_timestamp_ms = reader.i64()?;
        if flexible {
            reader.tags(|reader, tag| {
                match tag {
                    0 if version >= 1 => value.previous_producer_id = reader.i64()?,
                    1 if version >= 1 => value.next_producer_id = reader.i64()?,
                    3 if version >= 1 => value.next_producer_epoch = reader.i16()?,
                    2 if version >= 1 => value.client_transaction_version = reader.i16()?,
                    _ => return Ok(false),
                }
                Ok(true)
            })?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 1;
        writer.put_i64(self.producer_id);
        require(version >= 1 || self.previous_producer_id == -1, "PreviousProducerId", version)?;
        require(version >= 1 || self.next_producer_id == -1, "NextProducerId", version)?;
        writer.put_i16(self.producer_epoch);
        require(version >= 1 || self.next_producer_epoch == -1, "NextProducerEpoch", version)?;
        writer.put_i32(self.transaction_timeout_ms);
        writer.put_i8(self.transaction_status);
        put_nullable_array(writer, self.transaction_partitions.as_deref(), flexible, version)?;
        writer.put_i64(self.transaction_last_update_timestamp_ms);
        writer.put_i64(self.transaction_start_timestamp_ms);
        require(
            version >= 1 || self.client_transaction_version == 0,
            "ClientTransactionVersion",
            version,
        )?;
        if flexible {
            let mut tags = Tags::default();
            if self.previous_producer_id != -1 {
                tags.put(0, |writer| {
                    writer.put_i64(self.previous_producer_id);
                    Ok(())
                })?;
            }
            if self.next_producer_id != -1 {
                tags.put(1, |writer| {
                    writer.put_i64(self.next_producer_id);
                    Ok(())
                })?;
            }
            if self.client_transaction_version != 0 {
                tags.put(2, |writer| {
                    writer.put_i16(self.client_transaction_version);
                    Ok(())
                })?;
            }
            if self.next_producer_epoch != -1 {
                tags.put(3, |writer| {
                    writer.put_i16(self.next_producer_epoch);
                    Ok(())
                })?;
            }
            tags.finish(writer);
        }
        Ok(())
    }
}

/// Partitions involved in the transaction.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct PartitionsSchema {
    /// Topic involved in the transaction. (versions 0+)
    pub topic: String,
    /// Partition ids involved in the transaction. (versions 0+)
    pub partition_ids: Vec<i32>,
}

impl Structure for PartitionsSchema {
    const MIN_WIRE_BYTES: usize = 3;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 1;
        let mut value = Self::default();
        value.topic = reader.string(flexible)?;
        value.partition_ids = reader.array(flexible, version)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 1;
        put_string(writer, &self.topic, flexible)?;
        put_array(writer, &self.partition_ids, flexible, version)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

impl Message for TransactionLogValue {
    const NAME: &'static str = "TransactionLogValue";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 1;
    const FLEXIBLE_FROM: Option<i16> = Some(1);
}
