//! Random clients against one group, and producers that commit offsets of it in transactions, with
//! commits held back, coordinators that fail, and logs that lose their uncommitted end.
//!
//! Invariants, checked on what clients are told: members of one generation work by one assignment;
//! offsets that were acknowledged stay until newer ones take their place; those of a transaction
//! count from its marker on, and never if it is aborted; every request is answered once, in the
//! end; what the log says is what the state says.

use std::collections::BTreeSet;

use proptest::prelude::*;
use protocol::records::batches;

use super::*;
use crate::coord::groups::classic::GroupState;
use crate::coord::offsets::store::{CommittedOffset, PartitionKey};

const CLIENTS: usize = 5;
const PARTITIONS: i32 = 3;
const PRODUCERS: usize = 2;
/// Longer than any timeout of the model: sessions, rebalances, joins of new members.
const SETTLING_MS: i64 = 20 * 60_000;

#[derive(Clone, Debug)]
enum Step {
    Join {
        client: usize,
        old: bool,
        other_metadata: bool,
        hasty: bool,
    },
    Sync {
        client: usize,
    },
    Heartbeat {
        client: usize,
    },
    Leave {
        client: usize,
    },
    Commit {
        client: usize,
        partition: i32,
    },
    /// In a transaction, for the client or for no member in particular.
    TxnCommit {
        producer: usize,
        client: Option<usize>,
        partition: i32,
    },
    EndTxn {
        producer: usize,
        committed: bool,
    },
    Fetch {
        partition: i32,
    },
    Advance {
        duration_ms: i64,
    },
    HoldCommits,
    ReleaseCommits,
    /// The host loses the coordinator; with `truncate` the uncommitted end of the log as well.
    Reload {
        truncate: bool,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let client = 0..CLIENTS;
    prop_oneof![
        6 => (client.clone(), any::<bool>(), prop::bool::weighted(0.1), prop::bool::weighted(0.1))
            .prop_map(|(client, old, other_metadata, hasty)| Step::Join { client, old,
                other_metadata, hasty }),
        8 => client.clone().prop_map(|client| Step::Sync { client }),
        4 => client.clone().prop_map(|client| Step::Heartbeat { client }),
        1 => client.clone().prop_map(|client| Step::Leave { client }),
        5 => (client.clone(), 0..PARTITIONS).prop_map(|(client, partition)| Step::Commit { client,
            partition }),
        4 => (0..PRODUCERS, prop::option::of(client), 0..PARTITIONS)
            .prop_map(|(producer, client, partition)| Step::TxnCommit { producer, client,
                partition }),
        3 => (0..PRODUCERS, prop::bool::weighted(0.7))
            .prop_map(|(producer, committed)| Step::EndTxn { producer, committed }),
        3 => (0..PARTITIONS).prop_map(|partition| Step::Fetch { partition }),
        5 => prop_oneof![0i64..4_000, 4_000i64..70_000]
            .prop_map(|duration_ms| Step::Advance { duration_ms }),
        1 => Just(Step::HoldCommits),
        2 => Just(Step::ReleaseCommits),
        1 => any::<bool>().prop_map(|truncate| Step::Reload { truncate }),
    ]
}

/// What a client knows. Clients with an odd number are static members.
#[derive(Clone, Debug, Default)]
struct Client {
    member_id: String,
    generation_id: i32,
    leader: bool,
    members: Vec<String>,
}

/// What a producer has sent in its transaction.
#[derive(Clone, Debug, Default)]
struct Transaction {
    /// Partition, offset, and whether it was acknowledged.
    sent: Vec<(i32, i64, bool)>,
    /// How it ends.
    decided: Option<bool>,
    /// The marker is in the log, though it may be lost with its end.
    marked: bool,
}

#[derive(Clone, Debug)]
enum Asked {
    Join(usize),
    Sync { generation_id: i32 },
    Heartbeat(usize),
    Leave(usize),
    Commit { partition: i32, offset: i64 },
    TxnCommit { producer: usize, offset: i64 },
    Fetch { partition: i32 },
}

struct Model {
    host: Host,
    clients: Vec<Client>,
    asked: BTreeMap<ReplyToken, Asked>,
    /// Generation → the one assignment that members have seen of it.
    seen: BTreeMap<i32, Bytes>,
    acknowledged: BTreeMap<i32, i64>,
    /// Commits without an answer, or with one that leaves open what became of them.
    open: BTreeMap<i32, BTreeSet<i64>>,
    transactions: [Transaction; PRODUCERS],
    next_offset: i64,
}

impl Model {
    fn new() -> Model {
        // No clean-up, which would make the group, and its generations, start over.
        let settings =
            GroupSettings { retention_check_interval_ms: i64::MAX / 4, ..GroupSettings::default() };
        Model {
            host: Host::with(settings),
            clients: vec![Client { generation_id: -1, ..Client::default() }; CLIENTS],
            asked: BTreeMap::new(),
            seen: BTreeMap::new(),
            acknowledged: BTreeMap::new(),
            open: BTreeMap::new(),
            transactions: Default::default(),
            next_offset: 0,
        }
    }

