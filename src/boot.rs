//! Start-up and shutdown order of one broker: from a configuration to shards that serve, and back to closed logs.
//!
//! Owns: the log directories' locks, the order of things. Lives on: [`run_core`] runs on every core; core 0 leads, it has
//! the log directories and the controller. Never: knows whether the cores are threads or simulated.
//!
//! Start: every core posts its doorbell → core 0 binds the listeners, opens the log directories and the metadata log,
//! registers the broker → every core opens its partitions (it follows the first published view) → every core accepts.
//! Stop: no core accepts any more → requests in flight end → every core closes its logs → core 0 writes the checkpoints
//! that make the next start quick, and at last `.kafka_cleanshutdown`.

pub use crate::shard::mailbox::MeshEnd;
use crate::{
    config::{BrokerConfig, Layers},
    limits,
    log::{
        self, LogDir, LogError, LogStart, LogState, MetaProperties, OffsetEntry,
        stream::{self, ReplayPart},
    },
    meta::{
        controller::Settings,
        image::Image,
        node::{MetaNode, MetaNodeError, MetaNodeOptions},
    },
    net::{admission::OpenConnections, listener::ListenPlan},
    shard::{Answer, Call, Shard, ShardOptions, mailbox, partition::PartitionId, view::ClusterView},
};
use ring::{Doorbell, Ring, signal::Signal};
use rustc_hash::FxHashMap;
use std::{
    cell::Cell,
    collections::BTreeMap,
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    rc::Rc,
    sync::{Arc, Mutex},
    time::Duration,
};

