//! One coordinator over the log of its partition: from the load of it to its end.
//!
//! Owns: the coordinator and the requests that wait in it. Lives on: the core that leads the
//! partition. Never: knows what the coordinator is of, but for what its kind says of itself
//! ([`Hosted`]).
//!
//! While the log of such a partition takes nothing for now (a full disk), its coordinator is
//! *held*: it has the committed state, answers requests that only read, and refuses the rest with
//! COORDINATOR_NOT_AVAILABLE, which clients try again.
//!
//! What a producer writes in a transaction ([`request_in_transaction`]), and its marker
//! ([`write_marker`]), the log may refuse, for the producer may be fenced. The coordinator hears of
//! neither then.
//!
//! A coordinator whose log is *damaged* answers nothing else until the broker is started again:
//! what is left of the log may say other things than were committed (other offsets, of groups), and
//! nothing is served by halves.

use super::{
    Hosted,
    load::{LoadError, load, pause_after},
};
use crate::{
    coord::{
        Batch,
        runtime::{Actions, Coordinator, Reply, ReplyToken, TopicChange},
    },
    limits,
    log::{AppendContext, ProducerError},
    memory::{Charge, Use},
    shard::{
        Shard,
        partition::Partition,
        produce::{Acks, append_records},
        transactions::{
            markers::{self, Marker},
            verify::{Transaction, verify},
        },
    },
};
use bytes::{Bytes, BytesMut};
use protocol::{
    ErrorCode,
    compression::Compression,
    records::{
        Batch as RecordBatch,
        validate::{self, AppendOrigin, ValidationRules},
    },
};
use ring::sync::{Notify, oneshot};
use rustc_hash::FxHashMap;
use std::{
    cell::{Cell, RefCell},
    fmt::Display,
    rc::Rc,
    time::Duration,
};

/// How often a held coordinator looks whether its log takes records again.
const HELD_INTERVAL: Duration = Duration::from_millis(500);

/// How far a coordinator is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Loading,
    Held,
    Active,
    /// Until the next start.
    Damaged,
}

/// One coordinator with its partition.
pub struct Host<M: Hosted> {
    pub(super) partition: Rc<Partition>,
    pub(super) coordinator: RefCell<Coordinator<M>>,
    /// For what the coordinator holds.
    account: RefCell<Charge>,
    waiting: RefCell<FxHashMap<u64, oneshot::Sender<M::Response>>>,
    next_token: Cell<u64>,
    /// Something happened that may have moved the next deadline, or ended the host.
    changed: Rc<Notify>,
    stage: Cell<Stage>,
    /// Topics that were deleted while it could not write so.
    deleted: RefCell<Vec<TopicChange>>,
    /// How often it was given up since something of it was committed.
    failures: Cell<u32>,
    pub(super) ended: Cell<bool>,
}

impl<M: Hosted> Host<M> {
    pub(super) fn stage(&self) -> Stage {
        self.stage.get()
    }

    /// A token for one request, and where its reply comes.
    fn ask(&self) -> (ReplyToken, oneshot::Receiver<M::Response>) {
        let token = self.next_token.get();
        self.next_token.set(token + 1);
        let (giver, taker) = oneshot::channel();
        let before = self.waiting.borrow_mut().insert(token, giver);
        assert!(before.is_none(), "token {token} is given once");
        (ReplyToken(token), taker)
    }

    /// One event of the coordinator, at this moment and with the settings of this moment.
    fn event(
        &self,
        shard: &Shard,
        event: impl FnOnce(&mut Coordinator<M>, i64) -> Actions<M>,
    ) -> Actions<M> {
        let mut coordinator = self.coordinator.borrow_mut();
        M::refresh(shard, coordinator.settings_mut());
        let actions = event(&mut coordinator, shard.ring.wall_clock_ms());
        drop(coordinator);
        self.take_account();
        actions
    }

    /// Takes note of what the coordinator holds now.
    pub(super) fn take_account(&self) {
        let bytes = self.machine(M::held_bytes);
        self.account.borrow_mut().resize(bytes);
    }

    /// Gives the coordinator up; what its requests hear.
    fn unload(&self) -> Vec<Reply<M::Response>> {
        let replies = self.coordinator.borrow_mut().unload();
        self.take_account();
        replies
    }

    /// Looks at the state of the coordinator.
    pub(super) fn machine<T>(&self, look: impl FnOnce(&M) -> T) -> T {
        look(self.coordinator.borrow().machine())
    }
}

