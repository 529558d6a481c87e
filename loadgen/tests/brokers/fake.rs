//! A small broker on loopback that keeps records in memory, and does what its script says: freezes,
//! closes, lies.
//!
//! Lives on: threads of the test, one per connection. Never: outlives its test.

mod coordinator;
mod described;

use bytes::{BufMut, Bytes, BytesMut};
use coordinator::Coordinator;
use protocol::{
    ApiKey, ErrorCode, Message, Reader,
    messages::{
        ApiVersionsResponse, CreateTopicsRequest, CreateTopicsResponse, FetchRequest,
        FetchResponse, ListOffsetsRequest, ListOffsetsResponse, MetadataRequest, MetadataResponse,
        ProduceRequest, ProduceResponse,
        api_versions_response::ApiVersion,
        create_topics_response::CreatableTopicResult,
        fetch_response::{FetchableTopicResponse, PartitionData},
        list_offsets_response::{ListOffsetsPartitionResponse, ListOffsetsTopicResponse},
        metadata_response::{
            MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
        },
        produce_response::{PartitionProduceResponse, TopicProduceResponse},
    },
    records,
};
use std::{
    collections::{HashMap, HashSet},
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex, MutexGuard},
    thread,
    time::Duration,
};

/// What goes wrong. Produce requests are counted over all connections, from 0 on.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Fault {
    #[default]
    None,
    /// Connections are taken, and nothing is ever answered.
    Mute,
    CloseAtOnce,
    /// Something else listens on the port.
    Http,
    /// From this produce request on, nothing is answered on any connection.
    FreezeAtProduce(usize),
    /// This produce request gets half an answer, and then nothing is answered.
    HalfAnswerAtProduce(usize),
    /// At this produce request the broker goes, connections and port, and does not come back.
    GoneAtProduce(usize),
    /// From this produce request on, this partition is left out of the answers.
    LeavesOutPartition(usize, i32),
    /// Acknowledges every second batch without keeping it.
    Forgets,
    /// From this fetch on, fetches are not answered.
    FreezeFetches(usize),
    /// Fetches of this partition are refused.
    RefusesFetchOf(i32),
    /// At this produce request, the second broker becomes the leader of everything.
    LeaderMovesAtProduce(usize),
    /// Answers name no transaction that was aborted.
    ShowsAborted,
    /// So many requests for offsets find leaders of new topics that do not know yet that they are.
    SlowLeaders(usize),
}

#[derive(Default)]
struct State {
    topics: HashMap<String, Vec<Partition>>,
    leader: usize,
    produces: usize,
    fetches: usize,
    offset_requests: usize,
    /// Produce requests that came to a leader which did not know yet that it was one, or to another
    /// broker.
    produces_too_early: usize,
    is_frozen: bool,
    is_gone: bool,
    connections: Vec<TcpStream>,
    coordinator: Coordinator,
    /// Topics that may not be seen, and those whose records may not be read.
    unseen: HashSet<String>,
    unread: HashSet<String>,
}

#[derive(Default)]
struct Partition {
    /// Base offset and the batch itself.
    batches: Vec<(i64, Bytes)>,
    next_offset: i64,
    /// Where the open transactions of producers begin.
    open: HashMap<i64, i64>,
    /// Producer, first offset and marker of those that were aborted.
    aborted: Vec<(i64, i64, i64)>,
}

struct Shared {
    fault: Fault,
    addresses: Vec<SocketAddr>,
    state: Mutex<State>,
    changed: Condvar,
}

pub struct Fake(Arc<Shared>);

impl Drop for Fake {
    fn drop(&mut self) {
        self.0.go(&mut self.0.state());
    }
}

enum Answer {
    Whole(BytesMut),
    Half(BytesMut),
    /// acks=0.
    Nothing,
    Never,
}

