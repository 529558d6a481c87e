//! A connection of a simulated client: requests out, answers in, in order.
//!
//! A connection that breaks, stays silent for too long or answers with nonsense is given up; the next request makes a new
//! one. What became of a request without an answer is unknown.

use crate::{model::Invariant, run::Run};
use bytes::{BufMut, Bytes, BytesMut};
use protocol::{ApiKey, Reader, Request, Response};
use ring::{Ring, Stream};
use std::{rc::Rc, time::Duration};

/// How long an answer may take before a client gives the connection up.
const PATIENCE: Duration = Duration::from_secs(4);
const RECEIVE_BYTES: usize = 64 * 1024;

/// No answer: the request may have been carried out, may be yet, or never.
#[derive(Debug)]
pub struct Lost;

pub struct Client {
    pub run: Rc<Run>,
    pub ring: Ring,
    pub name: String,
    stream: Option<Stream>,
    buffer: BytesMut,
    correlation_id: i32,
    /// Connections that it has had.
    connections: u64,
}

/// A request that was sent and not answered yet.
pub struct Pending {
    correlation_id: i32,
    key: ApiKey,
    version: i16,
}

impl Client {
    pub fn new(run: &Rc<Run>, ring: &Ring, name: String) -> Client {
        let (run, ring) = (run.clone(), ring.clone());
        Client { run, ring, name, stream: None, buffer: BytesMut::new(), correlation_id: 0, connections: 0 }
    }

    pub fn note(&self, text: impl FnOnce() -> String) {
        self.run.note(|| format!("{}: {}", self.name, text()));
    }

    /// Which connection it has, by number; `None` when the next request makes a new one.
    pub fn connection(&self) -> Option<u64> {
        self.stream.as_ref().map(|_| self.connections)
    }

    pub async fn call<Q: Request>(&mut self, version: i16, request: &Q) -> Result<Q::Response, Lost> {
        let pending = self.send(version, request).await?;
        self.receive(pending).await
    }

    pub async fn send<Q: Request>(&mut self, version: i16, request: &Q) -> Result<Pending, Lost> {
        let key = ApiKey::from_i16(Q::API_KEY).expect("a generated request has a key");
        self.correlation_id += 1;
        let mut frame = BytesMut::new();
        frame.put_i32(0);
        frame.put_i16(Q::API_KEY);
        frame.put_i16(version);
        frame.put_i32(self.correlation_id);
        frame.put_i16(3);
        frame.put_slice(b"sim");
        if key.request_header_version(version) >= 2 {
            frame.put_u8(0);
        }
        request.encode(&mut frame, version).expect("a request that its version can carry");
        let length = frame.len() as i32 - 4;
        frame[..4].copy_from_slice(&length.to_be_bytes());
        if self.stream.is_none() {
            self.connect().await?;
        }
        let stream = self.stream.clone().expect("just connected");
        let sent = self.ring.timeout(PATIENCE, self.ring.send(&stream, vec![frame.freeze()])).await;
        self.run.requests.set(self.run.requests.get() + 1);
        match sent {
            Some(Ok(())) => Ok(Pending { correlation_id: self.correlation_id, key, version }),
            _ => Err(self.give_up("cannot send")),
        }
    }

    async fn connect(&mut self) -> Result<(), Lost> {
        self.buffer.clear();
        match self.ring.timeout(PATIENCE, self.ring.connect(self.run.broker.address)).await {
            Some(Ok(stream)) => {
                self.stream = Some(stream);
                self.connections += 1;
                Ok(())
            }
            _ => {
                let pause = Duration::from_micros(10_000 + self.ring.random_u64() % 150_000);
                self.ring.sleep(pause).await;
                Err(Lost)
            }
        }
    }

    pub async fn receive<R: Response>(&mut self, pending: Pending) -> Result<R, Lost> {
        let frame = self.receive_frame(&pending).await?;
        let mut reader = Reader::from_bytes(&frame);
        let correlation_id = reader.i32();
        if correlation_id.as_ref() != Ok(&pending.correlation_id) {
            return Err(
                self.nonsense(&format!("correlation id {correlation_id:?}, expected {}", pending.correlation_id))
            );
        }
        if pending.key.response_header_version(pending.version) >= 1
            && let Err(error) = reader.skip_tags()
        {
            return Err(self.nonsense(&format!("{} header: {error}", pending.key)));
        }
        let decoded =
            R::decode(&mut reader, pending.version).and_then(|response| reader.expect_end().map(|()| response));
        decoded.map_err(|error| self.nonsense(&format!("{} version {}: {error}", pending.key, pending.version)))
    }

    async fn receive_frame(&mut self, pending: &Pending) -> Result<Bytes, Lost> {
        let deadline = self.ring.now() + PATIENCE;
        loop {
            if let Some(length) = self.buffer.first_chunk::<4>() {
                let length = i32::from_be_bytes(*length);
                if !(4..=64 << 20).contains(&length) {
                    return Err(self.nonsense(&format!("a response of {length} bytes to {}", pending.key)));
                }
                let whole = 4 + length as usize;
                if self.buffer.len() >= whole {
                    return Ok(self.buffer.split_to(whole).freeze().slice(4..));
                }
            }
            let Some(stream) = self.stream.clone() else { return Err(Lost) };
            let buffer = std::mem::take(&mut self.buffer);
            let left = deadline.since(self.ring.now());
            match self.ring.timeout(left, self.ring.recv(&stream, buffer, RECEIVE_BYTES)).await {
                Some((Ok(received), buffer)) if received > 0 => self.buffer = buffer,
                Some(_) => return Err(self.give_up("the connection has ended")),
                None => return Err(self.give_up("no answer")),
            }
        }
    }

    fn nonsense(&mut self, what: &str) -> Lost {
        self.run.violate(Invariant::AnswersExplained, format!("{}: {what}", self.name));
        self.give_up(what)
    }

    fn give_up(&mut self, why: &str) -> Lost {
        self.note(|| format!("connection given up: {why}"));
        if let Some(stream) = self.stream.take() {
            self.ring.shutdown(&stream);
        }
        self.buffer.clear();
        Lost
    }

    /// A pause of a random length around the pace of this run.
    pub async fn pause(&self) {
        let random = self.ring.random_u64();
        let micros = if random.is_multiple_of(8) { random / 8 % 300_000 } else { random / 8 % 30_000 };
        self.ring.sleep(Duration::from_micros(micros)).await;
    }

    pub fn below(&self, bound: usize) -> usize {
        (self.ring.random_u64() % bound.max(1) as u64) as usize
    }

    pub fn one_in(&self, n: usize) -> bool {
        self.below(n) == 0
    }
}
