//! The levels of this process's log lines by logger, as DescribeConfigs and IncrementalAlterConfigs
//! see them (KIP-412), and what of RUST_LOG they come from. Pure.
//!
//! A logger is a module of the program; [`ROOT`] stands for all that have no level of their own and
//! no module above them that has one. Levels last until the process ends.

use std::collections::BTreeMap;

use protocol::generated::rpc::incremental_alter_configs_request::AlterableConfig;

use super::alter::{Operation, Rejection};

pub const ROOT: &str = "root";

/// Loggers that are there without being set: the parts of the program.
const NAMES: [&str; 16] = [
    ROOT,
    "client",
    "millstream",
    "millstream::admin",
    "millstream::boot",
    "millstream::config",
    "millstream::control",
    "millstream::coord",
    "millstream::log",
    "millstream::meta",
    "millstream::net",
    "millstream::quota",
    "millstream::request",
    "millstream::shard",
    "millstream::storage",
    "ring",
];

/// Kafka's levels. Nothing here is logged as fatal: that level silences a logger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    Fatal,
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

impl Level {
    const ALL: [(Level, &'static str, &'static str); 6] = [
        (Level::Debug, "DEBUG", "debug"),
        (Level::Error, "ERROR", "error"),
        (Level::Fatal, "FATAL", "off"),
        (Level::Info, "INFO", "info"),
        (Level::Trace, "TRACE", "trace"),
        (Level::Warn, "WARN", "warn"),
    ];

    /// As Kafka writes it.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    fn directive(self) -> &'static str {
        self.row().2
    }

    fn row(self) -> (Level, &'static str, &'static str) {
        *Level::ALL.iter().find(|(level, ..)| *level == self).expect("all are there")
    }

    fn from_name(name: &str) -> Option<Level> {
        Level::ALL.iter().find(|(_, known, _)| *known == name).map(|(level, ..)| *level)
    }

    fn from_directive(word: &str) -> Option<Level> {
        let is_it = |(_, _, known): &&(Level, &str, &str)| known.eq_ignore_ascii_case(word);
        Level::ALL.iter().find(is_it).map(|(level, ..)| *level)
    }
}

/// What a logger's level is to be; `None`: that of the module above it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LevelChange {
    pub logger: String,
    pub level: Option<Level>,
}

/// The levels that are set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Levels {
    root: Level,
    of: BTreeMap<String, Level>,
    /// Parts of RUST_LOG that are no level of a module; they stay as they are.
    others: Vec<String>,
}

impl Levels {
    /// Those that RUST_LOG, or the default, stands for. Without a level for all, only errors are
    /// logged of what has none.
    pub fn from_directives(directives: &str) -> Levels {
        let mut levels = Levels { root: Level::Error, of: BTreeMap::new(), others: Vec::new() };
        for one in directives.split(',').map(str::trim).filter(|one| !one.is_empty()) {
            let (logger, level) = match one.split_once('=') {
                Some((logger, word)) => (logger, Level::from_directive(word)),
                None if Level::from_directive(one).is_some() => (ROOT, Level::from_directive(one)),
                None => (one, Some(Level::Trace)),
            };
            match level.filter(|_| !logger.contains('[')) {
                Some(level) if logger == ROOT => levels.root = level,
                Some(level) => drop(levels.of.insert(logger.to_owned(), level)),
                None => levels.others.push(one.to_owned()),
            }
        }
        levels
    }

    /// What the filter of log lines is made of.
    pub fn directives(&self) -> String {
        let of = self.of.iter().map(|(logger, level)| format!("{logger}={}", level.directive()));
        let root = std::iter::once(self.root.directive().to_owned());
        self.others.iter().cloned().chain(root).chain(of).collect::<Vec<String>>().join(",")
    }

    pub fn change(&mut self, changes: &[LevelChange]) {
        for LevelChange { logger, level } in changes {
            match level {
                Some(level) if logger == ROOT => self.root = *level,
                Some(level) => drop(self.of.insert(logger.clone(), *level)),
                None => drop(self.of.remove(logger)),
            }
        }
    }

    /// Every logger that there is, by name, and its level.
    pub fn all(&self) -> BTreeMap<&str, Level> {
        let names = NAMES.into_iter().chain(self.of.keys().map(String::as_str));
        names.map(|name| (name, self.level_of(name))).collect()
    }

    fn level_of(&self, logger: &str) -> Level {
        let mut name = logger;
        loop {
            match (self.of.get(name), name.rsplit_once("::")) {
                (Some(level), _) => return *level,
                (None, Some((above, _))) => name = above,
                (None, None) => return self.root,
            }
        }
    }

