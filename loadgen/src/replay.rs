//! `loadgen replay`: sends a table of rates again, with the engine of `loadgen run`.
//!
//! Owns: what a table makes of a workload. Lives on: the thread that starts a run. Never: invents
//! what a table does not say: sizes, keys and consumers are of a workload file, or of options.

use crate::{
    options::{OF_THE_LOAD, RATES, Rate, RunOptions},
    run, say,
    table::RateTable,
    tallies::LATENCY_MAX,
    workload::{Phase, Producers, Series, Workload},
};
use anyhow::{Context, bail, ensure};
use clap::{Arg, Args};
use std::{fs, ops::RangeInclusive, path::PathBuf, time::Duration};

#[derive(Args, Clone, Debug)]
pub struct ReplayOptions {
    /// The rates: CSV with a line `until_s,TOPIC,...`, then until which second which records/s hold
    /// (`loadgen profile --series` writes it). A single column `records_per_s` is of --topic
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// How many times as fast the time passes; the rates stay as they are
    #[arg(long, value_name = "F", default_value = "1", value_parser = parse_factor)]
    pub speed: f64,

    /// How many times the rates are sent
    #[arg(long, value_name = "F", default_value = "1", value_parser = parse_factor)]
    pub scale: f64,

    /// Who writes and reads the topics how (`loadgen profile --out` writes it); the table takes the
    /// place of its rates and of its measured phases. Without it the options below say how
    #[arg(long, value_name = "FILE", conflicts_with_all = OF_THE_LOAD)]
    pub workload: Option<PathBuf>,

    /// Prints the load as a workload file, and runs nothing
    #[arg(long)]
    pub print_workload: bool,

    #[command(flatten)]
    pub load: RunOptions,
}

/// Options of `run` that a table stands for, or that know no rates.
const HIDDEN: [&str; 5] = ["rate", "duration", "consume_only", "once", "through_restarts"];
pub const FACTORS: RangeInclusive<f64> = 1e-6..=1e6;

/// The options of a load as `replay` shows them.
pub fn adapted(option: Arg) -> Arg {
    let is_hidden = HIDDEN.contains(&option.get_id().as_str());
    option.hide(is_hidden)
}

pub fn parse_factor(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(factor) if FACTORS.contains(&factor) => Ok(factor),
        _ => Err("give a factor from 1e-6 to 1e6, as in --scale 2".to_owned()),
    }
}

impl ReplayOptions {
    /// Checks what clap cannot; each message says what to type instead.
    fn check(&self) -> anyhow::Result<()> {
        self.load.check()?;
        ensure!(
            !self.load.consume_only && !self.load.through_restarts,
            "a replay sends records, at rates that are given: leave out --consume-only and \
             --through-restarts"
        );
        ensure!(
            self.load.rate == Rate::Max,
            "the file has the rates: leave out --rate, and give --scale F to send more or less"
        );
        Ok(())
    }
}

/// Reads the table, sends it, prints, and says whether all went well.
///
/// # Errors
///
/// Where a file cannot be read, or has a line that is not allowed; each says what to type instead.
pub fn replay(options: ReplayOptions) -> anyhow::Result<bool> {
    options.check()?;
    let shown = options.file.display().to_string();
    let text = fs::read_to_string(&options.file).with_context(|| {
        format!(
            "cannot read {shown}: give a CSV file, as `loadgen profile --series FILE.csv` writes"
        )
    })?;
    let table = RateTable::parse(&text, &options.load.topic).map_err(|problems| {
        let lines: Vec<String> =
            problems.iter().map(|(line, what)| format!("{shown}:{line}: {what}")).collect();
        anyhow::anyhow!("{}", lines.join("\n"))
    })?;
    let base = match &options.workload {
        Some(path) => Workload::read(path)?,
        None => of_options(&options.load, &table),
    };
    let workload = workload_of(&table, base, options.speed, options.scale)?;
    if options.print_workload {
        say::result(workload.toml().trim_end());
        return Ok(true);
    }
    workload.words.iter().for_each(|word| say::note(&format!("loadgen: {word}")));
    run::measure(options.load, workload, None)
}

