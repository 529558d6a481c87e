//! A node whose data are harmed: made once for each ending, copied for each cell.

use super::{
    cells::{Cell, Ending, Harm},
    table::{self, Row, Verdict, phrases},
};
use crate::{
    contents,
    support::{Broker, Client, PATIENCE, Setup, broker::free_port, client},
};
use protocol::{
    ErrorCode,
    messages::{
        DeleteRecordsRequest,
        delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic},
    },
    records::{self, BatchBuilder},
};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

const SEGMENTS: i64 = 3;
const BATCHES: i64 = 6;
const COUNT: i64 = SEGMENTS * BATCHES;
/// Records that only the commit stream has when the power goes.
pub const LAST_FEW: i64 = 3;
/// Deleted at the beginning, within the first segment.
const LOG_START: i64 = 2;
const PRODUCER: i64 = 7;

pub struct Prototype {
    pub ending: Ending,
    pub data: PathBuf,
    /// What the log says of an undamaged start.
    usual: Vec<String>,
    /// The file of the last segment, and its size before the last few records.
    synced_size: u64,
}

fn setup() -> Setup {
    let setup = Setup::new("epoll", 1).with("log.flush.offset.checkpoint.interval.ms", "1000");
    setup.with("offsets.topic.num.partitions", "1").with("commit.stream.file.bytes", "262144")
}

fn value(offset: i64) -> Vec<u8> {
    format!("value {offset} {}", "x".repeat(100)).into_bytes()
}

/// An hour between segments, by the records' own time.
fn produce(client: &mut Client, from: i64, to: i64) {
    let begin = crate::support::batch::now_ms() - 10 * 3_600_000;
    for offset in from..to {
        let at = begin + (offset / BATCHES).min(SEGMENTS - 1) * 3_600_000 + offset;
        let mut builder = BatchBuilder::new(0).producer(PRODUCER, 0, offset as i32);
        builder.append(at, None, Some(&value(offset)), &[]);
        let response = client.produce("kept", 0, builder.build());
        assert_eq!(
            client::error(response.error_code),
            ErrorCode::None,
            "{:?}",
            response.error_message
        );
    }
}

fn delete_records(client: &mut Client) {
    let partition =
        DeleteRecordsPartition { partition_index: 0, offset: LOG_START, ..Default::default() };
    let topic = DeleteRecordsTopic {
        name: "kept".to_owned(),
        partitions: vec![partition],
        ..Default::default()
    };
    let request =
        DeleteRecordsRequest { topics: vec![topic], timeout_ms: 30_000, ..Default::default() };
    assert_eq!(client.call(&request, 2).topics[0].partitions[0].error_code, 0);
}

/// Waits until the checkpoint has these words.
fn await_line(path: &Path, wanted: impl Fn(&str) -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !fs::read_to_string(path).is_ok_and(|text| wanted(&text)) {
        assert!(Instant::now() < deadline, "{}: {:?}", path.display(), fs::read_to_string(path));
        std::thread::sleep(Duration::from_millis(5));
    }
}

