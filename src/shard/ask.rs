//! What one core asks of another: a question is a type that names its answer, and says how the core
//! that is asked finds it.
//!
//! Owns: nothing. Lives on: every core. A question that a core sends it could also answer itself;
//! how it is carried out does not know whether it came from near or far. Never: asks a core that
//! the caller did not name.
//!
//! On the way both are [`Errand`]s. The asker leaves with its mailbox the task that is to hear the
//! answer, under a number, and the answer comes back with that number.

use super::{Shard, mailbox::Errand};
use std::future::Future;

/// A question to a core.
pub trait Ask: Send + 'static {
    type Answer: Send + 'static;

    /// Finds the answer on the core that was asked, for core `from`, which may be the same.
    fn execute(self, shard: &Shard, from: usize) -> impl Future<Output = Self::Answer>;
}

/// A question on its way.
pub(super) struct Question<A> {
    pub number: u64,
    pub ask: A,
}

impl<A: Ask> Errand for Question<A> {
    fn arrive(self: Box<Self>, shard: &Shard, from: usize) {
        let task = shard.clone();
        shard.ring.spawn_named("call", async move {
            let Question { number, ask } = *self;
            let answer = ask.execute(&task, from).await;
            task.mailbox.send_errand(from, Box::new(Answered { number, answer }));
        });
    }
}

/// An answer on its way back.
struct Answered<T> {
    number: u64,
    answer: T,
}

impl<T: Send + 'static> Errand for Answered<T> {
    fn arrive(self: Box<Self>, shard: &Shard, _from: usize) {
        shard.mailbox.answered(self.number, self.answer);
    }
}

impl Shard {
    /// Asks this core or another. `None` when the broker stops before the answer comes.
    pub async fn ask<A: Ask>(&self, core: usize, ask: A) -> Option<A::Answer> {
        assert!(core < self.count, "core {core} of {}", self.count);
        if core == self.index {
            return Some(ask.execute(self, core).await);
        }
        self.mailbox.room().await;
        self.mailbox.ask(core, ask).await
    }

    /// Asks every core the same at once; the answers come in the order of the cores.
    pub async fn ask_all<A: Ask>(&self, make: impl Fn() -> A) -> Vec<A::Answer> {
        self.mailbox.room().await;
        let others = (0..self.count).filter(|core| *core != self.index);
        let asked: Vec<_> = others.map(|core| (core, self.mailbox.ask(core, make()))).collect();
        let mut answers = vec![(self.index, make().execute(self, self.index).await)];
        for (core, asked) in asked {
            answers.extend(asked.await.map(|answer| (core, answer)));
        }
        assert!(answers.len() <= self.count, "{} answers of {} cores", answers.len(), self.count);
        answers.sort_by_key(|(core, _)| *core);
        answers.into_iter().map(|(_, answer)| answer).collect()
    }
}
