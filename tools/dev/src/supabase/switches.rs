//! The failures that the stand-in for Supabase can be told to have, and how the project is configured.

use serde::{Deserialize, Serialize};

use crate::stand_in::Troubles;

/// The failures that are switched on, and how the project is configured.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Switches {
    /// Failures of the API as a whole.
    #[serde(flatten)]
    pub api: Troubles,
    /// A new account needs no confirmation by mail.
    pub autoconfirm: bool,
    /// Nobody new may sign up.
    pub signup_disabled: bool,
    /// Mails go to nobody but the project's team, as by the sender that Supabase brings.
    pub built_in_sender: bool,
    /// Calls are limited by address, as a project does from the start.
    pub rate_limits: bool,
    /// The project believes `Sb-Forwarded-For` beside a secret key.
    pub forwarding: bool,
}
