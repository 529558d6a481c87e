//! What becomes of markers.

use super::*;

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
