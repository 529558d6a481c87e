//! Snapshot files of the metadata log (KIP-630): `NNN-EEE.checkpoint`, an image as batches between
//! a header and a footer.
//!
//! Layout: a control batch of SnapshotHeader, KRaftVersion and Voters (the latter two with
//! `kraft.version` 1), batches of metadata records, a control batch of SnapshotFooter. Offsets
//! count from 0; the batches' epoch is the snapshot's. Bytes in, bytes out.

use super::{
    image::MetadataImage,
    metalog::{self, BatchContent, ControlRecord, MAX_BATCH_BYTES},
};
use bytes::{Bytes, BytesMut};
use protocol::{EncodeError, metadata_records::MetadataRecord};
use std::{fmt, str::FromStr};

/// What a snapshot contains: all records before `end_offset`, the last of them of `epoch`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SnapshotId {
    pub end_offset: i64,
    pub epoch: i32,
}

/// The file's name.
impl fmt::Display for SnapshotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:020}-{:010}.checkpoint", self.end_offset, self.epoch)
    }
}

/// The snapshot that formatting a directory writes. Nothing lies before its end: the metadata
/// records in it, which Kafka 4.4.0 and later put there (KIP-1170), are still to be appended to the
/// log by the first controller.
pub const FORMATTED: SnapshotId = SnapshotId { end_offset: 0, epoch: 0 };

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the name of a snapshot")]
pub struct NotASnapshot;

impl FromStr for SnapshotId {
    type Err = NotASnapshot;

    fn from_str(name: &str) -> Result<Self, NotASnapshot> {
        let digits = |text: &str, count: usize| {
            text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit())
        };
        let (offset, epoch) = name
            .strip_suffix(".checkpoint")
            .and_then(|stem| stem.split_once('-'))
            .ok_or(NotASnapshot)?;
        if !digits(offset, 20) || !digits(epoch, 10) {
            return Err(NotASnapshot);
        }
        let end_offset = offset.parse().map_err(|_| NotASnapshot)?;
        Ok(Self { end_offset, epoch: epoch.parse().map_err(|_| NotASnapshot)? })
    }
}

#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    #[error(transparent)]
    Metalog(#[from] metalog::MetalogError),
    #[error("the snapshot does not begin with a header")]
    NoHeader,
    #[error("the snapshot has no footer: it is cut off")]
    NoFooter,
    #[error("the batch at place {place} says that it is at {found}")]
    Place { place: i64, found: i64 },
    #[error("the record at place {place} does not fit those before it: {reason}")]
    Record { place: i64, reason: String },
}

/// The snapshot of everything that `image` contains.
pub fn id_of(image: &MetadataImage) -> SnapshotId {
    SnapshotId { end_offset: image.provenance.offset + 1, epoch: image.provenance.epoch }
}

/// The file for `image`, written at `now_ms`.
pub fn encode(image: &MetadataImage, now_ms: i64) -> Result<Bytes, EncodeError> {
    let mut header = vec![ControlRecord::SnapshotHeader {
        last_contained_log_timestamp_ms: image.provenance.timestamp_ms,
    }];
    if image.quorum.kraft_version > 0 {
        header.push(ControlRecord::KraftVersion(image.quorum.kraft_version));
        header.push(ControlRecord::Voters(image.quorum.voters.clone()));
    }
    let level = image.metadata_version();
    assemble(&header, &image.to_records(), level, id_of(image).epoch, now_ms)
}

/// Header records, metadata records and footer as one file.
pub fn assemble(
    header: &[ControlRecord],
    records: &[MetadataRecord],
    level: i16,
    epoch: i32,
    now_ms: i64,
) -> Result<Bytes, EncodeError> {
    let mut file = BytesMut::from(&metalog::encode_control(header, 0, epoch, now_ms)[..]);
    let base_offset = header.len() as i64;
    for batch in
        metalog::encode_records(records, level, base_offset, epoch, now_ms, MAX_BATCH_BYTES)?
    {
        file.extend_from_slice(&batch);
    }
    let footer_offset = base_offset + records.len() as i64;
    file.extend_from_slice(&metalog::encode_control(
        &[ControlRecord::SnapshotFooter],
        footer_offset,
        epoch,
        now_ms,
    ));
    Ok(file.freeze())
}

