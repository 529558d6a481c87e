//! FindCoordinator v0-6, JoinGroup v0-9, SyncGroup v0-5, Heartbeat v0-4, LeaveGroup v0-5,
//! DescribeGroups v0-6, ListGroups v0-5, DeleteGroups v0-3: classic consumer groups.
//!
//! Each is a call to the core that hosts the group's coordinator (see `shard/coordinators`);
//! requests that name several groups ask each group's core.
//!
//! FindCoordinator finds those of transactions too.
//!
//! Not done: coordinators of share groups (FindCoordinator key type 2), the consumer protocol of
//! KIP-848.

use super::{controller, route_of, transactions};
use crate::{
    coord::{
        fanout,
        groups::{
            Groups,
            request::{ClientContext, Request, Response},
        },
        transactions::Transactions,
    },
    limits,
    meta::controller::cut_message,
    pace::TurnBudget,
    request::RequestContext,
    shard::{
        Shard,
        coordinators::{self, groups::OFFSETS_TOPIC, transactions::TRANSACTIONS_TOPIC},
    },
};
use protocol::{
    ErrorCode,
    generated::rpc::{
        create_topics_request::{CreatableTopic, CreatableTopicConfig},
        describe_groups_response::{DescribedGroup, DescribedGroupMember},
        find_coordinator_response::Coordinator,
    },
    messages::*,
};
use rustc_hash::FxHashSet;

const KEY_TYPE_GROUP: i8 = 0;
const KEY_TYPE_TRANSACTION: i8 = 1;
/// From this version on FindCoordinator asks for several keys at once (KIP-699).
const FIND_COORDINATORS_FROM: i16 = 4;

/// Asks the coordinator of `group_id`, wherever it lives.
pub async fn ask(shard: &Shard, group_id: &str, request: Request) -> Response {
    let failed = request.failed(ErrorCode::CoordinatorNotAvailable);
    let found = coordinators::locate::<Groups>(shard, group_id);
    let Some((core, index)) = found.and_then(|found| Some((found.core?, found.index))) else {
        return request.failed(ErrorCode::NotCoordinator);
    };
    coordinators::ask::<Groups>(shard, core, index, request).await.unwrap_or(failed)
}

/// Calls the coordinator of one group and takes the response of the same kind.
macro_rules! ask_for {
    ($kind:ident, $shard:expr, $group_id:expr, $request:expr) => {
        match ask($shard, $group_id, $request).await {
            Response::$kind(response) => response,
            other => unreachable!("a coordinator answered with {other:?}"),
        }
    };
}
pub(super) use ask_for;

pub async fn find_coordinator(
    shard: &Shard,
    context: &RequestContext<'_>,
    request: FindCoordinatorRequest,
) -> FindCoordinatorResponse {
    let is_single = context.ids.api_version < FIND_COORDINATORS_FROM;
    let keys = if is_single { vec![request.key.clone()] } else { request.coordinator_keys };
    // Once for all keys: they share it, and where it cannot be made, so it is with each of them.
    let is_missing = |topic| !keys.is_empty() && route_of(shard, topic).is_none();
    match request.key_type {
        KEY_TYPE_GROUP if is_missing(OFFSETS_TOPIC) => create_offsets_topic(shard).await,
        KEY_TYPE_TRANSACTION if is_missing(TRANSACTIONS_TOPIC) => {
            transactions::create_topic(shard).await
        }
        _ => {}
    }
    let mut found = Vec::with_capacity(keys.len());
    let mut budget = TurnBudget::of_items(&shard.ring);
    for key in keys {
        budget.item_done().await;
        found.push(match coordinator(shard, context, request.key_type, &key) {
            Ok((node_id, host, port)) => {
                Coordinator { key, node_id, host, port, error_code: 0, ..Default::default() }
            }
            Err((error, message)) => Coordinator {
                key,
                node_id: -1,
                port: -1,
                error_code: error.code(),
                error_message: Some(message),
                ..Default::default()
            },
        });
    }
    if !is_single {
        return FindCoordinatorResponse { coordinators: found, ..Default::default() };
    }
    let Some(found) = found.pop() else { return FindCoordinatorResponse::default() };
    FindCoordinatorResponse {
        error_code: found.error_code,
        error_message: found.error_message,
        node_id: found.node_id,
        host: found.host,
        port: found.port,
        ..Default::default()
    }
}

fn coordinator(
    shard: &Shard,
    context: &RequestContext<'_>,
    key_type: i8,
    key: &str,
) -> Result<(i32, String, i32), (ErrorCode, String)> {
    let found = match key_type {
        KEY_TYPE_GROUP => coordinators::locate::<Groups>(shard, key),
        KEY_TYPE_TRANSACTION => coordinators::locate::<Transactions>(shard, key),
        _ => {
            // Named as what it is by the clients; a wait would never end.
            let message = "share groups are not served yet".to_owned();
            return Err((ErrorCode::InvalidRequest, message));
        }
    };
    let leader = found.and_then(|found| found.leader);
    let leader = leader.ok_or_else(|| {
        let error = ErrorCode::CoordinatorNotAvailable;
        (error, error.message().to_owned())
    })?;
    let image = shard.control.image();
    let broker = image.broker(leader);
    let endpoint = broker.and_then(|broker| broker.endpoint(shard.listener_name(context.client)));
    let endpoint = endpoint.ok_or_else(|| {
        let message = format!(
            "the coordinator is not reachable by listener {}",
            shard.listener_name(context.client)
        );
        (ErrorCode::CoordinatorNotAvailable, message)
    })?;
    Ok((leader, endpoint.host.clone(), i32::from(endpoint.port)))
}

