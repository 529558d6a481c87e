//! Logs on real files, on every back-end that runs here.

pub mod basics;
mod damage;
mod faults;
mod model;
mod opening;
mod recover;
pub mod simulated;

use super::{
    AppendContext, AppendError, AppendInfo, Log, LogConfig, LogStart, ReadData, ReadPart,
    TailCache, files,
};
use bytes::{Bytes, BytesMut};
use protocol::{
    Uuid,
    records::{
        Batch, BatchBuilder,
        validate::{AppendOrigin, ValidBatch, ValidationRules, validate},
    },
};
use ring::{BackendChoice, BackendKind, CoreOptions, Ring};
use std::{
    collections::BTreeMap,
    future::Future,
    path::{Path, PathBuf},
    rc::Rc,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

pub const TOPIC: Uuid = Uuid::from_u128(0xfeed_0000_0000_0000_0000_0000_0000_0001);
pub const NOW_MS: i64 = 1_750_000_000_000;
pub const CONTEXT: AppendContext = AppendContext {
    origin: AppendOrigin::Client { produce_version: 12 },
    verification_required: false,
    guard: None,
    transaction_version: 2,
};

/// A folder that goes when it is dropped.
pub struct TempDir(PathBuf);

impl TempDir {
    pub fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name = format!(
            "millstream-log-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
    pub fn partition(&self) -> PathBuf {
        self.0.join("topic-0")
    }
    /// Another folder for a partition: a log that was opened elsewhere does not write there.
    pub fn another_partition(&self) -> PathBuf {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        self.0.join(COUNT.fetch_add(1, Ordering::Relaxed).to_string()).join("topic-0")
    }
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn run_on<F: Future<Output = ()> + 'static>(backend: BackendKind, main: impl FnOnce(Ring) -> F) {
    let options =
        CoreOptions { name: "test".into(), index: 0, cpu: None, backend, spin: Duration::ZERO };
    ring::run(options, main).unwrap();
}

/// Runs `test` on epoll, and on io_uring where the kernel has it, each time in a new folder.
pub fn on_each_backend<F: Future<Output = ()> + 'static>(test: impl Fn(Ring, Rc<TempDir>) -> F) {
    run_on(BackendKind::Epoll, |ring| test(ring, Rc::new(TempDir::new())));
    if ring::select(BackendChoice::IoUring).is_ok() {
        run_on(BackendKind::IoUring, |ring| test(ring, Rc::new(TempDir::new())));
    }
}

pub fn on_epoll<F: Future<Output = ()> + 'static>(test: impl Fn(Ring, Rc<TempDir>) -> F) {
    run_on(BackendKind::Epoll, |ring| test(ring, Rc::new(TempDir::new())));
}

pub fn small_config() -> LogConfig {
    LogConfig {
        segment_bytes: 4096,
        index_interval_bytes: 300,
        file_delete_delay_ms: 0,
        producer_id_expiration_ms: i64::MAX,
        ..LogConfig::default()
    }
}

pub async fn open(ring: &Ring, dir: &Path, config: LogConfig, start: LogStart) -> Log {
    try_open(ring, dir, config, start).await.unwrap()
}

pub async fn try_open(
    ring: &Ring,
    dir: &Path,
    config: LogConfig,
    start: LogStart,
) -> Result<Log, super::LogError> {
    // As the broker does it: a log makes its own folder safe, not those above.
    let above = dir.parent().expect("a log directory");
    if ring.read_dir(above).await.is_err() {
        super::create_dir_durably(ring, above)
            .await
            .map_err(super::LogError::io("creating", above))?;
    }
    Log::open(ring, dir.to_owned(), TOPIC, config.shared(), start, TailCache::new(1 << 20)).await
}

pub fn clean() -> LogStart {
    LogStart { clean: true, ..LogStart::default() }
}

pub fn crashed(recovery_point: i64) -> LogStart {
    LogStart { recovery_point, ..LogStart::default() }
}

/// One batch of `values` at offset 0, with timestamps from `timestamp` on.
pub fn batch(timestamp: i64, values: &[&[u8]]) -> BatchBuilder {
    let mut builder = BatchBuilder::new(0);
    for (at, value) in values.iter().enumerate() {
        builder.append(timestamp + at as i64, None, Some(value), &[]);
    }
    builder
}

pub fn valid(batch: &[u8]) -> ValidBatch {
    valid_from(batch, CONTEXT.origin)
}

