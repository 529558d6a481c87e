//! What the sampled batches of one topic tell: sizes, keys, compression, transactions. Pure.
//!
//! Owns: counts with bounds, whatever the topic sends. Never: keeps a value or a key, of which it
//! remembers a hash alone; believes a batch whose checksum is wrong.

use super::{sizes::SizeCounts, skew::KeySample};
use crate::keys::partition_of;
use protocol::records::{self, Batch, ControlRecordType, Record, RecordsError, TimestampType};
use rustc_hash::{FxHashMap, FxHashSet, FxHasher};
use std::{collections::BTreeMap, hash::Hasher};

/// Batches that are larger than this when unpacked are passed over.
const UNPACKED_MAX_BYTES: usize = 64 << 20;
/// Different sizes that are told apart; once there are more, sizes count by three digits.
const SIZES_MAX: usize = 1 << 16;
/// Pairs of key and partition of one topic: 8 MB. Keys of records behind them are not looked at.
const KEYS_MAX: usize = 1 << 18;
const PRODUCERS_MAX: usize = 10_000;
/// Transactions of one topic that are watched from their first batch to their end.
const OPEN_MAX: usize = 10_000;
/// Parts of transactions whose times are kept.
const ENDED_MAX: usize = 100_000;
/// What `loadgen` counts for a record beside its key and its value.
const RECORD_OVERHEAD_BYTES: u64 = 10;

/// A partition as far as it was sampled.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Part {
    records: u64,
    /// With a key that was looked at.
    keyed: u64,
}

#[derive(Clone, Debug, Default)]
pub struct Sample {
    /// Batches with records, and markers of transactions.
    pub batches: u64,
    pub markers: u64,
    pub records: u64,
    /// Of batches as they are on the wire and on the disk.
    pub wire_bytes: u64,
    pub key_bytes: u64,
    pub sizes: SizeCounts,
    pub records_by_codec: [u64; 5],
    /// Bodies of batches that are compressed, and what they unpack to.
    pub packed_bytes: u64,
    pub unpacked_bytes: u64,
    pub tombstones: u64,
    pub with_headers: u64,
    pub keyed: u64,
    /// Keyed records that are in the partition which Kafka's own partitioner gives their key.
    pub placed_by_key: u64,
    /// Records with a key that was looked at.
    counted_keys: u64,
    keys: FxHashMap<(u64, u32), u32>,
    parts: FxHashMap<u32, Part>,
    /// Batches by the bytes of their records, unpacked, as `loadgen` counts them.
    pub batch_bytes: SizeCounts,
    pub producers: FxHashSet<i64>,
    pub idempotent_batches: u64,
    pub transactional_batches: u64,
    pub commits: u64,
    pub aborts: u64,
    /// When a transaction of a producer began in a partition, and when it ended there.
    open: FxHashMap<(u32, i64), i64>,
    ended: Vec<(i64, i64, i64)>,
    pub log_append_batches: u64,
    /// Batches that were not understood.
    pub damaged: u64,
}

impl Sample {
    /// Takes the whole batches of what was fetched, from `position` on. Returns where the next one
    /// begins.
    pub fn take(&mut self, partition: u32, partitions: u32, bytes: &[u8], position: i64) -> i64 {
        let mut next = position;
        for batch in records::batches(bytes) {
            // The last batch of a response may be cut off; it comes whole next time.
            let Ok(batch) = batch else { break };
            let header = batch.header();
            let is_new = header.base_offset() >= position;
            next = next.max(header.next_offset());
            // The first may have begun before the position: large ones would be met too often.
            if is_new && self.batch(partition, partitions, &batch).is_err() {
                self.damaged += 1;
            }
        }
        next
    }

