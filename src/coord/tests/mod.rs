//! Lists of events for the group coordinator, each with the answers and records that Kafka 4.3
//! gives. Virtual time only.

mod admin;
mod contract;
mod fanout;
mod join;
mod load;
mod membership;
mod model;
mod offsets;
mod second_machine;
mod static_members;
mod sync;
mod txn_offsets;

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use protocol::group_records::{GroupMetadataValue, Key, Value};
use protocol::messages::join_group_request::JoinGroupRequestProtocol;
use protocol::messages::leave_group_request::MemberIdentity;
use protocol::messages::leave_group_response::MemberResponse;
use protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use protocol::messages::offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopics};
use protocol::messages::offset_fetch_response::OffsetFetchResponsePartitions;
use protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use protocol::messages::txn_offset_commit_request::{
    TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
};
use protocol::messages::{
    DeleteGroupsResponse, DescribeGroupsResponse, HeartbeatRequest, JoinGroupRequest,
    JoinGroupResponse, LeaveGroupRequest, OffsetCommitRequest, OffsetFetchResponse,
    SyncGroupRequest, SyncGroupResponse, TxnOffsetCommitRequest,
};
use protocol::records::{BatchBuilder, EndTransactionMarker};
use protocol::{ErrorCode, Message};

use super::CoordinatorRecord;
use super::groups::group::Group;
use super::groups::request::{ClientContext, Request, Response};
use super::groups::{GroupSettings, Groups};
use super::runtime::{self, ReplyToken};

type Coordinator = runtime::Coordinator<Groups>;
type Actions = runtime::Actions<Groups>;
type Reply = runtime::Reply<Response>;

const GROUP: &str = "g";
const SESSION_TIMEOUT_MS: i32 = 10_000;
const REBALANCE_TIMEOUT_MS: i32 = 60_000;
const INITIAL_DELAY_MS: i64 = 3_000;
const START_MS: i64 = 1_000_000;

/// A coordinator and all that the contract asks of its host: a log, a high watermark, a clock.
/// Everything is committed at once unless `hold_commits` is set.
struct Host {
    coordinator: Coordinator,
    settings: GroupSettings,
    log: Vec<Bytes>,
    next_offset: i64,
    hold_commits: bool,
    now_ms: i64,
    next_token: u64,
    replies: BTreeMap<ReplyToken, Response>,
    /// Tokens in the order in which they were answered.
    order: Vec<ReplyToken>,
    /// Batches of the log below the high watermark.
    committed_batches: usize,
    /// Requests without their answer yet.
    outstanding: BTreeMap<ReplyToken, Request>,
    /// What has been appended since [`Host::take_records`].
    records: Vec<CoordinatorRecord>,
}

impl Host {
    fn new() -> Host {
        Host::with(GroupSettings::default())
    }

    fn with(settings: GroupSettings) -> Host {
        let mut host = Host {
            coordinator: Coordinator::new(settings.clone()),
            settings,
            log: Vec::new(),
            next_offset: 0,
            hold_commits: false,
            now_ms: START_MS,
            next_token: 0,
            replies: BTreeMap::new(),
            order: Vec::new(),
            committed_batches: 0,
            outstanding: BTreeMap::new(),
            records: Vec::new(),
        };
        let actions = host.coordinator.loaded(host.now_ms);
        host.execute(actions);
        host
    }

    fn execute(&mut self, actions: Actions) {
        for batch in actions.batches {
            assert!(!batch.records.is_empty());
            let mut builder = BatchBuilder::new(self.next_offset);
            if let Some(producer) = batch.author {
                builder = builder.producer(producer.id, producer.epoch, -1).transactional(true);
            }
            for record in &batch.records {
                builder.append(self.now_ms, Some(&record.key), record.value.as_deref(), &[]);
            }
            let bytes = builder.build();
            assert!(
                bytes.len() <= self.settings.max_batch_bytes,
                "a batch of {} bytes",
                bytes.len()
            );
            self.log.push(bytes);
            self.next_offset += batch.records.len() as i64;
            self.coordinator.appended(self.next_offset - 1);
            self.records.extend(batch.records);
        }
        self.take_replies(actions.replies);
        if !self.hold_commits {
            self.commit();
        }
        self.check();
    }

