//! CreatePartitions (key 37): more partitions for topics that exist, on chosen or on given brokers.

use super::{ApiError, Context, Outcome, create_topics, directories, error_fields};
use crate::meta::topic_name;
use protocol::ErrorCode;
use protocol::messages::{
    CreatePartitionsRequest, CreatePartitionsResponse,
    create_partitions_request::CreatePartitionsTopic,
    create_partitions_response::CreatePartitionsTopicResult,
};
use protocol::metadata_records::MetadataRecord;
use rustc_hash::FxHashMap;

pub fn handle(
    context: &mut Context<'_>,
    request: &CreatePartitionsRequest,
) -> Outcome<CreatePartitionsResponse> {
    let mut times = FxHashMap::<&str, usize>::default();
    for topic in &request.topics {
        *times.entry(&topic.name).or_default() += 1;
    }
    let mut records = Vec::new();
    let mut results = Vec::with_capacity(request.topics.len());
    for topic in &request.topics {
        let added = match times.remove(&*topic.name) {
            Some(1) => add(context, topic),
            Some(_) => Err(ApiError::invalid_request("Duplicate topic name.")),
            // Told already: names that appear more than once get one answer.
            None => continue,
        };
        let (error_code, error_message) = error_fields(&added);
        results.push(CreatePartitionsTopicResult {
            name: topic.name.clone(),
            error_code,
            error_message,
        });
        records.extend(added.into_iter().flatten());
    }
    if request.validate_only {
        records.clear();
    }
    directories::choose(context, &mut records);
    Outcome::of(records, CreatePartitionsResponse { throttle_time_ms: 0, results })
}

fn add(
    context: &mut Context<'_>,
    request: &CreatePartitionsTopic,
) -> Result<Vec<MetadataRecord>, ApiError> {
    let topic = context.image.topics.by_name(&request.name);
    let topic = topic.ok_or_else(|| ApiError::bare(ErrorCode::UnknownTopicOrPartition))?;
    if topic_name::is_internal(&request.name) {
        // Kafka's tools refuse it: whose coordinator is where follows from their number.
        return Err(ApiError::invalid_request(format!(
            "The number of partitions for the internal topic {} cannot be changed",
            request.name
        )));
    }
    let existing = topic.partitions.len() as i32;
    let refuse = |message: String| Err(ApiError::new(ErrorCode::InvalidPartitions, message));
    if request.count == existing {
        return refuse(format!("Topic already has {existing} partition(s)."));
    }
    if request.count < existing {
        return refuse(format!(
            "The topic {} currently has {existing} partition(s); {} would not be an increase.",
            request.name, request.count
        ));
    }
    let additional = (request.count - existing) as usize;
    let replication_factor = topic.replication_factor();
    let assigned = request.assignments.as_ref().map(Vec::len);
    if assigned.is_none_or(|assigned| assigned == additional) {
        context.mutations.take(additional)?;
    }
    let partitions = match &request.assignments {
        Some(assignments) if assignments.len() != additional => {
            let message = format!(
                "Attempted to add {additional} additional partition(s), but only {} assignment(s) \
                 were specified.",
                assignments.len()
            );
            return Err(ApiError::new(ErrorCode::InvalidReplicaAssignment, message));
        }
        Some(assignments) => {
            let mut partitions = Vec::with_capacity(additional);
            for (index, assignment) in (existing..).zip(assignments) {
                create_topics::check_manual_assignment(
                    context,
                    &assignment.broker_ids,
                    Some(replication_factor),
                )?;
                let partition =
                    create_topics::new_partition(context, assignment.broker_ids.clone());
                partitions.push(partition.ok_or_else(|| create_topics::all_fenced(index))?);
            }
            partitions
        }
        None if additional > super::MAX_RECORDS_PER_REQUEST => {
            // Refused before brokers are chosen for a number that only the request has proven.
            let message = "Unable to perform excessively large batch operation.";
            return Err(ApiError::new(ErrorCode::PolicyViolation, message));
        }
        None => create_topics::placed_partitions(context, additional, replication_factor)
            .map_err(|reason| ApiError::new(ErrorCode::InvalidReplicationFactor, reason))?,
    };
    Ok((existing..)
        .zip(&partitions)
        .map(|(index, partition)| partition.to_record(topic.id, index).into())
        .collect())
}
