//! Requests over several groups and topics: taken apart for the coordinators, and their answers put
//! together.
//!
//! Pure; used on the core of the connection. Topic ids become names here and back, so that
//! coordinators know names alone; topics and partitions that do not exist or may not be touched are
//! answered here and never reach a coordinator.

use protocol::messages::list_groups_response::ListedGroup;
use protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use protocol::messages::offset_commit_response::{
    OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use protocol::messages::offset_delete_request::OffsetDeleteRequestTopic;
use protocol::messages::offset_delete_response::{
    OffsetDeleteResponsePartition, OffsetDeleteResponseTopic,
};
use protocol::messages::offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopics};
use protocol::messages::offset_fetch_response::{
    OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponseTopic,
    OffsetFetchResponseTopics,
};
use protocol::messages::txn_offset_commit_request::TxnOffsetCommitRequestTopic;
use protocol::messages::{
    ListGroupsResponse, OffsetCommitRequest, OffsetCommitResponse, OffsetDeleteRequest,
    OffsetDeleteResponse, OffsetFetchRequest, OffsetFetchResponse, TxnOffsetCommitRequest,
    TxnOffsetCommitResponse,
};
use protocol::{ErrorCode, Uuid};
use rustc_hash::{FxHashMap, FxHashSet};
use std::hash::Hash;

use super::offsets::fetch::nothing;
use super::offsets::txn_commit::txn_commit_topic_error;

pub use super::offsets::txn_commit::txn_commit_error;

/// The first versions of OffsetCommit and OffsetFetch that name topics by id (KIP-848).
const TOPIC_IDS_FROM: i16 = 10;
/// The first version of TxnOffsetCommit that does.
const TXN_COMMIT_TOPIC_IDS_FROM: i16 = 6;
/// The first version of OffsetFetch that asks for several groups (KIP-709).
const FETCH_GROUPS_FROM: i16 = 8;
/// The first version of OffsetFetch with an error for the whole group.
const FETCH_GROUP_ERROR_FROM: i16 = 2;

/// What the caller knows of topics: its metadata, and what the client may do with them.
pub trait Topics {
    fn name(&self, topic_id: Uuid) -> Option<String>;
    /// `None`: there is no such topic.
    fn id(&self, name: &str) -> Option<Uuid>;
    fn has_partition(&self, name: &str, partition: i32) -> bool;
    /// Whether the client may read (commit, delete offsets) or describe (fetch offsets) the topic.
    fn is_authorized(&self, name: &str) -> bool;
}

/// Splits an OffsetCommit in what goes to the coordinator, if anything, and the answers that are
/// known already. The two answers are joined by [`merge_offset_commit`].
pub fn split_offset_commit(
    request: OffsetCommitRequest,
    api_version: i16,
    topics: &dyn Topics,
) -> (Option<OffsetCommitRequest>, OffsetCommitResponse) {
    let mut response = OffsetCommitResponse::default();
    let mut accepted = Vec::new();
    for mut topic in request.topics {
        let by_id = api_version >= TOPIC_IDS_FROM;
        let resolved = resolve_topic(&mut topic.name, &mut topic.topic_id, by_id, topics);
        let (known, unknown): (Vec<_>, Vec<_>) =
            std::mem::take(&mut topic.partitions).into_iter().partition(|partition| {
                resolved.is_ok() && topics.has_partition(&topic.name, partition.partition_index)
            });
        let error = resolved.err().unwrap_or(ErrorCode::UnknownTopicOrPartition);
        if !unknown.is_empty() {
            response.topics.push(commit_topic_error(&topic, &unknown, error));
        }
        if !known.is_empty() {
            accepted.push(OffsetCommitRequestTopic { partitions: known, ..topic });
        }
    }
    let request = OffsetCommitRequest { topics: accepted, ..request };
    ((!request.topics.is_empty()).then_some(request), response)
}

