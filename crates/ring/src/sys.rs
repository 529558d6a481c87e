//! System calls that both real back-ends share: clocks, random numbers, sockets, gathered reads and
//! writes.
//!
//! Each function is one call with its result as `io::Result`, or the loop that makes such calls
//! whole. None keeps state but [`Random`].

use crate::{
    aligned::ALIGNMENT,
    faults::{self, Call},
    file::{File, Handle},
    net::{ListenOptions, Listener, SocketInner, SpareDescriptor, Stream},
    passing::passes,
    time::Instant,
};
use bytes::{Buf, Bytes, BytesMut};
use std::{
    ffi::CString,
    io, mem,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6},
    os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd},
    rc::Rc,
};

/// Buffers that one gathered call takes. The rest follows in another call.
pub(crate) const IOVECS_PER_CALL: usize = 128;

/// What a call returned, or the error that it left in `errno`.
pub(crate) fn check(returned: libc::c_int) -> io::Result<libc::c_int> {
    if returned < 0 { Err(io::Error::last_os_error()) } else { Ok(returned) }
}

/// Bytes that a call moved, with interrupted calls made again.
pub(crate) fn moved(mut call: impl FnMut() -> isize) -> io::Result<usize> {
    loop {
        let returned = call();
        if returned >= 0 {
            return Ok(returned as usize);
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

pub(crate) fn cancelled() -> io::Error {
    io::Error::from_raw_os_error(libc::ECANCELED)
}

// ---- clocks and chance
// ---------------------------------------------------------------------------------------------

pub(crate) fn monotonic() -> Instant {
    let time = clock(libc::CLOCK_MONOTONIC);
    Instant(time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64)
}

/// The same time as of the kernel's last tick (1 to 10 ms), for a fifth of the price.
pub(crate) fn monotonic_coarse() -> Instant {
    let time = clock(libc::CLOCK_MONOTONIC_COARSE);
    Instant(time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64)
}

/// Milliseconds since 1970 in UTC.
pub(crate) fn wall_clock_ms() -> i64 {
    let time = clock(libc::CLOCK_REALTIME);
    time.tv_sec * 1000 + time.tv_nsec / 1_000_000
}

fn clock(id: libc::clockid_t) -> libc::timespec {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a timespec of ours that lives across the call.
    let returned = unsafe { libc::clock_gettime(id, &mut time) };
    assert_eq!(returned, 0, "the kernel has the clocks that POSIX demands");
    time
}

/// The kernel's random numbers, fetched in blocks.
pub(crate) struct Random {
    block: [u64; 32],
    used: usize,
}

impl Random {
    pub(crate) fn new() -> Self {
        Self { block: [0; 32], used: 32 }
    }

    pub(crate) fn next(&mut self) -> u64 {
        if self.used == self.block.len() {
            let size_bytes = mem::size_of_val(&self.block);
            // SAFETY: the block is ours, of that size, and any bytes make valid numbers.
            let got =
                moved(|| unsafe { libc::getrandom(self.block.as_mut_ptr().cast(), size_bytes, 0) });
            // Up to 256 bytes come whole, says getrandom(2).
            assert_eq!(got.ok(), Some(size_bytes), "the kernel gives random numbers");
            self.used = 0;
        }
        self.used += 1;
        mem::take(&mut self.block[self.used - 1])
    }
}

/// From now on a write beyond the permitted size of a file (`ulimit -f`) is answered with `EFBIG`
/// instead of ending the process, as a JVM has it.
pub fn ignore_file_size_signal() {
    // SAFETY: a plain call. No handler is installed, so that no code of ours runs in a signal.
    let before = unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
    assert_ne!(before, libc::SIG_ERR, "the signal exists and may be ignored");
}

// ---- sockets
// -------------------------------------------------------------------------------------------------

pub(crate) fn socket_fd(socket: &SocketInner) -> RawFd {
    match socket {
        SocketInner::Os(fd) => fd.as_raw_fd(),
        SocketInner::Sim { .. } => panic!("a socket of the simulated world reached the real one"),
    }
}

/// An address as the kernel takes it.
#[derive(Clone, Copy)]
pub(crate) struct RawAddress {
    pub(crate) storage: libc::sockaddr_storage,
    pub(crate) length: libc::socklen_t,
}

impl RawAddress {
    /// Room for any address that the kernel may write.
    pub(crate) fn empty() -> Self {
        // SAFETY: all zeroes is a valid sockaddr_storage (of no family).
        let storage: libc::sockaddr_storage = unsafe { mem::zeroed() };
        Self { storage, length: mem::size_of::<libc::sockaddr_storage>() as libc::socklen_t }
    }

    pub(crate) fn new(address: SocketAddr) -> Self {
        let mut raw = Self::empty();
        match address {
            SocketAddr::V4(v4) => {
                let sin_addr = libc::in_addr { s_addr: u32::from(*v4.ip()).to_be() };
                let (sin_family, sin_port) =
                    (libc::AF_INET as libc::sa_family_t, v4.port().to_be());
                let value = libc::sockaddr_in { sin_family, sin_port, sin_addr, sin_zero: [0; 8] };
                raw.length = mem::size_of_val(&value) as libc::socklen_t;
                // SAFETY: sockaddr_storage is larger than, and as aligned as, every address type.
                unsafe { (&raw mut raw.storage).cast::<libc::sockaddr_in>().write(value) };
            }
            SocketAddr::V6(v6) => {
                let value = libc::sockaddr_in6 {
                    sin6_family: libc::AF_INET6 as libc::sa_family_t,
                    sin6_port: v6.port().to_be(),
                    sin6_flowinfo: v6.flowinfo(),
                    sin6_addr: libc::in6_addr { s6_addr: v6.ip().octets() },
                    sin6_scope_id: v6.scope_id(),
                };
                raw.length = mem::size_of_val(&value) as libc::socklen_t;
                // SAFETY: as above.
                unsafe { (&raw mut raw.storage).cast::<libc::sockaddr_in6>().write(value) };
            }
        }
        raw
    }

    /// The address, or the unspecified one where the kernel wrote none that we know.
    pub(crate) fn to_std(self) -> SocketAddr {
        match libc::c_int::from(self.storage.ss_family) {
            libc::AF_INET => {
                // SAFETY: the family says that the storage holds a sockaddr_in, and it is aligned
                // for it.
                let value = unsafe { (&raw const self.storage).cast::<libc::sockaddr_in>().read() };
                let ip = Ipv4Addr::from(u32::from_be(value.sin_addr.s_addr));
                SocketAddr::V4(SocketAddrV4::new(ip, u16::from_be(value.sin_port)))
            }
            libc::AF_INET6 => {
                // SAFETY: as above, for a sockaddr_in6.
                let value =
                    unsafe { (&raw const self.storage).cast::<libc::sockaddr_in6>().read() };
                let (ip, port) =
                    (Ipv6Addr::from(value.sin6_addr.s6_addr), u16::from_be(value.sin6_port));
                SocketAddr::V6(SocketAddrV6::new(
                    ip,
                    port,
                    value.sin6_flowinfo,
                    value.sin6_scope_id,
                ))
            }
            _ => SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0),
        }
    }

    pub(crate) fn as_ptr(&self) -> *const libc::sockaddr {
        (&raw const self.storage).cast()
    }

    pub(crate) fn as_mut_ptr(&mut self) -> *mut libc::sockaddr {
        (&raw mut self.storage).cast()
    }
}

fn set_option(
    fd: RawFd,
    level: libc::c_int,
    name: libc::c_int,
    value: libc::c_int,
) -> io::Result<()> {
    let length = mem::size_of_val(&value) as libc::socklen_t;
    // SAFETY: the pointer is to an int of ours, and the length is an int's.
    check(unsafe { libc::setsockopt(fd, level, name, (&raw const value).cast(), length) }).map(drop)
}

/// A non-blocking TCP socket with `TCP_NODELAY`.
pub(crate) fn tcp_socket(address: SocketAddr) -> io::Result<OwnedFd> {
    let family = if address.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
    let kind = libc::SOCK_STREAM | libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
    // SAFETY: a plain call; the descriptor that it returns has no other owner.
    let fd = unsafe { OwnedFd::from_raw_fd(check(libc::socket(family, kind, 0))?) };
    set_option(fd.as_raw_fd(), libc::IPPROTO_TCP, libc::TCP_NODELAY, 1)?;
    Ok(fd)
}

/// Listens. What accepted sockets should have (no delay, buffer sizes) is set here, because they
/// inherit it.
pub(crate) fn listen(address: SocketAddr, options: ListenOptions) -> io::Result<Listener> {
    let fd = tcp_socket(address)?;
    let raw = fd.as_raw_fd();
    set_option(raw, libc::SOL_SOCKET, libc::SO_REUSEADDR, 1)?;
    if options.reuse_port {
        set_option(raw, libc::SOL_SOCKET, libc::SO_REUSEPORT, 1)?;
    }
    for (name, size_bytes) in [
        (libc::SO_SNDBUF, options.send_buffer_bytes),
        (libc::SO_RCVBUF, options.receive_buffer_bytes),
    ] {
        if let Some(size_bytes) = size_bytes {
            set_option(raw, libc::SOL_SOCKET, name, i32::try_from(size_bytes).unwrap_or(i32::MAX))?;
        }
    }
    let bound = RawAddress::new(address);
    // SAFETY: the address and its length lie in `bound`, which lives across the call.
    check(unsafe { libc::bind(raw, bound.as_ptr(), bound.length) })?;
    // SAFETY: a plain call on our descriptor.
    check(unsafe { libc::listen(raw, i32::try_from(options.backlog).unwrap_or(i32::MAX)) })?;
    let local = local_address(raw)?;
    Ok(Listener { inner: Rc::new(SocketInner::Os(fd)), local })
}

pub(crate) fn local_address(fd: RawFd) -> io::Result<SocketAddr> {
    let mut raw = RawAddress::empty();
    let length = &raw mut raw.length;
    // SAFETY: the pointers are to `raw`, whose length says how much room there is.
    check(unsafe { libc::getsockname(fd, raw.as_mut_ptr(), length) })?;
    Ok(raw.to_std())
}

/// The next connection in the queue; `WouldBlock` when there is none.
pub(crate) fn accept(listener: RawFd) -> io::Result<Stream> {
    faults::allow(Call::Accept)?;
    let mut raw = RawAddress::empty();
    let length = &raw mut raw.length;
    let flags = libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
    // SAFETY: the pointers are to `raw`, whose length says how much room there is.
    let fd =
        moved(|| unsafe { libc::accept4(listener, raw.as_mut_ptr(), length, flags) as isize })?;
    // SAFETY: the descriptor is new and has no other owner.
    stream(unsafe { OwnedFd::from_raw_fd(fd as RawFd) }, raw.to_std())
}

/// An eventfd: it takes a descriptor and hardly anything else.
pub(crate) fn spare() -> io::Result<SpareDescriptor> {
    // SAFETY: a plain call with numbers; the descriptor is new and has no other owner.
    let descriptor = unsafe { OwnedFd::from_raw_fd(check(libc::eventfd(0, libc::EFD_CLOEXEC))?) };
    Ok(SpareDescriptor { _descriptor: Some(descriptor) })
}

/// A connected socket as a stream.
pub(crate) fn stream(fd: OwnedFd, peer: SocketAddr) -> io::Result<Stream> {
    let local = local_address(fd.as_raw_fd())?;
    Ok(Stream { inner: Rc::new(SocketInner::Os(fd)), peer, local })
}

/// Begins to connect. `WouldBlock`: the socket becomes writable when it is decided (see
/// [`pending_error`]).
pub(crate) fn connect(fd: RawFd, address: SocketAddr) -> io::Result<()> {
    faults::allow(Call::Connect)?;
    let raw = RawAddress::new(address);
    // SAFETY: the address and its length lie in `raw`, which lives across the call.
    match check(unsafe { libc::connect(fd, raw.as_ptr(), raw.length) }) {
        Ok(_) => Ok(()),
        Err(error) if matches!(error.raw_os_error(), Some(libc::EINPROGRESS | libc::EINTR)) => {
            Err(io::ErrorKind::WouldBlock.into())
        }
        Err(error) => Err(error),
    }
}

/// The error that waits on a socket (`SO_ERROR`).
pub(crate) fn pending_error(fd: RawFd) -> io::Result<()> {
    let (mut value, mut length): (libc::c_int, _) =
        (0, mem::size_of::<libc::c_int>() as libc::socklen_t);
    // SAFETY: the pointers are to an int and a length of ours.
    check(unsafe {
        libc::getsockopt(fd, libc::SOL_SOCKET, libc::SO_ERROR, (&raw mut value).cast(), &mut length)
    })?;
    if value == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(value)) }
}

