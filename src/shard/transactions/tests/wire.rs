//! A client that speaks to a simulated broker, and the broker.

use crate::{boot::testing, coord::partition::coordinator_partition, log::tests::batch};
use bytes::{BufMut, Bytes, BytesMut};
use protocol::{
    ApiKey, ErrorCode, Request, decode_exact,
    messages::{
        AddPartitionsToTxnRequest, CreateTopicsRequest, EndTxnRequest, FetchRequest,
        FindCoordinatorRequest, InitProducerIdRequest, ListOffsetsRequest, ProduceRequest,
        add_partitions_to_txn_request::AddPartitionsToTxnTopic,
        create_topics_request::{CreatableTopic, CreatableTopicConfig},
        fetch_request::{FetchPartition, FetchTopic},
        fetch_response::PartitionData,
        list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic},
        produce_request::{PartitionProduceData, TopicProduceData},
    },
};
use ring::{
    Ring, Stream,
    sim::{DiskControl, NodeId, SimOptions, World},
};
use std::{
    cell::{Cell, RefCell},
    future::Future,
    net::SocketAddr,
    rc::Rc,
    time::Duration,
};

pub const CORES: usize = 2;
pub const TOPIC: &str = "t";
pub const STATE_TOPIC: &str = "__transaction_state";
const LIMIT: Duration = Duration::from_secs(200);

/// Starts the broker, as often as it takes.
pub fn start(world: &World, node: NodeId, properties: &[(&str, &str)]) -> SocketAddr {
    let always = [
        ("log.dirs", "/data/0,/data/1"),
        // One in each log directory.
        ("transaction.state.log.num.partitions", "2"),
    ];
    let properties: Vec<_> = always.iter().chain(properties).copied().collect();
    testing::start(world, node, CORES, "PLAINTEXT", &properties)
}

/// Starts a broker and runs one client's story to its end.
pub fn tell<F: Future<Output = ()> + 'static>(
    properties: &[(&str, &str)],
    story: impl FnOnce(Client, DiskControl) -> F + 'static,
) {
    let world = World::new(7, SimOptions::calm());
    let node = world.node("broker");
    let address = start(&world, node, properties);
    let disk = world.disk(node);
    run_client(&world, "client", address, move |client| story(client, disk));
    world.close();
}

/// Runs one client's story to its end, and returns what comes of it.
pub fn run_client<T: 'static, F: Future<Output = T> + 'static>(
    world: &World,
    name: &str,
    address: SocketAddr,
    story: impl FnOnce(Client) -> F + 'static,
) -> T {
    let done = Rc::new(RefCell::new(None));
    let told = done.clone();
    world.start_core(world.node(name), 0, move |ring| async move {
        let end = story(Client::connect(&ring, address).await).await;
        told.replace(Some(end));
    });
    assert!(world.run_until(LIMIT, || done.borrow().is_some()), "the story ends");
    done.take().expect("it has ended")
}

pub struct Client {
    pub ring: Ring,
    address: SocketAddr,
    stream: Stream,
    received: RefCell<BytesMut>,
    next_correlation_id: Cell<i32>,
    /// As it calls itself.
    pub client_id: Cell<Option<&'static str>>,
}

/// What a partition says of an append: its error, and where the records are.
pub type Heard = (ErrorCode, i64);

impl Client {
    async fn connect(ring: &Ring, address: SocketAddr) -> Client {
        let stream = ring.connect(address).await.expect("the broker listens");
        Client {
            ring: ring.clone(),
            address,
            stream,
            received: RefCell::default(),
            next_correlation_id: Cell::new(1),
            client_id: Cell::new(None),
        }
    }

    /// On a connection of its own.
    pub async fn another(&self) -> Client {
        Client::connect(&self.ring, self.address).await
    }

    async fn take(&self, bytes: usize) -> BytesMut {
        loop {
            let mut buffer = self.received.take();
            if buffer.len() >= bytes {
                let taken = buffer.split_to(bytes);
                self.received.replace(buffer);
                return taken;
            }
            let (received, buffer) = self.ring.recv(&self.stream, buffer, 4096).await;
            assert_ne!(received.expect("the connection lasts"), 0, "the broker has closed");
            self.received.replace(buffer);
        }
    }

