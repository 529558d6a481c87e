//! Writing the commit stream: frames into a ring of files, one write in flight, and the lazy syncs
//! that free the files.
//!
//! Owns: the stream's files of one core and log directory, and the records in them that the
//! partitions' own files may lack. Lives on that core. Never: uses a file again before every
//! partition in it was synced beyond its last entry there, or goes on after a failed write or a
//! failed sync: then it only keeps what it has, for the next start to replay.

use super::{
    Note, file_path,
    frame::{Entry, FrameId, PartitionId, encode, frame_bytes},
    note_path,
};
use crate::{
    limits,
    log::{Log, files::remove_if_there},
};
use bytes::Bytes;
use ring::{
    ALIGNMENT, AlignedBuf, File, Instant, OpenOptions, Ring,
    sync::{AsyncMutex, Notify},
};
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    io,
    path::PathBuf,
    rc::Rc,
    time::Duration,
};

/// Left at the end of each file: for the frame that says, before another file is used again, that
/// it is not needed.
const LAST_PAGE: u64 = ALIGNMENT as u64;

/// Pieces that are filled ahead of the frames.
const FILLS_AHEAD: usize = 4;

/// Between two tries of lazy syncs, where the first lacked something that may come.
const SYNC_RETRY: Duration = Duration::from_millis(500);

#[derive(Clone, Copy, Debug)]
pub struct CommitLogOptions {
    pub file_bytes: u64,
    pub files: usize,
    /// The largest frame.
    pub frame_bytes: usize,
    /// Zeros are written ahead of the frames in pieces of this size: the first write of a block
    /// costs a journal commit.
    pub fill_bytes: usize,
    /// Lazy syncs in flight at a time.
    pub syncs: usize,
    /// After this long without a write everything is synced.
    pub idle: Duration,
}

impl CommitLogOptions {
    /// As brokers have it, with files of this size.
    pub fn with_files_of(file_bytes: u64) -> Self {
        let file_bytes =
            file_bytes.next_multiple_of(ALIGNMENT as u64).max(limits::STREAM_FILE_MIN_BYTES);
        let quarter = file_bytes as usize / 4 / ALIGNMENT * ALIGNMENT;
        Self {
            file_bytes,
            files: limits::STREAM_FILES,
            frame_bytes: limits::STREAM_FRAME_MAX_BYTES.min(quarter),
            fill_bytes: limits::STREAM_FILL_BYTES.min(quarter),
            syncs: limits::STREAM_SYNCS_IN_FLIGHT,
            idle: Duration::from_millis(limits::STREAM_IDLE_MS),
        }
    }
}

/// Hears of a partition whose own files could not be synced.
pub type SyncFailed = Box<dyn Fn(PartitionId, &io::Error)>;

pub struct CommitLog {
    ring: Ring,
    dir: PathBuf,
    core: usize,
    options: CommitLogOptions,
    sync_failed: SyncFailed,
    incarnation: u64,
    /// Held by the task that writes a frame.
    files_lock: AsyncMutex,
    /// In the order in which they are used, again and again.
    files: RefCell<Vec<Rc<StreamFile>>>,
    current: Cell<usize>,
    creating: AsyncMutex,
    is_preparing: Cell<bool>,
    noting: AsyncMutex,
    /// Of the next frame.
    sequence: Cell<u64>,
    buffer: RefCell<AlignedBuf>,
    /// Why nothing is written any more.
    stopped: RefCell<Option<String>>,
    /// A file got free, or never will.
    freed: Notify,
    last_write: Cell<Instant>,
    watches_idleness: Cell<bool>,
}

struct StreamFile {
    file: File,
    /// Where the next frame goes.
    position: Cell<u64>,
    /// Up to here the blocks have been written before.
    filled: Cell<u64>,
    filling: AsyncMutex,
    /// Of the first frame.
    first_sequence: Cell<u64>,
    /// The note beside the files knows of its present use.
    noted: Cell<bool>,
    full: Cell<bool>,
    /// Partitions with entries here, and up to where they have to be synced. In order, so that
    /// simulated runs repeat.
    pending: RefCell<BTreeMap<PartitionId, (Log, i64)>>,
    syncing: AsyncMutex,
}

