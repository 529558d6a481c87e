//! What is in the directories, and what is wrong with it. Reads everything, changes nothing.
//!
//! Owns: the locks of the directories, as long as the result lives. Lives on the command's thread.

use super::{By, CheckError, Finding, Progress, Task, examine_meta};
use crate::{
    log::{
        CleanupPolicy, Fault, Log, LogConfig, LogDir, LogError, LogStart, LostCheckpoint,
        PartitionDir, PartitionId, TailCache,
        commit_log::{self, Found},
        mend::{self, Known, Plan},
        parse_partition_dir, parse_segment, read_topic_id,
        whole::{self, LogLook},
    },
    meta::{
        METADATA_TOPIC,
        image::{ConfigResourceType, MetadataImage},
        snapshot_file::FORMATTED,
    },
    storage::{
        identity,
        survey::{id_of, survey},
    },
};
use protocol::Uuid;
use ring::Ring;
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    rc::Rc,
};

/// Text files of a log that a start reads: harmed, they are set aside and written anew.
const TEXT_FILES: [&str; 2] = ["partition.metadata", "leader-epoch-checkpoint"];
/// What to do about a file that is there and cannot be read,
pub(super) const MAKE_READABLE: &str = "mend the disk, or the file's owner and mode, then type \
    this again: nothing is mended here \
                                        before";
/// and about what else is wrong beside it.
pub(super) const READ_FIRST: &str = "mend what cannot be read first, then type this again";
/// A compaction was interrupted: a start finishes it before it reads the log.
const SWAP_SUFFIX: &str = ".swap";

pub(super) struct Examined {
    pub dirs: Vec<DirExamined>,
}

pub(super) struct DirExamined {
    pub dir: LogDir,
    pub stream: Found,
    pub logs: Vec<LogExamined>,
    /// Of the directory as a whole.
    pub findings: Vec<Finding>,
    pub notes: Vec<String>,
    /// Partitions whose folders are gone, and how far they went.
    pub gone: Vec<(PathBuf, i64)>,
    /// Not all that it says of its logs could be read: nothing in it is mended.
    pub is_unreadable: bool,
}

pub(super) struct LogExamined {
    /// `TOPIC-PARTITION`
    pub name: String,
    pub topic: String,
    pub partition: i32,
    pub folder: PathBuf,
    pub id: PartitionId,
    pub config: Rc<LogConfig>,
    pub start: LogStart,
    pub look: LogLook,
    pub findings: Vec<Finding>,
    /// What the next start does with it that is no harm.
    pub notes: Vec<String>,
    /// What a repair does; `None`: nothing.
    pub plan: Option<Plan>,
    /// What the commit stream has of it does not follow.
    pub stream_fails: bool,
    /// Not all of it could be read: nothing of it is mended.
    pub is_unreadable: bool,
}

pub(super) async fn examine(
    ring: &Ring,
    task: Task,
    paths: &[PathBuf],
    progress: &Progress<'_>,
) -> Result<Examined, CheckError> {
    let mut seen = BTreeSet::new();
    let (mut dirs, mut looks) = (Vec::new(), Vec::new());
    for path in paths.iter().filter(|path| seen.insert(*path)) {
        let no_directory = |source| CheckError::NoDirectory { dir: path.clone(), source };
        ring.read_dir(path).await.map_err(no_directory)?;
        let look = identity::look_at(ring, path).await;
        if look.meta.is_none() && !look.has_metadata_log && !has_log(ring, path).await {
            return Err(CheckError::Empty(path.clone()));
        }
        dirs.push(open(ring, task, path).await?);
        looks.push(look);
    }
    if let Some(error) = identity::contradiction(&looks) {
        let todo = "do what it says; then start the broker, or type this again";
        dirs[0].findings.push(Finding::operator(error.to_string(), todo));
    }
    let image = examine_meta::examine(ring, &mut dirs, progress).await;
    if let Some(image) = &image {
        place(ring, &mut dirs, image).await;
    }
    take_parts(&mut dirs);
    for at in 0..dirs.len() {
        examine_dir(ring, &mut dirs[at]).await;
        let found = dirs[at].dir.partitions().to_vec();
        for one in found.into_iter().filter(|one| one.topic != METADATA_TOPIC) {
            let log = prepare(ring, &mut dirs, at, image.as_deref(), one).await;
            let log = examine_log(ring, log, progress).await;
            dirs[at].logs.push(log);
        }
    }
    Ok(Examined { dirs })
}

