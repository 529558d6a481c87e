//! The producer state of a log at an offset, from its snapshots and batches.
//!
//! Owns: the choice of the snapshot. Lives on the core of the log. Never: takes a snapshot that was
//! made beyond the offset.

use super::MAX_SNAPSHOT_BYTES;
use crate::log::{
    files, log_dir_of, lookup,
    producers::ProducerStates,
    segment::{Segment, SegmentFile},
    walk::{Located, Walk},
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
            let range = Range { from, end, next_base };
            replay(ring, dir, segment, &range, &mut loaded.producers).await?;
            segment.close_idle_files(false);
        }
    }
    Ok(loaded)
}

/// What is taken of one segment.
struct Range {
    from: i64,
    end: i64,
    /// Where the next segment begins; `i64::MAX` where there is none.
    next_base: i64,
}

/// Takes the batches of one segment between two offsets into the producer state. What lies there
/// was found good once, but not by this start: a bit of an offset may have flipped since, which no
/// CRC covers, and the producer state believes that offsets rise.
async fn replay(
    ring: &Ring,
    dir: &Path,
    segment: &Segment,
    range: &Range,
    producers: &mut ProducerStates,
) -> io::Result<()> {
    let size = u64::from(segment.size_bytes.get());
    if size == 0 {
        return Ok(());
    }
    let start = lookup::position_before(ring, dir, segment, range.from).await?;
    let file = segment.file(ring, dir, SegmentFile::Log).await?;
    let mut walk = Walk::new(ring, &file, start, size);
    let mut next_offset = segment.base_offset;
    while let Some(batch) = walk.next().await? {
        check_follows(dir, segment, &batch, next_offset, range.next_base)?;
        next_offset = batch.header.next_offset();
        if batch.header.base_offset() >= range.end {
            // Unless it has only got there by a flipped bit: the one behind it tells.
            if let Some(behind) = walk.next().await? {
                check_follows(dir, segment, &behind, next_offset, range.next_base)?;
            }
            break;
        }
        if next_offset > range.from && batch.header.has_producer_id() {
            let bytes =
                ring.read_exact_at(&file, batch.position, batch.size_bytes as usize).await?;
            let parsed = Batch::parse(&bytes)
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
            producers.apply(&parsed);
        }
    }
    Ok(())
}

/// Whether a batch has offsets from `next_offset` on, and below the next segment.
fn check_follows(
    dir: &Path,
    segment: &Segment,
    batch: &Located,
    next_offset: i64,
    next_base: i64,
) -> io::Result<()> {
    assert!(segment.base_offset <= next_offset, "{segment} has batches from {next_offset} on");
    let (base_offset, position) = (batch.header.base_offset(), batch.position);
    let is_in_order = base_offset >= next_offset
        && batch.header.last_offset_delta() >= 0
        && base_offset < next_base;
    if is_in_order {
        return Ok(());
    }
    let path = files::path(dir, segment.base_offset, files::LOG);
    let text = format!(
        "{} is damaged: the batch at byte {position} has the base offset {base_offset}, and the \
         one before it ends at {next_offset}. Stop the broker and type `millstream log check {}`",
        path.display(),
        log_dir_of(&path).display()
    );
    Err(io::Error::new(io::ErrorKind::InvalidData, text))
}
