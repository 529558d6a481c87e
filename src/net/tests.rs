//! A whole broker whose listener has a transport that changes every byte: connections are accepted,
//! handed to another core, produce and fetch, from memory and from files.

use crate::{boot::testing, log::tests::batch, request::transport::tests::masked::mask};
use bytes::{BufMut, Bytes, BytesMut};
use protocol::{
    ApiKey, Message, Reader,
    messages::{
        CreateTopicsRequest, CreateTopicsResponse, FetchRequest, FetchResponse, ProduceRequest,
        ProduceResponse,
        create_topics_request::CreatableTopic,
        fetch_request::{FetchPartition, FetchTopic},
        produce_request::{PartitionProduceData, TopicProduceData},
    },
};
use ring::{
    Ring, Stream,
    sim::{NodeId, SimOptions, World},
};
use std::{
    cell::{Cell, RefCell},
    net::SocketAddr,
    rc::Rc,
    time::Duration,
};

const CORES: usize = 2;
const TOPIC: &str = "t";
const LIMIT: Duration = Duration::from_secs(60);

fn start(world: &World, node: NodeId) -> SocketAddr {
    let properties = [
        ("listener.security.protocol.map", "MASKED:PLAINTEXT"),
        ("inter.broker.listener.name", "MASKED"),
        ("log.dirs", "/data"),
    ];
    testing::start(world, node, CORES, "MASKED", &properties)
}

/// A client that changes its bytes as the broker's transport does.
struct Client {
    ring: Ring,
    stream: Stream,
    sent: Cell<u64>,
    received: RefCell<(u64, BytesMut)>,
}

impl Client {
    async fn connect(ring: &Ring, address: SocketAddr) -> Client {
        let stream = ring.connect(address).await.expect("the broker listens");
        Client { ring: ring.clone(), stream, sent: Cell::new(0), received: RefCell::default() }
    }

    async fn receive(&self, bytes: usize) -> BytesMut {
        loop {
            let (mut place, mut buffer) = self.received.take();
            if buffer.len() >= bytes {
                let taken = buffer.split_to(bytes);
                *self.received.borrow_mut() = (place, buffer);
                return taken;
            }
            let before = buffer.len();
            let (received, mut buffer) = self.ring.recv(&self.stream, buffer, 4096).await;
            assert_ne!(received.expect("the connection lasts"), 0, "the broker has closed");
            for byte in &mut buffer[before..] {
                *byte ^= mask(place);
                place += 1;
            }
            *self.received.borrow_mut() = (place, buffer);
        }
    }

    async fn call<Q: Message, R: Message>(&self, api: ApiKey, version: i16, request: &Q) -> R {
        let mut frame = BytesMut::new();
        frame.put_i32(0);
        frame.put_i16(api.code());
        frame.put_i16(version);
        frame.put_i32(4711);
        // No client id, no tags.
        frame.put_i16(-1);
        frame.put_u8(0);
        request.encode(&mut frame, version).expect("it encodes");
        let length = (frame.len() - 4) as i32;
        frame[..4].copy_from_slice(&length.to_be_bytes());
        for byte in &mut frame[..] {
            *byte ^= mask(self.sent.get());
            self.sent.set(self.sent.get() + 1);
        }
        self.ring.send(&self.stream, vec![frame.freeze()]).await.expect("the connection lasts");
        let length = self.receive(4).await;
        let length = i32::from_be_bytes(length[..].try_into().expect("four bytes"));
        let answer = self.receive(length as usize).await;
        assert_eq!(answer[..4], 4711i32.to_be_bytes(), "the answer to this request");
        // Behind the correlation id: no tags.
        R::decode(&mut Reader::new(&answer[5..]), version).expect("it decodes")
    }

    async fn create_topic(&self) {
        let topic = CreatableTopic {
            name: TOPIC.to_owned(),
            num_partitions: CORES as i32,
            replication_factor: 1,
            ..Default::default()
        };
        let request =
            CreateTopicsRequest { topics: vec![topic], timeout_ms: 30_000, ..Default::default() };
        let created: CreateTopicsResponse = self.call(ApiKey::CreateTopics, 7, &request).await;
        assert_eq!(created.topics[0].error_code, 0);
    }

