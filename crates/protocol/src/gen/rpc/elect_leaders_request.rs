// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `ElectLeadersRequest`, versions 0 to 2.

use super::super::prelude::*;

/// `ElectLeadersRequest`.
#[derive(Clone, Debug, PartialEq)]
pub struct ElectLeadersRequest {
    /// Type of elections to conduct for the partition. A value of '0' elects the preferred replica. A value of '1' elects the first live replica if there are no in-sync replica. (versions 1+)
    pub election_type: i8,
    /// The topic partitions to elect leaders. (versions 0+)
    pub topic_partitions: Option<Vec<TopicPartitions>>,
    /// The time in ms to wait for the election to complete. (versions 0+)
    pub timeout_ms: i32,
}

impl Default for ElectLeadersRequest {
    fn default() -> Self {
        Self {
            election_type: Default::default(),
            topic_partitions: Some(Vec::new()),
            timeout_ms: 60000,
        }
    }
}

impl Structure for ElectLeadersRequest {
    const MIN_WIRE_BYTES: usize = 7;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 2;
        let mut value = Self::default();
        if version >= 1 {
            value.election_type = reader.i8()?;
        }
        value.topic_partitions = reader.nullable_array(flexible, true, version)?;
        value.timeout_ms = reader.i32()?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 2;
        if version >= 1 {
            writer.put_i8(self.election_type);
        } else {
            require(self.election_type == 0, "ElectionType", version)?;
        }
        put_nullable_array(writer, self.topic_partitions.as_deref(), flexible, version)?;
        writer.put_i32(self.timeout_ms);
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// The topic partitions to elect leaders.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TopicPartitions {
    /// The name of a topic. (versions 0+)
    pub topic: String,
    /// The partitions of this topic whose leader should be elected. (versions 0+)
    pub partitions: Vec<i32>,
}

impl Structure for TopicPartitions {
    const MIN_WIRE_BYTES: usize = 3;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 2;
        let mut value = Self::default();
        value.topic = reader.string(flexible)?;
        value.partitions = reader.array(flexible, version)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 2;
        put_string(writer, &self.topic, flexible)?;
        put_array(writer, &self.partitions, flexible, version)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

impl Message for ElectLeadersRequest {
    const NAME: &'static str = "ElectLeadersRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 2;
    const FLEXIBLE_FROM: Option<i16> = Some(2);
}

impl Request for ElectLeadersRequest {
    const API_KEY: i16 = 43;
    type Response = super::ElectLeadersResponse;
}
