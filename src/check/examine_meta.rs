//! The metadata log: read to its end as a start reads it, and every batch besides.
//!
//! Owns: nothing. Lives on the command's thread. What is wrong decides whether there are metadata
//! to compare with.

use super::{
    By, Finding, Progress,
    examine::{self, DirExamined, LogExamined, MAKE_READABLE, READ_FIRST, cost},
};
use crate::{
    log::{LogConfig, LogDir, LogStart, PartitionDir, PartitionId, mend::Plan, whole::LogLook},
    meta::{
        METADATA_TOPIC,
        bootstrap::{BOOTSTRAP_FILE_NAME, MAX_BOOTSTRAP_FILE_BYTES},
        controller::Settings,
        image::MetadataImage,
        node::{MetaNode, MetaNodeError, MetaNodeOptions, SnapshotsDue},
        snapshot_file::{self, SnapshotId},
    },
};
use protocol::Uuid;
use ring::Ring;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

const RESTORE_ALL: &str = "restore the folder from a backup: the metadata from their beginning \
    are nowhere else, and a repair \
                           would begin an empty cluster";
const MAX_SNAPSHOT_BYTES: usize = 1 << 30;

/// The metadata, where they can be read.
pub(super) async fn examine(
    ring: &Ring,
    dirs: &mut [DirExamined],
    progress: &Progress<'_>,
) -> Option<Arc<MetadataImage>> {
    let is_metadata = |one: &PartitionDir| one.topic == METADATA_TOPIC && one.partition == 0;
    let Some(at) = dirs.iter().position(|one| one.dir.partitions().iter().any(is_metadata)) else {
        if let Some(one) = dirs.iter_mut().find(|one| one.dir.known_offset(METADATA_TOPIC, 0) > 0) {
            let folder = one.dir.path().join(format!("{METADATA_TOPIC}-0"));
            let what = format!(
                "{}: it is gone, but the checkpoint of its directory knows of it",
                folder.display()
            );
            one.findings.push(Finding::operator(what, RESTORE_ALL));
        }
        let note = "no metadata log in these directories: name that of metadata.log.dir, too, to \
            have all of it checked";
        dirs[0].notes.push(note.to_owned());
        return None;
    };
    let known_partition =
        dirs.iter().flat_map(|one| one.dir.partitions()).find(|one| !is_metadata(one));
    let known_partition = known_partition.map(|one| one.path.clone());
    let options = options(&mut dirs[at].dir, known_partition);
    let folder = options.metadata_dir.join(format!("{METADATA_TOPIC}-0"));
    let log = prepare(ring, folder, options.log_start.clone(), progress).await;
    let (log, image) = examine_log(ring, log, &options).await;
    dirs[at].logs.insert(0, log);
    let path = options.metadata_dir.join(BOOTSTRAP_FILE_NAME);
    if let Ok(bytes) = ring.read_file(&path, MAX_BOOTSTRAP_FILE_BYTES).await
        && let Err(error) =
            snapshot_file::decode(&bytes, SnapshotId { end_offset: 0, epoch: 0 }, "")
    {
        let todo = "nothing: a cluster that has metadata needs it no more";
        dirs[at].findings.push(Finding::start(format!("{}: {error}", path.display()), todo));
    }
    image
}

/// As a start has them; what only its configuration knows does not matter for reading.
fn options(dir: &mut LogDir, known_partition: Option<PathBuf>) -> MetaNodeOptions {
    let settings = Settings {
        node_id: dir.meta().node_id,
        num_partitions: 1,
        default_replication_factor: 1,
        delete_topic_enable: true,
        static_configs: Default::default(),
    };
    MetaNodeOptions {
        reserve: None,
        metadata_dir: dir.path().to_owned(),
        directory_id: dir.directory_id(),
        log_start: dir.log_start(METADATA_TOPIC, 0),
        known_partition,
        log_directories: vec![dir.directory_id()],
        previous_broker_epoch: dir.previous_broker_epoch(),
        cluster_id: dir.meta().cluster_id.clone(),
        endpoints: Vec::new(),
        rack: None,
        settings: Arc::new(settings),
        segment_bytes: LogConfig::default().segment_bytes,
        snapshots_due: SnapshotsDue { after_bytes: u64::MAX, after: Duration::ZERO },
    }
}

