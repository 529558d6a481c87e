//! How many brokers a load needs: what each is used at every number of them, and the first number
//! that holds. Pure.
//!
//! Never: answers beyond what was measured without saying in which way ([`Gap`]).

use super::{
    demand::Demand,
    fitted::Fitted,
    model::{ALL, AMOUNT_REACH, Column, Resource, Work, place},
    queue::UTILISATION_MAX,
    usl::REACH,
};
use crate::knee::Slo;
use anyhow::{bail, ensure};

pub const BROKERS_MAX: u32 = 10_000;
/// What goes along with something else may differ from it by this much.
const ALONG_REACH: f64 = 1.25;
/// What costs less than this share of all that the cores do is no matter.
const MATTERS: f64 = 0.05;

/// The question, beside the load.
#[derive(Clone, Debug)]
pub struct Site {
    pub scale: f64,
    pub zones: u32,
    pub zones_down: u32,
    pub copies: u32,
    pub headroom: f64,
    pub slos: Vec<Slo>,
    pub extrapolate: bool,
}

/// One broker's machine. Bytes per second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Broker {
    pub cores: f64,
    pub network: Option<f64>,
    pub disk: Option<f64>,
    /// Seconds of one flush.
    pub flush_s: Option<f64>,
}

/// How much of something one broker uses: the busiest of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Used {
    pub name: &'static str,
    /// Cores, bytes per second, or flushes per second.
    pub amount: f64,
    /// `None`: what there is of it is not known.
    pub share: Option<f64>,
}

impl Used {
    /// The share, where it bounds what a broker can do.
    fn limiting(&self) -> Option<f64> {
        self.share.filter(|_| self.name != FLUSHES)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// Those that serve.
    pub brokers: u32,
    pub used: Vec<Used>,
    pub work: Work,
    /// Of the busiest resource, which latency follows.
    pub utilisation: f64,
    /// Bytes per second that go from zone to zone, of all brokers.
    pub between_zones: f64,
}

/// A way in which the plan goes beyond what was measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    pub what: String,
    pub how: String,
}

#[derive(Clone, Debug)]
pub struct Answer {
    pub brokers: u32,
    pub broker: Broker,
    pub all_up: State,
    /// With `zones_down` zones away; the same as `all_up` where none is.
    pub down: State,
    /// What no more of fits first, as the load grows.
    pub first: &'static str,
    /// By how much the load may grow until then, as a share, whether zones are away or not.
    pub grows_by: f64,
    /// The highest utilisation at which the service levels hold, and which is planned with.
    pub utilisation_max: f64,
    pub why_utilisation: String,
    /// Of what the cores are used, as a share: of the costs, and of the batches where those are
    /// reckoned.
    pub error: f64,
    /// How many brokers it takes where the cores are used more by it.
    pub brokers_at_error: Option<u32>,
    pub gaps: Vec<Gap>,
    /// For every number of brokers around the answer: with the zones away.
    pub curve: Vec<State>,
    /// Bytes that one broker keeps, all up.
    pub kept_bytes: f64,
}

pub struct Planner<'a> {
    pub fitted: &'a Fitted,
    pub demand: &'a Demand,
    pub site: &'a Site,
    pub seen: &'a Measured,
}

/// The most that was measured of one broker.
#[derive(Clone, Debug, Default)]
pub struct Measured {
    pub kinds: std::collections::BTreeSet<String>,
    /// Per core, but for connections and partitions, which are of the broker.
    pub most: Work,
}

const CORE: &str = "busiest core";
/// With group commit a disk that flushes all the time still takes more records with each flush:
/// shown, but no limit.
const FLUSHES: &str = "flushes";

/// Of the busiest broker: the shares of all that it leads and follows, the partitions that it
/// holds, and the share of its own work that its busiest core has.
struct Spread {
    leads: f64,
    follows: f64,
    held: f64,
    on_core: f64,
}

fn rounded_up(parts: f64) -> f64 {
    (parts - 1e-9).ceil().max(1.0)
}

