//! One transactional id: its producer, its transaction, and the ways that its status may go.
//!
//! Pure data on the core of its coordinator. A change makes the entry that follows, which goes into
//! the log and takes the place of this one; [`Entry::assert_followed_by`] is what must hold between
//! the two.

use std::sync::Arc;

use super::partitions::Partitions;

/// The first epoch of a producer id.
pub(super) const FIRST_EPOCH: i16 = 0;
/// The last epoch that a producer gets. The one after it is left to the coordinator, which can
/// always fence a producer by it.
pub(super) const LAST_PRODUCER_EPOCH: i16 = i16::MAX - 1;
/// The timeout of a transaction that only its producer's operator ends (KIP-939).
pub(super) const NO_TIMEOUT_MS: i32 = i32::MAX;
/// The first generation of clients that get an epoch for each transaction (KIP-890).
pub(super) const EPOCH_PER_TRANSACTION: i16 = 2;
/// The generation of all clients before.
pub(super) const OLD_CLIENT: i16 = 0;

/// What an entry takes besides its id and its partitions, with its place among the others, its
/// timer and the record of it that is on its way.
const ENTRY_BYTES: usize = 512;

/// The status as the log has it. Kafka's two others are never in the log: an expired id has a
/// tombstone, and the fence of a producer goes straight on to PrepareAbort.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Status {
    Empty,
    Ongoing,
    PrepareCommit,
    PrepareAbort,
    CompleteCommit,
    CompleteAbort,
}

/// Names of Kafka's that no entry has, but that a filter may name.
const TRANSIENT_NAMES: [&str; 2] = ["Dead", "PrepareEpochFence"];

impl Status {
    const ALL: [Status; 6] = [
        Status::Empty,
        Status::Ongoing,
        Status::PrepareCommit,
        Status::PrepareAbort,
        Status::CompleteCommit,
        Status::CompleteAbort,
    ];

    pub fn from_code(code: i8) -> Option<Status> {
        Status::ALL.into_iter().find(|status| status.code() == code)
    }

    pub fn code(self) -> i8 {
        match self {
            Status::Empty => 0,
            Status::Ongoing => 1,
            Status::PrepareCommit => 2,
            Status::PrepareAbort => 3,
            Status::CompleteCommit => 4,
            Status::CompleteAbort => 5,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Status::Empty => "Empty",
            Status::Ongoing => "Ongoing",
            Status::PrepareCommit => "PrepareCommit",
            Status::PrepareAbort => "PrepareAbort",
            Status::CompleteCommit => "CompleteCommit",
            Status::CompleteAbort => "CompleteAbort",
        }
    }

    pub fn of_name(name: &str) -> Option<Status> {
        Status::ALL.into_iter().find(|status| status.name() == name)
    }

    /// Whether Kafka has a status of this name.
    pub fn is_name(name: &str) -> bool {
        TRANSIENT_NAMES.contains(&name) || Status::of_name(name).is_some()
    }

    /// Prepare: decided, with markers on their way.
    pub fn is_prepared(self) -> bool {
        matches!(self, Status::PrepareCommit | Status::PrepareAbort)
    }

    /// Nothing is open or on its way: the id may expire, and a new producer may begin.
    pub fn is_settled(self) -> bool {
        matches!(self, Status::Empty | Status::CompleteCommit | Status::CompleteAbort)
    }

    fn may_go_to(self, next: Status) -> bool {
        match next {
            Status::Empty => self.is_settled(),
            Status::Ongoing => self.is_settled() || self == Status::Ongoing,
            Status::PrepareCommit => self == Status::Ongoing,
            // A client of KIP-890 may abort a transaction that has no partition.
            Status::PrepareAbort => self.is_settled() || self == Status::Ongoing,
            Status::CompleteCommit => self == Status::PrepareCommit,
            Status::CompleteAbort => self == Status::PrepareAbort,
        }
    }
}

/// A producer as a request names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Producer {
    pub id: i64,
    pub epoch: i16,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub id: Arc<str>,
    pub producer: Producer,
    /// Of the entry before. It tells a retry from a producer that another took over from, once the
    /// epochs of that id were used up.
    pub previous_producer_id: Option<i64>,
    /// The epoch that the producer had before this one. In memory alone, as in Kafka: a retry that
    /// comes after a load is taken for a producer that another took over from.
    pub last_epoch: Option<i16>,
    /// The producer id from Complete on, when the epochs of this one are used up.
    pub next_producer_id: Option<i64>,
    pub timeout_ms: i32,
    /// The generation of the client that last changed the transaction: 2 has an epoch for each
    /// transaction.
    pub client_version: i16,
    pub status: Status,
    /// Those of the transaction. While it is prepared, those that have no marker yet.
    pub partitions: Partitions,
    /// When the transaction began.
    pub start_ms: Option<i64>,
    pub updated_ms: i64,
}

