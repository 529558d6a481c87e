//! The page of a run: one file that opens without a network. Pure.
//!
//! It is written so that it is XML too, which a test reads. Never: holds a program, or a reference
//! to anything outside itself.

use super::{
    QUANTILES, Report,
    chart::{Axis, Band, Chart, SERIES_MAX, Scale, Series, escaped, number},
    json::{codec_name, date},
    ms,
};
use crate::{
    options::{Acks, Rate, RunOptions},
    timeline::Point,
    verify::Verdict,
};
use hdrhistogram::Histogram;
use std::{collections::BTreeMap, time::Duration};

const STYLE: &str = include_str!("page.css");
/// The curve of percentiles goes from half to all but one of this many.
const CURVE: (f64, f64) = (2.0, 1e5);
/// Rates and percentiles of less are not drawn.
const WHOLE_MIN: Duration = Duration::from_millis(500);
const CURVE_STEPS: u32 = 96;
/// Milliseconds; the same in every report, so that two can be laid side by side.
const CURVE_RANGE_MS: (f64, f64) = (0.01, 100_000.0);

/// A whole document.
pub fn page(title: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n{body}</main>\n\
         </body>\n</html>\n",
        escaped(title)
    )
}

/// What a run leaves that did not come to its load.
pub fn failed(options: &RunOptions, error: &anyhow::Error) -> String {
    let body = format!(
        "<h1><span class=\"figure bad\">Failed</span> the load did not begin</h1>\n<p>{}</p>\n\
         <p class=\"sub\">topic {}</p>\n",
        escaped(&format!("{error:#}")),
        escaped(&options.topic)
    );
    page("loadgen: the run failed", &body)
}

/// A table whose first cell of each row is its heading. Cells are HTML.
pub fn table(heads: &[&str], rows: &[Vec<String>]) -> String {
    let head: String = heads.iter().map(|head| format!("<th scope=\"col\">{head}</th>")).collect();
    let row = |cells: &Vec<String>| {
        let mut cells = cells.iter();
        let first =
            cells.next().map_or(String::new(), |cell| format!("<th scope=\"row\">{cell}</th>"));
        let rest: String = cells.map(|cell| format!("<td>{cell}</td>")).collect();
        format!("<tr>{first}{rest}</tr>\n")
    };
    let rows: String = rows.iter().map(row).collect();
    let class = if heads.len() > 2 { "figures" } else { "pairs" };
    format!(
        "<div class=\"scroll\"><table class=\"{class}\">\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody>\n\
         </table></div>\n"
    )
}

pub fn remarks(remarks: &[String]) -> String {
    if remarks.is_empty() {
        return String::new();
    }
    let items: String = remarks.iter().map(|one| format!("<li>{}.</li>\n", escaped(one))).collect();
    format!("<ul class=\"remarks\">\n{items}</ul>\n")
}

pub fn axis(caption: &str, scale: Scale, range: Option<(f64, f64)>) -> Axis {
    Axis { caption: caption.to_owned(), scale, range, ticks: Vec::new() }
}

/// Of a run, or of several that are compared: curves of percentiles over the same axes.
pub fn percentile_chart(id: &str, title: &str, series: Vec<Series>) -> Chart {
    let ticks = [(2.0, "50"), (10.0, "90"), (1e2, "99"), (1e3, "99.9"), (1e4, "99.99")];
    let ticks = ticks.into_iter().chain([(1e5, "99.999")]);
    let names: Vec<&str> =
        series.iter().map(|one| one.name.as_str()).filter(|name| !name.is_empty()).collect();
    Chart {
        id: id.to_owned(),
        title: title.to_owned(),
        description: format!(
            "Milliseconds at each percentile from 50 to 99.999, both on log axes: {}.",
            names.join(", ")
        ),
        x: Axis {
            ticks: ticks.map(|(x, label)| (x, label.to_owned())).collect(),
            ..axis("percentile", Scale::Log, Some(CURVE))
        },
        y: axis("ms, log", Scale::Log, Some(CURVE_RANGE_MS)),
        series,
        bands: Vec::new(),
    }
}

