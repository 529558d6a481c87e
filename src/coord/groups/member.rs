//! A member of a classic group, and the requests that wait for it. Pure data; lives in its
//! [`ClassicGroup`](super::classic::ClassicGroup).

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;

use crate::coord::runtime::ReplyToken;

/// What a member can take part in: the name of an assignment strategy and the member's own data for
/// it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::coord) struct Protocol {
    pub name: String,
    pub metadata: Bytes,
}

/// A JoinGroup without its answer yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::coord) struct ParkedJoin {
    pub token: ReplyToken,
    pub api_version: i16,
}

#[derive(Clone, Debug)]
pub(in crate::coord) struct Member {
    pub id: Arc<str>,
    /// Set for static members (KIP-345).
    pub instance_id: Option<String>,
    pub client_id: String,
    /// As Kafka prints it: a slash, then the address.
    pub client_host: String,
    pub rebalance_timeout_ms: i32,
    pub session_timeout_ms: i32,
    /// In the member's order of preference.
    pub protocols: Vec<Protocol>,
    /// Empty until the leader has assigned something.
    pub assignment: Bytes,
    /// Changed through the group alone, which counts the members that wait.
    pub awaiting_join: Option<ParkedJoin>,
    pub awaiting_sync: Option<ReplyToken>,
    /// Has not been part of a generation yet. Such a member knows no member id that it could send
    /// heartbeats with.
    pub is_new: bool,
}

impl Member {
    pub fn is_static(&self) -> bool {
        self.instance_id.is_some()
    }

    pub fn metadata(&self, protocol_name: &str) -> Option<&Bytes> {
        self.protocols
            .iter()
            .find(|protocol| protocol.name == protocol_name)
            .map(|protocol| &protocol.metadata)
    }

    /// The candidate that this member prefers.
    pub fn vote<'a>(&self, candidates: &BTreeSet<&'a str>) -> Option<&'a str> {
        self.protocols.iter().find_map(|protocol| candidates.get(protocol.name.as_str()).copied())
    }

    /// Waiting for a rebalance is a sign of life; a new member's first join is given up all the
    /// same, for its client may have gone and come back under another id.
    pub fn is_alive_without_heartbeat(&self) -> bool {
        !self.is_new && (self.awaiting_join.is_some() || self.awaiting_sync.is_some())
    }

    /// Bytes of memory that the member's own data takes.
    pub fn metadata_size_bytes(&self) -> usize {
        self.protocols.iter().map(|protocol| protocol.name.len() + protocol.metadata.len()).sum()
    }
}
