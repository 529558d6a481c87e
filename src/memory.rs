//! The memory of one core: what it may hold, what it holds and for what, and which connections wait
//! for some.
//!
//! Owns: the plan (how much for what), the account of each use, the room for large frames. Lives
//! on: every core, one each. Never: allocates for others, waits, or ends a connection;
//! `net/conn.rs` waits, `shard/relief.rs` ends.
//!
//! Frames from 16 KiB on lie in blocks of a pool, or, where a frame is larger than a block, in
//! memory that a [`Charge`] stands for. Both count until the last slice of them is let go, wherever
//! it is held: by a request, the tail or a reply, here or on another core. So a slice of 100 bytes
//! counts for all that it keeps in memory. The other uses count the bytes referenced.

use crate::limits;
use bytes::BytesMut;
use protocol::FRAME_LENGTH_BYTES;
use ring::sync::Notify;
use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
};

/// What memory is held for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Requests without an answer, and those that ask for none until their records are safe.
    Requests,
    /// Of these, the ones that are decoded and not light.
    Decoded,
    /// Replies in memory that are not sent. Ranges of files do not count.
    Replies,
    /// Frames larger than a block, until no slice of their bytes is left.
    LargeFrames,
    /// Open connections: a fixed sum each.
    Connections,
    /// Partitions of fetch sessions.
    FetchSessions,
    /// Transactional ids and their transactions, in coordinators.
    Transactions,
}

impl Use {
    pub const ALL: [Use; 7] = [
        Use::Requests,
        Use::Decoded,
        Use::Replies,
        Use::LargeFrames,
        Use::Connections,
        Use::FetchSessions,
        Use::Transactions,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Use::Requests => "requests",
            Use::Decoded => "decoded_requests",
            Use::Replies => "replies",
            Use::LargeFrames => "large_frames",
            Use::Connections => "connections",
            Use::FetchSessions => "fetch_sessions",
            Use::Transactions => "transactions",
        }
    }
}

/// How much one core may hold for what, in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Blocks that connections receive into.
    pub blocks_max: usize,
    pub large_frames: usize,
    pub tail: usize,
    pub requests: usize,
    pub decoded: usize,
    pub replies: usize,
    /// The same for one connection: its requests and replies together.
    pub connection: usize,
    pub connections: usize,
    pub fetch_sessions: usize,
    pub transactions: usize,
    /// What the work on heavy batches may take.
    pub heavy: usize,
    /// The key map of the cleaner.
    pub cleaner: usize,
}

impl Default for Plan {
    /// As on a machine that has enough.
    fn default() -> Plan {
        Plan::of(None, 1)
    }
}

impl Plan {
    /// Of `memory.limit.bytes`, or without a limit, for one of `cores`.
    pub fn of(limit_bytes: Option<u64>, cores: usize) -> Plan {
        let per_core = limit_bytes.map_or(usize::MAX, |limit| (limit / cores as u64) as usize);
        let connections = (per_core / limits::MEMORY_CONNECTIONS_PART)
            .min(limits::SHARD_CONNECTIONS_MAX * limits::CONNECTION_BYTES);
        let transactions = per_core / limits::MEMORY_TRANSACTIONS_PART;
        let buffers = (per_core - per_core / limits::MEMORY_CONNECTIONS_PART - transactions)
            .min(limits::SHARD_BUFFER_BYTES_MAX);
        let part = |of_64: usize| buffers / 64 * of_64;
        Plan {
            blocks_max: (part(limits::MEMORY_BLOCKS_64THS) / limits::RECEIVE_BLOCK_BYTES)
                .max(limits::RECEIVE_BLOCKS_MIN),
            large_frames: part(limits::MEMORY_LARGE_FRAMES_64THS),
            tail: part(limits::MEMORY_TAIL_64THS),
            requests: part(limits::MEMORY_REQUESTS_64THS),
            decoded: part(limits::MEMORY_DECODED_64THS),
            replies: part(limits::MEMORY_REPLIES_64THS),
            connection: part(limits::MEMORY_REQUESTS_64THS) / 2,
            connections,
            fetch_sessions: part(limits::MEMORY_SESSIONS_64THS),
            transactions: transactions.min(limits::SHARD_TRANSACTIONS_BYTES_MAX),
            heavy: part(limits::MEMORY_HEAVY_64THS),
            cleaner: part(limits::MEMORY_CLEANER_64THS),
        }
    }

