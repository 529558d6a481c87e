//! The reads of a fetch on the core that owns the partitions.
//!
//! Owns: how much one core may still give to one fetch. Lives on: the core of the partitions.
//! Never: copies records: they leave from memory, or as a range of a file.

use crate::{
    limits,
    log::{self, Log, ReadData, ReadError, ReadPart, ReadParts},
    shard::{
        Shard,
        partition::{FetchWaiter, Partition, PartitionId},
    },
};
use protocol::{
    ErrorCode,
    fetch::{AbortedTransaction, EpochAndOffset},
};
use ring::Instant;
use std::{io, ops::Range};

/// What all reads of one fetch have in common.
#[derive(Clone, Copy, Debug, Default)]
pub struct FetchOptions {
    pub max_bytes: usize,
    pub read_committed: bool,
    /// The request names topics by their ids.
    pub by_id: bool,
    /// The watch that a partition without records tells when it moves, and the end of that watch.
    pub watch: Option<(u64, Instant)>,
    /// What may come from memory; the rest comes as ranges of files.
    pub memory_bytes: usize,
}

/// One read on the core that owns the partition.
#[derive(Clone, Debug)]
pub struct FetchRead {
    pub id: PartitionId,
    pub fetch_offset: i64,
    pub current_leader_epoch: i32,
    pub last_fetched_epoch: i32,
    pub max_bytes: usize,
}

/// What a read came to.
#[derive(Debug)]
pub struct FetchedPartition {
    pub error: ErrorCode,
    pub high_watermark: i64,
    pub last_stable_offset: i64,
    pub log_start_offset: i64,
    /// `None` unless only committed records were asked for.
    pub aborted: Option<Vec<AbortedTransaction>>,
    pub parts: ReadParts,
    pub size_bytes: usize,
    /// Epoch and end offset where a follower's or a consumer's history differs (KIP-595).
    pub diverging: Option<EpochAndOffset>,
}

impl FetchedPartition {
    pub(super) fn error(error: ErrorCode) -> FetchedPartition {
        FetchedPartition {
            error,
            high_watermark: -1,
            last_stable_offset: -1,
            log_start_offset: -1,
            aborted: None,
            parts: ReadParts::new(),
            size_bytes: 0,
            diverging: None,
        }
    }
}

/// One core's share of a fetch, partition by partition: how much more it may give.
pub(super) struct Share {
    /// The core of the connection.
    core: usize,
    options: FetchOptions,
    left_bytes: usize,
    any: bool,
}

impl Share {
    pub fn new(core: usize, options: FetchOptions) -> Share {
        Share { core, options, left_bytes: options.max_bytes, any: false }
    }

    pub async fn read(&mut self, shard: &Shard, read: &FetchRead) -> FetchedPartition {
        let partition = shard.data.partition(read.id);
        let absence = || FetchedPartition::error(shard.absence(read.id, self.options.by_id));
        let Some(partition) = partition else { return absence() };
        if let Some((watch, until)) = self.options.watch {
            partition.watch(FetchWaiter { core: self.core, watch }, until, shard.ring.now());
        }
        let max_bytes = read.max_bytes.min(self.left_bytes);
        let memory_bytes = self.options.memory_bytes;
        let from = if memory_bytes < limits::REPLY_PINNED_BYTES {
            From::Files { max_bytes }
        } else {
            From::Anywhere { max_bytes: max_bytes.min(memory_bytes) }
        };
        let fetched =
            read_one(&partition, read, from, !self.any, self.options.read_committed).await;
        if fetched.error != ErrorCode::None && partition.is_gone() {
            return absence();
        }
        self.any |= fetched.size_bytes > 0;
        self.left_bytes = self.left_bytes.saturating_sub(fetched.size_bytes);
        let in_memory =
            |part: &ReadPart| if let ReadPart::Memory(bytes) = part { bytes.len() } else { 0 };
        self.options.memory_bytes =
            memory_bytes.saturating_sub(fetched.parts.iter().map(in_memory).sum());
        fetched
    }
}

