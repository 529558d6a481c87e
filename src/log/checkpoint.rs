//! Kafka's small text files as pure functions: text in, values out, and back.
//!
//! Layouts: `CheckpointFile` (version line, count line, one entry per line),
//! `PartitionMetadataFile`, `MetaProperties` (Java properties), `CleanShutdownFileHandler` (JSON).
//! A checksum is added where Apache Kafka reads over it, so that a flipped bit is told from what
//! was written: as an entry of a topic that is none, as a line behind the last, or as a comment. A
//! file without one was written by Kafka, or by hand.

use std::fmt::{Display, Write};

/// A text that is not what its name promises, with the place and the reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct MalformedCheckpoint {
    pub line: usize,
    pub reason: String,
}

fn malformed(line: usize, reason: impl Display) -> MalformedCheckpoint {
    MalformedCheckpoint { line, reason: reason.to_string() }
}

/// So much of a line is quoted: enough to find it by.
const QUOTED_CHARS_MAX: usize = 60;

/// A line as it is quoted: what is no checkpoint may be one line of megabytes.
fn quoted(line: &str) -> String {
    match line.char_indices().nth(QUOTED_CHARS_MAX) {
        None => format!("{line:?}"),
        Some((end, _)) => format!("{:?} and {} bytes more", &line[..end], line.len() - end),
    }
}

/// The topic of the entry that has a checksum for its offset: no log has that name, so that Kafka
/// reads over it.
const CHECKSUM_TOPIC: &str = "__millstream_checksum";
/// The line of a checksum in other files.
const CHECKSUM_LINE: &str = "crc32c: ";
const CHECKSUM_COMMENT: &str = "# crc32c: ";

fn checksum(text: &str) -> u32 {
    crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32Iscsi, text.as_bytes()) as u32
}

/// `text` without the line that begins with `mark`, whose rest is the checksum of what stands
/// before it.
fn checked<'a>(text: &'a str, mark: &str) -> Result<&'a str, MalformedCheckpoint> {
    let Some((at, _)) =
        text.rmatch_indices(mark).find(|(at, _)| *at == 0 || text[..*at].ends_with('\n'))
    else {
        return Ok(text);
    };
    let found =
        text[at + mark.len()..].strip_suffix('\n').and_then(|value| value.parse::<u32>().ok());
    let line = text[..at].lines().count() + 1;
    match found {
        Some(found) if found == checksum(&text[..at]) => Ok(&text[..at]),
        Some(_) => Err(malformed(line, "the checksum does not match what stands above it")),
        None => Err(malformed(line, "a checksum expected")),
    }
}

/// `0\nCOUNT\n` and COUNT lines.
fn format_lines(lines: impl ExactSizeIterator<Item = String>) -> String {
    let mut text = format!("0\n{}\n", lines.len());
    for line in lines {
        text.push_str(&line);
        text.push('\n');
    }
    text
}

fn parse_lines<T>(
    text: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Vec<T>, MalformedCheckpoint> {
    let mut lines = text.lines().enumerate().map(|(at, line)| (at + 1, line));
    match lines.next() {
        Some((_, "0")) => {}
        Some((_, line)) => {
            return Err(malformed(1, format_args!("version 0 expected, found {}", quoted(line))));
        }
        None => return Err(malformed(1, "version 0 expected, found nothing")),
    }
    let count: usize = match lines.next().map(|(_, line)| line.parse()) {
        Some(Ok(count)) => count,
        _ => return Err(malformed(2, "number of entries expected")),
    };
    let mut entries = Vec::new();
    for (at, line) in lines {
        entries.push(
            parse(line)
                .ok_or_else(|| malformed(at, format_args!("not an entry: {}", quoted(line))))?,
        );
    }
    if entries.len() != count {
        return Err(malformed(
            2,
            format_args!("{count} entries promised, {} found", entries.len()),
        ));
    }
    Ok(entries)
}

/// One line of `recovery-point-offset-checkpoint`, `log-start-offset-checkpoint` and
/// `replication-offset-checkpoint`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OffsetEntry {
    pub topic: String,
    pub partition: i32,
    pub offset: i64,
}

/// Lines of `TOPIC PARTITION OFFSET`; the last one, `__millstream_checksum 0 CRC`, has the CRC-32C
/// of those before it.
pub fn format_offsets(entries: &[OffsetEntry]) -> String {
    let mut text = format!("0\n{}\n", entries.len() + 1);
    for entry in entries {
        // One that is negative would make the whole file malformed to a start.
        assert!(entry.offset >= 0, "{entry:?} is no offset");
        writeln!(text, "{} {} {}", entry.topic, entry.partition, entry.offset)
            .expect("writing to a string");
    }
    let checksum = checksum(&text);
    writeln!(text, "{CHECKSUM_TOPIC} 0 {checksum}").expect("writing to a string");
    text
}

