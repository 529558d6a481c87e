//! How wide a line may be.

use super::Finding;

pub const MAX_COLUMNS: usize = 100;

/// A word of so many characters (an address, bytes in hexadecimal, the name of a test) may reach
/// over the edge: it cannot be broken.
const UNBREAKABLE: usize = 50;

/// Looks at a source file or a Markdown page. Tables and, in Markdown, blocks of code are exempt:
/// a line break means something there.
pub fn check(path: &str, text: &str, findings: &mut Vec<Finding>) {
    let is_markdown = path.ends_with(".md");
    let mut in_code = false;
    for (number, line) in text.lines().enumerate() {
        let content = line.trim_start().trim_start_matches(['/', '!']).trim_start();
        in_code ^= is_markdown && content.starts_with("```");
        let columns = line.chars().count();
        let is_exempt = in_code
            || content.starts_with('|')
            || content.split_whitespace().any(|word| word.chars().count() >= UNBREAKABLE);
        if columns > MAX_COLUMNS && !is_exempt {
            findings.push(Finding {
                path: path.to_owned(),
                line: number + 1,
                message: format!("{columns} columns, at most {MAX_COLUMNS}: break the line"),
            });
        }
    }
}