/// Fills in the name or the id of a topic, whichever the request lacks.
fn resolve_topic(
    name: &mut String,
    topic_id: &mut Uuid,
    by_id: bool,
    topics: &dyn Topics,
) -> Result<(), ErrorCode> {
    if by_id {
        *name = topics.name(*topic_id).ok_or(ErrorCode::UnknownTopicId)?;
    }
    if !topics.is_authorized(name) {
        return Err(ErrorCode::TopicAuthorizationFailed);
    }
    if !by_id {
        *topic_id = topics.id(name).ok_or(ErrorCode::UnknownTopicOrPartition)?;
    }
    Ok(())
}

fn commit_topic_error(
    topic: &OffsetCommitRequestTopic,
    partitions: &[OffsetCommitRequestPartition],
    error: ErrorCode,
) -> OffsetCommitResponseTopic {
    let partitions = partitions.iter().map(|partition| OffsetCommitResponsePartition {
        partition_index: partition.partition_index,
        error_code: error.code(),
    });
    OffsetCommitResponseTopic {
        name: topic.name.clone(),
        topic_id: topic.topic_id,
        partitions: partitions.collect(),
    }
}

/// Adds topics to those of another answer, of which none is there twice. A topic appears once, even
/// if both speak of it: `join` adds what the second says to what the first does.
fn merge_topics<K: Eq + Hash, T>(
    all: &mut Vec<T>,
    more: Vec<T>,
    key: impl Fn(&T) -> K,
    join: impl Fn(&mut T, T),
) {
    let places: FxHashMap<K, usize> =
        all.iter().enumerate().map(|(place, topic)| (key(topic), place)).collect();
    for topic in more {
        match places.get(&key(&topic)) {
            Some(place) => join(&mut all[*place], topic),
            None => all.push(topic),
        }
    }
}

/// Adds the coordinator's answer to the one that was known before.
pub fn merge_offset_commit(
    mut known: OffsetCommitResponse,
    answered: OffsetCommitResponse,
) -> OffsetCommitResponse {
    merge_topics(
        &mut known.topics,
        answered.topics,
        |topic| (topic.name.clone(), topic.topic_id),
        |known, topic| known.partitions.extend(topic.partitions),
    );
    known
}

/// Splits a TxnOffsetCommit as [`split_offset_commit`] does. One without a group goes to no
/// coordinator.
pub fn split_txn_offset_commit(
    request: TxnOffsetCommitRequest,
    api_version: i16,
    topics: &dyn Topics,
) -> (Option<TxnOffsetCommitRequest>, TxnOffsetCommitResponse) {
    let mut response = TxnOffsetCommitResponse::default();
    let mut accepted = Vec::new();
    for mut topic in request.topics {
        let by_id = api_version >= TXN_COMMIT_TOPIC_IDS_FROM;
        let resolved = resolve_topic(&mut topic.name, &mut topic.topic_id, by_id, topics);
        let error = resolved.err().unwrap_or(ErrorCode::UnknownTopicOrPartition);
        let (known, unknown): (Vec<_>, Vec<_>) =
            std::mem::take(&mut topic.partitions).into_iter().partition(|partition| {
                resolved.is_ok() && topics.has_partition(&topic.name, partition.partition_index)
            });
        let with = |partitions| TxnOffsetCommitRequestTopic { partitions, ..topic.clone() };
        if !unknown.is_empty() {
            response.topics.push(txn_commit_topic_error(&with(unknown), error));
        }
        if !known.is_empty() {
            accepted.push(with(known));
        }
    }
    let request = TxnOffsetCommitRequest { topics: accepted, ..request };
    if request.group_id.is_empty() {
        let refused = txn_commit_error(&request, ErrorCode::InvalidGroupId);
        return (None, merge_txn_offset_commit(response, refused));
    }
    ((!request.topics.is_empty()).then_some(request), response)
}

/// Adds the coordinator's answer as [`merge_offset_commit`] does.
pub fn merge_txn_offset_commit(
    mut known: TxnOffsetCommitResponse,
    answered: TxnOffsetCommitResponse,
) -> TxnOffsetCommitResponse {
    merge_topics(
        &mut known.topics,
        answered.topics,
        |topic| (topic.name.clone(), topic.topic_id),
        |known, topic| known.partitions.extend(topic.partitions),
    );
    known
}

