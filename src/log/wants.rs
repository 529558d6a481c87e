//! What the logs of one core lack for now, told in one line for all that lack the same: a full disk
//! is one fact, however many partitions lie on it.
//!
//! Owns: the counts by log directory, cause and consequence, and when each was last told. Lives on:
//! every core. Never: says more than one line a second about one of them, or keeps quiet about one
//! that has healed.

use super::{Log, error::remedy};
use ring::Ring;
use std::{
    cell::{Cell, RefCell},
    io,
    path::{Path, PathBuf},
    rc::{Rc, Weak},
    time::Duration,
};

/// Between two lines about the same.
const LINE_INTERVAL: Duration = Duration::from_secs(1);

/// What is told in one line.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Cause {
    /// The log directory.
    dir: PathBuf,
    /// What is so meanwhile.
    what: &'static str,
    error: String,
}

/// Those that lack the same. Pure: it is told of each that comes and goes, and asked each second
/// for a line.
#[derive(Debug)]
struct Lack {
    cause: Cause,
    remedy: &'static str,
    /// One of them.
    example: String,
    /// That lack it now.
    count: usize,
    /// The most since it began.
    most: usize,
    /// As many were told of last.
    told: usize,
    /// For one of them it has come.
    has_healed: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Line {
    Lacks(String),
    Healed(String),
}

impl Lack {
    fn begin(&mut self) {
        self.count += 1;
        self.most = self.most.max(self.count);
        assert!(self.told <= self.most, "{} were told of, {} there were", self.told, self.most);
    }

    fn end(&mut self, is_healed: bool) {
        assert!(self.count > 0, "a want ends that none has: {:?}", self.cause);
        self.count -= 1;
        self.has_healed |= is_healed;
    }

    /// What there is to say since the last line.
    fn line(&mut self) -> Option<Line> {
        assert!(self.count <= self.most, "{} lack it, {} at most", self.count, self.most);
        let Cause { dir, what, error } = &self.cause;
        let (dir, example) = (dir.display(), &self.example);
        if self.count > self.told {
            self.told = self.count;
            let partitions = counted(self.count);
            return Some(Line::Lacks(format!(
                "{dir}: {partitions}, {example} among them: {error}: {what} until this has \
                 passed; {}",
                self.remedy
            )));
        }
        // Those that have failed, or were deleted, have lines of their own.
        if self.count > 0 || !self.has_healed {
            return None;
        }
        self.has_healed = false;
        let partitions = counted(self.most);
        Some(Line::Healed(format!(
            "{dir}: {partitions}, {example} among them: what was missing is there again ({error})"
        )))
    }

    fn is_over(&self) -> bool {
        self.count == 0 && !self.has_healed
    }
}

fn counted(count: usize) -> String {
    format!("{count} {}", if count == 1 { "partition" } else { "partitions" })
}

/// The register of one core.
pub struct Wants {
    ring: Ring,
    lacks: RefCell<Vec<Lack>>,
    /// A task tells of what changes, for as long as anything is lacking.
    is_told: Cell<bool>,
}

/// One partition lacks something, until [`Want::healed`]; dropped, it does not matter any more.
pub struct Want {
    wants: Weak<Wants>,
    cause: Cause,
    is_healed: bool,
}

impl Wants {
    pub fn new(ring: &Ring) -> Rc<Wants> {
        Rc::new(Wants { ring: ring.clone(), lacks: RefCell::default(), is_told: Cell::new(false) })
    }

    /// The partition in `folder` lacks something that may come, and `what` is so until then.
    pub fn begin(self: &Rc<Self>, folder: &Path, what: &'static str, error: &io::Error) -> Want {
        self.begin_as(folder, what, error.to_string(), remedy(error))
    }

    /// The same with a cause and a remedy in words.
    pub fn begin_as(
        self: &Rc<Self>,
        folder: &Path,
        what: &'static str,
        error: String,
        remedy: &'static str,
    ) -> Want {
        let dir = folder.parent().unwrap_or(folder).to_owned();
        let cause = Cause { dir, what, error };
        let mut lacks = self.lacks.borrow_mut();
        match lacks.iter_mut().find(|lack| lack.cause == cause) {
            Some(lack) => lack.begin(),
            None => {
                let example = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let cause = cause.clone();
                let mut lack =
                    Lack { cause, remedy, example, count: 0, most: 0, told: 0, has_healed: false };
                lack.begin();
                say(&mut lack);
                lacks.push(lack);
            }
        }
        drop(lacks);
        if !self.is_told.replace(true) {
            drop(self.ring.spawn_named("log lines", tell(self.clone())));
        }
        Want { wants: Rc::downgrade(self), cause, is_healed: false }
    }
}

impl Want {
    /// What was missing has come.
    pub fn healed(mut self) {
        self.is_healed = true;
    }
}

impl Drop for Want {
    fn drop(&mut self) {
        let Some(wants) = self.wants.upgrade() else { return };
        let mut lacks = wants.lacks.borrow_mut();
        let lack = lacks.iter_mut().find(|lack| lack.cause == self.cause);
        assert!(lack.is_some(), "a want is counted until it ends: {:?}", self.cause);
        lack.into_iter().for_each(|lack| lack.end(self.is_healed));
    }
}

impl Log {
    /// What it lacks is told with what others lack.
    pub fn tell_wants_to(&self, wants: &Rc<Wants>) {
        let known = self.0.writer.wants.get_or_init(|| wants.clone());
        assert!(Rc::ptr_eq(known, wants), "a log does not change its core");
    }