impl Prototype {
    pub fn make(folder: &Path, ending: Ending) -> Prototype {
        let data = folder.join(format!("{ending:?}"));
        let port = free_port();
        let mut broker = Broker::try_start(&setup(), &data, port).expect("a broker");
        let mut client = Client::connect(broker.address);
        client.create_topic("kept", 1, &[("segment.ms", "60000"), ("index.interval.bytes", "200")]);
        client.create_topic("good", 1, &[]);
        client.produce_value("good", 0, b"good");
        produce(&mut client, 0, COUNT);
        delete_records(&mut client);
        let points = data.join("recovery-point-offset-checkpoint");
        await_line(&points, |text| text.contains(&format!("kept 0 {COUNT}\n")));
        await_line(&data.join("log-start-offset-checkpoint"), |text| {
            text.contains(&format!("kept 0 {LOG_START}\n"))
        });
        let last = data.join(format!("kept-0/{:020}.log", COUNT - BATCHES));
        let synced_size = fs::metadata(&last).unwrap().len();
        if ending == Ending::Stopped {
            assert!(broker.stop().success());
        } else {
            // The next checkpoint is a second away.
            await_line(&points, |text| text.contains("kept"));
            produce(&mut client, COUNT, COUNT + LAST_FEW);
            if ending == Ending::PowerCut {
                await_line(&data.join("commit-stream-0.in-use"), |text| !text.is_empty());
            }
            broker.kill();
        }
        let mut prototype = Prototype { ending, data, usual: Vec::new(), synced_size };
        let node = Node::new(&prototype, folder.join("usual"), port);
        node.copy();
        let (mut broker, _) = node.start().expect("it starts again");
        let read = Read::all(&broker);
        assert_eq!(
            (read.first, read.next, read.problem),
            (LOG_START, prototype.count(), None),
            "{ending}"
        );
        stop(&mut broker);
        let usual = node.lines(&fs::read_to_string(node.data.with_extension("stderr")).unwrap());
        prototype.usual = usual;
        prototype
    }

    /// Records that were acknowledged.
    pub fn count(&self) -> i64 {
        if self.ending == Ending::Stopped { COUNT } else { COUNT + LAST_FEW }
    }

    pub fn path_of(&self, pattern: &str) -> String {
        let segment = |number: i64| format!("{:020}", number * BATCHES);
        let folder = self.data.join(pattern.split('/').next().unwrap_or_default());
        let snapshots = fs::read_dir(folder).into_iter().flatten().flatten();
        let snapshots = snapshots.map(|entry| entry.file_name().to_string_lossy().into_owned());
        let newest =
            snapshots.filter_map(|name| Some(name.strip_suffix(".snapshot")?.to_owned())).max();
        let named = pattern.replace("MIDDLE", &segment(1)).replace("LAST", &segment(SEGMENTS - 1));
        named.replace("NEWEST", &newest.unwrap_or_else(|| "none".to_owned()))
    }
}

/// The warnings and errors of a log, without their times.
fn lines(log: &str) -> Vec<String> {
    let levels = [" WARN ", "ERROR ", " INFO "];
    let of = |line: &str| {
        levels.iter().find_map(|level| line.split_once(level)).map(|(_, text)| text.to_owned())
    };
    let mut lines: Vec<String> = log.lines().filter_map(of).collect();
    lines.extend(log.lines().filter(|line| line.starts_with("millstream: ")).map(str::to_owned));
    // Log lines beside those about the damage itself.
    const BESIDE: &[&str] = &[
        "the event loop stood still",
        "SIGTERM: closing",
        "stopped",
        "not closed cleanly: it has partitions",
        "the commit stream is kept: it has acknowledged records",
        "records that were acknowledged from the commit stream are in the log now",
        "log is cut to",
        "follows what was lost: it is no part of the log",
        "wrote a snapshot",
    ];
    lines.retain(|line| !BESIDE.iter().any(|beside| line.contains(beside)));
    lines
}

/// What a client gets of the partition.
#[derive(Debug, PartialEq)]
struct Read {
    first: i64,
    /// Behind the last record; records between may be missing.
    next: i64,
    missing: Vec<i64>,
    problem: Option<String>,
}

