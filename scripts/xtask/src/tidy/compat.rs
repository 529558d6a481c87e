//! docs/compat.md against the code: every API that is served has a row with its key and versions,
//! and no other has one.

use super::Finding;
use std::collections::BTreeMap;

pub const COMPAT: &str = "docs/compat.md";
/// Which APIs are served.
pub const API_TABLE: &str = "src/shard/apis/table.rs";
/// Which versions there are.
pub const API_VERSIONS: &str = "crates/protocol/src/gen/api.rs";

/// The first three columns of a row: name, key, versions (`3-13`, or `0` where there is one).
type Row = (String, String, String);

pub fn check(compat: &str, api_table: &str, api_versions: &str) -> Vec<Finding> {
    let (versions, keys) = (versions(api_versions), keys(api_versions));
    let table = api_table
        .split("pub const TABLE")
        .nth(1)
        .and_then(|rest| rest.split("];").next())
        .unwrap_or_default();
    let named = table
        .split("ApiKey::")
        .skip(1)
        .map(|rest| rest.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default());
    let unknown = || "?".to_owned();
    let row = |name: &str| -> Row {
        (
            name.to_owned(),
            keys.get(name).cloned().unwrap_or_else(unknown),
            versions.get(name).cloned().unwrap_or_else(unknown),
        )
    };
    let wanted: Vec<Row> = named.map(row).collect();
    let said: Vec<(usize, Row)> = compat
        .lines()
        .enumerate()
        .filter_map(|(number, line)| Some((number + 1, read_row(line)?)))
        .collect();
    let finding = |line, message| Finding { path: COMPAT.to_owned(), line, message };
    let missing = wanted.iter().filter(|row| !said.iter().any(|(_, one)| one == *row));
    let missing = missing.map(|(name, key, versions)| {
        finding(1, format!("no row `| {name} | {key} | {versions} |`: it is served"))
    });
    let extra = said.iter().filter(|(_, row)| !wanted.contains(row));
    let extra = extra.map(|(line, row)| {
        finding(*line, format!("the row of {} is not what {API_TABLE} serves", row.0))
    });
    missing.chain(extra).collect()
}

/// A row of the table of APIs: its second column is a number.
fn read_row(line: &str) -> Option<Row> {
    let mut columns = line.strip_prefix('|')?.split('|').map(|column| column.trim().to_owned());
    let row = (columns.next()?, columns.next()?, columns.next()?);
    row.1.parse::<i16>().is_ok().then_some(row)
}

fn keys(source: &str) -> BTreeMap<String, String> {
    let variant = |line: &str| {
        let (name, key) = line.trim().strip_suffix(',')?.split_once(" = ")?;
        key.parse::<i16>().ok().map(|key| (name.to_owned(), key.to_string()))
    };
    source.lines().filter_map(variant).collect()
}

fn versions(source: &str) -> BTreeMap<String, String> {
    let field = |block: &str, name: &str| {
        let rest = block.split(&format!(" {name}: ")).nth(1)?;
        rest.split(',').next()?.trim().parse::<i16>().ok()
    };
    let entry = |block: &str| {
        let name = block.split("ApiKey::").nth(1)?.split(',').next()?;
        let (min, max) = (field(block, "min_version")?, field(block, "max_version")?);
        let max = max - i16::from(block.contains("latest_version_unstable: true"));
        Some((name.to_owned(), if min == max { min.to_string() } else { format!("{min}-{max}") }))
    };
    source.split("ApiInfo {").skip(1).filter_map(entry).collect()
}
