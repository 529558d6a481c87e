//! The back-end for kernels and containers that forbid io_uring: edge-triggered epoll, and threads
//! for slow file calls.
//!
//! Owns: which sockets are ready, and the operations that wait for them. Every operation is tried
//! at once and queued on its socket when it would block. Page-cache writes are made inline, as are
//! reads of what lies in the page cache.

use crate::{
    backend::{Backend, BackendKind, Doorbell, Wait},
    faults::{self, Call},
    file::File,
    host::Host,
    in_flight::InFlight,
    net::{ListenOptions, Listener, SocketInner, SpareDescriptor},
    op::{Op, Outcome, Token},
    send_file::{Next, Pipe, Range, Transfer},
    sys::{self, Gather},
    time::Instant,
};
use bytes::{Bytes, BytesMut};
use std::{
    collections::VecDeque,
    io, mem,
    net::SocketAddr,
    os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd},
    rc::Rc,
};

/// Events taken by one call.
const EVENTS_PER_CALL: usize = 256;
/// Names the doorbell in an event; no descriptor has this number.
const DOORBELL: u64 = u64::MAX;

pub(crate) struct Epoll {
    host: Host,
    epoll: OwnedFd,
    /// By descriptor. The entry of a closed one is replaced when its number comes back.
    sockets: Vec<Socket>,
    generation: u32,
    pending: InFlight<Pending>,
    /// Transfers that have had their turn and go on in the next.
    turns: Vec<Token>,
    /// Where the kernel writes events: zeroed once, and not for each wait.
    events: Vec<libc::epoll_event>,
    /// Whether the kernel has `epoll_pwait2`, whose timeout is in nanoseconds (since 5.11).
    precise_wait: bool,
}

#[derive(Default)]
struct Socket {
    generation: u32,
    reader: Direction,
    writer: Direction,
    /// The peer has closed or the socket has failed: no edge will come after the next read.
    ended: bool,
    /// It counts as readable from some more bytes on.
    low_water: bool,
}

/// Half of a socket: whether trying may help, and who waits.
#[derive(Default)]
struct Direction {
    ready: bool,
    waiting: VecDeque<Token>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Half {
    Read,
    Write,
}

struct Pending {
    op: Op,
    fd: RawFd,
    half: Half,
    progress: Progress,
    /// A thread reads for it; its queue waits.
    on_thread: bool,
    cancelled: bool,
}

impl Pending {
    /// Leaves of an interrupted send what has not left; whether anything has.
    fn leave_rest(&mut self) -> bool {
        match (&mut self.op, &self.progress) {
            (Op::Send { bufs, .. }, Progress::Sending(gather)) => gather.leave_rest(bufs),
            (Op::SendFile { offset, length, .. }, Progress::Transferring(transfer)) => {
                transfer.leave_rest(offset, length)
            }
            _ => false,
        }
    }
}

enum Progress {
    Nothing,
    Connecting(Rc<SocketInner>),
    Sending(Gather),
    Transferring(Transfer),
}

/// What trying an operation came to.
enum Attempt {
    Complete(io::Result<Outcome>),
    /// Tried again when its socket is ready.
    WouldBlock,
    /// Goes on by itself: a thread reads for it, or it has had its turn. It stays at the head of
    /// its queue.
    Elsewhere,
}

impl Epoll {
    pub(crate) fn new(core_name: &str) -> io::Result<Self> {
        let host = Host::new(core_name, libc::EFD_NONBLOCK)?;
        // SAFETY: a plain call; the descriptor that it returns has no other owner.
        let epoll =
            unsafe { OwnedFd::from_raw_fd(sys::check(libc::epoll_create1(libc::EPOLL_CLOEXEC))?) };
        let this = Self {
            host,
            epoll,
            sockets: Vec::new(),
            generation: 0,
            pending: InFlight::new(),
            turns: Vec::new(),
            events: vec![libc::epoll_event { events: 0, u64: 0 }; EVENTS_PER_CALL],
            precise_wait: true,
        };
        let events = libc::EPOLLIN as u32 | libc::EPOLLET as u32;
        this.control(libc::EPOLL_CTL_ADD, this.host.doorbell.fd(), events, DOORBELL)?;
        Ok(this)
    }

    fn control(&self, operation: libc::c_int, fd: RawFd, events: u32, data: u64) -> io::Result<()> {
        faults::allow(Call::Watch)?;
        let mut event = libc::epoll_event { events, u64: data };
        // SAFETY: the pointer is to an event of ours; the kernel copies it.
        sys::check(unsafe { libc::epoll_ctl(self.epoll.as_raw_fd(), operation, fd, &mut event) })
            .map(drop)
    }

