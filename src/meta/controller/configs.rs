//! IncrementalAlterConfigs (key 44) and AlterConfigs (key 33): sets and removes configs of topics,
//! brokers, groups and client metrics subscriptions. Each resource is altered as a whole or not at
//! all.
//!
//! A broker's resource is this node's, or the nameless one that stands for all brokers. What
//! configs exist and which values they take is [`crate::config`]'s to say.

use super::{ApiError, Context, Outcome, Settings, error_fields};
use crate::config::{
    Layers,
    alter::{self, Alteration, Operation, Rejection},
    definitions::{self, Definition},
};
use crate::meta::{
    client_metrics,
    image::{ConfigResource, ConfigResourceType, Configs, MetadataImage},
    snapshot::config_record,
    topic_name,
};
use protocol::ErrorCode;
use protocol::messages::{
    AlterConfigsRequest, AlterConfigsResponse, IncrementalAlterConfigsRequest,
    IncrementalAlterConfigsResponse, alter_configs_response, incremental_alter_configs_response,
};
use protocol::metadata_records::MetadataRecord;
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;

impl From<Rejection> for ApiError {
    fn from(rejection: Rejection) -> Self {
        Self::new(rejection.error, rejection.message)
    }
}

/// The values set for this node's configs, layer by layer, but for stored ones that it cannot use.
pub fn layers(image: &MetadataImage, settings: &Settings) -> Layers {
    let broker = |name: &str| image.configs_of(ConfigResourceType::Broker, name).clone();
    let stored = Layers {
        static_values: settings.static_configs.clone(),
        dynamic_default: broker(""),
        dynamic_broker: broker(&settings.node_id.to_string()),
        ..Layers::default()
    };
    let (usable, _) = stored.usable();
    usable
}

/// The value of a topic's config: its own, else the default; empty where that is null.
pub fn topic_value(context: &Context<'_>, topic: &str, name: &str) -> String {
    let own = context.image.configs_of(ConfigResourceType::Topic, topic).get(name).cloned();
    let default =
        || layers(context.image, context.settings).topic_defaults().get(name).cloned().flatten();
    own.or_else(default).unwrap_or_default()
}

/// Whether a topic that is being created may have these configs.
pub fn check_new_topic(context: &Context<'_>, configs: &Configs) -> Result<(), ApiError> {
    check_sizes(configs)?;
    Ok(alter::validate_topic_overrides(configs, &layers(context.image, context.settings))?)
}

pub fn incremental(
    context: &Context<'_>,
    request: &IncrementalAlterConfigsRequest,
) -> Outcome<IncrementalAlterConfigsResponse> {
    let resources = request.resources.iter();
    let times =
        Times::of(resources.map(|resource| (resource.resource_type, &*resource.resource_name)));
    let mut records = Vec::new();
    let mut responses = Vec::with_capacity(request.resources.len());
    for resource in &request.resources {
        let named = (resource.resource_type, &*resource.resource_name);
        let altered = times.check_once(named).and_then(|()| {
            let alterations = resource.configs.iter().map(|config| {
                let operation = Operation::from_wire(config.config_operation)?;
                Ok(Alteration { name: config.name.clone(), operation, value: config.value.clone() })
            });
            let alterations: Vec<Alteration> = alterations.collect::<Result<_, Rejection>>()?;
            alter_incrementally(
                context,
                resource.resource_type,
                &resource.resource_name,
                &alterations,
            )
        });
        let (error_code, error_message) = error_fields(&altered);
        responses.push(incremental_alter_configs_response::AlterConfigsResourceResponse {
            error_code,
            error_message,
            resource_type: resource.resource_type,
            resource_name: resource.resource_name.clone(),
        });
        records.extend(altered.into_iter().flatten());
    }
    if request.validate_only {
        records.clear();
    }
    Outcome::of(records, IncrementalAlterConfigsResponse { throttle_time_ms: 0, responses })
}

