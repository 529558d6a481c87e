//! Streams: order, sizes, ends.

use super::*;
use crate::{ListenOptions, MovingStream, OpenOptions, Stream, spawn_core};
use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
};

pub(super) fn any_port() -> SocketAddr {
    "127.0.0.1:0".parse().expect("a valid address")
}

/// Two ends of a connection.
pub(super) async fn pair(ring: &Ring) -> (Stream, Stream) {
    let listener = ring.listen(any_port(), ListenOptions::default()).expect("a free port");
    let accepted = {
        let (ring, listener) = (ring.clone(), listener.clone());
        ring.clone().spawn(async move { ring.accept(&listener).await })
    };
    let near = ring.connect(listener.local_addr()).await.expect("connects");
    let far = accepted.await.expect("accepts");
    assert_eq!((near.local_addr(), near.peer_addr()), (far.peer_addr(), far.local_addr()));
    assert_eq!(near.peer_addr(), listener.local_addr());
    (near, far)
}

async fn echo(ring: Ring, stream: Stream) {
    loop {
        let (received, buf) = ring.recv(&stream, BytesMut::new(), 64 << 10).await;
        if received.unwrap_or(0) == 0 || ring.send(&stream, vec![buf.freeze()]).await.is_err() {
            return;
        }
    }
}

#[test]
fn echo_of_pipelined_messages_of_all_sizes() {
    on_each(|ring| async move {
        let (near, far) = pair(&ring).await;
        ring.spawn(echo(ring.clone(), far));
        let sizes = [1, 100, 1 << 10, 64 << 10, 4 << 20, 3, 1 << 20];
        let sender = {
            let (ring, near) = (ring.clone(), near.clone());
            ring.clone().spawn(async move {
                let mut at = 0;
                for size in sizes {
                    // In pieces of uneven sizes, some empty, more of them than one call takes.
                    let message = pattern(at, size);
                    let step = size.div_ceil(300);
                    let mut pieces = vec![Bytes::new()];
                    pieces.extend(
                        (0..size)
                            .step_by(step)
                            .map(|from| message.slice(from..size.min(from + step))),
                    );
                    ring.send(&near, pieces).await.expect("sends");
                    at += size;
                }
            })
        };
        let mut at = 0;
        for size in sizes {
            let got = recv_exact(&ring, &near, size).await.expect("comes back");
            assert!(got == pattern(at, size), "the {size} bytes from {at} on");
            at += size;
        }
        sender.await;
    });
}

#[test]
fn sends_that_were_not_awaited_keep_their_order() {
    on_each(|ring| async move {
        let (near, far) = pair(&ring).await;
        let senders: Vec<_> = (0..8)
            .map(|nth| {
                let (ring, near) = (ring.clone(), near.clone());
                let message = pattern(nth << 20, 1 << 20);
                ring.clone()
                    .spawn(async move { ring.send(&near, vec![message]).await.expect("sends") })
            })
            .collect();
        assert!(recv_exact(&ring, &far, 8 << 20).await.expect("arrives") == pattern(0, 8 << 20));
        for sender in senders {
            sender.await;
        }
    });
}

#[test]
fn many_connections() {
    on_each(|ring| async move {
        let listener = ring.listen(any_port(), ListenOptions::default()).expect("a free port");
        let addr = listener.local_addr();
        let acceptor = ring.clone();
        ring.spawn(async move {
            while let Ok(stream) = acceptor.accept(&listener).await {
                acceptor.spawn(echo(acceptor.clone(), stream));
            }
        });
        let clients: Vec<_> = (0..200)
            .map(|client| {
                let ring = ring.clone();
                ring.clone().spawn(async move {
                    let stream = ring.connect(addr).await.expect("connects");
                    for round in 0..10 {
                        let message = pattern(client * 1000 + round, 100 + client);
                        ring.send(&stream, vec![message.clone()]).await.expect("sends");
                        assert_eq!(
                            recv_exact(&ring, &stream, message.len()).await.expect("comes back"),
                            message
                        );
                    }
                })
            })
            .collect();
        for client in clients {
            client.await;
        }
    });
}

#[test]
fn connecting_to_nobody_is_refused() {
    on_each(|ring| async move {
        let closed =
            ring.listen(any_port(), ListenOptions::default()).expect("a free port").local_addr();
        let error = ring.connect(closed).await.expect_err("no socket listens");
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    });
}

