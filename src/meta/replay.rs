//! From records to images: batches of the metadata log are applied whole, to a copy, and published
//! as a new image.
//!
//! Records between BeginTransaction and EndTransaction are held back until the end, and dropped on
//! AbortTransaction (KIP-868). A record that does not fit the image is an error: the log is damaged
//! or newer than this software, and the node that replays it must stop. Never: waits, or changes an
//! image that was published.

use super::{
    changes::Changes,
    features::{self, METADATA_VERSION},
    image::{
        Broker, ConfigResource, ConfigResourceType, Configs, Map, MetadataImage, Provenance,
        QuotaEntity,
    },
    metalog::{Batch, BatchContent, ControlRecord},
    topic::PartitionRegistration,
};
use protocol::Uuid;
use protocol::metadata_records::*;
use std::{mem, sync::Arc};

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the metadata log cannot be replayed at offset {offset}: {reason}")]
pub struct ReplayError {
    pub offset: i64,
    pub reason: String,
}

/// Follows a log: the image of the records applied, and the transaction in progress.
#[derive(Clone, Debug)]
pub struct Replay {
    image: Arc<MetadataImage>,
    transaction: Option<Transaction>,
    /// Since they were taken.
    changes: Changes,
}

#[derive(Clone, Debug)]
struct Transaction {
    start_offset: i64,
    /// The image with the transaction's records applied.
    image: MetadataImage,
}

impl Replay {
    pub fn new(image: MetadataImage) -> Self {
        Self { image: Arc::new(image), transaction: None, changes: Changes::all_new() }
    }

    /// The image of everything that is complete.
    pub fn image(&self) -> &Arc<MetadataImage> {
        &self.image
    }

    /// What has changed since this was asked before. While a transaction is in progress nothing is
    /// said to have changed: what it changes shows when it ends.
    pub fn take_changes(&mut self) -> Changes {
        match self.transaction {
            None => mem::take(&mut self.changes),
            Some(_) => Changes::default(),
        }
    }

    /// Where the transaction in progress began.
    pub fn transaction_start(&self) -> Option<i64> {
        self.transaction.as_ref().map(|transaction| transaction.start_offset)
    }

    /// Applies one batch, as a whole or (on an error) not at all.
    pub fn apply(&mut self, batch: &Batch) -> Result<(), ReplayError> {
        let mut image = MetadataImage::clone(&self.image);
        let mut transaction = self.transaction.clone();
        match &batch.content {
            BatchContent::Records(records) => {
                for (offset, record) in (batch.base_offset..).zip(records) {
                    self.changes.note(record);
                    apply_record(&mut image, &mut transaction, record, offset)
                        .map_err(|reason| ReplayError { offset, reason })?;
                }
            }
            // Control records take effect at once, in a transaction or not.
            BatchContent::Control(records) => {
                for record in records {
                    image.replay_control(record, batch.epoch);
                    if let Some(transaction) = &mut transaction {
                        transaction.image.replay_control(record, batch.epoch);
                    }
                }
            }
        }
        // An image stays where it is while a transaction is in progress: its offset says what it
        // contains.
        if transaction.is_none() {
            image.provenance = Provenance {
                offset: batch.last_offset(),
                epoch: batch.epoch,
                timestamp_ms: batch.timestamp_ms,
            };
        }
        self.image = Arc::new(image);
        self.transaction = transaction;
        Ok(())
    }
}

fn apply_record(
    image: &mut MetadataImage,
    transaction: &mut Option<Transaction>,
    record: &MetadataRecord,
    offset: i64,
) -> Result<(), String> {
    match record {
        MetadataRecord::BeginTransaction(_) => {
            if let Some(transaction) = transaction {
                return Err(format!(
                    "the transaction begun at offset {} has not ended",
                    transaction.start_offset
                ));
            }
            *transaction = Some(Transaction { start_offset: offset, image: image.clone() });
        }
        MetadataRecord::EndTransaction(_) => {
            *image = transaction.take().ok_or("a transaction ends that has not begun")?.image;
        }
        MetadataRecord::AbortTransaction(_) => {
            transaction.take().ok_or("a transaction is aborted that has not begun")?;
        }
        record => transaction
            .as_mut()
            .map_or(image, |transaction| &mut transaction.image)
            .replay(record)?,
    }
    Ok(())
}

