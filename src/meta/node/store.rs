//! The metadata node's files: `__cluster_metadata-0` with its log, snapshots and `quorum-state`,
//! and `bootstrap.checkpoint`.
//!
//! Lives on the node's core, and does all its I/O but appends. A snapshot appears whole or not at
//! all.

use super::{MetaNodeError, QuorumState, SnapshotError, bootstrap, metalog, snapshot_file};
use crate::{
    log::{
        CleanupPolicy, Durability, Log, LogConfig, LogStart, Opening, ReadPart, Reserve, TailCache,
        create_dir_durably,
    },
    meta::{
        METADATA_TOPIC,
        image::{MetadataImage, Voter},
        quorum_state,
        replay::Replay,
        snapshot_file::{FORMATTED, SnapshotId},
    },
};
use bytes::{Bytes, BytesMut};
use protocol::{Uuid, metadata_records::MetadataRecord};
use ring::Ring;
use std::{
    io,
    path::{Path, PathBuf},
    rc::Rc,
};

/// The most bytes of a snapshot: some millions of partitions.
const MAX_SNAPSHOT_BYTES: usize = 1 << 30;

/// Bytes of the log that are replayed at a time.
const REPLAY_CHUNK_BYTES: usize = metalog::MAX_BATCH_BYTES;

/// Records of the metadata log that stay in memory: no other node fetches them from a quorum of
/// one.
const TAIL_BYTES: usize = 64 << 10;

/// Snapshots that are kept: the newest, and the one before it in case the disk harms it.
const SNAPSHOTS_KEPT: usize = 2;

pub struct Store {
    ring: Ring,
    reserve: Option<Rc<Reserve>>,
    /// The log directory.
    metadata_dir: PathBuf,
    /// `__cluster_metadata-0` in it.
    dir: PathBuf,
}

impl Store {
    /// `__cluster_metadata-0`
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    pub fn new(ring: &Ring, metadata_dir: &Path, reserve: Option<Rc<Reserve>>) -> Self {
        let dir = metadata_dir.join(format!("{METADATA_TOPIC}-0"));
        Self { ring: ring.clone(), reserve, metadata_dir: metadata_dir.to_owned(), dir }
    }

    /// Whether there is more room now: see [`Reserve`].
    pub async fn spend_reserve_for(&self, error: &io::Error) -> bool {
        match &self.reserve {
            Some(reserve) => reserve.spend_for(error).await,
            None => false,
        }
    }

    /// Takes the rest of a spent piece, before others do.
    pub async fn refill_reserve(&self) {
        if let Some(reserve) = &self.reserve {
            reserve.refill().await;
        }
    }

    fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> MetaNodeError {
        let path = path.to_owned();
        move |source| MetaNodeError::Io { what, path, source }
    }

    /// Whether there is neither a log nor a snapshot: nothing was ever formatted here, or
    /// everything is gone.
    pub async fn is_new(&self) -> Result<bool, MetaNodeError> {
        let names = self.names().await?;
        Ok(!names.iter().any(|name| name.ends_with(".log") || name.parse::<SnapshotId>().is_ok()))
    }

    /// Says it where a file is missing that every log has, and the log itself can tell what was in
    /// it.
    pub async fn tell_missing(&self) -> Result<(), MetaNodeError> {
        let names = self.names().await?;
        let dir = self.dir.display();
        if !names.iter().any(|name| name == quorum_state::FILE_NAME) {
            tracing::warn!(
                "{dir}/{}: the file is missing: its epoch is taken from the log",
                quorum_state::FILE_NAME
            );
        }
        if !names.iter().any(|name| name.parse::<SnapshotId>().is_ok()) {
            tracing::warn!("{dir}: it has no snapshot: the metadata are taken from the log alone");
        }
        Ok(())
    }

    /// Whether the log has a file. Where `quorum-state` is, it had one.
    pub async fn has_log_file(&self) -> Result<bool, MetaNodeError> {
        Ok(self.names().await?.iter().any(|name| name.ends_with(".log")))
    }

    /// Writes what formatting writes. The voters come last: their file says that the directory is
    /// formatted.
    pub async fn format(&self, voter: &Voter) -> Result<(), MetaNodeError> {
        let (ring, now_ms) = (&self.ring, self.ring.wall_clock_ms());
        create_dir_durably(ring, &self.dir).await.map_err(Self::io("creating", &self.dir))?;
        // The folders themselves must outlast a crash, or everything in them is gone with them.
        for above in self.dir.ancestors().skip(1).take(2) {
            ring.sync_dir(above).await.map_err(Self::io("syncing", above))?;
        }
        let bootstrap_path = self.metadata_dir.join(bootstrap::BOOTSTRAP_FILE_NAME);
        // A file that the operator has prepared (with `kafka-storage format`) holds the records
        // that the cluster shall begin with.
        if self.read(&bootstrap_path, bootstrap::MAX_BOOTSTRAP_FILE_BYTES).await?.is_none() {
            let content = bootstrap::bootstrap_file(&bootstrap::bootstrap_records(), now_ms);
            self.write(&bootstrap_path, content).await?;
        }
        self.write(&self.dir.join(FORMATTED.to_string()), Self::initial_snapshot(voter, now_ms))
            .await
    }