    fn of_use(&self, of: Use) -> usize {
        match of {
            Use::Requests => self.requests,
            Use::Decoded => self.decoded,
            Use::Replies => self.replies,
            Use::LargeFrames => self.large_frames,
            Use::Connections => self.connections,
            Use::FetchSessions => self.fetch_sessions,
            Use::Transactions => self.transactions,
        }
    }

    /// The largest frame that there can be room for, with its length before it.
    pub fn frame_max(&self) -> usize {
        limits::RECEIVE_BLOCK_BYTES.max(self.large_frames / 5 * 4) - FRAME_LENGTH_BYTES
    }
}

/// What a frame of so many bytes takes while it is received: its own room and, when that has grown
/// for the last time, the quarter that it was in before.
fn receiving_bytes(frame_bytes: usize) -> usize {
    frame_bytes + frame_bytes / 4
}

/// The account of one core.
#[derive(Default)]
pub struct Memory {
    plan: Plan,
    used: [Cell<usize>; Use::ALL.len()],
    /// Frames larger than a block that were received whole: empty views of them, by which it is
    /// seen that they are free, and what they count for.
    large_frames: RefCell<Vec<(BytesMut, usize)>>,
    /// Who waits to receive a large frame, first come, first served.
    large_queue: RefCell<VecDeque<u64>>,
    next_place: Cell<u64>,
    /// Connections that wait for a block.
    waiting_for_blocks: Cell<usize>,
    /// Connections that have a block and have not begun a frame in it.
    idle_blocks: Cell<usize>,
    /// Connections that were ended because others waited for what they held.
    ended: Cell<u64>,
    /// Connections that wait until there is room for their next request.
    waiting_for_requests: Cell<usize>,
    /// A request that counted counts no more, while some wait for that.
    answered: Notify,
    /// Stalled connections are being looked for, for another core.
    is_looking: Cell<bool>,
    /// A connection began to wait.
    pub wanted: Notify,
    /// There may be room for connections that wait.
    pub freed: Notify,
}

/// At the end of the core everything was given back.
impl Drop for Memory {
    fn drop(&mut self) {
        for (_, bytes) in self.large_frames.take() {
            self.remove(Use::LargeFrames, bytes);
        }
        let used = Use::ALL.map(|of| self.used(of));
        assert_eq!(used, [0; Use::ALL.len()], "what was taken was given back");
    }
}

/// Memory that is accounted for, until it is dropped.
pub struct Charge {
    memory: Rc<Memory>,
    of: Use,
    bytes: usize,
}

impl Charge {
    pub fn resize(&mut self, bytes: usize) {
        self.memory.add(self.of, bytes);
        self.memory.remove(self.of, std::mem::replace(&mut self.bytes, bytes));
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.memory.remove(self.of, self.bytes);
    }
}

impl Memory {
    pub fn new(plan: Plan) -> Rc<Memory> {
        let mut memory = Memory::default();
        memory.plan = plan;
        Rc::new(memory)
    }

    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    pub fn used(&self, of: Use) -> usize {
        self.used[of as usize].get()
    }

    /// The bytes used, and those there are for it.
    pub fn account(&self, of: Use) -> (usize, usize) {
        (self.used(of), self.plan.of_use(of))
    }

    pub fn add(&self, of: Use, bytes: usize) {
        let used = &self.used[of as usize];
        used.set(used.get() + bytes);
    }

    pub fn remove(&self, of: Use, bytes: usize) {
        let used = &self.used[of as usize];
        used.set(used.get().checked_sub(bytes).expect("no more is given back than was taken"));
        if self.waiting_for_requests.get() > 0 && matches!(of, Use::Requests | Use::Decoded) {
            self.answered.notify();
        }
    }

