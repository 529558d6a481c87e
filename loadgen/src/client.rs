//! One connection to one broker: requests out, responses back in order, many in flight.
//!
//! Owns: the socket and the requests that are unanswered. Lives on: the generator's thread. Never: waits for one answer
//! before it sends the next request; callers decide how many may be in flight.

use anyhow::{Context, anyhow, ensure};
use bytes::{BufMut, Bytes, BytesMut};
use protocol::{ApiKey, ErrorCode, Request};
use ring::{
    Instant, Ring, Stream,
    signal::{Giver, slot},
};
use rustc_hash::FxHashMap;
use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    io,
    net::{SocketAddr, ToSocketAddrs},
    rc::Rc,
    time::Duration,
};

/// Bytes that one receive asks for.
const RECEIVE_BYTES: usize = 256 * 1024;
/// A longer response was never asked for: whatever answers is no Kafka broker.
const RESPONSE_MAX_BYTES: usize = 256 << 20;
const CLIENT_ID: &str = "loadgen";
/// Longer than it takes to send a lost SYN once more.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// For requests outside the load: those of the load are waited for by who sends them.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);

/// An answer: the response's body, and when it was there.
pub type Answered = (Bytes, Instant);

struct Awaited {
    correlation_id: i32,
    header_version: i16,
    giver: Giver<Result<Answered, String>>,
}

struct Shared {
    ring: Ring,
    stream: Stream,
    awaited: RefCell<VecDeque<Awaited>>,
    unsent: RefCell<Vec<Bytes>>,
    /// Those that wait only until all of `unsent` is handed to the network.
    unhanded: RefCell<Vec<Giver<Result<Answered, String>>>>,
    is_sending: Cell<bool>,
    broken: RefCell<Option<String>>,
    next_correlation_id: Cell<i32>,
}

/// Clones share the connection.
#[derive(Clone)]
pub struct Client(Rc<Shared>);

/// Makes connections, and remembers what names stand for: the resolver blocks, so that each is asked for once.
pub struct Dialer {
    ring: Ring,
    resolved: RefCell<FxHashMap<String, Vec<SocketAddr>>>,
}

impl Dialer {
    pub fn new(ring: &Ring) -> Dialer {
        Dialer { ring: ring.clone(), resolved: RefCell::default() }
    }

    /// Connects to the first of a name's addresses that lets us, in bounded time.
    pub async fn connect(&self, host_port: &str) -> anyhow::Result<Client> {
        let mut last = None;
        for address in self.resolve(host_port)? {
            let timed_out = || Err(io::Error::from(io::ErrorKind::TimedOut));
            match self.ring.timeout(CONNECT_TIMEOUT, self.ring.connect(address)).await.unwrap_or_else(timed_out) {
                Ok(stream) => return Ok(Client::over(&self.ring, stream)),
                Err(error) => last = Some(error),
            }
        }
        let error = last.expect("a name that was resolved has an address");
        let hint = hint(&error);
        Err(anyhow::Error::new(error).context(format!("cannot connect to {host_port}: {hint}")))
    }

    /// The addresses behind HOST:PORT, best first.
    fn resolve(&self, host_port: &str) -> anyhow::Result<Vec<SocketAddr>> {
        if let Some(known) = self.resolved.borrow().get(host_port) {
            return Ok(known.clone());
        }
        let hint = || format!("'{host_port}' is no address that is known here: give --bootstrap HOST:PORT");
        let mut addresses: Vec<_> = host_port.to_socket_addrs().with_context(hint)?.collect();
        addresses.sort_by_key(SocketAddr::is_ipv6);
        ensure!(!addresses.is_empty(), hint());
        self.resolved.borrow_mut().insert(host_port.to_owned(), addresses.clone());
        Ok(addresses)
    }
}

fn hint(error: &io::Error) -> &'static str {
    // Numbers of Linux: EMFILE, ENFILE, EADDRNOTAVAIL.
    match (error.raw_os_error(), error.kind()) {
        (Some(24 | 23), _) => "out of descriptors: raise `ulimit -n`, or give fewer --connections and --consumers",
        (Some(99), _) => "out of ports: give fewer --connections and --consumers",
        (_, io::ErrorKind::TimedOut) => "no answer: is the host up, and the port open?",
        _ => "is the broker running there?",
    }
}

impl Client {
    fn over(ring: &Ring, stream: Stream) -> Client {
        let client = Client(Rc::new(Shared {
            ring: ring.clone(),
            stream,
            awaited: RefCell::default(),
            unsent: RefCell::default(),
            unhanded: RefCell::default(),
            is_sending: Cell::new(false),
            broken: RefCell::default(),
            next_correlation_id: Cell::new(0),
        }));
        ring.spawn(client.clone().receive_loop());
        client
    }

    pub fn is_broken(&self) -> bool {
        self.0.broken.borrow().is_some()
    }

    /// Ends the connection: unanswered requests fail now.
    pub fn close(&self) {
        if !self.is_broken() {
            self.fail("the connection was closed".to_owned());
        }
    }

    /// Sends one request and decodes its response, in bounded time.
    pub async fn call<R: Request>(&self, request: &R, version: i16) -> anyhow::Result<R::Response> {
        let mut body = BytesMut::new();
        request.encode(&mut body, version)?;
        let key = ApiKey::from_i16(R::API_KEY).expect("a request of this release");
        let answer = self.send(key, version, vec![body.freeze()], true);
        let answer = self.0.ring.timeout(CALL_TIMEOUT, answer).await;
        let (body, _) = answer.unwrap_or_else(|| Err(anyhow!("no answer to {key} within {CALL_TIMEOUT:?}")))?;
        protocol::decode_exact(&body, version).with_context(|| format!("a {key} response"))
    }

