//! ApiVersions v0-5: the APIs that are served (see `apis/table.rs`) and the cluster's features
//! (KIP-584).
//!
//! An unknown version is answered in version 0 with UNSUPPORTED_VERSION and the range of
//! ApiVersions itself, so that newer clients can come down. v3 adds the client software's name and
//! version (KIP-511), which are checked; v5 the cluster and the node that the client means to speak
//! to (KIP-1242): where they are others than these, it is told to begin anew with its bootstrap
//! servers.

use super::table;
use crate::{
    meta::answers,
    request::{RequestContext, client::Software},
    shard::Shard,
};
use protocol::{
    ApiKey, ErrorCode,
    generated::rpc::api_versions_response::ApiVersion,
    messages::{ApiVersionsRequest, ApiVersionsResponse},
};

/// Clients are asked for their metrics only where there is a page to show them on, as Kafka does
/// where a reporter takes them.
fn is_advertised(key: ApiKey, has_admin_page: bool) -> bool {
    let is_telemetry = matches!(key, ApiKey::GetTelemetrySubscriptions | ApiKey::PushTelemetry);
    has_admin_page || !is_telemetry
}

fn table(has_admin_page: bool) -> Vec<ApiVersion> {
    let entry = |served: &ApiKey| ApiVersion {
        api_key: served.code(),
        min_version: table::advertised_min_version(*served),
        max_version: served.max_stable_version(),
    };
    let advertised = table::TABLE.iter().filter(|key| is_advertised(**key, has_admin_page));
    advertised.map(entry).collect()
}

/// The answer to a version that Millstream does not serve.
pub fn unsupported_version() -> ApiVersionsResponse {
    let own = ApiKey::ApiVersions.code();
    let api_keys = table(false).into_iter().filter(|entry| entry.api_key == own).collect();
    ApiVersionsResponse {
        error_code: ErrorCode::UnsupportedVersion.code(),
        api_keys,
        ..Default::default()
    }
}

/// Letters, digits, dots and dashes, beginning and ending with a letter or digit (KIP-511).
fn is_software_name(name: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    name.chars().all(inner) && edge(name.chars().next()) && edge(name.chars().next_back())
}

/// Whether the client means another cluster or node than this one. Err: it names one of the two ids
/// without the other.
fn is_misrouted(
    request: &ApiVersionsRequest,
    cluster_id: &str,
    node_id: i32,
) -> Result<bool, ErrorCode> {
    match (request.cluster_id.as_deref(), request.node_id) {
        (None, -1) => Ok(false),
        (None, _) | (Some(_), -1) => Err(ErrorCode::InvalidRequest),
        (Some(cluster), node) => Ok(cluster != cluster_id || node != node_id),
    }
}

fn refused(error: ErrorCode) -> ApiVersionsResponse {
    ApiVersionsResponse { error_code: error.code(), ..Default::default() }
}

pub async fn handle(
    shard: &Shard,
    context: &RequestContext<'_>,
    request: ApiVersionsRequest,
) -> ApiVersionsResponse {
    let image = shard.control.image();
    let misrouted = match is_misrouted(&request, &image.cluster_id, shard.config.node_id) {
        Ok(misrouted) => misrouted,
        Err(error) => return refused(error),
    };
    let software = [&request.client_software_name, &request.client_software_version];
    if context.ids.api_version >= 3 && !software.iter().all(|name| is_software_name(name)) {
        return refused(ErrorCode::InvalidRequest);
    }
    *context.client.software.borrow_mut() = Software::new(software[0], software[1]);
    if misrouted {
        return refused(ErrorCode::RebootstrapRequired);
    }
    let finalized = answers::finalized_features(&image);
    ApiVersionsResponse {
        error_code: ErrorCode::None.code(),
        api_keys: table(shard.config.admin_listener.is_some()),
        supported_features: answers::supported_features(context.ids.api_version),
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
            ["apache-kafka-java", "a", "4.4.0", "confluent-kafka-python"]
                .iter()
                .all(|name| is_software_name(name))
        );
        assert!(["", "-a", "a-", "a b", "ä", "a\n"].iter().all(|name| !is_software_name(name)));
    }

    #[test]
    fn clients_are_asked_for_metrics_only_where_these_are_shown() {
        let has = |table: &[ApiVersion], key: ApiKey| {
            table.iter().any(|entry| entry.api_key == key.code())
        };
        let (with, without) = (table(true), table(false));
        for key in [ApiKey::GetTelemetrySubscriptions, ApiKey::PushTelemetry] {
            assert!(has(&with, key) && !has(&without, key));
        }
        assert_eq!(with.len(), without.len() + 2);
    }

    #[test]
    fn a_client_that_names_another_cluster_or_node_is_misrouted() {
        let asked = |cluster: Option<&str>, node_id| {
            let cluster_id = cluster.map(str::to_owned);
            is_misrouted(
                &ApiVersionsRequest { cluster_id, node_id, ..Default::default() },
                "ours",
                1,
            )
        };
        assert_eq!(asked(None, -1), Ok(false), "it does not know where it should be");
        assert_eq!(asked(Some("ours"), 1), Ok(false));
        for (cluster, node_id) in [("ours", 2), ("ours", -2), ("other", 1), ("", 1), ("other", 2)] {
            assert_eq!(asked(Some(cluster), node_id), Ok(true), "{cluster}, {node_id}");
        }
        for (cluster, node_id) in
            [(None, 1), (None, 2), (None, -2), (Some("ours"), -1), (Some("other"), -1)]
        {
            assert_eq!(
                asked(cluster, node_id),
                Err(ErrorCode::InvalidRequest),
                "{cluster:?}, {node_id}"
            );
        }
    }
}
