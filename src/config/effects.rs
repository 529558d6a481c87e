//! What each config does here: whether it acts, when a change of it does, and why one does not.
//!
//! Owns: one table per kind of config; each config stands in exactly one row. Pure. A name that
//! ends in `*` stands for all that begin so. `docs/compat.md` has the rows of those that do not
//! act. Never: acts on a config.

/// What a config does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It acts, and a change of it acts while the broker runs.
    AtOnce,
    /// It acts, as it is when the broker starts.
    AtStart,
    /// It does nothing here, and why.
    Without(&'static str),
}

/// Configs that have nothing to do here, and the reason.
pub struct Row {
    pub names: &'static [&'static str],
    pub why: &'static str,
}

/// The configs of one kind of resource.
pub struct Effects {
    at_once: &'static [&'static str],
    at_start: &'static [&'static str],
    pub without: &'static [Row],
}

impl Effects {
    /// Every row that names `name`; the tables are good when that is one.
    fn all_of(&self, name: &str) -> impl Iterator<Item = Effect> {
        let at_once = self.at_once.iter().map(|pattern| (*pattern, Effect::AtOnce));
        let at_start = self.at_start.iter().map(|pattern| (*pattern, Effect::AtStart));
        let without = self.without.iter().flat_map(|row| {
            row.names.iter().map(move |pattern| (*pattern, Effect::Without(row.why)))
        });
        let is_named = move |(pattern, _): &(&str, Effect)| match pattern.strip_suffix('*') {
            Some(beginning) => name.starts_with(beginning),
            None => name == *pattern,
        };
        at_once.chain(at_start).chain(without).filter(is_named).map(|(_, effect)| effect)
    }

    /// Of a config that is defined.
    pub fn of(&self, name: &str) -> Effect {
        self.all_of(name).next().unwrap_or_else(|| panic!("nothing says what {name} does"))
    }
}

const SECURITY: &str = "Security is not served yet: listeners speak PLAINTEXT.";
const TIERED: &str = "There is no tiered storage.";
const REPLICATION: &str = "A node is alone: it has no followers and follows none.";
const CONSUMER_GROUPS: &str = "Consumer groups of KIP-848 are not served yet.";
const SHARE_GROUPS: &str = "Share groups are not served yet.";
const STREAMS_GROUPS: &str = "Streams groups are not served yet.";

