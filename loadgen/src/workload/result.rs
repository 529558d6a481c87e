//! A run as OpenMessaging Benchmark would have written it: its `TestResult` as JSON. Pure.
//!
//! Its publish latency is our response time, from when a record was due to its acknowledgement; its
//! end-to-end latency ours. Its publish delay, from due to sent, is not kept per record: those keys
//! are there, without figures.

use crate::report::Report;
use hdrhistogram::Histogram;
use serde_json::{Map, Value, json};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OmbFacts {
    pub topics: usize,
    pub producers_per_topic: i64,
    pub consumers_per_topic: i64,
}

/// As they stand in the names of its keys.
const QUANTILES: [(&str, f64); 7] = [
    ("50pct", 0.5),
    ("75pct", 0.75),
    ("95pct", 0.95),
    ("99pct", 0.99),
    ("999pct", 0.999),
    ("9999pct", 0.9999),
    ("99999pct", 0.99999),
];
/// Its delays and arrivals by the second, which are not kept.
const NOT_KEPT: [&str; 2] = ["publishDelayLatency", "endToEndLatency"];

fn ms(ns: f64) -> f64 {
    ns / 1e6
}

impl Report {
    pub fn omb_result(&self, workload: &super::Workload) -> Value {
        let mut result = Map::new();
        let mut put = |key: String, value: Value| {
            result.insert(key, value);
        };
        let name = workload.name.clone().or(workload.file.clone());
        let topics = workload.topics.len();
        let [producers, consumers] = match &workload.omb {
            Some(facts) => [facts.producers_per_topic, facts.consumers_per_topic],
            None => [self.options.connections, self.options.consumers]
                .map(|count| (count / topics.max(1)) as i64),
        };
        put("workload".to_owned(), json!(name.unwrap_or_else(|| "loadgen".to_owned())));
        put("driver".to_owned(), json!("loadgen"));
        put("messageSize".to_owned(), json!(self.options.record_size));
        put("topics".to_owned(), json!(topics));
        put("partitions".to_owned(), json!(workload.partitions() / topics.max(1) as i64));
        put("producersPerTopic".to_owned(), json!(producers));
        put("consumersPerTopic".to_owned(), json!(consumers));
        let points = self.tallies.timeline.points();
        let each = |of: &dyn Fn(&crate::timeline::Point) -> Value| {
            Value::Array(points.iter().map(of).collect())
        };
        put("publishRate".to_owned(), each(&|p| json!(p.per_second(p.counts.acknowledged))));
        let errors = |p: &crate::timeline::Point| p.counts.errors.values().sum::<u64>();
        put("publishErrorRate".to_owned(), each(&|p| json!(p.per_second(errors(p)))));
        put("consumeRate".to_owned(), each(&|p| json!(p.per_second(p.counts.consumed))));
        put("backlog".to_owned(), each(&|p| json!(p.gauges.backlog)));
        for (name, quantile) in QUANTILES {
            let of =
                |p: &crate::timeline::Point| json!(p.response_ns(quantile).map(|ns| ms(ns as f64)));
            put(format!("publishLatency{name}"), each(&of));
        }
        put(
            "publishLatencyMax".to_owned(),
            each(&|p| json!(p.longest_ns().map(|ns| ms(ns as f64)))),
        );
        put("publishLatencyAvg".to_owned(), each(&|p| json!(p.mean_ns().map(ms))));
        for family in NOT_KEPT {
            for name in QUANTILES.iter().map(|(name, _)| *name).chain(["Avg", "Max"]) {
                put(format!("{family}{name}"), json!([]));
            }
        }
        aggregate(&mut put, "aggregatedPublishLatency", &self.tallies.response);
        aggregate(&mut put, "aggregatedEndToEndLatency", &self.tallies.end_to_end);
        Value::Object(result)
    }
}

fn aggregate(put: &mut impl FnMut(String, Value), family: &str, histogram: &Histogram<u64>) {
    let value = |ns: f64| if histogram.is_empty() { Value::Null } else { json!(ms(ns)) };
    let mut quantiles = Map::new();
    for (name, quantile) in QUANTILES {
        let at = value(histogram.value_at_quantile(quantile) as f64);
        quantiles.insert((quantile * 100.0).to_string(), at.clone());
        put(format!("{family}{name}"), at);
    }
    put(format!("{family}Avg"), value(histogram.mean()));
    put(format!("{family}Max"), value(histogram.max() as f64));
    put(format!("{family}Quantiles"), Value::Object(quantiles));
}

#[cfg(test)]
mod tests {
    use crate::{report::tests::report, tallies::Tallies, verify::Findings, workload::Workload};
    use ring::Instant;
    use serde_json::{Value, json};

    #[test]
    fn a_result_of_theirs_has_their_keys() {
        let mut tallies = Tallies::default();
        let at = |ms: u64| Instant(ms * 1_000_000);
        tallies.begin_timeline(at(0));
        tallies.acknowledged(
            crate::tallies::BatchSize { wire: 168, values: 100 },
            &[at(0)],
            at(0),
            at(3),
        );
        tallies.tick(at(1_000), None, None);
        tallies.close(at(1_000));
        let report = report("--rate 1 --connections 2", tallies, 1.0, Findings::default());
        let result = report.omb_result(&Workload::of_options(&report.options));
        let near = |value: &Value, ms: f64| (value.as_f64().unwrap() - ms).abs() < ms / 50.0;
        assert!(near(&result["aggregatedPublishLatency99pct"], 3.0), "{result:#}");
        assert!(near(&result["publishLatency50pct"][0], 3.0), "{result:#}");
        assert!(near(&result["publishLatencyAvg"][0], 3.0), "{result:#}");
        assert_eq!((&result["publishRate"], &result["driver"]), (&json!([1.0]), &json!("loadgen")));
        assert_eq!(result["aggregatedEndToEndLatencyMax"], Value::Null);
        assert_eq!((&result["producersPerTopic"], &result["topics"]), (&json!(2), &json!(1)));
        let quantiles = result["aggregatedPublishLatencyQuantiles"].as_object().unwrap();
        assert!(quantiles.contains_key("99.9"), "{quantiles:?}");
    }
}
