//! Offsets in transactions: until their marker and after it, of producers that are fenced, and over
//! a restart.

use crate::support::{self, Broker, Client, Setup, client::error, unique};
use protocol::{
    ErrorCode,
    messages::{
        AddOffsetsToTxnRequest, EndTxnRequest, FindCoordinatorRequest, InitProducerIdRequest,
        OffsetFetchRequest, TxnOffsetCommitRequest,
        offset_fetch_request::OffsetFetchRequestTopic,
        txn_offset_commit_request::{TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic},
    },
};

/// A producer that reads as a group from partition 0 of a topic.
struct Producer {
    client: Client,
    id: String,
    group: String,
    topic: String,
    producer_id: i64,
    epoch: i16,
}

impl Producer {
    fn new(client: Client, topic: &str) -> Producer {
        let (id, group) = (unique("id"), unique("group"));
        let topic = topic.to_owned();
        let mut producer = Producer { client, id, group, topic, producer_id: -1, epoch: -1 };
        for (key_type, key) in [(0, producer.group.clone()), (1, producer.id.clone())] {
            let request = FindCoordinatorRequest { key, key_type, ..Default::default() };
            support::eventually("a coordinator", || {
                producer.client.call(&request, 3).error_code == 0
            });
        }
        producer
    }

    /// Ends what it left open, and fences who wrote in its name before.
    fn init(&mut self) {
        let request = InitProducerIdRequest {
            transactional_id: Some(self.id.clone()),
            transaction_timeout_ms: 60_000,
            ..Default::default()
        };
        support::eventually("a producer id", || {
            let response = self.client.call(&request, 4);
            (self.producer_id, self.epoch) = (response.producer_id, response.producer_epoch);
            response.error_code == 0
        });
    }

    fn commit(&mut self, offset: i64) -> ErrorCode {
        let partition = TxnOffsetCommitRequestPartition {
            committed_offset: offset,
            committed_leader_epoch: -1,
            ..Default::default()
        };
        let topic = TxnOffsetCommitRequestTopic {
            name: self.topic.clone(),
            partitions: vec![partition],
            ..Default::default()
        };
        let request = TxnOffsetCommitRequest {
            transactional_id: self.id.clone(),
            group_id: self.group.clone(),
            producer_id: self.producer_id,
            producer_epoch: self.epoch,
            topics: vec![topic],
            ..Default::default()
        };
        error(self.client.call(&request, 3).topics[0].partitions[0].error_code)
    }

    /// Begins a transaction with an offset.
    fn begin(&mut self, offset: i64) {
        let request = AddOffsetsToTxnRequest {
            transactional_id: self.id.clone(),
            producer_id: self.producer_id,
            producer_epoch: self.epoch,
            group_id: self.group.clone(),
        };
        support::eventually("the group is one of the transaction's", || {
            self.client.call(&request, 3).error_code == 0
        });
        support::eventually("the offset is taken", || self.commit(offset) == ErrorCode::None);
    }

    fn end(&mut self, committed: bool) {
        let request = EndTxnRequest {
            transactional_id: self.id.clone(),
            producer_id: self.producer_id,
            producer_epoch: self.epoch,
            committed,
        };
        support::eventually("the end is written", || self.client.call(&request, 3).error_code == 0);
    }

    fn fetch(&mut self, require_stable: bool) -> Result<i64, ErrorCode> {
        let topic =
            OffsetFetchRequestTopic { name: self.topic.clone(), partition_indexes: vec![0] };
        let request = OffsetFetchRequest {
            group_id: self.group.clone(),
            topics: Some(vec![topic]),
            require_stable,
            ..Default::default()
        };
        let response = self.client.call(&request, 7);
        if response.error_code != 0 {
            return Err(error(response.error_code));
        }
        let partition = &response.topics[0].partitions[0];
        match error(partition.error_code) {
            ErrorCode::None => Ok(partition.committed_offset),
            error => Err(error),
        }
    }

    /// The marker is written behind the answer to the end.
    #[track_caller]
    fn is_stable_at(&mut self, offset: i64) {
        support::eventually("the marker is written", || {
            self.fetch(true) != Err(ErrorCode::UnstableOffsetCommit)
        });
        assert_eq!((self.fetch(true), self.fetch(false)), (Ok(offset), Ok(offset)));
    }

    #[track_caller]
    fn is_unstable_over(&mut self, offset: i64) {
        let unstable = Err(ErrorCode::UnstableOffsetCommit);
        assert_eq!((self.fetch(true), self.fetch(false)), (unstable, Ok(offset)));
    }
}

#[test]
fn offsets_in_transactions_count_when_they_are_committed() {
    for setup in Setup::backends() {
        let setup = setup
            .with("transaction.partition.verification.enable", "false")
            .with("transaction.state.log.num.partitions", "4");
        let mut broker = Broker::start(&setup);
        let mut client = Client::connect(broker.address);
        let topic = unique("topic");
        client.create_topic(&topic, 1, &[]);
        let mut producer = Producer::new(client, &topic);
        producer.init();
        producer.begin(42);
        producer.is_unstable_over(-1);
        producer.end(true);
        producer.is_stable_at(42);
        producer.begin(50);
        producer.is_unstable_over(42);
        producer.end(false);
        producer.is_stable_at(42);
        // Another one takes its place: what was open is aborted, and what the first sends now is
        // refused, which is nothing that the group should notice.
        producer.begin(60);
        let old = producer.epoch;
        producer.init();
        producer.is_stable_at(42);
        let new = std::mem::replace(&mut producer.epoch, old);
        assert!(old < new, "{old} and {new}");
        assert_eq!(producer.commit(61), ErrorCode::InvalidProducerEpoch);
        producer.producer_id = -1;
        assert_eq!(producer.commit(62), ErrorCode::InvalidProducerIdMapping);
        producer.init();
        producer.begin(70);
        assert_eq!(broker.stop().code(), Some(0));
        assert!(!broker.log().contains("is loaded again"), "{}", broker.log());
        broker.start_again(&setup);
        producer.client = Client::connect(broker.address);
        support::eventually("the group is served", || producer.fetch(false).is_ok());
        producer.is_unstable_over(42);
        support::eventually("the coordinator is served", || producer.commit(71) == ErrorCode::None);
        producer.end(true);
        producer.is_stable_at(71);
    }
}

/// The first batch of a transaction needs the word of its coordinator; a refusal is the producer's
/// alone.
#[test]
fn offsets_outside_of_a_transaction_are_refused() {
    for setup in Setup::backends() {
        let setup = setup.with("transaction.state.log.num.partitions", "4");
        let mut broker = Broker::start(&setup);
        let mut client = Client::connect(broker.address);
        let topic = unique("topic");
        client.create_topic(&topic, 1, &[]);
        let mut producer = Producer::new(client, &topic);
        producer.init();
        let mut answer = ErrorCode::None;
        support::eventually("the coordinators are served", || {
            answer = producer.commit(1);
            !matches!(
                answer,
                ErrorCode::CoordinatorLoadInProgress
                    | ErrorCode::CoordinatorNotAvailable
                    | ErrorCode::NotCoordinator
            )
        });
        assert_eq!(answer, ErrorCode::InvalidTxnState);
        assert_eq!(producer.fetch(true), Ok(-1));
        assert_eq!(broker.stop().code(), Some(0));
        assert!(!broker.log().contains("is loaded again"), "{}", broker.log());
    }
}
