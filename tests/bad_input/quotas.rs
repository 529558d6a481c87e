//! Quotas that cannot be, and clients above one that can: as Apache Kafka 4.4 answers.

use super::with_neighbour;
use crate::support::{
    Client, batch,
    client::{self, PRODUCE_VERSION},
    unique,
};
use protocol::{
    ErrorCode,
    messages::{
        AlterClientQuotasRequest, DescribeClientQuotasRequest, MetadataRequest,
        alter_client_quotas_request::{EntityData, EntryData, OpData},
        describe_client_quotas_request::ComponentData,
    },
};

type Entity<'a> = &'a [(&'a str, Option<&'a str>)];

fn alter(
    client: &mut Client,
    entity: Entity<'_>,
    key: &str,
    value: Option<f64>,
) -> Vec<(ErrorCode, Option<String>)> {
    let part = |(entity_type, name): &(&str, Option<&str>)| EntityData {
        entity_type: (*entity_type).to_owned(),
        entity_name: name.map(str::to_owned),
    };
    let or_zero = value.unwrap_or_default();
    let op = OpData { key: key.to_owned(), value: or_zero, remove: value.is_none() };
    let entry = EntryData { entity: entity.iter().map(part).collect(), ops: vec![op] };
    let request = AlterClientQuotasRequest { entries: vec![entry], validate_only: false };
    let told = client.call(&request, 1).entries.into_iter();
    told.map(|entry| (client::error(entry.error_code), entry.error_message)).collect()
}

#[test]
fn quotas_that_cannot_be_are_refused_and_leave_nothing() {
    with_neighbour(|broker| {
        let mut client = Client::connect(broker.address);
        let name = unique("quota");
        let long = "x".repeat(30_000);
        let cases: [(Entity<'_>, &str, f64); 9] = [
            (&[], "producer_byte_rate", 1.0),
            (&[("user", Some(""))], "producer_byte_rate", 1.0),
            (&[("group", Some("g"))], "producer_byte_rate", 1.0),
            (&[("ip", Some("10.0.0.1")), ("user", Some("u"))], "connection_creation_rate", 1.0),
            (&[("user", Some(&name))], "producer_byte_rate", 0.0),
            (&[("user", Some(&name))], "producer_byte_rate", -1.0),
            (&[("user", Some(&name))], "producer_byte_rate", f64::INFINITY),
            (&[("user", Some(&name))], "no such key", 1.0),
            (&[("user", Some(&long))], "connection_creation_rate", 1.0),
        ];
        for (entity, key, value) in cases {
            let told = alter(&mut client, entity, key, Some(value));
            assert_eq!(told.len(), 1, "{entity:?}");
            assert_eq!(told[0].0, ErrorCode::InvalidRequest, "{:?}", told[0].1);
        }
        let component = |entity_type: &str, match_type, name: Option<&str>| ComponentData {
            entity_type: entity_type.to_owned(),
            match_type,
            match_: name.map(str::to_owned),
        };
        let mut describe = |components: Vec<ComponentData>| {
            client.call(&DescribeClientQuotasRequest { components, strict: false }, 1)
        };
        let left = describe(vec![component("user", 0, Some(&name))]);
        assert_eq!(left.entries.map(|entries| entries.len()), Some(0));
        let invalid = [
            vec![component("user", 7, None)],
            vec![component("user", -1, None)],
            vec![component("user", 0, None)],
            vec![component("", 2, None)],
            vec![component("user", 2, None), component("user", 2, None)],
        ];
        for components in invalid {
            let response = describe(components);
            assert_eq!(client::error(response.error_code), ErrorCode::InvalidRequest);
        }
        let unknown = describe(vec![component("group", 2, None)]);
        assert_eq!(client::error(unknown.error_code), ErrorCode::UnsupportedVersion);
    });
}

/// A quota that no request can keep to: the client is told, its connection lasts, and no other is
/// held up.
#[test]
fn a_client_far_above_its_quota_waits_alone() {
    with_neighbour(|broker| {
        if broker.is_peer() {
            // The quotas would last.
            return;
        }
        let mut admin = Client::connect(broker.address);
        let topic = unique("throttled");
        admin.create_topic(&topic, 1, &[]);
        // The neighbour, and all of this test's clients, have the same client id: the quota of
        // time does not change what is served, and has a client wait for one window at most.
        let user: Entity<'_> = &[("user", None)];
        assert_eq!(alter(&mut admin, user, "request_percentage", Some(1e-9))[0].0, ErrorCode::None);
        let mut waits = 0;
        for _ in 0..3 {
            let response = admin.call(&MetadataRequest::default(), 12);
            assert!((0..=1_000).contains(&response.throttle_time_ms), "{response:?}");
            waits += i32::from(response.throttle_time_ms > 0);
        }
        assert!(waits > 0, "no response says that the client is to wait");
        let request = client::produce_request(&topic, 0, batch::of(&[b"value"]), -1);
        let told = admin.call(&request, PRODUCE_VERSION);
        assert_eq!(told.responses[0].partition_responses[0].error_code, 0);
        assert!(told.throttle_time_ms <= 1_000, "{}", told.throttle_time_ms);
        assert_eq!(alter(&mut admin, user, "request_percentage", None)[0].0, ErrorCode::None);
        // A produce request that is worth weeks: only its own connection waits for them.
        let id: Entity<'_> = &[("client-id", Some("test"))];
        assert_eq!(alter(&mut admin, id, "producer_byte_rate", Some(1.0))[0].0, ErrorCode::None);
        let mut large = Client::connect(broker.address);
        let request = client::produce_request(&topic, 0, batch::of(&[&[7; 100_000][..]]), -1);
        let told = large.call(&request, PRODUCE_VERSION);
        assert!(told.throttle_time_ms > 60_000_000, "{}", told.throttle_time_ms);
        assert_eq!(alter(&mut admin, id, "producer_byte_rate", None)[0].0, ErrorCode::None);
        assert_eq!(admin.produce_value(&topic, 0, b"more"), 2);
    });
}
