//! The workloads, by family, and the contenders of each. Data only.

use std::fmt;

/// Who takes part, in the order of the rows. The first one is the measure of the ratios in the
/// pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Server {
    Kafka,
    Millstream,
    /// On `io.backend=epoll`.
    MillstreamEpoll,
    Sink(Runtime, Mode),
    /// At the address that the command line names.
    Against,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Runtime {
    Bare,
    Tokio,
    Glommio,
}

/// What a sink does; its names are those of the sink's own --mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    Receive,
    PageCache,
    Disk,
    FetchHot,
    FetchWarm,
    FetchCold,
}

impl Mode {
    pub fn name(self) -> &'static str {
        match self {
            Mode::Receive => "receive",
            Mode::PageCache => "page-cache",
            Mode::Disk => "disk",
            Mode::FetchHot => "fetch-hot",
            Mode::FetchWarm => "fetch-warm",
            Mode::FetchCold => "fetch-cold",
        }
    }
}

/// One row: a server, and whether its topic flushes before it acknowledges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contender {
    pub server: Server,
    pub fsync: bool,
}

impl fmt::Display for Contender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fsync = if self.fsync { ", fsync" } else { "" };
        match self.server {
            Server::Kafka => write!(f, "Apache Kafka{fsync}"),
            Server::Millstream => write!(f, "Millstream{fsync}"),
            Server::MillstreamEpoll => write!(f, "Millstream on epoll{fsync}"),
            Server::Sink(Runtime::Bare, mode) => write!(f, "bare sink, {}", mode.name()),
            Server::Sink(Runtime::Tokio, mode) => write!(f, "sink on tokio, {}", mode.name()),
            Server::Sink(Runtime::Glommio, mode) => write!(f, "sink on glommio, {}", mode.name()),
            Server::Against => write!(f, "the given address{fsync}"),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rate {
    PerSecond(f64),
    Max,
    /// Half of what the slowest broker takes when as much as possible is sent.
    HalfOfSlowest,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Produce {
    pub rate: Rate,
    pub connections: usize,
    pub batch_bytes: usize,
    pub linger_ms: f64,
    pub in_flight: usize,
    pub keys: u32,
}

/// What consumers read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consume {
    /// The records that are produced meanwhile, verified.
    Tail,
    /// A topic that was filled before with so many MiB, again and again.
    Stored { mib: u64 },
    /// The same, once, after its files have left the page cache.
    Cold { mib: u64 },
}

/// What the picture of a family shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pictured {
    CpuPerMillion,
    CpuPerGb,
    P99,
}

#[derive(Clone, Debug)]
pub struct Workload {
    pub id: &'static str,
    pub what: &'static str,
    pub record_bytes: usize,
    pub partitions: i32,
    pub produce: Option<Produce>,
    pub consume: Option<Consume>,
    pub consumers: usize,
    /// MiB of another topic that are read from the disk meanwhile, by a generator of its own.
    pub backlog_mib: Option<u64>,
    /// Broker and generator before all others on their processors.
    pub realtime: bool,
    pub contenders: Vec<Contender>,
}

pub struct Family {
    pub name: &'static str,
    pub title: &'static str,
    pub pictured: Pictured,
    pub workloads: Vec<Workload>,
}

const KIB: usize = 1024;
const LARGE: Produce = Produce {
    rate: Rate::Max,
    connections: 1,
    batch_bytes: 64 * KIB,
    linger_ms: 5.0,
    in_flight: 5,
    keys: 0,
};
/// One record per request and one request in flight on each of many connections.
const SMALL: Produce = Produce {
    rate: Rate::Max,
    connections: 256,
    batch_bytes: 1,
    linger_ms: 0.0,
    in_flight: 1,
    keys: 0,
};

impl Produce {
    const fn at(self, records_per_s: f64) -> Produce {
        Produce { rate: Rate::PerSecond(records_per_s), ..self }
    }
}

fn row(server: Server) -> Contender {
    Contender { server, fsync: false }
}

fn flushed(server: Server) -> Contender {
    Contender { server, fsync: true }
}

fn against_sink(mode: Mode) -> Vec<Contender> {
    vec![
        row(Server::Kafka),
        row(Server::Against),
        row(Server::Millstream),
        row(Server::Sink(Runtime::Bare, mode)),
    ]
}

