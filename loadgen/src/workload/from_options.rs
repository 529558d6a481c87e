//! The workload that the options of `loadgen run` stand for. Pure.

use super::{Consumers, KeyChoice, Phase, Producers, Reading, RecordSize, Topic, Workload};
use crate::{options::RunOptions, schedule::Arrivals};
use std::time::Duration;

impl Workload {
    pub fn of_options(options: &RunOptions) -> Workload {
        let topic = Topic {
            name: options.topic.clone(),
            partitions: options.partitions,
            replication_factor: options.replication_factor,
            configs: Vec::new(),
        };
        let producers = Producers {
            topics: vec![0],
            connections: options.connections,
            rate: options.rate,
            series: None,
            arrivals: Arrivals::Fixed,
            record_size: RecordSize::Fixed(options.record_size),
            keys: match options.keys {
                0 => KeyChoice::None,
                count => KeyChoice::InTurn(count),
            },
            hot: None,
            entropy: None,
            compression: options.compression,
            batch_size: options.batch_size,
            linger: Duration::from_secs_f64(options.linger_ms / 1e3),
            in_flight: options.in_flight,
            acks: options.acks,
            idempotence: options.idempotence,
            transactions: None,
        };
        let consumers = Consumers {
            topics: vec![0],
            reading: if options.fan_out { Reading::Every } else { Reading::Shared },
            count: options.consumers,
            read_committed: false,
            skim: options.skim,
            fetch_size: options.fetch_size,
        };
        let phase = |name: &str, duration, measured| Phase {
            name: name.to_owned(),
            duration,
            factor: 1.0,
            measured,
        };
        let warm_up = phase("warm-up", options.warm_up, false);
        let steady = phase("steady", options.duration, true);
        let phases = [warm_up, steady].into_iter().filter(|phase| !phase.duration.is_zero());
        Workload {
            file: None,
            name: None,
            seed: 1,
            topics: vec![topic],
            producers: if options.consume_only { Vec::new() } else { vec![producers] },
            consumers: if options.consumers == 0 { Vec::new() } else { vec![consumers] },
            phases: phases.collect(),
            commands: Vec::new(),
            levels: Vec::new(),
            words: Vec::new(),
            omb: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_options_stand_for_is_summed_up_as_those_options() {
        for line in [
            "",
            "--topic t --partitions 6 --rate 500 --duration 3s --warm-up 1s --connections 4",
            "--consumers 3 --fan-out --keys 9 --record-size 30 --acks 1 --in-flight 9",
            "--consumers 2 --skim --compression lz4 --batch-size 100 --linger-ms 0",
            "--consume-only --consumers 2 --fetch-size 100000",
            "--idempotence --consumers 1 --record-size 3 --replication-factor 3",
        ] {
            let given = RunOptions::parse_for_tests(line);
            let workload = Workload::of_options(&given);
            let summary = workload.summary(&given);
            // One reader of everything is no fan-out, and alike to one that shares.
            assert_eq!(format!("{summary:?}"), format!("{given:?}"), "{line}");
            let is_judged = workload.judge_of(0).is_some();
            assert_eq!(is_judged, given.can_verify(), "{line}");
        }
    }
}
