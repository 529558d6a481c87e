//! Replies on their way out: what they are made of, and the queue that keeps them in the order of their requests.
//!
//! Owns: one connection's unanswered requests. Lives on: the core of the connection. Never: sends; `conn.rs` does.

use crate::limits;
use bytes::{Bytes, BytesMut};
use ring::{BlockPool, File, Stable, signal::Signal};
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

/// As many as a fetch of one partition has: what stands before its records, they themselves, and what follows.
pub type ReplyParts = SmallVec<[ReplyPart; 3]>;

#[derive(Debug)]
pub enum ReplyPart {
    Bytes(Bytes),
    /// Records that go to the socket without passing through user space, where the page cache has them.
    File {
        file: File,
        position: u64,
        length: u64,
        stable: Stable,
    },
}

impl Reply {
    /// A reply in one piece: `frame` begins with room for the length prefix, which is filled in here.
    pub fn from_frame(mut frame: BytesMut) -> Reply {
        fill_in_length(&mut frame, 0);
        Reply { parts: smallvec![ReplyPart::Bytes(frame.freeze())] }
    }

    pub fn size_bytes(&self) -> usize {
        self.parts
            .iter()
            .map(|part| match part {
                ReplyPart::Bytes(bytes) => bytes.len(),
                ReplyPart::File { length, .. } => *length as usize,
            })
            .sum()
    }
}

/// Writes the length prefix that `frame` begins with, for a frame that has `records_bytes` beyond these bytes.
pub fn fill_in_length(frame: &mut BytesMut, records_bytes: usize) {
    let length = frame.len() + records_bytes - super::frame::LENGTH_BYTES;
    let length = i32::try_from(length).expect("a response fits its length prefix");
    frame[..super::frame::LENGTH_BYTES].copy_from_slice(&length.to_be_bytes());
}

/// What a reply about so many topics and partitions takes as a rule, records and messages aside.
pub fn usual_bytes(topics: usize, partitions: usize) -> usize {
    (1 + topics + partitions) * limits::REPLY_PIECE_BYTES
}

/// Memory that small replies of one core are written into, used again once they are sent.
pub struct ReplyBlocks {
    pool: BlockPool,
    /// What is left of the newest block.
    rest: RefCell<BytesMut>,
}

impl Default for ReplyBlocks {
    fn default() -> Self {
        Self { pool: BlockPool::new(limits::REPLY_BLOCK_BYTES, limits::REPLY_BLOCKS_MAX), rest: RefCell::default() }
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
        let after = rest.split_off(bytes);
        std::mem::replace(&mut rest, after)
    }

    pub fn release_idle(&self) {
        self.pool.release_idle();
    }
}

enum Entry {
    /// The request is being worked on; its frame counted for this many bytes.
    Waiting,
    Ready(Reply),
    /// Answered by nothing (acks=0).
    Silent,
}

/// The unanswered requests of one connection, oldest first.
#[derive(Default)]
pub struct Replies {
    queue: RefCell<VecDeque<(Entry, usize)>>,
    /// The number of the request at the front of the queue.
    first: Cell<u64>,
    waiting: Cell<usize>,
    /// Bytes of requests unanswered and of replies unsent.
    bytes: Cell<usize>,
    /// The same over all connections of the core.
    all_bytes: Rc<Cell<usize>>,
    closed: Cell<bool>,
    /// Something was answered, sent, or the connection closed.
    pub changed: Signal,
}

/// The right and the duty to answer one request. Dropped unused, the connection is closed: a request that nobody will
/// answer must not leave its client waiting.
pub struct ReplyHandle {
    replies: Rc<Replies>,
    /// `None` once answered.
    number: Option<u64>,
}

impl Replies {
    /// `all_bytes` counts over all connections of the core.
    pub fn new(all_bytes: Rc<Cell<usize>>) -> Replies {
        let mut replies = Replies::default();
        replies.all_bytes = all_bytes;
        replies
    }

    fn count(&self, added: usize, removed: usize) {
        self.bytes.set(self.bytes.get() + added - removed);
        self.all_bytes.set(self.all_bytes.get() + added - removed);
    }

    /// Takes note of a request of `request_bytes`, in the order of arrival.
    pub fn expect(self: &Rc<Self>, request_bytes: usize) -> ReplyHandle {
        let mut queue = self.queue.borrow_mut();
        let number = self.first.get() + queue.len() as u64;
        queue.push_back((Entry::Waiting, request_bytes));
        self.waiting.set(self.waiting.get() + 1);
        self.count(request_bytes, 0);
        ReplyHandle { replies: self.clone(), number: Some(number) }
    }

    /// Requests that nobody has answered yet.
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

    pub fn bytes(&self) -> usize {
        self.bytes.get()
    }

