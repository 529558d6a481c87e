//! Every message in every version: written from the schema, decoded, encoded, cut short, damaged.

use crate::generated::SCHEMAS;
use crate::schema::{Random, Schema, Writer, random_message};
use std::collections::BTreeSet;

const SEEDS: u64 = 12;

fn for_each_version(mut visit: impl FnMut(&'static Schema, i16)) {
    for schema in SCHEMAS {
        for version in schema.versions.0..=schema.versions.1 {
            visit(schema, version);
        }
    }
}

#[test]
fn decode_and_encode_keep_every_byte() {
    for_each_version(|schema, version| {
        for seed in 0..SEEDS {
            let bytes = random_message(schema, version, seed);
            let again = (schema.recode)(&bytes, version)
                .unwrap_or_else(|error| panic!("{} v{version}: {error}", schema.name));
            assert_eq!(again, bytes, "{} v{version}, seed {seed}", schema.name);
        }
    });
}

#[test]
fn a_message_cut_short_or_continued_is_refused() {
    for_each_version(|schema, version| {
        for seed in 0..3 {
            let mut bytes = random_message(schema, version, seed);
            for cut in 0..bytes.len() {
                assert!(
                    (schema.recode)(&bytes[..cut], version).is_err(),
                    "{} v{version} cut at {cut}",
                    schema.name
                );
            }
            bytes.push(0);
            assert!(
                (schema.recode)(&bytes, version).is_err(),
                "{} v{version} with a byte behind it",
                schema.name
            );
        }
    });
}

#[test]
fn a_damaged_message_is_refused_or_is_another_message() {
    for_each_version(|schema, version| {
        let mut random = Random(u64::from(version as u16));
        for seed in 0..4 {
            let mut bytes = random_message(schema, version, seed);
            if bytes.is_empty() {
                continue;
            }
            let place = random.below(bytes.len());
            bytes[place] ^= 1 << random.below(8);
            if let Ok(once) = (schema.recode)(&bytes, version) {
                let twice = (schema.recode)(&once, version);
                assert_eq!(twice, Ok(once), "{} v{version} is not stable", schema.name);
            }
        }
    });
}

#[test]
fn defaults_are_the_schemas() {
    for_each_version(|schema, version| {
        let expected = Writer { schema, version, random: None }.message();
        assert_eq!((schema.write_default)(version), Ok(expected), "{} v{version}", schema.name);
    });
}

#[test]
fn versions_outside_of_the_range_are_refused() {
    for schema in SCHEMAS {
        for version in [schema.versions.0 - 1, schema.versions.1 + 1, i16::MAX] {
            assert!((schema.recode)(&[0; 64], version).is_err(), "{} v{version}", schema.name);
            assert!((schema.write_default)(version).is_err(), "{} v{version}", schema.name);
        }
    }
}

#[test]
fn the_release_is_complete() {
    let count = |set: &str| SCHEMAS.iter().filter(|schema| schema.set == set).count();
    assert_eq!(count("rpc"), 2 * protocol::ApiKey::all().count() + 2);
    assert_eq!(
        [count("metadata"), count("group"), count("transaction"), count("share")],
        [27, 44, 2, 4]
    );
    let names: BTreeSet<_> = SCHEMAS.iter().map(|schema| (schema.set, schema.name)).collect();
    assert_eq!(names.len(), SCHEMAS.len());
}