/// Whether a folder in it is a partition's by more than its name: many programs name folders
/// `WORD-NUMBER`.
async fn has_log(ring: &Ring, path: &Path) -> bool {
    let is_of_log = |name: &str| {
        name.ends_with(".log") || name.ends_with(".index") || name == "partition.metadata"
    };
    // A folder that cannot be listed may be one: the examination says what is wrong with it.
    let Ok(folders) = ring.read_dir(path).await else { return true };
    for folder in
        folders.iter().filter(|folder| folder.is_dir && parse_partition_dir(&folder.name).is_some())
    {
        let files = ring.read_dir(path.join(&folder.name)).await;
        if files.is_ok_and(|files| !files.iter().any(|file| is_of_log(&file.name))) {
            continue;
        }
        return true;
    }
    false
}

async fn open(ring: &Ring, task: Task, path: &Path) -> Result<DirExamined, CheckError> {
    let dir = match LogDir::open_stopped(ring, path, task == Task::Repair).await {
        Err(LogError::Locked { .. }) => return Err(CheckError::Running(path.to_owned())),
        opened => opened?,
    };
    let mut unreadable = dir.unreadable().to_vec();
    let stream = commit_log::look(ring, path, dir.was_clean()).await.unwrap_or_else(|error| {
        unreadable.push(format!(
            "{}: one cannot be read: {error}",
            path.join("commit-stream-*").display()
        ));
        Found::default()
    });
    let is_unreadable = !unreadable.is_empty();
    let findings =
        unreadable.into_iter().map(|what| Finding::operator(what, MAKE_READABLE)).collect();
    let (logs, notes, gone) = (Vec::new(), Vec::new(), Vec::new());
    Ok(DirExamined { dir, stream, logs, findings, notes, gone, is_unreadable })
}

/// What the metadata says of the places of partitions.
async fn place(ring: &Ring, dirs: &mut [DirExamined], image: &MetadataImage) {
    let node_id = dirs.iter().map(|one| one.dir.meta().node_id).max().unwrap_or(-1);
    let open: Vec<&LogDir> = dirs.iter().map(|one| &one.dir).collect();
    let survey = survey(ring, &open, image, node_id).await;
    for (directory, partitions) in survey.away {
        let of = directory.map_or_else(String::new, |id| format!(" (its directory.id is {id})"));
        let what = format!(
            "the directory of these partitions is not among those that were named{of}: {partitions}"
        );
        let todo = "name all of log.dirs; where these are all, mount the directory that is away, \
            or put it back into log.dirs: \
                    until then the partitions are offline";
        dirs[0].findings.push(Finding::operator(what, todo));
    }
    for (partition, why) in survey.offline {
        dirs[0]
            .findings
            .push(Finding::operator(format!("{partition} is offline: {why}"), "as it says"));
    }
    for one in dirs {
        let is_here = |path: &Path| path.parent() == Some(one.dir.path());
        for (folder, offset) in survey.gone.iter().filter(|(folder, _)| is_here(folder)) {
            let what = format!(
                "{} is gone, but its directory's checkpoints know of records up to offset {offset}",
                folder.display()
            );
            let todo =
                format!("restore the folder; a repair begins it anew, empty, at offset {offset}");
            one.findings.push(Finding { what, todo, by: By::Repair });
            one.gone.push((folder.clone(), *offset));
        }
        let left = survey.left.iter().filter(|(path, _)| is_here(path));
        one.notes.extend(
            left.map(|(path, why)| format!("{} stays, and is not served: {why}", path.display())),
        );
        let aside = survey.aside.iter().filter(|path| is_here(path));
        one.notes.extend(aside.map(|path| {
            format!("{} is of a deleted topic: the next start sets it aside", path.display())
        }));
        let seen = one.dir.metadata_seen();
        if image.provenance.offset < seen.offset || seen.went_back {
            let what = format!(
                "{}: the metadata log ends at offset {}, and is or was older than this directory, \
                 or the file is malformed",
                one.dir.path().join("millstream-metadata-seen").display(),
                image.provenance.offset
            );
            let todo = "folders that the metadata does not know stay where they are; once they \
                may go, remove the file";
            one.findings.push(Finding::operator(what, todo));
        }
    }
}

