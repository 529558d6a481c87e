//! Waiting within one core, under the names that other runtimes use.
//!
//! Owns: the wakers of the tasks that wait. Lives on: one core. Never: crosses cores, or loses a
//! wake-up.

mod mutex;
mod notify;
pub mod oneshot;
mod semaphore;

pub use mutex::{AsyncMutex, AsyncMutexGuard};
pub use notify::{Notified, Notify};
pub use semaphore::{Semaphore, SemaphorePermit};
