//! OffsetDelete (version 0, KIP-496), and the offsets of topics that are gone.
//!
//! Pure, on the core that leads the group's partition.

use std::sync::Arc;

use protocol::messages::offset_delete_request::OffsetDeleteRequestTopic;
use protocol::messages::offset_delete_response::{
    OffsetDeleteResponsePartition, OffsetDeleteResponseTopic,
};
use protocol::messages::{OffsetDeleteRequest, OffsetDeleteResponse};
use protocol::{ErrorCode, Uuid};

use super::store::PartitionKey;
use crate::coord::groups::{Context, Groups};

impl Groups {
    pub(in crate::coord) fn delete_offsets(
        &mut self,
        context: &mut Context<'_>,
        request: &OffsetDeleteRequest,
    ) -> OffsetDeleteResponse {
        let group = self.groups.get(request.group_id.as_str());
        let validated = match group {
            None if request.group_id.is_empty() => Err(ErrorCode::InvalidGroupId),
            None => Err(ErrorCode::GroupIdNotFound),
            Some(group) => group.validate_offset_delete().map(|()| group.id().clone()),
        };
        match validated {
            Ok(group_id) => OffsetDeleteResponse {
                topics: request
                    .topics
                    .iter()
                    .map(|topic| self.delete_topic(context, &group_id, topic))
                    .collect(),
                ..Default::default()
            },
            Err(error) => OffsetDeleteResponse { error_code: error.code(), ..Default::default() },
        }
    }

    fn delete_topic(
        &mut self,
        context: &mut Context<'_>,
        group_id: &Arc<str>,
        topic: &OffsetDeleteRequestTopic,
    ) -> OffsetDeleteResponseTopic {
        let subscribed = self.groups[group_id].is_subscribed_to(&topic.name);
        let error = if subscribed { ErrorCode::GroupSubscribedToTopic } else { ErrorCode::None };
        let name: Arc<str> = Arc::from(topic.name.as_str());
        for partition in topic.partitions.iter().filter(|_| !subscribed) {
            let key = PartitionKey {
                group: group_id.clone(),
                topic: name.clone(),
                partition: partition.partition_index,
            };
            let exists = self.offsets.get(group_id, &name, key.partition).is_some()
                || self.offsets.has_pending(group_id, &name, key.partition);
            if exists {
                self.delete_offset(context, key);
            }
        }
        let partitions = topic.partitions.iter().map(|partition| OffsetDeleteResponsePartition {
            partition_index: partition.partition_index,
            error_code: error.code(),
        });
        OffsetDeleteResponseTopic { name: topic.name.clone(), partitions: partitions.collect() }
    }

    /// Deletes every group's offsets of a topic that no longer exists.
    pub(in crate::coord) fn topic_deleted(
        &mut self,
        context: &mut Context<'_>,
        topic: &str,
        topic_id: Uuid,
    ) {
        for key in self.offsets.keys_of_topic(topic, topic_id) {
            self.delete_offset(context, key);
        }
    }
}
