//! Free slots of an agenda, Cal.com included: what `slots` shows and what `create-booking` accepts.
//! Never a guess: a calendar that cannot be read is an error, not an empty week.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use crate::calcom::{Calcom, CalcomError};
use crate::config::{self, ConfigError, Secret};
use crate::db::Db;
use crate::db::answers::{Answered, Asked, FOR_ONE, FRESH_FOR, KNOWN_FOR, Known, Times, agenda_to_show};
use crate::db::artists::{Agenda, CalendarAccess};
use crate::domain::ids::{ArtistId, FlashId};
use crate::domain::slots::{Interval, Schedule};
use crate::error::Error;
use crate::vault::Vault;

/// How often an artist's Cal.com is asked in a minute for people who look. It allows 120 to each key: the rest is for
/// those who book, and for what follows.
const FOR_ALL: i32 = 60;

/// The most answers that a sandbox keeps.
const KEPT: usize = 200;

/// The calendars of the artists who use Cal.com.
#[derive(Debug)]
pub struct Calendars {
    calcom: Calcom,
    vault: Vault,
    memory: Mutex<Memory>,
}

/// What a sandbox knows of Cal.com's answers.
#[derive(Debug, Default)]
struct Memory {
    answers: HashMap<Asked, Answered>,
    /// Those that the database was not told yet: they travel with the next question.
    untold: Vec<(Asked, Answered)>,
    /// The artists whose Cal.com wants to be left alone, and until when.
    limited: HashMap<ArtistId, Timestamp>,
}

impl Memory {
    fn learn(&mut self, asked: Asked, answered: Answered, now: Timestamp) {
        self.answers.retain(|_, known| is_within(known.at, KNOWN_FOR, now));
        if self.answers.len() < KEPT {
            self.answers.insert(asked, answered.clone());
        }
        if self.untold.len() < KEPT {
            self.untold.push((asked, answered));
        }
    }
}

fn is_within(at: Timestamp, age: SignedDuration, now: Timestamp) -> bool {
    now.duration_since(at) < age
}

/// How many days lie between two questions to Cal.com, and how many each is about: any 31 days and what is around them.
const GRID_DAYS: i64 = 28;
const ASKED_DAYS: i64 = 70;

/// What Cal.com is asked about for somebody who looks at `window`. The same for all who look at about those days: there are a
/// handful of questions about a year, however many ways there are to ask for its days, and all their answers are soon known.
fn asked_about(window: Interval) -> Interval {
    const DAY: i64 = 24 * 3600;
    let start = window.start.as_second().div_euclid(GRID_DAYS * DAY) * GRID_DAYS * DAY;
    let at = |second| Timestamp::from_second(second);
    let (start, end) = (at(start), at(start + ASKED_DAYS * DAY));
    // At the ends of the calendar, where nothing is to be had.
    Interval { start: start.unwrap_or(window.start), end: end.unwrap_or(window.end).max(window.end) }
}

/// Whose free times somebody looks at.
#[derive(Debug, Clone, Copy)]
pub struct Look<'a> {
    pub slug: &'a str,
    /// The flash, or none for a project.
    pub flash: Option<FlashId>,
    /// The first day; none for today.
    pub from: Option<Date>,
    pub window: Interval,
    /// Who looks: no name, only told apart from others.
    pub visitor: &'a str,
}

impl Calendars {
    /// Calendars at `CALCOM_API_BASE`, with keys sealed under `ENCRYPTION_KEY`.
    pub fn from_env(http: reqwest::Client) -> Result<Self, ConfigError> {
        let vault = Vault::new(&config::secret("ENCRYPTION_KEY")?)
            .map_err(|error| ConfigError::Invalid { name: "ENCRYPTION_KEY", why: error.to_string() })?;
        Ok(Self::new(Calcom::from_env(http), vault))
    }

    pub fn new(calcom: Calcom, vault: Vault) -> Self {
        Self { calcom, vault, memory: Mutex::default() }
    }

