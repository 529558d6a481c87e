//! The JSON of a run, and the file that it goes to. Its keys only grow.
//!
//! Owns: that file. Never: writes a 0 for a figure that was not measured; it is `null`.

use super::{Details, Environment, GeneratorLoad, QUANTILES, Report, ms};
use crate::{
    options::{Backend, Codec, Rate, RunOptions},
    outages::Outage,
    tallies::Tallies,
    timeline::Point,
    verify::Verification,
};
use anyhow::Context;
use base64::{Engine, engine::general_purpose::STANDARD};
use hdrhistogram::{
    Histogram,
    serialization::{Deserializer, Serializer, V2Serializer},
};
use serde_json::{Map, Value, json};
use std::{
    fs::File,
    io::{Seek, Write},
    path::PathBuf,
};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

impl Report {
    pub fn json(&self) -> Value {
        let tallies = &self.tallies;
        let mut json = json!({
            "error": null,
            "records_per_s": self.per_second(self.records()),
            "bytes_per_s": self.per_second(self.bytes()),
            "errors": self.errors(),
            "unanswered": tallies.unanswered,
            "errors_by_code": tallies.errors_by_code,
            "outages": self.outages().0.iter().map(|one| outage(one, tallies)).collect::<Vec<_>>(),
            "outages_left_out": self.outages().1,
            "unsent": tallies.unsent,
            "fetch_errors": tallies.fetch_errors,
            "verified": self.verification.verified(),
            "service_time_ms": quantiles(&tallies.service),
            "response_time_ms": quantiles(&tallies.response),
            "end_to_end_ms": quantiles(&tallies.end_to_end),
            "seconds": self.seconds,
            "acknowledged": tallies.acknowledged,
            "consumed": tallies.consumed,
            "fetched_bytes": tallies.fetched_bytes,
            "lost": self.verification.lost,
            "duplicated_or_out_of_order": self.verification.duplicated_or_out_of_order,
            "unread": self.verification.unread,
            "batches": tallies.batches,
            "wire_bytes": tallies.wire_bytes,
            "leader_moves": self.leader_moves,
            "generator_busy_ratio": self.generator.busy,
            "generator_waited_ratio": self.generator.waited,
            "interrupted": self.interrupted,
            "remarks": self.remarks(),
            "backend": self.backend,
            "options": options_json(&self.options),
            "environment": environment(self),
            "histograms": {
                "unit": "ns",
                "encoding": "HdrHistogram V2, uncompressed, base64",
                "service_time": encoded(&tallies.service),
                "response_time": encoded(&tallies.response),
                "end_to_end": encoded(&tallies.end_to_end),
            },
            "timeline": tallies.timeline.points().iter().map(point).collect::<Vec<_>>(),
        });
        if let Value::Object(json) = &mut json {
            json.extend(self.details_json());
        }
        json
    }
}

/// The JSON of a run that did not come to its load: the same keys, every figure `null`.
pub fn failed(options: &RunOptions, environment: &Environment, error: &anyhow::Error) -> Value {
    let verification = Verification::judge(options, crate::verify::Findings::default());
    let nothing = Report {
        options: options.clone(),
        backend: "",
        tallies: Tallies::default(),
        seconds: 0.0,
        verification,
        generator: GeneratorLoad::default(),
        leader_moves: 0,
        interrupted: false,
        cut_short: false,
        not_read_again: None,
        wire: None,
        environment: environment.clone(),
        details: Details::default(),
    };
    let Value::Object(mut report) = nothing.json() else { unreachable!("a report is an object") };
    for (key, value) in &mut report {
        match key.as_str() {
            "options" | "environment" => {}
            "error" => *value = json!(format!("{error:#}")),
            "remarks" => *value = json!([]),
            _ => erase(value),
        }
    }
    Value::Object(report)
}

fn erase(value: &mut Value) {
    match value {
        Value::Object(parts) if !parts.is_empty() => parts.values_mut().for_each(erase),
        figure => *figure = Value::Null,
    }
}

pub fn options_json(options: &RunOptions) -> Value {
    json!({
        "bootstrap": options.bootstrap.join(","),
        "topic": options.topic,
        "partitions": options.partitions,
        "replication_factor": options.replication_factor,
        "record_size": options.record_size,
        "duration_s": options.duration.as_secs_f64(),
        "warm_up_s": options.warm_up.as_secs_f64(),
        "settle_s": options.patience().as_secs_f64(),
        "rate": match options.rate { Rate::Max => json!("max"),
            Rate::PerSecond(rate) => json!(rate) },
        "acks": options.acks.code(),
        "connections": options.connections,
        "batch_size": options.batch_size,
        "linger_ms": options.linger_ms,
        "in_flight": options.in_flight,
        "compression": codec_name(options.compression),
        "idempotence": options.idempotence,
        "through_restarts": options.through_restarts,
        "consumers": options.consumers,
        "keys": options.keys,
        "fan_out": options.fan_out,
        "skim": options.skim,
        "consume_only": options.consume_only,
        "once": options.once,
        "fetch_size": options.fetch_size,
        "core": options.core,
        "backend": match options.backend {
            Backend::Auto => "auto",
            Backend::IoUring => "io_uring",
            Backend::Epoll => "epoll",
        },
    })
}

