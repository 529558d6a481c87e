//! Charts. Pure: numbers in, the text of an SVG out. Colours and fonts are the page's.
//!
//! A chart is drawn twice, for wide and for narrow screens, so that its words keep their size; the
//! page shows one of the two. Lines are labelled where they end. A value that is missing is a gap.

use std::fmt::Write;

/// Lines that a chart may have: the page has as many colours.
pub const SERIES_MAX: usize = 6;
/// Ticks of a linear axis, at most.
const TICKS_MAX: f64 = 6.0;
/// Labels at the ends of lines are this far apart.
const LABEL_GAP: f64 = 17.0;
/// The width of a letter of a label, about.
const LETTER: f64 = 8.3;

pub struct Series {
    /// Empty for one that needs no label.
    pub name: String,
    /// Number of its colour, from 0.
    pub colour: usize,
    pub is_dashed: bool,
    /// With rising x.
    pub points: Vec<(f64, Option<f64>)>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scale {
    Linear,
    Log,
}

pub struct Axis {
    /// With its unit.
    pub caption: String,
    pub scale: Scale,
    /// What the axis shows at least.
    pub range: Option<(f64, f64)>,
    /// Instead of those that the scale gives.
    pub ticks: Vec<(f64, String)>,
}

/// A span of x that is shaded.
pub struct Band {
    pub from: f64,
    pub until: f64,
    pub label: String,
}

pub struct Chart {
    /// Of letters, digits and `-`; no other of the page has it.
    pub id: String,
    pub title: String,
    /// What it shows, for readers that do not see it.
    pub description: String,
    pub x: Axis,
    pub y: Axis,
    pub series: Vec<Series>,
    pub bands: Vec<Band>,
}

#[derive(Clone, Copy)]
struct Frame {
    name: &'static str,
    width: f64,
    height: f64,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

const WIDE: Frame = Frame {
    name: "wide",
    width: 960.0,
    height: 300.0,
    left: 72.0,
    right: 156.0,
    top: 30.0,
    bottom: 44.0,
};
const NARROW: Frame = Frame {
    name: "narrow",
    width: 360.0,
    height: 280.0,
    left: 62.0,
    right: 114.0,
    top: 30.0,
    bottom: 44.0,
};

/// Text as it stands in HTML and in attributes.
pub fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            // No document may hold them.
            c if c.is_control() && c != '\n' && c != '\t' => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}

/// 1 234.5: as many digits as are needed to tell ticks apart.
pub fn number(value: f64) -> String {
    let magnitude = value.abs();
    let digits = match magnitude {
        0.0 => 0,
        _ if magnitude >= 100.0 => 0,
        _ if magnitude >= 10.0 => 1,
        _ if magnitude >= 1.0 => 2,
        _ => (-magnitude.log10().floor()) as usize + 1,
    };
    let text = format!("{magnitude:.digits$}");
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) && whole.len() > 4 {
            // A space that does not break the line.
            grouped.push('\u{202f}');
        }
        grouped.push(digit);
    }
    let fraction = fraction.trim_end_matches('0');
    let sign = if value < 0.0 { "-" } else { "" };
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{grouped}{point}{fraction}")
}

/// An axis with what it shows: from where to where, and its ticks.
struct Ruler {
    scale: Scale,
    from: f64,
    until: f64,
    ticks: Vec<(f64, String)>,
}

