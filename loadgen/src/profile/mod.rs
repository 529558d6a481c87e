//! `loadgen profile`: reads how a live cluster is used, and writes the workload that does the same.
//!
//! Owns: the order of its parts: watch, fit, write. Lives on: the generator's thread. Never: writes
//! to the cluster, commits an offset or joins a group; samples more than it was allowed to.

mod budget;
mod choice;
mod entropy;
mod normal;
mod options;
mod portrait;
mod producers;
mod sample;
mod seen;
mod sizes;
mod skew;
mod summary;
mod watch;
mod wire;

pub use options::ProfileOptions;

use crate::{
    report::ReportFile,
    run::{core_of, on_core},
    say,
    workload::Workload,
};
use anyhow::{Context, bail};
use portrait::Portrait;
use watch::Watch;

/// Watches, writes, and says whether it was watched to the end.
///
/// # Errors
///
/// Where no broker answers, no topic is there, or no record came: each says what to type.
pub fn profile(options: ProfileOptions) -> anyhow::Result<bool> {
    options.check()?;
    let core = core_of(options.core, options.backend)?;
    let create = |option, path| ReportFile::create(option, path);
    let out = options.out.clone().map(|path| create("--out", path)).transpose()?;
    let series = options.series.clone().map(|path| create("--series", path)).transpose()?;
    let (scale, topics) = (options.scale, options.topics.is_some());
    let watched = on_core(core, move |ring, interrupt| async move {
        let mut watch = Watch::begin(&ring, options).await?;
        watch.watch(&interrupt).await;
        Ok(watch)
    })?;
    let Watch { mut seen, table, cut_short, sampled_bytes, .. } = watched;
    if let Some(why) = &cut_short {
        let what = format!("It is not whole after {:.0} s: {why}.", seen.seconds);
        say::note(&format!("loadgen: {what}"));
        seen.remarks.push(what);
    }
    series.map_or(Ok(()), |file| file.write(&table.csv()))?;
    let Some(portrait) = Portrait::of(&seen, scale) else {
        bail!(
            "no records came within {:.0} s: give a longer --duration{}",
            seen.seconds,
            if topics { ", or other --topics" } else { "" }
        );
    };
    let text = portrait.toml();
    Workload::of_toml(&text).context("the workload that was found is none that can be run")?;
    let lines = summary::lines(&seen, &portrait, sampled_bytes);
    match out {
        Some(file) => {
            file.write(&text)?;
            lines.iter().for_each(|line| say::result(line));
        }
        None => {
            lines.iter().for_each(|line| say::note(line));
            say::result(text.trim_end());
        }
    }
    Ok(cut_short.is_none())
}
