//! The decision where each partition is: facts of the disk and an image of the metadata in, places
//! out. Pure.

use crate::{
    log::{LogDir, PartitionId, StrayDir},
    meta::{METADATA_TOPIC, image::MetadataImage, topic::directory},
};
use protocol::Uuid;
use rustc_hash::{FxHashMap, FxHashSet};
use std::{borrow::Borrow, collections::BTreeSet, path::PathBuf};

/// A log directory that is in use.
#[derive(Clone, Debug, Default)]
pub struct Dir {
    pub path: PathBuf,
    pub id: Uuid,
    /// The last offset of the metadata log when it was last in use; -1: unknown.
    pub metadata_seen: i64,
    /// The metadata log went back since then, some time.
    pub went_back: bool,
    /// It has its identity, and has lost its partitions and checkpoints.
    pub is_emptied: bool,
}

/// A folder `TOPIC-PARTITION`.
#[derive(Clone, Debug, PartialEq)]
pub struct Folder {
    /// Index of its log directory.
    pub dir: usize,
    pub topic: String,
    pub partition: i32,
    pub path: PathBuf,
}

/// A folder that was set aside.
#[derive(Clone, Debug)]
pub struct Stray {
    pub dir: usize,
    /// May be cut short.
    pub topic: String,
    pub partition: i32,
    pub path: PathBuf,
}

#[derive(Debug, Default)]
pub struct Facts {
    pub dirs: Vec<Dir>,
    pub folders: Vec<Folder>,
    pub strays: Vec<Stray>,
    /// What the checkpoints know of partitions that have no folder: how far they reached, by
    /// directory index.
    pub known_offsets: FxHashMap<(usize, PartitionId), i64>,
    /// Of the folders that were asked for: the topic that they belong to. None: they do not say.
    pub topic_ids: FxHashMap<PathBuf, Result<Option<Uuid>, String>>,
    /// The last offset that was replayed.
    pub metadata_offset: i64,
    /// This broker is in the metadata: it is that of its topics.
    pub is_registered: bool,
    /// The directories that the broker last registered.
    pub registered: Vec<Uuid>,
}

/// Where a partition is.
#[derive(Debug, PartialEq)]
pub enum Held {
    /// Its folder, which may have to be made.
    At(PathBuf),
    /// A folder that was set aside takes its name again.
    Back { stray: PathBuf, folder: PathBuf },
    /// The log directories that have folders of it all the same.
    Offline { dirs: Vec<PathBuf> },
}

/// Why a partition is offline.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Why {
    /// Its directory is not here. None: which one it is is not known.
    Away(Option<Uuid>),
    FolderGone(PathBuf, i64),
    Ambiguous(PathBuf, PathBuf),
    Unreadable(PathBuf, String),
    /// Its directory has lost everything.
    Emptied(PathBuf),
    /// Another topic's folder is in its place.
    Unproven(PathBuf),
}

