//! All that knees say together: costs of each resource, scaling over cores and brokers, latency.
//! Pure.
//!
//! Never: says of what it was measured from less than it needs without a remark.

use super::{
    knees::Knee,
    model::{Fit, RESOURCES, Resource},
    queue::{Latency, Seen},
    usl::{Basis, Point, Scaling},
};
use crate::knee::Metric;
use anyhow::Context;
use std::collections::BTreeMap;

/// A model whose median miss is larger says little.
const LATENCY_MISS_MAX: f64 = 0.5;
const PERCENTILES: [f64; 3] = [0.5, 0.99, 0.999];

#[derive(Clone, Debug)]
pub struct Fitted {
    pub cores: Fit,
    /// Those of disk and network that trials tell of.
    pub others: Vec<Fit>,
    pub by_cores: Scaling,
    pub by_brokers: Scaling,
    pub response: Latency,
    pub end_to_end: Latency,
    /// What a reader of the figures must know to read them right.
    pub remarks: Vec<String>,
}

impl Fitted {
    pub fn of(knees: &[Knee]) -> anyhow::Result<Fitted> {
        let by_cores = scaling(knees, |knee| knee.cores, &|knee| knee.load.clone());
        let with_cores = |knee: &Knee| format!("{} {}", knee.cores, knee.load);
        let by_brokers = by_brokers(knees, &with_cores);
        let efficiency = |cores: f64| by_cores.efficiency(cores);
        let cores = Fit::of(Resource::Cores, knees, &efficiency)
            .context("no trial tells what the broker's processors did")??;
        let others = RESOURCES
            .iter()
            .filter(|resource| **resource != Resource::Cores)
            .filter_map(|resource| Fit::of(*resource, knees, &efficiency))
            .collect::<anyhow::Result<Vec<Fit>>>()?;
        let [response, end_to_end] =
            [Metric::Response, Metric::EndToEnd].map(|metric| latency(knees, metric));
        let mut fitted =
            Fitted { cores, others, by_cores, by_brokers, response, end_to_end, remarks: vec![] };
        fitted.remarks = remarks(knees, &fitted);
        Ok(fitted)
    }

    pub fn fit(&self, resource: Resource) -> Option<&Fit> {
        [&self.cores].into_iter().chain(&self.others).find(|fit| fit.resource == resource)
    }

    pub fn latency(&self, metric: Metric) -> &Latency {
        match metric {
            Metric::Response => &self.response,
            Metric::EndToEnd => &self.end_to_end,
        }
    }
}

/// Of the load that was measured at most sizes, by what its knees were.
fn scaling(knees: &[Knee], size: fn(&Knee) -> f64, load: &dyn Fn(&Knee) -> String) -> Scaling {
    let mut loads: BTreeMap<String, Vec<Point>> = BTreeMap::new();
    for knee in knees.iter().filter(|knee| knee.limit == "broker core") {
        let Some((capacity, sd)) = knee.found.filter(|(rate, _)| *rate > 0.0) else { continue };
        let point = Point { size: size(knee), capacity, sd };
        loads.entry(load(knee)).or_default().push(point);
    }
    let sizes = |points: &Vec<Point>| {
        let mut sizes: Vec<f64> = points.iter().map(|point| point.size).collect();
        sizes.sort_by(f64::total_cmp);
        sizes.dedup();
        sizes.len()
    };
    let widest = loads.into_values().max_by_key(sizes).unwrap_or_default();
    let (low, high) = knees
        .iter()
        .map(size)
        .fold((f64::INFINITY, 1.0), |(low, high): (f64, f64), one| (low.min(one), high.max(one)));
    let alone = [Point { size: high, capacity: 1.0, sd: 0.0 }];
    let mut scaling = Scaling::fit(&widest)
        .or_else(|| Scaling::fit(&alone))
        .unwrap_or_else(|| Scaling::linear(high));
    scaling.measured = (low.min(high), high);
    scaling
}

/// Brokers share nothing but replication, which counts as work of its own: without several sizes,
/// each is taken to give as much as the first.
fn by_brokers(knees: &[Knee], load: &dyn Fn(&Knee) -> String) -> Scaling {
    let scaling = scaling(knees, |knee| knee.brokers, load);
    match scaling.basis {
        Basis::Assumed => Scaling::linear(scaling.measured.1),
        _ => scaling,
    }
}

