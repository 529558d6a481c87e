//! The state of one classic group: members, generation, protocol, and the operations that keep its
//! counts true.
//!
//! Pure data on the core that leads the group's partition. It decides nothing about requests
//! (`join`, `sync`, `membership`) and knows no time but what it is handed. A dead group, in Kafka's
//! terms, is one that is not in the coordinator's map.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use protocol::ErrorCode;

use super::member::{Member, ParkedJoin, Protocol};
use super::subscription::subscribed_topics;
use crate::coord::runtime::ReplyToken;

/// The protocol type of Kafka's consumers; the only one whose members' data the coordinator looks
/// into.
pub(in crate::coord) const CONSUMER_PROTOCOL_TYPE: &str = "consumer";

/// Kafka's states of a classic group.
///
/// Empty → PreparingRebalance → CompletingRebalance → Stable → PreparingRebalance …, and from
/// PreparingRebalance to Empty when every member has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::coord) enum GroupState {
    /// No members; kept for its committed offsets.
    Empty,
    /// Members are asked to rejoin; their JoinGroups are parked.
    PreparingRebalance,
    /// A generation has begun; SyncGroups are parked until the leader's arrives.
    CompletingRebalance,
    Stable,
}

impl GroupState {
    pub fn name(self) -> &'static str {
        match self {
            GroupState::Empty => "Empty",
            GroupState::PreparingRebalance => "PreparingRebalance",
            GroupState::CompletingRebalance => "CompletingRebalance",
            GroupState::Stable => "Stable",
        }
    }

    fn may_follow(self, previous: GroupState) -> bool {
        use GroupState::*;
        match self {
            Empty | CompletingRebalance => previous == PreparingRebalance,
            PreparingRebalance => previous != PreparingRebalance,
            Stable => previous == CompletingRebalance,
        }
    }
}

/// The first rebalance of an empty group is put off, so that members that start together land in
/// one generation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::coord) struct InitialDelay {
    /// The delay that runs now.
    pub delay_ms: i64,
    /// What may still be added while new members keep coming.
    pub remaining_ms: i64,
}

#[derive(Clone, Debug)]
pub(in crate::coord) struct ClassicGroup {
    pub id: Arc<str>,
    pub state: GroupState,
    pub previous_state: GroupState,
    /// Wall-clock milliseconds; `None` for groups written before Kafka recorded it.
    pub state_since_ms: Option<i64>,
    pub protocol_type: Option<String>,
    /// The strategy of the current generation.
    pub protocol_name: Option<String>,
    pub generation_id: i32,
    pub leader: Option<Arc<str>>,
    pub members: BTreeMap<Arc<str>, Member>,
    /// Instance id → member id.
    pub static_members: BTreeMap<String, Arc<str>>,
    /// Member ids handed out whose owners have not joined with them yet.
    pub pending_join: BTreeSet<Arc<str>>,
    /// Members of this generation that have not sent SyncGroup.
    pub pending_sync: BTreeSet<Arc<str>>,
    /// `None`: unknown, which counts as every topic.
    pub subscribed_topics: Option<BTreeSet<String>>,
    pub new_member_added: bool,
    pub initial_delay: InitialDelay,
    /// When the log last said that the group is full.
    pub said_full_at_ms: Option<i64>,
    awaiting_join_count: usize,
    /// Protocol name → how many members support it.
    supported_protocols: BTreeMap<String, usize>,
    metadata_size_bytes: usize,
}

