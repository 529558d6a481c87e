//! Zigzag variable-length integers, as records use them (KIP-98: every length and delta inside a
//! record).
//!
//! Owns: reading from a shrinking slice and writing to a `Vec`. Never: reads outside the slice it
//! was given.

/// The bytes of a record that are still to be read. Every read either succeeds inside the slice or
/// gives `None`.
#[derive(Clone, Copy)]
pub(super) struct Unread<'a>(pub &'a [u8]);

impl<'a> Unread<'a> {
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[inline]
    pub fn u8(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    #[inline]
    pub fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    /// A zigzag varint of at most 5 bytes.
    #[inline]
    pub fn varint(&mut self) -> Option<i32> {
        let first = self.u8()?;
        let raw = if first < 0x80 { u32::from(first) } else { self.varint_tail(first)? };
        Some((raw >> 1) as i32 ^ -((raw & 1) as i32))
    }

    fn varint_tail(&mut self, first: u8) -> Option<u32> {
        let mut raw = u32::from(first & 0x7f);
        for shift in [7, 14, 21, 28] {
            let byte = self.u8()?;
            raw |= u32::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(raw);
            }
        }
        None
    }

    /// A zigzag varint of at most 10 bytes.
    #[inline]
    pub fn varlong(&mut self) -> Option<i64> {
        let first = self.u8()?;
        let raw = if first < 0x80 { u64::from(first) } else { self.varlong_tail(first)? };
        Some((raw >> 1) as i64 ^ -((raw & 1) as i64))
    }

    fn varlong_tail(&mut self, first: u8) -> Option<u64> {
        let mut raw = u64::from(first & 0x7f);
        for shift in [7, 14, 21, 28, 35, 42, 49, 56, 63] {
            let byte = self.u8()?;
            raw |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(raw);
            }
        }
        None
    }

    /// A varint length and that many bytes. A negative length is null, as Kafka's own reader has
    /// it.
    #[inline]
    pub fn nullable_bytes(&mut self) -> Option<Option<&'a [u8]>> {
        match usize::try_from(self.varint()?) {
            Ok(len) => self.take(len).map(Some),
            Err(_) => Some(None),
        }
    }
}

pub(super) fn put_varint(out: &mut Vec<u8>, value: i32) {
    put_varlong(out, i64::from(value));
}

pub(super) fn put_varlong(out: &mut Vec<u8>, value: i64) {
    let mut raw = ((value << 1) ^ (value >> 63)) as u64;
    while raw >= 0x80 {
        out.push(raw as u8 | 0x80);
        raw >>= 7;
    }
    out.push(raw as u8);
}

pub(super) fn put_nullable_bytes(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    put_varint(out, bytes.map_or(-1, |bytes| wire_len(bytes.len())));
    out.extend_from_slice(bytes.unwrap_or_default());
}

/// How many bytes [`put_varlong`] writes.
pub(super) fn varlong_size_bytes(value: i64) -> usize {
    let raw = ((value << 1) ^ (value >> 63)) as u64;
    (64 - (raw | 1).leading_zeros() as usize).div_ceil(7)
}

/// A length that goes on the wire. Nothing that we build comes near 2 GiB.
pub(super) fn wire_len(len: usize) -> i32 {
    i32::try_from(len).expect("lengths on the wire stay under 2 GiB")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn longs_round_trip(value: i64) {
            let mut bytes = Vec::new();
            put_varlong(&mut bytes, value);
            prop_assert_eq!(bytes.len(), varlong_size_bytes(value));
            let mut unread = Unread(&bytes);
            prop_assert_eq!(unread.varlong(), Some(value));
            prop_assert!(unread.is_empty());
            prop_assert_eq!(Unread(&bytes[..bytes.len() - 1]).varlong(), None);
        }

        #[test]
        fn ints_round_trip(value: i32) {
            let mut bytes = Vec::new();
            put_varint(&mut bytes, value);
            prop_assert_eq!(Unread(&bytes).varint(), Some(value));
        }
    }

    #[test]
    fn endless_continuation_is_refused() {
        assert_eq!(Unread(&[0xff; 20]).varint(), None);
        assert_eq!(Unread(&[0xff; 20]).varlong(), None);
    }
}
