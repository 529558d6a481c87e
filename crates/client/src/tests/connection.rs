//! One connection: order, pieces, what is no answer, ends, timeouts.

use super::*;
use crate::{Delivery, RequestError};
use fake::frame;
use protocol::{
    ErrorCode, Message,
    messages::{ListGroupsRequest, ListGroupsResponse},
};
use std::cell::Cell;

#[test]
fn responses_find_their_requests_with_many_in_flight() {
    const REQUESTS: usize = 50;
    let serve = |mut peer: Peer| async move {
        peer.negotiate().await;
        let mut asked = Vec::new();
        while asked.len() < REQUESTS {
            asked.push(peer.receive().await.expect("all come before one is answered"));
        }
        assert!(asked.iter().all(|one| one.client_id == "a-test" && one.version == 12));
        for one in asked {
            peer.respond(&one, &one.body).await;
        }
        peer.stay_silent().await;
    };
    calm(serve, |ring, address| async move {
        let connection = open(&ring, address).await;
        let body = |nth: usize| pattern(nth * 1000, nth * 17 % 5000);
        let send = |nth| connection.try_send(request(body(nth))).expect("there is room");
        let pending: Vec<_> = (0..REQUESTS).map(send).collect();
        assert_eq!(connection.in_flight_requests(), REQUESTS);
        for (nth, response) in pending.into_iter().enumerate().rev() {
            assert_eq!(response.await.expect("answered").body, body(nth), "request {nth}");
        }
        assert_eq!(connection.in_flight_requests(), 0);
    });
}

#[test]
fn a_response_may_come_byte_by_byte() {
    let serve = |mut peer: Peer| async move {
        peer.negotiate().await;
        while let Some(asked) = peer.receive().await {
            for byte in &asked.response(&asked.body) {
                peer.send(vec![*byte]).await;
                peer.ring.sleep(Duration::from_millis(1)).await;
            }
        }
    };
    calm(serve, |ring, address| async move {
        let connection = open(&ring, address).await;
        for length in [0, 1, 300] {
            let pending = connection.try_send(request(pattern(0, length))).unwrap();
            assert_eq!(pending.await.unwrap().body, pattern(0, length));
        }
    });
}

#[test]
fn tagged_fields_in_a_response_header_are_skipped() {
    let serve = |mut peer: Peer| async move {
        peer.negotiate().await;
        let asked = peer.receive().await.unwrap();
        // One field: tag 9 of two bytes.
        peer.send(frame(asked.correlation_id, &[1, 9, 2, 0xaa, 0xbb], b"body")).await;
        let asked = peer.receive().await.unwrap();
        peer.send(frame(asked.correlation_id, &[1, 9, 200], b"body")).await;
        peer.stay_silent().await;
    };
    calm(serve, |ring, address| async move {
        let connection = open(&ring, address).await;
        let pending = connection.try_send(request("")).unwrap();
        assert_eq!(pending.await.unwrap().body, b"body"[..]);
        let reason = unknown(connection.try_send(request("")).unwrap().await.unwrap_err());
        assert!(matches!(reason, DisconnectReason::ResponseHeader(_)), "{reason}");
    });
}

/// Sends two requests to a server that answers the first as it likes; why both have failed.
fn failure_of_both(
    answer: impl Fn(&fake::Received) -> Bytes + Clone + 'static,
    closes: bool,
) -> DisconnectReason {
    let serve = move |mut peer: Peer| {
        let answer = answer.clone();
        async move {
            peer.negotiate().await;
            let asked = peer.receive().await.expect("the first");
            peer.receive().await.expect("the second");
            peer.send(answer(&asked)).await;
            if !closes {
                peer.stay_silent().await;
            }
        }
    };
    calm(serve, |ring, address| async move {
        let connection = open_with(&ring, address, &small_responses()).await;
        let both = [connection.try_send(request("1")), connection.try_send(request("2"))];
        let [first, second] = both.map(|sent| sent.expect("there is room"));
        let reason = unknown(first.await.expect_err("no answer to it"));
        let other = unknown(second.await.expect_err("no answer at all"));
        assert_eq!(reason.to_string(), other.to_string());
        assert!(connection.is_disconnected());
        let late = connection.try_send(request("3")).map(drop).unwrap_err();
        assert!(!late.may_have_arrived() && late.to_string().contains("was not sent"), "{late}");
        reason
    })
}

/// As long as an answer to ApiVersions needs.
const SMALL: usize = 4096;

fn small_responses() -> ConnectionOptions {
    ConnectionOptions { response_bytes_max: SMALL, response_bytes_trusted: 0, ..options() }
}

#[test]
fn what_answers_another_request_ends_the_connection() {
    let reason = failure_of_both(|asked| frame(asked.correlation_id + 1, &[0], b"x"), false);
    let DisconnectReason::CorrelationId { expected, got } = reason else { panic!("{reason}") };
    assert_eq!(got, expected + 1);
}

#[test]
fn a_close_fails_what_is_in_flight() {
    let reason = failure_of_both(|_| Bytes::new(), true);
    assert!(matches!(reason, DisconnectReason::ClosedByPeer), "{reason}");
}