/// The groups of an OffsetFetch, each to be asked of its coordinator with the request's
/// `require_stable`. Each group, topic and partition is there once, however often it is named.
pub fn offset_fetch_groups(
    request: OffsetFetchRequest,
    api_version: i16,
) -> Vec<OffsetFetchRequestGroup> {
    if api_version >= FETCH_GROUPS_FROM {
        return each_once(request.groups);
    }
    let topics = request.topics.map(|topics| {
        let renamed = topics.into_iter().map(|topic| OffsetFetchRequestTopics {
            name: topic.name,
            partition_indexes: topic.partition_indexes,
            ..Default::default()
        });
        renamed.collect()
    });
    let group_id = request.group_id;
    each_once(vec![OffsetFetchRequestGroup { group_id, topics, ..Default::default() }])
}

/// A group that is named again adds its topics to those that it was named with before.
fn each_once(named: Vec<OffsetFetchRequestGroup>) -> Vec<OffsetFetchRequestGroup> {
    let mut places = FxHashMap::<String, usize>::default();
    let mut groups: Vec<OffsetFetchRequestGroup> = Vec::with_capacity(named.len());
    for group in named {
        match places.get(&group.group_id) {
            Some(place) => {
                // A null stands for all topics.
                let all = groups[*place].topics.take().zip(group.topics);
                groups[*place].topics = all.map(|(mut topics, mut more)| {
                    topics.append(&mut more);
                    topics
                });
            }
            None => {
                places.insert(group.group_id.clone(), groups.len());
                groups.push(group);
            }
        }
    }
    for group in &mut groups {
        group.topics = group.topics.take().map(each_topic_once);
    }
    groups
}

fn each_topic_once(named: Vec<OffsetFetchRequestTopics>) -> Vec<OffsetFetchRequestTopics> {
    let mut places = FxHashMap::<(String, Uuid), usize>::default();
    let mut topics: Vec<OffsetFetchRequestTopics> = Vec::with_capacity(named.len());
    for mut topic in named {
        match places.get(&(topic.name.clone(), topic.topic_id)) {
            Some(place) => topics[*place].partition_indexes.append(&mut topic.partition_indexes),
            None => {
                places.insert((topic.name.clone(), topic.topic_id), topics.len());
                topics.push(topic);
            }
        }
    }
    for topic in &mut topics {
        let mut seen = FxHashSet::default();
        topic.partition_indexes.retain(|index| seen.insert(*index));
    }
    topics
}

/// One group of an OffsetFetch as requests of so many partitions at most, one after the other: each
/// takes a turn of the coordinator's core. All of them have the group, and one is there at least.
pub fn in_pieces(
    mut group: OffsetFetchRequestGroup,
    partitions_max: usize,
) -> Vec<OffsetFetchRequestGroup> {
    let count = |topic: &OffsetFetchRequestTopics| topic.partition_indexes.len().max(1);
    let all = group.topics.iter().flatten().map(count).sum::<usize>();
    let Some(topics) = group.topics.take_if(|_| all > partitions_max) else { return vec![group] };
    let (mut pieces, mut piece, mut room) = (Vec::new(), Vec::new(), partitions_max);
    for mut topic in topics {
        while count(&topic) > room {
            let rest = topic.partition_indexes.split_off(room.min(topic.partition_indexes.len()));
            let next = OffsetFetchRequestTopics { partition_indexes: rest, ..topic.clone() };
            if room > 0 {
                piece.push(topic);
            }
            topic = next;
            pieces.push(std::mem::take(&mut piece));
            room = partitions_max;
        }
        room -= count(&topic);
        piece.push(topic);
    }
    pieces.push(piece);
    let of = |topics| OffsetFetchRequestGroup { topics: Some(topics), ..group.clone() };
    pieces.into_iter().map(of).collect()
}

