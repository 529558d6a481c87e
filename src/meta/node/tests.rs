//! The node in a simulated world: starts, stops, crashes and disks that fail.

use super::*;
use crate::config::listeners::SecurityProtocol;
use crate::meta::{
    ControllerResponse,
    testing::{CLUSTER_ID, directory, topic},
};
use bytes::Bytes;
use protocol::ErrorCode;
use protocol::messages::{CreateTopicsRequest, CreateTopicsResponse, DeleteTopicsRequest};
use ring::sim::{NodeId, SimOptions, World};
use ring::sync::Notify;
use std::{
    cell::{Cell, RefCell},
    future::Future,
    time::Duration,
};

/// One node's machine, whose disk outlives its processes.
struct Machine {
    world: World,
    node: NodeId,
}

/// How long a test may take in virtual time.
const LIMIT: Duration = Duration::from_secs(600);

impl Machine {
    fn new(seed: u64) -> Self {
        let world = World::new(seed, SimOptions::default());
        let node = world.node("broker");
        Self { world, node }
    }

    /// Runs a process until `main` is done; the process goes on.
    fn run<T: 'static, F: Future<Output = T> + 'static>(
        &self,
        main: impl FnOnce(Ring) -> F + 'static,
    ) -> T {
        let result = Rc::new(RefCell::new(None));
        let slot = result.clone();
        self.world.start_core(self.node, 0, move |ring| async move {
            let output = main(ring).await;
            *slot.borrow_mut() = Some(output);
        });
        assert!(self.world.run_until(LIMIT, || result.borrow().is_some()), "the process hangs");
        result.take().expect("the process is done")
    }
}

fn after_bytes(after_bytes: u64) -> SnapshotsDue {
    SnapshotsDue { after_bytes, after: Duration::ZERO }
}

fn options(previous_broker_epoch: i64) -> MetaNodeOptions {
    MetaNodeOptions {
        metadata_dir: "/data".into(),
        reserve: None,
        directory_id: directory(1),
        log_start: LogStart::default(),
        known_partition: None,
        log_directories: vec![directory(1)],
        previous_broker_epoch,
        cluster_id: CLUSTER_ID.to_owned(),
        endpoints: vec![ListenerConfig {
            name: "PLAINTEXT".to_owned(),
            host: "localhost".to_owned(),
            port: 9092,
            security_protocol: SecurityProtocol::Plaintext,
        }],
        rack: None,
        settings: Arc::new(Settings {
            node_id: 1,
            num_partitions: 1,
            default_replication_factor: 1,
            delete_topic_enable: true,
            static_configs: Default::default(),
        }),
        segment_bytes: 1 << 20,
        snapshots_due: after_bytes(20 << 20),
    }
}

type Shown = Rc<RefCell<Vec<Arc<MetadataImage>>>>;

/// Starts a node; what it shows is gathered.
async fn start(ring: &Ring, options: MetaNodeOptions) -> Result<(MetaNode, Shown), MetaNodeError> {
    let names = Names {
        are_free: Box::new(|_| true),
        release: Box::new(|_| unreachable!("every name is free")),
    };
    start_with(ring, options, names).await
}

async fn start_with(
    ring: &Ring,
    options: MetaNodeOptions,
    names: Names,
) -> Result<(MetaNode, Shown), MetaNodeError> {
    let published = Rc::new(RefCell::new(Vec::new()));
    let sink = published.clone();
    let show: Show = Box::new(move |image, _| sink.borrow_mut().push(image));
    let loaded = MetaNode::load(ring, &options).await?;
    let hooks = Hooks { show, names };
    Ok((MetaNode::start(ring, options, loaded, hooks).await?, published))
}

async fn create(node: &MetaNode, name: &str, partitions: i32) -> ErrorCode {
    let request =
        CreateTopicsRequest { topics: vec![topic(name, partitions, 1)], ..Default::default() };
    match node.request(ControllerRequest::CreateTopics(request)).await.response {
        ControllerResponse::CreateTopics(CreateTopicsResponse { topics, .. }) => {
            ErrorCode::from_code(topics[0].error_code).unwrap()
        }
        other => panic!("{other:?}"),
    }
}

fn names(image: &MetadataImage) -> Vec<String> {
    image.topics.iter().map(|topic| topic.name.to_string()).collect()
}

