//! How long files and functions may be, and the list of those that are longer until they are split.

use super::{Finding, source::Source};
use std::collections::BTreeMap;

pub const MAX_FILE_LINES: usize = 800;
pub const MAX_FUNCTION_LINES: usize = 70;

/// The list, from the repository's root. One entry a line: `PATH file LINES` or `PATH fn:NAME
/// LINES`; `#` begins a comment.
pub const ALLOW_LIST: &str = "scripts/xtask/tidy-allow.txt";

/// The files and functions that are too long: `(path, "file" or "fn:NAME")` with the line where
/// each begins and its length.
pub type TooLong = BTreeMap<(String, String), (usize, usize)>;

pub fn measure(source: &Source, too_long: &mut TooLong) {
    let lines = source.text.lines().count();
    if lines > MAX_FILE_LINES {
        too_long.insert((source.path.clone(), "file".to_owned()), (1, lines));
    }
    for function in source.functions.iter().filter(|function| function.lines > MAX_FUNCTION_LINES) {
        let entry =
            too_long.entry((source.path.clone(), format!("fn:{}", function.name))).or_default();
        *entry = (*entry).max((function.line, function.lines));
    }
}

/// Holds the files and functions that are too long against the allow-list. The list can only
/// shrink: an entry must say the exact length, and goes when its file or function is within the
/// limit.
pub fn check(too_long: &TooLong, allow_list: &str, findings: &mut Vec<Finding>) {
    let mut allowed = BTreeMap::new();
    for (number, line) in allow_list.lines().enumerate() {
        let in_list = |message| Finding { path: ALLOW_LIST.to_owned(), line: number + 1, message };
        let words: Vec<&str> =
            line.split('#').next().unwrap_or_default().split_whitespace().collect();
        match (words.as_slice(), words.get(2).and_then(|lines| lines.parse::<usize>().ok())) {
            ([], _) => {}
            ([path, what, _], Some(lines)) => {
                let key = ((*path).to_owned(), (*what).to_owned());
                match too_long.get(&key) {
                    None => findings.push(in_list(format!(
                        "{path} {what} is within the limit: remove the entry"
                    ))),
                    Some((_, now)) if *now < lines => {
                        findings.push(in_list(format!(
                            "{path} {what} has {now} lines now: lower the entry from {lines}"
                        )));
                    }
                    Some(_) => drop(allowed.insert(key, lines)),
                }
            }
            _ => findings.push(in_list("not `PATH file LINES` or `PATH fn:NAME LINES`".to_owned())),
        }
    }
    for ((path, what), (line, lines)) in too_long {
        let limit = if what == "file" { MAX_FILE_LINES } else { MAX_FUNCTION_LINES };
        let limit = allowed.get(&(path.clone(), what.clone())).copied().unwrap_or(limit);
        if *lines > limit {
            let message =
                format!("{what}: {lines} lines, at most {limit}: split it by responsibility");
            findings.push(Finding { path: path.clone(), line: *line, message });
        }
    }
}
