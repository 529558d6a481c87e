//! `loadgen profile` against the fake broker: a load that is known is found again, and what goes
//! wrong meanwhile is said and ends nothing.
//!
//! Owns: the files that it writes, in the folder that cargo gives to tests.

use crate::{
    fake::{Fake, Fault},
    program::{Running, backends},
};
use std::{
    fs,
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
};
use toml_edit::{DocumentMut, Item, Table};

const KNOWN: &str = "seed = 7\n\
     [[topic]]\nname = 'orders'\npartitions = 4\n[[topic]]\nname = 'clicks'\npartitions = 3\n\
     [[producer]]\ntopics = 'orders'\nconnections = 2\nrate = 1000\nidempotence = true\n\
     keys = { distribution = 'zipf', count = 300, exponent = 0.99 }\n\
     record_size = { distribution = 'log-normal', mean = 300, deviation = 150 }\n\
     [[producer]]\ntopics = 'clicks'\nrate = 800\nhot = { share = 0.7 }\nlinger_ms = 5\n\
     record_size = { distribution = 'uniform', min = 50, max = 150 }\n\
     entropy = 0.5\ncompression = 'lz4'\n\
     [[consumer]]\ntopics = 'orders'\nkind = 'group'\ngroups = 2\ncount = 2\n\
     commit_interval = '100ms'\n[[phase]]\nname = 'steady'\nduration = '60s'\n";
/// Of figures that hang on when the operating system runs which program.
const NEAR: f64 = 0.25;

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("profile-{}-{name}", std::process::id()))
}

/// A load that goes on until it is dropped.
fn load(fake: &Fake, name: &str) -> (Running, PathBuf) {
    let file = path(&format!("{name}-known.toml"));
    fs::write(&file, KNOWN).expect("a folder to write to");
    let line = format!("--workload {}", file.display());
    let running = Running::start(backends()[0], &fake.bootstrap(), &line);
    fake.wait_for_produces(50);
    (running, file)
}

fn start(backend: &str, fake: &Fake, line: &str) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_loadgen"));
    command.args(["profile", "--quiet", "--backend", backend, "--bootstrap", &fake.bootstrap()]);
    command.args(line.split_whitespace()).stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("loadgen was built")
}

struct Profiled {
    code: Option<i32>,
    file: String,
    said: String,
}

impl Profiled {
    fn of(output: Output) -> Profiled {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        let (file, said) = (text(output.stdout), text(output.stderr));
        Profiled { code: output.status.code(), file, said }
    }

    fn document(&self) -> DocumentMut {
        let parsed = self.file.parse();
        parsed.unwrap_or_else(|error| panic!("{error}: {} {}", self.file, self.said))
    }

    /// The file without the line ends of its comments.
    fn flat(&self) -> String {
        self.file.replace("\n#  ", "")
    }
}

fn end(child: Child) -> Profiled {
    Profiled::of(child.wait_with_output().expect("our own process"))
}

/// The entry of a section that is about a topic.
fn about(document: &DocumentMut, section: &str, topic: &str) -> Table {
    let tables = document.get(section).and_then(Item::as_array_of_tables);
    let is_it = |table: &&Table| {
        let topics = table.get("topics").map_or(String::new(), ToString::to_string);
        // One topic alone is not named.
        topics.is_empty() || topics.contains(&format!("\"{topic}\""))
    };
    let found = tables.and_then(|tables| tables.iter().find(is_it));
    found.unwrap_or_else(|| panic!("no {section} of {topic}: {document}")).clone()
}

fn number(item: Option<&Item>) -> f64 {
    let item = item.unwrap_or_else(|| panic!("nothing is there"));
    item.as_float().or(item.as_integer().map(|whole| whole as f64)).expect("a number")
}

fn assert_near(found: f64, known: f64) {
    assert!((found / known - 1.0).abs() <= NEAR, "{found} is not {known}");
}

#[test]
fn a_known_load_is_found_again() {
    for backend in backends() {
        let fake = Fake::start(Fault::None);
        let (running, known) = load(&fake, backend);
        let series = path(&format!("{backend}.csv"));
        let line = format!("--duration 4s --interval 200ms --series {}", series.display());
        let commits = fake.commits();
        let found = end(start(backend, &fake, &line));
        drop(running);
        assert_eq!(found.code, Some(0), "{}", found.said);
        let document = found.document();
        let orders = about(&document, "producer", "orders");
        assert_near(number(orders.get("rate")), 1000.0);
        assert_eq!(number(orders.get("connections")), 2.0, "two ids of producers");
        assert_eq!(orders["idempotence"].as_bool(), Some(true));
        let size = &orders["record_size"];
        assert_eq!(size["distribution"].as_str(), Some("log-normal"), "{document}");
        assert_near(number(size.get("mean")), 300.0);
        assert_near(number(size.get("deviation")), 150.0);
        let keys = &orders["keys"];
        assert_eq!(keys["distribution"].as_str(), Some("zipf"), "{document}");
        assert_near(number(keys.get("exponent")), 0.99);
        assert_near(number(keys.get("count")), 300.0);
        let clicks = about(&document, "producer", "clicks");
        assert_near(number(clicks.get("rate")), 800.0);
        assert_near(number(clicks["hot"].get("share")), 0.7);
        assert_eq!(clicks["record_size"]["distribution"].as_str(), Some("uniform"), "{document}");
        assert_near(number(clicks["record_size"].get("min")), 50.0);
        assert_near(number(clicks["record_size"].get("max")), 150.0);
        assert_eq!(clicks["compression"].as_str(), Some("lz4"), "{document}");
        assert_near(number(clicks.get("entropy")), 0.5);
        let group = about(&document, "consumer", "orders");
        assert_eq!((number(group.get("groups")), number(group.get("count"))), (2.0, 2.0));
        let rates = fs::read_to_string(&series).expect("it was written");
        assert!(rates.starts_with("until_s,clicks,orders\n"), "{rates}");
        assert!(rates.lines().count() > 5, "{rates}");
        // Only the members of the load are in the groups, and they alone commit.
        assert_eq!(fake.members(), 4);
        assert!(fake.commits() > commits);
        [known, series].iter().for_each(|path| fs::remove_file(path).expect("our own file"));
    }
}

