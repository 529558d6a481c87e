//! Rules between broker configs that are good one by one: what a start and every change of a
//! dynamic config keep to (`KafkaConfig.validateValues`), and what a change keeps to beside it
//! (`validateReconfiguration` of all that Kafka reconfigures). Pure.

use std::path::PathBuf;

use super::alter::{self, Rejection};
use super::broker::read_log_dirs;
use super::definitions::{self, Value};
use super::layers::{Layers, Values};
use super::runtime::StorageSettings;
use super::settings::Reader;

/// Numbers of threads: one change may at most double or halve them. Here they count for nothing,
/// but a program that learns its limits from a refusal meets the same one.
const THREADS: [&str; 9] = [
    "background.threads",
    "num.io.threads",
    "num.network.threads",
    "num.recovery.threads.per.data.dir",
    "num.replica.fetchers",
    "remote.log.manager.copier.thread.pool.size",
    "remote.log.manager.expiration.thread.pool.size",
    "remote.log.manager.follower.thread.pool.size",
    "remote.log.reader.threads",
];

const CLEANER_THREADS: &str = "log.cleaner.threads";
const CLEANER_BUFFER: &str = "log.cleaner.dedupe.buffer.size";
const CLEANER_BUFFER_MIN_BYTES: i64 = 1024 * 1024;

/// What decides which sockets are open: Kafka opens and closes them, Millstream does not.
const OF_SOCKETS: [&str; 2] = ["listener.security.protocol.map", "listeners"];

const REPORTERS: &str = "metric.reporters";
/// The one class that a broker is never without, in effect.
const JMX_REPORTER: &str = "org.apache.kafka.common.metrics.JmxReporter";

/// Configs of one listener that may change while it is open
/// (`DynamicListenerConfig.validateReconfiguration`).
const OF_OPEN_LISTENERS: [&str; 3] =
    ["max.connection.creation.rate", "max.connections", "num.network.threads"];

/// Dynamic only with the prefix of a listener (`SslConfigs.RECONFIGURABLE_CONFIGS`).
const BY_LISTENER: [&str; 10] = [
    "ssl.key.password",
    "ssl.keystore.certificate.chain",
    "ssl.keystore.key",
    "ssl.keystore.location",
    "ssl.keystore.password",
    "ssl.keystore.type",
    "ssl.truststore.certificates",
    "ssl.truststore.location",
    "ssl.truststore.password",
    "ssl.truststore.type",
];

pub fn is_dynamic_by_listener_alone(name: &str) -> bool {
    BY_LISTENER.contains(&name)
}

/// Whether the dynamic configs of `before` may become those of `after`; both were validated value
/// by value. Kafka answers INVALID_REQUEST.
pub fn check(before: &Layers, after: &Layers) -> Result<(), Rejection> {
    let (old, new) = (before.merged(), after.merged());
    let refuse = |problem: String| Err(Rejection::invalid_request(problem));
    if let Some(problem) = alter::lock_out(&new) {
        return refuse(problem);
    }
    let mut reader = Reader::new(definitions::broker(), &new);
    let log_dirs = read_log_dirs(&mut reader);
    let cordoned = bad_cordoned(&StorageSettings::read(&mut reader), &log_dirs);
    let conflict = conflicts(after).into_iter().chain(cordoned).next();
    let problem = conflict
        .or_else(|| THREADS.iter().find_map(|name| bad_thread_count(name, &old, &new)))
        .or_else(|| bad_cleaner_threads(&old, &new))
        .or_else(|| changed_sockets(&old, &new))
        .or_else(|| changed_open_listener(&old, &new))
        .or_else(|| unknown_reporter(&new));
    problem.map_or(Ok(()), refuse)
}

