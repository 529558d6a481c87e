//! The seam: what the executor needs of io_uring, of epoll and of the simulated world.

use crate::{
    file::File,
    net::{ListenOptions, Listener, SocketInner, SpareDescriptor},
    op::{Completion, Op, Token},
    time::Instant,
};
use bytes::Bytes;
use std::{fmt, io, net::SocketAddr, sync::Arc};

/// Which back-end runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BackendKind {
    IoUring,
    Epoll,
    Simulated,
}

/// Which back-end the operator asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum BackendChoice {
    /// io_uring where the kernel lets us, else epoll.
    #[default]
    Auto,
    IoUring,
    Epoll,
}

/// How long [`Backend::poll`] may wait for a completion.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Wait {
    No,
    Until(Instant),
    Forever,
}

/// One core's way to the world. The executor is its only caller.
pub(crate) trait Backend {
    fn kind(&self) -> BackendKind;

    /// Takes an operation. Never waits and never fails: a failure arrives as a completion.
    fn submit(&mut self, token: Token, op: Op);

    /// The future of this operation was dropped: its completion will be ignored, so it may end
    /// early (a pending accept, recv or connect should). The completion still comes, and gives the
    /// buffers back: those of a recv with what has arrived, those of a send or send_file with what
    /// has not left. A send that was cut short, by this or by an error, leaves half a message
    /// behind: its stream is shut down.
    fn cancel(&mut self, token: Token);

    /// The core promises to sleep (`true`: from now on its doorbell has to wake it) or is awake
    /// again. The executor looks at its inbox once more after the promise. Back-ends whose doorbell
    /// always wakes need nothing here.
    fn set_sleeping(&mut self, sleeping: bool) {
        let _ = sleeping;
    }

    /// Starts what was submitted and appends what has completed. Waits only where nothing has
    /// completed, at most as long as `wait` says, and less when the core's doorbell rings.
    fn poll(&mut self, wait: Wait, completions: &mut Vec<Completion>);

    fn now(&self) -> Instant;
    /// The same clock without its fine hand: for what would not be worth a precise look.
    fn coarse_now(&self) -> Instant;
    /// Milliseconds since 1970 in UTC.
    fn wall_clock_ms(&self) -> i64;
    fn random_u64(&mut self) -> u64;
    fn doorbell(&self) -> Doorbell;

    fn listen(&mut self, addr: SocketAddr, options: ListenOptions) -> io::Result<Listener>;

    /// Writes all of `bufs` from `offset` on before it returns, into the page cache.
    fn write_now(&mut self, file: &File, bufs: &[Bytes], offset: u64) -> io::Result<()>;
    /// Reads at most `max` bytes before it returns; for a range that is known to be small or
    /// resident.
    fn read_now(
        &mut self,
        file: &File,
        buf: &mut bytes::BytesMut,
        max: usize,
        offset: u64,
    ) -> io::Result<usize>;

    /// Forgets a stream that goes to another core, and on which nothing was done yet.
    fn release(&mut self, socket: &SocketInner);
    /// Takes a stream that another core has released.
    fn adopt(&mut self, socket: &SocketInner) -> io::Result<()>;

    /// A descriptor that is good for nothing but to be given back.
    fn spare(&mut self) -> io::Result<SpareDescriptor>;

    /// A count that rises as the peer takes bytes that were sent on a stream.
    fn taken_by_peer(&mut self, socket: &SocketInner) -> u64;

    /// Ends both directions of a stream: pending receives end with 0 bytes, pending sends with an
    /// error.
    fn shutdown(&mut self, socket: &SocketInner);
}

/// Wakes one core. `ring` costs a fence and a load while that core is awake, and a system call when
/// it sleeps.
#[derive(Clone)]
pub struct Doorbell {
    pub(crate) inner: Arc<dyn DoorbellInner>,
}

impl Doorbell {
    /// Makes sure that the core looks at its inbox (see [`crate::Ring::set_inbox`]) after this
    /// call. Says whether it slept, and was woken.
    pub fn ring(&self) -> bool {
        self.inner.ring()
    }

    /// Whether the core sleeps, or is about to; for counts and traces alone.
    pub fn is_asleep(&self) -> bool {
        self.inner.is_asleep()
    }
}

impl fmt::Debug for Doorbell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Doorbell")
    }
}

pub(crate) trait DoorbellInner: Send + Sync {
    fn ring(&self) -> bool;
    fn is_asleep(&self) -> bool;
}
