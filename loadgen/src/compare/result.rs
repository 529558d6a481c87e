//! The result of one run, as `loadgen run --json` wrote it, and what is compared of it.
//!
//! Owns: nothing; a file is read once. Never: takes a file for a result that is none.

use super::judge::Estimate;
use crate::report::histogram_of;
use anyhow::{Context, bail, ensure};
use hdrhistogram::Histogram;
use serde_json::{Map, Value};
use std::{fs, path::Path};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// More is faster.
    Rate,
    /// Of `response_time` or `service_time`. Less is faster.
    Latency {
        of: &'static str,
        per_mille: u32,
    },
    Errors,
    Share,
}

/// What is compared.
#[derive(Debug)]
pub struct Figure {
    pub name: &'static str,
    /// In the JSON of a run.
    pointer: &'static str,
    pub kind: Kind,
}

const RESPONSE: &str = "response_time";
const SERVICE: &str = "service_time";

const fn latency(
    name: &'static str,
    pointer: &'static str,
    of: &'static str,
    per_mille: u32,
) -> Figure {
    Figure { name, pointer, kind: Kind::Latency { of, per_mille } }
}

pub const FIGURES: [Figure; 9] = [
    Figure { name: "records/s", pointer: "/records_per_s", kind: Kind::Rate },
    latency("response p50, ms", "/response_time_ms/p50", RESPONSE, 500),
    latency("response p99, ms", "/response_time_ms/p99", RESPONSE, 990),
    latency("response p99.9, ms", "/response_time_ms/p99_9", RESPONSE, 999),
    latency("service p50, ms", "/service_time_ms/p50", SERVICE, 500),
    latency("service p99, ms", "/service_time_ms/p99", SERVICE, 990),
    latency("service p99.9, ms", "/service_time_ms/p99_9", SERVICE, 999),
    Figure { name: "errors", pointer: "/errors", kind: Kind::Errors },
    Figure { name: "generator busy", pointer: "/generator_busy_ratio", kind: Kind::Share },
];

pub struct RunResult {
    pub name: String,
    pub is_interrupted: bool,
    pub has_histograms: bool,
    /// Options, and where it ran.
    pub setting: Map<String, Value>,
    json: Value,
    response: Option<Histogram<u64>>,
    service: Option<Histogram<u64>>,
}

/// Of the surroundings, what a difference may come from.
const SURROUNDINGS: [&str; 4] = ["loadgen_version", "kernel", "processor", "api_versions"];
/// Seconds of the timeline that are shorter are no sample.
const SAMPLE_LENGTH_MIN_S: f64 = 0.5;

impl RunResult {
    pub fn read(path: &Path) -> anyhow::Result<RunResult> {
        let text = fs::read_to_string(path).with_context(|| {
            format!("cannot read {}: give files that loadgen run --json FILE wrote", path.display())
        })?;
        RunResult::parse(&path.display().to_string(), &text)
    }

    pub fn parse(name: &str, text: &str) -> anyhow::Result<RunResult> {
        let json: Value = serde_json::from_str(text).unwrap_or(Value::Null);
        let is_result = ["records_per_s", "response_time_ms", "options"]
            .iter()
            .all(|key| json.get(key).is_some());
        ensure!(
            is_result,
            "{name} is no result of a run: give files that loadgen run --json FILE wrote"
        );
        if let Some(error) = json["error"].as_str() {
            bail!("{name} holds no figures, because its run failed ({error}): give another file");
        }
        let mut setting = json["options"].as_object().cloned().unwrap_or_default();
        for key in SURROUNDINGS {
            if let Some(value) = json["environment"].get(key) {
                setting.insert(key.to_owned(), value.clone());
            }
        }
        if let Some(backend) = json.get("backend") {
            setting.insert("backend used".to_owned(), backend.clone());
        }
        let histogram = |key: &str| json["histograms"][key].as_str().and_then(histogram_of);
        Ok(RunResult {
            name: name.to_owned(),
            is_interrupted: json["interrupted"] == true,
            has_histograms: json.get("histograms").is_some_and(Value::is_object),
            setting,
            response: histogram(RESPONSE),
            service: histogram(SERVICE),
            json,
        })
    }

    pub fn response(&self) -> Option<&Histogram<u64>> {
        self.response.as_ref()
    }

    /// The figure with the noise that this run alone tells of; `None` where it was not measured.
    pub fn estimate(&self, figure: &Figure) -> Option<Estimate> {
        let value = self.json.pointer(figure.pointer)?.as_f64()?;
        Some(match figure.kind {
            Kind::Rate => Estimate::of_samples(value, &self.rates()),
            Kind::Share => {
                let busy = self
                    .whole_seconds()
                    .filter_map(|(point, _)| point["generator_busy_ratio"].as_f64());
                Estimate::of_samples(value, &busy.collect::<Vec<_>>())
            }
            Kind::Errors => {
                // Batches fail, not records: so many times the variance.
                let per_batch = self.json["acknowledged"].as_f64().unwrap_or(0.0)
                    / self.batches().max(1) as f64;
                let error = (value * per_batch.max(1.0)).sqrt();
                Estimate::with_error(value, error, f64::INFINITY)
            }
            Kind::Latency { of, per_mille } => {
                let histogram = if of == RESPONSE { &self.response } else { &self.service };
                let Some(histogram) = histogram else {
                    return Some(Estimate::of_unknown_noise(value));
                };
                let p = f64::from(per_mille) / 1_000.0;
                let ns = Estimate::of_percentile(histogram, p, self.independent(histogram));
                let ms = |ns: f64| ns / 1e6;
                let of_ranks = Estimate {
                    value: ms(ns.value),
                    error_below: ms(ns.error_below),
                    error_above: ms(ns.error_above),
                    ..ns
                };
                of_ranks.at_least(&Estimate::of_samples(of_ranks.value, &self.each_second(figure)))
            }
        })
    }

    /// The figure in each second, where the timeline has it: what comes and goes within a run
    /// makes its records depend on one another.
    fn each_second(&self, figure: &Figure) -> Vec<f64> {
        let values = self.whole_seconds().filter_map(|(point, _)| point.pointer(figure.pointer));
        values.filter_map(Value::as_f64).collect()
    }

    fn batches(&self) -> u64 {
        self.json["batches"].as_u64().unwrap_or(0)
    }

    /// Records of one batch are answered together: a batch counts once.
    fn independent(&self, histogram: &Histogram<u64>) -> u64 {
        match self.batches() {
            0 => histogram.len(),
            batches => batches,
        }
    }

    fn whole_seconds(&self) -> impl Iterator<Item = (&Value, f64)> {
        let points = self.json["timeline"].as_array().into_iter().flatten();
        points
            .filter_map(|point| Some((point, point["seconds"].as_f64()?)))
            .filter(|(_, seconds)| *seconds >= SAMPLE_LENGTH_MIN_S)
    }

    fn rates(&self) -> Vec<f64> {
        let only_consumes = self.json["options"]["consume_only"] == true;
        let key = if only_consumes { "consumed" } else { "acknowledged" };
        self.whole_seconds()
            .filter_map(|(point, seconds)| Some(point[key].as_f64()? / seconds))
            .collect()
    }
}
