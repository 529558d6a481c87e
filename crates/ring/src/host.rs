//! What both real back-ends have in common: the doorbell, the file threads, the pipes, what has
//! completed.

use crate::{
    backend::{Doorbell, DoorbellInner},
    blocking::{FileCall, Finished, Pool, Work, perform},
    doorbell::SleepFlag,
    op::{Completion, Op, Outcome, Token},
    send_file::{Pipe, Pipes},
    sys::{self, Random},
};
use std::{
    io,
    os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd},
    sync::Arc,
};

pub(crate) struct Host {
    pub(crate) completions: Vec<Completion>,
    pub(crate) doorbell: Arc<HostDoorbell>,
    pub(crate) pipes: Pipes,
    pub(crate) random: Random,
    pool: Pool,
}

impl Host {
    /// `event_flags`: flags of the doorbell's eventfd besides `EFD_CLOEXEC`.
    pub(crate) fn new(core_name: &str, event_flags: libc::c_int) -> io::Result<Self> {
        let doorbell = Arc::new(HostDoorbell::new(event_flags)?);
        let pool = Pool::new(core_name.to_owned(), doorbell.clone());
        Ok(Self {
            completions: Vec::new(),
            doorbell,
            pipes: Pipes::default(),
            random: Random::new(),
            pool,
        })
    }

    pub(crate) fn bell(&self) -> Doorbell {
        Doorbell { inner: self.doorbell.clone() }
    }

    pub(crate) fn set_sleeping(&self, sleeping: bool) {
        if sleeping { self.doorbell.flag.promise_sleep() } else { self.doorbell.flag.wake_up() }
    }

    pub(crate) fn complete(&mut self, token: Token, op: Op, result: io::Result<Outcome>) {
        self.completions.push(Completion { token, op, result });
    }

    /// Makes the call here and now: for what does not wait.
    pub(crate) fn perform_now(&mut self, token: Token, mut op: Op) {
        let result = perform(&mut op);
        self.complete(token, op, result);
    }

    /// Has one of the threads make the call.
    pub(crate) fn perform_on_thread(&mut self, token: Token, op: Op) {
        self.pool.submit(token, Work::File(FileCall::new(op)));
    }

    pub(crate) fn fill_on_thread(
        &mut self,
        token: Token,
        pipe: Pipe,
        file: crate::file::File,
        offset: u64,
        max: usize,
    ) {
        self.pool.submit(token, Work::Fill { pipe, file, offset, max });
    }

    /// Completes what the threads have done. What they have filled is the back-end's to send on.
    pub(crate) fn take_finished(&mut self) -> Vec<(Token, Pipe, io::Result<usize>)> {
        let mut filled = Vec::new();
        for (token, finished) in self.pool.take_finished() {
            match finished {
                Finished::File(call) => {
                    let (op, result) = call.into_parts();
                    self.complete(token, op, result);
                }
                Finished::Filled(pipe, result) => filled.push((token, pipe, result)),
            }
        }
        filled
    }
}

/// A core's doorbell: an eventfd that is only written while the core sleeps.
pub(crate) struct HostDoorbell {
    pub(crate) flag: SleepFlag,
    event: OwnedFd,
}

impl HostDoorbell {
    fn new(event_flags: libc::c_int) -> io::Result<Self> {
        // SAFETY: a plain call; the descriptor that it returns has no other owner.
        let event = unsafe {
            OwnedFd::from_raw_fd(sys::check(libc::eventfd(0, libc::EFD_CLOEXEC | event_flags))?)
        };
        Ok(Self { flag: SleepFlag::new(), event })
    }

    pub(crate) fn fd(&self) -> RawFd {
        self.event.as_raw_fd()
    }

    /// Takes the rings off the eventfd, which has to be a non-blocking one.
    pub(crate) fn drain(&self) {
        let mut count = 0u64;
        // SAFETY: eight bytes of ours. WouldBlock says that there is nothing to take, which is as
        // good.
        unsafe { libc::read(self.fd(), (&raw mut count).cast(), 8) };
    }
}

impl DoorbellInner for HostDoorbell {
    fn ring(&self) -> bool {
        let must_wake = self.flag.must_wake();
        if must_wake {
            let one = 1u64;
            // SAFETY: eight bytes of ours. It fails only when the counter is full, and then the
            // core wakes anyway.
            unsafe { libc::write(self.fd(), (&raw const one).cast(), 8) };
        }
        must_wake
    }

    fn is_asleep(&self) -> bool {
        self.flag.is_set()
    }
}
