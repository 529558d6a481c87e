//! Connections: order, pieces, ends, breaks and partitions.

use super::*;
use crate::{ListenOptions, Stream};
use std::{io::ErrorKind, net::SocketAddr, rc::Rc};

fn two(seed: u64, options: SimOptions) -> (World, NodeId, NodeId, SocketAddr) {
    let world = World::new(seed, options);
    let (server, client) = (world.node("server"), world.node("client"));
    let address = SocketAddr::new(world.address(server), 9092);
    (world, server, client, address)
}

/// A server that gives its one connection to `serve`.
fn serve<T: 'static, F: Future<Output = T> + 'static>(
    world: &World,
    node: NodeId,
    serve: impl FnOnce(Ring, Stream) -> F + 'static,
) -> Rc<RefCell<Option<T>>> {
    let result = start(world, node, |ring| async move {
        let listener =
            ring.listen("0.0.0.0:9092".parse().unwrap(), ListenOptions::default()).unwrap();
        let stream = ring.accept(&listener).await.unwrap();
        serve(ring, stream).await
    });
    world.run_for(Duration::from_millis(1));
    result
}

fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|index| (index * 7 + index / 251) as u8).collect()
}

#[test]
fn bytes_arrive_in_order_in_pieces_of_any_size() {
    let sizes = Rc::new(RefCell::new(std::collections::BTreeSet::new()));
    for seed in SEEDS {
        let mut options = SimOptions::calm();
        options.network.short_receive_per_million = 300_000;
        options.network.split_per_million = 500_000;
        options.network.window_bytes = 1 << (8 + seed % 10);
        let (world, server, client, address) = two(seed, options);
        let seen = sizes.clone();
        let received = serve(&world, server, |ring, stream| async move {
            let mut all = Vec::new();
            loop {
                let (result, buf) = ring.recv(&stream, BytesMut::new(), 5000).await;
                match result.unwrap() {
                    0 => return all,
                    size => seen.borrow_mut().insert(size),
                };
                all.extend_from_slice(&buf);
            }
        });
        on(&world, client, move |ring| async move {
            let stream = ring.connect(address).await.unwrap();
            assert_eq!(stream.peer_addr(), address);
            for chunk in pattern(100_000).chunks(7001) {
                let (one, other) = chunk.split_at(chunk.len() / 3);
                ring.send(&stream, vec![one.to_vec().into(), other.to_vec().into()]).await.unwrap();
            }
        });
        assert!(world.run_until(LIMIT, || received.borrow().is_some()));
        assert_eq!(received.take().unwrap(), pattern(100_000));
    }
    let sizes = sizes.borrow();
    assert!((1..=16).all(|size| sizes.contains(&size)) && sizes.len() > 100, "{sizes:?}");
}

