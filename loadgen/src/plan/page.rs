//! The page of a plan: one file that opens without a network. Pure.

use super::{
    Plan,
    answer::State,
    knees::Knee,
    model::Fit,
    present::{PERCENTILES, amount, percent, untold_words},
    queue::UTILISATION_MAX,
};
use crate::{
    knee::Metric,
    report::{
        chart::{Band, Chart, Scale, Series, escaped, number},
        html::{axis, page, remarks, table},
    },
};

/// Points of a predicted curve.
const STEPS: u32 = 95;
/// Measured points that are drawn.
const DOTS_MAX: usize = 500;

pub fn html(plan: &Plan) -> String {
    let answer = &plan.answer;
    let class = if answer.gaps.is_empty() { "good" } else { "bad" };
    let brokers = if answer.brokers == 1 { "broker" } else { "brokers" };
    let mut body = format!(
        "<p class=\"kicker\">loadgen plan</p>\n<h1><span class=\"figure {class}\">{} {brokers}\
         </span> {}</h1>\n",
        answer.brokers,
        escaped(&plan.sentence())
    );
    body += &format!(
        "<p class=\"sub\">{}, times {}; {}</p>\n",
        escaped(&plan.demand.name),
        number(plan.site.scale),
        escaped(&headline(plan))
    );
    body += &remarks(&plan.remarks);
    body += "<h2>What each broker is used</h2>\n";
    body += &used_table(plan);
    body += &nodes_chart(plan).figure();
    body += "<h2>Latency</h2>\n";
    body += &latency_table(plan);
    body += &latency_chart(plan).figure();
    body += "<p class=\"note\">Lines: predicted. Dots: p99 of each trial of the knees. Shaded: \
             the plan, with the zones away.</p>\n";
    if let Some(currency) = &plan.currency {
        body += &format!("<h2>Price, {} per month</h2>\n", escaped(currency));
        body += &offers_table(plan);
    }
    body += "<h2>What it rests on</h2>\n";
    let fits = [&plan.fitted.cores].into_iter().chain(&plan.fitted.others);
    body += &fits.map(fit_table).collect::<String>();
    let names: Vec<&str> = plan.knees.iter().map(|knee| knee.name.as_str()).collect();
    body += &format!("<p class=\"note\">Knees: {}</p>\n", escaped(&names.join(", ")));
    page("loadgen: a plan", &body)
}

fn headline(plan: &Plan) -> String {
    let growth = if plan.answer.grows_by.is_finite() {
        format!("the {} saturates first, {} more", plan.answer.first, percent(plan.answer.grows_by))
    } else {
        "nothing saturates".to_owned()
    };
    format!(
        "{growth}; {} zones of which {} may be away; error {}",
        plan.site.zones,
        plan.site.zones_down,
        percent(plan.answer.error)
    )
}

fn used_table(plan: &Plan) -> String {
    let (all_up, down) = (&plan.answer.all_up, &plan.answer.down);
    let heads = [format!("{} up", all_up.brokers), format!("{} up", down.brokers)];
    let share = |share: Option<f64>| share.map_or("-".to_owned(), percent);
    let rows: Vec<Vec<String>> = all_up
        .used
        .iter()
        .zip(&down.used)
        .map(|(up, away)| {
            vec![
                up.name.to_owned(),
                escaped(&amount(up)),
                share(up.share),
                escaped(&amount(away)),
                share(away.share),
            ]
        })
        .collect();
    table(&["busiest broker", &heads[0], "of it", &heads[1], "of it"], &rows)
}

/// Each resource with the zones away, over the number of brokers in all.
fn nodes_chart(plan: &Plan) -> Chart {
    let answer = &plan.answer;
    let site = &plan.site;
    let in_all = |state: &State| {
        let share = f64::from(site.zones) / f64::from(site.zones - site.zones_down);
        f64::from(state.brokers) * share
    };
    let names: Vec<&str> = answer.down.used.iter().map(|used| used.name).collect();
    let mut series = Vec::new();
    for name in names {
        let of = |state: &State| {
            let used = state.used.iter().find(|used| used.name == name)?;
            Some(used.share? * 100.0)
        };
        let points: Vec<_> = answer.curve.iter().map(|state| (in_all(state), of(state))).collect();
        if points.iter().any(|(_, y)| y.is_some()) {
            let colour = series.len();
            series.push(Series { name: name.to_owned(), colour, is_dashed: false, points });
        }
    }
    let allowed = answer.utilisation_max.min(1.0 - site.headroom) * 100.0;
    let edge = |state: &State| (in_all(state), Some(allowed));
    series.push(Series {
        name: "allowed".to_owned(),
        colour: 5,
        is_dashed: true,
        points: answer.curve.iter().map(edge).collect(),
    });
    let planned = f64::from(answer.brokers);
    Chart {
        id: "nodes".to_owned(),
        title: "Use of each resource over the number of brokers, with the zones away".to_owned(),
        description: format!("Percent of each resource; the plan has {planned} brokers."),
        x: axis("brokers in all", Scale::Linear, None),
        y: axis("%", Scale::Linear, None),
        series,
        bands: vec![around(planned, f64::from(site.zones) / 8.0)],
    }
}

