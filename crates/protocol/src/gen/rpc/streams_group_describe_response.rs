// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `StreamsGroupDescribeResponse`, versions 0 to 1.

use super::super::prelude::*;

/// `StreamsGroupDescribeResponse`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct StreamsGroupDescribeResponse {
    /// The duration in milliseconds for which the request was throttled due to a quota violation, or zero if the request did not violate any quota. (versions 0+)
    pub throttle_time_ms: i32,
    /// Each described group. (versions 0+)
    pub groups: Vec<DescribedGroup>,
}

impl Structure for StreamsGroupDescribeResponse {
    const MIN_WIRE_BYTES: usize = 6;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.throttle_time_ms = reader.i32()?;
        value.groups = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.throttle_time_ms);
        put_array(writer, &self.groups, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// Each described group.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribedGroup {
    /// The describe error, or 0 if there was no error. (versions 0+)
    pub error_code: i16,
    /// The top-level error message, or null if there was no error. (versions 0+)
    pub error_message: Option<String>,
    /// The group ID string. (versions 0+)
    pub group_id: String,
    /// The group state string, or the empty string. (versions 0+)
    pub group_state: String,
    /// The group epoch. (versions 0+)
    pub group_epoch: i32,
    /// The assignment epoch. (versions 0+)
    pub assignment_epoch: i32,
    /// The topology metadata currently initialized for the streams application. Can be null in case of a describe error. (versions 0+)
    pub topology: Option<Topology>,
    /// The members. (versions 0+)
    pub members: Vec<Member>,
    /// 32-bit bitfield to represent authorized operations for this group. (versions 0+)
    pub authorized_operations: i32,
    /// The full topology description for this group. Non-null if and only if TopologyDescriptionStatus is AVAILABLE (3); null otherwise. (versions 1+)
    pub topology_description: Option<TopologyDescription>,
    /// The status of the topology description for this group, paired with TopologyDescription: 0=NOT_REQUESTED (client did not set IncludeTopologyDescription; TopologyDescription is null); 1=NOT_STORED (no description recorded for this group; TopologyDescription is null); 2=ERROR (broker failed to fetch the description, see broker logs; TopologyDescription is null); 3=AVAILABLE (TopologyDescription is non-null and carries the description). (versions 1+)
    pub topology_description_status: i8,
    /// The task assignor that the group coordinator will use for the next assignment computation. This may differ from the assignor that computed the current assignment, because changing the assignor configuration does not trigger a rebalance. Null in case of a describe error. (versions 1+)
    pub assignor_name: Option<String>,
}

impl Default for DescribedGroup {
    fn default() -> Self {
        Self {
            error_code: Default::default(),
            error_message: Default::default(),
            group_id: Default::default(),
            group_state: Default::default(),
            group_epoch: Default::default(),
            assignment_epoch: Default::default(),
            topology: Default::default(),
            members: Default::default(),
            authorized_operations: i32::MIN,
            topology_description: Default::default(),
            topology_description_status: Default::default(),
            assignor_name: Default::default(),
        }
    }
}

impl Structure for DescribedGroup {
    const MIN_WIRE_BYTES: usize = 20;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.error_code = reader.i16()?;
        value.error_message = reader.nullable_string(true, true)?;
        value.group_id = reader.string(true)?;
        value.group_state = reader.string(true)?;
        value.group_epoch = reader.i32()?;
        value.assignment_epoch = reader.i32()?;
        value.topology = reader.nullable_struct(version, true)?;
        value.members = reader.array(true, version)?;
        value.authorized_operations = reader.i32()?;
        if version >= 1 {
            value.topology_description = reader.nullable_struct(version, true)?;
        }
        if version >= 1 {
            value.topology_description_status = reader.i8()?;
        }
        if version >= 1 {
            value.assignor_name = reader.nullable_string(true, true)?;
        }
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i16(self.error_code);
        put_nullable_string(writer, self.error_message.as_deref(), true)?;
        put_string(writer, &self.group_id, true)?;
        put_string(writer, &self.group_state, true)?;
        writer.put_i32(self.group_epoch);
        writer.put_i32(self.assignment_epoch);
        put_nullable_struct(writer, self.topology.as_ref(), version)?;
        put_array(writer, &self.members, true, version)?;
        writer.put_i32(self.authorized_operations);
        if version >= 1 {
            put_nullable_struct(writer, self.topology_description.as_ref(), version)?;
        } else {
            require(self.topology_description.is_none(), "TopologyDescription", version)?;
        }
        if version >= 1 {
            writer.put_i8(self.topology_description_status);
        } else {
            require(self.topology_description_status == 0, "TopologyDescriptionStatus", version)?;
        }
        if version >= 1 {
            put_nullable_string(writer, self.assignor_name.as_deref(), true)?;
        }
        put_no_tags(writer);
        Ok(())
    }
}

