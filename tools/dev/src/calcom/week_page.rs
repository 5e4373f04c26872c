//! The week page: what the artist sees in Cal.com, with forms to play the artist and to switch failures on.
//! Plain HTML in French; every form ends on the same week.

use std::sync::Arc;

use askama::Template;
use axum::extract::rejection::FormRejection;
use axum::extract::{Form, Path, Query, State};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Router, middleware};
use http::{HeaderValue, StatusCode, header};
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};
use serde::Deserialize;

use super::diary::Status;
use super::service::Inner;
use super::slots::{Span, opening_spans};
use super::switches::Canceller;
use super::user::User;
use crate::machine::lock;
use crate::stand_in::{Down, refuse_cross_site};

const STYLE: &str = include_str!("../../templates/calcom/week.css");
const SLOW_MS: u64 = 5_000;

pub(super) fn routes() -> Router<Arc<Inner>> {
    Router::new()
        .route("/week", get(show))
        .route("/week/style.css", get(style))
        .route("/booking/{uid}", get(booking))
        .route("/week/block", post(block))
        .route("/week/unblock", post(unblock))
        .route("/week/cancel", post(cancel))
        .route("/week/move", post(reschedule))
        .route("/week/decide", post(decide))
        .route("/week/switch", post(switch))
        .layer(middleware::from_fn(refuse_cross_site))
}

#[derive(Template)]
#[template(path = "calcom/week.html")]
struct WeekPage {
    users: Vec<Link>,
    username: String,
    name: String,
    time_zone: String,
    start: String,
    title: String,
    previous: String,
    next: String,
    today: String,
    days: Vec<Day>,
    down: bool,
    slow: bool,
    not_found: bool,
    no_cancelling: bool,
    problem: Option<String>,
}

struct Link {
    username: String,
    name: String,
    current: bool,
}

struct Day {
    date: String,
    title: String,
    is_today: bool,
    open: String,
    entries: Vec<Entry>,
}

enum Entry {
    Booking(BookingEntry),
    Block { id: u64, time: String, label: String },
}

struct BookingEntry {
    uid: String,
    time: String,
    who: String,
    email: String,
    status: &'static str,
    status_word: &'static str,
    note: Option<String>,
    can_decide: bool,
    can_change: bool,
    from: String,
}

#[derive(Deserialize, Default)]
struct Week {
    user: Option<String>,
    start: Option<String>,
}

async fn style() -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "max-age=60")], STYLE).into_response()
}

async fn show(State(inner): State<Arc<Inner>>, Query(week): Query<Week>) -> Response {
    page(&inner, &week, None)
}

/// The address that Cal.com gives each booking: here it leads to its place in the week.
async fn booking(State(inner): State<Arc<Inner>>, Path(uid): Path<String>) -> Response {
    let found = inner
        .diary()
        .bookings
        .iter()
        .find(|booking| booking.uid == uid)
        .map(|booking| (booking.username.clone(), booking.span.start));
    let Some((username, start)) = found else {
        return (StatusCode::NOT_FOUND, "Cette réservation n’existe pas.\n").into_response();
    };
    let zone = inner.user(&username).map_or(TimeZone::UTC, User::zone);
    let date = start.to_zoned(zone).date();
    Redirect::to(&format!("/week?user={username}&start={date}#{uid}")).into_response()
}

