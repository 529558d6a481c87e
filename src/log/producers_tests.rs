use super::*;
use proptest::prelude::*;
use protocol::records::{BatchBuilder, increment_sequence};

const DAY_MS: i64 = 86_400_000;

fn client() -> AppendContext {
    AppendContext {
        origin: AppendOrigin::Client { produce_version: 13 },
        verification_required: false,
        guard: None,
        transaction_version: 0,
    }
}

fn coordinator(transaction_version: i16) -> AppendContext {
    AppendContext { origin: AppendOrigin::Coordinator, transaction_version, ..client() }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Data {
    id: i64,
    epoch: i16,
    sequence: i32,
    count: i32,
    transactional: bool,
}

fn data(id: i64, epoch: i16, sequence: i32, count: i32) -> Data {
    Data { id, epoch, sequence, count, transactional: false }
}

impl Data {
    fn bytes(&self, base_offset: i64) -> Bytes {
        let mut builder = BatchBuilder::new(base_offset)
            .producer(self.id, self.epoch, self.sequence)
            .transactional(self.transactional);
        for _ in 0..self.count {
            builder.append(1000 + base_offset, None, None, &[]);
        }
        builder.build()
    }

    fn transactional(self) -> Self {
        Self { transactional: true, ..self }
    }
}

fn marker(id: i64, epoch: i16, coordinator_epoch: i32, committed: bool, offset: i64) -> Bytes {
    let marker = EndTransactionMarker { committed, coordinator_epoch };
    BatchBuilder::end_transaction_marker(offset, 1000 + offset, id, epoch, marker).build()
}

/// A log that appends what the producer state accepts.
#[derive(Default, Clone)]
struct Log {
    states: ProducerStates,
    batches: Vec<Bytes>,
    end: i64,
}

impl Log {
    fn append(&mut self, bytes: Bytes, context: &AppendContext) -> Result<Checked, ErrorCode> {
        let batch = Batch::parse(&bytes).unwrap();
        let checked = self.states.check(&batch, context).map_err(|refused| refused.error)?;
        if checked == Checked::New {
            self.states.apply(&batch);
            self.end = batch.next_offset();
            self.batches.push(bytes);
        }
        Ok(checked)
    }

    fn send(&mut self, data: Data) -> Result<Checked, ErrorCode> {
        self.append(data.bytes(self.end), &client())
    }

    fn end_transaction(&mut self, id: i64, epoch: i16, committed: bool) -> CompletedTransaction {
        let bytes = marker(id, epoch, 0, committed, self.end);
        let batch = Batch::parse(&bytes).unwrap();
        assert_eq!(self.states.check(&batch, &coordinator(0)), Ok(Checked::New));
        self.end += 1;
        self.states.apply(&batch).unwrap()
    }
}

const OUT_OF_ORDER: Result<Checked, ErrorCode> = Err(ErrorCode::OutOfOrderSequenceNumber);
const OLD_EPOCH: Result<Checked, ErrorCode> = Err(ErrorCode::InvalidProducerEpoch);
const NEW: Result<Checked, ErrorCode> = Ok(Checked::New);

#[test]
fn sequences_follow_each_other() {
    let mut log = Log::default();
    assert_eq!(log.send(data(1, 0, 0, 3)), NEW);
    assert_eq!(log.send(data(1, 0, 4, 1)), OUT_OF_ORDER, "a gap");
    assert_eq!(log.send(data(1, 0, 2, 2)), OUT_OF_ORDER, "an overlap");
    assert_eq!(log.send(data(1, 0, 3, 2)), NEW);
    assert_eq!(log.send(data(2, 0, 77, 1)), NEW, "an unknown producer begins anywhere");
    assert_eq!(log.send(data(2, 0, 79, 1)), OUT_OF_ORDER);
    assert_eq!(log.send(data(-1, -1, -1, 1)), NEW, "no producer id, no rules");
}

#[test]
fn sequences_wrap() {
    let mut log = Log::default();
    assert_eq!(log.send(data(1, 0, i32::MAX - 1, 4)), NEW);
    assert_eq!(log.states.get(1).unwrap().last_sequence(), 1);
    assert_eq!(log.send(data(1, 0, 2, 1)), NEW);
    let again = log.send(data(1, 0, i32::MAX - 1, 4));
    assert_eq!(again, Ok(Checked::Duplicate { base_offset: 0, last_offset: 3, timestamp: 1000 }));
    assert_eq!(log.send(data(2, 0, i32::MAX, 1)), NEW);
    assert_eq!(log.send(data(2, 0, 0, 1)), NEW);
}

#[test]
fn the_last_five_batches_are_recognised() {
    let mut log = Log::default();
    for sequence in 0..7 {
        assert_eq!(log.send(data(1, 0, sequence, 1)), NEW);
    }
    for sequence in 2..7 {
        let offset = i64::from(sequence);
        let expected = Checked::Duplicate {
            base_offset: offset,
            last_offset: offset,
            timestamp: 1000 + offset,
        };
        assert_eq!(log.send(data(1, 0, sequence, 1)), Ok(expected));
    }
    for sequence in 0..2 {
        assert_eq!(log.send(data(1, 0, sequence, 1)), OUT_OF_ORDER);
    }
    assert_eq!(log.send(data(1, 0, 5, 2)), OUT_OF_ORDER, "not the same batch");
}

#[test]
fn epochs_only_grow_and_begin_at_zero() {
    let mut log = Log::default();
    assert_eq!(log.send(data(1, 5, 0, 2)), NEW);
    assert_eq!(log.send(data(1, 4, 2, 1)), OLD_EPOCH);
    assert_eq!(log.send(data(1, 6, 2, 1)), OUT_OF_ORDER);
    assert_eq!(
        log.send(data(1, 6, 0, 2)),
        NEW,
        "the same sequences in a new epoch are no duplicate"
    );
    assert_eq!(log.send(data(1, 5, 0, 2)), OLD_EPOCH);
    assert_eq!(log.states.get(1).unwrap().recent().len(), 1);
}

#[test]
fn transactions_open_and_end() {
    let mut log = Log::default();
    assert_eq!(log.send(data(1, 0, 0, 2).transactional()), NEW);
    assert_eq!(log.send(data(2, 0, 0, 1).transactional()), NEW);
    assert_eq!(log.send(data(1, 0, 2, 1).transactional()), NEW);
    assert_eq!(log.states.first_unstable_offset(), Some(0));
    assert_eq!(log.send(data(1, 0, 3, 1)), Err(ErrorCode::InvalidTxnState));
    assert!(log.states.has_ongoing_transaction(1, 0) && !log.states.has_ongoing_transaction(1, 1));

    let completed = log.end_transaction(1, 0, false);
    let expected = CompletedTransaction {
        producer_id: 1,
        first_offset: 0,
        last_offset: 4,
        aborted: true,
        last_stable_offset: 2,
    };
    assert_eq!(completed, expected);
    assert_eq!(log.states.first_undecided_offset(), Some(2));
    assert_eq!(log.states.first_unstable_offset(), Some(0), "the marker is not replicated yet");
    log.states.on_high_watermark_updated(4);
    assert_eq!(log.states.first_unstable_offset(), Some(0));
    log.states.on_high_watermark_updated(5);
    assert_eq!(log.states.first_unstable_offset(), Some(2));

    let completed = log.end_transaction(2, 0, true);
    assert_eq!((completed.aborted, completed.last_stable_offset), (false, 6));
    log.states.on_high_watermark_updated(6);
    assert_eq!(log.states.first_unstable_offset(), None);
    assert_eq!(log.send(data(1, 0, 3, 1)), NEW, "the sequence goes on after the marker");
    assert!(
        log.states.apply(&Batch::parse(&marker(1, 0, 0, true, 7)).unwrap()).is_none(),
        "an empty transaction"
    );
}

#[test]
fn markers_of_old_coordinators_and_producers_are_refused() {
    let mut log = Log::default();
    log.send(data(1, 3, 0, 1).transactional()).unwrap();
    assert_eq!(log.append(marker(1, 2, 9, true, 1), &coordinator(0)), OLD_EPOCH);
    assert_eq!(
        log.append(marker(1, 3, 9, true, 1), &coordinator(2)),
        OLD_EPOCH,
        "version 2 raises the epoch first"
    );
    assert_eq!(log.append(marker(1, 4, 9, true, 1), &coordinator(2)), NEW);
    assert_eq!(
        log.append(marker(1, 4, 9, true, 2), &coordinator(2)),
        NEW,
        "the same marker sent again"
    );
    let fenced = Err(ErrorCode::TransactionCoordinatorFenced);
    assert_eq!(log.append(marker(1, 5, 8, true, 3), &coordinator(2)), fenced);
    assert_eq!(log.send(data(1, 4, 1, 1)), OUT_OF_ORDER, "the marker's epoch begins at zero");
    assert_eq!(log.send(data(1, 4, 0, 1)), NEW);
    log.send(data(7, i16::MAX, 0, 1).transactional()).unwrap();
    assert_eq!(log.append(marker(7, i16::MAX, 0, true, log.end), &coordinator(2)), NEW);
}

#[test]
fn the_first_batch_of_a_transaction_needs_its_guard() {
    let mut log = Log::default();
    let required = AppendContext { verification_required: true, ..client() };
    let unverified = Err(ErrorCode::InvalidTxnState);
    let first = data(1, 0, 0, 1).transactional();
    assert_eq!(log.append(first.bytes(0), &required), unverified);
    let guard = log.states.begin_verification(1, 0, 0, true, 0).unwrap();
    assert!(guard.is_some());
    assert_eq!(
        log.states.begin_verification(1, 0, 1, true, 0),
        Ok(guard),
        "one guard per transaction"
    );
    assert_eq!(log.append(first.bytes(0), &required), unverified, "without its guard");
    let verified = AppendContext { guard, ..required };
    assert_eq!(
        log.append(data(1, 0, 1, 1).transactional().bytes(0), &verified),
        OUT_OF_ORDER,
        "0 is still on its way"
    );
    assert_eq!(log.append(first.bytes(0), &verified), NEW);
    assert_eq!(
        log.states.begin_verification(1, 0, 1, true, 0),
        Ok(None),
        "the transaction is open"
    );
    assert_eq!(log.append(data(1, 0, 1, 1).transactional().bytes(1), &required), NEW);

    log.end_transaction(1, 0, false);
    assert_eq!(
        log.append(data(1, 0, 2, 1).transactional().bytes(3), &verified),
        unverified,
        "an old guard"
    );
    let refused = log.states.begin_verification(1, -1, 2, true, 0).unwrap_err();
    assert_eq!(refused.error, ErrorCode::InvalidProducerEpoch);
    // An unknown producer with transactions of version 2 begins at zero.
    let guard = log.states.begin_verification(5, 0, 3, true, 0).unwrap();
    let verified = AppendContext { guard, ..required };
    assert_eq!(log.append(data(5, 0, 3, 1).transactional().bytes(3), &verified), OUT_OF_ORDER);
    log.states.remove_expired(DAY_MS, DAY_MS);
    assert_eq!(
        log.append(data(5, 0, 0, 1).transactional().bytes(3), &verified),
        unverified,
        "it has expired"
    );
}

#[test]
fn silent_producers_are_forgotten_open_transactions_are_not() {
    let mut log = Log::default();
    log.send(data(1, 0, 0, 1)).unwrap();
    log.send(data(2, 0, 0, 1).transactional()).unwrap();
    log.states.remove_expired(999 + DAY_MS, DAY_MS);
    assert_eq!(log.states.len(), 2);
    log.states.remove_expired(2000 + DAY_MS, DAY_MS);
    assert!(log.states.get(1).is_none() && log.states.get(2).is_some());
    assert_eq!(log.send(data(1, 0, 50, 1)), NEW);
    assert!(!log.states.has_late_transaction(1001 + 10 + LATE_TRANSACTION_BUFFER_MS, 10));
    assert!(log.states.has_late_transaction(1002 + 10 + LATE_TRANSACTION_BUFFER_MS, 10));
}

#[test]
fn the_snapshot_is_kafkas_byte_for_byte() {
    let kafka: &[u8] = include_bytes!("golden/producers.snapshot");
    let states = ProducerStates::decode_snapshot(kafka, 105, 0, DAY_MS).unwrap();
    assert_eq!(states.map_end_offset(), 105);
    let first = states.get(1).unwrap();
    assert_eq!(
        (first.epoch, first.coordinator_epoch, first.last_timestamp),
        (3, 7, 1_700_000_000_000)
    );
    let last = BatchMetadata {
        last_sequence: 4,
        last_offset: 104,
        offset_delta: 4,
        timestamp: 1_700_000_000_000,
    };
    assert_eq!(first.recent(), [last]);
    assert_eq!((last.base_sequence(), last.base_offset()), (0, 100));
    assert_eq!(states.first_unstable_offset(), Some(40));
    assert_eq!(states.get(9_000_000_000).unwrap().recent(), []);
    assert_eq!(&states.encode_snapshot()[..], kafka);

    let later = 1_700_000_000_600 + DAY_MS;
    let expired = ProducerStates::decode_snapshot(kafka, 105, later, DAY_MS).unwrap();
    assert_eq!(expired.len(), 1, "only the one with an open transaction is left");
    for at in 0..kafka.len() {
        let mut damaged = kafka.to_vec();
        damaged[at] ^= 1;
        assert!(ProducerStates::decode_snapshot(&damaged, 105, 0, DAY_MS).is_err(), "byte {at}");
        assert!(
            ProducerStates::decode_snapshot(&kafka[..at], 105, 0, DAY_MS).is_err(),
            "{at} bytes"
        );
    }
}

#[test]
fn a_snapshot_that_contradicts_itself_is_refused() {
    let mut log = Log::default();
    log.send(data(1, 0, 0, 1).transactional()).unwrap();
    log.send(data(2, 0, 0, 1).transactional()).unwrap();
    let snapshot = log.states.encode_snapshot();
    // The second entry begins after version, CRC, count and an entry of 46 bytes.
    for (at, byte) in [(10 + 46 + 7, 1), (10 + 46 + 45, 0)] {
        let mut bytes = snapshot.to_vec();
        bytes[at] = byte;
        let crc = snapshot_crc(&bytes);
        bytes[2..6].copy_from_slice(&crc.to_be_bytes());
        let refused = ProducerStates::decode_snapshot(&bytes, 2, 0, DAY_MS).unwrap_err();
        assert!(matches!(refused, SnapshotError::Contradiction { .. }), "{refused}");
    }
}

#[derive(Debug, Clone)]
enum Step {
    Next { id: i64, count: i32, transactional: bool, new_epoch: bool },
    Repeat(prop::sample::Index),
    Arbitrary { id: i64, epoch: i16, sequence: i32, count: i32, transactional: bool },
    End { id: i64, committed: bool },
    HighWatermark(prop::sample::Index),
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let id = 0..3i64;
    let flags = (any::<bool>(), prop::bool::weighted(0.1));
    prop_oneof![
        6 => (id.clone(), 1..4i32, flags)
            .prop_map(|(id, count, (transactional, new_epoch))| Step::Next { id, count,
                transactional, new_epoch }),
        2 => any::<prop::sample::Index>().prop_map(Step::Repeat),
        2 => (id.clone(), 0..3i16, 0..10i32, 1..4i32, any::<bool>())
            .prop_map(|(id, epoch, sequence, count, transactional)| {
            Step::Arbitrary { id, epoch, sequence, count, transactional }
        }),
        2 => (id, any::<bool>()).prop_map(|(id, committed)| Step::End { id, committed }),
        1 => any::<prop::sample::Index>().prop_map(Step::HighWatermark),
        1 => Just(Step::Restart),
    ]
}

/// What was written, and nothing derived from it.
#[derive(Debug, Clone)]
enum Written {
    Data(Data, i64),
    Marker(i64, i64),
}

#[derive(Default)]
struct Model {
    written: Vec<Written>,
    end: i64,
    high_watermark: i64,
    /// A restart from a snapshot leaves one batch of each producer.
    forgotten_before: i64,
}

impl Model {
    fn data_of(&self, id: i64) -> Vec<(Data, i64)> {
        let data = |written: &Written| match written {
            Written::Data(data, offset) if data.id == id => Some((*data, *offset)),
            _ => None,
        };
        self.written.iter().filter_map(data).collect()
    }

    fn open_transaction(&self, id: i64) -> Option<i64> {
        let mut open = None;
        for written in &self.written {
            match written {
                Written::Data(data, offset) if data.id == id && data.transactional => {
                    open = open.or(Some(*offset))
                }
                Written::Marker(of, _) if *of == id => open = None,
                _ => {}
            }
        }
        open
    }

    fn first_unstable(&self) -> Option<i64> {
        let mut unstable: Vec<i64> = (0..3).filter_map(|id| self.open_transaction(id)).collect();
        let mut open = [None; 3];
        for written in &self.written {
            match written {
                Written::Data(data, offset) if data.transactional => {
                    open[data.id as usize] = open[data.id as usize].or(Some(*offset));
                }
                Written::Data(..) => {}
                Written::Marker(id, marker) => {
                    let first = open[*id as usize].take();
                    unstable.extend(first.filter(|_| {
                        *marker >= self.high_watermark && *marker >= self.forgotten_before
                    }));
                }
            }
        }
        unstable.into_iter().min()
    }

    /// By definition, from everything that was written.
    fn expected(&self, batch: Data) -> Result<Checked, ErrorCode> {
        let history = self.data_of(batch.id);
        let Some((last, _)) = history.last().copied() else { return NEW };
        let epoch_history: Vec<_> =
            history.iter().filter(|(data, _)| data.epoch == last.epoch).collect();
        let (old, new): (Vec<_>, Vec<_>) =
            epoch_history.into_iter().partition(|(_, offset)| *offset < self.forgotten_before);
        let remembered = old.into_iter().rev().take(1).chain(new).collect::<Vec<_>>();
        if batch.epoch == last.epoch
            && let Some((same, offset)) = remembered
                .iter()
                .rev()
                .take(RECENT_BATCHES)
                .find(|(data, _)| (data.sequence, data.count) == (batch.sequence, batch.count))
        {
            let last_offset = offset + i64::from(same.count) - 1;
            return Ok(Checked::Duplicate { base_offset: *offset, last_offset, timestamp: 0 });
        }
        let next = increment_sequence(last.sequence, last.count);
        match batch.epoch.cmp(&last.epoch) {
            std::cmp::Ordering::Less => OLD_EPOCH,
            std::cmp::Ordering::Equal if batch.sequence != next => OUT_OF_ORDER,
            std::cmp::Ordering::Greater if batch.sequence != 0 => OUT_OF_ORDER,
            _ if self.open_transaction(batch.id).is_some() && !batch.transactional => {
                Err(ErrorCode::InvalidTxnState)
            }
            _ => NEW,
        }
    }
}

fn end(log: &mut Log, model: &mut Model, id: i64, committed: bool) -> Result<(), TestCaseError> {
    let history = model.data_of(id);
    let (Some(first_offset), Some((last, _))) = (model.open_transaction(id), history.last()) else {
        return Ok(());
    };
    let completed = log.end_transaction(id, last.epoch, committed);
    model.written.push(Written::Marker(id, model.end));
    let open = (0..3).filter_map(|id| model.open_transaction(id)).min();
    let expected = CompletedTransaction {
        producer_id: id,
        first_offset,
        last_offset: model.end,
        aborted: !committed,
        last_stable_offset: open.unwrap_or(model.end + 1),
    };
    prop_assert_eq!(completed, expected);
    model.end += 1;
    Ok(())
}

fn run(steps: Vec<Step>) -> Result<(), TestCaseError> {
    let (mut log, mut model) = (Log::default(), Model::default());
    for step in steps {
        let batch = match step {
            Step::Next { id, count, transactional, new_epoch } => match model.data_of(id).last() {
                None => Data { id, epoch: 0, sequence: 0, count, transactional },
                Some((last, _)) if new_epoch => {
                    Data { id, epoch: last.epoch + 1, sequence: 0, count, transactional }
                }
                Some((last, _)) => {
                    let sequence = increment_sequence(last.sequence, last.count);
                    Data { id, epoch: last.epoch, sequence, count, transactional }
                }
            },
            Step::Repeat(which) => {
                match (0..3).flat_map(|id| model.data_of(id)).collect::<Vec<_>>() {
                    all if all.is_empty() => continue,
                    all => which.get(&all).0,
                }
            }
            Step::Arbitrary { id, epoch, sequence, count, transactional } => {
                Data { id, epoch, sequence, count, transactional }
            }
            Step::End { id, committed } => {
                end(&mut log, &mut model, id, committed)?;
                continue;
            }
            Step::HighWatermark(at) => {
                model.high_watermark =
                    model.high_watermark.max(at.index(model.end as usize + 1) as i64);
                log.states.on_high_watermark_updated(model.high_watermark);
                prop_assert_eq!(log.states.first_unstable_offset(), model.first_unstable());
                continue;
            }
            Step::Restart => {
                let snapshot = log.states.encode_snapshot();
                log.states =
                    ProducerStates::decode_snapshot(&snapshot, log.end, 0, DAY_MS).unwrap();
                prop_assert_eq!(log.states.encode_snapshot(), snapshot);
                model.forgotten_before = model.end;
                prop_assert_eq!(log.states.first_unstable_offset(), model.first_unstable());
                continue;
            }
        };
        let expected = model.expected(batch);
        let mut answer = log.send(batch);
        if let Ok(Checked::Duplicate { timestamp, .. }) = &mut answer {
            // A snapshot has one timestamp per producer, which may be a marker's.
            *timestamp = 0;
        }
        prop_assert_eq!(answer, expected, "{:?}", batch);
        if expected == NEW {
            model.written.push(Written::Data(batch, model.end));
            model.end += i64::from(batch.count);
        }
        prop_assert_eq!(log.states.map_end_offset(), model.end);
        prop_assert_eq!(log.states.first_unstable_offset(), model.first_unstable());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn agrees_with_its_history(steps in prop::collection::vec(step(), 1..60)) {
        run(steps)?;
    }

    #[test]
    fn random_snapshots_never_panic(bytes: Vec<u8>) {
        let _ = ProducerStates::decode_snapshot(&bytes, 0, 0, DAY_MS);
        // The same with version and CRC in order.
        let mut framed = [&[0, 1, 0, 0, 0, 0][..], &bytes].concat();
        let crc = snapshot_crc(&framed);
        framed[2..6].copy_from_slice(&crc.to_be_bytes());
        let _ = ProducerStates::decode_snapshot(&framed, 0, 0, DAY_MS);
    }
}

/// A question about an invented producer was remembered as long as a producer is.
#[test]
fn verifications_are_forgotten_with_an_unknown_producer_and_bounded() {
    let mut states = ProducerStates::default();
    let mut begin = |id: i64, epoch| {
        let guard = states.begin_verification(id, epoch, 0, true, 0).unwrap().expect("a guard");
        (guard, states.verification_count())
    };
    let (first, _) = begin(1, 3);
    assert_eq!(begin(1, 3), (first, 1));
    let most = limits::VERIFICATIONS_PER_PARTITION_MAX;
    for id in 2..=most as i64 {
        begin(id, 0);
    }
    assert_eq!(begin(1, 3), (first, most), "one that is known takes no room");
    let (_, count) = begin(most as i64 + 1, 0);
    assert_eq!(count, most);
    assert_ne!(begin(1, 3).0, first, "the oldest has made room");
    states.forget_verification(1, 2);
    assert_eq!(states.verification_count(), most, "a newer epoch of it asks");
    states.forget_verification(1, 3);
    assert_eq!(states.verification_count(), most - 1);
}
