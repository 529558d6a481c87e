//! What happens on the simulated network: connects, bytes on their way, ends, breaks and
//! partitions.

use super::{
    handle::{HandleKind, SimHandle},
    network::{Connection, End, ListenerState, Sender, Source, Waiter, address_of, node_at},
    state::{Event, State},
};
use crate::{
    net::{ListenOptions, Listener, SocketInner, Stream},
    op::{Op, Outcome},
};
use bytes::{Buf, Bytes, BytesMut};
use std::{
    io,
    net::{IpAddr, SocketAddr},
    rc::Rc,
    sync::Arc,
};

/// A connect's first packet is sent again after this, then after twice as long, and so on.
const SYN_RETRY_NS: u64 = 1_000_000_000;
const FIRST_EPHEMERAL_PORT: u16 = 32_768;
/// A send from a file reads pieces of this size.
const FILE_PIECE_BYTES: usize = 64 * 1024;

fn errno(code: i32) -> io::Error {
    io::Error::from_raw_os_error(code)
}

fn sim_handle(socket: &SocketInner, kind: HandleKind) -> u64 {
    match socket {
        SocketInner::Sim(handle) => {
            assert_eq!(handle.kind, kind, "{handle:?} is used as another kind of socket");
            handle.id
        }
        SocketInner::Os(_) => panic!("a socket of another back-end in the simulated world"),
    }
}

impl State {
    fn socket(&self, kind: HandleKind, node: u32, id: u64) -> Rc<SocketInner> {
        Rc::new(SocketInner::Sim(SimHandle { kind, node, id, signals: Arc::clone(&self.signals) }))
    }

    fn network_latency(&mut self, from: u32, to: u32) -> u64 {
        let options = &self.options.network;
        let span = if from == to { options.loopback } else { options.latency };
        span.draw_ns(&mut self.network.random)
    }

    fn ephemeral_port(&mut self, node: u32) -> u16 {
        let next = &mut self.nodes[node as usize].next_port;
        *next = next.wrapping_add(1) & (FIRST_EPHEMERAL_PORT - 1);
        FIRST_EPHEMERAL_PORT + *next
    }

    /// What a core does to a stream it does on the machine of that stream.
    fn check_own(&mut self, core: u32, id: u64) {
        let node = self.cores[core as usize].node;
        let Some(end) = self.network.end(id) else { return };
        assert!(!end.closed, "end {id} is used, and its last handle is gone");
        let own = end.node;
        assert_eq!(own, node, "end {id} of node {own} is used on another");
    }

    pub(super) fn submit_network(&mut self, core: u32, token: u64) {
        let waiter = (core, token);
        let node = self.cores[core as usize].node;
        match &self.ops[&waiter].op {
            Op::Accept { listener } => {
                let id = sim_handle(&listener.inner, HandleKind::Listener);
                match self.network.listeners.get_mut(&id) {
                    Some(state) => {
                        assert_eq!(state.node, node, "listener {id} is used on another node");
                        state.acceptors.push_back(waiter);
                        self.serve_acceptors(id);
                    }
                    None => self.complete(core, token, Err(errno(libc::EINVAL))),
                }
            }
            Op::Connect { addr } => match node_at(addr.ip(), node, self.nodes.len()) {
                Some(to) => {
                    let at = self.now + self.network_latency(node, to);
                    self.schedule(at, Event::Syn { core, token, attempt: 0 });
                }
                None => self.complete(core, token, Err(errno(libc::EHOSTUNREACH))),
            },
            Op::Recv { socket, .. } => {
                let id = sim_handle(socket, HandleKind::Stream);
                self.check_own(core, id);
                match self.network.end(id) {
                    Some(end) => {
                        end.receivers.push_back(waiter);
                        self.serve_receivers(id);
                    }
                    None => self.complete(core, token, Err(errno(libc::EBADF))),
                }
            }
            Op::Send { socket, bufs } => {
                let (id, bufs) = (
                    sim_handle(socket, HandleKind::Stream),
                    bufs.iter().filter(|buf| !buf.is_empty()).cloned().collect(),
                );
                self.add_sender(id, waiter, Source::Buffers(bufs));
            }
            Op::SendFile { socket, file, offset, length, through_cache } => {
                let id = sim_handle(socket, HandleKind::Stream);
                let cold = !through_cache
                    && self.network.random.chance(self.options.disk.cold_per_million);
                // The first byte that is not in the page cache may be any of them.
                let left = if cold { self.network.random.below(*length) } else { *length };
                let source = Source::File { file: file.clone(), offset: *offset, left };
                self.add_sender(id, waiter, source);
            }
            _ => unreachable!("an operation of the disk"),
        }
    }

