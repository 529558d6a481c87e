//! Following the metadata: what a core opens, closes and deletes when a new view is published.
//!
//! Owns: the partitions' coming and going on one core. Lives on: every core. Never: runs twice at a
//! time.

use super::{
    Ask, Shard, commit, coordinators,
    lead::checkpoints::PartitionCheckpoint,
    partition::{
        Partition, PartitionId,
        role::{Cause, Role},
    },
    quotas,
    view::{ClusterView, topic_log_config},
};
use crate::{
    log::{Log, LogConfig, LogError, LogStart, LogState, remedy, set_aside},
    meta::{
        Changes, Topic,
        image::MetadataImage,
        topic::{PartitionRegistration as Registration, directory},
    },
    pace::TurnBudget,
    storage::Unopened,
};
use protocol::ErrorCode;
use ring::sync::{AsyncMutex, Notify};
use rustc_hash::FxHashSet;
use std::{
    cell::Cell,
    collections::VecDeque,
    path::{Path, PathBuf},
    rc::Rc,
    sync::Arc,
    time::Duration,
};

/// Between two tries to open partitions that lacked something which may come (room, descriptors,
/// memory).
const OPEN_RETRY: Duration = Duration::from_secs(1);

/// How far this core has got with following.
#[derive(Default)]
pub struct ApplyState {
    /// One change of the view at a time.
    turn: AsyncMutex,
    /// A view was applied, or none is any more.
    moved: Notify,
    /// Partitions that could not be opened for now are tried again soon.
    again: Cell<bool>,
    /// How many those are.
    offline_for_now: Cell<usize>,
    /// The logs of this core were closed, and none is opened any more.
    has_closed_logs: Cell<bool>,
}

/// A new view of the cluster: the core opens and closes partitions until it agrees with it.
pub struct Apply {
    pub view: ClusterView,
    /// What of it is new.
    pub changes: Arc<Changes>,
}

impl Ask for Apply {
    type Answer = ();

    async fn execute(self, shard: &Shard, _from: usize) {
        apply(shard, self.view, &self.changes).await;
    }
}

/// Waits until this core has applied the metadata up to the record at this offset; not when it has
/// closed its logs, and applies none any more.
pub async fn reached(shard: &Shard, offset: i64) {
    let state = &shard.data.apply;
    let has_reached =
        || state.has_closed_logs.get() || shard.control.view().image.provenance.offset >= offset;
    state.moved.wait_until(has_reached).await;
}

/// Makes this core agree with `view`.
async fn apply(shard: &Shard, view: ClusterView, changes: &Changes) {
    let _turn = shard.data.apply.turn.lock().await;
    // A change of the metadata that a stop has overtaken: what is closed stays closed. What was
    // known of these logs at the start is not true of them any more.
    if !shard.data.apply.has_closed_logs.get() {
        apply_in_turn(shard, view, changes).await;
    }
}

/// Has what could not be opened for now opened soon.
fn try_again_later(shard: &Shard, opened: &[Opened]) {
    let why = opened
        .iter()
        .find_map(|one| if let Opened::Later(error) = one { Some(error) } else { None });
    if why.is_none() && shard.data.apply.offline_for_now.get() == 0 {
        return;
    }
    let is_for_now = |(_, why): &(PartitionId, Offline)| *why == Offline::ForNow;
    let partitions = shard.data.all_offline().into_iter().filter(is_for_now).count();
    let is_new = shard.data.apply.offline_for_now.replace(partitions) != partitions;
    if partitions == 0 {
        return;
    }
    if let Some(error) = why.filter(|_| is_new) {
        tracing::error!(
            core = shard.index, partitions, %error,
            "partitions are offline for now, the others are served; they are opened when this has \
             passed"
        );
    }
    if shard.data.apply.again.replace(true) {
        return;
    }
    let shard = shard.clone();
    shard.ring.clone().spawn_named("open again", async move {
        shard.ring.sleep(OPEN_RETRY).await;
        assert!(shard.data.apply.again.replace(false), "one task opens partitions again");
        let _turn = shard.data.apply.turn.lock().await;
        if !shard.is_stopping() {
            let is_for_now = |(id, why): &(PartitionId, Offline)| {
                (*why == Offline::ForNow).then_some(id.topic_id)
            };
            let topics = Changes::of_topics(shard.data.all_offline().iter().filter_map(is_for_now));
            let view = shard.control.view().clone();
            apply_in_turn(&shard, view, &topics).await;
        }
    });
}

