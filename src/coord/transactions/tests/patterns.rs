//! Patterns of transactional ids: what RE2 takes, in its meaning.

use crate::coord::transactions::pattern::{BadPattern, Pattern};

#[test]
fn patterns_match_whole_texts() {
    let cases: &[(&str, &[&str], &[&str])] = &[
        ("abc", &["abc"], &["abcd", "xabc", "ABC", ""]),
        ("", &[""], &["a"]),
        ("a|bc|", &["a", "bc", ""], &["b", "abc"]),
        ("a*", &["", "a", "aaaa"], &["b", "ab"]),
        ("a+?", &["a", "aa"], &[""]),
        ("(ab)?c", &["c", "abc"], &["ac", "ababc"]),
        ("(?:a|b){2,3}x", &["abx", "bbbx"], &["ax", "aaaax"]),
        ("a{2}", &["aa"], &["a", "aaa"]),
        ("a{2,}", &["aa", "aaaaa"], &["a"]),
        ("a{,2}", &["a{,2}"], &["a", "aa"]),
        ("a{0}b", &["b"], &["ab"]),
        (".*-[0-9]+", &["app-17", "-1"], &["app-", "app-1x"]),
        ("[^a-c]x", &["dx", "-x"], &["ax", "bx"]),
        ("[]a]+", &["]a"], &["b"]),
        ("[a\\-z]", &["a", "-", "z"], &["b"]),
        ("[a-]", &["a", "-"], &["b"]),
        ("[[:digit:]_]+", &["1_2"], &["a"]),
        ("\\d\\D\\w\\W\\s\\S", &["1a_- x"], &["1a_-_x"]),
        ("\\.\\x41\\x{42}", &[".AB"], &["xAB"]),
        ("\\Qa.b\\Ec", &["a.bc"], &["axbc"]),
        ("^a$|\\Ab\\z", &["a", "b"], &["ab"]),
        ("a\\b.*", &["a", "a-b"], &["ab"]),
        ("(?i)AbC-[x-z]", &["abc-X", "ABC-y"], &["abc-w"]),
        ("(?i:a)b", &["Ab", "ab"], &["AB"]),
        ("(?P<name>a)(?<n>b)", &["ab"], &["a"]),
        ("a.b", &["axb"], &["a\nb"]),
        ("(?s)a.b", &["axb", "a\nb"], &["ab"]),
        ("größe-😀", &["größe-😀"], &["grosse"]),
        ("((((a*)*)*)*)*b", &["b", "aab"], &["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac"]),
    ];
    for (text, matching, others) in cases {
        let pattern = Pattern::compile(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        for id in *matching {
            assert!(pattern.matches(id), "{text} is {id}");
        }
        for id in *others {
            assert!(!pattern.matches(id), "{text} is not {id}");
        }
    }
}

#[test]
fn what_is_no_pattern_is_refused() {
    use BadPattern::{Class, Escape, Group, Repetition, TooLarge, Unfinished};
    let nested = "(".repeat(1_000) + &")".repeat(1_000);
    let long = "a|".repeat(3_000);
    let cases = [
        ("(", Group),
        ("a)", Group),
        ("(?P=a)", Group),
        ("*a", Repetition),
        ("a**", Repetition),
        ("a{3,2}", Repetition),
        ("a{1001}", Repetition),
        ("[a", Class),
        ("[z-a]", Class),
        ("[[:nonsense:]]", Class),
        ("\\", Unfinished),
        ("\\q", Escape),
        ("\\x{110000}", Escape),
        ("(?m)a", Escape),
        ("\\pL", Escape),
        ("(a{100}){100}", TooLarge),
        (nested.as_str(), TooLarge),
        (long.as_str(), TooLarge),
        ("[\\w\\d-]{400}", TooLarge),
    ];
    for (text, expected) in cases {
        assert_eq!(Pattern::compile(text).map(|_| ()), Err(expected), "{text}");
    }
}

/// What is nothing took as many steps as it is repeated, in each of its groups: for ever.
#[test]
fn nothing_is_repeated_at_once() {
    let text = "(".repeat(30) + &"){1000}".repeat(30) + "a";
    let pattern = Pattern::compile(&text).expect("a pattern");
    assert!(pattern.matches("a") && !pattern.matches(""));
}

/// A match was one step, however long the text.
#[test]
fn a_match_reads_one_character_at_a_step() {
    let pattern = Pattern::compile("(a|b)*c").expect("a pattern");
    let text = "ab".repeat(50) + "c";
    let mut matching = pattern.begin(&text);
    let steps: Vec<_> = std::iter::from_fn(|| Some(matching.step())).take(102).collect();
    assert!(steps[..101].iter().all(Option::is_none), "{steps:?}");
    assert_eq!(steps[101], Some(true));
    assert_eq!(pattern.begin("xab").step(), Some(false), "no more is read than it takes");
}