    /// Has the core's register tell what this log lacks; a log that has none tells it itself.
    pub(super) fn lacks(&self, what: &'static str, error: &io::Error) -> Option<Want> {
        let dir = self.dir();
        if let Some(wants) = self.0.writer.wants.get() {
            return Some(wants.begin(&dir, what, error));
        }
        tracing::error!(dir = %dir.display(), %error, "{what} until this has passed; \
            {}", remedy(error));
        None
    }
}

async fn tell(wants: Rc<Wants>) {
    loop {
        wants.ring.sleep(LINE_INTERVAL).await;
        let mut lacks = wants.lacks.borrow_mut();
        lacks.iter_mut().for_each(say);
        lacks.retain(|lack| !lack.is_over());
        if lacks.is_empty() {
            let was_told = wants.is_told.replace(false);
            assert!(was_told, "one task tells what the logs lack");
            return;
        }
    }
}

fn say(lack: &mut Lack) {
    match lack.line() {
        Some(Line::Lacks(text)) => tracing::error!("{text}"),
        Some(Line::Healed(text)) => tracing::info!("{text}"),
        None => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::tests::on_epoll;

    fn lack() -> Lack {
        let cause = Cause {
            dir: "/data".into(),
            what: "appends are refused",
            error: "No space left".to_owned(),
        };
        let example = "topic-0".to_owned();
        Lack { cause, remedy: "make room", example, count: 0, most: 0, told: 0, has_healed: false }
    }

    /// A thousand partitions on a full disk were a thousand lines, and a thousand when it had room
    /// again.
    #[test]
    fn a_thousand_partitions_are_a_line_or_two() {
        let mut lack = lack();
        lack.begin();
        let text = |count: &str| {
            format!(
                "/data: {count}, topic-0 among them: No space left: appends are refused until \
                 this has passed; make room"
            )
        };
        assert_eq!(lack.line(), Some(Line::Lacks(text("1 partition"))));
        (1..1000).for_each(|_| lack.begin());
        assert_eq!(lack.line(), Some(Line::Lacks(text("1000 partitions"))));
        assert_eq!(lack.line(), None, "nothing has changed");
        (1..1000).for_each(|_| lack.end(true));
        assert_eq!(lack.line(), None, "one lacks it still");
        assert!(!lack.is_over());
        lack.end(false);
        let Some(Line::Healed(healed)) = lack.line() else { panic!("it has healed") };
        assert!(healed.starts_with(
            "/data: 1000 partitions, topic-0 among them: what was missing is there again"
        ));
        assert_eq!(lack.line(), None);
        assert!(lack.is_over());
    }

    /// What is tried once, and again by others later, is no line for each.
    #[test]
    fn what_comes_and_goes_within_a_second_is_one_line() {
        let mut lack = lack();
        lack.begin();
        assert!(lack.line().is_some());
        for _ in 0..10 {
            lack.end(false);
            lack.begin();
            assert_eq!(lack.line(), None);
        }
    }

    #[test]
    fn what_fails_for_good_does_not_heal() {
        let mut lack = lack();
        lack.begin();
        assert!(lack.line().is_some());
        lack.end(false);
        assert_eq!(lack.line(), None);
        assert!(lack.is_over());
    }

    #[test]
    fn causes_and_directories_are_apart_and_forgotten_when_they_are_over() {
        on_epoll(|ring, _| async move {
            let wants = Wants::new(&ring);
            let full = || io::Error::from_raw_os_error(28);
            let begin = |folder: &str, error: &io::Error| {
                wants.begin(Path::new(folder), "appends are refused", error)
            };
            let held = [
                begin("/a/topic-0", &full()),
                begin("/a/topic-1", &full()),
                begin("/b/topic-2", &full()),
                begin("/a/topic-3", &io::Error::from_raw_os_error(24)),
            ];
            let counts = || wants.lacks.borrow().iter().map(|lack| lack.count).collect::<Vec<_>>();
            assert_eq!(counts(), [2, 1, 1]);
            held.into_iter().for_each(Want::healed);
            assert_eq!(counts(), [0, 0, 0]);
            ring.sleep(LINE_INTERVAL + Duration::from_millis(500)).await;
            assert!(wants.lacks.borrow().is_empty() && !wants.is_told.get());
        });
    }
}
