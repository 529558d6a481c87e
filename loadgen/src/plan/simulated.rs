//! Knees of a broker whose costs are known, for tests. Pure: the seed decides.

use crate::random::Random;
use serde_json::{Value, json};

/// Seconds of a core, for each of what a broker is given to do.
pub const PER_PRODUCE: f64 = 20e-6;
pub const PER_WRITTEN_BYTE: f64 = 1e-9;
pub const PER_FETCH: f64 = 15e-6;
pub const PER_FETCHED_BYTE: f64 = 0.5e-9;
pub const PER_PARTITION: f64 = 1e-5;
pub const PER_CONNECTION: f64 = 1e-5;
pub const IDLE: f64 = 0.002;
const SERVICE_MS: f64 = 0.2;

#[derive(Clone, Copy, Debug)]
pub struct Load {
    pub record_size: u64,
    pub records_per_batch: f64,
    pub partitions: u64,
    pub connections: u64,
    pub consumers: u64,
    pub cores: u64,
    pub sigma: f64,
}

impl Default for Load {
    fn default() -> Load {
        Load {
            record_size: 100,
            records_per_batch: 10.0,
            partitions: 4,
            connections: 4,
            consumers: 1,
            cores: 1,
            sigma: 0.0,
        }
    }
}

impl Load {
    /// Core seconds per second at a rate of records, as if the cores shared nothing.
    pub fn processors(&self, rate: f64) -> f64 {
        let batches = rate / self.records_per_batch;
        let bytes = batches * self.batch_bytes();
        let readers = self.consumers.min(1) as f64;
        IDLE + batches * PER_PRODUCE
            + bytes * PER_WRITTEN_BYTE
            + readers * (batches * PER_FETCH + bytes * PER_FETCHED_BYTE)
            + self.partitions as f64 * PER_PARTITION
            + (self.connections + self.consumers) as f64 * PER_CONNECTION
    }

    fn batch_bytes(&self) -> f64 {
        61.0 + self.records_per_batch * (self.record_size as f64 + 8.0)
    }

    fn slowdown(&self) -> f64 {
        1.0 + self.sigma * (self.cores as f64 - 1.0)
    }

    /// The rate at which all cores are busy.
    pub fn saturation(&self) -> f64 {
        let room = self.cores as f64 / self.slowdown() - self.processors(0.0);
        room / (self.processors(1.0) - self.processors(0.0))
    }

    /// What `loadgen knee --json` would have written, with this much noise in each figure.
    pub fn knee(&self, seed: u64, noise: f64) -> Value {
        let mut chance = Random::new(seed, 0);
        let full = self.saturation();
        let shares = [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9];
        let trials: Vec<Value> =
            shares.iter().map(|share| self.trial(full * share, noise, &mut chance)).collect();
        let rate = full * 0.9;
        json!({
            "error": null,
            "knee": { "records_per_s": rate, "sd": rate * 0.01, "low": rate, "high": rate },
            "slo": ["response p99<=10ms"],
            "limit": "broker core",
            "trials": trials,
            "options": {
                "partitions": self.partitions,
                "connections": self.connections,
                "consumers": self.consumers,
                "record_size": self.record_size,
                "acks": -1,
                "compression": "none",
                "batch_size": (self.batch_bytes()).round(),
                "linger_ms": 600_000.0,
                "fan_out": false,
            },
            "broker": { "cores": self.cores, "brokers": 1 },
            "environment": {
                "loadgen_version": "0.1.0",
                "kernel": "Linux 6.0",
                "processor": "2 × Simulated",
            },
        })
    }

    fn trial(&self, rate: f64, noise: f64, chance: &mut Random) -> Value {
        let mut noisy = |value: f64| value * (noise * chance.normal()).exp();
        let batches = rate / self.records_per_batch;
        let bytes = batches * self.batch_bytes();
        let readers = self.consumers.min(1) as f64;
        let processors = self.processors(rate) * self.slowdown();
        let busy = processors / self.cores as f64;
        let wait = busy / (1.0 - busy) * SERVICE_MS;
        json!({
            "rate": rate,
            "records_per_s": rate,
            "void": null,
            "errors": 0,
            "produce_requests_per_s": batches,
            "batches_per_s": batches,
            "written_bytes_per_s": bytes,
            "value_bytes_per_s": rate * self.record_size as f64,
            "fetch_requests_per_s": batches * readers,
            "fetched_bytes_per_s": bytes * readers,
            "to_broker_bytes_per_s": noisy(bytes + 100.0 * batches * (1.0 + readers)),
            "from_broker_bytes_per_s": noisy(bytes * readers + 60.0 * batches * (1.0 + readers)),
            "flushes_per_s": 0.5,
            "broker_processors": noisy(processors),
            "broker_written_bytes_per_s": noisy(bytes * 1.05),
            "broker_busiest_thread_ratio": busy,
            "busiest_disk_ratio": 0.1,
            "response_time_ms": {
                "p50": noisy(0.3 + wait),
                "p99": noisy(0.8 + 4.6 * wait),
                "p99_9": noisy(1.2 + 6.9 * wait),
            },
            "end_to_end_ms": { "p50": null, "p99": null, "p99_9": null },
        })
    }
}

/// Loads that tell all costs apart.
pub fn loads() -> [Load; 6] {
    let load = Load::default();
    [
        load,
        Load { records_per_batch: 1.0, consumers: 0, ..load },
        Load { record_size: 1_000, records_per_batch: 60.0, ..load },
        Load { partitions: 3_000, consumers: 0, ..load },
        Load { connections: 2_000, record_size: 300, ..load },
        Load { record_size: 10_000, records_per_batch: 6.0, consumers: 0, ..load },
    ]
}