pub static BROKER: Effects = Effects {
    at_once: &[
        "compression.gzip.level",
        "compression.lz4.level",
        "compression.type",
        "compression.zstd.level",
        "cordoned.log.dirs",
        "durability",
        "log.cleaner.backoff.ms",
        "log.cleaner.dedupe.buffer.size",
        "log.cleaner.delete.retention.ms",
        "log.cleaner.io.buffer.load.factor",
        "log.cleaner.io.buffer.size",
        "log.cleaner.io.max.bytes.per.second",
        "log.cleaner.max.compaction.lag.ms",
        "log.cleaner.min.cleanable.ratio",
        "log.cleaner.min.compaction.lag.ms",
        "log.cleanup.policy",
        "log.flush.interval.messages",
        "log.flush.interval.ms",
        "log.index.interval.bytes",
        "log.index.size.max.bytes",
        "log.message.timestamp.after.max.ms",
        "log.message.timestamp.before.max.ms",
        "log.message.timestamp.type",
        "log.preallocate",
        "log.retention.bytes",
        "log.retention.ms",
        "log.roll.jitter.ms",
        "log.roll.ms",
        "log.segment.bytes",
        "log.segment.delete.delay.ms",
        "max.connection.creation.rate",
        "max.connections",
        "max.connections.per.ip",
        "max.connections.per.ip.overrides",
        "max.decompressed.message.bytes",
        "message.max.bytes",
        "min.insync.replicas",
        "producer.id.expiration.ms",
        "transaction.partition.verification.enable",
    ],
    at_start: &[
        "add.partitions.to.txn.retry.backoff.max.ms",
        "add.partitions.to.txn.retry.backoff.ms",
        "admin.listener",
        "advertised.listeners",
        "auto.create.topics.enable",
        "broker.id",
        "broker.rack",
        "cluster.id",
        "commit.stream.file.bytes",
        "connections.max.idle.ms",
        "controller.listener.names",
        "controller.quorum.bootstrap.servers",
        "controller.quorum.voters",
        "controller.quota.window.num",
        "controller.quota.window.size.seconds",
        "decompressed.batch.max.bytes",
        "default.replication.factor",
        "delete.topic.enable",
        "fetch.max.bytes",
        "group.initial.rebalance.delay.ms",
        "group.max.session.timeout.ms",
        "group.max.size",
        "group.min.session.timeout.ms",
        "hop.trace.every",
        "inter.broker.listener.name",
        "io.backend",
        "listener.security.protocol.map",
        "listeners",
        "log.cleaner.enable",
        "log.dir",
        "log.dirs",
        "log.flush.offset.checkpoint.interval.ms",
        "log.flush.scheduler.interval.ms",
        "log.flush.start.offset.checkpoint.interval.ms",
        "log.retention.check.interval.ms",
        "log.retention.hours",
        "log.retention.minutes",
        "log.roll.hours",
        "log.roll.jitter.hours",
        "max.incremental.fetch.session.cache.slots",
        "max.request.partition.size.limit",
        "memory.limit.bytes",
        "metadata.log.dir",
        "metadata.log.max.record.bytes.between.snapshots",
        "metadata.log.max.snapshot.interval.ms",
        "metadata.log.segment.bytes",
        "node.id",
        "num.partitions",
        "offset.metadata.max.bytes",
        "offsets.retention.check.interval.ms",
        "offsets.retention.minutes",
        "offsets.topic.compression.codec",
        "offsets.topic.num.partitions",
        "offsets.topic.replication.factor",
        "offsets.topic.segment.bytes",
        "process.roles",
        "quota.window.num",
        "quota.window.size.seconds",
        "security.inter.broker.protocol",
        "shard.cores",
        "socket.listen.backlog.size",
        "socket.receive.buffer.bytes",
        "socket.request.max.bytes",
        "socket.send.buffer.bytes",
        "telemetry.max.bytes",
        "transaction.max.timeout.ms",
        "transaction.remove.expired.transaction.cleanup.interval.ms",
        "transaction.state.log.min.isr",
        "transaction.state.log.num.partitions",
        "transaction.state.log.replication.factor",
        "transaction.state.log.segment.bytes",
        "transaction.two.phase.commit.enable",
        "transactional.id.expiration.ms",
    ],
    without: &[
        Row {
            names: &[
                "background.threads",
                "group.coordinator.background.threads",
                "group.coordinator.threads",
                "log.cleaner.threads",
                "num.io.threads",
                "num.network.threads",
                "num.recovery.threads.per.data.dir",
                "num.replica.alter.log.dirs.threads",
                "queued.max.requests",
            ],
            why: "Each core does all work of its partitions and connections: there are no pools \
                  of threads (`shard.cores`), and no queue between them.",
        },
        Row {
            names: &["queued.max.request.bytes"],
            why: "`memory.limit.bytes` bounds what requests hold.",
        },
        Row {
            names: &[
                "delete.records.purgatory.purge.interval.requests",
                "fetch.purgatory.purge.interval.requests",
                "producer.purgatory.purge.interval.requests",
                "share.fetch.purgatory.purge.interval.requests",
            ],
            why: "A request that waited leaves nothing behind that has to be purged.",
        },
        Row {
            names: &[
                "alter.config.policy.class.name",
                "client.quota.callback.class",
                "config.providers",
                "create.topic.policy.class.name",
                "kafka.metrics.polling.interval.secs",
                "kafka.metrics.reporters",
                "metric.reporters",
                "metrics.num.samples",
                "metrics.recording.level",
                "metrics.sample.window.ms",
                "replica.selector.class",
                "security.providers",
            ],
            why: "Java classes cannot be loaded; metrics are at `/metrics` (`admin.listener`).",
        },
        Row {
            names: &[
                "authorizer.class.name",
                "connection.failed.authentication.delay.ms",
                "connections.max.reauth.ms",
                "delegation.token.*",
                "principal.builder.class",
                "sasl.*",
                "ssl.*",
            ],
            why: SECURITY,
        },
        Row {
            names: &[
                "follower.fetch.last.tiered.offset.enable",
                "log.local.retention.bytes",
                "log.local.retention.ms",
                "log.remote.copy.lag.bytes",
                "log.remote.copy.lag.ms",
                "remote.*",
            ],
            why: TIERED,
        },
        Row {
            names: &[
                "auto.leader.rebalance.enable",
                "broker.heartbeat.interval.ms",
                "broker.session.timeout.ms",
                "controlled.shutdown.enable",
                "controller.socket.timeout.ms",
                "follower.replication.throttled.rate",
                "initial.broker.registration.timeout.ms",
                "leader.imbalance.check.interval.seconds",
                "leader.replication.throttled.rate",
                "log.dir.failure.timeout.ms",
                "num.replica.fetchers",
                "replica.fetch.*",
                "replica.high.watermark.checkpoint.interval.ms",
                "replica.lag.time.max.ms",
                "replica.socket.*",
                "replication.quota.window.num",
                "replication.quota.window.size.seconds",
                "request.timeout.ms",
                "socket.connection.setup.timeout.max.ms",
                "socket.connection.setup.timeout.ms",
                "unclean.leader.election.enable",
                "unclean.leader.election.interval.ms",
            ],
            why: REPLICATION,
        },
        Row {
            names: &[
                "controller.performance.always.log.threshold.ms",
                "controller.performance.sample.period.ms",
                "controller.quorum.append.linger.ms",
                "controller.quorum.auto.join.enable",
                "controller.quorum.election.backoff.max.ms",
                "controller.quorum.election.timeout.ms",
                "controller.quorum.fetch.max.bytes",
                "controller.quorum.fetch.snapshot.max.bytes",
                "controller.quorum.fetch.timeout.ms",
                "controller.quorum.request.timeout.ms",
                "controller.quorum.retry.backoff.ms",
                "early.start.listeners",
                "metadata.max.idle.interval.ms",
                "server.max.startup.time.ms",
            ],
            why: "The quorum is this node alone: it is elected, and started, without asking, and \
                  appends when there is something.",
        },
        Row {
            names: &[
                "internal.metadata.delete.delay.millis",
                "internal.metadata.log.segment.bytes",
                "internal.metadata.max.batch.size.in.bytes",
                "metadata.log.segment.ms",
                "metadata.max.retention.bytes",
                "metadata.max.retention.ms",
            ],
            why: "The two newest snapshots of the metadata are kept, and the log behind the older \
                  one: neither age nor size removes more.",
        },
        Row {
            names: &[
                "group.coordinator.append.linger.ms",
                "group.coordinator.cached.buffer.max.bytes",
            ],
            why: "A coordinator writes what one turn of its core has brought together, into \
                  buffers that all share.",
        },
        Row {
            names: &["offsets.load.buffer.size", "transaction.state.log.load.buffer.size"],
            why: "A coordinator loads in blocks of one size.",
        },
        Row {
            names: &["offsets.commit.timeout.ms"],
            why: "An offset commit waits for the disk of this node alone.",
        },
        Row {
            names: &["transaction.abort.timed.out.transaction.cleanup.interval.ms"],
            why: "Each transaction has a timer of its own.",
        },
        Row {
            names: &["log.initial.task.delay.ms", "producer.id.expiration.check.interval.ms"],
            why: "Both are internal to Kafka; producer ids expire in the rounds of \
                  `log.retention.check.interval.ms`, of which the first begins at once.",
        },
        Row {
            names: &["unstable.api.versions.enable", "unstable.feature.versions.enable"],
            why: "No API and no feature that is served is unstable.",
        },
        Row {
            names: &["group.consumer.*", "group.coordinator.rebalance.protocols"],
            why: CONSUMER_GROUPS,
        },
        Row {
            names: &["errors.deadletterqueue.*", "group.share.*", "share.coordinator.*"],
            why: SHARE_GROUPS,
        },
        Row { names: &["group.streams.*"], why: STREAMS_GROUPS },
        Row {
            names: &[
                "alter.log.dirs.replication.quota.window.num",
                "alter.log.dirs.replication.quota.window.size.seconds",
                "replica.alter.log.dirs.io.max.bytes.per.second",
            ],
            why: "Replicas do not move between log directories yet.",
        },
    ],
};

