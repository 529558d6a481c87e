//! How long a core's turns are, and what took the time of those that were too long.
//!
//! Owns: the counts of one core's turns and the causes of its stalls. Lives on: the core's
//! executor, which tells it what ran when. Never: reads a clock.
//!
//! A turn is measured with the precise clock, as it always was. What ran in it is told apart by the
//! coarse one, which costs a fifth (6 ns here) and moves with the kernel's tick, 1 to 10 ms: in a
//! stall it names the task that ran while the tick came. A task that ran for a moment may be named
//! in its stead, as seldom as the moment is short.

use crate::time::Instant;
use std::{
    cell::{Cell, RefCell},
    fmt,
    time::Duration,
};

/// A turn longer than this keeps everything else on the core waiting: a task computes for too long,
/// or blocks, which no task should.
pub(crate) const STALL: Duration = Duration::from_millis(5);
/// Between two log lines about stalls of one core, where no other interval is asked for.
const SAID_INTERVAL: Duration = Duration::from_secs(10);

/// What ran before the first task of a turn: what came from other cores.
pub(crate) const INBOX: &str = "inbox";
/// What runs between two turns without a wait: the back-end's own work.
pub(crate) const BACKEND: &str = "back-end";
/// Many tasks, none of which ran long.
const NO_SINGLE_TASK: &str = "many tasks";

/// What a core's turns came to since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TurnCounts {
    /// A sleeping core has none.
    pub turns: u64,
    /// Turns of more than 5 ms, and as long times in the back-end without a wait.
    pub stalls: u64,
    pub longest: Duration,
    /// The sum of all turns; the rest of the time the core was in the kernel for I/O, or asleep.
    pub busy: Duration,
}

/// Who keeps a core from its other work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cause {
    /// The name that the task was spawned with, or what runs beside the tasks.
    pub task: &'static str,
    /// The operation in which the task spent most of its time, if it was one that is made at once.
    pub operation: Option<&'static str>,
}

/// The stalls of one cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stalls {
    pub cause: Cause,
    pub count: u64,
    pub longest: Duration,
}

/// What a log line says: this stall, and how many went by unsaid since the line before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Report {
    pub cause: Cause,
    pub length: Duration,
    pub unsaid: u64,
}

#[derive(Clone, Copy, Default)]
struct Longest {
    task: &'static str,
    operation: &'static str,
    length: Duration,
}

/// The turns of one core. Times of `begin`, `ran` and `operation` are the coarse clock's, those of
/// `end` the precise one's.
#[derive(Default)]
pub(crate) struct Turns {
    counts: Cell<TurnCounts>,
    causes: RefCell<Vec<Stalls>>,
    /// Between two log lines; `None`: [`SAID_INTERVAL`].
    said_interval: Cell<Option<Duration>>,
    said: Cell<Option<Instant>>,
    unsaid: Cell<u64>,
    /// The task that runs.
    running: Cell<&'static str>,
    /// When the last thing ended that ran in this turn.
    mark: Cell<Instant>,
    longest_task: Cell<Longest>,
    longest_operation: Cell<Longest>,
}

impl Turns {
    pub(crate) fn counts(&self) -> TurnCounts {
        self.counts.get()
    }

    /// The stalls so far, by cause. There are few causes: names of tasks in the program's text,
    /// times operations.
    pub(crate) fn stalls(&self) -> Vec<Stalls> {
        self.causes.borrow().clone()
    }

    pub(crate) fn say_every(&self, interval: Duration) {
        self.said_interval.set(Some(interval));
    }

    pub(crate) fn begin(&self, coarse_now: Instant) {
        self.mark.set(coarse_now);
        self.running.set(INBOX);
        self.longest_task.take();
        self.longest_operation.take();
    }

    pub(crate) fn runs(&self, task: &'static str) {
        self.running.set(task);
    }

