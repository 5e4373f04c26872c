//! The artist's bookings: the list with what waits for the artist first, one booking in full, and what can be done with
//! it. Each action names the version that was shown, so that two tabs cannot undo each other.

pub mod api;
pub mod cursor;
pub mod view;

mod csv;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use lambda_http::http::{Method, StatusCode, header};
use lambda_http::{Body, Request, Response};
use serde::Deserialize;
use serde_json::json;
use shared::auth::{Account, Auth};
use shared::calcom::Pages;
use shared::clock::Clock;
use shared::config::{self, ConfigError};
use shared::db::bookings::{self, Applied};
use shared::db::dashboard::{self, Detail, Filter, Selection};
use shared::db::{Db, calendar, holds, limits};
use shared::domain::booking::{Actor, Booking, CancelReason, Change, HistoryKind, Outcome};
use shared::domain::ids::{BookingId, JobId};
use shared::domain::job::{Occasion, Task, Template};
use shared::domain::local::LocalTime;
use shared::domain::locale::Locale;
use shared::domain::money::Cents;
use shared::domain::policy::Canceller;
use shared::domain::refusal::Refusal;
use shared::error::Error;
use shared::http::{self, Fields, Reply, Web};
use shared::queue::Queue;
use shared::settle::{self, Closed};
use shared::stripe::Stripe;
use shared::{aws, net};

use crate::cursor::Cursor;

/// The rows of a page, unless it is asked for fewer or more.
const PAGE: i64 = 30;

/// The most rows of a page.
const LONGEST_PAGE: i64 = 100;

/// The most lines of a file: the answer of a function is limited to 6 MB.
const LONGEST_FILE: i64 = 10_000;

/// The longest search, in characters.
const LONGEST_SEARCH: usize = 100;

/// The longest note, in characters.
const LONGEST_NOTE: usize = 2000;

/// How many suspicious holds are ended by one request.
const ENDED_AT_ONCE: usize = 12;

/// The mails that an artist may have sent again within an hour.
const RESENDS_PER_HOUR: i32 = 30;

/// What the function works with.
#[expect(missing_debug_implementations, reason = "it holds secrets")]
pub struct App {
    pub db: Db,
    pub auth: Auth,
    /// Stripe, to close a page before its hold is called off.
    pub stripe: Stripe,
    /// Carries the jobs that follow.
    pub queue: Queue,
    pub web: Web,
    pub clock: Clock,
    pub calcom_pages: Pages,
}

impl App {
    pub fn from_env(web: &Web) -> Result<Self, ConfigError> {
        let http = net::client(&net::tls());
        Ok(Self {
            db: Db::from_env()?,
            auth: Auth::from_env(&http, web)?,
            queue: Queue::from_env(&aws::settings(&http)?)?,
            stripe: Stripe::from_env(http)?,
            web: web.clone(),
            clock: config::clock()?,
            calcom_pages: Pages::from_env()?,
        })
    }
}

/// What an action was decided on.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
pub struct ActionRequest {
    /// The version that was shown.
    version: i32,
}

/// A cancellation, on the terms that were shown.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
pub struct CancelRequest {
    /// The version that was shown.
    version: i32,
    /// The refund that was shown.
    refund_cents: i64,
    /// Who calls it off.
    #[serde(default)]
    by: CancelledBy,
}

/// A part of the deposit that is to go back, while the appointment stands.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
pub struct RefundRequest {
    /// The version that was shown.
    version: i32,
    /// How much: at most `money.refundable_cents`.
    amount_cents: i64,
}

/// Who calls an appointment off in the dashboard.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[derive(schemars::JsonSchema)]
pub enum CancelledBy {
    /// The artist, who gives everything back.
    #[default]
    Artist,
    /// The client, who asked the artist to: the terms decide.
    Client,
}

impl CancelledBy {
    /// What calling `booking` off does.
    fn change(self, booking: &Booking, now: Timestamp) -> Change {
        match self {
            Self::Artist => booking.cancel(CancelReason::Artist, Canceller::Artist, now),
            Self::Client => booking.cancel_for_client(now),
        }
    }

