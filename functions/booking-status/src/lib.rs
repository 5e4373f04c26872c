//! `GET /api/bookings/{id}`: what the page after the payment shows. It tells what the database knows, never what
//! a URL claims, and no more than the holder of the link may know.

pub mod api;

use lambda_http::Request;
use lambda_http::http::{Method, StatusCode};
use serde::Serialize;
use shared::appointment;
use shared::calcom::Pages;
use shared::clock::Clock;
use shared::config::{self, ConfigError};
use shared::db::Db;
use shared::db::bookings::{self, ClientsView};
use shared::domain::booking::{BookingKind, CancelReason, PaymentStatus, Status};
use shared::domain::ids::BookingId;
use shared::domain::local::{Appointment, LocalTime, StudioClock};
use shared::domain::locale::Locale;
use shared::domain::money::Cents;
use shared::domain::place::map_url;
use shared::error::Error;
use shared::http::{self, Reply};
use shared::terms;

/// What the function works with.
#[expect(missing_debug_implementations, reason = "it holds secrets")]
pub struct App {
    pub db: Db,
    pub clock: Clock,
    /// Where clients see their Cal.com booking.
    pub calcom_pages: Pages,
    /// Origin of the site.
    pub public_url: String,
}

impl App {
    pub fn from_env() -> Result<Self, ConfigError> {
        Ok(Self {
            db: Db::from_env()?,
            clock: config::clock()?,
            calcom_pages: Pages::from_env()?,
            public_url: config::public_url()?,
        })
    }
}

/// The answer.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct BookingView {
    /// The booking.
    pub booking_id: BookingId,
    /// Where it is in its life. A hold that has run out is still `pending` until it is released.
    pub status: Status,
    /// Where the deposit is.
    pub payment_status: PaymentStatus,
    /// The deposit is in hand.
    pub acompte_paid: bool,
    /// True for an unpaid hold that has run out: its slot is offered again.
    pub hold_lapsed: bool,
    /// Why it was cancelled.
    pub cancel_reason: Option<CancelReason>,
    /// What is booked.
    #[serde(rename = "type")]
    pub kind: BookingKind,
    /// What it is called; empty for a project.
    pub title: String,
    /// Whose chair.
    pub artist: ArtistView,
    /// On whose clock it is told.
    #[serde(flatten)]
    pub clock: StudioClock,
    /// When it takes place.
    #[serde(flatten)]
    pub appointment: Appointment,
    /// The whole price; none for a project.
    pub price_cents: Option<Cents>,
    /// The deposit.
    pub deposit_cents: Cents,
    /// What the client has paid and not got back.
    pub paid_cents: Cents,
    /// What is left to pay on site; none of a booking without a price, or that does not lie ahead.
    pub rest_cents: Option<Cents>,
    /// The currency of all amounts.
    pub currency: &'static str,
    /// Until when a client who cancels gets everything back; none once that is over, or when there is nothing to cancel.
    pub refundable_until: Option<LocalTime>,
    /// What a client who cancels gets back, and how to cancel; none when there is nothing to cancel.
    pub terms: Option<TermsView>,
    /// What was given back so far, or is on its way.
    pub refunded_cents: Cents,
    /// Of that, what has not arrived yet.
    pub on_its_way_cents: Cents,
    /// What the client's bank has taken back over a dispute that it has decided.
    pub lost_cents: Cents,
    /// A payment that is not what was asked, and waits for the artist's decision: what came.
    pub received_otherwise: Option<ReceivedView>,
    /// When the hold ends.
    pub hold_expires_at: Option<LocalTime>,
    /// Where to pay, only while it can be paid.
    pub checkout_url: Option<String>,
    /// The booking in Cal.com, once it is there and stands.
    pub calendar_url: Option<String>,
    /// Pages elsewhere that the appointment opens in, once it stands.
    pub links: Option<LinksView>,
}

/// A payment of another amount or currency than was asked.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct ReceivedView {
    /// How much, in the currency's smallest unit.
    pub amount_cents: Cents,
    /// Lower-case ISO code.
    pub currency: String,
}

/// Pages elsewhere that an appointment opens in. A browser inside another app cannot open the calendar file.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct LinksView {
    /// Google Calendar, with the appointment filled in.
    pub google: String,
    /// Outlook, with the same.
    pub outlook: String,
}

/// The cancellation policy of one appointment, in both languages.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct TermsView {
    /// In French.
    pub fr: String,
    /// In English.
    pub en: String,
}