impl MetadataImage {
    /// Applies one record that stands outside of transactions. Err: why it does not fit.
    pub(super) fn replay(&mut self, record: &MetadataRecord) -> Result<(), String> {
        use MetadataRecord as R;
        match record {
            R::RegisterBroker(record) => self.register_broker(record.clone()),
            R::UnregisterBroker(record) => {
                self.broker_mut(record.broker_id, record.broker_epoch)?;
                self.brokers.remove_mut(&record.broker_id);
            }
            R::FenceBroker(record) => self.broker_mut(record.id, record.epoch)?.fenced = true,
            R::UnfenceBroker(record) => self.broker_mut(record.id, record.epoch)?.fenced = false,
            R::BrokerRegistrationChange(record) => self.change_registration(record)?,
            R::RegisterController(record) => self.register_controller(record.clone()),
            R::UnregisterController(record) => {
                remove(&mut self.controllers, &record.controller_id, "controller")?;
            }
            R::Topic(TopicRecord { name, topic_id }) => {
                if !self.topics.insert(name, *topic_id) {
                    return Err(format!("topic {name} ({topic_id}) exists already"));
                }
            }
            R::Partition(record) => self.replay_partition(record)?,
            R::PartitionChange(record) => self.replay_partition_change(record)?,
            R::RemoveTopic(record) => {
                let topic =
                    self.topics.remove(record.topic_id).ok_or_else(|| no_topic(record.topic_id))?;
                self.configs
                    .remove_mut(&ConfigResource::new(ConfigResourceType::Topic, &*topic.name));
            }
            R::ClearElr(record) => self.clear_elr(&record.topic_name)?,
            R::Config(record) => self.replay_config(record)?,
            R::FeatureLevel(record) => self.replay_feature_level(record)?,
            R::ProducerIds(record) => self.replay_producer_ids(record)?,
            R::ClientQuota(record) => self.replay_client_quota(record),
            R::UserScramCredential(record) => {
                self.scram_credentials
                    .insert_mut((record.name.clone(), record.mechanism), Arc::new(record.clone()));
            }
            R::RemoveUserScramCredential(record) => {
                remove(
                    &mut self.scram_credentials,
                    &(record.name.clone(), record.mechanism),
                    "SCRAM credential",
                )?;
            }
            R::AccessControlEntry(record) => {
                self.acls.insert_mut(record.id, Arc::new(record.clone()))
            }
            R::RemoveAccessControlEntry(record) => {
                remove(&mut self.acls, &record.id, "access control entry")?
            }
            R::DelegationToken(record) => {
                self.delegation_tokens
                    .insert_mut(record.token_id.clone(), Arc::new(record.clone()));
            }
            R::RemoveDelegationToken(record) => {
                remove(&mut self.delegation_tokens, &record.token_id, "delegation token")?;
            }
            // The end of ZooKeeper's records, and records that only move the offset.
            R::ZkMigrationState(_) | R::NoOp(_) => {}
            R::BeginTransaction(_) | R::EndTransaction(_) | R::AbortTransaction(_) => {
                return Err(
                    "a transaction begins or ends inside of a snapshot or a transaction".to_owned()
                );
            }
        }
        Ok(())
    }

    fn register_broker(&mut self, mut record: RegisterBrokerRecord) {
        // Features have no order of their own; one keeps equal registrations equal.
        record.features.sort_by(|a, b| a.name.cmp(&b.name));
        self.brokers.insert_mut(record.broker_id, Arc::new(Broker(record)));
    }

    fn register_controller(&mut self, mut record: RegisterControllerRecord) {
        record.features.sort_by(|a, b| a.name.cmp(&b.name));
        self.controllers.insert_mut(record.controller_id, Arc::new(record));
    }