#[test]
fn a_close_in_the_midst_of_a_frame_is_no_response() {
    for kept in [1, 3, 4, 7, 8, 12] {
        let cut = move |asked: &fake::Received| asked.response(b"1234").slice(..kept);
        let reason = failure_of_both(cut, true);
        assert!(matches!(reason, DisconnectReason::ClosedInResponse), "{kept} bytes: {reason}");
    }
}

#[test]
fn a_length_that_no_response_has_ends_the_connection() {
    for length in [SMALL as i32 + 1, i32::MAX, -1, i32::MIN, 0, 3] {
        let reason = failure_of_both(move |_| length.to_be_bytes().to_vec().into(), false);
        let DisconnectReason::ResponseLength { length_bytes, max_bytes } = reason else {
            panic!("{reason}")
        };
        assert_eq!((length_bytes, max_bytes), (length, SMALL));
    }
}

#[test]
fn a_response_as_long_as_the_limit_is_taken() {
    calm(Peer::echo, |ring, address| async move {
        let connection = open_with(&ring, address, &small_responses()).await;
        // Correlation id and an empty set of tagged fields.
        let longest = pattern(0, SMALL - 5);
        let pending = connection.try_send(request(longest.clone())).unwrap();
        assert_eq!(pending.await.unwrap().body, longest);
    });
}

#[test]
fn a_large_response_is_received_without_trust_in_its_length() {
    calm(Peer::echo, |ring, address| async move {
        for (receive_bytes, response_bytes_trusted) in [(1, 0), (4096, 0), (4096, 1 << 20)] {
            let options = ConnectionOptions { receive_bytes, response_bytes_trusted, ..options() };
            let connection = open_with(&ring, address, &options).await;
            let large = pattern(3, 700_000);
            let pending = connection.try_send(request(large.clone())).unwrap();
            assert!(pending.await.unwrap().body == large, "{receive_bytes}");
        }
    });
}

#[test]
fn a_length_that_was_only_announced_makes_little_room() {
    calm(Peer::echo, |ring, address| async move {
        let options = ConnectionOptions { receive_bytes: 4096, ..options() };
        let connection = open_with(&ring, address, &options).await;
        let room = |missing, buffered| connection.wire().room_for(missing, buffered);
        assert_eq!(room(200 << 20, 4), 1 << 20, "what is trusted");
        assert_eq!(room(200 << 20, 3 << 20), 3 << 20, "as much as has come");
        assert_eq!((room(5000, 4), room(1, 100), room(0, 0)), (5000, 4096, 4096));
    });
}

#[test]
fn a_response_to_nothing_ends_the_connection() {
    let serve = |mut peer: Peer| async move {
        peer.negotiate().await;
        peer.send(frame(1, &[0], b"x")).await;
        peer.stay_silent().await;
    };
    calm(serve, |ring, address| async move {
        let connection = open(&ring, address).await;
        connection.wait_for_disconnect().await;
        let (reason, _) = connection.disconnected().unwrap();
        assert!(matches!(reason, DisconnectReason::Unasked), "{reason}");
    });
}

#[test]
fn a_request_that_is_too_late_ends_the_connection_and_fails_the_others() {
    let serve = |mut peer: Peer| async move {
        peer.negotiate().await;
        let first = peer.receive().await.unwrap();
        peer.ring.sleep(Duration::from_millis(900)).await;
        peer.respond(&first, b"in time").await;
        peer.stay_silent().await;
    };
    calm(serve, |ring, address| async move {
        let connection = open(&ring, address).await;
        let started = ring.now();
        let send = |request| connection.try_send(request).unwrap();
        let in_time = send(request("1").within(Duration::from_millis(1000)));
        let patient = send(request("2"));
        let late = send(request("3").within(Duration::from_millis(2000)));
        let later = send(request("4").within(Duration::from_millis(3000)));
        assert_eq!(in_time.await.unwrap().body, b"in time"[..]);
        for pending in [patient, late, later] {
            let reason = unknown(pending.await.unwrap_err());
            let DisconnectReason::RequestTimeout { api, timeout } = reason else {
                panic!("{reason}")
            };
            assert_eq!((api, timeout.as_millis()), (ApiKey::Metadata, 2000));
        }
        let waited = ring.now().since(started).as_millis();
        assert!((2000..2100).contains(&waited), "{waited} ms of virtual time");
    });
}

#[test]
fn a_shorter_timeout_counts_beside_a_longer_one() {
    let serve = |mut peer: Peer| async move {
        peer.negotiate().await;
        peer.stay_silent().await;
    };
    calm(serve, |ring, address| async move {
        let connection = open(&ring, address).await;
        let started = ring.now();
        let _long = connection.try_send(request("").within(Duration::from_secs(60))).unwrap();
        ring.sleep(Duration::from_secs(1)).await;
        let short = connection.try_send(request("").within(Duration::from_secs(5))).unwrap();
        unknown(short.await.unwrap_err());
        let waited = ring.now().since(started).as_millis();
        assert!((6000..6100).contains(&waited), "{waited} ms of virtual time");
    });
}

