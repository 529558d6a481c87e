//! What is known of a connection's client metrics (KIP-714): when its client asked what to push,
//! when it pushed, and what may come next.
//!
//! Pure: requests and time in, verdicts out. Owns: the state of one client instance. Lives on: the
//! core of the connection, and goes with it, as Kafka forgets an instance when its connection ends.

use protocol::{ErrorCode, Uuid};
use ring::Instant;
use std::time::Duration;

/// What subscriptions ask of a client instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subscribed {
    /// Of the subscriptions that this was found in: others may have other answers.
    pub version: u64,
    pub subscription_id: i32,
    pub push_interval_ms: i32,
}

#[derive(Debug)]
pub struct Instance {
    pub id: Uuid,
    subscribed: Subscribed,
    last_get: Option<Instant>,
    last_push: Option<Instant>,
    /// It said that it pushes no more.
    is_terminating: bool,
    last_error: ErrorCode,
}

/// What a push says of itself.
#[derive(Clone, Copy, Debug)]
pub struct Push {
    pub subscription_id: i32,
    pub is_terminating: bool,
    pub compression_type: i8,
    pub bytes: usize,
}

/// The codec ids of batches, from none to zstd.
const COMPRESSION_TYPES: std::ops::RangeInclusive<i8> = 0..=4;

impl Instance {
    pub fn new(id: Uuid, subscribed: Subscribed) -> Instance {
        Instance {
            id,
            subscribed,
            last_get: None,
            last_push: None,
            is_terminating: false,
            last_error: ErrorCode::None,
        }
    }

    /// Whether this is what is known of `id` with subscriptions of this version.
    pub fn is_current(&self, id: Uuid, version: u64) -> bool {
        self.id == id && self.subscribed.version == version
    }

    pub fn subscribed(&self) -> Subscribed {
        self.subscribed
    }

    /// May it ask now? Once per push interval, or at once where its last push was refused for what
    /// a new answer tells it.
    pub fn may_get(&mut self, now: Instant) -> Result<(), ErrorCode> {
        if self.is_over(self.last_get.max(self.last_push), now) {
            self.last_get = Some(now);
        } else if !matches!(
            self.last_error,
            ErrorCode::UnknownSubscriptionId | ErrorCode::UnsupportedCompressionType
        ) {
            return Err(ErrorCode::ThrottlingQuotaExceeded);
        }
        self.last_error = ErrorCode::None;
        Ok(())
    }

    /// May it push this now? A first push behind an answer may come at any time: the client spreads
    /// it over an interval, from half of it on.
    pub fn may_push(
        &mut self,
        push: Push,
        max_bytes: usize,
        now: Instant,
    ) -> Result<(), ErrorCode> {
        let verdict = self.judge(push, max_bytes, now);
        self.is_terminating = push.is_terminating;
        self.last_error = verdict.err().unwrap_or(ErrorCode::None);
        verdict
    }

    /// A push that was let through has failed all the same.
    pub fn failed(&mut self, error: ErrorCode) {
        self.last_error = error;
    }

    fn judge(&mut self, push: Push, max_bytes: usize, now: Instant) -> Result<(), ErrorCode> {
        if self.is_terminating {
            return Err(ErrorCode::InvalidRequest);
        }
        if self.last_get > self.last_push || self.is_over(self.last_push, now) {
            self.last_push = Some(now);
        } else if !push.is_terminating {
            return Err(ErrorCode::ThrottlingQuotaExceeded);
        }
        if push.subscription_id != self.subscribed.subscription_id {
            return Err(ErrorCode::UnknownSubscriptionId);
        }
        if !COMPRESSION_TYPES.contains(&push.compression_type) {
            return Err(ErrorCode::UnsupportedCompressionType);
        }
        if push.bytes > max_bytes {
            return Err(ErrorCode::TelemetryTooLarge);
        }
        Ok(())
    }

    /// Whether the push interval since `last` is over.
    fn is_over(&self, last: Option<Instant>, now: Instant) -> bool {
        let interval_ms = u64::try_from(self.subscribed.push_interval_ms).unwrap_or(0);
        last.is_none_or(|last| now.since(last) >= Duration::from_millis(interval_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: Uuid = Uuid::from_u128(1000);

    fn instance() -> Instance {
        Instance::new(ID, Subscribed { version: 3, subscription_id: 7, push_interval_ms: 1000 })
    }

    fn at(ms: u64) -> Instant {
        Instant(1_000_000_000_000) + Duration::from_millis(ms)
    }

    const GOOD: Push =
        Push { subscription_id: 7, is_terminating: false, compression_type: 4, bytes: 100 };
    const THROTTLED: Result<(), ErrorCode> = Err(ErrorCode::ThrottlingQuotaExceeded);

    #[test]
    fn a_client_asks_and_pushes_once_per_interval() {
        let mut instance = instance();
        assert_eq!(instance.may_get(at(0)), Ok(()));
        assert_eq!(instance.may_get(at(999)), THROTTLED);
        // The first push may come early, the next one may not.
        assert_eq!(instance.may_push(GOOD, 100, at(500)), Ok(()));
        assert_eq!(instance.may_push(GOOD, 100, at(1499)), THROTTLED);
        assert_eq!(instance.may_push(GOOD, 100, at(1500)), Ok(()));
        assert_eq!(instance.may_get(at(2499)), THROTTLED);
        assert_eq!(instance.may_get(at(2500)), Ok(()));
        assert!(instance.is_current(ID, 3));
        assert!(!instance.is_current(ID, 4) && !instance.is_current(Uuid::from_u128(1), 3));
    }

    #[test]
    fn a_client_that_needs_a_new_answer_may_ask_at_once() {
        for (push, error) in [
            (Push { subscription_id: 8, ..GOOD }, ErrorCode::UnknownSubscriptionId),
            (Push { compression_type: 5, ..GOOD }, ErrorCode::UnsupportedCompressionType),
            (Push { compression_type: -1, ..GOOD }, ErrorCode::UnsupportedCompressionType),
        ] {
            let mut instance = instance();
            assert_eq!(instance.may_get(at(0)), Ok(()));
            assert_eq!(instance.may_push(push, 100, at(1)), Err(error));
            assert_eq!(instance.may_get(at(2)), Ok(()), "{error}");
            assert_eq!(instance.may_get(at(3)), THROTTLED, "{error}");
        }
        let mut instance = instance();
        assert_eq!(instance.may_push(GOOD, 99, at(0)), Err(ErrorCode::TelemetryTooLarge));
        assert_eq!(instance.may_get(at(1)), THROTTLED);
        instance.failed(ErrorCode::InvalidRecord);
        assert_eq!(instance.may_get(at(1)), THROTTLED);
    }

    #[test]
    fn the_last_push_may_come_early_and_nothing_behind_it() {
        let mut instance = instance();
        let last = Push { is_terminating: true, ..GOOD };
        assert_eq!(instance.may_push(GOOD, 100, at(0)), Ok(()));
        assert_eq!(instance.may_push(last, 100, at(1)), Ok(()));
        assert_eq!(instance.may_push(last, 100, at(5000)), Err(ErrorCode::InvalidRequest));
        // Kafka takes the word of the push that it refuses.
        assert_eq!(instance.may_push(GOOD, 100, at(5000)), Err(ErrorCode::InvalidRequest));
        assert_eq!(instance.may_push(GOOD, 100, at(5000)), Ok(()));
    }
}
