//! The simulated network's data: connections, listeners, partitions. What happens on it is in
//! `traffic.rs`.
//!
//! An end of a connection is `connection * 2 + side`; side 0 is the client's. Bytes towards an end
//! are first in flight, then arrived, then read; all of them count against the sender's window.

use super::random::Random;
use crate::file::File;
use bytes::Bytes;
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

/// The operation of a core: its number and its token.
pub(super) type Waiter = (u32, u64);

/// What a send has not yet handed to the connection.
pub(super) enum Source {
    /// None of them empty.
    Buffers(VecDeque<Bytes>),
    File {
        file: File,
        offset: u64,
        left: u64,
    },
}

impl Source {
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Source::Buffers(buffers) => buffers.is_empty(),
            Source::File { left, .. } => *left == 0,
        }
    }
}

pub(super) struct Sender {
    pub(super) waiter: Waiter,
    pub(super) source: Source,
    pub(super) sent: u64,
}

/// The bytes towards one end.
#[derive(Default)]
pub(super) struct Incoming {
    pub(super) in_flight: VecDeque<(u64, Bytes)>,
    pub(super) arrived: VecDeque<Bytes>,
    pub(super) arrived_bytes: usize,
    /// Everything that counts against the window: in flight, arrived, withheld.
    pub(super) bytes: usize,
    /// Read since the beginning of the connection.
    pub(super) taken_bytes: u64,
    /// Read, but the sender cannot be told.
    pub(super) withheld_bytes: usize,
    pub(super) last_arrival: u64,
    /// When the sender's end of the stream gets here.
    pub(super) fin: Option<u64>,
    pub(super) ended: bool,
    /// Since when the bytes in flight do not get through.
    pub(super) stalled_since: Option<u64>,
}

pub(super) struct End {
    pub(super) node: u32,
    pub(super) address: SocketAddr,
    pub(super) incoming: Incoming,
    pub(super) receivers: VecDeque<Waiter>,
    pub(super) senders: VecDeque<Sender>,
    /// No handle or process stands behind it any more.
    pub(super) closed: bool,
    /// Ended by its own process while still open.
    pub(super) shut: bool,
    /// What every further operation answers.
    pub(super) error: Option<i32>,
}

impl Incoming {
    /// What counts against the window is in flight, has arrived, or is withheld.
    pub(super) fn check(&self) {
        let (arrived, withheld, all) = (self.arrived_bytes, self.withheld_bytes, self.bytes);
        assert!(
            arrived + withheld <= all,
            "{arrived} bytes have arrived and {withheld} are withheld, of {all} in the window"
        );
        assert_eq!(arrived == 0, self.arrived.is_empty(), "{arrived} bytes lie there to be read");
        let (pieces, left) = (self.in_flight.len(), all - arrived - withheld);
        assert!(pieces <= left, "{pieces} pieces are in flight, and {left} bytes");
        let last = self.in_flight.back().map(|(at, _)| *at);
        assert!(
            last.is_none_or(|at| at == self.last_arrival),
            "the last bytes arrive at {}, not at {last:?}",
            self.last_arrival
        );
        assert!(
            !self.ended || (self.fin.is_some() && self.in_flight.is_empty()),
            "a stream has ended without its end, or {pieces} pieces before it arrive"
        );
    }
}

impl End {
    pub(super) fn new(node: u32, address: SocketAddr) -> Self {
        Self {
            node,
            address,
            incoming: Incoming::default(),
            receivers: VecDeque::new(),
            senders: VecDeque::new(),
            closed: false,
            shut: false,
            error: None,
        }
    }

    /// Whether no operation waits on it.
    pub(super) fn is_idle(&self) -> bool {
        self.receivers.is_empty() && self.senders.is_empty()
    }
}

pub(super) struct Connection {
    pub(super) ends: [End; 2],
    pub(super) window_bytes: usize,
    /// Nothing arrives any more, whether the ends know it or not.
    pub(super) broken: bool,
}

