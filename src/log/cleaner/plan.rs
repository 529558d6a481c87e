//! Whether a log is to be cleaned, up to where, and which of its segments become one
//! (`LogCleanerManager.grabFilthiestCompactedLog`, `Cleaner.groupSegmentsBySize`).
//!
//! Owns: nothing. Pure.

use crate::log::LogConfig;
use std::ops::Range;

/// A segment as a plan sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentFacts {
    pub base_offset: i64,
    pub size_bytes: u64,
    /// Of both indexes, the longer one.
    pub index_bytes: u64,
    pub largest_timestamp_ms: i64,
    /// Of its first batch, where that is known and needed.
    pub first_timestamp_ms: Option<i64>,
}

/// A log as a plan sees it.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The last one is appended to.
    pub segments: Vec<SegmentFacts>,
    pub log_start: i64,
    pub log_end: i64,
    /// What lies below was cleaned before.
    pub first_dirty: i64,
    /// What lies from here on is not decided yet, or not known to be on the disk.
    pub stable_end: i64,
    pub now_ms: i64,
}

/// A log that may be cleaned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Due {
    pub first_dirty: i64,
    /// Where a segment begins that stays as it is.
    pub end: i64,
    /// Bytes between the two.
    pub dirty_bytes: u64,
    /// Their share of all that lies below `end`.
    pub dirty_ratio: f64,
    /// How long ago a record should have been cleaned; 0: no such.
    pub late_ms: i64,
}

impl Due {
    /// Whether it is dirty enough, or too old.
    pub fn is_now(&self, config: &LogConfig) -> bool {
        let is_late = self.late_ms > 0 && self.dirty_bytes > 0;
        is_late || self.dirty_ratio > config.min_cleanable_dirty_ratio
    }
}

/// What of a log may be cleaned; `None`: nothing.
pub fn due(facts: &Facts, config: &LogConfig) -> Option<Due> {
    let Facts { segments, log_start, log_end, .. } = facts;
    let (active, closed) = segments.split_last().expect("a log has a segment");
    let is_outside = !(*log_start..=*log_end).contains(&facts.first_dirty);
    let first_dirty = if is_outside { *log_start } else { facts.first_dirty };
    // The segment that holds an offset.
    let holder =
        |offset: i64| segments.partition_point(|one| one.base_offset <= offset).saturating_sub(1);
    let dirty_from = holder(first_dirty).min(closed.len());
    let lag_ms = config.min_compaction_lag_ms.max(0);
    let is_young = |one: &&SegmentFacts| {
        lag_ms > 0 && one.largest_timestamp_ms > facts.now_ms.saturating_sub(lag_ms)
    };
    let young = closed[dirty_from..].iter().find(is_young).map(|one| one.base_offset);
    let bound = facts.stable_end.min(active.base_offset).min(young.unwrap_or(i64::MAX));
    let kept = holder(bound);
    let end = segments[kept].base_offset;
    if end <= first_dirty || kept <= dirty_from {
        return None;
    }
    // As Kafka counts: where a pass ended within a segment, that one is both.
    let clean = segments.partition_point(|one| one.base_offset < first_dirty);
    let sum = |segments: &[SegmentFacts]| segments.iter().map(|one| one.size_bytes).sum::<u64>();
    assert!(clean <= dirty_from + 1, "what is clean lies before what is dirty, but for a segment");
    let (clean_bytes, dirty_bytes) = (sum(&segments[..clean]), sum(&segments[dirty_from..kept]));
    (dirty_bytes > 0).then(|| Due {
        first_dirty,
        end,
        dirty_bytes,
        dirty_ratio: dirty_bytes as f64 / (clean_bytes + dirty_bytes) as f64,
        late_ms: late_ms(&segments[dirty_from..kept], config, facts.now_ms),
    })
}

/// By how much the oldest of these segments has outlived `max.compaction.lag.ms`.
fn late_ms(segments: &[SegmentFacts], config: &LogConfig, now_ms: i64) -> i64 {
    let first = segments.iter().filter_map(|one| one.first_timestamp_ms).filter(|first| *first > 0);
    let clean_until_ms = now_ms.saturating_sub(config.max_compaction_lag_ms.max(0));
    first.min().map_or(0, |earliest| clean_until_ms.saturating_sub(earliest).max(0))
}

