//! What a request, a byte, a flush, a partition and a connection cost of each resource, fitted over
//! the trials of knees. Pure.
//!
//! Utilisation law (Denning and Buzen, "The Operational Analysis of Queueing Network Models", ACM
//! Computing Surveys 10, 1978): the use of a resource is the sum of the rates of its tasks,
//! each times its cost. The costs are those of [`super::nnls`], each trial weighed by its
//! own size, so that misses are relative. Never: gives a cost that the knees do not tell apart from
//! others: such a column is left out, with what it goes along with.

use super::{
    knees::{Knee, Trial},
    nnls::Normal,
};

pub const COLUMNS: usize = 8;

/// What work is made of. The order is that in which columns are taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    WrittenBytes,
    Produces,
    FetchedBytes,
    Fetches,
    Idle,
    Partitions,
    Connections,
    Flushes,
}

pub const ALL: [Column; COLUMNS] = [
    Column::WrittenBytes,
    Column::Produces,
    Column::FetchedBytes,
    Column::Fetches,
    Column::Idle,
    Column::Partitions,
    Column::Connections,
    Column::Flushes,
];

impl Column {
    pub fn name(self) -> &'static str {
        match self {
            Column::WrittenBytes => "byte written",
            Column::Produces => "produce request",
            Column::FetchedBytes => "byte read",
            Column::Fetches => "fetch",
            Column::Idle => "idle broker",
            Column::Partitions => "partition",
            Column::Connections => "connection",
            Column::Flushes => "flush",
        }
    }

    /// What to measure so that its cost is known.
    pub fn how(self) -> &'static str {
        match self {
            Column::WrittenBytes | Column::Produces => {
                "measure a knee with batches of another size: loadgen knee --batch-size, \
                 --record-size"
            }
            Column::FetchedBytes | Column::Fetches => {
                "measure a knee with readers: loadgen knee --consumers 2 --fan-out"
            }
            Column::Idle => "measure a knee from a low rate on",
            Column::Partitions => "measure a knee with as many: loadgen knee --partitions",
            Column::Connections => "measure a knee with as many: loadgen knee --connections",
            Column::Flushes => "measure a knee of a broker that flushes before it answers",
        }
    }
}

/// What one broker is given, per second; by [`ALL`]'s order. Partitions and connections as counts.
pub type Work = [f64; COLUMNS];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// Core seconds per second, on one core.
    Cores,
    /// Bytes per second.
    Disk,
    NetworkIn,
    NetworkOut,
}

pub const RESOURCES: [Resource; 4] =
    [Resource::Cores, Resource::Disk, Resource::NetworkIn, Resource::NetworkOut];

impl Resource {
    pub fn name(self) -> &'static str {
        match self {
            Resource::Cores => "cores",
            Resource::Disk => "disk",
            Resource::NetworkIn => "network in",
            Resource::NetworkOut => "network out",
        }
    }

    /// Of what one unit of a column costs.
    pub fn unit(self) -> (&'static str, f64) {
        match self {
            Resource::Cores => ("µs", 1e6),
            Resource::Disk | Resource::NetworkIn | Resource::NetworkOut => ("B", 1.0),
        }
    }

    fn columns(self) -> &'static [Column] {
        use Column::*;
        match self {
            Resource::Cores => &ALL,
            Resource::Disk => &[WrittenBytes, Produces, Idle, Flushes],
            Resource::NetworkIn => &[WrittenBytes, Produces, Fetches],
            Resource::NetworkOut => &[FetchedBytes, Produces, Fetches],
        }
    }

    fn of(self, trial: &Trial) -> Option<f64> {
        match self {
            Resource::Cores => trial.processors,
            Resource::Disk => trial.disk_bytes,
            Resource::NetworkIn => trial.to_broker_bytes,
            Resource::NetworkOut => trial.from_broker_bytes,
        }
    }
}

