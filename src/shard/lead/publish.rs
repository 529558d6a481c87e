//! From the metadata to the cores: each new image of the controller is shown to all of them.
//!
//! Owns: nothing. Lives on: the core that hosts the controller. Never: returns from a publication
//! before every core has followed it.

use super::checkpoints::{self, LogDirs};
use crate::{
    meta::{
        Changes,
        controller::{ControllerRequest, ControllerResponse, DirectoryAssignment},
        image::MetadataImage,
        node::{Hooks, Names},
    },
    shard::{Shard, apply::Apply, partition::PartitionId},
};
use std::{collections::BTreeSet, rc::Rc, sync::Arc};

/// What the metadata node has the shards do.
pub fn hooks(shard: &Shard, dirs: &Rc<LogDirs>) -> Hooks {
    let publisher = (shard.clone(), dirs.clone());
    Hooks {
        show: Box::new(move |image, changes| {
            let (shard, dirs) = publisher.clone();
            Box::pin(async move { publish(&shard, &dirs, image, changes).await })
        }),
        names: names(shard, dirs),
    }
}

fn names(shard: &Shard, dirs: &Rc<LogDirs>) -> Names {
    let (known, releaser) = (dirs.clone(), (shard.clone(), dirs.clone()));
    Names {
        are_free: Box::new(move |names| checkpoints::are_free(&known, names)),
        release: Box::new(move |names| {
            let (shard, dirs) = releaser.clone();
            Box::pin(async move { checkpoints::release_names(&shard, &dirs, &names).await })
        }),
    }
}

/// Shows a new image to every core, and returns when all have followed it: they look at what has
/// changed alone.
async fn publish(shard: &Shard, dirs: &Rc<LogDirs>, image: Arc<MetadataImage>, changes: Changes) {
    let before = shard.control.image();
    let view = shard.control.view().apply(image, &changes);
    let changes = Arc::new(changes);
    shard.ask_all(|| Apply { view: view.clone(), changes: changes.clone() }).await;
    let mut had_gone = BTreeSet::new();
    for topic in view
        .topics_to_look_at(&before, &changes)
        .into_iter()
        .filter_map(|id| view.gone(&before, id))
    {
        for (index, partition) in &topic.partitions {
            let id = PartitionId { topic_id: topic.id, index: *index };
            had_gone.extend(
                shard.data.storage.dir_of(id, partition.directory_of(shard.config.node_id)),
            );
        }
    }
    checkpoints::forget_gone(shard, dirs, had_gone.into_iter()).await;
    checkpoints::note_metadata(shard, dirs);
}

/// Tells the controller where partitions are that the metadata has elsewhere, or nowhere. If it
/// cannot be told, the next start finds the same.
pub async fn tell_directories(shard: &Shard) {
    let replicas = shard.data.storage.assignments().to_vec();
    let Some(controller) = shard.control.controller().filter(|_| !replicas.is_empty()) else {
        return;
    };
    let broker_id = shard.config.node_id;
    let broker_epoch =
        controller.image().broker(broker_id).map_or(-1, |broker| broker.0.broker_epoch);
    let partitions = replicas.len();
    let request = ControllerRequest::AssignReplicasToDirs(DirectoryAssignment {
        broker_id,
        broker_epoch,
        replicas,
    });
    match controller.request(request).await.response {
        ControllerResponse::AssignReplicasToDirs(Ok(())) => {
            tracing::info!(
                partitions,
                "the metadata records the log directories of partitions as they were found"
            );
        }
        other => {
            tracing::error!(
                partitions,
                ?other,
                "the log directories of partitions cannot be recorded in the metadata"
            )
        }
    }
}
