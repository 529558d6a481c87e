//! Loading at start: the command line over the environment over the file over the defaults, into
//! one `BrokerConfig`. Runs once on the main thread before any core starts; the only module of
//! `config` that touches the disk.

use std::collections::BTreeMap;
use std::path::Path;

use super::alter;
use super::broker::BrokerConfig;
use super::definitions;
use super::effects::{self, Effect};
use super::environment;
use super::layers::{CONNECTION_LIMITS, Layers, Values};
use super::properties;

/// A broker's configs, and what its operator should know about them.
#[derive(Debug, Clone)]
pub struct Loaded {
    pub config: BrokerConfig,
    /// What was set, for DescribeConfigs and for laying dynamic configs over it.
    pub layers: Layers,
    /// For `BrokerConfig::from_layers` when a dynamic config changes.
    pub hostname: String,
    /// Probably not what the operator wants: log at WARN.
    pub warnings: Vec<String>,
    /// Good to know: log at INFO.
    pub notes: Vec<String>,
}

/// Why the broker cannot start: each problem names the config, the value, where it comes from and
/// the allowed values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .problems.join("\n"))]
pub struct ConfigError {
    pub problems: Vec<String>,
}

impl ConfigError {
    fn one(problem: String) -> ConfigError {
        ConfigError { problems: vec![problem] }
    }
}

const NODE_ID: &str = "node.id";
const BROKER_ID: &str = "broker.id";

/// The values that Millstream sets where the operator sets none, so that it starts without a file:
/// a single node.
const START_DEFAULTS: [(&str, &str); 5] = [
    ("controller.listener.names", "CONTROLLER"),
    ("listeners", "PLAINTEXT://localhost:9092"),
    ("log.dirs", "./millstream-data"),
    ("node.id", "1"),
    ("process.roles", "broker,controller"),
];

/// A node that no controller address leads to stays alone: its internal topics cannot have more
/// replicas.
const ALONE_DEFAULTS: [(&str, &str); 5] = [
    ("offsets.topic.replication.factor", "1"),
    ("share.coordinator.state.topic.min.isr", "1"),
    ("share.coordinator.state.topic.replication.factor", "1"),
    ("transaction.state.log.min.isr", "1"),
    ("transaction.state.log.replication.factor", "1"),
];

/// Configs that protect data: set without effect, they deserve a warning instead of a note.
const PROTECTING: [&str; 3] =
    ["authorizer.class.name", "sasl.enabled.mechanisms", "ssl.client.auth"];

/// Configs that are acted on also when they are set for one listener.
const PER_LISTENER: [&str; 2] = ["max.connections", "max.connection.creation.rate"];

/// Loads the configs of `file` (if any), the environment's variables and `overrides`
/// (`--override`), each stronger than the one before.
pub fn load(
    file: Option<&Path>,
    overrides: &[(String, String)],
    environment: impl Iterator<Item = (String, String)>,
) -> Result<Loaded, ConfigError> {
    let text = match file {
        None => None,
        Some(path) => match std::fs::read(path) {
            Ok(bytes) => Some((path.display().to_string(), bytes)),
            Err(error) => {
                return Err(ConfigError::one(format!(
                    "{}: cannot be read: {error}; type `millstream serve PATH/server.properties`, \
                     or `millstream serve` alone \
                     for the defaults",
                    path.display()
                )));
            }
        },
    };
    let hostname = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let hostname = match hostname.trim() {
        "" => "localhost",
        hostname => hostname,
    };
    let file = text.as_ref().map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
    from_sources(file, overrides, environment, hostname)
}

/// As `load`, with the file's name and content instead of its path.
pub fn from_sources(
    file: Option<(&str, &[u8])>,
    overrides: &[(String, String)],
    environment: impl Iterator<Item = (String, String)>,
    hostname: &str,
) -> Result<Loaded, ConfigError> {
    let mut settings: BTreeMap<String, Setting> = BTreeMap::new();
    if let Some((name, bytes)) = file {
        let properties = properties::parse(bytes)
            .map_err(|problem| ConfigError::one(format!("{name}: {problem}")))?;
        for property in properties {
            let origin = format!("{name} line {}", property.line);
            settings.insert(property.key, Setting { value: property.value, origin });
        }
    }
    for (variable, value) in environment {
        if let Some(name) = environment::config_name(&variable) {
            settings.insert(
                name,
                Setting { value, origin: format!("environment variable {variable}") },
            );
        }
    }
    for (name, value) in overrides {
        let setting = Setting { value: value.clone(), origin: "--override".to_owned() };
        settings.insert(name.clone(), setting);
    }
    let limits = overrides.iter().filter(|(name, _)| is_connection_limit(name));
    finish(settings, limits.cloned().collect(), hostname)
}

fn is_connection_limit(name: &str) -> bool {
    CONNECTION_LIMITS.contains(&definitions::listener_base_name(name).unwrap_or(name))
}

