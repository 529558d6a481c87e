//! What waits for a disk, and what must not: two log directories of which one hangs, files that are
//! being opened, a disk that is full when a segment begins. Each test is one story in calm weather.

use crate::{
    client::{Client, Pending},
    cluster::ClusterId,
    commits, journal,
    plan::{Plan, Variation},
    run::Run,
};
use protocol::{
    ErrorCode,
    generated::rpc::{
        create_topics_request::CreatableTopic,
        delete_topics_request::DeleteTopicState,
        list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic},
        produce_request::{PartitionProduceData, TopicProduceData},
    },
    messages::{
        CreateTopicsRequest, DeleteTopicsRequest, DeleteTopicsResponse, ListOffsetsRequest,
        ProduceRequest, ProduceResponse,
    },
    records::BatchBuilder,
};
use ring::{Ring, sim::SimOptions};
use std::{cell::Cell, future::Future, rc::Rc, time::Duration};

const TOPIC: &str = "apart";
const PRODUCE_VERSION: i16 = 12;
/// Longer than anything takes here that does not hang.
const LONG: Duration = Duration::from_secs(2);

/// A broker of one core, started.
fn started(seed: u64, log_dirs: usize, properties: &[(&str, &str)]) -> Rc<Run> {
    started_with(seed, 1, log_dirs, properties)
}

/// The same with more cores.
pub fn started_with(
    seed: u64,
    cores: usize,
    log_dirs: usize,
    properties: &[(&str, &str)],
) -> Rc<Run> {
    let run = planned(seed, cores, log_dirs, properties);
    start(&run);
    run
}

/// The same, not started yet.
pub fn planned(seed: u64, cores: usize, log_dirs: usize, properties: &[(&str, &str)]) -> Rc<Run> {
    journal::begin(false);
    let mut plan = Plan::new(seed, Variation::None);
    (plan.options, plan.faults, plan.vary_cores) = (SimOptions::calm(), Vec::new(), false);
    let node = &mut plan.nodes[0];
    (node.cores, node.log_dirs, node.properties) = (cores, log_dirs, Vec::new());
    let always = [("admin.listener", ""), ("offsets.topic.num.partitions", "2")];
    let set = always
        .iter()
        .chain(properties)
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    plan.properties = set.collect();
    Run::of(seed, plan)
}

fn start(run: &Rc<Run>) {
    run.nodes[0].start();
    assert!(
        run.world.run_until(Duration::from_secs(30), || run.nodes[0].is_ready()),
        "{:?}",
        run.nodes[0].failure()
    );
}

/// Runs one client's story to its end.
pub fn tell<F: Future<Output = ()> + 'static>(
    run: &Rc<Run>,
    story: impl FnOnce(Client) -> F + 'static,
) {
    let done = Rc::new(Cell::new(false));
    let flag = done.clone();
    run.spawn(ClusterId::FIRST, "story".to_owned(), move |run: Rc<Run>, ring: Ring| async move {
        story(Client::new(&run, &ring, ClusterId::FIRST, "story".to_owned())).await;
        flag.set(true);
    });
    assert!(run.world.run_until(Duration::from_secs(120), || done.get()), "the story does not end");
}

async fn create(client: &mut Client, partitions: i32) {
    let topic = CreatableTopic {
        name: TOPIC.to_owned(),
        num_partitions: partitions,
        replication_factor: 1,
        ..Default::default()
    };
    let request =
        CreateTopicsRequest { topics: vec![topic], timeout_ms: 10_000, ..Default::default() };
    let response = client.call(7, &request).await.expect("an answer");
    assert_eq!(response.topics[0].error_code, 0);
}

async fn send(client: &mut Client, partition: i32, bytes: usize) -> Pending {
    send_within(client, partition, bytes, -1, 30_000).await
}

