//! EndTxn of both generations.

use super::*;

/// A transaction with one partition, and its producer.
fn open(host: &mut Host, api_version: i16) -> Producer {
    let producer = host.start();
    assert_eq!(host.add(producer, &[("a", 0)], api_version), ErrorCode::None);
    host.take_records();
    producer
}

const UNSAID: Producer = Producer { id: -1, epoch: -1 };

#[test]
fn an_old_client_keeps_its_epoch() {
    for committed in [true, false] {
        let mut host = Host::new();
        let producer = open(&mut host, OLD);
        assert_eq!(host.end(producer, committed, OLD), Ok(UNSAID));
        let markers = host.take_markers();
        let expected = Markers {
            transactional_id: ID.into(),
            serial: markers.serial,
            producer_id: producer.id,
            producer_epoch: producer.epoch,
            coordinator_epoch: 0,
            committed,
            transaction_version: 0,
            partitions: vec![at("a", 0)],
        };
        assert_eq!(markers, expected);
        assert_eq!(host.end(producer, committed, OLD), Err(ErrorCode::ConcurrentTransactions));
        assert_eq!(host.end(producer, !committed, OLD), Err(ErrorCode::ConcurrentTransactions));
        host.report_some(&markers, vec![(at("a", 0), MarkerOutcome::Written)]);
        let (prepare, complete) = if committed {
            (Status::PrepareCommit, Status::CompleteCommit)
        } else {
            (Status::PrepareAbort, Status::CompleteAbort)
        };
        assert_eq!(host.take_statuses(), [prepare, complete]);
        assert_eq!(host.end(producer, committed, OLD), Ok(UNSAID), "the answer was lost");
        assert_eq!(host.end(producer, !committed, OLD), Err(ErrorCode::InvalidTxnState));
        assert_eq!(host.add(producer, &[("a", 0)], OLD), ErrorCode::None);
    }
}

#[test]
fn an_old_client_has_nothing_to_end_without_a_partition() {
    let mut host = Host::new();
    let producer = host.start();
    for committed in [true, false] {
        assert_eq!(host.end(producer, committed, OLD), Err(ErrorCode::InvalidTxnState));
    }
}

#[test]
fn a_new_client_hears_its_next_epoch() {
    for committed in [true, false] {
        let mut host = Host::new();
        let producer = open(&mut host, NEW);
        let next = Producer { epoch: 1, ..producer };
        assert_eq!(host.end(producer, committed, NEW), Ok(next));
        let markers = host.take_markers();
        assert_eq!((markers.producer_epoch, markers.transaction_version), (1, 2));
        assert_eq!(markers.committed, committed);
        for who in [producer, next] {
            assert_eq!(host.end(who, committed, NEW), Err(ErrorCode::ConcurrentTransactions));
        }
        host.report_some(&markers, vec![(at("a", 0), MarkerOutcome::Written)]);
        host.take_records();
        assert_eq!(host.end(producer, committed, NEW), Ok(next), "the answer was lost");
        assert_eq!(host.end(producer, !committed, NEW), Err(ErrorCode::InvalidTxnState));
        assert!(host.take_records().is_empty());
        assert_eq!(host.add(producer, &[("a", 0)], NEW), ErrorCode::ProducerFenced);
        assert_eq!(host.add(next, &[("a", 0)], NEW), ErrorCode::None);
        // A retry that comes when the next transaction has begun is too late.
        assert_eq!(host.end(producer, committed, NEW), Err(ErrorCode::ProducerFenced));
        assert_eq!(host.end(next, true, NEW), Ok(Producer { epoch: 2, ..producer }));
    }
}

#[test]
fn a_new_client_may_abort_without_a_partition() {
    let mut host = Host::new();
    let producer = host.start();
    host.take_records();
    assert_eq!(host.end(producer, true, NEW), Err(ErrorCode::InvalidTxnState));
    let second = Producer { epoch: 1, ..producer };
    assert_eq!(host.end(producer, false, NEW), Ok(second));
    assert_eq!(host.take_statuses(), [Status::PrepareAbort, Status::CompleteAbort]);
    assert_eq!(host.end(producer, false, NEW), Ok(second), "the answer was lost");
    let third = Producer { epoch: 2, ..producer };
    assert_eq!(host.end(second, false, NEW), Ok(third), "the next one");
    assert_eq!(host.end(third, true, NEW), Err(ErrorCode::InvalidTxnState));
    assert!(host.markers.is_empty());
    // After a commit as well.
    assert_eq!(host.add(third, &[("a", 0)], NEW), ErrorCode::None);
    let fourth = host.end(third, true, NEW).unwrap();
    host.report(MarkerOutcome::Written);
    assert_eq!(host.end(fourth, true, NEW), Err(ErrorCode::InvalidTxnState));
    assert_eq!(host.end(fourth, false, NEW), Ok(Producer { epoch: 4, ..producer }));
}

