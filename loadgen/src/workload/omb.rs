//! OpenMessaging Benchmark's workload files. Pure.
//!
//! Each of its subscriptions becomes a consumer group. What this engine has no use for is named in
//! the workload's words, and not refused; an unknown key is.

use super::{
    Consumers, Groups, KeyChoice, Phase, Producers, Reading, RecordSize, Topic, Workload,
    describe::{Default, Fields, Key, Kind, Section},
    keys::{GROUPS_MAX, TOPICS_MAX},
    result::OmbFacts,
    tree::{Problem, Value, of_yaml},
};
use crate::{
    keys::KEYS_MAX,
    options::{
        Acks, CONNECTIONS_MAX, Codec, PARTITIONS_MAX, RECORD_SIZE_MAX, Rate, is_legal_topic,
    },
    schedule::Arrivals,
    value::STAMP_BYTES,
};
use std::time::Duration;

const fn key(name: &'static str, kind: Kind, default: Default) -> Key {
    Key { name, kind, default, about: "as OpenMessaging Benchmark has it" }
}

const COUNT: Kind = Kind::Integer(0, 1_000_000_000);
const MINUTES_MAX: i64 = 7 * 24 * 60;

static WORKLOAD: Section = Section {
    about: "A workload of OpenMessaging Benchmark",
    keys: &[
        key("name", Kind::Text, Default::Absent),
        key("topics", Kind::Integer(1, TOPICS_MAX), Default::Needed),
        key("partitionsPerTopic", Kind::Integer(1, PARTITIONS_MAX as i64), Default::Needed),
        key(
            "keyDistributor",
            Kind::Choice(&["NO_KEY", "KEY_ROUND_ROBIN", "RANDOM_NANO"]),
            Default::Text("NO_KEY"),
        ),
        key("messageSize", Kind::Integer(0, RECORD_SIZE_MAX as i64), Default::Needed),
        key("useRandomizedPayloads", Kind::Flag, Default::Flag(false)),
        key("randomBytesRatio", Kind::Number(0.0, 1.0), Default::Number(0.0)),
        key("randomizedPayloadPoolSize", COUNT, Default::Integer(0)),
        key("payloadFile", Kind::Text, Default::Absent),
        key("subscriptionsPerTopic", Kind::Integer(0, GROUPS_MAX), Default::Needed),
        key("consumerPerSubscription", Kind::Integer(0, CONNECTIONS_MAX as i64), Default::Needed),
        key("producersPerTopic", Kind::Integer(0, CONNECTIONS_MAX as i64), Default::Needed),
        key("producerRate", Kind::Number(0.0, 1e9), Default::Needed),
        key("consumerBacklogSizeGB", Kind::Number(0.0, 1e6), Default::Number(0.0)),
        key("backlogDrainRatio", Kind::Number(0.0, 1.0), Default::Number(1.0)),
        key("testDurationMinutes", Kind::Integer(1, MINUTES_MAX), Default::Needed),
        key("warmupDurationMinutes", Kind::Integer(0, MINUTES_MAX), Default::Integer(1)),
    ],
};

/// The keys that OpenMessaging Benchmark hands out in turn.
const KEYS_IN_TURN: u32 = 10_000;
const _: () = assert!(KEYS_IN_TURN <= KEYS_MAX);
/// Records per request and linger of its own Kafka drivers.
const BATCH_SIZE: usize = 1 << 20;
const LINGER: Duration = Duration::from_millis(1);
const TOPIC: &str = "omb";

