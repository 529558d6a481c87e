//! What one trial came to: whether it was good, whether it counts at all, and which resource was
//! the limit. Pure.
//!
//! Never: calls a figure the broker's where the generator was the limit; such a trial is void.

use super::{
    slo::Slo,
    watch::{Busy, Usage},
};
use crate::report::{
    BOTTLENECK_BUSY, CROWDED_WAITED, GeneratorLoad, RATE_REACHED, Report, Wire, ms,
};
use crate::{options::Rate, verify::Verdict};
use hdrhistogram::Histogram;

/// A thread of the broker, or a disk, this busy is what limits it.
const LIMITS_FROM: f64 = 0.9;

/// In milliseconds; `None` where nothing was measured.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Quantiles {
    pub p50: Option<f64>,
    pub p99: Option<f64>,
    pub p99_9: Option<f64>,
}

impl Quantiles {
    fn of(histogram: &Histogram<u64>) -> Quantiles {
        let at = |quantile: f64| {
            (!histogram.is_empty()).then(|| ms(histogram.value_at_quantile(quantile)))
        };
        Quantiles { p50: at(0.5), p99: at(0.99), p99_9: at(0.999) }
    }
}

#[derive(Clone, Debug, Default)]
pub struct Tried {
    /// The number of the search, from 1 on.
    pub run: usize,
    pub rate: f64,
    pub duration_s: f64,
    /// The share of late records, for each service level.
    pub late: Vec<f64>,
    pub is_good: bool,
    /// Why the trial does not count.
    pub void: Option<String>,
    /// Records per second that were acknowledged.
    pub achieved: Option<f64>,
    pub errors: u64,
    pub unsent: u64,
    pub response: Quantiles,
    pub end_to_end: Quantiles,
    pub generator: GeneratorLoad,
    pub usage: Usage,
    /// What consumers found is lost or out of order.
    pub is_broken: bool,
    pub work: Work,
    pub wire: Wire,
}

/// What the broker was given to do, per second of the trial.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Work {
    pub produces: f64,
    pub batches: f64,
    /// Of batches as they are sent, compressed or not.
    pub written_bytes: f64,
    pub value_bytes: f64,
    pub fetches: f64,
    pub fetched_bytes: f64,
    /// Bodies of produce requests and fetches, to the broker.
    pub to_broker_bytes: f64,
    pub from_broker_bytes: f64,
}

impl Work {
    fn of(report: &Report) -> Option<Work> {
        let tallies = &report.tallies;
        (report.seconds > 0.0).then(|| {
            let rate = |count: u64| count as f64 / report.seconds;
            Work {
                produces: rate(tallies.traffic.produces),
                batches: rate(tallies.batches),
                written_bytes: rate(tallies.wire_bytes),
                value_bytes: rate(tallies.acknowledged_bytes),
                fetches: rate(tallies.traffic.fetches),
                fetched_bytes: rate(tallies.fetched_bytes),
                to_broker_bytes: rate(tallies.traffic.sent_bytes),
                from_broker_bytes: rate(tallies.traffic.received_bytes),
            }
        })
    }
}

impl Tried {
    pub fn of(run: usize, report: &Report, slos: &[Slo], usage: Usage) -> Tried {
        let tallies = &report.tallies;
        let options = &report.options;
        let readers = if options.fan_out { options.consumers as u64 } else { 1 };
        let late: Vec<f64> = slos.iter().map(|slo| slo.late_share(tallies, readers)).collect();
        let is_good = slos.iter().zip(&late).all(|(slo, late)| *late <= slo.late_max);
        let per_second =
            |records: u64| (report.seconds > 0.0).then(|| records as f64 / report.seconds);
        let rate = match options.rate {
            Rate::PerSecond(rate) => rate,
            Rate::Max => 0.0,
        };
        let sent = per_second(tallies.acknowledged + tallies.errors).unwrap_or(0.0);
        let was_kept = sent >= rate * RATE_REACHED;
        let void = if report.interrupted {
            Some("it was ended by a signal".to_owned())
        } else {
            generator_limit(report.generator)
                .filter(|_| !was_kept || !is_good)
                .map(|why| void_words(&why, was_kept, sent / rate))
        };
        Tried {
            run,
            rate,
            duration_s: options.duration.as_secs_f64(),
            late,
            is_good,
            void,
            achieved: per_second(tallies.acknowledged),
            errors: tallies.errors,
            unsent: tallies.unsent,
            response: Quantiles::of(&tallies.response),
            end_to_end: Quantiles::of(&tallies.end_to_end),
            generator: report.generator,
            usage,
            is_broken: matches!(report.verification.verdict, Verdict::Broken),
            work: Work::of(report).unwrap_or_default(),
            wire: report.wire.unwrap_or_default(),
        }
    }
}