/// One sentence per conflict between values of `layers`.
pub fn conflicts(layers: &Layers) -> Vec<String> {
    let merged = layers.merged();
    let mut problems = bad_topic_defaults(&merged);
    if layers.topic_defaults()["retention.ms"].as_deref() == Some("0") {
        problems.push(
            "log.retention.ms must be unlimited (-1) or, greater than or equal to 1".to_owned(),
        );
    }
    let (threads, bytes) = (whole(&merged, CLEANER_THREADS), whole(&merged, CLEANER_BUFFER));
    if threads < 1 {
        problems.push("Log cleaner threads should be at least 1".to_owned());
    } else if bytes / threads <= CLEANER_BUFFER_MIN_BYTES {
        problems.push(format!(
            "{CLEANER_BUFFER} must be more than 1 MiB for each of {threads} threads"
        ));
    }
    if !(0..=4).contains(&whole(&merged, "offsets.topic.compression.codec")) {
        problems.push("offsets.topic.compression.codec is not between 0 and 4".to_owned());
    }
    problems.extend(bad_overrides_by_address(&merged));
    problems.extend(alter::check_group_defaults(layers).err().map(|rejection| rejection.message));
    problems
}

/// Broker configs whose value no topic could have: the topic's own config has bounds where the
/// broker's has none (`log.roll.ms`).
fn bad_topic_defaults(merged: &Values) -> Vec<String> {
    let mut problems = Vec::new();
    for definition in definitions::topic() {
        for synonym in definition.broker_synonyms {
            let broker = definitions::find(definitions::broker(), synonym.name)
                .expect("a synonym is a broker config");
            let Some(value) = merged.get(synonym.name) else { continue };
            let Ok(normal) = broker.normalize(value) else { continue };
            let inherited = super::layers::converted(synonym, &normal, definition.name);
            if let Err(problem) = definition.validate(&inherited) {
                problems.push(format!("{}={normal}: {problem}", synonym.name));
            }
        }
    }
    problems
}

/// `host:number,...`
fn bad_overrides_by_address(merged: &Values) -> Option<String> {
    const NAME: &str = "max.connections.per.ip.overrides";
    let Some(Value::Text(text)) = value(merged, NAME) else { return None };
    let is_host = |host: &str| {
        let allowed = |one: char| one.is_ascii_alphanumeric() || "-%._:".contains(one);
        host.trim().trim_matches(['[', ']']).chars().all(allowed)
    };
    let is_good = |one: &str| {
        let (host, max) = one.rsplit_once(':')?;
        let max = max.trim().parse::<i32>().ok()?;
        is_host(host).then_some(max)
    };
    let mut elements = text.split(',').map(str::trim).filter(|one| !one.is_empty());
    let bad = elements.find(|one| is_good(one).is_none())?;
    Some(format!("{NAME}: '{bad}' is not host:number"))
}

pub fn bad_cordoned(storage: &StorageSettings, log_dirs: &[PathBuf]) -> Option<String> {
    let is_known = |dir: &&String| {
        *dir == "*" || log_dirs.iter().any(|known| known.as_os_str() == dir.as_str())
    };
    let unknown = storage.cordoned_log_dirs.iter().find(|dir| !is_known(dir))?;
    Some(format!(
        "Invalid entry in cordoned.log.dirs: {unknown}. All cordoned log dirs must be entries of \
         log.dirs or log.dir."
    ))
}

fn bad_thread_count(name: &str, old: &Values, new: &Values) -> Option<String> {
    let (from, to) = (whole(old, name), whole(new, name));
    let limit = if to < from / 2 {
        "be at least half"
    } else if to > from.saturating_mul(2) {
        "not be greater than double"
    } else {
        return None;
    };
    Some(format!(
        "Dynamic thread count update validation failed for {name}={to}, value should {limit} the \
         current value {from}"
    ))
}

fn bad_cleaner_threads(old: &Values, new: &Values) -> Option<String> {
    let (from, to) = (whole(old, CLEANER_THREADS), whole(new, CLEANER_THREADS));
    if to < from / 2 {
        Some(format!(
            "Log cleaner threads cannot be reduced to less than half the current value {from}"
        ))
    } else if to > from.saturating_mul(2) {
        Some(format!(
            "Log cleaner threads cannot be increased to more than double the current value {from}"
        ))
    } else {
        None
    }
}

