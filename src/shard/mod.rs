//! What one core owns: its ring, its connections, the partitions it leads, and the loop that serves them.
//!
//! Owns: everything a core has. Lives on: every core, one each; nothing here is shared but the mailboxes, the published
//! views and two counters. Never: blocks, takes a lock, or touches what another core owns.

pub mod apis;
mod bad_input;
mod call;
mod calls;
mod commit;
pub mod counters;
pub mod fetch;
mod follow;
mod groups;
mod housekeeping;
pub mod mailbox;
pub mod partition;
pub mod produce;
mod sessions;
mod snapshot;
pub mod view;

pub use call::{Answer, Call};

use crate::{
    config::BrokerConfig,
    log::TailCache,
    meta::node::MetaNode,
    net::listener::{self, Connections},
};
use bad_input::BadInput;
use commit::Commit;
use counters::Counters;
use groups::GroupHost;
use mailbox::{Mailbox, MeshEnd, Message};
use partition::{Partition, PartitionId};
use ring::{
    Doorbell, Listener, Ring,
    signal::{Signal, slot},
};
use rustc_hash::FxHashMap;
use sessions::Sessions;

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    future::Future,
    ops::Deref,
    rc::Rc,
    sync::{Arc, atomic::AtomicUsize},
    time::Duration,
};
use view::{ClusterView, Routes};

/// One core's broker. Clones are cheap and stay on their core.
#[derive(Clone)]
pub struct Shard(Rc<ShardInner>);

impl Deref for Shard {
    type Target = ShardInner;
    fn deref(&self) -> &ShardInner {
        &self.0
    }
}

pub struct ShardInner {
    pub ring: Ring,
    pub index: usize,
    /// How many cores the broker has.
    pub count: usize,
    pub config: Arc<BrokerConfig>,
    pub storage: Arc<crate::boot::Storage>,
    pub mailbox: Mailbox,
    pub commit: Commit,
    pub connections: Connections,
    /// Connections of all cores, for `max.connections`.
    pub open_connections: Arc<AtomicUsize>,
    pub partitions: RefCell<FxHashMap<PartitionId, Rc<Partition>>>,
    pub view: RefCell<ClusterView>,
    pub routes: RefCell<Routes>,
    pub tail: Rc<TailCache>,
    sessions: RefCell<Sessions>,
    /// Bytes of requests unanswered and replies unsent, over all connections of this core.
    pub bytes_in_flight: Rc<Cell<usize>>,
    pub bad_input: BadInput,
    pub counters: Counters,
    /// The controller, on core 0.
    pub controller: RefCell<Option<Rc<MetaNode>>>,
    groups: RefCell<FxHashMap<i32, Rc<GroupHost>>>,
    pub producer_ids: RefCell<crate::coord::producer_ids::ProducerIds>,
    /// Long polls of this core's connections.
    watches: RefCell<FxHashMap<u64, Rc<Signal>>>,
    inbox: RefCell<VecDeque<(usize, Message)>>,
    stopping: Cell<bool>,
    pub stop: Signal,
}

/// What a core needs to become a shard.
pub struct ShardOptions {
    pub config: Arc<BrokerConfig>,
    pub storage: Arc<crate::boot::Storage>,
    pub open_connections: Arc<AtomicUsize>,
    pub end: MeshEnd,
    /// `doorbells[i]` wakes core `i`.
    pub doorbells: Vec<Doorbell>,
    pub count: usize,
    pub view: ClusterView,
}

impl Shard {
    /// Becomes the shard of this core and serves its mailbox from now on.
    pub fn start(ring: Ring, options: ShardOptions) -> Shard {
        let cache_slots = options.config.fetch_session_cache_slots.div_ceil(options.count);
        let shard = Shard(Rc::new(ShardInner {
            index: options.end.index(),
            count: options.count,
            mailbox: Mailbox::new(options.end, options.doorbells),
            commit: Commit::default(),
            connections: Connections::default(),
            open_connections: options.open_connections,
            partitions: RefCell::default(),
            view: RefCell::new(options.view),
            routes: RefCell::default(),
            tail: Rc::new(TailCache::new(crate::limits::TAIL_CACHE_BYTES)),
            sessions: RefCell::new(Sessions::new(cache_slots)),
            bytes_in_flight: Rc::default(),
            bad_input: BadInput::default(),
            counters: Counters::default(),
            controller: RefCell::default(),
            groups: RefCell::default(),
            producer_ids: RefCell::default(),
            watches: RefCell::default(),
            inbox: RefCell::default(),
            stopping: Cell::new(false),
            stop: Signal::default(),
            config: options.config,
            storage: options.storage,
            ring,
        }));
        shard.ring.set_inbox(shard.clone().inbox());
        shard.ring.spawn(commit::write_loop(shard.clone()));
        shard.ring.spawn(commit::flush_loop(shard.clone()));
        shard.ring.spawn(housekeeping::run(shard.clone()));
        shard
    }

