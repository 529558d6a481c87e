//! Verdicts on runs that are made up, by seeds: equals are not called different, and what differs
//! is found.

use super::*;
use crate::{
    options::RunOptions,
    report::{GeneratorLoad, Report},
    tallies::Tallies,
    verify::{Findings, Verification},
};
use judge::Finding;
use ring::Instant;
use std::time::Duration;

/// Numbers that repeat with their seed (SplitMix64).
struct Dice(u64);

impl Dice {
    /// In (0, 1).
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ (bits >> 31)) >> 11) as f64 / (1u64 << 53) as f64 + 1e-17
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * self.next().ln()).sqrt() * (std::f64::consts::TAU * self.next()).cos()
    }
}

const SECONDS: u64 = 20;

/// Batches of 20 records that are answered together, after a time around `median_ms` with a long
/// tail; about 5,000 of them.
fn run(name: &str, dice: &mut Dice, median_ms: f64) -> RunResult {
    let mut tallies = Tallies::default();
    tallies.begin_timeline(Instant(0));
    for second in 0..SECONDS {
        let batches = 250 + (dice.normal() * 10.0) as i64;
        for _ in 0..batches {
            let due = [Instant(second * 1_000_000_000); 20];
            let latency = Duration::from_secs_f64(median_ms * (dice.normal() * 0.6).exp() / 1e3);
            tallies.acknowledged(
                crate::tallies::BatchSize { wire: 2_000, values: 2_000 },
                &due,
                due[0],
                due[0] + latency,
            );
        }
        let busy = 0.3 + dice.normal() * 0.01;
        tallies.tick(Instant((second + 1) * 1_000_000_000), None, Some(busy));
    }
    let options = RunOptions::parse_for_tests("--rate max --duration 20s");
    let report = Report {
        backend: "simulated",
        tallies,
        seconds: SECONDS as f64,
        verification: Verification::judge(&options, Findings::default()),
        generator: GeneratorLoad { busy: Some(0.3), waited: None },
        leader_moves: 0,
        interrupted: false,
        cut_short: false,
        not_read_again: None,
        wire: None,
        environment: crate::report::Environment::default(),
        details: crate::report::Details::default(),
        options,
    };
    RunResult::parse(name, &report.json().to_string()).expect("our own JSON")
}

/// `runs` on each side; the medians of the runs scatter by `between`, as a share.
fn comparison(seed: u64, runs: usize, medians: [f64; 2], between: f64) -> Comparison {
    let mut dice = Dice(seed);
    let mut side = |median: f64| Side {
        runs: (0..runs)
            .map(|index| {
                let scattered = median * (1.0 + between * dice.normal());
                run(&format!("{index}.json"), &mut dice, scattered)
            })
            .collect(),
    };
    let before = side(medians[0]);
    Comparison::of(before, vec![side(medians[1])])
}

fn findings(comparison: &Comparison) -> Vec<(&'static str, Finding)> {
    let rows = &comparison.after[0].1;
    rows.iter().map(|row| (row.figure.name, row.verdict.finding)).collect()
}

fn of(name: &str, comparison: &Comparison) -> &'static str {
    let rows = &comparison.after[0].1;
    rows.iter().find(|row| row.figure.name == name).expect("it was measured").words()
}

#[test]
fn equals_are_called_different_in_at_most_a_tenth_of_seeds() {
    for (runs, between, seeds) in [(1, 0.0, 200), (2, 0.05, 100), (3, 0.05, 100)] {
        let wrong = (0..seeds)
            .filter(|seed| {
                let found = findings(&comparison(seed * 7 + 1, runs, [4.0, 4.0], between));
                assert_eq!(found.len(), 9);
                found.iter().any(|(_, finding)| *finding != Finding::NoneShown)
            })
            .count() as u64;
        eprintln!("{runs} runs a side: {wrong} of {seeds} seeds called different");
        assert!(wrong * 10 <= seeds, "{wrong} of {seeds} with {runs} runs a side");
    }
}

#[test]
fn what_differs_is_found() {
    for seed in 0..20 {
        let one = comparison(seed, 1, [4.0, 6.0], 0.0);
        assert_eq!(of("response p50, ms", &one), "slower", "{seed}");
        assert_eq!(of("response p99, ms", &one), "slower", "{seed}");
        assert_eq!(of("errors", &one), "no difference shown");
        let five = comparison(seed, 5, [4.0, 2.0], 0.03);
        assert_eq!(of("service p99, ms", &five), "faster", "{seed}");
    }
}

#[test]
fn different_options_and_lonely_runs_are_said() {
    let mut dice = Dice(1);
    let (mut a, b) = (run("a.json", &mut dice, 1.0), run("b.json", &mut dice, 1.0));
    a.setting.insert("linger_ms".to_owned(), 7.into());
    let side = |run| Side { runs: vec![run] };
    let comparison = Comparison::of(side(a), vec![side(b)]);
    let expected = vec![("linger_ms".to_owned(), vec!["7".to_owned(), "1.0".to_owned()])];
    assert_eq!(comparison.different, expected);
    let said = table(&comparison);
    for part in ["linger_ms", "7 | 1.0", "repeat each side", "before: a.json", "after:  b.json"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let json = json(&comparison);
    assert_eq!(json["comparisons"][0]["figures"].as_array().unwrap().len(), 9);
    assert_eq!(json["different_options"]["linger_ms"][0], "7");
    crate::report::html::check_for_tests(&html(&comparison));
}

#[test]
fn what_is_no_result_is_refused_and_says_what_to_type() {
    let failed = r#"{"error": "no broker", "records_per_s": null, "response_time_ms": {},
        "options": {}}"#;
    for (text, says) in [
        ("", "loadgen run --json"),
        ("[1, 2]", "loadgen run --json"),
        ("{\"a\": 1}", "loadgen run --json"),
        (failed, "its run failed (no broker)"),
    ] {
        let error = RunResult::parse("x.json", text).map(|_| ()).expect_err(text).to_string();
        assert!(error.contains(says) && error.contains("x.json"), "{error}");
    }
    let missing = RunResult::read(std::path::Path::new("/nowhere/x.json")).map(|_| ());
    assert!(format!("{:#}", missing.unwrap_err()).contains("cannot read /nowhere/x.json"));
}

#[test]
fn results_of_an_older_loadgen_have_no_noise_and_no_verdict() {
    let old = |p99: f64| {
        let text = format!(
            r#"{{"error": null, "records_per_s": 10.0, "errors": 0, "options": {{}},
                "response_time_ms": {{"p50": 1.0, "p99": {p99}, "p99_9": null}}}}"#
        );
        Side { runs: vec![RunResult::parse("old.json", &text).unwrap()] }
    };
    let comparison = Comparison::of(old(1.0), vec![old(50.0)]);
    assert_eq!(of("response p99, ms", &comparison), "no difference shown");
    assert!(comparison.after[0].1.iter().all(|row| row.figure.name != "response p99.9, ms"));
    assert!(table(&comparison).contains("holds no histograms"), "{}", table(&comparison));
}
