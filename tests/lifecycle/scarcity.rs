//! A process that may have little: few descriptors, files of a limited size. It says so in few
//! lines, and no client waits for an answer that does not come.

use crate::support::{
    Broker, Client, Setup, batch,
    broker::{free_port, scratch_folder},
    client, eventually,
};
use protocol::{ErrorCode, messages::ApiVersionsRequest};
use rustix::process::{Resource, Rlimit, prlimit};
use std::{fs, process::Command, time::Instant};

/// Fewer than a node on one core keeps in reserve (64, and 24 per core), and enough to start with.
const FILES: u64 = 72;
const CLIENTS: usize = 50;
/// What is left of them for connections, but for what the broker gives back meanwhile.
const LEFT: usize = 4;

/// The same command in a process that may have so many descriptors.
fn limited(inner: &Command, files: u64) -> Command {
    let mut command = Command::new("sh");
    command.arg("-c").arg(format!("ulimit -n {files} && exec \"$0\" \"$@\""));
    command.arg(inner.get_program()).args(inner.get_args());
    command
}

/// Without a descriptor a connection waited in the kernel's queue, and its client for an answer,
/// without a word.
#[test]
fn with_few_descriptors_a_connection_is_answered_or_closed() {
    for setup in Setup::backends() {
        let (folder, port) = (scratch_folder(), free_port());
        let data = folder.join("data");
        let command = limited(&setup.command(&data, port), FILES);
        let mut broker =
            Broker::launch(&setup, command, &data, port).expect("a broker with few descriptors");
        // Below what connections are let have in any case: accepting itself finds no descriptor.
        let used: Vec<String> = fs::read_dir(format!("/proc/{}/fd", broker.pid().as_raw_nonzero()))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        // The limit is on the number of the next descriptor, and some below may be free.
        let last_free =
            (0..FILES).filter(|number| !used.contains(&number.to_string())).nth(LEFT - 1).unwrap();
        let limit = Rlimit { current: Some(last_free + 1), maximum: Some(FILES) };
        prlimit(Some(broker.pid()), Resource::Nofile, limit).unwrap();
        let mut clients: Vec<Client> =
            (0..CLIENTS).map(|_| Client::connect(broker.address)).collect();
        // Panics where neither comes.
        let answered = clients
            .iter_mut()
            .filter_map(|client| client.try_call(&ApiVersionsRequest::default(), 0));
        let answered = answered.count();
        assert!((1..CLIENTS).contains(&answered), "{answered} of {CLIENTS} are answered");
        drop(clients);
        eventually("who comes when others have gone is served", || {
            let client = Client::try_connect(broker.address);
            client.is_ok_and(|mut client| {
                client.try_call(&ApiVersionsRequest::default(), 0).is_some()
            })
        });
        broker.stop();
        let log = fs::read_to_string(folder.join("data.stderr")).unwrap();
        assert!(log.contains("no descriptor is left"), "{log}");
        let warned: Vec<&str> =
            log.lines().filter(|line| line.contains("needs") && line.contains("WARN")).collect();
        let words = [&format!("the limit is {FILES}"), "LimitNOFILE="];
        assert!(warned.len() == 1 && words.iter().all(|word| warned[0].contains(*word)), "{log}");
        fs::remove_dir_all(folder).unwrap();
    }
}

const PARTITIONS: i32 = 24;
/// Two of them do not fit into a file of [`SMALL_FILE_BYTES`].
const VALUE_BYTES: usize = 600_000;
const SMALL_FILE_BYTES: u64 = 1_000_000;

/// What kept partitions from writing was a line for each of them, and another when they could.
#[test]
fn what_many_partitions_lack_is_a_line_or_two() {
    for setup in Setup::backends() {
        let setup = setup.with("commit.stream.file.bytes", "262144");
        let mut broker = Broker::start(&setup);
        let mut client = Client::connect(broker.address);
        client.create_topic("many", PARTITIONS, &[]);
        let value = vec![7; VALUE_BYTES];
        for partition in 0..PARTITIONS {
            client.produce_value("many", partition, &value);
        }
        let limit_files = |bytes| {
            prlimit(Some(broker.pid()), Resource::Fsize, Rlimit { current: bytes, maximum: None })
                .unwrap();
        };
        let mut produce = |partition| {
            let response = client.produce("many", partition, batch::of(&[&value]));
            client::error(response.error_code)
        };
        let began = Instant::now();
        limit_files(Some(SMALL_FILE_BYTES));
        for partition in 0..PARTITIONS {
            assert_eq!(produce(partition), ErrorCode::KafkaStorageError, "partition {partition}");
        }
        limit_files(None);
        for partition in 0..PARTITIONS {
            eventually("it takes records again", || produce(partition) == ErrorCode::None);
        }
        eventually("that is said", || broker.log().contains("what was missing is there again"));
        let seconds = began.elapsed().as_secs() as usize;
        let log = broker.log();
        let count = |words: &str| log.lines().filter(|line| line.contains(words)).count();
        let (refused, healed) =
            (count("appends are refused"), count("what was missing is there again"));
        // One at once, and one a second, of each core.
        assert!(
            (1..=setup.shards * (seconds + 2)).contains(&refused),
            "{refused} lines in {seconds} s: {log}"
        );
        assert!(
            (1..=setup.shards * (seconds + 2)).contains(&healed),
            "{healed} lines in {seconds} s: {log}"
        );
        assert!(refused + healed < PARTITIONS as usize, "{log}");
        assert!(log.contains(" partitions, many-") && log.contains("LimitFSIZE="), "{log}");
        assert_eq!(broker.stop().code(), Some(0));
    }
}
