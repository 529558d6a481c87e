//! Which topics are looked at. Pure.

use regex::Regex;
use std::{collections::BTreeSet, str::FromStr};

/// Topics that clients and brokers keep for themselves begin so, whether marked or not.
const INTERNAL: &str = "__";

/// Names, and patterns of whole names.
#[derive(Clone, Debug)]
pub struct Choice(Vec<(String, Regex)>);

impl FromStr for Choice {
    type Err = String;
    fn from_str(text: &str) -> Result<Choice, String> {
        let item = |item: &str| {
            let whole = Regex::new(&format!("^(?:{item})$")).map_err(|error| {
                let why = error.to_string().lines().last().unwrap_or_default().to_owned();
                format!(
                    "'{item}' is no pattern: {why}; give names or patterns, as in --topics \
                         'orders,click.*'"
                )
            })?;
            Ok((item.to_owned(), whole))
        };
        let items: Result<Vec<_>, String> =
            text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(item).collect();
        match items? {
            items if items.is_empty() => {
                Err("give at least one name, as in --topics orders".into())
            }
            items => Ok(Choice(items)),
        }
    }
}

impl Choice {
    /// The topics that are meant, of all that are there. A name that is there means itself alone,
    /// though a dot in it would match more.
    pub fn of<'a>(&self, all: &[(&'a str, bool)]) -> BTreeSet<&'a str> {
        let mut chosen = BTreeSet::new();
        for (item, pattern) in &self.0 {
            match all.iter().find(|(name, _)| name == item) {
                Some((name, _)) => {
                    chosen.insert(*name);
                }
                None => chosen.extend(visible(all).filter(|name| pattern.is_match(name))),
            }
        }
        chosen
    }

    /// Items that mean none of these topics.
    pub fn unmatched(&self, all: &[(&str, bool)]) -> Vec<&str> {
        let is_met = |(item, pattern): &&(String, Regex)| {
            !all.iter().any(|(name, _)| name == item || pattern.is_match(name))
        };
        self.0.iter().filter(is_met).map(|(item, _)| item.as_str()).collect()
    }
}

/// Names of topics that are not internal. Each comes with whether its broker marks it as internal.
pub fn visible<'a>(all: &[(&'a str, bool)]) -> impl Iterator<Item = &'a str> {
    let is_visible =
        |(name, is_internal): &&(&str, bool)| !is_internal && !name.starts_with(INTERNAL);
    all.iter().filter(is_visible).map(|(name, _)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [(&str, bool); 5] =
        [("a.b", false), ("axb", false), ("clicks-1", false), ("clicks-2", false), ("__co", true)];

    fn chosen(text: &str) -> Vec<&'static str> {
        text.parse::<Choice>().unwrap().of(&ALL).into_iter().collect()
    }

    #[test]
    fn names_mean_themselves_and_patterns_whole_names() {
        assert_eq!(chosen("a.b"), ["a.b"]);
        assert_eq!(chosen("a..?b"), ["a.b", "axb"]);
        assert_eq!(chosen("clicks"), Vec::<&str>::new());
        assert_eq!(chosen("clicks-.*, a.b"), ["a.b", "clicks-1", "clicks-2"]);
        assert_eq!(chosen(".*o"), Vec::<&str>::new(), "internal ones are named");
        assert_eq!(chosen("__co"), ["__co"]);
        assert_eq!(visible(&ALL).count(), 4);
        let choice: Choice = "a.b,none,cl.*".parse().unwrap();
        assert_eq!(choice.unmatched(&ALL), ["none"]);
        assert!("a(".parse::<Choice>().unwrap_err().contains("is no pattern"));
        assert!(" , ".parse::<Choice>().unwrap_err().contains("--topics orders"));
    }
}
