//! Replies on their way out: what they are made of, and the queue that keeps them in the order of
//! their requests.
//!
//! Owns: one connection's unanswered requests. Lives on: the core of the connection. Never: sends;
//! `conn.rs` does.

use super::{close::TooLarge, transport::FileRange};
use crate::{
    limits,
    memory::{Memory, Use},
};
use bytes::{Bytes, BytesMut};
use protocol::FRAME_LENGTH_BYTES;
use ring::{BufferPool, Instant, sync::Notify};
use smallvec::{SmallVec, smallvec};
use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
};

/// A whole response frame, length prefix included, as pieces in order.
#[derive(Debug, Default)]
pub struct Reply {
    pub parts: ReplyParts,
}

/// As many as a fetch of one partition has: what stands before its records, they themselves, and
/// what follows.
pub type ReplyParts = SmallVec<[ReplyPart; 3]>;

#[derive(Debug)]
pub enum ReplyPart {
    Bytes(Bytes),
    /// Records from memory.
    Records(Bytes),
    /// Records that go to the socket without passing through user space, where the page cache has
    /// them.
    File(FileRange),
}

impl Reply {
    /// A reply in one piece: `frame` begins with room for the length prefix, which is filled in
    /// here.
    pub fn from_frame(mut frame: BytesMut) -> Result<Reply, TooLarge> {
        let (bytes, least) = (frame.len(), FRAME_LENGTH_BYTES + size_of::<i32>());
        assert!(bytes >= least, "a reply of {bytes} bytes, its head has {least}");
        fill_in_length(&mut frame, 0)?;
        // A frame that outgrew its piece of a block has grown by doubling, from the size of the
        // whole block on. A reply that waits to be sent keeps no more than it counts for.
        let is_loose = frame.capacity() > (2 * frame.len()).max(limits::REPLY_BLOCK_BYTES - 1);
        let bytes = if is_loose { Bytes::copy_from_slice(&frame) } else { frame.freeze() };
        Ok(Reply { parts: smallvec![ReplyPart::Bytes(bytes)] })
    }

    /// What it keeps in memory. Records are slices: the rest of their block stays with them.
    pub fn memory_bytes(&self) -> usize {
        let (mut pinned_bytes, mut file_bytes) = (0, 0);
        let parts = self.parts.iter().map(|part| match part {
            ReplyPart::Bytes(bytes) => bytes.len(),
            ReplyPart::Records(bytes) => {
                pinned_bytes = limits::REPLY_PINNED_BYTES;
                bytes.len()
            }
            ReplyPart::File(range) => {
                file_bytes += range.length;
                0
            }
        });
        let bytes = parts.sum::<usize>();
        let (all, said) = (bytes as u64 + file_bytes, self.frame_bytes());
        assert_eq!(all, said, "a reply has {all} bytes, and says that it has {said}");
        bytes + pinned_bytes
    }

    /// What goes to the client, as its length prefix says.
    pub fn frame_bytes(&self) -> u64 {
        let Some(ReplyPart::Bytes(head)) = self.parts.first() else {
            panic!("a reply begins with its length, not with {:?}", self.parts.first())
        };
        let prefix = head.first_chunk().expect("the length prefix is in the first part");
        let length = i32::from_be_bytes(*prefix);
        assert!(length > 0, "a reply whose length is {length}");
        FRAME_LENGTH_BYTES as u64 + length as u64
    }
}

/// Writes the length prefix that `frame` begins with, for a frame that has `records_bytes` beyond
/// these bytes.
pub fn fill_in_length(frame: &mut BytesMut, records_bytes: usize) -> Result<(), TooLarge> {
    assert!(
        frame.len() >= FRAME_LENGTH_BYTES,
        "{} bytes have no room for a length prefix of {FRAME_LENGTH_BYTES}",
        frame.len()
    );
    let length = frame.len() + records_bytes - FRAME_LENGTH_BYTES;
    TooLarge::check(length, limits::FRAME_MAX_BYTES)?;
    let prefix = i32::try_from(length).expect("the length was compared with the largest");
    frame[..FRAME_LENGTH_BYTES].copy_from_slice(&prefix.to_be_bytes());
    Ok(())
}