#[test]
fn what_was_created_is_there_after_a_restart() {
    let machine = Machine::new(1);
    let before = machine.run(|ring| async move {
        let (node, published) = start(&ring, options(-1)).await.unwrap();
        assert_eq!(create(&node, "a", 2).await, ErrorCode::None);
        assert_eq!(
            names(published.borrow().last().unwrap()),
            ["a"],
            "published before it is answered"
        );
        assert_eq!(create(&node, "a", 1).await, ErrorCode::TopicAlreadyExists);
        let image = node.image();
        let shown = published.borrow().len();
        node.close().await.unwrap();
        assert_eq!(published.borrow().len(), shown, "the fence of a stop is not shown");
        assert_eq!(create(&node, "late", 1).await, ErrorCode::NotController);
        image
    });
    let broker_epoch = before.broker(1).unwrap().0.broker_epoch;
    assert_eq!(
        (before.metadata_version(), before.quorum.kraft_version, before.quorum.leader_id),
        (33, 1, 1)
    );
    assert!(before.broker(1).unwrap().is_active());

    // In order: leaders stay in their epochs.
    machine.world.kill(machine.node);
    let after = machine.run(move |ring| async move {
        start(&ring, options(broker_epoch)).await.unwrap().0.image()
    });
    assert_eq!(after.topics, before.topics);
    assert_eq!(after.quorum.leader_epoch, before.quorum.leader_epoch + 1);
    assert!(after.broker(1).unwrap().is_active());
    assert!(after.broker(1).unwrap().0.broker_epoch > broker_epoch);

    // Not in order: leaders begin new epochs.
    machine.world.crash(machine.node);
    let after =
        machine.run(|ring| async move { start(&ring, options(-1)).await.unwrap().0.image() });
    let partition = after.topics.by_name("a").unwrap().partition(1).unwrap().clone();
    assert_eq!((partition.leader, partition.leader_epoch, partition.partition_epoch), (1, 1, 1));
}

#[test]
fn a_formatted_directory_is_as_kafka_makes_it() {
    let machine = Machine::new(2);
    machine.run(|ring| async move {
        drop(start(&ring, options(-1)).await.unwrap());
        assert!(ring.read_file("/data/bootstrap.checkpoint", 4096).await.is_ok());
        let voters = ring
            .read_file(
                "/data/__cluster_metadata-0/00000000000000000000-0000000000.checkpoint",
                4096,
            )
            .await;
        let image = snapshot_file::decode(
            &voters.unwrap(),
            "00000000000000000000-0000000000.checkpoint".parse().unwrap(),
            "",
        );
        assert_eq!(image.unwrap().quorum.voters[0].directory_id, directory(1));
        let state = ring.read_file("/data/__cluster_metadata-0/quorum-state", 4096).await.unwrap();
        assert_eq!(
            QuorumState::decode(std::str::from_utf8(&state).unwrap()).unwrap().leader_epoch,
            1
        );
    });
}

mod formatted;

#[test]
fn snapshots_replace_the_log() {
    let machine = Machine::new(3);
    let small = |previous| MetaNodeOptions {
        snapshots_due: after_bytes(2000),
        segment_bytes: 4096,
        ..options(previous)
    };
    let (before, log_start) = machine.run(move |ring| async move {
        let (node, _) = start(&ring, small(-1)).await.unwrap();
        for number in 0..100 {
            assert_eq!(create(&node, &format!("t{number:03}"), 1).await, ErrorCode::None);
        }
        ring.sleep(Duration::from_secs(1)).await;
        (node.image(), node.log().log_start_offset())
    });
    let files = machine.world.disk(machine.node).file_names();
    let snapshots =
        files.iter().filter(|name| name.ends_with(".checkpoint") && !name.contains("bootstrap"));
    assert_eq!(snapshots.count(), 2, "{files:?}");
    assert!(log_start > 50, "the log begins at {log_start}");
    machine.world.crash(machine.node);
    let after =
        machine.run(move |ring| async move { start(&ring, small(-1)).await.unwrap().0.image() });
    assert_eq!(names(&after), names(&before));
    assert_eq!(after.metadata_version(), 33);
    assert_eq!(after.quorum.voters, before.quorum.voters);
}