/// Bytes that the peer has acknowledged (`tcpi_bytes_acked` of `TCP_INFO`, Linux 4.1); 0 where the
/// kernel does not say.
pub(crate) fn acknowledged_bytes(fd: RawFd) -> u64 {
    /// Where the field stands in `struct tcp_info` (include/uapi/linux/tcp.h), and where it ends.
    const FIELD: std::ops::Range<usize> = 120..128;
    let (mut info, mut length) = ([0u8; FIELD.end], FIELD.end as libc::socklen_t);
    // SAFETY: the pointers are to room of that length, and to the length.
    let got = check(unsafe {
        libc::getsockopt(
            fd,
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            info.as_mut_ptr().cast(),
            &mut length,
        )
    });
    match got {
        Ok(_) if length as usize == info.len() => {
            u64::from_ne_bytes(info[FIELD].try_into().expect("eight bytes"))
        }
        _ => 0,
    }
}

/// Ends both directions. A socket that is not connected any more is what was wanted, so errors do
/// not matter.
pub(crate) fn shutdown(fd: RawFd) {
    // SAFETY: a plain call on an open descriptor.
    unsafe { libc::shutdown(fd, libc::SHUT_RDWR) };
}

/// Lets a stream count as readable only from so many bytes on, or at its end. The kernel raises
/// what the socket may hold accordingly, and takes less where it may not: so it never waits for
/// more than there is room for.
pub(crate) fn set_receive_low_water(fd: RawFd, bytes: usize) {
    assert!(bytes > 0, "{fd} is to count as readable with nothing in it");
    // It is about wake-ups alone: where it fails, they come more often.
    let _ = set_option(
        fd,
        libc::SOL_SOCKET,
        libc::SO_RCVLOWAT,
        bytes.min(libc::c_int::MAX as usize) as libc::c_int,
    );
}

