//! The command line. Parses and explains; runs nothing.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// A message broker that speaks Apache Kafka's wire protocol, one thread per core.
#[derive(Debug, Parser, PartialEq)]
#[command(name = "millstream", version, arg_required_else_help = true, after_help = AFTER_HELP)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

const AFTER_HELP: &str = "\
Start a single node on localhost:9092 with its data in ./millstream-data:
  millstream serve
Look at the data of a stopped broker:
  millstream log check ./millstream-data";

#[derive(Debug, Subcommand, PartialEq)]
pub enum Command {
    /// Run a broker until it is told to stop (SIGTERM or SIGINT).
    #[command(after_help = SERVE_AFTER_HELP)]
    Serve(Serve),
    /// Look at the log directories of a stopped broker, or mend them.
    #[command(subcommand, arg_required_else_help = true)]
    Log(Log),
}

#[derive(Debug, Subcommand, PartialEq)]
pub enum Log {
    /// Say what log directories hold, and what is wrong with them. Changes nothing.
    #[command(after_help = CHECK_AFTER_HELP)]
    Check(Directories),
    /// Cut damaged logs to their last good point, so that the broker serves what is left.
    #[command(after_help = REPAIR_AFTER_HELP)]
    Repair(Directories),
}

const CHECK_AFTER_HELP: &str = "\
The broker must be stopped. Every byte is read: each batch's checksum, each index entry.
What is wrong is said with the file, the position, and what to do. Exit codes:
  0 nothing is wrong, 4 something is, 1 the directories could not be read, 2 a wrong command line.
Example:
  millstream log check /data1 /data2";

const REPAIR_AFTER_HELP: &str = "\
Restore what is damaged from a backup first, where there is one: a repair loses records.
A damaged log ends, then, before its first damage or hole. Nothing is removed: what goes out of a \
log stays in its folder
under a name that ends in .aside-NUMBER, and each such name is said. It can be run again, also \
after it was interrupted.
The broker must be stopped. Exit codes:
  0 all is mended, 4 something is left that it cannot mend, 1 it could not be done, 2 a wrong \
  command line.
Example:
  millstream log repair /data1 /data2";

#[derive(Debug, clap::Args, PartialEq)]
pub struct Directories {
    /// The directories of log.dirs, all of them.
    #[arg(value_name = "DIR", required = true)]
    pub paths: Vec<PathBuf>,
}

const SERVE_AFTER_HELP: &str = "\
A config is taken from the first of these that sets it:
  --override, the environment (KAFKA_LOG_DIRS is log.dirs), the file, Kafka's default.
Configs are Apache Kafka's; docs/configuration.md names the few that are not.";

#[derive(Debug, clap::Args, PartialEq)]
pub struct Serve {
    /// Kafka's server.properties; without it, a single node on localhost:9092.
    #[arg(value_name = "SERVER.PROPERTIES")]
    pub file: Option<PathBuf>,

    /// Set a config, stronger than the file and the environment. May be given several times.
    #[arg(long = "override", value_name = "KEY=VALUE", value_parser = key_value)]
    pub overrides: Vec<(String, String)>,
}

fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => {
            Ok((key.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err("write it as KEY=VALUE, for example --override num.partitions=6".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn parse(arguments: &[&str]) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(["millstream"].iter().chain(arguments))
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn serve_takes_a_file_and_overrides() {
        let Command::Serve(serve) = parse(&[
            "serve",
            "server.properties",
            "--override",
            "node.id=2",
            "--override",
            "a=b=c",
        ])
        .unwrap()
        .command
        else {
            panic!("another command")
        };
        assert_eq!(serve.file, Some(PathBuf::from("server.properties")));
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(serve.overrides, [pair("node.id", "2"), pair("a", "b=c")]);
        let Command::Serve(bare) = parse(&["serve"]).unwrap().command else {
            panic!("another command")
        };
        assert_eq!(bare, Serve { file: None, overrides: Vec::new() });
    }

    #[test]
    fn log_takes_directories() {
        let Command::Log(Log::Check(check)) = parse(&["log", "check", "a", "b"]).unwrap().command
        else {
            panic!()
        };
        assert_eq!(check.paths, [PathBuf::from("a"), PathBuf::from("b")]);
        assert!(matches!(
            parse(&["log", "repair", "a"]).unwrap().command,
            Command::Log(Log::Repair(_))
        ));
        let error = parse(&["log", "check"]).unwrap_err().to_string();
        assert!(error.contains("<DIR>..."), "{error}");
    }

    #[test]
    fn errors_say_what_to_type() {
        let error = parse(&["serve", "--override", "node.id"]).unwrap_err().to_string();
        assert!(error.contains("--override num.partitions=6"), "{error}");
        let error = parse(&["server"]).unwrap_err().to_string();
        assert!(error.contains("serve"), "{error}");
        assert_eq!(
            parse(&["--version"]).unwrap_err().kind(),
            clap::error::ErrorKind::DisplayVersion
        );
        let help = parse(&[]).unwrap_err().to_string();
        assert!(help.contains("millstream serve"), "{help}");
    }
}