/// `metadata.log.max.snapshot.interval.ms`: one, with the first record after that time.
#[test]
fn a_snapshot_is_due_with_the_first_record_after_its_interval() {
    let machine = Machine::new(4);
    let by_the_minute = SnapshotsDue { after_bytes: u64::MAX, after: Duration::from_secs(60) };
    machine.run(move |ring| async move {
        let options = MetaNodeOptions { snapshots_due: by_the_minute, ..options(-1) };
        let (node, _) = start(&ring, options).await.unwrap();
        for (number, pause_s) in [1, 61, 1, 1].into_iter().enumerate() {
            ring.sleep(Duration::from_secs(pause_s)).await;
            assert_eq!(create(&node, &format!("t{number}"), 1).await, ErrorCode::None);
        }
        ring.sleep(Duration::from_secs(1)).await;
    });
    let files = machine.world.disk(machine.node).file_names();
    let is_snapshot = |name: &&String| {
        name.ends_with(".checkpoint")
            && !name.contains("bootstrap")
            && !name.contains("00000000000000000000-0000000000")
    };
    assert_eq!(files.iter().filter(is_snapshot).count(), 1, "{files:?}");
}

#[test]
fn nothing_that_was_answered_is_lost_in_a_crash() {
    for seed in 0..20 {
        let machine = Machine::new(100 + seed);
        let acknowledged = Rc::new(RefCell::new(Vec::<String>::new()));
        for round in 0..4 {
            let answered = acknowledged.clone();
            let limits = MetaNodeOptions { snapshots_due: after_bytes(1500), ..options(-1) };
            machine.world.start_core(machine.node, 0, move |ring| async move {
                let (node, _) = start(&ring, limits).await.unwrap();
                let there = names(&node.image());
                for name in answered.borrow().iter() {
                    assert!(there.contains(name), "{name} was answered, and is gone");
                }
                for number in 0.. {
                    let name = format!("t-{round}-{number}");
                    assert_eq!(create(&node, &name, 1).await, ErrorCode::None);
                    answered.borrow_mut().push(name);
                }
            });
            let enough = 5 + (seed as usize * 7 + round) % 23;
            let (before, counted) = (acknowledged.borrow().len(), acknowledged.clone());
            assert!(
                machine.world.run_until(LIMIT, move || counted.borrow().len() >= before + enough)
            );
            machine.world.crash(machine.node);
        }
    }
}

#[test]
fn a_failed_sync_is_final() {
    let machine = Machine::new(4);
    let disk = machine.world.disk(machine.node);
    machine.run(move |ring| async move {
        let (node, published) = start(&ring, options(-1)).await.unwrap();
        assert_eq!(create(&node, "a", 1).await, ErrorCode::None);
        disk.fail_next_fsync();
        let count = published.borrow().len();
        assert_eq!(create(&node, "b", 1).await, ErrorCode::NotController);
        assert_eq!(create(&node, "c", 1).await, ErrorCode::NotController);
        assert_eq!(published.borrow().len(), count, "nothing is shown that may be lost");
        assert_eq!(names(&node.image()), ["a"]);
    });
}

/// Once the disk was full nothing changed any more until a restart, which brought back what had
/// been refused.
#[test]
fn a_request_that_could_not_be_written_leaves_no_trace() {
    for seed in 0..10 {
        let machine = Machine::new(40 + seed);
        let disk = machine.world.disk(machine.node);
        let healing = disk.clone();
        let segment_bytes = if seed % 2 == 0 { 1 << 20 } else { 16_384 };
        let small = move || MetaNodeOptions { segment_bytes, ..options(-1) };
        machine.run(move |ring| async move {
            let (node, published) = start(&ring, small()).await.unwrap();
            assert_eq!(create(&node, "a", 1).await, ErrorCode::None);
            let count = published.borrow().len();
            disk.fill();
            for _ in 0..3 {
                // More than the rest of a page.
                assert_eq!(
                    create(&node, "refused", 90).await,
                    ErrorCode::NotController,
                    "seed {seed}"
                );
            }
            assert_eq!(
                (names(&node.image()), published.borrow().len()),
                (vec!["a".to_owned()], count)
            );
            disk.set_capacity_bytes(1 << 30);
            assert_eq!(create(&node, "b", 90).await, ErrorCode::None, "seed {seed}");
            disk.set_open_files_max(0);
            create(&node, "maybe", 90).await;
            disk.heal();
            assert_eq!(create(&node, "c", 1).await, ErrorCode::None);
        });
        if seed % 3 == 0 {
            machine.world.kill(machine.node)
        } else {
            machine.world.crash(machine.node)
        }
        healing.heal();
        let after =
            machine.run(move |ring| async move { start(&ring, small()).await.unwrap().0.image() });
        let mut expected = names(&after);
        expected.retain(|name| name != "maybe");
        assert_eq!(expected, ["a", "b", "c"], "seed {seed}");
    }
}