impl Fake {
    pub fn start(fault: Fault) -> Fake {
        let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").expect("a free port"));
        let addresses =
            listeners.iter().map(|listener| listener.local_addr().expect("bound")).collect();
        let shared = Arc::new(Shared {
            fault,
            addresses,
            state: Mutex::new(State::default()),
            changed: Condvar::new(),
        });
        for (broker, listener) in listeners.into_iter().enumerate() {
            let shared = shared.clone();
            listener.set_nonblocking(true).expect("a socket of ours");
            thread::spawn(move || shared.accept(broker, &listener));
        }
        Fake(shared)
    }

    pub fn bootstrap(&self) -> String {
        self.0.addresses[0].to_string()
    }

    pub fn with_topic(self, name: &str, partitions: usize) -> Fake {
        let new = (0..partitions).map(|_| Partition::default()).collect();
        self.0.state().topics.insert(name.to_owned(), new);
        self
    }

    pub fn topics(&self) -> usize {
        self.0.state().topics.len()
    }

    pub fn connections(&self) -> usize {
        self.0.state().connections.len()
    }

    pub fn commits(&self) -> usize {
        self.0.state().coordinator.commits
    }

    pub fn produces_too_early(&self) -> usize {
        self.0.state().produces_too_early
    }

    /// Resumes once so many produce requests have come.
    pub fn wait_for_produces(&self, count: usize) {
        let state = self.0.state();
        drop(self.0.changed.wait_while(state, |state| state.produces < count && !state.is_gone));
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no thread of the broker panics")
    }

    fn go(&self, state: &mut State) {
        state.is_gone = true;
        for connection in &state.connections {
            let _ = connection.shutdown(Shutdown::Both);
        }
        self.changed.notify_all();
    }

    fn accept(self: Arc<Self>, broker: usize, listener: &TcpListener) {
        while !self.state().is_gone {
            let Ok((stream, _)) = listener.accept() else {
                thread::sleep(Duration::from_millis(2));
                continue;
            };
            self.state().connections.push(stream.try_clone().expect("a descriptor"));
            stream.set_nonblocking(false).expect("a socket of ours");
            let shared = self.clone();
            thread::spawn(move || shared.serve(broker, stream));
        }
    }

    /// Answers until the connection ends, or the script says something else.
    fn serve(&self, broker: usize, mut stream: TcpStream) {
        let _ = stream.set_nodelay(true);
        match self.fault {
            Fault::CloseAtOnce => return,
            Fault::Http => {
                let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
            }
            _ => {}
        }
        while let Some(request) = receive(&mut stream) {
            let bytes = match self.answer(broker, &request) {
                Answer::Whole(bytes) => bytes,
                Answer::Half(bytes) => bytes[..bytes.len() / 2].into(),
                Answer::Nothing => continue,
                Answer::Never => break,
            };
            if stream.write_all(&bytes).is_err() {
                return;
            }
        }
        // What froze holds its connections until the test ends.
        drop(self.changed.wait_while(self.state(), |state| state.is_frozen && !state.is_gone));
        if self.fault == Fault::Mute || matches!(self.fault, Fault::FreezeFetches(_)) {
            drop(self.changed.wait_while(self.state(), |state| !state.is_gone));
        }
    }

