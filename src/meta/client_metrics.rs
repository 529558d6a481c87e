//! The configs of client metrics subscriptions (KIP-714): the third kind of resource that the
//! metadata log configures, and what they ask of clients ([`Subscriptions`]).

mod subscriptions;

pub use subscriptions::{Asked, ClientAttributes, Subscriptions, source_address};

use super::{controller::ApiError, image::Configs};
use crate::config::definitions::{ConfigType, Definition, Importance, UpdateMode, Valid};
use protocol::ErrorCode;

const INTERVAL_MS: &str = "interval.ms";
const MATCH: &str = "match";
const METRICS: &str = "metrics";
const INTERVAL_RANGE_MS: std::ops::RangeInclusive<i64> = 100..=3_600_000;

/// What a subscription may match clients by.
const SELECTORS: [&str; 6] = [
    "client_instance_id",
    "client_id",
    "client_software_name",
    "client_software_version",
    "client_source_address",
    "client_source_port",
];

const fn definition(
    name: &'static str,
    config_type: ConfigType,
    default: &'static str,
    valid: Valid,
    documentation: &'static str,
) -> Definition {
    Definition {
        name,
        config_type,
        default: Some(default),
        required: false,
        importance: Importance::Medium,
        valid,
        update_mode: UpdateMode::ClusterWide,
        internal: false,
        broker_synonyms: &[],
        documentation,
    }
}

const ANY_LIST: Valid = Valid::List { values: &[], empty_allowed: true };

/// Sorted by name.
static DEFINITIONS: [Definition; 3] = [
    definition(
        INTERVAL_MS,
        ConfigType::Int,
        "300000",
        Valid::Any,
        "How often clients push, in milliseconds",
    ),
    definition(
        MATCH,
        ConfigType::List,
        "",
        ANY_LIST,
        "Which clients are asked: selector=regular expression, all of them",
    ),
    definition(
        METRICS,
        ConfigType::List,
        "",
        ANY_LIST,
        "Which metrics are asked for, by prefix; * for all",
    ),
];

pub fn definitions() -> &'static [Definition] {
    &DEFINITIONS
}

/// Whether a subscription may have these configs (`ClientMetricsConfigs.validate`).
pub fn validate(subscription: &str, configs: &Configs) -> Result<(), ApiError> {
    if subscription.is_empty() {
        return Err(ApiError::invalid_request("Subscription name can't be empty"));
    }
    for (name, value) in configs {
        let Some(definition) = DEFINITIONS.iter().find(|definition| definition.name == name) else {
            return Err(ApiError::invalid_request(format!(
                "Unknown client metrics configuration: {name}"
            )));
        };
        definition
            .validate(value)
            .map_err(|reason| ApiError::new(ErrorCode::InvalidConfig, reason))?;
        match &**name {
            INTERVAL_MS => check_interval(value)?,
            MATCH => value
                .split(',')
                .map(str::trim)
                .filter(|pattern| !pattern.is_empty())
                .try_for_each(check_pattern)?,
            _ => {}
        }
    }
    Ok(())
}

fn check_interval(value: &str) -> Result<(), ApiError> {
    match value.trim().parse() {
        Ok(interval_ms) if INTERVAL_RANGE_MS.contains(&interval_ms) => Ok(()),
        _ => Err(ApiError::invalid_request(format!(
            "Invalid value {} for {INTERVAL_MS}, interval must be between 100 and 3600000 (1 hour)",
            value.trim()
        ))),
    }
}

fn check_pattern(pattern: &str) -> Result<(), ApiError> {
    match selector_and_pattern(pattern) {
        Some((selector, expression))
            if SELECTORS.contains(&selector) && subscriptions::compile(expression).is_some() =>
        {
            Ok(())
        }
        _ => Err(ApiError::new(
            ErrorCode::InvalidConfig,
            format!("Illegal client matching pattern: {pattern}"),
        )),
    }
}

/// The two parts of SELECTOR=PATTERN.
fn selector_and_pattern(text: &str) -> Option<(&str, &str)> {
    let (selector, pattern) = text.split_once('=')?;
    let is_pair = !pattern.is_empty() && !pattern.contains('=');
    is_pair.then(|| (selector.trim(), pattern.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, value: &str) -> Result<(), ErrorCode> {
        let configs = Configs::from([(name.to_owned(), value.to_owned())]);
        validate("subscription", &configs).map_err(|error| error.code)
    }

    #[test]
    fn subscriptions_are_valid_or_refused() {
        assert_eq!(check("interval.ms", "100"), Ok(()));
        assert_eq!(check("interval.ms", "99"), Err(ErrorCode::InvalidRequest));
        assert_eq!(check("interval.ms", "x"), Err(ErrorCode::InvalidConfig));
        assert_eq!(check("metrics", "a.b,c"), Ok(()));
        assert_eq!(check("match", "client_id=x.*, client_source_port=9"), Ok(()));
        assert_eq!(check("match", "client_id"), Err(ErrorCode::InvalidConfig));
        assert_eq!(check("match", "colour=red"), Err(ErrorCode::InvalidConfig));
        assert_eq!(check("match", "client_id=("), Err(ErrorCode::InvalidConfig));
        assert_eq!(check("other", ""), Err(ErrorCode::InvalidRequest));
        assert!(validate("", &Configs::new()).is_err());
    }
}
