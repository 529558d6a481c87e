//! Clients that together want more memory than there is: one that gets on has it, one that does not
//! makes room.

use super::{Neighbour, support::client};
use crate::support::{self, Broker, Client, batch, unique};
use bytes::BufMut;
use protocol::{ApiKey, ErrorCode};
use std::{
    io::Read,
    time::{Duration, Instant},
};

/// 24 to 64 MiB per core: some 7 to 14 blocks to receive into, and room for one request of 4 MB at
/// a time.
const LITTLE: (&str, &str) = ("memory.limit.bytes", "67108864");
const LARGE_BYTES: usize = 4 << 20;

fn little(test: impl Fn(&mut Broker)) {
    support::on_each_backend_with(&[LITTLE, ("message.max.bytes", "8388608")], |broker| {
        let mut neighbour = Neighbour::of(broker);
        test(broker);
        neighbour.is_unharmed(broker);
    });
}

fn topic(broker: &Broker, partitions: i32) -> String {
    let topic = unique("memory");
    Client::connect(broker.address).create_topic(&topic, partitions, &[]);
    topic
}

/// The beginning of a produce request that promises so many bytes, and the first `sent` of them.
fn begins(broker: &Broker, promised: usize, sent: usize) -> Client {
    let mut frame = (promised as u32).to_be_bytes().to_vec();
    frame.put_slice(&client::header(ApiKey::Produce.code(), client::PRODUCE_VERSION, 1));
    frame.resize(sent, 0);
    let mut client = Client::connect(broker.address);
    // It may be refused.
    let _ = client.send_bytes(&frame);
    client
}

#[test]
fn large_requests_take_turns_and_one_that_can_have_no_room_is_refused() {
    little(|broker| {
        let topic = topic(broker, 4);
        let address = broker.address;
        let produce = |index: i32| {
            let topic = topic.clone();
            std::thread::spawn(move || {
                let records = batch::of(&[&vec![b'v'; LARGE_BYTES]]);
                let produced = Client::connect(address).produce(&topic, index % 4, records);
                assert_eq!(client::error(produced.error_code), ErrorCode::None);
            })
        };
        let together: Vec<_> = (0..16).map(produce).collect();
        together.into_iter().for_each(|one| one.join().expect("each gets its turn"));
        assert!(begins(broker, 90 << 20, 1000).is_closed_by_broker());
        crate::support::eventually("the refusal is said", || {
            broker.log().contains("memory.limit.bytes leaves room for")
        });
    });
}

#[test]
fn requests_that_do_not_come_on_make_room_for_those_that_do() {
    little(|broker| {
        let topic = topic(broker, 1);
        let mut promises: Vec<Client> = (0..60).map(|_| begins(broker, 900_000, 100_000)).collect();
        promises.extend((0..4).map(|_| begins(broker, LARGE_BYTES, 500_000)));
        let mut client = Client::connect(broker.address);
        for bytes in [900_000, LARGE_BYTES] {
            let produced = client.produce(&topic, 0, batch::of(&[&vec![b'v'; bytes]]));
            assert_eq!(client::error(produced.error_code), ErrorCode::None);
        }
        assert!(broker.log().contains("its request does not come on"), "{}", broker.log());
    });
}

#[test]
fn readers_that_do_not_read_make_room_for_producers() {
    little(|broker| {
        let topic = topic(broker, 2);
        let mut client = Client::connect(broker.address);
        let mut readers = Vec::new();
        for round in 0..60 {
            let mut offset = 0;
            for partition in 0..2 {
                let produced =
                    client.produce(&topic, partition, batch::of(&[&vec![b'v'; 900_000]]));
                assert_eq!(client::error(produced.error_code), ErrorCode::None, "round {round}");
                offset = produced.base_offset;
            }
            for partition in 0..2 {
                let mut reader = Client::connect(broker.address);
                // The first finds room in the sockets' own buffers.
                for from in [0, offset, offset] {
                    let mut fetch = client::fetch_request(&topic, partition, from, 0);
                    fetch.max_bytes = i32::MAX;
                    fetch.topics[0].partitions[0].partition_max_bytes = i32::MAX;
                    let _ = reader.send(&fetch, client::FETCH_VERSION);
                }
                readers.push(reader);
            }
        }
    });
}

#[test]
fn requests_without_acknowledgement_wait_until_there_is_room() {
    little(|broker| {
        let topic = topic(broker, 2);
        let address = broker.address;
        let flood = |partition: i32| {
            let topic = topic.clone();
            std::thread::spawn(move || {
                let (mut client, records) = (Client::connect(address), batch::of(&[&[b'v'; 100]]));
                let one = client::produce_request(&topic, partition, records, 0);
                let frames =
                    client::framed(&client::frame(&one, client::PRODUCE_VERSION, 1)).repeat(1000);
                (0..100).for_each(|_| {
                    client.send_bytes(&frames).expect("the broker takes all of it, in its time")
                });
                // Answered behind all of them.
                client.produce_value(&topic, partition, b"last")
            })
        };
        let together: Vec<_> = (0..2).map(flood).collect();
        together
            .into_iter()
            .for_each(|one| assert_eq!(one.join().expect("it gets through"), 100_000));
    });
}

#[test]
fn readers_that_take_nothing_are_idle_and_slow_ones_are_not() {
    const MAX_IDLE: Duration = Duration::from_millis(1500);
    support::on_each_backend_with(&[("connections.max.idle.ms", "1500")], |broker| {
        let topic = topic(broker, 1);
        let mut client = Client::connect(broker.address);
        for _ in 0..30 {
            client.produce_value(&topic, 0, &vec![b'v'; 1_000_000]);
        }
        let asks = || {
            let mut reader = Client::connect(broker.address);
            let mut fetch = client::fetch_request(&topic, 0, 0, 0);
            fetch.max_bytes = i32::MAX;
            fetch.topics[0].partitions[0].partition_max_bytes = i32::MAX;
            for _ in 0..3 {
                reader.send(&fetch, client::FETCH_VERSION).expect("the broker reads");
            }
            reader
        };
        let (still, slow) = (asks(), asks());
        let (began, mut piece) = (Instant::now(), vec![0; 256 * 1024]);
        let mut paused = Duration::ZERO;
        while began.elapsed() < MAX_IDLE * 4 {
            let before = Instant::now();
            std::thread::sleep(Duration::from_millis(100));
            paused = paused.max(before.elapsed());
            if let Err(error) = slow.stream().read_exact(&mut piece) {
                // On a busy machine this thread may itself have been idle for too long.
                assert!(paused > MAX_IDLE / 2, "ended although it reads: {error}");
                return;
            }
        }
        // What the sockets hold can still be read, and then the end.
        let (mut read, mut left) = (1, still.stream());
        let mut all = 0;
        while read > 0 {
            read = left.read(&mut piece).unwrap_or(0);
            all += read;
        }
        assert!(all < 90_000_000, "it was ended in the middle of its replies");
    });
}
