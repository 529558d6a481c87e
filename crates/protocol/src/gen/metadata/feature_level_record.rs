// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `FeatureLevelRecord`, versions 0 to 0.

use super::super::prelude::*;

/// `FeatureLevelRecord`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct FeatureLevelRecord {
    /// The feature name. (versions 0+)
    pub name: String,
    /// The current finalized feature level of this feature for the cluster, a value of 0 means feature not supported. (versions 0+)
    pub feature_level: i16,
}

impl Structure for FeatureLevelRecord {
    const MIN_WIRE_BYTES: usize = 4;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.name = reader.string(true)?;
        value.feature_level = reader.i16()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.name, true)?;
        writer.put_i16(self.feature_level);
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for FeatureLevelRecord {
    const NAME: &'static str = "FeatureLevelRecord";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}
