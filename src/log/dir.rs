//! A log directory: who owns it, what was promised about its logs, and the files that say so.
//!
//! Owns: `.lock`, `meta.properties`, the three offset checkpoints, `.kafka_cleanshutdown`,
//! `millstream-metadata-seen` and the recovery checkpoints. Lives on: the core that boots the
//! broker; what it tells about one log ([`LogStart`]) is plain data and may cross cores. Never:
//! opens a log.

use super::{
    LogError, LogStart, LogState,
    checkpoint::{self, MalformedCheckpoint, MetaProperties, MetadataSeen, OffsetEntry},
    fast_start, files,
    reserve::Reserve,
};
use bytes::Bytes;
use protocol::Uuid;
use ring::{File, OpenOptions, Ring};
use rustc_hash::{FxHashMap, FxHashSet};
use std::{
    cell::{Cell, RefCell},
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
/// There only where a log was compacted.
const CLEANED: &str = "cleaner-offset-checkpoint";
const METADATA_SEEN: &str = "millstream-metadata-seen";
/// Checkpoints have a line per partition: room for some hundred thousand.
const MAX_FILE_BYTES: usize = 64 << 20;

type Offsets = FxHashMap<(String, i32), i64>;

/// A log directory that this process holds the lock of.
pub struct LogDir {
    ring: Ring,
    path: PathBuf,
    /// Locked as long as it is open.
    lock: Option<File>,
    reserve: Rc<Reserve>,
    meta: MetaProperties,
    /// `meta.properties` says so.
    is_unused: Cell<bool>,
    clean: bool,
    previous_broker_epoch: i64,
    partitions: Vec<PartitionDir>,
    strays: Vec<StrayDir>,
    recovery_points: RefCell<Offsets>,
    log_starts: RefCell<Offsets>,
    high_watermarks: RefCell<Offsets>,
    cleaned: RefCell<Offsets>,
    /// Topics that are gone and that the files of the checkpoints may still know.
    deleted_topics: RefCell<FxHashSet<String>>,
    /// A checkpoint was missing or malformed.
    checkpoints_lost: bool,
    /// None of them could be read.
    checkpoints_gone: bool,
    /// Those that are missing or malformed.
    lost: Vec<LostCheckpoint>,
    /// A file that cannot be read ends the opening. Otherwise it is noted, and as good as missing.
    is_strict: bool,
    unreadable: Vec<String>,
    metadata_seen: Cell<MetadataSeen>,
    /// Folders that an earlier run has begun to delete.
    deleted: Vec<PathBuf>,
    states: FxHashMap<String, LogState>,
}

/// An offset checkpoint that says nothing.
#[derive(Clone, Debug)]
pub struct LostCheckpoint {
    pub path: PathBuf,
    /// Whether it is missing or malformed, and where.
    pub why: String,
    pub is_missing: bool,
    pub consequence: &'static str,
}

/// A folder that an earlier run has set aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StrayDir {
    /// May be cut short.
    pub topic: String,
    pub partition: i32,
    pub path: PathBuf,
}

/// What the logs of a directory say of themselves, for its offset checkpoints.
#[derive(Clone, Debug, Default)]
pub struct Checkpoints {
    /// Recovery after a crash begins there.
    pub recovery_points: Vec<OffsetEntry>,
    pub log_starts: Vec<OffsetEntry>,
    pub high_watermarks: Vec<OffsetEntry>,
    /// Of compacted logs: what lies below is clean.
    pub cleaned: Vec<OffsetEntry>,
}

/// A folder of one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionDir {
    pub topic: String,
    pub partition: i32,
    pub path: PathBuf,
}

