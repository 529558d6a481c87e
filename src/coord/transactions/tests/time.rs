//! Timeouts of transactions, expiration of transactional ids.

use super::*;

#[test]
fn a_transaction_that_takes_too_long_is_aborted_and_its_producer_fenced() {
    for (version, api_version) in [(2, NEW), (2, OLD), (0, OLD)] {
        let mut host = Host::of_version(version);
        let producer = host.start();
        host.advance(5_000);
        assert_eq!(host.add(producer, &[("a", 0)], api_version), ErrorCode::None);
        host.advance(30_000);
        assert_eq!(host.add(producer, &[("a", 1)], api_version), ErrorCode::None);
        host.advance(i64::from(TIMEOUT_MS) - 30_001);
        assert_eq!(host.status(), Status::Ongoing);
        host.advance(1);
        assert_eq!(host.status(), Status::PrepareAbort);
        let markers = host.take_markers();
        assert_eq!((markers.producer_epoch, markers.committed), (1, false));
        assert_eq!(markers.partitions.len(), 2);
        assert_eq!(host.add(producer, &[("a", 0)], api_version), ErrorCode::ConcurrentTransactions);
        let outcomes = markers.partitions.iter().map(|it| (it.clone(), MarkerOutcome::Written));
        host.report_some(&markers, outcomes.collect());
        assert_eq!(host.status(), Status::CompleteAbort);
        assert_eq!(host.add(producer, &[("a", 0)], api_version), ErrorCode::ProducerFenced);
        let late = host.end(producer, true, api_version);
        // A client of KIP-890 hears that its commit failed, and goes on after an abort.
        let expected = if version == 2 && api_version == NEW {
            ErrorCode::InvalidTxnState
        } else {
            ErrorCode::ProducerFenced
        };
        assert_eq!(late, Err(expected));
        if expected == ErrorCode::InvalidTxnState {
            let next = Producer { epoch: 1, ..producer };
            assert_eq!(host.end(producer, false, NEW), Ok(next));
        }
    }
}

#[test]
fn a_transaction_that_ended_has_no_timeout() {
    let mut host = Host::new();
    let producer = host.start();
    assert_eq!(host.add(producer, &[("a", 0)], NEW), ErrorCode::None);
    let next = host.end(producer, true, NEW).unwrap();
    host.report(MarkerOutcome::Written);
    host.advance(50_000);
    assert_eq!(host.add(next, &[("a", 0)], NEW), ErrorCode::None);
    host.advance(50_000);
    assert_eq!(host.status(), Status::Ongoing, "it has its own time");
    host.advance(10_000);
    assert_eq!(host.status(), Status::PrepareAbort);
}

#[test]
fn a_load_leaves_a_transaction_the_rest_of_its_time() {
    let mut host = Host::new();
    let producer = host.start();
    assert_eq!(host.add(producer, &[("a", 0)], NEW), ErrorCode::None);
    host.advance(40_000);
    host.reload();
    host.advance(19_999);
    assert_eq!(host.status(), Status::Ongoing);
    host.advance(1);
    assert_eq!(host.status(), Status::PrepareAbort);
    // One that was over before the load is aborted at once.
    let mut host = Host::new();
    let producer = host.start();
    assert_eq!(host.add(producer, &[("a", 0)], NEW), ErrorCode::None);
    host.now_ms += 10 * i64::from(TIMEOUT_MS);
    host.reload();
    host.advance(0);
    assert_eq!(host.status(), Status::PrepareAbort);
}

#[test]
fn an_abort_that_needs_a_producer_id_comes_when_there_is_one() {
    let (mut host, last) = at_epoch(2, i16::MAX - 1);
    assert_eq!(host.add(last, &[("a", 0)], NEW), ErrorCode::None);
    host.hold_producer_ids = true;
    host.reload();
    host.advance(i64::from(TIMEOUT_MS) + 10_000);
    assert_eq!(host.status(), Status::Ongoing);
    assert_eq!(host.init(fresh(ID)), Err(ErrorCode::CoordinatorLoadInProgress));
    host.hold_producer_ids = false;
    host.give_producer_ids();
    host.advance(1_000);
    assert_eq!(host.status(), Status::PrepareAbort);
    host.report(MarkerOutcome::Written);
    assert_eq!(host.entry(ID).producer.epoch, 0);
    assert_ne!(host.entry(ID).producer.id, last.id);
}

#[test]
fn the_fence_of_an_old_cluster_uses_up_the_last_epoch_of_all() {
    let (mut host, last) = at_epoch(0, i16::MAX - 1);
    assert_eq!(host.add(last, &[("a", 0)], OLD), ErrorCode::None);
    host.advance(i64::from(TIMEOUT_MS));
    assert_eq!(host.markers[0].producer_epoch, i16::MAX);
    host.report(MarkerOutcome::Written);
    assert_eq!(host.entry(ID).producer, Producer { epoch: i16::MAX, ..last });
    let next = host.start();
    assert_eq!(next.epoch, 0);
    assert_ne!(next.id, last.id);
}

#[test]
fn ids_that_are_not_used_expire() {
    let mut host = Host::new();
    let producer = host.start();
    host.init(fresh("open")).unwrap();
    let open = host.entry("open").producer;
    host.advance(1_000_000);
    assert_eq!(host.add_in(adding("open", open, &[("a", 0)]), NEW), [ErrorCode::None]);
    let markers_at = host.now_ms;
    host.init(fresh("young")).unwrap();
    host.take_records();
    let expiration_ms = host.settings.transactional_id_expiration_ms;
    host.advance(START_MS + expiration_ms - host.now_ms - 1);
    assert!(host.coordinator.machine().entries.get(ID).is_some(), "at {markers_at}");
    host.take_records();
    host.advance(host.settings.expiration_check_interval_ms);
    let entries = &host.coordinator.machine().entries;
    assert!(entries.get(ID).is_none() && entries.get("young").is_some());
    assert!(entries.get("open").is_some(), "its markers are on their way");
    let records = host.take_records();
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].value, None);
    assert_eq!(host.add(producer, &[("a", 0)], NEW), ErrorCode::InvalidProducerIdMapping);
    host.reload();
    assert!(host.coordinator.machine().entries.get(ID).is_none());
}

#[test]
fn a_clean_up_of_many_ids_takes_turns_with_requests() {
    let mut host =
        Host::with(TransactionSettings { max_batch_bytes: 10_000, ..Default::default() });
    for n in 0..2_500 {
        host.init(fresh(&format!("id-{n}"))).unwrap();
    }
    let expiration_ms = host.settings.transactional_id_expiration_ms;
    let mut events = 0;
    host.advance(expiration_ms - 1);
    let until_ms = host.now_ms + host.settings.expiration_check_interval_ms;
    while let Some(deadline_ms) = host.coordinator.next_deadline_ms()
        && deadline_ms <= until_ms
    {
        host.now_ms = host.now_ms.max(deadline_ms);
        let before = host.coordinator.machine().entries.len();
        let actions = host.coordinator.tick(host.now_ms);
        host.execute(actions);
        let gone = before - host.coordinator.machine().entries.len();
        assert!(gone <= 1_000);
        events += usize::from(gone > 0);
    }
    assert!(host.coordinator.machine().entries.len() == 0);
    assert!(events > 10, "{events} steps");
}