/// Asks the coordinator of partition `index` of this core.
pub(super) async fn request<M: Hosted>(
    shard: &Shard,
    index: i32,
    request: M::Request,
) -> M::Response {
    match admit::<M>(shard, index, &request) {
        Ok(host) => handle(shard, &host, request, &AppendContext::coordinator(0)).await,
        Err(error) => M::failed(&request, error),
    }
}

/// The same for a request whose records are part of `transaction`: what it is refused for, before
/// the coordinator hears of it, `error_of` turns into the client's word.
pub(super) async fn request_in_transaction<M: Hosted>(
    shard: &Shard,
    index: i32,
    request: M::Request,
    transaction: &Transaction,
    error_of: impl Fn(ErrorCode) -> ErrorCode,
) -> M::Response {
    let host = match admit::<M>(shard, index, &request) {
        Ok(host) if host.stage.get() == Stage::Loading => return M::failed_while_loading(&request),
        Ok(host) => host,
        Err(error) => return M::failed(&request, error),
    };
    let refused = |error: ErrorCode, why: &dyn Display| {
        let Transaction { transactional_id, producer_id, producer_epoch, .. } = transaction;
        tracing::debug!(partition = index, %transactional_id, producer_id, producer_epoch, %error,
            "not in this transaction: {why}");
        M::failed(&request, error_of(error))
    };
    let guard = match verify(shard, &host.partition, transaction).await {
        Ok(guard) => guard,
        Err((error, why)) => return refused(error, &why),
    };
    if host.ended.get() {
        return M::failed(&request, ErrorCode::NotCoordinator);
    }
    assert!(host.stage.get() == Stage::Active, "a coordinator that is asked to write is active");
    let verification_required =
        shard.control.view().runtime.transactions.partition_verification_enable;
    let context = AppendContext { guard, verification_required, ..AppendContext::coordinator(0) };
    // In one turn with the append: a batch that is not taken would end the coordinator, whose state
    // has run ahead by then.
    let taken = takes(&host.partition, transaction, &context);
    match taken {
        Ok(()) => handle(shard, &host, request, &context).await,
        Err(refusal) => refused(refusal.error, &refusal),
    }
}

/// Whether the log takes a batch of this transaction now.
fn takes(
    partition: &Partition,
    transaction: &Transaction,
    context: &AppendContext,
) -> Result<(), ProducerError> {
    let Transaction { producer_id, producer_epoch, .. } = *transaction;
    if producer_id < 0 || producer_epoch < 0 {
        let message = format!("there is no producer {producer_id} with epoch {producer_epoch}");
        return Err(ProducerError { error: ErrorCode::InvalidProducerIdMapping, message });
    }
    partition.log.producers().check_transaction(producer_id, producer_epoch, context)
}

/// The coordinator that may be asked.
fn admit<M: Hosted>(
    shard: &Shard,
    index: i32,
    request: &M::Request,
) -> Result<Rc<Host<M>>, ErrorCode> {
    let host = shard.control.coordinators.borrow().get::<M>(index).cloned();
    let host = host.ok_or(ErrorCode::NotCoordinator)?;
    let stage = host.stage.get();
    if stage == Stage::Damaged || (stage == Stage::Held && M::may_write(request)) {
        return Err(ErrorCode::CoordinatorNotAvailable);
    }
    Ok(host)
}

/// `context`: of the batches that come of it.
async fn handle<M: Hosted>(
    shard: &Shard,
    host: &Rc<Host<M>>,
    request: M::Request,
    context: &AppendContext,
) -> M::Response {
    let failed = M::failed(&request, ErrorCode::NotCoordinator);
    let (token, reply) = host.ask();
    let actions =
        host.event(shard, |coordinator, now_ms| coordinator.handle(token, request, now_ms));
    execute_as(shard, host, actions, context);
    reply.await.unwrap_or(failed)
}

/// Appends a marker to the partition of the coordinator, and tells it that the transaction has
/// ended. Returns the partition, and the high watermark at which that is committed.
pub(super) fn write_marker<M: Hosted>(
    shard: &Shard,
    index: i32,
    marker: Marker,
) -> Result<(Rc<Partition>, i64), ErrorCode> {
    let host = shard.control.coordinators.borrow().get::<M>(index).cloned();
    let host = host.ok_or(ErrorCode::NotLeaderOrFollower)?;
    match host.stage.get() {
        // The load reads up to an end that it has chosen before.
        Stage::Loading => return Err(ErrorCode::CoordinatorLoadInProgress),
        Stage::Held | Stage::Damaged => return Err(ErrorCode::CoordinatorNotAvailable),
        Stage::Active => {}
    }
    assert!(!host.ended.get(), "a coordinator that has ended is not hosted");
    // The coordinator hears of it when it is in the log: one that is refused, as that of a
    // coordinator or a producer that is fenced, leaves nothing to be undone.
    let safe_offset = markers::append_to(shard, &host.partition, marker)?;
    let end = host.partition.log.log_end_offset();
    assert_eq!(safe_offset, end, "the marker is the end of the log");
    {
        let mut coordinator = host.coordinator.borrow_mut();
        coordinator.transaction_ended(marker.producer_id, marker.end.committed);
        coordinator.appended(safe_offset - 1);
    }
    host.changed.notify();
    commit(shard, &host, safe_offset);
    Ok((host.partition.clone(), safe_offset))
}

