// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `ApiVersionsRequest`, versions 0 to 5.

use super::super::prelude::*;

/// `ApiVersionsRequest`.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiVersionsRequest {
    /// The name of the client. (versions 3+)
    pub client_software_name: String,
    /// The version of the client. (versions 3+)
    pub client_software_version: String,
    /// The cluster ID the client intends to connect to. Provide both ClusterId and NodeId, if known. (versions 5+)
    pub cluster_id: Option<String>,
    /// The node ID the client intends to connect to. Provide both ClusterId and NodeId, if known. (versions 5+)
    pub node_id: i32,
}

impl Default for ApiVersionsRequest {
    fn default() -> Self {
        Self {
            client_software_name: Default::default(),
            client_software_version: Default::default(),
            cluster_id: Default::default(),
            node_id: -1,
        }
    }
}

impl Structure for ApiVersionsRequest {
    const MIN_WIRE_BYTES: usize = 0;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 3;
        let mut value = Self::default();
        if version >= 3 {
            value.client_software_name = reader.string(flexible)?;
        }
        if version >= 3 {
            value.client_software_version = reader.string(flexible)?;
        }
        if version >= 5 {
            value.cluster_id = reader.nullable_string(flexible, true)?;
        }
        if version >= 5 {
            value.node_id = reader.i32()?;
        }
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 3;
        if version >= 3 {
            put_string(writer, &self.client_software_name, flexible)?;
        }
        if version >= 3 {
            put_string(writer, &self.client_software_version, flexible)?;
        }
        if version >= 5 {
            put_nullable_string(writer, self.cluster_id.as_deref(), flexible)?;
        }
        if version >= 5 {
            writer.put_i32(self.node_id);
        }
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

impl Message for ApiVersionsRequest {
    const NAME: &'static str = "ApiVersionsRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 5;
    const FLEXIBLE_FROM: Option<i16> = Some(3);
}

impl Request for ApiVersionsRequest {
    const API_KEY: i16 = 18;
    type Response = super::ApiVersionsResponse;
}