#[derive(Debug, Default)]
pub struct Decisions {
    pub places: Vec<(PartitionId, Held)>,
    /// Of topics that were deleted.
    pub aside: Vec<PathBuf>,
    /// Folders that no partition uses, and why they stay.
    pub left: Vec<(Folder, &'static str)>,
    /// Topic id, partition, and the directory that it is in after all.
    pub assignments: Vec<(Uuid, i32, Uuid)>,
    /// With the partition as `TOPIC-PARTITION`.
    pub offline: Vec<(Why, String)>,
}

/// The directory of a partition for which none was chosen.
pub fn spread(id: PartitionId, dirs: usize) -> usize {
    (id.topic_id.as_u128() as usize).wrapping_add(id.index as usize) % dirs
}

/// Whether a log directory has nothing left but what names it, and had checkpoints. One that has
/// none yet, as on a disk that was full, has lost nothing.
pub fn is_emptied(dir: &LogDir) -> bool {
    !dir.has_checkpoints()
        && dir.strays().is_empty()
        && dir.partitions().iter().all(|one| one.topic == METADATA_TOPIC)
}

impl Facts {
    pub fn gather(dirs: &[impl Borrow<LogDir>], image: &MetadataImage, node_id: i32) -> Facts {
        let dirs: Vec<&LogDir> = dirs.iter().map(Borrow::borrow).collect();
        let broker = image.broker(node_id);
        let mut facts = Facts {
            metadata_offset: image.provenance.offset,
            is_registered: broker.is_some(),
            registered: broker.map(|broker| broker.0.log_dirs.clone()).unwrap_or_default(),
            ..Facts::default()
        };
        for (at, dir) in dirs.iter().enumerate() {
            let (path, id, seen) = (dir.path().to_owned(), dir.directory_id(), dir.metadata_seen());
            let is_emptied = is_emptied(dir);
            facts.dirs.push(Dir {
                path,
                id,
                metadata_seen: seen.offset,
                went_back: seen.went_back,
                is_emptied,
            });
            for found in dir.partitions().iter().filter(|found| found.topic != METADATA_TOPIC) {
                let (topic, path) = (found.topic.clone(), found.path.clone());
                facts.folders.push(Folder { dir: at, topic, partition: found.partition, path });
            }
            let stray = |found: &StrayDir| Stray {
                dir: at,
                topic: found.topic.clone(),
                partition: found.partition,
                path: found.path.clone(),
            };
            facts.strays.extend(dir.strays().iter().map(stray));
        }
        let names: FxHashSet<(&str, i32)> =
            facts.folders.iter().map(|folder| (folder.topic.as_str(), folder.partition)).collect();
        for topic in image.topics.iter() {
            for index in
                topic.partitions.keys().filter(|index| !names.contains(&(&*topic.name, **index)))
            {
                for (at, dir) in dirs.iter().enumerate() {
                    let offset = dir.known_offset(&topic.name, *index);
                    if offset > 0 {
                        let id = PartitionId { topic_id: topic.id, index: *index };
                        facts.known_offsets.insert((at, id), offset);
                    }
                }
            }
        }
        facts
    }

    /// Whether what the metadata does not know of this directory was deleted.
    pub fn is_proven(&self, dir: &Dir) -> bool {
        self.is_registered && !dir.went_back && self.metadata_offset >= dir.metadata_seen
    }

    fn by_name(&self) -> FxHashMap<(&str, i32), Vec<&Folder>> {
        let mut by_name: FxHashMap<(&str, i32), Vec<&Folder>> = FxHashMap::default();
        for folder in &self.folders {
            by_name.entry((&folder.topic, folder.partition)).or_default().push(folder);
        }
        by_name
    }

    /// The folders whose topic has to be read. One folder of a name that is in the metadata is not
    /// among them, unless one was set aside that may have to take its place: opening it shows whose
    /// it is.
    pub fn ask(&self, image: &MetadataImage) -> Vec<PathBuf> {
        let mut asked: Vec<PathBuf> = self.strays.iter().map(|stray| stray.path.clone()).collect();
        for ((topic, index), folders) in self.by_name() {
            let is_known =
                image.topics.by_name(topic).is_some_and(|topic| topic.partition(index).is_some());
            let may_come_back =
                |stray: &Stray| stray.partition == index && topic.starts_with(&stray.topic);
            if !is_known || folders.len() > 1 || self.strays.iter().any(may_come_back) {
                asked.extend(folders.iter().map(|folder| folder.path.clone()));
            }
        }
        asked.sort();
        asked
    }

