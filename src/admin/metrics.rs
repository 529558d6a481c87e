//! A snapshot as the text that Prometheus reads (OpenMetrics 1.0). Pure: numbers in, text out.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelKey, NoLabelSet, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;
use rustc_hash::FxHashMap;

use super::client_metrics::{ClientMetricsSnapshot, Shown};
use super::system::SystemSnapshot;
use crate::stats::{
    CoreMetric, GroupSnapshot, Histogram, MetricKind, PartitionSnapshot, ShardSnapshot, Snapshot,
    TopicTraffic,
};

/// At most so many topics, partitions, groups, and group offsets are told apart in one answer.
/// Traffic of more topics is summed under `OTHER`; of the rest the excess is left out, and
/// `millstream_metrics_left_out` says how many.
pub const MAX_SERIES_PER_KIND: usize = 10_000;

/// Not a topic's name, because of the brackets.
const OTHER: &str = "(other)";

pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The whole text of one scrape.
pub fn render(
    snapshot: Snapshot,
    clients: ClientMetricsSnapshot,
    system: SystemSnapshot,
    ready: bool,
) -> String {
    render_with_limit(snapshot, clients, system, ready, MAX_SERIES_PER_KIND)
}

pub(super) fn render_with_limit(
    snapshot: Snapshot,
    clients: ClientMetricsSnapshot,
    system: SystemSnapshot,
    ready: bool,
    limit: usize,
) -> String {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Scrape { snapshot, clients, system, ready, limit }));
    let mut output = String::new();
    text::encode(&mut output, &registry).expect("writing to a string does not fail");
    output
}

#[derive(Debug)]
struct Scrape {
    snapshot: Snapshot,
    clients: ClientMetricsSnapshot,
    system: SystemSnapshot,
    ready: bool,
    limit: usize,
}

type Labels<Name = &'static str> = Vec<(Name, String)>;

/// Writes metric families one after the other.
struct Writer<'a> {
    encoder: DescriptorEncoder<'a>,
}

impl Writer<'_> {
    fn counter<Name: EncodeLabelKey>(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = (Labels<Name>, f64)>,
    ) -> Result<(), fmt::Error> {
        let mut samples = samples.into_iter().peekable();
        if samples.peek().is_none() {
            return Ok(());
        }
        let mut family = self.encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (labels, value) in samples {
            // Braces around no label at all are allowed, but scrapers do not expect them.
            match labels.is_empty() {
                true => family.encode_counter::<NoLabelSet, f64, u64>(&value, None)?,
                false => family
                    .encode_family(&escaped(labels))?
                    .encode_counter::<NoLabelSet, f64, u64>(&value, None)?,
            }
        }
        Ok(())
    }

    fn gauge<Name: EncodeLabelKey>(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = (Labels<Name>, f64)>,
    ) -> Result<(), fmt::Error> {
        let mut samples = samples.into_iter().peekable();
        if samples.peek().is_none() {
            return Ok(());
        }
        let mut family = self.encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (labels, value) in samples {
            match labels.is_empty() {
                true => family.encode_gauge(&value)?,
                false => family.encode_family(&escaped(labels))?.encode_gauge(&value)?,
            }
        }
        Ok(())
    }

    /// Durations, in seconds as Prometheus wants them.
    fn histogram(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = (Labels, Histogram)>,
    ) -> Result<(), fmt::Error> {
        let mut samples = samples.into_iter().peekable();
        if samples.peek().is_none() {
            return Ok(());
        }
        let mut family = self.encoder.encode_descriptor(name, help, None, MetricType::Histogram)?;
        for (labels, histogram) in samples {
            let bound = |bound: Option<u64>| bound.map_or(f64::MAX, seconds);
            let buckets: Vec<(f64, u64)> =
                histogram.buckets().map(|(bound_ns, count)| (bound(bound_ns), count)).collect();
            family.encode_family(&escaped(labels))?.encode_histogram::<NoLabelSet>(
                seconds(histogram.sum_ns()),
                histogram.count(),
                &buckets,
                None,
            )?;
        }
        Ok(())
    }
}

/// The text format needs these characters escaped, and the encoder leaves that to us: a group may
/// have any name.
fn escaped<Name>(mut labels: Labels<Name>) -> Labels<Name> {
    for (_, value) in &mut labels {
        if value.contains(['\\', '"', '\n']) {
            *value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        }
    }
    labels
}

