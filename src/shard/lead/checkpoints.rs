//! The offset checkpoints of the log directories: what every log says of itself, written now and
//! then.
//!
//! Owns: the log directories while the broker runs, and whose turn it is to write the checkpoints
//! of each: what was asked later is written later, and a directory that hangs holds up no other.
//! Lives on: the core that hosts the controller. Never: forgets what was known of a log that says
//! nothing itself, or lets a name be used again while a checkpoint still knows a deleted topic by
//! it: a start would take that for knowledge of the new one.

use crate::{
    log::{Checkpoints, LogDir, OffsetEntry, remedy},
    meta::{METADATA_TOPIC, image::MetadataImage},
    shard::{
        Shard,
        apply::{Checkpoint, Offsets, Written},
    },
};
use ring::sync::{AsyncMutex, AsyncMutexGuard};
use std::{
    cell::{Cell, RefCell},
    io,
    path::{Path, PathBuf},
    rc::Rc,
    sync::Arc,
    time::Duration,
};

/// What one partition says of itself for the checkpoints.
#[derive(Clone, Debug)]
pub struct PartitionCheckpoint {
    /// The log directory.
    pub dir: PathBuf,
    pub topic: String,
    pub partition: i32,
    pub recovery_point: i64,
    pub log_start_offset: i64,
    pub high_watermark: i64,
    /// What lies below is compacted; 0: nothing.
    pub cleaned_to: i64,
}

/// How soon a change of the metadata is followed by their log's recovery point.
const METADATA_CHECKPOINT_DELAY: Duration = Duration::from_secs(1);

/// How soon the first checkpoints of a directory are tried again: until they are written, a start
/// cannot tell that the directory has lost everything.
const FIRST_CHECKPOINT_INTERVAL: Duration = Duration::from_secs(1);

pub struct LogDirs {
    pub all: Vec<LogDir>,
    /// By log directory.
    turns: Vec<AsyncMutex>,
    /// The one that has the metadata log, and up to where that is on the disk.
    pub metadata_dir: PathBuf,
    metadata_reaches: Cell<Option<i64>>,
    /// The metadata log has grown, and its recovery point will be written soon.
    metadata_due: Cell<bool>,
    /// The newest image that was published. A core may have applied it before this one.
    image: RefCell<Option<Arc<MetadataImage>>>,
}

/// Which checkpoints are written.
#[derive(Clone, Copy)]
enum What {
    /// Recovery points, moved first, log starts and high watermarks.
    All,
    LogStarts,
}

impl LogDirs {
    pub fn new(all: Vec<LogDir>, metadata_dir: PathBuf) -> LogDirs {
        let has_metadata = all.iter().any(|dir| dir.path() == metadata_dir);
        assert!(has_metadata, "{} is in use", metadata_dir.display());
        let turns = all.iter().map(|_| AsyncMutex::default()).collect();
        LogDirs {
            all,
            turns,
            metadata_dir,
            metadata_reaches: Cell::new(None),
            metadata_due: Cell::new(false),
            image: RefCell::default(),
        }
    }

    /// Waits for the checkpoints of this directory that are being written.
    pub async fn turn(&self, dir: usize) -> AsyncMutexGuard<'_> {
        self.turns[dir].lock().await
    }

    pub fn set_metadata_reaches(&self, offset: i64) {
        self.metadata_reaches.set(Some(offset));
    }

    pub fn set_image(&self, image: Arc<MetadataImage>) {
        self.image.replace(Some(image));
    }

    fn image(&self, shard: &Shard) -> Arc<MetadataImage> {
        self.image.borrow().clone().unwrap_or_else(|| shard.control.image())
    }

    fn metadata_recovery_point(&self) -> Option<OffsetEntry> {
        let offset = self.metadata_reaches.get()?;
        Some(OffsetEntry { topic: METADATA_TOPIC.to_owned(), partition: 0, offset })
    }

    fn position(&self, path: &Path) -> Option<usize> {
        self.all.iter().position(|dir| dir.path() == path)
    }

    /// Begins to write the checkpoints at their intervals, until the broker stops.
    pub fn spawn_loops(self: &Rc<Self>, shard: &Shard) -> Vec<ring::JoinHandle<()>> {
        let spawn = |dir| {
            shard
                .ring
                .spawn_named("checkpoint", write_at_intervals(shard.clone(), self.clone(), dir))
        };
        (0..self.all.len()).map(spawn).collect()
    }
}