pub fn parse_offsets(text: &str) -> Result<Vec<OffsetEntry>, MalformedCheckpoint> {
    checked(text, &format!("{CHECKSUM_TOPIC} 0 "))?;
    let mut entries = parse_lines(text, |line| {
        let mut words = line.split_ascii_whitespace();
        let entry = OffsetEntry {
            topic: words.next()?.to_owned(),
            partition: words.next()?.parse().ok()?,
            offset: words.next()?.parse().ok().filter(|offset| *offset >= 0)?,
        };
        words.next().is_none().then_some(entry)
    })?;
    // A bit of its name may have flipped.
    let (first, last) = CHECKSUM_TOPIC.split_at(CHECKSUM_TOPIC.len() / 2);
    let is_nearly = |topic: &str| {
        topic != CHECKSUM_TOPIC && (topic.starts_with(first) || topic.ends_with(last))
    };
    if let Some(at) = entries.iter().position(|entry| is_nearly(&entry.topic)) {
        return Err(malformed(at + 3, "a checksum expected"));
    }
    entries.retain(|entry| entry.topic != CHECKSUM_TOPIC);
    Ok(entries)
}

/// `leader-epoch-checkpoint`: lines of `EPOCH START_OFFSET`.
pub fn format_epochs(entries: &[(i32, i64)]) -> String {
    let text = format_lines(entries.iter().map(|(epoch, start)| format!("{epoch} {start}")));
    assert_eq!(parse_epochs(&text).as_deref(), Ok(entries), "epochs read back as they are");
    text
}

pub fn parse_epochs(text: &str) -> Result<Vec<(i32, i64)>, MalformedCheckpoint> {
    parse_lines(text, |line| {
        let (epoch, start) = line.split_once(' ')?;
        Some((epoch.parse().ok()?, start.parse().ok()?))
    })
}

/// `partition.metadata`: which topic this partition belongs to, in Kafka's base 64 form of a UUID.
/// A third line, `crc32c: CRC`, is about the two before it.
pub fn format_partition_metadata(topic_id: impl Display) -> String {
    let topic_id = topic_id.to_string();
    let text = format!("version: 0\ntopic_id: {topic_id}\n");
    let text = format!("{text}{CHECKSUM_LINE}{}\n", checksum(&text));
    assert_eq!(
        parse_partition_metadata(&text),
        Ok(topic_id.as_str()),
        "a topic id reads back as it is"
    );
    text
}

/// The topic id as text; the caller knows what a UUID looks like.
pub fn parse_partition_metadata(text: &str) -> Result<&str, MalformedCheckpoint> {
    let mut lines = checked(text, CHECKSUM_LINE)?.lines();
    if lines.next() != Some("version: 0") {
        return Err(malformed(1, "\"version: 0\" expected"));
    }
    lines
        .next()
        .and_then(|line| line.strip_prefix("topic_id: "))
        .map(str::trim)
        .filter(|id| id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)))
        .ok_or_else(|| malformed(2, "\"topic_id: UUID\" expected"))
}

/// `meta.properties` of a log directory, version 1 (`MetaProperties`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MetaProperties {
    pub cluster_id: String,
    pub node_id: i32,
    /// `None` in directories that an older version formatted.
    pub directory_id: Option<String>,
    /// Its first offset checkpoints were not yet written: that there are none tells of no loss.
    pub is_unused: bool,
}

/// A line of ours, which Kafka reads over: the line is there as long as the directory is unused.
const UNUSED_KEY: &str = "millstream.unused";

impl MetaProperties {
    pub fn format(&self) -> String {
        let mut text = String::from("#\n");
        writeln!(text, "cluster.id={}", self.cluster_id).expect("writing to a string");
        if let Some(directory_id) = &self.directory_id {
            writeln!(text, "directory.id={directory_id}").expect("writing to a string");
        }
        if self.is_unused {
            writeln!(text, "{UNUSED_KEY}=true").expect("writing to a string");
        }
        writeln!(text, "node.id={}\nversion=1", self.node_id).expect("writing to a string");
        text
    }

    /// With a comment that tells a later start of flipped bits. An operator who edits the file
    /// removes that line.
    pub fn format_checked(&self) -> String {
        let text = self.format();
        let text = format!("{text}{CHECKSUM_COMMENT}{}\n", checksum(&text));
        assert_eq!(MetaProperties::parse(&text).as_ref(), Ok(self), "they read back as they are");
        text
    }

