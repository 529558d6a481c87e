//! From a frame to the handler of its API, and from the handler's response to a reply.
//!
//! Owns: nothing. Lives on: the core of the connection. Never: lets a request overtake another of its connection,
//! except that produce requests overlap (see `conn.rs`).

use super::{
    api_table,
    conn::{CloseReason, Connection},
    frame::LENGTH_BYTES,
    header::{self, RequestIds},
    reply::Reply,
};
use crate::{
    limits,
    shard::{Shard, apis, fetch, memory::Use, produce},
};
use bytes::{BufMut, BytesMut};
use protocol::{ApiKey, Message, Reader, Text};
use std::{future::Future, rc::Rc};

/// What a handler knows besides the request itself.
pub struct Context<'a> {
    pub connection: &'a Rc<Connection>,
    pub api_version: i16,
    pub client_id: Text<'a>,
}

/// What a request takes in memory until it is answered, about, and of what.
pub fn request_cost(frame: &[u8]) -> (Use, usize) {
    let decoded_bytes = frame.len() * limits::DECODED_REQUEST_FACTOR;
    match frame.first_chunk().map(|key| i16::from_be_bytes(*key)) {
        Some(key) if key != ApiKey::Produce.code() && decoded_bytes > limits::LIGHT_REQUEST_BYTES => {
            (Use::Decoded, decoded_bytes)
        }
        _ => (Use::Requests, frame.len()),
    }
}

/// Takes one request as far as the next one may be looked at.
pub async fn request(connection: &Rc<Connection>, frame: BytesMut) -> Result<(), CloseReason> {
    let ids = RequestIds::of(&frame);
    let (key, version) = (ids.api_key, ids.api_version);
    let unserved = CloseReason::Unserved { key, version };
    let served = api_table::find(key).ok_or(unserved)?;
    let counters = &connection.shard.counters;
    if !api_table::serves(served, version) {
        if served != ApiKey::ApiVersions {
            return Err(CloseReason::Unserved { key, version });
        }
        settle(connection).await;
        let handle = connection.replies.expect(request_cost(&frame));
        handle.reply(encode(
            &connection.shard,
            RequestIds { api_version: 0, ..ids },
            &apis::api_versions::unsupported_version(),
        )?);
        return Ok(());
    }
    let start = connection.shard.ring.now();
    let decode_error = |error| CloseReason::Decode { key, version, error };
    let mut reader = Reader::new(&frame);
    let client_id = header::read(&mut reader, served.request_header_version(version)).map_err(decode_error)?;
    let body_start = frame.len() - reader.remaining();
    if served == ApiKey::Produce {
        return produce::request(connection, ids, body_start, frame).await;
    }
    settle(connection).await;
    let handle = connection.replies.expect(request_cost(&frame));
    let reply = if served == ApiKey::Fetch {
        fetch::request(connection, ids, body_start, &frame).await?
    } else {
        let client_id = client_id.unwrap_or_default();
        let context = Context { connection, api_version: version, client_id };
        // Boxed: rare and large futures must not make every idle connection large.
        Box::pin(serve(served, ids, &context, &frame[body_start..])).await?
    };
    handle.reply(reply);
    counters.answered(key, connection.shard.ring.now().since(start));
    Ok(())
}

/// Waits until everything that the connection asked before is answered, and calls to other cores may be sent.
async fn settle(connection: &Connection) {
    let replies = &connection.replies;
    replies.changed.wait_until(|| replies.waiting() == 0 || replies.is_closed()).await;
    connection.shard.mailbox.room().await;
}

/// Bytes behind the end of the request are left unread, as Apache Kafka leaves them: librdkafka sends some.
fn decode<M: Message>(ids: RequestIds, body: &[u8]) -> Result<M, CloseReason> {
    M::decode(&mut Reader::new(body), ids.api_version).map_err(|error| CloseReason::Decode {
        key: ids.api_key,
        version: ids.api_version,
        error,
    })
}

/// The beginning of a response frame: room for its length, and its header. The frame will rarely need more than
/// `usual_bytes`.
pub fn response_head(shard: &Shard, ids: RequestIds, usual_bytes: usize) -> BytesMut {
    let mut frame = shard.reply_blocks.buffer(usual_bytes);
    frame.put_bytes(0, LENGTH_BYTES);
    frame.put_i32(ids.correlation_id);
    let key = ApiKey::from_i16(ids.api_key).expect("a served API");
    if key.response_header_version(ids.api_version) >= 1 {
        frame.put_u8(0);
    }
    frame
}

/// A whole response frame. An error is ours: the response says what its version cannot; the client gets a closed
/// connection and the operator the reason.
pub fn encode<M: Message>(shard: &Shard, ids: RequestIds, response: &M) -> Result<Reply, CloseReason> {
    let mut frame = response_head(shard, ids, limits::REPLY_MIN_BYTES);
    response.encode(&mut frame, ids.api_version).map_err(|error| {
        tracing::error!(api_key = ids.api_key, api_version = ids.api_version, %error, "a response of ours does not encode");
        CloseReason::Protocol("an error of ours, see the line before".to_owned())
    })?;
    Ok(Reply::from_frame(frame))
}

