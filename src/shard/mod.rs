//! What one core owns: its ring, its connections, the partitions it leads, and the loop that serves
//! them.
//!
//! Owns: everything a core has. Lives on: every core, one each; nothing here is shared but the
//! mailboxes, the published views and two counters. Never: blocks, takes a lock, or touches what
//! another core owns.

pub mod apis;
pub mod apply;
mod ask;
mod bad_input;
mod cleaner;
pub mod clients;
mod commit;
#[cfg(test)]
mod config_tests;
pub mod control;
mod coordinators;
pub mod counters;
pub mod data;
pub mod fetch;
mod flushes;
mod health;
mod heavy;
mod housekeeping;
pub mod jobs;
pub mod lead;
mod leaders;
pub mod mailbox;
mod owners;
pub mod partition;
pub mod produce;
pub mod quotas;
pub mod relief;
mod sessions;
mod snapshot;
pub mod transactions;
pub mod view;

pub use ask::Ask;

use crate::{
    config::BrokerConfig,
    descriptors::FileShares,
    limits,
    memory::{Plan, Use},
    meta::controller::Settings,
    request::{Client, CloseReason},
    storage::Storage,
};
use clients::Clients;
use control::Control;
use counters::Counters;
use data::Data;
use mailbox::{Mailbox, MeshEnd, Message};
use partition::{
    Partition, PartitionId,
    waiters::{Done, Until, Waiter},
};
use quotas::Quotas;
use ring::{
    Doorbell, Ring,
    sync::{Notify, oneshot},
};

use std::{
    cell::Cell,
    ops::Deref,
    rc::{Rc, Weak},
    sync::Arc,
    time::Duration,
};
use view::ClusterView;

/// The core that hosts the controller and leads start and stop.
pub const CONTROLLER_CORE: usize = 0;

/// How often a stopping core looks whether everything in flight has ended.
const DRAIN_INTERVAL: Duration = Duration::from_millis(2);

/// One core's broker. Clones are cheap and stay on their core.
#[derive(Clone)]
pub struct Shard(Rc<ShardInner>);

/// What callbacks keep that the shard itself keeps.
struct WeakShard(Weak<ShardInner>);

impl WeakShard {
    fn upgrade(&self) -> Option<Shard> {
        self.0.upgrade().map(Shard)
    }
}

impl Deref for Shard {
    type Target = ShardInner;
    fn deref(&self) -> &ShardInner {
        &self.0
    }
}

/// What one core owns, by what it is for.
pub struct ShardInner {
    pub ring: Ring,
    pub index: usize,
    /// How many cores the broker has.
    pub count: usize,
    /// The processor that this core runs on.
    pub cpu: usize,
    pub config: Arc<BrokerConfig>,
    pub mailbox: Mailbox,
    pub counters: Counters,
    /// Its share of descriptors.
    pub files: FileShares,
    pub data: Data,
    pub clients: Clients,
    pub control: Control,
    pub quotas: Quotas,
    stopping: Cell<bool>,
    ended: Cell<bool>,
    /// The broker began to stop, or this core may end.
    pub stop: Notify,
}

/// Opens the listeners of a core.
pub struct Accept;

impl Ask for Accept {
    type Answer = ();

    async fn execute(self, shard: &Shard, _from: usize) {
        shard.accept();
    }
}

/// What a core needs to become a shard.
pub struct ShardOptions {
    pub config: Arc<BrokerConfig>,
    pub controller_settings: Arc<Settings>,
    pub storage: Arc<Storage>,
    pub cpu: usize,
    /// Opens the listeners of this core, once clients are served.
    pub open_listeners: Box<dyn Fn(&Shard)>,
    pub files: FileShares,
    pub end: MeshEnd,
    /// `doorbells[i]` wakes core `i`.
    pub doorbells: Vec<Doorbell>,
    pub count: usize,
    pub view: ClusterView,
}

/// Dissolves the shard when it is dropped. The core's inbox has it, which the ring drops after all
/// tasks of the core, so that a core that was ended in the middle of its work (as the simulated
/// world does) leaves nothing in memory either.
struct DissolveAtEnd(Shard);

impl Drop for DissolveAtEnd {
    fn drop(&mut self) {
        self.0.dissolve();
    }
}