/// Beside the others, a column must have this share of its length left to be told apart.
const TOLD_APART: f64 = 0.05;
/// Nothing is said of a broker with more than this many times of what was measured.
pub const AMOUNT_REACH: f64 = 2.0;
/// Trials beyond the number of unknowns that a fit needs.
const SPARE_TRIALS: usize = 2;
/// Measurements of less than this share of the largest are weighed as if they had it: their own
/// errors are those of the clock.
const WEIGHT_FLOOR: f64 = 0.02;
/// Flushes that come less often than this per request are not for requests.
const FLUSHES_PER_REQUEST_MIN: f64 = 0.05;

/// A column that knees do not tell apart from others, or never had.
#[derive(Clone, Debug, PartialEq)]
pub struct Untold {
    pub column: Column,
    /// How much of it went along with one unit of each of these; empty: it was never there.
    pub along_with: Vec<(Column, f64)>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    pub resource: Resource,
    /// Costs; those not here are 0.
    pub costs: Vec<(Column, f64)>,
    pub untold: Vec<Untold>,
    /// Root mean square of what the fit misses, relative.
    pub residual: f64,
    /// The same of trials that the fit did not know.
    pub left_out: f64,
    /// The same of whole knees that the fit did not know, and how many of them could be told.
    pub knee_left_out: Option<(f64, usize)>,
    pub trials: usize,
}

struct Row {
    knee: usize,
    work: Work,
    value: f64,
    weight: f64,
}

/// What one broker was given in a trial. `flushes`: whether they are for requests.
pub fn work_of(knee: &Knee, trial: &Trial, flushes: bool) -> Work {
    ALL.map(|column| match column {
        Column::WrittenBytes => trial.written_bytes,
        Column::Produces => trial.produces,
        Column::FetchedBytes => trial.fetched_bytes,
        Column::Fetches => trial.fetches,
        Column::Idle => 1.0,
        Column::Partitions => knee.partitions,
        Column::Connections => knee.connections.0 + knee.connections.1,
        Column::Flushes if flushes => trial.flushes.unwrap_or(0.0),
        Column::Flushes => 0.0,
    })
}

/// How often the disk is flushed for produce requests: with group commit one flush serves those
/// that came meanwhile, so that flushes grow with requests up to what the disk does.
///
/// f = p / (a + b p): a is how many requests a flush has at a low rate, 1/b the most flushes per
/// second. Linear in a and b as f a / p + f b = 1, so that least squares fit it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Flushes {
    pub requests: f64,
    pub seconds: f64,
}

impl Flushes {
    /// `None`: flushes do not come with requests, or were not counted.
    pub fn of(knees: &[Knee]) -> Option<Flushes> {
        if !flushes_for_requests(knees) {
            return None;
        }
        let mut normal = Normal::new(2);
        for trial in knees.iter().flat_map(|knee| &knee.trials) {
            if let Some(flushes) = trial.flushes.filter(|flushes| *flushes > 0.0) {
                normal.add(&[flushes / trial.produces, flushes], 1.0);
            }
        }
        let [requests, seconds] = normal.fit()[..] else { return None };
        (requests + seconds > 0.0).then_some(Flushes { requests, seconds })
    }

    /// Per second, at so many produce requests per second.
    pub fn at(&self, produces: f64) -> f64 {
        let one = self.requests + self.seconds * produces;
        if one > 0.0 { produces / one } else { 0.0 }
    }
}

/// Whether the disk is flushed for requests: of half the trials or more.
pub fn flushes_for_requests(knees: &[Knee]) -> bool {
    let mut ratios: Vec<f64> = knees
        .iter()
        .flat_map(|knee| &knee.trials)
        .filter_map(|trial| Some(trial.flushes? / trial.produces))
        .collect();
    ratios.sort_by(f64::total_cmp);
    ratios.get(ratios.len() / 2).is_some_and(|median| *median >= FLUSHES_PER_REQUEST_MIN)
}

impl Fit {
    /// `None` where no trial has the resource. `efficiency`: what one core gives beside one alone,
    /// for a number of cores.
    pub fn of(
        resource: Resource,
        knees: &[Knee],
        efficiency: &dyn Fn(f64) -> f64,
    ) -> Option<anyhow::Result<Fit>> {
        let rows = rows_of(resource, knees, efficiency);
        if rows.is_empty() {
            return None;
        }
        Some(fitted(resource, &rows, knees.len()))
    }