fn flushed_against_sink() -> Vec<Contender> {
    vec![
        flushed(Server::Kafka),
        flushed(Server::Millstream),
        Contender { server: Server::Sink(Runtime::Bare, Mode::Disk), fsync: false },
    ]
}

fn produce(
    id: &'static str,
    what: &'static str,
    record_bytes: usize,
    produce: Produce,
) -> Workload {
    Workload {
        id,
        what,
        record_bytes,
        partitions: 1,
        produce: Some(produce),
        consume: None,
        consumers: 0,
        backlog_mib: None,
        realtime: false,
        contenders: against_sink(Mode::PageCache),
    }
}

fn consume(
    id: &'static str,
    what: &'static str,
    consume: Consume,
    consumers: usize,
    mode: Mode,
) -> Workload {
    Workload {
        produce: None,
        consume: Some(consume),
        consumers,
        contenders: against_sink(mode),
        ..produce(id, what, KIB, LARGE)
    }
}

fn large() -> Family {
    Family {
        name: "large",
        title: "Produce, large batches, acknowledged from the page cache",
        pictured: Pictured::CpuPerMillion,
        workloads: vec![
            produce("100b", "100 B, batches of 64 KiB, 1,000,000/s", 100, LARGE.at(1e6)),
            produce(
                "100b-1m",
                "100 B, batches of 960 KiB, 1,000,000/s",
                100,
                Produce { batch_bytes: 960 * KIB, linger_ms: 50.0, ..LARGE.at(1e6) },
            ),
            produce("100b-max", "100 B, batches of 64 KiB, as many as possible", 100, LARGE),
            produce("1k", "1 KiB, batches of 64 KiB, 120,000/s", KIB, LARGE.at(120e3)),
            produce(
                "1k-1m",
                "1 KiB, batches of 960 KiB, 120,000/s",
                KIB,
                Produce { batch_bytes: 960 * KIB, linger_ms: 50.0, ..LARGE.at(120e3) },
            ),
            produce("1k-max", "1 KiB, batches of 64 KiB, as many as possible", KIB, LARGE),
            produce(
                "16k",
                "1 KiB, batches of 16 KiB, 80,000/s",
                KIB,
                Produce { batch_bytes: 16 * KIB, ..LARGE.at(80e3) },
            ),
            produce(
                "16k-max",
                "1 KiB, batches of 16 KiB, as many as possible",
                KIB,
                Produce { batch_bytes: 16 * KIB, ..LARGE },
            ),
        ],
    }
}

fn small() -> Family {
    Family {
        name: "small",
        title: "Produce, one record per request, 256 connections (CPU-s per million = µs per \
            request)",
        pictured: Pictured::CpuPerMillion,
        workloads: vec![
            produce(
                "small",
                "100 B, one per request, 256 connections, 15,000/s",
                100,
                SMALL.at(15e3),
            ),
            produce(
                "small-max",
                "100 B, one per request, 256 connections, as many as possible",
                100,
                SMALL,
            ),
        ],
    }
}

fn keyed() -> Family {
    let keyed = |id, what, partitions| Workload {
        partitions,
        ..produce(id, what, 100, Produce { keys: 10_000, linger_ms: 50.0, ..LARGE.at(50e3) })
    };
    Family {
        name: "keyed",
        title: "Produce, 10,000 keys, batches by linger",
        pictured: Pictured::CpuPerMillion,
        workloads: vec![
            keyed("keyed-1", "100 B, keyed, 1 partition, 50,000/s", 1),
            keyed("keyed-100", "100 B, keyed, 100 partitions, 50,000/s", 100),
            keyed("keyed-1000", "100 B, keyed, 1,000 partitions, 50,000/s", 1000),
        ],
    }
}

