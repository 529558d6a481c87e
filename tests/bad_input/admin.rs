//! What operators' tools ask, and what clients say of their own metrics: each error as Apache Kafka
//! 4.4 has it, and nothing changed by a request that has one.

use super::with_neighbour;
use crate::support::{self, Broker, Client, client, unique};
use bytes::Bytes;
use protocol::{
    ApiKey, ErrorCode, Uuid,
    messages::{
        AlterUserScramCredentialsRequest, ApiVersionsRequest, DeleteTopicsRequest,
        DescribeUserScramCredentialsRequest, ElectLeadersRequest, GetTelemetrySubscriptionsRequest,
        ListConfigResourcesRequest, MetadataRequest, PushTelemetryRequest, UnregisterBrokerRequest,
        alter_user_scram_credentials_request::{ScramCredentialDeletion, ScramCredentialUpsertion},
        delete_topics_request::DeleteTopicState,
        describe_user_scram_credentials_request::UserName,
        elect_leaders_request::TopicPartitions,
        metadata_request::MetadataRequestTopic,
    },
};
use std::collections::BTreeMap;

const SHA_256: i8 = 1;

fn upsertion(name: &str, mechanism: i8, iterations: i32) -> ScramCredentialUpsertion {
    ScramCredentialUpsertion {
        name: name.to_owned(),
        mechanism,
        iterations,
        salt: Bytes::from_static(b"salt"),
        salted_password: Bytes::from_static(b"salted password"),
    }
}

fn alter_users(
    client: &mut Client,
    deletions: &[(&str, i8)],
    upsertions: Vec<ScramCredentialUpsertion>,
) -> BTreeMap<String, ErrorCode> {
    let deletion = |(name, mechanism): &(&str, i8)| ScramCredentialDeletion {
        name: (*name).to_owned(),
        mechanism: *mechanism,
    };
    let deletions = deletions.iter().map(deletion).collect();
    let request = AlterUserScramCredentialsRequest { deletions, upsertions };
    let results = client.call(&request, 0).results;
    results.into_iter().map(|one| (one.user, client::error(one.error_code))).collect()
}

/// The error, and each mechanism with its iterations.
fn describe_user(client: &mut Client, name: &str) -> (ErrorCode, Vec<(i8, i32)>) {
    let users = Some(vec![UserName { name: name.to_owned() }]);
    let response = client.call(&DescribeUserScramCredentialsRequest { users }, 0);
    assert_eq!((response.error_code, response.results.len()), (0, 1));
    let result = &response.results[0];
    let infos = result.credential_infos.iter();
    let infos = infos.map(|info| (info.mechanism, info.iterations)).collect();
    (client::error(result.error_code), infos)
}

#[test]
fn credentials_that_cannot_be_are_refused_one_by_one() {
    with_neighbour(|broker| {
        let mut client = Client::connect(broker.address);
        let (good, twice, missing) = (unique("good"), unique("twice"), unique("missing"));
        let told = alter_users(
            &mut client,
            &[(&missing, SHA_256), ("odd", 3)],
            vec![
                upsertion(&good, SHA_256, 4096),
                upsertion(&twice, SHA_256, 4096),
                upsertion(&twice, 2, 4096),
                upsertion("few", SHA_256, 4095),
                upsertion("many", 2, 16385),
                upsertion("unknown", -1, 4096),
                upsertion("", SHA_256, 4096),
            ],
        );
        let unacceptable = ErrorCode::UnacceptableCredential;
        let expected = [
            (&*good, ErrorCode::None),
            (&*twice, ErrorCode::DuplicateResource),
            (&*missing, ErrorCode::ResourceNotFound),
            ("odd", ErrorCode::UnsupportedSaslMechanism),
            ("few", unacceptable),
            ("many", unacceptable),
            ("unknown", ErrorCode::UnsupportedSaslMechanism),
            ("", unacceptable),
        ];
        let expected = expected.map(|(user, error)| (user.to_owned(), error));
        assert_eq!(told, BTreeMap::from(expected));
        support::eventually("the credential is there", || {
            describe_user(&mut client, &good) == (ErrorCode::None, vec![(SHA_256, 4096)])
        });
        assert_eq!(describe_user(&mut client, &twice).0, ErrorCode::ResourceNotFound);
        let users = [&good, &good].map(|name| UserName { name: name.clone() });
        let request = DescribeUserScramCredentialsRequest { users: Some(users.to_vec()) };
        let results = client.call(&request, 0).results;
        let error = client::error(results[0].error_code);
        assert_eq!((results.len(), error), (1, ErrorCode::DuplicateResource));

        let none = ScramCredentialUpsertion {
            salted_password: Default::default(),
            ..upsertion(&good, SHA_256, 5000)
        };
        let error = alter_users(&mut client, &[], vec![none])[&good];
        let is_refused =
            error == unacceptable || broker.is_peer() && error == ErrorCode::UnknownServerError;
        assert!(is_refused, "{error}");
        assert_eq!(describe_user(&mut client, &good).1, [(SHA_256, 4096)]);
        assert_eq!(alter_users(&mut client, &[(&good, SHA_256)], vec![])[&good], ErrorCode::None);
    });
}

