//! What one core counts for the admin page.
//!
//! Owns: plain cells. Lives on: every core. Never: allocates per request, or is read by another
//! core (the control thread asks for a snapshot).

use super::apis::table::TABLE;
use crate::stats::Histogram;
use protocol::{ApiKey, ErrorCode};
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    time::Duration,
};

/// One more than the largest API key that is served: the table is in their order.
const API_KEYS: usize = TABLE[TABLE.len() - 1] as usize + 1;

/// Requests of one API.
#[derive(Default)]
pub struct ApiCounters {
    pub requests: Cell<u64>,
    /// From the frame's arrival to the reply's place in the queue.
    pub time: RefCell<Histogram>,
}

pub struct Counters {
    apis: Vec<ApiCounters>,
    /// Partitions answered with an error in Produce and Fetch; by error code, which Kafka counts
    /// from -1.
    errors: RefCell<BTreeMap<i16, u64>>,
}

impl Default for Counters {
    fn default() -> Counters {
        Counters {
            apis: (0..API_KEYS).map(|_| ApiCounters::default()).collect(),
            errors: RefCell::default(),
        }
    }
}

impl Counters {
    pub fn request(&self, key: i16) {
        let requests = &self.apis[key as usize].requests;
        requests.set(requests.get() + 1);
    }

    pub fn answered(&self, key: i16, time: Duration) {
        self.request(key);
        self.took(key, time);
    }

    pub fn took(&self, key: i16, time: Duration) {
        self.apis[key as usize].time.borrow_mut().record_ns(time.as_nanos() as u64);
    }

    /// Takes note of an error that a client is told; none is none.
    pub fn error(&self, error: ErrorCode) {
        if error != ErrorCode::None {
            *self.errors.borrow_mut().entry(error.code()).or_default() += 1;
        }
    }

    pub fn errors(&self) -> Vec<(ErrorCode, u64)> {
        let errors = self.errors.borrow();
        errors
            .iter()
            .filter_map(|(code, count)| Some((ErrorCode::from_code(*code)?, *count)))
            .collect()
    }

    /// Those that have been asked for at least once.
    pub fn used(&self) -> impl Iterator<Item = (ApiKey, &ApiCounters)> {
        let named = self
            .apis
            .iter()
            .enumerate()
            .filter_map(|(key, api)| Some((ApiKey::from_i16(key as i16)?, api)));
        named.filter(|(_, api)| api.requests.get() > 0)
    }
}
