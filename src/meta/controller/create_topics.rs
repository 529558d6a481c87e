//! CreateTopics (key 19): names, counts, assignments and configs checked, then a TopicRecord, its
//! ConfigRecords and its PartitionRecords per topic. All topics of a request are created in one
//! batch, or refused one by one.

use super::{ApiError, Context, Outcome, configs, directories, placement};
use crate::config::describe::describe_topic;
use crate::meta::{
    image::{ConfigResource, ConfigResourceType, Configs},
    snapshot::config_record,
    topic::PartitionRegistration,
    topic_name,
};
use protocol::ErrorCode;
use protocol::messages::{
    CreateTopicsRequest, CreateTopicsResponse,
    create_topics_request::{CreatableReplicaAssignment, CreatableTopic},
    create_topics_response::{CreatableTopicConfigs, CreatableTopicResult},
};
use protocol::metadata_records::{MetadataRecord, TopicRecord};
use rustc_hash::{FxHashMap, FxHashSet};

/// The most partitions that one request may create
/// (`ReplicationControlManager.MAX_PARTITIONS_PER_BATCH`).
const MAX_PARTITIONS_PER_REQUEST: i64 = 10_000;

pub fn handle(
    context: &mut Context<'_>,
    request: &CreateTopicsRequest,
) -> Outcome<CreateTopicsResponse> {
    let mut times = FxHashMap::<&str, usize>::default();
    for topic in &request.topics {
        *times.entry(&topic.name).or_default() += 1;
    }
    let creatable = |topic: &&CreatableTopic| {
        times[&*topic.name] == 1 && topic.name != topic_name::CLUSTER_METADATA
    };
    let result = check_partition_count(context, request.topics.iter().filter(creatable));
    let mut records = Vec::new();
    let mut topics = Vec::with_capacity(request.topics.len());
    for topic in request.topics.iter().filter(creatable) {
        let created = result.clone().and_then(|()| create(context, topic));
        topics.push(
            created
                .map(|(result, new)| {
                    records.extend(new);
                    result
                })
                .unwrap_or_else(|error| failed(&topic.name, &error)),
        );
    }
    let duplicate = ApiError::invalid_request("Duplicate topic name.");
    let internal =
        ApiError::invalid_request("Creation of internal topic __cluster_metadata is prohibited.");
    let mut told = FxHashSet::default();
    for topic in request.topics.iter().filter(|topic| !creatable(topic)) {
        // A name that appears more than once gets one answer.
        if told.insert(&*topic.name) {
            topics.push(failed(
                &topic.name,
                if times[&*topic.name] > 1 { &duplicate } else { &internal },
            ));
        }
    }
    if request.validate_only {
        records.clear();
    }
    directories::choose(context, &mut records);
    Outcome::of(records, CreateTopicsResponse { throttle_time_ms: 0, topics })
}

fn check_partition_count<'a>(
    context: &Context<'_>,
    topics: impl Iterator<Item = &'a CreatableTopic>,
) -> Result<(), ApiError> {
    let partitions = |topic: &CreatableTopic| match (topic.assignments.len(), topic.num_partitions)
    {
        (0, -1) => i64::from(context.settings.num_partitions),
        (0, count) => i64::from(count.max(0)),
        (count, _) => count as i64,
    };
    if topics.map(partitions).sum::<i64>() > MAX_PARTITIONS_PER_REQUEST {
        let message = "Excessively large number of partitions per request.";
        return Err(ApiError::new(ErrorCode::PolicyViolation, message));
    }
    Ok(())
}

/// The answer for a topic that was not created.
pub fn failed(name: &str, error: &ApiError) -> CreatableTopicResult {
    CreatableTopicResult {
        name: name.to_owned(),
        error_code: error.code.code(),
        error_message: error.message.clone(),
        configs: Some(Vec::new()),
        ..CreatableTopicResult::default()
    }
}