    /// Whose terms apply.
    fn canceller(self) -> Canceller {
        match self {
            Self::Artist => Canceller::Artist,
            Self::Client => Canceller::Client,
        }
    }
}

/// The suspicious holds that were shown and are to end.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
pub struct EndRequest {
    /// Their ids.
    ids: Vec<BookingId>,
}

/// A note for the artist's own eyes.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
pub struct NoteRequest {
    /// The note; empty to take it away.
    note: String,
}

/// The mail that should be sent once more.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
pub struct ResendRequest {
    /// Which of the mails.
    template: String,
}

pub async fn handle(app: &App, request: Request) -> Reply {
    let now = app.clock.now();
    let user = app.auth.signed_in(&request, now).await?.account();
    let id = |text: &str| text.parse::<BookingId>().map_err(|_| Error::NotFound);
    match (http::segments(&request, "/api/dashboard")?.as_slice(), request.method()) {
        (["bookings"], &Method::GET) => list(app, user, &request, now).await,
        (["bookings.csv"], &Method::GET) => file(app, user, &request, now).await,
        (["bookings", "suspicious"], &Method::GET) => suspicious(app, user, now).await,
        (["bookings", "suspicious", "end"], &Method::POST) => {
            end_suspicious(app, user, &http::json(&request)?, now).await
        }
        (["bookings", booking], &Method::GET) => show(app, user, id(booking)?, http::language(&request), now).await,
        (["bookings", booking, action], &Method::POST) => act(app, user, id(booking)?, action, &request, now).await,
        (["bookings", booking, "jobs", job, "retry"], &Method::POST) => {
            retry(app, user, id(booking)?, job, http::language(&request), now).await
        }
        (
            ["bookings.csv"]
            | ["bookings"]
            | ["bookings", _]
            | ["bookings", _, _]
            | ["bookings", _, "jobs", _, "retry"],
            _,
        ) => Err(Error::MethodNotAllowed),
        _ => Err(Error::NotFound),
    }
}

/// What both forms of the list are asked for.
fn asked(request: &Request) -> Result<(Filter, Option<String>), Error> {
    let view = http::query(request, "view")?.unwrap_or_else(|| "all".into());
    let filter = Filter::parse(&view).ok_or_else(|| {
        Error::Malformed("the parameter `view` is one of all, todo, upcoming, past, cancelled".into())
    })?;
    let words = http::query(request, "q")?.map(|words| words.trim().to_owned()).filter(|words| !words.is_empty());
    if words.as_ref().is_some_and(|words| words.chars().count() > LONGEST_SEARCH || words.contains('\0')) {
        return Err(Error::Malformed(format!("the parameter `q` has at most {LONGEST_SEARCH} characters")));
    }
    Ok((filter, words))
}

async fn list(app: &App, user: Account, request: &Request, now: Timestamp) -> Reply {
    let (filter, words) = asked(request)?;
    let limit =
        match http::query(request, "limit")? {
            None => PAGE,
            Some(text) => text.parse().ok().filter(|limit| (1..=LONGEST_PAGE).contains(limit)).ok_or_else(|| {
                Error::Malformed(format!("the parameter `limit` is a number from 1 to {LONGEST_PAGE}"))
            })?,
        };
    let cursor = http::query(request, "cursor")?.map(|text| Cursor::read(&text, now)).transpose()?;
    let opened_at = cursor.map_or(now, |cursor| cursor.opened_at);
    let question = Selection {
        user,
        filter,
        words: words.as_deref(),
        after: cursor.map(|cursor| cursor.place),
        from: None,
        until: None,
        // One more than is shown tells whether there is another page.
        limit: limit + 1,
    };
    let mut entries = dashboard::list(&app.db, &question, opened_at).await?.entries;
    let shown = usize::try_from(limit).unwrap_or(usize::MAX);
    let next_cursor = (entries.len() > shown)
        .then(|| entries.get(shown - 1).map(|last| Cursor { place: last.place, opened_at }.write()))
        .flatten();
    entries.truncate(shown);
    let bookings = entries.into_iter().map(|entry| view::row(entry, now)).collect();
    http::reply(StatusCode::OK, &view::BookingList { bookings, next_cursor })
}