fn seconds(ns: u64) -> f64 {
    ns as f64 / 1e9
}

fn label(name: &'static str, value: impl fmt::Display) -> Labels {
    vec![(name, value.to_string())]
}

impl Collector for Scrape {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let mut writer = Writer { encoder };
        let shards = &self.snapshot.shards;
        let mut left_out = Vec::new();
        self.process(&mut writer)?;
        cores(&mut writer, shards)?;
        stalls(&mut writer, shards)?;
        memory(&mut writer, shards)?;
        health(&mut writer, shards, &self.system)?;
        requests(&mut writer, shards)?;
        traffic(&mut writer, shards, self.limit)?;
        partitions(&mut writer, shards, self.limit, &mut left_out)?;
        groups(&mut writer, shards, self.limit, &mut left_out)?;
        pushes(&mut writer, &self.clients)?;
        pushed(&mut writer, &self.clients.series)?;
        writer.gauge(
            "millstream_metrics_left_out",
            "Partitions, groups or group offsets that this answer has no room for",
            left_out.into_iter().map(|(kind, count)| (label("kind", kind), count as f64)),
        )
    }
}

impl Scrape {
    fn process(&self, writer: &mut Writer<'_>) -> Result<(), fmt::Error> {
        let system = &self.system;
        let single = |value: Option<f64>| value.map(|value| (Labels::<&str>::new(), value));
        writer.gauge(
            "millstream_build_info",
            "The program's version",
            [(label("version", env!("CARGO_PKG_VERSION")), 1.0)],
        )?;
        writer.gauge(
            "millstream_ready",
            "1 while clients are served",
            [(Labels::<&str>::new(), f64::from(u8::from(self.ready)))],
        )?;
        writer.counter(
            "process_cpu_seconds",
            "User and system time of this process",
            single(system.cpu_seconds),
        )?;
        let memory = system.resident_memory_bytes.map(|bytes| bytes as f64);
        writer.gauge(
            "process_resident_memory_bytes",
            "Resident memory of this process",
            single(memory),
        )?;
        let files = system.open_files.map(|files| files as f64);
        writer.gauge("process_open_fds", "Open file descriptors of this process", single(files))?;
        let files_max = system.open_files_max.map(|files| files as f64);
        writer.gauge(
            "process_max_fds",
            "How many file descriptors this process may have",
            single(files_max),
        )?;
        let disk = |value: fn(&super::system::DiskSnapshot) -> u64| {
            system
                .disks
                .iter()
                .map(move |disk| (label("log_dir", &disk.log_dir), value(disk) as f64))
        };
        writer.gauge(
            "millstream_disk_free_bytes",
            "What may still be written to the log directory's disk",
            disk(|disk| disk.free_bytes),
        )?;
        writer.gauge(
            "millstream_disk_size_bytes",
            "The size of the log directory's disk",
            disk(|disk| disk.total_bytes),
        )
    }
}

/// Of clients that push their own metrics.
fn pushes(writer: &mut Writer<'_>, clients: &ClientMetricsSnapshot) -> Result<(), fmt::Error> {
    let infos = clients.clients.iter().map(|client| {
        let labels = vec![
            ("client_id", client.client_id.clone()),
            ("client_instance_id", client.instance_id.to_string()),
            ("software_name", client.software_name.clone()),
            ("software_version", client.software_version.clone()),
            ("source_address", client.source_address.clone()),
        ];
        (labels, 1.0)
    });
    writer.gauge("millstream_pushing_client_info", "Clients that push their own metrics", infos)?;
    let results = [("shown", clients.pushes), ("refused", clients.refused)];
    writer.counter(
        "millstream_client_pushes",
        "Pushes of client metrics, and those of them that could not be read",
        results.map(|(result, count)| (label("result", result), count as f64)),
    )?;
    writer.counter(
        "millstream_client_metrics_left_out",
        "Numbers of clients that found no room here, or are none",
        [(Labels::<&str>::new(), clients.left_out as f64)],
    )
}

