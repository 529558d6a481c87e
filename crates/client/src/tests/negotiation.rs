//! ApiVersions: which version is asked in, what is made of the answer, and what of none.

use super::*;
use crate::{ConnectError, NodeApiVersions, RequestError, VersionError, VersionRange};
use fake::{api_versions, ours};
use protocol::{
    ErrorCode,
    messages::{
        ApiVersionsRequest, ApiVersionsResponse, ListGroupsRequest,
        api_versions_response::{FinalizedFeatureKey, SupportedFeatureKey},
    },
};
use std::{cell::Cell, io};

const API_VERSIONS: ApiKey = ApiKey::ApiVersions;

/// The versions that a server is asked in which knows ApiVersions up to `known` and, if it
/// `names` that, says so.
fn asked_in(known: i16, names: bool) -> Vec<i16> {
    let asked_in = Rc::new(RefCell::new(Vec::new()));
    let noted = asked_in.clone();
    let serve = move |mut peer: Peer| {
        let noted = noted.clone();
        async move {
            while let Some(asked) = peer.receive().await {
                noted.borrow_mut().push(asked.version);
                let body = if asked.version > known {
                    let range: &[_] = if names { &[(API_VERSIONS, 0, known)] } else { &[] };
                    api_versions(0, ErrorCode::UnsupportedVersion, range)
                } else {
                    if asked.version >= 3 {
                        let request: ApiVersionsRequest =
                            protocol::decode_exact(&asked.body, asked.version).unwrap();
                        assert_eq!(request.client_software_name, "client-test");
                    }
                    api_versions(asked.version, ErrorCode::None, &[(ApiKey::Fetch, 4, 11)])
                };
                peer.respond(&asked, &body).await;
            }
        }
    };
    calm(serve, |ring, address| async move {
        let connection = open(&ring, address).await;
        assert_eq!(connection.versions().version_of(ApiKey::Fetch), Ok(11));
    });
    asked_in.take()
}

#[test]
fn a_node_is_asked_in_our_highest_version_and_then_in_one_that_it_knows() {
    let ours = API_VERSIONS.max_stable_version();
    assert_eq!(asked_in(ours, true), [ours]);
    assert_eq!(asked_in(3, true), [ours, 3]);
    assert_eq!(asked_in(2, true), [ours, 2]);
    // Before Kafka 2.4 the answer names nothing.
    assert_eq!(asked_in(0, false), [ours, 0]);
    assert_eq!(asked_in(2, false), [ours, 0]);
}

/// Why a server with this answer to ApiVersions cannot be connected to.
fn refused_with(body: impl Fn(i16) -> Bytes + Clone + 'static) -> (ConnectError, usize) {
    let asked_for = Rc::new(Cell::new(0));
    let count = asked_for.clone();
    let serve = move |mut peer: Peer| {
        let (body, count) = (body.clone(), count.clone());
        async move {
            while let Some(asked) = peer.receive().await {
                count.set(count.get() + 1);
                peer.respond(&asked, &body(asked.version)).await;
            }
        }
    };
    let error = calm(serve, |ring, address| async move {
        Connection::open(&ring, address, &options(), SETUP_TIMEOUT).await.map(drop).unwrap_err()
    });
    (error, asked_for.get())
}

#[test]
fn an_error_or_nonsense_in_place_of_versions_is_told() {
    let (error, _) =
        refused_with(|version| api_versions(version, ErrorCode::ClusterAuthorizationFailed, &[]));
    let is_refused =
        matches!(error, ConnectError::Refused { error: ErrorCode::ClusterAuthorizationFailed, .. });
    assert!(is_refused, "{error}");
    let (error, _) = refused_with(|_| b"?"[..].into());
    assert!(matches!(error, ConnectError::Undecodable { .. }), "{error}");
}

#[test]
fn a_node_that_knows_no_version_is_not_asked_for_ever() {
    let claims = [(API_VERSIONS, 0, i16::MAX)];
    let (error, asked_for) =
        refused_with(move |_| api_versions(0, ErrorCode::UnsupportedVersion, &claims));
    let is_refused =
        matches!(error, ConnectError::Refused { error: ErrorCode::UnsupportedVersion, .. });
    assert!(is_refused, "{error}");
    assert_eq!(asked_for, API_VERSIONS.max_stable_version() as usize + 1);
}

#[test]
fn a_silent_node_is_given_up() {
    calm(Peer::stay_silent, |ring, address| async move {
        let options = ConnectionOptions { request_timeout: Duration::from_secs(7), ..options() };
        let started = ring.now();
        let error =
            Connection::open(&ring, address, &options, SETUP_TIMEOUT).await.map(drop).unwrap_err();
        let ConnectError::ApiVersions { error, .. } = error else { panic!("{error}") };
        assert!(matches!(unknown(error), DisconnectReason::RequestTimeout { .. }));
        assert_eq!(ring.now().since(started).as_secs(), 7);
    });
}

