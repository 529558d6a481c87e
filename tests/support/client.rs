//! A small blocking client: speaks any generated message, and any bytes that are none.

use super::{PATIENCE, batch};
use bytes::{BufMut, Bytes, BytesMut};
use protocol::{
    ApiKey, ErrorCode, Request, decode_exact,
    messages::{
        CreateTopicsRequest, FetchRequest, MetadataRequest, ProduceRequest,
        create_topics_request::{CreatableTopic, CreatableTopicConfig},
        fetch_request::{FetchPartition, FetchTopic},
        fetch_response::PartitionData,
        metadata_request::MetadataRequestTopic,
        produce_request::{PartitionProduceData, TopicProduceData},
        produce_response::PartitionProduceResponse,
    },
};
use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
};

/// Versions with topic names, which read better in a test than ids.
pub const PRODUCE_VERSION: i16 = 12;
pub const FETCH_VERSION: i16 = 12;
const CREATE_TOPICS_VERSION: i16 = 7;
const METADATA_VERSION: i16 = 12;
const CLIENT_ID: &str = "test";

pub struct Client {
    stream: TcpStream,
    next_correlation_id: i32,
}

/// The header and body of a request, without the length in front.
pub fn frame<R: Request>(request: &R, version: i16, correlation_id: i32) -> Vec<u8> {
    let mut frame = header(R::API_KEY, version, correlation_id);
    request.encode(&mut frame, version).expect("a request that its version can carry");
    frame.to_vec()
}

/// A request header, as the API's version wants it; as version 1 where there is no such API.
pub fn header(api_key: i16, version: i16, correlation_id: i32) -> BytesMut {
    let mut header = BytesMut::new();
    header.put_i16(api_key);
    header.put_i16(version);
    header.put_i32(correlation_id);
    header.put_i16(CLIENT_ID.len() as i16);
    header.put_slice(CLIENT_ID.as_bytes());
    if ApiKey::from_i16(api_key).is_some_and(|key| key.request_header_version(version) >= 2) {
        header.put_u8(0);
    }
    header
}

/// `frame` behind its length.
pub fn framed(frame: &[u8]) -> Vec<u8> {
    let length = i32::try_from(frame.len()).expect("a frame under 2 GiB");
    [&length.to_be_bytes(), frame].concat()
}

impl Client {
    pub fn connect(address: SocketAddr) -> Client {
        Client::try_connect(address).expect("the broker accepts")
    }