fn create(
    context: &mut Context<'_>,
    topic: &CreatableTopic,
) -> Result<(CreatableTopicResult, Vec<MetadataRecord>), ApiError> {
    check_name(context, &topic.name)?;
    let own = own_configs(topic)?;
    let resource = ConfigResource::new(ConfigResourceType::Topic, topic.name.clone());
    configs::check_new_topic(context, &own)?;
    let partitions = partitions(context, topic)?;
    context.mutations.take(partitions.len())?;

    let topic_id = context.random_uuid();
    let mut records = vec![TopicRecord { name: topic.name.clone(), topic_id }.into()];
    records.extend(own.iter().map(|(name, value)| {
        config_record(resource.kind, &resource.name, name, Some(value.clone()))
    }));
    records.extend(
        (0..)
            .zip(&partitions)
            .map(|(index, partition)| partition.to_record(topic_id, index).into()),
    );
    let result = CreatableTopicResult {
        name: topic.name.clone(),
        topic_id,
        error_message: None,
        num_partitions: partitions.len() as i32,
        replication_factor: partitions[0].replicas.len() as i16,
        configs: Some(effective_configs(context, &own)),
        ..CreatableTopicResult::default()
    };
    Ok((result, records))
}

/// Every config of a topic with these of its own, as version 5 and later answer it.
fn effective_configs(context: &Context<'_>, own: &Configs) -> Vec<CreatableTopicConfigs> {
    let layers = configs::layers(context.image, context.settings);
    let entries = describe_topic(own, &layers).into_iter().map(|entry| CreatableTopicConfigs {
        name: entry.name,
        value: entry.value,
        read_only: entry.read_only,
        config_source: entry.source as i8,
        is_sensitive: entry.is_sensitive,
    });
    entries.collect()
}

fn check_name(context: &Context<'_>, name: &str) -> Result<(), ApiError> {
    if context.image.topics.by_name(name).is_some() {
        return Err(ApiError::new(
            ErrorCode::TopicAlreadyExists,
            format!("Topic '{name}' already exists."),
        ));
    }
    topic_name::validate(name)
        .map_err(|reason| ApiError::new(ErrorCode::InvalidTopicException, reason))?;
    if let Some(other) = context.image.topics.colliding_with(name) {
        let message = format!("Topic '{name}' collides with existing topic: {other}");
        return Err(ApiError::new(ErrorCode::InvalidTopicException, message));
    }
    Ok(())
}

fn own_configs(topic: &CreatableTopic) -> Result<Configs, ApiError> {
    let nulls: Vec<&str> = topic
        .configs
        .iter()
        .filter(|config| config.value.is_none())
        .map(|config| &*config.name)
        .collect();
    if !nulls.is_empty() {
        let message = format!("Null value not supported for topic configs: {}", nulls.join(","));
        return Err(ApiError::new(ErrorCode::InvalidConfig, message));
    }
    Ok(topic
        .configs
        .iter()
        .filter_map(|config| Some((config.name.clone(), config.value.clone()?)))
        .collect())
}

fn partitions(
    context: &mut Context<'_>,
    topic: &CreatableTopic,
) -> Result<Vec<PartitionRegistration>, ApiError> {
    if !topic.assignments.is_empty() {
        return assigned_partitions(context, topic);
    }
    let replication_factor = match topic.replication_factor {
        -1 => context.settings.default_replication_factor,
        factor if factor > 0 => factor,
        _ => {
            let message =
                "Replication factor must be larger than 0, or -1 to use the default value.";
            return Err(ApiError::new(ErrorCode::InvalidReplicationFactor, message));
        }
    };
    let count = match topic.num_partitions {
        -1 => context.settings.num_partitions,
        count if count > 0 => count,
        _ => {
            let message = "Number of partitions was set to an invalid non-positive value.";
            return Err(ApiError::new(ErrorCode::InvalidPartitions, message));
        }
    };
    placed_partitions(context, count as usize, replication_factor as usize).map_err(|reason| {
        let message =
            format!("Unable to replicate the partition {replication_factor} time(s): {reason}");
        ApiError::new(ErrorCode::InvalidReplicationFactor, message)
    })
}

/// `count` new partitions on brokers that the controller chooses. Err: why it cannot.
pub fn placed_partitions(
    context: &mut Context<'_>,
    count: usize,
    replication_factor: usize,
) -> Result<Vec<PartitionRegistration>, String> {
    let placed = placement::place(context.image, count, replication_factor, context.random)?;
    let built =
        placed.into_iter().map(|replicas| new_partition(context, replicas)).collect::<Option<_>>();
    built.ok_or_else(|| "All brokers are currently fenced or in controlled shutdown.".to_owned())
}

