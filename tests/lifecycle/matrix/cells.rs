//! The files that are harmed, and how.

use super::node::{LAST_FEW, Prototype};
use std::{fmt, fs, path::Path};

/// A small frame of the commit stream: the unit that disks write.
const FRAME_BYTES: usize = 4096;

/// How the broker ended before the harm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ending {
    Stopped,
    Killed,
    /// Killed, and what was not synced of the log's own files is gone: the commit stream has it.
    PowerCut,
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Ending::Stopped => "stop",
            Ending::Killed => "kill",
            Ending::PowerCut => "power cut",
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Harm {
    Flip(Place),
    Truncate(Place),
    Empty,
    Delete,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    Beginning,
    Middle,
    End,
}

const PLACES: [Place; 3] = [Place::Beginning, Place::Middle, Place::End];

/// A kind of file, and one of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kind {
    /// As the table calls it.
    pub name: &'static str,
    /// Below the data folder. The prototype says what stands for MIDDLE, LAST and NEWEST.
    path: &'static str,
}

const fn kind(name: &'static str, path: &'static str) -> Kind {
    Kind { name, path }
}

/// In the order of the table.
const KINDS: &[Kind] = &[
    kind("first segment `.log`", "kept-0/00000000000000000000.log"),
    kind("middle segment `.log`", "kept-0/MIDDLE.log"),
    kind("last segment `.log`", "kept-0/LAST.log"),
    kind("`.index` of an older segment", "kept-0/00000000000000000000.index"),
    kind("`.index` of the last segment", "kept-0/LAST.index"),
    kind("`.timeindex` of an older segment", "kept-0/00000000000000000000.timeindex"),
    kind("`.timeindex` of the last segment", "kept-0/LAST.timeindex"),
    kind("newest producer `.snapshot`", "kept-0/NEWEST.snapshot"),
    kind("`leader-epoch-checkpoint`", "kept-0/leader-epoch-checkpoint"),
    kind("`partition.metadata`", "kept-0/partition.metadata"),
    kind("the partition's folder", "kept-0"),
    kind("`recovery-point-offset-checkpoint`", "recovery-point-offset-checkpoint"),
    kind("`log-start-offset-checkpoint`", "log-start-offset-checkpoint"),
    kind("`replication-offset-checkpoint`", "replication-offset-checkpoint"),
    kind("`meta.properties`", "meta.properties"),
    kind("`millstream-metadata-seen`", "millstream-metadata-seen"),
    kind("`.kafka_cleanshutdown`", ".kafka_cleanshutdown"),
    kind("`millstream-recovery-checkpoint.N`", "millstream-recovery-checkpoint.0"),
    kind("metadata log `.log`", "__cluster_metadata-0/00000000000000000000.log"),
    kind("metadata log `.index`", "__cluster_metadata-0/00000000000000000000.index"),
    kind("metadata log `.timeindex`", "__cluster_metadata-0/00000000000000000000.timeindex"),
    kind("metadata log newest `.snapshot`", "__cluster_metadata-0/NEWEST.snapshot"),
    kind("metadata log `leader-epoch-checkpoint`", "__cluster_metadata-0/leader-epoch-checkpoint"),
    kind("metadata log `partition.metadata`", "__cluster_metadata-0/partition.metadata"),
    kind(
        "metadata snapshot `.checkpoint`",
        "__cluster_metadata-0/00000000000000000000-0000000000.checkpoint",
    ),
    kind("metadata `quorum-state`", "__cluster_metadata-0/quorum-state"),
    kind("the metadata log's folder", "__cluster_metadata-0"),
    kind("`bootstrap.checkpoint`", "bootstrap.checkpoint"),
    kind("commit stream", "commit-stream-0-0.millstream"),
    kind("commit stream's note `.in-use`", "commit-stream-0.in-use"),
];

/// The place of a kind in the table.
pub fn place_of(name: &str) -> usize {
    KINDS.iter().position(|kind| kind.name == name).unwrap_or(KINDS.len())
}