fn changed_sockets(old: &Values, new: &Values) -> Option<String> {
    let changed = OF_SOCKETS.iter().find(|name| value(old, name) != value(new, name))?;
    Some(format!(
        "{changed} does not change while the broker runs: set it where the broker is started, and \
         start it again"
    ))
}

/// A config of a listener that is open may change only where the listener follows it.
fn changed_open_listener(old: &Values, new: &Values) -> Option<String> {
    let Some(Value::List(listeners)) = value(old, "listeners") else { return None };
    let is_open = |listener: &str| {
        let names = listeners.iter().filter_map(|one| one.split_once("://"));
        names.into_iter().any(|(name, _)| name.eq_ignore_ascii_case(listener))
    };
    let changes = old.keys().chain(new.keys()).filter(|name| old.get(*name) != new.get(*name));
    for name in changes {
        let Some((listener, config)) =
            name.strip_prefix("listener.name.").and_then(|rest| rest.split_once('.'))
        else {
            continue;
        };
        let follows = OF_OPEN_LISTENERS.contains(&config) || BY_LISTENER.contains(&config);
        if is_open(listener) && !follows {
            return Some(format!(
                "Configs cannot be updated dynamically for existing listener {}, restart broker \
                 or create a new listener for update: [{name}]",
                listener.to_uppercase()
            ));
        }
    }
    None
}

fn unknown_reporter(new: &Values) -> Option<String> {
    let Some(Value::List(classes)) = value(new, REPORTERS) else { return None };
    let unknown = classes.iter().find(|class| *class != JMX_REPORTER)?;
    Some(format!("{REPORTERS}: the class {unknown} cannot be loaded"))
}

fn value(values: &Values, name: &str) -> Option<Value> {
    let definition =
        definitions::find(definitions::broker(), name).expect("rules are of broker configs");
    let text = values.get(name).map(String::as_str).or(definition.default)?;
    Some(definition.parse(text).expect("the values were validated"))
}

