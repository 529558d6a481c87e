//! A coordinator after a load: from Kafka's records of all versions, and from garbage.

use proptest::prelude::*;
use protocol::transaction_records::transaction_log_value::PartitionsSchema;

use super::*;

fn value(status: Status) -> TransactionLogValue {
    let partitions = vec![PartitionsSchema { topic: "a".into(), partition_ids: vec![0, 1] }];
    let open = matches!(status, Status::Ongoing | Status::PrepareCommit | Status::PrepareAbort);
    TransactionLogValue {
        producer_id: 7,
        producer_epoch: 3,
        transaction_timeout_ms: TIMEOUT_MS,
        transaction_status: status.code(),
        transaction_partitions: match status {
            Status::Empty => None,
            _ => Some(if open { partitions } else { Vec::new() }),
        },
        transaction_last_update_timestamp_ms: START_MS,
        transaction_start_timestamp_ms: if status == Status::Empty { -1 } else { START_MS },
        ..Default::default()
    }
}

#[test]
fn every_status_of_every_version_goes_on_where_it_was() {
    for version in [0, 1] {
        for code in 0..=5 {
            let status = Status::from_code(code).unwrap();
            let record = record_of(ID, value(status), version);
            let mut host = loaded(TransactionSettings::default(), &[record]);
            assert_eq!(host.status(), status);
            assert_eq!(host.entry(ID).producer, Producer { id: 7, epoch: 3 });
            let markers = status.is_prepared();
            assert_eq!(host.markers.len(), usize::from(markers), "{status:?}");
            if markers {
                assert_eq!(host.markers[0].committed, status == Status::PrepareCommit);
                assert_eq!(host.markers[0].partitions, [at("a", 0), at("a", 1)]);
                host.report(MarkerOutcome::Written);
                assert!(host.status().is_settled());
            }
            let producer = host.entry(ID).producer;
            assert_eq!(host.add(producer, &[("a", 5)], OLD), ErrorCode::None);
        }
    }
    for code in [6, 7, 8, -1] {
        assert_eq!(Status::from_code(code), None);
    }
}

#[test]
fn a_decision_without_partitions_is_completed_by_the_load() {
    let empty = TransactionLogValue {
        transaction_partitions: Some(Vec::new()),
        ..value(Status::PrepareAbort)
    };
    let mut host = Host::unloaded(TransactionSettings::default());
    host.append(&[record_of(ID, empty, 1)]);
    host.reload();
    assert!(host.take_statuses().is_empty(), "a log that takes no records is loaded, too");
    let actions = host.coordinator.tick(host.now_ms);
    host.execute(actions);
    assert_eq!(host.take_statuses(), [Status::CompleteAbort]);
    host.reload();
    assert_eq!(host.status(), Status::CompleteAbort);
}

#[test]
fn markers_that_were_written_are_wanted_again_after_a_load() {
    let mut host = Host::new();
    let producer = host.start();
    assert_eq!(host.add(producer, &[("a", 0), ("b", 0)], NEW), ErrorCode::None);
    assert!(host.end(producer, false, NEW).is_ok());
    let markers = host.take_markers();
    host.report_some(&markers, vec![(at("a", 0), MarkerOutcome::Written)]);
    host.reload();
    let again = host.markers[0].clone();
    assert_eq!(again.partitions, [at("a", 0), at("b", 0)]);
    assert_eq!(again.producer_epoch, markers.producer_epoch);
    host.report(MarkerOutcome::Written);
    assert_eq!(host.status(), Status::CompleteAbort);
}

#[test]
fn a_retry_that_a_load_overtook_is_a_stranger_to_the_coordinator() {
    let mut host = Host::new();
    let first = host.start();
    let bumped = host.init(going_on(ID, first)).unwrap();
    host.reload();
    assert_eq!(host.init(going_on(ID, first)), Err(ErrorCode::ProducerFenced));
    assert_eq!(host.init(going_on(ID, bumped)), Ok(Producer { epoch: 2, ..first }));
}

#[test]
fn an_end_is_known_after_a_load() {
    let mut host = Host::new();
    let first = host.start();
    assert_eq!(host.add(first, &[("a", 0)], NEW), ErrorCode::None);
    let next = host.end(first, true, NEW).unwrap();
    host.reload();
    assert_eq!(host.end(first, true, NEW), Err(ErrorCode::ConcurrentTransactions));
    host.report(MarkerOutcome::Written);
    host.reload();
    assert_eq!(host.end(first, true, NEW), Ok(next));
}

#[test]
fn records_have_the_version_of_the_cluster() {
    for (cluster, version) in [(0, 0), (1, 1), (2, 1)] {
        let mut host = Host::of_version(cluster);
        let producer = host.start();
        assert_eq!(host.add(producer, &[("a", 0)], OLD), ErrorCode::None);
        assert!(host.end(producer, true, OLD).is_ok());
        host.report(MarkerOutcome::Written);
        let records = host.take_records();
        assert_eq!(records.len(), 4);
        assert!(records.iter().all(|record| value_of(record).unwrap().0 == version));
    }
    // A client that still has an epoch for each transaction needs the tags.
    let mut host = Host::of_version(0);
    let producer = host.start();
    host.take_records();
    assert_eq!(host.add(producer, &[("a", 0)], NEW), ErrorCode::None);
    assert_eq!(value_of(&host.take_records()[0]).unwrap().0, 1);
}