#[derive(Clone, Debug)]
pub struct Cell {
    pub kind: Kind,
    pub ending: Ending,
    pub harm: Harm,
    /// The file, below the data folder.
    pub path: String,
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {} after a {}", self.kind.name, self.harm, self.ending)
    }
}

impl fmt::Display for Harm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = |place: &Place| match place {
            Place::Beginning => "beginning",
            Place::Middle => "middle",
            Place::End => "end",
        };
        match self {
            Harm::Flip(at) => write!(f, "flip {}", place(at)),
            Harm::Truncate(at) => write!(f, "truncate {}", place(at)),
            Harm::Empty => f.write_str("empty"),
            Harm::Delete => f.write_str("delete"),
        }
    }
}

/// Every harm of every file that there is. A harm that would change nothing is none.
pub fn of(prototype: &Prototype) -> Vec<Cell> {
    let mut cells = Vec::new();
    for kind in KINDS {
        let path = prototype.path_of(kind.path);
        let full = prototype.data.join(&path);
        let is_stream = kind.name.starts_with("commit stream");
        if !full.exists() || is_stream != (prototype.ending == Ending::PowerCut) {
            continue;
        }
        let size = if full.is_dir() { 0 } else { used_bytes(&full) };
        let mut harms = vec![Harm::Delete];
        if size > 0 {
            harms.push(Harm::Empty);
            harms.extend(PLACES.map(Harm::Flip));
        }
        if size > 2 {
            harms.extend(PLACES.map(Harm::Truncate));
        }
        let ending = prototype.ending;
        harms.retain(|harm| !costs_nothing(kind, *harm));
        cells.extend(harms.into_iter().map(|harm| Cell {
            kind: *kind,
            ending,
            harm,
            path: path.clone(),
        }));
    }
    cells
}

/// The file says the same after it, or the broker does without the file.
fn costs_nothing(kind: &Kind, harm: Harm) -> bool {
    let last_newline =
        kind.path.ends_with("leader-epoch-checkpoint") && harm == Harm::Truncate(Place::End);
    last_newline || (kind.path == "bootstrap.checkpoint" && harm == Harm::Delete)
}

/// Where the frames begin that a recovery needs: each of the last few records has one.
fn first_needed(path: &Path, used: usize) -> usize {
    match is_stream(path) {
        true => (used - 1) / FRAME_BYTES * FRAME_BYTES - (LAST_FEW as usize - 1) * FRAME_BYTES,
        false => 0,
    }
}

fn is_stream(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "millstream")
}

/// Without the zeros at the end, which a file was extended with.
fn used_bytes(path: &Path) -> usize {
    let bytes = fs::read(path).unwrap();
    match is_stream(path) {
        true => bytes.iter().rposition(|byte| *byte != 0).map_or(0, |at| at + 1),
        false => bytes.len(),
    }
}

impl Harm {
    pub fn apply(self, path: &Path) {
        if path.is_dir() {
            return fs::remove_dir_all(path).unwrap();
        }
        let size = used_bytes(path);
        let from = first_needed(path, size.max(1));
        let mut bytes = fs::read(path).unwrap();
        match self {
            Harm::Flip(place) => bytes[place.of(from, size - 1)] ^= 1,
            Harm::Truncate(Place::Beginning) => bytes.truncate(from + 1),
            Harm::Truncate(Place::Middle) => bytes.truncate((from + size) / 2),
            Harm::Truncate(Place::End) => bytes.truncate(size - 1),
            Harm::Empty => bytes.clear(),
            Harm::Delete => return fs::remove_file(path).unwrap(),
        }
        fs::write(path, bytes).unwrap();
    }
}

impl Place {
    fn of(self, first: usize, last: usize) -> usize {
        match self {
            Place::Beginning => first,
            Place::Middle => (first + last) / 2,
            Place::End => last,
        }
    }
}
