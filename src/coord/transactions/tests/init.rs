//! InitProducerId: new producers, retries, epochs and their end.

use super::*;

#[test]
fn a_new_id_gets_a_new_producer_id_and_a_record() {
    let mut host = Host::new();
    assert_eq!(host.start(), Producer { id: 1_000, epoch: 0 });
    let other = host.init(fresh("u")).unwrap();
    assert_eq!(other, Producer { id: 1_001, epoch: 0 });
    let records = host.take_records();
    let (version, value) = value_of(&records[0]).unwrap();
    assert_eq!(version, 1);
    let expected = TransactionLogValue {
        producer_id: 1_000,
        previous_producer_id: 1_000,
        transaction_timeout_ms: TIMEOUT_MS,
        transaction_partitions: None,
        transaction_last_update_timestamp_ms: START_MS,
        transaction_start_timestamp_ms: -1,
        ..Default::default()
    };
    assert_eq!(value, expected);
    assert_eq!(records.len(), 2);
}

#[test]
fn a_producer_that_starts_over_gets_the_next_epoch_and_fences_the_one_before() {
    let mut host = Host::new();
    let first = host.start();
    let second = host.start();
    assert_eq!(second, Producer { id: first.id, epoch: 1 });
    assert_eq!(host.init(going_on(ID, first)), Err(ErrorCode::ProducerFenced));
    assert_eq!(host.add(first, &[("a", 0)], NEW), ErrorCode::ProducerFenced);
    assert_eq!(host.end(first, true, NEW), Err(ErrorCode::ProducerFenced));
    assert_eq!(host.end(first, true, OLD), Err(ErrorCode::ProducerFenced));
}

#[test]
fn a_producer_goes_on_and_may_ask_twice() {
    let mut host = Host::new();
    let first = host.start();
    let bumped = Producer { id: first.id, epoch: 1 };
    assert_eq!(host.init(going_on(ID, first)), Ok(bumped));
    assert_eq!(host.init(going_on(ID, first)), Ok(bumped), "the answer was lost");
    assert_eq!(host.init(going_on(ID, bumped)), Ok(Producer { epoch: 2, ..bumped }));
    assert_eq!(host.init(going_on(ID, first)), Err(ErrorCode::ProducerFenced));
    let stranger = Producer { id: first.id + 1, epoch: 2 };
    assert_eq!(host.init(going_on(ID, stranger)), Err(ErrorCode::ProducerFenced));
    let ahead = Producer { id: first.id, epoch: 3 };
    assert_eq!(host.init(going_on(ID, ahead)), Err(ErrorCode::ProducerFenced));
}

#[test]
fn a_forgotten_id_takes_a_producer_for_a_new_one() {
    let mut host = Host::new();
    let old = Producer { id: 5, epoch: 9 };
    assert_eq!(host.init(going_on(ID, old)), Ok(Producer { id: 1_000, epoch: 0 }));
}

#[test]
fn an_open_transaction_is_aborted_before_another_producer_begins() {
    for (version, api_version) in [(2, NEW), (2, OLD), (1, OLD), (0, OLD)] {
        let mut host = Host::of_version(version);
        let first = host.start();
        assert_eq!(host.add(first, &[("a", 0)], api_version), ErrorCode::None);
        host.take_records();
        assert_eq!(host.init(fresh(ID)), Err(ErrorCode::ConcurrentTransactions));
        assert_eq!(host.take_statuses(), [Status::PrepareAbort]);
        assert_eq!(host.init(fresh(ID)), Err(ErrorCode::ConcurrentTransactions));
        assert!(host.take_records().is_empty(), "it is on its way");
        let markers = &host.markers[0];
        assert!(!markers.committed);
        assert_eq!((markers.producer_id, markers.producer_epoch), (first.id, 1));
        host.report(MarkerOutcome::Written);
        assert_eq!(host.take_statuses(), [Status::CompleteAbort]);
        assert_eq!(host.init(fresh(ID)), Ok(Producer { id: first.id, epoch: 2 }));
        assert_eq!(host.add(first, &[("a", 0)], api_version), ErrorCode::ProducerFenced);
    }
}

