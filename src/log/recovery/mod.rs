//! Opening a log: what was closed cleanly is believed; what was not is read, checked and cut.
//!
//! First all of the log is examined, without changing anything. A log that falls short of what is
//! known to have been synced is refused, and its files stay as they are: the disk or another
//! program has harmed it. After a crash what lies beyond the recovery point is read and checked;
//! below it, files are believed as far as their sizes, their ends and their indexes make sense.
//! Beyond what was synced a damaged end is cut, with a log line; good batches behind it were not
//! promised, and are kept beside the log.
//!
//! Lives on the core that will own the log; other logs go on meanwhile, a chunk at a time. Never:
//! panics for what a disk holds; that is an error of its log.
//!
//! The way leads through these files:
//!
//! - `known`: what is known of a log beforehand, and what its files must reach therefore.
//! - `load`: examines a log as a whole, by `trusted` (the segments below the recovery point),
//!   `doubtful` (those beyond it), `scan_segment` (one file), `indexes`, `aborted` and `producers`.
//! - `plan`: decides what is removed, cut and kept aside; `changes` is the list of it, and carries
//!   it out.
//! - `finish`: makes the files what the log is, and carries them to the disk.

mod aborted;
mod changes;
mod doubtful;
mod finish;
mod indexes;
mod known;
mod load;
mod plan;
mod producers;
mod scan_segment;
mod trusted;

pub(super) use changes::{Change, Truncation};
pub use known::LogStart;
pub(super) use load::Loaded;
pub(super) use producers::load_producers;

use super::{
    Fault, Inner, Log, LogConfig, LogError,
    commit_log::PartitionId,
    fast_start, files,
    tail::{Tail, TailCache},
    writer::Writer,
};
use bytes::Bytes;
use changes::Changes;
use finish::{Doubt, LogSizes};
use load::Loader;
use protocol::Uuid;
use ring::{Ring, sync::AsyncMutex};
use std::{
    cell::{Cell, RefCell},
    io,
    path::PathBuf,
    rc::Rc,
};

pub(super) const MAX_SNAPSHOT_BYTES: usize = 256 << 20;

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
        let log = Log::from_loaded(ring, dir, topic_id, config, tail, loaded, &start);
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
        start: &LogStart,
    ) -> Log {
        config.check();
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
        assert!(
            loaded.segments.windows(2).all(|pair| pair[0].base_offset < pair[1].base_offset),
            "segments follow one another"
        );
        let log = Log(Rc::new(Inner {
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
            told_recovery_point: Cell::new(0),
            kept_recovery_point: Cell::new(start.recovery_point.min(loaded.recovery_point)),
            replaced_to: Cell::new(0),
            first_dirty: Cell::new(start.cleaned_to.min(loaded.log_end)),
            snapshots: Cell::new([-1, loaded.snapshot_offset]),
            bytes_since_snapshot: Cell::new(0),
        }));
        log.check_order();
        log
    }
}
