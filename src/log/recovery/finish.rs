//! The second half of a start: the files of a log that was found good become what the log is.
//!
//! Owns: the order of changes, syncs and what the commit log has besides. Lives on the core that
//! opens the log. Never: begins before all of the log was examined.

use super::Opening;
use crate::log::{
    Durability, Fault, Log, LogError,
    commit_log::ReplayPart,
    files,
    segment::{Segment, SegmentFile},
};
use ring::DirEntry;
use std::{collections::BTreeMap, io, rc::Rc};

/// What of an examined log, as it is found, may be in the page cache only.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Doubt {
    Nothing,
    /// The names of its files: it has no records yet.
    Names,
    Records,
}

impl Opening {
    /// Makes the files what the log is: cuts, builds anew and replays.
    pub async fn finish(self) -> Result<Log, LogError> {
        let Opening { log, start, doubt, changes, snapshots } = self;
        changes.apply(&log.0.ring, &log.dir(), &log.config()).await?;
        match doubt {
            Doubt::Nothing => {}
            // The first sync of records carries them along.
            Doubt::Names => log.0.writer.dir_changed(),
            Doubt::Records => log.sync_found(!start.replay.is_empty()).await?,
        }
        for (offset, snapshot) in snapshots {
            let end = log.log_end_offset();
            assert!(offset <= end, "a snapshot at {offset} tells of more than the log has, {end}");
            let path = files::path(&log.dir(), offset, files::SNAPSHOT);
            match log.0.ring.write_file_atomically(&path, snapshot.clone()).await {
                Ok(()) => log.0.snapshots.set([-1, offset]),
                // An older one and the batches since tell the same, and a full disk must not keep a
                // log from readers.
                Err(error) if ring::passes(&error) => {
                    tracing::warn!(path = %path.display(), %error, "a producer snapshot cannot be \
                        written for now");
                    log.owe_snapshot(offset, snapshot);
                }
                Err(error) => return Err(LogError::io("writing", path)(error)),
            }
        }
        if !start.clean && !start.replay.is_empty() {
            // What recovery has cut is cut on the disk by now: nothing old can come back into what
            // follows.
            log.replay(&start.replay).await?;
            log.sync().await.map_err(LogError::io("syncing", log.dir()))?;
        }
        let (written, end) = (log.written_offset(), log.log_end_offset());
        assert_eq!(written, end, "all that a start has found is in the files");
        log.check_order();
        // What needs a file opens it: there may be more logs than descriptors.
        log.close_idle_files();
        Ok(log)
    }
}

impl Log {
    /// Appends what the commit stream has beyond the end of the log.
    async fn replay(&self, parts: &[ReplayPart]) -> Result<(), LogError> {
        let before = self.log_end_offset();
        for part in parts.iter().filter(|part| part.to > before) {
            let read = part.read(&self.0.ring).await;
            let records = read.map_err(LogError::io("reading", &*part.path))?.freeze();
            let damaged = |fault| {
                let (path, synced_offset) = (part.path.to_path_buf(), part.to);
                LogError::Damaged { path, fault, synced_offset }
            };
            let end_offset = self.log_end_offset();
            if part.from > end_offset {
                return Err(damaged(Fault::StreamGap { from: part.from, end_offset }));
            }
            let taken = self.append_replayed(&records, part.to);
            taken.map_err(|error| damaged(Fault::StreamRecords { reason: error.to_string() }))?;
            self.wait_written().await.map_err(LogError::io("writing", self.dir()))?;
        }
        if self.log_end_offset() > before {
            tracing::info!(
                dir = %self.dir().display(), from = before, to = self.log_end_offset(),
                "records that were acknowledged from the commit stream are in the log now"
            );
        }
        Ok(())
    }

    /// The segments whose files recovery did not believe: those that reach the recovery point.
    pub(in crate::log) fn doubtful_segments(&self) -> Vec<Rc<Segment>> {
        let mut segments = self.segments();
        let first = segments
            .partition_point(|one| one.base_offset < self.recovery_point())
            .saturating_sub(1);
        segments.drain(..first);
        segments.retain(|segment| segment.exists(SegmentFile::Log));
        segments
    }

    /// Carries to the disk what recovery has found, names of files included.
    async fn sync_found(&self, has_replay: bool) -> Result<(), LogError> {
        let again = self.config().durability == Durability::Fsync || has_replay;
        self.settle_doubtful(again).await.map_err(LogError::io("writing again", self.dir()))?;
        self.sync().await.map_err(LogError::io("syncing", self.dir()))?;
        let (synced, end) = (self.synced_offset(), self.log_end_offset());
        assert_eq!(synced, end, "all that a start has found is on the disk");
        Ok(())
    }

    /// Has the next sync carry to the disk what recovery has found; with `again`, after
    /// [`Log::write_again`]. Segment by segment, and all but the last are synced here: there may be
    /// more of them than files that may be open.
    async fn settle_doubtful(&self, again: bool) -> io::Result<()> {
        let segments = self.doubtful_segments();
        for (at, segment) in segments.iter().enumerate() {
            segment.synced_bytes.set(0);
            let file = segment.file(&self.0.ring, &self.dir(), SegmentFile::Log).await?;
            if again {
                self.write_again(segment, &file).await?;
            }
            if at + 1 == segments.len() {
                self.0.writer.needs_sync(segment, &file);
            } else {
                self.sync_log_file_alone(segment, &file).await?;
                segment.synced_to(segment.written_bytes.get());
                segment.check_synced();
                segment.close_files();
            }
        }
        self.0.writer.dir_changed();
        Ok(())
    }
}

/// The `.log` files of a folder as they were found, by base offset.
pub(super) struct LogSizes(BTreeMap<i64, u64>);

impl LogSizes {
    pub(super) fn of(entries: &[DirEntry]) -> LogSizes {
        let size = |entry: &DirEntry| match files::parse(&entry.name) {
            Some((base, files::LOG)) => Some((base, entry.size_bytes)),
            _ => None,
        };
        LogSizes(entries.iter().filter_map(size).collect())
    }

    /// A log that was just made is on the disk. So is one that is just what had been synced at its
    /// recovery point: nothing was found beyond it, and nothing cut or removed.
    pub(super) fn doubt(&self, log: &Log, recovery_point: i64) -> Doubt {
        if self.0.is_empty() {
            return Doubt::Nothing;
        }
        let segments = log.0.segments.borrow();
        let as_found = |segment: &Rc<Segment>| {
            self.0
                .get(&segment.base_offset)
                .is_some_and(|size| *size == u64::from(segment.size_bytes.get()))
        };
        let is_as_synced = recovery_point == log.log_end_offset()
            && segments.len() == self.0.len()
            && segments.iter().all(as_found);
        match is_as_synced {
            true if recovery_point > 0 => Doubt::Nothing,
            true => Doubt::Names,
            false => Doubt::Records,
        }
    }
}
