//! Idempotent producers out of step: gaps, repeats, old epochs.

use super::with_neighbour;
use crate::support::{Client, batch::of_producer, client, unique};
use protocol::{ErrorCode, messages::InitProducerIdRequest};

fn producer_id(client: &mut Client) -> i64 {
    let request = InitProducerIdRequest {
        transactional_id: None,
        transaction_timeout_ms: -1,
        producer_id: -1,
        producer_epoch: -1,
        ..Default::default()
    };
    let mut id = -1;
    crate::support::eventually("a producer id", || {
        let response = client.call(&request, 4);
        id = response.producer_id;
        response.error_code == 0
    });
    id
}

#[test]
fn sequences_are_kept_in_step() {
    with_neighbour(|broker| {
        let mut client = Client::connect(broker.address);
        let topic = unique("sequences");
        client.create_topic(&topic, 1, &[]);
        let id = producer_id(&mut client);
        let mut produce = |epoch: i16, sequence: i32, values: &[&[u8]]| {
            let response = client.produce(&topic, 0, of_producer(id, epoch, sequence, values));
            (client::error(response.error_code), response.base_offset)
        };
        for sequence in 0..6 {
            assert_eq!(
                produce(0, sequence * 2, &[b"a", b"b"]),
                (ErrorCode::None, i64::from(sequence) * 2)
            );
        }
        // Each of the last five is recognised, and answered with the offset it has.
        for sequence in 1..6 {
            assert_eq!(
                produce(0, sequence * 2, &[b"a", b"b"]),
                (ErrorCode::None, i64::from(sequence) * 2),
                "a repeat"
            );
        }
        let (error, _) = produce(0, 0, &[b"a", b"b"]);
        let forgotten = [ErrorCode::DuplicateSequenceNumber, ErrorCode::OutOfOrderSequenceNumber];
        assert!(forgotten.contains(&error), "older than the last five: {error}");
        assert_eq!(produce(0, 14, &[b"a"]).0, ErrorCode::OutOfOrderSequenceNumber, "a gap");
        assert_eq!(
            produce(0, 11, &[b"a", b"b"]).0,
            ErrorCode::OutOfOrderSequenceNumber,
            "an overlap"
        );
        assert_eq!(produce(0, -2, &[b"a"]).0, ErrorCode::InvalidRecord, "a negative sequence");
        assert_eq!(
            produce(1, 5, &[b"a"]).0,
            ErrorCode::OutOfOrderSequenceNumber,
            "a new epoch begins with 0"
        );
        assert_eq!(produce(1, 0, &[b"new epoch"]), (ErrorCode::None, 12));
        assert_eq!(produce(0, 12, &[b"old epoch"]).0, ErrorCode::InvalidProducerEpoch);
        assert_eq!(produce(1, 1, &[b"in step"]), (ErrorCode::None, 13));
        assert_eq!(client.read_all_values(&topic, 0).len(), 14, "nothing twice, nothing refused");
    });
}

/// A request that wants no reply, refused by the core that owns the partition: this one or another.
#[test]
fn a_refusal_that_wants_no_reply_ends_the_connection_whichever_core_finds_it() {
    with_neighbour(|broker| {
        let mut owner = Client::connect(broker.address);
        let topic = unique("unheard");
        owner.create_topic(&topic, 4, &[]);
        let id = producer_id(&mut owner);
        for partition in 0..4 {
            let mut client = Client::connect(broker.address);
            let first = client.produce(&topic, partition, of_producer(id, 0, 0, &[b"first"]));
            assert_eq!(client::error(first.error_code), ErrorCode::None);
            let mut send = |sequence, value: &[u8]| {
                let batch = of_producer(id, 0, sequence, &[value]);
                client
                    .send(&client::produce_request(&topic, partition, batch, 0), 8)
                    .expect("it is taken");
            };
            send(1, b"second");
            send(7, b"a gap");
            assert!(client.is_closed_by_broker(), "partition {partition}");
            // Where it is refused at once, the record before may not be on the disk yet.
            crate::support::eventually("the record before is there", || {
                owner.read_all_values(&topic, partition).len() == 2
            });
        }
    });
}

#[test]
fn a_producer_id_that_is_anothers_is_fenced_by_epoch_and_sequence() {
    with_neighbour(|broker| {
        let mut owner = Client::connect(broker.address);
        let topic = unique("claimed");
        owner.create_topic(&topic, 1, &[]);
        let id = producer_id(&mut owner);
        let mut thief = Client::connect(broker.address);
        let produce = |client: &mut Client, epoch: i16, sequence: i32| {
            client::error(
                client.produce(&topic, 0, of_producer(id, epoch, sequence, &[b"x"])).error_code,
            )
        };
        for sequence in 0..3 {
            assert_eq!(produce(&mut owner, 3, sequence), ErrorCode::None);
        }
        assert_eq!(
            produce(&mut thief, 2, 3),
            ErrorCode::InvalidProducerEpoch,
            "an epoch before the owner's"
        );
        assert_eq!(
            produce(&mut thief, 3, 7),
            ErrorCode::OutOfOrderSequenceNumber,
            "a sequence out of the owner's order"
        );
        for epoch in [-1, i16::MIN] {
            assert_ne!(
                produce(&mut thief, epoch, 3),
                ErrorCode::None,
                "an epoch that no producer has"
            );
        }
        assert_eq!(
            produce(&mut owner, 3, 3),
            ErrorCode::None,
            "the owner goes on as if nothing had happened"
        );
        assert_eq!(owner.read_all_values(&topic, 0).len(), 4);
    });
}

#[test]
fn producers_do_not_disturb_each_other() {
    with_neighbour(|broker| {
        let mut client = Client::connect(broker.address);
        let topic = unique("producers");
        client.create_topic(&topic, 1, &[]);
        let ids: Vec<i64> = (0..20).map(|_| producer_id(&mut client)).collect();
        let distinct: std::collections::BTreeSet<_> = ids.iter().collect();
        assert_eq!(distinct.len(), ids.len(), "every producer gets an id of its own");
        for sequence in 0..3 {
            for id in &ids {
                let response = client.produce(&topic, 0, of_producer(*id, 0, sequence, &[b"x"]));
                assert_eq!(client::error(response.error_code), ErrorCode::None);
            }
        }
        assert_eq!(client.read_all_values(&topic, 0).len(), 60);
    });
}

#[test]
fn an_empty_transactional_id_is_no_id() {
    with_neighbour(|broker| {
        let mut client = Client::connect(broker.address);
        let request =
            InitProducerIdRequest { transactional_id: Some(String::new()), ..Default::default() };
        assert_eq!(client::error(client.call(&request, 4).error_code), ErrorCode::InvalidRequest);
    });
}