/// Where the plan stands on an axis.
fn around(planned: f64, half: f64) -> Band {
    Band { from: planned - half, until: planned + half, label: "the plan".to_owned() }
}

fn latency_table(plan: &Plan) -> String {
    let rows: Vec<Vec<String>> = plan
        .site
        .slos
        .iter()
        .map(|slo| {
            let ms = |state: &State| {
                plan.predicted(slo, state).map_or("-".to_owned(), |ms| format!("{ms:.2} ms"))
            };
            vec![escaped(&slo.to_string()), ms(&plan.answer.all_up), ms(&plan.answer.down)]
        })
        .collect();
    table(&["level", "all up", "zones away"], &rows)
}

fn metric(plan: &Plan) -> Metric {
    plan.site.slos.first().map_or(Metric::Response, |slo| slo.metric)
}

fn latency_chart(plan: &Plan) -> Chart {
    let metric = metric(plan);
    let latency = plan.fitted.latency(metric);
    let mut series = Vec::new();
    for (name, quantile) in PERCENTILES {
        let at = |step: u32| f64::from(step) / f64::from(STEPS) * UTILISATION_MAX;
        let points: Vec<_> = (0..=STEPS)
            .map(|step| (at(step) * 100.0, latency.ms(quantile, at(step))))
            .filter(|(_, ms)| ms.is_some())
            .collect();
        if !points.is_empty() {
            let colour = series.len();
            series.push(Series { name: name.to_owned(), colour, is_dashed: false, points });
        }
    }
    series.push(measured(plan, metric));
    if let Some(slo) = plan.site.slos.first() {
        let bound = slo.bound.as_secs_f64() * 1e3;
        let points = vec![(0.0, Some(bound)), (UTILISATION_MAX * 100.0, Some(bound))];
        let name = "level".to_owned();
        series.push(Series { name, colour: 5, is_dashed: true, points });
    }
    let planned = plan.answer.down.utilisation * 100.0;
    Chart {
        id: "latency".to_owned(),
        title: "Latency over the use of the busiest resource".to_owned(),
        description: format!(
            "Milliseconds on a log axis; the plan's busiest broker is used {planned:.0} % with the \
             zones away."
        ),
        x: axis("% used", Scale::Linear, Some((0.0, 100.0))),
        y: axis("ms, log", Scale::Log, None),
        series,
        bands: vec![around(planned, 0.5)],
    }
}

/// Dots: each value with a gap behind it.
fn measured(plan: &Plan, metric: Metric) -> Series {
    let mut points = Vec::new();
    for knee in &plan.knees {
        for trial in &knee.trials {
            let known = Knee::percentiles(trial, metric);
            let p99 = known.iter().find(|(share, _)| *share == 0.99);
            if let (Some((_, ms)), Some(used)) = (p99, knee.utilisation(trial)) {
                points.push((used.min(1.0) * 100.0, *ms));
            }
        }
    }
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    points.truncate(DOTS_MAX);
    let dots = points.into_iter().flat_map(|(x, y)| [(x, Some(y)), (x, None)]);
    // Without a label, whose line would cross the others: the note below says what they are.
    Series { name: String::new(), colour: 3, is_dashed: false, points: dots.collect() }
}

fn offers_table(plan: &Plan) -> String {
    let rows: Vec<Vec<String>> = plan
        .offers
        .iter()
        .map(|offer| {
            let money = |sum: f64| format!("{sum:.2}");
            vec![
                escaped(&offer.machine.name),
                offer.brokers.to_string(),
                number(offer.machine.cores),
                money(offer.per_month[0]),
                money(offer.per_month[1]),
                money(offer.per_month[2]),
                money(offer.sum()),
            ]
        })
        .collect();
    table(&["machine", "brokers", "cores", "machines", "disks", "between zones", "sum"], &rows)
}

fn fit_table(fit: &Fit) -> String {
    let (unit, factor) = fit.resource.unit();
    let rows: Vec<Vec<String>> = fit
        .costs
        .iter()
        .map(|(column, cost)| {
            vec![column.name().to_owned(), format!("{} {unit}", number(cost * factor))]
        })
        .collect();
    let whole = fit.knee_left_out.map_or(String::new(), |(error, knees)| {
        format!(", of {knees} whole knees left out {}", percent(error))
    });
    let untold = untold_words(fit);
    let untold = match untold.is_empty() {
        true => String::new(),
        false => format!(" Not told: {}.", escaped(&untold.join("; "))),
    };
    let heads = [format!("{}: each", fit.resource.name()), "costs".to_owned()];
    format!(
        "{}<p class=\"note\">The fit misses {}, of trials left out {}{whole}; {} trials.{untold}\
         </p>\n",
        table(&[&heads[0], &heads[1]], &rows),
        percent(fit.residual),
        percent(fit.left_out),
        fit.trials
    )
}
