//! Faults of the kernel, the same list on both real back-ends. Where the kernel can be brought to
//! make a fault itself, it is; the others are planned in `crate::faults`.

use super::{
    cores::forbid,
    files::in_scratch,
    sockets::{any_port, pair},
    *,
};
use crate::{
    AlignedBuf, File, ListenOptions, Listener, OpenOptions, Stream,
    faults::{self, Call},
};
use std::{
    env, io,
    net::{SocketAddr, TcpStream},
    process::Command,
    rc::Rc,
    thread,
};

/// What single calls move at most; the rest of them is not limited.
const LENGTHS: [usize; 9] = [1, 2, 127, 4096, 65_537, 1, 300_000, 4095, 1];

/// To be asked at the end: a fault that never happened has tested nothing.
fn all_happened() {
    assert_eq!(faults::clear(), 0, "faults that were planned have not happened");
}

/// `content` in so many pieces of uneven sizes.
fn cut(content: &Bytes, pieces: usize) -> Vec<Bytes> {
    let step = content.len().div_ceil(pieces);
    let starts = (0..content.len()).step_by(step);
    starts.map(|from| content.slice(from..content.len().min(from + step))).collect()
}

fn sending(ring: &Ring, stream: &Stream, bufs: Vec<Bytes>) -> crate::JoinHandle<io::Result<()>> {
    let (ring, stream) = (ring.clone(), stream.clone());
    ring.clone().spawn(async move { ring.send(&stream, bufs).await })
}

#[test]
fn short_sends_go_on_until_all_has_gone() {
    on_each(|ring| async move {
        let (near, far) = pair(&ring).await;
        for pieces in [1, 3, 300] {
            faults::limit(Call::Gather, &LENGTHS);
            let message = pattern(pieces, 2_000_003);
            let sender = sending(&ring, &near, cut(&message, pieces));
            let got = recv_exact(&ring, &far, message.len()).await.expect("arrives");
            assert!(got == message, "{pieces} pieces arrive whole and in order");
            sender.await.expect("sends");
            all_happened();
        }
    });
}

#[test]
fn short_writes_and_reads_go_on_until_all_is_there() {
    in_scratch("short", |ring, scratch| async move {
        let file = ring.open(scratch.path("file"), OpenOptions::write()).await.expect("opens");
        let content = pattern(5, 1_000_003);
        for pieces in [1, 3, 300] {
            faults::limit(Call::Gather, &LENGTHS);
            ring.write_at(&file, cut(&content, pieces), 77).await.expect("writes");
            faults::limit(Call::Read, &LENGTHS);
            let read = ring.read_exact_at(&file, 77, content.len()).await.expect("reads");
            assert!(read == content, "{pieces} pieces");
            faults::limit(Call::Gather, &LENGTHS);
            ring.write_now(&file, &cut(&content, pieces), 3).expect("writes");
            assert!(ring.read_exact_at(&file, 3, content.len()).await.expect("reads") == content);
            all_happened();
        }
        let (direct, _) =
            ring.open_direct(scratch.path("durable"), OpenOptions::write()).await.expect("opens");
        let mut buf = AlignedBuf::default();
        buf.extend_from_slice(&content[..16 * 4096]);
        faults::limit(Call::WriteDurable, &[4096, 8192, 4096]);
        ring.write_durable(&direct, buf, 4096).await.0.expect("writes");
        let plain = ring.open(scratch.path("durable"), OpenOptions::read()).await.expect("opens");
        assert!(
            ring.read_exact_at(&plain, 4096, 16 * 4096).await.expect("reads")
                == content[..16 * 4096]
        );
        all_happened();
    });
}

