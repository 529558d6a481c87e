//! How often the core of a broker asks for memory per request, in steady state, and how much an
//! idle connection keeps.
//!
//! The broker runs in this process: one core on a thread of its own, or two, on each back-end that
//! works here. The client is the test's thread; what it sends and receives into is made beforehand,
//! so that whatever is allocated while it counts, the broker allocates. The ceilings may only
//! shrink; the aim is none.
//!
//! `MILLSTREAM_ALLOCATION_SITES=FOLDER` writes where the allocations come from, most frequent
//! first, one file per workload, and the same as DHAT's own JSON for its viewer.

#[path = "../support/mod.rs"]
mod support;

mod broker;
mod sites;

use bytes::Bytes;
use protocol::{
    ApiKey, Request, decode_exact,
    messages::{
        ApiVersionsRequest, FetchRequest, FetchResponse, FindCoordinatorRequest,
        InitProducerIdRequest, ProduceResponse,
    },
    records::BatchBuilder,
};
use ring::{BackendChoice, BackendKind};
use sites::Blocks;
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::PathBuf,
};
use support::{Client, PATIENCE, batch, client};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

/// Requests before the count begins: buffers, queues and maps have found their sizes by then.
const WARM_UP: usize = 1_000;
/// Requests that are counted. Timers and maps that grow once are far below one allocation per
/// request.
const COUNTED: usize = 2_000;
/// What timers may add to the count of one request.
const TOLERANCE: f64 = 0.2;
/// Connections over which what one keeps is averaged.
const CONNECTIONS: usize = 512;
/// Bytes that the heap may keep for an idle connection, its receive buffer included.
const CONNECTION_BYTES_MAX: usize = 8 * 1024;
const SMALL_BYTES: usize = 100;
const LARGE_RECORDS: usize = 600;
const MANY_PARTITIONS: i32 = 10;
/// How long a fetch waits for records that do not come.
const WAIT_MS: i32 = 1;

/// Allocations per request that are let pass, on epoll and on io_uring.
struct Ceiling {
    workload: &'static str,
    epoll: f64,
    io_uring: f64,
}

const CEILINGS: &[Ceiling] = &[
    Ceiling { workload: "produce-one-record", epoll: 0.0, io_uring: 0.0 },
    Ceiling { workload: "produce-64-kib", epoll: 0.0, io_uring: 0.0 },
    Ceiling { workload: "produce-10-partitions", epoll: 0.1, io_uring: 0.1 },
    Ceiling { workload: "produce-idempotent", epoll: 0.0, io_uring: 0.0 },
    Ceiling { workload: "produce-in-transaction", epoll: 0.0, io_uring: 0.0 },
    Ceiling { workload: "fetch-one-batch", epoll: 0.0, io_uring: 0.0 },
    Ceiling { workload: "fetch-64-kib", epoll: 0.0, io_uring: 0.0 },
    Ceiling { workload: "fetch-10-partitions", epoll: 1.0, io_uring: 1.0 },
    Ceiling { workload: "fetch-session", epoll: 1.0, io_uring: 1.0 },
    Ceiling { workload: "fetch-nothing-new", epoll: 0.0, io_uring: 0.0 },
    Ceiling { workload: "fetch-long-poll", epoll: 0.0, io_uring: 0.0 },
    // A small receive buffer is left to the records that the other core has not taken yet: a new
    // one, and its count. How often depends on which core is quicker.
    Ceiling { workload: "produce-two-cores", epoll: 2.0, io_uring: 2.0 },
    Ceiling { workload: "fetch-two-cores", epoll: 1.0, io_uring: 1.0 },
    Ceiling { workload: "fetch-two-cores-nothing-new", epoll: 0.0, io_uring: 0.0 },
];

/// One request that is sent over and over, and a check of its answer.
struct Workload {
    name: &'static str,
    frame: Vec<u8>,
    /// Where the frame has the epoch of its fetch session, which rises with each request.
    epoch_at: Option<usize>,
    /// Where the frame has its only batch, if that is of a producer, and the sequence number of the
    /// next one.
    batch: Option<(std::ops::Range<usize>, i32)>,
    check: fn(&[u8]),
}

impl Workload {
    fn next(&mut self) -> &[u8] {
        if let Some(epoch) = self.epoch_at.and_then(|at| self.frame[at..].first_chunk_mut()) {
            *epoch = (i32::from_be_bytes(*epoch) + 1).to_be_bytes();
        }
        if let Some((range, sequence)) = &mut self.batch {
            batch::set_sequence(&mut self.frame[range.clone()], *sequence);
            *sequence += 1;
        }
        &self.frame
    }
}

/// A client that allocates nothing.
struct Caller {
    stream: TcpStream,
    answer: Vec<u8>,
}

