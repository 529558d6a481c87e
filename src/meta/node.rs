//! The metadata node of a quorum of one: the log of `__cluster_metadata-0`, and the controller over
//! it.
//!
//! Owns: the log, its snapshots and `quorum-state`. Lives on: the core that leads the metadata log.
//! A request is decided on the current image; its records are appended and synced; then they are
//! replayed, the new image is published to all cores, and only then the request is answered.
//! Requests take turns. Where the log cannot be written for now (a full disk, no descriptors) the
//! request's records are taken back, and it is refused; only what creates nothing may use the
//! disk's reserve. Never: answers what is not on the disk, refuses what is there or may come to be,
//! or goes on after a failed sync: then every request is refused until the process starts anew.

mod store;

#[cfg(test)]
mod tests;

use super::{
    ApiError, bootstrap,
    changes::Changes,
    controller::{
        self, BrokerRegistration, BrokerUnfence, Context, ControllerRegistration,
        ControllerRequest, ControllerResponse, RegisteredEndpoint, Settings,
    },
    image::{Endpoint, MetadataImage, Voter},
    metalog::{self, Batch, MAX_BATCH_BYTES, MetalogError},
    quorum_state::QuorumState,
    replay::{Replay, ReplayError},
    snapshot_file::{self, SnapshotError},
};
use crate::{
    config::listeners::ListenerConfig,
    log::{
        AppendError, Log, LogError, LogStart, LogState, Opening, ReadError, Reserve, log_dir_of,
        remedy,
    },
};
use bytes::Bytes;
use protocol::{
    ErrorCode, Uuid,
    metadata_records::{BeginTransactionRecord, EndTransactionRecord, MetadataRecord},
};
use ring::{
    Instant, Ring,
    sync::{Notify, Semaphore},
};
use std::{
    cell::{Cell, RefCell},
    future::Future,
    io,
    path::PathBuf,
    pin::Pin,
    rc::Rc,
    sync::Arc,
    time::Duration,
};
use store::Store;

/// Shows an image to all cores; its future resolves when all of them act on it.
pub type Publish = Box<dyn Fn(Arc<MetadataImage>, Changes) -> Pin<Box<dyn Future<Output = ()>>>>;

/// How long a refusal counts as the state of the log: nothing else tells whether it has passed.
const REFUSAL_SHOWN: Duration = Duration::from_secs(10);

/// What a node has the broker do.
pub struct Hooks {
    pub publish: Publish,
    /// Called before topics of these names are made. An error: a name cannot be used for now.
    pub release_names: Box<dyn Fn(Vec<String>) -> Pin<Box<dyn Future<Output = io::Result<()>>>>>,
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
    /// `metadata.log.max.record.bytes.between.snapshots`
    pub max_record_bytes_between_snapshots: u64,
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
    #[error("appending to the metadata log: {0}")]
    Append(#[from] AppendError),
    #[error("the metadata log cannot be written: {0}")]
    Write(String),
    #[error("the metadata log cannot be written for now: {0}")]
    Waiting(io::Error),
    #[error("the controller refuses this node: {:?}: \
        {}", .0.code, .0.message.as_deref().unwrap_or("no reason given"))]
    Refused(ApiError),
}

pub struct MetaNode(Rc<Inner>);

struct Inner {
    ring: Ring,
    store: Store,
    log: Log,
    settings: Arc<Settings>,
    epoch: i32,
    hooks: Hooks,
    replay: RefCell<Replay>,
    /// A request is being worked on.
    busy: Cell<bool>,
    turn_over: Notify,
    /// What the log could not do.
    failure: RefCell<Option<String>>,
    max_record_bytes_between_snapshots: u64,
    record_bytes_since_snapshot: Cell<u64>,
    /// The last records that were refused for now, since any were taken.
    refused: RefCell<Option<(Instant, String)>>,
    /// Where the records begin that are being written and may be taken back.
    undecided_from: Cell<Option<i64>>,
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
    /// new directory before. Returns when all cores follow the image in which the broker is
    /// unfenced.
    pub async fn start(
        ring: &Ring,
        options: MetaNodeOptions,
        loaded: LoadedMeta,
        hooks: Hooks,
    ) -> Result<MetaNode, MetaNodeError> {
        let LoadedMeta {
            store,
            voter,
            is_new,
            opening,
            replay,
            record_bytes,
            last_epoch,
            bootstrap,
        } = loaded;
        if is_new {
            store.format(&voter).await?;
        }
        let log = opening.finish().await?;
        if options.log_directories.len() > 1 {
            // Its core serves the other directories, too, while this one hangs.
            log.write_behind(&Rc::new(Semaphore::new(1)));
        }
        log.set_high_watermark(log.log_end_offset());
        let epoch = store.begin_epoch(options.settings.node_id, last_epoch).await?;
        log.assign_leader_epoch(epoch);
        let inner = Rc::new(Inner {
            ring: ring.clone(),
            store,
            log,
            settings: options.settings.clone(),
            epoch,
            hooks,
            replay: RefCell::new(replay),
            busy: Cell::new(false),
            turn_over: Notify::default(),
            failure: RefCell::default(),
            max_record_bytes_between_snapshots: options.max_record_bytes_between_snapshots,
            record_bytes_since_snapshot: Cell::new(record_bytes),
            refused: RefCell::default(),
            undecided_from: Cell::new(None),
        });
        inner.take_office(&bootstrap).await?;
        let node = MetaNode(inner);
        node.register(options).await?;
        Ok(node)
    }

