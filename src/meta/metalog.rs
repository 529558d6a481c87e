//! The bytes of the metadata log: batches of metadata records and of control records, there and
//! back.
//!
//! A record's value is KIP-631's frame; its version follows from the finalized `metadata.version`,
//! chosen in [`record_version`] alone. Never: I/O, or any opinion on what the records say.

use super::image::{Endpoint, Voter};
use bytes::Bytes;
use protocol::{
    EncodeError, Message, Reader,
    file_records::{
        KRaftVersionRecord, LeaderChangeMessage, SnapshotFooterRecord, SnapshotHeaderRecord,
        VotersRecord, leader_change_message, voters_record,
    },
    metadata_records::MetadataRecord,
    records::{BatchBuilder, ControlRecordType, Record, RecordsError, batches},
};

/// The largest batch of metadata records, before which a list of records is cut (as
/// `KafkaRaftClient` does).
pub const MAX_BATCH_BYTES: usize = 8 << 20;

/// What a compressed batch of the log may unpack to. No controller writes compressed ones; Kafka
/// would read them.
const MAX_UNPACKED_BYTES: usize = 4 * MAX_BATCH_BYTES;

/// Room for what a record needs beside its value: lengths, timestamp and offset deltas.
const RECORD_OVERHEAD_BYTES: usize = 32;

/// The version of the control records' values.
const CONTROL_VERSION: i16 = 0;

/// One batch of the log.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    pub base_offset: i64,
    pub epoch: i32,
    pub timestamp_ms: i64,
    pub content: BatchContent,
}

#[derive(Clone, Debug, PartialEq)]
pub enum BatchContent {
    Records(Vec<MetadataRecord>),
    Control(Vec<ControlRecord>),
}

impl Batch {
    pub fn last_offset(&self) -> i64 {
        let records = match &self.content {
            BatchContent::Records(records) => records.len(),
            BatchContent::Control(records) => records.len(),
        };
        self.base_offset + records as i64 - 1
    }
}

/// What the quorum says in the log about itself (KIP-595, KIP-630, KIP-853).
#[derive(Clone, Debug, PartialEq)]
pub enum ControlRecord {
    LeaderChange {
        leader_id: i32,
        voters: Vec<i32>,
        granting_voters: Vec<i32>,
    },
    SnapshotHeader {
        last_contained_log_timestamp_ms: i64,
    },
    SnapshotFooter,
    KraftVersion(i16),
    Voters(Vec<Voter>),
    /// Of a type that means nothing here, as Kafka's rule is to ignore it.
    Unknown,
}

