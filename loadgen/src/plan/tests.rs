//! Tests of the whole plan, from files to the page, on costs that are known.

use super::{
    simulated::{self, Load},
    *,
};
use crate::report::html::check_for_tests;
use serde_json::{Value, json};
use std::{env, fs, path::PathBuf, process};

/// A folder of this test, with knees in it; it goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = env::temp_dir().join(format!("plan-{name}-{}", process::id()));
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    fn knees(&self, loads: &[Load], noise: f64) -> String {
        let mut line = String::from("--knee");
        for (number, load) in loads.iter().enumerate() {
            let json = load.knee(number as u64, noise).to_string();
            line += &format!(" {}", self.write(&format!("{number}.json"), &json));
        }
        line
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn made(line: &str) -> anyhow::Result<Plan> {
    make(&PlanOptions::parse_for_tests(line).map_err(anyhow::Error::msg)?)
}

fn error(line: &str) -> String {
    made(line).err().map(|error| format!("{error:#}")).unwrap_or_else(|| panic!("{line} is fine"))
}

const WORKLOAD: &str = "[[topic]]\nname = 't'\npartitions = 120\n\
                        [[producer]]\nrate = 200000\nconnections = 20\nrecord_size = 200\n\
                        [[consumer]]\ncount = 5\n\
                        [[phase]]\nname = 'steady'\nduration = '60s'\n";

#[test]
fn two_files_make_a_plan() {
    let folder = Folder::new("two");
    let plan = made(&folder.knees(&[Load::default()], 0.01)).unwrap();
    assert_eq!((plan.answer.brokers, plan.answer.gaps.len()), (2, 0), "{:?}", plan.answer);
    let table = present::table(&plan);
    for part in [
        "2 brokers with 1 core",
        "busiest core saturates first",
        "error of what the cores",
        "Note:",
    ] {
        assert!(table.contains(part), "{part}: {table}");
    }
    assert!(
        table.contains("not told apart from bytes written") && !table.contains("NaN"),
        "{table}"
    );
}

#[test]
fn a_whole_plan_is_shown_in_each_form() {
    let folder = Folder::new("whole");
    let knees = folder.knees(&simulated::loads(), 0.02);
    let workload = folder.write("w.toml", WORKLOAD);
    let selftest = json!({
        "disk": { "write_mb_per_s": 500.0, "flush_4k_us": { "p50": 100.0 } }, "network": {},
    });
    let selftest = folder.write("s.json", &selftest.to_string());
    let prices = folder.write(
        "p.toml",
        "currency = 'EUR'\ndisk_gb = 0.05\nzone_gb = 0.01\n[[machine]]\nname = '<small>'\n\
         cores = 1\nper_month = 30\n[[machine]]\nname = 'large'\ncores = 2\nper_month = 90\n\
         [[machine]]\nname = 'huge'\ncores = 64\nper_month = 1\n",
    );
    let line = format!(
        "{knees} --workload {workload} --selftest {selftest} --prices {prices} --scale 3 --zones 3 \
         --zones-down 1 --replication-factor 3 --slo p99<=10ms --network-gbit 10"
    );
    let plan = made(&line).unwrap();
    let json = present::json(&plan);
    assert_eq!(
        (json["brokers"].as_u64(), &json["currency"]),
        (Some(plan.answer.brokers.into()), &json!("EUR"))
    );
    assert_eq!(plan.answer.brokers % 3, 0);
    assert_eq!(plan.offers.last().unwrap().machine.name, "huge", "beyond what was measured");
    assert!(plan.offers[0].sum() <= plan.offers[1].sum() && plan.offers[0].per_month[2] > 0.0);
    for pointer in ["/zones_down/response_time_ms/p99", "/fit/error_ratio", "/needed/disk_bytes"] {
        assert!(json.pointer(pointer).is_some_and(Value::is_f64), "{pointer}: {json:#}");
    }
    assert!(json["fit"]["resources"].as_array().unwrap().len() == 4, "{json:#}");
    let page = page::html(&plan);
    check_for_tests(&page);
    for part in ["&lt;small&gt;", "id=\"nodes-wide-t\"", "id=\"latency-wide-t\"", "EUR per month"] {
        assert!(page.contains(part), "{part}");
    }
    let table = present::table(&plan);
    assert!(
        table.contains("with 1 of 3 zones away or none") && table.contains("EUR per month"),
        "{table}"
    );
    assert!(plan.remarks.iter().any(|one| one.contains("replication is reckoned")));
}

#[test]
fn a_load_that_was_not_measured_is_predicted_within_the_stated_error() {
    let folder = Folder::new("fourth");
    let fourth = Load {
        record_size: 500,
        records_per_batch: 20.0,
        partitions: 200,
        connections: 100,
        consumers: 1,
        ..Load::default()
    };
    for noise in [0.01, 0.05] {
        let knees = folder.knees(&simulated::loads(), noise);
        // Each of 100 connections sends 40 batches of 20 records a second.
        let text = "[[topic]]\nname = 't'\npartitions = 200\n\
                    [[producer]]\nrate = 80000\nconnections = 100\nrecord_size = 500\n\
                    batch_size = 10160\nlinger_ms = 1000\n\
                    [[consumer]]\n[[phase]]\nname = 'steady'\nduration = '60s'\n";
        let line = format!("{knees} --workload {} --headroom 5%", folder.write("w.toml", text));
        let plan = made(&format!("{line} --slo p99<=1s --extrapolate")).unwrap();
        let one = Broker { cores: 1.0, network: None, disk: None, flush_s: None };
        let seen = measured(&plan.knees);
        let (fitted, demand, site) = (&plan.fitted, &plan.demand, &plan.site);
        let planner = Planner { fitted, demand, site, seen: &seen };
        let said = planner.state(&one, 1, false, 1.0).used[0].amount;
        let truth = fourth.processors(80_000.0);
        let error = plan.fitted.cores.error();
        assert!((said / truth - 1.0).abs() <= 2.0 * error, "{said} is not {truth} ± {error}");
        assert!(error > noise * 0.5 && error < 0.5, "{error} with noise {noise}");
    }
}

#[test]
fn what_goes_beyond_is_refused_and_then_loud() {
    let folder = Folder::new("beyond");
    let knees = folder.knees(&[Load::default()], 0.0);
    let workload =
        folder.write("w.toml", &WORKLOAD.replace("rate =", "compression = 'lz4'\nrate ="));
    let line = format!("{knees} --workload {workload}");
    let said = error(&line);
    for part in ["beyond what was measured", "--compression lz4", "--extrapolate"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let plan = made(&format!("{line} --extrapolate")).unwrap();
    assert!(present::table(&plan).contains("!!! BEYOND WHAT WAS MEASURED"));
    assert!(plan.remarks[0].starts_with("BEYOND") && !plan.answer.gaps.is_empty());
    check_for_tests(&page::html(&plan));
}

#[test]
fn bad_files_are_refused_with_what_to_type() {
    let folder = Folder::new("bad");
    let good = folder.knees(&[Load::default()], 0.0);
    let path = |name: &str, text: &str| folder.write(name, text);
    let mut other = Load::default().knee(1, 0.0);
    other["environment"]["loadgen_version"] = json!("9.9");
    let other = path("other.json", &other.to_string());
    let cut = Load::default().knee(1, 0.0).to_string();
    let cut = path("cut.json", &cut[..cut.len() / 2]);
    for (line, says) in [
        (format!("--knee {}", folder.0.join("none.json").display()), "cannot read"),
        (format!("--knee {cut}"), "is not JSON, or was cut off"),
        (format!("--knee {}", path("empty.json", "{}")), "loadgen knee --slo 'p99<=10ms' --json"),
        (format!("{good} {other}"), "their figures do not stand in one fit"),
        (format!("{good} --selftest {}", path("s.json", "{}")), "loadgen selftest --dir DIR"),
        (format!("{good} --workload {}", path("w.toml", "x = 1\n")), "w.toml:1: x is no key"),
        (format!("{good} --prices {}", path("p.toml", "x = 1\n")), "p.toml:1: x is no key"),
        (
            format!("{good} --workload {}", path("m.toml", &WORKLOAD.replace("200000", "'max'"))),
            "rate = 5000",
        ),
    ] {
        let said = error(&line);
        assert!(said.contains(says), "{line}: {said}");
    }
    let machine = "[[machine]]\nname = 'm'\ncores = 1\nper_month = 1\n";
    let said = error(&format!("{good} --core-count 2 --prices {}", path("q.toml", machine)));
    assert!(said.contains("--core-count one of 1"), "{said}");
}

#[test]
fn cores_that_were_measured_scale_as_they_did() {
    let folder = Folder::new("cores");
    let sized = [1, 2, 4].map(|cores| Load { cores, sigma: 0.1, partitions: 8, ..Load::default() });
    let knees = folder.knees(&sized, 0.0);
    let plan = made(&format!("{knees} --core-count 8")).unwrap();
    let json = present::json(&plan);
    let sigma = json["fit"]["over_cores"]["sigma"].as_f64().unwrap();
    assert!((sigma - 0.1).abs() < 0.01 && plan.answer.gaps.is_empty(), "{json:#}");
    assert_eq!(json["fit"]["over_cores"]["basis"], "fitted");
    let said = error(&format!("{knees} --core-count 9"));
    assert!(said.contains("measure a knee on 5 cores"), "{said}");
}
