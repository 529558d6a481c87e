//! Machines and what they cost per month, from a file of TOML: its keys and their bounds.
//!
//! Owns: nothing; a file is read once. Never: knows a price that the file does not give.

use crate::workload::{
    describe::{Default, Fields, Key, Kind, Section},
    tree::{Problem, of_toml},
};
use anyhow::{Context, bail};
use std::{fs, path::Path};

const CORES_MAX: i64 = 4_096;
const PRICE_MAX: f64 = 1e9;
const GBIT_MAX: f64 = 1e5;
const MB_PER_S_MAX: f64 = 1e6;
pub const MACHINES_MAX: usize = 200;

const fn key(name: &'static str, kind: Kind, default: Default, about: &'static str) -> Key {
    Key { name, kind, default, about }
}

static ROOT: Section = Section {
    about: "Prices for `loadgen plan --prices FILE`, each per month",
    keys: &[
        key("currency", Kind::Text, Default::Text("USD"), "For the output"),
        key("machine", Kind::Sections(&MACHINE), Default::Needed, "What a broker may run on"),
        key(
            "disk_gb",
            Kind::Number(0.0, PRICE_MAX),
            Default::Number(0.0),
            "A gigabyte (10^9 bytes) of disk, for a month",
        ),
        key(
            "zone_gb",
            Kind::Number(0.0, PRICE_MAX),
            Default::Number(0.0),
            "A gigabyte (10^9 bytes) that goes from one zone to another",
        ),
    ],
};

static MACHINE: Section = Section {
    about: "A kind of machine",
    keys: &[
        key("name", Kind::Text, Default::Needed, "For the output"),
        key("cores", Kind::Integer(1, CORES_MAX), Default::Needed, "Cores that a broker has there"),
        key("per_month", Kind::Number(0.0, PRICE_MAX), Default::Needed, "One of them"),
        key(
            "network_gbit",
            Kind::Number(0.001, GBIT_MAX),
            Default::Absent,
            "Gbit/s in each direction; without it, the network is taken to have room",
        ),
        key(
            "disk_mb_per_s",
            Kind::Number(0.001, MB_PER_S_MAX),
            Default::Absent,
            "MB/s (10^6 bytes) that its disk writes; without it, the selftest's, or room",
        ),
    ],
};

#[derive(Clone, Debug, PartialEq)]
pub struct Machine {
    pub name: String,
    pub cores: f64,
    pub per_month: f64,
    /// Bytes per second, each direction.
    pub network: Option<f64>,
    /// Bytes per second.
    pub disk: Option<f64>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Prices {
    pub currency: String,
    pub machines: Vec<Machine>,
    pub disk_gb: f64,
    pub zone_gb: f64,
}

impl Prices {
    pub fn read(path: &Path) -> anyhow::Result<Prices> {
        let shown = path.display();
        let text = fs::read_to_string(path)
            .with_context(|| format!("cannot read {shown}: give --prices a file that is there"))?;
        parse(&text).or_else(|mut problems| {
            problems.sort();
            let lines: Vec<String> = problems
                .iter()
                .map(|problem| format!("{shown}:{}: {}", problem.line, problem.what))
                .collect();
            bail!("{}", lines.join("\n"))
        })
    }
}

fn parse(text: &str) -> Result<Prices, Vec<Problem>> {
    let root = of_toml(text).map_err(|problem| vec![problem])?;
    let mut problems = Vec::new();
    ROOT.check(&root, "", &mut problems);
    let fields = Fields { node: Some(&root), section: &ROOT };
    let machines = fields.tables("machine");
    if !(1..=MACHINES_MAX).contains(&machines.len()) && problems.is_empty() {
        let what = format!("machine: give 1 to {MACHINES_MAX} of them, each as [[machine]]");
        problems.push(Problem { line: fields.line("machine"), what });
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let machine = |fields: &Fields<'_>| {
        let known = |name: &str, unit: f64| fields.has(name).then(|| fields.number(name) * unit);
        Machine {
            name: fields.text("name").unwrap_or_default().to_owned(),
            cores: fields.integer("cores") as f64,
            per_month: fields.number("per_month"),
            network: known("network_gbit", 1e9 / 8.0),
            disk: known("disk_mb_per_s", 1e6),
        }
    };
    Ok(Prices {
        currency: fields.text("currency").unwrap_or_default().to_owned(),
        machines: machines.iter().map(machine).collect(),
        disk_gb: fields.number("disk_gb"),
        zone_gb: fields.number("zone_gb"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_read_as_they_are_written() {
        let text = "currency = 'EUR'\ndisk_gb = 0.1\n[[machine]]\nname = 'small'\ncores = 2\n\
                    per_month = 50\nnetwork_gbit = 8\n[[machine]]\nname = 'large'\ncores = 16\n\
                    per_month = 400.5\ndisk_mb_per_s = 500\n";
        let prices = parse(text).unwrap();
        assert_eq!((prices.currency.as_str(), prices.disk_gb, prices.zone_gb), ("EUR", 0.1, 0.0));
        let [small, large] = &prices.machines[..] else { panic!("{prices:?}") };
        assert_eq!((small.cores, small.network, small.disk), (2.0, Some(1e9), None));
        assert_eq!((large.per_month, large.network, large.disk), (400.5, None, Some(5e8)));
    }

    #[test]
    fn all_that_is_wrong_is_said_with_its_line_and_what_to_write() {
        let text = "curency = 'EUR'\n[[machine]]\nname = 7\ncores = 0\nnetwork_gbit = -1\n";
        let found = parse(text).unwrap_err();
        for (line, says) in [
            (1, "did you mean currency?"),
            (2, "machine 1.per_month is missing"),
            (3, "machine 1.name: 7 is not allowed: give a text"),
            (4, "machine 1.cores: 0 is not allowed: give a whole number from 1 to 4096"),
            (5, "give a number from 0.001"),
        ] {
            let is_said = found.iter().any(|one| one.line == line && one.what.contains(says));
            assert!(is_said, "line {line}, {says}: {found:#?}");
        }
        assert_eq!(found.len(), 5, "{found:#?}");
        assert!(parse("").unwrap_err()[0].what.contains("machine is missing"));
        assert!(parse("machine = []").unwrap_err()[0].what.contains("[[machine]]"));
        assert_eq!(parse("a = \n").unwrap_err()[0].line, 1);
    }
}