/// The curve ends where less than one value is beyond.
pub fn curve(histogram: &Histogram<u64>) -> Vec<(f64, Option<f64>)> {
    let (from, until) = CURVE;
    let values = histogram.len() as f64;
    (0..=CURVE_STEPS)
        .map(|step| from * (until / from).powf(f64::from(step) / f64::from(CURVE_STEPS)))
        .take_while(|beyond| *beyond <= values.max(from) && values > 0.0)
        .map(|beyond| (beyond, Some(ms(histogram.value_at_quantile(1.0 - 1.0 / beyond)))))
        .collect()
}

fn acks_name(acks: Acks) -> &'static str {
    match acks {
        Acks::None => "0",
        Acks::Leader => "1",
        Acks::All => "all",
    }
}

impl Report {
    pub fn html(&self) -> String {
        let mut body = self.heading();
        body += &remarks(&self.remarks());
        body += "<h2>Over time</h2>\n";
        if !self.outages().0.is_empty() {
            body += "<p class=\"note\">Shaded: nothing was acknowledged although records were \
                     due.</p>\n";
        }
        body += &self.time_charts().iter().map(Chart::figure).collect::<String>();
        if self.tallies.errors_by_code.is_empty() && self.tallies.fetch_errors == 0 {
            body += "<p class=\"note\">No errors.</p>\n";
        }
        body += "<h2>Percentiles</h2>\n";
        let kinds = self.kinds();
        let lines = kinds.iter().enumerate().map(|(colour, (name, histogram))| Series {
            name: (*name).to_owned(),
            colour,
            is_dashed: *name == "end to end",
            points: curve(histogram),
        });
        body += &percentile_chart("percentiles", "Latency by percentile", lines.collect()).figure();
        body += "<p class=\"note\">Service: from sending to the answer. Response: from when the \
                 record was due. End to end: from when it was due to its arrival at a consumer. A \
                 curve ends where fewer than one value lies beyond.</p>\n";
        body += &self.latency_table();
        body += "<h2>Result</h2>\n";
        body += &self.result_table();
        body += &self.outage_table();
        body += &self.details_html();
        body += "<h2>To repeat it</h2>\n";
        body += &self.settings();
        page("loadgen: a run", &body)
    }

    fn kinds(&self) -> Vec<(&'static str, &Histogram<u64>)> {
        [
            ("service", &self.tallies.service),
            ("response", &self.tallies.response),
            ("end to end", &self.tallies.end_to_end),
        ]
        .into_iter()
        .filter(|(_, histogram)| !histogram.is_empty())
        .collect()
    }

    /// The one figure that matters: with a rate, how late answers come; else how many there are.
    fn heading(&self) -> String {
        let (options, response) = (&self.options, &self.tallies.response);
        let rate = self.per_second(self.records());
        let rate_text = rate.map_or("no".to_owned(), |rate| number(rate.round()));
        let done = if options.consume_only { "consumed" } else { "acknowledged" };
        let (figure, what) = match options.rate {
            Rate::PerSecond(asked) if !options.consume_only && !response.is_empty() => (
                format!("{} ms", number(ms(response.value_at_quantile(0.99)))),
                format!(
                    "p99 response time at {rate_text} records/s {done} of {} asked for",
                    number(asked)
                ),
            ),
            _ => (format!("{rate_text} records/s"), done.to_owned()),
        };
        let began = self.environment.began_ms.and_then(date).unwrap_or_default();
        let is_good = self.is_good();
        let outages = match self.outages().0.len() as u64 + self.outages().1 {
            0 => String::new(),
            1 => "; 1 outage".to_owned(),
            count => format!("; {count} outages"),
        };
        let verdict = match (is_good, self.verification.verdict) {
            (true, Verdict::NotChecked(_)) => "No errors; records were not verified".to_owned(),
            (true, _) => "No errors, verified".to_owned(),
            (false, _) => {
                format!("{} errors; verified: {}", number(self.errors() as f64), self.verdict())
            }
        };
        format!(
            "<p class=\"kicker\">loadgen run · {}</p>\n<h1><span class=\"figure\">{}</span> {}\
             </h1>\n<p class=\"sub\">{} B records, acks={}, topic {}, {} s measured</p>\n\
             <p class=\"status {}\">{}</p>\n",
            escaped(&began),
            escaped(&figure),
            escaped(&what),
            options.record_size,
            acks_name(options.acks),
            escaped(&options.topic),
            number(self.seconds),
            if is_good { "good" } else { "bad" },
            escaped(&(verdict + &outages))
        )
    }

