//! What records have changed in the metadata, so that a core that follows an image looks at that
//! alone.
//!
//! Owns: the list. Lives on: the core that replays the records; then plain data that every core
//! shares. Never: says what became of a thing: the image does. A thing may be listed though nothing
//! of it has changed in the end (its transaction was aborted).

use super::image::ConfigResourceType;
use protocol::{Uuid, metadata_records::MetadataRecord};
use std::collections::BTreeSet;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Anything may be new: an image that was not made of the one before.
    pub is_all_new: bool,
    /// Topics that were made, changed or deleted.
    pub topics: BTreeSet<Uuid>,
    /// Topics whose configs have changed, by name.
    pub topic_configs: BTreeSet<String>,
    /// Configs of brokers, or those that all of them share.
    pub broker_configs: bool,
    /// Quotas of clients.
    pub client_quotas: bool,
}

impl Changes {
    /// Before anything is known.
    pub fn all_new() -> Changes {
        Changes { is_all_new: true, ..Changes::default() }
    }

    /// These topics alone.
    pub fn of_topics(topics: impl IntoIterator<Item = Uuid>) -> Changes {
        Changes { topics: topics.into_iter().collect(), ..Changes::default() }
    }

    /// Takes in what has changed later. Beyond `max_listed` things, anything may be new: what is
    /// kept is bounded, and to look at everything costs no more than at so many.
    pub fn merge(&mut self, later: &Changes, max_listed: usize) {
        self.broker_configs |= later.broker_configs;
        self.client_quotas |= later.client_quotas;
        self.is_all_new |= later.is_all_new;
        if !self.is_all_new {
            self.topics.extend(&later.topics);
            self.topic_configs.extend(later.topic_configs.iter().cloned());
            self.is_all_new = self.topics.len() + self.topic_configs.len() > max_listed;
        }
        if self.is_all_new {
            (self.topics, self.topic_configs) = Default::default();
        }
    }

    pub(super) fn note(&mut self, record: &MetadataRecord) {
        match record {
            MetadataRecord::Topic(record) => self.note_topic(record.topic_id),
            MetadataRecord::Partition(record) => self.note_topic(record.topic_id),
            MetadataRecord::PartitionChange(record) => self.note_topic(record.topic_id),
            MetadataRecord::RemoveTopic(record) => self.note_topic(record.topic_id),
            MetadataRecord::Config(record) => {
                match ConfigResourceType::from_code(record.resource_type) {
                    Some(ConfigResourceType::Topic) => {
                        self.topic_configs.insert(record.resource_name.clone());
                    }
                    Some(ConfigResourceType::Broker) => self.broker_configs = true,
                    _ => {}
                }
            }
            MetadataRecord::ClientQuota(_) => self.client_quotas = true,
            // What else there is, no core keeps anything of: it looks into the image.
            _ => {}
        }
    }

    fn note_topic(&mut self, id: Uuid) {
        self.topics.insert(id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_is_taken_in_until_it_is_too_much() {
        let of = |ids: &[u128]| Changes::of_topics(ids.iter().map(|id| Uuid::from_u128(*id)));
        let mut merged = of(&[1, 2]);
        let configs =
            Changes { topic_configs: ["t".to_owned()].into(), broker_configs: true, ..of(&[2, 3]) };
        merged.merge(&configs, 4);
        assert_eq!(merged, Changes { topics: of(&[1, 2, 3]).topics, ..configs.clone() });
        merged.merge(&of(&[4]), 4);
        assert_eq!(merged, Changes { broker_configs: true, ..Changes::all_new() });
        merged.merge(&of(&[5]), 4);
        assert!(merged.topics.is_empty(), "all of them may be new already");
        let mut few = of(&[1]);
        few.merge(&Changes::all_new(), 4);
        assert_eq!(few, Changes::all_new());
    }
}
