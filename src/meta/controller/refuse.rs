//! The response to a request that fails as a whole: no record could be written, or there is no
//! controller to ask.

use super::{
    ApiError, ControllerRequest, ControllerResponse, create_topics, delete_topics, features,
    producer_ids,
};
use protocol::Uuid;
use protocol::messages::*;

impl ControllerRequest {
    /// Tells every part of the request the same error.
    pub fn refuse(&self, error: &ApiError) -> ControllerResponse {
        use ControllerRequest as Q;
        use ControllerResponse as A;
        let (error_code, error_message) = (error.code.code(), error.message.clone());
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
                let results = request.topics.iter().map(|topic| {
                    let (name, error_message) = (topic.name.clone(), error_message.clone());
                    create_partitions_response::CreatePartitionsTopicResult {
                        name,
                        error_code,
                        error_message,
                    }
                });
                A::CreatePartitions(CreatePartitionsResponse {
                    throttle_time_ms: 0,
                    results: results.collect(),
                })
            }
            Q::IncrementalAlterConfigs(request) => {
                let responses = request.resources.iter().map(|resource| {
                    incremental_alter_configs_response::AlterConfigsResourceResponse {
                        error_code,
                        error_message: error_message.clone(),
                        resource_type: resource.resource_type,
                        resource_name: resource.resource_name.clone(),
                    }
                });
                let responses = responses.collect();
                A::IncrementalAlterConfigs(IncrementalAlterConfigsResponse {
                    throttle_time_ms: 0,
                    responses,
                })
            }
            Q::AlterConfigs(request) => {
                let responses = request.resources.iter().map(|resource| {
                    alter_configs_response::AlterConfigsResourceResponse {
                        error_code,
                        error_message: error_message.clone(),
                        resource_type: resource.resource_type,
                        resource_name: resource.resource_name.clone(),
                    }
                });
                A::AlterConfigs(AlterConfigsResponse {
                    throttle_time_ms: 0,
                    responses: responses.collect(),
                })
            }
            Q::UpdateFeatures { .. } => A::UpdateFeatures(features::refused(error)),
            Q::AllocateProducerIds(_) => A::AllocateProducerIds(producer_ids::refused(error)),
            Q::AlterPartitionReassignments(_) => {
                A::AlterPartitionReassignments(AlterPartitionReassignmentsResponse {
                    error_code,
                    error_message,
                    ..Default::default()
                })
            }
            Q::ElectLeaders(_) => {
                A::ElectLeaders(ElectLeadersResponse { error_code, ..Default::default() })
            }
            Q::RegisterController(_) => A::RegisterController(Err(error.clone())),
            Q::RegisterBroker(_) => A::RegisterBroker(Err(error.clone())),
            Q::UnfenceBroker(_) => A::UnfenceBroker(Err(error.clone())),
            Q::AssignReplicasToDirs(_) => A::AssignReplicasToDirs(Err(error.clone())),
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
