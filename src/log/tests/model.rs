//! Random histories against a vector of batches.

use super::*;
use crate::log::Durability;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Append { records: usize, value_bytes: usize, producer: i64, epoch_bump: i32 },
    Write,
    Sync,
    Checkpoint,
    Truncate(prop::sample::Index),
    DeleteBefore(prop::sample::Index),
    Retention { keep_bytes: u64 },
    ReleaseIdle,
    Read(prop::sample::Index, usize),
    FindTime(prop::sample::Index),
    Reopen(Reopen),
}

#[derive(Clone, Copy, Debug)]
enum Reopen {
    Fast,
    Clean,
    Crash,
}

fn step() -> impl Strategy<Value = Step> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        30 => (1..4_usize, 0..900_usize, 0..3_i64, 0..10_i32)
            .prop_map(|(records, value_bytes, producer, bump)| {
            Step::Append { records, value_bytes, producer, epoch_bump: i32::from(bump == 0) }
        }),
        8 => Just(Step::Write),
        4 => Just(Step::Sync),
        3 => Just(Step::Checkpoint),
        2 => index().prop_map(Step::Truncate),
        2 => index().prop_map(Step::DeleteBefore),
        2 => (0..20_000_u64).prop_map(|keep_bytes| Step::Retention { keep_bytes }),
        1 => Just(Step::ReleaseIdle),
        6 => (index(), 0..9000_usize).prop_map(|(at, max)| Step::Read(at, max)),
        3 => index().prop_map(Step::FindTime),
        3 => prop_oneof![Just(Reopen::Fast), Just(Reopen::Clean),
            Just(Reopen::Crash)].prop_map(Step::Reopen),
    ]
}

#[derive(Clone, Debug)]
struct ModelBatch {
    base: i64,
    values: Vec<Vec<u8>>,
    timestamp: i64,
    epoch: i32,
    producer: i64,
    last_sequence: i32,
}

impl ModelBatch {
    fn end(&self) -> i64 {
        self.base + self.values.len() as i64
    }
}

/// Everything that was ever appended and not cut off; what lies below `start` is only remembered
/// for its producers.
#[derive(Default)]
struct Model {
    batches: Vec<ModelBatch>,
    start: i64,
    end: i64,
    epoch: i32,
    appended: i64,
}

impl Model {
    fn records(&self, from: i64) -> Vec<(i64, Vec<u8>)> {
        let numbered = |batch: &ModelBatch| {
            let base = batch.base;
            batch
                .values
                .iter()
                .cloned()
                .enumerate()
                .map(move |(at, value)| (base + at as i64, value))
                .collect::<Vec<_>>()
        };
        self.batches.iter().flat_map(numbered).filter(|(at, _)| *at >= from).collect()
    }

    fn last_sequence(&self, producer: i64) -> Option<i32> {
        self.batches
            .iter()
            .rev()
            .find(|batch| batch.producer == producer)
            .map(|batch| batch.last_sequence)
    }

    /// Where the batch begins that holds `offset`; the offset itself where none does.
    fn batch_at(&self, offset: i64) -> i64 {
        let holds = |batch: &&ModelBatch| (batch.base..batch.end()).contains(&offset);
        self.batches.iter().find(holds).map_or(offset, |batch| batch.base)
    }

    fn truncate(&mut self, offset: i64) {
        self.batches.retain(|batch| batch.end() <= offset);
        self.end = offset;
        self.start = self.start.min(offset);
    }
}

struct Run {
    ring: Ring,
    temp: Rc<TempDir>,
    dir: PathBuf,
    log: Log,
    model: Model,
}

