//! Where partitions lie: what the log directories hold, put beside what the metadata says, once at
//! each start.
//!
//! Owns: the places of this start's partitions, and what is known of each before it is opened.
//! Lives on: decided on the core that boots, before anything is published; then plain data that
//! every core shares. Never: makes anything in the place of a folder that is away, or sets a folder
//! aside that the metadata may not know yet.
//!
//! The rules:
//! - The metadata records the directory of each partition. A folder that is found elsewhere counts
//!   where it is, and is recorded there.
//! - A partition whose directory is not here is offline. So is one whose folder is gone though
//!   checkpoints knew of records.
//! - A folder is set aside when its topic was deleted: its topic id is not in the metadata, and the
//!   metadata reaches at least as far as when the directory was last in use. An older metadata log
//!   proves nothing.
//! - A folder that was set aside comes back when the metadata has its topic id, and no other
//!   folder.

use crate::{
    limits,
    log::{
        LogDir, LogStart, PartitionId, bring_back, commit_log::ReplayPart, read_topic_id, set_aside,
    },
    meta::{METADATA_TOPIC, image::MetadataImage, topic::directory},
};
use protocol::Uuid;
use ring::Ring;
use rustc_hash::{FxHashMap, FxHashSet};
use std::{
    borrow::Borrow,
    collections::VecDeque,
    path::{Path, PathBuf},
    sync::{Mutex, OnceLock},
};

mod decide;
pub mod identity;
pub mod survey;

pub use decide::is_emptied;
use decide::{Decisions, Facts, Held, Why};
use identity::OfflineDir;

/// Places of partitions: plain data that every core shares.
#[derive(Default)]
pub struct Storage {
    dirs: Vec<(PathBuf, Uuid)>,
    /// Of the folders that were found, what is known before they are opened.
    starts: FxHashMap<PathBuf, LogStart>,
    /// What the commit streams of the last run hold.
    replay: FxHashMap<PartitionId, Vec<ReplayPart>>,
    /// Log directories of the configuration that cannot be used.
    pub offline: Vec<OfflineDir>,
    settled: OnceLock<Settled>,
    /// Partitions that could not be opened. A lock, because it is not yet the time of requests.
    unopened: Mutex<Vec<Unopened>>,
    /// Topics that were deleted in this run and whose files could not be. A lock, because that is
    /// rare.
    undeleted: Mutex<FxHashSet<Uuid>>,
    /// Directories that still have the commit stream of the last run. A lock, because it is not yet
    /// the time of requests.
    old_streams: Mutex<FxHashSet<PathBuf>>,
    /// The names that files of the last run's commit streams have now, by those that they had. A
    /// lock, because a start writes it once, and only partitions that are opened read it.
    moved: Mutex<FxHashMap<PathBuf, PathBuf>>,
}

/// What was decided before the first view was published.
#[derive(Default)]
struct Settled {
    places: FxHashMap<PartitionId, Place>,
    /// By log directory: whether folders may be set aside in it.
    is_proven: FxHashMap<PathBuf, bool>,
    /// Folders that stay where they are, though no partition uses them.
    left: FxHashSet<PathBuf>,
    dirs_with_left: FxHashSet<PathBuf>,
    /// What the broker has to tell the controller: topic id, partition, directory.
    assignments: Vec<(Uuid, i32, Uuid)>,
}

#[derive(Clone, Debug)]
enum Place {
    /// Its folder, which may not be there yet.
    At {
        folder: PathBuf,
        start: LogStart,
    },
    Offline {
        dirs: Vec<PathBuf>,
    },
}

/// A partition that could not be opened.
#[derive(Clone, Debug)]
pub struct Unopened {
    pub id: PartitionId,
    /// The log directories that have folders of it.
    pub dirs: Vec<PathBuf>,
    /// The commit stream has records of it.
    pub has_replay: bool,
    /// It is tried again soon.
    pub for_now: bool,
}

/// What is said of a directory that has lost everything.
pub fn emptied(dir: &Path) -> String {
    format!(
        "has a meta.properties, but none of the partitions that the metadata records in it, and \
         no checkpoints: restore them. \
         To begin these partitions anew, type `printf '0\\n0\\n' > \
         {}/recovery-point-offset-checkpoint`",
        dir.display()
    )
}

impl Storage {
    pub fn new(dirs: &[impl Borrow<LogDir>], offline: Vec<OfflineDir>) -> Storage {
        let dirs = dirs
            .iter()
            .map(Borrow::borrow)
            .map(|dir| (dir.path().to_owned(), dir.directory_id()))
            .collect();
        Storage { dirs, offline, ..Storage::default() }
    }

