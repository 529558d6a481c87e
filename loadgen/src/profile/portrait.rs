//! The workload that has the figures of what was seen, and in words what it leaves out and why.
//! Pure.
//!
//! Owns: nothing that moves. Never: says a figure that was not seen without saying so.

use super::{
    producers,
    seen::{GroupSeen, Seen, TopicSeen},
    sizes,
};
use crate::{
    options::RATES,
    value::STAMP_BYTES,
    workload::{Consumers, GROUPS_MAX, Groups, Phase, Producers, Reading, Topic, Workload},
};
use std::{collections::BTreeMap, time::Duration};

const NAME: &str = "profile";
/// Kafka's defaults for consumers.
const SESSION_TIMEOUT: Duration = Duration::from_secs(45);
const COMMIT_INTERVAL: Duration = Duration::from_secs(5);
const FETCH_BYTES: i32 = 4 << 20;
/// Sent before the measured time.
const WARM_UP: Duration = Duration::from_secs(5);
/// Members of one group that a workload is given.
const MEMBERS_MAX: usize = 1_000;
/// A group that commits less than this share of a topic's records falls behind.
const KEEPS_UP: f64 = 0.9;
/// Groups that are named where many are left out.
const NAMED_MAX: usize = 5;
/// Columns of the file.
const WIDTH: usize = 96;

/// A workload with words on its parts.
#[derive(Debug)]
pub struct Portrait {
    pub workload: Workload,
    pub head: Vec<String>,
    pub topics: Vec<Vec<String>>,
    pub producers: Vec<Vec<String>>,
    pub consumers: Vec<Vec<String>>,
}

/// Members, and places of topics: groups that are alike in these become one entry.
type Alike = (usize, Vec<usize>);

impl Portrait {
    /// `None` where no topic got records that a workload could send.
    pub fn of(seen: &Seen, scale: f64) -> Option<Portrait> {
        let mut portrait = Portrait {
            workload: empty(seen.seconds),
            head: head(seen, scale),
            topics: Vec::new(),
            producers: Vec::new(),
            consumers: Vec::new(),
        };
        for topic in &seen.topics {
            if !RATES.contains(&(topic.rate() * scale)) {
                portrait.head.push(left_out(topic, seen.seconds));
                continue;
            }
            let place = portrait.workload.topics.len();
            let (made, said) = producers::of(topic, place, scale);
            portrait.topics.push(of_topic(topic));
            portrait.workload.topics.push(Topic {
                name: topic.name.clone(),
                partitions: topic.partitions.len() as i32,
                replication_factor: topic.replication_factor,
                configs: configs(topic),
            });
            portrait.producers.push(said);
            portrait.workload.producers.push(made);
        }
        portrait.add_groups(seen);
        (!portrait.workload.producers.is_empty()).then_some(portrait)
    }

    fn add_groups(&mut self, seen: &Seen) {
        let mut alike: BTreeMap<Alike, Vec<&GroupSeen>> = BTreeMap::new();
        let mut idle: Vec<&str> = Vec::new();
        for group in &seen.groups {
            if let Some(why) = &group.unknown {
                self.head.push(format!("Group '{}' is left out: {why}.", group.id));
                continue;
            }
            let topics = group.topics();
            let is_read = |topic: &Topic| topics.contains(&topic.name);
            let places: Vec<usize> = (0..self.workload.topics.len())
                .filter(|place| is_read(&self.workload.topics[*place]))
                .collect();
            if places.is_empty() {
                idle.push(group.id.as_str());
                continue;
            }
            alike.entry((group.members.clamp(1, MEMBERS_MAX), places)).or_default().push(group);
        }
        if !idle.is_empty() {
            let more = if idle.len() > NAMED_MAX { ", …" } else { "" };
            self.head.push(format!(
                "{} groups are left out, which read none of these topics: {}{more}.",
                idle.len(),
                idle[..idle.len().min(NAMED_MAX)].join(", ")
            ));
        }
        for ((members, places), groups) in alike {
            for groups in groups.chunks(GROUPS_MAX as usize) {
                self.add_entry(seen, members, &places, groups);
            }
        }
        self.head.push(
            "Consumers without a group, and how often groups commit, are not seen from outside: \
             left out, and Kafka's defaults."
                .to_owned(),
        );
    }

