//! `GET /api/artists/{slug}` and `GET /artist/{slug}`: what the vitrine shows, as JSON and as a page; `GET /api/artists`: who
//! has one.
//!
//! The page is ready before any script runs: a shared link previews, and the pictures load at once. What stands in
//! `#app` is what the script would render, so that it adopts it.

use askama::Template;
use jiff::Timestamp;
use jiff::civil::Date;
use lambda_http::http::{Method, StatusCode, header};
use lambda_http::{Body, Request, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::clock::Clock;
use shared::config::{self, ConfigError};
use shared::db::Db;
use shared::db::artists::{self, FlashState, Page};
use shared::domain::ids::FlashId;
use shared::domain::local::{LocalTime, StudioClock};
use shared::domain::locale::Locale;
use shared::domain::money::Cents;
use shared::domain::picture::Picture;
use shared::domain::place::{AddressShown, map_url};
use shared::domain::policy::DepositNature;
use shared::error::Error;
use shared::http::{self, Reply};

pub use list::{ArtistCard, ArtistList};

pub mod api;
mod list;

/// How long CloudFront may show a page before it asks again: a flash that was sold a minute ago is refused with
/// words when somebody tries to book it.
const CACHE: &str = "public, max-age=0, s-maxage=30, stale-while-revalidate=60";

/// What the function works with.
#[expect(missing_debug_implementations, reason = "it holds secrets")]
pub struct App {
    pub db: Db,
    pub clock: Clock,
    /// Origin of the site.
    pub public_url: String,
    /// How long a slot is kept for a client who pays, in minutes.
    pub hold_minutes: u32,
    pub assets: PageAssets,
}

/// The built files of one page. Their names change with their content, so they come from the build of the frontend.
#[derive(Debug, Clone, Deserialize)]
pub struct PageAssets {
    pub js: String,
    pub css: Vec<String>,
    /// Fonts worth asking for at once.
    pub preload: Vec<String>,
}

impl PageAssets {
    /// Reads `ASSETS`: what the build of the frontend writes to `dist/assets.json`.
    ///
    /// # Errors
    /// It is missing or is something else.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::parse(&config::required("ASSETS")?)
    }

    /// Reads the text of `dist/assets.json`.
    ///
    /// # Errors
    /// The text is not what that build writes.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        #[derive(Deserialize)]
        struct Pages {
            artist: PageAssets,
        }
        serde_json::from_str::<Pages>(text)
            .map(|pages| pages.artist)
            .map_err(|error| ConfigError::Invalid { name: "ASSETS", why: error.to_string() })
    }
}

impl App {
    pub fn from_env() -> Result<Self, ConfigError> {
        Ok(Self {
            db: Db::from_env()?,
            clock: config::clock()?,
            public_url: config::public_url()?,
            hold_minutes: config::or("HOLD_MINUTES", 30)?,
            assets: PageAssets::from_env()?,
        })
    }
}

/// The artist as their page shows them. No e-mail, no keys, no account.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct ArtistView {
    /// Their address on the site.
    pub slug: String,
    /// Their name.
    pub display_name: String,
    /// A few sentences.
    pub bio: String,
    /// Their town.
    pub city: String,
    /// Where the appointment takes place, if the artist shows it to everybody.
    pub address: Option<String>,
    /// The same on a map.
    pub map_url: Option<String>,
    /// From when on clients are told.
    pub address_shown: AddressShown,
    /// The large image.
    pub hero_image: Option<String>,
    /// Their clock.
    #[serde(flatten)]
    pub clock: StudioClock,
    /// The date there, now.
    pub today: Date,
    /// The language they read.
    pub locale: Locale,
    /// What the deposit is in law: `acompte` or `arrhes`.
    pub deposit_nature: &'static str,
    /// How long a slot is kept for a client who pays.
    pub hold_minutes: u32,
    /// What a cancellation costs.
    pub policy: PolicyView,
    /// Whether there is something to book: not before deposits can be taken.
    pub takes_bookings: bool,
    /// What a custom project takes.
    pub project: ProjectView,
    /// The flashes in the artist's order.
    pub flashes: Vec<FlashView>,
}

/// What a cancellation costs, in figures and in words.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct PolicyView {
    /// Up to so many hours before, everything comes back.
    pub full_refund_hours: u32,
    /// The share that comes back later than that.
    pub late_refund_percent: u8,
    /// In French.
    pub text_fr: String,
    /// In English.
    pub text_en: String,
    /// How to cancel, and what comes back if the artist does; in French.
    pub way_fr: String,
    /// In English.
    pub way_en: String,
}

