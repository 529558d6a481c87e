//! One operation as the kernel sees it: the memory that it may touch, the submission entry, and
//! what a result means.

use crate::{
    blocking::{FILE_MODE, c_path, open_flags, os_file},
    faults::{self, Call},
    net::{SocketInner, Stream},
    op::{Op, Outcome},
    send_file::Transfer,
    sys::{self, Gather, IOVECS_PER_CALL, NO_IOVECS, RawAddress},
};
use io_uring::{opcode, squeue, types::Fd, types::FsyncFlags};
use std::{
    ffi::CString,
    io, mem,
    os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd},
    rc::Rc,
};

/// The most that one entry moves; the rest follows in another.
const BYTES_PER_ENTRY: usize = 1 << 30;
/// `IORING_RECVSEND_POLL_FIRST`: wait for data before the first attempt.
const POLL_FIRST: u16 = 1;

/// An operation and everything that the kernel may touch for it. All memory that an entry points to
/// is on the heap (the buffers of `op`, the boxes of `memory`), so the value itself may move.
pub(crate) struct Running {
    pub(crate) op: Op,
    pub(crate) memory: Memory,
    pub(crate) place: Place,
    pub(crate) cancelled: bool,
}

/// Where an operation is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    /// Submitted, or about to be: one completion will come.
    Kernel,
    /// As [`Place::Kernel`], but only to hear when the socket is ready.
    Poll,
    /// Behind another send on the same stream.
    Queue,
    /// A thread fills its pipe.
    Thread,
    /// It has had its turn and goes on in the next.
    Turn,
}

impl Place {
    pub(crate) fn is_in_kernel(self) -> bool {
        matches!(self, Place::Kernel | Place::Poll)
    }
}

pub(crate) enum Memory {
    Nothing,
    /// Where the kernel writes the peer of an accepted connection.
    Accept(Box<RawAddress>),
    Connect(Box<RawAddress>, Rc<SocketInner>),
    Gather(Gather, Option<Box<Message>>),
    Paths(CString, CString),
    Transfer(Transfer),
}

/// The vectors of a gathered send or write, and the header that points to them.
pub(crate) struct Message {
    header: libc::msghdr,
    iovecs: [libc::iovec; IOVECS_PER_CALL],
}

impl Message {
    fn new() -> Box<Self> {
        // SAFETY: all zeroes is a valid msghdr (no address, no vectors, no control data).
        Box::new(Self { header: unsafe { mem::zeroed() }, iovecs: NO_IOVECS })
    }
}

impl Running {
    /// Prepares the memory. On an error the operation comes back.
    pub(crate) fn new(op: Op) -> Result<Self, (Op, io::Error)> {
        let memory = match &op {
            Op::Accept { .. } => Ok(Memory::Accept(Box::new(RawAddress::empty()))),
            Op::Connect { addr } => sys::tcp_socket(*addr).map(|fd| {
                Memory::Connect(Box::new(RawAddress::new(*addr)), Rc::new(SocketInner::Os(fd)))
            }),
            Op::Send { .. } | Op::Write { .. } => Ok(Memory::Gather(Gather::default(), None)),
            Op::SendFile { .. } => Ok(Memory::Transfer(Transfer::default())),
            Op::Open { path, .. } | Op::Unlink { path } | Op::RemoveDir { path } => {
                c_path(path).map(|path| Memory::Paths(path, CString::default()))
            }
            Op::Rename { from, to } => {
                c_path(from).and_then(|from| Ok(Memory::Paths(from, c_path(to)?)))
            }
            _ => Ok(Memory::Nothing),
        };
        match memory {
            Ok(memory) => Ok(Self { op, memory, place: Place::Kernel, cancelled: false }),
            Err(error) => Err((op, error)),
        }
    }

    /// The socket, if it is an operation on one.
    pub(crate) fn socket(&self) -> Option<RawFd> {
        match (&self.op, &self.memory) {
            (Op::Accept { listener }, _) => Some(sys::socket_fd(&listener.inner)),
            (_, Memory::Connect(_, socket)) => Some(sys::socket_fd(socket)),
            (
                Op::Recv { socket, .. } | Op::Send { socket, .. } | Op::SendFile { socket, .. },
                _,
            ) => Some(sys::socket_fd(socket)),
            _ => None,
        }
    }

    pub(crate) fn is_send(&self) -> bool {
        matches!(self.op, Op::Send { .. } | Op::SendFile { .. })
    }

    /// Leaves of an interrupted send what has not left; whether anything has.
    pub(crate) fn leave_rest(&mut self) -> bool {
        match (&mut self.op, &self.memory) {
            (Op::Send { bufs, .. }, Memory::Gather(gather, _)) => gather.leave_rest(bufs),
            (Op::SendFile { offset, length, .. }, Memory::Transfer(transfer)) => {
                transfer.leave_rest(offset, length)
            }
            _ => false,
        }
    }

    /// Waits until the socket is ready for the operation.
    pub(crate) fn poll_entry(&self) -> squeue::Entry {
        let fd = self.socket().expect("only sockets are waited for");
        let events = match self.op {
            Op::Accept { .. } | Op::Recv { .. } => libc::POLLIN,
            _ => libc::POLLOUT,
        };
        opcode::PollAdd::new(Fd(fd), events as u32).build()
    }

