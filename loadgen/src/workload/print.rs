//! A workload as the file that it would be read from. Pure.

use super::{Consumers, KeyChoice, Producers, Reading, RecordSize, Topic, Workload};
use crate::{
    options::{Acks, Rate},
    report::codec_name,
    schedule::Arrivals,
};
use std::{fmt::Write, time::Duration};

impl Workload {
    pub fn toml(&self) -> String {
        let mut text = String::new();
        if let Some(name) = &self.name {
            line(&mut text, "name", quoted(name));
        }
        line(&mut text, "seed", self.seed);
        if !self.levels.is_empty() {
            let levels: Vec<String> =
                self.levels.iter().map(|level| quoted(&level.to_string())).collect();
            line(&mut text, "levels", format!("[{}]", levels.join(", ")));
        }
        self.topics.iter().for_each(|topic| topic_toml(&mut text, topic));
        self.producers.iter().for_each(|producers| self.producers_toml(&mut text, producers));
        self.consumers.iter().for_each(|consumers| self.consumers_toml(&mut text, consumers));
        for phase in &self.phases {
            begin(&mut text, "phase");
            line(&mut text, "name", quoted(&phase.name));
            line(&mut text, "duration", time(phase.duration));
            unless(&mut text, "rate", phase.factor, 1.0);
            unless(&mut text, "measured", phase.measured, true);
        }
        for command in &self.commands {
            begin(&mut text, "command");
            line(&mut text, "at", time(command.at));
            line(&mut text, "run", quoted(&command.run));
            if command.name != command.run {
                line(&mut text, "name", quoted(&command.name));
            }
        }
        text
    }

    /// Nothing where they are all.
    fn topics_toml(&self, text: &mut String, topics: &[usize]) {
        if topics.len() < self.topics.len() {
            let names: Vec<String> =
                topics.iter().map(|topic| quoted(&self.topics[*topic].name)).collect();
            line(text, "topics", format!("[{}]", names.join(", ")));
        }
    }

    fn producers_toml(&self, text: &mut String, one: &Producers) {
        begin(text, "producer");
        self.topics_toml(text, &one.topics);
        line(text, "connections", one.connections);
        match one.rate {
            Rate::PerSecond(rate) => line(text, "rate", rate),
            Rate::Max => line(text, "rate", quoted("max")),
        }
        if let Some(series) = &one.series {
            let (until_s, factors) = (list(&series.until_s), list(&series.factors));
            line(text, "series", format!("{{ until_s = {until_s}, factors = {factors} }}"));
        }
        match one.arrivals {
            Arrivals::Fixed => {}
            Arrivals::Poisson => line(text, "arrivals", quoted("poisson")),
            Arrivals::Bursty { period_s, share } => {
                line(text, "arrivals", quoted("bursty"));
                line(text, "burst_period_ms", period_s * 1e3);
                line(text, "burst_share", share);
            }
        }
        match one.record_size {
            RecordSize::Fixed(size) => line(text, "record_size", size),
            RecordSize::Uniform { min, max } => {
                let size = format!("{{ distribution = \"uniform\", min = {min}, max = {max} }}");
                line(text, "record_size", size);
            }
            RecordSize::LogNormal { mean, deviation, min, max } => {
                let size = format!(
                    "{{ distribution = \"log-normal\", mean = {mean}, deviation = {deviation}, \
                     min = {min}, max = {max} }}"
                );
                line(text, "record_size", size);
            }
        }
        match one.keys {
            KeyChoice::None => {}
            KeyChoice::InTurn(count) => line(text, "keys", count),
            KeyChoice::Uniform(count) => {
                line(text, "keys", format!("{{ distribution = \"uniform\", count = {count} }}"));
            }
            KeyChoice::Zipf(count, exponent) => {
                let keys = format!(
                    "{{ distribution = \"zipf\", count = {count}, exponent = {exponent} }}"
                );
                line(text, "keys", keys);
            }
        }
        if let Some(hot) = one.hot {
            let hot = format!("{{ share = {}, partitions = {} }}", hot.share, hot.partitions);
            line(text, "hot", hot);
        }
        if let Some(entropy) = one.entropy {
            line(text, "entropy", entropy);
        }
        batches_toml(text, one);
    }

    fn consumers_toml(&self, text: &mut String, one: &Consumers) {
        begin(text, "consumer");
        self.topics_toml(text, &one.topics);
        match &one.reading {
            Reading::Shared => {}
            Reading::Every => line(text, "kind", quoted("every")),
            Reading::CatchUp { at } => {
                line(text, "kind", quoted("catch-up"));
                line(text, "at", time(*at));
            }
            Reading::Group(groups) => {
                line(text, "kind", quoted("group"));
                line(text, "groups", groups.groups);
                if let Some(id) = &groups.id {
                    line(text, "group_id", quoted(id));
                }
                line(text, "session_timeout", time(groups.session_timeout));
                line(text, "commit_interval", time(groups.commit_interval));
            }
        }
        line(text, "count", one.count);
        if one.read_committed {
            line(text, "isolation", quoted("read_committed"));
        }
        unless(text, "skim", one.skim, false);
        line(text, "fetch_size", one.fetch_size);
    }
}