/// A topic for each column, and producers for each, as options have them.
fn of_options(load: &RunOptions, table: &RateTable) -> Workload {
    let mut workload = Workload::of_options(load);
    let (topic, producers) = (workload.topics.remove(0), workload.producers.remove(0));
    for (place, name) in table.topics.iter().enumerate() {
        workload.topics.push(crate::workload::Topic { name: name.clone(), ..topic.clone() });
        // The table's takes its place.
        let rate = Rate::PerSecond(1.0);
        workload.producers.push(Producers { topics: vec![place], rate, ..producers.clone() });
    }
    let all: Vec<usize> = (0..workload.topics.len()).collect();
    workload.consumers.iter_mut().for_each(|one| one.topics.clone_from(&all));
    workload
}

/// `base` with the rates of a table. Producers that share a topic share its rate, as they share it
/// in `base`.
fn workload_of(
    table: &RateTable,
    base: Workload,
    speed: f64,
    scale: f64,
) -> anyhow::Result<Workload> {
    let seconds = table.seconds() / speed;
    ensure!(
        (0.001..=LATENCY_MAX.as_secs_f64()).contains(&seconds),
        "the series takes {seconds:.3} s at --speed {speed}: give a --speed with which it takes \
         from 1 ms to {} h",
        LATENCY_MAX.as_secs() / 3600
    );
    let shares = shares(table, &base)?;
    let mut words = base.words.clone();
    if !base.commands.is_empty() {
        words.push("the workload's commands are of its own timeline: they are left out".to_owned());
    }
    let mut producers = Vec::new();
    for (place, one) in base.producers.iter().enumerate() {
        let rate_at = |rates: &[f64]| -> f64 {
            shares[place].iter().map(|(column, share)| rates[*column] * share * scale).sum()
        };
        let mean: f64 = shares[place]
            .iter()
            .map(|(column, share)| table.records(*column) * share * scale / table.seconds())
            .sum();
        if mean == 0.0 {
            let names = names(&base, &one.topics);
            words.push(format!("nothing was sent to {names}: its producers have nothing to do"));
            continue;
        }
        ensure!(
            RATES.contains(&mean),
            "{mean} records/s for {} at --scale {scale}: give a --scale with which it is from \
             0.001 to 1e9",
            names(&base, &one.topics)
        );
        let series = Series {
            until_s: table.rows.iter().map(|row| row.until_s / speed).collect(),
            factors: table.rows.iter().map(|row| rate_at(&row.rates) / mean).collect(),
        };
        let rate = Rate::PerSecond(mean);
        producers.push(Producers { rate, series: Some(series), ..one.clone() });
    }
    ensure!(!producers.is_empty(), "every rate of the file is 0: give one with records to send");
    let mut phases: Vec<Phase> =
        base.phases.iter().take_while(|phase| !phase.measured).cloned().collect();
    phases.push(Phase {
        name: "replay".to_owned(),
        duration: Duration::from_secs_f64(seconds),
        factor: 1.0,
        measured: true,
    });
    Ok(Workload { producers, phases, words, commands: Vec::new(), levels: Vec::new(), ..base })
}

/// Of each producer: columns of the table, and how much of them is its own.
fn shares(table: &RateTable, base: &Workload) -> anyhow::Result<Vec<Vec<(usize, f64)>>> {
    let rate_of = |one: &Producers| match one.rate {
        Rate::PerSecond(rate) => rate / one.topics.len() as f64,
        Rate::Max => 1.0,
    };
    let column_of =
        |topic: &usize| table.topics.iter().position(|name| *name == base.topics[*topic].name);
    let mut totals = vec![0.0; table.topics.len()];
    for one in &base.producers {
        for topic in &one.topics {
            let Some(column) = column_of(topic) else {
                bail!(
                    "the workload writes to '{}', which has no column in the series: add a column \
                     for it, or leave its producers out",
                    base.topics[*topic].name
                );
            };
            totals[column] += rate_of(one);
        }
    }
    if let Some(unwritten) = totals.iter().position(|total| *total == 0.0) {
        bail!(
            "topic '{}' of the series has no producers in the workload: add some, or take its \
             column out",
            table.topics[unwritten]
        );
    }
    let of_one = |one: &Producers| {
        let columns = one.topics.iter().filter_map(column_of);
        columns.map(|column| (column, rate_of(one) / totals[column])).collect()
    };
    Ok(base.producers.iter().map(of_one).collect())
}

