//! The one thing the coordinator reads of a consumer's opaque data: which topics it is subscribed
//! to. Pure.

use protocol::file_records::ConsumerProtocolSubscription;
use protocol::{Message, Reader};

/// The version that every later one extends: topics, then user data.
const BASE_VERSION: i16 = 0;

/// The topics of a `ConsumerProtocolSubscription`, which follows its version (`i16`). `None` if the
/// bytes do not hold one.
pub(super) fn subscribed_topics(metadata: &[u8]) -> Option<Vec<String>> {
    let mut reader = Reader::new(metadata);
    let version = reader.i16().ok()?;
    let subscription = ConsumerProtocolSubscription::decode(&mut reader, BASE_VERSION).ok()?;
    (version >= BASE_VERSION).then_some(subscription.topics)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_topics_of_any_version_and_refuses_garbage() {
        let mut metadata =
            vec![0, 3, 0, 0, 0, 2, 0, 1, b'a', 0, 2, b'b', b'c', 0xff, 0xff, 0xff, 0xff];
        assert_eq!(subscribed_topics(&metadata), Some(vec!["a".to_owned(), "bc".to_owned()]));
        metadata.extend([9, 9, 9]);
        assert_eq!(subscribed_topics(&metadata), Some(vec!["a".to_owned(), "bc".to_owned()]));
        assert_eq!(subscribed_topics(&metadata[..10]), None);
        assert_eq!(subscribed_topics(&[]), None);
        assert_eq!(subscribed_topics(&[0xff, 0xff, 0, 0, 0, 0]), None);
        assert_eq!(subscribed_topics(&[0, 0, 0x7f, 0xff, 0xff, 0xff]), None);
    }
}
