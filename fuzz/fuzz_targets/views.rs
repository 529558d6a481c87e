//! Arbitrary bytes as Produce and Fetch: the borrowing views accept exactly what the generated
//! messages accept, and see the same partitions in it. The first byte chooses the version.

#![no_main]

use libfuzzer_sys::fuzz_target;
use protocol::{decode_exact, fetch, messages, produce};

fuzz_target!(|data: &[u8]| {
    let [choice, bytes @ ..] = data else { return };

    let version = produce::MIN_VERSION
        + i16::from(*choice) % (produce::MAX_VERSION - produce::MIN_VERSION + 1);
    let view = produce::ProduceRequest::parse(bytes, 0, version);
    let owned = decode_exact::<messages::ProduceRequest>(bytes, version);
    assert_eq!(view.is_ok(), owned.is_ok(), "Produce v{version}: {view:?} {owned:?}");
    if let (Ok(view), Ok(owned)) = (view, owned) {
        let seen = view.partitions().map(|partition| (partition.index,
            partition.records.map(|range| &bytes[range])));
        let whole = owned.topic_data.iter().flat_map(|topic| &topic.partition_data);
        assert!(seen.eq(whole.map(|partition| (partition.index, partition.records.as_deref()))));
    }

    let version = fetch::MIN_VERSION
        + i16::from(*choice) % (fetch::MAX_VERSION - fetch::MIN_VERSION + 1);
    let view = fetch::FetchRequest::parse(bytes, 0, version);
    let owned = decode_exact::<messages::FetchRequest>(bytes, version);
    assert_eq!(view.is_ok(), owned.is_ok(), "Fetch v{version}: {view:?} {owned:?}");
    if let (Ok(view), Ok(owned)) = (view, owned) {
        let seen = view.partitions().map(|partition| (partition.index, partition.fetch_offset));
        let whole = owned.topics.iter().flat_map(|topic| &topic.partitions);
        assert!(seen.eq(whole.map(|partition| (partition.partition, partition.fetch_offset))));
        view.forgotten_partitions().count();
    }
});
