// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `RemoveRaftVoterRequest`, versions 0 to 0.

use super::super::prelude::*;

/// `RemoveRaftVoterRequest`.
#[derive(Clone, Debug, PartialEq)]
pub struct RemoveRaftVoterRequest {
    /// The cluster id of the request. (versions 0+)
    pub cluster_id: Option<String>,
    /// The replica id of the voter getting removed from the topic partition. (versions 0+)
    pub voter_id: i32,
    /// The directory id of the voter getting removed from the topic partition. (versions 0+)
    pub voter_directory_id: Uuid,
}

impl Default for RemoveRaftVoterRequest {
    fn default() -> Self {
        Self {
            cluster_id: Some(String::new()),
            voter_id: Default::default(),
            voter_directory_id: Default::default(),
        }
    }
}

impl Structure for RemoveRaftVoterRequest {
    const MIN_WIRE_BYTES: usize = 22;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.cluster_id = reader.nullable_string(true, true)?;
        value.voter_id = reader.i32()?;
        value.voter_directory_id = reader.uuid()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_nullable_string(writer, self.cluster_id.as_deref(), true)?;
        writer.put_i32(self.voter_id);
        put_uuid(writer, self.voter_directory_id);
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for RemoveRaftVoterRequest {
    const NAME: &'static str = "RemoveRaftVoterRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Request for RemoveRaftVoterRequest {
    const API_KEY: i16 = 81;
    type Response = super::RemoveRaftVoterResponse;
}
