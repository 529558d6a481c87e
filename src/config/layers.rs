//! The layers that broker configs come in, and what results from laying them over one another.
//!
//! From the strongest: configs of this broker, configs of all brokers (both dynamic, from the
//! metadata log), what this broker was started with, Kafka's defaults. A limit on connections from
//! the command line is stronger than the dynamic one that was stored before, so that a broker that
//! takes no connection can be helped. Pure; made anew whenever a dynamic config changes.

use std::collections::BTreeMap;

use super::alter;
use super::definitions::{self, Definition, Synonym, Unit};

/// Values by config name, exactly as an operator or a client set them.
pub type Values = BTreeMap<String, String>;

/// The values that are set, per layer. Defaults are in the definitions.
#[derive(Debug, Clone, Default)]
pub struct Layers {
    /// From the file, the environment and the command line (`load::Loaded`).
    pub static_values: Values,
    /// Those of the command line that limit connections.
    pub command_line_limits: Values,
    /// Dynamic configs of the broker resource with an empty name: for every broker.
    pub dynamic_default: Values,
    /// Dynamic configs of the broker resource with this broker's id.
    pub dynamic_broker: Values,
}

/// Broker configs that limit connections, for all listeners or for one.
pub const CONNECTION_LIMITS: [&str; 4] = [
    "max.connection.creation.rate",
    "max.connections",
    "max.connections.per.ip",
    "max.connections.per.ip.overrides",
];

/// Dynamic configs that were stored before this broker started, and that its command line overrules
/// until they change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overruled {
    dynamic_default: Values,
    dynamic_broker: Values,
}

impl Overruled {
    /// Those of `layers` as they are stored, at start.
    pub fn at_start(layers: &Layers) -> Overruled {
        let overruled = |stored: &Values| -> Values {
            let named =
                stored.iter().filter(|(name, _)| layers.command_line_limits.contains_key(*name));
            named.map(|(name, value)| (name.clone(), value.clone())).collect()
        };
        Overruled {
            dynamic_default: overruled(&layers.dynamic_default),
            dynamic_broker: overruled(&layers.dynamic_broker),
        }
    }

    /// Takes away the values that are overruled and have not been set anew since.
    pub fn take_from(&self, layers: &mut Layers) {
        layers.dynamic_default.retain(|name, value| self.dynamic_default.get(name) != Some(value));
        layers.dynamic_broker.retain(|name, value| self.dynamic_broker.get(name) != Some(value));
    }

    /// `name=value` of each.
    pub fn to_strings(&self) -> Vec<String> {
        let all = self.dynamic_broker.iter().chain(&self.dynamic_default);
        all.map(|(name, value)| format!("{name}={value}")).collect()
    }
}

/// Broker configs that stand for the same thing, the strongest first
/// (`DynamicBrokerConfig.brokerConfigSynonyms`).
const SYNONYMS: [&[&str]; 3] = [
    &["log.roll.ms", "log.roll.hours"],
    &["log.roll.jitter.ms", "log.roll.jitter.hours"],
    &["log.retention.ms", "log.retention.minutes", "log.retention.hours"],
];
const FLUSH_SYNONYMS: [&str; 2] = ["log.flush.interval.ms", "log.flush.scheduler.interval.ms"];

/// The names under which the broker config `name` may be set, the strongest first; a config of one
/// listener may also come from the config for all listeners.
pub fn synonyms(name: &str) -> Vec<&str> {
    if let Some(group) = SYNONYMS.iter().find(|group| group.contains(&name)) {
        return group.to_vec();
    }
    if name == FLUSH_SYNONYMS[0] {
        return FLUSH_SYNONYMS.to_vec();
    }
    match definitions::listener_base_name(name) {
        Some(base) => vec![name, base],
        None => vec![name],
    }
}

impl Layers {
    /// These layers without the dynamic configs that cannot be used, and a message for each of
    /// those (`DynamicBrokerConfig.fromPersistentProps`).
    pub fn usable(mut self) -> (Layers, Vec<String>) {
        let (dynamic_default, mut ignored) = alter::usable_dynamic(&self.dynamic_default, false);
        let (dynamic_broker, more) = alter::usable_dynamic(&self.dynamic_broker, true);
        ignored.extend(more);
        self.dynamic_default = dynamic_default;
        self.dynamic_broker = dynamic_broker;
        (self, ignored)
    }

    /// All set values, the stronger layer's where several have one. A value also hides weaker
    /// layers' values of its synonyms: a dynamic `log.retention.hours` beats a static
    /// `log.retention.ms`.
    pub fn merged(&self) -> Values {
        let mut merged = self.static_values.clone();
        for layer in [&self.dynamic_default, &self.dynamic_broker] {
            for (name, value) in layer {
                if definitions::listener_base_name(name).is_none() {
                    for synonym in synonyms(name) {
                        merged.remove(synonym);
                    }
                }
                merged.insert(name.clone(), value.clone());
            }
        }
        merged
    }

    /// What each topic config is when a topic does not set it; `None` where that is Kafka's null.
    pub fn topic_defaults(&self) -> BTreeMap<&'static str, Option<String>> {
        self.defaults_of(definitions::topic())
    }

    /// What each group config is when a group does not set it.
    pub fn group_defaults(&self) -> BTreeMap<&'static str, Option<String>> {
        self.defaults_of(definitions::group())
    }

    fn defaults_of(
        &self,
        definitions: &'static [Definition],
    ) -> BTreeMap<&'static str, Option<String>> {
        let merged = self.merged();
        definitions
            .iter()
            .map(|definition| (definition.name, default_of(definition, &merged)))
            .collect()
    }
}