pub fn read(text: &str) -> Result<Workload, Vec<Problem>> {
    let mut root = of_yaml(text).map_err(|problem| vec![problem])?;
    // A key without a value is one that is left out.
    if let Value::Table(entries) = &mut root.value {
        entries.retain(|entry| entry.node.value != Value::Nothing);
    }
    let mut problems = Vec::new();
    WORKLOAD.check(&root, "", &mut problems);
    let fields = Fields { node: Some(&root), section: &WORKLOAD };
    let mut complain = |key: &str, what: String| {
        problems.push(Problem { line: fields.line(key), what });
    };
    let [topics, partitions, subscriptions, consumers, producers] = [
        "topics",
        "partitionsPerTopic",
        "subscriptionsPerTopic",
        "consumerPerSubscription",
        "producersPerTopic",
    ]
    .map(|key| fields.integer(key));
    for (key, count) in [("producersPerTopic", producers), ("consumerPerSubscription", consumers)] {
        let total = count.saturating_mul(topics);
        if total > CONNECTIONS_MAX as i64 {
            complain(key, format!("{key}: {total} in all: give at most {CONNECTIONS_MAX}"));
        }
    }
    if topics.saturating_mul(partitions) > i64::from(PARTITIONS_MAX) {
        complain("topics", format!("more than {PARTITIONS_MAX} partitions: give fewer"));
    }
    if fields.integer("messageSize") < STAMP_BYTES as i64 && subscriptions * consumers > 0 {
        let what =
            format!("messageSize: what is consumed is verified, and needs {STAMP_BYTES} or more");
        complain("messageSize", what);
    }
    if producers == 0 {
        let what = "producersPerTopic: give 1 or more; `loadgen run --consume-only` reads a topic";
        complain("producersPerTopic", what.to_owned());
    }
    if fields.number("consumerBacklogSizeGB") > 0.0 {
        let what = "consumerBacklogSizeGB: consumers do not wait for a backlog: give 0, or write a \
                    TOML workload with a consumer of kind \"catch-up\"";
        complain("consumerBacklogSizeGB", what.to_owned());
    }
    if problems.is_empty() { Ok(workload(&fields)) } else { Err(problems) }
}

fn workload(fields: &Fields<'_>) -> Workload {
    let integer = |name: &str| fields.integer(name);
    let count = integer("topics") as usize;
    let topics = (0..count).map(|number| Topic {
        name: format!("{}-{number}", topic_name(fields)),
        partitions: integer("partitionsPerTopic") as i32,
        replication_factor: -1,
        configs: Vec::new(),
    });
    let phase = |name: &str, key: &str, measured| Phase {
        name: name.to_owned(),
        duration: Duration::from_secs(60) * integer(key) as u32,
        factor: 1.0,
        measured,
    };
    let phases = [
        phase("warm-up", "warmupDurationMinutes", false),
        phase("test", "testDurationMinutes", true),
    ];
    Workload {
        file: None,
        name: fields.text("name").map(str::to_owned),
        seed: 1,
        topics: topics.collect(),
        producers: vec![producers(fields, count)],
        consumers: consumers(fields, count).into_iter().collect(),
        phases: phases.into_iter().filter(|phase| !phase.duration.is_zero()).collect(),
        commands: Vec::new(),
        levels: Vec::new(),
        words: words(fields),
        omb: Some(OmbFacts {
            topics: count,
            producers_per_topic: integer("producersPerTopic"),
            consumers_per_topic: integer("subscriptionsPerTopic")
                * integer("consumerPerSubscription"),
        }),
    }
}

fn producers(fields: &Fields<'_>, topics: usize) -> Producers {
    let rate = fields.number("producerRate");
    Producers {
        topics: (0..topics).collect(),
        connections: fields.integer("producersPerTopic") as usize * topics,
        rate: if rate > 0.0 { Rate::PerSecond(rate) } else { Rate::Max },
        series: None,
        arrivals: Arrivals::Fixed,
        record_size: RecordSize::Fixed(fields.integer("messageSize") as usize),
        keys: match fields.text("keyDistributor") {
            Some("KEY_ROUND_ROBIN") => KeyChoice::InTurn(KEYS_IN_TURN),
            Some("RANDOM_NANO") => KeyChoice::Uniform(KEYS_MAX),
            _ => KeyChoice::None,
        },
        hot: None,
        entropy: fields.flag("useRandomizedPayloads").then(|| fields.number("randomBytesRatio")),
        compression: Codec::None,
        batch_size: BATCH_SIZE,
        linger: LINGER,
        in_flight: 5,
        acks: Acks::All,
        idempotence: true,
        transactions: None,
    }
}

