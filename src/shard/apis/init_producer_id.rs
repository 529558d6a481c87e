//! InitProducerId v0-5: producer ids for idempotent producers.
//!
//! Every core has a block of ids, which it gets from the controller, so that handing one out is a matter of that core.
//! Not done: transactional ids (the transaction coordinator is a later issue): UNSUPPORTED_VERSION, which clients report
//! as what it is, and one line in the log.

use super::controller;
use crate::{
    coord::producer_ids,
    meta::controller::{ControllerRequest, ControllerResponse},
    net::dispatch::Context,
    shard::Shard,
};
use protocol::{
    ErrorCode,
    messages::{AllocateProducerIdsRequest, InitProducerIdRequest, InitProducerIdResponse},
};

pub async fn handle(context: &Context<'_>, request: InitProducerIdRequest) -> InitProducerIdResponse {
    let shard = &context.connection.shard;
    if request.transactional_id.as_deref() == Some("") {
        return producer_ids::init_producer_id_error(ErrorCode::InvalidRequest);
    }
    if let Some(refusal) = producer_ids::transactional(&request) {
        shard.bad_input.say(shard.ring.now(), || {
            let id = request.transactional_id.as_deref().unwrap_or_default();
            format!(
                "{} asks for transactional id '{id}': transactions are not served yet",
                context.connection.stream.peer_addr()
            )
        });
        return refusal;
    }
    loop {
        if let Some(response) = shard.producer_ids.borrow_mut().handle(&request) {
            return response;
        }
        if let Err(error) = allocate(shard).await {
            return producer_ids::init_producer_id_error(error);
        }
    }
}

/// Gets the next block of ids. Two requests at once get two blocks; ids are plenty.
async fn allocate(shard: &Shard) -> Result<(), ErrorCode> {
    let broker_id = shard.config.node_id;
    let broker_epoch = shard.view.borrow().image.broker(broker_id).map_or(-1, |broker| broker.0.broker_epoch);
    let request = AllocateProducerIdsRequest { broker_id, broker_epoch };
    let answered = controller::call(shard, ControllerRequest::AllocateProducerIds(request)).await;
    let Some(ControllerResponse::AllocateProducerIds(response)) = answered else {
        return Err(ErrorCode::CoordinatorNotAvailable);
    };
    match ErrorCode::from_code(response.error_code) {
        Some(ErrorCode::None) => {
            shard.producer_ids.borrow_mut().add_block(response.producer_id_start, response.producer_id_len);
            Ok(())
        }
        _ => Err(ErrorCode::CoordinatorNotAvailable),
    }
}
