//! The page of metrics and its documentation, held against each other by a node that is driven:
//! each metric that docs/metrics.md lists is moved here, and each one that the page shows is listed
//! there.

use crate::{
    compaction,
    support::{
        self, Broker, Client, Setup, batch,
        broker::{free_port, scratch_folder},
        client::{self, FETCH_VERSION, PRODUCE_VERSION},
    },
};
use protocol::{
    ErrorCode,
    messages::{
        AlterClientQuotasRequest, DeleteRecordsRequest, FindCoordinatorRequest,
        GetTelemetrySubscriptionsRequest, IncrementalAlterConfigsRequest, JoinGroupRequest,
        OffsetCommitRequest, PushTelemetryRequest,
        alter_client_quotas_request::{EntityData, EntryData, OpData},
        delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic},
        incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig},
        join_group_request::JoinGroupRequestProtocol,
        offset_commit_request::{OffsetCommitRequestPartition, OffsetCommitRequestTopic},
    },
};
use rustix::process::{Resource, Rlimit, Signal, prlimit};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{Read, Write},
    net::TcpStream,
    thread,
    time::Duration,
};

const DOCUMENTATION: &str = include_str!("../../docs/metrics.md");
/// More groups than one page has room for.
const GROUPS: usize = 10_001;
const TOPIC: &str = "driven";

/// The highest value of each metric on the page, by its name there.
type Page = BTreeMap<String, f64>;

/// What the admin service at this address answers.
fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("the page is served");
    let request = format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("a page");
    answer
}

fn admin_address(broker: &Broker) -> String {
    let log = broker.log();
    let (_, address) =
        log.split_once("metrics on http://").expect("the log names the page's address");
    address.split_once('/').expect("a path").0.to_owned()
}

fn page(broker: &Broker) -> Page {
    page_at(&admin_address(broker))
}

fn page_at(address: &str) -> Page {
    let mut page = Page::new();
    for line in get(address, "/metrics")
        .lines()
        .filter(|line| line.starts_with("millstream_") || line.starts_with("process_"))
    {
        let name = line.split(['{', ' ']).next().expect("a name").to_owned();
        let value: f64 =
            line.rsplit(' ').next().and_then(|value| value.parse().ok()).expect("a value");
        let highest = page.entry(name).or_insert(value);
        *highest = highest.max(value);
    }
    page
}

struct Documented {
    name: &'static str,
    kind: &'static str,
}

impl Documented {
    fn all() -> Vec<Documented> {
        let row = |line: &'static str| {
            let mut cells = line.split('|').map(str::trim).skip(1);
            let name = cells.next()?.strip_prefix('`')?.strip_suffix('`')?;
            let kind = cells.next()?;
            ["gauge", "counter", "histogram"].contains(&kind).then_some(Documented { name, kind })
        };
        DOCUMENTATION.lines().filter_map(row).collect()
    }

    /// As the page writes it: a histogram by the count of its samples.
    fn on_page(&self) -> String {
        let suffix = if self.kind == "histogram" { "_count" } else { "" };
        format!("{}{suffix}", self.name)
    }

    /// A gauge that is not zero; a counter or histogram that has grown.
    fn is_moved(&self, before: &Page, after: &Page) -> bool {
        let value = |page: &Page| page.get(&self.on_page()).copied().unwrap_or(0.0);
        if self.kind == "gauge" { value(after) != 0.0 } else { value(after) > value(before) }
    }
}

/// Writes, reads, deletes and is refused.
fn drive_records(client: &mut Client) {
    for partition in 0..4 {
        for value in [b"one", b"two"] {
            client.produce_value(TOPIC, partition, value);
        }
        assert_eq!(client.read_all_values(TOPIC, partition).len(), 2);
    }
    let partition = DeleteRecordsPartition { partition_index: 0, offset: 1 };
    let topic = DeleteRecordsTopic { name: TOPIC.to_owned(), partitions: vec![partition] };
    let deleted = client.call(&DeleteRecordsRequest { topics: vec![topic], timeout_ms: 10_000 }, 2);
    assert_eq!(deleted.topics[0].partitions[0].low_watermark, 1);
    let refused = client.call(&client::fetch_request(TOPIC, 99, 0, 0), FETCH_VERSION);
    assert_ne!(refused.responses[0].partitions[0].error_code, ErrorCode::None.code());
}