impl Shard {
    /// Becomes the shard of this core and serves its mailbox from now on.
    pub fn start(ring: Ring, options: ShardOptions) -> Shard {
        let session_slots = (options.config.network.max_incremental_fetch_session_cache_slots
            as usize)
            .div_ceil(options.count);
        let plan = Plan::of(options.config.memory_limit_bytes, options.count);
        let (index, count) = (options.end.index(), options.count);
        assert!(index < count, "core {index} of {count}");
        let shard = Shard(Rc::new(ShardInner {
            index,
            count,
            cpu: options.cpu,
            mailbox: Mailbox::new(options.end, options.doorbells),
            counters: Counters::default(),
            files: options.files,
            data: Data::new(&ring, &plan, options.storage),
            clients: Clients::new(&plan, session_slots, options.open_listeners),
            control: Control::new(options.view, options.controller_settings),
            quotas: Quotas::new(&options.config, options.count),
            config: options.config,
            stopping: Cell::new(false),
            ended: Cell::new(false),
            stop: Notify::default(),
            ring,
        }));
        let stall_line_ms = limits::STALL_LINE_INTERVAL_MS
            .max(limits::STALL_LINE_INTERVAL_OF_PROCESS_MS * shard.count as u64);
        shard.ring.say_stalls_every(Duration::from_millis(stall_line_ms));
        shard.ring.set_inbox(shard.clone().inbox());
        commit::start(&shard);
        shard.ring.spawn_named("produce timeouts", produce::end_waits(shard.clone()));
        shard.ring.spawn_named("heavy batches", heavy::run(shard.clone()));
        shard.ring.spawn_named("housekeeping", housekeeping::run(shard.clone()));
        shard.ring.spawn_named("cleaner", cleaner::run(shard.clone()));
        shard.ring.spawn_named("idle files", housekeeping::close_files(shard.clone()));
        shard.ring.spawn_named("memory relief", relief::run(shard.clone()));
        shard.ring.spawn_named("quotas", quotas::exchange(shard.clone()));
        shard.ring.spawn_named("idle connections", clients::end_idle_loop(shard.clone()));
        shard
    }

    fn receive(&self, from: usize, message: Message) {
        assert_ne!(from, self.index, "a core does not write to itself");
        match message {
            Message::Errand(errand) => errand.arrive(self, from),
            Message::Moved { watch } => self.clients.tell_moved(watch),
            Message::ShortOfMemory => relief::of_another_core(self),
            Message::JobDone(done) => {
                assert_eq!(from, self.count, "the control thread alone does jobs");
                self.mailbox.jobs.done(*done)
            }
            Message::Stop => {
                assert_eq!(self.index, CONTROLLER_CORE, "the core that leads the stop is told");
                self.begin_stop()
            }
            Message::End => {
                assert_eq!(from, CONTROLLER_CORE, "the core that leads the stop ends the others");
                self.end()
            }
            Message::Snapshot(reply) => {
                let shard = self.clone();
                self.ring.spawn_named("snapshot", async move {
                    let snapshot = snapshot::take(&shard).await;
                    // The control thread may have given up waiting; then the answer is not needed.
                    let _ = reply.send(snapshot);
                });
            }
            Message::Health(reply) => {
                let shard = self.clone();
                self.ring.spawn_named("health", async move {
                    let _ = reply.send(health::take(&shard).await);
                });
            }
        }
    }

    /// Takes what other cores have sent, on each turn of the executor.
    fn inbox(self) -> Box<dyn FnMut() -> bool> {
        let shard = DissolveAtEnd(self);
        let mut messages = Vec::new();
        Box::new(move || {
            let any = shard.0.mailbox.take(&mut messages, limits::MAILBOX_SLOTS);
            for (from, message) in messages.drain(..) {
                shard.0.receive(from, message);
            }
            any
        })
    }

    /// Lets go of everything that may hold the shard in its turn: requests that wait for another
    /// core or for a high watermark know the client to answer, the controller the shard to show an
    /// image to.
    fn dissolve(&self) {
        self.control.forget();
        self.data.forget();
        self.mailbox.forget();
    }

    fn downgrade(&self) -> WeakShard {
        WeakShard(Rc::downgrade(&self.0))
    }

    /// Opens the listeners of this core, and its commit streams: recovery is over.
    fn accept(&self) {
        commit::open_streams(self);
        self.clients.open_listeners(self);
    }

    /// The name of the listener that a client came in by.
    pub fn listener_name(&self, client: &Client) -> &str {
        &self.config.listeners[client.listener].name
    }

    /// Ends a connection for something that was found after its request was taken.
    pub fn close(&self, client: &Client, reason: &CloseReason) {
        self.say_closing(client, reason);
        client.end(&self.ring);
    }

    pub fn say_closing(&self, client: &Client, reason: &CloseReason) {
        self.clients
            .bad_input
            .say(self.ring.now(), || format!("closing {}: {reason}", client.peer_addr()));
    }