    fn check(&self) {
        let machine = self.coordinator.machine();
        for Group::Classic(group) in machine.groups.values() {
            group.assert_consistent();
        }
        for (_, key) in machine.offsets.all_pending().into_keys() {
            assert!(machine.groups.contains_key(&key.group), "what is pending has a group");
        }
    }

    fn take_replies(&mut self, replies: Vec<Reply>) {
        for reply in replies {
            if let Some(request) = self.outstanding.remove(&reply.token) {
                assert_encodable(&request, &reply.response);
            }
            self.order.push(reply.token);
            let before = self.replies.insert(reply.token, reply.response);
            assert!(before.is_none(), "a token is answered once");
        }
    }

    fn commit(&mut self) {
        self.committed_batches = self.log.len();
        let replies = self.coordinator.committed(self.next_offset).replies;
        self.take_replies(replies);
    }

    fn send(&mut self, request: Request) -> ReplyToken {
        let token = ReplyToken(self.next_token);
        self.next_token += 1;
        self.outstanding.insert(token, request.clone());
        let actions = self.coordinator.handle(token, request, self.now_ms);
        self.execute(actions);
        token
    }

    fn call(&mut self, request: Request) -> Response {
        let token = self.send(request);
        self.reply(token).expect("the request is answered at once")
    }

    fn reply(&mut self, token: ReplyToken) -> Option<Response> {
        self.replies.remove(&token)
    }

    /// Lets time pass, and everything happen that is due on the way.
    fn advance(&mut self, duration_ms: i64) {
        let until_ms = self.now_ms + duration_ms;
        while let Some(deadline_ms) =
            self.coordinator.next_deadline_ms().filter(|deadline_ms| *deadline_ms <= until_ms)
        {
            self.now_ms = self.now_ms.max(deadline_ms);
            let actions = self.coordinator.tick(self.now_ms);
            self.execute(actions);
        }
        self.now_ms = until_ms;
    }

    fn take_records(&mut self) -> Vec<CoordinatorRecord> {
        std::mem::take(&mut self.records)
    }

    /// The one record written since the last look, which is the group's.
    fn take_group_record(&mut self) -> GroupMetadataValue {
        let records = self.take_records();
        assert_eq!(records.len(), 1, "{records:?}");
        group_value(&records[0]).expect("a group's record with a value")
    }

    /// Starts over from the log, as after a crash or a change of the leader.
    fn reload(&mut self) {
        let waiting = self.coordinator.unload();
        self.take_replies(waiting);
        self.coordinator = Coordinator::new(self.settings.clone());
        self.committed_batches = self.log.len();
        let mut offset = 0;
        for batch in &self.log {
            offset = self.coordinator.load(batch, offset).expect("a log that is whole");
        }
        let actions = self.coordinator.loaded(self.now_ms);
        self.execute(actions);
    }

    fn state_name(&mut self) -> String {
        match self.call(Request::DescribeGroup { group_id: GROUP.into(), api_version: 5 }) {
            Response::DescribeGroup(group) => group.group_state,
            other => panic!("{other:?}"),
        }
    }

    // Requests, with answers taken apart.

    fn send_join(&mut self, join: Join) -> ReplyToken {
        let random = u128::from(self.next_token) << 96 | 0xabcd;
        self.send(join.into_request(random))
    }

    fn join(&mut self, join: Join) -> JoinGroupResponse {
        let token = self.send_join(join);
        self.joined(token)
    }

    fn joined(&mut self, token: ReplyToken) -> JoinGroupResponse {
        match self.reply(token) {
            Some(Response::JoinGroup(response)) => response,
            other => panic!("no answer to a join: {other:?}"),
        }
    }

    fn sync(&mut self, sync: SyncGroupRequest) -> SyncGroupResponse {
        let token = self.send(Request::SyncGroup { request: sync, api_version: 4 });
        self.synced(token)
    }

    fn synced(&mut self, token: ReplyToken) -> SyncGroupResponse {
        match self.reply(token) {
            Some(Response::SyncGroup(response)) => response,
            other => panic!("no answer to a sync: {other:?}"),
        }
    }

    fn heartbeat(&mut self, member_id: &str, generation_id: i32) -> ErrorCode {
        self.heartbeat_as(member_id, generation_id, None)
    }

