use super::*;
use crate::knee::simulated::{Kind, System, settings};

const SEEDS: u64 = 300;
/// A search of a steady system needs no more.
const TRIALS_EXPECTED: usize = 40;

fn found(outcome: Outcome) -> (f64, f64) {
    match outcome {
        Outcome::Found { low, high } => (low, high),
        other => panic!("{other:?}"),
    }
}

fn seconds_at(search: &Search, rate: f64) -> f64 {
    search.trials().iter().filter(|trial| trial.rate == rate).map(|trial| trial.duration_s).sum()
}

#[test]
fn the_knee_of_a_steady_system_lies_within_narrow_bounds() {
    for kind in [Kind::Sharp, Kind::Soft] {
        for seed in 0..SEEDS {
            let mut system = System::new(kind, seed);
            let (outcome, search) = system.search(settings());
            let (low, high) = found(outcome);
            assert!(low <= system.knee && system.knee < high, "{kind:?} {seed}: {low} {high}");
            assert!(high / low <= 1.05, "{kind:?} {seed}: {low} to {high}");
            assert!(search.trials().len() <= TRIALS_EXPECTED, "{kind:?} {seed}");
            // More than half of the sum decides, whatever the rest would say.
            for rate in [low, high] {
                assert!(seconds_at(&search, rate) >= 30.0, "{kind:?} {seed}: {rate}");
            }
        }
    }
}

#[test]
fn short_trials_find_the_range_before_long_ones_begin() {
    let mut system = System::new(Kind::Sharp, 7);
    let (_, search) = system.search(settings());
    let first_long = search.trials().iter().position(|trial| trial.duration_s > 5.0).unwrap();
    let first_bad = search.trials().iter().position(|trial| trial.late[0] > 0.01).unwrap();
    assert!(first_bad < first_long, "{first_bad} {first_long}");
    let steps: Vec<f64> = search.trials()[..first_bad].iter().map(|trial| trial.rate).collect();
    assert!(steps.windows(2).all(|pair| pair[1] / pair[0] >= 3.9), "{steps:?}");
}

#[test]
fn the_knee_of_a_noisy_system_is_missed_by_little_and_seldom() {
    let (mut inside, mut longest) = (0, 0);
    for seed in 0..SEEDS {
        let mut system = System::new(Kind::Noisy, seed);
        let (outcome, search) = system.search(settings());
        let (low, high) = found(outcome);
        assert!(high / low <= 1.05, "{seed}: {low} to {high}");
        longest = longest.max(search.trials().len());
        let reach = 1.0 + settings().width;
        inside += u64::from(low / reach <= system.knee && system.knee <= high * reach);
    }
    assert!(inside * 100 >= SEEDS * 95, "{inside} of {SEEDS}");
    assert!(longest < settings().trials_max, "{longest} trials");
}

#[test]
fn what_is_never_bad_is_above_the_highest_rate() {
    let (outcome, search) = System::new(Kind::NeverBad, 1).search(settings());
    let expected = Outcome::Above { low: settings().rate_max, generator_was_the_limit: false };
    assert_eq!(outcome, expected);
    assert!(search.trials().len() <= 20 && seconds_at(&search, 1e8) >= 30.0);
    assert!(search.trials().iter().all(|trial| trial.rate <= 1e8));
}

#[test]
fn what_is_always_bad_is_below_the_lowest_rate() {
    let (outcome, search) = System::new(Kind::AlwaysBad, 1).search(settings());
    assert_eq!(outcome, Outcome::Below { high: settings().rate_min });
    assert!(search.trials().len() <= 20);
    assert!(search.trials().iter().all(|trial| trial.rate >= 10.0));
}

#[test]
fn a_system_that_worsens_ends_within_what_it_was() {
    for seed in 0..SEEDS {
        let mut system = System::new(Kind::Worsening(0.001), seed);
        let (outcome, search) = system.search(settings());
        assert!(search.trials().len() <= settings().trials_max);
        if let Outcome::Found { low, high } = outcome {
            assert!(low <= system.knee, "{seed}: {low} above {}", system.knee);
            assert!(high >= system.knee_now(), "{seed}: {high} below {}", system.knee_now());
        }
    }
}

#[test]
fn the_number_of_trials_has_a_bound_and_the_search_says_so() {
    let few = Settings { trials_max: 5, ..settings() };
    let (outcome, search) = System::new(Kind::Sharp, 3).search(few);
    assert_eq!(search.trials().len(), 5);
    assert!(matches!(outcome, Outcome::Unfinished { .. }), "{outcome:?}");
    assert!(search.bounds().0.is_some(), "what was good is known");
}