pub static TOPIC: Effects = Effects {
    at_once: &[
        "cleanup.policy",
        "compression.gzip.level",
        "compression.lz4.level",
        "compression.type",
        "compression.zstd.level",
        "delete.retention.ms",
        "durability",
        "file.delete.delay.ms",
        "flush.messages",
        "flush.ms",
        "index.interval.bytes",
        "internal.segment.bytes",
        "max.compaction.lag.ms",
        "max.decompressed.message.bytes",
        "max.message.bytes",
        "message.timestamp.after.max.ms",
        "message.timestamp.before.max.ms",
        "message.timestamp.type",
        "min.cleanable.dirty.ratio",
        "min.compaction.lag.ms",
        "min.insync.replicas",
        "preallocate",
        "retention.bytes",
        "retention.ms",
        "segment.bytes",
        "segment.index.bytes",
        "segment.jitter.ms",
        "segment.ms",
    ],
    at_start: &[],
    without: &[
        Row {
            names: &[
                "local.retention.bytes",
                "local.retention.ms",
                "remote.copy.lag.bytes",
                "remote.copy.lag.ms",
                "remote.log.copy.disable",
                "remote.log.delete.on.disable",
                "remote.storage.enable",
            ],
            why: TIERED,
        },
        Row {
            names: &[
                "follower.replication.throttled.replicas",
                "leader.replication.throttled.replicas",
                "unclean.leader.election.enable",
            ],
            why: REPLICATION,
        },
        Row { names: &["errors.deadletterqueue.group.enable"], why: SHARE_GROUPS },
    ],
};

