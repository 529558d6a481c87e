//! Where and how a run was started: what is needed to repeat it.
//!
//! Owns: nothing. Lives on: the thread that starts a run, before its load. Never: shows what
//! follows an option whose name says that it is secret.

use std::fs;

/// Options whose values stand in no report.
const SECRET_WORDS: [&str; 3] = ["password", "secret", "token"];

#[derive(Clone, Debug, Default)]
pub struct Machine {
    pub command_line: String,
    pub kernel: String,
    pub processor: String,
}

impl Machine {
    pub fn look() -> Machine {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let [kind, release] = ["/proc/sys/kernel/ostype", "/proc/sys/kernel/osrelease"].map(read);
        Machine {
            command_line: command_line(std::env::args()),
            kernel: format!("{} {}", kind.trim(), release.trim()),
            processor: processor(&read("/proc/cpuinfo")),
        }
    }
}

/// The model and how many there are, of what the kernel says in /proc/cpuinfo.
fn processor(cpuinfo: &str) -> String {
    let field = |line: &str, name: &str| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then(|| value.trim().to_owned())
    };
    let count = cpuinfo.lines().filter(|line| field(line, "processor").is_some()).count();
    // The kernels of some architectures give no name, only numbers of the maker.
    let names = ["model name", "CPU part"];
    let name = names.iter().find_map(|name| cpuinfo.lines().find_map(|line| field(line, name)));
    format!("{count} × {}", name.unwrap_or_else(|| "a processor without a name".to_owned()))
}

/// As a shell takes it.
fn command_line(words: impl Iterator<Item = String>) -> String {
    let mut line = Vec::new();
    let mut hides_next = false;
    for word in words {
        let (name, value) = word.split_once('=').unwrap_or((&word, ""));
        let is_secret = name.starts_with("--")
            && SECRET_WORDS.iter().any(|secret| name.to_ascii_lowercase().contains(secret));
        line.push(match (hides_next, is_secret && !value.is_empty()) {
            (true, _) => "***".to_owned(),
            (false, true) => format!("{name}=***"),
            (false, false) => quoted(&word),
        });
        hides_next = is_secret && value.is_empty();
    }
    line.join(" ")
}

fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:,@+%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_can_be_typed_again_and_tells_no_secret() {
        let line = |words: &[&str]| command_line(words.iter().map(|word| (*word).to_owned()));
        assert_eq!(
            line(&["loadgen", "run", "--topic", "a b", "--x", "it's", ""]),
            "loadgen run --topic 'a b' --x 'it'\\''s' ''"
        );
        assert_eq!(
            line(&["loadgen", "--sasl-password", "x", "--api-token=y", "--rate", "1"]),
            "loadgen --sasl-password *** --api-token=*** --rate 1"
        );
    }

    #[test]
    fn the_processor_is_named_and_counted() {
        let text = "processor\t: 0\nmodel name\t: Xeon\n\nprocessor\t: 1\nmodel name\t: Xeon\n";
        assert_eq!(processor(text), "2 × Xeon");
        assert_eq!(processor(""), "0 × a processor without a name");
    }
}
