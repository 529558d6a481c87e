//! The broker configs that may change while the broker runs, typed, as they are now. Those that
//! give topics and groups their defaults are in [`LogConfig`](super::LogConfig) and `Layers`.
//!
//! Owns: nothing. Lives on: every core, as a part of its view; a change makes a new one. Never:
//! acts on a config.

use std::path::Path;

use super::broker::{LogSettings, TransactionSettings};
use super::definitions;
use super::layers::Layers;
use super::settings::{Reader, settings};

/// Of what is read-only in Kafka, the values of the start.
#[derive(Debug, Clone, PartialEq)]
pub struct RuntimeConfig {
    pub log: LogSettings,
    pub transactions: TransactionSettings,
    pub storage: StorageSettings,
}

settings! {
    pub struct StorageSettings {
        /// Log directories that take no new replicas (KIP-1066); `*`: all.
        cordoned_log_dirs: Vec<String> = "cordoned.log.dirs",
    }
}

impl RuntimeConfig {
    /// The typed form of `layers`, whose values were validated one by one.
    pub fn of(layers: &Layers) -> RuntimeConfig {
        let values = layers.merged();
        let mut reader = Reader::new(definitions::broker(), &values);
        RuntimeConfig {
            log: LogSettings::read(&mut reader),
            transactions: TransactionSettings::read(&mut reader),
            storage: StorageSettings::read(&mut reader),
        }
    }
}

impl StorageSettings {
    pub fn is_cordoned(&self, dir: &Path) -> bool {
        self.cordoned_log_dirs.iter().any(|one| one == "*" || Path::new(one) == dir)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::layers::Values;

    fn of(pairs: &[(&str, &str)]) -> RuntimeConfig {
        let pair = |(name, value): &(&str, &str)| (name.to_string(), value.to_string());
        let dynamic_broker: Values = pairs.iter().map(pair).collect();
        RuntimeConfig::of(&Layers { dynamic_broker, ..Layers::default() })
    }

    #[test]
    fn dynamic_values_are_typed() {
        let config = of(&[
            ("log.cleaner.backoff.ms", "7"),
            ("producer.id.expiration.ms", "8"),
            ("transaction.partition.verification.enable", "false"),
        ]);
        assert_eq!(config.log.cleaner_backoff_ms, 7);
        assert_eq!(config.transactions.producer_id_expiration_ms, 8);
        assert!(!config.transactions.partition_verification_enable);
        assert_eq!(of(&[]).log.cleaner_backoff_ms, 15_000);
    }

    #[test]
    fn cordoned_directories() {
        let is_cordoned = |set: &str, dir: &str| {
            of(&[("cordoned.log.dirs", set)]).storage.is_cordoned(Path::new(dir))
        };
        assert!(is_cordoned("/a,/b", "/b") && is_cordoned("*", "/c"));
        assert!(!is_cordoned("/a,/b", "/c") && !is_cordoned("", "/a"));
    }
}
