//! ApiVersions, asked once after the connect (KIP-511).
//!
//! Owns: nothing. Lives on: the core of the connection. Never: takes a node for one that speaks
//! something before the node has said so.

use crate::{
    connection::ConnectionOptions, error::ConnectError, request::ClientRequest,
    versions::NodeApiVersions, wire::Wire,
};
use bytes::Bytes;
use protocol::{
    ApiKey, DecodeError, EncodeError, ErrorCode,
    messages::{ApiVersionsRequest, ApiVersionsResponse},
};
use std::{net::SocketAddr, rc::Rc};

/// Asks in our highest version, and in a lower one where the node does not know it.
pub(crate) async fn negotiate(
    wire: &Rc<Wire>,
    address: SocketAddr,
    options: &ConnectionOptions,
) -> Result<NodeApiVersions, ConnectError> {
    let mut version = ApiKey::ApiVersions.max_stable_version();
    loop {
        let request = encode(version, options).expect("every version carries two short names");
        if let Some(error) = wire.not_sent() {
            return Err(ConnectError::ApiVersions { address, error });
        }
        let permit = wire.room.try_take(request.body.len()).expect("nothing else is in flight");
        let answer = wire.put(request, permit).expect("a short request");
        let response =
            answer.await.map_err(|error| ConnectError::ApiVersions { address, error })?;
        let response = decode(&response.body, version)
            .map_err(|error| ConnectError::Undecodable { address, error })?;
        match ErrorCode::from_code(response.error_code).unwrap_or(ErrorCode::UnknownServerError) {
            ErrorCode::None => return Ok(NodeApiVersions::new(response)),
            ErrorCode::UnsupportedVersion if version > 0 => {
                version = lower_version(&response, version);
            }
            error => return Err(ConnectError::Refused { address, error }),
        }
    }
}

fn encode(version: i16, options: &ConnectionOptions) -> Result<ClientRequest, EncodeError> {
    let request = ApiVersionsRequest {
        client_software_name: options.software_name.to_owned(),
        client_software_version: options.software_version.to_owned(),
        ..Default::default()
    };
    Ok(ClientRequest::encode(&request, version)?.within(options.request_timeout))
}

/// A node that does not know our version answers in version 0. Each version begins with the code.
fn decode(body: &Bytes, asked: i16) -> Result<ApiVersionsResponse, DecodeError> {
    let unsupported = ErrorCode::UnsupportedVersion.code().to_be_bytes();
    let version = if body.starts_with(&unsupported) { 0 } else { asked };
    protocol::decode_exact(body, version)
}

/// The version to ask in next: the highest that the node has named, or 0 where it named none, as
/// before Kafka 2.4. Always lower than the last one.
fn lower_version(response: &ApiVersionsResponse, asked: i16) -> i16 {
    let code = ApiKey::ApiVersions.code();
    let named = response.api_keys.iter().find(|api| api.api_key == code);
    named.map_or(0, |api| api.max_version.clamp(0, asked - 1))
}
