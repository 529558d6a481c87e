//! Compaction on one core: which of its logs is cleaned next, and what becomes of those that cannot
//! be.
//!
//! Owns: one pass at a time, and the logs that are set aside. Lives on: every core, one task each;
//! a core's share of memory and of the rate is its part of the broker's. Never: keeps a turn of the
//! loop longer than its budget and one step, or gives up a log that is served: one that cannot be
//! cleaned is told, counted, and served on.

use super::{Shard, commit, partition::Partition, partition::PartitionId};
use crate::{
    config::broker::LogSettings,
    limits,
    log::cleaner::{CleanError, Cleaned, Cleaning, Due, Throttle},
    pace::TurnBudget,
};
use ring::{Instant, sync::AsyncMutex};
use rustc_hash::FxHashMap;
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

/// What the cleaner of a core has done, and what it has set aside.
#[derive(Default)]
pub struct Cleaner {
    /// Logs that are not cleaned until the next start.
    uncleanable: RefCell<FxHashMap<PartitionId, String>>,
    /// Logs that lacked something: when they are tried again, and how long they waited.
    later: RefCell<FxHashMap<PartitionId, (Instant, Duration)>>,
    pub passes: Cell<u64>,
    pub read_bytes: Cell<u64>,
    pub written_bytes: Cell<u64>,
    /// Of the last look at all logs: the dirtiest one's share.
    pub dirtiest: Cell<f64>,
    /// What its key map takes at most; 0 between two passes.
    pub memory_bytes: Cell<usize>,
    /// A pass is under way.
    at_work: AsyncMutex,
}

impl Cleaner {
    /// Waits for the pass that is under way; one that is not wanted any more ends soon.
    pub async fn rest(&self) {
        drop(self.at_work.lock().await);
    }

    pub fn uncleanable(&self) -> usize {
        self.uncleanable.borrow().len()
    }

    fn is_left_alone(&self, id: PartitionId, now: Instant) -> bool {
        let waits = |until: &(Instant, Duration)| now < until.0;
        self.uncleanable.borrow().contains_key(&id)
            || self.later.borrow().get(&id).is_some_and(waits)
    }

    fn succeeded(&self, id: PartitionId, cleaned: &Cleaned) {
        self.later.borrow_mut().remove(&id);
        let (before, after) = (cleaned.segments_before, cleaned.segments_after);
        assert!(after <= before, "a pass makes {after} segments of {before}");
        assert!(cleaned.written_bytes == 0 || cleaned.read_bytes > 0, "what is written was read");
        self.passes.set(self.passes.get() + 1);
        self.read_bytes.set(self.read_bytes.get() + cleaned.read_bytes);
        self.written_bytes.set(self.written_bytes.get() + cleaned.written_bytes);
    }

    /// Tries it again after a growing pause; how long that is.
    fn try_later(&self, id: PartitionId, now: Instant) -> Duration {
        let is_set_aside = self.uncleanable.borrow().contains_key(&id);
        assert!(!is_set_aside, "{id:?} is set aside, and was cleaned");
        let mut later = self.later.borrow_mut();
        let before = later.get(&id).map(|(_, waited)| *waited);
        let least = Duration::from_millis(limits::CLEANER_RETRY_MIN_MS);
        let pause = before.map_or(least, |waited| waited * 2);
        let pause = pause.min(Duration::from_millis(limits::CLEANER_RETRY_MAX_MS));
        later.insert(id, (now + pause, pause));
        pause
    }

    /// Forgets logs that this core has no longer.
    fn forget_all_but(&self, has: impl Fn(PartitionId) -> bool) {
        self.uncleanable.borrow_mut().retain(|id, _| has(*id));
        self.later.borrow_mut().retain(|id, _| has(*id));
    }
}

pub async fn run(shard: Shard) {
    if !shard.config.log.cleaner_enable {
        return;
    }
    let throttle = Throttle::new(&shard.ring);
    while !shard.is_stopping() {
        // A change acts from the next pass on.
        let runtime = shard.control.view().runtime.clone();
        throttle.limit(runtime.log.cleaner_io_max_bytes_per_second / shard.count as f64);
        let has_cleaned = match dirtiest(&shard).await {
            Some((partition, due)) => clean(&shard, &runtime.log, &partition, due, &throttle).await,
            None => false,
        };
        if !has_cleaned {
            let backoff = Duration::from_millis(runtime.log.cleaner_backoff_ms.max(1) as u64);
            let stopped = shard.stop.wait_until(|| shard.is_stopping());
            shard.ring.timeout(backoff, stopped).await;
        }
    }
}