impl Ruler {
    /// It covers all `values`, which are finite.
    fn new(axis: &Axis, values: impl Iterator<Item = f64>) -> Ruler {
        let given = axis.range.into_iter().flat_map(|(from, until)| [from, until]);
        let shown = values.chain(given).filter(|value| axis.scale == Scale::Linear || *value > 0.0);
        let (low, high) = shown.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(value), high.max(value))
        });
        let (low, high) = if low <= high { (low, high) } else { (0.0, 1.0) };
        let ruler = match axis.scale {
            Scale::Linear => Ruler::linear(low, high, axis.range.is_some()),
            Scale::Log => Ruler::log(low, high, axis.range.is_some()),
        };
        if axis.ticks.is_empty() {
            return ruler;
        }
        Ruler { ticks: axis.ticks.clone(), ..ruler }
    }

    fn linear(low: f64, high: f64, is_exact: bool) -> Ruler {
        let low = low.min(0.0);
        let high = if high > low { high } else { low + 1.0 };
        let rough = (high - low) / TICKS_MAX;
        let power = 10f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0]
            .into_iter()
            .map(|part| part * power)
            .find(|step| *step >= rough * 0.999)
            .unwrap_or(10.0 * power);
        let until = if is_exact { high } else { (high / step - 1e-9).ceil() * step };
        let first = (low / step).ceil() as i64;
        let last = (until / step + 1e-9).floor() as i64;
        let ticks = (first..=last)
            .map(|index| index as f64 * step)
            .map(|tick| (tick, short(tick)))
            .collect();
        Ruler { scale: Scale::Linear, from: low, until, ticks }
    }

    fn log(low: f64, high: f64, is_exact: bool) -> Ruler {
        let (low, high) = if low > 0.0 { (low, high) } else { (1.0, 10.0) };
        let first = (low.log10() + 1e-9).floor() as i32;
        let last = ((high.log10() - 1e-9).ceil() as i32).max(first + 1);
        let parts: &[f64] = if last - first <= 2 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let ticks = (first..=last)
            .flat_map(|power| parts.iter().map(move |part| part * 10f64.powi(power)))
            .filter(|tick| *tick <= 10f64.powi(last) * 1.001)
            .map(|tick| (tick, short(tick)))
            .collect();
        let (from, until) = if is_exact {
            (low, high)
        } else {
            (10f64.powi(first).min(low), 10f64.powi(last).max(high))
        };
        Ruler { scale: Scale::Log, from, until, ticks }
    }

    /// 0 at its beginning, 1 at its end. What lies below a log axis is at its beginning.
    fn place(&self, value: f64) -> f64 {
        let place = match self.scale {
            Scale::Linear => (value - self.from) / (self.until - self.from),
            Scale::Log => {
                (value.max(self.from) / self.from).log10() / (self.until / self.from).log10()
            }
        };
        place.clamp(0.0, 1.0)
    }
}

impl Chart {
    /// Both drawings.
    pub fn figure(&self) -> String {
        let title = escaped(&self.title);
        let drawings = self.drawing(WIDE) + &self.drawing(NARROW);
        format!("<figure>\n<figcaption>{title}</figcaption>\n{drawings}</figure>\n")
    }

    fn drawing(&self, frame: Frame) -> String {
        let Frame { name, width, height, .. } = frame;
        let all = || self.series.iter().flat_map(|series| &series.points);
        let bands = self.bands.iter().flat_map(|band| [band.from, band.until]);
        let finite = |value: &f64| value.is_finite();
        let x = Ruler::new(&self.x, all().map(|(x, _)| *x).chain(bands).filter(finite));
        let y = Ruler::new(&self.y, all().filter_map(|(_, y)| *y).filter(finite));
        let plot = Plot { frame, x, y };
        let id = format!("{}-{name}", self.id);
        let mut svg = format!(
            "<svg class=\"chart {name}\" viewBox=\"0 0 {width} {height}\" role=\"img\" \
             aria-labelledby=\"{id}-t {id}-d\">\n<title id=\"{id}-t\">{}</title>\n\
             <desc id=\"{id}-d\">{}</desc>\n",
            escaped(&self.title),
            escaped(&self.description)
        );
        self.bands.iter().for_each(|band| plot.band(&mut svg, band));
        plot.axes(&mut svg, &self.x.caption, &self.y.caption);
        self.series.iter().for_each(|series| plot.line(&mut svg, series));
        plot.labels(&mut svg, &self.series);
        svg + "</svg>\n"
    }
}

struct Plot {
    frame: Frame,
    x: Ruler,
    y: Ruler,
}

impl Plot {
    fn right(&self) -> f64 {
        self.frame.width - self.frame.right
    }

    fn bottom(&self) -> f64 {
        self.frame.height - self.frame.bottom
    }

    fn at_x(&self, value: f64) -> f64 {
        self.frame.left + self.x.place(value) * (self.right() - self.frame.left)
    }

    fn at_y(&self, value: f64) -> f64 {
        self.bottom() - self.y.place(value) * (self.bottom() - self.frame.top)
    }

