//! A cluster in memory, for tests: requests are decided, their records encoded, decoded and
//! replayed.

use super::{
    bootstrap,
    controller::{self, *},
    image::{Endpoint, MetadataImage, Voter},
    metalog::{self, BatchContent},
    replay::Replay,
};
use protocol::{Uuid, messages::*, metadata_records::MetadataRecord};

pub const LISTENER: &str = "PLAINTEXT";
pub const CLUSTER_ID: &str = "Y2x1c3RlciAgICAgICAgIA";

pub struct World {
    pub replay: Replay,
    pub settings: Settings,
    pub log: Vec<u8>,
    pub next_offset: i64,
    seed: u64,
    /// Against the mutation quota of the client that asks.
    pub mutations: controller::Mutations,
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl World {
    /// A new cluster whose broker 1 is registered and unfenced.
    pub fn new() -> Self {
        let mut world = Self::without_brokers();
        world.add_broker(1, None);
        world
    }

    pub fn without_brokers() -> Self {
        let settings = Settings {
            node_id: 1,
            num_partitions: 1,
            default_replication_factor: 1,
            delete_topic_enable: true,
            static_configs: Default::default(),
        };
        let mut image = MetadataImage::empty(CLUSTER_ID);
        let voter = Voter {
            id: 1,
            directory_id: directory(1),
            endpoints: vec![endpoint("CONTROLLER")],
            kraft_versions: (0, 1),
        };
        let quorum = std::sync::Arc::make_mut(&mut image.quorum);
        (quorum.kraft_version, quorum.voters) = (1, vec![voter]);
        let mut world = Self {
            replay: Replay::new(image),
            settings,
            log: Vec::new(),
            next_offset: 0,
            seed: 1,
            mutations: controller::Mutations::UNLIMITED,
        };
        let control = bootstrap::start_of_epoch(world.image(), 1, vec![1]);
        let batch = metalog::encode_control(&control, 0, 1, 0);
        world.append(&batch);
        let records = bootstrap::activation(world.image(), false, &bootstrap::bootstrap_records());
        world.append_records(&records);
        world
    }

    pub fn add_broker(&mut self, id: i32, rack: Option<&str>) {
        let registration = BrokerRegistration {
            broker_id: id,
            incarnation_id: Uuid::from_u128(id as u128),
            cluster_id: CLUSTER_ID.to_owned(),
            endpoints: vec![RegisteredEndpoint {
                endpoint: endpoint(LISTENER),
                security_protocol: 0,
            }],
            rack: rack.map(str::to_owned),
            log_dirs: vec![directory(id)],
        };
        let ControllerResponse::RegisterBroker(Ok(broker_epoch)) =
            self.ask(ControllerRequest::RegisterBroker(registration))
        else {
            panic!("broker {id} is not registered")
        };
        let unfence = BrokerUnfence { broker_id: id, broker_epoch, renew_leader_epochs: true };
        assert_eq!(
            self.ask(ControllerRequest::UnfenceBroker(unfence)),
            ControllerResponse::UnfenceBroker(Ok(()))
        );
    }

    pub fn image(&self) -> &MetadataImage {
        self.replay.image()
    }

    /// What the controller makes of a request, without effect.
    pub fn decide(&mut self, request: &ControllerRequest) -> Outcome {
        let image = self.replay.image().clone();
        let seed = &mut self.seed;
        let mut random = || {
            *seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            *seed ^ *seed >> 29
        };
        let (settings, next_offset) = (&self.settings, self.next_offset);
        controller::handle(
            &mut Context {
                image: &image,
                settings,
                next_offset,
                random: &mut random,
                mutations: &mut self.mutations,
            },
            request,
        )
    }

    pub fn ask(&mut self, request: ControllerRequest) -> ControllerResponse {
        let outcome = self.decide(&request);
        self.append_records(&outcome.records);
        outcome.response
    }

    /// Through the bytes of the log.
    pub fn append_records(&mut self, records: &[MetadataRecord]) {
        // Before the bootstrap records there is no level; they are written in the latest.
        let level = self.image().metadata_version().max(17);
        let batches = metalog::encode_records(
            records,
            level,
            self.next_offset,
            1,
            0,
            metalog::MAX_BATCH_BYTES,
        );
        for bytes in batches.unwrap() {
            let decoded = metalog::decode(&bytes).next().unwrap().unwrap();
            let BatchContent::Records(of_batch) = &decoded.content else { panic!("{decoded:?}") };
            assert!(of_batch.len() <= records.len());
            self.append(&bytes);
        }
    }

    fn append(&mut self, batch: &[u8]) {
        for batch in metalog::decode(batch) {
            let batch = batch.unwrap();
            self.replay.apply(&batch).unwrap();
            self.next_offset = batch.last_offset() + 1;
        }
        self.log.extend_from_slice(batch);
    }

    /// The image of the whole log from nothing.
    pub fn replayed(&self) -> MetadataImage {
        let mut replay = Replay::new(MetadataImage::empty(CLUSTER_ID));
        for batch in metalog::decode(&self.log) {
            replay.apply(&batch.unwrap()).unwrap();
        }
        replay.image().as_ref().clone()
    }

    pub fn create(
        &mut self,
        topics: Vec<create_topics_request::CreatableTopic>,
    ) -> CreateTopicsResponse {
        let request = CreateTopicsRequest { topics, ..Default::default() };
        match self.ask(ControllerRequest::CreateTopics(request)) {
            ControllerResponse::CreateTopics(response) => response,
            other => panic!("{other:?}"),
        }
    }

    /// Creates a topic that must not fail.
    pub fn topic(&mut self, name: &str, partitions: i32) -> Uuid {
        let result = self.create(vec![topic(name, partitions, 1)]).topics.remove(0);
        assert_eq!((result.error_code, result.error_message), (0, None));
        result.topic_id
    }
}

pub fn topic(
    name: &str,
    num_partitions: i32,
    replication_factor: i16,
) -> create_topics_request::CreatableTopic {
    create_topics_request::CreatableTopic {
        name: name.to_owned(),
        num_partitions,
        replication_factor,
        ..Default::default()
    }
}

pub fn directory(broker: i32) -> Uuid {
    Uuid::from_u128(1000 + broker as u128)
}

fn endpoint(listener: &str) -> Endpoint {
    Endpoint { listener: listener.to_owned(), host: "localhost".to_owned(), port: 9092 }
}

/// Puts a topic into an image, with one replica of each partition on broker 1, which leads it.
pub fn add_topic(image: &mut MetadataImage, name: &str, id: Uuid, partitions: usize) {
    use super::topic::PartitionRegistration;
    use protocol::metadata_records::TopicRecord;
    let partition = PartitionRegistration {
        replicas: vec![1],
        directories: vec![directory(1)],
        isr: vec![1],
        leader: 1,
        ..PartitionRegistration::default()
    };
    image.replay(&TopicRecord { name: name.to_owned(), topic_id: id }.into()).unwrap();
    for index in 0..partitions as i32 {
        image.replay(&partition.to_record(id, index).into()).unwrap();
    }
}

/// The partition has these replicas, all in sync, and the first one leads it.
pub fn set_replicas(image: &mut MetadataImage, topic_id: Uuid, index: i32, replicas: &[i32]) {
    use protocol::metadata_records::PartitionChangeRecord;
    let record = PartitionChangeRecord {
        topic_id,
        partition_id: index,
        replicas: Some(replicas.to_vec()),
        isr: Some(replicas.to_vec()),
        leader: replicas[0],
        directories: Some(replicas.iter().map(|_| directory(1)).collect()),
        ..PartitionChangeRecord::default()
    };
    image.replay(&record.into()).unwrap();
}
