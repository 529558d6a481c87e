//! The records of one core: the partitions that it has, the ways to those of other cores, and what
//! appends and reads use.
//!
//! Owns: the open partitions and the list of those that could not be opened. Lives on: every core.
//! Never: decides which partitions there are; `apply.rs` makes this agree with the metadata.
//!
//! Invariant: a partition of this core is open or offline, never both.

use super::{
    apply::{ApplyState, Offline},
    cleaner::Cleaner,
    commit::Commit,
    fetch,
    heavy::HeavyBatches,
    partition::{Partition, PartitionId},
    produce,
    transactions::verify::Verifications,
    view::Routes,
};
use crate::{
    log::{TailCache, Wants},
    memory::Plan,
    storage::Storage,
};
use ring::Ring;
use rustc_hash::FxHashMap;
use std::{
    cell::{Ref, RefCell},
    rc::Rc,
    sync::Arc,
};

pub struct Data {
    partitions: RefCell<FxHashMap<PartitionId, Rc<Partition>>>,
    /// Partitions of this core that could not be opened.
    offline: RefCell<FxHashMap<PartitionId, Offline>>,
    pub routes: RefCell<Routes>,
    pub storage: Arc<Storage>,
    pub tail: Rc<TailCache>,
    pub commit: Commit,
    /// What its logs lack for now, for the log.
    pub wants: Rc<Wants>,
    /// For batches that are unpacked while they are checked.
    pub scratch: RefCell<Vec<u8>>,
    pub heavy: HeavyBatches,
    pub cleaner: Cleaner,
    pub(super) produce_spares: produce::Spares,
    pub(super) produce_expiry: produce::Expiry,
    /// Appends on their way to other cores.
    pub(super) produce_under_way: produce::UnderWay,
    /// Questions to transaction coordinators.
    pub(super) verifications: Verifications,
    pub(super) fetch_spares: fetch::Spares,
    /// Reads on their way to other cores.
    pub(super) fetch_under_way: fetch::UnderWay,
    pub(super) fetch_readers: fetch::Readers,
    pub(super) apply: ApplyState,
}

impl Data {
    pub fn new(ring: &Ring, plan: &Plan, storage: Arc<Storage>) -> Data {
        Data {
            partitions: RefCell::default(),
            offline: RefCell::default(),
            routes: RefCell::default(),
            tail: TailCache::new(plan.tail),
            commit: Commit::new(storage.dirs()),
            wants: Wants::new(ring),
            scratch: RefCell::default(),
            heavy: HeavyBatches::new(plan.heavy),
            cleaner: Cleaner::default(),
            produce_spares: produce::Spares::default(),
            produce_expiry: produce::Expiry::default(),
            produce_under_way: produce::UnderWay::default(),
            verifications: Verifications::default(),
            fetch_spares: fetch::Spares::default(),
            fetch_under_way: fetch::UnderWay::default(),
            fetch_readers: fetch::Readers::default(),
            apply: ApplyState::default(),
            storage,
        }
    }

    pub fn partition(&self, id: PartitionId) -> Option<Rc<Partition>> {
        self.partitions.borrow().get(&id).cloned()
    }

    /// All that are open, in no order.
    pub fn partitions(&self) -> Ref<'_, FxHashMap<PartitionId, Rc<Partition>>> {
        self.partitions.borrow()
    }

    /// The same, for work that gives other tasks their turn in between.
    pub fn all(&self) -> Vec<Rc<Partition>> {
        self.partitions.borrow().values().cloned().collect()
    }

    /// A partition is open from now on.
    pub fn enter(&self, partition: Rc<Partition>) {
        let id = partition.id;
        assert!(!partition.is_offline(), "{id:?} is opened to be served");
        assert!(partition.lane.get().is_some(), "{id:?} can be flushed before it is served");
        self.offline.borrow_mut().remove(&id);
        let before = self.partitions.borrow_mut().insert(id, partition);
        assert!(before.is_none(), "{id:?} is opened once");
    }

    /// A partition could not be opened.
    pub fn note_offline(&self, id: PartitionId, why: Offline) {
        assert!(!self.partitions.borrow().contains_key(&id), "{id:?} is open, and not offline");
        self.offline.borrow_mut().insert(id, why);
    }

    pub fn offline(&self, id: PartitionId) -> Option<Offline> {
        self.offline.borrow().get(&id).copied()
    }

    pub fn all_offline(&self) -> Vec<(PartitionId, Offline)> {
        self.offline.borrow().iter().map(|(id, why)| (*id, *why)).collect()
    }

    /// A partition is this core's no more: requests find it here no longer.
    pub fn leave(&self, id: PartitionId) -> Option<Rc<Partition>> {
        let was_offline = self.offline.borrow_mut().remove(&id).is_some();
        let left = self.partitions.borrow_mut().remove(&id);
        assert!(!was_offline || left.is_none(), "{id:?} was open, and offline");
        left
    }

    /// The same for all that are open.
    pub fn leave_all(&self) -> Vec<Rc<Partition>> {
        let left: Vec<_> = self.partitions.borrow_mut().drain().map(|(_, one)| one).collect();
        let offline = self.offline.borrow();
        assert!(
            left.iter().all(|partition| !offline.contains_key(&partition.id)),
            "a partition was open, and offline"
        );
        left
    }

    /// At the end of the core: lets go of everything that may hold the shard in its turn.
    pub fn forget(&self) {
        drop(self.routes.take());
        drop(self.partitions.take());
        self.commit.forget();
        self.heavy.forget();
        self.produce_expiry.forget();
        self.produce_under_way.forget();
        self.verifications.forget();
        self.fetch_under_way.forget();
        self.fetch_readers.forget();
    }
}