    fn producer_id(producer: usize) -> i64 {
        100 + producer as i64
    }

    fn instance_id(client: usize) -> Option<&'static str> {
        (client % 2 == 1).then(|| ["", "i1", "", "i3", ""][client])
    }

    fn run(&mut self, step: Step) {
        match step {
            Step::Join { client, old, other_metadata, hasty } => {
                let topics: &[&str] = if other_metadata { &["t", "u"] } else { &["t"] };
                let join = Join {
                    member_id: self.clients[client].member_id.clone(),
                    instance_id: Self::instance_id(client),
                    api_version: if old { 3 } else { 9 },
                    rebalance_timeout_ms: if hasty { 0 } else { REBALANCE_TIMEOUT_MS },
                    protocols: vec![("range", subscription(topics)), ("sticky", vec![])],
                    ..Join::client("c")
                };
                let token = self.host.send_join(join);
                self.asked.insert(token, Asked::Join(client));
            }
            Step::Sync { client } => self.sync(client),
            Step::Heartbeat { client } => {
                let known = &self.clients[client];
                let request = HeartbeatRequest {
                    group_id: GROUP.into(),
                    generation_id: known.generation_id,
                    member_id: known.member_id.clone(),
                    group_instance_id: Self::instance_id(client).map(str::to_owned),
                };
                self.send(Request::Heartbeat(request), Asked::Heartbeat(client));
            }
            Step::Leave { client } => {
                let member = MemberIdentity {
                    member_id: self.clients[client].member_id.clone(),
                    group_instance_id: Self::instance_id(client).map(str::to_owned),
                    reason: None,
                };
                let request = LeaveGroupRequest {
                    group_id: GROUP.into(),
                    members: vec![member],
                    ..Default::default()
                };
                self.send(Request::LeaveGroup { request, api_version: 5 }, Asked::Leave(client));
            }
            Step::Commit { client, partition } => self.commit(client, partition),
            Step::TxnCommit { producer, client, partition } => {
                self.commit_in_transaction(producer, client, partition);
            }
            Step::EndTxn { producer, committed } => self.end_transaction(producer, committed),
            Step::Fetch { partition } => self.fetch(partition),
            Step::Advance { duration_ms } => self.host.advance(duration_ms),
            Step::HoldCommits => self.host.hold_commits = true,
            Step::ReleaseCommits => {
                self.host.hold_commits = false;
                self.host.commit();
            }
            Step::Reload { truncate } => self.reload(truncate),
        }
        self.hear();
        if !self.host.hold_commits {
            self.markers_are_committed();
        }
    }

    fn send(&mut self, request: Request, asked: Asked) {
        let token = self.host.send(request);
        self.asked.insert(token, asked);
    }

    fn fetch(&mut self, partition: i32) {
        let topic = OffsetFetchRequestTopics {
            name: "t".into(),
            partition_indexes: vec![partition],
            ..Default::default()
        };
        let group = OffsetFetchRequestGroup {
            group_id: GROUP.into(),
            topics: Some(vec![topic]),
            ..Default::default()
        };
        let request = Request::OffsetFetch { group, require_stable: true };
        self.send(request, Asked::Fetch { partition });
    }

    /// The leader's assignment is the same for every member and says which member made it when.
    fn sync(&mut self, client: usize) {
        let known = self.clients[client].clone();
        let assignment =
            format!("{} {} {}", known.generation_id, known.member_id, self.host.next_token);
        let assigned: Vec<(&str, &str)> = known
            .members
            .iter()
            .map(|member_id| (member_id.as_str(), assignment.as_str()))
            .collect();
        let assigned = if known.leader { assigned } else { Vec::new() };
        let mut request = sync(&known.member_id, known.generation_id, &assigned);
        request.group_instance_id = Self::instance_id(client).map(str::to_owned);
        let request = Request::SyncGroup { request, api_version: 3 };
        self.send(request, Asked::Sync { generation_id: known.generation_id });
    }

