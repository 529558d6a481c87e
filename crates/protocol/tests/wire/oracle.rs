//! The `kafka-protocol` crate as second opinion: it must read what we write, and write the same
//! bytes.

use crate::generated::SCHEMAS;
use crate::schema::random_message;
use bytes::{Bytes, BytesMut};
use kafka_protocol::protocol::{Decodable, Encodable, Message};

const SEEDS: u64 = 8;

/// Compares in every version both know; answers how many.
fn compare<M: Message + Decodable + Encodable>(name: &str) -> usize {
    let schema = SCHEMAS
        .iter()
        .find(|schema| schema.set == "rpc" && schema.name == name)
        .expect("every RPC has a schema");
    let low = schema.versions.0.max(M::VERSIONS.min);
    let high = schema.versions.1.min(M::VERSIONS.max);
    for version in low..=high {
        for seed in 100..100 + SEEDS {
            let ours = (schema.recode)(&random_message(schema, version, seed), version)
                .expect("our own bytes");
            let mut input = Bytes::from(ours.clone());
            let message = M::decode(&mut input, version)
                .unwrap_or_else(|error| panic!("{name} v{version}: {error}"));
            assert!(input.is_empty(), "{name} v{version} leaves bytes");
            let mut theirs = BytesMut::new();
            message
                .encode(&mut theirs, version)
                .unwrap_or_else(|error| panic!("{name} v{version}: {error}"));
            assert_eq!(theirs, ours, "{name} v{version}, seed {seed}");
        }
    }
    usize::try_from(high - low + 1).unwrap_or(0)
}

macro_rules! compare_all {
    ($($name:ident),* $(,)?) => {
        [$(compare::<kafka_protocol::messages::$name>(stringify!($name))),*].iter().sum::<usize>()
    };
}