    /// The operation's future is gone. What waits for a peer ends at once; a send that is
    /// cut short takes its stream with it.
    pub(super) fn cancel(&mut self, core: u32, token: u64) {
        let waiter = (core, token);
        let Some(pending) = self.ops.get(&waiter) else { return };
        match &pending.op {
            Op::Accept { listener } => {
                if let Some(state) = self
                    .network
                    .listeners
                    .get_mut(&sim_handle(&listener.inner, HandleKind::Listener))
                {
                    let before = state.acceptors.len();
                    state.acceptors.retain(|other| *other != waiter);
                    assert_eq!(state.acceptors.len() + 1, before, "an accept waits once");
                }
            }
            Op::Connect { .. } => {}
            Op::Recv { socket, .. } => {
                if let Some(end) = self.network.end(sim_handle(socket, HandleKind::Stream)) {
                    let before = end.receivers.len();
                    end.receivers.retain(|other| *other != waiter);
                    assert_eq!(end.receivers.len() + 1, before, "a receive waits once");
                }
            }
            Op::Send { socket, .. } | Op::SendFile { socket, .. } => {
                let id = sim_handle(socket, HandleKind::Stream);
                let Some(end) = self.network.end(id) else { return };
                let begun =
                    end.senders.iter().any(|sender| sender.waiter == waiter && sender.sent > 0);
                let before = end.senders.len();
                end.senders.retain(|other| other.waiter != waiter);
                assert_eq!(end.senders.len() + 1, before, "a send waits once");
                if begun {
                    self.shutdown_end(id);
                }
            }
            _ => return,
        }
        self.complete(core, token, Err(errno(libc::ECANCELED)));
    }

    // ---- listening and connecting
    // --------------------------------------------------------------------------------

    pub(super) fn listen(
        &mut self,
        core: u32,
        addr: SocketAddr,
        options: ListenOptions,
    ) -> io::Result<Listener> {
        let node = self.cores[core as usize].node;
        if node_at(addr.ip(), node, self.nodes.len()) != Some(node) {
            return Err(errno(libc::EADDRNOTAVAIL));
        }
        let mut address = addr;
        if address.port() == 0 {
            address.set_port(self.ephemeral_port(node));
        }
        let overlaps = |one: IpAddr, other: IpAddr| {
            one == other || one.is_unspecified() || other.is_unspecified()
        };
        let taken = self.network.listeners.values().any(|other| {
            other.node == node
                && other.address.port() == address.port()
                && overlaps(other.address.ip(), address.ip())
                && !(other.reuse_port && options.reuse_port)
        });
        if taken {
            return Err(errno(libc::EADDRINUSE));
        }
        self.network.next_listener += 1;
        let id = self.network.next_listener;
        let window_bytes = options
            .send_buffer_bytes
            .map_or(self.options.network.window_bytes, |size| size as usize);
        let before = self.network.listeners.insert(
            id,
            ListenerState {
                node,
                address,
                reuse_port: options.reuse_port,
                backlog_limit: options.backlog.max(1) as usize,
                window_bytes: window_bytes.max(1),
                backlog: Default::default(),
                acceptors: Default::default(),
            },
        );
        assert!(before.is_none(), "listener {id} is made twice");
        Ok(Listener { inner: self.socket(HandleKind::Listener, node, id), local: address })
    }

    pub(super) fn close_listener(&mut self, id: u64) {
        let Some(state) = self.network.listeners.remove(&id) else { return };
        for (core, token) in state.acceptors {
            self.complete(core, token, Err(errno(libc::EINVAL)));
        }
        for end in state.backlog {
            self.close_end(end);
        }
    }

