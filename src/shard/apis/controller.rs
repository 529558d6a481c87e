//! Requests that change the metadata: CreateTopics v2-7, DeleteTopics v1-6, CreatePartitions v0-3,
//! UpdateFeatures v0-2, AlterPartitionReassignments v0-1, ElectLeaders v0-2, UnregisterBroker v0.
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
    shard::{Ask, CONTROLLER_CORE, Shard, apply},
};
use protocol::{ErrorCode, messages::*};

/// `None` when the broker stops before the controller has answered.
pub async fn call(shard: &Shard, request: ControllerRequest) -> Option<ControllerResponse> {
    let answer = shard.ask(CONTROLLER_CORE, ToController(request)).await?;
    apply::reached(shard, answer.offset).await;
    Some(answer.response)
}

/// A request to the controller.
struct ToController(ControllerRequest);

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
    type Answer = Answer;

    async fn execute(self, shard: &Shard, _from: usize) -> Answer {
        let hosted = shard.control.controller().zip(shard.control.feeds());
        let Some((controller, feeds)) = hosted else {
            let error = ApiError::new(ErrorCode::NotController, "The broker stops");
            return Answer { response: self.0.refuse(&error), offset: -1 };
        };
        let timeout_ms = timeout_ms(&self.0);
        let mut answer = controller.request(self.0).await;
        feeds.wait_for_owners(&shard.ring, &mut answer, timeout_ms).await;
        answer
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
    (ask $shard:ident, $variant:ident, $response:ty, $make:expr) => {
        match call($shard, $make).await {
            Some(ControllerResponse::$variant(response)) => response,
            // The broker stops: the connection will be closed before this can be sent.
            _ => <$response>::default(),
        }
    };
}

forward!(create_topics, CreateTopics, CreateTopicsRequest, CreateTopicsResponse);
forward!(versioned delete_topics, DeleteTopics, DeleteTopicsRequest, DeleteTopicsResponse);
forward!(create_partitions, CreatePartitions, CreatePartitionsRequest, CreatePartitionsResponse);
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
