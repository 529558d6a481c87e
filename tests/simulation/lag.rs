//! A core that stands still holds up no other one's clients: what they are answered, what waits for
//! it, and what it finds when it goes on. Each test is one story in calm weather.

use crate::{
    apart::{planned, started_with, tell},
    client::Client,
    cluster::{ClusterId, METADATA_VERSION, metadata_of_all},
};
use protocol::{
    ErrorCode,
    generated::rpc::{
        create_topics_request::CreatableTopic,
        delete_topics_request::DeleteTopicState,
        incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig},
    },
    messages::{CreateTopicsRequest, DeleteTopicsRequest, IncrementalAlterConfigsRequest},
};
use std::{cell::Cell, rc::Rc, time::Duration};

/// Longer than anything takes here that does not wait for the other core, and short enough that a
/// client is still patient.
const LONG: Duration = Duration::from_millis(700);
const TOPIC_RESOURCE: i8 = 2;

async fn create(client: &mut Client, name: &str, timeout_ms: i32) -> ErrorCode {
    let topic = CreatableTopic {
        name: name.to_owned(),
        num_partitions: 1,
        replication_factor: 1,
        ..Default::default()
    };
    let request = CreateTopicsRequest { topics: vec![topic], timeout_ms, validate_only: false };
    let response = client.call(7, &request).await.expect("an answer");
    ErrorCode::from_code(response.topics[0].error_code).expect("a code of Kafka's")
}

async fn delete(client: &mut Client, name: &str, timeout_ms: i32) -> ErrorCode {
    let topics = vec![DeleteTopicState { name: Some(name.to_owned()), ..Default::default() }];
    let request = DeleteTopicsRequest { topics, timeout_ms, ..Default::default() };
    let response = client.call(6, &request).await.expect("an answer");
    ErrorCode::from_code(response.responses[0].error_code).expect("a code of Kafka's")
}

async fn alter(client: &mut Client, topic: &str, retention_ms: i32) {
    let config = AlterableConfig {
        name: "retention.ms".to_owned(),
        config_operation: 0,
        value: Some(retention_ms.to_string()),
    };
    let resource = AlterConfigsResource {
        resource_type: TOPIC_RESOURCE,
        resource_name: topic.to_owned(),
        configs: vec![config],
    };
    let request =
        IncrementalAlterConfigsRequest { resources: vec![resource], validate_only: false };
    let response = client.call(1, &request).await.expect("an answer");
    assert_eq!(response.responses[0].error_code, 0);
}

async fn names(client: &mut Client) -> Vec<String> {
    let response = client.call(METADATA_VERSION, &metadata_of_all()).await.expect("an answer");
    let mut names: Vec<String> =
        response.topics.into_iter().filter_map(|topic| topic.name).collect();
    names.sort();
    names
}

/// Four clients, two on each core, of which the second core stands still: those of the first.
async fn clients_of_the_first_core(first: Client, answered: &Rc<Cell<usize>>) -> Vec<Client> {
    let (run, ring) = (first.run.clone(), first.ring.clone());
    let mut clients = vec![first];
    for number in 1..4 {
        let name = format!("client {number}");
        clients.push(Client::new(&run, &ring, ClusterId::FIRST, name));
    }
    for client in &mut clients {
        names(client).await;
    }
    run.world.pause_core(run.nodes[0].node, 1, true);
    let served = Rc::new(std::cell::RefCell::new(Vec::new()));
    for (number, mut client) in clients.into_iter().enumerate() {
        let (served, answered) = (served.clone(), answered.clone());
        drop(ring.spawn(async move {
            alter(&mut client, "t0", 1_000_000 + number as i32).await;
            answered.set(answered.get() + 1);
            served.borrow_mut().push(client);
        }));
    }
    ring.sleep(LONG).await;
    assert_eq!(answered.get(), 2, "the clients of the core that goes on are answered");
    served.take()
}

