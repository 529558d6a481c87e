//! Consumers of committed records (`read_committed`): they leave out what the list of aborted
//! transactions names, as the Java client does, and hold what they see against the transactions.

use crate::{
    client::{Client, Lost},
    cluster::ClusterId,
    commits,
    model::{Invariant, PartitionKey},
    reader::{self, Cursor, IDS_VERSION},
    run::Run,
    transactions::Seen,
};
use protocol::{
    ErrorCode,
    generated::rpc::{
        fetch_response::{AbortedTransaction, PartitionData},
        offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopics},
    },
    messages::{FetchRequest, OffsetFetchRequest},
    records::{Batch, EndTransactionMarker, RecordsError, batches},
};
use ring::Ring;
use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

const READ_COMMITTED: i8 = 1;
const OFFSET_FETCH_VERSION: i16 = 9;
const UNPACKED_MAX_BYTES: usize = 1 << 24;
const FETCHES: usize = 60;

/// Reads while the storm rages.
pub async fn work(run: Rc<Run>, ring: Ring, cluster: ClusterId) {
    let mut client = Client::new(&run, &ring, cluster, "committed reader".to_owned());
    let mut cursors: Vec<Cursor> = Vec::new();
    let mut fetches_left = FETCHES;
    while !run.is_over() && !run.is_calm() && fetches_left > 0 {
        for key in base_keys(&run, cluster) {
            if !cursors.iter().any(|cursor| cursor.key == key) {
                cursors.push(Cursor::new(key));
            }
        }
        if !cursors.is_empty() {
            fetches_left -= 1;
            let at = client.below(cursors.len());
            if client.one_in(20) {
                (cursors[at].next, cursors[at].start) = (0, 0);
            }
            let _ = fetch(&mut client, &mut cursors[at], &mut |_| {}).await;
        }
        client.pause().await;
    }
}

/// The partitions of topics that stay.
pub fn base_keys(run: &Run, cluster: ClusterId) -> Vec<PartitionKey> {
    let model = run.model.borrow();
    let is_base = |key: &PartitionKey| model.topic(key.topic).is_some_and(|topic| topic.is_base);
    model.live_partitions(cluster).into_iter().filter(is_base).collect()
}

/// Reads every committed record, and holds all transactions against what is seen. None may hang:
/// each has come to its end when this is done.
pub async fn audit(client: &mut Client) {
    let run = client.run.clone();
    let mut seen = BTreeMap::new();
    let keys = base_keys(&run, client.cluster);
    for key in keys.into_iter().filter(|key| run.victim.get() != Some(*key)) {
        let of_key = loop {
            if run.is_over() {
                return;
            }
            if let Ok(of_key) = read_all(client, key).await {
                break of_key;
            }
            client.pause().await;
        };
        seen.insert(key, of_key);
    }
    run.check(run.transactions.borrow().check_whole(&seen));
    let groups = run.transactions.borrow().groups();
    let of_cluster = group_of(client.cluster, "");
    for group in groups.into_iter().filter(|group| group.ends_with(&of_cluster)) {
        while !run.is_over() && check_offset(client, &group, &seen).await.is_err() {
            client.pause().await;
        }
    }
}

/// Up to the high watermark: records of an open transaction keep it from coming to its end.
async fn read_all(client: &mut Client, key: PartitionKey) -> Result<Seen, Lost> {
    let run = client.run.clone();
    let mut cursor = Cursor::new(key);
    reader::find_start(client, &mut cursor).await?;
    let mut ids = BTreeSet::new();
    while !run.is_over() && !cursor.is_at_end() {
        fetch(client, &mut cursor, &mut |id| _ = ids.insert(id)).await?;
    }
    // Retention goes on beside the reading: the start of the log that was found last counts.
    Ok(Seen { log_start: cursor.start, ids })
}

async fn fetch(
    client: &mut Client,
    cursor: &mut Cursor,
    see: &mut impl FnMut(u64),
) -> Result<(), Lost> {
    let run = client.run.clone();
    let leader = client.leader_of(cursor.key).await?;
    let topics = reader::topics(client, std::iter::once(&*cursor));
    let request = FetchRequest {
        replica_id: -1,
        max_wait_ms: client.below(200) as i32,
        min_bytes: client.below(2) as i32,
        max_bytes: 1 << (8 + client.below(14)),
        isolation_level: READ_COMMITTED,
        session_epoch: -1,
        topics,
        ..Default::default()
    };
    let response = client.call_at(leader, IDS_VERSION, &request).await?;
    let Some(answer) = reader::answer_for(&run, &response, cursor.key) else {
        reader::missing(&run, cursor.key);
        return Ok(());
    };
    match ErrorCode::from_code(answer.error_code) {
        Some(ErrorCode::None) => take(&run, cursor, answer, see),
        Some(ErrorCode::OffsetOutOfRange) => reader::find_start(client, cursor).await?,
        // The reader of all records judges these.
        _ => {
            client.directory.borrow_mut().forget_leader(cursor.key);
            client.pause().await;
        }
    }
    Ok(())
}

