//! What a profile has seen of a cluster. Data, and the figures that follow from it alone. Pure.
//!
//! Owns: where each partition and each group stood first and last. Never: estimates what was not
//! seen; `portrait.rs` says of that why.

use super::sample::Sample;
use std::collections::{BTreeMap, BTreeSet};

/// An offset, at a time in seconds from the beginning of the profile.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct At {
    pub s: f64,
    pub offset: i64,
}

#[derive(Debug, Default)]
pub struct Seen {
    pub topics: Vec<TopicSeen>,
    pub groups: Vec<GroupSeen>,
    /// Seconds that were watched.
    pub seconds: f64,
    /// Said of the whole: what could not be asked for, and why.
    pub remarks: Vec<String>,
}

#[derive(Debug, Default)]
pub struct TopicSeen {
    pub name: String,
    pub replication_factor: i16,
    pub partitions: Vec<Progress>,
    pub sample: Sample,
    /// Bytes that the leaders' logs grew by, where brokers say it.
    pub log_growth_bytes: Option<i64>,
    /// Why its records could not be read.
    pub unreadable: Option<String>,
    /// Second in which it was found to be gone.
    pub gone_s: Option<f64>,
    /// What else happened to it.
    pub remarks: BTreeSet<String>,
}

#[derive(Debug, Default)]
pub struct GroupSeen {
    pub id: String,
    pub state: String,
    /// "consumer", or what else uses groups.
    pub protocol_type: String,
    pub members: usize,
    /// Topics that members were given partitions of.
    pub assigned: BTreeSet<String>,
    pub committed: BTreeMap<(String, i32), Progress>,
    /// Why it is not known.
    pub unknown: Option<String>,
}

/// How an offset rises.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Progress {
    pub first: Option<At>,
    pub last: Option<At>,
    /// The first and the last that were new: commits rise in steps, and from step to step their
    /// rate is exact.
    pub first_step: Option<At>,
    pub last_step: Option<At>,
}

impl Progress {
    /// Returns records per second since the last one; `None` for the first, and where the offset
    /// has fallen, as it does when a topic is made anew: all begins again then.
    pub fn add(&mut self, now: At) -> Option<f64> {
        let Some(before) = self.last else {
            (self.first, self.last) = (Some(now), Some(now));
            return None;
        };
        if now.offset < before.offset {
            *self = Progress { first: Some(now), last: Some(now), ..Progress::default() };
            return None;
        }
        if now.offset > before.offset {
            self.first_step.get_or_insert(now);
            self.last_step = Some(now);
        }
        self.last = Some(now);
        let seconds = now.s - before.s;
        (seconds > 0.0).then(|| (now.offset - before.offset) as f64 / seconds)
    }

    pub fn records(&self) -> i64 {
        match (self.first, self.last) {
            (Some(first), Some(last)) => last.offset - first.offset,
            _ => 0,
        }
    }

    /// Records per second.
    pub fn rate(&self) -> f64 {
        rate(self.first, self.last)
    }

    /// Records per second of what rises in steps.
    pub fn step_rate(&self) -> f64 {
        match rate(self.first_step, self.last_step) {
            0.0 => self.rate(),
            rate => rate,
        }
    }
}

fn rate(first: Option<At>, last: Option<At>) -> f64 {
    match (first, last) {
        (Some(first), Some(last)) if last.s > first.s => {
            (last.offset - first.offset) as f64 / (last.s - first.s)
        }
        _ => 0.0,
    }
}

impl TopicSeen {
    /// Records per second by partition; markers of transactions are none.
    pub fn rates(&self) -> Vec<f64> {
        let share = self.sample.record_share();
        self.partitions.iter().map(|partition| partition.rate() * share).collect()
    }

    pub fn rate(&self) -> f64 {
        self.rates().iter().sum()
    }

    /// Bytes of batches per record, as they are on the wire: sampled, or by the growth of the logs.
    pub fn bytes_per_record(&self) -> Option<f64> {
        if self.sample.records > 0 {
            return Some(self.sample.wire_bytes as f64 / self.sample.records as f64);
        }
        let records: i64 = self.partitions.iter().map(Progress::records).sum();
        let growth = self.log_growth_bytes.filter(|growth| *growth > 0)?;
        (records > 0).then(|| growth as f64 / records as f64)
    }

