//! A hierarchical timer wheel: six levels of 64 slots, ticks of one millisecond, constant time to
//! add and to cancel.
//!
//! A timer never fires early. Those of one tick fire in the order of their deadlines, then in that
//! of their creation.

use crate::{slots::Slots, time::Instant};
use std::task::Waker;

const LEVELS: usize = 6;
const SLOT_BITS: u32 = 6;
const SLOTS: usize = 1 << SLOT_BITS;
const NANOS_PER_TICK: u64 = 1_000_000;
/// A timer further away than this waits in the wheel's last slot and is placed again when that
/// comes up.
const SPAN_TICKS: u64 = (SLOTS as u64 - 1) << (SLOT_BITS * (LEVELS as u32 - 1));
const NONE: u64 = u64::MAX;

pub(crate) struct TimerWheel {
    /// The last tick that was looked at.
    elapsed: u64,
    timers: Slots<Timer>,
    heads: [[u64; SLOTS]; LEVELS],
    /// Per level, the slots that hold a timer.
    occupied: [u64; LEVELS],
    created: u64,
    /// What fires, while it is put in order.
    fired: Vec<Timer>,
}

struct Timer {
    deadline: Instant,
    sequence: u64,
    waker: Waker,
    place: (usize, usize),
    previous: u64,
    next: u64,
}

impl Timer {
    fn tick(&self) -> u64 {
        self.deadline.0.div_ceil(NANOS_PER_TICK)
    }
}