    pub fn cost(&self, column: Column) -> f64 {
        self.costs.iter().find(|(one, _)| *one == column).map_or(0.0, |(_, cost)| *cost)
    }

    pub fn predict(&self, work: &Work) -> f64 {
        ALL.iter().zip(work).map(|(column, amount)| self.cost(*column) * amount).sum()
    }

    /// What to expect of a load like none of those measured, as a share.
    pub fn error(&self) -> f64 {
        self.knee_left_out.map_or(0.0, |(error, _)| error).max(self.left_out).max(self.residual)
    }
}

fn rows_of(resource: Resource, knees: &[Knee], efficiency: &dyn Fn(f64) -> f64) -> Vec<Row> {
    let flushes = flushes_for_requests(knees);
    let mut rows = Vec::new();
    for (number, knee) in knees.iter().enumerate() {
        let scale = if resource == Resource::Cores { efficiency(knee.cores) } else { 1.0 };
        for trial in &knee.trials {
            let Some(value) = resource.of(trial) else { continue };
            let work = work_of(knee, trial, flushes);
            rows.push(Row { knee: number, work, value: value * scale, weight: 0.0 });
        }
    }
    let largest = rows.iter().map(|row| row.value).fold(0.0, f64::max);
    if largest <= 0.0 {
        return Vec::new();
    }
    for row in &mut rows {
        row.weight = 1.0 / row.value.max(largest * WEIGHT_FLOOR);
    }
    rows
}

/// Columns that the rows tell apart, and the others.
fn told_apart(resource: Resource, rows: &[&Row]) -> (Vec<Column>, Vec<Untold>) {
    let columns = resource.columns();
    let normal = normal_of(columns, rows.iter().copied());
    let (mut kept, mut untold) = (Vec::new(), Vec::new());
    for (place, column) in columns.iter().enumerate() {
        match normal.made_of(place, &kept) {
            Some((_, left)) if left >= TOLD_APART => kept.push(place),
            _ => {
                let parts = fewest_parts(&normal, place, &kept);
                let along_with = parts.into_iter().map(|(one, part)| (columns[one], part));
                untold.push(Untold { column: *column, along_with: along_with.collect() });
            }
        }
    }
    (kept.into_iter().map(|place| columns[place]).collect(), untold)
}

/// Of the columns that make up another, as few as do: one after the other, that which leaves least.
fn fewest_parts(normal: &Normal, column: usize, kept: &[usize]) -> Vec<(usize, f64)> {
    let mut chosen: Vec<usize> = Vec::new();
    loop {
        let with = |one: &usize| {
            let mut more = chosen.clone();
            more.push(*one);
            let (parts, left) = normal.made_of(column, &more)?;
            Some((left, more, parts))
        };
        let rest = kept.iter().filter(|one| !chosen.contains(one)).filter_map(with);
        let Some((left, more, parts)) = rest.min_by(|a, b| a.0.total_cmp(&b.0)) else {
            return Vec::new();
        };
        if left < TOLD_APART || more.len() == kept.len() {
            return more.into_iter().zip(parts).collect();
        }
        chosen = more;
    }
}

fn values(columns: &[Column], row: &Row) -> Vec<f64> {
    let of = |column: &Column| row.work[place(*column)] * row.weight;
    columns.iter().map(of).collect()
}

/// In [`ALL`], and so in a [`Work`].
pub fn place(column: Column) -> usize {
    ALL.iter().position(|one| *one == column).expect("every column is there")
}

fn normal_of<'a>(columns: &[Column], rows: impl Iterator<Item = &'a Row>) -> Normal {
    let mut normal = Normal::new(columns.len());
    rows.for_each(|row| normal.add(&values(columns, row), row.value * row.weight));
    normal
}

/// What costs say of a row beside its value, relative.
fn miss(columns: &[Column], costs: &[f64], row: &Row) -> f64 {
    let said: f64 = columns.iter().zip(costs).map(|(one, cost)| row.work[place(*one)] * cost).sum();
    (said - row.value) * row.weight
}

fn root_mean(squares: f64, count: usize) -> f64 {
    (squares / count.max(1) as f64).sqrt()
}

