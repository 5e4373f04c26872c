//! Free slots of an agenda, Cal.com included: what `slots` shows and what `create-booking` accepts.
//! Never a guess: a calendar that cannot be read is an error, not an empty week.

use std::time::Duration;

use jiff::Timestamp;

use crate::calcom::{Calcom, CalcomError};
use crate::config::{self, ConfigError, Secret};
use crate::db::artists::{Agenda, CalendarAccess};
use crate::domain::ids::ArtistId;
use crate::domain::slots::{Interval, Schedule};
use crate::error::Error;
use crate::vault::Vault;

/// The calendars of the artists who use Cal.com.
#[derive(Debug)]
pub struct Calendars {
    calcom: Calcom,
    vault: Vault,
}

impl Calendars {
    /// Calendars at `CALCOM_API_BASE`, with keys sealed under `ENCRYPTION_KEY`.
    ///
    /// # Errors
    /// A setting is missing or malformed.
    pub fn from_env(http: reqwest::Client) -> Result<Self, ConfigError> {
        let vault = Vault::new(&config::secret("ENCRYPTION_KEY")?)
            .map_err(|error| ConfigError::Invalid { name: "ENCRYPTION_KEY", why: error.to_string() })?;
        Ok(Self { calcom: Calcom::from_env(http), vault })
    }

    /// Calendars from given parts.
    pub fn new(calcom: Calcom, vault: Vault) -> Self {
        Self { calcom, vault }
    }

    /// The API itself.
    pub fn calcom(&self) -> &Calcom {
        &self.calcom
    }

    /// What seals and opens the artists' keys.
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// Opens an artist's key.
    ///
    /// # Errors
    /// It was sealed with another key.
    pub fn key(&self, artist: ArtistId, access: &CalendarAccess) -> Result<Secret, Error> {
        self.vault
            .open(artist.uuid(), &access.sealed_key)
            .map_err(|error| Error::Internal(format!("the Cal.com key of artist {artist}: {error}")))
    }

    /// Opens what an artist's webhooks are signed with; none when the artist has no subscription.
    ///
    /// # Errors
    /// It was sealed with another key.
    pub fn webhook_secret(&self, artist: ArtistId, sealed: Option<&[u8]>) -> Result<Option<Secret>, Error> {
        sealed
            .map(|sealed| self.vault.open(artist.uuid(), sealed))
            .transpose()
            .map_err(|error| Error::Internal(format!("the webhook secret of artist {artist}: {error}")))
    }

    /// The schedule of an agenda, with Cal.com's free starts in `window` when the artist uses it.
    ///
    /// # Errors
    /// [`Error::CalendarUnavailable`] when Cal.com cannot be read.
    pub async fn schedule(&self, agenda: &Agenda, window: Interval, now: Timestamp) -> Result<Schedule, Error> {
        let starts = match &agenda.artist.calendar {
            None => None,
            Some(access) => {
                let key = self.key(agenda.artist.id, access)?;
                // Cal.com refuses a range in the past.
                let from = window.start.max(now);
                let starts = self.calcom.slots(&key, access.event_type, from, window.end, agenda.duration_minutes());
                Some(starts.await.map_err(|error| unavailable(&error))?)
            }
        };
        Ok(agenda.schedule(starts, now))
    }
}

fn unavailable(error: &CalcomError) -> Error {
    match error {
        CalcomError::RateLimited { retry_after } => {
            Error::CalendarUnavailable(format!("rate limited for {} s", retry_after.max(&Duration::ZERO).as_secs()))
        }
        other => Error::CalendarUnavailable(other.to_string()),
    }
}
