//! A whole broker over the wire: producers inside of transactions, and read_committed consumers.

pub mod wire;

use crate::limits;
use protocol::{
    ErrorCode,
    messages::{
        DeleteTopicsRequest, InitProducerIdRequest, ListTransactionsRequest, ProduceRequest,
        UpdateFeaturesRequest, delete_topics_request::DeleteTopicState,
        update_features_request::FeatureUpdateKey,
    },
};
use ring::sim::{DiskControl, SimOptions, World};
use std::{collections::BTreeSet, time::Duration};
use wire::{
    CORES, Client, FETCH, Fetch, Producer, STATE_TOPIC, TOPIC, aborted, directory_of, heard,
    offsets, run_client, start, state_partition, tell,
};

const NONE: ErrorCode = ErrorCode::None;
/// A long poll that is not woken looks again after [`limits::FETCH_WATCH_MS`].
const COMMITTED: Fetch = Fetch { read_committed: true, max_wait_ms: 100_000, ..FETCH };

async fn pause(client: &Client) {
    client.ring.sleep(Duration::from_millis(200)).await;
}

/// Of a client that adds its partitions itself (Produce before version 12).
#[test]
fn an_old_client_adds_its_partitions_before_it_writes() {
    tell(&[], |client, _| async move {
        client.create_topic(2).await;
        let mut producer = client.init("old").await;
        for (version, error) in
            [(11, ErrorCode::TransactionAbortable), (10, ErrorCode::InvalidTxnState)]
        {
            assert_eq!(client.produce(version, &producer.one(0, 0)).await, [(error, -1)]);
        }
        assert_eq!(client.high_watermark(TOPIC, 0).await, 0, "nothing is in the log");
        assert_eq!(client.add_partitions(&producer, &[0]).await, [NONE]);
        assert_eq!(client.produce(11, &producer.one(0, 0)).await, [(NONE, 0)]);
        assert_eq!(client.produce(11, &producer.one(0, 1)).await, [(NONE, 1)]);
        assert_eq!(client.produce(11, &producer.one(0, 0)).await, [(NONE, 0)], "a repeat");
        let other = client.produce(11, &producer.one(1, 0)).await;
        assert_eq!(other, [(ErrorCode::TransactionAbortable, -1)], "it was not added");
        assert_eq!(client.end(4, &mut producer, true).await, NONE);
        pause(&client).await;
        let late = client.produce(11, &producer.one(0, 2)).await;
        assert_eq!(late, [(ErrorCode::TransactionAbortable, -1)], "of no transaction");
    });
}

#[test]
fn without_verification_an_old_client_is_believed() {
    let off = [("transaction.partition.verification.enable", "false")];
    tell(&off, |client, _| async move {
        client.create_topic(1).await;
        let producer = client.init("old").await;
        assert_eq!(client.produce(11, &producer.one(0, 0)).await, [(NONE, 0)]);
    });
}

#[test]
fn a_read_committed_consumer_is_woken_by_the_end_of_the_transaction() {
    tell(&[], |client, _| async move {
        client.create_topic(1).await;
        let mut producer = client.init("woken").await;
        let consumer = client.another().await;
        let mut sequence = 0;
        // Two data batches and a marker each.
        for (committed, first) in [(true, 0), (false, 3)] {
            client.add_partitions(&producer, &[0]).await;
            for _ in 0..2 {
                let appended = client.produce(11, &producer.one(0, sequence)).await;
                assert_eq!(appended[0].0, NONE);
                sequence += 1;
            }
            let seen = client.fetch(Fetch { max_wait_ms: 0, offset: first, ..COMMITTED }).await;
            assert_eq!((seen.last_stable_offset, seen.high_watermark), (first, first + 2));
            assert_eq!(offsets(&seen), [0; 0], "nothing of an open transaction is read");
            let all = client.fetch(Fetch { offset: first, ..FETCH }).await;
            assert_eq!(offsets(&all), [first, first + 1], "read_uncommitted");
            let (began, ring) = (client.ring.now(), client.ring.clone());
            let poll = async {
                let data = consumer.fetch(Fetch { offset: first, ..COMMITTED }).await;
                (data, ring.now())
            };
            let end = async {
                pause(&client).await;
                client.end(4, &mut producer, committed).await
            };
            let ((data, woken), ended) = join(poll, end).await;
            assert_eq!(ended, NONE);
            let waited = woken.since(began);
            assert!(waited < Duration::from_millis(limits::FETCH_WATCH_MS), "{waited:?}");
            assert_eq!(offsets(&data), [first, first + 1, first + 2]);
            assert_eq!(data.last_stable_offset, first + 3);
            let expected = if committed { vec![] } else { vec![(producer.id, first)] };
            assert_eq!(aborted(&data), expected);
        }
        let whole = client.fetch(COMMITTED).await;
        assert_eq!(offsets(&whole), [0, 1, 2, 3, 4, 5]);
        assert_eq!(aborted(&whole), [(producer.id, 3)]);
    });
}

