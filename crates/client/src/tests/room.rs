//! The bound on what is in flight: which request waits, is refused, goes on.

use super::*;
use crate::{Delivery, RequestError};
use std::cell::Cell;

fn bounded(requests: usize, bytes: usize) -> ConnectionOptions {
    ConnectionOptions { in_flight_requests_max: requests, in_flight_bytes_max: bytes, ..options() }
}

/// Answers one request each second, and notes how many were there unanswered at most.
fn slow_server(
    most: Rc<Cell<usize>>,
) -> impl Fn(Peer) -> std::pin::Pin<Box<dyn Future<Output = ()>>> {
    move |mut peer: Peer| {
        let most = most.clone();
        Box::pin(async move {
            peer.negotiate().await;
            let mut unanswered = std::collections::VecDeque::new();
            loop {
                let pause = peer.ring.clone();
                match pause.timeout(Duration::from_secs(1), peer.receive()).await {
                    Some(Some(asked)) => unanswered.push_back(asked),
                    Some(None) => return,
                    None => {
                        most.set(most.get().max(unanswered.len()));
                        if let Some(asked) = unanswered.pop_front() {
                            peer.respond(&asked, &asked.body).await;
                        }
                    }
                }
            }
        })
    }
}

#[test]
fn a_send_waits_for_room_and_goes_on() {
    let most = Rc::new(Cell::new(0));
    calm(slow_server(most.clone()), |ring, address| async move {
        let connection = open_with(&ring, address, &bounded(3, usize::MAX)).await;
        let started = ring.now();
        let senders: Vec<_> = (0..10)
            .map(|nth: usize| {
                let connection = connection.clone();
                ring.spawn(async move {
                    let pending = connection.send(request(pattern(nth, 10))).await.unwrap();
                    assert!(connection.in_flight_requests() <= 3);
                    assert_eq!(pending.await.unwrap().body, pattern(nth, 10));
                })
            })
            .collect();
        ring.sleep(Duration::from_millis(500)).await;
        assert_eq!(connection.in_flight_requests(), 3);
        let refused = connection.try_send(request("")).map(drop).unwrap_err();
        assert!(matches!(refused, RequestError::Full) && !refused.may_have_arrived());
        for sender in senders {
            sender.await;
        }
        assert!(ring.now().since(started) >= Duration::from_secs(10));
        assert_eq!(connection.in_flight_requests(), 0);
        connection.try_send(request("")).expect("there is room again").await.unwrap();
    });
    assert_eq!(most.get(), 3);
}

#[test]
fn bytes_count_and_one_that_is_too_large_goes_alone() {
    let most = Rc::new(Cell::new(0));
    calm(slow_server(most.clone()), |ring, address| async move {
        let connection = open_with(&ring, address, &bounded(100, 1000)).await;
        let first = connection.try_send(request(pattern(0, 600))).unwrap();
        let exact = connection.try_send(request(pattern(0, 400))).expect("exactly to the limit");
        assert!(connection.try_send(request(pattern(0, 1))).is_err());
        first.await.unwrap();
        exact.await.unwrap();
        let large = connection.try_send(request(pattern(0, 5000))).expect("nothing else is there");
        assert!(connection.try_send(request("")).is_err());
        let small = connection.send(request("small")).await.unwrap();
        assert_eq!(connection.in_flight_requests(), 1, "only after the large one");
        assert_eq!(large.await.unwrap().body.len(), 5000);
        assert_eq!(small.await.unwrap().body, b"small"[..]);
    });
    assert_eq!(most.get(), 2);
}

