//! What one seed decides before its run begins: the nodes, their clients, and what will go wrong.

use crate::{cluster::ClusterId, dice::Dice};
use ring::sim::SimOptions;
use std::time::Duration;

/// What the storm may do to a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    PowerCut,
    Kill,
    CleanStop,
    Pause,
    PauseClients,
    Partition,
    OneWayPartition,
    HangDisk,
    FailSync,
    FullDisk,
    NoFiles,
    NoMemory,
    JumpClock,
    /// Room for a few pages is left: writes fail in their midst.
    PartlyFullDisk,
    /// One core is off its processor: the others go on, until what they have for it fills its
    /// mailboxes.
    PauseCore,
    /// These three befall the second log directory alone.
    HangOneDisk,
    FullOneDisk,
    FailOneSync,
    /// Nothing gets through between two nodes, either way or one way.
    CutNodes,
}

const FAULTS: [Fault; 13] = [
    Fault::PowerCut,
    Fault::Kill,
    Fault::CleanStop,
    Fault::Pause,
    Fault::PauseClients,
    Fault::Partition,
    Fault::OneWayPartition,
    Fault::HangDisk,
    Fault::FailSync,
    Fault::FullDisk,
    Fault::NoFiles,
    Fault::NoMemory,
    Fault::JumpClock,
];

/// What befalls the whole disk, all log directories at once.
const WHOLE_DISK: [Fault; 6] = [
    Fault::HangDisk,
    Fault::FailSync,
    Fault::FullDisk,
    Fault::NoFiles,
    Fault::NoMemory,
    Fault::PartlyFullDisk,
];
const ONE_DISK: [Fault; 3] = [Fault::HangOneDisk, Fault::FullOneDisk, Fault::FailOneSync];

/// A deliberate fault of the broker (or none), to see that the checks notice.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Variation {
    None,
    /// `durability=os` under power cuts: acknowledged records are lost.
    OsDurability,
    /// No fault: clients ask where to go, though there is one node.
    ByMetadata,
    /// No fault: a second node, a cluster of its own. Each has as many clients as one alone.
    TwoNodes,
}

/// One broker node.
pub struct NodePlan {
    pub id: i32,
    pub cluster: ClusterId,
    pub cores: usize,
    pub log_dirs: usize,
    /// Overrides of its configuration; those of the plan, listeners and directories come on top.
    pub properties: Vec<(String, String)>,
}

pub struct Plan {
    pub seed: u64,
    pub nodes: Vec<NodePlan>,
    /// Overrides of every node's configuration.
    pub properties: Vec<(String, String)>,
    /// Configs of every topic that a client makes.
    pub topic_configs: Vec<(String, String)>,
    /// Clients ask Metadata and FindCoordinator where to go. Without, they know the one node.
    pub by_metadata: bool,
    /// Nothing goes wrong but by the storm's hand, to one node at a time.
    pub isolated: bool,
    /// Clients and topics of each cluster: so many, and all that follows.
    pub producers: usize,
    pub readers: usize,
    pub members: usize,
    /// Producers of transactions.
    pub transactors: usize,
    /// Topics that live through the whole run, by their number of partitions.
    pub base_topics: Vec<i32>,
    /// Batches that a producer may have in flight for one partition.
    pub depth: usize,
    /// Produce and fetch name topics by id (newer versions) instead of by name.
    pub by_id: bool,
    pub large_records: bool,
    /// Producers pack some of their batches; the large ones unpack to more than is checked at once.
    pub packed: bool,
    pub options: SimOptions,
    pub faults: Vec<Fault>,
    pub storm: Duration,
    /// Time between two faults, in milliseconds.
    pub fault_gap_ms: (u64, u64),
    /// How the broker is ended and started again before everything is read once more.
    pub last_ends: Vec<Fault>,
    /// Each start may have another number of cores.
    pub vary_cores: bool,
    /// `durability=os`: what was acknowledged survives a kill, but not a power cut.
    pub os: bool,
    /// By producer: what it waits for. One replica makes 1 as good as all.
    pub acks: Vec<i16>,
    /// Producers that want no answers.
    pub silent: usize,
    /// Records go by themselves, by time or size, down to an empty log.
    pub retention: bool,
    /// Readers keep fetch sessions.
    pub sessions: bool,
    /// All kinds of topic configs are changed, not only one that does nothing.
    pub dynamic: bool,
    /// There are two log directories, and only the second one's disk fails.
    pub apart: bool,
    /// At last a file is damaged where the broker knows what it has to hold.
    pub damage: bool,
}

