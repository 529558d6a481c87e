//! What the offset checkpoints of the log directories say, partition by partition: of those that are open what they said last,
//! of those that are offline what was known when the broker started. A checkpoint that forgot a partition would let the next
//! start believe less than was synced.
//!
//! Owns: the entries, in memory. Lives on: core 0. Never: reads or writes a file.

use super::{METADATA_TOPIC, PartitionCheckpoint};
use crate::log::{LogDir, OffsetEntry};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Offsets {
    recovery_point: i64,
    log_start_offset: i64,
    high_watermark: i64,
}

/// By log directory, topic and partition.
#[derive(Debug, Default)]
pub(super) struct Known(BTreeMap<PathBuf, BTreeMap<(String, i32), Offsets>>);

impl Known {
    pub fn of(dirs: &[LogDir]) -> Self {
        let entries_of = |dir: &LogDir| {
            let entry = |one: (&str, i32, [i64; 3])| {
                let (topic, partition, [recovery_point, log_start_offset, high_watermark]) = one;
                ((topic.to_owned(), partition), Offsets { recovery_point, log_start_offset, high_watermark })
            };
            dir.known_offsets().map(entry).collect()
        };
        Self(dirs.iter().map(|dir| (dir.path().to_owned(), entries_of(dir))).collect())
    }

    /// Takes what open partitions say, and forgets those that the metadata do not have any more.
    pub fn update(&mut self, checkpoints: &[PartitionCheckpoint], is_in_metadata: impl Fn(&str, i32) -> bool) {
        let exists = |topic: &str, partition| topic == METADATA_TOPIC || is_in_metadata(topic, partition);
        for entries in self.0.values_mut() {
            entries.retain(|(topic, partition), _| exists(topic, *partition));
        }
        for one in checkpoints.iter().filter(|one| exists(&one.topic, one.partition)) {
            let offsets = Offsets {
                recovery_point: one.recovery_point,
                log_start_offset: one.log_start_offset,
                high_watermark: one.high_watermark,
            };
            if let Some(entries) = self.0.get_mut(&one.dir) {
                entries.insert((one.topic.clone(), one.partition), offsets);
            }
        }
    }

    /// The metadata log, which no core reports.
    pub fn set_metadata(&mut self, dir: &Path, recovery_point: i64) {
        if let Some(entries) = self.0.get_mut(dir) {
            let offsets = Offsets { recovery_point, log_start_offset: 0, high_watermark: recovery_point };
            entries.insert((METADATA_TOPIC.to_owned(), 0), offsets);
        }
    }

    pub fn recovery_points(&self, dir: &Path) -> Vec<OffsetEntry> {
        self.entries(dir, true, |offsets| offsets.recovery_point)
    }

    pub fn log_starts(&self, dir: &Path) -> Vec<OffsetEntry> {
        self.entries(dir, false, |offsets| offsets.log_start_offset)
    }

    pub fn high_watermarks(&self, dir: &Path) -> Vec<OffsetEntry> {
        self.entries(dir, false, |offsets| offsets.high_watermark)
    }

    fn entries(&self, dir: &Path, with_metadata: bool, offset: impl Fn(&Offsets) -> i64) -> Vec<OffsetEntry> {
        let entries = self.0.get(dir).into_iter().flatten();
        entries
            .filter(|((topic, _), _)| with_metadata || topic != METADATA_TOPIC)
            .map(|((topic, partition), offsets)| OffsetEntry {
                topic: topic.clone(),
                partition: *partition,
                offset: offset(offsets),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint(topic: &str, recovery_point: i64) -> PartitionCheckpoint {
        PartitionCheckpoint {
            dir: "/data".into(),
            topic: topic.to_owned(),
            partition: 0,
            recovery_point,
            log_start_offset: recovery_point - 1,
            high_watermark: recovery_point,
        }
    }

    fn points(known: &Known) -> Vec<(String, i64)> {
        known.recovery_points(Path::new("/data")).into_iter().map(|entry| (entry.topic, entry.offset)).collect()
    }

    #[test]
    fn what_is_offline_keeps_its_entries_and_what_is_deleted_loses_them() {
        let dir = Path::new("/data");
        let mut known = Known(BTreeMap::from([(dir.to_owned(), BTreeMap::new())]));
        known.update(&[checkpoint("open", 5), checkpoint("offline", 7), checkpoint("deleted", 9)], |_, _| true);
        known.set_metadata(dir, 40);
        known.update(&[checkpoint("open", 6)], |topic, _| topic != "deleted");
        let expected = [(METADATA_TOPIC, 40), ("offline", 7), ("open", 6)];
        assert_eq!(points(&known), expected.map(|(topic, offset)| (topic.to_owned(), offset)));
        // Kafka keeps no log start of the metadata log there.
        let starts: Vec<i64> = known.log_starts(dir).into_iter().map(|entry| entry.offset).collect();
        assert_eq!(starts, [6, 5]);
        assert!(known.recovery_points(Path::new("/other")).is_empty());
    }
}
