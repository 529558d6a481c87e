//! Tests of sizing, on costs that are known.

use super::*;
use crate::plan::{
    demand::{Clients, Learned},
    knees::Knee,
    measured,
    simulated::{self, Load},
};

struct Case {
    knees: Vec<Knee>,
    demand: Demand,
    site: Site,
}

fn case() -> Case {
    let knee = |(number, load): (usize, Load)| {
        Knee::of_json(&format!("{number}.json"), &load.knee(number as u64, 0.0)).unwrap()
    };
    let knees: Vec<Knee> = simulated::loads().into_iter().enumerate().map(knee).collect();
    let mut demand = Demand::of_knee(&knees[0], Learned { knees: &knees }).unwrap();
    demand.may_be_split = false;
    demand.partitions = 240.0;
    demand.busiest_partition = 1.0 / 240.0;
    demand.clients = vec![Clients { count: 10.0, partitions: 24.0 }];
    let site = Site {
        scale: 1.0,
        zones: 1,
        zones_down: 0,
        copies: 1,
        headroom: 0.2,
        slos: vec!["p99<=10ms".parse().unwrap()],
        extrapolate: false,
    };
    Case { knees, demand, site }
}

const ONE: Broker = Broker { cores: 1.0, network: None, disk: None, flush_s: None };