fn commit_of(group: &str) -> OffsetCommitRequest {
    let partition = OffsetCommitRequestPartition {
        partition_index: 1,
        committed_offset: 1,
        ..Default::default()
    };
    OffsetCommitRequest {
        group_id: group.to_owned(),
        generation_id_or_member_epoch: -1,
        topics: vec![OffsetCommitRequestTopic {
            name: TOPIC.to_owned(),
            partitions: vec![partition],
            ..Default::default()
        }],
        ..Default::default()
    }
}

/// More groups than fit, all but one without members.
fn drive_groups(client: &mut Client) {
    let find = FindCoordinatorRequest { key: "group-0".to_owned(), ..Default::default() };
    support::eventually("a coordinator", || client.call(&find, 3).error_code == 0);
    let is_taken = |client: &mut Client, group: &str| {
        let answer = client.call(&commit_of(group), 8);
        answer.topics[0].partitions[0].error_code == ErrorCode::None.code()
    };
    for group in 0..GROUPS {
        let group = format!("group-{group}");
        support::eventually("a commit is taken", || is_taken(client, &group));
    }
    let protocol = JoinGroupRequestProtocol { name: "range".to_owned(), ..Default::default() };
    let join = JoinGroupRequest {
        group_id: "with-a-member".to_owned(),
        session_timeout_ms: 60_000,
        rebalance_timeout_ms: 60_000,
        protocol_type: "consumer".to_owned(),
        protocols: vec![protocol],
        ..Default::default()
    };
    assert_eq!(client.call(&join, 3).error_code, ErrorCode::None.code());
}

/// One log is compacted, another one cannot be, and a third one is not dirty enough.
fn drive_cleaners(broker: &Broker, client: &mut Client) {
    compaction::create(client, "compacted", "0.01");
    compaction::fill(client, "compacted");
    compaction::create(client, "damaged", "1");
    compaction::fill(client, "damaged");
    compaction::damage(broker, client, "damaged");
    compaction::create(client, "lazy", "1");
    compaction::fill(client, "lazy");
    support::eventually("a pass, and a look behind it", || {
        let page = page(broker);
        ["millstream_cleaner_written_bytes_total", "millstream_cleaner_max_dirty_ratio"]
            .iter()
            .all(|name| page.get(*name).is_some_and(|value| *value > 0.0))
    });
}

/// A gauge of 1.5, and one that is no number: `MetricsData` of OTLP, as a client sends it.
fn pushed_metrics() -> Vec<u8> {
    let message = |field: u8, content: &[u8]| {
        let length = u8::try_from(content.len()).expect("a short message");
        [&[field << 3 | 2, length], content].concat()
    };
    let gauge = |value: f64| {
        let value = [&[4 << 3 | 1], &value.to_le_bytes()[..]].concat();
        let name = message(1, b"org.apache.kafka.producer.driven");
        message(2, &[name, message(5, &message(1, &value))].concat())
    };
    message(1, &message(2, &[gauge(1.5), gauge(f64::NAN)].concat()))
}

/// A client that is asked for its metrics and pushes some, and one that pushes noise. Returns the
/// line that the page has of the first one.
fn drive_client_metrics(broker: &Broker) -> String {
    let mut client = Client::connect(broker.address);
    let config = AlterableConfig {
        name: "metrics".to_owned(),
        value: Some("org.apache.kafka.producer.".to_owned()),
        ..Default::default()
    };
    let resource = AlterConfigsResource {
        resource_type: 16,
        resource_name: "driven".to_owned(),
        configs: vec![config],
    };
    let alter = IncrementalAlterConfigsRequest { resources: vec![resource], validate_only: false };
    assert_eq!(client.call(&alter, 1).responses[0].error_code, 0);
    let push = |metrics: Vec<u8>| {
        let mut client = Client::connect(broker.address);
        let mut asked = client.call(&GetTelemetrySubscriptionsRequest::default(), 0);
        // Another core hears of the subscription in its own time.
        support::eventually("the client is asked", || {
            let is_asked = asked.requested_metrics == ["org.apache.kafka.producer."];
            if !is_asked {
                client = Client::connect(broker.address);
                asked = client.call(&GetTelemetrySubscriptionsRequest::default(), 0);
            }
            is_asked
        });
        let request = PushTelemetryRequest {
            client_instance_id: asked.client_instance_id,
            subscription_id: asked.subscription_id,
            metrics: metrics.into(),
            ..Default::default()
        };
        let error = ErrorCode::from_code(client.call(&request, 0).error_code).unwrap();
        (asked.client_instance_id, error)
    };
    assert_eq!(push(vec![0xff; 8]).1, ErrorCode::InvalidRecord);
    let (id, error) = push(pushed_metrics());
    assert_eq!(error, ErrorCode::None);
    format!("kafka_client_producer_driven{{client_id=\"test\",client_instance_id=\"{id}\"}} 1.5")
}