impl Read {
    fn all(broker: &Broker) -> Read {
        let mut client = Client::connect(broker.address);
        let is_below = |offset: &i64, client: &mut Client| {
            client::error(client.fetch("kept", 0, *offset).error_code)
                == ErrorCode::OffsetOutOfRange
        };
        let start =
            (0..COUNT + LAST_FEW).find(|offset| !is_below(offset, &mut client)).unwrap_or(0);
        let mut read = Read { first: start, next: start, missing: Vec::new(), problem: None };
        loop {
            let data = client.fetch("kept", 0, read.next);
            if data.error_code != 0 {
                read.problem = Some(format!("{:?}", client::error(data.error_code)));
                return read;
            }
            let bytes = data.records.unwrap_or_default();
            let before = read.next;
            if let Err(problem) = read.take(&bytes) {
                read.problem = Some(problem);
                return read;
            }
            if read.next == before {
                return read;
            }
        }
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), String> {
        for batch in records::batches(bytes) {
            let Ok(batch) = batch else { break };
            if !batch.crc_is_valid() {
                return Err("a batch with a wrong CRC".to_owned());
            }
            let mut found = Vec::new();
            let each = batch.for_each_record(1 << 20, |record| {
                found.push((record.offset, record.value.unwrap_or_default().to_vec()));
                Ok::<_, records::RecordsError>(())
            });
            each.map_err(|error| error.to_string())?;
            for (offset, found) in found.into_iter().filter(|(offset, _)| *offset >= self.first) {
                // The CRC is not about the offset.
                if !(0..COUNT + LAST_FEW).contains(&offset) || found != value(offset) {
                    return Err(format!("CRC: a batch at offset {offset}, which is not its own"));
                }
                self.missing.extend(self.next..offset);
                self.next = offset + 1;
            }
        }
        Ok(())
    }
}

pub struct Node<'a> {
    prototype: &'a Prototype,
    data: PathBuf,
    port: u16,
}

