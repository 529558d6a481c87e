//! InitProducerId v0-5: producer ids for idempotent producers.
//!
//! Every core has a block of ids, which it gets from the controller, so that handing one out is a
//! matter of that core. A transactional id is its coordinator's matter.

use super::{controller, transactions};
use crate::{
    coord::producer_ids::{self, ProducerIdBlock},
    meta::controller::{ControllerRequest, ControllerResponse},
    request::RequestContext,
    shard::Shard,
};
use protocol::{
    ErrorCode,
    messages::{AllocateProducerIdsRequest, InitProducerIdRequest, InitProducerIdResponse},
};
use ring::sync::Notify;
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

pub async fn handle(
    shard: &Shard,
    context: &RequestContext<'_>,
    request: InitProducerIdRequest,
) -> InitProducerIdResponse {
    if request.transactional_id.as_deref() == Some("") {
        return producer_ids::init_producer_id_error(ErrorCode::InvalidRequest);
    }
    if request.transactional_id.is_some() {
        return transactions::init_producer_id(shard, context, request).await;
    }
    loop {
        let answered = shard.control.producer_ids.borrow_mut().handle(&request);
        if let Some(response) = answered {
            allocate_ahead(shard);
            return response;
        }
        if let Err(error) = allocate(shard).await {
            return producer_ids::init_producer_id_error(error);
        }
    }
}

/// Takes up to `len_max` ids from the block of this core.
pub async fn take(shard: &Shard, len_max: i32) -> Result<ProducerIdBlock, ErrorCode> {
    loop {
        let taken = shard.control.producer_ids.borrow_mut().take(len_max);
        if let Some(block) = taken {
            assert!((1..=len_max).contains(&block.len), "{} ids of {len_max} are taken", block.len);
            allocate_ahead(shard);
            return Ok(block);
        }
        allocate(shard).await?;
    }
}

/// The request for a block of ids that this core has under way: requests that need ids meanwhile
/// wait for that one.
#[derive(Default)]
pub struct Allocation(RefCell<Option<Rc<Round>>>);

#[derive(Default)]
struct Round {
    result: Cell<Option<Result<(), ErrorCode>>>,
    over: Notify,
}

/// Gets the next block before the last ids of this one are gone, so that no producer waits for the
/// controller. What fails here is tried again with the next request.
fn allocate_ahead(shard: &Shard) {
    let is_under_way = shard.control.producer_id_allocation.0.borrow().is_some();
    if !is_under_way && shard.control.producer_ids.borrow().needs_block() {
        let shard = shard.clone();
        drop(shard.ring.clone().spawn_named("producer ids", async move {
            let _ = allocate(&shard).await;
        }));
    }
}

/// Gets the next block of ids, once for all that ask for it at the same time.
async fn allocate(shard: &Shard) -> Result<(), ErrorCode> {
    let under_way = shard.control.producer_id_allocation.0.borrow().clone();
    if let Some(round) = under_way {
        round.over.wait_until(|| round.result.get().is_some()).await;
        return round.result.get().expect("the round is over");
    }
    let round = Rc::new(Round::default());
    let before = shard.control.producer_id_allocation.0.replace(Some(round.clone()));
    assert!(before.is_none(), "one request for a block of ids at a time");
    let result = ask_controller(shard).await;
    let over = shard.control.producer_id_allocation.0.take();
    assert!(over.is_some_and(|over| Rc::ptr_eq(&over, &round)), "a round ends itself");
    round.result.set(Some(result));
    round.over.notify();
    result
}

async fn ask_controller(shard: &Shard) -> Result<(), ErrorCode> {
    let broker_id = shard.config.node_id;
    let broker_epoch =
        shard.control.view().image.broker(broker_id).map_or(-1, |broker| broker.0.broker_epoch);
    let request = AllocateProducerIdsRequest { broker_id, broker_epoch };
    let answered = controller::call(shard, ControllerRequest::AllocateProducerIds(request)).await;
    let Some(ControllerResponse::AllocateProducerIds(response)) = answered else {
        return Err(ErrorCode::CoordinatorNotAvailable);
    };
    match ErrorCode::from_code(response.error_code) {
        Some(ErrorCode::None) => {
            shard
                .control
                .producer_ids
                .borrow_mut()
                .add_block(response.producer_id_start, response.producer_id_len);
            Ok(())
        }
        _ => Err(ErrorCode::CoordinatorNotAvailable),
    }
}
