//! loadgen against brokers that freeze, go, and lie: it always ends, and its figures say what
//! happened. On both back-ends.
//!
//! The brokers are threads of the test (`fake.rs`); loadgen is the program as it is built.

mod fake;
mod knee;
mod profile;
mod program;
mod replay;
mod reports;
mod workloads;

use fake::{Fake, Fault};
use program::{Ended, Running, backends, loadgen};
use rustix::process::Signal;
use std::{thread, time::Duration};

/// 300 records, of which half are due when the broker has answered about 150.
const SHORT: &str = "--topic t --rate 500 --duration 600ms --settle 500ms";
const DUE: u64 = 300;

/// Each record that was due is acknowledged, an error, or unsent.
fn assert_adds_up(ended: &Ended, due: u64) {
    let sum = ended.count("acknowledged") + ended.count("errors") + ended.count("unsent");
    assert_eq!(sum, due, "{ended:?}");
}

fn for_each_backend(fault: Fault, check: impl Fn(&str, Fake)) {
    for backend in backends() {
        check(backend, Fake::start(fault));
    }
}

#[test]
fn a_sound_broker_gives_sound_figures() {
    for_each_backend(Fault::None, |backend, fake| {
        let ended =
            loadgen(backend, &fake.bootstrap(), &format!("{SHORT} --partitions 2 --consumers 2"));
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert_eq!(
            (ended.count("acknowledged"), ended.count("errors"), ended.count("unsent")),
            (DUE, 0, 0)
        );
        assert_eq!(
            (ended.count("lost"), ended.count("unread"), &ended.json["verified"]),
            (0, 0, &true.into())
        );
        assert!(ended.is_null("/error") && !ended.is_null("/end_to_end_ms/p50"));
        assert_eq!(ended.json["backend"], backend);
    });
}

#[test]
fn what_was_not_verified_is_null() {
    for_each_backend(Fault::None, |backend, fake| {
        let ended = loadgen(backend, &fake.bootstrap(), SHORT);
        assert_eq!((ended.code, ended.count("acknowledged")), (Some(0), DUE), "{ended:?}");
        for key in
            ["/verified", "/lost", "/duplicated_or_out_of_order", "/unread", "/end_to_end_ms/max"]
        {
            assert!(ended.is_null(key), "{key}: {ended:?}");
        }
        assert!(ended.table.contains("not checked"), "{}", ended.table);
    });
}

#[test]
fn records_that_were_never_answered_count_as_late_and_the_run_ends() {
    for fault in
        [Fault::FreezeAtProduce(60), Fault::HalfAnswerAtProduce(60), Fault::GoneAtProduce(60)]
    {
        for_each_backend(fault, |backend, fake| {
            let ended = loadgen(backend, &fake.bootstrap(), &format!("{SHORT} --consumers 1"));
            assert_eq!(ended.code, Some(2), "{fault:?}: {ended:?}");
            assert_adds_up(&ended, DUE);
            assert_eq!(
                (ended.count("errors"), ended.count("unsent")),
                (ended.count("unanswered"), 0),
                "{ended:?}"
            );
            // At least 120 records were not answered, and each waited at least for the end and the
            // time to settle.
            assert!(
                ended.count("unanswered") >= 120 && ended.count("acknowledged") >= 60,
                "{fault:?}: {ended:?}"
            );
            let quantile = |of: &str| ended.json[of]["p90"].as_f64().unwrap();
            let (response, arrival) = (quantile("response_time_ms"), quantile("end_to_end_ms"));
            if fault != Fault::GoneAtProduce(60) {
                assert!(response >= 500.0 && arrival >= 500.0, "{fault:?}: {ended:?}");
            }
            // The slowest waited from the fault, long before the end.
            assert!(
                ended.json["response_time_ms"]["max"].as_f64().unwrap() >= 100.0,
                "{fault:?}: {ended:?}"
            );
            assert!(ended.table.contains("of them unanswered"), "{}", ended.table);
        });
    }
}

