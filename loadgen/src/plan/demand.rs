//! What a load asks of a cluster, in the units that costs have: of a workload file, or of a knee
//! that was measured. Pure.
//!
//! Never: knows what anything costs; takes a rate that the file does not give.

use super::{
    knees::{Batching, Knee, Trial},
    model::{ALL, Column, Flushes, Work, work_of},
};
use crate::{
    keys::KEY_BYTES,
    options::{Acks, Rate},
    report::codec_name,
    workload::{Consumers, KeyChoice, Producers, Reading, Workload},
};
use anyhow::{Context, bail, ensure};
use std::collections::BTreeSet;

/// What a batch takes beside its records, and a record beside its key and value (Apache Kafka's
/// record format, v2): 61 bytes, and varints of some 8.
const BATCH_BYTES: f64 = 61.0;
const RECORD_BYTES: f64 = 8.0;
/// What Apache Kafka keeps where a topic does not say (`log.retention.hours`).
const RETENTION_DEFAULT_S: f64 = 7.0 * 86_400.0;
/// Batches of more than this share of their most were closed because they were full.
const FULL_FROM: f64 = 0.8;
/// Keys of a zipf distribution that are summed one by one; the rest is an integral.
const ZIPF_TERMS: u32 = 100_000;

/// Clients that are alike: how many, and how many partitions each is concerned with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clients {
    pub count: f64,
    pub partitions: f64,
}

/// Rates are per second, of the whole cluster, and without replication.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Demand {
    pub name: String,
    pub records: f64,
    pub produces: f64,
    pub written_bytes: f64,
    pub fetches: f64,
    pub fetched_bytes: f64,
    /// Of each reader, and of each follower: a fetch may bring several.
    pub fetches_per_batch: f64,
    /// `None`: none come with requests.
    pub flushes: Option<Flushes>,
    /// By how much what is reckoned of batches missed those of the knees, relative.
    pub batches_error: f64,
    pub partitions: f64,
    /// The load of a knee, whose topic is made anew with as many partitions as cores ask for.
    pub may_be_split: bool,
    pub clients: Vec<Clients>,
    /// Of all that is written: what the busiest partition gets.
    pub busiest_partition: f64,
    pub kinds: BTreeSet<String>,
    /// As the file has it; `None`: it does not say.
    pub replication_factor: Option<f64>,
    /// Bytes that one copy of all topics keeps.
    pub kept_bytes: f64,
}

/// What only knees can tell of a workload.
#[derive(Clone, Copy, Debug)]
pub struct Learned<'a> {
    pub knees: &'a [Knee],
}

impl Learned<'_> {
    fn median(mut values: Vec<f64>) -> Option<f64> {
        values.retain(|value| value.is_finite());
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied()
    }

    /// Fetches for each batch that a reader gets: a fetch may bring several.
    fn fetches_per_batch(self) -> f64 {
        let ratios = self.knees.iter().filter(|knee| knee.readers > 0.0).flat_map(|knee| {
            knee.trials.iter().map(|trial| trial.fetches / (trial.batches * knee.readers))
        });
        Learned::median(ratios.collect()).unwrap_or(1.0)
    }

    /// How much longer than `linger` batches were open, in seconds, where it was that closed them:
    /// timers are late, and batches wait while a broker has as many as it may. With the error that
    /// is left, relative.
    fn batches(self) -> (f64, f64) {
        let trials = self.knees.iter().flat_map(|knee| {
            let per_batch = |trial: &Trial| trial.rate / (trial.batches * knee.brokers);
            knee.trials.iter().map(move |trial| (knee.batching, trial.rate, per_batch(trial)))
        });
        let trials: Vec<(Batching, f64, f64)> =
            trials.filter(|(_, _, found)| found.is_finite() && *found >= 1.0).collect();
        let lateness = trials.iter().filter_map(|(batching, rate, found)| {
            let is_full =
                found.max(batching.records_per_batch(*rate, 0.0)) >= batching.full() * FULL_FROM;
            (!is_full).then(|| (found - 1.0) / batching.per_lane(*rate) - batching.linger_s)
        });
        let late_s = Learned::median(lateness.collect()).unwrap_or(0.0).max(0.0);
        let miss = |(batching, rate, found): &(Batching, f64, f64)| {
            (found / batching.records_per_batch(*rate, late_s)).ln().powi(2)
        };
        let squares: f64 = trials.iter().map(miss).sum();
        (late_s, (squares / trials.len().max(1) as f64).sqrt())
    }

    /// What the batches of a codec take for each byte of their values.
    fn compressed(self, codec: &str) -> Option<f64> {
        let knees = self.knees.iter().filter(|knee| knee.compression == codec);
        let ratios = knees
            .flat_map(|knee| knee.trials.iter().map(|one| one.written_bytes / one.value_bytes));
        Learned::median(ratios.collect())
    }
}

