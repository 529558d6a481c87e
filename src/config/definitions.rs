//! What a config is: its name, type, default, bounds and documentation, and the tables of all of
//! them.
//!
//! The tables in `generated` come out of Apache Kafka's own classes; `own` and `topic` add ours.
//! All are immutable after start and may be read from any core. Nothing here knows a value that an
//! operator or a client set.

use std::sync::LazyLock;

use super::valid;
use super::{generated, own, topic};

/// One config as Kafka's `ConfigDef.ConfigKey` describes it.
#[derive(Debug, Clone, Copy)]
pub struct Definition {
    pub name: &'static str,
    pub config_type: ConfigType,
    /// The default in the form that `normalize` makes; `None` stands for Kafka's null, and for a
    /// `required` config.
    pub default: Option<&'static str>,
    /// Kafka refuses to start without it. Millstream has defaults of its own for these (`load`).
    pub required: bool,
    pub importance: Importance,
    pub valid: Valid,
    pub update_mode: UpdateMode,
    /// Shown by DescribeConfigs only where it is set.
    pub internal: bool,
    /// For a topic or group config: the broker configs that give its default, the strongest first.
    pub broker_synonyms: &'static [Synonym],
    pub documentation: &'static str,
}

/// The value's type, with the number that DescribeConfigs responses carry
/// (`DescribeConfigsResponse.ConfigType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i8)]
pub enum ConfigType {
    Unknown = 0,
    Boolean = 1,
    String = 2,
    Int = 3,
    Short = 4,
    Long = 5,
    Double = 6,
    List = 7,
    Class = 8,
    Password = 9,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Importance {
    High,
    Medium,
    Low,
}

/// Whether a broker config may change while the broker runs, and for which brokers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UpdateMode {
    ReadOnly,
    PerBroker,
    ClusterWide,
}

/// What a value must satisfy beyond its type.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Valid {
    Any,
    /// Both ends included.
    Range {
        min: Option<f64>,
        max: Option<f64>,
    },
    OneOf(&'static [&'static str]),
    OneOfIgnoringCase(&'static [&'static str]),
    /// Elements are not empty; duplicates are dropped. No `values` means any element.
    List {
        values: &'static [&'static str],
        empty_allowed: bool,
    },
    NonEmpty,
    /// 1 to 9, or -1 for the library's default.
    GzipLevel,
    /// `id@host:port,...`
    QuorumVoters,
    /// `host:port,...`
    BootstrapServers,
    /// `*`, or `partition:broker,...`
    ThrottledReplicas,
    /// `earliest`, `latest` or `by_duration:PnDTnHnMn.nS`
    ShareOffsetReset,
    /// `auto`, or a list of processors such as `0-3,6` (see `broker::ShardCores`)
    ShardCores,
    /// Empty, or `host:port`
    OptionalAddress,
}

/// A broker config that gives a topic or group config its default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Synonym {
    pub name: &'static str,
    pub unit: Unit,
}

/// How the broker config's value becomes the topic config's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Same,
    Minutes,
    Hours,
}

/// A value by type. Short, Int and Long are `Whole`; String, Class and Password are `Text`.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Boolean(bool),
    Text(String),
    Whole(i64),
    Fraction(f64),
    List(Vec<String>),
}

impl Definition {
    pub fn is_sensitive(&self) -> bool {
        self.config_type == ConfigType::Password
    }

    /// The value that `text` stands for. The error names the config, the value (never a password's)
    /// and the allowed values.
    pub fn parse(&self, text: &str) -> Result<Value, String> {
        let trimmed = text.trim();
        let value = self.parse_type(trimmed).and_then(|value| valid::check(&self.valid, value));
        value.map_err(|allowed| match self.is_sensitive() {
            true => format!("{}: the value {allowed}", self.name),
            false => format!("{}: '{trimmed}' {allowed}", self.name),
        })
    }

    pub fn validate(&self, text: &str) -> Result<(), String> {
        self.parse(text).map(drop)
    }

    /// The value as Kafka prints it after parsing (`ConfigDef.convertToString`): trimmed, `TRUE` as
    /// `true`, `+05` as `5`, lists without blanks and duplicates.
    pub fn normalize(&self, text: &str) -> Result<String, String> {
        self.parse(text).map(|value| value.to_string())
    }

