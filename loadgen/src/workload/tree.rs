//! A file as a tree of values that know their lines, whichever syntax it is written in. Pure.
//!
//! Never: judges a key or a value; `describe.rs` says what is allowed.

use toml_edit::{Array, Document, InlineTable, Item, Key, Table, TableLike};
use yaml_rust2::{
    Event,
    parser::{MarkedEventReceiver, Parser},
    scanner::{Marker, TScalarStyle},
};

/// Values within values that a file may have; more is refused, not recursed into.
const DEPTH_MAX: usize = 32;

#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub line: usize,
    pub value: Value,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Table(Vec<Entry>),
    List(Vec<Node>),
    Text(String),
    Integer(i64),
    Number(f64),
    Flag(bool),
    /// `null` of YAML, and what has no place here, such as dates.
    Nothing,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub key: String,
    pub line: usize,
    pub node: Node,
}

/// Something that is wrong with a file, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    pub line: usize,
    pub what: String,
}

impl Node {
    pub fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Table(entries) => entries,
            _ => &[],
        }
    }

    pub fn get(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key == key)
    }
}

pub fn of_toml(text: &str) -> Result<Node, Problem> {
    let line_of = |at: Option<usize>| line_at(text, at.unwrap_or(0));
    let document = Document::parse(text).map_err(|error| Problem {
        line: line_of(error.span().map(|span| span.start)),
        what: format!("not TOML: {}", error.message().trim()),
    })?;
    Ok(Node { line: 1, value: Toml { text }.table(document.as_table()) })
}

fn line_at(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().get(..offset).unwrap_or(text.as_bytes());
    1 + before.iter().filter(|byte| **byte == b'\n').count()
}

struct Toml<'a> {
    text: &'a str,
}

impl Toml<'_> {
    fn line(&self, span: Option<std::ops::Range<usize>>) -> usize {
        line_at(self.text, span.map_or(0, |span| span.start))
    }

    fn entries<'i>(
        &self,
        pairs: impl Iterator<Item = (&'i str, &'i Item)>,
        key_of: impl Fn(&str) -> Option<&'i Key>,
    ) -> Value {
        let entry = |(key, item): (&str, &Item)| {
            let line = self.line(key_of(key).and_then(Key::span).or_else(|| item.span()));
            Entry { key: key.to_owned(), line, node: self.item(item, line) }
        };
        Value::Table(pairs.map(entry).collect())
    }

    fn table(&self, table: &Table) -> Value {
        self.entries(table.iter(), |key| table.key(key))
    }

    fn inline(&self, table: &InlineTable) -> Value {
        let table: &dyn TableLike = table;
        self.entries(table.iter(), |key| table.key(key))
    }

    /// `line`: of its key, where it has none of its own.
    fn item(&self, item: &Item, line: usize) -> Node {
        let value = match item {
            Item::None => Value::Nothing,
            Item::Value(value) => self.value(value, line),
            Item::Table(table) => self.table(table),
            Item::ArrayOfTables(tables) => Value::List(
                tables
                    .iter()
                    .map(|table| Node { line: self.line(table.span()), value: self.table(table) })
                    .collect(),
            ),
        };
        Node { line, value }
    }

    fn value(&self, value: &toml_edit::Value, line: usize) -> Value {
        match value {
            toml_edit::Value::String(text) => Value::Text(text.value().clone()),
            toml_edit::Value::Integer(number) => Value::Integer(*number.value()),
            toml_edit::Value::Float(number) => Value::Number(*number.value()),
            toml_edit::Value::Boolean(flag) => Value::Flag(*flag.value()),
            toml_edit::Value::Datetime(_) => Value::Nothing,
            toml_edit::Value::Array(array) => self.list(array, line),
            toml_edit::Value::InlineTable(table) => self.inline(table),
        }
    }

    fn list(&self, array: &Array, line: usize) -> Value {
        let node = |value: &toml_edit::Value| {
            let line = value.span().map_or(line, |span| line_at(self.text, span.start));
            Node { line, value: self.value(value, line) }
        };
        Value::List(array.iter().map(node).collect())
    }
}

pub fn of_yaml(text: &str) -> Result<Node, Problem> {
    let mut builder = YamlBuilder::default();
    let mut parser = Parser::new_from_str(text);
    parser.load(&mut builder, false).map_err(|error| Problem {
        line: error.marker().line(),
        what: format!("not YAML: {error}"),
    })?;
    if let Some(problem) = builder.problem {
        return Err(problem);
    }
    Ok(builder.root.unwrap_or(Node { line: 1, value: Value::Table(Vec::new()) }))
}

/// What is open: a table, with the key that waits for its value, or a list.
enum Open {
    Table { line: usize, entries: Vec<Entry>, key: Option<(String, usize)> },
    List { line: usize, nodes: Vec<Node> },
}

#[derive(Default)]
struct YamlBuilder {
    open: Vec<Open>,
    root: Option<Node>,
    problem: Option<Problem>,
}

