//! ApiVersions v0-4: the APIs that are served (see `apis/table.rs`) and the cluster's features
//! (KIP-584).
//!
//! An unknown version is answered in version 0 with UNSUPPORTED_VERSION and the range of ApiVersions itself, so that
//! newer clients can come down. v3 adds the client software's name and version (KIP-511), which are checked.

use super::table;
use crate::{meta::view, request::RequestContext, shard::Shard};
use protocol::{
    ApiKey, ErrorCode,
    generated::rpc::api_versions_response::ApiVersion,
    messages::{ApiVersionsRequest, ApiVersionsResponse},
};

fn table() -> Vec<ApiVersion> {
    let entry = |served: &ApiKey| ApiVersion {
        api_key: served.code(),
        min_version: table::advertised_min_version(*served),
        max_version: served.max_stable_version(),
    };
    table::TABLE.iter().map(entry).collect()
}

/// The answer to a version that Millstream does not serve.
pub fn unsupported_version() -> ApiVersionsResponse {
    let own = ApiKey::ApiVersions.code();
    let api_keys = table().into_iter().filter(|entry| entry.api_key == own).collect();
    ApiVersionsResponse { error_code: ErrorCode::UnsupportedVersion.code(), api_keys, ..Default::default() }
}

/// Letters, digits, dots and dashes, beginning and ending with a letter or digit (KIP-511).
fn is_software_name(name: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    name.chars().all(inner) && edge(name.chars().next()) && edge(name.chars().next_back())
}

pub async fn handle(shard: &Shard, context: &RequestContext<'_>, request: ApiVersionsRequest) -> ApiVersionsResponse {
    let software = [&request.client_software_name, &request.client_software_version];
    if context.ids.api_version >= 3 && !software.iter().all(|name| is_software_name(name)) {
        return ApiVersionsResponse { error_code: ErrorCode::InvalidRequest.code(), ..Default::default() };
    }
    let image = shard.control.image();
    let finalized = view::finalized_features(&image);
    ApiVersionsResponse {
        error_code: ErrorCode::None.code(),
        api_keys: table(),
        supported_features: view::supported_features(context.ids.api_version),
        finalized_features_epoch: finalized.epoch,
        finalized_features: finalized.features,
        ..Default::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn software_names_are_checked_as_kafka_checks_them() {
        assert!(
            ["apache-kafka-java", "a", "4.3.1", "confluent-kafka-python"].iter().all(|name| is_software_name(name))
        );
        assert!(["", "-a", "a-", "a b", "ä", "a\n"].iter().all(|name| !is_software_name(name)));
    }
}