/// What clients have pushed: a family for each name, whose series stand together.
fn pushed(writer: &mut Writer<'_>, series: &[Shown]) -> Result<(), fmt::Error> {
    for family in series.chunk_by(|a, b| (&a.name, a.is_counter) == (&b.name, b.is_counter)) {
        let samples = family.iter().map(|one| (one.labels.clone(), one.value));
        let name = &family[0].name;
        match family[0].is_counter {
            true => writer.counter(name, "Pushed by clients", samples)?,
            false => writer.gauge(name, "Pushed by clients", samples)?,
        }
    }
    Ok(())
}

fn cores(writer: &mut Writer<'_>, shards: &[ShardSnapshot]) -> Result<(), fmt::Error> {
    let infos = shards.iter().map(|shard| {
        let labels = vec![
            ("core", shard.core.to_string()),
            ("cpu", shard.cpu.to_string()),
            ("backend", shard.backend.to_owned()),
        ];
        (labels, 1.0)
    });
    writer.gauge("millstream_core_info", "A core's processor and its way of doing I/O", infos)?;
    core_metrics(writer, shards)?;
    let flushes = shards.iter().map(|shard| (label("core", shard.core), shard.flushes.clone()));
    writer.histogram("millstream_flush_duration_seconds", "Flushes to the disk", flushes)
}

/// What the cores name by themselves: a family for each name, with a sample for each core.
fn core_metrics(writer: &mut Writer<'_>, shards: &[ShardSnapshot]) -> Result<(), fmt::Error> {
    let mut families: Vec<&CoreMetric> = Vec::new();
    for metric in shards.iter().flat_map(|shard| &shard.metrics) {
        if !families.iter().any(|family| family.name == metric.name) {
            families.push(metric);
        }
    }
    for CoreMetric { name, help, kind, .. } in families {
        let samples = shards.iter().flat_map(|shard| {
            let of_family = shard.metrics.iter().filter(|metric| metric.name == *name);
            of_family.map(|metric| (label("core", shard.core), metric.value))
        });
        match kind {
            MetricKind::Counter => writer.counter(name, help, samples)?,
            MetricKind::Gauge => writer.gauge(name, help, samples)?,
        }
    }
    Ok(())
}

fn stalls(writer: &mut Writer<'_>, shards: &[ShardSnapshot]) -> Result<(), fmt::Error> {
    let labels = |core: usize, stalls: &ring::Stalls| {
        vec![
            ("core", core.to_string()),
            ("task", stalls.cause.task.to_owned()),
            ("operation", stalls.cause.operation.unwrap_or_default().to_owned()),
        ]
    };
    let all: Vec<(Labels, ring::Stalls)> = shards
        .iter()
        .flat_map(|shard| {
            shard.loop_stalls.iter().map(|stalls| (labels(shard.core, stalls), *stalls))
        })
        .collect();
    writer.counter(
        "millstream_loop_stalls",
        "Turns of the event loop of more than 5 ms, by the task and the operation that took the \
         time",
        all.iter().map(|(labels, stalls)| (labels.clone(), stalls.count as f64)),
    )?;
    writer.gauge(
        "millstream_loop_longest_stall_seconds",
        "The longest of these turns",
        all.iter().map(|(labels, stalls)| (labels.clone(), stalls.longest.as_secs_f64())),
    )
}

fn memory(writer: &mut Writer<'_>, shards: &[ShardSnapshot]) -> Result<(), fmt::Error> {
    fn each(
        shards: &[ShardSnapshot],
        value: fn((u64, u64)) -> u64,
    ) -> impl Iterator<Item = (Labels, f64)> {
        let of_shard = move |shard: &ShardSnapshot| {
            let core = shard.core.to_string();
            let row = |(of, used, limit): &(&'static str, u64, u64)| {
                (
                    vec![("use", (*of).to_owned()), ("core", core.clone())],
                    value((*used, *limit)) as f64,
                )
            };
            shard.memory.iter().map(row).collect::<Vec<_>>()
        };
        shards.iter().flat_map(of_shard)
    }
    writer.gauge(
        "millstream_memory_bytes",
        "Memory by what it is held for",
        each(shards, |(used, _)| used),
    )?;
    writer.gauge(
        "millstream_memory_limit_bytes",
        "What there is for it",
        each(shards, |(_, limit)| limit),
    )
}