    /// What was said to run has ended, or waits.
    pub(crate) fn ran(&self, coarse_now: Instant) {
        let length = coarse_now.since(self.mark.replace(coarse_now));
        if length > self.longest_task.get().length {
            self.longest_task.set(Longest { task: self.running.get(), operation: "", length });
        }
    }

    /// What runs has spent this long in an operation.
    pub(crate) fn operated(&self, operation: &'static str, length: Duration) {
        if length > self.longest_operation.get().length {
            self.longest_operation.set(Longest { task: self.running.get(), operation, length });
        }
    }

    /// The turn is over. A stall is for the log when none was said lately.
    pub(crate) fn end(&self, start: Instant, end: Instant) -> Option<Report> {
        let length = end.since(start);
        let mut counts = self.counts.get();
        counts.turns += 1;
        counts.busy += length;
        counts.longest = counts.longest.max(length);
        let (busy, longest) = (counts.busy, counts.longest);
        assert!(longest <= busy, "the longest turn took {longest:?}, and all {busy:?}");
        self.counts.set(counts);
        (length > STALL).then(|| self.stalled(self.cause(length), length, end)).flatten()
    }

    /// The back-end worked from `start` to `end` without a wait.
    pub(crate) fn backend_worked(&self, start: Instant, end: Instant) -> Option<Report> {
        let length = end.since(start);
        let cause = Cause { task: BACKEND, operation: None };
        (length > STALL).then(|| self.stalled(cause, length, end)).flatten()
    }

    fn cause(&self, length: Duration) -> Cause {
        let (task, operation) = (self.longest_task.get(), self.longest_operation.get());
        // An operation longer than its task cannot be; one that took the tick took the task's time.
        if operation.length * 2 >= length.min(task.length) && !operation.length.is_zero() {
            return Cause { task: operation.task, operation: Some(operation.operation) };
        }
        let task = if task.length * 2 >= length { task.task } else { NO_SINGLE_TASK };
        Cause { task, operation: None }
    }

    fn stalled(&self, cause: Cause, length: Duration, now: Instant) -> Option<Report> {
        let mut counts = self.counts.get();
        counts.stalls += 1;
        self.counts.set(counts);
        let mut causes = self.causes.borrow_mut();
        match causes.iter_mut().find(|stalls| stalls.cause == cause) {
            Some(stalls) => {
                stalls.count += 1;
                stalls.longest = stalls.longest.max(length);
            }
            None => causes.push(Stalls { cause, count: 1, longest: length }),
        }
        let told: u64 = causes.iter().map(|stalls| stalls.count).sum();
        assert_eq!(told, counts.stalls, "each stall has a cause");
        let unsaid = self.unsaid.get();
        assert!(unsaid < counts.stalls, "{unsaid} of {} stalls were not said", counts.stalls);
        let interval = self.said_interval.get().unwrap_or(SAID_INTERVAL);
        if self.said.get().is_some_and(|said| now.since(said) < interval) {
            self.unsaid.set(unsaid + 1);
            return None;
        }
        self.said.set(Some(now));
        Some(Report { cause, length, unsaid: self.unsaid.take() })
    }
}

impl Report {
    pub(crate) fn say(&self) {
        let thread = std::thread::current();
        tracing::warn!(core = thread.name().unwrap_or("?"), "{self}");
    }
}