async fn send_within(
    client: &mut Client,
    partition: i32,
    bytes: usize,
    acks: i16,
    timeout_ms: i32,
) -> Pending {
    let mut builder = BatchBuilder::new(0);
    builder.append(client.ring.wall_clock_ms(), None, Some(&vec![7; bytes]), &[]);
    let data = PartitionProduceData { index: partition, records: Some(builder.build()) };
    let topic = TopicProduceData {
        name: TOPIC.to_owned(),
        partition_data: vec![data],
        ..Default::default()
    };
    let request =
        ProduceRequest { transactional_id: None, acks, timeout_ms, topic_data: vec![topic] };
    client.send(PRODUCE_VERSION, &request).await.expect("it is sent")
}

/// The error of a produce request, and the offset of its record.
async fn answer(client: &mut Client, pending: Pending) -> (ErrorCode, i64) {
    let response: ProduceResponse = client.receive(pending).await.expect("an answer");
    let one = &response.responses[0].partition_responses[0];
    (ErrorCode::from_code(one.error_code).expect("a code of Kafka's"), one.base_offset)
}

async fn produce(client: &mut Client, partition: i32, bytes: usize) -> (ErrorCode, i64) {
    let pending = send(client, partition, bytes).await;
    answer(client, pending).await
}

/// Where the log of a partition ends for its readers.
async fn end_offset(client: &mut Client, partition: i32) -> i64 {
    let partition = ListOffsetsPartition {
        partition_index: partition,
        timestamp: -1,
        current_leader_epoch: -1,
        ..Default::default()
    };
    let topic = ListOffsetsTopic { name: TOPIC.to_owned(), partitions: vec![partition] };
    let request = ListOffsetsRequest { replica_id: -1, topics: vec![topic], ..Default::default() };
    let response = client.call(5, &request).await.expect("an answer");
    response.topics[0].partitions[0].offset
}

/// A group whose coordinator's partition is `partition` of two.
fn group_of(partition: i32) -> String {
    let hash = |text: &str| {
        text.bytes().fold(0i32, |hash, byte| hash.wrapping_mul(31).wrapping_add(i32::from(byte)))
    };
    let names = (0..).map(|number| format!("group-{number}"));
    names
        .into_iter()
        .find(|name| (hash(name) & i32::MAX) % 2 == partition)
        .expect("there are as many as one likes")
}

/// Which of the two directories has this partition.
fn directory_of(client: &Client, topic: &str, partition: i32) -> usize {
    let disk = client.run.world.disk(client.run.nodes[0].node);
    let names = disk.file_names();
    let has = |dir: &usize| {
        names.iter().any(|name| name.starts_with(&format!("/data/{dir}/{topic}-{partition}/")))
    };
    (0..2).find(has).expect("the partition has files")
}

