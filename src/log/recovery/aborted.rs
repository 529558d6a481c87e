//! The aborted transactions of a segment whose index of them is gone, found again from its batches.
//!
//! The file exists only where there are some: a start cannot tell by the names alone whether it is
//! gone. What the log said when it was closed tells, and is acted upon at once. Otherwise a reader
//! who asks has the batches read, once: to read each such segment at a start would take long, and
//! most have none.
//!
//! Owns: that decision. Lives on the core of the log. Never: takes a file that is not there for the
//! word that nothing was aborted, where a producer snapshot tells of transactions.

use super::{
    MAX_SNAPSHOT_BYTES,
    changes::Change,
    load::Loader,
    producers::load_producers,
    scan_segment::{ScanFrom, scan},
};
use crate::log::{
    Log, LogError, LogState, Producer, append, files, producers::ProducerStates, scan::Expected,
    segment::Segment, txn_index::TxnIndex,
};
use protocol::records::Batch;
use ring::Ring;
use std::{io, path::Path, rc::Rc};

impl Loader<'_> {
    /// How many the index of this segment had when the log was closed, where that is known.
    pub(super) fn known_aborted(&self, base_offset: i64) -> Option<u32> {
        let state = self.start.state.as_ref().filter(|_| self.start.clean);
        state.and_then(|state: &LogState| state.aborted_entries(base_offset))
    }

    /// Compares the index of the last of these segments, which is known to be on the disk, with
    /// what is known of it.
    pub(super) async fn check_aborted(&self, segments: &[Rc<Segment>]) -> Result<(), LogError> {
        let segment = segments.last().expect("there is a segment to check");
        let stored = segment.aborted.borrow().entries_on_disk();
        match self.known_aborted(segment.base_offset) {
            Some(known) if stored < known => {
                let expiration_ms = self.config.producer_id_expiration_ms;
                let found =
                    find_aborted(self.ring, self.dir, self.snapshots(), segments, expiration_ms);
                *segment.aborted.borrow_mut() =
                    found.await.map_err(self.io("looking for aborted transactions in"))?;
                segment.close_files();
                self.changes.add(Change::RebuildIndexes(segment.clone()));
            }
            known => segment.knows_aborted.set(known.is_some() || stored > 0),
        }
        Ok(())
    }
}

impl Log {
    /// Has the segment know its aborted transactions. `false`: neither it nor a later one can have
    /// any with records below `to`. The caller holds the gate.
    pub(in crate::log) async fn know_aborted(
        &self,
        segment: &Rc<Segment>,
        to: i64,
    ) -> io::Result<bool> {
        self.check_files_locked();
        let base_offset = segment.base_offset;
        let next = self.next_segment(base_offset);
        // The last one was read when the log was opened.
        let Some(next) = next.filter(|_| !segment.knows_aborted.get()) else { return Ok(true) };
        let has_ended_some = |one: &Producer| one.coordinator_epoch >= 0;
        if self.snapshot_tells(next.base_offset, has_ended_some).await? {
            let is_open = |one: &Producer| one.transaction_first_offset.is_some_and(|at| at < to);
            if base_offset >= to && !self.snapshot_tells(base_offset, is_open).await? {
                return Ok(false);
            }
            let mut segments = self.segments();
            segments.retain(|one| one.base_offset <= base_offset);
            if !segments.last().is_some_and(|one| Rc::ptr_eq(one, segment)) {
                // Retention has taken it.
                return Ok(true);
            }
            let (ring, dir) = (&self.0.ring, self.dir());
            let snapshots = self.remove_snapshots(|_| false).await?;
            let expiration_ms = self.config().producer_id_expiration_ms;
            let found = find_aborted(ring, &dir, snapshots, &segments, expiration_ms).await?;
            if found.count() > 0 {
                tracing::warn!(
                    path = %files::path(&dir, base_offset, files::TXN_INDEX).display(),
                    "this index of aborted transactions is gone: it is built anew"
                );
                // A checkpoint writes it.
                segment.indexes_synced.set(false);
            }
            *segment.aborted.borrow_mut() = found;
        }
        segment.knows_aborted.set(true);
        Ok(true)
    }

    /// Whether the producer snapshot at `offset` has one that is `so`; also where there is none.
    async fn snapshot_tells(
        &self,
        offset: i64,
        so: impl Fn(&Producer) -> bool,
    ) -> io::Result<bool> {
        let path = files::path(&self.dir(), offset, files::SNAPSHOT);
        let bytes = match self.0.ring.read_file(&path, MAX_SNAPSHOT_BYTES).await {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
            other => other?,
        };
        let Ok(states) = ProducerStates::decode_snapshot(&bytes, offset, 0, i64::MAX) else {
            return Ok(true);
        };
        assert_eq!(states.map_end_offset(), offset, "a snapshot tells of what lies before it");
        Ok(states.iter().any(|(_, one)| so(one)))
    }
}

/// Reads the batches of the last of these segments. Their CRCs are not checked: that is for readers
/// of the records.
async fn find_aborted(
    ring: &Ring,
    dir: &Path,
    snapshots: Vec<i64>,
    segments: &[Rc<Segment>],
    expiration_ms: i64,
) -> io::Result<TxnIndex> {
    let (segment, before) = segments.split_last().expect("there is a segment to read");
    let base = segment.base_offset;
    assert!(before.iter().all(|one| one.base_offset < base), "{segment} is the last one");
    let loaded = load_producers(ring, dir, snapshots, segments, base, expiration_ms).await?;
    let mut producers = loaded.producers;
    let found = Segment::new(base, 0);
    let from = ScanFrom { position: 0, offset: base };
    let expected = Expected { check_from_offset: i64::MAX, ..Expected::of_segment(base) };
    let mut take = |batch: &Batch<'_>| append::take_producer(&mut producers, batch, &found);
    let end = scan(ring, dir, segment, &from, &expected, &mut take).await?;
    if let Some(damage) = end.damage {
        let path = files::path(dir, base, files::LOG);
        let text = format!("{}: {damage:?}", path.display());
        return Err(io::Error::new(io::ErrorKind::InvalidData, text));
    }
    Ok(found.aborted.take())
}
