//! ElectLeaders (key 43): the preferred replica back to lead, or any live replica to end an outage.

use super::{
    ApiError, Context, MessageBytes, Outcome, error_fields,
    partition_change::{Election, PartitionChange},
};
use crate::meta::{
    topic::{NO_LEADER, PartitionRegistration, Topic},
    topic_name,
};
use protocol::ErrorCode;
use protocol::messages::{
    ElectLeadersRequest, ElectLeadersResponse,
    elect_leaders_response::{PartitionResult, ReplicaElectionResult},
};
use protocol::metadata_records::MetadataRecord;

pub fn handle(
    context: &Context<'_>,
    request: &ElectLeadersRequest,
) -> Outcome<ElectLeadersResponse> {
    let election = match request.election_type {
        0 => Election::Preferred,
        1 => Election::Unclean,
        _ => {
            let error_code = ErrorCode::InvalidRequest.code();
            return Outcome::only(ElectLeadersResponse { error_code, ..Default::default() });
        }
    };
    let mut records = Vec::new();
    let mut elect = |topic: &Topic, partition_id: i32, partition: &PartitionRegistration| {
        let result = elect_leader(context, topic, partition_id, partition, election);
        result.map(|record| records.push(record))
    };
    let (mut results, mut message_bytes) = (Vec::new(), MessageBytes::default());
    match &request.topic_partitions {
        None => {
            for topic in context.image.topics.iter() {
                let outcomes = topic
                    .partitions
                    .iter()
                    .map(|(&id, partition)| (id, elect(topic, id, partition)));
                // Of all partitions, those are told that a leader was needed for.
                let needed =
                    outcomes.filter(|(_, result)| !is_not_needed(result)).map(result_of).collect();
                results.push(ReplicaElectionResult {
                    topic: topic.name.to_string(),
                    partition_result: needed,
                });
            }
        }
        Some(topics) => {
            for named in topics {
                let found = context.image.topics.by_name(&named.topic).map(|topic| &**topic);
                let mut partition_result = Vec::with_capacity(named.partitions.len());
                for &id in &named.partitions {
                    let partition = find(&named.topic, found, id);
                    let outcome =
                        partition.and_then(|(topic, partition)| elect(topic, id, partition));
                    let result = result_of((id, outcome));
                    message_bytes.add(result.error_message.as_deref());
                    if let Err(error) = message_bytes.check() {
                        let error_code = error.code.code();
                        let refused = ElectLeadersResponse { error_code, ..Default::default() };
                        return Outcome::only(refused);
                    }
                    partition_result.push(result);
                }
                results
                    .push(ReplicaElectionResult { topic: named.topic.clone(), partition_result });
            }
        }
    }
    let response = ElectLeadersResponse { replica_election_results: results, ..Default::default() };
    Outcome::of(records, response)
}

fn is_not_needed(result: &Result<(), ApiError>) -> bool {
    matches!(result, Err(ApiError { code: ErrorCode::ElectionNotNeeded, .. }))
}

fn result_of((partition_id, result): (i32, Result<(), ApiError>)) -> PartitionResult {
    let (error_code, error_message) = error_fields(&result);
    PartitionResult { partition_id, error_code, error_message }
}

fn find<'a>(
    name: &str,
    topic: Option<&'a Topic>,
    partition_id: i32,
) -> Result<(&'a Topic, &'a PartitionRegistration), ApiError> {
    let unknown = |message: String| ApiError::new(ErrorCode::UnknownTopicOrPartition, message);
    let shown = topic_name::shown(name);
    let topic = topic.ok_or_else(|| unknown(format!("No such topic as {shown}")))?;
    match topic.partition(partition_id) {
        Some(partition) => Ok((topic, partition)),
        None => Err(unknown(format!("No such partition as {shown}-{partition_id}"))),
    }
}

fn elect_leader(
    context: &Context<'_>,
    topic: &Topic,
    partition_id: i32,
    partition: &PartitionRegistration,
    election: Election,
) -> Result<MetadataRecord, ApiError> {
    let has_wanted_leader = match election {
        Election::Preferred => partition.replicas.first() == Some(&partition.leader),
        _ => partition.leader != NO_LEADER,
    };
    if has_wanted_leader {
        return Err(ApiError::generic(ErrorCode::ElectionNotNeeded));
    }
    let acceptable = |broker, directory| context.can_lead(broker, directory);
    let record =
        PartitionChange::new(partition, election).into_record(topic.id, partition_id, &acceptable);
    record.map(MetadataRecord::from).ok_or_else(|| {
        ApiError::generic(match election {
            Election::Preferred => ErrorCode::PreferredLeaderNotAvailable,
            _ => ErrorCode::EligibleLeadersNotAvailable,
        })
    })
}
