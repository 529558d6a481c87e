//! One picture per family: for each workload the rows as bars, each as long as its part of the
//! longest one.

use crate::{
    FamilyResult, report,
    workloads::{Contender, Runtime, Server},
};
use anyhow::anyhow;
use plotters::prelude::*;
use std::path::Path;

const WIDTH: u32 = 760;
const NAME_WIDTH: i32 = 210;
const VALUE_WIDTH: i32 = 150;
const LINE: i32 = 20;
const MARGIN: i32 = 12;
/// In the units of plotters, which makes pixels of them by 1 / 1.24.
const SMALL: i32 = 15;
const LARGE: i32 = 17;

pub fn draw(family: &FamilyResult, path: &Path) -> anyhow::Result<()> {
    let groups: Vec<(&str, Vec<(Contender, f64)>)> = family
        .workloads
        .iter()
        .map(|workload| {
            let measured = workload.rows.iter().filter(|row| !row.samples.is_empty());
            let bars = measured
                .map(|row| (row.contender, report::pictured(&row.samples, family.pictured)));
            (workload.workload.what, bars.filter(|(_, value)| value.is_finite()).collect())
        })
        .collect();
    let lines: usize = groups.iter().map(|(_, bars)| bars.len() + 1).sum::<usize>() + 1;
    let height = lines as i32 * LINE + groups.len() as i32 * LINE / 2 + 2 * MARGIN;
    let area = SVGBackend::new(path, (WIDTH, height as u32)).into_drawing_area();
    let failed = |error: &dyn std::fmt::Display| anyhow!("cannot draw {}: {error}", path.display());
    area.fill(&WHITE).map_err(|error| failed(&error))?;
    let mut y = MARGIN;
    let text = |what: String, x: i32, y: i32, size: i32, colour: RGBColor| {
        area.draw(&Text::new(what, (x, y), ("sans-serif", size).into_font().color(&colour)))
    };
    let grey = RGBColor(90, 90, 90);
    text(report::pictured_unit(family.pictured).to_owned(), MARGIN, y, SMALL, grey)
        .map_err(|error| failed(&error))?;
    y += LINE;
    for (what, bars) in groups {
        y += LINE / 2;
        text(what.to_owned(), MARGIN, y, LARGE, BLACK).map_err(|error| failed(&error))?;
        y += LINE;
        let longest = bars.iter().map(|(_, value)| *value).fold(f64::MIN_POSITIVE, f64::max);
        let first = bars.first().map_or(f64::NAN, |(_, value)| *value);
        for (contender, value) in bars {
            let room = WIDTH as i32 - 2 * MARGIN - NAME_WIDTH - VALUE_WIDTH;
            let (start, length) =
                (MARGIN + NAME_WIDTH, (f64::from(room) * value / longest).max(1.0) as i32);
            text(contender.to_string(), MARGIN, y, SMALL, BLACK).map_err(|error| failed(&error))?;
            let bar = Rectangle::new(
                [(start, y + 1), (start + length, y + LINE - 6)],
                colour(contender.server).filled(),
            );
            area.draw(&bar).map_err(|error| failed(&error))?;
            let of_first =
                if value == first { String::new() } else { format!("  ×{:.2}", value / first) };
            let label = format!("{}{of_first}", digits(value));
            text(label, start + length + 6, y, SMALL, BLACK).map_err(|error| failed(&error))?;
            y += LINE;
        }
    }
    area.present().map_err(|error| failed(&error))
}

/// Three digits that say something.
fn digits(value: f64) -> String {
    let decimals = (2.0 - value.abs().max(1e-6).log10().floor()).clamp(0.0, 6.0) as usize;
    format!("{value:.decimals$}")
}

fn colour(server: Server) -> RGBColor {
    match server {
        Server::Kafka => RGBColor(150, 150, 150),
        Server::Against => RGBColor(190, 160, 110),
        Server::Millstream => RGBColor(30, 110, 190),
        Server::MillstreamEpoll => RGBColor(120, 170, 220),
        Server::Sink(Runtime::Bare, _) => RGBColor(70, 160, 90),
        Server::Sink(Runtime::Tokio, _) => RGBColor(140, 190, 90),
        Server::Sink(Runtime::Glommio, _) => RGBColor(190, 200, 90),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_three_digits() {
        assert_eq!([0.04213, 4.2, 123.4, 1234.5].map(digits), ["0.0421", "4.20", "123", "1234"]);
    }
}
