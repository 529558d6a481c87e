// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `LeaderChangeMessage`, versions 0 to 1.

use super::super::prelude::*;

/// `LeaderChangeMessage`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct LeaderChangeMessage {
    /// The version of the leader change message. (versions 0+)
    pub version: i16,
    /// The ID of the newly elected leader. (versions 0+)
    pub leader_id: i32,
    /// The set of voters in the quorum for this epoch. (versions 0+)
    pub voters: Vec<Voter>,
    /// The voters who voted for the leader at the time of election. (versions 0+)
    pub granting_voters: Vec<Voter>,
}

impl Structure for LeaderChangeMessage {
    const MIN_WIRE_BYTES: usize = 9;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.version = reader.i16()?;
        value.leader_id = reader.i32()?;
        value.voters = reader.array(true, version)?;
        value.granting_voters = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i16(self.version);
        writer.put_i32(self.leader_id);
        put_array(writer, &self.voters, true, version)?;
        put_array(writer, &self.granting_voters, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// `Voter`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Voter {
    /// The ID of the voter. (versions 0+)
    pub voter_id: i32,
    /// The directory id of the voter. (versions 1+)
    pub voter_directory_id: Uuid,
}

impl Structure for Voter {
    const MIN_WIRE_BYTES: usize = 5;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.voter_id = reader.i32()?;
        if version >= 1 {
            value.voter_directory_id = reader.uuid()?;
        }
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.voter_id);
        if version >= 1 {
            put_uuid(writer, self.voter_directory_id);
        } else {
            require(self.voter_directory_id.is_zero(), "VoterDirectoryId", version)?;
        }
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for LeaderChangeMessage {
    const NAME: &'static str = "LeaderChangeMessage";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 1;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}
