//! Reading the batches of one segment's file.
//!
//! Owns: what the batches of a segment have to be. Lives on the core that opens the log. Never:
//! changes a file.

use super::load::Loader;
use crate::log::{
    LogError, files,
    scan::{Expected, Scan, ScanEnd},
    segment::{Segment, SegmentFile},
};
use protocol::records::Batch;
use ring::Ring;
use std::{io, path::Path, rc::Rc};

/// Where the scan of the first doubtful segment begins: a batch in the file, and its offset.
pub(super) struct ScanFrom {
    pub position: u64,
    pub offset: i64,
}

impl Loader<'_> {
    /// What the batches of a segment have to be. What the commit stream has is no hole. What lies
    /// beyond the recovery point was never compacted: a cleaner begins with what was synced.
    /// Without a checkpoint nothing says where that begins.
    pub(super) fn expected(&self, segment: &Segment, check_from_offset: i64) -> Expected<'_> {
        let is_dense =
            !self.start.clean && self.start.is_known && !self.config.cleanup_policy.compact;
        let dense_from_offset = match is_dense {
            true => self.start.recovery_point.max(self.start.cleaned_to),
            false => i64::MAX,
        };
        let compacted_to_offset =
            self.start.may_be_compacted_to(self.config.cleanup_policy.compact);
        let committed = if self.start.clean { &[][..] } else { &self.start.replay };
        Expected {
            check_from_offset,
            dense_from_offset,
            committed,
            compacted_to_offset,
            ..Expected::of_segment(segment.base_offset)
        }
        .up_to(self.start.known_end())
    }

    pub(super) async fn has_good_batch_behind(
        &self,
        segment: &Rc<Segment>,
        end: &ScanEnd,
    ) -> Result<bool, LogError> {
        let file = segment
            .file(self.ring, self.dir, SegmentFile::Log)
            .await
            .map_err(self.io("opening a segment in"))?;
        let scan = Scan {
            ring: self.ring,
            file: &file,
            from: 0,
            size_bytes: self.size_of(segment, SegmentFile::Log),
            first_offset: segment.base_offset,
            expected: self.expected(segment, segment.base_offset),
        };
        scan.good_batch_behind(end).await.map_err(self.io("reading a segment in"))
    }

    pub(super) fn set_sizes(&self, segment: &Segment) -> Result<(), LogError> {
        for part in SegmentFile::ALL {
            segment.set_exists(
                part,
                self.names
                    .borrow()
                    .contains_key(&files::name(segment.base_offset, part.extension())),
            );
        }
        let size = self.size_of(segment, SegmentFile::Log);
        let size =
            u32::try_from(size).ok().filter(|size| *size <= i32::MAX as u32).ok_or_else(|| {
                LogError::BadFile {
                    path: files::path(self.dir, segment.base_offset, files::LOG),
                    detail: format!("{size} bytes are more than a segment can have"),
                }
            })?;
        segment.size_bytes.set(size);
        segment.written_bytes.set(size);
        segment.synced_bytes.set(size);
        Ok(())
    }

    pub(super) fn size_of(&self, segment: &Segment, part: SegmentFile) -> u64 {
        self.names
            .borrow()
            .get(&files::name(segment.base_offset, part.extension()))
            .copied()
            .unwrap_or(0)
    }

    /// Reads a segment from a position where a batch begins, and takes nothing of it. Checksums are
    /// checked from an offset on.
    pub(super) async fn scan_plainly(
        &self,
        segment: &Segment,
        from: u64,
        check_from: i64,
    ) -> Result<ScanEnd, LogError> {
        let from = ScanFrom { position: from, offset: segment.base_offset };
        let scanned = scan(
            self.ring,
            self.dir,
            segment,
            &from,
            &self.expected(segment, check_from),
            &mut |_| {},
        )
        .await;
        scanned.map_err(self.io("reading a segment in"))
    }
}

/// Reads the batches of a segment's file.
pub(super) async fn scan(
    ring: &Ring,
    dir: &Path,
    segment: &Segment,
    from: &ScanFrom,
    expected: &Expected<'_>,
    take: &mut dyn FnMut(&Batch<'_>),
) -> io::Result<ScanEnd> {
    let (position, size) = (from.position, segment.written_bytes.get());
    assert!(position <= u64::from(size), "{segment} is read from byte {position} on, of {size}");
    let file = segment.file(ring, dir, SegmentFile::Log).await?;
    let scan = Scan {
        ring,
        file: &file,
        from: from.position,
        size_bytes: u64::from(segment.written_bytes.get()),
        first_offset: from.offset,
        expected: *expected,
    };
    scan.run(take).await
}