/// The image of the snapshot file `id` with this content. Whatever is wrong with it is an error:
/// half a snapshot is none.
pub fn decode(
    bytes: &[u8],
    id: SnapshotId,
    cluster_id: &str,
) -> Result<MetadataImage, SnapshotError> {
    read(bytes, id, cluster_id, |image, record| image.replay(&record))
}

/// What the file [`FORMATTED`] holds: the image of its control records, and the metadata records
/// that the first controller is to append.
pub fn decode_formatted(
    bytes: &[u8],
    cluster_id: &str,
) -> Result<(MetadataImage, Vec<MetadataRecord>), SnapshotError> {
    let mut records = Vec::new();
    let image = read(bytes, FORMATTED, cluster_id, |_, record| {
        records.push(record);
        Ok(())
    })?;
    Ok((image, records))
}

/// Gives the metadata records to `take`, one after the other; the control records go into the
/// image.
fn read(
    bytes: &[u8],
    id: SnapshotId,
    cluster_id: &str,
    mut take: impl FnMut(&mut MetadataImage, MetadataRecord) -> Result<(), String>,
) -> Result<MetadataImage, SnapshotError> {
    let mut image = MetadataImage::empty(cluster_id);
    let (mut has_header, mut has_footer) = (false, false);
    let mut place = 0;
    for batch in metalog::decode(bytes) {
        let batch = batch?;
        let (found, next) = (batch.base_offset, batch.last_offset() + 1);
        match batch.content {
            BatchContent::Control(records) => {
                for record in &records {
                    if let ControlRecord::SnapshotHeader { last_contained_log_timestamp_ms } =
                        record
                    {
                        image.provenance.timestamp_ms = *last_contained_log_timestamp_ms;
                        has_header = true;
                    }
                    has_footer |= *record == ControlRecord::SnapshotFooter;
                    image.replay_control(record, batch.epoch);
                }
            }
            BatchContent::Records(records) => {
                for (place, record) in (batch.base_offset..).zip(records) {
                    take(&mut image, record)
                        .map_err(|reason| SnapshotError::Record { place, reason })?;
                }
            }
        }
        if !has_header {
            return Err(SnapshotError::NoHeader);
        }
        // Not covered by the checksum.
        if found != place {
            return Err(SnapshotError::Place { place, found });
        }
        place = next;
    }
    if !has_footer {
        return Err(SnapshotError::NoFooter);
    }
    image.provenance.offset = id.end_offset - 1;
    image.provenance.epoch = id.epoch;
    Ok(image)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_there_and_back() {
        let id = SnapshotId { end_offset: 12, epoch: 3 };
        assert_eq!(id.to_string(), "00000000000000000012-0000000003.checkpoint");
        assert_eq!(id.to_string().parse(), Ok(id));
        for name in [
            "",
            "12-3.checkpoint",
            "00000000000000000012-0000000003.checkpoint.part",
            "bootstrap.checkpoint",
        ] {
            assert_eq!(name.parse::<SnapshotId>(), Err(NotASnapshot), "{name}");
        }
    }

    #[test]
    fn half_a_snapshot_is_none() {
        let image = MetadataImage::empty("cluster");
        let file = encode(&image, 5).unwrap();
        let id = id_of(&image);
        assert_eq!(decode(&file, id, "cluster").unwrap(), image);
        let footer = metalog::encode_control(&[ControlRecord::SnapshotFooter], 1, 0, 5);
        assert!(matches!(
            decode(&file[..file.len() - footer.len()], id, "c"),
            Err(SnapshotError::NoFooter)
        ));
        assert!(matches!(decode(&footer, id, "c"), Err(SnapshotError::NoHeader)));
        assert!(matches!(decode(&file[..file.len() - 1], id, "c"), Err(SnapshotError::Metalog(_))));
        let mut damaged = file.to_vec();
        damaged[70] ^= 1;
        assert!(matches!(decode(&damaged, id, "c"), Err(SnapshotError::Metalog(_))));
    }
}
