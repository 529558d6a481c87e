// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `PartitionChangeRecord`, versions 0 to 2.

use super::super::prelude::*;

/// `PartitionChangeRecord`.
#[derive(Clone, Debug, PartialEq)]
pub struct PartitionChangeRecord {
    /// The partition id. (versions 0+)
    pub partition_id: i32,
    /// The unique ID of this topic. (versions 0+)
    pub topic_id: Uuid,
    /// null if the ISR didn't change; the new in-sync replicas otherwise. (versions 0+, tag 0)
    pub isr: Option<Vec<i32>>,
    /// -1 if there is now no leader; -2 if the leader didn't change; the new leader otherwise. (versions 0+, tag 1)
    pub leader: i32,
    /// null if the replicas didn't change; the new replicas otherwise. (versions 0+, tag 2)
    pub replicas: Option<Vec<i32>>,
    /// null if the removing replicas didn't change; the new removing replicas otherwise. (versions 0+, tag 3)
    pub removing_replicas: Option<Vec<i32>>,
    /// null if the adding replicas didn't change; the new adding replicas otherwise. (versions 0+, tag 4)
    pub adding_replicas: Option<Vec<i32>>,
    /// -1 if it didn't change; 0 if the leader was elected from the ISR or recovered from an unclean election; 1 if the leader that was elected using unclean leader election and it is still recovering. (versions 0+, tag 5)
    pub leader_recovery_state: i8,
    /// null if the log dirs didn't change; the new log directory for each replica otherwise. (versions 1+, tag 8)
    pub directories: Option<Vec<Uuid>>,
    /// null if the ELR didn't change; the new eligible leader replicas otherwise. (versions 2+, tag 6)
    pub eligible_leader_replicas: Option<Vec<i32>>,
    /// null if the LastKnownElr didn't change; the last known eligible leader replicas otherwise. (versions 2+, tag 7)
    pub last_known_elr: Option<Vec<i32>>,
}

impl Default for PartitionChangeRecord {
    fn default() -> Self {
        Self {
            partition_id: -1,
            topic_id: Default::default(),
            isr: Default::default(),
            leader: -2,
            replicas: Default::default(),
            removing_replicas: Default::default(),
            adding_replicas: Default::default(),
            leader_recovery_state: -1,
            directories: Default::default(),
            eligible_leader_replicas: Default::default(),
            last_known_elr: Default::default(),
        }
    }
}

impl Structure for PartitionChangeRecord {
    const MIN_WIRE_BYTES: usize = 21;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.partition_id = reader.i32()?;
        value.topic_id = reader.uuid()?;
        reader.tags(|reader, tag| {
            match tag {
                0 => value.isr = reader.nullable_array(true, true, version)?,
                1 => value.leader = reader.i32()?,
                2 => value.replicas = reader.nullable_array(true, true, version)?,
                3 => value.removing_replicas = reader.nullable_array(true, true, version)?,
                4 => value.adding_replicas = reader.nullable_array(true, true, version)?,
                5 => value.leader_recovery_state = reader.i8()?,
                8 if version >= 1 => {
                    value.directories = reader.nullable_array(true, true, version)?
                }
                6 if version >= 2 => {
                    value.eligible_leader_replicas = reader.nullable_array(true, true, version)?
                }
                7 if version >= 2 => {
                    value.last_known_elr = reader.nullable_array(true, true, version)?
                }
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.partition_id);
        put_uuid(writer, self.topic_id);
        require(version >= 1 || self.directories.is_none(), "Directories", version)?;
        require(
            version >= 2 || self.eligible_leader_replicas.is_none(),
            "EligibleLeaderReplicas",
            version,
        )?;
        require(version >= 2 || self.last_known_elr.is_none(), "LastKnownElr", version)?;
        let mut tags = Tags::default();
        if self.isr.is_some() {
            tags.put(0, |writer| {
                put_nullable_array(writer, self.isr.as_deref(), true, version)?;
                Ok(())
            })?;
        }
        if self.leader != -2 {
            tags.put(1, |writer| {
                writer.put_i32(self.leader);
                Ok(())
            })?;
        }
        if self.replicas.is_some() {
            tags.put(2, |writer| {
                put_nullable_array(writer, self.replicas.as_deref(), true, version)?;
                Ok(())
            })?;
        }
        if self.removing_replicas.is_some() {
            tags.put(3, |writer| {
                put_nullable_array(writer, self.removing_replicas.as_deref(), true, version)?;
                Ok(())
            })?;
        }
        if self.adding_replicas.is_some() {
            tags.put(4, |writer| {
                put_nullable_array(writer, self.adding_replicas.as_deref(), true, version)?;
                Ok(())
            })?;
        }
        if self.leader_recovery_state != -1 {
            tags.put(5, |writer| {
                writer.put_i8(self.leader_recovery_state);
                Ok(())
            })?;
        }
        if version >= 2 && self.eligible_leader_replicas.is_some() {
            tags.put(6, |writer| {
                put_nullable_array(
                    writer,
                    self.eligible_leader_replicas.as_deref(),
                    true,
                    version,
                )?;
                Ok(())
            })?;
        }
        if version >= 2 && self.last_known_elr.is_some() {
            tags.put(7, |writer| {
                put_nullable_array(writer, self.last_known_elr.as_deref(), true, version)?;
                Ok(())
            })?;
        }
        if version >= 1 && self.directories.is_some() {
            tags.put(8, |writer| {
                put_nullable_array(writer, self.directories.as_deref(), true, version)?;
                Ok(())
            })?;
        }
        tags.finish(writer);
        Ok(())
    }
}

impl Message for PartitionChangeRecord {
    const NAME: &'static str = "PartitionChangeRecord";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 2;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}
