//! The APIs that are served, each with its handler, in one table: the dispatcher looks requests up
//! in it, [`serve`] calls what stands there, and ApiVersions prints it, so that what is said and
//! what is served cannot differ.
//!
//! Owns: the table. Lives on: every core (it is constant). Never: decides an answer; the handlers
//! in the files beside this one do.

use super::{
    api_versions, cluster, controller, delete_records, groups, init_producer_id, list_offsets,
    log_dirs, loggers, metadata, offset_for_leader_epoch, offsets, scram, telemetry, transactions,
};
use crate::{
    meta::answers,
    request::{CloseReason, RequestContext, RequestIds, reply::Reply, response},
    shard::{Shard, quotas},
};
use protocol::{ApiKey, Message, Reader, Throttle};
use std::{
    future::{Future, ready},
    pin::{Pin, pin},
    time::Duration,
};

/// Makes the list of keys and [`serve`] of the rows. The APIs of the first block have no handler
/// here: they are served from their frame, see `net/dispatch.rs`. An answer that only reads the
/// metadata is `ready` at once: a function of `meta/answers` is all of it.
macro_rules! served {
    (
        ($shard:ident, $context:ident, $request:ident);
        pub const $table:ident = [
            from_frame { $($viewed:path,)* }
            $($key:path => $handler:expr,)*
        ];
    ) => {
        /// By API key.
        pub const $table: &[ApiKey] = &[$($viewed,)* $($key,)*];

        /// Answers one request of any API but Produce and Fetch.
        pub async fn serve(
            $shard: &Shard,
            key: ApiKey,
            $context: &RequestContext<'_>,
            body: &[u8],
        ) -> Result<Reply, CloseReason> {
            let ids = $context.ids;
            match key {
                $($key => {
                    let work = pin!(async {
                        let $request = decode(ids, body)?;
                        Ok::<_, CloseReason>($handler.await)
                    });
                    answer($shard, $context, work).await
                })*
                _ => Err(CloseReason::Unserved { key: ids.api_key, version: ids.api_version }),
            }
        }
    };
}

served! {
    (shard, context, request);
    pub const TABLE = [
        from_frame { ApiKey::Produce, ApiKey::Fetch, }
        ApiKey::ListOffsets => list_offsets::handle(shard, context, request),
        ApiKey::Metadata => metadata::handle(shard, context, request),
        ApiKey::OffsetCommit => offsets::commit(shard, context, request),
        ApiKey::OffsetFetch => offsets::fetch(shard, context, request),
        ApiKey::FindCoordinator => groups::find_coordinator(shard, context, request),
        ApiKey::JoinGroup => groups::join(shard, context, request),
        ApiKey::Heartbeat => groups::heartbeat(shard, request),
        ApiKey::LeaveGroup => groups::leave(shard, context, request),
        ApiKey::SyncGroup => groups::sync(shard, context, request),
        ApiKey::DescribeGroups => groups::describe(shard, context, request),
        ApiKey::ListGroups => groups::list(shard, request),
        ApiKey::ApiVersions => api_versions::handle(shard, context, request),
        ApiKey::CreateTopics => controller::create_topics(shard, context, request),
        ApiKey::DeleteTopics => controller::delete_topics(shard, context, request),
        ApiKey::DeleteRecords => delete_records::handle(shard, request),
        ApiKey::InitProducerId => init_producer_id::handle(shard, context, request),
        ApiKey::OffsetForLeaderEpoch => offset_for_leader_epoch::handle(shard, request),
        ApiKey::AddPartitionsToTxn => transactions::add_partitions(shard, context, request),
        ApiKey::AddOffsetsToTxn => transactions::add_offsets(shard, context, request),
        ApiKey::EndTxn => transactions::end(shard, context, request),
        ApiKey::WriteTxnMarkers => transactions::write_markers(shard, request),
        ApiKey::TxnOffsetCommit => offsets::txn_commit(shard, context, request),
        ApiKey::DescribeConfigs => cluster::describe_configs(shard, request),
        ApiKey::AlterConfigs => controller::alter_configs(shard, request),
        ApiKey::DescribeLogDirs => log_dirs::handle(shard, request),
        ApiKey::CreatePartitions => controller::create_partitions(shard, context, request),
        ApiKey::DeleteGroups => groups::delete(shard, request),
        ApiKey::ElectLeaders => controller::elect_leaders(shard, request),
        ApiKey::IncrementalAlterConfigs => loggers::incremental_alter_configs(shard, request),
        ApiKey::AlterPartitionReassignments =>
            controller::alter_partition_reassignments(shard, request),
        ApiKey::ListPartitionReassignments =>
            ready(answers::list_partition_reassignments(&shard.control.image(), &request)),
        ApiKey::OffsetDelete => offsets::delete(shard, request),
        ApiKey::DescribeClientQuotas =>
            ready(answers::describe_client_quotas(&shard.control.image(), &request)),
        ApiKey::AlterClientQuotas => controller::alter_client_quotas(shard, request),
        ApiKey::DescribeUserScramCredentials =>
            ready(answers::describe_user_scram_credentials(&shard.control.image(), &request)),
        ApiKey::AlterUserScramCredentials => scram::alter(shard, request),
        ApiKey::DescribeQuorum => cluster::describe_quorum(shard, context, request),
        ApiKey::UpdateFeatures => controller::update_features(shard, context, request),
        ApiKey::DescribeCluster => cluster::describe(shard, context, request),
        ApiKey::DescribeProducers => transactions::describe_producers(shard, request),
        ApiKey::UnregisterBroker => controller::unregister_broker(shard, request),
        ApiKey::DescribeTransactions => transactions::describe(shard, request),
        ApiKey::ListTransactions => transactions::list(shard, request),
        ApiKey::GetTelemetrySubscriptions => telemetry::subscriptions(shard, context, request),
        ApiKey::PushTelemetry => telemetry::push(shard, context, request),
        ApiKey::ListConfigResources => cluster::list_config_resources(shard, context, request),
        ApiKey::DescribeTopicPartitions =>
            metadata::describe_topic_partitions(shard, context, request),
    ];
}

