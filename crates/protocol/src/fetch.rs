//! Fetch (API 1), versions 4 to 18: the request seen in its frame, the response as a list of parts
//! around records that are never copied.
//!
//! Owns: the layout of both (schemas FetchRequest, FetchResponse). Lives on: the core that owns the
//! connection. Never: holds records; the caller puts memory slices or file ranges where
//! [`FetchResponseWriter::partition`] says.

use bytes::{BufMut, BytesMut};

use crate::error::ErrorCode;
use crate::message::{DecodeError, DecodeErrorKind};
use crate::primitives::{Reader, Tags, put_uvarint};
use crate::uuid::Uuid;
use crate::view::{self, CHECKED, Text, TopicRef, TopicWalk};
use crate::writer::{self, LeaderIdAndEpoch, NodeEndpoint};

pub const MIN_VERSION: i16 = 4;
pub const MAX_VERSION: i16 = 18;
const FLEXIBLE_FROM: i16 = 12;
/// The first version that names topics by their ids.
pub const TOPIC_ID_FROM: i16 = 13;

/// A fetch request in its frame. Fields that the version lacks have the schema's defaults.
#[derive(Debug, Clone)]
pub struct FetchRequest<'a> {
    pub cluster_id: Option<Text<'a>>,
    /// The broker that fetches as a follower, or −1 for a consumer.
    pub replica_id: i32,
    pub replica_epoch: i64,
    pub max_wait_ms: i32,
    pub min_bytes: i32,
    pub max_bytes: i32,
    /// 1: read_committed; anything else is read_uncommitted, as in Kafka.
    pub isolation_level: i8,
    pub session_id: i32,
    pub session_epoch: i32,
    pub rack_id: Text<'a>,
    version: i16,
    topics: TopicWalk<'a>,
    partition_count: usize,
    forgotten: TopicWalk<'a>,
}

/// One partition to fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FetchPartition<'a> {
    pub topic: TopicRef<'a>,
    pub index: i32,
    /// −1: the client does not know.
    pub current_leader_epoch: i32,
    pub fetch_offset: i64,
    /// −1: there is none.
    pub last_fetched_epoch: i32,
    /// The follower's own; −1 from consumers.
    pub log_start_offset: i64,
    pub partition_max_bytes: i32,
    pub replica_directory_id: Uuid,
    /// What the follower knows (KIP-1166): −1 for nothing, `i64::MAX` when it does not take part.
    pub high_watermark: i64,
}

/// One partition that leaves the fetch session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ForgottenPartition<'a> {
    pub topic: TopicRef<'a>,
    pub index: i32,
}

impl<'a> FetchRequest<'a> {
    /// Checks the whole body, which starts at `body_start` of `frame` and reaches to its end.
    pub fn parse(frame: &'a [u8], body_start: usize, version: i16) -> Result<Self, DecodeError> {
        let mut reader = view::reader_at(frame, body_start)?;
        if !(MIN_VERSION..=MAX_VERSION).contains(&version) {
            return Err(reader
                .error(DecodeErrorKind::UnsupportedVersion { message: "FetchRequest", version }));
        }
        let flexible = version >= FLEXIBLE_FROM;
        let by_id = version >= TOPIC_ID_FROM;
        let mut request = Self {
            cluster_id: None,
            replica_id: if version < 15 { reader.i32()? } else { -1 },
            replica_epoch: -1,
            max_wait_ms: reader.i32()?,
            min_bytes: reader.i32()?,
            max_bytes: reader.i32()?,
            isolation_level: reader.i8()?,
            session_id: if version >= 7 { reader.i32()? } else { 0 },
            session_epoch: if version >= 7 { reader.i32()? } else { -1 },
            rack_id: Text::default(),
            version,
            topics: TopicWalk::new(frame, &mut reader, flexible, by_id)?,
            partition_count: 0,
            forgotten: TopicWalk::empty(),
        };
        let mut check = request.topics.clone();
        while check.next(|reader, topic| read_partition(reader, topic, version))?.is_some() {
            request.partition_count += 1;
        }
        let mut reader = view::reader_at(frame, check.position())?;
        if version >= 7 {
            request.forgotten = TopicWalk::new(frame, &mut reader, flexible, by_id)?;
            let mut check = request.forgotten.clone();
            while check.next(read_forgotten)?.is_some() {}
            reader = view::reader_at(frame, check.position())?;
        }
        if version >= 11 {
            request.rack_id = view::text(&mut reader, flexible)?;
        }
        if flexible {
            request.read_tags(&mut reader)?;
        }
        reader.expect_end()?;
        Ok(request)
    }

