//! Loading a coordinator from its partition.
//!
//! Owns: nothing. Lives on: every core. Never: believes a batch that is not what was written, or
//! gives the coordinator up for an error that may pass: it waits, longer each time, and says so
//! once.

use super::{
    Hosted, Words,
    host::{Host, Stage},
};
use crate::{
    limits,
    log::{Log, ReadError, Want, Wants, log_dir_of, remedy},
    shard::Shard,
};
use bytes::Bytes;
use ring::Ring;
use std::{fmt::Display, io, rc::Rc, time::Duration};

/// Bytes of the log that are loaded at a time.
const LOAD_BYTES: usize = 4 << 20;

/// Why a coordinator is not there.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum LoadError {
    /// Another load may end better.
    Again(String),
    /// What the log holds is not what was written: no other load ends better before it is mended.
    Damaged(String),
}

/// Before the try that follows so many failed ones.
pub(super) fn pause_after(failures: u32) -> Duration {
    let doubled =
        limits::COORDINATOR_PAUSE_MIN_MS.saturating_mul(1 << failures.saturating_sub(1).min(31));
    Duration::from_millis(doubled.min(limits::COORDINATOR_PAUSE_MAX_MS))
}

/// The stage that follows: it is held if not all of the log could be had.
pub(super) async fn load<M: Hosted>(shard: &Shard, host: &Host<M>) -> Result<Stage, LoadError> {
    let log = &host.partition.log;
    // What was appended by an incarnation that failed may still be on its way to the disk.
    let mut end = log.log_end_offset();
    let mut stage = Stage::Active;
    if log.refusal().is_some() || shard.wait_for_high_watermark(&host.partition, end).await.is_err()
    {
        if host.partition.has_failed() {
            return Err(LoadError::Again("it cannot be read to its end".to_owned()));
        }
        (end, stage) = (log.high_watermark(), Stage::Held);
    }
    let committed = log.high_watermark();
    assert!(end <= committed, "{end} is to be loaded, and {committed} is committed");
    let is_wanted = || !host.ended.get() && !host.partition.has_failed() && !shard.is_stopping();
    let take = |bytes: &[u8], offset| {
        let loaded = host.coordinator.borrow_mut().load(bytes, offset);
        host.take_account();
        loaded.map_err(|error| damaged(log, &M::WORDS, &error))
    };
    let source = Source {
        ring: &shard.ring,
        wants: &shard.data.wants,
        words: &M::WORDS,
        log,
        end,
        is_wanted: &is_wanted,
    };
    source.read_up_to(take).await?;
    match host.partition.has_failed() {
        true => Err(LoadError::Again("its log has failed under the load".to_owned())),
        false => Ok(stage),
    }
}

/// What is loaded from.
struct Source<'a> {
    ring: &'a Ring,
    wants: &'a Rc<Wants>,
    words: &'a Words,
    log: &'a Log,
    /// Records from there on are not wanted.
    end: i64,
    is_wanted: &'a dyn Fn() -> bool,
}

impl Source<'_> {
    /// Hands everything to `take`, piece by piece, for as long as it is wanted. `take` gets the
    /// offset that the piece was read at, and returns the one that follows it.
    async fn read_up_to(
        &self,
        mut take: impl FnMut(&[u8], i64) -> Result<i64, LoadError>,
    ) -> Result<(), LoadError> {
        let Source { words, log, end, is_wanted, .. } = self;
        let mut offset = log.log_start_offset();
        while offset < *end && is_wanted() {
            let bytes = self.read_piece(offset).await?;
            // Compacted logs may have gaps, one at their end included: an empty segment begins
            // behind it.
            let Some(bytes) = bytes.filter(|bytes| !bytes.is_empty() && is_wanted()) else { break };
            let before = offset;
            offset = take(&bytes, before)?;
            assert!(before < offset, "a load goes on from {before} at {offset}");
            if offset > *end {
                let what =
                    format_args!("a batch ends at offset {offset}, behind the log's end {end}");
                return Err(damaged(log, words, &what));
            }
        }
        Ok(())
    }

    /// The next piece, however long the disk takes to give it; `None` once the load is not wanted
    /// any more.
    async fn read_piece(&self, offset: i64) -> Result<Option<Bytes>, LoadError> {
        let (mut failures, mut want) = (0, None);
        loop {
            match self.log.read_bytes(offset, LOAD_BYTES, self.end).await {
                Ok(bytes) => {
                    want.into_iter().for_each(Want::healed);
                    return Ok(Some(bytes));
                }
                Err(ReadError::Io(error)) if is_damage(&error) => {
                    return Err(damaged(self.log, self.words, &error));
                }
                Err(ReadError::Io(error)) => {
                    let todo = if ring::passes(&error) { remedy(&error) } else { "mend the disk" };
                    let begin = || {
                        self.wants.begin_as(
                            &self.log.dir(),
                            self.words.not_loaded,
                            error.to_string(),
                            todo,
                        )
                    };
                    want.get_or_insert_with(begin);
                }
                Err(error) => return Err(LoadError::Again(error.to_string())),
            }
            failures += 1;
            self.ring.sleep(pause_after(failures)).await;
            if !(self.is_wanted)() {
                return Ok(None);
            }
        }
    }
}

/// Whether the file was read, and is not what it must be.
fn is_damage(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof)
}

