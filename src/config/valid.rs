//! The checks of values beyond their type: Kafka's `ConfigDef.Validator`s as data.

use super::broker::ShardCores;
use super::definitions::{Valid, Value};
use super::listeners;

/// `value`, cleaned of duplicates where the rule asks for it; or what is wrong with it, to be put
/// behind the value: "is less than 1".
pub fn check(rule: &Valid, value: Value) -> Result<Value, String> {
    let problem = match (rule, &value) {
        (Valid::Range { min, max }, Value::Whole(number)) => outside(*number as f64, *min, *max),
        (Valid::Range { min, max }, Value::Fraction(number)) => outside(*number, *min, *max),
        (Valid::GzipLevel, Value::Whole(-1 | 1..=9)) => None,
        (Valid::GzipLevel, _) => Some("is neither 1 to 9 nor -1".to_owned()),
        (Valid::OneOf(allowed), Value::Text(text)) => not_one_of(allowed, |one| one == text),
        (Valid::OneOfIgnoringCase(allowed), Value::Text(text)) => {
            not_one_of(allowed, |one| one.eq_ignore_ascii_case(text))
        }
        (Valid::NonEmpty, Value::Text(text)) if text.is_empty() => Some("is empty".to_owned()),
        (Valid::List { values, empty_allowed }, Value::List(elements)) => {
            bad_list(elements, values, *empty_allowed)
        }
        (Valid::QuorumVoters, Value::List(elements)) => {
            elements.iter().find_map(|element| listeners::parse_voter(element).err())
        }
        (Valid::BootstrapServers, Value::List(elements)) => {
            elements.iter().find_map(|element| listeners::parse_address(element).err())
        }
        (Valid::ThrottledReplicas, Value::List(elements)) => bad_replicas(elements),
        (Valid::ShareOffsetReset, Value::Text(text)) => bad_offset_reset(text),
        (Valid::ShardCores, Value::Text(text)) => ShardCores::parse(text).err(),
        (Valid::OptionalAddress, Value::Text(text)) if !text.is_empty() => {
            listeners::parse_address(text).err()
        }
        _ => None,
    };
    match (problem, rule, value) {
        (Some(problem), _, _) => Err(problem),
        (None, Valid::List { .. }, Value::List(elements)) => {
            Ok(Value::List(without_duplicates(elements)))
        }
        (None, _, value) => Ok(value),
    }
}

fn outside(number: f64, min: Option<f64>, max: Option<f64>) -> Option<String> {
    let too_small = min.is_some_and(|min| number < min);
    let too_large = max.is_some_and(|max| number > max);
    match (too_small || too_large, min, max) {
        (false, _, _) | (true, None, None) => None,
        (true, Some(min), Some(max)) => Some(format!("is not between {min} and {max}")),
        (true, Some(min), None) => Some(format!("is less than {min}")),
        (true, None, Some(max)) => Some(format!("is more than {max}")),
    }
}

fn not_one_of(allowed: &[&str], matches: impl Fn(&str) -> bool) -> Option<String> {
    let found = allowed.iter().any(|one| matches(one));
    (!found).then(|| format!("is not one of {}", allowed.join(", ")))
}

fn bad_list(elements: &[String], allowed: &[&str], empty_allowed: bool) -> Option<String> {
    if elements.is_empty() {
        return (!empty_allowed).then(|| "is empty: at least one element is needed".to_owned());
    }
    if elements.iter().any(String::is_empty) {
        return Some("has an empty element".to_owned());
    }
    let all_known =
        allowed.is_empty() || elements.iter().all(|element| allowed.contains(&element.as_str()));
    (!all_known).then(|| format!("has an element that is not one of {}", allowed.join(", ")))
}

fn without_duplicates(elements: Vec<String>) -> Vec<String> {
    let mut unique: Vec<String> = Vec::with_capacity(elements.len());
    for element in elements {
        if !unique.contains(&element) {
            unique.push(element);
        }
    }
    unique
}

fn bad_replicas(elements: &[String]) -> Option<String> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let pair = |element: &String| match element.split_once(':') {
        Some((partition, broker)) => digits(partition) && digits(broker),
        None => element.is_empty(),
    };
    let good = elements.iter().all(pair) || elements.concat() == "*";
    (!good).then(|| "is neither '*' nor a list of partition:broker,partition:broker,...".to_owned())
}

