//! Where the readers of cold files are, and what was read ahead for them.
//!
//! Owns: for each of the last readers the position that it will ask for next, with blocks from
//! there on if it has proved to read on and on. Lives on: one core. Never: gives out bytes of a
//! file that was cut since, or keeps a file open that no reader comes back to for longer than two
//! looks at idle ones.

use super::{AHEAD_BLOCKS_MAX, SEQUENCES_MAX, piece::Piece};
use crate::file::{File, FileInner};
use std::{
    collections::VecDeque,
    mem,
    sync::{Arc, Weak},
};

/// Consecutive bytes of one file, read or about to be.
pub(super) type Pieces = VecDeque<Piece>;

#[derive(Default)]
pub(super) struct Ahead {
    /// The one that was used last stands at the end.
    sequences: Vec<Sequence>,
}

struct Sequence {
    /// No other file gets its address as long as this is held.
    file: Weak<FileInner>,
    /// The file's count of cuts before the first of these pieces was read.
    cuts: u64,
    /// Where the last range ended, and where the pieces begin if there are any.
    position: u64,
    pieces: Pieces,
    /// It was used since the last look at idle ones.
    fresh: bool,
}

impl Sequence {
    fn is_of(&self, file: &File) -> bool {
        self.file.as_ptr() == Arc::as_ptr(&file.inner)
    }

    fn is_valid(&self) -> bool {
        let cuts = self.file.upgrade().map(|inner| File { inner }.cuts());
        cuts == Some(self.cuts)
    }

    fn covers(&self, position: u64) -> bool {
        let end = self.pieces.back().map_or(self.position, |piece| piece.end);
        position == self.position || (self.position..end).contains(&position)
    }
}

impl Ahead {
    /// What was read ahead for a reader that goes on at `position`: pieces from there on, or none
    /// of them. `None`: no reader was expected to go on there.
    pub(super) fn take(&mut self, file: &File, position: u64) -> Option<Pieces> {
        self.sequences.retain(Sequence::is_valid);
        let index =
            self.sequences.iter().rposition(|one| one.is_of(file) && one.covers(position))?;
        let mut pieces = self.sequences.remove(index).pieces;
        while pieces.front().is_some_and(|piece| piece.end <= position) {
            pieces.pop_front();
        }
        if let Some(first) = pieces.front_mut() {
            first.skip_to(position);
        }
        let begin = pieces.front().map(|first| first.begin);
        assert!(
            begin.is_none_or(|begin| begin == position),
            "a reader goes on at {position}, and what was read ahead begins at {begin:?}"
        );
        Some(pieces)
    }

    /// A range ended at `position`, and `pieces` were read beyond it, if any, all since the file
    /// had `cuts`.
    pub(super) fn put(&mut self, file: &File, cuts: u64, position: u64, mut pieces: Pieces) {
        assert!(
            pieces.front().is_none_or(|piece| piece.begin == position),
            "pieces begin where the range ended"
        );
        assert!(
            pieces.iter().zip(pieces.iter().skip(1)).all(|(one, next)| one.end == next.begin),
            "what was read ahead has a gap"
        );
        pieces.truncate(self.room());
        if self.sequences.len() == SEQUENCES_MAX {
            self.sequences.remove(0);
        }
        self.sequences.push(Sequence {
            file: Arc::downgrade(&file.inner),
            cuts,
            position,
            pieces,
            fresh: true,
        });
        let readers = self.sequences.len();
        assert!(readers <= SEQUENCES_MAX, "{readers} readers are remembered");
        let kept: usize = self.sequences.iter().map(|one| one.pieces.len()).sum();
        assert!(kept <= AHEAD_BLOCKS_MAX, "{kept} pieces are read ahead");
    }

    /// How many more pieces may be kept. No reader's pieces are thrown away for another's: with
    /// more readers than there is room for, all of them would read ahead in vain.
    pub(super) fn room(&self) -> usize {
        AHEAD_BLOCKS_MAX.saturating_sub(self.sequences.iter().map(|one| one.pieces.len()).sum())
    }