    pub(super) fn syn(&mut self, core: u32, token: u64, attempt: u32) {
        let Some(Op::Connect { addr }) = self.ops.get(&(core, token)).map(|pending| &pending.op)
        else {
            return;
        };
        let (addr, from) = (*addr, self.cores[core as usize].node);
        let to = node_at(addr.ip(), from, self.nodes.len()).expect("checked when submitted");
        let lost = self.network.is_blocked(from, to) || self.network.is_blocked(to, from);
        let mut found = Vec::new();
        let mut listening = false;
        for (&id, state) in &self.network.listeners {
            let ip = state.address.ip();
            let matches = ip.is_unspecified() || ip.to_canonical() == addr.ip().to_canonical();
            if state.node == to && state.address.port() == addr.port() && matches {
                listening = true;
                if state.backlog.len() < state.backlog_limit {
                    found.push(id);
                }
            }
        }
        let back = self.now + self.network_latency(to, from);
        if lost || !self.nodes[to as usize].up || (listening && found.is_empty()) {
            let waited = SYN_RETRY_NS.saturating_mul((1 << attempt.min(30)) - 1);
            let left =
                (self.options.network.connect_timeout.as_nanos() as u64).saturating_sub(waited);
            let retry = SYN_RETRY_NS << attempt.min(30);
            if left <= retry {
                self.schedule(
                    self.now + left,
                    Event::Refused { core, token, code: libc::ETIMEDOUT },
                );
            } else {
                self.schedule(self.now + retry, Event::Syn { core, token, attempt: attempt + 1 });
            }
        } else if !listening {
            self.schedule(back, Event::Refused { core, token, code: libc::ECONNREFUSED });
        } else {
            let listener = found[self.network.random.below(found.len() as u64) as usize];
            let end = self.make_connection(listener, from, addr);
            self.schedule(back, Event::Established { core, token, end });
            self.serve_acceptors(listener);
        }
    }

    /// A connection whose server end waits in the listener's backlog; gives the client's end.
    fn make_connection(&mut self, listener: u64, from: u32, addr: SocketAddr) -> u64 {
        let port = self.ephemeral_port(from);
        let ip = if addr.ip().is_loopback() { addr.ip() } else { address_of(from) };
        let state = &self.network.listeners[&listener];
        let ends = [End::new(from, SocketAddr::new(ip, port)), End::new(state.node, addr)];
        let window_bytes = state.window_bytes;
        let number = self.network.connect(Connection { ends, window_bytes, broken: false });
        let state = self.network.listeners.get_mut(&listener).expect("found above");
        state.backlog.push_back(number * 2 + 1);
        let (waiting, most) = (state.backlog.len(), state.backlog_limit);
        assert!(waiting <= most, "{waiting} connections wait to be accepted, of {most}");
        number * 2
    }

    fn stream(&mut self, end: u64) -> Option<Stream> {
        let (own, peer) = self.network.ends(end)?;
        let (node, local, peer) = (own.node, own.address, peer.address);
        Some(Stream { inner: self.socket(HandleKind::Stream, node, end), peer, local })
    }

    pub(super) fn established(&mut self, core: u32, token: u64, end: u64) {
        assert!(end.is_multiple_of(2), "who connects has the first end, not {end}");
        if !self.ops.contains_key(&(core, token)) {
            self.close_end(end);
            return;
        }
        let (own, node) =
            (self.network.end(end).map(|end| end.node), self.cores[core as usize].node);
        assert!(own.is_none_or(|own| own == node), "{end} is of {own:?}, and {node} has connected");
        let result =
            self.stream(end).map(Outcome::Connected).ok_or_else(|| errno(libc::ECONNRESET));
        self.complete(core, token, result);
    }

    fn serve_acceptors(&mut self, listener: u64) {
        while let Some(state) = self.network.listeners.get_mut(&listener)
            && !state.backlog.is_empty()
            && let Some((core, token)) = state.acceptors.pop_front()
        {
            let end = state.backlog.pop_front().expect("not empty");
            assert!(!end.is_multiple_of(2), "who listens has the second end, not {end}");
            match self.stream(end) {
                Some(stream) => self.complete(core, token, Ok(Outcome::Accepted(stream))),
                None => self.complete(core, token, Err(errno(libc::ECONNABORTED))),
            }
        }
    }

    // ---- sending
    // ---------------------------------------------------------------------------------------------