/// The first synonym that is set counts; else the first that has a default.
fn default_of(definition: &Definition, merged: &Values) -> Option<String> {
    let set = definition.broker_synonyms.iter().find_map(|synonym| {
        let value = merged.get(synonym.name)?;
        let normal =
            definitions::find(definitions::broker(), synonym.name)?.normalize(value).ok()?;
        let inherited = converted(synonym, &normal, definition.name);
        // Of another release: `changes` refuses what no topic could have.
        definition.validate(&inherited).is_ok().then_some(inherited)
    });
    let default = || {
        definition.broker_synonyms.iter().find_map(|synonym| {
            let default = definitions::find(definitions::broker(), synonym.name)?.default?;
            Some(converted(synonym, default, definition.name))
        })
    };
    set.or_else(default).or_else(|| definition.default.map(str::to_owned))
}

/// Any negative retention time means "forever", which topics write as -1
/// (`KafkaConfig.logRetentionTimeMillis`).
pub(super) fn converted(synonym: &Synonym, value: &str, topic_config: &str) -> String {
    let factor_ms: i64 = match synonym.unit {
        Unit::Same => 1,
        Unit::Minutes => 60 * 1000,
        Unit::Hours => 60 * 60 * 1000,
    };
    match value.parse::<i64>() {
        Ok(number) if topic_config == "retention.ms" && number < 0 => "-1".to_owned(),
        Ok(number) if factor_ms > 1 => number.saturating_mul(factor_ms).to_string(),
        _ => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub fn values(pairs: &[(&str, &str)]) -> Values {
        pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
    }

    fn topic_default(layers: &Layers, name: &str) -> Option<String> {
        layers.topic_defaults()[name].clone()
    }

    #[test]
    fn with_nothing_set_every_topic_config_has_kafkas_own_default() {
        for (name, value) in Layers::default().topic_defaults() {
            let definition = definitions::find(definitions::topic(), name).unwrap();
            assert_eq!(value.as_deref(), definition.default, "{name}");
        }
    }

    #[test]
    fn hours_and_minutes_become_milliseconds_and_the_finer_unit_wins() {
        let mut layers =
            Layers { static_values: values(&[("log.retention.hours", "2")]), ..Layers::default() };
        assert_eq!(topic_default(&layers, "retention.ms").as_deref(), Some("7200000"));
        layers.static_values.insert("log.retention.minutes".to_owned(), "5".to_owned());
        assert_eq!(topic_default(&layers, "retention.ms").as_deref(), Some("300000"));
        layers.static_values.insert("log.retention.ms".to_owned(), "7".to_owned());
        assert_eq!(topic_default(&layers, "retention.ms").as_deref(), Some("7"));
        layers.static_values.insert("log.retention.ms".to_owned(), "-1".to_owned());
        assert_eq!(topic_default(&layers, "retention.ms").as_deref(), Some("-1"));
    }

    /// Stored limits lock every client out; what the operator says at the next start counts, until
    /// a limit is set anew.
    #[test]
    fn limits_of_the_command_line_overrule_those_stored_before() {
        let stored = Layers {
            static_values: values(&[("max.connections", "50"), ("num.partitions", "3")]),
            command_line_limits: values(&[("max.connections", "50")]),
            dynamic_default: values(&[("max.connections", "1"), ("max.connections.per.ip", "2")]),
            dynamic_broker: values(&[("max.connections", "2"), ("num.partitions", "4")]),
        };
        let overruled = Overruled::at_start(&stored);
        assert_eq!(overruled.to_strings(), ["max.connections=2", "max.connections=1"]);
        let effective = |mut layers: Layers| {
            overruled.take_from(&mut layers);
            layers.merged()
        };
        let merged = effective(stored.clone());
        let of = |name: &str| merged[name].as_str();
        assert_eq!(
            (of("max.connections"), of("max.connections.per.ip"), of("num.partitions")),
            ("50", "2", "4")
        );
        let set_anew =
            Layers { dynamic_broker: values(&[("max.connections", "7")]), ..stored.clone() };
        assert_eq!(effective(set_anew)["max.connections"], "7");
        let without = Layers { command_line_limits: Values::new(), ..stored };
        assert_eq!(Overruled::at_start(&without), Overruled::default());
    }

    #[test]
    fn a_dynamic_value_hides_static_synonyms() {
        let layers = Layers {
            static_values: values(&[("log.retention.ms", "7"), ("num.partitions", "3")]),
            dynamic_default: values(&[
                ("log.retention.hours", "1"),
                ("log.segment.bytes", "2000000"),
            ]),
            dynamic_broker: values(&[("log.segment.bytes", "3000000")]),
            ..Layers::default()
        };
        assert_eq!(topic_default(&layers, "retention.ms").as_deref(), Some("3600000"));
        assert_eq!(topic_default(&layers, "segment.bytes").as_deref(), Some("3000000"));
        assert_eq!(layers.merged()["num.partitions"], "3");
    }

    #[test]
    fn topics_and_groups_take_the_brokers_values() {
        let layers = Layers {
            static_values: values(&[
                ("durability", "os"),
                ("group.consumer.session.timeout.ms", "50000"),
            ]),
            ..Layers::default()
        };
        assert_eq!(topic_default(&layers, "durability").as_deref(), Some("os"));
        assert_eq!(
            layers.group_defaults()["consumer.session.timeout.ms"].as_deref(),
            Some("50000")
        );
    }
}