    pub async fn send<Q: Request>(&self, request: &Q, version: i16) -> i32 {
        let correlation_id = self.next_correlation_id.get();
        self.next_correlation_id.set(correlation_id + 1);
        let mut frame = BytesMut::new();
        frame.put_i32(0);
        frame.put_i16(Q::API_KEY);
        frame.put_i16(version);
        frame.put_i32(correlation_id);
        match self.client_id.get() {
            Some(client_id) => {
                frame.put_i16(client_id.len() as i16);
                frame.put_slice(client_id.as_bytes());
            }
            None => frame.put_i16(-1),
        }
        // No tags.
        let key = ApiKey::from_i16(Q::API_KEY).expect("an API of this release");
        if key.request_header_version(version) >= 2 {
            frame.put_u8(0);
        }
        request.encode(&mut frame, version).expect("it encodes");
        let length = (frame.len() - 4) as i32;
        frame[..4].copy_from_slice(&length.to_be_bytes());
        self.ring.send(&self.stream, vec![frame.freeze()]).await.expect("the connection lasts");
        correlation_id
    }

    pub async fn receive<Q: Request>(&self, correlation_id: i32, version: i16) -> Q::Response {
        let length = self.take(4).await;
        let length = i32::from_be_bytes(length[..].try_into().expect("four bytes"));
        let answer = self.take(length as usize).await;
        assert_eq!(answer[..4], correlation_id.to_be_bytes(), "answers come in order");
        let key = ApiKey::from_i16(Q::API_KEY).expect("an API of this release");
        let body = &answer[4 + usize::from(key.response_header_version(version) >= 1)..];
        decode_exact(body, version).expect("it decodes")
    }

    pub async fn call<Q: Request>(&self, request: &Q, version: i16) -> Q::Response {
        let correlation_id = self.send(request, version).await;
        self.receive::<Q>(correlation_id, version).await
    }

    pub async fn create_topic(&self, num_partitions: i32) {
        self.create_topic_with(num_partitions, &[]).await;
    }

    pub async fn create_topic_with(&self, num_partitions: i32, configs: &[(&str, &str)]) {
        let config = |(name, value): &(&str, &str)| CreatableTopicConfig {
            name: (*name).to_owned(),
            value: Some((*value).to_owned()),
        };
        let topic = CreatableTopic {
            name: TOPIC.to_owned(),
            num_partitions,
            replication_factor: 1,
            configs: configs.iter().map(config).collect(),
            ..Default::default()
        };
        let request =
            CreateTopicsRequest { topics: vec![topic], timeout_ms: 30_000, ..Default::default() };
        assert_eq!(self.call(&request, 7).await.topics[0].error_code, 0);
    }

    /// Begins as a producer with this transactional id.
    pub async fn init(&self, transactional_id: &'static str) -> Producer {
        let request = FindCoordinatorRequest {
            key_type: 1,
            coordinator_keys: vec![transactional_id.to_owned()],
            ..Default::default()
        };
        while self.call(&request, 4).await.coordinators[0].error_code != 0 {
            self.ring.sleep(Duration::from_millis(10)).await;
        }
        let request = InitProducerIdRequest {
            transactional_id: Some(transactional_id.to_owned()),
            transaction_timeout_ms: 60_000,
            producer_id: -1,
            producer_epoch: -1,
            ..Default::default()
        };
        loop {
            let response = self.call(&request, 5).await;
            if response.error_code == 0 {
                let (id, epoch) = (response.producer_id, response.producer_epoch);
                return Producer { transactional_id, id, epoch };
            }
            self.ring.sleep(Duration::from_millis(10)).await;
        }
    }

    /// What a request of several appends hears of each.
    pub async fn produce(&self, version: i16, request: &ProduceRequest) -> Vec<Heard> {
        heard(&self.call(request, version).await)
    }

    pub async fn add_partitions(&self, producer: &Producer, partitions: &[i32]) -> Vec<ErrorCode> {
        let topic =
            AddPartitionsToTxnTopic { name: TOPIC.to_owned(), partitions: partitions.to_vec() };
        let request = AddPartitionsToTxnRequest {
            v3_and_below_transactional_id: producer.transactional_id.to_owned(),
            v3_and_below_producer_id: producer.id,
            v3_and_below_producer_epoch: producer.epoch,
            v3_and_below_topics: vec![topic],
            ..Default::default()
        };
        let response = self.call(&request, 3).await;
        let results = &response.results_by_topic_v3_and_below[0].results_by_partition;
        results.iter().map(|result| error(result.partition_error_code)).collect()
    }

    /// Ends the transaction; from version 5 on, the producer has another epoch then.
    pub async fn end(&self, version: i16, producer: &mut Producer, committed: bool) -> ErrorCode {
        let request = EndTxnRequest {
            transactional_id: producer.transactional_id.to_owned(),
            producer_id: producer.id,
            producer_epoch: producer.epoch,
            committed,
        };
        let response = self.call(&request, version).await;
        if response.error_code == 0 && version >= 5 {
            (producer.id, producer.epoch) = (response.producer_id, response.producer_epoch);
        }
        error(response.error_code)
    }

