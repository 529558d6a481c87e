//! What one core does while connections wait for its memory: the tail gives some up, and what holds
//! some without getting on is ended, here and on the other cores.
//!
//! Owns: nothing. Lives on: every core, asleep while no connection waits. Never: ends a connection
//! that takes its replies or sends its frame.

use super::{Shard, mailbox::Message};
use crate::{limits, memory::Use, pace::TurnBudget, request::Client};
use std::{rc::Rc, time::Duration};

pub async fn run(shard: Shard) {
    let memory = shard.clients.memory.clone();
    let mut looks = 0u64;
    loop {
        memory.wanted.wait_until(|| memory.waiting() > 0).await;
        memory.sweep();
        // Blocks that the tail has may be this core's, or another one's: a block at a time goes
        // here.
        if memory.waiting_for_large() > 0 || !shard.clients.receive_blocks.has_free() {
            shard.data.tail.give_up(memory.waiting() * limits::RECEIVE_BLOCK_BYTES);
            if looks.is_multiple_of(limits::MEMORY_RELIEF_LOOKS) {
                end_stalled(&shard, memory.waiting()).await;
                for core in (0..shard.count).filter(|core| *core != shard.index) {
                    shard.mailbox.send(core, Message::ShortOfMemory);
                }
            }
            looks += 1;
        }
        memory.freed.notify();
        shard.ring.sleep(Duration::from_millis(limits::MEMORY_RELIEF_MS)).await;
    }
}

/// Another core is short of memory. It asks again as long as it is.
pub fn of_another_core(shard: &Shard) {
    let all = limits::MEMORY_RELIEF_LOOKS as usize * limits::RECEIVE_BLOCK_BYTES;
    shard.data.tail.give_up(all);
    if shard.clients.memory.begin_look() {
        let shard = shard.clone();
        drop(shard.ring.clone().spawn_named("memory relief", async move {
            end_stalled(&shard, 1).await;
            shard.clients.memory.end_look();
        }));
    }
}

/// Why a connection is ended.
struct Stalled {
    client: Rc<Client>,
    stalled_for: Duration,
    held_bytes: usize,
    what: &'static str,
}

/// Ends those connections that have held memory longest without getting on, as many as others wait
/// for.
async fn end_stalled(shard: &Shard, waiting: usize) {
    let mut stalled = Vec::new();
    let mut budget = TurnBudget::new(&shard.ring);
    for client in shard.clients.connected.all() {
        if let Some(client) = client.upgrade() {
            stalled.extend(look(shard, &client));
        }
        budget.item_done().await;
    }
    stalled.sort_by_key(|one| std::cmp::Reverse(one.stalled_for));
    for Stalled { client, stalled_for, held_bytes, what } in
        stalled.into_iter().take(waiting.min(limits::MEMORY_ENDED_AT_ONCE))
    {
        shard.clients.bad_input.say(shard.ring.now(), || {
            format!(
                "closing {}: {what} for {:.1} s, while it holds {held_bytes} bytes and others \
                 wait for memory \
                 (memory.limit.bytes)",
                client.peer_addr(),
                stalled_for.as_secs_f64()
            )
        });
        shard.clients.memory.count_ended();
        client.end(&shard.ring);
    }
}

fn look(shard: &Shard, client: &Rc<Client>) -> Option<Stalled> {
    let (replies, now) = (&client.replies, shard.ring.now());
    if replies.is_closed() {
        return None;
    }
    let of_frame = client
        .progress
        .frame_stalled_for(now)
        .map(|(since, held)| (since, held, "its request does not come on"));
    let of_replies = (replies.has_unsent() && replies.reply_bytes() >= limits::REPLY_PINNED_BYTES)
        .then(|| {
            let taken = client.taken_by_peer(&shard.ring);
            let stalled_for = client.progress.reader_stalled_for(taken, now);
            (stalled_for, replies.reply_bytes(), "it does not take its replies")
        });
    let (stalled_for, held_bytes, what) =
        of_frame.into_iter().chain(of_replies).max_by_key(|(since, ..)| *since)?;
    let is_stalled = stalled_for >= Duration::from_millis(limits::MEMORY_STALL_MS);
    is_stalled.then(|| Stalled { client: client.clone(), stalled_for, held_bytes, what })
}

/// What the core holds for each use, in bytes, and what there is for it.
pub fn accounts(shard: &Shard) -> Vec<(&'static str, usize, usize)> {
    let (memory, plan) = (&shard.clients.memory, shard.clients.memory.plan());
    let of_use = |of: &Use| {
        let (used, limit) = memory.account(*of);
        (of.name(), used, limit)
    };
    let mut accounts: Vec<_> = Use::ALL.iter().map(of_use).collect();
    accounts.push((
        "receive_blocks",
        shard.clients.receive_blocks.size_bytes(),
        plan.blocks_max * limits::RECEIVE_BLOCK_BYTES,
    ));
    accounts.push(("tail", shard.data.tail.used_bytes(), plan.tail));
    let (heavy_bytes, heavy_max) = shard.data.heavy.account();
    accounts.push(("heavy_batches", heavy_bytes, heavy_max));
    accounts.push(("cleaner", shard.data.cleaner.memory_bytes.get(), plan.cleaner));
    accounts
}