    fn read_tags(&mut self, reader: &mut Reader<'a>) -> Result<(), DecodeError> {
        reader.tags(|reader, tag| {
            match tag {
                0 => self.cluster_id = Text::read_nullable(reader, true)?,
                1 if self.version >= 15 => {
                    self.replica_id = reader.i32()?;
                    self.replica_epoch = reader.i64()?;
                    reader.skip_tags()?;
                }
                _ => return Ok(false),
            }
            Ok(true)
        })
    }

    /// The partitions in the order of the request, which is the order of service; those of a topic
    /// follow each other.
    pub fn partitions(&self) -> impl Iterator<Item = FetchPartition<'a>> + use<'a> {
        let (mut walk, version) = (self.topics.clone(), self.version);
        std::iter::from_fn(move || {
            walk.next(|reader, topic| read_partition(reader, topic, version)).expect(CHECKED)
        })
    }

    /// As many as [`FetchRequest::partitions`] gives.
    pub fn partition_count(&self) -> usize {
        self.partition_count
    }

    /// The partitions that leave the session.
    pub fn forgotten_partitions(&self) -> impl Iterator<Item = ForgottenPartition<'a>> + use<'a> {
        let mut walk = self.forgotten.clone();
        std::iter::from_fn(move || walk.next(read_forgotten).expect(CHECKED))
    }
}

fn read_forgotten<'a>(
    reader: &mut Reader<'a>,
    topic: TopicRef<'a>,
) -> Result<ForgottenPartition<'a>, DecodeError> {
    Ok(ForgottenPartition { topic, index: reader.i32()? })
}

fn read_partition<'a>(
    reader: &mut Reader<'a>,
    topic: TopicRef<'a>,
    version: i16,
) -> Result<FetchPartition<'a>, DecodeError> {
    let mut partition = FetchPartition {
        topic,
        index: reader.i32()?,
        current_leader_epoch: if version >= 9 { reader.i32()? } else { -1 },
        fetch_offset: reader.i64()?,
        last_fetched_epoch: if version >= 12 { reader.i32()? } else { -1 },
        log_start_offset: if version >= 5 { reader.i64()? } else { -1 },
        partition_max_bytes: reader.i32()?,
        replica_directory_id: Uuid::ZERO,
        high_watermark: i64::MAX,
    };
    if version >= FLEXIBLE_FROM {
        reader.tags(|reader, tag| {
            match tag {
                0 if version >= 17 => partition.replica_directory_id = reader.uuid()?,
                1 if version >= 18 => partition.high_watermark = reader.i64()?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
    }
    Ok(partition)
}

/// An aborted transaction whose records a read_committed consumer skips.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AbortedTransaction {
    pub producer_id: i64,
    pub first_offset: i64,
}

/// An epoch and where it ends, or a snapshot's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EpochAndOffset {
    pub epoch: i32,
    pub end_offset: i64,
}

/// The answer for one partition, without its records. Fields that the version lacks are left out on
/// the wire.
#[derive(Debug, Clone)]
pub struct PartitionFetchResponse<'a> {
    pub index: i32,
    pub error: ErrorCode,
    pub high_watermark: i64,
    pub last_stable_offset: i64,
    pub log_start_offset: i64,
    /// None: null, the answer to read_uncommitted.
    pub aborted_transactions: Option<&'a [AbortedTransaction]>,
    pub preferred_read_replica: i32,
    /// Where the follower's log left ours (KIP-595).
    pub diverging_epoch: Option<EpochAndOffset>,
    pub current_leader: Option<LeaderIdAndEpoch>,
    /// What to fetch instead of records that are gone (KIP-630).
    pub snapshot_id: Option<EpochAndOffset>,
}

impl PartitionFetchResponse<'_> {
    /// A refusal without details; its records are to be empty.
    pub fn refused(index: i32, error: ErrorCode) -> Self {
        Self {
            index,
            error,
            high_watermark: -1,
            last_stable_offset: -1,
            log_start_offset: -1,
            aborted_transactions: None,
            preferred_read_replica: -1,
            diverging_epoch: None,
            current_leader: None,
            snapshot_id: None,
        }
    }
}

/// What stands before the topics of a response.
#[derive(Debug, Clone, Copy)]
pub struct FetchResponseHeader {
    pub throttle_time_ms: i32,
    pub error: ErrorCode,
    pub session_id: i32,
}

/// Writes the body of a fetch response: topics, each with as many partitions as announced, then
/// [`Self::finish`].
#[derive(Debug)]
pub struct FetchResponseWriter<'a> {
    out: &'a mut BytesMut,
    version: i16,
    records_bytes: usize,
    topics_left: usize,
    partitions_left: usize,
}