    fn commit(&mut self, client: usize, partition: i32) {
        let known = &self.clients[client];
        let offset = self.next_offset;
        self.next_offset += 1;
        let commit = Commit {
            partition,
            instance_id: Self::instance_id(client),
            ..Commit::by(&known.member_id, known.generation_id, offset)
        };
        self.open.entry(partition).or_default().insert(offset);
        let request = Request::OffsetCommit { request: commit.into_request(), api_version: 9 };
        self.send(request, Asked::Commit { partition, offset });
    }

    fn commit_in_transaction(&mut self, producer: usize, client: Option<usize>, partition: i32) {
        let transaction = &mut self.transactions[producer];
        if transaction.decided.is_some() {
            return;
        }
        let offset = self.next_offset;
        self.next_offset += 1;
        transaction.sent.push((partition, offset, false));
        let commit = match client {
            Some(client) => {
                let known = &self.clients[client];
                Commit {
                    instance_id: Self::instance_id(client),
                    ..Commit::by(&known.member_id, known.generation_id, offset)
                }
            }
            None => Commit::offset(offset),
        };
        let request = Commit { partition, ..commit }.into_transaction(Self::producer_id(producer));
        self.send(request, Asked::TxnCommit { producer, offset });
    }

    /// A coordinator of transactions writes the same marker again when it has lost it.
    fn end_transaction(&mut self, producer: usize, committed: bool) {
        let transaction = &mut self.transactions[producer];
        let committed = *transaction.decided.get_or_insert(committed);
        transaction.marked = true;
        for (partition, offset, _) in transaction.sent.iter().filter(|_| committed) {
            self.open.entry(*partition).or_default().insert(*offset);
        }
        self.host.end_transaction(Self::producer_id(producer), committed);
        self.check_against_log();
    }

    /// What was acknowledged in transactions that are committed for good is to be found from now
    /// on.
    fn markers_are_committed(&mut self) {
        for transaction in self.transactions.iter_mut().filter(|transaction| transaction.marked) {
            let Transaction { sent, decided, .. } = std::mem::take(transaction);
            for (partition, offset, acknowledged) in sent {
                let newest = self.acknowledged.entry(partition).or_insert(-1);
                if decided == Some(true) && acknowledged && offset > *newest {
                    *newest = offset;
                    self.open.entry(partition).or_default().retain(|open| *open > offset);
                }
            }
        }
    }

    /// Reads the log in the plainest way. Offsets rise from record to record, so the largest of a
    /// partition is the last.
    fn check_against_log(&self) {
        let (mut committed, mut pending) = (BTreeMap::new(), BTreeMap::new());
        for bytes in &self.host.log {
            let batch = batches(bytes).next().unwrap().unwrap();
            let producer_id = batch.producer_id();
            for record in batch.records().unwrap() {
                let record = record.unwrap();
                if let Some(marker) = EndTransactionMarker::parse(&record).ok().flatten()
                    && batch.is_control()
                {
                    for partition in 0..PARTITIONS {
                        let ended: Option<i64> = pending.remove(&(producer_id, partition));
                        if let Some(offset) = ended.filter(|_| marker.committed) {
                            let known = committed.entry(partition).or_insert(offset);
                            *known = offset.max(*known);
                        }
                    }
                    continue;
                }
                let Key::OffsetCommit(key) = Key::decode(record.key.unwrap()).unwrap() else {
                    continue;
                };
                let value = record.value.expect("nothing is deleted");
                let Value::OffsetCommit(value) = Value::decode(1, value).unwrap() else { panic!() };
                if batch.is_transactional() {
                    pending.insert((producer_id, key.partition), value.offset);
                } else {
                    committed.insert(key.partition, value.offset);
                }
            }
        }
        let Snapshot { offsets, pending: in_memory, .. } = self.snapshot();
        let offsets: BTreeMap<i32, i64> =
            offsets.into_iter().map(|(key, value)| (key.partition, value.offset)).collect();
        assert_eq!(offsets, committed);
        let in_memory: BTreeMap<(i64, i32), i64> = in_memory
            .into_iter()
            .map(|((producer_id, key), offset)| ((producer_id, key.partition), offset))
            .collect();
        assert_eq!(in_memory, pending);
    }