#[test]
fn a_peer_that_closes_ends_receives_and_breaks_sends() {
    on_each(|ring| async move {
        let (near, far) = pair(&ring).await;
        let sender = {
            let (ring, near) = (ring.clone(), near.clone());
            ring.clone().spawn(async move { ring.send(&near, vec![pattern(0, 64 << 20)]).await })
        };
        recv_exact(&ring, &far, 1000).await.expect("the send is under way");
        drop(far);
        sender.await.expect_err("the peer does not take the rest");
        let (received, _) = ring.recv(&near, BytesMut::new(), 10).await;
        // The peer closed with bytes unread, so this may be a reset as well as an end.
        assert!(matches!(received, Ok(0)) || received.is_err());
    });
}

#[test]
fn a_receive_that_waits_for_more_gets_all_of_it() {
    on_each(|ring| async move {
        const PIECE: usize = 5000;
        let (near, far) = pair(&ring).await;
        let sender = {
            let ring = ring.clone();
            ring.clone().spawn(async move {
                for piece in 0..9 {
                    ring.send(&far, vec![pattern(piece * PIECE, PIECE)]).await.expect("sends");
                    ring.sleep(Duration::from_millis(1)).await;
                }
                far
            })
        };
        let mut buf = BytesMut::new();
        // The level of one receive is not the next one's.
        for wanted in [3 * PIECE, 1, 4 * PIECE, 6 * PIECE, 6 * PIECE, 8 * PIECE, 9 * PIECE] {
            while buf.len() < wanted {
                let missing = wanted - buf.len();
                let received;
                (received, buf) = ring.recv_at_least(&near, buf, missing, missing).await;
                assert_ne!(received.expect("arrives"), 0);
            }
        }
        assert!(buf == pattern(0, 9 * PIECE));
        // What was enough before it was waited for, and what never becomes enough.
        let far = sender.await;
        ring.send(&far, vec![pattern(0, 2 * PIECE)]).await.expect("sends");
        ring.sleep(Duration::from_millis(5)).await;
        let (received, _) = ring.recv_at_least(&near, BytesMut::new(), PIECE, PIECE).await;
        assert_eq!(received.expect("it is there"), PIECE);
        drop(far);
        let (received, _) = ring.recv_at_least(&near, BytesMut::new(), 2 * PIECE, 2 * PIECE).await;
        assert_eq!(received.expect("an end leaves nothing to wait for"), PIECE);
        let (received, _) = ring.recv_at_least(&near, BytesMut::new(), 2 * PIECE, 2 * PIECE).await;
        assert_eq!(received.expect("an end, not an error"), 0);
    });
}

#[test]
fn shutdown_wakes_what_waits() {
    on_each(|ring| async move {
        let (near, far) = pair(&ring).await;
        let waiting = {
            let (ring, near) = (ring.clone(), near.clone());
            ring.clone().spawn(async move { ring.recv(&near, BytesMut::new(), 10).await })
        };
        let sending = {
            let (ring, near) = (ring.clone(), near.clone());
            ring.clone().spawn(async move { ring.send(&near, vec![pattern(0, 64 << 20)]).await })
        };
        ring.sleep(Duration::from_millis(20)).await;
        ring.shutdown(&near);
        assert_eq!(waiting.await.0.expect("an end, not an error"), 0);
        sending.await.expect_err("the stream has ended");
        drop(far);
    });
}

#[test]
fn a_dropped_receive_takes_nothing_that_comes_later() {
    on_each(|ring| async move {
        let (near, far) = pair(&ring).await;
        for round in 0..20 {
            let waited = ring
                .timeout(Duration::from_millis(2), ring.recv(&near, BytesMut::new(), 100))
                .await;
            assert!(waited.is_none(), "nothing was sent");
            // The cancelled receive has ended one turn later.
            ring.sleep(Duration::from_millis(2)).await;
            let message = pattern(round, 50);
            ring.send(&far, vec![message.clone()]).await.expect("sends");
            assert_eq!(recv_exact(&ring, &near, 50).await.expect("arrives"), message);
        }
    });
}

/// Bytes that say when they are freed.
struct Tracked(Vec<u8>, Arc<AtomicBool>);

