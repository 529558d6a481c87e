//! Workload files: what they ask for is done, and what is wrong with them is said.
//!
//! Owns: the files that it writes, in the folder that cargo gives to tests.

use crate::{
    fake::{Fake, Fault},
    for_each_backend,
    program::{Ended, backends, loadgen},
};
use serde_json::{Value, json};
use std::{fs, path::PathBuf, process::Command};

const SHORT_PHASE: &str = "[[phase]]\nname = 'steady'\nduration = '700ms'\n";

fn file(name: &str, text: &str) -> PathBuf {
    let path =
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{name}", std::process::id()));
    fs::write(&path, text).expect("a folder to write to");
    path
}

fn run(backend: &str, fake: &Fake, name: &str, text: &str) -> Ended {
    let path = file(&format!("{backend}-{name}.toml"), text);
    let line = format!("--settle 2s --workload {}", path.display());
    let ended = loadgen(backend, &fake.bootstrap(), &line);
    fs::remove_file(path).expect("our own file");
    ended
}

/// `loadgen workload …`: exit code, output, notes.
fn workload(words: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_loadgen"));
    let output = command.arg("workload").args(words).output().expect("loadgen was built");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn assert_sound(ended: &Ended) {
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(ended.json["verified"], json!(true), "{ended:?}");
    assert_eq!((ended.count("errors"), ended.count("lost")), (0, 0), "{ended:?}");
}

#[test]
fn many_topics_are_written_and_read_each_in_its_own_way() {
    let text = format!(
        "[[topic]]\nname = 'a'\npartitions = 3\n[[topic]]\nname = 'b'\ncount = 2\npartitions = 2\n\
         [[topic]]\nname = 'unread'\n\
         [[producer]]\ntopics = 'a'\nconnections = 2\nrate = 300\narrivals = 'poisson'\n\
         keys = {{ distribution = 'zipf', count = 50 }}\n\
         record_size = {{ distribution = 'uniform', min = 30, max = 300 }}\n\
         [[producer]]\ntopics = 'b'\nrate = 200\nentropy = 0.5\ncompression = 'lz4'\n\
         hot = {{ share = 0.9 }}\nlinger_ms = 0\n\
         [[producer]]\ntopics = 'unread'\nrate = 100\n\
         [[consumer]]\ntopics = ['a', 'b']\ncount = 2\n[[consumer]]\ntopics = 'b'\nkind = 'every'\n\
         {SHORT_PHASE}"
    );
    for_each_backend(Fault::None, |backend, fake| {
        let ended = run(backend, &fake, "many", &text);
        assert_sound(&ended);
        assert_eq!(fake.topics(), 4);
        // Of the Poisson producers chance has its say: 210 are expected.
        let fixed = 140 + 70;
        let acknowledged = ended.count("acknowledged");
        assert!((fixed + 120..fixed + 320).contains(&acknowledged), "{ended:?}");
        let remarks = ended.json["remarks"].to_string();
        assert!(remarks.contains("not verified") && remarks.contains("unread"), "{remarks}");
        assert_eq!(ended.json["phases"][0]["name"], json!("steady"));
        assert!(ended.json["workload"].as_str().unwrap().contains("zipf"), "{ended:?}");
    });
}

#[test]
fn the_same_seed_gives_the_same_number_of_records() {
    let text = format!(
        "seed = 5\n[[topic]]\nname = 'a'\n[[producer]]\nrate = 400\narrivals = 'poisson'\n\
         record_size = {{ distribution = 'log-normal', mean = 200, deviation = 100 }}\n\
         [[consumer]]\n{SHORT_PHASE}"
    );
    let figures = || {
        let ended = run(backends()[0], &Fake::start(Fault::None), "seed", &text);
        assert_sound(&ended);
        (
            ended.count("acknowledged"),
            ended.json["bytes_per_s"].as_f64().unwrap() * ended.json["seconds"].as_f64().unwrap(),
        )
    };
    let (first, second) = (figures(), figures());
    assert_eq!(first.0, second.0);
    assert!((first.1 - second.1).abs() < 1.0, "{first:?} {second:?}");
}

const TRANSACTIONS: &str = "[[topic]]\nname = 't'\npartitions = 2\n\
     [[producer]]\nconnections = 2\nrate = 800\n\
     transactions = { length_ms = 30, abort_share = 0.4 }\n[[consumer]]\ncount = 2\n";

#[test]
fn transactions_are_committed_and_aborted_and_only_what_was_committed_is_seen() {
    for_each_backend(Fault::None, |backend, fake| {
        let ended = run(backend, &fake, "txn", &format!("{TRANSACTIONS}{SHORT_PHASE}"));
        assert_sound(&ended);
        let transactions = &ended.json["transactions"];
        for key in ["committed", "aborted", "aborted_records"] {
            assert!(transactions[key].as_u64() > Some(3), "{key}: {transactions}");
        }
        assert_eq!(transactions["failed"], json!(0), "{ended:?}");
        assert_eq!(ended.json["aborted_and_seen"], json!(0));
        let committed =
            ended.count("acknowledged") - transactions["aborted_records"].as_u64().unwrap();
        assert_eq!(ended.count("consumed"), committed, "{ended:?}");
        assert!(ended.table.contains("transactions committed"), "{}", ended.table);
    });
}

#[test]
fn a_broker_that_shows_aborted_records_is_found_out() {
    for_each_backend(Fault::ShowsAborted, |backend, fake| {
        let ended = run(backend, &fake, "shown", &format!("{TRANSACTIONS}{SHORT_PHASE}"));
        assert_eq!((ended.code, &ended.json["verified"]), (Some(2), &json!(false)), "{ended:?}");
        assert!(ended.count("aborted_and_seen") > 0, "{ended:?}");
        assert!(ended.table.contains("of aborted transactions consumed"), "{}", ended.table);
    });
}

#[test]
fn groups_share_partitions_commit_and_verify() {
    let text = format!(
        "[[topic]]\nname = 't'\npartitions = 4\n[[producer]]\nrate = 500\n\
         [[consumer]]\nkind = 'group'\ngroups = 2\ncount = 2\ncommit_interval = '100ms'\n\
         {SHORT_PHASE}"
    );
    for_each_backend(Fault::None, |backend, fake| {
        let ended = run(backend, &fake, "groups", &text);
        assert_sound(&ended);
        assert_eq!(ended.count("consumed"), 2 * ended.count("acknowledged"), "{ended:?}");
        assert!(fake.commits() >= 4, "{} commits", fake.commits());
    });
}

#[test]
fn a_catch_up_reader_reads_what_was_there_when_it_began() {
    let text = "[[topic]]\nname = 't'\npartitions = 2\n[[producer]]\nrate = 500\n[[consumer]]\n\
         [[consumer]]\nkind = 'catch-up'\nat = '500ms'\n\
         [[phase]]\nname = 'p'\nduration = '1s'\n";
    for_each_backend(Fault::None, |backend, fake| {
        let ended = run(backend, &fake, "catch-up", text);
        assert_sound(&ended);
        let catch_up = &ended.json["catch_ups"][0];
        let records = catch_up["records"].as_u64().unwrap();
        assert!((150..=500).contains(&records), "{catch_up}");
        assert!(catch_up["seconds"].is_number(), "{catch_up}");
        assert_eq!(ended.count("consumed"), ended.count("acknowledged"), "it counts for itself");
    });
}

#[test]
fn phases_have_their_rates_and_commands_their_time() {
    let text = "levels = 'p99<=1h'\n[[topic]]\nname = 't'\n[[producer]]\nrate = 200\n[[consumer]]\n\
         [[phase]]\nname = 'warm-up'\nduration = '300ms'\nmeasured = false\n\
         [[phase]]\nname = 'steady'\nduration = '1s'\n\
         [[phase]]\nname = 'burst'\nduration = '1s'\nrate = 2\n\
         [[phase]]\nname = 'drain'\nduration = '1s'\nrate = 0\n\
         [[command]]\nat = '1s'\nrun = 'exit 3'\nname = 'fails'\n\
         [[command]]\nat = '1100ms'\nrun = 'true'\n";
    let text = text.replace("1h", "3600s");
    for_each_backend(Fault::None, |backend, fake| {
        let ended = run(backend, &fake, "phases", &text);
        assert_eq!((ended.code, ended.count("lost")), (Some(2), 0), "{ended:?}");
        assert_eq!(ended.count("acknowledged"), 200 + 400, "{ended:?}");
        let names: Vec<&Value> =
            ended.json["phases"].as_array().unwrap().iter().map(|one| &one["name"]).collect();
        assert_eq!(names, ["steady", "burst", "drain"]);
        let commands = &ended.json["commands"];
        assert_eq!((&commands[0]["exit_code"], &commands[1]["exit_code"]), (&json!(3), &json!(0)));
        assert_eq!(commands[1]["recovery"][0]["is_held_again"], json!(true), "{commands}");
        assert!(ended.table.contains("burst") && ended.table.contains("command 'fails'"));
    });
}

#[test]
fn what_is_wrong_with_a_file_is_said_at_once_and_without_a_broker() {
    let bad = file("bad.toml", "seeed = 1\n[[topic]]\npartitions = 0\n");
    let name = bad.display().to_string();
    let (code, _, notes) = workload(&["check", &name]);
    assert_eq!(code, Some(2), "{notes}");
    for says in [":1: seeed is no key: did you mean seed?", ":2: topic 1.name is missing", ":3: "] {
        assert!(notes.contains(&format!("{name}{says}")), "{says}: {notes}");
    }
    let ended = loadgen(backends()[0], "127.0.0.1:1", &format!("--workload {name}"));
    assert!(ended.code == Some(1) && ended.notes.contains("did you mean"), "{ended:?}");
    fs::remove_file(bad).expect("our own file");
    let (code, _, notes) = workload(&["check", "/nowhere/x.toml"]);
    assert!(code == Some(2) && notes.contains("cannot read /nowhere/x.toml"), "{notes}");
}

#[test]
fn the_examples_are_good_and_options_become_files() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("workloads");
    let files: Vec<String> = fs::read_dir(folder)
        .expect("the examples")
        .map(|entry| entry.expect("a name").path().display().to_string())
        .collect();
    assert!(files.len() >= 6, "{files:?}");
    let names: Vec<&str> =
        std::iter::once("check").chain(files.iter().map(String::as_str)).collect();
    let (code, said, notes) = workload(&names);
    assert_eq!((code, notes.as_str()), (Some(0), ""), "{said}");
    assert!(said.contains("payloadFile is ignored"), "{said}");
    let (code, text, _) = workload(&["from-options", "--topic", "x", "--rate", "5"]);
    assert_eq!(code, Some(0));
    let written = file("written.toml", &text);
    assert_eq!(workload(&["check", &written.display().to_string()]).0, Some(0), "{text}");
    fs::remove_file(written).expect("our own file");
    let (code, schema, _) = workload(&["schema"]);
    let schema: Value = serde_json::from_str(&schema).expect("JSON");
    assert!(code == Some(0) && schema["properties"]["topic"].is_object());
}