/// Adds the answer to one of [`in_pieces`] to those before it; an error stands for all.
pub fn join_pieces(
    before: Option<OffsetFetchResponseGroup>,
    mut piece: OffsetFetchResponseGroup,
) -> OffsetFetchResponseGroup {
    let is_fine = |group: &OffsetFetchResponseGroup| group.error_code == ErrorCode::None.code();
    let Some(mut all) = before else { return piece };
    if !is_fine(&all) || !is_fine(&piece) {
        return if is_fine(&all) { piece } else { all };
    }
    if let (Some(last), Some(first)) = (all.topics.last_mut(), piece.topics.first_mut())
        && (&last.name, last.topic_id) == (&first.name, first.topic_id)
    {
        last.partitions.append(&mut first.partitions);
        piece.topics.remove(0);
    }
    all.topics.append(&mut piece.topics);
    all
}

/// Splits one group of an OffsetFetch in what goes to the coordinator and the topics that are
/// answered already. Unlike a commit, a fetch asks for topics that do not exist any more as well:
/// their offsets may still be there.
pub fn split_offset_fetch(
    mut group: OffsetFetchRequestGroup,
    api_version: i16,
    topics: &dyn Topics,
) -> (OffsetFetchRequestGroup, Vec<OffsetFetchResponseTopics>) {
    let mut known = Vec::new();
    group.topics = group.topics.map(|requested| {
        let mut accepted = Vec::with_capacity(requested.len());
        for mut topic in requested {
            if api_version >= TOPIC_IDS_FROM {
                topic.name = topics.name(topic.topic_id).unwrap_or_default();
            } else {
                // What was committed for another topic of that name is none of this one's.
                topic.topic_id = topics.id(&topic.name).unwrap_or(Uuid::ZERO);
            }
            if api_version >= TOPIC_IDS_FROM && topic.name.is_empty() {
                known.push(fetch_topic_error(topic, ErrorCode::UnknownTopicId));
            } else if !topics.is_authorized(&topic.name) {
                known.push(fetch_topic_error(topic, ErrorCode::TopicAuthorizationFailed));
            } else {
                accepted.push(topic);
            }
        }
        accepted
    });
    (group, known)
}

fn fetch_topic_error(
    topic: OffsetFetchRequestTopics,
    error: ErrorCode,
) -> OffsetFetchResponseTopics {
    let partitions =
        topic.partition_indexes.iter().map(|partition| nothing(*partition, error)).collect();
    OffsetFetchResponseTopics { name: topic.name, topic_id: topic.topic_id, partitions }
}

/// Adds the topics that were answered before to the coordinator's answer for a group. If all topics
/// were asked for, those that the client may not see are left out, those that have gone since and
/// whose name another topic has now, and in versions with topic ids those whose id the cluster does
/// not know.
pub fn merge_offset_fetch(
    mut answered: OffsetFetchResponseGroup,
    known: Vec<OffsetFetchResponseTopics>,
    api_version: i16,
    topics: &dyn Topics,
) -> OffsetFetchResponseGroup {
    if answered.error_code != ErrorCode::None.code() {
        return answered;
    }
    answered.topics.retain_mut(|topic| {
        let id = topics.id(&topic.name);
        let is_another = id.is_some_and(|id| !topic.topic_id.is_zero() && topic.topic_id != id);
        if api_version >= TOPIC_IDS_FROM && topic.topic_id.is_zero() {
            topic.topic_id = id.unwrap_or(Uuid::ZERO);
        }
        let is_named = api_version < TOPIC_IDS_FROM || !topic.topic_id.is_zero();
        is_named && !is_another && topics.is_authorized(&topic.name)
    });
    answered.topics.extend(known);
    answered
}

