//! Names of files and folders of a log, as Apache Kafka writes them (`LogFileUtils`,
//! `LocalLog.logDeleteDirName`).

use ring::Ring;
use std::{
    io,
    path::{Path, PathBuf},
};

pub(super) const LOG: &str = "log";
pub(super) const OFFSET_INDEX: &str = "index";
pub(super) const TIME_INDEX: &str = "timeindex";
pub(super) const TXN_INDEX: &str = "txnindex";
pub(super) const SNAPSHOT: &str = "snapshot";
pub(super) const DELETED_SUFFIX: &str = ".deleted";
pub(super) const CLEANED_SUFFIX: &str = ".cleaned";
pub(super) const SWAP_SUFFIX: &str = ".swap";
/// What recovery keeps of a log's files beside the log: `NAME.aside-NUMBER`.
pub(super) const ASIDE_INFIX: &str = ".aside-";
pub(super) const DELETE_DIR_SUFFIX: &str = "-delete";
pub(super) const FUTURE_DIR_SUFFIX: &str = "-future";
pub(super) const STRAY_DIR_SUFFIX: &str = "-stray";
pub(super) const LEADER_EPOCHS: &str = "leader-epoch-checkpoint";
pub(super) const PARTITION_METADATA: &str = "partition.metadata";

/// File names are limited by the file system; folders that wait for removal have the longest ones.
const MAX_NAME_BYTES: usize = 255;

/// The first name for what is kept of the file `name` that is not taken.
pub(super) fn free_aside(name: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let mut names = (0..).map(|number| format!("{name}{ASIDE_INFIX}{number}"));
    let free = names.find(|to| !is_taken(to)).expect("numbers do not end");
    assert_eq!(parse_segment(&free), None, "what is kept aside is no part of a log");
    free
}

/// Creates a folder, with those above it, and makes all their names durable, also where an earlier
/// run was ended between the two. A folder that may not be opened was not created by this user: it
/// is durable as it is.
pub async fn create_dir_durably(ring: &Ring, path: &Path) -> io::Result<()> {
    ring.create_dir_all(path).await?;
    for parent in path.ancestors().skip(1) {
        match ring.sync_dir(parent).await {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
            other => other?,
        }
    }
    Ok(())
}