impl Planner<'_> {
    /// What one broker does where `brokers` are there and, if `is_down`, zones are away.
    /// `factor`: how much more than fitted the cores cost.
    pub fn state(&self, broker: &Broker, brokers: u32, is_down: bool, factor: f64) -> State {
        let (demand, site) = (self.demand, self.site);
        let zones_down = if is_down { site.zones_down } else { 0 };
        let up = brokers - brokers / site.zones * zones_down;
        let lost = site.copies / site.zones * zones_down;
        let copies = f64::from((site.copies - lost.min(site.copies - 1)).min(up));
        let count = f64::from(up);
        let Spread { leads, follows, held, on_core } = self.spread(broker, count, copies);
        let mut work = demand.work(leads, site.scale);
        let (bytes, batches) = (demand.written_bytes * site.scale, demand.produces * site.scale);
        work[place(Column::WrittenBytes)] += bytes * follows;
        work[place(Column::Produces)] += batches * follows;
        work[place(Column::FetchedBytes)] += bytes * leads * (copies - 1.0);
        let fetches = batches * demand.fetches_per_batch;
        work[place(Column::Fetches)] += fetches * leads * (copies - 1.0);
        work[place(Column::Partitions)] = held;
        let links = if copies > 1.0 { 2.0 * (count - 1.0) } else { 0.0 };
        work[place(Column::Connections)] = demand.connections(count, site.scale) + links;
        work[place(Column::Flushes)] =
            demand.flushes.map_or(0.0, |flushes| flushes.at(work[place(Column::Produces)]));
        let used = self.used(broker, &work, count, on_core * broker.cores, factor);
        let shares = used.iter().filter_map(Used::limiting);
        let replicated = bytes * (copies - 1.0);
        let from_clients = bytes + demand.fetched_bytes * site.scale;
        let away = f64::from(site.zones - zones_down - 1) / f64::from(site.zones - zones_down);
        State {
            brokers: up,
            utilisation: shares.fold(0.0, f64::max),
            used,
            work,
            between_zones: from_clients * away + if away > 0.0 { replicated } else { 0.0 },
        }
    }

    /// How partitions come to brokers and cores: in whole numbers, the hottest of them somewhere.
    fn spread(&self, broker: &Broker, count: f64, copies: f64) -> Spread {
        let demand = self.demand;
        let (partitions, others) = (demand.partitions.max(1.0), copies - 1.0);
        let (cores, even) = (broker.cores, 1.0 / broker.cores);
        if demand.may_be_split {
            let held = (partitions * copies / count).max(cores);
            return Spread { leads: 1.0 / count, follows: others / count, held, on_core: even };
        }
        let led = rounded_up(partitions / count);
        let followed = if others > 0.0 { rounded_up(partitions * others / count) } else { 0.0 };
        let leads = (led / partitions).max(demand.busiest_partition);
        let (follows, held) = (followed / partitions, led + followed);
        // A partition is served by one core: the core that has most of them, or the hottest.
        let hottest = (demand.busiest_partition / leads).min(1.0);
        let on_core = (rounded_up(held / cores) / held).max(hottest).max(even).min(1.0);
        Spread { leads, follows, held, on_core }
    }

    fn used(
        &self,
        broker: &Broker,
        work: &Work,
        brokers: f64,
        skew: f64,
        factor: f64,
    ) -> Vec<Used> {
        let fitted = self.fitted;
        let by_brokers = &fitted.by_brokers;
        let together =
            by_brokers.efficiency(by_brokers.measured.1) / by_brokers.efficiency(brokers);
        let cores = fitted.cores.predict(work) * factor * together.max(1.0);
        let busy = cores / (broker.cores * fitted.by_cores.efficiency(broker.cores));
        let mut used = vec![Used { name: CORE, amount: busy * skew, share: Some(busy * skew) }];
        let resources = [
            (Resource::Disk, "disk", broker.disk),
            (Resource::NetworkIn, "network in", broker.network),
            (Resource::NetworkOut, "network out", broker.network),
        ];
        for (resource, name, capacity) in resources {
            if let Some(fit) = fitted.fit(resource) {
                let amount = fit.predict(work);
                used.push(Used { name, amount, share: capacity.map(|most| amount / most) });
            }
        }
        let flushes = work[place(Column::Flushes)];
        if flushes > 0.0 {
            let share = broker.flush_s.map(|seconds| flushes * seconds);
            used.push(Used { name: FLUSHES, amount: flushes, share });
        }
        used
    }

    /// The highest utilisation that the service levels allow, and why.
    fn utilisation_max(&self) -> anyhow::Result<(f64, String)> {
        let mut most = (UTILISATION_MAX, "queues do not settle beyond".to_owned());
        for slo in &self.site.slos {
            let (quantile, bound) = (1.0 - slo.late_max, slo.bound.as_secs_f64() * 1e3);
            let latency = self.fitted.latency(slo.metric);
            let Some(within) = latency.utilisation_within(quantile, bound) else {
                bail!(
                    "the knees do not tell of '{slo}': they have {}; give --slo one of those, such \
                     as 'p99<=10ms', or measure again with a level of that kind",
                    said_of(latency)
                )
            };
            ensure!(
                within > 0.0,
                "'{slo}' does not hold at any load: with nothing to do it is {:.3} ms; give a \
                 higher bound, or measure a faster broker",
                latency.ms(quantile, 0.0).unwrap_or(f64::NAN)
            );
            if within < most.0 {
                most = (within, format!("beyond, {slo} does not hold"));
            }
            if latency.seen_up_to < most.0 && !self.site.extrapolate {
                let why = "no trial was busier; --extrapolate goes beyond".to_owned();
                most = (latency.seen_up_to, why);
            }
        }
        Ok(most)
    }

    /// Whether each resource has its headroom, and the levels hold.
    fn holds(&self, state: &State, utilisation_max: f64) -> bool {
        let room = 1.0 - self.site.headroom;
        state
            .used
            .iter()
            .all(|one| one.limiting().is_none_or(|share| share <= utilisation_max.min(room)))
    }

    fn smallest(&self, broker: &Broker, utilisation_max: f64, factor: f64) -> Result<u32, State> {
        let zones = self.site.zones;
        let first = self.site.copies.div_ceil(zones).max(1) * zones;
        let mut brokers = first;
        loop {
            let down = self.state(broker, brokers, true, factor);
            let all_up = self.state(broker, brokers, false, factor);
            if self.holds(&down, utilisation_max) && self.holds(&all_up, utilisation_max) {
                return Ok(brokers);
            }
            let has_one_each = !self.demand.may_be_split
                && f64::from(down.brokers) >= self.demand.partitions * f64::from(self.site.copies);
            if brokers + zones > BROKERS_MAX || has_one_each {
                return Err(down);
            }
            brokers += zones;
        }
    }

    pub fn answer(&self, broker: &Broker) -> anyhow::Result<Answer> {
        let (utilisation_max, why_utilisation) = self.utilisation_max()?;
        let brokers = match self.smallest(broker, utilisation_max, 1.0) {
            Ok(brokers) => brokers,
            Err(state) => {
                bail!("{}", self.no_answer(&state, broker, utilisation_max, &why_utilisation))
            }
        };
        let all_up = self.state(broker, brokers, false, 1.0);
        let down = self.state(broker, brokers, true, 1.0);
        let error = self.error(&down.work);
        let full = |one: &Used| {
            Some((utilisation_max / one.limiting().filter(|share| *share > 0.0)?, one.name))
        };
        // With fewer copies to keep up, those that are left may have less to do than all had.
        let both = down.used.iter().chain(&all_up.used);
        let (grows_to, first) = both
            .filter_map(full)
            .min_by(|a, b| a.0.total_cmp(&b.0))
            .unwrap_or((f64::INFINITY, "nothing"));
        let zones = self.site.zones;
        let least = (brokers.saturating_sub(3 * zones)).max(zones).div_ceil(zones) * zones;
        let span = (least..=(brokers + 4 * zones).min(BROKERS_MAX)).step_by(zones as usize);
        let kept = self.demand.kept_bytes * self.site.scale * f64::from(self.site.copies);
        Ok(Answer {
            brokers,
            broker: *broker,
            first,
            grows_by: grows_to - 1.0,
            utilisation_max,
            why_utilisation,
            error,
            brokers_at_error: self.smallest(broker, utilisation_max, 1.0 + error).ok(),
            gaps: self.gaps(broker, &down),
            curve: span.map(|count| self.state(broker, count, true, 1.0)).collect(),
            kept_bytes: kept / f64::from(brokers),
            all_up,
            down,
        })
    }

    /// Both errors together, as independent ones: that of the batches has the share that they have
    /// of what the cores do.
    fn error(&self, work: &Work) -> f64 {
        let cores = &self.fitted.cores;
        let of_batches = [Column::Produces, Column::Fetches, Column::Flushes]
            .map(|column| cores.cost(column) * work[place(column)]);
        let share = of_batches.iter().sum::<f64>() / cores.predict(work).max(f64::MIN_POSITIVE);
        cores.error().hypot(share * self.demand.batches_error)
    }

    fn no_answer(&self, state: &State, broker: &Broker, most: f64, why: &str) -> String {
        let (room, why) = match 1.0 - self.site.headroom {
            room if most < room => (most * 100.0, why),
            room => (room * 100.0, "the --headroom that is asked for"),
        };
        let shares = state.used.iter().filter_map(|one| Some((one.name, one.limiting()?)));
        let busiest = shares.max_by(|a, b| a.1.total_cmp(&b.1));
        let (name, share) = busiest.map_or(("nothing", 0.0), |(name, share)| (name, share * 100.0));
        let (which, instead) = match self.demand.may_be_split {
            true => ("each", String::new()),
            false => (
                "one partition alone",
                format!("the topics more partitions than {}, ", self.demand.partitions),
            ),
        };
        format!(
            "no number of brokers with {} cores holds this load: with {} that serve, {which} uses \
             {share:.0} % of the {name}, and {room:.0} % is what may be used ({why}); give \
             {instead}larger brokers, a higher --slo or less --headroom",
            broker.cores, state.brokers
        )
    }

    fn gaps(&self, broker: &Broker, state: &State) -> Vec<Gap> {
        let mut gaps = Vec::new();
        for kind in self.demand.kinds.difference(&self.seen.kinds) {
            gaps.push(Gap {
                what: format!("no knee has {kind}, and the workload does"),
                how: how_to_measure(kind),
            });
        }
        let reach = self.fitted.by_cores.reach();
        if broker.cores > reach {
            gaps.push(Gap {
                what: format!(
                    "brokers with {} cores: the largest that was measured has {}, and nothing is \
                     said beyond {REACH} times as many",
                    broker.cores, self.fitted.by_cores.measured.1
                ),
                how: format!(
                    "measure a knee on {:.0} cores or more",
                    (broker.cores / REACH).ceil()
                ),
            });
        }
        for (column, amount) in ALL.iter().zip(&state.work) {
            gaps.extend(self.gap_of(*column, *amount, broker, state));
        }
        gaps
    }

    fn gap_of(&self, column: Column, amount: f64, broker: &Broker, state: &State) -> Option<Gap> {
        if column == Column::Idle || amount <= 0.0 {
            return None;
        }
        let is_a_count = matches!(column, Column::Partitions | Column::Connections);
        let most = self.seen.most[place(column)];
        let (of_one, per) =
            if is_a_count { (amount, "") } else { (amount / broker.cores, " and core") };
        let is_beyond = most > 0.0 && of_one > most * AMOUNT_REACH;
        if is_beyond && !(is_a_count && self.is_small(column, amount - most, state)) {
            return Some(Gap {
                what: format!(
                    "{}: {} per broker{per}; the knees have {} at most, and nothing is said beyond \
                     {AMOUNT_REACH} times as many",
                    plural(column),
                    rounded(of_one),
                    rounded(most)
                ),
                how: column.how().to_owned(),
            });
        }
        let untold = self.fitted.cores.untold.iter().find(|one| one.column == column)?;
        if untold.along_with.is_empty() && column != Column::Flushes {
            let what =
                format!("{}: {} per broker, and no knee has any", plural(column), rounded(amount));
            return Some(Gap { what, how: column.how().to_owned() });
        }
        let along: f64 =
            untold.along_with.iter().map(|(one, part)| state.work[place(*one)] * part).sum();
        if amount <= along * ALONG_REACH || self.is_small(column, amount - along, state) {
            return None;
        }
        let with: Vec<&str> = untold.along_with.iter().map(|(one, _)| plural(*one)).collect();
        Some(Gap {
            what: format!(
                "{}: {} per broker; the knees tell their cost only together with {}, of which {} \
                 went along",
                plural(column),
                rounded(amount),
                with.join(" and "),
                rounded(along.max(0.0))
            ),
            how: column.how().to_owned(),
        })
    }

    /// Whether so much more of a column costs little beside all that is done, at the most that it
    /// may cost: its own cost, or all of that of what went along with it.
    fn is_small(&self, column: Column, more: f64, state: &State) -> bool {
        let cores = &self.fitted.cores;
        let untold = cores.untold.iter().find(|one| one.column == column);
        let most = match untold {
            None => cores.cost(column),
            Some(untold) => {
                let parts = untold.along_with.iter().filter(|(_, part)| *part > 0.0);
                let costs = parts.map(|(one, part)| cores.cost(*one) / part);
                costs.min_by(f64::total_cmp).unwrap_or(f64::INFINITY)
            }
        };
        more * most <= MATTERS * cores.predict(&state.work)
    }
}

