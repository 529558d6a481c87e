//! Errors that pass: the process lacks room, descriptors or memory for the moment, and nothing is
//! broken.
//!
//! The one place that tells them from errors that are final. A caller that meets one refuses what
//! it was asked, keeps what it has, and tries again. Pure.

use std::{error, fmt, io};

/// Whether the same call may succeed later, with nothing done but waiting: room on the disk
/// (`ENOSPC`, `EDQUOT`), a file's permitted size (`EFBIG`, which `setrlimit` raises), descriptors
/// (`EMFILE`, `ENFILE`), memory (`ENOMEM`, `ENOBUFS`, `EAGAIN`), an interruption (`EINTR`). Never
/// an error of a sync that was begun, whatever its number: see [`after_sync`].
pub fn passes(error: &io::Error) -> bool {
    if let Some(code) = error.raw_os_error() {
        return matches!(
            code,
            libc::ENOSPC
                | libc::EDQUOT
                | libc::EFBIG
                | libc::EMFILE
                | libc::ENFILE
                | libc::ENOMEM
                | libc::ENOBUFS
                | libc::EAGAIN
                | libc::EINTR
        );
    }
    error.get_ref().is_some_and(|inner| inner.is::<Passing>())
}

/// An error that passes and has no number: it stands for one that was met earlier.
pub fn passing(why: impl Into<String>) -> io::Error {
    io::Error::other(Passing(why.into()))
}

/// Whether the process or the system is out of descriptors.
pub fn is_out_of_files(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE))
}

/// What a sync has answered, as an error that does not pass: the kernel may have dropped the pages,
/// and a second sync would succeed without having written them. Only a missing descriptor proves
/// that nothing was begun: a sync opens no file, so that this is the answer of the `open` of a
/// folder before its sync.
pub(crate) fn after_sync(error: io::Error) -> io::Error {
    match passes(&error) && !is_out_of_files(&error) {
        true => io::Error::new(error.kind(), Lost(error)),
        false => error,
    }
}

#[derive(Debug)]
struct Passing(String);

impl fmt::Display for Passing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl error::Error for Passing {}

#[derive(Debug)]
struct Lost(io::Error);

impl fmt::Display for Lost {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "a sync has failed: {}", self.0)
    }
}

impl error::Error for Lost {}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(code: i32) -> io::Error {
        io::Error::from_raw_os_error(code)
    }

    #[test]
    fn what_is_missing_passes_and_what_is_broken_does_not() {
        let missing = [
            libc::ENOSPC,
            libc::EDQUOT,
            libc::EFBIG,
            libc::EMFILE,
            libc::ENFILE,
            libc::ENOMEM,
            libc::EAGAIN,
            libc::EINTR,
        ];
        assert!(missing.into_iter().all(|code| passes(&of(code))));
        let broken = [
            libc::EIO,
            libc::EROFS,
            libc::EBADF,
            libc::ENOENT,
            libc::EACCES,
            libc::ECANCELED,
            libc::ESTALE,
        ];
        assert!(!broken.into_iter().any(|code| passes(&of(code))));
        assert!(passes(&passing("no room since yesterday")));
        assert!(!passes(&io::Error::other("no room since yesterday")));
    }

    #[test]
    fn a_sync_that_was_begun_is_final_whatever_it_says() {
        for code in [libc::ENOSPC, libc::EDQUOT, libc::ENOMEM, libc::EAGAIN, libc::EINTR, libc::EIO]
        {
            let error = after_sync(of(code));
            assert!(!passes(&error), "{error}");
            assert_eq!(error.kind(), of(code).kind());
        }
        assert!(
            passes(&after_sync(of(libc::EMFILE))),
            "the folder to be synced could not be opened"
        );
    }
}