pub fn legacy(
    context: &Context<'_>,
    request: &AlterConfigsRequest,
) -> Outcome<AlterConfigsResponse> {
    let resources = request.resources.iter();
    let times =
        Times::of(resources.map(|resource| (resource.resource_type, &*resource.resource_name)));
    let mut records = Vec::new();
    let mut responses = Vec::with_capacity(request.resources.len());
    for resource in &request.resources {
        let named = (resource.resource_type, &*resource.resource_name);
        let altered = times.check_once(named).and_then(|()| {
            let configs =
                resource.configs.iter().map(|config| (&*config.name, config.value.as_deref()));
            replace(context, resource.resource_type, &resource.resource_name, configs.collect())
        });
        let (error_code, error_message) = error_fields(&altered);
        responses.push(alter_configs_response::AlterConfigsResourceResponse {
            error_code,
            error_message,
            resource_type: resource.resource_type,
            resource_name: resource.resource_name.clone(),
        });
        records.extend(altered.into_iter().flatten());
    }
    if request.validate_only {
        records.clear();
    }
    Outcome::of(records, AlterConfigsResponse { throttle_time_ms: 0, responses })
}

/// How often a request names each resource, counted once for all of them.
struct Times<'a>(FxHashMap<(i8, &'a str), usize>);