    /// Takes what other cores have sent, on each turn of the executor.
    fn inbox(self) -> Box<dyn FnMut() -> bool> {
        let mut messages = Vec::new();
        Box::new(move || {
            let any = self.mailbox.take(&mut messages, crate::limits::MAILBOX_SLOTS);
            for (from, message) in messages.drain(..) {
                calls::receive(&self, from, message);
            }
            any
        })
    }

    pub fn serve(&self, listener: Listener, listener_index: usize) {
        self.ring.spawn(listener::accept_loop(self.clone(), listener, listener_index));
    }

    pub fn is_stopping(&self) -> bool {
        self.stopping.get()
    }

    /// Carries out a call here or on the core that it is for. `None` when the broker stops before the answer comes.
    pub async fn call(&self, core: usize, call: Call) -> Option<Answer> {
        if core == self.index {
            Some(calls::carry_out(self, core, call).await)
        } else {
            self.mailbox.call(core, call).await
        }
    }

    /// The same call on every core at once; the answers come in the order of the cores.
    pub async fn call_all(&self, make: impl Fn() -> Call) -> Vec<Answer> {
        let others = (0..self.count).filter(|core| *core != self.index);
        let calls: Vec<_> = others.map(|core| (core, self.mailbox.call(core, make()))).collect();
        let mut answers = vec![(self.index, calls::carry_out(self, self.index, make()).await)];
        for (core, call) in calls {
            answers.extend(call.await.map(|answer| (core, answer)));
        }
        answers.sort_by_key(|(core, _)| *core);
        answers.into_iter().map(|(_, answer)| answer).collect()
    }

    pub(crate) fn answer(&self, core: usize, number: u64, answer: Answer) {
        self.mailbox.send(core, Message::Answer { number, answer: Box::new(answer) });
    }

    /// Resolves when a partition that this watch was left with has moved since this call.
    fn watched(&self, watch: u64) -> impl Future<Output = ()> + use<> {
        let signal = self.watches.borrow_mut().entry(watch).or_default().clone();
        let generation = signal.generation();
        signal.past(generation)
    }

    fn unwatch(&self, watch: u64) {
        self.watches.borrow_mut().remove(&watch);
    }

    /// Tells a fetch, here or on another core, that a partition it watches has moved.
    fn tell_moved(&self, core: usize, watch: u64) {
        if core != self.index {
            self.mailbox.send(core, Message::Moved { watch });
        } else if let Some(signal) = self.watches.borrow().get(&watch) {
            signal.notify();
        }
    }

    /// Waits until everything below `offset` of this partition is safe.
    pub async fn wait_for_high_watermark(
        &self,
        partition: &Rc<Partition>,
        offset: i64,
    ) -> Result<(), protocol::error::ErrorCode> {
        if partition.log.high_watermark() >= offset {
            return Ok(());
        }
        let (giver, taker) = slot();
        produce::wait(partition, commit::Waiter { offset, done: commit::Done::Task(giver) });
        taker.await.unwrap_or(Err(protocol::error::ErrorCode::NotLeaderOrFollower))
    }

    pub fn partition(&self, id: PartitionId) -> Option<Rc<Partition>> {
        self.partitions.borrow().get(&id).cloned()
    }

    /// Stops taking requests, lets those in flight end, and closes every log cleanly.
    pub async fn shut_down(&self) {
        self.stopping.set(true);
        let signals: Vec<_> = self.watches.borrow().values().cloned().collect();
        signals.iter().for_each(|signal| signal.notify());
        let drained = async {
            while self.bytes_in_flight.get() > 0 || !self.commit.is_idle() {
                self.ring.sleep(Duration::from_millis(5)).await;
            }
        };
        self.ring.timeout(Duration::from_millis(crate::limits::DRAIN_TIMEOUT_MS), drained).await;
        listener::end_all(self);
        let partitions: Vec<_> = self.partitions.borrow_mut().drain().map(|(_, partition)| partition).collect();
        for partition in partitions {
            if let Err(error) = partition.log.close().await {
                tracing::error!(topic = %partition.topic, partition = partition.id.index, %error, "cannot close cleanly");
            }
        }
    }
}
