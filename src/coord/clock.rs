//! A coordinator's sense of how time passes, made of wall-clock readings that may jump.
//!
//! Pure. Sessions must not all end because the clock was set, because the machine was suspended, or
//! because the core was held up: members could not be heard in that time. So a step that skips a
//! deadline by far does not count, and neither does one backwards.

/// How late a deadline may be noticed and still be believed. A host that ticks at deadlines is late
/// by milliseconds.
const BELIEVABLE_DELAY_MS: i64 = 5_000;

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Clock {
    wall_ms: i64,
    /// Time that has passed for members; deadlines are kept in it. Only differences mean anything.
    elapsed_ms: i64,
}

impl Clock {
    pub fn starting_at(wall_ms: i64) -> Clock {
        Clock { wall_ms, elapsed_ms: wall_ms }
    }

    /// The last reading.
    pub fn wall_ms(&self) -> i64 {
        self.wall_ms
    }

    /// Takes a reading; `deadline_ms` is the next deadline, in time of this clock. Returns the time
    /// of this clock.
    pub fn advance(&mut self, wall_ms: i64, deadline_ms: Option<i64>) -> i64 {
        let step_ms = wall_ms.saturating_sub(self.wall_ms);
        let now_ms = self.elapsed_ms.saturating_add(step_ms);
        let skipped = deadline_ms
            .is_some_and(|deadline_ms| now_ms.saturating_sub(deadline_ms) > BELIEVABLE_DELAY_MS);
        self.wall_ms = wall_ms;
        if step_ms < 0 || skipped {
            tracing::warn!(
                step_ms,
                "the clock jumped or this core stood still; sessions go on from where they were"
            );
        } else {
            self.elapsed_ms = now_ms;
        }
        self.elapsed_ms
    }

    /// The reading at which a deadline of this clock will have come.
    pub fn wall_ms_at(&self, deadline_ms: i64) -> i64 {
        deadline_ms.saturating_add(self.wall_ms.saturating_sub(self.elapsed_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jumps_do_not_count_and_deadlines_follow_the_readings() {
        let mut clock = Clock::starting_at(1_000);
        assert_eq!(clock.advance(1_500, Some(2_000)), 1_500);
        assert_eq!(clock.advance(3_600_000, Some(2_000)), 1_500, "an hour forward");
        assert_eq!(clock.wall_ms_at(2_000), 3_600_500);
        assert_eq!(clock.advance(3_600_400, Some(2_000)), 1_900);
        assert_eq!(clock.advance(1_000, Some(2_000)), 1_900, "and back");
        assert_eq!(clock.wall_ms_at(2_000), 1_100);
        assert_eq!(clock.advance(6_000, Some(2_000)), 6_900, "late, but not beyond belief");
        assert_eq!(clock.advance(9_000_000, None), 9_000_900, "no deadline is set");
        assert_eq!(clock.advance(i64::MAX, Some(9_000_901)), 9_000_900);
        assert_eq!(clock.advance(i64::MIN, Some(9_000_901)), 9_000_900);
    }
}
