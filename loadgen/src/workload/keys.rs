//! The keys of a workload file. Data; `docs` and editors get them by `loadgen workload schema`.

use super::describe::{Default, Key, Kind, Section};
use crate::{
    keys::KEYS_MAX,
    options::{
        BATCH_SIZE_MAX, CONNECTIONS_MAX, IN_FLIGHT_MAX, LINGER_MAX_MS, PARTITIONS_MAX,
        RECORD_SIZE_MAX,
    },
};

/// Topics that one entry may stand for.
pub const TOPICS_MAX: i64 = 10_000;
pub const GROUPS_MAX: i64 = 1_000;

const fn key(name: &'static str, kind: Kind, default: Default, about: &'static str) -> Key {
    Key { name, kind, default, about }
}

const RECORD_SIZE: Kind = Kind::Integer(0, RECORD_SIZE_MAX as i64);

pub static ROOT: Section = Section {
    about: "A load for `loadgen run --workload FILE`",
    keys: &[
        key("name", Kind::Text, Default::Absent, "For reports"),
        key(
            "seed",
            Kind::Integer(0, i64::MAX),
            Default::Integer(1),
            "The same seed gives the same sizes, keys, bytes and due times",
        ),
        key(
            "levels",
            Kind::Texts,
            Default::Absent,
            "Service levels, such as \"p99<=10ms\": for each command, how long it took until they \
             were held again",
        ),
        key("topic", Kind::Sections(&TOPIC), Default::Needed, "The topics"),
        key(
            "producer",
            Kind::Sections(&PRODUCER),
            Default::Absent,
            "Producers; without any, the consumers read what is there",
        ),
        key("consumer", Kind::Sections(&CONSUMER), Default::Absent, "Consumers"),
        key("phase", Kind::Sections(&PHASE), Default::Needed, "The timeline"),
        key(
            "command",
            Kind::Sections(&COMMAND),
            Default::Absent,
            "Commands that are run on the timeline, such as one that stops a broker",
        ),
    ],
};

static TOPIC: Section = Section {
    about: "A topic, or several that are alike; made where it is missing",
    keys: &[
        key("name", Kind::Text, Default::Needed, "With `count`, -0, -1, … are appended"),
        key("count", Kind::Integer(1, TOPICS_MAX), Default::Integer(1), "How many of them"),
        key(
            "partitions",
            Kind::Integer(1, PARTITIONS_MAX as i64),
            Default::Integer(1),
            "Partitions when it is made, and how many of them are used",
        ),
        key(
            "replication_factor",
            Kind::Integer(-1, i16::MAX as i64),
            Default::Integer(-1),
            "When it is made; -1: the broker's default",
        ),
        key("configs", Kind::Configs, Default::Absent, "Topic configs when it is made"),
    ],
};

