//! Timers and the clock: how late the kernel wakes a thread, and what a look at the clock costs.
//!
//! Owns: nothing. Lives on: the selftest's thread. Never: sleeps through the ring, whose timers
//! have ticks of a millisecond: that would measure the ring, not the host.

use super::{Bench, figures::Latencies};
use std::{
    hint::black_box,
    thread,
    time::{Duration, Instant},
};

const SLEEP: Duration = Duration::from_millis(1);
/// After so many sleeps the core looks whether the user wants the end.
const SLEEPS_A_TURN: usize = 50;
const READS: u32 = 1_000_000;

/// How much later than asked a thread runs again.
pub async fn sleep_lateness(bench: &Bench, length: Duration) -> Latencies {
    let mut late = Latencies::default();
    let began = Instant::now();
    while !bench.ended() && began.elapsed() < length {
        for _ in 0..SLEEPS_A_TURN {
            let from = Instant::now();
            thread::sleep(SLEEP);
            late.record(from.elapsed().saturating_sub(SLEEP));
        }
        bench.ring.sleep(Duration::ZERO).await;
    }
    late
}

/// The mean of many reads, in nanoseconds.
pub fn clock_read_ns() -> f64 {
    let began = Instant::now();
    for _ in 0..READS {
        black_box(Instant::now());
    }
    began.elapsed().as_nanos() as f64 / f64::from(READS)
}
