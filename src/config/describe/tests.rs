use super::*;

fn values(pairs: &[(&str, &str)]) -> Values {
    pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
}

fn entry(entries: &[Entry], name: &str) -> Entry {
    entries.iter().find(|entry| entry.name == name).unwrap_or_else(|| panic!("no {name}")).clone()
}

fn places(entry: &Entry) -> Vec<(&str, Option<&str>, Source)> {
    entry
        .synonyms
        .iter()
        .map(|synonym| (synonym.name.as_str(), synonym.value.as_deref(), synonym.source))
        .collect()
}

#[test]
fn a_topic_inherits_from_every_layer() {
    let layers = Layers {
        static_values: values(&[("log.segment.bytes", "2000000"), ("log.retention.ms", "1000")]),
        dynamic_default: values(&[("log.segment.bytes", "3000000")]),
        dynamic_broker: Values::new(),
        ..Layers::default()
    };
    let entries = describe_topic(
        &values(&[("segment.bytes", "4000000"), ("cleanup.policy", "compact, delete")]),
        &layers,
    );
    let segment = entry(&entries, "segment.bytes");
    assert_eq!((segment.value.as_deref(), segment.source), (Some("4000000"), Source::TopicConfig));
    assert_eq!(
        places(&segment),
        [
            ("segment.bytes", Some("4000000"), Source::TopicConfig),
            ("log.segment.bytes", Some("3000000"), Source::DynamicDefaultBrokerConfig),
            ("log.segment.bytes", Some("2000000"), Source::StaticBrokerConfig),
            ("log.segment.bytes", Some("1073741824"), Source::DefaultConfig),
        ]
    );
    assert_eq!((segment.config_type, segment.read_only), (ConfigType::Int, false));
    assert!(segment.documentation.unwrap().contains("segment file size"));
    assert_eq!(entry(&entries, "cleanup.policy").value.as_deref(), Some("compact,delete"));
    let retention = entry(&entries, "retention.ms");
    assert_eq!(
        (retention.value.as_deref(), retention.source),
        (Some("1000"), Source::StaticBrokerConfig)
    );
    assert!(entries.iter().all(|entry| entry.name != "internal.segment.bytes"));
    assert!(entries.windows(2).all(|pair| pair[0].name < pair[1].name));
}

/// As Kafka: log.retention.hours gives the value, but is not the config's first synonym, so the
/// answer says "default".
#[test]
fn a_topic_value_from_a_coarser_unit_counts_as_default() {
    let layers =
        Layers { static_values: values(&[("log.retention.hours", "1")]), ..Layers::default() };
    let retention = entry(&describe_topic(&Values::new(), &layers), "retention.ms");
    assert_eq!(
        (retention.value.as_deref(), retention.source),
        (Some("3600000"), Source::DefaultConfig)
    );
    assert!(retention.synonyms.is_empty());
}

#[test]
fn a_broker_shows_sources_secrets_and_what_it_does_not_know() {
    let layers = Layers {
        static_values: values(&[
            ("num.partitions", "3"),
            ("ssl.key.password", "secret"),
            ("listener.name.in.ssl.keystore.password", "secret"),
            ("no.such.config", "maybe secret"),
        ]),
        dynamic_default: values(&[("log.retention.ms", "5")]),
        dynamic_broker: values(&[("log.retention.ms", "6")]),
        ..Layers::default()
    };
    let entries = describe_broker(&layers);
    let partitions = entry(&entries, "num.partitions");
    assert_eq!(
        (partitions.value.as_deref(), partitions.source),
        (Some("3"), Source::StaticBrokerConfig)
    );
    assert!(partitions.read_only);
    let retention = entry(&entries, "log.retention.ms");
    assert_eq!(
        (retention.value.as_deref(), retention.source),
        (Some("6"), Source::DynamicBrokerConfig)
    );
    assert_eq!(
        places(&retention),
        [
            ("log.retention.ms", Some("6"), Source::DynamicBrokerConfig),
            ("log.retention.ms", Some("5"), Source::DynamicDefaultBrokerConfig),
            ("log.retention.hours", Some("168"), Source::DefaultConfig),
        ]
    );
    assert!(!retention.read_only);
    for secret in ["ssl.key.password", "listener.name.in.ssl.keystore.password", "no.such.config"] {
        let entry = entry(&entries, secret);
        assert!(entry.is_sensitive && entry.value.is_none(), "{secret}");
        assert!(entry.synonyms.iter().all(|synonym| synonym.value.is_none()), "{secret}");
    }
    assert_eq!(entry(&entries, "no.such.config").config_type, ConfigType::Unknown);
    assert_eq!(entry(&entries, "io.backend").value.as_deref(), Some("auto"));
    assert!(entries.iter().all(|entry| entry.name != "leader.replication.throttled.rate"));

    let defaults = describe_broker_defaults(&layers);
    assert_eq!(defaults.len(), 1);
    assert_eq!(
        places(&defaults[0]),
        [("log.retention.ms", Some("5"), Source::DynamicDefaultBrokerConfig)]
    );
}

