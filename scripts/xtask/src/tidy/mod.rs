//! `cargo xtask tidy`: style and layers, as a test over the source text. `cargo test` runs it too.
//!
//! Generated code (folders named `gen`) is exempt. Every rule has a test below that shows it
//! failing.

mod assertions;
mod columns;
mod compat;
mod layers;
mod sizes;
mod source;
#[cfg(test)]
mod tests;
mod words;

use anyhow::{Context, bail};
use source::Source;
use std::{fmt, fs, path::Path, process::Command};

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    pub path: String,
    pub line: usize,
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.message)
    }
}

/// Prints the findings; an error when there is one.
pub fn run(root: &Path) -> anyhow::Result<()> {
    let Checked { files, findings, told } = check_tree(root)?;
    told.iter().for_each(|line| println!("tidy: {line}"));
    for finding in &findings {
        println!("{finding}");
    }
    if !findings.is_empty() {
        bail!("{} findings in {files} files", findings.len());
    }
    println!("tidy: {files} files, no findings");
    Ok(())
}

/// What there is to say of the tree.
struct Checked {
    /// How many were looked at.
    files: usize,
    findings: Vec<Finding>,
    /// What is no finding.
    told: Vec<String>,
}

fn check_tree(root: &Path) -> anyhow::Result<Checked> {
    let mut paths = Vec::new();
    files(root, root, ".rs", &mut paths)?;
    let read = |path: &str| {
        fs::read_to_string(root.join(path)).with_context(|| format!("cannot read {path}"))
    };
    let files = paths
        .iter()
        .map(|path| Ok((path.as_str(), read(path)?)))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let minimums = read(assertions::MINIMUMS)?;
    let (mut findings, counts) = check_files(&files, &read(sizes::ALLOW_LIST)?);
    assertions::check(&counts, &minimums, &mut findings);
    for before in BEFORE.iter().filter_map(|at| file_at(root, at, assertions::MINIMUMS)) {
        findings.extend(assertions::lowered(&before, &minimums));
    }
    for path in markdown_files(root)? {
        columns::check(&path, &read(&path)?, &mut findings);
    }
    findings.extend(compat::check(
        &read(compat::COMPAT)?,
        &read(compat::API_TABLE)?,
        &read(compat::API_VERSIONS)?,
    ));
    for path in EXPECTED_CHECKS {
        let expected = fs::read_to_string(root.join(path)).unwrap_or_default();
        for before in BEFORE.iter().filter_map(|revision| file_at(root, revision, path)) {
            findings.extend(vanished_checks(path, &before, &expected));
        }
    }
    findings.sort();
    findings.dedup();
    Ok(Checked { files: files.len(), findings, told: assertions::told(&counts) })
}

fn check_files(files: &[(&str, String)], allow_list: &str) -> (Vec<Finding>, assertions::Counts) {
    let (mut findings, mut too_long) = (Vec::new(), sizes::TooLong::new());
    let mut counts = assertions::Counts::new();
    for (path, text) in files {
        match Source::parse(path, text) {
            Err(message) => findings.push(Finding { path: (*path).to_owned(), line: 1, message }),
            Ok(source) => {
                words::check(&source, &mut findings);
                columns::check(path, text, &mut findings);
                layers::check(&source, &mut findings);
                sizes::measure(&source, &mut too_long);
                assertions::measure(&source, &mut counts);
            }
        }
    }
    sizes::check(&too_long, allow_list, &mut findings);
    (findings, counts)
}

/// The commits that a file is compared with which may change in one direction only.
const BEFORE: [&str; 2] = ["HEAD", "HEAD~"];

fn markdown_files(root: &Path) -> anyhow::Result<Vec<String>> {
    let mut paths = Vec::new();
    files(root, root, ".md", &mut paths)?;
    Ok(paths)
}

/// The files below `dir` whose names end with `ending`, sorted.
fn files(root: &Path, dir: &Path, ending: &str, found: &mut Vec<String>) -> anyhow::Result<()> {
    for entry in fs::read_dir(dir).with_context(|| format!("cannot list {}", dir.display()))? {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if entry.file_type()?.is_dir() {
            if !name.starts_with('.')
                && !matches!(name.as_str(), "target" | "gen" | "shared" | "millstream-data")
            {
                files(root, &path, ending, found)?;
            }
        } else if name.ends_with(ending) {
            found.push(path.strip_prefix(root)?.to_string_lossy().into_owned());
        }
    }
    found.sort();
    Ok(())
}

/// The checks of real clients and the small cases that must pass; a line that stood there once
/// never goes.
const EXPECTED_CHECKS: [&str; 2] = ["docs/conformance-expected.txt", "docs/cases-expected.txt"];

fn vanished_checks(path: &str, before: &str, now: &str) -> Vec<Finding> {
    let gone = before
        .lines()
        .filter(|line| !line.starts_with('#') && !now.lines().any(|one| one == *line));
    let finding = |line| format!("`{line}` has gone: what passed once must pass from then on");
    gone.map(|line| Finding { path: path.to_owned(), line: 1, message: finding(line) }).collect()
}

/// A file as committed in `revision`; `None` where there is no such file, revision or repository.
fn file_at(root: &Path, revision: &str, path: &str) -> Option<String> {
    let output = Command::new("git")
        .current_dir(root)
        .args(["show", &format!("{revision}:{path}")])
        .output()
        .ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}