    fn initial_snapshot(voter: &Voter, now_ms: i64) -> Bytes {
        bootstrap::initial_snapshot(std::slice::from_ref(voter), now_ms)
    }

    /// The image that formatting leaves.
    pub fn formatted_image(&self, voter: &Voter, cluster_id: &str) -> MetadataImage {
        let content = Self::initial_snapshot(voter, self.ring.wall_clock_ms());
        snapshot_file::decode(&content, FORMATTED, cluster_id)
            .expect("what formatting writes can be read")
    }

    /// The records that a log without metadata begins with: those that formatting has put into its
    /// snapshot, as Kafka does from 4.4.0 on, or else into `bootstrap.checkpoint`, as it did
    /// before. They are proven to fit `image`.
    pub async fn bootstrap_records(
        &self,
        image: &MetadataImage,
    ) -> Result<Vec<MetadataRecord>, MetaNodeError> {
        let (path, records) = self.formatted_records().await?;
        let mut image = image.clone();
        for (place, record) in (0..).zip(&records) {
            if let Err(reason) = image.replay(record) {
                let source = SnapshotError::Record { place, reason };
                return Err(MetaNodeError::Snapshot { path, source });
            }
        }
        Ok(records)
    }

    /// The records of [`Store::bootstrap_records`], and the file that they are in.
    async fn formatted_records(&self) -> Result<(PathBuf, Vec<MetadataRecord>), MetaNodeError> {
        let path = self.dir.join(FORMATTED.to_string());
        if let Some(bytes) = self.read(&path, bootstrap::MAX_BOOTSTRAP_FILE_BYTES).await? {
            let decoded = snapshot_file::decode_formatted(&bytes, "");
            match decoded {
                Ok((_, records)) if records.is_empty() => {}
                Ok((_, records)) => return Ok((path, records)),
                Err(source) => return Err(MetaNodeError::Snapshot { path, source }),
            }
        }
        let path = self.metadata_dir.join(bootstrap::BOOTSTRAP_FILE_NAME);
        match self.read(&path, bootstrap::MAX_BOOTSTRAP_FILE_BYTES).await? {
            Some(bytes) => match bootstrap::read_bootstrap_file(&bytes) {
                Ok(records) => Ok((path, records)),
                Err(source) => Err(MetaNodeError::Metalog { path, source }),
            },
            None => Ok((path, bootstrap::bootstrap_records())),
        }
    }

    /// The image of the newest snapshot; empty without one.
    pub async fn load_snapshot(&self, cluster_id: &str) -> Result<MetadataImage, MetaNodeError> {
        let Some(newest) = self.snapshots().await?.pop() else {
            return Ok(MetadataImage::empty(cluster_id));
        };
        let path = self.dir.join(newest.to_string());
        let bytes = self
            .ring
            .read_file(&path, MAX_SNAPSHOT_BYTES)
            .await
            .map_err(Self::io("reading", &path))?;
        let decoded = match newest {
            FORMATTED => {
                snapshot_file::decode_formatted(&bytes, cluster_id).map(|(image, _)| image)
            }
            _ => snapshot_file::decode(&bytes, newest, cluster_id),
        };
        decoded.map_err(|source| MetaNodeError::Snapshot { path, source })
    }

    /// Examines the log; nothing on the disk changes.
    pub async fn examine_log(
        &self,
        start: LogStart,
        segment_bytes: u32,
    ) -> Result<Opening, MetaNodeError> {
        let config = LogConfig {
            segment_bytes,
            // Snapshots alone decide what goes.
            segment_ms: i64::MAX,
            retention_ms: None,
            cleanup_policy: CleanupPolicy { delete: true, compact: false },
            max_message_bytes: metalog::MAX_BATCH_BYTES as u32,
            durability: Durability::Fsync,
            synced_in_order: true,
            ..LogConfig::default()
        };
        let tail = TailCache::new(TAIL_BYTES);
        Ok(Log::examine(
            &self.ring,
            self.dir.clone(),
            Uuid::METADATA_TOPIC,
            config.shared(),
            start,
            tail,
        )
        .await?)
    }

