//! What is of transaction coordinators alone: where they live, how they are configured, and how
//! effects are carried out.
//!
//! Owns: nothing. Lives on: every core. Never: hosts one itself, and never decides anything about a
//! transaction.

use super::{AnyHost, Host, Hosted, Words, encode_records, host};
use crate::{
    coord::{
        Batch,
        transactions::{
            TopicPartition, TransactionSettings, Transactions,
            request::{Effect, MarkerOutcome, Markers, MarkersReport, Request},
        },
    },
    limits,
    memory::Use,
    meta::features::TRANSACTION_VERSION,
    shard::{
        Shard,
        apis::init_producer_id,
        partition::Partition,
        transactions::markers::{self, Marker},
        view::topic_log_config,
    },
};
use bytes::Bytes;
use protocol::{
    ErrorCode,
    records::{BatchBuilder, EndTransactionMarker},
};
use std::rc::Rc;

pub const TRANSACTIONS_TOPIC: &str = "__transaction_state";

impl Hosted for Transactions {
    const TOPIC: &'static str = TRANSACTIONS_TOPIC;
    const WORDS: Words = Words {
        coordinator: "transaction coordinator",
        commit: "transaction commit",
        served: "transactional ids",
        not_loaded: "transaction coordinators are not loaded (their producers get \
            COORDINATOR_LOAD_IN_PROGRESS)",
        only_reads: "transaction coordinators only read",
    };

    fn settings(shard: &Shard, partition: &Partition) -> TransactionSettings {
        let config = &shard.config.transactions;
        let view = shard.control.view();
        let leader_epoch = partition.role().leader_epoch();
        assert!(partition.is_led_here(), "a coordinator lives with a leader");
        TransactionSettings {
            two_phase_commit: config.two_phase_commit_enable,
            max_timeout_ms: config.max_timeout_ms,
            transactional_id_expiration_ms: config.transactional_id_expiration_ms.into(),
            expiration_check_interval_ms: config.remove_expired_cleanup_interval_ms.into(),
            coordinator_epoch: leader_epoch.expect("a coordinator lives with a leader"),
            max_batch_bytes: topic_log_config(&view, TRANSACTIONS_TOPIC).max_message_bytes as usize,
            ..TransactionSettings::default()
        }
    }

    /// The feature acts at once, as in Kafka.
    fn refresh(shard: &Shard, settings: &mut TransactionSettings) {
        let image = shard.control.image();
        settings.transaction_version = image.feature_level(TRANSACTION_VERSION);
        settings.room_bytes = shard.clients.memory.room(Use::Transactions);
    }

    fn held_bytes(&self) -> usize {
        self.memory_bytes()
    }

    fn encode(batch: &Batch<()>, now_ms: i64) -> Bytes {
        encode_records(batch, BatchBuilder::new(0), now_ms)
    }

    fn execute(shard: &Shard, host: &Rc<Host<Transactions>>, effect: Effect) {
        let (shard, host) = (shard.clone(), host.clone());
        let ring = shard.ring.clone();
        match effect {
            Effect::AllocateProducerIds => ring.spawn_named("producer ids", async move {
                let taken = init_producer_id::take(&shard, limits::COORDINATOR_PRODUCER_IDS).await;
                host::tell(&shard, &host, Request::ProducerIds(taken));
            }),
            Effect::WriteMarkers(markers) => {
                ring.spawn_named("transaction markers", write_markers(shard, host, markers))
            }
        };
    }

    fn any(host: Rc<Host<Transactions>>) -> AnyHost {
        AnyHost::Transactions(host)
    }

    fn of(host: &AnyHost) -> Option<&Rc<Host<Transactions>>> {
        match host {
            AnyHost::Transactions(host) => Some(host),
            AnyHost::Groups(_) => None,
        }
    }
}

/// Has the leaders of the partitions write the markers, and tells the coordinator what became of
/// them.
async fn write_markers(shard: Shard, host: Rc<Host<Transactions>>, wanted: Markers) {
    let Markers { transactional_id, serial, partitions, .. } = wanted;
    let marker = Marker {
        producer_id: wanted.producer_id,
        producer_epoch: wanted.producer_epoch,
        end: EndTransactionMarker {
            committed: wanted.committed,
            coordinator_epoch: wanted.coordinator_epoch,
        },
        transaction_version: wanted.transaction_version,
    };
    assert!(!partitions.is_empty(), "{transactional_id} wants markers of no partition");
    let results = markers::write(&shard, marker, &partitions).await;
    let outcome = |(at, error): (TopicPartition, ErrorCode)| {
        let outcome = outcome_of(error);
        if outcome != MarkerOutcome::Written {
            tracing::debug!(%transactional_id, topic = %at.topic, partition = at.partition,
                %error, "a marker is not written");
        }
        (at, outcome)
    };
    let outcomes = partitions.into_iter().zip(results).map(outcome).collect();
    let report = MarkersReport { transactional_id: transactional_id.clone(), serial, outcomes };
    host::tell(&shard, &host, Request::MarkersWritten(report));
}

/// What an error of a leader means for the marker, as in Kafka
/// (`TransactionMarkerRequestCompletionHandler`).
fn outcome_of(error: ErrorCode) -> MarkerOutcome {
    match error {
        ErrorCode::None => MarkerOutcome::Written,
        ErrorCode::UnknownTopicOrPartition => MarkerOutcome::Gone,
        ErrorCode::InvalidProducerEpoch | ErrorCode::TransactionCoordinatorFenced => {
            MarkerOutcome::Fenced
        }
        _ => MarkerOutcome::RetryLater,
    }
}