    fn time_chart(
        &self,
        id: &str,
        title: &str,
        y: Axis,
        lines: Vec<(&str, Vec<Option<f64>>)>,
    ) -> Chart {
        let points = self.tallies.timeline.points();
        let end_s = points.last().map_or(1.0, |last| (last.from + last.length).as_secs_f64());
        let names: Vec<&str> = lines.iter().map(|(name, _)| *name).collect();
        let measured_from = self.tallies.measure_from;
        let series = lines.iter().enumerate().map(|(colour, (name, values))| Series {
            name: (*name).to_owned(),
            colour,
            is_dashed: matches!(*name, "max" | "consumed"),
            points: points.iter().map(Point::middle_s).zip(values.iter().copied()).collect(),
        });
        let band = |outage: &crate::outages::Outage| Band {
            from: outage.from.since(measured_from).as_secs_f64(),
            until: outage.until.since(measured_from).as_secs_f64(),
            label: "outage".to_owned(),
        };
        Chart {
            id: id.to_owned(),
            title: title.to_owned(),
            description: format!(
                "{} over {} s, one value each second or more: {}.",
                y.caption,
                number(end_s),
                names.join(", ")
            ),
            x: axis("s since measuring began", Scale::Linear, Some((0.0, end_s))),
            y,
            series: series.collect(),
            bands: self.outages().0.iter().map(band).collect(),
        }
    }

    fn time_charts(&self) -> Vec<Chart> {
        let points = self.tallies.timeline.points();
        // What is left at the end, after the load, is too short for a rate, and its percentiles
        // are those of few records.
        let is_whole = |point: &Point| point.length >= WHOLE_MIN || points.len() == 1;
        let rate = |point: &Point, count: u64| point.per_second(count).filter(|_| is_whole(point));
        let quantile =
            |point: &Point, q: f64| point.response_ns(q).map(ms).filter(|_| is_whole(point));
        let of = |value: &dyn Fn(&Point) -> Option<f64>| points.iter().map(value).collect();
        let mut charts = Vec::new();
        if points.iter().any(|point| point.longest_ns().is_some()) {
            let lines = vec![
                ("p50", of(&|point| quantile(point, 0.5))),
                ("p99", of(&|point| quantile(point, 0.99))),
                ("max", of(&|point| point.longest_ns().map(ms))),
            ];
            let y = axis("ms, log", Scale::Log, None);
            charts.push(self.time_chart("latency", "Response time", y, lines));
        }
        let mut lines = Vec::new();
        if !self.options.consume_only {
            let values = of(&|point| rate(point, point.counts.acknowledged));
            lines.push(("acknowledged", values));
        }
        if self.tallies.consumed > 0 {
            lines.push(("consumed", of(&|point| rate(point, point.counts.consumed))));
        }
        let y = axis("records/s", Scale::Linear, None);
        charts.push(self.time_chart("throughput", "Throughput", y, lines));
        charts.extend(self.error_chart());
        if !self.options.consume_only {
            let lines = vec![("backlog", of(&|point| Some(point.gauges.backlog as f64)))];
            let y = axis("records", Scale::Linear, None);
            let title = "Due and not answered, at the end of each second";
            charts.push(self.time_chart("backlog", title, y, lines));
        }
        let lines = vec![("busy", of(&|point| point.gauges.busy.map(|busy| busy * 100.0)))];
        let y = axis("% of a processor", Scale::Linear, Some((0.0, 100.0)));
        charts.push(self.time_chart("busy", "The generator's own thread", y, lines));
        charts
    }

