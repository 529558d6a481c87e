//! `loadgen knee` as a program: a search that a broker bears to the end, one that it does not, and
//! one that a signal ends.

use super::{
    fake::{Fake, Fault},
    for_each_backend,
    program::{Ended, Running, backends},
};
use rustix::process::Signal;

/// Trials as short as they may be. Up to 1000 records per second any machine keeps the bound.
const SHORT: &str = "--topic t --slo max<=20s --trial 200ms --final-trial 200ms --sum 200ms \
                     --warm-up 0 --settle 200ms --runs 1";

fn knee(backend: &str, fake: &Fake, line: &str) -> Ended {
    Running::start_command("knee", backend, &fake.bootstrap(), &format!("{SHORT} {line}")).end()
}

fn rates(ended: &Ended) -> Vec<f64> {
    let trials = ended.json["trials"].as_array().expect("trials").iter();
    trials.map(|trial| trial["rate"].as_f64().expect("a rate")).collect()
}

#[test]
fn a_broker_that_bears_the_highest_rate_gives_a_lower_bound() {
    for_each_backend(Fault::None, |backend, fake| {
        let ended = knee(backend, &fake, "--rate-min 100 --rate-max 500");
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert_eq!((rates(&ended).first(), rates(&ended).last()), (Some(&500.0), Some(&500.0)));
        assert_eq!(ended.json["knee"]["low"], 500.0);
        assert!(ended.is_null("/knee/records_per_s") && ended.is_null("/knee/high"), "{ended:?}");
        assert!(ended.is_null("/error") && ended.json["trials"][0]["good"] == true, "{ended:?}");
        assert!(ended.table.contains("--rate-max"), "{}", ended.table);
        assert!(!ended.is_null("/trials/0/generator_busy_ratio"), "{ended:?}");
    });
}

#[test]
fn a_broker_that_answers_nothing_any_more_is_below_the_lowest_rate() {
    for backend in backends() {
        let fake = Fake::start(Fault::LeavesOutPartition(0, 0));
        let line = "--rate-min 500 --rate-max 1000 --slo p99<=100ms";
        let ended = knee(backend, &fake, line);
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert_eq!((rates(&ended)[0], ended.json["knee"]["high"].as_f64()), (1000.0, Some(500.0)));
        assert!(ended.is_null("/knee/low") && ended.table.contains("--rate-min"), "{ended:?}");
        let late = &ended.json["trials"][0]["late_share"];
        assert_eq!((late[0].as_f64(), late[1].as_f64()), (Some(1.0), Some(1.0)), "{ended:?}");
    }
}

#[test]
fn a_signal_ends_the_search_with_what_there_is() {
    for_each_backend(Fault::None, |backend, fake| {
        let line = "--topic t --slo max<=20s --rate-max 500 --trial 1h";
        let running = Running::start_command("knee", backend, &fake.bootstrap(), line);
        fake.wait_for_produces(20);
        running.signal(Signal::INT);
        let ended = running.end();
        assert_eq!((ended.code, &ended.json["interrupted"]), (Some(2), &true.into()), "{ended:?}");
        assert!(ended.json["trials"][0]["void"].as_str().unwrap().contains("signal"), "{ended:?}");
        assert!(ended.is_null("/knee/low") && ended.is_null("/trials/0/good"), "{ended:?}");
    });
}

#[test]
fn a_broker_that_never_speaks_is_an_error() {
    for_each_backend(Fault::CloseAtOnce, |backend, fake| {
        let ended = knee(backend, &fake, "");
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.json["error"].as_str().unwrap().contains(&fake.bootstrap()), "{ended:?}");
        assert!(ended.notes.contains("--bootstrap") && ended.table.is_empty(), "{ended:?}");
    });
}