#[test]
fn a_producer_that_was_fenced_does_not_abort_what_came_after_it() {
    let mut host = Host::new();
    let first = host.start();
    let second = host.start();
    assert_eq!(host.add(second, &[("a", 0)], NEW), ErrorCode::None);
    assert_eq!(host.init(going_on(ID, first)), Err(ErrorCode::ProducerFenced));
    assert_eq!(host.status(), Status::Ongoing);
    // The one whose transaction it is may start over.
    assert_eq!(host.init(going_on(ID, second)), Err(ErrorCode::ConcurrentTransactions));
    host.report(MarkerOutcome::Written);
    // With an epoch for each transaction, the abort has given it the next one.
    assert_eq!(host.init(going_on(ID, second)), Ok(Producer { epoch: 2, ..second }));
}

#[test]
fn when_epochs_are_used_up_a_new_producer_id_follows() {
    let (mut host, last_but_one) = at_epoch(2, i16::MAX - 2);
    let last = Producer { epoch: i16::MAX - 1, ..last_but_one };
    assert_eq!(host.init(going_on(ID, last_but_one)), Ok(last));
    assert_eq!(host.init(going_on(ID, last_but_one)), Ok(last), "the answer was lost");
    let rotated = host.init(going_on(ID, last)).unwrap();
    assert_eq!(rotated.epoch, 0);
    assert_ne!(rotated.id, last.id);
    assert_eq!(host.init(going_on(ID, last)), Ok(rotated), "the answer was lost");
    assert_eq!(host.init(going_on(ID, last_but_one)), Err(ErrorCode::ProducerFenced));
    let (mut host, last) = at_epoch(2, i16::MAX - 1);
    let rotated = host.init(fresh(ID)).unwrap();
    assert_ne!(rotated.id, last.id);
    assert_eq!(host.init(going_on(ID, last)), Err(ErrorCode::ProducerFenced));
    let previous = value_of(&host.take_records()[0]).unwrap().1.previous_producer_id;
    assert_eq!(previous, last.id);
}

#[test]
fn what_a_request_may_not_say_is_refused() {
    let mut host = Host::new();
    let max_ms = host.settings.max_timeout_ms;
    let with = |change: fn(&mut InitProducerIdRequest, i32)| {
        let mut request = fresh(ID);
        change(&mut request, max_ms);
        request
    };
    let cases = [
        (with(|it, _| it.transactional_id = Some(String::new())), ErrorCode::InvalidRequest),
        (with(|it, _| it.transactional_id = None), ErrorCode::InvalidRequest),
        (with(|it, _| it.transactional_id = Some("x".repeat(40_000))), ErrorCode::InvalidRequest),
        (with(|it, _| it.producer_id = 5), ErrorCode::InvalidRequest),
        (with(|it, _| it.producer_epoch = 5), ErrorCode::InvalidRequest),
        (with(|it, _| it.transaction_timeout_ms = 0), ErrorCode::InvalidTransactionTimeout),
        (with(|it, _| it.transaction_timeout_ms = -1), ErrorCode::InvalidTransactionTimeout),
        (
            with(|it, max_ms| it.transaction_timeout_ms = max_ms + 1),
            ErrorCode::InvalidTransactionTimeout,
        ),
        (with(|it, _| it.keep_prepared_txn = true), ErrorCode::UnsupportedVersion),
        (with(|it, _| it.enable2_pc = true), ErrorCode::TransactionalIdAuthorizationFailed),
    ];
    for (request, expected) in cases {
        assert_eq!(host.init(request.clone()), Err(expected), "{request:?}");
    }
    assert!(host.take_records().is_empty());
    let longest = with(|it, max_ms| it.transaction_timeout_ms = max_ms);
    assert!(host.init(longest).is_ok());
}

#[test]
fn older_clients_hear_of_a_fence_in_their_words() {
    let mut host = Host::new();
    let first = host.start();
    host.start();
    for (version, expected) in
        [(3, ErrorCode::InvalidProducerEpoch), (4, ErrorCode::ProducerFenced)]
    {
        assert_eq!(host.init_in_version(going_on(ID, first), version), Err(expected));
    }
    for (version, expected) in
        [(1, ErrorCode::InvalidProducerEpoch), (2, ErrorCode::ProducerFenced)]
    {
        assert_eq!(host.add(first, &[("a", 0)], version), expected);
        assert_eq!(host.add_offsets(first, version), expected);
        assert_eq!(host.end(first, true, version), Err(expected));
    }
}