    pub fn is_stopping(&self) -> bool {
        self.stopping.get()
    }

    /// Whether this core may end: its logs are closed.
    pub fn is_ended(&self) -> bool {
        self.ended.get()
    }

    fn begin_stop(&self) {
        self.stopping.set(true);
        self.mailbox.jobs.stop();
        self.stop.notify();
    }

    fn end(&self) {
        assert!(self.is_stopping(), "core {} ends when it has stopped", self.index);
        self.ended.set(true);
        self.stop.notify();
    }

    /// Lets the other cores end; this one does when its caller returns.
    pub fn tell_all_to_end(&self) {
        (0..self.count)
            .filter(|core| *core != self.index)
            .for_each(|core| self.mailbox.send(core, Message::End));
    }

    /// Tells a fetch, here or on another core, that a partition it watches has moved.
    fn tell_moved(&self, core: usize, watch: u64) {
        assert!(core < self.count, "core {core} of {}", self.count);
        if core == self.index {
            self.clients.tell_moved(watch);
        } else {
            self.mailbox.send(core, Message::Moved { watch });
        }
    }

    /// Waits until everything below `offset` of this partition is committed.
    pub async fn wait_for_high_watermark(
        &self,
        partition: &Rc<Partition>,
        offset: i64,
    ) -> Result<(), protocol::error::ErrorCode> {
        self.wait_until(Until::Committed, partition, offset).await
    }

    /// Waits until everything below `offset` of this partition, which is committed, is on the disk,
    /// also where its topic asks for less.
    pub async fn wait_for_disk(
        &self,
        partition: &Rc<Partition>,
        offset: i64,
    ) -> Result<(), protocol::error::ErrorCode> {
        commit::want_flush(self, partition, offset);
        self.wait_until(Until::Durable, partition, offset).await
    }

    async fn wait_until(
        &self,
        until: Until,
        partition: &Rc<Partition>,
        offset: i64,
    ) -> Result<(), protocol::error::ErrorCode> {
        if partition.has_reached(until, offset) {
            return Ok(());
        }
        if partition.is_offline() {
            // Those that waited have been told, and a later one would wait for ever.
            return Err(protocol::error::ErrorCode::KafkaStorageError);
        }
        let (sender, receiver) = oneshot::channel();
        let waiter = Waiter { offset, deadline: None, done: Done::Task(sender) };
        produce::wait(self, partition, until, waiter);
        receiver.await.unwrap_or(Err(protocol::error::ErrorCode::NotLeaderOrFollower))
    }

    /// Why a partition that another core looks for here is not here: the broker closes its logs,
    /// its disk has failed, or its topic is just being made or deleted, which not every core has
    /// heard of. `by_id`: how the request names the topic.
    pub fn absence(&self, id: PartitionId, by_id: bool) -> protocol::ErrorCode {
        if self.is_stopping() {
            protocol::ErrorCode::NotLeaderOrFollower
        } else if self.data.offline(id).is_some() {
            protocol::ErrorCode::KafkaStorageError
        } else if by_id {
            protocol::ErrorCode::UnknownTopicId
        } else {
            protocol::ErrorCode::UnknownTopicOrPartition
        }
    }

    /// A partition of this core that this node leads, in the epoch that the client believes in (-1:
    /// any).
    pub fn leader_of(
        &self,
        id: PartitionId,
        client_epoch: i32,
    ) -> Result<Rc<Partition>, protocol::ErrorCode> {
        let found = self.data.partition(id).filter(|partition| !partition.is_gone());
        let partition = found.ok_or_else(|| self.absence(id, false))?;
        let leader_epoch = partition.check_leader(client_epoch)?;
        assert!(leader_epoch >= 0, "a leader has an epoch, and not {leader_epoch}");
        assert_eq!(partition.id, id, "a partition is kept under its own id");
        Ok(partition)
    }

    /// Takes no more requests, and waits a while for those in flight.
    async fn drain(&self) {
        self.begin_stop();
        self.clients.wake_all();
        let drained = async {
            let of_requests = [Use::Requests, Use::Decoded, Use::Replies];
            let in_flight =
                || of_requests.iter().map(|of| self.clients.memory.used(*of)).sum::<usize>();
            while in_flight() > 0
                || !self.data.commit.is_idle()
                || !self.control.auto_creation.is_idle()
            {
                self.ring.sleep(DRAIN_INTERVAL).await;
            }
        };
        self.ring.timeout(Duration::from_millis(limits::DRAIN_TIMEOUT_MS), drained).await;
        clients::end_all(self).await;
    }
}