    /// Watches a new socket from now until it is closed, or goes to another core.
    fn register(&mut self, fd: RawFd) -> io::Result<()> {
        self.generation = self.generation.wrapping_add(1);
        let index = fd as usize;
        if index >= self.sockets.len() {
            self.sockets.resize_with(index + 1, Socket::default);
        }
        let left = mem::take(&mut self.sockets[index]);
        assert!(
            left.reader.waiting.is_empty() && left.writer.waiting.is_empty(),
            "an operation keeps its descriptor open"
        );
        let socket = &mut self.sockets[index];
        (socket.generation, socket.reader.ready, socket.writer.ready) =
            (self.generation, true, true);
        let events = libc::EPOLLIN | libc::EPOLLOUT | libc::EPOLLRDHUP | libc::EPOLLET;
        self.control(
            libc::EPOLL_CTL_ADD,
            fd,
            events as u32,
            u64::from(self.generation) << 32 | fd as u64,
        )
    }

    fn direction(&mut self, fd: RawFd, half: Half) -> &mut Direction {
        let socket = &mut self.sockets[fd as usize];
        match half {
            Half::Read => &mut socket.reader,
            Half::Write => &mut socket.writer,
        }
    }

    /// Has the next receive tried only when that many bytes are there, or the stream has ended.
    fn set_low_water(&mut self, fd: RawFd, least: usize) {
        let socket = &mut self.sockets[fd as usize];
        let before = mem::replace(&mut socket.low_water, least > 1);
        if least > 1 {
            // Whatever is there by now, the kernel tells with another edge when it is enough.
            socket.reader.ready = socket.ended;
        }
        if before || least > 1 {
            sys::set_receive_low_water(fd, least);
        }
    }

    /// Queues an operation on its socket, and tries it if it is the first.
    fn enqueue(&mut self, token: Token, op: Op, fd: RawFd, half: Half, progress: Progress) {
        self.pending
            .insert(token, Pending { op, fd, half, progress, on_thread: false, cancelled: false });
        let direction = self.direction(fd, half);
        direction.waiting.push_back(token);
        let (waiting, ready) = (direction.waiting.len(), direction.ready);
        let all = self.pending.len();
        assert!(waiting <= all, "{waiting} operations wait on half of {fd}, of {all}");
        if waiting == 1 && ready {
            self.run_queue(fd, half);
        }
    }

    /// Tries what waits on half of a socket, in order, until something has to wait longer.
    fn run_queue(&mut self, fd: RawFd, half: Half) {
        while let Some(&token) = self.direction(fd, half).waiting.front() {
            let mut pending = self.pending.remove(token).expect("what waits is pending");
            assert_eq!(pending.fd, fd, "an operation waits on its own socket");
            assert!(pending.half == half, "an operation waits on its own half of a socket");
            if pending.on_thread {
                self.pending.insert(token, pending);
                return;
            }
            match self.attempt(token, &mut pending) {
                Attempt::Complete(result) => {
                    let first = self.direction(fd, half).waiting.pop_front();
                    assert_eq!(first, Some(token), "the operation that was tried is the first");
                    self.complete(token, pending, result);
                }
                Attempt::WouldBlock => {
                    self.direction(fd, half).ready = false;
                    self.pending.insert(token, pending);
                    return;
                }
                Attempt::Elsewhere => {
                    assert!(
                        pending.on_thread || self.turns.last() == Some(&token),
                        "{:#x} goes on by itself, without a thread or a turn",
                        token.0
                    );
                    self.pending.insert(token, pending);
                    return;
                }
            }
        }
    }

