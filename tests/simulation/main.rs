//! The whole broker in a simulated world: cores, disk, network and clocks decided by one seed,
//! clients that remember what they were told, and named invariants ([`model::Invariant`]) over what
//! they hear.
//!
//! Each seed has two phases. In the storm the broker loses power, is killed, stopped, paused (as a
//! whole, or one core of it), cut off, and its disk hangs, fills up and fails, a random subset of
//! that per seed, sometimes in one of two log directories alone; safety is checked with every
//! answer. Then the weather is calm: everything that was begun has to come to its end in time, and
//! after more ends and starts everything is read once more.
//!
//! A world may have several nodes, each with its own disk, cores and faults ([`two`]): they form
//! clusters, and clients find their way in one by Metadata ([`cluster`]).
//!
//! What else a seed may draw ([`plan::Plan`]): another number of cores at each start,
//! `durability=os`, retention down to an empty log, configs that change, producers that want one
//! answer or none, readers with fetch sessions, and at last a file damaged below the recovery point
//! ([`damage`]).
//!
//! | variable | |
//! |---|---|
//! | `MILLSTREAM_SEEDS` | how many seeds (20) |
//! | `MILLSTREAM_FIRST_SEED` | the first one (0) |
//! | `MILLSTREAM_SEED` | only this one, with everything that happens printed as it happens |
//! | `MILLSTREAM_MORE_SEEDS` | how many with two nodes (12), and of clients that ask Metadata (10) |
//! | `RUST_LOG` | which of the broker's log lines go into the event log (`warn`) |

mod admin;
mod apart;
mod audit;
mod broker;
mod client;
mod cluster;
mod commits;
mod committed;
mod configs;
mod damage;
mod dice;
mod generation;
mod journal;
mod lag;
mod members;
mod model;
mod overflow;
mod plan;
mod producer;
mod quiet;
mod reader;
mod run;
mod sessions;
mod silent;
mod storm;
mod transactions;
mod transactor;
mod two;

use model::Invariant;
use plan::Variation;
use run::{Outcome, run_seed};
use std::sync::{
    Mutex,
    atomic::{AtomicU64, Ordering},
};
use std::time::{Duration, Instant};

const DEFAULT_SEEDS: u64 = 20;
const PROGRESS_INTERVAL: Duration = Duration::from_secs(5);
/// Failing seeds after which a search ends.
const MAX_FAILURES: usize = 10;

fn variable(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text} is not a number")))
}

/// `test`: what runs it.
fn report(seed: u64, outcome: &Outcome, test: &str) {
    let Some(violation) = &outcome.violation else { return };
    eprintln!("\nseed {seed} violates {violation}");
    eprintln!("the last of what happened, by seconds of virtual time:");
    outcome.tail.iter().for_each(|line| eprintln!("  {line}"));
    eprintln!(
        "repeat it with: MILLSTREAM_SEED={seed} cargo test --release --test simulation {test}\n"
    );
}

/// What the seeds of a search have come to so far.
struct Search {
    count: u64,
    begun: Instant,
    said: Instant,
    done: u64,
    sum: Outcome,
    failures: Vec<u64>,
}

impl Search {
    fn new(count: u64) -> Self {
        let now = Instant::now();
        let (sum, failures) = (Outcome::default(), Vec::new());
        Self { count, begun: now, said: now, done: 0, sum, failures }
    }

    fn add(&mut self, seed: u64, outcome: &Outcome) {
        let sum = &mut self.sum;
        sum.requests += outcome.requests;
        sum.acked_records += outcome.acked_records;
        sum.read_records += outcome.read_records;
        sum.commits += outcome.commits;
        sum.transactions.0 += outcome.transactions.0;
        sum.transactions.1 += outcome.transactions.1;
        sum.virtual_time += outcome.virtual_time;
        self.done += 1;
        if let Some(violation) = &outcome.violation {
            if self.failures.is_empty() {
                report(seed, outcome, "seeds");
            } else {
                eprintln!("seed {seed} violates {violation}");
            }
            self.failures.push(seed);
        }
        if self.said.elapsed() >= PROGRESS_INTERVAL || self.done == self.count {
            self.say();
        }
    }