    async fn produce(&self, index: i32, records: Bytes) {
        let partition_data = vec![PartitionProduceData { index, records: Some(records) }];
        let topic =
            TopicProduceData { name: TOPIC.to_owned(), partition_data, ..Default::default() };
        let request = ProduceRequest {
            transactional_id: None,
            acks: -1,
            timeout_ms: 30_000,
            topic_data: vec![topic],
        };
        let produced: ProduceResponse = self.call(ApiKey::Produce, 9, &request).await;
        assert_eq!(produced.responses[0].partition_responses[0].error_code, 0);
    }

    /// What the partition has from its first offset on.
    async fn fetch(&self, partition: i32) -> Bytes {
        let partition =
            FetchPartition { partition, partition_max_bytes: 1 << 20, ..Default::default() };
        let topic = FetchTopic {
            topic: TOPIC.to_owned(),
            partitions: vec![partition],
            ..Default::default()
        };
        let request = FetchRequest {
            replica_id: -1,
            max_bytes: 1 << 20,
            session_epoch: -1,
            topics: vec![topic],
            ..Default::default()
        };
        let fetched: FetchResponse = self.call(ApiKey::Fetch, 12, &request).await;
        let partition = &fetched.responses[0].partitions[0];
        assert_eq!(partition.error_code, 0);
        partition.records.clone().unwrap_or_default()
    }
}

/// Runs `main` as the program of a client, to its end.
fn run_client<F: Future<Output = ()> + 'static>(
    world: &World,
    name: &str,
    main: impl FnOnce(Ring) -> F + 'static,
) {
    let done = Rc::new(Cell::new(false));
    let flag = done.clone();
    world.start_core(world.node(name), 0, |ring| async move {
        main(ring).await;
        flag.set(true);
    });
    assert!(world.run_until(LIMIT, || done.get()), "{name} ends");
}

/// Batches of one record: their values, 20 kB in all, say which partition they are for.
fn batches(partition: i32) -> impl Iterator<Item = (Vec<u8>, Bytes)> {
    (0..20).map(move |nth: i32| {
        let value: Vec<u8> =
            (0..1000).map(|at: i32| (at * 3 + nth + 100 * partition) as u8).collect();
        let bytes = batch(1_000 + i64::from(nth), &[&value]).build();
        (value, bytes)
    })
}

fn check(partition: i32, records: &Bytes) {
    let mut rest = &records[..];
    for (value, _) in batches(partition) {
        let batch = protocol::records::Batch::parse(rest).expect("a whole batch");
        assert!(batch.crc_is_valid());
        let body = batch.body();
        assert!(body.windows(value.len()).any(|part| part == value), "the value as it was sent");
        rest = &rest[batch.size_bytes()..];
    }
    assert_eq!(rest.len(), 0, "bytes behind the last batch");
}

#[test]
fn a_client_behind_a_transport_that_changes_every_byte_reads_what_it_wrote() {
    let world = World::new(7, SimOptions::calm());
    let node = world.node("broker");
    let address = start(&world, node);
    run_client(&world, "writer", move |ring| async move {
        // Two connections are on two cores: one of them was handed over.
        let clients =
            [Client::connect(&ring, address).await, Client::connect(&ring, address).await];
        clients[0].create_topic().await;
        for (client, partition) in clients.iter().zip([0, 1]) {
            for (_, bytes) in batches(partition) {
                client.produce(partition, bytes).await;
            }
        }
        // From memory, on either connection.
        for client in &clients {
            check(0, &client.fetch(0).await);
            check(1, &client.fetch(1).await);
        }
    });
    // After a start nothing is in memory: what is read are ranges of files.
    world.kill(node);
    let address = start(&world, node);
    run_client(&world, "reader", move |ring| async move {
        for partition in [0, 1, 0, 1] {
            check(partition, &Client::connect(&ring, address).await.fetch(partition).await);
        }
    });
    world.close();
}
