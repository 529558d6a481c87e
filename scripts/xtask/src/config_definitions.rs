//! `cargo xtask codegen-configs`: asks Apache Kafka's own classes which configs exist, and writes
//! the answer as Rust to `src/config/gen/`. Needs Maven and a JDK; the build itself needs neither,
//! because the result is committed.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

const EXTRACTOR: &str = "scripts/xtask/java/ConfigDefinitions.java";
const EXTRACTOR_CLASS: &str = "ConfigDefinitions";
const OUTPUT_FOLDER: &str = "src/config/gen";
const KINDS: [&str; 3] = ["broker", "topic", "group"];

/// Writes `src/config/gen/{mod,broker,topic,group}.rs` below `root` from the jars of
/// `kafka_version`.
pub fn run(root: &Path, kafka_version: &str) -> Result<()> {
    let work = root.join("target/codegen-configs");
    std::fs::create_dir_all(&work)?;
    // Maven takes a relative output folder from its own list of dependencies, not from here.
    let work = work.canonicalize()?;
    let jars = fetch_jars(&work, kafka_version)?;
    let definitions = extract(root, &work, &jars)?;
    let output = root.join(OUTPUT_FOLDER);
    std::fs::create_dir_all(&output)?;
    std::fs::write(output.join("mod.rs"), module(kafka_version))?;
    for kind in KINDS {
        let list =
            definitions[kind].as_array().with_context(|| format!("no list of {kind} configs"))?;
        let text = render(kind, kafka_version, list)?;
        std::fs::write(output.join(format!("{kind}.rs")), text)?;
        println!("{OUTPUT_FOLDER}/{kind}.rs: {} configs", list.len());
    }
    Ok(())
}

/// Lets Maven copy the broker's jars with all that they need, once per version.
fn fetch_jars(work: &Path, kafka_version: &str) -> Result<PathBuf> {
    let jars = work.join(format!("jars-{kafka_version}"));
    let broker_jar = jars.join(format!("kafka_2.13-{kafka_version}.jar"));
    if broker_jar.exists() {
        return Ok(jars);
    }
    let list = work.join("pom.xml");
    std::fs::write(&list, pom(kafka_version))?;
    let status = Command::new("mvn")
        .args([
            "-B",
            "-q",
            "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies",
        ])
        .arg("-f")
        .arg(&list)
        .arg(format!("-DoutputDirectory={}", jars.display()))
        .status()
        .context("mvn could not be started: install Apache Maven")?;
    ensure!(
        status.success() && broker_jar.exists(),
        "mvn did not deliver {}",
        broker_jar.display()
    );
    Ok(jars)
}

fn pom(kafka_version: &str) -> String {
    format!(
        "<project xmlns=\"http://maven.apache.org/POM/4.0.0\"><modelVersion>4.0.0</modelVersion>\
         <groupId>millstream</groupId><artifactId>codegen-configs</artifactId><version>1</version><packaging>pom</packaging>\
         <dependencies><dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId>\
         <version>{kafka_version}</version></dependency></dependencies></project>\n"
    )
}