fn fitted(resource: Resource, rows: &[Row], knees: usize) -> anyhow::Result<Fit> {
    let all: Vec<&Row> = rows.iter().collect();
    let (columns, untold) = told_apart(resource, &all);
    anyhow::ensure!(
        rows.len() >= columns.len() + SPARE_TRIALS,
        "{} trials are too few for {} unknown costs of {}: give more knees, or longer searches, as \
         of loadgen knee --slo 'p99<=10ms' --runs 3 --json knee-2.json",
        rows.len(),
        columns.len(),
        resource.name()
    );
    let mut normal = normal_of(&columns, rows.iter());
    let costs = normal.fit();
    let residual: f64 = rows.iter().map(|row| miss(&columns, &costs, row).powi(2)).sum();
    let mut left_out = 0.0;
    for row in rows {
        let (row_values, value) = (values(&columns, row), row.value * row.weight);
        normal.remove(&row_values, value);
        left_out += miss(&columns, &normal.fit(), row).powi(2);
        normal.add(&row_values, value);
    }
    Ok(Fit {
        resource,
        costs: columns.iter().copied().zip(costs).collect(),
        untold,
        residual: root_mean(residual, rows.len()),
        left_out: root_mean(left_out, rows.len()),
        knee_left_out: without_each_knee(resource, rows, knees, &columns),
        trials: rows.len(),
    })
}

/// Knees that alone tell a cost are no test of the others, nor are those of which a plan would say
/// that they go beyond the others.
fn without_each_knee(
    resource: Resource,
    rows: &[Row],
    knees: usize,
    columns: &[Column],
) -> Option<(f64, usize)> {
    let (mut squares, mut count, mut tested) = (0.0, 0, 0);
    for knee in 0..knees {
        let (out, rest): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(|row| row.knee == knee);
        if out.is_empty() || rest.len() < columns.len() + SPARE_TRIALS {
            continue;
        }
        if told_apart(resource, &rest).0 != columns || is_beyond(columns, &out, &rest) {
            continue;
        }
        let costs = normal_of(columns, rest.into_iter()).fit();
        squares += out.iter().map(|row| miss(columns, &costs, row).powi(2)).sum::<f64>();
        count += out.len();
        tested += 1;
    }
    (tested > 0).then(|| (root_mean(squares, count), tested))
}

