// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `QuorumStateData`, versions 0 to 1.

use super::super::prelude::*;

/// `QuorumStateData`.
#[derive(Clone, Debug, PartialEq)]
pub struct QuorumStateData {
    /// The cluster id. (versions 0 to 0)
    pub cluster_id: String,
    /// The leader id. (versions 0+)
    pub leader_id: i32,
    /// The leader epoch. (versions 0+)
    pub leader_epoch: i32,
    /// The voted id. (versions 0+)
    pub voted_id: i32,
    /// The voted directory id. (versions 1+)
    pub voted_directory_id: Uuid,
    /// The applied offset. (versions 0 to 0)
    pub applied_offset: i64,
    /// The current voters. (versions 0 to 0)
    pub current_voters: Option<Vec<Voter>>,
}

impl Default for QuorumStateData {
    fn default() -> Self {
        Self {
            cluster_id: Default::default(),
            leader_id: -1,
            leader_epoch: -1,
            voted_id: -1,
            voted_directory_id: Default::default(),
            applied_offset: Default::default(),
            current_voters: Some(Vec::new()),
        }
    }
}

impl Structure for QuorumStateData {
    const MIN_WIRE_BYTES: usize = 23;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        if version <= 0 {
            value.cluster_id = reader.string(true)?;
        }
        value.leader_id = reader.i32()?;
        value.leader_epoch = reader.i32()?;
        value.voted_id = reader.i32()?;
        if version >= 1 {
            value.voted_directory_id = reader.uuid()?;
        }
        if version <= 0 {
            value.applied_offset = reader.i64()?;
        }
        if version <= 0 {
            value.current_voters = reader.nullable_array(true, true, version)?;
        }
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        if version <= 0 {
            put_string(writer, &self.cluster_id, true)?;
        } else {
            require(self.cluster_id.is_empty(), "ClusterId", version)?;
        }
        writer.put_i32(self.leader_id);
        writer.put_i32(self.leader_epoch);
        writer.put_i32(self.voted_id);
        if version >= 1 {
            put_uuid(writer, self.voted_directory_id);
        } else {
            require(self.voted_directory_id.is_zero(), "VotedDirectoryId", version)?;
        }
        if version <= 0 {
            writer.put_i64(self.applied_offset);
        } else {
            require(self.applied_offset == 0, "AppliedOffset", version)?;
        }
        if version <= 0 {
            put_nullable_array(writer, self.current_voters.as_deref(), true, version)?;
        } else {
            require(
                self.current_voters.as_ref().is_some_and(Vec::is_empty),
                "CurrentVoters",
                version,
            )?;
        }
        put_no_tags(writer);
        Ok(())
    }
}

/// The current voters.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Voter {
    /// The voter id. (versions 0 to 0)
    pub voter_id: i32,
}

impl Structure for Voter {
    const MIN_WIRE_BYTES: usize = 5;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.voter_id = reader.i32()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.voter_id);
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for QuorumStateData {
    const NAME: &'static str = "QuorumStateData";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 1;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}
