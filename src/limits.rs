//! Every bound of the broker, named, with its relation to the others asserted at compile time.
//!
//! Bounds that Kafka lets the operator choose (`max.connections`, `socket.request.max.bytes`, …)
//! live in the configuration; here stand those that are ours, and the hard ceilings above what can
//! be configured.

/// Cores that one broker may use: bounds the mesh of mailboxes, which grows with the square.
pub const MAX_SHARDS: usize = 256;

/// Messages that one core may have on the way to another before they wait in the sender's own
/// queue.
pub const MAILBOX_SLOTS: usize = 1024;

/// Messages that wait in a sender's own queue behind the full mailbox of one core. What may come
/// together there is summed up at the end of this file: more would be a mistake of ours.
pub const MAILBOX_OVERFLOW_MAX: usize = 1 << 20;

/// From so many such messages on, over all receivers, connections send no further calls to other
/// cores and read no further.
pub const MAILBOX_OVERFLOW_STOP: usize = 1 << 16;

/// Jobs of one core that the control thread has not answered; further ones are refused.
pub const CONTROL_JOBS_MAX: usize = 64;

/// Threads that the control thread may have for what blocks, such as the resolution of a name; what
/// comes besides waits.
pub const CONTROL_THREADS_MAX: usize = 4;

/// Addresses that one name is taken to stand for.
pub const RESOLVED_ADDRESSES_MAX: usize = 64;

/// The first receive of an idle connection asks for this much: what an idle connection costs.
pub const RECEIVE_MIN_BYTES: usize = 4 * 1024;

/// A busy connection receives up to this much at once, unless a larger frame is known to be on its
/// way.
pub const RECEIVE_MAX_BYTES: usize = 128 * 1024;

/// A connection that has sent a frame of some size before gets a whole buffer for the next one, up
/// to this size. Beyond it a buffer grows with the bytes that really came, doubling, so that a
/// promise of 100 MB costs nothing by itself.
pub const FRAME_RESERVE_MAX_BYTES: usize = RECEIVE_BLOCK_BYTES;

/// A block that busy connections receive into: the largest batch that `max.message.bytes` allows by
/// default (1 MiB and 12 bytes) fits with the request around it.
pub const RECEIVE_BLOCK_BYTES: usize = 1024 * 1024 + 16 * 1024;

/// Receive buffers from this size on are such blocks: a connection that needs less gets memory of
/// its own.
pub const RECEIVE_POOLED_MIN_BYTES: usize = 16 * 1024;

/// However little memory there is, one core may have so many of them.
pub const RECEIVE_BLOCKS_MIN: usize = 4;

/// A connection that misses at least this much of a frame sleeps until all of that has come, or the
/// larger of these. Only a wake-up shows that a connection is alive: what a slow network brings
/// within `connections.max.idle.ms` has to be more.
pub const RECEIVE_AWAITED_MIN_BYTES: usize = 8 * 1024;
pub const RECEIVE_AWAITED_MAX_BYTES: usize = 256 * 1024;

/// A produce request waits so long at least for its records to be safe, though its `timeout.ms` be
/// less: a flush takes its time, which the producer's timeout is not meant for.
pub const PRODUCE_TIMEOUT_MIN_MS: u64 = 1000;

/// So often at least a core looks at the deadlines of produce requests, while some wait.
pub const PRODUCE_EXPIRY_INTERVAL_MS: u64 = 60_000;

/// What is kept of the name, and of the version, that a client's software gives itself.
pub const SOFTWARE_NAME_BYTES_MAX: usize = 128;

/// A compiled pattern of a client metrics subscription.
pub const CLIENT_PATTERN_BYTES_MAX: usize = 256 * 1024;

/// Pushes of client metrics that one core has handed to the control thread, and that are not
/// answered: a part of its jobs.
pub const CLIENT_PUSHES_UNDER_WAY_MAX: usize = 8;

/// What a push of client metrics may unpack to.
pub const CLIENT_PUSH_UNPACKED_MAX_BYTES: usize = 16 * 1024 * 1024;

