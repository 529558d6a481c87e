//! Committed offsets as registers: what was written and acknowledged is read until something else
//! is written.
//!
//! A value that a fetch finds must have been attempted, and no acknowledged commit may lie wholly
//! between that attempt and the fetch. An attempt without an answer may take effect until the
//! broker has ended.

use crate::{
    client::{Client, Lost},
    cluster::ClusterId,
    model::{Invariant, Violation},
    run::Run,
};
use protocol::{
    ErrorCode,
    generated::rpc::{
        offset_commit_request::{OffsetCommitRequestPartition, OffsetCommitRequestTopic},
        offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopics},
    },
    messages::{
        FindCoordinatorRequest, OffsetCommitRequest, OffsetCommitResponse, OffsetFetchRequest,
    },
};
use ring::{Instant, Ring};
use std::{collections::BTreeMap, rc::Rc};

const COMMIT_VERSION: i16 = 9;
const FETCH_VERSION: i16 = 9;
const FIND_VERSION: i16 = 4;
const COMMITS: usize = 40;
const GROUPS: [&str; 3] = ["committed-a", "committed-b", "committed-c"];

/// A partition, by its topic's name, in a group of a cluster.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct CommitKey {
    cluster: ClusterId,
    group: String,
    topic: String,
    index: i32,
}

struct Attempt {
    offset: i64,
    sent_at: Instant,
    /// It takes no effect after this.
    settled_at: Option<Instant>,
    acknowledged: bool,
}

#[derive(Default)]
pub struct Commits {
    attempts: BTreeMap<CommitKey, Vec<Attempt>>,
    next_offset: i64,
    /// By cluster: what was acknowledged up to here may be gone, in a power cut that
    /// `durability=os` does not survive.
    lost_at: BTreeMap<ClusterId, Instant>,
    pub acknowledged: u64,
}

impl Commits {
    /// An offset that no client has committed yet.
    pub fn fresh_offset(&mut self) -> i64 {
        self.next_offset += 1;
        self.next_offset
    }

    pub fn sent(&mut self, key: &CommitKey, offset: i64, now: Instant) {
        let attempt = Attempt { offset, sent_at: now, settled_at: None, acknowledged: false };
        self.attempts.entry(key.clone()).or_default().push(attempt);
    }

    /// `None`: refused for good, it never takes effect.
    pub fn answered(&mut self, key: &CommitKey, offset: i64, acknowledged: bool, now: Instant) {
        let attempts = self.attempts.get_mut(key).expect("an answer follows an attempt");
        if !acknowledged {
            return attempts.retain(|attempt| attempt.offset != offset);
        }
        self.acknowledged += 1;
        let attempt = attempts
            .iter_mut()
            .find(|attempt| attempt.offset == offset)
            .expect("an answer follows an attempt");
        // An answer that was under way in a power cut says nothing of what the power cut has left.
        attempt.acknowledged =
            self.lost_at.get(&key.cluster).is_none_or(|lost_at| attempt.sent_at > *lost_at);
        attempt.settled_at = Some(now);
    }

    /// Requests that were under way are carried out no more. `loses`: any of what was acknowledged
    /// may be gone.
    pub fn broker_ended(&mut self, cluster: ClusterId, now: Instant, loses: bool) {
        if loses {
            self.lost_at.insert(cluster, now);
        }
        let of_cluster = self.attempts.iter_mut().filter(|(key, _)| key.cluster == cluster);
        for attempt in of_cluster.flat_map(|(_, attempts)| attempts) {
            attempt.acknowledged &= !loses;
            attempt.settled_at.get_or_insert(now);
        }
    }

    /// `found` is -1 where there is no committed offset.
    pub fn check(&self, key: &CommitKey, found: i64, sent_at: Instant) -> Result<(), Violation> {
        let none = Vec::new();
        let attempts = self.attempts.get(key).unwrap_or(&none);
        let bad = |detail: String| {
            let detail = format!(
                "{:?}, group {} {}-{}: {detail}",
                key.cluster, key.group, key.topic, key.index
            );
            Err(Violation { invariant: Invariant::CommittedOffsetsKept, detail })
        };
        let mut replaced_after = Instant(0);
        if found != -1 {
            let Some(attempt) = attempts.iter().find(|attempt| attempt.offset == found) else {
                return bad(format!("offset {found} is committed, no client has asked for that"));
            };
            match attempt.settled_at {
                Some(settled_at) => replaced_after = settled_at,
                None => return Ok(()),
            }
        }
        let replaced = |one: &&Attempt| {
            let settled_before = one.settled_at.is_some_and(|settled_at| settled_at < sent_at);
            one.acknowledged
                && one.offset != found
                && one.sent_at > replaced_after
                && settled_before
        };
        match attempts.iter().rfind(replaced) {
            Some(newer) => {
                bad(format!("offset {found} is found, {} was acknowledged after it", newer.offset))
            }
            None => Ok(()),
        }
    }