static PRODUCER: Section = Section {
    about: "Producers that are alike",
    keys: &[
        key("topics", Kind::Texts, Default::Absent, "Topics by the names above; all by default"),
        key(
            "connections",
            Kind::Integer(1, CONNECTIONS_MAX as i64),
            Default::Integer(1),
            "How many of them, each with a connection to each leader",
        ),
        key(
            "rate",
            Kind::Rate,
            Default::Needed,
            "Records per second of all these connections, or \"max\"",
        ),
        key(
            "series",
            Kind::Section(&SERIES),
            Default::Absent,
            "How the rate changes as time goes, times the rates of the phases",
        ),
        key(
            "arrivals",
            Kind::Choice(&["fixed", "poisson", "bursty"]),
            Default::Text("fixed"),
            "How records come: evenly, each by chance, or in bursts",
        ),
        key(
            "burst_period_ms",
            Kind::Number(1.0, 3_600_000.0),
            Default::Number(1000.0),
            "Of bursty arrivals: from one burst to the next",
        ),
        key(
            "burst_share",
            Kind::Number(0.001, 1.0),
            Default::Number(0.2),
            "Of bursty arrivals: the share of the period that the burst takes",
        ),
        key(
            "record_size",
            Kind::IntegerOr(0, RECORD_SIZE_MAX as i64, &SIZE),
            Default::Integer(100),
            "Bytes of a record's value",
        ),
        key(
            "keys",
            Kind::IntegerOr(0, KEYS_MAX as i64, &KEYS),
            Default::Integer(0),
            "Records carry one of this many keys, in turn; 0: no keys",
        ),
        key(
            "hot",
            Kind::Section(&HOT),
            Default::Absent,
            "Partitions that get more than the others, of records without keys",
        ),
        key(
            "entropy",
            Kind::Number(0.0, 1.0),
            Default::Absent,
            "The share of the bytes that does not compress. Without it: one pattern for all \
             records, which costs the generator least",
        ),
        key(
            "compression",
            Kind::Choice(&["none", "gzip", "snappy", "lz4", "zstd"]),
            Default::Text("none"),
            "Compression of the batches",
        ),
        key(
            "batch_size",
            Kind::Integer(1, BATCH_SIZE_MAX as i64),
            Default::Integer(65_536),
            "Bytes of records after which a batch is sent",
        ),
        key(
            "linger_ms",
            Kind::Number(0.0, LINGER_MAX_MS),
            Default::Number(1.0),
            "How long a batch waits for more records",
        ),
        key(
            "in_flight",
            Kind::Integer(1, IN_FLIGHT_MAX as i64),
            Default::Integer(5),
            "Unanswered produce requests per connection and broker",
        ),
        key(
            "acks",
            Kind::Choice(&["0", "1", "all"]),
            Default::Text("all"),
            "When the broker acknowledges: never, by the leader, by all in-sync replicas",
        ),
        key(
            "idempotence",
            Kind::Flag,
            Default::Flag(false),
            "The broker recognises what it has already",
        ),
        key(
            "transactions",
            Kind::Section(&TRANSACTIONS),
            Default::Absent,
            "Records are sent in transactions",
        ),
    ],
};

static SERIES: Section = Section {
    about: "Steps of a rate, from the beginning of the measured time on; behind the last one \
            nothing is sent",
    keys: &[
        key(
            "until_s",
            Kind::Numbers(0.0, 1e9),
            Default::Needed,
            "When each step ends, in seconds; they rise",
        ),
        key(
            "factors",
            Kind::Numbers(0.0, 1e6),
            Default::Needed,
            "Times the rate, as many as there are steps; 0: nothing is sent",
        ),
    ],
};

static SIZE: Section = Section {
    about: "Bytes of values by chance",
    keys: &[
        key(
            "distribution",
            Kind::Choice(&["uniform", "log-normal"]),
            Default::Needed,
            "How they are distributed",
        ),
        key(
            "min",
            RECORD_SIZE,
            Default::Integer(24),
            "The smallest; of a log-normal distribution, smaller ones count as this",
        ),
        key(
            "max",
            RECORD_SIZE,
            Default::Integer(1 << 20),
            "The largest; of a log-normal distribution, larger ones count as this",
        ),
        key(
            "mean",
            Kind::Number(1.0, RECORD_SIZE_MAX as f64),
            Default::Absent,
            "Of a log-normal distribution",
        ),
        key(
            "deviation",
            Kind::Number(0.0, RECORD_SIZE_MAX as f64),
            Default::Absent,
            "Of a log-normal distribution",
        ),
    ],
};

static KEYS: Section = Section {
    about: "Keys by chance",
    keys: &[
        key(
            "distribution",
            Kind::Choice(&["in-turn", "uniform", "zipf"]),
            Default::Needed,
            "How they are distributed",
        ),
        key("count", Kind::Integer(1, KEYS_MAX as i64), Default::Needed, "How many there are"),
        key(
            "exponent",
            Kind::Number(0.01, 10.0),
            Default::Number(0.99),
            "Of zipf: key number k comes in proportion to k^-exponent",
        ),
    ],
};