#[test]
fn agrees_on_every_version_it_knows() {
    // Every request, response and header but those of streams groups, which the crate lacks.
    let compared = compare_all! {
        AddOffsetsToTxnRequest, AddOffsetsToTxnResponse, AddPartitionsToTxnRequest,
        AddPartitionsToTxnResponse,
        AddRaftVoterRequest, AddRaftVoterResponse, AllocateProducerIdsRequest,
        AllocateProducerIdsResponse,
        AlterClientQuotasRequest, AlterClientQuotasResponse, AlterConfigsRequest,
        AlterConfigsResponse,
        AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse,
        AlterPartitionRequest,
        AlterPartitionResponse, AlterReplicaLogDirsRequest, AlterReplicaLogDirsResponse,
        AlterShareGroupOffsetsRequest, AlterShareGroupOffsetsResponse,
        AlterUserScramCredentialsRequest,
        AlterUserScramCredentialsResponse, ApiVersionsRequest, ApiVersionsResponse,
        AssignReplicasToDirsRequest,
        AssignReplicasToDirsResponse, BeginQuorumEpochRequest, BeginQuorumEpochResponse,
        BrokerHeartbeatRequest,
        BrokerHeartbeatResponse, BrokerRegistrationRequest, BrokerRegistrationResponse,
        ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse, ConsumerGroupHeartbeatRequest,
        ConsumerGroupHeartbeatResponse, ControllerRegistrationRequest,
        ControllerRegistrationResponse,
        CreateAclsRequest, CreateAclsResponse, CreateDelegationTokenRequest,
        CreateDelegationTokenResponse,
        CreatePartitionsRequest, CreatePartitionsResponse, CreateTopicsRequest,
        CreateTopicsResponse,
        DeleteAclsRequest, DeleteAclsResponse, DeleteGroupsRequest, DeleteGroupsResponse,
        DeleteRecordsRequest,
        DeleteRecordsResponse, DeleteShareGroupOffsetsRequest, DeleteShareGroupOffsetsResponse,
        DeleteShareGroupStateRequest, DeleteShareGroupStateResponse, DeleteTopicsRequest,
        DeleteTopicsResponse,
        DescribeAclsRequest, DescribeAclsResponse, DescribeClientQuotasRequest,
        DescribeClientQuotasResponse,
        DescribeClusterRequest, DescribeClusterResponse, DescribeConfigsRequest,
        DescribeConfigsResponse,
        DescribeDelegationTokenRequest, DescribeDelegationTokenResponse, DescribeGroupsRequest,
        DescribeGroupsResponse, DescribeLogDirsRequest, DescribeLogDirsResponse,
        DescribeProducersRequest,
        DescribeProducersResponse, DescribeQuorumRequest, DescribeQuorumResponse,
        DescribeShareGroupOffsetsRequest, DescribeShareGroupOffsetsResponse,
        DescribeTopicPartitionsRequest,
        DescribeTopicPartitionsResponse, DescribeTransactionsRequest, DescribeTransactionsResponse,
        DescribeUserScramCredentialsRequest, DescribeUserScramCredentialsResponse,
        ElectLeadersRequest,
        ElectLeadersResponse, EndQuorumEpochRequest, EndQuorumEpochResponse, EndTxnRequest,
        EndTxnResponse,
        EnvelopeRequest, EnvelopeResponse, ExpireDelegationTokenRequest,
        ExpireDelegationTokenResponse,
        FetchRequest, FetchResponse, FetchSnapshotRequest, FetchSnapshotResponse,
        FindCoordinatorRequest,
        FindCoordinatorResponse, GetTelemetrySubscriptionsRequest,
        GetTelemetrySubscriptionsResponse,
        HeartbeatRequest, HeartbeatResponse, IncrementalAlterConfigsRequest,
        IncrementalAlterConfigsResponse,
        InitProducerIdRequest, InitProducerIdResponse, InitializeShareGroupStateRequest,
        InitializeShareGroupStateResponse, JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest,
        LeaveGroupResponse, ListConfigResourcesRequest, ListConfigResourcesResponse,
        ListGroupsRequest,
        ListGroupsResponse, ListOffsetsRequest, ListOffsetsResponse,
        ListPartitionReassignmentsRequest,
        ListPartitionReassignmentsResponse, ListTransactionsRequest, ListTransactionsResponse,
        MetadataRequest,
        MetadataResponse, OffsetCommitRequest, OffsetCommitResponse, OffsetDeleteRequest,
        OffsetDeleteResponse,
        OffsetFetchRequest, OffsetFetchResponse, OffsetForLeaderEpochRequest,
        OffsetForLeaderEpochResponse,
        ProduceRequest, ProduceResponse, PushTelemetryRequest, PushTelemetryResponse,
        ReadShareGroupStateRequest, ReadShareGroupStateResponse, ReadShareGroupStateSummaryRequest,
        ReadShareGroupStateSummaryResponse, RemoveRaftVoterRequest, RemoveRaftVoterResponse,
        RenewDelegationTokenRequest, RenewDelegationTokenResponse, RequestHeader, ResponseHeader,
        SaslAuthenticateRequest, SaslAuthenticateResponse, SaslHandshakeRequest,
        SaslHandshakeResponse,
        ShareAcknowledgeRequest, ShareAcknowledgeResponse, ShareFetchRequest, ShareFetchResponse,
        ShareGroupDescribeRequest, ShareGroupDescribeResponse, ShareGroupHeartbeatRequest,
        ShareGroupHeartbeatResponse, SyncGroupRequest, SyncGroupResponse, TxnOffsetCommitRequest,
        TxnOffsetCommitResponse, UnregisterBrokerRequest, UnregisterBrokerResponse,
        UpdateFeaturesRequest,
        UpdateFeaturesResponse, UpdateRaftVoterRequest, UpdateRaftVoterResponse, VoteRequest,
        VoteResponse,
        WriteShareGroupStateRequest, WriteShareGroupStateResponse, WriteTxnMarkersRequest,
        WriteTxnMarkersResponse
    };
    assert!(compared > 400, "only {compared} versions compared");
}
