//! What goes to the terminal. A reader that has gone away (`| head`) ends nothing: the run goes on,
//! and the JSON is written.

use std::io::{Write, stderr, stdout};

/// A line of the result.
pub fn result(line: &str) {
    let _ = writeln!(stdout().lock(), "{line}");
}

/// A line beside the result: progress, complaints.
pub fn note(line: &str) {
    let _ = writeln!(stderr().lock(), "{line}");
}
