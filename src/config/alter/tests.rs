use super::*;

fn values(pairs: &[(&str, &str)]) -> Values {
    pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
}

fn change(name: &str, operation: Operation, value: &str) -> Alteration {
    let value = (operation != Operation::Delete).then(|| value.to_owned());
    Alteration { name: name.to_owned(), operation, value }
}

fn apply(current: &[(&str, &str)], changes: &[Alteration]) -> Result<Values, Rejection> {
    apply_incremental(definitions::topic(), &values(current), changes)
}

#[test]
fn set_and_delete() {
    let changed = apply(
        &[("retention.ms", "1"), ("segment.ms", "2")],
        &[
            change("retention.ms", Operation::Set, "5"),
            change("segment.ms", Operation::Delete, ""),
            change("preallocate", Operation::Delete, ""),
        ],
    );
    assert_eq!(changed.unwrap(), values(&[("retention.ms", "5")]));
}

#[test]
fn append_starts_from_the_default_and_adds_nothing_twice() {
    use Operation::Append;
    let policy = |current: &[(&str, &str)], value: &str| {
        apply(current, &[change("cleanup.policy", Append, value)]).unwrap()["cleanup.policy"]
            .clone()
    };
    assert_eq!(policy(&[], "compact"), "delete,compact");
    assert_eq!(policy(&[], "delete"), "delete");
    assert_eq!(policy(&[("cleanup.policy", "compact")], "compact,delete"), "compact,delete");
    assert_eq!(policy(&[("cleanup.policy", "")], "compact,,"), "compact");
    assert_eq!(policy(&[("cleanup.policy", "compact")], ","), "compact");
}

#[test]
fn subtract_removes_what_is_there() {
    use Operation::Subtract;
    let policy = |current: &[(&str, &str)], value: &str| {
        apply(current, &[change("cleanup.policy", Subtract, value)]).unwrap()["cleanup.policy"]
            .clone()
    };
    assert_eq!(policy(&[("cleanup.policy", "compact,delete")], "delete"), "compact");
    assert_eq!(policy(&[], "delete"), "");
    assert_eq!(policy(&[], "compact"), "delete");
}

#[test]
fn what_cannot_be_applied_changes_nothing() {
    use Operation::{Append, Set};
    let rejection = apply(&[], &[change("retention.ms", Append, "5")]).unwrap_err();
    assert_eq!(rejection.error, ErrorCode::InvalidConfig);
    assert_eq!(rejection.message, "Can't APPEND to key retention.ms because its type is not LIST.");
    let rejection = apply(&[], &[change("a", Set, "1"), change("a", Set, "2")]).unwrap_err();
    assert_eq!(
        (rejection.error, rejection.message.as_str()),
        (ErrorCode::InvalidRequest, "Error due to duplicate config keys")
    );
    let null = Alteration { name: "a".to_owned(), operation: Set, value: None };
    let rejection = apply(&[], &[null]).unwrap_err();
    assert_eq!(
        (rejection.error, rejection.message.as_str()),
        (ErrorCode::InvalidRequest, "Null value not supported for : a")
    );
    assert!(apply(&[], &[change("a", Set, &"x".repeat(MAX_VALUE_BYTES))]).is_ok());
    assert!(apply(&[], &[change("a", Set, &"x".repeat(MAX_VALUE_BYTES + 1))]).is_err());
    assert_eq!(Operation::from_wire(3), Ok(Operation::Subtract));
    assert!(Operation::from_wire(4).is_err());
}

#[test]
fn topic_overrides() {
    let layers = Layers::default();
    let check = |pairs: &[(&str, &str)]| validate_topic_overrides(&values(pairs), &layers);
    assert_eq!(
        check(&[("retention.ms", "-1"), ("cleanup.policy", ""), ("durability", "os")]),
        Ok(())
    );
    let message = |pairs: &[(&str, &str)]| {
        let rejection = check(pairs).unwrap_err();
        assert_eq!(rejection.error, ErrorCode::InvalidConfig);
        rejection.message
    };
    assert_eq!(message(&[("no.such", "1")]), "Unknown topic config name: no.such");
    assert_eq!(message(&[("retention.ms", "abc")]), "retention.ms: 'abc' is not a whole number");
    let conflict = message(&[("min.compaction.lag.ms", "10"), ("max.compaction.lag.ms", "5")]);
    assert!(
        conflict.contains("min.compaction.lag.ms (10) > max.compaction.lag.ms (5)"),
        "{conflict}"
    );
    assert!(
        message(&[("remote.storage.enable", "true")])
            .contains("Tiered Storage functionality is disabled")
    );
}

