//! The code generated beside the messages: module lists, the table of APIs, the enums of records,
//! the tests' description.

use super::emit::banner;
use super::names::snake;
use super::schema::{Schema, Struct, Type, Versions};
use anyhow::Context;
use std::collections::BTreeMap;
use std::fmt::Write;

pub fn root_module(modules: &[&str]) -> String {
    let mut source = banner();
    source += "//! Kafka's messages and records, one module per schema.\n\n";
    source += "#![allow(unused_variables, clippy::field_reassign_with_default, \
        clippy::nonminimal_bool, clippy::let_and_return)]\n\n";
    for module in modules {
        source += &format!("pub mod {module};\n");
    }
    source += "\n/// What the modules of messages use.\nmod prelude {\n\
        pub use crate::message::{DecodeError, EncodeError, Message, Request, Response, \
        Structure};\n\
        pub use crate::primitives::*;\npub use crate::uuid::Uuid;\n\
        pub use bytes::{BufMut, Bytes, BytesMut};\n}\n";
    source
}

pub fn set_module(module: &str, title: &str, schemas: &[Schema]) -> anyhow::Result<String> {
    let mut source = banner();
    writeln!(source, "//! {title}\n")?;
    for schema in schemas {
        writeln!(source, "pub mod {};", snake(&schema.name))?;
    }
    source.push('\n');
    for schema in schemas {
        writeln!(source, "pub use {}::{};", snake(&schema.name), schema.name)?;
    }
    match module {
        "metadata" => {
            source += "\nuse super::prelude::*;\nuse crate::frame::RecordSet;\n";
            source += &record_enum("MetadataRecord", "metadata records", "", schemas)?;
        }
        "group" | "transaction" | "share" => {
            source += "\nuse super::prelude::*;\nuse crate::frame::{self, RecordSet};\n";
            let title = format!("{module} coordinator");
            source += &coordinator_enum("Key", &format!("{title} keys"), schemas)?;
            source += &coordinator_enum("Value", &format!("{title} values"), schemas)?;
        }
        _ => (),
    }
    Ok(source)
}

fn coordinator_enum(side: &str, title: &str, schemas: &[Schema]) -> anyhow::Result<String> {
    let kind = format!("coordinator-{}", side.to_lowercase());
    let chosen: Vec<Schema> =
        schemas.iter().filter(|schema| schema.kind == kind).cloned().collect();
    let mut source = record_enum(side, title, side, &chosen)?;
    source += &match side {
        "Key" => "impl Key {\n\
            /// Decodes a record's key: `i16` record type, body.\n\
            pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> { frame::decode_key(bytes) \
            }\n\n\
            /// The inverse of [`Self::decode`].\n\
            pub fn encode(&self) -> Result<Bytes, EncodeError> { frame::encode_key(self) }\n}\n"
            .to_owned(),
        _ => "impl Value {\n\
            /// Decodes a record's value, of the type its key names: `i16` version, body.\n\
            pub fn decode(record_type: i16, bytes: &[u8]) -> Result<Self, DecodeError> \
            { frame::decode_value(record_type, bytes) }\n\n\
            /// The inverse of [`Self::decode`].\n\
            pub fn encode(&self, version: i16) -> Result<Bytes, EncodeError> { \
            frame::encode_value(self, version) }\n}\n"
            .to_owned(),
    };
    Ok(source)
}

/// An enum with one variant per schema, named after it less `suffix` (or less "Record").
fn record_enum(
    name: &str,
    title: &str,
    suffix: &str,
    schemas: &[Schema],
) -> anyhow::Result<String> {
    let suffix = if suffix.is_empty() { "Record" } else { suffix };
    let mut by_type = BTreeMap::new();
    for schema in schemas {
        let record_type =
            schema.api_key.with_context(|| format!("{} has no apiKey", schema.name))?;
        let variant = schema.name.strip_suffix(suffix).unwrap_or(&schema.name);
        anyhow::ensure!(
            by_type.insert(record_type, (variant, &schema.name)).is_none(),
            "type {record_type} twice"
        );
    }
    let arms = |arm: &dyn Fn(i16, &str, &str) -> String| -> String {
        by_type.iter().map(|(key, (variant, schema))| arm(*key, variant, schema)).collect()
    };
    let variants = arms(&|_, variant, schema| format!("{variant}({schema}),\n"));
    let types = arms(&|key, variant, _| format!("Self::{variant}(_) => {key},\n"));
    let reads = arms(&|key, variant, schema| {
        format!("{key} => Self::{variant}({schema}::decode(reader, version)?),\n")
    });
    let writes =
        arms(&|_, variant, _| format!("Self::{variant}(body) => body.encode(writer, version),\n"));
    let latest =
        arms(&|_, variant, schema| format!("Self::{variant}(_) => {schema}::MAX_VERSION,\n"));
    let froms = arms(&|_, variant, schema| {
        format!(
            "impl From<{schema}> for {name} {{\nfn from(body: {schema}) -> Self {{ \
             Self::{variant}(body) }}\n}}\n\n"
        )
    });
    Ok(format!(
        "\n/// The {title}, by record type.\n#[derive(Clone, Debug, PartialEq)]\npub enum {name} \
         {{\n{variants}}}\n\n\
         impl {name} {{\n/// The schema's `apiKey`.\npub fn record_type(&self) -> i16 {{ match \
         self {{\n{types}}} }}\n\n\
         /// The latest version of this record.\npub fn max_version(&self) -> i16 {{ match self
         /// {{\n{latest}}} }}\n}}\n\n\
         impl RecordSet for {name} {{\nconst NAME: &'static str = {title:?};\n\n\
         fn record_type(&self) -> i16 {{ self.record_type() }}\n\n\
         fn read_body(record_type: i16, reader: &mut Reader<'_>, version: i16) -> \
         Result<Option<Self>, DecodeError> {{\n\
         Ok(Some(match record_type {{\n{reads}_ => return Ok(None),\n}}))\n}}\n\n\
         fn write_body(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {{ \
         match self {{\n{writes}}} }}\n\
         }}\n\n{froms}"
    ))
}