/// Streams of one directory may have records of partitions that were moved to another.
fn take_parts(dirs: &mut [DirExamined]) {
    for one in dirs.iter_mut() {
        let (path, found) = (one.dir.path().to_owned(), &one.stream);
        let files = found.files().count();
        if files > 0 {
            let (files, of) = (super::plural(files, "file", "files"), found.parts.len());
            one.notes.push(format!(
                "commit streams: {files}, with records of {}",
                super::plural(of, "partition", "partitions")
            ));
        }
        let lost = [
            (found.missing_frames, "frames are missing before valid ones"),
            (found.lost_ends, "streams have lost frames that were on the disk"),
            (found.truncated, "files are truncated"),
        ];
        for (count, what) in lost.into_iter().filter(|(count, _)| *count > 0) {
            let what = format!(
                "{}: of the commit streams {count} {what}",
                path.join("commit-stream-*").display()
            );
            let todo = "restore the files; a repair takes what is there into the logs, and keeps \
                the files aside";
            one.findings.push(Finding { what, todo: todo.to_owned(), by: By::Repair });
        }
    }
}

async fn examine_dir(ring: &Ring, one: &mut DirExamined) {
    if one.dir.partitions().is_empty() {
        return;
    }
    // The first broker writes them.
    let has_none_yet = one.dir.is_unused() || is_only_formatted(ring, &one.dir).await;
    let lost = one.dir.lost_checkpoints().iter().filter(|lost| !(has_none_yet && lost.is_missing));
    for LostCheckpoint { path, why, consequence, .. } in lost {
        let what = format!("{}: {why}", path.display());
        let todo = format!(
            "restore the file; a repair and the next start write it anew, and a repair keeps what \
             there is of it aside: {consequence}"
        );
        one.findings.push(Finding { what, todo, by: By::Repair });
    }
}

/// Whether no broker has run here since the directory was formatted: its only folder is that of the
/// metadata, with the snapshot that the format wrote, and neither a segment nor a quorum state.
async fn is_only_formatted(ring: &Ring, dir: &LogDir) -> bool {
    let [PartitionDir { topic, path, .. }] = dir.partitions() else { return false };
    let Ok(files) = ring.read_dir(path).await else { return false };
    topic == METADATA_TOPIC && files.iter().all(|file| file.name == FORMATTED.to_string())
}