impl Run {
    async fn step(&mut self, step: &Step) {
        let (start, end) = (self.model.start, self.model.end);
        let between =
            |at: &prop::sample::Index| start + at.index((end - start + 1) as usize) as i64;
        match step {
            Step::Append { records, value_bytes, producer, epoch_bump } => {
                self.append(*records, *value_bytes, *producer, *epoch_bump);
            }
            Step::Write => self.log.write_gathered().unwrap(),
            Step::Sync => assert_eq!(self.log.sync().await.unwrap(), end),
            Step::Checkpoint => {
                self.log.checkpoint().await.unwrap();
                assert_eq!(self.log.recovery_point(), self.log.durable_offset());
            }
            Step::Truncate(at) => {
                // Followers cut where a batch begins: offsets within one are no leader's end of an
                // epoch.
                let offset = self.model.batch_at(between(at));
                self.log.truncate_to(offset).await.unwrap();
                self.model.truncate(offset);
            }
            Step::DeleteBefore(at) => {
                self.log.set_high_watermark(end);
                let offset = between(at);
                assert_eq!(self.log.delete_records_before(offset).await.unwrap(), offset);
                self.model.start = offset;
            }
            Step::Retention { keep_bytes } => {
                self.log.wait_written().await.unwrap();
                self.log.set_high_watermark(end);
                let config = LogConfig {
                    retention_bytes: Some(*keep_bytes),
                    retention_ms: None,
                    ..config()
                };
                self.log.set_config(config.shared());
                self.log.apply_retention(NOW_MS).await.unwrap();
                self.model.start = self.log.log_start_offset();
                assert!(self.model.start >= start);
                assert!(self.log.size_bytes() < keep_bytes + 4096 || self.model.start == end);
            }
            Step::ReleaseIdle => {
                self.log.release_unused(false);
                self.log.close_idle_files();
            }
            Step::Read(at, max) => self.read(between(at), *max).await,
            Step::FindTime(at) => {
                self.find_time(NOW_MS + at.index(self.model.appended as usize + 2) as i64).await
            }
            Step::Reopen(how) => self.reopen(*how).await,
        }
        self.check(step);
    }

    fn append(&mut self, records: usize, value_bytes: usize, producer: i64, epoch_bump: i32) {
        let model = &mut self.model;
        model.epoch += epoch_bump;
        let values: Vec<Vec<u8>> = (0..records)
            .map(|at| vec![(model.appended as usize + at) as u8; value_bytes])
            .collect();
        let slices: Vec<&[u8]> = values.iter().map(Vec::as_slice).collect();
        let timestamp = NOW_MS + model.appended;
        let sequence = model.last_sequence(producer).map_or(0, |last| last + 1);
        let built = batch(timestamp, &slices).producer(producer, 0, sequence).build();
        let info = append_batch(&self.log, built, model.epoch).unwrap();
        assert_eq!((info.base_offset, info.duplicate), (model.end, false));
        model.appended += records as i64;
        model.end += records as i64;
        let last_sequence = sequence + records as i32 - 1;
        let epoch = model.epoch;
        model.batches.push(ModelBatch {
            base: info.base_offset,
            values,
            timestamp,
            epoch,
            producer,
            last_sequence,
        });
    }

    async fn read(&self, offset: i64, max: usize) {
        let data = self.log.read(offset, max, true, self.model.end).await.unwrap();
        let found = records_of(&bytes_of(&self.ring, &data).await);
        let expected = self.model.records(0);
        if found.is_empty() {
            assert!(self.model.records(offset).is_empty(), "nothing at {offset}");
            return;
        }
        let first =
            expected.iter().position(|(at, _)| *at == found[0].0).expect("the record exists");
        assert_eq!(found, expected[first..first + found.len()]);
        let holder = self.model.batches.iter().find(|batch| batch.end() > offset).unwrap();
        assert_eq!(found[0].0, holder.base);
        assert!(data.size_bytes <= max || found.len() == holder.values.len());
    }

    async fn find_time(&self, timestamp: i64) {
        let times = self.model.batches.iter().flat_map(|batch| {
            (0..batch.values.len() as i64).map(move |at| (batch.timestamp + at, batch.base + at))
        });
        let expected = times
            .filter(|(_, offset)| *offset >= self.model.start)
            .find(|(at, _)| *at >= timestamp);
        let found = self.log.offset_for_timestamp(timestamp).await.unwrap();
        assert_eq!(found.map(|found| (found.timestamp, found.offset)), expected);
    }

