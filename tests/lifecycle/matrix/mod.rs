//! The damage matrix: each kind of file, flipped, truncated, emptied and deleted, at its beginning, middle and end, after a
//! stop in order and after a kill; what the next start makes of it, and what is said.
//!
//! The table in docs/reliability.md is what is expected: each of its rows must be what was seen, and every cell is in it.
//! `MILLSTREAM_WRITE_TABLE=1` writes it anew. Whatever the table says, these hold: no record that was synced is missing
//! without a line in the log; what is refused or offline keeps every byte; where records are not served, `millstream log
//! check` says so, and after `millstream log repair` the rest is served.

mod cells;
mod node;
mod table;

use crate::support::broker::{free_port, scratch_folder};
use cells::{Cell, Ending};
use node::{Node, Prototype};
use std::{
    fs,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// Cells that are worked on at a time.
const WORKERS: usize = 2;

#[test]
fn every_damage_is_told() {
    let folder = scratch_folder();
    let prototypes = [Ending::Stopped, Ending::Killed, Ending::PowerCut].map(|ending| Prototype::make(&folder, ending));
    let cells = prototypes.iter().flat_map(|prototype| cells::of(prototype).into_iter().map(move |cell| (prototype, cell)));
    let cells: Vec<(&Prototype, Cell)> = cells.collect();
    assert!(cells.len() > 300, "{} cells", cells.len());
    let (next, seen, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for worker in 0..WORKERS {
            let (cells, next, seen, wrong, folder) = (&cells, &next, &seen, &wrong, &folder);
            scope.spawn(move || {
                let port = free_port();
                while let Some((prototype, cell)) = cells.get(next.fetch_add(1, Ordering::Relaxed)) {
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
