//! The configs of this broker, typed: what the code acts on. Immutable; a change of a dynamic
//! config makes a new one from the merged layers, which each shard gets as a view.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::changes;
use super::conflicts;
use super::definitions::{self, Value};
use super::layers::{Layers, Values};
use super::listeners::{self, Address, ListenerConfig, ProtocolMap, Voter};
use super::runtime::StorageSettings;
use super::settings::{FromValue, Reader, settings};
use super::topic::LogConfig;

/// Everything that Millstream acts on (`effects`), and what later parts of it will. Fields bear
/// Kafka's names; the doc comment of each names its config.
#[derive(Debug, Clone, PartialEq)]
pub struct BrokerConfig {
    pub node_id: i32,
    pub roles: Roles,
    /// As given; `meta.properties` decides once it exists.
    pub cluster_id: Option<String>,
    pub rack: Option<String>,
    /// What this broker opens for clients and other brokers.
    pub listeners: Vec<ListenerConfig>,
    /// What clients are told, by the same names; no host is empty.
    pub advertised_listeners: Vec<ListenerConfig>,
    /// What this controller opens for brokers and other controllers; empty without that role.
    pub controller_listeners: Vec<ListenerConfig>,
    pub controller_listener_names: Vec<String>,
    pub inter_broker_listener_name: String,
    pub quorum_voters: Vec<Voter>,
    pub quorum_bootstrap_servers: Vec<Address>,
    pub log_dirs: Vec<PathBuf>,
    /// `metadata.log.dir`, else the first of `log_dirs`.
    pub metadata_log_dir: PathBuf,
    /// `metadata.log.dir` is set.
    pub metadata_log_dir_is_set: bool,
    pub shard_cores: ShardCores,
    pub io_backend: IoBackend,
    /// `memory.limit.bytes`; `None` until the machine was asked, where it is -1.
    pub memory_limit_bytes: Option<u64>,
    pub admin_listener: Option<Address>,
    pub network: NetworkSettings,
    pub topics: TopicSettings,
    /// What a topic's configs are when it sets none: all the `log.*` defaults.
    pub topic_defaults: LogConfig,
    pub log: LogSettings,
    pub replication: ReplicationSettings,
    pub groups: GroupSettings,
    pub share_groups: ShareGroupSettings,
    pub streams_groups: StreamsGroupSettings,
    pub offsets: OffsetsSettings,
    pub transactions: TransactionSettings,
    pub share_state: ShareStateSettings,
    pub quorum: QuorumSettings,
    pub quotas: QuotaSettings,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Roles {
    pub broker: bool,
    pub controller: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IoBackend {
    Auto,
    IoUring,
    Epoll,
}

/// `shard.cores`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShardCores {
    /// All processors that this process may use.
    Auto,
    /// These processors, in this order.
    Processors(Vec<usize>),
}

settings! {
    pub struct NetworkSettings {
        // The limits on connections may change at run time and differ by listener:
        // `net/admission.rs` reads them anew.
        max_connections: i32 = "max.connections",
        max_connections_per_ip: i32 = "max.connections.per.ip",
        /// `address:count,...`
        max_connections_per_ip_overrides: String = "max.connections.per.ip.overrides",
        max_connection_creation_rate: i32 = "max.connection.creation.rate",
        /// Negative: never closed for being idle.
        connections_max_idle_ms: i64 = "connections.max.idle.ms",
        request_max_bytes: i32 = "socket.request.max.bytes",
        /// -1: the operating system's choice, as for the next one.
        send_buffer_bytes: i32 = "socket.send.buffer.bytes",
        receive_buffer_bytes: i32 = "socket.receive.buffer.bytes",
        listen_backlog_size: i32 = "socket.listen.backlog.size",
        /// -1: no limit.
        queued_max_request_bytes: i64 = "queued.max.request.bytes",
        fetch_max_bytes: i32 = "fetch.max.bytes",
        max_incremental_fetch_session_cache_slots: i32 =
            "max.incremental.fetch.session.cache.slots",
        /// 0: none.
        hop_trace_every: i32 = "hop.trace.every",
        max_request_partition_size_limit: i32 = "max.request.partition.size.limit",
        telemetry_max_bytes: i32 = "telemetry.max.bytes",
    }
}

settings! {
    pub struct TopicSettings {
        num_partitions: i32 = "num.partitions",
        default_replication_factor: i32 = "default.replication.factor",
        auto_create_topics_enable: bool = "auto.create.topics.enable",
        delete_topic_enable: bool = "delete.topic.enable",
    }
}

settings! {
    pub struct LogSettings {
        retention_check_interval_ms: i64 = "log.retention.check.interval.ms",
        commit_stream_file_bytes: i64 = "commit.stream.file.bytes",
        decompressed_batch_max_bytes: i32 = "decompressed.batch.max.bytes",
        flush_offset_checkpoint_interval_ms: i32 = "log.flush.offset.checkpoint.interval.ms",
        flush_start_offset_checkpoint_interval_ms: i32 =
            "log.flush.start.offset.checkpoint.interval.ms",
        cleaner_enable: bool = "log.cleaner.enable",
        cleaner_backoff_ms: i64 = "log.cleaner.backoff.ms",
        cleaner_dedupe_buffer_size: i64 = "log.cleaner.dedupe.buffer.size",
        /// Of both buffers of a cleaner together.
        cleaner_io_buffer_size: i32 = "log.cleaner.io.buffer.size",
        /// The share of the key map that may be full.
        cleaner_io_buffer_load_factor: f64 = "log.cleaner.io.buffer.load.factor",
        cleaner_io_max_bytes_per_second: f64 = "log.cleaner.io.max.bytes.per.second",
        /// Checked alone: each core has one cleaner.
        cleaner_threads: i32 = "log.cleaner.threads",
    }
}

settings! {
    pub struct ReplicationSettings {
        fetch_max_bytes: i32 = "replica.fetch.max.bytes",
        fetch_min_bytes: i32 = "replica.fetch.min.bytes",
        fetch_wait_max_ms: i32 = "replica.fetch.wait.max.ms",
        fetch_response_max_bytes: i32 = "replica.fetch.response.max.bytes",
        fetch_backoff_ms: i32 = "replica.fetch.backoff.ms",
        lag_time_max_ms: i64 = "replica.lag.time.max.ms",
        high_watermark_checkpoint_interval_ms: i64 =
            "replica.high.watermark.checkpoint.interval.ms",
        socket_timeout_ms: i32 = "replica.socket.timeout.ms",
        auto_leader_rebalance_enable: bool = "auto.leader.rebalance.enable",
        leader_imbalance_check_interval_seconds: i64 = "leader.imbalance.check.interval.seconds",
        controlled_shutdown_enable: bool = "controlled.shutdown.enable",
    }
}

settings! {
    /// Classic groups and consumer groups (KIP-848).
    pub struct GroupSettings {
        initial_rebalance_delay_ms: i32 = "group.initial.rebalance.delay.ms",
        min_session_timeout_ms: i32 = "group.min.session.timeout.ms",
        max_session_timeout_ms: i32 = "group.max.session.timeout.ms",
        max_size: i32 = "group.max.size",
        rebalance_protocols: Vec<String> = "group.coordinator.rebalance.protocols",
        consumer_session_timeout_ms: i32 = "group.consumer.session.timeout.ms",
        consumer_min_session_timeout_ms: i32 = "group.consumer.min.session.timeout.ms",
        consumer_max_session_timeout_ms: i32 = "group.consumer.max.session.timeout.ms",
        consumer_heartbeat_interval_ms: i32 = "group.consumer.heartbeat.interval.ms",
        consumer_min_heartbeat_interval_ms: i32 = "group.consumer.min.heartbeat.interval.ms",
        consumer_max_heartbeat_interval_ms: i32 = "group.consumer.max.heartbeat.interval.ms",
        consumer_assignment_interval_ms: i32 = "group.consumer.assignment.interval.ms",
        consumer_max_size: i32 = "group.consumer.max.size",
        consumer_assignors: Vec<String> = "group.consumer.assignors",
        consumer_migration_policy: String = "group.consumer.migration.policy",
        consumer_regex_refresh_interval_ms: i32 = "group.consumer.regex.refresh.interval.ms",
    }
}

settings! {
    /// Share groups (KIP-932).
    pub struct ShareGroupSettings {
        session_timeout_ms: i32 = "group.share.session.timeout.ms",
        min_session_timeout_ms: i32 = "group.share.min.session.timeout.ms",
        max_session_timeout_ms: i32 = "group.share.max.session.timeout.ms",
        heartbeat_interval_ms: i32 = "group.share.heartbeat.interval.ms",
        min_heartbeat_interval_ms: i32 = "group.share.min.heartbeat.interval.ms",
        max_heartbeat_interval_ms: i32 = "group.share.max.heartbeat.interval.ms",
        assignment_interval_ms: i32 = "group.share.assignment.interval.ms",
        max_size: i32 = "group.share.max.size",
        max_share_sessions: i32 = "group.share.max.share.sessions",
        assignors: Vec<String> = "group.share.assignors",
        delivery_count_limit: i32 = "group.share.delivery.count.limit",
        record_lock_duration_ms: i32 = "group.share.record.lock.duration.ms",
        min_record_lock_duration_ms: i32 = "group.share.min.record.lock.duration.ms",
        max_record_lock_duration_ms: i32 = "group.share.max.record.lock.duration.ms",
        partition_max_record_locks: i32 = "group.share.partition.max.record.locks",
        initialize_retry_interval_ms: i32 = "group.share.initialize.retry.interval.ms",
    }
}

settings! {
    /// Streams groups (KIP-1071).
    pub struct StreamsGroupSettings {
        session_timeout_ms: i32 = "group.streams.session.timeout.ms",
        min_session_timeout_ms: i32 = "group.streams.min.session.timeout.ms",
        max_session_timeout_ms: i32 = "group.streams.max.session.timeout.ms",
        heartbeat_interval_ms: i32 = "group.streams.heartbeat.interval.ms",
        min_heartbeat_interval_ms: i32 = "group.streams.min.heartbeat.interval.ms",
        max_heartbeat_interval_ms: i32 = "group.streams.max.heartbeat.interval.ms",
        assignment_interval_ms: i32 = "group.streams.assignment.interval.ms",
        initial_rebalance_delay_ms: i32 = "group.streams.initial.rebalance.delay.ms",
        max_size: i32 = "group.streams.max.size",
        num_standby_replicas: i32 = "group.streams.num.standby.replicas",
        max_standby_replicas: i32 = "group.streams.max.standby.replicas",
    }
}

settings! {
    /// `__consumer_offsets`, and what it keeps.
    pub struct OffsetsSettings {
        topic_num_partitions: i32 = "offsets.topic.num.partitions",
        topic_replication_factor: i32 = "offsets.topic.replication.factor",
        topic_segment_bytes: i32 = "offsets.topic.segment.bytes",
        retention_minutes: i32 = "offsets.retention.minutes",
        /// By the number of a batch's attributes.
        topic_compression_codec: i32 = "offsets.topic.compression.codec",
        retention_check_interval_ms: i64 = "offsets.retention.check.interval.ms",
        metadata_max_bytes: i32 = "offset.metadata.max.bytes",
        commit_timeout_ms: i32 = "offsets.commit.timeout.ms",
    }
}

settings! {
    /// `__transaction_state`, transactions and producer ids.
    pub struct TransactionSettings {
        state_log_num_partitions: i32 = "transaction.state.log.num.partitions",
        state_log_replication_factor: i32 = "transaction.state.log.replication.factor",
        state_log_min_isr: i32 = "transaction.state.log.min.isr",
        state_log_segment_bytes: i32 = "transaction.state.log.segment.bytes",
        max_timeout_ms: i32 = "transaction.max.timeout.ms",
        transactional_id_expiration_ms: i32 = "transactional.id.expiration.ms",
        abort_timed_out_cleanup_interval_ms: i32 =
            "transaction.abort.timed.out.transaction.cleanup.interval.ms",
        remove_expired_cleanup_interval_ms: i32 =
            "transaction.remove.expired.transaction.cleanup.interval.ms",
        add_partitions_retry_backoff_ms: i32 = "add.partitions.to.txn.retry.backoff.ms",
        add_partitions_retry_backoff_max_ms: i32 = "add.partitions.to.txn.retry.backoff.max.ms",
        partition_verification_enable: bool = "transaction.partition.verification.enable",
        two_phase_commit_enable: bool = "transaction.two.phase.commit.enable",
        producer_id_expiration_ms: i32 = "producer.id.expiration.ms",
        producer_id_expiration_check_interval_ms: i32 = "producer.id.expiration.check.interval.ms",
    }
}

settings! {
    /// `__share_group_state`.
    pub struct ShareStateSettings {
        topic_num_partitions: i32 = "share.coordinator.state.topic.num.partitions",
        topic_replication_factor: i32 = "share.coordinator.state.topic.replication.factor",
        topic_min_isr: i32 = "share.coordinator.state.topic.min.isr",
        topic_segment_bytes: i32 = "share.coordinator.state.topic.segment.bytes",
        snapshot_update_records_per_snapshot: i32 =
            "share.coordinator.snapshot.update.records.per.snapshot",
    }
}

settings! {
    /// The samples of client quotas, and of the quotas of changes of the metadata.
    pub struct QuotaSettings {
        window_num: i32 = "quota.window.num",
        window_size_seconds: i32 = "quota.window.size.seconds",
        controller_window_num: i32 = "controller.quota.window.num",
        controller_window_size_seconds: i32 = "controller.quota.window.size.seconds",
    }
}

settings! {
    /// The metadata quorum, and how brokers talk to it.
    pub struct QuorumSettings {
        election_timeout_ms: i32 = "controller.quorum.election.timeout.ms",
        election_backoff_max_ms: i32 = "controller.quorum.election.backoff.max.ms",
        fetch_timeout_ms: i32 = "controller.quorum.fetch.timeout.ms",
        request_timeout_ms: i32 = "controller.quorum.request.timeout.ms",
        retry_backoff_ms: i32 = "controller.quorum.retry.backoff.ms",
        metadata_log_segment_bytes: i32 = "metadata.log.segment.bytes",
        metadata_log_segment_ms: i64 = "metadata.log.segment.ms",
        metadata_log_max_record_bytes_between_snapshots: i64 =
            "metadata.log.max.record.bytes.between.snapshots",
        metadata_log_max_snapshot_interval_ms: i64 = "metadata.log.max.snapshot.interval.ms",
        metadata_max_retention_bytes: i64 = "metadata.max.retention.bytes",
        metadata_max_retention_ms: i64 = "metadata.max.retention.ms",
        metadata_max_idle_interval_ms: i32 = "metadata.max.idle.interval.ms",
        broker_heartbeat_interval_ms: i32 = "broker.heartbeat.interval.ms",
        broker_session_timeout_ms: i32 = "broker.session.timeout.ms",
        initial_broker_registration_timeout_ms: i32 = "initial.broker.registration.timeout.ms",
    }
}

/// A `BrokerConfig`, and the configs it was made from.
pub struct Typed {
    pub config: BrokerConfig,
    /// Every config that has a typed form.
    pub read: BTreeSet<&'static str>,
}

impl BrokerConfig {
    /// The typed form of `layers`, whose values were validated one by one. The errors are values
    /// that do not fit each other. `hostname` stands in advertised listeners for a missing host.
    pub fn from_layers(layers: &Layers, hostname: &str) -> Result<Typed, Vec<String>> {
        let values = layers.merged();
        let mut reader = Reader::new(definitions::broker(), &values);
        let topic_defaults = read_topic_defaults(&mut reader, layers);
        let endpoints =
            read_endpoints(&mut reader, &values, hostname).map_err(|problem| vec![problem])?;
        let log_dirs = read_log_dirs(&mut reader);
        let storage = StorageSettings::read(&mut reader);
        let metadata_log_dir: Option<String> = reader.read("metadata.log.dir");
        let admin_listener: String = reader.read("admin.listener");
        let cores: String = reader.read("shard.cores");
        let config = BrokerConfig {
            node_id: reader.read("node.id"),
            roles: reader.read("process.roles"),
            cluster_id: reader.read("cluster.id"),
            rack: reader.read("broker.rack"),
            listeners: endpoints.listeners,
            advertised_listeners: endpoints.advertised,
            controller_listeners: endpoints.controller,
            controller_listener_names: endpoints.controller_names,
            inter_broker_listener_name: endpoints.inter_broker_name,
            quorum_voters: read_parsed(
                &mut reader,
                "controller.quorum.voters",
                listeners::parse_voter,
            ),
            quorum_bootstrap_servers: read_parsed(
                &mut reader,
                "controller.quorum.bootstrap.servers",
                listeners::parse_address,
            ),
            metadata_log_dir_is_set: metadata_log_dir.is_some(),
            metadata_log_dir: metadata_log_dir.map_or_else(|| log_dirs[0].clone(), PathBuf::from),
            log_dirs,
            shard_cores: ShardCores::parse(&cores).expect("the value was validated"),
            io_backend: reader.read("io.backend"),
            memory_limit_bytes: u64::try_from(reader.read::<i64>("memory.limit.bytes")).ok(),
            admin_listener: listeners::parse_address(&admin_listener).ok(),
            network: NetworkSettings::read(&mut reader),
            topics: TopicSettings::read(&mut reader),
            topic_defaults,
            log: LogSettings::read(&mut reader),
            replication: ReplicationSettings::read(&mut reader),
            groups: GroupSettings::read(&mut reader),
            share_groups: ShareGroupSettings::read(&mut reader),
            streams_groups: StreamsGroupSettings::read(&mut reader),
            offsets: OffsetsSettings::read(&mut reader),
            transactions: TransactionSettings::read(&mut reader),
            share_state: ShareStateSettings::read(&mut reader),
            quorum: QuorumSettings::read(&mut reader),
            quotas: QuotaSettings::read(&mut reader),
        };
        let mut problems = conflicts::find(&config);
        problems.extend(changes::conflicts(layers));
        problems.extend(changes::bad_cordoned(&storage, &config.log_dirs));
        match problems.is_empty() {
            true => Ok(Typed { config, read: reader.asked() }),
            false => Err(problems),
        }
    }
}

struct Endpoints {
    listeners: Vec<ListenerConfig>,
    advertised: Vec<ListenerConfig>,
    controller: Vec<ListenerConfig>,
    controller_names: Vec<String>,
    inter_broker_name: String,
}

fn read_endpoints(
    reader: &mut Reader<'_>,
    values: &Values,
    hostname: &str,
) -> Result<Endpoints, String> {
    let controller_names: Vec<String> = reader.read("controller.listener.names");
    let controller_names: Vec<String> =
        controller_names.iter().map(|name| name.to_uppercase()).collect();
    let map: String = reader.read("listener.security.protocol.map");
    let map_is_set = values.contains_key("listener.security.protocol.map");
    let protocols = ProtocolMap::parse(&map, map_is_set, &controller_names)
        .map_err(|problem| format!("listener.security.protocol.map: {problem}"))?;
    let parse = |config: &str, elements: &[String]| {
        listeners::parse_listeners(elements, &protocols)
            .map_err(|problem| format!("{config}: {problem}"))
    };
    let all: Vec<String> = reader.read("listeners");
    let all = parse("listeners", &all)?;
    listeners::check_ports(&all).map_err(|problem| format!("listeners: {problem}"))?;
    let advertised: Option<Vec<String>> = reader.read("advertised.listeners");
    let mut advertised = match advertised.filter(|elements| !elements.is_empty()) {
        Some(elements) => parse("advertised.listeners", &elements)?,
        None => all.clone(),
    };
    for listener in advertised.iter_mut().filter(|listener| listener.host.is_empty()) {
        listener.host = hostname.to_owned();
    }
    let is_controller = |listener: &ListenerConfig| controller_names.contains(&listener.name);
    advertised.retain(|listener| !is_controller(listener));
    let (controller, listeners) = all.into_iter().partition(is_controller);
    let inter_broker_name = read_inter_broker_name(reader, values)?;
    Ok(Endpoints { listeners, advertised, controller, controller_names, inter_broker_name })
}

fn read_inter_broker_name(reader: &mut Reader<'_>, values: &Values) -> Result<String, String> {
    let name: Option<String> = reader.read("inter.broker.listener.name");
    let protocol: String = reader.read("security.inter.broker.protocol");
    match name {
        Some(_) if values.contains_key("security.inter.broker.protocol") => Err(
            "only one of inter.broker.listener.name and security.inter.broker.protocol may be set"
                .to_owned(),
        ),
        Some(name) => Ok(name.to_uppercase()),
        None => Ok(protocol),
    }
}

/// `log.dirs`, else `log.dir`.
pub(super) fn read_log_dirs(reader: &mut Reader<'_>) -> Vec<PathBuf> {
    let dir: Vec<String> = reader.read("log.dir");
    let dirs: Option<Vec<String>> = reader.read("log.dirs");
    let dirs = dirs.unwrap_or(dir);
    assert!(!dirs.is_empty(), "validation refuses an empty list");
    dirs.into_iter().map(PathBuf::from).collect()
}

/// The defaults of the topic configs that Millstream acts on. Their broker configs count as asked
/// for.
fn read_topic_defaults(reader: &mut Reader<'_>, layers: &Layers) -> LogConfig {
    let mut values = Values::new();
    for (name, value) in layers.topic_defaults() {
        if let Some(value) = value {
            values.insert(name.to_owned(), value);
        }
    }
    let mut topic_reader = Reader::new(definitions::topic(), &values);
    let config = LogConfig::read(&mut topic_reader);
    for name in topic_reader.asked() {
        let definition = definitions::find(definitions::topic(), name).expect("it was just read");
        for synonym in definition.broker_synonyms {
            reader.value(synonym.name);
        }
    }
    config
}

fn read_parsed<T>(
    reader: &mut Reader<'_>,
    name: &'static str,
    parse: fn(&str) -> Result<T, String>,
) -> Vec<T> {
    let elements: Vec<String> = reader.read(name);
    elements.iter().map(|element| parse(element).expect("the value was validated")).collect()
}

/// The most processors that a list may name; no machine that we know has more.
const MAX_PROCESSORS: usize = 4096;

impl ShardCores {
    /// The error goes behind the value.
    pub fn parse(text: &str) -> Result<ShardCores, String> {
        let problem = || "is neither auto nor a list of processors such as 0-3,6".to_owned();
        let number = |text: &str| {
            text.trim().parse::<usize>().ok().filter(|number| *number < MAX_PROCESSORS)
        };
        if text == "auto" {
            return Ok(ShardCores::Auto);
        }
        let mut processors = Vec::new();
        for element in text.split(',') {
            let (first, last) = element.split_once('-').unwrap_or((element, element));
            let (first, last) = number(first).zip(number(last)).ok_or_else(problem)?;
            processors.extend((first..=last).filter(|_| first <= last));
            if first > last {
                return Err(problem());
            }
        }
        let unique: BTreeSet<usize> = processors.iter().copied().collect();
        if unique.len() == processors.len() {
            Ok(ShardCores::Processors(processors))
        } else {
            Err(problem())
        }
    }

    /// The processors to use out of `allowed`, one shard each; or why that is not possible.
    pub fn choose(&self, allowed: &[usize]) -> Result<Vec<usize>, String> {
        match self {
            ShardCores::Auto => Ok(allowed.to_vec()),
            ShardCores::Processors(processors) => {
                match processors.iter().find(|one| !allowed.contains(one)) {
                    None => Ok(processors.clone()),
                    Some(missing) => Err(format!(
                        "shard.cores: this process may not use processor {missing}; it may use \
                         {allowed:?}"
                    )),
                }
            }
        }
    }
}

impl FromValue for Roles {
    fn from_value(value: Option<Value>) -> Option<Roles> {
        let roles = Vec::<String>::from_value(value)?;
        let has = |role: &str| roles.iter().any(|one| one == role);
        Some(Roles { broker: has("broker"), controller: has("controller") })
    }
}

impl FromValue for IoBackend {
    fn from_value(value: Option<Value>) -> Option<IoBackend> {
        match String::from_value(value)?.as_str() {
            "auto" => Some(IoBackend::Auto),
            "io_uring" => Some(IoBackend::IoUring),
            "epoll" => Some(IoBackend::Epoll),
            _ => None,
        }
    }
}
