//! One core's reactor: I/O, timers, tasks, time and randomness.
//!
//! Owns: every system call of the data plane, the clock, the random numbers, and the
//! single-threaded executor that runs one core's tasks. Lives on: each core has a [`Ring`] of its
//! own; only [`File`], [`Doorbell`] and [`MovingStream`] may cross cores. Never: knows what Kafka
//! is, waits for another core, or frees a buffer that the kernel may still touch.
//!
//! An operation owns its buffers until its completion. Dropping its future orphans the operation:
//! the back-end keeps the buffers until the kernel has given them back, and the result is thrown
//! away.
//!
//! Three back-ends stand behind the same operations (see [`backend::Backend`]): io_uring, epoll
//! (with a small pool of threads for the file calls that block) and a simulated world with virtual
//! time (see [`sim`]).

mod aligned;
mod api;
pub(crate) mod backend;
mod blocking;
mod blocks;
mod cold;
mod doorbell;
mod epoll;
pub(crate) mod executor;
mod faults;
mod file;
mod host;
mod in_flight;
mod net;
pub(crate) mod op;
mod passing;
mod run;
mod send_file;
pub mod sim;
mod slots;
mod stalls;
pub mod sync;
mod sys;
mod tasks;
mod thread_bell;
mod time;
mod timers;
mod uring;

pub use aligned::{ALIGNMENT, AlignedBuf};
pub use api::{JoinHandle, Ring};
pub use backend::{BackendChoice, BackendKind, Doorbell};
/// Calls on files that a core has threads for at the same time, on every back-end.
pub use blocking::THREADS_MAX as FILE_CALLS_AT_ONCE;
pub use blocks::BufferPool;
pub use file::{DirEntry, File, OpenOptions, Stable};
pub use net::{ListenOptions, Listener, MovingStream, SpareDescriptor, Stream};
pub use passing::{is_out_of_files, passes, passing};
pub use run::{CoreOptions, Selection, allowed_cpus, run, select, spawn_core};
pub use stalls::{Cause, Stalls, TurnCounts};
pub use sys::ignore_file_size_signal;
pub use thread_bell::ThreadBell;
pub use time::Instant;

#[cfg(all(test, not(loom)))]
mod tests;
