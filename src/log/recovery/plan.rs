//! What a start will change in the files of a log, decided while they are examined.
//!
//! Owns: the names that the folder will have. Lives on the core that opens the log. Never: plans to
//! remove good batches, or to cut what was synced: such a log is refused.

use super::{
    changes::{Change, Truncation},
    load::Loader,
};
use crate::log::{
    Fault, LogError,
    files::{self, parse_segment, remove_if_there},
    scan::ScanEnd,
    segment::{Segment, SegmentFile},
    walk::Walk,
};
use std::{io, path::PathBuf, rc::Rc};

impl Loader<'_> {
    pub(super) fn has(&self, name: &str) -> bool {
        self.names.borrow().contains_key(name)
    }

    fn named(&self, suffix: &str) -> Vec<String> {
        self.names.borrow().keys().filter(|name| name.ends_with(suffix)).cloned().collect()
    }

    pub(super) fn remove_named(&self, suffix: &str) {
        for name in self.named(suffix) {
            self.remove(&name);
        }
    }

    /// Removes what an earlier run has left half done
    /// (`LogLoader.removeTempFilesAndCollectSwapFiles`): deleted and half-cleaned files go,
    /// finished swaps take their names, indexes without a log go.
    pub(super) async fn clean_up(&self) -> io::Result<()> {
        let cleaned = self.named(files::CLEANED_SUFFIX);
        let first_cleaned =
            cleaned.iter().filter_map(|name| files::parse(name)).map(|(offset, _)| offset).min();
        self.remove_named(files::DELETED_SUFFIX);
        self.remove_named(files::CLEANED_SUFFIX);
        let mut swaps = Vec::new();
        for name in self.named(files::SWAP_SUFFIX) {
            let offset = files::parse(&name).map_or(i64::MAX, |(offset, _)| offset);
            if first_cleaned.is_some_and(|first| offset >= first) {
                // Part of a swap that never got complete.
                self.remove(&name);
            } else {
                swaps.push(name);
            }
        }
        self.finish_swaps(swaps).await?;
        let first = self.names.borrow().keys().filter_map(|name| parse_segment(name)).min();
        for name in self.orphans() {
            // Retention removes a log file first, and its index files then.
            let is_retentions = files::parse(&name).is_some_and(|(offset, _)| Some(offset) < first);
            if !is_retentions {
                tracing::warn!(
                    path = %self.dir.join(&name).display(),
                    "an index without its log file goes: the log file was never synced, or \
                     another program has removed it, \
                     and its records are gone with it"
                );
            }
            self.remove(&name);
        }
        Ok(())
    }

    /// Indexes of segments that are not there.
    fn orphans(&self) -> Vec<String> {
        let is_orphan = |name: &String| match files::parse(name) {
            Some((offset, files::OFFSET_INDEX | files::TIME_INDEX | files::TXN_INDEX)) => {
                !self.has(&files::name(offset, files::LOG))
            }
            _ => false,
        };
        self.names.borrow().keys().filter(|name| is_orphan(name)).cloned().collect()
    }

    /// Swapped segments replace all that begin within them. The one thing that is done before the
    /// log as a whole is found good: what they hold has to be read under the names that it will
    /// have, and the cleaner had finished them.
    async fn finish_swaps(&self, swaps: Vec<String>) -> io::Result<()> {
        let (mut low, mut high) = (i64::MAX, i64::MIN);
        for name in &swaps {
            if let Some((base, "log.swap")) = files::parse(name) {
                let file = self.ring.open(self.dir.join(name), ring::OpenOptions::read()).await?;
                let size_bytes = self.names.borrow()[name];
                let mut walk = Walk::new(self.ring, &file, 0, size_bytes);
                let mut next = base;
                while let Some(batch) = walk.next().await? {
                    next = batch.header.next_offset();
                }
                (low, high) = (low.min(base), high.max(next));
            }
        }
        let is_replaced = |name: &String| match files::parse(name) {
            Some((at, files::SNAPSHOT)) => at > low && at < high,
            Some((at, extension)) => {
                let is_part = SegmentFile::ALL.iter().any(|part| part.extension() == extension);
                is_part && at >= low && at < high
            }
            None => false,
        };
        let replaced: Vec<String> =
            self.names.borrow().keys().filter(|name| is_replaced(name)).cloned().collect();
        for name in replaced {
            self.names.borrow_mut().remove(&name);
            remove_if_there(self.ring, &self.dir.join(name)).await?;
        }
        // Each step is on the disk before the next one begins, as when a cleaner takes them: a
        // power cut in between leaves what another start goes on with.
        let (logs, indexes): (Vec<String>, Vec<String>) =
            swaps.into_iter().partition(|name| name.ends_with(".log.swap"));
        for names in [logs, indexes] {
            if names.is_empty() {
                continue;
            }
            self.ring.sync_dir(self.dir).await?;
            for name in names {
                let to = name.trim_end_matches(files::SWAP_SUFFIX).to_owned();
                self.ring.rename(self.dir.join(&name), self.dir.join(&to)).await?;
                let size = self.names.borrow_mut().remove(&name).unwrap_or(0);
                self.names.borrow_mut().insert(to, size);
            }
            self.ring.sync_dir(self.dir).await?;
        }
        Ok(())
    }

    pub(super) fn remove(&self, name: &str) {
        if self.names.borrow_mut().remove(name).is_some() {
            self.changes.add(Change::Remove(name.to_owned()));
        }
    }

    /// Takes a segment out of the log. Its batches stay beside it; the files derived from them go.
    pub(super) fn set_aside(&self, base_offset: i64) {
        let from = files::name(base_offset, files::LOG);
        if self.names.borrow_mut().remove(&from).is_some_and(|size_bytes| size_bytes > 0) {
            let to = self.aside_name(&from);
            let before = self.names.borrow_mut().insert(to.clone(), 0);
            assert_eq!(before, None, "the name {to} is taken");
            self.changes.add(Change::SetAside { from, to });
        } else {
            self.changes.add(Change::Remove(from));
        }
        for extension in [files::OFFSET_INDEX, files::TIME_INDEX, files::TXN_INDEX, files::SNAPSHOT]
        {
            self.remove(&files::name(base_offset, extension));
        }
    }

    /// A name for the part of a file that is kept, which nothing has yet.
    pub(super) fn aside_name(&self, name: &str) -> String {
        files::free_aside(name, |to| self.has(to))
    }

    pub(super) fn damaged(&self, path: PathBuf, fault: Fault) -> LogError {
        LogError::Damaged { path, fault, synced_offset: self.floor.get() }
    }

    /// The log ends in the segment `at`: because its batches are damaged there, or because the next
    /// ones are missing. Not where the disk had promised to keep what follows; what does follow is
    /// kept beside the log.
    pub(super) async fn plan_end(
        &self,
        segments: &mut Vec<Rc<Segment>>,
        at: usize,
        end: &ScanEnd,
        damage: Option<&String>,
    ) -> Result<(), LogError> {
        let segment = segments[at].clone();
        let lost_segments =
            segments[at + 1..].iter().filter(|one| self.size_of(one, SegmentFile::Log) > 0).count();
        let good_behind = damage.is_some() && self.has_good_batch_behind(&segment, end).await?;
        // What was closed cleanly ends where it did.
        let was_closed = self.start.known_end() != i64::MAX;
        let was_synced = was_closed || end.next_offset < self.floor.get();
        if was_synced || (self.config.synced_in_order && (lost_segments > 0 || good_behind)) {
            return Err(match damage {
                Some(reason) => self.bad_batch(&segment, end, reason).await?,
                None => self.ends_early(&segment, end, segments[at + 1].base_offset),
            });
        }
        tracing::warn!(
            path = %files::path(self.dir, segment.base_offset, files::LOG).display(),
            damage = damage.map_or("batches between it and the next segment are \
                missing", |reason| reason),
            log_end_offset = end.next_offset, lost_segments,
            lost_bytes = self.size_of(&segment, SegmentFile::Log) - end.valid_bytes,
            "the end of the log is damaged and is cut off: {}", match self.start.replay.is_empty() {
                true => "what was not synced before the crash is lost",
                false => "what the commit stream has of it comes back, other records that were \
                    not synced are lost",
            }
        );
        if damage.is_some() {
            let name = files::name(segment.base_offset, files::LOG);
            self.plan_truncation(&segment, end, good_behind.then(|| self.aside_name(&name)));
        }
        assert!(end.next_offset >= self.floor.get(), "what was synced is not cut");
        for gone in segments.drain(at + 1..) {
            self.set_aside(gone.base_offset);
        }
        Ok(())
    }

    pub(super) async fn bad_batch(
        &self,
        segment: &Rc<Segment>,
        end: &ScanEnd,
        reason: &str,
    ) -> Result<LogError, LogError> {
        let good_behind = self.has_good_batch_behind(segment, end).await?;
        let (position, offset, reason) = (end.valid_bytes, end.next_offset, reason.to_owned());
        let path = files::path(self.dir, segment.base_offset, files::LOG);
        Ok(self.damaged(path, Fault::BadBatch { position, offset, reason, good_behind }))
    }

    pub(super) fn ends_early(
        &self,
        segment: &Segment,
        end: &ScanEnd,
        expected_offset: i64,
    ) -> LogError {
        let path = files::path(self.dir, segment.base_offset, files::LOG);
        self.damaged(
            path,
            Fault::Ends { position: end.valid_bytes, end_offset: end.next_offset, expected_offset },
        )
    }

    /// The file is cut behind its last good batch.
    pub(super) fn plan_truncation(
        &self,
        segment: &Rc<Segment>,
        end: &ScanEnd,
        kept_as: Option<String>,
    ) {
        let (size_bytes, valid_bytes) = (self.size_of(segment, SegmentFile::Log), end.valid_bytes);
        if size_bytes != valid_bytes {
            assert!(
                valid_bytes < size_bytes,
                "{segment} has {valid_bytes} good bytes of {size_bytes}"
            );
            if let Some(name) = &kept_as {
                let before = self.names.borrow_mut().insert(name.clone(), size_bytes - valid_bytes);
                assert_eq!(before, None, "the name {name} is taken");
            }
            self.names
                .borrow_mut()
                .insert(files::name(segment.base_offset, files::LOG), valid_bytes);
            self.changes.add(Change::Truncation(Truncation {
                segment: segment.clone(),
                size_bytes,
                valid_bytes,
                kept_as,
            }));
            segment.written_bytes.set(valid_bytes as u32);
            segment.synced_bytes.set(valid_bytes as u32);
        }
    }

    pub(super) fn snapshots(&self) -> Vec<i64> {
        let snapshot = |name: &String| {
            files::parse(name).filter(|(_, kind)| *kind == files::SNAPSHOT).map(|(at, _)| at)
        };
        self.names.borrow().keys().filter_map(snapshot).collect()
    }

    /// Files that have the right size already are not opened for it.
    pub(super) fn plan_trim(&self, segment: &Rc<Segment>) {
        let is_exact = |part: &SegmentFile| {
            !segment.exists(*part) || self.size_of(segment, *part) == segment.index_bytes(*part)
        };
        if ![SegmentFile::Offsets, SegmentFile::Times, SegmentFile::Aborted].iter().all(is_exact) {
            self.changes.add(Change::TrimIndexes(segment.clone()));
        }
    }
}
