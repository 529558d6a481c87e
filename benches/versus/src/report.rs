//! The tables: medians, ranges, ratios, and what a reader must know to trust them, or not to.

use crate::{
    FamilyResult, Options, Row, WorkloadResult,
    measure::Sample,
    plan::CPU_MIN_S,
    workloads::{Consume, Pictured, Rate, Server},
};
use std::fmt::Write;

/// Less than this of the brokers' processor at full load, and something else is the limit.
const CORE_FULL: f64 = 0.9;

/// The middle of the samples, and their ends.
#[derive(Clone, Copy)]
pub struct Figure {
    pub median: f64,
    min: f64,
    max: f64,
}

pub fn figure(samples: &[Sample], of: impl Fn(&Sample) -> f64) -> Figure {
    let mut values: Vec<f64> = samples.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    let median = match values.as_slice() {
        [] => f64::NAN,
        values if values.len() % 2 == 1 => values[values.len() / 2],
        values => (values[values.len() / 2 - 1] + values[values.len() / 2]) / 2.0,
    };
    let end = |value: Option<&f64>| value.copied().unwrap_or(f64::NAN);
    Figure { median, min: end(values.first()), max: end(values.last()) }
}

impl Figure {
    fn with_range(self, digits: usize) -> String {
        format!("{:.digits$} ({:.digits$}–{:.digits$})", self.median, self.min, self.max)
    }
}

pub fn cpu_per_million(samples: &[Sample]) -> Figure {
    figure(samples, |sample| sample.cpu_s / sample.records * 1e6)
}

fn cpu_per_gb(samples: &[Sample]) -> Figure {
    figure(samples, |sample| sample.cpu_s / sample.bytes * 1e9)
}

/// What the picture of a family shows of one row.
pub fn pictured(samples: &[Sample], what: Pictured) -> f64 {
    match what {
        Pictured::CpuPerMillion => cpu_per_million(samples).median,
        Pictured::CpuPerGb => cpu_per_gb(samples).median,
        Pictured::P99 => figure(samples, |sample| sample.p99_ms).median,
    }
}

pub fn pictured_unit(what: Pictured) -> &'static str {
    match what {
        Pictured::CpuPerMillion => "CPU-s of the broker per million records",
        Pictured::CpuPerGb => "CPU-s of the broker per GB",
        Pictured::P99 => "p99 in ms",
    }
}

pub fn markdown(family: &FamilyResult, options: &Options) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "# {}\n", family.title);
    if options.quick {
        let _ = writeln!(
            text,
            "**A quick run, which shows that everything works: too short for its figures to be \
             trusted.**\n"
        );
    }
    let _ = writeln!(text, "`benches/versus/run {}`. {}\n", options.said, machine(options));
    let _ = writeln!(text, "![{}]({}.svg)\n", pictured_unit(family.pictured), family.name);
    for workload in &family.workloads {
        one(&mut text, workload, options);
    }
    text
}

fn one(text: &mut String, result: &WorkloadResult, options: &Options) {
    let workload = &result.workload;
    let _ = writeln!(text, "## {}\n", workload.what);
    if let Some(why) = &result.failed {
        let _ =
            writeln!(text, "Not measured to its end: {}\n", why.lines().next().unwrap_or_default());
    }
    let rows: Vec<&Row> = result.rows.iter().filter(|row| !row.samples.is_empty()).collect();
    if rows.is_empty() {
        return;
    }
    let times = match (&workload.produce, workload.consume) {
        (Some(_), Some(_)) => "end to end",
        (Some(_), None) => "response",
        (None, _) => "per fetch",
    };
    let drains = workload.backlog_mib.is_some();
    let measures = measures(&rows);
    let _ = writeln!(
        text,
        "| | CPU-s per million |{} CPU-s per GB | records/s | MB/s | broker's core busy | \
         generator busy | \
         p50 ms, {times} | p99 ms | p99.9 ms |{} CPU-s in all |",
        measures.iter().map(|(name, _)| format!(" {name} |")).collect::<String>(),
        if drains { " drained MB/s |" } else { "" }
    );
    let _ = writeln!(text, "|---{}|", "|---".repeat(10 + measures.len() + usize::from(drains)));
    for row in &rows {
        let samples = &row.samples;
        let cpu = cpu_per_million(samples);
        let times = |of: fn(&Sample) -> f64| figure(samples, of);
        let drained =
            match figure(samples, |sample| sample.drained_bytes_per_s.unwrap_or(f64::NAN)).median {
                _ if !drains => String::new(),
                drained => format!(" {:.0} |", drained / 1e6),
            };
        let _ = writeln!(
            text,
            "| {} | {} |{} {:.3} | {} | {:.1} | {:.0} % | {:.0} % | {:.3} | {} | {} |{drained} \
             {:.2} |",
            row.contender,
            cpu.with_range(4),
            measures
                .iter()
                .map(|(_, of)| format!(" {} |", ratio(cpu.median / of)))
                .collect::<String>(),
            cpu_per_gb(samples).median,
            times(|sample| sample.records_per_s).with_range(0),
            times(|sample| sample.bytes_per_s / 1e6).median,
            times(|sample| sample.core_busy * 100.0).median,
            times(|sample| sample.generator_busy * 100.0).median,
            times(|sample| sample.p50_ms).median,
            times(|sample| sample.p99_ms).with_range(3),
            times(|sample| sample.p99_9_ms).with_range(3),
            measured_s(samples),
        );
    }
    let _ = writeln!(text);
    remarks(text, result, &rows, options);
}