fn health(
    writer: &mut Writer<'_>,
    shards: &[ShardSnapshot],
    system: &SystemSnapshot,
) -> Result<(), fmt::Error> {
    let offline = shards.iter().flat_map(|ShardSnapshot { health, .. }| {
        let by_reason = [
            ("until_restart", health.offline_until_start),
            ("for_now", health.offline_for_now),
            ("failed", health.failed),
        ];
        by_reason.map(|(why, count)| {
            (vec![("core", health.core.to_string()), ("why", why.to_owned())], count as f64)
        })
    });
    writer.gauge("millstream_partitions_offline", "Partitions that are not served", offline)?;
    let refusing =
        shards.iter().map(|shard| (label("core", shard.core), shard.health.refusing as f64));
    writer.gauge(
        "millstream_partitions_refusing_appends",
        "Partitions that are read, and take no records until something that the log lacks has come",
        refusing,
    )?;
    let dirs: Vec<_> = shards.iter().flat_map(|shard| &shard.health.offline_dirs).collect();
    let is_offline =
        |log_dir: &str| dirs.iter().any(|(path, _)| path.display().to_string() == log_dir);
    let offline_dirs =
        system.log_dirs.iter().map(|log_dir| (label("log_dir", log_dir), is_offline(log_dir)));
    writer.gauge(
        "millstream_log_dir_offline",
        "1 for a log directory that cannot be used",
        offline_dirs.map(|(labels, offline)| (labels, f64::from(u8::from(offline)))),
    )?;
    let refuses = shards.iter().any(|shard| shard.health.metadata_refuses.is_some());
    writer.gauge(
        "millstream_metadata_log_refuses",
        "1 while the metadata log takes no records: topics, configs and registrations cannot \
         change",
        [(Labels::<&str>::new(), f64::from(u8::from(refuses)))],
    )
}