/// Which of these segments, which follow one another and end at `end`, become one: as many as fit
/// within the sizes of a segment, and whose offsets its indexes can hold.
pub fn groups(segments: &[SegmentFacts], end: i64, config: &LogConfig) -> Vec<Range<usize>> {
    let (bytes_max, index_bytes_max) =
        (u64::from(config.segment_bytes), u64::from(config.segment_index_bytes));
    let mut groups = Vec::new();
    let mut begin = 0;
    while begin < segments.len() {
        let (mut size, mut index) = (segments[begin].size_bytes, segments[begin].index_bytes);
        let mut until = begin + 1;
        while let Some(next) = segments.get(until) {
            let last = segments.get(until + 1).map_or(end, |one| one.base_offset) - 1;
            size += next.size_bytes;
            index += next.index_bytes;
            let fits = size <= bytes_max && index <= index_bytes_max;
            if !fits || last - segments[begin].base_offset >= i64::from(i32::MAX) {
                break;
            }
            until += 1;
        }
        assert!(begin < until, "a group has a segment");
        groups.push(begin..until);
        begin = until;
    }
    assert_eq!(groups.iter().map(|group| group.len()).sum::<usize>(), segments.len());
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(base_offset: i64, size_bytes: u64) -> SegmentFacts {
        SegmentFacts {
            base_offset,
            size_bytes,
            index_bytes: 8,
            largest_timestamp_ms: base_offset + 9,
            first_timestamp_ms: Some(base_offset),
        }
    }

    fn facts() -> Facts {
        Facts {
            segments: (0..5).map(|at| segment(at * 10, 100)).collect(),
            log_start: 0,
            log_end: 45,
            first_dirty: 10,
            stable_end: 45,
            now_ms: 1000,
        }
    }

    fn config() -> LogConfig {
        LogConfig { max_compaction_lag_ms: i64::MAX, ..LogConfig::default() }
    }

    #[test]
    fn all_but_the_active_segment_is_cleaned() {
        let found = due(&facts(), &config()).expect("it is dirty");
        assert_eq!((found.first_dirty, found.end, found.dirty_bytes), (10, 40, 300));
        assert!((found.dirty_ratio - 0.75).abs() < 1e-9);
        assert!(found.is_now(&config()));
        let lazy = LogConfig { min_cleanable_dirty_ratio: 0.75, ..config() };
        assert!(!found.is_now(&lazy));
    }

    #[test]
    fn what_is_not_stable_and_what_is_young_stays() {
        let of = |facts: Facts, config: LogConfig| {
            due(&facts, &config).map(|due| (due.first_dirty, due.end))
        };
        assert_eq!(of(Facts { stable_end: 39, ..facts() }, config()), Some((10, 30)));
        assert_eq!(of(Facts { stable_end: 30, ..facts() }, config()), Some((10, 30)));
        assert_eq!(of(Facts { stable_end: 19, ..facts() }, config()), None);
        let lag = LogConfig { min_compaction_lag_ms: 1000 - 29, ..config() };
        assert_eq!(of(facts(), lag.clone()), Some((10, 30)), "29 is old enough, 39 is not");
        let lag = LogConfig { min_compaction_lag_ms: 1000, ..lag };
        assert_eq!(of(facts(), lag), None);
    }

    #[test]
    fn what_was_cleaned_and_what_was_not_is_known_within_a_segment_too() {
        let found = due(&Facts { first_dirty: 15, ..facts() }, &config()).expect("it is dirty");
        assert_eq!((found.first_dirty, found.end, found.dirty_bytes), (15, 40, 300));
        assert_eq!(due(&Facts { first_dirty: 40, ..facts() }, &config()), None);
        for outside in [-1, 46] {
            let found =
                due(&Facts { first_dirty: outside, ..facts() }, &config()).expect("it is dirty");
            assert_eq!((found.first_dirty, found.dirty_bytes), (0, 400));
        }
    }

    #[test]
    fn what_is_late_is_cleaned_at_any_ratio() {
        let lazy = LogConfig { min_cleanable_dirty_ratio: 1.0, ..config() };
        let found = due(&facts(), &lazy).expect("it is dirty");
        assert!(!found.is_now(&lazy));
        let late = LogConfig { max_compaction_lag_ms: 989, ..lazy };
        let found = due(&facts(), &late).expect("it is dirty");
        assert_eq!(found.late_ms, 1, "the record of 10 should have been cleaned at 999");
        assert!(found.is_now(&late));
    }

    #[test]
    fn groups_keep_to_the_sizes_of_a_segment_and_to_its_indexes() {
        let of = |segments: &[SegmentFacts], bytes, index_bytes| {
            let end = segments[segments.len() - 1].base_offset + 10;
            let config =
                LogConfig { segment_bytes: bytes, segment_index_bytes: index_bytes, ..config() };
            groups(segments, end, &config)
        };
        let all: Vec<SegmentFacts> = (0..5).map(|at| segment(at * 10, 100)).collect();
        assert_eq!(of(&all[..4], 250, 1000), [0..2, 2..4]);
        assert_eq!(of(&all[..4], 99, 1000), [0..1, 1..2, 2..3, 3..4]);
        assert_eq!(of(&all[..4], 1000, 24), [0..3, 3..4]);
        let far = [segment(0, 1), segment(10, 1), segment(1 << 31, 1), segment((1 << 31) + 1, 1)];
        assert_eq!(of(&far, 1000, 1000), [0..1, 1..3, 3..4]);
    }
}