fn whole(values: &Values, name: &str) -> i64 {
    match value(values, name) {
        Some(Value::Whole(number)) => number,
        other => panic!("{name} is no whole number: {other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::error::ErrorCode;

    fn values(pairs: &[(&str, &str)]) -> Values {
        pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
    }

    fn layers(dynamic: &[(&str, &str)]) -> Layers {
        Layers {
            static_values: values(&[
                ("listeners", "PLAINTEXT://:9092,IN://:9094"),
                ("log.dirs", "/a,/b"),
            ]),
            dynamic_broker: values(dynamic),
            ..Layers::default()
        }
    }

    fn change(from: &[(&str, &str)], to: &[(&str, &str)]) -> Result<(), String> {
        check(&layers(from), &layers(to)).map_err(|rejection| {
            assert_eq!(rejection.error, ErrorCode::InvalidRequest);
            rejection.message
        })
    }

    /// Number, and whether Kafka takes it after 8.
    #[test]
    fn one_change_may_halve_or_double_a_number_of_threads() {
        for (threads, is_taken) in [("4", true), ("3", false), ("16", true), ("17", false)] {
            let changed = change(&[], &[("num.io.threads", threads)]);
            assert_eq!(changed.is_ok(), is_taken, "{threads}: {changed:?}");
        }
        assert_eq!(change(&[("num.io.threads", "16")], &[("num.io.threads", "32")]), Ok(()));
        let doubled = change(&[], &[("num.io.threads", "17")]).unwrap_err();
        assert!(doubled.contains("greater than double the current value 8"), "{doubled}");
        let cleaner = |threads| change(&[], &[("log.cleaner.threads", threads)]);
        assert_eq!(cleaner("2"), Ok(()));
        assert!(cleaner("3").unwrap_err().contains("more than double the current value 1"));
        assert!(cleaner("0").unwrap_err().contains("at least 1"));
    }

    /// A topic that inherited it could not be read: the broker would have ended.
    #[test]
    fn a_default_that_no_topic_may_have_is_refused() {
        for (name, value) in [
            ("log.roll.ms", "0"),
            ("log.roll.jitter.ms", "-1"),
            ("log.flush.interval.ms", "-1"),
            ("log.retention.ms", "0"),
        ] {
            let refused = change(&[], &[(name, value)]).unwrap_err();
            assert!(refused.contains(name), "{refused}");
            let started = Layers { static_values: values(&[(name, value)]), ..Layers::default() };
            assert_eq!(conflicts(&started).len(), 1, "{name}");
        }
        assert_eq!(change(&[], &[("log.retention.ms", "-5"), ("log.roll.ms", "1")]), Ok(()));
    }

    #[test]
    fn what_opens_sockets_stays_as_it_is() {
        assert!(change(&[], &[("listeners", "PLAINTEXT://:9092")]).is_err());
        assert_eq!(change(&[], &[("listeners", "PLAINTEXT://:9092, IN://:9094")]), Ok(()));
        assert!(change(&[], &[("listener.security.protocol.map", "A:PLAINTEXT")]).is_err());
    }

    #[test]
    fn of_an_open_listener_only_what_it_follows_may_change() {
        let of = |name: &str, value: &str| change(&[], &[(name, value)]);
        assert!(of("listener.name.in.sasl.enabled.mechanisms", "PLAIN").is_err());
        assert_eq!(of("listener.name.other.sasl.enabled.mechanisms", "PLAIN"), Ok(()));
        assert_eq!(of("listener.name.in.max.connections", "5"), Ok(()));
        assert_eq!(of("listener.name.in.ssl.keystore.type", "PEM"), Ok(()));
    }

    #[test]
    fn a_class_that_cannot_be_loaded_is_refused() {
        let reporters = |classes: &str| change(&[], &[("metric.reporters", classes)]);
        assert!(reporters("org.example.Reporter").is_err());
        assert_eq!((reporters(""), reporters(JMX_REPORTER)), (Ok(()), Ok(())));
    }

    #[test]
    fn only_log_directories_are_cordoned() {
        let cordon = |dirs: &str| change(&[], &[("cordoned.log.dirs", dirs)]);
        assert_eq!((cordon("/a"), cordon("*"), cordon("")), (Ok(()), Ok(()), Ok(())));
        assert!(cordon("/c").unwrap_err().contains("/c"));
    }

    #[test]
    fn the_cleaners_buffer_has_more_than_a_mebibyte_per_thread() {
        assert!(change(&[], &[(CLEANER_BUFFER, "1048576")]).is_err());
        assert_eq!(change(&[], &[(CLEANER_BUFFER, "2097152")]), Ok(()));
        assert!(change(&[], &[(CLEANER_BUFFER, "2097152"), (CLEANER_THREADS, "2")]).is_err());
    }

    #[test]
    fn limits_of_addresses_name_a_host_and_a_number() {
        let set = |text: &str| change(&[], &[("max.connections.per.ip.overrides", text)]);
        assert_eq!((set("10.0.0.1:5, [::1]:7"), set("")), (Ok(()), Ok(())));
        for bad in ["10.0.0.1", "10.0.0.1:many", "a b:1", "a/b:1"] {
            assert!(set(bad).unwrap_err().contains("is not host:number"), "{bad}");
        }
    }

    #[test]
    fn defaults_of_groups_stay_within_their_bounds() {
        let interval = |ms: &str| change(&[], &[("group.consumer.assignment.interval.ms", ms)]);
        assert_eq!(interval("2000"), Ok(()));
        assert!(interval("2000000").unwrap_err().contains("group.consumer.max.assignment"));
        let started = Layers {
            static_values: values(&[("group.consumer.session.timeout.ms", "1")]),
            ..Layers::default()
        };
        assert_eq!(conflicts(&started).len(), 1);
    }
}
