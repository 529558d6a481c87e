//! A log directory: who owns it, what was promised about its logs, and the files that say so.
//!
//! Owns: `.lock`, `meta.properties`, the three offset checkpoints, `.kafka_cleanshutdown` and the recovery checkpoints.
//! Lives on: the core that boots the broker; what it tells about one log ([`LogStart`]) is plain data and may cross cores.
//! Never: opens a log.

use super::{
    LogError, LogStart, LogState,
    checkpoint::{self, MalformedCheckpoint, MetaProperties, OffsetEntry},
    fast_start, files,
    reserve::Reserve,
};
use bytes::Bytes;
use protocol::Uuid;
use ring::{File, OpenOptions, Ring};
use rustc_hash::FxHashMap;
use std::{
    io,
    path::{Path, PathBuf},
    rc::Rc,
};

const LOCK: &str = ".lock";
const META_PROPERTIES: &str = "meta.properties";
const CLEAN_SHUTDOWN: &str = ".kafka_cleanshutdown";
const RECOVERY_POINTS: &str = "recovery-point-offset-checkpoint";
const LOG_STARTS: &str = "log-start-offset-checkpoint";
const HIGH_WATERMARKS: &str = "replication-offset-checkpoint";
/// Checkpoints have a line per partition: room for some hundred thousand.
const MAX_FILE_BYTES: usize = 64 << 20;

type Offsets = FxHashMap<(String, i32), i64>;

/// A log directory that this process holds the lock of.
pub struct LogDir {
    ring: Ring,
    path: PathBuf,
    /// Locked as long as it is open.
    _lock: File,
    reserve: Rc<Reserve>,
    meta: MetaProperties,
    clean: bool,
    previous_broker_epoch: i64,
    partitions: Vec<PartitionDir>,
    recovery_points: Offsets,
    log_starts: Offsets,
    high_watermarks: Offsets,
    states: FxHashMap<String, LogState>,
}

/// A folder of one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionDir {
    pub topic: String,
    pub partition: i32,
    pub path: PathBuf,
}

impl LogDir {
    /// Locks the directory, creating it where needed, and reads what it says about itself. `cluster_id` and `node_id` are
    /// written to a new directory, and must be those of an old one.
    pub async fn open(ring: &Ring, path: &Path, cluster_id: &str, node_id: i32) -> Result<LogDir, LogError> {
        files::create_dir_durably(ring, path).await.map_err(LogError::io("creating", path))?;
        let lock_path = path.join(LOCK);
        let lock = ring.open(&lock_path, OpenOptions::write()).await.map_err(LogError::io("opening", &lock_path))?;
        if !ring.try_lock(&lock).await.map_err(LogError::io("locking", &lock_path))? {
            return Err(LogError::Locked { path: lock_path });
        }
        let meta = read_meta(ring, path, cluster_id, node_id).await?;
        let clean_text = read_text(ring, &path.join(CLEAN_SHUTDOWN)).await?;
        let mut dir = LogDir {
            ring: ring.clone(),
            path: path.to_owned(),
            _lock: lock,
            reserve: Reserve::open(ring, path).await,
            meta,
            clean: clean_text.is_some(),
            previous_broker_epoch: clean_text.and_then(|text| checkpoint::parse_clean_shutdown(&text)).unwrap_or(-1),
            partitions: Vec::new(),
            recovery_points: read_offsets(ring, &path.join(RECOVERY_POINTS)).await?,
            log_starts: read_offsets(ring, &path.join(LOG_STARTS)).await?,
            high_watermarks: read_offsets(ring, &path.join(HIGH_WATERMARKS)).await?,
            states: FxHashMap::default(),
        };
        dir.list().await?;
        Ok(dir)
    }

