// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `PartitionRecord`, versions 0 to 2.

use super::super::prelude::*;

/// `PartitionRecord`.
#[derive(Clone, Debug, PartialEq)]
pub struct PartitionRecord {
    /// The partition id. (versions 0+)
    pub partition_id: i32,
    /// The unique ID of this topic. (versions 0+)
    pub topic_id: Uuid,
    /// The replicas of this partition, sorted by preferred order. (versions 0+)
    pub replicas: Vec<i32>,
    /// The in-sync replicas of this partition (versions 0+)
    pub isr: Vec<i32>,
    /// The replicas that we are in the process of removing. (versions 0+)
    pub removing_replicas: Vec<i32>,
    /// The replicas that we are in the process of adding. (versions 0+)
    pub adding_replicas: Vec<i32>,
    /// The lead replica, or -1 if there is no leader. (versions 0+)
    pub leader: i32,
    /// 1 if the partition is recovering from an unclean leader election; 0 otherwise. (versions 0+, tag 0)
    pub leader_recovery_state: i8,
    /// The epoch of the partition leader. (versions 0+)
    pub leader_epoch: i32,
    /// An epoch that gets incremented each time we change anything in the partition. (versions 0+)
    pub partition_epoch: i32,
    /// The log directory hosting each replica, sorted in the same exact order as the Replicas field. (versions 1+)
    pub directories: Vec<Uuid>,
    /// The eligible leader replicas of this partition. (versions 2+, tag 1)
    pub eligible_leader_replicas: Option<Vec<i32>>,
    /// The last known eligible leader replicas of this partition. (versions 2+, tag 2)
    pub last_known_elr: Option<Vec<i32>>,
}

impl Default for PartitionRecord {
    fn default() -> Self {
        Self {
            partition_id: -1,
            topic_id: Default::default(),
            replicas: Default::default(),
            isr: Default::default(),
            removing_replicas: Default::default(),
            adding_replicas: Default::default(),
            leader: -1,
            leader_recovery_state: Default::default(),
            leader_epoch: -1,
            partition_epoch: -1,
            directories: Default::default(),
            eligible_leader_replicas: Default::default(),
            last_known_elr: Default::default(),
        }
    }
}

impl Structure for PartitionRecord {
    const MIN_WIRE_BYTES: usize = 37;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.partition_id = reader.i32()?;
        value.topic_id = reader.uuid()?;
        value.replicas = reader.array(true, version)?;
        value.isr = reader.array(true, version)?;
        value.removing_replicas = reader.array(true, version)?;
        value.adding_replicas = reader.array(true, version)?;
        value.leader = reader.i32()?;
        value.leader_epoch = reader.i32()?;
        value.partition_epoch = reader.i32()?;
        if version >= 1 {
            value.directories = reader.array(true, version)?;
        }
        reader.tags(|reader, tag| {
            match tag {
                0 => value.leader_recovery_state = reader.i8()?,
                1 if version >= 2 => {
                    value.eligible_leader_replicas = reader.nullable_array(true, true, version)?
                }
                2 if version >= 2 => {
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
        put_array(writer, &self.replicas, true, version)?;
        put_array(writer, &self.isr, true, version)?;
        put_array(writer, &self.removing_replicas, true, version)?;
        put_array(writer, &self.adding_replicas, true, version)?;
        writer.put_i32(self.leader);
        writer.put_i32(self.leader_epoch);
        writer.put_i32(self.partition_epoch);
        if version >= 1 {
            put_array(writer, &self.directories, true, version)?;
        } else {
            require(self.directories.is_empty(), "Directories", version)?;
        }
        require(
            version >= 2 || self.eligible_leader_replicas.is_none(),
            "EligibleLeaderReplicas",
            version,
        )?;
        require(version >= 2 || self.last_known_elr.is_none(), "LastKnownElr", version)?;
        let mut tags = Tags::default();
        if self.leader_recovery_state != 0 {
            tags.put(0, |writer| {
                writer.put_i8(self.leader_recovery_state);
                Ok(())
            })?;
        }
        if version >= 2 && self.eligible_leader_replicas.is_some() {
            tags.put(1, |writer| {
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
            tags.put(2, |writer| {
                put_nullable_array(writer, self.last_known_elr.as_deref(), true, version)?;
                Ok(())
            })?;
        }
        tags.finish(writer);
        Ok(())
    }
}

impl Message for PartitionRecord {
    const NAME: &'static str = "PartitionRecord";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 2;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}
