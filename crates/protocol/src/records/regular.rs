//! The fast walk over the records of a batch, for the batches that nothing is wrong with.
//!
//! Owns: one pass over an uncompressed body that builds no [`super::Record`]. Lives on: any core,
//! there is no state. Never: refuses a batch. What it does not find regular goes to the exact walk
//! ([`super::Records`]), which knows what to say of it; so this one may accept only what the exact
//! walk accepts.

use super::BatchHeader;

/// What the pass has learnt of the timestamps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Regular {
    pub smallest_timestamp: i64,
    pub largest_timestamp: i64,
    /// The first record with the largest timestamp.
    pub largest_at: i32,
}

/// Walks `body`, the uncompressed records of a batch with creation times. `None` unless all of them
/// are well formed, numbered from 0 on without a gap, as many as the header says, and (with
/// `keys_required`) have keys.
pub(super) fn walk(header: &BatchHeader, body: &[u8], keys_required: bool) -> Option<Regular> {
    let (count, base_timestamp) = (header.record_count(), header.base_timestamp());
    let mut found =
        Regular { smallest_timestamp: i64::MAX, largest_timestamp: i64::MIN, largest_at: 0 };
    let mut at = 0;
    for index in 0..count {
        let length = usize::try_from(varint(body, &mut at)?).ok()?;
        let end = at + length;
        // The attributes say nothing. Reading past the record's end shows when the end is compared.
        at += 1;
        let timestamp = base_timestamp.wrapping_add(varlong(body, &mut at)?);
        if varint(body, &mut at)? != index {
            return None;
        }
        let key_length = varint(body, &mut at)?;
        if keys_required && key_length < 0 {
            return None;
        }
        at += key_length.max(0) as usize;
        at += varint(body, &mut at)?.max(0) as usize;
        let header_count = varint(body, &mut at)?;
        if header_count != 0 {
            skip_headers(body, &mut at, header_count)?;
        }
        if at != end {
            return None;
        }
        found.smallest_timestamp = found.smallest_timestamp.min(timestamp);
        if timestamp > found.largest_timestamp {
            (found.largest_timestamp, found.largest_at) = (timestamp, index);
        }
    }
    (count > 0 && at == body.len()).then_some(found)
}

/// Every header takes at least two bytes, so a count that lies ends with the body.
fn skip_headers(body: &[u8], at: &mut usize, count: i32) -> Option<()> {
    if count < 0 {
        return None;
    }
    for _ in 0..count {
        *at += usize::try_from(varint(body, at)?).ok()?;
        *at += varint(body, at)?.max(0) as usize;
    }
    Some(())
}

#[inline(always)]
fn varint(bytes: &[u8], at: &mut usize) -> Option<i32> {
    let raw = small(bytes, at).or_else(|| long(bytes, at, 5))?;
    let raw = u32::try_from(raw).ok()?;
    Some((raw >> 1) as i32 ^ -((raw & 1) as i32))
}

#[inline(always)]
fn varlong(bytes: &[u8], at: &mut usize) -> Option<i64> {
    let raw = small(bytes, at).or_else(|| long(bytes, at, 10))?;
    Some((raw >> 1) as i64 ^ -((raw & 1) as i64))
}

/// A number of one or two bytes.
#[inline(always)]
fn small(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let first = *bytes.get(*at)?;
    if first < 0x80 {
        *at += 1;
        return Some(u64::from(first));
    }
    let second = *bytes.get(*at + 1)?;
    if second < 0x80 {
        *at += 2;
        return Some(u64::from(first & 0x7f) | u64::from(second) << 7);
    }
    None
}

#[cold]
fn long(bytes: &[u8], at: &mut usize, bytes_max: usize) -> Option<u64> {
    let mut raw = 0;
    for (number, byte) in bytes.get(*at..)?.iter().take(bytes_max).enumerate() {
        let shift = 7 * number as u32;
        raw |= u64::from(byte & 0x7f) << shift;
        if *byte < 0x80 {
            *at += number + 1;
            return Some(raw);
        }
    }
    None
}