/// Why a broker does not start. Nothing is served then; what was there before stays as it was.
#[derive(Debug, thiserror::Error)]
pub enum BootError {
    #[error("cannot listen on {address}: {source}. Choose another port in `listeners`, or end the process that has it")]
    Listen { address: SocketAddr, source: io::Error },
    #[error(transparent)]
    Log(#[from] LogError),
    #[error(transparent)]
    Meta(#[from] MetaNodeError),
    #[error("{}: {detail}", path.display())]
    MetaProperties { path: PathBuf, detail: String },
    #[error(
        "cannot {what} the commit stream of the last run: {source}. Its records were acknowledged: mend the disk first"
    )]
    Stream { what: &'static str, source: io::Error },
    #[error("{what}: {source}")]
    Io { what: &'static str, source: io::Error },
}

/// The topic of the metadata log; it is in no image.
const METADATA_TOPIC: &str = "__cluster_metadata";

/// Where partitions lie and what is known of them before they are opened: plain data that every core shares.
#[derive(Default)]
pub struct Storage {
    dirs: Vec<PathBuf>,
    known: FxHashMap<(String, i32), (PathBuf, LogStart)>,
    /// What the commit streams of the last run hold.
    replay: FxHashMap<PartitionId, Vec<ReplayPart>>,
    /// Partitions that could not be opened, and have records there; whether that is to be tried again. A lock, because it is
    /// not yet the time of requests.
    unopened: Mutex<BTreeMap<PartitionId, bool>>,
}

impl Storage {
    /// The folder of a partition, and how to open it. A new one goes to the log directory that its id falls on.
    pub fn place(&self, topic: &str, id: PartitionId) -> (PathBuf, LogStart) {
        let (path, start) = self.place_without_stream(topic, id);
        match self.replay.get(&id) {
            // What is missing was not closed in order, whatever happened since.
            Some(replay) => (path, LogStart { clean: false, state: None, replay: replay.clone(), ..start }),
            None => (path, start),
        }
    }

    /// Takes note that a partition could not be opened: the commit stream that has records of it is kept. `for_now`: it is
    /// tried again soon.
    pub fn keep_stream_for(&self, id: PartitionId, for_now: bool) {
        self.with_unopened(|unopened| unopened.insert(id, for_now));
    }

    /// A partition is open: it has the records of the commit stream.
    pub fn opened(&self, id: PartitionId) {
        self.with_unopened(|unopened| unopened.remove(&id));
    }

    fn with_unopened<T>(&self, act: impl FnOnce(&mut BTreeMap<PartitionId, bool>) -> T) -> T {
        act(&mut self.unopened.lock().expect("no core panics while it holds the list"))
    }

    fn place_without_stream(&self, topic: &str, id: PartitionId) -> (PathBuf, LogStart) {
        match self.known.get(&(topic.to_owned(), id.index)) {
            Some((path, start)) => (path.clone(), start.clone()),
            None => {
                let spread = (id.topic_id.as_u128() as usize).wrapping_add(id.index as usize);
                let dir = &self.dirs[spread % self.dirs.len()];
                (dir.join(format!("{topic}-{}", id.index)), LogStart::default())
            }
        }
    }
}

/// What the cores of one broker tell each other before they have mailboxes. A lock, because this is not yet the time of
/// requests; nobody waits while holding it.
#[derive(Default)]
pub struct Board {
    inner: Mutex<BoardInner>,
}

#[derive(Default)]
struct BoardInner {
    doorbells: Vec<Option<Doorbell>>,
    prepared: Option<Prepared>,
}

/// What core 0 has found out before any shard begins.
#[derive(Clone)]
struct Prepared {
    storage: Arc<Storage>,
    view: ClusterView,
    plan: Arc<ListenPlan>,
}

/// How often a core looks at the board while it waits.
const BOARD_INTERVAL: Duration = Duration::from_micros(200);

/// How often a start looks whether partitions that lacked something are open now.
const REPLAY_INTERVAL: Duration = Duration::from_millis(100);

impl Board {
    pub fn new(cores: usize) -> Arc<Board> {
        let doorbells = (0..cores).map(|_| None).collect();
        Arc::new(Board { inner: Mutex::new(BoardInner { doorbells, prepared: None }) })
    }

    fn with<T>(&self, act: impl FnOnce(&mut BoardInner) -> T) -> T {
        act(&mut self.inner.lock().expect("no core panics while it holds the board"))
    }

    /// The doorbells of all cores, once all have posted theirs.
    pub fn doorbells(&self) -> Option<Vec<Doorbell>> {
        self.with(|board| board.doorbells.iter().cloned().collect())
    }
}

/// What one core is started with.
pub struct CoreStart {
    pub config: Arc<BrokerConfig>,
    pub layers: Layers,
    pub board: Arc<Board>,
    pub end: MeshEnd,
    /// Cores of the broker; the mesh may have more members (the control thread).
    pub count: usize,
    pub cpu: usize,
    pub open_connections: Arc<OpenConnections>,
    /// Where to listen; used by core 0, which tells the others.
    pub addresses: Vec<ListenAddress>,
    /// Called by core 0 when clients are served, with the addresses that are listened on.
    pub ready: Box<dyn FnOnce(Vec<SocketAddr>) + Send>,
}

/// One resolved address of a listener.
#[derive(Clone, Copy, Debug)]
pub struct ListenAddress {
    /// Index into the configured listeners.
    pub listener: usize,
    pub address: SocketAddr,
}

/// Runs one core of a broker until it is told to stop.
pub async fn run_core(ring: Ring, start: CoreStart) -> Result<(), BootError> {
    let index = start.end.index();
    start.board.with(|board| board.doorbells[index] = Some(ring.doorbell()));
    let lead = if index == 0 {
        let lead = Lead::prepare(&ring, &start).await?;
        start.board.with(|board| board.prepared = Some(lead.prepared.clone()));
        Some(lead)
    } else {
        None
    };
    let (doorbells, prepared) = loop {
        match (start.board.doorbells(), start.board.with(|board| board.prepared.clone())) {
            (Some(doorbells), Some(prepared)) => break (doorbells, prepared),
            _ => ring.sleep(BOARD_INTERVAL).await,
        }
    };
    let shard = Shard::start(
        ring,
        ShardOptions {
            controller_settings: settings(&start.config, &start.layers),
            config: start.config,
            storage: prepared.storage,
            open_connections: start.open_connections,
            end: start.end,
            doorbells,
            count: start.count,
            cpu: start.cpu,
            view: prepared.view,
            plan: prepared.plan,
        },
    );
    match lead {
        Some(lead) => lead.run(&shard, start.ready).await,
        None => {
            shard.stop.wait_until(|| shard.is_ended()).await;
            Ok(())
        }
    }
}

fn settings(config: &BrokerConfig, layers: &Layers) -> Arc<Settings> {
    Arc::new(Settings {
        node_id: config.node_id,
        num_partitions: config.topics.num_partitions,
        default_replication_factor: config.topics.default_replication_factor as i16,
        delete_topic_enable: config.topics.delete_topic_enable,
        static_configs: layers.static_values.clone(),
    })
}

/// The log directories, and whose turn it is to write their checkpoints: what was asked later is written later.
struct LogDirs {
    all: Vec<LogDir>,
    busy: Cell<bool>,
    free: Signal,
}

/// What core 0 has beside its shard.
struct Lead {
    dirs: Vec<LogDir>,
    /// By log directory: the commit streams of the last run.
    streams: Vec<stream::Found>,
    meta: MetaNodeOptions,
    prepared: Prepared,
}

fn stream_error(what: &'static str) -> impl FnOnce(io::Error) -> BootError {
    move |source| BootError::Stream { what, source }
}

impl Lead {
    async fn prepare(ring: &Ring, start: &CoreStart) -> Result<Lead, BootError> {
        let config = &start.config;
        // Before anything is written: a port in use must leave the disk as it was.
        let plan = ListenPlan::probe(ring, config, &start.addresses)?;
        let cluster_id = cluster_id(ring, config).await?;
        let mut dirs = Vec::new();
        for path in &config.log_dirs {
            dirs.push(LogDir::open(ring, path, &cluster_id, config.node_id).await?);
        }
        let mut storage = Storage { dirs: config.log_dirs.clone(), ..Storage::default() };
        let mut streams = Vec::new();
        for dir in &mut dirs {
            let mut found = stream::find(ring, dir.path(), dir.was_clean()).await.map_err(stream_error("read"))?;
            storage.replay.extend(std::mem::take(&mut found.parts));
            streams.push(found);
            for found in dir.partitions().to_vec() {
                let start = dir.log_start(&found.topic, found.partition);
                storage.known.insert((found.topic, found.partition), (found.path, start));
            }
            dir.begin_run().await?;
        }
        let metadata_dir = dirs.iter_mut().find(|dir| dir.path() == config.metadata_log_dir);
        let metadata_dir = metadata_dir.ok_or_else(|| BootError::MetaProperties {
            path: config.metadata_log_dir.clone(),
            detail: "metadata.log.dir must be one of log.dirs".to_owned(),
        })?;
        let meta = MetaNodeOptions {
            metadata_dir: config.metadata_log_dir.clone(),
            reserve: Some(metadata_dir.reserve().clone()),
            directory_id: metadata_dir.directory_id(),
            log_start: metadata_dir.log_start(METADATA_TOPIC, 0),
            log_directories: dirs.iter().map(LogDir::directory_id).collect(),
            previous_broker_epoch: dirs.iter().map(LogDir::previous_broker_epoch).min().unwrap_or(-1),
            cluster_id: cluster_id.clone(),
            endpoints: plan.advertised(config),
            rack: config.rack.clone(),
            settings: settings(config, &start.layers),
            segment_bytes: config.quorum.metadata_log_segment_bytes as u32,
            max_record_bytes_between_snapshots: config.quorum.metadata_log_max_record_bytes_between_snapshots as u64,
        };
        let view = ClusterView::empty(&cluster_id, start.count, start.layers.clone());
        Ok(Lead { dirs, streams, meta, prepared: Prepared { storage: Arc::new(storage), view, plan: Arc::new(plan) } })
    }

    async fn run(self, shard: &Shard, ready: Box<dyn FnOnce(Vec<SocketAddr>) + Send>) -> Result<(), BootError> {
        let dirs = Rc::new(LogDirs { all: self.dirs, busy: Cell::new(false), free: Signal::default() });
        let publisher = (shard.clone(), dirs.clone());
        let publish = Box::new(move |image: Arc<Image>| {
            let (shard, dirs) = publisher.clone();
            Box::pin(async move { publish(&shard, &dirs, image).await }) as std::pin::Pin<Box<dyn Future<Output = ()>>>
        });
        let node = MetaNode::start(&shard.ring, self.meta, publish).await?;
        *shard.controller.borrow_mut() = Some(Rc::new(node));
        set_strays_aside(shard, &dirs).await?;
        if !dirs.all.iter().all(LogDir::was_clean) {
            first_checkpoint(shard, &dirs).await?;
        }
        end_replay(shard, &dirs, &self.streams).await?;
        for dir in &dirs.all {
            // Before anybody else takes the room that is left: the next start needs it.
            dir.reserve().refill().await;
        }
        shard.call_all(|| Call::Accept).await;
        ready(self.prepared.plan.bound());
        let checkpoints = shard.ring.spawn_named("checkpoint", checkpoint_loop(shard.clone(), dirs));
        shard.stop.wait_until(|| shard.is_stopping()).await;
        let dirs = checkpoints.await;
        stop(shard, &dirs.all).await
    }
}

/// Writes the checkpoints of what was recovered; from the reserve, where the disk is full. What is missing then leaves the
/// recovery points where they are: the next start reads more.
async fn first_checkpoint(shard: &Shard, dirs: &LogDirs) -> Result<(), BootError> {
    while let Err(source) = checkpoint(shard, dirs).await {
        let mut has_more = false;
        for dir in &dirs.all {
            has_more |= dir.reserve().spend_for(&source).await;
        }
        if has_more {
            continue;
        }
        if !ring::passes(&source) {
            return Err(BootError::Io { what: "cannot write the offset checkpoints", source });
        }
        tracing::error!(
            error = %source,
            "cannot write the offset checkpoints for now; recovery after a crash will take longer; {}",
            log::remedy(&source)
        );
        break;
    }
    Ok(())
}

/// Shows a new image to every core, and returns when all have followed it.
async fn publish(shard: &Shard, dirs: &LogDirs, image: Arc<Image>) {
    let before = shard.view.borrow().image.clone();
    let view = shard.view.borrow().follow(image, shard.config.node_id);
    shard.call_all(|| Call::Follow(view.clone())).await;
    let is_gone = |id| view.image.topics.by_id(id).is_none();
    if before.topics.iter().any(|topic| is_gone(topic.id))
        && let Err(error) = checkpoint(shard, dirs).await
    {
        tracing::error!(%error, "cannot write the offset checkpoints: do not create the deleted topic again before a restart");
    }
}

/// Every partition is open: removes the commit streams of the last run, but for those of partitions that are not.
async fn end_replay(shard: &Shard, dirs: &LogDirs, streams: &[stream::Found]) -> Result<(), BootError> {
    // What they lack for now may come while the stream is still there.
    let deadline = shard.ring.now() + Duration::from_millis(limits::REPLAY_WAIT_MS);
    while shard.storage.with_unopened(|unopened| unopened.values().any(|for_now| *for_now))
        && shard.ring.now() < deadline
    {
        shard.ring.sleep(REPLAY_INTERVAL).await;
    }
    let unopened = shard.storage.with_unopened(|unopened| unopened.clone());
    for (dir, found) in dirs.all.iter().zip(streams) {
        let here: Vec<PartitionId> = unopened.keys().copied().filter(|id| found.has(*id)).collect();
        if here.is_empty() {
            stream::remove(&shard.ring, dir.path(), found).await.map_err(stream_error("remove"))?;
            continue;
        }
        tracing::error!(
            dir = %dir.path().display(), partitions = here.len(),
            "the commit stream is kept: it has acknowledged records of partitions that are offline. The next start replays \
             them where it can open their partitions"
        );
        while let Err(error) = stream::set_aside(&shard.ring, dir.path(), found, &here).await {
            if !dir.reserve().spend_for(&error).await {
                return Err(stream_error("set aside")(error));
            }
        }
    }
    Ok(())
}

/// Sets the folders aside that hold no partition of the metadata: a crash came before their topic's deletion was done.
async fn set_strays_aside(shard: &Shard, dirs: &LogDirs) -> Result<(), BootError> {
    let image = shard.view.borrow().image.clone();
    for found in dirs.all.iter().flat_map(LogDir::partitions).filter(|found| found.topic != METADATA_TOPIC) {
        let topic = image.topics.by_name(&found.topic);
        if topic.is_none_or(|topic| topic.partition(found.partition).is_none()) {
            tracing::warn!(path = %found.path.display(), "a folder of a partition that does not exist is set aside");
            log::set_aside(&shard.ring, &found.path).await?;
        }
    }
    Ok(())
}

/// The cluster's id: what a log directory says, else what the configuration says, else a new one.
async fn cluster_id(ring: &Ring, config: &BrokerConfig) -> Result<String, BootError> {
    for dir in &config.log_dirs {
        let path = dir.join("meta.properties");
        let text = match ring.read_file(&path, 1 << 20).await {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => {
                let detail = format!("cannot be read: {error}; correct log.dirs, or what is in its way");
                return Err(BootError::MetaProperties { path, detail });
            }
        };
        let meta = MetaProperties::parse(&text)
            .map_err(|error| BootError::MetaProperties { path: path.clone(), detail: error.to_string() })?;
        if let Some(configured) = config.cluster_id.as_ref().filter(|id| **id != meta.cluster_id) {
            let detail = format!(
                "this directory belongs to cluster {}, the configuration says {configured}: correct cluster.id or log.dirs",
                meta.cluster_id
            );
            return Err(BootError::MetaProperties { path, detail });
        }
        return Ok(meta.cluster_id);
    }
    let fresh = || crate::meta::controller::random_uuid(&mut || ring.random_u64()).to_string();
    Ok(config.cluster_id.clone().unwrap_or_else(fresh))
}

/// Writes recovery points and log starts now and then, so that recovery after a crash has little to read.
async fn checkpoint_loop(shard: Shard, dirs: Rc<LogDirs>) -> Rc<LogDirs> {
    let interval = Duration::from_millis(shard.config.log.flush_offset_checkpoint_interval_ms.max(1) as u64);
    while !shard.is_stopping() {
        let stopped = shard.stop.wait_until(|| shard.is_stopping());
        if shard.ring.timeout(interval, stopped).await.is_some() {
            break;
        }
        if let Err(error) = checkpoint(&shard, &dirs).await {
            tracing::error!(%error, "cannot write the offset checkpoints; recovery after a crash will take longer");
        }
        for dir in &dirs.all {
            dir.reserve().refill_from_plenty().await;
        }
    }
    dirs
}

/// Writes what every partition says of itself. What is known of partitions that are gone is forgotten with it, lest it be
/// taken for knowledge of a later partition of that name.
async fn checkpoint(shard: &Shard, dirs: &LogDirs) -> io::Result<()> {
    dirs.free.wait_until(|| !dirs.busy.get()).await;
    dirs.busy.set(true);
    let checkpoints = partition_checkpoints(shard.call_all(|| Call::Checkpoint).await);
    let written = write_checkpoints(&dirs.all, &checkpoints).await;
    dirs.busy.set(false);
    dirs.free.notify();
    written
}

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
}

fn partition_checkpoints(answers: Vec<Answer>) -> Vec<PartitionCheckpoint> {
    let of = |answer| if let Answer::Checkpoint(checkpoints) = answer { checkpoints } else { vec![] };
    answers.into_iter().flat_map(of).collect()
}

async fn write_checkpoints(dirs: &[LogDir], checkpoints: &[PartitionCheckpoint]) -> io::Result<()> {
    for dir in dirs {
        let here = || checkpoints.iter().filter(|one| one.dir == dir.path());
        let entry = |one: &PartitionCheckpoint, offset| OffsetEntry {
            topic: one.topic.clone(),
            partition: one.partition,
            offset,
        };
        let entries =
            |offset: fn(&PartitionCheckpoint) -> i64| here().map(|one| entry(one, offset(one))).collect::<Vec<_>>();
        dir.write_recovery_points(&entries(|one| one.recovery_point)).await?;
        dir.write_log_starts(&entries(|one| one.log_start_offset)).await?;
        dir.write_high_watermarks(&entries(|one| one.high_watermark)).await?;
    }
    Ok(())
}

async fn stop(shard: &Shard, dirs: &[LogDir]) -> Result<(), BootError> {
    let closed = close(shard, dirs).await;
    // Also where the disk is full: the other cores wait for it.
    shard.tell_all_to_end();
    closed
}

async fn close(shard: &Shard, dirs: &[LogDir]) -> Result<(), BootError> {
    let mut all_closed = true;
    let mut checkpoints = Vec::new();
    let mut states: Vec<(usize, Vec<(PathBuf, LogState)>)> = Vec::new();
    for (core, answer) in shard.call_all(|| Call::Close).await.into_iter().enumerate() {
        let Answer::Closed(closed) = answer else { continue };
        all_closed &= closed.all_closed;
        checkpoints.extend(closed.checkpoints);
        states.push((core, closed.states));
    }
    let broker_epoch =
        shard.view.borrow().image.broker(shard.config.node_id).map_or(-1, |broker| broker.0.broker_epoch);
    let node = shard.controller.take();
    if let Some(node) = node {
        let closed = node.close().await;
        all_closed &= closed.inspect_err(|error| tracing::error!(%error, "cannot close the metadata log")).is_ok();
    }
    let io_error = |source| BootError::Io { what: "cannot write the checkpoints of a clean stop", source };
    write_checkpoints(dirs, &checkpoints).await.map_err(io_error)?;
    for dir in dirs {
        for (core, states) in &states {
            let here = |(path, state): &(PathBuf, LogState)| (Path::new(path) == dir.path()).then(|| state.clone());
            dir.write_states(*core, &states.iter().filter_map(here).collect()).await.map_err(io_error)?;
        }
        if all_closed {
            dir.end_run(broker_epoch).await.map_err(io_error)?;
        }
    }
    Ok(())
}

/// A mesh for `count` cores and the control thread, which is the last member.
pub fn mesh_with_control(count: usize) -> (Vec<MeshEnd>, MeshEnd) {
    assert!(count <= limits::MAX_SHARDS, "{count} cores");
    let mut ends = mailbox::mesh(count + 1);
    let control = ends.pop().expect("one more than cores");
    (ends, control)
}