#[test]
fn a_broker_that_never_speaks_is_an_error_and_leaves_a_report() {
    for fault in [Fault::Mute, Fault::CloseAtOnce, Fault::Http] {
        for_each_backend(fault, |backend, fake| {
            let ended = loadgen(backend, &fake.bootstrap(), SHORT);
            assert_eq!(ended.code, Some(1), "{fault:?}: {ended:?}");
            assert!(ended.json["error"].as_str().unwrap().contains(&fake.bootstrap()), "{ended:?}");
            assert!(
                ended.is_null("/acknowledged") && ended.is_null("/response_time_ms/p50"),
                "{ended:?}"
            );
            assert!(ended.notes.contains("--bootstrap"), "says what to type: {}", ended.notes);
        });
    }
}

#[test]
fn the_first_signal_ends_the_load_and_reports() {
    for signal in [Signal::INT, Signal::TERM] {
        for_each_backend(Fault::None, |backend, fake| {
            let line = "--topic t --rate 500 --duration 1h --consumers 1";
            let running = Running::start(backend, &fake.bootstrap(), line);
            fake.wait_for_produces(20);
            running.signal(signal);
            let ended = running.end();
            assert_eq!(
                (ended.code, &ended.json["interrupted"]),
                (Some(0), &true.into()),
                "{ended:?}"
            );
            assert!(
                ended.count("acknowledged") >= 15 && ended.json["verified"] == true,
                "{ended:?}"
            );
            assert!(
                ended.json["seconds"].as_f64().unwrap() < 3600.0,
                "the time that it lasted: {ended:?}"
            );
        });
    }
}

#[test]
fn a_signal_ends_the_load_of_a_frozen_broker_too() {
    for_each_backend(Fault::FreezeAtProduce(10), |backend, fake| {
        let line = "--topic t --rate 500 --duration 1h --consumers 1 --settle 300ms";
        let running = Running::start(backend, &fake.bootstrap(), line);
        fake.wait_for_produces(11);
        running.signal(Signal::INT);
        let ended = running.end();
        assert_eq!((ended.code, &ended.json["interrupted"]), (Some(2), &true.into()), "{ended:?}");
        assert!(ended.count("unanswered") > 0, "{ended:?}");
    });
}

#[test]
fn the_second_signal_ends_the_program_at_once() {
    for_each_backend(Fault::FreezeAtProduce(10), |backend, fake| {
        let line = "--topic t --rate 500 --duration 1h --settle 1h";
        let running = Running::start(backend, &fake.bootstrap(), line);
        fake.wait_for_produces(11);
        // Signals of one kind that come together are one: these are two kinds.
        running.signal(Signal::INT);
        running.signal(Signal::TERM);
        assert_eq!(running.end().code, Some(130));
    });
}

#[test]
fn riding_out_restarts_ends_when_the_broker_never_returns() {
    for fault in [Fault::GoneAtProduce(30), Fault::FreezeAtProduce(30)] {
        for_each_backend(fault, |backend, fake| {
            let line = format!("{SHORT} --consumers 1 --idempotence --through-restarts");
            let ended = loadgen(backend, &fake.bootstrap(), &line);
            assert_eq!(ended.code, Some(2), "{fault:?}: {ended:?}");
            assert_adds_up(&ended, DUE);
            assert!(
                ended.count("unanswered") > 0 && ended.json["verified"] != true,
                "{fault:?}: {ended:?}"
            );
            assert!(ended.table.contains("has not come back"), "{fault:?}: {}", ended.table);
        });
    }
}

#[test]
fn a_new_topic_is_used_once_its_leaders_know_that_they_are() {
    for_each_backend(Fault::SlowLeaders(8), |backend, fake| {
        let ended =
            loadgen(backend, &fake.bootstrap(), &format!("{SHORT} --partitions 3 --consumers 1"));
        assert_eq!((ended.code, ended.count("errors")), (Some(0), 0), "{ended:?}");
        assert_eq!((fake.produces_too_early(), ended.count("acknowledged")), (0, DUE));
    });
}

#[test]
fn a_topic_with_fewer_partitions_is_refused() {
    for_each_backend(Fault::None, |backend, fake| {
        let fake = fake.with_topic("t", 2);
        let ended = loadgen(backend, &fake.bootstrap(), &format!("{SHORT} --partitions 3"));
        assert_eq!(ended.code, Some(1));
        assert!(ended.notes.contains("give --partitions 2"), "{}", ended.notes);
    });
}

