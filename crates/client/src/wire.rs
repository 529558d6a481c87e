//! One connection's bytes: frames out in the order of the calls, frames in to the requests that
//! they answer.
//!
//! Owns: the transport, the requests in flight, and why it all ended. Lives on: the core of the
//! connection, as one task that sends, one that receives, and one that looks at the clock while a
//! request with a timeout is in flight. Never: goes on after an answer that is not the one due,
//! sizes a buffer by a length that the caller would not trust.

use crate::{
    connection::ConnectionOptions,
    error::{Delivery, DisconnectReason, Disconnected},
    request::{ClientRequest, ClientResponse, PendingResponse},
    room::{Permit, Room},
    transport::Transport,
};
use bytes::{Bytes, BytesMut};
use protocol::{ApiKey, EncodeError, Reader};
use ring::{
    Instant, Ring,
    sync::{Notify, oneshot},
};
use std::{
    cell::{Cell, OnceCell, RefCell},
    collections::VecDeque,
    mem,
    rc::Rc,
    sync::Arc,
    time::Duration,
};

type ResponseGiver = oneshot::Sender<Result<ClientResponse, Disconnected>>;

struct InFlight {
    correlation_id: i32,
    api: ApiKey,
    header_version: i16,
    /// When the response is too late, and how long it was waited for then.
    deadline: Option<(Instant, Duration)>,
    giver: ResponseGiver,
    /// Its room, until the response is there.
    _permit: Permit,
}

/// A request that is done when it is handed to the network.
struct Unanswered {
    giver: ResponseGiver,
    _permit: Permit,
}

/// What the sending task has not taken yet.
#[derive(Default)]
struct Unsent {
    bufs: Vec<Bytes>,
    /// So many of the last requests in flight.
    requests: usize,
    unanswered: Vec<Unanswered>,
}

struct Ended {
    reason: DisconnectReason,
    at: Instant,
}

pub(crate) struct Wire {
    pub ring: Ring,
    pub room: Rc<Room>,
    transport: Transport,
    client_id: Rc<str>,
    receive_bytes: usize,
    response_bytes_max: usize,
    response_bytes_trusted: usize,
    in_flight: RefCell<VecDeque<InFlight>>,
    unsent: RefCell<Unsent>,
    has_unsent: Notify,
    next_correlation_id: Cell<i32>,
    /// Until when the watching task sleeps; `None` where there is no such task.
    watched_until: Cell<Option<Instant>>,
    watch_changed: Notify,
    ended: OnceCell<Ended>,
    has_ended: Notify,
}

impl Wire {
    pub fn start(ring: &Ring, transport: Transport, options: &ConnectionOptions) -> Rc<Wire> {
        let wire = Rc::new(Wire {
            ring: ring.clone(),
            room: Room::new(options.in_flight_requests_max, options.in_flight_bytes_max),
            transport,
            client_id: options.client_id.clone(),
            receive_bytes: options.receive_bytes.max(1),
            response_bytes_max: options.response_bytes_max,
            response_bytes_trusted: options.response_bytes_trusted,
            in_flight: RefCell::default(),
            unsent: RefCell::default(),
            has_unsent: Notify::default(),
            next_correlation_id: Cell::new(0),
            watched_until: Cell::new(None),
            watch_changed: Notify::default(),
            ended: OnceCell::new(),
            has_ended: Notify::default(),
        });
        ring.spawn_named("client sends", wire.clone().send_loop());
        ring.spawn_named("client receives", wire.clone().receive_loop());
        wire
    }

    /// Why and when the connection ended.
    pub fn ended(&self) -> Option<(&DisconnectReason, Instant)> {
        self.ended.get().map(|ended| (&ended.reason, ended.at))
    }

    pub async fn wait_for_end(&self) {
        self.has_ended.wait_until(|| self.ended.get().is_some()).await;
    }

    /// The error of a request that comes too late.
    pub fn not_sent(&self) -> Option<Disconnected> {
        let (reason, _) = self.ended()?;
        Some(Disconnected { delivery: Delivery::NotSent, reason: reason.clone() })
    }

