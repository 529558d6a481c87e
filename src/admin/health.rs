//! What `/ready` says of what the shards tell. Pure.
//!
//! A broker is ready while it can be asked for everything, topics included. Partitions and log
//! directories that are offline are named, and do not make the others' broker unready: a supervisor
//! that took it out of service would lose those, too.

use crate::stats::HealthSnapshot;
use std::fmt::Write;

#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// With a line for each thing that is not as it should be.
    Ready(String),
    NotReady(String),
}

pub fn verdict(shards: &[HealthSnapshot]) -> Verdict {
    if let Some(why) = shards.iter().find_map(|shard| shard.metadata_refuses.as_ref()) {
        return Verdict::NotReady(format!("the metadata log takes no records: {why}"));
    }
    let sum = |value: fn(&HealthSnapshot) -> u64| shards.iter().map(value).sum::<u64>();
    let mut said = String::new();
    let mut say = |count: u64, what: &str| {
        if count > 0 {
            let partitions = if count == 1 { "partition is" } else { "partitions are" };
            let _ = writeln!(said, "{count} {partitions} {what}");
        }
    };
    say(
        sum(|shard| shard.offline_until_start),
        "offline until the next start: the log says why, and what to do",
    );
    say(sum(|shard| shard.offline_for_now), "offline for now, and tried again");
    say(
        sum(|shard| shard.failed),
        "offline, because a log has failed: the log says which, and what to do",
    );
    say(sum(|shard| shard.refusing), "read only for now: what the disk lacks is in the log");
    say(
        sum(|shard| shard.coordinators_damaged),
        "damaged, and of __consumer_offsets: their groups are not served; the log says which, and \
         what to do",
    );
    for (path, why) in shards.iter().flat_map(|shard| &shard.offline_dirs) {
        let _ = writeln!(said, "the log directory {} is offline: it {why}", path.display());
    }
    Verdict::Ready(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broker_that_serves_all_is_ready_and_says_no_more() {
        assert_eq!(
            verdict(&[HealthSnapshot::default(), HealthSnapshot::default()]),
            Verdict::Ready(String::new())
        );
    }

    #[test]
    fn what_is_offline_is_named_and_leaves_the_broker_ready() {
        let one =
            HealthSnapshot { offline_until_start: 1, refusing: 2, ..HealthSnapshot::default() };
        let dirs = vec![("/b".into(), "cannot be read".to_owned())];
        let other = HealthSnapshot {
            failed: 3,
            coordinators_damaged: 1,
            offline_dirs: dirs,
            ..HealthSnapshot::default()
        };
        let Verdict::Ready(said) = verdict(&[one, other]) else { panic!("it is ready") };
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(lines.len(), 5, "{said}");
        assert!(lines[0].starts_with("1 partition is offline until"), "{said}");
        assert!(lines[1].starts_with("3 partitions are offline, because"), "{said}");
        assert!(lines[2].starts_with("2 partitions are read only"), "{said}");
        assert!(
            lines[3].starts_with("1 partition is damaged, and of __consumer_offsets"),
            "{said}"
        );
        assert_eq!(lines[4], "the log directory /b is offline: it cannot be read");
    }

    #[test]
    fn a_metadata_log_that_takes_nothing_makes_a_broker_unready() {
        let refuses = Some("No space left on device".to_owned());
        let shards = [
            HealthSnapshot::default(),
            HealthSnapshot { metadata_refuses: refuses, ..Default::default() },
        ];
        let Verdict::NotReady(why) = verdict(&shards) else { panic!("it is not ready") };
        assert_eq!(why, "the metadata log takes no records: No space left on device");
    }
}