impl Plan {
    pub fn new(seed: u64, variation: Variation) -> Plan {
        let mut dice = Dice::new(seed);
        let mut faults: Vec<Fault> = FAULTS.into_iter().filter(|_| dice.one_in(3)).collect();
        if !dice.one_in(4) && !faults.contains(&Fault::PowerCut) {
            faults.push(Fault::PowerCut);
        }
        let mut options =
            if dice.one_in(6) { SimOptions::calm() } else { SimOptions::stormy(seed) };
        // Rejected for its timestamp a batch would never be answered: the broker allows an hour.
        options.clocks.offset_ms = options.clocks.offset_ms.min(600_000);
        let mut plan = Plan {
            seed,
            nodes: vec![NodePlan::draw(&mut dice, 1, ClusterId::FIRST)],
            properties: Vec::new(),
            topic_configs: Vec::new(),
            by_metadata: false,
            isolated: false,
            producers: dice.between(1, 3) as usize,
            readers: dice.between(1, 2) as usize,
            members: dice.between(0, 3) as usize,
            transactors: 0,
            base_topics: (0..dice.between(1, 3)).map(|_| dice.between(1, 4) as i32).collect(),
            depth: if dice.one_in(4) { 3 } else { 1 },
            by_id: dice.one_in(2),
            large_records: dice.one_in(5),
            packed: false,
            vary_cores: false,
            os: false,
            acks: Vec::new(),
            silent: 0,
            retention: false,
            sessions: false,
            dynamic: false,
            apart: false,
            damage: false,
            options,
            faults,
            storm: dice.millis(1_500, 6_000),
            fault_gap_ms: *dice.pick(&[(20, 400), (100, 1_500), (300, 3_000)]),
            last_ends: (0..2)
                .map(|_| {
                    *dice.pick(&[Fault::PowerCut, Fault::PowerCut, Fault::Kill, Fault::CleanStop])
                })
                .collect(),
        };
        plan.packed = dice.one_in(3);
        if dice.one_in(4) {
            // Batches are packed anew, the larger ones in steps.
            let codec = *dice.pick(&["gzip", "snappy", "lz4", "zstd", "uncompressed"]);
            plan.properties.push(("compression.type".to_owned(), codec.to_owned()));
        }
        match variation {
            Variation::None => plan.draw_more(&mut dice),
            Variation::ByMetadata => {
                plan.draw_more(&mut dice);
                plan.by_metadata = true;
            }
            Variation::TwoNodes => {
                plan.draw_more(&mut dice);
                plan.add_node();
            }
            Variation::OsDurability => {
                plan.properties.push(("durability".to_owned(), "os".to_owned()));
                plan.faults = vec![Fault::PowerCut];
            }
        }
        plan
    }

    /// What came to the seeds later: drawn last, so that what was drawn before is as it was.
    fn draw_more(&mut self, dice: &mut Dice) {
        self.vary_cores = dice.one_in(3);
        let mixed = dice.one_in(3);
        self.acks =
            (0..self.producers).map(|_| if mixed && dice.one_in(2) { 1 } else { -1 }).collect();
        if dice.one_in(3) {
            self.silent = dice.between(1, 2) as usize;
        }
        self.sessions = dice.one_in(2);
        self.dynamic = dice.one_in(3);
        if dice.one_in(8) {
            self.faults.push(Fault::PartlyFullDisk);
        }
        self.retention = dice.one_in(4);
        if self.retention {
            self.properties.extend(retention(dice));
        }
        if dice.one_in(6) {
            self.fail_apart(dice);
        }
        if dice.one_in(5) {
            self.acknowledge_from_page_cache(dice);
        }
        if dice.one_in(5) {
            self.faults.push(Fault::PauseCore);
        }
        // Records that go by themselves would take the damage with them.
        self.damage = dice.one_in(4) && !self.retention && !self.dynamic;
        self.draw_transactors();
        self.draw_compaction();
    }

