//! Connections: too many, too slow, gone without a word.

use super::{Neighbour, with_neighbour};
use crate::support::{self, Broker, Client, client, unique};
use protocol::{
    ErrorCode,
    messages::{
        ApiVersionsRequest, IncrementalAlterConfigsRequest,
        incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig},
    },
};
use rustix::process::{Resource, getrlimit, setrlimit};
use std::time::{Duration, Instant};

/// As many as this process may open, up to `wanted`.
fn affordable_connections(wanted: usize) -> usize {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    let _ = setrlimit(Resource::Nofile, limit);
    let allowed = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    wanted.min(allowed as usize / 2)
}

/// Connected, asked something small, answered.
fn serves(client: &mut Client) -> bool {
    client.try_call(&ApiVersionsRequest::default(), 0).is_some()
}

#[test]
fn thousands_of_slow_clients_get_memory_for_what_they_send_not_for_what_they_promise() {
    with_neighbour(|broker| {
        if broker.is_peer() {
            return; // Apache Kafka does allocate what is promised.
        }
        let promise: i32 = 100 << 20;
        let mut slow: Vec<Client> = Vec::new();
        for _ in 0..affordable_connections(3_000) {
            let mut client = Client::connect(broker.address);
            client.send_bytes(&promise.to_be_bytes()).unwrap();
            client.send_bytes(&client::header(0, 9, 1)).unwrap();
            slow.push(client);
        }
        let mut neighbour = Neighbour::of(broker);
        for _ in 0..20 {
            // One that holds room for a large frame and does not get on is closed, because others
            // wait for that room.
            slow.retain_mut(|client| client.send_bytes(b"x").is_ok());
            neighbour.is_served();
        }
        neighbour.is_unharmed(broker);
        assert!(!slow.is_empty(), "those that wait for room are not at fault");
    });
}

/// Large frames that do come are kept only as long as they are worked on.
#[test]
fn memory_of_large_requests_is_given_back() {
    with_neighbour(|broker| {
        for _ in 0..10 {
            let mut client = Client::connect(broker.address);
            let mut frame = client::header(protocol::ApiKey::Metadata.code(), 9, 1).to_vec();
            frame.resize(60 << 20, 0xff);
            let _ = client.send_frame(&frame);
            assert!(client.is_closed_by_broker());
        }
    });
}

#[test]
fn clients_that_vanish_leave_nothing_behind() {
    with_neighbour(|broker| {
        for round in 0..300 {
            let mut client = Client::connect(broker.address);
            let frame = client::framed(&client::frame(&ApiVersionsRequest::default(), 0, 1));
            // Gone in the middle of a length, of a header, of a body, before its answer.
            let _ = client.send_bytes(&frame[..round % (frame.len() + 1)]);
            if round % 2 == 0 {
                // Closing with unread data in the way makes a reset of it.
                let _ =
                    rustix::net::sockopt::set_socket_linger(client.stream(), Some(Duration::ZERO));
            }
        }
    });
}

#[test]
fn idle_connections_are_ended_and_busy_ones_are_not() {
    const MAX_IDLE: Duration = Duration::from_millis(1500);
    support::on_each_backend_with(&[("connections.max.idle.ms", "1500")], |broker| {
        let mut idle = Client::connect(broker.address);
        assert!(serves(&mut idle));
        let mut half_sent = Client::connect(broker.address);
        half_sent.send_bytes(&[0, 0, 1]).unwrap();
        let address = broker.address;
        let (stop, stopped) = std::sync::mpsc::channel::<()>();
        let busy = std::thread::spawn(move || {
            let (mut used, mut busy) = (Instant::now(), Client::connect(address));
            while stopped.recv_timeout(Duration::from_millis(50)).is_err() {
                let before = std::mem::replace(&mut used, Instant::now());
                if !serves(&mut busy) {
                    // On a busy machine this thread may itself have been idle for too long.
                    assert!(
                        before.elapsed() > MAX_IDLE,
                        "ended although it was used {:?} ago",
                        before.elapsed()
                    );
                    (used, busy) = (Instant::now(), Client::connect(address));
                }
            }
        });
        assert!(idle.is_closed_by_broker());
        assert!(half_sent.is_closed_by_broker());
        stop.send(()).unwrap();
        busy.join().unwrap();
    });
}

/// How many of `count` new connections are served, all open at a time.
fn served_of(broker: &Broker, count: usize) -> usize {
    let mut clients: Vec<Client> =
        (0..count).filter_map(|_| Client::try_connect(broker.address).ok()).collect();
    clients.iter_mut().filter_map(|client| serves(client).then_some(())).count()
}

/// Of `count` new connections `room` are served and never more. Those of an earlier round may still
/// be on their way out.
#[track_caller]
fn fills_up(broker: &Broker, count: usize, room: usize) {
    support::eventually("all the room there is", || {
        let served = served_of(broker, count);
        assert!(served <= room, "{served} connections at a time");
        served == room
    });
}

