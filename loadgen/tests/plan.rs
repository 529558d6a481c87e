//! `loadgen plan` as a program: knees of a broker whose costs are known go in as files, and the
//! costs, the brokers and the page come out.
//!
//! Owns: a folder of its own for each test, which goes with it.

#[path = "../src/random.rs"]
#[allow(dead_code)] // what the program's own tests use of it
mod random;
#[path = "../src/plan/simulated.rs"]
mod simulated;

use random::Random;
use serde_json::Value;
use simulated::{Load, loads};
use std::{fs, path::PathBuf, process::Command};

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("plan-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).expect("a folder for the test");
        Folder(path)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.join(name), text).expect("a file for the test");
    }

    fn knees(&self, noise: f64) -> String {
        let names = loads().into_iter().enumerate().map(|(number, load)| {
            let name = format!("knee-{number}.json");
            self.write(&name, &load.knee(number as u64, noise).to_string());
            format!(" {name}")
        });
        format!("--knee{}", names.collect::<String>())
    }

    /// Its exit code, what it printed, and its complaints. `line` is split at spaces.
    fn plan(&self, line: &str) -> (Option<i32>, String, String) {
        let ended = Command::new(env!("CARGO_BIN_EXE_loadgen"))
            .arg("plan")
            .args(line.split_whitespace())
            .current_dir(&self.0)
            .output()
            .expect("loadgen was built");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        (ended.status.code(), text(ended.stdout), text(ended.stderr))
    }

    fn json(&self, name: &str) -> Value {
        let text = fs::read_to_string(self.0.join(name)).expect("it was written");
        serde_json::from_str(&text).expect("JSON")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Each of 20 connections sends 500 batches of 10 records a second.
const WORKLOAD: &str = "[[topic]]\nname = 't'\npartitions = 120\nreplication_factor = 1\n\
                        [[producer]]\nrate = 100000\nconnections = 20\nrecord_size = 200\n\
                        linger_ms = 1000\nbatch_size = 2080\n\
                        [[consumer]]\ncount = 5\n\
                        [[phase]]\nname = 'steady'\nduration = '60s'\n";

#[test]
fn known_costs_come_back_and_a_load_that_was_not_measured_is_told() {
    let folder = Folder::new("known");
    let line = format!("{} --workload w.toml --json p.json", folder.knees(0.03));
    folder.write("w.toml", WORKLOAD);
    let (code, table, notes) = folder.plan(&line);
    assert_eq!(code, Some(0), "{table}\n{notes}");
    let json = folder.json("p.json");
    let error = json["fit"]["error_ratio"].as_f64().expect("an error");
    let costs = &json["fit"]["resources"][0]["per"];
    for (name, known) in [
        ("produce request", simulated::PER_PRODUCE),
        ("byte written", simulated::PER_WRITTEN_BYTE),
        ("connection", simulated::PER_CONNECTION),
        ("partition", simulated::PER_PARTITION),
    ] {
        let found = costs[name].as_f64().expect(name);
        assert!((found / known - 1.0).abs() < 0.3, "{name}: {found}, known {known}");
    }
    assert!(costs["fetch"].is_f64() && costs["byte read"].is_f64(), "{costs}");
    // The same load by the known costs, on as many brokers.
    let brokers = json["brokers"].as_f64().expect("a number");
    let rate = 100_000.0 / brokers;
    let partitions = (120.0 / brokers).ceil() as u64;
    let share = partitions as f64 * brokers / 120.0;
    let load =
        Load { record_size: 200, partitions, connections: 20, consumers: 5, ..Load::default() };
    let truth = load.processors(rate * share);
    let said = json["zones_down"]["utilisation"].as_f64().expect("a share");
    assert!((said / truth - 1.0).abs() < 2.0 * error, "{said} is not {truth} ± {error}");
    assert!(json["headroom_ratio"].as_f64().is_some_and(|headroom| headroom > 0.2), "{json:#}");
}

const DAMAGE: &[u8] = b"0-9e\"{}[],:ntf";

#[test]
fn files_that_are_damaged_in_any_place_never_end_in_a_panic() {
    let folder = Folder::new("damaged");
    let good = Load::default().knee(1, 0.01).to_string();
    let mut chance = Random::new(5, 0);
    for _ in 0..40 {
        let mut bytes = good.clone().into_bytes();
        for _ in 0..3 {
            let at = (chance.unit() * bytes.len() as f64) as usize;
            bytes[at] = DAMAGE[(chance.unit() * DAMAGE.len() as f64) as usize];
        }
        folder.write("k.json", &String::from_utf8_lossy(&bytes));
        let (code, table, notes) = folder.plan("--knee k.json --json p.json");
        assert!(matches!(code, Some(0..=2)), "{code:?} {notes}");
        assert!(!notes.contains("panicked"), "{notes}");
        assert_eq!(code == Some(1), table.is_empty(), "{table} {notes}");
        assert!(code != Some(1) || !notes.trim().is_empty());
    }
}

#[test]
fn what_goes_beyond_needs_a_word_and_has_an_exit_code_of_its_own() {
    let folder = Folder::new("beyond");
    let knees = folder.knees(0.01);
    folder.write("w.toml", &WORKLOAD.replace("record_size", "compression = 'zstd'\nrecord_size"));
    let line = format!("{knees} --workload w.toml --report p.html");
    let (code, table, notes) = folder.plan(&line);
    assert_eq!((code, table.as_str()), (Some(1), ""), "{notes}");
    assert!(notes.contains("--compression zstd") && notes.contains("--extrapolate"), "{notes}");
    assert!(!folder.0.join("p.html").exists(), "nothing is written before the plan is made");
    let (code, table, _) = folder.plan(&format!("{line} --extrapolate"));
    assert_eq!(code, Some(2), "{table}");
    assert!(
        table.contains("!!! BEYOND WHAT WAS MEASURED: no knee has compression zstd"),
        "{table}"
    );
    let page = fs::read_to_string(folder.0.join("p.html")).expect("it was written");
    assert!(page.contains("BEYOND WHAT WAS MEASURED") && page.contains("nodes-wide-t"));
}
