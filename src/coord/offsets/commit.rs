//! OffsetCommit, versions 2 to 10. Topics are names here; ids and permissions are sorted out before
//! (see [`fanout`](crate::coord::fanout)).
//!
//! Pure, on the core that leads the group's partition.

use std::sync::Arc;

use protocol::messages::offset_commit_request::OffsetCommitRequestPartition;
use protocol::messages::offset_commit_response::{
    OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use protocol::messages::{OffsetCommitRequest, OffsetCommitResponse};
use protocol::{ErrorCode, Uuid};

use super::store::{CommittedOffset, PartitionKey};
use crate::coord::batch::batch_size_bytes;
use crate::coord::groups::classic::{ClassicGroup, GroupState};
use crate::coord::groups::{Context, Groups, TransactionalProducer, records};

/// The first version that tells "no such group" from "no such generation" (KIP-848).
const GROUP_ID_NOT_FOUND_FROM: i16 = 9;
/// The request's way to leave the expiry to the broker.
const DEFAULT_RETENTION_TIME: i64 = -1;

impl Groups {
    pub(in crate::coord) fn commit_offsets(
        &mut self,
        context: &mut Context<'_>,
        request: &OffsetCommitRequest,
        api_version: i16,
    ) -> OffsetCommitResponse {
        match self.try_commit_offsets(context, request, api_version) {
            Ok(response) => response,
            Err(error) => commit_error(request, error),
        }
    }

    fn try_commit_offsets(
        &mut self,
        context: &mut Context<'_>,
        request: &OffsetCommitRequest,
        api_version: i16,
    ) -> Result<OffsetCommitResponse, ErrorCode> {
        let group_id: Arc<str> = match self.groups.get_mut(request.group_id.as_str()) {
            Some(group) => {
                let committer = Committer {
                    member_id: &request.member_id,
                    instance_id: request.group_instance_id.as_deref(),
                    generation_id: request.generation_id_or_member_epoch,
                    in_transaction: false,
                };
                group.admit_commit(context, &committer)?;
                group.id().clone()
            }
            // Consumers that assign partitions themselves commit without a generation, and their
            // first commit makes the group.
            None if request.generation_id_or_member_epoch < 0 => {
                Arc::from(request.group_id.as_str())
            }
            None if api_version >= GROUP_ID_NOT_FOUND_FROM => {
                return Err(ErrorCode::GroupIdNotFound);
            }
            None => return Err(ErrorCode::IllegalGeneration),
        };
        let mut commits = Vec::new();
        let mut response = OffsetCommitResponse::default();
        for topic in &request.topics {
            let name: Arc<str> = Arc::from(topic.name.as_str());
            let mut partitions = Vec::with_capacity(topic.partitions.len());
            for partition in &topic.partitions {
                let error = if is_too_large(context, partition.committed_metadata.as_deref()) {
                    ErrorCode::OffsetMetadataTooLarge
                } else {
                    let key = PartitionKey {
                        group: group_id.clone(),
                        topic: name.clone(),
                        partition: partition.partition_index,
                    };
                    let committed = committed_offset(context, request, partition, topic.topic_id);
                    commits.push((key, committed));
                    ErrorCode::None
                };
                partitions.push(response_partition(partition, error));
            }
            response.topics.push(OffsetCommitResponseTopic {
                name: topic.name.clone(),
                topic_id: topic.topic_id,
                partitions,
            });
        }
        self.write_commits(context, None, &group_id, commits)?;
        Ok(response)
    }

    /// All or nothing: what does not fit one batch changes nothing.
    pub(super) fn write_commits(
        &mut self,
        context: &mut Context<'_>,
        author: Option<TransactionalProducer>,
        group_id: &str,
        commits: Vec<(PartitionKey, CommittedOffset)>,
    ) -> Result<(), ErrorCode> {
        let max_batch_bytes = context.settings.max_batch_bytes;
        // The least that the records have: a request may name a million partitions, and each record
        // has the names anew.
        let names_bytes = |(key, committed): &(PartitionKey, CommittedOffset)| {
            group_id.len() + key.topic.len() + committed.metadata.len()
        };
        let least_bytes = commits.iter().map(names_bytes).sum::<usize>();
        if least_bytes > max_batch_bytes {
            return Err(fits_no_batch(group_id, least_bytes, max_batch_bytes));
        }
        let records: Vec<_> =
            commits.iter().map(|(key, committed)| records::offset_commit(key, committed)).collect();
        let size_bytes = batch_size_bytes(&records);
        if size_bytes > max_batch_bytes {
            return Err(fits_no_batch(group_id, size_bytes, max_batch_bytes));
        }
        for record in records {
            context.append_as(author, record);
        }
        for (key, committed) in commits {
            self.replay_offset(key, Some(committed), author.map(|producer| producer.id));
        }
        Ok(())
    }
}

/// Who commits, as the request says.
pub(in crate::coord) struct Committer<'a> {
    pub member_id: &'a str,
    pub instance_id: Option<&'a str>,
    pub generation_id: i32,
    pub in_transaction: bool,
}