    fn heartbeat_as(
        &mut self,
        member_id: &str,
        generation_id: i32,
        instance_id: Option<&str>,
    ) -> ErrorCode {
        let request = HeartbeatRequest {
            group_id: GROUP.into(),
            generation_id,
            member_id: member_id.into(),
            group_instance_id: instance_id.map(str::to_owned),
        };
        match self.call(Request::Heartbeat(request)) {
            Response::Heartbeat(response) => error(response.error_code),
            other => panic!("{other:?}"),
        }
    }

    fn leave(&mut self, members: &[(&str, Option<&str>)]) -> Vec<MemberResponse> {
        let members = members.iter().map(|(member_id, instance_id)| MemberIdentity {
            member_id: (*member_id).into(),
            group_instance_id: instance_id.map(str::to_owned),
            reason: None,
        });
        let request = LeaveGroupRequest {
            group_id: GROUP.into(),
            members: members.collect(),
            ..Default::default()
        };
        match self.call(Request::LeaveGroup { request, api_version: 5 }) {
            Response::LeaveGroup(response) => {
                assert_eq!(response.error_code, 0);
                response.members
            }
            other => panic!("{other:?}"),
        }
    }

    fn commit_offset(&mut self, commit: Commit) -> ErrorCode {
        let api_version = commit.api_version;
        match self.call(Request::OffsetCommit { request: commit.into_request(), api_version }) {
            Response::OffsetCommit(response) => error(response.topics[0].partitions[0].error_code),
            other => panic!("{other:?}"),
        }
    }

    fn commit_in_transaction(&mut self, producer_id: i64, commit: Commit) -> ErrorCode {
        match self.call(commit.into_transaction(producer_id)) {
            Response::TxnOffsetCommit(response) => {
                error(response.topics[0].partitions[0].error_code)
            }
            other => panic!("{other:?}"),
        }
    }

    fn end_transaction(&mut self, producer_id: i64, committed: bool) {
        let marker = EndTransactionMarker { committed, coordinator_epoch: 1 };
        let marker = BatchBuilder::end_transaction_marker(
            self.next_offset,
            self.now_ms,
            producer_id,
            0,
            marker,
        );
        self.log.push(marker.build());
        self.next_offset += 1;
        self.coordinator.transaction_ended(producer_id, committed);
        self.coordinator.appended(self.next_offset - 1);
        if !self.hold_commits {
            self.commit();
        }
        self.check();
    }

    fn fetch_offset(
        &mut self,
        group: &str,
        topic: &str,
        partition: i32,
    ) -> OffsetFetchResponsePartitions {
        self.fetch_as(group, topic, partition, true)
    }

    fn fetch_as(
        &mut self,
        group: &str,
        topic: &str,
        partition: i32,
        require_stable: bool,
    ) -> OffsetFetchResponsePartitions {
        let topics = vec![OffsetFetchRequestTopics {
            name: topic.into(),
            partition_indexes: vec![partition],
            ..Default::default()
        }];
        let group = OffsetFetchRequestGroup {
            group_id: group.into(),
            topics: Some(topics),
            ..Default::default()
        };
        match self.call(Request::OffsetFetch { group, require_stable }) {
            Response::OffsetFetch(mut response) => {
                assert_eq!(response.error_code, 0);
                response.topics.remove(0).partitions.remove(0)
            }
            other => panic!("{other:?}"),
        }
    }

    /// A stable group of dynamic members of the consumer protocol, the first of them its leader.
    fn stable_group(&mut self, size: usize) -> (Vec<String>, i32) {
        let tokens: Vec<ReplyToken> = (0..size)
            .map(|n| self.send_join(Join { api_version: 3, ..Join::client(&format!("c{n}")) }))
            .collect();
        self.advance(INITIAL_DELAY_MS);
        if size > 1 {
            self.advance(INITIAL_DELAY_MS);
        }
        let joined: Vec<JoinGroupResponse> =
            tokens.into_iter().map(|token| self.joined(token)).collect();
        let generation_id = joined[0].generation_id;
        let mut member_ids: Vec<String> =
            joined.iter().map(|response| response.member_id.clone()).collect();
        let leader = joined[0].leader.clone();
        member_ids.sort_by_key(|member_id| *member_id != leader);
        let assignments: Vec<(&str, &str)> =
            member_ids.iter().map(|member_id| (member_id.as_str(), member_id.as_str())).collect();
        let leader_sync = self.send(sync_request(&leader, generation_id, &assignments));
        for member_id in &member_ids[1..] {
            let response = self.sync(sync(member_id, generation_id, &[]));
            assert_eq!((response.error_code, &response.assignment[..]), (0, member_id.as_bytes()));
        }
        assert_eq!(self.synced(leader_sync).error_code, 0);
        assert_eq!(self.state_name(), "Stable");
        self.take_records();
        (member_ids, generation_id)
    }
}