    fn add_sender(&mut self, id: u64, waiter: Waiter, source: Source) {
        self.check_own(waiter.0, id);
        match self.network.end(id) {
            Some(end) => {
                end.senders.push_back(Sender { waiter, source, sent: 0 });
                self.pump(id);
            }
            None => self.complete(waiter.0, waiter.1, Err(errno(libc::EBADF))),
        }
    }

    /// Hands bytes of the waiting sends of `end` to the connection, as far as its window has room.
    fn pump(&mut self, id: u64) {
        loop {
            let Some(connection) = self.network.connection(id) else { return };
            let window = connection.window_bytes;
            let (end, peer) = self.network.ends(id).expect("its connection exists");
            let Some(mut sender) = end.senders.pop_front() else { return };
            if let Some(code) = end.error.or(end.shut.then_some(libc::EPIPE)) {
                self.complete(sender.waiter.0, sender.waiter.1, Err(errno(code)));
                continue;
            }
            let (from, room) = (end.node, window.saturating_sub(peer.incoming.bytes));
            if sender.source.is_empty() {
                self.complete(sender.waiter.0, sender.waiter.1, Ok(Outcome::Size(sender.sent)));
                continue;
            }
            if room == 0 {
                end.senders.push_front(sender);
                return;
            }
            match self.next_piece(&mut sender.source, from, room) {
                Ok(piece) => {
                    let length = piece.len();
                    assert!(length <= room, "{length} bytes are sent into a window of {room}");
                    assert!(length > 0, "a send that is not over sends nothing");
                    sender.sent += length as u64;
                    self.network.end(id).expect("still there").senders.push_front(sender);
                    self.launch(id, piece);
                }
                Err(error) => {
                    self.complete(sender.waiter.0, sender.waiter.1, Err(error));
                    self.break_end(id, libc::EPIPE);
                    self.schedule_reset(id ^ 1);
                }
            }
        }
    }

    /// At least one byte and at most `room` of a source that is not empty.
    fn next_piece(&mut self, source: &mut Source, node: u32, room: usize) -> io::Result<Bytes> {
        match source {
            Source::Buffers(buffers) => {
                let front = buffers.front_mut().expect("not empty");
                // Copied, as a kernel does: the sender's buffers are free when its send has ended.
                let piece = Bytes::copy_from_slice(&front[..front.len().min(room)]);
                front.advance(piece.len());
                if front.is_empty() {
                    buffers.pop_front();
                }
                Ok(piece)
            }
            Source::File { file, offset, left } => {
                let wanted = room.min(FILE_PIECE_BYTES).min(*left as usize);
                let mut piece = BytesMut::with_capacity(wanted);
                let read =
                    self.nodes[node as usize].disk.read(file, &mut piece, wanted, *offset)?;
                if read == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                assert!(read as u64 <= *left, "{read} bytes are read of {left} to be sent");
                (*offset, *left) = (*offset + read as u64, *left - read as u64);
                Ok(piece.freeze())
            }
        }
    }

    /// Sends a piece from `end` on its way.
    fn launch(&mut self, id: u64, mut piece: Bytes) {
        let (end, peer) = self.network.ends(id).expect("the caller has it");
        let (from, to) = (end.node, peer.node);
        assert!(end.error.is_none() && !end.shut, "bytes are sent on a stream that has ended");
        peer.incoming.bytes += piece.len();
        let split =
            piece.len() > 1 && self.network.random.chance(self.options.network.split_per_million);
        let first_length = if split {
            1 + self.network.random.below(piece.len() as u64 - 1) as usize
        } else {
            piece.len()
        };
        let first = piece.split_to(first_length);
        for piece in [first, piece].into_iter().filter(|piece| !piece.is_empty()) {
            let at = self.now + self.network_latency(from, to);
            let incoming = &mut self.network.end(id ^ 1).expect("the caller has it").incoming;
            let at = at.max(incoming.last_arrival);
            // Pieces of one moment travel together: one event moves them all.
            let last = incoming.in_flight.back().map(|(last, _)| *last);
            assert!(last <= Some(at), "bytes that arrive at {at} follow those of {last:?}");
            let together = last == Some(at);
            incoming.last_arrival = at;
            incoming.in_flight.push_back((at, piece));
            if !together {
                self.schedule(at, Event::Arrive { end: id ^ 1 });
            }
        }
    }