/// One sentence for a person: milliseconds with one decimal, and the stalls without a line only
/// where there were some.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Cause { task, operation } = self.cause;
        write!(
            f,
            "the event loop stood still for {:.1} ms in \"{task}\"",
            self.length.as_secs_f64() * 1e3
        )?;
        if let Some(operation) = operation {
            write!(f, ", operation {operation}")?;
        }
        match self.unsaid {
            0 => Ok(()),
            unsaid => write!(f, " ({unsaid} more stalls of this core since the last such line)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Instant {
        Instant(ms * 1_000_000)
    }

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// One turn from `start` to `end`, in which these tasks ended at these times.
    fn turn(turns: &Turns, start: u64, tasks: &[(&'static str, u64)], end: u64) -> Option<Report> {
        turns.begin(at(start));
        for (task, ended) in tasks {
            turns.runs(task);
            turns.ran(at(*ended));
        }
        turns.end(at(start), at(end))
    }

    #[test]
    fn a_short_turn_is_no_stall() {
        let turns = Turns::default();
        assert_eq!(turn(&turns, 10, &[("a", 14)], 15), None);
        assert_eq!(turns.counts(), TurnCounts { turns: 1, stalls: 0, longest: ms(5), busy: ms(5) });
        assert!(turns.stalls().is_empty());
    }

    #[test]
    fn the_task_that_ran_longest_is_named() {
        let turns = Turns::default();
        let report =
            turn(&turns, 0, &[("a", 1), ("b", 9), ("a", 10)], 10).expect("a first stall is said");
        let cause = Cause { task: "b", operation: None };
        assert_eq!(report, Report { cause, length: ms(10), unsaid: 0 });
        turn(&turns, 20, &[("b", 40)], 40);
        assert_eq!(turns.stalls(), [Stalls { cause, count: 2, longest: ms(20) }]);
    }

    #[test]
    fn the_operation_that_took_the_time_is_named_with_its_task() {
        let turns = Turns::default();
        turns.begin(at(0));
        turns.runs("a");
        turns.operated("read_now", ms(1));
        turns.operated("write_now", ms(6));
        turns.ran(at(8));
        turns.runs("b");
        turns.ran(at(8));
        turns.end(at(0), at(8));
        assert_eq!(turns.stalls()[0].cause, Cause { task: "a", operation: Some("write_now") });
    }

    #[test]
    fn what_other_turns_did_is_no_cause_of_this_one() {
        let turns = Turns::default();
        turn(&turns, 0, &[("a", 4)], 4);
        turns.operated("write_now", ms(4));
        turn(&turns, 10, &[("b", 20)], 20);
        assert_eq!(turns.stalls()[0].cause, Cause { task: "b", operation: None });
    }

    #[test]
    fn many_short_tasks_are_nobodys_stall() {
        let turns = Turns::default();
        turn(&turns, 0, &[("a", 2), ("b", 4), ("c", 6), ("d", 8)], 8);
        assert_eq!(turns.stalls()[0].cause, Cause { task: NO_SINGLE_TASK, operation: None });
    }

    #[test]
    fn the_log_hears_of_one_stall_in_ten_seconds_and_how_many_there_were() {
        let turns = Turns::default();
        assert!(turn(&turns, 0, &[("a", 10)], 10).is_some());
        assert!(turn(&turns, 10, &[("a", 20)], 20).is_none());
        assert!(turns.backend_worked(at(20), at(30)).is_none());
        let report = turn(&turns, 10_010, &[("a", 10_020)], 10_020).expect("ten seconds later");
        assert_eq!(report.unsaid, 2);
        assert_eq!(turns.counts().stalls, 4);
    }

    #[test]
    fn a_line_has_short_numbers_and_only_what_there_was() {
        let cause = Cause { task: "commit write", operation: Some("write_now") };
        let report = Report { cause, length: Duration::from_nanos(12_345_678), unsaid: 0 };
        let line =
            "the event loop stood still for 12.3 ms in \"commit write\", operation write_now";
        assert_eq!(report.to_string(), line);
        let report = Report { cause: Cause { operation: None, ..cause }, unsaid: 3, ..report };
        let line = "the event loop stood still for 12.3 ms in \"commit write\" \
                    (3 more stalls of this core since the last such line)";
        assert_eq!(report.to_string(), line);
    }

    #[test]
    fn the_interval_between_lines_can_be_longer() {
        let turns = Turns::default();
        turns.say_every(Duration::from_secs(16));
        assert!(turn(&turns, 0, &[("a", 10)], 10).is_some());
        assert!(turn(&turns, 16_000, &[("a", 16_009)], 16_009).is_none());
        assert!(turn(&turns, 16_010, &[("a", 16_020)], 16_020).is_some());
    }
}
