//! A profile in a few lines, for the terminal. Pure.

use super::{
    portrait::Portrait,
    seen::{GroupSeen, Seen, TopicSeen},
    sizes::digits,
};
use crate::{
    report::codec_name,
    workload::{KeyChoice, Producers, RecordSize},
};

/// One line for each topic with records and for each group, and what was said beside them.
pub fn lines(seen: &Seen, portrait: &Portrait, sampled_bytes: u64) -> Vec<String> {
    let mut lines = vec![format!(
        "{} of {} topics had records in {:.0} s; {} KB were sampled",
        portrait.workload.topics.len(),
        seen.topics.len(),
        seen.seconds,
        sampled_bytes / 1000
    )];
    for (topic, made) in portrait.workload.topics.iter().zip(&portrait.workload.producers) {
        if let Some(seen) = seen.topics.iter().find(|one| one.name == topic.name) {
            lines.push(of_topic(seen, made));
        }
    }
    let (readers, others): (Vec<_>, Vec<_>) =
        seen.groups.iter().partition(|group| group.unknown.is_some() || !group.topics().is_empty());
    lines.extend(readers.into_iter().map(|group| of_group(group, seen)));
    if !others.is_empty() {
        lines.push(format!("  {} other groups read none of these topics", others.len()));
    }
    lines
}

fn of_topic(seen: &TopicSeen, made: &Producers) -> String {
    let bytes = seen.bytes_per_record();
    let wire = bytes.map_or("-".to_owned(), |bytes| digits(bytes * seen.rate()).to_string());
    let growth = match seen.log_growth_bytes {
        Some(growth) if growth > 0 => format!(", logs grew by {} KB", growth / 1000),
        _ => String::new(),
    };
    let hot = made.hot.map_or(String::new(), |hot| {
        format!(", {:.0} % in the {} busiest", hot.share * 100.0, hot.partitions)
    });
    let kind = match (&made.transactions, made.idempotence) {
        (Some(_), _) => ", transactions",
        (None, true) => ", idempotent",
        (None, false) => "",
    };
    format!(
        "  {} ({} partitions): {} records/s, {wire} bytes/s, values {}, {}{hot}, {}{kind}{growth}",
        seen.name,
        seen.partitions.len(),
        digits(seen.rate()),
        of_size(made.record_size),
        of_keys(made.keys),
        codec_name(made.compression),
    )
}

fn of_size(size: RecordSize) -> String {
    match size {
        RecordSize::Fixed(size) => format!("of {size} B"),
        RecordSize::Uniform { min, max } => format!("uniform {min} to {max} B"),
        RecordSize::LogNormal { mean, deviation, .. } => {
            format!("log-normal {mean} ± {deviation} B")
        }
    }
}

fn of_keys(keys: KeyChoice) -> String {
    match keys {
        KeyChoice::None => "no keys".to_owned(),
        KeyChoice::InTurn(count) => format!("{count} keys in turn"),
        KeyChoice::Uniform(count) => format!("{count} keys alike"),
        KeyChoice::Zipf(count, exponent) => format!("{count} keys by zipf {exponent}"),
    }
}

fn of_group(group: &GroupSeen, seen: &Seen) -> String {
    let topics = group.topics();
    let reads = seen.topics.iter().filter(|topic| topics.contains(&topic.name)).map(|topic| {
        let lag = group.lag_of(topic).map_or("-".to_owned(), |lag| lag.to_string());
        format!("{} at {} records/s, lag {lag}", topic.name, digits(group.rate_of(topic)))
    });
    let reads: Vec<String> = reads.collect();
    let what = group.unknown.clone().unwrap_or_else(|| reads.join("; "));
    format!("  group {} ({} members): {what}", group.id, group.members)
}
