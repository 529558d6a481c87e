//! A request on its way out, and the response that it waits for.
//!
//! Owns: the encoded bytes. Lives on: the core of the connection. Never: copies a body.

use crate::error::{Delivery, DisconnectReason, Disconnected};
use bytes::{BufMut, Bytes, BytesMut};
use protocol::{ApiKey, EncodeError, Request};
use ring::{Instant, sync::oneshot};
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

/// A request for one node: all but its header, encoded.
#[derive(Clone, Debug)]
pub struct ClientRequest {
    pub api: ApiKey,
    pub version: i16,
    pub body: Bytes,
    /// False for produce with acks=0, which no broker answers. The response then is empty, and
    /// there when the request was handed to the network; the timeout does not count.
    pub expects_response: bool,
    /// Counts from the send. A request that runs out of time ends its connection.
    pub timeout: Option<Duration>,
}

impl ClientRequest {
    /// A request that waits for its response as long as the connection lasts.
    pub fn new(api: ApiKey, version: i16, body: Bytes) -> ClientRequest {
        ClientRequest { api, version, body, expects_response: true, timeout: None }
    }

    pub fn encode<R: Request>(request: &R, version: i16) -> Result<ClientRequest, EncodeError> {
        let mut body = BytesMut::new();
        request.encode(&mut body, version)?;
        Ok(ClientRequest::new(key_of::<R>(), version, body.freeze()))
    }

    pub fn within(self, timeout: Duration) -> ClientRequest {
        ClientRequest { timeout: Some(timeout), ..self }
    }

    /// Bytes on the wire besides the length in front.
    fn size_bytes(&self, client_id: &str) -> usize {
        let is_flexible = self.api.request_header_version(self.version) >= 2;
        8 + 2 + client_id.len() + usize::from(is_flexible) + self.body.len()
    }

    /// The length in front and the header: what precedes the body.
    pub(crate) fn head(
        &self,
        correlation_id: i32,
        client_id: &str,
    ) -> Result<BytesMut, EncodeError> {
        let size_bytes = self.size_bytes(client_id);
        let length = i32::try_from(size_bytes).map_err(|_| EncodeError::TooLong(size_bytes))?;
        let mut head = BytesMut::with_capacity(4 + size_bytes - self.body.len());
        head.put_i32(length);
        head.put_i16(self.api.code());
        head.put_i16(self.version);
        head.put_i32(correlation_id);
        head.put_i16(client_id.len() as i16);
        head.put_slice(client_id.as_bytes());
        if self.api.request_header_version(self.version) >= 2 {
            head.put_u8(0);
        }
        Ok(head)
    }
}

pub(crate) fn key_of<R: Request>() -> ApiKey {
    ApiKey::from_i16(R::API_KEY).expect("a generated request has a key")
}

/// The body of a response, a slice of what was received, and when it was there.
#[derive(Clone, Debug)]
pub struct ClientResponse {
    pub body: Bytes,
    pub received: Instant,
}

/// A response that is awaited. Dropping it leaves the request in flight.
pub struct PendingResponse(pub(crate) oneshot::Receiver<Result<ClientResponse, Disconnected>>);

impl Future for PendingResponse {
    type Output = Result<ClientResponse, Disconnected>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(|response| {
            // An answer fails to come only where the core itself ends.
            let gone = || {
                Err(Disconnected { delivery: Delivery::Unknown, reason: DisconnectReason::Closed })
            };
            response.unwrap_or_else(gone)
        })
    }
}
