//! The rules for topic names, and which names are Kafka's own.

/// The longest topic name, in bytes: with a partition number and a suffix it still makes a legal
/// directory name.
const MAX_NAME_LENGTH: usize = 249;

pub const CLUSTER_METADATA: &str = "__cluster_metadata";

/// Topics that the coordinators keep their state in.
const INTERNAL: [&str; 3] = ["__consumer_offsets", "__transaction_state", "__share_group_state"];

/// Err: why the name is illegal, in Kafka's words.
pub fn validate(name: &str) -> Result<(), String> {
    let reason = match name {
        "" => "the empty string is not allowed".to_owned(),
        "." | ".." => format!("'{name}' is not allowed"),
        // Java counts UTF-16 units. It matters to illegal names alone, which are refused for one
        // reason or the other.
        _ if name.encode_utf16().count() > MAX_NAME_LENGTH => {
            format!(
                "the length of '{name}' is longer than the max allowed length {MAX_NAME_LENGTH}"
            )
        }
        _ if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte)) => {
            format!(
                "'{name}' contains one or more characters other than ASCII alphanumerics, '.', \
                 '_' and '-'"
            )
        }
        _ => return Ok(()),
    };
    Err(format!("Topic name is invalid: {reason}"))
}

/// A name as messages of ours show it that are told for each partition: as much of it as a legal
/// name may have.
pub fn shown(name: &str) -> &str {
    &name[..name.floor_char_boundary(MAX_NAME_LENGTH)]
}

pub fn is_internal(name: &str) -> bool {
    INTERNAL.contains(&name)
}

/// The name under which topics collide: metric names cannot tell '.' from '_'. None: the name has
/// neither.
pub fn collision_key(name: &str) -> Option<String> {
    name.contains(['.', '_']).then(|| name.replace('.', "_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_legal_or_say_why_not() {
        for name in ["a", "A.b_c-9", "...", &"x".repeat(249)] {
            assert_eq!(validate(name), Ok(()), "{name}");
        }
        for (name, reason) in [
            ("", "the empty string is not allowed"),
            (".", "'.' is not allowed"),
            ("..", "'..' is not allowed"),
            (
                "a b",
                "'a b' contains one or more characters other than ASCII alphanumerics, '.', '_' \
                 and '-'",
            ),
            (
                "käse",
                "'käse' contains one or more characters other than ASCII alphanumerics, '.', '_' \
                 and '-'",
            ),
        ] {
            assert_eq!(validate(name), Err(format!("Topic name is invalid: {reason}")));
        }
        assert!(
            validate(&"x".repeat(250))
                .is_err_and(|reason| reason.ends_with("max allowed length 249"))
        );
    }

    #[test]
    fn no_more_of_a_name_is_shown_than_a_legal_one_has() {
        assert_eq!(shown("a.b"), "a.b");
        assert_eq!(shown(&"x".repeat(32_767)), "x".repeat(249));
        assert_eq!(shown(&"ä".repeat(200)), "ä".repeat(124), "characters stay whole");
    }

    #[test]
    fn dots_and_underscores_collide() {
        assert_eq!(collision_key("a.b_c"), collision_key("a_b.c"));
        assert_eq!(collision_key("abc-"), None);
    }
}