/// The topology metadata currently initialized for the streams application. Can be null in case of a describe error.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Topology {
    /// The epoch of the currently initialized topology for this group. (versions 0+)
    pub epoch: i32,
    /// The subtopologies of the streams application. This contains the configured subtopologies, where the number of partitions are set and any regular expressions are resolved to actual topics. Null if the group is uninitialized, source topics are missing or incorrectly partitioned. (versions 0+)
    pub subtopologies: Option<Vec<Subtopology>>,
}

impl Structure for Topology {
    const MIN_WIRE_BYTES: usize = 6;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.epoch = reader.i32()?;
        value.subtopologies = reader.nullable_array(true, true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.epoch);
        put_nullable_array(writer, self.subtopologies.as_deref(), true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// The subtopologies of the streams application. This contains the configured subtopologies, where the number of partitions are set and any regular expressions are resolved to actual topics. Null if the group is uninitialized, source topics are missing or incorrectly partitioned.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Subtopology {
    /// String to uniquely identify the subtopology. (versions 0+)
    pub subtopology_id: String,
    /// The topics the subtopology reads from. (versions 0+)
    pub source_topics: Vec<String>,
    /// The repartition topics the subtopology writes to. (versions 0+)
    pub repartition_sink_topics: Vec<String>,
    /// The set of state changelog topics associated with this subtopology. Created automatically. (versions 0+)
    pub state_changelog_topics: Vec<TopicInfo>,
    /// The set of source topics that are internally created repartition topics. Created automatically. (versions 0+)
    pub repartition_source_topics: Vec<TopicInfo>,
}

impl Structure for Subtopology {
    const MIN_WIRE_BYTES: usize = 6;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.subtopology_id = reader.string(true)?;
        value.source_topics = reader.array(true, version)?;
        value.repartition_sink_topics = reader.array(true, version)?;
        value.state_changelog_topics = reader.array(true, version)?;
        value.repartition_source_topics = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.subtopology_id, true)?;
        put_array(writer, &self.source_topics, true, version)?;
        put_array(writer, &self.repartition_sink_topics, true, version)?;
        put_array(writer, &self.state_changelog_topics, true, version)?;
        put_array(writer, &self.repartition_source_topics, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// The members.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Member {
    /// The member ID. (versions 0+)
    pub member_id: String,
    /// The member epoch. (versions 0+)
    pub member_epoch: i32,
    /// The member instance ID for static membership. (versions 0+)
    pub instance_id: Option<String>,
    /// The rack ID. (versions 0+)
    pub rack_id: Option<String>,
    /// The client ID. (versions 0+)
    pub client_id: String,
    /// The client host. (versions 0+)
    pub client_host: String,
    /// The epoch of the topology on the client. (versions 0+)
    pub topology_epoch: i32,
    /// Identity of the streams instance that may have multiple clients. (versions 0+)
    pub process_id: String,
    /// User-defined endpoint for Interactive Queries. Null if not defined for this client. (versions 0+)
    pub user_endpoint: Option<Endpoint>,
    /// Used for rack-aware assignment algorithm. (versions 0+)
    pub client_tags: Vec<KeyValue>,
    /// Cumulative changelog offsets for tasks. (versions 0+)
    pub task_offsets: Vec<TaskOffset>,
    /// Cumulative changelog end offsets for tasks. (versions 0+)
    pub task_end_offsets: Vec<TaskOffset>,
    /// The current assignment. (versions 0+)
    pub assignment: Assignment,
    /// The target assignment. (versions 0+)
    pub target_assignment: Assignment,
    /// True for classic members that have not been upgraded yet. (versions 0+)
    pub is_classic: bool,
}

impl Structure for Member {
    const MIN_WIRE_BYTES: usize = 28;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.member_id = reader.string(true)?;
        value.member_epoch = reader.i32()?;
        value.instance_id = reader.nullable_string(true, true)?;
        value.rack_id = reader.nullable_string(true, true)?;
        value.client_id = reader.string(true)?;
        value.client_host = reader.string(true)?;
        value.topology_epoch = reader.i32()?;
        value.process_id = reader.string(true)?;
        value.user_endpoint = reader.nullable_struct(version, true)?;
        value.client_tags = reader.array(true, version)?;
        value.task_offsets = reader.array(true, version)?;
        value.task_end_offsets = reader.array(true, version)?;
        value.assignment = Assignment::read(reader, version)?;
        value.target_assignment = Assignment::read(reader, version)?;
        value.is_classic = reader.bool()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.member_id, true)?;
        writer.put_i32(self.member_epoch);
        put_nullable_string(writer, self.instance_id.as_deref(), true)?;
        put_nullable_string(writer, self.rack_id.as_deref(), true)?;
        put_string(writer, &self.client_id, true)?;
        put_string(writer, &self.client_host, true)?;
        writer.put_i32(self.topology_epoch);
        put_string(writer, &self.process_id, true)?;
        put_nullable_struct(writer, self.user_endpoint.as_ref(), version)?;
        put_array(writer, &self.client_tags, true, version)?;
        put_array(writer, &self.task_offsets, true, version)?;
        put_array(writer, &self.task_end_offsets, true, version)?;
        self.assignment.write(writer, version)?;
        self.target_assignment.write(writer, version)?;
        put_bool(writer, self.is_classic);
        put_no_tags(writer);
        Ok(())
    }
}

