//! The bridge from values by name to typed structs: one line per setting names the field, its type
//! and its config.

use std::collections::BTreeSet;

use super::definitions::{self, Definition, Value};
use super::layers::Values;

/// Reads settings out of values that were validated before, and remembers which configs were asked
/// for: those are the ones that Millstream acts on.
pub struct Reader<'a> {
    definitions: &'static [Definition],
    values: &'a Values,
    asked: BTreeSet<&'static str>,
}

impl<'a> Reader<'a> {
    pub fn new(definitions: &'static [Definition], values: &'a Values) -> Reader<'a> {
        Reader { definitions, values, asked: BTreeSet::new() }
    }

    /// The value that is set, else the default; `None` for Kafka's null. Panics for a name that no
    /// definition has and for a value that was not validated: both are mistakes in this program.
    pub fn value(&mut self, name: &'static str) -> Option<Value> {
        let definition = definitions::find(self.definitions, name)
            .unwrap_or_else(|| panic!("no config is named {name}"));
        self.asked.insert(name);
        let text = self.values.get(name).map(String::as_str).or(definition.default)?;
        Some(definition.parse(text).unwrap_or_else(|problem| panic!("not validated: {problem}")))
    }

    pub fn read<T: FromValue>(&mut self, name: &'static str) -> T {
        let value = self.value(name);
        T::from_value(value)
            .unwrap_or_else(|| panic!("{name} has another type than its setting, or no default"))
    }

    pub fn asked(self) -> BTreeSet<&'static str> {
        self.asked
    }
}

/// A setting's type. `None` stands for a value that does not fit it.
pub trait FromValue: Sized {
    fn from_value(value: Option<Value>) -> Option<Self>;
}

impl FromValue for bool {
    fn from_value(value: Option<Value>) -> Option<bool> {
        if let Some(Value::Boolean(value)) = value { Some(value) } else { None }
    }
}

impl FromValue for i64 {
    fn from_value(value: Option<Value>) -> Option<i64> {
        if let Some(Value::Whole(value)) = value { Some(value) } else { None }
    }
}

impl FromValue for i32 {
    fn from_value(value: Option<Value>) -> Option<i32> {
        i64::from_value(value).and_then(|value| i32::try_from(value).ok())
    }
}

impl FromValue for u32 {
    fn from_value(value: Option<Value>) -> Option<u32> {
        i64::from_value(value).and_then(|value| u32::try_from(value).ok())
    }
}

impl FromValue for u64 {
    fn from_value(value: Option<Value>) -> Option<u64> {
        i64::from_value(value).and_then(|value| u64::try_from(value).ok())
    }
}

impl FromValue for usize {
    fn from_value(value: Option<Value>) -> Option<usize> {
        i64::from_value(value).and_then(|value| usize::try_from(value).ok())
    }
}

/// A limit; there is none where Kafka's number is negative.
impl FromValue for Option<i64> {
    fn from_value(value: Option<Value>) -> Option<Option<i64>> {
        i64::from_value(value).map(|limit| (limit >= 0).then_some(limit))
    }
}

impl FromValue for Option<u64> {
    fn from_value(value: Option<Value>) -> Option<Option<u64>> {
        i64::from_value(value).map(|limit| u64::try_from(limit).ok())
    }
}

impl FromValue for f64 {
    fn from_value(value: Option<Value>) -> Option<f64> {
        if let Some(Value::Fraction(value)) = value { Some(value) } else { None }
    }
}

impl FromValue for String {
    fn from_value(value: Option<Value>) -> Option<String> {
        if let Some(Value::Text(value)) = value { Some(value) } else { None }
    }
}

impl FromValue for Vec<String> {
    fn from_value(value: Option<Value>) -> Option<Vec<String>> {
        if let Some(Value::List(value)) = value { Some(value) } else { None }
    }
}

impl FromValue for Option<i32> {
    fn from_value(value: Option<Value>) -> Option<Option<i32>> {
        nullable(value)
    }
}

impl FromValue for Option<String> {
    fn from_value(value: Option<Value>) -> Option<Option<String>> {
        nullable(value)
    }
}

impl FromValue for Option<Vec<String>> {
    fn from_value(value: Option<Value>) -> Option<Option<Vec<String>>> {
        nullable(value)
    }
}

fn nullable<T: FromValue>(value: Option<Value>) -> Option<Option<T>> {
    match value {
        None => Some(None),
        some => T::from_value(some).map(Some),
    }
}

/// A struct of settings, and `read`, which fills it. Fields behind `..` are no configs: they get
/// the value that stands there, and the code that makes the struct may set another.
macro_rules! settings {
    ($(#[$about:meta])* pub struct $name:ident {
        $($(#[$field_about:meta])* $field:ident: $type:ty = $config:literal,)*
        $(.. $($(#[$other_about:meta])* $other:ident: $other_type:ty = $value:expr,)*)?
    }) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq)]
        pub struct $name {
            $($(#[$field_about])* #[doc = concat!("`", $config, "`")] pub $field: $type,)*
            $($($(#[$other_about])* pub $other: $other_type,)*)?
        }

        impl $name {
            pub fn read(reader: &mut $crate::config::settings::Reader<'_>) -> $name {
                $name { $($field: reader.read($config),)* $($($other: $value,)*)? }
            }
        }
    };
}
pub(crate) use settings;
