//! The segments that may have more or less than what was synced: they are read batch by batch, and
//! what hangs on their batches is made anew.
//!
//! Owns: where the log ends. Lives on the core that opens the log. Never: takes a batch that does
//! not follow the one before it.

use super::{
    load::{Ends, Loader},
    producers::load_producers,
    scan_segment::{ScanFrom, scan},
};
use crate::log::{
    Fault, LogError, append,
    epochs::LeaderEpochs,
    files,
    scan::{Damage, ScanEnd},
    segment::Segment,
};
use protocol::records::Batch;
use std::rc::Rc;

impl Loader<'_> {
    /// The segments from `doubtful` on: reads them from the recovery point (after a clean shutdown:
    /// from the last index entry), rebuilds what hangs on their batches, and plans the cut where
    /// they are damaged at the end.
    pub(in crate::log) async fn load_doubtful(
        &self,
        segments: &mut Vec<Rc<Segment>>,
        doubtful: usize,
        epochs: &mut LeaderEpochs,
    ) -> Result<Ends, LogError> {
        let Some(first) = segments.get(doubtful).cloned() else { return Ok(Ends::default()) };
        let recovery_point = if self.start.clean { i64::MAX } else { self.start.recovery_point };
        let mut from =
            self.prepare(&first, recovery_point).await.map_err(self.io("reading indexes in"))?;
        let loaded = load_producers(
            self.ring,
            self.dir,
            self.snapshots(),
            &segments[..=doubtful],
            from.offset,
            self.config.producer_id_expiration_ms,
        )
        .await
        .map_err(self.io("reading the producer state in"))?;
        if !self.start.clean {
            // Epochs that were written ahead of their batches: the batches will tell.
            epochs.truncate_from_end(from.offset);
        }
        let mut ends = Ends {
            log_end: from.offset,
            producers: loaded.producers,
            snapshot_offset: loaded.snapshot_offset,
        };
        for at in doubtful..segments.len() {
            let segment = segments[at].clone();
            if at > doubtful {
                self.set_sizes(&segment)?;
                self.reset_indexes(&segment);
                from = ScanFrom { position: 0, offset: segment.base_offset };
            }
            let end = self.scan_into(&segment, &from, recovery_point, epochs, &mut ends).await?;
            if let Some(Damage::Bad(reason)) = &end.damage {
                self.plan_end(segments, at, &end, Some(reason)).await?;
                break;
            }
            self.plan_truncation(&segment, &end, None);
            if self.has_hole_before(segments.get(at + 1), ends.log_end)
                && (ends.log_end >= self.floor.get() || !self.was_compacted(&segment, &end).await?)
            {
                self.plan_end(segments, at, &end, None).await?;
                break;
            }
            if let Some(next) = segments.get(at + 1) {
                self.tell_hole(&segment, &end, next.base_offset);
                segment.add_time_entry();
                segment.close_files();
                // As when it was rolled: what the segment knows of its producers outlives it.
                self.snapshots
                    .borrow_mut()
                    .push((next.base_offset, ends.producers.encode_snapshot()));
                self.names.borrow_mut().insert(files::name(next.base_offset, files::SNAPSHOT), 0);
            } else if ends.log_end < self.floor.get() {
                return Err(self.ends_early(&segment, &end, self.floor.get()));
            }
        }
        Ok(ends)
    }

    /// A crash may take the end of one segment and leave the next: the records behind such a hole
    /// were promised to no client. Where compaction works, holes are as they should be.
    fn has_hole_before(&self, next: Option<&Rc<Segment>>, log_end: i64) -> bool {
        let is_hole = |next: &Rc<Segment>| {
            let in_stream = self
                .start
                .replay
                .iter()
                .any(|part| part.from < next.base_offset && part.to > log_end);
            next.base_offset > log_end && (in_stream || !self.config.cleanup_policy.compact)
        };
        !self.start.clean && next.is_some_and(is_hole)
    }

    /// Scans a doubtful segment; its batches go into epochs and producer state as they did when
    /// they were appended.
    async fn scan_into(
        &self,
        segment: &Rc<Segment>,
        from: &ScanFrom,
        recovery_point: i64,
        epochs: &mut LeaderEpochs,
        ends: &mut Ends,
    ) -> Result<ScanEnd, LogError> {
        if from.offset < ends.log_end {
            let path = files::path(self.dir, segment.base_offset, files::LOG);
            return Err(self.damaged(path, Fault::Overlaps { offset: ends.log_end }));
        }
        let interval = self.config.index_interval_bytes;
        let mut contradicted = None;
        let counts = || (segment.offsets.borrow().count(), segment.times.borrow().count());
        let mut expected = counts();
        let mut take = |batch: &Batch<'_>| {
            segment.add_batch(batch, batch.size_bytes() as u32, interval);
            if batch.last_offset() < recovery_point {
                expected = counts();
            }
            let epoch = batch.partition_leader_epoch();
            let known = epochs.epoch_for_offset(batch.base_offset());
            if epoch >= 0 && known.is_some_and(|known| epoch < known) {
                contradicted.get_or_insert((batch.base_offset(), epoch));
            }
            if epoch >= 0 && epochs.latest().is_none_or(|latest| epoch > latest) {
                epochs.assign(epoch, batch.base_offset());
            }
            append::take_producer(&mut ends.producers, batch, segment);
        };
        let scanned = scan(
            self.ring,
            self.dir,
            segment,
            from,
            &self.expected(segment, recovery_point),
            &mut take,
        )
        .await;
        let end = scanned.map_err(self.io("reading a segment in"))?;
        self.tell_lacking(segment, expected, recovery_point);
        if let Some((offset, epoch)) = contradicted {
            let path = self.dir.join(files::LEADER_EPOCHS);
            tracing::error!(
                path = %path.display(), offset, epoch,
                "this file is damaged: it has a later epoch for the offset than its batch. Stop \
                 the broker and type \
                 `millstream log check {}`", crate::log::log_dir_of(&path).display()
            );
        }
        assert_eq!(
            u64::from(segment.size_bytes.get()),
            end.valid_bytes,
            "the books hold what was scanned"
        );
        let before = ends.log_end;
        assert!(before <= end.next_offset, "the log ends at {before}, then {}", end.next_offset);
        ends.log_end = end.next_offset;
        Ok(end)
    }
}
