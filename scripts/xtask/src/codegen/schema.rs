//! Kafka's schema files: JSON with `//` comments, read into what the generator needs.

use anyhow::{Context, bail, ensure};
use serde_json::Value;

/// A closed range of versions; never empty (an absence is `None`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Versions {
    pub low: i16,
    pub high: i16,
}

impl Versions {
    /// "none", "3", "0-4" or "2+".
    pub fn parse(text: &str) -> anyhow::Result<Option<Versions>> {
        let number =
            |text: &str| text.trim().parse::<i16>().with_context(|| format!("version {text:?}"));
        if text.trim() == "none" {
            return Ok(None);
        }
        let (low, high) = if let Some(low) = text.strip_suffix('+') {
            (number(low)?, i16::MAX)
        } else if let Some((low, high)) = text.split_once('-') {
            (number(low)?, number(high)?)
        } else {
            (number(text)?, number(text)?)
        };
        ensure!(0 <= low && low <= high, "versions {text:?}");
        Ok(Some(Versions { low, high }))
    }

    pub fn intersect(self, other: Option<Versions>) -> Option<Versions> {
        let other = other?;
        let both = Versions { low: self.low.max(other.low), high: self.high.min(other.high) };
        (both.low <= both.high).then_some(both)
    }

    pub fn contains(self, version: i16) -> bool {
        (self.low..=self.high).contains(&version)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum Type {
    Bool,
    Int8,
    Int16,
    Uint16,
    Int32,
    Uint32,
    Int64,
    Float64,
    Uuid,
    String,
    /// Also `records`, whose wire form is the same.
    Bytes,
    Struct(String),
    Array(Box<Type>),
}

impl Type {
    fn parse(text: &str) -> anyhow::Result<Type> {
        if let Some(element) = text.strip_prefix("[]") {
            let element = Type::parse(element)?;
            ensure!(
                !matches!(element, Type::Array(_) | Type::Bytes),
                "arrays of {element:?} are unknown to the generator"
            );
            return Ok(Type::Array(Box::new(element)));
        }
        Ok(match text {
            "bool" => Type::Bool,
            "int8" => Type::Int8,
            "int16" => Type::Int16,
            "uint16" => Type::Uint16,
            "int32" => Type::Int32,
            "uint32" => Type::Uint32,
            "int64" => Type::Int64,
            "float64" => Type::Float64,
            "uuid" => Type::Uuid,
            "string" => Type::String,
            "bytes" | "records" => Type::Bytes,
            name if name.starts_with(char::is_uppercase) => Type::Struct(name.to_owned()),
            other => bail!("type {other:?} is unknown to the generator"),
        })
    }
}

#[derive(Clone, Debug)]
pub struct Field {
    pub name: String,
    pub kind: Type,
    pub versions: Option<Versions>,
    pub nullable: Option<Versions>,
    /// The tag and the versions in which the field is tagged.
    pub tagged: Option<(u32, Versions)>,
    pub default: Option<String>,
    pub ignorable: bool,
    /// The field keeps fixed lengths in flexible versions.
    pub never_flexible: bool,
    pub about: String,
    pub fields: Vec<Field>,
}

/// A structure with the versions in which it can occur.
#[derive(Clone, Debug)]
pub struct Struct {
    pub name: String,
    pub versions: Versions,
    pub fields: Vec<Field>,
    pub about: String,
}

#[derive(Clone, Debug)]
pub struct Schema {
    pub kind: String,
    pub name: String,
    pub api_key: Option<i16>,
    pub listeners: Vec<String>,
    /// None: every version is removed.
    pub valid: Option<Versions>,
    pub flexible: Option<Versions>,
    pub latest_version_unstable: bool,
    /// The top-level structure first, then the nested in the order of their appearance, then the
    /// common ones.
    pub structs: Vec<Struct>,
}

fn text<'a>(value: &'a Value, key: &str) -> anyhow::Result<&'a str> {
    value[key].as_str().with_context(|| format!("{key} is missing"))
}

fn optional_versions(value: &Value, key: &str) -> anyhow::Result<Option<Versions>> {
    value[key].as_str().map_or(Ok(None), Versions::parse)
}

