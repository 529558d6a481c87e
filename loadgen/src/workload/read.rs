//! A workload file in TOML as a workload: what `describe.rs` let pass is read, and what belongs
//! together is compared. Pure.

use super::{
    Command, Consumers, Groups, Hot, KeyChoice, Phase, Producers, Reading, RecordSize, Series,
    Topic, Transactions, Workload,
    describe::Fields,
    keys::ROOT,
    series::SERIES_STEPS_MAX,
    tree::{Problem, of_toml},
};
use crate::{
    knee::{Metric, Slo},
    options::{Acks, CONNECTIONS_MAX, Codec, PARTITIONS_MAX, Rate, is_legal_topic},
    schedule::Arrivals,
    tallies::LATENCY_MAX,
    value::STAMP_BYTES,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// All problems of a file, or its workload.
pub fn read(text: &str) -> Result<Workload, Vec<Problem>> {
    let root = of_toml(text).map_err(|problem| vec![problem])?;
    let mut problems = Vec::new();
    ROOT.check(&root, "", &mut problems);
    let fields = Fields { node: Some(&root), section: &ROOT };
    let mut reader =
        Reader { problems, names: BTreeMap::new(), topics: Vec::new(), taken: BTreeSet::new() };
    let workload = reader.workload(fields);
    if reader.problems.is_empty() { Ok(workload) } else { Err(reader.problems) }
}

struct Reader {
    problems: Vec<Problem>,
    /// The places of the topics that an entry stands for.
    names: BTreeMap<String, Vec<usize>>,
    topics: Vec<Topic>,
    taken: BTreeSet<String>,
}

impl Reader {
    fn complain(&mut self, fields: &Fields<'_>, key: &str, what: impl Into<String>) {
        self.problems.push(Problem { line: fields.line(key), what: what.into() });
    }

    fn workload(&mut self, root: Fields<'_>) -> Workload {
        root.tables("topic").iter().for_each(|topic| self.topic(topic));
        let mut levels = Vec::new();
        for text in root.texts("levels") {
            match text.parse::<Slo>() {
                Ok(slo) if slo.metric == Metric::EndToEnd => {
                    let what = format!(
                        "levels: '{text}': arrivals are not kept by the second yet: give a level \
                         of the response time, such as \"p99<=10ms\""
                    );
                    self.complain(&root, "levels", what);
                }
                Ok(slo) => levels.push(slo),
                Err(error) => self.complain(&root, "levels", format!("levels: {error}")),
            }
        }
        let producers: Vec<_> =
            root.tables("producer").iter().map(|one| self.producers(one)).collect();
        let transactional: Vec<usize> = producers
            .iter()
            .filter(|one| one.transactions.is_some())
            .flat_map(|one| one.topics.iter().copied())
            .collect();
        let consumers: Vec<_> =
            root.tables("consumer").iter().map(|one| self.consumers(one, &transactional)).collect();
        let phases: Vec<_> = root.tables("phase").iter().map(|one| self.phase(one)).collect();
        let commands = root.tables("command").iter().map(|one| self.command(one)).collect();
        let workload = Workload {
            file: None,
            name: root.text("name").map(str::to_owned),
            seed: root.integer("seed") as u64,
            topics: std::mem::take(&mut self.topics),
            producers,
            consumers,
            phases,
            commands,
            levels,
            words: Vec::new(),
            omb: None,
        };
        self.check_together(&root, &workload);
        workload
    }

    fn topic(&mut self, fields: &Fields<'_>) {
        let (count, given) = (fields.integer("count"), fields.text("name").unwrap_or_default());
        let names: Vec<String> = match count {
            1 => vec![given.to_owned()],
            count => (0..count).map(|number| format!("{given}-{number}")).collect(),
        };
        if fields.has("name")
            && let Some(name) = names.iter().find(|name| !is_legal_topic(name))
        {
            let what = format!(
                "'{name}' is no name for a topic: give 1 to 249 of the characters a-z A-Z 0-9 . _ -"
            );
            self.complain(fields, "name", what);
        }
        let first = self.topics.len();
        for name in names {
            if !self.taken.insert(name.clone()) {
                self.complain(fields, "name", format!("topic '{name}' is there already"));
            }
            self.topics.push(Topic {
                name,
                partitions: fields.integer("partitions") as i32,
                replication_factor: fields.integer("replication_factor") as i16,
                configs: fields.configs("configs"),
            });
        }
        self.names.insert(given.to_owned(), (first..self.topics.len()).collect());
    }

    fn topics_of(&mut self, fields: &Fields<'_>) -> Vec<usize> {
        let names = fields.texts("topics");
        if !fields.has("topics") {
            return (0..self.topics.len()).collect();
        }
        let mut places = Vec::new();
        for name in names {
            let one = self.topics.iter().position(|topic| topic.name == name);
            match self.names.get(name).cloned().or(one.map(|place| vec![place])) {
                Some(known) => places.extend(known),
                None => {
                    let known: Vec<&str> = self.names.keys().map(String::as_str).collect();
                    let what =
                        format!("topics: there is no topic '{name}': give {}", known.join(", "));
                    self.complain(fields, "topics", what);
                }
            }
        }
        places.sort_unstable();
        places.dedup();
        if places.is_empty() {
            self.complain(fields, "topics", "topics: give at least one");
        }
        places
    }

    fn producers(&mut self, fields: &Fields<'_>) -> Producers {
        let transactions = fields.table("transactions").map(|fields| self.transactions(&fields));
        let producers = Producers {
            topics: self.topics_of(fields),
            connections: fields.integer("connections") as usize,
            rate: fields.rate("rate"),
            series: fields.table("series").map(|series| self.series(&series)),
            arrivals: self.arrivals(fields),
            record_size: self.record_size(fields),
            keys: keys(fields),
            hot: fields.table("hot").map(|hot| Hot {
                share: hot.number("share"),
                partitions: hot.integer("partitions") as i32,
            }),
            entropy: fields.has("entropy").then(|| fields.number("entropy")),
            compression: match fields.text("compression") {
                Some("gzip") => Codec::Gzip,
                Some("snappy") => Codec::Snappy,
                Some("lz4") => Codec::Lz4,
                Some("zstd") => Codec::Zstd,
                _ => Codec::None,
            },
            batch_size: fields.integer("batch_size") as usize,
            linger: Duration::from_secs_f64(fields.number("linger_ms") / 1e3),
            in_flight: fields.integer("in_flight") as usize,
            acks: match fields.text("acks") {
                Some("0") => Acks::None,
                Some("1") => Acks::Leader,
                _ => Acks::All,
            },
            // What transactions need in any case.
            idempotence: fields.flag("idempotence") || transactions.is_some(),
            transactions,
        };
        self.check_producers(fields, &producers);
        producers
    }

    fn check_producers(&mut self, fields: &Fields<'_>, producers: &Producers) {
        if producers.idempotence {
            let why = if producers.transactions.is_some() { "transactions" } else { "idempotence" };
            if fields.has("idempotence") && !fields.flag("idempotence") {
                self.complain(fields, "idempotence", "transactions need idempotence = true");
            }
            if producers.acks != Acks::All {
                self.complain(fields, "acks", format!("{why} needs acks = \"all\""));
            }
            if producers.in_flight > 5 {
                self.complain(fields, "in_flight", format!("{why} needs in_flight = 5 or less"));
            }
        }
        let has_keys = producers.keys != KeyChoice::None;
        if has_keys && producers.hot.is_some() {
            let what = "hot is for records without keys: leave out keys or hot; keys with \
                        distribution = \"zipf\" make hot partitions as well";
            self.complain(fields, "hot", what);
        }
        if has_keys && producers.connections < producers.topics.len() {
            let what = format!(
                "connections: records with keys need one for each topic: give {} or more",
                producers.topics.len()
            );
            self.complain(fields, "connections", what);
        }
        if let Some(hot) = producers.hot
            && let Some(topic) = producers
                .topics
                .iter()
                .map(|topic| &self.topics[*topic])
                .find(|topic| hot.partitions > topic.partitions)
        {
            let what = format!(
                "hot.partitions: topic '{}' has {} partitions: give at most as many",
                topic.name, topic.partitions
            );
            self.complain(fields, "hot", what);
        }
        if producers.rate == Rate::Max && producers.arrivals != Arrivals::Fixed {
            let what = "arrivals are of a rate: give rate = records per second, or leave this out";
            self.complain(fields, "arrivals", what);
        }
        if producers.rate == Rate::Max && producers.series.is_some() {
            let what = "series is of a rate: give rate = records per second, or leave this out";
            self.complain(fields, "series", what);
        }
    }

    fn series(&mut self, fields: &Fields<'_>) -> Series {
        let series =
            Series { until_s: fields.numbers("until_s"), factors: fields.numbers("factors") };
        let steps = series.until_s.len();
        if !(1..=SERIES_STEPS_MAX).contains(&steps) && fields.has("until_s") {
            let what = format!("until_s: {steps} steps: give 1 to {SERIES_STEPS_MAX}");
            self.complain(fields, "until_s", what);
        }
        if steps != series.factors.len() {
            let what = format!(
                "factors: {} of them for {steps} steps: give one for each of until_s",
                series.factors.len()
            );
            self.complain(fields, "factors", what);
        }
        let first_is_0 = series.until_s.first() == Some(&0.0);
        if first_is_0 || series.until_s.windows(2).any(|pair| pair[0] >= pair[1]) {
            let what = "until_s: give seconds above 0, each more than the one before it";
            self.complain(fields, "until_s", what);
        }
        series
    }

    fn arrivals(&mut self, fields: &Fields<'_>) -> Arrivals {
        let arrivals = match fields.text("arrivals") {
            Some("poisson") => Arrivals::Poisson,
            Some("bursty") => Arrivals::Bursty {
                period_s: fields.number("burst_period_ms") / 1e3,
                share: fields.number("burst_share"),
            },
            _ => Arrivals::Fixed,
        };
        let is_bursty = matches!(arrivals, Arrivals::Bursty { .. });
        for key in ["burst_period_ms", "burst_share"] {
            if fields.has(key) && !is_bursty {
                self.complain(fields, key, format!("{key} is for arrivals = \"bursty\""));
            }
        }
        arrivals
    }

    fn record_size(&mut self, fields: &Fields<'_>) -> RecordSize {
        let Some(size) = fields.table("record_size") else {
            let plain = fields.plain("record_size");
            return RecordSize::Fixed(plain.unwrap_or(fields.integer("record_size")) as usize);
        };
        let (min, max) = (size.integer("min") as usize, size.integer("max") as usize);
        if min > max {
            self.complain(&size, "min", format!("record_size: min {min} is above max {max}"));
        }
        if size.text("distribution") != Some("log-normal") {
            for key in ["mean", "deviation"].into_iter().filter(|key| size.has(key)) {
                self.complain(&size, key, format!("{key} is for distribution = \"log-normal\""));
            }
            return RecordSize::Uniform { min, max };
        }
        for key in ["mean", "deviation"].into_iter().filter(|key| !size.has(key)) {
            let what = format!("record_size: a log-normal distribution needs {key}");
            self.complain(&size, "distribution", what);
        }
        let (mean, deviation) = (size.number("mean"), size.number("deviation"));
        RecordSize::LogNormal { mean, deviation, min, max }
    }

    fn transactions(&mut self, fields: &Fields<'_>) -> Transactions {
        let length = Duration::from_secs_f64(fields.number("length_ms") / 1e3);
        let timeout = fields.duration("timeout").unwrap_or_default();
        if timeout <= length || timeout.as_millis() > i32::MAX as u128 {
            let what = "timeout: give more than length_ms, and less than 24 days";
            self.complain(fields, "timeout", what);
        }
        Transactions {
            length,
            abort_share: fields.number("abort_share"),
            timeout,
            id: fields.text("id").map(str::to_owned),
        }
    }

    fn consumers(&mut self, fields: &Fields<'_>, transactional: &[usize]) -> Consumers {
        let topics = self.topics_of(fields);
        let reading = match fields.text("kind") {
            Some("every") => Reading::Every,
            Some("group") => Reading::Group(self.groups(fields)),
            Some("catch-up") => Reading::CatchUp { at: fields.duration("at").unwrap_or_default() },
            _ => Reading::Shared,
        };
        let is_group = matches!(reading, Reading::Group(_));
        let of_groups = ["groups", "group_id", "session_timeout", "commit_interval"];
        for key in of_groups.into_iter().filter(|key| fields.has(key) && !is_group) {
            self.complain(fields, key, format!("{key} is for kind = \"group\""));
        }
        if fields.has("at") && !matches!(reading, Reading::CatchUp { .. }) {
            self.complain(fields, "at", "at is for kind = \"catch-up\"");
        }
        let has_transactions = topics.iter().any(|topic| transactional.contains(topic));
        let skim = fields.flag("skim");
        let read_committed =
            fields.text("isolation").map_or(has_transactions, |text| text == "read_committed");
        if has_transactions && !read_committed && !skim {
            let what = "isolation: producers of these topics use transactions, and what a consumer \
                        reads of aborted ones cannot be verified: give \"read_committed\", or \
                        skim = true";
            self.complain(fields, "isolation", what);
        }
        Consumers {
            topics,
            reading,
            count: fields.integer("count") as usize,
            read_committed,
            skim,
            fetch_size: fields.integer("fetch_size") as i32,
        }
    }

    fn groups(&mut self, fields: &Fields<'_>) -> Groups {
        let session_timeout = fields.duration("session_timeout").unwrap_or_default();
        if !(Duration::from_secs(1)..=Duration::from_secs(3600)).contains(&session_timeout) {
            self.complain(fields, "session_timeout", "session_timeout: give \"1s\" to \"1h\"");
        }
        Groups {
            groups: fields.integer("groups") as usize,
            id: fields.text("group_id").map(str::to_owned),
            session_timeout,
            commit_interval: fields.duration("commit_interval").unwrap_or_default(),
        }
    }

    fn phase(&mut self, fields: &Fields<'_>) -> Phase {
        let duration = fields.duration("duration").unwrap_or(Duration::from_secs(1));
        if duration.is_zero() {
            self.complain(fields, "duration", "duration: give more than 0, as in \"10s\"");
        }
        Phase {
            name: fields.text("name").unwrap_or_default().to_owned(),
            duration,
            factor: fields.number("rate"),
            measured: fields.flag("measured"),
        }
    }

    fn command(&mut self, fields: &Fields<'_>) -> Command {
        let run = fields.text("run").unwrap_or_default().to_owned();
        Command {
            at: fields.duration("at").unwrap_or_default(),
            name: fields.text("name").unwrap_or(&run).to_owned(),
            run,
        }
    }

    fn check_together(&mut self, root: &Fields<'_>, workload: &Workload) {
        self.check_timeline(root, workload);
        let producers = root.tables("producer");
        let sum = |counts: &mut dyn Iterator<Item = usize>| counts.sum::<usize>();
        let connections = sum(&mut workload.producers.iter().map(|one| one.connections));
        let consumers = sum(&mut workload.consumers.iter().map(members));
        if connections > CONNECTIONS_MAX || consumers > CONNECTIONS_MAX {
            let what = format!(
                "{connections} producers and {consumers} consumers: give at most \
                 {CONNECTIONS_MAX} of each"
            );
            self.complain(root, "producer", what);
        }
        if workload.partitions() > i64::from(PARTITIONS_MAX) {
            let what =
                format!("{} partitions: give at most {PARTITIONS_MAX}", workload.partitions());
            self.complain(root, "topic", what);
        }
        if workload.producers.is_empty() && workload.consumers.is_empty() {
            self.complain(root, "topic", "nothing to do: give a [[producer]] or a [[consumer]]");
        }
        if workload.producers.is_empty()
            && workload
                .consumers
                .iter()
                .any(|one| !matches!(one.reading, Reading::Shared | Reading::Every))
        {
            let what = "without producers, consumers are of kind \"shared\" or \"every\", and read \
                        from the beginning again and again";
            self.complain(root, "consumer", what);
        }
        let without_acks = |one: &Producers| one.acks == Acks::None;
        if workload.producers.iter().any(without_acks)
            && !workload.producers.iter().all(without_acks)
        {
            let at = workload.producers.iter().position(without_acks).unwrap_or(0);
            let what = "acks: \"0\" for one of the producers needs \"0\" for all: what is not \
                        acknowledged cannot be counted with what is";
            self.complain(&producers[at], "acks", what);
        }
        for (fields, one) in producers.iter().zip(&workload.producers) {
            let is_read = one.topics.iter().any(|topic| workload.readers_of(*topic) > 0);
            if is_read && one.record_size.min() < STAMP_BYTES {
                let what = format!(
                    "record_size: records of less than {STAMP_BYTES} bytes cannot be verified: \
                     give larger ones, or skim = true to the consumers of these topics"
                );
                self.complain(fields, "record_size", what);
            }
        }
    }

    fn check_timeline(&mut self, root: &Fields<'_>, workload: &Workload) {
        let phases = root.tables("phase");
        let first_measured = workload.phases.iter().position(|phase| phase.measured);
        let late = first_measured.and_then(|first| {
            workload.phases[first..].iter().position(|phase| !phase.measured).map(|at| first + at)
        });
        if let Some(late) = late {
            let what = "measured = false is for the phases that come first";
            self.complain(&phases[late], "measured", what);
        }
        if first_measured.is_none() && !phases.is_empty() {
            self.complain(root, "phase", "phase: no phase is measured: give one that is");
        }
        if root.has("phase") && phases.is_empty() {
            self.complain(root, "phase", "phase: give at least one");
        }
        let total = workload.warm_up() + workload.duration();
        if total > LATENCY_MAX {
            let hours = LATENCY_MAX.as_secs() / 3600;
            self.complain(root, "phase", format!("phases of more than {hours} h: give less"));
        }
        for (fields, command) in root.tables("command").iter().zip(&workload.commands) {
            if command.at > workload.duration() {
                let seconds = workload.duration().as_secs_f64();
                let what = format!("at: the measured time ends after {seconds} s: give less");
                self.complain(fields, "at", what);
            }
        }
        for (fields, consumers) in root.tables("consumer").iter().zip(&workload.consumers) {
            if let Reading::CatchUp { at } = consumers.reading
                && at > total
            {
                self.complain(fields, "at", "at: the run is over by then: give less");
            }
        }
        if !workload.levels.is_empty() && workload.commands.is_empty() {
            let what = "levels say how long recovery from a [[command]] takes, and there is none";
            self.complain(root, "levels", what);
        }
    }
}

fn members(consumers: &Consumers) -> usize {
    match &consumers.reading {
        Reading::Group(groups) => consumers.count.saturating_mul(groups.groups),
        _ => consumers.count,
    }
}

fn keys(fields: &Fields<'_>) -> KeyChoice {
    let Some(keys) = fields.table("keys") else {
        return match fields.plain("keys").unwrap_or(0) {
            0 => KeyChoice::None,
            count => KeyChoice::InTurn(count as u32),
        };
    };
    let count = keys.integer("count") as u32;
    match keys.text("distribution") {
        Some("uniform") => KeyChoice::Uniform(count),
        Some("zipf") => KeyChoice::Zipf(count, keys.number("exponent")),
        _ => KeyChoice::InTurn(count),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: &str = "[[topic]]\nname = 't'\npartitions = 2\n\
                        [[phase]]\nname = 'steady'\nduration = '5s'\n";

    fn problems(more: &str) -> Vec<String> {
        let problems = read(&format!("{FULL}{more}")).err().unwrap_or_default();
        problems.into_iter().map(|problem| format!("{}: {}", problem.line, problem.what)).collect()
    }

    #[test]
    fn a_small_file_has_the_defaults_of_the_command_line() {
        let workload = read(&format!("{FULL}[[producer]]\nrate = 'max'\n")).unwrap();
        let options =
            crate::options::RunOptions::parse_for_tests("--topic t --partitions 2 --duration 5s");
        assert_eq!(workload, Workload::of_options(&options));
    }

    #[test]
    fn what_does_not_belong_together_is_refused() {
        let producer = "[[producer]]\nrate = 10\n";
        for (more, says) in [
            ("", "nothing to do"),
            ("[[producer]]\nrate = 10\ntopics = 'x'\n", "9: topics: there is no topic 'x': give t"),
            ("[[producer]]\nrate = 10\nacks = '1'\nidempotence = true\n", "needs acks = \"all\""),
            ("[[producer]]\nrate = 10\nin_flight = 6\ntransactions = {}\n", "5 or less"),
            ("[[producer]]\nrate = 10\nkeys = 5\nhot = { share = 0.5 }\n", "without keys"),
            ("[[producer]]\nrate = 10\nhot = { share = 0.5, partitions = 3 }\n", "2 partitions"),
            ("[[producer]]\nrate = 'max'\narrivals = 'poisson'\n", "arrivals are of a rate"),
            ("[[producer]]\nrate = 10\nburst_share = 0.5\n", "for arrivals = \"bursty\""),
            (
                "[[producer]]\nrate = 1\nseries = { until_s = [1, 1], factors = [1, 1] }\n",
                "each more",
            ),
            ("[[producer]]\nrate = 1\nseries = { until_s = [1], factors = [1, 1] }\n", "2 of them"),
            ("[[producer]]\nrate = 1\nseries = { until_s = [], factors = [] }\n", "0 steps"),
            ("[[producer]]\nrate = 1\nseries = { until_s = ['x'], factors = [1] }\n", "a list of"),
            (
                "[[producer]]\nrate = 'max'\nseries = { until_s = [1], factors = [1] }\n",
                "of a rate",
            ),
            (
                "[[producer]]\nrate = 10\n\
                 record_size = { distribution = 'uniform', min = 9, max = 3 }\n",
                "min 9 is above max 3",
            ),
            (
                "[[producer]]\nrate = 10\nrecord_size = { distribution = 'log-normal' }\n",
                "needs deviation",
            ),
            ("[[producer]]\nrate = 10\nrecord_size = 9\n[[consumer]]\n", "cannot be verified"),
            (
                "[[producer]]\nrate = 10\ntransactions = {}\n[[consumer]]\nisolation = \
                 'read_uncommitted'\n",
                "of aborted ones",
            ),
            ("[[producer]]\nrate = 1\nacks = '0'\n[[producer]]\nrate = 1\n", "\"0\" for all"),
            ("[[consumer]]\nkind = 'group'\n", "without producers"),
            ("[[consumer]]\nkind = 'every'\nat = '1s'\n", "for kind = \"catch-up\""),
            ("[[producer]]\nrate = 1\n[[command]]\nat = '6s'\nrun = 'true'\n", "ends after 5 s"),
            (
                "[[producer]]\nrate = 1\n\
                 [[phase]]\nname = 'x'\nduration = '1s'\nmeasured = false\n",
                "phases that come first",
            ),
            ("[[producer]]\nrate = 1\n[[topic]]\nname = 't'\n", "is there already"),
            ("[[producer]]\nrate = 1\n[[topic]]\nname = 'a/b'\n", "no name for a topic"),
        ] {
            let found = problems(more);
            assert!(found.iter().any(|problem| problem.contains(says)), "{more}: {found:#?}");
        }
        assert_eq!(problems(producer), Vec::<String>::new());
    }

    #[test]
    fn levels_are_parsed_and_belong_to_commands() {
        let text = format!("levels = ['p99<=10ms', 'fast']\n{FULL}[[producer]]\nrate = 1\n");
        let found = read(&text).unwrap_err();
        assert!(found.iter().any(|problem| problem.what.contains("'fast' has no <=")), "{found:?}");
        let text = format!("levels = 'end-to-end p99<=1s'\n{FULL}[[producer]]\nrate = 1\n");
        let found = read(&text).unwrap_err();
        assert!(found[0].what.contains("by the second"), "{found:?}");
        let text = format!("levels = 'p99<=1s'\n{FULL}[[producer]]\nrate = 1\n");
        assert!(read(&text).unwrap_err()[0].what.contains("[[command]]"));
    }

    #[test]
    fn one_entry_may_stand_for_many_topics() {
        let text = "[[topic]]\nname = 'many'\ncount = 3\npartitions = 4\nconfigs = { \
                    'retention.ms' = 60000, \"compression.type\" = 'lz4', x = true }\n\
                    [[topic]]\nname = 'other'\n\
                    [[phase]]\nname = 'p'\nduration = '1s'\n\
                    [[producer]]\nrate = 3\ntopics = 'many'\n\
                    [[consumer]]\ntopics = ['many-1', 'other']\n";
        let workload = read(text).unwrap();
        let names: Vec<&str> = workload.topics.iter().map(|topic| topic.name.as_str()).collect();
        assert_eq!(names, ["many-0", "many-1", "many-2", "other"]);
        assert_eq!(workload.producers[0].topics, [0, 1, 2]);
        assert_eq!(workload.consumers[0].topics, [1, 3]);
        let configs = &workload.topics[2].configs;
        assert_eq!(configs[0], ("retention.ms".to_owned(), "60000".to_owned()));
        assert_eq!((configs[2].1.as_str(), workload.partitions()), ("true", 13));
        assert_eq!((workload.judge_of(1), workload.judge_of(0)), (Some(0), None));
    }
}
