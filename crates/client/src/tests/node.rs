//! A node: one attempt for all, backoff, names.

use super::*;
use crate::{ConnectError, Node, NodeOptions, RequestError, Resolver, Resolving};
use protocol::messages::ListGroupsRequest;
use std::{cell::Cell, io};

fn node(ring: &Ring, host_port: &str, resolver: Resolver) -> Node {
    Node::new(ring, host_port, resolver, NodeOptions::new(options()))
}

fn node_at(ring: &Ring, address: SocketAddr) -> Node {
    node(ring, &address.to_string(), Resolver::none())
}

#[test]
fn all_who_ask_share_one_connection() {
    let connections = Rc::new(Cell::new(0));
    let count = connections.clone();
    let serve = move |peer: Peer| {
        count.set(count.get() + 1);
        peer.echo()
    };
    calm(serve, |ring, address| async move {
        let node = Rc::new(node_at(&ring, address));
        assert!(node.connected().is_none(), "no caller has asked for it");
        let callers: Vec<_> = (0..20)
            .map(|_| {
                let node = node.clone();
                ring.spawn(async move {
                    let connection = node.connection().await.unwrap();
                    connection.send(request("x")).await.unwrap().await.unwrap();
                })
            })
            .collect();
        for caller in callers {
            caller.await;
        }
        assert!(node.connected().is_some());
    });
    assert_eq!(connections.get(), 1);
}

#[test]
fn a_node_is_connected_to_again_after_the_end_of_its_connection() {
    let serve = |mut peer: Peer| async move {
        peer.negotiate().await;
        // One request for each connection.
        if let Some(asked) = peer.receive().await {
            peer.respond(&asked, format!("{}", peer.number).as_bytes()).await;
        }
    };
    calm(serve, |ring, address| async move {
        let node = node_at(&ring, address);
        for expected in ["0", "1", "2"] {
            let connection = node.connection().await.unwrap();
            let pending = connection.try_send(request("")).unwrap();
            assert_eq!(pending.await.unwrap().body, expected.as_bytes());
            connection.wait_for_disconnect().await;
            assert!(node.connected().is_none());
        }
    });
}

/// Milliseconds between the ends of so many attempts of a task that never stops asking.
async fn failing_attempts(ring: &Ring, node: &Node, attempts: usize) -> Vec<u64> {
    let mut gaps = Vec::new();
    let mut last = ring.now();
    for _ in 0..attempts {
        let error = node.connection().await.map(drop).unwrap_err();
        assert!(matches!(error, ConnectError::Connect { .. }), "{error}");
        gaps.push(ring.now().since(last).as_millis() as u64);
        last = ring.now();
    }
    gaps
}

/// Each gap is the backoff of its number, a fifth more or less, and a millisecond for the network.
fn assert_grows(gaps: &[u64]) {
    for (failures, gap) in gaps.iter().enumerate() {
        let middle = (50u64 << failures).min(1000);
        let longest = (middle * 12 / 10).min(1000);
        assert!((middle * 8 / 10..=longest + 1).contains(gap), "after {failures}: {gaps:?}");
    }
}

#[test]
fn a_backoff_grows_with_failures_and_is_reset_by_success() {
    let mut all = Vec::new();
    for seed in 0..20 {
        let world = World::new(seed, SimOptions::calm());
        let (far, near) = (world.node("far"), world.node("near"));
        let address = SocketAddr::new(world.address(far), PORT);
        // It has power, and no process listens.
        world.start_core(far, 1, |ring| async move { ring.sleep(LIMIT).await });
        let gaps = Rc::new(RefCell::new(Vec::new()));
        let found = gaps.clone();
        let (world_of_task, phase) = (world.clone(), Rc::new(Cell::new(0)));
        let phase_of_task = phase.clone();
        world.start_core(near, 0, move |ring| async move {
            let node = node_at(&ring, address);
            let first = failing_attempts(&ring, &node, 1).await;
            assert_eq!(first, [0], "the first attempt waits for nothing");
            let before = failing_attempts(&ring, &node, 8).await;
            world_of_task.start_core(far, 0, |ring| accept_each(ring, PORT, Peer::echo));
            let connection = node.connection().await.expect("there is a server now");
            world_of_task.kill(far);
            connection.wait_for_disconnect().await;
            let after = failing_attempts(&ring, &node, 3).await;
            found.borrow_mut().extend([before, after]);
            phase_of_task.set(1);
        });
        assert!(world.run_until(LIMIT, || phase.get() == 1), "the client hangs");
        for gaps in gaps.take() {
            assert_grows(&gaps);
            all.push(gaps);
        }
        world.close();
    }
    all.sort();
    all.dedup();
    assert!(all.len() > 20, "jitter comes from the ring, and differs: {all:?}");
}