/// Clients whose metrics are shown; one more takes the place of the one that was silent longest.
pub const CLIENT_METRICS_CLIENTS_MAX: usize = 1_000;

/// Series of client metrics that are shown, and of them those of one client.
pub const CLIENT_METRICS_SERIES_MAX: usize = 10_000;
pub const CLIENT_METRICS_SERIES_PER_CLIENT_MAX: usize = 1_000;

/// The name and the labels of such a series.
pub const CLIENT_METRICS_SERIES_BYTES_MAX: usize = 1024;

/// Partitions of one core that may wait for a transaction coordinator's word at once: their
/// requests are bounded, but those that are given up leave the question behind.
pub const VERIFICATIONS_MAX: usize = 16 * 1024;

/// Finished produce requests whose memory one core keeps for the next ones, and the partitions that
/// such a one has room for at most.
pub const PRODUCE_SPARES_MAX: usize = 1024;
pub const PRODUCE_SPARE_PARTITIONS_MAX: usize = 1024;

/// Finished fetches whose lists one core keeps for the next ones, and the partitions that such a
/// list has room for at most.
pub const FETCH_SPARES_MAX: usize = 256;
pub const FETCH_SPARE_PARTITIONS_MAX: usize = 128;

/// Tasks of one core that read for other cores and have nothing to read; each is kept for the next
/// time that reads wait for the disk.
pub const FETCH_READERS_IDLE_MAX: usize = 16;

/// What most replies without records fit in.
pub const REPLY_MIN_BYTES: usize = 256;

/// What the head of a reply, a topic or a partition takes in it as a rule.
pub const REPLY_PIECE_BYTES: usize = 64;

/// A block that replies are written into, and how many of them one core keeps for the replies that
/// are on their way.
pub const REPLY_BLOCK_BYTES: usize = 64 * 1024;
pub const REPLY_BLOCKS_MAX: usize = 64;

/// What one response may take, records aside: no more than a request may by default
/// (`socket.request.max.bytes`), and about what librdkafka takes at most by default
/// (`receive.message.max.bytes`). What is asked for and takes more is refused, or its connection is
/// closed: the response to a request of some bytes can be thousands of times as large.
pub const RESPONSE_MAX_BYTES: usize = 100 * 1024 * 1024;

/// An error message in a response, in bytes: the wire has no more room for a string.
pub const ERROR_MESSAGE_MAX_BYTES: usize = i16::MAX as usize;

/// What a frame may have behind its length prefix, records included.
pub const FRAME_MAX_BYTES: usize = i32::MAX as usize;

/// Requests of one connection that may be unanswered at a time; the next one waits in the kernel's
/// buffer.
pub const CONNECTION_REQUESTS_IN_FLIGHT_MAX: usize = 512;

/// What a request in flight takes besides its frame.
pub const REQUEST_BYTES: usize = 512;

/// What a request that is decoded takes, times its frame: its fields, and lists of the work for
/// each. Requests with records are viewed where they lie, and take their frame alone.
pub const DECODED_REQUEST_FACTOR: usize = 8;

/// A request that takes no more than this begins whatever else is in flight, if its connection has
/// nothing else.
pub const LIGHT_REQUEST_BYTES: usize = 16 * 1024;

/// A request that would take more than the core has for all that are decoded, times this, is
/// refused: its connection is closed.
pub const HEAVIEST_REQUEST_FACTOR: usize = 8;

/// The part of the machine's memory, or of what its cgroup allows, that `memory.limit.bytes` is by
/// default: the other half is for the page cache, the kernel's sockets and memory that is not
/// accounted for.
pub const MEMORY_MACHINE_PART: u64 = 2;

/// Each core needs so much.
pub const MEMORY_CORE_MIN_BYTES: u64 = 24 * 1024 * 1024;

/// The part of a core's memory that is for connections, at [`CONNECTION_BYTES`] each, and the one
/// for transactional ids and their transactions; the rest is for buffers.
pub const MEMORY_CONNECTIONS_PART: usize = 4;
pub const MEMORY_TRANSACTIONS_PART: usize = 32;

/// What an open connection takes, with the small buffer that it receives into. `tests/allocations`
/// measures it.
pub const CONNECTION_BYTES: usize = 12 * 1024;