#[test]
fn bytes_arrive_whole_and_in_order_through_small_buffers() {
    on_each(|ring| async move {
        let small = ListenOptions {
            send_buffer_bytes: Some(32 << 10),
            receive_buffer_bytes: Some(32 << 10),
            ..Default::default()
        };
        let listener = ring.listen(any_port(), small).expect("a free port");
        let near = ring.connect(listener.local_addr()).await.expect("connects");
        let far = ring.accept(&listener).await.expect("accepts");
        let message = pattern(9, 3_000_000);
        let quarter = message.len() / 4;
        // Both directions at once, four sends behind one another on each.
        let senders: Vec<_> = [&near, &far]
            .into_iter()
            .flat_map(|stream| (0..4).map(move |nth| (stream, nth)))
            .map(|(stream, nth)| {
                sending(
                    &ring,
                    stream,
                    cut(&message.slice(nth * quarter..(nth + 1) * quarter), 1 + nth * 50),
                )
            })
            .collect();
        let back = {
            let (ring, near) = (ring.clone(), near.clone());
            let length = message.len();
            ring.clone().spawn(async move { recv_exact(&ring, &near, length).await })
        };
        assert!(recv_exact(&ring, &far, message.len()).await.expect("arrives") == message);
        assert!(back.await.expect("arrives") == message);
        for sender in senders {
            sender.await.expect("sends");
        }
    });
}

/// Waits until no call of this kind has been made for a while.
async fn quiet(ring: &Ring, call: Call) -> usize {
    loop {
        let before = faults::made(call);
        ring.sleep(Duration::from_millis(20)).await;
        if faults::made(call) == before {
            return before;
        }
    }
}

#[test]
fn what_would_block_is_not_tried_until_the_socket_is_ready() {
    on_each(|ring| async move {
        let (near, far) = pair(&ring).await;
        let receiver = {
            let (ring, far) = (ring.clone(), far.clone());
            ring.clone().spawn(async move { recv_exact(&ring, &far, 10).await })
        };
        let before = quiet(&ring, Call::Recv).await;
        let turns = ring.turns().turns;
        ring.sleep(Duration::from_millis(200)).await;
        assert_eq!(faults::made(Call::Recv), before, "a receive that finds nothing waits");
        assert!(ring.turns().turns - turns <= 6, "and so does the core");
        ring.send(&near, vec![pattern(0, 10)]).await.expect("sends");
        assert_eq!(receiver.await.expect("arrives"), pattern(0, 10));
        assert!(
            faults::made(Call::Recv) <= before + 1,
            "it is tried once more, when bytes have come"
        );

        let message = pattern(3, 64 << 20);
        let sender = sending(&ring, &near, vec![message.clone()]);
        let before = quiet(&ring, Call::Send).await;
        let turns = ring.turns().turns;
        ring.sleep(Duration::from_millis(200)).await;
        assert_eq!(faults::made(Call::Send), before, "a send whose peer reads nothing waits");
        assert!(ring.turns().turns - turns <= 6, "and so does the core");
        assert!(recv_exact(&ring, &far, message.len()).await.expect("arrives") == message);
        sender.await.expect("sends");
    });
}

#[test]
fn a_wake_up_for_nothing_loses_nothing() {
    on_each(|ring| async move {
        let listener = ring.listen(any_port(), ListenOptions::default()).expect("a free port");
        let connect = || TcpStream::connect(listener.local_addr()).expect("connects");
        // Another process took the connection, and more come.
        faults::refuse(Call::Accept, &[libc::EAGAIN]);
        let first = connect();
        let accepted = {
            let (ring, listener) = (ring.clone(), listener.clone());
            ring.clone().spawn(async move { ring.accept(&listener).await.expect("accepts") })
        };
        ring.sleep(Duration::from_millis(5)).await;
        let second = connect();
        let peers = [
            accepted.await.peer_addr(),
            ring.accept(&listener).await.expect("accepts").peer_addr(),
        ];
        assert_eq!(peers, [&first, &second].map(|client| client.local_addr().expect("has one")));

        let (near, far) = pair(&ring).await;
        faults::refuse(Call::Recv, &[libc::EAGAIN]);
        ring.send(&near, vec![pattern(0, 5)]).await.expect("sends");
        let receiver = {
            let (ring, far) = (ring.clone(), far.clone());
            ring.clone().spawn(async move { recv_exact(&ring, &far, 10).await })
        };
        ring.sleep(Duration::from_millis(5)).await;
        ring.send(&near, vec![pattern(5, 5)]).await.expect("sends");
        assert_eq!(receiver.await.expect("arrives"), pattern(0, 10));
        all_happened();
    });
}

