//! How much may be sampled, and of which partitions next. Pure.
//!
//! Never: lets a busy topic take what others have not had.

/// Bytes per second, of which those of the last second can be spent at once. An answer may be
/// larger than what was left, because brokers send whole batches: the rest is owed.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    per_s: f64,
    left: f64,
    filled_s: f64,
}

impl Budget {
    pub fn new(per_s: u64) -> Budget {
        Budget { per_s: per_s as f64, left: 0.0, filled_s: 0.0 }
    }

    /// Bytes that may be asked for at a time in seconds; 0 while some are owed.
    pub fn left(&mut self, now_s: f64) -> u64 {
        let more = (now_s - self.filled_s).max(0.0) * self.per_s;
        self.left = (self.left + more).min(self.per_s);
        self.filled_s = now_s;
        self.left.max(0.0) as u64
    }

    pub fn spend(&mut self, bytes: u64) {
        self.left -= bytes as f64;
    }
}

/// A partition with something to sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    pub topic: usize,
    pub partition: usize,
    /// Bytes that were sampled of its topic so far.
    pub topic_bytes: u64,
    /// Records that were sampled of it so far, of those that came.
    pub share: f64,
}

/// In the order in which they are to be sampled: topics take turns, the least sampled first, and of
/// each the least sampled partition first.
pub fn in_order(mut candidates: Vec<Candidate>) -> Vec<Candidate> {
    candidates.sort_by(|a, b| {
        (a.topic_bytes, a.topic).cmp(&(b.topic_bytes, b.topic)).then(a.share.total_cmp(&b.share))
    });
    let mut ranked: Vec<(usize, usize, Candidate)> = Vec::with_capacity(candidates.len());
    let (mut topic, mut rank, mut turn) = (None, 0, 0);
    for (at, candidate) in candidates.into_iter().enumerate() {
        if topic != Some(candidate.topic) {
            (topic, rank, turn) = (Some(candidate.topic), at, 0);
        }
        ranked.push((turn, rank, candidate));
        turn += 1;
    }
    ranked.sort_by_key(|(turn, rank, _)| (*turn, *rank));
    ranked.into_iter().map(|(_, _, candidate)| candidate).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spent_comes_back_by_the_second_and_does_not_add_up() {
        let mut budget = Budget::new(1_000);
        assert_eq!((budget.left(0.0), budget.left(0.5)), (0, 500));
        budget.spend(800);
        assert_eq!((budget.left(0.75), budget.left(1.0)), (0, 200));
        assert_eq!(budget.left(60.0), 1_000);
    }

    #[test]
    fn topics_take_turns_and_the_least_sampled_is_first() {
        let one = |topic, partition, topic_bytes, share| Candidate {
            topic,
            partition,
            topic_bytes,
            share,
        };
        let order = in_order(vec![
            one(0, 0, 900, 0.5),
            one(0, 1, 900, 0.1),
            one(0, 2, 900, 0.9),
            one(1, 0, 10, 0.9),
            one(1, 7, 10, 0.2),
        ]);
        let places: Vec<_> = order.iter().map(|one| (one.topic, one.partition)).collect();
        assert_eq!(places, [(1, 7), (0, 1), (1, 0), (0, 0), (0, 2)]);
    }
}