    fn parse_type(&self, trimmed: &str) -> Result<Value, String> {
        match self.config_type {
            ConfigType::Boolean => match trimmed.to_ascii_lowercase().as_str() {
                "true" => Ok(Value::Boolean(true)),
                "false" => Ok(Value::Boolean(false)),
                _ => Err("is neither true nor false".to_owned()),
            },
            ConfigType::Short => whole(trimmed, i64::from(i16::MIN), i64::from(i16::MAX)),
            ConfigType::Int => whole(trimmed, i64::from(i32::MIN), i64::from(i32::MAX)),
            ConfigType::Long => whole(trimmed, i64::MIN, i64::MAX),
            ConfigType::Double => match trimmed.parse::<f64>() {
                Ok(number) if number.is_finite() => Ok(Value::Fraction(number)),
                _ => Err("is not a number".to_owned()),
            },
            ConfigType::List if trimmed.is_empty() => Ok(Value::List(Vec::new())),
            ConfigType::List => Ok(Value::List(
                trimmed.split(',').map(|element| element.trim().to_owned()).collect(),
            )),
            ConfigType::String | ConfigType::Class | ConfigType::Password | ConfigType::Unknown => {
                Ok(Value::Text(trimmed.to_owned()))
            }
        }
    }
}

fn whole(trimmed: &str, min: i64, max: i64) -> Result<Value, String> {
    match trimmed.parse::<i128>() {
        Err(_) => Err("is not a whole number".to_owned()),
        Ok(number) if number < i128::from(min) || number > i128::from(max) => {
            Err(format!("is outside {min} to {max}"))
        }
        Ok(number) => Ok(Value::Whole(number as i64)),
    }
}

impl std::fmt::Display for Value {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Value::Boolean(value) => write!(formatter, "{value}"),
            Value::Text(value) => write!(formatter, "{value}"),
            Value::Whole(value) => write!(formatter, "{value}"),
            // Java writes numbers in plain digits only between a thousandth and ten million.
            Value::Fraction(value) if *value == 0.0 || (1e-3..1e7).contains(&value.abs()) => {
                write!(formatter, "{value:?}")
            }
            Value::Fraction(value) => {
                let text = format!("{value:E}");
                let (digits, exponent) = text.split_once('E').unwrap_or((&text, "0"));
                let point = if digits.contains('.') { "" } else { ".0" };
                write!(formatter, "{digits}{point}E{exponent}")
            }
            Value::List(values) => write!(formatter, "{}", values.join(",")),
        }
    }
}

/// Tables are sorted by name, so that a lookup is a binary search.
static BROKER: LazyLock<Vec<Definition>> =
    LazyLock::new(|| sorted(&generated::broker::DEFINITIONS, own::BROKER));
static TOPIC: LazyLock<Vec<Definition>> =
    LazyLock::new(|| sorted(&generated::topic::DEFINITIONS, topic::OWN));
static GROUP: LazyLock<Vec<Definition>> =
    LazyLock::new(|| sorted(&generated::group::DEFINITIONS, &[]));

fn sorted(kafka: &[Definition], own: &[Definition]) -> Vec<Definition> {
    let mut all = [kafka, own].concat();
    all.sort_by_key(|definition| definition.name);
    assert!(
        all.windows(2).all(|pair| pair[0].name != pair[1].name),
        "two configs of the same name"
    );
    all
}

/// All broker configs, sorted by name.
pub fn broker() -> &'static [Definition] {
    &BROKER
}

/// All topic configs, sorted by name.
pub fn topic() -> &'static [Definition] {
    &TOPIC
}

/// All group configs, sorted by name.
pub fn group() -> &'static [Definition] {
    &GROUP
}

/// The definition of `name` in one of the tables above.
pub fn find<'a>(definitions: &'a [Definition], name: &str) -> Option<&'a Definition> {
    let index = definitions.binary_search_by(|definition| definition.name.cmp(name)).ok()?;
    Some(&definitions[index])
}

/// The definition of a broker config, also when it is set for one listener:
/// `listener.name.<listener>.<config>` or `listener.name.<listener>.<mechanism>.<config>`
/// (`DynamicBrokerConfig.brokerConfigSynonyms`).
pub fn find_broker(name: &str) -> Option<&'static Definition> {
    find(broker(), name).or_else(|| find(broker(), listener_base_name(name)?))
}

