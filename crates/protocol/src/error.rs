//! Kafka's error codes, kept by hand after `org.apache.kafka.common.protocol.Errors` of 4.4.0: the
//! schemas do not hold them.

macro_rules! error_codes {
    ($($(#[$attribute:ident])? $variant:ident = $code:literal, $name:literal,
        $message:literal;)*) => {
        /// The code a client sees. `None` means success, as in Kafka.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
        #[repr(i16)]
        pub enum ErrorCode {
            $(#[doc = $message] $(#[$attribute])? $variant = $code,)*
        }

        impl ErrorCode {
            pub const ALL: &'static [ErrorCode] = &[$(ErrorCode::$variant),*];

            /// None: no such code in this release.
            pub fn from_code(code: i16) -> Option<ErrorCode> {
                match code {
                    $($code => Some(ErrorCode::$variant),)*
                    _ => None,
                }
            }

            /// Kafka's name.
            pub fn name(self) -> &'static str {
                match self {
                    $(ErrorCode::$variant => $name,)*
                }
            }

            /// What happened, for a person; sent where a response has an error message.
            pub fn message(self) -> &'static str {
                match self {
                    $(ErrorCode::$variant => $message,)*
                }
            }
        }
    };
}

error_codes! {
    UnknownServerError = -1, "UNKNOWN_SERVER_ERROR", "the broker failed in an unexpected way; its \
        log says more";
    #[default] None = 0, "NONE", "no error";
    OffsetOutOfRange = 1, "OFFSET_OUT_OF_RANGE", "the offset is outside of the log";
    CorruptMessage = 2, "CORRUPT_MESSAGE", "the record batch is damaged: checksum, size or keys \
        are wrong";
    UnknownTopicOrPartition = 3, "UNKNOWN_TOPIC_OR_PARTITION", "this broker does not know the \
        topic or partition";
    InvalidFetchSize = 4, "INVALID_FETCH_SIZE", "the fetch size is invalid";
    LeaderNotAvailable = 5, "LEADER_NOT_AVAILABLE", "the partition has no leader at present";
    NotLeaderOrFollower = 6, "NOT_LEADER_OR_FOLLOWER", "this broker does not lead the partition, \
        or holds no replica of it";
    RequestTimedOut = 7, "REQUEST_TIMED_OUT", "the request did not finish in time";
    BrokerNotAvailable = 8, "BROKER_NOT_AVAILABLE", "the broker is not available";
    ReplicaNotAvailable = 9, "REPLICA_NOT_AVAILABLE", "the replica is not available on this broker";
    MessageTooLarge = 10, "MESSAGE_TOO_LARGE", "the record batch is larger than the topic allows";
    StaleControllerEpoch = 11, "STALE_CONTROLLER_EPOCH", "the controller has changed";
    OffsetMetadataTooLarge = 12, "OFFSET_METADATA_TOO_LARGE", "the text committed beside the \
        offset is too long";
    NetworkException = 13, "NETWORK_EXCEPTION", "the connection was lost before the response";
    CoordinatorLoadInProgress = 14, "COORDINATOR_LOAD_IN_PROGRESS", "the coordinator is still \
        loading its state";
    CoordinatorNotAvailable = 15, "COORDINATOR_NOT_AVAILABLE", "the coordinator is not available";
    NotCoordinator = 16, "NOT_COORDINATOR", "this broker is not the coordinator";
    InvalidTopicException = 17, "INVALID_TOPIC_EXCEPTION", "the topic name is invalid, or the \
        topic may not be used this way";
    RecordListTooLarge = 18, "RECORD_LIST_TOO_LARGE", "the record batch is larger than a segment";
    NotEnoughReplicas = 19, "NOT_ENOUGH_REPLICAS", "fewer replicas are in sync than \
        min.insync.replicas asks for; nothing was written";
    NotEnoughReplicasAfterAppend = 20, "NOT_ENOUGH_REPLICAS_AFTER_APPEND", "the records are \
        written, but fewer replicas are in sync than min.insync.replicas asks for";
    InvalidRequiredAcks = 21, "INVALID_REQUIRED_ACKS", "acks must be -1, 0 or 1";
    IllegalGeneration = 22, "ILLEGAL_GENERATION", "the generation is not that of the group";
    InconsistentGroupProtocol = 23, "INCONSISTENT_GROUP_PROTOCOL", "the member shares no protocol \
        with the group";
    InvalidGroupId = 24, "INVALID_GROUP_ID", "the group id is invalid";
    UnknownMemberId = 25, "UNKNOWN_MEMBER_ID", "the group has no such member";
    InvalidSessionTimeout = 26, "INVALID_SESSION_TIMEOUT", "the session timeout is outside of the \
        limits that the broker sets";
    RebalanceInProgress = 27, "REBALANCE_IN_PROGRESS", "the group is rebalancing; join again";
    InvalidCommitOffsetSize = 28, "INVALID_COMMIT_OFFSET_SIZE", "the committed offset is too \
        large to store";
    TopicAuthorizationFailed = 29, "TOPIC_AUTHORIZATION_FAILED", "not authorized for the topic";
    GroupAuthorizationFailed = 30, "GROUP_AUTHORIZATION_FAILED", "not authorized for the group";
    ClusterAuthorizationFailed = 31, "CLUSTER_AUTHORIZATION_FAILED", "not authorized for the \
        cluster";
    InvalidTimestamp = 32, "INVALID_TIMESTAMP", "a timestamp is outside of the range that the \
        topic accepts";
    UnsupportedSaslMechanism = 33, "UNSUPPORTED_SASL_MECHANISM", "the SASL mechanism is not \
        enabled";
    IllegalSaslState = 34, "ILLEGAL_SASL_STATE", "the request does not fit the state of the SASL \
        exchange";
    UnsupportedVersion = 35, "UNSUPPORTED_VERSION", "this version of the API is not supported";
    TopicAlreadyExists = 36, "TOPIC_ALREADY_EXISTS", "a topic of this name exists";
    InvalidPartitions = 37, "INVALID_PARTITIONS", "the number of partitions is invalid";
    InvalidReplicationFactor = 38, "INVALID_REPLICATION_FACTOR", "the replication factor is below \
        1 or above the number of brokers";
    InvalidReplicaAssignment = 39, "INVALID_REPLICA_ASSIGNMENT", "the assignment of replicas is \
        invalid";
    InvalidConfig = 40, "INVALID_CONFIG", "a configuration is invalid";
    NotController = 41, "NOT_CONTROLLER", "this node is not the active controller";
    InvalidRequest = 42, "INVALID_REQUEST", "the request is malformed or contradicts itself";
    UnsupportedForMessageFormat = 43, "UNSUPPORTED_FOR_MESSAGE_FORMAT", "the stored record format \
        does not support the request";
    PolicyViolation = 44, "POLICY_VIOLATION", "the request violates a policy of this cluster";
    OutOfOrderSequenceNumber = 45, "OUT_OF_ORDER_SEQUENCE_NUMBER", "the producer's sequence \
        number leaves a gap";
    DuplicateSequenceNumber = 46, "DUPLICATE_SEQUENCE_NUMBER", "the producer's sequence number \
        was used before";
    InvalidProducerEpoch = 47, "INVALID_PRODUCER_EPOCH", "the producer's epoch is out of date";
    InvalidTxnState = 48, "INVALID_TXN_STATE", "the transaction is not in a state that allows this";
    InvalidProducerIdMapping = 49, "INVALID_PRODUCER_ID_MAPPING", "the producer id does not \
        belong to the transactional id";
    InvalidTransactionTimeout = 50, "INVALID_TRANSACTION_TIMEOUT", "the transaction timeout is \
        above transaction.max.timeout.ms";
    ConcurrentTransactions = 51, "CONCURRENT_TRANSACTIONS", "another operation on this \
        transaction is under way";
    TransactionCoordinatorFenced = 52, "TRANSACTION_COORDINATOR_FENCED", "a newer transaction \
        coordinator has taken over";
    TransactionalIdAuthorizationFailed = 53, "TRANSACTIONAL_ID_AUTHORIZATION_FAILED", "not \
        authorized for the transactional id";
    SecurityDisabled = 54, "SECURITY_DISABLED", "no authorizer is configured";
    OperationNotAttempted = 55, "OPERATION_NOT_ATTEMPTED", "not attempted, because another \
        operation of the request failed";
    KafkaStorageError = 56, "KAFKA_STORAGE_ERROR", "the disk below the partition failed";
    LogDirNotFound = 57, "LOG_DIR_NOT_FOUND", "the broker has no such log directory";
    SaslAuthenticationFailed = 58, "SASL_AUTHENTICATION_FAILED", "authentication failed";
    UnknownProducerId = 59, "UNKNOWN_PRODUCER_ID", "the partition holds no records of this \
        producer any more";
    ReassignmentInProgress = 60, "REASSIGNMENT_IN_PROGRESS", "a reassignment of the partition is \
        under way";
    DelegationTokenAuthDisabled = 61, "DELEGATION_TOKEN_AUTH_DISABLED", "delegation tokens are \
        not enabled";
    DelegationTokenNotFound = 62, "DELEGATION_TOKEN_NOT_FOUND", "there is no such delegation token";
    DelegationTokenOwnerMismatch = 63, "DELEGATION_TOKEN_OWNER_MISMATCH", "the delegation token \
        may only be changed by its owner or a renewer";
    DelegationTokenRequestNotAllowed = 64, "DELEGATION_TOKEN_REQUEST_NOT_ALLOWED", "delegation \
        tokens may not be requested over this connection";
    DelegationTokenAuthorizationFailed = 65, "DELEGATION_TOKEN_AUTHORIZATION_FAILED", "not \
        authorized for the delegation token";
    DelegationTokenExpired = 66, "DELEGATION_TOKEN_EXPIRED", "the delegation token has expired";
    InvalidPrincipalType = 67, "INVALID_PRINCIPAL_TYPE", "the type of principal is not supported";
    NonEmptyGroup = 68, "NON_EMPTY_GROUP", "the group still has members";
    GroupIdNotFound = 69, "GROUP_ID_NOT_FOUND", "there is no such group";
    FetchSessionIdNotFound = 70, "FETCH_SESSION_ID_NOT_FOUND", "there is no such fetch session";
    InvalidFetchSessionEpoch = 71, "INVALID_FETCH_SESSION_EPOCH", "the epoch of the fetch session \
        is not the one expected";
    ListenerNotFound = 72, "LISTENER_NOT_FOUND", "the leader has no listener of the name this \
        request came through";
    TopicDeletionDisabled = 73, "TOPIC_DELETION_DISABLED", "delete.topic.enable is false";
    FencedLeaderEpoch = 74, "FENCED_LEADER_EPOCH", "the leader epoch is older than the current one";
    UnknownLeaderEpoch = 75, "UNKNOWN_LEADER_EPOCH", "the leader epoch is newer than this broker \
        knows";
    UnsupportedCompressionType = 76, "UNSUPPORTED_COMPRESSION_TYPE", "the client's version does \
        not support the compression of the partition";
    StaleBrokerEpoch = 77, "STALE_BROKER_EPOCH", "the broker epoch is out of date";
    OffsetNotAvailable = 78, "OFFSET_NOT_AVAILABLE", "the new leader does not know the high \
        watermark yet";
    MemberIdRequired = 79, "MEMBER_ID_REQUIRED", "join again with the member id of this response";
    PreferredLeaderNotAvailable = 80, "PREFERRED_LEADER_NOT_AVAILABLE", "the preferred leader is \
        not available";
    GroupMaxSizeReached = 81, "GROUP_MAX_SIZE_REACHED", "the group has reached its maximum size";
    FencedInstanceId = 82, "FENCED_INSTANCE_ID", "another member has taken over this \
        group.instance.id";
    EligibleLeadersNotAvailable = 83, "ELIGIBLE_LEADERS_NOT_AVAILABLE", "no replica may become \
        leader";
    ElectionNotNeeded = 84, "ELECTION_NOT_NEEDED", "the partition needs no election";
    NoReassignmentInProgress = 85, "NO_REASSIGNMENT_IN_PROGRESS", "no reassignment of the \
        partition is under way";
    GroupSubscribedToTopic = 86, "GROUP_SUBSCRIBED_TO_TOPIC", "the group is subscribed to the \
        topic";
    InvalidRecord = 87, "INVALID_RECORD", "a record does not satisfy the topic";
    UnstableOffsetCommit = 88, "UNSTABLE_OFFSET_COMMIT", "a transaction that commits offsets is \
        still open";
    ThrottlingQuotaExceeded = 89, "THROTTLING_QUOTA_EXCEEDED", "the quota is used up";
    ProducerFenced = 90, "PRODUCER_FENCED", "a newer producer uses this transactional id";
    ResourceNotFound = 91, "RESOURCE_NOT_FOUND", "there is no such resource";
    DuplicateResource = 92, "DUPLICATE_RESOURCE", "the request names a resource twice";
    UnacceptableCredential = 93, "UNACCEPTABLE_CREDENTIAL", "the credential is not acceptable";
    InconsistentVoterSet = 94, "INCONSISTENT_VOTER_SET", "sender or receiver is not a voter";
    InvalidUpdateVersion = 95, "INVALID_UPDATE_VERSION", "the state has changed since it was read";
    FeatureUpdateFailed = 96, "FEATURE_UPDATE_FAILED", "the finalized features could not be \
        updated";
    PrincipalDeserializationFailure = 97, "PRINCIPAL_DESERIALIZATION_FAILURE", "the forwarded \
        principal cannot be read";
    SnapshotNotFound = 98, "SNAPSHOT_NOT_FOUND", "there is no such snapshot";
    PositionOutOfRange = 99, "POSITION_OUT_OF_RANGE", "the position is outside of the snapshot";
    UnknownTopicId = 100, "UNKNOWN_TOPIC_ID", "this broker does not know the topic id";
    DuplicateBrokerRegistration = 101, "DUPLICATE_BROKER_REGISTRATION", "another process is \
        registered with this broker id";
    BrokerIdNotRegistered = 102, "BROKER_ID_NOT_REGISTERED", "no broker is registered with this id";
    InconsistentTopicId = 103, "INCONSISTENT_TOPIC_ID", "the topic id is not that of the stored \
        log";
    InconsistentClusterId = 104, "INCONSISTENT_CLUSTER_ID", "the cluster id is not that of this \
        cluster";
    TransactionalIdNotFound = 105, "TRANSACTIONAL_ID_NOT_FOUND", "there is no such transactional \
        id";
    FetchSessionTopicIdError = 106, "FETCH_SESSION_TOPIC_ID_ERROR", "the fetch session mixes \
        topic ids and names";
    IneligibleReplica = 107, "INELIGIBLE_REPLICA", "a replica may not join the in-sync set now";
    NewLeaderElected = 108, "NEW_LEADER_ELECTED", "the change was made, and elected another leader";
    OffsetMovedToTieredStorage = 109, "OFFSET_MOVED_TO_TIERED_STORAGE", "the offset is in tiered \
        storage";
    FencedMemberEpoch = 110, "FENCED_MEMBER_EPOCH", "the member is fenced: give up all partitions \
        and join again";
    UnreleasedInstanceId = 111, "UNRELEASED_INSTANCE_ID", "another member still uses this \
        instance id";
    UnsupportedAssignor = 112, "UNSUPPORTED_ASSIGNOR", "the group does not support the assignor";
    StaleMemberEpoch = 113, "STALE_MEMBER_EPOCH", "the member epoch is out of date; heartbeat \
        first";
    MismatchedEndpointType = 114, "MISMATCHED_ENDPOINT_TYPE", "the request came to an endpoint of \
        the wrong type";
    UnsupportedEndpointType = 115, "UNSUPPORTED_ENDPOINT_TYPE", "the type of endpoint is not \
        supported";
    UnknownControllerId = 116, "UNKNOWN_CONTROLLER_ID", "there is no such controller";
    UnknownSubscriptionId = 117, "UNKNOWN_SUBSCRIPTION_ID", "the telemetry subscription is \
        unknown or out of date";
    TelemetryTooLarge = 118, "TELEMETRY_TOO_LARGE", "the telemetry is larger than the broker \
        accepts";
    InvalidRegistration = 119, "INVALID_REGISTRATION", "the controller refuses the registration";
    TransactionAbortable = 120, "TRANSACTION_ABORTABLE", "the transaction failed; abort it and go \
        on with the same transactional id";
    InvalidRecordState = 121, "INVALID_RECORD_STATE", "the record is not in a state that allows \
        this acknowledgement";
    ShareSessionNotFound = 122, "SHARE_SESSION_NOT_FOUND", "there is no such share session";
    InvalidShareSessionEpoch = 123, "INVALID_SHARE_SESSION_EPOCH", "the epoch of the share \
        session is not the one expected";
    FencedStateEpoch = 124, "FENCED_STATE_EPOCH", "the state epoch of the share group does not \
        match";
    InvalidVoterKey = 125, "INVALID_VOTER_KEY", "the voter's key is not that of the receiver";
    DuplicateVoter = 126, "DUPLICATE_VOTER", "the voter is in the set already";
    VoterNotFound = 127, "VOTER_NOT_FOUND", "the voter is not in the set";
    InvalidRegularExpression = 128, "INVALID_REGULAR_EXPRESSION", "the regular expression is \
        invalid";
    RebootstrapRequired = 129, "REBOOTSTRAP_REQUIRED", "the client's metadata is out of date; \
        bootstrap again";
    StreamsInvalidTopology = 130, "STREAMS_INVALID_TOPOLOGY", "the topology is invalid";
    StreamsInvalidTopologyEpoch = 131, "STREAMS_INVALID_TOPOLOGY_EPOCH", "the topology epoch is \
        invalid";
    StreamsTopologyFenced = 132, "STREAMS_TOPOLOGY_FENCED", "the topology epoch is out of date";
    ShareSessionLimitReached = 133, "SHARE_SESSION_LIMIT_REACHED", "the broker holds as many \
        share sessions as it may";
    GroupDeletionFailed = 134, "GROUP_DELETION_FAILED", "the group could not be deleted";
    StreamsTopologyDescriptionUpdateFailed = 135, "STREAMS_TOPOLOGY_DESCRIPTION_UPDATE_FAILED",
        "the description of the topology could not be updated";
    ControllerIdNotRegistered = 136, "CONTROLLER_ID_NOT_REGISTERED", "no controller is registered \
        with this id";
}

