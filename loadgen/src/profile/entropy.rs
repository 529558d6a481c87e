//! The entropy of values that makes batches compress as those that were sampled. Pure.
//!
//! Never: takes a ratio for an entropy: records have fields, and values have a stamp, which
//! compress in their own way, and small batches compress less. Batches are built as the generator
//! builds them, and the entropy is halved down to the ratio.

use crate::{
    payload::{Payload, pool},
    random::Random,
    value::Stamp,
    workload::RecordSize,
};
use protocol::{
    compression::Compression,
    records::{BATCH_HEADER_BYTES, BatchBuilder},
};

/// Steps to a 64th, which is as fine as pools are.
const HALVINGS: usize = 6;
/// Batches that are built for one ratio, and bytes of all of them.
const BATCHES: usize = 8;
const BYTES_MAX: usize = 1 << 20;
/// Between the due times of neighbours.
const GAP_NS: u64 = 1_234_567;

/// `ratio`: packed bytes over unpacked ones, of batches of so many records of that many bytes.
pub fn of(ratio: f64, codec: Compression, value_bytes: usize, records: usize) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..HALVINGS {
        let middle = (low + high) / 2.0;
        if ratio_of(middle, codec, value_bytes, records) < ratio {
            low = middle;
        } else {
            high = middle;
        }
    }
    // The end of the interval that lies nearer to what compresses not at all, or to nothing.
    if high >= 1.0 {
        1.0
    } else if low <= 0.0 {
        0.0
    } else {
        ((low + high) / 2.0 * 1e3_f64).round() / 1e3
    }
}

fn ratio_of(entropy: f64, codec: Compression, value_bytes: usize, records: usize) -> f64 {
    let value_bytes = value_bytes.clamp(1, BYTES_MAX);
    let records = records.clamp(1, (BYTES_MAX / value_bytes).max(1));
    let pool = pool(entropy, value_bytes, Random::new(1, 0));
    let mut payload =
        Payload::new(RecordSize::Fixed(value_bytes), Some(pool), 0, Random::new(1, 1));
    let (mut packed, mut unpacked, mut sequence) = (0, 0, 0);
    for _ in 0..BATCHES {
        let mut builder = BatchBuilder::new(0).compression(codec, None);
        for _ in 0..records {
            payload.vary();
            let stamp = Stamp { run: 7, stream: 0, sequence, due_ns: sequence * GAP_NS };
            stamp.write(payload.value_mut());
            sequence += 1;
            builder.append(0, None, Some(payload.value()), &[]);
        }
        unpacked += builder.uncompressed_size_bytes().saturating_sub(BATCH_HEADER_BYTES);
        packed += builder.build().len() - BATCH_HEADER_BYTES;
    }
    packed as f64 / unpacked.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entropy_is_found_again_by_the_ratio_that_it_makes() {
        for (codec, value_bytes, records) in [
            (Compression::Lz4, 100, 4),
            (Compression::Zstd, 1_000, 20),
            (Compression::Gzip, 300, 3),
            (Compression::Snappy, 5_000, 1),
        ] {
            for entropy in [0.25, 0.5, 0.75] {
                let ratio = ratio_of(entropy, codec, value_bytes, records);
                let found = of(ratio, codec, value_bytes, records);
                assert!((found - entropy).abs() < 0.03, "{codec:?} {entropy}: {ratio} {found}");
            }
        }
        assert_eq!(of(0.0, Compression::Zstd, 1_000, 10), 0.0);
        assert_eq!(of(1.5, Compression::Zstd, 1_000, 10), 1.0);
    }
}
