//! What many small things cost a broker: 10,000 partitions, 10,000 idle connections, 1,000 groups,
//! each beside an empty broker. Figures: memory per piece, the time of a start, processor time
//! while nothing happens, and what a busy partition costs beside them.
//!
//! The broker runs on processor 0, the load generator on processor 1. Every set-up has a broker and
//! a folder of its own.

mod broker;
mod client;
mod report;

use anyhow::{Context, bail, ensure};
use broker::Broker;
use bytes::Bytes;
use clap::Parser;
use client::Client;
use protocol::messages::{
    ApiVersionsRequest, CreateTopicsRequest, FindCoordinatorRequest, JoinGroupRequest,
    OffsetCommitRequest, ProduceRequest, SyncGroupRequest,
    create_topics_request::CreatableTopic,
    join_group_request::JoinGroupRequestProtocol,
    offset_commit_request::{OffsetCommitRequestPartition, OffsetCommitRequestTopic},
    produce_request::{PartitionProduceData, TopicProduceData},
};
use report::Row;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

#[derive(Parser)]
#[command(name = "scale", about = "What many small things cost a broker")]
pub struct Options {
    /// Where the programs millstream and loadgen are
    #[arg(long, value_name = "DIR", default_value = "target/release")]
    programs: PathBuf,

    #[arg(long, default_value_t = 10_000)]
    partitions: usize,

    #[arg(long, default_value_t = 10_000)]
    connections: usize,

    #[arg(long, default_value_t = 1_000)]
    groups: usize,

    /// How long a load lasts, and how long an idle broker is watched
    #[arg(long, value_name = "S", default_value_t = 5)]
    seconds: u64,

    /// How often a start is measured
    #[arg(long, default_value_t = 3)]
    starts: usize,

    /// Records per second of 100 bytes to the busy partition
    #[arg(long, default_value_t = 200_000)]
    rate: u64,

    /// Where the brokers keep their data meanwhile
    #[arg(long, value_name = "DIR", default_value = "target/scale")]
    dir: PathBuf,

    /// Where the tables go as Markdown
    #[arg(long, value_name = "FILE", default_value = "docs/benchmarks/scale.md")]
    markdown: PathBuf,
}

const PARTITIONS_PER_TOPIC: usize = 1_000;
/// After it, what was done to the broker no longer shows in its memory or its processor time.
const SETTLE: Duration = Duration::from_secs(3);
/// What the groups' offsets are of.
const COMMITTED_TOPIC: &str = "scale";
const COORDINATOR_TRIES: usize = 600;
const RETRY_PAUSE: Duration = Duration::from_millis(50);
const SESSION_TIMEOUT_MS: i32 = 1_800_000;

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let _ = std::fs::remove_dir_all(&options.dir);
    let mut rows = Vec::new();
    empty(&options, &mut rows)?;
    partitions(&options, &mut rows)?;
    connections(&options, &mut rows)?;
    groups(&options, &mut rows)?;
    let _ = std::fs::remove_dir_all(&options.dir);
    let text = report::markdown(&options, &rows);
    println!("{text}");
    if let Some(folder) = options.markdown.parent() {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot make {}", folder.display()))?;
    }
    std::fs::write(&options.markdown, text)
        .with_context(|| format!("cannot write {}", options.markdown.display()))
}

fn row(what: impl Into<String>, figure: String, target: &'static str) -> Row {
    let row = Row { what: what.into(), figure, target };
    eprintln!("{}: {}", row.what, row.figure);
    row
}

fn ms(duration: Duration) -> String {
    format!("{:.0} ms", duration.as_secs_f64() * 1e3)
}

/// The median of several starts, each after a clean stop, and the first stop: it has something to
/// close, those behind it have not. The last broker is returned.
fn starts(
    options: &Options,
    dir: &Path,
    mut broker: Broker,
) -> anyhow::Result<(Broker, Duration, Duration)> {
    let mut times = Vec::new();
    let first_stop = broker.stop()?;
    for round in 0..options.starts.max(1) {
        if round > 0 {
            broker.stop()?;
        }
        broker = Broker::start(options, dir)?;
        times.push(broker.first_answer);
    }
    times.sort();
    Ok((broker, times[times.len() / 2], first_stop))
}

/// What a set-up costs while nothing happens, and what a busy partition costs beside it.
fn idle_and_busy(
    options: &Options,
    broker: &Broker,
    beside: &str,
    rows: &mut Vec<Row>,
) -> anyhow::Result<()> {
    let idle = broker.idle_share(Duration::from_secs(options.seconds))?;
    rows.push(row(
        format!("{beside}: idle processor time"),
        format!("{:.2} % of a core", idle * 100.0),
        "< 0.5 %",
    ));
    let load = broker.load(options, Some(options.rate))?;
    let figure = format!(
        "{:.3} CPU-s per million records, p99 {:.1} ms",
        load.cpu_s_per_million, load.p99_ms
    );
    rows.push(row(
        format!("{beside}: a busy partition at {} records/s", options.rate),
        figure,
        "as beside nothing",
    ));
    let most = broker.load(options, None)?;
    let figure = format!("{:.2} million records/s", most.records_per_s / 1e6);
    rows.push(row(
        format!("{beside}: a busy partition, as many as possible"),
        figure,
        "as beside nothing",
    ));
    Ok(())
}