#[test]
fn consuming_a_topic_that_is_not_there_makes_nothing() {
    for_each_backend(Fault::None, |backend, fake| {
        let ended = loadgen(
            backend,
            &fake.bootstrap(),
            "--topic t --consume-only --consumers 1 --once --duration 1s",
        );
        assert_eq!((ended.code, fake.topics()), (Some(1), 0), "{ended:?}");
        assert!(
            ended.notes.contains("no topic 't'") && ended.notes.contains("--topic"),
            "{}",
            ended.notes
        );
    });
}

#[test]
fn an_empty_topic_and_one_that_was_read_are_told_apart() {
    for_each_backend(Fault::None, |backend, fake| {
        let fake = fake.with_topic("t", 1);
        let once = "--topic t --consume-only --consumers 1 --once --duration 20s";
        let empty = loadgen(backend, &fake.bootstrap(), once);
        assert_eq!((empty.code, empty.count("consumed")), (Some(0), 0), "{empty:?}");
        assert!(empty.json["remarks"].to_string().contains("seems to be empty"), "{empty:?}");
        assert_eq!(loadgen(backend, &fake.bootstrap(), SHORT).code, Some(0));
        let full = loadgen(backend, &fake.bootstrap(), once);
        assert_eq!((full.code, full.count("consumed")), (Some(0), DUE), "{full:?}");
    });
}

#[test]
fn a_reader_whose_broker_freezes_is_no_success() {
    for_each_backend(Fault::FreezeFetches(5), |backend, fake| {
        let fake = fake.with_topic("t", 1);
        let line = "--topic t --consume-only --consumers 2 --fan-out --duration 1s --settle 300ms";
        let ended = loadgen(backend, &fake.bootstrap(), line);
        assert_eq!(
            (ended.code, ended.count("fetch_errors"), ended.count("unanswered")),
            (Some(2), 2, 2),
            "{ended:?}"
        );
        let slowest = ended.json["service_time_ms"]["max"].as_f64().unwrap();
        assert!(
            slowest >= 300.0,
            "fetches that were not answered waited through the time to settle: {ended:?}"
        );
    });
}

#[test]
fn what_could_not_be_read_is_neither_verified_nor_lost() {
    for_each_backend(Fault::FreezeFetches(3), |backend, fake| {
        let ended = loadgen(backend, &fake.bootstrap(), &format!("{SHORT} --consumers 1"));
        assert_eq!((ended.code, ended.count("acknowledged")), (Some(2), DUE), "{ended:?}");
        assert!(
            ended.is_null("/verified") && ended.is_null("/lost") && ended.count("unread") > 0,
            "{ended:?}"
        );
        assert!(ended.table.contains("could not be read"), "{}", ended.table);
    });
}

#[test]
fn one_partition_that_cannot_be_read_does_not_hide_the_others() {
    for_each_backend(Fault::RefusesFetchOf(0), |backend, fake| {
        let ended = loadgen(
            backend,
            &fake.bootstrap(),
            &format!("{SHORT} --partitions 2 --consumers 1 --connections 2"),
        );
        assert_eq!((ended.code, ended.count("consumed")), (Some(2), DUE / 2), "{ended:?}");
        assert_eq!((ended.count("unread"), ended.is_null("/lost")), (DUE / 2, true), "{ended:?}");
        assert!(
            ended.notes.contains("KAFKA_STORAGE_ERROR") && ended.count("fetch_errors") > 0,
            "{}",
            ended.notes
        );
    });
}

#[test]
fn records_that_the_broker_forgets_are_lost() {
    for_each_backend(Fault::Forgets, |backend, fake| {
        let ended = loadgen(backend, &fake.bootstrap(), &format!("{SHORT} --consumers 1"));
        assert_eq!((ended.code, &ended.json["verified"]), (Some(2), &false.into()), "{ended:?}");
        assert_eq!(ended.count("lost") + ended.count("consumed"), DUE, "{ended:?}");
        assert!(ended.count("lost") > 0 && ended.count("unread") == 0, "{ended:?}");
    });
}

#[test]
fn a_partition_that_is_left_out_of_answers_is_unanswered() {
    for_each_backend(Fault::LeavesOutPartition(10, 1), |backend, fake| {
        let ended =
            loadgen(backend, &fake.bootstrap(), &format!("{SHORT} --partitions 2 --connections 2"));
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert_adds_up(&ended, DUE);
        assert!(
            ended.count("unanswered") > 0 && ended.count("acknowledged") >= DUE / 2,
            "{ended:?}"
        );
    });
}

