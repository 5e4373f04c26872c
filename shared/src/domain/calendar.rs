//! Who called an appointment off in the artist's calendar, and what that means for chair and money here. Pure.
//!
//! What is read there is weak evidence: the address of who cancelled is taken from the link in Cal.com's own mail, and
//! "request reschedule" looks like the host's cancellation. So money moves only on a story that fits; else the artist is
//! asked.

use super::named::named;

/// What is known of a cancellation in the calendar.
#[derive(Clone, Copy)]
pub struct CallOff<'a> {
    /// Who did it, as the calendar says.
    pub by: Option<&'a str>,
    /// The addresses of the client.
    pub client: &'a [&'a str],
    /// The addresses of the artist.
    pub artist: &'a [&'a str],
    /// The artist said no to a booking that waited for a yes: nobody else can.
    pub declined: bool,
    /// Whether it was asked for another time, in place of the appointment; none when nobody told.
    pub reschedule: Option<bool>,
}

/// What a cancellation in the calendar means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The client gave the appointment up: the policy says what goes back.
    Client,
    /// The artist called it off: everything goes back.
    Artist,
    /// Nothing moves before the artist has decided.
    Ask(Question),
}

named! {
    /// Why the artist is asked.
    Question {
        /// The artist asked the client for another time.
        Reschedule = "reschedule_requested",
        /// The artist called it off or asked for another time: the calendar does not tell which.
        CancelOrReschedule = "cancelled_or_reschedule_requested",
        /// It is not known who called it off.
        Unknown = "cancelled_by_unknown",
        /// The calendar has lost it without a word.
        Gone = "gone",
    }
}

named! {
    /// What is known of a booking in the artist's Cal.com.
    CalendarState {
        /// The artist has no Cal.com.
        Off = "off",
        /// It is to be written there.
        Waiting = "waiting",
        /// It is there.
        Synced = "synced",
        /// It is not there, as it should be.
        Removed = "removed",
        /// Something else is there at that time.
        Conflict = "conflict",
        /// Cal.com refuses what is wanted.
        Failed = "failed",
        /// Somebody called it off there, and the artist is asked.
        CalledOff = "called_off",
    }
}

impl CallOff<'_> {
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let is = |people: &[&str]| {
            self.by.is_some_and(|by| {
                let by = by.trim();
                !by.is_empty() && people.iter().any(|one| one.trim().eq_ignore_ascii_case(by))
            })
        };
        match (self.declined, is(self.client), is(self.artist), self.reschedule) {
            (true, ..) => Verdict::Artist,
            (false, true, false, _) => Verdict::Client,
            (false, false, true, Some(false)) => Verdict::Artist,
            (false, false, true, None) => Verdict::Ask(Question::CancelOrReschedule),
            // Only the artist can ask for another time, whatever address stands there.
            (false, false, _, Some(true)) => Verdict::Ask(Question::Reschedule),
            // One address for both, or none that fits.
            (false, true, true, _) | (false, false, false, _) => Verdict::Ask(Question::Unknown),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CLIENT: &[&str] = &["jo@example.fr"];
    const ARTIST: &[&str] = &["noa@example.com", "studio@example.com"];

    fn of(by: Option<&str>, reschedule: Option<bool>) -> Verdict {
        CallOff { by, client: CLIENT, artist: ARTIST, declined: false, reschedule }.verdict()
    }

    #[test]
    fn the_client_is_known_by_the_address_however_it_is_written() {
        for by in ["jo@example.fr", "JO@Example.FR", " jo@example.fr "] {
            for reschedule in [None, Some(false), Some(true)] {
                assert_eq!(of(Some(by), reschedule), Verdict::Client, "{by} {reschedule:?}");
            }
        }
    }

    #[test]
    fn the_artist_gives_everything_back_only_when_it_was_a_cancellation() {
        for by in ARTIST {
            assert_eq!(of(Some(by), Some(false)), Verdict::Artist);
            assert_eq!(of(Some(by), Some(true)), Verdict::Ask(Question::Reschedule));
            assert_eq!(of(Some(by), None), Verdict::Ask(Question::CancelOrReschedule));
        }
        let declined = CallOff { by: None, client: CLIENT, artist: ARTIST, declined: true, reschedule: None };
        assert_eq!(declined.verdict(), Verdict::Artist);
    }

    #[test]
    fn somebody_else_moves_no_money() {
        for by in [None, Some(""), Some("boss@example.org"), Some("jo@example.fr.evil.example")] {
            for reschedule in [None, Some(false)] {
                assert_eq!(of(by, reschedule), Verdict::Ask(Question::Unknown), "{by:?}");
            }
        }
        // An artist who books an own appointment to try it is both.
        let both = CallOff {
            by: Some("noa@example.com"),
            client: &["noa@example.com"],
            artist: ARTIST,
            declined: false,
            reschedule: Some(false),
        };
        assert_eq!(both.verdict(), Verdict::Ask(Question::Unknown));
    }

    #[test]
    fn questions_have_names() {
        for question in Question::ALL {
            assert_eq!(Question::parse(question.name()), Some(*question));
        }
        assert_eq!(Question::parse("whatever"), None);
    }

    proptest! {
        #[test]
        fn money_moves_only_for_an_address_of_exactly_one_side(
            by in proptest::option::of("[a-c]@x"), client in proptest::collection::vec("[a-c]@x", 0..3),
            artist in proptest::collection::vec("[a-c]@x", 0..3), reschedule in proptest::option::of(any::<bool>()),
        ) {
            let client: Vec<&str> = client.iter().map(String::as_str).collect();
            let artist: Vec<&str> = artist.iter().map(String::as_str).collect();
            let call_off = CallOff { by: by.as_deref(), client: &client, artist: &artist, declined: false, reschedule };
            let by = by.as_deref().unwrap_or("nobody");
            match call_off.verdict() {
                Verdict::Client => prop_assert!(client.contains(&by) && !artist.contains(&by)),
                Verdict::Artist => {
                    prop_assert!(artist.contains(&by) && !client.contains(&by) && reschedule == Some(false));
                }
                Verdict::Ask(Question::Gone) => prop_assert!(false, "it is there, and cancelled"),
                Verdict::Ask(_) => prop_assert!(client.contains(&by) == artist.contains(&by) || reschedule != Some(false)),
            }
        }
    }
}
