//! What DescribeConfigs answers (`kafka.server.ConfigHelper`): every config with its value, where
//! the value comes from, and the other places it could come from. Pure; runs wherever the request
//! runs.

use super::definitions::{self, ConfigType, Definition, UpdateMode};
use super::layers::{self, Layers, Values};

/// Where a value comes from, with the number on the wire (`DescribeConfigsResponse.ConfigSource`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(i8)]
pub enum Source {
    TopicConfig = 1,
    DynamicBrokerConfig = 2,
    DynamicDefaultBrokerConfig = 3,
    StaticBrokerConfig = 4,
    DefaultConfig = 5,
    DynamicBrokerLogger = 6,
    ClientMetricsConfig = 7,
    GroupConfig = 8,
}

/// One config of the answer. A sensitive one has no value. The caller leaves out synonyms,
/// documentation and names that the request does not ask for.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub name: String,
    pub value: Option<String>,
    pub source: Source,
    pub is_sensitive: bool,
    pub read_only: bool,
    pub config_type: ConfigType,
    /// The strongest first; the first one is where `value` comes from.
    pub synonyms: Vec<SynonymEntry>,
    pub documentation: Option<&'static str>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SynonymEntry {
    pub name: String,
    pub value: Option<String>,
    pub source: Source,
}

/// All configs of a topic that has set `overrides`, by name.
pub fn describe_topic(overrides: &Values, layers: &Layers) -> Vec<Entry> {
    let defaults = layers.topic_defaults();
    let entry = |definition: &'static Definition| {
        let default = defaults[definition.name].clone();
        let inherited = match definition.broker_synonyms.first() {
            Some(synonym) => broker_synonyms(synonym.name, layers),
            None => Vec::new(),
        };
        resource_entry(definition, overrides, default, inherited, Source::TopicConfig)
    };
    shown(definitions::topic(), overrides).map(entry).collect()
}

/// All configs of a group that has set `overrides`, by name.
pub fn describe_group(overrides: &Values, layers: &Layers) -> Vec<Entry> {
    let defaults = layers.group_defaults();
    let entry = |definition: &'static Definition| {
        let default = defaults[definition.name].clone();
        let inherited = match definition.broker_synonyms.first() {
            Some(synonym) => broker_synonyms(synonym.name, layers),
            None => default_synonym(definition).into_iter().collect(),
        };
        resource_entry(definition, overrides, default, inherited, Source::GroupConfig)
    };
    shown(definitions::group(), overrides).map(entry).collect()
}

/// All configs of this broker, by name, with those that no definition knows (their values are kept
/// secret).
pub fn describe_broker(layers: &Layers) -> Vec<Entry> {
    let merged = layers.merged();
    let mut entries: Vec<Entry> = shown(definitions::broker(), &merged)
        .map(|definition| {
            broker_entry(definition.name, current_value(definition, &merged), layers, true)
        })
        .collect();
    for (name, value) in &merged {
        if definitions::find(definitions::broker(), name).is_none() {
            entries.push(broker_entry(name, Some(value.clone()), layers, true));
        }
    }
    entries.sort_by(|left, right| left.name.cmp(&right.name));
    entries
}

/// The dynamic configs of all brokers: the broker resource with an empty name.
pub fn describe_broker_defaults(layers: &Layers) -> Vec<Entry> {
    let entry =
        |(name, value): (&String, &String)| broker_entry(name, Some(value.clone()), layers, false);
    layers.dynamic_default.iter().map(entry).collect()
}

fn shown<'a>(
    definitions: &'static [Definition],
    set: &'a Values,
) -> impl Iterator<Item = &'static Definition> + use<'a> {
    definitions
        .iter()
        .filter(|definition| !definition.internal || set.contains_key(definition.name))
}

fn current_value(definition: &Definition, merged: &Values) -> Option<String> {
    match merged.get(definition.name) {
        Some(value) => Some(definition.normalize(value).unwrap_or_else(|_| value.clone())),
        None => definition.default.map(str::to_owned),
    }
}

fn resource_entry(
    definition: &'static Definition,
    overrides: &Values,
    default: Option<String>,
    inherited: Vec<SynonymEntry>,
    own_source: Source,
) -> Entry {
    let name = definition.name.to_owned();
    let own = overrides
        .get(definition.name)
        .map(|value| definition.normalize(value).unwrap_or_else(|_| value.clone()));
    let is_sensitive = definition.is_sensitive();
    let visible = |value: Option<String>| value.filter(|_| !is_sensitive);
    let mut synonyms = inherited;
    if let Some(value) = &own {
        let value = visible(Some(value.clone()));
        synonyms.insert(0, SynonymEntry { name: name.clone(), value, source: own_source });
    }
    Entry {
        name,
        value: visible(own.or(default)),
        source: synonyms.first().map_or(Source::DefaultConfig, |first| first.source),
        is_sensitive,
        read_only: false,
        config_type: definition.config_type,
        synonyms,
        documentation: Some(definition.documentation),
    }
}

fn broker_entry(name: &str, value: Option<String>, layers: &Layers, per_broker: bool) -> Entry {
    let definition = definitions::find_broker(name);
    // The value of an unknown config may be a secret.
    let is_sensitive = definition.is_none_or(Definition::is_sensitive);
    let mut synonyms = broker_synonyms(name, layers);
    synonyms.retain(|synonym| per_broker || synonym.source == Source::DynamicDefaultBrokerConfig);
    let exact = definitions::find(definitions::broker(), name);
    Entry {
        name: name.to_owned(),
        value: value.filter(|_| !is_sensitive),
        source: synonyms.first().map_or(Source::DefaultConfig, |first| first.source),
        is_sensitive,
        read_only: exact.is_none_or(|definition| definition.update_mode == UpdateMode::ReadOnly),
        config_type: definition.map_or(ConfigType::Unknown, |definition| definition.config_type),
        synonyms,
        documentation: exact.map(|definition| definition.documentation),
    }
}

/// Where the broker config `name` is set, the strongest first. As in Kafka the list starts at the
/// first place that sets `name` itself: values of other names before it are left out, and with no
/// such place the list is empty.
fn broker_synonyms(name: &str, layers: &Layers) -> Vec<SynonymEntry> {
    let is_sensitive = definitions::find_broker(name).is_none_or(Definition::is_sensitive);
    let names = layers::synonyms(name);
    let mut found = Vec::new();
    for (source, values) in [
        (Source::DynamicBrokerConfig, &layers.dynamic_broker),
        (Source::DynamicDefaultBrokerConfig, &layers.dynamic_default),
        (Source::StaticBrokerConfig, &layers.static_values),
    ] {
        for name in &names {
            if let Some(value) = values.get(*name) {
                let value = (!is_sensitive).then(|| value.clone());
                found.push(SynonymEntry { name: name.to_string(), value, source });
            }
        }
    }
    let definitions =
        names.iter().filter_map(|name| definitions::find(definitions::broker(), name));
    found.extend(definitions.filter_map(default_synonym));
    found.into_iter().skip_while(|synonym| synonym.name != name).collect()
}

fn default_synonym(definition: &Definition) -> Option<SynonymEntry> {
    let default = definition.default?;
    let value = (!definition.is_sensitive()).then(|| default.to_owned());
    Some(SynonymEntry { name: definition.name.to_owned(), value, source: Source::DefaultConfig })
}

#[cfg(test)]
mod tests;
