// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `MetadataRequest`, versions 0 to 13.

use super::super::prelude::*;

/// `MetadataRequest`.
#[derive(Clone, Debug, PartialEq)]
pub struct MetadataRequest {
    /// The topics to fetch metadata for. (versions 0+)
    pub topics: Option<Vec<MetadataRequestTopic>>,
    /// If this is true, the broker may auto-create topics that we requested which do not already exist, if it is configured to do so. (versions 4+)
    pub allow_auto_topic_creation: bool,
    /// Whether to include cluster authorized operations. (versions 8 to 10)
    pub include_cluster_authorized_operations: bool,
    /// Whether to include topic authorized operations. (versions 8+)
    pub include_topic_authorized_operations: bool,
}

impl Default for MetadataRequest {
    fn default() -> Self {
        Self {
            topics: Some(Vec::new()),
            allow_auto_topic_creation: true,
            include_cluster_authorized_operations: Default::default(),
            include_topic_authorized_operations: Default::default(),
        }
    }
}

impl Structure for MetadataRequest {
    const MIN_WIRE_BYTES: usize = 4;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 9;
        let mut value = Self::default();
        value.topics = reader.nullable_array(flexible, version >= 1, version)?;
        if version >= 4 {
            value.allow_auto_topic_creation = reader.bool()?;
        }
        if (8..=10).contains(&version) {
            value.include_cluster_authorized_operations = reader.bool()?;
        }
        if version >= 8 {
            value.include_topic_authorized_operations = reader.bool()?;
        }
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 9;
        require(self.topics.is_some() || version >= 1, "Topics", version)?;
        put_nullable_array(writer, self.topics.as_deref(), flexible, version)?;
        if version >= 4 {
            put_bool(writer, self.allow_auto_topic_creation);
        } else {
            require(self.allow_auto_topic_creation, "AllowAutoTopicCreation", version)?;
        }
        if (8..=10).contains(&version) {
            put_bool(writer, self.include_cluster_authorized_operations);
        } else {
            require(
                !self.include_cluster_authorized_operations,
                "IncludeClusterAuthorizedOperations",
                version,
            )?;
        }
        if version >= 8 {
            put_bool(writer, self.include_topic_authorized_operations);
        } else {
            require(
                !self.include_topic_authorized_operations,
                "IncludeTopicAuthorizedOperations",
                version,
            )?;
        }
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// The topics to fetch metadata for.
#[derive(Clone, Debug, PartialEq)]
pub struct MetadataRequestTopic {
    /// The topic id. (versions 10+)
    pub topic_id: Uuid,
    /// The topic name. (versions 0+)
    pub name: Option<String>,
}

impl Default for MetadataRequestTopic {
    fn default() -> Self {
        Self { topic_id: Default::default(), name: Some(String::new()) }
    }
}

impl Structure for MetadataRequestTopic {
    const MIN_WIRE_BYTES: usize = 2;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 9;
        let mut value = Self::default();
        if version >= 10 {
            value.topic_id = reader.uuid()?;
        }
        value.name = reader.nullable_string(flexible, version >= 10)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 9;
        if version >= 10 {
            put_uuid(writer, self.topic_id);
        }
        require(self.name.is_some() || version >= 10, "Name", version)?;
        put_nullable_string(writer, self.name.as_deref(), flexible)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

impl Message for MetadataRequest {
    const NAME: &'static str = "MetadataRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 13;
    const FLEXIBLE_FROM: Option<i16> = Some(9);
}

impl Request for MetadataRequest {
    const API_KEY: i16 = 3;
    type Response = super::MetadataResponse;
}
