// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `UpdateRaftVoterResponse`, versions 0 to 0.

use super::super::prelude::*;

/// `UpdateRaftVoterResponse`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct UpdateRaftVoterResponse {
    /// The duration in milliseconds for which the request was throttled due to a quota violation, or zero if the request did not violate any quota. (versions 0+)
    pub throttle_time_ms: i32,
    /// The error code, or 0 if there was no error. (versions 0+)
    pub error_code: i16,
    /// Details of the current Raft cluster leader. (versions 0+, tag 0)
    pub current_leader: CurrentLeader,
}

impl Structure for UpdateRaftVoterResponse {
    const MIN_WIRE_BYTES: usize = 7;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.throttle_time_ms = reader.i32()?;
        value.error_code = reader.i16()?;
        reader.tags(|reader, tag| {
            match tag {
                0 => value.current_leader = CurrentLeader::read(reader, version)?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.throttle_time_ms);
        writer.put_i16(self.error_code);
        let mut tags = Tags::default();
        if self.current_leader != CurrentLeader::default() {
            tags.put(0, |writer| {
                self.current_leader.write(writer, version)?;
                Ok(())
            })?;
        }
        tags.finish(writer);
        Ok(())
    }
}

/// Details of the current Raft cluster leader.
#[derive(Clone, Debug, PartialEq)]
pub struct CurrentLeader {
    /// The replica id of the current leader or -1 if the leader is unknown. (versions 0+)
    pub leader_id: i32,
    /// The latest known leader epoch. (versions 0+)
    pub leader_epoch: i32,
    /// The node's hostname. (versions 0+)
    pub host: String,
    /// The node's port. (versions 0+)
    pub port: i32,
}

impl Default for CurrentLeader {
    fn default() -> Self {
        Self { leader_id: -1, leader_epoch: -1, host: Default::default(), port: Default::default() }
    }
}

impl Structure for CurrentLeader {
    const MIN_WIRE_BYTES: usize = 14;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.leader_id = reader.i32()?;
        value.leader_epoch = reader.i32()?;
        value.host = reader.string(true)?;
        value.port = reader.i32()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.leader_id);
        writer.put_i32(self.leader_epoch);
        put_string(writer, &self.host, true)?;
        writer.put_i32(self.port);
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for UpdateRaftVoterResponse {
    const NAME: &'static str = "UpdateRaftVoterResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Response for UpdateRaftVoterResponse {
    const API_KEY: i16 = 82;
    type Request = super::UpdateRaftVoterRequest;
}
