//! The syntax of .properties files, as `java.util.Properties.load` reads it: comments, continued
//! lines, escapes, and a key that ends at the first `=`, `:` or blank.

/// One `key=value` and the number of the line it starts on, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Property {
    pub key: String,
    pub value: String,
    pub line: usize,
}

/// All properties in the file's order; of a key that occurs twice, the later one counts. The error
/// is an escape that is no character, with its line.
///
/// Java reads the bytes as Latin-1. We read UTF-8 where the bytes are UTF-8, and Latin-1 otherwise:
/// plain ASCII is the same in both, and a path with an umlaut then means what its author sees.
pub fn parse(bytes: &[u8]) -> Result<Vec<Property>, String> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    };
    let mut properties = Vec::new();
    for (line, logical) in logical_lines(&text) {
        let (key, value) = split(&logical);
        let unescape =
            |raw: &str| unescape(raw).map_err(|problem| format!("line {line}: {problem}"));
        properties.push(Property { key: unescape(key)?, value: unescape(value)?, line });
    }
    Ok(properties)
}

/// Lines without comments and blank ones, continued lines joined, leading blanks removed, with
/// their first line's number.
fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let normalized = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut logical_lines = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (index, natural) in normalized.split('\n').enumerate() {
        let trimmed = natural.trim_start_matches(is_blank);
        if open.is_none() && (trimmed.is_empty() || trimmed.starts_with(['#', '!'])) {
            continue;
        }
        let backslashes = trimmed.len() - trimmed.trim_end_matches('\\').len();
        let continues = backslashes % 2 == 1;
        let (line, mut joined) = open.take().unwrap_or((index + 1, String::new()));
        joined.push_str(if continues { &trimmed[..trimmed.len() - 1] } else { trimmed });
        match continues {
            true => open = Some((line, joined)),
            false if joined.is_empty() => {}
            false => logical_lines.push((line, joined)),
        }
    }
    // A continuation at the end of the file continues with nothing.
    logical_lines.extend(open.filter(|(_, joined)| !joined.is_empty()));
    logical_lines
}

fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\u{c}')
}

/// The raw key and value: the key ends at the first separator that no backslash precedes; one `=`
/// or `:` and the blanks around it are dropped.
fn split(logical: &str) -> (&str, &str) {
    let mut escaped = false;
    let end = logical.find(|character: char| {
        let separator = !escaped && (is_blank(character) || matches!(character, '=' | ':'));
        escaped = character == '\\' && !escaped;
        separator
    });
    let Some(end) = end else { return (logical, "") };
    let rest = logical[end..].trim_start_matches(is_blank);
    let rest = rest.strip_prefix(['=', ':']).unwrap_or(rest);
    (&logical[..end], rest.trim_start_matches(is_blank))
}

fn unescape(raw: &str) -> Result<String, String> {
    // Java's characters are UTF-16 units: one outside the basic plane is written as two escapes.
    let mut units: Vec<u16> = Vec::with_capacity(raw.len());
    let mut characters = raw.chars();
    while let Some(character) = characters.next() {
        let plain = match character {
            '\\' => match characters.next() {
                None => break,
                Some('t') => '\t',
                Some('r') => '\r',
                Some('n') => '\n',
                Some('f') => '\u{c}',
                Some('u') => {
                    let digits: String = characters.by_ref().take(4).collect();
                    let good =
                        digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
                    let unit = u16::from_str_radix(&digits, 16).ok().filter(|_| good);
                    units.push(unit.ok_or_else(|| {
                        format!("'\\u{digits}' is not \\u with four hexadecimal digits")
                    })?);
                    continue;
                }
                Some(other) => other,
            },
            other => other,
        };
        units.extend_from_slice(plain.encode_utf16(&mut [0; 2]));
    }
    Ok(String::from_utf16_lossy(&units))
}

#[cfg(test)]
mod tests;
