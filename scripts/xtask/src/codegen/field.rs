//! One field of a structure as Rust: its type, its default, the expression that reads it, the
//! statement that writes it.

use super::names;
use super::schema::{Field, Schema, Struct, Type, Versions};
use anyhow::Context;

/// When something is there, among the versions of its structure.
#[derive(Clone, Debug, PartialEq)]
pub enum When {
    Always,
    Never,
    If(String),
}

impl When {
    pub fn of(versions: Option<Versions>, among: Versions) -> When {
        let Some(present) = among.intersect(versions) else { return When::Never };
        When::If(match (present.low > among.low, present.high < among.high) {
            (false, false) => return When::Always,
            (true, false) => format!("version >= {}", present.low),
            (false, true) => format!("version <= {}", present.high),
            (true, true) if present.low == present.high => format!("version == {}", present.low),
            (true, true) => format!("({}..={}).contains(&version)", present.low, present.high),
        })
    }

    /// As a Rust expression; `variable` stands for a condition.
    pub fn expression(&self, variable: &str) -> String {
        match self {
            When::Always => "true".to_owned(),
            When::Never => "false".to_owned(),
            When::If(_) => variable.to_owned(),
        }
    }

    /// As a Rust expression that stands alone.
    pub fn condition(&self) -> String {
        match self {
            When::If(condition) => condition.clone(),
            other => other.expression(""),
        }
    }
}

/// A field beside the structure it belongs to.
pub struct Member<'a> {
    pub field: &'a Field,
    pub name: String,
    /// The versions in which the field is written in its place.
    pub plain: When,
    /// The versions in which the field is written behind a tag, and the tag.
    pub tagged: Option<(u32, When)>,
    nullable_ever: bool,
    nullable: When,
    flexible: String,
}

fn scalar(kind: &Type) -> &'static str {
    match kind {
        Type::Bool => "bool",
        Type::Int8 => "i8",
        Type::Int16 => "i16",
        Type::Uint16 => "u16",
        Type::Int32 => "i32",
        Type::Uint32 => "u32",
        Type::Int64 => "i64",
        Type::Float64 => "f64",
        Type::Uuid => "Uuid",
        Type::String => "String",
        Type::Bytes => "Bytes",
        Type::Struct(_) | Type::Array(_) => unreachable!("a scalar"),
    }
}

fn rust_type(kind: &Type) -> String {
    match kind {
        Type::Struct(name) => name.clone(),
        Type::Array(element) => format!("Vec<{}>", rust_type(element)),
        scalar_kind => scalar(scalar_kind).to_owned(),
    }
}