async fn prepare(
    ring: &Ring,
    folder: PathBuf,
    start: LogStart,
    progress: &Progress<'_>,
) -> LogExamined {
    let look = examine::look(ring, &folder, i64::MAX, progress).await;
    LogExamined {
        name: format!("{METADATA_TOPIC}-0"),
        topic: METADATA_TOPIC.to_owned(),
        partition: 0,
        id: PartitionId { topic_id: Uuid::METADATA_TOPIC, index: 0 },
        config: LogConfig { synced_in_order: true, ..LogConfig::default() }.shared(),
        folder,
        start,
        look,
        findings: Vec::new(),
        notes: Vec::new(),
        plan: None,
        stream_fails: false,
        is_unreadable: false,
    }
}

/// The same after a repair.
pub(super) async fn examine_again(
    ring: &Ring,
    dir: &mut LogDir,
    log: LogExamined,
    known_partition: Option<PathBuf>,
    progress: &Progress<'_>,
) -> LogExamined {
    let mut options = options(dir, known_partition);
    options.log_start = log.start.clone();
    let log = prepare(ring, log.folder, log.start, progress).await;
    examine_log(ring, log, &options).await.0
}

async fn examine_log(
    ring: &Ring,
    mut log: LogExamined,
    options: &MetaNodeOptions,
) -> (LogExamined, Option<Arc<MetadataImage>>) {
    let snapshots = Snapshots::read(ring, &log.folder).await;
    let mut image = None;
    let mut files = Vec::new();
    match MetaNode::load(ring, options).await {
        Ok(loaded) => {
            image = Some(loaded.image().clone());
            log.judge(Ok(loaded.opening().told()));
        }
        Err(MetaNodeError::Log(error)) => log.judge(Err(error)),
        Err(error) => {
            log.judge(Ok(Vec::new()));
            if let MetaNodeError::QuorumState { path, .. } = &error {
                files.extend(path.file_name().map(|name| name.to_string_lossy().into_owned()));
            } else if !matches!(error, MetaNodeError::Snapshot { .. }) && log.plan.is_none() {
                log.findings
                    .push(Finding::operator(error.to_string(), "restore the folder from a backup"));
            }
            let todo = "restore the file from a backup; a repair takes it out of the way, and the \
                log itself has the epoch";
            let of_file = files.iter().map(|_| Finding {
                what: error.to_string(),
                todo: todo.to_owned(),
                by: By::Repair,
            });
            log.findings.extend(of_file);
        }
    }
    // Below its oldest snapshot the log is given up, and its leader epochs with it. No checkpoint
    // says so.
    let from = log.start.log_start_offset.max(snapshots.oldest_end());
    log.look_beside(ring, from).await;
    snapshots.judge(&mut log, files);
    (log, image)
}

/// The snapshots of a metadata log: those that can be read, and the others.
#[derive(Default)]
struct Snapshots {
    good: Vec<SnapshotId>,
    bad: Vec<(SnapshotId, String)>,
    /// They are there, and cannot be read.
    unreadable: Vec<(String, String)>,
    /// Where the oldest of all ends, whatever is in it.
    oldest_end: i64,
}

