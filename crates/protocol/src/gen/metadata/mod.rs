// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! Records of the `__cluster_metadata` log.

pub mod abort_transaction_record;
pub mod access_control_entry_record;
pub mod begin_transaction_record;
pub mod broker_registration_change_record;
pub mod clear_elr_record;
pub mod client_quota_record;
pub mod config_record;
pub mod delegation_token_record;
pub mod end_transaction_record;
pub mod feature_level_record;
pub mod fence_broker_record;
pub mod no_op_record;
pub mod partition_change_record;
pub mod partition_record;
pub mod producer_ids_record;
pub mod register_broker_record;
pub mod register_controller_record;
pub mod remove_access_control_entry_record;
pub mod remove_delegation_token_record;
pub mod remove_topic_record;
pub mod remove_user_scram_credential_record;
pub mod topic_record;
pub mod unfence_broker_record;
pub mod unregister_broker_record;
pub mod unregister_controller_record;
pub mod user_scram_credential_record;
pub mod zk_migration_state_record;

pub use abort_transaction_record::AbortTransactionRecord;
pub use access_control_entry_record::AccessControlEntryRecord;
pub use begin_transaction_record::BeginTransactionRecord;
pub use broker_registration_change_record::BrokerRegistrationChangeRecord;
pub use clear_elr_record::ClearElrRecord;
pub use client_quota_record::ClientQuotaRecord;
pub use config_record::ConfigRecord;
pub use delegation_token_record::DelegationTokenRecord;
pub use end_transaction_record::EndTransactionRecord;
pub use feature_level_record::FeatureLevelRecord;
pub use fence_broker_record::FenceBrokerRecord;
pub use no_op_record::NoOpRecord;
pub use partition_change_record::PartitionChangeRecord;
pub use partition_record::PartitionRecord;
pub use producer_ids_record::ProducerIdsRecord;
pub use register_broker_record::RegisterBrokerRecord;
pub use register_controller_record::RegisterControllerRecord;
pub use remove_access_control_entry_record::RemoveAccessControlEntryRecord;
pub use remove_delegation_token_record::RemoveDelegationTokenRecord;
pub use remove_topic_record::RemoveTopicRecord;
pub use remove_user_scram_credential_record::RemoveUserScramCredentialRecord;
pub use topic_record::TopicRecord;
pub use unfence_broker_record::UnfenceBrokerRecord;
pub use unregister_broker_record::UnregisterBrokerRecord;
pub use unregister_controller_record::UnregisterControllerRecord;
pub use user_scram_credential_record::UserScramCredentialRecord;
pub use zk_migration_state_record::ZkMigrationStateRecord;

use super::prelude::*;
use crate::frame::RecordSet;

/// The metadata records, by record type.
#[derive(Clone, Debug, PartialEq)]
pub enum MetadataRecord {
    RegisterBroker(RegisterBrokerRecord),
    UnregisterBroker(UnregisterBrokerRecord),
    Topic(TopicRecord),
    Partition(PartitionRecord),
    Config(ConfigRecord),
    PartitionChange(PartitionChangeRecord),
    FenceBroker(FenceBrokerRecord),
    UnfenceBroker(UnfenceBrokerRecord),
    RemoveTopic(RemoveTopicRecord),
    DelegationToken(DelegationTokenRecord),
    UserScramCredential(UserScramCredentialRecord),
    FeatureLevel(FeatureLevelRecord),
    ClientQuota(ClientQuotaRecord),
    ProducerIds(ProducerIdsRecord),
    BrokerRegistrationChange(BrokerRegistrationChangeRecord),
    AccessControlEntry(AccessControlEntryRecord),
    RemoveAccessControlEntry(RemoveAccessControlEntryRecord),
    NoOp(NoOpRecord),
    ZkMigrationState(ZkMigrationStateRecord),
    RemoveUserScramCredential(RemoveUserScramCredentialRecord),
    BeginTransaction(BeginTransactionRecord),
    EndTransaction(EndTransactionRecord),
    AbortTransaction(AbortTransactionRecord),
    RemoveDelegationToken(RemoveDelegationTokenRecord),
    RegisterController(RegisterControllerRecord),
    ClearElr(ClearElrRecord),
    UnregisterController(UnregisterControllerRecord),
}

