//! What a start would decide about the places of partitions, with nothing carried out: for
//! `millstream log check`.
//!
//! Owns: nothing. Lives on the thread of the command. Never: changes anything, or decides by other
//! rules than a start.

use super::{
    Storage, by_reason, decide,
    decide::{Facts, Why},
    read_topic_ids,
};
use crate::{
    log::{LogDir, PartitionId},
    meta::image::MetadataImage,
};
use protocol::Uuid;
use ring::Ring;
use std::path::PathBuf;

#[derive(Debug, Default)]
pub struct Survey {
    /// By the directory that the metadata records, where it does: partitions that are in none of
    /// these directories.
    pub away: Vec<(Option<Uuid>, String)>,
    /// Partitions that are offline for another reason: `TOPIC-PARTITION` and the reason.
    pub offline: Vec<(String, String)>,
    /// Partitions whose folders are gone: the folder, and how far its records went.
    pub gone: Vec<(PathBuf, i64)>,
    /// Folders that no partition uses, and why.
    pub left: Vec<(PathBuf, &'static str)>,
    /// Folders that the next start sets aside: their topics were deleted.
    pub aside: Vec<PathBuf>,
}

/// Puts what the directories hold beside what the metadata says.
pub async fn survey(ring: &Ring, dirs: &[&LogDir], image: &MetadataImage, node_id: i32) -> Survey {
    let storage = Storage::new(dirs, Vec::new());
    let mut facts = Facts::gather(dirs, image, node_id);
    read_topic_ids(ring, &mut facts, image).await;
    let decisions = decide::decide(&facts, image, node_id);
    let mut survey = Survey { aside: decisions.aside, ..Survey::default() };
    survey.left = decisions.left.into_iter().map(|(folder, why)| (folder.path, why)).collect();
    let mut away = Vec::new();
    for (why, partition) in decisions.offline {
        match why {
            Why::Away(directory) => away.push((directory, partition)),
            Why::FolderGone(folder, offset) => survey.gone.push((folder, offset)),
            why => survey.offline.push((partition, storage.explain(&why))),
        }
    }
    survey.away = by_reason(away.into_iter());
    survey
}

/// The partition of this name, as the metadata has it.
pub fn id_of(image: &MetadataImage, topic: &str, partition: i32) -> Option<PartitionId> {
    let topic = image.topics.by_name(topic)?;
    topic.partition(partition)?;
    Some(PartitionId { topic_id: topic.id, index: partition })
}