/// `Endpoint`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Endpoint {
    /// host of the endpoint (versions 0+)
    pub host: String,
    /// port of the endpoint (versions 0+)
    pub port: u16,
}

impl Structure for Endpoint {
    const MIN_WIRE_BYTES: usize = 4;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.host = reader.string(true)?;
        value.port = reader.u16()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.host, true)?;
        writer.put_u16(self.port);
        put_no_tags(writer);
        Ok(())
    }
}

/// `TaskOffset`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TaskOffset {
    /// The subtopology identifier. (versions 0+)
    pub subtopology_id: String,
    /// The partition. (versions 0+)
    pub partition: i32,
    /// The offset. (versions 0+)
    pub offset: i64,
}

impl Structure for TaskOffset {
    const MIN_WIRE_BYTES: usize = 14;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.subtopology_id = reader.string(true)?;
        value.partition = reader.i32()?;
        value.offset = reader.i64()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.subtopology_id, true)?;
        writer.put_i32(self.partition);
        writer.put_i64(self.offset);
        put_no_tags(writer);
        Ok(())
    }
}

/// `Assignment`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Assignment {
    /// Active tasks for this client. (versions 0+)
    pub active_tasks: Vec<TaskIds>,
    /// Standby tasks for this client. (versions 0+)
    pub standby_tasks: Vec<TaskIds>,
    /// Warm-up tasks for this client. (versions 0+)
    pub warmup_tasks: Vec<TaskIds>,
}

impl Structure for Assignment {
    const MIN_WIRE_BYTES: usize = 4;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.active_tasks = reader.array(true, version)?;
        value.standby_tasks = reader.array(true, version)?;
        value.warmup_tasks = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_array(writer, &self.active_tasks, true, version)?;
        put_array(writer, &self.standby_tasks, true, version)?;
        put_array(writer, &self.warmup_tasks, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// `TaskIds`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TaskIds {
    /// The subtopology identifier. (versions 0+)
    pub subtopology_id: String,
    /// The partitions of the input topics processed by this member. (versions 0+)
    pub partitions: Vec<i32>,
}

impl Structure for TaskIds {
    const MIN_WIRE_BYTES: usize = 3;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.subtopology_id = reader.string(true)?;
        value.partitions = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.subtopology_id, true)?;
        put_array(writer, &self.partitions, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// `KeyValue`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct KeyValue {
    /// key of the config (versions 0+)
    pub key: String,
    /// value of the config (versions 0+)
    pub value: String,
}

impl Structure for KeyValue {
    const MIN_WIRE_BYTES: usize = 3;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.key = reader.string(true)?;
        value.value = reader.string(true)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.key, true)?;
        put_string(writer, &self.value, true)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// `TopicInfo`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TopicInfo {
    /// The name of the topic. (versions 0+)
    pub name: String,
    /// The number of partitions in the topic. Can be 0 if no specific number of partitions is enforced. Always 0 for changelog topics. (versions 0+)
    pub partitions: i32,
    /// The replication factor of the topic. Can be 0 if the default replication factor should be used. (versions 0+)
    pub replication_factor: i16,
    /// Topic-level configurations as key-value pairs. (versions 0+)
    pub topic_configs: Vec<KeyValue>,
}

