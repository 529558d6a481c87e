// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `UnregisterControllerRecord`, versions 0 to 0.

use super::super::prelude::*;

/// `UnregisterControllerRecord`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct UnregisterControllerRecord {
    /// The controller id. (versions 0+)
    pub controller_id: i32,
}

impl Structure for UnregisterControllerRecord {
    const MIN_WIRE_BYTES: usize = 5;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.controller_id = reader.i32()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.controller_id);
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for UnregisterControllerRecord {
    const NAME: &'static str = "UnregisterControllerRecord";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}
