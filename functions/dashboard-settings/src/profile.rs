//! `/api/dashboard/profile`: who the artist is. The first one creates the page.

use std::time::Duration;

use jiff::Timestamp;
use lambda_http::http::StatusCode;
use serde::{Deserialize, Serialize};
use shared::config::SignUp;
use shared::db::contact_links;
use shared::db::settings::profile::{self, Asked as Again, Owner, Written};
use shared::domain::contact::EmailAddress;
use shared::domain::ids::ArtistId;
use shared::domain::locale::Locale;
use shared::domain::picture::Picture;
use shared::domain::place::AddressShown;
use shared::domain::settings::Flaws;
use shared::domain::settings::profile::{Profile, ProfileDraft};
use shared::error::Error;
use shared::http::{self, Reply};
use uuid::Uuid;

use crate::{Asked, body};

/// The profile as it comes in.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[derive(schemars::JsonSchema)]
pub struct ProfileInput {
    #[schemars(required)]
    slug: Option<String>,
    #[schemars(required)]
    display_name: Option<String>,
    #[schemars(required)]
    email: Option<String>,
    bio: Option<String>,
    city: Option<String>,
    address: Option<String>,
    /// From when on clients are told the address; `after_payment` when it is left out.
    address_shown: Option<String>,
    /// `fr` or `en`.
    locale: Option<String>,
    /// An IANA name.
    timezone: Option<String>,
    /// An image's id, or the path that is shown already; null for none.
    hero_image: Option<String>,
    /// Whether to be mailed of a hold before it is paid; left as it is where nothing is said.
    pending_mails: Option<bool>,
}

/// The profile as it is.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct ProfileView {
    /// Their address on the site.
    pub slug: String,
    /// The name clients read.
    pub display_name: String,
    /// Where the artist wants to be written to.
    pub email: String,
    /// Where the mails go for now, while a link that was mailed to `email` waits to be followed.
    pub email_for_now: Option<String>,
    /// A few sentences.
    pub bio: String,
    /// The town.
    pub city: String,
    /// Where the appointment takes place.
    pub address: String,
    /// From when on clients are told.
    pub address_shown: AddressShown,
    /// Their language.
    pub locale: Locale,
    /// Their zone, an IANA name.
    pub timezone: String,
    /// What `PUT` takes to keep the large picture: its id, or its path when it is no upload.
    pub hero_image: Option<String>,
    /// The path of the large picture.
    pub hero: Option<String>,
    /// Whether they are mailed of a hold before it is paid.
    pub pending_mails: bool,
    /// Where clients find the page.
    pub public_url: String,
    /// Whether a flash is on sale.
    pub has_flash: bool,
    /// Whether there are weekly hours.
    pub has_hours: bool,
    /// Whether Cal.com is connected.
    pub has_calendar: bool,
    /// Whether a client finds all they need: a flash, times, a town and an address.
    pub complete: bool,
    /// Whether clients can book: a page takes no deposits before whoever runs the site lets it.
    pub takes_bookings: bool,
}

pub(crate) async fn show(asked: &Asked<'_>) -> Reply {
    http::reply(StatusCode::OK, &view(asked).await?)
}

async fn view(asked: &Asked<'_>) -> Result<ProfileView, Error> {
    let stored = profile::read(&asked.app.db, asked.who.account()).await?;
    let has_times = stored.has_hours || stored.has_calendar;
    let uploaded = stored.hero_image.as_deref().and_then(Picture::of_path);
    Ok(ProfileView {
        public_url: format!("{}/artist/{}", asked.app.public_url, stored.slug),
        complete: stored.has_flash && has_times && !stored.city.is_empty() && !stored.address.is_empty(),
        hero_image: uploaded.map(|picture| picture.id().to_string()).or_else(|| stored.hero_image.clone()),
        hero: stored.hero_image,
        slug: stored.slug,
        display_name: stored.display_name,
        email_for_now: stored.email_wanted.is_some().then(|| stored.email.clone()),
        email: stored.email_wanted.unwrap_or(stored.email),
        bio: stored.bio,
        city: stored.city,
        address: stored.address,
        address_shown: stored.address_shown,
        locale: stored.locale,
        timezone: stored.timezone,
        pending_mails: stored.pending_mails,
        has_flash: stored.has_flash,
        has_hours: stored.has_hours,
        has_calendar: stored.has_calendar,
        takes_bookings: stored.takes_bookings,
    })
}

