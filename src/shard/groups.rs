//! Hosting the group coordinators: one for each partition of `__consumer_offsets` that this core leads.
//!
//! Owns: the coordinators of one core and the requests that wait in them. Lives on: every core. Never: decides anything
//! about a group; it carries out what `coord/` says (see `coord/runtime.rs` for the contract).
//!
//! While the log of such a partition takes nothing for now (a full disk), its coordinator is
//! *held*: it has the committed state, answers requests that only read, and refuses the rest with
//! COORDINATOR_NOT_AVAILABLE, which clients try again.
//!
//! A coordinator whose log is *damaged* answers nothing else until the broker is started again: what is left of the log may
//! name other offsets than were committed, and no group is served by halves.

mod load;

use super::{
    Shard,
    partition::Partition,
    produce::append_records,
    view::{topic_log_config, validation_rules},
};
use crate::{
    coord::{
        CoordinatorRecord,
        partition::coordinator_partition,
        runtime::{Actions, Coordinator, GroupSummary, Reply, ReplyToken, Request, Response},
    },
    limits,
    meta::Topic,
    pace::TurnBudget,
    stats::{GroupOffsetSnapshot, GroupSnapshot},
};
use bytes::BytesMut;
use load::{LoadError, load, pause_after};
use protocol::{
    ErrorCode, Uuid,
    records::{
        BatchBuilder,
        validate::{self, AppendOrigin},
    },
};
use ring::signal::{Giver, Signal, slot};
use rustc_hash::FxHashMap;
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::Arc,
    time::Duration,
};

pub const OFFSETS_TOPIC: &str = "__consumer_offsets";

/// How often a held coordinator looks whether its log takes records again.
const HELD_INTERVAL: Duration = Duration::from_millis(500);

/// How far a coordinator is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Loading,
    Held,
    Active,
    /// Until the next start.
    Damaged,
}

/// One coordinator with its partition.
pub struct GroupHost {
    partition: Rc<Partition>,
    coordinator: RefCell<Coordinator>,
    waiting: RefCell<FxHashMap<u64, Giver<Response>>>,
    next_token: Cell<u64>,
    /// Something happened that may have moved the next deadline, or ended the host.
    changed: Rc<Signal>,
    stage: Cell<Stage>,
    /// Topics that were deleted while it could not write so.
    deleted: RefCell<Vec<(String, Uuid)>>,
    /// How often it was given up since something of it was committed.
    failures: Cell<u32>,
    ended: Cell<bool>,
}

/// The partition of `__consumer_offsets` that a group's coordinator lives with, and the core that hosts it. `None` while
/// the topic does not exist.
pub fn locate(shard: &Shard, group_id: &str) -> Option<(usize, i32)> {
    let routes = shard.data.routes.borrow();
    let topic = routes.by_name(OFFSETS_TOPIC)?;
    let index = coordinator_partition(group_id, topic.partitions.len() as i32);
    Some((topic.partitions[index as usize].owner, index))
}

/// Asks the coordinator of partition `index` of this core.
pub async fn request(shard: &Shard, index: i32, request: Request) -> Response {
    let host = shard.control.groups.borrow().get(&index).cloned();
    let Some(host) = host else { return request.failed(ErrorCode::NotCoordinator) };
    let stage = host.stage.get();
    if stage == Stage::Damaged || (stage == Stage::Held && request.may_write()) {
        return request.failed(ErrorCode::CoordinatorNotAvailable);
    }
    let failed = request.failed(ErrorCode::NotCoordinator);
    let token = host.next_token.get();
    host.next_token.set(token + 1);
    let (giver, taker) = slot();
    host.waiting.borrow_mut().insert(token, giver);
    let actions = host.coordinator.borrow_mut().handle(ReplyToken(token), request, shard.ring.wall_clock_ms());
    carry_out(shard, &host, actions);
    taker.await.unwrap_or(failed)
}

/// All partitions of `__consumer_offsets` with the cores that host them.
pub fn all(shard: &Shard) -> Vec<(usize, i32)> {
    let routes = shard.data.routes.borrow();
    let Some(topic) = routes.by_name(OFFSETS_TOPIC) else { return Vec::new() };
    topic.partitions.iter().enumerate().map(|(index, route)| (route.owner, index as i32)).collect()
}

/// Starts and ends coordinators as the view says, and tells those that stay which topics are gone.
pub fn follow(shard: &Shard, deleted: &[Arc<Topic>]) {
    let mine: Vec<Rc<Partition>> = {
        let routes = shard.data.routes.borrow();
        let partitions = routes.by_name(OFFSETS_TOPIC).map_or(&[][..], |topic| &topic.partitions[..]);
        partitions.iter().filter_map(|route| route.local.clone()).collect()
    };
    for partition in &mine {
        if !shard.control.groups.borrow().contains_key(&partition.id.index) {
            start(shard, partition.clone(), Vec::new(), 0);
        }
    }
    let gone: Vec<i32> = {
        let groups = shard.control.groups.borrow();
        groups.keys().copied().filter(|index| !mine.iter().any(|partition| partition.id.index == *index)).collect()
    };
    for index in gone {
        end(shard, index);
    }
    tell_deleted_topics(shard, deleted);
}