    fn reload(&mut self, truncate: bool) {
        let before = self.snapshot();
        if truncate {
            if self.host.hold_commits {
                // Their markers are not committed.
                for transaction in &mut self.transactions {
                    transaction.marked = false;
                }
            }
            // What was not committed may be gone. The host of these tests commits all or nothing.
            let committed = self.host.committed_batches;
            self.host.log.truncate(committed);
        }
        self.host.reload();
        let after = self.snapshot();
        let quiet = before.state == GroupState::Stable || before.state == GroupState::Empty;
        self.check_against_log();
        if !truncate {
            assert_eq!((&after.offsets, &after.pending), (&before.offsets, &before.pending));
            if quiet {
                assert_eq!(after, before);
            }
        }
        self.hear();
        self.markers_are_committed();
    }

    /// Offsets rise with every commit, so an offset that is found may be later than the one
    /// acknowledged, never earlier; and an offset found counts as acknowledged from then on.
    fn found(&mut self, partition: i32, found: i64) {
        let acknowledged = self.acknowledged.get(&partition).copied().unwrap_or(-1);
        let open = self.open.entry(partition).or_default();
        assert!(
            found == acknowledged || found > acknowledged && open.contains(&found),
            "partition {partition} is at {found}, acknowledged was {acknowledged}, open are \
             {open:?}"
        );
        open.retain(|offset| *offset > found);
        self.acknowledged.insert(partition, found);
    }

    fn snapshot(&self) -> Snapshot {
        let state = self.host.coordinator.machine();
        let group = state.classic(GROUP);
        Snapshot {
            state: group.map_or(GroupState::Empty, |group| group.state),
            generation_id: group.map_or(0, |group| group.generation_id),
            leader: group.and_then(|group| group.leader.as_deref().map(str::to_owned)),
            protocol_name: group.and_then(|group| group.protocol_name.clone()),
            subscribed: group.and_then(|group| group.subscribed_topics.clone()),
            members: group.map_or_else(Vec::new, |group| {
                let members = group.members.values();
                members
                    .map(|m| {
                        (
                            m.id.to_string(),
                            m.instance_id.clone(),
                            m.session_timeout_ms,
                            m.assignment.clone(),
                        )
                    })
                    .collect()
            }),
            offsets: state.offsets.all(),
            pending: state.offsets.all_pending(),
        }
    }

    /// Takes in the answers, in the order in which they were given.
    fn hear(&mut self) {
        for token in std::mem::take(&mut self.host.order) {
            let (Some(asked), Some(response)) = (self.asked.remove(&token), self.host.reply(token))
            else {
                continue;
            };
            self.understand(asked, response);
        }
    }

    fn understand(&mut self, asked: Asked, response: Response) {
        match (asked, response) {
            (Asked::Join(client), Response::JoinGroup(response)) => {
                self.understand_join(client, response)
            }
            (Asked::Sync { generation_id }, Response::SyncGroup(response)) => {
                if response.error_code == 0 && !response.assignment.is_empty() {
                    let first =
                        self.seen.entry(generation_id).or_insert(response.assignment.clone());
                    assert_eq!(
                        *first, response.assignment,
                        "two assignments in generation {generation_id}"
                    );
                }
            }
            (Asked::Heartbeat(client), Response::Heartbeat(response)) => {
                let gone = [ErrorCode::UnknownMemberId, ErrorCode::FencedInstanceId];
                if gone.contains(&error(response.error_code)) {
                    self.clients[client] = Client { generation_id: -1, ..Client::default() };
                }
            }
            (Asked::Leave(client), Response::LeaveGroup(response)) => {
                if response.error_code == 0 {
                    self.clients[client] = Client { generation_id: -1, ..Client::default() };
                }
            }
            (Asked::Commit { partition, offset }, Response::OffsetCommit(response)) => {
                match error(response.topics[0].partitions[0].error_code) {
                    ErrorCode::None => self.found(partition, offset),
                    // It may be in the log, or not.
                    ErrorCode::NotCoordinator => return,
                    _ => {}
                }
                self.open.entry(partition).or_default().remove(&offset);
            }
            (Asked::TxnCommit { producer, offset }, Response::TxnOffsetCommit(response)) => {
                let sent = &mut self.transactions[producer].sent;
                match error(response.topics[0].partitions[0].error_code) {
                    ErrorCode::None => {
                        let sent = sent.iter_mut().find(|(_, sent, _)| *sent == offset);
                        sent.expect("no transaction ends before its requests are answered").2 =
                            true;
                    }
                    ErrorCode::NotCoordinator => {}
                    _ => sent.retain(|(_, sent, _)| *sent != offset),
                }
            }
            (Asked::Fetch { partition }, Response::OffsetFetch(response)) => {
                let is_stable = |at: &OffsetFetchResponsePartitions| at.error_code == 0;
                if response.error_code == 0 && is_stable(&response.topics[0].partitions[0]) {
                    self.found(partition, response.topics[0].partitions[0].committed_offset);
                }
            }
            (asked, response) => panic!("{response:?} answers {asked:?}"),
        }
    }