fn void_words(why: &str, was_kept: bool, reached: f64) -> String {
    if was_kept {
        format!("records may be late through the generator: {why}")
    } else {
        format!("{:.1} % of the rate was sent: {why}", reached * 100.0)
    }
}

/// Why the generator could not do more: it had no time that it did not need.
fn generator_limit(load: GeneratorLoad) -> Option<String> {
    let (busy, waited) = (load.busy?, load.waited.unwrap_or(0.0));
    if busy + waited < BOTTLENECK_BUSY {
        return None;
    }
    Some(if waited >= CROWDED_WAITED {
        format!(
            "the generator was busy {} of the time and waited {} for its processor; give it one \
             that nothing else uses, with --core",
            percent(busy),
            percent(waited)
        )
    } else {
        format!("the generator's thread was busy {} of the time", percent(busy))
    })
}

pub fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

#[derive(Clone, Debug, PartialEq)]
pub enum Limit {
    Generator(String),
    BrokerCore(Busy),
    Disk(Busy),
    /// Others on the machine have the processors that the broker and the generator want.
    Processors {
        generator_waited: f64,
        broker_waited: f64,
    },
    /// With what was seen.
    Unknown(String),
}

impl Limit {
    pub fn name(&self) -> &'static str {
        match self {
            Limit::Generator(_) => "generator",
            Limit::BrokerCore(_) => "broker core",
            Limit::Disk(_) => "disk",
            Limit::Processors { .. } => "processors",
            Limit::Unknown(_) => "unknown",
        }
    }

    pub fn words(&self) -> String {
        match self {
            Limit::Generator(why) => why.clone(),
            Limit::BrokerCore(thread) => {
                let waits = if thread.waited >= CROWDED_WAITED {
                    format!(
                        " and waited {} of the time for it: something else runs there",
                        percent(thread.waited)
                    )
                } else {
                    String::new()
                };
                let (name, share) = (&thread.name, percent(thread.share));
                format!("a core of the broker: its thread {name} used {share} of one{waits}")
            }
            Limit::Disk(disk) => {
                format!("the disk: {} was busy {} of the time", disk.name, percent(disk.share))
            }
            Limit::Processors { generator_waited, broker_waited } => format!(
                "the processors of this machine, which others use: the generator waited {} of the \
                 time for one, the broker's busiest thread {}; the latencies count that, so give \
                 both processors that nothing else uses (--core, taskset)",
                percent(*generator_waited),
                percent(*broker_waited)
            ),
            Limit::Unknown(seen) => format!("unknown: {seen}"),
        }
    }

    fn of_one(tried: &Tried) -> Limit {
        if let Some(why) = generator_limit(tried.generator) {
            return Limit::Generator(why);
        }
        let is_limit = |busy: &Busy| busy.share + busy.waited >= LIMITS_FROM;
        let usage = &tried.usage;
        if let Some(thread) = usage.busiest_thread.clone().filter(is_limit) {
            return Limit::BrokerCore(thread);
        }
        if let Some(disk) = usage.busiest_disk.clone().filter(is_limit)
            && usage.busiest_thread.is_some()
        {
            return Limit::Disk(disk);
        }
        let generator_waited = tried.generator.waited.unwrap_or(0.0);
        let broker_waited = usage.busiest_thread.as_ref().map_or(0.0, |thread| thread.waited);
        if generator_waited.max(broker_waited) >= CROWDED_WAITED {
            return Limit::Processors { generator_waited, broker_waited };
        }
        Limit::Unknown(seen(tried))
    }

    /// What limited most of these trials.
    pub fn of(trials: &[&Tried]) -> Option<Limit> {
        let limits: Vec<Limit> = trials.iter().map(|tried| Limit::of_one(tried)).collect();
        let times = |limit: &Limit| limits.iter().filter(|one| one.name() == limit.name()).count();
        limits.iter().max_by_key(|limit| times(limit)).cloned()
    }
}