    fn attempt(&mut self, token: Token, pending: &mut Pending) -> Attempt {
        let fd = pending.fd;
        let result = match (&mut pending.op, &mut pending.progress) {
            (Op::Accept { .. }, _) => sys::accept(fd).and_then(|stream| {
                self.register(sys::socket_fd(&stream.inner))?;
                Ok(Outcome::Accepted(stream))
            }),
            (Op::Connect { addr }, Progress::Connecting(socket)) => {
                finish_connect(fd, *addr, socket)
            }
            (Op::Recv { buf, max, .. }, _) => {
                let received = sys::recv(fd, buf, *max);
                let socket = &mut self.sockets[fd as usize];
                // Less than was asked for: the socket is drained, and more comes with an edge,
                // unless it has ended. An error does not say whether bytes are there, and no edge
                // comes for those again.
                socket.reader.ready = socket.ended
                    || match &received {
                        Ok(bytes) => bytes == max,
                        Err(error) => error.kind() != io::ErrorKind::WouldBlock,
                    };
                received.map(|bytes| Outcome::Size(bytes as u64))
            }
            (Op::Send { bufs, .. }, Progress::Sending(gather)) => {
                sys::send(fd, bufs, gather).map(|()| Outcome::Done)
            }
            (
                Op::SendFile { file, offset, length, through_cache, .. },
                Progress::Transferring(transfer),
            ) => {
                let range =
                    Range { file, offset: *offset, length: *length, through_cache: *through_cache };
                match transfer.advance(&mut self.host.pipes, fd, range) {
                    Next::Done(sent) => Ok(Outcome::Size(sent)),
                    Next::Failed(error) => Err(error),
                    Next::Writable => return Attempt::WouldBlock,
                    Next::Turn => {
                        self.turns.push(token);
                        return Attempt::Elsewhere;
                    }
                    Next::Disk { pipe, offset, max } => {
                        assert!(!pending.on_thread, "one thread at a time fills a pipe");
                        pending.on_thread = true;
                        self.host.fill_on_thread(token, pipe, file.clone(), offset, max);
                        return Attempt::Elsewhere;
                    }
                }
            }
            (op, _) => panic!("{op:?} does not wait on a socket"),
        };
        match result {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Attempt::WouldBlock,
            result => Attempt::Complete(result),
        }
    }

    fn start_connect(&mut self, token: Token, addr: SocketAddr) {
        let started = sys::tcp_socket(addr).and_then(|fd| {
            let raw = fd.as_raw_fd();
            match sys::connect(raw, addr) {
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
                _ => {}
            }
            // Not before: a socket that has not begun to connect counts as hung up.
            self.register(raw)?;
            Ok((raw, Rc::new(SocketInner::Os(fd))))
        });
        match started {
            Ok((fd, socket)) => {
                // Decided with the first edge, which comes even when it is decided already.
                self.direction(fd, Half::Write).ready = false;
                self.enqueue(
                    token,
                    Op::Connect { addr },
                    fd,
                    Half::Write,
                    Progress::Connecting(socket),
                );
            }
            Err(error) => self.host.complete(token, Op::Connect { addr }, Err(error)),
        }
    }

    fn read(&mut self, token: Token, file: File, mut buf: BytesMut, max: usize, offset: u64) {
        let cached = match sys::is_direct(&file) {
            true => Err(io::ErrorKind::WouldBlock.into()),
            false => sys::pread_cached(&file, &mut buf, max, offset),
        };
        let op = Op::Read { file, buf, max, offset };
        match cached {
            Ok(bytes) => self.host.complete(token, op, Ok(Outcome::Size(bytes as u64))),
            Err(_) => self.host.perform_on_thread(token, op),
        }
    }

    /// A thread has filled the pipe of a transfer.
    fn filled(&mut self, token: Token, pipe: Pipe, filled: io::Result<usize>) {
        let pending = self.pending.get_mut(token).expect("a transfer waits for its thread");
        let was_on_thread = std::mem::replace(&mut pending.on_thread, false);
        assert!(was_on_thread, "a thread brings a pipe back once");
        assert!(pending.half == Half::Write, "a transfer waits to write");
        let (fd, cancelled) = (pending.fd, pending.cancelled);
        let Progress::Transferring(transfer) = &mut pending.progress else {
            panic!("only transfers fill pipes")
        };
        let taken = if cancelled { Err(sys::cancelled()) } else { transfer.filled(pipe, filled) };
        let first = self.direction(fd, Half::Write).waiting.front();
        assert_eq!(first, Some(&token), "a transfer stays at the head of its queue");
        if let Err(error) = taken {
            self.abandon(token, error);
        }
        self.run_queue(fd, Half::Write);
    }

    /// Ends a waiting operation with an error.
    fn abandon(&mut self, token: Token, error: io::Error) {
        let pending = self.pending.remove(token).expect("only a pending operation is abandoned");
        let waiting = &mut self.direction(pending.fd, pending.half).waiting;
        let before = waiting.len();
        waiting.retain(|&one| one != token);
        assert_eq!(waiting.len() + 1, before, "an operation waits on its socket once");
        self.complete(token, pending, Err(error));
    }