impl Caller {
    fn connect(address: SocketAddr, answer: Vec<u8>) -> Caller {
        let stream = TcpStream::connect(address).expect("the broker accepts");
        stream.set_nodelay(true).expect("a socket option");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket option");
        Caller { stream, answer }
    }

    /// The answer's frame, without its length.
    fn call(&mut self, frame: &[u8]) -> &[u8] {
        self.stream.write_all(frame).expect("the broker reads");
        let mut length = [0; 4];
        self.stream.read_exact(&mut length).expect("the broker answers");
        let answer = &mut self.answer[..u32::from_be_bytes(length) as usize];
        self.stream.read_exact(answer).expect("the broker answers");
        answer
    }
}

fn framed<R: Request>(request: &R, version: i16) -> Vec<u8> {
    client::framed(&client::frame(request, version, 1))
}

fn body<R: Request>(frame: &[u8], version: i16) -> &[u8] {
    let key = ApiKey::from_i16(R::API_KEY).expect("an API of this release");
    &frame[4 + usize::from(key.response_header_version(version) >= 1)..]
}

fn is_produced(frame: &[u8]) {
    let body = body::<protocol::messages::ProduceRequest>(frame, client::PRODUCE_VERSION);
    let response: ProduceResponse =
        decode_exact(body, client::PRODUCE_VERSION).expect("a produce response");
    for partition in response.responses.iter().flat_map(|topic| &topic.partition_responses) {
        assert_eq!(partition.error_code, 0, "{partition:?}");
    }
}

fn fetched(frame: &[u8]) -> FetchResponse {
    let body = body::<FetchRequest>(frame, client::FETCH_VERSION);
    let response: FetchResponse =
        decode_exact(body, client::FETCH_VERSION).expect("a fetch response");
    assert_eq!(response.error_code, 0, "{response:?}");
    response
}

fn has_records(frame: &[u8]) {
    for partition in fetched(frame).responses.iter().flat_map(|topic| &topic.partitions) {
        assert_eq!(partition.error_code, 0, "{partition:?}");
        assert!(
            partition.records.as_ref().is_some_and(|records| !records.is_empty()),
            "{partition:?}"
        );
    }
}

fn has_no_records(frame: &[u8]) {
    for partition in fetched(frame).responses.iter().flat_map(|topic| &topic.partitions) {
        assert_eq!(partition.error_code, 0, "{partition:?}");
        assert!(partition.records.as_ref().is_none_or(Bytes::is_empty), "{partition:?}");
    }
}

/// A producer id with its epoch, for a transactional id or none.
fn producer(client: &mut Client, transactional_id: Option<&str>) -> (i64, i16) {
    if let Some(id) = transactional_id {
        let request = FindCoordinatorRequest {
            key_type: 1,
            coordinator_keys: vec![id.to_owned()],
            ..Default::default()
        };
        support::eventually("a coordinator", || {
            client.call(&request, 4).coordinators[0].error_code == 0
        });
    }
    let request = InitProducerIdRequest {
        transactional_id: transactional_id.map(str::to_owned),
        // As long as it may be by default: the transaction stays open.
        transaction_timeout_ms: 900_000,
        producer_id: -1,
        producer_epoch: -1,
        ..Default::default()
    };
    let mut found = None;
    support::eventually("a producer id", || {
        let answer = client.call(&request, 5);
        found = (answer.error_code == 0).then_some((answer.producer_id, answer.producer_epoch));
        found.is_some()
    });
    found.expect("it was waited for")
}

/// Produces of one record after the other, each with the next sequence number.
fn in_sequence(
    client: &mut Client,
    name: &'static str,
    topic: &str,
    transactional_id: Option<&str>,
) -> Workload {
    let (id, epoch) = producer(client, transactional_id);
    let builder = BatchBuilder::new(0).producer(id, epoch, 0);
    let builder = builder.transactional(transactional_id.is_some());
    let records = batch::fill(builder, &[&[b'v'; SMALL_BYTES]]);
    let mut request = client::produce_request(topic, 0, records.clone(), -1);
    request.transactional_id = transactional_id.map(str::to_owned);
    let frame = framed(&request, client::PRODUCE_VERSION);
    let at = frame.windows(records.len()).position(|part| part == &records[..]);
    let at = at.expect("the frame has the batch");
    let batch = Some((at..at + records.len(), 0));
    Workload { name, frame, epoch_at: None, batch, check: is_produced }
}

fn differs_at(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).position(|(a, b)| a != b).expect("two frames that are not the same")
}

