//! A simulated client and its connections, one to each node that it has business with: requests
//! out, answers in, in order.
//!
//! A connection that breaks, stays silent for too long or answers with nonsense is given up; the
//! next request makes a new one. What became of a request without an answer is unknown.
//! `cluster.rs` finds out where requests go.

use crate::{
    cluster::{ClusterId, Directory},
    model::{Invariant, PartitionKey, Told, TopicKey},
    run::Run,
};
use bytes::{BufMut, Bytes, BytesMut};
use protocol::{ApiKey, Reader, Request, Response};
use ring::{Instant, Ring, Stream};
use std::{cell::RefCell, net::SocketAddr, rc::Rc, time::Duration};

/// How long an answer may take before a client gives the connection up.
const PATIENCE: Duration = Duration::from_secs(4);
/// How long a core that nothing was done to may take to apply a change of the metadata.
const APPLIED_WITHIN: Duration = Duration::from_secs(2);
const RECEIVE_BYTES: usize = 64 * 1024;

/// No answer: the request may have been carried out, may be yet, or never.
#[derive(Debug)]
pub struct Lost;

/// The connection to one node.
struct Connection {
    address: SocketAddr,
    stream: Option<Stream>,
    buffer: BytesMut,
    /// Among all that the client has had.
    number: u64,
    /// When it was asked for, or what it has last brought an answer to was sent.
    good_at: Instant,
}

pub struct Client {
    pub run: Rc<Run>,
    pub ring: Ring,
    pub cluster: ClusterId,
    pub name: String,
    pub directory: RefCell<Directory>,
    connections: Vec<Connection>,
    correlation_id: i32,
    /// Connections that it has had.
    connections_made: u64,
    /// A place among the nodes of the cluster: that one is asked first, and for what concerns no
    /// partition and no group.
    bootstrap_at: usize,
    /// It gives the broker no reason to end its connections.
    pub well_behaved: bool,
    /// The last answer came from a node that nothing was done to.
    served_undisturbed: bool,
    /// The number of the connection that the last answer came on.
    served_on: u64,
}

/// A request that was sent and not answered yet.
pub struct Pending {
    pub to: SocketAddr,
    /// The connection's number.
    connection: u64,
    /// As the connection had it when the request was sent.
    good_at: Instant,
    sent_at: Instant,
    correlation_id: i32,
    key: ApiKey,
    version: i16,
}

impl Client {
    pub fn new(run: &Rc<Run>, ring: &Ring, cluster: ClusterId, name: String) -> Client {
        let name = match run.clients.len() {
            1 => name,
            _ => format!("{name} of {cluster:?}"),
        };
        Client {
            run: run.clone(),
            ring: ring.clone(),
            cluster,
            name,
            directory: RefCell::default(),
            connections: Vec::new(),
            correlation_id: 0,
            connections_made: 0,
            bootstrap_at: 0,
            well_behaved: true,
            served_undisturbed: false,
            served_on: 0,
        }
    }

    pub fn note(&self, text: impl FnOnce() -> String) {
        self.run.note(|| format!("{}: {}", self.name, text()));
    }

    /// Which connection it has to a node, by number; `None` when the next request makes a new one.
    pub fn connection(&self, to: SocketAddr) -> Option<u64> {
        let connection = self.connections.iter().find(|connection| connection.address == to)?;
        connection.stream.as_ref().map(|_| connection.number)
    }

    fn connection_mut(&mut self, to: SocketAddr) -> &mut Connection {
        let place = self.connections.iter().position(|connection| connection.address == to);
        let place = place.unwrap_or_else(|| {
            let (buffer, good_at) = (BytesMut::new(), Instant(0));
            self.connections.push(Connection {
                address: to,
                stream: None,
                buffer,
                number: 0,
                good_at,
            });
            self.connections.len() - 1
        });
        &mut self.connections[place]
    }

    /// The node that is asked first.
    pub fn bootstrap(&self) -> SocketAddr {
        let count = self.run.nodes_of(self.cluster).count();
        let mut nodes = self.run.nodes_of(self.cluster);
        nodes.nth(self.bootstrap_at % count).expect("a cluster has nodes").address
    }

    /// Asks the bootstrap node.
    pub async fn call<Q: Request>(
        &mut self,
        version: i16,
        request: &Q,
    ) -> Result<Q::Response, Lost> {
        self.call_at(self.bootstrap(), version, request).await
    }

