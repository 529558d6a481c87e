//! The metadata node of one process, put together of its four parts: the log of
//! `__cluster_metadata-0` ([`log`]), the quorum over it ([`quorum`]), the publisher that replays
//! what is committed ([`publisher`]), and the controller ([`controller`]).
//!
//! Owns: the parts, and the order in which they begin and end. Lives on: the core that leads the
//! metadata log. Each part names only those before it, so that a quorum of several nodes replaces
//! one of them, and a node without a controller has the other three. Never: serves anything where
//! the metadata cannot be read to their end.

mod controller;
mod log;
mod publisher;
mod quorum;
mod store;

#[cfg(test)]
mod tests;

pub use controller::{Answer, MutationQuota, Names};
pub use log::{AppendFailure, SnapshotsDue};
pub use publisher::Show;
pub use quorum::NotLeader;

use super::{
    ApiError, bootstrap,
    controller::{ControllerRequest, Settings},
    image::{Endpoint, MetadataImage, Voter},
    metalog::{self, MetalogError},
    quorum_state::QuorumState,
    replay::{Replay, ReplayError},
    snapshot_file::{self, SnapshotError},
};
use crate::{
    config::listeners::ListenerConfig,
    log::{Log, LogError, LogStart, LogState, Opening, ReadError, Reserve, log_dir_of},
};
use controller::Controller;
use log::MetadataLog;
use protocol::{Uuid, metadata_records::MetadataRecord};
use publisher::Publisher;
use quorum::{Quorum, check_voters};
use ring::Ring;
use std::{io, path::PathBuf, rc::Rc, sync::Arc};
use store::Store;

/// What a node has the broker do.
pub struct Hooks {
    pub show: Show,
    pub names: Names,
}

pub struct MetaNodeOptions {
    /// The log directory that holds `__cluster_metadata-0`.
    pub metadata_dir: PathBuf,
    /// Its `directory.id`.
    pub directory_id: Uuid,
    pub log_start: LogStart,
    /// A folder of a partition of some topic, where there is one: then there were metadata.
    pub known_partition: Option<PathBuf>,
    /// The `directory.id` of every log directory.
    pub log_directories: Vec<Uuid>,
    /// The broker's epoch when it was last shut down cleanly; -1: it was not.
    pub previous_broker_epoch: i64,
    pub cluster_id: String,
    /// What clients and other brokers are told.
    pub endpoints: Vec<ListenerConfig>,
    pub rack: Option<String>,
    pub settings: Arc<Settings>,
    /// Of the log directory, where it has one.
    pub reserve: Option<Rc<Reserve>>,
    /// `metadata.log.segment.bytes`
    pub segment_bytes: u32,
    pub snapshots_due: SnapshotsDue,
}