#[test]
fn group_overrides_lie_within_the_brokers_bounds() {
    let layers = Layers::default();
    let check = |pairs: &[(&str, &str)]| {
        validate_group_overrides(&values(pairs), &layers).map_err(|rejection| rejection.message)
    };
    assert_eq!(check(&[]), Ok(()));
    assert_eq!(
        check(&[
            ("consumer.session.timeout.ms", "50000"),
            ("share.auto.offset.reset", "by_duration:PT1H")
        ]),
        Ok(())
    );
    assert_eq!(
        check(&[("consumer.session.timeout.ms", "1000")]).unwrap_err(),
        "consumer.session.timeout.ms must be greater than or equal to \
         group.consumer.min.session.timeout.ms"
    );
    assert_eq!(
        check(&[("streams.num.standby.replicas", "3")]).unwrap_err(),
        "streams.num.standby.replicas must be less than or equal to \
         group.streams.max.standby.replicas"
    );
    assert_eq!(check(&[("x", "1")]).unwrap_err(), "Unknown group config name: x");
}

#[test]
fn dynamic_broker_configs() {
    let check = |pairs: &[(&str, &str)], per_broker| {
        validate_broker_dynamic(&values(pairs), per_broker)
            .map_err(|rejection| (rejection.error, rejection.message))
    };
    assert_eq!(check(&[("log.retention.ms", "5"), ("plugin.option", "x")], false), Ok(()));
    assert_eq!(
        check(&[("num.partitions", "5")], true).unwrap_err(),
        (
            ErrorCode::InvalidRequest,
            "Cannot update these configs dynamically: [num.partitions]".to_owned()
        )
    );
    assert!(check(&[("listener.name.in.ssl.keystore.type", "PEM")], false).is_err());
    assert!(check(&[("listener.name.in.ssl.keystore.type", "PEM")], true).is_ok());
    assert!(check(&[("listener.name.in.max.connections", "5")], false).is_ok());
    assert_eq!(
        check(&[("log.retention.ms", "x")], true).unwrap_err().1,
        "log.retention.ms: 'x' is not a whole number"
    );
}

#[test]
fn limits_that_would_lock_everybody_out_are_named() {
    for (pairs, expected) in [
        (
            &[("max.connections", "0")][..],
            Some("Invalid value 0 for configuration max.connections"),
        ),
        (
            &[("max.connections", " -1 ")],
            Some("Invalid value  -1  for configuration max.connections"),
        ),
        (
            &[("max.connection.creation.rate", "0")],
            Some("Invalid value 0 for configuration max.connection.creation.rate"),
        ),
        (
            &[("listener.name.in.max.connections", "0")],
            Some("Invalid value 0 for configuration listener.name.in.max"),
        ),
        (
            &[("max.connections.per.ip", "0")],
            Some("max.connections.per.ip can be set to zero only if"),
        ),
        (
            &[("max.connections.per.ip", "0"), ("max.connections.per.ip.overrides", "127.0.0.1:5")],
            None,
        ),
        (
            &[
                ("max.connections", "1"),
                ("max.connection.creation.rate", "1"),
                ("max.connections.per.ip", "1"),
            ],
            None,
        ),
        (
            &[("max.incremental.fetch.session.cache.slots", "0"), ("plugin.max.connections", "0")],
            None,
        ),
    ] {
        let found = lock_out(&values(pairs));
        match expected {
            Some(begin) => {
                assert!(
                    found.as_deref().is_some_and(|found| found.starts_with(begin)),
                    "{pairs:?}: {found:?}"
                )
            }
            None => assert_eq!(found, None, "{pairs:?}"),
        }
    }
}

#[test]
fn dynamic_configs_of_another_release_are_ignored() {
    let stored =
        values(&[("log.retention.ms", "5"), ("log.segment.bytes", "x"), ("num.partitions", "3")]);
    let (usable, ignored) = usable_dynamic(&stored, false);
    assert_eq!(usable, values(&[("log.retention.ms", "5")]));
    assert_eq!(
        ignored,
        [
            "A dynamic config is ignored: log.segment.bytes: 'x' is not a whole number",
            "A dynamic config is ignored: Cannot update these configs dynamically: \
             [num.partitions]",
        ]
    );
}
