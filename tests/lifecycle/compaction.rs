//! Compacted topics as clients and operators see them: the last value of each key stays, across a
//! kill and a stop; a log that is damaged is served on, and told.

use crate::support::{
    self, Broker, Client, Setup, batch,
    client::{FETCH_VERSION, fetch_request},
};
use protocol::{
    ErrorCode,
    messages::{
        IncrementalAlterConfigsRequest,
        incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig},
    },
    records::{BatchBuilder, batches},
};
use std::{collections::BTreeMap, fs};

const TOPIC_RESOURCE: i8 = 2;
const KEYS: u8 = 4;
const ROUNDS: u8 = 20;

/// Cleaners that look all the time, at what the checkpoints have all the time.
pub fn eager(setup: Setup) -> Setup {
    setup
        .with("log.cleaner.backoff.ms", "50")
        .with("log.flush.offset.checkpoint.interval.ms", "100")
        .with("log.segment.delete.delay.ms", "0")
}

/// Makes a compacted topic of small segments that is cleaned at this dirty share.
pub fn create(client: &mut Client, topic: &str, min_dirty_ratio: &str) {
    let configs = [
        ("cleanup.policy", "compact"),
        ("internal.segment.bytes", "1000"),
        ("min.cleanable.dirty.ratio", min_dirty_ratio),
    ];
    client.create_topic(topic, 1, &configs);
}

/// Writes each key again and again, so that all but the last few records are outdated.
pub fn fill(client: &mut Client, topic: &str) {
    for round in 0..ROUNDS {
        for key in 0..KEYS {
            let mut builder = BatchBuilder::new(0);
            builder.append(batch::now_ms(), Some(&[key]), Some(&[round; 100]), &[]);
            let answer = client.produce(topic, 0, builder.build());
            assert_eq!(answer.error_code, ErrorCode::None.code());
        }
    }
}

/// All records from an offset on: offset, key, first byte of the value.
fn read(client: &mut Client, topic: &str) -> Vec<(i64, u8, u8)> {
    let (mut all, mut offset) = (Vec::new(), 0);
    loop {
        let answer = client.call(&fetch_request(topic, 0, offset, 0), FETCH_VERSION);
        let data = &answer.responses[0].partitions[0];
        assert_eq!(data.error_code, ErrorCode::None.code(), "{topic} at {offset}");
        let bytes = data.records.clone().unwrap_or_default();
        let before = offset;
        for batch in batches(&bytes) {
            let batch = batch.expect("whole batches");
            offset = batch.next_offset();
            for record in batch.records().expect("no codec was asked for") {
                let record = record.expect("a record");
                all.push((record.offset, record.key.unwrap()[0], record.value.unwrap()[0]));
            }
        }
        if offset == before {
            return all;
        }
    }
}

/// So many segment files lie in the folder of a topic's partition.
fn segments(broker: &Broker, topic: &str) -> usize {
    let files = fs::read_dir(broker.data().join(format!("{topic}-0"))).unwrap();
    files.flatten().filter(|file| file.file_name().to_string_lossy().ends_with(".log")).count()
}

/// After so many rounds of [`fill`]; how many records there are.
fn check_latest(client: &mut Client, topic: &str, fills: i64) -> usize {
    let all = read(client, topic);
    assert!(all.is_sorted_by(|a, b| a.0 < b.0), "offsets rise: {all:?}");
    let latest: BTreeMap<u8, (i64, u8)> =
        all.iter().map(|(offset, key, value)| (*key, (*offset, *value))).collect();
    let end = fills * i64::from(ROUNDS) * i64::from(KEYS);
    let expected: BTreeMap<u8, (i64, u8)> =
        (0..KEYS).map(|key| (key, (end - i64::from(KEYS) + i64::from(key), ROUNDS - 1))).collect();
    assert_eq!(latest, expected);
    all.len()
}

pub fn set_ratio(client: &mut Client, topic: &str, ratio: &str) {
    let config = AlterableConfig {
        name: "min.cleanable.dirty.ratio".to_owned(),
        config_operation: 0,
        value: Some(ratio.to_owned()),
    };
    let resource = AlterConfigsResource {
        resource_type: TOPIC_RESOURCE,
        resource_name: topic.to_owned(),
        configs: vec![config],
    };
    let request =
        IncrementalAlterConfigsRequest { resources: vec![resource], validate_only: false };
    let answer = client.call(&request, 1);
    assert_eq!(answer.responses[0].error_code, ErrorCode::None.code());
}

/// Flips a bit in the middle of the first segment of a topic that was not cleaned yet, and has it
/// cleaned: the log is set aside.
pub fn damage(broker: &Broker, client: &mut Client, topic: &str) {
    let path = broker.data().join(format!("{topic}-0/00000000000000000000.log"));
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, bytes).unwrap();
    set_ratio(client, topic, "0.01");
    support::eventually("the damage is told", || {
        broker.log().contains("this log is not compacted until the next start")
    });
}

#[test]
fn the_last_value_of_each_key_stays_across_a_kill_and_a_stop() {
    for setup in Setup::backends() {
        let setup = eager(setup);
        let mut broker = Broker::start(&setup);
        let mut client = Client::connect(broker.address);
        create(&mut client, "compacted", "0.01");
        create(&mut client, "kept", "1");
        fill(&mut client, "compacted");
        fill(&mut client, "kept");
        let all = usize::from(ROUNDS) * usize::from(KEYS);
        support::eventually("outdated records go", || {
            check_latest(&mut client, "compacted", 1) < all / 2
        });
        // What was cleaned once is small, and becomes one with what follows.
        fill(&mut client, "compacted");
        fill(&mut client, "kept");
        support::eventually("outdated records go", || {
            check_latest(&mut client, "compacted", 2) < all / 2
        });
        assert_eq!(
            check_latest(&mut client, "kept", 2),
            2 * all,
            "its dirty share is never above 1"
        );
        let kept = segments(&broker, "kept");
        support::eventually("segments become few", || {
            segments(&broker, "compacted") < kept * 2 / 3
        });
        broker.kill();
        broker.start_again(&setup);
        let mut client = Client::connect(broker.address);
        assert!(check_latest(&mut client, "compacted", 2) < all / 2);
        assert!(broker.stop().success());
        broker.start_again(&setup);
        let mut client = Client::connect(broker.address);
        assert!(check_latest(&mut client, "compacted", 2) < all / 2);
        set_ratio(&mut client, "kept", "0.01");
        support::eventually("a change of the ratio acts", || {
            check_latest(&mut client, "kept", 2) < all / 2
        });
    }
}

#[test]
fn a_damaged_log_is_set_aside_and_served_on() {
    let setup = eager(Setup::backends().remove(0));
    let broker = Broker::start(&setup);
    let mut client = Client::connect(broker.address);
    create(&mut client, "damaged", "1");
    fill(&mut client, "damaged");
    damage(&broker, &mut client, "damaged");
    let log = broker.log();
    assert!(log.contains("00000000000000000000.log: the batch at byte"), "{log}");
    let mut builder = BatchBuilder::new(0);
    builder.append(batch::now_ms(), Some(b"k"), Some(b"v"), &[]);
    let answer = client.produce("damaged", 0, builder.build());
    assert_eq!(answer.error_code, ErrorCode::None.code(), "it takes records");
    let unkeyed = client.produce("damaged", 0, batch::of(&[b"no key"]));
    assert_eq!(unkeyed.error_code, ErrorCode::InvalidRecord.code());
}
