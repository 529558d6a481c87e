//! How fast cleaners may read and write (`log.cleaner.io.max.bytes.per.second`).
//!
//! Owns: when the next byte may move. Lives on: a core, for all logs that it cleans. Never: saves
//! up what was not used: a pass that begins has no more than any other.

use ring::{Instant, Ring};
use std::{cell::Cell, time::Duration};

/// Waits shorter than this are added up: each is a wake-up.
const WAIT_LEAST: Duration = Duration::from_millis(5);

pub struct Throttle {
    ring: Ring,
    bytes_per_s: Cell<f64>,
    due: Cell<Instant>,
}

impl Throttle {
    /// Without a limit.
    pub fn new(ring: &Ring) -> Self {
        Self { ring: ring.clone(), bytes_per_s: Cell::new(f64::MAX), due: Cell::new(ring.now()) }
    }

    pub fn limit(&self, bytes_per_s: f64) {
        self.bytes_per_s.set(bytes_per_s);
    }

    /// So many bytes were read or written.
    pub fn moved(&self, bytes: usize) {
        let now = self.ring.now();
        let began = if self.due.get() < now { now } else { self.due.get() };
        let takes = Duration::try_from_secs_f64(bytes as f64 / self.bytes_per_s.get());
        self.due.set(began + takes.unwrap_or_default());
    }

    /// How long to wait until what has moved fits the rate; `None`: nothing worth it.
    pub fn wait(&self) -> Option<Duration> {
        let now = self.ring.now();
        let wait = if self.due.get() > now { self.due.get().since(now) } else { Duration::ZERO };
        (wait >= WAIT_LEAST).then_some(wait)
    }
}