impl Case {
    fn with<T>(&self, ask: impl FnOnce(&Planner<'_>) -> T) -> T {
        let fitted = Fitted::of(&self.knees).unwrap();
        let seen = measured(&self.knees);
        ask(&Planner { fitted: &fitted, demand: &self.demand, site: &self.site, seen: &seen })
    }

    fn answer(&self, broker: &Broker) -> anyhow::Result<Answer> {
        self.with(|planner| planner.answer(broker))
    }
}

#[test]
fn brokers_are_as_many_as_the_busiest_core_needs() {
    let mut case = case();
    // One core bears 0.9 of itself at this rate; with a fifth free, two are needed.
    let answer = case.answer(&ONE).unwrap();
    assert_eq!((answer.brokers, answer.first), (2, "busiest core"));
    assert!((answer.down.utilisation - 0.45).abs() < 0.02, "{:?}", answer.down);
    assert!(answer.gaps.is_empty() && answer.grows_by > 0.9, "{answer:#?}");
    case.site.scale = 10.0;
    let answer = case.answer(&ONE).unwrap();
    // 9 cores at 0.8 each, with 240 partitions that do not divide evenly.
    assert!((12..=13).contains(&answer.brokers), "{}", answer.brokers);
    assert!(answer.down.utilisation <= 0.8);
}

#[test]
fn zones_that_are_away_leave_their_load_to_the_others() {
    let mut case = case();
    case.site.scale = 10.0;
    let alone = case.answer(&ONE).unwrap().brokers;
    case.site.zones = 3;
    case.site.zones_down = 1;
    let answer = case.answer(&ONE).unwrap();
    assert_eq!(answer.brokers % 3, 0);
    assert!(answer.brokers * 2 / 3 >= alone, "{} and {alone}", answer.brokers);
    assert_eq!(answer.down.brokers, answer.brokers * 2 / 3);
    assert!(answer.all_up.utilisation < answer.down.utilisation);
    assert!(answer.all_up.between_zones > 0.0);
}

#[test]
fn copies_cost_writes_and_reads() {
    let mut case = case();
    let bytes = |case: &Case, column| {
        case.with(|planner| planner.state(&ONE, 6, false, 1.0).work[place(column)])
    };
    let (written, read) = (bytes(&case, Column::WrittenBytes), bytes(&case, Column::FetchedBytes));
    case.site.copies = 3;
    assert!((bytes(&case, Column::WrittenBytes) / written - 3.0).abs() < 1e-9);
    assert!((bytes(&case, Column::FetchedBytes) / read - 3.0).abs() < 1e-9, "one reader, two more");
    assert_eq!(bytes(&case, Column::Partitions), 120.0);
    assert!(case.answer(&ONE).unwrap().brokers >= 3);
}

#[test]
fn what_is_known_to_be_small_saturates_first() {
    let case = case();
    let written = case.demand.written_bytes;
    let disk = Broker { disk: Some(written / 4.0), ..ONE };
    let answer = case.answer(&disk).unwrap();
    assert_eq!(answer.first, "disk");
    // 1.05 of each written byte reaches the disk, and a fifth stays free: 4 * 1.05 / 0.8.
    assert_eq!(answer.brokers, 6, "{answer:#?}");
    let network = Broker { network: Some(written / 2.0), ..ONE };
    assert!(case.answer(&network).unwrap().first.starts_with("network"));
}

#[test]
fn a_service_level_bounds_how_much_is_used() {
    let mut case = case();
    // 0.8 ms + 4.6 · 0.2 ms · u / (1 - u) is 1.72 ms at a half.
    case.site.slos = vec!["p99<=1.72ms".parse().unwrap()];
    let answer = case.answer(&ONE).unwrap();
    assert!((answer.utilisation_max - 0.5).abs() < 0.01, "{}", answer.utilisation_max);
    assert!(answer.why_utilisation.contains("p99") && answer.down.utilisation <= 0.5);
    for (slo, says) in [
        ("p99<=0.5ms", "does not hold at any load"),
        ("p99.99<=10ms", "they have p50, p99"),
        ("end-to-end p99<=10ms", "no such latencies"),
    ] {
        case.site.slos = vec![slo.parse().unwrap()];
        let said = case.answer(&ONE).unwrap_err().to_string();
        assert!(said.contains(says), "{slo}: {said}");
    }
}

#[test]
fn nothing_is_planned_busier_than_was_seen() {
    let mut case = case();
    case.knees.iter_mut().for_each(|knee| knee.trials.truncate(5));
    case.site.slos = vec!["p99<=1s".parse().unwrap()];
    let answer = case.answer(&ONE).unwrap();
    // A tenth, a fifth and so on to 0.4, and what an idle broker takes.
    assert!((0.4..0.45).contains(&answer.utilisation_max), "{}", answer.utilisation_max);
    assert!(answer.why_utilisation.contains("--extrapolate"));
    case.site.extrapolate = true;
    assert!(case.answer(&ONE).unwrap().utilisation_max > 0.9);
}

#[test]
fn a_partition_that_is_too_much_for_a_core_is_said() {
    let mut case = case();
    case.site.scale = 10.0;
    case.demand.partitions = 4.0;
    case.demand.busiest_partition = 0.25;
    case.demand.may_be_split = true;
    assert!(case.answer(&ONE).is_ok(), "with more partitions it holds");
    case.demand.may_be_split = false;
    let said = case.answer(&ONE).unwrap_err().to_string();
    assert!(
        said.contains("one partition alone") && said.contains("more partitions than 4"),
        "{said}"
    );
}

#[test]
fn each_way_beyond_what_was_measured_is_a_gap() {
    let gaps = |change: &dyn Fn(&mut Case), broker: &Broker| {
        let mut case = case();
        change(&mut case);
        let gaps = case.answer(broker).unwrap().gaps;
        gaps.iter().map(|gap| format!("{}: {}\n", gap.what, gap.how)).collect::<String>()
    };
    assert_eq!(gaps(&|_| {}, &ONE), "");
    let said = gaps(&|case| case.demand.kinds.extend(["compression zstd".to_owned()]), &ONE);
    assert!(said.contains("no knee has compression zstd") && said.contains("--compression zstd"));
    let said = gaps(&|case| case.demand.kinds.extend(["transactions".to_owned()]), &ONE);
    assert!(said.contains("--extrapolate"), "{said}");
    let said = gaps(&|case| case.demand.partitions = 30_000.0, &ONE);
    assert!(said.contains("partitions:") && said.contains("--partitions"), "{said}");
    let said = gaps(&|_| {}, &Broker { cores: 8.0, ..ONE });
    assert!(said.contains("brokers with 8 cores") && said.contains("4 cores or more"), "{said}");
    // Without a knee that has readers their cost is not known.
    let silent = |case: &mut Case| {
        case.knees.retain(|knee| knee.readers == 0.0);
    };
    let said = gaps(&silent, &ONE);
    assert!(said.contains("bytes read") && said.contains("no knee has any"), "{said}");
    // With one knee, requests are not told apart from bytes.
    let one = |case: &mut Case| {
        case.knees.truncate(1);
        case.demand.produces *= 3.0;
        case.demand.partitions = 4.0;
    };
    let said = gaps(&one, &ONE);
    assert!(said.contains("only together with bytes written"), "{said}");
}

#[test]
fn more_brokers_never_make_one_busier() {
    let mut case = case();
    for seed in 0..60 {
        let mut chance = crate::random::Random::new(seed, 0);
        case.site.scale = chance.ratio(0.1, 30.0);
        case.site.copies = 1 + (chance.unit() * 3.0) as u32;
        case.demand.partitions = chance.ratio(1.0, 5_000.0).round();
        let broker = Broker { cores: chance.ratio(1.0, 32.0).round(), ..ONE };
        case.with(|planner| {
            let mut before = f64::INFINITY;
            for doubled in 0..6 {
                let state = planner.state(&broker, 3 << doubled, false, 1.0);
                assert!(state.utilisation.is_finite() && state.utilisation > 0.0);
                // Doubling halves the partitions of each, up to one more for what does not divide.
                assert!(state.utilisation <= before * 1.5 + 0.01, "{seed}: {state:?}");
                before = state.utilisation;
            }
        });
    }
}