/// The facts known of a log before it is read.
async fn prepare(
    ring: &Ring,
    dirs: &mut [DirExamined],
    at: usize,
    image: Option<&MetadataImage>,
    found: PartitionDir,
) -> LogExamined {
    let PartitionDir { topic, partition, path: folder } = found;
    let known = image.and_then(|image| id_of(image, &topic, partition));
    let mut findings = Vec::new();
    let topic_id = match (known, read_topic_id(ring, &folder).await) {
        (Some(id), _) => id.topic_id,
        (None, Ok(id)) => id.unwrap_or(Uuid::ZERO),
        (None, Err(error)) => {
            findings.push(Finding::operator(error.to_string(), "restore the file from a backup"));
            Uuid::ZERO
        }
    };
    let id = PartitionId { topic_id, index: partition };
    let mut start = dirs[at].dir.log_start(&topic, partition);
    // Its folder may have been moved since.
    if let Some(parts) = dirs.iter().find_map(|one| one.stream.parts.get(&id)) {
        start = LogStart { clean: false, state: None, replay: parts.clone(), ..start };
    }
    let policy = image.and_then(|image| {
        image.configs_of(ConfigResourceType::Topic, &topic).get("cleanup.policy").cloned()
    });
    let policy = policy
        .unwrap_or_else(|| if topic.starts_with("__") { "compact" } else { "delete" }.to_owned());
    let cleanup_policy =
        CleanupPolicy { delete: policy.contains("delete"), compact: policy.contains("compact") };
    let config = LogConfig { cleanup_policy, ..LogConfig::default() }.shared();
    LogExamined {
        name: format!("{topic}-{partition}"),
        topic,
        partition,
        folder,
        id,
        config,
        start,
        look: LogLook::default(),
        findings,
        notes: Vec::new(),
        plan: None,
        stream_fails: false,
        is_unreadable: false,
    }
}

/// The broker's own examination, and every batch besides. For repairs, too: what was found before
/// is forgotten.
pub(super) async fn examine_log(
    ring: &Ring,
    mut log: LogExamined,
    progress: &Progress<'_>,
) -> LogExamined {
    log.plan = None;
    log.findings.retain(|finding| finding.by == By::Operator);
    log.notes.clear();
    let entries = match ring.read_dir(&log.folder).await {
        Ok(entries) => entries,
        Err(error) => {
            log.look = LogLook::unlisted(&error);
            log.judge(Ok(Vec::new()));
            return log;
        }
    };
    if entries.iter().any(|entry| entry.name.ends_with(SWAP_SUFFIX)) {
        log.notes.push(
            "finishes a compaction; type this again afterwards: it was not examined".to_owned(),
        );
        return log;
    }
    log.look = look(ring, &log.folder, log.start.known_end(), progress).await;
    let opened = Log::examine(
        ring,
        log.folder.clone(),
        log.id.topic_id,
        log.config.clone(),
        log.start.clone(),
        TailCache::new(1),
    );
    let opened = opened.await.map(|opening| opening.told());
    log.judge(opened);
    let from = log.start.log_start_offset;
    log.look_beside(ring, from).await;
    log
}

/// Every byte of a log that can be read.
pub(super) async fn look(
    ring: &Ring,
    folder: &Path,
    end_offset: i64,
    progress: &Progress<'_>,
) -> LogLook {
    let look = whole::look(ring, folder, end_offset, &|bytes| progress.add(bytes, folder)).await;
    look.unwrap_or_else(|error| LogLook::unlisted(&error))
}

impl LogExamined {
    /// Puts the broker's verdict and what the batches say together.
    pub fn judge(&mut self, opened: Result<Vec<(bool, String)>, LogError>) {
        let floor = if self.start.clean { i64::MAX } else { self.start.synced_offset() };
        if self.take_unreadable(&opened) {
            return self.judge_the_rest(opened, floor);
        }
        let mut known = Known {
            floor: self.start.synced_offset(),
            log_start: self.start.log_start_offset,
            missing: None,
            compact: self.config.cleanup_policy.compact,
        };
        let (mut faults, mut files) = (Vec::new(), Vec::new());
        let was_opened = opened.is_ok();
        match opened {
            Ok(told) => {
                for (is_harm, text) in told {
                    match is_harm {
                        true => self.findings.push(Finding::start(
                            self.named(&text),
                            "nothing: the next start does it",
                        )),
                        false => self.notes.push(text),
                    }
                }
            }
            Err(error) => self.take_error(error, &mut known, &mut faults, &mut files),
        }
        self.deep_faults(was_opened, floor, &mut faults);
        let needs_cut = faults.iter().any(|(_, is_streams)| !is_streams);
        let mut plan =
            if needs_cut { mend::plan(&self.look, known) } else { Plan::nothing(&self.look) };
        plan.files = files;
        for (what, _) in faults {
            let todo = match (needs_cut, &plan.gone[..]) {
                (true, gone) => format!("restore the file from a backup; a repair {}", cost(gone)),
                (false, _) => {
                    "restore the commit-stream files; a repair takes what follows, and keeps the \
                     rest aside"
                        .to_owned()
                }
            };
            self.findings.push(Finding { what, todo, by: By::Repair });
        }
        self.plan = (needs_cut || !plan.files.is_empty()).then_some(plan);
    }

