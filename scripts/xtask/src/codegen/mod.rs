//! `cargo xtask codegen`: Kafka's JSON schemas in, Rust source out. Same jars, same bytes:
//! `--check` compares.

mod emit;
mod field;
mod jars;
mod names;
mod schema;
mod tables;

use anyhow::{Context, bail, ensure};
use schema::Schema;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The Apache Kafka release whose schemas are used; the one place to change for another.
pub const KAFKA_VERSION: &str = "4.4.0";

/// Where generated sources go, below the repository.
const OUTPUT: &str = "crates/protocol/src/gen";

/// The tests' own description of every schema, and the functions that decode and encode each
/// message.
const TEST_OUTPUT: &str = "crates/protocol/tests/wire/gen";

#[derive(clap::Args)]
pub struct Options {
    /// Write nothing; fail when the tree differs from what would be written
    #[arg(long)]
    check: bool,
}

/// A folder of generated modules: which jar and path inside it the schemas come from, and which of
/// them.
struct Set {
    module: &'static str,
    title: &'static str,
    sources: &'static [(&'static str, &'static str)],
    wanted: fn(&Schema) -> bool,
}

fn is_rpc(schema: &Schema) -> bool {
    matches!(schema.kind.as_str(), "request" | "response" | "header")
}

const SETS: &[Set] = &[
    Set {
        module: "rpc",
        title: "Requests, responses and their headers.",
        sources: &[("kafka-clients", "common/message/")],
        wanted: is_rpc,
    },
    Set {
        module: "metadata",
        title: "Records of the `__cluster_metadata` log.",
        sources: &[("kafka-metadata", "common/metadata/")],
        wanted: |_| true,
    },
    Set {
        module: "group",
        title: "Records of `__consumer_offsets`.",
        sources: &[("kafka-group-coordinator", "common/message/")],
        wanted: |_| true,
    },
    Set {
        module: "transaction",
        title: "Records of `__transaction_state`.",
        sources: &[("kafka-transaction-coordinator", "common/message/")],
        wanted: |_| true,
    },
    Set {
        module: "share",
        title: "Records of `__share_group_state`.",
        sources: &[("kafka-share-coordinator", "common/message/")],
        wanted: |_| true,
    },
    Set {
        module: "file",
        title: "Control records, small files and embedded protocols.",
        sources: &[
            ("kafka-clients", "common/message/"),
            ("kafka-raft", "common/message/"),
            ("kafka-storage", "message/"),
        ],
        // The records of tiered storage's own topic are of kind `metadata`, and not ours.
        wanted: |schema| schema.kind == "data",
    },
];

pub fn run(options: &Options) -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    let files = generate()?;
    if options.check { check(&root, &files) } else { write(&root, &files) }
}

/// Every generated file by its path below the repository.
fn generate() -> anyhow::Result<BTreeMap<PathBuf, String>> {
    let mut files = BTreeMap::new();
    let mut modules = vec!["api"];
    let mut sets = Vec::new();
    for set in SETS {
        let mut schemas = Vec::new();
        for (artifact, folder) in set.sources {
            for (name, text) in jars::json_entries(artifact, folder)? {
                let schema =
                    Schema::parse(&text).with_context(|| format!("schema {name} of {artifact}"))?;
                if schema.valid.is_some() && (set.wanted)(&schema) {
                    schemas.push(schema);
                }
            }
        }
        ensure!(!schemas.is_empty(), "no schema found for {}", set.module);
        schemas.sort_by(|a, b| a.name.cmp(&b.name));
        modules.push(set.module);
        sets.push((set, schemas));
    }
    for (set, schemas) in &sets {
        let folder = Path::new(OUTPUT).join(set.module);
        for schema in schemas {
            let path = folder.join(format!("{}.rs", names::snake(&schema.name)));
            files.insert(path, format_source(&emit::module(schema)?)?);
        }
        files.insert(
            folder.join("mod.rs"),
            format_source(&tables::set_module(set.module, set.title, schemas)?)?,
        );
    }
    let rpcs = &sets[0].1;
    files.insert(Path::new(OUTPUT).join("api.rs"), format_source(&tables::api_table(rpcs)?)?);
    files.insert(Path::new(OUTPUT).join("mod.rs"), format_source(&tables::root_module(&modules))?);
    let described: Vec<_> =
        sets.iter().map(|(set, schemas)| (set.module, schemas.as_slice())).collect();
    files.insert(
        Path::new(TEST_OUTPUT).join("mod.rs"),
        format_source(&tables::test_schemas(&described)?)?,
    );
    Ok(files)
}

/// Pretty-prints by `rustfmt`, with the width the repository uses.
fn format_source(source: &str) -> anyhow::Result<String> {
    use std::io::Write;
    let mut child = Command::new("rustfmt")
        .args(["--edition", "2024", "--config", "max_width=120,use_small_heuristics=Max"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("rustfmt does not start; install it with `rustup component add rustfmt`")?;
    let mut input = child.stdin.take().context("rustfmt has no input")?;
    let text = source.to_owned();
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let output = child.wait_with_output()?;
    writer.join().expect("the writer does not panic")?;
    if !output.status.success() {
        bail!("rustfmt refuses generated source:\n{source}");
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Generated files that are in the tree now.
fn present(root: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(OUTPUT), PathBuf::from(TEST_OUTPUT)];
    while let Some(folder) = folders.pop() {
        if !root.join(&folder).exists() {
            continue;
        }
        for entry in std::fs::read_dir(root.join(&folder))? {
            let entry = entry?;
            let path = folder.join(entry.file_name());
            if entry.file_type()?.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    Ok(found)
}

fn write(root: &Path, files: &BTreeMap<PathBuf, String>) -> anyhow::Result<()> {
    for path in present(root)? {
        if !files.contains_key(&path) {
            std::fs::remove_file(root.join(path))?;
        }
    }
    let mut changed = 0;
    for (path, text) in files {
        let path = root.join(path);
        // An unchanged file keeps its time, and cargo its work.
        if std::fs::read_to_string(&path).is_ok_and(|old| old == *text) {
            continue;
        }
        std::fs::create_dir_all(path.parent().context("a generated file has a folder")?)?;
        std::fs::write(path, text)?;
        changed += 1;
    }
    println!("{} files of Kafka {KAFKA_VERSION}, {changed} changed", files.len());
    Ok(())
}

fn check(root: &Path, files: &BTreeMap<PathBuf, String>) -> anyhow::Result<()> {
    let mut wrong: Vec<PathBuf> =
        present(root)?.into_iter().filter(|path| !files.contains_key(path)).collect();
    for (path, text) in files {
        if !std::fs::read_to_string(root.join(path)).is_ok_and(|old| old == *text) {
            wrong.push(path.clone());
        }
    }
    if let Some(first) = wrong.first() {
        bail!(
            "{} generated files differ from Kafka {KAFKA_VERSION}'s schemas, {} first; run `cargo \
             xtask codegen` and commit",
            wrong.len(),
            first.display()
        );
    }
    Ok(())
}
