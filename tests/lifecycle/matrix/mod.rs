//! The damage matrix: each kind of file, flipped, truncated, emptied and deleted, at its beginning,
//! middle and end, after a clean shutdown and after a kill; the verdict of the next start, and its
//! log lines.
//!
//! The table in docs/reliability.md is the expectation: each of its rows must agree with the run,
//! and every cell is in it. `MILLSTREAM_WRITE_TABLE=1` writes it anew. Whatever the table says,
//! these hold: no record that was synced is missing without a line in the log; a log that is
//! refused or offline keeps every byte; where records are not served, `millstream log check` says
//! so, and after `millstream log repair` the rest is served.

mod cells;
mod node;
mod table;

use crate::support::{
    broker::{free_port, scratch_folder},
    unique,
};
use cells::{Cell, Ending, Harm, Place};
use node::{Node, Prototype};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

/// Cells that are worked on at a time.
const WORKERS: usize = 2;

/// In memory where that can be had: thousands of syncs are no part of the test.
fn fast_folder() -> PathBuf {
    let shared = Path::new("/dev/shm").join(unique("millstream-matrix"));
    if fs::create_dir_all(&shared).is_ok() { shared } else { scratch_folder() }
}

#[test]
fn a_repair_that_is_killed_can_be_run_again() {
    let folder = scratch_folder();
    let prototype = Prototype::make(&folder, Ending::Stopped);
    let node = Node::new(&prototype, folder.join("node"), free_port());
    node.is_left_alone_while_it_runs();
    for (path, harm) in [
        (prototype.path_of("kept-0/MIDDLE.log"), Harm::Flip(Place::Middle)),
        (prototype.path_of("kept-0/LAST.log"), Harm::Truncate(Place::Middle)),
    ] {
        for milliseconds in 1..12 {
            node.survives_a_killed_repair(&path, harm, Duration::from_millis(milliseconds));
        }
    }
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn every_damage_is_told() {
    let folder = fast_folder();
    let prototypes = [Ending::Stopped, Ending::Killed, Ending::PowerCut]
        .map(|ending| Prototype::make(&folder, ending));
    let cells = prototypes
        .iter()
        .flat_map(|prototype| cells::of(prototype).into_iter().map(move |cell| (prototype, cell)));
    let cells: Vec<(&Prototype, Cell)> = cells.collect();
    assert!(cells.len() > 300, "{} cells", cells.len());
    let (next, seen, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for worker in 0..WORKERS {
            let (cells, next, seen, wrong, folder) = (&cells, &next, &seen, &wrong, &folder);
            scope.spawn(move || {
                let port = free_port();
                while let Some((prototype, cell)) = cells.get(next.fetch_add(1, Ordering::Relaxed))
                {
                    let node = Node::new(prototype, folder.join(format!("cell-{worker}")), port);
                    match node.judge(cell) {
                        Ok(row) => seen.lock().unwrap().push((cell.clone(), row)),
                        Err(problem) => wrong.lock().unwrap().push(format!("{cell}: {problem}")),
                    }
                }
            });
        }
    });
    fs::remove_dir_all(&folder).unwrap();
    let mut wrong = wrong.into_inner().unwrap();
    wrong.sort();
    table::compare(seen.into_inner().unwrap(), &wrong);
    assert!(wrong.is_empty(), "{} cells:\n{}", wrong.len(), wrong.join("\n"));
}
