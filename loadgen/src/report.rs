//! What a run came to: histograms, the progress line, the table and the JSON.
//!
//! Owns: the histograms. Lives on: the generator's thread. Never: decides what is measured; `run.rs` does.

use crate::{
    options::{Acks, Rate},
    run::Run,
    verify::Findings,
};
use anyhow::Context;
use hdrhistogram::Histogram;
use ring::{BackendKind, Instant};
use serde_json::{Value, json};
use std::{path::Path, rc::Rc, time::Duration};

/// Latencies up to this are told apart; longer ones count as this.
const LATENCY_MAX: Duration = Duration::from_secs(600);
const SIGNIFICANT_DIGITS: u8 = 3;
/// A thread this busy is what limits the run.
const BOTTLENECK_BUSY: f64 = 0.95;
/// Achieving less than this of the rate that was asked for is said.
const RATE_REACHED: f64 = 0.99;

fn histogram() -> Histogram<u64> {
    let max_ns = LATENCY_MAX.as_nanos() as u64;
    Histogram::new_with_bounds(1_000, max_ns, SIGNIFICANT_DIGITS).expect("constant bounds")
}

/// Counts and latencies of what was measured.
pub struct Tallies {
    pub acknowledged: u64,
    pub acknowledged_bytes: u64,
    pub batches: u64,
    pub wire_bytes: u64,
    pub consumed: u64,
    pub consumed_bytes: u64,
    /// Whole batches as they came, headers included.
    pub fetched_bytes: u64,
    pub errors: u64,
    /// From the request's first byte on its way to its answer.
    service: Histogram<u64>,
    /// From when a record was due to its acknowledgement.
    response: Histogram<u64>,
    /// From when a record was due to its arrival at a consumer.
    end_to_end: Histogram<u64>,
    /// Response times since the last progress line.
    recent: Histogram<u64>,
}

impl Tallies {
    pub fn new() -> Tallies {
        Tallies {
            acknowledged: 0,
            acknowledged_bytes: 0,
            batches: 0,
            wire_bytes: 0,
            consumed: 0,
            consumed_bytes: 0,
            fetched_bytes: 0,
            errors: 0,
            service: histogram(),
            response: histogram(),
            end_to_end: histogram(),
            recent: histogram(),
        }
    }

    pub fn acknowledged(
        &mut self,
        measure_from: Instant,
        record_size: usize,
        wire_bytes: usize,
        due: &[Instant],
        sent: Instant,
        answered: Instant,
    ) {
        let measured = due.len() - due.partition_point(|due| *due < measure_from);
        if measured == 0 {
            return;
        }
        self.acknowledged += measured as u64;
        self.acknowledged_bytes += (measured * record_size) as u64;
        self.batches += 1;
        self.wire_bytes += wire_bytes as u64;
        record(&mut self.service, answered.since(sent), measured as u64);
        // Records that were due at one moment, as with --rate max, are booked together.
        for same in due[due.len() - measured..].chunk_by(|a, b| a == b) {
            let response = answered.since(same[0]);
            record(&mut self.response, response, same.len() as u64);
            record(&mut self.recent, response, same.len() as u64);
        }
    }

    /// Sent without an acknowledgement to come.
    pub fn sent(&mut self, records: u64, record_size: usize) {
        self.acknowledged += records;
        self.acknowledged_bytes += records * record_size as u64;
        self.batches += 1;
    }

    pub fn consumed(&mut self, size_bytes: usize) {
        self.consumed += 1;
        self.consumed_bytes += size_bytes as u64;
    }

    /// Only the batch's header was looked at, which does not tell what the records' values take: the whole batch counts.
    pub fn skimmed(&mut self, records: u64, batch_size_bytes: usize) {
        self.consumed += records;
        self.consumed_bytes += batch_size_bytes as u64;
    }

    /// From the fetch request's first byte to its whole answer.
    pub fn fetched(&mut self, latency: Duration) {
        record(&mut self.service, latency, 1);
    }

    pub fn end_to_end(&mut self, latency: Duration) {
        record(&mut self.end_to_end, latency, 1);
    }
}

fn record(histogram: &mut Histogram<u64>, latency: Duration, count: u64) {
    let max_ns = LATENCY_MAX.as_nanos();
    let ns = latency.as_nanos().min(max_ns) as u64;
    histogram.record_n(ns.max(1), count).expect("within the bounds");
}