    pub fn try_connect(address: SocketAddr) -> io::Result<Client> {
        let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Client { stream, next_correlation_id: 1 })
    }

    pub fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Bytes as they are. An error means that the broker has closed the connection.
    pub fn send_bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// Sends a frame behind its length.
    pub fn send_frame(&mut self, frame: &[u8]) -> io::Result<()> {
        self.send_bytes(&framed(frame))
    }

    /// Sends a request and returns its correlation id.
    pub fn send<R: Request>(&mut self, request: &R, version: i16) -> io::Result<i32> {
        let correlation_id = self.next_correlation_id;
        self.next_correlation_id += 1;
        self.send_frame(&frame(request, version, correlation_id))?;
        Ok(correlation_id)
    }

    /// The next frame, without its length; `None` when the connection ends before it is whole.
    pub fn receive_frame(&mut self) -> Option<Vec<u8>> {
        let mut length = [0; 4];
        self.read_all(&mut length)?;
        let mut frame = vec![0; usize::try_from(i32::from_be_bytes(length)).expect("a length")];
        self.read_all(&mut frame)?;
        Some(frame)
    }

    fn read_all(&mut self, buffer: &mut [u8]) -> Option<()> {
        match self.stream.read_exact(buffer) {
            Ok(()) => Some(()),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset
                ) =>
            {
                None
            }
            Err(error) => panic!("neither an answer nor the end of the connection: {error}"),
        }
    }

    /// The response to the request with this correlation id, which must be the next one. `None`:
    /// closed instead.
    pub fn receive<R: Request>(
        &mut self,
        correlation_id: i32,
        version: i16,
    ) -> Option<R::Response> {
        let frame = self.receive_frame()?;
        assert_eq!(
            frame[..4],
            correlation_id.to_be_bytes(),
            "responses come in the order of the requests"
        );
        let key = ApiKey::from_i16(R::API_KEY).expect("an API of this release");
        let body = &frame[4 + usize::from(key.response_header_version(version) >= 1)..];
        Some(
            decode_exact(body, version).unwrap_or_else(|error| panic!("a {key} response: {error}")),
        )
    }

    /// `None` when the broker closes the connection instead.
    pub fn try_call<R: Request>(&mut self, request: &R, version: i16) -> Option<R::Response> {
        let correlation_id = self.send(request, version).ok()?;
        self.receive::<R>(correlation_id, version)
    }

    #[track_caller]
    pub fn call<R: Request>(&mut self, request: &R, version: i16) -> R::Response {
        self.try_call(request, version)
            .unwrap_or_else(|| panic!("the broker closed instead of answering {}", R::NAME))
    }

    /// Whether the broker ends the connection without another byte. It must do one or the other.
    #[track_caller]
    pub fn is_closed_by_broker(&mut self) -> bool {
        // The whole of one byte: unlike a single read, that goes on after an interruption, as by a
        // debugger or a freezer.
        match self.stream.read_exact(&mut [0]) {
            Ok(()) => false,
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset
                ) =>
            {
                true
            }
            Err(error) => {
                panic!("neither a byte nor the end of the connection within {PATIENCE:?}: {error}")
            }
        }
    }

    /// Makes a topic and waits until its partitions have leaders.
    pub fn create_topic(&mut self, name: &str, partitions: i32, configs: &[(&str, &str)]) {
        assert_eq!(
            self.try_create_topic(name, partitions, configs),
            ErrorCode::None,
            "topic {name}"
        );
        let topic = MetadataRequestTopic { name: Some(name.to_owned()), ..Default::default() };
        let request = MetadataRequest { topics: Some(vec![topic]), ..Default::default() };
        super::eventually("the topic has leaders", || {
            let response = self.call(&request, METADATA_VERSION);
            let found = &response.topics[0].partitions;
            found.len() == partitions as usize
                && found.iter().all(|partition| partition.leader_id >= 0)
        });
        // Apache Kafka tells the world of a leader before the leader itself knows.
        super::eventually("the leaders serve", || {
            (0..partitions)
                .all(|index| self.fetch(name, index, 0).error_code == ErrorCode::None.code())
        });
    }

    pub fn try_create_topic(
        &mut self,
        name: &str,
        partitions: i32,
        configs: &[(&str, &str)],
    ) -> ErrorCode {
        let config = |(name, value): &(&str, &str)| CreatableTopicConfig {
            name: (*name).to_owned(),
            value: Some((*value).to_owned()),
        };
        let topic = CreatableTopic {
            name: name.to_owned(),
            num_partitions: partitions,
            replication_factor: 1,
            configs: configs.iter().map(config).collect(),
            ..Default::default()
        };
        let request =
            CreateTopicsRequest { topics: vec![topic], timeout_ms: 30_000, ..Default::default() };
        error(self.call(&request, CREATE_TOPICS_VERSION).topics[0].error_code)
    }

    /// Appends one batch with acks=all.
    #[track_caller]
    pub fn produce(
        &mut self,
        topic: &str,
        partition: i32,
        records: impl Into<Bytes>,
    ) -> PartitionProduceResponse {
        let request = produce_request(topic, partition, records.into(), -1);
        self.call(&request, PRODUCE_VERSION).responses[0].partition_responses[0].clone()
    }

    /// Appends one record and returns its offset.
    #[track_caller]
    pub fn produce_value(&mut self, topic: &str, partition: i32, value: &[u8]) -> i64 {
        let response = self.produce(topic, partition, batch::of(&[value]));
        assert_eq!(error(response.error_code), ErrorCode::None, "{:?}", response.error_message);
        response.base_offset
    }

    /// What the partition has from `offset` on, up to a MiB.
    #[track_caller]
    pub fn fetch(&mut self, topic: &str, partition: i32, offset: i64) -> PartitionData {
        let request = fetch_request(topic, partition, offset, 0);
        self.call(&request, FETCH_VERSION).responses[0].partitions[0].clone()
    }

    /// All values of a partition from its first offset on.
    #[track_caller]
    pub fn read_all_values(&mut self, topic: &str, partition: i32) -> Vec<Vec<u8>> {
        let (mut values, mut offset) = (Vec::new(), 0);
        loop {
            let data = self.fetch(topic, partition, offset);
            assert_eq!(error(data.error_code), ErrorCode::None, "{topic}-{partition} at {offset}");
            let (read, next) = batch::values(&data.records.unwrap_or_default(), offset);
            if next == offset {
                return values;
            }
            values.extend(read);
            offset = next;
        }
    }
}

pub fn error(code: i16) -> ErrorCode {
    ErrorCode::from_code(code).expect("a code of this release")
}

pub fn produce_request(topic: &str, partition: i32, records: Bytes, acks: i16) -> ProduceRequest {
    let data = PartitionProduceData { index: partition, records: Some(records) };
    let topic = TopicProduceData {
        name: topic.to_owned(),
        partition_data: vec![data],
        ..Default::default()
    };
    ProduceRequest { transactional_id: None, acks, timeout_ms: 30_000, topic_data: vec![topic] }
}

pub fn fetch_request(topic: &str, partition: i32, offset: i64, max_wait_ms: i32) -> FetchRequest {
    let partition = FetchPartition {
        partition,
        fetch_offset: offset,
        partition_max_bytes: 1 << 20,
        ..Default::default()
    };
    FetchRequest {
        replica_id: -1,
        max_wait_ms,
        min_bytes: 1,
        max_bytes: 1 << 20,
        session_epoch: -1,
        topics: vec![FetchTopic {
            topic: topic.to_owned(),
            partitions: vec![partition],
            ..Default::default()
        }],
        ..Default::default()
    }
}
