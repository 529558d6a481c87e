//! Memory as `O_DIRECT` wants it: bytes that begin at a multiple of 4096 and come in multiples of
//! it.
//!
//! Owns: its pages. Moves whole, from its owner into an operation and back; may cross to a file
//! thread. Never: is touched by two at a time, or shrinks unless it is told to.

use std::{fmt, ops::Deref, slice};

/// What offsets, lengths and addresses of direct I/O are multiples of.
pub const ALIGNMENT: usize = 4096;

#[derive(Clone, Copy)]
#[repr(align(4096))]
struct Page(
    #[expect(dead_code, reason = "it is reached through the slices below")] [u8; ALIGNMENT],
);

const ZEROS: Page = Page([0; ALIGNMENT]);

/// Bytes that are appended to, at an aligned address. Cleared it keeps its memory.
#[derive(Default)]
pub struct AlignedBuf {
    /// All of them initialized; those behind `length` hold what was there before.
    pages: Vec<Page>,
    length: usize,
}

impl AlignedBuf {
    /// `length` zeros.
    pub fn zeroed(length: usize) -> Self {
        Self { pages: vec![ZEROS; length.div_ceil(ALIGNMENT)], length }
    }

    /// Makes the first `length` bytes of its memory the content, whatever was there before.
    pub(crate) fn set_len(&mut self, length: usize) {
        assert!(length <= self.capacity(), "{length} bytes do not fit");
        self.length = length;
    }

    pub fn clear(&mut self) {
        self.length = 0;
    }

    pub fn capacity(&self) -> usize {
        self.pages.len() * ALIGNMENT
    }

    pub fn extend_from_slice(&mut self, bytes: &[u8]) {
        let start = self.length;
        self.grow(start + bytes.len());
        self.all_mut()[start..start + bytes.len()].copy_from_slice(bytes);
    }

    /// Appends zeros up to the next multiple of [`ALIGNMENT`].
    pub fn pad(&mut self) {
        let start = self.length;
        let end = start.next_multiple_of(ALIGNMENT);
        self.all_mut()[start..end].fill(0);
        self.length = end;
    }

    pub fn bytes_mut(&mut self) -> &mut [u8] {
        let length = self.length;
        &mut self.all_mut()[..length]
    }

    fn grow(&mut self, length: usize) {
        let needed = length.div_ceil(ALIGNMENT);
        if needed > self.pages.len() {
            self.pages.resize(needed.max(self.pages.len() * 2), ZEROS);
        }
        assert!(length <= self.capacity(), "{length} bytes in {} pages", self.pages.len());
        self.length = length;
    }

    fn all_mut(&mut self) -> &mut [u8] {
        // SAFETY: the pages are one initialized allocation of that many bytes, a page is bytes
        // alone, and the borrow is exclusive.
        unsafe {
            slice::from_raw_parts_mut(self.pages.as_mut_ptr().cast(), self.pages.len() * ALIGNMENT)
        }
    }
}

impl Deref for AlignedBuf {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        assert!(
            self.length <= self.capacity(),
            "{} bytes in {} pages",
            self.length,
            self.pages.len()
        );
        // SAFETY: the first `length` bytes lie within the pages, which are initialized; a page is
        // bytes alone.
        unsafe { slice::from_raw_parts(self.pages.as_ptr().cast(), self.length) }
    }
}

impl fmt::Debug for AlignedBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AlignedBuf({} bytes)", self.length)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn it_is_aligned_grows_and_pads_with_zeros() {
        let mut buf = AlignedBuf::default();
        assert!(buf.is_empty());
        for round in 1..=3_u8 {
            buf.clear();
            for _ in 0..round {
                buf.extend_from_slice(&[round; 3000]);
            }
            assert_eq!(buf.as_ptr().align_offset(ALIGNMENT), 0);
            let length = usize::from(round) * 3000;
            assert_eq!(buf.len(), length);
            buf.pad();
            assert_eq!(buf.len(), length.next_multiple_of(ALIGNMENT));
            assert!(buf[..length].iter().all(|&byte| byte == round));
            assert!(buf[length..].iter().all(|&byte| byte == 0), "what was there before is gone");
        }
        buf.pad();
        buf.bytes_mut()[0] = 9;
        assert_eq!((buf[0], buf.len(), buf.capacity() >= buf.len()), (9, 12288, true));
        assert_eq!(AlignedBuf::zeroed(8192)[..], [0; 8192]);
    }
}