/// Kafka unregisters a broker that serves, whose partitions have no leader then.
#[test]
fn a_broker_that_serves_is_not_unregistered() {
    with_neighbour(|broker| {
        let mut client = Client::connect(broker.address);
        for (broker_id, expected) in [
            (77, ErrorCode::BrokerIdNotRegistered),
            (-1, ErrorCode::BrokerIdNotRegistered),
            (1, ErrorCode::InvalidRequest),
        ] {
            if broker_id != 1 || !broker.is_peer() {
                let response = client.call(&UnregisterBrokerRequest { broker_id }, 0);
                assert_eq!(client::error(response.error_code), expected, "broker {broker_id}");
                assert!(response.error_message.is_some());
            }
        }
    });
}

fn id_of(client: &mut Client, topic: &str) -> Uuid {
    let topic = MetadataRequestTopic { name: Some(topic.to_owned()), ..Default::default() };
    let request = MetadataRequest { topics: Some(vec![topic]), ..Default::default() };
    client.call(&request, 12).topics[0].topic_id
}

#[test]
fn topics_are_deleted_by_an_id_that_is_clear() {
    with_neighbour(|broker| {
        let mut client = Client::connect(broker.address);
        let topic = unique("by-id");
        client.create_topic(&topic, 1, &[]);
        let id = id_of(&mut client, &topic);
        let mut delete = |targets: &[(Option<&str>, Uuid)]| {
            let target = |(name, topic_id): &(Option<&str>, Uuid)| DeleteTopicState {
                name: name.map(str::to_owned),
                topic_id: *topic_id,
            };
            let topics = targets.iter().map(target).collect();
            let request = DeleteTopicsRequest { topics, timeout_ms: 30_000, ..Default::default() };
            let responses = client.call(&request, 6).responses.into_iter();
            responses
                .map(|one| (one.name, one.topic_id, client::error(one.error_code)))
                .collect::<Vec<_>>()
        };
        let named = Some(&*topic);
        let invalid = ErrorCode::InvalidRequest;
        let other = Uuid::from_u128(0x1234_5678_9abc_def0);
        assert_eq!(delete(&[(None, other)]), [(None, other, ErrorCode::UnknownTopicId)]);
        assert_eq!(delete(&[(None, Uuid::ZERO)]), [(None, Uuid::ZERO, invalid)]);
        assert_eq!(delete(&[(named, id)])[0].2, invalid);
        assert_eq!(delete(&[(None, id), (None, id)]), [(None, id, invalid)]);
        for clash in [[(None, id), (named, Uuid::ZERO)], [(named, Uuid::ZERO), (None, id)]] {
            let told = delete(&clash);
            assert!(told.iter().all(|(.., error)| *error == invalid), "{told:?}");
        }
        let mixed = delete(&[(None, other), (None, id)]);
        let errors: BTreeMap<Uuid, ErrorCode> =
            mixed.into_iter().map(|(_, id, error)| (id, error)).collect();
        let expected = [(id, ErrorCode::None), (other, ErrorCode::UnknownTopicId)];
        assert_eq!(errors, BTreeMap::from(expected));
        assert_eq!(delete(&[(None, id)])[0].2, ErrorCode::UnknownTopicId);
    });
}

