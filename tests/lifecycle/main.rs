//! The life of a broker as its operator sees it: started, stopped, killed, started again, refused.

#[path = "../support/mod.rs"]
mod support;

mod checks;
mod compaction;
mod coordinators;
mod damage;
mod deletion;
mod dirs;
mod matrix;
mod metrics;
mod process;
mod refusals;
mod restarts;
mod sandbox;
mod scarcity;
mod spread;
mod txn_offsets;
mod under_load;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// Every file below `folder` with what it holds: whether a start that failed has changed anything.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            let path = entry.path();
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                found.insert(path.clone(), Vec::new());
                open.push(path);
            } else {
                found.insert(path.clone(), fs::read(path).unwrap_or_default());
            }
        }
    }
    found
}

/// Which files differ; the contents themselves would not be readable.
#[track_caller]
fn assert_unchanged(before: &BTreeMap<PathBuf, Vec<u8>>, after: &BTreeMap<PathBuf, Vec<u8>>) {
    let changed: Vec<_> = before
        .keys()
        .chain(after.keys())
        .filter(|path| before.get(*path) != after.get(*path))
        .map(|path| path.display().to_string())
        .collect();
    assert!(changed.is_empty(), "changed on the disk: {changed:?}");
}
