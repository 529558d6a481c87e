//! Reading a log as a whole when it is opened.
//!
//! Owns: what has been found so far. Lives on the core that opens the log. Never: changes a file,
//! but for finishing the swaps of a cleaner.

use super::{
    changes::{Change, Changes},
    known::LogStart,
};
use crate::log::{
    LogConfig, LogError, checkpoint, epochs::LeaderEpochs, files, producers::ProducerStates,
    segment::Segment,
};
use bytes::Bytes;
use protocol::Uuid;
use ring::Ring;
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    io,
    path::Path,
    rc::Rc,
};

/// Text files of a partition: thousands of leader epochs fit.
const MAX_TEXT_BYTES: usize = 16 << 20;

/// A log as read from its files.
pub(in crate::log) struct Loaded {
    pub segments: Vec<Rc<Segment>>,
    pub producers: ProducerStates,
    pub epochs: LeaderEpochs,
    pub epochs_changed: bool,
    pub snapshot_offset: i64,
    pub log_start: i64,
    pub log_end: i64,
    pub recovery_point: i64,
}

/// The files of a folder by name, with their sizes.
type Names = BTreeMap<String, u64>;

pub(in crate::log) struct Loader<'a> {
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

/// What reading the last segments has found.
pub(in crate::log) struct Ends {
    pub log_end: i64,
    pub producers: ProducerStates,
    pub snapshot_offset: i64,
}

impl Default for Ends {
    fn default() -> Self {
        Self { log_end: 0, producers: ProducerStates::new(0), snapshot_offset: -1 }
    }
}

impl Loader<'_> {
    pub(super) fn io(&self, what: &'static str) -> impl FnOnce(io::Error) -> LogError {
        LogError::io(what, self.dir)
    }

    pub(super) async fn check_topic_id(&self, topic_id: Uuid) -> Result<(), LogError> {
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

    /// A segment for each `.log` file, in the order of their base offsets.
    fn named_segments(&self) -> Vec<Rc<Segment>> {
        let now_ms = self.ring.wall_clock_ms();
        let names = self.names.borrow();
        let logs = names
            .keys()
            .filter_map(|name| files::parse(name))
            .filter(|(_, extension)| *extension == files::LOG);
        logs.map(|(base, _)| Rc::new(Segment::new(base, now_ms))).collect()
    }

    pub(super) async fn load(&self) -> Result<Loaded, LogError> {
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
        let mut segments = self.named_segments();
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
            self.check_aborted(&segments[..=at]).await?;
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
        assert!(!segments.is_empty(), "a log has a segment");
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
