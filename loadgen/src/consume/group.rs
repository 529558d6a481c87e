//! Members of consumer groups, by the classic protocol: they join, read what they are given, commit
//! where they are, and make room when the group changes.
//!
//! Owns: each member's place in its group, and the group's memory of what was read. Lives on: the
//! generator's thread. Never: gives partitions back before their last records are booked and their
//! offsets committed, as far as the coordinator takes them.

use super::{BEGIN_PATIENCE, Consumer, RECONNECT_PAUSE, Set};
use crate::{
    cluster::{Coordinator, From},
    dialer::{CALL_TIMEOUT, error_of},
    run::Run,
    workload::{Groups, Reading},
};
use anyhow::{Context, bail, ensure};
use bytes::{BufMut, Bytes, BytesMut};
use client::Connection;
use protocol::{
    ApiKey, ErrorCode, Message, Request,
    file_records::{ConsumerProtocolAssignment, ConsumerProtocolSubscription},
    messages::{
        HeartbeatRequest, JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest,
        OffsetCommitRequest, OffsetFetchRequest, SyncGroupRequest,
        join_group_request::JoinGroupRequestProtocol,
        leave_group_request::MemberIdentity,
        offset_commit_request::{OffsetCommitRequestPartition, OffsetCommitRequestTopic},
        offset_fetch_request::OffsetFetchRequestTopic,
        sync_group_request::SyncGroupRequestAssignment,
    },
};
use rustc_hash::FxHashMap;
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

/// The last versions that are of one group, and name topics.
const JOIN_GROUP_VERSION: i16 = 5;
const SYNC_GROUP_VERSION: i16 = 3;
const HEARTBEAT_VERSION: i16 = 3;
const LEAVE_GROUP_VERSION: i16 = 3;
const OFFSET_COMMIT_VERSION: i16 = 7;
const OFFSET_FETCH_VERSION: i16 = 5;

const PROTOCOL_TYPE: &str = "consumer";
/// What the assignment below is: partitions of all topics in turn.
const PROTOCOL: &str = "roundrobin";
const PROTOCOL_VERSION: i16 = 0;
/// Kafka's default; brokers also wait for more members before they begin (3 s by default).
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(3);
/// How often a member looks whether there is something to do.
const TICK: Duration = Duration::from_millis(50);
/// How long groups may take to form before the load.
const FORM_PATIENCE: Duration = Duration::from_secs(90);

/// What one member was given, until the group changes.
#[derive(Default)]
pub struct Assignment {
    is_revoked: Cell<bool>,
    /// Of its consumers, one for each leader.
    readers: Cell<usize>,
    positions: RefCell<FxHashMap<i32, i64>>,
    /// How far the group had come by the time of the assignment.
    read_before: FxHashMap<i32, i64>,
}

impl Assignment {
    pub fn is_revoked(&self) -> bool {
        self.is_revoked.get()
    }

    pub fn begin(&self) {
        self.readers.set(self.readers.get() + 1);
    }

    pub fn end(&self, positions: &FxHashMap<i32, i64>) {
        self.keep(positions);
        self.readers.set(self.readers.get() - 1);
    }

    pub fn keep(&self, positions: &FxHashMap<i32, i64>) {
        self.positions.borrow_mut().extend(positions);
    }

    pub fn read_before(&self, partition: i32) -> i64 {
        self.read_before.get(&partition).copied().unwrap_or(0)
    }
}

/// What the members of one group share.
struct Group {
    id: String,
    /// Of several that read the same, one judges.
    is_first: bool,
    settings: Groups,
    set: Rc<Set>,
    /// Where partitions begin that have no committed offset: their ends before the load.
    starts: FxHashMap<i32, i64>,
    /// The offsets behind the last records that any member has read.
    read: RefCell<FxHashMap<i32, i64>>,
    /// Why it has not formed yet.
    last_error: RefCell<Option<String>>,
}

