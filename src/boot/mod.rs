//! Start-up and shutdown order of one broker: from a configuration to shards that serve, and back
//! to closed logs.
//!
//! Owns: the log directories' locks, the order of things. Lives on: [`run_core`] runs on every
//! core; core 0 leads, it has the log directories and the controller. Never: knows whether the
//! cores are threads or simulated.
//!
//! Start: every core posts its doorbell → core 0 binds the listeners, opens the log directories and
//! the metadata log, registers the broker → every core opens its partitions (it follows the first
//! published view) → every core accepts. Stop: no core accepts any more → requests in flight end →
//! every core closes its logs → core 0 writes the checkpoints that make the next start quick, and
//! at last `.kafka_cleanshutdown`.

pub use crate::{net::listener::ListenAddress, shard::mailbox::MeshEnd};

#[cfg(test)]
pub mod testing;

use crate::{
    config::{BrokerConfig, Layers},
    limits,
    log::{LogDir, LogError, LogState, PartitionDir, commit_log},
    meta::{
        METADATA_TOPIC,
        controller::Settings,
        image::MetadataImage,
        node::{LoadedMeta, MetaNode, MetaNodeError, MetaNodeOptions, SnapshotsDue},
    },
    net::{
        admission::OpenConnections,
        listener::{Acceptor, ListenError, ListenPlan},
    },
    shard::{
        Accept, Shard, ShardOptions,
        apply::Close,
        lead::{
            checkpoints::{self, LogDirs},
            feeds::Feeds,
            publish,
        },
        mailbox,
        partition::PartitionId,
        view::ClusterView,
    },
    storage::{
        Storage, emptied,
        identity::{self, Identity, IdentityError, OfflineDir},
        is_emptied,
    },
};
use protocol::Uuid;
use ring::{Doorbell, Ring};
use rustc_hash::FxHashSet;
use std::{
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
    #[error(transparent)]
    Listen(#[from] ListenError),
    #[error(transparent)]
    Log(#[from] LogError),
    #[error(transparent)]
    Meta(#[from] MetaNodeError),
    #[error(transparent)]
    Identity(#[from] IdentityError),
    #[error(
        "cannot read the commit stream of the last run: {source}. Its records were acknowledged: \
         mend the disk first"
    )]
    Stream { source: io::Error },
    #[error("{what}: {source}")]
    Io { what: &'static str, source: io::Error },
    #[error(
        "stopped, but these log directories were not closed cleanly: {dirs}. The log says above \
         what is wrong; mend it, \
         then start the broker again: it recovers what it can"
    )]
    Unclean { dirs: String },
}

/// What the cores of one broker tell each other before they have mailboxes. A lock, because this is
/// not yet the time of requests; no core waits while holding it.
#[derive(Default)]
pub struct Board {
    inner: Mutex<BoardInner>,
}

#[derive(Default)]
struct BoardInner {
    /// Of the cores, and of the control thread where it takes jobs.
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

    /// The same where the control thread takes jobs of the cores: it has to post its doorbell
    /// ([`Board::post_control`]) before any core goes on.
    pub fn with_control(cores: usize) -> Arc<Board> {
        let board = Board::new(cores);
        board.with(|board| board.doorbells.push(None));
        board
    }

    /// What the cores wake the control thread by.
    pub fn post_control(&self, doorbell: Doorbell) {
        self.with(|board| {
            let place = board.doorbells.last_mut().expect("there are cores");
            assert!(place.is_none(), "the control thread has a doorbell already");
            *place = Some(doorbell);
        });
    }

    fn with<T>(&self, act: impl FnOnce(&mut BoardInner) -> T) -> T {
        act(&mut self.inner.lock().expect("no core panics while it holds the board"))
    }

    /// The doorbells of all members, once all have posted theirs; that of the control thread is the
    /// last.
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
    let files = start.open_connections.files();
    let acceptor = Acceptor::new(prepared.plan, start.open_connections);
    let shard = Shard::start(
        ring,
        ShardOptions {
            controller_settings: settings(&start.config, &start.layers),
            config: start.config,
            storage: prepared.storage,
            open_listeners: Box::new(move |shard| acceptor.accept(shard)),
            files,
            end: start.end,
            doorbells,
            count: start.count,
            cpu: start.cpu,
            view: prepared.view,
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

/// What core 0 has beside its shard.
struct Lead {
    dirs: Vec<LogDir>,
    /// By log directory: the commit streams of the last run.
    streams: Vec<commit_log::Found>,
    meta: MetaNodeOptions,
    loaded_meta: LoadedMeta,
    prepared: Prepared,
}

async fn identify(ring: &Ring, config: &BrokerConfig) -> Result<Identity, BootError> {
    let wanted = identity::Wanted {
        cluster_id: config.cluster_id.as_deref(),
        node_id: config.node_id,
        metadata_dir: &config.metadata_log_dir,
        metadata_dir_is_set: config.metadata_log_dir_is_set,
    };
    Ok(identity::identify(&identity::look(ring, config).await, &wanted)?)
}

/// The log directories that are in use, and those that cannot be.
struct Opened {
    dirs: Vec<LogDir>,
    offline: Vec<OfflineDir>,
    metadata_dir: PathBuf,
}

impl Opened {
    /// Opens the log directories. One that fails is left out, unless it has the metadata.
    async fn open(
        ring: &Ring,
        identity: &Identity,
        cluster_id: &str,
        node_id: i32,
    ) -> Result<Opened, BootError> {
        let metadata_dir = identity.metadata_dir.clone();
        let mut opened =
            Opened { dirs: Vec::new(), offline: identity.offline.clone(), metadata_dir };
        for path in &identity.usable {
            match LogDir::open(ring, path, cluster_id, node_id).await {
                Ok(dir) => opened.dirs.push(dir),
                Err(error) => opened.leave_out(path, error.into())?,
            }
        }
        Ok(opened)
    }

    fn leave_out(&mut self, path: &Path, error: BootError) -> Result<(), BootError> {
        match error {
            BootError::Log(LogError::Io { .. }) | BootError::Stream { .. }
                if *path != self.metadata_dir =>
            {
                let why = format!("cannot be used: {error}");
                self.offline.push(OfflineDir { path: path.to_owned(), id: None, why });
                Ok(())
            }
            error => Err(error),
        }
    }

    /// Leaves out the directories that lack all of the partitions which the metadata records in
    /// them, and the checkpoints that were written there. Nothing is made in their place: the
    /// directory has lost its content, not its identity.
    fn leave_out_emptied(&mut self, image: &MetadataImage, node_id: i32) {
        let all = image.topics.iter().flat_map(|topic| topic.partitions.values());
        let recorded: Vec<Uuid> =
            all.filter_map(|partition| partition.directory_of(node_id)).collect();
        for dir in std::mem::take(&mut self.dirs) {
            let has_lost = recorded.contains(&dir.directory_id());
            // Without the metadata's directory there is no start: the partitions alone are offline.
            if !has_lost || !is_emptied(&dir) || *dir.path() == self.metadata_dir {
                self.dirs.push(dir);
                continue;
            }
            let why = emptied(dir.path());
            self.offline.push(OfflineDir {
                path: dir.path().to_owned(),
                id: Some(dir.directory_id()),
                why,
            });
        }
    }

    /// From now on a crash is a crash. What is known of each partition, and the commit streams of
    /// the last run, by directory.
    async fn begin_run(
        mut self,
        ring: &Ring,
    ) -> Result<(Vec<LogDir>, Vec<commit_log::Found>, Storage), BootError> {
        let (mut dirs, mut streams) = (Vec::new(), Vec::new());
        for dir in std::mem::take(&mut self.dirs) {
            let begin = async {
                let found = commit_log::find(ring, dir.path(), dir.was_clean()).await;
                let found = found.map_err(|source| BootError::Stream { source })?;
                dir.begin_run().await?;
                Ok(found)
            };
            match begin.await {
                Ok(found) => {
                    dirs.push(dir);
                    streams.push(found);
                }
                Err(error) => self.leave_out(dir.path(), error)?,
            }
        }
        for dir in &self.offline {
            tracing::error!(
                dir = %dir.path.display(),
                "this log directory is offline: it {}. Its partitions are not served; mend it, \
                 then start the broker again",
                dir.why
            );
        }
        let mut storage = Storage::new(&dirs, self.offline);
        for (dir, found) in dirs.iter_mut().zip(&mut streams) {
            storage.add(dir, std::mem::take(&mut found.parts));
        }
        Ok((dirs, streams, storage))
    }
}

impl Lead {
    async fn prepare(ring: &Ring, start: &CoreStart) -> Result<Lead, BootError> {
        let config = &start.config;
        // Before anything is written: a port in use must leave the disk as it was.
        let plan = ListenPlan::probe(ring, config, &start.addresses).await?;
        let mut identity = identify(ring, config).await?;
        let fresh = || crate::meta::controller::random_uuid(&mut || ring.random_u64()).to_string();
        let cluster_id = identity.cluster_id.take().unwrap_or_else(fresh);
        let mut opened = Opened::open(ring, &identity, &cluster_id, config.node_id).await?;
        let dirs = &mut opened.dirs;
        let metadata_dir = dirs.iter_mut().find(|dir| dir.path() == identity.metadata_dir);
        let metadata_dir = metadata_dir
            .expect("the directory of the metadata log is in use, or there is no start");
        let is_of_topic = |one: &&PartitionDir| one.topic != METADATA_TOPIC;
        let mut meta = MetaNodeOptions {
            metadata_dir: identity.metadata_dir.clone(),
            reserve: Some(metadata_dir.reserve().clone()),
            directory_id: metadata_dir.directory_id(),
            log_start: metadata_dir.log_start(METADATA_TOPIC, 0),
            known_partition: dirs
                .iter()
                .flat_map(LogDir::partitions)
                .find(is_of_topic)
                .map(|one| one.path.clone()),
            log_directories: dirs.iter().map(LogDir::directory_id).collect(),
            previous_broker_epoch: dirs
                .iter()
                .map(LogDir::previous_broker_epoch)
                .min()
                .unwrap_or(-1),
            cluster_id: cluster_id.clone(),
            endpoints: plan.advertised(config),
            rack: config.rack.clone(),
            settings: settings(config, &start.layers),
            segment_bytes: config.quorum.metadata_log_segment_bytes as u32,
            snapshots_due: SnapshotsDue {
                after_bytes: config.quorum.metadata_log_max_record_bytes_between_snapshots as u64,
                after: Duration::from_millis(
                    config.quorum.metadata_log_max_snapshot_interval_ms as u64,
                ),
            },
        };
        // Before anything is changed: without its metadata a broker does not start, and the next
        // start must meet the same.
        let loaded_meta = MetaNode::load(ring, &meta).await?;
        opened.leave_out_emptied(loaded_meta.image(), config.node_id);
        let (dirs, streams, storage) = opened.begin_run(ring).await?;
        meta.log_directories = dirs.iter().map(LogDir::directory_id).collect();
        let view = ClusterView::empty(
            &cluster_id,
            start.config.node_id,
            start.count,
            start.layers.clone(),
        );
        Ok(Lead {
            dirs,
            streams,
            meta,
            loaded_meta,
            prepared: Prepared { storage: Arc::new(storage), view, plan: Arc::new(plan) },
        })
    }

    async fn run(
        self,
        shard: &Shard,
        ready: Box<dyn FnOnce(Vec<SocketAddr>) + Send>,
    ) -> Result<(), BootError> {
        let dirs = Rc::new(LogDirs::new(self.dirs, self.meta.metadata_dir.clone()));
        shard
            .data
            .storage
            .settle(&shard.ring, &dirs.all, self.loaded_meta.image(), shard.config.node_id)
            .await;
        for dir in &dirs.all {
            let image = self.loaded_meta.image();
            dir.note_deleted(|topic, partition| {
                shard.data.storage.is_kept(dir.path(), image, topic, partition)
            });
        }
        let feeds = Feeds::start(shard);
        let hooks = publish::hooks(shard, &dirs, &feeds);
        let node = MetaNode::start(&shard.ring, self.meta, self.loaded_meta, hooks).await?;
        shard.control.host_controller(Rc::new(node), feeds.clone());
        publish::tell_directories(shard).await;
        // Every partition is open, and no core serves before all know that the broker is unfenced.
        feeds.all_reached().await;
        publish::tell_cordoned(shard, &feeds).await;
        checkpoints::note_metadata(shard, &dirs);
        if !dirs.all.iter().all(|dir| dir.was_clean() && !dir.has_lost_checkpoints()) {
            let written = checkpoints::write_first(shard, &dirs).await;
            written.map_err(|source| BootError::Io {
                what: "cannot write the offset checkpoints",
                source,
            })?;
        }
        end_replay(shard, &dirs, &self.streams).await;
        for dir in &dirs.all {
            // Before requests take the room that is left: the next start needs it.
            dir.reserve().refill().await;
        }
        shard.ask_all(|| Accept).await;
        ready(self.prepared.plan.bound());
        let checkpoints = dirs.spawn_loops(shard);
        shard.stop.wait_until(|| shard.is_stopping()).await;
        for of_dir in checkpoints {
            of_dir.await;
        }
        stop(shard, &dirs).await
    }
}

/// Every partition is open: removes the commit streams of the last run, but for those of partitions
/// that are not. What is in the streams is in the logs by now, or is needed by the next start: one
/// that cannot be removed is no reason not to serve.
async fn end_replay(shard: &Shard, dirs: &LogDirs, streams: &[commit_log::Found]) {
    // What they lack for now may come while the stream is still there.
    let deadline = shard.ring.now() + Duration::from_millis(limits::REPLAY_WAIT_MS);
    while shard.data.storage.unopened().iter().any(|one| one.has_replay && one.for_now)
        && shard.ring.now() < deadline
    {
        shard.ring.sleep(REPLAY_INTERVAL).await;
    }
    let unopened: Vec<PartitionId> = shard
        .data
        .storage
        .unopened()
        .into_iter()
        .filter(|one| one.has_replay)
        .map(|one| one.id)
        .collect();
    for (dir, found) in dirs.all.iter().zip(streams) {
        let here: Vec<PartitionId> = unopened.iter().copied().filter(|id| found.has(*id)).collect();
        let ended = match here.is_empty() {
            true => commit_log::remove(&shard.ring, dir.path(), found).await,
            false => keep_stream(shard, dir, found, &here).await,
        };
        if let Err(error) = ended {
            tracing::error!(
                dir = %dir.path().display(), %error,
                "the commit stream of the last run cannot be taken out of this log directory: it \
                 stays, and the next start reads \
                 it again. Until then the directory is served without a commit stream: each flush \
                 syncs the files of its \
                 partitions, and takes longer. Mend the disk, then start the broker again"
            );
            shard.data.storage.note_old_stream(dir.path());
        }
    }
}

/// Keeps the commit stream of the last run for partitions that could not be opened.
async fn keep_stream(
    shard: &Shard,
    dir: &LogDir,
    found: &commit_log::Found,
    unopened: &[PartitionId],
) -> io::Result<()> {
    tracing::error!(
        dir = %dir.path().display(), partitions = unopened.len(),
        "the commit stream is kept: it has acknowledged records of partitions that are offline. \
         The next start replays \
         them where it can open their partitions"
    );
    let storage = &shard.data.storage;
    let moved = |from: &Path, to| storage.note_moved(from, to);
    while let Err(error) =
        commit_log::set_aside(&shard.ring, dir.path(), found, unopened, &moved).await
    {
        if !dir.reserve().spend_for(&error).await {
            return Err(error);
        }
    }
    Ok(())
}

/// Closes every log, and marks each log directory that was closed cleanly.
async fn stop(shard: &Shard, dirs: &LogDirs) -> Result<(), BootError> {
    let closed = close(shard, dirs).await;
    // Also where the disk is full: the other cores wait for it.
    shard.tell_all_to_end();
    closed
}

async fn close(shard: &Shard, dirs: &LogDirs) -> Result<(), BootError> {
    let mut turns = Vec::new();
    for dir in 0..dirs.all.len() {
        turns.push(dirs.turn(dir).await);
    }
    let mut unclean: FxHashSet<PathBuf> =
        shard.data.storage.offline.iter().map(|dir| dir.path.clone()).collect();
    let mut offsets = Vec::new();
    let mut states: Vec<(usize, Vec<(PathBuf, LogState)>)> = Vec::new();
    for (core, closed) in shard.ask_all(|| Close).await.into_iter().enumerate() {
        unclean.extend(closed.unclean_dirs);
        offsets.extend(closed.checkpoints);
        states.push((core, closed.states));
    }
    let broker_epoch = shard
        .control
        .view()
        .image
        .broker(shard.config.node_id)
        .map_or(-1, |broker| broker.0.broker_epoch);
    let node = shard.control.take_controller();
    if let Some(node) = node {
        if let Err(error) = node.close().await {
            tracing::error!(%error, "cannot close the metadata log");
            unclean.insert(dirs.metadata_dir.clone());
        }
        dirs.set_metadata_reaches(node.log().recovery_point());
    }
    for (number, dir) in dirs.all.iter().enumerate() {
        let mut written = checkpoints::write_told(shard, dirs, number, &offsets).await;
        // On a full disk, too: log starts that are not written bring deleted records back.
        while let Err(error) = &written
            && dir.reserve().spend_for(error).await
        {
            written = checkpoints::write_told(shard, dirs, number, &offsets).await;
        }
        if let Err(error) = written {
            tracing::error!(dir = %dir.path().display(), %error, "cannot write the offset \
                checkpoints");
            unclean.insert(dir.path().to_owned());
        }
        if !dir.was_clean() && shard.data.storage.has_unopened(dir.path()) {
            tracing::warn!(dir = %dir.path().display(), "not closed cleanly: it has partitions \
                that could not be opened");
            unclean.insert(dir.path().to_owned());
        }
        if shard.data.storage.has_old_stream(dir.path()) {
            tracing::warn!(dir = %dir.path().display(), "not closed cleanly: it has the commit \
                stream of an earlier run");
            unclean.insert(dir.path().to_owned());
        }
        if unclean.contains(dir.path()) {
            continue;
        }
        if let Err(error) = end_run(dir, &states, broker_epoch).await {
            tracing::error!(dir = %dir.path().display(), %error, "cannot note that it was closed \
                in order");
            unclean.insert(dir.path().to_owned());
        }
    }
    drop(turns);
    if unclean.is_empty() {
        return Ok(());
    }
    let mut dirs: Vec<String> = unclean.iter().map(|dir| dir.display().to_string()).collect();
    dirs.sort();
    Err(BootError::Unclean { dirs: dirs.join(", ") })
}

async fn end_run(
    dir: &LogDir,
    states: &[(usize, Vec<(PathBuf, LogState)>)],
    broker_epoch: i64,
) -> io::Result<()> {
    for (core, states) in states {
        let here = |(path, state): &(PathBuf, LogState)| {
            (Path::new(path) == dir.path()).then(|| state.clone())
        };
        dir.write_states(*core, broker_epoch, states.iter().filter_map(here).collect()).await?;
    }
    dir.end_run(broker_epoch).await
}

/// A mesh for `count` cores and the control thread, which is the last member.
pub fn mesh_with_control(count: usize) -> (Vec<MeshEnd>, MeshEnd) {
    assert!(count <= limits::MAX_SHARDS, "{count} cores");
    let mut ends = mailbox::mesh_with_control(count);
    let control = ends.pop().expect("one more than cores");
    (ends, control)
}