async fn apply_in_turn(shard: &Shard, view: ClusterView, changes: &Changes) {
    let state = &shard.data.apply;
    assert!(state.turn.is_locked(), "one change of the view at a time");
    assert!(!state.has_closed_logs.get(), "what is closed stays closed");
    let before = shard.control.view().clone();
    let (known, now) = (before.image.provenance.offset, view.image.provenance.offset);
    assert!(known <= now, "the metadata at {known} are applied, and now those at {now}");
    // What all topics inherit has changed: their logs have other configs, though the metadata of
    // none has changed.
    let inherits_new = !Arc::ptr_eq(&before.layers, &view.layers);
    let changes = if inherits_new { &Changes::all_new() } else { changes };
    let mut budget = TurnBudget::new(&shard.ring);
    let mut gone = Vec::new();
    for topic in view.gone_since(&before.image, changes) {
        gone.push(topic.clone());
        budget.item_done().await;
    }
    delete_gone(shard, &before, &gone).await;
    let mut found = Found::default();
    for id in view.topics_to_look_at(&before.image, changes) {
        if let Some(topic) = view.image.topics.by_id(id) {
            look_at(shard, &view, topic, &mut budget, &mut found).await;
        }
        budget.item_done().await;
    }
    delete(shard, found.moved_away, ErrorCode::NotLeaderOrFollower).await;
    let to_open = found.to_open.into_iter().map(|one| open(shard.clone(), one));
    let opened = side_by_side(shard, to_open).await;
    try_again_later(shard, &opened);
    for topic in &gone {
        shard.data.routes.borrow_mut().remove(topic.id);
        budget.item_done().await;
    }
    let mut topic_changes = Vec::new();
    for id in view.topics_to_look_at(&before.image, changes) {
        topic_changes.extend(coordinators::topic_change(&before.image, &view.image, id));
        if let Some(topic) = view.image.topics.by_id(id) {
            route(shard, &view, topic, &mut budget).await;
        }
        budget.item_done().await;
    }
    let quotas = quotas::changed(shard, &view, changes).await;
    shard.control.applied(view);
    quotas.into_iter().for_each(|set| shard.quotas.renew(set));
    coordinators::apply(shard, topic_changes);
    shard.data.apply.moved.notify();
}

/// Has requests find a topic as the view has it, and its logs have the configs of the view.
async fn route(shard: &Shard, view: &ClusterView, topic: &Topic, budget: &mut TurnBudget<'_>) {
    let route = shard.data.routes.borrow_mut().set(view, topic, &shard.data.partitions());
    let (ways, partitions) = (route.partitions.len(), topic.partitions.len());
    assert_eq!(ways, partitions, "there is a way to each partition of {}", topic.name);
    for partition in route.partitions.iter().filter_map(|route| route.local.as_ref()) {
        assert!(!partition.is_gone(), "a way to {}-{}, gone", topic.name, partition.id.index);
        if !Rc::ptr_eq(&route.config, &partition.config.borrow()) {
            partition.log.set_config(route.config.clone());
            *partition.config.borrow_mut() = route.config.clone();
        }
        budget.item_done().await;
    }
}

/// Partitions that come to this core, and those that leave it.
#[derive(Default)]
struct Found {
    to_open: Vec<ToOpen>,
    /// Their replicas are on other nodes now.
    moved_away: Vec<Rc<Partition>>,
}

/// Takes note of what has changed of a topic's partitions on this core.
async fn look_at(
    shard: &Shard,
    view: &ClusterView,
    topic: &Topic,
    budget: &mut TurnBudget<'_>,
    found: &mut Found,
) {
    let mut config = None;
    for (index, partition) in &topic.partitions {
        budget.item_done().await;
        let id = PartitionId { topic_id: topic.id, index: *index };
        if view.owners.of(id) != Some(shard.index) {
            found.moved_away.extend(shard.data.leave(id));
            continue;
        }
        match shard.data.partition(id) {
            Some(known) => take_role(shard, &known, partition),
            None if shard.data.offline(id) == Some(Offline::UntilStart) => {}
            None => {
                let config =
                    config.get_or_insert_with(|| Rc::new(topic_log_config(view, &topic.name)));
                let directory =
                    partition.directory_of(shard.config.node_id).unwrap_or(directory::UNASSIGNED);
                let place = shard.data.storage.place(&topic.name, id, directory);
                let Some((dir, start)) = place else {
                    shard.data.note_offline(id, Offline::UntilStart);
                    continue;
                };
                let (registration, config) = (partition.clone(), config.clone());
                let (topic, image) = (topic.name.clone(), view.image.clone());
                found.to_open.push(ToOpen { topic, id, registration, config, dir, start, image });
            }
        }
    }
}

