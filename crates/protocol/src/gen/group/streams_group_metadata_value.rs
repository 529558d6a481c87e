// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `StreamsGroupMetadataValue`, versions 0 to 0.

use super::super::prelude::*;

/// `StreamsGroupMetadataValue`.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamsGroupMetadataValue {
    /// The group epoch. (versions 0+)
    pub epoch: i32,
    /// The hash of all topics in the group. (versions 0+)
    pub metadata_hash: i64,
    /// The topology epoch whose topics are validated to be present in a valid configuration in the metadata. (versions 0+, tag 0)
    pub validated_topology_epoch: i32,
    /// The last used configuration parameters as key-value pairs. (versions 0+, tag 1)
    pub last_assignment_configs: Option<Vec<LastAssignmentConfig>>,
    /// The topology epoch the plugin holds, or -1 if none. -2 (uncertain) marks an interrupted plugin operation: it solicits a push like -1 and is delete-eligible like a stored epoch. (versions 0+, tag 2)
    pub stored_description_topology_epoch: i32,
    /// The topology epoch whose description push the plugin permanently rejected (signalled by StreamsTopologyDescriptionPermanentFailureException), or -1 if none. Heartbeat-path solicitation is suppressed while this equals the current topology epoch, to avoid hot-looping. (versions 0+, tag 3)
    pub failed_description_topology_epoch: i32,
}

impl Default for StreamsGroupMetadataValue {
    fn default() -> Self {
        Self {
            epoch: Default::default(),
            metadata_hash: Default::default(),
            validated_topology_epoch: -1,
            last_assignment_configs: Some(Vec::new()),
            stored_description_topology_epoch: -1,
            failed_description_topology_epoch: -1,
        }
    }
}

impl Structure for StreamsGroupMetadataValue {
    const MIN_WIRE_BYTES: usize = 13;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.epoch = reader.i32()?;
        value.metadata_hash = reader.i64()?;
        reader.tags(|reader, tag| {
            match tag {
                0 => value.validated_topology_epoch = reader.i32()?,
                1 => value.last_assignment_configs = reader.nullable_array(true, true, version)?,
                2 => value.stored_description_topology_epoch = reader.i32()?,
                3 => value.failed_description_topology_epoch = reader.i32()?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.epoch);
        writer.put_i64(self.metadata_hash);
        let mut tags = Tags::default();
        if self.validated_topology_epoch != -1 {
            tags.put(0, |writer| {
                writer.put_i32(self.validated_topology_epoch);
                Ok(())
            })?;
        }
        if !self.last_assignment_configs.as_ref().is_some_and(Vec::is_empty) {
            tags.put(1, |writer| {
                put_nullable_array(writer, self.last_assignment_configs.as_deref(), true, version)?;
                Ok(())
            })?;
        }
        if self.stored_description_topology_epoch != -1 {
            tags.put(2, |writer| {
                writer.put_i32(self.stored_description_topology_epoch);
                Ok(())
            })?;
        }
        if self.failed_description_topology_epoch != -1 {
            tags.put(3, |writer| {
                writer.put_i32(self.failed_description_topology_epoch);
                Ok(())
            })?;
        }
        tags.finish(writer);
        Ok(())
    }
}

/// `LastAssignmentConfig`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct LastAssignmentConfig {
    /// Key of the config. (versions 0+)
    pub key: String,
    /// Value of the config. (versions 0+)
    pub value: String,
}

impl Structure for LastAssignmentConfig {
    const MIN_WIRE_BYTES: usize = 3;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.key = reader.string(true)?;
        value.value = reader.string(true)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.key, true)?;
        put_string(writer, &self.value, true)?;
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for StreamsGroupMetadataValue {
    const NAME: &'static str = "StreamsGroupMetadataValue";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}