fn latency(knees: &[Knee], metric: Metric) -> Latency {
    let of = |quantile: f64| {
        let mut all = Vec::new();
        for knee in knees {
            for trial in &knee.trials {
                let known = Knee::percentiles(trial, metric);
                let found = known.iter().find(|(share, _)| *share == quantile);
                if let (Some((_, ms)), Some(utilisation)) = (found, knee.utilisation(trial)) {
                    all.push(Seen { utilisation, ms: *ms });
                }
            }
        }
        (quantile, all)
    };
    Latency::fit(&PERCENTILES.map(of))
}

fn remarks(knees: &[Knee], fitted: &Fitted) -> Vec<String> {
    let mut remarks = Vec::new();
    match fitted.by_cores.basis {
        Basis::Assumed => remarks.push(format!(
            "the knees do not tell how capacity grows with cores: it is taken that {:.0} % of the \
             work waits for shared things, as Millstream itself showed on 8 cores; knees of one \
             load on 1, 2 and 4 cores say it",
            fitted.by_cores.sigma * 100.0
        )),
        Basis::Amdahl => remarks.push(
            "two sizes tell only how much of the work waits for shared things: a knee on a third \
             number of cores also says what cores cost that agree with one another"
                .to_owned(),
        ),
        Basis::Fitted => {}
    }
    if fitted.by_brokers.basis == Basis::Assumed {
        remarks.push(
            "no knees of one load on different numbers of brokers: each broker is taken to give \
             what one gives, less the work of replication"
                .to_owned(),
        );
    }
    for knee in knees {
        if knee.left_out > 0 {
            remarks.push(format!(
                "{}: {} trials were void, met errors or were overloaded, and are not in the fit",
                knee.name, knee.left_out
            ));
        }
        let says = match knee.limit.as_str() {
            "generator" => "the generator, so that the broker near its limit was not seen",
            "processors" => {
                "processors that others use, so that the latencies are those of a \
                             crowded machine"
            }
            "unknown" => "not known",
            _ => continue,
        };
        remarks.push(format!("{}: the limit was {says}", knee.name));
    }
    let misses = [&fitted.response, &fitted.end_to_end].into_iter().flat_map(|one| &one.fitted);
    let most = misses.map(|one| one.residual).fold(0.0, f64::max);
    if most > LATENCY_MISS_MAX {
        remarks.push(format!(
            "half of the latencies miss the queue's model by {:.0} % or more: the knees are of \
             loads that differ in more than how busy the broker was, or of a crowded machine; plan \
             with the knee alone that is most like the load",
            most * 100.0
        ));
    }
    let mut kernels: Vec<&String> = knees.iter().map(|knee| &knee.kernel).collect();
    kernels.dedup();
    if kernels.len() > 1 {
        remarks.push("the knees were measured under different kernels".to_owned());
    }
    remarks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::simulated::Load;

    fn knees(loads: &[Load]) -> Vec<Knee> {
        let knee = |(number, load): (usize, &Load)| {
            Knee::of_json(&format!("{number}.json"), &load.knee(number as u64, 0.0)).unwrap()
        };
        loads.iter().enumerate().map(knee).collect()
    }

    #[test]
    fn one_knee_says_what_it_does_not_tell() {
        let fitted = Fitted::of(&knees(&[Load::default()])).unwrap();
        assert_eq!(fitted.by_cores.basis, Basis::Assumed);
        assert!(fitted.remarks.iter().any(|one| one.contains("1, 2 and 4 cores")));
        assert_eq!(fitted.by_brokers.efficiency(10.0), 1.0);
        assert!((fitted.response.ms(0.99, 0.5).unwrap() - (0.8 + 4.6 * 0.2)).abs() < 1e-6);
        assert!(fitted.end_to_end.fitted.is_empty() && fitted.others.len() == 3);
    }

    #[test]
    fn cores_of_a_known_law_are_found_again() {
        let sized = [1, 2, 4].map(|cores| Load { cores, sigma: 0.1, ..Load::default() });
        let fitted = Fitted::of(&knees(&sized)).unwrap();
        assert_eq!(fitted.by_cores.basis, Basis::Fitted);
        assert!((fitted.by_cores.sigma - 0.1).abs() < 0.01, "{:?}", fitted.by_cores);
        assert_eq!(fitted.by_cores.measured, (1.0, 4.0));
        // What one core would need, from broker processors that contention made more.
        assert!(fitted.cores.residual < 0.02, "{:?}", fitted.cores);
    }

    #[test]
    fn limits_that_are_not_the_brokers_are_said() {
        let mut all = knees(&[Load::default()]);
        all[0].limit = "generator".to_owned();
        all[0].left_out = 2;
        let remarks = Fitted::of(&all).unwrap().remarks.join("\n");
        assert!(remarks.contains("the limit was the generator") && remarks.contains("2 trials"));
    }
}