#[test]
fn a_connect_takes_as_long_as_it_may() {
    let world = World::new(1, SimOptions::calm());
    let (far, near) = (world.node("far"), world.node("near"));
    let addresses = [far, near].map(|node| SocketAddr::new(world.address(node), PORT));
    // The far node has no power, and at the near one no process listens.
    world.crash(far);
    let kinds = Rc::new(RefCell::new(Vec::new()));
    let found = kinds.clone();
    world.start_core(near, 0, move |ring| async move {
        for address in addresses {
            let started = ring.now();
            let opened = Connection::open(&ring, address, &options(), SETUP_TIMEOUT).await;
            let Err(ConnectError::Connect { error, .. }) = opened else { panic!("{opened:?}") };
            found.borrow_mut().push((error.kind(), ring.now().since(started).as_secs()));
        }
    });
    world.run_for(Duration::from_secs(60));
    let expected = [(io::ErrorKind::TimedOut, 10), (io::ErrorKind::ConnectionRefused, 0)];
    assert_eq!(kinds.take(), expected);
    world.close();
}

#[test]
fn what_the_other_side_lacks_is_an_error_of_its_own_and_is_not_sent() {
    let served = Rc::new(Cell::new(0));
    let count = served.clone();
    let serve = move |mut peer: Peer| {
        let count = count.clone();
        async move {
            let asked = peer.receive().await.unwrap();
            let ranges = [(ApiKey::ListGroups, 0, 2), (ApiKey::Metadata, 12, 12)];
            peer.respond(&asked, &api_versions(asked.version, ErrorCode::None, &ranges)).await;
            while let Some(asked) = peer.receive().await {
                count.set(count.get() + 1);
                peer.respond(&asked, &asked.body).await;
            }
        }
    };
    calm(serve, |ring, address| async move {
        let connection = open(&ring, address).await;
        let versions = connection.versions();
        let api = ApiKey::BrokerHeartbeat;
        assert_eq!(versions.version_of(api), Err(VersionError::NotServed { api }));
        let heartbeat = ClientRequest::new(api, 0, Bytes::new());
        for error in [
            connection.try_send(heartbeat.clone()).map(drop).unwrap_err(),
            connection.send(heartbeat).await.map(drop).unwrap_err(),
            connection
                .call(&ListGroupsRequest::default(), 3, Duration::from_secs(1))
                .await
                .map(drop)
                .unwrap_err(),
        ] {
            assert!(matches!(error, RequestError::Version(_)), "{error}");
            assert!(!error.may_have_arrived());
        }
        connection.try_send(request("served")).unwrap().await.unwrap();
    });
    assert_eq!(served.get(), 1);
}

fn versions(served: &[(ApiKey, i16, i16)]) -> NodeApiVersions {
    let body = api_versions(3, ErrorCode::None, served);
    NodeApiVersions::new(protocol::decode_exact(&body, 3).unwrap())
}

#[test]
fn versions_are_the_highest_that_both_sides_speak() {
    let api = ApiKey::Produce;
    let (min, max) = (api.min_version(), api.max_stable_version());
    let theirs = versions(&[(api, min, min + 2)]);
    assert_eq!(theirs.version_of(api), Ok(min + 2));
    assert_eq!(theirs.version_at_most(api, min + 1), Ok(min + 1));
    assert_eq!(theirs.check(api, min + 2), Ok(()));
    let range = VersionRange { min, max: min + 2 };
    let none = |min, max| Err(VersionError::NoCommonVersion { api, theirs: range, min, max });
    assert_eq!(theirs.version_at_most(api, min - 1), none(min, min - 1));
    assert_eq!(theirs.check(api, min + 3), none(min + 3, min + 3).map(|_: i16| ()));
    let newer = versions(&[(api, max + 1, max + 5)]);
    assert!(newer.version_of(api).is_err());
    assert_eq!(versions(&[(api, 0, max + 5)]).version_of(api), Ok(max));
    assert!(versions(&[(api, 9, 3)]).version_of(api).is_err(), "an empty range");
}

#[test]
fn features_are_kept_as_the_node_has_said_them() {
    let (name, level) = ("metadata.version".to_owned(), 30);
    let supported = SupportedFeatureKey { name: name.clone(), min_version: 7, max_version: level };
    let finalized =
        FinalizedFeatureKey { name, max_version_level: level, min_version_level: level };
    let versions = NodeApiVersions::new(ApiVersionsResponse {
        supported_features: vec![supported.clone()],
        finalized_features: vec![finalized.clone()],
        finalized_features_epoch: 12,
        ..Default::default()
    });
    assert_eq!(versions.supported_features(), [supported]);
    assert_eq!(versions.finalized_features(), (&[finalized][..], 12));
}

#[test]
fn a_version_that_is_subject_to_change_is_not_chosen() {
    let everything = versions(&ours());
    for api in ApiKey::all() {
        let expected = api.max_stable_version();
        if expected >= api.min_version() {
            assert_eq!(everything.version_of(api), Ok(expected), "{api}");
        } else {
            assert!(everything.version_of(api).is_err(), "{api}");
        }
    }
}