static HOT: Section = Section {
    about: "Partitions that get more than the others",
    keys: &[
        key("share", Kind::Number(0.0, 1.0), Default::Needed, "The share of batches they get"),
        key(
            "partitions",
            Kind::Integer(1, PARTITIONS_MAX as i64),
            Default::Integer(1),
            "How many they are, from the first on, of each topic",
        ),
    ],
};

static TRANSACTIONS: Section = Section {
    about: "Transactions, one after the other on each connection",
    keys: &[
        key(
            "length_ms",
            Kind::Number(1.0, 600_000.0),
            Default::Number(100.0),
            "From its first record to its end",
        ),
        key(
            "abort_share",
            Kind::Number(0.0, 1.0),
            Default::Number(0.0),
            "The share of transactions that are aborted",
        ),
        key(
            "timeout",
            Kind::Duration,
            Default::Text("60s"),
            "After which the broker aborts one that is not ended",
        ),
        key(
            "id",
            Kind::Text,
            Default::Absent,
            "What transactional ids begin with; one of each run's own by default",
        ),
    ],
};

static CONSUMER: Section = Section {
    about: "Consumers that are alike",
    keys: &[
        key("topics", Kind::Texts, Default::Absent, "Topics by the names above; all by default"),
        key(
            "kind",
            Kind::Choice(&["shared", "every", "group", "catch-up"]),
            Default::Text("shared"),
            "shared: they share the partitions without a group; every: each reads all of them; \
             group: members of consumer groups (classic protocol); catch-up: each reads from the \
             beginning to where the end was when it began",
        ),
        key(
            "count",
            Kind::Integer(1, CONNECTIONS_MAX as i64),
            Default::Integer(1),
            "How many of them; of groups, the members of each",
        ),
        key(
            "groups",
            Kind::Integer(1, GROUPS_MAX),
            Default::Integer(1),
            "Of kind group: how many groups read all of it",
        ),
        key(
            "group_id",
            Kind::Text,
            Default::Absent,
            "Of kind group; with `groups`, -0, -1, … are appended. One of each run's own by \
             default",
        ),
        key("session_timeout", Kind::Duration, Default::Text("45s"), "Of kind group"),
        key(
            "commit_interval",
            Kind::Duration,
            Default::Text("5s"),
            "Of kind group: how often offsets are committed",
        ),
        key("at", Kind::Duration, Default::Text("0s"), "Of kind catch-up: when they begin"),
        key(
            "isolation",
            Kind::Choice(&["read_uncommitted", "read_committed"]),
            Default::Absent,
            "read_committed by default where a topic's producers use transactions",
        ),
        key(
            "skim",
            Kind::Flag,
            Default::Flag(false),
            "Only the headers of batches are looked at: nothing is verified",
        ),
        key(
            "fetch_size",
            Kind::Integer(1, i32::MAX as i64),
            Default::Integer(4 << 20),
            "Bytes asked for at once, of each partition",
        ),
    ],
};

static PHASE: Section = Section {
    about: "A part of the timeline",
    keys: &[
        key("name", Kind::Text, Default::Needed, "Such as warm-up, steady, burst, drain"),
        key("duration", Kind::Duration, Default::Needed, "How long it lasts"),
        key(
            "rate",
            Kind::Number(0.0, 1e6),
            Default::Number(1.0),
            "Times the rates of the producers; 0: nothing is sent, as in a drain",
        ),
        key(
            "measured",
            Kind::Flag,
            Default::Flag(true),
            "Whether it counts; the phases that do not come first",
        ),
    ],
};

static COMMAND: Section = Section {
    about: "A command on the timeline",
    keys: &[
        key(
            "at",
            Kind::Duration,
            Default::Needed,
            "When, from the beginning of the measured time on",
        ),
        key("run", Kind::Text, Default::Needed, "For `sh -c`"),
        key("name", Kind::Text, Default::Absent, "For the report; the command itself by default"),
    ],
};
