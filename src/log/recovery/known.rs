//! What is known of a log before it is opened, and what its files must have therefore.
//!
//! What was synced is known: from the checkpoints, from what the log said when it was closed, and
//! from the producer snapshot where a segment begins, which is written when everything before it is
//! on the disk.
//!
//! Owns: that comparison. Lives on the core that opens the log. Never: changes a file.

use super::load::Loader;
use crate::log::{
    Fault, LogError, LogState,
    commit_log::ReplayPart,
    files::{self, parse_segment},
};

/// What is known about a log before it is opened.
#[derive(Clone, Debug, Default)]
pub struct LogStart {
    /// The broker that had this log before closed it cleanly.
    pub clean: bool,
    /// The checkpoints have it.
    pub is_known: bool,
    pub recovery_point: i64,
    pub log_start_offset: i64,
    /// What lies below was compacted, at least.
    pub cleaned_to: i64,
    /// What the log said about itself when it was closed; used after a clean shutdown, where the
    /// files agree.
    pub state: Option<LogState>,
    /// What the commit stream has of it, by rising offset.
    pub replay: Vec<ReplayPart>,
}

impl LogStart {
    /// Everything below was on the disk in the log's own files, as far as is known without them.
    pub fn synced_offset(&self) -> i64 {
        let closed_at =
            self.state.as_ref().filter(|_| self.clean).map_or(0, LogState::log_end_offset);
        self.recovery_point.max(self.log_start_offset).max(closed_at)
    }

    /// Batches below may lack others between them: a cleaner works on what the recovery point has
    /// passed, and what it did last it may not have noted.
    pub fn may_be_compacted_to(&self, is_compacted: bool) -> i64 {
        if is_compacted { self.recovery_point.max(self.cleaned_to) } else { self.cleaned_to }
    }

    /// Where the log ends, where its broker has closed it; `i64::MAX` where nothing says so.
    pub fn known_end(&self) -> i64 {
        self.state.as_ref().filter(|_| self.clean).map_or(i64::MAX, LogState::log_end_offset)
    }
}

impl Loader<'_> {
    /// What is known to have been on the disk, by the files themselves: a snapshot where a segment
    /// begins is written when everything before it is there.
    pub(super) fn raise_floor(&self, bases: &[i64]) {
        let proved =
            bases.iter().skip(1).rev().find(|base| self.has(&files::name(**base, files::SNAPSHOT)));
        self.floor.set(self.floor.get().max(proved.copied().unwrap_or(0)));
    }

    /// What the commit stream has must follow the log, without a gap.
    pub(super) fn check_replay(&self, log_end: i64) -> Result<(), LogError> {
        let mut end_offset = log_end;
        for part in self.start.replay.iter().filter(|part| part.to > log_end) {
            if part.from > end_offset {
                let (path, fault) =
                    (part.path.to_path_buf(), Fault::StreamGap { from: part.from, end_offset });
                return Err(LogError::Damaged { path, fault, synced_offset: part.to });
            }
            end_offset = end_offset.max(part.to);
        }
        Ok(())
    }

    /// Of a file that every log with records has.
    pub(super) fn tell_missing(&self, name: &str, consequence: &str) {
        let has_records = self
            .names
            .borrow()
            .iter()
            .any(|(name, size)| *size > 0 && parse_segment(name).is_some());
        // A log that was not yet checkpointed has none of them.
        if has_records && self.start.recovery_point > 0 {
            tracing::warn!(path = %self.dir.join(name).display(), "the file is missing: \
                {consequence}");
        }
    }

    /// A log of which something was synced has a segment. Told before anything else is looked at.
    pub(super) fn check_any_segment(&self) -> Result<(), LogError> {
        let names = self.names.borrow();
        let is_segment =
            |name: &str| matches!(files::parse(name), Some((_, files::LOG | "log.swap")));
        if self.floor.get() == 0 || names.keys().any(|name| is_segment(name)) {
            return Ok(());
        }
        let lost = names
            .keys()
            .filter_map(|name| files::parse(name))
            .find(|(_, kind)| *kind == files::OFFSET_INDEX);
        Err(match lost {
            Some((base_offset, _)) => {
                self.damaged(files::path(self.dir, base_offset, files::LOG), Fault::Missing)
            }
            None => self.damaged(self.dir.to_owned(), Fault::NoSegment),
        })
    }

    /// Retention may have removed the oldest segments since the last checkpoint. Nothing on the
    /// disk tells that from a loss.
    pub(super) fn tell_first_segment(&self, bases: &[i64]) {
        let known = self.start.log_start_offset;
        if let Some(first) = bases.first().filter(|first| self.start.is_known && **first > known) {
            tracing::warn!(
                dir = %self.dir.display(), log_start_offset = first, known_log_start_offset = known,
                "the log begins later than its last checkpoint says: retention has removed the \
                 segments before, or they are lost"
            );
        }
    }

    /// Where the last segment begins there is a snapshot, once what lies before is on the disk;
    /// after a clean shutdown there is one at the end.
    pub(super) fn tell_snapshot(&self, bases: &[i64]) {
        let at_base =
            bases.last().copied().filter(|base| bases.len() > 1 && *base <= self.floor.get());
        let at_end = Some(self.floor.get()).filter(|end| self.start.clean && *end > 0);
        if let Some(at) =
            at_end.or(at_base).filter(|at| !self.has(&files::name(*at, files::SNAPSHOT)))
        {
            tracing::warn!(
                path = %files::path(self.dir, at, files::SNAPSHOT).display(),
                "this producer snapshot is missing: an older one is used, and the batches since"
            );
        }
    }
}