/// What a reply about so many topics and partitions takes as a rule, records and messages aside.
pub fn usual_bytes(topics: usize, partitions: usize) -> usize {
    (1 + topics + partitions) * limits::REPLY_PIECE_BYTES
}

/// Memory that small replies of one core are written into, used again once they are sent.
pub struct ReplyBlocks {
    pool: BufferPool,
    /// The rest of the newest block.
    rest: RefCell<BytesMut>,
}

impl Default for ReplyBlocks {
    fn default() -> Self {
        Self {
            pool: BufferPool::new(limits::REPLY_BLOCK_BYTES, limits::REPLY_BLOCKS_MAX),
            rest: RefCell::default(),
        }
    }
}

impl ReplyBlocks {
    /// An empty buffer for a reply that will rarely need more than `usual_bytes`; it may grow.
    pub fn buffer(&self, usual_bytes: usize) -> BytesMut {
        let bytes = usual_bytes.max(1).next_multiple_of(limits::REPLY_MIN_BYTES);
        if bytes > limits::REPLY_BLOCK_BYTES {
            return BytesMut::with_capacity(bytes);
        }
        let mut rest = self.rest.borrow_mut();
        if rest.capacity() < bytes {
            *rest = self.pool.take().unwrap_or_else(|| BytesMut::with_capacity(bytes));
        }
        let room = rest.capacity();
        assert!(room >= bytes, "a block with room for {room} bytes, {bytes} are asked for");
        let after = rest.split_off(bytes);
        std::mem::replace(&mut rest, after)
    }

    pub fn release_idle(&self) {
        self.pool.release_idle();
    }
}

enum Entry {
    /// The request is being worked on; what it counts for.
    Waiting(Use, usize),
    /// With what it counts for.
    Ready(Reply, usize),
    /// Answered by nothing (acks=0).
    Silent,
}

/// The unanswered requests of one connection, oldest first.
pub struct Replies {
    queue: RefCell<VecDeque<Entry>>,
    /// The number of the request at the front of the queue.
    first: Cell<u64>,
    waiting: Cell<usize>,
    /// What its requests count for, unanswered or not yet safe, and its replies, until they are
    /// sent.
    held_bytes: [Cell<usize>; Use::ALL.len()],
    /// The account of the core.
    memory: Rc<Memory>,
    /// Bytes of replies that were taken and are not sent yet; 0: none are.
    sending_bytes: Cell<u64>,
    closed: Cell<bool>,
    /// Until then no further request is taken: the client has used more than its quota.
    muted_until: Cell<Instant>,
    /// Something was answered, sent, or the connection closed.
    pub changed: Notify,
}

/// The right and the duty to answer one request. Dropped unused, the connection is closed: a
/// request that gets no answer must not leave its client waiting.
pub struct ReplyHandle {
    replies: Rc<Replies>,
    /// `None` once answered.
    number: Option<u64>,
}

/// A request that was answered by nothing and is not safe yet. It counts until this is dropped.
pub struct Unsafe {
    replies: Rc<Replies>,
    bytes: usize,
}

impl Drop for Unsafe {
    fn drop(&mut self) {
        self.replies.uncount(Use::Requests, self.bytes);
        self.replies.changed.notify();
    }
}

impl Replies {
    pub fn new(memory: Rc<Memory>) -> Replies {
        Replies {
            // An idle connection keeps this; most clients wait for each answer.
            queue: RefCell::new(VecDeque::with_capacity(1)),
            first: Cell::default(),
            waiting: Cell::default(),
            held_bytes: Default::default(),
            memory,
            sending_bytes: Cell::new(0),
            closed: Cell::default(),
            muted_until: Cell::default(),
            changed: Notify::default(),
        }
    }

    fn count(&self, of: Use, bytes: usize) {
        let mine = &self.held_bytes[of as usize];
        mine.set(mine.get() + bytes);
        self.memory.add(of, bytes);
    }

