//! Who leads a partition, for a client that asked a node that does not (KIP-951).
//!
//! Owns: the leaders that one response names. Lives on: the core of the connection. Never: costs a
//! response without such an error anything.

use super::{Shard, view::PartitionRoute};
use crate::meta::image::MetadataImage;
use protocol::{ErrorCode, LeaderIdAndEpoch, NodeEndpoint, Uuid};
use std::sync::Arc;

/// The leaders that a response has named so far, and where they are for its client.
pub struct NamedLeaders<'a> {
    shard: &'a Shard,
    listener: usize,
    image: Option<Arc<MetadataImage>>,
    ids: Vec<i32>,
}

impl NamedLeaders<'_> {
    /// For a client that came in by `listener` (its index).
    pub fn new(shard: &Shard, listener: usize) -> NamedLeaders<'_> {
        NamedLeaders { shard, listener, image: None, ids: Vec::new() }
    }

    /// The leader of a partition, where `error` says that the client does not know it. The topic
    /// is named by its id, or where that is zero, by its name. With no leader the id is -1, and the
    /// client asks for the metadata.
    pub fn for_error(
        &mut self,
        error: ErrorCode,
        (name, topic_id): (&str, Uuid),
        index: i32,
    ) -> Option<LeaderIdAndEpoch> {
        if !matches!(error, ErrorCode::NotLeaderOrFollower | ErrorCode::FencedLeaderEpoch) {
            return None;
        }
        let routes = self.shard.data.routes.borrow();
        let by_id = routes.by_id(topic_id);
        let topic = if topic_id == Uuid::ZERO { routes.by_name(name) } else { by_id }?;
        let route = topic.partitions.get(usize::try_from(index).ok()?)?;
        let &PartitionRoute { leader, leader_epoch, .. } = route;
        self.image.get_or_insert_with(|| self.shard.control.image());
        if !self.ids.contains(&leader) {
            self.ids.push(leader);
        }
        Some(LeaderIdAndEpoch { leader_id: leader, leader_epoch })
    }

    /// The addresses of those that were named and that the client can reach.
    pub fn endpoints(&self) -> Vec<NodeEndpoint<'_>> {
        let Some(image) = &self.image else { return Vec::new() };
        let listener = &self.shard.config.listeners[self.listener].name;
        let endpoint = |id: &i32| {
            let broker = image.broker(*id)?;
            let endpoint = broker.endpoint(listener)?;
            let (host, port) = (endpoint.host.as_str(), i32::from(endpoint.port));
            Some(NodeEndpoint { node_id: *id, host, port, rack: broker.0.rack.as_deref() })
        };
        self.ids.iter().filter_map(endpoint).collect()
    }
}
