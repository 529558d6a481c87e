//! Mending what [`super::examine`] has found: logs are cut to their last good point, streams are
//! taken into the logs.
//!
//! Owns: nothing. Lives on the command's thread, which holds the locks. The order is what a kill in
//! the middle of it leaves to the next run: the files of a log first, then what was known of it, so
//! that a log that was not mended to its end still falls short of its known extent.

use super::{
    By, CheckError, Progress,
    examine::{self, DirExamined, Examined, LogExamined},
    examine_meta,
};
use crate::{
    log::{
        Checkpoints, Log, LogConfig, LogDir, LogStart, OffsetEntry, TailCache, commit_log,
        create_dir_durably,
        mend::{Known, Plan, plan},
        whole::LogLook,
    },
    meta::METADATA_TOPIC,
};
use ring::Ring;

/// One mended thing may have hidden another.
const ROUNDS_MAX: usize = 5;

pub(super) async fn repair(
    ring: &Ring,
    examined: &mut Examined,
    progress: &Progress<'_>,
) -> Result<(), CheckError> {
    let partitions = examined.dirs.iter().flat_map(|one| one.dir.partitions());
    let known_partition =
        partitions.filter(|one| one.topic != METADATA_TOPIC).map(|one| one.path.clone()).next();
    for one in &mut examined.dirs {
        let dir = one.dir.path().to_owned();
        if one.is_unreadable {
            say(
                progress,
                &format!("{}: nothing in it is mended before all of it can be read", dir.display()),
            );
            continue;
        }
        // First: mending a log writes them, too.
        if !one.dir.partitions().is_empty() {
            let io = |source| CheckError::Io {
                what: format!("writing the checkpoints of {}", dir.display()),
                source,
            };
            one.dir.renew_checkpoints(&|text| say(progress, text)).await.map_err(io)?;
        }
        for at in 0..one.logs.len() {
            let log = one.logs.remove(at);
            let log = mend_log(ring, &mut one.dir, log, known_partition.clone(), progress).await?;
            one.logs.insert(at, log);
        }
        begin_anew(ring, one, progress).await?;
    }
    mend_streams(ring, examined, progress).await
}

fn say(progress: &Progress<'_>, text: &str) {
    (progress.out.say)(text);
}

/// Until nothing is left that can be mended.
async fn mend_log(
    ring: &Ring,
    dir: &mut LogDir,
    mut log: LogExamined,
    known_partition: Option<std::path::PathBuf>,
    progress: &Progress<'_>,
) -> Result<LogExamined, CheckError> {
    for _ in 0..ROUNDS_MAX {
        let Some(plan) = log.plan.take() else { break };
        execute(ring, dir, &mut log, &plan, progress).await?;
        log = match log.topic == METADATA_TOPIC {
            true => {
                examine_meta::examine_again(ring, dir, log, known_partition.clone(), progress).await
            }
            false => examine::examine_log(ring, log, progress).await,
        };
    }
    Ok(log)
}

async fn execute(
    ring: &Ring,
    dir: &mut LogDir,
    log: &mut LogExamined,
    plan: &Plan,
    progress: &Progress<'_>,
) -> Result<(), CheckError> {
    let (start, end) = (plan.log_start, plan.log_end);
    match plan.truncations() {
        true => say(progress, &format!("{}: {}", log.folder.display(), examine::cost(&plan.gone))),
        false => say(progress, &format!("{}: loses no records", log.folder.display())),
    }
    plan.execute(ring, &log.folder, &|text| say(progress, &format!("  {text}"))).await?;
    dir.forget_states().await?;
    log.start.state = None;
    if plan.truncations() {
        let log_start = log.start.log_start_offset.max(start).min(end);
        let recovery_point = log.start.recovery_point.min(end).max(log_start);
        write_checkpoints(dir, &log.topic, log.partition, recovery_point, log_start, end).await?;
        (log.start.log_start_offset, log.start.recovery_point) = (log_start, recovery_point);
        say(
            progress,
            &format!(
                "  the log holds offsets {log_start} to {end} now, and its next record gets {end}"
            ),
        );
    }
    Ok(())
}

async fn write_checkpoints(
    dir: &LogDir,
    topic: &str,
    partition: i32,
    recovery_point: i64,
    log_start: i64,
    log_end: i64,
) -> Result<(), CheckError> {
    let entry = |offset| vec![OffsetEntry { topic: topic.to_owned(), partition, offset }];
    let mut told = Checkpoints { recovery_points: entry(recovery_point), ..Checkpoints::default() };
    if topic != METADATA_TOPIC || log_start > 0 {
        told.log_starts = entry(log_start);
    }
    if let Some(high_watermark) = dir.high_watermark(topic, partition) {
        told.high_watermarks = entry(high_watermark.min(log_end));
    }
    dir.write_checkpoints(told, |_, _| true).await.map_err(|source| {
        let what = format!("writing the checkpoints of {}", dir.path().display());
        CheckError::Io { what, source }
    })
}

