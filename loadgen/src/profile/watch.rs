//! Watches a cluster: asks for the ends of partitions by the interval, samples what came between
//! them, and sees how far groups have read.
//!
//! Owns: what was seen, and the budget of sampling. Lives on: the generator's thread. Never: asks
//! more than one thing of a broker at a time; ends because one topic or one broker is gone.

use super::{
    budget::{Budget, Candidate, in_order},
    choice::visible,
    options::ProfileOptions,
    seen::{Progress, Seen, TopicSeen},
    wire::{Fetched, Place, Wire},
};
use crate::{
    dialer::error_of,
    run::first,
    say,
    signals::Interrupt,
    table::{RateTable, Row},
};
use anyhow::bail;
use protocol::{ErrorCode, messages::MetadataResponse};
use ring::Ring;
use rustc_hash::FxHashMap;
use std::{collections::BTreeSet, rc::Rc, time::Duration};

mod groups;

/// Partitions that are watched at once: one question for each of them by the interval.
const PARTITIONS_MAX: usize = 50_000;
const PARTITIONS_PER_FETCH: usize = 100;
/// Fetches of one broker by the interval.
const FETCHES_MAX: usize = 16;
/// How long a broker that did not answer is left alone.
const AWAY_S: f64 = 3.0;
/// How long no broker may answer before the profile ends.
const PATIENCE_S: f64 = 30.0;
const PROGRESS_S: f64 = 10.0;
/// Topics that are named where none was meant.
const NAMED_MAX: usize = 10;
/// Remarks of one kind that are made.
const REMARKS_MAX: usize = 50;

/// A partition, beside what was seen of it.
#[derive(Clone, Debug, Default)]
struct Part {
    leader: Option<Rc<str>>,
    /// Where the next batch that is not sampled begins.
    position: i64,
    /// Where it ended by the last answer, and by the one before it.
    end: Option<i64>,
    end_before: Option<i64>,
    log_bytes: Option<i64>,
}

pub struct Watch {
    wire: Wire,
    ring: Ring,
    options: ProfileOptions,
    pub seen: Seen,
    pub table: RateTable,
    names: Vec<Rc<str>>,
    parts: Vec<Vec<Part>>,
    places: FxHashMap<Rc<str>, usize>,
    groups: groups::Groups,
    budget: Budget,
    pub sampled_bytes: u64,
    /// Brokers that did not answer, and until when they are left alone.
    away: FxHashMap<Rc<str>, f64>,
    /// A broker or a leader has changed: it is to be asked again who leads what.
    is_stale: bool,
    answered_s: f64,
    /// Why it ended before its time.
    pub cut_short: Option<String>,
}

impl Watch {
    /// Asks which topics there are, and chooses.
    ///
    /// # Errors
    ///
    /// Where no broker answers, or no topic is meant.
    pub async fn begin(ring: &Ring, options: ProfileOptions) -> anyhow::Result<Watch> {
        let wire = Wire::new(ring, &options.bootstrap);
        let metadata = wire.metadata(None).await?;
        let mut watch = Watch {
            budget: Budget::new(options.max_bytes_per_s),
            wire,
            ring: ring.clone(),
            options,
            seen: Seen::default(),
            table: RateTable::default(),
            names: Vec::new(),
            parts: Vec::new(),
            places: FxHashMap::default(),
            groups: groups::Groups::default(),
            sampled_bytes: 0,
            away: FxHashMap::default(),
            is_stale: false,
            answered_s: 0.0,
            cut_short: None,
        };
        watch.choose(&metadata).await?;
        watch.lead(&metadata);
        Ok(watch)
    }