    async fn reopen(&mut self, how: Reopen) {
        let mut start = LogStart {
            is_known: false,
            clean: true,
            recovery_point: self.log.recovery_point(),
            log_start_offset: self.log.log_start_offset(),
            cleaned_to: 0,
            state: None,
            replay: Vec::new(),
        };
        match how {
            Reopen::Fast => start.state = Some(self.log.close().await.unwrap()),
            Reopen::Clean => drop(self.log.close().await.unwrap()),
            Reopen::Crash => {
                // What was not written is lost, and what the old log still writes goes to its old
                // folder.
                self.model.truncate(self.log.written_offset());
                self.dir = restore(&self.temp, &snapshot_of(&self.dir));
                start.clean = false;
            }
        }
        let log_start = start.log_start_offset;
        let names = names_in(&self.dir);
        let bases = names.iter().filter_map(|name| {
            files::parse(name).filter(|(_, kind)| *kind == files::LOG).map(|(at, _)| at)
        });
        let last_base = bases.max().unwrap_or(0);
        self.log = self::open(&self.ring, &self.dir, config(), start).await;
        if !matches!(how, Reopen::Fast) {
            // Without what the log itself remembers it ends where its last batch ends, or where its
            // last file begins.
            let end = self.model.batches.last().map_or(0, ModelBatch::end).max(last_base);
            if end < log_start {
                self.model.batches.clear();
            }
            self.model.end = end.max(log_start);
            self.model.start = log_start;
        }
    }

    fn check(&self, step: &Step) {
        let (log, model) = (&self.log, &self.model);
        assert_eq!(
            (log.log_start_offset(), log.log_end_offset()),
            (model.start, model.end),
            "after {step:?}"
        );
        assert!(log.durable_offset() <= log.written_offset() && log.written_offset() <= model.end);
        assert!(log.recovery_point() <= log.durable_offset());
        for producer in 0..3 {
            let known = log.producers().get(producer).map(|known| known.last_sequence());
            assert_eq!(known, model.last_sequence(producer), "producer {producer}");
        }
        for batch in model.batches.iter().filter(|batch| batch.end() > model.start) {
            assert_eq!(
                log.epochs().epoch_for_offset(batch.base.max(model.start)),
                Some(batch.epoch)
            );
        }
    }
}

fn config() -> LogConfig {
    LogConfig { durability: Durability::Os, ..small_config() }
}

async fn run_history(ring: Ring, steps: Vec<Step>, tail_bytes: usize) {
    let temp = Rc::new(TempDir::new());
    let dir = temp.partition();
    let tail = TailCache::new(tail_bytes);
    let log = Log::open(&ring, dir.clone(), TOPIC, config().shared(), LogStart::default(), tail)
        .await
        .unwrap();
    let mut run = Run { ring, temp, dir, log, model: Model::default() };
    for step in &steps {
        run.step(step).await;
    }
    let all = read_all(&run.ring, &run.log, run.model.start, 3000).await;
    let brief = |records: Vec<(i64, Vec<u8>)>| {
        records
            .into_iter()
            .map(|(at, value)| (at, value.len(), value.first().copied()))
            .collect::<Vec<_>>()
    };
    assert_eq!(brief(all), brief(run.model.records(run.model.start)));
}

proptest! {
    // A quarter of what PROPTEST_CASES asks for: each case is a history on real files.
    #![proptest_config(ProptestConfig {
        cases: ProptestConfig::default().cases.div_ceil(4),
        max_shrink_iters: 200,
        ..ProptestConfig::default()
    })]
    #[test]
    fn agrees_with_a_vector(
        steps in prop::collection::vec(step(), 1..120),
        tail_bytes in prop_oneof![Just(0_usize), Just(5000), Just(1 << 20)],
        uring in any::<bool>(),
    ) {
        let uring = uring && ring::select(BackendChoice::IoUring).is_ok();
        let backend = if uring { BackendKind::IoUring } else { BackendKind::Epoll };
        run_on(backend, move |ring| run_history(ring, steps, tail_bytes));
    }
}