    fn answer(&self, broker: usize, request: &Received) -> Answer {
        let (key, version, mut body) = (request.key, request.version, Reader::new(&request.body));
        let mut state = self.state();
        if self.fault == Fault::Mute || state.is_frozen || state.is_gone {
            return Answer::Never;
        }
        let mut frame = BytesMut::new();
        frame.put_i32(0);
        frame.put_i32(request.correlation_id);
        if key.response_header_version(version) >= 1 {
            frame.put_u8(0);
        }
        let mut is_half = false;
        let encoded = match key {
            ApiKey::ApiVersions => api_versions().encode(&mut frame, version),
            ApiKey::Metadata => {
                let request =
                    MetadataRequest::decode(&mut body, version).expect("what loadgen sends");
                self.metadata(&state, &request).encode(&mut frame, version)
            }
            ApiKey::CreateTopics => {
                let request =
                    CreateTopicsRequest::decode(&mut body, version).expect("what loadgen sends");
                create_topics(&mut state, &request).encode(&mut frame, version)
            }
            ApiKey::ListOffsets => {
                let request =
                    ListOffsetsRequest::decode(&mut body, version).expect("what loadgen sends");
                self.list_offsets(&mut state, broker, &request).encode(&mut frame, version)
            }
            ApiKey::Produce => {
                let request =
                    ProduceRequest::decode(&mut body, version).expect("what loadgen sends");
                let number = state.produces;
                state.produces += 1;
                self.changed.notify_all();
                match self.fault {
                    Fault::GoneAtProduce(at) if number >= at => self.go(&mut state),
                    Fault::FreezeAtProduce(at) if number >= at => state.is_frozen = true,
                    Fault::HalfAnswerAtProduce(at) if number >= at => {
                        (state.is_frozen, is_half) = (true, true)
                    }
                    Fault::LeaderMovesAtProduce(at) if number >= at => state.leader = 1,
                    _ => {}
                }
                if state.is_gone || (state.is_frozen && !is_half) {
                    return Answer::Never;
                }
                if request.acks == 0 {
                    return Answer::Nothing;
                }
                self.produce(&mut state, broker, number, request).encode(&mut frame, version)
            }
            ApiKey::Fetch => {
                let request = FetchRequest::decode(&mut body, version).expect("what loadgen sends");
                let number = state.fetches;
                state.fetches += 1;
                if matches!(self.fault, Fault::FreezeFetches(at) if number >= at) {
                    return Answer::Never;
                }
                drop(state);
                self.fetch(broker, &request).encode(&mut frame, version)
            }
            other => {
                drop(state);
                self.coordinate(other, version, &request.body, &mut frame)
            }
        };
        encoded.expect("a version that was announced");
        let length = frame.len() as i32 - 4;
        frame[..4].copy_from_slice(&length.to_be_bytes());
        if is_half { Answer::Half(frame) } else { Answer::Whole(frame) }
    }

    fn metadata(&self, state: &State, request: &MetadataRequest) -> MetadataResponse {
        let brokers =
            self.addresses.iter().enumerate().map(|(node_id, address)| MetadataResponseBroker {
                node_id: node_id as i32,
                host: address.ip().to_string(),
                port: i32::from(address.port()),
                ..Default::default()
            });
        let topics = state.asked_for(request).into_iter().map(|name| {
            let partition = |index| MetadataResponsePartition {
                partition_index: index as i32,
                leader_id: state.leader as i32,
                ..Default::default()
            };
            let known = state.topics.get(&name);
            MetadataResponseTopic {
                error_code: state.error_of_topic(&name).code(),
                name: Some(name),
                partitions: (0..known.map_or(0, Vec::len)).map(partition).collect(),
                ..Default::default()
            }
        });
        MetadataResponse {
            brokers: brokers.collect(),
            topics: topics.collect(),
            ..Default::default()
        }
    }

    fn is_leader(&self, state: &State, broker: usize) -> bool {
        let knows = !matches!(self.fault,
            Fault::SlowLeaders(requests) if state.offset_requests <= requests);
        broker == state.leader && knows
    }

    fn list_offsets(
        &self,
        state: &mut State,
        broker: usize,
        request: &ListOffsetsRequest,
    ) -> ListOffsetsResponse {
        state.offset_requests += 1;
        self.changed.notify_all();
        let is_leader = self.is_leader(state, broker);
        let topics = request.topics.iter().map(|topic| ListOffsetsTopicResponse {
            name: topic.name.clone(),
            partitions: topic
                .partitions
                .iter()
                .map(|asked| ListOffsetsPartitionResponse {
                    partition_index: asked.partition_index,
                    error_code: match state.error_of_topic(&topic.name) {
                        ErrorCode::None if !is_leader => ErrorCode::NotLeaderOrFollower.code(),
                        error => error.code(),
                    },
                    offset: match asked.timestamp {
                        -2 => 0,
                        _ => state.end_of(&topic.name, asked.partition_index),
                    },
                    ..Default::default()
                })
                .collect(),
        });
        ListOffsetsResponse { topics: topics.collect(), ..Default::default() }
    }