fn durable() -> Family {
    let durable = |workload: Workload| Workload { contenders: flushed_against_sink(), ..workload };
    let keyed = |id, what, partitions, produced: Produce| {
        // A flush for each partition of a request takes seconds at 1,000: more than two in flight
        // settle too late.
        let produced = Produce { keys: 10_000, linger_ms: 10.0, in_flight: 2, ..produced };
        durable(Workload { partitions, ..produce(id, what, 100, produced) })
    };
    Family {
        name: "durable",
        title: "Produce, on the disk before the acknowledgement",
        pictured: Pictured::CpuPerMillion,
        workloads: vec![
            durable(produce("fsync-1k", "1 KiB, batches of 64 KiB, 20,000/s", KIB, LARGE.at(20e3))),
            durable(produce(
                "fsync-1k-max",
                "1 KiB, batches of 64 KiB, as many as possible",
                KIB,
                LARGE,
            )),
            durable(produce(
                "fsync-1k-1m-max",
                "1 KiB, batches of 960 KiB, as many as possible",
                KIB,
                Produce { batch_bytes: 960 * KIB, linger_ms: 50.0, ..LARGE },
            )),
            durable(produce(
                "fsync-100b-max",
                "100 B, batches of 64 KiB, as many as possible",
                100,
                LARGE,
            )),
            durable(produce(
                "fsync-one",
                "100 B, one per request, one connection, one in flight",
                100,
                Produce { connections: 1, ..SMALL },
            )),
            durable(produce(
                "fsync-small-max",
                "100 B, one per request, 256 connections, as many as possible",
                100,
                SMALL,
            )),
            keyed("fsync-keyed-1", "100 B, keyed, 1 partition, as many as possible", 1, LARGE),
            keyed(
                "fsync-keyed-1000",
                "100 B, keyed, 1,000 partitions, as many as possible",
                1000,
                LARGE,
            ),
        ],
    }
}

fn fetch() -> Family {
    Family {
        name: "consume",
        title: "Consume, 1 KiB records, 1 MiB per fetch",
        pictured: Pictured::CpuPerGb,
        workloads: vec![
            consume(
                "hot",
                "the last 16 MiB, 4 consumers",
                Consume::Stored { mib: 16 },
                4,
                Mode::FetchHot,
            ),
            consume(
                "warm",
                "1 GiB from the page cache, 4 consumers",
                Consume::Stored { mib: 1024 },
                4,
                Mode::FetchWarm,
            ),
            consume(
                "cold",
                "2 GiB from the disk, 1 consumer",
                Consume::Cold { mib: 2048 },
                1,
                Mode::FetchCold,
            ),
        ],
    }
}

fn fan_out() -> Family {
    let live = Workload {
        consume: Some(Consume::Tail),
        consumers: 64,
        contenders: vec![row(Server::Kafka), row(Server::Against), row(Server::Millstream)],
        ..produce("fan-out-tail", "64 consumers at the tail, 1 KiB, 2,000/s", KIB, LARGE.at(2e3))
    };
    Family {
        name: "fan-out",
        title: "64 consumers on one topic",
        pictured: Pictured::CpuPerGb,
        workloads: vec![
            consume(
                "fan-out",
                "64 consumers, 256 MiB from the page cache",
                Consume::Stored { mib: 256 },
                64,
                Mode::FetchWarm,
            ),
            live,
        ],
    }
}

fn backlog() -> Family {
    let live = |id, what, backlog_mib| Workload {
        consume: Some(Consume::Tail),
        consumers: 1,
        backlog_mib,
        realtime: true,
        contenders: vec![row(Server::Kafka), row(Server::Millstream)],
        ..produce(id, what, KIB, Produce { linger_ms: 0.0, ..LARGE.at(5e3) })
    };
    Family {
        name: "backlog",
        title: "Produce and consume while a backlog is drained from the disk, end to end",
        pictured: Pictured::P99,
        workloads: vec![
            live("alone", "1 KiB, 5,000/s, consumed, nothing else", None),
            live(
                "backlog",
                "1 KiB, 5,000/s, consumed, while 2 GiB of another topic are read from the disk",
                Some(2048),
            ),
        ],
    }
}

fn epoll() -> Family {
    let both = vec![row(Server::Millstream), row(Server::MillstreamEpoll)];
    let pair = |workload: Workload| Workload { contenders: both.clone(), ..workload };
    Family {
        name: "epoll",
        title: "Millstream on io_uring and on epoll",
        pictured: Pictured::CpuPerMillion,
        workloads: vec![
            pair(produce(
                "epoll-100b",
                "100 B, batches of 64 KiB, 1,000,000/s",
                100,
                LARGE.at(1e6),
            )),
            pair(produce(
                "epoll-small",
                "100 B, one per request, 256 connections, 15,000/s",
                100,
                SMALL.at(15e3),
            )),
            Workload {
                contenders: vec![flushed(Server::Millstream), flushed(Server::MillstreamEpoll)],
                ..produce(
                    "epoll-fsync",
                    "1 KiB, batches of 64 KiB, fsync, 20,000/s",
                    KIB,
                    LARGE.at(20e3),
                )
            },
            pair(consume(
                "epoll-warm",
                "1 GiB from the page cache, 4 consumers",
                Consume::Stored { mib: 1024 },
                4,
                Mode::FetchWarm,
            )),
        ],
    }
}

