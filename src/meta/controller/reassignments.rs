//! AlterPartitionReassignments (key 45): moves replicas between brokers, or takes such a move back.

use super::{
    ApiError, Context, MessageBytes, Outcome, configs, create_topics, error_fields,
    partition_change::{Election, PartitionChange},
};
use crate::meta::{
    topic::{PartitionRegistration, Topic},
    topic_name,
};
use protocol::ErrorCode;
use protocol::messages::{
    AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse,
    alter_partition_reassignments_request::ReassignablePartition,
    alter_partition_reassignments_response::{
        ReassignablePartitionResponse, ReassignableTopicResponse,
    },
};
use protocol::metadata_records::PartitionChangeRecord;

pub fn handle(
    context: &Context<'_>,
    request: &AlterPartitionReassignmentsRequest,
) -> Outcome<AlterPartitionReassignmentsResponse> {
    let may_change_factor = request.allow_replication_factor_change;
    let mut records = Vec::new();
    let mut responses = Vec::with_capacity(request.topics.len());
    let mut message_bytes = MessageBytes::default();
    for topic in &request.topics {
        let mut partitions = Vec::with_capacity(topic.partitions.len());
        let found = context.image.topics.by_name(&topic.name).map(|topic| &**topic);
        let named = (&*topic.name, found);
        for target in &topic.partitions {
            let altered = alter(context, named, target, may_change_factor);
            let (error_code, error_message) = error_fields(&altered);
            message_bytes.add(error_message.as_deref());
            if let Err(error) = message_bytes.check() {
                return Outcome::only(AlterPartitionReassignmentsResponse {
                    error_code: error.code.code(),
                    error_message: error.message,
                    ..Default::default()
                });
            }
            records.extend(altered.into_iter().flatten().map(Into::into));
            partitions.push(ReassignablePartitionResponse {
                partition_index: target.partition_index,
                error_code,
                error_message,
            });
        }
        responses.push(ReassignableTopicResponse { name: topic.name.clone(), partitions });
    }
    let response = AlterPartitionReassignmentsResponse {
        allow_replication_factor_change: may_change_factor,
        error_message: None,
        responses,
        ..Default::default()
    };
    Outcome::of(records, response)
}

fn alter(
    context: &Context<'_>,
    (name, topic): (&str, Option<&Topic>),
    target: &ReassignablePartition,
    may_change_factor: bool,
) -> Result<Option<PartitionChangeRecord>, ApiError> {
    let unknown = |message: String| ApiError::new(ErrorCode::UnknownTopicOrPartition, message);
    let shown = topic_name::shown(name);
    let topic = topic.ok_or_else(|| unknown(format!("Unable to find a topic named {shown}.")))?;
    let index = target.partition_index;
    let partition = topic.partition(index);
    let partition =
        partition.ok_or_else(|| unknown(format!("Unable to find partition {shown}:{index}.")))?;
    match &target.replicas {
        None => cancel(context, topic, index, partition),
        Some(replicas) => change(context, topic, index, partition, replicas, may_change_factor),
    }
}

fn cancel(
    context: &Context<'_>,
    topic: &Topic,
    index: i32,
    partition: &PartitionRegistration,
) -> Result<Option<PartitionChangeRecord>, ApiError> {
    if !partition.is_reassigning() {
        return Err(ApiError::bare(ErrorCode::NoReassignmentInProgress));
    }
    let may_be_unclean =
        configs::topic_value(context, &topic.name, "unclean.leader.election.enable") == "true";
    let election = if may_be_unclean { Election::Unclean } else { Election::Online };
    let mut change = PartitionChange::new(partition, election);
    let stays = |replica: &i32| !partition.adding_replicas.contains(replica);
    change.replicas.retain(|(replica, _)| stays(replica));
    change.isr.retain(stays);
    change.removing.clear();
    change.adding.clear();
    if change.isr.is_empty() {
        if !may_be_unclean {
            let message = format!(
                "Unable to revert partition assignment for {}:{index} because it would require an \
                 unclean leader \
                 election.",
                topic.name
            );
            return Err(ApiError::new(ErrorCode::InvalidReplicaAssignment, message));
        }
        change.isr.extend(change.replicas.first().map(|(replica, _)| *replica));
    }
    Ok(change
        .into_record(topic.id, index, &|broker, directory| context.can_lead(broker, directory)))
}

fn change(
    context: &Context<'_>,
    topic: &Topic,
    index: i32,
    partition: &PartitionRegistration,
    target: &[i32],
    may_change_factor: bool,
) -> Result<Option<PartitionChangeRecord>, ApiError> {
    create_topics::check_manual_assignment(context, target, None)?;
    let factor = partition.replicas.len() - partition.removing_replicas.len();
    if !may_change_factor && factor != target.len() {
        let message =
            format!("The replication factor is changed from {factor} to {}", target.len());
        return Err(ApiError::new(ErrorCode::InvalidReplicationFactor, message));
    }
    let missing_from = |from: &[i32], of: &[i32]| -> Vec<i32> {
        let mut missing: Vec<i32> =
            of.iter().copied().filter(|replica| !from.contains(replica)).collect();
        missing.sort_unstable();
        missing
    };
    let mut change = PartitionChange::new(partition, Election::Online);
    change.removing = missing_from(target, &partition.replicas);
    change.adding = missing_from(&partition.replicas, target);
    change.replicas = target
        .iter()
        .chain(&change.removing)
        .map(|&replica| {
            let known = partition.directory_of(replica);
            (replica, known.unwrap_or_else(|| create_topics::default_directory(context, replica)))
        })
        .collect();
    Ok(change
        .into_record(topic.id, index, &|broker, directory| context.can_lead(broker, directory)))
}
