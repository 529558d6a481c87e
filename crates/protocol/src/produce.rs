//! Produce (API 0), versions 3 to 13: the request seen in its frame, the response written field by
//! field.
//!
//! Owns: the layout of both (schemas ProduceRequest, ProduceResponse). Lives on: the core that owns
//! the connection. Never: copies records, or looks into them ([`crate::records`] does).

use std::ops::Range;

use bytes::{BufMut, BytesMut};

use crate::error::ErrorCode;
use crate::message::{DecodeError, DecodeErrorKind};
use crate::primitives::{Reader, Tags};
use crate::uuid::Uuid;
use crate::view::{self, CHECKED, Text, TopicRef, TopicWalk};
use crate::writer::{self, LeaderIdAndEpoch, NodeEndpoint};

pub const MIN_VERSION: i16 = 3;
pub const MAX_VERSION: i16 = 13;
const FLEXIBLE_FROM: i16 = 9;
/// The first version that names topics by their ids.
pub const TOPIC_ID_FROM: i16 = 13;

/// A produce request in its frame.
#[derive(Debug, Clone)]
pub struct ProduceRequest<'a> {
    pub transactional_id: Option<Text<'a>>,
    /// 0: no reply; 1: the leader alone; −1: all in-sync replicas. Anything else is the caller's to
    /// refuse.
    pub acks: i16,
    pub timeout_ms: i32,
    version: i16,
    walk: TopicWalk<'a>,
}

/// The records for one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProducePartition<'a> {
    pub topic: TopicRef<'a>,
    pub index: i32,
    /// Where the records lie in the frame; none when the client sent null.
    pub records: Option<Range<usize>>,
}

impl<'a> ProduceRequest<'a> {
    /// Checks the whole body, which starts at `body_start` of `frame` and reaches to its end.
    /// Ranges count from the start of `frame`, so that a caller that knows them can split the
    /// buffer behind it without copying.
    pub fn parse(frame: &'a [u8], body_start: usize, version: i16) -> Result<Self, DecodeError> {
        let mut reader = view::reader_at(frame, body_start)?;
        if !(MIN_VERSION..=MAX_VERSION).contains(&version) {
            return Err(reader.error(DecodeErrorKind::UnsupportedVersion {
                message: "ProduceRequest",
                version,
            }));
        }
        let flexible = version >= FLEXIBLE_FROM;
        let transactional_id = Text::read_nullable(&mut reader, flexible)?;
        let acks = reader.i16()?;
        let timeout_ms = reader.i32()?;
        let walk = TopicWalk::new(frame, &mut reader, flexible, version >= TOPIC_ID_FROM)?;
        let mut check = walk.clone();
        while check.next(|reader, topic| read_partition(reader, topic, version))?.is_some() {}
        let mut reader = view::reader_at(frame, check.position())?;
        view::tags(&mut reader, flexible)?;
        reader.expect_end()?;
        Ok(Self { transactional_id, acks, timeout_ms, version, walk })
    }

    /// The partitions in the order of the request; those of a topic follow each other.
    pub fn partitions(&self) -> impl Iterator<Item = ProducePartition<'a>> + use<'a> {
        let (mut walk, version) = (self.walk.clone(), self.version);
        std::iter::from_fn(move || {
            walk.next(|reader, topic| read_partition(reader, topic, version)).expect(CHECKED)
        })
    }
}

#[inline]
fn read_partition<'a>(
    reader: &mut Reader<'a>,
    topic: TopicRef<'a>,
    version: i16,
) -> Result<ProducePartition<'a>, DecodeError> {
    let flexible = version >= FLEXIBLE_FROM;
    let index = reader.i32()?;
    let records = view::nullable_range(reader, flexible)?;
    view::tags(reader, flexible)?;
    Ok(ProducePartition { topic, index, records })
}

/// A record that made its batch be refused (KIP-467).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordError {
    pub batch_index: i32,
    pub message: Option<String>,
}

/// The answer for one partition. Fields that the version lacks are left out on the wire.
#[derive(Debug, Clone)]
pub struct PartitionProduceResponse<'a> {
    pub index: i32,
    pub error: ErrorCode,
    /// The offset of the first record, or −1.
    pub base_offset: i64,
    /// The broker's time in the records' place, or −1 where the records keep their creator's.
    pub log_append_time_ms: i64,
    pub log_start_offset: i64,
    pub record_errors: &'a [RecordError],
    pub error_message: Option<&'a str>,
    /// Who leads instead of us (KIP-951).
    pub current_leader: Option<LeaderIdAndEpoch>,
}

