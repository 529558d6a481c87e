//! From a frame to the handler of its API, and from the handler's response to a reply.
//!
//! Owns: nothing. Lives on: the core of the connection. Never: lets a request overtake another of
//! its connection, except that produce requests overlap (see `conn.rs`).

use super::conn::Connection;
use crate::{
    limits,
    memory::Use,
    request::{CloseReason, RequestContext, RequestIds, header, response},
    shard::{
        apis::{self, table},
        fetch,
        produce::{self, Taken},
    },
};
use bytes::BytesMut;
use protocol::{ApiKey, Reader};
use std::future::Future;

/// What a request takes in memory until it is answered, about, and of what.
pub fn request_cost(frame: &[u8]) -> (Use, usize) {
    let decoded_bytes = frame.len() * limits::DECODED_REQUEST_FACTOR;
    match frame.first_chunk().map(|key| i16::from_be_bytes(*key)) {
        Some(key)
            if key != ApiKey::Produce.code() && decoded_bytes > limits::LIGHT_REQUEST_BYTES =>
        {
            (Use::Decoded, decoded_bytes)
        }
        _ => (Use::Requests, frame.len()),
    }
}

/// Takes one request as far as the next one may be looked at. No `async fn`, which would have room
/// for the frame twice in each connection.
pub fn request(
    connection: &Connection,
    frame: BytesMut,
) -> impl Future<Output = Result<(), CloseReason>> {
    let ids = RequestIds::of(&frame);
    async move {
        let (key, version) = (ids.api_key, ids.api_version);
        let unserved = CloseReason::Unserved { key, version };
        let served = table::find(key).ok_or(unserved)?;
        let Connection { shard, client } = connection;
        if !table::serves(served, version) {
            if served != ApiKey::ApiVersions {
                return Err(CloseReason::Unserved { key, version });
            }
            settle(connection).await;
            let handle = client.replies.expect(request_cost(&frame));
            let ids = RequestIds { api_version: 0, ..ids };
            handle.reply(response::encode(
                &shard.clients.reply_blocks,
                ids,
                &apis::api_versions::unsupported_version(),
            )?);
            return Ok(());
        }
        let start = shard.ring.now();
        let decode_error = |error| CloseReason::Decode { key, version, error };
        let mut reader = Reader::new(&frame);
        let client_id = header::read(&mut reader, served.request_header_version(version))
            .map_err(decode_error)?;
        let body_start = frame.len() - reader.remaining();
        assert!(
            (8..=frame.len()).contains(&body_start),
            "the body begins at {body_start} of {} bytes",
            frame.len()
        );
        shard.identify(client, client_id);
        if served == ApiKey::Produce {
            return match produce::request(shard, client, ids, body_start, frame)? {
                Taken::Ordered => Ok(()),
                Taken::Heavy(ordered) => ordered.await,
            };
        }
        settle(connection).await;
        let handle = client.replies.expect(request_cost(&frame));
        let reply = if served == ApiKey::Fetch {
            fetch::request(shard, client, ids, body_start, &frame).await?
        } else {
            let client_id = client_id.unwrap_or_default();
            let context = RequestContext { ids, client_id, client };
            // Boxed: rare and large futures must not make every idle connection large.
            Box::pin(apis::serve(shard, served, &context, &frame[body_start..])).await?
        };
        handle.reply(reply);
        shard.counters.answered(key, shard.ring.now().since(start));
        Ok(())
    }
}

/// Waits until everything that the connection asked before is answered, and calls to other cores
/// may be sent.
async fn settle(connection: &Connection) {
    let replies = &connection.client.replies;
    replies.changed.wait_until(|| replies.waiting() == 0 || replies.is_closed()).await;
    connection.shard.mailbox.room().await;
    // Only the task that waits here adds requests.
    let waiting = replies.waiting();
    assert!(
        waiting == 0 || replies.is_closed(),
        "{waiting} requests wait for an answer before one that overtakes none"
    );
}