/// An open transaction holds back what others commit behind it.
#[test]
fn the_oldest_open_transaction_decides_what_is_stable() {
    tell(&[], |client, _| async move {
        client.create_topic(1).await;
        let (mut older, mut newer) = (client.init("older").await, client.init("newer").await);
        assert_eq!(client.produce(12, &older.one(0, 0)).await, [(NONE, 0)]);
        assert_eq!(client.produce(12, &newer.one(0, 0)).await, [(NONE, 1)]);
        assert_eq!(client.end(5, &mut newer, true).await, NONE);
        pause(&client).await;
        let seen = client.fetch(Fetch { max_wait_ms: 0, ..COMMITTED }).await;
        assert_eq!((seen.last_stable_offset, seen.high_watermark), (0, 3));
        assert_eq!(offsets(&seen), [0; 0]);
        assert_eq!((client.latest(true).await, client.latest(false).await), (0, 3));
        assert_eq!(client.end(5, &mut older, false).await, NONE);
        let seen = client.fetch(COMMITTED).await;
        assert_eq!(offsets(&seen), [0, 1, 2, 3]);
        assert_eq!((seen.last_stable_offset, aborted(&seen)), (4, vec![(older.id, 0)]));
        assert_eq!((client.latest(true).await, client.latest(false).await), (4, 4));
    });
}

#[test]
fn a_newer_client_adds_all_partitions_of_a_core_with_one_record() {
    tell(&[], |client, _| async move {
        client.create_topic(8).await;
        let mut producer = client.init("new").await;
        let state = state_partition("new");
        let all = |producer: &Producer, sequence| {
            let record = |partition| (partition, producer.record(sequence));
            producer.request((0..8).map(record).collect())
        };
        let before = client.high_watermark(STATE_TOPIC, state).await;
        assert_eq!(client.produce(12, &all(&producer, 0)).await, [(NONE, 0); 8]);
        let added = client.high_watermark(STATE_TOPIC, state).await - before;
        assert!((1..=CORES as i64).contains(&added), "{added} records");
        assert_eq!(client.produce(12, &all(&producer, 1)).await, [(NONE, 1); 8]);
        let again = client.high_watermark(STATE_TOPIC, state).await - before;
        assert_eq!(again, added, "what is open is not asked about");
        let old = producer;
        assert_eq!(client.end(5, &mut producer, true).await, NONE);
        assert_eq!(producer.epoch, old.epoch + 1);
        // The markers are on their way still: the broker asks again, not the client.
        let next = client.produce(12, &all(&producer, 0)).await;
        assert_eq!(next, [(NONE, 3); 8], "behind two batches and a marker");
        let fenced = client.produce(12, &all(&old, 2)).await;
        assert_eq!(fenced, [(ErrorCode::InvalidProducerEpoch, -1); 8]);
        assert_eq!(client.end(5, &mut producer, false).await, NONE);
    });
}