pub(crate) fn recv(fd: RawFd, buf: &mut BytesMut, max: usize) -> io::Result<usize> {
    faults::allow(Call::Recv)?;
    // SAFETY: `append` passes room of that length.
    append(buf, max, |at, length| unsafe { libc::recv(fd, at.cast(), length, libc::MSG_DONTWAIT) })
}

/// Runs `call` on the spare room of `buf` and counts what it has written there.
fn append(
    buf: &mut BytesMut,
    max: usize,
    mut call: impl FnMut(*mut u8, usize) -> isize,
) -> io::Result<usize> {
    let room = buf.spare_capacity_mut();
    let length = room.len().min(max);
    let at = room.as_mut_ptr().cast::<u8>();
    let bytes = moved(|| call(at, length))?;
    assert!(bytes <= length, "the kernel keeps to the room that it was given");
    // SAFETY: the call has initialized that many bytes behind the end.
    unsafe { buf.set_len(buf.len() + bytes) };
    Ok(bytes)
}

// ---- gathering
// -------------------------------------------------------------------------------------------------

/// How far a list of buffers has been sent or written.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Gather {
    index: usize,
    skip: usize,
}

impl Gather {
    /// Whether nothing is left.
    pub(crate) fn is_done(&mut self, bufs: &[Bytes]) -> bool {
        self.advance(bufs, 0);
        self.index == bufs.len()
    }