    fn say(&mut self) {
        self.said = Instant::now();
        let Outcome {
            requests,
            acked_records,
            read_records,
            commits,
            transactions,
            virtual_time,
            ..
        } = &self.sum;
        let (done, count, failing) = (self.done, self.count, self.failures.len());
        let (committed, aborted) = transactions;
        eprintln!(
            "{done} of {count} seeds in {:.1?}, {failing} failing: {requests} requests, \
             {acked_records} records acknowledged, {read_records} read, {commits} commits, \
             {committed} transactions committed and {aborted} aborted, {virtual_time:.0?} of \
             virtual time",
            self.begun.elapsed()
        );
    }
}

/// Each seed runs in one thread, and is the same whatever runs beside it.
#[test]
fn seeds_keep_every_invariant() {
    let one = variable("MILLSTREAM_SEED");
    let first = one.or(variable("MILLSTREAM_FIRST_SEED")).unwrap_or(0);
    let count = one.map_or_else(|| variable("MILLSTREAM_SEEDS").unwrap_or(DEFAULT_SEEDS), |_| 1);
    let threads = std::thread::available_parallelism().map_or(1, |count| count.get() as u64);
    let (next, search) = (AtomicU64::new(first), Mutex::new(Search::new(count)));
    let work = || {
        while search.lock().unwrap().failures.len() < MAX_FAILURES {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= first + count {
                break;
            }
            let outcome = run_seed(seed, Variation::None, one.is_some());
            search.lock().unwrap().add(seed, &outcome);
        }
    };
    std::thread::scope(|scope| (0..threads.min(count)).for_each(|_| _ = scope.spawn(work)));
    let failures = search.into_inner().unwrap().failures;
    assert!(failures.is_empty(), "seeds {failures:?} violate invariants");
}

#[test]
fn a_seed_repeats_itself() {
    for seed in 1_000_000..1_000_010 {
        let (first, second) =
            (run_seed(seed, Variation::None, false), run_seed(seed, Variation::None, false));
        assert_eq!(
            first.trace_hash, second.trace_hash,
            "seed {seed} runs differently the second time"
        );
        assert_eq!(first.tail, second.tail, "seed {seed} tells another story the second time");
        let counts =
            |one: &Outcome| (one.requests, one.acked_records, one.read_records, one.commits);
        assert_eq!(counts(&first), counts(&second));
    }
}

/// The world of one node is the same where its clients look for it.
#[test]
fn clients_of_one_node_find_it_by_metadata() {
    let one = variable("MILLSTREAM_SEED");
    let first = one.or(variable("MILLSTREAM_FIRST_SEED")).unwrap_or(4_000_000);
    let count = one.map_or_else(|| variable("MILLSTREAM_MORE_SEEDS").unwrap_or(10), |_| 1);
    let mut acked = 0;
    for seed in first..first + count {
        let outcome = run_seed(seed, Variation::ByMetadata, one.is_some());
        report(seed, &outcome, "by_metadata");
        assert!(outcome.violation.is_none(), "seed {seed} violates {:?}", outcome.violation);
        acked += outcome.acked_records;
    }
    assert!(acked > 0 || count < 10, "in {count} seeds no client has found the node");
}

/// What ten seeds may leave behind together: the lines of the event log that is kept from the last
/// one.
const KEPT_BYTES_MAX: i64 = 64 * 1024;

#[test]
fn nothing_of_a_seed_outlives_it() {
    let run = |seed| {
        let outcome = run_seed(seed, Variation::None, false);
        assert!(outcome.violation.is_none(), "seed {seed} violates {:?}", outcome.violation);
    };
    // The first one makes what is made once per process.
    run(2_000_000);
    let used = allocation_counter::measure(|| (2_000_001..2_000_011).for_each(run));
    assert!(
        used.bytes_current < KEPT_BYTES_MAX,
        "ten seeds left {} bytes in memory",
        used.bytes_current
    );
}

#[test]
fn the_checks_notice_lost_records_when_nothing_is_synced() {
    let noticed = (0..20).filter(|seed| {
        let violation = run_seed(*seed, Variation::OsDurability, false).violation;
        violation.is_some_and(|violation| {
            matches!(
                violation.invariant,
                Invariant::AcknowledgedIsReadable
                    | Invariant::HighWatermarkKept
                    | Invariant::ReadsRepeat
                    | Invariant::CommittedOffsetsKept
            )
        })
    });
    let noticed = noticed.count();
    assert!(
        noticed >= 5,
        "power cuts lost acknowledged records of durability=os, and only {noticed} of 20 seeds \
         noticed"
    );
}
