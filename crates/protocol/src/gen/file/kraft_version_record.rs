// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `KRaftVersionRecord`, versions 0 to 0.

use super::super::prelude::*;

/// `KRaftVersionRecord`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct KRaftVersionRecord {
    /// The version of the kraft version record. (versions 0+)
    pub version: i16,
    /// The kraft protocol version. (versions 0+)
    pub kraft_version: i16,
}

impl Structure for KRaftVersionRecord {
    const MIN_WIRE_BYTES: usize = 5;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.version = reader.i16()?;
        value.kraft_version = reader.i16()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i16(self.version);
        writer.put_i16(self.kraft_version);
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for KRaftVersionRecord {
    const NAME: &'static str = "KRaftVersionRecord";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}