/// A partition that is open here is led, followed or replicated otherwise from now on.
fn take_role(shard: &Shard, partition: &Rc<Partition>, registration: &Registration) {
    if partition.follow_metadata(registration, shard.config.node_id) {
        if partition.is_led_here() {
            partition.log.assign_leader_epoch(registration.leader_epoch);
        } else {
            partition.refuse_waiters(ErrorCode::NotLeaderOrFollower);
            commit::notify_fetch_waiters(shard, partition);
        }
    }
    // With other replicas in sync, more may be committed.
    commit::move_high_watermark(shard, partition);
}

/// Closes the partitions of topics that are gone, and deletes their files.
async fn delete_gone(shard: &Shard, before: &ClusterView, topics: &[Arc<Topic>]) {
    let mut budget = TurnBudget::new(&shard.ring);
    let mut gone = Vec::new();
    for topic in topics {
        for index in topic.partitions.keys() {
            let id = PartitionId { topic_id: topic.id, index: *index };
            budget.item_done().await;
            if before.owners.of(id) != Some(shard.index) {
                continue;
            }
            if shard.data.offline(id).is_some() {
                // Its folder is left: what could not be opened is not deleted.
                shard.data.storage.note_undeleted(id.topic_id);
            }
            gone.extend(shard.data.leave(id));
        }
    }
    delete(shard, gone, ErrorCode::UnknownTopicOrPartition).await;
}

/// Closes partitions that this node has no more and deletes their files; requests that wait for
/// them get `error`.
async fn delete(shard: &Shard, partitions: Vec<Rc<Partition>>, error: ErrorCode) {
    for partition in partitions {
        let is_found = shard.data.partition(partition.id).is_some();
        assert!(!is_found, "requests no longer find {}, which goes", partition.topic);
        // Requests that still hold the partition find it closed.
        partition.take_offline(Cause::Gone);
        partition.refuse_waiters(error);
        commit::notify_fetch_waiters(shard, &partition);
        if let Err(error) = partition.log.clone().delete().await {
            shard.data.storage.note_undeleted(partition.id.topic_id);
            tracing::error!(topic = %partition.topic, partition = partition.id.index, %error,
                "cannot delete its files");
        }
    }
}

/// Works on the files of many partitions, a bounded number at a time: the disk makes flushes that
/// meet into one.
async fn side_by_side<T: 'static>(
    shard: &Shard,
    work: impl Iterator<Item = impl Future<Output = T> + 'static>,
) -> Vec<T> {
    let mut results = Vec::new();
    let mut running = VecDeque::new();
    let mut budget = TurnBudget::new(&shard.ring);
    for one in work {
        budget.step_done().await;
        if running.len() == shard.files.logs_at_once()
            && let Some(first) = running.pop_front()
        {
            results.push(first.await);
        }
        running.push_back(shard.ring.spawn_named("partition files", one));
    }
    for left in running {
        results.push(left.await);
    }
    results
}

/// A partition that comes to this core.
struct ToOpen {
    topic: Arc<str>,
    id: PartitionId,
    registration: Arc<Registration>,
    config: Rc<LogConfig>,
    /// Its folder.
    dir: PathBuf,
    start: LogStart,
    image: Arc<MetadataImage>,
}

/// Whether a folder that has the name of a partition but belongs to another topic may go: that
/// topic was deleted, as far as the metadata can know.
fn was_deleted(shard: &Shard, image: &MetadataImage, folder: &Path, topic_id: &str) -> bool {
    let Ok(topic_id) = topic_id.parse() else { return false };
    image.topics.by_id(topic_id).is_none() && shard.data.storage.may_set_aside(folder, topic_id)
}

/// A partition that could not be opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Offline {
    /// It lacks something that may come: it is tried again.
    ForNow,
    /// Something is wrong on the disk: it is looked at again at the next start.
    UntilStart,
}

