//! Following the metadata: what a core opens, closes and deletes when a new view is published.
//!
//! Owns: the partitions' coming and going on one core. Lives on: every core. Never: runs twice at a time.

use super::{
    Shard, commit, groups,
    housekeeping::TurnBudget,
    partition::{Partition, PartitionId},
    view::{ClusterView, topic_log_config},
};
use crate::{
    boot::PartitionCheckpoint,
    log::{Log, LogConfig, LogError, LogStart, LogState, remedy, set_aside},
};
use protocol::{ErrorCode, Uuid};
use std::{collections::VecDeque, path::PathBuf, rc::Rc, sync::Arc, time::Duration};

/// Between two tries to open partitions that lacked something which may come (room, descriptors, memory).
const OPEN_RETRY: Duration = Duration::from_secs(1);

/// Makes this core agree with `view`.
pub async fn follow(shard: &Shard, view: ClusterView) {
    let _turn = shard.follow_turn.enter().await;
    follow_in_turn(shard, view).await;
}

/// Has what could not be opened for now opened soon.
fn try_again_later(shard: &Shard, opened: &[Opened]) {
    let mut later = opened.iter().filter_map(|one| if let Opened::Later(error) = one { Some(error) } else { None });
    let (first, partitions) = (later.next(), later.count() + 1);
    let Some(first) = first else { return shard.offline_for_now.set(0) };
    if shard.offline_for_now.replace(partitions) != partitions {
        tracing::error!(
            core = shard.index, partitions, error = %first,
            "partitions are offline for now, the others are served; they are opened when this has passed"
        );
    }
    if shard.follows_again.replace(true) {
        return;
    }
    let shard = shard.clone();
    shard.ring.clone().spawn_named("open again", async move {
        shard.ring.sleep(OPEN_RETRY).await;
        shard.follows_again.set(false);
        let _turn = shard.follow_turn.enter().await;
        if !shard.is_stopping() {
            let view = shard.view.borrow().clone();
            follow_in_turn(&shard, view).await;
        }
    });
}

async fn follow_in_turn(shard: &Shard, view: ClusterView) {
    delete_gone(shard, &view).await;
    let mut to_open = Vec::new();
    for topic in view.image.topics.iter() {
        let mut config = None;
        for (index, partition) in &topic.partitions {
            let id = PartitionId { topic_id: topic.id, index: *index };
            if view.owners.of(id) != Some(shard.index) {
                continue;
            }
            match shard.partition(id) {
                Some(known) if known.leader_epoch.get() == partition.leader_epoch => {}
                Some(known) => {
                    known.log.assign_leader_epoch(partition.leader_epoch);
                    known.leader_epoch.set(partition.leader_epoch);
                }
                None => {
                    let config = config.get_or_insert_with(|| Rc::new(topic_log_config(&view, &topic.name)));
                    to_open.push((topic.name.clone(), id, partition.leader_epoch, config.clone()));
                }
            }
        }
    }
    let open = |(topic, id, leader_epoch, config)| open(shard.clone(), topic, id, leader_epoch, config);
    let opened = side_by_side(shard, to_open.into_iter().map(open)).await;
    try_again_later(shard, &opened);
    let changed = opened.iter().filter_map(|one| if let Opened::Now(topic_id) = one { Some(*topic_id) } else { None });
    let routes = shard.routes.borrow().follow(&view, &shard.partitions.borrow(), &changed.collect());
    for partition in shard.partitions.borrow().values() {
        let route = routes.by_id(partition.id.topic_id).expect("an open partition has a route");
        if !Rc::ptr_eq(&route.config, &partition.config.borrow()) {
            partition.log.set_config(route.config.clone());
            *partition.config.borrow_mut() = route.config.clone();
        }
    }
    *shard.routes.borrow_mut() = routes;
    let before = shard.view.replace(view);
    groups::follow(shard, &before);
}

async fn delete_gone(shard: &Shard, view: &ClusterView) {
    let gone: Vec<Rc<Partition>> = {
        let mut partitions = shard.partitions.borrow_mut();
        let gone: Vec<_> = partitions.keys().filter(|id| view.owners.of(**id).is_none()).copied().collect();
        gone.iter().filter_map(|id| partitions.remove(id)).collect()
    };
    for partition in gone {
        // Requests that still hold the partition find it closed.
        partition.failed.set(true);
        for waiter in partition.waiters.take() {
            waiter.done.tell(Err(ErrorCode::UnknownTopicOrPartition));
        }
        commit::notify_watchers(shard, &partition);
        if let Err(error) = partition.log.clone().delete().await {
            tracing::error!(topic = %partition.topic, partition = partition.id.index, %error, "cannot delete its files");
        }
    }
}

