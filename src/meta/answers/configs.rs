//! DescribeConfigs (key 32) and ListConfigResources (key 74).

use super::Brokers;
use crate::config::describe::{self, Entry, Source, SynonymEntry};
use crate::limits;
use crate::meta::{
    ApiError, client_metrics,
    controller::{Settings, configs::layers, error_fields},
    image::{ConfigResourceType, Configs, MetadataImage},
    topic_name,
};
use protocol::ErrorCode;
use protocol::messages::{
    DescribeConfigsRequest, DescribeConfigsResponse, ListConfigResourcesRequest,
    ListConfigResourcesResponse,
    describe_configs_request::DescribeConfigsResource,
    describe_configs_response::{
        DescribeConfigsResourceResult, DescribeConfigsResult, DescribeConfigsSynonym,
    },
    list_config_resources_response::ConfigResource,
};
use rustc_hash::FxHashSet;

const TOO_MANY_CONFIGS: &str = "The response would be too large: describe fewer resources at once.";

/// Answers for topics, groups, client metrics, and brokers: this node's configs, or those of all.
/// A resource that is named again is answered once; those beyond what one response may take are
/// refused.
pub fn describe_configs(
    image: &MetadataImage,
    settings: &Settings,
    request: &DescribeConfigsRequest,
) -> DescribeConfigsResponse {
    let mut seen = FxHashSet::default();
    let (mut configs_bytes, mut results) = (0, Vec::new());
    for resource in &request.resources {
        if !seen.insert((resource.resource_type, &*resource.resource_name)) {
            continue;
        }
        let entries = match configs_bytes <= limits::RESPONSE_MAX_BYTES {
            true => entries(image, settings, resource),
            false => Err(ApiError::new(ErrorCode::PolicyViolation, TOO_MANY_CONFIGS)),
        };
        let (error_code, error_message) = error_fields(&entries);
        let asked = |entry: &Entry| match resource.configuration_keys.as_deref() {
            None | Some([]) => true,
            Some(names) => names.contains(&entry.name),
        };
        let shown = entries.into_iter().flatten().filter(asked);
        let configs: Vec<_> = shown.map(|entry| to_wire(entry, request)).collect();
        configs_bytes += configs.iter().map(wire_bytes).sum::<usize>();
        results.push(DescribeConfigsResult {
            error_code,
            error_message,
            resource_type: resource.resource_type,
            resource_name: resource.resource_name.clone(),
            configs,
        });
    }
    DescribeConfigsResponse { throttle_time_ms: 0, results }
}

/// What a config takes in a response, about.
fn wire_bytes(config: &DescribeConfigsResourceResult) -> usize {
    let text = |value: &Option<String>| value.as_ref().map_or(0, String::len);
    let synonym = |synonym: &DescribeConfigsSynonym| 4 + synonym.name.len() + text(&synonym.value);
    let own = 8 + config.name.len() + text(&config.value) + text(&config.documentation);
    own + config.synonyms.iter().map(synonym).sum::<usize>()
}

fn entries(
    image: &MetadataImage,
    settings: &Settings,
    resource: &DescribeConfigsResource,
) -> Result<Vec<Entry>, ApiError> {
    let name = &*resource.resource_name;
    let Some(kind) = ConfigResourceType::from_code(resource.resource_type) else {
        let message = format!("Unexpected resource type UNKNOWN for resource {name}");
        return Err(ApiError::invalid_request(message));
    };
    let own = image.configs_of(kind, name);
    match kind {
        ConfigResourceType::Topic => {
            topic_name::validate(name)
                .map_err(|reason| ApiError::new(ErrorCode::InvalidTopicException, reason))?;
            if image.topics.id(name).is_none() {
                return Err(ApiError::bare(ErrorCode::UnknownTopicOrPartition));
            }
            Ok(describe::describe_topic(own, &layers(image, settings)))
        }
        ConfigResourceType::Broker if name.is_empty() => {
            Ok(describe::describe_broker_defaults(&layers(image, settings)))
        }
        ConfigResourceType::Broker => {
            check_broker(name, settings, " or empty string,")?;
            Ok(describe::describe_broker(&layers(image, settings)))
        }
        ConfigResourceType::BrokerLogger if name.is_empty() => {
            Err(ApiError::invalid_request("Broker id must not be empty"))
        }
        // Levels are no metadata: the broker adds those of its loggers.
        ConfigResourceType::BrokerLogger => check_broker(name, settings, "").map(|()| Vec::new()),
        ConfigResourceType::ClientMetrics if name.is_empty() => {
            Err(ApiError::invalid_request("Client metrics subscription name must not be empty"))
        }
        ConfigResourceType::ClientMetrics => Ok(client_metrics_entries(own)),
        ConfigResourceType::Group if name.is_empty() => {
            Err(ApiError::invalid_request("Group name must not be empty"))
        }
        ConfigResourceType::Group => Ok(describe::describe_group(own, &layers(image, settings))),
    }
}

