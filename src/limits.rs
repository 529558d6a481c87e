//! Every bound of the broker, named, with its relation to the others asserted at compile time.
//!
//! Bounds that Kafka lets the operator choose (`max.connections`, `socket.request.max.bytes`, …) live in the
//! configuration; here stand those that are ours, and the hard ceilings above what can be configured.

/// Cores that one broker may use: bounds the mesh of mailboxes, which grows with the square.
pub const MAX_SHARDS: usize = 256;

/// Messages that one core may have on the way to another before they wait in the sender's own queue.
pub const MAILBOX_SLOTS: usize = 1024;

/// Messages that wait in a sender's own queue behind a full mailbox. Requests in flight are bounded per connection, and
/// connections by the files that may be open, so reaching this means that a core has stopped: the broker stops too rather
/// than grow.
pub const MAILBOX_OVERFLOW_MAX: usize = 1 << 20;

/// The first receive of an idle connection asks for this much: what an idle connection costs.
pub const RECEIVE_MIN_BYTES: usize = 4 * 1024;

/// A busy connection receives up to this much at once, unless a larger frame is known to be on its way.
pub const RECEIVE_MAX_BYTES: usize = 128 * 1024;

/// A connection that has sent a frame of some size before gets a whole buffer for the next one, up to this size. Beyond
/// it a buffer grows with the bytes that really came, doubling, so that a promise of 100 MB costs nothing by itself.
pub const FRAME_RESERVE_MAX_BYTES: usize = RECEIVE_BLOCK_BYTES;

/// A block that busy connections receive into: the largest batch that `max.message.bytes` allows by default (1 MiB and 12 bytes) fits
/// with the request around it.
pub const RECEIVE_BLOCK_BYTES: usize = 1024 * 1024 + 16 * 1024;

/// Receive buffers from this size on are such blocks: a connection that needs less gets memory of its own.
pub const RECEIVE_POOLED_MIN_BYTES: usize = 16 * 1024;

/// How many of them one core may have: those that the tail holds, and as many more as are on their way there.
pub const RECEIVE_BLOCKS_MAX: usize = 96;

/// A connection that misses at least this much of a frame sleeps until all of that has come, or the larger of these. Only a
/// wake-up shows that a connection is alive: what a slow network brings within `connections.max.idle.ms` has to be more.
pub const RECEIVE_AWAITED_MIN_BYTES: usize = 8 * 1024;
pub const RECEIVE_AWAITED_MAX_BYTES: usize = 256 * 1024;

/// Finished produce requests whose memory one core keeps for the next ones.
pub const PRODUCE_SPARES_MAX: usize = 1024;

/// Finished fetches whose lists one core keeps for the next ones, and the partitions that such a list has room for at most.
pub const FETCH_SPARES_MAX: usize = 256;
pub const FETCH_SPARE_PARTITIONS_MAX: usize = 128;

/// What most replies without records fit in.
pub const REPLY_MIN_BYTES: usize = 256;

/// What the head of a reply, a topic or a partition takes in it as a rule.
pub const REPLY_PIECE_BYTES: usize = 64;

/// A block that replies are written into, and how many of them one core keeps for the replies that are on their way.
pub const REPLY_BLOCK_BYTES: usize = 64 * 1024;
pub const REPLY_BLOCKS_MAX: usize = 64;

/// Requests of one connection that may be unanswered at a time; the next one waits in the kernel's buffer.
pub const CONNECTION_REQUESTS_IN_FLIGHT_MAX: usize = 512;

/// Bytes of requests of one connection that may be unanswered, and bytes of replies that may be unsent.
pub const CONNECTION_BYTES_IN_FLIGHT_MAX: usize = 128 * 1024 * 1024;

/// The same over all connections of one core. Connections above it stop reading until others are answered.
pub const SHARD_BYTES_IN_FLIGHT_MAX: usize = 512 * 1024 * 1024;

/// Buffers that one gathered send may carry: the kernel's own limit for `sendmsg` (`UIO_MAXIOV`).
pub const SEND_BUFFERS_MAX: usize = 1024;

/// Partitions that one Fetch request may name.
pub const FETCH_PARTITIONS_MAX: usize = 100_000;

/// A fetch that waits longer than this looks at its partitions again: they forget it then.
pub const FETCH_WATCH_MS: u64 = 30_000;

/// Bytes of recent appends that one core keeps for consumers at the tail, in all its partitions together.
pub const TAIL_CACHE_BYTES: usize = 64 * 1024 * 1024;

/// What one compressed batch may unpack to while it is checked, by default (`decompressed.batch.max.bytes`): far above
/// `message.max.bytes`, far below memory.
pub const DECOMPRESSED_BATCH_MAX_BYTES: usize = 64 * 1024 * 1024;

/// Topics that one core has made at a time because clients asked for their metadata.
pub const TOPICS_IN_AUTO_CREATION_MAX: usize = 1_000;

/// Log lines about bad input per core and second; what is above is counted and said in one line.
pub const BAD_INPUT_LINES_PER_S: u32 = 5;

/// Partitions that one log line about many of them names.
pub const NAMED_PARTITIONS_MAX: usize = 20;

/// The spread of time over which group and retention work is looked at.
pub const HOUSEKEEPING_INTERVAL_MS: u64 = 500;

/// What background work may take of one turn of the event loop before everything else has its turn.
pub const BACKGROUND_TURN_US: u64 = 200;

/// Steps of background work in one turn, however short they are.
pub const BACKGROUND_TURN_STEPS_MAX: u32 = 1024;

/// A batch that must be unpacked or packed waits for its turn among the heavy ones once a turn has lasted this long.
pub const UNPACKING_TURN_US: u64 = 1000;