/// Tells the coordinator what became of an effect. One that has ended needs no word of it, and one
/// that cannot write gets another answer to what its successor asks.
pub(super) fn tell<M: Hosted>(shard: &Shard, host: &Rc<Host<M>>, request: M::Request) {
    let is_held = host.stage.get() == Stage::Held && M::may_write(&request);
    if host.ended.get() || is_held || shard.is_stopping() {
        return;
    }
    let (token, reply) = host.ask();
    // There is nothing to say to it.
    drop(reply);
    let actions =
        host.event(shard, |coordinator, now_ms| coordinator.handle(token, request, now_ms));
    execute(shard, host, actions);
}

/// Tells what has become of topics; one that cannot write what follows from it hears of it when it
/// can.
pub(super) fn tell_topics<M: Hosted>(shard: &Shard, host: &Rc<Host<M>>, changes: &[TopicChange]) {
    if host.stage.get() == Stage::Active {
        let actions =
            host.event(shard, |coordinator, now_ms| coordinator.topics_changed(changes, now_ms));
        execute(shard, host, actions);
    }
    let may_become_active = !matches!(host.stage.get(), Stage::Active | Stage::Damaged);
    if may_become_active || host.ended.get() {
        host.deleted
            .borrow_mut()
            .extend(changes.iter().filter(|topic| topic.is_deleted()).cloned());
    }
}

/// Takes over what the one before has not come to write.
pub(super) fn start<M: Hosted>(shard: &Shard, partition: Rc<Partition>) {
    let index = partition.id.index;
    let topic = &*partition.topic;
    assert_eq!(topic, M::TOPIC, "a coordinator lives with a partition of its topic");
    let known = shard.data.partition(partition.id);
    assert!(
        known.is_some_and(|known| Rc::ptr_eq(&known, &partition)),
        "{topic}-{index} has a coordinator, and is not this core's"
    );
    let before = shard.control.coordinators.borrow_mut().take_ended::<M>(&partition);
    let (deleted, failures) =
        before.map_or_else(Default::default, |host| (host.deleted.take(), host.failures.get()));
    let host = Rc::new(Host {
        coordinator: RefCell::new(Coordinator::<M>::new(M::settings(shard, &partition))),
        account: RefCell::new(shard.clients.memory.charge(Use::Transactions, 0)),
        partition,
        waiting: RefCell::default(),
        next_token: Cell::new(0),
        changed: Rc::default(),
        stage: Cell::new(Stage::Loading),
        deleted: RefCell::new(deleted),
        failures: Cell::new(failures),
        ended: Cell::new(false),
    });
    shard.control.coordinators.borrow_mut().insert(index, host.clone());
    shard.ring.spawn_named(M::WORDS.coordinator, run(shard.clone(), host));
}

pub(super) fn end<M: Hosted>(shard: &Shard, index: i32) {
    let Some(host) = shard.control.coordinators.borrow_mut().remove::<M>(index) else { return };
    assert!(!host.ended.replace(true), "the coordinator of {}-{index} ends once", M::TOPIC);
    let replies = host.unload();
    send(&host, replies);
    let unanswered = host.waiting.borrow().len();
    assert_eq!(unanswered, 0, "a coordinator that ends answers all that it was asked");
    host.changed.notify();
}

/// Gives the coordinator up after an error, and loads it anew from the log, as long as that is any
/// use.
fn restart<M: Hosted>(shard: &Shard, host: &Rc<Host<M>>, why: &str) {
    let index = host.partition.id.index;
    let name = M::WORDS.coordinator;
    if host.ended.get() {
        return;
    }
    let hosted = shard.control.coordinators.borrow().get::<M>(index).cloned();
    assert!(
        hosted.is_some_and(|hosted| Rc::ptr_eq(&hosted, host)),
        "another coordinator than that of {}-{index} would end",
        M::TOPIC
    );
    end::<M>(shard, index);
    if host.partition.is_gone() {
        return;
    }
    if host.partition.has_failed() {
        tracing::error!(
            partition = index,
            "the {name} stops: its log has failed ({why}); its {} are served again after a \
             restart of the broker",
            M::WORDS.served
        );
        return;
    }
    // What passes needs no pause: the next one is held, and a line tells of all that are. One that
    // was not active before, for whatever reason, might not come further then.
    if host.stage.get() == Stage::Active && host.partition.log.refusal().is_some() {
        return start_again(shard, host, Duration::ZERO);
    }
    host.failures.set(host.failures.get().saturating_add(1));
    let pause = pause_after(host.failures.get());
    tracing::error!(partition = index, "the {name} stops, and is loaded again in {pause:?}: {why}");
    start_again(shard, host, pause);
}

