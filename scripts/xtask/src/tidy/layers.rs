//! Who may name what: the invariants of the design, as one table over the paths that the code
//! names.

use super::{
    Finding,
    source::{Name, Source},
};

struct Rule {
    /// Folders (they end in `/`) and files that the rule is about.
    inside: &'static [&'static str],
    /// Folders and files within those that are exempt.
    outside: &'static [&'static str],
    /// Paths that may not be named, nor anything below them. `*::` at the beginning: wherever it
    /// stands in the path.
    forbidden: &'static [&'static str],
    /// What may be named all the same.
    allowed: &'static [&'static str],
    tests_too: bool,
    why: &'static str,
}

const DATA_PATH: &[&str] = &[
    "src/net/conn.rs",
    "src/net/dispatch.rs",
    "src/shard/produce.rs",
    "src/shard/fetch.rs",
    "src/log/",
];

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
        forbidden: &["protocol", "client", "millstream", "loadgen"],
        allowed: &[],
        tests_too: true,
        why: "ring knows no Kafka",
    },
    Rule {
        inside: &["crates/protocol/src/"],
        outside: &[],
        forbidden: &[
            "ring",
            "client",
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
        inside: &["crates/client/"],
        outside: &[],
        forbidden: &["millstream", "loadgen"],
        allowed: &[],
        tests_too: true,
        why: "client stands on ring and protocol alone",
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
            "std::sync::Mutex",
            "std::sync::RwLock",
            "std::sync::Condvar",
            "std::sync::mpsc",
            "tokio",
            "parking_lot",
            "*::Mutex::new",
            "*::RwLock::new",
        ],
        allowed: &[],
        tests_too: false,
        why: "produce and fetch never wait for a lock",
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
        inside: &[
            "src/", "crates/", "loadgen/", "scripts/", "tests/", "benches/", "tuning/", "fuzz/",
        ],
        // A broker under a seccomp filter of its test: the filter is set between fork and exec,
        // which is unsafe by nature.
        outside: &["crates/ring/", "tests/lifecycle/sandbox.rs"],
        forbidden: &["unsafe"],
        allowed: &[],
        tests_too: true,
        why: "unsafe code stands in crates/ring alone",
    },
];

/// The rooms of the broker (folders and files right below `src`), from the lowest to the highest,
/// each with those that it may name. A room names only rooms that stand before it: there is no
/// circle.
pub(super) const ROOMS: &[(&str, &[&str])] = &[
    ("limits", &[]),
    ("stats", &[]),
    ("pace", &["limits"]),
    ("descriptors", &["limits"]),
    ("memory", &["limits"]),
    ("quota", &["limits"]),
    ("config", &["limits"]),
    ("log", &["config", "limits", "pace"]),
    ("meta", &["config", "limits", "log", "quota"]),
    ("coord", &["limits"]),
    ("storage", &["config", "limits", "log", "meta"]),
    ("request", &["limits", "memory", "quota"]),
    (
        "shard",
        &[
            "config",
            "coord",
            "descriptors",
            "limits",
            "log",
            "memory",
            "meta",
            "pace",
            "quota",
            "request",
            "stats",
            "storage",
        ],
    ),
    ("net", &["config", "descriptors", "limits", "memory", "quota", "request", "shard"]),
    ("control", &["config", "limits", "shard", "stats"]),
    ("admin", &["config", "limits", "stats"]),
    ("check", &["limits", "log", "meta", "storage"]),
    ("boot", &["config", "limits", "log", "meta", "net", "shard", "storage"]),
    ("cli", &["config", "limits"]),
];

/// The room of a source file of the broker.
fn room_of(path: &str) -> Option<&str> {
    let below = path.strip_prefix("src/")?;
    let room = below.split(['/', '.']).next()?;
    (!matches!(room, "main" | "lib" | "logging")).then_some(room)
}

fn check_rooms(source: &Source, findings: &mut Vec<Finding>) {
    let Some(room) = room_of(&source.path) else { return };
    let Some((_, may_name)) = ROOMS.iter().find(|(name, _)| *name == room) else {
        let message =
            format!("`{room}` has no place among the rooms (scripts/xtask/src/tidy/layers.rs)");
        return findings.push(Finding { path: source.path.clone(), line: 1, message });
    };
    for name in source.names.iter().filter(|name| !name.in_test) {
        let [first, other, ..] = name.segments.as_slice() else { continue };
        let is_room = ROOMS.iter().any(|(known, _)| known == other);
        if first == "crate" && is_room && other != room && !may_name.contains(&other.as_str()) {
            let message =
                format!("names `crate::{other}`: {room} may name {} only", may_name.join(", "));
            findings.push(Finding { path: source.path.clone(), line: name.line, message });
        }
    }
}

pub fn check(source: &Source, findings: &mut Vec<Finding>) {
    check_rooms(source, findings);
    for rule in RULES.iter().filter(|rule| rule.is_about(&source.path)) {
        for name in source.names.iter().filter(|name| rule.tests_too || !name.in_test) {
            let named = |pattern: &&str| matches(pattern, name);
            if let Some(forbidden) = rule.forbidden.iter().find(|pattern| named(pattern))
                && !rule.allowed.iter().any(named)
            {
                let message = format!(
                    "names `{}`: {} (rule `{forbidden}`)",
                    name.segments.join("::"),
                    rule.why
                );
                findings.push(Finding { path: source.path.clone(), line: name.line, message });
            }
        }
    }
}

impl Rule {
    fn is_about(&self, path: &str) -> bool {
        let lies_in =
            |place: &&str| path == *place || (place.ends_with('/') && path.starts_with(*place));
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
    let long_enough =
        wanted.len() > 1 || name.in_use || name.segments.len() > 1 || pattern == "unsafe";
    long_enough && name.segments.len() >= wanted.len() && is(&name.segments)
}
