//! The producers that make what was sampled of one topic, and in words what no sample tells. Pure.
//!
//! Never: gives a producer what a workload file refuses; its checks are repeated by the caller.

use super::{
    entropy,
    sample::Sample,
    seen::TopicSeen,
    sizes::{self, SizeCounts, digits},
    skew,
};
use crate::{
    keys::{KEY_BYTES, KEYS_MAX},
    options::{Acks, BATCH_SIZE_MAX, Codec, LINGER_MAX_MS, RECORD_SIZE_MAX, Rate},
    schedule::Arrivals,
    workload::{KeyChoice, Producers, RecordSize, Transactions},
};
use protocol::compression::Compression;
use std::time::Duration;

const CODECS: [Codec; 5] = [Codec::None, Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd];
/// What stands for sizes that were not seen.
const SIZE_UNKNOWN: usize = 100;
/// A producer's default.
const BATCH_BYTES: usize = 65_536;
const IN_FLIGHT: usize = 5;
/// Producers of one topic: more ids come from restarts, or from one per transaction.
const CONNECTIONS_MAX: usize = 1_000;
/// Batches of this many bytes or more, of which most are as large as the largest, were full.
const FULL_BYTES_MIN: u32 = 8_192;
const FULL_SHARE: f64 = 0.85;
/// How many times as long as it takes to fill, a full batch may wait.
const FULL_PATIENCE: f64 = 4.0;
/// Fewer records per batch are one record per batch.
const SINGLE: f64 = 1.05;
/// A distance of sizes from their fit that is worth a word.
const DISTANCE_SAID: f64 = 0.1;
const MEAN_SAID: f64 = 0.05;
/// Shares of records that are worth a word.
const SHARE_SAID: f64 = 0.01;
const TRANSACTION_TIMEOUT: Duration = Duration::from_secs(60);
const TRANSACTION_MS: std::ops::RangeInclusive<f64> = 1.0..=600_000.0;
const TRANSACTION_MS_UNKNOWN: f64 = 100.0;
const HALVINGS: usize = 60;

/// Producers of a topic at its place in the workload, and the words on them.
pub fn of(topic: &TopicSeen, place: usize, scale: f64) -> (Producers, Vec<String>) {
    let sample = &topic.sample;
    let mut said = Vec::new();
    let record_size = record_size(topic, &mut said);
    let keys = keys(topic, &mut said);
    let transactions = transactions(sample, &mut said);
    let idempotence = is_most(sample.idempotent_batches, sample.batches);
    let connections = connections(sample, idempotence, &mut said);
    let hot = match keys {
        KeyChoice::None => skew::hot(&topic.rates()),
        _ => None,
    };
    if hot.is_some() {
        said.push("hot: the busy partitions become the first ones.".to_owned());
    }
    let codec = codec(sample);
    let lanes: Vec<f64> = match keys {
        KeyChoice::None => vec![topic.rate() / connections as f64],
        _ => topic.rates().iter().map(|rate| rate / connections as f64).collect(),
    };
    let (batch_size, linger) = batches(sample, &lanes, keys == KeyChoice::None, &mut said);
    said.push(
        "acks, requests in flight and bursts within a second are not seen from outside: defaults."
            .to_owned(),
    );
    let producers = Producers {
        topics: vec![place],
        connections,
        rate: Rate::PerSecond(digits_of_rate(topic.rate() * scale)),
        series: None,
        arrivals: Arrivals::Fixed,
        record_size,
        keys,
        hot,
        entropy: entropy_of(sample, codec, &mut said),
        compression: codec,
        batch_size,
        linger,
        in_flight: IN_FLIGHT,
        acks: Acks::All,
        idempotence: idempotence || transactions.is_some(),
        transactions,
    };
    (producers, said)
}

fn digits_of_rate(rate: f64) -> f64 {
    digits(rate).max(*crate::options::RATES.start())
}

fn is_most(some: u64, all: u64) -> bool {
    all > 0 && 2 * some > all
}