    pub fn calcom(&self) -> &Calcom {
        &self.calcom
    }

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

    fn memory(&self) -> std::sync::MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The agenda and the schedule for somebody who looks; none when there is no such artist. One flight.
    ///
    /// What Cal.com said some seconds ago is good enough to be looked at, and what it said some minutes ago while it must
    /// not be asked: whoever books is decided upon by a new answer.
    ///
    /// # Errors
    /// [`Error::TooManyRequests`] when this visitor has asked for too many days, [`Error::CalendarUnavailable`] when
    /// Cal.com cannot be read, or the database failed.
    pub async fn look(&self, db: &Db, look: &Look<'_>, now: Timestamp) -> Result<Option<(Agenda, Schedule)>, Error> {
        let told = std::mem::take(&mut self.memory().untold);
        let asked = asked_about(look.window);
        let times = Times { shown: look.window, asked };
        let found = agenda_to_show(db, look.slug, look.flash, times, look.visitor, &told, now).await?;
        let Some((agenda, known)) = found else { return Ok(None) };
        let from = look.from.unwrap_or_else(|| now.to_zoned(agenda.artist.zone.clone()).date());
        let starts = match &agenda.artist.calendar {
            // Whatever Cal.com has there is not on offer.
            _ if from > agenda.bookable_until(now) || agenda.flash.is_none() && look.flash.is_some() => {
                Some(Vec::new())
            }
            None => None,
            Some(access) => {
                let mut starts = self.shown(&agenda, access, asked, known, now).await?;
                // Of the rest the agenda here says nothing.
                starts.retain(|start| look.window.start <= *start && *start < look.window.end);
                Some(starts)
            }
        };
        let schedule = agenda.schedule(starts, now);
        Ok(Some((agenda, schedule)))
    }

    /// The free starts to show: kept ones while they are fresh, or while Cal.com must not be asked; else new ones.
    async fn shown(
        &self,
        agenda: &Agenda,
        access: &CalendarAccess,
        window: Interval,
        known: Known,
        now: Timestamp,
    ) -> Result<Vec<Timestamp>, Error> {
        let artist = agenda.artist.id;
        let asked = Asked { artist, event_type: access.event_type, minutes: agenda.duration_minutes(), window };
        let (own, limited) = {
            let memory = self.memory();
            (memory.answers.get(&asked).cloned(), memory.limited.get(&artist).copied())
        };
        let newest = [known.answered, own].into_iter().flatten().max_by_key(|answered| answered.at);
        let newest = newest.filter(|answered| is_within(answered.at, KNOWN_FOR, now));
        if let Some(answered) = &newest
            && is_within(answered.at, FRESH_FOR, now)
        {
            return Ok(answered.starts.clone());
        }
        let spent = known.asked_by_all > FOR_ALL || limited.is_some_and(|until| now < until);
        if spent || known.asked_by_one > FOR_ONE {
            return match newest {
                Some(answered) => Ok(answered.starts),
                None if !spent => Err(Error::TooManyRequests { retry_after: Duration::from_secs(60) }),
                None => Err(Error::CalendarUnavailable("it was asked often enough in this minute".into())),
            };
        }
        let key = self.key(artist, access)?;
        // Cal.com refuses a range in the past.
        let from = window.start.max(now);
        match self.calcom.slots(&key, access.event_type, from, window.end, agenda.duration_minutes()).await {
            Ok(starts) => {
                self.memory().learn(asked, Answered { starts: starts.clone(), at: now }, now);
                Ok(starts)
            }
            Err(error @ CalcomError::RateLimited { retry_after }) => {
                let until = now.saturating_add(retry_after).unwrap_or(now);
                self.memory().limited.insert(artist, until);
                newest.map(|answered| answered.starts).ok_or_else(|| unavailable(&error))
            }
            Err(error) => Err(unavailable(&error)),
        }
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
