//! `loadgen workload`: looks at files without a broker.

use super::{Workload, describe, keys::ROOT};
use crate::{options::RunOptions, say};
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Args)]
pub struct WorkloadOptions {
    #[command(subcommand)]
    pub command: WorkloadCommand,
}

#[derive(Subcommand)]
pub enum WorkloadCommand {
    /// Says all that is wrong with workload files: line, key, and what to write.
    Check {
        /// TOML, or YAML of OpenMessaging Benchmark (.yaml, .yml)
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Prints a JSON schema of workload files, for editors.
    Schema,
    /// Prints the workload file that options of `loadgen run` stand for.
    FromOptions(Box<RunOptions>),
}

pub fn workload(command: WorkloadCommand) -> anyhow::Result<bool> {
    match command {
        WorkloadCommand::Check { files } => {
            let mut are_good = true;
            for file in &files {
                match Workload::read(file) {
                    Ok(workload) => say::result(&in_short(&workload)),
                    Err(problems) => {
                        are_good = false;
                        say::note(&format!("{problems:#}"));
                    }
                }
            }
            Ok(are_good)
        }
        WorkloadCommand::Schema => {
            say::result(&serde_json::to_string_pretty(&describe::schema(&ROOT))?);
            Ok(true)
        }
        WorkloadCommand::FromOptions(options) => {
            options.check()?;
            say::result(Workload::of_options(&options).toml().trim_end());
            Ok(true)
        }
    }
}

fn in_short(workload: &Workload) -> String {
    let mut line = format!(
        "{}: good: {} topics with {} partitions, {} producers, {} s measured",
        workload.file.as_deref().unwrap_or_default(),
        workload.topics.len(),
        workload.partitions(),
        workload.producers.iter().map(|one| one.connections).sum::<usize>(),
        workload.duration().as_secs_f64(),
    );
    for word in &workload.words {
        line += &format!("\n  {word}");
    }
    line
}