    /// Each file that cannot be read is a finding of its own. Whether there is one.
    fn take_unreadable(&mut self, opened: &Result<Vec<(bool, String)>, LogError>) -> bool {
        let in_folder = |(name, error): &(String, String)| (self.folder.join(name), error.clone());
        let mut unreadable: Vec<(PathBuf, String)> =
            self.look.unreadable.iter().map(in_folder).collect();
        if let Err(LogError::Io { path, source, .. }) = opened
            && !unreadable.iter().any(|(known, _)| known == path)
        {
            unreadable.push((path.clone(), source.to_string()));
        }
        self.is_unreadable = !unreadable.is_empty();
        self.findings.extend(unreadable.into_iter().map(|(path, error)| {
            Finding::operator(
                format!("{}: it cannot be read: {error}", path.display()),
                MAKE_READABLE,
            )
        }));
        self.is_unreadable
    }

    /// What is wrong beside a file that cannot be read. No repair follows from it: that file may
    /// have what seems to be missing.
    fn judge_the_rest(&mut self, opened: Result<Vec<(bool, String)>, LogError>, floor: i64) {
        let mut wrong = Vec::new();
        match opened {
            Ok(_) | Err(LogError::Io { .. }) => {}
            Err(error) => wrong.push(error.to_string()),
        }
        let mut faults = Vec::new();
        self.deep_faults(false, floor, &mut faults);
        wrong.extend(faults.into_iter().map(|(what, _)| what));
        self.findings.extend(wrong.into_iter().map(|what| Finding::operator(what, READ_FIRST)));
        self.plan = None;
    }

    fn named(&self, text: &str) -> String {
        format!("{}: {text}", self.folder.display())
    }

    /// Faults with whether they are of the commit stream.
    fn take_error(
        &mut self,
        error: LogError,
        known: &mut Known,
        faults: &mut Vec<(String, bool)>,
        files: &mut Vec<String>,
    ) {
        match error {
            LogError::Damaged { path, fault, synced_offset } => {
                let is_streams =
                    matches!(fault, Fault::StreamGap { .. } | Fault::StreamRecords { .. });
                let name = path
                    .file_name()
                    .map(|name| name.to_string_lossy().into_owned())
                    .unwrap_or_default();
                if fault == Fault::Missing {
                    known.missing = parse_segment(&name);
                }
                if is_streams {
                    self.stream_fails = true;
                } else {
                    known.floor = known.floor.max(synced_offset);
                }
                let synced = format!("records up to offset {synced_offset} were synced");
                faults.push((format!("{}: {fault}; {synced}", path.display()), is_streams));
            }
            LogError::BadFile { path, detail }
                if TEXT_FILES.iter().any(|name| path.ends_with(name)) =>
            {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let todo =
                    "restore the file; a repair takes it out of the way, and it is written anew"
                        .to_owned();
                self.findings.push(Finding {
                    what: format!("{}: {detail}", path.display()),
                    todo,
                    by: By::Repair,
                });
                files.push(name);
            }
            other => self.findings.push(Finding::operator(other.to_string(), "as it says")),
        }
    }

