//! The back-ends without an executor: each operation completes once, whatever is cancelled or
//! refused, and says how far it came.

use super::*;
use crate::{
    ListenOptions, Stream,
    backend::{Backend, Wait},
    blocking::os_file,
    epoll::Epoll,
    faults::{self, Call},
    file::File,
    op::{Completion, Op, Outcome, Token},
    sys,
    uring::Uring,
};
use rustc_hash::FxHashMap;
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

/// A back-end, the operations that it has, and what it has given back.
struct Driver {
    backend: Box<dyn Backend>,
    next: u64,
    /// With the names of the operations.
    waiting: FxHashMap<Token, &'static str>,
    ended: FxHashMap<Token, (Op, io::Result<Outcome>)>,
}

fn on_each_backend(test: impl Fn(&mut Driver)) {
    let mut backends: Vec<Box<dyn Backend>> = vec![Box::new(Epoll::new("test").expect("starts"))];
    if kinds().contains(&BackendKind::IoUring) {
        backends.push(Box::new(Uring::new("test").expect("starts")));
        for ring in older("test") {
            backends.push(Box::new(ring.expect("flags may be left out")));
        }
    }
    for backend in backends {
        let mut driver =
            Driver { backend, next: 0, waiting: FxHashMap::default(), ended: FxHashMap::default() };
        test(&mut driver);
        assert_eq!(faults::clear(), 0, "faults that were planned have not happened");
        driver.end();
    }
}

impl Driver {
    fn submit(&mut self, op: Op) -> Token {
        let token = Token(self.next);
        self.next += 1;
        self.waiting.insert(token, op.name());
        self.backend.submit(token, op);
        token
    }

    /// Takes what has completed, once each.
    fn poll(&mut self, wait: Wait) {
        let mut completions = Vec::new();
        self.backend.set_sleeping(true);
        self.backend.poll(wait, &mut completions);
        self.backend.set_sleeping(false);
        for Completion { token, op, result } in completions {
            assert!(
                self.waiting.remove(&token).is_some(),
                "{token:?} completes again, or was never submitted"
            );
            self.ended.insert(token, (op, result));
        }
    }

    /// Polls for a little while, so that what can move moves.
    fn settle(&mut self) {
        for _ in 0..5 {
            self.poll(Wait::Until(self.backend.now() + Duration::from_millis(5)));
        }
    }

    fn end_of(&mut self, token: Token) -> (Op, io::Result<Outcome>) {
        let deadline = self.backend.now() + HANGS_AFTER;
        loop {
            if let Some(ended) = self.ended.remove(&token) {
                return ended;
            }
            let name = self.waiting[&token];
            assert!(self.backend.now() < deadline, "the completion of {name} ({token:?}) is lost");
            self.poll(Wait::Until(self.backend.now() + Duration::from_secs(1)));
        }
    }

    /// Everything is cancelled, and everything comes back.
    fn end(&mut self) {
        for &token in self.waiting.keys() {
            self.backend.cancel(token);
        }
        for token in self.waiting.clone().into_keys() {
            drop(self.end_of(token));
        }
    }

    fn pair(&mut self) -> (Stream, Stream) {
        let any_port = super::sockets::any_port();
        let listener =
            self.backend.listen(any_port, ListenOptions::default()).expect("a free port");
        let accept = self.submit(Op::Accept { listener: listener.clone() });
        let connect = self.submit(Op::Connect { addr: listener.local_addr() });
        match (self.end_of(connect).1, self.end_of(accept).1) {
            (Ok(Outcome::Connected(near)), Ok(Outcome::Accepted(far))) => (near, far),
            other => panic!("{other:?}"),
        }
    }

    fn send(&mut self, stream: &Stream, bufs: Vec<Bytes>) -> Token {
        self.submit(Op::Send { socket: stream.inner.clone(), bufs })
    }

    fn send_file(&mut self, stream: &Stream, file: &File, offset: u64, length: u64) -> Token {
        let (socket, file) = (stream.inner.clone(), file.clone());
        self.submit(Op::SendFile { socket, file, offset, length, through_cache: true })
    }

    fn recv(&mut self, stream: &Stream, max: usize) -> Token {
        let buf = BytesMut::with_capacity(max);
        self.submit(Op::Recv { socket: stream.inner.clone(), buf, max, least: 1 })
    }