impl StreamFile {
    fn is_free(&self) -> bool {
        self.full.get() && self.pending.borrow().is_empty()
    }

    /// Forgets what has been synced, and partitions that are no more.
    fn settle(&self) {
        self.pending
            .borrow_mut()
            .retain(|_, (log, to)| log.synced_offset() < *to && !log.has_ended());
    }
}

/// What goes into one frame.
#[derive(Default)]
struct Gathered {
    entries: Vec<Entry>,
    batches: Vec<Bytes>,
    batches_bytes: usize,
    logs: Vec<(PartitionId, Log, i64)>,
}

impl CommitLog {
    /// A stream without files: they come with the first frame. Nothing of an earlier run may be
    /// there any more.
    pub fn new(
        ring: &Ring,
        dir: PathBuf,
        core: usize,
        options: CommitLogOptions,
        sync_failed: SyncFailed,
    ) -> Rc<Self> {
        let CommitLogOptions { file_bytes, files, frame_bytes, fill_bytes, syncs, .. } = options;
        assert!(syncs > 0, "no partition of a file is ever synced");
        assert!(files > 1, "of {files} files none is free while another is full");
        assert!(
            frame_bytes as u64 + LAST_PAGE <= file_bytes,
            "a frame of {frame_bytes} bytes does not fit in a file of {file_bytes}"
        );
        assert!(
            file_bytes.is_multiple_of(ALIGNMENT as u64),
            "a file of {file_bytes} bytes has whole pages"
        );
        assert!(
            fill_bytes > 0 && fill_bytes.is_multiple_of(ALIGNMENT),
            "a piece of {fill_bytes} bytes has whole pages"
        );
        Rc::new(Self {
            ring: ring.clone(),
            dir,
            core,
            options,
            sync_failed,
            incarnation: ring.random_u64(),
            files_lock: AsyncMutex::default(),
            files: RefCell::default(),
            current: Cell::new(0),
            creating: AsyncMutex::default(),
            is_preparing: Cell::new(false),
            noting: AsyncMutex::default(),
            sequence: Cell::new(1),
            buffer: RefCell::default(),
            stopped: RefCell::default(),
            freed: Notify::default(),
            last_write: Cell::new(ring.now()),
            watches_idleness: Cell::new(false),
        })
    }

    /// Frames written so far: each was one flush.
    pub fn frames(&self) -> u64 {
        self.sequence.get() - 1
    }

    /// Whether frames can be written. A stream that has stopped does not start again.
    pub fn is_working(&self) -> bool {
        self.stopped.borrow().is_none()
    }

    /// Makes durable what these logs have written and not yet made so. On an error, and for a log
    /// whose bytes do not fit in a frame or are not at hand, nothing is promised: a sync of the
    /// log's own files is what remains.
    pub async fn commit(self: &Rc<Self>, logs: &[Log]) -> io::Result<()> {
        let _guard = self.files_lock.lock().await;
        let mut left = logs.iter().peekable();
        while left.peek().is_some() {
            let gathered = self.gather(&mut left);
            if gathered.entries.is_empty() {
                continue;
            }
            let file = self.write(&gathered).await?;
            for (id, log, to) in gathered.logs {
                log.committed_by_stream(to);
                let before = file.pending.borrow_mut().insert(id, (log, to));
                // Of a replica that went and came back there may be two logs.
                let before = before.filter(|(log, _)| !log.has_ended());
                let before = before.map_or(i64::MIN, |(_, before)| before);
                assert!(before <= to, "a file needs {to} of a partition, and needed {before}");
            }
        }
        self.watch_idleness();
        Ok(())
    }