    /// What `configs` change, or why they are refused (`RuntimeLoggerManager`).
    pub fn check(&self, configs: &[AlterableConfig]) -> Result<Vec<LevelChange>, Rejection> {
        let all = self.all();
        let change = |config: &AlterableConfig| {
            let logger = config.name.clone();
            let exists = || match all.contains_key(&*config.name) {
                true => Ok(()),
                false => {
                    let message = format!("Logger {logger} does not exist!");
                    Err(Rejection::invalid_config(message))
                }
            };
            let level = match Operation::from_wire(config.config_operation) {
                Ok(Operation::Set) => {
                    exists()?;
                    Some(level_named(&logger, config.value.as_deref().unwrap_or_default())?)
                }
                Ok(Operation::Delete) => {
                    exists()?;
                    None
                }
                other => return Err(not_for_loggers(other.ok(), config.config_operation)),
            };
            if level.is_none() && logger == ROOT {
                return Err(Rejection::invalid_request(
                    "Removing the log level of the root logger is not allowed",
                ));
            }
            Ok(LevelChange { logger, level })
        };
        configs.iter().map(change).collect()
    }
}

fn level_named(logger: &str, name: &str) -> Result<Level, Rejection> {
    Level::from_name(name).ok_or_else(|| {
        let valid: Vec<&str> = Level::ALL.iter().map(|(_, name, _)| *name).collect();
        Rejection::invalid_config(format!(
            "Cannot set the log level of {logger} to {name} as it is not a supported log level. \
             Valid log levels are {}",
            valid.join(", ")
        ))
    })
}

fn not_for_loggers(operation: Option<Operation>, number: i8) -> Rejection {
    let which = match operation {
        Some(Operation::Append) => "APPEND operation".to_owned(),
        Some(_) => "SUBTRACT operation".to_owned(),
        None => format!("Unknown operation type {number}"),
    };
    Rejection::invalid_request(format!("{which} is not allowed for the BROKER_LOGGER resource"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::error::ErrorCode;

    fn config(name: &str, operation: i8, value: Option<&str>) -> AlterableConfig {
        AlterableConfig {
            name: name.to_owned(),
            config_operation: operation,
            value: value.map(str::to_owned),
        }
    }

    #[test]
    fn levels_come_from_directives_and_become_directives() {
        let levels = Levels::from_directives("info,millstream::log=debug, ring=off,a[span]=trace");
        let all = levels.all();
        assert_eq!(
            (all["root"], all["millstream::log"], all["ring"], all["millstream::net"]),
            (Level::Info, Level::Debug, Level::Fatal, Level::Info)
        );
        let directives = levels.directives();
        assert_eq!(directives, "a[span]=trace,info,millstream::log=debug,ring=off");
        assert_eq!(Levels::from_directives(&directives), levels);
        assert_eq!(Levels::from_directives("millstream=warn").all()["root"], Level::Error);
        assert_eq!(Levels::from_directives("millstream").all()["millstream::meta"], Level::Trace);
    }

    #[test]
    fn a_logger_without_a_level_has_that_of_the_module_above() {
        let mut levels = Levels::from_directives("info");
        let set =
            [config("millstream", 0, Some("WARN")), config("millstream::log", 0, Some("TRACE"))];
        levels.change(&levels.check(&set).unwrap());
        assert_eq!(levels.all()["millstream::net"], Level::Warn);
        assert_eq!(
            (levels.all()["millstream::log"], levels.all()["ring"]),
            (Level::Trace, Level::Info)
        );
        levels.change(&levels.check(&[config("millstream::log", 1, None)]).unwrap());
        assert_eq!(levels.all()["millstream::log"], Level::Warn);
    }

    #[test]
    fn what_kafka_refuses_of_loggers_is_refused() {
        let levels = Levels::from_directives("info");
        let refused = |config| levels.check(&[config]).unwrap_err();
        let unknown = refused(config("kafka.server", 0, Some("INFO")));
        assert_eq!(unknown.error, ErrorCode::InvalidConfig);
        assert_eq!(unknown.message, "Logger kafka.server does not exist!");
        let level = refused(config("root", 0, Some("info")));
        assert_eq!(level.error, ErrorCode::InvalidConfig);
        assert!(level.message.ends_with("are DEBUG, ERROR, FATAL, INFO, TRACE, WARN"));
        for (operation, expected) in [
            (1, "Removing the log level of the root logger is not allowed"),
            (2, "APPEND operation is not allowed for the BROKER_LOGGER resource"),
            (3, "SUBTRACT operation is not allowed for the BROKER_LOGGER resource"),
            (9, "Unknown operation type 9 is not allowed for the BROKER_LOGGER resource"),
        ] {
            let rejection = refused(config("root", operation, Some("INFO")));
            assert_eq!(rejection.error, ErrorCode::InvalidRequest);
            assert_eq!(rejection.message, expected);
        }
    }
}