    /// The bytes of a receive, whatever its end was.
    fn received(&mut self, token: Token) -> (BytesMut, io::Result<usize>) {
        match self.end_of(token) {
            (Op::Recv { buf, .. }, Ok(Outcome::Size(bytes))) => (buf, Ok(bytes as usize)),
            (Op::Recv { buf, .. }, Err(error)) => (buf, Err(error)),
            other => panic!("{other:?}"),
        }
    }

    /// Everything until the stream ends.
    fn read_to_end(&mut self, stream: &Stream) -> BytesMut {
        let mut all = BytesMut::new();
        loop {
            let token = self.recv(stream, 1 << 20);
            match self.received(token) {
                (buf, Ok(1..)) => all.extend_from_slice(&buf),
                _ => return all,
            }
        }
    }
}

/// What an interrupted send says that has not left.
fn left_of((op, result): (Op, io::Result<Outcome>), errno: i32) -> (usize, Op) {
    assert_eq!(result.expect_err("it did not come to its end").raw_os_error(), Some(errno));
    let left = match &op {
        Op::Send { bufs, .. } => bufs.iter().map(Bytes::len).sum(),
        Op::SendFile { length, .. } => *length as usize,
        op => panic!("{op:?}"),
    };
    (left, op)
}

/// Bytes that count how often they are freed.
struct Counted(Bytes, Arc<AtomicUsize>);

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.1.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn a_cancelled_send_says_what_has_left_and_gives_its_buffers_back_once() {
    const SIZE: usize = 32 << 20;
    let content = pattern(0, SIZE);
    on_each_backend(|driver| {
        for (pieces, settled) in [(1, true), (300, true), (1, false), (300, false)] {
            let (near, far) = driver.pair();
            let freed = Arc::new(AtomicUsize::new(0));
            let message = Bytes::from_owner(Counted(content.clone(), freed.clone()));
            let step = SIZE.div_ceil(pieces);
            let bufs = (0..SIZE).step_by(step).map(|at| message.slice(at..SIZE.min(at + step)));
            let first = driver.send(&near, bufs.collect());
            drop(message);
            let second = driver.send(&near, vec![pattern(0, 10)]);
            if settled {
                driver.settle();
            }
            driver.backend.cancel(first);
            let ended = driver.end_of(first);
            let (left, op) = left_of(ended, libc::ECANCELED);
            assert_eq!(freed.load(Ordering::SeqCst), 0, "the buffers are the operation's");
            drop(op);
            assert_eq!(freed.load(Ordering::SeqCst), 1, "and have no other owner");
            let ended = driver.end_of(second);
            assert_eq!(left_of(ended, libc::EPIPE).0, 10, "nothing follows half a message");
            let arrived = driver.read_to_end(&far);
            assert!(!settled || !arrived.is_empty(), "the kernel had begun");
            assert_eq!(arrived.len() + left, SIZE);
            assert!(arrived == content[..arrived.len()]);
        }
    });
}

#[test]
fn a_cancelled_transfer_says_what_has_left() {
    const SIZE: usize = 32 << 20;
    let scratch = Scratch::new("cancelled-transfer");
    let (path, content) = (scratch.path("file"), pattern(0, SIZE));
    std::fs::write(&path, &content).expect("the temporary directory is writable");
    on_each_backend(|driver| {
        let file = os_file(std::fs::File::open(&path).expect("it exists").into());
        for (settled, cold) in [(true, false), (false, false), (true, true), (false, true)] {
            if cold {
                evict(&path);
            }
            let (near, far) = driver.pair();
            let first = driver.send_file(&near, &file, 5, SIZE as u64 - 5);
            let second = driver.send(&near, vec![pattern(0, 10)]);
            if settled {
                driver.settle();
            }
            driver.backend.cancel(first);
            let ended = driver.end_of(first);
            let left = left_of(ended, libc::ECANCELED).0;
            let ended = driver.end_of(second);
            assert_eq!(left_of(ended, libc::EPIPE).0, 10, "nothing follows half a message");
            let arrived = driver.read_to_end(&far);
            assert_eq!(arrived.len() + left, SIZE - 5);
            assert!(arrived == content[5..5 + arrived.len()]);
        }
    });
}