    fn uncount(&self, of: Use, bytes: usize) {
        let mine = &self.held_bytes[of as usize];
        let held = mine.get();
        assert!(bytes <= held, "{bytes} bytes of {of:?} are given back, {held} were taken");
        mine.set(held - bytes);
        self.memory.remove(of, bytes);
    }

    /// Takes note of a request that takes so many bytes, in the order of arrival.
    pub fn expect(self: &Rc<Self>, (of, bytes): (Use, usize)) -> ReplyHandle {
        let mut queue = self.queue.borrow_mut();
        let number = self.first.get() + queue.len() as u64;
        let bytes = bytes + limits::REQUEST_BYTES;
        queue.push_back(Entry::Waiting(of, bytes));
        self.waiting.set(self.waiting.get() + 1);
        let (waiting, all) = (self.waiting.get(), queue.len());
        assert!(waiting <= all, "{waiting} requests wait for an answer, {all} are in the queue");
        let most = limits::CONNECTION_REQUESTS_IN_FLIGHT_MAX;
        assert!(all <= most, "{all} requests of one connection are in flight, at most {most} may");
        self.count(of, bytes);
        ReplyHandle { replies: self.clone(), number: Some(number) }
    }

    /// Requests that have no answer yet.
    pub fn waiting(&self) -> usize {
        self.waiting.get()
    }

    /// Requests unanswered or with their reply unsent.
    pub fn len(&self) -> usize {
        self.queue.borrow().len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What its requests and replies have in memory.
    pub fn bytes(&self) -> usize {
        self.held_bytes.iter().map(Cell::get).sum()
    }

    /// What its replies have in memory.
    pub fn reply_bytes(&self) -> usize {
        self.held_bytes[Use::Replies as usize].get()
    }

    /// The account of the core.
    pub fn memory(&self) -> &Rc<Memory> {
        &self.memory
    }

    pub fn is_closed(&self) -> bool {
        self.closed.get()
    }

    pub fn close(&self) {
        self.closed.set(true);
        self.changed.notify();
    }

    /// No further request is taken until then.
    pub fn mute(&self, until: Instant) {
        self.muted_until.set(self.muted_until.get().max(until));
    }

    pub fn muted_until(&self) -> Instant {
        self.muted_until.get()
    }

    pub fn front_is_ready(&self) -> bool {
        !matches!(self.queue.borrow().front(), None | Some(Entry::Waiting(..)))
    }

    /// Whether there is something for the client to take.
    pub fn has_unsent(&self) -> bool {
        self.sending_bytes.get() > 0 || self.front_is_ready()
    }

    /// Takes the replies that may go now into `parts`: all from the front to the first request
    /// without an answer, as long as they fit into one gathered send. Their bytes count until
    /// [`Replies::sent`].
    pub fn take_ready(&self, parts: &mut Vec<ReplyPart>, parts_max: usize) -> usize {
        let unsent = self.sending_bytes.get();
        assert_eq!(unsent, 0, "{unsent} bytes that were taken before are sent first");
        assert_eq!(parts.len(), 0, "{} parts were taken and not sent", parts.len());
        let mut queue = self.queue.borrow_mut();
        let (mut taken_bytes, mut frame_bytes) = (0, 0);
        while let Some(entry) = queue.front() {
            match entry {
                Entry::Waiting(..) => break,
                Entry::Ready(reply, _)
                    if !parts.is_empty() && parts.len() + reply.parts.len() > parts_max =>
                {
                    break;
                }
                Entry::Ready(..) | Entry::Silent => {}
            }
            let entry = queue.pop_front().expect("the front that was looked at");
            self.first.set(self.first.get() + 1);
            if let Entry::Ready(reply, bytes) = entry {
                taken_bytes += bytes;
                frame_bytes += reply.frame_bytes();
                parts.extend(reply.parts);
            }
        }
        let (waiting, left) = (self.waiting.get(), queue.len());
        assert!(waiting <= left, "{waiting} requests wait for an answer, {left} are left");
        self.sending_bytes.set(frame_bytes);
        taken_bytes
    }

    /// The replies that counted for `taken_bytes`, as `take_ready` returned, have left:
    /// `sent_bytes` went to the client. `None`: the connection ends in the middle of it.
    pub fn sent(&self, taken_bytes: usize, sent_bytes: Option<u64>) {
        let whole = self.sending_bytes.take();
        let sent = sent_bytes.unwrap_or(whole);
        assert_eq!(sent, whole, "{sent} bytes were sent of replies of {whole}");
        self.uncount(Use::Replies, taken_bytes);
        self.changed.notify();
    }

    /// Answers a request; what it counted for, which counts no more.
    fn answer(&self, number: u64, entry: Entry) {
        let mut queue = self.queue.borrow_mut();
        let (first, waiting) = (self.first.get(), self.waiting.get());
        assert!(number >= first, "request {number} is answered, and {first} is the first left");
        let (index, all) = ((number - first) as usize, queue.len());
        assert!(index < all, "request {number} is answered, {all} are left from {first} on");
        assert!(waiting > 0, "request {number} is answered, and {waiting} wait for an answer");
        let slot = &mut queue[index];
        let Entry::Waiting(of, bytes) = *slot else { panic!("request {number} answered twice") };
        self.uncount(of, bytes);
        if let Entry::Ready(_, reply_bytes) = &entry {
            self.count(Use::Replies, *reply_bytes);
        }
        *slot = entry;
        self.waiting.set(waiting - 1);
        drop(queue);
        self.changed.notify();
    }
}

impl ReplyHandle {
    pub fn reply(mut self, reply: Reply) {
        let bytes = reply.memory_bytes();
        self.answer(Entry::Ready(reply, bytes));
    }

