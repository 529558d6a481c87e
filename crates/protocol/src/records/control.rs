//! Control records: what brokers write between the records of clients (KIP-98, KIP-595, KIP-630,
//! KIP-853).
//!
//! The key of a control record is version i16 (0) and type i16; the value depends on the type.

use super::{BatchBuilder, Record, RecordsError};

/// The type in the key of a control record (schema ControlRecordTypeSchema).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i16)]
pub enum ControlRecordType {
    Abort = 0,
    Commit = 1,
    LeaderChange = 2,
    SnapshotHeader = 3,
    SnapshotFooter = 4,
    KraftVersion = 5,
    KraftVoters = 6,
}

impl ControlRecordType {
    /// `Ok(None)` for a type that we do not know: Kafka's rule is to ignore such a record.
    pub fn parse(key: Option<&[u8]>) -> Result<Option<Self>, RecordsError> {
        let (version, id) = two_i16(key)
            .ok_or(RecordsError::BadControlRecord("its key is shorter than 4 bytes"))?;
        if version < 0 {
            return Err(RecordsError::BadControlRecord("the version of its key is negative"));
        }
        Ok(match id {
            0 => Some(Self::Abort),
            1 => Some(Self::Commit),
            2 => Some(Self::LeaderChange),
            3 => Some(Self::SnapshotHeader),
            4 => Some(Self::SnapshotFooter),
            5 => Some(Self::KraftVersion),
            6 => Some(Self::KraftVoters),
            _ => None,
        })
    }

    /// The key of a control record of this type.
    pub fn key(self) -> [u8; 4] {
        let [high, low] = (self as i16).to_be_bytes();
        [0, 0, high, low]
    }
}

fn two_i16(bytes: Option<&[u8]>) -> Option<(i16, i16)> {
    let bytes: [u8; 4] = bytes?.get(..4)?.try_into().ok()?;
    let [a, b, c, d] = bytes;
    Some((i16::from_be_bytes([a, b]), i16::from_be_bytes([c, d])))
}

/// The end of a transaction in one partition. Value: version i16 (0), coordinator epoch i32 (schema
/// EndTxnMarker).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndTransactionMarker {
    pub committed: bool,
    pub coordinator_epoch: i32,
}

impl EndTransactionMarker {
    /// The marker in a control record; `Ok(None)` when the record is another kind of control
    /// record.
    pub fn parse(record: &Record<'_>) -> Result<Option<Self>, RecordsError> {
        let committed = match ControlRecordType::parse(record.key)? {
            Some(ControlRecordType::Abort) => false,
            Some(ControlRecordType::Commit) => true,
            _ => return Ok(None),
        };
        let value = record.value.unwrap_or_default();
        match value.first_chunk::<6>() {
            Some([high, _, epoch @ ..]) if *high < 0x80 => {
                Ok(Some(Self { committed, coordinator_epoch: i32::from_be_bytes(*epoch) }))
            }
            _ => Err(RecordsError::BadControlRecord("the value of the end marker is malformed")),
        }
    }

    pub fn control_type(&self) -> ControlRecordType {
        if self.committed { ControlRecordType::Commit } else { ControlRecordType::Abort }
    }

    fn value(&self) -> [u8; 6] {
        let mut value = [0; 6];
        value[2..].copy_from_slice(&self.coordinator_epoch.to_be_bytes());
        value
    }
}

impl BatchBuilder {
    /// A batch with the one record that ends a transaction.
    pub fn end_transaction_marker(
        base_offset: i64,
        timestamp: i64,
        producer_id: i64,
        producer_epoch: i16,
        marker: EndTransactionMarker,
    ) -> Self {
        let mut builder = Self::new(base_offset)
            .producer(producer_id, producer_epoch, super::NO_SEQUENCE)
            .transactional(true)
            .control(true);
        builder.append_control(timestamp, marker.control_type(), &marker.value());
        builder
    }

    /// Appends a control record; the batch must be a control batch.
    pub fn append_control(
        &mut self,
        timestamp: i64,
        control_type: ControlRecordType,
        value: &[u8],
    ) {
        assert!(self.is_control(), "control records live in control batches");
        self.append(timestamp, Some(&control_type.key()), Some(value), &[]);
    }
}