    fn topic_id(&self, path: &PathBuf) -> Option<&Result<Option<Uuid>, String>> {
        self.topic_ids.get(path)
    }
}

pub fn decide(facts: &Facts, image: &MetadataImage, node_id: i32) -> Decisions {
    let mut decider = Decider {
        facts,
        by_name: facts.by_name(),
        strays: FxHashMap::default(),
        away: BTreeSet::new(),
        decisions: Decisions::default(),
    };
    for stray in &facts.strays {
        if let Some(Ok(Some(topic_id))) = facts.topic_id(&stray.path) {
            let id = PartitionId { topic_id: *topic_id, index: stray.partition };
            decider.strays.entry(id).or_default().push(stray);
        }
    }
    let is_here = |id: &Uuid| facts.dirs.iter().any(|dir| dir.id == *id);
    let recorded = image.topics.iter().flat_map(|topic| topic.partitions.values());
    let recorded = recorded.filter_map(|partition| partition.directory_of(node_id));
    decider.away = recorded
        .chain(facts.registered.iter().copied())
        .filter(|id| !directory::is_reserved(*id) && !is_here(id))
        .collect();
    for topic in image.topics.iter() {
        for (index, partition) in &topic.partitions {
            if let Some(recorded) = partition.directory_of(node_id) {
                decider.place(
                    &topic.name,
                    PartitionId { topic_id: topic.id, index: *index },
                    recorded,
                );
            }
        }
    }
    decider.judge_unused(image);
    decider.decisions
}

struct Decider<'a> {
    facts: &'a Facts,
    by_name: FxHashMap<(&'a str, i32), Vec<&'a Folder>>,
    strays: FxHashMap<PartitionId, Vec<&'a Stray>>,
    /// Directories that the metadata has and that are not here.
    away: BTreeSet<Uuid>,
    decisions: Decisions,
}

impl<'a> Decider<'a> {
    fn place(&mut self, topic: &str, id: PartitionId, recorded: Uuid) {
        let facts = self.facts;
        let named: Vec<&Folder> = self.by_name.get(&(topic, id.index)).cloned().unwrap_or_default();
        let unreadable = named.iter().find_map(|folder| match facts.topic_id(&folder.path) {
            Some(Err(error)) => Some(Why::Unreadable(folder.path.clone(), error.clone())),
            _ => None,
        });
        // One that does not say whose it is takes the id of the partition when it is opened.
        let is_its = |folder: &&&Folder| match facts.topic_id(&folder.path) {
            None | Some(Ok(None)) => true,
            Some(Ok(Some(topic_id))) => *topic_id == id.topic_id,
            Some(Err(_)) => false,
        };
        let its: Vec<&Folder> = named.iter().filter(is_its).copied().collect();
        let in_recorded = its.iter().copied().find(|folder| facts.dirs[folder.dir].id == recorded);
        match (in_recorded, &its[..], unreadable) {
            (Some(folder), ..) => self.found(id, recorded, folder),
            (None, [folder], None) => self.found(id, recorded, folder),
            (None, _, Some(why)) => self.offline(topic, id, why),
            (None, [first, second, ..], None) => {
                self.offline(topic, id, Why::Ambiguous(first.path.clone(), second.path.clone()));
            }
            (None, [], None) => self.without_folder(topic, id, recorded, &named),
        }
    }

    fn found(&mut self, id: PartitionId, recorded: Uuid, folder: &Folder) {
        self.at(id, recorded, folder.dir, Held::At(folder.path.clone()));
        let others = self.by_name.get(&(folder.topic.as_str(), id.index)).into_iter().flatten();
        for other in others.filter(|other| other.path != folder.path) {
            if matches!(self.facts.topic_id(&other.path),
                Some(Ok(Some(topic))) if *topic != id.topic_id)
            {
                // A deleted topic's, maybe: judged with those that no partition uses.
                continue;
            }
            let why = "another folder of the same partition is in the directory that the metadata \
                records";
            self.decisions.left.push(((*other).clone(), why));
        }
    }