/// The artist, as public as their page.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct ArtistView {
    /// Their address on the site.
    pub slug: String,
    /// Their name.
    pub display_name: String,
    /// Where the appointment takes place, once this client may know.
    pub address: Option<String>,
    /// The same on a map.
    pub map_url: Option<String>,
    /// Their town.
    pub city: String,
    /// The language they write in: that of a flash's title.
    pub locale: Locale,
    /// Where the artist reads, for those whose appointment stands.
    pub email: Option<String>,
}

/// Answers one request.
///
/// # Errors
/// See `shared::error::Error`; an id that is not one is as unknown as any other.
pub async fn handle(app: &App, request: Request) -> Reply {
    let id = match (http::segments(&request, "/api/bookings")?.as_slice(), request.method()) {
        ([id], &Method::GET) => id.parse::<BookingId>().map_err(|_| Error::NotFound)?,
        ([_], _) => return Err(Error::MethodNotAllowed),
        _ => return Err(Error::NotFound),
    };
    let view = bookings::view(&app.db, id).await?.ok_or(Error::NotFound)?;
    http::reply(StatusCode::OK, &show(app, view))
}

fn show(app: &App, view: ClientsView) -> BookingView {
    let now = app.clock.now();
    let booking = view.booking.clone();
    let payable = booking.state.status == Status::Pending
        && booking.state.payment_problem.is_none()
        && booking.state.hold_expires_at.is_some_and(|end| end > now);
    let stands = booking.state.status.stands();
    let received_otherwise = booking
        .waiting_for_a_decision()
        .map(|entry| ReceivedView { amount_cents: entry.amount, currency: entry.currency.clone() });
    let totals = booking.ledger.totals(booking.currency);
    let links = stands.then(|| links(app, &view));
    let can_cancel =
        booking.state.status == Status::Confirmed && booking.in_hand() > Cents::ZERO && booking.starts_at > now;
    let terms = |locale| {
        let terms = terms::of_appointment(&booking.policy, booking.starts_at, &view.zone, locale, now);
        format!("{terms} {}", booking.policy.way(false, locale))
    };
    let address = view.address_shown.to_client(view.artist_address, &booking, now);
    BookingView {
        booking_id: booking.id,
        status: booking.state.status,
        payment_status: booking.state.payment_status,
        acompte_paid: booking.state.payment_status.is_in_hand(),
        hold_lapsed: booking.has_lapsed(now),
        cancel_reason: booking.state.cancel_reason,
        kind: view.kind,
        title: view.title,
        artist: ArtistView {
            map_url: address.as_deref().map(|address| map_url(address, &view.artist_city)),
            address,
            slug: view.artist_slug,
            display_name: view.artist_name,
            city: view.artist_city,
            locale: view.artist_locale,
            email: (stands || received_otherwise.is_some()).then_some(view.artist_email),
        },
        clock: StudioClock::of(&view.zone),
        appointment: Appointment::of(booking.starts_at, booking.ends_at, &view.zone),
        price_cents: view.price,
        deposit_cents: booking.deposit,
        paid_cents: booking.in_hand(),
        rest_cents: booking.left_to_pay(view.price),
        currency: booking.currency.code(),
        refundable_until: booking
            .policy
            .refundable_until(booking.starts_at, now)
            .filter(|_| can_cancel)
            .map(|until| LocalTime::of(until, &view.zone)),
        terms: can_cancel.then(|| TermsView { fr: terms(Locale::Fr), en: terms(Locale::En) }),
        refunded_cents: totals.refunded,
        on_its_way_cents: booking.refunds_on_their_way().fold(Cents::ZERO, Cents::saturating_add),
        lost_cents: if booking.has_lost_dispute() { totals.lost } else { Cents::ZERO },
        received_otherwise,
        hold_expires_at: booking.state.hold_expires_at.map(|end| LocalTime::of(end, &view.zone)),
        checkout_url: view.checkout_url.filter(|_| payable),
        calendar_url: booking.calendar_booking.filter(|_| stands).map(|uid| app.calcom_pages.booking(&uid)),
        links,
    }
}

fn links(app: &App, view: &ClientsView) -> LinksView {
    let appointment = appointment::Appointment {
        id: view.booking.id,
        version: view.booking.version,
        locale: view.client_locale,
        title: appointment::title(&view.title, view.client_locale),
        artist: &view.artist_name,
        place: &appointment::place(&view.artist_address, &view.artist_city),
        starts_at: view.booking.starts_at,
        ends_at: view.booking.ends_at,
        public_url: &app.public_url,
    };
    LinksView { google: appointment.google(), outlook: appointment.outlook() }
}
