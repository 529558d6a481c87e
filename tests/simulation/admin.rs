//! The administrator: creates, changes and deletes topics, deletes records, and looks whether the
//! broker remembers.
//!
//! There is one, and it goes on to the next step only when it knows what became of the last one.

use crate::{
    client::{Client, Lost},
    cluster::{ClusterId, METADATA_VERSION, metadata_of_all},
    commits::base_partitions,
    configs,
    model::{Invariant, PartitionKey, Topic, TopicKey},
    run::Run,
};
use protocol::{
    ErrorCode, Uuid,
    generated::rpc::{
        create_partitions_request::CreatePartitionsTopic,
        create_topics_request::{CreatableTopic, CreatableTopicConfig},
        delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic},
        delete_topics_request::DeleteTopicState,
    },
    messages::*,
};
use ring::Ring;
use rustc_hash::FxHashSet;
use std::rc::Rc;

const STEPS: usize = 25;
const TIMEOUT_MS: i32 = 10_000;

pub struct Admin {
    pub client: Client,
    /// Names with a creation that was never answered: it may come true late.
    tainted: FxHashSet<String>,
    names: usize,
}

pub async fn work(run: Rc<Run>, ring: Ring, cluster: ClusterId) {
    let client = Client::new(&run, &ring, cluster, "admin".to_owned());
    let mut admin = Admin { client, tainted: FxHashSet::default(), names: 0 };
    for (index, partitions) in run.plan.base_topics.iter().enumerate() {
        admin.create(&format!("base-{index}"), *partitions, true).await;
    }
    let mut steps_left = STEPS;
    while !run.is_over() {
        if run.is_calm() {
            if check_metadata(&mut admin.client).await.is_ok()
                && configs::check(&mut admin.client).await.is_ok()
            {
                return;
            }
        } else if steps_left > 0 {
            steps_left -= 1;
            admin.step().await;
        }
        admin.client.pause().await;
        admin.client.pause().await;
    }
}

/// What an error says about a request that changes something.
pub enum Verdict {
    /// It may have been carried out, or may be yet.
    Unknown,
    /// It was not carried out, and will not be.
    Undone,
    Refused(ErrorCode),
}

impl Admin {
    async fn step(&mut self) {
        let run = self.client.run.clone();
        match self.client.below(10) {
            0 | 1 => {
                let name = self.free_name();
                let partitions = 1 + self.client.below(3) as i32;
                self.create(&name, partitions, false).await;
            }
            2 | 3 => {
                let cluster = self.client.cluster;
                let victims: Vec<TopicKey> = run
                    .model
                    .borrow()
                    .live(cluster)
                    .filter(|topic| !topic.is_base)
                    .map(|topic| topic.key)
                    .collect();
                if !victims.is_empty() {
                    self.delete(victims[self.client.below(victims.len())]).await;
                }
            }
            4 | 5 => self.delete_records().await,
            6 => self.add_partition().await,
            7 => configs::alter(self).await,
            8 => drop(configs::check(&mut self.client).await),
            _ => drop(check_metadata(&mut self.client).await),
        }
    }

    /// A new name, or one of a topic that is gone for certain.
    fn free_name(&mut self) -> String {
        let run = self.client.run.clone();
        let model = run.model.borrow();
        let topics = || model.topics_of(self.client.cluster);
        let is_free = |name: &String| topics().all(|topic| topic.name != *name || topic.deleted);
        let gone: Vec<String> = topics().map(|topic| topic.name.clone()).filter(is_free).collect();
        let reusable: Vec<String> =
            gone.into_iter().filter(|name| !self.tainted.contains(name)).collect();
        if !reusable.is_empty() && !self.client.one_in(3) {
            return reusable[self.client.below(reusable.len())].clone();
        }
        self.names += 1;
        format!("topic-{}", self.names)
    }

    /// Judges an error: some are only to be expected of a broken disk.
    pub fn judge(&self, what: &str, error: Option<ErrorCode>, message: Option<&str>) -> Verdict {
        self.client.note(|| format!("{what}: {error:?} {message:?}"));
        match error {
            Some(ErrorCode::NotController)
                if message.is_some_and(|message| message.contains("for now")) =>
            {
                Verdict::Undone
            }
            Some(
                ErrorCode::RequestTimedOut
                | ErrorCode::NotController
                | ErrorCode::NotLeaderOrFollower,
            ) => Verdict::Unknown,
            Some(ErrorCode::KafkaStorageError | ErrorCode::UnknownServerError)
                if self.client.disk_may_fail() =>
            {
                Verdict::Unknown
            }
            Some(error) => Verdict::Refused(error),
            None => Verdict::Refused(ErrorCode::UnknownServerError),
        }
    }

    pub fn unexplained(&self, what: &str, error: ErrorCode, message: Option<&str>) {
        self.client
            .run
            .violate(Invariant::AnswersExplained, format!("{what}: {error:?}: {message:?}"));
    }