/// Steps of the work on heavy batches in one turn.
pub const HEAVY_STEPS_PER_TURN: u32 = 4;

/// Heavy batches of one core that are worked on at a time: so many of those that take little memory,
pub const LIGHTER_BATCHES_AT_ONCE: usize = 32;
pub const LIGHTER_BATCH_BYTES: usize = 4 * 1024 * 1024;
/// and so many of the others that they take this much together; one may take more.
pub const HEAVIER_BATCHES_BYTES: usize = 64 * 1024 * 1024;

/// Partitions of one core whose files are opened, made or closed at the same time. Each may have a few files open at once.
pub const PARTITION_FILES_AT_ONCE: usize = 32;

/// How long a start waits for an address that is in use, as it is for a moment after a broker was killed.
pub const LISTEN_PATIENCE_MS: u64 = 3_000;

/// Between two log lines about stalls: of one core, and of the process, whose cores take turns.
pub const STALL_LINE_INTERVAL_MS: u64 = 10_000;
pub const STALL_LINE_INTERVAL_OF_PROCESS_MS: u64 = 1_000;
/// Descriptors that are kept out of the shares of connections and logs: those of the process (standard streams, locks,
/// reserves, the admin page), and of each core (its ring, doorbells, listeners, pipes, folders that are synced, connections
/// on their way).
pub const FILES_OF_PROCESS: usize = 64;
pub const FILES_OF_CORE: usize = 24;

/// The least that connections, and logs of one core, are let have, however low the limit is.
pub const FILES_MIN_PER_CORE: usize = 8;

/// Descriptors that opening, making or closing a log may hold at a time.
pub const FILES_PER_OPENING: usize = 4;

/// Between two looks at files of logs that nobody uses.
pub const FILES_RELEASE_INTERVAL_MS: u64 = 5_000;

/// Between two log lines about connections that find no descriptor.
pub const FILES_LINES_INTERVAL_MS: u64 = 10_000;

/// Room that each log directory keeps for what has to be written on a full disk, and the piece of it that is given back at
/// a time. A start needs some pages, and so does a request that changes the metadata.
pub const RESERVE_BYTES: u64 = 1024 * 1024;
pub const RESERVE_PIECE_BYTES: u64 = 64 * 1024;

/// How long a start waits for partitions that lack something for now and have records in the commit stream, before it keeps
/// the stream for the next start.
pub const REPLAY_WAIT_MS: u64 = 10_000;

/// Partitions of one core and log directory whose own files are flushed at the same time. What a directory may have in
/// flight is bounded, so that one that hangs leaves threads to the others.
pub const DIR_FLUSHES_IN_FLIGHT: usize = 8;

/// Writes of one core to a log directory, and openings of new segments, that are in flight at the same time, where there are
/// several directories.
pub const DIR_WRITES_IN_FLIGHT: usize = 4;

/// How long a clean stop waits for requests in flight.
pub const DRAIN_TIMEOUT_MS: u64 = 5_000;

/// Files of one commit stream: one that is written, one that is synced lazily, one for the time that this takes.
pub const STREAM_FILES: usize = 3;

/// A stream file is not smaller than this, whatever is configured.
pub const STREAM_FILE_MIN_BYTES: u64 = 64 * 1024;

/// The largest frame of the commit stream: bounds its buffer, and what a flush makes others wait.
pub const STREAM_FRAME_MAX_BYTES: usize = 4 * 1024 * 1024;

/// How much of a new stream file is written ahead with zeros at a time.
pub const STREAM_FILL_BYTES: usize = 1024 * 1024;

/// Segment files that one core syncs lazily at a time.
pub const STREAM_SYNCS_IN_FLIGHT: usize = 8;

/// A commit stream that was not written for so long has its partitions synced.
pub const STREAM_IDLE_MS: u64 = 2_000;

const _: () = assert!(DIR_FLUSHES_IN_FLIGHT + DIR_WRITES_IN_FLIGHT + STREAM_SYNCS_IN_FLIGHT < ring::FILE_CALLS_AT_ONCE);
const _: () = assert!(RECEIVE_MIN_BYTES <= RECEIVE_MAX_BYTES);
const _: () = assert!(RECEIVE_MAX_BYTES <= FRAME_RESERVE_MAX_BYTES);
const _: () = assert!(FETCH_SPARE_PARTITIONS_MAX <= FETCH_PARTITIONS_MAX);
const _: () = assert!(3 * REPLY_PIECE_BYTES <= REPLY_MIN_BYTES);
const _: () = assert!(REPLY_BLOCK_BYTES.is_multiple_of(REPLY_MIN_BYTES));
const _: () = assert!(RECEIVE_POOLED_MIN_BYTES <= RECEIVE_MAX_BYTES);
const _: () = assert!(RECEIVE_AWAITED_MIN_BYTES <= RECEIVE_AWAITED_MAX_BYTES);
const _: () = assert!(RECEIVE_BLOCKS_MAX * RECEIVE_BLOCK_BYTES > TAIL_CACHE_BYTES);
const _: () = assert!(FRAME_RESERVE_MAX_BYTES <= CONNECTION_BYTES_IN_FLIGHT_MAX);
const _: () = assert!(CONNECTION_BYTES_IN_FLIGHT_MAX <= SHARD_BYTES_IN_FLIGHT_MAX);
const _: () = assert!(MAILBOX_SLOTS <= MAILBOX_OVERFLOW_MAX);
const _: () = assert!(BACKGROUND_TURN_US < UNPACKING_TURN_US);
const _: () = assert!(LIGHTER_BATCH_BYTES < HEAVIER_BATCHES_BYTES);
const _: () = assert!(RESERVE_BYTES.is_multiple_of(RESERVE_PIECE_BYTES));