    /// Voids what the stream has of a partition from `offset` on. Durable when it returns; the
    /// caller has synced the log.
    pub async fn truncate(self: &Rc<Self>, id: PartitionId, offset: i64) -> io::Result<()> {
        let _guard = self.files_lock.lock().await;
        if self.files.borrow().is_empty() {
            return Ok(());
        }
        self.write(&Gathered {
            entries: vec![Entry::Truncation { id, offset }],
            ..Gathered::default()
        })
        .await?;
        for file in self.files.borrow().iter() {
            file.pending.borrow_mut().remove(&id);
        }
        self.freed.notify();
        Ok(())
    }

    fn gather<'a>(
        &self,
        left: &mut std::iter::Peekable<impl Iterator<Item = &'a Log>>,
    ) -> Gathered {
        let mut gathered = Gathered::default();
        while let Some(log) = left.peek() {
            if let Some(range) = log.uncommitted().filter(|range| range.from < range.to) {
                let bytes = gathered.batches_bytes + range.size_bytes();
                let is_first = gathered.entries.is_empty();
                if frame_bytes(gathered.entries.len() + 1, bytes) <= self.options.frame_bytes {
                    let id = log.id();
                    let length = range.size_bytes() as u32;
                    gathered.entries.push(Entry::Records {
                        id,
                        from: range.from,
                        to: range.to,
                        length,
                    });
                    gathered.logs.push((id, (*log).clone(), range.to));
                    gathered.batches.extend(range.batches);
                    gathered.batches_bytes = bytes;
                } else if !is_first {
                    break;
                }
            }
            left.next();
        }
        let (entries, logs) = (gathered.entries.len(), gathered.logs.len());
        assert_eq!(entries, logs, "a frame has an entry of each of its logs");
        let (length, most) =
            (frame_bytes(entries, gathered.batches_bytes), self.options.frame_bytes);
        assert!(entries == 0 || length <= most, "a frame of {length} bytes, at most {most}");
        let batches_bytes = gathered.batches_bytes;
        assert_eq!(entries > 0, batches_bytes > 0, "{entries} entries have {batches_bytes} bytes");
        gathered
    }

    // ---- frames
    // ---------------------------------------------------------------------------------------------

    /// Writes one frame; the file that has it. The caller holds the gate.
    async fn write(self: &Rc<Self>, gathered: &Gathered) -> io::Result<Rc<StreamFile>> {
        let length = frame_bytes(gathered.entries.len(), gathered.batches_bytes) as u64;
        let file = self.room_for(length).await?;
        self.write_at_position(&file, gathered).await?;
        self.note_use(&file);
        self.prepare_room(&file);
        Ok(file)
    }

    /// Behind the first frame in a file: notes that it is there. No flush waits for it.
    fn note_use(self: &Rc<Self>, file: &Rc<StreamFile>) {
        if file.noted.replace(true) {
            return;
        }
        let (stream, file, sequence) = (self.clone(), file.clone(), file.first_sequence.get());
        drop(self.ring.spawn(async move {
            let _guard = stream.noting.lock().await;
            // A file that is used once more has a note of its own for that.
            if !stream.is_working() || file.first_sequence.get() != sequence {
                return;
            }
            let note = Note { incarnation: stream.incarnation, sequence };
            let (noted, next) = (note.sequence, stream.sequence.get());
            assert!(noted < next, "frame {noted} is noted, and {next} is not written yet");
            let text = note.format();
            assert_eq!(Note::parse(&text), Some(note), "a note reads back as it was made");
            let path = note_path(&stream.dir, stream.core);
            if let Err(error) = stream.ring.write_file_atomically(path, text.into()).await {
                // With the next frame there.
                file.noted.set(false);
                tracing::debug!(%error, "the note of the commit stream's use could not be written");
            }
        }));
    }

    /// Has what the next frames need made beforehand: creating and extending a file waits for the
    /// file system's journal, and with that for other files' data.
    fn prepare_room(self: &Rc<Self>, file: &Rc<StreamFile>) {
        let position = file.position.get();
        let wanted = position + (FILLS_AHEAD * self.options.fill_bytes) as u64;
        let next = (self.current.get() + 1) % self.options.files;
        let wants_next =
            position > self.options.file_bytes / 2 && self.files.borrow().len() <= next;
        let wants_filling = file.filled.get() < wanted.min(self.options.file_bytes);
        if !(wants_next || wants_filling) || self.is_preparing.replace(true) {
            return;
        }
        let (stream, file) = (self.clone(), file.clone());
        drop(self.ring.spawn(async move {
            let prepared = async {
                stream.fill(&file, wanted).await?;
                if wants_next { stream.ensure_file(next).await } else { Ok(()) }
            };
            if let Err(error) = prepared.await {
                // The next task that needs the room tries again, and gets the error.
                tracing::debug!(%error, "the commit stream could not be prepared ahead");
            }
            let was_preparing = stream.is_preparing.replace(false);
            assert!(was_preparing, "one task makes room ahead of the frames");
        }));
    }

    async fn write_at_position(&self, file: &StreamFile, gathered: &Gathered) -> io::Result<()> {
        self.check()?;
        assert!(self.files_lock.is_locked(), "one frame is written at a time");
        let (sequence, first) = (self.sequence.get(), file.first_sequence.get());
        assert!(first <= sequence, "frame {sequence} follows {first} in its file");
        let id = FrameId {
            incarnation: self.incarnation,
            sequence,
            live_from: self.live_from(sequence),
        };
        let mut buffer = self.buffer.take();
        encode(&mut buffer, id, &gathered.entries, gathered.batches.iter().map(|bytes| &bytes[..]));
        let (length, position) = (buffer.len() as u64, file.position.get());
        assert!(
            position + length <= file.filled.get(),
            "frames go where zeros or older frames are"
        );
        assert!(
            position.is_multiple_of(ALIGNMENT as u64),
            "a frame begins at byte {position}, within a page"
        );
        assert!(
            position + length <= self.options.file_bytes,
            "{length} bytes at {position} lead out of a file of {} bytes",
            self.options.file_bytes
        );
        let (written, buffer) = self.ring.write_durable(&file.file, buffer, position).await;
        self.buffer.replace(buffer);
        match written {
            Ok(()) => {}
            // The next frame takes its place, as if the power had gone in the middle of this one.
            Err(error) if ring::passes(&error) => return Err(error),
            Err(error) => return Err(self.stop("writing it failed", &error)),
        }
        let before = file.position.replace(position + length);
        assert_eq!(before, position, "one frame is written at a time");
        let before = self.sequence.replace(sequence + 1);
        assert_eq!(before, sequence, "frames are counted one by one");
        self.last_write.set(self.ring.now());
        Ok(())
    }

    /// The lowest sequence that a recovery needs if the next frame is the last one.
    fn live_from(&self, next: u64) -> u64 {
        let files = self.files.borrow();
        let needed = files.iter().filter(|file| !file.pending.borrow().is_empty());
        let live_from = needed.map(|file| file.first_sequence.get()).min().unwrap_or(next);
        assert!(live_from <= next, "frames from {live_from} on are needed, and {next} is next");
        live_from
    }

    /// The file in which `length` bytes can be written at its position. Waits for lazy syncs where
    /// all files are in use.
    async fn room_for(self: &Rc<Self>, length: u64) -> io::Result<Rc<StreamFile>> {
        let most = self.options.file_bytes - LAST_PAGE;
        assert!(length <= most, "a frame of {length} bytes, and a file has room for {most}");
        loop {
            self.check()?;
            let known = self.files.borrow().get(self.current.get()).cloned();
            let Some(file) = known else {
                self.ensure_file(0).await?;
                continue;
            };
            let end = file.position.get() + length;
            if !file.full.get() && end + LAST_PAGE <= self.options.file_bytes {
                self.fill(&file, end).await?;
                return Ok(file);
            }
            self.next_file(&file).await?;
        }
    }

    async fn next_file(self: &Rc<Self>, full: &Rc<StreamFile>) -> io::Result<()> {
        if !full.full.replace(true) {
            drop(self.ring.spawn(self.clone().sync_pending(full.clone())));
        }
        assert!(
            Rc::ptr_eq(&self.files.borrow()[self.current.get()], full),
            "the file that is left is the one that is written to"
        );
        let next = (self.current.get() + 1) % self.options.files;
        self.ensure_file(next).await?;
        let file = self.files.borrow()[next].clone();
        if file.position.get() > 0 {
            self.freed.wait_until(|| file.is_free() || !self.is_working()).await;
            self.check()?;
            // Until this is on the disk the last frame says that the file is needed: torn it would
            // look like damage.
            self.fill(full, self.options.file_bytes).await?;
            self.write_at_position(full, &Gathered::default()).await?;
            assert!(file.is_free(), "a file is used again when no partition needs it");
        }
        assert_ne!(next, self.current.get(), "the file that is full is not the next");
        file.full.set(false);
        file.position.set(0);
        file.first_sequence.set(self.sequence.get());
        file.noted.set(false);
        self.current.set(next);
        Ok(())
    }

    // ---- files
    // ---------------------------------------------------------------------------------------------

    /// Creates the file of this number where there is none; those before it are there.
    async fn ensure_file(&self, number: usize) -> io::Result<()> {
        let most = self.options.files;
        assert!(number < most, "file {number} of a stream of {most} files");
        let _guard = self.creating.lock().await;
        if self.files.borrow().len() > number {
            return Ok(());
        }
        self.check()?;
        let known = self.files.borrow().len();
        assert_eq!(number, known, "files are made one behind the other");
        let path = file_path(&self.dir, self.core, number);
        let options = OpenOptions { truncate: true, ..OpenOptions::write() };
        let made = async {
            let (file, is_direct) = self.ring.open_direct(&path, options).await?;
            match self.ring.allocate(&file, 0, self.options.file_bytes, false).await {
                Err(error) if error.kind() != io::ErrorKind::Unsupported => return Err(error),
                _ => {}
            }
            let file = StreamFile {
                file,
                position: Cell::new(0),
                filled: Cell::new(0),
                filling: AsyncMutex::default(),
                first_sequence: Cell::new(self.sequence.get()),
                noted: Cell::new(false),
                full: Cell::new(false),
                pending: RefCell::default(),
                syncing: AsyncMutex::default(),
            };
            self.fill(&file, 1).await?;
            self.ring.sync_dir(&self.dir).await?;
            Ok((file, is_direct))
        };
        match made.await {
            Ok((file, is_direct)) => {
                tracing::debug!(path = %path.display(), is_direct, "the commit stream has one \
                    more file");
                self.files.borrow_mut().push(Rc::new(file));
                Ok(())
            }
            Err(error) if ring::passes(&error) => {
                // An error of this, too, finds the file again at the next start, empty.
                let _ = self.ring.unlink(&path).await;
                Err(error)
            }
            Err(error) => Err(self.stop("creating a file failed", &error)),
        }
    }

    /// Writes zeros where nothing was written yet, up to `wanted` and the end of the piece that it
    /// lies in.
    async fn fill(&self, file: &StreamFile, wanted: u64) -> io::Result<()> {
        while file.filled.get() < wanted.min(self.options.file_bytes) {
            // For one piece at a time: another task may wait for the next one only.
            let _guard = file.filling.lock().await;
            self.check()?;
            let filled = file.filled.get();
            let length = (self.options.fill_bytes as u64).min(self.options.file_bytes - filled);
            if length == 0 {
                break;
            }
            let zeros = AlignedBuf::zeroed(length as usize);
            match self.ring.write_durable(&file.file, zeros, filled).await.0 {
                Ok(()) => {
                    let before = file.filled.replace(filled + length);
                    assert_eq!(before, filled, "one piece is filled at a time");
                }
                // All of it is written once more then.
                Err(error) if ring::passes(&error) => return Err(error),
                Err(error) => return Err(self.stop("writing ahead failed", &error)),
            }
        }
        Ok(())
    }

    /// Removes the files. Every log in them is closed: an error where one is not synced, and its
    /// bytes may be here only.
    pub async fn close(&self) -> io::Result<()> {
        let _guard = self.files_lock.lock().await;
        self.stopped.borrow_mut().get_or_insert_with(|| "it is closed".to_owned());
        let _created = self.creating.lock().await;
        let files = self.files.take();
        for file in &files {
            file.settle();
            if !file.pending.borrow().is_empty() {
                return Err(io::Error::other(
                    "the commit stream is kept: not every log in it could be synced",
                ));
            }
        }
        if !files.is_empty() {
            // First, and durably: without its files it would tell of a loss.
            let _noted = self.noting.lock().await;
            remove_if_there(&self.ring, &note_path(&self.dir, self.core)).await?;
            self.ring.sync_dir(&self.dir).await?;
        }
        for number in 0..files.len() {
            self.ring.unlink(file_path(&self.dir, self.core, number)).await?;
        }
        if !files.is_empty() {
            self.ring.sync_dir(&self.dir).await?;
        }
        Ok(())
    }

    // ---- lazy syncs
    // ---------------------------------------------------------------------------------------------

    /// Syncs the logs that have entries in a file, a few at a time.
    async fn sync_pending(self: Rc<Self>, file: Rc<StreamFile>) {
        let _guard = file.syncing.lock().await;
        while self.try_sync_pending(&file).await && self.is_working() {
            self.ring.sleep(SYNC_RETRY).await;
        }
        file.settle();
        self.freed.notify();
    }

    /// Whether that has to be tried again.
    async fn try_sync_pending(&self, file: &StreamFile) -> bool {
        let mut again = false;
        file.settle();
        let due: Vec<(PartitionId, Log)> =
            file.pending.borrow().iter().map(|(id, (log, _))| (*id, log.clone())).collect();
        for some in due.chunks(self.options.syncs) {
            let sync = |(id, log): &(PartitionId, Log)| {
                let log = log.clone();
                (*id, log.clone(), self.ring.spawn(async move { log.sync_written().await }))
            };
            for (id, log, synced) in some.iter().map(sync).collect::<Vec<_>>() {
                let Err(error) = synced.await else { continue };
                if ring::passes(&error) {
                    again = true;
                } else if !log.has_ended() {
                    self.stop(&format!("syncing {} failed", log.dir().display()), &error);
                    (self.sync_failed)(id, &error);
                }
            }
        }
        again
    }

    /// Syncs everything once nothing was written for a while.
    fn watch_idleness(self: &Rc<Self>) {
        if self.watches_idleness.replace(true) {
            return;
        }
        let stream = self.clone();
        drop(self.ring.spawn(async move {
            let is_idle = || stream.ring.now() >= stream.last_write.get() + stream.options.idle;
            while !is_idle() {
                stream.ring.sleep_until(stream.last_write.get() + stream.options.idle).await;
            }
            let was_watching = stream.watches_idleness.replace(false);
            assert!(was_watching, "one task waits for the stream to be idle");
            *stream.buffer.borrow_mut() = AlignedBuf::default();
            let files = stream.files.borrow().clone();
            for file in files {
                stream.clone().sync_pending(file).await;
            }
        }));
    }

    // ---- the end
    // ---------------------------------------------------------------------------------------------

    fn check(&self) -> io::Result<()> {
        self.stopped.borrow().as_ref().map_or(Ok(()), |why| Err(io::Error::other(why.clone())))
    }

    /// Writes no more. The frames in the files stay there for the next start.
    fn stop(&self, what: &str, error: &io::Error) -> io::Error {
        let why = format!("{what}: {error}");
        if self.is_working() {
            tracing::error!(
                dir = %self.dir.display(), core = self.core,
                "the commit stream stops: {why}. Every partition is flushed by itself from now \
                 on; check the disk, then \
                 restart the broker"
            );
            self.stopped.replace(Some(why.clone()));
            self.freed.notify();
        }
        io::Error::other(why)
    }
}
