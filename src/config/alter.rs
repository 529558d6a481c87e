//! Changes of dynamic configs: what IncrementalAlterConfigs makes of the current values, and which
//! values a topic, a group or a broker may have (`ConfigurationControlManager`,
//! `ControllerConfigurationValidator`, `ConfigAdminManager`). Pure: values in, values or a
//! rejection out.

use std::collections::BTreeMap;

use protocol::error::ErrorCode;

use super::changes;
use super::definitions::{self, ConfigType, Definition, UpdateMode};
use super::layers::{Layers, Values};

/// The controller keeps no longer value (`Short.MAX_VALUE`).
pub const MAX_VALUE_BYTES: usize = 32767;

/// What the client is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    pub error: ErrorCode,
    pub message: String,
}

impl Rejection {
    pub(super) fn invalid_config(message: impl Into<String>) -> Rejection {
        Rejection { error: ErrorCode::InvalidConfig, message: message.into() }
    }

    pub fn invalid_request(message: impl Into<String>) -> Rejection {
        Rejection { error: ErrorCode::InvalidRequest, message: message.into() }
    }
}

/// `AlterConfigOp.OpType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    Set,
    Delete,
    Append,
    Subtract,
}

impl Operation {
    /// The operation of the number in the request.
    pub fn from_wire(number: i8) -> Result<Operation, Rejection> {
        match number {
            0 => Ok(Operation::Set),
            1 => Ok(Operation::Delete),
            2 => Ok(Operation::Append),
            3 => Ok(Operation::Subtract),
            _ => Err(Rejection::invalid_request(format!("Unknown operations type {number}"))),
        }
    }
}

/// One change of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alteration {
    pub name: String,
    pub operation: Operation,
    /// Needed by all operations but Delete.
    pub value: Option<String>,
}

/// The values after `alterations`, all or none of them. `definitions` is the table of the
/// resource's kind. Validation of the result is the caller's next step, with one of the functions
/// below.
pub fn apply_incremental(
    definitions: &[Definition],
    current: &Values,
    alterations: &[Alteration],
) -> Result<Values, Rejection> {
    check_request(alterations)?;
    let mut changed = current.clone();
    for Alteration { name, operation, value } in alterations {
        let given = value.as_deref().unwrap_or_default();
        let new_value = match operation {
            Operation::Delete => {
                changed.remove(name);
                continue;
            }
            Operation::Set => given.to_owned(),
            Operation::Append | Operation::Subtract => {
                let elements = list_elements(definitions, current, name, *operation)?;
                altered_list(elements, given, *operation)
            }
        };
        if new_value.len() > MAX_VALUE_BYTES {
            return Err(Rejection::invalid_config(format!(
                "The configuration value cannot be added because it exceeds the maximum value \
                 size of {MAX_VALUE_BYTES} bytes."
            )));
        }
        changed.insert(name.clone(), new_value);
    }
    Ok(changed)
}

fn check_request(alterations: &[Alteration]) -> Result<(), Rejection> {
    let mut names: Vec<&str> =
        alterations.iter().map(|alteration| alteration.name.as_str()).collect();
    names.sort_unstable();
    if names.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(Rejection::invalid_request("Error due to duplicate config keys"));
    }
    let lacks_value = |alteration: &&Alteration| {
        alteration.operation != Operation::Delete && alteration.value.is_none()
    };
    let without: Vec<&str> =
        alterations.iter().filter(lacks_value).map(|alteration| alteration.name.as_str()).collect();
    match without.is_empty() {
        true => Ok(()),
        false => Err(Rejection::invalid_request(format!(
            "Null value not supported for : {}",
            without.join(", ")
        ))),
    }
}

