//! `/api/dashboard/images`: an upload is announced, then made straight into the bucket; `image-intake` does the rest.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use lambda_http::http::StatusCode;
use serde::{Deserialize, Serialize};
use shared::db::settings::images::{self as store, Fate};
use shared::domain::ids::ImageId;
use shared::domain::picture::{Upload, incoming_key};
use shared::error::Error;
use shared::http::{self, Reply};
use uuid::Uuid;

use crate::{Asked, body};

/// An upload as it is announced.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[derive(schemars::JsonSchema)]
pub struct UploadInput {
    /// `flash` or `hero`.
    #[schemars(required)]
    kind: Option<String>,
    /// `image/jpeg`, `image/png` or `image/webp`.
    #[schemars(required)]
    content_type: Option<String>,
    /// The number of bytes.
    #[schemars(required)]
    size: Option<i64>,
}

/// An upload that may be made.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct Announced {
    /// The picture.
    pub id: ImageId,
    /// How to send it.
    pub upload: UploadView,
}

/// How to send a picture: exactly the file that was announced.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct UploadView {
    /// `PUT`.
    pub method: &'static str,
    /// Where to.
    pub url: String,
    /// What to send with it.
    pub headers: BTreeMap<&'static str, &'static str>,
    /// Until when it may be begun.
    pub expires_at: Timestamp,
}

/// What became of a picture.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct ImageView {
    /// The picture.
    pub id: ImageId,
    /// `waiting`, `ready` or `refused`.
    pub status: &'static str,
    /// Why it was refused, in the reader's language.
    pub reason: Option<&'static str>,
    /// The same as a name that never changes.
    pub code: Option<&'static str>,
    /// The path of its widest size, when it is ready.
    pub image: Option<String>,
}

pub(crate) async fn announce(asked: &Asked<'_>) -> Reply {
    let input: UploadInput = body(asked.request)?;
    let upload = Upload::parse(input.kind.as_deref(), input.content_type.as_deref(), input.size)
        .map_err(|flaws| asked.refuse(flaws))?;
    let id = ImageId::new(Uuid::now_v7());
    let content_type = upload.content_type.name();
    let (url, expires_at) = asked.app.bucket.upload_url(&incoming_key(id), content_type, upload.size)?;
    if !store::announce(&asked.app.db, asked.who.account(), id, &upload, asked.now).await? {
        return Err(Error::TooManyRequests { retry_after: Duration::from_secs(600) });
    }
    let headers = BTreeMap::from([("content-type", content_type)]);
    let upload = UploadView { method: "PUT", url, headers, expires_at };
    http::reply(StatusCode::CREATED, &Announced { id, upload })
}

pub(crate) async fn show(asked: &Asked<'_>, id: &str) -> Reply {
    let id: ImageId = id.parse().map_err(|_| Error::NotFound)?;
    let fate = store::fate(&asked.app.db, asked.who.account(), id, asked.now).await?.ok_or(Error::NotFound)?;
    let view = match fate {
        Fate::Waiting => ImageView { id, status: "waiting", reason: None, code: None, image: None },
        Fate::Ready(picture) => {
            ImageView { id, status: "ready", reason: None, code: None, image: Some(picture.path()) }
        }
        Fate::Refused(refused) => ImageView {
            id,
            status: "refused",
            reason: Some(refused.sentence(asked.locale)),
            code: Some(refused.name()),
            image: None,
        },
    };
    http::reply(StatusCode::OK, &view)
}