impl Node<'_> {
    pub fn new(prototype: &Prototype, data: PathBuf, port: u16) -> Node<'_> {
        Node { prototype, data, port }
    }

    fn copy(&self) {
        let _ = fs::remove_dir_all(&self.data);
        let _ = fs::remove_file(self.data.with_extension("stderr"));
        copy(&self.prototype.data, &self.data);
        if self.prototype.ending == Ending::PowerCut {
            let last = self.data.join(format!("kept-0/{:020}.log", COUNT - BATCHES));
            fs::OpenOptions::new()
                .write(true)
                .open(last)
                .unwrap()
                .set_len(self.prototype.synced_size)
                .unwrap();
        }
    }

    /// Err: what it says when it refuses to.
    fn start(&self) -> Result<(Broker, String), String> {
        let log = self.data.with_extension("stderr");
        let _ = fs::remove_file(&log);
        let broker =
            Broker::try_start(&setup(), &self.data, self.port).map_err(|refusal| refusal.stderr)?;
        Ok((broker, fs::read_to_string(log).unwrap()))
    }

    /// `millstream log TASK`: exit code and words.
    fn log(&self, task: &str) -> (i32, String) {
        let output = self.command(task).output().expect("the command runs");
        let words = [output.stdout, output.stderr]
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .concat();
        (output.status.code().unwrap_or(-1), words)
    }

    fn command(&self, task: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_millstream"));
        command.args(["log", task]).arg(&self.data);
        command
    }

    /// A repair is killed after `delay`; another one finds the rest to do.
    pub fn survives_a_killed_repair(&self, path: &str, harm: Harm, delay: Duration) {
        self.copy();
        harm.apply(&self.data.join(path));
        let harmed = contents(&self.data);
        let mut repair =
            self.command("repair").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(delay);
        repair.kill().unwrap();
        repair.wait().unwrap();
        let left = contents(&self.data);
        assert!(bytes_of(&left).len() >= bytes_of(&harmed).len(), "bytes are lost after {delay:?}");
        let (code, words) = self.log("repair");
        assert_eq!(code, 0, "after {delay:?}: {words}");
        let (code, words) = self.log("check");
        assert_eq!(code, 0, "after {delay:?}: {words}");
        assert!(
            bytes_of(&contents(&self.data)).len() >= bytes_of(&harmed).len(),
            "bytes are lost after {delay:?}"
        );
        let (broker, _) = self.start().unwrap();
        let read = Read::all(&broker);
        assert_eq!((read.missing, read.problem), (vec![], None), "after {delay:?}");
        assert!(read.next > BATCHES, "after {delay:?}");
    }

    /// On a directory that a broker has in use, nothing is looked at or done.
    pub fn is_left_alone_while_it_runs(&self) {
        self.copy();
        let (mut broker, _) = self.start().unwrap();
        for task in ["check", "repair"] {
            let (code, words) = self.log(task);
            assert!(code == 1 && words.contains("a broker runs on"), "{task}: {code}, {words}");
        }
        stop(&mut broker);
        assert_eq!(self.log("check").0, 0);
        assert!(self.log("repair").1.contains("nothing is wrong, nothing to do"));
    }

    /// What becomes of one damage, and that it is what may become of it.
    pub fn judge(&self, cell: &Cell) -> Result<Row, String> {
        self.copy();
        cell.harm.apply(&self.data.join(&cell.path));
        let harmed = contents(&self.data);
        let (checked, findings) = self.log("check");
        ensure(contents(&self.data) == harmed, || "the check has changed something".to_owned())?;
        let (verdict, said) = self.first_start(&harmed)?;
        let mut told = phrases(&said)?;
        if told.is_empty() {
            told = phrases(
                &findings
                    .lines()
                    .filter(|line| line.contains("WRONG"))
                    .map(str::to_owned)
                    .collect::<Vec<_>>(),
            )?;
            ensure(!told.is_empty(), || format!("silent: {verdict:?}; the check: {findings}"))?;
            told[0].insert_str(0, table::BY_CHECK);
        }
        if !matches!(verdict, Verdict::Whole | Verdict::More) {
            let name = cell.path.rsplit('/').next().unwrap_or_default();
            let is_named =
                findings.contains(name) || findings.contains("WRONG") || findings.contains("WARN");
            // What retention may have removed as well is a warning.
            let is_told = checked == 4 || (verdict == Verdict::Part && findings.contains(" WARN "));
            ensure(is_told && is_named, || {
                format!("{verdict:?}, but the check says {checked}: {findings}")
            })?;
            if checked == 4 {
                self.mend(cell, &harmed)?;
            }
        }
        Ok(Row { verdict, told })
    }

    fn first_start(
        &self,
        harmed: &BTreeMap<PathBuf, Vec<u8>>,
    ) -> Result<(Verdict, Vec<String>), String> {
        let (mut broker, log) = match self.start() {
            Ok(started) => started,
            Err(said) => {
                let changed =
                    changed(harmed, &contents(&self.data), |path| !path.ends_with(".lock"));
                ensure(changed.is_empty(), || format!("refused, and {changed:?} changed: {said}"))?;
                return Ok((Verdict::Refused, self.unusual(&said)));
            }
        };
        let read = Read::all(&broker);
        let mut client = Client::connect(broker.address);
        let good = client.fetch("good", 0, 0).records.is_some_and(|records| !records.is_empty());
        // The log's thread has written all of it then.
        stop(&mut broker);
        let said = fs::read_to_string(self.data.with_extension("stderr")).unwrap();
        ensure(good, || format!("the other partition is not served: {log}"))?;
        let count = self.prototype.count();
        let is_whole = read.next == count && read.missing.is_empty() && read.problem.is_none();
        let verdict = match &read.problem {
            _ if is_whole && read.first == LOG_START => Verdict::Whole,
            _ if is_whole && read.first < LOG_START => Verdict::More,
            Some(problem) if read.next == 0 && !problem.contains("CRC") => {
                let mine = |path: &Path| path.starts_with(self.data.join("kept-0"));
                let changed = changed(harmed, &contents(&self.data), mine);
                ensure(changed.is_empty(), || format!("offline, and {changed:?} changed"))?;
                Verdict::Offline
            }
            Some(_) => Verdict::ReaderMeetsIt,
            None => Verdict::Part,
        };
        let said = self.unusual(&said);
        if verdict == Verdict::Part {
            ensure(!said.is_empty(), || {
                format!("records are missing, and nothing is said: {read:?}")
            })?;
        }
        Ok((verdict, said))
    }

    fn unusual(&self, log: &str) -> Vec<String> {
        let usual: Vec<String> = self.prototype.usual.iter().map(|line| text_of(line)).collect();
        self.lines(log).into_iter().filter(|line| !usual.contains(&text_of(line))).collect()
    }

    /// Those of a log, with `DIR` for the data folder.
    fn lines(&self, log: &str) -> Vec<String> {
        lines(&log.replace(&self.data.display().to_string(), "DIR"))
    }

    /// A repair, a second one that has nothing to do, and a start that serves the rest.
    fn mend(&self, cell: &Cell, harmed: &BTreeMap<PathBuf, Vec<u8>>) -> Result<(), String> {
        // As the first start has found it.
        fs::remove_dir_all(&self.data).unwrap();
        self.copy();
        cell.harm.apply(&self.data.join(&cell.path));
        assert_eq!(contents(&self.data).len(), harmed.len());
        let (code, words) = self.log("repair");
        if words.contains("no repair can mend") {
            return ensure(code == 4 && words.contains("to do: "), || format!("{code}: {words}"));
        }
        ensure(code == 0, || format!("the repair ends with {code}: {words}"))?;
        let kept = bytes_of(&contents(&self.data));
        ensure(kept.len() >= bytes_of(harmed).len(), || {
            "the repair has removed records".to_owned()
        })?;
        let (code, again) = self.log("repair");
        ensure(again.contains("othing") && [0, 4].contains(&code), || {
            format!("the second repair: {again}")
        })?;
        let (mut broker, log) =
            self.start().map_err(|said| format!("no start behind the repair: {said}\n{words}"))?;
        let read = Read::all(&broker);
        let mut client = Client::connect(broker.address);
        let metadata_is_cut = cell.path.starts_with("__cluster_metadata-0");
        let good = client.fetch("good", 0, 0).records.is_some_and(|records| !records.is_empty());
        broker.kill();
        ensure(good || metadata_is_cut, || {
            format!("the other partition is not served behind the repair: {log}")
        })?;
        let is_served = read.problem.is_none() && read.missing.is_empty();
        ensure(is_served || metadata_is_cut, || {
            format!("behind the repair: {read:?}\n{words}\n{log}")
        })
    }
}