impl<'a> Member<'a> {
    pub fn new(
        field: &'a Field,
        structure: &Struct,
        flexible: &When,
    ) -> anyhow::Result<Member<'a>> {
        let among = structure.versions;
        let present = field.versions.and_then(|versions| among.intersect(Some(versions)));
        let tagged = field.tagged.and_then(|(tag, versions)| {
            let versions = versions.intersect(present)?;
            Some((tag, versions))
        });
        let plain = match (present, tagged) {
            (Some(present), Some((_, tagged))) => {
                // Once tagged, always tagged: only the versions before are left.
                anyhow::ensure!(
                    tagged.high == present.high,
                    "{} is tagged and later not",
                    field.name
                );
                (present.low < tagged.low)
                    .then(|| Versions { low: present.low, high: tagged.low - 1 })
            }
            (present, _) => present,
        };
        Ok(Member {
            field,
            name: names::field(&field.name),
            plain: When::of(plain, among),
            tagged: tagged.map(|(tag, versions)| (tag, When::of(Some(versions), among))),
            nullable_ever: field.nullable.is_some(),
            nullable: present.map_or(When::Never, |present| {
                // Of the versions that have the field, those that allow null.
                match When::of(field.nullable, present) {
                    When::If(_) => When::of(field.nullable, among),
                    other => other,
                }
            }),
            flexible: if field.never_flexible {
                "false".to_owned()
            } else {
                flexible.expression("flexible")
            },
        })
    }

    pub fn rust_type(&self) -> String {
        let inner = rust_type(&self.field.kind);
        if self.nullable_ever { format!("Option<{inner}>") } else { inner }
    }

    /// The default as an expression, or None when it is the type's own.
    pub fn default(&self) -> anyhow::Result<Option<String>> {
        let given = self.field.default.as_deref().unwrap_or_default();
        if self.nullable_ever {
            return Ok(match (given, &self.field.kind) {
                ("null", _) => None,
                ("", Type::String) => Some("Some(String::new())".to_owned()),
                ("", Type::Bytes) => Some("Some(Bytes::new())".to_owned()),
                ("", Type::Array(_)) => Some("Some(Vec::new())".to_owned()),
                ("", Type::Struct(name)) => Some(format!("Some({name}::default())")),
                (other, _) => anyhow::bail!("default {other:?} of nullable {}", self.field.name),
            });
        }
        Ok(match &self.field.kind {
            _ if given.is_empty() => None,
            Type::Bool => (given == "true").then(|| "true".to_owned()),
            Type::String => Some(format!("{given:?}.to_owned()")),
            Type::Int8 | Type::Int16 | Type::Uint16 | Type::Int32 | Type::Uint32 | Type::Int64 => {
                let value = integer(given).with_context(|| self.field.name.clone())?;
                (value != 0).then(|| integer_literal(value, &self.field.kind))
            }
            other => anyhow::bail!("default {given:?} of {} with type {other:?}", self.field.name),
        })
    }

    /// An expression that is true when the field holds its default.
    pub fn is_default(&self) -> anyhow::Result<String> {
        let place = format!("self.{}", self.name);
        let default = self.default()?;
        if self.nullable_ever {
            return Ok(match (&default, &self.field.kind) {
                (None, _) => format!("{place}.is_none()"),
                (Some(default), Type::Struct(_)) => format!("{place} == {default}"),
                (Some(_), kind) => {
                    let kind = if matches!(kind, Type::Array(_)) { "Vec" } else { scalar(kind) };
                    format!("{place}.as_ref().is_some_and({kind}::is_empty)")
                }
            });
        }
        Ok(match (&self.field.kind, default) {
            (Type::Bool, None) => format!("!{place}"),
            (Type::Bool, Some(_)) => place,
            (Type::String, Some(_)) => {
                format!("{place} == {:?}", self.field.default.as_deref().unwrap_or_default())
            }
            (_, Some(default)) => format!("{place} == {default}"),
            (Type::String | Type::Bytes | Type::Array(_), None) => format!("{place}.is_empty()"),
            (Type::Struct(name), None) => format!("{place} == {name}::default()"),
            (Type::Uuid, None) => format!("{place}.is_zero()"),
            (Type::Float64, None) => format!("{place} == 0.0"),
            (_, None) => format!("{place} == 0"),
        })
    }

    pub fn is_not_default(&self) -> anyhow::Result<String> {
        let equal = self.is_default()?;
        Ok(if let Some(place) = equal.strip_prefix('!') {
            place.to_owned()
        } else if let Some((place, default)) = equal.split_once(" == ") {
            format!("{place} != {default}")
        } else if let Some(place) = equal.strip_suffix(".is_none()") {
            format!("{place}.is_some()")
        } else {
            format!("!{equal}")
        })
    }

    pub fn read(&self, tagged: bool) -> String {
        let flexible = &self.flexible;
        let nullable = self.nullable.condition();
        match (&self.field.kind, self.nullable_ever) {
            (Type::String, false) => format!("reader.string({flexible})?"),
            (Type::String, true) => format!("reader.nullable_string({flexible}, {nullable})?"),
            (Type::Bytes, false) => format!("reader.bytes({flexible})?"),
            (Type::Bytes, true) => format!("reader.nullable_bytes({flexible}, {nullable})?"),
            (Type::Array(_), false) => format!("reader.array({flexible}, version)?"),
            (Type::Array(_), true) => {
                format!("reader.nullable_array({flexible}, {nullable}, version)?")
            }
            (Type::Struct(name), false) => format!("{name}::read(reader, version)?"),
            (Type::Struct(_), true) if tagged => {
                "reader.tagged_nullable_struct(version)?".to_owned()
            }
            (Type::Struct(_), true) => format!("reader.nullable_struct(version, {nullable})?"),
            (Type::Uuid, _) => "reader.uuid()?".to_owned(),
            (kind, _) => format!("reader.{}()?", scalar(kind)),
        }
    }

    /// A statement that writes the field, as one that its version can carry.
    pub fn write(&self, tagged: bool) -> String {
        let flexible = &self.flexible;
        let place = format!("self.{}", self.name);
        let put = match (&self.field.kind, self.nullable_ever) {
            (Type::String, false) => format!("put_string(writer, &{place}, {flexible})?;"),
            (Type::String, true) => {
                format!("put_nullable_string(writer, {place}.as_deref(), {flexible})?;")
            }
            (Type::Bytes, false) => format!("put_bytes(writer, &{place}, {flexible})?;"),
            (Type::Bytes, true) => {
                format!("put_nullable_bytes(writer, {place}.as_deref(), {flexible})?;")
            }
            (Type::Array(_), false) => {
                format!("put_array(writer, &{place}, {flexible}, version)?;")
            }
            (Type::Array(_), true) => {
                format!("put_nullable_array(writer, {place}.as_deref(), {flexible}, version)?;")
            }
            (Type::Struct(_), false) => format!("{place}.write(writer, version)?;"),
            (Type::Struct(_), true) => return self.write_nullable_struct(tagged),
            (Type::Bool, _) => format!("put_bool(writer, {place});"),
            (Type::Uuid, _) => format!("put_uuid(writer, {place});"),
            (kind, _) => format!("writer.put_{}({place});", scalar(kind)),
        };
        self.null_check() + &put
    }

    fn write_nullable_struct(&self, tagged: bool) -> String {
        let place = format!("self.{}", self.name);
        let condition = self.nullable.condition();
        match &self.nullable {
            _ if tagged => {
                format!("put_tagged_nullable_struct(writer, {place}.as_ref(), version)?;")
            }
            When::Always => format!("put_nullable_struct(writer, {place}.as_ref(), version)?;"),
            _ => format!(
                "{}if {condition} {{ put_nullable_struct(writer, {place}.as_ref(), version)?; }} \
                 else if let Some(value) = &{place} {{ value.write(writer, version)?; }}",
                self.null_check()
            ),
        }
    }

    fn null_check(&self) -> String {
        if !self.nullable_ever || self.nullable == When::Always {
            return String::new();
        }
        let (place, field) = (format!("self.{}", self.name), &self.field.name);
        match &self.nullable {
            When::If(condition) => {
                format!("require({place}.is_some() || {condition}, {field:?}, version)?;")
            }
            _ => format!("require({place}.is_some(), {field:?}, version)?;"),
        }
    }
}

