//! Each rule shown failing on the smallest file that breaks it, and passing on its neighbour.

use super::{Finding, assertions, check_files, check_tree, compat, vanished_checks};

/// The findings for one file, as `line: message`.
fn findings(path: &str, text: &str) -> Vec<String> {
    findings_with(path, text, "")
}

fn findings_with(path: &str, text: &str, allow_list: &str) -> Vec<String> {
    let (found, _) = check_files(&[(path, text.to_owned())], allow_list);
    found.into_iter().map(|finding| finding.to_string()).collect()
}

#[track_caller]
fn fails(path: &str, body: &str, why: &str) {
    let found = findings(path, &format!("//! A module.\n{body}"));
    assert!(found.iter().any(|finding| finding.contains(why)), "{path}: {body}: {found:?}");
}

#[track_caller]
fn passes(path: &str, body: &str) {
    assert_eq!(findings(path, &format!("//! A module.\n{body}")), [""; 0]);
}

#[test]
fn the_tree_is_tidy() {
    let checked = check_tree(&crate::root()).unwrap();
    assert!(checked.files > 100, "only {} files found", checked.files);
    let lines: Vec<String> = checked.findings.iter().map(ToString::to_string).collect();
    assert!(lines.is_empty(), "\n{}", lines.join("\n"));
}

#[test]
fn a_module_begins_with_what_it_is() {
    assert!(findings("src/meta/a.rs", "use std::rc::Rc;\n")[0].contains("begins without `//!`"));
    passes("src/meta/a.rs", "use std::rc::Rc;");
    assert_eq!(findings("src/meta/a/tests.rs", "use super::*;\n"), [""; 0]);
}

#[test]
fn nothing_is_left_unfinished() {
    fails("src/meta/a.rs", concat!("// TO", "DO later"), "finish it");
    fails("src/meta/a.rs", concat!("fn f() { to", "do!() }"), "finish it");
    fails("src/meta/a.rs", concat!("fn f() { unimple", "mented!(\"x\") }"), "finish it");
    passes("src/meta/a.rs", concat!("// TO", "DO, see docs/compat.md"));
    passes("src/meta/a.rs", "// todoist and XXXL are words");
}

#[test]
fn comments_name_the_part_that_they_speak_of() {
    fails("src/meta/a.rs", concat!("// No", "body waits."), "name the part");
    fails("src/meta/a.rs", concat!("/// For who", "ever asks."), "name the part");
    passes("src/meta/a.rs", "// No task waits.");
}

#[test]
fn lines_have_at_most_100_columns() {
    let wide = "a ".repeat(49);
    fails("src/meta/a.rs", &format!("// {wide}"), "101 columns, at most 100");
    passes("src/meta/a.rs", &format!("//{wide}"));
    passes("src/meta/a.rs", &format!("//! | {wide}"));
    passes("src/meta/a.rs", &format!("// {wide} {}", "a".repeat(50)));
}

#[test]
fn layers_are_kept() {
    fails("crates/ring/src/a.rs", "use protocol::api::ApiKey;", "ring knows no Kafka");
    fails("crates/protocol/src/a.rs", "use std::{fs::File, rc::Rc};", "no I/O");
    fails("crates/protocol/src/a.rs", "fn f(r: ring::Ring) {}", "no I/O");
    fails("crates/ring/src/a.rs", "use client::Connection;", "ring knows no Kafka");
    fails("crates/protocol/src/a.rs", "fn f(c: client::Connection) {}", "no I/O");
    fails("crates/client/src/a.rs", "use millstream::limits;", "on ring and protocol alone");
    fails("crates/client/src/tests/a.rs", "use loadgen::run;", "on ring and protocol alone");
    passes("crates/client/src/a.rs", "use protocol::ApiKey; use ring::Ring;");
    fails("src/log/a.rs", "use std::net::IpAddr;", "log knows no sockets");
    passes("src/log/a.rs", "use super::net::f;");
    fails("src/shard/call.rs", "use rtrb::Producer;", "crosses cores");
    passes("src/shard/mailbox.rs", "use rtrb::Producer;");
}

