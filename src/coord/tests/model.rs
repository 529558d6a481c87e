//! Random clients against one group, with commits held back, coordinators that fail, and logs that
//! lose their uncommitted end.
//!
//! Invariants, checked on what clients are told: members of one generation work by one assignment;
//! offsets that were acknowledged stay until newer ones take their place; every request is answered
//! once, in the end; what the log says is what the state says.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::coord::groups::classic::GroupState;
use crate::coord::offsets::store::{CommittedOffset, PartitionKey};

const CLIENTS: usize = 5;
const PARTITIONS: i32 = 3;
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
        5 => (client, 0..PARTITIONS).prop_map(|(client, partition)| Step::Commit { client,
            partition }),
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

#[derive(Clone, Debug)]
enum Asked {
    Join(usize),
    Sync { generation_id: i32 },
    Heartbeat(usize),
    Leave(usize),
    Commit { partition: i32, offset: i64 },
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
            next_offset: 0,
        }
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
            Step::Fetch { partition } => {
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
                self.send(
                    Request::OffsetFetch { group, require_stable: true },
                    Asked::Fetch { partition },
                );
            }
            Step::Advance { duration_ms } => self.host.advance(duration_ms),
            Step::HoldCommits => self.host.hold_commits = true,
            Step::ReleaseCommits => {
                self.host.hold_commits = false;
                self.host.commit();
            }
            Step::Reload { truncate } => self.reload(truncate),
        }
        self.hear();
    }

    fn send(&mut self, request: Request, asked: Asked) {
        let token = self.host.send(request);
        self.asked.insert(token, asked);
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

    fn reload(&mut self, truncate: bool) {
        let before = self.snapshot();
        if truncate {
            // What was not committed may be gone. The host of these tests commits all or nothing.
            let committed = self.host.committed_batches;
            self.host.log.truncate(committed);
        }
        self.host.reload();
        let after = self.snapshot();
        let quiet = before.state == GroupState::Stable || before.state == GroupState::Empty;
        if !truncate {
            assert_eq!(after.offsets, before.offsets);
            if quiet {
                assert_eq!(after, before);
            }
        }
        self.hear();
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
            (Asked::Fetch { partition }, Response::OffsetFetch(response)) => {
                if response.error_code == 0 {
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
            model.run(Step::Heartbeat { client });
        }
        if round % 5 == 4 {
            model.run(Step::Reload { truncate: round % 2 == 0 });
        }
    }
    assert!(model.seen.len() > 10, "generations with an assignment: {}", model.seen.len());
    assert_eq!(model.acknowledged.len(), PARTITIONS as usize);
    model.settle();
}