    pub async fn call_at<Q: Request>(
        &mut self,
        to: SocketAddr,
        version: i16,
        request: &Q,
    ) -> Result<Q::Response, Lost> {
        let pending = self.send_to(to, version, request).await?;
        self.receive(pending).await
    }

    pub async fn send<Q: Request>(&mut self, version: i16, request: &Q) -> Result<Pending, Lost> {
        self.send_to(self.bootstrap(), version, request).await
    }

    pub async fn send_to<Q: Request>(
        &mut self,
        to: SocketAddr,
        version: i16,
        request: &Q,
    ) -> Result<Pending, Lost> {
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
        if self.connection(to).is_none() {
            self.connect(to).await?;
        }
        let (sent_at, correlation_id) = (self.run.world.now(), self.correlation_id);
        let connection = self.connection_mut(to);
        let stream = connection.stream.clone().expect("just connected");
        let (connection, good_at) = (connection.number, connection.good_at);
        let pending = Pending { to, connection, good_at, sent_at, correlation_id, key, version };
        let sent = self.ring.timeout(PATIENCE, self.ring.send(&stream, vec![frame.freeze()])).await;
        self.run.requests.set(self.run.requests.get() + 1);
        match sent {
            Some(Ok(())) => Ok(pending),
            _ => {
                self.judge(&pending, false);
                Err(self.give_up(to, "cannot send"))
            }
        }
    }

    async fn connect(&mut self, to: SocketAddr) -> Result<(), Lost> {
        let begun_at = self.run.world.now();
        self.connection_mut(to).buffer.clear();
        let connected = self.ring.timeout(PATIENCE, self.ring.connect(to)).await;
        let is_up = matches!(connected, Some(Ok(_)));
        if let Some(node) = self.node_at(to) {
            self.run.judge_answer(node, begun_at, begun_at, None, is_up);
        }
        match connected {
            Some(Ok(stream)) => {
                self.connections_made += 1;
                let number = self.connections_made;
                let connection = self.connection_mut(to);
                (connection.stream, connection.number, connection.good_at) =
                    (Some(stream), number, begun_at);
                Ok(())
            }
            _ => {
                self.lose(to);
                let pause = Duration::from_micros(10_000 + self.ring.random_u64() % 150_000);
                self.ring.sleep(pause).await;
                Err(Lost)
            }
        }
    }

    fn node_at(&self, address: SocketAddr) -> Option<usize> {
        self.run.nodes.iter().position(|node| node.address == address)
    }

    /// Holds what became of a request against what was done to its node.
    fn judge(&mut self, pending: &Pending, answered: bool) {
        self.served_undisturbed = false;
        self.served_on = pending.connection;
        if let Some(node) = self.node_at(pending.to).filter(|_| self.well_behaved) {
            self.run.judge_answer(
                node,
                pending.good_at,
                pending.sent_at,
                Some(pending.key),
                answered,
            );
            self.served_undisturbed = self.run.is_undisturbed(node, pending.good_at);
        }
    }

    /// Whether the last answer may have been disturbed by anything at all.
    pub fn may_be_disturbed(&self) -> bool {
        !self.served_undisturbed
    }

    /// The last answer, as one that acknowledges a change of the metadata.
    pub fn told(&self) -> Told {
        Told {
            at: self.run.world.now(),
            life: self.run.model.borrow().life(self.cluster),
            to: (self.name.clone(), self.served_on),
        }
    }

    /// Whether the core that gave the last answer may not have applied yet what was told: each core
    /// applies the metadata in its own time, as each broker of Apache Kafka does. The one that told
    /// it has applied it, and after a start all have. `life`: in which the request was sent.
    pub fn may_lag(&self, told: &Told, life: u32) -> bool {
        let is_another = told.to != (self.name.clone(), self.served_on);
        let is_late = self.run.world.now().since(told.at) >= APPLIED_WITHIN;
        let may_be_late = self.may_be_disturbed() && !self.run.is_calm();
        is_another && told.life == life && (!is_late || may_be_late)
    }

    /// The same of a topic and its partitions.
    pub fn may_not_know(&self, topic: TopicKey, life: u32) -> bool {
        let told = self.run.model.borrow().topic(topic).map(|topic| topic.told.clone());
        told.is_some_and(|told| self.may_lag(&told, life))
    }