impl AsRef<[u8]> for Tracked {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Tracked {
    fn drop(&mut self) {
        self.1.store(true, Ordering::SeqCst);
    }
}

#[test]
fn a_dropped_send_keeps_its_buffers_until_it_ends_and_breaks_the_stream() {
    on_each(|ring| async move {
        let (near, far) = pair(&ring).await;
        let freed = Arc::new(AtomicBool::new(false));
        let message = Bytes::from_owner(Tracked(pattern(0, 64 << 20).to_vec(), freed.clone()));
        let sent = ring.timeout(Duration::from_millis(50), ring.send(&near, vec![message])).await;
        assert!(sent.is_none(), "the peer reads nothing");
        while !freed.load(Ordering::SeqCst) {
            ring.sleep(Duration::from_millis(1)).await;
        }
        // What had left is a prefix of the message, then the stream ends.
        let (mut at, mut buf) = (0, BytesMut::new());
        loop {
            buf.clear();
            let received;
            (received, buf) = ring.recv(&far, buf, 1 << 20).await;
            let Ok(bytes @ 1..) = received else { break };
            assert!(buf == pattern(at, bytes));
            at += bytes;
        }
        assert!(at < 64 << 20);
        ring.send(&near, vec![pattern(0, 1)]).await.expect_err("half a message was sent");
    });
}

#[test]
fn a_dropped_accept_lets_go_of_its_listener() {
    on_each(|ring| async move {
        let listener = ring.listen(any_port(), ListenOptions::default()).expect("a free port");
        let addr = listener.local_addr();
        assert!(ring.timeout(Duration::from_millis(5), ring.accept(&listener)).await.is_none());
        drop(listener);
        let exclusive = ListenOptions { reuse_port: false, ..ListenOptions::default() };
        while ring.listen(addr, exclusive).is_err() {
            ring.sleep(Duration::from_millis(1)).await;
        }
    });
}

/// Sends to the echoing peer at `address`, and reads the echo, `rounds` times.
fn send_and_read(address: SocketAddr, rounds: usize) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        let mut stream = TcpStream::connect(address).expect("connects");
        for round in 0..rounds {
            let (message, mut back) = (pattern(round, 1000), [0; 1000]);
            stream.write_all(&message).expect("sends");
            stream.read_exact(&mut back).expect("comes back");
            assert!(message == back[..], "round {round}");
        }
    })
}

#[test]
fn a_stream_moves_to_another_core_and_leaves_nothing_behind() {
    on_each(|ring| async move {
        // The other core waits for streams without a doorbell; it has nothing else to do.
        let (give, take) = mpsc::channel::<MovingStream>();
        let home = spawn_core(options(ring.backend()), move |ring| async move {
            while let Ok(stream) = take.recv() {
                echo(ring.clone(), ring.adopt(stream).expect("adopts")).await;
            }
        });
        let listener = ring.listen(any_port(), ListenOptions::default()).expect("a free port");
        // The sockets of one after the other have the same number.
        for round in 0..10 {
            let rounds = if round == 0 { 5000 } else { 1 };
            let client = send_and_read(listener.local_addr(), rounds);
            let accepted = ring.accept(&listener).await.expect("accepts");
            // What has come by now is the other core's to read.
            ring.sleep(Duration::from_millis(5)).await;
            give.send(ring.release(accepted)).expect("the other core lives");
            let (before, slept) = (ring.turns().turns, Duration::from_millis(200));
            if round == 0 {
                ring.sleep(slept).await;
                let turns = ring.turns().turns - before;
                assert!(
                    turns <= 6,
                    "{turns} turns of a core that has nothing to do with the stream any more"
                );
            }
            while !client.is_finished() {
                ring.sleep(Duration::from_millis(1)).await;
            }
            client.join().expect("everything comes back");
        }
        drop(give);
        home.expect("the core starts").join().expect("the core ends").expect("the core runs");
    });
}

#[test]
fn a_stream_that_is_dropped_between_two_cores_ends() {
    on_each(|ring| async move {
        let (near, far) = pair(&ring).await;
        drop(ring.release(far));
        let (received, _) = ring.recv(&near, BytesMut::new(), 10).await;
        assert_eq!(received.expect("an end, not an error"), 0);
    });
}

#[test]
#[should_panic(expected = "has no second handle")]
fn a_stream_that_somebody_else_has_stays() {
    let moved = run(options(BackendKind::Epoll), |ring| async move {
        let (near, _far) = pair(&ring).await;
        let _other = near.clone();
        ring.release(near)
    });
    drop(moved);
}

