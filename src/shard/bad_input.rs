//! Log lines about clients that misbehave, at a bounded rate: a flood of bad requests must not
//! become a flood of lines.
//!
//! Owns: the count of lines of the running second. Lives on: every core. Never: makes the text of a
//! line it leaves out.

use crate::limits;
use ring::Instant;
use std::{cell::Cell, time::Duration};

#[derive(Default)]
pub struct BadInput {
    second_began: Cell<Instant>,
    said: Cell<u32>,
    left_out: Cell<u64>,
    total: Cell<u64>,
}

impl BadInput {
    pub fn say(&self, now: Instant, message: impl FnOnce() -> String) {
        self.total.set(self.total.get() + 1);
        if now.since(self.second_began.get()) >= Duration::from_secs(1) {
            self.second_began.set(now);
            self.said.set(0);
            let left_out = self.left_out.replace(0);
            if left_out > 0 {
                tracing::warn!("{left_out} more lines about bad input were left out");
            }
        }
        if self.said.get() < limits::BAD_INPUT_LINES_PER_S {
            self.said.set(self.said.get() + 1);
            let message = message();
            tracing::warn!("{message}");
        } else {
            self.left_out.set(self.left_out.get() + 1);
        }
        let (told, total) = (u64::from(self.said.get()) + self.left_out.get(), self.total.get());
        assert!(told <= total, "{told} in this second, of {total}");
    }

    pub fn total(&self) -> u64 {
        self.total.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_makes_a_bounded_number_of_lines_per_second() {
        let (bad, made) = (BadInput::default(), Cell::new(0));
        let say = |now| {
            bad.say(now, || {
                made.set(made.get() + 1);
                String::new()
            })
        };
        let second = Duration::from_secs(1);
        (0..100).for_each(|_| say(Instant(0) + second));
        assert_eq!(made.get(), limits::BAD_INPUT_LINES_PER_S);
        say(Instant(0) + second * 2);
        assert_eq!((made.get(), bad.total()), (limits::BAD_INPUT_LINES_PER_S + 1, 101));
    }
}