    /// The entry for the rest of the operation. `None`: nothing is left. `wait_first`: the socket
    /// of a receive is known to hold too little. Gathers take their vectors from `messages` while
    /// there are any.
    #[allow(clippy::vec_box)] // The kernel has the address of a message while it is in use.
    pub(crate) fn entry(
        &mut self,
        wait_first: bool,
        messages: &mut Vec<Box<Message>>,
    ) -> Option<squeue::Entry> {
        Some(match (&mut self.op, &mut self.memory) {
            (Op::Accept { listener }, Memory::Accept(peer)) => {
                **peer = RawAddress::empty();
                let (fd, length) = (Fd(sys::socket_fd(&listener.inner)), &raw mut peer.length);
                let flags = libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
                opcode::Accept::new(fd, peer.as_mut_ptr(), length).flags(flags).build()
            }
            (Op::Connect { .. }, Memory::Connect(address, socket)) => {
                opcode::Connect::new(Fd(sys::socket_fd(socket)), address.as_ptr(), address.length)
                    .build()
            }
            (Op::Recv { socket, buf, max, .. }, _) => {
                let (at, length) = spare(buf, *max);
                let recv = opcode::Recv::new(Fd(sys::socket_fd(socket)), at, length);
                recv.ioprio(if wait_first { POLL_FIRST } else { 0 }).build()
            }
            (Op::Send { socket, bufs }, Memory::Gather(gather, message)) => {
                return send_entry(sys::socket_fd(socket), bufs, gather, message, messages);
            }
            _ => return self.file_entry(messages),
        })
    }

    /// The same for what is done to an open file.
    #[allow(clippy::vec_box)] // As for `entry`.
    fn file_entry(&mut self, messages: &mut Vec<Box<Message>>) -> Option<squeue::Entry> {
        Some(match (&mut self.op, &mut self.memory) {
            (Op::Read { file, buf, max, offset }, _) => {
                let (at, length) = spare(buf, faults::shortened(Call::Read, *max));
                opcode::Read::new(Fd(sys::file_fd(file)), at, length).offset(*offset).build()
            }
            (Op::ReadDirect { file, block, offset, done }, _) => {
                let left = &mut block.bytes_mut()[*done..];
                assert!(!left.is_empty(), "a read of a block goes on behind its end");
                let fd = sys::direct_fd(file).expect("a file is read directly where it can be");
                opcode::Read::new(Fd(fd), left.as_mut_ptr(), left.len() as u32)
                    .offset(*offset + *done as u64)
                    .build()
            }
            (Op::Write { file, bufs, offset }, Memory::Gather(gather, message)) => {
                if gather.is_done(bufs) {
                    return None;
                }
                let message =
                    message.get_or_insert_with(|| messages.pop().unwrap_or_else(Message::new));
                let count = gather.iovecs(bufs, &mut message.iovecs) as u32;
                opcode::Writev::new(Fd(sys::file_fd(file)), message.iovecs.as_ptr(), count)
                    .offset(*offset)
                    .build()
            }
            (Op::WriteDurable { file, buf, offset, done }, _) => {
                let left = &buf[*done..];
                assert!(!left.is_empty(), "a write goes on behind its end");
                let length =
                    faults::shortened(Call::WriteDurable, left.len()).min(BYTES_PER_ENTRY) as u32;
                let write = opcode::Write::new(Fd(sys::file_fd(file)), left.as_ptr(), length);
                write.offset(*offset + *done as u64).rw_flags(libc::RWF_DSYNC).build()
            }
            (Op::SyncData { file }, _) => {
                opcode::Fsync::new(Fd(sys::file_fd(file))).flags(FsyncFlags::DATASYNC).build()
            }
            (Op::Allocate { file, offset, length, keep_size }, _) => {
                let mode = if *keep_size { libc::FALLOC_FL_KEEP_SIZE } else { 0 };
                opcode::Fallocate::new(Fd(sys::file_fd(file)), *length)
                    .offset(*offset)
                    .mode(mode)
                    .build()
            }
            (Op::Truncate { file, length }, _) => {
                opcode::Ftruncate::new(Fd(sys::file_fd(file)), *length).build()
            }
            _ => self.path_entry(),
        })
    }

    /// The same for what is done to a name.
    fn path_entry(&self) -> squeue::Entry {
        let cwd = Fd(libc::AT_FDCWD);
        match (&self.op, &self.memory) {
            (Op::Open { options, .. }, Memory::Paths(path, _)) => {
                let open =
                    opcode::OpenAt::new(cwd, path.as_ptr()).mode(libc::mode_t::from(FILE_MODE));
                open.flags(open_flags(*options)).build()
            }
            (Op::Rename { .. }, Memory::Paths(from, to)) => {
                opcode::RenameAt::new(cwd, from.as_ptr(), cwd, to.as_ptr()).build()
            }
            (Op::Unlink { .. }, Memory::Paths(path, _)) => {
                opcode::UnlinkAt::new(cwd, path.as_ptr()).build()
            }
            (Op::RemoveDir { .. }, Memory::Paths(path, _)) => {
                opcode::UnlinkAt::new(cwd, path.as_ptr()).flags(libc::AT_REMOVEDIR).build()
            }
            (op, _) => panic!("{op:?} is not for the ring"),
        }
    }