/// Why there is no metadata. Nothing may be served without it.
#[derive(Debug, thiserror::Error)]
pub enum MetaNodeError {
    #[error("{what} {}: {source}", path.display())]
    Io { what: &'static str, path: PathBuf, source: io::Error },
    #[error("the metadata log cannot be opened, and without it nothing can be served: {0}")]
    Log(#[from] LogError),
    #[error(
        "{} has no records, but there were some: {evidence}. To begin anew would set every \
         topic's records aside, so the \
         broker does not start, and all files stay as they are. Restore the folder from a backup \
         (or correct \
         metadata.log.dir); to begin an empty cluster, move everything out of the log \
         directories", path.display()
    )]
    Lost { path: PathBuf, evidence: String },
    #[error("reading the metadata log: {0}")]
    Read(#[from] ReadError),
    #[error(
        "the metadata in {}: {source}. The broker does not start, and every file stays as it is: \
         type \
         `millstream log check {}`", path.display(), log_dir_of(path).display()
    )]
    Metalog { path: PathBuf, source: MetalogError },
    #[error(transparent)]
    Replay(#[from] ReplayError),
    #[error(
        "{}: {source}. Restore the file from a backup; records before its offset may be nowhere \
         else: \
         `millstream log check {}` says what there is", path.display(), log_dir_of(path).display()
    )]
    Snapshot { path: PathBuf, source: SnapshotError },
    #[error(
        "{}: {reason}. The epoch in it must not fall: correct the file, restore it from a backup, \
         or stop the broker and \
         type `millstream log check {}`", path.display(), log_dir_of(path).display()
    )]
    QuorumState { path: PathBuf, reason: String },
    #[error(
        "{} begins at offset {start}, but its latest snapshot ends at {snapshot_end}: records \
         between them are missing. \
         Restore the directory from a backup", path.display()
    )]
    Gap { path: PathBuf, start: i64, snapshot_end: i64 },
    #[error(
        "this directory belongs to a metadata quorum of nodes {voters:?}; this node ({node_id}) \
         cannot lead it alone"
    )]
    OtherVoters { voters: Vec<i32>, node_id: i32 },
    #[error(transparent)]
    Append(#[from] AppendFailure),
    #[error(transparent)]
    NotLeader(#[from] NotLeader),
    #[error("the controller refuses this node: {:?}: \
        {}", .0.code, .0.message.as_deref().unwrap_or("no reason given"))]
    Refused(ApiError),
}

pub struct MetaNode {
    log: Rc<MetadataLog>,
    publisher: Rc<Publisher>,
    controller: Controller,
}

/// The metadata as the disk has them, read to the end and found good. Nothing on the disk has
/// changed yet.
pub struct LoadedMeta {
    store: Store,
    voter: Voter,
    is_new: bool,
    opening: Opening,
    replay: Replay,
    record_bytes: u64,
    /// The highest that the log or `quorum-state` tells of.
    last_epoch: i32,
    /// What the log is to begin with, where it holds no metadata.
    bootstrap: Vec<MetadataRecord>,
}

impl LoadedMeta {
    /// The metadata log as it was found.
    pub fn opening(&self) -> &Opening {
        &self.opening
    }

    /// The metadata as the last run has left them.
    pub fn image(&self) -> &Arc<MetadataImage> {
        self.replay.image()
    }
}

impl MetaNode {
    /// Reads the metadata log and its snapshots. An error changes nothing, so that the next start
    /// meets the same.
    pub async fn load(ring: &Ring, options: &MetaNodeOptions) -> Result<LoadedMeta, MetaNodeError> {
        let store = Store::new(ring, &options.metadata_dir, options.reserve.clone());
        let voter = voter(options);
        let seen_epoch = store.seen_epoch().await?;
        let opening = store.examine_log(options.log_start.clone(), options.segment_bytes).await?;
        if opening.log().log_end_offset() > 0 {
            store.tell_missing().await?;
        }
        let is_new = store.is_new().await?;
        let lost = |evidence| MetaNodeError::Lost { path: store.dir().to_owned(), evidence };
        if let Some(epoch) = seen_epoch
            && !store.has_log_file().await?
        {
            return Err(lost(format!("quorum-state tells of epoch {epoch}")));
        }
        if let Some(partition) =
            options.known_partition.as_ref().filter(|_| opening.log().log_end_offset() == 0)
        {
            return Err(lost(format!("{} belongs to a topic", partition.display())));
        }
        let image = match is_new {
            true => store.formatted_image(&voter, &options.cluster_id),
            false => store.load_snapshot(&options.cluster_id).await?,
        };
        let (replay, record_bytes) = store.replay(opening.log(), image).await?;
        check_voters(replay.image(), options.settings.node_id)?;
        let last_epoch = seen_epoch.unwrap_or(0).max(replay.image().provenance.epoch);
        // Once there are metadata, no start needs their files any more, whatever became of them.
        let bootstrap = match replay.image().metadata_version() {
            0 => store.bootstrap_records(replay.image()).await?,
            _ => Vec::new(),
        };
        Ok(LoadedMeta {
            store,
            voter,
            is_new,
            opening,
            replay,
            record_bytes,
            last_epoch,
            bootstrap,
        })
    }

    /// Takes the lead in a new epoch, and registers this node as controller and broker. Formats a
    /// new directory before. Returns when the image in which the broker is unfenced was shown.
    pub async fn start(
        ring: &Ring,
        options: MetaNodeOptions,
        loaded: LoadedMeta,
        hooks: Hooks,
    ) -> Result<MetaNode, MetaNodeError> {
        let LoadedMeta { store, voter, is_new, opening, replay, record_bytes, last_epoch, .. } =
            loaded;
        if is_new {
            store.format(&voter).await?;
        }
        let has_others = options.log_directories.len() > 1;
        let due = options.snapshots_due;
        let log = MetadataLog::open(ring, store, opening, has_others, record_bytes, due);
        let log = Rc::new(log.await?);
        let replayed = (replay, log.end_offset());
        let (node_id, image) = (options.settings.node_id, replayed.0.image().clone());
        let quorum = Quorum::lead(ring, log.clone(), node_id, last_epoch, &image).await?;
        let quorum = Rc::new(quorum);
        let publisher = Publisher::start(ring, log.clone(), quorum.clone(), replayed, hooks.show);
        let settings = options.settings.clone();
        let controller = Controller::new(ring, settings, quorum, publisher.clone(), hooks.names);
        controller.take_office(&loaded.bootstrap).await?;
        controller.register(options).await?;
        Ok(MetaNode { log, publisher, controller })
    }

    /// The image of all that is committed.
    pub fn image(&self) -> Arc<MetadataImage> {
        self.publisher.image()
    }

    pub fn log(&self) -> &Log {
        self.log.log()
    }

    /// Where a start after a crash begins to read the metadata log.
    pub async fn recovery_point(&self) -> i64 {
        self.log.recovery_point().await
    }

    /// Why the log takes no records: it has failed, or has refused some a moment ago.
    pub fn refuses(&self) -> Option<String> {
        self.log.refuses()
    }

    /// Answers when the request's records are committed: see [`Controller::request`].
    pub async fn request(&self, request: ControllerRequest) -> Answer {
        self.controller.request(request).await
    }

    /// The same for a client whose changes are counted: see [`Controller::request_within`].
    pub async fn request_within(
        &self,
        request: ControllerRequest,
        quota: &dyn MutationQuota,
    ) -> Answer {
        self.controller.request_within(request, quota).await
    }

    /// Fences the broker and closes the log cleanly, after the request in progress. Nothing is
    /// shown any more. What it gives back makes the next start quick.
    pub async fn close(&self) -> io::Result<LogState> {
        self.publisher.end();
        let resigned = self.controller.resign().await;
        resigned.map_err(|error| io::Error::other(error.to_string()))?;
        self.log.close().await
    }
}

fn voter(options: &MetaNodeOptions) -> Voter {
    // A quorum of one has no listener of its own: no other node takes part.
    let endpoints = Vec::<Endpoint>::new();
    let kraft =
        super::features::feature(super::features::KRAFT_VERSION).expect("a row of the table");
    Voter {
        id: options.settings.node_id,
        directory_id: options.directory_id,
        endpoints,
        kraft_versions: kraft.range(),
    }
}
