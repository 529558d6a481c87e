//! How the simulated world behaves: latencies, and how often what goes wrong.

use super::random::Random;
use std::time::Duration;

/// A range of times. Draws favour its lower end, as latencies do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub min: Duration,
    pub max: Duration,
}

impl Span {
    pub const fn micros(min: u64, max: u64) -> Self {
        Self { min: Duration::from_micros(min), max: Duration::from_micros(max) }
    }

    pub(super) fn draw_ns(self, random: &mut Random) -> u64 {
        let (min, max) = (self.min.as_nanos() as u64, self.max.as_nanos() as u64);
        assert!(min <= max, "a span from {min} ns to {max} ns");
        let first = random.below(max - min + 1);
        let drawn = min + random.below(first + 1);
        assert!((min..=max).contains(&drawn), "{drawn} ns are drawn of {min} to {max}");
        drawn
    }
}

/// Everything that can be set about a world. Likelihoods are per million.
#[derive(Clone, Copy, Debug)]
pub struct SimOptions {
    pub disk: DiskOptions,
    pub network: NetworkOptions,
    pub cores: CoreOptions,
    pub clocks: ClockOptions,
}

#[derive(Clone, Copy, Debug)]
pub struct DiskOptions {
    pub read: Span,
    pub write: Span,
    pub sync: Span,
    /// Open, rename, unlink, truncate, allocate and their like.
    pub metadata: Span,
    /// An operation takes `slow` on top of its own latency.
    pub slow_per_million: u32,
    pub slow: Span,
    pub read_error_per_million: u32,
    pub write_error_per_million: u32,
    pub sync_error_per_million: u32,
    pub short_read_per_million: u32,
    /// Part of what is to be sent from a file is not in the page cache.
    pub cold_per_million: u32,
    /// A dirty page, or a change of a directory, reaches the disk before a caller syncs it.
    pub early_writeback_per_million: u32,
    /// Size of every disk; [`super::DiskControl::set_capacity_bytes`] changes one of them.
    pub capacity_bytes: u64,
}

#[derive(Clone, Copy, Debug)]
pub struct NetworkOptions {
    /// One way, between two nodes.
    pub latency: Span,
    /// One way, within a node.
    pub loopback: Span,
    /// How long a connect tries to reach a silent address.
    pub connect_timeout: Duration,
    /// How long bytes may stay unacknowledged before the sender's end gives up.
    pub unacknowledged_timeout: Duration,
    /// Bytes in flight per direction before a send waits, where the listener's options do not say.
    pub window_bytes: usize,
    pub short_receive_per_million: u32,
    /// A sent buffer travels in two pieces, the second one later.
    pub split_per_million: u32,
    /// Per arrival: the connection breaks between two of the bytes that are on their way.
    pub break_per_million: u32,
    /// How often an end of a broken connection, or the peer of a node without power, is not told.
    pub half_open_per_million: u32,
    /// A reset takes with it what has arrived and is not read yet.
    pub reset_discards_per_million: u32,
}

#[derive(Clone, Copy, Debug)]
pub struct CoreOptions {
    /// Virtual time that one turn of a core takes.
    pub turn: Span,
    /// Time from a completion to the turn that sees it.
    pub wake: Span,
    /// Time from a core's doorbell to its turn.
    pub doorbell: Span,
    /// A turn takes `preemption` on top.
    pub preemption_per_million: u32,
    pub preemption: Span,
    /// Turns in a row that nothing from outside asked for, after which the world panics, naming its
    /// seed.
    pub endless_turns: u32,
}

#[derive(Clone, Copy, Debug)]
pub struct ClockOptions {
    /// Each node's wall clock is off by at most this, either way, from its start.
    pub offset_ms: u32,
    /// Each node's wall clock runs fast or slow by at most this.
    pub drift_per_million: u32,
}

impl SimOptions {
    /// Latencies vary, nothing fails.
    pub fn calm() -> Self {
        Self {
            disk: DiskOptions {
                read: Span::micros(2, 150),
                write: Span::micros(2, 40),
                sync: Span::micros(100, 2_000),
                metadata: Span::micros(5, 60),
                slow_per_million: 0,
                slow: Span::micros(5_000, 400_000),
                read_error_per_million: 0,
                write_error_per_million: 0,
                sync_error_per_million: 0,
                short_read_per_million: 0,
                cold_per_million: 125_000,
                early_writeback_per_million: 60_000,
                capacity_bytes: 1 << 40,
            },
            network: NetworkOptions {
                latency: Span::micros(20, 300),
                loopback: Span::micros(3, 30),
                connect_timeout: Duration::from_secs(20),
                unacknowledged_timeout: Duration::from_secs(30),
                window_bytes: 256 * 1024,
                short_receive_per_million: 20_000,
                split_per_million: 20_000,
                break_per_million: 0,
                half_open_per_million: 0,
                reset_discards_per_million: 0,
            },
            cores: CoreOptions {
                turn: Span::micros(1, 5),
                wake: Span::micros(0, 3),
                doorbell: Span::micros(0, 20),
                preemption_per_million: 0,
                preemption: Span::micros(1_000, 60_000),
                endless_turns: 200_000,
            },
            clocks: ClockOptions { offset_ms: 0, drift_per_million: 0 },
        }
    }

    /// A random subset of the faults, each of random strength: all at once would hide bugs from one
    /// another.
    pub fn stormy(seed: u64) -> Self {
        let mut random = Random::new(seed ^ 0x73_746f_726d);
        let mut options = Self::calm();
        let mut strength = |rarely: u32, often: u32| {
            let hit = random.below(3) == 0;
            let value = rarely + random.below(u64::from(often - rarely) + 1) as u32;
            if hit { value } else { 0 }
        };
        let disk = &mut options.disk;
        disk.slow_per_million = strength(50, 5_000);
        disk.read_error_per_million = strength(5, 200);
        disk.write_error_per_million = strength(5, 200);
        disk.sync_error_per_million = strength(20, 2_000);
        disk.short_read_per_million = strength(1_000, 300_000);
        disk.early_writeback_per_million = strength(1_000, 500_000);
        let network = &mut options.network;
        network.short_receive_per_million += strength(10_000, 400_000);
        network.split_per_million += strength(10_000, 400_000);
        network.break_per_million = strength(20, 2_000);
        network.half_open_per_million = strength(100_000, 900_000);
        network.reset_discards_per_million = strength(100_000, 900_000);
        if strength(1, 2) > 0 {
            network.latency.max = Duration::from_millis(u64::from(strength(1, 200)).max(1));
        }
        if strength(1, 2) > 0 {
            network.window_bytes = 1 << (10 + strength(0, 6));
        }
        let cores = &mut options.cores;
        cores.preemption_per_million = strength(20, 2_000);
        if strength(1, 2) > 0 {
            cores.doorbell.max = Duration::from_micros(u64::from(strength(100, 20_000)).max(20));
        }
        options.clocks = ClockOptions {
            offset_ms: strength(1, 120_000),
            drift_per_million: strength(10, 5_000),
        };
        options
    }
}

impl Default for SimOptions {
    fn default() -> Self {
        Self::calm()
    }
}