impl MetadataRecord {
    /// The schema's `apiKey`.
    pub fn record_type(&self) -> i16 {
        match self {
            Self::RegisterBroker(_) => 0,
            Self::UnregisterBroker(_) => 1,
            Self::Topic(_) => 2,
            Self::Partition(_) => 3,
            Self::Config(_) => 4,
            Self::PartitionChange(_) => 5,
            Self::FenceBroker(_) => 7,
            Self::UnfenceBroker(_) => 8,
            Self::RemoveTopic(_) => 9,
            Self::DelegationToken(_) => 10,
            Self::UserScramCredential(_) => 11,
            Self::FeatureLevel(_) => 12,
            Self::ClientQuota(_) => 14,
            Self::ProducerIds(_) => 15,
            Self::BrokerRegistrationChange(_) => 17,
            Self::AccessControlEntry(_) => 18,
            Self::RemoveAccessControlEntry(_) => 19,
            Self::NoOp(_) => 20,
            Self::ZkMigrationState(_) => 21,
            Self::RemoveUserScramCredential(_) => 22,
            Self::BeginTransaction(_) => 23,
            Self::EndTransaction(_) => 24,
            Self::AbortTransaction(_) => 25,
            Self::RemoveDelegationToken(_) => 26,
            Self::RegisterController(_) => 27,
            Self::ClearElr(_) => 28,
            Self::UnregisterController(_) => 29,
        }
    }

    /// The latest version of this record.
    pub fn max_version(&self) -> i16 {
        match self {
            Self::RegisterBroker(_) => RegisterBrokerRecord::MAX_VERSION,
            Self::UnregisterBroker(_) => UnregisterBrokerRecord::MAX_VERSION,
            Self::Topic(_) => TopicRecord::MAX_VERSION,
            Self::Partition(_) => PartitionRecord::MAX_VERSION,
            Self::Config(_) => ConfigRecord::MAX_VERSION,
            Self::PartitionChange(_) => PartitionChangeRecord::MAX_VERSION,
            Self::FenceBroker(_) => FenceBrokerRecord::MAX_VERSION,
            Self::UnfenceBroker(_) => UnfenceBrokerRecord::MAX_VERSION,
            Self::RemoveTopic(_) => RemoveTopicRecord::MAX_VERSION,
            Self::DelegationToken(_) => DelegationTokenRecord::MAX_VERSION,
            Self::UserScramCredential(_) => UserScramCredentialRecord::MAX_VERSION,
            Self::FeatureLevel(_) => FeatureLevelRecord::MAX_VERSION,
            Self::ClientQuota(_) => ClientQuotaRecord::MAX_VERSION,
            Self::ProducerIds(_) => ProducerIdsRecord::MAX_VERSION,
            Self::BrokerRegistrationChange(_) => BrokerRegistrationChangeRecord::MAX_VERSION,
            Self::AccessControlEntry(_) => AccessControlEntryRecord::MAX_VERSION,
            Self::RemoveAccessControlEntry(_) => RemoveAccessControlEntryRecord::MAX_VERSION,
            Self::NoOp(_) => NoOpRecord::MAX_VERSION,
            Self::ZkMigrationState(_) => ZkMigrationStateRecord::MAX_VERSION,
            Self::RemoveUserScramCredential(_) => RemoveUserScramCredentialRecord::MAX_VERSION,
            Self::BeginTransaction(_) => BeginTransactionRecord::MAX_VERSION,
            Self::EndTransaction(_) => EndTransactionRecord::MAX_VERSION,
            Self::AbortTransaction(_) => AbortTransactionRecord::MAX_VERSION,
            Self::RemoveDelegationToken(_) => RemoveDelegationTokenRecord::MAX_VERSION,
            Self::RegisterController(_) => RegisterControllerRecord::MAX_VERSION,
            Self::ClearElr(_) => ClearElrRecord::MAX_VERSION,
            Self::UnregisterController(_) => UnregisterControllerRecord::MAX_VERSION,
        }
    }
}

impl RecordSet for MetadataRecord {
    const NAME: &'static str = "metadata records";

    fn record_type(&self) -> i16 {
        self.record_type()
    }

