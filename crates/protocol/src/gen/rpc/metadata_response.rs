// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `MetadataResponse`, versions 0 to 13.

use super::super::prelude::*;

/// `MetadataResponse`.
#[derive(Clone, Debug, PartialEq)]
pub struct MetadataResponse {
    /// The duration in milliseconds for which the request was throttled due to a quota violation, or zero if the request did not violate any quota. (versions 3+)
    pub throttle_time_ms: i32,
    /// A list of brokers present in the cluster. (versions 0+)
    pub brokers: Vec<MetadataResponseBroker>,
    /// The cluster ID that responding broker belongs to. (versions 2+)
    pub cluster_id: Option<String>,
    /// The ID of the controller broker. (versions 1+)
    pub controller_id: i32,
    /// Each topic in the response. (versions 0+)
    pub topics: Vec<MetadataResponseTopic>,
    /// 32-bit bitfield to represent authorized operations for this cluster. (versions 8 to 10)
    pub cluster_authorized_operations: i32,
    /// The top-level error code, or 0 if there was no error. (versions 13+)
    pub error_code: i16,
}

impl Default for MetadataResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: Default::default(),
            brokers: Default::default(),
            cluster_id: Default::default(),
            controller_id: -1,
            topics: Default::default(),
            cluster_authorized_operations: i32::MIN,
            error_code: Default::default(),
        }
    }
}

impl Structure for MetadataResponse {
    const MIN_WIRE_BYTES: usize = 8;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 9;
        let mut value = Self::default();
        if version >= 3 {
            value.throttle_time_ms = reader.i32()?;
        }
        value.brokers = reader.array(flexible, version)?;
        if version >= 2 {
            value.cluster_id = reader.nullable_string(flexible, true)?;
        }
        if version >= 1 {
            value.controller_id = reader.i32()?;
        }
        value.topics = reader.array(flexible, version)?;
        if (8..=10).contains(&version) {
            value.cluster_authorized_operations = reader.i32()?;
        }
        if version >= 13 {
            value.error_code = reader.i16()?;
        }
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 9;
        if version >= 3 {
            writer.put_i32(self.throttle_time_ms);
        }
        put_array(writer, &self.brokers, flexible, version)?;
        if version >= 2 {
            put_nullable_string(writer, self.cluster_id.as_deref(), flexible)?;
        }
        if version >= 1 {
            writer.put_i32(self.controller_id);
        }
        put_array(writer, &self.topics, flexible, version)?;
        if (8..=10).contains(&version) {
            writer.put_i32(self.cluster_authorized_operations);
        } else {
            require(
                self.cluster_authorized_operations == i32::MIN,
                "ClusterAuthorizedOperations",
                version,
            )?;
        }
        if version >= 13 {
            writer.put_i16(self.error_code);
        }
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// A list of brokers present in the cluster.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct MetadataResponseBroker {
    /// The broker ID. (versions 0+)
    pub node_id: i32,
    /// The broker hostname. (versions 0+)
    pub host: String,
    /// The broker port. (versions 0+)
    pub port: i32,
    /// The rack of the broker, or null if it has not been assigned to a rack. (versions 1+)
    pub rack: Option<String>,
}