#[test]
fn requests_on_their_way_keep_their_order_while_the_coordinator_is_asked() {
    tell(&[], |client, _| async move {
        client.create_topic(2).await;
        let producer = client.init("ordered").await;
        let mut sent = Vec::new();
        for sequence in 0..5 {
            let record = |partition| (partition, producer.record(sequence));
            let request = producer.request((0..2).map(record).collect());
            sent.push(client.send(&request, 12).await);
        }
        for (offset, correlation_id) in sent.into_iter().enumerate() {
            let answer = client.receive::<ProduceRequest>(correlation_id, 12).await;
            assert_eq!(heard(&answer), [(NONE, offset as i64); 2]);
        }
    });
}

#[test]
fn what_a_transaction_may_not_hold_is_refused() {
    tell(&[], |client, _| async move {
        client.create_topic(2).await;
        let producer = client.init("mine").await;
        let other = client.init("other").await;
        let two = producer.request(vec![(0, producer.record(0)), (1, other.record(0))]);
        let mapping = ErrorCode::InvalidProducerIdMapping;
        assert_eq!(client.produce(12, &two).await, [(mapping, -1); 2], "two producers");
        let foreign = producer.request(vec![(0, other.record(0))]);
        assert_eq!(client.produce(12, &foreign).await, [(mapping, -1)], "another's producer id");
        let unnamed = ProduceRequest { transactional_id: None, ..producer.one(0, 0) };
        let denied = ErrorCode::TransactionalIdAuthorizationFailed;
        assert_eq!(client.produce(12, &unnamed).await, [(denied, -1)]);
        let outside = crate::log::tests::batch(1_000, &[b"outside"]).build();
        let mixed = producer.request(vec![(0, producer.record(0)), (1, outside)]);
        assert_eq!(client.produce(12, &mixed).await, [(NONE, 0); 2], "one inside, one outside");
        let seen = client.fetch(Fetch { partition: 1, ..COMMITTED }).await;
        assert_eq!(offsets(&seen), [0], "what is outside is stable at once");
    });
}

#[test]
fn what_wants_no_reply_is_verified_too() {
    tell(&[], |client, _| async move {
        client.create_topic(1).await;
        let mut producer = client.init("silent").await;
        let silent = |producer: &Producer| ProduceRequest { acks: 0, ..producer.one(0, 0) };
        let refused = client.another().await;
        refused.send(&silent(&producer), 11).await;
        assert!(refused.is_closed_by_broker().await, "it was not added");
        client.send(&silent(&producer), 12).await;
        // What wants no reply is not waited for by the next request of its connection.
        while client.high_watermark(TOPIC, 0).await == 0 {
            pause(&client).await;
        }
        assert_eq!(client.end(5, &mut producer, true).await, NONE, "it was added");
        let seen = client.fetch(COMMITTED).await;
        assert_eq!(offsets(&seen), [0, 1]);
    });
}

/// The log directory that may hang: the other one has the metadata.
const HUNG: &str = "/data/1";

/// A producer whose coordinator's log lies there, and a partition that does not.
async fn apart(client: &Client, disk: &DiskControl) -> (Producer, i32) {
    client.init("any").await;
    let is_hung = |id: &&str| directory_of(disk, STATE_TOPIC, state_partition(id)) == HUNG;
    let id = ["a", "b", "c", "d"].into_iter().find(is_hung).expect("both directories have some");
    let partition = (0..8).find(|one| directory_of(disk, TOPIC, *one) != HUNG);
    (client.init(id).await, partition.expect("there are two log directories"))
}