    /// Each partition's share of the records; all alike where none came.
    pub fn shares(&self) -> Vec<f64> {
        let rates = self.rates();
        let total: f64 = rates.iter().sum();
        let share = |rate: &f64| {
            if total > 0.0 { rate / total } else { 1.0 / rates.len().max(1) as f64 }
        };
        rates.iter().map(share).collect()
    }
}

impl GroupSeen {
    /// Topics it reads: those given to members, and those whose offsets it moves.
    pub fn topics(&self) -> BTreeSet<String> {
        let moved = self.committed.iter().filter(|(_, progress)| progress.records() > 0);
        moved.map(|((topic, _), _)| topic.clone()).chain(self.assigned.iter().cloned()).collect()
    }

    /// Records per second that it commits of a topic; markers of transactions are none.
    pub fn rate_of(&self, topic: &TopicSeen) -> f64 {
        let of_topic = self.committed.iter().filter(|((of, _), _)| *of == topic.name);
        let offsets: f64 = of_topic.map(|(_, progress)| progress.step_rate()).sum();
        offsets * topic.sample.record_share()
    }

    /// Records behind the ends of a topic when both were last seen; `None` where nothing was
    /// committed.
    pub fn lag_of(&self, topic: &TopicSeen) -> Option<i64> {
        let lag = |(number, end): (usize, &Progress)| {
            let committed = self.committed.get(&(topic.name.clone(), number as i32))?.last?;
            Some((end.last?.offset - committed.offset).max(0))
        };
        topic.partitions.iter().enumerate().filter_map(lag).reduce(|sum, lag| sum + lag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(steps: &[(f64, i64)]) -> Progress {
        let mut progress = Progress::default();
        for (s, offset) in steps {
            progress.add(At { s: *s, offset: *offset });
        }
        progress
    }

    #[test]
    fn a_rate_is_of_the_first_and_the_last_and_a_topic_made_anew_begins_again() {
        let mut seen = progress(&[(0.0, 100), (2.0, 300), (10.0, 1_100)]);
        assert_eq!((seen.rate(), seen.records()), (100.0, 1_000));
        assert_eq!(seen.add(At { s: 12.0, offset: 1_500 }), Some(200.0));
        assert_eq!(seen.add(At { s: 13.0, offset: 5 }), None);
        assert_eq!(seen.add(At { s: 15.0, offset: 25 }), Some(10.0));
        assert_eq!((seen.rate(), Progress::default().rate()), (10.0, 0.0));
    }

    #[test]
    fn what_is_committed_in_steps_has_the_rate_of_its_steps() {
        // Ten a second, committed each five: 60 s would say 55 / 6 = 9.2.
        let steps: Vec<_> = (0..=60).map(|s| (f64::from(s), i64::from((s + 3) / 5 * 50))).collect();
        assert_eq!(progress(&steps).step_rate(), 10.0);
        let group = GroupSeen {
            committed: BTreeMap::from([
                (("a".to_owned(), 0), progress(&[(0.0, 5), (10.0, 25)])),
                (("b".to_owned(), 0), progress(&[(0.0, 5), (10.0, 5)])),
            ]),
            assigned: BTreeSet::from(["c".to_owned()]),
            ..GroupSeen::default()
        };
        assert_eq!(Vec::from_iter(group.topics()), ["a", "c"]);
        let topic = |name: &str| TopicSeen {
            name: name.to_owned(),
            partitions: vec![progress(&[(0.0, 0), (10.0, 30)]), progress(&[(0.0, 9)])],
            ..TopicSeen::default()
        };
        assert_eq!((group.rate_of(&topic("a")), group.rate_of(&topic("c"))), (2.0, 0.0));
        assert_eq!((group.lag_of(&topic("a")), group.lag_of(&topic("c"))), (Some(5), None));
    }

    #[test]
    fn bytes_of_records_that_cannot_be_read_are_of_the_logs_growth() {
        let mut topic = TopicSeen {
            partitions: vec![
                progress(&[(0.0, 0), (10.0, 300)]),
                progress(&[(0.0, 0), (10.0, 100)]),
            ],
            log_growth_bytes: Some(40_000),
            ..TopicSeen::default()
        };
        assert_eq!((topic.rate(), topic.bytes_per_record()), (40.0, Some(100.0)));
        assert_eq!(topic.shares(), [0.75, 0.25]);
        topic.log_growth_bytes = Some(-5);
        assert_eq!(topic.bytes_per_record(), None, "retention took more than came");
    }
}