#[test]
fn rooms_stand_in_no_circle() {
    fails(
        "src/log/a.rs",
        "use crate::{limits, net::conn};",
        "log may name config, limits, pace only",
    );
    fails("src/log/a.rs", "use super::super::shard::Shard;", "names `crate::shard`");
    fails(
        "src/log/a/b.rs",
        "mod c { fn f() { super::super::super::super::net::f() } }",
        "names `crate::net`",
    );
    fails("src/shard/produce.rs", "use crate::net::conn::Connection;", "names `crate::net`");
    fails("src/shard/a.rs", "fn f(storage: crate::boot::Storage) {}", "names `crate::boot`");
    fails("src/shard.rs", "use crate::admin::Histogram;", "names `crate::admin`");
    fails("src/net/a.rs", "use crate::boot::BootError;", "names `crate::boot`");
    fails("src/cellar/a.rs", "fn f() {}", "has no place among the rooms");
    passes("src/net/a.rs", "use crate::shard::Shard;");
    passes("src/meta/a.rs", "#[cfg(test)]\nmod tests { use crate::shard::Shard; }");
}

#[test]
fn a_room_names_only_rooms_that_stand_before_it() {
    for (place, (room, may_name)) in super::layers::ROOMS.iter().enumerate() {
        for other in *may_name {
            let before = super::layers::ROOMS[..place].iter().any(|(name, _)| name == other);
            assert!(before, "{room} names {other}, which does not stand before it");
        }
    }
}

#[test]
fn the_data_path_takes_no_lock() {
    fails("src/shard/produce.rs", "use std::sync::{Arc, Mutex};", "wait for a lock");
    fails(
        "src/net/conn.rs",
        "static L: std::sync::RwLock<u8> = std::sync::RwLock::new(0);",
        "wait for a lock",
    );
    passes("src/boot.rs", "use std::sync::Mutex;");
}

#[test]
fn time_and_chance_come_from_the_ring() {
    let why = "come from the ring";
    fails("src/meta/a.rs", "fn f() { std::time::Instant::now(); }", why);
    fails("src/meta/a.rs", "fn f() { Instant::now(); }", why);
    fails("src/meta/a.rs", "fn f() { println!(\"{:?}\", SystemTime::now()); }", why);
    fails("src/meta/a.rs", "use std::{rc::Rc, thread};", why);
    fails("src/meta/a.rs", "use rand::Rng;", why);
    fails("src/net/a.rs", "use std::net::{SocketAddr, TcpListener};", why);
    passes("src/net/a.rs", "use std::net::SocketAddr; fn f(rand: u8) { drop(rand) }");
    passes("src/admin/a.rs", "fn f() { std::time::Instant::now(); }");
}

#[test]
fn tests_may_use_what_they_need_and_nothing_after_them_may() {
    passes("src/meta/a.rs", "#[cfg(test)]\nmod tests { use std::fs; fn f() { Instant::now(); } }");
    passes("src/meta/tests.rs", "use std::fs;");
    fails(
        "src/meta/a.rs",
        "#[cfg(test)]\nmod tests { use std::rc::Rc; }\nuse std::fs;",
        "come from the ring",
    );
    fails("src/meta/a.rs", "#[cfg(not(test))]\nuse std::fs;", "come from the ring");
    fails(
        "src/log/a.rs",
        "#[cfg(test)]\nmod tests { use crate::shard::Shard; }",
        "log knows no sockets",
    );
}

#[test]
fn unsafe_code_stands_in_the_ring() {
    fails("src/meta/a.rs", "fn f() { unsafe { g() } }", "unsafe code");
    passes("crates/ring/src/a.rs", "fn f() { unsafe { g() } }");
}

#[test]
fn files_and_functions_have_a_length() {
    let file = |lines: usize| format!("//! A module.\n{}", "// A line.\n".repeat(lines - 1));
    assert!(findings("src/meta/a.rs", &file(801))[0].contains("801 lines, at most 800"));
    assert_eq!(findings("src/meta/a.rs", &file(800)), [""; 0]);
    let function = |lines: usize| {
        format!("//! A module.\nfn long() {{\n{}}}\n", "    f();\n".repeat(lines - 2))
    };
    assert_eq!(
        findings("src/meta/a.rs", &function(71)),
        ["src/meta/a.rs:2: fn:long: 71 lines, at most 70: split it by responsibility"]
    );
    assert_eq!(findings("src/meta/a.rs", &function(70)), [""; 0]);
}

#[test]
fn the_allow_list_only_shrinks() {
    let long = format!("//! A module.\nfn long() {{\n{}}}\n", "    f();\n".repeat(78));
    let with = |list: &str| findings_with("src/meta/a.rs", &long, list);
    assert_eq!(with("src/meta/a.rs fn:long 80 # to be split"), [""; 0]);
    assert!(with("src/meta/a.rs fn:long 81")[0].contains("lower the entry from 81"));
    assert!(with("src/meta/a.rs fn:long 79")[0].contains("80 lines, at most 79"));
    assert!(
        with("src/meta/a.rs fn:long 80\nsrc/meta/a.rs fn:short 90")[0].contains("remove the entry")
    );
    assert!(with("src/meta/a.rs fn:long eighty")[0].contains("not `PATH"));
}

