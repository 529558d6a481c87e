//! `loadgen plan`: from measured knees and a load to a number of brokers.
//!
//! Owns: the files that it reads and writes. Lives on: the thread that it is called on. Never:
//! speaks to a broker; answers beyond what was measured without saying so; gives a figure without
//! the error of the fit that it comes from.

mod answer;
mod demand;
mod fitted;
mod knees;
mod model;
mod nnls;
mod options;
mod page;
mod present;
mod prices;
mod queue;
#[cfg(test)]
mod simulated;
mod usl;

use crate::{report::ReportFile, say, workload::Workload};
use answer::{Answer, Broker, Measured, Planner, Site};
use anyhow::{Context, bail, ensure};
use demand::{Demand, Learned};
use fitted::Fitted;
use knees::{Knee, number, read_json};
use model::{ALL, Column, work_of};
pub use options::PlanOptions;
use prices::{Machine, Prices};
use std::path::Path;

/// Of a month, for what goes from zone to zone.
const MONTH_S: f64 = 365.25 * 86_400.0 / 12.0;
const GB: f64 = 1e9;

/// What a machine of the file of prices comes to.
pub struct Offer {
    pub machine: Machine,
    pub brokers: u32,
    /// Machines, disks and what goes between zones.
    pub per_month: [f64; 3],
}

impl Offer {
    pub fn sum(&self) -> f64 {
        self.per_month.iter().sum()
    }
}

/// All that is shown.
pub struct Plan {
    pub fitted: Fitted,
    pub knees: Vec<Knee>,
    pub demand: Demand,
    pub site: Site,
    pub answer: Answer,
    pub currency: Option<String>,
    /// Machines of the file of prices, the cheapest first.
    pub offers: Vec<Offer>,
    pub remarks: Vec<String>,
}

/// Plans, prints, and says whether the plan is within what was measured.
pub fn plan(options: PlanOptions) -> anyhow::Result<bool> {
    options.check()?;
    let plan = make(&options)?;
    let create = |option, path: &Option<std::path::PathBuf>| {
        path.clone().map(|path| ReportFile::create(option, path)).transpose()
    };
    let (json, report) = (create("--json", &options.json)?, create("--report", &options.report)?);
    say::result(&present::table(&plan));
    json.map_or(Ok(()), |file| file.write_json(&present::json(&plan)))?;
    report.map_or(Ok(()), |file| file.write(&page::html(&plan)))?;
    Ok(plan.answer.gaps.is_empty())
}

fn make(options: &PlanOptions) -> anyhow::Result<Plan> {
    let knees =
        options.knees.iter().map(|path| Knee::read(path)).collect::<anyhow::Result<Vec<Knee>>>()?;
    knees::check_together(&knees)?;
    let prices = options.prices.as_deref().map(Prices::read).transpose()?;
    let disk = options.selftest.as_deref().map(Disk::read).transpose()?.unwrap_or_default();
    let learned = Learned { knees: &knees };
    let demand = match &options.workload {
        Some(path) => Demand::of_workload(&Workload::read(path)?, learned)?,
        None => Demand::of_knee(&knees[0], learned)?,
    };
    let fitted = Fitted::of(&knees)?;
    let site = site_of(options, &knees, &demand)?;
    let seen = measured(&knees);
    let planner = Planner { fitted: &fitted, demand: &demand, site: &site, seen: &seen };
    let cores = options.core_count.map(f64::from);
    let network = options.network_gbit.map(|gbit| gbit * 1e9 / 8.0);
    let (answer, offers) = match &prices {
        Some(prices) => {
            let broker = |machine: &Machine| Broker {
                cores: machine.cores,
                network: machine.network.or(network),
                disk: machine.disk.or(disk.written),
                flush_s: disk.flush_s,
            };
            cheapest(&planner, prices, cores, &broker)?
        }
        None => {
            let largest = fitted.by_cores.measured.1;
            let broker = Broker {
                cores: cores.unwrap_or(largest),
                network,
                disk: disk.written,
                flush_s: disk.flush_s,
            };
            (planner.answer(&broker)?, Vec::new())
        }
    };
    refuse_gaps(&answer, options.extrapolate)?;
    let remarks = remarks(&fitted, &answer, &site);
    let currency = prices.map(|prices| prices.currency);
    Ok(Plan { fitted, knees, demand, site, answer, currency, offers, remarks })
}

/// What `loadgen selftest` says of a disk.
#[derive(Clone, Copy, Debug, Default)]
struct Disk {
    /// Bytes per second.
    written: Option<f64>,
    flush_s: Option<f64>,
}

impl Disk {
    fn read(path: &Path) -> anyhow::Result<Disk> {
        let json = read_json(path, "loadgen selftest --json selftest.json")?;
        let shown = path.display();
        ensure!(
            json.get("disk").is_some() && json.get("network").is_some(),
            "{shown} is no result of a selftest: give a file that loadgen selftest --dir DIR \
             --json selftest.json wrote, on the disk of a broker"
        );
        if let Some(error) = json["error"].as_str() {
            bail!("{shown}: its selftest failed ({error}): repeat it");
        }
        let positive = |pointer: &str| number(&json, pointer).filter(|value| *value > 0.0);
        Ok(Disk {
            written: positive("/disk/write_mb_per_s").map(|rate| rate * 1e6),
            flush_s: positive("/disk/flush_4k_us/p50").map(|us| us * 1e-6),
        })
    }
}