/// Its log is not what was written: nothing of it is served until the next start.
fn give_up<M: Hosted>(host: &Host<M>, why: &str) {
    let before = host.stage.replace(Stage::Damaged);
    assert!(before == Stage::Loading, "a load alone finds damage");
    tracing::error!(
        partition = host.partition.id.index,
        "the {} is not loaded: {why}",
        M::WORDS.coordinator
    );
    let replies = host.unload();
    send(host, replies);
}

fn start_again<M: Hosted>(shard: &Shard, host: &Rc<Host<M>>, pause: Duration) {
    assert!(host.ended.get(), "a coordinator is loaded anew when it has ended");
    shard.control.coordinators.borrow_mut().leave_to_next(host.clone());
    let (shard, host) = (shard.clone(), host.clone());
    shard.ring.clone().spawn(async move {
        shard.ring.sleep(pause).await;
        let partition = &host.partition;
        let still_mine = shard
            .data
            .partition(partition.id)
            .is_some_and(|current| Rc::ptr_eq(&current, partition));
        let is_hosted = shard.control.coordinators.borrow().has::<M>(partition.id.index);
        if !still_mine {
            shard.control.coordinators.borrow_mut().take_ended::<M>(partition);
        } else if !is_hosted && !shard.is_stopping() {
            start::<M>(&shard, partition.clone());
        }
    });
}

/// Loads the coordinator, then keeps its clock.
async fn run<M: Hosted>(shard: Shard, host: Rc<Host<M>>) {
    let stage = match load(&shard, &host).await {
        Ok(stage) => stage,
        Err(LoadError::Again(why)) => return restart(&shard, &host, &why),
        // What goes with its topic is not damaged.
        Err(LoadError::Damaged(_)) if host.ended.get() => return,
        Err(LoadError::Damaged(why)) => return give_up(&host, &why),
    };
    if host.ended.get() || shard.is_stopping() {
        return;
    }
    assert!(host.stage.get() == Stage::Loading, "a coordinator is loaded once");
    host.stage.set(stage);
    let actions = host.event(&shard, Coordinator::loaded);
    execute(&shard, &host, actions);
    if stage == Stage::Held {
        return hold(&shard, &host).await;
    }
    let deleted = host.deleted.borrow().clone();
    if !deleted.is_empty() && !host.ended.get() {
        let actions =
            host.event(&shard, |coordinator, now_ms| coordinator.topics_changed(&deleted, now_ms));
        execute(&shard, &host, actions);
        // Where that could not be written, the next one hears of it.
        if !host.ended.get() {
            host.deleted.take();
        }
    }
    while !host.ended.get() && !shard.is_stopping() {
        let changed = host.changed.clone().past(host.changed.generation());
        let deadline_ms = host.coordinator.borrow().next_deadline_ms();
        match deadline_ms {
            None => changed.await,
            Some(deadline_ms) => {
                let wait_ms = deadline_ms.saturating_sub(shard.ring.wall_clock_ms()).max(0) as u64;
                if wait_ms > 0 {
                    shard.ring.timeout(Duration::from_millis(wait_ms), changed).await;
                    continue;
                }
                let actions = host.event(&shard, Coordinator::tick);
                execute(&shard, &host, actions);
                // One step at a time: other work of this core goes between.
                shard.ring.end_of_turn().await;
            }
        }
    }
}

/// Serves what only reads until the log takes records again; then the coordinator is loaded anew,
/// with what was on its way.
async fn hold<M: Hosted>(shard: &Shard, host: &Rc<Host<M>>) {
    let log = &host.partition.log;
    let (why, todo) = (
        "the logs take no records".to_owned(),
        "the lines about their directory say what they lack",
    );
    let want = shard.data.wants.begin_as(&log.dir(), M::WORDS.only_reads, why, todo);
    while !host.ended.get() && !shard.is_stopping() {
        shard.ring.sleep(HELD_INTERVAL).await;
        if host.partition.has_failed() {
            return restart(shard, host, "it could not be written before");
        }
        if !host.ended.get()
            && log.refusal().is_none()
            && log.high_watermark() >= log.log_end_offset()
        {
            want.healed();
            end::<M>(shard, host.partition.id.index);
            return start_again(shard, host, Duration::ZERO);
        }
    }
}