    /// `named` are folders of its name that belong to other topics.
    fn without_folder(&mut self, topic: &str, id: PartitionId, recorded: Uuid, named: &[&Folder]) {
        let facts = self.facts;
        let name = format!("{topic}-{}", id.index);
        let in_the_way = |dir: usize| named.iter().find(|folder| folder.dir == dir);
        let blocked = |dir: usize| in_the_way(dir).filter(|_| !facts.is_proven(&facts.dirs[dir]));
        match self.strays.get(&id).map(Vec::as_slice) {
            Some([stray]) => {
                let (stray, dir) = (stray.path.clone(), stray.dir);
                return match blocked(dir) {
                    Some(folder) => self.offline(topic, id, Why::Unproven(folder.path.clone())),
                    None => {
                        let folder = facts.dirs[dir].path.join(name);
                        self.at(id, recorded, dir, Held::Back { stray, folder });
                    }
                };
            }
            Some([first, second, ..]) => {
                let why = Why::Ambiguous(first.path.clone(), second.path.clone());
                return self.offline(topic, id, why);
            }
            _ => {}
        }
        let chosen = facts.dirs.iter().position(|dir| dir.id == recorded);
        let dir = match (chosen, recorded) {
            (Some(dir), _) => dir,
            (None, directory::UNASSIGNED | directory::MIGRATING) => {
                let away = self.away.iter().copied().collect::<Vec<_>>();
                match away[..] {
                    [] => spread(id, facts.dirs.len()),
                    // It can be nowhere else; or which one it is cannot be known.
                    [only] => return self.lost(topic, id, only, Some(only)),
                    _ => return self.lost(topic, id, directory::LOST, None),
                }
            }
            (None, directory::LOST) => return self.offline(topic, id, Why::Away(None)),
            (None, _) => return self.offline(topic, id, Why::Away(Some(recorded))),
        };
        if let Some(folder) = blocked(dir) {
            return self.offline(topic, id, Why::Unproven(folder.path.clone()));
        }
        if chosen.is_some() && facts.dirs[dir].is_emptied {
            return self.offline(topic, id, Why::Emptied(facts.dirs[dir].path.clone()));
        }
        let folder = facts.dirs[dir].path.join(name);
        let known = (0..facts.dirs.len())
            .filter_map(|at| facts.known_offsets.get(&(at, id)).copied())
            .max();
        match known {
            Some(offset) => self.offline(topic, id, Why::FolderGone(folder, offset)),
            None => self.at(id, recorded, dir, Held::At(folder)),
        }
    }

    fn at(&mut self, id: PartitionId, recorded: Uuid, dir: usize, held: Held) {
        let actual = self.facts.dirs[dir].id;
        if actual != recorded {
            self.decisions.assignments.push((id.topic_id, id.index, actual));
        }
        self.decisions.places.push((id, held));
    }

    fn lost(&mut self, topic: &str, id: PartitionId, recorded: Uuid, away: Option<Uuid>) {
        self.decisions.assignments.push((id.topic_id, id.index, recorded));
        self.offline(topic, id, Why::Away(away));
    }

    fn offline(&mut self, topic: &str, id: PartitionId, why: Why) {
        let folders = match &why {
            Why::Away(_) | Why::FolderGone(..) | Why::Emptied(_) => vec![],
            Why::Ambiguous(first, second) => vec![first, second],
            Why::Unreadable(folder, _) | Why::Unproven(folder) => vec![folder],
        };
        let dirs = folders.iter().filter_map(|folder| folder.parent()).map(PathBuf::from).collect();
        self.decisions.offline.push((why, format!("{topic}-{}", id.index)));
        self.decisions.places.push((id, Held::Offline { dirs }));
    }

    /// The folders that belong to no partition of the metadata.
    fn judge_unused(&mut self, image: &MetadataImage) {
        for folder in &self.facts.folders {
            let topic = image.topics.by_name(&folder.topic);
            let partition =
                topic.and_then(|topic| Some((topic.id, topic.partition(folder.partition)?)));
            let why = match (self.facts.topic_id(&folder.path), partition) {
                // Opening it shows whose it is.
                (None, _) => continue,
                (Some(Ok(Some(id))), Some((known, _))) if *id == known => continue,
                (Some(Ok(None)), Some(_)) => continue,
                (Some(Ok(None)), None) => {
                    "it has no partition.metadata, and the metadata knows no partition of its name"
                }
                (Some(Err(_)), _) => "its partition.metadata cannot be read",
                (Some(Ok(Some(id))), _) if image.topics.by_id(*id).is_some() => {
                    "its topic is in the metadata, but this partition of it is not"
                }
                _ if self.facts.is_proven(&self.facts.dirs[folder.dir]) => {
                    self.decisions.aside.push(folder.path.clone());
                    continue;
                }
                _ => "the metadata does not know its topic, but may only be too old for it",
            };
            self.decisions.left.push((folder.clone(), why));
        }
    }
}

#[cfg(test)]
mod tests;