#[test]
fn all_who_wait_learn_of_the_failure() {
    let world = World::new(1, SimOptions::calm());
    let near = world.node("near");
    let address = SocketAddr::new(world.address(near), PORT);
    let failed = Rc::new(Cell::new(0));
    let count = failed.clone();
    world.start_core(near, 0, move |ring| async move {
        let node = Rc::new(node_at(&ring, address));
        for _ in 0..5 {
            let (node, count) = (node.clone(), count.clone());
            ring.spawn(async move {
                node.connection().await.map(drop).unwrap_err();
                count.set(count.get() + 1);
            });
        }
    });
    // One attempt: none of them has waited for a backoff.
    world.run_for(Duration::from_millis(10));
    assert_eq!(failed.get(), 5);
    world.close();
}

#[test]
fn an_impatient_caller_leaves_the_attempt_to_the_others() {
    let serve = |mut peer: Peer| async move {
        peer.ring.sleep(Duration::from_secs(2)).await;
        peer.negotiate().await;
        peer.stay_silent().await;
    };
    calm(serve, |ring, address| async move {
        let node = node_at(&ring, address);
        let patience = Duration::from_secs(1);
        let error = node.call(&ListGroupsRequest::default(), 0, patience).await.unwrap_err();
        assert!(matches!(error, RequestError::NotInTime { .. }), "{error}");
        assert!(!error.may_have_arrived());
        let started = ring.now();
        node.connection().await.unwrap();
        assert!(ring.now().since(started) < Duration::from_millis(1100), "the same attempt");
    });
}

#[test]
fn a_call_goes_out_in_the_highest_common_version() {
    let serve = |mut peer: Peer| async move {
        peer.negotiate().await;
        while let Some(asked) = peer.receive().await {
            let mut body = bytes::BytesMut::new();
            let response = protocol::messages::ListGroupsResponse {
                error_code: asked.version,
                ..Default::default()
            };
            protocol::Message::encode(&response, &mut body, asked.version).unwrap();
            peer.respond(&asked, &body).await;
        }
    };
    calm(serve, |ring, address| async move {
        let node = node_at(&ring, address);
        let request = ListGroupsRequest::default();
        for (most, expected) in [(2, 2), (i16::MAX, ApiKey::ListGroups.max_stable_version())] {
            let response = node.call(&request, most, Duration::from_secs(1)).await.unwrap();
            assert_eq!(response.error_code, expected);
        }
    });
}

/// A resolver with these answers in turn, and how often it was asked.
fn answering(answers: Vec<io::Result<Vec<SocketAddr>>>) -> (Resolver, Rc<Cell<usize>>) {
    let asked_for = Rc::new(Cell::new(0));
    let count = asked_for.clone();
    let answers = RefCell::new(answers.into_iter());
    let look_up = move |host_port: &str| -> Resolving {
        assert_eq!(host_port, "broker-7.example:9092");
        count.set(count.get() + 1);
        let answer = answers.borrow_mut().next().expect("asked no more often");
        Box::pin(async move { answer })
    };
    (Resolver::new(look_up), asked_for)
}

#[test]
fn a_name_is_resolved_by_the_callers_function_at_each_attempt() {
    calm(Peer::echo, |ring, address| async move {
        let unused = SocketAddr::new(address.ip(), PORT + 1);
        let answers = vec![
            Err(io::ErrorKind::NotFound.into()),
            Ok(vec![]),
            Ok(vec![unused]),
            // The second address is tried when the first cannot be connected to.
            Ok(vec![unused, address]),
        ];
        let (resolver, asked_for) = answering(answers);
        let node = node(&ring, "broker-7.example:9092", resolver);
        let mut failures = Vec::new();
        let connection = loop {
            match node.connection().await {
                Ok(connection) => break connection,
                Err(error) => failures.push(error),
            }
        };
        use ConnectError::{Connect, Resolve};
        let is_expected = matches!(failures[..], [Resolve { .. }, Resolve { .. }, Connect { .. }]);
        assert!(is_expected, "{failures:?}");
        assert_eq!((asked_for.get(), connection.address()), (4, address));
    });
}

#[test]
fn an_address_needs_no_resolver_and_a_name_does() {
    calm(Peer::echo, |ring, address| async move {
        let (resolver, asked_for) = answering(vec![]);
        node(&ring, &address.to_string(), resolver).connection().await.unwrap();
        assert_eq!(asked_for.get(), 0);
        let error = node(&ring, "broker:9092", Resolver::none()).connection().await.unwrap_err();
        assert!(matches!(error, ConnectError::Resolve { .. }), "{error}");
    });
}

#[test]
fn a_look_up_that_never_ends_is_given_up() {
    calm(Peer::echo, |ring, _| async move {
        let resolver = Resolver::new(|_| Box::pin(std::future::pending()));
        let node = node(&ring, "broker:9092", resolver);
        let started = ring.now();
        node.connection().await.unwrap_err();
        // Kafka's 10 s, a fifth more or less.
        assert!((8..=12).contains(&ring.now().since(started).as_secs()));
    });
}

#[test]
fn a_connection_outlives_its_node_where_somebody_has_it() {
    calm(Peer::echo, |ring, address| async move {
        let node = node_at(&ring, address);
        let connection = node.connection().await.unwrap();
        let pending = connection.try_send(request("")).unwrap();
        drop(node);
        pending.await.expect("others still have the connection");
        assert!(!connection.is_disconnected());
    });
}
