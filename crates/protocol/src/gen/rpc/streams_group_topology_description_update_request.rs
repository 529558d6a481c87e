// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `StreamsGroupTopologyDescriptionUpdateRequest`, versions 0 to 0.

use super::super::prelude::*;

/// `StreamsGroupTopologyDescriptionUpdateRequest`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct StreamsGroupTopologyDescriptionUpdateRequest {
    /// The streams group identifier. (versions 0+)
    pub group_id: String,
    /// The ID of the streams group member sending the push. The broker validates that this member is still in the group; mismatches (including when the group itself has been deleted) are rejected with UNKNOWN_MEMBER_ID so the client treats itself as fenced and rejoins. (versions 0+)
    pub member_id: String,
    /// The epoch of the topology being described. (versions 0+)
    pub topology_epoch: i32,
    /// The topology description. (versions 0+)
    pub topology_description: TopologyDescription,
}

impl Structure for StreamsGroupTopologyDescriptionUpdateRequest {
    const MIN_WIRE_BYTES: usize = 10;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.group_id = reader.string(true)?;
        value.member_id = reader.string(true)?;
        value.topology_epoch = reader.i32()?;
        value.topology_description = TopologyDescription::read(reader, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.group_id, true)?;
        put_string(writer, &self.member_id, true)?;
        writer.put_i32(self.topology_epoch);
        self.topology_description.write(writer, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// `TopologyDescription`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TopologyDescription {
    /// The subtopologies that make up this topology. (versions 0+)
    pub subtopologies: Vec<TopologyDescriptionSubtopology>,
    /// Global state stores used by this topology. (versions 0+)
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
    /// The subtopology identifier, unique within the topology. (versions 0+)
    pub subtopology_id: String,
    /// The processing nodes in this subtopology. (versions 0+)
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
    /// The name of this node (e.g., KSTREAM-SOURCE-0000000000). (versions 0+)
    pub name: String,
    /// The type of this node: 1=SOURCE, 2=PROCESSOR, 3=SINK. (versions 0+)
    pub node_type: i8,
    /// The source topics this node reads from. Defined only for source nodes, may be empty if source topics are dynamically determined. (versions 0+)
    pub source_topics: Vec<String>,
    /// The topic this node writes to. Defined only for sink nodes, may be null if sink topic is dynamically determined. (versions 0+)
    pub sink_topic: Option<String>,
    /// The state store names accessed by this node. Defined only for processor nodes. (versions 0+)
    pub stores: Vec<String>,
    /// The names of successor nodes in the processing graph. Predecessor relationships are reconstructed from this field. (versions 0+)
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
    /// The source node providing data to the global store. (versions 0+)
    pub source: TopologyDescriptionNode,
    /// The processor node that populates the global store. (versions 0+)
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

impl Message for StreamsGroupTopologyDescriptionUpdateRequest {
    const NAME: &'static str = "StreamsGroupTopologyDescriptionUpdateRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Request for StreamsGroupTopologyDescriptionUpdateRequest {
    const API_KEY: i16 = 93;
    type Response = super::StreamsGroupTopologyDescriptionUpdateResponse;
}