impl TimerWheel {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            elapsed: now.0 / NANOS_PER_TICK,
            timers: Slots::new(),
            heads: [[NONE; SLOTS]; LEVELS],
            occupied: [0; LEVELS],
            created: 0,
            fired: Vec::new(),
        }
    }

    /// Adds a timer; the key cancels it.
    pub(crate) fn insert(&mut self, deadline: Instant, waker: Waker) -> u64 {
        self.created += 1;
        let timer = Timer {
            deadline,
            sequence: self.created,
            waker,
            place: (0, 0),
            previous: NONE,
            next: NONE,
        };
        let key = self.timers.insert(timer);
        self.link(key);
        key
    }

    /// The waker of a timer that has not fired yet.
    pub(crate) fn waker_mut(&mut self, key: u64) -> Option<&mut Waker> {
        self.timers.get_mut(key).map(|timer| &mut timer.waker)
    }

    /// Removes a timer, if it has not fired. The waker is the caller's to drop, outside of any
    /// borrow.
    pub(crate) fn cancel(&mut self, key: u64) -> Option<Waker> {
        let timer = self.timers.remove(key)?;
        let (level, slot) = timer.place;
        let is_occupied = self.occupied[level] & (1 << slot) != 0;
        assert!(is_occupied, "a timer stands in slot {slot} of level {level}, which has none");
        match self.timers.get_mut(timer.previous) {
            Some(previous) => {
                assert_eq!(previous.next, key, "the timer before one leads to it");
                previous.next = timer.next;
            }
            None => {
                let head = std::mem::replace(&mut self.heads[level][slot], timer.next);
                assert_eq!(head, key, "a timer without one before it is the first of its slot");
            }
        }
        if let Some(next) = self.timers.get_mut(timer.next) {
            assert_eq!(next.previous, key, "the timer behind one leads back to it");
            next.previous = timer.previous;
        }
        if self.heads[level][slot] == NONE {
            self.occupied[level] &= !(1 << slot);
        }
        Some(timer.waker)
    }

    /// Takes the wakers of all timers due at `now`, in order.
    pub(crate) fn advance(&mut self, now: Instant, due: &mut Vec<Waker>) {
        let now_tick = now.0 / NANOS_PER_TICK;
        while let Some((level, slot, start)) =
            self.next_slot().filter(|&(_, _, start)| start <= now_tick)
        {
            let before = std::mem::replace(&mut self.elapsed, start);
            assert!(before <= start, "the wheel turns back from tick {before} to {start}");
            self.occupied[level] &= !(1 << slot);
            let mut key = std::mem::replace(&mut self.heads[level][slot], NONE);
            while key != NONE {
                let timer = self.timers.get_mut(key).expect("a linked timer exists");
                assert_eq!(timer.place, (level, slot), "a timer stands where it is found");
                let next = timer.next;
                if timer.tick() <= start {
                    self.fired.push(self.timers.remove(key).expect("it was there a line above"));
                } else {
                    assert!(level > 0, "a timer of tick {start} is due later than its slot");
                    self.link(key);
                }
                key = next;
            }
        }
        self.elapsed = self.elapsed.max(now_tick);
        assert!(
            self.fired.iter().all(|timer| timer.deadline <= now),
            "a timer fires before its deadline, at {now:?}"
        );
        self.fired.sort_unstable_by_key(|timer| (timer.deadline, timer.sequence));
        due.extend(self.fired.drain(..).map(|timer| timer.waker));
    }

    /// No timer fires before this: exact for the next 64 ms, the start of its slot for one further
    /// away.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.next_slot().map(|(_, _, start)| Instant(start.saturating_mul(NANOS_PER_TICK)))
    }

    /// The first occupied slot and the tick at which it begins. Timers of a level all lie before
    /// those of the next one.
    fn next_slot(&self) -> Option<(usize, usize, u64)> {
        let level = self.occupied.iter().position(|&slots| slots != 0)?;
        let shift = SLOT_BITS * level as u32;
        let current = (self.elapsed >> shift) as usize % SLOTS;
        let ahead = self.occupied[level].rotate_right(current as u32).trailing_zeros() as usize;
        let slot = (current + ahead) % SLOTS;
        assert_ne!(self.heads[level][slot], NONE, "an occupied slot has a timer");
        let round = 1 << (shift + SLOT_BITS);
        let start = (self.elapsed & !(round - 1)) | (slot as u64) << shift;
        Some((level, slot, if slot < current { start + round } else { start }))
    }

    fn link(&mut self, key: u64) {
        let timer = self.timers.get_mut(key).expect("only existing timers are linked");
        let tick = timer.tick().clamp(self.elapsed + 1, self.elapsed + SPAN_TICKS);
        let highest_bit = 63 - (self.elapsed ^ tick).leading_zeros();
        let level = ((highest_bit / SLOT_BITS) as usize).min(LEVELS - 1);
        let slot = (tick >> (SLOT_BITS * level as u32)) as usize % SLOTS;
        let head = std::mem::replace(&mut self.heads[level][slot], key);
        assert_ne!(head, key, "a timer is in one slot, once");
        self.occupied[level] |= 1 << slot;
        (timer.place, timer.previous, timer.next) = ((level, slot), NONE, head);
        if let Some(head) = self.timers.get_mut(head) {
            assert_eq!(head.previous, NONE, "the first timer of a slot has none before it");
            head.previous = key;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::{
        collections::BTreeMap,
        sync::{Arc, Mutex},
        task::Wake,
    };

    struct Recorder(usize, Arc<Mutex<Vec<usize>>>);
    impl Wake for Recorder {
        fn wake(self: Arc<Self>) {
            self.1.lock().unwrap().push(self.0);
        }
    }

    #[derive(Clone, Debug)]
    enum Step {
        Insert(u64),
        Cancel(usize),
        Advance(u64),
        AdvanceToNext,
    }

    fn span() -> impl Strategy<Value = u64> {
        prop_oneof![0..5_000_000u64, 0..1_000_000_000_000u64, 0..(1u64 << 56)]
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => span().prop_map(Step::Insert),
            1 => Just(Step::Insert(u64::MAX)),
            1 => any::<usize>().prop_map(Step::Cancel),
            2 => span().prop_map(Step::Advance),
            2 => Just(Step::AdvanceToNext),
        ]
    }

    proptest! {
        /// Against an ordered map: timers that are due fire, in order, never early, and
        /// `next_deadline` never lies too late.
        #[test]
        fn agrees_with_an_ordered_map(start in 0..(1u64 << 60),
            steps in proptest::collection::vec(step(), 1..80)) {
            let fired = Arc::new(Mutex::new(Vec::new()));
            let mut now = Instant(start);
            let mut wheel = TimerWheel::new(now);
            let mut model = BTreeMap::new();
            let mut keys = Vec::new();
            for step in steps {
                match step {
                    Step::Insert(after) => {
                        let deadline = Instant(now.0.saturating_add(after));
                        let id = keys.len();
                        keys.push((deadline, wheel.insert(deadline,
                            Arc::new(Recorder(id, fired.clone())).into())));
                        model.insert((deadline, id), ());
                        continue;
                    }
                    Step::Cancel(which) if !keys.is_empty() => {
                        let id = which % keys.len();
                        let (deadline, key) = keys[id];
                        prop_assert_eq!(wheel.cancel(key).is_some(), model.remove(&(deadline, id))
                            .is_some());
                        continue;
                    }
                    Step::Cancel(_) => continue,
                    Step::Advance(by) => now = Instant(now.0.saturating_add(by)),
                    Step::AdvanceToNext => match wheel.next_deadline() {
                        Some(deadline) => now = now.max(deadline),
                        None => continue,
                    },
                }
                let mut due = Vec::new();
                wheel.advance(now, &mut due);
                due.into_iter().for_each(Waker::wake);
                let mut expected = Vec::new();
                // A timer fires with the first whole millisecond that is not before its deadline.
                while let Some((&(deadline, id), ())) = model.first_key_value()
                    && deadline.0.div_ceil(NANOS_PER_TICK) <= now.0 / NANOS_PER_TICK
                {
                    model.remove(&(deadline, id));
                    expected.push(id);
                }
                prop_assert_eq!(&*fired.lock().unwrap(), &expected);
                fired.lock().unwrap().clear();
                match (wheel.next_deadline(), model.first_key_value()) {
                    (Some(next), Some((&(deadline, _), ()))) => {
                        prop_assert!(next > now);
                        prop_assert!(next.0 <= deadline.0.div_ceil(NANOS_PER_TICK)
                            .saturating_mul(NANOS_PER_TICK));
                    }
                    (next, first) => prop_assert_eq!(next.is_none(), first.is_none()),
                }
            }
        }
    }
}
