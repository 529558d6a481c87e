//! `millstream log check` and `millstream log repair`: what the log directories of a stopped broker
//! hold, what is wrong with it, and cutting it to the good part.
//!
//! Owns: the findings. [`examine`] gathers them with the broker's own examination
//! ([`crate::log::Log::examine`], [`crate::meta::node::MetaNode::load`], the places of `boot`), and
//! reads every batch besides; [`repair`] mends what it can. Lives on: the command's own thread,
//! which holds the directories' locks, as a broker does. Never: runs beside a broker; `check`
//! changes no file, `repair` removes none of a log's bytes.

mod examine;
mod examine_meta;
mod repair;
#[cfg(test)]
mod tests;

use crate::log::LogError;
use examine::{DirExamined, Examined, LogExamined};
use ring::Ring;
use std::{
    cell::Cell,
    path::{Path, PathBuf},
    time::Duration,
};

/// The exit code when something is wrong (check), or something is left that a repair cannot mend
/// (repair). 1: it could not be done; 2: a wrong command line.
pub const WRONG: u8 = 4;

/// How often long work says how far it is.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(2);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    Check,
    Repair,
}

/// Why the directories could not be examined, or not be mended.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    #[error("a broker runs on {dir}: stop it first (kill -TERM and its process id), then type \
        this again", dir = .0.display())]
    Running(PathBuf),
    #[error("{dir} cannot be listed: {source}. Mend it, or leave it out and type the other \
        directories of log.dirs", dir = .dir.display())]
    NoDirectory { dir: PathBuf, source: std::io::Error },
    #[error("{dir} holds nothing of a broker. Type the directories of log.dirs \
        instead", dir = .0.display())]
    Empty(PathBuf),
    #[error("{0}; mend the disk, then type this again: what was done so far stays good")]
    Disk(#[from] LogError),
    #[error(
        "{what}: {source}; mend the disk, then type this again: what was done so far stays good"
    )]
    Io { what: String, source: std::io::Error },
}

/// Who mends the fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    /// `millstream log repair`
    Repair,
    /// The next start, by itself.
    Start,
    /// The operator, in the way that the finding says.
    Operator,
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Finding {
    /// The file, the position where there is one, and what it is.
    what: String,
    todo: String,
    by: By,
}

impl Finding {
    fn operator(what: String, todo: &str) -> Self {
        Self { what, todo: todo.to_owned(), by: By::Operator }
    }
    fn start(what: String, todo: &str) -> Self {
        Self { what, todo: todo.to_owned(), by: By::Start }
    }
}

/// Where the command's words go.
pub struct Out {
    /// Results, a line each.
    pub say: Box<dyn Fn(&str)>,
    /// How far long work is.
    pub progress: Box<dyn Fn(&str)>,
}

/// How far the reading is; says so now and then.
struct Progress<'a> {
    ring: &'a Ring,
    out: &'a Out,
    bytes: Cell<u64>,
    last: Cell<ring::Instant>,
}

impl<'a> Progress<'a> {
    fn new(ring: &'a Ring, out: &'a Out) -> Self {
        Self { ring, out, bytes: Cell::new(0), last: Cell::new(ring.now()) }
    }

    fn add(&self, bytes: u64, at: &Path) {
        self.bytes.set(self.bytes.get() + bytes);
        let now = self.ring.now();
        if now.since(self.last.get()) >= PROGRESS_INTERVAL {
            self.last.set(now);
            let read = self.bytes.get() as f64 / f64::from(1 << 20);
            (self.out.progress)(&format!("{read:.0} MiB read, at {}", at.display()));
        }
    }
}

