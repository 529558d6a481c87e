//! `cargo xtask ci|sim|e2e|bench`: which programs are run, in which order, with what around them.

use anyhow::{Context, bail, ensure};
use std::{
    collections::BTreeSet,
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
    /// The first seed; give the one that a failure printed, with --seeds 1, to see it again
    #[arg(long, value_name = "SEED")]
    from: Option<u64>,
    /// Only the simulations whose name contains this
    name: Option<String>,
}

/// All that a change must pass before it is merged, the quick things first.
pub fn ci(root: &Path) -> anyhow::Result<()> {
    step("fmt", cargo(root, &["fmt", "--all", "--check"]))?;
    step("clippy", cargo(root, &["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"]))?;
    println!("==> tidy");
    crate::tidy::run(root)?;
    step("test", cargo(root, &["test", "--workspace", "--quiet"]))
}

pub fn sim(root: &Path, options: &Sim) -> anyhow::Result<()> {
    let mut command = cargo(root, &["test", "--release", "--test", "simulation", "--"]);
    command.args(["--nocapture", "--test-threads=1"]).args(&options.name);
    command.env("MILLSTREAM_SEEDS", options.seeds.to_string());
    if let Some(seed) = options.from {
        command.env("MILLSTREAM_SEED", seed.to_string());
    }
    step(&format!("simulation, {} seeds", options.seeds), command)
}

/// Runs the scripts of tests/e2e against a broker built now; all of them when no name is given.
pub fn e2e(root: &Path, names: &[String]) -> anyhow::Result<()> {
    let all = scripts(&root.join("tests/e2e"))?;
    let known: Vec<String> = all.iter().map(|path| stem(path)).collect();
    let unknown: Vec<_> = names.iter().filter(|name| !known.contains(name)).collect();
    ensure!(unknown.is_empty(), "no such end-to-end test: {unknown:?}; there are {}", known.join(", "));
    step("build", cargo(root, &["build", "--release", "-p", "millstream", "-p", "loadgen"]))?;
    let chosen = all.iter().filter(|path| names.is_empty() || names.contains(&stem(path)));
    let (mut passed, mut failed) = (0, BTreeSet::new());
    for path in chosen {
        let mut command = Command::new("bash");
        command.arg(path).current_dir(root);
        command
            .env("MILLSTREAM", root.join("target/release/millstream"))
            .env("LOADGEN", root.join("target/release/loadgen"));
        match step(&stem(path), command) {
            Ok(()) => passed += 1,
            Err(error) => {
                println!("FAIL {error:#}");
                failed.insert(stem(path));
            }
        }
    }
    println!("e2e: {passed} passed, {} failed", failed.len());
    ensure!(failed.is_empty(), "failed: {failed:?}");
    Ok(())
}

/// Runs `benches/NAME/run`, which builds what it needs.
pub fn bench(root: &Path, name: Option<&str>) -> anyhow::Result<()> {
    let known: Vec<String> = entries(&root.join("benches"))?
        .iter()
        .filter(|path| path.join("run").exists())
        .map(|path| stem(path))
        .collect();
    match name {
        Some(name) if known.iter().any(|one| one == name) => {
            let mut command = Command::new(root.join("benches").join(name).join("run"));
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

fn scripts(dir: &Path) -> anyhow::Result<Vec<PathBuf>> {
    Ok(entries(dir)?.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "sh")).collect())
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
