//! The `quorum-state` file: the epoch that a node has seen, and the node that it voted for (schema
//! QuorumStateData version 1).
//!
//! Layout: JSON without blanks, as Kafka writes it: `{"leaderId":1,"leaderEpoch":1,"votedId":-1,
//! "votedDirectoryId":"AAAAAAAAAAAAAAAAAAAAAA","data_version":1}`, with a field `crc32c` behind it,
//! which Kafka reads over: the CRC-32C of the text without that field. Text in, text out.

use protocol::Uuid;
use serde_json::Value;

pub const FILE_NAME: &str = "quorum-state";

/// The most bytes that a file may have: version 0 lists the voters.
pub const MAX_FILE_BYTES: usize = 1 << 20;

const CHECKSUM: &str = ",\"crc32c\":";

fn checksum(text: &str) -> u32 {
    crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32Iscsi, text.as_bytes()) as u32
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuorumState {
    /// -1: unknown.
    pub leader_id: i32,
    pub leader_epoch: i32,
    /// -1: no vote.
    pub voted_id: i32,
    pub voted_directory_id: Uuid,
}

impl QuorumState {
    pub fn encode(&self) -> String {
        let text = format!(
            r#"{{"leaderId":{},"leaderEpoch":{},"votedId":{},"votedDirectoryId":"{}","data_version":1"#,
            self.leader_id, self.leader_epoch, self.voted_id, self.voted_directory_id
        );
        let checksum = checksum(&text);
        format!("{text}{CHECKSUM}{checksum}}}")
    }

    /// Versions 0 and 1. Err: what is wrong.
    pub fn decode(text: &str) -> Result<Self, String> {
        let json: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if let Some((checked, found)) = text.split_once(CHECKSUM)
            && found != format!("{}}}", checksum(checked))
        {
            return Err("its checksum does not match".to_owned());
        }
        let number = |name: &str| {
            let value =
                json.get(name).and_then(Value::as_i64).and_then(|value| i32::try_from(value).ok());
            value.ok_or_else(|| format!("{name} is missing or no number"))
        };
        let version = number("data_version")?;
        if !(0..=1).contains(&version) {
            return Err(format!("data_version {version} is unknown"));
        }
        let voted_directory_id = match json.get("votedDirectoryId").and_then(Value::as_str) {
            Some(text) => text.parse().map_err(|error| format!("votedDirectoryId: {error}"))?,
            None => Uuid::ZERO,
        };
        Ok(Self {
            leader_id: number("leaderId")?,
            leader_epoch: number("leaderEpoch")?,
            voted_id: number("votedId")?,
            voted_directory_id,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_what_kafka_writes() {
        let text = r#"{"leaderId":1,"leaderEpoch":7,"votedId":-1,"votedDirectoryId":"AAAAAAAAAAAAAAAAAAAAAA","data_version":1}"#;
        let state = QuorumState {
            leader_id: 1,
            leader_epoch: 7,
            voted_id: -1,
            voted_directory_id: Uuid::ZERO,
        };
        assert_eq!(QuorumState::decode(text), Ok(state));
        let own = state.encode();
        assert!(own.starts_with(text.trim_end_matches('}')), "{own}");
        assert_eq!(QuorumState::decode(&own), Ok(state));
        assert!(
            QuorumState::decode(&own.replace("\"leaderEpoch\":7", "\"leaderEpoch\":6")).is_err()
        );
        let old = r#"{"clusterId":"","leaderId":1,"leaderEpoch":7,"votedId":-1,"appliedOffset":0,"currentVoters":[{"voterId":1}],"data_version":0}"#;
        assert_eq!(QuorumState::decode(old), Ok(state));
        for broken in ["", "{}", r#"{"leaderId":1,"leaderEpoch":7,"votedId":-1,"data_version":2}"#]
        {
            assert!(QuorumState::decode(broken).is_err(), "{broken}");
        }
    }
}
