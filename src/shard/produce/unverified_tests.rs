use super::*;
use crate::shard::{
    partition::PartitionId,
    produce::{Acks, append::Terms},
};
use bytes::BytesMut;
use protocol::{
    Uuid,
    compression::Compression,
    records::validate::{AppendOrigin, ValidBatch},
};

/// A request of ten appends that is not answered yet.
fn request() -> Rc<PendingAppends> {
    let pending = Rc::<PendingAppends>::default();
    pending.begin(10, false);
    pending
}

struct Made {
    id: &'static str,
    producer: (i64, i16),
    version: i16,
    deadline: Option<u64>,
}

const FIRST: Made = Made { id: "one", producer: (7, 0), version: 12, deadline: None };

/// An append whose place in the request is also its sequence number.
fn waiting(made: &Made, pending: &Rc<PendingAppends>, index: usize) -> Waiting {
    let (id, epoch) = made.producer;
    let (base_sequence, last_sequence) = (index as i32, index as i32);
    let valid = ValidBatch {
        size_bytes: 0,
        record_count: 1,
        last_offset_delta: 0,
        max_timestamp: 0,
        max_timestamp_offset_delta: 0,
        producer: Some(BatchProducer { id, epoch, base_sequence, last_sequence }),
        is_transactional: true,
        is_control: false,
        compression: Compression::None,
        recompress_to: None,
    };
    let origin = AppendOrigin::Client { produce_version: made.version };
    let deadline = made.deadline.map(Instant);
    let append = Append::new(
        PartitionId { topic_id: Uuid::ZERO, index: 0 },
        Ok((BytesMut::new(), valid)),
        Terms { origin, acks: Acks::All, deadline },
        Some(TransactionalId::new(made.id)),
    );
    let inside = Inside::of(&append).expect("it is inside of a transaction");
    Waiting { inside, append, pending: pending.clone(), index }
}

/// The places of those that one answer is for.
fn take_all(unverified: &Unverified, asked: &Inside) -> Vec<usize> {
    std::iter::from_fn(|| unverified.take(asked)).map(|waiting| waiting.index).collect()
}

#[test]
fn an_answer_is_for_those_of_its_epoch_that_came_before_others() {
    let (unverified, pending) = (Unverified::default(), request());
    let newer = Made { producer: (7, 1), ..FIRST };
    let all = [&FIRST, &FIRST, &newer, &newer, &FIRST];
    let firsts: Vec<bool> = all
        .iter()
        .enumerate()
        .map(|(index, made)| unverified.add(waiting(made, &pending, index)))
        .collect();
    assert_eq!(firsts, [true, false, false, false, false], "one task sees to a producer");
    assert!(unverified.add(waiting(&Made { producer: (8, 0), ..FIRST }, &pending, 5)));
    for expected in [vec![0, 1], vec![2, 3], vec![4]] {
        let asked = unverified.next(7).expect("some wait");
        assert_eq!(take_all(&unverified, &asked), expected);
        assert!(unverified.has(7), "what comes now joins, until the task finds nothing");
    }
    assert!(unverified.next(7).is_none());
    assert!(!unverified.has(7) && unverified.has(8), "the other producer waits on");
    assert!(unverified.add(waiting(&FIRST, &pending, 6)), "it begins anew");
}

#[test]
fn what_joins_while_the_coordinator_is_asked_gets_its_answer_in_turn() {
    let (unverified, pending) = (Unverified::default(), request());
    assert!(unverified.add(waiting(&FIRST, &pending, 0)));
    let asked = unverified.next(7).expect("one waits");
    assert!(!unverified.add(waiting(&FIRST, &pending, 1)));
    assert_eq!(take_all(&unverified, &asked), [0, 1]);
    assert!(!unverified.add(waiting(&FIRST, &pending, 2)), "the task is not at its end");
    assert_eq!(take_all(&unverified, &asked), [2]);
}