#[test]
fn a_search_that_begins_near_the_knee_takes_fewer_trials() {
    let trials = |start: f64, first_step: f64| {
        let mut system = System::new(Kind::Sharp, 11);
        let (start, first_step) = (readable(start * system.knee), first_step);
        let (outcome, search) = system.search(Settings { start, first_step, ..settings() });
        let (low, high) = found(outcome);
        assert!(low <= system.knee && system.knee < high);
        search.trials().len()
    };
    assert!(trials(0.98, 1.1) < trials(0.001, 4.0));
    assert!(trials(100.0, 4.0) <= TRIALS_EXPECTED, "from above");
}

#[test]
fn a_rate_that_cannot_be_sent_leaves_a_lower_bound() {
    for seed in 0..SEEDS {
        let mut system = System::new(Kind::Sharp, seed);
        let generator = system.knee * 0.7;
        let mut search = Search::new(settings(), vec![0.01]);
        let mut steps = 0;
        while let Some(planned) = search.next() {
            steps += 1;
            if planned.rate > generator {
                search.cannot_send(planned.rate);
            } else {
                search.add(system.try_rate(planned));
            }
        }
        assert!(steps <= TRIALS_EXPECTED, "{seed}: {steps}");
        match search.outcome() {
            Outcome::Above { low, generator_was_the_limit: true } => {
                assert!(low <= generator && low * 1.05 >= generator * 0.999, "{seed}: {low}");
            }
            other => panic!("{seed}: {other:?}"),
        }
    }
    let mut search = Search::new(settings(), vec![0.01]);
    while let Some(planned) = search.next() {
        search.cannot_send(planned.rate);
    }
    assert_eq!(search.outcome(), Outcome::Unknown);
}

#[test]
fn of_several_goals_the_first_to_fail_is_the_knee() {
    for seed in 0..SEEDS {
        let mut system = System::new(Kind::Sharp, seed);
        let mut search = Search::new(settings(), vec![0.001, 0.01, 0.1]);
        while let Some(planned) = search.next() {
            let strict = f64::from(planned.rate > system.knee);
            let mild = f64::from(planned.rate > system.knee * 3.0);
            let late = vec![mild, strict, mild * 0.5];
            search.add(Trial { late, ..system.try_rate(planned) });
        }
        let (low, high) = found(search.outcome());
        assert!(low <= system.knee && system.knee < high && high / low <= 1.05, "{seed}");
        assert!(search.trials().len() <= TRIALS_EXPECTED, "{seed}: the others cost little");
    }
}

/// One rate and its trials: duration and whether it was good.
fn side(trials: &[(f64, bool)]) -> Option<Side> {
    let mut search = Search::new(settings(), vec![0.01]);
    for (duration_s, is_good) in trials {
        let late = vec![if *is_good { 0.0 } else { 1.0 }];
        search.add(Trial { rate: 500.0, duration_s: *duration_s, late });
    }
    search.side(500.0, 0, LEVELS - 1)
}

#[test]
fn enough_seconds_decide_and_no_fewer() {
    assert_eq!(side(&[(20.0, true)]), None);
    assert_eq!(side(&[(20.0, true), (20.0, true)]), Some(Side::Lower));
    assert_eq!(side(&[(20.0, true), (20.0, false)]), None);
    assert_eq!(side(&[(20.0, false), (20.0, true), (20.0, false)]), Some(Side::Upper));
    let evenly = [(20.0, true), (20.0, false)].repeat(2);
    assert_eq!(side(&evenly), Some(Side::Upper), "trials that disagree are bad");
    let short_bad = [(5.0, false); 7];
    assert_eq!(side(&short_bad), Some(Side::Upper), "bad ones count though they are short");
    assert_eq!(side(&[(5.0, true); 30]), None, "good ones do not");
    let mixed: Vec<_> = [(5.0, true), (5.0, false)].repeat(20);
    assert_eq!(side(&mixed), None, "short good ones make up for short bad ones");
}

#[test]
fn a_good_rate_above_a_bad_one_is_no_bound() {
    let mut search = Search::new(settings(), vec![0.01]);
    let mut add = |rate, late| {
        (0..2).for_each(|_| search.add(Trial { rate, duration_s: 20.0, late: vec![late] }));
    };
    add(1000.0, 0.0);
    add(2000.0, 1.0);
    add(3000.0, 0.0);
    assert_eq!(search.bounds(), (Some(1000.0), Some(2000.0)));
}

#[test]
fn rates_are_numbers_to_be_read() {
    assert_eq!(readable(123_456.7), 123_500.0);
    assert_eq!(readable(562.34), 562.3);
    assert_eq!(readable(0.123_456), 0.1235);
    assert_eq!(readable(999_999.0), 1e6);
}
