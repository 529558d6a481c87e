//! Group coordinators and the logs that they load: what is not what was written is not served as
//! committed offsets.

use crate::support::{self, Broker, Client, Setup, unique};
use protocol::{
    ErrorCode,
    messages::{
        FindCoordinatorRequest, OffsetCommitRequest, OffsetFetchRequest,
        offset_commit_request::{OffsetCommitRequestPartition, OffsetCommitRequestTopic},
        offset_fetch_request::OffsetFetchRequestTopic,
    },
};
use std::{
    fs,
    path::PathBuf,
    process::Command,
    thread,
    time::{Duration, Instant},
};

/// Longer than a coordinator waits before its first tries.
const QUIET: Duration = Duration::from_secs(4);

fn commit(client: &mut Client, group: &str, topic: &str) {
    let request = FindCoordinatorRequest { key: group.to_owned(), ..Default::default() };
    support::eventually("a coordinator", || client.call(&request, 3).error_code == 0);
    let partition = OffsetCommitRequestPartition {
        committed_offset: 7,
        committed_leader_epoch: -1,
        committed_metadata: Some("note".to_owned()),
        ..Default::default()
    };
    let topic = OffsetCommitRequestTopic {
        name: topic.to_owned(),
        partitions: vec![partition],
        ..Default::default()
    };
    let request = OffsetCommitRequest {
        group_id: group.to_owned(),
        generation_id_or_member_epoch: -1,
        topics: vec![topic],
        ..Default::default()
    };
    support::eventually("the commit is taken", || {
        client.call(&request, 8).topics[0].partitions[0].error_code == 0
    });
}

fn fetch(client: &mut Client, group: &str, topic: &str) -> Result<i64, ErrorCode> {
    let topic = OffsetFetchRequestTopic { name: topic.to_owned(), partition_indexes: vec![0] };
    let request = OffsetFetchRequest {
        group_id: group.to_owned(),
        topics: Some(vec![topic]),
        ..Default::default()
    };
    let response = client.call(&request, 7);
    match response.error_code {
        0 => Ok(response.topics[0].partitions[0].committed_offset),
        code => Err(support::client::error(code)),
    }
}

/// The logs of `__consumer_offsets` that have records.
fn written(broker: &Broker) -> Vec<PathBuf> {
    let logs = (0..4)
        .map(|at| broker.data().join(format!("__consumer_offsets-{at}/00000000000000000000.log")));
    logs.filter(|path| fs::metadata(path).is_ok_and(|file| file.len() > 0)).collect()
}

/// A flipped bit gave another committed offset; a batch that could not be read had its coordinator
/// loaded without end.
#[test]
fn a_damaged_batch_of_offsets_is_told_once_and_not_served() {
    for setup in Setup::backends() {
        let mut broker = Broker::start(&setup);
        let mut client = Client::connect(broker.address);
        let topic = unique("topic");
        client.create_topic(&topic, 1, &[]);
        let harmed = unique("harmed");
        commit(&mut client, &harmed, &topic);
        let logs = written(&broker);
        let [log] = &logs[..] else { panic!("one group has written to {logs:?}") };
        // A group that lives with another partition.
        let mut others = (0..100).map(|at| format!("{harmed}-{at}"));
        let good = others.find(|group| {
            commit(&mut client, group, &topic);
            written(&broker).len() > 1
        });
        let good = good.expect("groups are spread over the partitions");
        assert_eq!(broker.stop().code(), Some(0));
        let mut bytes = fs::read(log).unwrap();
        // In the records of the first batch.
        bytes[61 + 40] ^= 1;
        fs::write(log, &bytes).unwrap();
        for _ in 0..2 {
            let said_before = broker.log().len();
            broker.start_again(&setup);
            let mut client = Client::connect(broker.address);
            support::eventually("the other group is served", || {
                fetch(&mut client, &good, &topic) == Ok(7)
            });
            support::eventually("the damage is found", || {
                fetch(&mut client, &harmed, &topic) == Err(ErrorCode::CoordinatorNotAvailable)
            });
            let until = Instant::now() + QUIET;
            while Instant::now() < until {
                assert_eq!(
                    fetch(&mut client, &harmed, &topic),
                    Err(ErrorCode::CoordinatorNotAvailable)
                );
                thread::sleep(Duration::from_millis(100));
            }
            assert_eq!(broker.stop().code(), Some(0));
            let said = broker.log().split_off(said_before);
            let folder = log.parent().unwrap().display().to_string();
            let lines: Vec<&str> = said.lines().filter(|line| line.contains(&folder)).collect();
            assert_eq!(lines.len(), 1, "{lines:?}");
            let words = ["ERROR", "offset 0", "CRC", "millstream log check"];
            assert!(words.iter().all(|word| lines[0].contains(word)), "{lines:?}");
            assert!(!said.lines().any(|line| line.contains("is loaded again")), "{said}");
            assert_eq!(fs::read(log).unwrap(), bytes, "it stays as it was");
        }
        let millstream = |task: &str| {
            let output = Command::new(env!("CARGO_BIN_EXE_millstream"))
                .args(["log", task])
                .arg(broker.data())
                .output();
            output.unwrap().status.code()
        };
        assert_eq!(
            (millstream("check"), millstream("repair"), millstream("check")),
            (Some(4), Some(0), Some(0))
        );
        broker.start_again(&setup);
        let mut client = Client::connect(broker.address);
        support::eventually("what is left is served", || {
            fetch(&mut client, &harmed, &topic).is_ok()
        });
    }
}
