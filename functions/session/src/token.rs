//! What a refresh token of Supabase Auth looks like. What does not look like one is not worth a call: the calls are counted
//! there, and one visitor's invented tokens would use up what all artists have.
//!
//! As in Supabase Auth's own `internal/crypto/refresh_tokens.go` and `internal/api/token_refresh.go`.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use uuid::Uuid;

/// The length of the older kind, which is letters and digits by chance.
const OLDER: usize = 12;

/// The newer kind: a version, the session, a counter of one to nine bytes, a signature, and a checksum.
const VERSION: u8 = 0;
const SESSION: usize = 16;
const COUNTER: std::ops::RangeInclusive<usize> = 1..=9;
const SIGNATURE: usize = 16;
const CHECKSUM: usize = 4;

/// A text that has the shape of a refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Twelve letters and digits.
    Older,
    /// It names its session, and its checksum is right. Only Supabase can tell whether the signature is.
    Newer {
        /// The session that it says it is of.
        session: Uuid,
    },
}

/// The shape of a refresh token; none when it cannot be one.
pub fn shape(text: &str) -> Option<Shape> {
    if text.len() == OLDER {
        let plain = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        return plain.then_some(Shape::Older);
    }
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
    let (message, checksum) = bytes.split_at_checked(bytes.len().checked_sub(CHECKSUM)?)?;
    let counter = message.len().checked_sub(1 + SESSION + SIGNATURE)?;
    let session = Uuid::from_slice(message.get(1..=SESSION)?).ok()?;
    let sound = message[0] == VERSION
        && COUNTER.contains(&counter)
        && digest(&SHA256, message).as_ref().get(..CHECKSUM) == Some(checksum);
    sound.then_some(Shape::Newer { session })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(version: u8, counter: &[u8], checksum: Option<[u8; 4]>) -> String {
        let message = [&[version][..], &[7; SESSION], counter, &[9; SIGNATURE]].concat();
        let sum = checksum.map_or_else(|| digest(&SHA256, &message).as_ref()[..4].to_vec(), |sum| sum.to_vec());
        BASE64_URL_SAFE_NO_PAD.encode([message, sum].concat())
    }

    #[test]
    fn both_kinds_of_supabase_are_known() {
        assert_eq!(shape("abcdefghijk1"), Some(Shape::Older));
        let session = Uuid::from_bytes([7; SESSION]);
        for counter in [&[0][..], &[0x80, 1], &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]] {
            assert_eq!(shape(&token(0, counter, None)), Some(Shape::Newer { session }));
        }
    }

    #[test]
    fn what_is_none_is_told_without_asking() {
        for text in
            ["", "made-up-1", "ABCDEFGHIJKL", "abcdefghijk", "abcdefghijklm", "abcdefghijk-", "=", &"a".repeat(4000)]
        {
            assert_eq!(shape(text), None, "{text}");
        }
        assert_eq!(shape(&token(1, &[0], None)), None, "another version");
        assert_eq!(shape(&token(0, &[], None)), None, "no counter");
        assert_eq!(shape(&token(0, &[0x80; 10], None)), None, "a counter of ten bytes");
        assert_eq!(shape(&token(0, &[0], Some([0; 4]))), None, "another checksum");
    }
}
