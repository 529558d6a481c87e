//! Whether a connection gets on: for `connections.max.idle.ms`, and for who has to go when memory
//! is short.
//!
//! Owns: the times of one connection. Lives on: the core of the connection. Never: reads a clock,
//! or ends a connection.

use crate::limits;
use ring::Instant;
use std::{cell::Cell, time::Duration};

/// A count that rises, and since when it has not.
#[derive(Default)]
struct Flow {
    bytes: Cell<u64>,
    since: Cell<Instant>,
}

impl Flow {
    /// Looks at the count: `least` more are progress. Since when there was none.
    fn look(&self, bytes: u64, least: u64, now: Instant) -> Instant {
        if bytes >= self.bytes.get() + least {
            self.bytes.set(bytes);
            self.since.set(now);
        }
        self.since.get()
    }
}

/// What one connection has moved, and when.
pub struct Progress {
    /// The last time that something was received, or a reply sent to its end.
    last_active: Cell<Instant>,
    /// The last reply was sent to its end.
    last_sent: Cell<Instant>,
    /// What the peer has taken of its replies: any, and enough to be worth its memory.
    taken: Flow,
    taken_much: Flow,
    received_bytes: Cell<u64>,
    received_much: Flow,
    /// The last frame was received to its end.
    last_frame: Cell<Instant>,
    /// How many bytes are held in memory for a frame that has begun.
    frame_bytes: Cell<usize>,
    /// It receives nothing because others have the memory.
    waits_for_memory: Cell<bool>,
}

impl Progress {
    pub fn new(now: Instant) -> Progress {
        Progress {
            last_active: Cell::new(now),
            last_sent: Cell::new(now),
            taken: Flow::default(),
            taken_much: Flow::default(),
            received_bytes: Cell::new(0),
            received_much: Flow::default(),
            last_frame: Cell::new(now),
            frame_bytes: Cell::new(0),
            waits_for_memory: Cell::new(false),
        }
    }

    /// It receives with `frame_bytes` of memory held for a frame that has begun; 0: none has.
    pub fn begin(&self, frame_bytes: usize) {
        self.frame_bytes.set(frame_bytes);
    }

    /// Something has moved: the times of a connection come from one clock, which never goes back.
    fn touch(&self, now: Instant) {
        let before = self.last_active.get();
        assert!(now >= before, "it is {now:?}, and something moved at {before:?}");
        self.last_active.set(now);
    }

    pub fn received(&self, bytes: usize, now: Instant) {
        self.touch(now);
        self.received_bytes.set(self.received_bytes.get() + bytes as u64);
        self.received_much.look(self.received_bytes.get(), limits::PROGRESS_BYTES, now);
    }

    pub fn frame_done(&self, now: Instant) {
        let before = self.last_frame.get();
        assert!(now >= before, "a frame ends at {now:?}, and the one before at {before:?}");
        self.last_frame.set(now);
        self.frame_bytes.set(0);
    }

    pub fn sent_all(&self, now: Instant) {
        self.touch(now);
        self.last_sent.set(now);
    }

    pub fn wait_for_memory(&self, waits: bool, now: Instant) {
        self.waits_for_memory.set(waits);
        if !waits {
            // Its own time begins again.
            self.last_active.set(now);
            self.last_frame.set(now);
        }
    }

    pub fn waits_for_memory(&self) -> bool {
        self.waits_for_memory.get()
    }

    /// For how long no byte has moved. `taken_by_peer` where there are replies to take.
    pub fn idle_for(&self, taken_by_peer: Option<u64>, now: Instant) -> Duration {
        let last = match taken_by_peer {
            Some(bytes) => self.taken.look(bytes, 1, now).max(self.last_active.get()),
            None => self.last_active.get(),
        };
        now.since(last)
    }

    /// For how long the peer has taken next to nothing of its replies. Between two looks of a
    /// connection that had nothing to take, time passes for it, so what counts begins with the last
    /// reply that went out whole.
    pub fn reader_stalled_for(&self, taken_by_peer: u64, now: Instant) -> Duration {
        now.since(
            self.taken_much
                .look(taken_by_peer, limits::PROGRESS_BYTES, now)
                .max(self.last_sent.get()),
        )
    }

    /// For how long next to nothing has come of a frame that has begun, and what it holds.
    pub fn frame_stalled_for(&self, now: Instant) -> Option<(Duration, usize)> {
        let held = self.frame_bytes.get();
        let since = self.received_much.since.get().max(self.last_frame.get());
        (held > 0 && !self.waits_for_memory.get()).then(|| (now.since(since), held))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: u64) -> Instant {
        Instant(s * 1_000_000_000)
    }

    #[test]
    fn a_reply_that_flows_slowly_is_not_idle_and_is_stalled() {
        let progress = Progress::new(at(0));
        for s in 1..100 {
            assert_eq!(progress.idle_for(Some(s), at(s)), Duration::ZERO, "a byte a second");
        }
        assert_eq!(progress.idle_for(Some(99), at(103)), Duration::from_secs(4));
        let progress = Progress::new(at(0));
        for s in 1..100 {
            assert_eq!(progress.reader_stalled_for(s, at(s)), Duration::from_secs(s));
        }
        assert_eq!(progress.reader_stalled_for(limits::PROGRESS_BYTES, at(100)), Duration::ZERO);
        progress.sent_all(at(110));
        assert_eq!(
            progress.reader_stalled_for(limits::PROGRESS_BYTES + 1, at(111)),
            Duration::from_secs(1)
        );
    }

    #[test]
    fn a_frame_that_trickles_in_is_stalled_unless_it_waits_for_memory() {
        let progress = Progress::new(at(0));
        assert_eq!(progress.frame_stalled_for(at(5)), None, "none has begun");
        progress.begin(4096);
        for s in 1..10 {
            progress.received(1, at(s));
        }
        assert_eq!(progress.frame_stalled_for(at(10)), Some((Duration::from_secs(10), 4096)));
        assert_eq!(progress.idle_for(None, at(10)), Duration::from_secs(1));
        progress.received(limits::PROGRESS_BYTES as usize, at(11));
        assert_eq!(progress.frame_stalled_for(at(12)), Some((Duration::from_secs(1), 4096)));
        progress.wait_for_memory(true, at(12));
        assert_eq!(progress.frame_stalled_for(at(100)), None);
        progress.wait_for_memory(false, at(100));
        assert_eq!(progress.frame_stalled_for(at(101)), Some((Duration::from_secs(1), 4096)));
        progress.frame_done(at(102));
        assert_eq!(progress.frame_stalled_for(at(200)), None);
    }
}
