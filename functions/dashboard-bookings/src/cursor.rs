//! Where a page of a list ended, in a form that a browser carries. It opens nothing: whose bookings are listed is
//! decided by the token.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use shared::db::dashboard::Place;
use shared::error::Error;
use uuid::Uuid;

/// How long a list is read on as it was when it was opened.
const LIFE: SignedDuration = SignedDuration::from_hours(1);

/// Where a page ended, and when the list was opened: a booking that begins in between stays where it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    pub place: Place,
    pub opened_at: Timestamp,
}

impl Cursor {
    pub fn write(&self) -> String {
        let Place { group, start, id } = self.place;
        let text = format!("{group}.{}.{}.{id}", start.as_microsecond(), self.opened_at.as_microsecond());
        BASE64_URL_SAFE_NO_PAD.encode(text)
    }

    /// Reads a cursor. A list that was opened long ago goes on as of now.
    ///
    /// # Errors
    /// It is none of ours.
    pub fn read(text: &str, now: Timestamp) -> Result<Self, Error> {
        let malformed = || Error::Malformed("the parameter `cursor` is not one that a list has given".into());
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| malformed())?;
        let text = String::from_utf8(bytes).map_err(|_| malformed())?;
        let parts: Vec<&str> = text.split('.').collect();
        let [group, start, opened_at, id] = parts[..] else { return Err(malformed()) };
        let instant = |text: &str| text.parse().ok().and_then(|micros| Timestamp::from_microsecond(micros).ok());
        let group = group.parse().ok().filter(|group| (0..=2).contains(group)).ok_or_else(malformed)?;
        let start = instant(start).filter(|start| *start > Timestamp::UNIX_EPOCH).ok_or_else(malformed)?;
        let id: Uuid = id.parse().map_err(|_| malformed())?;
        let opened_at = instant(opened_at).ok_or_else(malformed)?;
        let still = opened_at <= now && now.duration_since(opened_at) <= LIFE;
        Ok(Self { place: Place { group, start, id }, opened_at: if still { opened_at } else { now } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_was() {
        let now: Timestamp = "2027-02-01T08:00:00Z".parse().expect("an instant");
        let start: Timestamp = "2027-03-01T08:00:00.000001Z".parse().expect("an instant");
        let cursor = Cursor { place: Place { group: 1, start, id: Uuid::from_u128(7) }, opened_at: now };
        assert_eq!(Cursor::read(&cursor.write(), now).expect("ours"), cursor);
        let later = now.checked_add(SignedDuration::from_hours(2)).expect("in range");
        assert_eq!(Cursor::read(&cursor.write(), later).expect("ours").opened_at, later);
        let earlier = now.checked_sub(SignedDuration::from_hours(2)).expect("in range");
        assert_eq!(Cursor::read(&cursor.write(), earlier).expect("ours").opened_at, earlier);
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        let now = Timestamp::UNIX_EPOCH;
        let of = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
        let id = Uuid::nil();
        for text in [
            "",
            "%",
            "abc",
            &of("1.2.3"),
            &of(&format!("3.1.1.{id}")),
            &of(&format!("0.99999999999999999999.1.{id}")),
            &of(&format!("0.9223372036854775807.1.{id}")),
            &of(&format!("0.-1.1.{id}")),
            &of("0.1.1.nobody"),
        ] {
            assert!(Cursor::read(text, now).is_err(), "{text}");
        }
    }
}
