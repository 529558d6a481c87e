//! What the integration tests share: a broker of their own ([`broker`]), a blocking client that can
//! also misbehave ([`client`]), record batches that can be broken on purpose ([`batch`]).
//!
//! Rules for the tests on top: no assertion about time (a wait is bounded by [`PATIENCE`] alone),
//! no fixed port, and every process that is started ends with the test. With
//! `MILLSTREAM_TEST_PEER=HOST:PORT` the protocol tests run against that broker instead, which shows
//! whether Apache Kafka keeps the same rules.

// Each test binary compiles this module for itself and uses its part of it.
#![allow(dead_code)]

pub mod batch;
pub mod broker;
pub mod client;

pub use broker::{Broker, Setup};
pub use client::Client;

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

/// How long anything may take before a test fails. Generous: the machine may be busy.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// A name that no other test uses, nor an earlier run against the same peer.
pub fn unique(prefix: &str) -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    format!("{prefix}-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Waits until `condition` holds.
#[track_caller]
pub fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "not within {PATIENCE:?}: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Runs a protocol test on every back-end that works here, or once against the peer.
pub fn on_each_backend(test: impl Fn(&mut Broker)) {
    on_each_backend_with(&[], test);
}

pub fn on_each_backend_with(configs: &[(&str, &str)], test: impl Fn(&mut Broker)) {
    if let Some(mut peer) = Broker::peer() {
        // Only tests without configs of their own can run against a broker that runs already.
        if configs.is_empty() {
            test(&mut peer);
        }
        return;
    }
    for setup in Setup::backends() {
        eprintln!("-- {setup:?}");
        let setup = configs.iter().fold(setup, |setup, (key, value)| setup.with(key, value));
        test(&mut Broker::start(&setup));
    }
}