fn page(inner: &Inner, week: &Week, problem: Option<String>) -> Response {
    let user = match &week.user {
        Some(username) => inner.user(username),
        None => inner.users.first(),
    };
    let Some(user) = user else {
        return (StatusCode::NOT_FOUND, "Ce calendrier n’existe pas.\n").into_response();
    };
    let status = if problem.is_some() { StatusCode::CONFLICT } else { StatusCode::OK };
    let html = match week_page(inner, user, week.start.as_deref(), problem).render() {
        Ok(html) => html,
        Err(error) => {
            tracing::error!(%error, "the week page does not render");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    };
    let mut response = (status, Html(html)).into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; img-src data:; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        ),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// The Monday of the week that holds a date.
fn monday(date: Date) -> Date {
    date.saturating_sub(i64::from(date.weekday().to_monday_zero_offset()).days())
}

fn week_page(inner: &Inner, user: &User, start: Option<&str>, problem: Option<String>) -> WeekPage {
    let zone = user.zone();
    let today = inner.base.clock.now().to_zoned(zone.clone()).date();
    let first = monday(start.and_then(|start| start.parse().ok()).unwrap_or(today));
    let switches = lock(&inner.base.switches).clone();
    WeekPage {
        users: inner
            .users
            .iter()
            .map(|one| Link {
                username: one.username.clone(),
                name: one.name.clone(),
                current: one.username == user.username,
            })
            .collect(),
        username: user.username.clone(),
        name: user.name.clone(),
        time_zone: user.time_zone.clone(),
        start: first.to_string(),
        title: format!("{} – {}", short(first), short(first.saturating_add(6.days()))),
        previous: first.saturating_sub(7.days()).to_string(),
        next: first.saturating_add(7.days()).to_string(),
        today: monday(today).to_string(),
        days: (0..7).map(|offset| day(inner, user, &zone, first.saturating_add(offset.days()), today)).collect(),
        down: switches.api.down.is_some(),
        slow: switches.api.slow_ms > 0,
        not_found: switches.bookings_not_found,
        no_cancelling: switches.disable_cancelling,
        problem,
    }
}

fn day(inner: &Inner, user: &User, zone: &TimeZone, date: Date, today: Date) -> Day {
    let is_here = |span: Span| {
        let (from, to) = (span.start.to_zoned(zone.clone()).date(), span.end.to_zoned(zone.clone()).date());
        from <= date && date <= to
    };
    let around = Span {
        start: date.to_zoned(zone.clone()).map_or(Timestamp::MIN, |at| at.timestamp()),
        end: date.to_zoned(zone.clone()).map_or(Timestamp::MIN, |at| at.timestamp()),
    };
    let open: Vec<String> = opening_spans(user, around)
        .into_iter()
        .filter(|span| span.start.to_zoned(zone.clone()).date() == date)
        .map(|span| times(span, zone))
        .collect();
    let diary = inner.diary();
    let mut entries: Vec<(Timestamp, Entry)> = Vec::new();
    for booking in diary.bookings.iter().filter(|booking| booking.username == user.username && is_here(booking.span)) {
        let (status, status_word) = match booking.status {
            Status::Accepted => ("accepted", "confirmé"),
            Status::Pending => ("pending", "à confirmer"),
            Status::Cancelled if booking.rescheduled_to.is_some() => ("gone", "déplacé"),
            Status::Cancelled => ("gone", "annulé"),
            Status::Rejected => ("gone", "refusé"),
        };
        let note = booking.cancellation_reason.clone().or_else(|| booking.rejection_reason.clone());
        let from = booking.span.start.to_zoned(zone.clone());
        entries.push((
            booking.span.start,
            Entry::Booking(BookingEntry {
                uid: booking.uid.clone(),
                time: times(booking.span, zone),
                who: booking.attendee.name.clone(),
                email: booking.attendee.email.clone(),
                status,
                status_word,
                note: note.filter(|note| !note.is_empty()),
                can_decide: booking.status == Status::Pending,
                can_change: booking.status.is_live(),
                from: from.strftime("%Y-%m-%dT%H:%M").to_string(),
            }),
        ));
    }
    for block in diary.blocks.iter().filter(|block| block.username == user.username && is_here(block.span)) {
        entries.push((
            block.span.start,
            Entry::Block { id: block.id, time: times(block.span, zone), label: block.label.clone() },
        ));
    }
    entries.sort_by_key(|(at, _)| *at);
    Day {
        date: date.to_string(),
        title: format!(
            "{} {}",
            WEEKDAYS[usize::try_from(date.weekday().to_monday_zero_offset()).unwrap_or(0)],
            short(date)
        ),
        is_today: date == today,
        open: if open.is_empty() { "fermé".to_owned() } else { open.join(", ") },
        entries: entries.into_iter().map(|(_, entry)| entry).collect(),
    }
}

const WEEKDAYS: [&str; 7] = ["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"];
const MONTHS: [&str; 12] = [
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
];

fn short(date: Date) -> String {
    let day = if date.day() == 1 { "1er".to_owned() } else { date.day().to_string() };
    format!("{day} {}", MONTHS[usize::try_from(date.month() - 1).unwrap_or(0)])
}

fn times(span: Span, zone: &TimeZone) -> String {
    let show = |at: Zoned| at.strftime("%-Hh%M").to_string();
    format!("{} – {}", show(span.start.to_zoned(zone.clone())), show(span.end.to_zoned(zone.clone())))
}

#[derive(Deserialize)]
struct Action {
    user: String,
    start: String,
    #[serde(default)]
    uid: String,
    #[serde(default)]
    id: u64,
    #[serde(default)]
    date: String,
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
    #[serde(default)]
    label: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    by: Canceller,
    #[serde(default)]
    accept: bool,
    #[serde(default)]
    switch: String,
}

type Posted = Result<Form<Action>, FormRejection>;

/// Does it and shows the week again, with what went wrong if something did.
fn act(inner: &Arc<Inner>, posted: Posted, act: impl FnOnce(&Action, &User) -> Result<(), String>) -> Response {
    let Ok(Form(action)) = posted else {
        return (StatusCode::BAD_REQUEST, "Ce formulaire est incomplet.\n").into_response();
    };
    let week = Week { user: Some(action.user.clone()), start: Some(action.start.clone()) };
    let Some(user) = inner.user(&action.user) else { return page(inner, &week, None) };
    match act(&action, user) {
        Ok(()) => {
            let query: String = form_urlencoded::Serializer::new(String::new())
                .append_pair("user", &action.user)
                .append_pair("start", &action.start)
                .finish();
            Redirect::to(&format!("/week?{query}")).into_response()
        }
        Err(problem) => page(inner, &week, Some(problem)),
    }
}

/// The instant of a wall-clock time in the user's zone.
fn instant(user: &User, date: &str, time: &str) -> Result<Timestamp, String> {
    let date: Date = date.parse().map_err(|_| format!("« {date} » n’est pas une date"))?;
    let time: Time = time.parse().map_err(|_| format!("« {time} » n’est pas une heure"))?;
    user.zone()
        .to_ambiguous_zoned(date.to_datetime(time))
        .compatible()
        .map(|zoned| zoned.timestamp())
        .map_err(|error| error.to_string())
}

async fn block(State(inner): State<Arc<Inner>>, posted: Posted) -> Response {
    act(&inner, posted, |action, user| {
        let start = instant(user, &action.date, &action.from)?;
        let end = instant(user, &action.date, &action.to)?;
        if start >= end {
            return Err("La fin doit venir après le début.".to_owned());
        }
        let label = if action.label.trim().is_empty() { "Pris ailleurs" } else { action.label.trim() };
        inner.block(&user.username, start, end, label).map(|_| ())
    })
}

async fn unblock(State(inner): State<Arc<Inner>>, posted: Posted) -> Response {
    act(
        &inner,
        posted,
        |action, _| {
            if inner.unblock(action.id) { Ok(()) } else { Err("Ce blocage n’existe plus.".to_owned()) }
        },
    )
}

async fn cancel(State(inner): State<Arc<Inner>>, posted: Posted) -> Response {
    act(&inner, posted, |action, _| {
        let reason =
            if action.reason.trim().is_empty() { "Le studio ne peut pas à cette date" } else { action.reason.trim() };
        inner.cancel(&action.uid, action.by, reason)
    })
}

async fn reschedule(State(inner): State<Arc<Inner>>, posted: Posted) -> Response {
    act(&inner, posted, |action, user| {
        let (date, time) = action.from.split_once('T').ok_or("Choisissez une date et une heure.")?;
        inner.reschedule(&action.uid, instant(user, date, time)?).map(|_| ())
    })
}

async fn decide(State(inner): State<Arc<Inner>>, posted: Posted) -> Response {
    act(&inner, posted, |action, _| {
        inner.decide(&action.uid, action.accept, (!action.accept).then(|| "Refusé par le studio".to_owned()))
    })
}

async fn switch(State(inner): State<Arc<Inner>>, posted: Posted) -> Response {
    act(&inner, posted, |action, _| {
        let mut switches = lock(&inner.base.switches);
        match action.switch.as_str() {
            "down" => switches.api.down = if switches.api.down.is_some() { None } else { Some(Down::Unavailable) },
            "not_found" => switches.bookings_not_found = !switches.bookings_not_found,
            "no_cancelling" => switches.disable_cancelling = !switches.disable_cancelling,
            "slow" => switches.api.slow_ms = if switches.api.slow_ms > 0 { 0 } else { SLOW_MS },
            other => return Err(format!("« {other} » n’est pas un interrupteur")),
        }
        Ok(())
    })
}
