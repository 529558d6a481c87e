//! AllocateProducerIds (key 67): each call gives a broker the next block of producer ids; none is
//! ever given twice.

use super::{ApiError, Context, Outcome, registration};
use protocol::ErrorCode;
use protocol::messages::{AllocateProducerIdsRequest, AllocateProducerIdsResponse};
use protocol::metadata_records::ProducerIdsRecord;

/// Ids per block (`ProducerIdsBlock.PRODUCER_ID_BLOCK_SIZE`).
pub const BLOCK_SIZE: i64 = 1000;

pub fn handle(
    context: &Context<'_>,
    request: &AllocateProducerIdsRequest,
) -> Outcome<AllocateProducerIdsResponse> {
    let (broker_id, broker_epoch) = (request.broker_id, request.broker_epoch);
    let start = context.image.next_producer_id;
    let next = registration::check_epoch(context.image, broker_id, broker_epoch).and_then(|()| {
        start.checked_add(BLOCK_SIZE).ok_or_else(|| ApiError::bare(ErrorCode::UnknownServerError))
    });
    match next {
        Err(error) => Outcome::only(refused(&error)),
        Ok(next_producer_id) => {
            let response = AllocateProducerIdsResponse {
                producer_id_start: start,
                producer_id_len: BLOCK_SIZE as i32,
                ..Default::default()
            };
            Outcome::of(
                vec![ProducerIdsRecord { broker_id, broker_epoch, next_producer_id }.into()],
                response,
            )
        }
    }
}

pub fn refused(error: &ApiError) -> AllocateProducerIdsResponse {
    AllocateProducerIdsResponse { error_code: error.code.code(), ..Default::default() }
}
