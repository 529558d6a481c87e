//! What comes back from the log: Kafka's records of all versions, transactions, garbage.

use proptest::prelude::*;
use protocol::group_records::group_metadata_value::MemberMetadata;
use protocol::group_records::{
    ConsumerGroupMetadataKey, ConsumerGroupMetadataValue, GroupMetadataKey, OffsetCommitKey,
    OffsetCommitValue,
};
use protocol::records::EndTransactionMarker;

use super::*;

/// A log that another broker left behind.
#[derive(Default)]
struct Log {
    batches: Vec<Bytes>,
    next_offset: i64,
}

impl Log {
    fn append(&mut self, key: Option<&[u8]>, value: Option<&[u8]>) {
        let mut builder = BatchBuilder::new(self.next_offset);
        builder.append(START_MS, key, value, &[]);
        self.push(builder);
    }

    fn push(&mut self, builder: BatchBuilder) {
        self.batches.push(builder.build());
        self.next_offset += 1;
    }

    fn offset(&mut self, partition: i32, offset: i64, version: i16) {
        let (key, value) = offset_record(partition, offset, version);
        self.append(Some(&key), Some(&value));
    }

    fn transactional_offset(&mut self, producer_id: i64, partition: i32, offset: i64) {
        let (key, value) = offset_record(partition, offset, 4);
        let mut builder =
            BatchBuilder::new(self.next_offset).producer(producer_id, 0, 0).transactional(true);
        builder.append(START_MS, Some(&key), Some(&value), &[]);
        self.push(builder);
    }

    fn end_transaction(&mut self, producer_id: i64, committed: bool) {
        let marker = EndTransactionMarker { committed, coordinator_epoch: 1 };
        self.push(BatchBuilder::end_transaction_marker(
            self.next_offset,
            START_MS,
            producer_id,
            0,
            marker,
        ));
    }

    fn group(&mut self, value: GroupMetadataValue, version: i16) {
        let key = Key::GroupMetadata(GroupMetadataKey { group: GROUP.into() }).encode().unwrap();
        let value = Value::GroupMetadata(value).encode(version).unwrap();
        self.append(Some(&key), Some(&value));
    }

    fn load(self) -> Host {
        let mut host = Host { log: self.batches, next_offset: self.next_offset, ..Host::new() };
        host.reload();
        host
    }
}

fn offset_record(partition: i32, offset: i64, version: i16) -> (Bytes, Bytes) {
    let key = OffsetCommitKey { group: GROUP.into(), topic: "t".into(), partition };
    let value = OffsetCommitValue { offset, commit_timestamp: START_MS, ..Default::default() };
    (Key::OffsetCommit(key).encode().unwrap(), Value::OffsetCommit(value).encode(version).unwrap())
}

fn member(member_id: &str) -> MemberMetadata {
    MemberMetadata {
        member_id: member_id.into(),
        session_timeout: SESSION_TIMEOUT_MS,
        subscription: subscription(&["t"]).into(),
        assignment: Bytes::from_static(b"A"),
        ..Default::default()
    }
}

fn group(members: &[&str]) -> GroupMetadataValue {
    GroupMetadataValue {
        protocol_type: "consumer".into(),
        generation: 7,
        protocol: Some("range".into()),
        leader: members.first().map(|id| (*id).to_owned()),
        members: members.iter().map(|id| member(id)).collect(),
        ..Default::default()
    }
}

#[test]
fn a_group_goes_on_after_a_reload_and_sessions_start_again() {
    let mut host = Host::new();
    let (members, generation) = host.stable_group(2);
    host.commit_offset(Commit::by(&members[0], generation, 77));
    host.advance(9_000);
    host.reload();
    host.advance(9_000);
    for member_id in &members {
        assert_eq!(host.heartbeat(member_id, generation), ErrorCode::None);
        assert_eq!(
            &host.sync(sync(member_id, generation, &[])).assignment[..],
            member_id.as_bytes()
        );
    }
    assert_eq!(host.fetch_offset(GROUP, "t", 0).committed_offset, 77);
    host.advance(i64::from(SESSION_TIMEOUT_MS));
    assert_eq!(host.state_name(), "Empty");
}

#[test]
fn a_pending_member_is_forgotten_with_the_coordinator() {
    let mut host = Host::new();
    let pending = host.join(Join::client("c")).member_id;
    host.reload();
    assert_eq!(host.state_name(), "Empty");
    assert_eq!(error(host.join(Join::member(&pending)).error_code), ErrorCode::UnknownMemberId);
}