/// Sets a quota of all clients of a kind, or removes it.
fn set_quota(client: &mut Client, entity_type: &str, key: &str, value: Option<f64>) {
    let entity = vec![EntityData { entity_type: entity_type.to_owned(), entity_name: None }];
    let or_zero = value.unwrap_or_default();
    let op = OpData { key: key.to_owned(), value: or_zero, remove: value.is_none() };
    let entries = vec![EntryData { entity, ops: vec![op] }];
    let request = AlterClientQuotasRequest { entries, validate_only: false };
    assert_eq!(client.call(&request, 1).entries[0].error_message, None);
}

/// Sends more than a quota allows, and connects more often: the page meanwhile.
fn drive_quotas(broker: &Broker, client: &mut Client) -> Page {
    set_quota(client, "client-id", "producer_byte_rate", Some(1000.0));
    let mut producer = Client::connect(broker.address);
    let request = client::produce_request(TOPIC, 3, batch::of(&[&[7; 20_000][..]]), 1);
    assert!(producer.call(&request, PRODUCE_VERSION).throttle_time_ms > 0);
    set_quota(client, "ip", "connection_creation_rate", Some(1.0));
    let mut open = Vec::new();
    let moved = |page: &Page| page["millstream_quota_refused_connections_total"] > 0.0;
    let mut seen = page(broker);
    support::eventually("a connection is refused", || {
        open.push(TcpStream::connect(broker.address).unwrap());
        merge(&mut seen, page(broker));
        moved(&seen)
    });
    set_quota(client, "ip", "connection_creation_rate", None);
    set_quota(client, "client-id", "producer_byte_rate", None);
    seen
}

/// Stops the process in the middle of its work until a turn of some core has taken long by it.
fn drive_a_stall(broker: &Broker) {
    thread::scope(|scope| {
        let (done, is_done) = std::sync::mpsc::channel::<()>();
        let address = broker.address;
        scope.spawn(move || {
            let mut client = Client::connect(address);
            let request = client::produce_request(TOPIC, 2, batch::of(&[&[7; 4096][..]; 16]), 1);
            while is_done.try_recv().is_err() {
                client.call(&request, PRODUCE_VERSION);
            }
        });
        support::eventually("a stall", || {
            broker.signal(Signal::STOP);
            thread::sleep(Duration::from_millis(20));
            broker.signal(Signal::CONT);
            page(broker).contains_key("millstream_loop_stalls_total")
        });
        done.send(()).expect("the producer still runs");
    });
}

/// A broker that lacks a log directory, a log, room in its files and memory, one after the other:
/// the highest values that it shows meanwhile, and what `/ready` says of each.
fn drive_troubles(backend: &'static str) -> Page {
    let folder = scratch_folder();
    let (data, other) = (folder.join("data"), folder.join("other"));
    fs::write(&other, b"not a folder").unwrap();
    let admin = format!("127.0.0.1:{}", free_port());
    let setup = Setup::new(backend, 2)
        .with("admin.listener", &admin)
        .with("log.dirs", &format!("{},{}", data.display(), other.display()))
        .with("memory.limit.bytes", "1");
    let port = free_port();
    let start =
        || Broker::try_start(&setup, &data, port).unwrap_or_else(|refusal| panic!("{refusal:?}"));
    let mut broker = start();
    let mut client = Client::connect(broker.address);
    client.create_topic(TOPIC, 1, &[]);
    client.create_topic("lost", 1, &[]);
    client.produce_value("lost", 0, b"one");
    broker.stop();
    fs::remove_file(data.join("lost-0/00000000000000000000.log")).unwrap();
    let broker = start();
    let says = |status: u16, words: &str| {
        let answer = get(&admin, "/ready");
        answer.starts_with(&format!("HTTP/1.1 {status}")) && answer.contains(words)
    };
    assert!(says(200, "1 partition is offline until the next start"), "{}", get(&admin, "/ready"));
    assert!(says(200, &format!("the log directory {} is offline", other.display())));
    let mut page = page_at(&admin);
    stall_large_frames(&broker, &mut page, &admin);
    // From now on no file grows.
    let pid = broker.pid();
    let limit = |bytes| Rlimit { current: bytes, maximum: None };
    prlimit(Some(pid), Resource::Fsize, limit(Some(1))).unwrap();
    let mut client = Client::connect(broker.address);
    let request = client::produce_request(TOPIC, 0, batch::of(&[b"value"]), -1);
    support::eventually("appends are refused", || {
        client.call(&request, PRODUCE_VERSION);
        says(200, "1 partition is read only for now")
    });
    assert_ne!(client.try_create_topic("refused", 1, &[]), ErrorCode::None);
    assert!(says(503, "the metadata log takes no records"), "{}", get(&admin, "/ready"));
    merge(&mut page, page_at(&admin));
    prlimit(Some(pid), Resource::Fsize, limit(None)).unwrap();
    client.create_topic("taken", 1, &[]);
    support::eventually("appends are taken again", || {
        says(200, "ready") && !says(200, "read only")
    });
    drop(broker);
    let _ = fs::remove_dir_all(folder);
    page
}