    fn complete(&mut self, token: Token, mut pending: Pending, result: io::Result<Outcome>) {
        assert!(self.pending.get_mut(token).is_none(), "{:#x} ends, and is under way", token.0);
        assert!(!pending.on_thread, "{:#x} ends, and its thread has the pipe", token.0);
        if result.is_err() && pending.leave_rest() {
            // Nothing may follow half a message.
            sys::shutdown(pending.fd);
        }
        self.host.complete(token, pending.op, result);
    }

    fn handle(&mut self, event: libc::epoll_event) {
        let (events, data) = (event.events as i32, event.u64);
        if data == DOORBELL {
            return self.host.doorbell.drain();
        }
        let fd = data as u32 as RawFd;
        let socket = &mut self.sockets[fd as usize];
        if u64::from(socket.generation) != data >> 32 {
            return;
        }
        let failed = events & (libc::EPOLLHUP | libc::EPOLLERR) != 0;
        let ended = failed || events & libc::EPOLLRDHUP != 0;
        socket.ended |= ended;
        if ended || events & libc::EPOLLIN != 0 {
            socket.reader.ready = true;
            self.run_queue(fd, Half::Read);
        }
        if failed || events & libc::EPOLLOUT != 0 {
            self.direction(fd, Half::Write).ready = true;
            self.run_queue(fd, Half::Write);
        }
    }

    fn wait(&mut self, wait: Wait, events: &mut [libc::epoll_event]) -> usize {
        assert_eq!(events.len(), EVENTS_PER_CALL, "the kernel is told how many have room");
        let (epoll, at) = (self.epoll.as_raw_fd(), events.as_mut_ptr());
        let left_ns = match wait {
            Wait::No => 0,
            Wait::Forever => u64::MAX,
            Wait::Until(deadline) => deadline.since(sys::monotonic()).as_nanos() as u64,
        };
        if self.precise_wait && left_ns != 0 && left_ns != u64::MAX {
            let timeout = libc::timespec {
                tv_sec: (left_ns / 1_000_000_000) as libc::time_t,
                tv_nsec: (left_ns % 1_000_000_000) as libc::c_long,
            };
            let no_mask: *const libc::sigset_t = std::ptr::null();
            // SAFETY: `events` has room for as many as are asked for, and the timeout is ours.
            let count = unsafe {
                libc::syscall(
                    libc::SYS_epoll_pwait2,
                    epoll,
                    at,
                    EVENTS_PER_CALL as i32,
                    &timeout,
                    no_mask,
                    0usize,
                )
            };
            if count >= 0 {
                return count as usize;
            }
            match io::Error::last_os_error().raw_os_error() {
                Some(libc::EINTR) => return 0,
                // Old kernels lack it, and seccomp profiles older than it refuse it.
                _ => self.precise_wait = false,
            }
        }
        let timeout_ms = if left_ns == u64::MAX {
            -1
        } else {
            left_ns.div_ceil(1_000_000).min(i32::MAX as u64) as i32
        };
        // SAFETY: as above.
        match sys::check(unsafe { libc::epoll_wait(epoll, at, EVENTS_PER_CALL as i32, timeout_ms) })
        {
            Ok(count) => count as usize,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => 0,
            Err(error) => panic!("epoll_wait failed: {error}"),
        }
    }
}

fn finish_connect(fd: RawFd, peer: SocketAddr, socket: &Rc<SocketInner>) -> io::Result<Outcome> {
    sys::pending_error(fd)?;
    let local = sys::local_address(fd)?;
    Ok(Outcome::Connected(crate::net::Stream { inner: socket.clone(), peer, local }))
}

impl Backend for Epoll {
    fn kind(&self) -> BackendKind {
        BackendKind::Epoll
    }