fn tell_deleted_topics(shard: &Shard, deleted: &[Arc<Topic>]) {
    let hosts: Vec<Rc<GroupHost>> = shard.control.groups.borrow().values().cloned().collect();
    if hosts.is_empty() {
        return;
    }
    let now_ms = shard.ring.wall_clock_ms();
    for (name, id) in deleted.iter().map(|topic| (topic.name.to_string(), topic.id)) {
        for host in &hosts {
            if host.stage.get() == Stage::Active {
                let actions = host.coordinator.borrow_mut().topic_deleted(&name, id, now_ms);
                carry_out(shard, host, actions);
            }
            let may_become_active = !matches!(host.stage.get(), Stage::Active | Stage::Damaged);
            if may_become_active || host.ended.get() {
                host.deleted.borrow_mut().push((name.clone(), id));
            }
        }
    }
}

fn start(shard: &Shard, partition: Rc<Partition>, deleted: Vec<(String, Uuid)>, failures: u32) {
    let index = partition.id.index;
    let host = Rc::new(GroupHost {
        coordinator: RefCell::new(Coordinator::new(settings(shard))),
        partition,
        waiting: RefCell::default(),
        next_token: Cell::new(0),
        changed: Rc::default(),
        stage: Cell::new(Stage::Loading),
        deleted: RefCell::new(deleted),
        failures: Cell::new(failures),
        ended: Cell::new(false),
    });
    shard.control.groups.borrow_mut().insert(index, host.clone());
    shard.ring.spawn_named("group coordinator", run(shard.clone(), host));
}

fn end(shard: &Shard, index: i32) {
    let Some(host) = shard.control.groups.borrow_mut().remove(&index) else { return };
    host.ended.set(true);
    let replies = host.coordinator.borrow_mut().unload();
    send(&host, replies);
    host.changed.notify();
}

/// Gives the coordinator up after an error, and loads it anew from the log, as long as that is any use.
fn restart(shard: &Shard, host: &Rc<GroupHost>, why: &str) {
    let index = host.partition.id.index;
    if host.ended.get() {
        return;
    }
    end(shard, index);
    if host.partition.has_failed() {
        tracing::error!(
            partition = index,
            "the group coordinator stops: its log has failed ({why}); its groups are served again after a restart of the broker"
        );
        return;
    }
    // What passes needs no pause: the next one is held, and a line tells of all that are. One that was not active before, for
    // whatever reason, might not come further then.
    if host.stage.get() == Stage::Active && host.partition.log.refusal().is_some() {
        return start_again(shard, host, Duration::ZERO);
    }
    host.failures.set(host.failures.get().saturating_add(1));
    let pause = pause_after(host.failures.get());
    tracing::error!(partition = index, "the group coordinator stops, and is loaded again in {pause:?}: {why}");
    start_again(shard, host, pause);
}

/// Its log is not what was written: nothing of it is served until the next start.
fn give_up(host: &GroupHost, why: &str) {
    host.stage.set(Stage::Damaged);
    tracing::error!(partition = host.partition.id.index, "the group coordinator is not loaded: {why}");
    let replies = host.coordinator.borrow_mut().unload();
    send(host, replies);
}

/// Partitions of `__consumer_offsets` of this core that are damaged: their groups are not served.
pub fn damaged(shard: &Shard) -> u64 {
    let groups = shard.control.groups.borrow();
    groups.values().filter(|host| host.stage.get() == Stage::Damaged).count() as u64
}

fn start_again(shard: &Shard, host: &Rc<GroupHost>, pause: Duration) {
    let (shard, host) = (shard.clone(), host.clone());
    shard.ring.clone().spawn(async move {
        shard.ring.sleep(pause).await;
        let partition = &host.partition;
        let still_mine = shard.data.partition(partition.id).is_some_and(|current| Rc::ptr_eq(&current, partition));
        if still_mine && !shard.control.groups.borrow().contains_key(&partition.id.index) && !shard.is_stopping() {
            start(&shard, partition.clone(), host.deleted.take(), host.failures.get());
        }
    });
}

/// Loads the coordinator, then keeps its clock.
async fn run(shard: Shard, host: Rc<GroupHost>) {
    let stage = match load(&shard, &host).await {
        Ok(stage) => stage,
        Err(LoadError::Again(why)) => return restart(&shard, &host, &why),
        Err(LoadError::Damaged(why)) => return give_up(&host, &why),
    };
    if host.ended.get() || shard.is_stopping() {
        return;
    }
    host.stage.set(stage);
    let actions = host.coordinator.borrow_mut().loaded(shard.ring.wall_clock_ms());
    carry_out(&shard, &host, actions);
    if stage == Stage::Held {
        return hold(&shard, &host).await;
    }
    for (name, id) in host.deleted.take() {
        let actions = host.coordinator.borrow_mut().topic_deleted(&name, id, shard.ring.wall_clock_ms());
        carry_out(&shard, &host, actions);
    }
    while !host.ended.get() && !shard.is_stopping() {
        let changed = host.changed.clone().past(host.changed.generation());
        let deadline_ms = host.coordinator.borrow().next_deadline_ms();
        match deadline_ms {
            None => changed.await,
            Some(deadline_ms) => {
                let wait_ms = deadline_ms.saturating_sub(shard.ring.wall_clock_ms()).max(0) as u64;
                if wait_ms > 0 {
                    shard.ring.timeout(Duration::from_millis(wait_ms), changed).await;
                    continue;
                }
                let actions = host.coordinator.borrow_mut().tick(shard.ring.wall_clock_ms());
                carry_out(&shard, &host, actions);
                // One step at a time: other work of this core goes between.
                shard.ring.end_of_turn().await;
            }
        }
    }
}