/// Writes recovery points and log starts of a log directory now and then, so that recovery after a
/// crash has little to read, and brings nothing back that was deleted.
async fn write_at_intervals(shard: Shard, dirs: Rc<LogDirs>, dir: usize) {
    let config = &shard.config.log;
    let every = |interval_ms: i32| Duration::from_millis(interval_ms.max(1) as u64);
    let points_interval = every(config.flush_offset_checkpoint_interval_ms);
    let starts_interval = every(config.flush_start_offset_checkpoint_interval_ms);
    let (mut next_points, mut next_starts) =
        (shard.ring.now() + points_interval, shard.ring.now() + starts_interval);
    while !shard.is_stopping() {
        if dirs.all[dir].is_unused() {
            next_points = next_points.min(shard.ring.now() + FIRST_CHECKPOINT_INTERVAL);
        }
        let stopped = shard.stop.wait_until(|| shard.is_stopping());
        let wait = next_points.min(next_starts).since(shard.ring.now());
        if shard.ring.timeout(wait, stopped).await.is_some() {
            return;
        }
        let what = if next_points <= next_starts { What::All } else { What::LogStarts };
        if let Err(error) = write(&shard, &dirs, dir, what).await {
            tracing::error!(
                dir = %dirs.all[dir].path().display(), %error,
                "cannot write the offset checkpoints; recovery after a crash will take longer, \
                 and deleted records may come back"
            );
        }
        dirs.all[dir].reserve().refill_from_plenty().await;
        next_starts = shard.ring.now() + starts_interval;
        if let What::All = what {
            next_points = shard.ring.now() + points_interval;
        }
    }
}

/// Writes the checkpoints of what a start has recovered; from the reserve, where the disk is full.
/// What is missing then leaves the recovery points where they are: the next start reads more. Only
/// in the directory of the metadata is an error that does not pass a reason not to start: the
/// others may have disks of their own.
pub async fn write_first(shard: &Shard, dirs: &Rc<LogDirs>) -> io::Result<()> {
    loop {
        let failed = write_all(shard, dirs).await;
        let mut has_more = false;
        for (_, source) in &failed {
            for dir in &dirs.all {
                has_more |= dir.reserve().spend_for(source).await;
            }
        }
        if has_more {
            continue;
        }
        for (dir, source) in failed {
            let path = dirs.all[dir].path();
            if !ring::passes(&source) && path == dirs.metadata_dir {
                return Err(source);
            }
            let remedy = if ring::passes(&source) { remedy(&source) } else { "check the disk" };
            tracing::error!(
                dir = %path.display(), error = %source,
                "cannot write the offset checkpoints for now; recovery after a crash will take \
                 longer; {remedy}"
            );
        }
        return Ok(());
    }
}

/// All directories at the same time; those that failed.
async fn write_all(shard: &Shard, dirs: &Rc<LogDirs>) -> Vec<(usize, io::Error)> {
    let begin = |dir| {
        let (shard, dirs) = (shard.clone(), dirs.clone());
        shard
            .ring
            .clone()
            .spawn_named("checkpoint", async move { write(&shard, &dirs, dir, What::All).await })
    };
    let mut failed = Vec::new();
    for (dir, written) in (0..dirs.all.len()).map(begin).collect::<Vec<_>>().into_iter().enumerate()
    {
        if let Err(error) = written.await {
            failed.push((dir, error));
        }
    }
    failed
}

/// Has the directory at this path forget what is known of partitions that are gone, and that their
/// cores have left. No core is asked: of the others it goes on to say what it has said.
pub async fn forget_gone(shard: &Shard, dirs: &LogDirs, path: &Path) -> io::Result<()> {
    let Some(dir) = dirs.position(path) else { return Ok(()) };
    let _turn = dirs.turn(dir).await;
    write_told(shard, dirs, dir, &[]).await
}

/// What is said where that fails, and a name is to be used again.
pub fn untold(path: &Path) -> impl FnOnce(io::Error) -> io::Error {
    let path = path.to_owned();
    move |error| {
        let what = "its checkpoints know a deleted topic of this name, and cannot be written for \
            now";
        io::Error::new(error.kind(), format!("{}: {what}: {error}", path.display()))
    }
}

/// Whether no checkpoint knows a deleted topic by one of these names.
pub fn are_free(dirs: &LogDirs, names: &[String]) -> bool {
    dirs.all.iter().all(|dir| !names.iter().any(|name| dir.knows_deleted(name)))
}

