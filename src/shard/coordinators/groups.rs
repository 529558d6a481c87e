//! What is of group coordinators alone: where they live, how they are configured, and what the
//! admin page shows of them.
//!
//! Owns: nothing. Lives on: every core. Never: hosts one itself, and never decides anything about a
//! group.

use super::{AnyHost, Host, Hosted, Words, encode_records};
use crate::{
    coord::{
        Batch,
        groups::{GroupSettings, GroupSummary, Groups},
    },
    pace::TurnBudget,
    shard::{Shard, partition::Partition, view::topic_log_config},
    stats::{GroupOffsetSnapshot, GroupSnapshot},
};
use bytes::Bytes;
use protocol::records::BatchBuilder;
use std::{convert::Infallible, rc::Rc};

pub const OFFSETS_TOPIC: &str = "__consumer_offsets";

impl Hosted for Groups {
    const TOPIC: &'static str = OFFSETS_TOPIC;
    const WORDS: Words = Words {
        coordinator: "group coordinator",
        commit: "group commit",
        served: "groups",
        not_loaded: "group coordinators are not loaded (their groups get \
            COORDINATOR_LOAD_IN_PROGRESS)",
        only_reads: "group coordinators only read",
    };

    fn settings(shard: &Shard, _partition: &Partition) -> GroupSettings {
        let config = &shard.config;
        let max_batch_bytes =
            topic_log_config(&shard.control.view(), OFFSETS_TOPIC).max_message_bytes;
        GroupSettings {
            min_session_timeout_ms: config.groups.min_session_timeout_ms,
            max_session_timeout_ms: config.groups.max_session_timeout_ms,
            initial_rebalance_delay_ms: config.groups.initial_rebalance_delay_ms.into(),
            group_max_size: config.groups.max_size,
            offset_metadata_max_size: config.offsets.metadata_max_bytes as usize,
            offsets_retention_ms: i64::from(config.offsets.retention_minutes) * 60_000,
            retention_check_interval_ms: config.offsets.retention_check_interval_ms,
            max_batch_bytes: max_batch_bytes as usize,
        }
    }

    fn encode(batch: &Batch<()>, now_ms: i64) -> Bytes {
        encode_records(batch, BatchBuilder::new(0), now_ms)
    }

    fn execute(_shard: &Shard, _host: &Rc<Host<Groups>>, effect: Infallible) {
        match effect {}
    }

    fn any(host: Rc<Host<Groups>>) -> AnyHost {
        AnyHost::Groups(host)
    }

    fn of(host: &AnyHost) -> Option<&Rc<Host<Groups>>> {
        match host {
            AnyHost::Groups(host) => Some(host),
            AnyHost::Transactions(_) => None,
        }
    }
}

/// The groups of this core, for the admin page.
pub async fn summaries(shard: &Shard, budget: &mut TurnBudget<'_>) -> Vec<GroupSnapshot> {
    let summary = |group: GroupSummary| GroupSnapshot {
        group: group.id,
        state: group.state,
        members: group.members as u64,
        offsets: group
            .offsets
            .into_iter()
            .map(|(topic, partition, committed_offset)| GroupOffsetSnapshot {
                topic,
                partition,
                committed_offset,
            })
            .collect(),
    };
    let hosts: Vec<Rc<Host<Groups>>> =
        shard.control.coordinators.borrow().all::<Groups>().cloned().collect();
    let mut summaries = Vec::new();
    for host in hosts {
        let of_host = host.machine(Groups::summaries);
        for group in of_host {
            summaries.push(summary(group));
            budget.item_done().await;
        }
        budget.step_done().await;
    }
    summaries
}