/// Serves what only reads until the log takes records again; then the coordinator is loaded anew, with what was on its way.
async fn hold(shard: &Shard, host: &Rc<GroupHost>) {
    let log = &host.partition.log;
    let (why, todo) = ("the logs take no records".to_owned(), "the lines about their directory say what they lack");
    let want = shard.data.wants.begin_as(&log.dir(), "group coordinators only read", why, todo);
    while !host.ended.get() && !shard.is_stopping() {
        shard.ring.sleep(HELD_INTERVAL).await;
        if host.partition.has_failed() {
            return restart(shard, host, "it could not be written before");
        }
        if !host.ended.get() && log.refusal().is_none() && log.high_watermark() >= log.log_end_offset() {
            want.healed();
            end(shard, host.partition.id.index);
            return start_again(shard, host, Duration::ZERO);
        }
    }
}

/// Appends what an event wrote, sends what may be sent, and sends the rest when it is committed.
fn carry_out(shard: &Shard, host: &Rc<GroupHost>, actions: Actions) {
    send(host, actions.replies);
    host.changed.notify();
    let mut committed_at = None;
    for batch in actions.batches {
        match append(shard, &host.partition, &batch) {
            Ok((last_offset, safe_offset)) => {
                host.coordinator.borrow_mut().appended(last_offset);
                committed_at = Some(safe_offset);
            }
            Err(why) => return restart(shard, host, &why),
        }
    }
    let Some(safe_offset) = committed_at else { return };
    let (shard, host) = (shard.clone(), host.clone());
    shard.ring.clone().spawn_named("group commit", async move {
        if shard.wait_for_high_watermark(&host.partition, safe_offset).await.is_ok() {
            host.failures.set(0);
            let replies = host.coordinator.borrow_mut().committed(host.partition.log.high_watermark());
            send(&host, replies);
        } else {
            restart(&shard, &host, "what it wrote could not be committed");
        }
    });
}

/// Appends one atomic batch; returns the offset of its last record, and the high watermark at which it is committed.
fn append(shard: &Shard, partition: &Rc<Partition>, records: &[CoordinatorRecord]) -> Result<(i64, i64), String> {
    let now_ms = shard.ring.wall_clock_ms();
    let mut builder = BatchBuilder::new(0);
    for record in records {
        builder.append(now_ms, Some(&record.key), record.value.as_deref(), &[]);
    }
    let bytes = BytesMut::from(builder.build());
    let limit_bytes = limits::DECOMPRESSED_BATCH_MAX_BYTES;
    let rules = validation_rules(&partition.config.borrow(), limit_bytes, now_ms, AppendOrigin::Coordinator);
    let valid =
        validate::validate(&bytes, &rules, &mut shard.data.scratch.borrow_mut()).map_err(|refused| refused.message)?;
    let (result, safe_offset) = append_records(shard, partition, bytes, &valid, AppendOrigin::Coordinator)
        .map_err(|error| error.to_string())?;
    debug_assert_eq!(result.base_offset + records.len() as i64, safe_offset);
    Ok((safe_offset - 1, safe_offset))
}

fn send(host: &GroupHost, replies: Vec<Reply>) {
    for Reply { token, response } in replies {
        let giver = host.waiting.borrow_mut().remove(&token.0);
        giver.expect("each token is answered once").give(response);
    }
}

fn settings(shard: &Shard) -> crate::coord::GroupSettings {
    let config = &shard.config;
    let max_batch_bytes = topic_log_config(&shard.control.view(), OFFSETS_TOPIC).max_message_bytes;
    crate::coord::GroupSettings {
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

/// The groups of this core, for the admin page.
pub async fn summaries(shard: &Shard, budget: &mut TurnBudget<'_>) -> Vec<GroupSnapshot> {
    let summary = |group: GroupSummary| GroupSnapshot {
        group: group.id,
        state: group.state,
        members: group.members as u64,
        offsets: group
            .offsets
            .into_iter()
            .map(|(topic, partition, committed_offset)| GroupOffsetSnapshot { topic, partition, committed_offset })
            .collect(),
    };
    let hosts: Vec<Rc<GroupHost>> = shard.control.groups.borrow().values().cloned().collect();
    let mut summaries = Vec::new();
    for host in hosts {
        let of_host = host.coordinator.borrow().summaries();
        for group in of_host {
            summaries.push(summary(group));
            budget.item_done().await;
        }
        budget.step_done().await;
    }
    summaries
}