/// Works on the files of many partitions, a bounded number at a time: the disk makes flushes that meet into one.
async fn side_by_side<T: 'static>(
    shard: &Shard,
    work: impl Iterator<Item = impl Future<Output = T> + 'static>,
) -> Vec<T> {
    let mut results = Vec::new();
    let mut running = VecDeque::new();
    for one in work {
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

enum Opened {
    /// A partition of this topic.
    Now(Uuid),
    /// Nothing is wrong with it but what passes.
    Later(LogError),
    Never,
}

async fn open(shard: Shard, topic: Arc<str>, id: PartitionId, leader_epoch: i32, config: Rc<LogConfig>) -> Opened {
    let (dir, start) = shard.storage.place(&topic, id);
    let replay = start.replay.clone();
    let try_open = |start| Log::open(&shard.ring, dir.clone(), id.topic_id, config.clone(), start, shard.tail.clone());
    let mut opened = try_open(start).await;
    if let Err(LogError::WrongTopicId { .. }) = opened {
        // The metadata knows what this partition is; a crash came between a topic's deletion and that of its files.
        tracing::warn!(%topic, partition = id.index, "a folder of an earlier topic of this name is set aside");
        opened = match set_aside(&shard.ring, &dir).await {
            Ok(()) => try_open(LogStart { replay: replay.clone(), ..LogStart::default() }).await,
            Err(error) => Err(error),
        };
    }
    match opened {
        Ok(log) => {
            log.assign_leader_epoch(leader_epoch);
            // With one replica everything that recovery found is committed.
            log.set_high_watermark(log.log_end_offset());
            let partition = Partition::new(id, (&*topic).into(), log, config, leader_epoch);
            shard.commit.adopt(&partition);
            shard.partitions.borrow_mut().insert(id, Rc::new(partition));
            shard.storage.opened(id);
            Opened::Now(id.topic_id)
        }
        Err(error) => {
            if !replay.is_empty() {
                shard.storage.keep_stream_for(id, error.passes());
            }
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

fn all_partitions(shard: &Shard) -> Vec<Rc<Partition>> {
    shard.partitions.borrow().values().filter(|partition| !partition.failed.get()).cloned().collect()
}

fn checkpoint_of(partition: &Partition) -> PartitionCheckpoint {
    PartitionCheckpoint {
        dir: partition.log.dir().parent().map(PathBuf::from).unwrap_or_default(),
        topic: partition.topic.to_string(),
        partition: partition.id.index,
        recovery_point: partition.log.recovery_point(),
        log_start_offset: partition.log.log_start_offset(),
        high_watermark: partition.log.high_watermark(),
    }
}

/// Moves the recovery points of this core's partitions up to what is durable.
pub async fn checkpoint(shard: &Shard) -> Vec<PartitionCheckpoint> {
    let partitions = all_partitions(shard);
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
        budget.step_done().await;
    }
    if let Some((first, error)) = waiting.first() {
        tracing::warn!(
            core = shard.index, partitions = waiting.len(), %error,
            "recovery points stay where they are for now, that of {}-{} among them; recovery after a crash would take longer; {}",
            first.topic, first.id.index, remedy(error)
        );
    }
    let mut checkpoints = Vec::with_capacity(partitions.len());
    for partition in &partitions {
        checkpoints.push(checkpoint_of(partition));
        budget.step_done().await;
    }
    checkpoints
}

/// What a core leaves behind.
pub struct Closed {
    /// No log failed to close: the next start may trust what they say.
    pub all_closed: bool,
    pub checkpoints: Vec<PartitionCheckpoint>,
    /// By log directory.
    pub states: Vec<(PathBuf, LogState)>,
}

/// Ends the requests in flight and closes every log of this core.
pub async fn close(shard: &Shard) -> Closed {
    shard.drain().await;
    let _turn = shard.follow_turn.enter().await;
    let mut closed = Closed { all_closed: true, checkpoints: Vec::new(), states: Vec::new() };
    let partitions: Vec<_> = shard.partitions.borrow_mut().drain().map(|(_, partition)| partition).collect();
    let close = |partition: Rc<Partition>| async move {
        let state = if partition.failed.get() { None } else { Some(partition.log.close().await) };
        (partition, state)
    };
    for (partition, state) in side_by_side(shard, partitions.into_iter().map(close)).await {
        match state {
            Some(Ok(state)) => {
                let checkpoint = checkpoint_of(&partition);
                closed.states.push((checkpoint.dir.clone(), state));
                closed.checkpoints.push(checkpoint);
            }
            Some(Err(error)) => {
                closed.all_closed = false;
                tracing::error!(topic = %partition.topic, partition = partition.id.index, %error, "cannot close cleanly");
            }
            None => closed.all_closed = false,
        }
    }
    closed.all_closed &= commit::close_streams(shard).await;
    closed
}
