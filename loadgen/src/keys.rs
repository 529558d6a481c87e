//! The keys of records, and the partitions that Kafka's partitioner gives them. Pure.
//!
//! A key is its number as eight digits; partition = (murmur2(key) & 0x7fff_ffff) % partitions, as
//! Kafka's clients do it.

pub const KEY_BYTES: usize = 8;
/// What eight digits can tell apart.
pub const KEYS_MAX: u32 = 100_000_000;
/// Apart from one another for all producers, so that they do not all write to one partition at one
/// moment.
const STREAM_STRIDE: u32 = 7919;

/// The keys of one producer, in turn.
pub struct Keys {
    count: u32,
    next: u32,
    /// Of the keys below the table's length; the hash of a key never changes.
    partitions: Vec<u32>,
    partition_count: u32,
}

/// Keys whose partition is remembered: 256 KiB at most.
const REMEMBERED_MAX: u32 = 1 << 16;

impl Keys {
    /// `count` 0: no keys.
    pub fn new(count: u32, partition_count: u32, stream: u32) -> Keys {
        assert!(count <= KEYS_MAX, "options allow no more");
        let partitions = (0..count.min(REMEMBERED_MAX))
            .map(|number| partition_of(&digits(number), partition_count))
            .collect();
        let next = if count == 0 { 0 } else { stream.wrapping_mul(STREAM_STRIDE) % count };
        Keys { count, next, partitions, partition_count }
    }

    /// The next key and its partition; `None` where records have no keys.
    pub fn next_key(&mut self) -> Option<([u8; KEY_BYTES], usize)> {
        if self.count == 0 {
            return None;
        }
        let number = self.next;
        self.next = if number + 1 == self.count { 0 } else { number + 1 };
        let key = digits(number);
        let known = self.partitions.get(number as usize).copied();
        Some((key, known.unwrap_or_else(|| partition_of(&key, self.partition_count)) as usize))
    }
}

fn digits(mut number: u32) -> [u8; KEY_BYTES] {
    let mut key = [b'0'; KEY_BYTES];
    for digit in key.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
    key
}

fn partition_of(key: &[u8], partition_count: u32) -> u32 {
    (murmur2(key) & 0x7fff_ffff) % partition_count
}

/// MurmurHash2 with the seed that Kafka's clients use.
fn murmur2(bytes: &[u8]) -> u32 {
    const M: u32 = 0x5bd1_e995;
    const SEED: u32 = 0x9747_b28c;
    let mut hash = SEED ^ bytes.len() as u32;
    let mut words = bytes.chunks_exact(4);
    for word in &mut words {
        let mut k = u32::from_le_bytes(word.try_into().expect("four bytes")).wrapping_mul(M);
        k ^= k >> 24;
        hash = hash.wrapping_mul(M) ^ k.wrapping_mul(M);
    }
    let rest = words.remainder();
    if !rest.is_empty() {
        for (index, byte) in rest.iter().enumerate() {
            hash ^= u32::from(*byte) << (8 * index);
        }
        hash = hash.wrapping_mul(M);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(M);
    hash ^ (hash >> 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_as_kafkas_clients_do() {
        // The values that Apache Kafka's own test of its hash expects.
        let known: [(&[u8], i32); 6] = [
            (b"21", -973_932_308),
            (b"foobar", -790_332_482),
            (b"a-little-bit-long-string", -985_981_536),
            (b"a-little-bit-longer-string", -1_486_304_829),
            (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            (b"abc", 479_470_107),
        ];
        for (key, hash) in known {
            assert_eq!(murmur2(key) as i32, hash, "{}", String::from_utf8_lossy(key));
        }
    }

    #[test]
    fn keys_come_in_turn_and_keep_their_partition() {
        let mut keys = Keys::new(3, 10, 0);
        let first: Vec<_> = (0..3).map_while(|_| keys.next_key()).collect();
        let second: Vec<_> = (0..3).map_while(|_| keys.next_key()).collect();
        assert_eq!((first.len(), &first), (3, &second));
        assert_eq!(first[2].0, *b"00000002");
        assert!(Keys::new(0, 10, 5).next_key().is_none());
        let mut many = Keys::new(REMEMBERED_MAX + 1, 7, 0);
        many.next = REMEMBERED_MAX;
        assert_eq!(many.next_key().unwrap().1, partition_of(b"00065536", 7) as usize);
    }
}