/// What processor time per record is related to: Kafka's and the sink's, or the first row's where
/// neither takes part.
fn measures(rows: &[&Row]) -> Vec<(&'static str, f64)> {
    let median = |row: &&&Row| cpu_per_million(&row.samples).median;
    let kafka = rows.iter().find(|row| row.contender.server == Server::Kafka).as_ref().map(median);
    let sink = rows.iter().find(|row| row.contender.is_sink()).as_ref().map(median);
    let first = rows.first().as_ref().map(median).filter(|_| kafka.is_none() && sink.is_none());
    let named = [("of Kafka", kafka), ("of the sink", sink), ("of the first", first)];
    named.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

fn measured_s(samples: &[Sample]) -> f64 {
    samples.iter().map(|sample| sample.cpu_s).sum()
}

/// 0.125 reads better as 1/8.0.
fn ratio(value: f64) -> String {
    match value {
        value if value > 0.0 && value < 0.995 => format!("1/{:.1}", 1.0 / value),
        value => format!("{value:.2}"),
    }
}

fn remarks(text: &mut String, result: &WorkloadResult, rows: &[&Row], options: &Options) {
    let workload = &result.workload;
    let (before, after) = result.free_mib;
    let turns: Vec<String> = rows.iter().map(|row| format!("{:.1}", row.turn_s)).collect();
    let _ = writeln!(
        text,
        "- MemFree {before} MiB before, {after} MiB after; turns of {} s; others took up to {:.2} \
         processors.",
        turns.join(", "),
        rows.iter().flat_map(|row| &row.samples).map(|sample| sample.others).fold(0.0, f64::max)
    );
    if let Some(rate) = result.half_of_slowest {
        let _ =
            writeln!(text, "- Half of what the slower broker took at most: {rate:.0} records/s.");
    }
    let is_once = matches!(workload.consume, Some(Consume::Cold { .. }));
    let at_most = workload.produce.is_none_or(|produce| produce.rate == Rate::Max);
    for row in rows {
        let busy = |of: fn(&Sample) -> f64| figure(&row.samples, of).median;
        let (core, generator) =
            (busy(|sample| sample.core_busy), busy(|sample| sample.generator_busy));
        let measured = measured_s(&row.samples);
        if measured < CPU_MIN_S && !options.quick {
            let why = if is_once {
                "the topic was read to its end"
            } else {
                "longer turns did not fit the workload's two minutes"
            };
            let _ = writeln!(
                text,
                "- {}: stands on {measured:.2} s of processor time, less than {CPU_MIN_S} s; \
                 {why}.",
                row.contender
            );
        }
        if at_most && core < CORE_FULL {
            let limit = if generator >= CORE_FULL {
                "the generator was the limit"
            } else {
                "the disk, or waiting, was the limit"
            };
            let _ = writeln!(
                text,
                "- {}: {limit}: the broker's core was {:.0} % busy, the generator {:.0} %.",
                row.contender,
                core * 100.0,
                generator * 100.0
            );
        }
        let mut said: Vec<&String> =
            row.samples.iter().flat_map(|sample| &sample.remarks).collect();
        said.sort();
        said.dedup_by_key(|remark| {
            remark.split_once('%').map_or(remark.as_str(), |(_, rest)| rest)
        });
        for remark in said {
            let _ = writeln!(text, "- {}: {remark}.", row.contender);
        }
    }
    for (contender, why) in &result.left_out {
        let _ = writeln!(text, "- {contender} is left out: {why}.");
    }
    let _ = writeln!(text);
}

fn machine(options: &Options) -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpuinfo = read("/proc/cpuinfo");
    let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let kernel = read("/proc/sys/kernel/osrelease");
    // The last part of the release names the builder of the kernel.
    let kernel = kernel.trim().split('-').next().unwrap_or_default();
    let memory = read("/proc/meminfo");
    let memory_kb = memory
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:")?.trim().split(' ').next()?.parse().ok());
    let page_cache = if options.fills_page_cache() { "filled" } else { "left as it was" };
    format!(
        "{processors} × {}, {:.0} GiB, Linux {kernel}; page cache {page_cache} before each \
         workload; rounds in turns: {}; broker on \
         processor {}, generator on processor {}; medians, with the smallest and the largest in \
         parentheses.",
        model.map_or("processor", |(_, name)| name),
        memory_kb.unwrap_or(0.0) / f64::from(1u32 << 20),
        options.rounds(),
        options.broker_cpu,
        options.client_cpu,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_read_as_people_say_them() {
        assert_eq!(
            (ratio(0.125), ratio(1.0), ratio(2.5)),
            ("1/8.0".to_owned(), "1.00".to_owned(), "2.50".to_owned())
        );
    }
}
