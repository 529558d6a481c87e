//! Instructions per step, counted by valgrind and held against the counts recorded in
//! `benches/micro/counts.txt`.
//!
//! A count does not depend on what else the machine does, so that a regression shows in a single
//! run. It depends on the compiler (rust-toolchain.toml), on the C library's memcpy a little, and
//! on what the processor offers to the CRC.
//!
//! Not gungraun: its runner is a program of its own that every CI machine would have to build
//! first, in the same version as the library; and its regions end at function names, which inlining
//! moves. Here a step runs n times and 0 times, and the difference divided by n is the count:
//! nothing but valgrind is needed, and no name.

use anyhow::{Context, bail, ensure};
use clap::Parser;
use std::{
    collections::BTreeMap,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

#[derive(Parser)]
enum Options {
    /// Counts, and fails where a count has left its recorded value by more than 2 %
    Check { file: PathBuf },
    /// Counts, and writes the file
    Record { file: PathBuf },
    /// Runs a step so often, for valgrind
    Step { name: String, rounds: usize },
}

const TOLERANCE_PERCENT: u64 = 2;
/// The exit status of what cannot be tried here, as of the end-to-end scripts.
const SKIPPED: u8 = 77;

fn main() -> anyhow::Result<ExitCode> {
    let options = Options::parse();
    if let Options::Step { name, rounds } = &options {
        run_step(name, *rounds)?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(why) = why_not_here() {
        println!("instruction counts: {why}");
        return Ok(ExitCode::from(SKIPPED));
    }
    let counted = count_all()?;
    match options {
        Options::Record { file } => {
            fs::write(&file, text(&counted)).with_context(|| format!("{}", file.display()))?
        }
        Options::Check { file } => check(&read(&file)?, &counted)?,
        Options::Step { .. } => {}
    }
    Ok(ExitCode::SUCCESS)
}

fn run_step(name: &str, rounds: usize) -> anyhow::Result<()> {
    let mut steps = micro::steps();
    // Work that is done once, such as asking the processor what it can, is not the step's.
    steps.iter_mut().for_each(|step| (step.run)());
    let step = steps
        .iter_mut()
        .find(|step| step.name == name)
        .with_context(|| format!("no step {name}"))?;
    (0..rounds).for_each(|_| (step.run)());
    Ok(())
}

fn why_not_here() -> Option<String> {
    #[cfg(target_arch = "x86_64")]
    if !std::arch::is_x86_feature_detected!("pclmulqdq")
        || !std::arch::is_x86_feature_detected!("avx2")
    {
        return Some(
            "this processor lacks what the recorded counts were taken with (AVX2, PCLMULQDQ)"
                .to_owned(),
        );
    }
    if cfg!(not(target_arch = "x86_64")) {
        return Some("they are recorded for x86-64".to_owned());
    }
    let valgrind = Command::new("valgrind").arg("--version").output();
    let missing = "valgrind is missing: apt-get install valgrind".to_owned();
    (!valgrind.is_ok_and(|output| output.status.success())).then_some(missing)
}

fn count_all() -> anyhow::Result<BTreeMap<String, u64>> {
    let steps = micro::steps();
    let nothing = instructions(steps.first().context("there are steps")?.name, 0)?;
    let mut counted = BTreeMap::new();
    for step in &steps {
        let all = instructions(step.name, step.rounds)?;
        counted.insert(step.name.to_owned(), all.saturating_sub(nothing) / step.rounds as u64);
    }
    Ok(counted)
}

/// What the whole program needs when the step runs so often.
fn instructions(step: &str, rounds: usize) -> anyhow::Result<u64> {
    let mut command = Command::new("valgrind");
    command.args(["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]);
    command.arg(std::env::current_exe()?).args(["step", step, &rounds.to_string()]);
    let output = command.output().context("cannot run valgrind")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "valgrind on {step} ended with {}:\n{said}", output.status);
    // `==123== I   refs:      1,234,567`
    let line = said
        .lines()
        .find(|line| line.contains("refs:"))
        .with_context(|| format!("no count from valgrind:\n{said}"))?;
    let digits: String =
        line.rsplit(':').next().unwrap_or("").chars().filter(char::is_ascii_digit).collect();
    digits.parse().with_context(|| format!("no count in {line}"))
}

fn text(counted: &BTreeMap<String, u64>) -> String {
    let mut text = String::from(
        "# Instructions per step, by `cargo xtask counts --record`. What the steps are: \
         src/lib.rs.\n",
    );
    counted
        .iter()
        .for_each(|(name, count)| writeln!(text, "{name} {count}").expect("a string grows"));
    text
}

fn read(file: &Path) -> anyhow::Result<BTreeMap<String, u64>> {
    let text =
        fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let entry = |line: &str| {
        let (name, count) =
            line.split_once(' ').with_context(|| format!("{}: {line}", file.display()))?;
        Ok((name.to_owned(), count.parse().with_context(|| format!("{}: {line}", file.display()))?))
    };
    lines.map(entry).collect()
}

fn check(recorded: &BTreeMap<String, u64>, counted: &BTreeMap<String, u64>) -> anyhow::Result<()> {
    let mut off = Vec::new();
    for (name, count) in counted {
        let Some(before) = recorded.get(name) else {
            off.push(format!("{name}: {count}, nothing is recorded"));
            continue;
        };
        let change = *count as f64 / *before as f64 - 1.0;
        println!("{name}: {count} instructions ({:+.1} %)", change * 100.0);
        if count.abs_diff(*before) * 100 > before * TOLERANCE_PERCENT {
            let word = if change > 0.0 { "more" } else { "fewer" };
            off.push(format!(
                "{name}: {count} instructions, {:.1} % {word} than the {before} recorded",
                change.abs() * 100.0
            ));
        }
    }
    off.extend(
        recorded
            .keys()
            .filter(|name| !counted.contains_key(*name))
            .map(|name| format!("{name}: recorded, but no step")),
    );
    if off.is_empty() {
        return Ok(());
    }
    bail!(
        "{}\nIf that is what the change is for, record it: cargo xtask counts --record",
        off.join("\n")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(pairs: &[(&str, u64)]) -> BTreeMap<String, u64> {
        pairs.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
    }

    #[test]
    fn a_count_may_leave_its_record_by_two_percent_either_way() {
        let recorded = counts(&[("a", 1000)]);
        assert!(check(&recorded, &counts(&[("a", 1020)])).is_ok());
        assert!(check(&recorded, &counts(&[("a", 980)])).is_ok());
        assert!(check(&recorded, &counts(&[("a", 1021)])).is_err());
        assert!(check(&recorded, &counts(&[("a", 979)])).is_err());
    }

    #[test]
    fn record_and_steps_name_the_same() {
        assert!(check(&counts(&[]), &counts(&[("a", 1)])).is_err());
        assert!(check(&counts(&[("a", 1)]), &counts(&[])).is_err());
    }

    #[test]
    fn what_is_written_is_read_again() {
        let counted = counts(&[("a", 1), ("b-2", 123_456)]);
        let file = std::env::temp_dir().join(format!("counts-{}", std::process::id()));
        fs::write(&file, text(&counted)).expect("a file");
        let read = read(&file);
        fs::remove_file(&file).expect("the file");
        assert_eq!(read.expect("what was written"), counted);
    }
}
