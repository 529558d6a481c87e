//! DescribeCluster v0-2, DescribeQuorum v0-2, DescribeConfigs v1-4 and ListConfigResources v0-1:
//! what only reads the image, and levels of log lines.

use super::loggers;
use crate::{meta::answers, request::RequestContext, shard::Shard};
use protocol::messages::*;

pub async fn describe(
    shard: &Shard,
    context: &RequestContext<'_>,
    request: DescribeClusterRequest,
) -> DescribeClusterResponse {
    let image = shard.control.image();
    answers::describe_cluster(
        &image,
        shard.listener_name(context.client),
        &request,
        context.ids.api_version,
    )
}

/// The quorum is this node alone: its log ends where the image does.
pub async fn describe_quorum(
    shard: &Shard,
    context: &RequestContext<'_>,
    request: DescribeQuorumRequest,
) -> DescribeQuorumResponse {
    let image = shard.control.image();
    let now_ms = shard.ring.wall_clock_ms();
    let log_end_offset = image.provenance.offset + 1;
    let voters: Vec<answers::ReplicaProgress> = image
        .quorum
        .voters
        .iter()
        .map(|voter| answers::ReplicaProgress {
            replica_id: voter.id,
            directory_id: voter.directory_id,
            log_end_offset,
            last_fetch_timestamp_ms: now_ms,
            last_caught_up_timestamp_ms: now_ms,
        })
        .collect();
    answers::describe_quorum(
        &image,
        &request,
        context.ids.api_version,
        log_end_offset,
        &voters,
        &[],
    )
}

pub async fn describe_configs(
    shard: &Shard,
    request: DescribeConfigsRequest,
) -> DescribeConfigsResponse {
    let image = shard.control.image();
    let mut response = answers::describe_configs(&image, &shard.control.settings, &request);
    loggers::describe(shard, &request, &mut response).await;
    response
}

pub async fn list_config_resources(
    shard: &Shard,
    context: &RequestContext<'_>,
    request: ListConfigResourcesRequest,
) -> ListConfigResourcesResponse {
    let image = shard.control.image();
    answers::list_config_resources(
        &image,
        shard.listener_name(context.client),
        &request,
        context.ids.api_version,
    )
}