    async fn register(&self, options: MetaNodeOptions) -> Result<(), MetaNodeError> {
        let node_id = options.settings.node_id;
        let incarnation_id = controller::random_uuid(&mut || self.0.ring.random_u64());
        let registration = ControllerRegistration {
            controller_id: node_id,
            incarnation_id,
            endpoints: Vec::new(),
        };
        match self.request(ControllerRequest::RegisterController(registration)).await {
            ControllerResponse::RegisterController(registered) => {
                registered.map_err(MetaNodeError::Refused)?
            }
            other => unreachable!("{other:?} answers no registration"),
        }
        let previous = self.image().broker(node_id).map(|broker| broker.0.broker_epoch);
        let registration = BrokerRegistration {
            broker_id: node_id,
            incarnation_id,
            cluster_id: options.cluster_id,
            endpoints: options.endpoints.into_iter().map(registered).collect(),
            rack: options.rack,
            log_dirs: options.log_directories,
        };
        let broker_epoch = match self.request(ControllerRequest::RegisterBroker(registration)).await
        {
            ControllerResponse::RegisterBroker(registered) => {
                registered.map_err(MetaNodeError::Refused)?
            }
            other => unreachable!("{other:?} answers no registration"),
        };
        let was_shut_down_cleanly = previous == Some(options.previous_broker_epoch);
        let unfence = BrokerUnfence {
            broker_id: node_id,
            broker_epoch,
            renew_leader_epochs: !was_shut_down_cleanly,
        };
        match self.request(ControllerRequest::UnfenceBroker(unfence)).await {
            ControllerResponse::UnfenceBroker(unfenced) => unfenced.map_err(MetaNodeError::Refused),
            other => unreachable!("{other:?} answers no heartbeat"),
        }
    }

    /// The image of all that is on the disk.
    pub fn image(&self) -> Arc<MetadataImage> {
        self.0.replay.borrow().image().clone()
    }

    pub fn log(&self) -> &Log {
        &self.0.log
    }

    /// Where a start after a crash begins to read, moved up to the end of the durable records: the
    /// log must reach it then.
    pub async fn recovery_point(&self) -> i64 {
        // A log that has failed keeps the one that it had.
        let reached = self.0.log.checkpoint().await.unwrap_or_else(|_| self.0.log.recovery_point());
        self.0.undecided_from.get().map_or(reached, |from| reached.min(from))
    }

    /// Why the log takes no records: it has failed, or has refused some a moment ago.
    pub fn refuses(&self) -> Option<String> {
        let Inner { failure, refused, ring, .. } = &*self.0;
        let now = ring.now();
        let lately = |(at, _): &&(Instant, String)| now.since(*at) < REFUSAL_SHOWN;
        let refused = || refused.borrow().as_ref().filter(lately).map(|(_, why)| why.clone());
        failure.borrow().clone().or_else(refused)
    }

    /// Answers when the request's records are durable and every core acts on them. Requests are
    /// worked on one after the other. A node whose log has failed refuses them all.
    pub async fn request(&self, request: ControllerRequest) -> ControllerResponse {
        let inner = &self.0;
        let _turn = inner.turn().await;
        if let Some(failure) = &*inner.failure.borrow() {
            return request.refuse(&storage_error(failure));
        }
        let outcome = inner.decide(&request);
        if outcome.records.is_empty() {
            return outcome.response;
        }
        if let ControllerRequest::CreateTopics(wanted) = &request {
            let names = wanted.topics.iter().map(|topic| topic.name.clone()).collect();
            if let Err(error) = (inner.hooks.release_names)(names).await {
                return request.refuse(&storage_error(&error.to_string()));
            }
        }
        match inner.commit(outcome.records, Room::of(&request)).await {
            Ok(()) => {
                inner.snapshot_if_due();
                outcome.response
            }
            Err(error) => request.refuse(&storage_error(&error.to_string())),
        }
    }