/// A JoinGroup, by its differences from a usual one.
#[derive(Clone)]
struct Join {
    group_id: &'static str,
    member_id: String,
    instance_id: Option<&'static str>,
    client_id: String,
    protocol_type: &'static str,
    protocols: Vec<(&'static str, Vec<u8>)>,
    session_timeout_ms: i32,
    rebalance_timeout_ms: i32,
    api_version: i16,
}

impl Join {
    fn client(client_id: &str) -> Join {
        Join {
            group_id: GROUP,
            member_id: String::new(),
            instance_id: None,
            client_id: client_id.into(),
            protocol_type: "consumer",
            protocols: vec![("range", subscription(&["t"]))],
            session_timeout_ms: SESSION_TIMEOUT_MS,
            rebalance_timeout_ms: REBALANCE_TIMEOUT_MS,
            api_version: 9,
        }
    }

    fn member(member_id: &str) -> Join {
        Join { member_id: member_id.into(), ..Join::client("c") }
    }

    fn instance(instance_id: &'static str) -> Join {
        Join { instance_id: Some(instance_id), ..Join::client("c") }
    }

    fn into_request(self, random: u128) -> Request {
        let protocols = self.protocols.into_iter().map(|(name, metadata)| {
            JoinGroupRequestProtocol { name: name.into(), metadata: metadata.into() }
        });
        let request = JoinGroupRequest {
            group_id: self.group_id.into(),
            session_timeout_ms: self.session_timeout_ms,
            rebalance_timeout_ms: self.rebalance_timeout_ms,
            member_id: self.member_id,
            group_instance_id: self.instance_id.map(str::to_owned),
            protocol_type: self.protocol_type.into(),
            protocols: protocols.collect(),
            reason: None,
        };
        let client =
            ClientContext { client_id: self.client_id, client_host: "/127.0.0.1".into(), random };
        Request::JoinGroup { request, client, api_version: self.api_version }
    }
}

/// An OffsetCommit of one partition, by its differences from that of a consumer that manages
/// itself.
#[derive(Clone)]
struct Commit {
    group_id: &'static str,
    member_id: String,
    instance_id: Option<&'static str>,
    generation_id: i32,
    topic: &'static str,
    partition: i32,
    offset: i64,
    metadata: Option<String>,
    retention_time_ms: i64,
    api_version: i16,
}

impl Commit {
    fn offset(offset: i64) -> Commit {
        Commit {
            group_id: GROUP,
            member_id: String::new(),
            instance_id: None,
            generation_id: -1,
            topic: "t",
            partition: 0,
            offset,
            metadata: Some("m".into()),
            retention_time_ms: -1,
            api_version: 9,
        }
    }

    fn by(member_id: &str, generation_id: i32, offset: i64) -> Commit {
        Commit { member_id: member_id.into(), generation_id, ..Commit::offset(offset) }
    }

