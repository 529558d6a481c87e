//! The names of one simulated disk: directories as programs see them, as the platter has them, and
//! the journal between.
//!
//! A change (creation, removal, rename) is durable when its directory is synced. Until then a crash
//! may keep any subset of the changes, or a prefix of them, but a rename is kept or lost as a
//! whole: an inode never has two names.

use super::{image::DiskImage, random::Random};
use rustc_hash::FxHashMap;
use std::{
    collections::BTreeMap,
    io,
    path::{Component, Path},
};

const ROOT: u32 = 0;
const MAX_NAME_BYTES: usize = 255;
/// More unsynced changes than this, and the journal commits the older half on its own.
const MAX_PENDING_CHANGES: usize = 4096;

pub(super) fn errno(code: i32) -> io::Error {
    io::Error::from_raw_os_error(code)
}

pub(super) enum Body {
    File(DiskImage),
    Directory(Directory),
}

#[derive(Default)]
pub(super) struct Directory {
    names: BTreeMap<String, u32>,
    durable: BTreeMap<String, u32>,
}

#[derive(Clone, PartialEq, Eq)]
struct Place {
    directory: u32,
    name: String,
}

pub(super) struct Inode {
    pub(super) body: Body,
    /// Open handles.
    pub(super) open: u32,
    /// The handle that holds the lock.
    pub(super) lock: Option<u64>,
    place: Option<Place>,
    durable_place: Option<Place>,
    /// Pending edits that mention this inode.
    pending: u32,
}

impl Inode {
    fn new(body: Body, place: Option<Place>) -> Self {
        Self { body, open: 0, lock: None, place, durable_place: None, pending: 0 }
    }

    /// Whether programs can still reach it, so that it takes space.
    pub(super) fn is_live(&self) -> bool {
        self.place.is_some() || self.open > 0
    }
}

enum Edit {
    Link { place: Place, inode: u32 },
    Unlink { place: Place, inode: u32 },
}

impl Edit {
    fn parts(&self) -> (&Place, u32) {
        match self {
            Edit::Link { place, inode } | Edit::Unlink { place, inode } => (place, *inode),
        }
    }
}

struct Change {
    sequence: u64,
    edits: Vec<Edit>,
}

pub(super) struct Tree {
    inodes: FxHashMap<u32, Inode>,
    next_inode: u32,
    pending: Vec<Change>,
    sequence: u64,
}

