//! Opening a log: what was closed in order is believed; what was not is read, checked and cut.
//!
//! After a crash only what lies beyond the recovery point is read and checked; below it, files are believed as far as
//! their sizes and indexes make sense. A damaged end is cut, with a log line. Damage below the recovery point with valid
//! batches behind it means that the disk has lost what it had promised to keep: the partition stays offline.
//!
//! Lives on the core that will own the log; other logs go on meanwhile, a chunk at a time.

use super::{
    Durability, Inner, Log, LogConfig, LogError, LogState, checkpoint,
    epochs::LeaderEpochs,
    fast_start, files,
    gate::Gate,
    producers::ProducerStates,
    segment::{Part, Segment},
    stream::{PartitionId, ReplayPart},
    sync::{Writer, remove_if_there},
    tail::{Tail, TailCache},
    walk::Walk,
};
use protocol::Uuid;
use ring::{DirEntry, Ring};
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    rc::Rc,
};

/// Text files of a partition: thousands of leader epochs fit.
const MAX_TEXT_BYTES: usize = 16 << 20;
pub(super) const MAX_SNAPSHOT_BYTES: usize = 256 << 20;

/// What is known about a log before it is opened.
#[derive(Clone, Debug, Default)]
pub struct LogStart {
    /// The broker that had this log before closed it in order.
    pub clean: bool,
    pub recovery_point: i64,
    pub log_start_offset: i64,
    /// What the log said about itself when it was closed; used after a clean shutdown, where the files agree.
    pub state: Option<LogState>,
    /// What the commit stream has of it, by rising offset.
    pub replay: Vec<ReplayPart>,
}

/// A log as read from its files.
pub(super) struct Loaded {
    pub segments: Vec<Rc<Segment>>,
    pub producers: ProducerStates,
    pub epochs: LeaderEpochs,
    pub epochs_changed: bool,
    pub snapshot_offset: i64,
    pub log_start: i64,
    pub log_end: i64,
    pub recovery_point: i64,
}

