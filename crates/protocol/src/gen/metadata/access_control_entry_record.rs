// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `AccessControlEntryRecord`, versions 0 to 0.

use super::super::prelude::*;

/// `AccessControlEntryRecord`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct AccessControlEntryRecord {
    /// The unique ID of this ACL. (versions 0+)
    pub id: Uuid,
    /// The resource type. (versions 0+)
    pub resource_type: i8,
    /// The resource name. (versions 0+)
    pub resource_name: String,
    /// The resource name pattern type. (versions 0+)
    pub pattern_type: i8,
    /// The principal name. (versions 0+)
    pub principal: String,
    /// The host name. (versions 0+)
    pub host: String,
    /// The AclOperation. (versions 0+)
    pub operation: i8,
    /// The AclPermissionType. (versions 0+)
    pub permission_type: i8,
}

impl Structure for AccessControlEntryRecord {
    const MIN_WIRE_BYTES: usize = 24;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.id = reader.uuid()?;
        value.resource_type = reader.i8()?;
        value.resource_name = reader.string(true)?;
        value.pattern_type = reader.i8()?;
        value.principal = reader.string(true)?;
        value.host = reader.string(true)?;
        value.operation = reader.i8()?;
        value.permission_type = reader.i8()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_uuid(writer, self.id);
        writer.put_i8(self.resource_type);
        put_string(writer, &self.resource_name, true)?;
        writer.put_i8(self.pattern_type);
        put_string(writer, &self.principal, true)?;
        put_string(writer, &self.host, true)?;
        writer.put_i8(self.operation);
        writer.put_i8(self.permission_type);
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for AccessControlEntryRecord {
    const NAME: &'static str = "AccessControlEntryRecord";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}
