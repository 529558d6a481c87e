//! The event log of the run under way: what the clients saw, what the storm did, what the broker
//! logged.
//!
//! Owns: the last lines of it, per thread, so that a run that panics can still be told about.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    io,
    sync::Once,
};

/// Lines that are kept: the story of the last seconds before a failure.
const KEPT_LINES: usize = 120;

thread_local! {
    static LINES: RefCell<VecDeque<String>> = const { RefCell::new(VecDeque::new()) };
    static NOW_NS: Cell<u64> = const { Cell::new(0) };
    static VERBOSE: Cell<bool> = const { Cell::new(false) };
}

/// Begins a new run's log. A verbose one is also printed as it happens.
pub fn begin(verbose: bool) {
    static SUBSCRIBER: Once = Once::new();
    SUBSCRIBER.call_once(|| {
        let filter =
            tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "warn".into());
        let builder =
            tracing_subscriber::fmt().with_env_filter(filter).with_writer(|| Sink).without_time();
        builder.with_ansi(false).with_target(false).init();
    });
    LINES.with(|lines| lines.borrow_mut().clear());
    NOW_NS.set(0);
    VERBOSE.set(verbose);
}

/// Adds a line at a point of virtual time.
pub fn note(now: ring::Instant, text: String) {
    NOW_NS.set(now.0);
    push(text);
}

fn push(text: String) {
    let line = format!("{:>12.6} {text}", NOW_NS.get() as f64 / 1e9);
    if VERBOSE.get() {
        eprintln!("{line}");
    }
    LINES.with(|lines| {
        let mut lines = lines.borrow_mut();
        if lines.len() == KEPT_LINES {
            lines.pop_front();
        }
        lines.push_back(line);
    });
}

/// The last lines, oldest first.
pub fn tail() -> Vec<String> {
    LINES.with(|lines| lines.borrow().iter().cloned().collect())
}

/// Takes the broker's log lines in.
struct Sink;

impl io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        push(format!("broker: {}", String::from_utf8_lossy(bytes).trim_end()));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