#[test]
fn resources_are_listed_by_types_that_there_are() {
    with_neighbour(|broker| {
        let mut client = Client::connect(broker.address);
        let topic = unique("listed");
        client.create_topic(&topic, 1, &[]);
        let mut list = |types: &[i8], version: i16| {
            let request = ListConfigResourcesRequest { resource_types: types.to_vec() };
            let response = client.call(&request, version);
            let has_topic = response
                .config_resources
                .iter()
                .any(|one| one.resource_type == 2 && one.resource_name == topic);
            (client::error(response.error_code), has_topic)
        };
        assert_eq!(list(&[], 1), (ErrorCode::None, true));
        assert_eq!(list(&[2, 2], 1), (ErrorCode::None, true));
        assert_eq!(list(&[4, 8, 16, 32], 1), (ErrorCode::None, false));
        assert_eq!(list(&[], 0), (ErrorCode::None, false));
        for unknown in [0, 1, 3, -1, 64] {
            assert_eq!(list(&[2, unknown], 1), (ErrorCode::UnsupportedVersion, false));
        }
    });
}

#[test]
fn leaders_are_elected_for_partitions_that_need_one() {
    with_neighbour(|broker| {
        let mut client = Client::connect(broker.address);
        let topic = unique("elected");
        client.create_topic(&topic, 1, &[]);
        let mut elect = |election_type: i8, version: i16, topic: &str, partition: i32| {
            let named = TopicPartitions { topic: topic.to_owned(), partitions: vec![partition] };
            let request = ElectLeadersRequest {
                election_type,
                topic_partitions: Some(vec![named]),
                timeout_ms: 10_000,
            };
            let response = client.call(&request, version);
            match response.replica_election_results.first() {
                Some(result) => client::error(result.partition_result[0].error_code),
                None => client::error(response.error_code),
            }
        };
        for version in 0..=2 {
            assert_eq!(elect(0, version, &topic, 0), ErrorCode::ElectionNotNeeded);
            assert_eq!(elect(0, version, &topic, 9), ErrorCode::UnknownTopicOrPartition);
        }
        assert_eq!(elect(1, 2, &topic, 0), ErrorCode::ElectionNotNeeded);
        assert_eq!(elect(1, 2, "no-such-topic", 0), ErrorCode::UnknownTopicOrPartition);
        assert_eq!(elect(7, 2, &topic, 0), ErrorCode::InvalidRequest);
        let everything = ElectLeadersRequest { timeout_ms: 10_000, ..Default::default() };
        let request = ElectLeadersRequest { topic_partitions: None, ..everything };
        let response = client.call(&request, 2);
        assert_eq!(client::error(response.error_code), ErrorCode::None);
        let mut results = response.replica_election_results.iter();
        assert!(results.all(|one| one.partition_result.is_empty()), "those in need are named");
    });
}

/// A client instance on a connection of its own, which has asked what to push.
struct Pushing {
    client: Client,
    id: Uuid,
    subscription_id: i32,
}

impl Pushing {
    fn on(broker: &Broker) -> Pushing {
        let mut client = Client::connect(broker.address);
        let answer = client.call(&GetTelemetrySubscriptionsRequest::default(), 0);
        assert_eq!(client::error(answer.error_code), ErrorCode::None);
        assert!(!answer.client_instance_id.is_zero() && answer.telemetry_max_bytes == 1 << 20);
        assert!(answer.delta_temporality && answer.push_interval_ms <= 300_000);
        assert_eq!(answer.accepted_compression_types, [4, 3, 1, 2]);
        let (id, subscription_id) = (answer.client_instance_id, answer.subscription_id);
        Pushing { client, id, subscription_id }
    }

