//! Fetch sessions (KIP-227): a consumer names its partitions once, then only what changes.
//!
//! Owns: the sessions of the connections of one core. Lives on: every core. Never: holds more than
//! `max.incremental.fetch.session.cache.slots` (shared out evenly over the cores) or more
//! partitions than there is memory for, or knows records.
//!
//! A session is found on the core that made it. A client that comes back over another connection
//! may land on another core; it is told FETCH_SESSION_ID_NOT_FOUND and begins a new session, as
//! after a restart of the broker.

use crate::{
    limits,
    memory::{Charge, Memory, Use},
};
use protocol::{error::ErrorCode, uuid::Uuid};
use ring::Instant;
use rustc_hash::{FxHashMap, FxHashSet};
use std::{rc::Rc, time::Duration};

/// A session in use is safe from eviction by new ones for this long (Kafka:
/// MIN_INCREMENTAL_FETCH_SESSION_EVICTION_MS).
const EVICTION_AGE: Duration = Duration::from_secs(120);

/// `session_id` of a fetch without a session.
pub const NO_SESSION: i32 = 0;
/// `session_epoch` of a fetch that wants a new session.
const INITIAL_EPOCH: i32 = 0;
/// `session_epoch` of a fetch that wants no session, and ends the one it names.
const FINAL_EPOCH: i32 = -1;

/// One partition that a consumer fetches, as it last said.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// The name, where the request goes by names (up to v12).
    pub topic: Option<Rc<str>>,
    /// What the name takes where no route has it: this fetch has it alone.
    pub own_name_bytes: u16,
    pub topic_id: Uuid,
    pub index: i32,
    pub fetch_offset: i64,
    pub current_leader_epoch: i32,
    pub last_fetched_epoch: i32,
    pub max_bytes: i32,
    /// What the last response said of it: an incremental response leaves out what has not changed.
    pub said_high_watermark: i64,
    pub said_log_start_offset: i64,
    /// The last response had records of it.
    pub said_records: bool,
}

impl Target {
    fn key(&self) -> Key<'_> {
        (self.topic.as_deref(), self.topic_id, self.index)
    }

    /// Takes what a request says; what the last response said stays.
    fn apply(&mut self, named: Target) {
        let (high_watermark, log_start) = (self.said_high_watermark, self.said_log_start_offset);
        *self = named;
        (self.said_high_watermark, self.said_log_start_offset) = (high_watermark, log_start);
    }

    pub fn is_same_topic(&self, other: &Target) -> bool {
        self.topic_id == other.topic_id && self.topic == other.topic
    }
}

/// What tells the partitions of a session apart.
type Key<'a> = (Option<&'a str>, Uuid, i32);

/// Up to so many pairs of partitions are compared one by one, which allocates nothing.
const PAIRS_COMPARED_MAX: usize = 4096;

/// A partition that the consumer fetches no more.
pub struct Forgotten {
    pub topic: Option<Rc<str>>,
    pub topic_id: Uuid,
    pub index: i32,
}

struct Session {
    epoch: i32,
    by_ids: bool,
    /// None while a fetch of the session is under way: it has them, and brings them back with what
    /// was said.
    targets: Vec<Target>,
    under_way: bool,
    /// How many partitions it had when it was last looked at.
    size: usize,
    /// What they take.
    charge: Charge,
    created: Instant,
    last_used: Instant,
}

pub struct Sessions {
    all: FxHashMap<i32, Session>,
    max: usize,
    memory: Rc<Memory>,
}

/// What a fetch request comes to.
#[derive(Debug, PartialEq)]
pub struct Plan {
    /// `NO_SESSION` for a fetch without one.
    pub session_id: i32,
    pub targets: Vec<Target>,
    /// Only what changed goes into the response.
    pub incremental: bool,
}

impl Sessions {
    pub fn new(max: usize, memory: Rc<Memory>) -> Sessions {
        Sessions { all: FxHashMap::default(), max, memory }
    }