#[derive(Debug, thiserror::Error)]
pub enum MetalogError {
    #[error("the batch at offset {offset} is damaged: its checksum does not match")]
    Checksum { offset: i64 },
    #[error("the batch at offset {offset} has gaps between its records")]
    Gaps { offset: i64 },
    #[error("the record at offset {offset} is not understood: {source}")]
    Record { offset: i64, source: protocol::DecodeError },
    #[error("the record at offset {offset} has no value")]
    NoValue { offset: i64 },
    #[error(transparent)]
    Records(#[from] RecordsError),
}

/// The version that `record` is written in while `metadata.version` is `level`
/// (`MetadataVersion.*RecordVersion`).
pub fn record_version(record: &MetadataRecord, level: i16) -> i16 {
    match record {
        MetadataRecord::RegisterBroker(_) if level < 30 => 3,
        MetadataRecord::BrokerRegistrationChange(change) => {
            // As low as its content allows, so that the least reader understands it.
            if change.cordoned_log_dirs.is_some() {
                3
            } else if !change.log_dirs.is_empty() {
                2
            } else {
                i16::from(change.in_controlled_shutdown != 0)
            }
        }
        MetadataRecord::Partition(_) | MetadataRecord::PartitionChange(_) if level < 23 => 1,
        record => record.max_version(),
    }
}

/// Encodes `records` into as few batches as `max_batch_bytes` allows; they follow each other from
/// `base_offset` on.
pub fn encode_records(
    records: &[MetadataRecord],
    level: i16,
    base_offset: i64,
    epoch: i32,
    timestamp_ms: i64,
    max_batch_bytes: usize,
) -> Result<Vec<Bytes>, EncodeError> {
    let new_batch = |offset| BatchBuilder::new(offset).partition_leader_epoch(epoch);
    let mut batches = Vec::new();
    let mut batch = new_batch(base_offset);
    for (offset, record) in (base_offset..).zip(records) {
        let value = record.encode_frame(record_version(record, level))?;
        let size_bytes = batch.uncompressed_size_bytes() + value.len() + RECORD_OVERHEAD_BYTES;
        if !batch.is_empty() && size_bytes > max_batch_bytes {
            batches.push(std::mem::replace(&mut batch, new_batch(offset)).build());
        }
        batch.append(timestamp_ms, None, Some(&value), &[]);
    }
    if !batch.is_empty() {
        batches.push(batch.build());
    }
    Ok(batches)
}

/// One batch of control records.
pub fn encode_control(
    records: &[ControlRecord],
    base_offset: i64,
    epoch: i32,
    timestamp_ms: i64,
) -> Bytes {
    let mut batch = BatchBuilder::new(base_offset).partition_leader_epoch(epoch).control(true);
    for record in records {
        let (kind, value) = encode_control_record(record);
        batch.append_control(timestamp_ms, kind, &value);
    }
    batch.build()
}

fn encode_control_record(record: &ControlRecord) -> (ControlRecordType, bytes::BytesMut) {
    let mut value = bytes::BytesMut::new();
    let version = CONTROL_VERSION;
    let (kind, result) = match record {
        ControlRecord::LeaderChange { leader_id, voters, granting_voters } => {
            let voter =
                |&voter_id: &i32| leader_change_message::Voter { voter_id, ..Default::default() };
            let message = LeaderChangeMessage {
                version,
                leader_id: *leader_id,
                voters: voters.iter().map(voter).collect(),
                granting_voters: granting_voters.iter().map(voter).collect(),
            };
            (ControlRecordType::LeaderChange, message.encode(&mut value, version))
        }
        ControlRecord::SnapshotHeader { last_contained_log_timestamp_ms } => {
            let last_contained_log_timestamp = *last_contained_log_timestamp_ms;
            let message = SnapshotHeaderRecord { version, last_contained_log_timestamp };
            (ControlRecordType::SnapshotHeader, message.encode(&mut value, version))
        }
        ControlRecord::SnapshotFooter => (
            ControlRecordType::SnapshotFooter,
            SnapshotFooterRecord { version }.encode(&mut value, version),
        ),
        ControlRecord::KraftVersion(level) => {
            let message = KRaftVersionRecord { version, kraft_version: *level };
            (ControlRecordType::KraftVersion, message.encode(&mut value, version))
        }
        ControlRecord::Voters(voters) => {
            let message =
                VotersRecord { version, voters: voters.iter().map(voter_to_wire).collect() };
            (ControlRecordType::KraftVoters, message.encode(&mut value, version))
        }
        ControlRecord::Unknown => unreachable!("no node writes a record that it does not know"),
    };
    result.expect("control records fit their version");
    (kind, value)
}

fn voter_to_wire(voter: &Voter) -> voters_record::Voter {
    let (min_supported_version, max_supported_version) = voter.kraft_versions;
    voters_record::Voter {
        voter_id: voter.id,
        voter_directory_id: voter.directory_id,
        endpoints: voter
            .endpoints
            .iter()
            .map(|endpoint| voters_record::Endpoint {
                name: endpoint.listener.clone(),
                host: endpoint.host.clone(),
                port: endpoint.port,
            })
            .collect(),
        kraft_version_feature: voters_record::KRaftVersionFeature {
            min_supported_version,
            max_supported_version,
        },
    }
}

fn voter_from_wire(voter: voters_record::Voter) -> Voter {
    let feature = voter.kraft_version_feature;
    Voter {
        id: voter.voter_id,
        directory_id: voter.voter_directory_id,
        endpoints: voter
            .endpoints
            .into_iter()
            .map(|endpoint| Endpoint {
                listener: endpoint.name,
                host: endpoint.host,
                port: endpoint.port,
            })
            .collect(),
        kraft_versions: (feature.min_supported_version, feature.max_supported_version),
    }
}

/// Walks the whole batches of `bytes` in order; the first error ends the walk. Checksums are
/// checked.
pub fn decode(bytes: &[u8]) -> impl Iterator<Item = Result<Batch, MetalogError>> {
    let mut failed = false;
    batches(bytes).map_while(move |batch| {
        if failed {
            return None;
        }
        let decoded = batch.map_err(MetalogError::from).and_then(|batch| decode_batch(&batch));
        failed = decoded.is_err();
        Some(decoded)
    })
}

fn decode_batch(batch: &protocol::records::Batch<'_>) -> Result<Batch, MetalogError> {
    let base_offset = batch.base_offset();
    if !batch.crc_is_valid() {
        return Err(MetalogError::Checksum { offset: base_offset });
    }
    let (mut records, mut control) = (Vec::new(), Vec::new());
    batch.for_each_record(MAX_UNPACKED_BYTES, |record| {
        if batch.is_control() {
            control.push(decode_control_record(&record)?);
        } else {
            let value = record.value.ok_or(MetalogError::NoValue { offset: record.offset })?;
            let decoded = MetadataRecord::decode_frame(value)
                .map_err(|source| MetalogError::Record { offset: record.offset, source })?;
            records.push(decoded);
        }
        Ok::<_, MetalogError>(())
    })?;
    let content = if batch.is_control() {
        BatchContent::Control(control)
    } else {
        BatchContent::Records(records)
    };
    let decoded = Batch {
        base_offset,
        epoch: batch.partition_leader_epoch(),
        timestamp_ms: batch.max_timestamp(),
        content,
    };
    // The log is not compacted, so that offsets count records.
    if decoded.last_offset() != batch.last_offset() {
        return Err(MetalogError::Gaps { offset: base_offset });
    }
    Ok(decoded)
}

fn decode_control_record(record: &Record<'_>) -> Result<ControlRecord, MetalogError> {
    let Some(kind) = ControlRecordType::parse(record.key)? else {
        return Ok(ControlRecord::Unknown);
    };
    let offset = record.offset;
    let value = record.value.ok_or(MetalogError::NoValue { offset })?;
    Ok(match kind {
        ControlRecordType::LeaderChange => {
            let message: LeaderChangeMessage = control_value(value, offset)?;
            ControlRecord::LeaderChange {
                leader_id: message.leader_id,
                voters: message.voters.iter().map(|voter| voter.voter_id).collect(),
                granting_voters: message
                    .granting_voters
                    .iter()
                    .map(|voter| voter.voter_id)
                    .collect(),
            }
        }
        ControlRecordType::SnapshotHeader => {
            let message: SnapshotHeaderRecord = control_value(value, offset)?;
            ControlRecord::SnapshotHeader {
                last_contained_log_timestamp_ms: message.last_contained_log_timestamp,
            }
        }
        ControlRecordType::SnapshotFooter => ControlRecord::SnapshotFooter,
        ControlRecordType::KraftVersion => ControlRecord::KraftVersion(
            control_value::<KRaftVersionRecord>(value, offset)?.kraft_version,
        ),
        ControlRecordType::KraftVoters => {
            let message: VotersRecord = control_value(value, offset)?;
            ControlRecord::Voters(message.voters.into_iter().map(voter_from_wire).collect())
        }
        ControlRecordType::Abort | ControlRecordType::Commit => ControlRecord::Unknown,
    })
}

/// A control record's value begins with its own version; one beyond ours adds tagged or trailing
/// fields.
fn control_value<M: Message>(value: &[u8], offset: i64) -> Result<M, MetalogError> {
    let version =
        value.get(..2).map_or(CONTROL_VERSION, |bytes| i16::from_be_bytes([bytes[0], bytes[1]]));
    let version = version.clamp(M::MIN_VERSION, M::MAX_VERSION);
    M::decode(&mut Reader::new(value), version)
        .map_err(|source| MetalogError::Record { offset, source })
}
