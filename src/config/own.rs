//! The broker configs that Millstream has beyond Apache Kafka's. Few, and named in
//! `docs/configuration.md`. Those of topics are in `topic`.

use super::definitions::{ConfigType, Definition, Importance, UpdateMode, Valid};

pub const DURABILITY: Valid = Valid::OneOf(&["fsync", "os"]);

pub const BROKER: &[Definition] = &[
    read_only(
        "admin.listener",
        Some("localhost:9464"),
        Valid::OptionalAddress,
        "The host:port that serves /metrics, /health and /ready over HTTP. Empty: not served.",
    ),
    read_only(
        "cluster.id",
        None,
        Valid::Any,
        "The cluster's id, a UUID in Kafka's base64 form. Only used when log.dirs are still \
         empty: afterwards \
         meta.properties holds it. Without it a new id is drawn. CLUSTER_ID in the environment \
         sets it, too.",
    ),
    Definition {
        config_type: ConfigType::Long,
        ..read_only(
            "commit.stream.file.bytes",
            Some("67108864"),
            Valid::Range { min: Some(0.0), max: Some(1_073_741_824.0) },
            "The size of a file of the commit stream, from which small appends to many partitions \
             are acknowledged with one \
             flush (durability=fsync). A core has up to three in each log directory while it \
             runs. 0: every partition is \
             flushed by itself.",
        )
    },
    Definition {
        config_type: ConfigType::Int,
        ..read_only(
            "decompressed.batch.max.bytes",
            Some("67108864"),
            Valid::Range { min: Some(1_048_576.0), max: None },
            "What the records of one compressed batch may unpack to. A larger batch is refused \
             with MESSAGE_TOO_LARGE, which \
             producers answer by splitting it. Apache Kafka limits single records alone: a few \
             kilobytes may cost it gigabytes of work.",
        )
    },
    Definition {
        update_mode: UpdateMode::ClusterWide,
        importance: Importance::High,
        ..read_only(
            "durability",
            Some("fsync"),
            DURABILITY,
            "What an acknowledged record has reached. fsync: the disk. os: the operating system's \
             page cache, as in Apache \
             Kafka; a power cut may lose it on this broker. A topic may override it.",
        )
    },
    Definition {
        config_type: ConfigType::Int,
        importance: Importance::Low,
        ..read_only(
            "hop.trace.every",
            Some("0"),
            Valid::Range { min: Some(0.0), max: None },
            "Of every so many shares of produce requests that go to another core, one is followed: \
             a log line says when, and in which turn of which core, it was sent, taken, appended, \
             written, and answered. 0: none.",
        )
    },
    read_only(
        "io.backend",
        Some("auto"),
        Valid::OneOf(&["auto", "io_uring", "epoll"]),
        "How the shards do I/O. auto takes io_uring where the kernel allows it, else epoll.",
    ),
    Definition {
        config_type: ConfigType::Long,
        importance: Importance::High,
        ..read_only(
            "memory.limit.bytes",
            Some("-1"),
            Valid::Range { min: Some(-1.0), max: None },
            "What the broker may hold in memory for connections and their data, over all cores. \
             At the limit clients wait, and \
             connections that do not get on are closed. -1: half of the machine's memory, or of \
             what its cgroup allows. \
             Buffers never take more than 512 MiB per core.",
        )
    },
    read_only(
        "shard.cores",
        Some("auto"),
        Valid::ShardCores,
        "The processors that run a shard each, by number: a list such as 0-3,6, or auto: all that \
         this process may use.",
    ),
];

const fn read_only(
    name: &'static str,
    default: Option<&'static str>,
    valid: Valid,
    documentation: &'static str,
) -> Definition {
    Definition {
        name,
        config_type: ConfigType::String,
        default,
        required: false,
        importance: Importance::Medium,
        valid,
        update_mode: UpdateMode::ReadOnly,
        internal: false,
        broker_synonyms: &[],
        documentation,
    }
}

/// A topic config, which always has a default and may change at any time.
pub const fn of_topic(
    name: &'static str,
    config_type: ConfigType,
    default: &'static str,
    valid: Valid,
    documentation: &'static str,
) -> Definition {
    Definition {
        config_type,
        update_mode: UpdateMode::ClusterWide,
        ..read_only(name, Some(default), valid, documentation)
    }
}

#[cfg(test)]
mod tests {
    use super::super::topic;

    const DOCUMENTATION: &str = include_str!("../../docs/configuration.md");

    #[test]
    fn each_has_a_row_with_its_default_in_the_documentation() {
        for own in super::BROKER.iter().chain(topic::OWN) {
            let default = own.default.map(|default| format!("`{default}` ")).unwrap_or_default();
            let row = format!("| `{}` | {default}|", own.name);
            assert!(DOCUMENTATION.contains(&row), "no row begins with {row}");
        }
    }
}
