//! How groups read the topics that are watched: their members, and how far they have committed.
//!
//! Owns: which broker coordinates which group. Lives on: the generator's thread. Never: joins a
//! group or commits an offset.

use super::{Watch, explained};
use crate::{
    dialer::error_of,
    profile::{seen::GroupSeen, wire::assigned_topics},
};
use protocol::{ErrorCode, messages::describe_groups_response::DescribedGroup};
use std::{collections::BTreeMap, rc::Rc};

/// Groups that are watched.
const GROUPS_MAX: usize = 5_000;
/// Groups whose offsets are asked for by the interval, in turn.
const ASKED_AT_ONCE: usize = 25;
const DESCRIBED_AT_ONCE: usize = 50;
/// How often it is looked for new groups and new members.
const LISTED_EVERY_S: f64 = 10.0;

#[derive(Default)]
pub struct Groups {
    /// Place among what was seen, and the coordinator.
    known: BTreeMap<String, (usize, Rc<str>)>,
    next: usize,
    listed_s: f64,
}

impl Watch {
    pub(super) async fn look_at_groups(&mut self) {
        if self.groups.listed_s + LISTED_EVERY_S <= self.wire.now_s() {
            self.list_groups().await;
        }
        self.ask_groups(ASKED_AT_ONCE).await;
    }

    /// Asks every broker for its groups, and for their members.
    pub(super) async fn list_groups(&mut self) {
        self.groups.listed_s = self.wire.now_s();
        for broker in self.wire.brokers() {
            if self.away.get(&broker).is_some_and(|until_s| *until_s > self.wire.now_s()) {
                continue;
            }
            let ids = match self.wire.groups(&broker).await {
                Ok(ids) => ids,
                Err(error) => {
                    self.remark(format!("Groups are not known of a broker: {error:#}."));
                    continue;
                }
            };
            for ids in ids.chunks(DESCRIBED_AT_ONCE) {
                match self.wire.describe_groups(&broker, ids).await {
                    Ok(described) => {
                        described.iter().for_each(|group| self.take_group(&broker, group));
                    }
                    Err(error) => {
                        self.remark(format!("Members of groups are not known: {error:#}."));
                    }
                }
            }
        }
    }

    fn take_group(&mut self, coordinator: &Rc<str>, group: &DescribedGroup) {
        let is_known = self.groups.known.contains_key(&group.group_id);
        if !is_known && self.groups.known.len() == GROUPS_MAX {
            self.remark(format!(
                "There are more than {GROUPS_MAX} groups: the others are left out."
            ));
            return;
        }
        let seen = &mut self.seen.groups;
        let known = self.groups.known.entry(group.group_id.clone()).or_insert_with(|| {
            seen.push(GroupSeen { id: group.group_id.clone(), ..GroupSeen::default() });
            (seen.len() - 1, coordinator.clone())
        });
        known.1 = coordinator.clone();
        let seen = &mut seen[known.0];
        match error_of(group.error_code) {
            ErrorCode::None => {
                let is_as_large = group.members.len() >= seen.members;
                seen.members = seen.members.max(group.members.len());
                // What it was while it was largest.
                if is_as_large {
                    seen.state.clone_from(&group.group_state);
                    seen.protocol_type.clone_from(&group.protocol_type);
                }
                let names = &self.places;
                let assigned = assigned_topics(group).into_iter();
                seen.assigned.extend(assigned.filter(|name| names.contains_key(name.as_str())));
            }
            // KIP-848: its members are another question; its offsets are not.
            ErrorCode::GroupIdNotFound => {
                "of the new protocol, members not known".clone_into(&mut seen.state);
            }
            error => seen.unknown = Some(explained(error)),
        }
    }

    /// Asks some groups for their offsets, in turn.
    pub(super) async fn ask_groups(&mut self, count: usize) {
        let known: Vec<(String, usize, Rc<str>)> = self
            .groups
            .known
            .iter()
            .map(|(id, (place, coordinator))| (id.clone(), *place, coordinator.clone()))
            .collect();
        for step in 0..count.min(known.len()) {
            let (id, place, coordinator) = &known[(self.groups.next + step) % known.len()];
            let is_away =
                self.away.get(coordinator).is_some_and(|until| *until > self.wire.now_s());
            if is_away || self.seen.groups[*place].unknown.is_some() {
                continue;
            }
            match self.wire.committed(coordinator, id).await {
                Ok(offsets) => {
                    let group = &mut self.seen.groups[*place];
                    for ((topic, partition), at) in offsets {
                        if self.places.contains_key(topic.as_str()) {
                            group.committed.entry((topic, partition)).or_default().add(at);
                        }
                    }
                }
                Err(error) => {
                    self.remark(format!("Offsets of group '{id}' are not known: {error:#}."));
                }
            }
        }
        self.groups.next = self.groups.next.wrapping_add(count.min(known.len()));
    }
}