    pub async fn fetch(&self, fetch: Fetch) -> PartitionData {
        let partition = FetchPartition {
            partition: fetch.partition,
            fetch_offset: fetch.offset,
            partition_max_bytes: 1 << 20,
            ..Default::default()
        };
        let topic = FetchTopic {
            topic: fetch.topic.to_owned(),
            partitions: vec![partition],
            ..Default::default()
        };
        let request = FetchRequest {
            replica_id: -1,
            max_wait_ms: fetch.max_wait_ms,
            min_bytes: 1,
            max_bytes: 1 << 20,
            isolation_level: fetch.read_committed.into(),
            session_epoch: -1,
            topics: vec![topic],
            ..Default::default()
        };
        let response = self.call(&request, 12).await;
        let data = response.responses[0].partitions[0].clone();
        assert_eq!(error(data.error_code), ErrorCode::None);
        data
    }

    /// What ListOffsets says of the end of the first partition.
    pub async fn latest(&self, read_committed: bool) -> i64 {
        let partition =
            ListOffsetsPartition { current_leader_epoch: -1, timestamp: -1, ..Default::default() };
        let topic = ListOffsetsTopic { name: TOPIC.to_owned(), partitions: vec![partition] };
        let request = ListOffsetsRequest {
            replica_id: -1,
            isolation_level: read_committed.into(),
            topics: vec![topic],
            ..Default::default()
        };
        self.call(&request, 7).await.topics[0].partitions[0].offset
    }

    pub async fn is_closed_by_broker(&self) -> bool {
        let (received, _) = self.ring.recv(&self.stream, BytesMut::new(), 4096).await;
        received.is_ok_and(|bytes| bytes == 0)
    }

    pub async fn high_watermark(&self, topic: &'static str, partition: i32) -> i64 {
        self.fetch(Fetch { topic, partition, ..FETCH }).await.high_watermark
    }
}

#[derive(Clone, Copy)]
pub struct Fetch {
    pub topic: &'static str,
    pub partition: i32,
    pub offset: i64,
    pub read_committed: bool,
    pub max_wait_ms: i32,
}

pub const FETCH: Fetch =
    Fetch { topic: TOPIC, partition: 0, offset: 0, read_committed: false, max_wait_ms: 0 };

/// A producer as its coordinator knows it.
#[derive(Clone, Copy, Debug)]
pub struct Producer {
    pub transactional_id: &'static str,
    pub id: i64,
    pub epoch: i16,
}

impl Producer {
    /// One record inside of the transaction.
    pub fn record(&self, sequence: i32) -> Bytes {
        let builder = batch(1_000, &[b"inside"]).producer(self.id, self.epoch, sequence);
        builder.transactional(true).build()
    }

    pub fn request(&self, batches: Vec<(i32, Bytes)>) -> ProduceRequest {
        let data = |(index, records)| PartitionProduceData { index, records: Some(records) };
        let topic = TopicProduceData {
            name: TOPIC.to_owned(),
            partition_data: batches.into_iter().map(data).collect(),
            ..Default::default()
        };
        ProduceRequest {
            transactional_id: Some(self.transactional_id.to_owned()),
            acks: -1,
            timeout_ms: 30_000,
            topic_data: vec![topic],
        }
    }

    /// One record for one partition.
    pub fn one(&self, partition: i32, sequence: i32) -> ProduceRequest {
        self.request(vec![(partition, self.record(sequence))])
    }
}

pub fn heard(response: &protocol::messages::ProduceResponse) -> Vec<Heard> {
    let partitions = response.responses.iter().flat_map(|topic| &topic.partition_responses);
    partitions.map(|one| (error(one.error_code), one.base_offset)).collect()
}

fn error(code: i16) -> ErrorCode {
    ErrorCode::from_code(code).expect("a code of this release")
}

/// The offsets of the batches that were fetched.
pub fn offsets(data: &PartitionData) -> Vec<i64> {
    let records = data.records.clone().unwrap_or_default();
    let batches = protocol::records::batches(&records);
    batches.map(|batch| batch.expect("a whole batch").base_offset()).collect()
}

pub fn aborted(data: &PartitionData) -> Vec<(i64, i64)> {
    let aborted = data.aborted_transactions.iter().flatten();
    aborted.map(|one| (one.producer_id, one.first_offset)).collect()
}

/// Which partition of the coordinators' log has this id.
pub fn state_partition(transactional_id: &str) -> i32 {
    coordinator_partition(transactional_id, 2)
}

/// Which log directory has this partition.
pub fn directory_of(disk: &DiskControl, topic: &str, partition: i32) -> String {
    let names = disk.file_names();
    let dirs = ["/data/0", "/data/1"];
    let has = |dir: &&str| {
        names.iter().any(|name| name.starts_with(&format!("{dir}/{topic}-{partition}/")))
    };
    dirs.into_iter().find(has).expect("the partition has files").to_owned()
}