/// What the calls of one test are made on.
struct World {
    ring: Ring,
    listener: Listener,
    near: Stream,
    far: Stream,
    file: File,
    scratch: Rc<Scratch>,
}

impl World {
    async fn new(ring: Ring, scratch: Rc<Scratch>) -> Self {
        let (near, far) = pair(&ring).await;
        let listener = ring.listen(any_port(), ListenOptions::default()).expect("a free port");
        let file = ring.open(scratch.path("file"), OpenOptions::write()).await.expect("opens");
        ring.write_at(&file, vec![pattern(0, 4096)], 0).await.expect("writes");
        Self { ring, listener, near, far, file, scratch }
    }

    /// What has to be there before the call: it must outlive a refusal.
    async fn prepare(&self, call: Call) -> Option<TcpStream> {
        match call {
            Call::Accept => Some(TcpStream::connect(self.listener.local_addr()).expect("connects")),
            Call::Recv => {
                self.ring.send(&self.far, vec![pattern(7, 100)]).await.expect("sends");
                None
            }
            _ => None,
        }
    }

    /// Makes the call and checks what it brings.
    async fn make(&self, call: Call, client: Option<SocketAddr>) -> io::Result<()> {
        let ring = &self.ring;
        match call {
            Call::Accept => {
                let accepted = ring.accept(&self.listener).await?;
                assert_eq!(
                    Some(accepted.peer_addr()),
                    client,
                    "who waits is the one that is accepted"
                );
            }
            Call::Connect => drop(ring.connect(self.listener.local_addr()).await?),
            Call::Recv => {
                let (received, buf) =
                    ring.recv(&self.near, BytesMut::from(&b"kept"[..]), 100).await;
                let wanted = if received.is_ok() { pattern(7, 100) } else { Bytes::new() };
                assert_eq!(buf, [&b"kept"[..], &wanted].concat());
                assert_eq!(received?, 100);
            }
            Call::Send => {
                ring.send(&self.near, vec![pattern(1, 50), pattern(51, 50)]).await?;
                assert_eq!(recv_exact(ring, &self.far, 100).await?, pattern(1, 100));
            }
            Call::Splice => {
                let all = self.file.stable(4096);
                ring.send_file(&self.near, &self.file, 0, 4096, all).await?;
                assert_eq!(recv_exact(ring, &self.far, 4096).await?, pattern(0, 4096));
            }
            Call::Open => drop(ring.open(self.scratch.path("file"), OpenOptions::read()).await?),
            Call::Read => {
                let mut buf = BytesMut::new();
                assert_eq!(ring.read_now(&self.file, &mut buf, 100, 5)?, 100);
                assert_eq!(buf, pattern(5, 100));
            }
            Call::Write => ring.write_at(&self.file, vec![pattern(0, 4096)], 0).await?,
            Call::WriteDurable => {
                let path = self.scratch.path("durable");
                let (file, _) = ring.open_direct(path, OpenOptions::write()).await?;
                let mut buf = AlignedBuf::default();
                buf.extend_from_slice(&pattern(0, 4096));
                ring.write_durable(&file, buf, 0).await.0?;
            }
            Call::Gather | Call::Watch | Call::Enter => panic!("{call:?} is not an operation"),
        }
        Ok(())
    }
}

#[test]
fn a_refused_call_is_told_and_can_be_made_again() {
    use libc::{EIO, EMFILE, ENFILE, ENOBUFS, ENOMEM, ENOSPC};
    in_scratch("refused", |ring, scratch| async move {
        let world = World::new(ring, scratch).await;
        for (call, errno) in [
            (Call::Accept, EMFILE),
            (Call::Accept, ENFILE),
            (Call::Accept, ENOMEM),
            (Call::Accept, ENOBUFS),
            (Call::Connect, ENOMEM),
            (Call::Recv, ENOMEM),
            (Call::Recv, ENOBUFS),
            (Call::Send, ENOMEM),
            (Call::Send, ENOBUFS),
            (Call::Splice, ENOMEM),
            (Call::Open, EMFILE),
            (Call::Open, ENOMEM),
            (Call::Read, EIO),
            (Call::Read, ENOMEM),
            (Call::Write, ENOSPC),
            (Call::Write, ENOMEM),
            (Call::WriteDurable, ENOSPC),
        ] {
            let client = world.prepare(call).await;
            let address = client.as_ref().map(|client| client.local_addr().expect("has one"));
            faults::refuse(call, &[errno, errno]);
            for _ in 0..2 {
                let refused = world.make(call, address).await;
                assert_eq!(
                    refused.expect_err("it is refused").raw_os_error(),
                    Some(errno),
                    "{call:?}"
                );
            }
            let again = world.make(call, address).await;
            again.unwrap_or_else(|error| panic!("{call:?} after errno {errno}: {error}"));
            all_happened();
        }
    });
}