    fn band(&self, svg: &mut String, band: &Band) {
        let (from, until) = (self.at_x(band.from), self.at_x(band.until));
        let _ = writeln!(
            svg,
            "<rect class=\"band\" x=\"{from:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\">\
             <title>{}</title></rect>",
            self.frame.top,
            (until - from).max(1.0),
            self.bottom() - self.frame.top,
            escaped(&band.label)
        );
    }

    fn axes(&self, svg: &mut String, x_caption: &str, y_caption: &str) {
        let (left, right, bottom) = (self.frame.left, self.right(), self.bottom());
        for (tick, label) in &self.y.ticks {
            let y = self.at_y(*tick);
            let _ = writeln!(
                svg,
                "<path class=\"grid\" d=\"M{left:.1} {y:.1}H{right:.1}\"/>\
                 <text class=\"tick\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                left - 8.0,
                y + 4.5,
                escaped(label)
            );
        }
        let mut free_from = 0.0;
        for (tick, label) in &self.x.ticks {
            let x = self.at_x(*tick);
            let _ = write!(svg, "<path class=\"mark\" d=\"M{x:.1} {bottom:.1}v5\"/>");
            // A label that would touch the one before it is left out.
            let half = label.chars().count() as f64 * 4.0;
            if x - half >= free_from {
                let _ = write!(
                    svg,
                    "<text class=\"tick\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}\
                     </text>",
                    bottom + 20.0,
                    escaped(label)
                );
                free_from = x + half + 8.0;
            }
            svg.push('\n');
        }
        let _ = writeln!(
            svg,
            "<path class=\"axis\" d=\"M{left:.1} {bottom:.1}H{right:.1}\"/>\n\
             <text class=\"caption\" x=\"4\" y=\"16\">{}</text>\n\
             <text class=\"caption\" x=\"{right:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            escaped(y_caption),
            self.frame.height - 6.0,
            escaped(x_caption)
        );
    }

    fn line(&self, svg: &mut String, series: &Series) {
        let colour = series.colour % SERIES_MAX;
        let dash = if series.is_dashed { " dashed" } else { "" };
        let (mut path, mut dots) = (String::new(), String::new());
        for piece in pieces(&series.points) {
            if let [(x, y)] = piece[..] {
                let (x, y) = (self.at_x(x), self.at_y(y));
                let _ = write!(
                    dots,
                    "<circle class=\"dot c{colour}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\"/>"
                );
                continue;
            }
            for (index, (x, y)) in piece.into_iter().enumerate() {
                let step = if index == 0 { 'M' } else { 'L' };
                let _ = write!(path, "{step}{:.1} {:.1}", self.at_x(x), self.at_y(y));
            }
        }
        if !path.is_empty() {
            let _ = writeln!(svg, "<path class=\"line c{colour}{dash}\" d=\"{path}\"/>");
        }
        if !dots.is_empty() {
            let _ = writeln!(svg, "{dots}");
        }
    }

    /// The names of the lines beside their ends, none above another.
    fn labels(&self, svg: &mut String, series: &[Series]) {
        let column = self.right() + 14.0;
        let columns = ((self.frame.width - column) / LETTER) as usize;
        let end = |series: &Series| {
            let (x, y) = pieces(&series.points).last()?.last().copied()?;
            Some((self.at_x(x), self.at_y(y)))
        };
        let named = series.iter().filter(|series| !series.name.is_empty());
        let mut ends: Vec<(&Series, f64, f64)> =
            named.filter_map(|one| end(one).map(|(x, y)| (one, x, y))).collect();
        ends.sort_by(|a, b| a.2.total_cmp(&b.2));
        let names: Vec<Vec<String>> =
            ends.iter().map(|(series, ..)| wrapped(&series.name, columns)).collect();
        let wanted: Vec<(f64, f64)> = ends
            .iter()
            .zip(&names)
            .map(|((_, _, y), lines)| (*y, lines.len() as f64 * LABEL_GAP))
            .collect();
        let places = spread(&wanted, self.frame.top, self.bottom());
        // They stand in one column, however early their lines end.
        for (((series, x, y), lines), place) in ends.iter().zip(names).zip(places) {
            let colour = series.colour % SERIES_MAX;
            let _ = writeln!(
                svg,
                "<path class=\"lead c{colour}\" d=\"M{:.1} {y:.1}L{:.1} {place:.1}\"/>",
                x + 2.0,
                column - 3.0
            );
            for (index, line) in lines.iter().enumerate() {
                let _ = writeln!(
                    svg,
                    "<text class=\"label t{colour}\" x=\"{column:.1}\" y=\"{:.1}\">{}</text>",
                    place + 4.5 + index as f64 * LABEL_GAP,
                    escaped(line)
                );
            }
        }
    }
}