/// The list as a file. It is whole or refused: a file that ends early would be believed.
async fn file(app: &App, user: Account, request: &Request, now: Timestamp) -> Reply {
    let (filter, words) = asked(request)?;
    let date = |name: &str| -> Result<Option<Date>, Error> {
        let text = http::query(request, name)?;
        let read = text.map(|text| text.parse::<Date>());
        read.transpose().map_err(|_| Error::Malformed(format!("the parameter `{name}` is a date, e.g. 2026-12-01")))
    };
    let (from, to) = (date("from")?, date("to")?);
    // Whole days of UTC around the wished ones, cut to the artist's own days below. Nothing was booked before there were
    // computers, and Postgres knows no day of the Stone Age.
    let known = |at: Timestamp| at.max(Timestamp::UNIX_EPOCH);
    let from_utc = from.and_then(|date| date.yesterday().ok()).and_then(|date| at_midnight(date, &TimeZone::UTC));
    let until_utc =
        to.and_then(|date| date.checked_add(2.days()).ok()).and_then(|date| at_midnight(date, &TimeZone::UTC));
    let (from_utc, until_utc) = (from_utc.map(known), until_utc.map(known));
    let question = Selection {
        user,
        filter,
        words: words.as_deref(),
        after: None,
        from: from_utc,
        until: until_utc,
        limit: LONGEST_FILE + 1,
    };
    let page = dashboard::list(&app.db, &question, now).await?;
    if i64::try_from(page.entries.len()).unwrap_or(i64::MAX) > LONGEST_FILE {
        let detail = page.locale.pick(
            "Plus de 10 000 réservations : choisissez une période avec from et to.",
            "More than 10,000 bookings: choose a period with from and to.",
        );
        return Err(refused("/from", detail));
    }
    let mut entries = page.entries;
    entries.retain(|entry| {
        let day = LocalTime::of(entry.booking.starts_at, &entry.zone).date();
        from.is_none_or(|from| from <= day) && to.is_none_or(|to| day <= to)
    });
    let name = page.locale.pick("reservations", "bookings");
    Response::builder()
        .header(header::CONTENT_TYPE, "text/csv; charset=utf-8")
        .header(header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}.csv\""))
        .body(Body::Text(csv::write(&entries, page.locale)))
        .map_err(|error| Error::Internal(error.to_string()))
}

/// The refusal of one field.
fn refused(pointer: &str, detail: &str) -> Error {
    let mut fields = Fields::default();
    fields.refuse(pointer, detail);
    fields.into_error()
}

fn at_midnight(date: Date, zone: &TimeZone) -> Option<Timestamp> {
    date.to_zoned(zone.clone()).ok().map(|at| at.timestamp())
}

async fn show(app: &App, user: Account, id: BookingId, locale: Locale, now: Timestamp) -> Reply {
    let detail = dashboard::detail(&app.db, user, id, now).await?;
    http::reply(StatusCode::OK, &view::detail(detail, &app.calcom_pages, locale, now))
}

async fn act(app: &App, user: Account, id: BookingId, action: &str, request: &Request, now: Timestamp) -> Reply {
    let version = || http::json::<ActionRequest>(request).map(|request| request.version);
    match action {
        "confirm" => decide(app, user, id, version()?, now, |booking| booking.confirm_by_hand(now)).await?,
        "undo-confirm" => decide(app, user, id, version()?, now, |booking| booking.undo_confirmation(now)).await?,
        "complete" => decide(app, user, id, version()?, now, |booking| booking.complete(Actor::Artist, now)).await?,
        "no-show" => decide(app, user, id, version()?, now, |booking| booking.no_show(now)).await?,
        "put-back" => {
            let jobs = calendar::put_back(&app.db, user, id, version()?, now).await?;
            app.queue.hand_on(&jobs).await;
        }
        "accept" => decide(app, user, id, version()?, now, |booking| booking.accept_mismatch(now)).await?,
        "refund" => refund(app, user, id, &http::json(request)?, http::language(request), now).await?,
        "cancel" => cancel(app, user, id, &http::json(request)?, now).await?,
        "note" => {
            let note = http::json::<NoteRequest>(request)?.note;
            if note.chars().count() > LONGEST_NOTE || note.contains('\0') {
                let detail = http::language(request)
                    .pick("Cette note dépasse 2000 caractères.", "This note is longer than 2000 characters.");
                return Err(refused("/note", detail));
            }
            dashboard::write_note(&app.db, user, id, &note, now).await?;
        }
        "resend" => resend(app, user, id, &http::json(request)?, now).await?,
        _ => return Err(Error::NotFound),
    }
    show(app, user, id, http::language(request), now).await
}

