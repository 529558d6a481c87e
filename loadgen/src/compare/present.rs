//! A comparison for people and for programs: table, JSON, page. Pure.

use super::{
    Comparison, Row, Side,
    judge::{Finding, Verdict},
    level,
    result::Kind,
};
use crate::report::{
    chart::{SERIES_MAX, Series, escaped, number},
    html::{self as pages, curve, percentile_chart},
};
use serde_json::{Value, json as value};

impl Row {
    /// In one word, or three.
    pub fn words(&self) -> &'static str {
        match (self.verdict.finding, self.figure.kind) {
            (Finding::NoneShown, _) => "no difference shown",
            (Finding::More, Kind::Rate) | (Finding::Less, Kind::Latency { .. }) => "faster",
            (Finding::Less, Kind::Rate) | (Finding::More, Kind::Latency { .. }) => "slower",
            (Finding::More, Kind::Errors) => "more errors",
            (Finding::Less, Kind::Errors) => "fewer errors",
            (Finding::More, Kind::Share) => "busier",
            (Finding::Less, Kind::Share) => "less busy",
        }
    }

    fn is_worse(&self) -> bool {
        matches!(self.words(), "slower" | "more errors")
    }

    fn is_better(&self) -> bool {
        matches!(self.words(), "faster" | "fewer errors")
    }

    fn percent(&self) -> Option<f64> {
        (self.before != 0.0).then(|| self.verdict.difference / self.before.abs() * 100.0)
    }

    fn difference(&self) -> String {
        let sign = if self.verdict.difference > 0.0 { "+" } else { "" };
        let percent = self.percent().map_or(String::new(), |percent| format!(" ({percent:+.1} %)"));
        format!("{sign}{}{percent}", number(self.verdict.difference))
    }

    fn noise(&self) -> String {
        let Verdict { low, high, .. } = self.verdict;
        let side = |bound: f64| match bound {
            bound if bound.is_finite() && bound > 0.0 => format!("+{}", number(bound)),
            bound if bound.is_finite() => number(bound),
            _ => "?".to_owned(),
        };
        if low.is_finite() || high.is_finite() {
            format!("{} to {}", side(low), side(high))
        } else {
            "not known".to_owned()
        }
    }
}

fn said_of_level(before: &Side, after: &Side) -> String {
    let percent = level(before, after).percent;
    format!("The difference lies within these bounds with {percent} % confidence.")
}

impl Side {
    fn names(&self) -> String {
        self.runs.iter().map(|run| run.name.as_str()).collect::<Vec<_>>().join(", ")
    }
}

const HEADS: [&str; 6] = ["", "verdict", "before", "after", "difference", "lies within"];

fn cells(row: &Row) -> [String; 6] {
    [
        row.figure.name.to_owned(),
        row.words().to_owned(),
        number(row.before),
        number(row.after),
        row.difference(),
        row.noise(),
    ]
}

pub fn table(comparison: &Comparison) -> String {
    let mut lines = Vec::new();
    for (after, rows) in &comparison.after {
        lines.push(format!("\nbefore: {}", comparison.before.names()));
        lines.push(format!("after:  {}\n", after.names()));
        let line = |[name, verdict, before, after, difference, noise]: [&str; 6]| {
            format!("{name:<20}{verdict:<20}{before:>11}{after:>11}{difference:>20}{noise:>20}")
        };
        lines.push(line(HEADS));
        lines.extend(rows.iter().map(cells).map(|row| line(row.each_ref().map(String::as_str))));
        lines.push(format!("\n{}", said_of_level(&comparison.before, after)));
    }
    if !comparison.different.is_empty() {
        lines.push("\nDifferent options:".to_owned());
        let line =
            |(name, values): &(String, Vec<String>)| format!("  {name:<20} {}", values.join(" | "));
        lines.extend(comparison.different.iter().map(line));
    }
    lines.extend(comparison.remarks.iter().map(|remark| format!("\nNote: {remark}.")));
    lines.join("\n")
}

