// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `UnregisterControllerRequest`, versions 0 to 0.

use super::super::prelude::*;

/// `UnregisterControllerRequest`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct UnregisterControllerRequest {
    /// The controller ID to unregister. (versions 0+)
    pub controller_id: i32,
}

impl Structure for UnregisterControllerRequest {
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

impl Message for UnregisterControllerRequest {
    const NAME: &'static str = "UnregisterControllerRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Request for UnregisterControllerRequest {
    const API_KEY: i16 = 94;
    type Response = super::UnregisterControllerResponse;
}
