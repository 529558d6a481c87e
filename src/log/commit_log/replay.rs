//! Finding again what a commit stream holds, after a run that did not end in order.
//!
//! Every page of every stream file is looked at for a valid frame. The newest one of an incarnation
//! says from which sequence on frames are needed: those are taken in their order, older ones are
//! leftovers in files that were used again. A write that the crash interrupted is no frame, and was
//! promised to no client. A needed frame that is missing before a valid one is damage; which
//! partitions that touches shows where their offsets have a gap.
//!
//! CommitLog files outlive a replay only when a partition in them could not be opened: then they
//! are kept under another name, with a list of such partitions, and read again at each start until
//! none is left.
//!
//! Frames that a note tells of, and that are found nowhere, are lost: that is said.
//!
//! Lives on the core that boots; what it finds is plain data. Memory is bounded by the tables of
//! the frames.

use super::{
    FILE_PREFIX, Note,
    frame::{self, Entry, Frame, FrameId, PartitionId},
    is_file_name, is_note_name,
};
use crate::log::files::remove_if_there;
use bytes::BytesMut;
use ring::{ALIGNMENT, OpenOptions, Ring};
use rustc_hash::{FxHashMap, FxHashSet};
use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

const CHUNK_BYTES: u64 = 1 << 20;
const KEPT_SUFFIX: &str = ".millstream-kept";
/// Topic id and index of the partitions for which files are kept, a line each.
const KEPT_FOR: &str = "commit-stream-kept-for";
const MAX_LIST_BYTES: usize = 16 << 20;

/// Records of one partition in a stream file: all that it has from one offset to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayPart {
    pub path: Arc<Path>,
    pub position: u64,
    pub length: u32,
    pub from: i64,
    /// Lower than what the batches reach where the partition was cut.
    pub to: i64,
    /// `None`: the file is not a stream's.
    pub frame: Option<FrameMark>,
}

/// The frame that a part lies in. Its file may get another name, and its old name another file,
/// before the part is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameMark {
    position: u64,
    incarnation: u64,
    sequence: u64,
}

impl ReplayPart {
    /// Its batches. Where its file has another name by now that is an error that passes: the
    /// partition is opened again, by the new name.
    pub async fn read(&self, ring: &Ring) -> io::Result<BytesMut> {
        assert!(self.from < self.to, "a part from {} to {} has no records", self.from, self.to);
        let moved = || {
            let path = self.path.display();
            ring::passing(format!("{path}: this part of the commit stream has another place now"))
        };
        let read = async {
            let file = ring.open(&*self.path, OpenOptions::read()).await?;
            if let Some(mark) = self.frame {
                let first = ring.read_exact_at(&file, mark.position, ALIGNMENT).await?;
                if !frame::is_of(&first, mark.incarnation, mark.sequence) {
                    return Err(moved());
                }
            }
            ring.read_exact_at(&file, self.position, self.length as usize).await
        };
        match read.await {
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::UnexpectedEof
                ) =>
            {
                Err(moved())
            }
            other => other,
        }
    }
}

/// What the streams of one log directory hold.
#[derive(Default)]
pub struct Found {
    files: Vec<PathBuf>,
    kept: Vec<PathBuf>,
    notes: Vec<PathBuf>,
    has_list: bool,
    /// In the order of their offsets.
    pub parts: FxHashMap<PartitionId, Vec<ReplayPart>>,
    ids: FxHashSet<PartitionId>,
    /// Needed frames that are missing or damaged.
    pub missing_frames: u64,
    /// Streams that have lost their newest frames.
    pub lost_ends: u64,
    /// Files that end inside a page.
    pub truncated: u64,
}

struct FoundFrame {
    frame: Frame,
    path: Arc<Path>,
    position: u64,
}

/// Reads the streams of a log directory. After a clean shutdown (`clean`) only what was kept before
/// counts, and the rest goes.
pub async fn find(ring: &Ring, dir: &Path, clean: bool) -> io::Result<Found> {
    let mut found = look(ring, dir, clean).await?;
    if clean {
        remove_notes(ring, dir, &std::mem::take(&mut found.notes)).await?;
    }
    if clean && !found.files.is_empty() {
        // A broker has shut down cleanly since they were written, and may have cut records that
        // they would bring back.
        for path in std::mem::take(&mut found.files) {
            tracing::warn!(path = %path.display(), "a commit stream that is older than the last \
                stop cleanly is removed");
            ring.unlink(path).await?;
        }
        ring.sync_dir(dir).await?;
    }
    Ok(found)
}