    fn add_entry(&mut self, seen: &Seen, members: usize, places: &[usize], groups: &[&GroupSeen]) {
        let writers: Vec<&Producers> = self
            .workload
            .producers
            .iter()
            .filter(|one| one.topics.iter().any(|topic| places.contains(topic)))
            .collect();
        let is_small = writers.iter().any(|one| one.record_size.min() < STAMP_BYTES);
        let mut said = Vec::new();
        for group in groups {
            for topic in seen.topics.iter().filter(|topic| group.topics().contains(&topic.name)) {
                said.push(of_reading(group, topic));
            }
        }
        if is_small {
            said.push(format!(
                "skim: records of less than {STAMP_BYTES} bytes cannot be verified."
            ));
        }
        let read_committed = writers.iter().any(|one| one.transactions.is_some());
        self.consumers.push(said);
        self.workload.consumers.push(Consumers {
            topics: places.to_vec(),
            reading: Reading::Group(Groups {
                groups: groups.len(),
                id: None,
                session_timeout: SESSION_TIMEOUT,
                commit_interval: COMMIT_INTERVAL,
            }),
            count: members,
            read_committed,
            skim: is_small,
            fetch_size: FETCH_BYTES,
        });
    }

    /// The workload file, with the words as comments before their parts.
    pub fn toml(&self) -> String {
        let mut text = comment(&self.head) + "\n";
        let mut parts = [
            ("[[topic]]", self.topics.iter()),
            ("[[producer]]", self.producers.iter()),
            ("[[consumer]]", self.consumers.iter()),
        ];
        for line in self.workload.toml().lines() {
            let part = parts.iter_mut().find(|(section, _)| *section == line);
            if let Some(said) = part.and_then(|(_, said)| said.next()) {
                text += &comment(said);
            }
            text += line;
            text.push('\n');
        }
        text
    }
}

fn empty(seconds: f64) -> Workload {
    let phase = |name: &str, duration, measured| Phase {
        name: name.to_owned(),
        duration,
        factor: 1.0,
        measured,
    };
    let steady = Duration::from_secs(seconds.round().max(1.0) as u64);
    Workload {
        file: None,
        name: Some(NAME.to_owned()),
        seed: 1,
        topics: Vec::new(),
        producers: Vec::new(),
        consumers: Vec::new(),
        phases: vec![phase("warm-up", WARM_UP, false), phase("steady", steady, true)],
        commands: Vec::new(),
        levels: Vec::new(),
        words: Vec::new(),
        omb: None,
    }
}

fn head(seen: &Seen, scale: f64) -> Vec<String> {
    let mut head = vec![
        format!(
            "What `loadgen profile` saw of a cluster in {:.0} s{}.",
            seen.seconds,
            if scale == 1.0 { String::new() } else { format!(", with {scale} times its rates") }
        ),
        "The topics have the names of that cluster: send this to another one, or rename them."
            .to_owned(),
    ];
    head.extend(seen.remarks.iter().cloned());
    head
}

fn left_out(topic: &TopicSeen, seconds: f64) -> String {
    let why = match (topic.gone_s, topic.remarks.iter().next()) {
        (Some(gone_s), _) => format!("it was deleted in second {gone_s:.0}"),
        (_, Some(why)) if topic.partitions.iter().all(|one| one.last.is_none()) => why.clone(),
        _ => format!("no records came within {seconds:.0} s"),
    };
    let partitions = topic.partitions.len();
    format!("Topic '{}' ({partitions} partitions) is left out: {why}.", topic.name)
}

fn of_topic(topic: &TopicSeen) -> Vec<String> {
    let mut said = Vec::new();
    if let Some(gone_s) = topic.gone_s {
        said.push(format!("It was deleted in second {gone_s:.0}: rates are those until then."));
    }
    said.extend(topic.remarks.iter().map(|remark| format!("{remark}.")));
    said
}

fn configs(topic: &TopicSeen) -> Vec<(String, String)> {
    let sample = &topic.sample;
    if sample.batches > 0 && 2 * sample.log_append_batches > sample.batches {
        return vec![("message.timestamp.type".to_owned(), "LogAppendTime".to_owned())];
    }
    Vec::new()
}

fn of_reading(group: &GroupSeen, topic: &TopicSeen) -> String {
    let (rate, written) = (group.rate_of(topic), topic.rate());
    let mut said = format!(
        "'{}' ({}, {} members) commits {} records/s of '{}'",
        group.id,
        group.state,
        group.members,
        sizes::digits(rate),
        topic.name
    );
    match group.lag_of(topic) {
        Some(lag) => said += &format!(", and was {lag} records behind at the end."),
        None => said += ", and committed no offset of it.",
    }
    if rate < KEEPS_UP * written && rate > 0.0 {
        said += " It falls behind; here it reads as fast as it can.";
    }
    said
}