#[test]
fn a_file_is_sent_and_a_short_one_breaks_the_stream() {
    let (world, server, client, address) = two(1, SimOptions::calm());
    let received =
        serve(&world, server, |ring, stream| async move { receive_all(&ring, &stream).await });
    on(&world, client, move |ring| async move {
        let file = create(&ring, "/log").await;
        ring.write_at(&file, vec![pattern(300_000).into()], 0).await.unwrap();
        let stream = ring.connect(address).await.unwrap();
        ring.send_file(&stream, &file, 1000, 200_000, file.stable(300_000)).await.unwrap();
        let error =
            ring.send_file(&stream, &file, 299_000, 2000, file.stable(300_000)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
        assert!(ring.send(&stream, vec![Bytes::from_static(b"x")]).await.is_err());
    });
    world.run_for(Duration::from_secs(1));
    assert_eq!(received.take().unwrap().unwrap_err().kind(), ErrorKind::ConnectionReset);
}

#[test]
fn a_send_waits_for_the_reader() {
    let (world, server, client, address) = two(1, SimOptions::calm());
    let received = serve(&world, server, |ring, stream| async move {
        ring.sleep(Duration::from_secs(5)).await;
        receive_all(&ring, &stream).await.unwrap().len()
    });
    let took = on(&world, client, move |ring| async move {
        let stream = ring.connect(address).await.unwrap();
        let began = ring.now();
        ring.send(&stream, vec![vec![0; 1 << 20].into()]).await.unwrap();
        ring.now() - began
    });
    assert!(took > Duration::from_secs(4));
    world.run_for(Duration::from_secs(1));
    assert_eq!(received.take(), Some(1 << 20));
}

#[test]
fn nobody_listens() {
    let (world, server, client, address) = two(1, SimOptions::calm());
    let connect = move |ring: Ring| async move { ring.connect(address).await.unwrap_err().kind() };
    assert_eq!(on(&world, client, connect), ErrorKind::ConnectionRefused);
    world.crash(server);
    let began = world.now();
    assert_eq!(
        on(&world, client, connect),
        ErrorKind::TimedOut,
        "a machine without power does not answer"
    );
    assert!(world.now() - began >= Duration::from_secs(20));
    let nowhere = "10.0.9.9:1".parse().unwrap();
    let kind =
        on(
            &world,
            client,
            move |ring| async move { ring.connect(nowhere).await.unwrap_err().kind() },
        );
    assert_eq!(kind, ErrorKind::HostUnreachable);
}

#[test]
fn a_full_backlog_lets_connects_wait() {
    let (world, server, client, address) = two(1, SimOptions::calm());
    let accepted = start(&world, server, move |ring| async move {
        let options = ListenOptions { backlog: 1, reuse_port: false, ..ListenOptions::default() };
        let listener = ring.listen(address, options).unwrap();
        assert_eq!(ring.listen(address, options).unwrap_err().kind(), ErrorKind::AddrInUse);
        ring.sleep(Duration::from_millis(500)).await;
        let mut streams = Vec::new();
        while streams.len() < 3 {
            streams.push(ring.accept(&listener).await.unwrap());
        }
        streams.len()
    });
    let connected: Vec<_> = (0..3)
        .map(|_| {
            start(&world, client, move |ring| async move { ring.connect(address).await.unwrap() })
        })
        .collect();
    world.run_for(Duration::from_millis(400));
    assert_eq!(connected.iter().filter(|stream| stream.borrow().is_some()).count(), 1);
    assert!(world.run_until(Duration::from_secs(30), || accepted.borrow().is_some()));
}

#[test]
fn connections_spread_over_listeners_of_one_port() {
    let (world, server, client, address) = two(1, SimOptions::calm());
    let counts: Vec<_> = (0..3)
        .map(|_| {
            let count = Rc::new(std::cell::Cell::new(0));
            let counter = count.clone();
            drop(start(&world, server, move |ring| async move {
                let listener = ring.listen(address, ListenOptions::default()).unwrap();
                loop {
                    drop(ring.accept(&listener).await.unwrap());
                    counter.set(counter.get() + 1);
                }
            }));
            count
        })
        .collect();
    world.run_for(Duration::from_millis(1));
    on(&world, client, move |ring| async move {
        for _ in 0..60 {
            drop(ring.connect(address).await.unwrap());
        }
    });
    let counts: Vec<i32> = counts.iter().map(|count| count.get()).collect();
    assert!(
        counts.iter().sum::<i32>() == 60 && counts.iter().all(|&count| count > 5),
        "{counts:?}"
    );
}

#[test]
fn shutdown_ends_both_directions() {
    let (world, server, client, address) = two(1, SimOptions::calm());
    let received =
        serve(&world, server, |ring, stream| async move { receive_all(&ring, &stream).await });
    on(&world, client, move |ring| async move {
        let stream = ring.connect(address).await.unwrap();
        ring.send(&stream, vec![Bytes::from_static(b"last words")]).await.unwrap();
        let (waiting, ring_of_waiting) = (stream.clone(), ring.clone());
        let pending =
            ring.spawn(async move { ring_of_waiting.recv(&waiting, BytesMut::new(), 10).await.0 });
        ring.sleep(Duration::from_millis(1)).await;
        ring.shutdown(&stream);
        assert_eq!(pending.await.unwrap(), 0);
        assert!(ring.send(&stream, vec![Bytes::from_static(b"x")]).await.is_err());
    });
    world.run_for(Duration::from_millis(100));
    assert_eq!(received.take().unwrap().unwrap(), b"last words");
}

#[test]
fn a_cancelled_accept_and_receive_take_nothing() {
    let (world, server, client, address) = two(1, SimOptions::calm());
    let received = start(&world, server, move |ring| async move {
        let listener = ring.listen(address, ListenOptions::default()).unwrap();
        assert!(ring.timeout(Duration::from_millis(5), ring.accept(&listener)).await.is_none());
        let stream = ring.accept(&listener).await.unwrap();
        let receive = ring.recv(&stream, BytesMut::new(), 100);
        assert!(ring.timeout(Duration::from_millis(5), receive).await.is_none());
        receive_all(&ring, &stream).await.unwrap()
    });
    on(&world, client, move |ring| async move {
        ring.sleep(Duration::from_millis(10)).await;
        let stream = ring.connect(address).await.unwrap();
        ring.sleep(Duration::from_millis(50)).await;
        ring.send(&stream, vec![Bytes::from_static(b"hello")]).await.unwrap();
    });
    world.run_for(Duration::from_millis(10));
    assert_eq!(received.take().unwrap(), b"hello");
}

#[test]
fn connections_break_between_any_two_bytes() {
    let mut lengths = std::collections::BTreeSet::new();
    let mut never_told = 0;
    for seed in 0..100 {
        let mut options = SimOptions::calm();
        options.network.break_per_million = 200_000;
        options.network.half_open_per_million = 300_000;
        let (world, server, client, address) = two(seed, options);
        let total = Rc::new(RefCell::new(Vec::new()));
        let all = total.clone();
        let ended = serve(&world, server, |ring, stream| async move {
            loop {
                let (result, buf) = ring.recv(&stream, BytesMut::new(), 100).await;
                all.borrow_mut().extend_from_slice(&buf);
                match result {
                    Ok(0) | Err(_) => return,
                    Ok(_) => {}
                }
            }
        });
        let failed = on(&world, client, move |ring| async move {
            let Ok(stream) = ring.connect(address).await else { return true };
            for chunk in pattern(50_000).chunks(1000) {
                if ring.send(&stream, vec![chunk.to_vec().into()]).await.is_err() {
                    return true;
                }
                ring.sleep(Duration::from_millis(1)).await;
            }
            // No peer answers: this ends with an error, or not at all.
            ring.timeout(Duration::from_secs(45), ring.recv(&stream, BytesMut::new(), 1))
                .await
                .is_some()
        });
        world.run_for(Duration::from_secs(60));
        let total = total.borrow();
        assert!(failed || total.len() == 50_000, "bytes are missing and no error was returned");
        assert_eq!(*total, pattern(50_000)[..total.len()], "a prefix of what was sent");
        never_told += u32::from(ended.borrow().is_none());
        lengths.insert(total.len());
    }
    assert!(lengths.len() > 50 && lengths.iter().any(|length| length % 100 != 0), "{lengths:?}");
    assert!((5..60).contains(&never_told), "{never_told} receivers were never told");
}

#[test]
fn a_partition_holds_bytes_back_until_it_heals() {
    for one_way in [false, true] {
        let (world, server, client, address) = two(3, SimOptions::calm());
        let received = serve(&world, server, |ring, stream| async move {
            receive_all(&ring, &stream).await.unwrap()
        });
        let stream =
            on(
                &world,
                client,
                move |ring| async move { (ring.connect(address).await.unwrap(), ring) },
            );
        if one_way {
            world.partition_one_way(client, server)
        } else {
            world.partition(client, server)
        }
        on(&world, client, move |_| async move {
            let (stream, ring) = stream;
            ring.send(&stream, vec![Bytes::from_static(b"through")]).await.ok();
        });
        world.run_for(Duration::from_secs(20));
        assert!(received.borrow().is_none());
        world.heal(client, server);
        assert!(
            world.run_until(Duration::from_secs(1), || received.borrow().is_some()),
            "one way: {one_way}"
        );
        let received = received.take().unwrap();
        assert!(received == b"through" || !one_way && received.is_empty());
    }
}

/// Three machines, a server on each of the first two, and what those were told.
fn three() -> (World, [NodeId; 3], Rc<RefCell<Vec<u8>>>) {
    let world = World::new(5, SimOptions::calm());
    let nodes = [world.node("a"), world.node("b"), world.node("c")];
    let heard: Rc<RefCell<Vec<u8>>> = Rc::default();
    for node in &nodes[..2] {
        let heard = heard.clone();
        drop(start(&world, *node, move |ring| async move {
            let listener =
                ring.listen("0.0.0.0:9092".parse().unwrap(), ListenOptions::default()).unwrap();
            loop {
                let stream = ring.accept(&listener).await.unwrap();
                let (own, heard) = (ring.clone(), heard.clone());
                drop(ring.spawn(async move {
                    while let (Ok(1..), buf) = own.recv(&stream, BytesMut::new(), 1).await {
                        heard.borrow_mut().push(buf[0]);
                    }
                }));
            }
        }));
    }
    (world, nodes, heard)
}

/// A stream to `server`, on which this name is said every 100 ms.
fn say(world: &World, from: NodeId, server: NodeId, name: u8) {
    let address = SocketAddr::new(world.address(server), 9092);
    drop(start(world, from, move |ring| async move {
        let stream = ring.connect(address).await.unwrap();
        while ring.send(&stream, vec![vec![name].into()]).await.is_ok() {
            ring.sleep(Duration::from_millis(100)).await;
        }
    }));
}

#[test]
fn a_cut_between_two_nodes_leaves_a_third_alone() {
    let (world, [a, b, c], heard) = three();
    world.run_for(Duration::from_millis(1));
    let ways = [(a, b, b'1'), (b, a, b'2'), (c, a, b'3'), (c, b, b'4')];
    ways.into_iter().for_each(|(from, to, name)| say(&world, from, to, name));
    // Who was heard within a second.
    let names = || {
        world.run_for(Duration::from_millis(50));
        heard.borrow_mut().clear();
        world.run_for(Duration::from_secs(1));
        let mut names = heard.borrow().clone();
        names.sort_unstable();
        names.dedup();
        String::from_utf8(names).unwrap()
    };
    assert_eq!(names(), "1234");
    world.partition(a, b);
    assert_eq!(names(), "34");
    world.heal(b, a);
    assert_eq!(names(), "1234");
    world.partition_one_way(a, b);
    assert_eq!(names(), "234", "the other direction, and the third node, go on");
    world.partition(a, c);
    assert_eq!(names(), "24");
    world.heal(a, b);
    assert_eq!(names(), "124", "the cut to the third node stays");
    world.heal_all();
    assert_eq!(names(), "1234");
}

#[test]
fn a_long_partition_ends_the_senders_connection() {
    // Blocking the acknowledgements alone delivers the bytes, and ends the connection all the same.
    for acknowledgements_only in [false, true] {
        let (world, server, client, address) = two(3, SimOptions::calm());
        let first = serve(&world, server, |ring, stream| async move {
            ring.recv(&stream, BytesMut::new(), 100).await.0.map(|_| stream)
        });
        let kind = start(&world, client, move |ring| async move {
            let stream = ring.connect(address).await.unwrap();
            ring.sleep(Duration::from_secs(1)).await;
            ring.send(&stream, vec![Bytes::from_static(b"x")]).await.unwrap();
            ring.recv(&stream, BytesMut::new(), 1).await.0.unwrap_err().kind()
        });
        world.run_for(Duration::from_millis(1_001));
        world.partition_one_way(
            if acknowledgements_only { server } else { client },
            if acknowledgements_only { client } else { server },
        );
        world.run_for(Duration::from_secs(20));
        assert!(kind.borrow().is_none());
        world.run_for(Duration::from_secs(20));
        assert_eq!(kind.take(), Some(ErrorKind::TimedOut));
        assert_eq!(first.borrow().is_some(), acknowledgements_only);
        let blocked = on(&world, client, move |ring| async move {
            ring.connect(address).await.unwrap_err().kind()
        });
        assert_eq!(blocked, ErrorKind::TimedOut);
    }
}

#[test]
fn the_end_of_a_process_ends_its_connections() {
    for (power_cut, half_open) in [(false, 0), (true, 0), (true, 1_000_000)] {
        let mut options = SimOptions::calm();
        options.network.half_open_per_million = half_open;
        let (world, server, client, address) = two(3, options);
        drop(serve(&world, server, |ring, stream| async move {
            ring.sleep(LIMIT).await;
            drop(stream);
        }));
        let ended = start(&world, client, move |ring| async move {
            let stream = ring.connect(address).await.unwrap();
            let (result, _) = ring.recv(&stream, BytesMut::new(), 1).await;
            result.is_err()
        });
        let silent = start(&world, client, move |ring| async move {
            let stream = ring.connect(address).await.unwrap();
            ring.sleep(Duration::from_secs(30)).await;
            ring.send(&stream, vec![Bytes::from_static(b"anybody?")]).await.ok();
            ring.sleep(Duration::from_secs(1)).await;
            ring.recv(&stream, BytesMut::new(), 1).await.0.is_err()
        });
        world.run_for(Duration::from_millis(100));
        if power_cut {
            world.crash(server)
        } else {
            world.kill(server)
        }
        world.run_for(Duration::from_secs(1));
        assert_eq!(*ended.borrow(), if half_open > 0 { None } else { Some(power_cut) });
        // Its kernel is back, and knows nothing of the old connections.
        on(&world, server, |ring| async move { ring.sleep(Duration::from_secs(1)).await });
        world.run_for(Duration::from_secs(60));
        assert_eq!(silent.take(), Some(true));
    }
}

#[test]
fn a_stream_moves_to_another_core_of_its_machine() {
    for seed in SEEDS {
        let (world, server, client, address) = two(seed, SimOptions::calm());
        let moving = Rc::new(RefCell::new(None));
        let (given, taken) = (moving.clone(), moving);
        let received = start(&world, server, |ring| async move {
            loop {
                let moving = taken.borrow_mut().take();
                match moving {
                    Some(stream) => {
                        break receive_all(&ring, &ring.adopt(stream).unwrap()).await.unwrap();
                    }
                    None => ring.sleep(Duration::from_millis(1)).await,
                }
            }
        });
        let gave = serve(&world, server, |ring, stream| async move {
            // The first bytes come before a task has it.
            let stream = ring.release(stream);
            ring.sleep(Duration::from_millis(50)).await;
            *given.borrow_mut() = Some(stream);
        });
        on(&world, client, move |ring| async move {
            let stream = ring.connect(address).await.unwrap();
            ring.send(&stream, vec![pattern(10_000).into()]).await.unwrap();
            ring.sleep(Duration::from_millis(100)).await;
            ring.send(&stream, vec![pattern(100_000).into()]).await.unwrap();
        });
        assert!(world.run_until(LIMIT, || received.borrow().is_some()));
        assert!(gave.borrow().is_some());
        assert!(received.take().unwrap() == [pattern(10_000), pattern(100_000)].concat());
    }
}