#[test]
fn without_producer_ids_clients_try_again_and_ids_are_asked_for_until_they_come() {
    let mut host = Host::unloaded(TransactionSettings::default());
    host.hold_producer_ids = true;
    assert_eq!(host.init(fresh(ID)), Err(ErrorCode::CoordinatorLoadInProgress), "not loaded");
    let actions = host.coordinator.loaded(host.now_ms);
    host.execute(actions);
    assert_eq!(host.wanted_producer_ids, 1);
    assert_eq!(host.init(fresh(ID)), Err(ErrorCode::CoordinatorLoadInProgress));
    host.wanted_producer_ids = 0;
    host.note(Request::ProducerIds(Err(ErrorCode::NotController)));
    assert_eq!(host.init(fresh(ID)), Err(ErrorCode::CoordinatorLoadInProgress));
    assert_eq!(host.wanted_producer_ids, 0, "not at once");
    host.advance(2_000);
    assert_eq!(host.wanted_producer_ids, 1);
    host.wanted_producer_ids = 0;
    host.note(Request::ProducerIds(Ok(ProducerIdBlock { start: 40, len: 2 })));
    assert_eq!(host.start(), Producer { id: 40, epoch: 0 });
    assert_eq!(host.init(fresh("u")).unwrap().id, 41);
    assert_eq!(host.wanted_producer_ids, 1);
    assert_eq!(host.init(fresh("v")), Err(ErrorCode::CoordinatorLoadInProgress));
    assert_eq!(host.coordinator.machine().entries.len(), 2);
}

#[test]
fn a_partition_has_so_many_ids_and_no_more() {
    let mut host =
        Host::with(TransactionSettings { max_transactional_ids: 2, ..Default::default() });
    assert!(host.init(fresh("a")).is_ok() && host.init(fresh("b")).is_ok());
    assert_eq!(host.init(fresh("c")), Err(ErrorCode::PolicyViolation));
    assert!(host.init(fresh("a")).is_ok());
}

#[test]
fn two_phase_commit_has_no_timeout_where_it_is_enabled() {
    let mut host = Host::with(TransactionSettings { two_phase_commit: true, ..Default::default() });
    let request = InitProducerIdRequest { enable2_pc: true, ..fresh(ID) };
    let producer = host.init(request).unwrap();
    assert_eq!(host.entry(ID).timeout_ms, i32::MAX);
    assert_eq!(host.add(producer, &[("a", 0)], NEW), ErrorCode::None);
    host.advance(30 * 24 * 60 * 60 * 1000);
    assert_eq!(host.status(), Status::Ongoing);
}

/// Their number was bounded, and not what they take: an id may have 32 KB.
#[test]
fn what_ids_and_partitions_may_take_in_memory_is_bounded() {
    let mut host = Host::new();
    let producer = host.start();
    let held = host.coordinator.machine().memory_bytes();
    assert!(held > ID.len());
    host.coordinator.settings_mut().room_bytes = 2_000;
    assert_eq!(host.init(fresh(&"x".repeat(2_000))), Err(ErrorCode::PolicyViolation));
    let long = "y".repeat(2_000);
    assert_eq!(host.add(producer, &[(long.as_str(), 0)], NEW), ErrorCode::PolicyViolation);
    assert_eq!(host.coordinator.machine().memory_bytes(), held, "a refusal takes nothing");
    assert!(host.init(fresh("short")).is_ok());
    assert_eq!(host.add(producer, &[("a", 0)], NEW), ErrorCode::None);
    // What is there goes on, though there be no room at all.
    host.coordinator.settings_mut().room_bytes = 0;
    assert!(host.end(producer, true, NEW).is_ok());
    host.report(MarkerOutcome::Written);
    assert_eq!(host.status(), Status::CompleteCommit);
}