/// The log that is due and has the largest dirty share.
async fn dirtiest(shard: &Shard) -> Option<(Rc<Partition>, Due)> {
    let cleaner = &shard.data.cleaner;
    cleaner.forget_all_but(|id| shard.data.partition(id).is_some());
    let mut all: Vec<Rc<Partition>> = shard.data.all();
    all.retain(|partition| partition.config.borrow().cleanup_policy.compact);
    // The same order in every run: the simulator's seeds depend on it.
    all.sort_unstable_by_key(|partition| partition.id);
    let mut budget = TurnBudget::new(&shard.ring);
    let (mut found, mut most_dirty): (Option<(Rc<Partition>, Due)>, f64) = (None, 0.0);
    for partition in all {
        let (now, now_ms) = (shard.ring.now(), shard.ring.wall_clock_ms());
        if partition.is_offline() || cleaner.is_left_alone(partition.id, now) {
            continue;
        }
        match partition.log.due_for_cleaning(now_ms).await {
            Ok(Some(due)) => {
                most_dirty = most_dirty.max(due.dirty_ratio);
                let is_dirtier =
                    found.as_ref().is_none_or(|(_, other)| other.dirty_ratio < due.dirty_ratio);
                if due.is_now(&partition.log.config()) && is_dirtier {
                    found = Some((partition.clone(), due));
                }
            }
            Ok(None) => {}
            Err(error) => failed(shard, &partition, &CleanError::Io(error)),
        }
        budget.step_done().await;
    }
    assert!((0.0..=1.0).contains(&most_dirty), "a share of {most_dirty} is dirty");
    let chosen = found.as_ref().map_or(0.0, |(_, due)| due.dirty_ratio);
    assert!(chosen <= most_dirty, "{chosen} is chosen, and {most_dirty} is the dirtiest");
    cleaner.dirtiest.set(most_dirty);
    found
}

/// One pass over a log; whether it got on.
async fn clean(
    shard: &Shard,
    config: &LogSettings,
    partition: &Rc<Partition>,
    due: Due,
    throttle: &Throttle,
) -> bool {
    let cleaner = &shard.data.cleaner;
    let share = usize::try_from(config.cleaner_dedupe_buffer_size).unwrap_or(0) / shard.count;
    let memory_bytes_max = share.min(shard.clients.memory.plan().cleaner);
    let is_wanted = || {
        let is_compacted = partition.config.borrow().cleanup_policy.compact;
        !shard.is_stopping() && is_compacted && !partition.is_offline()
    };
    let cleaning = Cleaning {
        log: &partition.log,
        due,
        throttle,
        memory_bytes_max,
        load_factor: config.cleaner_io_buffer_load_factor.clamp(0.0, 1.0),
        chunk_bytes: (config.cleaner_io_buffer_size / 2).max(1) as usize,
        unpacked_bytes_max: config.decompressed_batch_max_bytes as usize,
        now_ms: shard.ring.wall_clock_ms(),
        is_cancelled: &|| !is_wanted(),
    };
    let _at_work = cleaner.at_work.lock().await;
    let began = shard.ring.now();
    cleaner.memory_bytes.set(memory_bytes_max);
    let result = cleaning.run().await;
    cleaner.memory_bytes.set(0);
    match result {
        Ok(cleaned) => {
            let (from, to) = (due.first_dirty, cleaned.end);
            assert!(from < to && to <= due.end, "a pass from {from} to {} ends at {to}", due.end);
            cleaner.succeeded(partition.id, &cleaned);
            tracing::debug!(
                topic = %partition.topic, partition = partition.id.index,
                from = due.first_dirty, to = cleaned.end, keys = cleaned.keys,
                read_bytes = cleaned.read_bytes, written_bytes = cleaned.written_bytes,
                segments_before = cleaned.segments_before, segments_after = cleaned.segments_after,
                ms = shard.ring.now().since(began).as_millis() as u64,
                "compacted"
            );
            true
        }
        Err(error) => {
            failed(shard, partition, &error);
            false
        }
    }
}

fn failed(shard: &Shard, partition: &Rc<Partition>, error: &CleanError) {
    let (cleaner, id) = (&shard.data.cleaner, partition.id);
    if partition.log.has_failed() {
        return commit::fail(shard, partition, &format!("cannot compact it: {error}"));
    }
    match error {
        CleanError::Cancelled => {}
        passing if passing.passes() => {
            let pause = cleaner.try_later(id, shard.ring.now());
            tracing::warn!(
                topic = %partition.topic, partition = id.index, %error,
                "cannot compact this log for now: tried again in {} s", pause.as_secs()
            );
        }
        lasting => {
            tracing::error!(
                topic = %partition.topic, partition = id.index, %error,
                "this log is not compacted until the next start, and served as it is. Where a file \
                 is damaged, stop the broker and type `millstream log check {}`",
                partition.log.dir().parent().unwrap_or(&partition.log.dir()).display()
            );
            let before = cleaner.uncleanable.borrow_mut().insert(id, lasting.to_string());
            assert!(before.is_none(), "{id:?} was set aside, and cleaned again");
        }
    }
}