#[test]
fn records_that_mean_nothing_are_skipped() {
    let good = record_of(ID, value(Status::CompleteCommit), 1);
    let mut bad = vec![
        CoordinatorRecord { key: Bytes::from_static(b""), value: good.value.clone() },
        CoordinatorRecord { key: Bytes::from_static(b"\x00\x09ab"), value: None },
        CoordinatorRecord { key: good.key.clone(), value: Some(Bytes::from_static(b"\x00\x07")) },
        CoordinatorRecord {
            key: good.key.clone(),
            value: Some(good.value.clone().unwrap().slice(..9)),
        },
    ];
    let change = |change: fn(&mut TransactionLogValue)| {
        let mut value = value(Status::Ongoing);
        change(&mut value);
        record_of(ID, value, 1)
    };
    bad.extend([
        change(|it| it.transaction_status = 6),
        change(|it| it.transaction_status = 7),
        change(|it| it.transaction_status = -1),
        change(|it| it.producer_id = -1),
        change(|it| it.producer_epoch = -1),
        change(|it| it.transaction_partitions = None),
        change(|it| it.transaction_start_timestamp_ms = -1),
    ]);
    for record in bad {
        let host = loaded(TransactionSettings::default(), &[good.clone(), record]);
        assert_eq!(host.status(), Status::CompleteCommit);
        assert_eq!(host.coordinator.machine().entries.len(), 1);
    }
}

#[test]
fn what_was_not_committed_is_as_if_never_asked() {
    let mut host = Host::new();
    let producer = host.start();
    assert_eq!(host.add(producer, &[("a", 0)], NEW), ErrorCode::None);
    host.hold_commits = true;
    let request = ending(ID, producer, true);
    let token = host.send(Request::EndTxn { request, api_version: NEW });
    host.log.truncate(host.committed_batches);
    host.next_offset = host.committed_batches as i64;
    host.hold_commits = false;
    host.reload();
    match host.replies.remove(&token) {
        Some(Response::EndTxn(response)) => {
            assert_eq!(error(response.error_code), ErrorCode::NotCoordinator);
        }
        other => panic!("{other:?}"),
    }
    assert!(host.markers.is_empty());
    assert_eq!(host.status(), Status::Ongoing);
}

#[test]
fn before_the_load_and_after_the_end_each_request_has_its_failure() {
    let producer = Producer { id: 1, epoch: 0 };
    let report = MarkersReport { transactional_id: ID.into(), serial: 1, outcomes: Vec::new() };
    let requests = [
        Request::InitProducerId { request: fresh(ID), api_version: 6 },
        Request::AddPartitions { transaction: adding(ID, producer, &[("a", 0)]), api_version: 5 },
        Request::AddOffsets {
            request: AddOffsetsToTxnRequest::default(),
            offsets_partition: 0,
            api_version: 4,
        },
        Request::EndTxn { request: ending(ID, producer, true), api_version: 5 },
        Request::DescribeTransaction { transactional_id: ID.into() },
        Request::ListTransactions { filter: Arc::default(), after: None },
        Request::ProducerIds(Err(ErrorCode::NotController)),
        Request::MarkersWritten(report),
    ];
    let error_of = |response: Response| match response {
        Response::InitProducerId(it) => error(it.error_code),
        Response::AddPartitions(it) => partition_errors(it)[0],
        Response::AddOffsets(it) => error(it.error_code),
        Response::EndTxn(it) => error(it.error_code),
        Response::DescribeTransaction(it) => error(it.error_code),
        Response::ListTransactions(it) => it.error.unwrap_or(ErrorCode::None),
        Response::Noted => ErrorCode::None,
    };
    let mut host = Host::unloaded(TransactionSettings::default());
    for (request, failed) in
        requests.into_iter().zip([true, true, true, true, true, true, false, false])
    {
        let expected = |error| if failed { error } else { ErrorCode::None };
        let response = host.call(request.clone());
        assert_eq!(error_of(response), expected(ErrorCode::CoordinatorLoadInProgress));
        let moved = request.failed(ErrorCode::NotCoordinator);
        assert_eq!(moved.clone().into_failed(ErrorCode::NotCoordinator), moved);
        assert_eq!(error_of(moved), expected(ErrorCode::NotCoordinator));
    }
}

proptest! {
    #[test]
    fn no_bytes_bring_it_down(
        records in prop::collection::vec(
            (prop::collection::vec(any::<u8>(), 0..40), prop::option::of(
                prop::collection::vec(any::<u8>(), 0..80))), 1..20),
    ) {
        let records: Vec<CoordinatorRecord> = records
            .into_iter()
            .map(|(key, value)| CoordinatorRecord {
                key: key.into(),
                value: value.map(Bytes::from),
            })
            .collect();
        loaded(TransactionSettings::default(), &records);
    }

    #[test]
    fn no_pattern_brings_it_down(pattern in "[a-c(){}|*+?\\\\\\[\\]^$.:,0-9i-]{0,24}") {
        if let Ok(pattern) = crate::coord::transactions::pattern::Pattern::compile(&pattern) {
            pattern.matches("abcabc-012");
        }
    }
}