struct Member {
    run: Rc<Run>,
    group: Rc<Group>,
    coordinator: Option<Connection>,
    member_id: String,
    generation: i32,
    /// Was given partitions, or none, once.
    was_assigned: bool,
}

/// Why a member does not go on as it was.
enum Ended {
    /// The run is over.
    Stop,
    /// The group gathers again.
    Rebalance,
    /// The coordinator does not know the member any more.
    Unknown,
}

/// Has all groups of the workload gather, before the load.
pub async fn form_groups(run: &Rc<Run>) -> anyhow::Result<()> {
    let mut groups: Vec<Rc<Group>> = Vec::new();
    for (place, consumers) in run.workload.consumers.iter().enumerate() {
        let Reading::Group(settings) = &consumers.reading else { continue };
        let set = Set::new(consumers, place);
        let starts = starts(run, &set).await?;
        for number in 0..settings.groups {
            let group = Rc::new(Group {
                id: group_id(settings, run.id, place, number),
                is_first: number == 0,
                settings: settings.clone(),
                set: set.clone(),
                read: RefCell::new(starts.clone()),
                starts: starts.clone(),
                last_error: RefCell::default(),
            });
            groups.push(group.clone());
            for _ in 0..consumers.count {
                run.members_waiting.set(run.members_waiting.get() + 1);
                run.spawn_reader(Member::new(run, &group).live());
            }
        }
    }
    let are_formed = run.changed.wait_until(|| run.members_waiting.get() == 0);
    let formed = run.ring.timeout(FORM_PATIENCE, are_formed).await;
    let error = groups.iter().find_map(|group| group.last_error.borrow().clone());
    ensure!(
        formed.is_some(),
        "{} members of consumer groups were given nothing in {FORM_PATIENCE:?}: {}; see the \
         broker's log, or give fewer of them",
        run.members_waiting.get(),
        error.as_deref().unwrap_or("no answer")
    );
    Ok(())
}

/// A new leader may not know yet that it is one.
async fn starts(run: &Rc<Run>, set: &Set) -> anyhow::Result<FxHashMap<i32, i64>> {
    let partitions = run.cluster.partitions_of(&set.topics);
    let deadline = run.ring.precise_now() + BEGIN_PATIENCE;
    loop {
        match run.cluster.offsets_of_all(&partitions, From::Latest).await {
            Err(_) if run.ring.precise_now() < deadline => {
                run.cluster.refresh(&run.ring);
                run.ring.sleep(RECONNECT_PAUSE).await;
            }
            starts => return starts,
        }
    }
}

fn group_id(settings: &Groups, run: u32, place: usize, number: usize) -> String {
    let prefix = settings.id.clone().unwrap_or_else(|| format!("loadgen-{run:08x}-{place}"));
    if settings.groups > 1 { format!("{prefix}-{number}") } else { prefix }
}

impl Member {
    fn new(run: &Rc<Run>, group: &Rc<Group>) -> Member {
        Member {
            run: run.clone(),
            group: group.clone(),
            coordinator: None,
            member_id: String::new(),
            generation: -1,
            was_assigned: false,
        }
    }

    /// Until the run has no more need of it.
    async fn live(mut self) {
        while !self.run.consumers_may_stop() {
            if let Err(error) = self.be_a_member().await {
                let error = error.context(format!("group {}", self.group.id));
                if self.was_assigned {
                    self.run.fetch_failed(&error);
                } else {
                    // New clusters make their topic of offsets at the first request.
                    *self.group.last_error.borrow_mut() = Some(format!("{error:#}"));
                }
                self.coordinator = None;
                self.run.ring.sleep(RECONNECT_PAUSE).await;
            }
        }
        self.leave().await;
    }

