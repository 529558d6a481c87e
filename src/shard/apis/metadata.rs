//! Metadata v0-13 and DescribeTopicPartitions v0: which topics there are, and who leads them.
//!
//! Metadata makes the topics that it is asked for and that do not exist, where `auto.create.topics.enable` and the
//! request allow it; it answers when they are there.

use super::controller;
use crate::{meta::view, net::dispatch::Context};
use protocol::messages::{
    DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse, MetadataRequest, MetadataResponse,
};

pub async fn handle(context: &Context<'_>, request: MetadataRequest) -> MetadataResponse {
    let shard = &context.connection.shard;
    let listener = context.connection.listener_name();
    let auto_create = shard.config.topics.auto_create_topics_enable;
    let ask = |auto_create| {
        let image = shard.view.borrow().image.clone();
        view::metadata(&image, listener, &request, context.api_version, auto_create)
    };
    match ask(auto_create) {
        Ok(answer) if answer.to_create.is_empty() => answer.response,
        Ok(answer) => {
            controller::create(shard, view::auto_create_request(answer.to_create)).await;
            ask(false).map_or(answer.response, |answer| answer.response)
        }
        // The versions that have no error of their own cannot say it; an empty answer makes the client ask again.
        Err(error) => MetadataResponse { error_code: error.code.code(), ..Default::default() },
    }
}

pub async fn describe_topic_partitions(
    context: &Context<'_>,
    request: DescribeTopicPartitionsRequest,
) -> DescribeTopicPartitionsResponse {
    let shard = &context.connection.shard;
    let image = shard.view.borrow().image.clone();
    let limit = shard.config.network.max_request_partition_size_limit;
    view::describe_topic_partitions(&image, context.connection.listener_name(), &request, limit)
        .unwrap_or_else(|error| view::refuse_describe_topic_partitions(&request, &error))
}