impl Log {
    /// Opens the log in `dir`, recovers it if `start` says so, or creates it. The folder's name is `TOPIC-PARTITION`.
    pub async fn open(
        ring: &Ring,
        dir: PathBuf,
        topic_id: Uuid,
        config: Rc<LogConfig>,
        mut start: LogStart,
        tail: Rc<TailCache>,
    ) -> Result<Log, LogError> {
        let entries = match ring.read_dir(&dir).await {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // What is known is known of an earlier partition of this name; the stream knows partitions by their ids.
                start = LogStart { replay: start.replay, ..LogStart::default() };
                files::create_dir_durably(ring, &dir).await.map_err(LogError::io("creating", &dir))?;
                Vec::new()
            }
            other => other.map_err(LogError::io("listing", &dir))?,
        };
        let restored = match &start.state {
            Some(state) if start.clean => {
                let expiration_ms = config.producer_id_expiration_ms;
                fast_start::restore(ring, &dir, topic_id, state, &entries, expiration_ms).await
            }
            _ => None,
        };
        let loaded = match restored {
            Some(loaded) => loaded,
            None => load(ring, &dir, topic_id, &config, &start, entries).await?,
        };
        let log = Log::from_loaded(ring, dir, topic_id, config, tail, loaded);
        if !start.clean {
            // What recovery has found may be in the page cache only, names of files included.
            let again = log.config().durability == Durability::Fsync || !start.replay.is_empty();
            log.settle_doubtful(again).await.map_err(LogError::io("writing again", log.dir()))?;
            log.sync().await.map_err(LogError::io("syncing", log.dir()))?;
            if !start.replay.is_empty() {
                // What recovery has cut is cut on the disk by now: nothing old can come back into what follows.
                log.replay(&start.replay).await?;
                log.sync().await.map_err(LogError::io("syncing", log.dir()))?;
            }
        }
        // Whoever needs a file opens it: there may be more logs than descriptors.
        log.close_idle_files();
        Ok(log)
    }

    fn from_loaded(
        ring: &Ring,
        dir: PathBuf,
        topic_id: Uuid,
        config: Rc<LogConfig>,
        tail: Rc<TailCache>,
        loaded: Loaded,
    ) -> Log {
        let name = dir.file_name().and_then(|name| name.to_str());
        let index = name.and_then(files::parse_partition_dir).expect("a log's folder is named for its partition").1;
        let durable = if loaded.recovery_point < loaded.log_end { loaded.recovery_point } else { loaded.log_end };
        Log(Rc::new(Inner {
            ring: ring.clone(),
            dir: RefCell::new(dir),
            id: PartitionId { topic_id, index },
            stream: RefCell::default(),
            config: RefCell::new(config),
            segments: RefCell::new(loaded.segments),
            producers: RefCell::new(loaded.producers),
            epochs: RefCell::new(loaded.epochs),
            epochs_changed: Cell::new(loaded.epochs_changed),
            tail: Tail::new(tail, loaded.log_end),
            writer: Writer::new(loaded.log_end, durable),
            unfinished: RefCell::default(),
            // An earlier run's, too.
            removal_unsynced: Cell::new(true),
            gate: Gate::default(),
            log_start: Cell::new(loaded.log_start),
            log_end: Cell::new(loaded.log_end),
            high_watermark: Cell::new(loaded.log_start),
            recovery_point: Cell::new(loaded.recovery_point),
            snapshots: Cell::new([-1, loaded.snapshot_offset]),
            bytes_since_snapshot: Cell::new(0),
        }))
    }

    /// Appends what the commit stream has beyond the end of the log.
    async fn replay(&self, parts: &[ReplayPart]) -> Result<(), LogError> {
        let before = self.log_end_offset();
        for part in parts.iter().filter(|part| part.to > before) {
            let read = async {
                let file = self.0.ring.open(&part.path, ring::OpenOptions::read()).await?;
                self.0.ring.read_exact_at(&file, part.position, part.length as usize).await
            };
            let records = read.await.map_err(LogError::io("reading", &*part.path))?.freeze();
            let damaged = |detail| LogError::Corrupt { path: part.path.to_path_buf(), detail };
            if part.from > self.log_end_offset() {
                let (dir, end) = (self.dir(), self.log_end_offset());
                let detail = format!("it has {} from offset {} on, which ends at {end}", dir.display(), part.from);
                return Err(damaged(detail));
            }
            self.append_replayed(&records, part.to).map_err(|error| damaged(error.to_string()))?;
            self.wait_written().await.map_err(LogError::io("writing", self.dir()))?;
        }
        if self.log_end_offset() > before {
            tracing::info!(
                dir = %self.dir().display(), from = before, to = self.log_end_offset(),
                "records that were acknowledged from the commit stream are in the log now"
            );
        }
        Ok(())
    }

    /// The segments whose files recovery did not believe: those that reach the recovery point.
    pub(super) fn doubtful_segments(&self) -> Vec<Rc<Segment>> {
        let mut segments = self.segments();
        let first = segments.partition_point(|one| one.base_offset < self.recovery_point()).saturating_sub(1);
        segments.drain(..first);
        segments.retain(|segment| segment.exists(Part::Log));
        segments
    }

    /// Has the next sync carry to the disk what recovery has found; with `again`, after [`Log::write_again`]. Segment by
    /// segment, and all but the last are synced here: there may be more of them than files that may be open.
    async fn settle_doubtful(&self, again: bool) -> io::Result<()> {
        let segments = self.doubtful_segments();
        for (at, segment) in segments.iter().enumerate() {
            segment.synced_bytes.set(0);
            let file = segment.file(&self.0.ring, &self.dir(), Part::Log).await?;
            if again {
                self.write_again(segment, &file).await?;
            }
            if at + 1 == segments.len() {
                self.0.writer.needs_sync(segment, &file);
            } else {
                self.sync_log_file_alone(segment, &file).await?;
                segment.synced_bytes.set(segment.written_bytes.get());
                segment.close_files();
            }
        }
        self.0.writer.dir_changed();
        Ok(())
    }
}

/// The files of a folder by name, with their sizes.
type Names = BTreeMap<String, u64>;

pub(super) struct Loader<'a> {
    pub ring: &'a Ring,
    pub dir: &'a Path,
    pub config: &'a LogConfig,
    pub start: &'a LogStart,
    pub names: Names,
}

async fn load(
    ring: &Ring,
    dir: &Path,
    topic_id: Uuid,
    config: &LogConfig,
    start: &LogStart,
    entries: Vec<DirEntry>,
) -> Result<Loaded, LogError> {
    let names = entries.into_iter().filter(|entry| !entry.is_dir).map(|entry| (entry.name, entry.size_bytes)).collect();
    let mut loader = Loader { ring, dir, config, start, names };
    loader.check_topic_id(topic_id).await?;
    loader.clean_up().await.map_err(LogError::io("cleaning up", dir))?;
    loader.load().await
}