    /// The next bytes, at most [`IOVECS_PER_CALL`] buffers of them. The vectors point into `bufs`.
    pub(crate) fn iovecs(
        &self,
        bufs: &[Bytes],
        iovecs: &mut [libc::iovec; IOVECS_PER_CALL],
    ) -> usize {
        let mut skip = self.skip;
        assert!(self.index <= bufs.len(), "buffer {} of {} is next", self.index, bufs.len());
        let left = &bufs[self.index..];
        for (iovec, buf) in iovecs.iter_mut().zip(left) {
            let slice = &buf[mem::take(&mut skip)..];
            *iovec =
                libc::iovec { iov_base: slice.as_ptr().cast_mut().cast(), iov_len: slice.len() };
        }
        let count = faults::shorten(Call::Gather, &mut iovecs[..left.len().min(IOVECS_PER_CALL)]);
        assert!(count > 0, "nothing is gathered from buffer {} of {} on", self.index, bufs.len());
        count
    }

    /// The next bytes, if they lie in one buffer.
    pub(crate) fn single<'a>(&self, bufs: &'a [Bytes]) -> Option<&'a [u8]> {
        (self.index + 1 == bufs.len()).then(|| {
            let left = &bufs[self.index][self.skip..];
            &left[..faults::shortened(Call::Gather, left.len())]
        })
    }

    pub(crate) fn advance(&mut self, bufs: &[Bytes], bytes: usize) {
        self.skip += bytes;
        while self.index < bufs.len() && self.skip >= bufs[self.index].len() {
            self.skip -= bufs[self.index].len();
            self.index += 1;
        }
        assert!(self.index < bufs.len() || self.skip == 0, "no more is moved than there was");
    }

    /// Takes what has been moved out of `bufs`; whether that was anything.
    pub(crate) fn leave_rest(self, bufs: &mut Vec<Bytes>) -> bool {
        assert!(
            self.skip == 0 || self.index < bufs.len(),
            "{} bytes have left buffer {} of {}",
            self.skip,
            self.index,
            bufs.len()
        );
        bufs.drain(..self.index);
        if let Some(first) = bufs.first_mut() {
            first.advance(self.skip);
        }
        self.index > 0 || self.skip > 0
    }
}

