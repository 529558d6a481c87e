//! The other side: a server on the ring that says what a test tells it to say.
//!
//! Lives on: a core of the test. Never: answers by itself.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use protocol::{
    ApiKey, ErrorCode, Message, Reader,
    messages::{ApiVersionsResponse, api_versions_response::ApiVersion},
};
use ring::{ListenOptions, Ring, Stream};
use std::{future::Future, rc::Rc};

const RECEIVE_BYTES: usize = 64 * 1024;

/// One connection, as the server has it.
pub struct Peer {
    pub ring: Ring,
    /// Its number among the connections of the server, from 0 on.
    pub number: usize,
    stream: Stream,
    buffer: BytesMut,
}

#[derive(Clone, Debug)]
pub struct Received {
    pub api: ApiKey,
    pub version: i16,
    pub correlation_id: i32,
    pub client_id: String,
    pub body: Bytes,
}

/// Accepts connections for ever.
pub async fn accept_each<S: Future<Output = ()> + 'static>(
    ring: Ring,
    port: u16,
    serve: impl Fn(Peer) -> S + 'static,
) {
    let address = ([0, 0, 0, 0], port).into();
    let listener = ring.listen(address, ListenOptions::default()).expect("a free port");
    accept_on(ring, listener, serve).await;
}

pub async fn accept_on<S: Future<Output = ()> + 'static>(
    ring: Ring,
    listener: ring::Listener,
    serve: impl Fn(Peer) -> S + 'static,
) {
    let serve = Rc::new(serve);
    for number in 0.. {
        let Ok(stream) = ring.accept(&listener).await else { return };
        let peer = Peer { ring: ring.clone(), number, stream, buffer: BytesMut::new() };
        let serve = serve.clone();
        ring.spawn(async move { serve(peer).await });
    }
}

impl Peer {
    /// The next request; `None` when the client has gone.
    pub async fn receive(&mut self) -> Option<Received> {
        loop {
            if let Some(length) = self.buffer.first_chunk::<4>() {
                let length = i32::from_be_bytes(*length) as usize;
                if self.buffer.len() >= 4 + length {
                    let mut frame = self.buffer.split_to(4 + length).freeze();
                    frame.advance(4);
                    return Some(Received::parse(&frame));
                }
            }
            let buffer = std::mem::take(&mut self.buffer);
            let (received, buffer) = self.ring.recv(&self.stream, buffer, RECEIVE_BYTES).await;
            self.buffer = buffer;
            if received.unwrap_or(0) == 0 {
                return None;
            }
        }
    }

    pub async fn send(&self, bytes: impl Into<Bytes>) {
        let _ = self.ring.send(&self.stream, vec![bytes.into()]).await;
    }

    pub async fn respond(&self, to: &Received, body: &[u8]) {
        self.send(to.response(body)).await;
    }

    /// Answers ApiVersions: the server speaks all that we speak.
    pub async fn negotiate(&mut self) {
        if let Some(asked) = self.receive().await {
            assert_eq!(asked.api, ApiKey::ApiVersions);
            self.respond(&asked, &api_versions(asked.version, ErrorCode::None, &ours())).await;
        }
    }

    /// Answers each request with its own body.
    pub async fn echo(mut self) {
        self.negotiate().await;
        while let Some(asked) = self.receive().await {
            self.respond(&asked, &asked.body).await;
        }
    }

    /// Reads what comes and answers nothing.
    pub async fn stay_silent(mut self) {
        while self.receive().await.is_some() {}
    }
}

impl Received {
    fn parse(frame: &Bytes) -> Received {
        let mut reader = Reader::new(frame);
        let api = ApiKey::from_i16(reader.i16().unwrap()).unwrap();
        let version = reader.i16().unwrap();
        let correlation_id = reader.i32().unwrap();
        let client_id = reader.string(false).unwrap();
        if api.request_header_version(version) >= 2 {
            reader.skip_tags().unwrap();
        }
        let body = frame.slice(reader.position()..);
        Received { api, version, correlation_id, client_id, body }
    }

    /// A whole response frame.
    pub fn response(&self, body: &[u8]) -> Bytes {
        let tags: &[u8] = match self.api.response_header_version(self.version) {
            0 => &[],
            _ => &[0],
        };
        frame(self.correlation_id, tags, body)
    }
}

pub fn frame(correlation_id: i32, tags: &[u8], body: &[u8]) -> Bytes {
    let mut frame = BytesMut::new();
    frame.put_i32((4 + tags.len() + body.len()) as i32);
    frame.put_i32(correlation_id);
    frame.put_slice(tags);
    frame.put_slice(body);
    frame.freeze()
}

/// All APIs of this release in all their versions.
pub fn ours() -> Vec<(ApiKey, i16, i16)> {
    ApiKey::all().map(|key| (key, key.min_version(), key.max_version())).collect()
}

/// The body of an ApiVersions response.
pub fn api_versions(version: i16, error: ErrorCode, served: &[(ApiKey, i16, i16)]) -> Bytes {
    let api = |(key, min_version, max_version): &(ApiKey, i16, i16)| ApiVersion {
        api_key: key.code(),
        min_version: *min_version,
        max_version: *max_version,
        ..Default::default()
    };
    let api_keys = served.iter().map(api).collect();
    let response = ApiVersionsResponse { error_code: error.code(), api_keys, ..Default::default() };
    let mut body = BytesMut::new();
    response.encode(&mut body, version).expect("a version of this release");
    body.freeze()
}
