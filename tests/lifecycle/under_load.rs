//! Stopped in the middle of work: acknowledged records are there, and records that are there were
//! sent.

use crate::support::{self, Broker, Client, batch, client, unique};
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread::JoinHandle,
};

const PRODUCERS: i32 = 4;

/// Produces record after record until the connection ends; returns how many were acknowledged.
fn produce_until_the_end(
    address: SocketAddr,
    topic: String,
    partition: i32,
    acknowledged: Arc<AtomicUsize>,
) -> usize {
    let mut client = Client::connect(address);
    for i in 0usize.. {
        let request =
            client::produce_request(&topic, partition, batch::of(&[&i.to_be_bytes()]), -1);
        match client.try_call(&request, client::PRODUCE_VERSION) {
            Some(response) if response.responses[0].partition_responses[0].error_code == 0 => {
                acknowledged.fetch_add(1, Ordering::Relaxed);
            }
            _ => return i,
        }
    }
    unreachable!("usize never ends")
}

fn load(broker: &Broker, topic: &str) -> Vec<JoinHandle<usize>> {
    let acknowledged = Arc::new(AtomicUsize::new(0));
    let start = |partition| {
        let (address, topic, acknowledged) =
            (broker.address, topic.to_owned(), acknowledged.clone());
        std::thread::spawn(move || produce_until_the_end(address, topic, partition, acknowledged))
    };
    let producers = (0..PRODUCERS).map(start).collect();
    support::eventually("work in progress", || acknowledged.load(Ordering::Relaxed) > 200);
    producers
}

/// Each partition must hold its producer's records 0, 1, 2, … up to the last acknowledged one; one
/// more may be there.
fn check(broker: &Broker, topic: &str, acknowledged: Vec<usize>) {
    let mut client = Client::connect(broker.address);
    for (partition, acknowledged) in acknowledged.into_iter().enumerate() {
        let values = client.read_all_values(topic, partition as i32);
        assert!(
            (acknowledged..=acknowledged + 1).contains(&values.len()),
            "{} of {acknowledged}",
            values.len()
        );
        for (i, value) in values.iter().enumerate() {
            assert_eq!(value[..], i.to_be_bytes(), "partition {partition}");
        }
    }
}

fn join(producers: Vec<JoinHandle<usize>>) -> Vec<usize> {
    producers.into_iter().map(|producer| producer.join().expect("a producer")).collect()
}

#[test]
fn sigterm_under_load_is_a_clean_stop() {
    support::on_each_backend(|broker| {
        let topic = unique("loaded");
        Client::connect(broker.address).create_topic(&topic, PRODUCERS, &[]);
        for _ in 0..2 {
            let topic = unique("loaded");
            Client::connect(broker.address).create_topic(&topic, PRODUCERS, &[]);
            let producers = load(broker, &topic);
            assert!(broker.stop().success(), "exit code 0");
            let acknowledged = join(producers);
            assert!(broker.data().join(".kafka_cleanshutdown").exists());
            broker.start_again(&broker.setup.clone());
            check(broker, &topic, acknowledged);
        }
    });
}

#[test]
fn a_kill_under_load_loses_nothing_acknowledged() {
    support::on_each_backend(|broker| {
        for _ in 0..4 {
            let topic = unique("loaded");
            Client::connect(broker.address).create_topic(&topic, PRODUCERS, &[]);
            let producers = load(broker, &topic);
            broker.kill();
            let acknowledged = join(producers);
            broker.start_again(&broker.setup.clone());
            check(broker, &topic, acknowledged);
        }
    });
}

#[test]
fn a_stalled_broker_goes_on_where_it_was() {
    support::on_each_backend(|broker| {
        let topic = unique("stalled");
        Client::connect(broker.address).create_topic(&topic, PRODUCERS, &[]);
        let producers = load(broker, &topic);
        for _ in 0..5 {
            broker.signal(rustix::process::Signal::STOP);
            std::thread::sleep(std::time::Duration::from_millis(300));
            broker.signal(rustix::process::Signal::CONT);
            Client::connect(broker.address).create_topic(&unique("between"), 1, &[]);
        }
        assert!(broker.stop().success());
        let acknowledged = join(producers);
        broker.start_again(&broker.setup.clone());
        check(broker, &topic, acknowledged);
    });
}

#[test]
fn waiting_fetches_do_not_hold_up_a_stop() {
    support::on_each_backend(|broker| {
        let topic = unique("waited-for");
        let mut client = Client::connect(broker.address);
        client.create_topic(&topic, 1, &[]);
        let mut waiting: Vec<Client> = (0..20).map(|_| Client::connect(broker.address)).collect();
        for client in &mut waiting {
            client
                .send(&client::fetch_request(&topic, 0, 0, i32::MAX), client::FETCH_VERSION)
                .unwrap();
        }
        // A connected client may stay silent, too.
        let _silent = Client::connect(broker.address);
        client.call(&protocol::messages::ApiVersionsRequest::default(), 0);
        assert!(broker.stop().success());
    });
}