enum Opened {
    Now,
    /// Nothing is wrong with it but what passes.
    Later(LogError),
    Never,
}

async fn open(shard: Shard, one: ToOpen) -> Opened {
    let ToOpen { topic, id, registration, config, dir, start, image } = one;
    let replay = start.replay.clone();
    let try_open = |start| {
        Log::open(
            &shard.ring,
            dir.clone(),
            id.topic_id,
            config.clone(),
            start,
            shard.data.tail.clone(),
        )
    };
    let mut opened = try_open(start).await;
    if let Err(LogError::WrongTopicId { found, .. }) = &opened
        && was_deleted(&shard, &image, &dir, found)
    {
        // The metadata knows what this partition is; a crash came between a topic's deletion and
        // that of its files.
        tracing::warn!(%topic, partition = id.index, "a folder of an earlier topic of this name \
            is set aside");
        opened = match set_aside(&shard.ring, &dir).await {
            Ok(()) => try_open(LogStart { replay: replay.clone(), ..LogStart::default() }).await,
            Err(error) => Err(error),
        };
    }
    match opened {
        Ok(log) => {
            log.tell_wants_to(&shard.data.wants);
            let role = Role::of(&registration, shard.config.node_id);
            if let Role::Leader(leadership) = &role {
                log.assign_leader_epoch(leadership.leader_epoch);
            }
            // With one replica everything that recovery found is committed; with several, the
            // leader finds out how far they have come.
            if registration.replicas.len() == 1 {
                log.set_high_watermark(log.log_end_offset());
            }
            let partition = Rc::new(Partition::new(id, (&*topic).into(), log, config, role));
            shard.data.commit.adopt(&partition);
            shard.data.storage.note_opened(id);
            commit::move_high_watermark(&shard, &partition);
            shard.data.enter(partition);
            Opened::Now
        }
        Err(error) => {
            let offline = if error.passes() { Offline::ForNow } else { Offline::UntilStart };
            shard.data.note_offline(id, offline);
            let dirs = dir.parent().map(PathBuf::from).into_iter().collect();
            shard.data.storage.note_unopened(Unopened {
                id,
                dirs,
                has_replay: !replay.is_empty(),
                for_now: error.passes(),
            });
            if error.passes() {
                return Opened::Later(error);
            }
            tracing::error!(
                %topic, partition = id.index,
                "this partition is offline, the others are served: {error}"
            );
            Opened::Never
        }
    }
}

/// The partitions of a log directory that serve.
fn partitions_in(shard: &Shard, dir: &Path) -> Vec<Rc<Partition>> {
    let partitions = shard.data.partitions();
    let here = |partition: &&Rc<Partition>| {
        !partition.is_offline() && partition.log.dir().parent() == Some(dir)
    };
    partitions.values().filter(here).cloned().collect()
}

/// Its log directory.
fn dir_of(partition: &Partition) -> Option<PathBuf> {
    partition.log.dir().parent().map(PathBuf::from)
}

fn checkpoint_of(partition: &Partition) -> PartitionCheckpoint {
    let log = &partition.log;
    let (start, end) = (log.log_start_offset(), log.log_end_offset());
    let (recovery_point, high_watermark) = (log.recovery_point(), log.high_watermark());
    assert!(recovery_point <= end, "a recovery from {recovery_point} of a log that ends at {end}");
    assert!(
        (start..=end).contains(&high_watermark),
        "{high_watermark} is committed of a log from {start} to {end}"
    );
    PartitionCheckpoint {
        dir: dir_of(partition).unwrap_or_default(),
        topic: partition.topic.to_string(),
        partition: partition.id.index,
        recovery_point,
        log_start_offset: start,
        high_watermark,
        cleaned_to: log.first_dirty_offset(),
    }
}

/// Write what makes recovery short, in one log directory, and tell how far it reaches.
pub struct Checkpoint(pub PathBuf);

impl Ask for Checkpoint {
    type Answer = Vec<PartitionCheckpoint>;

    async fn execute(self, shard: &Shard, _from: usize) -> Vec<PartitionCheckpoint> {
        checkpoint(shard, &self.0).await
    }
}

/// Tell the same of partitions as they stand.
pub struct Offsets(pub PathBuf);

impl Ask for Offsets {
    type Answer = Vec<PartitionCheckpoint>;

