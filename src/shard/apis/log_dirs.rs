//! DescribeLogDirs v1-5: what lies in the log directories, partition by partition, and how full
//! their disks are.

use crate::{
    pace::TurnBudget,
    shard::{Ask, Shard},
};
use protocol::{
    ErrorCode,
    generated::rpc::{
        describe_log_dirs_request::DescribableLogDirTopic,
        describe_log_dirs_response::{
            DescribeLogDirsPartition, DescribeLogDirsResult, DescribeLogDirsTopic,
        },
    },
    messages::{DescribeLogDirsRequest, DescribeLogDirsResponse},
};
use rustc_hash::{FxHashMap, FxHashSet};
use std::path::PathBuf;

/// One partition's share of a log directory.
#[derive(Clone, Debug)]
pub struct PartitionSize {
    pub log_dir: PathBuf,
    pub topic: String,
    pub index: i32,
    pub size_bytes: u64,
}

pub async fn handle(shard: &Shard, request: DescribeLogDirsRequest) -> DescribeLogDirsResponse {
    let named = request.topics.as_ref().map(|topics| {
        let mut named = FxHashMap::<&str, FxHashSet<i32>>::default();
        for DescribableLogDirTopic { topic, partitions, .. } in topics {
            named.entry(topic).or_default().extend(partitions);
        }
        named
    });
    let asked = |size: &PartitionSize| {
        let of_topic = |named: &FxHashMap<&str, FxHashSet<i32>>| {
            named.get(&*size.topic).is_some_and(|indexes| indexes.contains(&size.index))
        };
        named.as_ref().is_none_or(of_topic)
    };
    let mut sizes: Vec<PartitionSize> = Vec::new();
    for more in shard.ask_all(|| PartitionSizes).await {
        sizes.extend(more.into_iter().filter(asked));
    }
    sizes.sort_by(|a, b| (&a.topic, a.index).cmp(&(&b.topic, b.index)));
    let mut results = Vec::new();
    for dir in &shard.config.log_dirs {
        let mut topics: Vec<DescribeLogDirsTopic> = Vec::new();
        for size in sizes.iter().filter(|size| size.log_dir == *dir) {
            if topics.last().is_none_or(|topic| topic.name != size.topic) {
                topics
                    .push(DescribeLogDirsTopic { name: size.topic.clone(), ..Default::default() });
            }
            let partition = DescribeLogDirsPartition {
                partition_index: size.index,
                partition_size: size.size_bytes as i64,
                offset_lag: 0,
                is_future_key: false,
            };
            topics.last_mut().expect("pushed above").partitions.push(partition);
        }
        let (error, free_bytes, total_bytes) = match shard.ring.disk_space(dir).await {
            Ok((free, total)) if shard.data.storage.is_in_use(dir) => {
                (ErrorCode::None, free as i64, total as i64)
            }
            _ => (ErrorCode::KafkaStorageError, -1, -1),
        };
        results.push(DescribeLogDirsResult {
            error_code: error.code(),
            log_dir: std::path::absolute(dir).unwrap_or_else(|_| dir.clone()).display().to_string(),
            topics,
            total_bytes,
            usable_bytes: free_bytes,
            is_cordoned: shard.control.view().runtime.storage.is_cordoned(dir),
            ..Default::default()
        });
    }
    DescribeLogDirsResponse { results, ..Default::default() }
}

/// How much each partition of a core has on the disk.
pub struct PartitionSizes;

impl Ask for PartitionSizes {
    type Answer = Vec<PartitionSize>;

    async fn execute(self, shard: &Shard, _from: usize) -> Vec<PartitionSize> {
        sizes(shard).await
    }
}

async fn sizes(shard: &Shard) -> Vec<PartitionSize> {
    let size = |partition: &std::rc::Rc<crate::shard::partition::Partition>| PartitionSize {
        log_dir: partition.log.dir().parent().map(PathBuf::from).unwrap_or_default(),
        topic: partition.topic.to_string(),
        index: partition.id.index,
        size_bytes: partition.log.size_bytes(),
    };
    let all: Vec<_> = shard.data.all();
    let mut sizes = Vec::with_capacity(all.len());
    let mut budget = TurnBudget::new(&shard.ring);
    for partition in &all {
        sizes.push(size(partition));
        budget.item_done().await;
    }
    sizes
}