    pub fn parse(text: &str) -> Result<Self, MalformedCheckpoint> {
        let by_hand = |error: MalformedCheckpoint| {
            let reason =
                format!("{}; if the file was edited by hand, remove this line", error.reason);
            MalformedCheckpoint { reason, ..error }
        };
        checked(text, CHECKSUM_COMMENT).map_err(by_hand)?;
        let (mut version, mut cluster_id, mut node_id, mut directory_id) = (None, None, None, None);
        let mut is_unused = false;
        for (at, line) in text.lines().enumerate().map(|(at, line)| (at + 1, line.trim())) {
            if line.is_empty() || line.starts_with('#') || line.starts_with('!') {
                continue;
            }
            let (key, value) =
                line.split_once('=').ok_or_else(|| malformed(at, "key=value expected"))?;
            // Java escapes colons and equals signs in what it stores.
            let value = value.trim().replace('\\', "");
            match key.trim() {
                "version" => version = Some(value),
                "cluster.id" => cluster_id = Some(value),
                "node.id" => {
                    node_id =
                        Some(value.parse().map_err(|_| malformed(at, "node.id is not a number"))?)
                }
                "directory.id" => directory_id = Some(value),
                UNUSED_KEY => is_unused = value == "true",
                _ => {}
            }
        }
        if version.as_deref() != Some("1") {
            let found = version.as_deref().map_or_else(|| "nothing".to_owned(), quoted);
            return Err(malformed(0, format_args!("version=1 expected, found {found}")));
        }
        Ok(Self {
            cluster_id: cluster_id.ok_or_else(|| malformed(0, "cluster.id is missing"))?,
            node_id: node_id.ok_or_else(|| malformed(0, "node.id is missing"))?,
            directory_id,
            is_unused,
        })
    }
}

/// `millstream-metadata-seen` of a log directory: how far the metadata log had got when the
/// directory was last written to. What the directory holds is known to a metadata log that reaches
/// at least as far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MetadataSeen {
    /// The last offset; -1: none.
    pub offset: i64,
    /// A start had a metadata log that ended before `offset`: what it lacks need not have been
    /// deleted.
    pub went_back: bool,
}

impl MetadataSeen {
    pub fn format(&self) -> String {
        let text = format!(
            "version: 0\nmetadata_offset: {}\nwent_back: {}\n",
            self.offset, self.went_back
        );
        let text = format!("{text}{CHECKSUM_LINE}{}\n", checksum(&text));
        assert_eq!(MetadataSeen::parse(&text).as_ref(), Ok(self), "it reads back as it is");
        text
    }

    pub fn parse(text: &str) -> Result<Self, MalformedCheckpoint> {
        let mut lines = checked(text, CHECKSUM_LINE)?.lines();
        if lines.next() != Some("version: 0") {
            return Err(malformed(1, "\"version: 0\" expected"));
        }
        let mut value =
            |name: &str| lines.next().and_then(|line| line.strip_prefix(name)?.strip_prefix(": "));
        let offset = value("metadata_offset").and_then(|text| text.parse().ok());
        let went_back = value("went_back").and_then(|text| text.parse().ok());
        Ok(Self {
            offset: offset.ok_or_else(|| malformed(2, "\"metadata_offset: OFFSET\" expected"))?,
            went_back: went_back.ok_or_else(|| {
                malformed(3, "\"went_back: true\" or \"went_back: false\" expected")
            })?,
        })
    }
}

/// `.kafka_cleanshutdown`: written when every log was closed cleanly; carries the broker epoch
/// (-1: unknown).
pub fn format_clean_shutdown(broker_epoch: i64) -> String {
    let text = format!("{{\"version\":0,\"brokerEpoch\":{broker_epoch}}}");
    assert_eq!(parse_clean_shutdown(&text), Some(broker_epoch), "the epoch reads back as it is");
    text
}

