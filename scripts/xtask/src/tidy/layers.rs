//! Who may name what: the invariants of the design, as one table over the paths that the code names.

use super::{
    Finding,
    source::{Name, Source},
};

struct Rule {
    /// Folders (they end in `/`) and files that the rule is about.
    inside: &'static [&'static str],
    /// Folders and files within those that are exempt.
    outside: &'static [&'static str],
    /// Paths that may not be named, nor anything below them. `*::` at the beginning: wherever it stands in the path.
    forbidden: &'static [&'static str],
    /// What may be named all the same.
    allowed: &'static [&'static str],
    tests_too: bool,
    why: &'static str,
}

const DATA_PATH: &[&str] =
    &["src/net/conn.rs", "src/net/dispatch.rs", "src/shard/produce.rs", "src/shard/fetch.rs", "src/log/"];

/// Where time, threads, files, sockets and chance may be had without the ring.
const OUTSIDE_THE_RING: &[&str] = &[
    "crates/ring/",
    "src/admin/",
    "src/main.rs",
    "src/config/load.rs",
    "loadgen/",
    "scripts/",
    "tests/",
    "benches/",
    "tuning/",
    "fuzz/",
    "crates/protocol/tests/",
    "crates/protocol/benches/",
];

const RULES: &[Rule] = &[
    Rule {
        inside: &["crates/ring/"],
        outside: &[],
        forbidden: &["protocol", "millstream", "loadgen"],
        allowed: &[],
        tests_too: true,
        why: "ring knows no Kafka",
    },
    Rule {
        inside: &["crates/protocol/src/"],
        outside: &[],
        forbidden: &[
            "ring",
            "millstream",
            "loadgen",
            "tokio",
            "std::fs",
            "std::net",
            "std::os",
            "std::process",
            "std::thread",
            "std::io::stdin",
            "std::io::stdout",
            "std::io::stderr",
        ],
        allowed: &[],
        tests_too: false,
        why: "protocol is bytes in, bytes out: no I/O",
    },
    Rule {
        inside: &["src/log/"],
        outside: &[],
        forbidden: &["crate::net", "crate::shard", "std::net"],
        allowed: &[],
        tests_too: true,
        why: "log knows no sockets",
    },
    Rule {
        inside: &["src/", "loadgen/", "crates/"],
        outside: &["src/shard/mailbox.rs"],
        forbidden: &["rtrb"],
        allowed: &[],
        tests_too: false,
        why: "only shard/mailbox.rs crosses cores",
    },
    Rule {
        inside: DATA_PATH,
        outside: &[],
        forbidden: &[
            "crate::admin",
            "std::sync::Mutex",
            "std::sync::RwLock",
            "std::sync::Condvar",
            "std::sync::mpsc",
            "tokio",
            "parking_lot",
            "*::Mutex::new",
            "*::RwLock::new",
        ],
        allowed: &["crate::admin::Histogram", "crate::admin::histogram"],
        tests_too: false,
        why: "produce and fetch never wait for admin or a lock",
    },
    Rule {
        inside: &["src/", "crates/", "loadgen/"],
        outside: OUTSIDE_THE_RING,
        forbidden: &[
            "*::Instant::now",
            "*::SystemTime::now",
            "std::thread",
            "*::thread::spawn",
            "std::fs",
            "std::net::TcpStream",
            "std::net::TcpListener",
            "std::net::UdpSocket",
            "std::os::unix::net",
            "rand",
        ],
        allowed: &[],
        tests_too: false,
        why: "time, threads, files, sockets and chance come from the ring",
    },
    Rule {
        inside: &["src/", "crates/", "loadgen/", "scripts/", "tests/", "benches/", "tuning/", "fuzz/"],
        // A broker under a seccomp filter of its test: the filter is set between fork and exec, which is unsafe by nature.
        outside: &["crates/ring/", "tests/lifecycle/sandbox.rs"],
        forbidden: &["unsafe"],
        allowed: &[],
        tests_too: true,
        why: "unsafe code stands in crates/ring alone",
    },
];

pub fn check(source: &Source, findings: &mut Vec<Finding>) {
    for rule in RULES.iter().filter(|rule| rule.is_about(&source.path)) {
        for name in source.names.iter().filter(|name| rule.tests_too || !name.in_test) {
            let named = |pattern: &&str| matches(pattern, name);
            if let Some(forbidden) = rule.forbidden.iter().find(|pattern| named(pattern))
                && !rule.allowed.iter().any(named)
            {
                let message = format!("names `{}`: {} (rule `{forbidden}`)", name.segments.join("::"), rule.why);
                findings.push(Finding { path: source.path.clone(), line: name.line, message });
            }
        }
    }
}

impl Rule {
    fn is_about(&self, path: &str) -> bool {
        let lies_in = |place: &&str| path == *place || (place.ends_with('/') && path.starts_with(*place));
        self.inside.iter().any(&lies_in) && !self.outside.iter().any(&lies_in)
    }
}

/// A crate's bare name is only a crate in a `use` or before `::`; elsewhere it is the name of a
/// variable.
fn matches(pattern: &str, name: &Name) -> bool {
    let wanted: Vec<&str> = pattern.trim_start_matches("*::").split("::").collect();
    let is = |run: &[String]| run.iter().zip(&wanted).all(|(a, b)| a == b);
    if pattern.starts_with("*::") {
        return name.segments.windows(wanted.len()).any(is);
    }
    let long_enough = wanted.len() > 1 || name.in_use || name.segments.len() > 1 || pattern == "unsafe";
    long_enough && name.segments.len() >= wanted.len() && is(&name.segments)
}
