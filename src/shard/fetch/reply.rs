//! The response of a fetch: what it shows, and its frame with the records in their places.
//!
//! Owns: nothing. Lives on: the core of the connection. Never: copies records.

use super::{Lists, read::FetchedPartition};
use crate::{
    log::ReadPart,
    pace::TurnBudget,
    request::{
        Client, CloseReason, FileRange, RequestIds,
        reply::{self, Reply, ReplyPart, ReplyParts},
        response,
    },
    shard::{Shard, leaders::NamedLeaders, sessions::Target},
};
use bytes::BytesMut;
use protocol::{
    ErrorCode,
    fetch::{FetchResponseHeader, FetchResponseWriter, PartitionFetchResponse},
};

/// A partition in the response.
pub(super) struct Shown {
    /// Its place in the lists.
    place: usize,
    /// Its records stand before this byte of the frame.
    records_at: usize,
}

impl Lists {
    /// Chooses what the response shows: everything, or with `incremental` what has changed since
    /// the last one.
    pub(super) async fn choose(&mut self, shard: &Shard, incremental: bool) {
        let news = |target: &Target, fetched: &FetchedPartition| {
            !incremental
                || fetched.size_bytes > 0
                || fetched.error != ErrorCode::None
                || fetched.diverging.is_some()
                || fetched.high_watermark != target.said_high_watermark
                || fetched.log_start_offset != target.said_log_start_offset
        };
        assert!(self.shown.is_empty(), "each partition is shown once");
        let mut budget = TurnBudget::of_items(&shard.ring);
        for (place, (target, fetched)) in self.targets.iter().zip(&self.fetched).enumerate() {
            shard.counters.error(fetched.error);
            if news(target, fetched) {
                self.shown.push(Shown { place, records_at: 0 });
            }
            budget.item_done().await;
        }
    }

    /// Keeps in the targets what the next incremental response is compared with.
    pub(super) async fn note_what_was_said(&mut self, shard: &Shard) {
        let mut budget = TurnBudget::of_items(&shard.ring);
        for (target, fetched) in self.targets.iter_mut().zip(&self.fetched) {
            target.said_high_watermark = fetched.high_watermark;
            target.said_log_start_offset = fetched.log_start_offset;
            target.said_records = fetched.size_bytes > 0;
            budget.item_done().await;
        }
    }

    /// Has done with what was read.
    pub(super) async fn let_go(&mut self, shard: &Shard) {
        let mut budget = TurnBudget::of_items(&shard.ring);
        while self.fetched.pop().is_some() {
            budget.item_done().await;
        }
    }
}

/// Writes the response for the partitions that are shown. Their records move into the reply.
pub(super) async fn write_response(
    shard: &Shard,
    client: &Client,
    ids: RequestIds,
    header: FetchResponseHeader,
    lists: &mut Lists,
) -> Result<Reply, CloseReason> {
    let Lists { targets, fetched, shown, .. } = lists;
    let same_topic = |a: &Shown, b: &Shown| targets[a.place].is_same_topic(&targets[b.place]);
    let topic_count = shown.chunk_by(same_topic).count();
    let mut frame = response::head(
        &shard.clients.reply_blocks,
        ids,
        reply::usual_bytes(topic_count, shown.len()),
    );
    let mut writer = FetchResponseWriter::new(&mut frame, ids.api_version, header, topic_count);
    let mut leaders = NamedLeaders::new(shard, client.listener);
    let mut budget = TurnBudget::of_items(&shard.ring);
    for topic in shown.chunk_by_mut(same_topic) {
        let Target { topic: name, topic_id, .. } = &targets[topic[0].place];
        writer.begin_topic(name.as_deref().unwrap_or_default(), *topic_id, topic.len());
        for Shown { place, records_at } in topic {
            let fetched = &fetched[*place];
            let response = PartitionFetchResponse {
                high_watermark: fetched.high_watermark,
                last_stable_offset: fetched.last_stable_offset,
                log_start_offset: fetched.log_start_offset,
                aborted_transactions: fetched.aborted.as_deref(),
                diverging_epoch: fetched.diverging,
                current_leader: leaders.for_error(
                    fetched.error,
                    (name.as_deref().unwrap_or_default(), *topic_id),
                    targets[*place].index,
                ),
                ..PartitionFetchResponse::refused(targets[*place].index, fetched.error)
            };
            *records_at = writer.partition(&response, fetched.size_bytes);
            budget.item_done().await;
        }
    }
    let records_bytes = writer.finish(&leaders.endpoints());
    reply::fill_in_length(&mut frame, records_bytes)
        .map_err(|error| response::unsendable(ids, error.into()))?;
    Ok(interleave(frame, shown, fetched))
}

/// The frame with the records in their places.
fn interleave(frame: BytesMut, shown: &[Shown], fetched: &mut [FetchedPartition]) -> Reply {
    let pieces = |shown: &Shown| match fetched[shown.place].parts.len() {
        0 => 0,
        parts => parts + 1,
    };
    let mut parts = ReplyParts::with_capacity(shown.iter().map(pieces).sum::<usize>() + 1);
    let (mut rest, mut rest_at) = (frame.freeze(), 0);
    for Shown { place, records_at } in shown {
        let records = &mut fetched[*place].parts;
        if records.is_empty() {
            continue;
        }
        assert!(rest_at <= *records_at, "records at {records_at} come after {rest_at}");
        parts.push(ReplyPart::Bytes(rest.split_to(records_at - rest_at)));
        rest_at = *records_at;
        parts.extend(records.drain(..).map(|part| match part {
            ReadPart::Memory(bytes) => ReplyPart::Records(bytes),
            ReadPart::File { file, position, length, stable } => {
                ReplyPart::File(FileRange { file, position, length, stable })
            }
        }));
    }
    if !rest.is_empty() {
        parts.push(ReplyPart::Bytes(rest));
    }
    Reply { parts }
}
