use super::*;

fn values(pairs: &[(&str, &str)]) -> Values {
    pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
}

fn entry(entries: &[Entry], name: &str) -> Entry {
    entries.iter().find(|entry| entry.name == name).unwrap_or_else(|| panic!("no {name}")).clone()
}

fn places(entry: &Entry) -> Vec<(&str, Option<&str>, Source)> {
    entry.synonyms.iter().map(|synonym| (synonym.name.as_str(), synonym.value.as_deref(), synonym.source)).collect()
}

#[test]
fn a_topic_inherits_from_every_layer() {
    let layers = Layers {
        static_values: values(&[("log.segment.bytes", "2000000"), ("log.retention.ms", "1000")]),
        dynamic_default: values(&[("log.segment.bytes", "3000000")]),
        dynamic_broker: Values::new(),
    };
    let entries =
        describe_topic(&values(&[("segment.bytes", "4000000"), ("cleanup.policy", "compact, delete")]), &layers);
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
    assert_eq!((retention.value.as_deref(), retention.source), (Some("1000"), Source::StaticBrokerConfig));
    assert!(entries.iter().all(|entry| entry.name != "internal.segment.bytes"));
    assert!(entries.windows(2).all(|pair| pair[0].name < pair[1].name));
}

/// As Kafka: log.retention.hours gives the value, but is not the config's first synonym, so the answer says "default".
#[test]
fn a_topic_value_from_a_coarser_unit_counts_as_default() {
    let layers = Layers { static_values: values(&[("log.retention.hours", "1")]), ..Layers::default() };
    let retention = entry(&describe_topic(&Values::new(), &layers), "retention.ms");
    assert_eq!((retention.value.as_deref(), retention.source), (Some("3600000"), Source::DefaultConfig));
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
    };
    let entries = describe_broker(&layers);
    let partitions = entry(&entries, "num.partitions");
    assert_eq!((partitions.value.as_deref(), partitions.source), (Some("3"), Source::StaticBrokerConfig));
    assert!(partitions.read_only);
    let retention = entry(&entries, "log.retention.ms");
    assert_eq!((retention.value.as_deref(), retention.source), (Some("6"), Source::DynamicBrokerConfig));
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
    assert_eq!(places(&defaults[0]), [("log.retention.ms", Some("5"), Source::DynamicDefaultBrokerConfig)]);
}

#[test]
fn a_group_inherits_from_the_broker_or_from_its_own_default() {
    let layers =
        Layers { static_values: values(&[("group.share.record.lock.duration.ms", "20000")]), ..Layers::default() };
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
    assert_eq!(entries.len(), definitions::group().len());
}