#[test]
fn nothing_follows_half_a_message_that_failed() {
    let scratch = Scratch::new("half");
    let path = scratch.path("short");
    std::fs::write(&path, pattern(0, 1000)).expect("the temporary directory is writable");
    on_each_backend(|driver| {
        let file = os_file(std::fs::File::open(&path).expect("it exists").into());
        for pieces in [1, 10] {
            let (near, far) = driver.pair();
            faults::limit(Call::Gather, &[1000]);
            faults::refuse(Call::Send, &[0, libc::ENOBUFS]);
            let first = driver.send(&near, vec![pattern(0, 10_000 / pieces); pieces]);
            let second = driver.send(&near, vec![pattern(0, 10)]);
            let ended = driver.end_of(first);
            assert_eq!(left_of(ended, libc::ENOBUFS).0, 9000);
            let ended = driver.end_of(second);
            assert_eq!(left_of(ended, libc::EPIPE).0, 10);
            assert_eq!(driver.read_to_end(&far).len(), 1000);
        }
        // The file is shorter than promised.
        let (near, far) = driver.pair();
        let first = driver.send_file(&near, &file, 100, 5000);
        let second = driver.send(&near, vec![pattern(0, 10)]);
        let (op, result) = driver.end_of(first);
        assert_eq!(result.expect_err("it is too short").kind(), io::ErrorKind::UnexpectedEof);
        assert!(matches!(op, Op::SendFile { offset: 1000, length: 4100, .. }), "{op:?}");
        let ended = driver.end_of(second);
        assert_eq!(left_of(ended, libc::EPIPE).0, 10);
        assert_eq!(driver.read_to_end(&far), pattern(100, 900));
        // Nothing had left: the stream is whole.
        let (near, far) = driver.pair();
        faults::refuse(Call::Send, &[libc::ENOBUFS]);
        let first = driver.send(&near, vec![pattern(0, 10_000)]);
        let second = driver.send(&near, vec![pattern(0, 10)]);
        let ended = driver.end_of(first);
        assert_eq!(left_of(ended, libc::ENOBUFS).0, 10_000);
        driver.end_of(second).1.expect("sends");
        driver.backend.shutdown(&near.inner);
        assert_eq!(driver.read_to_end(&far), pattern(0, 10));
    });
}

#[test]
fn a_cancelled_receive_loses_no_byte() {
    on_each_backend(|driver| {
        let (near, far) = driver.pair();
        let (mut sent, mut arrived) = (0, BytesMut::new());
        for round in 0..400 {
            let receive = driver.recv(&near, 1 + round % 150);
            if round % 2 == 0 {
                driver.poll(Wait::No);
            }
            let message = pattern(sent, 1 + round % 97);
            sent += message.len();
            let send = driver.send(&far, vec![message]);
            if round % 3 == 0 {
                driver.end_of(send).1.expect("sends");
            }
            if round % 5 == 0 {
                driver.poll(Wait::No);
            }
            driver.backend.cancel(receive);
            let (buf, told) = driver.received(receive);
            match told {
                Ok(bytes) => assert_eq!(bytes, buf.len()),
                Err(error) => {
                    assert_eq!((error.raw_os_error(), buf.len()), (Some(libc::ECANCELED), 0));
                }
            }
            arrived.extend_from_slice(&buf);
        }
        while arrived.len() < sent {
            let receive = driver.recv(&near, sent - arrived.len());
            let (buf, told) = driver.received(receive);
            assert_ne!(told.expect("arrives"), 0);
            arrived.extend_from_slice(&buf);
        }
        assert!(arrived == pattern(0, sent));
    });
}

#[test]
fn a_cancellation_that_comes_with_a_wake_up_for_nothing_is_not_lost() {
    on_each_backend(|driver| {
        let (near, far) = driver.pair();
        for round in 0..10 {
            let receive = driver.recv(&near, 100);
            driver.settle();
            let (near, far) = (sys::socket_fd(&near.inner), sys::socket_fd(&far.inner));
            // It is woken, and before the kernel looks why, there is nothing to be woken for. An
            // older ring may look at once.
            let message = [pattern(round, 10)];
            sys::send(far, &message, &mut sys::Gather::default()).expect("sends");
            let mut taken = BytesMut::with_capacity(10);
            let is_taken = sys::recv(near, &mut taken, 10).is_ok();
            driver.backend.cancel(receive);
            let (buf, told) = driver.received(receive);
            match told {
                Ok(bytes) => assert!(bytes == 10 && !is_taken),
                Err(error) => {
                    assert_eq!((error.raw_os_error(), is_taken), (Some(libc::ECANCELED), true))
                }
            }
            assert_eq!(buf.len() + taken.len(), 10);
        }
    });
}