    /// Replays the log from where `image` ends; also the bytes of records behind the image.
    pub async fn replay(
        &self,
        log: &Log,
        image: MetadataImage,
    ) -> Result<(Replay, u64), MetaNodeError> {
        let mut offset = image.provenance.offset + 1;
        let (start, end) = (log.log_start_offset(), log.log_end_offset());
        if start > offset || end < offset {
            // The one case without loss: a snapshot whose log was emptied with it.
            return Err(MetaNodeError::Gap {
                path: self.dir.clone(),
                start: start.min(end),
                snapshot_end: offset,
            });
        }
        log.set_high_watermark(end);
        let mut replay = Replay::new(image);
        let mut replayed_bytes = 0;
        while offset < end {
            let bytes = self.read_log(log, offset, end).await?;
            for batch in metalog::decode(&bytes) {
                let batch = batch
                    .map_err(|source| MetaNodeError::Metalog { path: self.dir.clone(), source })?;
                // The first batch may begin before the end of the snapshot, if that is inside of
                // it.
                if batch.last_offset() >= offset {
                    offset = batch.last_offset() + 1;
                    replay.apply(&batch)?;
                }
            }
            replayed_bytes += bytes.len() as u64;
        }
        Ok((replay, replayed_bytes))
    }

    /// Whole batches from `offset` on, one at least.
    async fn read_log(&self, log: &Log, offset: i64, end: i64) -> Result<Bytes, MetaNodeError> {
        let data = log.read(offset, REPLAY_CHUNK_BYTES, true, end).await?;
        let mut bytes = BytesMut::with_capacity(data.size_bytes);
        for part in data.parts {
            match part {
                ReadPart::Memory(part) => bytes.extend_from_slice(&part),
                ReadPart::File { file, position, length, .. } => {
                    let read = self.ring.read_exact_at(&file, position, length as usize).await;
                    bytes.extend_from_slice(
                        &read.map_err(Self::io("reading the log in", &self.dir))?,
                    );
                }
            }
        }
        assert!(!bytes.is_empty(), "records below the end of the log can be read");
        Ok(bytes.freeze())
    }

    /// The epoch that `quorum-state` tells of; `None`: there is no such file.
    pub async fn seen_epoch(&self) -> Result<Option<i32>, MetaNodeError> {
        let path = self.dir.join(quorum_state::FILE_NAME);
        let Some(bytes) = self.read(&path, quorum_state::MAX_FILE_BYTES).await? else {
            return Ok(None);
        };
        let state = QuorumState::decode(&String::from_utf8_lossy(&bytes));
        let state = state.map_err(|reason| MetaNodeError::QuorumState { path, reason })?;
        Ok(Some(state.leader_epoch))
    }

    /// Begins an epoch after `last_epoch`, and this node is its leader: durable before anything is
    /// appended in it.
    pub async fn begin_epoch(&self, node_id: i32, last_epoch: i32) -> Result<i32, MetaNodeError> {
        let path = self.dir.join(quorum_state::FILE_NAME);
        let leader_epoch = last_epoch + 1;
        let state = QuorumState {
            leader_id: node_id,
            leader_epoch,
            voted_id: -1,
            voted_directory_id: Uuid::ZERO,
        };
        let content = Bytes::from(state.encode());
        while let Err(error) = self.ring.write_file_atomically(&path, content.clone()).await {
            if !self.spend_reserve_for(&error).await {
                return Err(Self::io("writing", &path)(error));
            }
        }
        Ok(leader_epoch)
    }

    /// Writes the image as a snapshot and removes those that are old; the end offset of the oldest
    /// that is left.
    pub async fn write_snapshot(&self, image: &MetadataImage) -> Result<i64, MetaNodeError> {
        let content = snapshot_file::encode(image, self.ring.wall_clock_ms())
            .expect("an image has the records of its own metadata.version");
        let id = snapshot_file::id_of(image);
        self.write(&self.dir.join(id.to_string()), content).await?;
        tracing::info!(%id, "wrote a snapshot of the metadata");
        let mut snapshots = self.snapshots().await?;
        let kept = snapshots.split_off(snapshots.len().saturating_sub(SNAPSHOTS_KEPT));
        for old in snapshots {
            let path = self.dir.join(old.to_string());
            self.ring.unlink(&path).await.map_err(Self::io("removing", &path))?;
        }
        Ok(kept.first().map_or(0, |oldest| oldest.end_offset))
    }

    /// From the oldest to the newest.
    async fn snapshots(&self) -> Result<Vec<SnapshotId>, MetaNodeError> {
        let mut ids: Vec<SnapshotId> =
            self.names().await?.iter().filter_map(|name| name.parse().ok()).collect();
        ids.sort();
        Ok(ids)
    }

    /// Of the files in the folder; none where there is no folder.
    async fn names(&self) -> Result<Vec<String>, MetaNodeError> {
        match self.ring.read_dir(&self.dir).await {
            Ok(entries) => Ok(entries.into_iter().map(|entry| entry.name).collect()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(Self::io("listing", &self.dir)(error)),
        }
    }

    /// None: there is no such file.
    async fn read(&self, path: &Path, max_bytes: usize) -> Result<Option<Vec<u8>>, MetaNodeError> {
        match self.ring.read_file(path, max_bytes).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Self::io("reading", path)(error)),
        }
    }

    async fn write(&self, path: &Path, content: Bytes) -> Result<(), MetaNodeError> {
        self.ring.write_file_atomically(path, content).await.map_err(Self::io("writing", path))
    }
}