fn share(some: u64, all: u64) -> f64 {
    if all == 0 { 0.0 } else { some as f64 / all as f64 }
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

fn record_size(topic: &TopicSeen, said: &mut Vec<String>) -> RecordSize {
    let sample = &topic.sample;
    let Some(fit) = sizes::fit(&sample.sizes) else {
        let why = topic.unreadable.as_deref().unwrap_or("no whole batch was fetched");
        let known = topic.bytes_per_record();
        said.push(format!(
            "No record was sampled ({why}): sizes are {}; keys, compression and batches are not \
             known, defaults stand for them.",
            match known {
                Some(_) => "the growth of the logs over the records that came",
                None => "a guess",
            }
        ));
        let size = known.map_or(SIZE_UNKNOWN, |bytes| bytes.round() as usize);
        return RecordSize::Fixed(size.min(RECORD_SIZE_MAX));
    };
    let name = match fit.size {
        RecordSize::Fixed(_) => "fixed",
        RecordSize::Uniform { .. } => "uniform",
        RecordSize::LogNormal { .. } => "log-normal",
    };
    said.push(format!(
        "Of {} sampled records in {} batches: {} bytes of a value on average, {} fits best \
         (distance {:.3}).",
        sample.records,
        sample.batches,
        digits(fit.sample_mean),
        name,
        fit.distance
    ));
    let is_off = (fit.fit_mean / fit.sample_mean - 1.0).abs() > MEAN_SAID;
    if fit.distance > DISTANCE_SAID || is_off {
        said.push(format!(
            "No distribution of a workload file fits these sizes well: this one has {} bytes on \
             average.",
            digits(fit.fit_mean)
        ));
    }
    let shares = [
        (sample.tombstones, "have no value: they count as empty ones"),
        (sample.with_headers, "have headers, which a workload has not"),
    ];
    for (records, what) in shares {
        let share = share(records, sample.records);
        if share >= SHARE_SAID {
            said.push(format!("{} of the records {what}.", percent(share)));
        }
    }
    if sample.damaged > 0 {
        said.push(format!(
            "{} batches could not be read: their bytes are damaged.",
            sample.damaged
        ));
    }
    allowed(fit.size)
}

fn allowed(size: RecordSize) -> RecordSize {
    let cut = |size: usize| size.min(RECORD_SIZE_MAX);
    match size {
        RecordSize::Fixed(size) => RecordSize::Fixed(cut(size)),
        RecordSize::Uniform { min, max } => RecordSize::Uniform { min: cut(min), max: cut(max) },
        RecordSize::LogNormal { mean, deviation, min, max } => {
            RecordSize::LogNormal { mean, deviation, min: cut(min), max: cut(max) }
        }
    }
}

fn keys(topic: &TopicSeen, said: &mut Vec<String>) -> KeyChoice {
    let sample = &topic.sample;
    let with_keys = share(sample.keyed, sample.records);
    if (SHARE_SAID..=1.0 - SHARE_SAID).contains(&with_keys) {
        said.push(format!(
            "{} of the records have keys: here {} do.",
            percent(with_keys),
            if with_keys > 0.5 { "all" } else { "none" }
        ));
    }
    if with_keys <= 0.5 {
        return KeyChoice::None;
    }
    let key_bytes = sample.key_bytes as f64 / sample.keyed as f64;
    if (key_bytes - KEY_BYTES as f64).abs() > 0.5 {
        said.push(format!(
            "Keys have {} bytes on average: here they have {KEY_BYTES}.",
            digits(key_bytes)
        ));
    }
    let placed = share(sample.placed_by_key, sample.keyed);
    if placed < 0.99 && topic.partitions.len() > 1 {
        said.push(format!(
            "Only {} of the keyed records are where Kafka's own partitioner puts their key: here \
             all are.",
            percent(placed)
        ));
    }
    let seen = sample.keys(&topic.shares());
    let found = skew::keys(&seen);
    said.push(match found {
        Some(_) => format!(
            "keys: {} different ones were seen, and two records have the same one with a chance of \
             {}.",
            seen.distinct.round(),
            percent(seen.same)
        ),
        None => "keys: no two sampled records had the same one; as many as there can be, in turn."
            .to_owned(),
    });
    found.unwrap_or(KeyChoice::InTurn(KEYS_MAX))
}

fn transactions(sample: &Sample, said: &mut Vec<String>) -> Option<Transactions> {
    let of_batches = share(sample.transactional_batches, sample.batches);
    if (SHARE_SAID..=1.0 - SHARE_SAID).contains(&of_batches) {
        said.push(format!(
            "{} of the batches are of transactions: here {} are.",
            percent(of_batches),
            if of_batches > 0.5 { "all" } else { "none" }
        ));
    }
    if of_batches <= 0.5 {
        return None;
    }
    let length_ms = sample.transaction_ms();
    if length_ms.is_none() {
        said.push(
            "No transaction was seen from beginning to end: its length is a guess.".to_owned(),
        );
    }
    let length_ms = length_ms.unwrap_or(TRANSACTION_MS_UNKNOWN).round();
    let length_ms = length_ms.clamp(*TRANSACTION_MS.start(), *TRANSACTION_MS.end());
    let length = Duration::from_secs_f64(length_ms / 1e3);
    Some(Transactions {
        length,
        abort_share: digits(share(sample.aborts, sample.commits + sample.aborts)),
        timeout: TRANSACTION_TIMEOUT.max(2 * length),
        id: None,
    })
}

fn connections(sample: &Sample, idempotence: bool, said: &mut Vec<String>) -> usize {
    if idempotence {
        return sample.producers.len().clamp(1, CONNECTIONS_MAX);
    }
    said.push("How many producers there are is seen of idempotent ones alone: one.".to_owned());
    1
}

/// Of most records.
fn codec(sample: &Sample) -> Codec {
    let most = (0..CODECS.len()).max_by_key(|at| (sample.records_by_codec[*at], CODECS.len() - at));
    CODECS[most.unwrap_or(0)]
}

fn entropy_of(sample: &Sample, codec: Codec, said: &mut Vec<String>) -> Option<f64> {
    let mixed = 1.0 - share(*sample.records_by_codec.iter().max().unwrap_or(&0), sample.records);
    if sample.records > 0 && mixed >= SHARE_SAID {
        said.push(format!("{} of the records are compressed otherwise.", percent(mixed)));
    }
    let is_packed = codec != Codec::None && sample.unpacked_bytes > 0;
    if !is_packed {
        return None;
    }
    let ratio = share(sample.packed_bytes, sample.unpacked_bytes);
    said.push(format!("Batches are packed to {} of their bytes.", percent(ratio)));
    let values: f64 =
        sample.sizes.iter().map(|(size, count)| f64::from(*size) * *count as f64).sum();
    let value_bytes = (values / sample.records as f64).round() as usize;
    let records = share(sample.records, sample.batches).round() as usize;
    let codec = Compression::ALL[CODECS.iter().position(|one| *one == codec).unwrap_or(0)];
    Some(entropy::of(ratio, codec, value_bytes, records))
}

/// Bytes after which a batch is sent, and how long it waits. `lanes`: records per second of each
/// batch that can be open at a time.
fn batches(
    sample: &Sample,
    lanes: &[f64],
    are_regular: bool,
    said: &mut Vec<String>,
) -> (usize, Duration) {
    let millisecond = Duration::from_millis(1);
    let (Some(largest), Some(median)) =
        (sample.batch_bytes.keys().next_back(), median(&sample.batch_bytes))
    else {
        return (BATCH_BYTES, millisecond);
    };
    let records = share(sample.records, sample.batches);
    let is_full = *largest >= FULL_BYTES_MIN
        && records >= 2.0
        && f64::from(median) >= FULL_SHARE * f64::from(*largest);
    let why = if is_full { "by size (most are as large as the largest)" } else { "by waiting" };
    said.push(format!(
        "Batches have {} records and {} bytes on the wire on average, and end {why}.",
        digits(records),
        digits(share(sample.wire_bytes, sample.batches))
    ));
    let wait = |seconds: f64| {
        let ms = if seconds.is_finite() { seconds * 1e3 } else { LINGER_MAX_MS };
        Duration::from_secs_f64(digits(ms.clamp(0.0, LINGER_MAX_MS)) / 1e3)
    };
    if is_full {
        let slowest =
            lanes.iter().copied().filter(|rate| *rate > 0.0).fold(f64::INFINITY, f64::min);
        let record_bytes = f64::from(median) / records;
        let size = f64::from(median) + record_bytes / 2.0;
        let linger = wait(FULL_PATIENCE * records / slowest).max(millisecond);
        return ((size.round() as usize).clamp(1, BATCH_SIZE_MAX), linger);
    }
    let size = (*largest as usize + 1).clamp(BATCH_BYTES, BATCH_SIZE_MAX);
    if records < SINGLE {
        // Records that are due together would share one.
        let one = sample.batch_bytes.keys().next().copied().unwrap_or(1) as usize;
        return (one.clamp(1, BATCH_SIZE_MAX), Duration::ZERO);
    }
    (size, wait(linger_of(records, lanes, are_regular)))
}

/// Seconds that a batch waits, if it has so many records on average in the end.
fn linger_of(records: f64, lanes: &[f64], are_regular: bool) -> f64 {
    let total: f64 = lanes.iter().sum();
    if are_regular {
        // Between the last record that came in time and the first that did not.
        return (records - 0.5) / total;
    }
    // The first record opens a batch, and those that come while it waits join.
    let average =
        |seconds: f64| total / lanes.iter().map(|rate| rate / (1.0 + rate * seconds)).sum::<f64>();
    let (mut low, mut high) = (0.0, LINGER_MAX_MS / 1e3);
    for _ in 0..HALVINGS {
        let middle = (low + high) / 2.0;
        if average(middle) < records {
            low = middle;
        } else {
            high = middle;
        }
    }
    (low + high) / 2.0
}

fn median(counts: &SizeCounts) -> Option<u32> {
    let total: u64 = counts.values().sum();
    let mut below = 0;
    counts.iter().find_map(|(size, count)| {
        below += count;
        (2 * below >= total).then_some(*size)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::seen::{At, Progress};
    use crate::workload::Hot;
    use protocol::records::BatchBuilder;

    /// A topic with these records per second in its partitions.
    fn topic(rates: &[i64]) -> TopicSeen {
        let partition = |rate: &i64| {
            let mut progress = Progress::default();
            progress.add(At { s: 0.0, offset: 0 });
            progress.add(At { s: 10.0, offset: 10 * rate });
            progress
        };
        TopicSeen {
            name: "t".to_owned(),
            partitions: rates.iter().map(partition).collect(),
            ..TopicSeen::default()
        }
    }

    /// Batches of so many records of 100 bytes.
    fn fill(topic: &mut TopicSeen, batches: i64, records: i64, producer: Option<i64>) {
        for batch in 0..batches {
            let mut builder = BatchBuilder::new(batch * records);
            if let Some(id) = producer {
                builder = builder.producer(id, 0, 0);
            }
            (0..records).for_each(|_| builder.append(0, None, Some(&[7; 100]), &[]));
            topic.sample.take(0, 1, &builder.build(), 0);
        }
    }

    #[test]
    fn rates_batches_and_producers_are_those_that_were_seen() {
        let mut seen = topic(&[100, 300, 100]);
        fill(&mut seen, 50, 4, Some(1));
        fill(&mut seen, 50, 4, Some(2));
        let (made, said) = of(&seen, 3, 2.0);
        assert_eq!((made.topics, made.rate), (vec![3], Rate::PerSecond(1000.0)));
        assert_eq!(made.record_size, RecordSize::Fixed(100));
        assert!(made.idempotence && made.connections == 2, "two ids: {said:?}");
        assert_eq!(made.hot, Some(Hot { share: 0.6, partitions: 1 }));
        // Two connections of 250 records/s: the fourth comes after 12 ms, a fifth would after 16.
        assert_eq!((made.batch_size, made.linger), (BATCH_BYTES, Duration::from_millis(14)));
        assert!(said.iter().any(|line| line.contains("400 sampled records")), "{said:?}");
    }

    #[test]
    fn full_batches_have_their_size_and_single_records_do_not_wait() {
        let mut seen = topic(&[1_000]);
        fill(&mut seen, 20, 100, None);
        let (made, _) = of(&seen, 0, 1.0);
        assert_eq!((made.batch_size, made.linger), (11_055, Duration::from_millis(400)));
        let mut single = topic(&[1_000]);
        fill(&mut single, 20, 1, None);
        let (made, said) = of(&single, 0, 1.0);
        assert_eq!((made.batch_size, made.linger), (110, Duration::ZERO));
        assert!(said.iter().any(|line| line.contains("idempotent ones alone")), "{said:?}");
    }

    #[test]
    fn what_could_not_be_read_is_guessed_and_said() {
        let mut seen = topic(&[10]);
        seen.log_growth_bytes = Some(25_000);
        seen.unreadable = Some("TOPIC_AUTHORIZATION_FAILED".to_owned());
        let (made, said) = of(&seen, 0, 1.0);
        assert_eq!(made.record_size, RecordSize::Fixed(250));
        assert!(said[0].contains("TOPIC_AUTHORIZATION_FAILED") && said[0].contains("growth"));
        seen.log_growth_bytes = None;
        let (made, said) = of(&seen, 0, 1.0);
        assert_eq!(made.record_size, RecordSize::Fixed(SIZE_UNKNOWN));
        assert!(said[0].contains("a guess"), "{said:?}");
    }

    #[test]
    fn batches_of_keyed_records_wait_as_long_as_all_lanes_together_say() {
        // 10 and 90 a second wait 100 ms: (1 + 1) and (1 + 9) records at 5 and 9 batches a second.
        let wait = linger_of(100.0 / 14.0, &[10.0, 90.0], false);
        assert!((wait - 0.1).abs() < 1e-6, "{wait}");
        assert_eq!(linger_of(3.5, &[100.0], true), 0.03);
        assert_eq!(median(&SizeCounts::from([(1, 1), (5, 2), (9, 2)])), Some(5));
    }
}