fn check_broker(name: &str, settings: &Settings, or_what: &str) -> Result<(), ApiError> {
    let expected = settings.node_id;
    let Ok(id) = name.parse::<i32>() else {
        return Err(ApiError::invalid_request(format!(
            "Broker id must be an integer, but it is: {name}"
        )));
    };
    if id != expected {
        let message =
            format!("Unexpected broker id, expected {expected}{or_what} but received {name}");
        return Err(ApiError::invalid_request(message));
    }
    Ok(())
}

fn client_metrics_entries(own: &Configs) -> Vec<Entry> {
    let entry = |definition: &'static crate::config::definitions::Definition| {
        let name = definition.name.to_owned();
        let set = own
            .get(definition.name)
            .map(|value| definition.normalize(value).unwrap_or_else(|_| value.clone()));
        let synonym =
            |value| SynonymEntry { name: name.clone(), value, source: Source::ClientMetricsConfig };
        Entry {
            source: if set.is_some() { Source::ClientMetricsConfig } else { Source::DefaultConfig },
            synonyms: set.iter().map(|value| synonym(Some(value.clone()))).collect(),
            value: set.or_else(|| definition.default.map(str::to_owned)),
            is_sensitive: false,
            read_only: false,
            config_type: definition.config_type,
            documentation: Some(definition.documentation),
            name,
        }
    };
    client_metrics::definitions().iter().map(entry).collect()
}

fn to_wire(entry: Entry, request: &DescribeConfigsRequest) -> DescribeConfigsResourceResult {
    let synonyms = entry.synonyms.into_iter().filter(|_| request.include_synonyms);
    DescribeConfigsResourceResult {
        name: entry.name,
        value: entry.value,
        read_only: entry.read_only,
        config_source: entry.source as i8,
        is_sensitive: entry.is_sensitive,
        synonyms: synonyms
            .map(|synonym| DescribeConfigsSynonym {
                name: synonym.name,
                value: synonym.value,
                source: synonym.source as i8,
            })
            .collect(),
        config_type: entry.config_type as i8,
        documentation: entry
            .documentation
            .filter(|_| request.include_documentation)
            .map(str::to_owned),
    }
}

/// Groups and client metrics subscriptions that have configs; every topic; the brokers of this
/// listener.
pub fn list_config_resources(
    image: &MetadataImage,
    listener: &str,
    request: &ListConfigResourcesRequest,
    version: i16,
) -> ListConfigResourcesResponse {
    use ConfigResourceType::{Broker, BrokerLogger, ClientMetrics, Group, Topic};
    let supported: &[ConfigResourceType] = if version == 0 {
        &[ClientMetrics]
    } else {
        &[Group, ClientMetrics, BrokerLogger, Broker, Topic]
    };
    let asked = &request.resource_types;
    if !asked.iter().all(|code| supported.iter().any(|kind| kind.code() == *code)) {
        return ListConfigResourcesResponse {
            error_code: ErrorCode::UnsupportedVersion.code(),
            ..Default::default()
        };
    }
    let mut config_resources = Vec::new();
    for &kind in supported.iter().filter(|kind| asked.is_empty() || asked.contains(&kind.code())) {
        let resource = |resource_name| ConfigResource { resource_name, resource_type: kind.code() };
        match kind {
            Group | ClientMetrics => {
                let configured = image.configs.keys().filter(|configured| configured.kind == kind);
                config_resources
                    .extend(configured.map(|configured| resource(configured.name.clone())));
            }
            Broker | BrokerLogger => {
                let brokers = Brokers { image, listener }.reachable();
                config_resources
                    .extend(brokers.map(|(broker, ..)| resource(broker.0.broker_id.to_string())));
            }
            Topic => config_resources
                .extend(image.topics.iter().map(|topic| resource(topic.name.to_string()))),
        }
    }
    ListConfigResourcesResponse { config_resources, ..Default::default() }
}