fn latency() -> Family {
    let end_to_end = |id, what, rate| Workload {
        consume: Some(Consume::Tail),
        consumers: 1,
        realtime: true,
        contenders: vec![row(Server::Kafka), row(Server::Against), row(Server::Millstream)],
        ..produce(id, what, 100, Produce { rate, linger_ms: 0.0, ..LARGE })
    };
    Family {
        name: "latency",
        title: "End to end, broker and generator at real-time priority",
        pictured: Pictured::P99,
        workloads: vec![
            end_to_end("latency-1000", "100 B, 1,000/s", Rate::PerSecond(1e3)),
            end_to_end(
                "latency-half",
                "100 B, half of what the slower broker takes",
                Rate::HalfOfSlowest,
            ),
        ],
    }
}

fn runtimes() -> Family {
    let all = |mode| {
        [Runtime::Bare, Runtime::Tokio, Runtime::Glommio]
            .map(|one| row(Server::Sink(one, mode)))
            .to_vec()
    };
    let with = |mode, workload: Workload| Workload { contenders: all(mode), ..workload };
    Family {
        name: "runtimes",
        title: "The sink on bare epoll, on tokio and on glommio",
        pictured: Pictured::CpuPerMillion,
        workloads: vec![
            with(
                Mode::Receive,
                produce(
                    "runtime-receive",
                    "100 B, batches of 64 KiB, 1,000,000/s, received only",
                    100,
                    LARGE.at(1e6),
                ),
            ),
            with(
                Mode::PageCache,
                produce(
                    "runtime-100b",
                    "100 B, batches of 64 KiB, 1,000,000/s",
                    100,
                    LARGE.at(1e6),
                ),
            ),
            with(
                Mode::PageCache,
                produce(
                    "runtime-small",
                    "100 B, one per request, 256 connections, 15,000/s",
                    100,
                    SMALL.at(15e3),
                ),
            ),
            with(
                Mode::Disk,
                produce(
                    "runtime-disk",
                    "1 KiB, batches of 64 KiB, past the page cache, 20,000/s",
                    KIB,
                    LARGE.at(20e3),
                ),
            ),
            with(
                Mode::FetchHot,
                consume(
                    "runtime-hot",
                    "fetched from memory, 4 consumers",
                    Consume::Stored { mib: 0 },
                    4,
                    Mode::FetchHot,
                ),
            ),
        ],
    }
}

pub fn families() -> Vec<Family> {
    vec![
        large(),
        small(),
        keyed(),
        durable(),
        fetch(),
        fan_out(),
        backlog(),
        epoll(),
        latency(),
        runtimes(),
    ]
}

/// The families with those of their workloads that a name chooses: a family's, or a workload's. No
/// names: all.
pub fn chosen(names: &[String]) -> anyhow::Result<Vec<Family>> {
    let mut families = families();
    for name in names {
        let is_known = families.iter().any(|family| {
            family.name == name || family.workloads.iter().any(|workload| workload.id == name)
        });
        anyhow::ensure!(is_known, "there is no family or workload '{name}': --list prints them");
    }
    for family in &mut families {
        let whole = names.is_empty() || names.iter().any(|name| name == family.name);
        family.workloads.retain(|workload| whole || names.iter().any(|name| name == workload.id));
    }
    families.retain(|family| !family.workloads.is_empty());
    Ok(families)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_choose_families_and_workloads() {
        let names = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let ids = |families: Vec<Family>| -> Vec<&str> {
            families
                .iter()
                .flat_map(|family| &family.workloads)
                .map(|workload| workload.id)
                .collect()
        };
        assert_eq!(ids(chosen(&names("small hot")).unwrap()), ["small", "small-max", "hot"]);
        assert!(chosen(&names("nonsense")).is_err());
        let mut all = ids(chosen(&[]).unwrap());
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count, "two workloads have one name");
    }
}
