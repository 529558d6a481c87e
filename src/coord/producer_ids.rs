//! Producer ids for idempotent producers: a block of them, handed out one by one (InitProducerId,
//! versions 0 to 6).
//!
//! Pure; one per broker, on the core its owner chooses. The block comes from the controller
//! (AllocateProducerIds), which the owner asks while [`needs_block`](ProducerIds::needs_block) says
//! so; ids are never handed out twice, and those left over when a broker stops are never used.

use protocol::ErrorCode;
use protocol::messages::{InitProducerIdRequest, InitProducerIdResponse};

/// The epoch of a producer id that was never used.
const FIRST_EPOCH: i16 = 0;
const NO_PRODUCER_ID: i64 = -1;
const NO_PRODUCER_EPOCH: i16 = -1;
/// The next block is asked for when less than this part of the current one is left, as in Kafka.
const PREFETCH_DIVISOR: i64 = 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Block {
    next: i64,
    end: i64,
    len: i64,
}

/// Ids that nothing else has: `len` of them, from `start` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProducerIdBlock {
    pub start: i64,
    pub len: i32,
}

#[derive(Clone, Debug, Default)]
pub struct ProducerIds {
    current: Option<Block>,
    following: Option<Block>,
}

impl ProducerIds {
    /// A producer id that no producer has, and its epoch. `None`: wait for a block.
    #[expect(
        clippy::should_implement_trait,
        reason = "an id is taken for good; no caller iterates over them"
    )]
    pub fn next(&mut self) -> Option<(i64, i16)> {
        if self.current.is_none_or(|block| block.next == block.end) {
            self.current = self.following.take();
        }
        let block = self.current.as_mut().filter(|block| block.next < block.end)?;
        let producer_id = block.next;
        block.next += 1;
        Some((producer_id, FIRST_EPOCH))
    }

    /// Takes up to `len_max` ids that follow one another. `None`: wait for a block.
    pub fn take(&mut self, len_max: i32) -> Option<ProducerIdBlock> {
        assert!(len_max > 0, "{len_max} ids are taken");
        let (start, _) = self.next()?;
        let block = self.current.as_mut().expect("an id came from it");
        let more = (block.end - block.next).min(i64::from(len_max) - 1);
        block.next += more;
        Some(ProducerIdBlock { start, len: 1 + more as i32 })
    }

    /// Whether to ask the controller for a block, if no such request is on its way.
    pub fn needs_block(&self) -> bool {
        let low =
            self.current.is_none_or(|block| block.end - block.next <= block.len / PREFETCH_DIVISOR);
        low && self.following.is_none()
    }

    /// Adds the ids from `start` to `start + len - 1`. A block that comes when two are there
    /// already is left unused.
    pub fn add_block(&mut self, start: i64, len: i32) {
        let len = i64::from(len);
        assert!(
            start >= 0 && len > 0 && start <= i64::MAX - len,
            "the controller gave out ids {start}+{len}"
        );
        let block = Block { next: start, end: start + len, len };
        if self.current.is_none_or(|current| current.next == current.end) {
            self.current = self.following.take();
        }
        if self.current.is_none() {
            self.current = Some(block);
        } else if self.following.is_none() {
            self.following = Some(block);
        }
    }

    /// Answers InitProducerId of an idempotent producer; `None` while there are no ids.
    ///
    /// Requests with a transactional id belong to the transaction coordinator. The producer id that
    /// an idempotent producer already has is not looked at: it always gets a new one, as in Kafka.
    pub fn handle(&mut self, request: &InitProducerIdRequest) -> Option<InitProducerIdResponse> {
        // The two go together: one without the other is a client's mistake.
        if (request.producer_id == NO_PRODUCER_ID) != (request.producer_epoch == NO_PRODUCER_EPOCH)
        {
            return Some(init_producer_id_error(ErrorCode::InvalidRequest));
        }
        let (producer_id, producer_epoch) = self.next()?;
        Some(InitProducerIdResponse { producer_id, producer_epoch, ..Default::default() })
    }
}

pub fn init_producer_id_error(error: ErrorCode) -> InitProducerIdResponse {
    InitProducerIdResponse {
        error_code: error.code(),
        producer_id: NO_PRODUCER_ID,
        producer_epoch: NO_PRODUCER_EPOCH,
        ..Default::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hands_out_each_id_once_across_blocks() {
        let mut ids = ProducerIds::default();
        assert!(ids.needs_block());
        assert_eq!(ids.next(), None);
        ids.add_block(100, 20);
        assert!(!ids.needs_block());
        for id in 100..118 {
            assert_eq!(ids.next(), Some((id, 0)));
        }
        assert!(ids.needs_block(), "two of twenty are left");
        ids.add_block(5000, 10);
        assert!(!ids.needs_block());
        let rest: Vec<i64> = std::iter::from_fn(|| ids.next()).map(|(id, _)| id).collect();
        assert_eq!(rest, [118, 119].into_iter().chain(5000..5010).collect::<Vec<_>>());
        assert!(ids.needs_block());
        ids.add_block(7000, 10);
        assert_eq!(ids.next(), Some((7000, 0)));
    }

    #[test]
    fn a_third_block_is_left_unused() {
        let mut ids = ProducerIds::default();
        for start in [0, 10, 20] {
            ids.add_block(start, 2);
        }
        let all: Vec<i64> = std::iter::from_fn(|| ids.next()).map(|(id, _)| id).collect();
        assert_eq!(all, [0, 1, 10, 11]);
    }

    #[test]
    fn hands_out_pieces_of_its_blocks() {
        let mut ids = ProducerIds::default();
        assert_eq!(ids.take(3), None);
        ids.add_block(10, 5);
        assert_eq!(ids.take(3), Some(ProducerIdBlock { start: 10, len: 3 }));
        assert_eq!(ids.take(3), Some(ProducerIdBlock { start: 13, len: 2 }), "no more are left");
        ids.add_block(70, 2);
        assert_eq!(ids.take(1), Some(ProducerIdBlock { start: 70, len: 1 }));
        assert_eq!(ids.next(), Some((71, 0)));
        assert_eq!(ids.take(1), None);
    }

    #[test]
    fn answers_init_producer_id() {
        let mut ids = ProducerIds::default();
        let request = InitProducerIdRequest { transactional_id: None, ..Default::default() };
        assert_eq!(ids.handle(&request), None);
        ids.add_block(7, 3);
        let response = ids.handle(&request).unwrap();
        assert_eq!((response.error_code, response.producer_id, response.producer_epoch), (0, 7, 0));
        // A producer that lost its epoch asks with what it has, and starts over.
        let again = InitProducerIdRequest { producer_id: 7, producer_epoch: 3, ..request.clone() };
        assert_eq!(ids.handle(&again).unwrap().producer_id, 8);
        let half = InitProducerIdRequest { producer_id: 7, ..request.clone() };
        assert_eq!(ids.handle(&half).unwrap().error_code, ErrorCode::InvalidRequest.code());
        assert_eq!(ids.next(), Some((9, 0)), "a refused request takes no id");
    }
}
