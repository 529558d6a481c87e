// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `DescribeClusterRequest`, versions 0 to 2.

use super::super::prelude::*;

/// `DescribeClusterRequest`.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeClusterRequest {
    /// Whether to include cluster authorized operations. (versions 0+)
    pub include_cluster_authorized_operations: bool,
    /// The endpoint type to describe. 1=brokers, 2=controllers. (versions 1+)
    pub endpoint_type: i8,
    /// Whether to include fenced brokers when listing brokers. (versions 2+)
    pub include_fenced_brokers: bool,
}

impl Default for DescribeClusterRequest {
    fn default() -> Self {
        Self {
            include_cluster_authorized_operations: Default::default(),
            endpoint_type: 1,
            include_fenced_brokers: Default::default(),
        }
    }
}

impl Structure for DescribeClusterRequest {
    const MIN_WIRE_BYTES: usize = 2;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.include_cluster_authorized_operations = reader.bool()?;
        if version >= 1 {
            value.endpoint_type = reader.i8()?;
        }
        if version >= 2 {
            value.include_fenced_brokers = reader.bool()?;
        }
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_bool(writer, self.include_cluster_authorized_operations);
        if version >= 1 {
            writer.put_i8(self.endpoint_type);
        } else {
            require(self.endpoint_type == 1, "EndpointType", version)?;
        }
        if version >= 2 {
            put_bool(writer, self.include_fenced_brokers);
        } else {
            require(!self.include_fenced_brokers, "IncludeFencedBrokers", version)?;
        }
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for DescribeClusterRequest {
    const NAME: &'static str = "DescribeClusterRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 2;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Request for DescribeClusterRequest {
    const API_KEY: i16 = 60;
    type Response = super::DescribeClusterResponse;
}
