//! Many seeds: messages of random sizes over connections that break in all the ways that the
//! simulated network knows, to a server that also closes by itself.

use super::*;
use crate::{Node, NodeOptions, RequestError, Resolver};
use bytes::{BufMut, BytesMut};
use std::{
    cell::Cell,
    collections::{HashMap, HashSet},
};

const SEEDS: u64 = 300;
const CALLERS: u64 = 4;
const REQUESTS: u64 = 12;
const IN_FLIGHT_MAX: usize = 3;

/// What both sides have seen of one world.
#[derive(Default)]
struct Seen {
    /// Requests, by number, that the server has read.
    served: RefCell<HashSet<u64>>,
    /// By connection: the numbers of the requests as the server read them.
    orders: RefCell<HashMap<usize, Vec<u64>>>,
    answered: Cell<u64>,
    not_sent: Cell<u64>,
    unknown: Cell<u64>,
}

/// A number, and bytes that follow from it.
fn body(number: u64, length: usize) -> Bytes {
    let mut body = BytesMut::new();
    body.put_u64(number);
    body.put_slice(&pattern(number as usize, length));
    body.freeze()
}

async fn serve(mut peer: Peer, seen: Rc<Seen>) {
    peer.negotiate().await;
    while let Some(asked) = peer.receive().await {
        let number = u64::from_be_bytes(*asked.body.first_chunk().expect("each has a number"));
        assert!(seen.served.borrow_mut().insert(number), "request {number} came twice");
        seen.orders.borrow_mut().entry(peer.number).or_default().push(number);
        match peer.ring.random_u64() % 40 {
            0 => return,
            // Half an answer, and the end.
            1 => {
                let response = asked.response(&asked.body);
                return peer.send(response.slice(..response.len() / 2)).await;
            }
            // So late that the client may have lost patience.
            2 => peer.ring.sleep(Duration::from_secs(3)).await,
            _ => {}
        }
        peer.respond(&asked, &asked.body).await;
    }
}

async fn call(ring: &Ring, node: &Node, seen: &Seen, number: u64) {
    let length = (ring.random_u64() % (1 << (ring.random_u64() % 18))) as usize;
    let body = body(number, length);
    let response = async {
        let connection = node.connection().await?;
        let sent = request(body.clone()).within(Duration::from_secs(2));
        let pending = connection.send(sent).await?;
        assert!(connection.in_flight_requests() <= IN_FLIGHT_MAX);
        Ok::<_, RequestError>(pending.await?)
    };
    match response.await {
        Ok(response) => {
            assert!(response.body == body, "request {number} got another's answer");
            seen.answered.set(seen.answered.get() + 1);
        }
        Err(error) if error.may_have_arrived() => seen.unknown.set(seen.unknown.get() + 1),
        Err(error) => {
            let served = seen.served.borrow().contains(&number);
            assert!(!served, "request {number} was served, and yet: {error}");
            seen.not_sent.set(seen.not_sent.get() + 1);
        }
    }
}

async fn callers(ring: Ring, address: SocketAddr, seen: Rc<Seen>) -> Rc<Seen> {
    let connection = ConnectionOptions { in_flight_requests_max: IN_FLIGHT_MAX, ..options() };
    let options = NodeOptions::new(connection);
    let node = Rc::new(Node::new(&ring, &address.to_string(), Resolver::none(), options));
    let tasks: Vec<_> = (0..CALLERS)
        .map(|caller| {
            let (ring_of_task, node, seen) = (ring.clone(), node.clone(), seen.clone());
            ring.spawn(async move {
                for nth in 0..REQUESTS {
                    call(&ring_of_task, &node, &seen, caller * REQUESTS + nth).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await;
    }
    seen
}

#[test]
fn each_request_ends_once_and_none_that_was_served_counts_as_not_sent() {
    let (mut answered, mut not_sent, mut unknown) = (0, 0, 0);
    for seed in 0..SEEDS {
        let mut options = SimOptions::stormy(seed);
        if seed % 3 == 0 {
            options.network.break_per_million = 20_000;
        }
        let seen = Rc::<Seen>::default();
        let seen_by_server = seen.clone();
        let seen = with_server(
            seed,
            options,
            move |peer| serve(peer, seen_by_server.clone()),
            move |ring, address| callers(ring, address, seen),
        );
        let ends = seen.answered.get() + seen.not_sent.get() + seen.unknown.get();
        assert_eq!(ends, CALLERS * REQUESTS, "seed {seed}");
        // A caller sends its next request after the end of the last one.
        for order in seen.orders.borrow().values() {
            for caller in 0..CALLERS {
                let own = order.iter().filter(|number| *number / REQUESTS == caller);
                assert!(own.is_sorted(), "seed {seed}: {order:?}");
            }
        }
        answered += seen.answered.get();
        not_sent += seen.not_sent.get();
        unknown += seen.unknown.get();
    }
    // All three happen, so that the assertions above look at something.
    assert!(answered > 1000 && not_sent > 10 && unknown > 100, "{answered} {not_sent} {unknown}");
}

#[test]
fn a_seed_repeats() {
    let hash = |seed| {
        let options = SimOptions::stormy(seed);
        let world = World::new(seed, options);
        let (server, near) = (world.node("server"), world.node("client"));
        let address = SocketAddr::new(world.address(server), PORT);
        let seen = Rc::<Seen>::default();
        let seen_by_server = seen.clone();
        world.start_core(server, 0, |ring| {
            accept_each(ring, PORT, move |peer| serve(peer, seen_by_server.clone()))
        });
        world.start_core(near, 0, move |ring| async move {
            callers(ring, address, seen).await;
        });
        world.run_for(Duration::from_secs(60));
        let hash = world.trace_hash();
        world.close();
        hash
    };
    for seed in 0..10 {
        assert_eq!(hash(seed), hash(seed), "seed {seed}");
    }
}
