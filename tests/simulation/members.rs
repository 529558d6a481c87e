//! Members of a classic group: they join, the leader shares the partitions out, each commits for
//! its own.

use crate::{
    client::{Client, Lost},
    cluster::ClusterId,
    commits,
    model::{Invariant, Violation},
    run::Run,
};
use bytes::Bytes;
use protocol::{
    ErrorCode, Request,
    generated::rpc::{
        join_group_request::JoinGroupRequestProtocol,
        sync_group_request::SyncGroupRequestAssignment,
    },
    messages::*,
};
use ring::Ring;
use rustc_hash::FxHashMap;
use std::{collections::BTreeMap, rc::Rc};

const GROUP: &str = "members";
const PROTOCOL: &str = "shared-out";
const SESSION_TIMEOUT_MS: i32 = 3_000;
const REBALANCE_TIMEOUT_MS: i32 = 2_000;
/// Commits after which a member leaves and comes back, or is done.
const COMMITS: usize = 25;

/// What was acknowledged to the members of each generation.
#[derive(Default)]
pub struct Generations {
    /// By cluster, the number of a generation, and what the power cuts that may have taken it are
    /// told by: the leader's mark, and which member owns which partition.
    acknowledged: FxHashMap<(ClusterId, u32, i32), (u64, BTreeMap<String, String>)>,
}

impl Generations {
    /// A member has been given `assignment` (see [`assignment`]) in this generation.
    fn assigned(
        &mut self,
        (cluster, certain_from, generation): (ClusterId, u32, i32),
        member: &str,
        assignment: &str,
    ) -> Result<(), Violation> {
        let bad = |detail: String| {
            Err(Violation {
                invariant: Invariant::GenerationsKept,
                detail: format!("{cluster:?}, generation {generation}: {detail}"),
            })
        };
        let mut parts = assignment.split(',');
        let Some(mark) = parts.next().and_then(|mark| mark.parse::<u64>().ok()) else {
            return bad(format!("{member} was assigned {assignment:?}, which no leader wrote"));
        };
        let known = self
            .acknowledged
            .entry((cluster, certain_from, generation))
            .or_insert((mark, BTreeMap::new()));
        if known.0 != mark {
            return bad("two leaders have shared it out".to_owned());
        }
        for partition in parts {
            let owner = known.1.entry(partition.to_owned()).or_insert_with(|| member.to_owned());
            if owner != member {
                return bad(format!("{partition} belongs to {owner} and {member}"));
            }
        }
        Ok(())
    }
}

/// The mark of the leader's round, then the partitions as TOPIC:INDEX.
fn assignment(mark: u64, partitions: &[(String, i32)]) -> Bytes {
    let mut text = mark.to_string();
    for (topic, index) in partitions {
        text.push_str(&format!(",{topic}:{index}"));
    }
    text.into()
}

struct Member {
    client: Client,
    id: String,
    generation: i32,
    owned: Vec<(String, i32)>,
    commits_left: usize,
}

pub async fn work(run: Rc<Run>, ring: Ring, cluster: ClusterId, index: usize) {
    let client = Client::new(&run, &ring, cluster, format!("member {index}"));
    let mut member =
        Member { client, id: String::new(), generation: -1, owned: vec![], commits_left: COMMITS };
    while !(run.is_over() || run.is_calm() && member.commits_left == 0) {
        if commits::base_partitions(&run, cluster).is_empty() {
            if run.is_calm() {
                return;
            }
        } else if member.generation < 0 {
            let _ = member.join().await;
        } else {
            let _ = member.live().await;
        }
        member.client.pause().await;
    }
    let _ = member.leave().await;
}

impl Member {
    /// Takes an error in; `true` where there is none.
    async fn succeeded(&mut self, what: &str, error_code: i16) -> Result<bool, Lost> {
        let error = ErrorCode::from_code(error_code);
        self.client.note(|| format!("{what} in generation {}: {error:?}", self.generation));
        match error {
            Some(ErrorCode::None) => return Ok(true),
            Some(ErrorCode::UnknownMemberId) => {
                self.id.clear();
                self.generation = -1;
            }
            Some(ErrorCode::IllegalGeneration | ErrorCode::RebalanceInProgress) => {
                self.generation = -1
            }
            // Gone with what durability=os has lost.
            Some(ErrorCode::GroupIdNotFound)
                if self.client.run.model.borrow().certain_from(self.client.cluster) > 0 =>
            {
                self.generation = -1;
            }
            Some(
                ErrorCode::NotCoordinator
                | ErrorCode::CoordinatorNotAvailable
                | ErrorCode::CoordinatorLoadInProgress,
            ) => {
                commits::find_coordinator(&mut self.client, GROUP).await?;
            }
            // Of a commit, which has judged it.
            Some(ErrorCode::UnknownTopicOrPartition) if what == "commit" => {}
            error => {
                self.client.run.violate(Invariant::AnswersExplained, format!("{what}: {error:?}"))
            }
        }
        Ok(false)
    }