/// A group for each subscription, with as many members as there are consumers of all topics.
fn consumers(fields: &Fields<'_>, topics: usize) -> Option<Consumers> {
    let groups = fields.integer("subscriptionsPerTopic") as usize;
    let members = fields.integer("consumerPerSubscription") as usize;
    let consumers = Consumers {
        topics: (0..topics).collect(),
        reading: Reading::Group(Groups {
            groups,
            id: None,
            session_timeout: Duration::from_secs(45),
            commit_interval: Duration::from_secs(5),
        }),
        count: members * topics,
        read_committed: false,
        skim: false,
        fetch_size: 1 << 20,
    };
    (groups * members > 0).then_some(consumers)
}

/// What its topics begin with: the workload's name, as far as a topic may have it.
fn topic_name(fields: &Fields<'_>) -> String {
    let name = fields.text("name").unwrap_or(TOPIC);
    let word: String = name
        .chars()
        .map(|c| if is_legal_topic(&c.to_string()) && c != '.' { c } else { '-' })
        .take(64)
        .collect();
    if word.is_empty() { TOPIC.to_owned() } else { word }
}

fn words(fields: &Fields<'_>) -> Vec<String> {
    let mut words = Vec::new();
    for (key, word) in [
        ("payloadFile", "is ignored: the bytes of records are made here"),
        ("randomizedPayloadPoolSize", "is ignored: records take their bytes in turn from one pool"),
        ("backlogDrainRatio", "is ignored: there is no backlog to drain"),
    ] {
        if fields.has(key) {
            words.push(format!("{key} {word}"));
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    const KAFKA: &str = "name: 1 topic / 16 partitions / 1kb\n\ntopics: 1\npartitionsPerTopic: 16\n\
        keyDistributor: \"NO_KEY\"\nmessageSize: 1024\npayloadFile: \"payload/payload-1Kb.data\"\n\
        subscriptionsPerTopic: 2\nconsumerPerSubscription: 3\nproducersPerTopic: 4\n\
        producerRate: 50000\nconsumerBacklogSizeGB: 0\ntestDurationMinutes: 15\n";

    #[test]
    fn a_file_of_theirs_is_read() {
        let workload = read(KAFKA).unwrap();
        assert_eq!(workload.topics[0].name, "1-topic---16-partitions---1kb-0");
        assert_eq!(workload.partitions(), 16);
        let producers = &workload.producers[0];
        assert_eq!((producers.connections, producers.rate), (4, Rate::PerSecond(50_000.0)));
        let consumers = &workload.consumers[0];
        assert_eq!((consumers.count, consumers.readers()), (3, 2));
        assert_eq!(workload.warm_up(), Duration::from_secs(60), "their default");
        assert_eq!(workload.duration(), Duration::from_secs(15 * 60));
        assert_eq!(workload.words.len(), 1);
        assert!(workload.words[0].starts_with("payloadFile is ignored"));
    }

    #[test]
    fn zero_is_as_fast_as_possible_and_null_is_left_out() {
        let text = KAFKA
            .replace("producerRate: 50000", "producerRate: 0")
            .replace("payloadFile: \"payload/payload-1Kb.data\"", "payloadFile: null")
            .replace("\"NO_KEY\"", "RANDOM_NANO")
            .replace(
                "topics: 1\n",
                "topics: 3\nuseRandomizedPayloads: true\nrandomBytesRatio: 0.5\n",
            );
        let workload = read(&text).unwrap();
        let producers = &workload.producers[0];
        assert_eq!((producers.rate, producers.connections), (Rate::Max, 12));
        assert_eq!(producers.keys, KeyChoice::Uniform(KEYS_MAX));
        assert_eq!((producers.entropy, workload.words.len()), (Some(0.5), 0));
        assert_eq!(workload.topics.len(), 3);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let text = KAFKA
            .replace("topics: 1\n", "topics: none\n")
            .replace("producerRate", "producersRate")
            .replace("consumerBacklogSizeGB: 0", "consumerBacklogSizeGB: 5");
        let found = read(&text).unwrap_err();
        for (line, says) in [
            (3, "topics: \"none\" is not allowed: give a whole number from 1"),
            (11, "did you mean producerRate?"),
            (12, "do not wait for a backlog"),
            (1, "producerRate is missing"),
        ] {
            let is_said = |problem: &Problem| problem.line == line && problem.what.contains(says);
            assert!(found.iter().any(is_said), "line {line}, {says}: {found:#?}");
        }
    }
}