impl ErrorCode {
    pub fn code(self) -> i16 {
        self as i16
    }

    /// Clients try again after it (a `RetriableException` in Java).
    pub fn is_retriable(self) -> bool {
        use ErrorCode::*;
        matches!(
            self,
            CorruptMessage
                | UnknownTopicOrPartition
                | LeaderNotAvailable
                | NotLeaderOrFollower
                | RequestTimedOut
                | ReplicaNotAvailable
                | NetworkException
                | CoordinatorLoadInProgress
                | CoordinatorNotAvailable
                | NotCoordinator
                | NotEnoughReplicas
                | NotEnoughReplicasAfterAppend
                | NotController
                | ConcurrentTransactions
                | KafkaStorageError
                | FetchSessionIdNotFound
                | InvalidFetchSessionEpoch
                | ListenerNotFound
                | FencedLeaderEpoch
                | UnknownLeaderEpoch
                | OffsetNotAvailable
                | PreferredLeaderNotAvailable
                | EligibleLeadersNotAvailable
                | ElectionNotNeeded
                | UnstableOffsetCommit
                | ThrottlingQuotaExceeded
                | UnknownTopicId
                | InconsistentTopicId
                | FetchSessionTopicIdError
                | ShareSessionNotFound
                | InvalidShareSessionEpoch
                | ShareSessionLimitReached
        )
    }
}

impl std::fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_release() {
        assert_eq!(ErrorCode::ALL.len(), 138);
        for (index, error) in ErrorCode::ALL.iter().enumerate() {
            assert_eq!(error.code(), index as i16 - 1);
            assert_eq!(ErrorCode::from_code(error.code()), Some(*error));
        }
        assert_eq!(ErrorCode::from_code(137), None);
        assert_eq!(ErrorCode::ALL.iter().filter(|error| error.is_retriable()).count(), 32);
        assert_eq!(ErrorCode::default(), ErrorCode::None);
    }
}
