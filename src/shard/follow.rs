//! Following the metadata: what a core opens, closes and deletes when a new view is published.
//!
//! Owns: the partitions' coming and going on one core. Lives on: every core. Never: runs twice at a time (the publisher
//! waits for all cores before it publishes the next view).

use super::{
    Shard, commit, groups,
    partition::{Partition, PartitionId},
    view::{ClusterView, topic_log_config},
};
use crate::{
    boot::PartitionCheckpoint,
    log::{Log, LogError, LogStart, LogState, set_aside},
    meta::topic::Topic,
};
use protocol::ErrorCode;
use std::{path::PathBuf, rc::Rc};

/// Makes this core agree with `view`.
pub async fn follow(shard: &Shard, view: ClusterView) {
    delete_gone(shard, &view).await;
    for topic in view.image.topics.iter() {
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
                None => open(shard, &view, topic, id, partition.leader_epoch).await,
            }
        }
    }
    let routes = shard.routes.borrow().follow(&view, &shard.partitions.borrow());
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

async fn open(shard: &Shard, view: &ClusterView, topic: &Topic, id: PartitionId, leader_epoch: i32) {
    let config = Rc::new(topic_log_config(view, &topic.name));
    let (dir, start) = shard.storage.place(&topic.name, id);
    let replay = start.replay.clone();
    let try_open = |start| Log::open(&shard.ring, dir.clone(), topic.id, config.clone(), start, shard.tail.clone());
    let mut opened = try_open(start).await;
    if let Err(LogError::WrongTopicId { .. }) = opened {
        // The metadata knows what this partition is; a crash came between a topic's deletion and that of its files.
        tracing::warn!(topic = %topic.name, partition = id.index, "a folder of an earlier topic of this name is set aside");
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
            let partition = Partition::new(id, (&*topic.name).into(), log, config, leader_epoch);
            shard.commit.adopt(&partition);
            shard.partitions.borrow_mut().insert(id, Rc::new(partition));
        }
        Err(error) => {
            tracing::error!(
                topic = %topic.name, partition = id.index,
                "this partition is offline, the others are served: {error}"
            );
            if !replay.is_empty() {
                shard.storage.keep_stream_for(id);
            }
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
    for partition in &partitions {
        if let Err(error) = partition.log.checkpoint().await {
            commit::refuse_or_fail(shard, partition, "cannot write its checkpoint", &error);
        }
    }
    partitions.iter().map(|partition| checkpoint_of(partition)).collect()
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
    let mut closed = Closed { all_closed: true, checkpoints: Vec::new(), states: Vec::new() };
    let partitions: Vec<_> = shard.partitions.borrow_mut().drain().map(|(_, partition)| partition).collect();
    for partition in partitions {
        if partition.failed.get() {
            closed.all_closed = false;
            continue;
        }
        match partition.log.close().await {
            Ok(state) => {
                let checkpoint = checkpoint_of(&partition);
                closed.states.push((checkpoint.dir.clone(), state));
                closed.checkpoints.push(checkpoint);
            }
            Err(error) => {
                closed.all_closed = false;
                tracing::error!(topic = %partition.topic, partition = partition.id.index, %error, "cannot close cleanly");
            }
        }
    }
    closed.all_closed &= commit::close_streams(shard).await;
    closed
}