struct Setting {
    value: String,
    /// Where it was set, for messages.
    origin: String,
}

fn finish(
    settings: BTreeMap<String, Setting>,
    command_line_limits: Values,
    hostname: &str,
) -> Result<Loaded, ConfigError> {
    let mut problems = Vec::new();
    let mut warnings = Vec::new();
    for (name, Setting { value, origin }) in &settings {
        match definitions::find_broker(name) {
            Some(definition) => problems.extend(
                definition.validate(value).err().map(|problem| format!("{origin}: {problem}")),
            ),
            None => {
                warnings.push(format!("{origin}: no config is named '{name}'{}", suggestion(name)))
            }
        }
    }
    if !problems.is_empty() {
        return Err(ConfigError { problems });
    }
    let mut static_values: Values =
        settings.into_iter().map(|(name, setting)| (name, setting.value)).collect();
    let user_set = static_values.clone();
    join_ids(&mut static_values)?;
    add_start_defaults(&mut static_values);
    if let Some(problem) = alter::lock_out(&static_values) {
        return Err(ConfigError::one(problem));
    }
    let layers = Layers { static_values, command_line_limits, ..Layers::default() };
    let typed = BrokerConfig::from_layers(&layers, hostname)
        .map_err(|problems| ConfigError { problems })?;

    for name in PROTECTING {
        if user_set.get(name).is_some_and(|value| !["", "none", "GSSAPI"].contains(&value.trim())) {
            warnings.push(format!(
                "{name} is set, but Millstream does not act on it yet: any client that reaches a \
                 listener may do \
                 everything"
            ));
        }
    }
    let mut notes = Vec::new();
    let without_effect: Vec<&str> = user_set
        .keys()
        .map(String::as_str)
        .filter(|name| definitions::find_broker(name).is_some_and(|of| !has_effect(name, of)))
        .filter(|name| !PROTECTING.contains(name))
        .collect();
    if !without_effect.is_empty() {
        notes.push(format!(
            "These configs are Kafka's and have no effect here: {}",
            without_effect.join(", ")
        ));
    }
    let alone =
        typed.config.quorum_voters.len() <= 1 && typed.config.quorum_bootstrap_servers.len() <= 1;
    if alone && typed.config.roles.broker && !typed.config.controller_listeners.is_empty() {
        notes
            .push("The controller listener is not opened: this node is a quorum of one".to_owned());
    }
    Ok(Loaded { config: typed.config, layers, hostname: hostname.to_owned(), warnings, notes })
}

/// Of the config `name` that `definition` defines, perhaps for one listener.
fn has_effect(name: &str, definition: &definitions::Definition) -> bool {
    match definition.name == name {
        true => !matches!(effects::BROKER.of(name), Effect::Without(_)),
        false => PER_LISTENER.contains(&definition.name),
    }
}

/// `broker.id` is an old name of `node.id`: each gives the other its value
/// (`KafkaConfig.populateSynonyms`).
fn join_ids(values: &mut Values) -> Result<(), ConfigError> {
    match (values.get(NODE_ID).cloned(), values.get(BROKER_ID).cloned()) {
        (Some(node), Some(broker)) if node.trim() != broker.trim() => Err(ConfigError::one(
            format!("node.id={node} and broker.id={broker} must be the same: remove broker.id"),
        )),
        (None, Some(broker)) => {
            values.insert(NODE_ID.to_owned(), broker);
            Ok(())
        }
        _ => Ok(()),
    }
}

fn add_start_defaults(values: &mut Values) {
    let mut add = |defaults: &[(&str, &str)]| {
        for (name, value) in defaults {
            values.entry(name.to_string()).or_insert_with(|| value.to_string());
        }
    };
    add(&START_DEFAULTS);
    let node_id = values[NODE_ID].clone();
    values.insert(BROKER_ID.to_owned(), node_id);
    let is_set = |name: &str| values.get(name).is_some_and(|value| !value.trim().is_empty());
    if !is_set("controller.quorum.voters") && !is_set("controller.quorum.bootstrap.servers") {
        for (name, value) in ALONE_DEFAULTS {
            values.entry(name.to_owned()).or_insert_with(|| value.to_owned());
        }
    }
}

/// ": did you mean '...'?" for a name within a few letters of a config's, else nothing.
fn suggestion(name: &str) -> String {
    let distance =
        |definition: &&definitions::Definition| strsim::damerau_levenshtein(name, definition.name);
    let nearest =
        definitions::broker().iter().min_by_key(distance).expect("the table is not empty");
    let near_enough = strsim::damerau_levenshtein(name, nearest.name) <= 1 + name.len() / 6;
    if near_enough { format!(": did you mean '{}'?", nearest.name) } else { String::new() }
}

#[cfg(test)]
mod tests;
