//! Where the studio is, and from when on a client is told.
//!
//! For somebody who works alone, at home, that is a matter of safety: the street leaves this service only where
//! [`AddressShown`] lets it. The town is public.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::booking::{Booking, Status};

/// From when on clients are told the street.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[derive(schemars::JsonSchema)]
pub enum AddressShown {
    /// Once the appointment stands: the deposit is in hand, or the artist has confirmed.
    #[default]
    AfterPayment,
    /// From the moment a client holds a slot, while they hold it.
    WithSummary,
    /// To everybody who opens the page.
    Public,
}

impl AddressShown {
    /// The name as stored and as sent.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AfterPayment => "after_payment",
            Self::WithSummary => "with_summary",
            Self::Public => "public",
        }
    }

    /// The value of a stored name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::AfterPayment, Self::WithSummary, Self::Public].into_iter().find(|shown| shown.name() == text)
    }

    /// The address as somebody may read it who has made no booking.
    #[must_use]
    pub fn on_the_page(self, address: String) -> Option<String> {
        Some(address).filter(|address| self == Self::Public && !address.is_empty())
    }

    /// The address as the client of `booking` may read it at `now`. A booking that was called off tells it no more.
    #[must_use]
    pub fn to_client(self, address: String, booking: &Booking, now: Timestamp) -> Option<String> {
        let told = match booking.state.status {
            Status::Confirmed | Status::Completed => true,
            Status::Pending => self == Self::WithSummary && !booking.has_lapsed(now),
            Status::Cancelled => false,
        };
        if told { Some(address).filter(|address| !address.is_empty()) } else { self.on_the_page(address) }
    }
}

/// A search on a map, for an address that somebody may read; the town is named where the address leaves it out.
#[must_use]
pub fn map_url(address: &str, city: &str) -> String {
    let query = if address.contains(city) { address.to_owned() } else { format!("{address}, {city}") };
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("query", &query).finish();
    format!("https://www.openstreetmap.org/search?{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_public_address_is_on_the_page() {
        let shown = |shown: AddressShown| shown.on_the_page("14 montée de la Grande-Côte".into());
        assert_eq!(shown(AddressShown::Public).as_deref(), Some("14 montée de la Grande-Côte"));
        assert_eq!((shown(AddressShown::AfterPayment), shown(AddressShown::WithSummary)), (None, None));
        assert_eq!(AddressShown::Public.on_the_page(String::new()), None, "nothing is no address");
        assert_eq!(AddressShown::default(), AddressShown::AfterPayment);
    }

    #[test]
    fn a_map_is_asked_for_the_address_with_its_town_once() {
        let whole = map_url("14 montée de la Grande-Côte, 69001 Lyon", "Lyon");
        let found = "https://www.openstreetmap.org/search?query=14+mont%C3%A9e+de+la+Grande-C%C3%B4te%2C+69001+Lyon";
        assert_eq!(whole, found);
        assert!(map_url("9 rue & cour", "Strasbourg").ends_with("query=9+rue+%26+cour%2C+Strasbourg"));
    }
}