impl PartitionProduceResponse<'_> {
    /// A refusal without details.
    pub fn refused(index: i32, error: ErrorCode) -> Self {
        Self {
            index,
            error,
            base_offset: -1,
            log_append_time_ms: -1,
            log_start_offset: -1,
            record_errors: &[],
            error_message: None,
            current_leader: None,
        }
    }

    /// Nothing of it has a length of its own.
    fn is_plain(&self) -> bool {
        self.record_errors.is_empty()
            && self.error_message.is_none()
            && self.current_leader.is_none()
    }

    /// `is_last`: of its topic, which ends behind it.
    #[inline]
    fn write(&self, out: &mut impl BufMut, version: i16, is_last: bool) {
        let flexible = version >= FLEXIBLE_FROM;
        out.put_i32(self.index);
        out.put_i16(self.error.code());
        out.put_i64(self.base_offset);
        out.put_i64(self.log_append_time_ms);
        if version >= 5 {
            out.put_i64(self.log_start_offset);
        }
        if version >= 8 {
            writer::put_array_length(out, self.record_errors.len(), flexible);
            for record in self.record_errors {
                out.put_i32(record.batch_index);
                writer::put_text(out, record.message.as_deref(), flexible);
                writer::put_no_tags(out, flexible);
            }
            writer::put_text(out, self.error_message, flexible);
        }
        if flexible {
            let mut tags = Tags::default();
            if let (Some(leader), true) = (self.current_leader, version >= 10) {
                writer::put_tag(&mut tags, 0, |out| leader.write(out));
            }
            tags.finish(out);
        }
        if is_last {
            writer::put_no_tags(out, flexible);
        }
    }
}

/// Enough for index, error, three numbers of eight bytes, an empty array, a null text and two
/// numbers of tagged fields, in any version.
const PLAIN_PARTITION_MAX_BYTES: usize = 40;

/// Writes the body of a produce response: topics, each with as many partitions as announced, then
/// [`Self::finish`].
#[derive(Debug)]
pub struct ProduceResponseWriter<'a> {
    out: &'a mut BytesMut,
    version: i16,
    topics_left: usize,
    partitions_left: usize,
}

impl<'a> ProduceResponseWriter<'a> {
    pub fn new(out: &'a mut BytesMut, version: i16, topic_count: usize) -> Self {
        assert!(
            (MIN_VERSION..=MAX_VERSION).contains(&version),
            "the request had a version that is served"
        );
        writer::put_array_length(out, topic_count, version >= FLEXIBLE_FROM);
        Self { out, version, topics_left: topic_count, partitions_left: 0 }
    }

    fn flexible(&self) -> bool {
        self.version >= FLEXIBLE_FROM
    }

    /// Name or id goes on the wire, as the version has it.
    pub fn begin_topic(&mut self, name: &str, id: Uuid, partition_count: usize) {
        assert_eq!(self.partitions_left, 0, "the topic before is complete");
        self.topics_left = self.topics_left.checked_sub(1).expect("not more topics than announced");
        self.partitions_left = partition_count;
        writer::put_topic(self.out, name, id, self.flexible(), self.version >= TOPIC_ID_FROM);
        writer::put_array_length(self.out, partition_count, self.flexible());
        if partition_count == 0 {
            writer::put_no_tags(self.out, self.flexible());
        }
    }

    pub fn partition(&mut self, partition: &PartitionProduceResponse<'_>) {
        self.partitions_left =
            self.partitions_left.checked_sub(1).expect("not more partitions than announced");
        let is_last = self.partitions_left == 0;
        if partition.is_plain() {
            // Gathered before it is written: each write into a buffer of bytes is a call.
            let mut plain = [0; PLAIN_PARTITION_MAX_BYTES];
            let mut room = &mut plain[..];
            partition.write(&mut room, self.version, is_last);
            let length = PLAIN_PARTITION_MAX_BYTES - room.len();
            self.out.extend_from_slice(&plain[..length]);
        } else {
            partition.write(self.out, self.version, is_last);
        }
    }

    /// `node_endpoints`: where the leaders named in the partitions are (KIP-951); left out before
    /// version 10.
    pub fn finish(self, throttle_time_ms: i32, node_endpoints: &[NodeEndpoint<'_>]) {
        assert_eq!(
            (self.topics_left, self.partitions_left),
            (0, 0),
            "everything announced was written"
        );
        self.out.put_i32(throttle_time_ms);
        if self.flexible() {
            let endpoints = if self.version >= 10 { node_endpoints } else { &[] };
            writer::put_node_endpoints(self.out, endpoints);
        }
    }
}

#[cfg(test)]
mod tests;