pub fn api_table(rpcs: &[Schema]) -> anyhow::Result<String> {
    let mut requests = BTreeMap::new();
    for schema in rpcs.iter().filter(|schema| schema.kind == "request") {
        requests.insert(schema.api_key.context("a request has a key")?, schema);
    }
    let mut source = banner();
    source += "//! Every API by its key.\n\nuse crate::api::ApiInfo;\n\n";
    source += "/// The APIs of this release that have a version left.\n\
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]\n#[repr(i16)]\npub \
        enum ApiKey {\n";
    let name = |schema: &Schema| schema.name.trim_end_matches("Request").to_owned();
    for (key, schema) in &requests {
        writeln!(source, "{} = {key},", name(schema))?;
    }
    source += "}\n\n/// By ascending key.\npub static APIS: &[ApiInfo] = &[\n";
    for schema in requests.values() {
        let versions = schema.valid.context("removed APIs are left out")?;
        let flexible = versions.intersect(schema.flexible).map(|versions| versions.low);
        let listens = |listener: &str| schema.listeners.iter().any(|name| name == listener);
        writeln!(
            source,
            "ApiInfo {{ key: ApiKey::{0}, name: {0:?}, min_version: {1}, max_version: {2}, \
             latest_version_unstable: {3}, \
             flexible_from: {4:?}, on_broker: {5}, on_controller: {6} }},",
            name(schema),
            versions.low,
            versions.high,
            schema.latest_version_unstable,
            flexible,
            listens("broker"),
            listens("controller"),
        )?;
    }
    let last = *requests.keys().next_back().context("there are requests")?;
    source += "];\n\n/// The place in [`APIS`] of each key; `u8::MAX` where there is none.\n";
    writeln!(source, "pub static INDEX_BY_KEY: [u8; {}] = [", last + 1)?;
    for key in 0..=last {
        let index = requests.keys().position(|&other| other == key);
        writeln!(source, "{},", index.map_or(Ok(u8::MAX), u8::try_from)?)?;
    }
    source += "];\n";
    Ok(source)
}

fn range(versions: Option<Versions>) -> String {
    match versions {
        Some(versions) => format!("Some(({}, {}))", versions.low, versions.high),
        None => "None".to_owned(),
    }
}

/// The schemas as data for the tests, which write messages from it without the generated code.
pub fn test_schemas(sets: &[(&str, &[Schema])]) -> anyhow::Result<String> {
    let mut source = banner();
    source += "//! Every schema as data, beside the generated code it describes.\n\n";
    source += "use crate::schema::{Kind::*, Schema, Structure, field, recode, write_default};\n";
    source += "use protocol::generated::*;\n\npub static SCHEMAS: &[Schema] = &[\n";
    for (module, schemas) in sets {
        for schema in *schemas {
            let versions = schema.valid.context("removed messages are left out")?;
            let (low, high, flexible) = (versions.low, versions.high, range(schema.flexible));
            let (set, name) = (module, &schema.name);
            writeln!(
                source,
                "Schema {{ set: {set:?}, name: {name:?}, versions: ({low}, {high}), flexible: \
                 {flexible},"
            )?;
            writeln!(
                source,
                "recode: recode::<{set}::{name}>, write_default: write_default::<{set}::{name}>, \
                 structs: &["
            )?;
            for structure in &schema.structs {
                source += &test_struct(structure)?;
            }
            source += "] },\n";
        }
    }
    source += "];\n";
    Ok(source)
}

fn test_struct(structure: &Struct) -> anyhow::Result<String> {
    let mut source = format!("Structure {{ name: {:?}, fields: &[\n", structure.name);
    for field in &structure.fields {
        write!(source, "field({}, {})", test_kind(&field.kind), range(field.versions))?;
        if let Some(versions) = field.nullable {
            write!(source, ".nullable({}, {})", versions.low, versions.high)?;
        }
        if let Some((tag, versions)) = field.tagged {
            write!(source, ".tagged({tag}, {}, {})", versions.low, versions.high)?;
        }
        if let Some(default) = &field.default {
            write!(source, ".default({default:?})")?;
        }
        source += if field.never_flexible { ".never_flexible(),\n" } else { ",\n" };
    }
    source += "] },\n";
    Ok(source)
}

fn test_kind(kind: &Type) -> String {
    match kind {
        Type::Struct(name) => format!("Struct({name:?})"),
        Type::Array(element) => format!("Array(&{})", test_kind(element)),
        scalar => format!("{scalar:?}"),
    }
}
