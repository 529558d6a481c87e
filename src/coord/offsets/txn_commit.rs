//! TxnOffsetCommit, versions 0 to 6: offsets that count when the producer's transaction is
//! committed. Topics are names here, as in [`commit`](super::commit).
//!
//! Pure, on the core that leads the group's partition. That the transaction is open, and this
//! partition is one of it, was made sure of before (`shard/coordinators`).

use std::sync::Arc;

use protocol::messages::txn_offset_commit_request::{
    TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
};
use protocol::messages::txn_offset_commit_response::{
    TxnOffsetCommitResponsePartition, TxnOffsetCommitResponseTopic,
};
use protocol::messages::{TxnOffsetCommitRequest, TxnOffsetCommitResponse};
use protocol::{ErrorCode, Uuid};

use super::commit::{Committer, is_too_large};
use super::store::{CommittedOffset, PartitionKey};
use crate::coord::groups::{Context, Groups, TransactionalProducer};

/// The first version that tells "no such group" from "no such generation".
const GROUP_ID_NOT_FOUND_FROM: i16 = 6;

impl Groups {
    pub(in crate::coord) fn commit_in_transaction(
        &mut self,
        context: &mut Context<'_>,
        request: &TxnOffsetCommitRequest,
        api_version: i16,
    ) -> TxnOffsetCommitResponse {
        let group_id = match self.admit_txn_commit(context, request, api_version) {
            Ok(group_id) => group_id,
            Err(error) => return txn_commit_error(request, error),
        };
        let mut commits = Vec::new();
        let mut response = TxnOffsetCommitResponse::default();
        for topic in &request.topics {
            let name: Arc<str> = Arc::from(topic.name.as_str());
            let mut errors = Vec::with_capacity(topic.partitions.len());
            for partition in &topic.partitions {
                if is_too_large(context, partition.committed_metadata.as_deref()) {
                    errors.push(ErrorCode::OffsetMetadataTooLarge);
                    continue;
                }
                let key = PartitionKey {
                    group: group_id.clone(),
                    topic: name.clone(),
                    partition: partition.partition_index,
                };
                commits.push((key, committed_offset(context, partition, topic.topic_id)));
                errors.push(ErrorCode::None);
            }
            response.topics.push(response_topic(topic, errors));
        }
        let producer =
            TransactionalProducer { id: request.producer_id, epoch: request.producer_epoch };
        match self.write_commits(context, Some(producer), &group_id, commits) {
            Ok(()) => response,
            Err(error) => txn_commit_error(request, error),
        }
    }

    /// The group's id, which need not exist yet.
    fn admit_txn_commit(
        &mut self,
        context: &mut Context<'_>,
        request: &TxnOffsetCommitRequest,
        api_version: i16,
    ) -> Result<Arc<str>, ErrorCode> {
        let committer = Committer {
            member_id: &request.member_id,
            instance_id: request.group_instance_id.as_deref(),
            generation_id: request.generation_id_or_member_epoch,
            in_transaction: true,
        };
        match self.groups.get_mut(request.group_id.as_str()) {
            Some(group) => {
                group.admit_commit(context, &committer)?;
                Ok(group.id().clone())
            }
            None if committer.generation_id < 0 => Ok(Arc::from(request.group_id.as_str())),
            None if api_version >= GROUP_ID_NOT_FOUND_FROM => Err(ErrorCode::GroupIdNotFound),
            None => Err(ErrorCode::IllegalGeneration),
        }
    }
}

fn committed_offset(
    context: &Context<'_>,
    partition: &TxnOffsetCommitRequestPartition,
    topic_id: Uuid,
) -> CommittedOffset {
    CommittedOffset {
        offset: partition.committed_offset,
        leader_epoch: partition.committed_leader_epoch,
        metadata: partition.committed_metadata.as_deref().unwrap_or_default().into(),
        commit_timestamp_ms: context.now_ms,
        topic_id,
        ..CommittedOffset::default()
    }
}

/// `errors`: of the partitions of the topic, in their order.
fn response_topic(
    topic: &TxnOffsetCommitRequestTopic,
    errors: impl IntoIterator<Item = ErrorCode>,
) -> TxnOffsetCommitResponseTopic {
    let partition = |(partition, error): (&TxnOffsetCommitRequestPartition, ErrorCode)| {
        TxnOffsetCommitResponsePartition {
            partition_index: partition.partition_index,
            error_code: error.code(),
        }
    };
    TxnOffsetCommitResponseTopic {
        name: topic.name.clone(),
        topic_id: topic.topic_id,
        partitions: topic.partitions.iter().zip(errors).map(partition).collect(),
    }
}

/// The same error for everything that was to be committed.
pub fn txn_commit_error(
    request: &TxnOffsetCommitRequest,
    error: ErrorCode,
) -> TxnOffsetCommitResponse {
    let topics = request.topics.iter().map(|topic| txn_commit_topic_error(topic, error));
    TxnOffsetCommitResponse { topics: topics.collect(), ..Default::default() }
}

pub(in crate::coord) fn txn_commit_topic_error(
    topic: &TxnOffsetCommitRequestTopic,
    error: ErrorCode,
) -> TxnOffsetCommitResponseTopic {
    response_topic(topic, std::iter::repeat(error))
}