impl Structure for TopicInfo {
    const MIN_WIRE_BYTES: usize = 9;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.name = reader.string(true)?;
        value.partitions = reader.i32()?;
        value.replication_factor = reader.i16()?;
        value.topic_configs = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.name, true)?;
        writer.put_i32(self.partitions);
        writer.put_i16(self.replication_factor);
        put_array(writer, &self.topic_configs, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// `TopologyDescription`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TopologyDescription {
    /// The subtopologies that make up this topology. (versions 1+)
    pub subtopologies: Vec<TopologyDescriptionSubtopology>,
    /// Global state stores used by this topology. (versions 1+)
    pub global_stores: Vec<TopologyDescriptionGlobalStore>,
}

impl Structure for TopologyDescription {
    const MIN_WIRE_BYTES: usize = 3;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.subtopologies = reader.array(true, version)?;
        value.global_stores = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_array(writer, &self.subtopologies, true, version)?;
        put_array(writer, &self.global_stores, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// `TopologyDescriptionSubtopology`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TopologyDescriptionSubtopology {
    /// The subtopology identifier, unique within the topology. (versions 1+)
    pub subtopology_id: String,
    /// The processing nodes in this subtopology. (versions 1+)
    pub nodes: Vec<TopologyDescriptionNode>,
}

impl Structure for TopologyDescriptionSubtopology {
    const MIN_WIRE_BYTES: usize = 3;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.subtopology_id = reader.string(true)?;
        value.nodes = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.subtopology_id, true)?;
        put_array(writer, &self.nodes, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// `TopologyDescriptionNode`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TopologyDescriptionNode {
    /// The name of this node (e.g., KSTREAM-SOURCE-0000000000). (versions 1+)
    pub name: String,
    /// The type of this node: 1=SOURCE, 2=PROCESSOR, 3=SINK. (versions 1+)
    pub node_type: i8,
    /// The source topics this node reads from. Defined only for source nodes, may be empty if source topics are dynamically determined. (versions 1+)
    pub source_topics: Vec<String>,
    /// The topic this node writes to. Defined only for sink nodes, may be null if sink topic is dynamically determined. (versions 1+)
    pub sink_topic: Option<String>,
    /// The state store names accessed by this node. Defined only for processor nodes. (versions 1+)
    pub stores: Vec<String>,
    /// The names of successor nodes in the processing graph. Predecessor relationships are reconstructed from this field. (versions 1+)
    pub successors: Vec<String>,
}

impl Structure for TopologyDescriptionNode {
    const MIN_WIRE_BYTES: usize = 7;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.name = reader.string(true)?;
        value.node_type = reader.i8()?;
        value.source_topics = reader.array(true, version)?;
        value.sink_topic = reader.nullable_string(true, true)?;
        value.stores = reader.array(true, version)?;
        value.successors = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.name, true)?;
        writer.put_i8(self.node_type);
        put_array(writer, &self.source_topics, true, version)?;
        put_nullable_string(writer, self.sink_topic.as_deref(), true)?;
        put_array(writer, &self.stores, true, version)?;
        put_array(writer, &self.successors, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// `TopologyDescriptionGlobalStore`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TopologyDescriptionGlobalStore {
    /// The source node providing data to the global store. (versions 1+)
    pub source: TopologyDescriptionNode,
    /// The processor node that populates the global store. (versions 1+)
    pub processor: TopologyDescriptionNode,
}

impl Structure for TopologyDescriptionGlobalStore {
    const MIN_WIRE_BYTES: usize = 15;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.source = TopologyDescriptionNode::read(reader, version)?;
        value.processor = TopologyDescriptionNode::read(reader, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        self.source.write(writer, version)?;
        self.processor.write(writer, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for StreamsGroupDescribeResponse {
    const NAME: &'static str = "StreamsGroupDescribeResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 1;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Response for StreamsGroupDescribeResponse {
    const API_KEY: i16 = 89;
    type Request = super::StreamsGroupDescribeRequest;
}
