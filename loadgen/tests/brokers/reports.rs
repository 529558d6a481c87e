//! What a run leaves behind: its timeline, its outages, its page, and what `loadgen compare` makes
//! of two results.
//!
//! Owns: the files that it writes, in the folder that cargo gives to tests.

use crate::{
    SHORT,
    fake::{Fake, Fault},
    for_each_backend,
    program::{backends, loadgen},
};
use serde_json::{Value, json};
use std::{fs, path::PathBuf, process::Command};

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{name}", std::process::id()))
}

/// Exit code, table, notes.
fn compare(words: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_loadgen"));
    let output = command.arg("compare").args(words).output().expect("loadgen was built");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// Well-formed, and without a reference to anything outside.
fn check_page(path: &PathBuf) -> String {
    let page = fs::read_to_string(path).expect("a page");
    let options =
        roxmltree::ParsingOptions { allow_dtd: true, ..roxmltree::ParsingOptions::default() };
    roxmltree::Document::parse_with_options(&page, options).expect("well-formed");
    assert!(!page.contains("http:") && !page.contains("https:") && !page.contains("NaN"));
    fs::remove_file(path).expect("our own file");
    page
}

#[test]
fn a_frozen_broker_is_an_outage_to_the_end_and_its_errors_have_a_name() {
    for_each_backend(Fault::FreezeAtProduce(10), |backend, fake| {
        let page = file(&format!("frozen-{backend}.html"));
        let line = "--topic t --rate 500 --duration 1500ms --settle 500ms --report";
        let ended = loadgen(backend, &fake.bootstrap(), &format!("{line} {}", page.display()));
        let outages = ended.json["outages"].as_array().expect("a list");
        assert_eq!((outages.len(), &outages[0]["is_over"]), (1, &json!(false)), "{ended:?}");
        assert!(outages[0]["seconds"].as_f64() > Some(1.0), "{ended:?}");
        assert!(ended.table.contains("outage") && ended.table.contains(" to the end"));
        assert_eq!(ended.json["errors_by_code"], json!({"unanswered": ended.count("errors")}));
        let points = ended.json["timeline"].as_array().expect("a list");
        let sum = |key: &str| points.iter().map(|point| point[key].as_u64().unwrap()).sum::<u64>();
        assert_eq!(sum("acknowledged"), ended.count("acknowledged"), "{ended:?}");
        let unanswered =
            points.iter().filter_map(|point| point["errors_by_code"]["unanswered"].as_u64());
        assert_eq!(unanswered.sum::<u64>(), ended.count("errors"), "{ended:?}");
        assert!(points[0]["backlog"].as_u64() > Some(100), "{ended:?}");
        let page = check_page(&page);
        assert!(page.contains("not over at the end") && page.contains("class=\"band\""));
        assert!(page.contains(&fake.bootstrap()) && page.contains("Produce v"), "{page}");
    });
}

#[test]
fn a_broker_that_goes_is_a_broken_connection() {
    for_each_backend(Fault::GoneAtProduce(60), |backend, fake| {
        let ended = loadgen(backend, &fake.bootstrap(), SHORT);
        assert!(ended.json["errors_by_code"]["connection"].as_u64() > Some(0), "{ended:?}");
        let by_code = ended.json["errors_by_code"].as_object().expect("by name");
        let sum: u64 = by_code.values().filter_map(Value::as_u64).sum();
        assert_eq!(sum, ended.count("errors"), "{ended:?}");
    });
}

#[test]
fn a_run_that_fails_leaves_a_page_that_says_so() {
    let (fake, path) = (Fake::start(Fault::Http), file("failed.html"));
    let line = format!("{SHORT} --report {}", path.display());
    let ended = loadgen(backends()[0], &fake.bootstrap(), &line);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(check_page(&path).contains("Failed"));
    assert!(!ended.is_null("/environment/command_line") && ended.is_null("/timeline"), "{ended:?}");
}

#[test]
fn results_are_compared_and_what_is_none_is_refused() {
    let fake = Fake::start(Fault::None);
    let paths = [("a.json", "--linger-ms 0"), ("b.json", "--linger-ms 3")].map(|(name, option)| {
        let ended = loadgen(backends()[0], &fake.bootstrap(), &format!("{SHORT} {option}"));
        assert_eq!(ended.code, Some(0), "{ended:?}");
        fs::write(file(name), ended.json.to_string()).expect("a folder to write to");
        file(name).display().to_string()
    });
    let (json, page) = (file("compared.json"), file("compared.html"));
    let [json_name, page_name] = [&json, &page].map(|path| path.display().to_string());
    let [a, b] = paths.each_ref().map(String::as_str);
    let (code, table, notes) = compare(&[a, b, "--json", &json_name, "--report", &page_name]);
    assert_eq!((code, notes.as_str()), (Some(0), ""), "{table}");
    assert!(table.contains("response p99") && table.contains("0.0 | 3.0"), "{table}");
    let written: Value = serde_json::from_str(&fs::read_to_string(&json).unwrap()).unwrap();
    assert_eq!(written["comparisons"][0]["after"], json!([b]));
    assert!(check_page(&page).contains("linger_ms"));
    let (code, table, _) = compare(&[a, b, "--with", a, b]);
    assert_eq!(code, Some(0));
    assert!(!table.contains("faster") && !table.contains("slower"), "the same runs: {table}");
    for (words, says) in [
        (vec![a], "before.json after.json"),
        (vec![a, json_name.as_str()], "no result of a run"),
        (vec![a, "/nowhere/b.json"], "cannot read /nowhere/b.json"),
        (vec![a, b, "--json", a], "give --json another name"),
    ] {
        let (code, _, notes) = compare(&words);
        assert!(code == Some(1) && notes.contains(says), "{words:?}: {notes}");
    }
    assert!(fs::read_to_string(a).unwrap().contains("records_per_s"), "it was not written over");
    paths.iter().for_each(|path| fs::remove_file(path).expect("our own file"));
    fs::remove_file(json).expect("our own file");
}