impl LogDir {
    /// Locks the directory, creating it where needed, and reads what it says about itself.
    /// `cluster_id` and `node_id` are written to a new directory, and must be those of an old one.
    pub async fn open(
        ring: &Ring,
        path: &Path,
        cluster_id: &str,
        node_id: i32,
    ) -> Result<LogDir, LogError> {
        files::create_dir_durably(ring, path).await.map_err(LogError::io("creating", path))?;
        let lock_path = path.join(LOCK);
        let lock = ring
            .open(&lock_path, OpenOptions::write())
            .await
            .map_err(LogError::io("opening", &lock_path))?;
        if !ring.try_lock(&lock).await.map_err(LogError::io("locking", &lock_path))? {
            return Err(LogError::Locked { path: lock_path });
        }
        let (meta, is_new) = read_meta(ring, path, cluster_id, node_id).await?;
        let dir =
            LogDir::new(ring, path, Some(lock), Reserve::open(ring, path).await, (meta, is_new));
        let dir = dir.read().await?;
        for lost in dir.lost.iter().filter(|_| !dir.partitions.is_empty()) {
            let LostCheckpoint { path, why, consequence, .. } = lost;
            tracing::warn!(path = %path.display(), "{why}: it is written anew; {consequence}");
        }
        Ok(dir)
    }

    fn new(
        ring: &Ring,
        path: &Path,
        lock: Option<File>,
        reserve: Rc<Reserve>,
        (meta, is_new): (MetaProperties, bool),
    ) -> LogDir {
        LogDir {
            ring: ring.clone(),
            path: path.to_owned(),
            lock,
            reserve,
            is_unused: Cell::new(meta.is_unused),
            meta,
            clean: false,
            previous_broker_epoch: -1,
            partitions: Vec::new(),
            strays: Vec::new(),
            recovery_points: RefCell::default(),
            log_starts: RefCell::default(),
            high_watermarks: RefCell::default(),
            cleaned: RefCell::default(),
            deleted_topics: RefCell::default(),
            checkpoints_lost: is_new,
            checkpoints_gone: true,
            lost: Vec::new(),
            is_strict: true,
            unreadable: Vec::new(),
            metadata_seen: Cell::new(MetadataSeen { offset: -1, went_back: false }),
            deleted: Vec::new(),
            states: FxHashMap::default(),
        }
    }

    async fn read(mut self) -> Result<LogDir, LogError> {
        let clean_text = self.text(CLEAN_SHUTDOWN).await?;
        self.clean = clean_text.is_some();
        self.previous_broker_epoch =
            clean_text.as_deref().and_then(checkpoint::parse_clean_shutdown).unwrap_or(-1);
        self.list().await?;
        let seen = self.text(METADATA_SEEN).await?;
        self.metadata_seen.set(self.parse_metadata_seen(seen));
        self.read_checkpoints().await?;
        self.tell_ending(clean_text.as_deref());
        Ok(self)
    }

    /// One of the small files beside the partitions' folders.
    async fn text(&mut self, name: &str) -> Result<Option<String>, LogError> {
        let path = self.path.join(name);
        match read_text(&self.ring, &path).await {
            Err(LogError::Io { source, .. }) if !self.is_strict => {
                self.unreadable.push(format!("{}: it cannot be read: {source}", path.display()));
                Ok(None)
            }
            read => read,
        }
    }