#[test]
fn an_answer_is_for_no_other_transactional_id_and_no_other_question() {
    let pending = request();
    let asked = waiting(&FIRST, &pending, 0).inside;
    let is_for = |made: Made| waiting(&made, &pending, 1).inside.is_asked_with(&asked);
    assert!(is_for(FIRST));
    assert!(!is_for(Made { id: "two", ..FIRST }));
    assert!(!is_for(Made { producer: (7, 1), ..FIRST }));
    assert!(!is_for(Made { version: 11, ..FIRST }), "one that does not add");
}

#[test]
fn those_whose_time_is_over_are_answered_and_never_appended() {
    let (unverified, pending) = (Unverified::default(), request());
    for (index, deadline) in [Some(50), None, Some(40), Some(90)].into_iter().enumerate() {
        unverified.add(waiting(&Made { deadline, ..FIRST }, &pending, index));
    }
    assert_eq!(unverified.next_deadline(), Some(Instant(40)));
    assert!(unverified.take_expired(Instant(39)).is_empty());
    let asked = unverified.next(7).expect("they wait");
    let expired = unverified.take_expired(Instant(50));
    assert_eq!(expired.len(), 2);
    expired.into_iter().for_each(|done| done.tell(Err(ErrorCode::RequestTimedOut)));
    let result = |index: usize| {
        let results = pending.results.borrow();
        (results[index].error, results[index].base_offset)
    };
    let over = (ErrorCode::RequestTimedOut, -1);
    let open = (ErrorCode::None, -1);
    assert_eq!([result(0), result(1), result(2), result(3)], [over, open, over, open]);
    assert_eq!(unverified.next_deadline(), Some(Instant(90)));
    assert_eq!(take_all(&unverified, &asked), [1, 3], "the answer comes late");
}

#[test]
fn a_partition_that_serves_no_more_answers_all_and_its_task_ends() {
    let (unverified, pending) = (Unverified::default(), request());
    unverified.add(waiting(&FIRST, &pending, 0));
    unverified.add(waiting(&Made { producer: (8, 0), ..FIRST }, &pending, 1));
    let asked = unverified.next(7).expect("one waits");
    unverified.refuse_all(ErrorCode::NotLeaderOrFollower);
    let errors: Vec<_> = pending.results.borrow().iter().map(|result| result.error).collect();
    assert_eq!(
        errors[..3],
        [ErrorCode::NotLeaderOrFollower, ErrorCode::NotLeaderOrFollower, ErrorCode::None]
    );
    assert!(take_all(&unverified, &asked).is_empty());
    assert!(unverified.next(7).is_none() && unverified.next(8).is_none());
}

#[test]
fn a_producer_hears_what_its_version_knows() {
    let heard = |error, version| refusal(error, "why", version).error;
    for passing in [
        ErrorCode::NetworkException,
        ErrorCode::CoordinatorLoadInProgress,
        ErrorCode::CoordinatorNotAvailable,
        ErrorCode::NotCoordinator,
    ] {
        for version in [3, 11, 12, 13] {
            let refused = refusal(passing, "why", version);
            assert_eq!(refused.error, ErrorCode::NotEnoughReplicas, "{passing}, v{version}");
            assert!(refused.message.is_some_and(|said| said.contains(&passing.to_string())));
        }
    }
    let abortable = ErrorCode::TransactionAbortable;
    let concurrent = ErrorCode::ConcurrentTransactions;
    assert_eq!(heard(abortable, 10), ErrorCode::InvalidTxnState);
    assert_eq!((heard(abortable, 11), heard(abortable, 12)), (abortable, abortable));
    assert_eq!(heard(concurrent, 11), ErrorCode::NotEnoughReplicas);
    assert_eq!(heard(concurrent, 12), concurrent);
    assert_eq!(heard(ErrorCode::ProducerFenced, 12), ErrorCode::InvalidProducerEpoch);
    for same in [
        ErrorCode::InvalidTxnState,
        ErrorCode::InvalidProducerEpoch,
        ErrorCode::InvalidProducerIdMapping,
    ] {
        assert_eq!((heard(same, 3), heard(same, 13)), (same, same));
    }
}
