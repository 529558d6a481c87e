//! What becomes of batches that were sent: acknowledged, refused, or to be sent again.
//!
//! Owns: nothing. Lives on: the generator's thread, in the task that waits for one answer. Never:
//! leaves a batch unbooked.

use super::{InFlight, RETRY_MAX, ReadyBatch};
use crate::{
    dialer::error_of,
    options::Acks,
    run::Run,
    tallies::{CONNECTION, UNANSWERED},
};
use bytes::{Bytes, BytesMut};
use client::{ClientResponse, RequestError};
use protocol::{
    ErrorCode, Message,
    messages::{
        ProduceRequest, ProduceResponse,
        produce_request::{PartitionProduceData, TopicProduceData},
    },
};
use ring::Instant;
use rustc_hash::FxHashMap;
use std::{cell::RefCell, rc::Rc};

const PRODUCE_TIMEOUT_MS: i32 = 30_000;

/// Why a batch was not acknowledged.
#[derive(Clone, Copy)]
pub enum Failure {
    Refused(ErrorCode),
    /// `UNANSWERED` or `CONNECTION`.
    NoAnswer(&'static str),
}

/// Books a batch that failed, or hands it back to be sent again. `sent` is `None` where it never
/// left.
pub fn not_acknowledged(
    run: &Run,
    in_flight: &RefCell<InFlight>,
    stream: u32,
    mut batch: ReadyBatch,
    sent: Option<Instant>,
    failure: Failure,
) {
    let now = run.ring.precise_now();
    let is_next = run.is_settled_up_to(stream, batch.partition, batch.sequences.start);
    let may_retry = match failure {
        // Batches behind one that failed are out of order. The next one in line never is, unless
        // the broker has lost what it acknowledged.
        Failure::Refused(ErrorCode::OutOfOrderSequenceNumber) => !is_next,
        Failure::Refused(error) => error.is_retriable(),
        Failure::NoAnswer(_) => true,
    };
    let waited = now.since(*batch.returned.get_or_insert(now));
    let mut in_flight = in_flight.borrow_mut();
    in_flight.is_silent = matches!(failure, Failure::NoAnswer(_));
    if run.options.through_restarts && may_retry && waited < RETRY_MAX && !in_flight.gave_up {
        in_flight.returned.push(batch);
        return;
    }
    in_flight.transaction_failed = true;
    let ReadyBatch { partition, sequences, due, .. } = batch;
    match failure {
        Failure::Refused(error) => {
            run.complain(&format!("{}: {}", run.cluster.name(partition), error.name()));
            run.refused(stream, partition, sequences, &due, error.name());
        }
        Failure::NoAnswer(why) => run.unanswered(stream, partition, sequences, &due, sent, why),
    }
}

/// Whether an error says that the leader is another one now.
pub fn is_of_a_moved_leader(error: ErrorCode) -> bool {
    matches!(
        error,
        ErrorCode::NotLeaderOrFollower
            | ErrorCode::LeaderNotAvailable
            | ErrorCode::UnknownTopicOrPartition
            | ErrorCode::FencedLeaderEpoch
            | ErrorCode::UnknownLeaderEpoch
            | ErrorCode::KafkaStorageError
    )
}

pub fn encode(
    run: &Run,
    acks: Acks,
    transactional_id: Option<&str>,
    batches: &[ReadyBatch],
) -> Bytes {
    let mut topics: Vec<TopicProduceData> = Vec::new();
    for batch in batches {
        let (name, index) = run.cluster.on_wire(batch.partition);
        let data = PartitionProduceData { index, records: Some(batch.records.clone()) };
        match topics.iter_mut().find(|topic| topic.name == name) {
            Some(topic) => topic.partition_data.push(data),
            None => topics.push(TopicProduceData {
                name: name.to_owned(),
                partition_data: vec![data],
                ..Default::default()
            }),
        }
    }
    let request = ProduceRequest {
        transactional_id: transactional_id.map(str::to_owned),
        acks: acks.code(),
        timeout_ms: PRODUCE_TIMEOUT_MS,
        topic_data: topics,
    };
    let size: usize = batches.iter().map(|batch| batch.records.len() + 64).sum();
    let mut body = BytesMut::with_capacity(size + 256);
    let encoded = request.encode(&mut body, run.cluster.produce_version);
    encoded.expect("every version that is spoken carries these fields, and a request of this size");
    body.freeze()
}

/// What is needed to book the answer to one request.
pub struct Settling<'a> {
    pub run: &'a Rc<Run>,
    pub in_flight: &'a RefCell<InFlight>,
    pub stream: u32,
    pub acks: Acks,
    /// What is acknowledged belongs to a transaction, and counts once that is committed.
    pub is_held: bool,
}