/// The booking, if it is still what was shown.
async fn as_shown(app: &App, user: Account, id: BookingId, version: i32, now: Timestamp) -> Result<Detail, Error> {
    let detail = dashboard::detail(&app.db, user, id, now).await?;
    if detail.listed.booking.version == version { Ok(detail) } else { Err(Refusal::ChangedMeanwhile.into()) }
}

/// Lets the rules decide on the booking as it was shown, and writes what they decide unless it has changed meanwhile.
async fn decide(
    app: &App,
    user: Account,
    id: BookingId,
    version: i32,
    now: Timestamp,
    rule: impl Fn(&Booking) -> Change,
) -> Result<(), Error> {
    let booking = as_shown(app, user, id, version, now).await?.listed.booking;
    write(app, &booking, &rule(&booking), now).await
}

async fn write(app: &App, booking: &Booking, change: &Change, now: Timestamp) -> Result<(), Error> {
    if change.state.is_none() {
        return Err(match change.outcome {
            Outcome::TooLate => Refusal::TooLate.into(),
            _ => Refusal::NotPossible.into(),
        });
    }
    match bookings::apply(&app.db, booking, change, None, now).await? {
        Applied::Written(jobs) => {
            let wait = change.not_before.map_or(std::time::Duration::ZERO, |at| at.duration_since(now).unsigned_abs());
            app.queue.hand_on_after(&jobs, wait).await;
            Ok(())
        }
        Applied::Begun => Err(Refusal::TooLate.into()),
        Applied::Stale | Applied::KnownEvent => Err(Refusal::ChangedMeanwhile.into()),
    }
}

/// Gives a part of the deposit back, and calls nothing off.
async fn refund(
    app: &App,
    user: Account,
    id: BookingId,
    asked: &RefundRequest,
    locale: Locale,
    now: Timestamp,
) -> Result<(), Error> {
    let booking = as_shown(app, user, id, asked.version, now).await?.listed.booking;
    let (amount, most) = (Cents::new(asked.amount_cents), booking.refundable());
    if most > Cents::ZERO && (amount <= Cents::ZERO || amount > most) {
        let most = locale.euros(most);
        let detail = locale.pick(
            format!("Choisissez un montant entre 0,01 € et {most}."),
            format!("Choose an amount between €0.01 and {most}."),
        );
        return Err(refused("/amount_cents", &detail));
    }
    write(app, &booking, &booking.refund_by_hand(amount), now).await
}

/// Calls an appointment off on the terms that were shown, or not at all.
async fn cancel(app: &App, user: Account, id: BookingId, asked: &CancelRequest, now: Timestamp) -> Result<(), Error> {
    let booking = as_shown(app, user, id, asked.version, now).await?.listed.booking;
    let change = asked.by.change(&booking, now);
    let terms = booking.cancellation(asked.by.canceller(), now);
    if change.state.is_some() && terms.amount != Cents::new(asked.refund_cents) {
        return Err(Refusal::MoneyChanged.into());
    }
    // An unpaid hold: whoever is about to pay must not pay for nothing.
    if booking.deposit_due().is_some() {
        if asked.by == CancelledBy::Client {
            return Err(Refusal::NotPossible.into());
        }
        let hold = holds::get(&app.db, id).await?.ok_or(Refusal::ChangedMeanwhile)?;
        let closed = settle::close(&app.db, &app.stripe, &hold, &app.web.public_url, CancelReason::Artist, now).await;
        let closed = closed.map_err(|error| match error {
            Error::PaymentUnavailable(why) => Error::CheckoutStaysOpen(why),
            error => error,
        })?;
        app.queue.hand_on(closed.settled().jobs()).await;
        return match closed {
            Closed::Released(_) => Ok(()),
            // It was paid at the last moment: the appointment stands, and is called off on other terms.
            Closed::Kept(_) => Err(Refusal::ChangedMeanwhile.into()),
        };
    }
    write(app, &booking, &change, now).await
}