fn damaged(log: &Log, words: &Words, what: &dyn Display) -> LoadError {
    let served = words.served;
    let folder = log.dir();
    LoadError::Damaged(format!(
        "{}: {what}. The {served} of this partition get COORDINATOR_NOT_AVAILABLE, and all its \
         files stay as they are, until it is \
         mended and the broker is started again: restore the file from a backup, or stop the \
         broker and type \
         `millstream log check {}`, which says what is left, and how to serve that",
        folder.display(),
        log_dir_of(&folder).display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        coord::{
            groups::{GroupSettings, Groups},
            runtime::Coordinator,
        },
        log::{
            CleanupPolicy, LogConfig, LogStart,
            tests::{append, crashed, on_epoll, open, simulated::run_in, small_config},
        },
    };
    use ring::sim::{SimOptions, World};
    use std::{cell::Cell, path::Path};

    /// Where the pieces of a log end.
    async fn ends(ring: &Ring, log: &Log, end: i64) -> Result<Vec<i64>, LoadError> {
        let mut coordinator = Coordinator::<Groups>::new(GroupSettings::default());
        let mut ends = Vec::new();
        let take = |bytes: &[u8], offset| {
            let loaded = coordinator
                .load(bytes, offset)
                .map_err(|error| damaged(log, &Groups::WORDS, &error));
            ends.extend(loaded.as_ref().ok());
            loaded
        };
        let (wants, words) = (&Wants::new(ring), &Groups::WORDS);
        Source { ring, wants, words, log, end, is_wanted: &|| true }.read_up_to(take).await?;
        Ok(ends)
    }

    /// A failed sync had taken the end of one segment, and left the empty next one: the coordinator
    /// was never loaded.
    #[test]
    fn a_log_with_a_gap_at_its_end_is_loaded() {
        on_epoll(|ring, temp| async move {
            let dir = temp.partition();
            let config = LogConfig {
                cleanup_policy: CleanupPolicy { delete: false, compact: true },
                ..small_config()
            };
            let log = open(&ring, &dir, config.clone(), LogStart::default()).await;
            append(&log, 0, &[b"a", b"b"]);
            append(&log, 0, &[b"c"]);
            log.close().await.unwrap();
            std::fs::write(dir.join("00000000000000000010.log"), b"").unwrap();
            let log = open(&ring, &dir, config, crashed(0)).await;
            assert_eq!(log.log_end_offset(), 10);
            assert_eq!(ends(&ring, &log, 10).await, Ok(vec![3]));
        });
    }

    /// A flipped bit gave another committed offset.
    #[test]
    fn a_flipped_bit_anywhere_in_a_batch_ends_the_load() {
        on_epoll(|ring, temp| async move {
            let dir = temp.partition();
            let log = open(&ring, &dir, small_config(), LogStart::default()).await;
            append(&log, 0, &[b"a", b"b"]);
            append(&log, 0, &[b"c"]);
            let state = log.close().await.unwrap();
            let path = dir.join("00000000000000000000.log");
            let whole = std::fs::read(&path).unwrap();
            let second = protocol::records::batches(&whole).next().unwrap().unwrap().size_bytes();
            // The base offset, the length, the magic number, the CRC itself, a count, and the last
            // byte of the records.
            for at in [second, second + 8, second + 16, second + 17, second + 60, whole.len() - 1] {
                let mut harmed = whole.clone();
                harmed[at] ^= 0x40;
                std::fs::write(&path, &harmed).unwrap();
                let start = LogStart {
                    clean: true,
                    recovery_point: 3,
                    state: Some(state.clone()),
                    ..LogStart::default()
                };
                let log = open(&ring, &dir, small_config(), start).await;
                let Err(LoadError::Damaged(why)) = ends(&ring, &log, 3).await else {
                    panic!("byte {at} is believed")
                };
                assert!(
                    why.contains("millstream log check") && why.contains(dir.to_str().unwrap()),
                    "{why}"
                );
            }
        });
    }

    /// Where nothing is broken, waiting helps; it said a line and read the whole log anew each
    /// second.
    #[test]
    fn a_disk_that_does_not_read_for_a_while_is_waited_for() {
        let world = World::new(1, SimOptions::calm());
        let node = world.node("a");
        let disk = world.disk(node);
        run_in(&world, node, move |ring| async move {
            let log = open(
                &ring,
                Path::new("/data/__consumer_offsets-0"),
                small_config(),
                LogStart::default(),
            )
            .await;
            append(&log, 0, &[b"a"]);
            log.close().await.unwrap();
            let log =
                open(&ring, Path::new("/data/__consumer_offsets-0"), small_config(), crashed(0))
                    .await;
            disk.fail_reads(".log");
            let tries = Cell::new(0);
            let is_wanted = || tries.replace(tries.get() + 1) < 3;
            let before = ring.now();
            let (wants, words) = (&Wants::new(&ring), &Groups::WORDS);
            let source =
                Source { ring: &ring, wants, words, log: &log, end: 1, is_wanted: &is_wanted };
            assert_eq!(source.read_up_to(|_, _| panic!("nothing can be read")).await, Ok(()));
            let waited = ring.now().since(before);
            assert!(waited >= pause_after(1) + pause_after(2), "{waited:?}");
        });
        world.close();
    }

    #[test]
    fn pauses_double_up_to_a_bound() {
        assert_eq!(pause_after(1), Duration::from_millis(limits::COORDINATOR_PAUSE_MIN_MS));
        assert_eq!(pause_after(2), 2 * pause_after(1));
        assert_eq!(pause_after(u32::MAX), Duration::from_millis(limits::COORDINATOR_PAUSE_MAX_MS));
    }
}
