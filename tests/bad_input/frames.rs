//! Frames and requests that are none: lengths, API keys, versions, malformed bodies.

use super::{support::client, with_neighbour};
use crate::support::{Broker, Client, unique};
use bytes::{BufMut, BytesMut};
use protocol::{
    ApiKey, ErrorCode,
    messages::{ApiVersionsRequest, ApiVersionsResponse, FetchRequest, MetadataRequest},
};

/// `socket.request.max.bytes` as it is by default.
const REQUEST_MAX_BYTES: i32 = 100 << 20;

/// Sends `bytes` on a connection of their own; the broker must end it without a word.
#[track_caller]
fn closes(broker: &Broker, what: &str, bytes: &[u8]) {
    let mut client = Client::connect(broker.address);
    // The broker may close before it has read everything.
    let _ = client.send_bytes(bytes);
    assert!(client.is_closed_by_broker(), "{what}: answered instead of closed");
}

/// As [`closes`], for a request with this body.
#[track_caller]
fn body_closes(broker: &Broker, what: &str, key: ApiKey, version: i16, body: &[u8]) {
    let mut frame = client::header(key.code(), version, 1);
    frame.put_slice(body);
    closes(broker, what, &client::framed(&frame));
}

#[test]
fn a_length_that_no_request_has_ends_the_connection() {
    with_neighbour(|broker| {
        for length in [-1, i32::MIN, 0, REQUEST_MAX_BYTES + 1, i32::MAX] {
            let bytes = [&length.to_be_bytes()[..], &[0; 16]].concat();
            closes(broker, &format!("length {length}"), &bytes);
        }
        // Less than a header.
        for length in [1usize, 7] {
            closes(broker, "a frame without a header", &client::framed(&vec![0; length]));
        }
        closes(broker, "HTTP", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    });
}

#[test]
fn unknown_apis_and_versions_end_the_connection() {
    with_neighbour(|broker| {
        for (key, version) in [(-1, 0), (999, 0), (i16::MAX, 0), (i16::MIN, -1)] {
            closes(
                broker,
                &format!("API {key}"),
                &client::framed(&client::header(key, version, 1)),
            );
        }
        for (key, version) in [
            (ApiKey::Produce, 2),
            (ApiKey::Produce, 127),
            (ApiKey::Fetch, 3),
            (ApiKey::Fetch, -1),
            (ApiKey::Metadata, 99),
            (ApiKey::JoinGroup, i16::MAX),
            (ApiKey::CreateTopics, 0),
        ] {
            let frame = client::framed(&client::header(key.code(), version, 1));
            closes(broker, &format!("{key} version {version}"), &frame);
        }
    });
}

/// A client that means to speak to this node of this cluster.
fn greeting(cluster_id: Option<&str>, node_id: i32) -> ApiVersionsRequest {
    ApiVersionsRequest {
        client_software_name: "test".to_owned(),
        client_software_version: "1.0".to_owned(),
        cluster_id: cluster_id.map(str::to_owned),
        node_id,
    }
}

/// KIP-1242, as Apache Kafka 4.4.0 answers.
#[test]
fn a_client_that_is_misrouted_is_told_to_bootstrap_anew() {
    with_neighbour(|broker| {
        let mut client = Client::connect(broker.address);
        let metadata = client.call(&MetadataRequest::default(), 12);
        let (cluster, node) =
            (metadata.cluster_id.expect("a cluster id"), metadata.brokers[0].node_id);
        let right = client.call(&greeting(Some(&cluster), node), 5);
        assert_eq!((right.error_code, right.api_keys.is_empty()), (0, false));
        for (cluster_id, node_id) in [(Some(&*cluster), node + 1), (Some("another"), node)] {
            let refused = client.call(&greeting(cluster_id, node_id), 5);
            let code = ErrorCode::RebootstrapRequired.code();
            assert_eq!(refused, ApiVersionsResponse { error_code: code, ..Default::default() });
        }
        for (cluster_id, node_id) in [(None, node), (Some(&*cluster), -1)] {
            let refused = client.call(&greeting(cluster_id, node_id), 5);
            let code = ErrorCode::InvalidRequest.code();
            assert_eq!(refused, ApiVersionsResponse { error_code: code, ..Default::default() });
        }
        assert_eq!(client.call(&greeting(None, -1), 5).error_code, 0, "the connection stays");
    });
}

#[test]
fn an_unknown_version_of_api_versions_is_answered_in_version_0() {
    with_neighbour(|broker| {
        let mut client = Client::connect(broker.address);
        for version in [6, 127, i16::MAX] {
            let mut frame = BytesMut::new();
            frame.put_i16(ApiKey::ApiVersions.code());
            frame.put_i16(version);
            frame.put_i32(7);
            frame.put_i16(-1);
            frame.put_slice(b"\0nobody knows what this version says");
            client.send_frame(&frame).unwrap();
            let answer = client.receive_frame().expect("an answer, not the end");
            assert_eq!(answer[..4], 7i32.to_be_bytes());
            let response: ApiVersionsResponse =
                protocol::decode_exact(&answer[4..], 0).expect("version 0");
            assert_eq!(client::error(response.error_code), ErrorCode::UnsupportedVersion);
            // The client learns which version to try next (KIP-511).
            let own = response
                .api_keys
                .iter()
                .find(|api| api.api_key == ApiKey::ApiVersions.code())
                .unwrap();
            assert_eq!(own.max_version, ApiKey::ApiVersions.max_stable_version());
        }
        let request = greeting(None, -1);
        assert_eq!(client.call(&request, 3).error_code, 0, "the connection stays");
        let bad_name =
            ApiVersionsRequest { client_software_name: "no spaces".to_owned(), ..request };
        assert_eq!(client::error(client.call(&bad_name, 3).error_code), ErrorCode::InvalidRequest);
    });
}

#[test]
fn what_brokers_ask_each_other_changes_nothing_when_a_client_asks() {
    with_neighbour(|broker| {
        let mut client = Client::connect(broker.address);
        let topic = unique("replicated");
        client.create_topic(&topic, 1, &[]);
        client.produce_value(&topic, 0, b"value");
        for replica_id in [0, 1, 5, i32::MAX] {
            // A follower's fetch says how far it is; this one claims to have records that no client
            // has written.
            for offset in [1, 1_000_000] {
                let request =
                    FetchRequest { replica_id, ..client::fetch_request(&topic, 0, offset, 0) };
                let mut follower = Client::connect(broker.address);
                let _ = follower.try_call(&request, client::FETCH_VERSION);
            }
        }
        assert_eq!(client.fetch(&topic, 0, 0).high_watermark, 1, "no fetch has moved it");
        let between_nodes = [
            ApiKey::Vote,
            ApiKey::BeginQuorumEpoch,
            ApiKey::EndQuorumEpoch,
            ApiKey::AlterPartition,
            ApiKey::Envelope,
            ApiKey::FetchSnapshot,
            ApiKey::BrokerRegistration,
            ApiKey::BrokerHeartbeat,
            ApiKey::AllocateProducerIds,
            ApiKey::ControllerRegistration,
        ];
        for key in between_nodes {
            for version in key.min_version()..=key.max_version() {
                let mut frame = client::header(key.code(), version, 1);
                frame.put_slice(&[0; 64]);
                let mut node = Client::connect(broker.address);
                node.send_frame(&frame).unwrap();
                let _ = node.stream().shutdown(std::net::Shutdown::Write);
                // Without an authorizer Apache Kafka answers some of these.
                assert!(
                    node.receive_frame().is_none() || broker.is_peer(),
                    "{key} version {version} was answered"
                );
            }
        }
        assert_eq!(client.produce_value(&topic, 0, b"another"), 1);
        assert_eq!(client.read_all_values(&topic, 0), [&b"value"[..], b"another"]);
    });
}

#[test]
fn lengths_inside_a_request_are_proven_before_they_are_believed() {
    with_neighbour(|broker| {
        for count in [-2i32, i32::MIN, 1_000_000, i32::MAX] {
            // DescribeGroups v0: an array of strings that must not be null.
            let what = format!("an array of {count}");
            body_closes(broker, &what, ApiKey::DescribeGroups, 0, &count.to_be_bytes());
        }
        for length in [-2i16, i16::MIN, 100, i16::MAX] {
            // FindCoordinator v0: one string.
            let body = [&length.to_be_bytes()[..], b"group"].concat();
            body_closes(
                broker,
                &format!("a string of {length}"),
                ApiKey::FindCoordinator,
                0,
                &body,
            );
        }
        // Metadata v9: a compact array, then three flags. A length of six bytes, and one that lies.
        for varint in [&[0xff; 6][..], &[0xff, 0x7f]] {
            let body = [varint, &[0, 0, 0, 0]].concat();
            body_closes(
                broker,
                &format!("a compact length {varint:x?}"),
                ApiKey::Metadata,
                9,
                &body,
            );
        }
        // JoinGroup v6: the group's name has compact length 0, which is null.
        let body = [0, 0, 0, 0x27, 0x10, 0, 0, 0x27, 0x10, 1, 0, 1, 1, 0];
        body_closes(broker, "null where a string must be", ApiKey::JoinGroup, 6, &body);
        // A tag section that promises 2^28 tags; a tag with more bytes than there are.
        for tags in [&[0xff, 0xff, 0xff, 0x7f][..], &[1, 0, 0xff, 0xff, 0x03, 1]] {
            let body = [&[0, 0, 0, 0][..], tags].concat();
            body_closes(broker, &format!("tags {tags:x?}"), ApiKey::Metadata, 9, &body);
        }
        for cut in [1, 5, 9] {
            let whole = client::frame(&MetadataRequest::default(), 9, 1);
            closes(
                broker,
                "a body that is cut off",
                &client::framed(&whole[..whole.len() - cut.min(whole.len())]),
            );
        }
    });
}

/// Apache Kafka does not look at every one of these. What counts: the same answer each time, and no
/// other client hurt.
#[test]
fn oddities_that_may_be_let_pass_are_treated_the_same_each_time() {
    with_neighbour(|broker| {
        let whole = [0u8, 0, 0, 0, 0];
        let tagged = |tags: &[u8]| [&whole[..4], tags].concat();
        let cases = [
            ("trailing bytes", [&whole[..], b"more"].concat()),
            ("a length of more than 32 bits", vec![0xff, 0xff, 0xff, 0xff, 0x7f, 0, 0, 0, 0]),
            ("a length of 2^32-1", vec![0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0, 0, 0]),
            ("the same tag twice", tagged(&[2, 7, 1, 0, 7, 1, 0])),
            ("tags in the wrong order", tagged(&[2, 9, 1, 0, 7, 1, 0])),
        ];
        for (what, body) in cases {
            let mut frame = client::header(ApiKey::Metadata.code(), 9, 1);
            frame.put_slice(&body);
            let answers: Vec<bool> = (0..2)
                .map(|_| {
                    let mut client = Client::connect(broker.address);
                    client.send_frame(&frame).unwrap();
                    client.receive_frame().is_some()
                })
                .collect();
            assert_eq!(answers[0], answers[1], "{what}");
        }
    });
}

#[test]
fn a_client_id_may_be_any_bytes() {
    with_neighbour(|broker| {
        let mut frame = BytesMut::new();
        frame.put_i16(ApiKey::Metadata.code());
        frame.put_i16(1);
        frame.put_i32(1);
        frame.put_i16(3);
        frame.put_slice(&[0xff, 0xfe, 0x00]);
        frame.put_i32(0);
        let mut client = Client::connect(broker.address);
        client.send_frame(&frame).unwrap();
        assert!(client.receive_frame().is_some(), "bytes that are no UTF-8 are replaced");
        // A client id may be as long as its length field allows.
        let mut frame = BytesMut::new();
        frame.put_i16(ApiKey::Metadata.code());
        frame.put_i16(1);
        frame.put_i32(1);
        frame.put_i16(i16::MAX);
        frame.put_slice(&[b'c'; i16::MAX as usize]);
        frame.put_i32(0);
        let mut client = Client::connect(broker.address);
        client.send_frame(&frame).unwrap();
        assert!(client.receive_frame().is_some(), "a long client id is no offence");
    });
}

/// Bytes of no meaning, from a generator with a fixed seed: the connection may end, nothing else
/// may.
#[test]
fn noise_behind_valid_headers_harms_nobody() {
    with_neighbour(|broker| {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut random = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        for key in ApiKey::all().filter(|key| key.info().on_broker) {
            for version in key.min_version()..=key.max_version() {
                let mut frame = client::header(key.code(), version, 1);
                let length = random() % 200;
                (0..length).for_each(|_| frame.put_u8((random() >> 24) as u8));
                let mut client = Client::connect(broker.address);
                let _ = client.send_frame(&frame);
                // Half closed, so that a broker that waits for more sees the end.
                let _ = client.stream().shutdown(std::net::Shutdown::Write);
                while client.receive_frame().is_some() {}
            }
        }
        // Nothing of it became a topic with files in a place of its own.
        let topic = unique("after-noise");
        Client::connect(broker.address).create_topic(&topic, 1, &[]);
    });
}