#[test]
fn a_receive_that_is_cancelled_at_once_ends_even_when_another_takes_its_bytes() {
    on_each_backend(|driver| {
        let (near, far) = driver.pair();
        for round in 0..10 {
            let message = [pattern(round, 10)];
            let socket = sys::socket_fd(&far.inner);
            // After a receive that leaves nothing, the next ones wait before they look.
            sys::send(socket, &message, &mut sys::Gather::default()).expect("sends");
            let first = driver.recv(&near, 100);
            assert_eq!(driver.received(first).1.expect("arrives"), 10);
            sys::send(socket, &message, &mut sys::Gather::default()).expect("sends");
            let pair = [driver.recv(&near, 100), driver.recv(&near, 100)];
            driver.backend.cancel(pair[1]);
            let (_, cancelled) = driver.received(pair[1]);
            driver.backend.cancel(pair[0]);
            let (_, other) = driver.received(pair[0]);
            let told: Vec<usize> = [cancelled, other].into_iter().flatten().collect();
            assert!(told.len() <= 1 && told.iter().all(|&bytes| bytes == 10), "{told:?}");
            if told.is_empty() {
                let rest = driver.recv(&near, 100);
                assert_eq!(driver.received(rest).1.expect("it is still there"), 10);
            }
        }
    });
}

/// Numbers that look random and repeat.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

#[test]
fn whatever_is_cancelled_or_refused_every_operation_completes_once() {
    let scratch = Scratch::new("chaos");
    let path = scratch.path("file");
    std::fs::write(&path, pattern(0, 4 << 20)).expect("the temporary directory is writable");
    on_each_backend(|driver| {
        let file = os_file(std::fs::File::open(&path).expect("it exists").into());
        for seed in 0..30 {
            let mut chance = Chance(seed);
            let (near, far) = driver.pair();
            let listener =
                driver.backend.listen(super::sockets::any_port(), ListenOptions::default());
            let listener = listener.expect("a free port");
            for call in
                [Call::Accept, Call::Connect, Call::Recv, Call::Send, Call::Open, Call::Enter]
            {
                let errnos = [libc::ENOMEM, 0, libc::EMFILE, 0, 0, libc::ENOBUFS, libc::EINTR];
                let errno = |_| match errnos[chance.below(7) as usize] {
                    libc::EINTR | libc::EMFILE | libc::ENOBUFS if call == Call::Enter => {
                        libc::EBUSY
                    }
                    // The back-end for epoll makes an interrupted call again before it comes to
                    // this.
                    libc::EINTR => libc::ENOMEM,
                    errno => errno,
                };
                faults::refuse(call, &(0..20).map(errno).collect::<Vec<_>>());
            }
            let mut tokens = Vec::new();
            for _ in 0..300 {
                let size = 1 + chance.below(200_000) as usize;
                tokens.push(match chance.below(12) {
                    0 => driver.submit(Op::Accept { listener: listener.clone() }),
                    1 => driver.submit(Op::Connect { addr: listener.local_addr() }),
                    2 | 3 => driver.recv(&near, size),
                    4 | 5 => driver.recv(&far, size),
                    6 => driver.send(&near, vec![pattern(0, size); 3]),
                    7 => driver.send(&far, vec![pattern(0, size)]),
                    8 => driver.send_file(&far, &file, 0, size as u64),
                    9 => driver.submit(Op::Open {
                        path: path.clone(),
                        options: crate::OpenOptions::read(),
                    }),
                    10 => {
                        let buf = BytesMut::with_capacity(size);
                        driver.submit(Op::Read {
                            file: file.clone(),
                            buf,
                            max: size,
                            offset: size as u64,
                        })
                    }
                    _ => driver.submit(Op::SyncDir { path: scratch.0.clone() }),
                });
                if chance.below(20) == 0 {
                    let victim = tokens[chance.below(tokens.len() as u64) as usize];
                    driver.backend.cancel(victim);
                }
                if chance.below(3) == 0 {
                    driver.poll(Wait::No);
                }
            }
            driver.end();
            driver.ended.clear();
            faults::clear();
        }
    });
}