    fn get(&mut self) -> ErrorCode {
        let request = GetTelemetrySubscriptionsRequest { client_instance_id: self.id };
        client::error(self.client.call(&request, 0).error_code)
    }

    fn push(&mut self, change: impl Fn(PushTelemetryRequest) -> PushTelemetryRequest) -> ErrorCode {
        let request = PushTelemetryRequest {
            client_instance_id: self.id,
            subscription_id: self.subscription_id,
            ..Default::default()
        };
        client::error(self.client.call(&change(request), 0).error_code)
    }
}

#[test]
fn pushes_of_metrics_that_cannot_be_are_refused() {
    type Change = fn(PushTelemetryRequest) -> PushTelemetryRequest;
    let refused: [(Change, ErrorCode); 6] = [
        (
            |push| PushTelemetryRequest { client_instance_id: Uuid::ZERO, ..push },
            ErrorCode::InvalidRequest,
        ),
        (
            |push| PushTelemetryRequest { client_instance_id: Uuid::from_u128(1), ..push },
            ErrorCode::InvalidRequest,
        ),
        (
            |push| PushTelemetryRequest { subscription_id: push.subscription_id ^ 1, ..push },
            ErrorCode::UnknownSubscriptionId,
        ),
        (
            |push| PushTelemetryRequest { compression_type: 5, ..push },
            ErrorCode::UnsupportedCompressionType,
        ),
        (
            |push| PushTelemetryRequest { compression_type: -1, ..push },
            ErrorCode::UnsupportedCompressionType,
        ),
        (
            |push| PushTelemetryRequest { metrics: vec![0; (1 << 20) + 1].into(), ..push },
            ErrorCode::TelemetryTooLarge,
        ),
    ];
    with_neighbour(|broker| {
        for (change, expected) in refused {
            assert_eq!(Pushing::on(broker).push(change), expected);
        }
        // What no client has packed; a broker without a page still reads it.
        for (compression_type, metrics) in [(0, vec![0xff; 100]), (4, vec![7; 100])] {
            let noise = |push| PushTelemetryRequest {
                compression_type,
                metrics: metrics.clone().into(),
                ..push
            };
            let error = Pushing::on(broker).push(noise);
            assert!(error == ErrorCode::InvalidRecord || broker.is_peer(), "{error}");
        }
    });
}

#[test]
fn a_client_asks_and_pushes_in_its_intervals_until_it_ends() {
    with_neighbour(|broker| {
        let mut pushing = Pushing::on(broker);
        let throttled = ErrorCode::ThrottlingQuotaExceeded;
        assert_eq!(pushing.get(), throttled);
        assert_eq!(pushing.push(|push| push), ErrorCode::None);
        assert_eq!(pushing.push(|push| push), throttled);
        let last = |push| PushTelemetryRequest { terminating: true, ..push };
        assert_eq!(pushing.push(last), ErrorCode::None, "the last one may come early");
        assert_eq!(pushing.push(last), ErrorCode::InvalidRequest);
        // An answer that it did not know of is to be had at once.
        let mut pushing = Pushing::on(broker);
        let other = |push| PushTelemetryRequest { subscription_id: 0x5eed, ..push };
        assert_eq!(pushing.push(other), ErrorCode::UnknownSubscriptionId);
        assert_eq!(pushing.get(), ErrorCode::None);
        assert_eq!(pushing.get(), throttled);
    });
}

/// These brokers have no admin page.
#[test]
fn where_no_metrics_are_shown_clients_are_not_asked_for_any() {
    with_neighbour(|broker| {
        let mut client = Client::connect(broker.address);
        let advertised = client.call(&ApiVersionsRequest::default(), 0).api_keys;
        let has = |key: ApiKey| advertised.iter().any(|entry| entry.api_key == key.code());
        assert!(has(ApiKey::Metadata));
        assert!(!has(ApiKey::GetTelemetrySubscriptions) && !has(ApiKey::PushTelemetry));
    });
}