#[test]
fn a_coordinator_that_does_not_answer_is_waited_for_until_the_deadline() {
    tell(&[], |client, disk| async move {
        client.create_topic(8).await;
        let (producer, partition) = apart(&client, &disk).await;
        disk.hang_below(HUNG, true);
        let short = ProduceRequest { timeout_ms: 1_000, ..producer.one(partition, 0) };
        let first = client.send(&short, 12).await;
        let second = client.send(&producer.one(partition, 1), 12).await;
        let answer = client.receive::<ProduceRequest>(first, 12).await;
        assert_eq!(heard(&answer), [(ErrorCode::RequestTimedOut, -1)]);
        disk.hang_below(HUNG, false);
        let answer = client.receive::<ProduceRequest>(second, 12).await;
        let gap = ErrorCode::OutOfOrderSequenceNumber;
        assert_eq!(heard(&answer), [(gap, -1)], "it is sent again behind the first");
        assert_eq!(client.high_watermark(TOPIC, partition).await, 0, "nothing came late");
        for sequence in 0..2 {
            let appended = client.produce(12, &producer.one(partition, sequence)).await;
            assert_eq!(appended, [(NONE, i64::from(sequence))]);
        }
    });
}

#[test]
fn a_topic_that_is_deleted_while_the_coordinator_is_asked_is_unknown() {
    tell(&[], |client, disk| async move {
        client.create_topic(8).await;
        let (producer, partition) = apart(&client, &disk).await;
        disk.hang_below(HUNG, true);
        let waits = client.send(&producer.one(partition, 0), 12).await;
        pause(&client).await;
        let admin = client.another().await;
        let topic = DeleteTopicState { name: Some(TOPIC.to_owned()), ..Default::default() };
        let request =
            DeleteTopicsRequest { topics: vec![topic], timeout_ms: 1_000, ..Default::default() };
        admin.send(&request, 6).await;
        let answer = client.receive::<ProduceRequest>(waits, 12).await;
        assert_eq!(heard(&answer), [(ErrorCode::UnknownTopicOrPartition, -1)]);
        disk.hang_below(HUNG, false);
    });
}

/// With `durability=os` the marker could be lost, and its transaction be complete: it hung.
#[test]
fn a_power_cut_leaves_no_transaction_open_that_is_complete() {
    for seed in 0..6 {
        let world = World::new(seed, SimOptions::calm());
        let node = world.node("broker");
        let address = start(&world, node, &[]);
        let mut producer = run_client(&world, "first", address, |client| async move {
            client.create_topic_with(1, &[("durability", "os")]).await;
            let producer = client.init("os").await;
            assert_eq!(client.produce(12, &producer.one(0, 0)).await, [(NONE, 0)]);
            producer
        });
        // What a start finds goes to the disk.
        world.kill(node);
        let address = start(&world, node, &[]);
        run_client(&world, "second", address, move |client| async move {
            while client.end(5, &mut producer, true).await != NONE {
                pause(&client).await;
            }
            pause(&client).await;
        });
        world.crash(node);
        let address = start(&world, node, &[]);
        run_client(&world, "third", address, move |client| async move {
            let seen = client.fetch(Fetch { max_wait_ms: 0, ..COMMITTED }).await;
            assert_eq!((seen.high_watermark, seen.last_stable_offset), (2, 2), "seed {seed}");
        });
        world.close();
    }
}

/// It acted with the next load of the coordinator.
#[test]
fn the_version_of_transactions_acts_at_once() {
    tell(&[], |client, _| async move {
        // What a new id is written in: with tags, or without.
        let written = async |id: &'static str| {
            client.init(id).await;
            let (topic, partition) = (STATE_TOPIC, state_partition(id));
            let offset = client.high_watermark(topic, partition).await - 1;
            let data = client.fetch(Fetch { topic, partition, offset, ..FETCH }).await;
            let records = data.records.expect("the id is written");
            let last = protocol::records::batches(&records).last().expect("a batch");
            let batch = last.expect("a whole batch");
            let record = batch.records().unwrap().last().expect("a record").unwrap();
            let value = record.value.expect("an id that is there");
            i16::from_be_bytes([value[0], value[1]])
        };
        assert_eq!(written("before").await, 1);
        for (level, upgrade_type, version) in [(0, 2, 0), (2, 1, 1)] {
            let update = FeatureUpdateKey {
                feature: "transaction.version".to_owned(),
                max_version_level: level,
                upgrade_type,
                ..Default::default()
            };
            let request = UpdateFeaturesRequest {
                feature_updates: vec![update],
                timeout_ms: 30_000,
                ..Default::default()
            };
            let answer = client.call(&request, 2).await;
            assert_eq!(answer.error_code, 0, "{answer:?}");
            // Every core has heard of it.
            pause(&client).await;
            let id = if level == 0 { "below" } else { "above" };
            assert_eq!(written(id).await, version, "{level}");
        }
    });
}