#[test]
fn every_version_of_the_records_is_read() {
    for version in 0..=4 {
        let mut log = Log::default();
        log.offset(0, 10 + i64::from(version), version);
        log.group(group(&["m"]), version);
        let mut host = log.load();
        assert_eq!(host.fetch_offset(GROUP, "t", 0).committed_offset, 10 + i64::from(version));
        assert_eq!(host.heartbeat("m", 7), ErrorCode::None);
        let state = host.coordinator.machine().classic(GROUP).unwrap();
        // Version 0 knew no rebalance timeout.
        let expected = if version == 0 { SESSION_TIMEOUT_MS } else { -1 };
        let rebalance_timeout_ms = state.members["m"].rebalance_timeout_ms;
        assert!(rebalance_timeout_ms == expected || rebalance_timeout_ms == SESSION_TIMEOUT_MS);
    }
}

#[test]
fn tombstones_delete() {
    let mut log = Log::default();
    log.offset(0, 1, 4);
    log.offset(1, 2, 4);
    log.group(group(&[]), 3);
    let (key, _) = offset_record(0, 0, 4);
    log.append(Some(&key), None);
    let group_key = Key::GroupMetadata(GroupMetadataKey { group: GROUP.into() }).encode().unwrap();
    log.append(Some(&group_key), None);
    let mut host = log.load();
    assert_eq!(host.fetch_offset(GROUP, "t", 0).committed_offset, -1);
    assert_eq!(host.fetch_offset(GROUP, "t", 1).committed_offset, 2);
    assert_eq!(host.state_name(), "Empty", "what still has an offset still has a group");
    let key =
        Key::OffsetCommit(OffsetCommitKey { group: GROUP.into(), topic: "t".into(), partition: 1 });
    let tombstone = BatchBuilder::new(host.next_offset);
    let mut builder = tombstone;
    builder.append(START_MS, Some(&key.encode().unwrap()), None, &[]);
    host.log.push(builder.build());
    host.next_offset += 1;
    host.reload();
    host.advance(600_000);
    assert_eq!(host.state_name(), "Dead");
}

#[test]
fn offsets_of_transactions_count_when_they_are_committed() {
    let mut log = Log::default();
    log.offset(0, 1, 4);
    log.transactional_offset(1, 0, 100);
    log.transactional_offset(2, 1, 200);
    log.transactional_offset(3, 2, 300);
    log.transactional_offset(4, 3, 400);
    log.end_transaction(1, true);
    log.end_transaction(2, false);
    // A commit outside the transaction that came later than its own is the last word.
    log.offset(3, 5, 4);
    log.end_transaction(4, true);
    let mut host = log.load();
    let fetched = |host: &mut Host, partition| {
        let fetched = host.fetch_offset(GROUP, "t", partition);
        (fetched.committed_offset, error(fetched.error_code))
    };
    assert_eq!(fetched(&mut host, 0), (100, ErrorCode::None));
    assert_eq!(fetched(&mut host, 1), (-1, ErrorCode::None));
    assert_eq!(fetched(&mut host, 2), (-1, ErrorCode::UnstableOffsetCommit));
    assert_eq!(fetched(&mut host, 3), (5, ErrorCode::None));
    host.advance(8 * 24 * 60 * 60 * 1000);
    assert_eq!(host.state_name(), "Empty", "an open transaction keeps its group");
}

#[test]
fn a_loaded_group_above_the_limit_rebalances() {
    let mut log = Log::default();
    log.group(group(&["a", "b"]), 3);
    let settings = GroupSettings { group_max_size: 1, ..GroupSettings::default() };
    let mut host = Host { log: log.batches, next_offset: 1, ..Host::with(settings) };
    host.reload();
    assert_eq!(host.heartbeat("a", 7), ErrorCode::RebalanceInProgress);
}

