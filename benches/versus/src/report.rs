//! The tables: medians, spread, ratios.

use crate::{Options, Series, measure::Sample};
use std::fmt::Write;

/// The clock of /proc ticks every 10 ms; figures on less processor time than this are grainy.
const CPU_MIN_S: f64 = 2.0;

/// The middle of the samples, and how far apart they are in relation to it.
#[derive(Clone, Copy)]
struct Figure {
    median: f64,
    /// (largest − smallest) ÷ median.
    spread: f64,
}

fn figure(samples: &[Sample], of: impl Fn(&Sample) -> f64) -> Figure {
    let mut values: Vec<f64> = samples.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    let median = match values.as_slice() {
        [] => f64::NAN,
        values if values.len() % 2 == 1 => values[values.len() / 2],
        values => (values[values.len() / 2 - 1] + values[values.len() / 2]) / 2.0,
    };
    let range = values.last().copied().unwrap_or(f64::NAN) - values.first().copied().unwrap_or(f64::NAN);
    Figure { median, spread: range / median }
}

pub fn markdown(all: &[Series], options: &Options) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "# Apache Kafka and Millstream under equal load\n");
    let _ = writeln!(
        text,
        "`benches/versus/run`: {} rounds in turns, {} s each; brokers on processor 0, generator on processor 1; one \
         partition, one producer, batches of up to 64 KiB, acks=all. {}\n",
        options.rounds,
        options.seconds,
        machine(),
    );
    let mut loads: Vec<_> = all.iter().map(|series| series.load).collect();
    loads.dedup();
    for load in loads {
        let series: Vec<&Series> = all.iter().filter(|series| series.load == load).collect();
        let _ = writeln!(text, "## {load}\n");
        if load.rate.is_some() {
            at_a_rate(&mut text, &series)
        } else {
            at_most(&mut text, &series)
        }
        let _ = writeln!(text);
    }
    remarks(&mut text, all);
    text
}

fn at_a_rate(text: &mut String, series: &[&Series]) {
    let cpu: Vec<Figure> = series.iter().map(|one| figure(&one.samples, |sample| sample.cpu_s_per_million)).collect();
    let floor = series.iter().position(|one| one.target == "bare sink").map_or(0.0, |index| cpu[index].median);
    let _ = writeln!(
        text,
        "| | CPU-s per million | spread | CPU-s per GB | CPU-s measured | of Kafka | above the floor, of Kafka | p50 ms | p99 ms |"
    );
    let _ = writeln!(text, "|---|---|---|---|---|---|---|---|---|");
    let kafka = series.iter().position(|one| one.target == "Apache Kafka").map(|index| cpu[index].median);
    for (one, cpu) in series.iter().zip(&cpu) {
        let against = |value: f64, kafka: Option<f64>| kafka.map_or("-".to_owned(), |kafka| ratio(value / kafka));
        let measured: f64 = one.samples.iter().map(|sample| sample.cpu_s).sum();
        let _ = writeln!(
            text,
            "| {} | {:.4} | ±{:.0} % | {:.3} | {measured:.2} | {} | {} | {:.2} | {:.2} |",
            one.target,
            cpu.median,
            cpu.spread * 50.0,
            cpu.median * 1000.0 / one.load.record_size as f64,
            against(cpu.median, kafka),
            against(cpu.median - floor, kafka.map(|kafka| kafka - floor)),
            figure(&one.samples, |sample| sample.p50_ms).median,
            figure(&one.samples, |sample| sample.p99_ms).median,
        );
    }
}

fn at_most(text: &mut String, series: &[&Series]) {
    let _ = writeln!(text, "| | records/s | spread | MB/s | times Kafka | CPU-s per million | generator busy |");
    let _ = writeln!(text, "|---|---|---|---|---|---|---|");
    let rate = |one: &Series| figure(&one.samples, |sample| sample.records_per_s);
    let kafka = series.iter().find(|one| one.target == "Apache Kafka").map(|one| rate(one).median);
    for one in series {
        let rate = rate(one);
        let _ = writeln!(
            text,
            "| {} | {:.0} | ±{:.0} % | {:.1} | {} | {:.4} | {:.0} % |",
            one.target,
            rate.median,
            rate.spread * 50.0,
            rate.median * one.load.record_size as f64 / 1e6,
            kafka.map_or("-".to_owned(), |kafka| format!("{:.2}", rate.median / kafka)),
            figure(&one.samples, |sample| sample.cpu_s_per_million).median,
            figure(&one.samples, |sample| sample.generator_busy).median * 100.0,
        );
    }
}

/// 0.125 reads better as 1/8.0.
fn ratio(value: f64) -> String {
    match value {
        value if value > 0.0 && value < 1.0 => format!("1/{:.1}", 1.0 / value),
        value => format!("{value:.2}"),
    }
}

/// What a reader must know to trust the figures, or not to.
fn remarks(text: &mut String, all: &[Series]) {
    let others = all.iter().flat_map(|one| &one.samples).map(|sample| sample.others).fold(0.0, f64::max);
    let _ = writeln!(text, "Other processes took up to {others:.2} processors during a turn.");
    let measured = |one: &&Series| one.samples.iter().map(|sample| sample.cpu_s).sum::<f64>();
    let short: Vec<String> = all
        .iter()
        .filter(|one| one.load.rate.is_some() && measured(one) < CPU_MIN_S)
        .map(|one| format!("{} at {} B ({:.2} s)", one.target, one.load.record_size, measured(&one)))
        .collect();
    if !short.is_empty() {
        let _ = writeln!(
            text,
            "\nStand on less than {CPU_MIN_S} s of processor time, see --seconds: {}.",
            short.join(", ")
        );
    }
    for one in all {
        let mut said: Vec<&String> = one.samples.iter().flat_map(|sample| &sample.remarks).collect();
        said.sort();
        said.dedup();
        for remark in said {
            let _ = writeln!(text, "\n{}, {}: {remark}.", one.target, one.load);
        }
    }
}

fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpuinfo = read("/proc/cpuinfo");
    let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let kernel = read("/proc/sys/kernel/osrelease");
    format!("{processors} × {}, Linux {}.", model.map_or("processor", |(_, name)| name), kernel.trim())
}
