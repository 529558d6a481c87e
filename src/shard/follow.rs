//! Following the metadata: what a core opens, closes and deletes when a new view is published.
//!
//! Owns: the partitions' coming and going on one core. Lives on: every core. Never: runs twice at a time (the publisher
//! waits for all cores before it publishes the next view).

use super::{
    Shard,
    groups::{self, OFFSETS_TOPIC},
    partition::{Partition, PartitionId},
    view::ClusterView,
};
use crate::{log::Log, meta::image::Topic};
use std::rc::Rc;

/// Makes this core agree with `view`.
pub async fn follow(shard: &Shard, view: ClusterView) {
    close_gone(shard, &view).await;
    for topic in view.image.topics() {
        for (index, partition) in topic.partitions.iter().enumerate() {
            let id = PartitionId { topic_id: topic.id, index: index as i32 };
            if view.owners.of(id) == Some(shard.index) {
                let known = shard.partition(id);
                match known {
                    Some(known) => known.leader_epoch.set(partition.leader_epoch),
                    None => open(shard, &view, topic, id, partition.leader_epoch).await,
                }
            }
        }
    }
    let routes = shard.routes.borrow().follow(&view, &shard.config, &shard.partitions.borrow());
    for partition in shard.partitions.borrow().values() {
        let route = routes.by_id(partition.id.topic_id).expect("an open partition has a route");
        if !Rc::ptr_eq(&route.config, &partition.config.borrow()) {
            partition.log.set_config(route.config.clone());
            *partition.config.borrow_mut() = route.config.clone();
        }
    }
    *shard.routes.borrow_mut() = routes;
    *shard.view.borrow_mut() = view;
    groups::follow(shard).await;
}

async fn close_gone(shard: &Shard, view: &ClusterView) {
    let gone: Vec<Rc<Partition>> = {
        let mut partitions = shard.partitions.borrow_mut();
        let gone: Vec<_> = partitions.keys().filter(|id| view.owners.of(**id).is_none()).copied().collect();
        gone.iter().filter_map(|id| partitions.remove(id)).collect()
    };
    let mut topics_gone: Vec<Rc<str>> = Vec::new();
    for partition in gone {
        partition.failed.set(true);
        for waiter in partition.waiters.take() {
            waiter.done.tell(Err(protocol::error::ErrorCode::UnknownTopicOrPartition));
        }
        super::commit::notify_watchers(shard, &partition);
        if let Err(error) = partition.log.clone().delete().await {
            tracing::error!(topic = %partition.topic, partition = partition.id.index, %error, "cannot delete its files");
        }
        if !topics_gone.contains(&partition.topic) {
            topics_gone.push(partition.topic.clone());
        }
    }
}

async fn open(shard: &Shard, view: &ClusterView, topic: &Topic, id: PartitionId, leader_epoch: i32) {
    let config = Rc::new(shard.config.log_config(view.image.topic_config(&topic.name)));
    let (dir, start) = shard.storage.place(&topic.name, id);
    match Log::open(&shard.ring, dir, topic.id, config.clone(), start, shard.tail.clone()).await {
        Ok(log) => {
            // With one replica everything that recovery found is committed.
            log.set_high_watermark(log.log_end_offset());
            log.assign_leader_epoch(leader_epoch);
            let name: Rc<str> = topic.name.as_str().into();
            let partition = Partition::new(id, name, log, config, leader_epoch);
            shard.partitions.borrow_mut().insert(id, Rc::new(partition));
        }
        Err(error) => tracing::error!(
            topic = %topic.name, partition = id.index,
            "this partition is offline, the others are served: {error}"
        ),
    }
    debug_assert!(topic.name != OFFSETS_TOPIC || id.index >= 0);
}