/// Connections of one core, whatever memory there is.
pub const SHARD_CONNECTIONS_MAX: usize = 1 << 17;

/// Buffers of one core, whatever memory there is: more would make nothing faster.
pub const SHARD_BUFFER_BYTES_MAX: usize = 512 * 1024 * 1024;

/// The part of these buffers that each use has, in 64ths. Blocks that connections receive into:
/// frames in flight, and large appends that the tail has.
pub const MEMORY_BLOCKS_64THS: usize = 18;
/// Frames larger than such a block.
pub const MEMORY_LARGE_FRAMES_64THS: usize = 16;
/// Recent appends, for consumers at the tail.
pub const MEMORY_TAIL_64THS: usize = 8;
/// Replies that are not sent.
pub const MEMORY_REPLIES_64THS: usize = 8;
/// Requests in flight. Those of one connection may take half of it.
pub const MEMORY_REQUESTS_64THS: usize = 8;
/// Decoded requests that are not light.
pub const MEMORY_DECODED_64THS: usize = 4;
/// Partitions of fetch sessions. A fetch that finds no room gets no session, and names all of its
/// partitions each time.
pub const MEMORY_SESSIONS_64THS: usize = 2;
/// What the work on heavy batches may take. It comes and goes, and is not part of the sum.
pub const MEMORY_HEAVY_64THS: usize = 8;
/// What the cleaner's map of keys may take: another pass follows where it is too small.
pub const MEMORY_CLEANER_64THS: usize = 4;

/// How soon a log is compacted again that lacked room or descriptors; twice as long each time.
pub const CLEANER_RETRY_MIN_MS: u64 = 15_000;
pub const CLEANER_RETRY_MAX_MS: u64 = 15 * 60_000;

/// What a reply may keep in memory besides its own bytes: the rest of the block that its records
/// lie in. A fetch that could have less than this in memory is answered from the files.
pub const REPLY_PINNED_BYTES: usize = 64 * 1024;

/// A fetch may have this part of the memory that is left for replies.
pub const REPLY_MEMORY_PART: usize = 4;

/// Parts of replies that a connection keeps room for between two sends.
pub const SEND_PARTS_KEPT: usize = 128;

/// A connection that has moved less than [`PROGRESS_BYTES`] for so long may be ended while others
/// wait for the memory that it holds.
pub const MEMORY_STALL_MS: u64 = 2_000;
pub const PROGRESS_BYTES: u64 = 64 * 1024;

/// While a core is short of memory it looks for some so often,
pub const MEMORY_RELIEF_MS: u64 = 10;
/// ends stalled connections and asks the other cores to do so once in so many looks,
pub const MEMORY_RELIEF_LOOKS: u64 = 10;
/// and so many of them at a time.
pub const MEMORY_ENDED_AT_ONCE: usize = 8;

/// Buffers that one gathered send may carry: the kernel's own limit for `sendmsg` (`UIO_MAXIOV`).
pub const SEND_BUFFERS_MAX: usize = 1024;

/// Partitions that one Fetch request may name.
pub const FETCH_PARTITIONS_MAX: usize = 100_000;

/// A fetch that waits longer than this looks at its partitions again: they forget it then.
pub const FETCH_WATCH_MS: u64 = 30_000;

/// What one compressed batch may unpack to while it is checked, by default
/// (`decompressed.batch.max.bytes`): far above `message.max.bytes`, far below memory.
pub const DECOMPRESSED_BATCH_MAX_BYTES: usize = 64 * 1024 * 1024;

/// Topics that one core has made at a time because clients asked for their metadata.
pub const TOPICS_IN_AUTO_CREATION_MAX: usize = 1_000;

/// Log lines about bad input per core and second; further ones are counted and said in one line.
pub const BAD_INPUT_LINES_PER_S: u32 = 5;

/// Partitions that one log line about many of them names.
pub const NAMED_PARTITIONS_MAX: usize = 20;

/// Topics that a view lists as changed while it waits for a core; if more have changed meanwhile,
/// the core looks at all.
pub const MERGED_CHANGES_MAX: usize = 10_000;

