//! Kafka's jars: fetched by Maven once per release, kept in the user's cache, read in place.

use super::KAFKA_VERSION;
use anyhow::{Context, ensure};
use std::io::Read;
use std::path::PathBuf;
use std::process::Command;

fn cache_folder() -> anyhow::Result<PathBuf> {
    let base = match std::env::var_os("XDG_CACHE_HOME") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(
            std::env::var_os("HOME").context("neither XDG_CACHE_HOME nor HOME is set")?,
        )
        .join(".cache"),
    };
    Ok(base.join("millstream/kafka-jars").join(KAFKA_VERSION))
}

/// The jar's path, after downloading it if it is not there yet.
fn jar(artifact: &str) -> anyhow::Result<PathBuf> {
    let folder = cache_folder()?;
    let path = folder.join(format!("{artifact}-{KAFKA_VERSION}.jar"));
    if !path.exists() {
        let status = Command::new("mvn")
            .args(["-B", "-q", "dependency:copy"])
            .arg(format!("-Dartifact=org.apache.kafka:{artifact}:{KAFKA_VERSION}"))
            .arg(format!("-DoutputDirectory={}", folder.display()))
            .status()
            .context("mvn does not start; install Maven")?;
        ensure!(
            status.success() && path.exists(),
            "Maven did not bring {artifact} {KAFKA_VERSION} to {}",
            folder.display()
        );
    }
    Ok(path)
}

/// The JSON files directly inside `folder` of the jar: name and text.
pub fn json_entries(artifact: &str, folder: &str) -> anyhow::Result<Vec<(String, String)>> {
    let path = jar(artifact)?;
    let file = std::fs::File::open(&path).with_context(|| path.display().to_string())?;
    let mut archive = zip::ZipArchive::new(file).with_context(|| path.display().to_string())?;
    let mut entries = Vec::new();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index)?;
        let name = entry.name().to_owned();
        let inside = name.strip_prefix(folder).and_then(|rest| rest.strip_suffix(".json"));
        if inside.is_some_and(|rest| !rest.contains('/')) {
            let mut text = String::new();
            entry.read_to_string(&mut text).with_context(|| name.clone())?;
            entries.push((name, text));
        }
    }
    Ok(entries)
}