fn is_beyond(columns: &[Column], rows: &[&Row], others: &[&Row]) -> bool {
    let most = |rows: &[&Row], column: Column| {
        rows.iter().map(|row| row.work[place(column)]).fold(0.0, f64::max)
    };
    columns.iter().any(|one| most(rows, *one) > most(others, *one) * AMOUNT_REACH)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::simulated::{self, Load};

    fn knees(loads: &[Load], noise: f64) -> Vec<Knee> {
        let knee = |(number, load): (usize, &Load)| {
            let json = load.knee(number as u64, noise);
            Knee::of_json(&format!("{number}.json"), &json).unwrap()
        };
        loads.iter().enumerate().map(knee).collect()
    }

    fn fit(resource: Resource, loads: &[Load], noise: f64) -> Fit {
        Fit::of(resource, &knees(loads, noise), &|_| 1.0).unwrap().unwrap()
    }

    #[test]
    fn known_costs_are_found_again() {
        let fit = fit(Resource::Cores, &simulated::loads(), 0.0);
        for (column, cost) in [
            (Column::Produces, simulated::PER_PRODUCE),
            (Column::WrittenBytes, simulated::PER_WRITTEN_BYTE),
            (Column::Fetches, simulated::PER_FETCH),
            (Column::FetchedBytes, simulated::PER_FETCHED_BYTE),
            (Column::Partitions, simulated::PER_PARTITION),
            (Column::Connections, simulated::PER_CONNECTION),
            (Column::Idle, simulated::IDLE),
        ] {
            let found = fit.cost(column);
            assert!((found / cost - 1.0).abs() < 1e-3, "{column:?}: {found}, {fit:#?}");
        }
        assert!(fit.residual < 1e-4 && fit.left_out < 1e-4, "{fit:?}");
        let untold: Vec<Column> = fit.untold.iter().map(|one| one.column).collect();
        assert_eq!(untold, [Column::Flushes], "half a flush a second is not for requests");
    }

    #[test]
    fn a_load_that_was_not_measured_is_told_within_the_error() {
        let fourth = Load {
            record_size: 400,
            records_per_batch: 25.0,
            partitions: 300,
            connections: 150,
            ..Load::default()
        };
        for noise in [0.01, 0.05] {
            let fit = fit(Resource::Cores, &simulated::loads(), noise);
            let truth = knees(&[fourth], 0.0).remove(0);
            for trial in &truth.trials {
                let said = fit.predict(&work_of(&truth, trial, false));
                let miss = (said / trial.processors.unwrap() - 1.0).abs();
                assert!(miss < 2.0 * fit.error(), "{miss} with noise {noise}, {fit:?}");
            }
            assert!(fit.left_out >= fit.residual, "{fit:?}");
            assert!(fit.error() < 0.4, "{fit:?}");
        }
    }

    #[test]
    fn one_knee_tells_what_goes_along_with_what() {
        let fit = fit(Resource::Cores, &[Load::default()], 0.0);
        let told: Vec<Column> = fit.costs.iter().map(|(column, _)| *column).collect();
        assert_eq!(told, [Column::WrittenBytes, Column::Idle]);
        let requests = fit.untold.iter().find(|one| one.column == Column::Produces).unwrap();
        // A batch of ten records of 108 bytes, and 61.
        assert!((requests.along_with[0].1 * 1141.0 - 1.0).abs() < 1e-6, "{requests:?}");
        let silent = [Load { consumers: 0, ..Load::default() }];
        let fit = super::tests::fit(Resource::Cores, &silent, 0.0);
        let reads = fit.untold.iter().find(|one| one.column == Column::FetchedBytes).unwrap();
        assert!(reads.along_with.is_empty(), "never measured: {reads:?}");
        assert_eq!(fit.knee_left_out, None);
    }

    #[test]
    fn network_and_disk_are_fitted_too() {
        let disk = fit(Resource::Disk, &simulated::loads(), 0.02);
        assert!((disk.cost(Column::WrittenBytes) / 1.05 - 1.0).abs() < 0.05, "{disk:?}");
        let into = fit(Resource::NetworkIn, &simulated::loads(), 0.0);
        assert!((into.cost(Column::WrittenBytes) - 1.0).abs() < 1e-3, "{into:?}");
        assert!((into.cost(Column::Produces) / 100.0 - 1.0).abs() < 0.01, "{into:?}");
        let out = fit(Resource::NetworkOut, &simulated::loads(), 0.0);
        assert!((out.cost(Column::FetchedBytes) - 1.0).abs() < 1e-3, "{out:?}");
    }

    #[test]
    fn too_few_trials_are_refused() {
        let mut few = knees(&simulated::loads()[..2], 0.0);
        few.iter_mut().for_each(|knee| knee.trials.truncate(2));
        let said = Fit::of(Resource::Cores, &few, &|_| 1.0).unwrap().unwrap_err().to_string();
        assert!(said.contains("too few") && said.contains("--runs 3"), "{said}");
        few.iter_mut().flat_map(|knee| &mut knee.trials).for_each(|one| one.disk_bytes = None);
        assert!(Fit::of(Resource::Disk, &few, &|_| 1.0).is_none());
    }

    #[test]
    fn flushes_are_for_requests_where_they_come_with_them() {
        let mut all = knees(&[Load::default()], 0.0);
        assert!(!flushes_for_requests(&all));
        assert_eq!(Flushes::of(&all), None);
        let known = Flushes { requests: 2.0, seconds: 1e-4 };
        let flush = |trial: &mut Trial| trial.flushes = Some(known.at(trial.produces));
        all[0].trials.iter_mut().for_each(flush);
        let found = Flushes::of(&all).unwrap();
        assert!((found.requests / 2.0 - 1.0).abs() < 1e-4, "{found:?}");
        assert!((found.at(1e9) / 1e4 - 1.0).abs() < 1e-3, "no more than the disk does");
    }
}