#[test]
fn records_that_make_no_sense_are_skipped_and_the_rest_is_served() {
    let mut log = Log::default();
    log.offset(0, 1, 4);
    let (offset_key, offset_value) = offset_record(1, 2, 4);
    let group_key =
        Key::GroupMetadata(GroupMetadataKey { group: "broken".into() }).encode().unwrap();
    let consumer_key =
        Key::ConsumerGroupMetadata(ConsumerGroupMetadataKey { group_id: "new".into() });
    let consumer_value = Value::ConsumerGroupMetadata(ConsumerGroupMetadataValue::default());
    log.append(None, None);
    log.append(None, Some(&offset_value));
    log.append(Some(&[]), Some(&[]));
    log.append(Some(&[0x7f, 0xff, 1, 2]), Some(&[0, 0]));
    log.append(Some(&[0, 1, 0, 5, b'g']), Some(&offset_value));
    log.append(Some(&offset_key), Some(&[]));
    log.append(Some(&offset_key), Some(&[0, 99, 0, 0]));
    log.append(Some(&offset_key), Some(&offset_value[..9]));
    log.append(Some(&group_key), Some(&[0, 3, 0, 0, 0]));
    log.append(Some(&consumer_key.encode().unwrap()), Some(&consumer_value.encode(0).unwrap()));
    log.append(Some(&consumer_key.encode().unwrap()), Some(&[1, 2, 3]));
    log.offset(2, 3, 4);
    let mut host = log.load();
    assert_eq!(host.fetch_offset(GROUP, "t", 0).committed_offset, 1);
    assert_eq!(host.fetch_offset(GROUP, "t", 1).committed_offset, -1);
    assert_eq!(host.fetch_offset(GROUP, "t", 2).committed_offset, 3);
    assert_eq!(host.coordinator.machine().groups.len(), 1);
}

#[test]
fn a_group_record_that_contradicts_itself_is_taken_as_far_as_it_goes() {
    let mut log = Log::default();
    let mut value = group(&["a", "a", "b"]);
    value.leader = Some("nobody".into());
    value.members[2].group_instance_id = Some("i".into());
    value.members.push(MemberMetadata { group_instance_id: Some("i".into()), ..member("c") });
    log.group(value, 3);
    let mut host = log.load();
    assert_eq!(host.heartbeat("a", 7), ErrorCode::None);
    assert_eq!(host.heartbeat_as("b", 7, Some("i")), ErrorCode::None);
    assert_eq!(host.heartbeat("c", 7), ErrorCode::UnknownMemberId);
    assert_eq!(&*host.coordinator.machine().classic(GROUP).unwrap().leader.clone().unwrap(), "a");
    // Members without a protocol: nothing can be selected for them, and nothing must break.
    let mut log = Log::default();
    log.group(GroupMetadataValue { protocol: None, ..group(&["a"]) }, 3);
    let mut host = log.load();
    assert_eq!(
        error(host.join(Join::client("c")).error_code),
        ErrorCode::InconsistentGroupProtocol
    );
    host.advance(i64::from(SESSION_TIMEOUT_MS));
    assert_eq!(host.state_name(), "Empty");
}

/// Compressed logs are Kafka's choice of `offsets.topic.compression.codec`.
#[test]
fn compressed_batches_are_read() {
    let (key, value) = offset_record(0, 9, 4);
    let mut log = Log::default();
    let mut builder =
        BatchBuilder::new(0).compression(protocol::compression::Compression::Lz4, None);
    builder.append(START_MS, Some(&key), Some(&value), &[]);
    log.push(builder);
    assert_eq!(log.load().fetch_offset(GROUP, "t", 0).committed_offset, 9);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever whole batches lie in the log, loading ends: those that can be read are loaded, and
    /// others end the load.
    #[test]
    fn no_bytes_stop_a_load(
        key_type in 0i16..6,
        key in prop::collection::vec(any::<u8>(), 0..20),
        value in prop::option::of(prop::collection::vec(any::<u8>(), 0..80)),
        version in 0i16..6,
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
    ) {
        let mut log = Log::default();
        log.group(group(&["a", "b"]), 3);
        log.offset(0, 1, 4);
        let typed_key: Vec<u8> = key_type.to_be_bytes().into_iter().chain(key).collect();
        let typed_value = value.map(|value| version.to_be_bytes().into_iter()
            .chain(value).collect::<Vec<u8>>());
        log.append(Some(&typed_key), typed_value.as_deref());
        for (at, byte) in flips {
            let batch = &mut log.batches[at.index(2)];
            let mut bytes = batch.to_vec();
            // Behind the header: lengths, keys and values of a record.
            let place = 61 + at.index(bytes.len() - 61);
            bytes[place] = byte;
            set_crc(&mut bytes);
            *batch = bytes.into();
        }
        log.offset(1, 2, 4);
        let mut coordinator = Coordinator::new(GroupSettings::default());
        let loaded = log.batches.iter()
            .try_fold(0, |offset, batch| coordinator.load(batch, offset));
        prop_assume!(loaded.is_ok());
        let mut host = log.load();
        prop_assert_eq!(host.fetch_offset(GROUP, "t", 1).committed_offset, 2);
        host.commit_offset(Commit { group_id: "fresh", ..Commit::offset(1) });
        host.advance(1_000_000);
    }
}