    /// They have dice of their own. What coordinators write is on the disk before it is
    /// acknowledged, also where records are not: a decision that is lost is not modelled.
    fn draw_transactors(&mut self) {
        let mut dice = Dice::new(self.seed ^ 0x7472_616e_7361_6374);
        if dice.one_in(2) {
            self.transactors = dice.between(1, 3) as usize;
            let partitions = dice.between(1, 3).to_string();
            self.properties.push(("transaction.state.log.num.partitions".to_owned(), partitions));
            let is_durability = |(name, _): &mut (String, String)| name == "durability";
            self.topic_configs = self.properties.extract_if(.., is_durability).collect();
        }
    }

    /// Internal topics are compacted all the time, where their segments are rolled by time. With
    /// dice of its own.
    fn draw_compaction(&mut self) {
        let mut dice = Dice::new(self.seed ^ 0x0063_6f6d_7061_6374);
        if dice.one_in(2) {
            let choices: [(&str, &[&str]); 3] = [
                ("log.cleaner.backoff.ms", &["5", "50", "500"]),
                ("log.cleaner.min.cleanable.ratio", &["0", "0.3"]),
                ("log.cleaner.delete.retention.ms", &["0", "500", "86400000"]),
            ];
            for (name, values) in choices {
                self.properties.push((name.to_owned(), (*dice.pick(values)).to_owned()));
            }
            // What is damaged may be compacted meanwhile.
            self.damage = false;
        }
    }

    /// A node beside the first one, that does not know it. It has dice of its own.
    fn add_node(&mut self) {
        let mut dice = Dice::new(self.seed ^ 0x0b_0e1d);
        let mut node = NodePlan::draw(&mut dice, 2, ClusterId(1));
        if self.apart {
            node.log_dirs = 2;
        }
        self.nodes.push(node);
        // What is damaged, and audited for that, is the file of one node.
        (self.by_metadata, self.damage) = (true, false);
        self.faults.push(Fault::CutNodes);
        self.isolated = dice.one_in(2);
        if self.isolated {
            self.options = SimOptions::calm();
        }
        self.storm = dice.millis(3_000, 8_000);
    }

    pub fn clusters(&self) -> usize {
        1 + self.nodes.iter().map(|node| node.cluster.0).max().unwrap_or(0)
    }

    fn fail_apart(&mut self, dice: &mut Dice) {
        self.apart = true;
        self.nodes.iter_mut().for_each(|node| node.log_dirs = 2);
        self.no_disk_errors();
        self.faults.retain(|fault| !WHOLE_DISK.contains(fault));
        self.faults.extend(ONE_DISK.into_iter().filter(|_| dice.one_in(2)));
    }

    fn no_disk_errors(&mut self) {
        let disk = &mut self.options.disk;
        (disk.read_error_per_million, disk.write_error_per_million, disk.sync_error_per_million) =
            (0, 0, 0);
    }

    fn acknowledge_from_page_cache(&mut self, dice: &mut Dice) {
        self.os = true;
        self.properties.push(("durability".to_owned(), "os".to_owned()));
        // A sync that fails takes acknowledged records with it: a power cut of one file, at no time
        // that is known here.
        self.options.disk.sync_error_per_million = 0;
        self.faults.retain(|fault| !matches!(fault, Fault::FailSync | Fault::FailOneSync));
        if dice.one_in(2) {
            self.faults.retain(|fault| *fault != Fault::PowerCut);
            self.last_ends
                .iter_mut()
                .filter(|end| **end == Fault::PowerCut)
                .for_each(|end| *end = Fault::Kill);
        }
    }

    /// Whether an end of this kind may take what was acknowledged.
    pub fn loses(&self, end: Fault) -> bool {
        self.os && end == Fault::PowerCut
    }

    /// Whether a broker may end by itself: not where the directory with the metadata is in order.
    pub fn may_give_up(&self) -> bool {
        self.disk_can_fail() && !self.apart
    }

