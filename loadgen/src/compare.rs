//! `loadgen compare`: what differs between runs, and whether that is more than their noise.
//!
//! Owns: the files that it reads and writes. Lives on: the thread that it is called on. Never:
//! gives a verdict that the noise does not bear; merges runs into one, which would hide how they
//! differ.

mod judge;
mod present;
mod result;

use crate::{report::ReportFile, say};
use clap::Args;
use judge::{Estimate, Level, OF_REPEATED, OF_SINGLE, Verdict};
use present::{html, json, table};
use result::{FIGURES, Figure, RunResult};
use serde_json::Value;
use std::{collections::BTreeSet, path::PathBuf};

/// Results to compare are files that `loadgen run --json` wrote.
#[derive(Args, Clone, Debug)]
pub struct CompareOptions {
    /// The first is what the others are compared with, each on its own; with --with all of these
    /// are runs of one side
    #[arg(required = true, value_name = "FILE.json")]
    pub files: Vec<PathBuf>,

    /// Runs of the other side: loadgen compare before-1.json before-2.json --with after-1.json
    /// after-2.json
    #[arg(long, value_name = "FILE.json", num_args = 1..)]
    pub with: Vec<PathBuf>,

    /// Writes the comparison as JSON here
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,

    /// Writes the comparison as one HTML page here
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
}

/// Runs of the same kind.
pub struct Side {
    pub runs: Vec<RunResult>,
}

/// One figure of two sides.
pub struct Row {
    pub figure: &'static Figure,
    pub before: f64,
    pub after: f64,
    pub verdict: Verdict,
}

pub struct Comparison {
    pub before: Side,
    /// Each is compared with `before`.
    pub after: Vec<(Side, Vec<Row>)>,
    /// Name, and what the runs have, in their order.
    pub different: Vec<(String, Vec<String>)>,
    pub remarks: Vec<String>,
}

pub fn compare(options: CompareOptions) -> anyhow::Result<()> {
    let read = |paths: &[PathBuf]| -> anyhow::Result<Vec<RunResult>> {
        paths.iter().map(|path| RunResult::read(path)).collect()
    };
    let mut first = read(&options.files)?;
    let others = if options.with.is_empty() {
        anyhow::ensure!(
            first.len() > 1,
            "there is nothing to compare {} with: give a second file, as in loadgen compare \
             before.json after.json",
            options.files[0].display()
        );
        first.split_off(1).into_iter().map(|run| Side { runs: vec![run] }).collect()
    } else {
        vec![Side { runs: read(&options.with)? }]
    };
    // After all were read: none of them is written over by a slip of the hand.
    let create = |option, path: &Option<PathBuf>| -> anyhow::Result<Option<ReportFile>> {
        let Some(path) = path else { return Ok(None) };
        let is_read = options.files.iter().chain(&options.with).any(|file| file == path);
        anyhow::ensure!(
            !is_read,
            "{} is one of the files to compare: give {option} another name",
            path.display()
        );
        ReportFile::create(option, path.clone()).map(Some)
    };
    anyhow::ensure!(
        options.json.is_none() || options.json != options.report,
        "--json and --report name one file: give --report another name, as in compared.html"
    );
    let json_file = create("--json", &options.json)?;
    let page = create("--report", &options.report)?;
    let comparison = Comparison::of(Side { runs: first }, others);
    say::result(&table(&comparison));
    json_file.map_or(Ok(()), |file| file.write_json(&json(&comparison)))?;
    page.map_or(Ok(()), |file| file.write(&html(&comparison)))
}

impl Comparison {
    fn of(before: Side, others: Vec<Side>) -> Comparison {
        let rows = |after: &Side| {
            FIGURES.iter().filter_map(|figure| row(figure, &before, after)).collect()
        };
        let after: Vec<(Side, Vec<Row>)> = others
            .into_iter()
            .map(|side| {
                let rows = rows(&side);
                (side, rows)
            })
            .collect();
        let runs: Vec<&RunResult> =
            before.runs.iter().chain(after.iter().flat_map(|(side, _)| &side.runs)).collect();
        let (different, remarks) = (different(&runs), remarks(&before, &after));
        Comparison { before, after, different, remarks }
    }
}

fn level(before: &Side, after: &Side) -> &'static Level {
    let is_repeated = before.runs.len() > 1 && after.runs.len() > 1;
    if is_repeated { &OF_REPEATED } else { &OF_SINGLE }
}

/// `None` where a run lacks the figure.
fn row(figure: &'static Figure, before: &Side, after: &Side) -> Option<Row> {
    let level = level(before, after);
    let estimate = |side: &Side| {
        let runs: Option<Vec<Estimate>> =
            side.runs.iter().map(|run| run.estimate(figure)).collect();
        Estimate::of_runs(&runs?)
    };
    let (before, after) = (estimate(before)?, estimate(after)?);
    Some(Row {
        figure,
        before: before.value,
        after: after.value,
        verdict: judge::judge(&before, &after, level),
    })
}

/// Options, and what else the runs ran with, that are not the same in all.
fn different(runs: &[&RunResult]) -> Vec<(String, Vec<String>)> {
    let names: BTreeSet<&String> = runs.iter().flat_map(|run| run.setting.keys()).collect();
    let said = |value: Option<&Value>| match value {
        None => "not said".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    };
    names
        .into_iter()
        .map(|name| {
            let values: Vec<String> = runs.iter().map(|run| said(run.setting.get(name))).collect();
            (name.clone(), values)
        })
        .filter(|(_, values)| values.iter().any(|value| *value != values[0]))
        .collect()
}

fn remarks(before: &Side, after: &[(Side, Vec<Row>)]) -> Vec<String> {
    let mut remarks = Vec::new();
    let sides: Vec<&Side> =
        [before].into_iter().chain(after.iter().map(|(side, _)| side)).collect();
    if sides.iter().any(|side| side.runs.len() == 1) {
        remarks.push(
            "with one run of a side, how runs differ from one another is not in its noise: repeat \
             each side, and give loadgen compare a1.json a2.json a3.json --with b1.json b2.json \
             b3.json"
                .to_owned(),
        );
    }
    for run in sides.iter().flat_map(|side| &side.runs) {
        if run.is_interrupted {
            remarks.push(format!("{} was ended by a signal", run.name));
        }
        if !run.has_histograms {
            remarks.push(format!(
                "{} holds no histograms, so that its percentiles have no noise of their own: run \
                 it again with this loadgen",
                run.name
            ));
        }
    }
    remarks
}

#[cfg(test)]
mod tests;
