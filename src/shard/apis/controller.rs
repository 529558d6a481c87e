//! Requests that change the metadata: CreateTopics v2-7, DeleteTopics v1-6, CreatePartitions v0-3, UpdateFeatures v0-2,
//! AlterPartitionReassignments v0-1, ElectLeaders v0-2; and ListPartitionReassignments v0, which only reads it.
//!
//! They are calls to the controller's core, which answers when the change is durable and every core has followed it.

use crate::{
    meta::{
        controller::{ControllerRequest, ControllerResponse},
        view,
    },
    net::dispatch::Context,
    shard::{Answer, CONTROLLER_CORE, Call, Shard},
};
use protocol::messages::*;

/// `None` when the broker stops before the controller has answered.
pub async fn call(shard: &Shard, request: ControllerRequest) -> Option<ControllerResponse> {
    match shard.call(CONTROLLER_CORE, Call::Controller(request)).await? {
        Answer::Controller(response) => Some(response),
        _ => None,
    }
}

/// Makes topics of the broker's own accord, such as `__consumer_offsets`.
pub async fn create(shard: &Shard, request: CreateTopicsRequest) {
    let answered = call(shard, ControllerRequest::CreateTopics(request)).await;
    let Some(ControllerResponse::CreateTopics(response)) = answered else { return };
    for topic in response.topics {
        let exists = protocol::ErrorCode::TopicAlreadyExists.code();
        if topic.error_code != 0 && topic.error_code != exists && !shard.is_stopping() {
            let why = topic.error_message.unwrap_or_default();
            tracing::error!(topic = topic.name, error_code = topic.error_code, "cannot create a topic: {why}");
        }
    }
}

macro_rules! forward {
    ($(#[$about:meta])* $name:ident, $variant:ident, $request:ty, $response:ty, |$context:ident, $value:ident| $make:expr) => {
        $(#[$about])*
        pub async fn $name($context: &Context<'_>, $value: $request) -> $response {
            match call(&$context.connection.shard, $make).await {
                Some(ControllerResponse::$variant(response)) => response,
                // The broker stops: the connection will be closed before this can be sent.
                _ => <$response>::default(),
            }
        }
    };
}

forward!(create_topics, CreateTopics, CreateTopicsRequest, CreateTopicsResponse, |context, request| {
    ControllerRequest::CreateTopics(request)
});
forward!(delete_topics, DeleteTopics, DeleteTopicsRequest, DeleteTopicsResponse, |context, request| {
    ControllerRequest::DeleteTopics { request, version: context.api_version }
});
forward!(create_partitions, CreatePartitions, CreatePartitionsRequest, CreatePartitionsResponse, |context, request| {
    ControllerRequest::CreatePartitions(request)
});
forward!(update_features, UpdateFeatures, UpdateFeaturesRequest, UpdateFeaturesResponse, |context, request| {
    ControllerRequest::UpdateFeatures { request, version: context.api_version }
});
forward!(alter_configs, AlterConfigs, AlterConfigsRequest, AlterConfigsResponse, |context, request| {
    ControllerRequest::AlterConfigs(request)
});
forward!(
    incremental_alter_configs,
    IncrementalAlterConfigs,
    IncrementalAlterConfigsRequest,
    IncrementalAlterConfigsResponse,
    |context, request| ControllerRequest::IncrementalAlterConfigs(request)
);
forward!(
    alter_partition_reassignments,
    AlterPartitionReassignments,
    AlterPartitionReassignmentsRequest,
    AlterPartitionReassignmentsResponse,
    |context, request| ControllerRequest::AlterPartitionReassignments(request)
);
forward!(elect_leaders, ElectLeaders, ElectLeadersRequest, ElectLeadersResponse, |context, request| {
    ControllerRequest::ElectLeaders(request)
});

pub async fn list_partition_reassignments(
    context: &Context<'_>,
    request: ListPartitionReassignmentsRequest,
) -> ListPartitionReassignmentsResponse {
    let image = context.connection.shard.view.borrow().image.clone();
    view::list_partition_reassignments(&image, &request)
}