/// The list to append to or subtract from: the value that is set, else the definition's default.
fn list_elements(
    definitions: &[Definition],
    current: &Values,
    name: &str,
    operation: Operation,
) -> Result<Vec<String>, Rejection> {
    let definition = definitions::find(definitions, name)
        .filter(|definition| definition.config_type == ConfigType::List);
    let Some(definition) = definition else {
        let operation = if operation == Operation::Append { "APPEND" } else { "SUBTRACT" };
        return Err(Rejection::invalid_config(format!(
            "Can't {operation} to key {name} because its type is not LIST."
        )));
    };
    let text = current.get(name).map(String::as_str).or(definition.default).unwrap_or_default();
    Ok(text.split(',').filter(|element| !element.is_empty()).map(str::to_owned).collect())
}

fn altered_list(mut elements: Vec<String>, given: &str, operation: Operation) -> String {
    // Java's split drops empty elements at the end, but makes one empty element of an empty text.
    let trimmed = if given.is_empty() { given } else { given.trim_end_matches(',') };
    let all_commas = trimmed.is_empty() && !given.is_empty();
    for element in trimmed.split(',').filter(|_| !all_commas) {
        let position = elements.iter().position(|present| present == element);
        match (operation, position) {
            (Operation::Append, None) => elements.push(element.to_owned()),
            (Operation::Subtract, Some(position)) => {
                elements.remove(position);
            }
            _ => {}
        }
    }
    elements.join(",")
}

/// Whether a topic may have `overrides` (`LogConfig.validate`).
pub fn validate_topic_overrides(overrides: &Values, layers: &Layers) -> Result<(), Rejection> {
    check_names_and_values(definitions::topic(), overrides, "topic")?;
    let defaults = layers.topic_defaults();
    let effective = Effective { overrides, defaults: &defaults };
    let (min, max) =
        (effective.whole("min.compaction.lag.ms"), effective.whole("max.compaction.lag.ms"));
    if min > max {
        return Err(Rejection::invalid_config(format!(
            "conflict topic config setting min.compaction.lag.ms ({min}) > max.compaction.lag.ms \
             ({max})"
        )));
    }
    if overrides
        .get("remote.storage.enable")
        .is_some_and(|value| value.trim().eq_ignore_ascii_case("true"))
    {
        return Err(Rejection::invalid_config(
            "Tiered Storage functionality is disabled in the broker. Topic cannot be configured \
             with remote log storage.",
        ));
    }
    Ok(())
}

/// A group config must lie between two broker configs (`GroupConfig.validateValues`).
const GROUP_BOUNDS: [(&str, Option<&str>, &str); 13] = [
    (
        "consumer.heartbeat.interval.ms",
        Some("group.consumer.min.heartbeat.interval.ms"),
        "group.consumer.max.heartbeat.interval.ms",
    ),
    (
        "consumer.session.timeout.ms",
        Some("group.consumer.min.session.timeout.ms"),
        "group.consumer.max.session.timeout.ms",
    ),
    (
        "consumer.assignment.interval.ms",
        Some("group.consumer.min.assignment.interval.ms"),
        "group.consumer.max.assignment.interval.ms",
    ),
    (
        "share.heartbeat.interval.ms",
        Some("group.share.min.heartbeat.interval.ms"),
        "group.share.max.heartbeat.interval.ms",
    ),
    (
        "share.session.timeout.ms",
        Some("group.share.min.session.timeout.ms"),
        "group.share.max.session.timeout.ms",
    ),
    (
        "share.record.lock.duration.ms",
        Some("group.share.min.record.lock.duration.ms"),
        "group.share.max.record.lock.duration.ms",
    ),
    (
        "share.delivery.count.limit",
        Some("group.share.min.delivery.count.limit"),
        "group.share.max.delivery.count.limit",
    ),
    (
        "share.partition.max.record.locks",
        Some("group.share.min.partition.max.record.locks"),
        "group.share.max.partition.max.record.locks",
    ),
    (
        "share.assignment.interval.ms",
        Some("group.share.min.assignment.interval.ms"),
        "group.share.max.assignment.interval.ms",
    ),
    (
        "streams.heartbeat.interval.ms",
        Some("group.streams.min.heartbeat.interval.ms"),
        "group.streams.max.heartbeat.interval.ms",
    ),
    (
        "streams.session.timeout.ms",
        Some("group.streams.min.session.timeout.ms"),
        "group.streams.max.session.timeout.ms",
    ),
    ("streams.num.standby.replicas", None, "group.streams.max.standby.replicas"),
    (
        "streams.assignment.interval.ms",
        Some("group.streams.min.assignment.interval.ms"),
        "group.streams.max.assignment.interval.ms",
    ),
];