    fn batch(
        &mut self,
        partition: u32,
        partitions: u32,
        batch: &Batch<'_>,
    ) -> Result<(), RecordsError> {
        let header = batch.header();
        if !batch.crc_is_valid() || header.record_count() < 1 {
            self.damaged += 1;
            return Ok(());
        }
        if header.is_control() {
            return self.marker(partition, batch);
        }
        let codec = batch.compression()?;
        let body = batch.decompressed_body(UNPACKED_MAX_BYTES)?;
        let mut payload_bytes = 0;
        for record in records::Records::new(header, &body)? {
            payload_bytes += self.record(partition, partitions, &record?);
        }
        let records = header.record_count() as u64;
        self.batches += 1;
        self.records += records;
        self.parts.entry(partition).or_default().records += records;
        self.wire_bytes += batch.size_bytes() as u64;
        if let Some(of_codec) = self.records_by_codec.get_mut(usize::from(codec.id())) {
            *of_codec += records;
        }
        if codec != protocol::compression::Compression::None {
            self.packed_bytes += batch.body().len() as u64;
            self.unpacked_bytes += body.len() as u64;
        }
        count(&mut self.batch_bytes, payload_bytes);
        self.log_append_batches +=
            u64::from(header.timestamp_type() == TimestampType::LogAppendTime);
        if header.has_producer_id() {
            self.idempotent_batches += 1;
            if self.producers.len() < PRODUCERS_MAX {
                self.producers.insert(header.producer_id());
            }
        }
        if header.is_transactional() {
            self.transactional_batches += 1;
            if self.open.len() < OPEN_MAX {
                let place = (partition, header.producer_id());
                self.open.entry(place).or_insert(header.base_timestamp());
            }
        }
        Ok(())
    }

    /// Returns the bytes that the record counts for in a batch.
    fn record(&mut self, partition: u32, partitions: u32, record: &Record<'_>) -> u64 {
        let value_bytes = record.value.map_or(0, <[u8]>::len) as u64;
        self.tombstones += u64::from(record.value.is_none());
        count(&mut self.sizes, value_bytes);
        self.with_headers += u64::from(record.header_count() > 0);
        let Some(key) = record.key else { return value_bytes + RECORD_OVERHEAD_BYTES };
        self.keyed += 1;
        self.key_bytes += key.len() as u64;
        let is_placed = partition_of(key, partitions.max(1)) == partition;
        self.placed_by_key += u64::from(is_placed);
        let mut hasher = FxHasher::default();
        hasher.write(key);
        let place = (hasher.finish(), partition);
        // All keys or none from here on: what came first would look busier than it is.
        if self.keys.len() < KEYS_MAX {
            *self.keys.entry(place).or_default() += 1;
            self.parts.entry(partition).or_default().keyed += 1;
            self.counted_keys += 1;
        }
        value_bytes + key.len() as u64 + RECORD_OVERHEAD_BYTES
    }

    fn marker(&mut self, partition: u32, batch: &Batch<'_>) -> Result<(), RecordsError> {
        let header = batch.header();
        self.markers += 1;
        let mut kind = None;
        batch.for_each_record(UNPACKED_MAX_BYTES, |record| {
            kind = ControlRecordType::parse(record.key)?;
            Ok::<_, RecordsError>(())
        })?;
        match kind {
            Some(ControlRecordType::Commit) => self.commits += 1,
            Some(ControlRecordType::Abort) => self.aborts += 1,
            _ => return Ok(()),
        }
        // One whose beginning was not sampled has no length that is known.
        let began = self.open.remove(&(partition, header.producer_id()));
        if let Some(began) = began.filter(|_| self.ended.len() < ENDED_MAX) {
            self.ended.push((header.producer_id(), began, header.max_timestamp()));
        }
        Ok(())
    }

    /// Passes over records unsampled: transactions that are open there may end unseen.
    pub fn skipped(&mut self, partition: u32) {
        self.open.retain(|(of, _), _| *of != partition);
    }

    pub fn sampled_of(&self, partition: u32) -> u64 {
        self.parts.get(&partition).map_or(0, |part| part.records)
    }

    /// The share of offsets that are records of producers, and not markers.
    pub fn record_share(&self) -> f64 {
        match self.records + self.markers {
            0 => 1.0,
            all => self.records as f64 / all as f64,
        }
    }

    /// Milliseconds from the first batch of a transaction to its end, on average.
    pub fn transaction_ms(&self) -> Option<f64> {
        let mut parts = self.ended.clone();
        parts.sort_unstable();
        let mut whole: Vec<(i64, i64, i64)> = Vec::new();
        for (producer, began, ended) in parts {
            // A producer has one at a time: what overlaps is one transaction in several partitions.
            match whole.last_mut().filter(|last| last.0 == producer && began < last.2) {
                Some(last) => last.2 = last.2.max(ended),
                None => whole.push((producer, began, ended)),
            }
        }
        let lengths =
            whole.iter().map(|(_, began, ended)| ended.saturating_sub(*began).max(0) as f64);
        (!whole.is_empty()).then(|| lengths.sum::<f64>() / whole.len() as f64)
    }

