//! The time that a response tells its client to wait (KIP-219), where its schema has a field for
//! it.
//!
//! The field is the same in all schemas that have one. Where the version of a response does not
//! have it, the encoder leaves it out, and the client finds out by waiting.

use crate::messages::*;

/// A response that may say how long its client is to wait before the next request.
pub trait Throttle {
    /// None: the schema has no such field; between brokers nothing is throttled.
    fn throttle_time_ms(&mut self) -> Option<&mut i32>;
}

macro_rules! with_throttle_time {
    ($($response:ident)*) => {
        $(impl Throttle for $response {
            fn throttle_time_ms(&mut self) -> Option<&mut i32> {
                Some(&mut self.throttle_time_ms)
            }
        })*
    };
}

macro_rules! without_throttle_time {
    ($($response:ident)*) => {
        $(impl Throttle for $response {
            fn throttle_time_ms(&mut self) -> Option<&mut i32> {
                None
            }
        })*
    };
}

with_throttle_time! {
    AddOffsetsToTxnResponse
    AddPartitionsToTxnResponse
    AddRaftVoterResponse
    AllocateProducerIdsResponse
    AlterClientQuotasResponse
    AlterConfigsResponse
    AlterPartitionReassignmentsResponse
    AlterPartitionResponse
    AlterReplicaLogDirsResponse
    AlterShareGroupOffsetsResponse
    AlterUserScramCredentialsResponse
    ApiVersionsResponse
    AssignReplicasToDirsResponse
    BrokerHeartbeatResponse
    BrokerRegistrationResponse
    ConsumerGroupDescribeResponse
    ConsumerGroupHeartbeatResponse
    ControllerRegistrationResponse
    CreateAclsResponse
    CreateDelegationTokenResponse
    CreatePartitionsResponse
    CreateTopicsResponse
    DeleteAclsResponse
    DeleteGroupsResponse
    DeleteRecordsResponse
    DeleteShareGroupOffsetsResponse
    DeleteTopicsResponse
    DescribeAclsResponse
    DescribeClientQuotasResponse
    DescribeClusterResponse
    DescribeConfigsResponse
    DescribeDelegationTokenResponse
    DescribeGroupsResponse
    DescribeLogDirsResponse
    DescribeProducersResponse
    DescribeShareGroupOffsetsResponse
    DescribeTopicPartitionsResponse
    DescribeTransactionsResponse
    DescribeUserScramCredentialsResponse
    ElectLeadersResponse
    EndTxnResponse
    ExpireDelegationTokenResponse
    FetchResponse
    FetchSnapshotResponse
    FindCoordinatorResponse
    GetTelemetrySubscriptionsResponse
    HeartbeatResponse
    IncrementalAlterConfigsResponse
    InitProducerIdResponse
    JoinGroupResponse
    LeaveGroupResponse
    ListConfigResourcesResponse
    ListGroupsResponse
    ListOffsetsResponse
    ListPartitionReassignmentsResponse
    ListTransactionsResponse
    MetadataResponse
    OffsetCommitResponse
    OffsetDeleteResponse
    OffsetFetchResponse
    OffsetForLeaderEpochResponse
    ProduceResponse
    PushTelemetryResponse
    RemoveRaftVoterResponse
    RenewDelegationTokenResponse
    ShareAcknowledgeResponse
    ShareFetchResponse
    ShareGroupDescribeResponse
    ShareGroupHeartbeatResponse
    StreamsGroupDescribeResponse
    StreamsGroupHeartbeatResponse
    StreamsGroupTopologyDescriptionUpdateResponse
    SyncGroupResponse
    TxnOffsetCommitResponse
    UnregisterBrokerResponse
    UnregisterControllerResponse
    UpdateFeaturesResponse
    UpdateRaftVoterResponse
}

without_throttle_time! {
    BeginQuorumEpochResponse
    DeleteShareGroupStateResponse
    DescribeQuorumResponse
    EndQuorumEpochResponse
    EnvelopeResponse
    InitializeShareGroupStateResponse
    ReadShareGroupStateResponse
    ReadShareGroupStateSummaryResponse
    SaslAuthenticateResponse
    SaslHandshakeResponse
    VoteResponse
    WriteShareGroupStateResponse
    WriteTxnMarkersResponse
}
