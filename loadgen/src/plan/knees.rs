//! Results of `loadgen knee` as they lie in files: the figures that a plan needs, and whether
//! they can be fitted together.
//!
//! Owns: nothing; a file is read once. Never: takes a file for a knee that is none, keeps a trial
//! that was void or lost records, or puts together what different generators or processors gave.

use crate::knee::{Metric, Slo};
use anyhow::{Context, bail, ensure};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::Read,
    path::Path,
};

/// A default search writes some 40 kB.
const FILE_BYTES_MAX: u64 = 64 << 20;
pub const KNEES_MAX: usize = 64;
pub const TRIALS_MAX: usize = 10_000;

/// How to get a file of the right kind.
const HOW: &str = "loadgen knee --slo 'p99<=10ms' --json knee.json";

/// What the broker was given to do in one trial, and what it took. Per second, unless said
/// otherwise; of one broker.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trial {
    pub rate: f64,
    pub produces: f64,
    pub batches: f64,
    pub written_bytes: f64,
    pub value_bytes: f64,
    pub fetches: f64,
    pub fetched_bytes: f64,
    pub flushes: Option<f64>,
    /// Processors of the broker's machine: 2 is two of them.
    pub processors: Option<f64>,
    pub disk_bytes: Option<f64>,
    pub to_broker_bytes: Option<f64>,
    pub from_broker_bytes: Option<f64>,
    /// The share of the time of the broker's busiest thread.
    pub busiest_thread: Option<f64>,
    pub busiest_disk: Option<f64>,
    /// Milliseconds by percentile, as a share; those that were measured.
    pub response: Vec<(f64, f64)>,
    pub end_to_end: Vec<(f64, f64)>,
}

/// What decides how full batches get, as options have it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Batching {
    /// Of a value.
    pub record_bytes: f64,
    pub batch_bytes: f64,
    pub linger_s: f64,
    pub connections: f64,
    /// Open batches of a connection: one, or with keys one for each partition.
    pub lanes: f64,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Knee {
    pub name: String,
    pub loadgen: String,
    /// The model, without how many there are.
    pub processor: String,
    pub kernel: String,
    pub cores: f64,
    pub brokers: f64,
    /// Records per second and their spread, where a knee was found.
    pub found: Option<(f64, f64)>,
    pub limit: String,
    pub slos: Vec<Slo>,
    pub partitions: f64,
    /// Of producers and of consumers.
    pub connections: (f64, f64),
    /// How many consumers get each record.
    pub readers: f64,
    pub batching: Batching,
    /// What the load was made of, in words: see [`crate::plan::demand`].
    pub kinds: BTreeSet<String>,
    pub compression: String,
    /// Everything of the load that says whether another knee is of the same one on more cores.
    pub load: String,
    pub trials: Vec<Trial>,
    /// Trials that were void, met errors, or were not answered as they were due.
    pub left_out: usize,
}

/// Reads a file of JSON that is not larger than any that a command writes.
pub fn read_json(path: &Path, how: &str) -> anyhow::Result<Value> {
    let shown = path.display();
    let mut text = String::new();
    let file = File::open(path)
        .with_context(|| format!("cannot read {shown}: give a file that {how} wrote"))?;
    let read = file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text);
    read.with_context(|| format!("cannot read {shown}: give a file that {how} wrote"))?;
    ensure!(
        text.len() as u64 <= FILE_BYTES_MAX,
        "{shown} is larger than {} MiB, as no result is: give a file that {how} wrote",
        FILE_BYTES_MAX >> 20
    );
    serde_json::from_str(&text)
        .with_context(|| format!("{shown} is not JSON, or was cut off: write it again with {how}"))
}

/// A number that is finite and not below 0.
pub fn number(value: &Value, pointer: &str) -> Option<f64> {
    value.pointer(pointer)?.as_f64().filter(|number| number.is_finite() && *number >= 0.0)
}