fn said_of(latency: &super::queue::Latency) -> String {
    let names: Vec<String> =
        latency.fitted.iter().map(|one| format!("p{}", one.quantile * 100.0)).collect();
    if names.is_empty() { "no such latencies".to_owned() } else { names.join(", ") }
}

pub fn plural(column: Column) -> &'static str {
    match column {
        Column::WrittenBytes => "bytes written",
        Column::Produces => "produce requests",
        Column::FetchedBytes => "bytes read",
        Column::Fetches => "fetches",
        Column::Idle => "an idle broker",
        Column::Partitions => "partitions",
        Column::Connections => "connections",
        Column::Flushes => "flushes",
    }
}

/// With three digits.
pub fn rounded(value: f64) -> String {
    crate::report::chart::number(value)
}

fn how_to_measure(kind: &str) -> String {
    match kind.split_once(' ') {
        Some(("compression", codec)) => format!("measure one: loadgen knee --compression {codec}"),
        Some(("acks", acks)) => format!("measure one: loadgen knee --acks {acks}"),
        _ if kind == "consumers" => "measure one: loadgen knee --consumers 1".to_owned(),
        _ => {
            "loadgen knee has no such loads yet: plan with --extrapolate, then check with loadgen \
              run at the planned load"
                .to_owned()
        }
    }
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