/// Writes, flushes, checkpoints, retention and lazy syncs of one directory hang; what is in the
/// other one goes on: small records, large ones, committed offsets.
#[test]
fn a_directory_that_hangs_delays_no_acknowledgement_of_another() {
    for seed in 0..20 {
        let quick = [
            ("log.flush.offset.checkpoint.interval.ms", "100"),
            ("log.flush.start.offset.checkpoint.interval.ms", "70"),
            ("log.retention.check.interval.ms", "500"),
            ("log.segment.bytes", "1048576"),
            ("log.retention.bytes", "1"),
        ];
        let run = started(seed, 2, &quick);
        tell(&run, move |mut client| async move {
            let run = client.run.clone();
            let disk = run.world.disk(run.nodes[0].node);
            create(&mut client, 8).await;
            while commits::find_coordinator(&mut client, "any").await.is_err() {}
            let own = (0..2).find(|index| directory_of(&client, "__consumer_offsets", *index) == 0);
            let group = group_of(own.expect("one partition lies in each directory"));
            let (good, hung): (Vec<i32>, Vec<i32>) =
                (0..8).partition(|one| directory_of(&client, TOPIC, *one) == 0);
            for partition in 0..8 {
                assert_eq!(produce(&mut client, partition, 100).await.0, ErrorCode::None);
            }
            while commits::commit(&mut client, &group, (-1, ""), &[(TOPIC.to_owned(), 0)])
                .await
                .unwrap()
                != [ErrorCode::None]
            {
                client.ring.sleep(Duration::from_millis(10)).await;
            }
            disk.hang_below("/data/1", true);
            let mut waiting = Vec::new();
            for (partition, bytes) in hung.iter().zip([100, 100_000, 10, 600_000]) {
                let mut other =
                    Client::new(&run, &client.ring, ClusterId::FIRST, "who waits".to_owned());
                let pending = send(&mut other, *partition, bytes).await;
                waiting.push((other, pending));
            }
            for round in 0..30 {
                for partition in &good {
                    let (error, _) =
                        produce(&mut client, *partition, [100, 100_000, 700_000][round % 3]).await;
                    assert_eq!(error, ErrorCode::None, "seed {seed}, round {round}");
                }
                let committed =
                    commits::commit(&mut client, &group, (-1, ""), &[(TOPIC.to_owned(), 0)]).await;
                assert_eq!(committed.unwrap(), [ErrorCode::None], "seed {seed}, round {round}");
                client.ring.sleep(Duration::from_millis(100)).await;
            }
            for partition in &hung {
                assert_eq!(
                    end_offset(&mut client, *partition).await,
                    1,
                    "nothing that hangs is acknowledged"
                );
            }
            disk.hang_below("/data/1", false);
            for (mut other, pending) in waiting {
                assert_eq!(answer(&mut other, pending).await, (ErrorCode::None, 1), "seed {seed}");
            }
        });
        run.world.close();
    }
}

/// A producer waits for its `timeout.ms` (for a second, though that be less), whatever its acks.
/// The records stay in the log, and the answer says where.
#[test]
fn a_produce_whose_time_is_over_is_told_so_and_its_records_stay() {
    for seed in 0..20 {
        let run = started(seed, 1, &[]);
        tell(&run, move |mut client| async move {
            let run = client.run.clone();
            let disk = run.world.disk(run.nodes[0].node);
            create(&mut client, 1).await;
            assert_eq!(produce(&mut client, 0, 100).await, (ErrorCode::None, 0));
            disk.hang(true);
            // One that waits for longer is not disturbed.
            let mut other = Client::new(&run, &client.ring, ClusterId::FIRST, "patient".to_owned());
            let patient = send(&mut other, 0, 100).await;
            client.ring.sleep(Duration::from_millis(100)).await;
            let began = client.ring.now();
            for (offset, acks, timeout_ms, waits_ms) in
                [(2, -1, 3_000, 3_000), (3, 1, 2_000, 5_000), (4, -1, 1, 6_000)]
            {
                let pending = send_within(&mut client, 0, 100, acks, timeout_ms).await;
                let answered = answer(&mut client, pending).await;
                assert_eq!(answered, (ErrorCode::RequestTimedOut, offset), "seed {seed}");
                let waited_ms = client.ring.now().since(began).as_millis();
                let expected = waits_ms..waits_ms + 500;
                assert!(expected.contains(&waited_ms), "seed {seed}: {waited_ms} ms");
            }
            client.ring.sleep(LONG).await;
            disk.hang(false);
            assert_eq!(answer(&mut other, patient).await, (ErrorCode::None, 1), "seed {seed}");
            // Behind all of them.
            assert_eq!(produce(&mut client, 0, 100).await, (ErrorCode::None, 5), "seed {seed}");
            assert_eq!(end_offset(&mut client, 0).await, 6, "seed {seed}");
        });
        run.world.close();
    }
}