pub(super) struct ListenerState {
    pub(super) node: u32,
    pub(super) address: SocketAddr,
    pub(super) reuse_port: bool,
    pub(super) backlog_limit: usize,
    pub(super) window_bytes: usize,
    pub(super) backlog: VecDeque<u64>,
    pub(super) acceptors: VecDeque<Waiter>,
}

pub(super) struct Network {
    pub(super) random: Random,
    /// By number; a connection's place stays empty after it.
    pub(super) connections: Vec<Option<Box<Connection>>>,
    pub(super) listeners: BTreeMap<u64, ListenerState>,
    pub(super) next_listener: u64,
    /// Directions, from node to node, in which nothing gets through.
    blocked: BTreeSet<(u32, u32)>,
}

impl Network {
    pub(super) fn new(random: Random) -> Self {
        Self {
            random,
            connections: Vec::new(),
            listeners: BTreeMap::new(),
            next_listener: 0,
            blocked: BTreeSet::new(),
        }
    }

    pub(super) fn connection(&mut self, end: u64) -> Option<&mut Connection> {
        self.connections.get_mut((end >> 1) as usize)?.as_deref_mut()
    }

    /// The connection of `end`, with `end` and its peer.
    pub(super) fn ends(&mut self, end: u64) -> Option<(&mut End, &mut End)> {
        let [client, server] = &mut self.connection(end)?.ends;
        Some(if end & 1 == 0 { (client, server) } else { (server, client) })
    }

    pub(super) fn end(&mut self, end: u64) -> Option<&mut End> {
        Some(self.ends(end)?.0)
    }

    pub(super) fn is_blocked(&self, from: u32, to: u32) -> bool {
        !self.blocked.is_empty() && self.blocked.contains(&(from, to))
    }

    pub(super) fn block(&mut self, from: u32, to: u32) {
        if from != to {
            self.blocked.insert((from, to));
        }
    }

    /// A connection that is new; its number.
    pub(super) fn connect(&mut self, connection: Connection) -> u64 {
        let [client, server] = &connection.ends;
        assert!(
            client.incoming.bytes == 0 && server.incoming.bytes == 0,
            "a connection is new, and bytes are on their way"
        );
        assert!(connection.window_bytes > 0, "no byte fits into the window of a connection");
        self.connections.push(Some(Box::new(connection)));
        self.connections.len() as u64 - 1
    }

    pub(super) fn unblock(&mut self, from: u32, to: u32) {
        self.blocked.remove(&(from, to));
    }

    pub(super) fn unblock_all(&mut self) {
        self.blocked.clear();
    }

    /// All ends that exist, in order.
    pub(super) fn all_ends(&self) -> Vec<u64> {
        let numbers =
            self.connections.iter().enumerate().filter(|(_, connection)| connection.is_some());
        numbers.flat_map(|(number, _)| [number as u64 * 2, number as u64 * 2 + 1]).collect()
    }
}

/// 10.0.x.y, with the node's number plus one in `x` and `y`.
pub(super) fn address_of(node: u32) -> IpAddr {
    let number = node + 1;
    assert!(number <= u32::from(u16::MAX), "node {node} has no address of its own");
    IpAddr::V4(Ipv4Addr::new(10, 0, (number >> 8) as u8, number as u8))
}

/// The node that `address` leads to from `from`.
pub(super) fn node_at(address: IpAddr, from: u32, nodes: usize) -> Option<u32> {
    let IpAddr::V4(v4) = address.to_canonical() else {
        return address.is_loopback().then_some(from);
    };
    if v4.is_loopback() || v4.is_unspecified() {
        return Some(from);
    }
    let [ten, zero, high, low] = v4.octets();
    let number = (u32::from(high) << 8) + u32::from(low);
    (ten == 10 && zero == 0 && number >= 1 && number as usize <= nodes).then(|| number - 1)
}