/// The broker epoch; `None` where the file has another form (it still says that the shutdown was
/// clean).
pub fn parse_clean_shutdown(text: &str) -> Option<i64> {
    serde_json::from_str::<serde_json::Value>(text).ok()?.get("brokerEpoch")?.as_i64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_read_back() {
        let entries = vec![
            OffsetEntry { topic: "a".into(), partition: 0, offset: 17 },
            OffsetEntry { topic: "b-c".into(), partition: 12, offset: i64::MAX },
        ];
        let text = format_offsets(&entries);
        assert_eq!(
            text,
            "0\n3\na 0 17\nb-c 12 9223372036854775807\n__millstream_checksum 0 2347405080\n"
        );
        assert_eq!(parse_offsets(&text).unwrap(), entries);
        assert!(parse_offsets("0\n1\na 0 -5\n").is_err(), "offsets count from zero");
        // As Kafka writes it.
        assert_eq!(parse_offsets("0\n2\na 0 17\nb-c 12 9223372036854775807\n").unwrap(), entries);
        assert_eq!(parse_offsets("0\n0\n").unwrap(), []);
    }

    #[test]
    fn what_is_malformed_is_named_by_its_line() {
        let line_of = |text| parse_offsets(text).unwrap_err().line;
        assert_eq!(line_of(""), 1);
        assert_eq!(line_of("1\n0\n"), 1);
        assert_eq!(line_of("0\n"), 2);
        assert_eq!(line_of("0\n2\na 0 17\n"), 2);
        assert_eq!(line_of("0\n1\na 0\n"), 3);
        assert_eq!(line_of("0\n1\na 0 1 2\n"), 3);
        assert_eq!(line_of("0\n99999999999999999999\n"), 2);
    }

    /// Those of the mark itself make it another line, which is told or read over; what it was about
    /// is as it was written.
    #[test]
    fn no_flipped_bit_is_believed() {
        let entries = vec![OffsetEntry { topic: "a".into(), partition: 0, offset: 17 }];
        let directory_id = Some("xyz".into());
        let meta =
            MetaProperties { cluster_id: "abc".into(), node_id: 7, directory_id, is_unused: true };
        let seen = MetadataSeen { offset: 42, went_back: false };
        let flips = |text: String| {
            (0..text.len() * 8).map(move |at| {
                let mut bytes = text.clone().into_bytes();
                bytes[at / 8] ^= 1 << (at % 8);
                String::from_utf8_lossy(&bytes).into_owned()
            })
        };
        for text in flips(format_offsets(&entries)) {
            let read = parse_offsets(&text).unwrap_or_else(|_| entries.clone());
            assert!(read.starts_with(&entries), "{text:?}");
        }
        for text in flips(meta.format_checked()) {
            assert_eq!(
                MetaProperties::parse(&text).unwrap_or_else(|_| meta.clone()),
                meta,
                "{text:?}"
            );
        }
        for text in flips(seen.format()) {
            assert_eq!(MetadataSeen::parse(&text).unwrap_or(seen), seen, "{text:?}");
        }
        for text in flips(format_partition_metadata("AAAA")) {
            assert_eq!(parse_partition_metadata(&text).unwrap_or("AAAA"), "AAAA", "{text:?}");
        }
    }

    #[test]
    fn epochs_and_topic_ids_read_back() {
        assert_eq!(format_epochs(&[(0, 0), (3, 70)]), "0\n2\n0 0\n3 70\n");
        assert_eq!(parse_epochs("0\n2\n0 0\n3 70\n").unwrap(), [(0, 0), (3, 70)]);
        assert_eq!(parse_partition_metadata(&format_partition_metadata("AAAA")).unwrap(), "AAAA");
        assert!(parse_partition_metadata("version: 1\ntopic_id: AAAA").is_err());
    }

    #[test]
    fn meta_properties_as_kafka_writes_them() {
        let text = "#\n#Mon Jul 07 12:00:00 UTC \
            2025\ncluster.id=abc\\=\ndirectory.id=xyz\nnode.id=7\nversion=1\n";
        let directory_id = Some("xyz".into());
        let meta = MetaProperties {
            cluster_id: "abc=".into(),
            node_id: 7,
            directory_id,
            is_unused: false,
        };
        assert_eq!(MetaProperties::parse(text).unwrap(), meta);
        assert_eq!(MetaProperties::parse(&meta.format()).unwrap(), meta);
        let unused = MetaProperties { is_unused: true, ..meta };
        assert_eq!(MetaProperties::parse(&unused.format_checked()).unwrap(), unused);
        assert!(MetaProperties::parse("version=0\nbroker.id=1\n").is_err());
    }

    #[test]
    fn what_was_seen_of_the_metadata_reads_back() {
        for seen in [
            MetadataSeen { offset: 42, went_back: true },
            MetadataSeen { offset: -1, went_back: false },
        ] {
            assert_eq!(MetadataSeen::parse(&seen.format()).unwrap(), seen);
        }
        let line_of = |text| MetadataSeen::parse(text).unwrap_err().line;
        assert_eq!(line_of(""), 1);
        assert_eq!(line_of("version: 0\nmetadata_offset: x\nwent_back: true\n"), 2);
        assert_eq!(line_of("version: 0\nmetadata_offset: 1\n"), 3);
    }

    #[test]
    fn clean_shutdown_carries_the_broker_epoch() {
        assert_eq!(parse_clean_shutdown(&format_clean_shutdown(42)), Some(42));
        assert_eq!(parse_clean_shutdown(""), None);
    }
}