    // ---- arriving
    // ---------------------------------------------------------------------------------------------

    /// What was sent towards `end` until now gets there, unless something is in its way.
    pub(super) fn arrive(&mut self, id: u64) {
        let now = self.now;
        let Some(connection) = self.network.connection(id) else { return };
        let broken = connection.broken;
        let (end, peer) = self.network.ends(id).expect("its connection exists");
        let (own, from, gone) = (end.node, peer.node, end.closed);
        let due = end.incoming.in_flight.front().is_some_and(|(at, _)| *at <= now);
        if !due && end.incoming.fin.is_none_or(|at| at > now) {
            return;
        }
        let node_down = gone && !self.nodes[own as usize].up;
        if broken || node_down || self.network.is_blocked(from, own) {
            self.stall(id);
            return;
        }
        self.note(6, id);
        let unheard = self.network.is_blocked(own, from);
        if due && self.network.random.chance(self.options.network.break_per_million) {
            self.break_connection(id);
            return;
        }
        let (end, _) = self.network.ends(id).expect("its connection exists");
        if due && (end.closed || end.shut || end.error.is_some()) {
            end.incoming.in_flight.clear();
            end.incoming.fin = None;
            self.schedule_reset(id ^ 1);
            return;
        }
        let incoming = &mut end.incoming;
        if !unheard {
            incoming.stalled_since = None;
        }
        while let Some((at, _)) = incoming.in_flight.front()
            && *at <= now
        {
            let (_, piece) = incoming.in_flight.pop_front().expect("looked at above");
            incoming.arrived_bytes += piece.len();
            incoming.arrived.push_back(piece);
        }
        incoming.check();
        incoming.ended |= incoming.in_flight.is_empty() && incoming.fin.is_some_and(|at| at <= now);
        if unheard {
            // The acknowledgement does not get back.
            self.stall(id);
        }
        self.serve_receivers(id);
    }

    fn stall(&mut self, id: u64) {
        let since = self.now;
        let incoming = &mut self.network.end(id).expect("the caller has it").incoming;
        if incoming.stalled_since.is_none() {
            incoming.stalled_since = Some(since);
            let at = since + self.options.network.unacknowledged_timeout.as_nanos() as u64;
            self.schedule(at, Event::Unacknowledged { end: id, since });
        }
    }

    pub(super) fn give_up(&mut self, id: u64, since: u64) {
        if self.network.end(id).is_some_and(|end| end.incoming.stalled_since == Some(since)) {
            self.note(7, id);
            self.break_end(id ^ 1, libc::ETIMEDOUT);
        }
    }

    fn serve_receivers(&mut self, id: u64) {
        let short_per_million = self.options.network.short_receive_per_million;
        let mut taken = 0;
        while let Some(end) = self.network.end(id) {
            let incoming = &mut end.incoming;
            let readable =
                end.shut || incoming.arrived_bytes > 0 || incoming.ended || end.error.is_some();
            if !readable {
                break;
            }
            let Some((core, token)) = end.receivers.pop_front() else { break };
            let (shut, error) = (end.shut, end.error);
            if shut || incoming.arrived_bytes == 0 {
                let result = if shut { None } else { error };
                self.complete(
                    core,
                    token,
                    result.map_or(Ok(Outcome::Size(0)), |code| Err(errno(code))),
                );
                continue;
            }
            let Some(pending) = self.ops.get_mut(&(core, token)) else { continue };
            let Op::Recv { buf, max, .. } = &mut pending.op else {
                unreachable!("only receives wait here")
            };
            let mut length = incoming.arrived_bytes.min(*max);
            let random = &mut self.network.random;
            if length > 1 && random.chance(short_per_million) {
                let bound = [1, length.min(16), length][random.below(3) as usize];
                length = 1 + random.below(bound as u64) as usize;
            }
            assert!((1..=*max).contains(&length), "{length} bytes are received into {max}");
            self.network.end(id).expect("looked at above").incoming.take(length, buf);
            taken += length;
            self.complete(core, token, Ok(Outcome::Size(length as u64)));
        }
        let Some((end, peer)) = self.network.ends(id) else { return };
        let (own, from) = (end.node, peer.node);
        if self.network.is_blocked(own, from) {
            let incoming = &mut self.network.end(id).expect("looked at above").incoming;
            (incoming.bytes, incoming.withheld_bytes) =
                (incoming.bytes + taken, incoming.withheld_bytes + taken);
            incoming.check();
        } else if taken > 0 {
            self.pump(id ^ 1);
        }
    }