    /// The most frequent errors each, and the others together.
    fn error_chart(&self) -> Option<Chart> {
        let points = self.tallies.timeline.points();
        let mut names: Vec<(&str, u64)> =
            self.tallies.errors_by_code.iter().map(|(name, count)| (*name, *count)).collect();
        names.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        names.truncate(SERIES_MAX - 2);
        // What comes in less than a second is no higher rate for that.
        let rate =
            |point: &Point, count: u64| Some(count as f64 / point.length.as_secs_f64().max(1.0));
        let one = |name: &str| {
            let count = |point: &Point| point.counts.errors.get(name).copied().unwrap_or(0);
            points.iter().map(|point| rate(point, count(point))).collect::<Vec<_>>()
        };
        let mut lines: Vec<(&str, Vec<Option<f64>>)> =
            names.iter().map(|(name, _)| (*name, one(name))).collect();
        if self.tallies.errors_by_code.len() > names.len() {
            let is_other = |name: &str| names.iter().all(|(shown, _)| *shown != name);
            let count = |point: &Point| {
                let others = point.counts.errors.iter().filter(|(name, _)| is_other(name));
                others.map(|(_, count)| count).sum()
            };
            lines.push(("others", points.iter().map(|p| rate(p, count(p))).collect()));
        }
        if self.tallies.fetch_errors > 0 {
            let values = points.iter().map(|point| rate(point, point.counts.fetch_errors));
            lines.push(("fetches", values.collect()));
        }
        let y = axis("errors/s", Scale::Linear, None);
        (!lines.is_empty()).then(|| self.time_chart("errors", "Errors", y, lines))
    }

    fn latency_table(&self) -> String {
        let kinds = self.kinds();
        let heads: Vec<&str> = ["ms"].into_iter().chain(kinds.iter().map(|kind| kind.0)).collect();
        let row = |name: String, of: &dyn Fn(&Histogram<u64>) -> u64| {
            let cells = kinds.iter().map(|(_, histogram)| format!("{:.3}", ms(of(histogram))));
            [name].into_iter().chain(cells).collect()
        };
        let mut rows: Vec<Vec<String>> = QUANTILES
            .iter()
            .map(|(name, quantile)| {
                row(name.replace('_', "."), &|histogram| histogram.value_at_quantile(*quantile))
            })
            .collect();
        rows.push(row("max".to_owned(), &|histogram| histogram.max()));
        table(&heads, &rows)
    }

    fn result_table(&self) -> String {
        let tallies = &self.tallies;
        let rate = |count: u64, unit: f64, name: &str| {
            self.per_second(count)
                .map_or("-".to_owned(), |rate| format!("{} {name}", number(rate / unit)))
        };
        let count = |value: u64| number(value as f64);
        let mut rows = vec![
            ("throughput".to_owned(), rate(self.records(), 1.0, "records/s")),
            (String::new(), rate(self.bytes(), 1e6, "MB/s")),
            ("acknowledged".to_owned(), count(tallies.acknowledged)),
            ("consumed".to_owned(), count(tallies.consumed)),
            ("errors".to_owned(), count(self.errors())),
        ];
        let errors: BTreeMap<_, _> = tallies.errors_by_code.iter().collect();
        rows.extend(errors.iter().map(|(name, records)| (format!("… {name}"), count(**records))));
        rows.extend([
            ("unsent, for want of room".to_owned(), count(tallies.unsent)),
            ("fetch errors".to_owned(), count(tallies.fetch_errors)),
            ("leaders that moved".to_owned(), count(self.leader_moves)),
            ("verified".to_owned(), self.verdict()),
        ]);
        let rows: Vec<Vec<String>> =
            rows.into_iter().map(|(name, value)| vec![escaped(&name), escaped(&value)]).collect();
        table(&["", ""], &rows)
    }

