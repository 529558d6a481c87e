//! Consumers without a group: they read partitions from the start, and hold what they read against
//! the model.

use crate::{
    client::{Client, Lost},
    cluster::ClusterId,
    model::{Expected, Invariant, PartitionKey, Violation, author},
    run::Run,
    sessions::Sessions,
};
use protocol::{
    ErrorCode,
    generated::rpc::{
        fetch_request::{FetchPartition, FetchTopic},
        fetch_response::PartitionData,
        list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic},
    },
    messages::{FetchRequest, FetchResponse, ListOffsetsRequest},
    records::batches,
};
use ring::Ring;
use std::{net::SocketAddr, rc::Rc};

pub const NAMES_VERSION: i16 = 12;
pub const IDS_VERSION: i16 = 15;
const LIST_OFFSETS_VERSION: i16 = 7;
const EARLIEST: i64 = -2;
const UNPACKED_MAX_BYTES: usize = 1 << 24;
/// Fetches of one reader, so that a long storm does not mean much more work.
const FETCHES: usize = 120;

/// How far one consumer has read one partition.
pub struct Cursor {
    pub key: PartitionKey,
    pub next: i64,
    /// As the last answer said it.
    pub high_watermark: i64,
    pub gone: bool,
    /// From here on it has read without a gap.
    pub start: i64,
    /// The life of the broker in which it was told that `next` is within the log.
    reached_in: u32,
}

impl Cursor {
    pub fn new(key: PartitionKey) -> Cursor {
        Cursor { key, next: 0, high_watermark: -1, gone: false, start: 0, reached_in: u32::MAX }
    }

    pub fn is_at_end(&self) -> bool {
        self.gone || self.high_watermark >= 0 && self.next >= self.high_watermark
    }
}

pub async fn work(run: Rc<Run>, ring: Ring, cluster: ClusterId, index: usize) {
    let mut client = Client::new(&run, &ring, cluster, format!("reader {index}"));
    let mut cursors: Vec<Cursor> = Vec::new();
    let mut fetches_left = FETCHES;
    let mut sessions = run.plan.sessions.then(Sessions::default);
    while !run.is_over() {
        for key in run.model.borrow().live_partitions(cluster) {
            if !cursors.iter().any(|cursor| cursor.key == key) {
                cursors.push(Cursor::new(key));
            }
        }
        cursors.retain(|cursor| !cursor.gone);
        if run.is_calm() && (fetches_left == 0 || cursors.iter().all(Cursor::is_at_end)) {
            return;
        }
        if fetches_left > 0 && !cursors.is_empty() {
            let from = client.below(cursors.len());
            let count = 1 + client.below((cursors.len() - from).min(6));
            if client.one_in(25) {
                (cursors[from].next, cursors[from].start) = (0, 0);
            }
            fetches_left -= 1;
            let _ = match &mut sessions {
                Some(sessions) => {
                    sessions.fetch(&mut client, &mut cursors, from..from + count).await
                }
                None => fetch(&mut client, &mut cursors[from..from + count]).await,
            };
        }
        client.pause().await;
    }
}

/// One fetch of these partitions from each of their leaders; moves the cursors on.
pub async fn fetch(client: &mut Client, cursors: &mut [Cursor]) -> Result<(), Lost> {
    let keys: Vec<PartitionKey> = cursors.iter().map(|cursor| cursor.key).collect();
    for (leader, places) in client.by_leader(&keys).await? {
        fetch_from(client, leader, cursors, &places).await?;
    }
    Ok(())
}

