//! Long work in short steps: what a task may take of a turn of the loop before everything else has
//! its turn.
//!
//! Owns: nothing. Lives on: every core. Never: waits for anything but the end of the turn.

use crate::limits;
use ring::{Instant, Ring};
use std::time::Duration;

/// Steps between two looks at the clock where a step is next to nothing.
const ITEMS_PER_LOOK: u32 = 32;

/// What background work may take of a turn of the loop: requests wait for so much of it, never for
/// all.
pub struct TurnBudget<'a> {
    ring: &'a Ring,
    /// When the first step of the turn began, as far as it is known.
    began: Option<Instant>,
    steps: u32,
    steps_max: u32,
}

impl TurnBudget<'_> {
    pub fn new(ring: &Ring) -> TurnBudget<'_> {
        TurnBudget::of_steps(ring, limits::BACKGROUND_TURN_STEPS_MAX)
    }

    /// For items ([`TurnBudget::item_done`]) of which there are only a few as a rule: those cost no
    /// look at the clock.
    pub fn of_items(ring: &Ring) -> TurnBudget<'_> {
        TurnBudget { ring, began: None, steps: 0, steps_max: limits::BACKGROUND_TURN_STEPS_MAX }
    }

    /// The same with at most so many steps in a turn: they are counted, so that a simulated run, in
    /// which no time passes within a turn, takes turns too.
    pub fn of_steps(ring: &Ring, steps_max: u32) -> TurnBudget<'_> {
        TurnBudget { ring, began: Some(ring.precise_now()), steps: 0, steps_max }
    }

    /// To be called between two steps: once the budget is spent, the turn ends before the next one.
    pub async fn step_done(&mut self) {
        self.steps += 1;
        self.look().await;
    }

    /// The same for steps so small that the clock is only looked at now and then.
    #[inline]
    pub async fn item_done(&mut self) {
        self.steps += 1;
        if self.steps.is_multiple_of(ITEMS_PER_LOOK) {
            self.look().await;
        }
    }

    async fn look(&mut self) {
        let now = self.ring.precise_now();
        let spent = now.since(*self.began.get_or_insert(now));
        if self.steps >= self.steps_max
            || spent >= Duration::from_micros(limits::BACKGROUND_TURN_US)
        {
            self.ring.end_of_turn().await;
            (self.began, self.steps) = (Some(self.ring.precise_now()), 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::{
        BackendKind, CoreOptions,
        sim::{SimOptions, World},
    };
    use std::{cell::Cell, rc::Rc};

    #[test]
    fn a_spent_budget_lets_the_other_tasks_run() {
        let options = CoreOptions {
            name: "test".to_owned(),
            index: 0,
            cpu: None,
            backend: BackendKind::Epoll,
            spin: Duration::ZERO,
        };
        let main = |ring: Ring| async move {
            let ran = Rc::new(Cell::new(false));
            let other = ran.clone();
            drop(ring.spawn(async move { other.set(true) }));
            let mut budget = TurnBudget::new(&ring);
            let spent = budget.began.unwrap() + Duration::from_micros(limits::BACKGROUND_TURN_US);
            while ring.precise_now() < spent {
                assert!(!ran.get(), "no other task runs within a step");
            }
            budget.step_done().await;
            assert!(ran.get());
            assert!(budget.began.unwrap() >= spent, "the next steps have a budget of their own");
        };
        ring::run(options, main).unwrap();
    }

    #[test]
    fn counted_steps_let_the_other_tasks_run_where_no_time_passes() {
        let world = World::new(1, SimOptions::calm());
        let node = world.node("a");
        crate::log::tests::simulated::run_in(&world, node, |ring| async move {
            let turns = Rc::new(Cell::new(0));
            let (other, counted) = (ring.clone(), turns.clone());
            drop(ring.spawn(async move {
                loop {
                    counted.set(counted.get() + 1);
                    other.end_of_turn().await;
                }
            }));
            let mut budget = TurnBudget::of_steps(&ring, 4);
            for _ in 0..40 {
                budget.step_done().await;
            }
            assert!(turns.get() >= 9, "{} turns in ten times four steps", turns.get());
        });
        world.close();
    }
}