fn assigned_partitions(
    context: &Context<'_>,
    topic: &CreatableTopic,
) -> Result<Vec<PartitionRegistration>, ApiError> {
    let refuse = |message: String| ApiError::new(ErrorCode::InvalidReplicaAssignment, message);
    for (given, what) in [
        (i32::from(topic.replication_factor), "replication factor"),
        (topic.num_partitions, "numPartitions"),
    ] {
        if given != -1 {
            let message = format!(
                "A manual partition assignment was specified, but {what} was not set to -1."
            );
            return Err(ApiError::invalid_request(message));
        }
    }
    let mut assignments: Vec<&CreatableReplicaAssignment> = topic.assignments.iter().collect();
    assignments.sort_by_key(|assignment| assignment.partition_index);
    if let Some(pair) =
        assignments.windows(2).find(|pair| pair[0].partition_index == pair[1].partition_index)
    {
        let index = pair[0].partition_index;
        return Err(refuse(format!(
            "Found multiple manual partition assignments for partition {index}"
        )));
    }
    let replication_factor = topic.assignments[0].broker_ids.len();
    let mut partitions = Vec::with_capacity(assignments.len());
    for assignment in &assignments {
        check_manual_assignment(context, &assignment.broker_ids, Some(replication_factor))?;
        let partition = new_partition(context, assignment.broker_ids.clone());
        partitions.push(partition.ok_or_else(|| all_fenced(assignment.partition_index))?);
    }
    if (0..).zip(&assignments).any(|(index, assignment)| assignment.partition_index != index) {
        return Err(refuse(
            "partitions should be a consecutive 0-based integer sequence".to_owned(),
        ));
    }
    Ok(partitions)
}

/// Why a manual assignment is refused none of whose brokers is active.
pub fn all_fenced(partition: i32) -> ApiError {
    let message = format!(
        "All brokers specified in the manual partition assignment for partition {partition} are \
         fenced or in controlled \
         shutdown."
    );
    ApiError::new(ErrorCode::InvalidReplicaAssignment, message)
}

/// A partition that begins on these brokers: those that are active are in sync, the first of them
/// leads. None: none is.
pub fn new_partition(context: &Context<'_>, replicas: Vec<i32>) -> Option<PartitionRegistration> {
    let broker = |id: i32| context.image.broker(id);
    let isr: Vec<i32> = replicas
        .iter()
        .copied()
        .filter(|&id| broker(id).is_some_and(|broker| broker.is_active()))
        .collect();
    Some(PartitionRegistration {
        directories: replicas.iter().map(|&id| default_directory(context, id)).collect(),
        leader: *isr.first()?,
        isr,
        replicas,
        ..PartitionRegistration::default()
    })
}

/// The directory of a new replica; of a broker that the image does not know, none yet.
pub fn default_directory(context: &Context<'_>, broker: i32) -> protocol::Uuid {
    use crate::meta::topic::directory::UNASSIGNED;
    context.image.broker(broker).map_or(UNASSIGNED, |broker| broker.default_directory())
}

/// Checks the brokers that a client wants a partition on.
pub fn check_manual_assignment(
    context: &Context<'_>,
    brokers: &[i32],
    replication_factor: Option<usize>,
) -> Result<(), ApiError> {
    let refuse = |message: String| Err(ApiError::new(ErrorCode::InvalidReplicaAssignment, message));
    if brokers.is_empty() {
        return refuse(
            "The manual partition assignment includes an empty replica list.".to_owned(),
        );
    }
    let mut sorted = brokers.to_vec();
    sorted.sort_unstable();
    for (index, &id) in sorted.iter().enumerate() {
        if context.image.broker(id).is_none() {
            return refuse(format!(
                "The manual partition assignment includes broker {id}, but no such broker is \
                 registered."
            ));
        }
        if index > 0 && sorted[index - 1] == id {
            return refuse(format!(
                "The manual partition assignment includes the broker {id} more than once."
            ));
        }
    }
    match replication_factor {
        Some(factor) if factor != sorted.len() => refuse(format!(
            "The manual partition assignment includes a partition with {} replica(s), but this is \
             not consistent with \
             previous partitions, which have {factor} replica(s).",
            sorted.len()
        )),
        _ => Ok(()),
    }
}