    /// Finds the partitions; finishes what an earlier run has begun to delete; reads the recovery checkpoints.
    async fn list(&mut self) -> Result<(), LogError> {
        let entries = self.ring.read_dir(&self.path).await.map_err(LogError::io("listing", &self.path))?;
        for entry in entries {
            let path = self.path.join(&entry.name);
            if !entry.is_dir {
                if entry.name.starts_with(fast_start::FILE_PREFIX) && self.clean {
                    self.read_states(&path).await;
                }
            } else if entry.name.ends_with(files::DELETE_DIR_SUFFIX) {
                let ring = self.ring.clone();
                drop(self.ring.spawn(async move {
                    if let Err(error) = super::retention::remove_log_dir(&ring, &path).await {
                        tracing::warn!(path = %path.display(), %error, "a deleted partition's folder could not be removed");
                    }
                }));
            } else if entry.name.ends_with(files::FUTURE_DIR_SUFFIX) || entry.name.ends_with(files::STRAY_DIR_SUFFIX) {
                tracing::info!(path = %path.display(), "left alone: not a partition in use");
            } else if let Some((topic, partition)) = files::parse_partition_dir(&entry.name) {
                self.partitions.push(PartitionDir { topic: topic.to_owned(), partition, path });
            }
        }
        Ok(())
    }