    // ---- ends and breaks
    // -----------------------------------------------------------------------------------------

    fn schedule_reset(&mut self, id: u64) {
        let Some((end, peer)) = self.network.ends(id) else { return };
        let (own, from) = (end.node, peer.node);
        if !self.network.is_blocked(from, own) {
            let at = self.now + self.network_latency(from, own);
            let at = at.max(self.network.end(id).expect("seen above").incoming.last_arrival);
            self.schedule(at, Event::Reset { end: id });
        }
    }

    pub(super) fn reset(&mut self, id: u64) {
        self.note(8, id);
        self.break_end(id, libc::ECONNRESET);
    }

    /// `end` learns that its connection is no more. What has arrived can still be read, or not.
    fn break_end(&mut self, id: u64, code: i32) {
        let discards = self.options.network.reset_discards_per_million;
        let loses_arrived = code == libc::ECONNRESET && self.network.random.chance(discards);
        let Some(end) = self.network.end(id) else { return };
        end.error.get_or_insert(code);
        if loses_arrived {
            end.incoming.arrived.clear();
            end.incoming.arrived_bytes = 0;
        }
        self.serve_receivers(id);
        self.pump(id);
        let is_idle = self.network.end(id).is_none_or(|end| end.is_idle());
        assert!(is_idle, "end {id} is broken, and operations wait on it");
    }

    /// Breaks a connection between two of the bytes on their way to `id`; each end learns it now,
    /// late or never.
    fn break_connection(&mut self, id: u64) {
        let now = self.now;
        let half_open = self.options.network.half_open_per_million;
        let connection = self.network.connection(id).expect("the caller has it");
        let was_broken = std::mem::replace(&mut connection.broken, true);
        assert!(!was_broken, "a connection breaks once");
        let random = &mut self.network.random;
        let (tells_receiver, tells_sender) = (!random.chance(half_open), !random.chance(half_open));
        let cut = random.next();
        let incoming = &mut self.network.end(id).expect("the caller has it").incoming;
        let due: usize = incoming
            .in_flight
            .iter()
            .filter(|(at, _)| *at <= now)
            .map(|(_, piece)| piece.len())
            .sum();
        let mut left = (cut % (due as u64 + 1)) as usize;
        for (_, piece) in std::mem::take(&mut incoming.in_flight) {
            let kept = piece.slice(..piece.len().min(left));
            left -= kept.len();
            incoming.arrived_bytes += kept.len();
            if !kept.is_empty() {
                incoming.arrived.push_back(kept);
            }
        }
        assert_eq!(left, 0, "a connection breaks between the bytes on their way");
        incoming.check();
        self.serve_receivers(id);
        if tells_receiver {
            self.schedule(now, Event::Reset { end: id });
        }
        if tells_sender {
            self.schedule_reset(id ^ 1);
        } else {
            self.stall(id);
        }
    }

    pub(super) fn taken_by_peer(&mut self, socket: &SocketInner) -> u64 {
        self.network
            .ends(sim_handle(socket, HandleKind::Stream))
            .map_or(0, |(_, peer)| peer.incoming.taken_bytes)
    }

    /// Both directions end: what waits on `socket` ends, the peer reads what was sent and then the
    /// end.
    pub(super) fn shutdown(&mut self, socket: &SocketInner) {
        self.shutdown_end(sim_handle(socket, HandleKind::Stream));
    }

    fn shutdown_end(&mut self, id: u64) {
        let Some(end) = self.network.end(id) else { return };
        if !std::mem::replace(&mut end.shut, true) {
            self.serve_receivers(id);
            self.pump(id);
            self.send_fin(id);
            let is_idle = self.network.end(id).is_none_or(|end| end.is_idle());
            assert!(is_idle, "end {id} is shut down, and operations wait on it");
        }
    }