/// The reserve is for what makes room, and for the next start.
#[test]
fn a_full_disk_deletes_topics_and_starts_again() {
    let machine = Machine::new(60);
    let disk = machine.world.disk(machine.node);
    let with_reserve = async |ring: &Ring| {
        ring.create_dir_all("/data").await.unwrap();
        let reserve = Reserve::open(ring, std::path::Path::new("/data")).await;
        (MetaNodeOptions { reserve: Some(reserve.clone()), ..options(-1) }, reserve)
    };
    let full = disk.clone();
    machine.run(move |ring| async move {
        let (options, reserve) = with_reserve(&ring).await;
        let (node, _) = start(&ring, options).await.unwrap();
        for number in 0..30 {
            assert_eq!(create(&node, &format!("t{number}"), 90).await, ErrorCode::None);
        }
        full.fill();
        assert_eq!(
            create(&node, "refused", 90).await,
            ErrorCode::NotController,
            "it is not for what takes room"
        );
        assert_eq!(reserve.size_bytes(), crate::limits::RESERVE_BYTES);
        for number in 0..30 {
            let request = DeleteTopicsRequest {
                topic_names: vec![format!("t{number}")],
                ..Default::default()
            };
            node.request(ControllerRequest::DeleteTopics { request, version: 5 }).await;
        }
        assert!(node.image().topics.is_empty());
    });
    for _ in 0..20 {
        machine.world.crash(machine.node);
        disk.fill();
        let left = machine.run(move |ring| async move {
            let (options, reserve) = with_reserve(&ring).await;
            let (node, _) = start(&ring, options).await.unwrap();
            assert!(node.image().topics.is_empty());
            // As the broker does when it has started.
            reserve.refill().await;
            reserve.size_bytes()
        });
        assert!(left > 0, "each start takes but little of it");
    }
}

#[test]
fn requests_take_turns() {
    let machine = Machine::new(5);
    machine.run(|ring| async move {
        let (node, _) = start(&ring, options(-1)).await.unwrap();
        let node = Rc::new(node);
        let creations = (0..10).map(|_| {
            let node = node.clone();
            ring.spawn(async move { create(&node, "same", 1).await })
        });
        let mut created = 0;
        for creation in creations.collect::<Vec<_>>() {
            match creation.await {
                ErrorCode::None => created += 1,
                code => assert_eq!(code, ErrorCode::TopicAlreadyExists),
            }
        }
        assert_eq!(created, 1);
        let request =
            DeleteTopicsRequest { topic_names: vec!["same".to_owned()], ..Default::default() };
        node.request(ControllerRequest::DeleteTopics { request, version: 5 }).await;
        assert!(node.image().topics.is_empty());
    });
}

/// A core that has applied the metadata up to the offset of an answer finds what it tells.
#[test]
fn an_answer_tells_what_it_rests_on() {
    let machine = Machine::new(8);
    machine.run(|ring| async move {
        let (node, shown) = start(&ring, options(-1)).await.unwrap();
        let request = || {
            let topics = vec![topic("a", 1, 1)];
            ControllerRequest::CreateTopics(CreateTopicsRequest { topics, ..Default::default() })
        };
        let before = node.image().provenance.offset;
        let (made, refused) =
            (node.request(request()).await.offset, node.request(request()).await.offset);
        assert!(made > before);
        assert_eq!((made, refused), (node.image().provenance.offset, made));
        assert_eq!(shown.borrow().last().unwrap().provenance.offset, made);
    });
}

/// What a deleted topic has left may take long to go: that is nothing to other requests.
#[test]
fn a_name_that_is_not_free_holds_up_its_own_creation_alone() {
    let machine = Machine::new(9);
    machine.run(|ring| async move {
        let (is_free, freed) = (Rc::new(Cell::new(false)), Rc::new(Notify::default()));
        let (known, asked, woken) = (is_free.clone(), is_free.clone(), freed.clone());
        let names = Names {
            are_free: Box::new(move |names| known.get() || !names.contains(&"held".to_owned())),
            release: Box::new(move |names| {
                assert_eq!(names, ["held"]);
                let (asked, woken) = (asked.clone(), woken.clone());
                Box::pin(async move {
                    woken.wait_until(|| asked.get()).await;
                    Ok(())
                })
            }),
        };
        let (node, _) = start_with(&ring, options(-1), names).await.unwrap();
        let node = Rc::new(node);
        let (task, is_held) = (node.clone(), Rc::new(Cell::new(true)));
        let still = is_held.clone();
        let held = ring.spawn(async move {
            let made = create(&task, "held", 1).await;
            still.set(false);
            made
        });
        ring.sleep(Duration::from_secs(1)).await;
        assert_eq!(create(&node, "other", 1).await, ErrorCode::None);
        assert!(is_held.get() && crate::meta::node::tests::names(&node.image()) == ["other"]);
        is_free.set(true);
        freed.notify();
        assert_eq!(held.await, ErrorCode::None);
        assert_eq!(crate::meta::node::tests::names(&node.image()), ["held", "other"]);
    });
}