    async fn call<Q: Request>(&mut self, version: i16, request: &Q) -> Result<Q::Response, Lost> {
        let coordinator = self.client.coordinator_of(GROUP).await?;
        self.client.call_at(coordinator, version, request).await
    }

    async fn join(&mut self) -> Result<(), Lost> {
        let run = self.client.run.clone();
        let protocols = vec![JoinGroupRequestProtocol {
            name: PROTOCOL.to_owned(),
            metadata: Bytes::from_static(b"all"),
        }];
        let request = JoinGroupRequest {
            group_id: GROUP.to_owned(),
            session_timeout_ms: SESSION_TIMEOUT_MS,
            rebalance_timeout_ms: REBALANCE_TIMEOUT_MS,
            member_id: self.id.clone(),
            protocol_type: "consumer".to_owned(),
            protocols,
            ..Default::default()
        };
        let joined = self.call(7, &request).await?;
        if joined.error_code == ErrorCode::MemberIdRequired.code() {
            self.id = joined.member_id;
            return Ok(());
        }
        if !self.succeeded("join", joined.error_code).await? {
            return Ok(());
        }
        self.id = joined.member_id;
        let generation = joined.generation_id;
        let mut assignments = Vec::new();
        if joined.leader == self.id {
            let partitions = commits::base_partitions(&run, self.client.cluster);
            let mark = self.client.ring.random_u64();
            for (at, member) in joined.members.iter().enumerate() {
                let share: Vec<_> =
                    partitions.iter().skip(at).step_by(joined.members.len()).cloned().collect();
                assignments.push(SyncGroupRequestAssignment {
                    member_id: member.member_id.clone(),
                    assignment: assignment(mark, &share),
                });
            }
        }
        let request = SyncGroupRequest {
            group_id: GROUP.to_owned(),
            generation_id: generation,
            member_id: self.id.clone(),
            protocol_type: Some("consumer".to_owned()),
            protocol_name: Some(PROTOCOL.to_owned()),
            assignments,
            ..Default::default()
        };
        let cluster = self.client.cluster;
        let certain_from = run.model.borrow().certain_from(cluster);
        let synced = self.call(5, &request).await?;
        if self.succeeded("sync", synced.error_code).await? {
            let text = String::from_utf8_lossy(&synced.assignment).into_owned();
            run.check(run.generations.borrow_mut().assigned(
                (cluster, certain_from, generation),
                &self.id,
                &text,
            ));
            self.generation = generation;
            let parse = |part: &str| {
                part.split_once(':')
                    .and_then(|(topic, index)| Some((topic.to_owned(), index.parse().ok()?)))
            };
            self.owned = text.split(',').skip(1).filter_map(parse).collect();
        }
        Ok(())
    }

    /// One heartbeat or one commit.
    async fn live(&mut self) -> Result<(), Lost> {
        if self.client.one_in(40) {
            return self.leave().await;
        }
        if self.owned.is_empty() || self.client.one_in(2) {
            if self.owned.is_empty() {
                self.commits_left = self.commits_left.saturating_sub(1);
            }
            let request = HeartbeatRequest {
                group_id: GROUP.to_owned(),
                generation_id: self.generation,
                member_id: self.id.clone(),
                ..Default::default()
            };
            let beat = self.call(4, &request).await?;
            self.succeeded("heartbeat", beat.error_code).await?;
            return Ok(());
        }
        self.commits_left = self.commits_left.saturating_sub(1);
        let at = self.client.below(self.owned.len());
        let partitions = self.owned[at..=at].to_vec();
        let who = (self.generation, self.id.clone());
        let errors = commits::commit(&mut self.client, GROUP, (who.0, &who.1), &partitions).await?;
        for error in errors {
            self.succeeded("commit", error.code()).await?;
        }
        Ok(())
    }

    async fn leave(&mut self) -> Result<(), Lost> {
        let request = LeaveGroupRequest {
            group_id: GROUP.to_owned(),
            member_id: self.id.clone(),
            ..Default::default()
        };
        self.id.clear();
        self.generation = -1;
        self.call(2, &request).await.map(drop)
    }
}