/// What the link of a mail carries.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[derive(schemars::JsonSchema)]
pub struct ContactLink {
    #[schemars(required)]
    token: Option<String>,
}

/// A body without fields.
#[derive(Deserialize)]
struct Nothing {}

/// Mails another link to the address that waits to be confirmed.
pub(crate) async fn link_again(asked: &Asked<'_>) -> Reply {
    let Nothing {} = body(asked.request)?;
    match profile::link_again(&asked.app.db, asked.who.account(), asked.now).await? {
        Again::Linked(job) => asked.app.queue.hand_on(&[job]).await,
        // It was confirmed in another tab.
        Again::NothingWaits => {}
        Again::Enough => return Err(Error::TooManyRequests { retry_after: until_next_hour(asked.now) }),
    }
    http::reply(StatusCode::ACCEPTED, &view(asked).await?)
}

/// Confirms an address by the link that was mailed to it. Whoever reads that mailbox and not this account cannot.
pub(crate) async fn follow_link(asked: &Asked<'_>) -> Reply {
    let token = body::<ContactLink>(asked.request)?.token.unwrap_or_default();
    if !contact_links::follow(&asked.app.db, asked.who.account(), &token, asked.now).await? {
        return Err(asked.refuse_field(
            "/token",
            "Ce lien ne vaut plus\u{a0}: demandez-en un autre dans les réglages de votre page.",
            "This link works no more: ask for another one in the settings of your page.",
        ));
    }
    http::reply(StatusCode::OK, &view(asked).await?)
}

/// What is allowed is counted by the hour.
fn until_next_hour(now: Timestamp) -> Duration {
    const HOUR: i64 = 3600;
    Duration::from_secs(u64::try_from(HOUR - now.as_second().rem_euclid(HOUR)).unwrap_or_default())
}

pub(crate) async fn save(asked: &Asked<'_>) -> Reply {
    let input: ProfileInput = body(asked.request)?;
    let profile = Profile::parse(&ProfileDraft {
        slug: input.slug.as_deref(),
        display_name: input.display_name.as_deref(),
        email: input.email.as_deref(),
        bio: input.bio.as_deref(),
        city: input.city.as_deref(),
        address: input.address.as_deref(),
        address_shown: input.address_shown.as_deref(),
        locale: input.locale.as_deref(),
        timezone: input.timezone.as_deref(),
        hero_image: input.hero_image.as_deref(),
        pending_mails: input.pending_mails,
    })
    .map_err(|flaws| asked.refuse(flaws))?;
    let new = ArtistId::new(Uuid::now_v7());
    let email = EmailAddress::parse(&asked.who.email).ok();
    let owner = Owner {
        account: asked.who.account(),
        email: email.as_ref().map(EmailAddress::as_str),
        may_begin: asked.app.sign_up == SignUp::Open,
    };
    let (written, job) = profile::write(&asked.app.db, owner, new, &profile, asked.now).await?;
    asked.app.queue.hand_on(job.as_slice()).await;
    let status = match written {
        Written::Created => StatusCode::CREATED,
        Written::Changed => StatusCode::OK,
        Written::SlugTaken(free) => {
            let mut flaws = Flaws::default();
            flaws.add_with("/slug", ("Cette adresse est déjà prise.", "This address is taken."), free);
            return Err(asked.refuse(flaws));
        }
        Written::NoAccountEmail => {
            return Err(asked.refuse_field(
                "/email",
                "Votre compte n’a pas d’adresse e-mail confirmée\u{a0}: connectez-vous par le lien d’un e-mail.",
                "Your account has no confirmed email address: sign in by the link of an email.",
            ));
        }
        Written::Uninvited => return Err(Error::SignUpClosed),
        Written::NoPicture => {
            return Err(asked.refuse_field(
                "/hero_image",
                "Cette image n’est pas encore prête, ou n’est pas à vous.",
                "This picture is not ready yet, or is not yours.",
            ));
        }
    };
    http::reply(status, &view(asked).await?)
}