/// Log, quorum and publisher are all that a node without a controller has.
#[test]
fn what_is_committed_is_shown_without_a_controller() {
    let machine = Machine::new(10);
    machine.run(|ring| async move {
        let loaded = MetaNode::load(&ring, &options(-1)).await.unwrap();
        let LoadedMeta { store, voter, opening, replay, record_bytes, last_epoch, .. } = loaded;
        store.format(&voter).await.unwrap();
        let log =
            MetadataLog::open(&ring, store, opening, false, record_bytes, after_bytes(u64::MAX));
        let log = Rc::new(log.await.unwrap());
        let (image, end_offset) = (replay.image().clone(), log.end_offset());
        let quorum = Quorum::lead(&ring, log.clone(), 1, last_epoch, &image).await.unwrap();
        let quorum = Rc::new(quorum);
        assert_eq!((quorum.epoch(), quorum.leader(), quorum.is_leader()), (1, Some(1), true));
        let shown = Shown::default();
        let sink = shown.clone();
        let show: Show = Box::new(move |image, _| sink.borrow_mut().push(image));
        let publisher = Publisher::start(&ring, log, quorum.clone(), (replay, end_offset), show);
        let level = crate::meta::features::LATEST_METADATA_VERSION;
        let batches = quorum.encode(&bootstrap::bootstrap_records(), level);
        let before = quorum.append(0, batches.clone(), log::Room::Reserve).await;
        assert!(matches!(before, Err(MetaNodeError::NotLeader(_))), "of an epoch that is over");
        let offset = quorum.append(1, batches, log::Room::Reserve).await.unwrap();
        assert_eq!(quorum.committed(offset).await, Ok(()));
        assert_eq!(quorum.high_watermark(), offset + 1);
        publisher.replayed(offset).await;
        let last = shown.borrow().last().unwrap().clone();
        assert_eq!((last.provenance.offset, last.metadata_version()), (offset, level));
        assert!(check_voters(&last, 1).is_ok() && check_voters(&last, 2).is_err());
    });
}

#[test]
fn a_directory_of_other_voters_is_left_alone() {
    let machine = Machine::new(6);
    machine.run(|ring| async move {
        drop(start(&ring, options(-1)).await.unwrap());
    });
    machine.world.kill(machine.node);
    machine.run(|ring| async move {
        let mut other = options(-1);
        Arc::get_mut(&mut other.settings).unwrap().node_id = 2;
        match start(&ring, other).await {
            Err(MetaNodeError::OtherVoters { voters, node_id: 2 }) => assert_eq!(voters, [1]),
            other => panic!("{:?}", other.map(drop)),
        }
    });
}

#[test]
fn damage_is_told_and_nothing_starts() {
    let machine = Machine::new(7);
    machine.run(|ring| async move {
        let (node, _) = start(&ring, options(-1)).await.unwrap();
        node.close().await.unwrap();
    });
    let metadata = "/data/__cluster_metadata-0";
    for (file, position) in
        [("00000000000000000000-0000000000.checkpoint", 90), ("quorum-state", 3)]
    {
        machine.world.kill(machine.node);
        let path = format!("{metadata}/{file}");
        machine.world.disk(machine.node).flip_bit(&path, position).unwrap();
        let error = machine
            .run(|ring| async move { start(&ring, options(-1)).await.map(drop).unwrap_err() });
        assert!(
            matches!(error, MetaNodeError::Snapshot { .. } | MetaNodeError::QuorumState { .. }),
            "{error}"
        );
        machine.world.disk(machine.node).flip_bit(&path, position).unwrap();
    }
}