    fn submit(&mut self, token: Token, op: Op) {
        match op {
            Op::Accept { ref listener } => {
                let fd = sys::socket_fd(&listener.inner);
                self.enqueue(token, op, fd, Half::Read, Progress::Nothing);
            }
            Op::Connect { addr } => self.start_connect(token, addr),
            Op::Recv { ref socket, least, .. } => {
                let fd = sys::socket_fd(socket);
                self.set_low_water(fd, least);
                self.enqueue(token, op, fd, Half::Read, Progress::Nothing);
            }
            Op::Send { ref socket, .. } => {
                let fd = sys::socket_fd(socket);
                self.enqueue(token, op, fd, Half::Write, Progress::Sending(Gather::default()));
            }
            Op::SendFile { ref socket, .. } => {
                let fd = sys::socket_fd(socket);
                self.enqueue(
                    token,
                    op,
                    fd,
                    Half::Write,
                    Progress::Transferring(Transfer::default()),
                );
            }
            Op::Read { file, buf, max, offset } => self.read(token, file, buf, max, offset),
            Op::Write { ref file, .. } if !sys::is_direct(file) => self.host.perform_now(token, op),
            Op::Size { .. } | Op::TryLock { .. } => self.host.perform_now(token, op),
            op => self.host.perform_on_thread(token, op),
        }
    }

    fn cancel(&mut self, token: Token) {
        let Some(pending) = self.pending.get_mut(token) else { return };
        let (fd, half) = (pending.fd, pending.half);
        if matches!(pending.progress, Progress::Sending(_) | Progress::Transferring(_)) {
            sys::shutdown(fd);
        }
        if pending.on_thread {
            // Its thread still has the pipe; it ends when that comes back.
            let was_cancelled = mem::replace(&mut pending.cancelled, true);
            assert!(!was_cancelled, "{:#x} is cancelled a second time", token.0);
            return;
        }
        self.abandon(token, sys::cancelled());
        self.run_queue(fd, half);
    }

    fn poll(&mut self, wait: Wait, completions: &mut Vec<crate::op::Completion>) {
        for token in mem::take(&mut self.turns) {
            if let Some(pending) = self.pending.get_mut(token) {
                assert!(pending.half == Half::Write, "only what is sent takes turns");
                let fd = pending.fd;
                self.run_queue(fd, Half::Write);
            }
        }
        for (token, pipe, filled) in self.host.take_finished() {
            self.filled(token, pipe, filled);
        }
        let idle = self.host.completions.is_empty() && self.turns.is_empty();
        let mut events = mem::take(&mut self.events);
        let count = self.wait(if idle { wait } else { Wait::No }, &mut events);
        for &event in &events[..count] {
            self.handle(event);
        }
        self.events = events;
        completions.append(&mut self.host.completions);
    }

    fn set_sleeping(&mut self, sleeping: bool) {
        self.host.set_sleeping(sleeping);
    }

    fn now(&self) -> Instant {
        sys::monotonic()
    }

    fn coarse_now(&self) -> Instant {
        sys::monotonic_coarse()
    }

    fn wall_clock_ms(&self) -> i64 {
        sys::wall_clock_ms()
    }

    fn random_u64(&mut self) -> u64 {
        self.host.random.next()
    }

    fn doorbell(&self) -> Doorbell {
        self.host.bell()
    }

    fn listen(&mut self, addr: SocketAddr, options: ListenOptions) -> io::Result<Listener> {
        let listener = sys::listen(addr, options)?;
        self.register(sys::socket_fd(&listener.inner))?;
        Ok(listener)
    }

    /// Without the number that it was registered under, events of the socket that were taken
    /// already belong to no socket.
    fn release(&mut self, socket: &SocketInner) {
        let fd = sys::socket_fd(socket);
        let left = mem::take(&mut self.sockets[fd as usize]);
        assert!(!left.low_water, "nothing was done on a stream that leaves its core");
        assert!(
            left.reader.waiting.is_empty() && left.writer.waiting.is_empty(),
            "operations wait on a stream that leaves its core"
        );
        self.control(libc::EPOLL_CTL_DEL, fd, 0, 0)
            .expect("a stream is registered as long as it is open");
    }

    fn adopt(&mut self, socket: &SocketInner) -> io::Result<()> {
        self.register(sys::socket_fd(socket))
    }

    fn write_now(&mut self, file: &File, bufs: &[Bytes], offset: u64) -> io::Result<()> {
        sys::pwrite_all(file, bufs, offset)
    }

    fn read_now(
        &mut self,
        file: &File,
        buf: &mut BytesMut,
        max: usize,
        offset: u64,
    ) -> io::Result<usize> {
        sys::pread(file, buf, max, offset)
    }

    fn spare(&mut self) -> io::Result<SpareDescriptor> {
        sys::spare()
    }

    fn taken_by_peer(&mut self, socket: &SocketInner) -> u64 {
        sys::acknowledged_bytes(sys::socket_fd(socket))
    }

    fn shutdown(&mut self, socket: &SocketInner) {
        sys::shutdown(sys::socket_fd(socket));
    }
}