/// Appends what an event wrote, lets go what may go, and the rest when it is committed.
fn execute<M: Hosted>(shard: &Shard, host: &Rc<Host<M>>, actions: Actions<M>) {
    execute_as(shard, host, actions, &AppendContext::coordinator(0));
}

fn execute_as<M: Hosted>(
    shard: &Shard,
    host: &Rc<Host<M>>,
    actions: Actions<M>,
    context: &AppendContext,
) {
    let Actions { batches, replies, effects } = actions;
    let of_one = context.guard.is_none() || batches.len() <= 1;
    assert!(of_one, "{} batches are appended with the guard of one", batches.len());
    let_go(shard, host, replies, effects);
    host.changed.notify();
    let mut committed_at = None;
    for batch in batches {
        match append::<M>(shard, &host.partition, &batch, context) {
            Ok((last_offset, safe_offset)) => {
                host.coordinator.borrow_mut().appended(last_offset);
                assert!(committed_at < Some(safe_offset), "batches are appended in their order");
                committed_at = Some(safe_offset);
            }
            Err(why) => return restart(shard, host, &why),
        }
    }
    if let Some(safe_offset) = committed_at {
        commit(shard, host, safe_offset);
    }
}

/// Lets go what waits for `safe_offset` when the high watermark is there.
fn commit<M: Hosted>(shard: &Shard, host: &Rc<Host<M>>, safe_offset: i64) {
    let (shard, host) = (shard.clone(), host.clone());
    shard.ring.clone().spawn_named(M::WORDS.commit, async move {
        if shard.wait_for_high_watermark(&host.partition, safe_offset).await.is_ok() {
            let committed = host.partition.log.high_watermark();
            assert!(committed >= safe_offset, "{committed} is committed, not {safe_offset}");
            host.failures.set(0);
            let committed =
                host.coordinator.borrow_mut().committed(host.partition.log.high_watermark());
            let_go(&shard, &host, committed.replies, committed.effects);
        } else {
            restart(&shard, &host, "what it wrote could not be committed");
        }
    });
}

/// Appends one atomic batch; returns the offset of its last record, and the high watermark at which
/// it is committed.
fn append<M: Hosted>(
    shard: &Shard,
    partition: &Rc<Partition>,
    batch: &Batch<M::Author>,
    context: &AppendContext,
) -> Result<(i64, i64), String> {
    let now_ms = shard.ring.wall_clock_ms();
    let limit_bytes = limits::DECOMPRESSED_BATCH_MAX_BYTES;
    let origin = AppendOrigin::Coordinator;
    let rules = partition.config.borrow().validation_rules(limit_bytes, now_ms, origin);
    let bytes = packed(M::encode(batch, now_ms), M::codec(shard), &rules)?;
    let valid = validate::validate(&bytes, &rules, &mut shard.data.scratch.borrow_mut())
        .map_err(|refused| refused.message)?;
    let (result, safe_offset) = append_records(shard, partition, bytes, &valid, context, Acks::All)
        .map_err(|error| error.to_string())?;
    let count = batch.records.len() as i64;
    assert_eq!(result.base_offset + count, safe_offset, "{count} records were appended");
    Ok((safe_offset - 1, safe_offset))
}

/// The same records in `codec`.
fn packed(bytes: Bytes, codec: Compression, rules: &ValidationRules) -> Result<BytesMut, String> {
    if codec == Compression::None {
        return Ok(BytesMut::from(bytes));
    }
    let batch = RecordBatch::parse(&bytes).map_err(|error| error.to_string())?;
    let packed = validate::recompress(&batch, codec, None, rules);
    packed.map(|bytes| BytesMut::from(Bytes::from(bytes))).map_err(|refused| refused.message)
}

fn let_go<M: Hosted>(
    shard: &Shard,
    host: &Rc<Host<M>>,
    replies: Vec<Reply<M::Response>>,
    effects: Vec<M::Effect>,
) {
    send(host, replies);
    for effect in effects {
        M::execute(shard, host, effect);
    }
}

fn send<M: Hosted>(host: &Host<M>, replies: Vec<Reply<M::Response>>) {
    for Reply { token, response } in replies {
        let giver = host.waiting.borrow_mut().remove(&token.0);
        giver.expect("each token is answered once").send(response);
    }
}