impl Structure for MetadataResponseBroker {
    const MIN_WIRE_BYTES: usize = 10;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 9;
        let mut value = Self::default();
        value.node_id = reader.i32()?;
        value.host = reader.string(flexible)?;
        value.port = reader.i32()?;
        if version >= 1 {
            value.rack = reader.nullable_string(flexible, true)?;
        }
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 9;
        writer.put_i32(self.node_id);
        put_string(writer, &self.host, flexible)?;
        writer.put_i32(self.port);
        if version >= 1 {
            put_nullable_string(writer, self.rack.as_deref(), flexible)?;
        }
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// Each topic in the response.
#[derive(Clone, Debug, PartialEq)]
pub struct MetadataResponseTopic {
    /// The topic error, or 0 if there was no error. (versions 0+)
    pub error_code: i16,
    /// The topic name. Null for non-existing topics queried by ID. This is never null when ErrorCode is zero. One of Name and TopicId is always populated. (versions 0+)
    pub name: Option<String>,
    /// The topic id. Zero for non-existing topics queried by name. This is never zero when ErrorCode is zero. One of Name and TopicId is always populated. (versions 10+)
    pub topic_id: Uuid,
    /// True if the topic is internal. (versions 1+)
    pub is_internal: bool,
    /// Each partition in the topic. (versions 0+)
    pub partitions: Vec<MetadataResponsePartition>,
    /// 32-bit bitfield to represent authorized operations for this topic. (versions 8+)
    pub topic_authorized_operations: i32,
}

impl Default for MetadataResponseTopic {
    fn default() -> Self {
        Self {
            error_code: Default::default(),
            name: Some(String::new()),
            topic_id: Default::default(),
            is_internal: Default::default(),
            partitions: Default::default(),
            topic_authorized_operations: i32::MIN,
        }
    }
}

impl Structure for MetadataResponseTopic {
    const MIN_WIRE_BYTES: usize = 8;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 9;
        let mut value = Self::default();
        value.error_code = reader.i16()?;
        value.name = reader.nullable_string(flexible, version >= 12)?;
        if version >= 10 {
            value.topic_id = reader.uuid()?;
        }
        if version >= 1 {
            value.is_internal = reader.bool()?;
        }
        value.partitions = reader.array(flexible, version)?;
        if version >= 8 {
            value.topic_authorized_operations = reader.i32()?;
        }
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 9;
        writer.put_i16(self.error_code);
        require(self.name.is_some() || version >= 12, "Name", version)?;
        put_nullable_string(writer, self.name.as_deref(), flexible)?;
        if version >= 10 {
            put_uuid(writer, self.topic_id);
        }
        if version >= 1 {
            put_bool(writer, self.is_internal);
        }
        put_array(writer, &self.partitions, flexible, version)?;
        if version >= 8 {
            writer.put_i32(self.topic_authorized_operations);
        } else {
            require(
                self.topic_authorized_operations == i32::MIN,
                "TopicAuthorizedOperations",
                version,
            )?;
        }
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// Each partition in the topic.
#[derive(Clone, Debug, PartialEq)]
pub struct MetadataResponsePartition {
    /// The partition error, or 0 if there was no error. (versions 0+)
    pub error_code: i16,
    /// The partition index. (versions 0+)
    pub partition_index: i32,
    /// The ID of the leader broker. (versions 0+)
    pub leader_id: i32,
    /// The leader epoch of this partition. (versions 7+)
    pub leader_epoch: i32,
    /// The set of all nodes that host this partition. (versions 0+)
    pub replica_nodes: Vec<i32>,
    /// The set of nodes that are in sync with the leader for this partition. (versions 0+)
    pub isr_nodes: Vec<i32>,
    /// The set of offline replicas of this partition. (versions 5+)
    pub offline_replicas: Vec<i32>,
}

impl Default for MetadataResponsePartition {
    fn default() -> Self {
        Self {
            error_code: Default::default(),
            partition_index: Default::default(),
            leader_id: Default::default(),
            leader_epoch: -1,
            replica_nodes: Default::default(),
            isr_nodes: Default::default(),
            offline_replicas: Default::default(),
        }
    }
}

impl Structure for MetadataResponsePartition {
    const MIN_WIRE_BYTES: usize = 18;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 9;
        let mut value = Self::default();
        value.error_code = reader.i16()?;
        value.partition_index = reader.i32()?;
        value.leader_id = reader.i32()?;
        if version >= 7 {
            value.leader_epoch = reader.i32()?;
        }
        value.replica_nodes = reader.array(flexible, version)?;
        value.isr_nodes = reader.array(flexible, version)?;
        if version >= 5 {
            value.offline_replicas = reader.array(flexible, version)?;
        }
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 9;
        writer.put_i16(self.error_code);
        writer.put_i32(self.partition_index);
        writer.put_i32(self.leader_id);
        if version >= 7 {
            writer.put_i32(self.leader_epoch);
        }
        put_array(writer, &self.replica_nodes, flexible, version)?;
        put_array(writer, &self.isr_nodes, flexible, version)?;
        if version >= 5 {
            put_array(writer, &self.offline_replicas, flexible, version)?;
        }
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

impl Message for MetadataResponse {
    const NAME: &'static str = "MetadataResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 13;
    const FLEXIBLE_FROM: Option<i16> = Some(9);
}

impl Response for MetadataResponse {
    const API_KEY: i16 = 3;
    type Request = super::MetadataRequest;
}
