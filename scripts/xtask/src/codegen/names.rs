//! From Kafka's names to Rust's.

/// Words of Rust that a field may not be called.
const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "box", "break", "const", "continue", "crate", "dyn",
    "else", "enum", "extern", "false", "fn", "for", "gen", "if", "impl", "in", "let", "loop",
    "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static",
    "struct", "super", "trait", "true", "try", "type", "typeof", "unsafe", "use", "virtual",
    "where", "while", "yield",
];

/// `TopicId` and `topicId` become `topic_id`; a run of capitals is one word, as is "KRaft".
pub fn snake(name: &str) -> String {
    let letters: Vec<char> =
        name.replace("KRaft", "Kraft").replace("kRaft", "kraft").chars().collect();
    let mut result = String::new();
    for (index, &letter) in letters.iter().enumerate() {
        if letter.is_uppercase() && index > 0 {
            let after_lower = !letters[index - 1].is_uppercase();
            let before_lower = letters.get(index + 1).is_some_and(|next| next.is_lowercase());
            if after_lower || before_lower {
                result.push('_');
            }
        }
        result.extend(letter.to_lowercase());
    }
    result
}

/// The name of a struct's field.
pub fn field(name: &str) -> String {
    let mut result = snake(name);
    if KEYWORDS.contains(&result.as_str()) {
        result.push('_');
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        for (given, expected) in [
            ("TopicId", "topic_id"),
            ("topicId", "topic_id"),
            ("KRaftVersionRecord", "kraft_version_record"),
            ("MaxSupportedKRaftVersion", "max_supported_kraft_version"),
            ("SCRAMSalt", "scram_salt"),
            ("LastKnownElr", "last_known_elr"),
            ("Type", "type_"),
        ] {
            assert_eq!(field(given), expected);
        }
    }
}
