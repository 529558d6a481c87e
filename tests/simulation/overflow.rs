//! One core is off its processor while the others have more for it than its mailboxes hold.

use crate::{
    client::{Client, Pending},
    cluster::ClusterId,
    journal,
    plan::{Plan, Variation},
    run::Run,
};
use protocol::{
    generated::rpc::{
        create_topics_request::CreatableTopic,
        produce_request::{PartitionProduceData, TopicProduceData},
    },
    messages::{CreateTopicsRequest, ProduceRequest, ProduceResponse},
    records::BatchBuilder,
};
use ring::sim::SimOptions;
use std::{cell::Cell, rc::Rc, time::Duration};

const CORES: usize = 2;
const PARTITIONS: i32 = 8;
/// On each core about half of them, which have more for the other core than the 1024 messages that
/// its mailbox holds.
const CONNECTIONS: usize = 16;
const REQUESTS: usize = 480;
const PRODUCE_VERSION: i16 = 12;
/// A client gives up after four seconds.
const OFF: Duration = Duration::from_secs(2);
const LIMIT: Duration = Duration::from_secs(60);

fn started(seed: u64) -> Rc<Run> {
    journal::begin(false);
    let mut plan = Plan::new(seed, Variation::OsDurability);
    (plan.options, plan.faults) = (SimOptions::calm(), Vec::new());
    let node = &mut plan.nodes[0];
    (node.cores, node.log_dirs, node.properties) = (CORES, 1, Vec::new());
    let set = [("admin.listener", ""), ("max.connections", "1000")];
    plan.properties =
        set.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let run = Run::of(seed, plan);
    run.nodes[0].start();
    assert!(run.world.run_until(LIMIT, || run.nodes[0].is_ready()), "{:?}", run.nodes[0].failure());
    run
}

async fn create(client: &mut Client) {
    let topic = CreatableTopic {
        name: "crowded".to_owned(),
        num_partitions: PARTITIONS,
        replication_factor: 1,
        ..Default::default()
    };
    let request =
        CreateTopicsRequest { topics: vec![topic], timeout_ms: 10_000, ..Default::default() };
    let response = client.call(7, &request).await.expect("an answer");
    assert_eq!(response.topics[0].error_code, 0);
}

async fn send(client: &mut Client, partition: i32) -> Pending {
    let mut builder = BatchBuilder::new(0);
    builder.append(client.ring.wall_clock_ms(), None, Some(b"small"), &[]);
    let data = PartitionProduceData { index: partition, records: Some(builder.build()) };
    let topic = TopicProduceData {
        name: "crowded".to_owned(),
        partition_data: vec![data],
        ..Default::default()
    };
    let request = ProduceRequest {
        transactional_id: None,
        acks: -1,
        timeout_ms: 30_000,
        topic_data: vec![topic],
    };
    client.send(PRODUCE_VERSION, &request).await.expect("it is sent")
}

/// Sends everything, then waits for the answers; how many were acknowledged.
async fn crowd(mut client: Client, index: usize, acknowledged: Rc<Cell<usize>>) {
    let mut pending = Vec::new();
    for number in 0..REQUESTS {
        pending.push(send(&mut client, ((index + number) % PARTITIONS as usize) as i32).await);
    }
    for pending in pending {
        let Ok(response) = client.receive::<ProduceResponse>(pending).await else { return };
        let is_taken = response.responses[0].partition_responses[0].error_code == 0;
        acknowledged.set(acknowledged.get() + usize::from(is_taken));
    }
}

fn overflown(seed: u64) -> (Rc<Run>, Rc<Cell<usize>>) {
    let run = started(seed);
    let (ready, acknowledged) = (Rc::new(Cell::new(false)), Rc::new(Cell::new(0)));
    let flag = ready.clone();
    run.spawn(ClusterId::FIRST, "creator".to_owned(), move |run: Rc<Run>, ring| async move {
        create(&mut Client::new(&run, &ring, ClusterId::FIRST, "creator".to_owned())).await;
        flag.set(true);
    });
    assert!(run.world.run_until(LIMIT, || ready.get()));
    for index in 0..CONNECTIONS {
        let count = acknowledged.clone();
        run.spawn(
            ClusterId::FIRST,
            format!("crowd {index}"),
            move |run: Rc<Run>, ring| async move {
                let mut client =
                    Client::new(&run, &ring, ClusterId::FIRST, format!("crowd {index}"));
                // The connection is made before the core stands still.
                let first = send(&mut client, 0).await;
                client.receive::<ProduceResponse>(first).await.expect("an answer");
                client.ring.sleep(Duration::from_millis(400)).await;
                crowd(client, index, count).await;
            },
        );
    }
    run.world.run_for(Duration::from_millis(300));
    run.world.pause_core(run.nodes[0].node, (seed % CORES as u64) as usize, true);
    run.world.run_for(OFF);
    (run, acknowledged)
}

#[test]
fn a_mailbox_that_overflows_loses_nothing() {
    for seed in 0..4 {
        let (run, acknowledged) = overflown(seed);
        run.world.pause_core(run.nodes[0].node, (seed % CORES as u64) as usize, false);
        let all = CONNECTIONS * REQUESTS;
        let done = run.world.run_until(LIMIT, || acknowledged.get() == all);
        assert!(
            done,
            "seed {seed}: {} of {all} were answered, {:?}",
            acknowledged.get(),
            run.nodes[0].failure()
        );
        run.world.close();
    }
}

#[test]
fn a_broker_stops_while_a_mailbox_overflows() {
    for seed in 0..4 {
        let (run, _) = overflown(seed);
        assert!(run.nodes[0].begin_stop(), "seed {seed}");
        run.world.run_for(Duration::from_millis(100 * seed));
        run.world.pause_core(run.nodes[0].node, (seed % CORES as u64) as usize, false);
        let stopped = run.world.run_until(LIMIT, || run.nodes[0].has_stopped());
        assert!(stopped, "seed {seed}: it does not stop");
        assert_eq!(run.nodes[0].failure(), None, "seed {seed}");
        run.world.close();
    }
}