    /// What a completion with `moved` bytes (or that descriptor) means. `None`: more is to be done.
    pub(crate) fn completed(&mut self, moved: usize) -> Option<io::Result<Outcome>> {
        // SAFETY: only called where `moved` is a descriptor, which the kernel made for this
        // completion alone.
        let new_fd = || unsafe { OwnedFd::from_raw_fd(moved as RawFd) };
        let outcome = match (&mut self.op, &mut self.memory) {
            (Op::Accept { .. }, Memory::Accept(peer)) => {
                sys::stream(new_fd(), peer.to_std()).map(Outcome::Accepted)
            }
            (Op::Connect { addr }, Memory::Connect(_, socket)) => connected(socket, *addr),
            (Op::Recv { buf, max, .. } | Op::Read { buf, max, .. }, _) => {
                let room = buf.capacity() - buf.len();
                assert!(moved <= room.min(*max), "{moved} bytes in room for {room}, and {max}");
                // SAFETY: the kernel has initialized that many bytes behind the end, where the
                // entry pointed.
                unsafe { buf.set_len(buf.len() + moved) };
                Ok(Outcome::Size(moved as u64))
            }
            (Op::ReadDirect { block, done, .. }, _) => {
                *done += moved;
                let length = block.bytes().len();
                assert!(*done <= length, "{done} bytes are read into a block of {length}");
                if !sys::direct_read_is_over(moved, *done, block.bytes().len()) {
                    return None;
                }
                Ok(Outcome::Size(*done as u64))
            }
            (Op::Send { bufs, .. }, Memory::Gather(gather, _)) => {
                gather.advance(bufs, moved);
                return gather.is_done(bufs).then_some(Ok(Outcome::Done));
            }
            (Op::Write { bufs, offset, .. }, Memory::Gather(gather, _)) => {
                gather.advance(bufs, moved);
                *offset += moved as u64;
                match moved {
                    0 => Err(io::ErrorKind::WriteZero.into()),
                    _ if gather.is_done(bufs) => Ok(Outcome::Done),
                    _ => return None,
                }
            }
            (Op::WriteDurable { buf, done, .. }, _) => {
                *done += moved;
                assert!(*done <= buf.len(), "{done} bytes are written of {}", buf.len());
                match moved {
                    0 => Err(io::ErrorKind::WriteZero.into()),
                    _ if *done == buf.len() => Ok(Outcome::Done),
                    _ => return None,
                }
            }
            (Op::Open { .. }, _) => Ok(Outcome::Opened(os_file(new_fd()))),
            _ => Ok(Outcome::Done),
        };
        Some(outcome)
    }
}

fn connected(socket: &Rc<SocketInner>, peer: std::net::SocketAddr) -> io::Result<Outcome> {
    let local = sys::local_address(sys::socket_fd(socket))?;
    Ok(Outcome::Connected(Stream { inner: socket.clone(), peer, local }))
}

/// The room behind the end of a buffer.
fn spare(buf: &mut bytes::BytesMut, max: usize) -> (*mut u8, u32) {
    let room = buf.spare_capacity_mut();
    assert!(room.len() >= max, "{max} bytes are asked for, with room for {}", room.len());
    (room.as_mut_ptr().cast(), room.len().min(max).min(BYTES_PER_ENTRY) as u32)
}

#[allow(clippy::vec_box)] // As for `entry`.
fn send_entry(
    socket: RawFd,
    bufs: &[bytes::Bytes],
    gather: &mut Gather,
    message: &mut Option<Box<Message>>,
    messages: &mut Vec<Box<Message>>,
) -> Option<squeue::Entry> {
    if gather.is_done(bufs) {
        return None;
    }
    // The kernel itself continues a short send, where it can.
    let flags = libc::MSG_WAITALL | libc::MSG_NOSIGNAL;
    if let Some(slice) = gather.single(bufs) {
        let length = slice.len().min(BYTES_PER_ENTRY) as u32;
        return Some(opcode::Send::new(Fd(socket), slice.as_ptr(), length).flags(flags).build());
    }
    let message = message.get_or_insert_with(|| messages.pop().unwrap_or_else(Message::new));
    message.header.msg_iovlen = gather.iovecs(bufs, &mut message.iovecs) as _;
    message.header.msg_iov = message.iovecs.as_mut_ptr();
    Some(opcode::SendMsg::new(Fd(socket), &raw const message.header).flags(flags as u32).build())
}

/// Waits for a ring of the doorbell, whose eight bytes go to `count`.
pub(crate) fn doorbell_entry(event: &impl AsRawFd, count: &mut u64) -> squeue::Entry {
    opcode::Read::new(Fd(event.as_raw_fd()), (&raw mut *count).cast(), 8).build()
}