impl ClassicGroup {
    /// Committing is a sign of life, except while an assignment is awaited, and except in a
    /// transaction: that is a producer's.
    pub fn admit_commit(
        &mut self,
        context: &mut Context<'_>,
        committer: &Committer<'_>,
    ) -> Result<(), ErrorCode> {
        self.validate_commit(committer)?;
        if !committer.in_transaction {
            self.touch(context, committer.member_id);
        }
        Ok(())
    }

    fn validate_commit(&self, committer: &Committer<'_>) -> Result<(), ErrorCode> {
        let Committer { member_id, instance_id, generation_id, in_transaction } = *committer;
        if generation_id < 0 && self.is_empty() {
            return Ok(());
        }
        if generation_id < 0 && member_id.is_empty() && instance_id.is_none() {
            // An outsider must not move the offsets of a group that is at work. Producers before
            // KIP-447 do not say for which member they commit.
            return if in_transaction { Ok(()) } else { Err(ErrorCode::UnknownMemberId) };
        }
        self.validate_member(member_id, instance_id)?;
        if generation_id != self.generation_id {
            return Err(ErrorCode::IllegalGeneration);
        }
        if self.state == GroupState::CompletingRebalance && !in_transaction {
            Err(ErrorCode::RebalanceInProgress)
        } else {
            Ok(())
        }
    }
}

fn fits_no_batch(group_id: &str, bytes: usize, limit: usize) -> ErrorCode {
    tracing::warn!(
        group = group_id,
        bytes,
        limit,
        "a commit does not fit a batch: commit fewer partitions at once, or raise \
         max.message.bytes of __consumer_offsets"
    );
    ErrorCode::InvalidCommitOffsetSize
}

/// Kafka counts UTF-16 code units.
pub(super) fn is_too_large(context: &Context<'_>, metadata: Option<&str>) -> bool {
    let metadata = metadata.unwrap_or_default();
    metadata.len() > context.settings.offset_metadata_max_size
        && metadata.encode_utf16().count() > context.settings.offset_metadata_max_size
}

fn committed_offset(
    context: &Context<'_>,
    request: &OffsetCommitRequest,
    partition: &OffsetCommitRequestPartition,
    topic_id: Uuid,
) -> CommittedOffset {
    let retention_ms = request.retention_time_ms;
    let expire_timestamp_ms = (retention_ms != DEFAULT_RETENTION_TIME)
        .then(|| context.now_ms.saturating_add(retention_ms));
    CommittedOffset {
        offset: partition.committed_offset,
        leader_epoch: partition.committed_leader_epoch,
        metadata: partition.committed_metadata.as_deref().unwrap_or_default().into(),
        commit_timestamp_ms: context.now_ms,
        expire_timestamp_ms,
        // The record's version with an expiry has no room for a topic id; the state says what the
        // log says.
        topic_id: if expire_timestamp_ms.is_some() { Uuid::ZERO } else { topic_id },
        ..CommittedOffset::default()
    }
}

fn response_partition(
    partition: &OffsetCommitRequestPartition,
    error: ErrorCode,
) -> OffsetCommitResponsePartition {
    OffsetCommitResponsePartition {
        partition_index: partition.partition_index,
        error_code: error.code(),
    }
}

/// The same error for everything that was to be committed.
pub(in crate::coord) fn commit_error(
    request: &OffsetCommitRequest,
    error: ErrorCode,
) -> OffsetCommitResponse {
    let topics = request.topics.iter().map(|topic| OffsetCommitResponseTopic {
        name: topic.name.clone(),
        topic_id: topic.topic_id,
        partitions: topic
            .partitions
            .iter()
            .map(|partition| response_partition(partition, error))
            .collect(),
    });
    OffsetCommitResponse { topics: topics.collect(), ..Default::default() }
}
