// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `DefaultPrincipalData`, versions 0 to 0.

use super::super::prelude::*;

/// `DefaultPrincipalData`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DefaultPrincipalData {
    /// The principal type. (versions 0+)
    pub type_: String,
    /// The principal name. (versions 0+)
    pub name: String,
    /// Whether the principal was authenticated by a delegation token on the forwarding broker. (versions 0+)
    pub token_authenticated: bool,
}

impl Structure for DefaultPrincipalData {
    const MIN_WIRE_BYTES: usize = 4;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.type_ = reader.string(true)?;
        value.name = reader.string(true)?;
        value.token_authenticated = reader.bool()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.type_, true)?;
        put_string(writer, &self.name, true)?;
        put_bool(writer, self.token_authenticated);
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for DefaultPrincipalData {
    const NAME: &'static str = "DefaultPrincipalData";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}
