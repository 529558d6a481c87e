//! The project's own commands, run as `cargo xtask NAME`.

mod codegen;
mod commands;
mod config_definitions;
mod tidy;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Parser;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The project's own commands")]
enum Command {
    /// Runs what a change must pass: fmt, clippy, tidy, all tests
    Ci,
    /// Checks style and layers: lengths, imports, unfinished places
    Tidy,
    /// Runs the simulation over many seeds
    Sim(commands::Sim),
    /// Runs the end-to-end scripts of tests/e2e against a release build
    E2e {
        /// File names without `.sh`; all when none is given
        names: Vec<String>,
    },
    /// Counts the instructions of single steps with valgrind, and holds them against
    /// benches/micro/counts.txt
    Counts {
        /// Writes what was counted to the file instead
        #[arg(long)]
        record: bool,
    },
    /// Runs a benchmark of benches/; what follows its name is passed on
    Bench {
        name: Option<String>,
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Writes crates/protocol's generated code from the schemas in Kafka's jars
    Codegen(codegen::Options),
    /// Writes src/config/gen from the config definitions in Kafka's jars (needs Maven and a JDK)
    CodegenConfigs,
}

/// The repository's root.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("xtask lies two folders below the root")
        .to_owned()
}

fn main() -> ExitCode {
    match run(Command::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cargo xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    let root = root();
    match command {
        Command::Ci => commands::ci(&root),
        Command::Tidy => tidy::run(&root),
        Command::Sim(options) => commands::sim(&root, &options),
        Command::E2e { names } => commands::e2e(&root, &names),
        Command::Counts { record } => commands::counts(&root, record),
        Command::Bench { name, arguments } => commands::bench(&root, name.as_deref(), &arguments),
        Command::Codegen(options) => codegen::run(&options),
        Command::CodegenConfigs => config_definitions::run(&root, codegen::KAFKA_VERSION),
    }
}