    fn keys(&self, cluster: ClusterId) -> Vec<CommitKey> {
        self.attempts.keys().filter(|key| key.cluster == cluster).cloned().collect()
    }
}

/// Commits and looks, without being a member of the groups.
pub async fn work(run: Rc<Run>, ring: Ring, cluster: ClusterId) {
    let mut client = Client::new(&run, &ring, cluster, "committer".to_owned());
    let mut commits_left = COMMITS;
    while !run.is_over() {
        let base = base_partitions(&run, cluster);
        if base.is_empty() {
            client.pause().await;
            continue;
        }
        if run.is_calm() || commits_left == 0 {
            if run.is_calm() && check_all(&mut client).await.is_ok() {
                return;
            }
        } else {
            let group = GROUPS[client.below(GROUPS.len())];
            let at = client.below(base.len());
            let count = 1 + client.below((base.len() - at).min(3));
            if client.one_in(4) {
                let key = |(topic, index): &(String, i32)| CommitKey {
                    cluster,
                    group: group.to_owned(),
                    topic: topic.clone(),
                    index: *index,
                };
                let keys: Vec<_> = base[at..at + count].iter().map(key).collect();
                let _ = check_keys(&mut client, group, &keys).await;
            } else {
                commits_left -= 1;
                let _ = commit(&mut client, group, (-1, ""), &base[at..at + count]).await;
            }
        }
        client.pause().await;
    }
}

/// The partitions of the topics that stay.
pub fn base_partitions(run: &Run, cluster: ClusterId) -> Vec<(String, i32)> {
    let model = run.model.borrow();
    let base = model.live(cluster).filter(|topic| topic.is_base);
    base.flat_map(|topic| (0..topic.partitions).map(|index| (topic.name.clone(), index))).collect()
}

/// Has the coordinator of a group found, which creates its topic at the first time.
pub async fn find_coordinator(client: &mut Client, group: &str) -> Result<(), Lost> {
    client.directory.borrow_mut().forget_coordinator(group);
    let request = FindCoordinatorRequest {
        key_type: 0,
        coordinator_keys: vec![group.to_owned()],
        ..Default::default()
    };
    let response = client.call(FIND_VERSION, &request).await?;
    client.directory.borrow_mut().learn_coordinators(&response);
    let error = response.coordinators.first().and_then(|one| ErrorCode::from_code(one.error_code));
    match error {
        Some(ErrorCode::None) => return Ok(()),
        Some(ErrorCode::CoordinatorNotAvailable) => {}
        error => {
            client.run.violate(Invariant::AnswersExplained, format!("FindCoordinator: {error:?}"))
        }
    }
    client.pause().await;
    Ok(())
}

/// Commits a fresh offset for these partitions; the errors, by partition.
pub async fn commit(
    client: &mut Client,
    group: &str,
    (generation, member): (i32, &str),
    partitions: &[(String, i32)],
) -> Result<Vec<ErrorCode>, Lost> {
    let run = client.run.clone();
    let coordinator = client.coordinator_of(group).await?;
    let mut topics: Vec<OffsetCommitRequestTopic> = Vec::new();
    let mut sent: Vec<(CommitKey, i64)> = Vec::new();
    for (topic, index) in partitions {
        let offset = run.commits.borrow_mut().fresh_offset();
        let key = CommitKey {
            cluster: client.cluster,
            group: group.to_owned(),
            topic: topic.clone(),
            index: *index,
        };
        run.commits.borrow_mut().sent(&key, offset, client.run.world.now());
        sent.push((key, offset));
        let partition = OffsetCommitRequestPartition {
            partition_index: *index,
            committed_offset: offset,
            committed_leader_epoch: -1,
            committed_metadata: Some(offset.to_string()),
        };
        match topics.iter_mut().find(|known| known.name == *topic) {
            Some(known) => known.partitions.push(partition),
            None => topics.push(OffsetCommitRequestTopic {
                name: topic.clone(),
                partitions: vec![partition],
                ..Default::default()
            }),
        }
    }
    let request = OffsetCommitRequest {
        group_id: group.to_owned(),
        generation_id_or_member_epoch: generation,
        member_id: member.to_owned(),
        topics,
        ..Default::default()
    };
    let life = run.model.borrow().life(client.cluster);
    let response = client.call_at(coordinator, COMMIT_VERSION, &request).await?;
    let take =
        |(key, offset): &(CommitKey, i64)| take_answer(client, key, *offset, life, &response);
    let errors: Vec<ErrorCode> = sent.iter().map(take).collect();
    if errors.contains(&ErrorCode::NotCoordinator) {
        find_coordinator(client, group).await?;
    }
    Ok(errors)
}

