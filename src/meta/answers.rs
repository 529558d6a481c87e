//! Answers that only read: functions of an image, the listener that the client came in on, and the
//! request.
//!
//! Pure, and cheap enough for any core: each works on the image that its core has at hand. Whether
//! the client may know what is answered is checked elsewhere.

mod client_quotas;
mod configs;
mod describe_cluster;
mod describe_topic_partitions;
mod features;
mod metadata;
mod quorum;
mod reassignments;
mod scram;

#[cfg(test)]
mod tests;

// All that these files make public is an answer, or a part of one.
pub use client_quotas::*;
pub use configs::*;
pub use describe_cluster::*;
pub use describe_topic_partitions::*;
pub use features::*;
pub use metadata::*;
pub use quorum::*;
pub use reassignments::*;
pub use scram::*;

use super::{
    image::{Broker, MetadataImage},
    topic::PartitionRegistration,
};

/// "Not asked for", where a response tells the operations a client may perform.
pub const OPERATIONS_NOT_ASKED: i32 = i32::MIN;

/// Every operation on a topic, as bits by the codes of `AclOperation`: READ 3, WRITE 4, CREATE 5,
/// DELETE 6, ALTER 7, DESCRIBE 8, DESCRIBE_CONFIGS 10, ALTER_CONFIGS 11.
pub const TOPIC_OPERATIONS: i32 =
    1 << 3 | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 7 | 1 << 8 | 1 << 10 | 1 << 11;

/// Every operation on the cluster: CREATE 5, ALTER 7, DESCRIBE 8, CLUSTER_ACTION 9,
/// DESCRIBE_CONFIGS 10, ALTER_CONFIGS 11, IDEMPOTENT_WRITE 12.
pub const CLUSTER_OPERATIONS: i32 = 1 << 5 | 1 << 7 | 1 << 8 | 1 << 9 | 1 << 10 | 1 << 11 | 1 << 12;

/// A client's view of the brokers: through one listener.
#[derive(Clone, Copy)]
struct Brokers<'a> {
    image: &'a MetadataImage,
    listener: &'a str,
}

impl<'a> Brokers<'a> {
    /// The brokers that clients of this listener can reach, in the order of their ids; fenced ones
    /// too.
    fn reachable(self) -> impl Iterator<Item = (&'a Broker, &'a str, i32)> {
        self.image.brokers.values().filter_map(move |broker| {
            let endpoint = broker.endpoint(self.listener)?;
            Some((broker.as_ref(), &*endpoint.host, i32::from(endpoint.port)))
        })
    }

    /// Where a client sends what only "the controller" does, which any broker passes on; -1: no
    /// broker is alive.
    fn any_alive(self) -> i32 {
        self.reachable()
            .find(|(broker, ..)| !broker.0.fenced)
            .map_or(-1, |(broker, ..)| broker.0.broker_id)
    }

    fn has_endpoint(self, broker: i32) -> bool {
        self.image.broker(broker).is_some_and(|broker| broker.endpoint(self.listener).is_some())
    }

    fn is_alive(self, broker: i32) -> bool {
        let found = self.image.broker(broker);
        found.is_some_and(|broker| !broker.0.fenced && broker.endpoint(self.listener).is_some())
    }

    /// The replicas on brokers that are fenced, unreachable through this listener, or have lost the
    /// directory.
    fn offline_replicas(self, partition: &PartitionRegistration) -> Vec<i32> {
        let is_online = |replica: i32| {
            let directory = partition.directory_of(replica);
            self.is_alive(replica)
                && self
                    .image
                    .broker(replica)
                    .zip(directory)
                    .is_some_and(|(broker, id)| broker.has_online_directory(id))
        };
        partition.replicas.iter().copied().filter(|&replica| !is_online(replica)).collect()
    }
}