/// Clients that send some of a large frame and stop there, more of them than have room, until one
/// is closed.
fn stall_large_frames(broker: &Broker, page: &mut Page, admin: &str) {
    let stalled: Vec<_> = (0..12)
        .map(|_| {
            let mut stream = TcpStream::connect(broker.address).unwrap();
            stream.write_all(&3_000_000_i32.to_be_bytes()).unwrap();
            // More than its socket's buffers may be refused at once.
            stream.set_nonblocking(true).unwrap();
            let _ = stream.write(&[0; 1_500_000]);
            stream
        })
        .collect();
    let moved = |page: &Page, name: &str| page.get(name).is_some_and(|value| *value > 0.0);
    support::eventually("stalled connections are closed", || {
        merge(page, page_at(admin));
        moved(page, "millstream_memory_waiting_connections")
            && moved(page, "millstream_memory_ended_connections_total")
    });
    drop(stalled);
}

fn merge(page: &mut Page, other: Page) {
    for (name, value) in other {
        let highest = page.entry(name).or_insert(value);
        *highest = highest.max(value);
    }
}

#[test]
fn each_metric_of_the_documentation_is_moved_and_each_metric_is_documented() {
    for setup in Setup::backends() {
        // Two cores on either back-end: messages between them are counted, too.
        let setup = Setup::new(setup.backend, 2)
            .with("admin.listener", "127.0.0.1:0")
            .with("durability", "os")
            .with("group.initial.rebalance.delay.ms", "0");
        let setup = compaction::eager(setup);
        let broker = Broker::start(&setup);
        let mut client = Client::connect(broker.address);
        client.create_topic(TOPIC, 4, &[("durability", "fsync")]);
        let before = page(&broker);
        drive_records(&mut client);
        drive_groups(&mut client);
        let pushed = drive_client_metrics(&broker);
        let text = get(&admin_address(&broker), "/metrics");
        assert!(text.lines().any(|line| line == pushed), "{pushed}\n{text}");
        drive_a_stall(&broker);
        drive_cleaners(&broker, &mut client);
        let mut after = page(&broker);
        merge(&mut after, drive_quotas(&broker, &mut client));
        merge(&mut after, drive_troubles(setup.backend));
        let documented = Documented::all();
        let still: Vec<_> = documented
            .iter()
            .filter(|one| !one.is_moved(&before, &after))
            .map(|one| one.name)
            .collect();
        assert!(still.is_empty(), "documented, but nothing has moved them: {still:?}");
        let base = |name: &str| {
            let histogram =
                ["_bucket", "_count", "_sum"].iter().find_map(|suffix| name.strip_suffix(suffix));
            histogram.unwrap_or(name).to_owned()
        };
        let shown: BTreeSet<String> = after.keys().map(|name| base(name)).collect();
        let listed: BTreeSet<String> = documented.iter().map(|one| one.name.to_owned()).collect();
        assert_eq!(
            shown.difference(&listed).collect::<Vec<_>>(),
            Vec::<&String>::new(),
            "not in docs/metrics.md"
        );
    }
}