/// Where records are taken from, and how many bytes of them.
#[derive(Clone, Copy)]
enum From {
    /// From memory where they are there.
    Anywhere { max_bytes: usize },
    /// Ranges of files, which cost no memory.
    Files { max_bytes: usize },
}

async fn read_one(
    partition: &Partition,
    read: &FetchRead,
    from: From,
    at_least_one: bool,
    read_committed: bool,
) -> FetchedPartition {
    if partition.has_failed() {
        return FetchedPartition::error(ErrorCode::KafkaStorageError);
    }
    if let Err(error) = partition.check_leader(read.current_leader_epoch) {
        return FetchedPartition::error(error);
    }
    let log = &partition.log;
    let mut result = FetchedPartition {
        high_watermark: log.high_watermark(),
        last_stable_offset: log.last_stable_offset(),
        log_start_offset: log.log_start_offset(),
        ..FetchedPartition::error(ErrorCode::None)
    };
    if read.last_fetched_epoch >= 0 {
        let (epoch, end_offset) = log.end_of_epoch(read.last_fetched_epoch);
        // An epoch that the log has never had, or records that it has no more: nothing says where
        // the histories part.
        if epoch < 0 || read.fetch_offset < result.log_start_offset {
            return FetchedPartition::error(ErrorCode::OffsetOutOfRange);
        }
        if epoch < read.last_fetched_epoch || end_offset < read.fetch_offset {
            result.diverging = Some(EpochAndOffset { epoch, end_offset });
            return result;
        }
    }
    let up_to = if read_committed { result.last_stable_offset } else { result.high_watermark };
    let data = read_log(log, read.fetch_offset, from, at_least_one, up_to).await;
    let ReadData { parts, size_bytes, upper_bound_offset } = match data {
        Ok(data) => data,
        Err(ReadError::OffsetOutOfRange { .. }) => {
            return FetchedPartition::error(ErrorCode::OffsetOutOfRange);
        }
        Err(error) => return unreadable(partition, "cannot read", &error),
    };
    let has_none = parts.is_empty();
    assert_eq!(has_none, size_bytes == 0, "a read of {size_bytes} bytes, all in its parts");
    if read_committed {
        let aborted = aborted_transactions(partition, read.fetch_offset..upper_bound_offset).await;
        if log.log_start_offset() > read.fetch_offset {
            // What retention removed meanwhile has its aborted transactions no more.
            return FetchedPartition::error(ErrorCode::OffsetOutOfRange);
        }
        match aborted {
            Ok(aborted) => result.aborted = Some(aborted),
            Err(error) => {
                return unreadable(partition, "cannot read its transaction index", &error);
            }
        }
    }
    let counters = &partition.counters;
    counters.fetch_requests.set(counters.fetch_requests.get() + 1);
    counters.fetch_bytes.set(counters.fetch_bytes.get() + size_bytes as u64);
    (result.parts, result.size_bytes) = (parts, size_bytes);
    result
}

async fn read_log(
    log: &Log,
    offset: i64,
    from: From,
    at_least_one: bool,
    up_to: i64,
) -> Result<ReadData, ReadError> {
    match from {
        From::Files { max_bytes } => log.read_files(offset, max_bytes, at_least_one, up_to).await,
        From::Anywhere { max_bytes } => {
            match log.try_read_tail(offset, max_bytes, at_least_one, up_to) {
                Some(data) => Ok(data),
                None => log.read(offset, max_bytes, at_least_one, up_to).await,
            }
        }
    }
}

fn unreadable(
    partition: &Partition,
    what: &str,
    error: &dyn std::fmt::Display,
) -> FetchedPartition {
    tracing::error!(topic = %partition.topic, partition = partition.id.index, %error, "{what}");
    FetchedPartition::error(ErrorCode::KafkaStorageError)
}

