//! From images to records: the shortest list whose replay gives the image again, in the order that
//! Kafka writes.

use super::{
    features::METADATA_VERSION,
    image::{ConfigResourceType, MetadataImage},
};
use protocol::metadata_records::{client_quota_record::EntityData, *};

impl MetadataImage {
    /// The records of a snapshot of this image. `metadata.version` leads: it says how to read what
    /// follows.
    pub fn to_records(&self) -> Vec<MetadataRecord> {
        let mut records = Vec::new();
        self.feature_records(&mut records);
        records.extend(
            self.brokers.values().map(|broker| MetadataRecord::RegisterBroker(broker.0.clone())),
        );
        records.extend(
            self.controllers
                .values()
                .map(|record| MetadataRecord::RegisterController(record.as_ref().clone())),
        );
        for topic in self.topics.iter() {
            records.push(MetadataRecord::Topic(TopicRecord {
                name: topic.name.to_string(),
                topic_id: topic.id,
            }));
            records.extend(topic.partitions.iter().map(|(&index, partition)| {
                MetadataRecord::Partition(partition.to_record(topic.id, index))
            }));
        }
        self.config_records(&mut records);
        self.quota_records(&mut records);
        if self.next_producer_id > 0 {
            // Whom the last block was given to is of no use to a reader of the snapshot.
            let next_producer_id = self.next_producer_id;
            let record = ProducerIdsRecord { broker_id: -1, broker_epoch: -1, next_producer_id };
            records.push(MetadataRecord::ProducerIds(record));
        }
        records.extend(
            self.acls
                .values()
                .map(|record| MetadataRecord::AccessControlEntry(record.as_ref().clone())),
        );
        records.extend(
            self.scram_credentials
                .values()
                .map(|record| MetadataRecord::UserScramCredential(record.as_ref().clone())),
        );
        records.extend(
            self.delegation_tokens
                .values()
                .map(|record| MetadataRecord::DelegationToken(record.as_ref().clone())),
        );
        records
    }

    fn feature_records(&self, records: &mut Vec<MetadataRecord>) {
        let level = |name: &str, feature_level| {
            MetadataRecord::FeatureLevel(FeatureLevelRecord {
                name: name.to_owned(),
                feature_level,
            })
        };
        records.extend(
            self.features.get_key_value(METADATA_VERSION).map(|(name, &value)| level(name, value)),
        );
        let others = self.features.iter().filter(|(name, _)| *name != METADATA_VERSION);
        records.extend(others.map(|(name, &value)| level(name, value)));
    }

    fn config_records(&self, records: &mut Vec<MetadataRecord>) {
        for (resource, configs) in self.configs.iter() {
            records.extend(configs.iter().map(|(name, value)| {
                config_record(resource.kind, &resource.name, name, Some(value.clone()))
            }));
        }
    }

    fn quota_records(&self, records: &mut Vec<MetadataRecord>) {
        for (entity, quotas) in self.client_quotas.iter() {
            let entity: Vec<EntityData> = entity
                .iter()
                .map(|(entity_type, entity_name)| EntityData {
                    entity_type: entity_type.clone(),
                    entity_name: entity_name.clone(),
                })
                .collect();
            records.extend(quotas.iter().map(|(key, &value)| {
                let record = ClientQuotaRecord {
                    entity: entity.clone(),
                    key: key.clone(),
                    value,
                    remove: false,
                };
                MetadataRecord::ClientQuota(record)
            }));
        }
    }
}

/// `value` None removes the config.
pub fn config_record(
    kind: ConfigResourceType,
    resource: &str,
    name: &str,
    value: Option<String>,
) -> MetadataRecord {
    MetadataRecord::Config(ConfigRecord {
        resource_type: kind.code(),
        resource_name: resource.to_owned(),
        name: name.to_owned(),
        value,
    })
}
