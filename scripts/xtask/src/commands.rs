//! `cargo xtask ci|sim|e2e|bench`: which programs are run, in which order, with what around them.

use anyhow::{Context, bail, ensure};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

/// What `cargo xtask sim` hands to the simulation's test binary.
#[derive(clap::Args)]
pub struct Sim {
    /// How many seeds to run
    #[arg(long, default_value_t = 1000)]
    seeds: u64,
    /// The first of them
    #[arg(long, value_name = "SEED", default_value_t = 0)]
    from: u64,
    /// Only this seed, as a failure printed it, with everything that happens
    #[arg(long, value_name = "SEED")]
    only: Option<u64>,
}

/// All that a change must pass before it is merged, the quick things first.
pub fn ci(root: &Path) -> anyhow::Result<()> {
    step("fmt", cargo(root, &["fmt", "--all", "--check"]))?;
    step(
        "clippy",
        cargo(root, &["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"]),
    )?;
    println!("==> tidy");
    crate::tidy::run(root)?;
    step("test", cargo(root, &["test", "--workspace", "--quiet"]))?;
    counts(root, false)
}

/// Instruction counts against the recorded ones. Where they cannot be taken, that is said, and
/// nothing fails.
pub fn counts(root: &Path, record: bool) -> anyhow::Result<()> {
    println!("==> counts");
    let mut command =
        cargo(root, &["run", "--release", "--quiet", "-p", "micro", "--bin", "counts", "--"]);
    command.args([if record { "record" } else { "check" }, "benches/micro/counts.txt"]);
    let status = command.status().context("cannot run cargo")?;
    ensure!(status.success() || status.code() == Some(SKIPPED) && !record, "counts: {status}");
    Ok(())
}

pub fn sim(root: &Path, options: &Sim) -> anyhow::Result<()> {
    let mut command = cargo(root, &["test", "--release", "--test", "simulation", "--"]);
    command.args(["--nocapture", "--test-threads=1"]);
    command.env("MILLSTREAM_SEEDS", options.seeds.to_string());
    command.env("MILLSTREAM_FIRST_SEED", options.from.to_string());
    if let Some(seed) = options.only {
        command.arg("seeds_keep").env("MILLSTREAM_SEED", seed.to_string());
    }
    step("simulation", command)
}

/// What a script's exit status says when it cannot run here.
const SKIPPED: i32 = 77;

/// Runs the scripts of tests/e2e against a broker built now; all of them when no name is given.
pub fn e2e(root: &Path, names: &[String]) -> anyhow::Result<()> {
    let is_test = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "sh");
    let all: Vec<PathBuf> = entries(&root.join("tests/e2e"))?.into_iter().filter(is_test).collect();
    let known: Vec<String> = all.iter().map(|path| stem(path)).collect();
    let unknown: Vec<_> = names.iter().filter(|name| !known.contains(name)).collect();
    ensure!(
        unknown.is_empty(),
        "no such end-to-end test: {unknown:?}; there are {}",
        known.join(", ")
    );
    step("build", cargo(root, &["build", "--release", "-p", "millstream", "-p", "loadgen"]))?;
    let (mut passed, mut skipped, mut failed) = (0, 0, Vec::new());
    for path in all.iter().filter(|path| names.is_empty() || names.contains(&stem(path))) {
        println!("==> {}", stem(path));
        let status =
            Command::new("bash").arg(path).current_dir(root).status().context("cannot run bash")?;
        match status.code() {
            Some(0) => passed += 1,
            Some(SKIPPED) => skipped += 1,
            _ => failed.push(stem(path)),
        }
    }
    println!("{passed} passed, {} failed, {skipped} skipped", failed.len());
    ensure!(failed.is_empty(), "failed: {}", failed.join(", "));
    Ok(())
}

/// Runs `benches/NAME/run`, which builds what it needs.
pub fn bench(root: &Path, name: Option<&str>, arguments: &[String]) -> anyhow::Result<()> {
    let known: Vec<String> = entries(&root.join("benches"))?
        .iter()
        .filter(|path| path.join("run").exists())
        .map(|path| stem(path))
        .collect();
    match name {
        Some(name) if known.iter().any(|one| one == name) => {
            let mut command = Command::new(root.join("benches").join(name).join("run"));
            command.args(arguments);
            command.current_dir(root);
            step(name, command)
        }
        _ => bail!("cargo xtask bench NAME, where NAME is one of: {}", known.join(", ")),
    }
}

fn cargo(root: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root).args(arguments);
    command
}

/// Says what begins, runs it with its output shown, and says how long it took.
fn step(name: &str, mut command: Command) -> anyhow::Result<()> {
    println!("==> {name}");
    let start = Instant::now();
    let status = command.status().with_context(|| format!("{name}: cannot run {command:?}"))?;
    ensure!(status.success(), "{name}: {status} after {} s", start.elapsed().as_secs());
    println!("<== {name}: {} s", start.elapsed().as_secs());
    Ok(())
}

fn entries(dir: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let listed = fs::read_dir(dir).with_context(|| format!("cannot list {}", dir.display()))?;
    let mut paths = listed.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}