    /// How the broker ends when it must and nothing else is said.
    pub fn sudden_ends(&self) -> &'static [Fault] {
        let all = &[Fault::PowerCut, Fault::Kill];
        let has_cuts =
            self.faults.contains(&Fault::PowerCut) || self.last_ends.contains(&Fault::PowerCut);
        if self.os && !has_cuts { &all[1..] } else { all }
    }

    /// Whether anything may be wrong with the disk but its slowness: then partitions may refuse,
    /// and starts may fail.
    pub fn disk_can_fail(&self) -> bool {
        let passing = |fault: &Fault| {
            use Fault::{FullDisk, FullOneDisk, NoFiles, NoMemory, PartlyFullDisk};
            matches!(fault, FullDisk | NoFiles | NoMemory | PartlyFullDisk | FullOneDisk)
        };
        self.disk_can_break() || self.faults.iter().any(passing)
    }

    /// Whether it may fail in ways that do not pass: what they take out of service comes back with
    /// a restart only.
    pub fn disk_can_break(&self) -> bool {
        let disk = &self.options.disk;
        disk.read_error_per_million + disk.write_error_per_million + disk.sync_error_per_million > 0
            || self.faults.iter().any(|fault| matches!(fault, Fault::FailSync | Fault::FailOneSync))
    }
}

impl NodePlan {
    fn draw(dice: &mut Dice, id: i32, cluster: ClusterId) -> NodePlan {
        NodePlan {
            id,
            cluster,
            cores: dice.between(1, 3) as usize,
            properties: properties(dice),
            log_dirs: if dice.one_in(4) { 2 } else { 1 },
        }
    }
}

fn properties(dice: &mut Dice) -> Vec<(String, String)> {
    let mut properties = Vec::new();
    let mut set = |name: &str, value: String| properties.push((name.to_owned(), value));
    set("admin.listener", String::new());
    set("offsets.topic.num.partitions", dice.between(1, 4).to_string());
    set("group.initial.rebalance.delay.ms", dice.between(0, 300).to_string());
    set("group.min.session.timeout.ms", "1000".to_owned());
    set("log.segment.delete.delay.ms", dice.pick(&[0, 200, 60_000]).to_string());
    set("log.retention.check.interval.ms", dice.pick(&[500, 5_000, 300_000]).to_string());
    set("log.flush.offset.checkpoint.interval.ms", dice.pick(&[50, 700, 60_000]).to_string());
    if dice.one_in(2) {
        // Segments of a handful of batches: rolls, and recoveries over several of them.
        set("log.roll.ms", dice.pick(&[30, 300, 2_000]).to_string());
    }
    if dice.one_in(3) {
        set("log.preallocate", "true".to_owned());
        set("log.segment.bytes", "1048576".to_owned());
    }
    if dice.one_in(3) {
        set("log.index.interval.bytes", dice.pick(&[0, 100, 1_000]).to_string());
    }
    if dice.one_in(2) {
        set(
            "metadata.log.max.record.bytes.between.snapshots",
            dice.pick(&[300, 2_000, 10_000]).to_string(),
        );
    }
    // Files of four frames are used again all the time.
    set("commit.stream.file.bytes", dice.pick(&[0, 65_536, 65_536, 67_108_864]).to_string());
    if dice.one_in(4) {
        set("log.message.timestamp.type", "LogAppendTime".to_owned());
    }
    properties
}

/// Looks often, at segments of a few batches, and takes what is old or too much.
fn retention(dice: &mut Dice) -> Vec<(String, String)> {
    let mut properties = Vec::new();
    let mut set = |name: &str, value: u64| properties.push((name.to_owned(), value.to_string()));
    set("log.retention.check.interval.ms", *dice.pick(&[50, 500]));
    set("log.roll.ms", *dice.pick(&[30, 300, 1_000]));
    let kind = dice.below(3);
    if kind != 0 {
        set("log.retention.ms", *dice.pick(&[1, 300, 1_500]));
    }
    if kind != 1 {
        set("log.retention.bytes", *dice.pick(&[0, 500, 5_000]));
    }
    properties
}