/// What was asked about was remembered for `producer.id.expiration.ms`, and held against the one
/// that got the producer id later.
#[test]
fn a_question_about_an_invented_producer_leaves_nothing_behind() {
    tell(&[], |client, _| async move {
        client.create_topic(1).await;
        client.init("any").await;
        let is_first = |id: &&str| state_partition(id) == 0;
        let of_one_coordinator: Vec<_> =
            ["a", "b", "c", "d", "e"].into_iter().filter(is_first).collect();
        let [first, second, ..] = of_one_coordinator[..] else { panic!("too few ids") };
        let before = client.init(first).await;
        let invented = Producer { id: before.id + 1, ..before };
        let unknown = [(ErrorCode::InvalidProducerIdMapping, -1)];
        assert_eq!(client.produce(11, &invented.one(0, 0)).await, unknown);
        let real = client.init(second).await;
        assert_eq!((real.id, real.epoch), (invented.id, invented.epoch));
        assert_eq!(client.add_partitions(&real, &[0]).await, [NONE]);
        assert_eq!(client.produce(11, &real.one(0, 5)).await, [(NONE, 0)], "it begins anywhere");
    });
}

/// All transactional ids, whatever their number, and those of a pattern.
#[test]
fn transactions_are_listed_page_by_page() {
    tell(&[], |client, _| async move {
        let count = 5 * limits::TRANSACTIONS_LISTED_AT_ONCE as i32 / 2;
        client.init("first").await;
        for number in 0..count {
            let request = InitProducerIdRequest {
                transactional_id: Some(format!("id-{number}")),
                transaction_timeout_ms: 60_000,
                producer_id: -1,
                producer_epoch: -1,
                ..Default::default()
            };
            while client.call(&request, 5).await.error_code != 0 {
                pause(&client).await;
            }
        }
        let listed = async |pattern: Option<&str>| {
            let transactional_id_pattern = pattern.map(str::to_owned);
            let request = ListTransactionsRequest {
                duration_filter: -1,
                transactional_id_pattern,
                ..Default::default()
            };
            let answer = client.call(&request, 2).await;
            assert_eq!(answer.error_code, 0);
            let ids = answer.transaction_states.into_iter().map(|one| one.transactional_id);
            let ids: BTreeSet<String> = ids.collect();
            ids.len() as i32
        };
        assert_eq!(listed(None).await, count + 1);
        assert_eq!(listed(Some("id-[0-9]")).await, 10);
        assert_eq!(listed(Some("(.*)*-(1|2)?0+")).await, 6, "0, 10, 20, 100, 200, 1000");
    });
}

async fn join<A, B>(one: impl Future<Output = A>, other: impl Future<Output = B>) -> (A, B) {
    let (mut one, mut other) = (Box::pin(one), Box::pin(other));
    let (mut first, mut second) = (None, None);
    std::future::poll_fn(|context| {
        if first.is_none()
            && let std::task::Poll::Ready(value) = one.as_mut().poll(context)
        {
            first = Some(value);
        }
        if second.is_none()
            && let std::task::Poll::Ready(value) = other.as_mut().poll(context)
        {
            second = Some(value);
        }
        match (first.is_some(), second.is_some()) {
            (true, true) => std::task::Poll::Ready(()),
            _ => std::task::Poll::Pending,
        }
    })
    .await;
    (first.expect("it is ready"), second.expect("it is ready"))
}