/// The records' bytes of all files, whatever their names, without the zeros that a file is extended
/// with.
fn bytes_of(contents: &BTreeMap<PathBuf, Vec<u8>>) -> Vec<u8> {
    let is_log =
        |path: &Path| path.file_name().is_some_and(|name| name.to_string_lossy().contains(".log"));
    let of_logs = contents.iter().filter(|(path, _)| is_log(path));
    of_logs.flat_map(|(_, bytes)| bytes.iter().copied().filter(|byte| *byte != 0)).collect()
}

/// A line without its numbers, which differ from start to start.
fn text_of(line: &str) -> String {
    line.chars().filter(|c| !c.is_ascii_digit()).collect()
}

fn ensure(holds: bool, problem: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(problem()) }
}

fn changed(
    before: &BTreeMap<PathBuf, Vec<u8>>,
    after: &BTreeMap<PathBuf, Vec<u8>>,
    matters: impl Fn(&Path) -> bool,
) -> Vec<PathBuf> {
    let paths = before.keys().chain(after.keys()).filter(|path| matters(path));
    let mut changed: Vec<PathBuf> =
        paths.filter(|path| before.get(*path) != after.get(*path)).cloned().collect();
    changed.dedup();
    changed
}

/// In order, whatever it leaves to the next start.
fn stop(broker: &mut Broker) {
    broker.signal(rustix::process::Signal::TERM);
    broker.wait();
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
