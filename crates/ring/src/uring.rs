//! The back-end for kernels that let us: one io_uring per core, one call per turn.
//!
//! Owns: the ring and, per operation, all memory that the kernel may touch ([`Running`]), until its
//! completion. An operation has one entry in the kernel at a time. Sends on one stream go one after
//! the other. A transfer of a file is spliced inline while the socket takes it (see
//! [`crate::send_file`]); the ring only tells when it takes more.

mod entry;
mod setup;

use crate::{
    backend::{Backend, BackendKind, Doorbell, Wait},
    faults::{self, Call},
    file::File,
    host::Host,
    in_flight::InFlight,
    net::{ListenOptions, Listener, SocketInner, SpareDescriptor},
    op::{Completion, Op, Outcome, Token},
    send_file::{Next, Range},
    sys,
    time::Instant,
};
use bytes::{Bytes, BytesMut};
use entry::{Memory, Message, Place, Running, doorbell_entry};
use io_uring::{
    EnterFlags, IoUring, cqueue, opcode, squeue,
    types::{SubmitArgs, Timespec},
};
use libc::{EAGAIN, EBUSY, EINTR, ENOMEM, ETIME};
use setup::Features;
use std::{collections::VecDeque, io, mem, net::SocketAddr, os::fd::RawFd, time::Duration};

/// Names in completions that no token has (see [`crate::slots`]).
const DOORBELL: u64 = u64::MAX;
const CANCEL: u64 = u64::MAX - 1;
/// Vectors of gathers kept for the next ones.
const MESSAGES_IDLE_MAX: usize = 256;
/// How long an ending core waits for the kernel to give its buffers back; buffers that it still has
/// then are leaked, never freed.
const GIVE_BACK_WITHIN: Duration = Duration::from_secs(10);

pub(crate) struct Uring {
    host: Host,
    ring: IoUring,
    features: Features,
    /// Entries that did not fit in the submission queue.
    overflow: VecDeque<squeue::Entry>,
    running: InFlight<Running>,
    /// Name, result and flags of what has completed, between two calls empty.
    completed: Vec<(u64, i32, u32)>,
    /// Completions to come, with those of cancellations and of the doorbell.
    in_kernel: usize,
    /// Of gathers that have completed, for the next ones. Boxed, because the kernel has their
    /// addresses while they are in use.
    #[allow(clippy::vec_box)]
    messages: Vec<Box<Message>>,
    /// By descriptor.
    sockets: Vec<Socket>,
    turns: Vec<Token>,
    cancels: Cancels,
    bell_count: Box<u64>,
    bell_armed: bool,
    ending: bool,
}

/// What the kernel was asked to cancel. It does not find an operation that it is about to try
/// again, which then may find nothing, and wait on: so an operation that was not found is looked
/// for once more.
#[derive(Default)]
struct Cancels {
    in_kernel: usize,
    failed: bool,
    of: Vec<Token>,
}

/// What is known of a socket besides what the kernel knows.
#[derive(Default)]
struct Socket {
    /// A send is under way; the others wait.
    sending: bool,
    queue: VecDeque<Token>,
    /// The last receive left nothing behind.
    drained: bool,
    /// Bytes from which on it counts as readable, if not from the first.
    low_water: Option<usize>,
}

/// Sets a ring up and tears it down again: whether io_uring can be had, or what would help.
pub(crate) fn probe() -> io::Result<String> {
    let (_, features) = setup::build()?;
    let completions = if features.deferred {
        "deferred completions"
    } else {
        "no deferred completions before Linux 6.1"
    };
    Ok(completions.to_owned())
}

impl Uring {
    pub(crate) fn new(core_name: &str) -> io::Result<Self> {
        Self::on(core_name, setup::build()?)
    }

    fn on(core_name: &str, (ring, features): (IoUring, Features)) -> io::Result<Self> {
        Ok(Self {
            host: Host::new(core_name, 0)?,
            ring,
            features,
            overflow: VecDeque::new(),
            running: InFlight::new(),
            completed: Vec::new(),
            in_kernel: 0,
            messages: Vec::new(),
            sockets: Vec::new(),
            turns: Vec::new(),
            cancels: Cancels::default(),
            bell_count: Box::new(0),
            bell_armed: false,
            ending: false,
        })
    }

    // ---- the two queues
    // --------------------------------------------------------------------------------------------