    /// Adds what a directory knows of its partitions, and what its commit stream has.
    pub fn add(&mut self, dir: &mut LogDir, replay: FxHashMap<PartitionId, Vec<ReplayPart>>) {
        self.replay.extend(replay);
        for found in dir.partitions().to_vec() {
            let start = dir.log_start(&found.topic, found.partition);
            self.starts.insert(found.path, start);
        }
    }

    /// The log directories that are in use.
    pub fn dirs(&self) -> impl Iterator<Item = &Path> {
        self.dirs.iter().map(|(path, _)| path.as_path())
    }

    /// The `directory.id` of those of them that `is_wanted` picks.
    pub fn directory_ids(&self, is_wanted: impl Fn(&Path) -> bool) -> Vec<Uuid> {
        self.dirs.iter().filter(|(path, _)| is_wanted(path)).map(|(_, id)| *id).collect()
    }

    /// Log directories of the configuration that cannot be used, and why.
    pub fn offline_dirs(&self) -> impl Iterator<Item = (&Path, &str)> {
        self.offline.iter().map(|dir| (dir.path.as_path(), dir.why.as_str()))
    }

    pub fn is_in_use(&self, dir: &Path) -> bool {
        self.dirs().any(|path| path == dir)
    }

    /// The folder of a partition, and how to open it; `directory` is the one that the metadata
    /// records. `None`: it is offline, which was said at the start.
    pub fn place(
        &self,
        topic: &str,
        id: PartitionId,
        directory: Uuid,
    ) -> Option<(PathBuf, LogStart)> {
        let known = self.settled.get().and_then(|settled| settled.places.get(&id));
        let (folder, start) = match known {
            Some(Place::At { folder, start }) => (folder.clone(), start.clone()),
            Some(Place::Offline { dirs }) => {
                let has_replay = self.replay.contains_key(&id);
                self.note_unopened(Unopened { id, dirs: dirs.clone(), has_replay, for_now: false });
                return None;
            }
            // Made in this run.
            None => {
                let folder = self.dir_of_new(id, directory).join(format!("{topic}-{}", id.index));
                (folder, LogStart::default())
            }
        };
        Some(match self.replay.get(&id) {
            // A partition of which the streams hold records was not closed cleanly, whatever
            // happened since.
            Some(replay) => {
                let replay = self.as_they_lie(replay);
                (folder, LogStart { clean: false, state: None, replay, ..start })
            }
            None => (folder, start),
        })
    }

    /// The same parts, by the names that their files have now.
    fn as_they_lie(&self, replay: &[ReplayPart]) -> Vec<ReplayPart> {
        let moved = self.moved.lock().expect("no core panics while it holds the list");
        let now = |part: &ReplayPart| {
            let path = moved.get(&*part.path).map_or_else(|| part.path.clone(), |to| (**to).into());
            ReplayPart { path, ..part.clone() }
        };
        replay.iter().map(now).collect()
    }

    /// Takes note that a file of the last run's commit streams has another name now.
    pub fn note_moved(&self, from: &Path, to: PathBuf) {
        let mut moved = self.moved.lock().expect("no core panics while it holds the list");
        moved.insert(from.to_owned(), to);
    }

    /// The log directories whose checkpoints may know a partition: its own, and all of them where
    /// the start has not found out which that is. `directory` is the one that the metadata records.
    pub fn dirs_that_know(&self, id: PartitionId, directory: Option<Uuid>) -> Vec<PathBuf> {
        match self.settled.get().and_then(|settled| settled.places.get(&id)) {
            Some(Place::At { folder, .. }) => {
                folder.parent().map(PathBuf::from).into_iter().collect()
            }
            Some(Place::Offline { .. }) => self.dirs.iter().map(|(path, _)| path.clone()).collect(),
            None => {
                let directory = directory.unwrap_or(directory::UNASSIGNED);
                vec![self.dir_of_new(id, directory).to_owned()]
            }
        }
    }

    /// The log directory of a partition that was made in this run.
    fn dir_of_new(&self, id: PartitionId, directory: Uuid) -> &Path {
        let recorded = self.dirs.iter().position(|(_, known)| *known == directory);
        &self.dirs[recorded.unwrap_or_else(|| decide::spread(id, self.dirs.len()))].0
    }