impl YamlBuilder {
    fn begin(&mut self, open: Open, line: usize) {
        if self.open.len() >= DEPTH_MAX {
            self.complain(line, format!("more than {DEPTH_MAX} levels of values within values"));
        }
        self.open.push(open);
    }

    fn complain(&mut self, line: usize, what: String) {
        self.problem.get_or_insert(Problem { line, what });
    }

    fn put(&mut self, node: Node) {
        match self.open.last_mut() {
            None => {
                self.root.get_or_insert(node);
            }
            Some(Open::List { nodes, .. }) => nodes.push(node),
            Some(Open::Table { entries, key, .. }) => match key.take() {
                Some((key, line)) => entries.push(Entry { key, line, node }),
                None => match node.value {
                    Value::Text(text) => *key = Some((text, node.line)),
                    Value::Integer(number) => *key = Some((number.to_string(), node.line)),
                    _ => self.complain(node.line, "a key that is no word".to_owned()),
                },
            },
        }
    }

    fn end(&mut self) {
        match self.open.pop() {
            Some(Open::Table { line, entries, .. }) => {
                self.put(Node { line, value: Value::Table(entries) });
            }
            Some(Open::List { line, nodes }) => self.put(Node { line, value: Value::List(nodes) }),
            None => {}
        }
    }
}

impl MarkedEventReceiver for YamlBuilder {
    fn on_event(&mut self, event: Event, mark: Marker) {
        let line = mark.line();
        if self.problem.is_some() {
            return;
        }
        match event {
            Event::MappingStart(..) => {
                self.begin(Open::Table { line, entries: Vec::new(), key: None }, line);
            }
            Event::SequenceStart(..) => self.begin(Open::List { line, nodes: Vec::new() }, line),
            Event::MappingEnd | Event::SequenceEnd => self.end(),
            Event::Scalar(text, style, ..) => {
                self.put(Node { line, value: scalar(text, style == TScalarStyle::Plain) });
            }
            Event::Alias(_) => {
                self.complain(line, "an alias (*name): write the value itself".to_owned());
            }
            _ => {}
        }
    }
}

/// A word without quotes may be a number, a flag or nothing.
fn scalar(text: String, is_plain: bool) -> Value {
    match text.as_str() {
        _ if !is_plain => Value::Text(text),
        "" | "~" | "null" | "Null" | "NULL" => Value::Nothing,
        "true" | "True" | "TRUE" => Value::Flag(true),
        "false" | "False" | "FALSE" => Value::Flag(false),
        word => match (word.parse::<i64>(), word.parse::<f64>()) {
            (Ok(number), _) => Value::Integer(number),
            (_, Ok(number)) => Value::Number(number),
            _ => Value::Text(text),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line_of(node: &Node, path: &[&str]) -> usize {
        let (last, before) = path.split_last().expect("a path");
        let mut node = node.clone();
        for key in before {
            let next = node.get(key).expect("a key of the file").node.clone();
            node = match next.value {
                Value::List(mut nodes) => nodes.remove(0),
                _ => next,
            };
        }
        node.get(last).expect("a key of the file").line
    }

    #[test]
    fn values_of_toml_know_their_lines() {
        let text = "seed = 1\n\n[[topic]]\nname = 'a'\nconfigs = { x = 1,\n  y = true }\n";
        let root = of_toml(text).unwrap();
        assert_eq!(line_of(&root, &["seed"]), 1);
        assert_eq!(line_of(&root, &["topic", "name"]), 4);
        assert_eq!(line_of(&root, &["topic", "configs", "x"]), 5);
        assert_eq!(line_of(&root, &["topic", "configs", "y"]), 6);
        let problem = of_toml("a = 1\nb = \n").unwrap_err();
        assert_eq!(problem.line, 2, "{}", problem.what);
    }

    #[test]
    fn yaml_reads_as_the_same_tree() {
        let text = "name: two words\n\n# a comment\ntopics: 1\nrate: 1.5\nfile: null\n\
            quoted: \"7\"\n\
            list:\n  - 1\n  - a: true\n";
        let root = of_yaml(text).unwrap();
        let value = |key: &str| root.get(key).unwrap().node.value.clone();
        assert_eq!(value("name"), Value::Text("two words".to_owned()));
        assert_eq!((value("topics"), line_of(&root, &["topics"])), (Value::Integer(1), 4));
        assert_eq!((value("rate"), value("file")), (Value::Number(1.5), Value::Nothing));
        assert_eq!(value("quoted"), Value::Text("7".to_owned()));
        let Value::List(nodes) = value("list") else { panic!("a list") };
        assert_eq!(nodes[1].get("a").unwrap().node.value, Value::Flag(true));
        assert!(of_yaml("a: [1\nb: 2").unwrap_err().line >= 1);
        assert!(of_yaml(&"[".repeat(DEPTH_MAX + 1)).is_err());
        assert_eq!(of_yaml("").unwrap().entries(), []);
    }
}