    fn outage_table(&self) -> String {
        let (outages, left_out) = self.outages();
        if outages.is_empty() {
            return String::new();
        }
        let rows: Vec<Vec<String>> = outages
            .iter()
            .map(|outage| {
                let from = outage.from.since(self.tallies.measure_from).as_secs_f64();
                let length = outage.until.since(outage.from).as_secs_f64();
                let end = if outage.is_over { "acknowledged again" } else { "not over at the end" };
                vec![format!("{from:.3}"), format!("{length:.3}"), end.to_owned()]
            })
            .collect();
        let more = match left_out {
            0 => String::new(),
            more => format!("<p class=\"note\">and {more} more</p>\n"),
        };
        format!("<h2>Outages</h2>\n{}{more}", table(&["from, s", "length, s", "then"], &rows))
    }

    /// What was asked for, and what it came to on the wire.
    fn settings(&self) -> String {
        let (options, tallies) = (&self.options, &self.tallies);
        let machine = &self.environment.machine;
        let per_batch = |total: u64| match tallies.batches {
            0 => "-".to_owned(),
            batches => number(total as f64 / batches as f64),
        };
        let wire = self.wire.unwrap_or_default();
        let ratio = match tallies.acknowledged_bytes {
            0 => "-".to_owned(),
            bytes => number(tallies.wire_bytes as f64 / bytes as f64),
        };
        let rows = [
            (
                "API versions",
                format!("Produce v{}, Fetch v{}", wire.produce_version, wire.fetch_version),
            ),
            ("acks", acks_name(options.acks).to_owned()),
            (
                "batches, measured",
                format!(
                    "{} records, {} B each; {} of them (at most {} B and {} ms were asked for)",
                    per_batch(tallies.acknowledged),
                    per_batch(tallies.wire_bytes),
                    number(tallies.batches as f64),
                    number(options.batch_size as f64),
                    options.linger_ms
                ),
            ),
            (
                "compression",
                format!(
                    "{}; a batch takes {ratio} of what its values take",
                    codec_name(options.compression)
                ),
            ),
            ("in flight", format!("{} requests per connection", options.in_flight)),
            (
                "producer connections",
                format!(
                    "{}, idempotence {}",
                    options.connections,
                    if options.idempotence { "on" } else { "off" }
                ),
            ),
            ("consumer connections", options.consumers.to_string()),
            ("topic", format!("{}; partitions: {}", options.topic, options.partitions)),
            ("bootstrap", options.bootstrap.join(", ")),
            ("loadgen", format!("{}, {}", env!("CARGO_PKG_VERSION"), self.backend)),
            ("kernel", machine.kernel.clone()),
            ("processor", machine.processor.clone()),
            ("date", self.environment.began_ms.and_then(date).unwrap_or_default()),
        ];
        let items: String = rows
            .iter()
            .map(|(name, value)| format!("<dt>{name}</dt><dd>{}</dd>\n", escaped(value)))
            .collect();
        let workload = self.details.workload.as_ref().map_or(String::new(), |workload| {
            let text = escaped(&workload.toml());
            format!("<details><summary>as a workload file</summary><pre>{text}</pre></details>\n")
        });
        let command_line = escaped(&machine.command_line);
        format!("<pre>{command_line}</pre>\n<dl>\n{items}</dl>\n{workload}")
    }
}