fn extract(root: &Path, work: &Path, jars: &Path) -> Result<Value> {
    let classes = work.join("classes");
    let jars = format!("{}/*", jars.display());
    let compiled = Command::new("javac")
        .args(["-cp", &jars, "-d"])
        .arg(&classes)
        .arg(root.join(EXTRACTOR))
        .status()
        .context("javac could not be started: install a JDK of version 17 or later")?;
    ensure!(compiled.success(), "{EXTRACTOR} does not compile against these jars");
    let output = Command::new("java")
        .args(["-cp", &format!("{jars}:{}", classes.display()), EXTRACTOR_CLASS])
        .output()
        .context("java could not be started: install a JDK of version 17 or later")?;
    if !output.status.success() {
        bail!("{EXTRACTOR_CLASS} failed:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    serde_json::from_slice(&output.stdout).context("the extractor's answer is not JSON")
}

fn module(kafka_version: &str) -> String {
    let mut text = format!(
        "//! The configs of Apache Kafka {kafka_version}, written by `cargo xtask \
         codegen-configs`; do not edit.\n\
         //! Names, defaults and documentation are Apache Kafka's (Apache License 2.0, see
         //! NOTICE).\n\n"
    );
    for kind in KINDS {
        writeln!(text, "pub mod {kind};").unwrap();
    }
    text
}

fn render(kind: &str, kafka_version: &str, list: &[Value]) -> Result<String> {
    let mut text = format!(
        "//! The {kind} configs of Apache Kafka {kafka_version}, written by `cargo xtask \
         codegen-configs`; do not edit.\n\n\
         use crate::config::definitions::{{ConfigType, Definition, Importance, Synonym, Unit, \
         UpdateMode, Valid}};\n\n\
         pub static DEFINITIONS: [Definition; {}] = [\n",
        list.len()
    );
    for item in list {
        render_one(&mut text, item).with_context(|| format!("{}", item["name"]))?;
    }
    text.push_str("];\n");
    // A table without synonyms does not use their types.
    if kind == "broker" {
        text = text.replace(", Synonym, Unit, ", ", ");
    }
    Ok(text)
}

fn render_one(text: &mut String, item: &Value) -> Result<()> {
    let default = match item["default"].as_str() {
        Some(default) => format!("Some({default:?})"),
        None => "None".to_owned(),
    };
    let mut synonyms = Vec::new();
    for synonym in item["synonyms"].as_array().map_or(&[][..], Vec::as_slice) {
        let unit = camel(string(synonym, "unit")?);
        synonyms.push(format!(
            "Synonym {{ name: {:?}, unit: Unit::{unit} }}",
            string(synonym, "name")?
        ));
    }
    writeln!(text, "    Definition {{")?;
    writeln!(text, "        name: {:?},", string(item, "name")?)?;
    writeln!(text, "        config_type: ConfigType::{},", camel(string(item, "type")?))?;
    writeln!(text, "        default: {default},")?;
    writeln!(text, "        required: {},", item["required"])?;
    writeln!(text, "        importance: Importance::{},", camel(string(item, "importance")?))?;
    writeln!(text, "        valid: {},", valid(&item["valid"])?)?;
    writeln!(text, "        update_mode: UpdateMode::{},", camel(string(item, "update_mode")?))?;
    writeln!(text, "        internal: {},", item["internal"])?;
    writeln!(text, "        broker_synonyms: &[{}],", synonyms.join(", "))?;
    writeln!(text, "        documentation: {:?},", plain_text(string(item, "documentation")?))?;
    writeln!(text, "    }},")?;
    Ok(())
}

fn valid(rule: &Value) -> Result<String> {
    let bound = |bound: &Value| match bound.as_f64() {
        Some(bound) => format!("Some({bound:?})"),
        None => "None".to_owned(),
    };
    Ok(match string(rule, "kind")? {
        "range" => {
            format!("Valid::Range {{ min: {}, max: {} }}", bound(&rule["min"]), bound(&rule["max"]))
        }
        "one_of" => format!("Valid::OneOf(&{})", rule["values"]),
        "one_of_ignoring_case" => format!("Valid::OneOfIgnoringCase(&{})", rule["values"]),
        "list" => format!(
            "Valid::List {{ values: &{}, empty_allowed: {} }}",
            rule["values"], rule["empty_allowed"]
        ),
        kind @ ("any" | "non_empty" | "gzip_level" | "quorum_voters" | "bootstrap_servers"
        | "throttled_replicas" | "share_offset_reset") => format!("Valid::{}", camel(kind)),
        kind => bail!("the kind of validator '{kind}' is unknown here"),
    })
}

fn string<'a>(item: &'a Value, key: &str) -> Result<&'a str> {
    item[key].as_str().with_context(|| format!("'{key}' is missing"))
}

/// `READ_ONLY`, `read-only` and `read_only` become `ReadOnly`.
fn camel(name: &str) -> String {
    let mut camel = String::new();
    for word in name.split(['_', '-']) {
        let (first, rest) = word.split_at(1);
        camel.push_str(&first.to_uppercase());
        camel.push_str(&rest.to_lowercase());
    }
    camel
}

/// The text without HTML: tags go, list items and line breaks become separators, entities become
/// characters.
fn plain_text(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        text.push_str(&rest[..start]);
        let tag_end = rest[start..].find('>').map(|end| start + end + 1);
        let is_tag =
            rest[start + 1..].starts_with(|next: char| next.is_ascii_alphabetic() || next == '/');
        match tag_end.filter(|_| is_tag) {
            Some(end) => {
                match rest[start..end].trim_matches(['<', '>', '/', ' ']) {
                    "li" if !rest[start..].starts_with("</") => text.push_str(" - "),
                    "p" | "br" | "ul" | "ol" | "pre" | "li" => text.push(' '),
                    _ => {}
                }
                rest = &rest[end..];
            }
            None => {
                text.push('<');
                rest = &rest[start + 1..];
            }
        }
    }
    text.push_str(rest);
    let entities = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&mdash;", "-"),
        ("&nbsp;", " "),
        ("&amp;", "&"),
    ];
    for (entity, character) in entities {
        text = text.replace(entity, character);
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_becomes_plain_text() {
        let html = "Set <code>a.b</code>:<ul><li>one</li><li>two &lt;x&gt;</li></ul><p>If a < 5, \
            see <a href=\"#b\">b</a>.";
        assert_eq!(plain_text(html), "Set a.b: - one - two <x> If a < 5, see b.");
    }

    #[test]
    fn names_of_any_style_become_camel_case() {
        assert_eq!(camel("cluster-wide"), "ClusterWide");
        assert_eq!(camel("SHORT"), "Short");
        assert_eq!(camel("one_of"), "OneOf");
    }
}
