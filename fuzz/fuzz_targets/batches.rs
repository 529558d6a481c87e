//! Arbitrary bytes as a log: the walk over batches, their records in every compression, and what a
//! leader checks before it appends. The CRC is made right, or nothing behind it would ever be
//! reached.

#![no_main]

use libfuzzer_sys::fuzz_target;
use protocol::records::validate::{AppendOrigin, ValidationRules, validate};
use protocol::records::{BATCH_HEADER_BYTES, RecordsError, batches};

/// Records may unpack to this much.
const LIMIT_BYTES: usize = 1 << 20;

/// Where a batch keeps its CRC.
const CRC: std::ops::Range<usize> = 17..21;

fuzz_target!(|data: &[u8]| {
    for batch in batches(data) {
        let Ok(batch) = batch else { break };
        let _: Result<(), RecordsError> = batch.for_each_record(LIMIT_BYTES, |record| {
            record.headers().count();
            Ok(())
        });
    }
    let mut bytes = data.to_vec();
    if bytes.len() >= BATCH_HEADER_BYTES {
        let crc = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32Iscsi, &bytes[CRC.end..]) as u32;
        bytes[CRC].copy_from_slice(&crc.to_be_bytes());
    }
    let rules = ValidationRules {
        transactional_allowed: true,
        max_message_bytes: LIMIT_BYTES,
        timestamp_after_max_ms: i64::MAX,
        max_decompressed_bytes: LIMIT_BYTES,
        ..ValidationRules::of_defaults(AppendOrigin::Client { produce_version: 13 }, 0)
    };
    validate(&bytes, &rules, &mut Vec::new()).ok();
});