#[test]
fn a_stream_that_cannot_be_watched_is_told_and_the_next_one_can() {
    let ended = run(options(BackendKind::Epoll), |ring| async move {
        let listener = ring.listen(any_port(), ListenOptions::default()).expect("a free port");
        for errno in [libc::ENOSPC, libc::ENOMEM] {
            let first = TcpStream::connect(listener.local_addr()).expect("connects");
            faults::refuse(Call::Watch, &[errno]);
            let refused = ring.accept(&listener).await.expect_err("it cannot be watched");
            assert_eq!(refused.raw_os_error(), Some(errno));
            // The kernel had given it away already, so it has to end.
            assert_eq!(io::Read::read(&mut &first, &mut [0]).expect("an end, not an error"), 0);
            let second = TcpStream::connect(listener.local_addr()).expect("connects");
            let accepted = ring.accept(&listener).await.expect("accepts");
            assert_eq!(accepted.peer_addr(), second.local_addr().expect("has one"));
            faults::refuse(Call::Watch, &[errno]);
            let refused =
                ring.connect(listener.local_addr()).await.expect_err("it cannot be watched");
            assert_eq!(refused.raw_os_error(), Some(errno));
            ring.connect(listener.local_addr()).await.expect("connects");
            // The one that was given up, and the one that was not.
            for _ in 0..2 {
                ring.accept(&listener).await.expect("accepts");
            }
            faults::refuse(Call::Watch, &[errno]);
            ring.listen(any_port(), ListenOptions::default()).expect_err("it cannot be watched");
            all_happened();
        }
    });
    ended.expect("the core starts");
}

/// Set in a process of its own, which may use up what all tests of a process share.
const ALONE: &str = "RING_TEST_ALONE";

/// Runs this one test again in a process of its own, where `true` is the answer.
fn is_alone(test: &str) -> bool {
    if env::var_os(ALONE).is_some() {
        return true;
    }
    let program = env::current_exe().expect("this test is a file");
    let output =
        Command::new(program).args(["--exact", test, "--nocapture"]).env(ALONE, "1").output();
    let output = output.expect("it starts");
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{said}{complained}");
    false
}

/// Changes how many descriptors this process may have; how many it might before.
fn limit_descriptors(most: libc::rlim_t) -> libc::rlim_t {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointer is to a limit of ours.
    let got = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) };
    let before = std::mem::replace(&mut limit.rlim_cur, most);
    // SAFETY: as above; descriptors that are open stay open.
    let set = unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) };
    assert_eq!((got, set), (0, 0), "{}", io::Error::last_os_error());
    before
}

