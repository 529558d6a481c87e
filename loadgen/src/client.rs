//! One connection to one broker: requests out, responses back in order, many in flight.
//!
//! Owns: the socket and the requests that are unanswered. Lives on: the generator's thread. Never: waits for one answer
//! before it sends the next request; callers decide how many may be in flight.

use anyhow::{Context, anyhow};
use bytes::{BufMut, Bytes, BytesMut};
use protocol::{ApiKey, ErrorCode, Request};
use ring::{
    Instant, Ring, Stream,
    signal::{Giver, slot},
};
use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    net::{SocketAddr, ToSocketAddrs},
    rc::Rc,
};

/// Bytes that one receive asks for.
const RECEIVE_BYTES: usize = 256 * 1024;
const CLIENT_ID: &str = "loadgen";

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
    is_sending: Cell<bool>,
    broken: RefCell<Option<String>>,
    next_correlation_id: Cell<i32>,
}

/// Clones share the connection.
#[derive(Clone)]
pub struct Client(Rc<Shared>);

/// The addresses behind HOST:PORT, best first.
pub fn resolve(host_port: &str) -> anyhow::Result<SocketAddr> {
    let hint = || format!("'{host_port}' is no address: give --bootstrap HOST:PORT, as in 127.0.0.1:9092");
    let mut addresses: Vec<_> = host_port.to_socket_addrs().with_context(hint)?.collect();
    addresses.sort_by_key(SocketAddr::is_ipv6);
    addresses.first().copied().with_context(hint)
}

impl Client {
    pub async fn connect(ring: &Ring, host_port: &str) -> anyhow::Result<Client> {
        let address = resolve(host_port)?;
        let refused = || format!("cannot connect to {host_port}: is the broker running there?");
        let stream = ring.connect(address).await.with_context(refused)?;
        let client = Client(Rc::new(Shared {
            ring: ring.clone(),
            stream,
            awaited: RefCell::default(),
            unsent: RefCell::default(),
            is_sending: Cell::new(false),
            broken: RefCell::default(),
            next_correlation_id: Cell::new(0),
        }));
        ring.spawn(client.clone().receive_loop());
        Ok(client)
    }

    pub fn is_broken(&self) -> bool {
        self.0.broken.borrow().is_some()
    }

    /// Sends one request and decodes its response.
    pub async fn call<R: Request>(&self, request: &R, version: i16) -> anyhow::Result<R::Response> {
        let mut body = BytesMut::new();
        request.encode(&mut body, version)?;
        let key = ApiKey::from_i16(R::API_KEY).expect("a request of this release");
        let (body, _) = self.send(key, version, vec![body.freeze()], true).await?;
        protocol::decode_exact(&body, version).with_context(|| format!("a {key} response"))
    }

    /// Puts a request on the wire now, in the order of the calls; the future resolves to its answer. `expects_answer` is
    /// false for produce with acks=0: then the future resolves at once.
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
                giver.give(Ok((Bytes::new(), shared.ring.now())));
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
            let unsent = self.0.unsent.take();
            if unsent.is_empty() {
                self.0.is_sending.set(false);
                return;
            }
            if let Err(error) = self.0.ring.send(&self.0.stream, unsent).await {
                return self.fail(format!("the connection broke: {error}"));
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
            let length = usize::try_from(i32::from_be_bytes(*prefix)).map_err(|_| "a response of negative length")?;
            if buffer.len() < 4 + length {
                return Ok(4 + length - buffer.len());
            }
            let mut frame = buffer.split_to(4 + length).split_off(4).freeze();
            let awaited = self.0.awaited.borrow_mut().pop_front().ok_or("a response that nobody asked for")?;
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
        *self.0.broken.borrow_mut() = Some(why.clone());
        self.0.ring.shutdown(&self.0.stream);
        for awaited in self.0.awaited.take() {
            awaited.giver.give(Err(why.clone()));
        }
    }
}

/// The error that a code means; one that this release does not know counts as an unknown server error.
pub fn error_of(code: i16) -> ErrorCode {
    ErrorCode::from_code(code).unwrap_or(ErrorCode::UnknownServerError)
}