    async fn choose(&mut self, metadata: &MetadataResponse) -> anyhow::Result<()> {
        let all: Vec<(&str, bool)> = metadata
            .topics
            .iter()
            .filter_map(|topic| Some((topic.name.as_deref()?, topic.is_internal)))
            .collect();
        let choice = self.options.topics.clone();
        let chosen: BTreeSet<&str> = match &choice {
            Some(choice) => choice.of(&all),
            None => visible(&all).collect(),
        };
        let unmatched = choice.as_ref().map_or(Vec::new(), |choice| choice.unmatched(&all));
        for item in unmatched {
            let why = self.why_not(item).await;
            self.remark(format!("--topics '{item}' means no topic: {why}."));
        }
        // The same cluster gives the same file, in whichever order its broker names topics.
        let mut topics: Vec<_> = metadata.topics.iter().collect();
        topics.sort_by(|a, b| a.name.cmp(&b.name));
        for topic in topics {
            let name = topic.name.as_deref().unwrap_or_default();
            if !chosen.contains(name) {
                continue;
            }
            if topic.error_code != 0 {
                let error = error_of(topic.error_code);
                self.remark(format!("Topic '{name}' is left out: {}.", explained(error)));
                continue;
            }
            let partitions = topic.partitions.len();
            let replicas = topic.partitions.first().map_or(0, |one| one.replica_nodes.len());
            let name: Rc<str> = name.into();
            self.places.insert(name.clone(), self.names.len());
            self.table.topics.push(name.to_string());
            self.seen.topics.push(TopicSeen {
                name: name.to_string(),
                replication_factor: i16::try_from(replicas).unwrap_or(i16::MAX).max(1),
                partitions: vec![Progress::default(); partitions],
                ..TopicSeen::default()
            });
            self.parts.push(vec![Part::default(); partitions]);
            self.names.push(name);
        }
        let partitions: usize = self.parts.iter().map(Vec::len).sum();
        if partitions > PARTITIONS_MAX {
            bail!(
                "{partitions} partitions are more than {PARTITIONS_MAX}: give --topics fewer, as \
                 in --topics 'orders,click.*'"
            );
        }
        if partitions == 0 {
            let known: Vec<&str> = visible(&all).take(NAMED_MAX).collect();
            let remarks = self.seen.remarks.join(" ");
            bail!(
                "there is no topic to look at. {remarks} {}",
                match known.is_empty() {
                    true => "The broker names none: give --bootstrap of another, or fill one first"
                        .to_owned(),
                    false => format!("Give --topics some of {}", known.join(", ")),
                }
            );
        }
        Ok(())
    }

    /// Why a name is not among the topics: brokers leave out what may not be seen, unless asked.
    async fn why_not(&self, item: &str) -> String {
        let none = "none of that name is there".to_owned();
        if !crate::options::is_legal_topic(item) {
            return none;
        }
        match self.wire.metadata(Some(vec![item])).await {
            Ok(said) => said.topics.first().map_or(none, |one| explained(error_of(one.error_code))),
            Err(_) => none,
        }
    }

    /// Takes over who leads what.
    fn lead(&mut self, metadata: &MetadataResponse) {
        let address = |id: i32| {
            let broker = metadata.brokers.iter().find(|broker| broker.node_id == id)?;
            Some(crate::cluster::address_of(&broker.host, broker.port))
        };
        let now_s = self.wire.now_s();
        for topic in &metadata.topics {
            let place = topic.name.as_deref().and_then(|name| self.places.get(name).copied());
            let Some(place) = place else { continue };
            let seen = &mut self.seen.topics[place];
            match error_of(topic.error_code) {
                ErrorCode::None => {}
                ErrorCode::UnknownTopicOrPartition => {
                    seen.gone_s.get_or_insert(now_s);
                }
                error => {
                    seen.remarks.insert(explained(error));
                }
            }
            for one in &topic.partitions {
                let part = usize::try_from(one.partition_index).ok();
                if let Some(part) = part.and_then(|at| self.parts[place].get_mut(at)) {
                    part.leader = address(one.leader_id);
                }
            }
        }
    }

    fn remark(&mut self, what: String) {
        let remarks = &mut self.seen.remarks;
        if remarks.len() < REMARKS_MAX && !remarks.contains(&what) {
            say::note(&format!("loadgen: {what}"));
            remarks.push(what);
        }
    }