    /// Until when no further request of its connection is taken.
    pub fn muted_until(&self) -> Instant {
        self.replies.muted_until()
    }

    /// Answers with nothing, as acks=0 wants it. The request, of so many bytes, counts as long as
    /// the result is kept.
    pub fn silence(mut self, frame_bytes: usize) -> Unsafe {
        let bytes = frame_bytes + limits::REQUEST_BYTES;
        let replies = self.replies.clone();
        replies.count(Use::Requests, bytes);
        self.answer(Entry::Silent);
        Unsafe { replies, bytes }
    }

    fn answer(&mut self, entry: Entry) {
        let number = self.number.take().expect("a handle answers once");
        self.replies.answer(number, entry);
    }
}

/// Replies that are unsent when the connection ends count no more.
impl Drop for Replies {
    fn drop(&mut self) {
        for of in Use::ALL {
            self.uncount(of, self.held_bytes[of as usize].get());
        }
    }
}

impl Drop for ReplyHandle {
    fn drop(&mut self) {
        if self.number.is_some() {
            self.replies.close();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::Plan;

    /// Of ten bytes; the last says which one it is.
    fn reply(byte: u8) -> Reply {
        Reply::from_frame(BytesMut::from(&[byte; 10][..])).unwrap()
    }

    fn taken(replies: &Replies) -> Vec<u8> {
        let mut parts = Vec::new();
        let taken = replies.take_ready(&mut parts, 100);
        replies.sent(taken, Some(10 * parts.len() as u64));
        let last = |part: &ReplyPart| if let ReplyPart::Bytes(bytes) = part { bytes[9] } else { 0 };
        parts.iter().map(last).collect()
    }

    fn replies() -> (Rc<Replies>, Rc<Memory>) {
        let memory = Memory::new(Plan::default());
        (Rc::new(Replies::new(memory.clone())), memory)
    }

    #[test]
    fn replies_leave_in_the_order_of_their_requests() {
        let (replies, memory) = replies();
        let [a, b, c, d] = [100, 200, 300, 400].map(|bytes| replies.expect((Use::Requests, bytes)));
        assert_eq!((replies.waiting(), replies.bytes()), (4, 1000 + 4 * limits::REQUEST_BYTES));
        c.reply(reply(3));
        assert!(taken(&replies).is_empty());
        a.reply(reply(1));
        assert_eq!(taken(&replies), [1]);
        let unsafe_yet = b.silence(200);
        assert_eq!(taken(&replies), [3]);
        d.reply(reply(4));
        assert_eq!(taken(&replies), [4]);
        assert_eq!((replies.waiting(), replies.len()), (0, 0));
        assert_eq!(
            memory.used(Use::Requests),
            200 + limits::REQUEST_BYTES,
            "what asks for no answer counts on"
        );
        drop(unsafe_yet);
        assert_eq!(
            (replies.bytes(), memory.used(Use::Requests), memory.used(Use::Replies)),
            (0, 0, 0)
        );
    }

    #[test]
    fn buffers_have_the_room_that_was_asked_for() {
        const MIN: usize = limits::REPLY_MIN_BYTES;
        const BLOCK: usize = limits::REPLY_BLOCK_BYTES;
        let blocks = ReplyBlocks::default();
        for (usual_bytes, room) in
            [(0, MIN), (MIN, MIN), (MIN + 1, 2 * MIN), (BLOCK, BLOCK), (BLOCK + 1, BLOCK + MIN)]
        {
            let buffer = blocks.buffer(usual_bytes);
            assert!(buffer.is_empty());
            assert_eq!(buffer.capacity(), room);
        }
    }

    #[test]
    #[should_panic(expected = "a reply has 15 bytes, and says that it has 10")]
    fn a_reply_that_is_longer_than_it_says_does_not_leave() {
        let (replies, _) = replies();
        let mut longer = reply(1);
        longer.parts.push(ReplyPart::Bytes(Bytes::from_static(b"12345")));
        replies.expect((Use::Requests, 10)).reply(longer);
    }

    #[test]
    #[should_panic(expected = "11 bytes were sent of replies of 10")]
    fn no_more_is_sent_than_the_replies_have() {
        let (replies, _) = replies();
        replies.expect((Use::Requests, 10)).reply(reply(1));
        let taken = replies.take_ready(&mut Vec::new(), 100);
        replies.sent(taken, Some(11));
    }

    #[test]
    #[should_panic(expected = "10 bytes that were taken before are sent first")]
    fn replies_are_taken_when_those_before_were_sent() {
        let (replies, _) = replies();
        let mut parts = Vec::new();
        replies.expect((Use::Requests, 10)).reply(reply(1));
        replies.take_ready(&mut parts, 100);
        replies.take_ready(&mut Vec::new(), 100);
    }

    #[test]
    fn an_unanswered_request_closes_its_connection() {
        let (replies, memory) = replies();
        drop(replies.expect((Use::Decoded, 10)));
        assert!(replies.is_closed() && memory.used(Use::Decoded) > 10);
        replies.expect((Use::Decoded, 10)).reply(reply(1));
        assert!(memory.used(Use::Replies) > 0);
        drop(replies);
        assert_eq!(
            Use::ALL.map(|of| memory.used(of)),
            [0; Use::ALL.len()],
            "a connection leaves nothing"
        );
    }

    #[test]
    fn a_reply_that_no_length_prefix_can_say_is_an_error() {
        let mut head = BytesMut::from(&[0; 10][..]);
        assert_eq!(fill_in_length(&mut head, limits::FRAME_MAX_BYTES - 6), Ok(()));
        assert_eq!(head[..FRAME_LENGTH_BYTES], i32::MAX.to_be_bytes());
        let bytes = limits::FRAME_MAX_BYTES + 1;
        let refused = TooLarge { bytes, max_bytes: limits::FRAME_MAX_BYTES };
        assert_eq!(fill_in_length(&mut head, limits::FRAME_MAX_BYTES - 5), Err(refused));
    }

    #[test]
    fn records_count_with_their_block_and_files_do_not_count() {
        let records = |bytes: usize| {
            let mut head = BytesMut::from(&[0; 10][..]);
            fill_in_length(&mut head, bytes).unwrap();
            let records = ReplyPart::Records(Bytes::from(vec![0; bytes]));
            Reply { parts: smallvec![ReplyPart::Bytes(head.freeze()), records] }
        };
        assert_eq!(records(100).memory_bytes(), 110 + limits::REPLY_PINNED_BYTES);
        assert_eq!(reply(1).memory_bytes(), 10);
    }
}