/// Removes a file, which may be gone already.
pub(super) async fn remove_if_there(ring: &Ring, path: &Path) -> io::Result<()> {
    match ring.unlink(path).await {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// `DIR/00000000000000001234.EXTENSION`
pub(super) fn path(dir: &Path, offset: i64, extension: &str) -> PathBuf {
    dir.join(name(offset, extension))
}

pub(super) fn name(offset: i64, extension: &str) -> String {
    assert!(offset >= 0, "a file is named for offset {offset}, and offsets count from zero");
    let name = format!("{offset:020}.{extension}");
    assert_eq!(parse(&name), Some((offset, extension)), "a name reads back as it was made");
    name
}

/// Offset and extension of a file of a log: `None` for any other name.
pub(super) fn parse(name: &str) -> Option<(i64, &str)> {
    let (digits, extension) = name.split_once('.')?;
    if digits.len() != 20 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some((digits.parse().ok()?, extension))
}

/// The base offset of the segment whose batches a file of this name has.
pub fn parse_segment(name: &str) -> Option<i64> {
    parse(name).filter(|(_, extension)| *extension == LOG).map(|(offset, _)| offset)
}

/// Topic and partition of a folder named `TOPIC-PARTITION`.
pub fn parse_partition_dir(name: &str) -> Option<(&str, i32)> {
    let (topic, partition) = name.rsplit_once('-')?;
    if topic.is_empty() || partition.is_empty() || !partition.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some((topic, partition.parse().ok()?))
}

/// Topic and partition of a folder that was set aside, `TOPIC-PARTITION.UNIQUE-stray`. The topic
/// may be cut short.
pub fn parse_stray_dir(name: &str) -> Option<(&str, i32)> {
    let (partition_dir, _) = name.strip_suffix(STRAY_DIR_SUFFIX)?.rsplit_once('.')?;
    parse_partition_dir(partition_dir)
}

/// `TOPIC-PARTITION.UNIQUE-delete` or `-stray`, with the topic cut short where the name would be
/// too long.
fn dir_name(partition_dir: &str, unique: u128, suffix: &str) -> String {
    let suffix = format!(".{unique:032x}{suffix}");
    let room = MAX_NAME_BYTES - suffix.len();
    let kept = if partition_dir.len() <= room {
        partition_dir.to_owned()
    } else {
        let (topic, partition) = partition_dir.rsplit_once('-').unwrap_or((partition_dir, "0"));
        let topic_room = room - partition.len() - 1;
        format!("{}-{partition}", &topic[..topic.floor_char_boundary(topic_room)])
    };
    let name = kept + &suffix;
    assert!(name.len() <= MAX_NAME_BYTES, "no file system has room for the name {name}");
    assert_eq!(parse_partition_dir(&name), None, "no start takes it for a partition's folder");
    name
}

/// Gives a partition's folder another name, durably: no start takes it for that partition's any
/// more.
pub(super) async fn rename_dir(ring: &Ring, dir: &Path, suffix: &str) -> io::Result<PathBuf> {
    let new_dir = move_dir(ring, dir, suffix).await?;
    sync_name(ring, &new_dir).await?;
    Ok(new_dir)
}

/// Makes the name of a folder durable.
pub(super) async fn sync_name(ring: &Ring, dir: &Path) -> io::Result<()> {
    match dir.parent() {
        Some(parent) => ring.sync_dir(parent).await,
        None => Ok(()),
    }
}

/// Gives a partition's folder another name, which a power cut may undo.
pub(super) async fn move_dir(ring: &Ring, dir: &Path, suffix: &str) -> io::Result<PathBuf> {
    let name = dir.file_name().and_then(|name| name.to_str()).expect("a log's folder has a name");
    let unique = (u128::from(ring.random_u64()) << 64) | u128::from(ring.random_u64());
    let new_dir = dir.with_file_name(dir_name(name, unique, suffix));
    assert_ne!(dir, new_dir, "a folder that is moved has another name than before");
    ring.rename(dir, &new_dir).await?;
    Ok(new_dir)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kafkas() {
        assert_eq!(name(1234, LOG), "00000000000000001234.log");
        assert_eq!(parse("00000000000000001234.timeindex"), Some((1234, "timeindex")));
        assert_eq!(parse("00000000000000001234.log.deleted"), Some((1234, "log.deleted")));
        assert_eq!(parse("leader-epoch-checkpoint"), None);
        assert_eq!(parse("1234.log"), None);
        assert_eq!(parse_partition_dir("a-b-12"), Some(("a-b", 12)));
        for not_a_partition in ["-1", "a-", "a", "a-1x", "a-99999999999"] {
            assert_eq!(parse_partition_dir(not_a_partition), None, "{not_a_partition}");
        }
    }

    #[test]
    fn a_long_name_still_fits_when_its_folder_is_deleted() {
        let long = format!("{}-17", "x".repeat(249));
        let name = dir_name(&long, 7, DELETE_DIR_SUFFIX);
        assert_eq!(name.len(), MAX_NAME_BYTES);
        assert!(name.ends_with("-17.00000000000000000000000000000007-delete"));
        assert_eq!(
            dir_name("a-0", 1, DELETE_DIR_SUFFIX),
            "a-0.00000000000000000000000000000001-delete"
        );
        assert_eq!(parse_stray_dir(&dir_name("a.b-12", 1, STRAY_DIR_SUFFIX)), Some(("a.b", 12)));
        assert_eq!(parse_stray_dir("a-0"), None);
    }
}
