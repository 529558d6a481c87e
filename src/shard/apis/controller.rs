//! Requests that change the metadata: CreateTopics v2-7, DeleteTopics v1-6, CreatePartitions v0-3,
//! UpdateFeatures v0-2, AlterPartitionReassignments v0-1, ElectLeaders v0-2, UnregisterBroker v0,
//! AlterClientQuotas v0-1.
//!
//! They are calls to the controller's core, which answers when the change is committed, and where
//! partitions come or go, when the cores that own them have applied it. The client is answered when
//! this core has applied it, too: what it was told it finds.

use crate::{
    meta::{
        controller::{ApiError, ControllerRequest, ControllerResponse},
        node::Answer,
    },
    request::RequestContext,
    shard::{
        Ask, CONTROLLER_CORE, Shard, apply,
        quotas::{self, Mutator},
    },
};
use protocol::{ErrorCode, messages::*};
use std::time::Duration;

/// `None` when the broker stops before the controller has answered.
pub async fn call(shard: &Shard, request: ControllerRequest) -> Option<ControllerResponse> {
    Some(call_for(shard, request, None).await?.0)
}

/// The same for a client whose changes count against its quota, and how long it has to wait then.
async fn call_for(
    shard: &Shard,
    request: ControllerRequest,
    mutator: Option<Mutator>,
) -> Option<(ControllerResponse, Duration)> {
    let (answer, wait) = shard.ask(CONTROLLER_CORE, ToController { request, mutator }).await?;
    apply::reached(shard, answer.offset).await;
    Some((answer.response, wait))
}

/// A request to the controller.
struct ToController {
    request: ControllerRequest,
    /// The client, where it makes or deletes partitions.
    mutator: Option<Mutator>,
}

/// How long the client waits until the partitions in question are there, or gone, on their cores.
fn timeout_ms(request: &ControllerRequest) -> i32 {
    match request {
        ControllerRequest::CreateTopics(request) => request.timeout_ms,
        ControllerRequest::CreatePartitions(request) => request.timeout_ms,
        ControllerRequest::DeleteTopics { request, .. } => request.timeout_ms,
        _ => 0,
    }
}

impl Ask for ToController {
    type Answer = (Answer, Duration);

    async fn execute(self, shard: &Shard, _from: usize) -> (Answer, Duration) {
        let ToController { request, mutator } = self;
        let hosted = shard.control.controller().zip(shard.control.feeds());
        let Some((controller, feeds)) = hosted else {
            let error = ApiError::new(ErrorCode::NotController, "The broker stops");
            return (Answer { response: request.refuse(&error), offset: -1 }, Duration::ZERO);
        };
        let timeout_ms = timeout_ms(&request);
        let (mut answer, wait) = shard.ask_controller(&controller, request, mutator).await;
        feeds.wait_for_owners(&shard.ring, &mut answer, timeout_ms).await;
        (answer, wait)
    }
}

/// Makes topics of the broker's own accord, such as `__consumer_offsets`.
pub async fn create(shard: &Shard, request: CreateTopicsRequest) {
    let answered = call(shard, ControllerRequest::CreateTopics(request)).await;
    let Some(ControllerResponse::CreateTopics(response)) = answered else { return };
    for topic in response.topics {
        let exists = ErrorCode::TopicAlreadyExists.code();
        if topic.error_code != 0 && topic.error_code != exists && !shard.is_stopping() {
            // Clients ask for it, as often as they like.
            shard.clients.bad_input.say(shard.ring.now(), || {
                let why = topic.error_message.unwrap_or_default();
                format!("cannot create topic {:?}, error {}: {why}", topic.name, topic.error_code)
            });
        }
    }
}

/// A handler that is a call to the controller; `versioned`: what it answers depends on the version
/// of the request.
macro_rules! forward {
    ($name:ident, $variant:ident, $request:ty, $response:ty) => {
        pub async fn $name(shard: &Shard, request: $request) -> $response {
            forward!(ask shard, $variant, $response, ControllerRequest::$variant(request))
        }
    };
    (versioned $name:ident, $variant:ident, $request:ty, $response:ty) => {
        pub async fn $name(shard: &Shard, context: &RequestContext<'_>,
            request: $request) -> $response {
            let version = context.ids.api_version;
            forward!(ask shard, $variant, $response,
                ControllerRequest::$variant { request, version })
        }
    };
    // From this version on a client that is over its quota of changes is refused, before that it is
    // only made to wait.
    (strict from $version:literal $name:ident, $variant:ident, $request:ty, $response:ty,
        $make:expr) => {
        pub async fn $name(shard: &Shard, context: &RequestContext<'_>,
            request: $request) -> $response {
            let make: fn($request, i16) -> ControllerRequest = $make;
            let version = context.ids.api_version;
            let client_id = context.client_id.decode().into_owned();
            let mutator = Mutator { client_id, is_strict: version >= $version };
            match call_for(shard, make(request, version), Some(mutator)).await {
                Some((ControllerResponse::$variant(mut response), wait)) => {
                    response.throttle_time_ms = quotas::to_wire_ms(wait);
                    response
                }
                _ => <$response>::default(),
            }
        }
    };
    (ask $shard:ident, $variant:ident, $response:ty, $make:expr) => {
        match call($shard, $make).await {
            Some(ControllerResponse::$variant(response)) => response,
            // The broker stops: the connection will be closed before this can be sent.
            _ => <$response>::default(),
        }
    };
}

forward!(strict from 6 create_topics, CreateTopics, CreateTopicsRequest, CreateTopicsResponse,
    |request, _| ControllerRequest::CreateTopics(request));
forward!(strict from 5 delete_topics, DeleteTopics, DeleteTopicsRequest, DeleteTopicsResponse,
    |request, version| ControllerRequest::DeleteTopics { request, version });
forward!(strict from 3 create_partitions, CreatePartitions, CreatePartitionsRequest,
    CreatePartitionsResponse, |request, _| ControllerRequest::CreatePartitions(request));
forward!(
    alter_client_quotas,
    AlterClientQuotas,
    AlterClientQuotasRequest,
    AlterClientQuotasResponse
);
forward!(versioned update_features, UpdateFeatures, UpdateFeaturesRequest, UpdateFeaturesResponse);
forward!(alter_configs, AlterConfigs, AlterConfigsRequest, AlterConfigsResponse);
forward!(
    incremental_alter_configs,
    IncrementalAlterConfigs,
    IncrementalAlterConfigsRequest,
    IncrementalAlterConfigsResponse
);
forward!(
    alter_partition_reassignments,
    AlterPartitionReassignments,
    AlterPartitionReassignmentsRequest,
    AlterPartitionReassignmentsResponse
);
forward!(elect_leaders, ElectLeaders, ElectLeadersRequest, ElectLeadersResponse);
forward!(unregister_broker, UnregisterBroker, UnregisterBrokerRequest, UnregisterBrokerResponse);
