//! AddPartitionsToTxn, its verification, AddOffsetsToTxn.

use super::*;

#[test]
fn the_first_partition_begins_the_transaction() {
    let mut host = Host::new();
    let producer = host.start();
    host.take_records();
    host.advance(500);
    assert_eq!(host.add(producer, &[("a", 0), ("b", 3)], NEW), ErrorCode::None);
    host.advance(500);
    assert_eq!(host.add(producer, &[("a", 1)], NEW), ErrorCode::None);
    let records = host.take_records();
    assert_eq!(records.len(), 2);
    let (_, value) = value_of(&records[1]).unwrap();
    assert_eq!(value.transaction_start_timestamp_ms, START_MS + 500);
    assert_eq!(value.transaction_last_update_timestamp_ms, START_MS + 1_000);
    assert_eq!(value.client_transaction_version, 2);
    let topics = value.transaction_partitions.unwrap();
    let topics: Vec<(&str, &[i32])> =
        topics.iter().map(|topic| (topic.topic.as_str(), &topic.partition_ids[..])).collect();
    assert_eq!(topics, [("a", &[0, 1][..]), ("b", &[3][..])]);
    assert_eq!(host.add(producer, &[("a", 1), ("b", 3)], NEW), ErrorCode::None);
    assert!(host.take_records().is_empty(), "they are there");
}

#[test]
fn the_generation_of_the_client_is_that_of_its_request() {
    for (api_version, generation) in [(0, 0), (3, 0), (4, 2), (5, 2)] {
        let mut host = Host::new();
        let producer = host.start();
        assert_eq!(host.add(producer, &[("a", 0)], api_version), ErrorCode::None);
        assert_eq!(host.entry(ID).client_version, generation);
    }
}

#[test]
fn partitions_are_added_by_the_producer_alone() {
    let mut host = Host::new();
    let unknown = Producer { id: 1_000, epoch: 0 };
    assert_eq!(host.add(unknown, &[("a", 0)], NEW), ErrorCode::InvalidProducerIdMapping);
    assert_eq!(host.verify(unknown, &[("a", 0)]), [ErrorCode::InvalidProducerIdMapping]);
    let producer = host.start();
    let stranger = Producer { id: producer.id + 1, ..producer };
    let ahead = Producer { epoch: 1, ..producer };
    for (who, expected) in
        [(stranger, ErrorCode::InvalidProducerIdMapping), (ahead, ErrorCode::ProducerFenced)]
    {
        assert_eq!(host.add(who, &[("a", 0), ("b", 1)], NEW), expected);
        assert_eq!(host.add_offsets(who, 4), expected);
        assert_eq!(host.verify(who, &[("a", 0)]), [expected]);
    }
    assert_eq!(host.status(), Status::Empty);
    let nameless = adding("", producer, &[("a", 0)]);
    assert_eq!(host.add_in(nameless.clone(), NEW), [ErrorCode::InvalidRequest]);
    let verifying = AddPartitionsToTxnTransaction { verify_only: true, ..nameless };
    assert_eq!(host.add_in(verifying, NEW), [ErrorCode::InvalidRequest]);
}

#[test]
fn from_prepare_to_complete_no_partition_is_added() {
    let mut host = Host::new();
    let producer = host.start();
    assert_eq!(host.add(producer, &[("a", 0)], NEW), ErrorCode::None);
    let next = host.end(producer, true, NEW).unwrap();
    let stranger = Producer { id: 1, epoch: 1 };
    for who in [producer, next, stranger] {
        assert_eq!(host.add(who, &[("a", 1)], NEW), ErrorCode::ConcurrentTransactions);
    }
    // Verification looks at the producer first.
    assert_eq!(host.verify(next, &[("a", 0)]), [ErrorCode::ConcurrentTransactions]);
    assert_eq!(host.verify(producer, &[("a", 0)]), [ErrorCode::ProducerFenced]);
    assert_eq!(host.verify(stranger, &[("a", 0)]), [ErrorCode::InvalidProducerIdMapping]);
    host.report(MarkerOutcome::Written);
    assert_eq!(host.add(next, &[("a", 1)], NEW), ErrorCode::None);
}

#[test]
fn verification_changes_nothing_and_says_what_to_abort() {
    let mut host = Host::new();
    let producer = host.start();
    assert_eq!(host.verify(producer, &[("a", 0)]), [ErrorCode::TransactionAbortable]);
    assert_eq!(host.add(producer, &[("a", 0)], OLD), ErrorCode::None);
    host.take_records();
    assert_eq!(
        host.verify(producer, &[("a", 0), ("a", 1), ("b", 0)]),
        [ErrorCode::None, ErrorCode::TransactionAbortable, ErrorCode::TransactionAbortable]
    );
    assert!(host.take_records().is_empty());
}

#[test]
fn offsets_are_a_partition_of_the_groups_topic() {
    let mut host = Host::new();
    let producer = host.start();
    assert_eq!(host.add_offsets(producer, 3), ErrorCode::None);
    assert!(host.entry(ID).partitions.contains("__consumer_offsets", 7));
    assert_eq!(host.entry(ID).client_version, 0);
    assert_eq!(host.end(producer, true, OLD), Ok(Producer { id: -1, epoch: -1 }));
    assert_eq!(host.take_markers().partitions, [at("__consumer_offsets", 7)]);
}

#[test]
fn a_transaction_has_so_many_partitions_and_no_more() {
    let settings = TransactionSettings { max_transaction_partitions: 3, ..Default::default() };
    let mut host = Host::with(settings);
    let producer = host.start();
    assert_eq!(host.add(producer, &[("a", 0), ("a", 1)], NEW), ErrorCode::None);
    host.take_records();
    assert_eq!(host.add(producer, &[("a", 2), ("a", 3)], NEW), ErrorCode::PolicyViolation);
    assert!(host.take_records().is_empty());
    assert!(!host.entry(ID).partitions.contains("a", 2), "all or nothing");
    assert_eq!(host.add(producer, &[("a", 2)], NEW), ErrorCode::None);
}

#[test]
fn a_transaction_fits_a_record_in_every_status_and_version() {
    for (version, api_version) in [(0, OLD), (1, OLD), (2, NEW)] {
        let settings = TransactionSettings {
            transaction_version: version,
            max_batch_bytes: 2_000,
            ..Default::default()
        };
        let mut host = Host::with(settings);
        let producer = host.start();
        let topics: Vec<String> = (0..1_000).map(|n| format!("{n}")).collect();
        let refused = topics.iter().find_map(|topic| {
            let error = host.add(producer, &[(topic, 0)], api_version);
            (error != ErrorCode::None).then_some(error)
        });
        assert_eq!(refused, Some(ErrorCode::PolicyViolation));
        assert!(host.entry(ID).partitions.len() > 50);
        // The host asserts what the log takes.
        assert!(host.end(producer, true, api_version).is_ok());
        host.report(MarkerOutcome::Written);
        assert_eq!(host.status(), Status::CompleteCommit);
    }
}