    fn produce(
        &self,
        state: &mut State,
        broker: usize,
        number: usize,
        request: ProduceRequest,
    ) -> ProduceResponse {
        let is_leader = self.is_leader(state, broker);
        state.produces_too_early += usize::from(!is_leader);
        let mut responses = Vec::new();
        for topic in request.topic_data {
            let mut answers = Vec::new();
            for data in topic.partition_data {
                let index = data.index;
                let error =
                    if is_leader { ErrorCode::None } else { ErrorCode::NotLeaderOrFollower };
                let forgets = self.fault == Fault::Forgets && number % 2 == 1;
                if is_leader && !forgets {
                    let partition =
                        &mut state.topics.get_mut(&topic.name).expect("a topic that is there")
                            [index as usize];
                    partition.append(data.records.expect("records"));
                }
                let is_left_out = matches!(self.fault,
                    Fault::LeavesOutPartition(at, of) if number >= at && of == index);
                if !is_left_out {
                    answers.push(PartitionProduceResponse {
                        index,
                        error_code: error.code(),
                        ..Default::default()
                    });
                }
            }
            responses.push(TopicProduceResponse {
                name: topic.name,
                partition_responses: answers,
                ..Default::default()
            });
        }
        ProduceResponse { responses, ..Default::default() }
    }

    /// Waits for records a little, as brokers do.
    fn fetch(&self, broker: usize, request: &FetchRequest) -> FetchResponse {
        let has_more = |state: &State| {
            request.topics.iter().any(|topic| {
                let behind = |asked: &protocol::messages::fetch_request::FetchPartition| {
                    state.end_of(&topic.topic, asked.partition) > asked.fetch_offset
                };
                topic.partitions.iter().any(behind)
            })
        };
        let wait = Duration::from_millis(request.max_wait_ms as u64);
        let waiting = self
            .changed
            .wait_timeout_while(self.state(), wait, |state| !has_more(state) && !state.is_gone);
        let (state, _) = waiting.expect("no thread of the broker panics");
        let responses = request.topics.iter().map(|topic| {
            let partitions = topic.partitions.iter().map(|asked| {
                let nothing = Partition::default();
                let known = state.topics.get(&topic.topic);
                let partition =
                    known.and_then(|of| of.get(asked.partition as usize)).unwrap_or(&nothing);
                let refused = self.fault == Fault::RefusesFetchOf(asked.partition);
                let error = match self.is_leader(&state, broker) {
                    _ if known.is_none() => ErrorCode::UnknownTopicOrPartition,
                    _ if state.unread.contains(&topic.topic) => ErrorCode::TopicAuthorizationFailed,
                    _ if refused => ErrorCode::KafkaStorageError,
                    true => ErrorCode::None,
                    false => ErrorCode::NotLeaderOrFollower,
                };
                let end = match request.isolation_level {
                    0 => partition.next_offset,
                    _ => partition.stable_end(),
                };
                let records =
                    (error == ErrorCode::None).then(|| partition.from(asked.fetch_offset, end));
                let names_aborted =
                    request.isolation_level == 1 && self.fault != Fault::ShowsAborted;
                PartitionData {
                    partition_index: asked.partition,
                    error_code: error.code(),
                    high_watermark: partition.next_offset,
                    records,
                    aborted_transactions: names_aborted
                        .then(|| partition.aborted_from(asked.fetch_offset)),
                    ..Default::default()
                }
            });
            let partitions = partitions.collect();
            FetchableTopicResponse { topic: topic.topic.clone(), partitions, ..Default::default() }
        });
        FetchResponse { responses: responses.collect(), ..Default::default() }
    }
}

impl State {
    /// The topics that a request for metadata means.
    fn asked_for(&self, request: &MetadataRequest) -> Vec<String> {
        match &request.topics {
            Some(topics) => topics.iter().filter_map(|topic| topic.name.clone()).collect(),
            None => {
                self.topics.keys().filter(|name| !self.unseen.contains(*name)).cloned().collect()
            }
        }
    }

