//! The topics of a search: their names, and their end.
//!
//! Owns: nothing; `Cluster` makes a topic with the first trial in it. Lives on: the generator's
//! thread. Never: deletes a topic that no search has made.

use crate::{
    dialer::{CALL_TIMEOUT, Dialer, error_of},
    options::RunOptions,
    say,
};
use anyhow::{Context, bail};
use protocol::{ApiKey, ErrorCode, messages::DeleteTopicsRequest};
use ring::Ring;

/// The last version that names topics, and not ids, in a plain list.
const DELETE_TOPICS_VERSION: i16 = 5;
const DELETE_TIMEOUT_MS: i32 = 8_000;

pub fn name(topic: &str, chance: u64, run: usize) -> String {
    format!("{topic}-knee-{:08x}-{run}", chance as u32)
}

/// A search writes many gigabytes where a broker is fast: they are not left there. A topic that
/// stays is said, and is no error of the search.
pub async fn delete(ring: &Ring, load: &RunOptions, topic: &str) {
    let dialer = Dialer::new(ring, load.in_flight);
    let mut last = None;
    for address in &load.bootstrap {
        match delete_at(&dialer, address, topic).await {
            Ok(()) => return,
            Err(error) => last = Some(error),
        }
    }
    if let Some(error) = last {
        say::note(&format!("loadgen: topic {topic} is still there, delete it by hand: {error:#}"));
    }
}

async fn delete_at(dialer: &Dialer, address: &str, topic: &str) -> anyhow::Result<()> {
    let connection = dialer.connect(address).await?;
    let version =
        connection.versions().version_at_most(ApiKey::DeleteTopics, DELETE_TOPICS_VERSION)?;
    let request = DeleteTopicsRequest {
        topic_names: vec![topic.to_owned()],
        timeout_ms: DELETE_TIMEOUT_MS,
        ..Default::default()
    };
    let response = connection.call(&request, version, CALL_TIMEOUT).await;
    connection.close();
    let response = response?;
    let result = response.responses.first().context("the broker does not say of which topic")?;
    match error_of(result.error_code) {
        ErrorCode::None | ErrorCode::UnknownTopicOrPartition => Ok(()),
        error => bail!("{}", error.name()),
    }
}
