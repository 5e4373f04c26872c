//! The failures that the stand-in for Cal.com can be told to have, and who cancels in its pages.

use serde::{Deserialize, Serialize};

use crate::stand_in::Troubles;

/// The failures that are switched on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Switches {
    /// Failures of the API as a whole.
    #[serde(flatten)]
    pub api: Troubles,
    /// So many of the next creations lose a race: 409, and nothing is created.
    pub conflict: u32,
    /// Errors come as `{statusCode, message}` instead of in the usual envelope.
    pub bare_errors: bool,
    /// The list of slots also has slots outside the range asked for, a known bug of the real one.
    pub slots_outside_range: bool,
    /// No webhook is sent.
    pub drop_webhooks: bool,
    /// Bookings are not found: 404 by their uid, and every list of them is empty. They are there all the same.
    pub bookings_not_found: bool,
    /// Every event type has "Disable cancelling" switched on.
    pub disable_cancelling: bool,
}

/// Who cancels a booking in Cal.com's own pages and mails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Canceller {
    /// The host, who has to say why.
    #[default]
    Artist,
    /// The attendee, by the link in Cal.com's mail.
    Client,
    /// The host, who asks the attendee for another time. To whoever reads the booking it looks like the host's
    /// cancellation; only the webhook tells.
    Reschedule,
    /// Somebody whom the booking does not name.
    Somebody,
}