/// Examines the directories, mends them if that is the task, and says what there is. Whether all is
/// well then.
pub async fn run(
    ring: &Ring,
    task: Task,
    paths: &[PathBuf],
    out: &Out,
) -> Result<bool, CheckError> {
    let progress = Progress::new(ring, out);
    let mut examined = examine::examine(ring, task, paths, &progress).await?;
    let findings = tell(&examined, out);
    let dirs: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    let count = |by: By| findings.iter().filter(|one| one.by == by).count();
    let sum = sum(&examined);
    if findings.is_empty() {
        let end = if task == Task::Check {
            "nothing is wrong"
        } else {
            "nothing is wrong, nothing to do"
        };
        (out.say)(&format!("{sum}: {end}"));
        return Ok(true);
    }
    let (to_repair, to_start, to_operator) =
        (count(By::Repair), count(By::Start), count(By::Operator));
    (out.say)(&format!("{sum}: {} wrong", plural(findings.len(), "thing is", "things are")));
    match task {
        Task::Check => {
            if to_repair > 0 {
                let dirs = dirs.join(" ");
                (out.say)(&format!(
                    "restore the files from a backup if there is one; else `millstream log repair \
                     {dirs}` serves what is left"
                ));
            }
            Ok(false)
        }
        Task::Repair => {
            if to_repair == 0 {
                (out.say)("nothing for a repair to do");
            } else {
                repair::repair(ring, &mut examined, &progress).await?;
            }
            if to_start > 0 {
                let left = plural(to_start, "thing is", "things are");
                (out.say)(&format!("{left} left to the next start, which mends them by itself"));
            }
            if to_operator > 0 {
                let left = plural(to_operator, "thing is", "things are");
                (out.say)(&format!("{left} left that no repair can mend: what to do stands above"));
            }
            Ok(to_operator == 0)
        }
    }
}

fn sum(examined: &Examined) -> String {
    let logs = || examined.dirs.iter().flat_map(|dir| &dir.logs);
    let bytes: u64 = logs().map(|log| log.look.bytes).sum();
    let dirs = plural(examined.dirs.len(), "directory", "directories");
    format!("{dirs}, {}, {bytes} bytes", plural(logs().count(), "log", "logs"))
}

fn plural(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// Says what was found, directory by directory; everything that is wrong.
fn tell(examined: &Examined, out: &Out) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut take = |of: &[Finding]| {
        for finding in of {
            (out.say)(&format!("    WRONG: {}", finding.what));
            (out.say)(&format!("    to do: {}", finding.todo));
        }
        findings.extend_from_slice(of);
    };
    for dir in &examined.dirs {
        (out.say)(&describe(dir));
        take(&dir.findings);
        for note in &dir.notes {
            (out.say)(&format!("  {note}"));
        }
        for log in &dir.logs {
            (out.say)(&format!("  {}", log.describe()));
            for note in &log.notes {
                (out.say)(&format!("    the next start: {note}"));
            }
            take(&log.findings);
        }
    }
    findings
}

fn describe(dir: &DirExamined) -> String {
    let meta = dir.dir.meta();
    let owner = match meta.cluster_id.is_empty() {
        true => "of no known cluster".to_owned(),
        false => format!("node {} of cluster {}", meta.node_id, meta.cluster_id),
    };
    let id = meta.directory_id.as_deref().unwrap_or("none");
    let how = if dir.dir.was_clean() { "closed cleanly" } else { "not closed cleanly" };
    format!("{}: {owner}, directory.id {id}, {how}", dir.dir.path().display())
}

impl LogExamined {
    fn describe(&self) -> String {
        let start = self
            .look
            .segments
            .first()
            .map_or(0, |first| first.base_offset)
            .max(self.start.log_start_offset);
        let end = self.look.segments.last().map_or(start, |last| last.next_offset);
        let known = self.start.recovery_point;
        let by_stream = self.start.replay.last().map(|part| part.to).filter(|to| *to > end);
        let by_stream =
            by_stream.map_or_else(String::new, |to| format!(", to {to} with the commit stream"));
        let segments = plural(self.look.segments.len(), "segment", "segments");
        format!(
            "{}: offsets {start} to {end}{by_stream}, recovery point {known}, {segments}, {} bytes",
            self.name, self.look.bytes
        )
    }
}
