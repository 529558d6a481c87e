//! Arbitrary bytes as every message, header and record: decoding refuses them or yields a value
//! that encodes to bytes of the same value. The first two bytes choose the schema, the third the
//! version.

#![no_main]

#[path = "../../crates/protocol/tests/wire/gen/mod.rs"]
mod generated;
#[allow(dead_code)]
#[path = "../../crates/protocol/tests/wire/schema.rs"]
mod schema;

use libfuzzer_sys::fuzz_target;
use protocol::{group_records, metadata_records::MetadataRecord, share_records, transaction_records};

fuzz_target!(|data: &[u8]| {
    let [high, low, version, bytes @ ..] = data else { return };
    let schema = &generated::SCHEMAS[usize::from(u16::from_be_bytes([*high,
        *low])) % generated::SCHEMAS.len()];
    let versions = schema.versions.1 - schema.versions.0 + 1;
    let version = schema.versions.0 + i16::from(*version) % versions;
    if let Ok(once) = (schema.recode)(bytes, version) {
        assert_eq!((schema.recode)(&once, version), Ok(once), "{} v{version} is not \
            stable", schema.name);
    }
    if let Ok(record) = MetadataRecord::decode_frame(data) {
        record.encode_frame(record.max_version()).ok();
    }
    if let Ok(key) = group_records::Key::decode(data) {
        group_records::Value::decode(key.record_type(), bytes).ok();
    }
    transaction_records::Key::decode(data).ok();
    share_records::Key::decode(data).ok();
});
