//! The receiving end of the mailbox: what arrives from other cores, and the calls as this core carries them out.
//!
//! Owns: nothing. Lives on: every core. Never: waits within `receive`; what takes time becomes a task.

use super::{
    Shard,
    apis::{delete_records, list_offsets, log_dirs, offset_for_leader_epoch},
    call::{Answer, Call},
    fetch, follow, groups, health,
    mailbox::Message,
    produce, relief, snapshot,
};
use crate::meta::controller::ApiError;
use protocol::ErrorCode;

pub fn receive(shard: &Shard, from: usize, message: Message) {
    match message {
        Message::Answer { number, answer } => shard.mailbox.answered(number, *answer),
        Message::Moved { watch } => shard.clients.tell_moved(watch),
        Message::ShortOfMemory => relief::of_another_core(shard),
        Message::HandOver(arrival) => arrival.arrive(shard),
        Message::Stop => shard.begin_stop(),
        Message::End => shard.end(),
        Message::Snapshot(reply) => {
            let task = shard.clone();
            shard.ring.spawn_named("snapshot", async move {
                let snapshot = snapshot::take(&task).await;
                // The control thread may have given up waiting; then the answer is not needed.
                let _ = reply.send(snapshot);
            });
        }
        Message::Health(reply) => {
            let task = shard.clone();
            shard.ring.spawn_named("health", async move {
                let _ = reply.send(health::take(&task).await);
            });
        }
        Message::Call { number, call } => match *call {
            // Appends take their place now, in the order of arrival, so that a connection's requests keep theirs.
            Call::Produce(appends) => produce::remote(shard, from, number, appends),
            call => {
                let task = shard.clone();
                shard.ring.spawn_named("call", async move {
                    let answer = carry_out(&task, from, call).await;
                    task.answer(from, number, answer);
                });
            }
        },
    }
}

/// Carries out a call of core `from`, which may be this one.
pub async fn carry_out(shard: &Shard, from: usize, call: Call) -> Answer {
    match call {
        Call::Produce(_) => unreachable!("appends have their own way: produce::remote"),
        Call::Fetch { reads, options } => Answer::Fetch(fetch::read(shard, from, reads, options).await),
        Call::ListOffsets(queries) => Answer::ListOffsets(list_offsets::answer(shard, queries).await),
        Call::OffsetsForEpochs(queries) => Answer::OffsetsForEpochs(offset_for_leader_epoch::answer(shard, &queries)),
        Call::DeleteRecords(queries) => Answer::DeleteRecords(delete_records::answer(shard, queries).await),
        Call::PartitionSizes => Answer::PartitionSizes(log_dirs::sizes(shard).await),
        Call::Group { partition, request } => Answer::Group(groups::request(shard, partition, request).await),
        Call::Follow(view) => {
            follow::follow(shard, view).await;
            Answer::Following
        }
        Call::Accept => {
            shard.accept();
            Answer::Accepting
        }
        Call::Checkpoint(dir) => Answer::Checkpoint(follow::checkpoint(shard, &dir).await),
        Call::Offsets(dir) => Answer::Checkpoint(follow::offsets(shard, &dir).await),
        Call::Close => Answer::Closed(follow::close(shard).await),
        Call::Controller(request) => {
            let controller = shard.control.controller();
            Answer::Controller(match controller {
                Some(controller) => controller.request(request).await,
                None => request.refuse(&ApiError::new(ErrorCode::NotController, "The broker stops")),
            })
        }
    }
}