    /// Fences the broker and closes the log cleanly, after the request in progress. What it gives
    /// back makes the next start quick.
    pub async fn close(&self) -> io::Result<LogState> {
        let inner = &self.0;
        let _turn = inner.turn().await;
        let fenced = controller::fence(&self.image(), inner.settings.node_id);
        if let Some(record) = fenced.filter(|_| inner.failure.borrow().is_none()) {
            // No image is published any more: the cores have closed their partitions.
            let batches = inner.encode(&[record]);
            inner
                .append(batches, Room::Reserve)
                .await
                .map_err(|error| io::Error::other(error.to_string()))?;
        }
        inner.failure.borrow_mut().get_or_insert_with(|| "the broker stops".to_owned());
        inner.log.close().await
    }
}

/// Why batches are not on the disk.
enum AppendFailure {
    Append(AppendError),
    Write(io::Error),
}

/// Where the records of a request may lie on a full disk.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Room {
    /// Nowhere: what creates something asks for more room later.
    Spare,
    Reserve,
}

impl Room {
    fn of(request: &ControllerRequest) -> Room {
        match request {
            ControllerRequest::CreateTopics(_) | ControllerRequest::CreatePartitions(_) => {
                Room::Spare
            }
            _ => Room::Reserve,
        }
    }
}

/// Clients try another controller then, or this one again.
fn storage_error(failure: &str) -> ApiError {
    ApiError::new(ErrorCode::NotController, format!("The metadata log takes no records: {failure}"))
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

fn registered(listener: ListenerConfig) -> RegisteredEndpoint {
    RegisteredEndpoint {
        security_protocol: listener.security_protocol as i16,
        endpoint: Endpoint { listener: listener.name, host: listener.host, port: listener.port },
    }
}

/// Taking the lead is only right when no other node has a vote.
fn check_voters(image: &MetadataImage, node_id: i32) -> Result<(), MetaNodeError> {
    let voters: Vec<i32> = image.quorum.voters.iter().map(|voter| voter.id).collect();
    if voters.iter().any(|&voter| voter != node_id) {
        return Err(MetaNodeError::OtherVoters { voters, node_id });
    }
    Ok(())
}

/// The right to work on a request, until dropped.
struct Turn<'a>(&'a Inner);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.busy.set(false);
        self.0.turn_over.notify();
    }
}