    /// Queues an entry for the next call. All that it points to has to stay until its completion.
    fn push(&mut self, entry: squeue::Entry, name: u64) {
        self.in_kernel += 1;
        assert!(
            name >= CANCEL || self.running.get_mut(Token(name)).is_some(),
            "the memory of entry {name:#x} is not kept until its completion"
        );
        let entry = entry.user_data(name);
        // SAFETY: the memory behind the entry lies in `running` (or is the doorbell's box) until
        // the completion by this name has been taken: `Drop` leaks what the kernel has not given
        // back.
        if !self.overflow.is_empty() || unsafe { self.ring.submission().push(&entry) }.is_err() {
            self.overflow.push_back(entry);
        }
    }

    /// Moves what has overflowed to the submission queue, with calls in between when it is full.
    fn flush_overflow(&mut self) {
        while let Some(entry) = self.overflow.front() {
            // SAFETY: as in `push`.
            if unsafe { self.ring.submission().push(entry) }.is_ok() {
                self.overflow.pop_front();
                continue;
            }
            self.enter(Wait::No);
            if self.ring.submission().is_full() {
                break;
            }
        }
        let (waiting, all) = (self.overflow.len(), self.in_kernel);
        assert!(waiting <= all, "{waiting} entries wait for room, of {all}");
    }

    /// The one call of a turn: hands over the entries, and waits for a completion as long as told.
    fn enter(&mut self, wait: Wait) {
        let (entries, to_do) = {
            let queue = self.ring.submission();
            (queue.len() as u32, queue.taskrun() || queue.cq_overflow())
        };
        if wait == Wait::No && entries == 0 && !to_do {
            return;
        }
        let submitter = self.ring.submitter();
        let entered = faults::allow(Call::Enter).and_then(|()| match wait {
            // SAFETY: no argument is passed, and the entries keep to what `push` demands.
            Wait::No => unsafe {
                submitter.enter::<libc::sigset_t>(entries, 0, EnterFlags::GETEVENTS.bits(), None)
            },
            Wait::Forever => submitter.submit_and_wait(1),
            Wait::Until(deadline) => {
                let timeout = Timespec::from(deadline.since(sys::monotonic()));
                submitter.submit_with_args(1, &SubmitArgs::new().timespec(&timeout))
            }
        });
        match entered {
            Ok(_) => {}
            // A signal, the end of the wait, or a kernel short of room or memory until completions
            // have been taken.
            Err(error)
                if matches!(
                    error.raw_os_error(),
                    Some(EINTR | ETIME | EBUSY | EAGAIN | ENOMEM)
                ) => {}
            Err(error) => panic!("io_uring_enter failed, the ring is lost: {error}"),
        }
    }

    fn reap(&mut self) {
        // Taken before they are handled, which may queue entries and so needs the ring.
        let mut completed = mem::take(&mut self.completed);
        assert!(completed.is_empty(), "{} completions were not handled", completed.len());
        completed.extend(
            self.ring.completion().map(|entry| (entry.user_data(), entry.result(), entry.flags())),
        );
        for (name, result, flags) in completed.drain(..) {
            assert!(self.in_kernel > 0, "{name:#x} completes, and nothing is in the kernel");
            self.in_kernel -= 1;
            match name {
                DOORBELL => {
                    assert!(self.bell_armed, "the doorbell was heard, and not listened for");
                    self.bell_armed = false;
                }
                CANCEL => {
                    assert!(self.cancels.in_kernel > 0, "no cancellation was under way");
                    self.cancels.in_kernel -= 1;
                    self.cancels.failed |= result < 0;
                }
                token => self.handle(Token(token), faults::answered(Token(token), result), flags),
            }
        }
        self.completed = completed;
        self.cancel_again();
        let (cancels, all) = (self.cancels.in_kernel, self.in_kernel);
        assert!(
            cancels + usize::from(self.bell_armed) <= all,
            "the kernel has {cancels} cancellations and perhaps the doorbell, of {all} entries"
        );
    }

    fn push_cancel(&mut self, name: u64) {
        self.cancels.in_kernel += 1;
        self.push(opcode::AsyncCancel::new(name).build(), CANCEL);
        let (cancels, all) = (self.cancels.in_kernel, self.in_kernel);
        assert!(cancels <= all, "{cancels} cancellations are in the kernel, of {all} entries");
    }