/// `durability=os` acknowledged to the end of the log while the file was still being opened, with
/// nothing written.
#[test]
fn nothing_is_acknowledged_before_it_is_written() {
    for seed in 0..20 {
        let run = started(seed, 1, &[("durability", "os"), ("log.segment.bytes", "1048576")]);
        let acknowledged = Rc::new(Cell::new(0));
        let count = acknowledged.clone();
        tell(&run, move |mut client| async move {
            let run = client.run.clone();
            let disk = run.world.disk(run.nodes[0].node);
            create(&mut client, 1).await;
            assert_eq!(produce(&mut client, 0, 700_000).await, (ErrorCode::None, 0));
            count.set(1);
            disk.hang(true);
            // The second segment's file is opened now.
            let pending = send(&mut client, 0, 700_000).await;
            client.ring.sleep(LONG).await;
            let mut reader = Client::new(&run, &client.ring, ClusterId::FIRST, "reader".to_owned());
            assert_eq!(end_offset(&mut reader, 0).await, 1, "seed {seed}");
            if seed % 2 == 0 {
                // Killed with the file not open: no producer had an answer.
                return;
            }
            disk.hang(false);
            assert_eq!(answer(&mut client, pending).await, (ErrorCode::None, 1));
            for _ in 0..10 {
                assert_eq!(produce(&mut client, 0, 100).await.0, ErrorCode::None);
            }
            count.set(12);
        });
        run.nodes[0].kill();
        run.world.disk(run.nodes[0].node).hang(false);
        start(&run);
        tell(&run, move |mut client| async move {
            let end = end_offset(&mut client, 0).await;
            assert!(
                end >= acknowledged.get(),
                "seed {seed}: {} were acknowledged, {end} are there",
                acknowledged.get()
            );
        });
        run.world.close();
    }
}

/// The disk is full when a segment begins: nothing of it can be written, so nothing is
/// acknowledged.
#[test]
fn a_full_disk_at_a_roll_is_an_error() {
    for seed in 0..20 {
        let run = started(seed, 1, &[("durability", "os"), ("log.segment.bytes", "1048576")]);
        tell(&run, move |mut client| async move {
            let disk = client.run.world.disk(client.run.nodes[0].node);
            create(&mut client, 1).await;
            assert_eq!(produce(&mut client, 0, 700_000).await, (ErrorCode::None, 0));
            // What the roll of a segment writes besides is written before.
            client.ring.sleep(LONG).await;
            disk.set_capacity_bytes(0);
            assert_eq!(
                produce(&mut client, 0, 700_000).await.0,
                ErrorCode::KafkaStorageError,
                "seed {seed}"
            );
            disk.set_capacity_bytes(1 << 40);
            while produce(&mut client, 0, 100).await.0 != ErrorCode::None {
                client.ring.sleep(Duration::from_millis(100)).await;
            }
        });
        run.world.close();
    }
}

/// A write that was under way when its topic was deleted ended the broker with a panic (seed
/// 9000001).
#[test]
fn a_topic_goes_while_a_write_of_it_waits() {
    for seed in 0..20 {
        let run = started(seed, 2, &[]);
        tell(&run, move |mut client| async move {
            let run = client.run.clone();
            let disk = run.world.disk(run.nodes[0].node);
            create(&mut client, 4).await;
            for partition in 0..4 {
                assert_eq!(produce(&mut client, partition, 100).await.0, ErrorCode::None);
            }
            disk.hang_below("/data/1", true);
            for partition in 0..4 {
                let mut other =
                    Client::new(&run, &client.ring, ClusterId::FIRST, "who waits".to_owned());
                send(&mut other, partition, 1_000).await;
            }
            client.ring.sleep(Duration::from_millis(100)).await;
            let topics =
                vec![DeleteTopicState { name: Some(TOPIC.to_owned()), ..Default::default() }];
            let request = DeleteTopicsRequest { topics, timeout_ms: 1_000, ..Default::default() };
            let pending = client.send(6, &request).await.expect("it is sent");
            client.ring.sleep(Duration::from_millis(500)).await;
            disk.hang_below("/data/1", false);
            assert!(client.receive::<DeleteTopicsResponse>(pending).await.is_ok(), "seed {seed}");
            client.ring.sleep(LONG).await;
            create(&mut client, 4).await;
            for partition in 0..4 {
                assert_eq!(
                    produce(&mut client, partition, 100).await,
                    (ErrorCode::None, 0),
                    "seed {seed}"
                );
            }
        });
        run.world.close();
    }
}

