//! The table in docs/reliability.md: made of what was seen, compared with what stands there.

use super::cells::{Cell, Ending, Harm};
use std::{collections::BTreeMap, fs, path::Path};

const DOC: &str = "docs/reliability.md";
const BEGIN: &str = "<!-- the damage matrix begins: tests/lifecycle/matrix checks it -->\n";
const END: &str = "<!-- the damage matrix ends -->\n";

/// The start says nothing: it does not look.
pub const BY_CHECK: &str = "by `log check` alone: ";

/// What a start makes of a damage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    Whole,
    /// Records that were deleted at the beginning are there again.
    More,
    /// Records are missing, which is said.
    Part,
    /// A reader gets an error, or a batch whose checksum is wrong.
    ReaderMeetsIt,
    Offline,
    Refused,
}

impl Verdict {
    fn words(self) -> &'static str {
        match self {
            Verdict::Whole => "served whole",
            Verdict::More => "served whole, and deleted records are there again",
            Verdict::Part => "served without what is lost",
            Verdict::ReaderMeetsIt => "served; a reader meets the damaged batch",
            Verdict::Offline => "partition offline",
            Verdict::Refused => "start refused",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    pub verdict: Verdict,
    /// Fragments of what was said.
    pub told: Vec<String>,
}

/// What a log line may say of a damage. The longer ones stand before those that they contain.
const PHRASES: &[&str] = &[
    "it is gone",
    "it has no segment",
    "but had",
    "good batches follow it",
    "is damaged: the batch at byte",
    "but must reach offset",
    "the end of the log is damaged and is cut off",
    "do not follow its end",
    "the epoch of the last run",
    "of the last run: the files of logs are read",
    "the recovery checkpoint is older",
    "this producer snapshot is missing",
    "the file is missing: its epoch",
    "it has no snapshot: the metadata",
    "but lies between",
    "an index file of this segment lacks entries",
    "this index file is missing or shorter",
    "a file of the commit stream is truncated",
    "a frame of the commit stream is damaged",
    "the snapshot does not begin with a header",
    "the snapshot has no footer",
    "bytes, only",
    "an index file of this segment is missing or damaged",
    "is missing or damaged: it is built anew",
    "an index without its log file goes",
    "this index is damaged: it leads to a place",
    "a producer snapshot is damaged",
    "the recovery checkpoint cannot be read",
    "another size than when the log was closed",
    "this file is damaged: it has a later epoch",
    "the file is missing: it is written anew",
    "the file is missing: leader epochs",
    "the checkpoint is missing",
    "the checkpoint is malformed",
    "it is malformed: folders",
    "it is missing: a metadata log that is older",
    "begins later than its last checkpoint",
    "is no topic id",
    "belongs to topic id",
    "is gone, but the checkpoints of its directory",
    "this file is missing, but the directory holds",
    "this file says to which cluster the directory belongs",
    "no log directory holds the metadata log",
    "has no records, but there were some",
    "its checksum does not match",
    "the commit stream is damaged: frames are missing",
    "the commit stream has lost frames",
    "a file of the commit stream is empty",
    "the commit stream has no note of its use",
    "this note of the commit stream's use cannot be read",
    "was not closed cleanly",
    "cannot read",
    "where no batch begins",
    "but the batch at byte",
    "it ends inside an entry",
    "behind the last batch",
    "where the largest is",
    "it is gone, but the checkpoint",
    "says that it is at",
    "it has no records",
    "whose batch has",
    "version 0 expected",
    "number of entries expected",
    "entries promised",
    "not an entry",
    "the checksum does not match",
    "a checksum expected",
    "expected, found",
    "\" expected",
    "snapshot has version",
    "at line 1 column",
    "CRC",
    ".snapshot: ",
    "`millstream log check",
];

/// The phrases that occur in these lines, in the order of the lines. Err: a line that has none of
/// them.
pub fn phrases(lines: &[String]) -> Result<Vec<String>, String> {
    let mut found: Vec<String> = Vec::new();
    for line in lines {
        let phrase = PHRASES.iter().find(|phrase| line.contains(**phrase));
        let phrase =
            phrase.ok_or_else(|| format!("a line that the table has no phrase for: {line}"))?;
        if !found.iter().any(|one| one == phrase) {
            found.push((*phrase).to_owned());
        }
    }
    Ok(found)
}

/// Damages of one file with the same outcome are one row.
fn render(mut seen: Vec<(Cell, Row)>) -> String {
    seen.sort_by_key(|(cell, _)| (cell.ending, cell.harm));
    let mut kinds: Vec<&'static str> = Vec::new();
    let mut rows: BTreeMap<(&'static str, Row), BTreeMap<Ending, Vec<Harm>>> = BTreeMap::new();
    for (cell, row) in &seen {
        if !kinds.contains(&cell.kind.name) {
            kinds.push(cell.kind.name);
        }
        rows.entry((cell.kind.name, row.clone()))
            .or_default()
            .entry(cell.ending)
            .or_default()
            .push(cell.harm);
    }
    kinds.sort_by_key(|name| super::cells::place_of(name));
    let mut text =
        String::from("| file | damage | verdict | what is logged |\n| --- | --- | --- | --- |\n");
    for kind in kinds {
        for ((_, row), endings) in rows.iter().filter(|((name, _), _)| *name == kind) {
            let mut damages: BTreeMap<String, Vec<String>> = BTreeMap::new();
            for (ending, harms) in endings {
                let harms: Vec<String> = harms.iter().map(ToString::to_string).collect();
                damages.entry(harms.join(", ")).or_default().push(ending.to_string());
            }
            let damages = damages
                .iter()
                .map(|(harms, endings)| format!("after a {}: {harms}", endings.join(" or a ")));
            let damages = damages.collect::<Vec<_>>().join("; ");
            let told: Vec<String> = row.told.iter().map(|one| quote(one)).collect();
            text.push_str(&format!(
                "| {kind} | {damages} | {} | {} |\n",
                row.verdict.words(),
                told.join(", ")
            ));
        }
    }
    text
}

fn quote(told: &str) -> String {
    let by_check = told.starts_with(BY_CHECK);
    let quoted = format!("“{}”", told.trim_start_matches(BY_CHECK).trim().replace('`', ""));
    if by_check { format!("{BY_CHECK}{quoted}") } else { quoted }
}

/// The table must be what was seen. With `MILLSTREAM_WRITE_TABLE=1` it is made so.
pub fn compare(seen: Vec<(Cell, Row)>, wrong: &[String]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(DOC);
    let doc = fs::read_to_string(&path).expect("the table's page");
    let (before, rest) = doc.split_once(BEGIN).expect("the beginning of the table");
    let (table, after) = rest.split_once(END).expect("the end of the table");
    let now = render(seen);
    if std::env::var_os("MILLSTREAM_WRITE_TABLE").is_some() {
        fs::write(&path, format!("{before}{BEGIN}\n{now}\n{END}{after}")).unwrap();
        return;
    }
    if !wrong.is_empty() {
        return;
    }
    let rows = |text: &str| text.trim().lines().map(str::to_owned).collect::<Vec<_>>();
    let (expected, found) = (rows(table), rows(&now));
    let unexpected: Vec<&String> = found.iter().filter(|row| !expected.contains(row)).collect();
    let unseen: Vec<&String> = expected.iter().filter(|row| !found.contains(row)).collect();
    assert!(
        unexpected.is_empty() && unseen.is_empty(),
        "{DOC} differs from what was seen (MILLSTREAM_WRITE_TABLE=1 writes it).\nSeen: \
         {unexpected:#?}\nExpected: {unseen:#?}"
    );
}
