//! The few requests that a comparison makes of a broker itself: whether it serves, topics made and
//! deleted.

use anyhow::{Context, bail, ensure};
use bytes::{BufMut, Bytes, BytesMut};
use protocol::{
    ApiKey, ErrorCode, Request,
    messages::{
        CreateTopicsRequest, DeleteTopicsRequest, MetadataRequest,
        create_topics_request::{CreatableTopic, CreatableTopicConfig},
    },
};
use std::{
    io::{Read, Write},
    net::TcpStream,
    thread::sleep,
    time::{Duration, Instant},
};

const METADATA_VERSION: i16 = 9;
const CREATE_TOPICS_VERSION: i16 = 5;
const DELETE_TOPICS_VERSION: i16 = 5;
const RESPONSE_BYTES_MAX: usize = 16 << 20;
const TIMEOUT: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(50);
const CLIENT_ID: &str = "versus";

fn call<R: Request>(address: &str, request: &R, version: i16) -> anyhow::Result<R::Response> {
    let mut stream =
        TcpStream::connect(address).with_context(|| format!("cannot connect to {address}"))?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    let key = ApiKey::from_i16(R::API_KEY).context("a request of this release")?;
    let mut body = BytesMut::new();
    body.put_i16(R::API_KEY);
    body.put_i16(version);
    body.put_i32(1);
    body.put_i16(CLIENT_ID.len() as i16);
    body.put_slice(CLIENT_ID.as_bytes());
    if key.request_header_version(version) >= 2 {
        body.put_u8(0);
    }
    request.encode(&mut body, version)?;
    stream.write_all(&u32::try_from(body.len())?.to_be_bytes())?;
    stream.write_all(&body)?;
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length) as usize;
    ensure!(length <= RESPONSE_BYTES_MAX, "{address} answers with {length} bytes");
    let mut response = vec![0; length];
    stream.read_exact(&mut response)?;
    let head = 4 + usize::from(key.response_header_version(version) >= 1);
    ensure!(response.len() >= head, "{address} answers with {length} bytes only");
    Ok(protocol::decode_exact(&Bytes::from(response).split_off(head), version)?)
}

/// Whether a broker answers at `address` that knows itself as one.
pub fn serves(address: &str) -> bool {
    let request = MetadataRequest { topics: Some(Vec::new()), ..Default::default() };
    call(address, &request, METADATA_VERSION).is_ok_and(|metadata| !metadata.brokers.is_empty())
}

/// Waits until `serves`, as long as `is_alive`.
pub fn wait_until_it_serves(
    address: &str,
    mut is_alive: impl FnMut() -> bool,
) -> anyhow::Result<()> {
    let deadline = Instant::now() + TIMEOUT;
    while !serves(address) {
        ensure!(is_alive(), "the broker ended before it served {address}");
        ensure!(Instant::now() < deadline, "nothing serves {address} after {TIMEOUT:?}");
        sleep(PAUSE);
    }
    Ok(())
}

/// Makes a topic anew.
pub fn make_topic(
    address: &str,
    name: &str,
    partitions: i32,
    configs: &[(String, String)],
) -> anyhow::Result<()> {
    delete_topic(address, name)?;
    let config = |(key, value): &(String, String)| CreatableTopicConfig {
        name: key.clone(),
        value: Some(value.clone()),
    };
    let topic = CreatableTopic {
        name: name.to_owned(),
        num_partitions: partitions,
        replication_factor: 1,
        configs: configs.iter().map(config).collect(),
        ..Default::default()
    };
    let request =
        CreateTopicsRequest { topics: vec![topic], timeout_ms: 30_000, ..Default::default() };
    let deadline = Instant::now() + TIMEOUT;
    loop {
        let response = call(address, &request, CREATE_TOPICS_VERSION)?;
        let result = response.topics.first().context("nothing is said of the new topic")?;
        match ErrorCode::from_code(result.error_code) {
            Some(ErrorCode::None) => return Ok(()),
            // The one that was deleted may still be on its way out.
            Some(ErrorCode::TopicAlreadyExists) if Instant::now() < deadline => sleep(PAUSE),
            error => bail!(
                "{address} does not make topic {name}: {error:?} {}",
                result.error_message.as_deref().unwrap_or_default()
            ),
        }
    }
}

/// Deletes a topic; one that is not there is fine.
pub fn delete_topic(address: &str, name: &str) -> anyhow::Result<()> {
    let request = DeleteTopicsRequest {
        topic_names: vec![name.to_owned()],
        timeout_ms: 30_000,
        ..Default::default()
    };
    let response = call(address, &request, DELETE_TOPICS_VERSION)?;
    let code = response.responses.first().map_or(0, |result| result.error_code);
    match ErrorCode::from_code(code) {
        Some(ErrorCode::None | ErrorCode::UnknownTopicOrPartition) => Ok(()),
        error => bail!("{address} does not delete topic {name}: {error:?}"),
    }
}