/// Lines of at most so many letters, as far as its words allow.
fn wrapped(name: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in name.split_inclusive([' ', '_', '-']) {
        let is_full = |line: &String| {
            !line.is_empty() && line.chars().count() + word.trim_end().chars().count() > columns
        };
        if lines.last().is_some_and(is_full) {
            lines.push(String::new());
        }
        lines.last_mut().expect("never empty").push_str(word);
    }
    lines
}

/// The stretches without a gap.
fn pieces(points: &[(f64, Option<f64>)]) -> Vec<Vec<(f64, f64)>> {
    let drawn = |(x, y): &(f64, Option<f64>)| {
        y.map(|y| (*x, y)).filter(|(x, y)| x.is_finite() && y.is_finite())
    };
    points
        .split(|point| drawn(point).is_none())
        .filter(|piece| !piece.is_empty())
        .map(|piece| piece.iter().filter_map(drawn).collect())
        .collect()
}

/// Rising places near the wanted ones, each with its height free below it, and within the bounds
/// where that is possible.
fn spread(wanted: &[(f64, f64)], low: f64, high: f64) -> Vec<f64> {
    let mut places: Vec<f64> = Vec::with_capacity(wanted.len());
    let mut free_from = low;
    for (place, height) in wanted {
        let place = place.max(free_from);
        places.push(place);
        free_from = place + height;
    }
    let mut free_until = high + LABEL_GAP;
    for (place, (_, height)) in places.iter_mut().zip(wanted).rev() {
        *place = place.min(free_until - height);
        free_until = *place;
    }
    places
}