impl<'a> Times<'a> {
    fn of(resources: impl Iterator<Item = (i8, &'a str)>) -> Times<'a> {
        let mut times = FxHashMap::default();
        resources.for_each(|resource| *times.entry(resource).or_default() += 1);
        Times(times)
    }

    fn check_once(&self, resource: (i8, &str)) -> Result<(), ApiError> {
        match self.0[&resource] {
            1 => Ok(()),
            _ => Err(ApiError::invalid_request("Each resource must appear at most once.")),
        }
    }
}

fn alter_incrementally(
    context: &Context<'_>,
    kind: i8,
    name: &str,
    alterations: &[Alteration],
) -> Result<Vec<MetadataRecord>, ApiError> {
    let resource = resource(kind, name)?;
    let current = context.image.configs_of(resource.kind, &resource.name);
    let target = alter::apply_incremental(definitions_of(resource.kind), current, alterations)?;
    let touched = alterations.iter().map(|alteration| &*alteration.name).collect();
    finish(context, &resource, current, &target, &touched)
}

/// Sets exactly these configs; others that are set go (the way of AlterConfigs, which KIP-339
/// replaced).
fn replace(
    context: &Context<'_>,
    kind: i8,
    name: &str,
    configs: Vec<(&str, Option<&str>)>,
) -> Result<Vec<MetadataRecord>, ApiError> {
    let resource = resource(kind, name)?;
    let names: BTreeSet<&str> = configs.iter().map(|(name, _)| *name).collect();
    if names.len() < configs.len() {
        return Err(ApiError::invalid_request("Error due to duplicate config keys"));
    }
    let nulls: Vec<&str> =
        configs.iter().filter(|(_, value)| value.is_none()).map(|(name, _)| *name).collect();
    if !nulls.is_empty() {
        return Err(ApiError::invalid_request(format!(
            "Null value not supported for : {}",
            nulls.join(", ")
        )));
    }
    let current = context.image.configs_of(resource.kind, &resource.name);
    let values =
        configs.iter().filter_map(|(name, value)| Some(((*name).to_owned(), (*value)?.to_owned())));
    finish(context, &resource, current, &values.collect(), &names)
}

fn resource(kind: i8, name: &str) -> Result<ConfigResource, ApiError> {
    match ConfigResourceType::from_code(kind) {
        // Log levels are no records: the broker sets them (`shard/apis/loggers.rs`).
        None | Some(ConfigResourceType::BrokerLogger) => {
            Err(ApiError::invalid_request(format!("Unknown resource type {kind}")))
        }
        Some(kind) => Ok(ConfigResource::new(kind, name)),
    }
}

fn definitions_of(kind: ConfigResourceType) -> &'static [Definition] {
    match kind {
        ConfigResourceType::Topic => definitions::topic(),
        ConfigResourceType::Broker => definitions::broker(),
        ConfigResourceType::Group => definitions::group(),
        ConfigResourceType::ClientMetrics => client_metrics::definitions(),
        ConfigResourceType::BrokerLogger => &[],
    }
}

/// The records that lead from `current` to `target`, if that is valid. Of a broker, configs in
/// `touched` get a record even when nothing changes: that makes the broker look at files that a
/// config names (KAFKA-14136).
fn finish(
    context: &Context<'_>,
    resource: &ConfigResource,
    current: &Configs,
    target: &Configs,
    touched: &BTreeSet<&str>,
) -> Result<Vec<MetadataRecord>, ApiError> {
    validate(context, resource, current, target)?;
    let again = |name: &str| resource.kind == ConfigResourceType::Broker && touched.contains(name);
    let names: BTreeSet<&String> = current.keys().chain(target.keys()).collect();
    let changed =
        names.into_iter().filter(|name| current.get(*name) != target.get(*name) || again(name));
    Ok(changed
        .map(|name| config_record(resource.kind, &resource.name, name, target.get(name).cloned()))
        .collect())
}

fn validate(
    context: &Context<'_>,
    resource: &ConfigResource,
    current: &Configs,
    target: &Configs,
) -> Result<(), ApiError> {
    check_sizes(target)?;
    let layers = layers(context.image, context.settings);
    match resource.kind {
        ConfigResourceType::Topic => {
            check_topic_name(&resource.name)?;
            alter::validate_topic_overrides(target, &layers)?;
            if context.image.topics.id(&resource.name).is_none() {
                return Err(ApiError::new(
                    ErrorCode::UnknownTopicOrPartition,
                    format!("The topic '{}' does not exist.", resource.name),
                ));
            }
        }
        ConfigResourceType::Broker => {
            check_broker_name(context, &resource.name)?;
            let per_broker = !resource.name.is_empty();
            alter::validate_broker_change(&layers, current, target, per_broker)?;
        }
        ConfigResourceType::Group => {
            if resource.name.is_empty() {
                return Err(ApiError::invalid_request("Default group resources are not allowed."));
            }
            alter::validate_group_overrides(target, &layers)?;
        }
        ConfigResourceType::ClientMetrics => client_metrics::validate(&resource.name, target)?,
        ConfigResourceType::BrokerLogger => unreachable!("log levels are no records"),
    }
    Ok(())
}

fn check_sizes(configs: &Configs) -> Result<(), ApiError> {
    if configs.values().any(|value| value.len() > alter::MAX_VALUE_BYTES) {
        let limit = alter::MAX_VALUE_BYTES;
        let message = format!(
            "The configuration value cannot be added because it exceeds the maximum value size of \
             {limit} bytes."
        );
        return Err(ApiError::new(ErrorCode::InvalidConfig, message));
    }
    Ok(())
}

fn check_topic_name(name: &str) -> Result<(), ApiError> {
    if name.is_empty() {
        return Err(ApiError::invalid_request("Default topic resources are not allowed."));
    }
    topic_name::validate(name)
        .map_err(|reason| ApiError::new(ErrorCode::InvalidTopicException, reason))
}

fn check_broker_name(context: &Context<'_>, name: &str) -> Result<(), ApiError> {
    if name.is_empty() {
        return Ok(());
    }
    let Ok(id) = name.parse::<i32>() else {
        return Err(ApiError::invalid_request(format!(
            "Node id must be an integer, but it is: {name}"
        )));
    };
    let expected = context.settings.node_id;
    if id != expected {
        let message = format!("Unexpected broker id, expected {expected}, but received {name}");
        return Err(ApiError::invalid_request(message));
    }
    Ok(())
}
