//! What a log gives up: segments that are too old, too many, or below the log start; and the log as
//! a whole.
//!
//! Lives on the core of the log, in the background. The decision is pure. Files are renamed at once
//! (`.deleted`, `-delete`) and removed after `file.delete.delay.ms`, so that reads which began
//! earlier can end.

use super::{
    Log, LogConfig, ReadError,
    files::{self, remove_if_there},
    segment::{Segment, SegmentFile},
    writer::RETRY_INTERVAL,
};
use ring::Ring;
use std::{
    io,
    path::{Path, PathBuf},
    rc::Rc,
    time::Duration,
};

/// A segment as retention sees it.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    size_bytes: u64,
    largest_timestamp_ms: i64,
    end_offset: i64,
}

/// How many segments from the front may go (`UnifiedLog.deleteOldSegments`): first those below the
/// log start, then by size, then by time. Never one that reaches beyond the high watermark, never
/// an empty last one.
fn expired(
    segments: &[Candidate],
    config: &LogConfig,
    log_start_offset: i64,
    high_watermark: i64,
    now_ms: i64,
) -> usize {
    let last = segments.len().saturating_sub(1);
    let may_go = |at: usize| {
        at < segments.len()
            && segments[at].end_offset <= high_watermark
            && (at < last || segments[at].size_bytes > 0)
    };
    let mut count = 0;
    while count < last && may_go(count) && segments[count].end_offset <= log_start_offset {
        count += 1;
    }
    if !config.cleanup_policy.delete {
        return count;
    }
    if let Some(retention_bytes) = config.retention_bytes {
        let mut size_bytes: u64 = segments[count..].iter().map(|one| one.size_bytes).sum();
        while may_go(count) && size_bytes >= retention_bytes + segments[count].size_bytes {
            size_bytes -= segments[count].size_bytes;
            count += 1;
        }
    }
    if let Some(retention_ms) = config.retention_ms {
        while may_go(count)
            && now_ms.saturating_sub(segments[count].largest_timestamp_ms) > retention_ms
        {
            count += 1;
        }
    }
    let end = count.checked_sub(1).map_or(0, |at| segments[at].end_offset);
    assert!(
        count == 0 || end <= high_watermark,
        "retention reaches {end}, above the high watermark {high_watermark}"
    );
    count
}

impl Log {
    /// Raises the log start to `offset` (DeleteRecords): the new low watermark. Only what is below
    /// the high watermark may go. Segments that lie below it whole follow with the next
    /// [`Log::apply_retention`].
    pub async fn delete_records_before(&self, offset: i64) -> Result<i64, ReadError> {
        if offset > self.high_watermark() {
            return Err(ReadError::OffsetOutOfRange {
                offset,
                log_start_offset: self.log_start_offset(),
                log_end_offset: self.high_watermark(),
            });
        }
        if offset > self.synced_offset() {
            // A log that is shorter than its start would be taken for a damaged one.
            self.sync().await?;
        }
        self.raise_log_start(offset);
        Ok(self.log_start_offset())
    }

    /// Follows a leader whose log starts later than ours. Never beyond the end of this log.
    pub fn raise_log_start(&self, offset: i64) {
        let offset = offset.min(self.log_end_offset());
        if offset > self.log_start_offset() {
            self.0.log_start.set(offset);
            self.0.high_watermark.set(self.high_watermark().max(offset));
            if self.0.epochs.borrow_mut().truncate_from_start(offset) {
                self.0.epochs_changed.set(true);
            }
            self.check_order();
        }
    }