    /// Watches until the time is over, a signal comes, or no broker is left.
    pub async fn watch(&mut self, interrupt: &Interrupt) {
        self.list_ends().await;
        self.weigh_logs(true).await;
        self.list_groups().await;
        let (end_s, interval_s) =
            (self.options.duration.as_secs_f64(), self.options.interval.as_secs_f64());
        let (mut next_s, mut said_s) = (self.wire.now_s() + interval_s, 0.0);
        loop {
            let pause_s = (next_s.min(end_s) - self.wire.now_s()).max(0.0);
            let pause = self.ring.sleep(Duration::from_secs_f64(pause_s));
            if first(pause, interrupt.wait()).await.is_none() {
                self.cut_short = Some("a signal ended it".to_owned());
                break;
            }
            self.look().await;
            let now_s = self.wire.now_s();
            if self.answered_s + PATIENCE_S < now_s {
                self.cut_short = Some(format!("no broker has answered for {PATIENCE_S} s"));
                break;
            }
            if !self.options.quiet && said_s + PROGRESS_S <= now_s {
                said_s = now_s;
                self.say_progress(now_s);
            }
            if now_s >= end_s {
                break;
            }
            // Answers that took longer than the interval are not made up for.
            next_s = f64::max(next_s + interval_s, now_s);
        }
        self.weigh_logs(false).await;
        self.list_groups().await;
        self.ask_groups(usize::MAX).await;
        if let Some(broker) = self.away.keys().next().filter(|_| self.cut_short.is_none()) {
            self.cut_short = Some(format!("{broker} did not answer any more"));
        }
        self.seen.seconds = self.wire.now_s().min(end_s);
        self.leave_markers_out();
        self.wire.close();
    }

    /// Markers of transactions have offsets, and are no records that are to be sent again.
    fn leave_markers_out(&mut self) {
        for row in &mut self.table.rows {
            for (rate, topic) in row.rates.iter_mut().zip(&self.seen.topics) {
                *rate *= topic.sample.record_share();
            }
        }
    }

    fn say_progress(&self, now_s: f64) {
        let rate: f64 = self.table.rows.last().map_or(0.0, |row| row.rates.iter().sum());
        say::note(&format!(
            "loadgen: second {now_s:.0}: {rate:.0} records/s in {} topics, {} groups, {} KB \
             sampled",
            self.names.len(),
            self.seen.groups.len(),
            self.sampled_bytes / 1000
        ));
    }

    async fn look(&mut self) {
        if std::mem::take(&mut self.is_stale) {
            self.ask_who_leads().await;
        }
        self.list_ends().await;
        self.sample().await;
        self.look_at_groups().await;
    }

    async fn ask_who_leads(&mut self) {
        let names = self.seen.topics.iter().filter(|topic| topic.gone_s.is_none());
        let names: Vec<&str> = names.map(|topic| topic.name.as_str()).collect();
        match self.wire.metadata(Some(names)).await {
            Ok(metadata) => {
                self.answered_s = self.wire.now_s();
                self.lead(&metadata);
                for topic in 0..self.names.len() {
                    let seen = &self.seen.topics[topic];
                    if let Some(gone_s) = seen.gone_s {
                        let name = &seen.name;
                        self.remark(format!("Topic '{name}' was deleted in second {gone_s:.0}."));
                    }
                }
            }
            Err(error) => {
                self.is_stale = true;
                self.remark(format!("A broker was away: {error:#}."));
            }
        }
    }

    /// Partitions that may be asked for, by their leaders.
    fn by_leader(&self) -> Vec<(Rc<str>, Vec<Place>)> {
        let now_s = self.wire.now_s();
        let mut by_leader: FxHashMap<Rc<str>, Vec<Place>> = FxHashMap::default();
        for (topic, parts) in self.parts.iter().enumerate() {
            if self.seen.topics[topic].gone_s.is_some() {
                continue;
            }
            for (number, part) in parts.iter().enumerate() {
                let Some(leader) = &part.leader else { continue };
                if self.away.get(leader).is_none_or(|until_s| *until_s <= now_s) {
                    let place = (self.names[topic].clone(), number as i32);
                    by_leader.entry(leader.clone()).or_default().push(place);
                }
            }
        }
        let mut by_leader: Vec<_> = by_leader.into_iter().collect();
        by_leader.sort();
        by_leader
    }

    /// A broker does not answer: the others go on.
    fn is_away(&mut self, broker: &Rc<str>, error: &anyhow::Error) {
        self.is_stale = true;
        let is_new = !self.away.contains_key(broker);
        self.away.insert(broker.clone(), self.wire.now_s() + AWAY_S);
        if is_new {
            let now_s = self.wire.now_s();
            self.remark(format!("A broker did not answer in second {now_s:.0}: {error:#}."));
        }
    }