    async fn read_states(&mut self, path: &Path) {
        let states = match self.ring.read_file(path, MAX_FILE_BYTES).await {
            Ok(bytes) => fast_start::decode(&bytes).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        match states {
            Ok(states) => self.states.extend(states.into_iter().map(|state| (state.dir.clone(), state))),
            Err(error) => {
                tracing::warn!(path = %path.display(), error, "the recovery checkpoint cannot be read: the files are, instead");
            }
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
    /// Room for what must be written on a full disk.
    pub fn reserve(&self) -> &Rc<Reserve> {
        &self.reserve
    }
    pub fn meta(&self) -> &MetaProperties {
        &self.meta
    }
    /// The id that the controllers know this directory by.
    pub fn directory_id(&self) -> Uuid {
        self.meta.directory_id.as_deref().and_then(|text| text.parse().ok()).unwrap_or(Uuid::ZERO)
    }
    /// The last broker here has closed every log in order.
    pub fn was_clean(&self) -> bool {
        self.clean
    }
    /// The broker epoch of the last run; -1 when that did not end in order.
    pub fn previous_broker_epoch(&self) -> i64 {
        self.previous_broker_epoch
    }
    pub fn partitions(&self) -> &[PartitionDir] {
        &self.partitions
    }
    pub fn partition_path(&self, topic: &str, partition: i32) -> PathBuf {
        self.path.join(format!("{topic}-{partition}"))
    }

    /// What is known about one log, for [`super::Log::open`].
    pub fn log_start(&mut self, topic: &str, partition: i32) -> LogStart {
        let key = (topic.to_owned(), partition);
        let known = |offsets: &Offsets| offsets.get(&key).copied().unwrap_or(0);
        LogStart {
            clean: self.clean,
            recovery_point: known(&self.recovery_points),
            log_start_offset: known(&self.log_starts),
            state: self.states.remove(&format!("{topic}-{partition}")),
            replay: Vec::new(),
        }
    }

    /// The high watermark that was last written for a partition.
    pub fn high_watermark(&self, topic: &str, partition: i32) -> Option<i64> {
        self.high_watermarks.get(&(topic.to_owned(), partition)).copied()
    }

    /// From now on a crash is a crash. Before the first append; done when it is on the disk.
    pub async fn begin_run(&self) -> Result<(), LogError> {
        let mut stale = vec![CLEAN_SHUTDOWN.to_owned()];
        let entries = self.ring.read_dir(&self.path).await.map_err(LogError::io("listing", &self.path))?;
        stale.extend(entries.into_iter().map(|one| one.name).filter(|name| name.starts_with(fast_start::FILE_PREFIX)));
        for name in stale {
            let path = self.path.join(name);
            super::sync::remove_if_there(&self.ring, &path).await.map_err(LogError::io("removing", &path))?;
        }
        self.ring.sync_dir(&self.path).await.map_err(LogError::io("syncing", &self.path))
    }

    async fn write(&self, name: &str, content: impl Into<Bytes>) -> io::Result<()> {
        self.ring.write_file_atomically(self.path.join(name), content.into()).await
    }

    /// Every partition's recovery point: recovery after a crash begins there.
    pub async fn write_recovery_points(&self, entries: &[OffsetEntry]) -> io::Result<()> {
        self.write(RECOVERY_POINTS, checkpoint::format_offsets(entries)).await
    }

    /// Log starts of the partitions whose first segment begins earlier.
    pub async fn write_log_starts(&self, entries: &[OffsetEntry]) -> io::Result<()> {
        self.write(LOG_STARTS, checkpoint::format_offsets(entries)).await
    }

    pub async fn write_high_watermarks(&self, entries: &[OffsetEntry]) -> io::Result<()> {
        self.write(HIGH_WATERMARKS, checkpoint::format_offsets(entries)).await
    }

    /// What the logs of one shard said when they were closed. Before [`LogDir::end_run`].
    pub async fn write_states(&self, shard: usize, states: &Vec<LogState>) -> io::Result<()> {
        self.write(&format!("{}.{shard}", fast_start::FILE_PREFIX), fast_start::encode(states)).await
    }

    /// Every log is closed, and the checkpoints are written: the shutdown was clean.
    pub async fn end_run(&self, broker_epoch: i64) -> io::Result<()> {
        self.write(CLEAN_SHUTDOWN, checkpoint::format_clean_shutdown(broker_epoch)).await
    }
}

/// Keeps a folder that belongs to no partition that the metadata knows under another name, for whoever may want it.
pub async fn set_aside(ring: &Ring, dir: &Path) -> Result<(), LogError> {
    files::rename_dir(ring, dir, files::STRAY_DIR_SUFFIX).await.map(drop).map_err(LogError::io("setting aside", dir))
}

async fn read_text(ring: &Ring, path: &Path) -> Result<Option<String>, LogError> {
    match ring.read_file(path, MAX_FILE_BYTES).await {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(LogError::io("reading", path)(error)),
    }
}

fn bad_file(path: &Path) -> impl FnOnce(MalformedCheckpoint) -> LogError {
    let path = path.to_owned();
    move |error| LogError::BadFile { path, detail: error.to_string() }
}

async fn read_offsets(ring: &Ring, path: &Path) -> Result<Offsets, LogError> {
    let text = read_text(ring, path).await?.unwrap_or_else(|| checkpoint::format_offsets(&[]));
    let entries = checkpoint::parse_offsets(&text).map_err(bad_file(path))?;
    Ok(entries.into_iter().map(|entry| ((entry.topic, entry.partition), entry.offset)).collect())
}

async fn read_meta(ring: &Ring, dir: &Path, cluster_id: &str, node_id: i32) -> Result<MetaProperties, LogError> {
    let path = dir.join(META_PROPERTIES);
    let mut meta = match read_text(ring, &path).await? {
        Some(text) => MetaProperties::parse(&text).map_err(bad_file(&path))?,
        None => MetaProperties { cluster_id: cluster_id.to_owned(), node_id, directory_id: None },
    };
    if meta.cluster_id != cluster_id || meta.node_id != node_id {
        let detail = format!(
            "it belongs to node {} of cluster {}, this is node {node_id} of cluster {cluster_id}: wrong directory?",
            meta.node_id, meta.cluster_id
        );
        return Err(LogError::BadFile { path, detail });
    }
    if meta.directory_id.is_none() {
        meta.directory_id = Some(new_directory_id(ring).to_string());
        ring.write_file_atomically(&path, meta.format().into()).await.map_err(LogError::io("writing", &path))?;
    }
    Ok(meta)
}

/// A random UUID (version 4), none of the 100 that Kafka reserves, and none whose text begins with a dash.
fn new_directory_id(ring: &Ring) -> Uuid {
    loop {
        let random = (u128::from(ring.random_u64()) << 64) | u128::from(ring.random_u64());
        let versioned = (random & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
        let id = Uuid::from_u128(versioned);
        if !id.to_string().starts_with('-') {
            return id;
        }
    }
}