#[test]
fn nobody_overtakes_and_one_who_goes_gives_up_the_place() {
    calm(slow_server(Rc::default()), |ring, address| async move {
        let connection = open_with(&ring, address, &bounded(2, 1000)).await;
        let first = connection.try_send(request(pattern(0, 800))).unwrap();
        // Waits for bytes that are not there, and is not overtaken by one that would fit.
        let waits = connection.send(request(pattern(0, 900)));
        assert!(ring.timeout(Duration::from_millis(100), waits).await.is_none());
        let small = connection.try_send(request(pattern(0, 100))).expect("the other has gone");
        let connection_of_large = connection.clone();
        let large = ring.spawn(async move {
            connection_of_large.send(request(pattern(0, 950))).await.unwrap().await.unwrap();
        });
        ring.sleep(Duration::from_millis(10)).await;
        first.await.unwrap();
        assert_eq!(connection.in_flight_requests(), 1, "the large one still waits");
        assert!(connection.try_send(request(pattern(0, 1))).is_err(), "another waits");
        small.await.unwrap();
        large.await;
    });
}

#[test]
fn who_goes_lets_the_next_one_through() {
    let serve = |mut peer: Peer| async move {
        peer.negotiate().await;
        peer.stay_silent().await;
    };
    calm(serve, |ring, address| async move {
        let connection = open_with(&ring, address, &bounded(10, 1000)).await;
        let _in_flight = connection.try_send(request(pattern(0, 600))).unwrap();
        let (first, ring_of_task) = (connection.clone(), ring.clone());
        ring.spawn(async move {
            let waits = first.send(request(pattern(0, 900)));
            assert!(ring_of_task.timeout(Duration::from_secs(1), waits).await.is_none());
        });
        ring.sleep(Duration::from_millis(500)).await;
        let behind = connection.send(request(pattern(0, 300)));
        let sent = ring.timeout(Duration::from_secs(1), behind).await;
        sent.expect("there is room once the first has gone").unwrap();
        assert_eq!(connection.in_flight_requests(), 2);
    });
}

#[test]
fn room_that_was_given_to_one_who_has_gone_goes_to_the_next() {
    // The room and the end of the patience come in any order, over the seeds.
    for seed in 0..200 {
        let client = |ring: Ring, address| async move {
            let connection = open_with(&ring, address, &bounded(1, 1000)).await;
            let senders: Vec<_> = (0..20)
                .map(|_| {
                    let (connection, ring_of_task) = (connection.clone(), ring.clone());
                    let patience = Duration::from_nanos(ring.random_u64() % 3_000_000);
                    ring.spawn(async move {
                        ring_of_task.timeout(patience, connection.send(request("?"))).await;
                    })
                })
                .collect();
            for sender in senders {
                sender.await;
            }
            let last = connection.send(request("last")).await.unwrap().await.unwrap();
            assert_eq!(last.body, b"last"[..]);
            assert_eq!(connection.in_flight_requests(), 0);
        };
        with_server(seed, SimOptions::calm(), Peer::echo, client);
    }
}

#[test]
fn an_end_sends_away_those_who_wait() {
    calm(slow_server(Rc::default()), |ring, address| async move {
        let connection = open_with(&ring, address, &bounded(1, 1000)).await;
        let in_flight = connection.try_send(request("")).unwrap();
        let senders: Vec<_> = (0..3)
            .map(|_| {
                let connection = connection.clone();
                ring.spawn(async move { connection.send(request("")).await.map(drop) })
            })
            .collect();
        ring.sleep(Duration::from_millis(10)).await;
        connection.close();
        for sender in senders {
            let error = sender.await.unwrap_err();
            assert!(!error.may_have_arrived(), "{error}");
        }
        assert_eq!(in_flight.await.unwrap_err().delivery, Delivery::Unknown);
        assert!(connection.send(request("")).await.is_err());
    });
}

#[test]
fn a_call_does_not_wait_for_room_for_ever() {
    let serve = |mut peer: Peer| async move {
        peer.negotiate().await;
        peer.stay_silent().await;
    };
    calm(serve, |ring, address| async move {
        let connection = open_with(&ring, address, &bounded(1, 1000)).await;
        let _in_flight = connection.try_send(request("")).unwrap();
        let request = protocol::messages::ListGroupsRequest::default();
        let error = connection.call(&request, 0, Duration::from_secs(1)).await.unwrap_err();
        assert!(matches!(error, RequestError::NotInTime { .. }), "{error}");
        assert!(!error.may_have_arrived() && !connection.is_disconnected());
    });
}
