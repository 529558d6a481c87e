//! Where the time of a produce request goes that crosses cores: when and in which turn of which
//! core each step was taken.
//!
//! Owns: the stops of one box on its way. Lives on: the core that has the box. Never: exists unless
//! `hop.trace.every` asks for it; without it the way costs a branch.

use crate::shard::Shard;
use ring::Instant;
use std::fmt;

/// The steps, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The turn began in which the request was cut off the connection's bytes.
    Received,
    /// In the owner's mailbox.
    Sent,
    /// Taken from there.
    Taken,
    /// All batches have their offsets.
    Appended,
    /// The records are as safe as the topic wants them; the results go back.
    Written,
    /// On the core of the connection again.
    Back,
    /// The reply is with the back-end, if no other core's results were missing.
    Replied,
}

const STEPS: [(Step, &str); 7] = [
    (Step::Received, "received"),
    (Step::Sent, "sent"),
    (Step::Taken, "taken"),
    (Step::Appended, "appended"),
    (Step::Written, "written"),
    (Step::Back, "back"),
    (Step::Replied, "replied"),
];

#[derive(Clone, Copy, Debug)]
struct Stop {
    turn: u64,
    at: Instant,
    /// The core that it was sent to had to be woken.
    to_sleeper: bool,
}

/// One box on its way, step by step.
#[derive(Debug)]
pub struct Trace {
    from: usize,
    owner: usize,
    size_bytes: usize,
    stops: [Option<Stop>; STEPS.len()],
    /// No results but these were missing for the reply.
    pub was_last: bool,
}

impl Trace {
    /// Of a box that leaves now.
    pub fn begin(shard: &Shard, owner: usize, size_bytes: usize) -> Box<Trace> {
        let stops = [None; STEPS.len()];
        let mut trace =
            Box::new(Trace { from: shard.index, owner, size_bytes, stops, was_last: false });
        let turn = shard.ring.turns().turns;
        trace.stops[Step::Received as usize] =
            Some(Stop { turn, at: shard.ring.now(), to_sleeper: false });
        trace
    }

    pub fn step(&mut self, step: Step, shard: &Shard) {
        let to = match step {
            Step::Sent => Some(self.owner),
            Step::Written => Some(self.from),
            _ => None,
        };
        let (place, stops) = (step as usize, &self.stops);
        assert!(place > 0 && stops[place - 1].is_some(), "{step:?} follows the step before it");
        assert!(stops[place].is_none(), "{step:?} is taken once");
        self.stops[place] = Some(Stop {
            turn: shard.ring.turns().turns,
            at: shard.ring.precise_now(),
            to_sleeper: to.is_some_and(|to| shard.mailbox.is_asleep(to)),
        });
    }

    /// Says it when the reply has been handed over, at the end of this turn.
    pub fn end(mut self: Box<Self>, shard: &Shard) {
        let task = shard.clone();
        shard.ring.spawn_named("hop trace", async move {
            task.ring.end_of_turn().await;
            self.step(Step::Replied, &task);
            tracing::info!("hop trace: {self}");
        });
    }
}

/// Microseconds since the step before, with the turn of the core that took the step.
impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "core {} to {}, {} bytes:", self.from, self.owner, self.size_bytes)?;
        let mut before = None;
        for ((_, name), stop) in STEPS.iter().zip(self.stops) {
            let Some(stop) = stop else { continue };
            let us = before.map_or(0.0, |at| stop.at.since(at).as_nanos() as f64 / 1e3);
            before = Some(stop.at);
            write!(f, " {name} {} +{us:.1}", stop.turn)?;
            if stop.to_sleeper {
                f.write_str(" wakes")?;
            }
            f.write_str(",")?;
        }
        f.write_str(if self.was_last { " last" } else { " others missing" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_each_step_with_its_turn_and_the_time_since_the_one_before() {
        let stop = |turn, ns, to_sleeper| Some(Stop { turn, at: Instant(ns), to_sleeper });
        let mut stops = [None; STEPS.len()];
        stops[Step::Received as usize] = stop(7, 1_000, false);
        stops[Step::Sent as usize] = stop(7, 3_500, true);
        stops[Step::Taken as usize] = stop(3, 20_000, false);
        let trace = Trace { from: 0, owner: 1, size_bytes: 99, stops, was_last: true };
        assert_eq!(
            trace.to_string(),
            "core 0 to 1, 99 bytes: received 7 +0.0, sent 7 +2.5 wakes, taken 3 +16.5, last"
        );
    }

    #[test]
    fn steps_are_named_in_their_order() {
        for (place, (step, _)) in STEPS.iter().enumerate() {
            assert_eq!(*step as usize, place);
        }
    }
}
