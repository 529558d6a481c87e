//! The reader against lengths that lie.

use bytes::{BufMut, Bytes, BytesMut};
use proptest::prelude::*;
use protocol::messages::describe_groups_response::{DescribeGroupsResponse, DescribedGroup};
use protocol::messages::{MetadataRequest, ResponseHeader};
use protocol::primitives::{
    DECODE_BUDGET_BYTES, MAX_ARRAY_ELEMENTS, MAX_TAGGED_FIELDS, put_string, put_uvarint,
    put_varint, put_varlong,
};
use protocol::{DecodeErrorKind, Message, Reader, decode_exact};

fn kind<T: std::fmt::Debug>(result: Result<T, protocol::DecodeError>) -> DecodeErrorKind {
    result.expect_err("refused").kind
}

#[test]
fn varints_longer_than_their_type_are_refused() {
    for bytes in
        [&[0xff; 5][..], &[0xff, 0xff, 0xff, 0xff, 0x1f], &[0x80, 0x80, 0x80, 0x80, 0x80, 0x00]]
    {
        assert_eq!(kind(Reader::new(bytes).uvarint()), DecodeErrorKind::VarintTooLong);
    }
    let mut long = [0x80; 10];
    long[9] = 0x02;
    assert_eq!(kind(Reader::new(&long).varlong()), DecodeErrorKind::VarintTooLong);
    assert_eq!(Reader::new(&[0xff, 0xff, 0xff, 0xff, 0x0f]).uvarint(), Ok(u32::MAX));
}

/// An array's length as it is on the wire.
fn length(count: usize, flexible: bool) -> BytesMut {
    let mut bytes = BytesMut::new();
    if flexible {
        put_uvarint(&mut bytes, count as u32 + 1)
    } else {
        bytes.put_i32(count as i32)
    }
    bytes
}

#[test]
fn lengths_are_checked_before_anything_is_allocated() {
    for flexible in [false, true] {
        let bytes = length(MAX_ARRAY_ELEMENTS, flexible);
        assert!(matches!(
            kind(Reader::new(&bytes).array::<i64>(flexible, 0)),
            DecodeErrorKind::Truncated { .. }
        ));
        let count = i32::MAX as usize - 1;
        let bytes = length(count, flexible);
        assert_eq!(
            kind(Reader::new(&bytes).array::<i64>(flexible, 0)),
            DecodeErrorKind::ArrayTooLong(count)
        );
        assert!(matches!(
            kind(Reader::new(&bytes).bytes(flexible)),
            DecodeErrorKind::Truncated { .. }
        ));
    }
}

/// Kafka's limits of 4.4.0, whatever bytes are there.
#[test]
fn a_million_elements_are_read_and_no_more() {
    for flexible in [false, true] {
        for count in [0, 1, 999, 1_000, 1_001, 2_000, 2_001, 1_000_000, 1_000_001] {
            let mut bytes = length(count, flexible);
            bytes.put_bytes(7, count);
            match Reader::new(&bytes).array::<i8>(flexible, 0) {
                // However many steps it took, there is room for nothing else.
                Ok(elements) => {
                    assert_eq!((elements.len(), elements.capacity()), (count, count));
                    assert!(count <= 1_000_000 && elements.iter().all(|element| *element == 7));
                }
                refused => {
                    assert_eq!(count, 1_000_001);
                    assert_eq!(kind(refused), DecodeErrorKind::ArrayTooLong(count));
                }
            }
        }
    }
}

#[test]
fn ten_thousand_tagged_fields_are_read_and_no_more() {
    let tags = |count: u32| {
        let mut bytes = BytesMut::new();
        put_uvarint(&mut bytes, count);
        for tag in 0..count {
            put_uvarint(&mut bytes, tag);
            put_uvarint(&mut bytes, 0);
        }
        bytes
    };
    assert_eq!(MAX_TAGGED_FIELDS, 10_000);
    assert_eq!(Reader::new(&tags(10_000)).skip_tags(), Ok(()));
    assert_eq!(kind(Reader::new(&tags(10_001)).skip_tags()), DecodeErrorKind::TooManyTags(10_001));
}

#[test]
fn every_negative_length_is_null() {
    for length in [-1, -2, i16::MIN] {
        let bytes = length.to_be_bytes();
        assert_eq!(Reader::new(&bytes).nullable_string(false, true), Ok(None));
        assert_eq!(kind(Reader::new(&bytes).string(false)), DecodeErrorKind::UnexpectedNull);
    }
    for length in [-1, -2, i32::MIN] {
        let bytes = length.to_be_bytes();
        assert_eq!(Reader::new(&bytes).nullable_bytes(false, true), Ok(None));
        assert_eq!(Reader::new(&bytes).nullable_array::<i32>(false, true, 0), Ok(None));
        assert_eq!(kind(Reader::new(&bytes).bytes(false)), DecodeErrorKind::UnexpectedNull);
        assert_eq!(
            kind(Reader::new(&bytes).array::<i32>(false, 0)),
            DecodeErrorKind::UnexpectedNull
        );
    }
    // Of flexible versions, too: length + 1 is a number of 32 bits with sign there.
    for varint in [0, 0x8000_0001, u32::MAX] {
        let mut bytes = BytesMut::new();
        put_uvarint(&mut bytes, varint);
        assert_eq!(Reader::new(&bytes).nullable_string(true, true), Ok(None));
        assert_eq!(Reader::new(&bytes).nullable_bytes(true, true), Ok(None));
        assert_eq!(
            kind(Reader::new(&bytes).array::<i32>(true, 0)),
            DecodeErrorKind::UnexpectedNull
        );
    }
}