#[test]
fn connections_above_the_limit_are_turned_away_and_room_comes_back() {
    support::on_each_backend_with(&[("max.connections", "20")], |broker| {
        (0..3).for_each(|_| fills_up(broker, 30, 20));
    });
}

#[test]
fn connections_of_one_address_have_a_limit_of_their_own() {
    support::on_each_backend_with(&[("max.connections.per.ip", "5")], |broker| {
        (0..3).for_each(|_| fills_up(broker, 9, 5));
    });
}

#[test]
fn a_listener_and_an_address_may_have_limits_that_differ() {
    let configs = [
        ("listener.name.plaintext.max.connections", "7"),
        ("max.connections.per.ip.overrides", "127.0.0.1:9"),
    ];
    support::on_each_backend_with(&configs, |broker| fills_up(broker, 12, 7));
    let configs = [
        ("max.connections.per.ip", "0"),
        ("max.connections.per.ip.overrides", "10.0.0.1:3,127.0.0.1:9"),
    ];
    support::on_each_backend_with(&configs, |broker| fills_up(broker, 12, 9));
}

/// Sets a config of all brokers.
fn alter(broker: &Broker, name: &str, value: &str) {
    assert_eq!(try_alter(broker, name, value), ErrorCode::None, "{name}={value}");
}

fn try_alter(broker: &Broker, name: &str, value: &str) -> ErrorCode {
    const BROKER_RESOURCE: i8 = 4;
    const SET: i8 = 0;
    let config = AlterableConfig {
        name: name.to_owned(),
        config_operation: SET,
        value: Some(value.to_owned()),
    };
    let resource = AlterConfigsResource {
        resource_type: BROKER_RESOURCE,
        resource_name: String::new(),
        configs: vec![config],
    };
    let request =
        IncrementalAlterConfigsRequest { resources: vec![resource], validate_only: false };
    let mut error = ErrorCode::None;
    // Earlier connections may still take all the room.
    support::eventually("an answer", || {
        let Some(response) = Client::connect(broker.address).try_call(&request, 1) else {
            return false;
        };
        error = client::error(response.responses[0].error_code);
        true
    });
    error
}

/// A limit of zero is no limit that an operator could want. A small one can be undone: what the
/// command line says at the next start counts, until the limit is set anew.
#[test]
fn limits_that_lock_everybody_out_are_refused_or_undone() {
    support::on_each_backend(|broker| {
        for (name, value) in [
            ("max.connections", "0"),
            ("max.connection.creation.rate", "0"),
            ("listener.name.plaintext.max.connections", "0"),
            ("max.connections.per.ip", "0"),
        ] {
            assert_eq!(try_alter(broker, name, value), ErrorCode::InvalidRequest, "{name}={value}");
        }
        if broker.is_peer() {
            return;
        }
        alter(broker, "max.connections", "2");
        fills_up(broker, 5, 2);
        assert!(broker.stop().success());
        let setup = broker.setup.clone();
        broker.start_again(&setup);
        fills_up(broker, 5, 2);
        assert!(broker.stop().success());
        broker.start_again(&setup.clone().with("max.connections", "9"));
        fills_up(broker, 12, 9);
        alter(broker, "max.connections", "7");
        fills_up(broker, 12, 7);
        assert!(broker.stop().success());
        let refusal = Broker::try_start(
            &setup.with("max.connections", "0"),
            &broker.data(),
            support::broker::free_port(),
        );
        let refusal = refusal.err().expect("a start that no client could connect to");
        assert!(refusal.stderr.contains("no client could connect"), "{}", refusal.stderr);
    });
}

#[test]
fn limits_on_connections_may_change_at_run_time() {
    support::on_each_backend_with(&[("max.connections", "20")], |broker| {
        fills_up(broker, 30, 20);
        alter(broker, "max.connections", "6");
        fills_up(broker, 30, 6);
        alter(broker, "max.connections", "40");
        fills_up(broker, 30, 30);
        alter(broker, "max.connections.per.ip", "8");
        fills_up(broker, 30, 8);
    });
}

#[test]
fn a_creation_rate_delays_connections_but_serves_them() {
    support::on_each_backend_with(&[("max.connection.creation.rate", "50")], |broker| {
        let began = Instant::now();
        assert_eq!(served_of(broker, 100), 100);
        // The first second's may come at once. No machine is too slow for this assertion.
        assert!(
            began.elapsed() >= Duration::from_millis(900),
            "100 connections within {:?}",
            began.elapsed()
        );
        Client::connect(broker.address).create_topic(&unique("served"), 1, &[]);
    });
}

#[test]
fn a_request_above_a_smaller_limit_ends_its_connection() {
    support::on_each_backend_with(&[("socket.request.max.bytes", "1000")], |broker| {
        let mut client = Client::connect(broker.address);
        client.send_bytes(&1001i32.to_be_bytes()).unwrap();
        assert!(client.is_closed_by_broker());
        assert!(serves(&mut Client::connect(broker.address)));
    });
}