impl Inner {
    async fn turn(&self) -> Turn<'_> {
        self.turn_over.wait_until(|| !self.busy.get()).await;
        self.busy.set(true);
        Turn(self)
    }

    fn decide(&self, request: &ControllerRequest) -> controller::Outcome {
        let image = self.replay.borrow().image().clone();
        let mut context = Context {
            image: &image,
            settings: &self.settings,
            next_offset: self.log.log_end_offset(),
            random: &mut || self.ring.random_u64(),
        };
        controller::handle(&mut context, request)
    }

    /// The first batches of an epoch.
    async fn take_office(&self, bootstrap: &[MetadataRecord]) -> Result<(), MetaNodeError> {
        let node_id = self.settings.node_id;
        let image = self.replay.borrow().image().clone();
        let control = bootstrap::start_of_epoch(&image, node_id, vec![node_id]);
        let now_ms = self.ring.wall_clock_ms();
        let batch =
            metalog::encode_control(&control, self.log.log_end_offset(), self.epoch, now_ms);
        self.append(vec![batch], Room::Reserve).await?;
        let in_transaction = self.replay.borrow().transaction_start().is_some();
        let records = bootstrap::activation(&image, in_transaction, bootstrap);
        if records.is_empty() {
            return self.publish_image().await;
        }
        self.commit(records, Room::Reserve).await
    }

    /// Makes records durable, replays and publishes them.
    async fn commit(&self, records: Vec<MetadataRecord>, room: Room) -> Result<(), MetaNodeError> {
        let batches = self.encode(&records);
        // One batch is all or nothing by itself; several are by a transaction.
        let batches = match batches.len() {
            1 => batches,
            _ => {
                let begin = BeginTransactionRecord { name: Some("Large request".to_owned()) };
                let end = EndTransactionRecord::default();
                let all: Vec<MetadataRecord> =
                    std::iter::once(begin.into()).chain(records).chain([end.into()]).collect();
                self.encode(&all)
            }
        };
        self.append(batches, room).await?;
        self.publish_image().await
    }

    fn encode(&self, records: &[MetadataRecord]) -> Vec<Bytes> {
        let level = match self.replay.borrow().image().metadata_version() {
            // Before the bootstrap records, which are being written.
            0 => super::features::LATEST_METADATA_VERSION,
            level => level,
        };
        let (offset, now_ms) = (self.log.log_end_offset(), self.ring.wall_clock_ms());
        metalog::encode_records(records, level, offset, self.epoch, now_ms, MAX_BATCH_BYTES)
            .expect("the controller makes records that its metadata.version can hold")
    }

    /// Appends, syncs and replays whole batches: all of them, or none.
    async fn append(&self, batches: Vec<Bytes>, room: Room) -> Result<(), MetaNodeError> {
        let mut is_spent = false;
        while let Err(refused) = self.try_append(&batches).await? {
            if room == Room::Spare || !self.store.spend_reserve_for(&refused).await {
                tracing::error!(
                    error = %refused,
                    "the metadata log cannot be written for now: the request is refused and \
                     leaves no trace; {}",
                    remedy(&refused)
                );
                *self.refused.borrow_mut() = Some((self.ring.now(), refused.to_string()));
                return Err(MetaNodeError::Waiting(refused));
            }
            is_spent = true;
        }
        self.refused.take();
        if is_spent {
            self.store.refill_reserve().await;
        }
        self.log.set_high_watermark(self.log.log_end_offset());
        for bytes in &batches {
            let grown = self.record_bytes_since_snapshot.get() + bytes.len() as u64;
            self.record_bytes_since_snapshot.set(grown);
            let decoded: Result<Vec<Batch>, MetalogError> = metalog::decode(bytes).collect();
            let mut replay = self.replay.borrow_mut();
            for batch in decoded.expect("what was encoded can be decoded") {
                if let Err(error) = replay.apply(&batch) {
                    // The controller has decided what the image cannot take: going on would spread
                    // the fault.
                    panic!("{error}");
                }
            }
        }
        Ok(())
    }

    /// Makes batches durable. The inner error passes, and the log is as it was before; the outer
    /// one is final.
    async fn try_append(&self, batches: &[Bytes]) -> Result<io::Result<()>, MetaNodeError> {
        let mark = self.log.mark();
        self.undecided_from.set(Some(self.log.log_end_offset()));
        let outcome = match self.append_each(batches).await {
            Ok(()) => Ok(Ok(())),
            Err(AppendFailure::Write(error)) if !ring::passes(&error) => {
                Err(self.fail(error.to_string()))
            }
            Err(failure) => match (self.log.take_back(&mark).await, failure) {
                (Err(error), _) => Err(self.fail(error.to_string())),
                (Ok(()), AppendFailure::Append(error)) => Err(error.into()),
                (Ok(()), AppendFailure::Write(error)) => Ok(Err(error)),
            },
        };
        self.undecided_from.set(None);
        outcome
    }

    /// Each batch is on the disk before the next one is written: recovery takes damage in front of
    /// a good batch for a loss.
    async fn append_each(&self, batches: &[Bytes]) -> Result<(), AppendFailure> {
        for batch in batches {
            self.log.append_as_follower(batch.clone()).map_err(AppendFailure::Append)?;
            self.log.write_gathered().map_err(AppendFailure::Write)?;
            self.log.sync().await.map_err(AppendFailure::Write)?;
        }
        Ok(())
    }

    fn fail(&self, reason: String) -> MetaNodeError {
        tracing::error!(
            reason,
            "the metadata log cannot be written: no topic, config or registration can change \
             until the \
            broker is restarted with a disk that works"
        );
        *self.failure.borrow_mut() = Some(reason.clone());
        MetaNodeError::Write(reason)
    }

    async fn publish_image(&self) -> Result<(), MetaNodeError> {
        let (image, changes) = {
            let mut replay = self.replay.borrow_mut();
            (replay.image().clone(), replay.take_changes())
        };
        (self.hooks.publish)(image, changes).await;
        Ok(())
    }

    /// Writes a snapshot beside further requests, when enough records have come since the last one.
    fn snapshot_if_due(self: &Rc<Self>) {
        if self.record_bytes_since_snapshot.get() < self.max_record_bytes_between_snapshots {
            return;
        }
        let image = self.replay.borrow().image().clone();
        let record_bytes = self.record_bytes_since_snapshot.take();
        let node = self.clone();
        drop(self.ring.spawn_named("metadata snapshot", async move {
            let id = snapshot_file::id_of(&image);
            match node.store.write_snapshot(&image).await {
                Ok(oldest) => node.drop_records_before(oldest).await,
                Err(error) => {
                    let due = node.record_bytes_since_snapshot.get() + record_bytes;
                    node.record_bytes_since_snapshot.set(due);
                    tracing::warn!(%id, %error, "the metadata snapshot could not be written: the \
                        next request tries again")
                }
            }
        }));
    }

    /// Gives up the log below the oldest snapshot.
    async fn drop_records_before(&self, offset: i64) {
        let raised =
            self.log.delete_records_before(offset).await.map_err(|error| error.to_string());
        let now_ms = self.ring.wall_clock_ms();
        let result = match raised {
            Ok(_) => {
                self.log.apply_retention(now_ms).await.map(drop).map_err(|error| error.to_string())
            }
            Err(error) => Err(error),
        };
        if let Err(error) = result {
            tracing::warn!(offset, error, "old records of the metadata log could not be removed");
        }
    }
}