#[cfg(test)]
pub use tests::check as check_for_tests;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{report::tests::report, tallies::Tallies, verify::Findings};
    use ring::Instant;

    const MS: u64 = 1_000_000;

    /// 30 s at 100 records/s, with an outage, refusals, and a topic of an odd name.
    fn eventful() -> Report {
        let mut tallies = Tallies::default();
        tallies.begin_timeline(Instant(0));
        for index in 0..3_000u64 {
            let due = [Instant(index * 10 * MS)];
            tallies.built(&due);
            let second = index / 100;
            match second {
                10..13 => tallies.unanswered(&due, Some(due[0]), "connection"),
                20 => tallies.refused(&due, "NOT_LEADER_OR_FOLLOWER"),
                _ => {
                    let latency = Duration::from_micros(500 + index % 97 * 40);
                    tallies.acknowledged(
                        crate::tallies::BatchSize { wire: 168, values: 100 * due.len() },
                        &due,
                        due[0],
                        due[0] + latency,
                    );
                }
            }
            if index % 100 == 99 {
                tallies.tick(Instant((second + 1) * 1_000 * MS), None, Some(0.3));
            }
        }
        tallies.close(Instant(30_000 * MS));
        let mut report = report("--rate 100 --duration 30s", tallies, 30.0, Findings::default());
        report.environment.machine.command_line = "loadgen run --x '<&\">'".to_owned();
        report
    }

    fn parse(page: &str) -> roxmltree::Document<'_> {
        let options =
            roxmltree::ParsingOptions { allow_dtd: true, ..roxmltree::ParsingOptions::default() };
        roxmltree::Document::parse_with_options(page, options)
            .unwrap_or_else(|error| panic!("{error}\n{page}"))
    }

    /// Well-formed, without references to the outside, and every id once.
    pub fn check(page: &str) {
        let document = parse(page);
        for banned in ["NaN", "http:", "https:", "url(", "@import", "<script", "src=", "href="] {
            assert!(!page.contains(banned), "{banned} in {page}");
        }
        let ids: Vec<&str> =
            document.descendants().filter_map(|node| node.attribute("id")).collect();
        let unique: std::collections::HashSet<_> = ids.iter().collect();
        assert_eq!(unique.len(), ids.len(), "{ids:?}");
        for drawing in document.descendants().filter(|node| node.has_tag_name("svg")) {
            let named = drawing.attribute("aria-labelledby").unwrap().split(' ');
            assert!(named.into_iter().all(|id| ids.contains(&id)));
        }
    }

    #[test]
    fn the_page_is_whole_and_stands_alone() {
        let page = eventful().html();
        check(&page);
        for part in [
            "p99 response time",
            "NOT_LEADER_OR_FOLLOWER",
            "connection",
            "Outages",
            "id=\"latency-wide-t\"",
            "id=\"percentiles-narrow-t\"",
            "class=\"band\"",
            "loadgen run --x '&lt;&amp;&quot;&gt;'",
        ] {
            assert!(page.contains(part), "{part}");
        }
    }

    #[test]
    fn empty_and_short_runs_have_a_page_too() {
        for line in ["", "--rate 5", "--consumers 1 --consume-only", "--acks 0"] {
            check(&report(line, Tallies::default(), 0.0, Findings::default()).html());
            let mut tallies = Tallies::default();
            tallies.acknowledged(
                crate::tallies::BatchSize { wire: 168, values: 100 },
                &[Instant(0)],
                Instant(0),
                Instant(5 * MS),
            );
            tallies.tick(Instant(300 * MS), None, None);
            check(&report(line, tallies, 0.3, Findings::default()).html());
        }
        let error = anyhow::anyhow!("no <broker> & no hope");
        check(&failed(&RunOptions::parse_for_tests(""), &error));
    }

    #[test]
    fn a_percentile_curve_rises_and_ends_with_its_samples() {
        let report = eventful();
        let points = curve(&report.tallies.response);
        let values: Vec<f64> = points.iter().map(|(_, y)| y.unwrap()).collect();
        assert!(values.is_sorted() && values.len() > 10, "{values:?}");
        assert!(points.iter().all(|(x, _)| (2.0..=3_000.0).contains(x)), "3,000 records");
        assert!(curve(&Tallies::default().response).is_empty());
    }
}