pub(crate) const NO_IOVECS: [libc::iovec; IOVECS_PER_CALL] =
    [libc::iovec { iov_base: std::ptr::null_mut(), iov_len: 0 }; IOVECS_PER_CALL];

/// Sends what the socket takes; `WouldBlock` when that is not all.
pub(crate) fn send(fd: RawFd, bufs: &[Bytes], gather: &mut Gather) -> io::Result<()> {
    let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
    while !gather.is_done(bufs) {
        faults::allow(Call::Send)?;
        let bytes = if let Some(slice) = gather.single(bufs) {
            // SAFETY: pointer and length are one slice of ours.
            moved(|| unsafe { libc::send(fd, slice.as_ptr().cast(), slice.len(), flags) })?
        } else {
            let mut iovecs = NO_IOVECS;
            // SAFETY: all zeroes is a valid msghdr (no address, no control data).
            let mut message: libc::msghdr = unsafe { mem::zeroed() };
            message.msg_iovlen = gather.iovecs(bufs, &mut iovecs) as _;
            message.msg_iov = iovecs.as_mut_ptr();
            // SAFETY: the vectors point into `bufs`, and all of it lives across the call.
            moved(|| unsafe { libc::sendmsg(fd, &message, flags) })?
        };
        gather.advance(bufs, bytes);
    }
    Ok(())
}

// ---- files
// -------------------------------------------------------------------------------------------------

pub(crate) fn file_fd(file: &File) -> RawFd {
    match &file.inner.handle {
        Handle::Os { fd, .. } => fd.as_raw_fd(),
        Handle::Sim(_) => panic!("a file of the simulated world reached the real one"),
    }
}

/// The descriptor that reads the same file past the page cache, opened when first asked for: the
/// inode is in memory, so that this does not wait. `None` where it cannot be had: no `/proc`, or a
/// file system without `O_DIRECT`.
pub(crate) fn direct_fd(file: &File) -> Option<RawFd> {
    let Handle::Os { fd, direct } = &file.inner.handle else {
        panic!("a file of the simulated world reached the real one")
    };
    if let Some(known) = direct.get() {
        return known.as_ref().map(AsRawFd::as_raw_fd);
    }
    let open = || {
        // This name also leads to a file that has none any more.
        let path =
            CString::new(format!("/proc/self/fd/{}", fd.as_raw_fd())).expect("digits are not zero");
        let flags = libc::O_RDONLY | libc::O_DIRECT | libc::O_CLOEXEC;
        // SAFETY: the path is terminated by zero and lives across the call.
        let twin = moved(|| unsafe { libc::open(path.as_ptr(), flags) as isize })?;
        // SAFETY: the descriptor is new and has no other owner.
        io::Result::Ok(unsafe { OwnedFd::from_raw_fd(twin as RawFd) })
    };
    match open() {
        Ok(twin) => {
            // Unless another core was faster.
            if direct.set(Some(twin)).is_ok() {
                file.count_another();
            }
        }
        // The next read may find what is missing now.
        Err(error) if passes(&error) => {}
        Err(_) => drop(direct.set(None)),
    }
    direct.get()?.as_ref().map(AsRawFd::as_raw_fd)
}

/// Whether a direct read that has moved `done` bytes of `length` has come to its end, its last call
/// with `moved` bytes. Only the end of a file leaves a part of a page behind.
pub(crate) fn direct_read_is_over(moved: usize, done: usize, length: usize) -> bool {
    moved == 0 || done == length || !done.is_multiple_of(ALIGNMENT)
}

