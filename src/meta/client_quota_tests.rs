//! Quotas of clients: altered, described, kept, and what a client may change under one.

use super::{
    answers,
    controller::{ControllerRequest, ControllerResponse, Mutations},
    testing::{World, topic},
};
use protocol::{
    ErrorCode,
    messages::{
        AlterClientQuotasRequest, CreatePartitionsRequest, DeleteTopicsRequest,
        DescribeClientQuotasRequest,
        alter_client_quotas_request::{EntityData, EntryData, OpData},
        create_partitions_request::CreatePartitionsTopic,
        delete_topics_request::DeleteTopicState,
        describe_client_quotas_request::ComponentData,
    },
};

type Entity<'a> = &'a [(&'a str, Option<&'a str>)];
type Ops<'a> = &'a [(&'a str, Option<f64>)];

const PRODUCE: &str = "producer_byte_rate";

fn entry(entity: Entity<'_>, ops: Ops<'_>) -> EntryData {
    let part = |(entity_type, name): &(&str, Option<&str>)| EntityData {
        entity_type: (*entity_type).to_owned(),
        entity_name: name.map(str::to_owned),
    };
    let op = |(key, value): &(&str, Option<f64>)| OpData {
        key: (*key).to_owned(),
        value: value.unwrap_or_default(),
        remove: value.is_none(),
    };
    EntryData { entity: entity.iter().map(part).collect(), ops: ops.iter().map(op).collect() }
}

/// The code and the message for each entity.
fn alter(world: &mut World, entries: Vec<EntryData>) -> Vec<(ErrorCode, String)> {
    let request = AlterClientQuotasRequest { entries, validate_only: false };
    let ControllerResponse::AlterClientQuotas(response) =
        world.ask(ControllerRequest::AlterClientQuotas(request))
    else {
        panic!("another answer")
    };
    let told = response.entries.into_iter().map(|entry| {
        let code = ErrorCode::from_code(entry.error_code).expect("a code of this release");
        (code, entry.error_message.unwrap_or_default())
    });
    told.collect()
}

fn set(world: &mut World, entity: Entity<'_>, ops: Ops<'_>) {
    assert_eq!(alter(world, vec![entry(entity, ops)]), [(ErrorCode::None, String::new())]);
}

#[test]
fn quotas_are_set_changed_and_removed_and_stay_in_the_log() {
    let mut world = World::new();
    let both: Entity<'_> = &[("user", Some("u")), ("client-id", None)];
    set(&mut world, both, &[(PRODUCE, Some(1000.0)), ("request_percentage", Some(0.5))]);
    set(&mut world, &[("ip", Some("::1"))], &[("connection_creation_rate", Some(7.0))]);
    let before = world.next_offset;
    set(&mut world, both, &[(PRODUCE, Some(1000.0)), ("consumer_byte_rate", None)]);
    assert_eq!(world.next_offset, before, "nothing has changed: nothing is written");
    set(&mut world, both, &[(PRODUCE, None), ("controller_mutation_rate", Some(2.5))]);
    let sorted = [("client-id", None), ("user", Some("u"))];
    let entity: Vec<_> =
        sorted.iter().map(|(kind, name)| ((*kind).to_owned(), name.map(str::to_owned))).collect();
    let quotas = world.image().client_quotas.get(&entity).expect("it has quotas").clone();
    let kept: Vec<_> = quotas.iter().map(|(key, value)| (key.as_str(), *value)).collect();
    assert_eq!(kept, [("controller_mutation_rate", 2.5), ("request_percentage", 0.5)]);
    assert_eq!(&world.replayed(), world.image());
    set(&mut world, both, &[("controller_mutation_rate", None), ("request_percentage", None)]);
    assert!(world.image().client_quotas.get(&entity).is_none());
}

#[test]
fn what_is_only_validated_changes_nothing() {
    let mut world = World::new();
    let entries = vec![entry(&[("user", Some("u"))], &[(PRODUCE, Some(1.0))])];
    let request = AlterClientQuotasRequest { entries, validate_only: true };
    let outcome = world.decide(&ControllerRequest::AlterClientQuotas(request));
    assert!(outcome.records.is_empty());
}

#[test]
fn entities_and_values_that_cannot_be_are_refused_with_kafkas_words() {
    let one = Some(1.0);
    let user: Entity<'_> = &[("user", Some("u"))];
    let ip: Entity<'_> = &[("ip", Some("10.0.0.1"))];
    let cases: [(Entity<'_>, Ops<'_>, &str); 15] = [
        (&[], &[], "Invalid empty client quota entity"),
        (&[("group", Some("g"))], &[], "Unhandled client quota entity type: group"),
        (&[("user", Some(""))], &[], "Empty user not supported"),
        (
            &[("ip", None), ("user", None)],
            &[],
            "Invalid quota entity combination, IP entity should not be combined with User or \
             ClientId",
        ),
        (&[("ip", Some("a host"))], &[], "a host is not a valid IP or resolvable host."),
        (user, &[("rate", one)], "Invalid configuration key rate"),
        (ip, &[(PRODUCE, one)], "Invalid configuration key producer_byte_rate"),
        (
            user,
            &[("connection_creation_rate", one)],
            "Invalid configuration key connection_creation_rate",
        ),
        (user, &[(PRODUCE, Some(0.0))], "Quota producer_byte_rate must be greater than 0"),
        (user, &[(PRODUCE, Some(-1.0))], "Quota producer_byte_rate must be greater than 0"),
        (user, &[(PRODUCE, Some(f64::NAN))], "Quota producer_byte_rate must be a finite number"),
        (user, &[(PRODUCE, Some(1.5))], "producer_byte_rate cannot be a fractional value."),
        (
            user,
            &[(PRODUCE, Some(1e19))],
            "Proposed value for producer_byte_rate is too large for a LONG.",
        ),
        (
            ip,
            &[("connection_creation_rate", Some(3e9))],
            "Proposed value for connection_creation_rate is too large for an INT.",
        ),
        (
            user,
            &[(PRODUCE, one), (PRODUCE, one)],
            "Ignoring duplicate entity ClientQuotaEntity(entries={user=u})",
        ),
    ];
    let mut world = World::new();
    for (entity, ops, message) in cases {
        let told = alter(&mut world, vec![entry(entity, ops)]);
        assert_eq!(told, [(ErrorCode::InvalidRequest, message.to_owned())]);
    }
    assert!(world.image().client_quotas.is_empty());
}

#[test]
fn one_bad_entity_of_a_request_leaves_the_others_alone_and_each_is_answered_once() {
    let mut world = World::new();
    let (a, b) = ([("user", Some("a"))], [("user", Some("b"))]);
    let told = alter(
        &mut world,
        vec![
            entry(&a, &[(PRODUCE, Some(1.0))]),
            entry(&b, &[(PRODUCE, Some(1.0)), ("x", Some(1.0))]),
            entry(&a, &[(PRODUCE, Some(2.0))]),
        ],
    );
    let duplicate = "Ignoring duplicate entity ClientQuotaEntity(entries={user=a})";
    assert_eq!(told[0], (ErrorCode::InvalidRequest, duplicate.to_owned()));
    assert_eq!(told[1], (ErrorCode::InvalidRequest, "Invalid configuration key x".to_owned()));
    assert_eq!(told.len(), 2);
    let quotas: Vec<_> = world.image().client_quotas.iter().collect();
    assert_eq!(quotas.len(), 1, "that of the first stands, as in Kafka");
    assert_eq!(quotas[0].1[PRODUCE], 1.0);
}

/// The entities that a filter lets through, by their names.
fn described(
    world: &World,
    components: &[(&str, i8, Option<&str>)],
    strict: bool,
) -> Result<Vec<String>, (ErrorCode, String)> {
    let component = |(entity_type, match_type, name): &(&str, i8, Option<&str>)| ComponentData {
        entity_type: (*entity_type).to_owned(),
        match_type: *match_type,
        match_: name.map(str::to_owned),
    };
    let components = components.iter().map(component).collect();
    let request = DescribeClientQuotasRequest { components, strict };
    let response = answers::describe_client_quotas(world.image(), &request);
    let Some(entries) = response.entries else {
        let code = ErrorCode::from_code(response.error_code).expect("a code of this release");
        return Err((code, response.error_message.unwrap_or_default()));
    };
    let shown = entries.iter().map(|entry| {
        assert_eq!((entry.values.len(), &*entry.values[0].key), (1, PRODUCE));
        let part = |part: &protocol::messages::describe_client_quotas_response::EntityData| {
            format!("{}={}", part.entity_type, part.entity_name.as_deref().unwrap_or("*"))
        };
        entry.entity.iter().map(part).collect::<Vec<_>>().join("+")
    });
    Ok(shown.collect())
}

const EXACT: i8 = 0;
const DEFAULT: i8 = 1;
const ANY: i8 = 2;

#[test]
fn a_filter_lets_through_what_it_names_exactly_by_default_or_at_all() {
    let mut world = World::new();
    let entities: [Entity<'_>; 5] = [
        &[("user", Some("u"))],
        &[("user", None)],
        &[("client-id", Some("c"))],
        &[("user", Some("u")), ("client-id", Some("c"))],
        &[("user", Some("u")), ("client-id", None)],
    ];
    for entity in entities {
        set(&mut world, entity, &[(PRODUCE, Some(1.0))]);
    }
    let see = |components: &[(&str, i8, Option<&str>)], strict| {
        described(&world, components, strict).expect("a valid filter")
    };
    assert_eq!(see(&[], false).len(), 5);
    assert_eq!(see(&[], true), [""; 0], "none is of no entity");
    let of_u = ["client-id=*+user=u", "client-id=c+user=u", "user=u"];
    assert_eq!(see(&[("user", EXACT, Some("u"))], false), of_u);
    assert_eq!(see(&[("user", EXACT, Some("u"))], true), ["user=u"]);
    assert_eq!(see(&[("user", DEFAULT, None)], false), ["user=*"]);
    assert_eq!(see(&[("user", ANY, None)], true), ["user=*", "user=u"]);
    let both = [("user", ANY, None), ("client-id", DEFAULT, None)];
    assert_eq!(see(&both, true), ["client-id=*+user=u"]);
    assert_eq!(see(&[("ip", ANY, None)], false), [""; 0]);
}

#[test]
fn a_filter_that_cannot_be_is_refused_with_kafkas_words() {
    let world = World::new();
    let invalid = ErrorCode::InvalidRequest;
    type Filter<'a> = &'a [(&'a str, i8, Option<&'a str>)];
    let cases: [(Filter<'_>, ErrorCode, &str); 8] = [
        (&[("", ANY, None)], invalid, "Invalid empty entity type."),
        (
            &[("user", ANY, None), ("user", DEFAULT, None)],
            invalid,
            "Entity type user cannot appear more than once in the filter.",
        ),
        (&[("x", ANY, None)], ErrorCode::UnsupportedVersion, "Unsupported entity type x"),
        (
            &[("user", EXACT, None)],
            invalid,
            "Request specified MATCH_TYPE_EXACT, but set match string to null.",
        ),
        (
            &[("user", DEFAULT, Some("u"))],
            invalid,
            "Request specified MATCH_TYPE_DEFAULT, but also specified a match string.",
        ),
        (
            &[("user", ANY, Some("u"))],
            invalid,
            "Request specified MATCH_TYPE_SPECIFIED, but also specified a match string.",
        ),
        (&[("user", 3, None)], invalid, "Unknown match type 3"),
        (
            &[("ip", ANY, None), ("user", ANY, None)],
            invalid,
            "Invalid entity filter component combination. IP filter component should not be used \
             with user or clientId filter component.",
        ),
    ];
    for (components, code, message) in cases {
        assert_eq!(described(&world, components, false), Err((code, message.to_owned())));
    }
}

fn create(world: &mut World, left: f64, is_strict: bool, partitions: &[i32]) -> Vec<ErrorCode> {
    world.mutations = Mutations::new(left, is_strict);
    let topics = (0..)
        .zip(partitions)
        .map(|(index, partitions)| topic(&format!("{left}-{index}"), *partitions, 1))
        .collect();
    let answered = world.create(topics).topics;
    answered.iter().map(|topic| ErrorCode::from_code(topic.error_code).unwrap()).collect()
}

#[test]
fn a_strict_client_is_refused_once_nothing_is_left_and_another_is_counted() {
    let mut world = World::new();
    let (none, over) = (ErrorCode::None, ErrorCode::ThrottlingQuotaExceeded);
    assert_eq!(create(&mut world, 1.0, true, &[4, 2, 1]), [none, over, over]);
    assert_eq!((world.mutations.taken, world.mutations.is_exceeded), (4.0, true));
    assert_eq!(create(&mut world, 4.0, true, &[4, 2, 1]), [none, none, over], "0 is not below 0");
    assert_eq!(create(&mut world, -1.0, false, &[2]), [none]);
    assert_eq!((world.mutations.taken, world.mutations.is_exceeded), (2.0, false));
    assert_eq!(create(&mut world, -0.5, true, &[1]), [over]);
    assert_eq!(create(&mut world, 7.0, true, &[0]), [ErrorCode::InvalidPartitions]);
    assert_eq!(world.mutations.taken, 0.0, "what is refused anyway does not count");
}

#[test]
fn partitions_that_are_added_or_deleted_count_too() {
    let mut world = World::new();
    world.topic("a", 3);
    let more = CreatePartitionsTopic { name: "a".to_owned(), count: 8, assignments: None };
    let more = CreatePartitionsRequest { topics: vec![more], ..Default::default() };
    let gone = DeleteTopicState { name: Some("a".to_owned()), ..Default::default() };
    let gone = DeleteTopicsRequest { topics: vec![gone], ..Default::default() };
    for (left, expected) in [(-1.0, ErrorCode::ThrottlingQuotaExceeded), (0.0, ErrorCode::None)] {
        world.mutations = Mutations::new(left, true);
        let answer = world.ask(ControllerRequest::CreatePartitions(more.clone()));
        let ControllerResponse::CreatePartitions(response) = answer else { panic!("{answer:?}") };
        assert_eq!(ErrorCode::from_code(response.results[0].error_code), Some(expected));
    }
    assert_eq!(world.mutations.taken, 5.0);
    for (left, expected) in [(-1.0, ErrorCode::ThrottlingQuotaExceeded), (0.0, ErrorCode::None)] {
        world.mutations = Mutations::new(left, true);
        let request = ControllerRequest::DeleteTopics { request: gone.clone(), version: 6 };
        let answer = world.ask(request);
        let ControllerResponse::DeleteTopics(response) = answer else { panic!("{answer:?}") };
        assert_eq!(ErrorCode::from_code(response.responses[0].error_code), Some(expected));
    }
    assert_eq!(world.mutations.taken, 8.0);
}