/// The service levels that the search held. One that is not known is an error: a plan without it
/// would promise less than was asked for.
fn slos_of(name: &str, json: &Value) -> anyhow::Result<Vec<Slo>> {
    let texts = json["slo"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let slo_of = |text: &str| {
        let slo = text.replace('µ', "u").parse::<Slo>();
        slo.map_err(|error| {
            anyhow::anyhow!(
                "{name}: its service level '{text}' is not known ({error}): measure again with \
                 {HOW}"
            )
        })
    };
    texts.map(slo_of).collect()
}

impl Knee {
    pub fn read(path: &Path) -> anyhow::Result<Knee> {
        Knee::of_json(&path.display().to_string(), &read_json(path, HOW)?)
    }

    pub fn of_json(name: &str, json: &Value) -> anyhow::Result<Knee> {
        let is_knee = ["knee", "trials", "options"].iter().all(|key| json.get(key).is_some());
        ensure!(is_knee, "{name} is no result of a search for a knee: give files of {HOW}");
        if let Some(error) = json["error"].as_str() {
            bail!("{name}: its search failed ({error}): repeat it with {HOW}");
        }
        let text = |pointer: &str| {
            json.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let loadgen = text("/environment/loadgen_version");
        ensure!(
            !loadgen.is_empty(),
            "{name} does not say which loadgen wrote it, nor what the broker was given to do: an \
             older one did; measure again with {HOW}"
        );
        let cores = number(json, "/broker/cores").filter(|cores| *cores >= 1.0);
        let cores = cores.with_context(|| {
            format!(
                "{name} does not say how many cores the broker has: measure again with loadgen \
                 knee --broker-cores N, on the broker's machine"
            )
        })?;
        let brokers = number(json, "/broker/brokers").unwrap_or(1.0).max(1.0);
        let option = |key: &str| number(json, &format!("/options/{key}"));
        let consumers = option("consumers").unwrap_or(0.0);
        let mut knee = Knee {
            name: name.to_owned(),
            loadgen,
            processor: model_of(&text("/environment/processor")),
            kernel: text("/environment/kernel"),
            cores,
            brokers,
            found: number(json, "/knee/records_per_s")
                .map(|rate| (rate, number(json, "/knee/sd").unwrap_or(0.0))),
            limit: text("/limit"),
            slos: slos_of(name, json)?,
            partitions: option("partitions").unwrap_or(1.0) / brokers,
            connections: (option("connections").unwrap_or(1.0), consumers),
            readers: if json["options"]["fan_out"] == true {
                consumers
            } else {
                consumers.min(1.0)
            },
            batching: batching_of(&option),
            kinds: kinds_of(&json["options"]),
            compression: text("/options/compression"),
            load: load_of(&json["options"]),
            trials: Vec::new(),
            left_out: 0,
        };
        for trial in json["trials"].as_array().into_iter().flatten().take(TRIALS_MAX) {
            match trial_of(trial, brokers) {
                Some(trial) => knee.trials.push(trial),
                None => knee.left_out += 1,
            }
        }
        ensure!(
            !knee.trials.is_empty(),
            "{name} has no trial that counts: each was void, or met errors; measure again with \
             {HOW}, on a machine with processors to spare"
        );
        let knows_processors = knee.trials.iter().any(|trial| trial.processors.is_some());
        ensure!(
            knows_processors,
            "{name} does not say what the broker's processors did: run loadgen knee on the \
             broker's machine, with --broker-pid PID where the broker is not found by its port"
        );
        Ok(knee)
    }

    /// The percentiles of the kind of latency that a level bounds.
    pub fn percentiles(trial: &Trial, metric: Metric) -> &[(f64, f64)] {
        match metric {
            Metric::Response => &trial.response,
            Metric::EndToEnd => &trial.end_to_end,
        }
    }

    /// Of the resource that limited this knee, as far as a trial says it.
    pub fn utilisation(&self, trial: &Trial) -> Option<f64> {
        if self.limit == "disk" {
            let both = [trial.busiest_disk, trial.busiest_thread];
            return both.into_iter().flatten().max_by(f64::total_cmp);
        }
        trial.busiest_thread
    }
}

fn batching_of(option: &dyn Fn(&str) -> Option<f64>) -> Batching {
    let has_keys = option("keys").is_some_and(|keys| keys > 0.0);
    Batching {
        record_bytes: option("record_size").unwrap_or(0.0),
        batch_bytes: option("batch_size").unwrap_or(0.0),
        linger_s: option("linger_ms").unwrap_or(0.0) / 1e3,
        connections: option("connections").unwrap_or(1.0).max(1.0),
        lanes: if has_keys { option("partitions").unwrap_or(1.0).max(1.0) } else { 1.0 },
    }
}

/// `2 × Intel Xeon` is an Intel Xeon.
fn model_of(processor: &str) -> String {
    processor.split_once(" × ").map_or(processor, |(_, model)| model).to_owned()
}

/// What a load was made of, as [`crate::plan::demand`] names it for workloads.
fn kinds_of(options: &Value) -> BTreeSet<String> {
    let mut kinds = BTreeSet::new();
    let compression = options["compression"].as_str().unwrap_or("none");
    kinds.insert(format!("compression {compression}"));
    let acks = match options["acks"].as_i64() {
        Some(0) => "0",
        Some(1) => "1",
        _ => "all",
    };
    kinds.insert(format!("acks {acks}"));
    if options["consumers"].as_u64().unwrap_or(0) > 0 {
        kinds.insert("consumers".to_owned());
    }
    kinds
}

/// Options that differ between knees of one load on different cores or brokers.
const OF_THE_SIZE: [&str; 12] = [
    "partitions",
    "connections",
    "consumers",
    "topic",
    "bootstrap",
    "core",
    "backend",
    "duration_s",
    "warm_up_s",
    "settle_s",
    "in_flight",
    "rate",
];

fn load_of(options: &Value) -> String {
    let options = options.as_object().into_iter().flatten();
    let kept: BTreeMap<&String, &Value> =
        options.filter(|(key, _)| !OF_THE_SIZE.contains(&key.as_str())).collect();
    kept.iter().map(|(key, value)| format!("{key}={value} ")).collect()
}

/// Of the rate that was due. A trial that was answered less works off what came before it, and
/// what it cost is not of what it was given.
const KEPT: f64 = 0.95;

/// `None`: it does not count.
fn trial_of(json: &Value, brokers: f64) -> Option<Trial> {
    let is_sound = json["void"].is_null() && json["errors"].as_u64().unwrap_or(0) == 0;
    let (rate, due) = (number(json, "/records_per_s")?, number(json, "/rate")?);
    let is_sound = is_sound && rate >= due * KEPT;
    let of_one = |pointer: &str| number(json, pointer).map(|value| value / brokers);
    let produces = of_one("/produce_requests_per_s").filter(|rate| *rate > 0.0 && is_sound)?;
    let percentiles = |of: &str| {
        let names = [("p50", 0.5), ("p99", 0.99), ("p99_9", 0.999)];
        let at =
            |(name, share): (&str, f64)| Some((share, number(json, &format!("/{of}/{name}"))?));
        names.into_iter().filter_map(at).collect()
    };
    Some(Trial {
        rate,
        produces,
        batches: of_one("/batches_per_s").unwrap_or(produces),
        written_bytes: of_one("/written_bytes_per_s")?,
        value_bytes: of_one("/value_bytes_per_s")?,
        fetches: of_one("/fetch_requests_per_s").unwrap_or(0.0),
        fetched_bytes: of_one("/fetched_bytes_per_s").unwrap_or(0.0),
        flushes: number(json, "/flushes_per_s"),
        processors: number(json, "/broker_processors"),
        disk_bytes: number(json, "/broker_written_bytes_per_s"),
        to_broker_bytes: of_one("/to_broker_bytes_per_s"),
        from_broker_bytes: of_one("/from_broker_bytes_per_s"),
        busiest_thread: number(json, "/broker_busiest_thread_ratio"),
        busiest_disk: number(json, "/busiest_disk_ratio"),
        response: percentiles("response_time_ms"),
        end_to_end: percentiles("end_to_end_ms"),
    })
}

/// Knees whose figures may stand in one fit; says why they may not.
pub fn check_together(knees: &[Knee]) -> anyhow::Result<()> {
    let first = knees.first().context("there is no knee: give --knee knee.json")?;
    ensure!(
        knees.len() <= KNEES_MAX,
        "{} knees: give at most {KNEES_MAX}, one for each kind of load",
        knees.len()
    );
    for other in &knees[1..] {
        let differs = |what: &str, of: fn(&Knee) -> &String| {
            ensure!(
                of(first) == of(other),
                "{} was measured with {what} {}, {} with {}: their figures do not stand in one \
                 fit; measure one of them again, or plan with those that are alike",
                first.name,
                of(first),
                other.name,
                of(other)
            );
            Ok(())
        };
        differs("loadgen", |knee| &knee.loadgen)?;
        differs("the processor", |knee| &knee.processor)?;
        ensure!(first.name != other.name, "{} is given twice: give it once", first.name);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::simulated;
    use serde_json::json;

    fn error(json: &Value) -> String {
        format!("{:#}", Knee::of_json("k.json", json).unwrap_err())
    }

    #[test]
    fn a_knee_is_read_as_it_was_written() {
        let json = simulated::Load { consumers: 2, ..Default::default() }.knee(1, 0.0);
        let knee = Knee::of_json("k.json", &json).unwrap();
        assert_eq!((knee.cores, knee.brokers, knee.connections.1), (1.0, 1.0, 2.0));
        assert_eq!((knee.processor.as_str(), knee.slos.len()), ("Simulated", 1));
        assert!(knee.kinds.contains("consumers") && knee.kinds.contains("acks all"));
        assert!(knee.trials.len() > 5 && knee.trials[0].response.len() == 3);
        assert_eq!(knee.trials[0].processors, json["trials"][0]["broker_processors"].as_f64());
    }

    #[test]
    fn what_is_no_knee_is_refused_and_says_what_to_type() {
        let good = simulated::Load::default().knee(1, 0.0);
        let without = |pointer: &str| {
            let mut json = good.clone();
            *json.pointer_mut(pointer).unwrap() = Value::Null;
            json
        };
        let with_slo = |slo: &str| {
            let mut json = good.clone();
            json["slo"] = json!([slo]);
            json
        };
        for (json, says) in [
            (json!({}), "no result of a search"),
            (json!([1]), "no result of a search"),
            (json!({"knee": 1, "trials": 2, "options": 3}), "an older one"),
            (without("/environment/loadgen_version"), "loadgen knee --slo"),
            (without("/broker/cores"), "--broker-cores N"),
            (without("/trials"), "no trial that counts"),
            (with_slo("p99<=soon"), "service level 'p99<=soon' is not known"),
        ] {
            assert!(error(&json).contains(says), "{}", error(&json));
        }
        let mut failed = good.clone();
        failed["error"] = json!("no broker");
        assert!(error(&failed).contains("no broker"));
        let mut remote = good.clone();
        for trial in remote["trials"].as_array_mut().unwrap() {
            trial["broker_processors"] = Value::Null;
        }
        assert!(error(&remote).contains("--broker-pid"), "{}", error(&remote));
    }

    #[test]
    fn trials_that_do_not_count_are_left_out() {
        let mut json = simulated::Load::default().knee(1, 0.0);
        let all = json["trials"].as_array().unwrap().len();
        json["trials"][0]["void"] = json!("the generator was busy");
        json["trials"][1]["errors"] = json!(3);
        json["trials"][2]["written_bytes_per_s"] = json!(-1.0);
        json["trials"][3]["rate"] = json!(1e9);
        let knee = Knee::of_json("k.json", &json).unwrap();
        assert_eq!((knee.trials.len(), knee.left_out), (all - 4, 4));
    }

    #[test]
    fn knees_of_different_makers_do_not_stand_together() {
        let knee = |name: &str| Knee { name: name.to_owned(), ..Knee::default() };
        assert!(check_together(&[]).unwrap_err().to_string().contains("--knee"));
        check_together(&[knee("a"), knee("b")]).unwrap();
        let other = Knee { loadgen: "9".to_owned(), ..knee("b") };
        let said = check_together(&[knee("a"), other]).unwrap_err().to_string();
        assert!(said.contains("loadgen") && said.contains("measure one of them again"), "{said}");
        let other = Knee { processor: "Z80".to_owned(), ..knee("b") };
        assert!(check_together(&[knee("a"), other]).unwrap_err().to_string().contains("Z80"));
        assert!(check_together(&[knee("a"), knee("a")]).unwrap_err().to_string().contains("twice"));
    }
}