    /// Gives up what retention no longer wants: how many segments. `now_ms` is wall-clock time.
    pub async fn apply_retention(&self, now_ms: i64) -> io::Result<usize> {
        let _guard = self.0.files_lock.lock().await;
        if self.has_ended() {
            // A round of the background work met a log that was closed or deleted while it waited.
            return Ok(0);
        }
        self.0.writer.failure()?;
        if self.expired(now_ms) == 0 {
            return Ok(0);
        }
        if self.synced_offset() < self.high_watermark() {
            // What the commit stream has begins where this ends: no segment between the two may be
            // missing.
            self.sync_written().await?;
        }
        // The producers that only the oldest segments know go on in the snapshots of the later
        // ones.
        self.finish_rolled().await?;
        // Anew: the segment that was the last one may have got records meanwhile, which stay.
        let count = self.expired(now_ms);
        if count == 0 {
            return Ok(0);
        }
        if count == self.0.segments.borrow().len() {
            self.roll(self.log_end_offset(), now_ms);
            self.finish_rolled().await?;
        }
        let first = self.0.segments.borrow()[count].clone();
        if self.synced_offset() <= first.base_offset {
            // A folder without a segment would not tell where the log goes on. The segment may be
            // there since a pass before this one, or an append, that could not make its file.
            self.open_log_file(&first).await?;
            self.0.ring.sync_dir(self.dir()).await?;
        }
        let all = self.0.segments.borrow().len();
        assert!(count < all, "{count} of {all} segments go");
        let gone: Vec<Rc<Segment>> = self.0.segments.borrow_mut().drain(..count).collect();
        let new_start = self.0.segments.borrow()[0].base_offset;
        let high_watermark = self.high_watermark();
        assert!(
            new_start <= high_watermark,
            "retention takes what lies before {new_start}, above {high_watermark}"
        );
        self.raise_log_start(new_start);
        let start = self.log_start_offset();
        assert!(
            new_start <= start,
            "the log starts at {start}, below its first segment {new_start}"
        );
        tracing::info!(
            dir = %self.dir().display(), segments = count,
                log_start_offset = self.log_start_offset(),
            "retention deletes the oldest segments"
        );
        self.remove_oldest(&gone, new_start).await?;
        Ok(count)
    }

    /// How many segments from the front may go at this moment.
    fn expired(&self, now_ms: i64) -> usize {
        let (start, high_watermark) = (self.log_start_offset(), self.high_watermark());
        expired(&self.candidates(), &self.config(), start, high_watermark, now_ms)
    }

    fn candidates(&self) -> Vec<Candidate> {
        let segments = self.0.segments.borrow();
        let candidate = |at: usize, segment: &Segment| Candidate {
            size_bytes: u64::from(segment.size_bytes.get()),
            largest_timestamp_ms: match segment.max_timestamp.get().timestamp {
                unknown if unknown < 0 => segment.created_ms,
                known => known,
            },
            end_offset: segments.get(at + 1).map_or(self.log_end_offset(), |next| next.base_offset),
        };
        assert!(
            segments.is_sorted_by(|a, b| a.base_offset < b.base_offset),
            "segments follow one another where retention looks at them"
        );
        segments.iter().enumerate().map(|(at, segment)| candidate(at, segment)).collect()
    }

    /// Renames the files of segments that the log no longer has, in this order, and removes them
    /// later. The caller holds the gate. An error is final for this log: were later segments to go
    /// while one of these stays, there would be a hole.
    pub(super) async fn remove_segments(&self, gone: &[Rc<Segment>]) -> io::Result<()> {
        self.remove(gone, &[files::SNAPSHOT], None).await
    }

    /// The same for the oldest segments of a log that begins at `new_start` from now on. Their
    /// producer snapshots stay until the disk has the new names: a power cut may bring a segment
    /// back, which does not tell of the producers before it.
    async fn remove_oldest(&self, gone: &[Rc<Segment>], new_start: i64) -> io::Result<()> {
        assert!(
            gone.iter().all(|one| one.base_offset < new_start),
            "what goes lies before the log's new start at {new_start}"
        );
        self.remove(gone, &[], Some(new_start)).await
    }