/// Fills the rest of `buf` behind its first `done` bytes past the page cache, as far as the file
/// goes.
pub(crate) fn pread_direct(
    file: &File,
    buf: &mut [u8],
    offset: u64,
    done: &mut usize,
) -> io::Result<()> {
    let fd = direct_fd(file).ok_or(io::ErrorKind::InvalidInput)?;
    loop {
        let (left, at) = (&mut buf[*done..], (offset + *done as u64) as libc::off_t);
        // SAFETY: pointer and length are one slice of ours.
        let bytes = moved(|| unsafe { libc::pread(fd, left.as_mut_ptr().cast(), left.len(), at) })?;
        *done += bytes;
        assert!(*done <= buf.len(), "{done} bytes are read into {}", buf.len());
        if direct_read_is_over(bytes, *done, buf.len()) {
            return Ok(());
        }
    }
}

/// Whether the file bypasses the page cache, so that every call on it waits for the disk.
pub(crate) fn is_direct(file: &File) -> bool {
    // SAFETY: a plain call on an open descriptor.
    unsafe { libc::fcntl(file_fd(file), libc::F_GETFL) & libc::O_DIRECT != 0 }
}

pub(crate) fn pread(file: &File, buf: &mut BytesMut, max: usize, offset: u64) -> io::Result<usize> {
    faults::allow(Call::Read)?;
    let (fd, max) = (file_fd(file), faults::shortened(Call::Read, max));
    // SAFETY: `append` passes room of that length.
    append(buf, max, |at, length| unsafe {
        libc::pread(fd, at.cast(), length, offset as libc::off_t)
    })
}

/// Reads what lies in the page cache; `WouldBlock` when that is nothing.
pub(crate) fn pread_cached(
    file: &File,
    buf: &mut BytesMut,
    max: usize,
    offset: u64,
) -> io::Result<usize> {
    let (fd, max) = (file_fd(file), faults::shortened(Call::Read, max));
    append(buf, max, |at, length| {
        let iovec = libc::iovec { iov_base: at.cast(), iov_len: length };
        // SAFETY: the one vector covers the room that `append` passes.
        unsafe { libc::preadv2(fd, &iovec, 1, offset as libc::off_t, libc::RWF_NOWAIT) }
    })
}

pub(crate) fn pwrite_all(file: &File, bufs: &[Bytes], offset: u64) -> io::Result<()> {
    let fd = file_fd(file);
    let (mut gather, mut at) = (Gather::default(), offset);
    while !gather.is_done(bufs) {
        faults::allow(Call::Write)?;
        let mut iovecs = NO_IOVECS;
        let count = gather.iovecs(bufs, &mut iovecs) as libc::c_int;
        // SAFETY: the vectors point into `bufs`, and all of it lives across the call.
        let bytes =
            moved(|| unsafe { libc::pwritev(fd, iovecs.as_ptr(), count, at as libc::off_t) })?;
        if bytes == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        gather.advance(bufs, bytes);
        at += bytes as u64;
    }
    Ok(())
}

/// Writes the rest of `buf` behind its first `done` bytes; each call returns when its part is on
/// the disk.
pub(crate) fn pwrite_durable(
    file: &File,
    buf: &[u8],
    offset: u64,
    done: &mut usize,
) -> io::Result<()> {
    let fd = file_fd(file);
    while *done < buf.len() {
        faults::allow(Call::WriteDurable)?;
        let left = &buf[*done..];
        let left = &left[..faults::shortened(Call::WriteDurable, left.len())];
        let iovec = libc::iovec { iov_base: left.as_ptr().cast_mut().cast(), iov_len: left.len() };
        let at = (offset + *done as u64) as libc::off_t;
        // SAFETY: the one vector covers `left`, which lives across the call.
        match moved(|| unsafe { libc::pwritev2(fd, &iovec, 1, at, libc::RWF_DSYNC) })? {
            0 => return Err(io::ErrorKind::WriteZero.into()),
            bytes => {
                *done += bytes;
                assert!(*done <= buf.len(), "{done} bytes are written of {}", buf.len());
            }
        }
    }
    Ok(())
}

/// The size of a file, in bytes.
pub(crate) fn size(file: &File) -> io::Result<u64> {
    // SAFETY: all zeroes is a valid stat.
    let mut stat: libc::stat = unsafe { mem::zeroed() };
    // SAFETY: the pointer is to a stat of ours.
    check(unsafe { libc::fstat(file_fd(file), &mut stat) })?;
    Ok(stat.st_size as u64)
}