    /// Takes note that the commit stream of the last run could not be taken out of this directory:
    /// none is made there in this run, which would write over it, and the directory is not marked
    /// as closed cleanly.
    pub fn note_old_stream(&self, dir: &Path) {
        self.old_streams
            .lock()
            .expect("no core panics while it holds the list")
            .insert(dir.to_owned());
    }

    pub fn has_old_stream(&self, dir: &Path) -> bool {
        self.old_streams.lock().expect("no core panics while it holds the list").contains(dir)
    }

    /// Takes note that files of this topic are left, though it was deleted in this run.
    pub fn note_undeleted(&self, topic_id: Uuid) {
        self.undeleted.lock().expect("no core panics while it holds the list").insert(topic_id);
    }

    /// Whether this folder may go, if the metadata does not know its topic: the topic was deleted
    /// in this run, or the metadata is known to reach as far as the content of the folder's log
    /// directory.
    pub fn may_set_aside(&self, folder: &Path, topic_id: Uuid) -> bool {
        if self
            .undeleted
            .lock()
            .expect("no core panics while it holds the list")
            .contains(&topic_id)
        {
            return true;
        }
        let proven = self
            .settled
            .get()
            .zip(folder.parent())
            .and_then(|(settled, dir)| settled.is_proven.get(dir));
        proven.copied().unwrap_or(false)
    }

    /// Takes note that a partition could not be opened: the commit stream that has records of it is
    /// kept, and its directory is not marked as closed cleanly.
    pub fn note_unopened(&self, one: Unopened) {
        let mut unopened = self.unopened.lock().expect("no core panics while it holds the list");
        unopened.retain(|known| known.id != one.id);
        unopened.push(one);
    }

    /// It could be opened after all.
    pub fn note_opened(&self, id: PartitionId) {
        self.unopened
            .lock()
            .expect("no core panics while it holds the list")
            .retain(|known| known.id != id);
    }

    /// Whether this directory has logs that were not opened in this run: what they need after a
    /// crash, they still need.
    pub fn has_unopened(&self, dir: &Path) -> bool {
        let has_left =
            self.settled.get().is_some_and(|settled| settled.dirs_with_left.contains(dir));
        has_left || self.unopened().iter().any(|one| one.dirs.iter().any(|path| path == dir))
    }

    pub fn unopened(&self) -> Vec<Unopened> {
        self.unopened.lock().expect("no core panics while it holds the list").clone()
    }

    /// Whether the checkpoints of a directory go on to say what they said of a partition that says
    /// nothing itself. A folder that is left in one directory keeps nothing in another: what that
    /// knew of a deleted topic there, it would take for knowledge of the next topic of its name.
    pub fn is_kept(&self, dir: &Path, image: &MetadataImage, topic: &str, partition: i32) -> bool {
        let folder = || dir.join(format!("{topic}-{partition}"));
        let is_left = || self.settled.get().is_some_and(|settled| settled.left.contains(&folder()));
        let in_image = || {
            image.topics.by_name(topic).is_some_and(|topic| topic.partition(partition).is_some())
        };
        topic == METADATA_TOPIC || in_image() || is_left()
    }

    /// What the metadata has to be told of the places of partitions.
    pub fn assignments(&self) -> &[(Uuid, i32, Uuid)] {
        self.settled.get().map_or(&[], |settled| &settled.assignments)
    }

    /// Decides where each partition is, and makes it so. `image` is the metadata as the last run
    /// has left it.
    pub async fn settle(&self, ring: &Ring, dirs: &[LogDir], image: &MetadataImage, node_id: i32) {
        let mut facts = Facts::gather(dirs, image, node_id);
        read_topic_ids(ring, &mut facts, image).await;
        let decisions = decide::decide(&facts, image, node_id);
        self.note_metadata(dirs, &facts).await;
        let settled = self.execute(ring, &facts, decisions).await;
        assert!(self.settled.set(settled).is_ok(), "a start settles once");
    }

    async fn note_metadata(&self, dirs: &[LogDir], facts: &Facts) {
        for (dir, known) in dirs.iter().zip(&facts.dirs) {
            if facts.metadata_offset < known.metadata_seen {
                tracing::error!(
                    dir = %known.path.display(),
                    "the metadata log ends at offset {}, but when this directory was last in use \
                     it had got to {}: it is older \
                     than the directory. Folders that it does not know stay where they are; once \
                     they may go, remove \
                     millstream-metadata-seen from the directory",
                    facts.metadata_offset, known.metadata_seen
                );
                if let Err(error) = dir.note_metadata(-1, true).await {
                    tracing::warn!(dir = %known.path.display(), %error, "cannot note that the \
                        metadata log is older");
                }
            }
        }
    }