    /// Records by key, where partitions were sampled unequally as if they had been sampled equally.
    /// `shares`: of the topic's records, by partition.
    pub fn keys(&self, shares: &[f64]) -> KeySample {
        let share_of = |partition: u32| shares.get(partition as usize).copied().unwrap_or(0.0);
        // Records of the whole topic for each one that all partitions have a part in.
        let whole = self
            .parts
            .iter()
            .filter(|(partition, part)| share_of(**partition) > 0.0 && part.keyed > 0)
            .map(|(partition, part)| part.keyed as f64 / share_of(*partition))
            .fold(f64::INFINITY, f64::min);
        if !whole.is_finite() {
            return KeySample::default();
        }
        let mut by_key: BTreeMap<u64, Vec<(u32, f64)>> = BTreeMap::new();
        for ((key, partition), records) in &self.keys {
            by_key.entry(*key).or_default().push((*partition, f64::from(*records)));
        }
        let (mut distinct, mut same, mut draws) = (0.0, 0.0, 0.0);
        for places in by_key.values() {
            let (mut share, mut by_chance, mut missed) = (0.0, 0.0, 1.0);
            for (partition, records) in places {
                let of_partition = self.parts[partition].keyed as f64;
                let weight = share_of(*partition);
                let kept = (whole * weight / of_partition).min(1.0);
                missed *= (1.0 - kept).powf(*records);
                draws += records * kept;
                let part = weight * records / of_partition;
                share += part;
                // A record is no pair with itself.
                let pairs = match of_partition > 1.0 {
                    true => records * (records - 1.0) / (of_partition * (of_partition - 1.0)),
                    false => 0.0,
                };
                by_chance += part * part - weight * weight * pairs;
            }
            distinct += 1.0 - missed;
            same += share * share - by_chance;
        }
        KeySample { draws, distinct, same, dispersion: self.dispersion() }
    }

    /// Variance over mean of the records of one key, within partitions.
    fn dispersion(&self) -> f64 {
        let mut by_partition: FxHashMap<u32, (f64, f64, f64)> = FxHashMap::default();
        for ((_, partition), records) in &self.keys {
            let of = by_partition.entry(*partition).or_default();
            let records = f64::from(*records);
            *of = (of.0 + 1.0, of.1 + records, of.2 + records * records);
        }
        let weighed = by_partition.values().map(|(keys, sum, squares)| {
            let mean = sum / keys;
            sum * (squares / keys - mean * mean) / mean
        });
        weighed.sum::<f64>() / self.counted_keys.max(1) as f64
    }
}

/// Counts one more; once there are many sizes, by their first three digits.
fn count(counts: &mut SizeCounts, size: u64) {
    let size = u32::try_from(size).unwrap_or(u32::MAX);
    let is_known = counts.len() < SIZES_MAX || counts.contains_key(&size);
    *counts.entry(if is_known { size } else { coarse(size) }).or_default() += 1;
}