fn names(base: &Workload, topics: &[usize]) -> String {
    let names: Vec<&str> = topics.iter().map(|topic| base.topics[*topic].name.as_str()).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "until_s,a,b\n10,100,0\n40,20,60\n";

    fn made(table: &str, line: &str, speed: f64, scale: f64) -> anyhow::Result<Workload> {
        let table = RateTable::parse(table, "mine").unwrap();
        let base = of_options(&RunOptions::parse_for_tests(line), &table);
        workload_of(&table, base, speed, scale)
    }

    fn due(workload: &Workload, producer: usize, seconds: f64) -> f64 {
        workload.curve(&workload.producers[producer]).unwrap().records_by(seconds)
    }

    #[test]
    fn each_column_is_sent_by_its_own_clock_and_rate() {
        let workload = made(TABLE, "--partitions 3 --consumers 2", 1.0, 1.0).unwrap();
        assert_eq!(workload.topics[1].name, "b");
        assert_eq!(
            (workload.topics[1].partitions, &workload.consumers[0].topics),
            (3, &vec![0, 1])
        );
        for (second, a, b) in [(5.0, 500.0, 0.0), (10.0, 1000.0, 0.0), (40.0, 1600.0, 1800.0)] {
            assert!((due(&workload, 0, second) - a).abs() < 1e-6, "a by {second}");
            assert!((due(&workload, 1, second) - b).abs() < 1e-6, "b by {second}");
        }
        assert_eq!(workload.duration(), Duration::from_secs(40));
        let text = workload.toml();
        assert!(text.contains("series = { until_s = [10, 40], factors = [2.5, 0.5] }"), "{text}");
    }

    #[test]
    fn speed_squeezes_time_and_scale_multiplies_rates() {
        let workload = made(TABLE, "", 4.0, 0.5).unwrap();
        assert_eq!(workload.duration(), Duration::from_secs(10));
        // A quarter of the time at half the rate.
        assert!((due(&workload, 0, 10.0) - 1600.0 / 8.0).abs() < 1e-6);
        assert!((due(&workload, 1, 2.5) - 0.0).abs() < 1e-6);
    }

    #[test]
    fn topics_without_records_have_no_producers_and_a_warm_up_stays() {
        let workload = made("until_s,a,b\n5,0,1\n", "--warm-up 2s", 1.0, 1.0).unwrap();
        assert_eq!((workload.producers.len(), workload.producers[0].topics[0]), (1, 1));
        assert_eq!(workload.warm_up(), Duration::from_secs(2));
        assert!(workload.words[0].contains("nothing was sent to a"), "{:?}", workload.words);
        let error = made("until_s,a\n5,0\n", "", 1.0, 1.0).unwrap_err().to_string();
        assert!(error.contains("every rate"), "{error}");
        let error = made(TABLE, "", 1e6, 1.0).unwrap_err().to_string();
        assert!(error.contains("--speed"), "{error}");
        let error = made(TABLE, "", 1.0, 1e-6).unwrap_err().to_string();
        assert!(error.contains("--scale"), "{error}");
    }

    #[test]
    fn producers_of_one_topic_share_its_column_and_strangers_are_named() {
        let table = RateTable::parse(TABLE, "x").unwrap();
        let mut base = of_options(&RunOptions::parse_for_tests(""), &table);
        base.producers.push(Producers { rate: Rate::PerSecond(3.0), ..base.producers[0].clone() });
        let workload = workload_of(&table, base.clone(), 1.0, 1.0).unwrap();
        assert!((due(&workload, 0, 10.0) - 250.0).abs() < 1e-6);
        assert!((due(&workload, 2, 10.0) - 750.0).abs() < 1e-6);
        base.topics[0].name = "other".to_owned();
        let error = workload_of(&table, base.clone(), 1.0, 1.0).unwrap_err().to_string();
        assert!(error.contains("'other', which has no column"), "{error}");
        base.topics[0].name = "a".to_owned();
        base.producers.retain(|one| one.topics != [1]);
        let error = workload_of(&table, base, 1.0, 1.0).unwrap_err().to_string();
        assert!(error.contains("'b' of the series has no producers"), "{error}");
    }
}