    fn error_of_topic(&self, name: &str) -> ErrorCode {
        match self.topics.contains_key(name) {
            _ if self.unseen.contains(name) => ErrorCode::TopicAuthorizationFailed,
            true => ErrorCode::None,
            false => ErrorCode::UnknownTopicOrPartition,
        }
    }

    fn end_of(&self, topic: &str, partition: i32) -> i64 {
        let partitions = self.topics.get(topic);
        let partition = partitions.and_then(|partitions| partitions.get(partition as usize));
        partition.map_or(-1, |partition| partition.next_offset)
    }
}

impl Partition {
    fn append(&mut self, records: Bytes) {
        let mut batch = BytesMut::from(&records[..]);
        records::set_base_offset(&mut batch, self.next_offset);
        let count = records::batches(&batch)
            .map(|batch| batch.expect("whole").header().record_count())
            .sum::<i32>();
        let header = records::batches(&batch).next().expect("one batch").expect("whole").header();
        if header.is_transactional() && !header.is_control() {
            self.open.entry(header.producer_id()).or_insert(self.next_offset);
        }
        self.batches.push((self.next_offset, batch.freeze()));
        self.next_offset += i64::from(count);
    }

    /// The batches before `end`.
    fn from(&self, offset: i64, end: i64) -> Bytes {
        let first = self.batches.partition_point(|(base, _)| *base <= offset).saturating_sub(1);
        let mut bytes = BytesMut::new();
        if offset < end {
            self.batches[first..]
                .iter()
                .take(100)
                .take_while(|(base, _)| *base < end)
                .for_each(|(_, batch)| bytes.extend_from_slice(batch));
        }
        bytes.freeze()
    }
}

fn api_versions() -> ApiVersionsResponse {
    let served = [
        (ApiKey::Produce, 9),
        (ApiKey::Fetch, 11),
        (ApiKey::ListOffsets, 7),
        (ApiKey::Metadata, 12),
        (ApiKey::CreateTopics, 7),
        (ApiKey::ApiVersions, 3),
    ]
    .into_iter()
    .chain(coordinator::SERVED)
    .chain(described::SERVED);
    let api = |(key, max_version): (ApiKey, i16)| ApiVersion {
        api_key: key.code(),
        max_version,
        ..Default::default()
    };
    ApiVersionsResponse { api_keys: served.map(api).collect(), ..Default::default() }
}

fn create_topics(state: &mut State, request: &CreateTopicsRequest) -> CreateTopicsResponse {
    let topics = request.topics.iter().map(|topic| {
        let partitions = (0..topic.num_partitions).map(|_| Partition::default()).collect();
        state.topics.insert(topic.name.clone(), partitions);
        CreatableTopicResult { name: topic.name.clone(), ..Default::default() }
    });
    CreateTopicsResponse { topics: topics.collect(), ..Default::default() }
}

struct Received {
    key: ApiKey,
    version: i16,
    correlation_id: i32,
    body: Vec<u8>,
}

fn receive(stream: &mut TcpStream) -> Option<Received> {
    let mut prefix = [0; 4];
    stream.read_exact(&mut prefix).ok()?;
    let mut frame = vec![0; i32::from_be_bytes(prefix) as usize];
    stream.read_exact(&mut frame).ok()?;
    let i16_at = |at: usize| i16::from_be_bytes([frame[at], frame[at + 1]]);
    let (key, version) = (ApiKey::from_i16(i16_at(0)).expect("an API of Kafka"), i16_at(2));
    let correlation_id = i32::from_be_bytes(frame[4..8].try_into().expect("four bytes"));
    let is_flexible = key.request_header_version(version) >= 2;
    let header_bytes = 10 + i16_at(8) as usize + usize::from(is_flexible);
    Some(Received { key, version, correlation_id, body: frame.split_off(header_bytes) })
}