    async fn execute(self, shard: &Shard, _from: usize) -> Vec<PartitionCheckpoint> {
        offsets(shard, &self.0).await
    }
}

/// The checkpoint files of a log directory have what [`Checkpoint`] has told last.
pub struct Written(pub PathBuf);

impl Ask for Written {
    type Answer = ();

    async fn execute(self, shard: &Shard, _from: usize) {
        let mut budget = TurnBudget::of_items(&shard.ring);
        for partition in partitions_in(shard, &self.0) {
            partition.log.keep_recovery_point();
            budget.item_done().await;
        }
    }
}

/// Moves the recovery points of this core's partitions in a log directory up to the durable
/// offsets.
async fn checkpoint(shard: &Shard, dir: &Path) -> Vec<PartitionCheckpoint> {
    let partitions = partitions_in(shard, dir);
    let mut budget = TurnBudget::new(&shard.ring);
    let mut waiting = Vec::new();
    for partition in &partitions {
        match partition.log.checkpoint().await {
            Err(error) if !ring::passes(&error) => {
                commit::fail(shard, partition, &format!("cannot write its checkpoint: {error}"));
            }
            Err(error) => waiting.push((partition, error)),
            Ok(_) => {}
        }
        partition.log.tell_recovery_point();
        budget.step_done().await;
    }
    if let Some((first, error)) = waiting.first() {
        tracing::warn!(
            core = shard.index, partitions = waiting.len(), %error,
            "recovery points stay where they are for now, that of {}-{} among them; recovery \
             after a crash would take longer; {}",
            first.topic, first.id.index, remedy(error)
        );
    }
    offsets(shard, dir).await
}

/// How far this core's partitions in a log directory reach.
async fn offsets(shard: &Shard, dir: &Path) -> Vec<PartitionCheckpoint> {
    let partitions = partitions_in(shard, dir);
    let mut budget = TurnBudget::new(&shard.ring);
    let mut checkpoints = Vec::with_capacity(partitions.len());
    for partition in &partitions {
        checkpoints.push(checkpoint_of(partition));
        budget.step_done().await;
    }
    checkpoints
}

/// What a core leaves behind.
pub struct Closed {
    /// The log directories that have logs which failed, or could not be closed.
    pub unclean_dirs: FxHashSet<PathBuf>,
    pub checkpoints: Vec<PartitionCheckpoint>,
    /// By log directory.
    pub states: Vec<(PathBuf, LogState)>,
}

/// Let requests in flight end, take no more, and close every log.
pub struct Close;

impl Ask for Close {
    type Answer = Closed;

    async fn execute(self, shard: &Shard, _from: usize) -> Closed {
        close(shard).await
    }
}

/// Ends the requests in flight and closes every log of this core.
async fn close(shard: &Shard) -> Closed {
    shard.drain().await;
    // What a pass has begun is removed before the log is closed.
    shard.data.cleaner.rest().await;
    let _turn = shard.data.apply.turn.lock().await;
    let was_closed = shard.data.apply.has_closed_logs.replace(true);
    assert!(!was_closed, "a core closes its logs once");
    shard.data.apply.moved.notify();
    let mut closed =
        Closed { unclean_dirs: FxHashSet::default(), checkpoints: Vec::new(), states: Vec::new() };
    let partitions = shard.data.leave_all();
    assert!(shard.data.partitions().is_empty(), "a core that closes its logs has no other");
    let close = |partition: Rc<Partition>| async move {
        let state = if partition.is_offline() { None } else { Some(partition.log.close().await) };
        (partition, state)
    };
    let mut budget = TurnBudget::new(&shard.ring);
    for (partition, state) in side_by_side(shard, partitions.into_iter().map(close)).await {
        budget.step_done().await;
        match state {
            Some(Ok(state)) => {
                let checkpoint = checkpoint_of(&partition);
                closed.states.push((checkpoint.dir.clone(), state));
                closed.checkpoints.push(checkpoint);
            }
            Some(Err(error)) => {
                closed.unclean_dirs.extend(dir_of(&partition));
                tracing::error!(topic = %partition.topic, partition = partition.id.index, %error,
                    "cannot close cleanly");
            }
            None => closed.unclean_dirs.extend(dir_of(&partition)),
        }
    }
    closed.unclean_dirs.extend(commit::close_streams(shard).await);
    closed
}