#[test]
fn a_room_keeps_its_share_of_assertions() {
    let text = "//! A module.\n\
        const A: () = assert!(true);\n\
        fn f(a: u8) { assert_eq!(a, 1); debug_assert!(a > 0); assert!(g(a) > 0); }\n\
        fn g(a: u8) -> u8 { if a > 0 { std::assert_ne!(a, 7) } a }\n\
        fn h(a: bool, f: fn(bool)) { f(a.then_some(a).expect(\"assert!(a)\")) }\n\
        trait T { fn i(&self); fn j(&self) -> bool { matches!(1, 1) } }\n\
        #[cfg(test)]\nmod tests { fn t() { assert!(true); assert!(true); assert!(true) } }\n";
    let other = "//! A module.\nfn k() {}\nfn l() {}\n";
    let files = [
        ("src/log/a.rs", text.to_owned()),
        ("src/log/tests/b.rs", text.to_owned()),
        ("src/login.rs", text.to_owned()),
        ("src/shard.rs", other.to_owned()),
    ];
    let (_, counts) = check_files(&files, "");
    let found = |minimums: &str| {
        let mut findings = Vec::new();
        assertions::check(&counts, minimums, &mut findings);
        findings.into_iter().map(|one: Finding| one.message).collect::<Vec<_>>()
    };
    assert_eq!(
        assertions::told(&counts),
        [
            "src/log: 3 assertions in 4 functions, 75 per 100",
            "src/shard: 0 assertions in 2 functions, 0 per 100"
        ]
    );
    assert_eq!(found("# least\nsrc/log 75\nsrc/shard 0"), [""; 0]);
    assert!(found("src/log 76\nsrc/shard 0")[0].contains("75 assertions per 100 functions"));
    assert!(found("src/log 75\nsrc/shard 1")[0].contains("(0 in 2), at least 1"));
    assert!(found("src/log 75")[0].contains("no minimum for src/shard"));
    assert!(found("src/log many\nsrc/log 75\nsrc/shard 0")[0].contains("not `ROOM"));
    assert!(found("src/cellar 1\nsrc/log 75\nsrc/shard 0")[0].contains("not `ROOM"));
}

#[test]
fn a_minimum_of_assertions_only_grows() {
    let lowered = |now: &str| assertions::lowered("src/log 40\nsrc/net 12", now);
    assert_eq!(lowered("src/log 40\nsrc/net 13"), []);
    assert!(lowered("src/log 39\nsrc/net 12")[0].message.contains("src/log was 40"));
    assert!(lowered("src/log 40")[0].message.contains("src/net was 12"));
}

#[test]
fn an_expected_check_never_goes() {
    assert!(
        vanished_checks("a", "kcat produce\n", "kcat consume\n")[0]
            .message
            .contains("`kcat produce` has gone")
    );
    assert_eq!(
        vanished_checks("a", "# old\nkcat produce\n", "# new\nkcat consume\nkcat produce\n"),
        []
    );
}

#[test]
fn what_is_not_rust_is_said() {
    assert!(findings("src/meta/a.rs", "//! A module.\nfn f( {")[0].contains("not Rust"));
}

#[test]
fn the_table_of_apis_says_what_is_served() {
    let table = "pub const TABLE: &[ApiKey] = &[\n    ApiKey::Fetch,\n    \
        ApiKey::OffsetDelete,\n];\nApiKey::Produce";
    let info = |name: &str, max: i16, unstable: bool| {
        format!(
            "ApiInfo {{\n key: ApiKey::{name},\n min_version: 0,\n max_version: {max},\n \
             latest_version_unstable: {unstable},\n}},\n"
        )
    };
    let versions = format!(
        "Fetch = 1,\nOffsetDelete = 47,\n{}{}",
        info("Fetch", 18, true),
        info("OffsetDelete", 0, false)
    );
    let found = |compat: &str| {
        compat::check(compat, table, &versions)
            .into_iter()
            .map(|one| one.message)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        found("| API | key |\n| Fetch | 1 | 0-17 | x |\n| OffsetDelete | 47 | 0 | |\n"),
        [""; 0]
    );
    assert!(found("| Fetch | 1 | 0-17 | |\n")[0].contains("no row `| OffsetDelete | 47 | 0 |`"));
    let wrong =
        found("| Fetch | 1 | 0-18 | |\n| OffsetDelete | 47 | 0 | |\n| Produce | 0 | 3-13 | |\n");
    assert_eq!(wrong.len(), 3, "{wrong:?}");
}