    /// Puts a request on the wire, behind all others. The connection has not ended.
    pub fn put(
        self: &Rc<Self>,
        request: ClientRequest,
        permit: Permit,
    ) -> Result<PendingResponse, EncodeError> {
        let correlation_id = self.next_correlation_id.get();
        let head = request.head(correlation_id, &self.client_id)?;
        self.next_correlation_id.set(correlation_id.wrapping_add(1));
        let (giver, taker) = oneshot::channel();
        let mut unsent = self.unsent.borrow_mut();
        unsent.bufs.push(head.freeze());
        if !request.body.is_empty() {
            unsent.bufs.push(request.body);
        }
        if request.expects_response {
            let deadline = request.timeout.map(|timeout| (self.ring.now() + timeout, timeout));
            unsent.requests += 1;
            self.in_flight.borrow_mut().push_back(InFlight {
                correlation_id,
                api: request.api,
                header_version: request.api.response_header_version(request.version),
                deadline,
                giver,
                _permit: permit,
            });
            if let Some((deadline, _)) = deadline {
                self.watch(deadline);
            }
        } else {
            unsent.unanswered.push(Unanswered { giver, _permit: permit });
        }
        drop(unsent);
        self.has_unsent.notify();
        Ok(PendingResponse(taker))
    }

    // ---- sending -------------------------------------------------------------------------------

    /// Sends what has gathered since the last send, all of it at once.
    async fn send_loop(self: Rc<Self>) {
        let (mut bufs, mut unanswered) = (Vec::new(), Vec::new());
        loop {
            let has_work = || self.ended.get().is_some() || !self.unsent.borrow().bufs.is_empty();
            self.has_unsent.wait_until(has_work).await;
            if self.ended.get().is_some() {
                return;
            }
            {
                let mut unsent = self.unsent.borrow_mut();
                mem::swap(&mut bufs, &mut unsent.bufs);
                mem::swap(&mut unanswered, &mut unsent.unanswered);
                unsent.requests = 0;
            }
            let sent = self.transport.send(&self.ring, &mut bufs).await;
            if let Err(error) = sent {
                self.end(DisconnectReason::Io(Arc::new(error)));
                return self.fail(unanswered.drain(..).map(|one| one.giver), Delivery::Unknown);
            }
            if !unanswered.is_empty() {
                let received = self.ring.precise_now();
                for Unanswered { giver, .. } in unanswered.drain(..) {
                    giver.send(Ok(ClientResponse { body: Bytes::new(), received }));
                }
            }
        }
    }

    // ---- receiving -----------------------------------------------------------------------------

    async fn receive_loop(self: Rc<Self>) {
        let mut buffer = BytesMut::with_capacity(self.receive_bytes);
        loop {
            let missing = match self.take_frames(&mut buffer) {
                Ok(missing) => missing,
                Err(reason) => return self.end(reason),
            };
            let room = self.room_for(missing, buffer.len());
            buffer.reserve(room);
            let (received, back) = self.transport.recv(&self.ring, buffer, room).await;
            buffer = back;
            match received {
                Ok(0) if buffer.is_empty() => return self.end(DisconnectReason::ClosedByPeer),
                Ok(0) => return self.end(DisconnectReason::ClosedInResponse),
                Ok(_) => {}
                Err(error) => return self.end(DisconnectReason::Io(Arc::new(error))),
            }
        }
    }

    /// Bytes to make room for where a frame misses so many and has so many. Beyond what is trusted
    /// a buffer doubles as its bytes come.
    pub fn room_for(&self, missing: usize, buffered: usize) -> usize {
        missing.min(self.response_bytes_trusted.max(buffered)).max(self.receive_bytes)
    }