#[test]
fn files_are_sent_as_they_are() {
    let scratch = Rc::new(Scratch::new("send-file"));
    on_each(|ring| {
        let scratch = scratch.clone();
        async move {
            const SIZE: usize = 20 << 20;
            let content = pattern(0, SIZE);
            let file =
                ring.open(scratch.path("content"), OpenOptions::write()).await.expect("opens");
            ring.write_at(&file, vec![content.clone()], 0).await.expect("writes");
            ring.sync_data(&file).await.expect("syncs");
            let (near, far) = pair(&ring).await;
            for (offset, length) in
                [(0, 0), (0, 1), (5, 100_000), (4095, 1 << 20), (0, SIZE), (SIZE - 7, 7)]
            {
                // The second half finds part of the file on disk only.
                evict(&scratch.path("content"));
                let sender = {
                    let (ring, near, file) = (ring.clone(), near.clone(), file.clone());
                    let (offset, length) = (offset as u64, length as u64);
                    ring.clone().spawn(async move {
                        ring.send_file(&near, &file, offset, length, file.stable(SIZE as u64))
                            .await
                            .expect("sends the file");
                        ring.send(&near, vec![Bytes::from_static(b"end")])
                            .await
                            .expect("sends behind it");
                    })
                };
                let got = recv_exact(&ring, &far, length).await.expect("arrives");
                assert!(got == content[offset..offset + length], "{length} bytes from {offset} on");
                assert_eq!(recv_exact(&ring, &far, 3).await.expect("arrives"), &b"end"[..]);
                sender.await;
            }
        }
    });
}

#[test]
fn a_send_gets_on_as_its_peer_takes_bytes() {
    on_each(|ring| async move {
        const SIZE: usize = 32 << 20;
        let (near, far) = pair(&ring).await;
        let sender = {
            let (ring, near) = (ring.clone(), near.clone());
            ring.clone().spawn(async move { ring.send(&near, vec![pattern(0, SIZE)]).await })
        };
        // Until both sockets are full.
        let mut taken = (0, 1);
        while taken.0 != taken.1 {
            ring.sleep(Duration::from_millis(50)).await;
            taken = (ring.taken_by_peer(&near), taken.0);
        }
        assert!(taken.0 < SIZE as u64);
        recv_exact(&ring, &far, SIZE / 2).await.expect("arrives");
        ring.sleep(Duration::from_millis(50)).await;
        assert!(ring.taken_by_peer(&near) > taken.0, "half of it was read");
        recv_exact(&ring, &far, SIZE - SIZE / 2).await.expect("arrives");
        sender.await.expect("sends all");
    });
}

#[test]
fn a_file_shorter_than_promised_is_an_error() {
    let scratch = Rc::new(Scratch::new("short-file"));
    on_each(|ring| {
        let scratch = scratch.clone();
        async move {
            let file = ring.open(scratch.path("short"), OpenOptions::write()).await.expect("opens");
            ring.write_at(&file, vec![pattern(0, 10_000)], 0).await.expect("writes");
            let (near, far) = pair(&ring).await;
            let error = ring
                .send_file(&near, &file, 1000, 20_000, file.stable(21_000))
                .await
                .expect_err("only 9000 are there");
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
            assert!(
                recv_exact(&ring, &far, 9000).await.expect("what was there") == pattern(1000, 9000)
            );
        }
    });
}

#[test]
fn a_dropped_transfer_breaks_the_stream() {
    let scratch = Rc::new(Scratch::new("dropped-transfer"));
    on_each(|ring| {
        let scratch = scratch.clone();
        async move {
            let file = ring.open(scratch.path("large"), OpenOptions::write()).await.expect("opens");
            ring.write_at(&file, vec![pattern(0, 32 << 20)], 0).await.expect("writes");
            for wait_ms in [0, 1, 30] {
                evict(&scratch.path("large"));
                let (near, far) = pair(&ring).await;
                let sent = ring.send_file(&near, &file, 0, 32 << 20, file.stable(32 << 20));
                assert!(
                    ring.timeout(Duration::from_millis(wait_ms), sent).await.is_none(),
                    "the peer reads nothing"
                );
                recv_exact(&ring, &far, 32 << 20).await.expect_err("the rest never comes");
            }
        }
    });
}