/// How long a creation waits for what a deleted topic of its name has left.
pub const NAME_RELEASE_WAIT_MS: u64 = 30_000;
/// How many creations may have a core see to that at once; they go on where one waits no longer.
pub const NAME_RELEASES_MAX: usize = 64;

/// A group coordinator that could not be loaded, or could not write, waits so long before the next
/// try, twice as long before the one after that, and at most so long.
pub const COORDINATOR_PAUSE_MIN_MS: u64 = 1_000;
pub const COORDINATOR_PAUSE_MAX_MS: u64 = 15_000;

/// Transactional ids of one partition of `__transaction_state`. Each takes some hundred bytes, and
/// stays for `transactional.id.expiration.ms` however short it was used.
pub const TRANSACTIONAL_IDS_PER_PARTITION_MAX: usize = 100_000;

/// What the transactional ids of all coordinators of one core may take, whatever memory there is.
pub const SHARD_TRANSACTIONS_BYTES_MAX: usize = 128 * 1024 * 1024;

/// Producer ids that a coordinator of transactions takes at a time from the block of its core.
pub const COORDINATOR_PRODUCER_IDS: i32 = 20;

/// Partitions that one transaction writes to.
pub const PARTITIONS_PER_TRANSACTION_MAX: usize = 100_000;

/// A marker that was refused in passing is tried again after so long, after twice as long the next
/// time, and at last after so long each time.
pub const MARKER_PAUSE_MIN_MS: u64 = 100;
pub const MARKER_PAUSE_MAX_MS: u64 = 5_000;

/// Partitions that one question for markers is about, such questions that come of one event of a
/// coordinator, and markers of one coordinator that are on their way.
pub const MARKERS_PER_QUESTION: usize = 1_000;
pub const MARKER_QUESTIONS_PER_TURN: usize = 128;
pub const MARKERS_IN_FLIGHT_MAX: usize = 10_000;

/// Records of a coordinator of transactions after which the next deadline waits for another turn.
pub const COORDINATOR_TURN_BYTES: usize = 64 * 1024;

/// Transactional ids that a coordinator looks at in one turn of its core to list those that pass,
/// and the bytes of those, beyond which it looks at no further one.
pub const TRANSACTIONS_LISTED_AT_ONCE: usize = 512;
pub const TRANSACTIONS_LISTED_BYTES: usize = 64 * 1024;

/// Questions about transactions that one partition remembers, until the transaction has begun
/// there, or has expired (`producer.id.expiration.ms`); the oldest makes room.
pub const VERIFICATIONS_PER_PARTITION_MAX: usize = 4_096;

/// A pattern of transactional ids, and what it is compiled to. A match takes at most so many steps
/// per character, and looks at so many ranges.
pub const PATTERN_BYTES_MAX: usize = 4_096;
pub const PATTERN_INSTRUCTIONS_MAX: usize = 512;
pub const PATTERN_RANGES_MAX: usize = 2_048;

/// Groups in groups of such a pattern.
pub const PATTERN_NESTING_MAX: usize = 32;

/// Partitions whose offsets a coordinator looks up in one turn of its core.
pub const OFFSETS_FETCHED_AT_ONCE: usize = 10_000;

/// Accounts of quotas that one core keeps, and buckets that the controller's core does. Clients
/// beyond that share one. Each takes some hundred bytes.
pub const QUOTA_ACCOUNTS_MAX: usize = 8 * 1024;

/// Samples that an account keeps at most, whatever `quota.window.num` says.
pub const QUOTA_WINDOWS_MAX: usize = 128;

/// An account that was not used for so long is forgotten.
pub const QUOTA_EXPIRY_MS: u64 = 3_600_000;

/// A core tells the others what it has counted after so long, of at most so many accounts at once.
pub const QUOTA_EXCHANGE_MS: u64 = 50;
pub const QUOTA_COUNTS_AT_ONCE: usize = 1024;

/// Addresses whose rate of new connections is kept, for all cores together. Those beyond share one.
pub const QUOTA_ADDRESSES_MAX: usize = 16 * 1024;