/// Carries out one request and writes its response, with the time that its client is to wait: what
/// the handler says, or what the work on it has cost the client.
async fn answer<R: Message + Throttle>(
    shard: &Shard,
    context: &RequestContext<'_>,
    work: Pin<&mut impl Future<Output = Result<R, CloseReason>>>,
) -> Result<Reply, CloseReason> {
    let (response, time) = shard.timed(work).await;
    let mut response = response?;
    if let Some(throttle_time_ms) = response.throttle_time_ms() {
        let of_handler = Duration::from_millis((*throttle_time_ms).max(0) as u64);
        let wait = of_handler.max(shard.charge_time(context.client, time));
        *throttle_time_ms = quotas::to_wire_ms(wait);
        shard.throttle(context.client, wait);
    }
    response::encode(&shard.clients.reply_blocks, context.ids, &response)
}

/// Bytes behind the end of the request are left unread, as Apache Kafka leaves them: librdkafka
/// sends some.
fn decode<M: Message>(ids: RequestIds, body: &[u8]) -> Result<M, CloseReason> {
    M::decode(&mut Reader::new(body), ids.api_version).map_err(|error| CloseReason::Decode {
        key: ids.api_key,
        version: ids.api_version,
        error,
    })
}

pub fn find(key: i16) -> Option<ApiKey> {
    TABLE.iter().copied().find(|served| *served as i16 == key)
}

/// All versions that Kafka 4.4 calls stable.
pub fn serves(key: ApiKey, version: i16) -> bool {
    (key.min_version()..=key.max_stable_version()).contains(&version)
}

/// The least version that ApiVersions names. Produce says 0 although 3 is the least that is served:
/// older librdkafka takes that as the sign that compression is understood. Apache Kafka does the
/// same (KAFKA-18659).
pub fn advertised_min_version(key: ApiKey) -> i16 {
    if key == ApiKey::Produce { 0 } else { key.min_version() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_every_api_in_it_is_a_brokers() {
        assert!(TABLE.windows(2).all(|pair| (pair[0] as i16) < pair[1] as i16));
        assert!(
            TABLE
                .iter()
                .all(|key| key.info().on_broker && key.min_version() <= key.max_stable_version())
        );
    }
}