impl Demand {
    /// Of the load of a knee at the rate that was found; at its highest sound rate where none was.
    pub fn of_knee(knee: &Knee, learned: Learned<'_>) -> anyhow::Result<Demand> {
        let highest = knee.trials.iter().map(|trial| trial.rate).fold(0.0, f64::max);
        let rate = knee.found.map_or(highest, |(rate, _)| rate);
        let nearest = |trial: &&Trial| (trial.rate - rate).abs();
        let trial = knee
            .trials
            .iter()
            .min_by(|a, b| nearest(a).total_cmp(&nearest(b)))
            .filter(|trial| trial.rate > 0.0)
            .with_context(|| format!("{} has no trial with records: give another", knee.name))?;
        let work = work_of(knee, trial, false);
        let part = rate / trial.rate * knee.brokers;
        let of = |column: Column| work[super::model::place(column)] * part;
        let partitions = knee.partitions * knee.brokers;
        let (producers, consumers) = knee.connections;
        let share = |count: f64| Clients { count, partitions: (partitions / count).max(1.0) };
        let clients = [producers, consumers].into_iter().filter(|count| *count > 0.0).map(share);
        Ok(Demand {
            name: format!("the load of {} at {:.0} records/s", knee.name, rate),
            records: rate,
            produces: of(Column::Produces),
            written_bytes: of(Column::WrittenBytes),
            fetches: of(Column::Fetches),
            fetched_bytes: of(Column::FetchedBytes),
            fetches_per_batch: learned.fetches_per_batch(),
            flushes: Flushes::of(learned.knees),
            partitions,
            // They were measured.
            batches_error: 0.0,
            may_be_split: true,
            clients: clients.collect(),
            busiest_partition: 1.0 / partitions.max(1.0),
            kinds: knee.kinds.clone(),
            replication_factor: None,
            kept_bytes: of(Column::WrittenBytes) * RETENTION_DEFAULT_S,
        })
    }

    /// Of a file, with each producer at the highest rate that its phases and its series have in
    /// the measured time: they may come together.
    pub fn of_workload(workload: &Workload, learned: Learned<'_>) -> anyhow::Result<Demand> {
        let name = workload.file.clone().unwrap_or_default();
        ensure!(
            !workload.producers.is_empty(),
            "{name} has no producers: a plan counts written records; give a [[producer]]"
        );
        let peaks = workload.producers.iter().map(|one| workload.peak_factor(one));
        ensure!(
            peaks.fold(0.0, f64::max) > 0.0,
            "{name}: each phase has the rate 0: give one that has more"
        );
        let mut demand = Demand {
            name,
            partitions: workload.partitions() as f64,
            fetches_per_batch: learned.fetches_per_batch(),
            flushes: Flushes::of(learned.knees),
            ..Demand::default()
        };
        demand.replication_factor = workload
            .topics
            .iter()
            .map(|topic| f64::from(topic.replication_factor))
            .filter(|factor| *factor > 0.0)
            .max_by(f64::total_cmp);
        let mut busiest: f64 = 0.0;
        for producers in &workload.producers {
            let peak = workload.peak_factor(producers);
            if peak <= 0.0 {
                continue;
            }
            let mean_part = workload.mean_factor(producers) / peak;
            let written = demand.add_producers(workload, producers, peak, learned)?;
            busiest = busiest.max(busiest_partition(workload, producers) * written);
            let kept = retention_s(workload, producers)?;
            demand.kept_bytes += written * mean_part * kept;
        }
        demand.busiest_partition = busiest / demand.written_bytes.max(f64::MIN_POSITIVE);
        for consumers in &workload.consumers {
            demand.add_consumers(workload, consumers);
        }
        Ok(demand)
    }

