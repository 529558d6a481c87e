//! When a node may be connected to again, and how long a connect may take: Kafka's
//! `ClusterConnectionStates` for one node.
//!
//! Owns: the counts of failures. Lives on: the core of its node. Never: looks at a clock or makes a
//! random number: both are handed in.

use ring::Instant;
use std::time::Duration;

/// How much a backoff may differ either way, in parts of a million: Kafka's 20 %.
const JITTER_PER_MILLION: u64 = 200_000;

/// A time that doubles with each failure up to a limit, with jitter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExponentialBackoff {
    pub initial: Duration,
    pub max: Duration,
}

impl ExponentialBackoff {
    /// The time after so many failures before this one.
    pub fn after(self, failures: u32, random: u64) -> Duration {
        if self.initial >= self.max {
            return self.initial;
        }
        let doubled = self.initial.saturating_mul(1u32.checked_shl(failures).unwrap_or(u32::MAX));
        let parts = 1_000_000 - JITTER_PER_MILLION + random % (2 * JITTER_PER_MILLION + 1);
        let jittered_ns = doubled.min(self.max).as_nanos() * u128::from(parts) / 1_000_000;
        Duration::from_nanos(u64::try_from(jittered_ns).unwrap_or(u64::MAX)).min(self.max)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Disconnected,
    Connecting,
    Ready,
}

/// The state of the connection to one node.
#[derive(Clone, Debug)]
pub struct NodeConnectionState {
    reconnect_backoff: ExponentialBackoff,
    setup_timeout: ExponentialBackoff,
    phase: Phase,
    /// Ends of connections and failed connects since the last connection that was ready.
    failures: u32,
    /// Connects that failed since then.
    failed_connects: u32,
    may_connect_at: Instant,
}

impl NodeConnectionState {
    pub fn new(reconnect_backoff: ExponentialBackoff, setup_timeout: ExponentialBackoff) -> Self {
        NodeConnectionState {
            reconnect_backoff,
            setup_timeout,
            phase: Phase::Disconnected,
            failures: 0,
            failed_connects: 0,
            may_connect_at: Instant(0),
        }
    }

    /// How long from `now` on no connect may begin.
    pub fn delay(&self, now: Instant) -> Duration {
        self.may_connect_at.since(now)
    }

    /// A connect begins; says how long it may take.
    pub fn connecting(&mut self, random: u64) -> Duration {
        self.phase = Phase::Connecting;
        self.setup_timeout.after(self.failed_connects, random)
    }

    /// The connection is there, and its versions are known.
    pub fn ready(&mut self) {
        self.phase = Phase::Ready;
        self.failures = 0;
        self.failed_connects = 0;
    }

    /// The connection ended at `at`, or the connect failed.
    pub fn disconnected(&mut self, at: Instant, random: u64) {
        if self.phase == Phase::Connecting {
            self.failed_connects = self.failed_connects.saturating_add(1);
        }
        self.phase = Phase::Disconnected;
        self.may_connect_at = at + self.reconnect_backoff.after(self.failures, random);
        self.failures = self.failures.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn backoff(initial_ms: u64, max_ms: u64) -> ExponentialBackoff {
        let (initial, max) = (Duration::from_millis(initial_ms), Duration::from_millis(max_ms));
        ExponentialBackoff { initial, max }
    }

    const RECONNECT: ExponentialBackoff = backoff(50, 1000);
    const SETUP: ExponentialBackoff = backoff(10_000, 30_000);
    /// Neither shortens nor lengthens.
    const MIDDLE: u64 = JITTER_PER_MILLION;
    const LONGEST: u64 = 2 * JITTER_PER_MILLION;

    fn at_ms(ms: u64) -> Instant {
        Instant(ms * 1_000_000)
    }

    #[test]
    fn a_backoff_doubles_up_to_its_limit() {
        let ms = |failures, random| RECONNECT.after(failures, random).as_millis();
        let doubling: Vec<_> = (0..7).map(|failures| ms(failures, MIDDLE)).collect();
        assert_eq!(doubling, [50, 100, 200, 400, 800, 1000, 1000]);
        assert_eq!((ms(31, MIDDLE), ms(32, MIDDLE), ms(u32::MAX, MIDDLE)), (1000, 1000, 1000));
    }

    #[test]
    fn jitter_is_a_fifth_either_way_and_never_beyond_the_limit() {
        let ms = |failures, random| RECONNECT.after(failures, random).as_millis();
        assert_eq!((ms(0, 0), ms(0, LONGEST), ms(0, LONGEST + 1)), (40, 60, 40));
        assert_eq!((ms(9, 0), ms(9, LONGEST)), (800, 1000));
        // As Kafka's: without a range there is no jitter.
        assert_eq!(backoff(50, 50).after(3, 0), Duration::from_millis(50));
        assert_eq!(backoff(50, 20).after(0, 0), Duration::from_millis(50));
    }

    #[test]
    fn failures_put_the_next_connect_off_and_a_ready_connection_forgets_them() {
        let mut state = NodeConnectionState::new(RECONNECT, SETUP);
        assert_eq!(state.delay(at_ms(0)), Duration::ZERO, "the first connect waits for nothing");
        let mut now = 0;
        for (wait_ms, setup_ms) in [(50, 10_000), (100, 20_000), (200, 30_000), (400, 30_000)] {
            assert_eq!(state.connecting(MIDDLE).as_millis(), setup_ms);
            state.disconnected(at_ms(now), MIDDLE);
            assert_eq!(state.delay(at_ms(now)).as_millis(), wait_ms);
            assert_eq!(state.delay(at_ms(now + 10)).as_millis(), wait_ms - 10);
            now += wait_ms as u64;
            assert_eq!(state.delay(at_ms(now)), Duration::ZERO);
        }
        state.connecting(MIDDLE);
        state.ready();
        state.disconnected(at_ms(now), MIDDLE);
        assert_eq!(state.delay(at_ms(now)).as_millis(), 50);
        assert_eq!(state.connecting(MIDDLE).as_millis(), 10_000);
    }

    #[test]
    fn the_end_of_a_ready_connection_does_not_lengthen_the_setup_timeout() {
        let mut state = NodeConnectionState::new(RECONNECT, SETUP);
        state.connecting(MIDDLE);
        state.ready();
        state.disconnected(at_ms(0), MIDDLE);
        assert_eq!(state.connecting(MIDDLE).as_millis(), 10_000);
        state.disconnected(at_ms(0), MIDDLE);
        assert_eq!(state.connecting(MIDDLE).as_millis(), 20_000);
    }
}