impl ClassicGroup {
    pub fn new(id: Arc<str>, now_ms: i64) -> ClassicGroup {
        ClassicGroup {
            id,
            state: GroupState::Empty,
            previous_state: GroupState::Empty,
            state_since_ms: Some(now_ms),
            protocol_type: None,
            protocol_name: None,
            generation_id: 0,
            leader: None,
            members: BTreeMap::new(),
            static_members: BTreeMap::new(),
            pending_join: BTreeSet::new(),
            pending_sync: BTreeSet::new(),
            subscribed_topics: None,
            new_member_added: false,
            initial_delay: InitialDelay::default(),
            said_full_at_ms: None,
            awaiting_join_count: 0,
            supported_protocols: BTreeMap::new(),
            metadata_size_bytes: 0,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.state == GroupState::Empty
    }

    pub fn is_leader(&self, member_id: &str) -> bool {
        self.leader.as_deref() == Some(member_id)
    }

    pub fn uses_consumer_protocol(&self) -> bool {
        self.protocol_type.as_deref() == Some(CONSUMER_PROTOCOL_TYPE)
    }

    pub fn transition_to(&mut self, state: GroupState, now_ms: i64) {
        assert!(
            state.may_follow(self.state),
            "group {} cannot go from {:?} to {state:?}",
            self.id,
            self.state
        );
        self.previous_state = self.state;
        self.state = state;
        self.state_since_ms = Some(now_ms);
    }

    /// Adds a member, new or loaded. Its instance id must be free and its protocols acceptable.
    pub fn add(&mut self, member: Member) {
        if let Some(instance_id) = &member.instance_id {
            let replaced = self.static_members.insert(instance_id.clone(), member.id.clone());
            assert!(replaced.is_none(), "group {}: instance id {instance_id} is taken", self.id);
        }
        self.pending_join.remove(&member.id);
        if self.leader.is_none() {
            self.leader = Some(member.id.clone());
        }
        self.count(&member);
        let replaced = self.members.insert(member.id.clone(), member);
        assert!(replaced.is_none(), "group {}: a member id was used twice", self.id);
    }

    /// Removes a member, pending or not; another one becomes leader if it was the leader. Its
    /// parked requests must have been answered.
    pub fn remove(&mut self, member_id: &str) {
        if let Some(member) = self.members.remove(member_id) {
            assert!(
                member.awaiting_join.is_none() && member.awaiting_sync.is_none(),
                "a removed member's requests are answered"
            );
            self.uncount(&member);
            if let Some(instance_id) = &member.instance_id {
                self.static_members.remove(instance_id);
            }
        }
        if self.is_leader(member_id) {
            self.leader = self.members.keys().next().cloned();
        }
        self.pending_join.remove(member_id);
        self.pending_sync.remove(member_id);
    }

    /// Takes a member out for good measure, lets `change` edit it, and puts it back with the counts
    /// brought up to date.
    pub fn update(&mut self, member_id: &str, change: impl FnOnce(&mut Member)) {
        let mut member = self.members.remove(member_id).expect("the member was looked up before");
        self.uncount(&member);
        change(&mut member);
        self.count(&member);
        self.members.insert(member.id.clone(), member);
    }

    fn count(&mut self, member: &Member) {
        for protocol in &member.protocols {
            *self.supported_protocols.entry(protocol.name.clone()).or_default() += 1;
        }
        self.metadata_size_bytes += member.metadata_size_bytes();
        self.awaiting_join_count += usize::from(member.awaiting_join.is_some());
    }

    fn uncount(&mut self, member: &Member) {
        for protocol in &member.protocols {
            let count = self
                .supported_protocols
                .get_mut(&protocol.name)
                .expect("protocols of members are counted");
            *count -= 1;
            if *count == 0 {
                self.supported_protocols.remove(&protocol.name);
            }
        }
        self.metadata_size_bytes -= member.metadata_size_bytes();
        self.awaiting_join_count -= usize::from(member.awaiting_join.is_some());
    }

    pub fn park_join(&mut self, member_id: &str, join: ParkedJoin) -> Option<ParkedJoin> {
        let member = self.members.get_mut(member_id).expect("the member was looked up before");
        let superseded = member.awaiting_join.replace(join);
        self.awaiting_join_count += usize::from(superseded.is_none());
        superseded
    }

    pub fn take_join(&mut self, member_id: &str) -> Option<ParkedJoin> {
        let join = self.members.get_mut(member_id)?.awaiting_join.take();
        self.awaiting_join_count -= usize::from(join.is_some());
        join
    }

    pub fn take_sync(&mut self, member_id: &str) -> Option<ReplyToken> {
        self.members.get_mut(member_id)?.awaiting_sync.take()
    }

    pub fn awaiting_join_count(&self) -> usize {
        self.awaiting_join_count
    }

    /// Bytes of the members' own data.
    pub fn metadata_size_bytes(&self) -> usize {
        self.metadata_size_bytes
    }

    pub fn all_members_joined(&self) -> bool {
        self.awaiting_join_count == self.members.len() && self.pending_join.is_empty()
    }

    /// The longest time that any member wants for a rebalance.
    pub fn rebalance_timeout_ms(&self) -> i64 {
        self.members
            .values()
            .map(|member| i64::from(member.rebalance_timeout_ms.max(0)))
            .max()
            .unwrap_or(0)
    }

    /// Keeps the leader if it has rejoined, else elects another member that has rejoined. False if
    /// no member has.
    pub fn elect_joined_leader(&mut self) -> bool {
        let Some(leader) = self.leader.as_ref().and_then(|id| self.members.get(id)) else {
            return false;
        };
        if leader.awaiting_join.is_some() {
            return true;
        }
        let joined = self
            .members
            .values()
            .find(|member| member.awaiting_join.is_some())
            .map(|member| member.id.clone());
        let elected = joined.is_some();
        if elected {
            self.leader = joined;
        }
        elected
    }

    /// Whether a member with these protocols could join: some protocol must be common to all.
    pub fn supports<'a>(
        &self,
        protocol_type: &str,
        mut names: impl Iterator<Item = &'a str>,
    ) -> bool {
        if self.is_empty() {
            return !protocol_type.is_empty() && names.next().is_some();
        }
        self.protocol_type.as_deref() == Some(protocol_type)
            && names.any(|name| {
                self.supported_protocols.get(name).copied().unwrap_or(0) == self.members.len()
            })
    }

