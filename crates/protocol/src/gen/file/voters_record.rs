// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `VotersRecord`, versions 0 to 0.

use super::super::prelude::*;

/// `VotersRecord`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct VotersRecord {
    /// The version of the voters record. (versions 0+)
    pub version: i16,
    /// The set of voters in the quorum for this epoch. (versions 0+)
    pub voters: Vec<Voter>,
}

impl Structure for VotersRecord {
    const MIN_WIRE_BYTES: usize = 4;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.version = reader.i16()?;
        value.voters = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i16(self.version);
        put_array(writer, &self.voters, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// The set of voters in the quorum for this epoch.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Voter {
    /// The replica id of the voter in the topic partition. (versions 0+)
    pub voter_id: i32,
    /// The directory id of the voter in the topic partition. (versions 0+)
    pub voter_directory_id: Uuid,
    /// The endpoint that can be used to communicate with the voter. (versions 0+)
    pub endpoints: Vec<Endpoint>,
    /// The range of versions of the protocol that the replica supports. (versions 0+)
    pub kraft_version_feature: KRaftVersionFeature,
}

impl Structure for Voter {
    const MIN_WIRE_BYTES: usize = 27;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.voter_id = reader.i32()?;
        value.voter_directory_id = reader.uuid()?;
        value.endpoints = reader.array(true, version)?;
        value.kraft_version_feature = KRaftVersionFeature::read(reader, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.voter_id);
        put_uuid(writer, self.voter_directory_id);
        put_array(writer, &self.endpoints, true, version)?;
        self.kraft_version_feature.write(writer, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// The endpoint that can be used to communicate with the voter.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Endpoint {
    /// The name of the endpoint. (versions 0+)
    pub name: String,
    /// The hostname. (versions 0+)
    pub host: String,
    /// The port. (versions 0+)
    pub port: u16,
}

impl Structure for Endpoint {
    const MIN_WIRE_BYTES: usize = 5;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.name = reader.string(true)?;
        value.host = reader.string(true)?;
        value.port = reader.u16()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.name, true)?;
        put_string(writer, &self.host, true)?;
        writer.put_u16(self.port);
        put_no_tags(writer);
        Ok(())
    }
}

/// The range of versions of the protocol that the replica supports.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct KRaftVersionFeature {
    /// The minimum supported KRaft protocol version. (versions 0+)
    pub min_supported_version: i16,
    /// The maximum supported KRaft protocol version. (versions 0+)
    pub max_supported_version: i16,
}

impl Structure for KRaftVersionFeature {
    const MIN_WIRE_BYTES: usize = 5;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.min_supported_version = reader.i16()?;
        value.max_supported_version = reader.i16()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i16(self.min_supported_version);
        writer.put_i16(self.max_supported_version);
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for VotersRecord {
    const NAME: &'static str = "VotersRecord";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}
