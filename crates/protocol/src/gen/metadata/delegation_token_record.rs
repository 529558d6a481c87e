// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `DelegationTokenRecord`, versions 0 to 0.

use super::super::prelude::*;

/// `DelegationTokenRecord`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DelegationTokenRecord {
    /// The delegation token owner. (versions 0+)
    pub owner: String,
    /// The delegation token requester. (versions 0+)
    pub requester: String,
    /// The principals which can renew this token. (versions 0+)
    pub renewers: Vec<String>,
    /// The time at which this timestamp was issued. (versions 0+)
    pub issue_timestamp: i64,
    /// The time at which this token cannot be renewed any more. (versions 0+)
    pub max_timestamp: i64,
    /// The next time at which this token must be renewed. (versions 0+)
    pub expiration_timestamp: i64,
    /// The token id. (versions 0+)
    pub token_id: String,
}

impl Structure for DelegationTokenRecord {
    const MIN_WIRE_BYTES: usize = 29;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.owner = reader.string(true)?;
        value.requester = reader.string(true)?;
        value.renewers = reader.array(true, version)?;
        value.issue_timestamp = reader.i64()?;
        value.max_timestamp = reader.i64()?;
        value.expiration_timestamp = reader.i64()?;
        value.token_id = reader.string(true)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.owner, true)?;
        put_string(writer, &self.requester, true)?;
        put_array(writer, &self.renewers, true, version)?;
        writer.put_i64(self.issue_timestamp);
        writer.put_i64(self.max_timestamp);
        writer.put_i64(self.expiration_timestamp);
        put_string(writer, &self.token_id, true)?;
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for DelegationTokenRecord {
    const NAME: &'static str = "DelegationTokenRecord";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}