    /// Decides what to fetch. A plan with a session has all its targets, until [`Sessions::said`]
    /// brings them back: none is copied. `random` is used for the id of a new session.
    pub fn plan(
        &mut self,
        (session_id, session_epoch): (i32, i32),
        by_ids: bool,
        mut named: Vec<Target>,
        forgotten: &[Forgotten],
        now: Instant,
        random: impl FnMut() -> u64,
    ) -> Result<Plan, ErrorCode> {
        if session_epoch == INITIAL_EPOCH || session_epoch == FINAL_EPOCH {
            if session_id != NO_SESSION {
                self.all.remove(&session_id);
            }
            let wants_session = session_epoch == INITIAL_EPOCH && !named.is_empty();
            let session_id =
                if wants_session { self.create(by_ids, &named, now, random) } else { NO_SESSION };
            return Ok(Plan { session_id, targets: named, incremental: false });
        }
        let session = self.all.get_mut(&session_id).ok_or(ErrorCode::FetchSessionIdNotFound)?;
        if session.epoch != session_epoch {
            return Err(ErrorCode::InvalidFetchSessionEpoch);
        }
        if session.by_ids != by_ids {
            return Err(ErrorCode::FetchSessionTopicIdError);
        }
        if session.under_way {
            // Another connection fetches with it, and no consumer does that: this one makes a new
            // session.
            return Err(ErrorCode::FetchSessionIdNotFound);
        }
        assert_eq!(session.targets.len(), session.size, "session {session_id} has all it had");
        let is_as_before = named.is_empty() && forgotten.is_empty();
        session.update(&mut named, forgotten);
        let size = session.targets.len();
        if !is_as_before {
            // What it had makes room for what it has.
            session.charge = self.memory.charge(Use::FetchSessions, 0);
            session.charge = self.memory.charge(Use::FetchSessions, bytes_of(&session.targets));
        }
        if size > limits::FETCH_PARTITIONS_MAX || !self.memory.has_room(Use::FetchSessions, 0) {
            // More than one request may name, or than there is room for; it was brought together by
            // many.
            self.all.remove(&session_id);
            return Err(ErrorCode::FetchSessionIdNotFound);
        }
        session.epoch = if session.epoch == i32::MAX { 1 } else { session.epoch + 1 };
        session.last_used = now;
        assert!(session.epoch > INITIAL_EPOCH, "epoch {} of a session", session.epoch);
        session.size = size;
        session.under_way = true;
        std::mem::swap(&mut session.targets, &mut named);
        Ok(Plan { session_id, targets: named, incremental: true })
    }

    /// Takes back the targets of a plan, with what a response said. Partitions that had data go to
    /// the end, so that none starves behind a busy one. `targets` keeps its room only.
    pub fn said(&mut self, session_id: i32, targets: &mut Vec<Target>) {
        let Some(session) = self.all.get_mut(&session_id) else { return };
        assert!(session.under_way, "session {session_id} has lent its partitions");
        assert!(session.targets.is_empty(), "all of them");
        assert_eq!(targets.len(), session.size, "session {session_id} gets back what it has lent");
        session.targets.extend(targets.extract_if(.., |target| target.said_records));
        targets.append(&mut session.targets);
        std::mem::swap(&mut session.targets, targets);
        session.under_way = false;
    }

    /// Ends a session that its client does not know of, if there is one.
    pub fn forget(&mut self, session_id: i32) {
        self.all.remove(&session_id);
    }

    fn create(
        &mut self,
        by_ids: bool,
        named: &[Target],
        now: Instant,
        mut random: impl FnMut() -> u64,
    ) -> i32 {
        let (size, bytes) = (named.len(), bytes_of(named));
        if bytes > self.memory.plan().fetch_sessions {
            return NO_SESSION;
        }
        while self.all.len() >= self.max || !self.memory.has_room(Use::FetchSessions, bytes) {
            if !self.evict(size, now) {
                return NO_SESSION;
            }
        }
        let session_id = loop {
            let id = (random() & 0x7fff_ffff) as i32;
            if id != NO_SESSION && !self.all.contains_key(&id) {
                break id;
            }
        };
        let (targets, under_way) = (Vec::new(), true);
        let charge = self.memory.charge(Use::FetchSessions, bytes);
        assert!(self.memory.has_room(Use::FetchSessions, 0), "a new session has found room");
        let session = Session {
            epoch: 1,
            by_ids,
            targets,
            under_way,
            size,
            charge,
            created: now,
            last_used: now,
        };
        let before = self.all.insert(session_id, session);
        assert!(before.is_none(), "a new session has an id of its own");
        assert!(self.all.len() <= self.max, "{} sessions of {}", self.all.len(), self.max);
        session_id
    }