pub fn valid_coordinators(batch: &[u8]) -> ValidBatch {
    valid_from(batch, AppendOrigin::Coordinator)
}

fn valid_from(batch: &[u8], origin: AppendOrigin) -> ValidBatch {
    let rules = ValidationRules {
        transactional_allowed: true,
        max_message_bytes: usize::MAX,
        timestamp_after_max_ms: i64::MAX,
        max_decompressed_bytes: 1 << 20,
        ..ValidationRules::of_defaults(origin, NOW_MS)
    };
    validate(batch, &rules, &mut Vec::new()).unwrap()
}

pub fn append_batch(log: &Log, batch: Bytes, epoch: i32) -> Result<AppendInfo, AppendError> {
    let valid = valid(&batch);
    log.append_as_leader(BytesMut::from(&batch[..]), &valid, epoch, NOW_MS, &CONTEXT)
}

pub fn append(log: &Log, epoch: i32, values: &[&[u8]]) -> AppendInfo {
    append_batch(log, batch(NOW_MS + log.log_end_offset(), values).build(), epoch).unwrap()
}

/// The bytes of a read.
pub async fn bytes_of(ring: &Ring, data: &ReadData) -> Vec<u8> {
    let mut all = Vec::new();
    for part in &data.parts {
        match part {
            ReadPart::Memory(bytes) => all.extend_from_slice(bytes),
            ReadPart::File { file, position, length, .. } => {
                all.extend_from_slice(
                    &ring.read_exact_at(file, *position, *length as usize).await.unwrap(),
                );
            }
        }
    }
    assert_eq!(all.len(), data.size_bytes);
    all
}

/// Offset and value of each record in whole, good batches.
pub fn records_of(bytes: &[u8]) -> Vec<(i64, Vec<u8>)> {
    let mut all = Vec::new();
    for batch in protocol::records::batches(bytes) {
        let batch: Batch<'_> = batch.unwrap();
        assert!(batch.crc_is_valid());
        for record in batch.records().unwrap() {
            let record = record.unwrap();
            all.push((record.offset, record.value.unwrap().to_vec()));
        }
    }
    all
}

/// Reads everything from `from` on, `max_bytes` at a time, as a consumer does.
pub async fn read_all(ring: &Ring, log: &Log, from: i64, max_bytes: usize) -> Vec<(i64, Vec<u8>)> {
    let mut all: Vec<(i64, Vec<u8>)> = Vec::new();
    let mut offset = from;
    loop {
        let data = log.read(offset, max_bytes, true, log.log_end_offset()).await.unwrap();
        let records = records_of(&bytes_of(ring, &data).await);
        let Some((last, _)) = records.last() else { return all };
        assert!(data.upper_bound_offset > *last);
        let next = last + 1;
        all.extend(records.into_iter().filter(|(at, _)| *at >= offset));
        offset = next;
    }
}

/// The files of a folder by their names.
pub type Files = BTreeMap<String, Vec<u8>>;

pub fn names_in(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort_unstable();
    names
}

/// The files of a folder at one moment. Where a log renames and removes files meanwhile, as it does
/// behind, what was read is of no moment, and is read again.
pub fn snapshot_of(dir: &Path) -> Files {
    loop {
        let names = names_in(dir);
        let read = |name: &String| Ok((name.clone(), std::fs::read(dir.join(name))?));
        match names.iter().map(read).collect::<std::io::Result<Files>>() {
            Ok(files) if names_in(dir) == names => return files,
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                panic!("{}: {error}", dir.display())
            }
            Ok(_) | Err(_) => {}
        }
    }
}

/// Writes `files` to a new folder: a log that still has the old one open is not in the way.
pub fn restore(temp: &TempDir, files: &Files) -> PathBuf {
    let dir = temp.another_partition();
    std::fs::create_dir_all(&dir).unwrap();
    for (name, content) in files {
        std::fs::write(dir.join(name), content).unwrap();
    }
    dir
}

pub fn file_size(dir: &Path, base: i64, extension: &str) -> u64 {
    std::fs::metadata(files::path(dir, base, extension)).map_or(0, |meta| meta.len())
}

/// Waits for what goes on in the background.
pub async fn eventually(ring: &Ring, done: impl Fn() -> bool) {
    for _ in 0..2000 {
        if done() {
            return;
        }
        ring.sleep(Duration::from_millis(5)).await;
    }
    panic!("it did not happen within ten seconds");
}
