//! What the selftest has found out, what it suggests, and how it is shown.
//!
//! Owns: the figures. Pure: numbers in, words and JSON out. Never: shows a figure that was not
//! measured; it is null, or a dash.

use hdrhistogram::Histogram;
use serde_json::{Value, json};
use std::{fmt::Write, path::Path, time::Duration};

/// Durations of one kind of up to an hour, with three digits.
pub struct Latencies(Histogram<u64>);

impl Default for Latencies {
    fn default() -> Self {
        let hour_ns = 3_600_000_000_000;
        Latencies(Histogram::new_with_max(hour_ns, 3).expect("three digits are allowed"))
    }
}

impl Latencies {
    pub fn record(&mut self, took: Duration) {
        self.0.saturating_record(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
    }

    #[cfg(test)]
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    fn micros(&self, quantile: f64) -> Option<f64> {
        (!self.0.is_empty()).then(|| self.0.value_at_quantile(quantile) as f64 / 1e3)
    }

    fn mean_s(&self) -> Option<f64> {
        (!self.0.is_empty()).then(|| self.0.mean() / 1e9)
    }

    fn json(&self) -> Value {
        json!({
            "count": self.0.len(),
            "p10": self.micros(0.1),
            "p50": self.micros(0.5),
            "p99": self.micros(0.99),
            "max": self.micros(1.0),
        })
    }
}

#[derive(Clone, Copy)]
pub struct Transfer {
    pub bytes: u64,
    pub took: Duration,
}

impl Transfer {
    /// Millions of bytes per second.
    fn mb_per_s(self) -> Option<f64> {
        let rate = self.bytes as f64 / 1e6 / self.took.as_secs_f64();
        (self.bytes > 0 && rate.is_finite()).then_some(rate)
    }
}

/// By the fastest tenth: what others do with the disk at the same time makes the median theirs.
const OWN_QUANTILE: f64 = 0.1;
/// A median this much above the fastest tenth is that of a disk with other work.
const BUSY_FACTOR: f64 = 4.0;
/// A share of the time without a processor that shows in latencies.
const WAITED_MAX: f64 = 0.05;

/// What the time of a small flush suggests of the cache that the disk writes into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WriteCache {
    /// Faster than any way to a device.
    NoFlush,
    Durable,
    FastFlash,
    Flash,
    Slow,
}

impl WriteCache {
    fn judge(flush_us: f64) -> WriteCache {
        match flush_us {
            ..20.0 => WriteCache::NoFlush,
            ..100.0 => WriteCache::Durable,
            ..2_000.0 => WriteCache::FastFlash,
            ..8_000.0 => WriteCache::Flash,
            _ => WriteCache::Slow,
        }
    }

    fn name(self) -> &'static str {
        match self {
            WriteCache::NoFlush => "no-flush",
            WriteCache::Durable => "durable",
            WriteCache::FastFlash => "nvme-volatile",
            WriteCache::Flash => "sata-volatile",
            WriteCache::Slow => "none",
        }
    }

    fn words(self) -> &'static str {
        match self {
            WriteCache::NoFlush => {
                "no flush seems to reach a device: a file system in memory, or a device or \
                 hypervisor that lies; a power cut may lose what was acknowledged"
            }
            WriteCache::Durable => {
                "a durable write cache (power-loss protection), or a cache that lies: ask the \
                 vendor which, the time cannot tell"
            }
            WriteCache::FastFlash => {
                "NVMe or network flash without a durable cache: each flush waits for the medium"
            }
            WriteCache::Flash => "SATA flash without a durable cache, or a busy or remote disk",
            WriteCache::Slow => "no cache that is safe: a rotating disk, or a slow remote one",
        }
    }
}

pub struct Figures {
    dir: String,
    size_bytes: u64,
    /// Whether the file could be opened past the page cache.
    pub is_direct: Option<bool>,
    pub write: Option<Transfer>,
    pub read: Option<Transfer>,
    pub flush_4k: Option<Latencies>,
    pub flush_1m: Option<Latencies>,
    pub round_trips: Option<Latencies>,
    pub transfer: Option<Transfer>,
    pub timer_late: Option<Latencies>,
    pub clock_read_ns: Option<f64>,
    /// The share of the time that the test's thread could have run and had no processor.
    pub waited_ratio: Option<f64>,
    pub interrupted: bool,
    pub error: Option<String>,
}

