//! The runtime under a state machine that is not the group coordinator's: producers write through
//! it, and it wants things done elsewhere, as a coordinator of transactions does.

use std::ops::ControlFlow;

use protocol::records::{EndTransactionMarker, Record};
use protocol::{ErrorCode, Uuid};

use super::*;
use crate::coord::Batch;
use crate::coord::runtime::{Actions, Context, Coordinator, Reply, StateMachine, TopicChange};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Author {
    Itself,
    Producer { id: i64, epoch: i16 },
}

#[derive(Debug, PartialEq)]
enum Effect {
    WriteMarkers { topic: &'static str, partition: i32, committed: bool },
    AskController,
}

#[derive(Debug)]
enum Request {
    Write(Author, &'static str),
    /// Writes as itself, then wants markers.
    End,
    AskController,
    /// Is answered by a timer.
    Wait {
        timer: u8,
        delay_ms: i64,
    },
}

#[derive(Debug, PartialEq)]
enum Response {
    Done,
    Failed(ErrorCode),
}

/// What it saw.
#[derive(Debug, Default)]
struct Ledger {
    /// Each with the producer of its transaction.
    replayed: Vec<(Vec<u8>, Option<i64>)>,
    ended: Vec<(i64, bool)>,
    waiting: BTreeMap<u8, ReplyToken>,
    topics: Vec<(String, usize)>,
}

/// The timer after which other work goes first.
const LONG_WORK: u8 = 2;

fn record(key: &'static str) -> CoordinatorRecord {
    CoordinatorRecord { key: Bytes::from_static(key.as_bytes()), value: None }
}

impl StateMachine for Ledger {
    type Settings = usize;
    type Request = Request;
    type Response = Response;
    type Timer = u8;
    type Author = Author;
    type Effect = Effect;

    fn max_batch_bytes(settings: &usize) -> usize {
        *settings
    }

    fn replay(&mut self, record: &Record<'_>, producer_id: Option<i64>) {
        self.replayed.push((record.key.unwrap().to_vec(), producer_id));
    }

    fn replay_marker(&mut self, producer_id: i64, committed: bool) {
        self.ended.push((producer_id, committed));
    }

