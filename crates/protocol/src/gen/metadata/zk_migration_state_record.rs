// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `ZkMigrationStateRecord`, versions 0 to 0.

use super::super::prelude::*;

/// `ZkMigrationStateRecord`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ZkMigrationStateRecord {
    /// One of the possible migration states. (versions 0+)
    pub zk_migration_state: i8,
}

impl Structure for ZkMigrationStateRecord {
    const MIN_WIRE_BYTES: usize = 2;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.zk_migration_state = reader.i8()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i8(self.zk_migration_state);
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for ZkMigrationStateRecord {
    const NAME: &'static str = "ZkMigrationStateRecord";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}
