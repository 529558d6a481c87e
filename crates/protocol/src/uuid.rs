//! Kafka's 16-byte identifiers (topics, directories, incarnations) and their text form.

use std::fmt;
use std::str::FromStr;

/// Digits of URL-safe base64 (RFC 4648 §5), by value.
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Characters of the text form: 128 bits at 6 per character, without padding.
const TEXT_LENGTH: usize = 22;

/// A 128-bit identifier in network byte order. Its text is URL-safe base64 without padding (22
/// characters), as `org.apache.kafka.common.Uuid` prints it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Uuid(pub [u8; 16]);

impl Uuid {
    /// "No identifier" on the wire.
    pub const ZERO: Uuid = Uuid([0; 16]);

    /// The topic id of `__cluster_metadata`.
    pub const METADATA_TOPIC: Uuid = Uuid::from_u128(1);

    pub const fn from_u128(value: u128) -> Uuid {
        Uuid(value.to_be_bytes())
    }

    pub const fn as_u128(self) -> u128 {
        u128::from_be_bytes(self.0)
    }

    pub const fn is_zero(self) -> bool {
        self.as_u128() == 0
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.as_u128();
        let mut text = [0u8; TEXT_LENGTH];
        for (index, character) in text.iter_mut().enumerate() {
            // The last character holds the two low bits followed by four zero bits.
            let digit =
                if index == TEXT_LENGTH - 1 { value << 4 } else { value >> (122 - 6 * index) };
            *character = DIGITS[(digit & 0x3f) as usize];
        }
        f.pad(std::str::from_utf8(&text).expect("base64 digits are ASCII"))
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not 22 characters of URL-safe base64 that hold exactly 16 bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no identifier: 22 characters of URL-safe base64 without padding are expected")]
pub struct UuidError(String);

impl FromStr for Uuid {
    type Err = UuidError;

    fn from_str(text: &str) -> Result<Self, UuidError> {
        let refuse = || UuidError(text.chars().take(2 * TEXT_LENGTH).collect());
        if text.len() != TEXT_LENGTH {
            return Err(refuse());
        }
        let mut value = 0u128;
        for (index, character) in text.bytes().enumerate() {
            let digit =
                DIGITS.iter().position(|&digit| digit == character).ok_or_else(refuse)? as u128;
            if index < TEXT_LENGTH - 1 {
                value = value << 6 | digit;
            } else if digit & 0xf == 0 {
                value = value << 2 | digit >> 4;
            } else {
                return Err(refuse());
            }
        }
        Ok(Uuid::from_u128(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_texts() {
        assert_eq!(Uuid::ZERO.to_string(), "AAAAAAAAAAAAAAAAAAAAAA");
        assert_eq!(Uuid::METADATA_TOPIC.to_string(), "AAAAAAAAAAAAAAAAAAAAAQ");
        assert_eq!("AAAAAAAAAAAAAAAAAAAAAQ".parse(), Ok(Uuid::METADATA_TOPIC));
    }

    #[test]
    fn refuses_what_does_not_hold_sixteen_bytes() {
        for text in [
            "",
            "AAAA",
            "AAAAAAAAAAAAAAAAAAAAAB",
            "AAAAAAAAAAAAAAAAAAAA+Q",
            "AAAAAAAAAAAAAAAAAAAAAQ==",
        ] {
            assert!(text.parse::<Uuid>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn text_round_trip(bytes: [u8; 16]) {
            prop_assert_eq!(Uuid(bytes).to_string().parse(), Ok(Uuid(bytes)));
        }
    }
}
