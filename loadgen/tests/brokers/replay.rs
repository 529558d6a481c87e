//! `loadgen replay` against the fake broker: what a table of rates says is sent, and bad files are
//! told by their lines.
//!
//! Owns: the files that it writes, in the folder that cargo gives to tests.

use crate::{
    fake::{Fake, Fault},
    for_each_backend,
    program::{Ended, Running, backends},
};
use serde_json::json;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

fn file(name: &str, text: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("replay-{}-{name}", std::process::id()));
    fs::write(&path, text).expect("a folder to write to");
    path
}

fn replay(backend: &str, fake: &Fake, table: &Path, line: &str) -> Ended {
    let line = format!("{line} {}", table.display());
    Running::start_command("replay", backend, &fake.bootstrap(), &line).end()
}

/// A record that is due at the very end may count or not.
fn assert_due(ended: &Ended, due: u64) {
    assert!(ended.count("acknowledged").abs_diff(due) <= 2, "{ended:?}");
}

#[test]
fn every_interval_is_sent_with_its_rate_by_topic() {
    for_each_backend(Fault::None, |backend, fake| {
        // 100 and 200 records of a, 150 of b, in 4 s that are squeezed to 1.
        let table = file(&format!("{backend}.csv"), "until_s,a,b\n2,50,0\n4,100,75\n");
        let line = "--speed 4 --scale 4 --partitions 2 --consumers 1 --settle 2s";
        let ended = replay(backend, &fake, &table, line);
        assert_eq!((ended.code, &ended.json["verified"]), (Some(0), &json!(true)), "{ended:?}");
        assert_eq!(fake.topics(), 2, "{ended:?}");
        assert_due(&ended, 450);
        assert_eq!(ended.json["phases"][0]["name"], json!("replay"), "{ended:?}");
        assert!(ended.json["workload"].as_str().unwrap().contains("series = {"), "{ended:?}");
        fs::remove_file(table).expect("our own file");
    });
}

#[test]
fn a_workload_says_how_and_a_table_says_how_much() {
    let fake = Fake::start(Fault::None);
    let table = file("how.csv", "until_s,t\n0.5,400\n0.6,0\n1,100\n");
    let workload = file(
        "how.toml",
        "[[topic]]\nname = 't'\npartitions = 3\n\
         [[producer]]\nrate = 9\nkeys = 5\nrecord_size = 60\n[[consumer]]\n\
         [[phase]]\nname = 'p'\nduration = '1h'\n",
    );
    let line = format!("--settle 2s --workload {}", workload.display());
    let ended = replay(backends()[0], &fake, &table, &line);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_due(&ended, 240);
    assert_eq!(ended.json["options"]["keys"], json!(5), "{ended:?}");
    [table, workload].iter().for_each(|path| fs::remove_file(path).expect("our own file"));
}

#[test]
fn what_is_wrong_is_said_before_anything_is_sent() {
    let bad = file("bad.csv", "until_s,a\n1,5\n1,x\n2,-3\n");
    let good = file("good.csv", "until_s,a\n1,5\n");
    let run = |line: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_loadgen"));
        let output = command.arg("replay").args(line.split_whitespace()).output();
        let output = output.expect("loadgen was built");
        (output.status.code(), String::from_utf8(output.stderr).expect("text"))
    };
    let (bad_name, good_name) = (bad.display().to_string(), good.display().to_string());
    let cases = [
        (bad_name.clone(), Some(1), format!("{bad_name}:3: '1': give seconds, more than 1")),
        (bad_name.clone(), Some(1), format!("{bad_name}:4: '-3' for a: give records per second")),
        ("/nowhere.csv".to_owned(), Some(1), "--series FILE.csv".to_owned()),
        (format!("{good_name} --rate 5"), Some(1), "--scale F".to_owned()),
        (format!("{good_name} --consume-only --consumers 1"), Some(1), "leave out".to_owned()),
        (format!("{good_name} --speed 0"), Some(2), "--scale 2".to_owned()),
        (format!("{good_name} --workload x.toml --partitions 2"), Some(2), "cannot be".to_owned()),
    ];
    for (line, code, says) in cases {
        let (ended, notes) = run(&line);
        assert_eq!(ended, code, "{line}: {notes}");
        assert!(notes.contains(&says), "{line}: {notes}");
    }
    [bad, good].iter().for_each(|path| fs::remove_file(path).expect("our own file"));
}