impl Entry {
    /// A transactional id that was never used, or was forgotten.
    pub fn new(id: Arc<str>, producer_id: i64, timeout_ms: i32, now_ms: i64) -> Entry {
        Entry {
            id,
            producer: Producer { id: producer_id, epoch: FIRST_EPOCH },
            previous_producer_id: Some(producer_id),
            last_epoch: None,
            next_producer_id: None,
            timeout_ms,
            client_version: OLD_CLIENT,
            status: Status::Empty,
            partitions: Partitions::default(),
            start_ms: None,
            updated_ms: now_ms,
        }
    }

    /// About what it takes in memory.
    pub fn memory_bytes(&self) -> usize {
        ENTRY_BYTES + self.id.len() + self.partitions.memory_bytes()
    }

    pub fn is_epoch_exhausted(&self) -> bool {
        self.producer.epoch >= LAST_PRODUCER_EPOCH
    }

    pub fn has_timeout(&self) -> bool {
        self.timeout_ms != NO_TIMEOUT_MS
    }

    /// The same producer or a new one begins anew.
    pub fn initialized(
        &self,
        producer: Producer,
        last_epoch: Option<i16>,
        timeout_ms: i32,
        now_ms: i64,
    ) -> Entry {
        Entry {
            producer,
            last_epoch,
            timeout_ms,
            status: Status::Empty,
            partitions: Partitions::default(),
            start_ms: None,
            ..self.following(now_ms)
        }
    }

    pub fn with_partitions(&self, added: &Partitions, client_version: i16, now_ms: i64) -> Entry {
        let mut partitions = self.partitions.clone();
        partitions.insert_all(added);
        let begins = self.status != Status::Ongoing;
        Entry {
            client_version,
            status: Status::Ongoing,
            partitions,
            start_ms: if begins { Some(now_ms) } else { self.start_ms },
            ..self.following(now_ms)
        }
    }

    /// Prepare as a client of KIP-890 has it: its epoch ends with the transaction. Markers carry
    /// the next one, and a producer that goes on with the old one is fenced by them.
    pub fn prepared(&self, committed: bool, next_producer_id: Option<i64>, now_ms: i64) -> Entry {
        let Producer { id, epoch } = self.producer;
        let without_partitions = self.status != Status::Ongoing;
        Entry {
            // The last epoch of all ends nothing but what an older broker left behind.
            producer: Producer { id, epoch: epoch.saturating_add(1) },
            last_epoch: Some(epoch),
            next_producer_id,
            client_version: EPOCH_PER_TRANSACTION,
            status: prepared_status(committed),
            start_ms: if without_partitions { Some(now_ms) } else { self.start_ms },
            ..self.following(now_ms)
        }
    }

    /// Prepare as clients before KIP-890 have it.
    pub fn prepared_in_epoch(
        &self,
        committed: bool,
        epoch: i16,
        last_epoch: Option<i16>,
        now_ms: i64,
    ) -> Entry {
        Entry {
            producer: Producer { id: self.producer.id, epoch },
            last_epoch,
            next_producer_id: None,
            client_version: OLD_CLIENT,
            status: prepared_status(committed),
            ..self.following(now_ms)
        }
    }

    /// Every partition has its marker.
    pub fn completed(&self, now_ms: i64) -> Entry {
        let producer = match self.next_producer_id {
            Some(id) if self.client_version >= EPOCH_PER_TRANSACTION => {
                Producer { id, epoch: FIRST_EPOCH }
            }
            _ => self.producer,
        };
        Entry {
            producer,
            next_producer_id: None,
            status: match self.status {
                Status::PrepareCommit => Status::CompleteCommit,
                _ => Status::CompleteAbort,
            },
            partitions: Partitions::default(),
            ..self.following(now_ms)
        }
    }

    fn following(&self, now_ms: i64) -> Entry {
        Entry { previous_producer_id: Some(self.producer.id), updated_ms: now_ms, ..self.clone() }
    }

    /// What must hold whenever an entry takes the place of another.
    pub fn assert_followed_by(&self, next: &Entry) {
        let id = &self.id;
        let (from, to) = (self.status, next.status);
        assert_eq!(self.id, next.id, "an entry keeps its transactional id");
        assert!(from.may_go_to(to), "{id} went from {from:?} to {to:?}");
        let (old, new) = (self.producer, next.producer);
        assert!(
            if new.id == old.id { new.epoch >= old.epoch } else { new.epoch == FIRST_EPOCH },
            "{id} went from {old:?} to {new:?}"
        );
        if from.is_prepared() {
            assert!(self.partitions.is_empty(), "{id} has partitions without a marker");
        }
        let unchanged = self.partitions == next.partitions;
        match to {
            Status::Ongoing => {
                assert!(next.partitions.contains_all(&self.partitions), "{id} lost a partition");
                assert_eq!(old, new, "{id} has another producer in the same transaction");
            }
            Status::PrepareCommit | Status::PrepareAbort => {
                assert!(unchanged, "{id} has other partitions than were added");
            }
            Status::Empty | Status::CompleteCommit | Status::CompleteAbort => {
                assert!(next.partitions.is_empty(), "{id} has partitions and no transaction");
            }
        }
        assert_eq!(to == Status::Empty, next.start_ms.is_none(), "{id} has no start, or one");
    }
}

fn prepared_status(committed: bool) -> Status {
    if committed { Status::PrepareCommit } else { Status::PrepareAbort }
}