/// Retention that takes all of a log begins a new segment. When that failed on a full disk, the
/// next pass took the old ones away without the new one's file: after a crash the log had no
/// segment and was refused (seed 9000048).
#[test]
fn retention_of_a_whole_log_that_fails_half_way_leaves_a_log() {
    for seed in 0..20 {
        let quick = [
            ("log.retention.ms", "1000"),
            ("log.retention.check.interval.ms", "200"),
            ("log.flush.offset.checkpoint.interval.ms", "100"),
        ];
        let run = started(seed, 1, &quick);
        tell(&run, move |mut client| async move {
            let disk = client.run.world.disk(client.run.nodes[0].node);
            create(&mut client, 1).await;
            assert_eq!(produce(&mut client, 0, 100).await, (ErrorCode::None, 0));
            // The recovery point is written meanwhile.
            client.ring.sleep(Duration::from_millis(500)).await;
            disk.set_capacity_bytes(0);
            client.ring.sleep(LONG).await;
            disk.set_capacity_bytes(1 << 40);
            client.ring.sleep(LONG).await;
            let names = disk.file_names();
            let has = |base: i64| names.contains(&format!("/data/0/{TOPIC}-0/{base:020}.log"));
            assert!(!has(0) && has(1), "seed {seed}: {names:?}");
        });
        match seed % 2 {
            0 => run.nodes[0].crash(),
            _ => run.nodes[0].kill(),
        }
        start(&run);
        tell(&run, move |mut client| async move {
            assert_eq!(produce(&mut client, 0, 100).await, (ErrorCode::None, 1), "seed {seed}");
        });
        run.world.close();
    }
}

/// An error while the commit stream of the last run was removed ended the broker. It serves without
/// a stream there, keeps what the stream has, and does not say that it has closed the directory in
/// order.
#[test]
fn a_commit_stream_that_cannot_be_removed_keeps_nothing_from_service() {
    for seed in 0..21 {
        let run = started(seed, 2, &[]);
        let disk = run.world.disk(run.nodes[0].node);
        let has_stream =
            || disk.file_names().iter().any(|name| name.starts_with("/data/1/commit-stream-"));
        let produce_all = |expected: i64| {
            tell(&run, move |mut client| async move {
                for partition in 0..4 {
                    let produced = produce(&mut client, partition, 100).await;
                    assert_eq!(produced, (ErrorCode::None, expected), "seed {seed}");
                }
            });
        };
        tell(&run, |mut client| async move { create(&mut client, 4).await });
        produce_all(0);
        assert!(has_stream());
        run.nodes[0].crash();
        disk.fail_removals("/data/1/");
        start(&run);
        produce_all(1);
        match seed % 3 {
            0 => run.nodes[0].crash(),
            1 => run.nodes[0].kill(),
            _ => {
                assert!(run.nodes[0].begin_stop());
                assert!(
                    run.world.run_until(Duration::from_secs(30), || run.nodes[0].has_stopped())
                );
                let failure = run.nodes[0].failure().unwrap_or_default();
                assert!(failure.contains("not closed cleanly: /data/1."), "seed {seed}: {failure}");
                run.nodes[0].kill();
            }
        }
        assert!(has_stream());
        start(&run);
        produce_all(2);
        run.nodes[0].crash();
        disk.heal();
        start(&run);
        produce_all(3);
        run.nodes[0].kill();
        run.world.close();
    }
}
