//! Blocks of aligned memory for direct reads.
//!
//! Owns: the idle blocks of one core, and the number of all that there are. A block goes back when
//! it is dropped, wherever that happens: with the operation that reads into it, or with the last
//! slice of its bytes. Never: waits for a block, or has more of them than it may.

use super::{BLOCKS_MAX, READ_BYTES};
use crate::aligned::AlignedBuf;
use std::{
    fmt, mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The blocks of one core.
#[derive(Default)]
pub(super) struct ColdBlocks {
    shared: Arc<Shared>,
}

/// No other thread contends for the lock: a core's blocks are dropped elsewhere only when its file
/// threads end.
#[derive(Default)]
struct Shared(Mutex<State>);

#[derive(Default)]
struct State {
    idle: Vec<AlignedBuf>,
    lent: usize,
    /// A block was wanted since the last look at idle ones.
    wanted: bool,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ColdBlocks {
    /// A block of `length` bytes, at most [`READ_BYTES`], that hold anything; `None` when all that
    /// there may be are lent.
    pub(super) fn take(&self, length: usize) -> Option<Block> {
        assert!(length <= READ_BYTES, "a block has {READ_BYTES} bytes");
        let mut state = self.shared.state();
        state.wanted = true;
        if state.lent == BLOCKS_MAX {
            return None;
        }
        state.lent += 1;
        let (lent, idle) = (state.lent, state.idle.len());
        assert!(lent + idle.saturating_sub(1) <= BLOCKS_MAX, "{lent} blocks are lent, {idle} idle");
        let mut buf = state.idle.pop().unwrap_or_else(|| AlignedBuf::zeroed(READ_BYTES));
        assert_eq!(buf.capacity(), READ_BYTES, "an idle block has kept its memory");
        buf.set_len(length);
        Some(Block { buf, home: self.shared.clone() })
    }

    /// Gives the idle blocks back to the system, unless one was wanted since the last call.
    pub(super) fn release_idle(&self) {
        let mut state = self.shared.state();
        if !mem::take(&mut state.wanted) {
            state.idle = Vec::new();
        }
    }

    #[cfg(test)]
    pub(crate) fn counts(&self) -> (usize, usize) {
        let state = self.shared.state();
        (state.lent, state.idle.len())
    }
}

/// Aligned memory on loan.
pub(crate) struct Block {
    buf: AlignedBuf,
    home: Arc<Shared>,
}

impl Block {
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.buf
    }

    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        self.buf.bytes_mut()
    }
}

impl AsRef<[u8]> for Block {
    fn as_ref(&self) -> &[u8] {
        self.bytes()
    }
}

impl fmt::Debug for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.buf.fmt(f)
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        let mut state = self.home.state();
        assert!(state.lent > 0, "a block comes back that was not lent");
        state.lent -= 1;
        state.idle.push(mem::take(&mut self.buf));
        let (lent, idle) = (state.lent, state.idle.len());
        assert!(lent + idle <= BLOCKS_MAX, "{lent} blocks are lent, {idle} idle");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    #[test]
    fn a_block_comes_back_with_its_last_slice_and_there_are_only_so_many() {
        let blocks = ColdBlocks::default();
        let mut lent: Vec<_> = (0..BLOCKS_MAX).map(|_| blocks.take(READ_BYTES).unwrap()).collect();
        assert!(blocks.take(1).is_none());
        let bytes = Bytes::from_owner(lent.pop().unwrap());
        let slice = bytes.slice(5..10);
        drop(bytes);
        assert!(blocks.take(1).is_none());
        drop(slice);
        assert_eq!(blocks.take(1).unwrap().bytes().len(), 1);
        drop(lent);
        assert_eq!(blocks.counts(), (0, BLOCKS_MAX));
        blocks.release_idle();
        assert_eq!(blocks.counts(), (0, BLOCKS_MAX), "one was wanted a moment ago");
        blocks.release_idle();
        assert_eq!(blocks.counts(), (0, 0));
    }
}