/// The folders of partitions that are gone: each is made, empty, where its log had got to.
async fn begin_anew(
    ring: &Ring,
    one: &mut DirExamined,
    progress: &Progress<'_>,
) -> Result<(), CheckError> {
    for (folder, offset) in std::mem::take(&mut one.gone) {
        let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let Some((topic, partition)) = crate::log::parse_partition_dir(name) else { continue };
        let known = Known { floor: offset, ..Known::default() };
        let plan = plan(&LogLook::default(), known);
        say(progress, &format!("{}: gives up what was there", folder.display()));
        let io = |source| CheckError::Io { what: format!("creating {}", folder.display()), source };
        create_dir_durably(ring, &folder).await.map_err(io)?;
        plan.execute(ring, &folder, &|text| say(progress, &format!("  {text}"))).await?;
        one.dir.forget_states().await?;
        write_checkpoints(&one.dir, topic, partition, offset, offset, offset).await?;
    }
    Ok(())
}

/// Takes what the streams have into the logs, as far as it follows them, and the streams out of
/// use. Where nothing is wrong with the streams they stay: the next start does the same.
async fn mend_streams(
    ring: &Ring,
    examined: &mut Examined,
    progress: &Progress<'_>,
) -> Result<(), CheckError> {
    let logs = || examined.dirs.iter().flat_map(|one| &one.logs);
    let is_lossy = |one: &DirExamined| {
        one.stream.missing_frames + one.stream.lost_ends + one.stream.truncated > 0
    };
    if !logs().any(|log| log.stream_fails) && !examined.dirs.iter().any(is_lossy) {
        return Ok(());
    }
    if logs().any(|log| log.is_unreadable) || examined.dirs.iter().any(|one| one.is_unreadable) {
        say(progress, "the commit streams stay as they are before all can be read");
        return Ok(());
    }
    for one in &mut examined.dirs {
        for log in one.logs.iter_mut().filter(|log| !log.start.replay.is_empty()) {
            if log.findings.iter().any(|finding| finding.by == By::Operator) {
                continue;
            }
            take_in(ring, &one.dir, log, progress).await?;
        }
    }
    for one in &examined.dirs {
        if one.stream.files().count() == 0 && !is_lossy(one) {
            continue;
        }
        let dir = one.dir.path();
        say(progress, &format!("{}: the commit streams go out of use", dir.display()));
        let told = |text| say(progress, &format!("  {text}"));
        commit_log::give_up(ring, dir, &one.stream, &told).await.map_err(|source| {
            CheckError::Io {
                what: format!("setting the commit streams of {} aside", dir.display()),
                source,
            }
        })?;
    }
    Ok(())
}

/// The parts of the stream that follow the end of the log without a gap, one after the other.
async fn take_in(
    ring: &Ring,
    dir: &LogDir,
    log: &LogExamined,
    progress: &Progress<'_>,
) -> Result<(), CheckError> {
    let mut start = LogStart { state: None, clean: false, ..log.start.clone() };
    let last = start.replay.last().map_or(0, |part| part.to);
    let parts = std::mem::take(&mut start.replay);
    let open = |start: LogStart| {
        let (folder, config) = (log.folder.clone(), LogConfig::clone(&log.config).shared());
        Log::open(ring, folder, log.id.topic_id, config, start, TailCache::new(1))
    };
    let opened = open(start.clone()).await?;
    let mut end = opened.log_end_offset();
    drop(opened);
    for part in parts {
        let follows = part.from <= end;
        if part.to <= end {
            continue;
        }
        if !follows {
            break;
        }
        match open(LogStart { replay: vec![part], ..start.clone() }).await {
            Ok(opened) => end = opened.log_end_offset(),
            Err(error) => {
                say(progress, &format!("{}: {error}", log.folder.display()));
                break;
            }
        }
    }
    let given_up = if last > end {
        format!("; gives up offsets {end} to {}", last - 1)
    } else {
        String::new()
    };
    say(
        progress,
        &format!(
            "{}: has what the commit stream had, to offset {end}{given_up}",
            log.folder.display()
        ),
    );
    let recovery_point = start.recovery_point.min(end);
    write_checkpoints(dir, &log.topic, log.partition, recovery_point, start.log_start_offset, end)
        .await
}
