//! A doorbell for a thread that is no core: one that waits for descriptors by its own means.
//!
//! Owns: a pipe. Lives on: the thread that waits, which has the bell and the end that is read; the
//! cores have its [`Doorbell`]. Never: makes a core that rings wait: a ring is a fence and a load,
//! and one byte into the pipe where the thread has looked since the last one.

use crate::{
    backend::{Doorbell, DoorbellInner},
    doorbell::SleepFlag,
    sys,
};
use std::{
    io,
    os::fd::{AsRawFd, FromRawFd, OwnedFd},
    sync::Arc,
};

pub struct ThreadBell(Arc<PipeBell>);

struct PipeBell {
    flag: SleepFlag,
    write: OwnedFd,
}

impl ThreadBell {
    /// The bell, armed, and what the thread watches: the end of a pipe that does not block, with a
    /// byte in it once a core has rung. The thread reads it empty, arms the bell, and looks.
    pub fn new() -> io::Result<(ThreadBell, OwnedFd)> {
        let mut fds = [0; 2];
        // SAFETY: the pointer is to room for two descriptors.
        sys::check(unsafe { libc::pipe2(fds.as_mut_ptr(), libc::O_CLOEXEC | libc::O_NONBLOCK) })?;
        // SAFETY: both descriptors are new and have no other owner.
        let (read, write) = unsafe { (OwnedFd::from_raw_fd(fds[0]), OwnedFd::from_raw_fd(fds[1])) };
        let bell = ThreadBell(Arc::new(PipeBell { flag: SleepFlag::new(), write }));
        bell.arm();
        Ok((bell, read))
    }

    pub fn doorbell(&self) -> Doorbell {
        Doorbell { inner: self.0.clone() }
    }

    /// Has the next ring be seen. To be called before each look at what the cores have left: what a
    /// core leaves after the look rings again.
    pub fn arm(&self) {
        self.0.flag.promise_sleep();
    }
}

impl DoorbellInner for PipeBell {
    fn ring(&self) -> bool {
        let must_wake = self.flag.must_wake();
        if must_wake {
            let byte = 1u8;
            // SAFETY: one byte of ours. It fails where the pipe is full, and then the thread wakes
            // anyway, or where the thread has gone.
            unsafe { libc::write(self.write.as_raw_fd(), (&raw const byte).cast(), 1) };
        }
        must_wake
    }

    fn is_asleep(&self) -> bool {
        self.flag.is_set()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::{fs::File, io::Read};

    fn taken(pipe: &mut File) -> usize {
        pipe.read(&mut [0; 16]).unwrap_or_else(|error| {
            assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
            0
        })
    }

    #[test]
    fn rings_are_seen_once_after_each_look() {
        let (bell, read) = ThreadBell::new().unwrap();
        let (doorbell, mut pipe) = (bell.doorbell(), File::from(read));
        assert_eq!(taken(&mut pipe), 0, "no core has rung");
        for _ in 0..3 {
            doorbell.ring();
            doorbell.ring();
            assert_eq!(taken(&mut pipe), 1, "one byte, however many have rung");
            doorbell.ring();
            assert_eq!(taken(&mut pipe), 0, "the thread has not looked yet");
            bell.arm();
        }
    }

    #[test]
    fn a_thread_that_waits_is_woken_and_one_that_has_gone_does_no_harm() {
        let (bell, read) = ThreadBell::new().unwrap();
        let doorbell = bell.doorbell();
        let waiter = std::thread::spawn(move || {
            let mut poll = libc::pollfd { fd: read.as_raw_fd(), events: libc::POLLIN, revents: 0 };
            // SAFETY: one structure of ours, which outlives the call.
            sys::check(unsafe { libc::poll(&mut poll, 1, -1) }).unwrap()
        });
        doorbell.ring();
        assert_eq!(waiter.join().unwrap(), 1);
        bell.arm();
        doorbell.ring();
    }
}
