//! One schema as one Rust module.

use super::KAFKA_VERSION;
use super::field::{Member, When, min_wire_bytes};
use super::schema::{Schema, Struct};
use anyhow::{Context, ensure};
use std::fmt::Write;

/// The first line of every generated file.
pub fn banner() -> String {
    format!(
        "// Generated from the schemas of Apache Kafka {KAFKA_VERSION} by `cargo xtask codegen`; \
         do not edit.\n\n"
    )
}

/// Text of the schemas as one line of documentation.
fn about(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    // Brackets and angles would be read as links and tags.
    line.replace('[', "\\[").replace(']', "\\]").replace('<', "\\<").replace('>', "\\>")
}

pub fn module(schema: &Schema) -> anyhow::Result<String> {
    let mut source = banner();
    let versions = schema.valid.context("a removed message has no module")?;
    writeln!(source, "//! `{}`, versions {} to {}.\n", schema.name, versions.low, versions.high)?;
    writeln!(source, "use super::super::prelude::*;\n")?;
    for structure in &schema.structs {
        source += &self::structure(structure, schema)
            .with_context(|| format!("{}.{}", schema.name, structure.name))?;
    }
    writeln!(source, "impl Message for {} {{", schema.name)?;
    writeln!(source, "const NAME: &'static str = {:?};", schema.name)?;
    writeln!(source, "const MIN_VERSION: i16 = {};", versions.low)?;
    writeln!(source, "const MAX_VERSION: i16 = {};", versions.high)?;
    let flexible = versions.intersect(schema.flexible).map(|versions| versions.low);
    writeln!(source, "const FLEXIBLE_FROM: Option<i16> = {flexible:?};\n}}\n")?;
    for (kind, other, role) in
        [("request", "Response", "Request"), ("response", "Request", "Response")]
    {
        if schema.kind == kind {
            let key = schema.api_key.context("an RPC has a key")?;
            let base = schema.name.strip_suffix(role).with_context(|| schema.name.clone())?;
            writeln!(source, "impl {role} for {} {{\nconst API_KEY: i16 = {key};", schema.name)?;
            writeln!(source, "type {other} = super::{base}{other};\n}}")?;
        }
    }
    Ok(source)
}

fn structure(structure: &Struct, schema: &Schema) -> anyhow::Result<String> {
    let flexible = When::of(schema.flexible, structure.versions);
    let members: Vec<Member<'_>> = structure
        .fields
        .iter()
        .map(|field| Member::new(field, structure, &flexible))
        .collect::<anyhow::Result<_>>()?;
    let name = &structure.name;
    let mut source = declaration(structure, &members)?;
    let min = min_wire_bytes(structure, schema);
    ensure!(min > 0 || structure.name == schema.name, "an element may take no bytes at all");
    writeln!(source, "impl Structure for {name} {{\nconst MIN_WIRE_BYTES: usize = {min};\n")?;
    source += &read(&members, &flexible)?;
    source += &write(&members, &flexible)?;
    source += "}\n\n";
    Ok(source)
}