    /// To be called when everything that has completed is handled: an operation that is still there
    /// then was not cancelled.
    fn cancel_again(&mut self) {
        if mem::take(&mut self.cancels.failed) {
            let mut of = mem::take(&mut self.cancels.of);
            of.retain(|&token| {
                self.running.get_mut(token).is_some_and(|running| running.place.is_in_kernel())
            });
            of.iter().for_each(|token| self.push_cancel(token.0));
            self.cancels.of = of;
        } else if self.cancels.in_kernel == 0 {
            self.cancels.of.clear();
        }
    }

    // ---- operations
    // ---------------------------------------------------------------------------------------------

    fn handle(&mut self, token: Token, result: i32, flags: u32) {
        let mut running =
            self.running.remove(token).expect("a completion belongs to a running operation");
        let place = running.place;
        assert!(place.is_in_kernel(), "operation {:#x} completes in {place:?}", token.0);
        if let Op::Recv { socket, .. } = &running.op {
            let fd = sys::socket_fd(socket);
            self.socket(fd).drained = !cqueue::sock_nonempty(flags);
        }
        match -result {
            _ if running.cancelled && (result < 0 || running.is_send()) => {
                if result > 0 && running.place == Place::Kernel {
                    // A send, and what the kernel had sent before it heard of the end.
                    running.completed(result as usize);
                }
                self.finish(token, running, Err(sys::cancelled()));
            }
            EINTR => self.go(token, running),
            EAGAIN if running.socket().is_some() => self.poll_socket(token, running),
            errno if errno > 0 => {
                self.finish(token, running, Err(io::Error::from_raw_os_error(errno)))
            }
            _ if running.place == Place::Poll => self.go(token, running),
            _ => match running.completed(result as usize) {
                Some(result) => self.finish(token, running, result),
                None => self.go(token, running),
            },
        }
    }

    /// Takes the next step of an operation.
    fn go(&mut self, token: Token, mut running: Running) {
        if running.cancelled || self.ending {
            return self.finish(token, running, Err(sys::cancelled()));
        }
        if matches!(running.op, Op::SendFile { .. }) {
            return self.transfer(token, running);
        }
        running.place = Place::Kernel;
        let wait_first = match &running.op {
            Op::Recv { socket, least, .. } => self.has_too_little(sys::socket_fd(socket), *least),
            _ => false,
        };
        match running.entry(wait_first, &mut self.messages) {
            Some(entry) => {
                let entry = faults::submitted(&running.op, token, entry);
                self.running.insert(token, running);
                self.push(entry, token.0);
            }
            None => self.finish(token, running, Ok(Outcome::Done)),
        }
    }

    /// Whether a receive should wait before it looks. What it waits for is told to the socket.
    fn has_too_little(&mut self, fd: RawFd, least: usize) -> bool {
        if !self.features.deferred {
            return false;
        }
        let low_water = Some(least).filter(|least| *least > 1);
        let socket = self.socket(fd);
        if mem::replace(&mut socket.low_water, low_water) != low_water {
            sys::set_receive_low_water(fd, least);
        }
        socket.drained || low_water.is_some()
    }

    fn poll_socket(&mut self, token: Token, mut running: Running) {
        running.place = Place::Poll;
        let entry = running.poll_entry();
        self.running.insert(token, running);
        self.push(entry, token.0);
    }

    fn transfer(&mut self, token: Token, mut running: Running) {
        let (
            Op::SendFile { socket, file, offset, length, through_cache },
            Memory::Transfer(transfer),
        ) = (&running.op, &mut running.memory)
        else {
            panic!("only files are transferred");
        };
        let fd = sys::socket_fd(socket);
        assert!(self.socket(fd).sending, "a transfer goes on while {fd} has no send under way");
        let range = Range { file, offset: *offset, length: *length, through_cache: *through_cache };
        match transfer.advance(&mut self.host.pipes, fd, range) {
            Next::Done(sent) => self.finish(token, running, Ok(Outcome::Size(sent))),
            Next::Failed(error) => self.finish(token, running, Err(error)),
            Next::Writable => self.poll_socket(token, running),
            Next::Turn => {
                running.place = Place::Turn;
                self.running.insert(token, running);
                self.turns.push(token);
            }
            Next::Disk { pipe, offset, max } => {
                self.host.fill_on_thread(token, pipe, file.clone(), offset, max);
                running.place = Place::Thread;
                self.running.insert(token, running);
            }
        }
    }