    /// Hands out the whole frames in `buffer`; returns how many bytes the next one still needs.
    fn take_frames(&self, buffer: &mut BytesMut) -> Result<usize, DisconnectReason> {
        if self.ended.get().is_some() {
            return Err(DisconnectReason::Closed);
        }
        let received = self.ring.precise_now();
        while let Some(prefix) = buffer.first_chunk::<4>() {
            let length_bytes = i32::from_be_bytes(*prefix);
            let max_bytes = self.response_bytes_max;
            // Each response has a correlation id.
            let length = usize::try_from(length_bytes)
                .ok()
                .filter(|length| (4..=max_bytes).contains(length))
                .ok_or(DisconnectReason::ResponseLength { length_bytes, max_bytes })?;
            if buffer.len() < 4 + length {
                return Ok(4 + length - buffer.len());
            }
            let mut frame = buffer.split_to(4 + length).split_off(4).freeze();
            let (request, header_bytes) = self.answered_by(&frame)?;
            let body = frame.split_off(header_bytes);
            request.giver.send(Ok(ClientResponse { body, received }));
        }
        Ok(0)
    }

    /// The request that a response answers, and the length of the response's header.
    fn answered_by(&self, frame: &Bytes) -> Result<(InFlight, usize), DisconnectReason> {
        let mut in_flight = self.in_flight.borrow_mut();
        let due = in_flight.front().ok_or(DisconnectReason::Unasked)?;
        let mut reader = Reader::new(frame);
        let got = reader.i32().map_err(DisconnectReason::ResponseHeader)?;
        if got != due.correlation_id {
            let expected = due.correlation_id;
            return Err(DisconnectReason::CorrelationId { expected, got });
        }
        if due.header_version >= 1 {
            reader.skip_tags().map_err(DisconnectReason::ResponseHeader)?;
        }
        // A request whose bytes wait here cannot have been answered.
        if in_flight.len() <= self.unsent.borrow().requests {
            return Err(DisconnectReason::Unasked);
        }
        let request = in_flight.pop_front().expect("looked at above");
        Ok((request, reader.position()))
    }

    // ---- timeouts ------------------------------------------------------------------------------

    /// Makes sure that a task looks when `deadline` has come.
    fn watch(self: &Rc<Self>, deadline: Instant) {
        match self.watched_until.get() {
            Some(until) if until <= deadline => {}
            Some(_) => {
                self.watched_until.set(Some(deadline));
                self.watch_changed.notify();
            }
            None => {
                self.watched_until.set(Some(deadline));
                self.ring.spawn_named("client timeouts", self.clone().watch_loop());
            }
        }
    }

    async fn watch_loop(self: Rc<Self>) {
        while let Some(until) = self.watched_until.get() {
            let changed = self.watch_changed.notified();
            if self.ended.get().is_some() {
                return;
            }
            let now = self.ring.now();
            if now < until {
                self.ring.timeout(until.since(now), changed).await;
                continue;
            }
            let late = |request: &InFlight| {
                let (deadline, timeout) = request.deadline?;
                let api = request.api;
                (deadline <= now).then_some(DisconnectReason::RequestTimeout { api, timeout })
            };
            let reason = self.in_flight.borrow().iter().find_map(late);
            if let Some(reason) = reason {
                return self.end(reason);
            }
            let deadlines = self.in_flight.borrow();
            let next = deadlines.iter().filter_map(|request| request.deadline).min();
            self.watched_until.set(next.map(|(deadline, _)| deadline));
        }
    }

    // ---- the end -------------------------------------------------------------------------------

    /// Ends the connection: all that is unanswered fails now.
    pub fn end(&self, reason: DisconnectReason) {
        let at = self.ring.now();
        if self.ended.set(Ended { reason, at }).is_err() {
            return;
        }
        self.transport.shutdown(&self.ring);
        let (in_flight, unsent) = (self.in_flight.take(), self.unsent.take());
        self.room.close();
        let sent = in_flight.len() - unsent.requests;
        let mut givers = in_flight.into_iter().map(|request| request.giver);
        self.fail(givers.by_ref().take(sent), Delivery::Unknown);
        self.fail(givers, Delivery::NotSent);
        self.fail(unsent.unanswered.into_iter().map(|one| one.giver), Delivery::NotSent);
        self.has_unsent.notify();
        self.watch_changed.notify();
        self.has_ended.notify();
    }

    fn fail(&self, givers: impl Iterator<Item = ResponseGiver>, delivery: Delivery) {
        let (reason, _) = self.ended().expect("only an end lets requests fail");
        givers.for_each(|giver| {
            giver.send(Err(Disconnected { delivery, reason: reason.clone() }));
        });
    }
}