pub fn codec_name(codec: Codec) -> &'static str {
    match codec {
        Codec::None => "none",
        Codec::Gzip => "gzip",
        Codec::Snappy => "snappy",
        Codec::Lz4 => "lz4",
        Codec::Zstd => "zstd",
    }
}

/// Everything that is needed to repeat the run, beside its options.
fn environment(report: &Report) -> Value {
    let Environment { machine, began_ms } = &report.environment;
    json!({
        "loadgen_version": env!("CARGO_PKG_VERSION"),
        "command_line": machine.command_line,
        "date": began_ms.and_then(date),
        "kernel": machine.kernel,
        "processor": machine.processor,
        "api_versions": {
            "produce": report.wire.map(|wire| wire.produce_version),
            "fetch": report.wire.map(|wire| wire.fetch_version),
        },
    })
}

/// As RFC 3339 writes it, in UTC.
pub fn date(unix_ms: i64) -> Option<String> {
    let date = OffsetDateTime::from_unix_timestamp(unix_ms / 1_000).ok()?;
    date.format(&Rfc3339).ok()
}

fn outage(outage: &Outage, tallies: &Tallies) -> Value {
    json!({
        "at_s": outage.from.since(tallies.measure_from).as_secs_f64(),
        "seconds": outage.until.since(outage.from).as_secs_f64(),
        "is_over": outage.is_over,
    })
}

fn point(point: &Point) -> Value {
    let response = |quantile| point.response_ns(quantile).map(ms);
    json!({
        "at_s": point.from.as_secs_f64(),
        "seconds": point.length.as_secs_f64(),
        "acknowledged": point.counts.acknowledged,
        "acknowledged_bytes": point.counts.acknowledged_bytes,
        "consumed": point.counts.consumed,
        "consumed_bytes": point.counts.consumed_bytes,
        "errors_by_code": point.counts.errors,
        "fetch_errors": point.counts.fetch_errors,
        "response_time_ms": {
            "p50": response(0.5),
            "p99": response(0.99),
            "max": point.longest_ns().map(ms),
        },
        "backlog": point.gauges.backlog,
        "generator_busy_ratio": point.gauges.busy,
    })
}

/// So that other programs can merge and compare: every HdrHistogram library reads it.
fn encoded(histogram: &Histogram<u64>) -> Option<String> {
    let mut bytes = Vec::new();
    V2Serializer::new().serialize(histogram, &mut bytes).ok().filter(|_| !histogram.is_empty())?;
    Some(STANDARD.encode(bytes))
}

/// The inverse of what stands in `histograms`.
pub fn histogram_of(text: &str) -> Option<Histogram<u64>> {
    let bytes = STANDARD.decode(text).ok()?;
    Deserializer::new().deserialize(&mut bytes.as_slice()).ok()
}

/// `null` for each where nothing was measured.
fn quantiles(histogram: &Histogram<u64>) -> Value {
    let value = |ns: u64| if histogram.is_empty() { Value::Null } else { json!(ms(ns)) };
    let mut quantiles: Map<String, Value> = QUANTILES
        .iter()
        .map(|(name, q)| ((*name).to_owned(), value(histogram.value_at_quantile(*q))))
        .collect();
    quantiles.insert("max".to_owned(), value(histogram.max()));
    Value::Object(quantiles)
}

/// Where the JSON, or the page, goes. It is opened before the load, so that a path that cannot be
/// written is an error then, and a report of an earlier run is never taken for this one's.
pub struct ReportFile {
    path: PathBuf,
    file: File,
}

impl ReportFile {
    /// `option`: the one that named the path.
    pub fn create(option: &str, path: PathBuf) -> anyhow::Result<ReportFile> {
        let hint = || {
            format!(
                "cannot write {}: give {option} the path of a file in a folder that exists",
                path.display()
            )
        };
        let file = File::create(&path).with_context(hint)?;
        Ok(ReportFile { path, file })
    }

    pub fn write_json(self, report: &Value) -> anyhow::Result<()> {
        self.write(&(serde_json::to_string_pretty(report)? + "\n"))
    }

    pub fn write(mut self, text: &str) -> anyhow::Result<()> {
        // A pipe cannot be rewound, and need not be.
        let _ = self.file.rewind();
        self.file
            .write_all(text.as_bytes())
            .with_context(|| format!("cannot write {}", self.path.display()))
    }
}