    fn answered(&mut self, broker: &Rc<str>) {
        self.answered_s = self.wire.now_s();
        self.away.remove(broker);
    }

    /// Asks where partitions end, and makes a row of how much they rose.
    async fn list_ends(&mut self) {
        let mut rates = vec![0.0; self.names.len()];
        let is_first = self.parts.iter().flatten().all(|part| part.end.is_none());
        let mut is_answered = false;
        for (leader, places) in self.by_leader() {
            let ends = match self.wire.ends(&leader, &places).await {
                Ok(ends) => ends,
                Err(error) => {
                    self.is_away(&leader, &error);
                    continue;
                }
            };
            self.answered(&leader);
            is_answered = true;
            for ((name, number), end) in ends {
                let topic = self.places.get(&name).copied();
                let Some((topic, part)) = topic.zip(usize::try_from(number).ok()) else { continue };
                let Some(progress) = self.seen.topics[topic].partitions.get_mut(part) else {
                    continue;
                };
                match end {
                    Ok(at) => {
                        let is_reset = progress.last.is_some_and(|last| at.offset < last.offset);
                        rates[topic] += progress.add(at).unwrap_or(0.0);
                        let part = &mut self.parts[topic][part];
                        if is_reset || part.end.is_none() {
                            part.position = at.offset;
                        }
                        part.end_before = part.end.filter(|_| !is_reset);
                        part.end = Some(at.offset);
                        if is_reset {
                            let what =
                                "Its offsets fell: it was made anew, and counts from then on";
                            self.seen.topics[topic].remarks.insert(what.to_owned());
                        }
                    }
                    Err(error) => self.end_unknown(topic, error),
                }
            }
        }
        let until_s = self.wire.now_s();
        // Where no broker answered, the next row holds from the last one on: records that came
        // meanwhile are in it.
        if is_answered && !is_first && self.table.seconds() < until_s {
            self.table.rows.push(Row { until_s, rates });
        }
    }

    fn end_unknown(&mut self, topic: usize, error: ErrorCode) {
        use ErrorCode::{LeaderNotAvailable, NotLeaderOrFollower, UnknownTopicOrPartition};
        // Who leads it now, or whether it is there, metadata says.
        self.is_stale = true;
        if ![LeaderNotAvailable, NotLeaderOrFollower, UnknownTopicOrPartition].contains(&error) {
            self.seen.topics[topic].remarks.insert(explained(error));
        }
    }

    /// Reads what came since the last time, as far as the budget goes.
    async fn sample(&mut self) {
        self.skip_what_is_old();
        for _ in 0..FETCHES_MAX {
            let order = in_order(self.candidates());
            let mut by_leader: FxHashMap<Rc<str>, Vec<(Place, i64)>> = FxHashMap::default();
            for one in order {
                let part = &self.parts[one.topic][one.partition];
                let Some(leader) = part.leader.clone() else { continue };
                let asked = by_leader.entry(leader).or_default();
                if asked.len() < PARTITIONS_PER_FETCH {
                    let place = (self.names[one.topic].clone(), one.partition as i32);
                    asked.push((place, part.position));
                }
            }
            let mut leaders = by_leader.len() as u64;
            let mut has_more = false;
            for (leader, asked) in by_leader {
                let left = self.budget.left(self.wire.now_s()) / leaders;
                leaders -= 1;
                if left > 0 {
                    has_more |= self.fetch(&leader, &asked, left).await;
                }
            }
            if !has_more {
                return;
            }
        }
    }

    /// What was not read by now would be read at the cost of what comes: the sample goes on from
    /// where the partition ended when it was last looked at.
    fn skip_what_is_old(&mut self) {
        for (topic, parts) in self.parts.iter_mut().enumerate() {
            for (number, part) in parts.iter_mut().enumerate() {
                if let Some(before) = part.end_before.filter(|before| part.position < *before) {
                    part.position = before;
                    self.seen.topics[topic].sample.skipped(number as u32);
                }
            }
        }
    }

