//! What a file must begin with, and the words that no finished file holds.

use super::{Finding, source::Source};

/// Put together here so that this file does not hold them either.
const UNFINISHED: [&str; 5] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("X", "XX"),
    concat!("to", "do!"),
    concat!("unimple", "mented!"),
];

/// Words that leave open which part of the program is meant.
const VAGUE: [&str; 5] = [
    concat!("no", "body"),
    concat!("some", "body"),
    concat!("any", "body"),
    concat!("every", "body"),
    concat!("who", "ever"),
];

pub fn check(source: &Source, findings: &mut Vec<Finding>) {
    let mut find =
        |line, message: String| findings.push(Finding { path: source.path.clone(), line, message });
    let only_tests_of_its_neighbour =
        source.path.ends_with("/tests.rs") || source.path.ends_with("_tests.rs");
    if !source.text.starts_with("//!") && !only_tests_of_its_neighbour {
        find(
            1,
            "begins without `//!`: say what the module owns, where it lives, what it never does"
                .to_owned(),
        );
    }
    for (number, line) in source.text.lines().enumerate() {
        let is_comment = line.trim_start().starts_with("//");
        if let Some(word) =
            VAGUE.iter().find(|word| is_comment && has_word(&line.to_lowercase(), word))
        {
            find(number + 1, format!("`{word}`: name the part, the client or the task"));
        }
        if let Some(word) = UNFINISHED.iter().find(|word| has_word(line, word))
            && !line.contains("docs/")
            && !line.contains("ADR")
        {
            find(
                number + 1,
                format!(
                    "`{word}`: finish it, or name the file in docs/ that says what is not done"
                ),
            );
        }
    }
}

/// Whether `word` stands in the line with no letter, digit or underscore beside it.
fn has_word(line: &str, word: &str) -> bool {
    let in_word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        !line[..at].ends_with(in_word)
            && (word.ends_with('!') || !line[at + word.len()..].starts_with(in_word))
    })
}