/// Lines of TOML that a parser passes over.
fn comment(said: &[String]) -> String {
    let mut text = String::new();
    for sentence in said {
        let mut line = String::new();
        for word in sentence.split_whitespace() {
            if !line.is_empty() && line.len() + 1 + word.len() > WIDTH {
                text += &format!("#{line}\n");
                line = "  ".to_owned();
            }
            line.push(' ');
            line.extend(word.chars().filter(|c| !c.is_control()));
        }
        text += &format!("#{line}\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::seen::{At, Progress};
    use protocol::records::BatchBuilder;

    fn progress(rate: i64) -> Progress {
        let mut progress = Progress::default();
        for s in 0..=10 {
            progress.add(At { s: f64::from(s), offset: rate * i64::from(s) });
        }
        progress
    }

    fn topic(name: &str, rate: i64, value_bytes: usize) -> TopicSeen {
        let mut topic = TopicSeen {
            name: name.to_owned(),
            partitions: vec![progress(rate); 2],
            replication_factor: 3,
            ..TopicSeen::default()
        };
        let mut builder = BatchBuilder::new(0);
        (0..10).for_each(|_| builder.append(0, None, Some(&vec![1; value_bytes]), &[]));
        topic.sample.take(0, 2, &builder.build(), 0);
        topic
    }

    fn group(id: &str, members: usize, topics: &[&str]) -> GroupSeen {
        let committed = topics.iter().map(|name| (((*name).to_owned(), 0), progress(20)));
        GroupSeen {
            id: id.to_owned(),
            state: "Stable".to_owned(),
            members,
            assigned: topics.iter().map(|name| (*name).to_owned()).collect(),
            committed: committed.collect(),
            ..GroupSeen::default()
        }
    }

    fn seen() -> Seen {
        let mut gone = topic("gone", 5, 100);
        gone.gone_s = Some(4.0);
        Seen {
            topics: vec![topic("a", 10, 100), topic("idle", 0, 100), topic("b", 50, 10), gone],
            groups: vec![
                group("one", 2, &["a"]),
                group("two", 2, &["a"]),
                group("both", 5, &["a", "b"]),
                group("none", 1, &["idle"]),
                GroupSeen { unknown: Some("NOT ALLOWED".to_owned()), ..group("x", 1, &["a"]) },
            ],
            seconds: 10.0,
            remarks: vec!["A broker did not answer: it is gone\u{7}.".to_owned()],
        }
    }

    #[test]
    fn the_file_passes_its_own_check_and_says_what_it_leaves_out() {
        let portrait = Portrait::of(&seen(), 2.0).unwrap();
        let text = portrait.toml();
        assert_eq!(Workload::of_toml(&text).unwrap(), portrait.workload, "{text}");
        let names: Vec<&str> =
            portrait.workload.topics.iter().map(|topic| topic.name.as_str()).collect();
        assert_eq!(names, ["a", "b", "gone"]);
        for says in [
            "Topic 'idle' (2 partitions) is left out: no records came within 10 s.",
            "deleted in second 4",
            "Group 'x' is left out: NOT ALLOWED.",
            "1 groups are left out, which read none of these topics: none.",
            "with 2 times its rates",
            "it is gone.",
            "skim: records of less than 24 bytes",
            "'both' (Stable, 5 members) commits 20 records/s of 'b'",
        ] {
            let flat = text.replace("\n#  ", "");
            assert!(flat.contains(says), "{says}: {text}");
        }
        assert!(text.lines().all(|line| line.len() <= 100), "{text}");
        assert!(!text.contains('\u{7}'), "what a terminal would act on");
    }

    #[test]
    fn groups_that_are_alike_become_one_entry_and_each_reader_counts() {
        let workload = Portrait::of(&seen(), 1.0).unwrap().workload;
        let entries: Vec<_> = workload
            .consumers
            .iter()
            .map(|one| match &one.reading {
                Reading::Group(groups) => (one.topics.clone(), groups.groups, one.count, one.skim),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(entries, [(vec![0], 2, 2, false), (vec![0, 1], 1, 5, true)]);
        assert_eq!(workload.topics[0].replication_factor, 3);
    }

    #[test]
    fn nothing_that_came_is_no_workload() {
        let idle = Seen { topics: vec![topic("idle", 0, 5)], seconds: 3.0, ..Seen::default() };
        assert!(Portrait::of(&idle, 1.0).is_none());
    }
}
