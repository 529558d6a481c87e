//! The producer state of a log at an offset, from its snapshots and batches.
//!
//! Owns: the choice of the snapshot. Lives on the core of the log. Never: takes a snapshot that was
//! made beyond the offset.

use super::MAX_SNAPSHOT_BYTES;
use crate::log::{
    files, lookup,
    producers::ProducerStates,
    segment::{Segment, SegmentFile},
    walk::Walk,
};
use protocol::records::Batch;
use ring::Ring;
use std::{io, path::Path, rc::Rc};

pub(in crate::log) struct LoadedProducers {
    pub producers: ProducerStates,
    /// -1: none was used.
    pub snapshot_offset: i64,
}

/// The producer state at offset `end`: the newest snapshot at or below it that can be read, and the
/// batches since.
pub(in crate::log) async fn load_producers(
    ring: &Ring,
    dir: &Path,
    mut snapshots: Vec<i64>,
    segments: &[Rc<Segment>],
    end: i64,
    expiration_ms: i64,
) -> io::Result<LoadedProducers> {
    snapshots.retain(|at| *at <= end);
    snapshots.sort_unstable();
    // Not from the log start: producers whose records were deleted are remembered as long as there
    // is a trace of them.
    let first = segments.first().map_or(0, |segment| segment.base_offset);
    let mut loaded = LoadedProducers { producers: ProducerStates::new(first), snapshot_offset: -1 };
    while let Some(at) = snapshots.pop() {
        let path = files::path(dir, at, files::SNAPSHOT);
        let bytes = ring.read_file(&path, MAX_SNAPSHOT_BYTES).await?;
        match ProducerStates::decode_snapshot(&bytes, at, ring.wall_clock_ms(), expiration_ms) {
            Ok(producers) => {
                loaded = LoadedProducers { producers, snapshot_offset: at };
                break;
            }
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "a producer snapshot is damaged: \
                    an older one is used");
            }
        }
    }
    let at = loaded.snapshot_offset;
    assert!(at <= end, "a snapshot at {at} was taken for the state at {end}");
    let from = loaded.snapshot_offset.max(first);
    for (at, segment) in segments.iter().enumerate() {
        let next_base = segments.get(at + 1).map_or(i64::MAX, |next| next.base_offset);
        if next_base > from && segment.base_offset < end {
            replay(ring, dir, segment, from, end, &mut loaded.producers).await?;
            segment.close_idle_files(false);
        }
    }
    Ok(loaded)
}

/// Takes the batches of one segment between two offsets into the producer state.
async fn replay(
    ring: &Ring,
    dir: &Path,
    segment: &Segment,
    from: i64,
    end: i64,
    producers: &mut ProducerStates,
) -> io::Result<()> {
    let size = u64::from(segment.size_bytes.get());
    if size == 0 {
        return Ok(());
    }
    let start = lookup::position_before(ring, dir, segment, from).await?;
    let file = segment.file(ring, dir, SegmentFile::Log).await?;
    let mut walk = Walk::new(ring, &file, start, size);
    while let Some(batch) = walk.next().await? {
        if batch.header.base_offset() >= end {
            break;
        }
        if batch.header.next_offset() > from && batch.header.has_producer_id() {
            let bytes =
                ring.read_exact_at(&file, batch.position, batch.size_bytes as usize).await?;
            let parsed = Batch::parse(&bytes)
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
            producers.apply(&parsed);
        }
    }
    Ok(())
}
