//! Connections are spread evenly over the cores, whichever core the kernel gives them to.

use crate::support::{self, Broker, Client, Setup, broker::free_port};
use protocol::messages::ApiVersionsRequest;
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

const CORES: usize = 2;
const CLIENTS: usize = 8;

fn on_two_cores(configs: &[(&str, &str)], test: impl Fn(&mut Broker, SocketAddr)) {
    for mut setup in Setup::backends() {
        setup.shards = CORES;
        let admin = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let setup = setup.with("admin.listener", &admin.to_string());
        let setup = configs.iter().fold(setup, |setup, (key, value)| setup.with(key, value));
        eprintln!("-- {setup:?}");
        test(&mut Broker::start(&setup), admin);
    }
}

/// How many connections each core has open, by the metrics page.
fn connections(admin: SocketAddr) -> Vec<usize> {
    let mut stream = TcpStream::connect(admin).expect("the admin page");
    let request = format!("GET /metrics HTTP/1.1\r\nHost: {admin}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("a request");
    let mut page = String::new();
    stream.read_to_string(&mut page).expect("the page in UTF-8");
    let of_core = |core| {
        let series = format!("millstream_connections{{core=\"{core}\"}} ");
        let line = page.lines().find_map(|line| line.strip_prefix(&series));
        line.unwrap_or_else(|| panic!("nothing of {series} in:\n{page}"))
            .parse::<f64>()
            .expect("a number") as usize
    };
    (0..CORES).map(of_core).collect()
}

/// A client whose connection has been served.
fn served(broker: &Broker) -> Client {
    let mut client = Client::connect(broker.address);
    client.call(&ApiVersionsRequest::default(), 0);
    client
}

#[test]
fn every_core_has_as_many_connections_as_the_others() {
    on_two_cores(&[], |broker, admin| {
        let mut clients: Vec<Client> = (0..CLIENTS).map(|_| served(broker)).collect();
        assert_eq!(connections(admin), [CLIENTS / CORES; CORES]);
        // All of them serve: each client has something for every core.
        clients[0].create_topic("spread", CORES as i32, &[]);
        for client in &mut clients {
            for partition in 0..CORES as i32 {
                client.produce_value("spread", partition, b"value");
            }
        }
        for client in &mut clients {
            for partition in 0..CORES as i32 {
                assert_eq!(client.read_all_values("spread", partition).len(), CLIENTS);
            }
        }
        // A client that goes makes room on the core that it was on.
        for first_to_go in [0, 3, 5] {
            clients.drain(first_to_go..first_to_go + 3);
            support::eventually("closed connections leave", || {
                connections(admin).iter().sum::<usize>() == CLIENTS - 3
            });
            clients.extend((0..3).map(|_| served(broker)));
            assert_eq!(connections(admin), [CLIENTS / CORES; CORES]);
        }
        assert!(broker.stop().success());
    });
}

#[test]
fn connections_that_come_all_at_once_are_spread() {
    on_two_cores(&[], |broker, admin| {
        let clients: Vec<Client> = thread::scope(|scope| {
            let connecting: Vec<_> = (0..64).map(|_| scope.spawn(|| served(broker))).collect();
            connecting
                .into_iter()
                .map(|client| client.join().expect("a client that is served"))
                .collect()
        });
        assert_eq!(connections(admin), [clients.len() / CORES; CORES]);
    });
}

#[test]
fn the_limit_on_connections_holds_for_all_cores_together() {
    on_two_cores(&[("max.connections", "5")], |broker, admin| {
        let mut clients: Vec<Client> = (0..5).map(|_| served(broker)).collect();
        for _ in 0..4 {
            assert!(Client::connect(broker.address).is_closed_by_broker());
        }
        let mut counts = connections(admin);
        counts.sort_unstable();
        assert_eq!(counts, [2, 3]);
        clients.pop();
        support::eventually("room for another", || {
            let mut client = Client::connect(broker.address);
            client.try_call(&ApiVersionsRequest::default(), 0).is_some()
        });
    });
}

#[test]
fn a_stop_while_connections_come_is_a_clean_stop() {
    on_two_cores(&[], |broker, _| {
        for _ in 0..3 {
            let (address, served) = (broker.address, AtomicUsize::new(0));
            let connect_until_refused = || {
                while let Ok(mut client) = Client::try_connect(address) {
                    let answered = client.try_call(&ApiVersionsRequest::default(), 0).is_some();
                    served.fetch_add(usize::from(answered), Ordering::Relaxed);
                }
            };
            thread::scope(|scope| {
                (0..4).for_each(|_| drop(scope.spawn(connect_until_refused)));
                support::eventually("connections that come and go", || {
                    served.load(Ordering::Relaxed) > 200
                });
                assert!(broker.stop().success(), "exit code 0");
            });
            broker.start_again(&broker.setup.clone());
        }
    });
}
