//! What becomes of markers.

use protocol::transaction_records::transaction_log_value::PartitionsSchema;

use super::*;
use crate::limits;

fn prepared(partitions: &[(&str, i32)]) -> (Host, Markers) {
    let mut host = Host::new();
    let producer = host.start();
    assert_eq!(host.add(producer, partitions, NEW), ErrorCode::None);
    assert!(host.end(producer, true, NEW).is_ok());
    let markers = host.take_markers();
    assert_eq!(markers.partitions.len(), partitions.len());
    (host, markers)
}

#[test]
fn a_transaction_is_complete_when_no_partition_lacks_its_marker() {
    let (mut host, markers) = prepared(&[("a", 0), ("a", 1), ("b", 0)]);
    host.report_some(&markers, vec![(at("a", 1), MarkerOutcome::Written)]);
    assert_eq!(host.status(), Status::PrepareCommit);
    let state = host.describe(ID);
    assert_eq!(state.topics.len(), 2, "those without a marker");
    host.report_some(
        &markers,
        vec![(at("b", 0), MarkerOutcome::Gone), (at("a", 1), MarkerOutcome::Written)],
    );
    assert_eq!(host.status(), Status::PrepareCommit);
    host.report_some(&markers, vec![(at("a", 0), MarkerOutcome::Written)]);
    assert_eq!(host.status(), Status::CompleteCommit);
    assert!(host.coordinator.next_deadline_ms().is_some(), "the clean-up");
    host.advance(60_000);
    assert!(host.markers.is_empty());
}

#[test]
fn refused_markers_are_tried_again_after_longer_and_longer_pauses() {
    let (mut host, mut markers) = prepared(&[("a", 0), ("a", 1)]);
    host.report_some(&markers, vec![(at("a", 1), MarkerOutcome::Written)]);
    for pause_ms in [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000] {
        host.report_some(&markers, vec![(at("a", 0), MarkerOutcome::RetryLater)]);
        host.advance(pause_ms - 1);
        assert!(host.markers.is_empty(), "after {pause_ms} ms");
        host.advance(1);
        markers = host.take_markers();
        assert_eq!(markers.partitions, [at("a", 0)]);
    }
    host.report_some(&markers, vec![(at("a", 0), MarkerOutcome::Written)]);
    assert_eq!(host.status(), Status::CompleteCommit);
}

#[test]
fn a_late_answer_about_another_transaction_counts_for_nothing() {
    let mut host = Host::new();
    let producer = host.start();
    // With an old client both transactions have the same epoch.
    assert_eq!(host.add(producer, &[("a", 0)], OLD), ErrorCode::None);
    assert!(host.end(producer, true, OLD).is_ok());
    let first = host.take_markers();
    host.report_some(&first, vec![(at("a", 0), MarkerOutcome::Written)]);
    assert_eq!(host.add(producer, &[("a", 0)], OLD), ErrorCode::None);
    host.report_some(&first, vec![(at("a", 0), MarkerOutcome::Written)]);
    assert_eq!(host.status(), Status::Ongoing);
    assert!(host.end(producer, false, OLD).is_ok());
    host.report_some(&first, vec![(at("a", 0), MarkerOutcome::Written)]);
    assert_eq!(host.status(), Status::PrepareAbort);
    let unknown = Markers { transactional_id: "u".into(), ..first };
    host.report_some(&unknown, vec![(at("a", 0), MarkerOutcome::Written)]);
    host.report(MarkerOutcome::Written);
    assert_eq!(host.status(), Status::CompleteAbort);
}

#[test]
fn a_coordinator_that_is_fenced_leaves_the_transaction_to_the_next() {
    let (mut host, markers) = prepared(&[("a", 0), ("a", 1)]);
    host.report_some(
        &markers,
        vec![(at("a", 0), MarkerOutcome::RetryLater), (at("a", 1), MarkerOutcome::Fenced)],
    );
    host.advance(60_000);
    assert!(host.markers.is_empty());
    assert_eq!(host.status(), Status::PrepareCommit);
    assert_eq!(host.init(fresh(ID)), Err(ErrorCode::ConcurrentTransactions));
    host.reload();
    assert_eq!(host.markers[0].partitions.len(), 2);
    host.report(MarkerOutcome::Written);
    assert_eq!(host.status(), Status::CompleteCommit);
}