fn seen(tried: &Tried) -> String {
    let usage = &tried.usage;
    let mut parts = Vec::new();
    if let Some(busy) = tried.generator.busy {
        parts.push(format!("the generator was busy {} of the time", percent(busy)));
    }
    match &usage.busiest_thread {
        Some(thread) => parts.push(format!(
            "the broker's busiest thread ({}) used {} of a core",
            thread.name,
            percent(thread.share)
        )),
        None => parts.push(
            "the broker's process is not known: give --broker-pid where it is of this machine"
                .to_owned(),
        ),
    }
    if let Some(disk) = usage.busiest_disk.as_ref().filter(|_| usage.busiest_thread.is_some()) {
        parts.push(format!("the busiest disk ({}) {}", disk.name, percent(disk.share)));
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Environment;
    use crate::{
        options::RunOptions,
        tallies::Tallies,
        verify::{Findings, Verification},
    };
    use ring::Instant;
    use std::time::Duration;

    /// One second at 100/s of which so many were acknowledged after so many milliseconds.
    fn report(acknowledged: u64, ms: u64, busy: f64, waited: f64) -> Report {
        let options = RunOptions::parse_for_tests("--rate 100 --duration 1s");
        let mut tallies = Tallies::default();
        for index in 0..acknowledged {
            let due = Instant(index * 10_000_000);
            tallies.acknowledged(
                crate::tallies::BatchSize { wire: 100, values: 100 },
                &[due],
                due,
                due + Duration::from_millis(ms),
            );
        }
        Report {
            verification: Verification::judge(&options, Findings::default()),
            options,
            backend: "simulated",
            tallies,
            seconds: 1.0,
            generator: GeneratorLoad { busy: Some(busy), waited: Some(waited) },
            leader_moves: 0,
            interrupted: false,
            cut_short: false,
            not_read_again: None,
            wire: None,
            environment: Environment::default(),
            details: crate::report::Details::default(),
        }
    }

    fn tried(report: &Report) -> Tried {
        Tried::of(1, report, &["p99<=10ms".parse().unwrap()], Usage::default())
    }

    #[test]
    fn a_trial_is_judged_where_the_generator_had_time_to_spare() {
        let good = tried(&report(100, 5, 0.5, 0.0));
        assert!(good.is_good && good.void.is_none() && good.late == [0.0]);
        let bad = tried(&report(100, 50, 0.5, 0.0));
        assert!(!bad.is_good && bad.void.is_none() && bad.late == [1.0]);
        // The broker was too slow: the generator waited for it, and had time.
        let slow = tried(&report(50, 5, 0.5, 0.2));
        assert!(slow.void.is_none(), "{:?}", slow.void);
    }

    #[test]
    fn a_schedule_that_the_generator_did_not_keep_makes_a_trial_void() {
        let void = tried(&report(50, 5, 0.97, 0.0)).void.unwrap();
        assert!(void.contains("50.0 % of the rate") && void.contains("busy 97 %"), "{void}");
        let crowded = tried(&report(50, 5, 0.6, 0.4)).void.unwrap();
        assert!(crowded.contains("--core"), "{crowded}");
        let late = tried(&report(100, 50, 0.97, 0.0)).void.unwrap();
        assert!(late.contains("late through the generator"), "{late}");
        let good = tried(&report(100, 5, 0.97, 0.0));
        assert!(good.void.is_none(), "what holds though the generator is busy, holds");
        let ended = Report { interrupted: true, ..report(100, 5, 0.1, 0.0) };
        assert!(tried(&ended).void.unwrap().contains("signal"));
    }

    fn used(generator: f64, thread: Option<f64>, disk: f64) -> Tried {
        let busy = |name: &str, share| Busy { name: name.to_owned(), share, waited: 0.0 };
        Tried {
            generator: GeneratorLoad { busy: Some(generator), waited: None },
            usage: Usage {
                busiest_thread: thread.map(|share| busy("core 0", share)),
                broker_processors: thread,
                busiest_disk: Some(busy("vda", disk)),
                ..Usage::default()
            },
            ..Tried::default()
        }
    }

    #[test]
    fn the_limit_is_the_first_resource_without_room() {
        let name = |tried: Tried| Limit::of(&[&tried]).unwrap().name();
        assert_eq!(name(used(0.96, Some(0.99), 0.99)), "generator");
        assert_eq!(name(used(0.5, Some(0.97), 0.99)), "broker core");
        assert_eq!(name(used(0.5, Some(0.5), 0.99)), "disk");
        assert_eq!(name(used(0.5, Some(0.5), 0.5)), "unknown");
        // Whose disk it is cannot be known where the broker's process is not.
        let words = Limit::of(&[&used(0.5, None, 0.99)]).unwrap().words();
        assert!(words.starts_with("unknown") && words.contains("--broker-pid"), "{words}");
        assert_eq!(Limit::of(&[]), None);
        let mut crowded = used(0.5, Some(0.4), 0.1);
        crowded.usage.busiest_thread.as_mut().unwrap().waited = 0.55;
        let words = Limit::of(&[&crowded]).unwrap().words();
        assert!(words.contains("waited 55 %") && words.contains("something else"), "{words}");
        crowded.usage.busiest_thread.as_mut().unwrap().waited = 0.2;
        let limit = Limit::of(&[&crowded]).unwrap();
        assert_eq!(limit.name(), "processors");
        assert!(limit.words().contains("busiest thread 20 %"), "{}", limit.words());
    }

    #[test]
    fn the_limit_of_most_trials_counts() {
        let trials = [used(0.5, Some(0.95), 0.1), used(0.5, Some(0.5), 0.1)];
        let limit = Limit::of(&[&trials[0], &trials[1], &trials[0]]).unwrap();
        assert_eq!(limit.name(), "broker core");
        assert!(limit.words().contains("core 0 used 95 %"), "{}", limit.words());
    }
}