/// Strategy names are matched without case, as `AutoOffsetResetStrategy.fromString` does.
fn bad_offset_reset(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let good = lower == "earliest"
        || lower == "latest"
        || lower
            .strip_prefix("by_duration:")
            .is_some_and(|duration| is_iso_duration(&duration.to_ascii_uppercase()));
    (!good).then(|| "is neither earliest, latest nor by_duration:PnDTnHnMn.nS".to_owned())
}

/// A duration of ISO 8601 with days, hours, minutes and seconds, at least one of them, none
/// negative.
fn is_iso_duration(text: &str) -> bool {
    let Some(body) = text.strip_prefix('P') else { return false };
    let (days, time) = body.split_once('T').map_or((body, None), |(days, time)| (days, Some(time)));
    units_in_order(days, "D")
        && time.is_none_or(|time| !time.is_empty() && units_in_order(time, "HMS"))
        && text.len() > 2
}

/// Whether `text` is numbers, each followed by one of `units`, in that order and each at most once.
/// Only seconds may have a fraction.
fn units_in_order(mut text: &str, units: &str) -> bool {
    let mut units_left = units;
    while !text.is_empty() {
        let Some(end) =
            text.find(|character: char| !character.is_ascii_digit() && character != '.')
        else {
            return false;
        };
        let (number, unit) =
            (&text[..end], &text[end..end + text[end..].chars().next().map_or(0, char::len_utf8)]);
        let Some(position) = units_left.find(unit) else { return false };
        let number_is_good = number.parse::<f64>().is_ok()
            && number.starts_with(|first: char| first.is_ascii_digit());
        if !number_is_good || (number.contains('.') && unit != "S") {
            return false;
        }
        units_left = &units_left[position + 1..];
        text = &text[end + unit.len()..];
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(rule: Valid, value: Value) -> bool {
        check(&rule, value).is_ok()
    }

    #[test]
    fn durations_of_share_groups() {
        let accepts = |text: &str| accepts(Valid::ShareOffsetReset, Value::Text(text.to_owned()));
        for good in [
            "earliest",
            "LATEST",
            "by_duration:PT1H",
            "by_duration:P1DT2H3M4.5S",
            "by_duration:P7D",
        ] {
            assert!(accepts(good), "{good}");
        }
        for bad in [
            "none",
            "",
            "by_duration:",
            "by_duration:P",
            "by_duration:PT",
            "by_duration:P1DT",
            "by_duration:PT-1H",
            "by_duration:1h",
            "by_duration:PT1M1H",
            "by_duration:P1H",
        ] {
            assert!(!accepts(bad), "{bad}");
        }
    }

    #[test]
    fn throttled_replicas() {
        let accepts = |text: &str| {
            accepts(
                Valid::ThrottledReplicas,
                Value::List(text.split(',').map(str::to_owned).collect()),
            )
        };
        assert!(accepts("*") && accepts("") && accepts("0:1") && accepts("0:1,12:3"));
        assert!(
            !accepts("0")
                && !accepts("0:")
                && !accepts("*,0:1")
                && !accepts("a:b")
                && !accepts("0:1:2")
        );
    }

    #[test]
    fn quorum_voters_and_addresses() {
        let voters = |text: &str| {
            accepts(Valid::QuorumVoters, Value::List(text.split(',').map(str::to_owned).collect()))
        };
        assert!(voters("1@localhost:9093") && voters("1@a:1,2@[::1]:2"));
        assert!(
            !voters("localhost:9093")
                && !voters("1@localhost")
                && !voters("x@localhost:1")
                && !voters("1@h:70000")
        );
        assert!(accepts(Valid::OptionalAddress, Value::Text(String::new())));
        assert!(!accepts(Valid::OptionalAddress, Value::Text("localhost".to_owned())));
    }

    #[test]
    fn gzip_levels() {
        let accepts = |level: i64| accepts(Valid::GzipLevel, Value::Whole(level));
        assert!(accepts(-1) && accepts(1) && accepts(9));
        assert!(!accepts(0) && !accepts(10) && !accepts(-2));
    }
}
