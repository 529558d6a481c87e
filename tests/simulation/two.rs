//! Two nodes in one world that do not know each other: each is a cluster of its own, with clients
//! and topics of its own that have the same names. Faults hit one node at a time, and what befalls
//! one disturbs no client of the other.

use crate::{
    client::Client,
    cluster::{ClusterId, METADATA_VERSION, metadata_of_all},
    journal,
    model::Invariant,
    plan::{Plan, Variation},
    run::{Outcome, Run, run_seed},
};
use ring::Ring;
use std::{rc::Rc, time::Duration};

const FIRST_SEED: u64 = 3_000_000;
/// So many, unless more are asked for.
const SEEDS: u64 = 12;
const LIMIT: Duration = Duration::from_secs(30);

#[test]
fn two_nodes_that_do_not_know_each_other() {
    let one = crate::variable("MILLSTREAM_SEED");
    let first = one.or(crate::variable("MILLSTREAM_FIRST_SEED")).unwrap_or(FIRST_SEED);
    let count =
        one.map_or_else(|| crate::variable("MILLSTREAM_MORE_SEEDS").unwrap_or(SEEDS), |_| 1);
    let (mut requests, mut served_beside_faults) = (0, 0);
    for seed in first..first + count {
        let outcome = run_seed(seed, Variation::TwoNodes, one.is_some());
        crate::report(seed, &outcome, "two_nodes");
        assert!(outcome.violation.is_none(), "seed {seed} violates {:?}", outcome.violation);
        requests += outcome.requests;
        served_beside_faults += outcome.served_beside_faults;
    }
    eprintln!(
        "{count} seeds, {requests} requests, {served_beside_faults} of them beside a fault of the \
         other node"
    );
    assert!(served_beside_faults > 0 || count < SEEDS, "no request met a fault of the other node");
}

#[test]
fn a_seed_of_two_nodes_repeats_itself() {
    for seed in FIRST_SEED..FIRST_SEED + 4 {
        let (first, second) = (
            run_seed(seed, Variation::TwoNodes, false),
            run_seed(seed, Variation::TwoNodes, false),
        );
        assert_eq!(
            first.trace_hash, second.trace_hash,
            "seed {seed} runs differently the second time"
        );
        assert_eq!(first.tail, second.tail, "seed {seed} tells another story the second time");
        let counts = |one: &Outcome| {
            (one.requests, one.acked_records, one.read_records, one.served_beside_faults)
        };
        assert_eq!(counts(&first), counts(&second));
    }
}

/// Two nodes that serve, in a world where nothing goes wrong by itself.
fn started(seed: u64) -> Rc<Run> {
    journal::begin(false);
    let mut plan = Plan::new(seed, Variation::TwoNodes);
    (plan.options, plan.isolated, plan.faults) = (ring::sim::SimOptions::calm(), true, Vec::new());
    let run = Run::of(seed, plan);
    run.nodes.iter().for_each(|node| run.start_calmly(node));
    run
}

/// A client of each node asks it for Metadata, over and over.
fn ask_on(run: &Rc<Run>) {
    for cluster in run.clusters() {
        let ask = move |run: Rc<Run>, ring: Ring| async move {
            let mut client = Client::new(&run, &ring, cluster, "asker".to_owned());
            while !run.is_over() {
                let _ = client.call(METADATA_VERSION, &metadata_of_all()).await;
                client.pause().await;
            }
        };
        run.spawn(cluster, "asker".to_owned(), ask);
    }
}

#[test]
fn a_node_without_power_disturbs_no_client_of_the_other() {
    let run = started(1);
    ask_on(&run);
    run.world.run_for(Duration::from_secs(1));
    assert_eq!(run.served_beside_faults.get(), 0);
    run.nodes[1].quiet.disturb();
    run.nodes[1].crash();
    run.world.run_for(Duration::from_secs(10));
    assert!(!run.is_over() && run.served_beside_faults.get() > 100);
    run.world.close();
}

/// The check that the test above relies on notices what it is there for.
#[test]
fn a_fault_that_disturbs_the_other_node_is_noticed() {
    for way in 0..3 {
        let run = started(way);
        ask_on(&run);
        run.world.run_for(Duration::from_secs(1));
        // As if a fault of the second node had done that to the first one.
        run.nodes[1].quiet.disturb();
        match way {
            0 => run.world.pause(run.nodes[0].node),
            1 => run.world.partition_one_way(run.nodes[0].node, run.clients[0]),
            _ => run.world.kill(run.nodes[0].node),
        }
        assert!(run.world.run_until(LIMIT, || run.is_over()), "way {way}");
        assert_eq!(run.violated(), Some(Invariant::OthersUndisturbed), "way {way}");
        run.world.close();
    }
}

/// Topics of the same name are two, and neither cluster has heard of the other's nodes.
#[test]
fn clusters_share_nothing_but_names() {
    let run = started(2);
    for cluster in run.clusters() {
        run.spawn(cluster, "admin".to_owned(), move |run, ring| {
            crate::admin::work(run, ring, cluster)
        });
    }
    let has_base =
        |cluster: ClusterId| run.model.borrow().live(cluster).any(|topic| topic.name == "base-0");
    assert!(run.world.run_until(LIMIT, || run.clusters().all(has_base)));
    let model = run.model.borrow();
    let key_of =
        |cluster| model.live(cluster).find(|topic| topic.name == "base-0").map(|topic| topic.key);
    let keys: Vec<_> = run.clusters().map(key_of).collect();
    assert!(keys[0].is_some() && keys[1].is_some() && keys[0] != keys[1]);
    assert_ne!(keys[0].unwrap().id, keys[1].unwrap().id);
    drop(model);
    run.world.close();
}