    async fn create(&mut self, name: &str, partitions: i32, is_base: bool) {
        let run = self.client.run.clone();
        let what = format!("create {name}");
        let mut in_doubt = false;
        let config = |(name, value): &(String, String)| CreatableTopicConfig {
            name: name.clone(),
            value: Some(value.clone()),
        };
        while !run.is_over() {
            let topic = CreatableTopic {
                name: name.to_owned(),
                num_partitions: partitions,
                replication_factor: -1,
                configs: run.plan.topic_configs.iter().map(config).collect(),
                ..Default::default()
            };
            let request = CreateTopicsRequest {
                topics: vec![topic],
                timeout_ms: TIMEOUT_MS,
                validate_only: false,
            };
            let answer = self.client.call(7, &request).await;
            let Ok(Some(result)) = answer.map(|response| response.topics.into_iter().next()) else {
                in_doubt = true;
                self.tainted.insert(name.to_owned());
                continue;
            };
            if result.error_code == 0 {
                self.client.note(|| format!("{name} is created as {}", result.topic_id));
                let key = TopicKey { cluster: self.client.cluster, id: result.topic_id };
                let told = self.client.told();
                let made =
                    run.model.borrow_mut().topic_created(name, key, partitions, is_base, told);
                run.check(made);
                return;
            }
            match self.judge(
                &what,
                ErrorCode::from_code(result.error_code),
                result.error_message.as_deref(),
            ) {
                Verdict::Unknown => in_doubt = true,
                Verdict::Undone => {}
                Verdict::Refused(ErrorCode::TopicAlreadyExists) if in_doubt => {
                    if let Some(id) = self.look_up(name).await {
                        self.client.note(|| format!("{name} exists as {id}"));
                        let key = TopicKey { cluster: self.client.cluster, id };
                        let told = self.client.told();
                        let made = run
                            .model
                            .borrow_mut()
                            .topic_created(name, key, partitions, is_base, told);
                        run.check(made);
                        return;
                    }
                }
                Verdict::Refused(error) => {
                    self.unexplained(&what, error, result.error_message.as_deref())
                }
            }
            self.client.pause().await;
        }
    }

    async fn look_up(&mut self, name: &str) -> Option<Uuid> {
        let response = self.client.call(METADATA_VERSION, &metadata_of_all()).await.ok()?;
        response
            .topics
            .iter()
            .find(|topic| topic.name.as_deref() == Some(name))
            .map(|topic| topic.topic_id)
    }

    async fn delete(&mut self, key: TopicKey) {
        let run = self.client.run.clone();
        let what = format!("delete {} {}", run.model.borrow().name(key), key.id);
        run.model.borrow_mut().topic_mut(key).delete_asked = true;
        let mut in_doubt = false;
        while !run.is_over() {
            let topics = vec![DeleteTopicState { name: None, topic_id: key.id }];
            let request =
                DeleteTopicsRequest { topics, timeout_ms: TIMEOUT_MS, ..Default::default() };
            let answer = self.client.call(6, &request).await;
            let Ok(Some(result)) = answer.map(|response| response.responses.into_iter().next())
            else {
                in_doubt = true;
                continue;
            };
            let error = ErrorCode::from_code(result.error_code);
            if error == Some(ErrorCode::None)
                || error == Some(ErrorCode::UnknownTopicId) && in_doubt
            {
                self.client.note(|| format!("{what}: done"));
                let told = self.client.told();
                let mut model = run.model.borrow_mut();
                let topic = model.topic_mut(key);
                (topic.deleted, topic.told) = (true, told);
                return;
            }
            match self.judge(&what, error, result.error_message.as_deref()) {
                Verdict::Unknown => in_doubt = true,
                Verdict::Undone => {}
                Verdict::Refused(ErrorCode::UnknownTopicId) => {
                    run.violate(
                        Invariant::TopicsKept,
                        format!("{what}: it was created and is unknown"),
                    );
                }
                Verdict::Refused(error) => {
                    self.unexplained(&what, error, result.error_message.as_deref())
                }
            }
            self.client.pause().await;
        }
    }