/// What a custom project takes.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct ProjectView {
    /// The first appointment.
    pub duration_minutes: u32,
    /// Its deposit.
    pub deposit_cents: Cents,
}

/// A flash on sale.
#[derive(Debug, Serialize, schemars::JsonSchema)]
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
    fn of(page: Page, hold_minutes: u32, now: Timestamp) -> Self {
        let artist = page.artist;
        let address = artist.address_shown.on_the_page(artist.address);
        let map_url = address.as_deref().map(|address| map_url(address, &artist.city));
        Self {
            hold_minutes,
            takes_bookings: page.takes_bookings,
            policy: PolicyView {
                full_refund_hours: artist.policy.full_refund_hours,
                late_refund_percent: artist.policy.late_refund_percent,
                text_fr: artist.policy.sentence(Locale::Fr),
                text_en: artist.policy.sentence(Locale::En),
                way_fr: artist.policy.way(false, Locale::Fr),
                way_en: artist.policy.way(false, Locale::En),
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
            map_url,
            address,
            address_shown: artist.address_shown,
            hero_image: artist.hero_image,
            today: LocalTime::of(now, &artist.zone).date(),
            clock: StudioClock::of(&artist.zone),
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
    french: bool,
    /// The artist's own language, where the page speaks the other one: the artist's words are marked with it.
    theirs: Option<&'static str>,
    arrhes: bool,
    title: String,
    description: String,
    url: String,
    image: Option<String>,
    hero_srcset: Option<String>,
    assets: &'a PageAssets,
    artist: &'a ArtistView,
    cards: Vec<Card<'a>>,
    project_duration: String,
    project_deposit: String,
    data: String,
    json_ld: String,
}

/// A page that has no artist to show.
#[derive(Template)]
#[template(path = "verdict.html")]
struct VerdictPage<'a> {
    assets: &'a PageAssets,
    lang: &'a str,
    french: bool,
    /// The page may be there in a moment; otherwise nobody has it.
    later: bool,
}

/// A flash in the reader's words.
struct Card<'a> {
    flash: &'a FlashView,
    srcset: Option<String>,
    price: String,
    deposit: String,
    duration: String,
}

/// How the page speaks of the studio's street, so that the template asks no enum.
impl ArtistView {
    fn tells_with_summary(&self) -> bool {
        self.address_shown == AddressShown::WithSummary
    }
}

impl Card<'_> {
    fn is_available(&self) -> bool {
        self.flash.state == FlashState::Available
    }

    fn is_held(&self) -> bool {
        self.flash.state == FlashState::Held
    }

    fn is_sold(&self) -> bool {
        self.flash.state == FlashState::Sold
    }
}

/// "2 h 30" and "45 min", as the script writes it (`frontend/src/core/format.ts`).
fn span(minutes: u32, locale: Locale) -> String {
    let (hours, rest) = (minutes / 60, minutes % 60);
    match (hours, rest) {
        (0, _) => format!("{rest}\u{a0}min"),
        (_, 0) => format!("{hours}\u{a0}h"),
        _ => locale.pick(format!("{hours}\u{a0}h\u{a0}{rest:02}"), format!("{hours}\u{a0}h\u{a0}{rest:02}\u{a0}min")),
    }
}

/// Answers one request.
///
/// # Errors
/// See `shared::error::Error`; an unknown artist's page is a 404 page for a browser, a problem for a program.
pub async fn handle(app: &App, request: Request) -> Reply {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return Err(Error::MethodNotAllowed);
    }
    match http::segments(&request, "")?.as_slice() {
        ["api", "artists"] => list::answer(app).await,
        ["api", "artists", slug] => page(app, &request, slug, false).await,
        // With all that follows: one page at many addresses would be asked for past the cache, and whoever follows a wrong
        // link reads a page that says so.
        ["artist", slug @ ..] => page(app, &request, &slug.join("/"), true).await,
        _ => Err(Error::NotFound),
    }
}

