//! OffsetCommit v2-10, TxnOffsetCommit v0-6, OffsetFetch v1-10, OffsetDelete v0: what groups have
//! consumed.
//!
//! Taken apart and put together by `coord/fanout.rs`; the offsets live with the group's
//! coordinator.

use super::groups::{ask, ask_for};
use crate::{
    coord::{
        fanout::{self, Topics},
        groups::{
            Groups,
            request::{Request, Response},
        },
    },
    limits,
    meta::image::MetadataImage,
    pace::TurnBudget,
    request::RequestContext,
    shard::{
        Shard,
        coordinators::{self, groups::commit_in_transaction},
    },
};
use protocol::{
    ErrorCode, Uuid,
    messages::{
        OffsetCommitRequest, OffsetCommitResponse, OffsetDeleteRequest, OffsetDeleteResponse,
        OffsetFetchRequest, OffsetFetchResponse, TxnOffsetCommitRequest, TxnOffsetCommitResponse,
        offset_fetch_response::{OffsetFetchResponseGroup, OffsetFetchResponseTopics},
    },
};
use std::sync::Arc;

/// The first version of TxnOffsetCommit whose clients take COORDINATOR_LOAD_IN_PROGRESS for a
/// reason to try again; those before it fail (KAFKA-7296).
const LOAD_IN_PROGRESS_FROM: i16 = 2;

/// The topics of the image, all of which a client may use as long as there is no authorizer.
struct ImageTopics(Arc<MetadataImage>);

impl Topics for ImageTopics {
    fn name(&self, topic_id: Uuid) -> Option<String> {
        self.0.topics.by_id(topic_id).map(|topic| topic.name.to_string())
    }
    fn id(&self, name: &str) -> Option<Uuid> {
        self.0.topics.id(name)
    }
    fn has_partition(&self, name: &str, partition: i32) -> bool {
        self.0.topics.by_name(name).is_some_and(|topic| topic.partition(partition).is_some())
    }
    fn is_authorized(&self, _name: &str) -> bool {
        true
    }
}

fn topics(shard: &Shard) -> ImageTopics {
    ImageTopics(shard.control.image())
}

pub async fn commit(
    shard: &Shard,
    context: &RequestContext<'_>,
    request: OffsetCommitRequest,
) -> OffsetCommitResponse {
    let api_version = context.ids.api_version;
    let (request, known) = fanout::split_offset_commit(request, api_version, &topics(shard));
    let Some(request) = request else { return known };
    let group_id = request.group_id.clone();
    let request = Request::OffsetCommit { request, api_version };
    fanout::merge_offset_commit(known, ask_for!(OffsetCommit, shard, &group_id, request))
}

/// What a topic takes in a response, about.
fn wire_bytes(topic: &OffsetFetchResponseTopics) -> usize {
    let metadata = topic.partitions.iter().map(|partition| partition.metadata.as_ref());
    let partition = |metadata: Option<&String>| 20 + metadata.map_or(0, String::len);
    topic.name.len() + metadata.map(partition).sum::<usize>()
}

pub async fn txn_commit(
    shard: &Shard,
    context: &RequestContext<'_>,
    request: TxnOffsetCommitRequest,
) -> TxnOffsetCommitResponse {
    let api_version = context.ids.api_version;
    let wanted: usize = request.topics.iter().map(|topic| topic.partitions.len()).sum();
    let (request, known) = fanout::split_txn_offset_commit(request, api_version, &topics(shard));
    let Some(request) = request else { return known };
    let lost = fanout::txn_commit_error(&request, ErrorCode::CoordinatorNotAvailable);
    let found = coordinators::locate::<Groups>(shard, &request.group_id);
    let answered = match found.and_then(|found| Some((found.core?, found.index))) {
        Some((core, index)) => {
            let asked = commit_in_transaction(shard, core, index, request, api_version);
            asked.await.unwrap_or(lost)
        }
        None => fanout::txn_commit_error(&request, ErrorCode::NotCoordinator),
    };
    let response = fanout::merge_txn_offset_commit(known, for_version(answered, api_version));
    let told: usize = response.topics.iter().map(|topic| topic.partitions.len()).sum();
    assert_eq!(told, wanted, "{told} partitions are told of, and {wanted} were to be committed");
    response
}

fn for_version(mut response: TxnOffsetCommitResponse, api_version: i16) -> TxnOffsetCommitResponse {
    let loading = ErrorCode::CoordinatorLoadInProgress.code();
    for partition in response.topics.iter_mut().flat_map(|topic| &mut topic.partitions) {
        if partition.error_code == loading && api_version < LOAD_IN_PROGRESS_FROM {
            partition.error_code = ErrorCode::CoordinatorNotAvailable.code();
        }
    }
    response
}

pub async fn fetch(
    shard: &Shard,
    context: &RequestContext<'_>,
    request: OffsetFetchRequest,
) -> OffsetFetchResponse {
    let (api_version, require_stable) = (context.ids.api_version, request.require_stable);
    let topics = topics(shard);
    let requested = fanout::offset_fetch_groups(request, api_version);
    let (mut answers, mut answers_bytes) = (Vec::with_capacity(requested.len()), 0);
    let mut budget = TurnBudget::of_items(&shard.ring);
    for group in requested.clone() {
        budget.item_done().await;
        if answers_bytes > limits::RESPONSE_MAX_BYTES {
            answers.push(OffsetFetchResponseGroup {
                group_id: group.group_id,
                error_code: ErrorCode::PolicyViolation.code(),
                ..Default::default()
            });
            continue;
        }
        let group_id = group.group_id.clone();
        let (group, known) = fanout::split_offset_fetch(group, api_version, &topics);
        let mut answered: Option<OffsetFetchResponseGroup> = None;
        for group in fanout::in_pieces(group, limits::OFFSETS_FETCHED_AT_ONCE) {
            let request = Request::OffsetFetch { group, require_stable };
            let piece = ask_for!(OffsetFetch, shard, &group_id, request);
            answered = Some(fanout::join_pieces(answered, piece));
        }
        let answered = answered.expect("a group is asked for in one piece at least");
        let answer = fanout::merge_offset_fetch(answered, known, api_version, &topics);
        answers_bytes += answer.topics.iter().map(wire_bytes).sum::<usize>();
        answers.push(answer);
    }
    fanout::offset_fetch_response(answers, &requested, api_version)
}

pub async fn delete(shard: &Shard, request: OffsetDeleteRequest) -> OffsetDeleteResponse {
    let (request, known) = fanout::split_offset_delete(request, &topics(shard));
    if request.group_id.is_empty() {
        return OffsetDeleteResponse {
            error_code: ErrorCode::InvalidGroupId.code(),
            ..Default::default()
        };
    }
    let group_id = request.group_id.clone();
    let answered = ask_for!(OffsetDelete, shard, &group_id, Request::OffsetDelete(request));
    fanout::merge_offset_delete(answered, known)
}