fn declaration(structure: &Struct, members: &[Member<'_>]) -> anyhow::Result<String> {
    let name = &structure.name;
    let mut source = String::new();
    let described =
        if structure.about.is_empty() { format!("`{name}`.") } else { about(&structure.about) };
    writeln!(source, "/// {described}")?;
    let mut defaults = Vec::new();
    for member in members {
        defaults.push((&member.name, member.default()?));
    }
    let derived = defaults.iter().all(|(_, default)| default.is_none());
    let default = if derived { ", Default" } else { "" };
    writeln!(source, "#[derive(Clone, Debug, PartialEq{default})]\npub struct {name} {{")?;
    for member in members {
        let versions = match member.field.versions {
            None => "no version".to_owned(),
            Some(versions) if versions.high == i16::MAX => format!("versions {}+", versions.low),
            Some(versions) => format!("versions {} to {}", versions.low, versions.high),
        };
        let tag = member.field.tagged.map(|(tag, _)| format!(", tag {tag}")).unwrap_or_default();
        writeln!(source, "/// {} ({versions}{tag})", about(&member.field.about))?;
        writeln!(source, "pub {}: {},", member.name, member.rust_type())?;
    }
    source += "}\n\n";
    if !derived {
        writeln!(source, "impl Default for {name} {{\nfn default() -> Self {{\nSelf {{")?;
        for (field, default) in defaults {
            writeln!(source, "{field}: {},", default.as_deref().unwrap_or("Default::default()"))?;
        }
        source += "}\n}\n}\n\n";
    }
    Ok(source)
}

/// `let flexible = …;` where it depends on the version and something asks for it.
fn flexible_variable(body: &str, flexible: &When) -> String {
    match flexible {
        When::If(condition) if body.contains("flexible") => {
            format!("let flexible = {condition};\n")
        }
        _ => String::new(),
    }
}

fn guarded(condition: &When, statement: &str) -> String {
    match condition {
        When::Always => format!("{statement}\n"),
        When::Never => String::new(),
        When::If(condition) => format!("if {condition} {{ {statement} }}\n"),
    }
}

fn read(members: &[Member<'_>], flexible: &When) -> anyhow::Result<String> {
    let mut body = String::new();
    for member in members {
        body +=
            &guarded(&member.plain, &format!("value.{} = {};", member.name, member.read(false)));
    }
    let mut arms = String::new();
    for member in members {
        if let Some((tag, when)) = &member.tagged {
            let guard = match when {
                When::If(condition) => format!(" if {condition}"),
                _ => String::new(),
            };
            writeln!(arms, "{tag}{guard} => value.{} = {},", member.name, member.read(true))?;
        }
    }
    let tags = if arms.is_empty() {
        "reader.skip_tags()?;".to_owned()
    } else {
        format!(
            "reader.tags(|reader, tag| {{ match tag {{ {arms} _ => return Ok(false), }} Ok(true) \
             }})?;"
        )
    };
    body += &match flexible {
        When::If(_) => format!("if flexible {{ {tags} }}\n"),
        other => guarded(other, &tags),
    };
    let variable = flexible_variable(&body, flexible);
    let binding = if body.contains("value.") { "let mut value" } else { "let value" };
    Ok(format!(
        "fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {{\n\
         {variable}{binding} = Self::default();\n{body}Ok(value)\n}}\n\n"
    ))
}

fn write(members: &[Member<'_>], flexible: &When) -> anyhow::Result<String> {
    let mut body = String::new();
    let mut tagged = Vec::new();
    for member in members {
        if let Some((tag, when)) = &member.tagged {
            ensure!(
                member.plain == When::Never,
                "{} is tagged in some versions and plain in others",
                member.name
            );
            tagged.push((tag, when, member));
            body += &absent_check(member, when)?;
            continue;
        }
        let statement = member.write(false);
        match &member.plain {
            When::If(condition) if !member.field.ignorable => {
                let refuse = format!(
                    "require({}, {:?}, version)?;",
                    member.is_default()?,
                    member.field.name
                );
                writeln!(body, "if {condition} {{ {statement} }} else {{ {refuse} }}")?;
            }
            When::Never => body += &absent_check(member, &When::Never)?,
            when => body += &guarded(when, &statement),
        }
    }
    tagged.sort_by_key(|(tag, ..)| **tag);
    let mut tags = String::new();
    for (tag, when, member) in tagged {
        let mut condition = member.is_not_default()?;
        if let When::If(versions) = when
            && when != flexible
        {
            condition = format!("{versions} && {condition}");
        }
        let content = member.write(true);
        writeln!(tags, "if {condition} {{ tags.put({tag}, |writer| {{ {content} Ok(()) }})?; }}")?;
    }
    let tags = if tags.is_empty() {
        "put_no_tags(writer);".to_owned()
    } else {
        format!("let mut tags = Tags::default();\n{tags}tags.finish(writer);")
    };
    body += &match flexible {
        When::If(_) => format!("if flexible {{ {tags} }}\n"),
        other => guarded(other, &tags),
    };
    let variable = flexible_variable(&body, flexible);
    Ok(format!(
        "fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> \
         {{\n{variable}{body}Ok(())\n}}\n"
    ))
}

/// Refuses a value other than the default where the version lacks the field, unless losing it is
/// allowed.
fn absent_check(member: &Member<'_>, present: &When) -> anyhow::Result<String> {
    if member.field.ignorable || *present == When::Always {
        return Ok(String::new());
    }
    let is_default = member.is_default()?;
    let carried = match present {
        When::If(condition) => format!("{condition} || {is_default}"),
        _ => is_default,
    };
    Ok(format!("require({carried}, {:?}, version)?;\n", member.field.name))
}