impl Loader<'_> {
    pub(super) fn io(&self, what: &'static str) -> impl FnOnce(io::Error) -> LogError {
        LogError::io(what, self.dir)
    }

    async fn check_topic_id(&mut self, topic_id: Uuid) -> Result<(), LogError> {
        let path = self.dir.join(files::PARTITION_METADATA);
        if !self.names.contains_key(files::PARTITION_METADATA) {
            let text = checkpoint::format_partition_metadata(topic_id);
            return self.ring.write_file_atomically(&path, text.into()).await.map_err(LogError::io("writing", &path));
        }
        let text = self.ring.read_file(&path, MAX_TEXT_BYTES).await.map_err(LogError::io("reading", &path))?;
        let text = String::from_utf8_lossy(&text);
        let found = checkpoint::parse_partition_metadata(&text)
            .map_err(|error| LogError::BadFile { path: path.clone(), detail: error.to_string() })?;
        let expected = topic_id.to_string();
        if found != expected {
            return Err(LogError::WrongTopicId { path: self.dir.to_owned(), found: found.to_owned(), expected });
        }
        Ok(())
    }

    /// Removes what an earlier run has left half done (`LogLoader.removeTempFilesAndCollectSwapFiles`): deleted and
    /// half-cleaned files go, finished swaps take their names, indexes without a log go.
    async fn clean_up(&mut self) -> io::Result<()> {
        let named = |names: &Names, suffix: &str| -> Vec<String> {
            names.keys().filter(|name| name.ends_with(suffix)).cloned().collect()
        };
        let cleaned = named(&self.names, files::CLEANED_SUFFIX);
        let first_cleaned = cleaned.iter().filter_map(|name| files::parse(name)).map(|(offset, _)| offset).min();
        for name in named(&self.names, files::DELETED_SUFFIX).into_iter().chain(cleaned) {
            self.remove(&name).await?;
        }
        let mut swaps = Vec::new();
        for name in named(&self.names, files::SWAP_SUFFIX) {
            let offset = files::parse(&name).map_or(i64::MAX, |(offset, _)| offset);
            if first_cleaned.is_some_and(|first| offset >= first) {
                // Part of a swap that never got complete.
                self.remove(&name).await?;
            } else {
                swaps.push(name);
            }
        }
        self.finish_swaps(swaps).await?;
        let orphans: Vec<String> = self
            .names
            .keys()
            .filter(|name| match files::parse(name) {
                Some((offset, files::OFFSET_INDEX | files::TIME_INDEX | files::TXN_INDEX)) => {
                    !self.names.contains_key(&files::name(offset, files::LOG))
                }
                _ => false,
            })
            .cloned()
            .collect();
        for name in orphans {
            self.remove(&name).await?;
        }
        Ok(())
    }

    /// Swapped segments replace all that begin within them.
    async fn finish_swaps(&mut self, swaps: Vec<String>) -> io::Result<()> {
        let (mut low, mut high) = (i64::MAX, i64::MIN);
        for name in &swaps {
            if let Some((base, "log.swap")) = files::parse(name) {
                let file = self.ring.open(self.dir.join(name), ring::OpenOptions::read()).await?;
                let mut walk = Walk::new(self.ring, &file, 0, self.names[name]);
                let mut next = base;
                while let Some(batch) = walk.next().await? {
                    next = batch.header.next_offset();
                }
                (low, high) = (low.min(base), high.max(next));
            }
        }
        let replaced = |name: &String| {
            !name.ends_with(files::SWAP_SUFFIX)
                && files::parse(name).is_some_and(|(offset, _)| offset >= low && offset < high)
        };
        for name in self.names.keys().filter(|name| replaced(name)).cloned().collect::<Vec<_>>() {
            self.remove(&name).await?;
        }
        for name in swaps {
            let to = name.trim_end_matches(files::SWAP_SUFFIX).to_owned();
            self.ring.rename(self.dir.join(&name), self.dir.join(&to)).await?;
            let size = self.names.remove(&name).unwrap_or(0);
            self.names.insert(to, size);
        }
        Ok(())
    }

    async fn remove(&mut self, name: &str) -> io::Result<()> {
        self.names.remove(name);
        remove_if_there(self.ring, &self.dir.join(name)).await
    }

    async fn load(&mut self) -> Result<Loaded, LogError> {
        let bases: Vec<i64> = self
            .names
            .keys()
            .filter_map(|name| files::parse(name))
            .filter(|(_, extension)| *extension == files::LOG)
            .map(|(base, _)| base)
            .collect();
        let now_ms = self.ring.wall_clock_ms();
        let mut segments: Vec<Rc<Segment>> = bases.iter().map(|base| Rc::new(Segment::new(*base, now_ms))).collect();
        // Recovery begins in the segment that holds the recovery point; a clean log has only its end looked at.
        let doubtful = match self.start.clean {
            true => segments.len().saturating_sub(1),
            // The one that ends just there, too: its indexes may not be complete.
            false => segments.partition_point(|one| one.base_offset < self.start.recovery_point).saturating_sub(1),
        };
        for segment in &segments[..doubtful] {
            self.load_trusted(segment).await?;
        }
        let mut epochs = self.load_epochs().await?;
        let stored_epochs = epochs.entries();
        let mut loaded = self.load_doubtful(&mut segments, doubtful, &mut epochs).await?;
        if segments.is_empty() || loaded.log_end < self.start.log_start_offset {
            self.start_over(&mut segments, &mut loaded).await?;
            epochs = LeaderEpochs::default();
        }
        for at in self.snapshots().into_iter().filter(|at| *at > loaded.log_end) {
            // It describes batches that are gone, and others will take their offsets.
            self.remove(&files::name(at, files::SNAPSHOT)).await.map_err(self.io("removing a snapshot in"))?;
        }
        let log_start = self.start.log_start_offset.max(segments[0].base_offset);
        epochs.truncate_from_end(loaded.log_end);
        epochs.truncate_from_start(log_start);
        let recovery_point = match self.start.clean {
            true => loaded.log_end,
            false => self.start.recovery_point.clamp(segments[0].base_offset, loaded.log_end),
        };
        Ok(Loaded {
            segments,
            producers: loaded.producers,
            epochs_changed: epochs.entries() != stored_epochs,
            epochs,
            snapshot_offset: loaded.snapshot_offset,
            log_start,
            log_end: loaded.log_end,
            recovery_point,
        })
    }

    async fn load_epochs(&self) -> Result<LeaderEpochs, LogError> {
        if !self.names.contains_key(files::LEADER_EPOCHS) {
            return Ok(LeaderEpochs::default());
        }
        let path = self.dir.join(files::LEADER_EPOCHS);
        let text = self.ring.read_file(&path, MAX_TEXT_BYTES).await.map_err(LogError::io("reading", &path))?;
        let entries = checkpoint::parse_epochs(&String::from_utf8_lossy(&text))
            .map_err(|error| LogError::BadFile { path: path.clone(), detail: error.to_string() })?;
        Ok(LeaderEpochs::from_entries(entries))
    }

    /// No segments, or none at or after the log start: an empty log that begins there.
    async fn start_over(&mut self, segments: &mut Vec<Rc<Segment>>, loaded: &mut Ends) -> Result<(), LogError> {
        let offset = self.start.log_start_offset;
        if !segments.is_empty() {
            tracing::warn!(
                dir = %self.dir.display(), log_end_offset = loaded.log_end, log_start_offset = offset,
                "the log ends before its start: its files are stale and go"
            );
        }
        for segment in std::mem::take(segments) {
            self.remove_files(segment.base_offset).await.map_err(self.io("removing stale files in"))?;
        }
        for at in self.snapshots() {
            self.remove(&files::name(at, files::SNAPSHOT)).await.map_err(self.io("removing a snapshot in"))?;
        }
        let segment = Rc::new(Segment::new(offset, self.ring.wall_clock_ms()));
        for part in [Part::Log, Part::Offsets, Part::Times] {
            segment.file(self.ring, self.dir, part).await.map_err(self.io("creating a segment in"))?;
        }
        self.ring.sync_dir(self.dir).await.map_err(self.io("syncing"))?;
        segment.close_files();
        segments.push(segment);
        *loaded = Ends { log_end: offset, ..Ends::default() };
        loaded.producers = ProducerStates::new(offset);
        Ok(())
    }

    async fn remove_files(&mut self, base_offset: i64) -> io::Result<()> {
        for part in Part::ALL {
            self.remove(&files::name(base_offset, part.extension())).await?;
        }
        Ok(())
    }
}

/// What reading the last segments has found.
pub(super) struct Ends {
    pub log_end: i64,
    pub producers: ProducerStates,
    pub snapshot_offset: i64,
}

impl Default for Ends {
    fn default() -> Self {
        Self { log_end: 0, producers: ProducerStates::new(0), snapshot_offset: -1 }
    }
}
