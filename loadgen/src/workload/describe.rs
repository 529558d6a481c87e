//! What a workload file may say: every key with its kind, its bounds, its default and what it
//! means. Data, and the checks and the JSON schema that follow from it. Pure.
//!
//! Never: reads a value for its use; `read.rs` does, once all is checked.

use super::tree::{Node, Problem, Value};
use crate::options::{Rate, parse_duration};
use serde_json::{Map, json};
use std::str::FromStr;

#[derive(Clone, Copy, Debug)]
pub enum Kind {
    Integer(i64, i64),
    /// A number, whole or not, within bounds.
    Number(f64, f64),
    /// A list of numbers within bounds.
    Numbers(f64, f64),
    /// Records per second, or "max".
    Rate,
    Text,
    /// "10s", "500ms", "2m".
    Duration,
    Flag,
    Choice(&'static [&'static str]),
    /// One text, or a list of them.
    Texts,
    /// Names with texts, numbers or flags.
    Configs,
    Section(&'static Section),
    Sections(&'static Section),
    /// A whole number for the plain case, or a section.
    IntegerOr(i64, i64, &'static Section),
}

/// What stands for a key that a file leaves out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Default {
    /// The key must be there.
    Needed,
    /// Nothing: the key's own text says what that means.
    Absent,
    Integer(i64),
    Number(f64),
    Text(&'static str),
    Flag(bool),
}

#[derive(Clone, Copy, Debug)]
pub struct Key {
    pub name: &'static str,
    pub kind: Kind,
    pub default: Default,
    pub about: &'static str,
}

#[derive(Debug)]
pub struct Section {
    pub about: &'static str,
    pub keys: &'static [Key],
}

impl Section {
    pub fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }

    /// Adds all that is wrong with a table.
    pub fn check(&'static self, node: &Node, path: &str, problems: &mut Vec<Problem>) {
        let Value::Table(entries) = &node.value else {
            let what = format!("{path}: give a table with {}", self.names());
            problems.push(Problem { line: node.line, what });
            return;
        };
        for entry in entries {
            let path = joined(path, &entry.key);
            match self.key(&entry.key) {
                Some(key) => key.kind.check(&entry.node, entry.line, &path, problems),
                None => problems
                    .push(Problem { line: entry.line, what: self.unknown(&path, &entry.key) }),
            }
        }
        for key in self.keys.iter().filter(|key| key.default == Default::Needed) {
            if node.get(key.name).is_none() {
                let path = joined(path, key.name);
                let what = format!("{path} is missing: {} ({})", key.kind.allowed(), key.about);
                problems.push(Problem { line: node.line, what });
            }
        }
    }

    fn names(&self) -> String {
        self.keys.iter().map(|key| key.name).collect::<Vec<_>>().join(", ")
    }

    fn unknown(&self, path: &str, name: &str) -> String {
        let near = self
            .keys
            .iter()
            .map(|key| (strsim::damerau_levenshtein(key.name, name), key.name))
            .min()
            .filter(|(distance, known)| *distance <= 1 + known.len() / 4);
        match near {
            Some((_, known)) => format!("{path} is no key: did you mean {known}?"),
            None => format!("{path} is no key: give one of {}", self.names()),
        }
    }

    /// As JSON Schema, draft 2020-12, has it.
    fn schema(&'static self) -> serde_json::Value {
        let mut properties = Map::new();
        for key in self.keys {
            let mut schema = key.kind.schema();
            schema["description"] = json!(key.about);
            match key.default {
                Default::Needed | Default::Absent => {}
                Default::Integer(number) => schema["default"] = json!(number),
                Default::Number(number) => schema["default"] = json!(number),
                Default::Text(text) => schema["default"] = json!(text),
                Default::Flag(flag) => schema["default"] = json!(flag),
            }
            properties.insert(key.name.to_owned(), schema);
        }
        let needed: Vec<&str> = self
            .keys
            .iter()
            .filter(|key| key.default == Default::Needed)
            .map(|key| key.name)
            .collect();
        json!({
            "type": "object",
            "description": self.about,
            "properties": properties,
            "required": needed,
            "additionalProperties": false,
        })
    }
}

pub fn schema(root: &'static Section) -> serde_json::Value {
    let mut schema = root.schema();
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("A workload of loadgen");
    schema
}

pub fn joined(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

impl Kind {
    /// What to write.
    fn allowed(&self) -> String {
        match self {
            Kind::Integer(min, max) => format!("give a whole number from {min} to {max}"),
            Kind::Number(min, max) => format!("give a number from {min} to {max}"),
            Kind::Numbers(min, max) => {
                format!("give a list of numbers from {min} to {max}, as in [1, 0.5]")
            }
            Kind::Rate => "give records per second from 0.001 to 1e9, or \"max\"".to_owned(),
            Kind::Text => "give a text in quotes".to_owned(),
            Kind::Duration => "give a time such as \"10s\", \"500ms\" or \"2m\"".to_owned(),
            Kind::Flag => "give true or false".to_owned(),
            Kind::Choice(words) => format!("give one of \"{}\"", words.join("\", \"")),
            Kind::Texts => "give a text in quotes, or a list of them".to_owned(),
            Kind::Configs => "give a table such as { \"retention.ms\" = 60000 }".to_owned(),
            Kind::Section(section) => format!("give a table with {}", section.names()),
            Kind::Sections(section) => {
                format!("give tables, each with {}", section.names())
            }
            Kind::IntegerOr(min, max, section) => {
                format!(
                    "give a whole number from {min} to {max}, or a table with {}",
                    section.names()
                )
            }
        }
    }

    fn accepts(&self, value: &Value) -> bool {
        match (self, value) {
            (Kind::Integer(min, max), Value::Integer(number)) => (min..=max).contains(&number),
            (Kind::Number(min, max), Value::Integer(number)) => {
                (*min..=*max).contains(&(*number as f64))
            }
            (Kind::Number(min, max), Value::Number(number)) => (min..=max).contains(&number),
            (Kind::Numbers(min, max), Value::List(nodes)) => {
                nodes.iter().all(|node| Kind::Number(*min, *max).accepts(&node.value))
            }
            (Kind::Rate, Value::Integer(number)) => Rate::from_str(&number.to_string()).is_ok(),
            (Kind::Rate, Value::Number(number)) => Rate::from_str(&number.to_string()).is_ok(),
            (Kind::Rate, Value::Text(text)) => text == "max",
            (Kind::Text | Kind::Texts, Value::Text(_)) | (Kind::Flag, Value::Flag(_)) => true,
            (Kind::Texts, Value::List(nodes)) => {
                nodes.iter().all(|node| matches!(node.value, Value::Text(_)))
            }
            (Kind::Duration, Value::Text(text)) => parse_duration(text).is_ok(),
            (Kind::Choice(words), Value::Text(text)) => words.contains(&text.as_str()),
            (Kind::Configs, Value::Table(entries)) => entries.iter().all(|entry| {
                !matches!(entry.node.value, Value::Table(_) | Value::List(_) | Value::Nothing)
            }),
            (Kind::IntegerOr(min, max, _), Value::Integer(number)) => (min..=max).contains(&number),
            _ => false,
        }
    }

    fn check(&self, node: &Node, line: usize, path: &str, problems: &mut Vec<Problem>) {
        match (self, &node.value) {
            (Kind::Section(section) | Kind::IntegerOr(_, _, section), Value::Table(_)) => {
                section.check(node, path, problems);
            }
            (Kind::Sections(section), Value::List(nodes)) => {
                for (number, node) in nodes.iter().enumerate() {
                    section.check(node, &format!("{path} {}", number + 1), problems);
                }
            }
            (_, value) if self.accepts(value) => {}
            (_, value) => {
                let what = format!("{path}: {} is not allowed: {}", said(value), self.allowed());
                problems.push(Problem { line, what });
            }
        }
    }

    fn schema(&self) -> serde_json::Value {
        match self {
            Kind::Integer(min, max) => json!({"type": "integer", "minimum": min, "maximum": max}),
            Kind::Number(min, max) => json!({"type": "number", "minimum": min, "maximum": max}),
            Kind::Numbers(min, max) => json!({
                "type": "array", "items": {"type": "number", "minimum": min, "maximum": max},
            }),
            Kind::Rate => json!({"anyOf": [
                {"type": "number", "minimum": 0.001, "maximum": 1e9}, {"const": "max"}
            ]}),
            Kind::Text => json!({"type": "string"}),
            Kind::Duration => {
                json!({"type": "string", "pattern": "^[0-9]+(\\.[0-9]+)?(ms|s|m|h)?$"})
            }
            Kind::Flag => json!({"type": "boolean"}),
            Kind::Choice(words) => json!({"enum": words}),
            Kind::Texts => json!({"anyOf": [
                {"type": "string"}, {"type": "array", "items": {"type": "string"}}
            ]}),
            Kind::Configs => json!({
                "type": "object",
                "additionalProperties": {"type": ["string", "number", "boolean"]},
            }),
            Kind::Section(section) => section.schema(),
            Kind::Sections(section) => json!({"type": "array", "items": section.schema()}),
            Kind::IntegerOr(min, max, section) => json!({"anyOf": [
                {"type": "integer", "minimum": min, "maximum": max}, section.schema()
            ]}),
        }
    }
}

fn said(value: &Value) -> String {
    match value {
        Value::Table(_) => "a table".to_owned(),
        Value::List(_) => "a list".to_owned(),
        Value::Text(text) => format!("\"{text}\""),
        Value::Integer(number) => number.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Flag(flag) => flag.to_string(),
        Value::Nothing => "this value".to_owned(),
    }
}

/// The values of one table; what is left out, or wrong and already complained of, has its default.
#[derive(Clone, Copy)]
pub struct Fields<'a> {
    pub node: Option<&'a Node>,
    pub section: &'static Section,
}

impl<'a> Fields<'a> {
    pub fn has(&self, name: &str) -> bool {
        self.node.is_some_and(|node| node.get(name).is_some())
    }

    /// The line of a key, or of its table.
    pub fn line(&self, name: &str) -> usize {
        let node = self.node;
        node.and_then(|node| node.get(name)).map_or(node.map_or(1, |node| node.line), |e| e.line)
    }

    fn key(&self, name: &str) -> &'static Key {
        self.section.key(name).expect("a key that is described")
    }

    /// The value, if it is there and of its kind.
    fn value(&self, name: &str) -> Option<&'a Value> {
        let value = &self.node?.get(name)?.node.value;
        let key = self.key(name);
        let is_table =
            matches!(key.kind, Kind::Section(_) | Kind::Sections(_) | Kind::IntegerOr(..));
        (key.kind.accepts(value) || is_table).then_some(value)
    }

    pub fn integer(&self, name: &str) -> i64 {
        match (self.value(name), self.key(name).default) {
            (Some(Value::Integer(number)), _) => *number,
            (_, Default::Integer(number)) => number,
            // A problem was found, and what is read is not used.
            _ => match self.key(name).kind {
                Kind::Integer(min, _) => min,
                _ => 0,
            },
        }
    }

    pub fn number(&self, name: &str) -> f64 {
        match (self.value(name), self.key(name).default) {
            (Some(Value::Integer(number)), _) => *number as f64,
            (Some(Value::Number(number)), _) => *number,
            (_, Default::Number(number)) => number,
            _ => match self.key(name).kind {
                Kind::Number(min, _) => min,
                _ => 0.0,
            },
        }
    }

    pub fn numbers(&self, name: &str) -> Vec<f64> {
        let Some(Value::List(nodes)) = self.value(name) else { return Vec::new() };
        let number = |node: &Node| match node.value {
            Value::Integer(number) => Some(number as f64),
            Value::Number(number) => Some(number),
            _ => None,
        };
        nodes.iter().filter_map(number).collect()
    }

    pub fn flag(&self, name: &str) -> bool {
        match self.value(name) {
            Some(Value::Flag(flag)) => *flag,
            _ => self.key(name).default == Default::Flag(true),
        }
    }

    pub fn text(&self, name: &str) -> Option<&'a str> {
        match (self.value(name), self.key(name).default) {
            (Some(Value::Text(text)), _) => Some(text),
            (_, Default::Text(text)) => Some(text),
            _ => None,
        }
    }

    pub fn texts(&self, name: &str) -> Vec<&'a str> {
        let text = |node: &'a Node| match &node.value {
            Value::Text(text) => Some(text.as_str()),
            _ => None,
        };
        match self.value(name) {
            Some(Value::Text(text)) => vec![text],
            Some(Value::List(nodes)) => nodes.iter().filter_map(text).collect(),
            _ => Vec::new(),
        }
    }

    pub fn duration(&self, name: &str) -> Option<std::time::Duration> {
        self.text(name).and_then(|text| parse_duration(text).ok())
    }

    pub fn rate(&self, name: &str) -> Rate {
        let text = match self.value(name) {
            Some(Value::Integer(number)) => number.to_string(),
            Some(Value::Number(number)) => number.to_string(),
            _ => "max".to_owned(),
        };
        text.parse().unwrap_or(Rate::Max)
    }

    pub fn configs(&self, name: &str) -> Vec<(String, String)> {
        let Some(Value::Table(entries)) = self.value(name) else { return Vec::new() };
        let text = |value: &Value| match value {
            Value::Text(text) => text.clone(),
            other => said(other),
        };
        entries.iter().map(|entry| (entry.key.clone(), text(&entry.node.value))).collect()
    }

    /// The whole number of a key that may be a table as well.
    pub fn plain(&self, name: &str) -> Option<i64> {
        match self.value(name) {
            Some(Value::Integer(number)) => Some(*number),
            _ => None,
        }
    }

    /// The table under a key, if there is one.
    pub fn table(&self, name: &str) -> Option<Fields<'a>> {
        let node = &self.node?.get(name)?.node;
        let (Kind::Section(section) | Kind::IntegerOr(_, _, section)) = self.key(name).kind else {
            return None;
        };
        matches!(node.value, Value::Table(_)).then_some(Fields { node: Some(node), section })
    }

    pub fn tables(&self, name: &str) -> Vec<Fields<'a>> {
        let Kind::Sections(section) = self.key(name).kind else { return Vec::new() };
        let Some(Value::List(nodes)) = self.value(name) else { return Vec::new() };
        nodes.iter().map(|node| Fields { node: Some(node), section }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::{keys::ROOT, tree::of_toml};

    fn problems(text: &str) -> Vec<(usize, String)> {
        let mut problems = Vec::new();
        ROOT.check(&of_toml(text).unwrap(), "", &mut problems);
        problems.into_iter().map(|problem| (problem.line, problem.what)).collect()
    }

    #[test]
    fn all_that_is_wrong_is_said_with_its_line_and_what_to_write() {
        let text = "seeed = 1\n[[topic]]\npartitions = 0\n\n[[producer]]\ntopics = 'a'\n\
                    acks = 'some'\n\
                    rate = 'fast'\nlinger_ms = 'x'\nrecord_size = { distribution = 'cauchy' }\n";
        let found = problems(text);
        for (line, says) in [
            (1, "did you mean seed?"),
            (1, "phase is missing"),
            (2, "topic 1.name is missing"),
            (3, "topic 1.partitions: 0 is not allowed: give a whole number from 1"),
            (7, "\"some\" is not allowed: give one of \"0\", \"1\", \"all\""),
            (8, "or \"max\""),
            (9, "linger_ms: \"x\" is not allowed: give a number from 0"),
            (10, "record_size.distribution: \"cauchy\""),
        ] {
            let is_said = found.iter().any(|(at, what)| *at == line && what.contains(says));
            assert!(is_said, "line {line}, {says}: {found:#?}");
        }
        assert_eq!(found.len(), 8, "{found:#?}");
    }

    #[test]
    fn defaults_are_of_their_keys_kind_and_within_its_bounds() {
        fn look(section: &'static Section) {
            for key in section.keys {
                let value = match key.default {
                    Default::Needed | Default::Absent => None,
                    Default::Integer(number) => Some(Value::Integer(number)),
                    Default::Number(number) => Some(Value::Number(number)),
                    Default::Text(text) => Some(Value::Text(text.to_owned())),
                    Default::Flag(flag) => Some(Value::Flag(flag)),
                };
                assert!(value.is_none_or(|value| key.kind.accepts(&value)), "{}", key.name);
                assert!(!key.about.is_empty(), "{}", key.name);
                if let Kind::Section(inner) | Kind::Sections(inner) | Kind::IntegerOr(_, _, inner) =
                    key.kind
                {
                    look(inner);
                }
            }
        }
        look(&ROOT);
    }

    #[test]
    fn the_schema_has_every_key_and_refuses_others() {
        let schema = schema(&ROOT);
        for pointer in [
            "/properties/seed",
            "/properties/topic/items/properties/partitions/minimum",
            "/properties/producer/items/properties/record_size/anyOf/1/properties/min",
            "/$schema",
        ] {
            assert!(schema.pointer(pointer).is_some(), "{pointer}: {schema:#}");
        }
        assert_eq!(schema["properties"]["topic"]["items"]["required"], json!(["name"]));
        assert_eq!(schema["additionalProperties"], json!(false));
    }
}