    fn read_body(
        record_type: i16,
        reader: &mut Reader<'_>,
        version: i16,
    ) -> Result<Option<Self>, DecodeError> {
        Ok(Some(match record_type {
            0 => Self::RegisterBroker(RegisterBrokerRecord::decode(reader, version)?),
            1 => Self::UnregisterBroker(UnregisterBrokerRecord::decode(reader, version)?),
            2 => Self::Topic(TopicRecord::decode(reader, version)?),
            3 => Self::Partition(PartitionRecord::decode(reader, version)?),
            4 => Self::Config(ConfigRecord::decode(reader, version)?),
            5 => Self::PartitionChange(PartitionChangeRecord::decode(reader, version)?),
            7 => Self::FenceBroker(FenceBrokerRecord::decode(reader, version)?),
            8 => Self::UnfenceBroker(UnfenceBrokerRecord::decode(reader, version)?),
            9 => Self::RemoveTopic(RemoveTopicRecord::decode(reader, version)?),
            10 => Self::DelegationToken(DelegationTokenRecord::decode(reader, version)?),
            11 => Self::UserScramCredential(UserScramCredentialRecord::decode(reader, version)?),
            12 => Self::FeatureLevel(FeatureLevelRecord::decode(reader, version)?),
            14 => Self::ClientQuota(ClientQuotaRecord::decode(reader, version)?),
            15 => Self::ProducerIds(ProducerIdsRecord::decode(reader, version)?),
            17 => Self::BrokerRegistrationChange(BrokerRegistrationChangeRecord::decode(
                reader, version,
            )?),
            18 => Self::AccessControlEntry(AccessControlEntryRecord::decode(reader, version)?),
            19 => Self::RemoveAccessControlEntry(RemoveAccessControlEntryRecord::decode(
                reader, version,
            )?),
            20 => Self::NoOp(NoOpRecord::decode(reader, version)?),
            21 => Self::ZkMigrationState(ZkMigrationStateRecord::decode(reader, version)?),
            22 => Self::RemoveUserScramCredential(RemoveUserScramCredentialRecord::decode(
                reader, version,
            )?),
            23 => Self::BeginTransaction(BeginTransactionRecord::decode(reader, version)?),
            24 => Self::EndTransaction(EndTransactionRecord::decode(reader, version)?),
            25 => Self::AbortTransaction(AbortTransactionRecord::decode(reader, version)?),
            26 => {
                Self::RemoveDelegationToken(RemoveDelegationTokenRecord::decode(reader, version)?)
            }
            27 => Self::RegisterController(RegisterControllerRecord::decode(reader, version)?),
            28 => Self::ClearElr(ClearElrRecord::decode(reader, version)?),
            29 => Self::UnregisterController(UnregisterControllerRecord::decode(reader, version)?),
            _ => return Ok(None),
        }))
    }

    fn write_body(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        match self {
            Self::RegisterBroker(body) => body.encode(writer, version),
            Self::UnregisterBroker(body) => body.encode(writer, version),
            Self::Topic(body) => body.encode(writer, version),
            Self::Partition(body) => body.encode(writer, version),
            Self::Config(body) => body.encode(writer, version),
            Self::PartitionChange(body) => body.encode(writer, version),
            Self::FenceBroker(body) => body.encode(writer, version),
            Self::UnfenceBroker(body) => body.encode(writer, version),
            Self::RemoveTopic(body) => body.encode(writer, version),
            Self::DelegationToken(body) => body.encode(writer, version),
            Self::UserScramCredential(body) => body.encode(writer, version),
            Self::FeatureLevel(body) => body.encode(writer, version),
            Self::ClientQuota(body) => body.encode(writer, version),
            Self::ProducerIds(body) => body.encode(writer, version),
            Self::BrokerRegistrationChange(body) => body.encode(writer, version),
            Self::AccessControlEntry(body) => body.encode(writer, version),
            Self::RemoveAccessControlEntry(body) => body.encode(writer, version),
            Self::NoOp(body) => body.encode(writer, version),
            Self::ZkMigrationState(body) => body.encode(writer, version),
            Self::RemoveUserScramCredential(body) => body.encode(writer, version),
            Self::BeginTransaction(body) => body.encode(writer, version),
            Self::EndTransaction(body) => body.encode(writer, version),
            Self::AbortTransaction(body) => body.encode(writer, version),
            Self::RemoveDelegationToken(body) => body.encode(writer, version),
            Self::RegisterController(body) => body.encode(writer, version),
            Self::ClearElr(body) => body.encode(writer, version),
            Self::UnregisterController(body) => body.encode(writer, version),
        }
    }
}

impl From<RegisterBrokerRecord> for MetadataRecord {
    fn from(body: RegisterBrokerRecord) -> Self {
        Self::RegisterBroker(body)
    }
}

impl From<UnregisterBrokerRecord> for MetadataRecord {
    fn from(body: UnregisterBrokerRecord) -> Self {
        Self::UnregisterBroker(body)
    }
}