    /// One generation: from joining to what ends it.
    async fn be_a_member(&mut self) -> anyhow::Result<()> {
        let Some(assigned) = self.join().await? else { return Ok(()) };
        let positions = self.positions(&assigned).await?;
        let assignment = Rc::new(Assignment {
            positions: RefCell::new(positions.clone()),
            read_before: self.group.read.borrow().clone(),
            ..Assignment::default()
        });
        self.read(&assignment, positions);
        if !self.was_assigned {
            self.was_assigned = true;
            self.run.members_waiting.set(self.run.members_waiting.get() - 1);
            self.run.changed.notify();
        } else {
            self.run.rebalances.set(self.run.rebalances.get() + 1);
        }
        let ended = self.keep_alive(&assignment).await;
        assignment.is_revoked.set(true);
        let are_gone = self.run.changed.wait_until(|| assignment.readers.get() == 0);
        self.run.ring.timeout(CALL_TIMEOUT, are_gone).await;
        self.remember(&assignment);
        match ended? {
            Ended::Unknown => {
                self.member_id.clear();
                Ok(())
            }
            Ended::Stop | Ended::Rebalance => self.commit(&assignment).await.map(|_| ()),
        }
    }

    fn read(&self, assignment: &Rc<Assignment>, positions: FxHashMap<i32, i64>) {
        let cluster = &self.run.cluster;
        for (leader, partitions) in cluster.partitions_by_leader(positions.keys().copied()) {
            let mine = partitions.into_iter().map(|one| (one, positions[&one])).collect();
            let consumer = Consumer::at(&self.run, &self.group.set, leader, mine);
            self.run.spawn_consumer(Consumer {
                is_first: self.group.is_first,
                assignment: Some(assignment.clone()),
                ..consumer
            });
        }
    }

    fn remember(&self, assignment: &Assignment) {
        let mut read = self.group.read.borrow_mut();
        for (partition, position) in assignment.positions.borrow().iter() {
            let known = read.entry(*partition).or_default();
            *known = (*position).max(*known);
        }
    }

    /// Heartbeats and commits, until something else is to be done.
    async fn keep_alive(&mut self, assignment: &Assignment) -> anyhow::Result<Ended> {
        let settings = &self.group.settings;
        let (commit_interval, interval) = (
            settings.commit_interval.max(TICK),
            HEARTBEAT_INTERVAL.min(settings.session_timeout / 3),
        );
        let now = self.run.ring.precise_now();
        let (mut next_heartbeat, mut next_commit) = (now + interval, now + commit_interval);
        loop {
            if self.run.consumers_may_stop() {
                return Ok(Ended::Stop);
            }
            let now = self.run.ring.precise_now();
            let error = if now >= next_commit {
                next_commit = now + commit_interval;
                self.remember(assignment);
                self.commit(assignment).await?
            } else if now >= next_heartbeat {
                next_heartbeat = now + interval;
                self.heartbeat().await?
            } else {
                self.run.ring.sleep(TICK).await;
                continue;
            };
            match error {
                ErrorCode::None => {}
                ErrorCode::RebalanceInProgress => return Ok(Ended::Rebalance),
                ErrorCode::UnknownMemberId | ErrorCode::FencedInstanceId => {
                    return Ok(Ended::Unknown);
                }
                ErrorCode::IllegalGeneration => return Ok(Ended::Rebalance),
                error => bail!("{}", error.name()),
            }
        }
    }

    async fn coordinator(&mut self) -> anyhow::Result<Connection> {
        let known = self.coordinator.as_ref().filter(|known| !known.is_disconnected());
        if let Some(known) = known {
            return Ok(known.clone());
        }
        let found = self.run.cluster.coordinator(Coordinator::Group, &self.group.id).await?;
        self.coordinator = Some(found.clone());
        Ok(found)
    }

    async fn ask<R: Request>(
        &mut self,
        api: ApiKey,
        version: i16,
        request: &R,
        timeout: Duration,
    ) -> anyhow::Result<R::Response> {
        let coordinator = self.coordinator().await?;
        let version = coordinator.versions().version_at_most(api, version)?;
        Ok(coordinator.call(request, version, timeout).await?)
    }