    async fn execute(&self, ring: &Ring, facts: &Facts, decisions: Decisions) -> Settled {
        let mut settled = Settled { assignments: decisions.assignments, ..Settled::default() };
        settled.is_proven =
            facts.dirs.iter().map(|dir| (dir.path.clone(), facts.is_proven(dir))).collect();
        for path in decisions.aside {
            match set_aside(ring, &path).await {
                Ok(()) => tracing::warn!(
                    path = %path.display(),
                    "this folder is set aside: the metadata knows its topic no more. Remove it \
                     when its records are not needed"
                ),
                Err(error) => {
                    tracing::error!(%error, "a folder whose topic was deleted cannot be set aside")
                }
            }
        }
        let left =
            decisions.left.iter().map(|(folder, why)| (why, folder.path.display().to_string()));
        for (why, folders) in by_reason(left) {
            tracing::error!(
                "folders stay where they are, and are not served: {folders}. Why: {why}"
            );
        }
        for (folder, _) in &decisions.left {
            settled.left.insert(folder.path.clone());
            settled.dirs_with_left.insert(facts.dirs[folder.dir].path.clone());
        }
        for (id, place) in decisions.places {
            let place = match place {
                Held::At(folder) => {
                    let start = self.starts.get(&folder).cloned().unwrap_or_default();
                    Place::At { folder, start }
                }
                Held::Back { stray, folder } => match bring_back(ring, &stray, &folder).await {
                    Ok(()) => {
                        tracing::warn!(
                            folder = %folder.display(), stray = %stray.display(),
                            "a folder that was set aside has its place again: the metadata has \
                             its topic"
                        );
                        // What was known of it is known no more: it is read from its beginning.
                        Place::At { folder, start: LogStart::default() }
                    }
                    Err(error) => {
                        tracing::error!(%error, "a folder that was set aside cannot be brought \
                            back: its partition is offline");
                        Place::Offline {
                            dirs: folder.parent().map(PathBuf::from).into_iter().collect(),
                        }
                    }
                },
                Held::Offline { dirs } => Place::Offline { dirs },
            };
            settled.places.insert(id, place);
        }
        self.say_offline(&decisions.offline);
        settled
    }

    /// One line for each reason, with the partitions that it has taken offline.
    fn say_offline(&self, offline: &[(Why, String)]) {
        for (why, partitions) in
            by_reason(offline.iter().map(|(why, partition)| (why, partition.clone())))
        {
            tracing::error!(
                "partitions are offline, the others are served: {partitions}. {}",
                self.explain(why)
            );
        }
    }

    fn explain(&self, why: &Why) -> String {
        let here = || {
            let dirs = self.dirs.iter().map(|(path, id)| format!("{} is {id}", path.display()));
            dirs.collect::<Vec<_>>().join(", ")
        };
        match why {
            Why::Away(Some(id)) => {
                let at = self.offline.iter().find(|dir| dir.id == Some(*id));
                let at = at.map_or_else(String::new, |dir| {
                    format!(" ({}, which {})", dir.path.display(), dir.why)
                });
                format!(
                    "Their log directory has the directory.id {id}{at}, and none of log.dirs has \
                     it: {}. Mount it, or put it back \
                     into log.dirs, then start the broker again; nothing is made in its place",
                    here()
                )
            }
            Why::Away(None) => format!(
                "They are in none of the log directories ({}), and some that were there before \
                 are not here: put them back into \
                 log.dirs, then start the broker again; nothing is made in their place",
                here()
            ),
            Why::FolderGone(folder, offset) => format!(
                "The folder {} is gone, but the checkpoints of its directory know of records up \
                 to offset {offset}: restore it \
                 from a backup, or delete the topic",
                folder.display()
            ),
            Why::Ambiguous(first, second) => format!(
                "There are two folders of it, {} and {}, and the metadata records neither \
                 directory: move the one away that has \
                 fewer records, then start the broker again",
                first.display(),
                second.display()
            ),
            Why::Emptied(dir) => {
                format!("Their log directory {} {}", dir.display(), emptied(dir))
            }
            Why::Unreadable(folder, error) => {
                format!("{}: {error}. Mend it, then start the broker again", folder.display())
            }
            Why::Unproven(folder) => format!(
                "Its folder {} belongs to another topic, which the metadata does not know, but \
                 may only be too old for: restore \
                 the metadata log, or move the folder away, then start the broker again",
                folder.display()
            ),
        }
    }
}

