//! From the metadata to the cores: each new image is offered to all of them, and what deleted
//! topics have left is brought to its end.
//!
//! Owns: nothing. Lives on: the core that hosts the controller. Never: waits for a core, but where
//! a name is used again.

use super::{
    checkpoints::{self, LogDirs},
    feeds::{Feeds, Gone},
};
use crate::{
    limits,
    meta::{
        Changes, Topic,
        controller::{
            ControllerRequest, ControllerResponse, CordonedDirectories, DirectoryAssignment,
        },
        image::MetadataImage,
        node::{Hooks, Names},
    },
    shard::{Shard, partition::PartitionId, view::ClusterView},
};
use std::{cell::Cell, io, rc::Rc, sync::Arc, time::Duration};

/// When checkpoints that know deleted topics, and could not be written, are tried again.
const FORGET_AGAIN_AFTER: Duration = Duration::from_secs(30);

/// What the metadata node has the shards do.
pub fn hooks(shard: &Shard, dirs: &Rc<LogDirs>, feeds: &Rc<Feeds>) -> Hooks {
    let (task, task_dirs, task_feeds) = (shard.clone(), dirs.clone(), feeds.clone());
    drop(shard.ring.spawn_named("deleted topics", async move {
        forget_gone(&task, &task_dirs, &task_feeds).await;
    }));
    let (publisher, publisher_dirs, publisher_feeds) = (shard.clone(), dirs.clone(), feeds.clone());
    Hooks {
        show: Box::new(move |image, changes| {
            publish(&publisher, &publisher_dirs, &publisher_feeds, image, changes);
        }),
        names: names(shard, dirs, feeds),
    }
}

fn names(shard: &Shard, dirs: &Rc<LogDirs>, feeds: &Rc<Feeds>) -> Names {
    let (known, gone) = (dirs.clone(), feeds.clone());
    let (shard, dirs, feeds) = (shard.clone(), dirs.clone(), feeds.clone());
    let under_way = Rc::new(Cell::new(0));
    Names {
        are_free: Box::new(move |names| {
            checkpoints::are_free(&known, names) && !names.iter().any(|name| gone.has_gone(name))
        }),
        release: Box::new(move |names| {
            let (shard, dirs, feeds) = (shard.clone(), dirs.clone(), feeds.clone());
            let under_way = under_way.clone();
            Box::pin(async move {
                let limit = Duration::from_millis(limits::NAME_RELEASE_WAIT_MS);
                let too_long = "a deleted topic of this name is still being removed, for now";
                let timed_out = || Err(io::Error::new(io::ErrorKind::TimedOut, too_long));
                if under_way.get() == limits::NAME_RELEASES_MAX {
                    return timed_out();
                }
                under_way.set(under_way.get() + 1);
                let ring = shard.ring.clone();
                // A task of its own: a sync that is dropped in its midst would fail unheard.
                let released = ring.spawn_named("names of deleted topics", async move {
                    let released = release_names(&shard, &dirs, &feeds, &names).await;
                    let before = under_way.replace(under_way.get() - 1);
                    assert!(before <= limits::NAME_RELEASES_MAX, "{before} releases are under way");
                    released
                });
                ring.timeout(limit, released).await.unwrap_or_else(timed_out)
            })
        }),
    }
}

/// Offers a new image to every core, which looks at what has changed alone.
fn publish(
    shard: &Shard,
    dirs: &Rc<LogDirs>,
    feeds: &Rc<Feeds>,
    image: Arc<MetadataImage>,
    changes: Changes,
) {
    dirs.set_image(image.clone());
    let changes = Arc::new(changes);
    let (before, view) = feeds.offer(image, &changes);
    if before.runtime.storage != view.runtime.storage {
        let (shard, feeds) = (shard.clone(), feeds.clone());
        drop(shard.ring.clone().spawn_named("cordoned log directories", async move {
            tell_cordoned(&shard, &feeds).await;
        }));
    }
    let gone = view.gone_since(&before.image, &changes);
    let offset = view.image.provenance.offset;
    feeds.note_gone(gone.map(|topic| leave(shard, &before, topic, offset)).collect());
    checkpoints::note_metadata(shard, dirs);
}

/// What a topic has that is gone in the image at `offset`.
fn leave(shard: &Shard, before: &ClusterView, topic: &Arc<Topic>, offset: i64) -> Gone {
    let dirs = topic.partitions.iter().flat_map(|(index, partition)| {
        let id = PartitionId { topic_id: topic.id, index: *index };
        shard.data.storage.dirs_that_know(id, partition.directory_of(shard.config.node_id))
    });
    Gone {
        topic_id: topic.id,
        name: topic.name.clone(),
        offset,
        cores: before.owners.cores_of(topic.id),
        dirs: dirs.collect(),
        is_tried: false,
    }
}

/// Has the checkpoints forget topics that are gone, once no core has anything of them. What comes
/// meanwhile is for the next time.
async fn forget_gone(shard: &Shard, dirs: &LogDirs, feeds: &Rc<Feeds>) {
    loop {
        let (topics, paths) = feeds.left().await;
        let mut has_failed = false;
        for path in paths {
            match checkpoints::forget_gone(shard, dirs, &path).await {
                Ok(()) => feeds.forgotten(&topics, &path),
                Err(error) => {
                    has_failed = true;
                    tracing::error!(
                        dir = %path.display(), %error,
                        "cannot write the offset checkpoints: a deleted topic's name cannot be \
                         used again before they are written, which is tried again in \
                         {FORGET_AGAIN_AFTER:?}"
                    );
                }
            }
        }
        if has_failed {
            let (ring, feeds) = (shard.ring.clone(), feeds.clone());
            drop(shard.ring.spawn_named("forget deleted topics", async move {
                ring.sleep(FORGET_AGAIN_AFTER).await;
                feeds.left_something(&topics);
            }));
        }
    }
}

/// Makes sure that neither a core nor a checkpoint has anything of a deleted topic of these names:
/// their files are gone or set aside, and a start takes nothing for knowledge of a new one.
async fn release_names(
    shard: &Shard,
    dirs: &LogDirs,
    feeds: &Feeds,
    names: &[String],
) -> io::Result<()> {
    let (topics, paths) = feeds.left_names(names).await;
    for path in paths {
        checkpoints::forget_gone(shard, dirs, &path).await.map_err(checkpoints::untold(&path))?;
        feeds.forgotten(&topics, &path);
    }
    checkpoints::release_names(shard, dirs, names).await
}

/// Tells the controller which log directories take no new replicas now.
pub async fn tell_cordoned(shard: &Shard, feeds: &Feeds) {
    // Until there is one, a start tells it.
    let Some(controller) = shard.control.controller() else { return };
    let broker_id = shard.config.node_id;
    let image = controller.image();
    let Some(broker) = image.broker(broker_id) else { return };
    let runtime = feeds.runtime();
    let directories = shard.data.storage.directory_ids(|dir| runtime.storage.is_cordoned(dir));
    let request = ControllerRequest::CordonDirectories(CordonedDirectories {
        broker_id,
        broker_epoch: broker.0.broker_epoch,
        directories,
    });
    match controller.request(request).await.response {
        ControllerResponse::CordonDirectories(Ok(())) => {}
        _ if shard.is_stopping() => {}
        other => tracing::error!(?other, "cordoned.log.dirs cannot be recorded in the metadata"),
    }
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
