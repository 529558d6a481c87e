//! The group coordinator: the state machine over `__consumer_offsets`.
//!
//! All of it is pure and lives on the core that leads the group's partition. [`machine`] is
//! everything that the partition says, with the events that change it; [`group`] the kinds of
//! groups; [`records`] the bytes of the log and [`request`] what clients ask. Of classic groups,
//! [`classic`] is the state, [`rebalance`] its phases, [`join`], [`sync`] and [`membership`] the
//! requests that drive them; [`admin`] is what operators ask of all kinds.

pub(super) mod admin;
pub(super) mod classic;
pub(super) mod group;
pub(super) mod join;
pub(super) mod machine;
pub(super) mod member;
pub(super) mod membership;
mod rebalance;
pub(super) mod records;
pub mod request;
mod subscription;
pub(super) mod sync;

use std::sync::Arc;

use protocol::messages::JoinGroupResponse;

use super::batch::CoordinatorRecord;
use super::runtime;
use member::ParkedJoin;
use request::Response;

pub use admin::GroupSummary;
pub use machine::Groups;

/// What the operator configures; the caller fills it from the broker's properties.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupSettings {
    /// `group.min.session.timeout.ms`
    pub min_session_timeout_ms: i32,
    /// `group.max.session.timeout.ms`
    pub max_session_timeout_ms: i32,
    /// `group.initial.rebalance.delay.ms`
    pub initial_rebalance_delay_ms: i64,
    /// `group.max.size`, in members
    pub group_max_size: i32,
    /// `offset.metadata.max.bytes`, in UTF-16 code units as in Kafka
    pub offset_metadata_max_size: usize,
    /// `offsets.retention.minutes`
    pub offsets_retention_ms: i64,
    /// `offsets.retention.check.interval.ms`
    pub retention_check_interval_ms: i64,
    /// The largest batch that the log of `__consumer_offsets` takes: the topic's
    /// `max.message.bytes`.
    pub max_batch_bytes: usize,
}

impl Default for GroupSettings {
    /// Kafka's defaults.
    fn default() -> GroupSettings {
        GroupSettings {
            min_session_timeout_ms: 6_000,
            max_session_timeout_ms: 1_800_000,
            initial_rebalance_delay_ms: 3_000,
            group_max_size: i32::MAX,
            offset_metadata_max_size: 4_096,
            offsets_retention_ms: 7 * 24 * 60 * 60 * 1000,
            retention_check_interval_ms: 600_000,
            max_batch_bytes: 1_048_588,
        }
    }
}

/// What happens when a deadline passes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TimerKey {
    /// The member was not heard of for its session timeout, or a pending member never came back.
    Session { group: Arc<str>, member: Arc<str> },
    /// The join phase of a rebalance has taken its time.
    Join(Arc<str>),
    /// The sync phase of a rebalance has taken its time.
    Sync(Arc<str>),
    /// Look for expired offsets and empty groups.
    Cleanup,
}

/// The producer in whose transaction a batch is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransactionalProducer {
    pub id: i64,
    pub epoch: i16,
}

pub(super) type Context<'a> = runtime::Context<'a, Groups>;

impl Context<'_> {
    /// Writes a record of its own, which is part of the state already.
    pub(in crate::coord) fn append(&mut self, record: CoordinatorRecord) {
        self.append_as(None, record);
    }

    /// Versions before 7 know no null for the protocol's name, later ones no empty name.
    pub(in crate::coord) fn reply_join(
        &mut self,
        join: ParkedJoin,
        mut response: JoinGroupResponse,
    ) {
        let name = response.protocol_name.take().filter(|name| !name.is_empty());
        response.protocol_name =
            if join.api_version < 7 { Some(name.unwrap_or_default()) } else { name };
        self.reply(join.token, Response::JoinGroup(response));
    }

    pub(in crate::coord) fn schedule_session(
        &mut self,
        group: &Arc<str>,
        member: &Arc<str>,
        timeout_ms: i64,
    ) {
        let key = TimerKey::Session { group: group.clone(), member: member.clone() };
        self.timers.schedule(key, self.clock_ms + timeout_ms);
    }

    pub(in crate::coord) fn cancel_session(&mut self, group: &Arc<str>, member: &str) {
        self.timers.cancel(&TimerKey::Session { group: group.clone(), member: Arc::from(member) });
    }
}

/// Kafka's form of a member id: the client id or instance id, then a random UUID (RFC 9562, version
/// 4).
pub(super) fn member_id_from(prefix: &str, random: u128) -> String {
    let bits = random & !(0xf << 76) & !(0b11 << 62) | 0x4 << 76 | 0b10 << 62;
    let hex = format!("{bits:032x}");
    format!(
        "{prefix}-{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn member_ids_end_in_a_version_4_uuid() {
        assert_eq!(member_id_from("c", 0), "c-00000000-0000-4000-8000-000000000000");
        assert_eq!(member_id_from("", u128::MAX), "-ffffffff-ffff-4fff-bfff-ffffffffffff");
    }
}
