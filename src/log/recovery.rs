//! Opening a log: what was closed cleanly is believed; what was not is read, checked and cut.
//!
//! First all of the log is examined, without changing anything. What was synced is known: from the
//! checkpoints, from what the log said when it was closed, and from the producer snapshot where a
//! segment begins, which is written when everything before it is on the disk. A log that falls
//! short of that is refused, and its files stay as they are: the disk or another program has harmed
//! it. After a crash what lies beyond the recovery point is read and checked; below it, files are
//! believed as far as their sizes, their ends and their indexes make sense. Beyond what was synced
//! a damaged end is cut, with a log line; good batches behind it were not promised, and are kept
//! beside the log.
//!
//! Lives on the core that will own the log; other logs go on meanwhile, a chunk at a time.

use super::{
    Durability, Fault, Inner, Log, LogConfig, LogError, LogState,
    changes::{Change, Changes},
    checkpoint,
    commit_log::{PartitionId, ReplayPart},
    epochs::LeaderEpochs,
    fast_start, files,
    files::parse_segment,
    producers::ProducerStates,
    segment::{Segment, SegmentFile},
    sync::{Writer, remove_if_there},
    tail::{Tail, TailCache},
    walk::Walk,
};
use bytes::Bytes;
use protocol::Uuid;
use ring::{DirEntry, Ring, sync::AsyncMutex};
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
    /// The broker that had this log before closed it cleanly.
    pub clean: bool,
    /// The checkpoints have it.
    pub is_known: bool,
    pub recovery_point: i64,
    pub log_start_offset: i64,
    /// What the log said about itself when it was closed; used after a clean shutdown, where the
    /// files agree.
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

impl LogStart {
    /// Everything below was on the disk in the log's own files, as far as is known without them.
    pub fn synced_offset(&self) -> i64 {
        let closed_at =
            self.state.as_ref().filter(|_| self.clean).map_or(0, LogState::log_end_offset);
        self.recovery_point.max(self.log_start_offset).max(closed_at)
    }

    /// Where the log ends, where its broker has closed it; `i64::MAX` where nothing says so.
    pub fn known_end(&self) -> i64 {
        self.state.as_ref().filter(|_| self.clean).map_or(i64::MAX, LogState::log_end_offset)
    }
}

/// A log that was examined and found good. Nothing on the disk has changed yet.
pub struct Opening {
    log: Log,
    start: LogStart,
    doubt: Doubt,
    changes: Changes,
    /// Where segments begin, beyond the recovery point: their snapshots are written when everything
    /// before is on the disk.
    snapshots: Vec<(i64, Bytes)>,
}

/// What of an examined log, as it is found, may be in the page cache only.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Doubt {
    Nothing,
    /// The names of its files: it has no records yet.
    Names,
    Records,
}

impl Opening {
    /// As it will be, but for what a commit stream has of it: to be read, and not to be written.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// What will be cut, kept aside and built anew, and whether that tells of harm: a torn end does
    /// not.
    pub fn told(&self) -> Vec<(bool, String)> {
        self.changes.told()
    }

    /// Makes the files what the log is: cuts, builds anew and replays.
    pub async fn finish(self) -> Result<Log, LogError> {
        let Opening { log, start, doubt, changes, snapshots } = self;
        changes.apply(&log.0.ring, &log.dir(), &log.config()).await?;
        match doubt {
            Doubt::Nothing => {}
            // The first sync of records carries them along.
            Doubt::Names => log.0.writer.dir_changed(),
            Doubt::Records => log.sync_found(!start.replay.is_empty()).await?,
        }
        for (offset, snapshot) in snapshots {
            let path = files::path(&log.dir(), offset, files::SNAPSHOT);
            match log.0.ring.write_file_atomically(&path, snapshot.clone()).await {
                Ok(()) => log.0.snapshots.set([-1, offset]),
                // An older one and the batches since tell the same, and a full disk must not keep a
                // log from readers.
                Err(error) if ring::passes(&error) => {
                    tracing::warn!(path = %path.display(), %error, "a producer snapshot cannot be \
                        written for now");
                    log.owe_snapshot(offset, snapshot);
                }
                Err(error) => return Err(LogError::io("writing", path)(error)),
            }
        }
        if !start.clean && !start.replay.is_empty() {
            // What recovery has cut is cut on the disk by now: nothing old can come back into what
            // follows.
            log.replay(&start.replay).await?;
            log.sync().await.map_err(LogError::io("syncing", log.dir()))?;
        }
        // What needs a file opens it: there may be more logs than descriptors.
        log.close_idle_files();
        Ok(log)
    }
}