fn site_of(options: &PlanOptions, knees: &[Knee], demand: &Demand) -> anyhow::Result<Site> {
    let slos = if options.slos.is_empty() { knees[0].slos.clone() } else { options.slos.clone() };
    ensure!(
        !slos.is_empty(),
        "{} does not say its service level: give --slo, as in --slo 'p99<=10ms'",
        knees[0].name
    );
    let copies =
        options.replication_factor.map(f64::from).or(demand.replication_factor).unwrap_or(1.0);
    Ok(Site {
        scale: options.scale,
        zones: u32::from(options.zones),
        zones_down: u32::from(options.zones_down),
        copies: copies as u32,
        headroom: options.headroom,
        slos,
        extrapolate: options.extrapolate,
    })
}

fn measured(knees: &[Knee]) -> Measured {
    let mut measured = Measured::default();
    for knee in knees {
        measured.kinds.extend(knee.kinds.iter().cloned());
        for trial in &knee.trials {
            let work = work_of(knee, trial, true);
            for ((most, amount), column) in measured.most.iter_mut().zip(work).zip(ALL) {
                let is_a_count = matches!(column, Column::Partitions | Column::Connections);
                *most = most.max(if is_a_count { amount } else { amount / knee.cores });
            }
        }
    }
    measured
}

/// The answer of the machine that costs least, and what all others come to.
fn cheapest(
    planner: &Planner<'_>,
    prices: &Prices,
    cores: Option<f64>,
    broker: &dyn Fn(&Machine) -> Broker,
) -> anyhow::Result<(Answer, Vec<Offer>)> {
    let (mut found, mut refused) = (Vec::new(), Vec::new());
    let fits = |machine: &&Machine| cores.is_none_or(|cores| machine.cores == cores);
    for machine in prices.machines.iter().filter(fits) {
        let answer = match planner.answer(&broker(machine)) {
            Ok(answer) => answer,
            Err(error) => {
                refused.push(format!("{}: {error:#}", machine.name));
                continue;
            }
        };
        let brokers = f64::from(answer.brokers);
        let room = 1.0 - planner.site.headroom;
        let disks = answer.kept_bytes * brokers / room / GB * prices.disk_gb;
        let between = answer.all_up.between_zones * MONTH_S / GB * prices.zone_gb;
        let offer = Offer {
            machine: machine.clone(),
            brokers: answer.brokers,
            per_month: [brokers * machine.per_month, disks, between],
        };
        found.push((offer, answer));
    }
    // What goes beyond what was measured comes after what does not.
    found.sort_by(|(a, first), (b, second)| {
        let is_beyond = |answer: &Answer| !answer.gaps.is_empty();
        is_beyond(first).cmp(&is_beyond(second)).then(a.sum().total_cmp(&b.sum()))
    });
    if found.is_empty() && refused.is_empty() {
        let known: Vec<String> =
            prices.machines.iter().map(|machine| machine.cores.to_string()).collect();
        bail!(
            "no machine of the prices has {} cores: give --core-count one of {}",
            cores.unwrap_or_default(),
            known.join(", ")
        );
    }
    let mut answers = Vec::new();
    let mut offers = Vec::new();
    for (offer, answer) in found {
        offers.push(offer);
        answers.push(answer);
    }
    let answer = answers.into_iter().next();
    Ok((answer.with_context(|| refused.join("\n"))?, offers))
}

fn refuse_gaps(answer: &Answer, extrapolate: bool) -> anyhow::Result<()> {
    if answer.gaps.is_empty() || extrapolate {
        return Ok(());
    }
    let lines: Vec<String> =
        answer.gaps.iter().map(|gap| format!("  {}\n    {}", gap.what, gap.how)).collect();
    bail!(
        "this plan would go beyond what was measured:\n{}\nor give --extrapolate, and take the \
         answer for a guess",
        lines.join("\n")
    )
}

fn remarks(fitted: &Fitted, answer: &Answer, site: &Site) -> Vec<String> {
    let mut remarks: Vec<String> = answer
        .gaps
        .iter()
        .map(|gap| format!("BEYOND WHAT WAS MEASURED: {} ({})", gap.what, gap.how))
        .collect();
    let error = answer.error;
    if error > site.headroom && answer.brokers_at_error != Some(answer.brokers) {
        let brokers = answer.brokers_at_error.map_or("more".to_owned(), |many| many.to_string());
        remarks.push(format!(
            "the error, {:.0} %, is larger than the headroom: with cores used more by it, \
             {brokers} brokers are needed",
            error * 100.0
        ));
    }
    if site.copies > 1 {
        remarks.push(
            "replication is reckoned, not measured: a follower is taken to cost its leader what a \
             reader does, and itself a write of each batch"
                .to_owned(),
        );
    }
    let lost = site.copies.div_ceil(site.zones) * site.zones_down;
    if site.zones_down > 0 && lost >= site.copies {
        remarks.push(format!(
            "with {} copies over {} zones, some partitions have none left while {} are away: give \
             --replication-factor {}",
            site.copies,
            site.zones,
            site.zones_down,
            site.zones_down + 1
        ));
    }
    remarks.extend(fitted.remarks.iter().cloned());
    remarks
}

#[cfg(test)]
mod tests;
