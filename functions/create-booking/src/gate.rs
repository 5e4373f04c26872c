//! What a wish must pass where there are many unpaid holds.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use lambda_http::Request;
use shared::db::holds::{Context, Networks};
use shared::domain::booking::hold_end;
use shared::domain::local::LocalTime;
use shared::domain::refusal::Refusal;
use shared::domain::shares::{Full, Load, Terms};
use shared::domain::time::after;
use shared::error::Error;
use shared::proof::{self, Solved};
use uuid::Uuid;

use crate::request::Wish;
use crate::{App, RATE_WINDOW, window_start};

/// A wide network (a carrier, a school) may ask this many times as often as a household.
const WIDE: i32 = 10;

/// Beyond its limit a network is asked for proofs, and beyond so many times its limit it has to wait.
const PATIENCE: i32 = 5;

/// The level of the proof that is wanted of a network beyond its limit.
const HARD: u8 = 3;

/// A proof is good for this artist and this mail address: a telephone that changes networks keeps it.
pub(crate) struct Gate<'a> {
    pub(crate) app: &'a App,
    pub(crate) wish: &'a Wish,
    pub(crate) email: &'a str,
    pub(crate) networks: &'a Networks,
    pub(crate) zone: &'a TimeZone,
    pub(crate) now: Timestamp,
}

impl Gate<'_> {
    fn subject(&self) -> String {
        format!("{} {}", self.wish.artist, self.email)
    }

    /// What the client has done for it.
    pub(crate) fn proof(&self, request: &Request) -> Option<Solved> {
        let solution = request.headers().get(proof::HEADER)?.to_str().ok()?;
        proof::solved(&self.app.db, solution, &self.subject(), self.now)
    }

    /// The level of the proof that a network needs that asks very often.
    pub(crate) fn asks_often(&self, context: &Context) -> Result<u8, Error> {
        let limit = self.app.limits.requests_per_hour;
        let within = |times: i32| {
            let near = !self.networks.is_household || context.requests_near <= limit.saturating_mul(times);
            near && context.requests_wide <= limit.saturating_mul(WIDE).saturating_mul(times)
        };
        if !within(PATIENCE) {
            let end = after(window_start(self.now), RATE_WINDOW);
            return Err(Error::TooManyRequests { retry_after: end.duration_since(self.now).unsigned_abs() });
        }
        Ok(if within(1) { 0 } else { HARD })
    }

    /// The terms on which the wish may be held beside these, with this proof.
    pub(crate) fn pass(&self, load: &Load, level: u8, proof: Option<&Solved>) -> Result<Terms, Error> {
        let shares = self.app.limits.shares();
        let terms = match shares.terms(load, self.networks.is_household, self.now) {
            Ok(terms) => Terms { level: terms.level.max(level), ..terms },
            Err(full) => return Err(self.full(full)),
        };
        if terms.level > proof.map_or(0, |proof| proof.level) { Err(self.ask_for_proof(terms)) } else { Ok(terms) }
    }

    pub(crate) fn ask_for_proof(&self, terms: Terms) -> Error {
        tracing::info!(artist = %self.wish.artist, level = terms.level, "a hold wants a proof");
        let hold = terms.hold(self.app.hold);
        let nonce = Uuid::now_v7().as_u128();
        let puzzle = proof::pose(&self.app.db, &self.subject(), terms.level, nonce, hold, self.now);
        Error::ProofRequired { proof: serde_json::to_value(puzzle).unwrap_or_default() }
    }

    fn full(&self, full: Full) -> Error {
        let wait = |until: Timestamp| until.duration_since(self.now).max(SignedDuration::ZERO).unsigned_abs();
        match full {
            Full::Client => Refusal::TooManyHoldsByClient.into(),
            Full::Network(until) => {
                tracing::info!(artist = %self.wish.artist, "a network holds too much");
                let soonest = until.unwrap_or_else(|| hold_end(self.now, self.app.hold));
                Error::NetworkIsFull { retry_after: wait(soonest) }
            }
            Full::Flash(until) => {
                let studio = LocalTime::of(until, self.zone);
                Error::FlashRests { until: studio.to_string(), retry_after: wait(until) }
            }
        }
    }
}