    fn replay_producer_ids(&mut self, record: &ProducerIdsRecord) -> Result<(), String> {
        let (before, next) = (self.next_producer_id, record.next_producer_id);
        if next < before {
            return Err(format!("the next producer id falls from {before} to {next}"));
        }
        self.next_producer_id = next;
        Ok(())
    }

    pub(super) fn replay_control(&mut self, record: &ControlRecord, epoch: i32) {
        match record {
            ControlRecord::LeaderChange { leader_id, .. } => {
                let quorum = Arc::make_mut(&mut self.quorum);
                quorum.leader_id = *leader_id;
                quorum.leader_epoch = epoch;
            }
            ControlRecord::KraftVersion(level) => {
                Arc::make_mut(&mut self.quorum).kraft_version = *level
            }
            ControlRecord::Voters(voters) => {
                Arc::make_mut(&mut self.quorum).voters = voters.clone()
            }
            ControlRecord::SnapshotHeader { .. }
            | ControlRecord::SnapshotFooter
            | ControlRecord::Unknown => {}
        }
    }

    fn broker_mut(&mut self, id: i32, epoch: i64) -> Result<&mut RegisterBrokerRecord, String> {
        let broker =
            self.brokers.get_mut(&id).ok_or_else(|| format!("broker {id} is not registered"))?;
        if broker.0.broker_epoch != epoch {
            return Err(format!(
                "broker {id} is registered with epoch {}, not {epoch}",
                broker.0.broker_epoch
            ));
        }
        Ok(&mut Arc::make_mut(broker).0)
    }

    fn change_registration(
        &mut self,
        record: &BrokerRegistrationChangeRecord,
    ) -> Result<(), String> {
        let broker = self.broker_mut(record.broker_id, record.broker_epoch)?;
        match record.fenced {
            -1 => broker.fenced = false,
            0 => {}
            1 => broker.fenced = true,
            other => return Err(format!("{other} is no change of being fenced")),
        }
        match record.in_controlled_shutdown {
            0 => {}
            1 => broker.in_controlled_shutdown = true,
            other => return Err(format!("{other} is no change of the controlled shutdown")),
        }
        if !record.log_dirs.is_empty() {
            broker.log_dirs = record.log_dirs.clone();
        }
        if record.cordoned_log_dirs.is_some() {
            broker.cordoned_log_dirs = record.cordoned_log_dirs.clone();
        }
        Ok(())
    }

    fn replay_partition(&mut self, record: &PartitionRecord) -> Result<(), String> {
        let topic =
            self.topics.get_mut(record.topic_id).ok_or_else(|| no_topic(record.topic_id))?;
        let partition = PartitionRegistration::from_record(record).ok_or_else(|| {
            format!(
                "the record of partition {}-{} contradicts itself",
                topic.name, record.partition_id
            )
        })?;
        topic.partitions.insert(record.partition_id, Arc::new(partition));
        Ok(())
    }

    fn replay_partition_change(&mut self, record: &PartitionChangeRecord) -> Result<(), String> {
        let topic =
            self.topics.get_mut(record.topic_id).ok_or_else(|| no_topic(record.topic_id))?;
        let name = || format!("{}-{}", topic.name, record.partition_id);
        let partition = topic
            .partition(record.partition_id)
            .ok_or_else(|| format!("there is no partition {}", name()))?;
        let changed = partition
            .changed_by(record)
            .ok_or_else(|| format!("the change of partition {} contradicts itself", name()))?;
        topic.partitions.insert(record.partition_id, Arc::new(changed));
        Ok(())
    }