#[test]
fn a_group_inherits_from_the_broker_or_from_its_own_default() {
    let layers = Layers {
        static_values: values(&[("group.share.record.lock.duration.ms", "20000")]),
        ..Layers::default()
    };
    let entries = describe_group(&values(&[("share.isolation.level", "read_committed")]), &layers);
    let lock = entry(&entries, "share.record.lock.duration.ms");
    assert_eq!((lock.value.as_deref(), lock.source), (Some("20000"), Source::StaticBrokerConfig));
    let isolation = entry(&entries, "share.isolation.level");
    assert_eq!(
        places(&isolation),
        [
            ("share.isolation.level", Some("read_committed"), Source::GroupConfig),
            ("share.isolation.level", Some("read_uncommitted"), Source::DefaultConfig),
        ]
    );
    let shown = definitions::group().iter().filter(|definition| !definition.internal);
    assert_eq!(entries.len(), shown.count());
}

/// kafka.expected is what the admin client of Apache Kafka 4.4.0 printed of a broker with these
/// configs: one line per config with its value, source, type, flags and synonyms.
#[test]
fn answers_are_those_of_apache_kafka() {
    let layers = Layers {
        static_values: values(&[
            ("process.roles", "broker,controller"),
            ("node.id", "1"),
            ("broker.id", "1"),
            ("listeners", "PLAINTEXT://127.0.0.1:21010,CONTROLLER://127.0.0.1:21011"),
            ("controller.listener.names", "CONTROLLER"),
            ("controller.quorum.bootstrap.servers", "127.0.0.1:21011"),
            ("log.dirs", "/var/lib/kafka"),
            ("offsets.topic.replication.factor", "1"),
            ("transaction.state.log.replication.factor", "1"),
            ("share.coordinator.state.topic.replication.factor", "1"),
            ("transaction.state.log.min.isr", "1"),
            ("share.coordinator.state.topic.min.isr", "1"),
            ("log.retention.hours", "2"),
            ("num.partitions", "3"),
            ("ssl.key.password", "secret1"),
            ("log.segment.bytes", "2000000"),
        ]),
        // The controller sets the first one itself when a cluster with eligible leader replicas is
        // made.
        dynamic_default: values(&[("min.insync.replicas", "1"), ("log.segment.bytes", "5000000")]),
        dynamic_broker: Values::new(),
        ..Layers::default()
    };
    let topic = values(&[("cleanup.policy", "compact , delete"), ("segment.bytes", "3000000")]);
    let mut lines = Vec::new();
    let mut add = |resource: &str, entries: Vec<Entry>| {
        let own = || super::super::own::BROKER.iter().chain(super::super::topic::OWN);
        let kafkas = |entry: &&Entry| own().all(|own| own.name != entry.name);
        lines.extend(
            entries.iter().filter(kafkas).map(|entry| format!("{resource} {}", printed(entry))),
        );
    };
    add("TOPIC/t", describe_topic(&topic, &layers));
    add("BROKER/1", describe_broker(&layers));
    add("BROKER/", describe_broker_defaults(&layers));
    add("GROUP/g", describe_group(&Values::new(), &layers));
    let expected: std::collections::BTreeSet<&str> =
        include_str!("kafka.expected").lines().collect();
    let answered: std::collections::BTreeSet<&str> = lines.iter().map(String::as_str).collect();
    let missing: Vec<_> = expected.difference(&answered).collect();
    let surplus: Vec<_> = answered.difference(&expected).collect();
    assert!(
        missing.is_empty() && surplus.is_empty(),
        "missing: {missing:#?}\nsurplus: {surplus:#?}"
    );
}

fn printed(entry: &Entry) -> String {
    let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "null".to_owned());
    let source = |source: Source| match source {
        Source::TopicConfig => "DYNAMIC_TOPIC_CONFIG",
        Source::DynamicBrokerConfig => "DYNAMIC_BROKER_CONFIG",
        Source::DynamicDefaultBrokerConfig => "DYNAMIC_DEFAULT_BROKER_CONFIG",
        Source::StaticBrokerConfig => "STATIC_BROKER_CONFIG",
        Source::DefaultConfig => "DEFAULT_CONFIG",
        Source::GroupConfig => "DYNAMIC_GROUP_CONFIG",
        other => panic!("{other:?} does not occur"),
    };
    let config_type = format!("{:?}", entry.config_type).to_uppercase();
    let (sensitive, read_only) = (entry.is_sensitive, entry.read_only);
    let mut line = format!(
        "{} = {} {} {config_type} sensitive={sensitive} readonly={read_only}",
        entry.name,
        value(&entry.value),
        source(entry.source)
    );
    for synonym in &entry.synonyms {
        line.push_str(&format!(
            " {{{}={} {}}}",
            synonym.name,
            value(&synonym.value),
            source(synonym.source)
        ));
    }
    line
}
