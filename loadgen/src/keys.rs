//! The keys of records, in turn or by chance, and the partitions that Kafka's partitioner gives
//! them. Pure.
//!
//! A key is its number as eight digits; partition = (murmur2(key) & 0x7fff_ffff) % partitions, as
//! Kafka's clients do it.

use crate::{
    random::{Random, Zipf},
    workload::KeyChoice,
};

pub const KEY_BYTES: usize = 8;
/// What eight digits can tell apart.
pub const KEYS_MAX: u32 = 100_000_000;
/// Apart from one another for all producers, so that they do not all write to one partition at one
/// moment.
const STREAM_STRIDE: u32 = 7919;

/// How the next key is chosen.
enum Choice {
    None,
    InTurn { count: u32, next: u32 },
    Uniform { count: u32 },
    Zipf(Zipf),
}

/// The keys of one producer.
pub struct Keys {
    choice: Choice,
    /// Of the keys below the table's length; the hash of a key never changes.
    partitions: Vec<u32>,
    partition_count: u32,
    random: Random,
}

/// Keys whose partition is remembered: 256 KiB at most.
const REMEMBERED_MAX: u32 = 1 << 16;

impl Keys {
    pub fn new(choice: KeyChoice, partition_count: u32, stream: u32, random: Random) -> Keys {
        let (choice, count) = match choice {
            KeyChoice::None => (Choice::None, 0),
            KeyChoice::InTurn(count) => {
                let next = stream.wrapping_mul(STREAM_STRIDE) % count;
                (Choice::InTurn { count, next }, count)
            }
            KeyChoice::Uniform(count) => (Choice::Uniform { count }, count),
            KeyChoice::Zipf(count, exponent) => (Choice::Zipf(Zipf::new(count, exponent)), count),
        };
        assert!(count <= KEYS_MAX, "options allow no more");
        let partitions = (0..count.min(REMEMBERED_MAX))
            .map(|number| partition_of(&digits(number), partition_count))
            .collect();
        Keys { choice, partitions, partition_count, random }
    }

    /// The next key and its partition; `None` where records have no keys.
    pub fn next_key(&mut self) -> Option<([u8; KEY_BYTES], usize)> {
        let number = match &mut self.choice {
            Choice::None => return None,
            Choice::InTurn { count, next } => {
                let number = *next;
                *next = if number + 1 == *count { 0 } else { number + 1 };
                number
            }
            Choice::Uniform { count } => self.random.below(*count),
            Choice::Zipf(zipf) => zipf.draw(&mut self.random),
        };
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

/// The partition that the default partitioner of Kafka's clients gives a key.
pub fn partition_of(key: &[u8], partition_count: u32) -> u32 {
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

    fn keys(choice: KeyChoice, partitions: u32) -> Keys {
        Keys::new(choice, partitions, 0, Random::new(1, 0))
    }

    #[test]
    fn keys_come_in_turn_and_keep_their_partition() {
        let mut three = keys(KeyChoice::InTurn(3), 10);
        let first: Vec<_> = (0..3).map_while(|_| three.next_key()).collect();
        let second: Vec<_> = (0..3).map_while(|_| three.next_key()).collect();
        assert_eq!((first.len(), &first), (3, &second));
        assert_eq!(first[2].0, *b"00000002");
        assert!(keys(KeyChoice::None, 10).next_key().is_none());
        let mut many = keys(KeyChoice::InTurn(REMEMBERED_MAX + 1), 7);
        let last =
            (0..=REMEMBERED_MAX).filter_map(|_| many.next_key()).reduce(|_, next| next).unwrap();
        assert_eq!(last, (*b"00065536", partition_of(b"00065536", 7) as usize));
    }

    #[test]
    fn keys_by_chance_come_by_their_shares() {
        const DRAWS: usize = 50_000;
        let share_of_first = |choice| {
            let mut keys = keys(choice, 4);
            let drawn = (0..DRAWS).filter_map(|_| keys.next_key());
            drawn.filter(|(key, _)| key == b"00000000").count() as f64 / DRAWS as f64
        };
        let uniform = share_of_first(KeyChoice::Uniform(10));
        assert!((uniform - 0.1).abs() < 0.007, "{uniform}");
        // Of ten keys by 1/k, the first has 1 of 7381/2520.
        let zipf = share_of_first(KeyChoice::Zipf(10, 1.0));
        assert!((zipf - 2520.0 / 7381.0).abs() < 0.011, "{zipf}");
    }
}
