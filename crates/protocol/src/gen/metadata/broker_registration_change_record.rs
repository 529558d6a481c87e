// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `BrokerRegistrationChangeRecord`, versions 0 to 3.

use super::super::prelude::*;

/// `BrokerRegistrationChangeRecord`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct BrokerRegistrationChangeRecord {
    /// The broker id. (versions 0+)
    pub broker_id: i32,
    /// The broker epoch assigned by the controller. (versions 0+)
    pub broker_epoch: i64,
    /// -1 if the broker has been unfenced, 0 if no change, 1 if the broker has been fenced. (versions 0+, tag 0)
    pub fenced: i8,
    /// 0 if no change, 1 if the broker is in controlled shutdown. (versions 1+, tag 1)
    pub in_controlled_shutdown: i8,
    /// Log directories configured in this broker which are available. (versions 2+, tag 2)
    pub log_dirs: Vec<Uuid>,
    /// Log directories that are cordoned or null if no change. (versions 3+, tag 3)
    pub cordoned_log_dirs: Option<Vec<Uuid>>,
}

impl Structure for BrokerRegistrationChangeRecord {
    const MIN_WIRE_BYTES: usize = 13;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.broker_id = reader.i32()?;
        value.broker_epoch = reader.i64()?;
        reader.tags(|reader, tag| {
            match tag {
                0 => value.fenced = reader.i8()?,
                1 if version >= 1 => value.in_controlled_shutdown = reader.i8()?,
                2 if version >= 2 => value.log_dirs = reader.array(true, version)?,
                3 if version >= 3 => {
                    value.cordoned_log_dirs = reader.nullable_array(true, true, version)?
                }
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.broker_id);
        writer.put_i64(self.broker_epoch);
        require(version >= 1 || self.in_controlled_shutdown == 0, "InControlledShutdown", version)?;
        require(version >= 2 || self.log_dirs.is_empty(), "LogDirs", version)?;
        require(version >= 3 || self.cordoned_log_dirs.is_none(), "CordonedLogDirs", version)?;
        let mut tags = Tags::default();
        if self.fenced != 0 {
            tags.put(0, |writer| {
                writer.put_i8(self.fenced);
                Ok(())
            })?;
        }
        if version >= 1 && self.in_controlled_shutdown != 0 {
            tags.put(1, |writer| {
                writer.put_i8(self.in_controlled_shutdown);
                Ok(())
            })?;
        }
        if version >= 2 && !self.log_dirs.is_empty() {
            tags.put(2, |writer| {
                put_array(writer, &self.log_dirs, true, version)?;
                Ok(())
            })?;
        }
        if version >= 3 && self.cordoned_log_dirs.is_some() {
            tags.put(3, |writer| {
                put_nullable_array(writer, self.cordoned_log_dirs.as_deref(), true, version)?;
                Ok(())
            })?;
        }
        tags.finish(writer);
        Ok(())
    }
}

impl Message for BrokerRegistrationChangeRecord {
    const NAME: &'static str = "BrokerRegistrationChangeRecord";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 3;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}