/// Puts the groups' answers together. `requested` are the groups that were asked for, in the same
/// order: versions without a place for a group's error repeat it for each partition.
pub fn offset_fetch_response(
    mut groups: Vec<OffsetFetchResponseGroup>,
    requested: &[OffsetFetchRequestGroup],
    api_version: i16,
) -> OffsetFetchResponse {
    if api_version >= FETCH_GROUPS_FROM {
        return OffsetFetchResponse { groups, ..Default::default() };
    }
    let mut group = groups.pop().unwrap_or_default();
    assert!(groups.is_empty(), "versions before {FETCH_GROUPS_FROM} ask for one group");
    if api_version < FETCH_GROUP_ERROR_FROM
        && let Some(error) =
            ErrorCode::from_code(group.error_code).filter(|error| *error != ErrorCode::None)
    {
        let topics = requested.iter().filter_map(|group| group.topics.clone()).flatten();
        group.topics = topics.map(|topic| fetch_topic_error(topic, error)).collect();
        group.error_code = ErrorCode::None.code();
    }
    let topics = group.topics.into_iter().map(|topic| OffsetFetchResponseTopic {
        name: topic.name,
        partitions: topic
            .partitions
            .into_iter()
            .map(|partition| OffsetFetchResponsePartition {
                partition_index: partition.partition_index,
                committed_offset: partition.committed_offset,
                committed_leader_epoch: partition.committed_leader_epoch,
                metadata: partition.metadata,
                error_code: partition.error_code,
            })
            .collect(),
    });
    OffsetFetchResponse {
        topics: topics.collect(),
        error_code: group.error_code,
        ..Default::default()
    }
}

/// Splits an OffsetDelete as [`split_offset_commit`] does. The rest goes to the coordinator even
/// when it is empty, for the group may have an error of its own.
pub fn split_offset_delete(
    request: OffsetDeleteRequest,
    topics: &dyn Topics,
) -> (OffsetDeleteRequest, Vec<OffsetDeleteResponseTopic>) {
    let mut known = Vec::new();
    let mut accepted = Vec::new();
    for mut topic in request.topics {
        let authorized = topics.is_authorized(&topic.name);
        let error = if authorized {
            ErrorCode::UnknownTopicOrPartition
        } else {
            ErrorCode::TopicAuthorizationFailed
        };
        let (exist, unknown): (Vec<_>, Vec<_>) =
            std::mem::take(&mut topic.partitions).into_iter().partition(|partition| {
                authorized && topics.has_partition(&topic.name, partition.partition_index)
            });
        if !unknown.is_empty() {
            let partitions = unknown.iter().map(|partition| OffsetDeleteResponsePartition {
                partition_index: partition.partition_index,
                error_code: error.code(),
            });
            known.push(OffsetDeleteResponseTopic {
                name: topic.name.clone(),
                partitions: partitions.collect(),
            });
        }
        if !exist.is_empty() {
            accepted.push(OffsetDeleteRequestTopic { partitions: exist, ..topic });
        }
    }
    (OffsetDeleteRequest { topics: accepted, ..request }, known)
}

/// Adds what was known before to the coordinator's answer, which stands alone if it is an error.
pub fn merge_offset_delete(
    mut answered: OffsetDeleteResponse,
    known: Vec<OffsetDeleteResponseTopic>,
) -> OffsetDeleteResponse {
    if answered.error_code != ErrorCode::None.code() {
        return answered;
    }
    merge_topics(
        &mut answered.topics,
        known,
        |topic| topic.name.clone(),
        |answered, topic| answered.partitions.extend(topic.partitions),
    );
    answered
}

/// Puts the answers of all coordinators of this broker together. One that has just lost its
/// partition has nothing to list; one that cannot answer yet fails the whole request, for a list
/// must not silently lack groups. `may_describe` says which groups the client may see.
pub fn merge_list_groups(
    answers: impl IntoIterator<Item = ListGroupsResponse>,
    may_describe: impl Fn(&str) -> bool,
) -> ListGroupsResponse {
    let mut groups: Vec<ListedGroup> = Vec::new();
    for answer in answers {
        if answer.error_code == ErrorCode::NotCoordinator.code() {
            continue;
        }
        if answer.error_code != ErrorCode::None.code() {
            return ListGroupsResponse { error_code: answer.error_code, ..Default::default() };
        }
        groups.extend(answer.groups.into_iter().filter(|group| may_describe(&group.group_id)));
    }
    ListGroupsResponse { groups, ..Default::default() }
}