    fn loaded(&mut self, _turn: &mut Context<'_, Self>) {}

    fn handle(&mut self, context: &mut Context<'_, Self>, token: ReplyToken, request: Request) {
        match request {
            Request::Write(author, key) => context.append_as(author, record(key)),
            Request::End => {
                context.append_as(Author::Itself, record("end"));
                context.want(Effect::WriteMarkers { topic: "t", partition: 3, committed: true });
            }
            Request::AskController => context.want(Effect::AskController),
            Request::Wait { timer, delay_ms } => {
                context.timers.schedule(timer, context.clock_ms + delay_ms);
                self.waiting.insert(timer, token);
                return;
            }
        }
        context.reply(token, Response::Done);
    }

    fn timer_fired(&mut self, context: &mut Context<'_, Self>, timer: u8) -> ControlFlow<()> {
        context.reply(self.waiting.remove(&timer).unwrap(), Response::Done);
        if timer == LONG_WORK { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn topics_changed(&mut self, _turn: &mut Context<'_, Self>, changes: &[TopicChange]) {
        self.topics
            .extend(changes.iter().map(|topic| (topic.name.to_string(), topic.partition_count)));
    }

    fn answer_all(&mut self, context: &mut Context<'_, Self>, error: ErrorCode) {
        for token in std::mem::take(&mut self.waiting).into_values() {
            context.reply(token, Response::Failed(error));
        }
    }

    fn may_write(request: &Request) -> bool {
        matches!(request, Request::Write(..) | Request::End)
    }

    fn failed(_request: &Request, error: ErrorCode) -> Response {
        Response::Failed(error)
    }

    fn failed_while_loading(_request: &Request) -> Response {
        Response::Failed(ErrorCode::CoordinatorLoadInProgress)
    }

    fn into_failed(_response: Response, error: ErrorCode) -> Response {
        Response::Failed(error)
    }
}

fn active() -> Coordinator<Ledger> {
    let mut coordinator = Coordinator::new(1_000);
    assert!(coordinator.loaded(START_MS).batches.is_empty());
    coordinator
}

fn tokens(actions: &Actions<Ledger>) -> Vec<u64> {
    actions.replies.iter().map(|reply| reply.token.0).collect()
}

#[test]
fn a_batch_has_one_author_and_fits_the_log() {
    let (first, second) =
        (Author::Producer { id: 7, epoch: 0 }, Author::Producer { id: 7, epoch: 1 });
    let mut written = crate::coord::batch::Written::new(1_000);
    for (author, key) in
        [(first, "a"), (first, "b"), (second, "c"), (Author::Itself, "d"), (first, "e")]
    {
        written.push(author, record(key));
    }
    let batch = |author, keys: &[&'static str]| Batch {
        author,
        records: keys.iter().map(|key| record(key)).collect(),
    };
    let expected = [
        batch(first, &["a", "b"]),
        batch(second, &["c"]),
        batch(Author::Itself, &["d"]),
        batch(first, &["e"]),
    ];
    assert_eq!(written.into_batches(), expected);
    let mut written = crate::coord::batch::Written::new(200);
    for key in ["a", "b", "c"] {
        written.push((), record(key));
    }
    assert!(written.size_bytes() > 200);
    assert_eq!(
        written.into_batches().iter().map(|batch| batch.records.len()).collect::<Vec<_>>(),
        [2, 1]
    );
    let mut coordinator = active();
    let actions = coordinator.handle(ReplyToken(1), Request::Write(second, "a"), START_MS);
    assert_eq!(actions.batches, [batch(second, &["a"])]);
}

#[test]
fn an_effect_waits_for_everything_written_before_it() {
    let mut coordinator = active();
    let at_once = coordinator.handle(ReplyToken(1), Request::AskController, START_MS);
    assert_eq!((at_once.effects, at_once.replies.len()), (vec![Effect::AskController], 1));
    let end = coordinator.handle(ReplyToken(2), Request::End, START_MS);
    assert_eq!((end.batches.len(), end.replies, end.effects), (1, vec![], vec![]));
    let later = coordinator.handle(ReplyToken(3), Request::AskController, START_MS);
    assert_eq!((later.batches.len(), later.replies, later.effects), (0, vec![], vec![]));
    coordinator.appended(0);
    assert_eq!(coordinator.committed(0).effects, []);
    let committed = coordinator.committed(1);
    let markers = Effect::WriteMarkers { topic: "t", partition: 3, committed: true };
    assert_eq!(
        (tokens(&committed), committed.effects),
        (vec![2, 3], vec![markers, Effect::AskController])
    );
}

#[test]
fn an_effect_of_what_was_lost_is_never_carried_out() {
    let mut coordinator = active();
    let parked = Request::Wait { timer: 1, delay_ms: 1_000 };
    assert!(coordinator.handle(ReplyToken(1), parked, START_MS).replies.is_empty());
    assert_eq!(coordinator.handle(ReplyToken(2), Request::End, START_MS).batches.len(), 1);
    let moved = || Response::Failed(ErrorCode::NotCoordinator);
    let [lost, waiting] = [2, 1].map(|token| Reply { token: ReplyToken(token), response: moved() });
    assert_eq!(coordinator.unload(), [lost, waiting]);
    coordinator.appended(0);
    assert_eq!(coordinator.committed(1).effects, []);
    assert_eq!(
        coordinator.handle(ReplyToken(3), Request::End, START_MS).replies[0].response,
        moved()
    );
    assert_eq!(coordinator.next_deadline_ms(), None);
}

#[test]
fn a_timer_may_let_other_work_go_before_the_next() {
    let mut coordinator = active();
    for timer in [1, LONG_WORK, 3] {
        let request = Request::Wait { timer, delay_ms: i64::from(timer) };
        assert!(coordinator.handle(ReplyToken(timer.into()), request, START_MS).replies.is_empty());
    }
    assert!(tokens(&coordinator.tick(START_MS)).is_empty());
    assert_eq!(tokens(&coordinator.tick(START_MS + 10)), [1, 2]);
    assert_eq!(coordinator.next_deadline_ms(), Some(START_MS + 3));
    assert_eq!(tokens(&coordinator.tick(START_MS + 10)), [3]);
}

#[test]
fn a_machine_learns_whose_records_it_reads_and_how_transactions_ended() {
    let mut coordinator = Coordinator::<Ledger>::new(1_000);
    let mut plain = BatchBuilder::new(0);
    plain.append(START_MS, Some(b"a"), None, &[]);
    let mut of_producer = BatchBuilder::new(1).producer(7, 0, 0).transactional(true);
    of_producer.append(START_MS, Some(b"b"), None, &[]);
    let marker = EndTransactionMarker { committed: false, coordinator_epoch: 1 };
    let marker = BatchBuilder::end_transaction_marker(2, START_MS, 7, 0, marker);
    let mut offset = 0;
    for batch in [plain, of_producer, marker] {
        offset = coordinator.load(&batch.build(), offset).unwrap();
    }
    let machine = coordinator.machine();
    assert_eq!(machine.replayed, [(b"a".to_vec(), None), (b"b".to_vec(), Some(7))]);
    assert_eq!(machine.ended, [(7, false)]);
}

#[test]
fn topics_are_an_event_of_an_active_coordinator() {
    let change = |name: &str, partition_count| TopicChange {
        name: name.into(),
        id: Uuid::ZERO,
        partition_count,
    };
    let mut coordinator = Coordinator::<Ledger>::new(1_000);
    assert!(coordinator.topics_changed(&[change("a", 1)], START_MS).batches.is_empty());
    assert!(coordinator.machine().topics.is_empty(), "its log is not read yet");
    assert!(coordinator.loaded(START_MS).batches.is_empty());
    assert!(
        coordinator.topics_changed(&[change("a", 0), change("b", 2)], START_MS).batches.is_empty()
    );
    assert_eq!(coordinator.machine().topics, [("a".to_owned(), 0), ("b".to_owned(), 2)]);
    assert!(change("a", 0).is_deleted() && !change("b", 2).is_deleted());
}