    /// What the batches say, where the broker believes them.
    fn deep_faults(&self, was_opened: bool, floor: i64, faults: &mut Vec<(String, bool)>) {
        let segments = &self.look.segments;
        let path = |base: i64| self.folder.join(format!("{base:020}.log")).display().to_string();
        for (at, one) in segments.iter().enumerate() {
            let path = path(one.base_offset);
            let is_said = faults.iter().any(|(what, _)| what.starts_with(&path));
            if let Some(damage) =
                one.damage.as_ref().filter(|_| one.next_offset < floor && !is_said)
            {
                faults.push((format!("{path}: {damage}"), false));
            }
            let Some(next) = segments.get(at + 1) else { continue };
            let may_have_holes = self.config.cleanup_policy.compact || one.is_compacted;
            let has_hole =
                next.base_offset > one.next_offset && !may_have_holes && one.damage.is_none();
            // A start after a crash has looked itself; one after a clean shutdown only warns.
            if was_opened && self.start.clean && has_hole && !is_said {
                let (position, end_offset, expected_offset) =
                    (one.valid_bytes, one.next_offset, next.base_offset);
                faults.push((
                    format!("{path}: {}", Fault::Ends { position, end_offset, expected_offset }),
                    false,
                ));
            }
        }
    }

    /// Indexes, producer snapshots and leader epochs, which need not know of offsets before `from`.
    pub async fn look_beside(&mut self, ring: &Ring, from: i64) {
        let (clean, recovery_point) = (self.start.clean, self.start.recovery_point);
        let trusted_to = if clean { i64::MAX } else { recovery_point };
        let mut wrong: Vec<(String, String)> = Vec::new();
        let segments = &self.look.segments;
        wrong.extend(segments.iter().flat_map(|one| one.indexes.iter().cloned()));
        match whole::look_beside(ring, &self.folder, &self.look, from, trusted_to).await {
            Ok(beside) => {
                wrong.extend(beside.wrong);
                self.findings.extend(beside.unreadable.into_iter().map(|(name, error)| {
                    let path = self.folder.join(name);
                    Finding::operator(
                        format!("{}: it cannot be read: {error}", path.display()),
                        MAKE_READABLE,
                    )
                }));
            }
            // Its folder could be listed a moment ago.
            Err(error) => self.findings.push(Finding::operator(error.to_string(), MAKE_READABLE)),
        }
        if self.is_unreadable {
            let named =
                |(name, what)| format!("{}: {what}", self.folder.join::<String>(name).display());
            let wrong: Vec<Finding> =
                wrong.into_iter().map(|one| Finding::operator(named(one), READ_FIRST)).collect();
            return self.findings.extend(wrong);
        }
        let had_plan = self.plan.is_some();
        let mut plan = self.plan.take().unwrap_or_else(|| Plan::nothing(&self.look));
        for (name, what) in wrong {
            if plan.files.contains(&name) {
                continue;
            }
            let what = format!("{}: {what}", self.folder.join(&name).display());
            let todo = "restore the file; a repair takes it out of the way, and it is built anew"
                .to_owned();
            self.findings.push(Finding { what, todo, by: By::Repair });
            plan.files.push(name);
        }
        if plan.files.iter().any(|name| name == TEXT_FILES[1]) {
            plan.epochs = Some(
                self.look
                    .epochs
                    .iter()
                    .copied()
                    .filter(|(_, start)| *start < plan.log_end)
                    .collect(),
            );
        }
        self.plan = (had_plan || !plan.files.is_empty()).then_some(plan);
    }
}

/// What a cut takes, in words.
pub(super) fn cost(gone: &[(i64, i64)]) -> String {
    let ranges: Vec<String> =
        gone.iter().map(|(from, to)| format!("{from} to {}", to - 1)).collect();
    match ranges.is_empty() {
        true => "loses no records".to_owned(),
        false => format!(
            "gives up offsets {}, and keeps what there is of them aside",
            ranges.join(" and ")
        ),
    }
}