/// The spread of time over which group and retention work is looked at.
pub const HOUSEKEEPING_INTERVAL_MS: u64 = 500;

/// What background work may take of one turn of the event loop before everything else has its turn.
pub const BACKGROUND_TURN_US: u64 = 200;

/// Steps of background work in one turn, however short they are.
pub const BACKGROUND_TURN_STEPS_MAX: u32 = 1024;

/// A batch that must be unpacked or packed waits for its turn among the heavy ones once a turn has
/// lasted this long.
pub const UNPACKING_TURN_US: u64 = 1000;

/// Steps of the work on heavy batches in one turn.
pub const HEAVY_STEPS_PER_TURN: u32 = 4;

/// Heavy batches of one core that are worked on at a time: so many of those that take little
/// memory. They take no more than [`MEMORY_HEAVY_64THS`] together, and the others as much again.
pub const LIGHTER_BATCHES_AT_ONCE: usize = 32;
pub const LIGHTER_BATCH_BYTES: usize = 4 * 1024 * 1024;
/// One batch alone may take so many times that, and however little memory there is, so much. It is
/// what the work may take at most: all of `max.message.bytes` for a batch that is packed anew.
pub const HEAVY_BATCH_FACTOR: usize = 4;
pub const HEAVY_BATCH_BYTES_LEAST: usize = 16 * 1024 * 1024;

/// Partitions of one core whose files are opened, made or closed at the same time. Each may have a
/// few files open at once.
pub const PARTITION_FILES_AT_ONCE: usize = 32;

/// How long a start waits for an address that is in use, as it is for a moment after a broker was
/// killed.
pub const LISTEN_PATIENCE_MS: u64 = 3_000;

/// Between two log lines about stalls: of one core, and of the process, whose cores take turns.
pub const STALL_LINE_INTERVAL_MS: u64 = 10_000;
pub const STALL_LINE_INTERVAL_OF_PROCESS_MS: u64 = 1_000;
/// Descriptors that are kept out of the shares of connections and logs: those of the process
/// (standard streams, locks, reserves, the admin page), and of each core (its ring, doorbells,
/// listeners, pipes, folders that are synced, connections on their way).
pub const FILES_OF_PROCESS: usize = 64;
pub const FILES_OF_CORE: usize = 24;

/// The least that connections, and logs of one core, are let have, however low the limit is.
pub const FILES_MIN_PER_CORE: usize = 8;

/// Descriptors that opening, making or closing a log may hold at a time.
pub const FILES_PER_OPENING: usize = 4;

/// Between two looks at files of logs that no request uses.
pub const FILES_RELEASE_INTERVAL_MS: u64 = 5_000;

/// Between two log lines about connections that find no descriptor.
pub const FILES_LINES_INTERVAL_MS: u64 = 10_000;

/// Room that each log directory keeps for what has to be written on a full disk, and the piece of
/// it that is given back at a time. A start needs some pages, and so does a request that changes
/// the metadata.
pub const RESERVE_BYTES: u64 = 1024 * 1024;
pub const RESERVE_PIECE_BYTES: u64 = 64 * 1024;

/// How long a start waits for partitions that lack something for now and have records in the commit
/// stream, before it keeps the stream for the next start.
pub const REPLAY_WAIT_MS: u64 = 10_000;

/// Partitions of one core and log directory whose own files are flushed at the same time. What a
/// directory may have in flight is bounded, so that one that hangs leaves threads to the others.
pub const DIR_FLUSHES_IN_FLIGHT: usize = 8;

/// Writes of one core to a log directory, and openings of new segments, that are in flight at the
/// same time, where there are several directories.
pub const DIR_WRITES_IN_FLIGHT: usize = 4;

/// How long a clean stop waits for requests in flight.
pub const DRAIN_TIMEOUT_MS: u64 = 5_000;

/// Files of one commit stream: one that is written, one that is synced lazily, one for the time
/// that this takes.
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