    fn send_fin(&mut self, id: u64) {
        let (end, peer) = self.network.ends(id).expect("the caller has it");
        assert!(end.shut || end.closed, "the stream of end {id} ends, which is open");
        let (from, to) = (end.node, peer.node);
        let at = self.now + self.network_latency(from, to);
        let incoming = &mut self.network.end(id ^ 1).expect("the caller has it").incoming;
        let at = at.max(incoming.last_arrival);
        let fin = *incoming.fin.get_or_insert(at);
        assert!(incoming.last_arrival <= fin, "a stream ends at {fin}, before its last bytes");
        self.schedule(at, Event::Arrive { end: id ^ 1 });
    }

    /// The last handle of an end is gone: an orderly end, or a reset when it leaves bytes unread.
    pub(super) fn close_end(&mut self, id: u64) {
        let Some((end, peer)) = self.network.ends(id) else { return };
        if std::mem::replace(&mut end.closed, true) {
            return;
        }
        let unread = end.incoming.arrived_bytes > 0;
        let (ended, peer_closed) = (end.shut || end.error.is_some(), peer.closed);
        let senders = std::mem::take(&mut end.senders);
        for sender in senders {
            self.complete(sender.waiter.0, sender.waiter.1, Err(errno(libc::EPIPE)));
        }
        if peer_closed {
            self.network.connections[(id >> 1) as usize] = None;
        } else if unread {
            self.schedule_reset(id ^ 1);
        } else if !ended {
            self.send_fin(id);
        }
    }

    /// A node's processes end. With the power gone as well, no packet tells its peers, or its
    /// address resets them later.
    pub(super) fn close_node(&mut self, node: u32, power_cut: bool) {
        let listening: Vec<u64> = self
            .network
            .listeners
            .iter()
            .filter(|(_, l)| l.node == node)
            .map(|(&id, _)| id)
            .collect();
        let half_open = self.options.network.half_open_per_million;
        for id in self.network.all_ends() {
            let Some((end, peer)) = self.network.ends(id) else { continue };
            if end.node != node || end.closed {
                continue;
            }
            if !power_cut {
                self.close_end(id);
                continue;
            }
            let peer_closed = peer.closed || peer.node == node;
            end.closed = true;
            end.senders.clear();
            if peer_closed {
                self.network.connections[(id >> 1) as usize] = None;
            } else if !self.network.random.chance(half_open) {
                self.schedule_reset(id ^ 1);
            }
        }
        for id in listening {
            self.close_listener(id);
        }
    }

    /// After a partition has healed: what was stuck is sent again.
    pub(super) fn retransmit(&mut self) {
        for id in self.network.all_ends() {
            let Some((end, peer)) = self.network.ends(id) else { continue };
            let (own, from) = (end.node, peer.node);
            if end.incoming.stalled_since.is_some() && !self.network.is_blocked(from, own) {
                let at = self.now + self.network_latency(from, own);
                self.network.end(id).expect("seen above").incoming.stalled_since = None;
                self.schedule(at, Event::Arrive { end: id });
            }
            if !self.network.is_blocked(own, from) {
                let incoming = &mut self.network.end(id).expect("seen above").incoming;
                let withheld = std::mem::take(&mut incoming.withheld_bytes);
                let all = incoming.bytes;
                assert!(withheld <= all, "{withheld} bytes are withheld of {all}");
                incoming.bytes -= withheld;
                self.pump(id ^ 1);
            }
        }
    }
}

impl super::network::Incoming {
    /// Moves `length` arrived bytes to the end of `buf`.
    fn take(&mut self, length: usize, buf: &mut BytesMut) {
        let mut left = length;
        while left > 0 {
            let front = self.arrived.front_mut().expect("as many bytes have arrived");
            let piece = front.len().min(left);
            buf.extend_from_slice(&front[..piece]);
            front.advance(piece);
            if front.is_empty() {
                self.arrived.pop_front();
            }
            left -= piece;
        }
        let (arrived, all) = (self.arrived_bytes, self.bytes);
        assert!(length <= arrived, "{length} bytes are taken, and {arrived} have arrived");
        assert!(length <= all, "{length} bytes are taken of {all} in the window");
        self.arrived_bytes -= length;
        self.bytes -= length;
        self.taken_bytes += length as u64;
        self.check();
    }
}