#[test]
fn null_is_refused_where_the_version_has_none() {
    assert_eq!(kind(Reader::new(&[0]).string(true)), DecodeErrorKind::UnexpectedNull);
    assert_eq!(
        kind(Reader::new(&[0xff, 0xff]).nullable_string(false, false)),
        DecodeErrorKind::UnexpectedNull
    );
    assert_eq!(Reader::new(&[0xff, 0xff]).nullable_string(false, true), Ok(None));
    assert_eq!(kind(Reader::new(&[0]).array::<i32>(true, 0)), DecodeErrorKind::UnexpectedNull);
}

#[test]
fn small_elements_cannot_take_much_memory() {
    // Groups of twenty bytes each on the wire take far more as structures.
    let count = DECODE_BUDGET_BYTES / size_of::<DescribedGroup>() + 1;
    let mut bytes = BytesMut::new();
    bytes.put_i32(0);
    bytes.extend_from_slice(&length(count, true));
    bytes.put_bytes(0, count * 20);
    let refused = decode_exact::<DescribeGroupsResponse>(&bytes, 5);
    assert_eq!(kind(refused), DecodeErrorKind::OverBudget(DECODE_BUDGET_BYTES));
}

#[test]
fn tagged_fields_ascend_and_have_their_size() {
    let read = |bytes: &[u8]| decode_exact::<ResponseHeader>(bytes, 1);
    assert!(read(&[0, 0, 0, 7, 2, 5, 1, 0xaa, 9, 0]).is_ok(), "unknown tags are skipped");
    for tags in [[2, 5, 0, 5, 0], [2, 5, 0, 4, 0]] {
        let bytes = [&[0, 0, 0, 7][..], &tags].concat();
        assert!(matches!(kind(read(&bytes)), DecodeErrorKind::TagsOutOfOrder { previous: 5, .. }));
    }
    assert!(matches!(kind(read(&[0, 0, 0, 7, 1, 0, 9, 0])), DecodeErrorKind::Truncated { .. }));
    let oversized = Reader::new(&[1, 0, 2, 7, 7]).tags(|reader, _| reader.i8().map(|_| true));
    assert_eq!(kind(oversized), DecodeErrorKind::TagSize { tag: 0, announced: 2, used: 1 });
    let undersized = Reader::new(&[1, 0, 1, 7, 7]).tags(|reader, _| reader.i16().map(|_| true));
    assert!(matches!(kind(undersized), DecodeErrorKind::Truncated { .. }));
}

#[test]
fn strings_are_short_and_what_is_no_utf8_is_replaced() {
    assert_eq!(
        Reader::new(&[4, b'a', 0xff, 0xe9]).string(true).as_deref(),
        Ok("a\u{fffd}\u{fffd}")
    );
    // The replacement makes three bytes of one, which no response could carry.
    let mut bytes = BytesMut::new();
    bytes.put_i16(20_000);
    bytes.put_bytes(0xe9, 20_000);
    assert_eq!(kind(Reader::new(&bytes).string(false)), DecodeErrorKind::InvalidLength(20_000));
    let mut bytes = BytesMut::new();
    put_uvarint(&mut bytes, 40_001);
    bytes.put_bytes(b'a', 40_000);
    assert_eq!(kind(Reader::new(&bytes).string(true)), DecodeErrorKind::InvalidLength(40_000));
    assert!(put_string(&mut BytesMut::new(), &"a".repeat(40_000), true).is_err());
}

#[test]
fn byte_fields_are_slices_of_their_owner() {
    let frame = Bytes::from_static(&[4, 1, 2, 3]);
    let field = Reader::from_bytes(&frame).bytes(true).unwrap();
    assert_eq!(field.as_ptr(), frame[1..].as_ptr());
}

#[test]
fn a_value_the_version_lacks_is_refused_by_name() {
    let request = MetadataRequest { allow_auto_topic_creation: false, ..Default::default() };
    let error = request.encode(&mut BytesMut::new(), 3).unwrap_err();
    assert_eq!(error.to_string(), "version 3 cannot carry the value of AllowAutoTopicCreation");
    let nothing = MetadataRequest { topics: None, ..Default::default() };
    assert!(nothing.encode(&mut BytesMut::new(), 0).is_err());
    assert!(nothing.encode(&mut BytesMut::new(), 1).is_ok());
}

proptest! {
    #[test]
    fn varints_round_trip(short: i32, long: i64) {
        let mut bytes = BytesMut::new();
        put_varint(&mut bytes, short);
        put_varlong(&mut bytes, long);
        put_uvarint(&mut bytes, short as u32);
        let mut reader = Reader::new(&bytes);
        prop_assert_eq!(reader.varint(), Ok(short));
        prop_assert_eq!(reader.varlong(), Ok(long));
        prop_assert_eq!(reader.uvarint(), Ok(short as u32));
        prop_assert_eq!(reader.remaining(), 0);
    }

    #[test]
    fn nothing_read_reaches_past_the_end(bytes: Vec<u8>, flexible: bool,
        choices in prop::collection::vec(0..9u8, 1..20)) {
        let mut reader = Reader::new(&bytes);
        for choice in choices {
            let read = match choice {
                0 => reader.i8().is_ok(),
                1 => reader.i64().is_ok(),
                2 => reader.uvarint().is_ok(),
                3 => reader.string(flexible).is_ok(),
                4 => reader.nullable_bytes(flexible, true).is_ok(),
                5 => reader.array::<i32>(flexible, 0).is_ok(),
                6 => reader.nullable_array::<String>(flexible, true, 0).is_ok(),
                7 => reader.skip_tags().is_ok(),
                _ => reader.uuid().is_ok(),
            };
            prop_assert_eq!(reader.position() + reader.remaining(), bytes.len());
            if !read {
                break;
            }
        }
    }
}
