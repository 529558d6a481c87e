//! The output while a run goes on: a line each second, and how busy the generator's thread is.
//!
//! Owns: nothing that the run needs. Lives on: the generator's thread. Never: judges; `report.rs`
//! does.

use crate::{
    report::{GeneratorLoad, ms},
    run::Run,
    say,
};
use std::{rc::Rc, time::Duration};

/// What the kernel's scheduler counts for this thread.
#[derive(Clone, Copy)]
struct Scheduled {
    on_processor_ns: u64,
    waited_ns: u64,
}

pub struct ThreadClock {
    began: Option<Scheduled>,
}

impl ThreadClock {
    pub fn start() -> ThreadClock {
        ThreadClock { began: scheduled() }
    }

    /// Shares of `wall`, the time since the start.
    pub fn read(&self, wall: Duration) -> GeneratorLoad {
        let (Some(began), Some(now)) = (self.began, scheduled()) else {
            return GeneratorLoad::default();
        };
        let share = |from: u64, to: u64| {
            Some(to.saturating_sub(from) as f64 / wall.as_nanos().max(1) as f64)
        };
        GeneratorLoad {
            busy: share(began.on_processor_ns, now.on_processor_ns),
            waited: share(began.waited_ns, now.waited_ns),
        }
    }
}

fn scheduled() -> Option<Scheduled> {
    parse_schedstat(&std::fs::read_to_string("/proc/thread-self/schedstat").ok()?)
}

/// Nanoseconds on a processor, nanoseconds runnable without one, and how often.
fn parse_schedstat(text: &str) -> Option<Scheduled> {
    let mut numbers = text.split_whitespace().map(str::parse);
    let mut next = || numbers.next()?.ok();
    Some(Scheduled { on_processor_ns: next()?, waited_ns: next()? })
}

/// Makes the timeline's points until the run is closed, long after the load where it must wait.
pub async fn tick_each_second(run: Rc<Run>) {
    let begin = run.times().measure_from;
    run.ring.sleep_until(begin).await;
    let mut before = run.ring.precise_now();
    run.tallies.borrow_mut().begin_timeline(before);
    for second in 1u32.. {
        let clock = ThreadClock::start();
        run.ring.sleep_until(begin + Duration::from_secs(1) * second).await;
        let now = run.ring.precise_now();
        run.tick(now, clock.read(now.since(before)).busy);
        before = now;
    }
}

/// Prints a line each second until the load is over.
pub async fn print_each_second(run: Rc<Run>) {
    let (mut acknowledged, mut consumed, mut before) = (0, 0, run.times().start);
    for second in 1u32.. {
        run.ring.sleep_until(run.times().start + Duration::from_secs(1) * second).await;
        let now = run.ring.precise_now();
        if now >= run.times().end {
            return;
        }
        let mut tallies = run.tallies.borrow_mut();
        let seconds = now.since(before).as_secs_f64().max(1e-3);
        let per_second = |count: u64| count as f64 / seconds;
        let mut line = format!(
            "{second:>4} s  {:>10.0} records/s acknowledged  {:>10.0} consumed",
            per_second(tallies.acknowledged - acknowledged),
            per_second(tallies.consumed - consumed),
        );
        let recent = &tallies.recent;
        if !recent.is_empty() {
            let [p50, p99, max] =
                [recent.value_at_quantile(0.5), recent.value_at_quantile(0.99), recent.max()]
                    .map(ms);
            line += &format!("  response p50 {p50:>8.3} p99 {p99:>8.3} max {max:>8.3} ms");
        } else if !run.options.consume_only && tallies.acknowledged == acknowledged {
            line += &format!(
                "  nothing acknowledged for {:.1} s",
                now.since(run.last_produced()).as_secs_f64()
            );
        }
        if tallies.errors > 0 {
            line += &format!("  {} errors", tallies.errors);
        }
        if tallies.fetch_errors > 0 {
            line += &format!("  {} fetch errors", tallies.fetch_errors);
        }
        say::note(&line);
        (acknowledged, consumed, before) = (tallies.acknowledged, tallies.consumed, now);
        tallies.recent.reset();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedstat_is_read_as_the_kernel_writes_it() {
        let read = parse_schedstat("1500 700 12\n").unwrap();
        assert_eq!((read.on_processor_ns, read.waited_ns), (1500, 700));
        assert!(parse_schedstat("").is_none() && parse_schedstat("12").is_none());
    }
}