    /// The protocol that all support and most prefer; between equals the one that the leader
    /// prefers.
    pub fn select_protocol(&self) -> String {
        let candidates: BTreeSet<&str> = self
            .supported_protocols
            .iter()
            .filter(|(_, count)| **count == self.members.len())
            .map(|(name, _)| name.as_str())
            .collect();
        let mut votes: BTreeMap<&str, usize> = BTreeMap::new();
        for member in self.members.values() {
            let vote =
                member.vote(&candidates).expect("members that share no protocol are not let in");
            *votes.entry(vote).or_default() += 1;
        }
        let most =
            votes.values().copied().max().expect("a protocol is selected for groups with members");
        let winners: BTreeSet<&str> =
            votes.into_iter().filter(|(_, count)| *count == most).map(|(name, _)| name).collect();
        let leader = self.leader.as_ref().and_then(|id| self.members.get(id));
        let preferred = leader.and_then(|leader| leader.vote(&winners));
        preferred.or(winners.first().copied()).expect("one of the winners").to_owned()
    }

    pub fn init_next_generation(&mut self, now_ms: i64) {
        self.generation_id = self.generation_id.wrapping_add(1).max(0);
        self.pending_sync.clear();
        if self.members.is_empty() {
            self.protocol_name = None;
            self.transition_to(GroupState::Empty, now_ms);
        } else {
            self.protocol_name = Some(self.select_protocol());
            self.transition_to(GroupState::CompletingRebalance, now_ms);
        }
        self.compute_subscribed_topics();
    }

    pub fn compute_subscribed_topics(&mut self) {
        self.subscribed_topics = self.computed_subscribed_topics();
    }

    fn computed_subscribed_topics(&self) -> Option<BTreeSet<String>> {
        if !self.uses_consumer_protocol() {
            return None;
        }
        if self.members.is_empty() {
            return Some(BTreeSet::new());
        }
        let protocol_name = self.protocol_name.as_deref()?;
        let mut topics = BTreeSet::new();
        for member in self.members.values() {
            let Some(subscribed) =
                member.metadata(protocol_name).and_then(|metadata| subscribed_topics(metadata))
            else {
                tracing::warn!(group = %self.id, member = %member.id,
                    "the member's subscription cannot be read; the group counts as subscribed to \
                     every topic");
                return None;
            };
            topics.extend(subscribed);
        }
        Some(topics)
    }

    pub fn is_subscribed_to(&self, topic: &str) -> bool {
        match &self.subscribed_topics {
            Some(topics) => topics.contains(topic),
            None => self.uses_consumer_protocol(),
        }
    }

    /// Whether a request that names this member may speak for it.
    pub fn validate_member(
        &self,
        member_id: &str,
        instance_id: Option<&str>,
    ) -> Result<(), ErrorCode> {
        if let Some(instance_id) = instance_id {
            match self.static_members.get(instance_id) {
                None => return Err(ErrorCode::UnknownMemberId),
                Some(current) if &**current != member_id => {
                    return Err(ErrorCode::FencedInstanceId);
                }
                Some(_) => {}
            }
        }
        if self.members.contains_key(member_id) { Ok(()) } else { Err(ErrorCode::UnknownMemberId) }
    }

    /// The current assignments by member, for writing the group again.
    pub fn assignments(&self) -> BTreeMap<Arc<str>, Bytes> {
        self.members.iter().map(|(id, member)| (id.clone(), member.assignment.clone())).collect()
    }

    /// Checks what the counts say against the members, after every event of the tests.
    #[cfg(test)]
    pub fn assert_consistent(&self) {
        let joined = self.members.values().filter(|member| member.awaiting_join.is_some()).count();
        assert_eq!(self.awaiting_join_count, joined);
        assert_eq!(
            self.metadata_size_bytes,
            self.members.values().map(Member::metadata_size_bytes).sum::<usize>()
        );
        let statics: BTreeMap<String, Arc<str>> = self
            .members
            .values()
            .filter_map(|m| Some((m.instance_id.clone()?, m.id.clone())))
            .collect();
        assert_eq!(self.static_members, statics);
        assert_eq!(self.leader.is_some(), !self.members.is_empty());
        assert!(self.leader.as_ref().is_none_or(|leader| self.members.contains_key(leader)));
        assert!(self.pending_join.iter().all(|id| !self.members.contains_key(id)));
        assert!(self.pending_sync.iter().all(|id| self.members.contains_key(id)));
        assert!(!self.is_empty() || self.members.is_empty());
        for member in self.members.values() {
            assert!(
                member.awaiting_sync.is_none() || self.state == GroupState::CompletingRebalance
            );
            assert!(member.awaiting_join.is_none() || self.state == GroupState::PreparingRebalance);
        }
    }
}

/// Copies protocols out of a request: what a group keeps must not hold on to the buffer it arrived
/// in. Of several with one name the first counts, for each member has one vote per protocol.
pub(in crate::coord) fn own_protocols(
    protocols: &[protocol::messages::join_group_request::JoinGroupRequestProtocol],
) -> Vec<Protocol> {
    let mut names = BTreeSet::new();
    protocols
        .iter()
        .filter(|protocol| names.insert(protocol.name.as_str()))
        .map(|protocol| Protocol {
            name: protocol.name.clone(),
            metadata: Bytes::copy_from_slice(&protocol.metadata),
        })
        .collect()
}
