//! `GET /api/bookings/{id}/calendar.ics`: an appointment as the holder of its link takes it into a calendar.

use lambda_http::http::{self as web, header};
use lambda_http::{Body, Request, Response};
use shared::appointment::{self, Appointment};
use shared::clock::Clock;
use shared::config::{self, ConfigError};
use shared::db::{Db, dossier};
use shared::domain::ids::BookingId;
use shared::error::Error;
use shared::http::{self, Reply};
use shared::ics::Method;
use shared::mail;

pub mod api;

/// What the function works with.
#[expect(missing_debug_implementations, reason = "it holds secrets")]
pub struct App {
    pub db: Db,
    pub clock: Clock,
    /// Origin of the site.
    pub public_url: String,
    /// The address that mails come from: the file names it as the mail does.
    pub sender: String,
}

impl App {
    pub fn from_env() -> Result<Self, ConfigError> {
        Ok(Self {
            db: Db::from_env()?,
            clock: config::clock()?,
            public_url: config::public_url()?,
            sender: mail::sender(&config::required("MAIL_FROM")?)?,
        })
    }
}

/// The appointment as a calendar file: what the confirmation mail carries, but for who is invited and asked to do what.
///
/// A program that opens a file takes a published event in without a word, and an invitation as a question to somebody.
/// Only an appointment that stands has one.
pub async fn handle(app: &App, request: Request) -> Reply {
    let id = match (http::segments(&request, "/api/bookings")?.as_slice(), request.method()) {
        ([id, "calendar.ics"], &web::Method::GET) => id.parse::<BookingId>().map_err(|_| Error::NotFound)?,
        ([_, "calendar.ics"], _) => return Err(Error::MethodNotAllowed),
        _ => return Err(Error::NotFound),
    };
    let dossier = dossier::read(&app.db, id).await?.ok_or(Error::NotFound)?;
    let booking = &dossier.booking;
    if !booking.state.status.stands() {
        return Err(Error::NotFound);
    }
    let locale = dossier.client.locale;
    let appointment = Appointment {
        id,
        version: booking.version,
        locale,
        title: appointment::title(&dossier.title, locale),
        artist: &dossier.artist.name,
        place: &appointment::place(&dossier.artist.address, &dossier.artist.city),
        starts_at: booking.starts_at,
        ends_at: booking.ends_at,
        public_url: &app.public_url,
    };
    let file = appointment.file_for_client(Method::Publish, &app.sender, None, app.clock.now());
    Response::builder()
        .header(header::CONTENT_TYPE, "text/calendar; charset=utf-8; method=PUBLISH")
        .header(header::CONTENT_DISPOSITION, "attachment; filename=\"rendez-vous.ics\"")
        .body(Body::Text(file))
        .map_err(|error| Error::Internal(error.to_string()))
}