fn integer(text: &str) -> anyhow::Result<i64> {
    Ok(match text.strip_prefix("0x") {
        Some(digits) => i64::from_str_radix(digits, 16)?,
        None => text.parse()?,
    })
}

fn integer_literal(value: i64, kind: &Type) -> String {
    match kind {
        Type::Int32 if value == i64::from(i32::MAX) => "i32::MAX".to_owned(),
        Type::Int32 if value == i64::from(i32::MIN) => "i32::MIN".to_owned(),
        Type::Int64 if value == i64::MAX => "i64::MAX".to_owned(),
        _ => value.to_string(),
    }
}

/// The fewest bytes the structure takes in any of its versions.
pub fn min_wire_bytes(structure: &Struct, schema: &Schema) -> usize {
    let versions = structure.versions;
    (versions.low..=versions.high)
        .map(|version| struct_bytes(structure, schema, version))
        .min()
        .unwrap_or(0)
}

fn struct_bytes(structure: &Struct, schema: &Schema, version: i16) -> usize {
    let within =
        |versions: Option<Versions>| versions.is_some_and(|versions| versions.contains(version));
    let flexible = within(schema.flexible);
    let plain = structure.fields.iter().filter(|field| {
        within(field.versions)
            && !field.tagged.is_some_and(|(_, versions)| versions.contains(version))
    });
    let fields: usize = plain
        .map(|field| match &field.kind {
            Type::Bool | Type::Int8 => 1,
            Type::Int16 | Type::Uint16 => 2,
            Type::Int32 | Type::Uint32 => 4,
            Type::Int64 | Type::Float64 => 8,
            Type::Uuid => 16,
            Type::String if flexible && !field.never_flexible => 1,
            Type::String => 2,
            Type::Bytes | Type::Array(_) if flexible => 1,
            Type::Bytes | Type::Array(_) => 4,
            Type::Struct(_) if within(field.nullable) => 1,
            Type::Struct(name) => {
                schema.find(name).map_or(0, |inner| struct_bytes(inner, schema, version))
            }
        })
        .sum();
    fields + usize::from(flexible)
}