    fn resume_transfers(&mut self) {
        for token in mem::take(&mut self.turns) {
            if let Some(running) = self.running.remove(token) {
                assert_eq!(running.place, Place::Turn, "an operation goes on after its turn");
                assert!(running.is_send(), "only transfers take turns, not {}", running.op.name());
                self.go(token, running);
            }
        }
        for (token, pipe, filled) in self.host.take_finished() {
            let mut running = self.running.remove(token).expect("a transfer waits for its thread");
            assert_eq!(running.place, Place::Thread, "a thread brings a pipe back once");
            let Memory::Transfer(transfer) = &mut running.memory else {
                panic!("only transfers fill pipes")
            };
            match transfer.filled(pipe, filled) {
                Ok(()) => self.go(token, running),
                Err(error) => self.finish(token, running, Err(error)),
            }
        }
    }

    fn finish(&mut self, token: Token, mut running: Running, result: io::Result<Outcome>) {
        if let Ok(Outcome::Accepted(stream) | Outcome::Connected(stream)) = &result {
            self.begin_socket(sys::socket_fd(&stream.inner));
        }
        assert!(self.running.get_mut(token).is_none(), "{:#x} ends, and is under way", token.0);
        let (socket, is_send) = (running.socket(), running.is_send());
        if let Some(fd) = socket
            && result.is_err()
            && running.leave_rest()
        {
            // Nothing may follow half a message.
            sys::shutdown(fd);
        }
        if let Memory::Gather(_, Some(message)) = running.memory
            && self.messages.len() < MESSAGES_IDLE_MAX
        {
            self.messages.push(message);
        }
        let sent_on = socket.filter(|_| is_send && running.place != Place::Queue);
        self.host.complete(token, running.op, result);
        let Some(fd) = sent_on else { return };
        assert!(self.socket(fd).sending, "a send ends on a socket that none was under way on");
        match self.socket(fd).queue.pop_front() {
            Some(next) => {
                assert_ne!(next, token, "a send has waited behind itself");
                let mut running = self.running.remove(next).expect("what waits is running");
                assert_eq!(running.place, Place::Queue, "a send waits behind another once");
                running.place = Place::Kernel;
                self.go(next, running);
            }
            None => self.socket(fd).sending = false,
        }
    }

    fn socket(&mut self, fd: RawFd) -> &mut Socket {
        let index = fd as usize;
        if index >= self.sockets.len() {
            self.sockets.resize_with(index + 1, Socket::default);
        }
        &mut self.sockets[index]
    }

    /// A new socket has the number of one that was closed, which no operation was under way on.
    fn begin_socket(&mut self, fd: RawFd) {
        let left = mem::take(self.socket(fd));
        assert!(
            !left.sending && left.queue.is_empty(),
            "an operation keeps its descriptor open, and {fd} is new"
        );
    }

    fn start(&mut self, token: Token, op: Op) {
        let mut running = match Running::new(op) {
            Ok(running) => running,
            Err((op, error)) => return self.host.complete(token, op, Err(error)),
        };
        if let Some(fd) = running.socket().filter(|_| running.is_send())
            && mem::replace(&mut self.socket(fd).sending, true)
        {
            self.socket(fd).queue.push_back(token);
            running.place = Place::Queue;
            self.running.insert(token, running);
            let (waiting, all) = (self.socket(fd).queue.len(), self.running.len());
            assert!(waiting < all, "{waiting} sends wait behind another, of {all} operations");
            return;
        }
        self.go(token, running);
    }

    /// Asks the kernel to end every operation on a socket and waits until it has given everything
    /// back.
    fn end(&mut self) {
        self.ending = true;
        for token in self.running.tokens() {
            self.cancel(token);
        }
        assert!(
            self.sockets.iter().all(|socket| socket.queue.is_empty()),
            "a send waits for its turn on a ring that ends"
        );
        if self.bell_armed {
            self.push_cancel(DOORBELL);
        }
        let deadline = sys::monotonic() + GIVE_BACK_WITHIN;
        while self.in_kernel > 0 && sys::monotonic() < deadline {
            self.flush_overflow();
            self.enter(Wait::Until(deadline));
            self.reap();
        }
        let tokens = self.running.tokens();
        let is_kept =
            |token| self.running.get_mut(token).is_some_and(|one| one.place.is_in_kernel());
        assert!(
            self.in_kernel > 0 || !tokens.into_iter().any(is_kept),
            "memory is freed that the kernel has"
        );
        assert!(
            self.in_kernel > 0 || (self.cancels.in_kernel == 0 && !self.bell_armed),
            "the kernel has nothing, and {} cancellations or the doorbell",
            self.cancels.in_kernel
        );
    }
}