fn take_answer(
    client: &Client,
    key: &CommitKey,
    offset: i64,
    life: u32,
    response: &OffsetCommitResponse,
) -> ErrorCode {
    let run = &client.run;
    let topic = response.topics.iter().find(|topic| topic.name == key.topic);
    let answer = topic
        .and_then(|topic| topic.partitions.iter().find(|one| one.partition_index == key.index));
    let error = answer.and_then(|answer| ErrorCode::from_code(answer.error_code));
    client.note(|| {
        format!("commit of {offset} for {} {}-{}: {error:?}", key.group, key.topic, key.index)
    });
    let now = client.run.world.now();
    match error {
        Some(ErrorCode::None) => run.commits.borrow_mut().answered(key, offset, true, now),
        Some(
            ErrorCode::IllegalGeneration
            | ErrorCode::UnknownMemberId
            | ErrorCode::RebalanceInProgress,
        ) => {
            run.commits.borrow_mut().answered(key, offset, false, now);
        }
        Some(ErrorCode::UnknownTopicOrPartition) if may_not_know(client, key, life) => {
            run.commits.borrow_mut().answered(key, offset, false, now);
        }
        // The group itself has gone with what durability=os has lost.
        Some(ErrorCode::GroupIdNotFound) if run.model.borrow().certain_from(key.cluster) > 0 => {
            run.commits.borrow_mut().answered(key, offset, false, now);
        }
        // It may have been written already when the log failed.
        Some(
            ErrorCode::NotCoordinator
            | ErrorCode::CoordinatorNotAvailable
            | ErrorCode::CoordinatorLoadInProgress,
        ) => {}
        error => run.violate(
            Invariant::AnswersExplained,
            format!("commit of {offset} for {key:?}: {error:?}"),
        ),
    }
    error.unwrap_or(ErrorCode::UnknownServerError)
}

/// Whether the core that has answered may not know yet what there is of this topic, which stays.
fn may_not_know(client: &Client, key: &CommitKey, life: u32) -> bool {
    let model = client.run.model.borrow();
    let topic = model.live(key.cluster).find(|topic| topic.name == key.topic);
    topic.is_some_and(|topic| client.may_lag(&topic.told, life))
}

/// Checks every committed offset that a client has attempted.
pub async fn check_all(client: &mut Client) -> Result<(), Lost> {
    let keys = client.run.commits.borrow().keys(client.cluster);
    let mut groups: Vec<String> = keys.iter().map(|key| key.group.clone()).collect();
    groups.dedup();
    for group in groups {
        let of_group: Vec<CommitKey> =
            keys.iter().filter(|key| key.group == group).cloned().collect();
        check_keys(client, &group, &of_group).await?;
    }
    Ok(())
}

async fn check_keys(client: &mut Client, group: &str, keys: &[CommitKey]) -> Result<(), Lost> {
    let run = client.run.clone();
    let coordinator = client.coordinator_of(group).await?;
    let mut topics: Vec<OffsetFetchRequestTopics> = Vec::new();
    for CommitKey { topic, index, .. } in keys {
        match topics.iter_mut().find(|known| known.name == *topic) {
            Some(known) => known.partition_indexes.push(*index),
            None => topics.push(OffsetFetchRequestTopics {
                name: topic.clone(),
                partition_indexes: vec![*index],
                ..Default::default()
            }),
        }
    }
    let asked = OffsetFetchRequestGroup {
        group_id: group.to_owned(),
        member_id: None,
        member_epoch: -1,
        topics: Some(topics),
    };
    let request =
        OffsetFetchRequest { groups: vec![asked], require_stable: true, ..Default::default() };
    let sent_at = client.run.world.now();
    let response = client.call_at(coordinator, FETCH_VERSION, &request).await?;
    let Some(answer) = response.groups.first() else {
        run.violate(
            Invariant::AnswersExplained,
            format!("group {group} is missing in an offset fetch response"),
        );
        return Ok(());
    };
    match ErrorCode::from_code(answer.error_code) {
        Some(ErrorCode::None) => {}
        Some(
            ErrorCode::NotCoordinator
            | ErrorCode::CoordinatorNotAvailable
            | ErrorCode::CoordinatorLoadInProgress,
        ) => {
            find_coordinator(client, group).await?;
            client.pause().await;
            return Err(Lost);
        }
        error => run.violate(Invariant::AnswersExplained, format!("offset fetch: {error:?}")),
    }
    for key in keys {
        let topic = answer.topics.iter().find(|topic| topic.name == key.topic);
        let partition = topic
            .and_then(|topic| topic.partitions.iter().find(|one| one.partition_index == key.index));
        let Some(partition) = partition.filter(|partition| partition.error_code == 0) else {
            run.violate(
                Invariant::AnswersExplained,
                format!("offset fetch of {key:?}: {:?}", partition.map(|one| one.error_code)),
            );
            continue;
        };
        let metadata = partition.metadata.as_deref().unwrap_or("");
        if partition.committed_offset != -1 && metadata != partition.committed_offset.to_string() {
            run.violate(
                Invariant::CommittedOffsetsKept,
                format!("{key:?}: offset {} has {metadata:?}", partition.committed_offset),
            );
        }
        run.check(run.commits.borrow().check(key, partition.committed_offset, sent_at));
    }
    Ok(())
}