fn coarse(size: u32) -> u32 {
    let mut unit = 1;
    while size / unit >= 1000 {
        unit *= 10;
    }
    size / unit * unit
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{keys::Keys, profile::skew, random::Random, workload::KeyChoice};
    use protocol::{
        compression::Compression,
        records::{BatchBuilder, EndTransactionMarker},
    };

    fn batch(base: i64, values: &[&[u8]], codec: Compression) -> Vec<u8> {
        let mut builder = BatchBuilder::new(base).compression(codec, None);
        values.iter().for_each(|value| builder.append(0, Some(b"00000007"), Some(value), &[]));
        builder.build().to_vec()
    }

    #[test]
    fn batches_are_counted_from_the_position_on_and_cut_ones_come_again() {
        let mut bytes = batch(10, &[b"abc", b"d"], Compression::None);
        bytes.extend(batch(12, &[&[0; 5000]], Compression::Lz4));
        let whole = bytes.len();
        bytes.extend(batch(13, &[b"x"], Compression::None));
        let mut sample = Sample::default();
        assert_eq!(sample.take(0, 1, &bytes[..bytes.len() - 1], 10), 13);
        assert_eq!((sample.batches, sample.records, sample.wire_bytes), (2, 3, whole as u64));
        assert_eq!(sample.sizes, SizeCounts::from([(3, 1), (1, 1), (5000, 1)]));
        assert_eq!((sample.records_by_codec[0], sample.records_by_codec[3]), (2, 1));
        assert!(sample.packed_bytes * 10 < sample.unpacked_bytes);
        assert_eq!(sample.batch_bytes, SizeCounts::from([(40, 1), (5018, 1)]));
        assert_eq!((sample.keyed, sample.placed_by_key), (3, 3), "one partition has all keys");
        // A batch that begins before the position was met because it is large.
        let mut late = Sample::default();
        assert_eq!((late.take(0, 1, &bytes, 11), late.batches), (14, 2));
        bytes[70] ^= 1;
        let mut damaged = Sample::default();
        assert_eq!((damaged.take(0, 1, &bytes, 10), damaged.damaged, damaged.batches), (14, 1, 2));
        assert_eq!(Sample::default().take(0, 1, b"no batch", 5), 5);
    }

    #[test]
    fn transactions_have_a_length_an_end_and_no_record() {
        let mut sample = Sample::default();
        let mut offset = 0;
        for (began, ended, committed) in [(1_000, 1_040, true), (1_050, 1_110, false)] {
            let mut data = BatchBuilder::new(offset).producer(9, 0, 0).transactional(true);
            data.append(began, None, Some(b"v"), &[]);
            let marker = EndTransactionMarker { committed, coordinator_epoch: 0 };
            let mut end =
                BatchBuilder::new(offset + 1).producer(9, 0, -1).transactional(true).control(true);
            end.append(ended, Some(&marker.control_type().key()), Some(&[0; 6]), &[]);
            let bytes = [data.build(), end.build()].concat();
            offset = sample.take(0, 1, &bytes, offset);
        }
        assert_eq!((sample.transactional_batches, sample.commits, sample.aborts), (2, 1, 1));
        assert_eq!((sample.transaction_ms(), sample.record_share()), (Some(50.0), 0.5));
        // The second one began earlier in another partition, and a part of another producer's.
        sample.ended.extend([(9, 1_045, 1_109), (8, 1_000, 1_012)]);
        assert_eq!(sample.transaction_ms(), Some((40.0 + 65.0 + 12.0) / 3.0));
        assert_eq!((sample.producers.len(), sample.idempotent_batches), (1, 2));
    }

    /// Draws keys of which partition 0 is sampled whole and the others to a fifth.
    fn unequal(choice: KeyChoice) -> KeySample {
        const PARTITIONS: u32 = 4;
        let mut keys = Keys::new(choice, PARTITIONS, 0, Random::new(3, 0));
        let (mut sample, mut all) = (Sample::default(), [0.0; PARTITIONS as usize]);
        for (key, partition) in (0..60_000).filter_map(|_| keys.next_key()) {
            all[partition] += 1.0 / 60_000.0;
            if partition == 0 || all[partition] < 0.05 {
                let mut builder = BatchBuilder::new(0);
                builder.append(0, Some(&key), Some(b"v"), &[]);
                sample.take(partition as u32, PARTITIONS, &builder.build(), 0);
            }
        }
        assert_eq!(sample.placed_by_key, sample.keyed);
        sample.keys(&all)
    }

    #[test]
    fn partitions_that_were_sampled_unequally_do_not_bend_the_keys() {
        let Some(KeyChoice::Zipf(count, exponent)) =
            skew::keys(&unequal(KeyChoice::Zipf(500, 0.99)))
        else {
            panic!("no zipf")
        };
        assert!((exponent - 0.99).abs() < 0.05 && count.abs_diff(500) < 75, "{count} {exponent}");
        let uniform = skew::keys(&unequal(KeyChoice::Uniform(300)));
        let Some(KeyChoice::Uniform(count)) = uniform else { panic!("{uniform:?}") };
        assert!(count.abs_diff(300) < 15, "{count}");
    }

    #[test]
    fn memory_has_a_bound() {
        let mut counts = SizeCounts::new();
        (0..200_000).for_each(|size| count(&mut counts, size));
        assert!(counts.len() <= SIZES_MAX + 1000);
        assert_eq!((coarse(123_456), coarse(999), coarse(1_000)), (123_000, 999, 1_000));
        assert_eq!(counts.values().sum::<u64>(), 200_000);
    }
}
