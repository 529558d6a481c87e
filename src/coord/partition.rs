//! Which partition of its topic coordinates a group (or whatever else has a name). Pure; used by
//! FindCoordinator and by the dispatch of requests to coordinators.

/// Kafka's `Utils.abs(groupId.hashCode()) % partitions`: clients of a Kafka cluster find the same
/// partition here, and the records of a directory that changes hands stay where they are looked
/// for.
///
/// The partition count must be positive.
pub fn coordinator_partition(key: &str, partition_count: i32) -> i32 {
    assert!(partition_count > 0, "the coordinator's topic has {partition_count} partitions");
    let hash = java_string_hash(key);
    // Utils.abs maps Integer.MIN_VALUE, which has no positive counterpart, to zero.
    let positive = if hash == i32::MIN { 0 } else { hash.abs() };
    positive % partition_count
}

/// `java.lang.String.hashCode()`: over UTF-16 code units, so a character outside the basic plane
/// counts as two.
fn java_string_hash(text: &str) -> i32 {
    text.encode_utf16().fold(0i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The hashes were printed by jshell.
    #[test]
    fn hashes_as_java_does() {
        for (text, hash) in [
            ("", 0),
            ("a", 97),
            ("my-group", -1_906_497_762),
            ("polygenelubricants", i32::MIN),
            ("größe-😀", 175_616_671),
            ("console-consumer-12345", 158_455_506),
        ] {
            assert_eq!(java_string_hash(text), hash, "{text}");
        }
    }

    #[test]
    fn partitions_are_never_negative() {
        assert_eq!(coordinator_partition("polygenelubricants", 50), 0);
        assert_eq!(coordinator_partition("a", 50), 47);
        for n in 0..1000 {
            let partition = coordinator_partition(&format!("group-{n}"), 50);
            assert!((0..50).contains(&partition));
        }
    }
}