pub static GROUP: Effects = Effects {
    at_once: &[],
    at_start: &[],
    without: &[
        Row { names: &["consumer.*"], why: CONSUMER_GROUPS },
        Row { names: &["errors.deadletterqueue.*", "share.*"], why: SHARE_GROUPS },
        Row { names: &["streams.*"], why: STREAMS_GROUPS },
    ],
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{
        Layers, LogConfig,
        broker::BrokerConfig,
        definitions::{self, Definition, UpdateMode},
        load::from_sources,
        settings::Reader,
    };
    use std::collections::BTreeSet;

    const DOCUMENTATION: &str = include_str!("../../docs/compat.md");

    fn tables() -> [(&'static Effects, &'static [Definition]); 3] {
        [
            (&BROKER, definitions::broker()),
            (&TOPIC, definitions::topic()),
            (&GROUP, definitions::group()),
        ]
    }

    #[test]
    fn each_config_stands_in_one_row_and_each_row_names_configs() {
        for (effects, definitions) in tables() {
            for definition in definitions {
                let found: Vec<Effect> = effects.all_of(definition.name).collect();
                assert_eq!(found.len(), 1, "{} stands in {found:?}", definition.name);
            }
            let without = effects.without.iter().flat_map(|row| row.names);
            for pattern in effects.at_once.iter().chain(effects.at_start).chain(without) {
                let beginning = pattern.strip_suffix('*');
                let named = |definition: &&Definition| match beginning {
                    Some(beginning) => definition.name.starts_with(beginning),
                    None => definition.name == *pattern,
                };
                assert!(definitions.iter().any(|one| named(&one)), "no config is {pattern}");
            }
        }
    }

    #[test]
    fn the_documentation_says_which_have_no_effect_and_why() {
        for (effects, _) in tables() {
            for row in effects.without {
                let names: Vec<String> = row.names.iter().map(|name| format!("`{name}`")).collect();
                let line = format!("| {} | {} |", names.join(", "), row.why);
                assert!(DOCUMENTATION.contains(&line), "docs/compat.md lacks: {line}");
            }
        }
    }

    /// What is dynamic in Kafka and acts here acts at once, but for what decides which sockets are
    /// open: a change of those is refused (`changes`).
    #[test]
    fn what_is_dynamic_in_kafka_acts_at_once_or_not_at_all() {
        let later = ["listener.security.protocol.map", "listeners"];
        for definition in definitions::broker() {
            let is_dynamic = definition.update_mode != UpdateMode::ReadOnly;
            match BROKER.of(definition.name) {
                Effect::AtOnce => assert!(is_dynamic, "{}", definition.name),
                Effect::AtStart => assert!(
                    !is_dynamic || later.contains(&definition.name),
                    "{} is dynamic",
                    definition.name
                ),
                Effect::Without(_) => {}
            }
        }
    }

    /// Code acts on typed configs alone.
    #[test]
    fn what_acts_has_a_typed_form() {
        let layers = from_sources(None, &[], std::iter::empty(), "host").expect("defaults").layers;
        let read = BrokerConfig::from_layers(&layers, "host").expect("defaults").read;
        for definition in definitions::broker() {
            // Another name of `node.id`.
            let is_read = read.contains(definition.name) || definition.name == "broker.id";
            let acts = !matches!(BROKER.of(definition.name), Effect::Without(_));
            assert!(is_read || !acts, "{} acts, and nothing reads it", definition.name);
        }
        let values = Layers::default().topic_defaults().into_iter();
        let values = values.filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
        let mut reader = Reader::new(definitions::topic(), &values);
        LogConfig::read(&mut reader);
        let read: BTreeSet<&str> = reader.asked();
        for definition in definitions::topic() {
            let acts = !matches!(TOPIC.of(definition.name), Effect::Without(_));
            assert!(
                read.contains(definition.name) || !acts,
                "{} acts, and nothing reads it",
                definition.name
            );
        }
    }
}
