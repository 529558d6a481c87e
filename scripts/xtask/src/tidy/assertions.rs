//! How many assertions the rooms of the data path have, per 100 functions.
//!
//! Counted is what a release build asserts too, and what runs: `assert!`, `assert_eq!` and
//! `assert_ne!` in the body of a function. Neither `debug_assert!` counts, nor a constant, nor
//! `expect`, nor anything that is there for tests.

use super::{Finding, source::Source};
use std::collections::BTreeMap;

/// The rooms that a request passes through, as the folders of their code.
pub const ROOMS: [&str; 4] = ["crates/ring/src", "src/log", "src/net", "src/shard"];

/// The minimums, from the repository's root. One room a line: `ROOM PER-100-FUNCTIONS`; `#` begins
/// a comment.
pub const MINIMUMS: &str = "scripts/xtask/tidy-assertions.txt";

/// What was counted, by room.
pub type Counts = BTreeMap<&'static str, Count>;

#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub struct Count {
    functions: usize,
    assertions: usize,
}

impl Count {
    fn per_100(self) -> usize {
        self.assertions * 100 / self.functions.max(1)
    }
}

pub fn measure(source: &Source, counts: &mut Counts) {
    let is_inside = |room: &&str| {
        source.path.strip_prefix(*room).is_some_and(|rest| rest.starts_with(['/', '.']))
    };
    let Some(room) = ROOMS.into_iter().find(is_inside) else { return };
    let functions = || source.functions.iter().filter(|function| !function.in_test);
    let runs =
        |line: &&usize| functions().any(|one| (one.line..one.line + one.lines).contains(*line));
    let count = counts.entry(room).or_default();
    count.functions += functions().count();
    count.assertions += source.assertions.iter().filter(runs).count();
}

/// One line about each room.
pub fn told(counts: &Counts) -> Vec<String> {
    let line = |(room, count): (&&str, &Count)| {
        let Count { functions, assertions } = count;
        format!(
            "{room}: {assertions} assertions in {functions} functions, {} per 100",
            count.per_100()
        )
    };
    counts.iter().map(line).collect()
}

fn parse(minimums: &str, findings: &mut Vec<Finding>) -> BTreeMap<String, usize> {
    let mut parsed = BTreeMap::new();
    for (number, line) in minimums.lines().enumerate() {
        let words: Vec<&str> =
            line.split('#').next().unwrap_or_default().split_whitespace().collect();
        match (words.as_slice(), words.get(1).and_then(|least| least.parse().ok())) {
            ([], _) => {}
            ([room, _], Some(least)) if ROOMS.contains(room) => {
                parsed.insert((*room).to_owned(), least);
            }
            _ => findings.push(Finding {
                path: MINIMUMS.to_owned(),
                line: number + 1,
                message: format!("not `ROOM PER-100-FUNCTIONS` with a room of {ROOMS:?}"),
            }),
        }
    }
    parsed
}

/// Holds the counts against the minimums.
pub fn check(counts: &Counts, minimums: &str, findings: &mut Vec<Finding>) {
    let minimums = parse(minimums, findings);
    for (room, count) in counts {
        let (now, least) = (count.per_100(), minimums.get(*room));
        let message = match least {
            None => format!("no minimum for {room}, which has {now} per 100 functions"),
            Some(least) if now < *least => format!(
                "{room} has {now} assertions per 100 functions ({} in {}), at least {least}: \
                 assert what must hold where the new code changes state",
                count.assertions, count.functions
            ),
            Some(_) => continue,
        };
        findings.push(Finding { path: MINIMUMS.to_owned(), line: 1, message });
    }
}

/// The minimums only grow: what was asked for in `before` is asked for now.
pub fn lowered(before: &str, minimums: &str) -> Vec<Finding> {
    let now = parse(minimums, &mut Vec::new());
    let is_lower = |(room, least): &(String, usize)| now.get(room).is_none_or(|now| now < least);
    let finding = |(room, least)| Finding {
        path: MINIMUMS.to_owned(),
        line: 1,
        message: format!("the minimum of {room} was {least}, and only grows"),
    };
    parse(before, &mut Vec::new()).into_iter().filter(is_lower).map(finding).collect()
}