/// CPU time of this thread, as the kernel's scheduler counts it.
pub struct ThreadClock {
    began_ns: Option<u64>,
}

impl ThreadClock {
    pub fn start() -> ThreadClock {
        ThreadClock { began_ns: thread_cpu_ns() }
    }

    /// The share of `wall` that this thread was on a processor.
    pub fn busy_ratio(&self, wall: Duration) -> Option<f64> {
        Some(thread_cpu_ns()?.saturating_sub(self.began_ns?) as f64 / wall.as_nanos().max(1) as f64)
    }
}

fn thread_cpu_ns() -> Option<u64> {
    std::fs::read_to_string("/proc/thread-self/schedstat").ok()?.split_whitespace().next()?.parse().ok()
}

/// Prints a line each second until the producers are done.
pub async fn progress(run: Rc<Run>) {
    let (mut acknowledged, mut consumed, mut before) = (0, 0, run.times().start);
    for second in 1u32.. {
        run.ring.sleep_until(run.times().start + Duration::from_secs(1) * second).await;
        let now = run.ring.precise_now();
        if now >= run.times().end {
            return;
        }
        let mut tallies = run.tallies.borrow_mut();
        let seconds = now.since(before).as_secs_f64();
        let per_second = |count: u64| count as f64 / seconds;
        let recent = &tallies.recent;
        eprintln!(
            "{second:>4} s  {:>10.0} records/s acknowledged  {:>10.0} consumed  response p50 {:>8.3} p99 {:>8.3} max {:>8.3} ms{}",
            per_second(tallies.acknowledged - acknowledged),
            per_second(tallies.consumed - consumed),
            ms(recent.value_at_quantile(0.5)),
            ms(recent.value_at_quantile(0.99)),
            ms(recent.max()),
            if tallies.errors > 0 { format!("  {} errors", tallies.errors) } else { String::new() },
        );
        (acknowledged, consumed, before) = (tallies.acknowledged, tallies.consumed, now);
        tallies.recent.reset();
    }
}

fn ms(ns: u64) -> f64 {
    ns as f64 / 1e6
}

/// The verdict on a run.
pub struct Outcome {
    pub seconds: f64,
    pub records_per_s: f64,
    pub bytes_per_s: f64,
    pub errors: u64,
    pub verified: Option<bool>,
    findings: Findings,
    busy: Option<f64>,
}

const QUANTILES: [(&str, f64); 5] = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99_9", 0.999), ("p99_99", 0.9999)];

impl Outcome {
    pub fn new(run: &Run, sent: Instant, busy: Option<f64>, findings: Findings, verified: Option<bool>) -> Outcome {
        let tallies = run.tallies.borrow();
        let seconds = sent.since(run.times().measure_from).as_secs_f64().max(1e-9);
        let (records, bytes) = match run.options.consume_only {
            true => (tallies.consumed, tallies.consumed_bytes),
            false => (tallies.acknowledged, tallies.acknowledged_bytes),
        };
        Outcome {
            seconds,
            records_per_s: records as f64 / seconds,
            bytes_per_s: bytes as f64 / seconds,
            errors: tallies.errors,
            verified,
            findings,
            busy,
        }
    }

    pub fn is_good(&self) -> bool {
        self.errors == 0 && self.verified != Some(false)
    }

    /// What a reader of the figures must know to read them right.
    fn remarks(&self, run: &Run) -> Vec<String> {
        let mut remarks = Vec::new();
        if self.busy.is_some_and(|busy| busy >= BOTTLENECK_BUSY) {
            remarks.push("the generator itself was the bottleneck: its thread was busy all the time".to_owned());
        }
        if let Rate::PerSecond(rate) = run.options.rate
            && !run.options.consume_only
            && self.records_per_s < rate * RATE_REACHED
        {
            let reached = self.records_per_s / rate * 100.0;
            remarks.push(format!(
                "{reached:.1} % of the rate that was asked for was reached; response times count the delay"
            ));
        }
        if run.options.acks == Acks::None {
            remarks.push("acks=0: nothing is acknowledged, so response times are not measured".to_owned());
        }
        remarks
    }