    async fn delete_records(&mut self) {
        let run = self.client.run.clone();
        let cluster = self.client.cluster;
        let base = base_partitions(&run, cluster);
        if base.is_empty() {
            return;
        }
        let (name, index) = base[self.client.below(base.len())].clone();
        let none = TopicKey { cluster, id: Uuid::ZERO };
        let topic = run
            .model
            .borrow()
            .live(cluster)
            .find(|topic| topic.name == name)
            .map_or(none, |topic| topic.key);
        let key = PartitionKey { topic, index };
        let Ok(leader) = self.client.leader_of(key).await else { return };
        let expected = run.model.borrow().expected(key);
        let offset = self.client.below(expected.acked_end as usize + 1) as i64;
        run.model.borrow_mut().delete_records_asked(key, offset);
        let what = format!("delete records of {name}-{index} before {offset}");
        let topics = vec![DeleteRecordsTopic {
            name,
            partitions: vec![DeleteRecordsPartition { partition_index: index, offset }],
        }];
        let request = DeleteRecordsRequest { topics, timeout_ms: TIMEOUT_MS };
        let Ok(response) = self.client.call_at(leader, 2, &request).await else { return };
        let Some(result) = response.topics.first().and_then(|topic| topic.partitions.first())
        else {
            return;
        };
        if ErrorCode::from_code(result.error_code) == Some(ErrorCode::NotLeaderOrFollower) {
            self.client.directory.borrow_mut().forget_leader(key);
        }
        let is_unknown =
            ErrorCode::from_code(result.error_code) == Some(ErrorCode::UnknownTopicOrPartition);
        if is_unknown && self.client.may_not_know(topic, expected.life) {
            return;
        }
        if result.error_code == 0 {
            self.client.note(|| format!("{what}: begins at {}", result.low_watermark));
            run.check(run.model.borrow_mut().log_start_told(key, expected, result.low_watermark));
            if result.low_watermark < offset {
                run.violate(
                    Invariant::LogStartKept,
                    format!("{what}: the log begins at {}", result.low_watermark),
                );
            }
        } else if let Verdict::Refused(error) =
            self.judge(&what, ErrorCode::from_code(result.error_code), None)
        {
            self.unexplained(&what, error, None);
        }
    }

    async fn add_partition(&mut self) {
        let run = self.client.run.clone();
        let may_grow = |topic: &&Topic| topic.is_base && topic.partitions < 5;
        let base: Vec<Topic> =
            run.model.borrow().live(self.client.cluster).filter(may_grow).cloned().collect();
        let Some(topic) = base.get(self.client.below(base.len())).cloned() else { return };
        let count = topic.partitions + 1;
        run.model.borrow_mut().topic_mut(topic.key).partitions_asked = count;
        let what = format!("{} gets {count} partitions", topic.name);
        let mut in_doubt = false;
        while !run.is_over() {
            let topics =
                vec![CreatePartitionsTopic { name: topic.name.clone(), count, assignments: None }];
            let request =
                CreatePartitionsRequest { topics, timeout_ms: TIMEOUT_MS, validate_only: false };
            let answer = self.client.call(3, &request).await;
            let Ok(Some(result)) = answer.map(|response| response.results.into_iter().next())
            else {
                in_doubt = true;
                continue;
            };
            let error = ErrorCode::from_code(result.error_code);
            if error == Some(ErrorCode::None)
                || error == Some(ErrorCode::InvalidPartitions) && in_doubt
            {
                self.client.note(|| format!("{what}: done"));
                let told = self.client.told();
                let mut model = run.model.borrow_mut();
                let topic = model.topic_mut(topic.key);
                (topic.partitions, topic.told) = (count, told);
                return;
            }
            match self.judge(&what, error, result.error_message.as_deref()) {
                Verdict::Unknown => in_doubt = true,
                Verdict::Undone => {}
                Verdict::Refused(error) => {
                    self.unexplained(&what, error, result.error_message.as_deref())
                }
            }
            self.client.pause().await;
        }
    }
}

/// Holds the broker's list of topics against the model. One that a core may give before it has
/// applied the last changes counts as none.
pub async fn check_metadata(client: &mut Client) -> Result<(), Lost> {
    let run = client.run.clone();
    let life = run.model.borrow().life(client.cluster);
    let response = client.call(METADATA_VERSION, &metadata_of_all()).await?;
    client.note(|| format!("metadata names {} topics", response.topics.len()));
    let model = run.model.borrow();
    let mut lags = false;
    for topic in model.topics_of(client.cluster) {
        let id = topic.key.id;
        let found = response.topics.iter().find(|found| found.topic_id == id);
        let is_old = match found {
            Some(found) => topic.deleted || (found.partitions.len() as i32) < topic.partitions,
            None => !topic.delete_asked,
        };
        if is_old && client.may_lag(&topic.told, life) {
            lags = true;
            continue;
        }
        match found {
            Some(_) if topic.deleted => {
                run.violate(
                    Invariant::TopicsKept,
                    format!("{} {id} was deleted and is back", topic.name),
                );
            }
            None if !topic.delete_asked => {
                run.violate(
                    Invariant::TopicsKept,
                    format!("{} {id} was created and is gone", topic.name),
                );
            }
            Some(found) => {
                let count = found.partitions.len() as i32;
                if found.name.as_deref() != Some(&topic.name)
                    || count < topic.partitions
                    || count > topic.partitions_asked
                {
                    let detail = format!(
                        "{} has become {:?} with {count} partitions",
                        topic.name, found.name
                    );
                    run.violate(Invariant::TopicsKept, detail);
                }
            }
            None => {}
        }
    }
    if lags { Err(Lost) } else { Ok(()) }
}