/// The same, and changes nothing.
pub async fn look(ring: &Ring, dir: &Path, clean: bool) -> io::Result<Found> {
    let mut found = Found::default();
    for entry in ring.read_dir(dir).await?.into_iter().filter(|entry| !entry.is_dir) {
        if is_file_name(&entry.name) {
            found.files.push(dir.join(entry.name));
        } else if entry.name.starts_with(FILE_PREFIX) && entry.name.ends_with(KEPT_SUFFIX) {
            found.kept.push(dir.join(entry.name));
        } else if is_note_name(&entry.name) {
            found.notes.push(dir.join(entry.name));
        } else {
            found.has_list |= entry.name == KEPT_FOR;
        }
    }
    // Earlier runs' first, and the files of one run as they were made.
    found.kept.sort_unstable();
    found.files.sort_unstable();
    let (mut frames, mut wanted) = (Vec::new(), FxHashSet::default());
    if found.has_list {
        let text = ring.read_file(dir.join(KEPT_FOR), MAX_LIST_BYTES).await?;
        wanted = parse_list(&String::from_utf8_lossy(&text));
        read_all(ring, &found.kept, &mut frames).await?;
    }
    let kept = frames.len();
    if !clean {
        found.truncated = read_all(ring, &found.files, &mut frames).await?;
        if found.notes.is_empty() && frames.len() > kept {
            tracing::info!(
                dir = %dir.display(),
                "the commit stream has no note of its use: how far it went is known from its \
                 frames alone"
            );
        }
        found.compare_with_notes(ring, &frames).await?;
    }
    found.take(frames, kept, &wanted);
    found.ids = found.parts.keys().copied().collect();
    if found.missing_frames > 0 {
        tracing::error!(
            dir = %dir.display(), frames = found.missing_frames,
            "the commit stream is damaged: frames are missing before valid ones. The disk has \
             lost what it had promised to \
             keep; partitions that this leaves with a gap stay offline"
        );
    }
    Ok(found)
}

/// Finds the frames of these files; how many of them end inside a page.
async fn read_all(ring: &Ring, paths: &[PathBuf], frames: &mut Vec<FoundFrame>) -> io::Result<u64> {
    let (before, mut truncated) = (frames.len(), 0);
    for path in paths {
        truncated += u64::from(!read_file(ring, path, frames).await?);
    }
    assert!(before <= frames.len(), "{before} frames were known, and now {}", frames.len());
    Ok(truncated)
}

/// Finds every valid frame of a file, and whether that has whole pages, as it was made.
async fn read_file(ring: &Ring, path: &Path, frames: &mut Vec<FoundFrame>) -> io::Result<bool> {
    let file = ring.open(path, OpenOptions::read()).await?;
    let size = ring.size(&file).await?;
    if size == 0 {
        tracing::warn!(
            path = %path.display(),
            "a file of the commit stream is empty: a crash came when it was made, or its \
             acknowledged records are lost"
        );
    }
    let path: Arc<Path> = path.into();
    let page = ALIGNMENT as u64;
    if !size.is_multiple_of(page) {
        tracing::warn!(
            path = %path.display(), size,
            "a file of the commit stream is truncated: it has whole pages of {page} bytes. \
             Records that were acknowledged \
             shortly before the crash may be missing"
        );
    }
    let mut position = 0;
    while position + page <= size {
        let chunk =
            ring.read_exact_at(&file, position, CHUNK_BYTES.min(size - position) as usize).await?;
        let start = position;
        while position + page <= start + chunk.len() as u64 {
            let here = &chunk[(position - start) as usize..];
            let claimed = frame::claimed_bytes(here).filter(|length| *length <= size - position);
            let frame = match claimed {
                Some(length) if length <= here.len() as u64 => {
                    frame::decode(&here[..length as usize])
                }
                Some(length) => {
                    frame::decode(&ring.read_exact_at(&file, position, length as usize).await?)
                }
                None => None,
            };
            match frame {
                Some(frame) => {
                    frames.push(FoundFrame { frame, path: path.clone(), position });
                    position += claimed.expect("it was decoded");
                }
                None => {
                    if claimed.is_some() {
                        tracing::warn!(
                            path = %path.display(), position,
                            "a frame of the commit stream is damaged: the crash came while it was \
                             written, or its records \
                             were acknowledged and are lost"
                        );
                    }
                    position += page;
                }
            }
        }
    }
    Ok(size.is_multiple_of(page))
}