#[test]
fn an_answer_that_nobody_waits_for_keeps_its_place() {
    calm(Peer::echo, |ring, address| async move {
        let connection = open(&ring, address).await;
        drop(connection.try_send(request("dropped")).unwrap());
        let pending = connection.try_send(request("kept")).unwrap();
        assert_eq!(pending.await.unwrap().body, b"kept"[..]);
    });
}

#[test]
fn what_was_not_handed_to_the_network_was_not_sent() {
    // The first request fills the way to a server that reads nothing behind ApiVersions.
    let serve = |mut peer: Peer| async move {
        peer.negotiate().await;
        peer.ring.sleep(LIMIT).await;
    };
    calm(serve, |ring, address| async move {
        let connection = open(&ring, address).await;
        let large = connection.try_send(request(pattern(0, 2 << 20))).unwrap();
        ring.sleep(Duration::from_secs(1)).await;
        let behind = connection.try_send(request("behind")).unwrap();
        let unanswered = ClientRequest { expects_response: false, ..request("unanswered") };
        let unanswered = connection.try_send(unanswered).unwrap();
        connection.close();
        assert!(matches!(unknown(large.await.unwrap_err()), DisconnectReason::Closed));
        assert_eq!(behind.await.unwrap_err().delivery, Delivery::NotSent);
        assert_eq!(unanswered.await.unwrap_err().delivery, Delivery::NotSent);
    });
}

#[test]
fn a_request_without_a_response_is_done_when_it_is_sent() {
    let seen = Rc::new(Cell::new(0));
    let counted = seen.clone();
    let serve = move |mut peer: Peer| {
        let counted = counted.clone();
        async move {
            peer.negotiate().await;
            while let Some(asked) = peer.receive().await {
                counted.set(counted.get() + 1);
                if asked.body != b"no answer"[..] {
                    peer.respond(&asked, &asked.body).await;
                }
            }
        }
    };
    calm(serve, |ring, address| async move {
        let connection = open(&ring, address).await;
        let silent = ClientRequest { expects_response: false, ..request("no answer") };
        let silent = connection.try_send(silent).unwrap();
        let answered = connection.try_send(request("answer")).unwrap();
        assert_eq!(silent.await.unwrap().body, b""[..]);
        assert_eq!(answered.await.unwrap().body, b"answer"[..]);
        assert_eq!(connection.in_flight_requests(), 0);
    });
    assert_eq!(seen.get(), 2);
}

#[test]
fn the_last_handle_closes_the_connection() {
    let gone = Rc::new(Cell::new(false));
    let flag = gone.clone();
    let serve = move |mut peer: Peer| {
        let flag = flag.clone();
        async move {
            peer.negotiate().await;
            peer.stay_silent().await;
            flag.set(true);
        }
    };
    calm(serve, move |ring, address| async move {
        let connection = open(&ring, address).await;
        let pending = connection.clone().try_send(request("")).unwrap();
        ring.sleep(Duration::from_secs(1)).await;
        assert!(!gone.get(), "there is a handle");
        drop(connection);
        assert!(matches!(unknown(pending.await.unwrap_err()), DisconnectReason::Closed));
        ring.sleep(Duration::from_secs(1)).await;
        assert!(gone.get());
    });
}

#[test]
fn a_call_encodes_and_decodes() {
    let serve = |mut peer: Peer| async move {
        peer.negotiate().await;
        let asked = peer.receive().await.unwrap();
        let asked_for: ListGroupsRequest = protocol::decode_exact(&asked.body, 4).unwrap();
        assert_eq!((asked.api, asked.version), (ApiKey::ListGroups, 4));
        assert_eq!(asked_for.states_filter, ["Stable"]);
        let code = ErrorCode::CoordinatorNotAvailable.code();
        let response = ListGroupsResponse { error_code: code, ..Default::default() };
        let mut body = bytes::BytesMut::new();
        response.encode(&mut body, 4).unwrap();
        peer.respond(&asked, &body).await;
        let asked = peer.receive().await.unwrap();
        peer.respond(&asked, b"?").await;
        peer.stay_silent().await;
    };
    calm(serve, |ring, address| async move {
        let connection = open(&ring, address).await;
        let states_filter = vec!["Stable".to_owned()];
        let request = ListGroupsRequest { states_filter, ..Default::default() };
        let patience = Duration::from_secs(1);
        let response = connection.call(&request, 4, patience).await.unwrap();
        assert_eq!(response.error_code, ErrorCode::CoordinatorNotAvailable.code());
        let error = connection.call(&request, 4, patience).await.unwrap_err();
        assert!(matches!(error, RequestError::Decode { .. }) && error.may_have_arrived());
        // Version 3 cannot carry what is asked for.
        let error = connection.call(&request, 3, patience).await.unwrap_err();
        assert!(matches!(error, RequestError::Encode(_)) && !error.may_have_arrived());
        assert!(!connection.is_disconnected());
    });
}