    /// Makes room for a session of `size` partitions: an idle one goes, or one that is smaller and
    /// old enough.
    fn evict(&mut self, size: usize, now: Instant) -> bool {
        let Some((&id, oldest)) =
            self.all.iter().min_by_key(|(id, session)| (session.last_used, **id))
        else {
            return false;
        };
        let is_idle = now.since(oldest.last_used) > EVICTION_AGE;
        let is_smaller = oldest.size < size && now.since(oldest.created) > EVICTION_AGE;
        let evict = is_idle || is_smaller;
        if evict {
            self.all.remove(&id);
        }
        evict
    }
}

/// What the partitions of a session take. Topic names are shared with the routes where there are
/// such; else they count with each partition, since the last one that has a name keeps it.
fn bytes_of(targets: &[Target]) -> usize {
    let names = targets.iter().map(|target| usize::from(target.own_name_bytes));
    size_of_val(targets) + names.sum::<usize>()
}

impl Session {
    /// Takes up what a request names and drops what it forgets, in one pass over the session where
    /// it has many. `named` keeps its room only.
    fn update(&mut self, named: &mut Vec<Target>, forgotten: &[Forgotten]) {
        if named.len() * self.targets.len() <= PAIRS_COMPARED_MAX {
            for target in named.drain(..) {
                match self.targets.iter_mut().find(|known| known.key() == target.key()) {
                    Some(known) => known.apply(target),
                    None => self.targets.push(target),
                }
            }
        } else {
            // Where a partition is named twice, the last time counts.
            let by_key: FxHashMap<Key<'_>, usize> =
                named.iter().enumerate().map(|(place, target)| (target.key(), place)).collect();
            let mut is_new: Vec<bool> = named
                .iter()
                .enumerate()
                .map(|(place, target)| by_key[&target.key()] == place)
                .collect();
            for known in &mut self.targets {
                let Some(place) = by_key.get(&known.key()).copied() else { continue };
                known.apply(named[place].clone());
                is_new[place] = false;
            }
            let mut is_new = is_new.into_iter();
            self.targets.extend(named.drain(..).filter(|_| is_new.next() == Some(true)));
        }
        assert!(named.is_empty(), "what a request names is the session's from then on");
        if !forgotten.is_empty() {
            let gone: FxHashSet<Key<'_>> = forgotten
                .iter()
                .map(|gone| (gone.topic.as_deref(), gone.topic_id, gone.index))
                .collect();
            self.targets.retain(|target| !gone.contains(&target.key()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory;

    fn target(index: i32, fetch_offset: i64) -> Target {
        Target {
            topic: Some("t".into()),
            own_name_bytes: 0,
            topic_id: Uuid::ZERO,
            index,
            fetch_offset,
            current_leader_epoch: -1,
            last_fetched_epoch: -1,
            max_bytes: 1024,
            said_high_watermark: -1,
            said_log_start_offset: -1,
            said_records: false,
        }
    }

    fn indexes(plan: &Plan) -> Vec<i32> {
        plan.targets.iter().map(|target| target.index).collect()
    }

    fn sessions(max: usize) -> (Sessions, impl FnMut() -> u64) {
        let mut id = 0;
        let random = move || {
            id += 1;
            id
        };
        (Sessions::new(max, Memory::new(memory::Plan::default())), random)
    }

    #[test]
    fn a_session_remembers_adds_and_forgets() {
        let (mut sessions, mut random) = sessions(10);
        let now = Instant(0);
        let mut first = sessions
            .plan((0, 0), false, vec![target(0, 5), target(1, 7)], &[], now, &mut random)
            .unwrap();
        assert_eq!((first.session_id, first.incremental), (1, false));
        sessions.said(1, &mut first.targets);
        let named = vec![target(1, 8), target(2, 0), target(1, 9)];
        let mut again = sessions.plan((1, 1), false, named, &[], now, &mut random).unwrap();
        assert_eq!(
            (indexes(&again), again.targets[1].fetch_offset, again.incremental),
            (vec![0, 1, 2], 9, true)
        );
        sessions.said(1, &mut again.targets);
        let gone = [Forgotten { topic: Some("t".into()), topic_id: Uuid::ZERO, index: 0 }];
        let mut fewer = sessions.plan((1, 2), false, vec![], &gone, now, &mut random).unwrap();
        assert_eq!(indexes(&fewer), [1, 2]);
        fewer.targets[0].said_records = true;
        sessions.said(1, &mut fewer.targets);
        assert_eq!(
            indexes(&sessions.plan((1, 3), false, vec![], &[], now, &mut random).unwrap()),
            [2, 1]
        );
    }

    /// Naming and forgetting a hundred thousand partitions compared each with all.
    #[test]
    fn a_session_of_a_hundred_thousand_partitions_changes_in_one_guard() {
        const MANY: i32 = 100_000;
        let (mut sessions, mut random) = sessions(10);
        let now = Instant(0);
        let all = |offset| (0..MANY).map(|index| target(index, offset)).collect::<Vec<_>>();
        let mut plan = sessions.plan((0, 0), false, all(0), &[], now, &mut random).unwrap();
        plan.targets.iter_mut().for_each(|target| target.said_high_watermark = 3);
        sessions.said(1, &mut plan.targets);
        let gone = |index| Forgotten { topic: Some("t".into()), topic_id: Uuid::ZERO, index };
        let gone: Vec<_> = (0..MANY).filter(|index| index % 2 == 0).map(gone).collect();
        let plan = sessions.plan((1, 1), false, all(9), &gone, now, &mut random).unwrap();
        assert_eq!(indexes(&plan), (0..MANY).filter(|index| index % 2 == 1).collect::<Vec<_>>());
        assert!(
            plan.targets
                .iter()
                .all(|target| (target.fetch_offset, target.said_high_watermark) == (9, 3))
        );
    }

    #[test]
    fn a_session_that_is_used_twice_at_once_is_begun_anew() {
        let (mut sessions, mut random) = sessions(10);
        let mut plan =
            |ids| sessions.plan(ids, false, vec![target(0, 0)], &[], Instant(0), &mut random);
        assert_eq!(plan((0, 0)).unwrap().session_id, 1);
        assert_eq!(plan((1, 1)).unwrap_err(), ErrorCode::FetchSessionIdNotFound);
        assert_eq!(plan((1, 0)).unwrap().session_id, 2);
    }

    #[test]
    fn wrong_epochs_ids_and_kinds_are_refused() {
        let (mut sessions, mut random) = sessions(10);
        let now = Instant(0);
        let mut made =
            sessions.plan((0, 0), false, vec![target(0, 0)], &[], now, &mut random).unwrap();
        sessions.said(1, &mut made.targets);
        let mut plan =
            |ids, by_ids| sessions.plan(ids, by_ids, vec![], &[], now, &mut random).unwrap_err();
        assert_eq!(plan((9, 1), false), ErrorCode::FetchSessionIdNotFound);
        assert_eq!(plan((1, 2), false), ErrorCode::InvalidFetchSessionEpoch);
        assert_eq!(plan((1, 1), true), ErrorCode::FetchSessionTopicIdError);
    }

    #[test]
    fn a_full_cache_evicts_the_idle_and_else_gives_no_session() {
        let (mut sessions, mut random) = sessions(1);
        let (start, later) = (Instant(0), Instant(0) + EVICTION_AGE + Duration::from_secs(1));
        let mut create = |now| {
            sessions
                .plan((0, 0), false, vec![target(0, 0)], &[], now, &mut random)
                .unwrap()
                .session_id
        };
        assert_eq!(create(start), 1);
        assert_eq!(create(start), NO_SESSION);
        assert_eq!(create(later), 2);
    }

    #[test]
    fn the_final_epoch_ends_the_session() {
        let (mut sessions, mut random) = sessions(10);
        sessions.plan((0, 0), false, vec![target(0, 0)], &[], Instant(0), &mut random).unwrap();
        let last = sessions
            .plan((1, -1), false, vec![target(0, 0)], &[], Instant(0), &mut random)
            .unwrap();
        assert_eq!((last.session_id, sessions.all.len()), (NO_SESSION, 0));
    }

    /// A hundred sessions of a hundred thousand partitions, each begun and left, held 0.9 GB.
    #[test]
    fn sessions_have_no_more_partitions_than_there_is_room_for() {
        let bytes = |partitions: usize| partitions * size_of::<Target>();
        let plan = memory::Plan { fetch_sessions: bytes(10), ..memory::Plan::default() };
        let (mut sessions, mut random) = (Sessions::new(100, Memory::new(plan)), 1..);
        let memory = sessions.memory.clone();
        let mut plan = |sessions: &mut Sessions, ids, named: std::ops::Range<i32>, now| {
            let named = named.map(|index| target(index, 0)).collect();
            let plan = sessions.plan(ids, false, named, &[], now, || random.next().unwrap());
            plan.map(|mut plan| {
                sessions.said(plan.session_id, &mut plan.targets);
                plan.session_id
            })
        };
        let (start, later) = (Instant(0), Instant(0) + EVICTION_AGE + Duration::from_secs(1));
        assert_eq!(
            plan(&mut sessions, (0, 0), 0..11, start),
            Ok(NO_SESSION),
            "more than there ever is"
        );
        assert_eq!(plan(&mut sessions, (0, 0), 0..4, start), Ok(1));
        assert_eq!(plan(&mut sessions, (0, 0), 0..5, start), Ok(2));
        assert_eq!(plan(&mut sessions, (0, 0), 0..2, start), Ok(NO_SESSION));
        assert_eq!(plan(&mut sessions, (2, 1), 5..6, start), Ok(2), "it grows while there is room");
        assert_eq!(
            plan(&mut sessions, (2, 2), 6..7, start),
            Err(ErrorCode::FetchSessionIdNotFound)
        );
        assert_eq!(memory.used(Use::FetchSessions), bytes(4), "one that finds no room is ended");
        assert_eq!(plan(&mut sessions, (0, 0), 0..10, later), Ok(3), "idle ones make room");
        assert_eq!(memory.used(Use::FetchSessions), bytes(10));
        drop(sessions);
        assert_eq!(memory.used(Use::FetchSessions), 0);
    }

    /// Two thousand partitions whose topics do not exist held 64 MB that no account knew of.
    #[test]
    fn names_that_a_session_has_alone_take_its_room() {
        let plan = memory::Plan { fetch_sessions: 100_000, ..memory::Plan::default() };
        let (mut sessions, mut random) = (Sessions::new(100, Memory::new(plan)), 1..);
        let memory = sessions.memory.clone();
        let mut plan = |sessions: &mut Sessions, ids, index, own_name_bytes| {
            let named = vec![Target { own_name_bytes, ..target(index, 0) }];
            let mut random = || random.next().unwrap();
            let plan = sessions.plan(ids, false, named, &[], Instant(0), &mut random);
            plan.map(|mut plan| {
                sessions.said(plan.session_id, &mut plan.targets);
                plan.session_id
            })
        };
        assert_eq!(plan(&mut sessions, (0, 0), 0, 32_000), Ok(1));
        assert_eq!(memory.used(Use::FetchSessions), 32_000 + size_of::<Target>());
        assert_eq!(plan(&mut sessions, (1, 1), 1, 32_000), Ok(1));
        assert_eq!(memory.used(Use::FetchSessions), 2 * (32_000 + size_of::<Target>()));
        assert_eq!(plan(&mut sessions, (1, 2), 1, 0), Ok(1), "the topic has come");
        assert_eq!(memory.used(Use::FetchSessions), 32_000 + 2 * size_of::<Target>());
        assert_eq!(plan(&mut sessions, (0, 0), 0, 65_000), Ok(2));
        assert_eq!(plan(&mut sessions, (0, 0), 0, 32_000), Ok(NO_SESSION));
        assert_eq!(
            plan(&mut sessions, (2, 1), 1, 32_000),
            Err(ErrorCode::FetchSessionIdNotFound),
            "it may not grow further"
        );
    }

    /// A client that has to wait gets no session; one that has one keeps it, with all of its
    /// partitions.
    #[test]
    fn a_fetch_that_is_put_off_leaves_no_new_session_and_keeps_the_old_one() {
        let (mut sessions, mut random) = sessions(10);
        let mut plan = |sessions: &mut Sessions, ids, named| {
            sessions.plan(ids, false, named, &[], Instant(0), &mut random)
        };
        let first = plan(&mut sessions, (0, 0), vec![target(0, 5)]).unwrap();
        sessions.forget(first.session_id);
        let gone = plan(&mut sessions, (first.session_id, 1), vec![]);
        assert_eq!(gone, Err(ErrorCode::FetchSessionIdNotFound));
        let mut second = plan(&mut sessions, (0, 0), vec![target(0, 5)]).unwrap();
        sessions.said(second.session_id, &mut second.targets);
        for epoch in 1..4 {
            let mut next = plan(&mut sessions, (second.session_id, epoch), vec![]).unwrap();
            assert_eq!(next.targets, [target(0, 5)]);
            sessions.said(second.session_id, &mut next.targets);
        }
    }
}
