//! `GET /api/artists`: who can be booked here, for the site's first page.

use lambda_http::http::{StatusCode, header};
use serde::Serialize;
use shared::db::artists::{self, Listed};
use shared::domain::locale::Locale;
use shared::http::{self, Reply};

use crate::{App, CACHE};

/// The artists of the site, by name.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct ArtistList {
    /// At most 100.
    pub artists: Vec<ArtistCard>,
}

/// An artist in few words.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct ArtistCard {
    /// Their address on the site.
    pub slug: String,
    /// Their name.
    pub display_name: String,
    /// Their town.
    pub city: String,
    /// A few sentences, in the artist's language.
    pub bio: String,
    /// The language of the artist's words.
    pub locale: Locale,
    /// Their large image, else that of their first flash.
    pub image: Option<String>,
}

impl From<Listed> for ArtistCard {
    fn from(Listed { slug, display_name, city, bio, locale, image }: Listed) -> Self {
        Self { slug, display_name, city, bio, locale, image }
    }
}

pub(crate) async fn answer(app: &App) -> Reply {
    let artists = artists::listed(&app.db).await?.into_iter().map(ArtistCard::from).collect();
    let mut response = http::reply(StatusCode::OK, &ArtistList { artists })?;
    response.headers_mut().insert(header::CACHE_CONTROL, lambda_http::http::HeaderValue::from_static(CACHE));
    Ok(response)
}