/// One fetch of the cursors at these places.
pub async fn fetch_from(
    client: &mut Client,
    leader: SocketAddr,
    cursors: &mut [Cursor],
    places: &[usize],
) -> Result<(), Lost> {
    let run = client.run.clone();
    let is_base = |cursor: &Cursor| {
        run.model.borrow().topic(cursor.key.topic).is_some_and(|topic| topic.is_base)
    };
    let by_id = run.plan.by_id || !places.iter().all(|place| is_base(&cursors[*place]));
    let request = FetchRequest {
        replica_id: -1,
        max_wait_ms: client.below(300) as i32,
        min_bytes: client.below(3) as i32,
        max_bytes: 1 << (8 + client.below(14)),
        session_epoch: -1,
        topics: topics(client, places.iter().map(|place| &cursors[*place])),
        ..Default::default()
    };
    let expected: Vec<Expected> =
        places.iter().map(|place| run.model.borrow().expected(cursors[*place].key)).collect();
    let response =
        client.call_at(leader, if by_id { IDS_VERSION } else { NAMES_VERSION }, &request).await?;
    if response.error_code != 0 {
        run.violate(
            Invariant::AnswersExplained,
            format!("fetch: {:?}", ErrorCode::from_code(response.error_code)),
        );
    }
    for (place, expected) in places.iter().zip(expected) {
        let cursor = &mut cursors[*place];
        match answer_for(&run, &response, cursor.key) {
            None => missing(&run, cursor.key),
            Some(answer) if take(client, cursor, expected, answer) => {
                find_start(client, cursor).await?
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// What a response says of one partition.
pub fn answer_for<'a>(
    run: &Run,
    response: &'a FetchResponse,
    key: PartitionKey,
) -> Option<&'a PartitionData> {
    let name = run.model.borrow().name(key.topic);
    // A topic may be there several times: the partitions of a session stand in the order in which
    // they had news.
    let mut topics = response
        .responses
        .iter()
        .filter(|topic| topic.topic_id == key.topic.id || topic.topic == name);
    topics.find_map(|topic| topic.partitions.iter().find(|one| one.partition_index == key.index))
}

pub fn missing(run: &Run, key: PartitionKey) {
    let say = run.model.borrow().say(key);
    run.violate(Invariant::AnswersExplained, format!("{say} is missing in a fetch response"));
}

pub fn topics<'a>(client: &Client, cursors: impl Iterator<Item = &'a Cursor>) -> Vec<FetchTopic> {
    let model = client.run.model.borrow();
    let mut topics: Vec<FetchTopic> = Vec::new();
    for cursor in cursors {
        let partition = FetchPartition {
            partition: cursor.key.index,
            current_leader_epoch: -1,
            fetch_offset: cursor.next,
            last_fetched_epoch: -1,
            log_start_offset: -1,
            partition_max_bytes: 1 << (6 + client.below(14)),
            ..Default::default()
        };
        match topics.iter_mut().find(|topic| topic.topic_id == cursor.key.topic.id) {
            Some(topic) => topic.partitions.push(partition),
            None => topics.push(FetchTopic {
                topic: model.name(cursor.key.topic),
                topic_id: cursor.key.topic.id,
                partitions: vec![partition],
            }),
        }
    }
    topics
}

/// Holds one partition's answer against the model. Returns whether the start of the log has to be
/// looked up.
pub fn take(
    client: &Client,
    cursor: &mut Cursor,
    expected: Expected,
    answer: &PartitionData,
) -> bool {
    let run = &client.run;
    let say = || run.model.borrow().say(cursor.key);
    let may_be_gone = run.model.borrow().may_be_gone(cursor.key.topic);
    match ErrorCode::from_code(answer.error_code) {
        Some(ErrorCode::None) if expected.deleted => {
            run.violate(Invariant::TopicsKept, format!("{} was deleted and can be read", say()));
        }
        Some(ErrorCode::None)
            if cursor.next < run.model.borrow().log_start_of(cursor.key, expected) =>
        {
            let start = expected.log_start;
            let detail =
                format!("{} begins at {start} and can be read from {}", say(), cursor.next);
            run.violate(Invariant::LogStartKept, detail);
        }
        Some(ErrorCode::None) => {
            let hw = answer.high_watermark;
            client.note(|| {
                format!(
                    "fetch {} from {}: high watermark {hw}",
                    run.model.borrow().say(cursor.key),
                    cursor.next
                )
            });
            run.check(run.model.borrow_mut().high_watermark_told(cursor.key, expected, hw));
            run.check(run.model.borrow_mut().log_start_told(
                cursor.key,
                expected,
                answer.log_start_offset,
            ));
            if answer.log_start_offset > hw {
                let detail = format!(
                    "{} begins at {}, behind its end at {hw}",
                    say(),
                    answer.log_start_offset
                );
                run.violate(Invariant::LogStartKept, detail);
            }
            cursor.high_watermark = hw;
            if cursor.next <= hw {
                cursor.reached_in = expected.life;
            }
            run.check(read_batches(run, cursor, answer, expected.life));
        }
        Some(ErrorCode::OffsetOutOfRange) => {
            let (next, reached_in) = (cursor.next, cursor.reached_in);
            run.check(
                run.model.borrow_mut().out_of_range_told(cursor.key, expected, next, reached_in),
            );
            return true;
        }
        Some(ErrorCode::UnknownTopicId | ErrorCode::UnknownTopicOrPartition) if may_be_gone => {
            cursor.gone = true
        }
        Some(ErrorCode::UnknownTopicId | ErrorCode::UnknownTopicOrPartition) => {
            unknown(client, cursor.key, expected.life);
        }
        Some(ErrorCode::KafkaStorageError)
            if client.storage_may_fail(cursor.key) || may_be_gone => {}
        Some(ErrorCode::NotLeaderOrFollower) if client.may_be_disturbed() || may_be_gone => {
            client.directory.borrow_mut().forget_leader(cursor.key);
        }
        error => run.violate(
            Invariant::AnswersExplained,
            format!("fetch of {} from {}: {error:?}", say(), cursor.next),
        ),
    }
    false
}

/// A core may not have heard of the topic yet; no other reason is one.
fn unknown(client: &Client, key: PartitionKey, life: u32) {
    if !client.may_not_know(key.topic, life) {
        let say = client.run.model.borrow().say(key);
        let detail = format!("{say} was created and is unknown");
        client.run.violate(Invariant::TopicsKept, detail);
    }
}

fn read_batches(
    run: &Run,
    cursor: &mut Cursor,
    answer: &PartitionData,
    life: u32,
) -> Result<(), Violation> {
    let key = cursor.key;
    let bad = |detail: String| Violation {
        invariant: Invariant::ReadsRepeat,
        detail: format!("{}: {detail}", run.model.borrow().say(key)),
    };
    for batch in batches(answer.records.as_deref().unwrap_or_default()) {
        let batch = batch.map_err(|error| bad(format!("after offset {}: {error}", cursor.next)))?;
        if !batch.crc_is_valid() {
            return Err(bad(format!("the batch at {} has a wrong checksum", batch.base_offset())));
        }
        if batch.base_offset() > cursor.next
            || batch.last_offset() < cursor.next
            || batch.last_offset() >= answer.high_watermark
        {
            let range = (batch.base_offset(), batch.last_offset(), answer.high_watermark);
            return Err(bad(format!(
                "offset {} is next, there comes a batch of {range:?}",
                cursor.next
            )));
        }
        let mut sequence = batch.base_sequence();
        if batch.is_control() {
            cursor.next = batch.next_offset();
            continue;
        }
        let producer_id =
            author(batch.producer_id(), batch.producer_epoch(), batch.is_transactional());
        batch
            .for_each_record::<protocol::records::RecordsError>(UNPACKED_MAX_BYTES, |record| {
                let id = record
                    .value
                    .and_then(|value| value.first_chunk::<8>())
                    .map_or(u64::MAX, |id| u64::from_be_bytes(*id));
                run.check(run.model.borrow_mut().read(
                    key,
                    record.offset,
                    id,
                    (producer_id, sequence),
                    life,
                ));
                sequence += 1;
                Ok(())
            })
            .map_err(|error| bad(error.to_string()))?;
        cursor.next = batch.next_offset();
    }
    Ok(())
}

/// Moves the cursor to the first record that is left.
pub async fn find_start(client: &mut Client, cursor: &mut Cursor) -> Result<(), Lost> {
    let run = client.run.clone();
    let (name, is_base) = {
        let model = run.model.borrow();
        (
            model.name(cursor.key.topic),
            model.topic(cursor.key.topic).is_some_and(|topic| topic.is_base),
        )
    };
    if !is_base && !run.is_calm() {
        // Found by name, and names may be given out again: read on from what the model knows
        // nothing of.
        return Ok(());
    }
    let partition = ListOffsetsPartition {
        partition_index: cursor.key.index,
        current_leader_epoch: -1,
        timestamp: EARLIEST,
    };
    let topics = vec![ListOffsetsTopic { name: name.clone(), partitions: vec![partition] }];
    let request = ListOffsetsRequest { replica_id: -1, topics, ..Default::default() };
    let leader = client.leader_of(cursor.key).await?;
    let expected = run.model.borrow().expected(cursor.key);
    let response = client.call_at(leader, LIST_OFFSETS_VERSION, &request).await?;
    let Some(answer) = response.topics.first().and_then(|topic| topic.partitions.first()) else {
        run.violate(
            Invariant::AnswersExplained,
            format!("{name} is missing in a list offsets response"),
        );
        return Ok(());
    };
    if answer.error_code == 0 {
        client.note(|| format!("{name}-{} begins at {}", cursor.key.index, answer.offset));
        run.check(run.model.borrow_mut().log_start_told(cursor.key, expected, answer.offset));
        (cursor.next, cursor.start, cursor.reached_in) =
            (answer.offset, answer.offset, expected.life);
    } else if ErrorCode::from_code(answer.error_code) == Some(ErrorCode::NotLeaderOrFollower) {
        client.directory.borrow_mut().forget_leader(cursor.key);
    }
    Ok(())
}
