//! Clusters of one world, and how a client finds its way in one: it asks a bootstrap node for
//! Metadata, sends what concerns a partition to the leader at the address named there, and what
//! concerns a group to its coordinator.
//!
//! Owns: what one client has been told of leaders, coordinators and addresses. What a node has
//! refused, or a connection that died, puts in doubt is forgotten, and asked for again.
//! Lives on: the core of its client. Never: looks at the world to find a node.

use crate::{
    client::{Client, Lost},
    commits,
    model::{Invariant, PartitionKey},
    run::Run,
};
use protocol::{
    Uuid,
    generated::rpc::metadata_response::{MetadataResponseBroker, MetadataResponsePartition},
    messages::{FindCoordinatorResponse, MetadataRequest, MetadataResponse},
};
use std::{collections::BTreeMap, net::SocketAddr};

pub const METADATA_VERSION: i16 = 12;

/// Nodes that know each other, by number. Two clusters share nothing, not even the meaning of a
/// topic's name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ClusterId(pub usize);

impl ClusterId {
    /// The only one, where all nodes know each other.
    pub const FIRST: ClusterId = ClusterId(0);
}

/// What a client has been told of its cluster.
#[derive(Default)]
pub struct Directory {
    nodes: BTreeMap<i32, SocketAddr>,
    leaders: BTreeMap<(Uuid, i32), i32>,
    coordinators: BTreeMap<String, i32>,
}

fn socket_address(host: &str, port: i32) -> Option<SocketAddr> {
    Some(SocketAddr::new(host.parse().ok()?, u16::try_from(port).ok()?))
}

impl Directory {
    /// Takes in an answer about all topics.
    fn learn(&mut self, response: &MetadataResponse) {
        let of_broker = |broker: &MetadataResponseBroker| {
            Some((broker.node_id, socket_address(&broker.host, broker.port)?))
        };
        self.nodes = response.brokers.iter().filter_map(of_broker).collect();
        let partitions = response.topics.iter().flat_map(|topic| {
            let of_partition = |one: &MetadataResponsePartition| {
                ((topic.topic_id, one.partition_index), one.leader_id)
            };
            topic.partitions.iter().map(of_partition)
        });
        self.leaders = partitions.collect();
    }

    pub fn learn_coordinators(&mut self, response: &FindCoordinatorResponse) {
        for found in response.coordinators.iter().filter(|found| found.error_code == 0) {
            if let Some(address) = socket_address(&found.host, found.port) {
                self.nodes.insert(found.node_id, address);
                self.coordinators.insert(found.key.clone(), found.node_id);
            }
        }
    }

    /// `None`: no node has said, or none leads it.
    pub fn leader(&self, key: PartitionKey) -> Option<SocketAddr> {
        self.nodes.get(self.leaders.get(&(key.topic.id, key.index))?).copied()
    }

    fn coordinator(&self, group: &str) -> Option<SocketAddr> {
        self.nodes.get(self.coordinators.get(group)?).copied()
    }

    /// It has said that it is not the leader.
    pub fn forget_leader(&mut self, key: PartitionKey) {
        self.leaders.remove(&(key.topic.id, key.index));
    }

    pub fn forget_coordinator(&mut self, group: &str) {
        self.coordinators.remove(group);
    }

    /// The connection to it has died: what it led may have moved.
    pub fn forget_node(&mut self, address: SocketAddr) {
        let nodes = &self.nodes;
        let is_there = |id: &i32| nodes.get(id) == Some(&address);
        self.leaders.retain(|_, id| !is_there(id));
        self.coordinators.retain(|_, id| !is_there(id));
    }

    /// Places of `keys` by the address that each is sent to, in the order of `keys`; what no
    /// node is known to lead goes to `otherwise`, which says why.
    fn group(&self, keys: &[PartitionKey], otherwise: SocketAddr) -> Vec<(SocketAddr, Vec<usize>)> {
        let mut groups: Vec<(SocketAddr, Vec<usize>)> = Vec::new();
        for (place, key) in keys.iter().enumerate() {
            let address = self.leader(*key).unwrap_or(otherwise);
            match groups.iter_mut().find(|(known, _)| *known == address) {
                Some((_, places)) => places.push(place),
                None => groups.push((address, vec![place])),
            }
        }
        groups
    }
}

impl Client {
    /// The partitions in `keys`, by their places, with the address of their leaders.
    pub async fn by_leader(
        &mut self,
        keys: &[PartitionKey],
    ) -> Result<Vec<(SocketAddr, Vec<usize>)>, Lost> {
        if !self.run.plan.by_metadata {
            return Ok(vec![(self.bootstrap(), (0..keys.len()).collect())]);
        }
        let is_unknown = |key: &PartitionKey| self.directory.borrow().leader(*key).is_none();
        if keys.iter().any(is_unknown) {
            self.ask_for_leaders().await?;
        }
        Ok(self.directory.borrow().group(keys, self.bootstrap()))
    }

    pub async fn leader_of(&mut self, key: PartitionKey) -> Result<SocketAddr, Lost> {
        Ok(self.by_leader(&[key]).await?[0].0)
    }

    /// Whether the partition is known to be led elsewhere.
    pub fn leads_not(&self, address: SocketAddr, key: PartitionKey) -> bool {
        self.run.plan.by_metadata
            && self.directory.borrow().leader(key).is_some_and(|leader| leader != address)
    }

