//! DescribeCluster (key 60), versions 0 to 2: the cluster's id and its brokers (KIP-700, KIP-919,
//! KIP-1073).

use super::{Brokers, CLUSTER_OPERATIONS, OPERATIONS_NOT_ASKED};
use crate::meta::image::MetadataImage;
use protocol::ErrorCode;
use protocol::messages::{
    DescribeClusterRequest, DescribeClusterResponse,
    describe_cluster_response::DescribeClusterBroker,
};

/// In the request: brokers are asked for, or controllers.
const BROKERS: i8 = 1;
const CONTROLLERS: i8 = 2;

pub fn describe_cluster(
    image: &MetadataImage,
    listener: &str,
    request: &DescribeClusterRequest,
    version: i16,
) -> DescribeClusterResponse {
    let brokers = Brokers { image, listener };
    let refuse = |code: ErrorCode, message: String| DescribeClusterResponse {
        // Version 0 knows no word for endpoint types.
        error_code: if version == 0 { ErrorCode::InvalidRequest } else { code }.code(),
        error_message: Some(message),
        ..DescribeClusterResponse::default()
    };
    match request.endpoint_type {
        BROKERS => {}
        CONTROLLERS => {
            let message = "The request was sent to an endpoint of type BROKER, but we wanted an \
                endpoint of type CONTROLLER";
            return refuse(ErrorCode::MismatchedEndpointType, message.to_owned());
        }
        other => {
            return refuse(
                ErrorCode::UnsupportedEndpointType,
                format!("Unsupported endpoint type {other}"),
            );
        }
    }
    let shown = brokers
        .reachable()
        .filter(|(broker, ..)| !broker.0.fenced || request.include_fenced_brokers);
    let shown = shown.map(|(broker, host, port)| DescribeClusterBroker {
        broker_id: broker.0.broker_id,
        host: host.to_owned(),
        port,
        rack: broker.0.rack.clone(),
        is_fenced: broker.0.fenced,
    });
    let asks_for_operations = request.include_cluster_authorized_operations;
    DescribeClusterResponse {
        throttle_time_ms: 0,
        error_code: ErrorCode::None.code(),
        error_message: None,
        endpoint_type: BROKERS,
        cluster_id: image.cluster_id.to_string(),
        controller_id: brokers.any_alive(),
        brokers: shown.collect(),
        cluster_authorized_operations: if asks_for_operations {
            CLUSTER_OPERATIONS
        } else {
            OPERATIONS_NOT_ASKED
        },
    }
}