/// `ssl.keystore.type` of `listener.name.internal.ssl.keystore.type`; `None` for a name without the
/// prefix.
pub fn listener_base_name(name: &str) -> Option<&str> {
    const PER_MECHANISM: [&str; 5] = [
        "sasl.jaas.config",
        "sasl.login.callback.handler.class",
        "sasl.login.class",
        "sasl.server.callback.handler.class",
        "connections.max.reauth.ms",
    ];
    let (_listener, base) = name.strip_prefix("listener.name.")?.split_once('.')?;
    let mechanism_config = PER_MECHANISM.iter().find(|config| base.ends_with(*config));
    Some(mechanism_config.copied().unwrap_or(base))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition(name: &str) -> &'static Definition {
        find(topic(), name).or_else(|| find_broker(name)).unwrap()
    }

    #[test]
    fn every_default_validates_and_is_already_in_normal_form() {
        for definition in broker().iter().chain(topic()).chain(group()) {
            if let Some(default) = definition.default {
                assert_eq!(
                    definition.normalize(default).as_deref(),
                    Ok(default),
                    "{}",
                    definition.name
                );
            }
            assert!(
                definition.internal || !definition.documentation.is_empty(),
                "{}",
                definition.name
            );
        }
        assert!(broker().len() >= 382 && topic().len() >= 38 && group().len() >= 27);
    }

    #[test]
    fn every_synonym_is_a_broker_config_of_a_fitting_type() {
        for definition in topic().iter().chain(group()) {
            for synonym in definition.broker_synonyms {
                let broker =
                    find(broker(), synonym.name).unwrap_or_else(|| panic!("{}", synonym.name));
                let expected = match (definition.name, synonym.unit) {
                    // One of those that the broker has.
                    ("streams.assignor.name", _) => ConfigType::List,
                    (_, Unit::Same) => definition.config_type,
                    _ => ConfigType::Int,
                };
                assert_eq!(broker.config_type, expected, "{} of {}", synonym.name, definition.name);
            }
        }
    }

    #[test]
    fn errors_name_the_config_the_value_and_what_is_allowed() {
        let error = |name: &str, value: &str| definition(name).validate(value).unwrap_err();
        assert_eq!(error("retention.ms", "abc"), "retention.ms: 'abc' is not a whole number");
        assert_eq!(error("retention.ms", "-2"), "retention.ms: '-2' is less than -1");
        assert_eq!(
            error("num.partitions", "3000000000"),
            "num.partitions: '3000000000' is outside -2147483648 to 2147483647"
        );
        assert_eq!(
            error("min.cleanable.dirty.ratio", "1.5"),
            "min.cleanable.dirty.ratio: '1.5' is not between 0 and 1"
        );
        assert_eq!(
            error("compression.type", "brotli"),
            "compression.type: 'brotli' is not one of uncompressed, zstd, lz4, snappy, gzip, \
             producer"
        );
        assert_eq!(
            error("cleanup.policy", "delete,keep"),
            "cleanup.policy: 'delete,keep' has an element that is not one of compact, delete"
        );
        assert_eq!(error("preallocate", "yes"), "preallocate: 'yes' is neither true nor false");
        assert_eq!(error("durability", "none"), "durability: 'none' is not one of fsync, os");
    }

    #[test]
    fn values_are_printed_as_kafka_prints_them() {
        let normal = |name: &str, value: &str| definition(name).normalize(value).unwrap();
        assert_eq!(normal("retention.ms", " +0050 "), "50");
        assert_eq!(normal("preallocate", "TRUE"), "true");
        assert_eq!(normal("cleanup.policy", "compact , delete,compact"), "compact,delete");
        assert_eq!(normal("cleanup.policy", ""), "");
        assert_eq!(normal("min.cleanable.dirty.ratio", "1"), "1.0");
        assert_eq!(normal("min.cleanable.dirty.ratio", "0.0001"), "1.0E-4");
    }

    #[test]
    fn a_config_of_one_listener_is_known_by_its_base_name() {
        assert_eq!(
            find_broker("listener.name.internal.ssl.keystore.type").unwrap().name,
            "ssl.keystore.type"
        );
        let jaas = find_broker("listener.name.x.scram-sha-256.sasl.jaas.config").unwrap();
        assert!(jaas.name == "sasl.jaas.config" && jaas.is_sensitive());
        assert!(
            find_broker("listener.name.x").is_none() && find_broker("no.such.config").is_none()
        );
    }
}