#[test]
fn markers_carry_the_epoch_of_the_coordinator() {
    let settings = TransactionSettings { coordinator_epoch: 17, ..Default::default() };
    let mut host = Host::with(settings);
    let producer = host.start();
    assert_eq!(host.add(producer, &[("a", 0)], NEW), ErrorCode::None);
    assert!(host.end(producer, true, NEW).is_ok());
    assert_eq!(host.take_markers().coordinator_epoch, 17);
}

/// A transaction with many partitions, prepared, as a record of it says.
fn decided(id: &str, partitions: i32) -> CoordinatorRecord {
    let value = TransactionLogValue {
        producer_id: 7,
        producer_epoch: 3,
        transaction_timeout_ms: TIMEOUT_MS,
        transaction_status: Status::PrepareCommit.code(),
        transaction_partitions: Some(vec![PartitionsSchema {
            topic: "a".into(),
            partition_ids: (0..partitions).collect(),
        }]),
        transaction_last_update_timestamp_ms: START_MS,
        transaction_start_timestamp_ms: START_MS,
        ..Default::default()
    };
    record_of(id, value, 1)
}

/// All of them were wanted in one turn, each in one piece.
#[test]
fn a_load_wants_a_bounded_number_of_markers_at_a_time() {
    let many: Vec<CoordinatorRecord> = (0..1_500)
        .map(|number| decided(&format!("{number:05}"), 5))
        .chain([decided("large", 25_000)])
        .collect();
    let mut host = loaded(TransactionSettings::default(), &many);
    let (mut answered, mut turns, mut questions_before) = (0, 0, 0);
    loop {
        let questions = host.markers.len();
        let new = questions - questions_before;
        assert!(new <= limits::MARKER_QUESTIONS_PER_TURN, "{new} in one turn");
        let in_flight = host.coordinator.machine().markers_in_flight;
        assert!(in_flight <= limits::MARKERS_IN_FLIGHT_MAX, "{in_flight} markers");
        let largest = host.markers.iter().map(|markers| markers.partitions.len()).max();
        assert!(largest.is_none_or(|largest| largest <= limits::MARKERS_PER_QUESTION));
        let is_due = host.coordinator.next_deadline_ms() <= Some(host.now_ms);
        turns += 1;
        if is_due && turns % 2 == 0 {
            questions_before = questions;
            let actions = host.coordinator.tick(host.now_ms);
            host.execute(actions);
        } else if !host.markers.is_empty() {
            let markers = host.markers.remove(0);
            questions_before = host.markers.len();
            answered += markers.partitions.len();
            let written = |at| (at, MarkerOutcome::Written);
            let outcomes = markers.partitions.iter().cloned().map(written).collect();
            host.report_some(&markers, outcomes);
        } else if !is_due {
            break;
        }
    }
    assert_eq!(answered, 1_500 * 5 + 25_000);
    let machine = host.coordinator.machine();
    assert!(machine.entries.after(None).all(|(_, entry)| entry.status == Status::CompleteCommit));
    assert_eq!((machine.markers_in_flight, machine.marker_queue.len()), (0, 0));
}

/// Where no marker is answered, so many are on their way.
#[test]
fn markers_that_hang_hold_others_up_at_a_bound() {
    let mut host = Host::new();
    let mut ids = Vec::new();
    for number in 0..4 {
        let id = format!("id-{number}");
        let producer = host.init(fresh(&id)).unwrap();
        let topic = AddPartitionsToTxnTopic { name: "a".into(), partitions: (0..3_000).collect() };
        let mut transaction = adding(&id, producer, &[]);
        transaction.topics.push(topic);
        host.add_in(transaction, NEW);
        let request = ending(&id, producer, true);
        host.call(Request::EndTxn { request, api_version: NEW });
        ids.push(id);
    }
    let on_their_way: usize = host.markers.iter().map(|markers| markers.partitions.len()).sum();
    assert_eq!(on_their_way, limits::MARKERS_IN_FLIGHT_MAX);
    while !host.markers.is_empty() {
        host.report(MarkerOutcome::Written);
    }
    assert!(ids.iter().all(|id| host.entry(id).status == Status::CompleteCommit));
}