/// Whether a group may have `overrides` (`GroupConfig.validate`).
pub fn validate_group_overrides(overrides: &Values, layers: &Layers) -> Result<(), Rejection> {
    check_names_and_values(definitions::group(), overrides, "group")?;
    // Kafka looks at assignment intervals only where the group sets one.
    check_group_bounds(overrides, layers, |name| {
        !name.ends_with(".assignment.interval.ms") || overrides.contains_key(name)
    })
}

/// Whether a group that sets nothing may have what the broker's configs give it
/// (`GroupCoordinatorConfig`, `ShareGroupConfig`).
pub fn check_group_defaults(layers: &Layers) -> Result<(), Rejection> {
    check_group_bounds(&Values::new(), layers, |_| true)
}

fn check_group_bounds(
    overrides: &Values,
    layers: &Layers,
    looks_at: impl Fn(&str) -> bool,
) -> Result<(), Rejection> {
    let (defaults, merged) = (layers.group_defaults(), layers.merged());
    let effective = Effective { overrides, defaults: &defaults };
    let broker_value = |name: &str| {
        let definition =
            definitions::find(definitions::broker(), name).expect("bounds are broker configs");
        let text = merged.get(name).map(String::as_str).or(definition.default);
        text.and_then(|text| text.trim().parse::<i64>().ok())
            .expect("broker configs were validated")
    };
    for (name, min, max) in GROUP_BOUNDS.into_iter().filter(|(name, ..)| looks_at(name)) {
        let value = effective.whole(name);
        if let Some(min) = min.filter(|min| value < broker_value(min)) {
            return Err(Rejection::invalid_config(format!(
                "{name} must be greater than or equal to {min}"
            )));
        }
        if value > broker_value(max) {
            return Err(Rejection::invalid_config(format!(
                "{name} must be less than or equal to {max}"
            )));
        }
    }
    for kind in ["consumer", "share", "streams"] {
        let (session, heartbeat) =
            (format!("{kind}.session.timeout.ms"), format!("{kind}.heartbeat.interval.ms"));
        if effective.whole(&session) <= effective.whole(&heartbeat) {
            return Err(Rejection::invalid_config(format!(
                "{session} must be greater than {heartbeat}"
            )));
        }
    }
    Ok(())
}

/// Whether the dynamic configs of a broker (`per_broker`), or of all brokers, may be `values`.
/// Kafka answers these with INVALID_REQUEST. Names that no definition knows are allowed, as in
/// Kafka: a plug-in may want them. Whether the values fit the others is told by `changes::check`.
pub fn validate_broker_dynamic(values: &Values, per_broker: bool) -> Result<(), Rejection> {
    for (name, value) in values {
        let Some(definition) = definitions::find_broker(name) else { continue };
        let for_one_listener = definition.name != name;
        if !for_one_listener && definition.update_mode == UpdateMode::ReadOnly {
            return Err(Rejection::invalid_request(format!(
                "Cannot update these configs dynamically: [{name}]"
            )));
        }
        if changes::is_dynamic_by_listener_alone(name) {
            return Err(Rejection::invalid_request(format!(
                "These security configs can be dynamically updated only per-listener using the \
                 listener prefix: [{name}]"
            )));
        }
        let for_one_broker = definition.update_mode == UpdateMode::PerBroker || for_one_listener;
        let cluster_level_listener =
            ["max.connections", "max.connection.creation.rate", "num.network.threads"]
                .contains(&definition.name);
        if !per_broker && for_one_broker && !cluster_level_listener {
            return Err(Rejection::invalid_request(format!(
                "Cannot update these configs at default cluster level, broker id must be \
                 specified: [{name}]"
            )));
        }
        definition.validate(value).map_err(Rejection::invalid_request)?;
    }
    Ok(())
}