    /// Whether the last answer may say that a disk has failed.
    pub fn disk_may_fail(&self) -> bool {
        self.may_be_disturbed() && self.run.disk_may_fail()
    }

    /// The same for one partition.
    pub fn storage_may_fail(&self, key: PartitionKey) -> bool {
        self.may_be_disturbed() && self.run.storage_may_fail(key)
    }

    pub async fn receive<R: Response>(&mut self, pending: Pending) -> Result<R, Lost> {
        let frame = self.receive_frame(&pending).await;
        self.judge(&pending, frame.is_ok());
        let frame = frame?;
        // Not when the answer is seen: it may have lain there while its connection ended.
        self.connection_mut(pending.to).good_at = pending.sent_at;
        let mut reader = Reader::from_bytes(&frame);
        let correlation_id = reader.i32();
        if correlation_id.as_ref() != Ok(&pending.correlation_id) {
            let what =
                format!("correlation id {correlation_id:?}, expected {}", pending.correlation_id);
            return Err(self.nonsense(pending.to, &what));
        }
        if pending.key.response_header_version(pending.version) >= 1
            && let Err(error) = reader.skip_tags()
        {
            return Err(self.nonsense(pending.to, &format!("{} header: {error}", pending.key)));
        }
        let decoded = R::decode(&mut reader, pending.version)
            .and_then(|response| reader.expect_end().map(|()| response));
        decoded.map_err(|error| {
            self.nonsense(
                pending.to,
                &format!("{} version {}: {error}", pending.key, pending.version),
            )
        })
    }

    async fn receive_frame(&mut self, pending: &Pending) -> Result<Bytes, Lost> {
        let deadline = self.ring.now() + PATIENCE;
        let to = pending.to;
        // Given up meanwhile, with all that was under way on it.
        if self.connection(to) != Some(pending.connection) {
            return Err(Lost);
        }
        loop {
            let connection = self.connection_mut(to);
            if let Some(length) = connection.buffer.first_chunk::<4>() {
                let length = i32::from_be_bytes(*length);
                if !(4..=64 << 20).contains(&length) {
                    return Err(self.nonsense(
                        to,
                        &format!("a response of {length} bytes to {}", pending.key),
                    ));
                }
                let whole = 4 + length as usize;
                if connection.buffer.len() >= whole {
                    return Ok(connection.buffer.split_to(whole).freeze().slice(4..));
                }
            }
            let Some(stream) = connection.stream.clone() else { return Err(Lost) };
            let buffer = std::mem::take(&mut connection.buffer);
            let left = deadline.since(self.ring.now());
            match self.ring.timeout(left, self.ring.recv(&stream, buffer, RECEIVE_BYTES)).await {
                Some((Ok(received), buffer)) if received > 0 => {
                    self.connection_mut(to).buffer = buffer
                }
                Some(_) => return Err(self.give_up(to, "the connection has ended")),
                None => return Err(self.give_up(to, "no answer")),
            }
        }
    }

    fn nonsense(&mut self, to: SocketAddr, what: &str) -> Lost {
        self.run.violate(Invariant::AnswersExplained, format!("{}: {what}", self.name));
        self.give_up(to, what)
    }

    fn give_up(&mut self, to: SocketAddr, why: &str) -> Lost {
        self.note(|| format!("connection given up: {why}"));
        if let Some(stream) = self.connection_mut(to).stream.take() {
            self.ring.shutdown(&stream);
        }
        self.connection_mut(to).buffer.clear();
        self.lose(to);
        Lost
    }

    /// What this node led may be led elsewhere now, and another one can tell.
    fn lose(&mut self, node: SocketAddr) {
        self.directory.borrow_mut().forget_node(node);
        if node == self.bootstrap() {
            self.bootstrap_at += 1;
        }
    }

    /// A pause of a random length around the pace of this run.
    pub async fn pause(&self) {
        let random = self.ring.random_u64();
        let micros =
            if random.is_multiple_of(8) { random / 8 % 300_000 } else { random / 8 % 30_000 };
        self.ring.sleep(Duration::from_micros(micros)).await;
    }

    pub fn below(&self, bound: usize) -> usize {
        (self.ring.random_u64() % bound.max(1) as u64) as usize
    }

    pub fn one_in(&self, n: usize) -> bool {
        self.below(n) == 0
    }
}