    pub fn print(&self, run: &Run) {
        let tallies = run.tallies.borrow();
        println!(
            "\n{:>14.0} records/s   {:.1} MB/s   {:.2} s",
            self.records_per_s,
            self.bytes_per_s / 1e6,
            self.seconds
        );
        let per_batch = tallies.acknowledged as f64 / tallies.batches.max(1) as f64;
        println!("{:>14} acknowledged in {} batches of {per_batch:.1} records", tallies.acknowledged, tallies.batches);
        println!("{:>14} consumed", tallies.consumed);
        println!("{:>14} errors", self.errors);
        let verdict = match self.verified {
            Some(true) => "yes: every acknowledged record was consumed exactly once and in order".to_owned(),
            Some(false) => format!(
                "NO: {} acknowledged records lost, {} duplicated or out of order",
                self.findings.lost, self.findings.duplicated_or_out_of_order
            ),
            None => {
                "not checked (needs --consumers 1 or more without --skim and --consume-only, and --record-size 24 or \
                     more)"
                    .to_owned()
            }
        };
        println!("      verified {verdict}");
        println!("\n{:<18}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}", "ms", "p50", "p90", "p99", "p99.9", "p99.99", "max");
        for (name, histogram) in [
            ("service time", &tallies.service),
            ("response time", &tallies.response),
            ("end to end", &tallies.end_to_end),
        ] {
            if !histogram.is_empty() {
                let quantiles: String =
                    QUANTILES.iter().map(|(_, q)| format!("{:>10.3}", ms(histogram.value_at_quantile(*q)))).collect();
                println!("{name:<18}{quantiles}{:>10.3}", ms(histogram.max()));
            }
        }
        for remark in self.remarks(run) {
            println!("\nNote: {remark}.");
        }
    }

    pub fn write_json(&self, run: &Run, path: &Path) -> anyhow::Result<()> {
        let tallies = run.tallies.borrow();
        let options = &run.options;
        let report = json!({
            "records_per_s": self.records_per_s,
            "bytes_per_s": self.bytes_per_s,
            "errors": self.errors,
            "verified": self.verified,
            "service_time_ms": quantiles(&tallies.service),
            "response_time_ms": quantiles(&tallies.response),
            "end_to_end_ms": quantiles(&tallies.end_to_end),
            "seconds": self.seconds,
            "acknowledged": tallies.acknowledged,
            "consumed": tallies.consumed,
            "fetched_bytes": tallies.fetched_bytes,
            "lost": self.findings.lost,
            "duplicated_or_out_of_order": self.findings.duplicated_or_out_of_order,
            "batches": tallies.batches,
            "wire_bytes": tallies.wire_bytes,
            "generator_busy_ratio": self.busy,
            "remarks": self.remarks(run),
            "backend": match run.ring.backend() {
                BackendKind::IoUring => "io_uring",
                BackendKind::Epoll => "epoll",
                BackendKind::Simulated => "simulated",
            },
            "options": {
                "bootstrap": options.bootstrap,
                "topic": options.topic,
                "partitions": options.partitions,
                "record_size": options.record_size,
                "rate": match options.rate { Rate::Max => json!("max"), Rate::PerSecond(rate) => json!(rate) },
                "acks": options.acks.code(),
                "connections": options.connections,
                "batch_size": options.batch_size,
                "linger_ms": options.linger_ms,
                "consumers": options.consumers,
                "keys": options.keys,
                "fan_out": options.fan_out,
                "skim": options.skim,
                "consume_only": options.consume_only,
            },
        });
        let text = serde_json::to_string_pretty(&report)? + "\n";
        std::fs::write(path, text).with_context(|| format!("cannot write {}: give --json another path", path.display()))
    }
}

/// `null` for each where nothing was measured.
fn quantiles(histogram: &Histogram<u64>) -> Value {
    let value = |ns: u64| if histogram.is_empty() { Value::Null } else { json!(ms(ns)) };
    let mut quantiles: serde_json::Map<String, Value> =
        QUANTILES.iter().map(|(name, q)| ((*name).to_owned(), value(histogram.value_at_quantile(*q)))).collect();
    quantiles.insert("max".to_owned(), value(histogram.max()));
    Value::Object(quantiles)
}