    fn into_request(self) -> OffsetCommitRequest {
        let partition = OffsetCommitRequestPartition {
            partition_index: self.partition,
            committed_offset: self.offset,
            committed_leader_epoch: 5,
            committed_metadata: self.metadata,
        };
        let topic = OffsetCommitRequestTopic {
            name: self.topic.into(),
            partitions: vec![partition],
            ..Default::default()
        };
        OffsetCommitRequest {
            group_id: self.group_id.into(),
            generation_id_or_member_epoch: self.generation_id,
            member_id: self.member_id,
            group_instance_id: self.instance_id.map(str::to_owned),
            retention_time_ms: self.retention_time_ms,
            topics: vec![topic],
        }
    }
}

impl Commit {
    /// In a transaction of this producer.
    fn into_transaction(self, producer_id: i64) -> Request {
        let partition = TxnOffsetCommitRequestPartition {
            partition_index: self.partition,
            committed_offset: self.offset,
            committed_leader_epoch: 5,
            committed_metadata: self.metadata,
        };
        let topic = TxnOffsetCommitRequestTopic {
            name: self.topic.into(),
            partitions: vec![partition],
            ..Default::default()
        };
        let request = TxnOffsetCommitRequest {
            transactional_id: format!("id of {producer_id}"),
            group_id: self.group_id.into(),
            producer_id,
            producer_epoch: 0,
            generation_id_or_member_epoch: self.generation_id,
            member_id: self.member_id,
            group_instance_id: self.instance_id.map(str::to_owned),
            topics: vec![topic],
        };
        Request::TxnOffsetCommit { request, api_version: self.api_version.min(5) }
    }
}

/// Every answer must be one that the version of its request can carry.
fn assert_encodable(request: &Request, response: &Response) {
    fn encode<M: Message>(message: &M, version: Option<i16>) {
        let versions = version.map_or(M::MIN_VERSION..=M::MAX_VERSION, |version| version..=version);
        for version in versions {
            message.encode(&mut BytesMut::new(), version).expect("the answer fits its version");
        }
    }
    match (request, response) {
        (Request::JoinGroup { api_version, .. }, Response::JoinGroup(response)) => {
            encode(response, Some(*api_version))
        }
        (Request::SyncGroup { api_version, .. }, Response::SyncGroup(response)) => {
            encode(response, Some(*api_version))
        }
        (Request::Heartbeat(_), Response::Heartbeat(response)) => encode(response, None),
        (Request::LeaveGroup { api_version, .. }, Response::LeaveGroup(response)) => {
            encode(response, Some(*api_version))
        }
        (Request::OffsetCommit { .. }, Response::OffsetCommit(response)) => encode(response, None),
        (Request::TxnOffsetCommit { api_version, .. }, Response::TxnOffsetCommit(response)) => {
            encode(response, Some(*api_version))
        }
        (Request::OffsetFetch { .. }, Response::OffsetFetch(group)) => {
            let response =
                OffsetFetchResponse { groups: vec![group.clone()], ..Default::default() };
            encode(&response, Some(8));
        }
        (Request::OffsetDelete(_), Response::OffsetDelete(response)) => encode(response, None),
        (Request::DescribeGroup { api_version, .. }, Response::DescribeGroup(group)) => {
            let response =
                DescribeGroupsResponse { groups: vec![group.clone()], ..Default::default() };
            encode(&response, Some(*api_version));
        }
        (Request::DeleteGroup { .. }, Response::DeleteGroup(result)) => {
            encode(
                &DeleteGroupsResponse { results: vec![result.clone()], ..Default::default() },
                None,
            );
        }
        (Request::ListGroups(_), Response::ListGroups(response)) => encode(response, None),
        (request, response) => panic!("{response:?} answers {request:?}"),
    }
}

fn sync(member_id: &str, generation_id: i32, assignments: &[(&str, &str)]) -> SyncGroupRequest {
    let assignments =
        assignments.iter().map(|(member_id, assignment)| SyncGroupRequestAssignment {
            member_id: (*member_id).into(),
            assignment: Bytes::copy_from_slice(assignment.as_bytes()),
        });
    SyncGroupRequest {
        group_id: GROUP.into(),
        generation_id,
        member_id: member_id.into(),
        assignments: assignments.collect(),
        ..Default::default()
    }
}

fn sync_request(member_id: &str, generation_id: i32, assignments: &[(&str, &str)]) -> Request {
    Request::SyncGroup { request: sync(member_id, generation_id, assignments), api_version: 4 }
}

/// A consumer's metadata: version 0, topics, no user data.
fn subscription(topics: &[&str]) -> Vec<u8> {
    let mut bytes = vec![0, 0];
    bytes.extend((topics.len() as i32).to_be_bytes());
    for topic in topics {
        bytes.extend((topic.len() as i16).to_be_bytes());
        bytes.extend(topic.as_bytes());
    }
    bytes.extend((-1i32).to_be_bytes());
    bytes
}

fn error(code: i16) -> ErrorCode {
    ErrorCode::from_code(code).expect("a code of this release")
}

fn group_value(record: &CoordinatorRecord) -> Option<GroupMetadataValue> {
    let key = Key::decode(&record.key).expect("a key that Kafka knows");
    assert_eq!(key.record_type(), 2, "{key:?}");
    match Value::decode(2, record.value.as_ref()?).expect("a value that Kafka knows") {
        Value::GroupMetadata(value) => Some(value),
        other => panic!("{other:?}"),
    }
}