fn take(run: &Run, cursor: &mut Cursor, answer: &PartitionData, see: &mut impl FnMut(u64)) {
    let say = || run.model.borrow().say(cursor.key);
    let torn = |detail| run.violate(Invariant::TransactionsWhole, detail);
    let stable = answer.last_stable_offset;
    if stable > answer.high_watermark {
        let high_watermark = answer.high_watermark;
        torn(format!("{}: stable up to {stable}, committed up to {high_watermark}", say()));
    }
    cursor.high_watermark = answer.high_watermark;
    let mut aborted: Vec<&AbortedTransaction> =
        answer.aborted_transactions.iter().flatten().collect();
    aborted.sort_by_key(|one| std::cmp::Reverse(one.first_offset));
    let mut ended: BTreeSet<i64> = BTreeSet::new();
    for batch in batches(answer.records.as_deref().unwrap_or_default()) {
        let Ok(batch) = batch else {
            return torn(format!("{}: a batch behind {} is damaged", say(), cursor.next));
        };
        if batch.last_offset() >= stable {
            return torn(format!("{}: {} is stable up to {stable}", say(), batch.last_offset()));
        }
        while let Some(one) = aborted.pop_if(|one| one.first_offset <= batch.last_offset()) {
            ended.insert(one.producer_id);
        }
        if batch.is_control() {
            if is_abort(&batch) {
                ended.remove(&batch.producer_id());
            }
        } else if !(batch.is_transactional() && ended.contains(&batch.producer_id())) {
            let read = batch.for_each_record::<RecordsError>(UNPACKED_MAX_BYTES, |record| {
                let id = record.value.and_then(|value| value.first_chunk::<8>());
                let id = id.map_or(u64::MAX, |id| u64::from_be_bytes(*id));
                if record.offset >= cursor.next {
                    run.check(run.transactions.borrow().check_read(id, say));
                    see(id);
                }
                Ok(())
            });
            if let Err(error) = read {
                return torn(format!("{}: {error}", say()));
            }
        }
        cursor.next = batch.next_offset();
    }
}

fn is_abort(batch: &Batch<'_>) -> bool {
    let record = batch.records().ok().and_then(|mut records| records.next()?.ok());
    let marker = record.and_then(|record| EndTransactionMarker::parse(&record).ok()?);
    marker.is_some_and(|marker| !marker.committed)
}

/// The group of a transactional id. Clusters share no groups.
pub fn group_of(cluster: ClusterId, transactional_id: &str) -> String {
    format!("{transactional_id}-of-{}", cluster.0)
}

/// The topic and the partition that transactions commit an offset of.
pub fn offset_of(run: &Run, cluster: ClusterId) -> Option<(String, i32)> {
    commits::base_partitions(run, cluster).into_iter().next()
}

async fn check_offset(
    client: &mut Client,
    group: &str,
    seen: &BTreeMap<PartitionKey, Seen>,
) -> Result<(), Lost> {
    let run = client.run.clone();
    let Some((topic, index)) = offset_of(&run, client.cluster) else { return Ok(()) };
    let coordinator = client.coordinator_of(group).await?;
    let topics = vec![OffsetFetchRequestTopics {
        name: topic,
        partition_indexes: vec![index],
        ..Default::default()
    }];
    let asked = OffsetFetchRequestGroup {
        group_id: group.to_owned(),
        member_id: None,
        member_epoch: -1,
        topics: Some(topics),
    };
    let request =
        OffsetFetchRequest { groups: vec![asked], require_stable: true, ..Default::default() };
    let response = client.call_at(coordinator, OFFSET_FETCH_VERSION, &request).await?;
    let answer = response.groups.first().filter(|answer| answer.error_code == 0);
    let partition = answer.and_then(|answer| answer.topics.first()?.partitions.first());
    let Some(partition) = partition else {
        commits::find_coordinator(client, group).await?;
        return Err(Lost);
    };
    match ErrorCode::from_code(partition.error_code) {
        Some(ErrorCode::None) => {
            let found = partition.committed_offset;
            run.check(run.transactions.borrow().check_offset(group, found, seen));
            Ok(())
        }
        Some(ErrorCode::UnstableOffsetCommit) => Err(Lost),
        error => {
            run.violate(Invariant::AnswersExplained, format!("offset of {group}: {error:?}"));
            Ok(())
        }
    }
}