#[test]
fn without_descriptors_calls_fail_and_with_some_they_are_made() {
    if !is_alone("tests::faults::without_descriptors_calls_fail_and_with_some_they_are_made") {
        return;
    }
    in_scratch("descriptors", |ring, scratch| async move {
        let world = World::new(ring, scratch).await;
        let told = async |call, client| {
            let refused = world.make(call, client).await.expect_err("there are no descriptors");
            assert_eq!(refused.raw_os_error(), Some(libc::EMFILE), "{call:?}");
        };
        let folder = &world.scratch.0;
        for _ in 0..2 {
            let client = world.prepare(Call::Accept).await.expect("connects");
            let address = client.local_addr().ok();
            let file =
                world.ring.open(folder.join("file"), OpenOptions::read()).await.expect("opens");
            let before = limit_descriptors(0);
            for call in [Call::Open, Call::Accept, Call::Connect, Call::Accept, Call::WriteDurable]
            {
                told(call, address).await;
            }
            for refused in [
                world.ring.sync_dir(folder).await.expect_err("it has to be opened"),
                world.ring.read_dir(folder).await.expect_err("it has to be opened"),
                world
                    .ring
                    .listen(any_port(), ListenOptions::default())
                    .expect_err("a socket is one"),
            ] {
                assert_eq!(refused.raw_os_error(), Some(libc::EMFILE));
            }
            assert!(!file.can_read_directly(), "that takes another descriptor");
            for call in [Call::Send, Call::Read, Call::Write] {
                world.make(call, None).await.expect("what is open goes on");
            }
            limit_descriptors(before);
            for call in [Call::Accept, Call::Open, Call::Connect, Call::WriteDurable, Call::Splice]
            {
                world.make(call, address).await.expect("there are some");
            }
            world.ring.accept(&world.listener).await.expect("the one that was connected above");
            world.ring.sync_dir(folder).await.expect("there are some");
            let again =
                world.ring.open(folder.join("file"), OpenOptions::read()).await.expect("opens");
            assert_eq!(
                file.can_read_directly(),
                again.can_read_directly(),
                "no file keeps a grudge"
            );
        }
    });
}

#[test]
fn a_transfer_without_a_pipe_is_told_and_can_be_made_again() {
    if !is_alone("tests::faults::a_transfer_without_a_pipe_is_told_and_can_be_made_again") {
        return;
    }
    in_scratch("pipe", |ring, scratch| async move {
        let world = World::new(ring, scratch).await;
        let before = limit_descriptors(0);
        for _ in 0..2 {
            let refused =
                world.make(Call::Splice, None).await.expect_err("a pipe takes two descriptors");
            assert_eq!(refused.raw_os_error(), Some(libc::EMFILE));
        }
        limit_descriptors(before);
        world.make(Call::Splice, None).await.expect("nothing had left, so the stream is whole");
    });
}

#[test]
fn without_threads_the_core_makes_the_file_calls() {
    for kind in kinds() {
        // A filter holds for its thread and those that it starts.
        let core = thread::spawn(move || {
            for call in [libc::SYS_clone, libc::SYS_clone3] {
                forbid(call, libc::EAGAIN);
            }
            run(options(kind), move |ring| async move {
                let scratch = Scratch::new(&format!("threads-{kind:?}"));
                for nth in 0..5_u8 {
                    let path = scratch.path(&nth.to_string());
                    let file = ring.open(&path, OpenOptions::write()).await.expect("opens");
                    ring.write_at(&file, vec![pattern(0, 100)], 0).await.expect("writes");
                    ring.sync_data(&file).await.expect("syncs");
                    ring.sync_dir(&scratch.0).await.expect("syncs");
                }
                assert_eq!(ring.read_dir(&scratch.0).await.expect("lists").len(), 5);
            })
        });
        core.join().expect("the assertions hold").expect("the core runs");
    }
}

#[test]
fn entries_that_the_kernel_does_not_take_are_handed_over_later() {
    in_scratch("enter", |ring, scratch| async move {
        if ring.backend() != BackendKind::IoUring {
            return;
        }
        let file = ring.open(scratch.path("file"), OpenOptions::write()).await.expect("opens");
        ring.write_at(&file, vec![pattern(0, 100_000)], 0).await.expect("writes");
        // One turn with more entries than the submission queue holds, and at last also more than
        // the completion queue does, without any fault.
        for (errno, count) in [
            (libc::EBUSY, 1000),
            (libc::EAGAIN, 1000),
            (libc::EINTR, 10),
            (libc::ENOMEM, 1000),
            (0, 10_000),
        ] {
            faults::refuse(Call::Enter, &[errno; 10]);
            let readers: Vec<_> = (0..count)
                .map(|nth| {
                    let (ring, file) = (ring.clone(), file.clone());
                    ring.clone().spawn(async move { ring.read_exact_at(&file, nth * 9, 100).await })
                })
                .collect();
            for (nth, reader) in readers.into_iter().enumerate() {
                assert_eq!(reader.await.expect("reads"), pattern(nth * 9, 100));
            }
            all_happened();
        }
    });
}