    /// Returns the bytes that they write.
    fn add_producers(
        &mut self,
        workload: &Workload,
        producers: &Producers,
        peak: f64,
        learned: Learned<'_>,
    ) -> anyhow::Result<f64> {
        let Rate::PerSecond(rate) = producers.rate else {
            bail!(
                "{}: a [[producer]] has rate = \"max\", which is no load to plan for: give its \
                 records per second, as in rate = 5000",
                self.name
            );
        };
        let rate = rate * peak;
        let codec = codec_name(producers.compression);
        let key_bytes = if producers.keys == KeyChoice::None { 0 } else { KEY_BYTES } as f64;
        let value_bytes = producers.record_size.mean();
        let (late_s, batches_error) = learned.batches();
        let batches = rate / Batching::of(workload, producers).records_per_batch(rate, late_s);
        self.batches_error = batches_error;
        let plain = rate * (value_bytes + key_bytes + RECORD_BYTES) + batches * BATCH_BYTES;
        let written = match learned.compressed(codec) {
            Some(ratio) if codec != "none" => rate * value_bytes * ratio,
            _ => plain,
        };
        let readers = producers.topics.iter().map(|topic| readers_of(workload, *topic));
        let readers = readers.sum::<f64>() / producers.topics.len().max(1) as f64;
        self.records += rate;
        self.produces += batches;
        self.written_bytes += written;
        self.fetched_bytes += written * readers;
        self.fetches += batches * readers * self.fetches_per_batch;
        let acks = match producers.acks {
            Acks::None => "0",
            Acks::Leader => "1",
            Acks::All => "all",
        };
        self.kinds.extend([format!("compression {codec}"), format!("acks {acks}")]);
        if producers.transactions.is_some() {
            self.kinds.insert("transactions".to_owned());
        }
        let count = producers.connections as f64;
        let all = partitions_of(workload, &producers.topics);
        let is_shared = producers.keys == KeyChoice::None && producers.hot.is_none();
        let partitions = if is_shared { (all / count).max(1.0) } else { all };
        self.clients.push(Clients { count, partitions });
        Ok(written)
    }

    fn add_consumers(&mut self, workload: &Workload, consumers: &Consumers) {
        let all = partitions_of(workload, &consumers.topics);
        let members = consumers.count as f64;
        let (count, partitions, kind) = match &consumers.reading {
            Reading::Shared => (members, all / members.max(1.0), "consumers"),
            Reading::Every => (members, all, "consumers"),
            Reading::Group(groups) => {
                (members * groups.groups as f64, all / members.max(1.0), "consumers in groups")
            }
            Reading::CatchUp { .. } => (members, all, "catch-up readers"),
        };
        self.clients.push(Clients { count, partitions: partitions.max(1.0) });
        self.kinds.insert("consumers".to_owned());
        self.kinds.insert(kind.to_owned());
    }

    /// Connections that one of so many brokers has.
    pub fn connections(&self, brokers: f64, scale: f64) -> f64 {
        let of = |clients: &Clients| clients.count * clients.partitions.min(brokers) / brokers;
        self.clients.iter().map(of).sum::<f64>() * scale
    }

    /// The work for clients, times `scale`, where one broker has this share of it all.
    pub fn work(&self, share: f64, scale: f64) -> Work {
        ALL.map(|column| match column {
            Column::WrittenBytes => self.written_bytes * share * scale,
            Column::Produces => self.produces * share * scale,
            Column::FetchedBytes => self.fetched_bytes * share * scale,
            Column::Fetches => self.fetches * share * scale,
            Column::Idle => 1.0,
            Column::Partitions | Column::Connections | Column::Flushes => 0.0,
        })
    }
}

impl Batching {
    fn of(workload: &Workload, producers: &Producers) -> Batching {
        let first = &producers.topics[..1.min(producers.topics.len())];
        Batching {
            record_bytes: producers.record_size.mean(),
            batch_bytes: producers.batch_size as f64,
            linger_s: producers.linger.as_secs_f64(),
            connections: producers.connections.max(1) as f64,
            lanes: match producers.keys {
                KeyChoice::None => 1.0,
                // Keys belong to the partitions of one topic, and each has its open batch.
                _ => partitions_of(workload, first).max(1.0),
            },
        }
    }

    fn per_lane(&self, rate: f64) -> f64 {
        rate / self.connections / self.lanes
    }

    fn full(&self) -> f64 {
        (self.batch_bytes / (self.record_bytes + RECORD_BYTES)).floor().max(1.0)
    }