/// The topics are made here; those that are fetched get their records.
fn workloads(address: SocketAddr) -> Vec<Workload> {
    let mut client = Client::connect(address);
    for (topic, partitions) in [
        ("small", 1),
        ("large", 1),
        ("many", MANY_PARTITIONS),
        ("empty", 1),
        ("idempotent", 1),
        ("inside", 1),
    ] {
        client.create_topic(topic, partitions, &[]);
    }
    let value = [b'v'; SMALL_BYTES];
    let small = batch::of(&[&value]);
    let large = batch::of(&[value.as_slice(); LARGE_RECORDS]);
    for (topic, records) in [("small", &small), ("large", &large)] {
        client.produce(topic, 0, records.clone());
    }
    let mut to_many = client::produce_request("many", 0, small.clone(), -1);
    let mut from_many = client::fetch_request("many", 0, 0, 0);
    for index in 1..MANY_PARTITIONS {
        let mut data = to_many.topic_data[0].partition_data[0].clone();
        data.index = index;
        to_many.topic_data[0].partition_data.push(data);
        let mut partition = from_many.topics[0].partitions[0].clone();
        partition.partition = index;
        from_many.topics[0].partitions.push(partition);
    }
    // One batch each, so that every answer is the same whatever was appended since.
    from_many.topics[0]
        .partitions
        .iter_mut()
        .for_each(|partition| partition.partition_max_bytes = small.len() as i32);
    client.call(&to_many, client::PRODUCE_VERSION);
    let fetch = |topic: &str, max_bytes: i32| {
        let mut request = client::fetch_request(topic, 0, 0, 0);
        request.topics[0].partitions[0].partition_max_bytes = max_bytes;
        framed(&request, client::FETCH_VERSION)
    };
    let produce = |topic: &str, records: Bytes| {
        framed(&client::produce_request(topic, 0, records, -1), client::PRODUCE_VERSION)
    };
    let mut in_session = FetchRequest { session_epoch: 0, ..from_many.clone() };
    in_session.session_id = client.call(&in_session, client::FETCH_VERSION).session_id;
    let without_session = FetchRequest { session_epoch: -1, ..in_session.clone() };
    let [in_session, without_session] =
        [in_session, without_session].map(|request| framed(&request, client::FETCH_VERSION));
    let epoch_at = Some(differs_at(&in_session, &without_session));
    let long_poll = framed(&client::fetch_request("empty", 0, 0, WAIT_MS), client::FETCH_VERSION);
    let of = |name, frame, check| Workload { name, frame, epoch_at: None, batch: None, check };
    vec![
        // Fetches first: what they read is still in memory then.
        of("fetch-one-batch", fetch("small", 1), has_records),
        of("fetch-64-kib", fetch("large", 1), has_records),
        of("fetch-10-partitions", framed(&from_many, client::FETCH_VERSION), has_records),
        Workload { epoch_at, ..of("fetch-session", in_session, has_records) },
        of("fetch-nothing-new", fetch("empty", 1 << 20), has_no_records),
        of("fetch-long-poll", long_poll, has_no_records),
        of("produce-one-record", produce("small", small), is_produced),
        of("produce-64-kib", produce("large", large), is_produced),
        of("produce-10-partitions", framed(&to_many, client::PRODUCE_VERSION), is_produced),
        in_sequence(&mut client, "produce-idempotent", "idempotent", None),
        // The first one begins the transaction.
        in_sequence(&mut client, "produce-in-transaction", "inside", Some("t")),
    ]
}

/// Requests for a partition of each of two cores, one of which is not that of the connection.
fn over_two_cores(address: SocketAddr) -> Vec<Workload> {
    let mut client = Client::connect(address);
    client.create_topic("pair", 2, &[]);
    client.create_topic("empty-pair", 2, &[]);
    let small = batch::of(&[&[b'v'; SMALL_BYTES]]);
    let mut request = client::produce_request("pair", 0, small.clone(), -1);
    let mut other = request.topic_data[0].partition_data[0].clone();
    other.index = 1;
    request.topic_data[0].partition_data.push(other);
    client.call(&request, client::PRODUCE_VERSION);
    let fetch = |topic: &str| {
        let mut request = client::fetch_request(topic, 0, 0, 0);
        // One batch each, so that every answer is the same whatever was appended since.
        request.topics[0].partitions[0].partition_max_bytes = small.len() as i32;
        let mut other = request.topics[0].partitions[0].clone();
        other.partition = 1;
        request.topics[0].partitions.push(other);
        framed(&request, client::FETCH_VERSION)
    };
    let of = |name, frame, check| Workload { name, frame, epoch_at: None, batch: None, check };
    let produce = framed(&request, client::PRODUCE_VERSION);
    vec![
        of("fetch-two-cores", fetch("pair"), has_records),
        of("fetch-two-cores-nothing-new", fetch("empty-pair"), has_no_records),
        of("produce-two-cores", produce, is_produced),
    ]
}