    /// Waits until `may_begin`, looking again whenever requests of this core have been answered.
    pub async fn wait_for_requests(&self, may_begin: impl Fn() -> bool) {
        if may_begin() {
            return;
        }
        let _waiting = Counted::new(&self.waiting_for_requests);
        self.answered.wait_until(may_begin).await;
    }

    pub fn has_room(&self, of: Use, bytes: usize) -> bool {
        self.used(of) + bytes <= self.plan.of_use(of)
    }

    pub fn room(&self, of: Use) -> usize {
        self.plan.of_use(of).saturating_sub(self.used(of))
    }

    pub fn charge(self: &Rc<Self>, of: Use, bytes: usize) -> Charge {
        self.add(of, bytes);
        Charge { memory: self.clone(), of, bytes }
    }

    /// A place in the queue for large frames; dropping it leaves the queue.
    pub fn queue_large(self: &Rc<Self>) -> LargePlace {
        let number = self.next_place.get();
        self.next_place.set(number + 1);
        self.large_queue.borrow_mut().push_back(number);
        self.wanted.notify();
        LargePlace { memory: self.clone(), number }
    }

    /// Keeps the account of a frame that was received whole, until no slice of its bytes is left.
    pub fn keep_large(&self, frame: &mut BytesMut, charge: Charge) {
        // Its own room is all that is left of what it took to receive it.
        self.add(Use::LargeFrames, frame.len());
        self.large_frames.borrow_mut().push((frame.split_to(0), frame.len()));
        drop(charge);
    }

    /// Takes off the account the large frames of which no slice is left.
    pub fn sweep(&self) {
        self.large_frames.borrow_mut().retain_mut(|(view, bytes)| {
            let is_free = view.try_reclaim(1);
            if is_free {
                self.remove(Use::LargeFrames, *bytes);
            }
            !is_free
        });
    }

    /// Counts a connection that waits for a block.
    pub fn wait_for_block(self: &Rc<Self>) -> Waiting {
        self.waiting_for_blocks.set(self.waiting_for_blocks.get() + 1);
        self.wanted.notify();
        Waiting(self.clone())
    }

    pub fn waiting_for_blocks(&self) -> usize {
        self.waiting_for_blocks.get()
    }

    pub fn waiting_for_large(&self) -> usize {
        self.large_queue.borrow().len()
    }

    /// Connections that read no further before others have given memory back.
    pub fn waiting(&self) -> usize {
        self.waiting_for_blocks() + self.waiting_for_large()
    }

    /// Whether one more connection may wait for its next frame with a block at hand: half of the
    /// blocks are for frames that have begun.
    pub fn may_idle_in_block(&self) -> bool {
        self.idle_blocks.get() < self.plan.blocks_max / 2
    }

    pub fn idle_in_block(self: &Rc<Self>) -> IdleInBlock {
        self.idle_blocks.set(self.idle_blocks.get() + 1);
        IdleInBlock(self.clone())
    }

    /// Whether a look at all connections for another core may begin: one at a time.
    pub fn begin_look(&self) -> bool {
        !self.is_looking.replace(true)
    }

    pub fn end_look(&self) {
        self.is_looking.set(false);
    }

    pub fn ended(&self) -> u64 {
        self.ended.get()
    }

    pub fn count_ended(&self) {
        self.ended.set(self.ended.get() + 1);
    }
}

/// One more, until dropped.
struct Counted<'a>(&'a Cell<usize>);

impl Counted<'_> {
    fn new(count: &Cell<usize>) -> Counted<'_> {
        count.set(count.get() + 1);
        Counted(count)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

/// A connection that waits for a block.
pub struct Waiting(Rc<Memory>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.waiting_for_blocks.set(self.0.waiting_for_blocks.get() - 1);
    }
}

/// A connection that has a block and waits for the next frame.
pub struct IdleInBlock(Rc<Memory>);

impl Drop for IdleInBlock {
    fn drop(&mut self) {
        self.0.idle_blocks.set(self.0.idle_blocks.get() - 1);
    }
}

/// A place among the connections that wait to receive a large frame.
pub struct LargePlace {
    memory: Rc<Memory>,
    number: u64,
}