    /// A batch is closed when it is full, or `linger` after its first record and some time more.
    fn records_per_batch(&self, rate: f64, late_s: f64) -> f64 {
        (1.0 + self.per_lane(rate) * (self.linger_s + late_s)).min(self.full())
    }
}

fn partitions_of(workload: &Workload, topics: &[usize]) -> f64 {
    let of = |topic: &usize| workload.topics.get(*topic).map_or(0, |topic| topic.partitions);
    topics.iter().map(|topic| f64::from(of(topic))).sum()
}

/// How many times each record of a topic is read as it comes, by those that only skim it too.
fn readers_of(workload: &Workload, topic: usize) -> f64 {
    let of = |consumers: &&Consumers| consumers.topics.contains(&topic);
    let readers = |consumers: &Consumers| match &consumers.reading {
        Reading::Shared => 1.0,
        Reading::Every => consumers.count as f64,
        Reading::Group(groups) => groups.groups as f64,
        // They read what was kept, at a moment of the run; a plan is of what goes on.
        Reading::CatchUp { .. } => 0.0,
    };
    workload.consumers.iter().filter(of).map(readers).sum()
}

/// The share of what these producers write that the busiest of their partitions gets.
fn busiest_partition(workload: &Workload, producers: &Producers) -> f64 {
    let all = partitions_of(workload, &producers.topics).max(1.0);
    let hot = producers.hot.map_or(0.0, |hot| {
        let topics = producers.topics.len().max(1) as f64;
        hot.share / (f64::from(hot.partitions.max(1)) * topics)
    });
    let key = match producers.keys {
        KeyChoice::None => 0.0,
        KeyChoice::InTurn(count) | KeyChoice::Uniform(count) => 1.0 / f64::from(count.max(1)),
        KeyChoice::Zipf(count, exponent) => 1.0 / zipf_sum(count, exponent),
    };
    hot.max(key).max(1.0 / all).min(1.0)
}

/// The sum of k^-s for k from 1 to `count`.
fn zipf_sum(count: u32, exponent: f64) -> f64 {
    let head: f64 = (1..=count.min(ZIPF_TERMS)).map(|key| f64::from(key).powf(-exponent)).sum();
    if count <= ZIPF_TERMS {
        return head;
    }
    let (from, until) = (f64::from(ZIPF_TERMS) + 0.5, f64::from(count) + 0.5);
    let rest = if (exponent - 1.0).abs() < 1e-9 {
        (until / from).ln()
    } else {
        (until.powf(1.0 - exponent) - from.powf(1.0 - exponent)) / (1.0 - exponent)
    };
    head + rest
}

