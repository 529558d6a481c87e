//! Which leader epoch each offset of a log was written in: where an epoch begins, and therefore
//! where the one before it ends. Followers and consumers find with it where their history left ours
//! (KIP-101, KIP-279, KIP-320).
//!
//! Owns: the entries, in memory; their text form is the checkpoints' business. Lives on the core of
//! its log. Never: does I/O. Semantics: `LeaderEpochFileCache`.

/// The entries of one log: epochs ascending, start offsets ascending.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeaderEpochs {
    entries: Vec<(i32, i64)>,
}

impl LeaderEpochs {
    /// From a checkpoint: epoch and start offset each. Where an entry contradicts those before it,
    /// the later one is right, as in [`Self::assign`]; an entry with a negative number is dropped.
    pub fn from_entries(entries: impl IntoIterator<Item = (i32, i64)>) -> Self {
        let mut epochs = Self::default();
        for (epoch, start_offset) in entries {
            if epoch >= 0 && start_offset >= 0 {
                epochs.assign(epoch, start_offset);
            }
        }
        epochs
    }

    /// Epoch and start offset of each.
    pub fn entries(&self) -> Vec<(i32, i64)> {
        self.entries.clone()
    }

    /// Those that have records in a log that ends at `log_end`: what is worth a file. An epoch
    /// without any tells nothing that the one after it does not tell.
    pub fn entries_with_records(&self, log_end: i64) -> Vec<(i32, i64)> {
        self.entries.iter().copied().filter(|(_, start)| *start < log_end).collect()
    }