/// A ring as kernels before 6.1 and before 5.19 set it up.
#[cfg(test)]
pub(crate) fn older(core_name: &str) -> [io::Result<Uring>; 2] {
    [setup::Flags::Cooperative, setup::Flags::None]
        .map(|flags| Uring::on(core_name, setup::build_with(flags)?))
}

impl Drop for Uring {
    fn drop(&mut self) {
        self.end();
        if self.in_kernel > 0 {
            tracing::warn!(
                operations = self.in_kernel,
                "the kernel keeps some buffers; they are leaked"
            );
            mem::forget(mem::replace(&mut self.running, InFlight::new()));
            mem::forget(mem::take(&mut self.bell_count));
        }
    }
}

impl Backend for Uring {
    fn kind(&self) -> BackendKind {
        BackendKind::IoUring
    }

    fn submit(&mut self, token: Token, op: Op) {
        assert!(!self.ending, "{} begins on a ring that ends", op.name());
        match op {
            Op::Size { .. } | Op::TryLock { .. } => self.host.perform_now(token, op),
            // What takes several calls, or one that rings do not make.
            Op::SyncDir { .. }
            | Op::CreateDirAll { .. }
            | Op::ReadDir { .. }
            | Op::DiskSpace { .. } => {
                self.host.perform_on_thread(token, op);
            }
            Op::Truncate { .. } if !self.features.truncate => {
                self.host.perform_on_thread(token, op)
            }
            op => self.start(token, op),
        }
    }

    fn cancel(&mut self, token: Token) {
        let Some(running) = self.running.get_mut(token) else { return };
        let (Some(fd), place) = (running.socket(), running.place) else { return };
        let was_cancelled = mem::replace(&mut running.cancelled, true);
        assert!(!was_cancelled || self.ending, "{:#x} is cancelled a second time", token.0);
        if running.is_send() {
            sys::shutdown(fd);
        }
        match place {
            Place::Kernel | Place::Poll => {
                self.cancels.of.push(token);
                self.push_cancel(token.0);
            }
            Place::Queue => {
                let running = self.running.remove(token).expect("it was there above");
                assert!(self.socket(fd).sending, "a send waits behind none");
                let queue = &mut self.socket(fd).queue;
                let before = queue.len();
                queue.retain(|&waiting| waiting != token);
                assert_eq!(queue.len() + 1, before, "a send waits behind another once");
                self.finish(token, running, Err(sys::cancelled()));
            }
            // They end when they come back.
            Place::Thread | Place::Turn => {}
        }
    }

    fn poll(&mut self, wait: Wait, completions: &mut Vec<Completion>) {
        self.resume_transfers();
        if !self.bell_armed {
            self.bell_armed = true;
            let entry = doorbell_entry(&self.host.doorbell.fd(), &mut self.bell_count);
            self.push(entry, DOORBELL);
        }
        self.flush_overflow();
        let idle = self.host.completions.is_empty()
            && self.turns.is_empty()
            && self.overflow.is_empty()
            && self.ring.completion().is_empty();
        assert!(
            self.bell_armed && self.in_kernel > 0,
            "a core waits, and no doorbell can wake it: {} entries are under way",
            self.in_kernel
        );
        self.enter(if idle { wait } else { Wait::No });
        self.reap();
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
        sys::listen(addr, options)
    }

    /// The kernel keeps nothing of a socket that no operation is under way on.
    fn release(&mut self, socket: &SocketInner) {
        let left = mem::take(self.socket(sys::socket_fd(socket)));
        assert!(
            !left.sending && left.low_water.is_none(),
            "nothing was done on a stream that leaves its core"
        );
        assert!(left.queue.is_empty(), "{} sends wait on a stream that leaves", left.queue.len());
    }

    fn adopt(&mut self, socket: &SocketInner) -> io::Result<()> {
        self.begin_socket(sys::socket_fd(socket));
        Ok(())
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