    /// Joins and is given partitions; `None`: to be tried again.
    async fn join(&mut self) -> anyhow::Result<Option<Vec<i32>>> {
        let session_timeout = self.group.settings.session_timeout;
        let subscription = ConsumerProtocolSubscription {
            topics: self.topics(),
            user_data: None,
            ..Default::default()
        };
        let protocol =
            JoinGroupRequestProtocol { name: PROTOCOL.to_owned(), metadata: encode(&subscription) };
        let request = JoinGroupRequest {
            group_id: self.group.id.clone(),
            session_timeout_ms: session_timeout.as_millis() as i32,
            rebalance_timeout_ms: session_timeout.as_millis() as i32,
            member_id: self.member_id.clone(),
            protocol_type: PROTOCOL_TYPE.to_owned(),
            protocols: vec![protocol],
            ..Default::default()
        };
        let timeout = session_timeout + CALL_TIMEOUT;
        let joined = self.ask(ApiKey::JoinGroup, JOIN_GROUP_VERSION, &request, timeout).await?;
        match error_of(joined.error_code) {
            ErrorCode::None => {}
            ErrorCode::MemberIdRequired => {
                self.member_id = joined.member_id;
                return Ok(None);
            }
            ErrorCode::UnknownMemberId => {
                self.member_id.clear();
                return Ok(None);
            }
            ErrorCode::RebalanceInProgress => return Ok(None),
            error => bail!("joining: {}", error.name()),
        }
        (self.member_id, self.generation) = (joined.member_id.clone(), joined.generation_id);
        self.sync(&joined, timeout).await
    }

    fn topics(&self) -> Vec<String> {
        let topics = &self.run.workload.topics;
        self.group.set.topics.iter().map(|topic| topics[*topic].name.clone()).collect()
    }

    async fn sync(
        &mut self,
        joined: &JoinGroupResponse,
        timeout: Duration,
    ) -> anyhow::Result<Option<Vec<i32>>> {
        let members: Vec<&str> =
            joined.members.iter().map(|member| member.member_id.as_str()).collect();
        let partitions = self.run.cluster.partitions_of(&self.group.set.topics);
        let given = |(member, partitions): (&str, Vec<i32>)| SyncGroupRequestAssignment {
            member_id: member.to_owned(),
            assignment: encode(&self.assignment_of(partitions)),
        };
        // Only the leader is told of the others.
        let assignments = in_turn(&members, &partitions).into_iter().map(given).collect();
        let request = SyncGroupRequest {
            group_id: self.group.id.clone(),
            generation_id: self.generation,
            member_id: self.member_id.clone(),
            assignments,
            ..Default::default()
        };
        let synced = self.ask(ApiKey::SyncGroup, SYNC_GROUP_VERSION, &request, timeout).await?;
        match error_of(synced.error_code) {
            ErrorCode::None => {}
            ErrorCode::RebalanceInProgress => return Ok(None),
            ErrorCode::UnknownMemberId | ErrorCode::IllegalGeneration => {
                self.member_id.clear();
                return Ok(None);
            }
            error => bail!("syncing: {}", error.name()),
        }
        let assigned = decode(&synced.assignment)?;
        let of_topic =
            |topic: &protocol::file_records::consumer_protocol_assignment::TopicPartition| {
                let partition = |number: &i32| self.run.cluster.partition(&topic.topic, *number);
                topic.partitions.iter().filter_map(partition).collect::<Vec<_>>()
            };
        Ok(Some(assigned.assigned_partitions.iter().flat_map(of_topic).collect()))
    }

    fn assignment_of(&self, partitions: Vec<i32>) -> ConsumerProtocolAssignment {
        let topic = |(name, partitions): (&str, Vec<i32>)| {
            protocol::file_records::consumer_protocol_assignment::TopicPartition {
                topic: name.to_owned(),
                partitions,
            }
        };
        ConsumerProtocolAssignment {
            assigned_partitions: self
                .run
                .cluster
                .by_topic(partitions)
                .into_iter()
                .map(topic)
                .collect(),
            user_data: None,
        }
    }