    /// A batch is appended to a log that ends at `log_end`; true if it is the first of its epoch.
    pub fn take_batch(&mut self, epoch: i32, base_offset: i64, log_end: i64) -> bool {
        let is_new = self.assign(epoch, base_offset);
        let (written, start) = *self.entries.last().expect("an epoch was assigned");
        assert_eq!(written, epoch, "a batch is of the epoch that is being written");
        is_new || start >= log_end
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub fn clear(&mut self) {
        self.entries.clear();
    }

    /// Notes that `epoch` begins at `start_offset`; true if that was news. Entries that cannot be
    /// true beside it (a later epoch, or one that begins there or behind) go: what they described
    /// was never written, or is gone.
    pub fn assign(&mut self, epoch: i32, start_offset: i64) -> bool {
        assert!(epoch >= 0, "epoch {epoch} begins, and epochs count from zero");
        assert!(start_offset >= 0, "an epoch begins at {start_offset}, before the first offset");
        if let Some(&(last_epoch, last_start)) = self.entries.last()
            && epoch == last_epoch
            && start_offset >= last_start
        {
            return false;
        }
        while self.entries.pop_if(|(old, start)| *old >= epoch || *start >= start_offset).is_some()
        {
        }
        self.entries.push((epoch, start_offset));
        true
    }

    /// The epoch that is being written, or was last.
    pub fn latest(&self) -> Option<i32> {
        self.entries.last().map(|(epoch, _)| *epoch)
    }

    /// The largest epoch below `epoch`.
    pub fn previous(&self, epoch: i32) -> Option<i32> {
        self.entries[..self.at_or_after(epoch)].last().map(|(previous, _)| *previous)
    }

    fn at_or_after(&self, epoch: i32) -> usize {
        self.entries.partition_point(|(known, _)| *known < epoch)
    }

    /// The largest epoch up to `epoch` and the offset where it ends: what OffsetForLeaderEpoch
    /// answers. `None` (on the wire −1 and −1) for a negative epoch and for one later than all we
    /// know. An epoch before the first one ends where the first one begins.
    pub fn end_offset_for(&self, epoch: i32, log_end_offset: i64) -> Option<(i32, i64)> {
        if epoch < 0 {
            return None;
        }
        if self.latest() == Some(epoch) {
            return Some((epoch, log_end_offset));
        }
        let after = self.entries.partition_point(|(known, _)| *known <= epoch);
        let (_, end_offset) = *self.entries.get(after)?;
        assert!(
            end_offset <= log_end_offset,
            "an epoch begins at {end_offset}, and the log ends at {log_end_offset}"
        );
        let found = self.entries[..after].last().map_or(epoch, |(known, _)| *known);
        Some((found, end_offset))
    }

    /// The epoch in which the record at `offset` was written; `None` before the first entry.
    pub fn epoch_for_offset(&self, offset: i64) -> Option<i32> {
        let after = self.entries.partition_point(|(_, start)| *start <= offset);
        self.entries[..after].last().map(|(epoch, _)| *epoch)
    }

    /// The log ends at `end_offset` now: epochs that began there or behind are gone. True if any
    /// was.
    pub fn truncate_from_end(&mut self, end_offset: i64) -> bool {
        let keep = self.entries.partition_point(|(_, start)| *start < end_offset);
        let changed = end_offset >= 0 && keep < self.entries.len();
        if changed {
            self.entries.truncate(keep);
        }
        let last = self.entries.last().map(|(_, start)| *start);
        assert!(
            end_offset < 0 || last.is_none_or(|last| last < end_offset),
            "an epoch begins at {last:?} of a log that was cut to {end_offset}"
        );
        changed
    }

    /// The log starts at `start_offset` now: the epoch of that offset begins there, and those
    /// before it are gone. True if anything changed.
    pub fn truncate_from_start(&mut self, start_offset: i64) -> bool {
        let passed = self.entries.partition_point(|(_, start)| *start <= start_offset);
        let Some(kept) = passed.checked_sub(1) else { return false };
        let changed = kept > 0 || self.entries[kept].1 != start_offset;
        self.entries.drain(..kept);
        self.entries[0].1 = start_offset;
        let next = self.entries.get(1).map(|(_, start)| *start);
        assert!(
            next.is_none_or(|next| start_offset < next),
            "an epoch begins at {start_offset}, and the one behind it at {next:?}"
        );
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Debug, Clone)]
    enum Step {
        Append { bump: i32, records: usize },
        TruncateEnd(prop::sample::Index),
        TruncateStart(prop::sample::Index),
        Restart,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (0..3i32, 1..5usize).prop_map(|(bump, records)| Step::Append { bump, records }),
            1 => any::<prop::sample::Index>().prop_map(Step::TruncateEnd),
            1 => any::<prop::sample::Index>().prop_map(Step::TruncateStart),
            1 => Just(Step::Restart),
        ]
    }

    proptest! {
        /// The model is the log itself: the epoch of every record.
        #[test]
        fn agrees_with_a_log_of_epochs(steps in prop::collection::vec(step(), 1..40)) {
            let mut epochs = LeaderEpochs::default();
            let (mut start, mut log, mut epoch) = (0usize, Vec::<i32>::new(), 0);
            for step in steps {
                match step {
                    Step::Append { bump, records } => {
                        epoch += bump;
                        for _ in 0..records {
                            let is_first = log[start..].last() != Some(&epoch);
                            let end = log.len() as i64;
                            let is_noted = epochs.take_batch(epoch, end, end);
                            prop_assert!(is_noted || !is_first, "the first of an epoch is noted");
                            log.push(epoch);
                        }
                    }
                    Step::TruncateEnd(at) => {
                        log.truncate(start + at.index(log.len() - start + 1));
                        epochs.truncate_from_end(log.len() as i64);
                    }
                    Step::TruncateStart(at) => {
                        start += at.index(log.len() - start + 1);
                        epochs.truncate_from_start(start as i64);
                    }
                    Step::Restart => epochs = LeaderEpochs::from_entries(epochs.entries()),
                }
                prop_assert!(epochs.entries.is_sorted_by(|a, b| a.0 < b.0 && a.1 < b.1));
                for (offset, written_in) in log.iter().enumerate().skip(start) {
                    prop_assert_eq!(epochs.epoch_for_offset(offset as i64), Some(*written_in));
                }
                let Some(&first) = log.get(start) else { continue };
                for asked in first..=epoch {
                    let end = log.iter().skip(start).position(|e| *e > asked)
                        .map_or(log.len(), |at| start + at);
                    let found = log[start..end].iter().copied().max().unwrap();
                    let answer = epochs.end_offset_for(asked, log.len() as i64);
                    let expected = (asked <= *log.last().unwrap()).then_some((found, end as i64));
                    prop_assert_eq!(answer, expected);
                }
            }
        }
    }

    #[test]
    fn later_knowledge_wins() {
        let mut epochs = LeaderEpochs::from_entries([(1, 0), (3, 10), (5, 20)]);
        assert!(!epochs.assign(5, 25));
        assert!(epochs.assign(5, 15), "the epoch began earlier than was known");
        assert_eq!(epochs.entries(), [(1, 0), (3, 10), (5, 15)]);
        assert!(epochs.assign(4, 12));
        assert_eq!(epochs.entries(), [(1, 0), (3, 10), (4, 12)]);
        assert!(epochs.assign(6, 12), "epoch 4 wrote nothing");
        assert_eq!(epochs.entries(), [(1, 0), (3, 10), (6, 12)]);
        assert_eq!(
            (epochs.latest(), epochs.previous(6), epochs.previous(1)),
            (Some(6), Some(3), None)
        );
    }

    #[test]
    fn answers_at_the_edges() {
        let epochs = LeaderEpochs::from_entries([(3, 10), (5, 20)]);
        assert_eq!(epochs.end_offset_for(-1, 99), None);
        assert_eq!(epochs.end_offset_for(1, 99), Some((1, 10)));
        assert_eq!(epochs.end_offset_for(3, 99), Some((3, 20)));
        assert_eq!(epochs.end_offset_for(4, 99), Some((3, 20)));
        assert_eq!(epochs.end_offset_for(5, 99), Some((5, 99)));
        assert_eq!(epochs.end_offset_for(6, 99), None);
        assert_eq!(LeaderEpochs::default().end_offset_for(0, 99), None);
        assert_eq!(epochs.epoch_for_offset(9), None);
        assert_eq!(epochs.epoch_for_offset(19), Some(3));
    }

    #[test]
    fn truncation_keeps_the_epoch_of_the_new_start() {
        let mut epochs = LeaderEpochs::from_entries([(1, 0), (3, 10), (5, 20)]);
        assert!(!epochs.truncate_from_start(0));
        assert!(epochs.truncate_from_start(15));
        assert_eq!(epochs.entries(), [(3, 15), (5, 20)]);
        assert!(!epochs.truncate_from_end(21));
        assert!(epochs.truncate_from_end(20));
        assert_eq!(epochs.entries(), [(3, 15)]);
        assert!(epochs.truncate_from_start(500));
        assert_eq!(epochs.entries(), [(3, 500)]);
        assert_eq!(LeaderEpochs::from_entries([(-1, 0), (0, -5), (2, 4)]).entries(), [(2, 4)]);
    }
}