impl Snapshots {
    async fn read(ring: &Ring, folder: &Path) -> Snapshots {
        let mut snapshots = Snapshots::default();
        // A folder that cannot be listed is told with its log.
        let entries = ring.read_dir(folder).await.unwrap_or_default();
        let ids: Vec<SnapshotId> =
            entries.into_iter().filter_map(|entry| entry.name.parse().ok()).collect();
        snapshots.oldest_end = ids.iter().map(|id| id.end_offset).min().unwrap_or(0);
        for id in ids {
            let bytes = match ring.read_file(folder.join(id.to_string()), MAX_SNAPSHOT_BYTES).await
            {
                Ok(bytes) => bytes,
                Err(error) => {
                    snapshots.unreadable.push((id.to_string(), error.to_string()));
                    continue;
                }
            };
            match snapshot_file::decode(&bytes, id, "") {
                Ok(_) => snapshots.good.push(id),
                Err(error) => snapshots.bad.push((id, error.to_string())),
            }
        }
        snapshots.good.sort();
        snapshots
    }

    fn oldest_end(&self) -> i64 {
        self.oldest_end
    }

    /// The metadata before this offset are known without the log.
    fn end(&self) -> i64 {
        self.good.last().map_or(0, |newest| newest.end_offset)
    }

    /// What can be given up, and what not: the log must follow a snapshot, or begin at 0.
    fn judge(self, log: &mut LogExamined, files: Vec<String>) {
        for (name, error) in &self.unreadable {
            let path = log.folder.join(name);
            log.findings.push(Finding::operator(
                format!("{}: it cannot be read: {error}", path.display()),
                MAKE_READABLE,
            ));
        }
        if log.is_unreadable || !self.unreadable.is_empty() {
            for (id, error) in &self.bad {
                let what = format!("{}: {error}", log.folder.join(id.to_string()).display());
                log.findings.push(Finding::operator(what, READ_FIRST));
            }
            return leave_to_operator(log, READ_FIRST);
        }
        let end = self.end();
        let (first, last) = ends(&log.look);
        for (id, error) in &self.bad {
            let what = format!("{}: {error}", log.folder.join(id.to_string()).display());
            let (by, todo) = match first <= end && last >= end {
                true => (
                    By::Repair,
                    "a repair takes it out of the way: the log has the same records, or an older \
                     snapshot",
                ),
                false => {
                    (By::Operator, "restore the file from a backup: its records are nowhere else")
                }
            };
            log.findings.push(Finding { what, todo: todo.to_owned(), by });
        }
        let is_mendable = |finding: &Finding| finding.by == By::Repair;
        let bad = self.bad.iter().map(|(id, _)| id.to_string()).chain(files);
        let bad: Vec<String> = bad.filter(|_| log.findings.iter().any(is_mendable)).collect();
        if bad.is_empty() && log.plan.is_none() {
            return;
        }
        let mut plan = log.plan.take().unwrap_or_else(|| Plan::nothing(&log.look));
        if plan.truncations() {
            let others = plan.files.clone();
            if end > 0 && (plan.log_end < end || plan.log_start > end) {
                plan = Plan::give_up(&log.look, end);
                plan.files = others;
            } else if plan.log_start > end || plan.log_end == 0 || plan.begins_anew() {
                // The beginning of the log is gone, and no snapshot has it.
                leave_to_operator(log, RESTORE_ALL);
                return;
            }
            let gone = cost(&plan.gone);
            let what = "topics, configs and registrations of those records are unknown then, and \
                the folders of such topics \
                        stay where they are, not served";
            for finding in log.findings.iter_mut().filter(|finding| finding.by == By::Repair) {
                finding.todo = format!("restore the folder from a backup; a repair {gone}: {what}");
            }
        }
        plan.files.extend(bad);
        log.plan = Some(plan);
    }
}

/// No repair mends it.
fn leave_to_operator(log: &mut LogExamined, todo: &str) {
    for finding in log.findings.iter_mut().filter(|finding| finding.by == By::Repair) {
        finding.by = By::Operator;
        finding.todo = todo.to_owned();
    }
    log.plan = None;
}

fn ends(look: &LogLook) -> (i64, i64) {
    let plan = Plan::nothing(look);
    (plan.log_start, plan.log_end)
}
