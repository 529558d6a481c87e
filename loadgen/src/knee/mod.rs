//! `loadgen knee`: the highest rate that holds a service level, with its error bar.
//!
//! Owns: the order of trials, which `search.rs` gives, and their results. Lives on: the generator's
//! thread. Never: judges by a trial that the generator could not send as it was due.

mod fit;
mod options;
mod outcome;
mod search;
#[cfg(test)]
mod simulated;
mod slo;
mod topic;
mod trial;
mod watch;

use crate::{
    machine::Machine,
    report::ReportFile,
    run::{core_for, on_core, run_on},
    say,
    signals::Interrupt,
};
use anyhow::Context;
pub use options::{KneeOptions, adapted};
use outcome::{Findings, SearchRun, between, figure};
use ring::Ring;
use search::{Outcome, Planned, Search, Trial};
pub use slo::{Metric, Slo};
use std::{rc::Rc, time::Duration};
use trial::{Tried, percent};
use watch::Watch;

/// What an overloaded broker still has to do after a trial is no part of the next one.
const PAUSE: Duration = Duration::from_millis(300);

/// Searches, prints, and says whether a knee was found.
pub fn knee(options: KneeOptions) -> anyhow::Result<bool> {
    options.check()?;
    let core = core_for(&options.load)?;
    let json =
        options.load.json.clone().map(|path| ReportFile::create("--json", path)).transpose()?;
    let broker_pid = options.broker_pid.or_else(|| watch::find_broker(&options.load.bootstrap));
    let watch = Watch::start(broker_pid).context("cannot watch /proc")?;
    let hunt = move |ring, interrupt| async move {
        let hunt = Hunt { ring, interrupt, watch };
        Ok(hunt.search_all(options).await)
    };
    let findings = on_core(core, hunt)?;
    if !findings.tried.is_empty() {
        say::result(&findings.table());
    }
    json.map_or(Ok(()), |file| file.write_json(&findings.json()))?;
    let is_found = findings.knee().is_some();
    findings.error.map_or(Ok(is_found), Err)
}

struct Hunt {
    ring: Ring,
    interrupt: Rc<Interrupt>,
    watch: Watch,
}

impl Hunt {
    async fn search_all(&self, options: KneeOptions) -> Findings {
        let mut findings = Findings {
            options,
            runs: Vec::new(),
            tried: Vec::new(),
            interrupted: false,
            broker_cores: self.watch.broker_pid.and_then(watch::broker_cores),
            machine: Machine::look(),
            began_ms: Some(self.ring.wall_clock_ms()),
            error: None,
        };
        if !findings.options.load.quiet {
            self.say_what_is_watched();
        }
        let mut near = None;
        for run in 1..=findings.options.runs() {
            let topic = topic::name(&findings.options.load.topic, self.ring.random_u64(), run);
            let began = self.ring.precise_now();
            let tried_before = findings.tried.len();
            let mut search = Search::new(
                findings.options.settings(near),
                findings.options.slos.iter().map(|slo| slo.late_max).collect(),
            );
            let ended = self.search(run, &topic, &mut search, &mut findings).await;
            // A signal may come between the topic and the first result.
            if findings.tried.len() > tried_before || self.interrupt.came() {
                topic::delete(&self.ring, &findings.options.load, &topic).await;
            }
            let outcome = search.outcome();
            findings.runs.push(SearchRun {
                topic,
                outcome,
                fit: fit_of(&search, outcome, &findings.options),
                trials: findings.tried.len() - tried_before,
                seconds: self.ring.precise_now().since(began).as_secs_f64(),
            });
            findings.interrupted = self.interrupt.came();
            findings.error = ended.err().filter(|_| !findings.interrupted);
            let Outcome::Found { low, .. } = outcome else { break };
            if findings.interrupted || findings.error.is_some() {
                break;
            }
            near = Some(low);
        }
        findings
    }

    fn say_what_is_watched(&self) {
        say::note(&match self.watch.broker_pid {
            Some(pid) => format!("the broker is process {pid} of this machine"),
            None => "the broker's process is not known: --broker-pid tells which one is looked at"
                .to_owned(),
        });
    }

    /// One search, to its end or to a signal's.
    async fn search(
        &self,
        run: usize,
        topic: &str,
        search: &mut Search,
        findings: &mut Findings,
    ) -> anyhow::Result<()> {
        // A void trial is repeated once: what took the generator's processor may be gone.
        let mut was_void = false;
        while let Some(planned) = search.next() {
            if self.interrupt.came() {
                return Ok(());
            }
            let tried = self.try_rate(run, topic, planned, &findings.options).await?;
            if self.interrupt.came() {
                findings.tried.push(tried);
                return Ok(());
            }
            let is_void = tried.void.is_some();
            match is_void {
                true if was_void => search.cannot_send(planned.rate),
                true => {}
                false => search.add(Trial {
                    rate: planned.rate,
                    duration_s: planned.duration_s,
                    late: tried.late.clone(),
                }),
            }
            was_void = is_void && !was_void;
            if !findings.options.load.quiet {
                say::note(&line(&tried, search));
            }
            findings.tried.push(tried);
            self.ring.sleep(PAUSE).await;
        }
        Ok(())
    }

    async fn try_rate(
        &self,
        run: usize,
        topic: &str,
        planned: Planned,
        options: &KneeOptions,
    ) -> anyhow::Result<Tried> {
        let duration = Duration::from_secs_f64(planned.duration_s);
        let load = options.trial_load(topic, planned.rate, duration);
        let from = self.watch.now() + load.warm_up;
        let report = run_on(self.ring.clone(), load, self.interrupt.clone()).await?;
        let usage = self.watch.between(from, from + duration);
        Ok(Tried::of(run, &report, &options.slos, usage))
    }
}

/// Of the service level whose critical rate is the lowest.
fn fit_of(search: &Search, outcome: Outcome, options: &KneeOptions) -> Option<fit::Fit> {
    let Outcome::Found { .. } = outcome else { return None };
    options
        .slos
        .iter()
        .enumerate()
        .filter_map(|(goal, slo)| fit::fit(search.trials(), goal, slo.late_max))
        .min_by(|a, b| a.mean_ln.total_cmp(&b.mean_ln))
}

/// A trial, for the terminal.
fn line(tried: &Tried, search: &Search) -> String {
    let late: Vec<String> =
        tried.late.iter().map(|late| format!("{:.3} %", late * 100.0)).collect();
    let verdict = match (&tried.void, tried.is_good) {
        (Some(why), _) => format!("void: {why}"),
        (None, true) => format!("good: {} late", late.join(", ")),
        (None, false) => format!("bad: {} late", late.join(", ")),
    };
    let quantile = |value: Option<f64>| value.map_or("-".to_owned(), |ms| format!("{ms:.2}"));
    let (low, high) = search.bounds();
    let mut line = format!(
        "run {}  {:>10} records/s {:>6.1} s  p50 {} p99 {} p99.9 {} ms  {verdict}",
        tried.run,
        figure(tried.rate),
        tried.duration_s,
        quantile(tried.response.p50),
        quantile(tried.response.p99),
        quantile(tried.response.p99_9),
    );
    if let Some(thread) = &tried.usage.busiest_thread {
        line += &format!("  broker {}", percent(thread.share));
    }
    if let Some(known) = between(low, high) {
        line += &format!("  knee {known}");
    }
    line
}
