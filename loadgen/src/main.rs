//! `loadgen`: an open-loop load generator for any broker that speaks Apache Kafka's protocol.
//!
//! Owns: its connections, its schedule and its histograms. Lives on: one thread, on a ring of its
//! own, so that the generator is not the bottleneck; when it is, it says so. Never: waits for a
//! reply before the next record is due: what a slow broker delays is measured from when it should
//! have been sent (coordinated omission).

mod cluster;
mod commands;
mod compare;
mod consume;
mod dialer;
mod keys;
mod knee;
mod machine;
mod missing;
mod options;
mod outages;
mod payload;
mod plan;
mod produce;
mod profile;
mod progress;
mod random;
mod replay;
mod report;
mod run;
mod say;
mod schedule;
mod selftest;
mod signals;
mod table;
mod tallies;
mod timeline;
mod value;
mod verify;
mod workload;

use clap::Parser;
use options::{Command, Options};
use std::process::ExitCode;

fn main() -> ExitCode {
    let outcome = match Options::parse().command {
        Command::Run(command) => run::run(*command),
        Command::Workload(options) => workload::workload(options.command),
        Command::Selftest(options) => selftest::run(&options),
        Command::Knee(options) => knee::knee(*options),
        Command::Plan(options) => plan::plan(*options),
        Command::Profile(options) => profile::profile(*options),
        Command::Replay(options) => replay::replay(*options),
        Command::Compare(options) => compare::compare(options).map(|()| true),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(2),
        Err(error) => {
            say::note(&format!("loadgen: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