impl LargePlace {
    /// Room for a frame of so many bytes, when it is this one's turn and there is enough.
    pub fn take(&self, frame_bytes: usize) -> Option<Charge> {
        if self.memory.large_queue.borrow().front() != Some(&self.number) {
            return None;
        }
        let bytes = receiving_bytes(frame_bytes);
        if !self.memory.has_room(Use::LargeFrames, bytes) {
            self.memory.sweep();
        }
        self.memory
            .has_room(Use::LargeFrames, bytes)
            .then(|| self.memory.charge(Use::LargeFrames, bytes))
    }
}

impl Drop for LargePlace {
    fn drop(&mut self) {
        self.memory.large_queue.borrow_mut().retain(|other| *other != self.number);
        // The next may have its turn.
        self.memory.freed.notify();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn a_plan_is_made_of_the_limit_and_is_whole_again_in_sum() {
        for (limit, cores) in
            [(128 * MIB, 2), (64 * MIB, 1), (1024 * MIB, 2), (6144 * MIB, 1), (65_536 * MIB, 256)]
        {
            let plan = Plan::of(Some(limit), cores);
            let per_core = (limit / cores as u64) as usize;
            let blocks = plan.blocks_max * limits::RECEIVE_BLOCK_BYTES;
            let sum = blocks
                + plan.large_frames
                + plan.tail
                + plan.requests
                + plan.decoded
                + plan.replies;
            let sum = sum + plan.connections + plan.transactions;
            assert!(sum <= per_core, "{limit} {cores}: {sum} of {per_core}");
            assert!(
                plan.blocks_max >= limits::RECEIVE_BLOCKS_MIN
                    && plan.frame_max() + FRAME_LENGTH_BYTES >= limits::RECEIVE_BLOCK_BYTES
            );
        }
        let enough = Plan::of(None, 2);
        assert_eq!(enough, Plan::of(Some(12 << 30), 2).clone_with_connections(enough.connections));
        assert!(enough.frame_max() >= 100 << 20, "socket.request.max.bytes by default");
        assert!(enough.blocks_max * limits::RECEIVE_BLOCK_BYTES > enough.tail);
        assert!(enough.heavy >= limits::DECOMPRESSED_BATCH_MAX_BYTES);
    }

    impl Plan {
        fn clone_with_connections(mut self, connections: usize) -> Plan {
            self.connections = connections;
            self
        }
    }

    #[test]
    fn the_largest_frame_of_a_plan_has_room_when_nothing_else_is_held_and_one_at_a_time() {
        for limit in [64 * MIB, 128 * MIB, 1024 * MIB] {
            let memory = Memory::new(Plan::of(Some(limit), 1));
            let frame_max = memory.plan().frame_max();
            let (first, second) = (memory.queue_large(), memory.queue_large());
            assert!(second.take(1).is_none(), "first come, first served");
            let whole = FRAME_LENGTH_BYTES + frame_max;
            let charge = first.take(whole).expect("there is room for it alone");
            drop(first);
            assert!(second.take(whole).is_none());
            drop(charge);
            assert!(second.take(whole).is_some());
            drop(second);
            assert_eq!((memory.used(Use::LargeFrames), memory.waiting()), (0, 0));
        }
    }

    #[test]
    fn a_large_frame_counts_until_its_last_slice_is_gone() {
        let memory = Memory::new(Plan::default());
        let mut frame = BytesMut::zeroed(3 << 20);
        let charge = memory.charge(Use::LargeFrames, frame.len());
        memory.keep_large(&mut frame, charge);
        let slice = frame.freeze().slice(100..200);
        memory.sweep();
        assert_eq!(memory.used(Use::LargeFrames), 3 << 20, "100 bytes keep all of it");
        drop(slice);
        memory.sweep();
        assert_eq!(memory.account(Use::LargeFrames), (0, memory.plan().large_frames));
    }

    #[test]
    fn half_of_the_blocks_are_for_frames_that_have_begun() {
        let memory = Memory::new(Plan::default());
        let idle: Vec<_> =
            (0..memory.plan().blocks_max / 2).map(|_| memory.idle_in_block()).collect();
        assert!(!memory.may_idle_in_block());
        drop(idle);
        assert!(memory.may_idle_in_block());
    }
}