/// What stands at bytes 17 to 20 of a batch is of all that follows them.
fn set_crc(batch: &mut [u8]) {
    let crc = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32Iscsi, &batch[21..]) as u32;
    batch[17..21].copy_from_slice(&crc.to_be_bytes());
}

/// One flipped bit gave another committed offset, and a batch that could not be read was left out.
#[test]
fn a_batch_that_is_not_what_was_written_ends_the_load() {
    let mut log = Log::default();
    log.offset(0, 1, 4);
    log.offset(0, 2, 4);
    let load = |batches: &[Bytes]| {
        let mut coordinator = Coordinator::new(GroupSettings::default());
        batches.iter().try_fold(0, |offset, batch| coordinator.load(batch, offset))
    };
    assert_eq!(load(&log.batches), Ok(2));
    for at in 0..log.batches[1].len() {
        // No CRC is over the leader epoch, which says nothing about groups, nor over higher
        // offsets, which may be gaps.
        if (12..16).contains(&at) || at < 8 {
            continue;
        }
        let mut bytes = log.batches[1].to_vec();
        bytes[at] ^= 1;
        let harmed = [log.batches[0].clone(), bytes.into()];
        let bad = load(&harmed).expect_err("a batch that is harmed");
        assert_eq!(bad.offset, 1, "byte {at}: {bad}");
    }
    let unreadable = {
        let mut bytes = log.batches[1].to_vec();
        bytes.pop();
        let length = bytes.len() as i32 - 12;
        bytes[8..12].copy_from_slice(&length.to_be_bytes());
        set_crc(&mut bytes);
        Bytes::from(bytes)
    };
    assert!(
        load(&[log.batches[0].clone(), unreadable]).is_err(),
        "its CRC is right, and its records are not"
    );
    assert!(load(&[log.batches[1].clone(), log.batches[0].clone()]).is_err(), "offsets go back");
    // A piece that ends inside a batch is read on from there.
    let mut piece = log.batches[0].to_vec();
    piece.extend_from_slice(&log.batches[1][..20]);
    assert_eq!(load(&[piece.into()]), Ok(1));
}

/// By hand: `MILLSTREAM_DUMP_DIR=dir cargo test dump_tool -- --ignored`, then `kafka-dump-log.sh
/// --offsets-decoder --print-data-log --files dir/__consumer_offsets-0/00000000000000000000.log`.
#[test]
#[ignore = "writes a segment for Kafka's dump tool"]
fn a_segment_for_kafkas_dump_tool() {
    let directory =
        std::env::var_os("MILLSTREAM_DUMP_DIR").expect("MILLSTREAM_DUMP_DIR names a directory");
    let mut host = Host::new();
    let (members, generation) = host.stable_group(2);
    host.commit_offset(Commit::by(&members[0], generation, 42));
    let mut request = Commit { group_id: "with-topic-id", ..Commit::offset(43) }.into_request();
    request.topics[0].topic_id = protocol::Uuid::from_u128(0x1234_5678_9abc_def0);
    host.call(Request::OffsetCommit { request, api_version: 10 });
    host.commit_offset(Commit {
        group_id: "with-expiry",
        retention_time_ms: 5_000,
        api_version: 4,
        ..Commit::offset(44)
    });
    host.send_join(Join::instance("static-instance"));
    host.leave(&[(&members[0], None), (&members[1], None)]);
    host.advance(i64::from(REBALANCE_TIMEOUT_MS));
    host.call(Request::DeleteGroup { group_id: "with-expiry".into() });
    let partition = std::path::Path::new(&directory).join("__consumer_offsets-0");
    std::fs::create_dir_all(&partition).unwrap();
    std::fs::write(partition.join("00000000000000000000.log"), host.log.concat()).unwrap();
}