pub fn json(comparison: &Comparison) -> Value {
    let files = |side: &Side| side.runs.iter().map(|run| run.name.clone()).collect::<Vec<_>>();
    let finite = |bound: f64| bound.is_finite().then_some(bound);
    let figure = |row: &Row| {
        value!({
            "figure": row.figure.name,
            "before": row.before,
            "after": row.after,
            "difference": row.verdict.difference,
            "difference_percent": row.percent(),
            "difference_low": finite(row.verdict.low),
            "difference_high": finite(row.verdict.high),
            "verdict": row.words(),
        })
    };
    let compared = |(after, rows): &(Side, Vec<Row>)| {
        value!({
            "after": files(after),
            "confidence_percent": level(&comparison.before, after).percent,
            "figures": rows.iter().map(figure).collect::<Vec<_>>(),
        })
    };
    value!({
        "before": files(&comparison.before),
        "comparisons": comparison.after.iter().map(compared).collect::<Vec<_>>(),
        "different_options": comparison
            .different
            .iter()
            .map(|(name, values)| (name.clone(), value!(values)))
            .collect::<serde_json::Map<_, _>>(),
        "remarks": comparison.remarks,
    })
}

pub fn html(comparison: &Comparison) -> String {
    let all: Vec<&Row> = comparison.after.iter().flat_map(|(_, rows)| rows).collect();
    let count = |is: fn(&Row) -> bool| all.iter().filter(|row| is(row)).count();
    let (worse, better) = (count(Row::is_worse), count(Row::is_better));
    let (class, figure) = match (worse, better) {
        (0, 0) => ("", "No difference shown".to_owned()),
        (0, better) => ("good", format!("{better} better")),
        (worse, 0) => ("bad", format!("{worse} worse")),
        (worse, better) => ("bad", format!("{worse} worse, {better} better")),
    };
    let mut body = format!(
        "<p class=\"kicker\">loadgen compare</p>\n<h1><span class=\"figure {class}\">{figure}\
         </span> {} {} figures</h1>\n",
        if worse + better > 0 { "of" } else { "in" },
        all.len()
    );
    for (after, rows) in &comparison.after {
        body += &format!(
            "<p class=\"sub\">before: {}<br/>after: {}</p>\n",
            escaped(&comparison.before.names()),
            escaped(&after.names())
        );
        let row = |row: &Row| {
            let class = match (row.is_worse(), row.is_better()) {
                (true, _) => "status bad",
                (_, true) => "status good",
                _ => "note",
            };
            let mut cells = cells(row).map(|cell| escaped(&cell));
            cells[1] = format!("<span class=\"{class}\">{}</span>", cells[1]);
            cells.to_vec()
        };
        body += &pages::table(&HEADS, &rows.iter().map(row).collect::<Vec<_>>());
        let said = said_of_level(&comparison.before, after);
        body += &format!("<p class=\"note\">{said}</p>\n");
    }
    body += &pages::remarks(&comparison.remarks);
    body += &response_chart(comparison);
    if !comparison.different.is_empty() {
        let rows: Vec<Vec<String>> = comparison
            .different
            .iter()
            .map(|(name, values)| vec![escaped(name), escaped(&values.join(" | "))])
            .collect();
        body += "<h2>Different options</h2>\n";
        body += &pages::table(&["", "in the order of the files"], &rows);
    }
    pages::page("loadgen: runs compared", &body)
}

/// A curve for each run, in the colour of its side; the first of a side bears the label.
fn response_chart(comparison: &Comparison) -> String {
    let sides = [&comparison.before].into_iter().chain(comparison.after.iter().map(|(s, _)| s));
    let mut series = Vec::new();
    for (colour, side) in sides.enumerate().take(SERIES_MAX) {
        let side_name = match (colour, comparison.after.len()) {
            (0, _) => "before".to_owned(),
            (_, 1) => "after".to_owned(),
            (number, _) => format!("after {number}"),
        };
        for (index, histogram) in side.runs.iter().filter_map(|run| run.response()).enumerate() {
            series.push(Series {
                name: if index == 0 { side_name.clone() } else { String::new() },
                colour,
                is_dashed: colour > 0,
                points: curve(histogram),
            });
        }
    }
    if series.is_empty() {
        return String::new();
    }
    let chart = percentile_chart("response", "Response time by percentile", series).figure();
    format!("<h2>Percentiles</h2>\n{chart}")
}