/// One artist's page, as it is read or as data.
async fn page(app: &App, request: &Request, slug: &str, wants_page: bool) -> Reply {
    // What the address asks for, else what the browser likes best.
    let language = http::query(request, "lang")?
        .and_then(|tag| Locale::of_tag(&tag))
        .or_else(|| http::preferred_language(request));
    let now = app.clock.now();
    // Phones begin a word that is typed with a capital.
    let page = match artists::page(&app.db, &slug.to_ascii_lowercase(), now).await {
        Ok(Some(page)) if page.artist.slug != slug => return moved(request, &page.artist.slug),
        Ok(Some(page)) => ArtistView::of(page, app.hold_minutes, now),
        Ok(None) if wants_page => {
            return html(StatusCode::NOT_FOUND, verdict_page(app, language.unwrap_or_default(), false)?);
        }
        Ok(None) => return Err(Error::NotFound),
        // Whoever followed the link of a profile reads a page, not what a program would.
        Err(error) if wants_page => {
            let page = verdict_page(app, language.unwrap_or_default(), true)?;
            return Err(Error::Shown { error: Box::new(error), page });
        }
        Err(error) => return Err(error),
    };
    let mut response = if wants_page {
        html(StatusCode::OK, render(app, &page, language.unwrap_or(page.locale))?)?
    } else {
        http::reply(StatusCode::OK, &page)?
    };
    response.headers_mut().insert(header::CACHE_CONTROL, lambda_http::http::HeaderValue::from_static(CACHE));
    Ok(response)
}

fn render(app: &App, artist: &ArtistView, locale: Locale) -> Result<String, Error> {
    let data = serde_json::to_string(artist).map_err(|error| Error::Internal(error.to_string()))?;
    let absolute =
        |path: &str| if path.starts_with('/') { format!("{}{path}", app.public_url) } else { path.to_owned() };
    let url = format!("{}/artist/{}", app.public_url, artist.slug);
    let image = artist.hero_image.as_deref().map(|hero| absolute(&preview(hero)));
    let mut json_ld = json!({
        "@context": "https://schema.org", "@type": "TattooParlor", "name": artist.display_name, "url": url,
        "description": artist.bio, "image": image,
        "address": { "@type": "PostalAddress", "addressLocality": artist.city },
    });
    if let Some(street) = &artist.address {
        json_ld["address"]["streetAddress"] = street.as_str().into();
    }
    let page = HtmlPage {
        lang: locale.code(),
        french: locale == Locale::Fr,
        theirs: Some(artist.locale.code()).filter(|code| *code != locale.code()),
        arrhes: artist.deposit_nature == DepositNature::Arrhes.name(),
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
        url,
        image,
        hero_srcset: artist.hero_image.as_deref().and_then(srcset),
        assets: &app.assets,
        cards: artist
            .flashes
            .iter()
            .map(|flash| Card {
                flash,
                srcset: srcset(&flash.image),
                price: locale.euros(flash.price_cents),
                deposit: locale.euros(flash.deposit_cents),
                duration: span(flash.duration_minutes, locale),
            })
            .collect(),
        project_duration: span(artist.project.duration_minutes, locale),
        project_deposit: locale.euros(artist.project.deposit_cents),
        artist,
        data: in_script(&data),
        json_ld: in_script(&json_ld.to_string()),
    };
    page.render().map_err(|error| Error::Internal(error.to_string()))
}

/// The sizes of an uploaded picture, as the script lists them (`frontend/src/core/picture.ts`); a drawing has one only.
fn srcset(path: &str) -> Option<String> {
    Picture::of_path(path).map(Picture::srcset)
}

/// Messengers preview no SVG: beside a drawn hero lies the same as a JPEG of 1200 by 630.
fn preview(hero: &str) -> String {
    hero.strip_suffix(".svg").map_or_else(|| hero.to_owned(), |name| format!("{name}.jpg"))
}

/// The same page, or the same answer, under the artist's new address. Not for ever: it may be given up again.
fn moved(request: &Request, slug: &str) -> Reply {
    let (folder, _) = request.uri().path().trim_end_matches('/').rsplit_once('/').unwrap_or_default();
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    Response::builder()
        .status(StatusCode::TEMPORARY_REDIRECT)
        .header(header::LOCATION, format!("{folder}/{slug}{query}"))
        .header(header::CACHE_CONTROL, CACHE)
        .body(Body::Empty)
        .map_err(|error| Error::Internal(error.to_string()))
}

/// Inside a script element only "<" can end it or begin a comment.
fn in_script(json: &str) -> String {
    json.replace('<', "\\u003c")
}

fn html(status: StatusCode, body: String) -> Reply {
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "text/html; charset=utf-8")
        .header(header::VARY, "accept-language")
        .body(Body::Text(body))
        .map_err(|error| Error::Internal(error.to_string()))
}

fn verdict_page(app: &App, language: Locale, later: bool) -> Result<String, Error> {
    let page = VerdictPage { assets: &app.assets, lang: language.code(), french: language == Locale::Fr, later };
    page.render().map_err(|error| Error::Internal(error.to_string()))
}