/// As on an axis, where there is little room.
fn short(value: f64) -> String {
    match value.abs() {
        magnitude if magnitude >= 1e9 => format!("{} G", number(value / 1e9)),
        magnitude if magnitude >= 1e6 => format!("{} M", number(value / 1e6)),
        _ => number(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(scale: Scale) -> Axis {
        Axis { caption: "ms".to_owned(), scale, range: None, ticks: Vec::new() }
    }

    fn chart(points: Vec<Vec<(f64, Option<f64>)>>, scale: Scale) -> Chart {
        let series = points.into_iter().enumerate().map(|(index, points)| Series {
            name: format!("s{index} <&>"),
            colour: index,
            is_dashed: false,
            points,
        });
        Chart {
            id: "c".to_owned(),
            title: "A & B".to_owned(),
            description: "\"<\"".to_owned(),
            x: axis(Scale::Linear),
            y: axis(scale),
            series: series.collect(),
            bands: vec![Band { from: 1.0, until: 2.0, label: "outage".to_owned() }],
        }
    }

    /// Every number of every path, and whether all lie within the drawing.
    fn check(svg: &str) -> Vec<f64> {
        let document = roxmltree::Document::parse(svg).expect("well-formed");
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        let mut numbers = Vec::new();
        for drawing in document.descendants().filter(|node| node.has_tag_name("svg")) {
            let size = drawing.attribute("viewBox").unwrap().split(' ').nth(2).unwrap();
            let width: f64 = size.parse().unwrap();
            let lines = drawing.descendants().filter_map(|node| node.attribute("d"));
            for text in lines.flat_map(|d| d.split(|c: char| c.is_alphabetic() || c == ' ')) {
                if let Ok(number) = text.parse::<f64>() {
                    assert!((0.0..=width).contains(&number), "{number} is outside {width}");
                    numbers.push(number);
                }
            }
        }
        numbers
    }

    #[test]
    fn axes_cover_the_data() {
        let values = [0.003, 0.5, 1.0, 7.3, 99.9, 100.0, 1_001.0, 3.2e7, 6.1e9];
        for scale in [Scale::Linear, Scale::Log] {
            for (low, high) in values.iter().flat_map(|a| values.iter().map(move |b| (a, b))) {
                let ruler = Ruler::new(&axis(scale), [*low, *high].into_iter());
                assert!(ruler.from <= low.min(*high) && ruler.until >= low.max(*high));
                assert!(ruler.ticks.len() >= 2, "{scale:?} {low} {high}");
                assert!(ruler.ticks.len() <= 16, "{scale:?} {low} {high}");
                assert!(
                    ruler.ticks.is_sorted_by(|a, b| a.0 < b.0 && a.1 != b.1),
                    "{:?}",
                    ruler.ticks
                );
                let places = ruler.ticks.iter().map(|(tick, _)| ruler.place(*tick));
                assert!(places.is_sorted_by(|a, b| a < b), "{scale:?} {low} {high}");
            }
        }
    }

    #[test]
    fn nothing_and_odd_values_draw_without_a_fault() {
        let nan = Some(f64::NAN);
        for scale in [Scale::Linear, Scale::Log] {
            for points in [
                vec![],
                vec![vec![]],
                vec![vec![(0.0, None)]],
                vec![vec![(0.0, Some(0.0))]],
                vec![vec![(5.0, Some(3.0))], vec![(5.0, Some(3.0))]],
                vec![vec![(0.0, nan), (1.0, Some(f64::INFINITY)), (f64::NAN, Some(2.0))]],
                vec![(0..9).map(|x| (f64::from(x), Some(0.0))).collect(); 9],
            ] {
                check(&chart(points, scale).figure());
            }
        }
    }

    #[test]
    fn a_gap_splits_a_line_and_a_lone_value_is_a_dot() {
        let points = vec![(0.0, Some(1.0)), (1.0, Some(2.0)), (2.0, None), (3.0, Some(4.0))];
        let figure = chart(vec![points], Scale::Linear).figure();
        let drawings = 2;
        assert_eq!(figure.matches("class=\"line c0\"").count(), drawings, "{figure}");
        assert_eq!(figure.matches("<circle").count(), drawings);
        assert!(check(&figure).len() > 20);
    }

    #[test]
    fn higher_values_are_drawn_higher() {
        let ruler = |scale| Ruler::new(&axis(scale), [0.1, 500.0].into_iter());
        for scale in [Scale::Linear, Scale::Log] {
            let places = [0.1, 0.2, 3.0, 40.0, 500.0].map(|value| ruler(scale).place(value));
            assert!(places.is_sorted_by(|a, b| a < b), "{places:?}");
        }
        assert!((ruler(Scale::Log).place(10.0) - 0.5).abs() < 1e-9, "0.1 to 1000");
    }

    #[test]
    fn labels_keep_apart_and_inside() {
        let g = LABEL_GAP;
        for wanted in [
            vec![(50.0, g); 5],
            vec![(30.0, g), (31.0, 2.0 * g), (32.0, g)],
            vec![(250.0, g), (251.0, 3.0 * g), (252.0, g), (253.0, g)],
        ] {
            let places = spread(&wanted, 30.0, 256.0);
            for (pair, (_, height)) in places.windows(2).zip(&wanted) {
                assert!(pair[1] - pair[0] >= height - 1e-9, "{places:?}");
            }
            assert!(places.iter().all(|place| (30.0..=256.0).contains(place)), "{places:?}");
        }
    }

    #[test]
    fn long_names_become_several_lines() {
        assert_eq!(wrapped("NOT_LEADER_OR_FOLLOWER", 12), ["NOT_LEADER_", "OR_FOLLOWER"]);
        assert_eq!(wrapped("end to end", 12), ["end to end"]);
        assert_eq!((wrapped("", 5), wrapped("acknowledged", 5).len()), (vec![String::new()], 1));
    }

    #[test]
    fn numbers_read_as_people_write_them() {
        let texts = [0.0, 0.05, 0.5, 2.0, 2.5, 99.95, 1_500.0, 25_000.0, -1_234_567.0].map(number);
        assert_eq!(
            texts.map(|text| text.replace('\u{202f}', " ")),
            ["0", "0.05", "0.5", "2", "2.5", "100", "1500", "25 000", "-1 234 567"]
        );
    }
}
