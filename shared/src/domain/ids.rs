//! Identifiers that cannot be mixed up: one type per thing, each a UUID inside.
//! It makes none: a UUIDv7 holds the time, so whoever creates a row brings the UUID.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        #[derive(schemars::JsonSchema)]
        pub struct $name(Uuid);

        impl $name {
            /// Gives a UUID its meaning.
            #[must_use]
            pub const fn new(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The bare UUID, for the database.
            #[must_use]
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )+};
}

ids! {
    /// An artist.
    ArtistId;
    /// A booking, from hold to completion.
    BookingId;
    /// A flash, a ready-made drawing that a client can book.
    FlashId;
    /// A picture that an artist uploaded.
    ImageId;
    /// A stretch of time off.
    TimeOffId;
    /// A job of the outbox.
    JobId;
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "0192f3a4-5b6c-7d8e-9f00-112233445566";

    #[test]
    fn an_id_is_written_and_read_as_its_uuid() {
        let id: BookingId = TEXT.parse().expect("a valid UUID");
        assert_eq!(id.to_string(), TEXT);
        assert_eq!(BookingId::new(id.uuid()), id);

        let json = serde_json::to_string(&id).expect("an id serialises");
        assert_eq!(json, format!("\"{TEXT}\""));
        assert_eq!(serde_json::from_str::<BookingId>(&json).expect("and comes back"), id);
    }

    #[test]
    fn what_is_not_a_uuid_is_not_an_id() {
        for text in ["", "42", "0192f3a4-5b6c-7d8e-9f00", "../etc/passwd"] {
            assert!(text.parse::<ArtistId>().is_err(), "{text:?} was accepted");
        }
    }
}