    /// Gives up the pieces of the reader that was not seen for the longest time; `false` when no
    /// reader has any.
    pub(super) fn give_up_oldest(&mut self) -> bool {
        let oldest = self.sequences.iter_mut().find(|one| !one.pieces.is_empty());
        oldest.map(|one| one.pieces.clear()).is_some()
    }

    /// Forgets the readers that were not seen since the last call.
    pub(super) fn release_idle(&mut self) {
        self.sequences.retain_mut(|one| mem::take(&mut one.fresh) && one.is_valid());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blocking::os_file;
    use bytes::Bytes;

    fn file() -> File {
        os_file(std::fs::File::open("/dev/null").unwrap().into())
    }

    fn pieces(begin: u64, lengths: &[u64]) -> Pieces {
        let mut at = begin;
        let piece = |length: &u64| {
            let piece = Piece::ready(at, Bytes::from(vec![0; *length as usize]));
            at += length;
            piece
        };
        lengths.iter().map(piece).collect()
    }

    fn bounds(pieces: Option<Pieces>) -> Option<Vec<(u64, u64)>> {
        pieces.map(|pieces| pieces.iter().map(|piece| (piece.begin, piece.end)).collect())
    }

    #[test]
    fn a_reader_goes_on_where_it_was_or_inside_of_what_was_read_for_it() {
        let (mut ahead, one, other) = (Ahead::default(), file(), file());
        ahead.put(&one, 0, 100, pieces(100, &[10, 10, 10]));
        assert_eq!(bounds(ahead.take(&other, 100)), None, "another file");
        assert_eq!(bounds(ahead.take(&one, 99)), None);
        assert_eq!(bounds(ahead.take(&one, 130)), None, "behind all of it");
        assert_eq!(bounds(ahead.take(&one, 115)), Some(vec![(115, 120), (120, 130)]));
        assert_eq!(bounds(ahead.take(&one, 115)), None, "it was taken");
        ahead.put(&one, 0, 130, Pieces::new());
        assert_eq!(
            bounds(ahead.take(&one, 130)),
            Some(vec![]),
            "it goes on, with nothing read ahead"
        );
    }

    #[test]
    fn a_cut_or_closed_file_has_nothing() {
        let (mut ahead, file) = (Ahead::default(), file());
        ahead.put(&file, 0, 100, pieces(100, &[10]));
        file.count_cut();
        assert_eq!(bounds(ahead.take(&file, 100)), None);
        ahead.put(&file, 0, 100, pieces(100, &[10]));
        assert_eq!(bounds(ahead.take(&file, 100)), None, "it was cut while it was read");
        ahead.put(&file, 1, 100, pieces(100, &[10]));
        drop(file);
        ahead.release_idle();
        assert!(ahead.sequences.is_empty());
    }

    #[test]
    fn it_is_bounded_and_forgets_who_does_not_come_back() {
        let (mut ahead, file) = (Ahead::default(), file());
        for position in 0..SEQUENCES_MAX as u64 + 1 {
            let read = if position < AHEAD_BLOCKS_MAX as u64 + 5 {
                pieces(position, &[1])
            } else {
                Pieces::new()
            };
            ahead.put(&file, 0, position, read);
        }
        assert_eq!(ahead.sequences.len(), SEQUENCES_MAX);
        assert_eq!(bounds(ahead.take(&file, 0)), None, "the oldest had to go");
        assert_eq!(ahead.room(), 1, "its piece as well");
        assert!(ahead.give_up_oldest());
        assert_eq!((ahead.room(), bounds(ahead.take(&file, 1))), (2, Some(vec![])));
        ahead.release_idle();
        assert_eq!(ahead.sequences.len(), SEQUENCES_MAX - 1);
        ahead.release_idle();
        assert!(ahead.sequences.is_empty() && !ahead.give_up_oldest());
    }
}
