//! What a record's value says: which run and stream it belongs to, its place in the stream, and
//! when it was due.
//!
//! Layout, little endian: run u32, stream u32, sequence u64, due time u64 (nanoseconds of the
//! generator's clock), then padding. A value too small for it carries padding only, and is neither
//! verified nor timed end to end.

pub const STAMP_BYTES: usize = 24;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    pub run: u32,
    /// The producer connection.
    pub stream: u32,
    /// Counts the records of the stream in one partition.
    pub sequence: u64,
    pub due_ns: u64,
}

impl Stamp {
    pub fn write(&self, value: &mut [u8]) {
        let Some(stamp) = value.first_chunk_mut::<STAMP_BYTES>() else { return };
        stamp[..4].copy_from_slice(&self.run.to_le_bytes());
        stamp[4..8].copy_from_slice(&self.stream.to_le_bytes());
        stamp[8..16].copy_from_slice(&self.sequence.to_le_bytes());
        stamp[16..].copy_from_slice(&self.due_ns.to_le_bytes());
    }

    pub fn read(value: &[u8]) -> Option<Stamp> {
        let stamp = value.first_chunk::<STAMP_BYTES>()?;
        let u32_at =
            |at: usize| u32::from_le_bytes(stamp[at..at + 4].try_into().expect("four bytes"));
        let u64_at =
            |at: usize| u64::from_le_bytes(stamp[at..at + 8].try_into().expect("eight bytes"));
        Some(Stamp { run: u32_at(0), stream: u32_at(4), sequence: u64_at(8), due_ns: u64_at(16) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_reads_as_written_and_a_small_value_has_none() {
        let stamp = Stamp { run: 1, stream: 2, sequence: u64::MAX, due_ns: 4 };
        let mut value = [7u8; 30];
        stamp.write(&mut value);
        assert_eq!((Stamp::read(&value), value[29]), (Some(stamp), 7));
        assert_eq!(Stamp::read(&value[..10]), None);
    }
}