/// A broker is unfenced in the metadata before all of its cores know that: none serves then.
#[test]
fn a_start_waits_for_every_core() {
    for seed in 0..5 {
        let run = planned(seed, 2, 1, &[]);
        let node = &run.nodes[0];
        node.start();
        let disk = run.world.disk(node.node);
        let leads = || disk.file_names().iter().any(|name| name.ends_with("/quorum-state"));
        assert!(run.world.run_until(Duration::from_secs(5), leads), "{:?}", node.failure());
        run.world.pause_core(node.node, 1, true);
        assert!(!run.world.run_until(Duration::from_secs(5), || node.is_ready()), "seed {seed}");
        run.world.pause_core(node.node, 1, false);
        assert!(run.world.run_until(Duration::from_secs(5), || node.is_ready()), "seed {seed}");
        run.world.close();
    }
}

#[test]
fn a_core_that_stands_still_holds_up_no_other() {
    for seed in 0..5 {
        let run = started_with(seed, 2, 1, &[]);
        tell(&run, move |mut client| async move {
            let (run, ring) = (client.run.clone(), client.ring.clone());
            // Topics go to the cores in turns: the second one is the second core's.
            for name in ["t0", "t1"] {
                assert_eq!(create(&mut client, name, 10_000).await, ErrorCode::None);
            }
            let answered = Rc::new(Cell::new(0));
            let mut clients = clients_of_the_first_core(client, &answered).await;
            let mut near = clients.pop().expect("two clients");
            // What is made on the core that goes on is answered, what is not says that it takes
            // longer. Nothing of it waits for the next one.
            for (number, expected) in [ErrorCode::None, ErrorCode::RequestTimedOut, ErrorCode::None]
                .into_iter()
                .enumerate()
            {
                let made = create(&mut near, &format!("new-{number}"), 100).await;
                assert_eq!(made, expected, "seed {seed}, topic {number}");
                alter(&mut near, "t0", 2_000_000).await;
            }
            let all = ["new-0", "new-1", "new-2", "t0", "t1"];
            assert_eq!(names(&mut near).await, all, "what was told is there");
            assert_eq!(answered.get(), 2);
            run.world.pause_core(run.nodes[0].node, 1, false);
            ring.sleep(LONG).await;
            assert_eq!(answered.get(), 4, "the others are answered when their core goes on");
            let mut late = Client::new(&run, &ring, ClusterId::FIRST, "late".to_owned());
            let mut later = Client::new(&run, &ring, ClusterId::FIRST, "later".to_owned());
            assert_eq!(names(&mut late).await, all);
            assert_eq!(names(&mut later).await, all);
        });
        assert_eq!(run.violated(), None, "seed {seed}");
        run.world.close();
    }
}

/// The folder of the deleted topic is there as long as its core stands still.
#[test]
fn a_name_is_used_again_when_the_core_that_had_it_has_let_it_go() {
    for seed in 0..5 {
        let run = started_with(seed, 2, 1, &[]);
        tell(&run, move |mut client| async move {
            let (run, ring) = (client.run.clone(), client.ring.clone());
            for name in ["t0", "t1"] {
                assert_eq!(create(&mut client, name, 10_000).await, ErrorCode::None);
            }
            let answered = Rc::new(Cell::new(0));
            let mut clients = clients_of_the_first_core(client, &answered).await;
            let (mut near, mut other) = (clients.pop().expect("two"), clients.pop().expect("two"));
            let deleted = delete(&mut near, "t1", 100).await;
            assert_eq!(deleted, ErrorCode::RequestTimedOut, "its core has not let it go");
            assert_eq!(names(&mut near).await, ["t0"]);
            let made = Rc::new(Cell::new(None));
            let slot = made.clone();
            drop(ring.spawn(async move {
                slot.set(Some(create(&mut near, "t1", 10_000).await));
            }));
            ring.sleep(LONG).await;
            assert_eq!(made.get(), None, "seed {seed}: made beside the files of the deleted one");
            alter(&mut other, "t0", 3_000_000).await;
            assert_eq!(names(&mut other).await, ["t0"]);
            run.world.pause_core(run.nodes[0].node, 1, false);
            ring.sleep(LONG).await;
            assert_eq!(made.get(), Some(ErrorCode::None), "seed {seed}");
            assert_eq!(names(&mut other).await, ["t0", "t1"]);
            let disk = run.world.disk(run.nodes[0].node);
            let is_set_aside = |name: &String| name.contains("-stray");
            assert!(!disk.file_names().iter().any(is_set_aside), "{:?}", disk.file_names());
        });
        assert_eq!(run.violated(), None, "seed {seed}");
        run.world.close();
    }
}
