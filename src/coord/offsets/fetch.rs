//! OffsetFetch, for one group; versions 1 to 10 differ in how groups and topics are named, which
//! [`fanout`](crate::coord::fanout) takes care of.
//!
//! Pure; reads the state, changes nothing.

use std::collections::BTreeMap;

use protocol::messages::offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopics};
use protocol::messages::offset_fetch_response::{
    OffsetFetchResponseGroup, OffsetFetchResponsePartitions, OffsetFetchResponseTopics,
};
use protocol::{ErrorCode, Uuid};

use super::store::{CommittedOffset, Offsets};

/// "Nothing was committed."
const INVALID_OFFSET: i64 = -1;
const NO_LEADER_EPOCH: i32 = -1;

impl Offsets {
    /// A group that does not exist has committed nothing; that is no error. With `require_stable`,
    /// partitions whose offset an open transaction may yet change answer UNSTABLE_OFFSET_COMMIT.
    pub fn fetch(
        &self,
        request: &OffsetFetchRequestGroup,
        require_stable: bool,
    ) -> OffsetFetchResponseGroup {
        let group = request.group_id.as_str();
        let topics = match &request.topics {
            Some(topics) => {
                topics.iter().map(|topic| self.fetch_topic(group, topic, require_stable)).collect()
            }
            None => self.fetch_all(group, require_stable),
        };
        OffsetFetchResponseGroup { group_id: group.to_owned(), topics, ..Default::default() }
    }

    fn fetch_topic(
        &self,
        group: &str,
        topic: &OffsetFetchRequestTopics,
        require_stable: bool,
    ) -> OffsetFetchResponseTopics {
        // Looked up once for all partitions that are asked for.
        let offsets = self.group(group).and_then(|topics| topics.get(&*topic.name));
        let partitions = topic.partition_indexes.iter().map(|partition| {
            let committed = offsets
                .and_then(|offsets| offsets.get(partition))
                .filter(|committed| same_topic(committed.topic_id, topic.topic_id));
            self.fetch_partition(group, &topic.name, *partition, committed, require_stable)
        });
        OffsetFetchResponseTopics {
            name: topic.name.clone(),
            topic_id: topic.topic_id,
            partitions: partitions.collect(),
        }
    }

    fn fetch_all(&self, group: &str, require_stable: bool) -> Vec<OffsetFetchResponseTopics> {
        let mut answers = Vec::new();
        for (topic, partitions) in self.group(group).into_iter().flatten() {
            // By the id of the topic that they were committed for: that of its name may be another
            // one now.
            let mut by_id = BTreeMap::<Uuid, Vec<OffsetFetchResponsePartitions>>::new();
            for (partition, committed) in partitions {
                let id = committed.topic_id;
                let committed = Some(committed);
                let answer =
                    self.fetch_partition(group, topic, *partition, committed, require_stable);
                by_id.entry(id).or_default().push(answer);
            }
            answers.extend(by_id.into_iter().map(|(topic_id, partitions)| {
                OffsetFetchResponseTopics { name: topic.to_string(), topic_id, partitions }
            }));
        }
        answers
    }

    fn fetch_partition(
        &self,
        group: &str,
        topic: &str,
        partition_index: i32,
        committed: Option<&CommittedOffset>,
        require_stable: bool,
    ) -> OffsetFetchResponsePartitions {
        if require_stable && self.has_pending(group, topic, partition_index) {
            return nothing(partition_index, ErrorCode::UnstableOffsetCommit);
        }
        let Some(committed) = committed else { return nothing(partition_index, ErrorCode::None) };
        OffsetFetchResponsePartitions {
            partition_index,
            committed_offset: committed.offset,
            committed_leader_epoch: committed.leader_epoch,
            metadata: Some(committed.metadata.to_string()),
            error_code: ErrorCode::None.code(),
        }
    }
}

/// A commit without a topic id belongs to whatever topic has the name; so does a request without
/// one.
fn same_topic(committed: Uuid, requested: Uuid) -> bool {
    committed.is_zero() || requested.is_zero() || committed == requested
}

pub(in crate::coord) fn nothing(
    partition_index: i32,
    error: ErrorCode,
) -> OffsetFetchResponsePartitions {
    OffsetFetchResponsePartitions {
        partition_index,
        committed_offset: INVALID_OFFSET,
        committed_leader_epoch: NO_LEADER_EPOCH,
        metadata: Some(String::new()),
        error_code: error.code(),
    }
}

pub(in crate::coord) fn fetch_error(
    request: &OffsetFetchRequestGroup,
    error: ErrorCode,
) -> OffsetFetchResponseGroup {
    OffsetFetchResponseGroup {
        group_id: request.group_id.clone(),
        error_code: error.code(),
        ..Default::default()
    }
}