fn per_piece(before: usize, after: usize, pieces: usize) -> String {
    format!("{:.1} KiB", (after as f64 - before as f64) / pieces as f64 / 1024.0)
}

fn mib(bytes: usize) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}

fn empty(options: &Options, rows: &mut Vec<Row>) -> anyhow::Result<()> {
    let dir = options.dir.join("empty");
    let broker = Broker::start(options, &dir)?;
    rows.push(row("empty: first start of all to the first answer", ms(broker.first_answer), "-"));
    let (mut broker, start, _) = starts(options, &dir, broker)?;
    rows.push(row("empty: start to the first answer", ms(start), "< 20 ms"));
    thread::sleep(SETTLE);
    rows.push(row("empty: resident memory", mib(broker.resident_bytes()?), "< 24 MiB"));
    idle_and_busy(options, &broker, "empty", rows)?;
    broker.stop().map(drop)
}

fn partitions(options: &Options, rows: &mut Vec<Row>) -> anyhow::Result<()> {
    let dir = options.dir.join("partitions");
    let broker = Broker::start(options, &dir)?;
    thread::sleep(SETTLE);
    let before = broker.resident_bytes()?;
    let mut client = Client::connect(broker.address)?;
    let mut left = options.partitions;
    let mut topics = Vec::new();
    while left > 0 {
        let count = left.min(PARTITIONS_PER_TOPIC);
        topics.push((format!("many-{}", topics.len()), count));
        left -= count;
    }
    let began = Instant::now();
    for (name, count) in &topics {
        create_topic(&mut client, name, *count)?;
    }
    let many = format!("{} partitions", options.partitions);
    rows.push(row(format!("{many}: creation"), ms(began.elapsed()), "-"));
    thread::sleep(SETTLE);
    let created = broker.resident_bytes()?;
    rows.push(row(
        format!("{many}: memory of one, just made"),
        per_piece(before, created, options.partitions),
        "≤ 16 KiB",
    ));
    for (name, count) in &topics {
        produce_to_all(&mut client, name, *count)?;
    }
    thread::sleep(SETTLE);
    let written = broker.resident_bytes()?;
    rows.push(row(
        format!("{many}: memory of one with a batch"),
        per_piece(before, written, options.partitions),
        "≤ 16 KiB",
    ));
    let (mut broker, start, stop) = starts(options, &dir, broker)?;
    rows.push(row(
        format!("{many}: clean stop, each with a batch that was not flushed"),
        ms(stop),
        "-",
    ));
    rows.push(row(format!("{many}: start to the first answer"), ms(start), "< 300 ms"));
    thread::sleep(SETTLE);
    let restarted = broker.resident_bytes()?;
    rows.push(row(
        format!("{many}: memory of one after a start"),
        per_piece(before, restarted, options.partitions),
        "≤ 16 KiB",
    ));
    idle_and_busy(options, &broker, &many, rows)?;
    broker.stop().map(drop)
}

fn create_topic(client: &mut Client, name: &str, partitions: usize) -> anyhow::Result<()> {
    let topic = CreatableTopic {
        name: name.to_owned(),
        num_partitions: partitions as i32,
        replication_factor: 1,
        ..CreatableTopic::default()
    };
    let request =
        CreateTopicsRequest { topics: vec![topic], timeout_ms: 120_000, validate_only: false };
    let created = &client.call(&request, 7)?.topics[0];
    ensure!(created.error_code == 0, "{name}: {} {:?}", created.error_code, created.error_message);
    Ok(())
}

/// One batch of one record to every partition of the topic.
fn produce_to_all(client: &mut Client, topic: &str, partitions: usize) -> anyhow::Result<()> {
    // Of now: older records would give retention something to do.
    let now_ms = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis() as i64;
    let mut builder = protocol::records::BatchBuilder::new(0);
    builder.append(now_ms, None, Some(&[b'v'; 100]), &[]);
    let records = builder.build();
    let data = |index| PartitionProduceData { index, records: Some(records.clone()) };
    let topic_data = TopicProduceData {
        name: topic.to_owned(),
        partition_data: (0..partitions as i32).map(data).collect(),
        ..TopicProduceData::default()
    };
    let request = ProduceRequest {
        transactional_id: None,
        acks: -1,
        timeout_ms: 120_000,
        topic_data: vec![topic_data],
    };
    let response = client.call(&request, 12)?;
    let refused = response.responses[0]
        .partition_responses
        .iter()
        .find(|partition| partition.error_code != 0);
    ensure!(refused.is_none(), "{topic}: {refused:?}");
    Ok(())
}

