//! The recovery point, and what a recovery from there needs: index files, leader epochs, and a
//! producer snapshot.
//!
//! Owns: when these files are written. Lives on the core of the log, in the background. Never:
//! moves the recovery point beyond what the log's own files have on the disk.

use crate::log::{Log, checkpoint::format_epochs, files, segment::Segment};
use std::io;

/// How much is appended before a checkpoint is worth a new producer snapshot: bounds what a
/// recovery replays.
const SNAPSHOT_INTERVAL_BYTES: u64 = 64 << 20;

impl Log {
    /// Moves the recovery point up to what its own files have on the disk, after writing whatever
    /// makes that enough for a recovery: index files of finished segments, leader epochs, and a
    /// producer snapshot when the last one is far behind. In the background; the recovery point
    /// that holds then.
    pub async fn checkpoint(&self) -> io::Result<i64> {
        let _guard = self.0.files_lock.lock().await;
        self.0.writer.failure()?;
        let synced = self.synced_offset();
        if synced == self.recovery_point() && !self.0.epochs_changed.get() {
            return Ok(synced);
        }
        let truncations = self.0.writer.truncations.get();
        let (ring, dir) = (&self.0.ring, self.dir());
        self.finish_rolled().await?;
        let segments = self.segments();
        for pair in segments.windows(2) {
            let (segment, next) = (&pair[0], &pair[1]);
            if next.base_offset > synced {
                break;
            }
            if segment.indexes_synced.get() {
                continue;
            }
            segment.flush_indexes(ring, &dir, true).await?;
            self.keep_aborted(segment, segment.sync_indexes(ring, &dir).await)?;
            self.trim_log(segment).await?;
            segment.set_indexes_synced();
            // There may be more such segments than files that may be open.
            segment.close_idle_files(false);
        }
        // Where the recovery point will lie: no longer the active one where that was rolled while
        // what was appended before was synced. A recovery checks the other indexes, and finds what
        // they lack; that of aborted transactions it believes.
        let last = segments.iter().rfind(|one| one.base_offset <= synced);
        let last = last.or(segments.first()).expect("a log has a segment");
        last.flush_indexes(ring, &dir, false).await?;
        self.keep_aborted(last, last.sync_aborted(ring, &dir).await)?;
        self.write_epochs().await?;
        if self.0.bytes_since_snapshot.get() > SNAPSHOT_INTERVAL_BYTES {
            self.write_snapshot().await?;
        }
        if self.0.writer.truncations.get() == truncations {
            let before = self.0.recovery_point.replace(synced);
            assert!(before <= synced, "the recovery point falls from {before} to {synced}");
            self.check_order();
        }
        Ok(self.recovery_point())
    }

    /// A failed sync of aborted transactions is final: the kernel may have dropped them, a later
    /// sync would say that all is well, and a recovery from behind them believes what is there.
    pub(in crate::log) fn keep_aborted(
        &self,
        segment: &Segment,
        synced: io::Result<()>,
    ) -> io::Result<()> {
        let is_lost = segment.has_lost_aborted.get();
        if let Err(error) = &synced
            && is_lost
        {
            let path = files::path(&self.dir(), segment.base_offset, files::TXN_INDEX);
            self.fail("syncing", &path, error);
        }
        assert!(synced.is_err() || !is_lost, "{segment} may lack aborted transactions");
        synced
    }

    pub(in crate::log) async fn write_epochs(&self) -> io::Result<()> {
        if self.0.epochs_changed.replace(false) {
            let entries = self.0.epochs.borrow().entries_with_records(self.log_end_offset());
            assert!(
                entries.is_sorted_by(|a, b| a.0 < b.0 && a.1 < b.1),
                "epochs and their offsets rise: {entries:?}"
            );
            let text = format_epochs(&entries);
            let path = self.dir().join(files::LEADER_EPOCHS);
            if let Err(error) = self.0.ring.write_file_atomically(path, text.into()).await {
                self.0.epochs_changed.set(true);
                return Err(error);
            }
        }
        Ok(())
    }

    /// Writes the producer state as it stands at the end of the log.
    pub(in crate::log) async fn write_snapshot(&self) -> io::Result<()> {
        self.check_files_locked();
        let offset = self.log_end_offset();
        let newest = self.0.snapshots.get()[1];
        if newest == offset {
            return Ok(());
        }
        assert!(newest < offset, "a snapshot at {offset} follows one at {newest}");
        let snapshot = self.0.producers.borrow().encode_snapshot();
        let truncations = self.0.writer.truncations.get();
        // The next segment may begin here: then the snapshot tells the next start that the disk has
        // everything before.
        self.sync().await?;
        if self.0.writer.truncations.get() != truncations {
            return Ok(());
        }
        let synced = self.synced_offset();
        assert!(offset <= synced, "a snapshot at {offset} tells of more than {synced}");
        self.0.bytes_since_snapshot.set(0);
        let (ring, dir) = (&self.0.ring, self.dir());
        ring.write_file_atomically(files::path(&dir, offset, files::SNAPSHOT), snapshot).await?;
        // Besides those where segments begin the last two are kept: the newest may lie beyond the
        // recovery point.
        let [oldest, newest] = self.0.snapshots.replace([self.0.snapshots.get()[1], offset]);
        let at_segment =
            self.0.segments.borrow().iter().any(|segment| segment.base_offset == oldest);
        if !at_segment && oldest >= 0 && oldest != newest {
            files::remove_if_there(ring, &files::path(&dir, oldest, files::SNAPSHOT)).await?;
        }
        Ok(())
    }
}