impl Found {
    /// The files of its streams, those that were kept for partitions that could not be opened among
    /// them.
    pub fn files(&self) -> impl Iterator<Item = &PathBuf> {
        self.files.iter().chain(&self.kept)
    }

    /// Whether there are records of this partition.
    pub fn has(&self, id: PartitionId) -> bool {
        self.ids.contains(&id)
    }

    /// Says it where the newest frames of a stream are not there.
    async fn compare_with_notes(&mut self, ring: &Ring, frames: &[FoundFrame]) -> io::Result<()> {
        for path in &self.notes {
            let text = ring.read_file(path, MAX_LIST_BYTES).await?;
            let Some(note) = Note::parse(&String::from_utf8_lossy(&text)) else {
                tracing::warn!(path = %path.display(), "this note of the commit stream's use \
                    cannot be read: it is ignored");
                continue;
            };
            let of_stream =
                frames.iter().filter(|found| found.frame.id.incarnation == note.incarnation);
            let newest = of_stream.map(|found| found.frame.id.sequence).max().unwrap_or(0);
            if newest < note.sequence {
                self.lost_ends += 1;
                tracing::error!(
                    path = %path.display(), newest_frame = newest, noted_frame = note.sequence,
                    "the commit stream has lost frames that were on the disk: records may be \
                     missing that were acknowledged \
                     shortly before the crash. Which partitions they belong to is not known; if \
                     you can, restore the \
                     commit-stream files of this directory from a backup and start again from the \
                     state before this start"
                );
            }
        }
        Ok(())
    }

    /// Takes the needed frames of each incarnation, in their order. The first `kept` of `frames`
    /// are of files that were kept for the `wanted` partitions alone. A stop in the midst of that
    /// leaves an incarnation with files of both kinds: it is one all the same.
    fn take(&mut self, frames: Vec<FoundFrame>, kept: usize, wanted: &FxHashSet<PartitionId>) {
        assert!(kept <= frames.len(), "{kept} frames were kept, of {}", frames.len());
        let mut numbers: FxHashMap<u64, usize> = FxHashMap::default();
        let mut incarnations: Vec<(bool, BTreeMap<u64, FoundFrame>)> = Vec::new();
        for (at, found) in frames.into_iter().enumerate() {
            let id = found.frame.id;
            let number = *numbers.entry(id.incarnation).or_insert(incarnations.len());
            if number == incarnations.len() {
                incarnations.push((at < kept, BTreeMap::new()));
            }
            incarnations[number].1.insert(id.sequence, found);
        }
        for (is_kept, frames) in incarnations {
            let newest = frames.last_key_value().expect("it has a frame").1.frame.id;
            let needed = newest.live_from.min(newest.sequence)..=newest.sequence;
            let expected = needed.end() - needed.start() + 1;
            self.missing_frames += expected - frames.range(needed.clone()).count() as u64;
            let mut after_cut = FxHashSet::default();
            let is_wanted = |id: PartitionId| !is_kept || wanted.contains(&id);
            for found in frames.range(needed).map(|(_, found)| found) {
                for (entry, at) in &found.frame.entries {
                    self.take_entry(*entry, found, u64::from(*at), &is_wanted, &mut after_cut);
                }
            }
        }
    }

    fn take_entry(
        &mut self,
        entry: Entry,
        found: &FoundFrame,
        at: u64,
        wanted: &dyn Fn(PartitionId) -> bool,
        after_cut: &mut FxHashSet<PartitionId>,
    ) {
        match entry {
            Entry::Records { id, from, to, length } if wanted(id) => {
                // A cut may leave a hole below it, where a batch began that went with it.
                let from = if after_cut.remove(&id) { i64::MIN } else { from };
                let position = found.position + at;
                let FrameId { incarnation, sequence, .. } = found.frame.id;
                let frame = Some(FrameMark { position: found.position, incarnation, sequence });
                let part =
                    ReplayPart { path: found.path.clone(), position, length, from, to, frame };
                self.parts.entry(id).or_default().push(part);
            }
            Entry::Truncation { id, offset } if wanted(id) => {
                let parts = self.parts.entry(id).or_default();
                parts.retain(|part| part.from < offset);
                for part in parts.iter_mut() {
                    part.to = part.to.min(offset);
                }
                after_cut.insert(id);
            }
            _ => {}
        }
    }
}