    fn candidates(&self) -> Vec<Candidate> {
        let mut candidates = Vec::new();
        let now_s = self.wire.now_s();
        for (topic, parts) in self.parts.iter().enumerate() {
            let seen = &self.seen.topics[topic];
            if seen.gone_s.is_some() || seen.unreadable.is_some() {
                continue;
            }
            for (partition, part) in parts.iter().enumerate() {
                let is_here = part.leader.as_ref().is_some_and(|leader| {
                    self.away.get(leader).is_none_or(|until_s| *until_s <= now_s)
                });
                if is_here && part.end.is_some_and(|end| part.position < end) {
                    let came = seen.partitions[partition].records().max(1);
                    let sampled = seen.sample.sampled_of(partition as u32);
                    candidates.push(Candidate {
                        topic,
                        partition,
                        topic_bytes: seen.sample.wire_bytes,
                        share: sampled as f64 / came as f64,
                    });
                }
            }
        }
        candidates
    }

    /// Returns whether something came.
    async fn fetch(&mut self, leader: &Rc<str>, asked: &[(Place, i64)], bytes_max: u64) -> bool {
        let fetched = match self.wire.fetch(leader, asked, bytes_max).await {
            Ok(fetched) => fetched,
            Err(error) => {
                self.is_away(leader, &error);
                return false;
            }
        };
        self.answered(leader);
        let mut has_come = false;
        for one in fetched {
            let bytes = one.records.len() as u64;
            self.budget.spend(bytes);
            self.sampled_bytes += bytes;
            has_come |= self.take(one);
        }
        has_come
    }

    fn take(&mut self, fetched: Fetched) -> bool {
        let (name, number) = fetched.place;
        let topic = self.places.get(&name).copied();
        let Some((topic, number)) = topic.zip(u32::try_from(number).ok()) else { return false };
        let seen = &mut self.seen.topics[topic];
        let partitions = self.parts[topic].len() as u32;
        let Some(part) = self.parts[topic].get_mut(number as usize) else { return false };
        match fetched.error {
            ErrorCode::None => {
                let before = part.position;
                part.position = seen.sample.take(number, partitions, &fetched.records, before);
                return part.position > before;
            }
            ErrorCode::OffsetOutOfRange => part.position = part.end.unwrap_or(part.position),
            ErrorCode::TopicAuthorizationFailed => {
                let why = "TOPIC_AUTHORIZATION_FAILED: the user needs Read on the topic";
                seen.unreadable = Some(why.to_owned());
                self.remark(format!("Records of '{name}' cannot be sampled: {why}."));
            }
            error => {
                self.is_stale = true;
                seen.remarks.insert(format!("A fetch was refused: {}", error.name()));
            }
        }
        false
    }

    /// How large the leaders' logs are; the second time, by how much they grew.
    async fn weigh_logs(&mut self, is_first: bool) {
        for (leader, places) in self.by_leader() {
            let sizes = match self.wire.log_bytes(&leader, &places).await {
                Ok(sizes) => sizes,
                Err(error) => {
                    let what = "The growth of logs (DescribeLogDirs) is not known";
                    self.remark(format!("{what}: {error:#}."));
                    continue;
                }
            };
            for (place, bytes) in sizes {
                let topic = self.places.get(&place.0).copied();
                let Some(topic) = topic else { continue };
                let Some(part) = self.parts[topic].get_mut(place.1 as usize) else { continue };
                if is_first {
                    part.log_bytes = Some(bytes);
                } else if let Some(before) = part.log_bytes {
                    *self.seen.topics[topic].log_growth_bytes.get_or_insert(0) += bytes - before;
                }
            }
        }
    }
}

/// An error, and what may be done.
fn explained(error: ErrorCode) -> String {
    let name = error.name();
    match error {
        ErrorCode::TopicAuthorizationFailed => {
            format!("{name}: the user needs Describe and Read on the topic")
        }
        ErrorCode::GroupAuthorizationFailed => {
            format!("{name}: the user needs Describe on the group")
        }
        ErrorCode::ClusterAuthorizationFailed => {
            format!("{name}: the user needs Describe on the cluster")
        }
        _ => name.to_owned(),
    }
}