    /// Puts a request on the wire now, in the order of the calls; the future resolves to its answer. `expects_answer` is
    /// false for produce with acks=0: then the future resolves when the request is handed to the network.
    pub fn send(
        &self,
        key: ApiKey,
        version: i16,
        body: Vec<Bytes>,
        expects_answer: bool,
    ) -> impl Future<Output = anyhow::Result<Answered>> + use<> {
        let shared = &self.0;
        let correlation_id = shared.next_correlation_id.get();
        shared.next_correlation_id.set(correlation_id.wrapping_add(1));
        let flexible = key.request_header_version(version) >= 2;
        let header_bytes = 8 + 2 + CLIENT_ID.len() + usize::from(flexible);
        let body_bytes: usize = body.iter().map(Bytes::len).sum();
        let mut head = BytesMut::with_capacity(4 + header_bytes);
        head.put_i32(i32::try_from(header_bytes + body_bytes).expect("a request under 2 GiB"));
        head.put_i16(key.code());
        head.put_i16(version);
        head.put_i32(correlation_id);
        head.put_i16(CLIENT_ID.len() as i16);
        head.put_slice(CLIENT_ID.as_bytes());
        if flexible {
            head.put_u8(0);
        }
        let (giver, taker) = slot();
        if let Some(why) = &*shared.broken.borrow() {
            giver.give(Err(why.clone()));
        } else {
            if expects_answer {
                let header_version = key.response_header_version(version);
                shared.awaited.borrow_mut().push_back(Awaited { correlation_id, header_version, giver });
            } else {
                shared.unhanded.borrow_mut().push(giver);
            }
            shared.unsent.borrow_mut().push(head.freeze());
            shared.unsent.borrow_mut().extend(body);
            if !shared.is_sending.replace(true) {
                shared.ring.spawn(self.clone().send_loop());
            }
        }
        async move { taker.await.context("the connection is gone")?.map_err(|why| anyhow!(why)) }
    }

    async fn send_loop(self) {
        loop {
            let (unsent, unhanded) = (self.0.unsent.take(), self.0.unhanded.take());
            if unsent.is_empty() {
                self.0.is_sending.set(false);
                return;
            }
            let sent = self.0.ring.send(&self.0.stream, unsent).await;
            let sent = sent.map_err(|error| format!("the connection broke: {error}"));
            let now = self.0.ring.precise_now();
            for giver in unhanded {
                giver.give(sent.clone().map(|()| (Bytes::new(), now)));
            }
            if let Err(why) = sent {
                return self.fail(why);
            }
        }
    }

    async fn receive_loop(self) {
        let mut buffer = BytesMut::with_capacity(RECEIVE_BYTES);
        loop {
            let missing = match self.take_frames(&mut buffer) {
                Ok(missing) => missing,
                Err(why) => return self.fail(why),
            };
            let room = missing.max(RECEIVE_BYTES);
            buffer.reserve(room);
            let (received, back) = self.0.ring.recv(&self.0.stream, buffer, room).await;
            buffer = back;
            match received {
                Ok(0) => return self.fail("the broker closed the connection".to_owned()),
                Ok(_) => {}
                Err(error) => return self.fail(format!("the connection broke: {error}")),
            }
        }
    }

    /// Hands out the whole frames in `buffer`; returns how many bytes the next one still needs.
    fn take_frames(&self, buffer: &mut BytesMut) -> Result<usize, String> {
        let now = self.0.ring.precise_now();
        while let Some(prefix) = buffer.first_chunk::<4>() {
            let length = usize::try_from(i32::from_be_bytes(*prefix)).unwrap_or(usize::MAX);
            if length > RESPONSE_MAX_BYTES {
                return Err("what came is no response of a Kafka broker: is it another server's port?".to_owned());
            }
            if buffer.len() < 4 + length {
                return Ok(4 + length - buffer.len());
            }
            let mut frame = buffer.split_to(4 + length).split_off(4).freeze();
            let awaited = self.0.awaited.borrow_mut().pop_front().ok_or("a response to nothing that was asked")?;
            let correlation_id = frame.first_chunk::<4>().map(|id| i32::from_be_bytes(*id));
            if correlation_id != Some(awaited.correlation_id) {
                return Err(format!("response {correlation_id:?} where {} was due", awaited.correlation_id));
            }
            // A response header of version 1 has an empty set of tagged fields behind the correlation id.
            let header_bytes = 4 + usize::from(awaited.header_version >= 1);
            awaited.giver.give(Ok((frame.split_off(header_bytes.min(frame.len())), now)));
        }
        Ok(0)
    }

    fn fail(&self, why: String) {
        // The first reason is the true one: what comes after follows from it.
        let why = self.0.broken.borrow_mut().get_or_insert(why).clone();
        self.0.ring.shutdown(&self.0.stream);
        self.0.unsent.take();
        let unanswered = self.0.awaited.take().into_iter().map(|awaited| awaited.giver);
        for giver in unanswered.chain(self.0.unhanded.take()) {
            giver.give(Err(why.clone()));
        }
    }
}

/// The error that a code means; one that this release does not know counts as an unknown server error.
pub fn error_of(code: i16) -> ErrorCode {
    ErrorCode::from_code(code).unwrap_or(ErrorCode::UnknownServerError)
}