impl From<TopicRecord> for MetadataRecord {
    fn from(body: TopicRecord) -> Self {
        Self::Topic(body)
    }
}

impl From<PartitionRecord> for MetadataRecord {
    fn from(body: PartitionRecord) -> Self {
        Self::Partition(body)
    }
}

impl From<ConfigRecord> for MetadataRecord {
    fn from(body: ConfigRecord) -> Self {
        Self::Config(body)
    }
}

impl From<PartitionChangeRecord> for MetadataRecord {
    fn from(body: PartitionChangeRecord) -> Self {
        Self::PartitionChange(body)
    }
}

impl From<FenceBrokerRecord> for MetadataRecord {
    fn from(body: FenceBrokerRecord) -> Self {
        Self::FenceBroker(body)
    }
}

impl From<UnfenceBrokerRecord> for MetadataRecord {
    fn from(body: UnfenceBrokerRecord) -> Self {
        Self::UnfenceBroker(body)
    }
}

impl From<RemoveTopicRecord> for MetadataRecord {
    fn from(body: RemoveTopicRecord) -> Self {
        Self::RemoveTopic(body)
    }
}

impl From<DelegationTokenRecord> for MetadataRecord {
    fn from(body: DelegationTokenRecord) -> Self {
        Self::DelegationToken(body)
    }
}

impl From<UserScramCredentialRecord> for MetadataRecord {
    fn from(body: UserScramCredentialRecord) -> Self {
        Self::UserScramCredential(body)
    }
}

impl From<FeatureLevelRecord> for MetadataRecord {
    fn from(body: FeatureLevelRecord) -> Self {
        Self::FeatureLevel(body)
    }
}

impl From<ClientQuotaRecord> for MetadataRecord {
    fn from(body: ClientQuotaRecord) -> Self {
        Self::ClientQuota(body)
    }
}

impl From<ProducerIdsRecord> for MetadataRecord {
    fn from(body: ProducerIdsRecord) -> Self {
        Self::ProducerIds(body)
    }
}

impl From<BrokerRegistrationChangeRecord> for MetadataRecord {
    fn from(body: BrokerRegistrationChangeRecord) -> Self {
        Self::BrokerRegistrationChange(body)
    }
}

impl From<AccessControlEntryRecord> for MetadataRecord {
    fn from(body: AccessControlEntryRecord) -> Self {
        Self::AccessControlEntry(body)
    }
}

impl From<RemoveAccessControlEntryRecord> for MetadataRecord {
    fn from(body: RemoveAccessControlEntryRecord) -> Self {
        Self::RemoveAccessControlEntry(body)
    }
}

impl From<NoOpRecord> for MetadataRecord {
    fn from(body: NoOpRecord) -> Self {
        Self::NoOp(body)
    }
}

impl From<ZkMigrationStateRecord> for MetadataRecord {
    fn from(body: ZkMigrationStateRecord) -> Self {
        Self::ZkMigrationState(body)
    }
}

impl From<RemoveUserScramCredentialRecord> for MetadataRecord {
    fn from(body: RemoveUserScramCredentialRecord) -> Self {
        Self::RemoveUserScramCredential(body)
    }
}

impl From<BeginTransactionRecord> for MetadataRecord {
    fn from(body: BeginTransactionRecord) -> Self {
        Self::BeginTransaction(body)
    }
}

impl From<EndTransactionRecord> for MetadataRecord {
    fn from(body: EndTransactionRecord) -> Self {
        Self::EndTransaction(body)
    }
}

impl From<AbortTransactionRecord> for MetadataRecord {
    fn from(body: AbortTransactionRecord) -> Self {
        Self::AbortTransaction(body)
    }
}

impl From<RemoveDelegationTokenRecord> for MetadataRecord {
    fn from(body: RemoveDelegationTokenRecord) -> Self {
        Self::RemoveDelegationToken(body)
    }
}

impl From<RegisterControllerRecord> for MetadataRecord {
    fn from(body: RegisterControllerRecord) -> Self {
        Self::RegisterController(body)
    }
}

impl From<ClearElrRecord> for MetadataRecord {
    fn from(body: ClearElrRecord) -> Self {
        Self::ClearElr(body)
    }
}

impl From<UnregisterControllerRecord> for MetadataRecord {
    fn from(body: UnregisterControllerRecord) -> Self {
        Self::UnregisterController(body)
    }
}