#[test]
fn leaders_that_move_are_followed_and_counted() {
    for_each_backend(Fault::LeaderMovesAtProduce(40), |backend, fake| {
        let ended =
            loadgen(backend, &fake.bootstrap(), &format!("{SHORT} --partitions 2 --consumers 1"));
        assert_adds_up(&ended, DUE);
        assert_eq!(
            (ended.count("leader_moves"), ended.code),
            (2, Some(2)),
            "errors are counted: {ended:?}"
        );
        // The move is found out with the first refusal; what follows goes to the new leader.
        let (acknowledged, errors) = (ended.count("acknowledged"), ended.count("errors"));
        assert!(errors > 0 && acknowledged > 150, "{ended:?}");
        assert_eq!(
            (ended.count("unanswered"), &ended.json["verified"]),
            (0, &true.into()),
            "{ended:?}"
        );
    });
}

#[test]
fn the_next_bootstrap_broker_is_tried() {
    for_each_backend(Fault::None, |backend, fake| {
        let list = format!("127.0.0.1:1,{}", fake.bootstrap());
        let ended = loadgen(backend, &list, SHORT);
        assert_eq!((ended.code, ended.count("acknowledged")), (Some(0), DUE), "{ended:?}");
        let ended = loadgen(backend, "127.0.0.1:1,127.0.0.1:2", SHORT);
        assert_eq!(ended.code, Some(1));
        assert!(
            ended.notes.contains("127.0.0.1:1") && ended.notes.contains("127.0.0.1:2"),
            "{}",
            ended.notes
        );
    });
}

#[test]
fn unacknowledged_records_count_once_the_network_has_them() {
    for_each_backend(Fault::FreezeAtProduce(0), |backend, fake| {
        let line = "--topic t --acks 0 --rate max --record-size 10000 --duration 500ms --settle \
            300ms --consumers 1";
        let ended = loadgen(backend, &fake.bootstrap(), line);
        assert_eq!(
            ended.code,
            Some(2),
            "what stands before a full socket is unanswered: {ended:?}"
        );
        assert!(
            ended.count("unanswered") > 0 && ended.is_null("/lost") && ended.is_null("/verified"),
            "{ended:?}"
        );
        // Sockets hold a few megabytes, five requests are on their way; a queue without a bound
        // would have taken gigabytes.
        assert!(ended.count("acknowledged") + ended.count("unanswered") < 20_000, "{ended:?}");
    });
}

#[test]
fn what_cannot_be_done_is_refused_before_anything_is_sent() {
    for_each_backend(Fault::None, |backend, fake| {
        for (line, says) in [
            ("--core 9999", "give --core"),
            ("--core 1023", "give --core"),
            ("--rate 0", "--rate 10000"),
            ("--duration 0", "--duration 10s"),
            ("--json /no/such/folder/x", "give --json"),
        ] {
            let ended = loadgen(backend, &fake.bootstrap(), line);
            assert!(matches!(ended.code, Some(1 | 2)), "{line}: {ended:?}");
            assert!(
                ended.notes.contains(says) && !ended.notes.contains("panicked"),
                "{line}: {}",
                ended.notes
            );
        }
        assert_eq!((fake.connections(), fake.topics()), (0, 0));
    });
}

#[test]
fn a_reader_that_has_gone_away_ends_nothing() {
    for_each_backend(Fault::None, |backend, fake| {
        let mut running = Running::start(backend, &fake.bootstrap(), SHORT);
        running.close_outputs();
        let ended = running.end();
        assert_eq!((ended.code, ended.count("acknowledged")), (Some(0), DUE), "{ended:?}");
    });
}

#[test]
fn a_broker_that_goes_before_the_second_reading_is_no_success() {
    for_each_backend(Fault::None, |backend, fake| {
        let line = "--topic t --rate 500 --duration 1h --settle 500ms --consumers 1 --idempotence \
            --through-restarts";
        let running = Running::start(backend, &fake.bootstrap(), line);
        fake.wait_for_produces(20);
        drop(fake);
        thread::sleep(Duration::from_millis(100));
        running.signal(Signal::INT);
        let ended = running.end();
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.is_null("/verified") && ended.count("unread") > 0, "{ended:?}");
    });
}