const _: () = assert!(
    DIR_FLUSHES_IN_FLIGHT + DIR_WRITES_IN_FLIGHT + STREAM_SYNCS_IN_FLIGHT
        < ring::FILE_CALLS_AT_ONCE
);
const _: () = assert!(COORDINATOR_PAUSE_MIN_MS <= COORDINATOR_PAUSE_MAX_MS);
const _: () = assert!(CLIENT_PUSHES_UNDER_WAY_MAX < CONTROL_JOBS_MAX);
const _: () = assert!(CLIENT_METRICS_SERIES_PER_CLIENT_MAX <= CLIENT_METRICS_SERIES_MAX);
const _: () = assert!(MARKER_PAUSE_MIN_MS <= MARKER_PAUSE_MAX_MS);
const _: () = assert!(MARKERS_PER_QUESTION <= MARKERS_IN_FLIGHT_MAX);
const _: () = assert!(VERIFICATIONS_PER_PARTITION_MAX < VERIFICATIONS_MAX);
const _: () = assert!(RECEIVE_MIN_BYTES <= RECEIVE_MAX_BYTES);
const _: () = assert!(RECEIVE_MAX_BYTES <= FRAME_RESERVE_MAX_BYTES);
const _: () = assert!(FETCH_SPARE_PARTITIONS_MAX <= FETCH_PARTITIONS_MAX);
const _: () = assert!(RESPONSE_MAX_BYTES <= FRAME_MAX_BYTES);
const _: () = assert!(3 * REPLY_PIECE_BYTES <= REPLY_MIN_BYTES);
const _: () = assert!(REPLY_BLOCK_BYTES.is_multiple_of(REPLY_MIN_BYTES));
const _: () = assert!(RECEIVE_POOLED_MIN_BYTES <= RECEIVE_MAX_BYTES);
const _: () = assert!(RECEIVE_AWAITED_MIN_BYTES <= RECEIVE_AWAITED_MAX_BYTES);
const _: () = assert!(BACKGROUND_TURN_US < UNPACKING_TURN_US);
const _: () = assert!(LIGHTER_BATCH_BYTES < HEAVY_BATCH_BYTES_LEAST);
const _: () = assert!(RESERVE_BYTES.is_multiple_of(RESERVE_PIECE_BYTES));
const _: () = assert!(MEMORY_BLOCKS_64THS > MEMORY_TAIL_64THS);
const _: () = assert!(
    MEMORY_BLOCKS_64THS
        + MEMORY_LARGE_FRAMES_64THS
        + MEMORY_TAIL_64THS
        + MEMORY_REPLIES_64THS
        + MEMORY_REQUESTS_64THS
        + MEMORY_DECODED_64THS
        + MEMORY_SESSIONS_64THS
        == 64
);
const _: () = assert!(
    RECEIVE_BLOCKS_MIN as u64 * RECEIVE_BLOCK_BYTES as u64
        <= (MEMORY_CORE_MIN_BYTES
            - MEMORY_CORE_MIN_BYTES / MEMORY_CONNECTIONS_PART as u64
            - MEMORY_CORE_MIN_BYTES / MEMORY_TRANSACTIONS_PART as u64)
            / 64
            * MEMORY_BLOCKS_64THS as u64
);
const _: () =
    assert!(SHARD_BUFFER_BYTES_MAX / 64 * MEMORY_HEAVY_64THS >= DECOMPRESSED_BATCH_MAX_BYTES);

/// Requests that one core may have in flight: each counts for [`REQUEST_BYTES`] at least, and a
/// connection without one may always begin one.
const SHARD_REQUESTS_MAX: usize =
    SHARD_BUFFER_BYTES_MAX / 64 * (MEMORY_REQUESTS_64THS + MEMORY_DECODED_64THS) / REQUEST_BYTES
        + SHARD_CONNECTIONS_MAX;

// What may wait for one core that stands still: calls, until the sender stops, and those of one
// request more; answers to its own calls, one for each request in flight there; word of moved
// partitions, once for each of its connections; connections that it is to serve; and one message
// with counts of quotas.
const _: () = assert!(
    MAILBOX_OVERFLOW_STOP + MAX_SHARDS + 1 + SHARD_REQUESTS_MAX + 2 * SHARD_CONNECTIONS_MAX
        <= MAILBOX_OVERFLOW_MAX
);
