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
  millstream serve";

#[derive(Debug, Subcommand, PartialEq)]
pub enum Command {
    /// Run a broker until it is told to stop (SIGTERM or SIGINT).
    #[command(after_help = SERVE_AFTER_HELP)]
    Serve(Serve),
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
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().to_owned(), value.trim().to_owned())),
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
        let Command::Serve(serve) =
            parse(&["serve", "server.properties", "--override", "node.id=2", "--override", "a=b=c"]).unwrap().command;
        assert_eq!(serve.file, Some(PathBuf::from("server.properties")));
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(serve.overrides, [pair("node.id", "2"), pair("a", "b=c")]);
        let Command::Serve(bare) = parse(&["serve"]).unwrap().command;
        assert_eq!(bare, Serve { file: None, overrides: Vec::new() });
    }

    #[test]
    fn errors_say_what_to_type() {
        let error = parse(&["serve", "--override", "node.id"]).unwrap_err().to_string();
        assert!(error.contains("--override num.partitions=6"), "{error}");
        let error = parse(&["server"]).unwrap_err().to_string();
        assert!(error.contains("serve"), "{error}");
        assert_eq!(parse(&["--version"]).unwrap_err().kind(), clap::error::ErrorKind::DisplayVersion);
        let help = parse(&[]).unwrap_err().to_string();
        assert!(help.contains("millstream serve"), "{help}");
    }
}
