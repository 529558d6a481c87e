use super::*;
use std::collections::BTreeMap;

/// golden.expected holds what `java.util.Properties.load` made of golden.properties: key, tab,
/// value, with everything outside printable ASCII as \uXXXX.
#[test]
fn a_file_of_all_syntax_reads_as_java_reads_it() {
    let properties = parse(include_bytes!("golden.properties")).unwrap();
    let map: BTreeMap<String, String> =
        properties.into_iter().map(|property| (property.key, property.value)).collect();
    let lines: Vec<String> = map
        .iter()
        .map(|(key, value)| format!("{}\t{}", printable(key), printable(value)))
        .collect();
    let expected: Vec<&str> = include_str!("golden.expected").lines().collect();
    assert_eq!(lines, expected);
}

fn printable(text: &str) -> String {
    let unit = |unit: u16| match char::from_u32(u32::from(unit)) {
        Some(character @ ' '..='~') if character != '\\' => character.to_string(),
        _ => format!("\\u{unit:04x}"),
    };
    text.encode_utf16().map(unit).collect()
}

#[test]
fn lines_are_numbered_from_where_they_start() {
    let properties = parse(b"# first\n\na=1\nb=2,\\\n3\nc=4\n").unwrap();
    let lines: Vec<(&str, usize)> =
        properties.iter().map(|property| (property.key.as_str(), property.line)).collect();
    assert_eq!(lines, [("a", 3), ("b", 4), ("c", 6)]);
}

#[test]
fn a_broken_escape_is_an_error_with_its_line() {
    assert_eq!(
        parse(b"a=1\nb=\\u12g4\n").unwrap_err(),
        "line 2: '\\u12g4' is not \\u with four hexadecimal digits"
    );
    assert!(parse(b"a=\\u12").is_err());
    assert!(parse("a=\\u12é4".as_bytes()).is_err());
}

#[test]
fn bytes_that_are_not_utf_8_are_latin_1() {
    assert_eq!(parse(b"a=caf\xe9").unwrap()[0].value, "café");
    assert_eq!(parse("a=café".as_bytes()).unwrap()[0].value, "café");
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>) {
        let _ = parse(&bytes).map(|properties| assert!(properties.iter()
            .all(|property| property.line >= 1)));
    }

    #[test]
    fn escaped_text_comes_back(key in "[a-z.]{1,10}", value in "\\PC{0,20}") {
        let mut escaped = String::new();
        for unit in value.encode_utf16() {
            escaped.push_str(&format!("\\u{unit:04x}"));
        }
        let properties = parse(format!("{key}={escaped}\n").as_bytes()).unwrap();
        proptest::prop_assert_eq!(&properties[0].value, &value);
    }
}