impl Settling<'_> {
    /// Books what became of the batches of one request.
    pub fn settle(
        &self,
        batches: Vec<ReadyBatch>,
        sent: Instant,
        answer: Result<ClientResponse, RequestError>,
    ) {
        let Settling { run, in_flight, .. } = self;
        let no_answer = |batch| self.failed(batch, sent, Failure::NoAnswer(UNANSWERED));
        let ClientResponse { body, received } = match answer {
            Ok(response) => response,
            Err(error) => {
                // Connections that are closed for want of answers did not break.
                if in_flight.borrow().gave_up {
                    return batches.into_iter().for_each(no_answer);
                }
                run.complain(&error.to_string());
                run.cluster.refresh(&run.ring);
                let broken = |batch| self.failed(batch, sent, Failure::NoAnswer(CONNECTION));
                return batches.into_iter().for_each(broken);
            }
        };
        if self.acks == Acks::None {
            in_flight.borrow_mut().is_silent = false;
            for batch in batches {
                let size = batch.size();
                let ReadyBatch { partition, sequences, due, .. } = batch;
                run.sent(self.stream, partition, sequences, size, &due, received);
            }
            return;
        }
        let decoded = protocol::decode_exact(&body, run.cluster.produce_version);
        let response: ProduceResponse = match decoded {
            Ok(response) => response,
            Err(error) => {
                run.complain(&format!("a produce response that does not decode: {error}"));
                return batches.into_iter().for_each(no_answer);
            }
        };
        let errors = self.errors(&response);
        for batch in batches {
            match errors.get(&batch.partition).map(|code| error_of(*code)) {
                Some(ErrorCode::None) => self.acknowledged(batch, sent, received),
                Some(error) => {
                    if is_of_a_moved_leader(error) {
                        run.cluster.refresh(&run.ring);
                    }
                    self.failed(batch, sent, Failure::Refused(error));
                }
                None => {
                    let name = run.cluster.name(batch.partition);
                    run.complain(&format!("{name}: not in the answer"));
                    no_answer(batch);
                }
            }
        }
    }

    fn errors(&self, response: &ProduceResponse) -> FxHashMap<i32, i16> {
        let mut errors = FxHashMap::default();
        for topic in &response.responses {
            for result in &topic.partition_responses {
                if let Some(partition) = self.run.cluster.partition(&topic.name, result.index) {
                    errors.insert(partition, result.error_code);
                }
            }
        }
        errors
    }

    fn acknowledged(&self, batch: ReadyBatch, sent: Instant, received: Instant) {
        let size = batch.size();
        let ReadyBatch { partition, sequences, due, .. } = batch;
        let mut in_flight = self.in_flight.borrow_mut();
        in_flight.is_silent = false;
        if self.is_held {
            in_flight.held.push((partition, sequences));
            self.run.acknowledged_for_now(size, &due, sent, received);
        } else {
            drop(in_flight);
            self.run.acknowledged(self.stream, partition, sequences, size, &due, sent, received);
        }
    }

    fn failed(&self, batch: ReadyBatch, sent: Instant, failure: Failure) {
        not_acknowledged(self.run, self.in_flight, self.stream, batch, Some(sent), failure);
    }
}