    /// Where to go on: the committed offsets, or where the group began.
    async fn positions(&mut self, assigned: &[i32]) -> anyhow::Result<FxHashMap<i32, i64>> {
        let start =
            |partition: &i32| (*partition, self.group.starts.get(partition).copied().unwrap_or(0));
        let mut positions: FxHashMap<i32, i64> = assigned.iter().map(start).collect();
        if assigned.is_empty() {
            return Ok(positions);
        }
        let topic = |(name, partition_indexes): (&str, Vec<i32>)| OffsetFetchRequestTopic {
            name: name.to_owned(),
            partition_indexes,
        };
        let topics = self.run.cluster.by_topic(assigned.iter().copied());
        let request = OffsetFetchRequest {
            group_id: self.group.id.clone(),
            topics: Some(topics.into_iter().map(topic).collect()),
            ..Default::default()
        };
        let fetched =
            self.ask(ApiKey::OffsetFetch, OFFSET_FETCH_VERSION, &request, CALL_TIMEOUT).await?;
        let error = error_of(fetched.error_code);
        ensure!(error == ErrorCode::None, "committed offsets: {}", error.name());
        for topic in &fetched.topics {
            for offset in &topic.partitions {
                let error = error_of(offset.error_code);
                ensure!(error == ErrorCode::None, "committed offsets: {}", error.name());
                let partition = self.run.cluster.partition(&topic.name, offset.partition_index);
                if let Some(partition) = partition.filter(|_| offset.committed_offset >= 0) {
                    positions.insert(partition, offset.committed_offset);
                }
            }
        }
        Ok(positions)
    }

    async fn heartbeat(&mut self) -> anyhow::Result<ErrorCode> {
        let request = HeartbeatRequest {
            group_id: self.group.id.clone(),
            generation_id: self.generation,
            member_id: self.member_id.clone(),
            ..Default::default()
        };
        let beaten = self.ask(ApiKey::Heartbeat, HEARTBEAT_VERSION, &request, CALL_TIMEOUT).await?;
        Ok(error_of(beaten.error_code))
    }

    /// The first error, of any partition.
    async fn commit(&mut self, assignment: &Assignment) -> anyhow::Result<ErrorCode> {
        let positions = assignment.positions.borrow().clone();
        if positions.is_empty() {
            return Ok(ErrorCode::None);
        }
        let cluster = self.run.cluster.clone();
        let mut topics: Vec<OffsetCommitRequestTopic> = Vec::new();
        for (partition, position) in positions {
            let (name, partition_index) = cluster.on_wire(partition);
            let offset = OffsetCommitRequestPartition {
                partition_index,
                committed_offset: position,
                ..Default::default()
            };
            match topics.iter_mut().find(|topic| topic.name == name) {
                Some(topic) => topic.partitions.push(offset),
                None => topics.push(OffsetCommitRequestTopic {
                    name: name.to_owned(),
                    partitions: vec![offset],
                    ..Default::default()
                }),
            }
        }
        let request = OffsetCommitRequest {
            group_id: self.group.id.clone(),
            generation_id_or_member_epoch: self.generation,
            member_id: self.member_id.clone(),
            topics,
            ..Default::default()
        };
        let committed =
            self.ask(ApiKey::OffsetCommit, OFFSET_COMMIT_VERSION, &request, CALL_TIMEOUT).await?;
        let mut errors = committed
            .topics
            .iter()
            .flat_map(|topic| &topic.partitions)
            .map(|offset| error_of(offset.error_code));
        Ok(errors.find(|error| *error != ErrorCode::None).unwrap_or(ErrorCode::None))
    }