fn connections(options: &Options, rows: &mut Vec<Row>) -> anyhow::Result<()> {
    let mut broker = Broker::start(options, &options.dir.join("connections"))?;
    thread::sleep(SETTLE);
    let before = broker.resident_bytes()?;
    let open = |_| greeted(broker.address);
    let clients: Vec<Client> = (0..options.connections).map(open).collect::<anyhow::Result<_>>()?;
    thread::sleep(SETTLE);
    let after = broker.resident_bytes()?;
    let many = format!("{} connections", options.connections);
    rows.push(row(
        format!("{many}: memory of one"),
        per_piece(before, after, options.connections),
        "≤ 8 KiB",
    ));
    idle_and_busy(options, &broker, &many, rows)?;
    drop(clients);
    broker.stop().map(drop)
}

/// A connection that has been used once, as an idle one of a real client has.
fn greeted(address: SocketAddr) -> anyhow::Result<Client> {
    let mut client = Client::connect(address)?;
    let (client_software_name, client_software_version) = ("scale".to_owned(), "1".to_owned());
    let request = ApiVersionsRequest {
        client_software_name,
        client_software_version,
        ..ApiVersionsRequest::default()
    };
    ensure!(client.call(&request, 3)?.error_code == 0, "ApiVersions");
    Ok(client)
}

fn groups(options: &Options, rows: &mut Vec<Row>) -> anyhow::Result<()> {
    let mut broker = Broker::start(options, &options.dir.join("groups"))?;
    let mut client = Client::connect(broker.address)?;
    create_topic(&mut client, COMMITTED_TOPIC, 1)?;
    // Asking for a coordinator makes the topic that holds all groups.
    find_coordinator(&mut client)?;
    join(&mut client, "first")?;
    thread::sleep(SETTLE);
    let before = broker.resident_bytes()?;
    for index in 0..options.groups {
        join(&mut client, &format!("group-{index}"))?;
    }
    thread::sleep(SETTLE);
    let after = broker.resident_bytes()?;
    let many = format!("{} groups", options.groups);
    rows.push(row(
        format!("{many}: memory of one, with a member and an offset"),
        per_piece(before, after, options.groups),
        "-",
    ));
    idle_and_busy(options, &broker, &many, rows)?;
    broker.stop().map(drop)
}

fn find_coordinator(client: &mut Client) -> anyhow::Result<()> {
    let request =
        FindCoordinatorRequest { key: "first".to_owned(), ..FindCoordinatorRequest::default() };
    for _ in 0..COORDINATOR_TRIES {
        if client.call(&request, 3)?.error_code == 0 {
            return Ok(());
        }
        thread::sleep(RETRY_PAUSE);
    }
    bail!("no coordinator after {COORDINATOR_TRIES} tries")
}

/// One member, that gets an assignment and commits an offset.
fn join(client: &mut Client, group: &str) -> anyhow::Result<()> {
    let protocol = JoinGroupRequestProtocol {
        name: "range".to_owned(),
        metadata: Bytes::from_static(&[0; 32]),
    };
    let mut request = JoinGroupRequest {
        group_id: group.to_owned(),
        session_timeout_ms: SESSION_TIMEOUT_MS,
        rebalance_timeout_ms: SESSION_TIMEOUT_MS,
        protocol_type: "consumer".to_owned(),
        protocols: vec![protocol],
        ..JoinGroupRequest::default()
    };
    // The first answer gives the member its id. A coordinator that is still loading asks to be
    // tried again.
    let mut joined = client.call(&request, 7)?;
    for _ in 0..COORDINATOR_TRIES {
        if joined.error_code == 0 {
            break;
        }
        if joined.member_id.is_empty() {
            thread::sleep(RETRY_PAUSE);
        }
        request.member_id = joined.member_id;
        joined = client.call(&request, 7)?;
    }
    ensure!(joined.error_code == 0, "JoinGroup {group}: error {}", joined.error_code);
    let sync = SyncGroupRequest {
        group_id: group.to_owned(),
        generation_id: joined.generation_id,
        member_id: joined.member_id.clone(),
        assignments: vec![],
        ..SyncGroupRequest::default()
    };
    let synced = client.call(&sync, 3)?;
    ensure!(synced.error_code == 0, "SyncGroup {group}: error {}", synced.error_code);
    let partition = OffsetCommitRequestPartition {
        committed_offset: 1,
        ..OffsetCommitRequestPartition::default()
    };
    let topic = OffsetCommitRequestTopic {
        name: COMMITTED_TOPIC.to_owned(),
        partitions: vec![partition],
        ..Default::default()
    };
    let commit = OffsetCommitRequest {
        group_id: group.to_owned(),
        generation_id_or_member_epoch: joined.generation_id,
        member_id: joined.member_id,
        topics: vec![topic],
        ..OffsetCommitRequest::default()
    };
    let committed = client.call(&commit, 8)?;
    let code = committed.topics[0].partitions[0].error_code;
    ensure!(code == 0, "OffsetCommit {group}: error {code}");
    Ok(())
}