/// Makes sure that no checkpoint knows a deleted topic by one of these names.
pub async fn release_names(shard: &Shard, dirs: &LogDirs, names: &[String]) -> io::Result<()> {
    for dir in 0..dirs.all.len() {
        if names.iter().any(|name| dirs.all[dir].knows_deleted(name)) {
            let told = untold(dirs.all[dir].path());
            write(shard, dirs, dir, What::All).await.map_err(told)?;
        }
    }
    Ok(())
}

/// Writes what every partition of a log directory says of itself.
async fn write(shard: &Shard, dirs: &LogDirs, dir: usize, what: What) -> io::Result<()> {
    let _turn = dirs.turn(dir).await;
    let path = || dirs.all[dir].path().to_owned();
    match what {
        What::All => {
            let offsets = shard.ask_all(|| Checkpoint(path())).await.concat();
            if path() == dirs.metadata_dir {
                take_metadata(shard, dirs).await;
            }
            write_told(shard, dirs, dir, &offsets).await?;
            shard.ask_all(|| Written(path())).await;
            Ok(())
        }
        What::LogStarts => {
            let offsets = shard.ask_all(|| Offsets(path())).await.concat();
            let image = dirs.image(shard);
            let is_kept = |topic: &str, partition| {
                shard.data.storage.is_kept(&path(), &image, topic, partition)
            };
            let told = entries(&dirs.all[dir], &offsets, |one| one.log_start_offset);
            dirs.all[dir].write_log_starts(told, is_kept).await
        }
    }
}

/// Writes the checkpoints of a directory as its logs have told. In its turn. What is known of
/// partitions that are gone is forgotten with it.
pub async fn write_told(
    shard: &Shard,
    dirs: &LogDirs,
    dir: usize,
    offsets: &[PartitionCheckpoint],
) -> io::Result<()> {
    assert!(dirs.turns[dir].is_locked(), "checkpoints of a directory are written in turns");
    let image = dirs.image(shard);
    let dir = &dirs.all[dir];
    let mut told = Checkpoints {
        recovery_points: entries(dir, offsets, |one| one.recovery_point),
        log_starts: entries(dir, offsets, |one| one.log_start_offset),
        high_watermarks: entries(dir, offsets, |one| one.high_watermark),
        cleaned: entries(dir, offsets, |one| one.cleaned_to),
    };
    told.cleaned.retain(|entry| entry.offset > 0);
    if dir.path() == dirs.metadata_dir {
        told.recovery_points.extend(dirs.metadata_recovery_point());
    }
    let is_kept =
        |topic: &str, partition| shard.data.storage.is_kept(dir.path(), &image, topic, partition);
    dir.write_checkpoints(told, is_kept).await?;
    dir.note_metadata(image.provenance.offset, false).await
}

/// One offset of each partition in a log directory.
fn entries(
    dir: &LogDir,
    offsets: &[PartitionCheckpoint],
    offset: fn(&PartitionCheckpoint) -> i64,
) -> Vec<OffsetEntry> {
    let here = offsets.iter().filter(|one| one.dir == dir.path());
    let entry = |one: &PartitionCheckpoint| OffsetEntry {
        topic: one.topic.clone(),
        partition: one.partition,
        offset: offset(one),
    };
    here.map(entry).collect()
}

/// Has the metadata log's recovery point written soon: a start believes no less than that.
pub fn note_metadata(shard: &Shard, dirs: &Rc<LogDirs>) {
    if shard.control.controller().is_none() || dirs.metadata_due.replace(true) {
        return;
    }
    let (shard, dirs) = (shard.clone(), dirs.clone());
    drop(shard.ring.clone().spawn_named("metadata checkpoint", async move {
        shard.ring.sleep(METADATA_CHECKPOINT_DELAY).await;
        assert!(dirs.metadata_due.replace(false), "one task writes what is due");
        let dir =
            dirs.position(&dirs.metadata_dir).expect("the directory of the metadata log is in use");
        let _turn = dirs.turn(dir).await;
        if shard.is_stopping() {
            return;
        }
        take_metadata(&shard, &dirs).await;
        let Some(entry) = dirs.metadata_recovery_point() else { return };
        if let Err(error) = dirs.all[dir].write_recovery_point(entry).await {
            tracing::error!(%error, "cannot write the recovery point of the metadata log");
        }
    }));
}

/// Takes the recovery point of the metadata log into what is known.
async fn take_metadata(shard: &Shard, dirs: &LogDirs) {
    let node = shard.control.controller();
    if let Some(node) = node {
        dirs.metadata_reaches.set(Some(node.recovery_point().await));
    }
}