    /// So that the group need not wait for its timeout. What goes wrong here matters no more.
    async fn leave(&mut self) {
        if self.coordinator.is_none() || self.member_id.is_empty() {
            return;
        }
        let member = MemberIdentity { member_id: self.member_id.clone(), ..Default::default() };
        let request = LeaveGroupRequest {
            group_id: self.group.id.clone(),
            members: vec![member],
            ..Default::default()
        };
        let _ = self.ask(ApiKey::LeaveGroup, LEAVE_GROUP_VERSION, &request, CALL_TIMEOUT).await;
    }
}

/// The partitions of each member, in turn; members by their ids, so that it is always the same.
fn in_turn<'a>(members: &[&'a str], partitions: &[i32]) -> Vec<(&'a str, Vec<i32>)> {
    let mut given: Vec<(&str, Vec<i32>)> =
        members.iter().map(|member| (*member, Vec::new())).collect();
    given.sort_unstable();
    let count = given.len();
    for (turn, partition) in partitions.iter().enumerate().filter(|_| count > 0) {
        given[turn % count].1.push(*partition);
    }
    given
}

/// With the version in front, as the protocol of consumers has it.
fn encode(message: &impl Message) -> Bytes {
    let mut bytes = BytesMut::new();
    bytes.put_i16(PROTOCOL_VERSION);
    message.encode(&mut bytes, PROTOCOL_VERSION).expect("names of topics, and numbers");
    bytes.freeze()
}

/// No bytes are no partitions.
/// The topics of which a member was given partitions, as its assignment has them.
///
/// # Errors
///
/// Where it is none of the classic consumer protocol.
pub fn assigned(assignment: &Bytes) -> anyhow::Result<Vec<String>> {
    let decoded = decode(assignment)?;
    Ok(decoded.assigned_partitions.into_iter().map(|topic| topic.topic).collect())
}

fn decode(bytes: &Bytes) -> anyhow::Result<ConsumerProtocolAssignment> {
    if bytes.is_empty() {
        return Ok(ConsumerProtocolAssignment::default());
    }
    ensure!(bytes.len() >= 2, "an assignment of one byte");
    let mut reader = protocol::Reader::from_bytes(bytes);
    let version = reader.i16().context("an assignment")?;
    ensure!(version >= 0, "an assignment of version {version}");
    ConsumerProtocolAssignment::decode(&mut reader, PROTOCOL_VERSION).context("an assignment")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_are_given_in_turn_whoever_leads() {
        let given = in_turn(&["b", "a"], &[0, 1, 2]);
        assert_eq!(given, [("a", vec![0, 2]), ("b", vec![1])]);
        assert_eq!(in_turn(&[], &[0, 1]), []);
        assert_eq!(in_turn(&["a", "b"], &[7]), [("a", vec![7]), ("b", vec![])]);
    }

    #[test]
    fn an_assignment_reads_as_written() {
        let topic = protocol::file_records::consumer_protocol_assignment::TopicPartition {
            topic: "t".to_owned(),
            partitions: vec![3, 1],
        };
        let assignment =
            ConsumerProtocolAssignment { assigned_partitions: vec![topic], user_data: None };
        assert_eq!(decode(&encode(&assignment)).unwrap(), assignment);
        assert_eq!(decode(&Bytes::new()).unwrap(), ConsumerProtocolAssignment::default());
        assert!(decode(&Bytes::from_static(&[0])).is_err());
    }

    #[test]
    fn groups_have_names_of_their_own() {
        let settings = |groups, id: Option<&str>| Groups {
            groups,
            id: id.map(str::to_owned),
            session_timeout: Duration::from_secs(45),
            commit_interval: Duration::from_secs(5),
        };
        assert_eq!(group_id(&settings(1, Some("g")), 7, 0, 0), "g");
        assert_eq!(group_id(&settings(2, Some("g")), 7, 0, 1), "g-1");
        assert_eq!(group_id(&settings(1, None), 7, 3, 0), "loadgen-00000007-3");
    }
}
