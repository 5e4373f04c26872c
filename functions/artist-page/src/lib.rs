//! `GET /api/artists/{slug}` and `GET /artist/{slug}`: what the vitrine shows, as JSON and as a page whose head and
//! hero are ready before any script runs, so that a shared link previews.

use askama::Template;
use lambda_http::http::{Method, StatusCode, header};
use lambda_http::{Body, Request, Response};
use serde::Serialize;
use shared::clock::Clock;
use shared::config::{self, ConfigError};
use shared::db::Db;
use shared::db::artists::{self, FlashState, Page};
use shared::domain::contact::Locale;
use shared::domain::ids::FlashId;
use shared::domain::money::Cents;
use shared::error::Error;
use shared::http::{self, Reply};

/// How long CloudFront may show a page before it asks again: a flash that was sold a minute ago is refused with
/// words when somebody tries to book it.
const CACHE: &str = "public, max-age=0, s-maxage=30, stale-while-revalidate=60";

/// What the function works with.
#[expect(missing_debug_implementations, reason = "it holds secrets")]
pub struct App {
    /// Postgres.
    pub db: Db,
    /// The time.
    pub clock: Clock,
    /// Origin of the site.
    pub public_url: String,
    /// How long a slot is kept for a client who pays, in minutes.
    pub hold_minutes: u32,
}

impl App {
    /// Reads the settings.
    ///
    /// # Errors
    /// One is missing or malformed.
    pub fn from_env() -> Result<Self, ConfigError> {
        Ok(Self {
            db: Db::from_env()?,
            clock: config::clock()?,
            public_url: config::public_url()?,
            hold_minutes: config::or("HOLD_MINUTES", 30)?,
        })
    }
}

/// The artist as their page shows them. No e-mail, no keys, no account.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ArtistView {
    /// Their address on the site.
    pub slug: String,
    /// Their name.
    pub display_name: String,
    /// A few sentences.
    pub bio: String,
    /// Their town.
    pub city: String,
    /// Where the appointment takes place.
    pub address: String,
    /// The large image.
    pub hero_image: Option<String>,
    /// Their zone, an IANA name.
    pub timezone: String,
    /// The language they read.
    pub locale: Locale,
    /// What the deposit is in law: `acompte` or `arrhes`.
    pub deposit_nature: &'static str,
    /// How long a slot is kept for a client who pays.
    pub hold_minutes: u32,
    /// What a cancellation costs.
    pub policy: PolicyView,
    /// What a custom project takes.
    pub project: ProjectView,
    /// The flashes in the artist's order.
    pub flashes: Vec<FlashView>,
}

/// What a cancellation costs, in figures and in words.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct PolicyView {
    /// Up to so many hours before, everything comes back.
    pub full_refund_hours: u32,
    /// The share that comes back later than that.
    pub late_refund_percent: u8,
    /// How often the appointment may be moved.
    pub free_moves: u8,
    /// In French.
    pub text_fr: String,
    /// In English.
    pub text_en: String,
}

/// What a custom project takes.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ProjectView {
    /// The first appointment.
    pub duration_minutes: u32,
    /// Its deposit.
    pub deposit_cents: Cents,
}

/// A flash on sale.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct FlashView {
    /// Its id.
    pub id: FlashId,
    /// Its name.
    pub title: String,
    /// Its image.
    pub image: String,
    /// The whole price.
    pub price_cents: Cents,
    /// What is paid ahead.
    pub deposit_cents: Cents,
    /// How long it takes.
    pub duration_minutes: u32,
    /// False for a unique piece.
    pub repeatable: bool,
    /// Whether it can be booked.
    pub state: FlashState,
}

impl ArtistView {
    fn of(page: Page, hold_minutes: u32) -> Self {
        let artist = page.artist;
        Self {
            hold_minutes,
            policy: PolicyView {
                full_refund_hours: artist.policy.full_refund_hours,
                late_refund_percent: artist.policy.late_refund_percent,
                free_moves: artist.policy.free_moves,
                text_fr: artist.policy.sentence(Locale::Fr),
                text_en: artist.policy.sentence(Locale::En),
            },
            deposit_nature: artist.policy.nature.name(),
            project: ProjectView {
                duration_minutes: artist.project_duration_minutes,
                deposit_cents: artist.project_deposit,
            },
            slug: artist.slug,
            display_name: artist.display_name,
            bio: artist.bio,
            city: artist.city,
            address: artist.address,
            hero_image: artist.hero_image,
            timezone: artist.zone_name,
            locale: artist.locale,
            flashes: page
                .flashes
                .into_iter()
                .map(|(flash, state)| FlashView {
                    id: flash.id,
                    title: flash.title,
                    image: flash.image,
                    price_cents: flash.price,
                    deposit_cents: flash.deposit,
                    duration_minutes: flash.duration_minutes,
                    repeatable: flash.repeatable,
                    state,
                })
                .collect(),
        }
    }
}

#[derive(Template)]
#[template(path = "page.html")]
struct HtmlPage<'a> {
    lang: &'a str,
    title: String,
    description: String,
    url: String,
    image: Option<String>,
    artist: &'a ArtistView,
    data: String,
}

/// Answers one request.
///
/// # Errors
/// See `shared::error::Error`; an unknown artist's page is a 404 page for a browser, a problem for a program.
pub async fn handle(app: &App, request: Request) -> Reply {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return Err(Error::MethodNotAllowed);
    }
    let wants_page = request.uri().path().starts_with("/artist/");
    let slug = http::last_segment(&request);
    let page = match artists::page(&app.db, slug, app.clock.now()).await? {
        Some(page) => ArtistView::of(page, app.hold_minutes),
        None if wants_page => return not_found_page(),
        None => return Err(Error::NotFound),
    };
    let mut response = if wants_page {
        let lang = http::query(&request, "lang")?.map_or(page.locale, |tag| Locale::from_tag(&tag));
        html(StatusCode::OK, render(app, &page, lang)?)?
    } else {
        http::reply(StatusCode::OK, &page)?
    };
    response.headers_mut().insert(header::CACHE_CONTROL, lambda_http::http::HeaderValue::from_static(CACHE));
    Ok(response)
}

fn render(app: &App, artist: &ArtistView, locale: Locale) -> Result<String, Error> {
    let data = serde_json::to_string(artist).map_err(|error| Error::Internal(error.to_string()))?;
    let page = HtmlPage {
        lang: locale.code(),
        title: format!(
            "{} · {}",
            artist.display_name,
            locale.pick("tatouages sur rendez-vous", "tattoos by appointment")
        ),
        description: if artist.bio.is_empty() {
            format!("{} {}", locale.pick("Réserver avec", "Book with"), artist.display_name)
        } else {
            artist.bio.clone()
        },
        url: format!("{}/artist/{}", app.public_url, artist.slug),
        // Messengers fetch the preview from afar: a path alone means nothing to them.
        image: artist
            .hero_image
            .as_ref()
            .map(|image| if image.starts_with('/') { format!("{}{image}", app.public_url) } else { image.clone() }),
        artist,
        // Inside a script element only "<" can end it or begin a comment.
        data: data.replace('<', "\\u003c"),
    };
    page.render().map_err(|error| Error::Internal(error.to_string()))
}

fn html(status: StatusCode, body: String) -> Reply {
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "text/html; charset=utf-8")
        .body(Body::Text(body))
        .map_err(|error| Error::Internal(error.to_string()))
}

fn not_found_page() -> Reply {
    html(StatusCode::NOT_FOUND, include_str!("../templates/not-found.html").to_owned())
}