impl Schema {
    pub fn parse(source: &str) -> anyhow::Result<Schema> {
        let json: Value = serde_json::from_str(&without_comments(source))?;
        let name = text(&json, "name")?.to_owned();
        let valid = Versions::parse(text(&json, "validVersions")?)?;
        let mut schema = Schema {
            kind: text(&json, "type")?.to_owned(),
            api_key: json["apiKey"].as_i64().map(i16::try_from).transpose()?,
            listeners: json["listeners"]
                .as_array()
                .map(|list| list.iter().filter_map(Value::as_str).map(str::to_owned).collect())
                .unwrap_or_default(),
            valid,
            flexible: optional_versions(&json, "flexibleVersions")?,
            latest_version_unstable: json["latestVersionUnstable"].as_bool().unwrap_or(false),
            structs: Vec::new(),
            name,
        };
        let Some(valid) = valid else { return Ok(schema) };
        let top = fields(&json["fields"])?;
        schema.collect(Struct {
            name: schema.name.clone(),
            versions: valid,
            fields: top,
            about: String::new(),
        })?;
        for common in json["commonStructs"].as_array().into_iter().flatten() {
            let Some(versions) = valid.intersect(optional_versions(common, "versions")?) else {
                continue;
            };
            let name = text(common, "name")?.to_owned();
            schema.collect(Struct {
                name,
                versions,
                fields: fields(&common["fields"])?,
                about: String::new(),
            })?;
        }
        Ok(schema)
    }

    /// Adds the structure and those defined inside it.
    fn collect(&mut self, structure: Struct) -> anyhow::Result<()> {
        ensure!(
            self.find(&structure.name).is_none(),
            "structure {} is defined twice",
            structure.name
        );
        let nested = structure.fields.clone();
        let versions = structure.versions;
        self.structs.push(structure);
        for field in nested {
            let name = match &field.kind {
                Type::Struct(name) => name,
                Type::Array(element) => match &**element {
                    Type::Struct(name) => name,
                    _ => continue,
                },
                _ => continue,
            };
            // A structure whose field is in no valid version is still a type of that field.
            let versions = versions.intersect(field.versions).unwrap_or(versions);
            if !field.fields.is_empty() {
                self.collect(Struct {
                    name: name.clone(),
                    versions,
                    fields: field.fields,
                    about: field.about,
                })?;
            }
        }
        Ok(())
    }

    pub fn find(&self, name: &str) -> Option<&Struct> {
        self.structs.iter().find(|structure| structure.name == name)
    }
}

fn fields(list: &Value) -> anyhow::Result<Vec<Field>> {
    list.as_array().into_iter().flatten().map(field).collect()
}

fn field(json: &Value) -> anyhow::Result<Field> {
    let name = text(json, "name")?.to_owned();
    let tagged = match (json["tag"].as_u64(), optional_versions(json, "taggedVersions")?) {
        (Some(tag), Some(versions)) => Some((u32::try_from(tag)?, versions)),
        (None, None) => None,
        _ => bail!("field {name} has a tag or taggedVersions without the other"),
    };
    let default = match &json["default"] {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    Ok(Field {
        kind: Type::parse(text(json, "type")?).with_context(|| name.clone())?,
        // A field that names no versions is there where it is tagged.
        versions: optional_versions(json, "versions")?.or(tagged.map(|(_, versions)| versions)),
        nullable: optional_versions(json, "nullableVersions")?,
        tagged,
        default,
        ignorable: json["ignorable"].as_bool().unwrap_or(false),
        never_flexible: json["flexibleVersions"].as_str() == Some("none"),
        about: json["about"].as_str().unwrap_or_default().to_owned(),
        fields: fields(&json["fields"])?,
        name,
    })
}

/// Blanks `//` comments outside of strings.
fn without_comments(source: &str) -> String {
    let mut result = String::with_capacity(source.len());
    for line in source.lines() {
        let mut in_string = false;
        let mut escaped = false;
        let mut end = line.len();
        for (index, byte) in line.bytes().enumerate() {
            if escaped {
                escaped = false;
            } else if byte == b'\\' {
                escaped = true;
            } else if byte == b'"' {
                in_string = !in_string;
            } else if !in_string && line.as_bytes()[index..].starts_with(b"//") {
                end = index;
                break;
            }
        }
        result.push_str(&line[..end]);
        result.push('\n');
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        assert_eq!(Versions::parse("none").unwrap(), None);
        assert_eq!(Versions::parse("3").unwrap(), Some(Versions { low: 3, high: 3 }));
        assert_eq!(Versions::parse("0-4").unwrap(), Some(Versions { low: 0, high: 4 }));
        assert_eq!(Versions::parse("2+").unwrap(), Some(Versions { low: 2, high: i16::MAX }));
        assert!(Versions::parse("4-2").is_err());
    }

    #[test]
    fn comments_end_outside_of_strings_only() {
        assert_eq!(without_comments("{\"a\": \"b//c\"} // d\n// e"), "{\"a\": \"b//c\"} \n\n");
    }
}
