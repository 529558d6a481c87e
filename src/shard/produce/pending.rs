//! Produce requests that are not answered yet: which results they lack, and where these go in the
//! end.
//!
//! Owns: the results of one request. Lives on: the core of the connection, or of the partitions for
//! the share of another core's request. Never: appends.

use super::{append::AppendResult, remote::Remote, unanswered, write_response};
use crate::{
    limits,
    request::{
        Client, RequestIds,
        reply::{Reply, ReplyHandle, Unsafe},
        response,
    },
    shard::Shard,
};
use protocol::{ApiKey, ErrorCode, Uuid};
use ring::Instant;
use std::{
    cell::{Cell, RefCell},
    mem,
    rc::{Rc, Weak},
};

/// The appends of one request, on the core of the connection or, for its share, on a core that owns
/// partitions.
#[derive(Default)]
pub struct PendingAppends {
    remaining: Cell<usize>,
    /// The request names topics by their ids.
    by_id: Cell<bool>,
    pub results: RefCell<Vec<AppendResult>>,
    /// The topics as the request names them, for the reply.
    pub topics: RefCell<Vec<RequestedTopic>>,
    /// Their partitions, one topic after the other.
    pub partitions: RefCell<Vec<i32>>,
    finish: RefCell<Option<Finish>>,
}

pub enum Finish {
    Reply(ReplyTo),
    /// The share of another core's request: its results go back with what brought it.
    Answer {
        shard: Shard,
        core: usize,
        remote: Box<Remote>,
    },
    /// The client asked for no reply: the closed connection is all that it can notice of a failure.
    /// What the request held counts until its records are safe.
    Silence {
        shard: Shard,
        client: Weak<Client>,
        held: Unsafe,
    },
}

/// The data needed to write the reply once all results are in.
pub struct ReplyTo {
    pub handle: ReplyHandle,
    pub shard: Shard,
    pub began: Instant,
    pub ids: RequestIds,
    /// By which the client came in.
    pub listener: usize,
}

/// A topic as the request named it, and how many of its partitions.
pub struct RequestedTopic {
    pub name: Rc<str>,
    pub id: Uuid,
    pub partition_count: usize,
}

impl PendingAppends {
    pub fn new(shard: &Shard) -> Rc<PendingAppends> {
        let spare = shard.data.produce_spares.pending.borrow_mut().pop();
        // The caller that released it last may still hold it on its way out of there.
        spare.filter(|spare| Rc::strong_count(spare) == 1).unwrap_or_default()
    }

    /// Begins `count` appends. Holds the request open until [`PendingAppends::end`], so that it
    /// cannot finish while it is being handed out.
    pub fn begin(&self, count: usize, by_id: bool) {
        self.by_id.set(by_id);
        assert!(self.results.borrow().is_empty(), "results of the request before are told");
        // No error yet; every result is replaced before the request is answered.
        self.results.borrow_mut().resize(count, AppendResult::error(ErrorCode::None, None));
        let before = self.remaining.replace(1);
        assert_eq!(before, 0, "a request begins when the one before it is answered");
        assert!(self.finish.borrow().is_none(), "a request begins without an end");
    }

    /// All appends are handed out: the request finishes so when the last result is in.
    pub fn end(self: &Rc<Self>, finish: Finish) {
        let before = self.finish.replace(Some(finish));
        assert!(before.is_none(), "a request ends once");
        self.release();
    }

    /// The next release answers the request.
    pub fn lacks_one(&self) -> bool {
        self.remaining.get() == 1
    }

    pub fn hold(&self) {
        assert!(self.remaining.get() > 0, "only a request that has begun is held");
        self.remaining.set(self.remaining.get() + 1);
    }

    pub fn release(self: &Rc<Self>) {
        assert!(self.remaining.get() > 0, "a request is released as often as it was held");
        self.remaining.set(self.remaining.get() - 1);
        if self.remaining.get() == 0 {
            let finish = self.finish.take();
            assert!(finish.is_some(), "a request that lacks nothing has its end");
            finish.into_iter().for_each(|finish| finish.with(self).keep(self));
        }
    }

    pub fn set(&self, index: usize, result: AppendResult) {
        let is_appended = result.error == ErrorCode::None;
        let base_offset = result.base_offset;
        assert!(!is_appended || base_offset >= 0, "{base_offset} is no offset of a record");
        let mut results = self.results.borrow_mut();
        assert!(index < results.len(), "place {index} in a request of {}", results.len());
        results[index] = result;
    }

    /// The wait of one append is over. Its offsets stand already; an error replaces them.
    pub fn complete(self: &Rc<Self>, index: usize, result: Result<(), ErrorCode>) {
        if let Err(error) = result {
            let is_gone = error == ErrorCode::UnknownTopicOrPartition && self.by_id.get();
            let error = if is_gone { ErrorCode::UnknownTopicId } else { error };
            let mut results = self.results.borrow_mut();
            let result = &mut results[index];
            let before = result.error;
            assert_eq!(before, ErrorCode::None, "what waits was appended, and is told of once");
            // The records of the first two are in the log, and the answer says where, as Kafka's.
            *result = match error {
                ErrorCode::RequestTimedOut | ErrorCode::NotEnoughReplicasAfterAppend => {
                    AppendResult { error, ..result.clone() }
                }
                error => AppendResult::error(error, None),
            };
        }
        self.release();
    }

    pub fn failed(&self) -> bool {
        self.results.borrow().iter().any(|result| result.error != ErrorCode::None)
    }
}

impl Finish {
    /// Sends the results on their way; the core that did so.
    fn with(self, done: &PendingAppends) -> Shard {
        match self {
            Finish::Answer { shard, core, mut remote } => {
                assert!(remote.results.is_empty(), "a box brings appends, and no results");
                mem::swap(&mut *done.results.borrow_mut(), &mut remote.results);
                remote.go_back(&shard, core);
                shard
            }
            Finish::Reply(ReplyTo { handle, shard, began, ids, listener }) => {
                // What is left of the time for which nothing is read from its connection.
                let wait = handle.muted_until().since(shard.ring.now());
                match Reply::from_frame(write_response(&shard, ids, (listener, wait), done)) {
                    Ok(reply) => handle.reply(reply),
                    // The handle closes the connection.
                    Err(error) => shard.clients.bad_input.say(shard.ring.now(), || {
                        let reason = response::unsendable(ids, error.into());
                        format!("closing a connection: {reason}")
                    }),
                }
                done.results.borrow().iter().for_each(|result| shard.counters.error(result.error));
                shard.counters.answered(ApiKey::Produce.code(), shard.ring.now().since(began));
                shard
            }
            Finish::Silence { shard, client, held } => {
                done.results.borrow().iter().for_each(|result| shard.counters.error(result.error));
                if done.failed()
                    && let Some(client) = client.upgrade()
                {
                    shard.close(&client, &unanswered());
                }
                drop(held);
                shard
            }
        }
    }
}

impl Shard {
    /// Keeps what a finished request had, for the next one.
    fn keep(&self, done: &Rc<PendingAppends>) {
        let remaining = done.remaining.get();
        assert_eq!(remaining, 0, "a finished request waits for nothing");
        done.results.borrow_mut().clear();
        done.topics.borrow_mut().clear();
        done.partitions.borrow_mut().clear();
        let mut pending = self.data.produce_spares.pending.borrow_mut();
        let is_usual = done.results.borrow().capacity() <= limits::PRODUCE_SPARE_PARTITIONS_MAX;
        if is_usual && pending.len() < limits::PRODUCE_SPARES_MAX {
            pending.push(done.clone());
        }
    }
}