fn parts(path: &Path) -> io::Result<Vec<&str>> {
    let mut parts = Vec::with_capacity(4);
    for component in path.components() {
        match component {
            Component::Normal(name) if name.len() > MAX_NAME_BYTES => {
                return Err(errno(libc::ENAMETOOLONG));
            }
            Component::Normal(name) => {
                let name = name.to_str().filter(|name| !name.contains('\0'));
                parts.push(name.ok_or_else(|| errno(libc::EINVAL))?);
            }
            Component::ParentDir => drop(parts.pop()),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    Ok(parts)
}

impl Tree {
    pub(super) fn new() -> Self {
        let root = Inode::new(Body::Directory(Directory::default()), None);
        Self {
            inodes: FxHashMap::from_iter([(ROOT, root)]),
            next_inode: ROOT + 1,
            pending: Vec::new(),
            sequence: 0,
        }
    }

    pub(super) fn inode(&mut self, inode: u32) -> &mut Inode {
        self.inodes.get_mut(&inode).expect("an inode that is named or open exists")
    }

    pub(super) fn image(&mut self, inode: u32) -> &mut DiskImage {
        match &mut self.inode(inode).body {
            Body::File(image) => image,
            Body::Directory(_) => unreachable!("only files are opened"),
        }
    }

    fn directory(&mut self, inode: u32) -> io::Result<&mut Directory> {
        match self.inodes.get_mut(&inode).map(|inode| &mut inode.body) {
            Some(Body::Directory(directory)) => Ok(directory),
            Some(Body::File(_)) => Err(errno(libc::ENOTDIR)),
            None => Err(errno(libc::ENOENT)),
        }
    }

    fn walk(&mut self, parts: &[&str]) -> io::Result<u32> {
        let mut inode = ROOT;
        for &name in parts {
            inode = *self.directory(inode)?.names.get(name).ok_or_else(|| errno(libc::ENOENT))?;
        }
        Ok(inode)
    }

    pub(super) fn resolve(&mut self, path: &Path) -> io::Result<u32> {
        self.walk(&parts(path)?)
    }

    pub(super) fn resolve_directory(&mut self, path: &Path) -> io::Result<u32> {
        let inode = self.resolve(path)?;
        self.directory(inode)?;
        Ok(inode)
    }

    fn resolve_place(&mut self, path: &Path) -> io::Result<Place> {
        let parts = parts(path)?;
        let (name, parents) = parts.split_last().ok_or_else(|| errno(libc::EINVAL))?;
        let directory = self.walk(parents)?;
        self.directory(directory)?;
        Ok(Place { directory, name: (*name).to_owned() })
    }

    /// The names of a directory, with the inode of each.
    pub(super) fn names(&mut self, path: &Path) -> io::Result<Vec<(String, u32)>> {
        let inode = self.resolve(path)?;
        Ok(self
            .directory(inode)?
            .names
            .iter()
            .map(|(name, &inode)| (name.clone(), inode))
            .collect())
    }

    pub(super) fn create_file(&mut self, path: &Path) -> io::Result<u32> {
        let place = self.resolve_place(path)?;
        Ok(self.create(place, Body::File(DiskImage::default())))
    }

    fn create(&mut self, place: Place, body: Body) -> u32 {
        let inode = self.next_inode;
        self.next_inode += 1;
        let directory = self.directory(place.directory).expect("resolved before");
        let former = directory.names.insert(place.name.clone(), inode);
        assert!(former.is_none(), "created over an existing name");
        let before = self.inodes.insert(inode, Inode::new(body, Some(place.clone())));
        assert!(before.is_none(), "inode {inode} is made twice");
        self.push(vec![Edit::Link { place, inode }]);
        inode
    }

    pub(super) fn create_dir_all(&mut self, path: &Path) -> io::Result<()> {
        let mut inode = ROOT;
        for name in parts(path)? {
            inode = match self.directory(inode)?.names.get(name) {
                Some(&existing) => existing,
                None => {
                    let place = Place { directory: inode, name: name.to_owned() };
                    self.create(place, Body::Directory(Directory::default()))
                }
            };
        }
        self.directory(inode).map(drop)
    }

    pub(super) fn remove(&mut self, path: &Path, is_dir: bool) -> io::Result<()> {
        let inode = self.resolve(path)?;
        let place = self.resolve_place(path)?;
        match (&self.inode(inode).body, is_dir) {
            (Body::File(_), true) => return Err(errno(libc::ENOTDIR)),
            (Body::Directory(_), false) => return Err(errno(libc::EISDIR)),
            (Body::Directory(directory), true) if !directory.names.is_empty() => {
                return Err(errno(libc::ENOTEMPTY));
            }
            _ => {}
        }
        let removed = self.directory(place.directory)?.names.remove(&place.name);
        assert_eq!(removed, Some(inode), "the name is that of the inode that was found");
        let before = self.inode(inode).place.take();
        assert!(before.as_ref() == Some(&place), "inode {inode} has another name than was removed");
        self.push(vec![Edit::Unlink { place, inode }]);
        Ok(())
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        if parts(to)?.len() > parts(from)?.len() && parts(to)?.starts_with(&parts(from)?) {
            return Err(errno(libc::EINVAL));
        }
        let inode = self.resolve(from)?;
        let (from, to) = (self.resolve_place(from)?, self.resolve_place(to)?);
        if from == to {
            return Ok(());
        }
        let replaced = self.directory(to.directory)?.names.get(&to.name).copied();
        if let Some(replaced) = replaced {
            let moves_dir = matches!(self.inode(inode).body, Body::Directory(_));
            match &self.inode(replaced).body {
                Body::Directory(_) if !moves_dir => return Err(errno(libc::EISDIR)),
                Body::Directory(directory) if !directory.names.is_empty() => {
                    return Err(errno(libc::ENOTEMPTY));
                }
                Body::File(_) if moves_dir => return Err(errno(libc::ENOTDIR)),
                _ => {
                    let before = self.inode(replaced).place.take();
                    assert!(before.as_ref() == Some(&to), "inode {replaced} has another name");
                }
            }
        }
        let removed = self.directory(from.directory)?.names.remove(&from.name);
        assert_eq!(removed, Some(inode), "the name is that of the inode that was found");
        self.directory(to.directory)?.names.insert(to.name.clone(), inode);
        let before = self.inode(inode).place.replace(to.clone());
        assert!(before.as_ref() == Some(&from), "inode {inode} has another name than was changed");
        self.push(vec![Edit::Unlink { place: from, inode }, Edit::Link { place: to, inode }]);
        Ok(())
    }

    fn push(&mut self, edits: Vec<Edit>) {
        for edit in &edits {
            let (_, inode) = edit.parts();
            self.inode(inode).pending += 1;
        }
        let last = self.pending.last().map_or(0, |change| change.sequence);
        assert!(last <= self.sequence, "change {last} is pending, and {} was", self.sequence);
        self.sequence += 1;
        self.pending.push(Change { sequence: self.sequence, edits });
        if self.pending.len() > MAX_PENDING_CHANGES {
            self.commit_oldest(MAX_PENDING_CHANGES / 2);
        }
    }

    pub(super) fn commit_oldest(&mut self, count: usize) {
        let count = count.min(self.pending.len());
        for change in self.pending.drain(..count).collect::<Vec<_>>() {
            self.commit(change, true);
        }
    }

    /// The newest change so far: what a sync of a directory that begins now covers.
    pub(super) fn newest_change(&self) -> u64 {
        self.sequence
    }

    /// Makes the changes up to `newest` that touch `directory` durable, with the earlier ones that
    /// they build upon.
    pub(super) fn sync(&mut self, directory: u32, newest: u64) {
        let last = self.sequence;
        assert!(newest <= last, "a sync covers change {newest}, and {last} is the last one");
        let mut directories = vec![directory];
        let mut kept = Vec::new();
        let mut chosen = Vec::new();
        for change in std::mem::take(&mut self.pending).into_iter().rev() {
            let touches =
                change.edits.iter().any(|edit| directories.contains(&edit.parts().0.directory));
            if change.sequence <= newest && touches {
                directories.extend(change.edits.iter().map(|edit| edit.parts().0.directory));
                chosen.push(change);
            } else {
                kept.push(change);
            }
        }
        kept.reverse();
        assert!(
            kept.is_sorted_by(|a, b| a.sequence < b.sequence),
            "changes stay in their order in the journal"
        );
        self.pending = kept;
        for change in chosen.into_iter().rev() {
            self.commit(change, true);
        }
    }

    /// Takes a change out of the journal, onto the platter when it `survives`.
    fn commit(&mut self, change: Change, survives: bool) {
        for edit in change.edits {
            let (_, inode) = edit.parts();
            let entry = self.inode(inode);
            assert!(entry.pending > 0, "a change of inode {inode} is committed twice");
            entry.pending -= 1;
            if survives {
                match edit {
                    Edit::Unlink { place, inode } => self.unlink_durable(&place, inode),
                    Edit::Link { place, inode } => self.link_durable(place, inode),
                }
            }
            self.collect(inode);
        }
    }

    fn unlink_durable(&mut self, place: &Place, inode: u32) {
        if let Ok(directory) = self.directory(place.directory)
            && directory.durable.get(&place.name) == Some(&inode)
        {
            directory.durable.remove(&place.name);
            let before = self.inode(inode).durable_place.take();
            assert!(before.as_ref() == Some(place), "inode {inode} has another name on the disk");
        }
    }

    fn link_durable(&mut self, place: Place, inode: u32) {
        if let Some(former) = self.inode(inode).durable_place.take()
            && let Ok(directory) = self.directory(former.directory)
        {
            let removed = directory.durable.remove(&former.name);
            assert_eq!(removed, Some(inode), "the disk has the name of another inode");
        }
        let Ok(directory) = self.directory(place.directory) else { return };
        if let Some(replaced) = directory.durable.insert(place.name.clone(), inode) {
            let before = self.inode(replaced).durable_place.take();
            assert!(
                before.as_ref() == Some(&place),
                "inode {replaced} has another name on the disk"
            );
            self.collect(replaced);
        }
        self.inode(inode).durable_place = Some(place);
    }

    /// Forgets an inode that nothing leads to any more.
    pub(super) fn collect(&mut self, inode: u32) {
        let Some(entry) = self.inodes.get(&inode) else { return };
        if inode != ROOT && !entry.is_live() && entry.durable_place.is_none() && entry.pending == 0
        {
            assert_eq!(entry.lock, None, "inode {inode} is forgotten, and locked");
            self.inodes.remove(&inode);
        }
    }

    /// The process is gone, the kernel is not: nothing is open or locked any more.
    pub(super) fn kill(&mut self) {
        let mut inodes: Vec<u32> = self.inodes.keys().copied().collect();
        inodes.sort_unstable();
        for number in inodes {
            let inode = self.inode(number);
            (inode.open, inode.lock) = (0, None);
            if let Body::File(image) = &mut inode.body {
                image.abandon_flushes();
            }
            self.collect(number);
        }
    }

    /// The power is gone: a subset or a prefix of the journal survives, and of the files whatever
    /// their images keep.
    pub(super) fn crash(&mut self, random: &mut Random) {
        let keep = random.survival();
        let in_order = random.coin();
        let mut cut = false;
        for change in std::mem::take(&mut self.pending) {
            let survives = !cut && random.below(256) < u64::from(keep);
            cut |= in_order && !survives;
            self.commit(change, survives);
        }
        let mut reached = vec![ROOT];
        let mut next = 0;
        while let Some(&number) = reached.get(next) {
            next += 1;
            let inode = self.inode(number);
            (inode.open, inode.lock) = (0, None);
            assert_eq!(inode.pending, 0, "a change of inode {number} outlives the journal");
            let has_name = number == ROOT || inode.durable_place.is_some();
            assert!(has_name, "the disk has a name for inode {number}, which knows of none");
            inode.place = inode.durable_place.clone();
            match &mut inode.body {
                Body::File(image) => image.crash(random),
                Body::Directory(directory) => {
                    directory.names = directory.durable.clone();
                    reached.extend(directory.durable.values());
                }
            }
        }
        reached.sort_unstable();
        assert!(reached.is_sorted_by(|a, b| a < b), "an inode has two names after a crash");
        self.inodes.retain(|number, _| reached.binary_search(number).is_ok());
        assert!(self.inodes.contains_key(&ROOT), "a crash leaves the root");
    }

    /// Pages that all reachable files take.
    pub(super) fn charged_pages(&self) -> u64 {
        let live = self.inodes.values().filter(|inode| inode.is_live());
        live.map(
            |inode| if let Body::File(image) = &inode.body { image.charged_pages() } else { 0 },
        )
        .sum()
    }

    /// The path that a file has now.
    pub(super) fn path(&self, inode: u32) -> Option<String> {
        let mut path = String::new();
        let mut place = self.inodes.get(&inode)?.place.as_ref()?;
        loop {
            path.insert_str(0, &place.name);
            path.insert(0, '/');
            if place.directory == ROOT {
                return Some(path);
            }
            place = self.inodes.get(&place.directory)?.place.as_ref()?;
        }
    }

    /// All files by path, sorted.
    pub(super) fn files(&self) -> Vec<(String, u32)> {
        let files = self.inodes.iter().filter(|(_, inode)| matches!(inode.body, Body::File(_)));
        let mut files: Vec<_> =
            files.filter_map(|(&number, _)| Some((self.path(number)?, number))).collect();
        files.sort_unstable();
        files
    }
}