    /// An empty name stands for all topics.
    fn clear_elr(&mut self, name: &str) -> Result<(), String> {
        let ids: Vec<Uuid> = match name {
            "" => self.topics.iter().map(|topic| topic.id).collect(),
            name => vec![self.topics.id(name).ok_or_else(|| format!("there is no topic {name}"))?],
        };
        let cleared = PartitionChangeRecord {
            eligible_leader_replicas: Some(Vec::new()),
            last_known_elr: Some(Vec::new()),
            ..PartitionChangeRecord::default()
        };
        for id in ids {
            let has_elr = |partition: &PartitionRegistration| {
                !partition.elr.is_empty() || !partition.last_known_elr.is_empty()
            };
            let topic = self.topics.by_id(id).expect("ids are those of topics");
            if !topic.partitions.values().any(|partition| has_elr(partition)) {
                continue;
            }
            let topic = self.topics.get_mut(id).expect("ids are those of topics");
            for partition in topic.partitions.values_mut().filter(|partition| has_elr(partition)) {
                *partition =
                    Arc::new(partition.changed_by(&cleared).expect("no field contradicts another"));
            }
        }
        Ok(())
    }

    fn replay_config(&mut self, record: &ConfigRecord) -> Result<(), String> {
        let kind = ConfigResourceType::from_code(record.resource_type)
            .ok_or_else(|| format!("configs have no resource type {}", record.resource_type))?;
        let resource = ConfigResource::new(kind, record.resource_name.clone());
        let mut configs: Arc<Configs> = self.configs.get(&resource).cloned().unwrap_or_default();
        match &record.value {
            Some(value) => Arc::make_mut(&mut configs).insert(record.name.clone(), value.clone()),
            None => Arc::make_mut(&mut configs).remove(&record.name),
        };
        if configs.is_empty() {
            self.configs.remove_mut(&resource);
        } else {
            self.configs.insert_mut(resource, configs);
        }
        Ok(())
    }

    fn replay_feature_level(&mut self, record: &FeatureLevelRecord) -> Result<(), String> {
        // Early 4.0 snapshots have a level of kraft.version here; the control records are right
        // (KAFKA-18979).
        if record.name == features::KRAFT_VERSION {
            return Ok(());
        }
        let supported =
            features::feature(METADATA_VERSION).expect("a row of the table").supported.clone();
        if record.name == METADATA_VERSION && !supported.contains(&record.feature_level) {
            return Err(format!(
                "metadata.version {} is not supported, only {supported:?}",
                record.feature_level
            ));
        }
        let levels = Arc::make_mut(&mut self.features);
        match record.feature_level {
            0 => levels.remove(&record.name),
            level => levels.insert(record.name.clone(), level),
        };
        Ok(())
    }

    fn replay_client_quota(&mut self, record: &ClientQuotaRecord) {
        let mut entity: QuotaEntity = record
            .entity
            .iter()
            .map(|part| (part.entity_type.clone(), part.entity_name.clone()))
            .collect();
        entity.sort();
        let mut quotas = self.client_quotas.get(&entity).cloned().unwrap_or_default();
        if record.remove {
            Arc::make_mut(&mut quotas).remove(&record.key);
        } else {
            Arc::make_mut(&mut quotas).insert(record.key.clone(), record.value);
        }
        if quotas.is_empty() {
            self.client_quotas.remove_mut(&entity);
        } else {
            self.client_quotas.insert_mut(entity, quotas);
        }
    }
}

fn no_topic(id: Uuid) -> String {
    format!("there is no topic with id {id}")
}

fn remove<K: Ord + Clone + std::fmt::Debug, V>(
    map: &mut Map<K, Arc<V>>,
    key: &K,
    what: &str,
) -> Result<(), String> {
    if map.remove_mut(key) { Ok(()) } else { Err(format!("there is no {what} {key:?}")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::metadata_records::{RegisterControllerRecord, UnregisterControllerRecord};

    /// KIP-1312, and Kafka's controller ends where there is no such registration.
    #[test]
    fn a_controller_is_registered_until_it_is_unregistered() {
        let mut image = MetadataImage::empty("cluster");
        let register = RegisterControllerRecord { controller_id: 3, ..Default::default() };
        image.replay(&register.into()).unwrap();
        assert_eq!(image.controllers.size(), 1);
        let unregister = MetadataRecord::from(UnregisterControllerRecord { controller_id: 3 });
        image.replay(&unregister).unwrap();
        assert!(image.controllers.is_empty());
        assert_eq!(image.replay(&unregister), Err("there is no controller 3".to_owned()));
    }
}
