//! Setting up a ring: which flags and operations this kernel has, and why there may be none.

use io_uring::{IoUring, Probe, opcode};
use std::{fs, io};

/// Entries that one turn hands over in a single call; more of them wait in user space.
const SUBMISSION_ENTRIES: u32 = 256;
/// Completions that the kernel can hand over at once; it keeps more of them for the next call.
const COMPLETION_ENTRIES: u32 = 2048;
/// Kernel threads per ring for what cannot be done without waiting: calls on files, and all others.
/// Of the first kind there are some left for the other disks when one hangs with all that may be in
/// flight to it.
const WORKERS_MAX: [u32; 2] = [64, 8];
const _: () = assert!(WORKERS_MAX[0] as usize >= crate::FILE_CALLS_AT_ONCE);

/// Every operation that the back-end counts on. All are in Linux 5.11.
const REQUIRED: [(&str, u8); 14] = [
    ("accept", opcode::Accept::CODE),
    ("connect", opcode::Connect::CODE),
    ("recv", opcode::Recv::CODE),
    ("send", opcode::Send::CODE),
    ("sendmsg", opcode::SendMsg::CODE),
    ("poll", opcode::PollAdd::CODE),
    ("cancel", opcode::AsyncCancel::CODE),
    ("read", opcode::Read::CODE),
    ("writev", opcode::Writev::CODE),
    ("fsync", opcode::Fsync::CODE),
    ("fallocate", opcode::Fallocate::CODE),
    ("openat", opcode::OpenAt::CODE),
    ("renameat", opcode::RenameAt::CODE),
    ("unlinkat", opcode::UnlinkAt::CODE),
];

/// Features that are used where the kernel has them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Features {
    /// Completions are worked off when we ask for them, not when the kernel interrupts us (6.1).
    /// Such kernels also take the hint that a receive should wait first.
    pub(crate) deferred: bool,
    /// `ftruncate` (6.9).
    pub(crate) truncate: bool,
}

/// How completions are worked off, the better the earlier in this list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Flags {
    /// When we ask for them (Linux 6.1).
    Deferred,
    /// At the next system call (Linux 5.19).
    Cooperative,
    /// When the kernel interrupts us.
    None,
}

/// A ring with the best flags that the kernel takes. The error says what would help.
pub(crate) fn build() -> io::Result<(IoUring, Features)> {
    for flags in [Flags::Deferred, Flags::Cooperative] {
        match build_with(flags) {
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => {}
            built => return built,
        }
    }
    build_with(Flags::None)
}

/// An error of kind `InvalidInput` for flags that the kernel does not know.
pub(crate) fn build_with(flags: Flags) -> io::Result<(IoUring, Features)> {
    let mut builder = IoUring::builder();
    builder.setup_cqsize(COMPLETION_ENTRIES);
    if flags != Flags::None {
        builder.setup_coop_taskrun().setup_taskrun_flag();
    }
    if flags == Flags::Deferred {
        builder.setup_single_issuer().setup_defer_taskrun();
    }
    let ring = builder.build(SUBMISSION_ENTRIES).map_err(explain)?;
    let unsupported = |what: &str| {
        let message =
            format!("this kernel's io_uring has no {what}; Linux 5.11 or later is needed");
        io::Error::new(io::ErrorKind::Unsupported, message)
    };
    let mut probe = Probe::new();
    ring.submitter()
        .register_probe(&mut probe)
        .map_err(|_| unsupported("list of its operations"))?;
    if let Some((name, _)) = REQUIRED.iter().find(|(_, code)| !probe.is_supported(*code)) {
        return Err(unsupported(name));
    }
    if !ring.params().is_feature_ext_arg() || !ring.params().is_feature_nodrop() {
        return Err(unsupported("wait with a timeout"));
    }
    // A kernel before 5.15 has no such limit, and works as well without.
    let _ = ring.submitter().register_iowq_max_workers(&mut WORKERS_MAX.clone());
    let truncate = probe.is_supported(opcode::Ftruncate::CODE);
    Ok((ring, Features { deferred: flags == Flags::Deferred, truncate }))
}

fn explain(error: io::Error) -> io::Error {
    let disabled = || fs::read_to_string("/proc/sys/kernel/io_uring_disabled").unwrap_or_default();
    let message = match error.raw_os_error() {
        Some(libc::EPERM) if !matches!(disabled().trim(), "" | "0") => {
            "io_uring is switched off on this host (EPERM); the sysctl kernel.io_uring_disabled=0 \
             enables it"
        }
        Some(libc::EPERM) => {
            "io_uring is forbidden here (EPERM), usually by a container's seccomp profile; one \
             that allows \
             io_uring_setup, io_uring_enter and io_uring_register enables it"
        }
        Some(libc::ENOMEM) => {
            "io_uring may not lock enough memory (ENOMEM); a higher RLIMIT_MEMLOCK (ulimit -l, \
             LimitMEMLOCK) enables it"
        }
        Some(libc::ENOSYS) => {
            "this kernel has no io_uring (ENOSYS); Linux 5.11 or later with CONFIG_IO_URING has it"
        }
        _ => return io::Error::new(error.kind(), format!("io_uring cannot be set up: {error}")),
    };
    io::Error::new(error.kind(), message)
}
