//! The clients that are connected to this core: the register of them, and the end of those that are silent for too long.
//!
//! Owns: the register. Lives on: every core. Never: accepts a connection or moves its bytes; `net` does.

use super::Shard;
use crate::{limits, pace::TurnBudget, request::Client};
use ring::Instant;
use std::{
    cell::{Cell, RefCell},
    rc::{Rc, Weak},
    time::Duration,
};

/// Between two looks at idle connections: half of what they may be idle, within these bounds.
const IDLE_CHECK_MIN: Duration = Duration::from_millis(100);
const IDLE_CHECK_MAX: Duration = Duration::from_secs(5);

/// The clients that are connected to one core.
#[derive(Default)]
pub struct Clients {
    all: RefCell<Vec<Weak<Client>>>,
    open: Cell<usize>,
    accepted: Cell<u64>,
    refused: Cell<u64>,
    /// Those that found no descriptor, and were not told of yet.
    without_file: Cell<u64>,
    without_file_next_line: Cell<Instant>,
}

impl Clients {
    pub fn open(&self) -> usize {
        self.open.get()
    }

    pub fn accepted(&self) -> u64 {
        self.accepted.get()
    }

    /// Connections turned away because there were as many as may be.
    pub fn refused(&self) -> u64 {
        self.refused.get()
    }

    /// One that is served from now on.
    pub fn enter(&self, client: &Rc<Client>) {
        self.all.borrow_mut().push(Rc::downgrade(client));
        self.open.set(self.open.get() + 1);
        self.accepted.set(self.accepted.get() + 1);
    }

    /// One that had entered is not served any more.
    pub fn leave(&self) {
        self.open.set(self.open.get() - 1);
    }

    /// One was turned away.
    pub fn refuse(&self) {
        self.refused.set(self.refused.get() + 1);
    }

    /// A connection found no descriptor: one line says so for all that come within a while.
    pub fn say_out_of_files(&self, now: Instant, why: impl FnOnce() -> String) {
        let count = self.without_file.get() + 1;
        if now < self.without_file_next_line.get() {
            return self.without_file.set(count);
        }
        self.without_file.set(0);
        self.without_file_next_line.set(now + Duration::from_millis(limits::FILES_LINES_INTERVAL_MS));
        tracing::warn!(
            connections = count,
            "{}: raise the limit of open files (LimitNOFILE= of the service, ulimit -n)",
            why()
        );
    }

    /// All that are open.
    pub fn all(&self) -> Vec<Weak<Client>> {
        self.all.borrow_mut().retain(|weak| weak.strong_count() > 0);
        self.all.borrow().clone()
    }
}

/// Ends connections that were silent for `connections.max.idle.ms` and wait for nothing of ours: a client that takes none of
/// its replies is silent, one that takes them slowly is not. A task of its own: it must not wait for a disk, as the rest of
/// the background work may.
pub async fn end_idle_loop(shard: Shard) {
    let Ok(max_idle_ms) = u64::try_from(shard.config.network.connections_max_idle_ms) else { return };
    let max_idle = Duration::from_millis(max_idle_ms);
    let interval = (max_idle / 2).clamp(IDLE_CHECK_MIN, IDLE_CHECK_MAX);
    while !shard.is_stopping() {
        shard.ring.sleep(interval).await;
        end_idle(&shard, max_idle).await;
    }
}

fn is_idle(shard: &Shard, client: &Client, max_idle: Duration) -> bool {
    let (replies, progress) = (&client.replies, &client.progress);
    let has_unsent = replies.has_unsent();
    let waits_for_us = !has_unsent && !replies.is_empty() || progress.waits_for_memory();
    let taken = has_unsent.then(|| shard.ring.taken_by_peer(&client.stream));
    progress.idle_for(taken, shard.ring.now()) > max_idle && !waits_for_us
}

async fn end_idle(shard: &Shard, max_idle: Duration) {
    let mut budget = TurnBudget::new(&shard.ring);
    for client in shard.clients.all() {
        if let Some(client) = client.upgrade()
            && is_idle(shard, &client, max_idle)
        {
            client.end(&shard.ring);
            budget.step_done().await;
        } else {
            budget.item_done().await;
        }
    }
}

/// Ends all connections of this core.
pub async fn end_all(shard: &Shard) {
    let mut budget = TurnBudget::new(&shard.ring);
    for client in shard.clients.all() {
        if let Some(client) = client.upgrade() {
            client.end(&shard.ring);
        }
        budget.step_done().await;
    }
}