/// `__consumer_offsets` comes into being when the first group asks for its coordinator, as Apache
/// Kafka's does.
pub(super) async fn create_offsets_topic(shard: &Shard) {
    let offsets = &shard.config.offsets;
    let config = |name: &str, value: &str| CreatableTopicConfig {
        name: name.to_owned(),
        value: Some(value.to_owned()),
    };
    let topic = CreatableTopic {
        name: OFFSETS_TOPIC.to_owned(),
        num_partitions: offsets.topic_num_partitions,
        replication_factor: offsets.topic_replication_factor as i16,
        configs: vec![
            config("cleanup.policy", "compact"),
            config("compression.type", "producer"),
            config("segment.bytes", &offsets.topic_segment_bytes.to_string()),
        ],
        ..Default::default()
    };
    controller::create(shard, CreateTopicsRequest { topics: vec![topic], ..Default::default() })
        .await;
}

pub async fn join(
    shard: &Shard,
    context: &RequestContext<'_>,
    request: JoinGroupRequest,
) -> JoinGroupResponse {
    let client = ClientContext {
        client_id: context.client_id.decode().into_owned(),
        client_host: format!("/{}", context.client.peer_addr().ip()),
        random: u128::from(shard.ring.random_u64()) << 64 | u128::from(shard.ring.random_u64()),
    };
    let group_id = request.group_id.clone();
    ask_for!(
        JoinGroup,
        shard,
        &group_id,
        Request::JoinGroup { request, client, api_version: context.ids.api_version }
    )
}

pub async fn sync(
    shard: &Shard,
    context: &RequestContext<'_>,
    request: SyncGroupRequest,
) -> SyncGroupResponse {
    let group_id = request.group_id.clone();
    let request = Request::SyncGroup { request, api_version: context.ids.api_version };
    ask_for!(SyncGroup, shard, &group_id, request)
}

pub async fn heartbeat(shard: &Shard, request: HeartbeatRequest) -> HeartbeatResponse {
    let group_id = request.group_id.clone();
    ask_for!(Heartbeat, shard, &group_id, Request::Heartbeat(request))
}

pub async fn leave(
    shard: &Shard,
    context: &RequestContext<'_>,
    request: LeaveGroupRequest,
) -> LeaveGroupResponse {
    let group_id = request.group_id.clone();
    let request = Request::LeaveGroup { request, api_version: context.ids.api_version };
    ask_for!(LeaveGroup, shard, &group_id, request)
}

/// What a member takes in a response, about.
fn wire_bytes(member: &DescribedGroupMember) -> usize {
    let names = member.member_id.len() + member.client_id.len() + member.client_host.len();
    names + member.member_metadata.len() + member.member_assignment.len()
}

/// A group that is named again is described once; those beyond what one response may take are
/// refused.
pub async fn describe(
    shard: &Shard,
    context: &RequestContext<'_>,
    request: DescribeGroupsRequest,
) -> DescribeGroupsResponse {
    let (mut seen, mut groups, mut members_bytes) = (FxHashSet::default(), Vec::new(), 0);
    let mut budget = TurnBudget::of_items(&shard.ring);
    for group_id in &request.groups {
        budget.item_done().await;
        if !seen.insert(group_id) {
            continue;
        }
        if members_bytes > limits::RESPONSE_MAX_BYTES {
            groups.push(DescribedGroup {
                group_id: group_id.clone(),
                error_code: ErrorCode::PolicyViolation.code(),
                ..Default::default()
            });
            continue;
        }
        let asked = Request::DescribeGroup {
            group_id: group_id.clone(),
            api_version: context.ids.api_version,
        };
        let mut group = ask_for!(DescribeGroup, shard, group_id, asked);
        members_bytes += group.members.iter().map(wire_bytes).sum::<usize>();
        group.error_message = group.error_message.map(cut_message);
        if request.include_authorized_operations && group.error_code == ErrorCode::None.code() {
            group.authorized_operations = GROUP_OPERATIONS;
        }
        groups.push(group);
    }
    DescribeGroupsResponse { groups, ..Default::default() }
}

/// Every operation on a group, as bits by the codes of `AclOperation`: READ 3, DELETE 6, DESCRIBE
/// 8, DESCRIBE_CONFIGS 10, ALTER_CONFIGS 11.
const GROUP_OPERATIONS: i32 = 1 << 3 | 1 << 6 | 1 << 8 | 1 << 10 | 1 << 11;

pub async fn list(shard: &Shard, request: ListGroupsRequest) -> ListGroupsResponse {
    let mut answers = Vec::new();
    for (core, partition) in coordinators::all::<Groups>(shard) {
        let request = Request::ListGroups(request.clone());
        if let Some(Response::ListGroups(answer)) =
            coordinators::ask::<Groups>(shard, core, partition, request).await
        {
            answers.push(answer);
        }
    }
    fanout::merge_list_groups(answers, |_| true)
}

pub async fn delete(shard: &Shard, request: DeleteGroupsRequest) -> DeleteGroupsResponse {
    let (mut seen, mut results) = (FxHashSet::default(), Vec::new());
    let mut budget = TurnBudget::of_items(&shard.ring);
    for group_id in &request.groups_names {
        budget.item_done().await;
        // Each is answered once, as by Apache Kafka.
        if !seen.insert(group_id) {
            continue;
        }
        results.push(ask_for!(
            DeleteGroup,
            shard,
            group_id,
            Request::DeleteGroup { group_id: group_id.clone() }
        ));
    }
    DeleteGroupsResponse { results, ..Default::default() }
}