/// Why no client could connect any more with these values of all layers, if that is so
/// (`SocketServer`, `KafkaConfig`).
pub fn lock_out(merged: &Values) -> Option<String> {
    let is_zero = |value: &str| value.trim().parse::<i64>().is_ok_and(|value| value <= 0);
    for (name, value) in merged {
        let base = definitions::listener_base_name(name).unwrap_or(name);
        if ["max.connections", "max.connection.creation.rate"].contains(&base) && is_zero(value) {
            return Some(format!(
                "Invalid value {value} for configuration {name}: no client could connect any more"
            ));
        }
    }
    let set = |name: &str| merged.get(name).map_or("", String::as_str);
    let has_no_exception = set("max.connections.per.ip.overrides").trim().is_empty();
    (has_no_exception && is_zero(set("max.connections.per.ip"))).then(|| {
        "max.connections.per.ip can be set to zero only if max.connections.per.ip.overrides is \
         set: no client could connect \
         any more"
            .to_owned()
    })
}

/// Whether the dynamic configs of a broker (`per_broker`), or of all brokers, may become `target`
/// where those of `before` are in force. What was stored before and cannot be used does not stand
/// in the way of a change of something else.
pub fn validate_broker_change(
    before: &Layers,
    stored: &Values,
    target: &Values,
    per_broker: bool,
) -> Result<(), Rejection> {
    let (usable, _) = usable_dynamic(stored, per_broker);
    let is_left = |name: &String, value: &String| {
        stored.get(name) == Some(value) && !usable.contains_key(name)
    };
    let mut target = target.clone();
    target.retain(|name, value| !is_left(name, value));
    validate_broker_dynamic(&target, per_broker)?;
    let mut after = before.clone();
    let layer = if per_broker { &mut after.dynamic_broker } else { &mut after.dynamic_default };
    *layer = target;
    changes::check(before, &after)
}

/// Those of `values` that have an effect here, and a message for each that is left out: the
/// metadata log may hold configs that another release knew
/// (`DynamicBrokerConfig.fromPersistentProps`). Call it before laying dynamic configs over static
/// ones.
pub fn usable_dynamic(values: &Values, per_broker: bool) -> (Values, Vec<String>) {
    let (mut usable, mut ignored) = (Values::new(), Vec::new());
    for (name, value) in values {
        let single = Values::from([(name.clone(), value.clone())]);
        match validate_broker_dynamic(&single, per_broker) {
            Ok(()) => usable.extend(single),
            Err(rejection) => {
                ignored.push(format!("A dynamic config is ignored: {}", rejection.message))
            }
        }
    }
    (usable, ignored)
}

fn check_names_and_values(
    definitions: &[Definition],
    overrides: &Values,
    kind: &str,
) -> Result<(), Rejection> {
    for (name, value) in overrides {
        let Some(definition) = definitions::find(definitions, name) else {
            return Err(Rejection::invalid_config(format!("Unknown {kind} config name: {name}")));
        };
        definition.validate(value).map_err(Rejection::invalid_config)?;
    }
    Ok(())
}

/// A resource's values over its defaults, all of which were validated before.
struct Effective<'a> {
    overrides: &'a Values,
    defaults: &'a BTreeMap<&'static str, Option<String>>,
}

impl Effective<'_> {
    fn whole(&self, name: &str) -> i64 {
        let text = self.overrides.get(name).or(self.defaults[name].as_ref());
        text.and_then(|text| text.trim().parse().ok()).expect("values and defaults were validated")
    }
}

#[cfg(test)]
mod tests;
