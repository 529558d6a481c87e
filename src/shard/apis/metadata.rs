//! Metadata v0-13 and DescribeTopicPartitions v0: which topics there are, and the leaders of their
//! partitions.
//!
//! Metadata has the topics made that it is asked for and that do not exist, where
//! `auto.create.topics.enable` and the request allow it. It does not wait for them: its answer says
//! that they are unknown, and the client asks again.

use super::controller;
use crate::{limits, meta::answers, request::RequestContext, shard::Shard};
use protocol::messages::{
    DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse, MetadataRequest,
    MetadataResponse,
};
use rustc_hash::FxHashSet;
use std::cell::RefCell;

/// Topics that are being made because clients asked for them.
#[derive(Default)]
pub struct AutoCreation(RefCell<FxHashSet<String>>);

impl AutoCreation {
    pub fn is_idle(&self) -> bool {
        self.0.borrow().is_empty()
    }

    /// Takes those of `names` that are not being made yet, as far as there is room; for the others
    /// the client asks again.
    fn take(&self, mut names: Vec<String>) -> Vec<String> {
        let mut all = self.0.borrow_mut();
        names.retain(|name| {
            all.len() < limits::TOPICS_IN_AUTO_CREATION_MAX && all.insert(name.clone())
        });
        names
    }

    fn done(&self, names: &[String]) {
        let mut all = self.0.borrow_mut();
        names.iter().for_each(|name| assert!(all.remove(name), "a topic that was being made"));
    }
}

/// Begins to make topics, behind the request that asked for them.
fn create(shard: &Shard, names: Vec<String>) {
    let names = if shard.is_stopping() { vec![] } else { shard.control.auto_creation.take(names) };
    if names.is_empty() {
        return;
    }
    let task = shard.clone();
    drop(shard.ring.spawn_named("auto creation", async move {
        controller::create(&task, answers::auto_create_request(names.clone())).await;
        task.control.auto_creation.done(&names);
    }));
}

pub async fn handle(
    shard: &Shard,
    context: &RequestContext<'_>,
    request: MetadataRequest,
) -> MetadataResponse {
    let listener = shard.listener_name(context.client);
    let auto_create = shard.config.topics.auto_create_topics_enable;
    let image = shard.control.image();
    match answers::metadata(&image, listener, &request, context.ids.api_version, auto_create) {
        Ok(answer) => {
            create(shard, answer.to_create);
            answer.response
        }
        Err(error) => answers::refuse_metadata(&request, &error),
    }
}

pub async fn describe_topic_partitions(
    shard: &Shard,
    context: &RequestContext<'_>,
    request: DescribeTopicPartitionsRequest,
) -> DescribeTopicPartitionsResponse {
    let image = shard.control.image();
    let limit = shard.config.network.max_request_partition_size_limit;
    answers::describe_topic_partitions(&image, shard.listener_name(context.client), &request, limit)
        .unwrap_or_else(|error| answers::refuse_describe_topic_partitions(&request, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_made_once_at_a_time_and_few_at_once() {
        let making = AutoCreation::default();
        let names =
            |range: std::ops::Range<usize>| range.map(|n| format!("t{n}")).collect::<Vec<_>>();
        assert_eq!(making.take(names(0..2)), names(0..2));
        assert_eq!(making.take(names(1..3)), names(2..3));
        making.done(&names(0..2));
        assert_eq!(making.take(names(0..1)), names(0..1));
        let many = making.take(names(10..limits::TOPICS_IN_AUTO_CREATION_MAX + 10));
        assert_eq!(many.len(), limits::TOPICS_IN_AUTO_CREATION_MAX - 2);
        assert!(!making.is_idle() && making.take(names(5..6)).is_empty());
    }
}