/// What has the same reason is said in one line, and not all of it where there is much.
fn by_reason<R: std::hash::Hash + Eq>(all: impl Iterator<Item = (R, String)>) -> Vec<(R, String)> {
    let mut by_reason: FxHashMap<R, Vec<String>> = FxHashMap::default();
    for (reason, one) in all {
        by_reason.entry(reason).or_default().push(one);
    }
    let said = by_reason.into_iter().map(|(reason, mut names)| {
        let more = names.len().saturating_sub(limits::NAMED_PARTITIONS_MAX);
        names.truncate(limits::NAMED_PARTITIONS_MAX);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        (reason, names.join(", ") + &more)
    });
    said.collect()
}

/// Reads to which topics the folders belong of which that matters. A few at a time.
async fn read_topic_ids(ring: &Ring, facts: &mut Facts, image: &MetadataImage) {
    let asked = facts.ask(image);
    let mut running = VecDeque::new();
    let mut read = Vec::with_capacity(asked.len());
    for path in asked {
        if running.len() == limits::PARTITION_FILES_AT_ONCE
            && let Some(first) = running.pop_front()
        {
            read.push(first.await);
        }
        let task = ring.clone();
        running.push_back(ring.spawn_named("partition files", async move {
            let id = read_topic_id(&task, &path).await.map_err(|error| error.to_string());
            (path, id)
        }));
    }
    for left in running {
        read.push(left.await);
    }
    facts.topic_ids.extend(read);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seed 20072155: a folder was left in one directory, and the checkpoints of the other went on
    /// to know the records of a deleted topic of its name. The next topic of that name was offline
    /// after a power cut: it had fewer.
    #[test]
    fn a_folder_that_is_left_keeps_the_checkpoints_of_its_own_directory_alone() {
        let left = [PathBuf::from("/b/t-0")].into_iter().collect();
        let storage = Storage {
            settled: Settled { left, ..Settled::default() }.into(),
            ..Storage::default()
        };
        let is_kept = |dir: &str, partition| {
            storage.is_kept(Path::new(dir), &MetadataImage::empty("cluster"), "t", partition)
        };
        assert!(is_kept("/b", 0));
        assert!(!is_kept("/a", 0), "another directory has no such folder");
        assert!(!is_kept("/b", 1));
    }

    #[test]
    fn a_partition_that_is_opened_late_reads_its_stream_by_the_name_that_it_has_then() {
        let id = PartitionId { topic_id: Uuid::from_u128(1), index: 0 };
        let part = |path: &str| ReplayPart {
            path: Path::new(path).into(),
            position: 0,
            length: 10,
            from: 0,
            to: 1,
            frame: None,
        };
        let found = Place::At { folder: "/a/t-0".into(), start: LogStart::default() };
        let places = [(id, found)].into_iter().collect();
        let storage = Storage {
            replay: [(id, vec![part("/a/one"), part("/a/two")])].into_iter().collect(),
            settled: Settled { places, ..Settled::default() }.into(),
            ..Storage::default()
        };
        storage.note_moved(Path::new("/a/two"), "/a/kept".into());
        let (_, start) = storage.place("t", id, Uuid::from_u128(7)).unwrap();
        assert_eq!(start.replay, [part("/a/one"), part("/a/kept")]);
    }

    /// The checkpoints went on to know the records of a topic that was offline when it was deleted,
    /// and took them for those of the next one of its name.
    #[test]
    fn each_directory_may_know_a_partition_that_the_start_has_not_found() {
        let id = |index| PartitionId { topic_id: Uuid::from_u128(1), index };
        let found = Place::At { folder: "/a/t-0".into(), start: LogStart::default() };
        let places = [(id(0), found), (id(1), Place::Offline { dirs: Vec::new() })];
        let settled = Settled { places: places.into_iter().collect(), ..Settled::default() };
        let [a, b] = ["/a", "/b"].map(PathBuf::from);
        let storage = Storage {
            dirs: vec![(a.clone(), Uuid::from_u128(7)), (b.clone(), Uuid::from_u128(8))],
            settled: settled.into(),
            ..Storage::default()
        };
        let recorded = Some(Uuid::from_u128(8));
        assert_eq!(storage.dirs_that_know(id(0), recorded), std::slice::from_ref(&a));
        assert_eq!(storage.dirs_that_know(id(1), recorded), [a, b.clone()]);
        assert_eq!(storage.dirs_that_know(id(2), recorded), [b], "made in this run");
    }
}