    pub fn is_closed(&self) -> bool {
        self.closed.get()
    }

    pub fn close(&self) {
        self.closed.set(true);
        self.changed.notify();
    }

    pub fn front_is_ready(&self) -> bool {
        !matches!(self.queue.borrow().front(), None | Some((Entry::Waiting, _)))
    }

    /// Takes the replies that may go now into `parts`: all from the front to the first request without an answer, as
    /// long as they fit into one gathered send. Their bytes count until [`Replies::sent`].
    pub fn take_ready(&self, parts: &mut Vec<ReplyPart>, parts_max: usize) -> usize {
        let mut queue = self.queue.borrow_mut();
        let mut taken_bytes = 0;
        while let Some((entry, _)) = queue.front() {
            match entry {
                Entry::Waiting => break,
                Entry::Ready(reply) if !parts.is_empty() && parts.len() + reply.parts.len() > parts_max => break,
                Entry::Ready(_) | Entry::Silent => {}
            }
            let (entry, bytes) = queue.pop_front().expect("the front that was looked at");
            taken_bytes += bytes;
            self.first.set(self.first.get() + 1);
            if let Entry::Ready(reply) = entry {
                parts.extend(reply.parts);
            }
        }
        taken_bytes
    }

    /// The bytes that `take_ready` returned have left.
    pub fn sent(&self, bytes: usize) {
        self.count(0, bytes);
        self.changed.notify();
    }

    fn answer(&self, number: u64, entry: Entry) {
        let mut queue = self.queue.borrow_mut();
        let index = usize::try_from(number - self.first.get()).expect("an index into the queue");
        let (slot, bytes) = &mut queue[index];
        assert!(matches!(slot, Entry::Waiting), "request {number} answered twice");
        let reply_bytes = if let Entry::Ready(reply) = &entry { reply.size_bytes() } else { 0 };
        self.count(reply_bytes, *bytes);
        (*slot, *bytes) = (entry, reply_bytes);
        self.waiting.set(self.waiting.get() - 1);
        drop(queue);
        self.changed.notify();
    }
}

impl ReplyHandle {
    pub fn reply(mut self, reply: Reply) {
        self.answer(Entry::Ready(reply));
    }

    /// Answers with nothing, as acks=0 wants it.
    pub fn silence(mut self) {
        self.answer(Entry::Silent);
    }

    fn answer(&mut self, entry: Entry) {
        let number = self.number.take().expect("a handle answers once");
        self.replies.answer(number, entry);
    }
}

/// What is unsent when the connection ends counts no more.
impl Drop for Replies {
    fn drop(&mut self) {
        self.all_bytes.set(self.all_bytes.get() - self.bytes.get());
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

    fn reply(byte: u8) -> Reply {
        Reply { parts: smallvec![ReplyPart::Bytes(Bytes::from(vec![byte; 10]))] }
    }

    fn taken(replies: &Replies) -> Vec<u8> {
        let mut parts = Vec::new();
        let bytes = replies.take_ready(&mut parts, 100);
        replies.sent(bytes);
        let first = |part: &ReplyPart| if let ReplyPart::Bytes(bytes) = part { bytes[0] } else { 0 };
        parts.iter().map(first).collect()
    }

    #[test]
    fn replies_leave_in_the_order_of_their_requests() {
        let replies = Rc::new(Replies::default());
        let [a, b, c, d] = [100, 200, 300, 400].map(|bytes| replies.expect(bytes));
        assert_eq!((replies.waiting(), replies.bytes()), (4, 1000));
        c.reply(reply(3));
        assert!(taken(&replies).is_empty());
        a.reply(reply(1));
        assert_eq!(taken(&replies), [1]);
        b.silence();
        assert_eq!(taken(&replies), [3]);
        d.reply(reply(4));
        assert_eq!(taken(&replies), [4]);
        assert_eq!((replies.waiting(), replies.bytes(), replies.len()), (0, 0, 0));
    }

    #[test]
    fn buffers_have_the_room_that_was_asked_for() {
        const MIN: usize = limits::REPLY_MIN_BYTES;
        const BLOCK: usize = limits::REPLY_BLOCK_BYTES;
        let blocks = ReplyBlocks::default();
        for (usual_bytes, room) in [(0, MIN), (MIN, MIN), (MIN + 1, 2 * MIN), (BLOCK, BLOCK), (BLOCK + 1, BLOCK + MIN)]
        {
            let buffer = blocks.buffer(usual_bytes);
            assert!(buffer.is_empty());
            assert_eq!(buffer.capacity(), room);
        }
    }

    #[test]
    fn an_unanswered_request_closes_its_connection() {
        let replies = Rc::new(Replies::default());
        drop(replies.expect(10));
        assert!(replies.is_closed());
    }
}