    /// Locks a directory of a broker that is stopped, and reads what it says of its logs. Changes
    /// nothing, and does not ask whose the directory is: where `meta.properties` says nothing, the
    /// ids of [`LogDir::meta`] are empty. Who is going to change something has the lock's file made
    /// where it is missing (`create_lock`).
    pub async fn open_stopped(
        ring: &Ring,
        path: &Path,
        create_lock: bool,
    ) -> Result<LogDir, LogError> {
        let lock_path = path.join(LOCK);
        let options = OpenOptions { create: create_lock, ..OpenOptions::write() };
        let lock = match ring.open(&lock_path, options).await {
            Ok(lock)
                if ring.try_lock(&lock).await.map_err(LogError::io("locking", &lock_path))? =>
            {
                Some(lock)
            }
            Ok(_) => return Err(LogError::Locked { path: lock_path }),
            // A copy of a directory, or one that may only be read: no broker writes there.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::ReadOnlyFilesystem
                ) =>
            {
                None
            }
            Err(error) => return Err(LogError::io("opening", &lock_path)(error)),
        };
        let nobodys = MetaProperties { node_id: -1, ..MetaProperties::default() };
        let mut dir = LogDir::new(ring, path, lock, Reserve::none(ring, path), (nobodys, false));
        dir.is_strict = false;
        if let Some(meta) =
            dir.text(META_PROPERTIES).await?.and_then(|text| MetaProperties::parse(&text).ok())
        {
            dir.is_unused.set(meta.is_unused);
            dir.meta = meta;
        }
        dir.read().await
    }

    /// The offset checkpoints; one that is missing or malformed is begun anew.
    async fn read_checkpoints(&mut self) -> Result<(), LogError> {
        for (name, consequence) in [
            (RECOVERY_POINTS, "after a crash its logs are read and checked from their beginning"),
            (
                LOG_STARTS,
                "its logs begin with their first segments: records that DeleteRecords removed \
              from the beginning of a segment are there again",
            ),
            (HIGH_WATERMARKS, "nothing else depends on it"),
            (CLEANED, "its compacted logs are compacted from their beginning"),
        ] {
            let told = self.unreadable.len();
            let text = self.text(name).await?;
            if self.unreadable.len() > told {
                continue;
            }
            match parse_offsets(text.as_deref()) {
                Ok(read) => {
                    self.known(name).replace(read);
                    self.checkpoints_gone &= name == CLEANED;
                }
                Err(_) if name == CLEANED && text.is_none() => {}
                Err(why) => {
                    self.checkpoints_lost = true;
                    let (path, is_missing) = (self.path.join(name), text.is_none());
                    self.lost.push(LostCheckpoint { path, why, is_missing, consequence });
                }
            }
        }
        Ok(())
    }

    /// What the checkpoint of this name says.
    fn known(&self, name: &str) -> &RefCell<Offsets> {
        match name {
            RECOVERY_POINTS => &self.recovery_points,
            LOG_STARTS => &self.log_starts,
            CLEANED => &self.cleaned,
            _ => &self.high_watermarks,
        }
    }

    /// How far the metadata had got. A broker epoch is an offset of the metadata log: a directory
    /// that another version has used knows that much.
    fn parse_metadata_seen(&self, text: Option<String>) -> MetadataSeen {
        let path = self.path.join(METADATA_SEEN);
        let seen = match text.map(|text| MetadataSeen::parse(&text)) {
            Some(Ok(seen)) => seen,
            None => {
                if !self.partitions.is_empty() {
                    tracing::warn!(
                        path = %path.display(),
                        "it is missing: a metadata log that is older than this directory is not \
                         noticed at this start"
                    );
                }
                MetadataSeen { offset: -1, went_back: false }
            }
            Some(Err(error)) => {
                tracing::warn!(
                    path = %path.display(), %error,
                    "it is malformed: folders that the metadata does not know stay in this \
                     directory until the file is removed"
                );
                MetadataSeen { offset: -1, went_back: true }
            }
        };
        MetadataSeen { offset: seen.offset.max(self.previous_broker_epoch), ..seen }
    }

    /// How the last run ended, where that means more reading for this start.
    fn tell_ending(&self, clean_text: Option<&str>) {
        let path = self.path.display();
        if self.partitions.is_empty() {
            return;
        }
        match clean_text {
            None => tracing::info!("{path} was not closed cleanly: its logs are recovered"),
            Some(_) if self.previous_broker_epoch < 0 => {
                tracing::warn!(
                    "{path}/{CLEAN_SHUTDOWN}: it does not tell the epoch of the last run: the \
                     files of logs are read"
                );
            }
            Some(_) if self.states.is_empty() => {
                tracing::info!(
                    "{path} has no {} of the last run: the files of logs are read",
                    fast_start::FILE_PREFIX
                );
            }
            Some(_) => {}
        }
    }

    /// Finds the partitions, what an earlier run has begun to delete, and the recovery checkpoints.
    /// Changes nothing.
    async fn list(&mut self) -> Result<(), LogError> {
        let entries =
            self.ring.read_dir(&self.path).await.map_err(LogError::io("listing", &self.path))?;
        for entry in entries {
            let path = self.path.join(&entry.name);
            if !entry.is_dir {
                if entry.name.starts_with(fast_start::FILE_PREFIX) && self.clean {
                    self.read_states(&path).await;
                }
            } else if entry.name.ends_with(files::DELETE_DIR_SUFFIX) {
                self.deleted.push(path);
            } else if let Some((topic, partition)) = files::parse_stray_dir(&entry.name) {
                self.strays.push(StrayDir { topic: topic.to_owned(), partition, path });
            } else if entry.name.ends_with(files::FUTURE_DIR_SUFFIX)
                || entry.name.ends_with(files::STRAY_DIR_SUFFIX)
            {
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
            Ok(states) if states.broker_epoch == self.previous_broker_epoch => {
                self.states.extend(states.logs.into_iter().map(|state| (state.dir.clone(), state)));
            }
            Ok(_) => {
                tracing::info!(path = %path.display(), "the recovery checkpoint is older than the \
                    last stop: the files are read instead");
            }
            Err(error) => {
                tracing::warn!(path = %path.display(), error, "the recovery checkpoint cannot be \
                    read: the files are, instead");
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
    /// The last broker here has closed every log cleanly.
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
    pub fn strays(&self) -> &[StrayDir] {
        &self.strays
    }
    /// Whether any of the offset checkpoints could be read, or none was written yet.
    pub fn has_checkpoints(&self) -> bool {
        !self.checkpoints_gone || self.is_unused()
    }
    /// The first offset checkpoints are still to be written.
    pub fn is_unused(&self) -> bool {
        self.is_unused.get()
    }
    /// A checkpoint was missing or malformed: they should be written soon.
    pub fn has_lost_checkpoints(&self) -> bool {
        self.checkpoints_lost
    }
    /// The checkpoints that are missing or malformed.
    pub fn lost_checkpoints(&self) -> &[LostCheckpoint] {
        &self.lost
    }
    /// Files of its own that are there and cannot be read, of a directory that was opened to be
    /// looked at.
    pub fn unreadable(&self) -> &[String] {
        &self.unreadable
    }
    /// Up to where the checkpoints know a log of this name to have been: it had a record before
    /// this offset, at least.
    pub fn known_offset(&self, topic: &str, partition: i32) -> i64 {
        let key = (topic.to_owned(), partition);
        let known = |offsets: &RefCell<Offsets>| offsets.borrow().get(&key).copied().unwrap_or(0);
        known(&self.recovery_points).max(known(&self.log_starts))
    }
    /// How far the metadata had got when this directory was last in use.
    pub fn metadata_seen(&self) -> MetadataSeen {
        self.metadata_seen.get()
    }
    pub fn partition_path(&self, topic: &str, partition: i32) -> PathBuf {
        self.path.join(format!("{topic}-{partition}"))
    }

    /// What is known about one log, for [`super::Log::open`].
    pub fn log_start(&mut self, topic: &str, partition: i32) -> LogStart {
        let key = (topic.to_owned(), partition);
        let known = |offsets: &RefCell<Offsets>| offsets.borrow().get(&key).copied().unwrap_or(0);
        LogStart {
            clean: self.clean,
            is_known: self.log_starts.borrow().contains_key(&key),
            recovery_point: known(&self.recovery_points),
            log_start_offset: known(&self.log_starts),
            cleaned_to: known(&self.cleaned),
            state: self.states.remove(&format!("{topic}-{partition}")),
            replay: Vec::new(),
        }
    }

    /// The high watermark that was last written for a partition.
    pub fn high_watermark(&self, topic: &str, partition: i32) -> Option<i64> {
        self.high_watermarks.borrow().get(&(topic.to_owned(), partition)).copied()
    }

    /// Forgets what logs said of themselves when they were closed: some are not so any more. Their
    /// files are read then.
    pub async fn forget_states(&self) -> Result<(), LogError> {
        let entries =
            self.ring.read_dir(&self.path).await.map_err(LogError::io("listing", &self.path))?;
        for entry in
            entries.into_iter().filter(|entry| entry.name.starts_with(fast_start::FILE_PREFIX))
        {
            let path = self.path.join(entry.name);
            files::remove_if_there(&self.ring, &path)
                .await
                .map_err(LogError::io("removing", &path))?;
        }
        self.ring.sync_dir(&self.path).await.map_err(LogError::io("syncing", &self.path))
    }

    /// From now on a crash is a crash. Before the first append; done when it is on the disk. What
    /// an earlier run has begun to delete goes.
    pub async fn begin_run(&self) -> Result<(), LogError> {
        self.check_locked();
        for path in self.deleted.clone() {
            let ring = self.ring.clone();
            drop(self.ring.spawn(async move {
                if let Err(error) = super::retention::remove_log_dir(&ring, &path).await {
                    tracing::warn!(path = %path.display(), %error, "a deleted partition's folder \
                        could not be removed");
                }
            }));
        }
        let mut stale = vec![CLEAN_SHUTDOWN.to_owned()];
        let entries =
            self.ring.read_dir(&self.path).await.map_err(LogError::io("listing", &self.path))?;
        stale.extend(
            entries
                .into_iter()
                .map(|one| one.name)
                .filter(|name| name.starts_with(fast_start::FILE_PREFIX)),
        );
        for name in stale {
            let path = self.path.join(name);
            files::remove_if_there(&self.ring, &path)
                .await
                .map_err(LogError::io("removing", &path))?;
        }
        self.ring.sync_dir(&self.path).await.map_err(LogError::io("syncing", &self.path))
    }

    /// A broker that writes here has the directory to itself.
    fn check_locked(&self) {
        assert!(self.lock.is_some(), "{} is used without its lock", self.path.display());
    }

    async fn write(&self, name: &str, content: impl Into<Bytes>) -> io::Result<()> {
        self.ring.write_file_atomically(self.path.join(name), content.into()).await
    }

    /// Writes the offset checkpoints. A log that says nothing (it could not be opened, or has
    /// failed) keeps what was said of it before, as long as `is_kept` its partition: what is not
    /// known of it any more would be lost at the next start.
    pub async fn write_checkpoints(
        &self,
        told: Checkpoints,
        is_kept: impl Fn(&str, i32) -> bool,
    ) -> io::Result<()> {
        for (name, known, told) in [
            (RECOVERY_POINTS, &self.recovery_points, told.recovery_points),
            (LOG_STARTS, &self.log_starts, told.log_starts),
            (HIGH_WATERMARKS, &self.high_watermarks, told.high_watermarks),
            (CLEANED, &self.cleaned, told.cleaned),
        ] {
            if name == CLEANED && told.is_empty() && known.borrow().is_empty() {
                continue;
            }
            self.write_offsets(name, known, told, &is_kept).await?;
        }
        self.deleted_topics.borrow_mut().clear();
        self.note_use().await
    }

    /// The offset checkpoints are on the disk: from now on a start takes it for a loss when it
    /// finds none.
    async fn note_use(&self) -> io::Result<()> {
        if self.is_unused.get() {
            let meta = MetaProperties { is_unused: false, ..self.meta.clone() };
            self.write(META_PROPERTIES, meta.format_checked()).await?;
            self.is_unused.set(false);
        }
        Ok(())
    }

    /// Writes those checkpoints anew that are missing or malformed, with what is known; what there
    /// was is kept aside. Says each change with `say`.
    pub async fn renew_checkpoints(&self, say: &dyn Fn(&str)) -> io::Result<()> {
        for LostCheckpoint { path, consequence, .. } in &self.lost {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let names: FxHashSet<String> =
                self.ring.read_dir(&self.path).await?.into_iter().map(|entry| entry.name).collect();
            if names.contains(&*name) {
                let kept_as = files::free_aside(&name, |taken| names.contains(taken));
                self.ring.rename(path, self.path.join(&kept_as)).await?;
                self.ring.sync_dir(&self.path).await?;
                say(&format!("{} is kept as {kept_as}", path.display()));
            }
            let known = self.known(&name);
            self.write_offsets(&name, known, Vec::new(), &|_, _| true).await?;
            say(&format!("{} is written anew; {consequence}", path.display()));
        }
        Ok(())
    }

    /// Writes where the logs start, and nothing else: see [`LogDir::write_checkpoints`].
    pub async fn write_log_starts(
        &self,
        told: Vec<OffsetEntry>,
        is_kept: impl Fn(&str, i32) -> bool,
    ) -> io::Result<()> {
        self.write_offsets(LOG_STARTS, &self.log_starts, told, &is_kept).await
    }

    async fn write_offsets(
        &self,
        name: &str,
        known: &RefCell<Offsets>,
        told: Vec<OffsetEntry>,
        is_kept: &impl Fn(&str, i32) -> bool,
    ) -> io::Result<()> {
        let entries = self.with_the_silent(&known.borrow(), told, is_kept);
        let before = known.replace(offsets(entries.iter().cloned()));
        assert_eq!(known.borrow().len(), entries.len(), "a partition has one line of {name}");
        let is_gone = |key: &&(String, i32)| !known.borrow().contains_key(*key);
        self.deleted_topics
            .borrow_mut()
            .extend(before.keys().filter(is_gone).map(|(topic, _)| topic.clone()));
        self.write(name, checkpoint::format_offsets(&entries)).await
    }

    /// Whether the files of the checkpoints may still know a topic of this name that is gone.
    pub fn knows_deleted(&self, topic: &str) -> bool {
        self.deleted_topics.borrow().contains(topic)
    }

    /// Tells which of the topics that the checkpoints know are gone, at a start.
    pub fn note_deleted(&self, is_kept: impl Fn(&str, i32) -> bool) {
        let all = [&self.recovery_points, &self.log_starts, &self.high_watermarks, &self.cleaned];
        for known in all {
            let known = known.borrow();
            let gone = known.keys().filter(|(topic, partition)| !is_kept(topic, *partition));
            self.deleted_topics.borrow_mut().extend(gone.map(|(topic, _)| topic.clone()));
        }
    }

    /// Writes one recovery point anew, beside those that the checkpoint has.
    pub async fn write_recovery_point(&self, entry: OffsetEntry) -> io::Result<()> {
        let entries =
            self.with_the_silent(&self.recovery_points.borrow(), vec![entry], &|_, _| true);
        *self.recovery_points.borrow_mut() = offsets(entries.iter().cloned());
        self.write(RECOVERY_POINTS, checkpoint::format_offsets(&entries)).await
    }

    fn with_the_silent(
        &self,
        known: &Offsets,
        mut told: Vec<OffsetEntry>,
        is_kept: &impl Fn(&str, i32) -> bool,
    ) -> Vec<OffsetEntry> {
        let speakers: FxHashSet<(&str, i32)> =
            told.iter().map(|one| (one.topic.as_str(), one.partition)).collect();
        assert_eq!(speakers.len(), told.len(), "a partition tells its offset once");
        let is_silent = |topic: &str, partition: i32| !speakers.contains(&(topic, partition));
        let mut silent: Vec<OffsetEntry> = known
            .iter()
            .filter(|((topic, partition), _)| {
                is_silent(topic, *partition) && is_kept(topic, *partition)
            })
            .map(|((topic, partition), offset)| OffsetEntry {
                topic: topic.clone(),
                partition: *partition,
                offset: *offset,
            })
            .collect();
        silent.sort_by(|a, b| (&a.topic, a.partition).cmp(&(&b.topic, b.partition)));
        told.extend(silent);
        told
    }

    /// Notes how far the metadata has got. What went back once is noted until the file is removed.
    pub async fn note_metadata(&self, offset: i64, went_back: bool) -> io::Result<()> {
        let before = self.metadata_seen.get();
        let seen = MetadataSeen {
            offset: before.offset.max(offset),
            went_back: before.went_back || went_back,
        };
        if seen != before || self.checkpoints_lost {
            self.write(METADATA_SEEN, seen.format()).await?;
            self.metadata_seen.set(seen);
        }
        Ok(())
    }

    /// What the logs of one shard said when they were closed. Before [`LogDir::end_run`].
    pub async fn write_states(
        &self,
        shard: usize,
        broker_epoch: i64,
        logs: Vec<LogState>,
    ) -> io::Result<()> {
        let states = fast_start::States { broker_epoch, logs };
        self.write(&format!("{}.{shard}", fast_start::FILE_PREFIX), fast_start::encode(&states))
            .await
    }

    /// Every log is closed, and the checkpoints are written: the shutdown was clean.
    pub async fn end_run(&self, broker_epoch: i64) -> io::Result<()> {
        self.check_locked();
        self.write(CLEAN_SHUTDOWN, checkpoint::format_clean_shutdown(broker_epoch)).await
    }
}

/// Keeps a folder that belongs to no partition that the metadata knows under another name, for the
/// operator, who may want it.
pub async fn set_aside(ring: &Ring, dir: &Path) -> Result<(), LogError> {
    files::rename_dir(ring, dir, files::STRAY_DIR_SUFFIX)
        .await
        .map(drop)
        .map_err(LogError::io("setting aside", dir))
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

/// Err: why there is nothing to read.
fn parse_offsets(text: Option<&str>) -> Result<Offsets, String> {
    let text = text.ok_or("the checkpoint is missing")?;
    let read = checkpoint::parse_offsets(text)
        .map_err(|error| format!("the checkpoint is malformed ({error})"));
    read.map(|entries| offsets(entries.into_iter()))
}

fn offsets(entries: impl Iterator<Item = OffsetEntry>) -> Offsets {
    entries.map(|entry| ((entry.topic, entry.partition), entry.offset)).collect()
}

/// The topic that a partition's folder belongs to; `None` where it does not say so.
pub async fn read_topic_id(ring: &Ring, folder: &Path) -> Result<Option<Uuid>, LogError> {
    let path = folder.join(files::PARTITION_METADATA);
    let Some(text) = read_text(ring, &path).await? else { return Ok(None) };
    let id = checkpoint::parse_partition_metadata(&text).map_err(bad_file(&path))?;
    Ok(id.parse().ok())
}

/// Gives a folder that was set aside the name of its partition again.
pub async fn bring_back(ring: &Ring, stray: &Path, folder: &Path) -> Result<(), LogError> {
    ring.rename(stray, folder).await.map_err(LogError::io("renaming", stray))?;
    let dir = folder.parent().expect("a partition's folder is in a log directory");
    ring.sync_dir(dir).await.map_err(LogError::io("syncing", dir))
}

/// What the directory says of itself, and whether it is new.
async fn read_meta(
    ring: &Ring,
    dir: &Path,
    cluster_id: &str,
    node_id: i32,
) -> Result<(MetaProperties, bool), LogError> {
    let path = dir.join(META_PROPERTIES);
    let text = read_text(ring, &path).await?;
    let is_new = text.is_none();
    let mut meta = match text {
        Some(text) => MetaProperties::parse(&text).map_err(bad_file(&path))?,
        None => MetaProperties {
            cluster_id: cluster_id.to_owned(),
            node_id,
            is_unused: true,
            ..MetaProperties::default()
        },
    };
    if meta.cluster_id != cluster_id || meta.node_id != node_id {
        let detail = format!(
            "it belongs to node {} of cluster {}, this is node {node_id} of cluster {cluster_id}: \
             wrong directory?",
            meta.node_id, meta.cluster_id
        );
        return Err(LogError::BadFile { path, detail });
    }
    if meta.directory_id.is_none() {
        meta.directory_id = Some(new_directory_id(ring).to_string());
        ring.write_file_atomically(&path, meta.format_checked().into())
            .await
            .map_err(LogError::io("writing", &path))?;
    }
    Ok((meta, is_new))
}

/// A random UUID (version 4), none of the 100 that Kafka reserves, and none whose text begins with
/// a dash.
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