impl Figures {
    pub fn of(dir: &Path, size_bytes: u64) -> Figures {
        Figures {
            dir: dir.display().to_string(),
            size_bytes,
            is_direct: None,
            write: None,
            read: None,
            flush_4k: None,
            flush_1m: None,
            round_trips: None,
            transfer: None,
            timer_late: None,
            clock_read_ns: None,
            waited_ratio: None,
            interrupted: false,
            error: None,
        }
    }

    fn write_cache(&self) -> Option<WriteCache> {
        Some(WriteCache::judge(self.flush_4k.as_ref()?.micros(OWN_QUANTILE)?))
    }

    fn round_trips_per_s(&self) -> Option<f64> {
        Some(1.0 / self.round_trips.as_ref()?.mean_s()?)
    }

    fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        if self.is_direct == Some(false) {
            remarks.push(
                "the file system has no O_DIRECT: reads and writes went through the page cache, \
                 and the read rate is that of memory"
                    .to_owned(),
            );
        }
        let flushes = self.flush_4k.as_ref();
        if let Some(own) = flushes.and_then(|took| took.micros(OWN_QUANTILE))
            && let Some(median) = flushes.and_then(|took| took.micros(0.5))
            && median > own * BUSY_FACTOR
        {
            remarks.push(format!(
                "one flush in ten took {own:.0} µs or less, half of them {median:.0} µs or more: \
                 the disk had other work; measure again without it"
            ));
        }
        if let Some(waited) = self.waited_ratio.filter(|waited| *waited > WAITED_MAX) {
            remarks.push(format!(
                "the test waited {:.0} % of the time for a processor: other programs are in these \
                 figures",
                waited * 100.0
            ));
        }
        if self.interrupted {
            remarks.push("ended by a signal: what has a dash was not measured".to_owned());
        }
        remarks
    }

    pub fn json(&self) -> Value {
        let rate = |moved: Option<Transfer>| moved.and_then(Transfer::mb_per_s);
        let times = |took: &Option<Latencies>| took.as_ref().map(Latencies::json);
        json!({
            "dir": self.dir,
            "size_bytes": self.size_bytes,
            "disk": {
                "past_page_cache": self.is_direct,
                "write_mb_per_s": rate(self.write),
                "read_mb_per_s": rate(self.read),
                "flush_4k_us": times(&self.flush_4k),
                "flush_1m_us": times(&self.flush_1m),
                "write_cache": self.write_cache().map(WriteCache::name),
                "write_cache_words": self.write_cache().map(WriteCache::words),
            },
            "network": {
                "round_trips_per_s": self.round_trips_per_s(),
                "round_trip_us": times(&self.round_trips),
                "mb_per_s": rate(self.transfer),
            },
            "timer_late_us": times(&self.timer_late),
            "clock_read_ns": self.clock_read_ns,
            "waited_ratio": self.waited_ratio,
            "interrupted": self.interrupted,
            "remarks": self.remarks(),
            "error": self.error,
        })
    }

    pub fn table(&self) -> String {
        let mut text = format!("selftest of {} ({} MiB)\n", self.dir, self.size_bytes >> 20);
        let number = |value: Option<f64>, unit: &str| match value {
            Some(value) => format!("{value:>10.1} {unit}"),
            None => format!("{:>10}", "-"),
        };
        let rate = |moved: Option<Transfer>| number(moved.and_then(Transfer::mb_per_s), "MB/s");
        let times = |took: &Option<Latencies>| match took {
            Some(took) => format!(
                "{} p50  {} p99  {} max  ({} times)",
                number(took.micros(0.5), "µs"),
                number(took.micros(0.99), "µs"),
                number(took.micros(1.0), "µs"),
                took.0.len()
            ),
            None => format!("{:>10}", "-"),
        };
        let rows = [
            ("disk: sequential write", rate(self.write)),
            ("disk: sequential read", rate(self.read)),
            ("disk: 4 KiB append + flush", times(&self.flush_4k)),
            ("disk: 1 MiB append + flush", times(&self.flush_1m)),
            ("loopback: round trips", number(self.round_trips_per_s(), "per second")),
            ("loopback: one round trip", times(&self.round_trips)),
            ("loopback: one connection", rate(self.transfer)),
            ("timer: 1 ms sleep is late by", times(&self.timer_late)),
            ("clock: one read", number(self.clock_read_ns, "ns")),
        ];
        for (name, value) in rows {
            let _ = writeln!(text, "  {name:<30}{value}");
        }
        if let Some(cache) = self.write_cache() {
            let _ = writeln!(text, "  write cache, by its flush time: {}", cache.words());
        }
        for remark in self.remarks() {
            let _ = writeln!(text, "  note: {remark}");
        }
        text.truncate(text.trim_end().len());
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_flushes(micros: u64) -> Figures {
        let mut figures = Figures::of(Path::new("/logs"), 8 << 20);
        let mut took = Latencies::default();
        took.record(Duration::from_micros(micros));
        figures.flush_4k = Some(took);
        figures
    }

    #[test]
    fn the_flush_time_tells_the_kind_of_write_cache() {
        for (micros, name) in [
            (5, "no-flush"),
            (60, "durable"),
            (400, "nvme-volatile"),
            (3_000, "sata-volatile"),
            (12_000, "none"),
        ] {
            let json = with_flushes(micros).json();
            assert_eq!(json["disk"]["write_cache"], json!(name), "{micros} µs");
        }
    }

    #[test]
    fn what_was_not_measured_is_null_and_a_dash() {
        let mut figures = Figures::of(Path::new("/logs"), 8 << 20);
        figures.interrupted = true;
        figures.flush_4k = Some(Latencies::default());
        let json = figures.json();
        assert_eq!(json["disk"]["write_mb_per_s"], Value::Null);
        assert_eq!(json["disk"]["flush_4k_us"]["p50"], Value::Null);
        assert_eq!(json["disk"]["write_cache"], Value::Null);
        assert_eq!(json["timer_late_us"], Value::Null);
        let table = figures.table();
        assert!(table.contains("ended by a signal") && !table.contains("write cache"), "{table}");
        assert!(table.lines().any(|line| line.trim_end().ends_with('-')), "{table}");
    }

    #[test]
    fn rates_are_millions_of_bytes_per_second() {
        let moved = |bytes, took| Transfer { bytes, took }.mb_per_s();
        assert_eq!(moved(5_000_000, Duration::from_secs(2)), Some(2.5));
        assert_eq!(moved(0, Duration::from_secs(2)), None);
        assert_eq!(moved(1, Duration::ZERO), None);
    }

    #[test]
    fn a_busy_disk_is_said_and_its_cache_is_judged_by_what_it_can() {
        let mut figures = with_flushes(200);
        let took = figures.flush_4k.as_mut().unwrap();
        (0..4).for_each(|_| took.record(Duration::from_millis(9)));
        assert_eq!(figures.json()["disk"]["write_cache"], json!("nvme-volatile"));
        assert!(figures.table().contains("the disk had other work"), "{}", figures.table());
        assert!(!with_flushes(200).table().contains("other work"));
    }

    #[test]
    fn waiting_for_a_processor_is_said() {
        let mut figures = with_flushes(200);
        figures.waited_ratio = Some(0.01);
        assert!(!figures.table().contains("waited"));
        figures.waited_ratio = Some(0.2);
        assert!(figures.table().contains("waited 20 %"), "{}", figures.table());
    }

    #[test]
    fn a_page_cache_that_was_not_avoided_is_said() {
        let mut figures = with_flushes(60);
        figures.is_direct = Some(false);
        assert!(figures.table().contains("no O_DIRECT"));
        figures.is_direct = Some(true);
        assert!(!figures.table().contains("no O_DIRECT"));
    }
}