    async fn remove(
        &self,
        gone: &[Rc<Segment>],
        besides: &[&'static str],
        snapshots_before: Option<i64>,
    ) -> io::Result<()> {
        let mut renamed = Vec::new();
        let rename = async || self.rename_segments(gone, besides, &mut renamed).await;
        let result = self.patiently("removing segments waits", rename).await;
        if let Err(error) = &result {
            self.fail("removing a segment in", &self.dir(), error);
        }
        self.remove_later(renamed, snapshots_before.filter(|_| result.is_ok()));
        result
    }

    /// Removes files once reads that began earlier have ended, and the producer snapshots before an
    /// offset.
    pub(super) fn remove_later(&self, renamed: Vec<PathBuf>, snapshots_before: Option<i64>) {
        let delay = Duration::from_millis(self.config().file_delete_delay_ms);
        let (ring, inner) = (self.0.ring.clone(), Rc::downgrade(&self.0));
        drop(self.0.ring.spawn_named("retention", async move {
            ring.sleep(delay).await;
            for path in renamed {
                if let Err(error) = remove_if_there(&ring, &path).await {
                    tracing::warn!(path = %path.display(), %error, "a deleted segment's file \
                        could not be removed");
                }
            }
            if let Some((inner, start)) = inner.upgrade().zip(snapshots_before) {
                let log = Log(inner);
                if let Err(error) = log.remove_snapshots_before(start).await {
                    tracing::warn!(dir = %log.dir().display(), %error, "old producer snapshots \
                        could not be removed yet");
                }
            }
        }));
    }

    /// What is left here, also by a crash, goes with those of the next segments.
    async fn remove_snapshots_before(&self, start: i64) -> io::Result<()> {
        let _guard = self.0.files_lock.lock().await;
        if self.has_ended() || self.0.writer.failure().is_err() {
            // The folder may be another log's by now.
            return Ok(());
        }
        self.0.ring.sync_dir(self.dir()).await?;
        let all = self.remove_snapshots(|_| false).await?;
        // The log goes on from this one.
        let needed = all.into_iter().filter(|at| *at <= start).max();
        self.remove_snapshots(|at| Some(at) < needed).await.map(drop)
    }

    /// Removes the producer snapshots of which `goes` says so; the offsets of the others. The
    /// caller holds the gate.
    pub(super) async fn remove_snapshots(
        &self,
        goes: impl Fn(i64) -> bool,
    ) -> io::Result<Vec<i64>> {
        self.check_files_locked();
        let (ring, dir) = (&self.0.ring, self.dir());
        let mut left = Vec::new();
        for entry in ring.read_dir(&dir).await? {
            match files::parse(&entry.name) {
                Some((at, files::SNAPSHOT)) if goes(at) => {
                    remove_if_there(ring, &dir.join(&entry.name)).await?
                }
                Some((at, files::SNAPSHOT)) => left.push(at),
                _ => {}
            }
        }
        Ok(left)
    }

    /// `besides` are the extensions of files that go with the parts of a segment.
    async fn rename_segments(
        &self,
        gone: &[Rc<Segment>],
        besides: &[&'static str],
        renamed: &mut Vec<PathBuf>,
    ) -> io::Result<()> {
        self.check_files_locked();
        let (ring, dir) = (&self.0.ring, self.dir());
        for segment in gone {
            assert!(
                !self.0.segments.borrow().iter().any(|one| Rc::ptr_eq(one, segment)),
                "the files of {segment} go, and the log has it"
            );
            if self.0.removal_unsynced.replace(true) {
                // In this order on the disk, too: a hole that a crash leaves could not be told from
                // damage.
                ring.sync_dir(&dir).await?;
            }
            let parts = SegmentFile::ALL
                .iter()
                .filter(|part| segment.exists(**part))
                .map(|part| part.extension());
            for extension in parts.chain(besides.iter().copied()) {
                let from = files::path(&dir, segment.base_offset, extension);
                let mut to = from.clone().into_os_string();
                to.push(files::DELETED_SUFFIX);
                let to = PathBuf::from(to);
                match ring.rename(&from, &to).await {
                    Ok(()) => renamed.push(to),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    // A longer name may need room, and this is to make some.
                    Err(error) if ring::passes(&error) => remove_if_there(ring, &from).await?,
                    Err(error) => return Err(error),
                }
            }
            segment.close_files();
        }
        Ok(())
    }

    /// Deletes the log: its folder gets another name at once, and goes after the delay.
    pub async fn delete(self) -> io::Result<()> {
        self.0.writer.end("the partition was deleted");
        self.0.tail.clear(self.log_end_offset());
        let _guard = self.0.files_lock.lock().await;
        let (ring, dir) = (self.0.ring.clone(), self.dir());
        for segment in self.segments() {
            // An open that is under way uses the folder's name, which may be another log's soon.
            segment.end_opening().await;
            segment.close_files();
        }
        let new_dir = match files::move_dir(&ring, &dir, files::DELETE_DIR_SUFFIX).await {
            // As it is for segments: without room for another name it goes at once.
            Err(error) if ring::passes(&error) && ring.read_dir(&dir).await.is_ok() => {
                return remove_log_dir(&ring, &dir).await;
            }
            moved => moved?,
        };
        *self.0.dir.borrow_mut() = new_dir.clone();
        let synced = files::sync_name(&ring, &new_dir).await;
        // The files go even so: they have no other name by which anything would remove them before
        // the next start.
        self.remove_dir_later(new_dir, synced.as_ref().is_err_and(ring::passes));
        match synced {
            Err(error) if !ring::passes(&error) => Err(error),
            _ => Ok(()),
        }
    }

    /// Removes the folder once reads that began earlier have ended. `again`: its name is synced
    /// before, for which something was lacking.
    fn remove_dir_later(&self, new_dir: PathBuf, again: bool) {
        assert!(self.has_ended(), "the folder of a log that goes on is not removed");
        let ring = self.0.ring.clone();
        let delay = Duration::from_millis(self.config().file_delete_delay_ms);
        drop(self.0.ring.spawn_named("retention", async move {
            ring.sleep(delay).await;
            // A power cut must not bring back a part of it under the old name.
            while again
                && let Err(error) = files::sync_name(&ring, &new_dir).await
                && ring::passes(&error)
            {
                ring.sleep(RETRY_INTERVAL).await;
            }
            if let Err(error) = remove_log_dir(&ring, &new_dir).await {
                tracing::warn!(path = %new_dir.display(), %error, "a deleted partition's folder \
                    could not be removed");
            }
        }));
    }
}

/// Removes a folder of files. Logs have no folders within.
pub(super) async fn remove_log_dir(ring: &Ring, dir: &Path) -> io::Result<()> {
    for entry in ring.read_dir(dir).await? {
        remove_if_there(ring, &dir.join(entry.name)).await?;
    }
    ring.remove_dir(dir).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::CleanupPolicy;

    fn segments() -> Vec<Candidate> {
        (0..4)
            .map(|at| Candidate {
                size_bytes: 100,
                largest_timestamp_ms: at * 1000,
                end_offset: (at + 1) * 10,
            })
            .collect()
    }

    fn config(retention_ms: Option<i64>, retention_bytes: Option<u64>) -> LogConfig {
        LogConfig { retention_ms, retention_bytes, ..LogConfig::default() }
    }

    #[test]
    fn size_time_and_log_start_each_delete_from_the_front() {
        let all = segments();
        let count = |ms, bytes, start, now| expired(&all, &config(ms, bytes), start, 40, now);
        assert_eq!(count(None, None, 0, i64::MAX), 0);
        assert_eq!(count(None, Some(250), 0, 0), 1);
        assert_eq!(count(None, Some(300), 0, 0), 1);
        assert_eq!(count(None, Some(301), 0, 0), 0);
        assert_eq!(count(None, Some(0), 0, 0), 4);
        assert_eq!(count(Some(500), None, 0, 2000), 2);
        assert_eq!(count(Some(0), None, 0, 1_000_000), 4);
        assert_eq!(count(None, None, 20, 0), 2);
        assert_eq!(count(None, None, 19, 0), 1);
        assert_eq!(count(None, None, 40, 0), 3, "the last segment is deleted for its age only");
    }

    #[test]
    fn the_high_watermark_and_an_empty_last_segment_stay() {
        let mut all = segments();
        assert_eq!(expired(&all, &config(None, Some(0)), 0, 29, 0), 2);
        all[3].size_bytes = 0;
        assert_eq!(expired(&all, &config(None, Some(0)), 0, 40, 0), 3);
        let compact = LogConfig {
            cleanup_policy: CleanupPolicy { delete: false, compact: true },
            ..config(Some(0), Some(0))
        };
        assert_eq!(expired(&all, &compact, 10, 40, 9_000), 1);
    }
}