/// The files of the node's disk.
fn disk_of(machine: &Machine) -> Vec<(String, Vec<u8>)> {
    let disk = machine.world.disk(machine.node);
    disk.file_names()
        .into_iter()
        .map(|name| (name.clone(), disk.read_raw(&name).unwrap()))
        .collect()
}

/// Whatever is done to the log's file, and however the run before has ended: no start makes an
/// empty cluster of it, and none changes a file.
#[test]
fn a_harmed_metadata_log_refuses_each_start_and_every_file_stays() {
    const LOG: &str = "/data/__cluster_metadata-0/00000000000000000000.log";
    const HARMS: [&str; 6] = ["flip", "flip the last", "cut", "empty", "delete", "delete all"];
    for closed in [true, false] {
        for (number, harm) in HARMS.into_iter().enumerate() {
            let machine = Machine::new(20 + number as u64);
            let recovery_point = machine.run(move |ring| async move {
                let (node, _) = start(&ring, options(-1)).await.unwrap();
                for name in ["a", "b", "c"] {
                    assert_eq!(create(&node, name, 1).await, ErrorCode::None);
                }
                if closed {
                    node.close().await.unwrap();
                    return node.log().recovery_point();
                }
                node.recovery_point().await
            });
            machine.world.kill(machine.node);
            let content = machine.world.disk(machine.node).read_raw(LOG).unwrap();
            machine.run(move |ring| async move {
                let mut content = content;
                let middle = content.len() / 2;
                match harm {
                    "flip" => content[middle] ^= 4,
                    "flip the last" => *content.last_mut().unwrap() ^= 4,
                    "cut" => content.truncate(middle),
                    _ => content.clear(),
                }
                ring.unlink(LOG).await.unwrap();
                if harm == "delete all" {
                    for entry in ring.read_dir("/data/__cluster_metadata-0").await.unwrap() {
                        ring.unlink(format!("/data/__cluster_metadata-0/{}", entry.name))
                            .await
                            .unwrap();
                    }
                    ring.remove_dir("/data/__cluster_metadata-0").await.unwrap();
                } else if harm != "delete" {
                    let file = ring.open(LOG, ring::OpenOptions::write()).await.unwrap();
                    ring.write_at(&file, vec![content.into()], 0).await.unwrap();
                }
            });
            let before = disk_of(&machine);
            // With and without what the checkpoint says: a folder of a topic is left in any case.
            for recovery_point in [recovery_point, recovery_point, 0, 0] {
                if recovery_point == 0 && ["cut", "flip the last"].contains(&harm) {
                    continue;
                }
                machine.world.kill(machine.node);
                let error = machine.run(move |ring| async move {
                    let log_start =
                        LogStart { clean: closed, recovery_point, ..LogStart::default() };
                    let known_partition = Some("/data/a-0".into());
                    let options = MetaNodeOptions { log_start, known_partition, ..options(-1) };
                    start(&ring, options).await.map(drop).err()
                });
                assert!(
                    error.is_some(),
                    "{harm}, closed: {closed}, recovery point {recovery_point}: it starts"
                );
                assert_eq!(
                    disk_of(&machine),
                    before,
                    "{harm}, closed: {closed}, recovery point {recovery_point}"
                );
            }
        }
    }
}

/// For Kafka's tools: `MILLSTREAM_METADATA_DIR=DIR cargo test writes_a_directory_for_kafka --
/// --ignored`, then `kafka-dump-log --cluster-metadata-decoder --files
/// DIR/__cluster_metadata-0/*.log`.
#[test]
#[ignore = "writes to the folder that MILLSTREAM_METADATA_DIR names"]
fn writes_a_directory_for_kafka() {
    let path =
        std::env::var("MILLSTREAM_METADATA_DIR").expect("MILLSTREAM_METADATA_DIR names a folder");
    let core = ring::CoreOptions {
        name: "metadata".to_owned(),
        index: 0,
        cpu: None,
        backend: ring::BackendKind::Epoll,
        spin: Duration::ZERO,
    };
    let image = ring::run(core, move |ring| async move {
        let limits = MetaNodeOptions {
            metadata_dir: path.into(),
            snapshots_due: after_bytes(4000),
            ..options(-1)
        };
        let (node, _) = start(&ring, limits).await.unwrap();
        for number in 0..20 {
            create(&node, &format!("t{number}"), 2).await;
        }
        ring.sleep(Duration::from_millis(200)).await;
        node.close().await.unwrap();
        node.image()
    });
    assert!(image.unwrap().topics.by_name("t19").is_some());
}