/// The unpaid holds that look as if nobody meant to pay them.
async fn suspicious(app: &App, user: Account, now: Timestamp) -> Reply {
    let suspects = holds::suspects(&app.db, user, now).await?;
    http::reply(StatusCode::OK, &view::suspicious(&suspects)?)
}

/// Ends the holds that were shown, as far as they are still suspicious: each is closed at Stripe first, and what is being paid
/// at this moment stays. Their clients are told nothing: their addresses may be anybody's.
async fn end_suspicious(app: &App, user: Account, asked: &EndRequest, now: Timestamp) -> Reply {
    let suspects = holds::suspects(&app.db, user, now).await?;
    let mut left = suspects.iter().filter(|suspect| asked.ids.contains(&suspect.id)).collect::<Vec<_>>();
    // Each is a call of Stripe, and a function ends: the page asks again for the rest.
    let rest = left.split_off(left.len().min(ENDED_AT_ONCE)).len();
    let mut ended = 0;
    for suspect in left {
        let Some(hold) = holds::get(&app.db, suspect.id).await? else { continue };
        let reason = CancelReason::HoldExpired;
        match settle::close(&app.db, &app.stripe, &hold, &app.web.public_url, reason, now).await {
            Ok(closed) => {
                app.queue.hand_on(closed.settled().jobs()).await;
                ended += usize::from(matches!(closed, Closed::Released(_)));
            }
            Err(Error::PaymentUnavailable(why)) => return Err(Error::CheckoutStaysOpen(why)),
            Err(error) => return Err(error),
        }
    }
    http::reply(StatusCode::OK, &view::Ended { ended, rest })
}

async fn retry(app: &App, user: Account, id: BookingId, job: &str, locale: Locale, now: Timestamp) -> Reply {
    let job: JobId = job.parse().map_err(|_| Error::NotFound)?;
    dashboard::retry_job(&app.db, user, id, job, now).await?;
    app.queue.hand_on(&[job]).await;
    show(app, user, id, locale, now).await
}

/// Sends a mail to the client once more. Asked twice at once, it is sent once.
async fn resend(app: &App, user: Account, id: BookingId, asked: &ResendRequest, now: Timestamp) -> Result<(), Error> {
    let detail = dashboard::detail(&app.db, user, id, now).await?;
    let template = Template::parse(&asked.template)
        .filter(|template| view::can_resend(*template, detail.listed.booking.state.status))
        .ok_or(Refusal::NotPossible)?;
    let (counts, window_end) = limits::count(&app.db, &[("resend", &user.user.to_string())], now).await?;
    if counts.iter().any(|count| *count > RESENDS_PER_HOUR) {
        return Err(Error::TooManyRequests { retry_after: window_end.duration_since(now).unsigned_abs() });
    }
    // The next number comes with the end of the one before.
    let again = |job: &&dashboard::JobRow| {
        job.template == Some(template) && matches!(job.occasion, Some(Occasion::Again(_))) && job.outcome.is_some()
    };
    let number = detail.jobs.iter().filter(again).count() + 1;
    let task = Task::SendEmail { booking: id, template, occurrence: Occasion::Again(number) };
    let history = (HistoryKind::MailAskedAgain, json!({ "template": template.name() }));
    if let Some(job) = dashboard::add_job(&app.db, user, &task, history, now).await? {
        app.queue.hand_on(&[job]).await;
    }
    Ok(())
}