impl Log {
    /// Opens the log in `dir`, recovers it if `start` says so, or creates it. The folder's name is
    /// `TOPIC-PARTITION`.
    pub async fn open(
        ring: &Ring,
        dir: PathBuf,
        topic_id: Uuid,
        config: Rc<LogConfig>,
        start: LogStart,
        tail: Rc<TailCache>,
    ) -> Result<Log, LogError> {
        Log::examine(ring, dir, topic_id, config, start, tail).await?.finish().await
    }

    /// Reads what the log in `dir` has, and compares it with what is known to have been on the
    /// disk. Changes nothing.
    pub async fn examine(
        ring: &Ring,
        dir: PathBuf,
        topic_id: Uuid,
        config: Rc<LogConfig>,
        start: LogStart,
        tail: Rc<TailCache>,
    ) -> Result<Opening, LogError> {
        let changes = Changes::default();
        let entries = match ring.read_dir(&dir).await {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let synced_offset = start.synced_offset();
                if synced_offset > 0 {
                    return Err(LogError::Damaged {
                        path: dir,
                        fault: Fault::Missing,
                        synced_offset,
                    });
                }
                changes.add(Change::CreateDir);
                Vec::new()
            }
            other => other.map_err(LogError::io("listing", &dir))?,
        };
        let names = entries.iter().filter(|entry| !entry.is_dir);
        let names = names.map(|entry| (entry.name.clone(), entry.size_bytes)).collect();
        let loader = Loader {
            ring,
            dir: &dir,
            config: &config,
            start: &start,
            names: RefCell::new(names),
            changes,
            floor: Cell::new(start.synced_offset()),
            snapshots: RefCell::default(),
        };
        loader.check_topic_id(topic_id).await?;
        let restored = match &start.state {
            Some(state) if start.clean => {
                let expiration_ms = config.producer_id_expiration_ms;
                fast_start::restore(ring, &dir, topic_id, state, &entries, expiration_ms).await
            }
            _ => None,
        };
        let found = LogSizes::of(&entries);
        let loaded = match restored {
            Some(loaded) => {
                loader.remove_named(files::DELETED_SUFFIX);
                loaded
            }
            None => loader.load().await?,
        };
        loader.check_replay(loaded.log_end)?;
        let Loader { changes, snapshots, .. } = loader;
        let log = Log::from_loaded(ring, dir, topic_id, config, tail, loaded);
        let doubt =
            if start.clean { Doubt::Nothing } else { found.doubt(&log, start.recovery_point) };
        Ok(Opening { log, start, doubt, changes, snapshots: snapshots.into_inner() })
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
        let index = name
            .and_then(files::parse_partition_dir)
            .expect("a log's folder is named for its partition")
            .1;
        let durable = if loaded.recovery_point < loaded.log_end {
            loaded.recovery_point
        } else {
            loaded.log_end
        };
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
            files_lock: AsyncMutex::default(),
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
            let damaged = |fault| {
                let (path, synced_offset) = (part.path.to_path_buf(), part.to);
                LogError::Damaged { path, fault, synced_offset }
            };
            let end_offset = self.log_end_offset();
            if part.from > end_offset {
                return Err(damaged(Fault::StreamGap { from: part.from, end_offset }));
            }
            let taken = self.append_replayed(&records, part.to);
            taken.map_err(|error| damaged(Fault::StreamRecords { reason: error.to_string() }))?;
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
        let first = segments
            .partition_point(|one| one.base_offset < self.recovery_point())
            .saturating_sub(1);
        segments.drain(..first);
        segments.retain(|segment| segment.exists(SegmentFile::Log));
        segments
    }

    /// Carries to the disk what recovery has found, names of files included.
    async fn sync_found(&self, has_replay: bool) -> Result<(), LogError> {
        let again = self.config().durability == Durability::Fsync || has_replay;
        self.settle_doubtful(again).await.map_err(LogError::io("writing again", self.dir()))?;
        self.sync().await.map(drop).map_err(LogError::io("syncing", self.dir()))
    }

    /// Has the next sync carry to the disk what recovery has found; with `again`, after
    /// [`Log::write_again`]. Segment by segment, and all but the last are synced here: there may be
    /// more of them than files that may be open.
    async fn settle_doubtful(&self, again: bool) -> io::Result<()> {
        let segments = self.doubtful_segments();
        for (at, segment) in segments.iter().enumerate() {
            segment.synced_bytes.set(0);
            let file = segment.file(&self.0.ring, &self.dir(), SegmentFile::Log).await?;
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

/// The `.log` files of a folder as they were found, by base offset.
struct LogSizes(BTreeMap<i64, u64>);

impl LogSizes {
    fn of(entries: &[DirEntry]) -> LogSizes {
        let size = |entry: &DirEntry| match files::parse(&entry.name) {
            Some((base, files::LOG)) => Some((base, entry.size_bytes)),
            _ => None,
        };
        LogSizes(entries.iter().filter_map(size).collect())
    }

    /// A log that was just made is on the disk. So is one that is just what had been synced at its
    /// recovery point: nothing was found beyond it, and nothing cut or removed.
    fn doubt(&self, log: &Log, recovery_point: i64) -> Doubt {
        if self.0.is_empty() {
            return Doubt::Nothing;
        }
        let segments = log.0.segments.borrow();
        let as_found = |segment: &Rc<Segment>| {
            self.0
                .get(&segment.base_offset)
                .is_some_and(|size| *size == u64::from(segment.size_bytes.get()))
        };
        let is_as_synced = recovery_point == log.log_end_offset()
            && segments.len() == self.0.len()
            && segments.iter().all(as_found);
        match is_as_synced {
            true if recovery_point > 0 => Doubt::Nothing,
            true => Doubt::Names,
            false => Doubt::Records,
        }
    }
}

/// The files of a folder by name, with their sizes.
type Names = BTreeMap<String, u64>;

pub(super) struct Loader<'a> {
    pub ring: &'a Ring,
    pub dir: &'a Path,
    pub config: &'a LogConfig,
    pub start: &'a LogStart,
    /// As they will be once the changes are done.
    pub names: RefCell<Names>,
    pub changes: Changes,
    /// Everything below was on the disk: what the log must reach.
    pub floor: Cell<i64>,
    pub snapshots: RefCell<Vec<(i64, Bytes)>>,
}

impl Loader<'_> {
    pub(super) fn io(&self, what: &'static str) -> impl FnOnce(io::Error) -> LogError {
        LogError::io(what, self.dir)
    }

    async fn check_topic_id(&self, topic_id: Uuid) -> Result<(), LogError> {
        let path = self.dir.join(files::PARTITION_METADATA);
        if !self.has(files::PARTITION_METADATA) {
            self.tell_missing(
                files::PARTITION_METADATA,
                "it is written anew: by its name the folder is that of this topic",
            );
            let text = checkpoint::format_partition_metadata(topic_id);
            self.changes.add(Change::WriteTopicId(text.into()));
            return Ok(());
        }
        let text = self
            .ring
            .read_file(&path, MAX_TEXT_BYTES)
            .await
            .map_err(LogError::io("reading", &path))?;
        let text = String::from_utf8_lossy(&text);
        let found = checkpoint::parse_partition_metadata(&text)
            .map_err(|error| LogError::BadFile { path: path.clone(), detail: error.to_string() })?;
        if found.parse::<Uuid>().is_err() {
            // Another topic's would be taken for a leftover.
            return Err(LogError::BadFile {
                path,
                detail: format!("line 2: {found:?} is no topic id"),
            });
        }
        let expected = topic_id.to_string();
        if found != expected {
            return Err(LogError::WrongTopicId {
                path: self.dir.to_owned(),
                found: found.to_owned(),
                expected,
            });
        }
        Ok(())
    }

    fn has(&self, name: &str) -> bool {
        self.names.borrow().contains_key(name)
    }

    fn named(&self, suffix: &str) -> Vec<String> {
        self.names.borrow().keys().filter(|name| name.ends_with(suffix)).cloned().collect()
    }

    fn remove_named(&self, suffix: &str) {
        for name in self.named(suffix) {
            self.remove(&name);
        }
    }

    /// Removes what an earlier run has left half done
    /// (`LogLoader.removeTempFilesAndCollectSwapFiles`): deleted and half-cleaned files go,
    /// finished swaps take their names, indexes without a log go.
    async fn clean_up(&self) -> io::Result<()> {
        let cleaned = self.named(files::CLEANED_SUFFIX);
        let first_cleaned =
            cleaned.iter().filter_map(|name| files::parse(name)).map(|(offset, _)| offset).min();
        self.remove_named(files::DELETED_SUFFIX);
        self.remove_named(files::CLEANED_SUFFIX);
        let mut swaps = Vec::new();
        for name in self.named(files::SWAP_SUFFIX) {
            let offset = files::parse(&name).map_or(i64::MAX, |(offset, _)| offset);
            if first_cleaned.is_some_and(|first| offset >= first) {
                // Part of a swap that never got complete.
                self.remove(&name);
            } else {
                swaps.push(name);
            }
        }
        self.finish_swaps(swaps).await?;
        let first = self.names.borrow().keys().filter_map(|name| parse_segment(name)).min();
        for name in self.orphans() {
            // Retention removes a log file first, and its index files then.
            let is_retentions = files::parse(&name).is_some_and(|(offset, _)| Some(offset) < first);
            if !is_retentions {
                tracing::warn!(
                    path = %self.dir.join(&name).display(),
                    "an index without its log file goes: the log file was never synced, or \
                     another program has removed it, \
                     and its records are gone with it"
                );
            }
            self.remove(&name);
        }
        Ok(())
    }

    /// Indexes of segments that are not there.
    fn orphans(&self) -> Vec<String> {
        let is_orphan = |name: &String| match files::parse(name) {
            Some((offset, files::OFFSET_INDEX | files::TIME_INDEX | files::TXN_INDEX)) => {
                !self.has(&files::name(offset, files::LOG))
            }
            _ => false,
        };
        self.names.borrow().keys().filter(|name| is_orphan(name)).cloned().collect()
    }

    /// Swapped segments replace all that begin within them. The one thing that is done before the
    /// log as a whole is found good: what they hold has to be read under the names that it will
    /// have, and the cleaner had finished them.
    async fn finish_swaps(&self, swaps: Vec<String>) -> io::Result<()> {
        let (mut low, mut high) = (i64::MAX, i64::MIN);
        for name in &swaps {
            if let Some((base, "log.swap")) = files::parse(name) {
                let file = self.ring.open(self.dir.join(name), ring::OpenOptions::read()).await?;
                let size_bytes = self.names.borrow()[name];
                let mut walk = Walk::new(self.ring, &file, 0, size_bytes);
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
        let replaced: Vec<String> =
            self.names.borrow().keys().filter(|name| replaced(name)).cloned().collect();
        for name in replaced {
            self.names.borrow_mut().remove(&name);
            remove_if_there(self.ring, &self.dir.join(name)).await?;
        }
        for name in swaps {
            let to = name.trim_end_matches(files::SWAP_SUFFIX).to_owned();
            self.ring.rename(self.dir.join(&name), self.dir.join(&to)).await?;
            let size = self.names.borrow_mut().remove(&name).unwrap_or(0);
            self.names.borrow_mut().insert(to, size);
        }
        Ok(())
    }

    pub(super) fn remove(&self, name: &str) {
        if self.names.borrow_mut().remove(name).is_some() {
            self.changes.add(Change::Remove(name.to_owned()));
        }
    }

    /// Takes a segment out of the log. Its batches stay beside it; the files derived from them go.
    pub(super) fn set_aside(&self, base_offset: i64) {
        let from = files::name(base_offset, files::LOG);
        if self.names.borrow_mut().remove(&from).is_some_and(|size_bytes| size_bytes > 0) {
            let to = self.aside_name(&from);
            self.names.borrow_mut().insert(to.clone(), 0);
            self.changes.add(Change::SetAside { from, to });
        } else {
            self.changes.add(Change::Remove(from));
        }
        for extension in [files::OFFSET_INDEX, files::TIME_INDEX, files::TXN_INDEX, files::SNAPSHOT]
        {
            self.remove(&files::name(base_offset, extension));
        }
    }

    /// A name for the part of a file that is kept, which nothing has yet.
    pub(super) fn aside_name(&self, name: &str) -> String {
        files::free_aside(name, |to| self.has(to))
    }

    /// What is known to have been on the disk, by the files themselves: a snapshot where a segment
    /// begins is written when everything before it is there.
    fn raise_floor(&self, bases: &[i64]) {
        let proved =
            bases.iter().skip(1).rev().find(|base| self.has(&files::name(**base, files::SNAPSHOT)));
        self.floor.set(self.floor.get().max(proved.copied().unwrap_or(0)));
    }

    pub(super) fn damaged(&self, path: PathBuf, fault: Fault) -> LogError {
        LogError::Damaged { path, fault, synced_offset: self.floor.get() }
    }

    /// What the commit stream has must follow the log, without a gap.
    fn check_replay(&self, log_end: i64) -> Result<(), LogError> {
        let mut end_offset = log_end;
        for part in self.start.replay.iter().filter(|part| part.to > log_end) {
            if part.from > end_offset {
                let (path, fault) =
                    (part.path.to_path_buf(), Fault::StreamGap { from: part.from, end_offset });
                return Err(LogError::Damaged { path, fault, synced_offset: part.to });
            }
            end_offset = end_offset.max(part.to);
        }
        Ok(())
    }

    async fn load(&self) -> Result<Loaded, LogError> {
        if let Some(state) = self.start.state.as_ref().filter(|_| self.start.clean)
            && let Some((name, fault)) = state.shortfall(&self.names.borrow())
        {
            return Err(self.damaged(self.dir.join(name), fault));
        }
        for name in
            self.start.state.iter().flat_map(|state| state.short_indexes(&self.names.borrow()))
        {
            let path = self.dir.join(name);
            tracing::warn!(path = %path.display(), "recovery: this index file is missing or \
                shorter than it was: it is built anew");
        }
        self.check_any_segment()?;
        self.clean_up().await.map_err(self.io("cleaning up"))?;
        let bases: Vec<i64> = self
            .names
            .borrow()
            .keys()
            .filter_map(|name| files::parse(name))
            .filter(|(_, extension)| *extension == files::LOG)
            .map(|(base, _)| base)
            .collect();
        let now_ms = self.ring.wall_clock_ms();
        let mut segments: Vec<Rc<Segment>> =
            bases.iter().map(|base| Rc::new(Segment::new(*base, now_ms))).collect();
        self.drop_leftovers(&mut segments).await?;
        let bases: Vec<i64> = segments.iter().map(|one| one.base_offset).collect();
        // Recovery begins in the segment that holds the recovery point; a clean log has only its
        // end looked at.
        let doubtful = match self.start.clean {
            true => segments.len().saturating_sub(1),
            // The one that ends just there, too: its indexes may not be complete.
            false => segments
                .partition_point(|one| one.base_offset < self.start.recovery_point)
                .saturating_sub(1),
        };
        self.raise_floor(&bases);
        self.tell_first_segment(&bases);
        self.tell_snapshot(&bases);
        for at in 0..doubtful {
            self.load_trusted(&segments[at], segments[at + 1].base_offset).await?;
        }
        let mut epochs = self.load_epochs().await?;
        let stored_epochs = epochs.entries();
        let mut loaded = self.load_doubtful(&mut segments, doubtful, &mut epochs).await?;
        if segments.is_empty() {
            self.begin_empty(&mut segments, &mut loaded);
            epochs = LeaderEpochs::default();
        }
        for at in self.snapshots().into_iter().filter(|at| *at > loaded.log_end) {
            // It describes batches that are gone, and others will take their offsets.
            self.remove(&files::name(at, files::SNAPSHOT));
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

    /// Of a file that every log with records has.
    fn tell_missing(&self, name: &str, consequence: &str) {
        let has_records = self
            .names
            .borrow()
            .iter()
            .any(|(name, size)| *size > 0 && parse_segment(name).is_some());
        // A log that was not yet checkpointed has none of them.
        if has_records && self.start.recovery_point > 0 {
            tracing::warn!(path = %self.dir.join(name).display(), "the file is missing: \
                {consequence}");
        }
    }

    async fn load_epochs(&self) -> Result<LeaderEpochs, LogError> {
        if !self.has(files::LEADER_EPOCHS) {
            let consequence = "leader epochs are known from the records that this start reads, \
                and of no older ones";
            self.tell_missing(files::LEADER_EPOCHS, consequence);
            return Ok(LeaderEpochs::default());
        }
        let path = self.dir.join(files::LEADER_EPOCHS);
        let text = self
            .ring
            .read_file(&path, MAX_TEXT_BYTES)
            .await
            .map_err(LogError::io("reading", &path))?;
        let entries = checkpoint::parse_epochs(&String::from_utf8_lossy(&text))
            .map_err(|error| LogError::BadFile { path: path.clone(), detail: error.to_string() })?;
        Ok(LeaderEpochs::from_entries(entries))
    }

    /// A log of which something was synced has a segment. Told before anything else is looked at.
    fn check_any_segment(&self) -> Result<(), LogError> {
        let names = self.names.borrow();
        let is_segment =
            |name: &str| matches!(files::parse(name), Some((_, files::LOG | "log.swap")));
        if self.floor.get() == 0 || names.keys().any(|name| is_segment(name)) {
            return Ok(());
        }
        let lost = names
            .keys()
            .filter_map(|name| files::parse(name))
            .find(|(_, kind)| *kind == files::OFFSET_INDEX);
        Err(match lost {
            Some((base_offset, _)) => {
                self.damaged(files::path(self.dir, base_offset, files::LOG), Fault::Missing)
            }
            None => self.damaged(self.dir.to_owned(), Fault::NoSegment),
        })
    }

    /// Retention may have removed the oldest segments since the last checkpoint. Nothing on the
    /// disk tells that from a loss.
    fn tell_first_segment(&self, bases: &[i64]) {
        let known = self.start.log_start_offset;
        if let Some(first) = bases.first().filter(|first| self.start.is_known && **first > known) {
            tracing::warn!(
                dir = %self.dir.display(), log_start_offset = first, known_log_start_offset = known,
                "the log begins later than its last checkpoint says: retention has removed the \
                 segments before, or they are lost"
            );
        }
    }

    /// Where the last segment begins there is a snapshot, once what lies before is on the disk;
    /// after a clean shutdown there is one at the end.
    fn tell_snapshot(&self, bases: &[i64]) {
        let at_base =
            bases.last().copied().filter(|base| bases.len() > 1 && *base <= self.floor.get());
        let at_end = Some(self.floor.get()).filter(|end| self.start.clean && *end > 0);
        if let Some(at) =
            at_end.or(at_base).filter(|at| !self.has(&files::name(*at, files::SNAPSHOT)))
        {
            tracing::warn!(
                path = %files::path(self.dir, at, files::SNAPSHOT).display(),
                "this producer snapshot is missing: an older one is used, and the batches since"
            );
        }
    }

    /// No segment: an empty log that begins at the log start.
    fn begin_empty(&self, segments: &mut Vec<Rc<Segment>>, loaded: &mut Ends) {
        let offset = self.start.log_start_offset;
        for at in self.snapshots() {
            self.remove(&files::name(at, files::SNAPSHOT));
        }
        let segment = Rc::new(Segment::new(offset, self.ring.wall_clock_ms()));
        self.changes.add(Change::CreateSegment(segment.clone()));
        segments.push(segment);
        *loaded = Ends { log_end: offset, ..Ends::default() };
        loaded.producers = ProducerStates::new(offset);
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