/// Before the files that they tell of, durably: a note without its files tells of a loss.
async fn remove_notes(ring: &Ring, dir: &Path, notes: &[PathBuf]) -> io::Result<()> {
    for path in notes {
        remove_if_there(ring, path).await?;
    }
    if notes.is_empty() { Ok(()) } else { ring.sync_dir(dir).await }
}

/// Removes the stream files of a log directory: every partition in them has been opened, and
/// synced.
pub async fn remove(ring: &Ring, dir: &Path, found: &Found) -> io::Result<()> {
    remove_notes(ring, dir, &found.notes).await?;
    let list = found.has_list.then(|| dir.join(KEPT_FOR));
    let paths: Vec<&PathBuf> = list.iter().chain(&found.files).chain(&found.kept).collect();
    for path in &paths {
        ring.unlink(path).await?;
    }
    if paths.is_empty() { Ok(()) } else { ring.sync_dir(dir).await }
}

/// Keeps the stream files for partitions that could not be opened: the next start tries again.
/// After an error it may be called once more. `moved` hears of each file that has another name.
pub async fn set_aside(
    ring: &Ring,
    dir: &Path,
    found: &Found,
    unopened: &[PartitionId],
    moved: &dyn Fn(&Path, PathBuf),
) -> io::Result<()> {
    ring.write_file_atomically(dir.join(KEPT_FOR), format_list(unopened).into()).await?;
    remove_notes(ring, dir, &found.notes).await?;
    let names: FxHashSet<String> =
        ring.read_dir(dir).await?.into_iter().map(|entry| entry.name).collect();
    let has = |path: &Path| {
        path.file_name().and_then(|name| name.to_str()).is_some_and(|name| names.contains(name))
    };
    // Above those that are kept already: they are read in their order.
    let run = found.kept.iter().filter_map(|path| kept_run(path)).max();
    let run = run.map_or(0, |last| last.wrapping_add(1));
    for (number, path) in found.files.iter().enumerate() {
        let to = dir.join(kept_name(run, number));
        if has(path) || !has(&to) {
            ring.rename(path, &to).await?;
        }
        moved(path, to);
    }
    ring.sync_dir(dir).await
}

fn kept_name(run: u64, number: usize) -> String {
    let name = format!("{FILE_PREFIX}{run:016x}-{number}{KEPT_SUFFIX}");
    assert_eq!(kept_run(Path::new(&name)), Some(run), "a name reads back as it was made");
    name
}

/// Which of the runs that kept files has kept this one.
fn kept_run(path: &Path) -> Option<u64> {
    let name = path.file_name()?.to_str()?.strip_prefix(FILE_PREFIX)?;
    u64::from_str_radix(name.split_once('-')?.0, 16).ok()
}

/// Takes the streams out of use: their files get names that no start looks at. What of them the
/// partitions can have, they have. `say` hears of each file.
pub async fn give_up(
    ring: &Ring,
    dir: &Path,
    found: &Found,
    say: &dyn Fn(String),
) -> io::Result<()> {
    remove_notes(ring, dir, &found.notes).await?;
    let list = found.has_list.then(|| dir.join(KEPT_FOR));
    let taken: FxHashSet<String> =
        ring.read_dir(dir).await?.into_iter().map(|entry| entry.name).collect();
    for path in found.files().chain(&list) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let mut free = (0..).map(|number| format!("{name}.aside-{number}"));
        let to = free.find(|to| !taken.contains(to)).expect("numbers do not end");
        ring.rename(path, dir.join(&to)).await?;
        say(format!("{name} is kept as {to}"));
    }
    ring.sync_dir(dir).await
}

fn format_list(ids: &[PartitionId]) -> String {
    let line = |id: &PartitionId| format!("{:032x} {}\n", id.topic_id.as_u128(), id.index);
    let text: String = ids.iter().map(line).collect();
    let read: FxHashSet<PartitionId> = ids.iter().copied().collect();
    assert_eq!(parse_list(&text), read, "the list reads back as it is");
    text
}

fn parse_list(text: &str) -> FxHashSet<PartitionId> {
    let parse = |line: &str| {
        let (topic_id, index) = line.split_once(' ')?;
        let topic_id = protocol::Uuid::from_u128(u128::from_str_radix(topic_id, 16).ok()?);
        Some(PartitionId { topic_id, index: index.parse().ok()? })
    };
    text.lines().filter_map(parse).collect()
}