async fn serve(key: ApiKey, ids: RequestIds, context: &Context<'_>, body: &[u8]) -> Result<Reply, CloseReason> {
    /// Decodes, hands over, encodes.
    async fn with<Request: Message, Response: Message, F: Future<Output = Response>>(
        shard: &Shard,
        ids: RequestIds,
        body: &[u8],
        handler: impl FnOnce(Request) -> F,
    ) -> Result<Reply, CloseReason> {
        let response = handler(decode(ids, body)?).await;
        encode(shard, ids, &response)
    }
    let shard = &context.connection.shard;
    match key {
        ApiKey::ListOffsets => with(shard, ids, body, |r| apis::list_offsets::handle(context, r)).await,
        ApiKey::Metadata => with(shard, ids, body, |r| apis::metadata::handle(context, r)).await,
        ApiKey::OffsetCommit => with(shard, ids, body, |r| apis::offsets::commit(context, r)).await,
        ApiKey::OffsetFetch => with(shard, ids, body, |r| apis::offsets::fetch(context, r)).await,
        ApiKey::OffsetDelete => with(shard, ids, body, |r| apis::offsets::delete(context, r)).await,
        ApiKey::FindCoordinator => with(shard, ids, body, |r| apis::groups::find_coordinator(context, r)).await,
        ApiKey::JoinGroup => with(shard, ids, body, |r| apis::groups::join(context, r)).await,
        ApiKey::Heartbeat => with(shard, ids, body, |r| apis::groups::heartbeat(context, r)).await,
        ApiKey::LeaveGroup => with(shard, ids, body, |r| apis::groups::leave(context, r)).await,
        ApiKey::SyncGroup => with(shard, ids, body, |r| apis::groups::sync(context, r)).await,
        ApiKey::DescribeGroups => with(shard, ids, body, |r| apis::groups::describe(context, r)).await,
        ApiKey::ListGroups => with(shard, ids, body, |r| apis::groups::list(context, r)).await,
        ApiKey::DeleteGroups => with(shard, ids, body, |r| apis::groups::delete(context, r)).await,
        ApiKey::ApiVersions => with(shard, ids, body, |r| apis::api_versions::handle(context, r)).await,
        ApiKey::CreateTopics => with(shard, ids, body, |r| apis::controller::create_topics(context, r)).await,
        ApiKey::DeleteTopics => with(shard, ids, body, |r| apis::controller::delete_topics(context, r)).await,
        ApiKey::CreatePartitions => with(shard, ids, body, |r| apis::controller::create_partitions(context, r)).await,
        ApiKey::AlterConfigs => with(shard, ids, body, |r| apis::controller::alter_configs(context, r)).await,
        ApiKey::IncrementalAlterConfigs => {
            with(shard, ids, body, |r| apis::controller::incremental_alter_configs(context, r)).await
        }
        ApiKey::UpdateFeatures => with(shard, ids, body, |r| apis::controller::update_features(context, r)).await,
        ApiKey::ListPartitionReassignments => {
            with(shard, ids, body, |r| apis::controller::list_partition_reassignments(context, r)).await
        }
        ApiKey::DescribeConfigs => with(shard, ids, body, |r| apis::cluster::describe_configs(context, r)).await,
        ApiKey::DeleteRecords => with(shard, ids, body, |r| apis::delete_records::handle(shard, r)).await,
        ApiKey::InitProducerId => with(shard, ids, body, |r| apis::init_producer_id::handle(context, r)).await,
        ApiKey::OffsetForLeaderEpoch => {
            with(shard, ids, body, |r| apis::offset_for_leader_epoch::handle(shard, r)).await
        }
        ApiKey::DescribeLogDirs => with(shard, ids, body, |r| apis::log_dirs::handle(shard, r)).await,
        ApiKey::DescribeQuorum => with(shard, ids, body, |r| apis::cluster::describe_quorum(context, r)).await,
        ApiKey::ListConfigResources => {
            with(shard, ids, body, |r| apis::cluster::list_config_resources(context, r)).await
        }
        ApiKey::AlterPartitionReassignments => {
            with(shard, ids, body, |r| apis::controller::alter_partition_reassignments(context, r)).await
        }
        ApiKey::ElectLeaders => with(shard, ids, body, |r| apis::controller::elect_leaders(context, r)).await,
        ApiKey::DescribeCluster => with(shard, ids, body, |r| apis::cluster::describe(context, r)).await,
        ApiKey::DescribeTopicPartitions => {
            with(shard, ids, body, |r| apis::metadata::describe_topic_partitions(context, r)).await
        }
        _ => Err(CloseReason::Unserved { key: ids.api_key, version: ids.api_version }),
    }
}
