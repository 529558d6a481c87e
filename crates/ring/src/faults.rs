//! Answers of the kernel that a test puts in place of the real ones, on the real back-ends.
//!
//! Owns: what a test has planned for its thread and for the file threads of its cores, and how many
//! calls they made. Lives on: test builds; in all others each function here is empty, and inlined.
//! Never: changes the answer to a call that was made: one that is refused does nothing, one that is
//! shortened moves less, and the kernel itself says how much.

pub(crate) use hooks::*;

/// A call that a test may have refused or shortened.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Call {
    Accept,
    Connect,
    Recv,
    Send,
    /// Moves bytes of a file to a pipe, or of a pipe to a socket.
    Splice,
    Open,
    Read,
    Write,
    WriteDurable,
    /// What one call sends or writes of a list of buffers; never refused.
    Gather,
    /// Has epoll watch a descriptor.
    Watch,
    /// Hands entries to io_uring, or waits for its completions.
    Enter,
}

#[cfg(not(all(test, not(loom))))]
mod hooks {
    use super::Call;
    use crate::op::{Op, Token};
    use io_uring::squeue::Entry;
    use std::io;

    #[inline(always)]
    pub(crate) fn allow(_: Call) -> io::Result<()> {
        Ok(())
    }

    #[inline(always)]
    pub(crate) fn shortened(_: Call, length: usize) -> usize {
        length
    }

    #[inline(always)]
    pub(crate) fn shorten(_: Call, iovecs: &mut [libc::iovec]) -> usize {
        iovecs.len()
    }

    #[inline(always)]
    pub(crate) fn submitted(_: &Op, _: Token, entry: Entry) -> Entry {
        entry
    }

    #[inline(always)]
    pub(crate) fn answered(_: Token, result: i32) -> i32 {
        result
    }

    #[inline(always)]
    pub(crate) fn carried(work: impl FnOnce()) -> impl FnOnce() {
        work
    }
}

#[cfg(all(test, not(loom)))]
mod hooks {
    use super::Call;
    use crate::op::{Op, Token};
    use io_uring::{opcode, squeue::Entry};
    use std::{
        cell::RefCell,
        collections::{BTreeMap, VecDeque},
        io,
        sync::{Arc, Mutex},
    };

    #[derive(Default)]
    struct Plan {
        refusals: BTreeMap<Call, VecDeque<i32>>,
        lengths: BTreeMap<Call, VecDeque<usize>>,
        made: BTreeMap<Call, usize>,
        /// What entries of the ring will be said to have come to, by token.
        answers: BTreeMap<u64, i32>,
    }

    thread_local! {
        /// A test runs its cores on its own thread, so that tests beside it have other plans.
        static PLAN: RefCell<Arc<Mutex<Plan>>> = RefCell::default();
    }

    fn with_plan<R>(work: impl FnOnce(&mut Plan) -> R) -> R {
        let plan = PLAN.with(|plan| plan.borrow().clone());
        let mut plan = plan.lock().expect("no thread panics with the plan in hand");
        work(&mut plan)
    }

    impl Plan {
        /// Counts a call; the errno that it is refused with.
        fn make(&mut self, call: Call) -> Option<i32> {
            *self.made.entry(call).or_default() += 1;
            self.refusals.get_mut(&call)?.pop_front()
        }
    }

    // ---- for tests -----------------------------------------------------------------------------

    /// The next calls of this kind are refused, one after the other; 0 lets one pass.
    pub(crate) fn refuse(call: Call, errnos: &[i32]) {
        with_plan(|plan| plan.refusals.entry(call).or_default().extend(errnos));
    }

    /// The next calls of this kind are to move at most so many bytes each.
    pub(crate) fn limit(call: Call, lengths: &[usize]) {
        with_plan(|plan| plan.lengths.entry(call).or_default().extend(lengths));
    }

    /// How many calls of this kind there were, those refused among them.
    pub(crate) fn made(call: Call) -> usize {
        with_plan(|plan| plan.made.get(&call).copied().unwrap_or(0))
    }

    /// Forgets what was planned; and how much of it has not happened.
    pub(crate) fn clear() -> usize {
        with_plan(|plan| {
            let Plan { refusals, lengths, .. } = std::mem::take(plan);
            let errnos: usize = refusals.values().map(VecDeque::len).sum();
            errnos + lengths.values().map(VecDeque::len).sum::<usize>()
        })
    }

    // ---- for the back-ends ---------------------------------------------------------------------

    pub(crate) fn allow(call: Call) -> io::Result<()> {
        match with_plan(|plan| plan.make(call)) {
            Some(errno) if errno != 0 => Err(io::Error::from_raw_os_error(errno)),
            _ => Ok(()),
        }
    }

    pub(crate) fn shortened(call: Call, length: usize) -> usize {
        let limit = with_plan(|plan| plan.lengths.get_mut(&call)?.pop_front());
        length.min(limit.unwrap_or(length))
    }

    /// Cuts vectors that hold something; how many are left.
    pub(crate) fn shorten(call: Call, iovecs: &mut [libc::iovec]) -> usize {
        let mut left = shortened(call, iovecs.iter().map(|iovec| iovec.iov_len).sum());
        for (nth, iovec) in iovecs.iter_mut().enumerate() {
            if iovec.iov_len > left {
                iovec.iov_len = left;
                return nth + 1;
            }
            left -= iovec.iov_len;
        }
        iovecs.len()
    }

    /// In place of an entry that is refused, one that does nothing goes its way through the kernel.
    pub(crate) fn submitted(op: &Op, token: Token, entry: Entry) -> Entry {
        let call = match op {
            Op::Accept { .. } => Call::Accept,
            Op::Connect { .. } => Call::Connect,
            Op::Recv { .. } => Call::Recv,
            Op::Send { .. } => Call::Send,
            Op::Open { .. } => Call::Open,
            Op::Read { .. } => Call::Read,
            Op::Write { .. } => Call::Write,
            Op::WriteDurable { .. } => Call::WriteDurable,
            _ => return entry,
        };
        with_plan(|plan| match plan.make(call) {
            Some(errno) if errno != 0 => {
                plan.answers.insert(token.0, -errno);
                opcode::Nop::new().build()
            }
            _ => entry,
        })
    }

    pub(crate) fn answered(token: Token, result: i32) -> i32 {
        with_plan(|plan| plan.answers.remove(&token.0)).unwrap_or(result)
    }

    /// Work of another thread for this one, under the same plan.
    pub(crate) fn carried(work: impl FnOnce()) -> impl FnOnce() {
        let plan = PLAN.with(|plan| plan.borrow().clone());
        move || {
            PLAN.with(|own| *own.borrow_mut() = plan);
            work();
        }
    }
}