    fn understand_join(&mut self, client: usize, response: JoinGroupResponse) {
        let known = &mut self.clients[client];
        match error(response.error_code) {
            ErrorCode::None => {
                known.leader = response.leader == response.member_id;
                known.members =
                    response.members.into_iter().map(|member| member.member_id).collect();
                known.generation_id = response.generation_id;
                known.member_id = response.member_id;
            }
            ErrorCode::MemberIdRequired => known.member_id = response.member_id,
            ErrorCode::UnknownMemberId | ErrorCode::FencedInstanceId => {
                *known = Client { generation_id: -1, ..Client::default() };
            }
            ErrorCode::RebalanceInProgress
            | ErrorCode::NotCoordinator
            | ErrorCode::IllegalGeneration => {}
            other => panic!("a join failed with {other:?}"),
        }
    }

    /// Clients fall silent; whatever waits must come to its end.
    fn settle(&mut self) {
        self.run(Step::ReleaseCommits);
        self.run(Step::Advance { duration_ms: SETTLING_MS });
        assert!(self.asked.is_empty(), "never answered: {:?}", self.asked);
        for producer in 0..PRODUCERS {
            self.run(Step::EndTxn { producer, committed: true });
        }
        assert!(self.snapshot().pending.is_empty());
        for partition in 0..PARTITIONS {
            self.run(Step::Fetch { partition });
        }
        self.run(Step::Reload { truncate: true });
        let members = &self.snapshot().members;
        assert!(members.is_empty(), "no client was heard of for long, but there are {members:?}");
    }
}

#[derive(Debug, PartialEq)]
struct Snapshot {
    state: GroupState,
    generation_id: i32,
    leader: Option<String>,
    protocol_name: Option<String>,
    subscribed: Option<BTreeSet<String>>,
    members: Vec<(String, Option<String>, i32, Bytes)>,
    offsets: BTreeMap<PartitionKey, CommittedOffset>,
    pending: BTreeMap<(i64, PartitionKey), i64>,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn invariants_hold_whatever_clients_and_hosts_do(steps in
        prop::collection::vec(step(), 1..150)) {
        let mut model = Model::new();
        for step in steps {
            model.run(step);
        }
        model.settle();
    }
}

/// Random steps seldom make five clients agree; these are clients that do what clients do, and
/// still crash now and then.
#[test]
fn diligent_clients_reach_a_stable_group() {
    let mut model = Model::new();
    let mut sent_in_transactions = 0;
    for round in 0..40 {
        for client in 0..CLIENTS {
            model.run(Step::Join {
                client,
                old: false,
                other_metadata: round % 7 == 0,
                hasty: false,
            });
            model.run(Step::Join {
                client,
                old: false,
                other_metadata: round % 7 == 0,
                hasty: false,
            });
        }
        model.run(Step::Advance { duration_ms: 2 * INITIAL_DELAY_MS });
        for client in (0..CLIENTS).chain(0..CLIENTS) {
            model.run(Step::Sync { client });
            model.run(Step::Commit { client, partition: client as i32 % PARTITIONS });
            let (producer, partition) = (client % PRODUCERS, round % PARTITIONS);
            model.run(Step::TxnCommit { producer, client: Some(client), partition });
            model.run(Step::Heartbeat { client });
        }
        let in_transactions: usize = model.transactions.iter().map(|open| open.sent.len()).sum();
        sent_in_transactions += in_transactions;
        for producer in 0..PRODUCERS {
            model.run(Step::EndTxn { producer, committed: round % 3 > 0 });
        }
        if round % 5 == 4 {
            model.run(Step::Reload { truncate: round % 2 == 0 });
        }
    }
    assert!(model.seen.len() > 10, "generations with an assignment: {}", model.seen.len());
    assert_eq!(model.acknowledged.len(), PARTITIONS as usize);
    assert!(sent_in_transactions > 50, "taken in transactions: {sent_in_transactions}");
    model.settle();
}