fn batches_toml(text: &mut String, one: &Producers) {
    line(text, "compression", quoted(codec_name(one.compression)));
    line(text, "batch_size", one.batch_size);
    line(text, "linger_ms", one.linger.as_secs_f64() * 1e3);
    line(text, "in_flight", one.in_flight);
    let acks = match one.acks {
        Acks::None => "0",
        Acks::Leader => "1",
        Acks::All => "all",
    };
    line(text, "acks", quoted(acks));
    unless(text, "idempotence", one.idempotence, false);
    if let Some(transactions) = &one.transactions {
        let id =
            transactions.id.as_ref().map_or(String::new(), |id| format!(", id = {}", quoted(id)));
        let transactions = format!(
            "{{ length_ms = {}, abort_share = {}, timeout = {}{id} }}",
            transactions.length.as_secs_f64() * 1e3,
            transactions.abort_share,
            time(transactions.timeout)
        );
        line(text, "transactions", transactions);
    }
}

fn topic_toml(text: &mut String, topic: &Topic) {
    begin(text, "topic");
    line(text, "name", quoted(&topic.name));
    line(text, "partitions", topic.partitions);
    unless(text, "replication_factor", topic.replication_factor, -1);
    if !topic.configs.is_empty() {
        let configs: Vec<String> = topic
            .configs
            .iter()
            .map(|(name, value)| format!("{} = {}", quoted(name), quoted(value)))
            .collect();
        line(text, "configs", format!("{{ {} }}", configs.join(", ")));
    }
}

fn begin(text: &mut String, section: &str) {
    let _ = writeln!(text, "\n[[{section}]]");
}

fn line(text: &mut String, key: &str, value: impl std::fmt::Display) {
    let _ = writeln!(text, "{key} = {value}");
}

fn unless<T: PartialEq + std::fmt::Display>(text: &mut String, key: &str, value: T, usual: T) {
    if value != usual {
        line(text, key, value);
    }
}

fn list(numbers: &[f64]) -> String {
    let numbers: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    format!("[{}]", numbers.join(", "))
}

fn quoted(text: &str) -> String {
    toml_edit::Value::from(text).to_string()
}

fn time(duration: Duration) -> String {
    quoted(&if duration.subsec_nanos() == 0 {
        format!("{}s", duration.as_secs())
    } else {
        format!("{}ms", duration.as_secs_f64() * 1e3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{options::RunOptions, workload::read::read};

    #[test]
    fn what_options_stand_for_is_read_back_from_its_file() {
        for line in [
            "--topic t --rate 0.5 --linger-ms 0.25 --duration 1500ms --warm-up 2s",
            "--topic t --consumers 2 --fan-out --keys 5 --acks 1 --compression zstd",
            "--consume-only --consumers 2 --skim --partitions 3 --replication-factor 2",
            "--idempotence --connections 9 --batch-size 77 --in-flight 2 --consumers 1",
        ] {
            let workload = Workload::of_options(&RunOptions::parse_for_tests(line));
            let text = workload.toml();
            assert_eq!(read(&text), Ok(workload), "{line}:\n{text}");
        }
    }

    #[test]
    fn everything_else_is_read_back_too() {
        let text = "name = \"a \\\"b\\\"\"\nseed = 9\nlevels = ['p99<=10ms', 'max<=1s']\n\
            [[topic]]\nname = 't'\ncount = 2\nreplication_factor = 3\nconfigs = { 'a.b' = 'c d' }\n\
            [[producer]]\ntopics = 't-0'\nrate = 10\narrivals = 'bursty'\nentropy = 0.25\n\
            hot = { share = 0.5 }\n\
            record_size = { distribution = 'log-normal', mean = 300, deviation = 200.5 }\n\
            transactions = { abort_share = 0.1, id = 'x' }\n\
            [[producer]]\nrate = 10\nconnections = 2\narrivals = 'poisson'\n\
            keys = { distribution = 'zipf', count = 1000, exponent = 1.2 }\n\
            record_size = { distribution = 'uniform', min = 30, max = 60 }\n\
            [[producer]]\nrate = 10\nconnections = 2\n\
            series = { until_s = [1, 2.5], factors = [0.5, 3] }\n\
            keys = { distribution = 'uniform', count = 7 }\n\
            [[consumer]]\nkind = 'group'\ngroups = 3\ncount = 2\ngroup_id = 'g'\n\
            [[consumer]]\nkind = 'catch-up'\nat = '1s'\ntopics = 't-1'\n\
            [[phase]]\nname = 'w'\nduration = '1s'\nmeasured = false\n\
            [[phase]]\nname = 'b'\nduration = '2500ms'\nrate = 3\n\
            [[command]]\nat = '1s'\nrun = 'kill -9 \"$X\"'\nname = 'kill'\n";
        let workload = read(text).unwrap();
        let written = workload.toml();
        assert_eq!(read(&written), Ok(workload), "{written}");
    }
}