/// The longest of the topics that these producers write to.
fn retention_s(workload: &Workload, producers: &Producers) -> anyhow::Result<f64> {
    let mut longest: f64 = 0.0;
    for topic in producers.topics.iter().filter_map(|topic| workload.topics.get(*topic)) {
        let given = topic.configs.iter().find(|(key, _)| key == "retention.ms");
        let seconds = match given.map(|(_, value)| value.parse::<f64>()) {
            None => RETENTION_DEFAULT_S,
            Some(Ok(ms)) if ms >= 0.0 => ms / 1e3,
            Some(_) => bail!(
                "topic {}: retention.ms does not end, and so does its disk not: give \
                 milliseconds, as in configs = {{ \"retention.ms\" = 86400000 }}",
                topic.name
            ),
        };
        longest = longest.max(seconds);
    }
    Ok(longest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{options::RunOptions, plan::simulated::Load};

    fn knees() -> Vec<Knee> {
        vec![Knee::of_json("k", &Load::default().knee(1, 0.0)).unwrap()]
    }

    fn demand(line: &str) -> Demand {
        let workload = Workload::of_options(&RunOptions::parse_for_tests(line));
        Demand::of_workload(&workload, Learned { knees: &knees() }).unwrap()
    }

    #[test]
    fn a_workload_is_what_its_rates_sizes_and_readers_make_of_it() {
        let demand = demand(
            "--rate 10000 --record-size 92 --connections 5 --linger-ms 4.5 --partitions 10 \
             --consumers 2",
        );
        // 2000 records per second and connection: 10 in 4.5 ms with the first.
        assert!((demand.produces - 1_000.0).abs() < 1e-6, "{demand:?}");
        assert!((demand.written_bytes - 10_000.0 * 100.0 - 61_000.0).abs() < 1e-6, "{demand:?}");
        assert_eq!(demand.fetched_bytes, demand.written_bytes);
        assert!((demand.fetches - 1_000.0).abs() < 1e-6, "a fetch per batch was measured");
        assert_eq!((demand.busiest_partition, demand.partitions), (0.1, 10.0));
        assert_eq!(demand.kept_bytes, demand.written_bytes * RETENTION_DEFAULT_S);
        // Each of five producers has two partitions, each of two consumers five.
        assert!((demand.connections(1.0, 1.0) - 7.0).abs() < 1e-9);
        assert!((demand.connections(5.0, 2.0) - 2.0 * (5.0 * 2.0 + 2.0 * 5.0) / 5.0).abs() < 1e-9);
        let kinds: Vec<&str> = demand.kinds.iter().map(String::as_str).collect();
        assert_eq!(kinds, ["acks all", "compression none", "consumers"]);
    }

    #[test]
    fn batches_are_as_large_as_their_bounds_allow() {
        let full = demand("--rate 1000000 --record-size 992 --batch-size 10000 --linger-ms 100");
        assert!((full.produces - 100_000.0).abs() < 1e-6, "{full:?}");
        let alone = demand("--rate 100 --linger-ms 0");
        assert!((alone.produces - 100.0).abs() < 1e-9);
        let keyed = demand("--rate 1000 --linger-ms 9 --partitions 9 --keys 500");
        assert!((keyed.produces - 500.0).abs() < 1e-6, "9 open batches: {keyed:?}");
        assert!((keyed.busiest_partition - 1.0 / 9.0).abs() < 1e-9);
    }

    #[test]
    fn batches_that_were_open_for_longer_are_so_in_the_plan() {
        let mut knees = knees();
        knees[0].batching.linger_s = 1e-3;
        knees[0].batching.batch_bytes = 1e6;
        let per_lane = |trial: &Trial| trial.rate / 4.0;
        // Two milliseconds more than was asked for.
        let open = |trial: &mut Trial| trial.batches = trial.rate / (1.0 + per_lane(trial) * 3e-3);
        knees[0].trials.iter_mut().for_each(open);
        let line = "--rate 1000 --linger-ms 1 --batch-size 100000";
        let workload = Workload::of_options(&RunOptions::parse_for_tests(line));
        let demand = Demand::of_workload(&workload, Learned { knees: &knees }).unwrap();
        assert!((demand.produces - 250.0).abs() < 1e-6, "4 records in 3 ms: {demand:?}");
        assert!(demand.batches_error < 1e-6, "{demand:?}");
        knees[0].trials[0].batches *= 2.0;
        let demand = Demand::of_workload(&workload, Learned { knees: &knees }).unwrap();
        assert!(demand.batches_error > 0.1, "{demand:?}");
    }

    #[test]
    fn what_is_no_load_to_plan_for_is_refused() {
        let of = |line: &str| {
            let workload = Workload::of_options(&RunOptions::parse_for_tests(line));
            Demand::of_workload(&workload, Learned { knees: &[] }).unwrap_err().to_string()
        };
        assert!(of("").contains("rate = 5000"));
        assert!(of("--consume-only --consumers 1").contains("[[producer]]"));
    }

    #[test]
    fn a_knee_is_a_load_too() {
        let knees = knees();
        let demand = Demand::of_knee(&knees[0], Learned { knees: &knees }).unwrap();
        let rate = knees[0].found.unwrap().0;
        assert!((demand.records - rate).abs() < 1e-6);
        assert!((demand.produces * 10.0 / rate - 1.0).abs() < 1e-6, "{demand:?}");
        assert_eq!((demand.partitions, demand.busiest_partition), (4.0, 0.25));
        assert_eq!(demand.connections(1.0, 1.0), 5.0);
    }

    #[test]
    fn the_first_key_of_a_zipf_distribution_has_its_share() {
        assert!((zipf_sum(3, 1.0) - (1.0 + 0.5 + 1.0 / 3.0)).abs() < 1e-12);
        // The harmonic number of a million.
        assert!((zipf_sum(1_000_000, 1.0) - 14.392_726_7).abs() < 1e-6);
        assert!((zipf_sum(1_000_000, 2.0) - 1.644_933).abs() < 1e-5);
    }
}