/// Counts the allocations of a workload; what it has too many.
fn measure(
    backend: BackendKind,
    workload: &mut Workload,
    caller: &mut Caller,
    folder: Option<&PathBuf>,
) -> Option<String> {
    let ceiling = CEILINGS
        .iter()
        .find(|ceiling| ceiling.workload == workload.name)
        .expect("every workload has one");
    let ceiling = if backend == BackendKind::Epoll { ceiling.epoll } else { ceiling.io_uring };
    let profile = folder.map(|folder| folder.join(format!("{backend:?}-{}.json", workload.name)));
    let counted = count(workload, caller, profile.as_ref());
    eprintln!(
        "{backend:?} {}: {counted:.2} allocations per request, {ceiling} are let pass",
        workload.name
    );
    if let Some(profile) = profile {
        sites::write(&profile, Blocks::Allocated, COUNTED);
    }
    if counted < ceiling - 1.0 + TOLERANCE {
        eprintln!("  fewer than before: lower the ceiling");
    }
    (counted > ceiling + TOLERANCE)
        .then(|| format!("{backend:?} {}: {counted:.2} instead of {ceiling}", workload.name))
}

/// Allocations per request.
fn count(workload: &mut Workload, caller: &mut Caller, profile: Option<&PathBuf>) -> f64 {
    let check = workload.check;
    for _ in 0..WARM_UP {
        caller.call(workload.next());
    }
    check(caller.call(workload.next()));
    let profiler = profiler(profile);
    for _ in 0..COUNTED {
        caller.call(workload.next());
    }
    let blocks = dhat::HeapStats::get().total_blocks;
    drop(profiler);
    check(caller.call(workload.next()));
    blocks as f64 / COUNTED as f64
}

/// What the heap keeps for a connection that has had one request and waits for the next.
fn connection_bytes(address: SocketAddr, profile: Option<&PathBuf>) -> usize {
    let greeting = framed(&ApiVersionsRequest::default(), 0);
    let mut callers = Vec::with_capacity(CONNECTIONS);
    let mut answer = vec![0; 1 << 16];
    let profiler = profiler(profile);
    for _ in 0..CONNECTIONS {
        let mut caller = Caller::connect(address, std::mem::take(&mut answer));
        caller.call(&greeting);
        answer = std::mem::take(&mut caller.answer);
        callers.push(caller);
    }
    let kept = dhat::HeapStats::get().curr_bytes;
    drop(profiler);
    kept / CONNECTIONS
}

fn profiler(profile: Option<&PathBuf>) -> dhat::Profiler {
    match profile {
        Some(path) => dhat::Profiler::builder()
            .file_name(path)
            .trim_backtraces(Some(sites::FRAMES_MAX))
            .build(),
        None => dhat::Profiler::builder().testing().build(),
    }
}

#[test]
fn requests_and_connections_take_no_more_memory_than_they_did() {
    let folder = std::env::var_os("MILLSTREAM_ALLOCATION_SITES")
        .filter(|folder| !folder.is_empty())
        .map(PathBuf::from);
    let mut excess = Vec::new();
    let uring = ring::select(BackendChoice::Auto)
        .is_ok_and(|selection| selection.kind == BackendKind::IoUring);
    for backend in
        [Some(BackendKind::Epoll), uring.then_some(BackendKind::IoUring)].into_iter().flatten()
    {
        let two_cores = broker::Broker::start(backend, 2);
        let mut caller = Caller::connect(two_cores.address, vec![0; 2 << 20]);
        for mut workload in over_two_cores(two_cores.address) {
            excess.extend(measure(backend, &mut workload, &mut caller, folder.as_ref()));
        }
        drop((caller, two_cores));
        let broker = broker::Broker::start(backend, 1);
        let mut caller = Caller::connect(broker.address, vec![0; 2 << 20]);
        for mut workload in workloads(broker.address) {
            excess.extend(measure(backend, &mut workload, &mut caller, folder.as_ref()));
        }
        let profile =
            folder.as_ref().map(|folder| folder.join(format!("{backend:?}-connection.json")));
        let kept = connection_bytes(broker.address, profile.as_ref());
        eprintln!("{backend:?} connection: {kept} bytes, {CONNECTION_BYTES_MAX} are let pass");
        if let Some(profile) = profile {
            sites::write(&profile, Blocks::Kept, CONNECTIONS);
        }
        if kept > CONNECTION_BYTES_MAX {
            excess.push(format!(
                "{backend:?} connection: {kept} bytes instead of {CONNECTION_BYTES_MAX}"
            ));
        }
    }
    assert!(excess.is_empty(), "more memory than before: {excess:#?}");
}