#[test]
fn the_last_epoch_ends_in_a_new_producer_id() {
    for committed in [true, false] {
        let (mut host, last) = at_epoch(2, i16::MAX - 1);
        assert_eq!(host.add(last, &[("a", 0)], NEW), ErrorCode::None);
        host.take_records();
        let next = host.end(last, committed, NEW).unwrap();
        assert_eq!(next.epoch, 0);
        assert_ne!(next.id, last.id);
        let (_, prepare) = value_of(&host.take_records()[0]).unwrap();
        assert_eq!((prepare.producer_id, prepare.producer_epoch), (last.id, i16::MAX));
        assert_eq!(prepare.next_producer_id, next.id);
        // The producer may be told already, and ask as the next one.
        assert_eq!(host.add(next, &[("a", 0)], NEW), ErrorCode::ConcurrentTransactions);
        assert_eq!(host.end(last, committed, NEW), Err(ErrorCode::ConcurrentTransactions));
        let markers = host.take_markers();
        assert_eq!((markers.producer_id, markers.producer_epoch), (last.id, i16::MAX));
        host.report_some(&markers, vec![(at("a", 0), MarkerOutcome::Written)]);
        let (_, complete) = value_of(&host.take_records()[0]).unwrap();
        assert_eq!((complete.producer_id, complete.producer_epoch), (next.id, 0));
        assert_eq!((complete.previous_producer_id, complete.next_producer_id), (last.id, -1));
        assert_eq!(host.end(last, committed, NEW), Ok(next), "the answer was lost");
        assert_eq!(host.end(last, !committed, NEW), Err(ErrorCode::InvalidTxnState));
        assert_eq!(host.add(next, &[("a", 0)], NEW), ErrorCode::None);
        assert_eq!(host.end(last, committed, NEW), Err(ErrorCode::InvalidProducerIdMapping));
    }
}

#[test]
fn the_next_producer_id_survives_a_load() {
    let (mut host, last) = at_epoch(2, i16::MAX - 1);
    assert_eq!(host.add(last, &[("a", 0)], NEW), ErrorCode::None);
    let next = host.end(last, true, NEW).unwrap();
    host.reload();
    host.report(MarkerOutcome::Written);
    assert_eq!(host.entry(ID).producer, next);
    host.reload();
    assert_eq!(host.end(last, true, NEW), Ok(next), "the answer was lost");
}

#[test]
fn a_transaction_waits_for_the_producer_id_that_follows() {
    let (mut host, last) = at_epoch(2, i16::MAX - 1);
    assert_eq!(host.add(last, &[("a", 0)], NEW), ErrorCode::None);
    host.hold_producer_ids = true;
    host.reload();
    assert_eq!(host.end(last, true, NEW), Err(ErrorCode::CoordinatorLoadInProgress));
    assert_eq!(host.status(), Status::Ongoing);
    host.hold_producer_ids = false;
    host.give_producer_ids();
    assert!(host.end(last, true, NEW).is_ok());
}

#[test]
fn a_producer_that_was_fenced_does_not_retry_the_end_of_the_one_after_it() {
    let mut host = Host::new();
    let fenced = host.start();
    let old_client = open(&mut host, OLD);
    assert_eq!(old_client.epoch, fenced.epoch + 1);
    assert_eq!(host.end(old_client, true, OLD), Ok(UNSAID));
    host.report(MarkerOutcome::Written);
    for committed in [true, false] {
        assert_eq!(host.end(fenced, committed, NEW), Err(ErrorCode::ProducerFenced));
    }
}

#[test]
fn only_its_producer_ends_a_transaction() {
    let mut host = Host::new();
    let unknown = Producer { id: 5, epoch: 0 };
    for api_version in [OLD, NEW] {
        let expected = Err(ErrorCode::InvalidProducerIdMapping);
        assert_eq!(host.end(unknown, true, api_version), expected);
    }
    let producer = open(&mut host, NEW);
    for api_version in [OLD, NEW] {
        let stranger = Producer { id: producer.id + 1, ..producer };
        let expected = Err(ErrorCode::InvalidProducerIdMapping);
        assert_eq!(host.end(stranger, true, api_version), expected);
        let ahead = Producer { epoch: 1, ..producer };
        assert_eq!(host.end(ahead, true, api_version), Err(ErrorCode::ProducerFenced));
        let request = ending("", producer, true);
        match host.call(Request::EndTxn { request, api_version }) {
            Response::EndTxn(response) => {
                assert_eq!(error(response.error_code), ErrorCode::InvalidRequest);
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(host.status(), Status::Ongoing);
}

#[test]
fn from_prepare_on_old_clients_are_looked_at_first() {
    let mut host = Host::new();
    let producer = open(&mut host, OLD);
    assert_eq!(host.end(producer, true, OLD), Ok(UNSAID));
    let stranger = Producer { id: 5, epoch: 0 };
    let ahead = Producer { epoch: 1, ..producer };
    assert_eq!(host.end(stranger, true, OLD), Err(ErrorCode::InvalidProducerIdMapping));
    assert_eq!(host.end(ahead, true, OLD), Err(ErrorCode::ProducerFenced));
    assert_eq!(host.end(stranger, true, NEW), Err(ErrorCode::ConcurrentTransactions));
}

#[test]
fn the_answer_waits_for_the_record_and_so_do_the_markers() {
    let mut host = Host::new();
    let producer = open(&mut host, NEW);
    host.hold_commits = true;
    let request = ending(ID, producer, true);
    let token = host.send(Request::EndTxn { request, api_version: NEW });
    assert!(host.markers.is_empty() && host.replies.is_empty());
    host.commit();
    assert_eq!(host.markers.len(), 1);
    assert!(host.replies.contains_key(&token));
}
