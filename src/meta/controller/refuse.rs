//! The response to a request that fails as a whole: no record could be written, or there is no
//! controller to ask.

use super::{
    ApiError, ControllerRequest, ControllerResponse, client_quotas, create_topics, delete_topics,
    features, producer_ids, registration, scram,
};
use protocol::Uuid;
use protocol::messages::*;

impl ControllerRequest {
    /// Tells every part of the request the same error.
    pub fn refuse(&self, error: &ApiError) -> ControllerResponse {
        use ControllerRequest as Q;
        use ControllerResponse as A;
        let error_code = error.code.code();
        match self {
            Q::CreateTopics(request) => A::CreateTopics(CreateTopicsResponse {
                throttle_time_ms: 0,
                topics: request
                    .topics
                    .iter()
                    .map(|topic| create_topics::failed(&topic.name, error))
                    .collect(),
            }),
            Q::DeleteTopics { request, .. } => {
                A::DeleteTopics(refuse_delete_topics(request, error))
            }
            Q::CreatePartitions(request) => {
                A::CreatePartitions(refuse_create_partitions(request, error))
            }
            Q::IncrementalAlterConfigs(request) => {
                A::IncrementalAlterConfigs(refuse_incremental_alter_configs(request, error))
            }
            Q::AlterConfigs(request) => A::AlterConfigs(refuse_alter_configs(request, error)),
            Q::AlterClientQuotas(request) => {
                A::AlterClientQuotas(client_quotas::refused(request, error))
            }
            Q::UpdateFeatures { .. } => A::UpdateFeatures(features::refused(error)),
            Q::AllocateProducerIds(_) => A::AllocateProducerIds(producer_ids::refused(error)),
            Q::AlterPartitionReassignments(_) => {
                A::AlterPartitionReassignments(AlterPartitionReassignmentsResponse {
                    error_code,
                    error_message: error.message.clone(),
                    ..Default::default()
                })
            }
            Q::ElectLeaders(_) => {
                A::ElectLeaders(ElectLeadersResponse { error_code, ..Default::default() })
            }
            Q::AlterUserScramCredentials(request) => {
                A::AlterUserScramCredentials(scram::refused(request, error))
            }
            Q::UnregisterBroker(_) => A::UnregisterBroker(registration::unregistered(error)),
            Q::RegisterController(_) => A::RegisterController(Err(error.clone())),
            Q::RegisterBroker(_) => A::RegisterBroker(Err(error.clone())),
            Q::UnfenceBroker(_) => A::UnfenceBroker(Err(error.clone())),
            Q::AssignReplicasToDirs(_) => A::AssignReplicasToDirs(Err(error.clone())),
            Q::CordonDirectories(_) => A::CordonDirectories(Err(error.clone())),
        }
    }
}

fn refuse_delete_topics(request: &DeleteTopicsRequest, error: &ApiError) -> DeleteTopicsResponse {
    let answer = |name: Option<&str>, id: Uuid| delete_topics::answer(name, id, Err(error.clone()));
    let by_name = request.topic_names.iter().map(|name| answer(Some(name), Uuid::ZERO));
    let by_either =
        request.topics.iter().map(|topic| answer(topic.name.as_deref(), topic.topic_id));
    DeleteTopicsResponse { throttle_time_ms: 0, responses: by_name.chain(by_either).collect() }
}

fn refuse_create_partitions(
    request: &CreatePartitionsRequest,
    error: &ApiError,
) -> CreatePartitionsResponse {
    let result = |topic: &create_partitions_request::CreatePartitionsTopic| {
        create_partitions_response::CreatePartitionsTopicResult {
            name: topic.name.clone(),
            error_code: error.code.code(),
            error_message: error.message.clone(),
        }
    };
    let results = request.topics.iter().map(result).collect();
    CreatePartitionsResponse { throttle_time_ms: 0, results }
}

fn refuse_incremental_alter_configs(
    request: &IncrementalAlterConfigsRequest,
    error: &ApiError,
) -> IncrementalAlterConfigsResponse {
    let response = |resource: &incremental_alter_configs_request::AlterConfigsResource| {
        incremental_alter_configs_response::AlterConfigsResourceResponse {
            error_code: error.code.code(),
            error_message: error.message.clone(),
            resource_type: resource.resource_type,
            resource_name: resource.resource_name.clone(),
        }
    };
    let responses = request.resources.iter().map(response).collect();
    IncrementalAlterConfigsResponse { throttle_time_ms: 0, responses }
}

fn refuse_alter_configs(request: &AlterConfigsRequest, error: &ApiError) -> AlterConfigsResponse {
    let response = |resource: &alter_configs_request::AlterConfigsResource| {
        alter_configs_response::AlterConfigsResourceResponse {
            error_code: error.code.code(),
            error_message: error.message.clone(),
            resource_type: resource.resource_type,
            resource_name: resource.resource_name.clone(),
        }
    };
    let responses = request.resources.iter().map(response).collect();
    AlterConfigsResponse { throttle_time_ms: 0, responses }
}
