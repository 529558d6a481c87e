//! What one core has for its clients: the register of those that are connected, their memory, their
//! fetch sessions and long polls; and the end of those that are silent for too long.
//!
//! Owns: all of these. Lives on: every core. Never: accepts a connection or moves its bytes; `net`
//! does.

use super::{Shard, bad_input::BadInput, sessions::Sessions};
use crate::{
    limits,
    memory::{Memory, Plan},
    pace::TurnBudget,
    request::{Client, reply::ReplyBlocks},
};
use ring::{BufferPool, Instant, sync::Notify};
use rustc_hash::FxHashMap;
use std::{
    cell::{Cell, RefCell},
    rc::{Rc, Weak},
    time::Duration,
};

/// Between two looks at idle connections: half of what they may be idle, within these bounds.
const IDLE_CHECK_MIN: Duration = Duration::from_millis(100);
const IDLE_CHECK_MAX: Duration = Duration::from_secs(5);
/// Connections that have left and stay in the register at least, so that few of them cost no look
/// at all others.
const FORGOTTEN_AT_ONCE: usize = 64;

/// What one core has for its clients.
pub struct Clients {
    pub connected: Register,
    /// Opens the listeners of this core.
    open_listeners: Box<dyn Fn(&Shard)>,
    pub memory: Rc<Memory>,
    /// What busy connections receive into.
    pub receive_blocks: BufferPool,
    /// What small replies are written into.
    pub reply_blocks: ReplyBlocks,
    pub bad_input: BadInput,
    pub(super) sessions: RefCell<Sessions>,
    /// Long polls of this core's connections.
    watches: RefCell<FxHashMap<u64, Rc<Notify>>>,
}

impl Clients {
    pub fn new(plan: &Plan, session_slots: usize, open_listeners: Box<dyn Fn(&Shard)>) -> Clients {
        let memory = Memory::new(plan.clone());
        Clients {
            connected: Register::default(),
            open_listeners,
            receive_blocks: BufferPool::new(limits::RECEIVE_BLOCK_BYTES, plan.blocks_max),
            reply_blocks: ReplyBlocks::default(),
            bad_input: BadInput::default(),
            sessions: RefCell::new(Sessions::new(session_slots, memory.clone())),
            watches: RefCell::default(),
            memory,
        }
    }

    /// Lets clients come from now on.
    pub fn open_listeners(&self, shard: &Shard) {
        (self.open_listeners)(shard);
    }

    /// From now on `moved` hears when a partition that this watch was left with has moved.
    pub(super) fn watch(&self, watch: u64, moved: &Rc<Notify>) {
        let before = self.watches.borrow_mut().insert(watch, moved.clone());
        assert!(before.is_none(), "connection {watch} has one fetch that waits");
    }

    pub(super) fn unwatch(&self, watch: u64) {
        self.watches.borrow_mut().remove(&watch);
    }

    /// A partition that this watch was left with has moved; the fetch may be over by now.
    pub(super) fn tell_moved(&self, watch: u64) {
        if let Some(signal) = self.watches.borrow().get(&watch) {
            signal.notify();
        }
    }

    /// Has all fetches that wait look again.
    pub(super) fn wake_all(&self) {
        let signals: Vec<_> = self.watches.borrow().values().cloned().collect();
        signals.iter().for_each(|signal| signal.notify());
    }

    /// Lets go of idle memory, in steps.
    pub fn release_idle(&self) {
        self.receive_blocks.release_idle();
        self.reply_blocks.release_idle();
        self.memory.sweep();
    }
}

/// The register of the clients that are connected to one core.
#[derive(Default)]
pub struct Register {
    all: RefCell<Vec<Weak<Client>>>,
    open: Cell<usize>,
    accepted: Cell<u64>,
    refused: Cell<u64>,
    /// Those that found no descriptor, and were not told of yet.
    without_file: Cell<u64>,
    without_file_next_line: Cell<Instant>,
}

impl Register {
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
        let accepted = self.accepted.get();
        assert_eq!(client.number, accepted, "connections are numbered as they come");
        client.count();
        let mut all = self.all.borrow_mut();
        // Those that have left go when there are as many of them as of the others.
        if all.len() >= 2 * self.open.get() + FORGOTTEN_AT_ONCE {
            all.retain(|weak| weak.strong_count() > 0);
        }
        all.push(Rc::downgrade(client));
        drop(all);
        self.open.set(self.open.get() + 1);
        self.accepted.set(accepted + 1);
        let (open, max) = (self.open.get(), limits::SHARD_CONNECTIONS_MAX);
        assert!(open <= max, "{open} connections are open, at most {max} may be");
    }

    /// One that had entered is not served any more.
    pub fn leave(&self, client: &Client) {
        client.uncount();
        let (open, accepted) = (self.open.get(), self.accepted.get());
        assert!(open > 0, "connection {} leaves, and {open} are open", client.number);
        assert!(open as u64 <= accepted, "{open} connections are open, {accepted} have come");
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
        self.without_file_next_line
            .set(now + Duration::from_millis(limits::FILES_LINES_INTERVAL_MS));
        tracing::warn!(
            connections = count,
            "{}: raise the limit of open files (LimitNOFILE= of the service, ulimit -n)",
            why()
        );
    }

    /// All that are open.
    pub fn all(&self) -> Vec<Weak<Client>> {
        let mut all = self.all.borrow_mut();
        all.retain(|weak| weak.strong_count() > 0);
        let (known, open) = (all.len(), self.open.get());
        assert!(open <= known, "{open} connections are open, and {known} are in the register");
        all.clone()
    }
}

/// Ends connections that were silent for `connections.max.idle.ms` and wait for nothing of ours: a
/// client that takes none of its replies is silent, one that takes them slowly is not. A task of
/// its own: it must not wait for a disk, as the rest of the background work may.
pub async fn end_idle_loop(shard: Shard) {
    let Ok(max_idle_ms) = u64::try_from(shard.config.network.connections_max_idle_ms) else {
        return;
    };
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
    let taken = has_unsent.then(|| client.taken_by_peer(&shard.ring));
    progress.idle_for(taken, shard.ring.now()) > max_idle && !waits_for_us
}

async fn end_idle(shard: &Shard, max_idle: Duration) {
    let mut budget = TurnBudget::new(&shard.ring);
    for client in shard.clients.connected.all() {
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
    for client in shard.clients.connected.all() {
        if let Some(client) = client.upgrade() {
            client.end(&shard.ring);
        }
        budget.step_done().await;
    }
}
