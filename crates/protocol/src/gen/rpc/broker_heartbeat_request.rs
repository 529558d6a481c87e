// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `BrokerHeartbeatRequest`, versions 0 to 2.

use super::super::prelude::*;

/// `BrokerHeartbeatRequest`.
#[derive(Clone, Debug, PartialEq)]
pub struct BrokerHeartbeatRequest {
    /// The broker ID. (versions 0+)
    pub broker_id: i32,
    /// The broker epoch. (versions 0+)
    pub broker_epoch: i64,
    /// The highest metadata offset which the broker has reached. (versions 0+)
    pub current_metadata_offset: i64,
    /// True if the broker wants to be fenced, false otherwise. (versions 0+)
    pub want_fence: bool,
    /// True if the broker wants to be shut down, false otherwise. (versions 0+)
    pub want_shut_down: bool,
    /// Log directories that failed and went offline. (versions 1+, tag 0)
    pub offline_log_dirs: Vec<Uuid>,
    /// List of log directories that are cordoned. This is null before the broker reaches the RECOVERY state. (versions 2+, tag 1)
    pub cordoned_log_dirs: Option<Vec<Uuid>>,
}

impl Default for BrokerHeartbeatRequest {
    fn default() -> Self {
        Self {
            broker_id: Default::default(),
            broker_epoch: -1,
            current_metadata_offset: Default::default(),
            want_fence: Default::default(),
            want_shut_down: Default::default(),
            offline_log_dirs: Default::default(),
            cordoned_log_dirs: Default::default(),
        }
    }
}

impl Structure for BrokerHeartbeatRequest {
    const MIN_WIRE_BYTES: usize = 23;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.broker_id = reader.i32()?;
        value.broker_epoch = reader.i64()?;
        value.current_metadata_offset = reader.i64()?;
        value.want_fence = reader.bool()?;
        value.want_shut_down = reader.bool()?;
        reader.tags(|reader, tag| {
            match tag {
                0 if version >= 1 => value.offline_log_dirs = reader.array(true, version)?,
                1 if version >= 2 => {
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
        writer.put_i64(self.current_metadata_offset);
        put_bool(writer, self.want_fence);
        put_bool(writer, self.want_shut_down);
        require(version >= 1 || self.offline_log_dirs.is_empty(), "OfflineLogDirs", version)?;
        require(version >= 2 || self.cordoned_log_dirs.is_none(), "CordonedLogDirs", version)?;
        let mut tags = Tags::default();
        if version >= 1 && !self.offline_log_dirs.is_empty() {
            tags.put(0, |writer| {
                put_array(writer, &self.offline_log_dirs, true, version)?;
                Ok(())
            })?;
        }
        if version >= 2 && self.cordoned_log_dirs.is_some() {
            tags.put(1, |writer| {
                put_nullable_array(writer, self.cordoned_log_dirs.as_deref(), true, version)?;
                Ok(())
            })?;
        }
        tags.finish(writer);
        Ok(())
    }
}

impl Message for BrokerHeartbeatRequest {
    const NAME: &'static str = "BrokerHeartbeatRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 2;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Request for BrokerHeartbeatRequest {
    const API_KEY: i16 = 63;
    type Response = super::BrokerHeartbeatResponse;
}