#[test]
fn a_file_of_openmessaging_benchmark_is_run_and_its_result_written() {
    let text = "name: small\ntopics: 2\npartitionsPerTopic: 2\nmessageSize: 100\n\
                subscriptionsPerTopic: 1\nconsumerPerSubscription: 1\nproducersPerTopic: 1\n\
                producerRate: 200\ntestDurationMinutes: 1\nwarmupDurationMinutes: 0\n";
    let (yaml, result) = (file("small.yaml", text), file("small.json", ""));
    let fake = Fake::start(Fault::None);
    let line = format!("--workload {} --omb-result {}", yaml.display(), result.display());
    let running = crate::program::Running::start(backends()[0], &fake.bootstrap(), &line);
    fake.wait_for_produces(50);
    running.signal(rustix::process::Signal::INT);
    let ended = running.end();
    assert!(ended.code == Some(0) && ended.json["verified"] == json!(true), "{ended:?}");
    let written: Value = serde_json::from_str(&fs::read_to_string(&result).unwrap()).unwrap();
    assert_eq!((&written["workload"], &written["topics"]), (&json!("small"), &json!(2)));
    assert!(written["aggregatedPublishLatency99pct"].as_f64() > Some(0.0), "{written}");
    assert!(written["aggregatedEndToEndLatencyMax"].as_f64() > Some(0.0), "{written}");
    assert_eq!(fake.topics(), 2);
    [yaml, result].iter().for_each(|path| fs::remove_file(path).expect("our own file"));
}