fn requests(writer: &mut Writer<'_>, shards: &[ShardSnapshot]) -> Result<(), fmt::Error> {
    let counts = shards.iter().flat_map(|shard| {
        shard.requests.iter().map(|request| {
            let labels =
                vec![("api", request.api.name().to_owned()), ("core", shard.core.to_string())];
            (labels, request.latency.count() as f64)
        })
    });
    writer.counter("millstream_requests", "Requests answered", counts)?;
    // Latencies are summed over the cores: the buckets of each core would be too many series.
    let mut latencies: Vec<(&'static str, Histogram)> = Vec::new();
    for request in shards.iter().flat_map(|shard| &shard.requests) {
        match latencies.iter_mut().find(|(api, _)| *api == request.api.name()) {
            Some((_, latency)) => latency.merge(&request.latency),
            None => latencies.push((request.api.name(), request.latency.clone())),
        }
    }
    writer.histogram(
        "millstream_request_duration_seconds",
        "From a request's last byte in to its response's first byte out",
        latencies.into_iter().map(|(api, latency)| (label("api", api), latency)),
    )?;
    let errors = shards.iter().flat_map(|shard| {
        shard.errors.iter().map(|(error, count)| {
            (
                vec![("error", error.name().to_owned()), ("core", shard.core.to_string())],
                *count as f64,
            )
        })
    });
    writer.counter("millstream_request_errors", "Errors that clients were answered with", errors)
}

fn traffic(
    writer: &mut Writer<'_>,
    shards: &[ShardSnapshot],
    limit: usize,
) -> Result<(), fmt::Error> {
    let mut rows: Vec<(usize, TopicTraffic)> = Vec::new();
    for shard in shards {
        let room = limit.saturating_sub(rows.len()).min(shard.traffic.len());
        rows.extend(shard.traffic[..room].iter().map(|row| (shard.core, row.clone())));
        let rest = &shard.traffic[room..];
        if !rest.is_empty() {
            let sum = |value: fn(&TopicTraffic) -> u64| rest.iter().map(value).sum();
            let other = TopicTraffic {
                topic: OTHER.to_owned(),
                produce_bytes: sum(|row| row.produce_bytes),
                produce_records: sum(|row| row.produce_records),
                fetch_bytes: sum(|row| row.fetch_bytes),
            };
            rows.push((shard.core, other));
        }
    }
    let each = |value: fn(&TopicTraffic) -> u64| {
        rows.iter().map(move |(core, row)| {
            (vec![("topic", row.topic.clone()), ("core", core.to_string())], value(row) as f64)
        })
    };
    writer.counter(
        "millstream_produce_bytes",
        "Bytes of record batches written by clients",
        each(|row| row.produce_bytes),
    )?;
    writer.counter(
        "millstream_produce_records",
        "Records written by clients",
        each(|row| row.produce_records),
    )?;
    writer.counter(
        "millstream_fetch_bytes",
        "Bytes of record batches read by clients",
        each(|row| row.fetch_bytes),
    )
}

fn partitions(
    writer: &mut Writer<'_>,
    shards: &[ShardSnapshot],
    limit: usize,
    left_out: &mut Vec<(&'static str, usize)>,
) -> Result<(), fmt::Error> {
    let all: Vec<&PartitionSnapshot> = shards.iter().flat_map(|shard| &shard.partitions).collect();
    left_out.push(("partitions", all.len().saturating_sub(limit)));
    let shown = &all[..all.len().min(limit)];
    let each = |value: fn(&PartitionSnapshot) -> f64| {
        shown.iter().map(move |row| {
            (
                vec![("topic", row.topic.clone()), ("partition", row.partition.to_string())],
                value(row),
            )
        })
    };
    writer.gauge(
        "millstream_partition_log_start_offset",
        "The first offset that can be read",
        each(|row| row.log_start_offset as f64),
    )?;
    writer.gauge(
        "millstream_partition_log_end_offset",
        "The offset of the next record",
        each(|row| row.log_end_offset as f64),
    )?;
    writer.gauge(
        "millstream_partition_high_watermark",
        "The offset up to which clients may read",
        each(|row| row.high_watermark as f64),
    )?;
    writer.gauge(
        "millstream_partition_size_bytes",
        "The size of the partition's segments",
        each(|row| row.size_bytes as f64),
    )?;
    writer.gauge(
        "millstream_partition_segments",
        "The number of the partition's segments",
        each(|row| row.segments as f64),
    )
}

fn groups(
    writer: &mut Writer<'_>,
    shards: &[ShardSnapshot],
    limit: usize,
    left_out: &mut Vec<(&'static str, usize)>,
) -> Result<(), fmt::Error> {
    let mut all: Vec<&GroupSnapshot> = shards.iter().flat_map(|shard| &shard.groups).collect();
    // Where not all find room, those without members are the ones to miss.
    all.sort_by_key(|group| group.members == 0);
    left_out.push(("groups", all.len().saturating_sub(limit)));
    let shown = &all[..all.len().min(limit)];
    let members = shown.iter().map(|group| (label("group", &group.group), group.members as f64));
    writer.gauge("millstream_consumer_group_members", "Members of the group", members)?;
    let states = shown.iter().map(|group| {
        (vec![("group", group.group.clone()), ("state", group.state.to_owned())], 1.0)
    });
    writer.gauge(
        "millstream_consumer_group_state",
        "1 for the state that the group is in",
        states,
    )?;

    let watermarks: FxHashMap<(&str, i32), i64> = shards
        .iter()
        .flat_map(|shard| &shard.partitions)
        .map(|partition| {
            ((partition.topic.as_str(), partition.partition), partition.high_watermark)
        })
        .collect();
    let offsets = || {
        all.iter()
            .flat_map(|group| group.offsets.iter().map(|offset| (group.group.as_str(), offset)))
    };
    left_out.push(("group_offsets", offsets().count().saturating_sub(limit)));
    let labels = |group: &str, topic: &str, partition: i32| {
        vec![
            ("group", group.to_owned()),
            ("topic", topic.to_owned()),
            ("partition", partition.to_string()),
        ]
    };
    let committed = offsets().take(limit).map(|(group, offset)| {
        (labels(group, &offset.topic, offset.partition), offset.committed_offset as f64)
    });
    writer.gauge(
        "millstream_consumer_group_committed_offset",
        "The offset that the group goes on from",
        committed,
    )?;
    // The lag of a partition that no shard here leads is unknown, and left out.
    let lags = offsets().take(limit).filter_map(|(group, offset)| {
        let high_watermark = watermarks.get(&(offset.topic.as_str(), offset.partition))?;
        let lag = high_watermark.saturating_sub(offset.committed_offset).max(0);
        Some((labels(group, &offset.topic, offset.partition), lag as f64))
    });
    writer.gauge(
        "millstream_consumer_group_lag",
        "Records between the committed offset and the high watermark",
        lags,
    )
}