impl<'a> FetchResponseWriter<'a> {
    pub fn new(
        out: &'a mut BytesMut,
        version: i16,
        header: FetchResponseHeader,
        topic_count: usize,
    ) -> Self {
        assert!(
            (MIN_VERSION..=MAX_VERSION).contains(&version),
            "the request had a version that is served"
        );
        out.put_i32(header.throttle_time_ms);
        if version >= 7 {
            out.put_i16(header.error.code());
            out.put_i32(header.session_id);
        }
        writer::put_array_length(out, topic_count, version >= FLEXIBLE_FROM);
        Self { out, version, records_bytes: 0, topics_left: topic_count, partitions_left: 0 }
    }

    fn flexible(&self) -> bool {
        self.version >= FLEXIBLE_FROM
    }

    /// Name or id goes on the wire, as the version has it.
    pub fn begin_topic(&mut self, name: &str, id: Uuid, partition_count: usize) {
        assert_eq!(self.partitions_left, 0, "the topic before is complete");
        self.topics_left = self.topics_left.checked_sub(1).expect("not more topics than announced");
        self.partitions_left = partition_count;
        let flexible = self.flexible();
        writer::put_topic(self.out, name, id, flexible, self.version >= TOPIC_ID_FROM);
        writer::put_array_length(self.out, partition_count, flexible);
        if partition_count == 0 {
            writer::put_no_tags(self.out, flexible);
        }
    }

    /// Everything about a partition but its records. They are `records_size_bytes` and belong
    /// before the byte of `out` whose index is returned.
    pub fn partition(
        &mut self,
        partition: &PartitionFetchResponse<'_>,
        records_size_bytes: usize,
    ) -> usize {
        self.partitions_left =
            self.partitions_left.checked_sub(1).expect("not more partitions than announced");
        let (version, flexible) = (self.version, self.flexible());
        let out = &mut *self.out;
        out.put_i32(partition.index);
        out.put_i16(partition.error.code());
        out.put_i64(partition.high_watermark);
        out.put_i64(partition.last_stable_offset);
        if version >= 5 {
            out.put_i64(partition.log_start_offset);
        }
        put_aborted_transactions(out, partition.aborted_transactions, flexible);
        if version >= 11 {
            out.put_i32(partition.preferred_read_replica);
        }
        // A byte field has the same length prefix as an array.
        writer::put_array_length(out, records_size_bytes, flexible);
        self.records_bytes += records_size_bytes;
        let records_at = out.len();
        if flexible {
            partition_tags(partition).finish(out);
        }
        if self.partitions_left == 0 {
            writer::put_no_tags(out, flexible);
        }
        records_at
    }

    /// Returns the size of all records, which the frame has beyond `out`. `node_endpoints`: where
    /// the leaders named in the partitions are (KIP-951); left out before version 16.
    pub fn finish(self, node_endpoints: &[NodeEndpoint<'_>]) -> usize {
        assert_eq!(
            (self.topics_left, self.partitions_left),
            (0, 0),
            "everything announced was written"
        );
        if self.flexible() {
            let endpoints = if self.version >= 16 { node_endpoints } else { &[] };
            writer::put_node_endpoints(self.out, endpoints);
        }
        self.records_bytes
    }
}

fn put_aborted_transactions(
    out: &mut BytesMut,
    aborted: Option<&[AbortedTransaction]>,
    flexible: bool,
) {
    let Some(aborted) = aborted else {
        return if flexible { put_uvarint(out, 0) } else { out.put_i32(-1) };
    };
    writer::put_array_length(out, aborted.len(), flexible);
    for transaction in aborted {
        out.put_i64(transaction.producer_id);
        out.put_i64(transaction.first_offset);
        writer::put_no_tags(out, flexible);
    }
}

fn partition_tags(partition: &PartitionFetchResponse<'_>) -> Tags {
    let mut tags = Tags::default();
    if let Some(diverging) = partition.diverging_epoch {
        writer::put_tag(&mut tags, 0, |out| {
            out.put_i32(diverging.epoch);
            out.put_i64(diverging.end_offset);
            writer::put_no_tags(out, true);
        });
    }
    if let Some(leader) = partition.current_leader {
        writer::put_tag(&mut tags, 1, |out| leader.write(out));
    }
    if let Some(snapshot) = partition.snapshot_id {
        writer::put_tag(&mut tags, 2, |out| {
            out.put_i64(snapshot.end_offset);
            out.put_i32(snapshot.epoch);
            writer::put_no_tags(out, true);
        });
    }
    tags
}

#[cfg(test)]
mod tests;
