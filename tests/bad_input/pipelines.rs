//! Odd but legal: requests byte by byte, many at once, without answers.

use super::with_neighbour;
use crate::support::{
    self, Client, batch,
    client::{self, FETCH_VERSION, PRODUCE_VERSION},
    unique,
};
use protocol::messages::{ApiVersionsRequest, FetchRequest, MetadataRequest, ProduceRequest};
use std::net::Shutdown;

#[test]
fn a_request_may_come_one_byte_at_a_time() {
    with_neighbour(|broker| {
        let mut client = Client::connect(broker.address);
        let topic = unique("slow");
        client.create_topic(&topic, 1, &[]);
        let request = client::produce_request(&topic, 0, batch::of(&[b"slow but sure"]), -1);
        for byte in client::framed(&client::frame(&request, PRODUCE_VERSION, 77)) {
            client.send_bytes(&[byte]).unwrap();
        }
        let response = client.receive::<ProduceRequest>(77, PRODUCE_VERSION).unwrap();
        assert_eq!(response.responses[0].partition_responses[0].error_code, 0);
        assert_eq!(client.read_all_values(&topic, 0), [b"slow but sure"]);
    });
}

#[test]
fn requests_in_one_packet_are_answered_in_their_order() {
    with_neighbour(|broker| {
        let mut client = Client::connect(broker.address);
        let topics: Vec<String> = (0..4).map(|_| unique("pipelined")).collect();
        topics.iter().for_each(|topic| client.create_topic(topic, 2, &[]));
        let mut bytes = Vec::new();
        for i in 0..200usize {
            let topic = &topics[i % topics.len()];
            let value = format!("{i}");
            let produce = client::produce_request(
                topic,
                (i / 4 % 2) as i32,
                batch::of(&[value.as_bytes()]),
                -1,
            );
            bytes.extend(client::framed(&client::frame(&produce, PRODUCE_VERSION, i as i32 * 10)));
            let fetch = client::fetch_request(topic, 0, 0, 50);
            bytes.extend(client::framed(&client::frame(&fetch, FETCH_VERSION, i as i32 * 10 + 1)));
            bytes.extend(client::framed(&client::frame(
                &MetadataRequest::default(),
                9,
                i as i32 * 10 + 2,
            )));
        }
        let mut writer = client.stream().try_clone().unwrap();
        let writing = std::thread::spawn(move || std::io::Write::write_all(&mut writer, &bytes));
        for i in 0..200 {
            let produced = client.receive::<ProduceRequest>(i * 10, PRODUCE_VERSION).unwrap();
            assert_eq!(produced.responses[0].partition_responses[0].error_code, 0);
            client.receive::<FetchRequest>(i * 10 + 1, FETCH_VERSION).unwrap();
            client.receive::<MetadataRequest>(i * 10 + 2, 9).unwrap();
        }
        writing.join().unwrap().unwrap();
        for (number, topic) in topics.iter().enumerate() {
            for partition in 0..2usize {
                let expected: Vec<Vec<u8>> = (0..200usize)
                    .filter(|i| i % 4 == number && i / 4 % 2 == partition)
                    .map(|i| format!("{i}").into_bytes())
                    .collect();
                assert_eq!(
                    client.read_all_values(topic, partition as i32),
                    expected,
                    "in the order of the requests"
                );
            }
        }
    });
}

#[test]
fn a_half_closed_client_still_gets_its_answers() {
    with_neighbour(|broker| {
        let mut client = Client::connect(broker.address);
        let topic = unique("half");
        client.create_topic(&topic, 1, &[]);
        for i in 0..5 {
            let request = client::produce_request(&topic, 0, batch::of(&[b"last words"]), -1);
            client.send_frame(&client::frame(&request, PRODUCE_VERSION, i)).unwrap();
        }
        client.stream().shutdown(Shutdown::Write).unwrap();
        // Apache Kafka drops the connection when it sees the end, answered or not; an answer must
        // be a right one.
        let mut answered = 0;
        while let Some(response) = client.receive::<ProduceRequest>(answered, PRODUCE_VERSION) {
            assert_eq!(response.responses[0].partition_responses[0].error_code, 0);
            answered += 1;
        }
        assert!(broker.is_peer() || answered == 5, "{answered} of 5 were answered");
    });
}

#[test]
fn without_acknowledgements_there_are_no_answers_and_errors_end_the_connection() {
    with_neighbour(|broker| {
        let mut client = Client::connect(broker.address);
        let topic = unique("acks-0");
        client.create_topic(&topic, 1, &[]);
        for i in 0..50u32 {
            let request = client::produce_request(&topic, 0, batch::of(&[&i.to_be_bytes()]), 0);
            client.send(&request, PRODUCE_VERSION).unwrap();
        }
        // The next answer is that of the next request.
        client.call(&ApiVersionsRequest::default(), 0);
        support::eventually("everything is there", || {
            client.read_all_values(&topic, 0).len() == 50
        });
        let values: Vec<_> = (0..50u32).map(|i| i.to_be_bytes().to_vec()).collect();
        assert_eq!(client.read_all_values(&topic, 0), values);
        let to_nowhere = client::produce_request(&unique("absent"), 0, batch::of(&[b"x"]), 0);
        client.send(&to_nowhere, PRODUCE_VERSION).unwrap();
        assert!(
            client.is_closed_by_broker(),
            "the only way to tell a client that asked for no answer"
        );
    });
}

#[test]
fn a_client_that_asks_but_never_reads_harms_nobody() {
    with_neighbour(|broker| {
        let mut client = Client::connect(broker.address);
        let topic = unique("unread");
        client.create_topic(&topic, 1, &[]);
        for _ in 0..10 {
            client.produce_value(&topic, 0, &vec![b'v'; 900_000]);
        }
        // Each of these is answered with a MB that the client does not take.
        let mut deaf: Vec<Client> = (0..20).map(|_| Client::connect(broker.address)).collect();
        for _ in 0..50 {
            for client in &mut deaf {
                let request = client::fetch_request(&topic, 0, 0, 0);
                let _ = client.send(&request, FETCH_VERSION);
            }
        }
        assert_eq!(client.read_all_values(&topic, 0).len(), 10);
    });
}
