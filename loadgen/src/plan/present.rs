//! A plan for the terminal and for programs: the table and the JSON. Pure.
//!
//! A figure that is not known is `null` in the JSON and absent from the table, never 0.

use super::{
    Offer, Plan,
    answer::{State, Used, plural, rounded},
    model::{Fit, Resource},
    queue::Latency,
    usl::{Basis, Scaling},
};
use crate::knee::{Metric, Slo};
use serde_json::{Value, json as value};

pub const PERCENTILES: [(&str, f64); 3] = [("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999)];

pub fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

/// With its unit, whatever resource it is of.
pub fn amount(used: &Used) -> String {
    match used.name {
        "disk" => format!("{} MB/s", rounded(used.amount / 1e6)),
        "network in" | "network out" => format!("{} Gbit/s", rounded(used.amount * 8.0 / 1e9)),
        "flushes" => format!("{} per second", rounded(used.amount)),
        _ => format!("{} of one", percent(used.amount)),
    }
}

impl Plan {
    /// What one broker needs of a resource, with its headroom.
    fn needed(&self, name: &str) -> Option<f64> {
        let most = [&self.answer.all_up, &self.answer.down].into_iter().flat_map(|one| &one.used);
        let most = most.filter(|used| used.name == name).map(|used| used.amount);
        Some(most.max_by(f64::total_cmp)? / (1.0 - self.site.headroom))
    }

    pub fn disk_needed(&self) -> Option<f64> {
        self.needed("disk")
    }

    /// The larger of both directions, bytes per second.
    pub fn network_needed(&self) -> Option<f64> {
        let both = [self.needed("network in"), self.needed("network out")];
        both.into_iter().flatten().max_by(f64::total_cmp)
    }

    /// "6 brokers with 8 cores, …".
    pub fn sentence(&self) -> String {
        let answer = &self.answer;
        let cores = answer.broker.cores;
        let mut parts =
            vec![if cores == 1.0 { "1 core".to_owned() } else { format!("{cores} cores") }];
        if let Some(disk) = self.disk_needed() {
            let kept = answer.kept_bytes / (1.0 - self.site.headroom) / 1e9;
            parts.push(format!(
                "a disk that writes {} MB/s and keeps {} GB",
                rounded(disk / 1e6),
                rounded(kept)
            ));
        }
        if let Some(network) = self.network_needed() {
            parts.push(format!("a network of {} Gbit/s", rounded(network * 8.0 / 1e9)));
        }
        let brokers = if answer.brokers == 1 { "1 broker" } else { "brokers" };
        let brokers = if answer.brokers == 1 {
            brokers.to_owned()
        } else {
            format!("{} {brokers}", answer.brokers)
        };
        format!("{brokers} with {}", parts.join(", "))
    }

    /// Of all topics together, without copies.
    pub fn partitions(&self) -> f64 {
        let cores = f64::from(self.answer.brokers) * self.answer.broker.cores;
        if self.demand.may_be_split {
            self.demand.partitions.max(cores)
        } else {
            self.demand.partitions
        }
    }

    fn grows(&self) -> String {
        let answer = &self.answer;
        let away = match self.site.zones_down {
            0 => String::new(),
            zones => format!(", with {zones} of {} zones away or none", self.site.zones),
        };
        if answer.grows_by.is_finite() {
            format!(
                "the {} saturates first{away}; headroom: the load may grow by {} until then",
                answer.first,
                percent(answer.grows_by)
            )
        } else {
            "nothing of this load saturates what was given".to_owned()
        }
    }

    /// The predicted percentile of a level, in a state.
    pub fn predicted(&self, slo: &Slo, state: &State) -> Option<f64> {
        self.fitted.latency(slo.metric).ms(1.0 - slo.late_max, state.utilisation)
    }
}

fn scaling_words(scaling: &Scaling, what: &str) -> String {
    let residual = scaling
        .residual
        .map_or(String::new(), |residual| format!(", residual {}", percent(residual)));
    match scaling.basis {
        Basis::Assumed if scaling.sigma == 0.0 => format!("over {what}: linear, not measured"),
        Basis::Assumed => format!(
            "over {what}: assumed, sigma {:.3}; measured on {} alone",
            scaling.sigma, scaling.measured.1
        ),
        _ => format!(
            "over {what}: sigma {:.4}, kappa {:.6}, lambda {} records/s{residual}, from {} knees \
             on {} to {}",
            scaling.sigma,
            scaling.kappa,
            rounded(scaling.lambda),
            scaling.points.len(),
            scaling.measured.0,
            scaling.measured.1
        ),
    }
}

fn fit_words(fit: &Fit) -> String {
    let (unit, factor) = fit.resource.unit();
    let costs: Vec<String> = fit
        .costs
        .iter()
        .filter(|(_, cost)| *cost > 0.0)
        .map(|(column, cost)| format!("{} {unit} per {}", rounded(cost * factor), column.name()))
        .collect();
    let others = fit.knee_left_out.map_or(String::new(), |(error, knees)| {
        format!(", of {knees} whole knees left out {}", percent(error))
    });
    format!(
        "{:<12} {}\n{:<15}misses {}, of trials left out {}{others}; {} trials",
        fit.resource.name(),
        costs.join(", "),
        "",
        percent(fit.residual),
        percent(fit.left_out),
        fit.trials
    )
}

pub fn untold_words(fit: &Fit) -> Vec<String> {
    let words = |one: &super::model::Untold| {
        let along: Vec<&str> = one.along_with.iter().map(|(column, _)| plural(*column)).collect();
        if along.is_empty() {
            format!("{}: no knee had any", plural(one.column))
        } else {
            format!("{}: not told apart from {}", plural(one.column), along.join(" and "))
        }
    };
    fit.untold.iter().map(words).collect()
}

pub fn table(plan: &Plan) -> String {
    let (answer, demand) = (&plan.answer, &plan.demand);
    let mut lines = vec![String::new()];
    for gap in &answer.gaps {
        lines.push(format!("!!! BEYOND WHAT WAS MEASURED: {}", gap.what));
    }
    lines.push(plan.sentence());
    lines.push(plan.grows());
    lines.push(format!(
        "for {} x {} records/s, {} MB/s written, {} MB/s read, {} partitions{} with {}",
        plan.site.scale,
        rounded(demand.records),
        rounded(demand.written_bytes * plan.site.scale / 1e6),
        rounded(demand.fetched_bytes * plan.site.scale / 1e6),
        plan.partitions(),
        if demand.may_be_split { " or more" } else { "" },
        if plan.site.copies == 1 {
            "1 copy".to_owned()
        } else {
            format!("{} copies", plan.site.copies)
        }
    ));
    for slo in &plan.site.slos {
        let ms = |state: &State| {
            plan.predicted(slo, state).map_or("-".to_owned(), |ms| format!("{ms:.2} ms"))
        };
        let away = match plan.site.zones_down {
            0 => String::new(),
            1 => format!(", {} with 1 zone away", ms(&answer.down)),
            zones => format!(", {} with {zones} zones away", ms(&answer.down)),
        };
        let misses = plan.fitted.latency(slo.metric).residual(1.0 - slo.late_max);
        let misses = misses.map_or(String::new(), |miss| {
            format!("; half of the trials miss the model by {} or more", percent(miss))
        });
        lines.push(format!("{slo}: predicted {}{away}{misses}", ms(&answer.all_up)));
    }
    let many =
        answer.brokers_at_error.map_or("no number of brokers".to_owned(), |many| match many {
            1 => "1 broker".to_owned(),
            many => format!("{many} brokers"),
        });
    lines.push(format!(
        "error of what the cores are used: {}; with more by it: {many}",
        percent(answer.error)
    ));
    lines.extend(used_lines(plan));
    lines.extend(offer_lines(plan));
    lines.push("\nWhat it rests on:".to_owned());
    let fits = [&plan.fitted.cores].into_iter().chain(&plan.fitted.others);
    lines.extend(fits.map(|fit| format!("  {}", fit_words(fit))));
    lines.extend(untold_words(&plan.fitted.cores).iter().map(|one| format!("{:<15}{one}", "")));
    lines.push(format!("  scaling      {}", scaling_words(&plan.fitted.by_cores, "cores")));
    lines.push(format!("{:<15}{}", "", scaling_words(&plan.fitted.by_brokers, "brokers")));
    lines.extend(latency_lines(&plan.fitted.response, "response"));
    lines.extend(latency_lines(&plan.fitted.end_to_end, "end to end"));
    lines.extend(plan.remarks.iter().map(|remark| format!("\nNote: {remark}.")));
    lines.join("\n")
}

fn used_lines(plan: &Plan) -> Vec<String> {
    let (all_up, down) = (&plan.answer.all_up, &plan.answer.down);
    let share = |used: &Used| used.share.map_or("-".to_owned(), percent);
    let heads = [
        "busiest broker".to_owned(),
        format!("{} up", all_up.brokers),
        String::new(),
        format!("{} up", down.brokers),
        String::new(),
    ];
    let line = |cells: &[String; 5]| {
        format!("{:<16}{:>18}{:>8}{:>18}{:>8}", cells[0], cells[1], cells[2], cells[3], cells[4])
    };
    let mut lines = vec![format!("\n{}", line(&heads).trim_end())];
    for (up, away) in all_up.used.iter().zip(&down.used) {
        let cells = [up.name.to_owned(), amount(up), share(up), amount(away), share(away)];
        lines.push(line(&cells));
    }
    lines.push(format!(
        "each is used up to {}: {}",
        percent(plan.answer.utilisation_max.min(1.0 - plan.site.headroom)),
        if plan.answer.utilisation_max < 1.0 - plan.site.headroom {
            plan.answer.why_utilisation.clone()
        } else {
            "the headroom that was asked for".to_owned()
        }
    ));
    lines
}

fn offer_lines(plan: &Plan) -> Vec<String> {
    let Some(currency) = &plan.currency else { return Vec::new() };
    let mut lines = vec![format!(
        "\n{:<24}{:>8}{:>8}{:>14}{:>12}{:>12}{:>14}",
        format!("{currency} per month"),
        "brokers",
        "cores",
        "machines",
        "disks",
        "zones",
        "sum"
    )];
    lines.extend(plan.offers.iter().map(|offer: &Offer| {
        format!(
            "{:<24}{:>8}{:>8}{:>14.2}{:>12.2}{:>12.2}{:>14.2}",
            offer.machine.name,
            offer.brokers,
            offer.machine.cores,
            offer.per_month[0],
            offer.per_month[1],
            offer.per_month[2],
            offer.sum()
        )
    }));
    lines
}

fn latency_lines(latency: &Latency, name: &str) -> Vec<String> {
    let line = |one: &super::queue::Fitted| {
        format!(
            "  {name:<12} p{}: {:.3} ms + {:.3} ms x u/(1-u), misses {}, {} trials",
            rounded(one.quantile * 100.0),
            one.base_ms,
            one.slope_ms,
            percent(one.residual),
            one.trials
        )
    };
    latency.fitted.iter().map(line).collect()
}

pub fn json(plan: &Plan) -> Value {
    let (answer, demand, site) = (&plan.answer, &plan.demand, &plan.site);
    let fits = [&plan.fitted.cores].into_iter().chain(&plan.fitted.others);
    let finite = |number: f64| number.is_finite().then_some(number);
    value!({
        "brokers": answer.brokers,
        "brokers_at_error": answer.brokers_at_error,
        "error_ratio": answer.error,
        "cores": answer.broker.cores,
        "words": plan.sentence(),
        "first_to_saturate": answer.first,
        "headroom_ratio": finite(answer.grows_by),
        "needed": {
            "disk_bytes_per_s": plan.disk_needed(),
            "disk_bytes": answer.kept_bytes / (1.0 - site.headroom),
            "network_bytes_per_s": plan.network_needed(),
        },
        "extrapolated": answer.gaps.iter()
            .map(|gap| value!({ "what": gap.what, "how": gap.how })).collect::<Vec<_>>(),
        "utilisation_max": answer.utilisation_max,
        "all_up": state_json(plan, &answer.all_up),
        "zones_down": state_json(plan, &answer.down),
        "load": {
            "name": demand.name,
            "scale": site.scale,
            "records_per_s": demand.records,
            "batches_error": demand.batches_error,
            "produce_requests_per_s": demand.produces,
            "written_bytes_per_s": demand.written_bytes,
            "fetched_bytes_per_s": demand.fetched_bytes,
            "partitions": plan.partitions(),
            "busiest_partition_share": demand.busiest_partition,
            "copies": site.copies,
        },
        "site": {
            "zones": site.zones,
            "zones_down": site.zones_down,
            "headroom": site.headroom,
            "slo": site.slos.iter().map(ToString::to_string).collect::<Vec<_>>(),
        },
        "fit": {
            "error_ratio": plan.fitted.cores.error(),
            "resources": fits.map(fit_json).collect::<Vec<_>>(),
            "over_cores": scaling_json(&plan.fitted.by_cores, answer.broker.cores),
            "over_brokers":
                scaling_json(&plan.fitted.by_brokers, f64::from(answer.down.brokers)),
            "response": latency_json(&plan.fitted.response),
            "end_to_end": latency_json(&plan.fitted.end_to_end),
        },
        "knees": plan.knees.iter().map(|knee| &knee.name).collect::<Vec<_>>(),
        "currency": plan.currency,
        "offers": plan.offers.iter().map(offer_json).collect::<Vec<_>>(),
        "remarks": plan.remarks,
    })
}

fn state_json(plan: &Plan, state: &State) -> Value {
    let used = |one: &Used| value!({ "name": one.name, "amount": one.amount, "share": one.share });
    let predicted = |metric: Metric| -> Value {
        let latency = plan.fitted.latency(metric);
        let at = |(name, quantile): &(&str, f64)| {
            (name.replace('.', "_"), value!(latency.ms(*quantile, state.utilisation)))
        };
        Value::Object(PERCENTILES.iter().map(at).collect())
    };
    value!({
        "brokers": state.brokers,
        "busiest_broker": state.used.iter().map(used).collect::<Vec<_>>(),
        "utilisation": state.utilisation,
        "between_zones_bytes_per_s": state.between_zones,
        "response_time_ms": predicted(Metric::Response),
        "end_to_end_ms": predicted(Metric::EndToEnd),
    })
}

fn fit_json(fit: &Fit) -> Value {
    let costs = fit.costs.iter().map(|(column, cost)| (column.name().to_owned(), value!(cost)));
    let unit = if fit.resource == Resource::Cores { "core seconds" } else { "bytes" };
    value!({
        "resource": fit.resource.name(),
        "unit": unit,
        "per": costs.collect::<serde_json::Map<_, _>>(),
        "not_told_apart": untold_words(fit),
        "residual": fit.residual,
        "left_out_error": fit.left_out,
        "knee_left_out_error": fit.knee_left_out.map(|(error, _)| error),
        "knees_left_out": fit.knee_left_out.map(|(_, knees)| knees),
        "trials": fit.trials,
    })
}

fn scaling_json(scaling: &Scaling, size: f64) -> Value {
    let interval = scaling.interval(size);
    value!({
        "basis": match scaling.basis {
            Basis::Assumed => "assumed",
            Basis::Amdahl => "two sizes",
            Basis::Fitted => "fitted",
        },
        "sigma": scaling.sigma,
        "kappa": scaling.kappa,
        "lambda": (!scaling.points.is_empty()).then_some(scaling.lambda),
        "residual": scaling.residual,
        "measured_from": scaling.measured.0,
        "measured_to": scaling.measured.1,
        "size": size,
        "efficiency": scaling.efficiency(size),
        "efficiency_low": interval.map(|(low, _)| low),
        "efficiency_high": interval.map(|(_, high)| high),
        "peak": scaling.peak(),
    })
}

fn latency_json(latency: &Latency) -> Value {
    let one = |fitted: &super::queue::Fitted| {
        value!({
            "percentile": fitted.quantile * 100.0,
            "base_ms": fitted.base_ms,
            "slope_ms": fitted.slope_ms,
            "residual": fitted.residual,
            "trials": fitted.trials,
        })
    };
    value!({
        "model": "base + slope * u / (1 - u), M/G/1",
        "measured_up_to": (!latency.fitted.is_empty()).then_some(latency.seen_up_to),
        "percentiles": latency.fitted.iter().map(one).collect::<Vec<_>>(),
    })
}

fn offer_json(offer: &Offer) -> Value {
    value!({
        "machine": offer.machine.name,
        "cores": offer.machine.cores,
        "brokers": offer.brokers,
        "machines_per_month": offer.per_month[0],
        "disks_per_month": offer.per_month[1],
        "zones_per_month": offer.per_month[2],
        "per_month": offer.sum(),
    })
}