#[test]
fn a_topic_that_goes_away_has_the_rate_until_then() {
    let fake = Fake::start(Fault::None).with_topic("idle", 2);
    let (running, known) = load(&fake, "deleted");
    // Without the load, so that it does not make the topic anew.
    let child = start(backends()[0], &fake, "--duration 3s --interval 100ms");
    fake.wait_for_offset_requests(10);
    drop(running);
    fake.delete_topic("clicks");
    let found = end(child);
    assert_eq!(found.code, Some(0), "{}", found.said);
    assert!(found.said.contains("Topic 'clicks' was deleted in second"), "{}", found.said);
    assert!(found.flat().contains("It was deleted in second"), "{}", found.file);
    let document = found.document();
    assert!(number(about(&document, "producer", "clicks").get("rate")) > 0.0);
    assert!(found.flat().contains("Topic 'idle' (2 partitions) is left out"), "{}", found.file);
    fs::remove_file(known).expect("our own file");
}

#[test]
fn a_broker_that_goes_away_leaves_what_was_seen_of_it() {
    let fake = Fake::start(Fault::None);
    let (running, known) = load(&fake, "gone");
    let child = start(backends()[0], &fake, "--duration 3s --interval 100ms");
    fake.wait_for_offset_requests(12);
    fake.go_away();
    let found = end(child);
    drop(running);
    assert_eq!(found.code, Some(2), "{}", found.said);
    assert!(found.said.contains("A broker did not answer in second"), "{}", found.said);
    assert!(found.flat().contains("A broker did not answer in second"), "{}", found.file);
    let document = found.document();
    assert!(number(about(&document, "producer", "orders").get("rate")) > 0.0, "{document}");
    fs::remove_file(known).expect("our own file");
}

#[test]
fn what_may_not_be_seen_or_read_is_said_and_the_rest_goes_on() {
    let fake = Fake::start(Fault::None).with_topic("secret", 1);
    let (running, known) = load(&fake, "denied");
    fake.hide("secret");
    fake.deny_reading("clicks");
    let line = "--duration 2s --interval 100ms --topics secret,orders,clicks,nothing";
    let found = end(start(backends()[0], &fake, line));
    drop(running);
    assert_eq!(found.code, Some(0), "{}", found.said);
    for says in [
        "'secret' means no topic: TOPIC_AUTHORIZATION_FAILED: the user needs Describe",
        "'nothing' means no topic: UNKNOWN_TOPIC_OR_PARTITION",
        "Records of 'clicks' cannot be sampled: TOPIC_AUTHORIZATION_FAILED",
    ] {
        assert!(found.said.contains(says) && found.flat().contains(says), "{says}: {}", found.file);
    }
    let document = found.document();
    // The growth of its log over its records tells how large they are.
    let clicks = about(&document, "producer", "clicks");
    assert!((30.0..200.0).contains(&number(clicks.get("record_size"))), "{document}");
    fs::remove_file(known).expect("our own file");
}

#[test]
fn sampling_keeps_to_its_budget() {
    let fake = Fake::start(Fault::None);
    let (running, known) = load(&fake, "budget");
    let line = "--duration 2s --interval 100ms --max-bytes-per-s 20000";
    let found = end(start(backends()[0], &fake, line));
    drop(running);
    assert_eq!(found.code, Some(0), "{}", found.said);
    let kilobytes = found.said.split(" KB were sampled").next().and_then(|text| {
        let word = text.rsplit(' ').next()?;
        word.parse::<u64>().ok()
    });
    // What one answer may be too large, because batches come whole and this broker counts none.
    assert!(kilobytes.is_some_and(|sampled| (1..=400).contains(&sampled)), "{}", found.said);
    fs::remove_file(known).expect("our own file");
}

#[test]
fn where_there_is_nothing_to_see_it_is_said_what_to_type() {
    let fake = Fake::start(Fault::None).with_topic("idle", 1);
    for (line, says) in [
        ("--duration 300ms --interval 100ms", "give a longer --duration"),
        ("--topics other", "Give --topics some of idle"),
        ("--out /no/such/folder/x.toml", "give --out"),
    ] {
        let found = end(start(backends()[0], &fake, line));
        assert_eq!(found.code, Some(1), "{line}: {}", found.said);
        assert!(found.said.contains(says), "{line}: {}", found.said);
    }
    let empty = end(start(backends()[0], &Fake::start(Fault::None), ""));
    assert!(empty.code == Some(1) && empty.said.contains("names none"), "{}", empty.said);
    let mute = end(start(backends()[0], &Fake::start(Fault::CloseAtOnce), ""));
    assert!(mute.code == Some(1) && mute.said.contains("--bootstrap"), "{}", mute.said);
}