    async fn ask_for_leaders(&mut self) -> Result<(), Lost> {
        let response = self.call(METADATA_VERSION, &metadata_of_all()).await?;
        check_nodes(self, &response);
        self.note(|| format!("metadata names {} nodes", response.brokers.len()));
        self.directory.borrow_mut().learn(&response);
        Ok(())
    }

    /// Where requests of this group go.
    pub async fn coordinator_of(&mut self, group: &str) -> Result<SocketAddr, Lost> {
        if !self.run.plan.by_metadata {
            return Ok(self.bootstrap());
        }
        let known = self.directory.borrow().coordinator(group);
        if let Some(address) = known {
            return Ok(address);
        }
        commits::find_coordinator(self, group).await?;
        let found = self.directory.borrow().coordinator(group);
        found.ok_or(Lost)
    }
}

pub fn metadata_of_all() -> MetadataRequest {
    MetadataRequest { topics: None, allow_auto_topic_creation: false, ..Default::default() }
}

/// A cluster names its own nodes, at their own addresses, and no others.
fn check_nodes(client: &Client, response: &MetadataResponse) {
    let run: &Run = &client.run;
    for broker in &response.brokers {
        let address = socket_address(&broker.host, broker.port);
        let mut nodes = run.nodes_of(client.cluster);
        if !nodes.any(|node| node.id == broker.node_id && Some(node.address) == address) {
            let detail = format!(
                "node {} at {}:{} is none of {:?}",
                broker.node_id, broker.host, broker.port, client.cluster
            );
            run.violate(Invariant::AnswersExplained, detail);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TopicKey;
    use protocol::generated::rpc::{
        find_coordinator_response::Coordinator, metadata_response::MetadataResponseTopic,
    };

    const BOOTSTRAP: &str = "10.0.0.9:9092";

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    fn key(index: i32) -> PartitionKey {
        PartitionKey { topic: TopicKey { cluster: ClusterId::FIRST, id: Uuid([7; 16]) }, index }
    }

    /// Nodes 1 and 2, and the leaders of the partitions of one topic.
    fn metadata(leaders: &[i32]) -> MetadataResponse {
        let broker = |id: i32| MetadataResponseBroker {
            node_id: id,
            host: format!("10.0.0.{id}"),
            port: 9092,
            ..Default::default()
        };
        let partition = |(index, leader): (usize, &i32)| MetadataResponsePartition {
            partition_index: index as i32,
            leader_id: *leader,
            ..Default::default()
        };
        let topic = MetadataResponseTopic {
            topic_id: Uuid([7; 16]),
            partitions: leaders.iter().enumerate().map(partition).collect(),
            ..Default::default()
        };
        MetadataResponse {
            brokers: vec![broker(1), broker(2)],
            topics: vec![topic],
            ..Default::default()
        }
    }

    #[test]
    fn each_partition_goes_to_its_leader() {
        let mut directory = Directory::default();
        assert_eq!(directory.leader(key(0)), None);
        directory.learn(&metadata(&[1, 2, 1, -1]));
        let keys = [key(0), key(1), key(2), key(3), key(4)];
        let groups = directory.group(&keys, address(BOOTSTRAP));
        let expected =
            [("10.0.0.1:9092", vec![0, 2]), ("10.0.0.2:9092", vec![1]), (BOOTSTRAP, vec![3, 4])];
        assert_eq!(groups, expected.map(|(text, places)| (address(text), places)));
        // It has moved, and another one is gone.
        directory.learn(&metadata(&[2]));
        assert_eq!(directory.leader(key(0)), Some(address("10.0.0.2:9092")));
        assert_eq!(directory.leader(key(1)), None);
    }

    #[test]
    fn what_is_in_doubt_is_forgotten() {
        let mut directory = Directory::default();
        directory.learn(&metadata(&[1, 2, 1]));
        directory.forget_leader(key(0));
        assert_eq!(directory.leader(key(0)), None);
        assert_eq!(directory.leader(key(2)), Some(address("10.0.0.1:9092")));
        directory.forget_node(address("10.0.0.1:9092"));
        assert_eq!(directory.leader(key(2)), None);
        assert_eq!(directory.leader(key(1)), Some(address("10.0.0.2:9092")));
    }

    #[test]
    fn groups_have_coordinators() {
        let found = |key: &str, node_id: i32, error_code: i16| Coordinator {
            key: key.to_owned(),
            node_id,
            host: format!("10.0.0.{node_id}"),
            port: 9092,
            error_code,
            ..Default::default()
        };
        let coordinators = vec![found("a", 1, 0), found("b", 2, 0), found("c", -1, 15)];
        let mut directory = Directory::default();
        directory
            .learn_coordinators(&FindCoordinatorResponse { coordinators, ..Default::default() });
        assert_eq!(directory.coordinator("a"), Some(address("10.0.0.1:9092")));
        assert_eq!(directory.coordinator("c"), None);
        directory.forget_node(address("10.0.0.1:9092"));
        assert_eq!(directory.coordinator("a"), None);
        directory.forget_coordinator("b");
        assert_eq!(directory.coordinator("b"), None);
    }
}