/// Those whose records a read_committed consumer skips. Without them it would take records of
/// aborted transactions for committed ones: an error is the reader's.
async fn aborted_transactions(
    partition: &Partition,
    offsets: Range<i64>,
) -> io::Result<Vec<AbortedTransaction>> {
    let aborted = partition.log.aborted_transactions(offsets.start, offsets.end).await?;
    let answer = |transaction: log::AbortedTransaction| AbortedTransaction {
        producer_id: transaction.producer_id,
        first_offset: transaction.first_offset,
    };
    Ok(aborted.into_iter().map(answer).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        log::{
            LogStart,
            tests::{NOW_MS, basics::append_aborted, open, simulated::run_in, small_config},
        },
        shard::partition::role::Role,
    };
    use ring::sim::{SimOptions, World};
    use std::path::Path;

    /// A reader of one batch was told of all that had been aborted up to the end of the tail.
    #[test]
    fn a_read_of_the_tail_names_what_was_aborted_up_to_its_own_end() {
        let world = World::new(1, SimOptions::calm());
        let node = world.node("a");
        run_in(&world, node, move |ring| async move {
            let log =
                open(&ring, Path::new("/data/topic-0"), small_config(), LogStart::default()).await;
            for round in 0..4 {
                append_aborted(&log, NOW_MS, 7, round);
            }
            log.sync().await.unwrap();
            log.set_high_watermark(log.log_end_offset());
            assert!(log.try_read_tail(0, 1, true, i64::MAX).is_some(), "all of it is in memory");
            let config = log.config();
            let partition = Partition::new(log.id(), "topic".into(), log, config, Role::alone());
            let fetch = async |max_bytes| {
                let read = FetchRead {
                    id: partition.id,
                    fetch_offset: 0,
                    current_leader_epoch: -1,
                    last_fetched_epoch: -1,
                    max_bytes,
                };
                let from = From::Anywhere { max_bytes };
                let fetched = read_one(&partition, &read, from, true, true).await;
                fetched.aborted.expect("what was aborted").len()
            };
            assert_eq!((fetch(1).await, fetch(1 << 20).await), (1, 4));
        });
        world.close();
    }

    /// The reader was told that nothing was aborted, and would have taken the records.
    #[test]
    fn an_index_of_aborted_transactions_that_cannot_be_read_is_an_error() {
        let world = World::new(1, SimOptions::calm());
        let node = world.node("a");
        let disk = world.disk(node);
        run_in(&world, node, move |ring| async move {
            let log =
                open(&ring, Path::new("/data/topic-0"), small_config(), LogStart::default()).await;
            // Enough of them that finished segments have theirs in a file.
            for round in 0..60 {
                append_aborted(&log, NOW_MS, 7, round);
            }
            log.sync().await.unwrap();
            log.checkpoint().await.unwrap();
            log.set_high_watermark(log.log_end_offset());
            let config = log.config();
            let partition = Partition::new(log.id(), "topic".into(), log, config, Role::alone());
            let read = FetchRead {
                id: partition.id,
                fetch_offset: 0,
                current_leader_epoch: -1,
                last_fetched_epoch: -1,
                max_bytes: 1 << 20,
            };
            let fetch = async |read_committed| {
                let from = From::Files { max_bytes: read.max_bytes };
                read_one(&partition, &read, from, true, read_committed).await
            };
            let aborted = fetch(true).await.aborted.map(|aborted| aborted.len());
            assert!(aborted.is_some_and(|count| count > 1), "{aborted:?}");
            disk.fail_reads(".txnindex");
            let refused = fetch(true).await;
            assert_eq!((refused.error, refused.size_bytes), (ErrorCode::KafkaStorageError, 0));
            let uncommitted = fetch(false).await;
            assert_eq!((uncommitted.error, uncommitted.aborted.is_none()), (ErrorCode::None, true));
        });
        world.close();
    }
}
