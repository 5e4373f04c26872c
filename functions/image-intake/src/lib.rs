//! Takes in the pictures that artists upload: checks what a file really is, leaves everything behind that it tells about
//! where and with what it was made, and writes the sizes that pages show.
//!
//! An event may come twice or late: what is decided stays decided. A file that cannot be a picture is refused with a
//! reason; a failure of S3 or of the database is an error, so that the event comes again.

use aws_lambda_events::s3::S3Event;
use serde_json::{Value, json};
use shared::bucket::{Bucket, Fetched};
use shared::clock::Clock;
use shared::config::{self, ConfigError};
use shared::db::Db;
use shared::db::settings::images::{self, Fate};
use shared::domain::ids::ImageId;
use shared::domain::picture::{MOST_BYTES, Refused, incoming_key, key, of_incoming_key};
use shared::error::Error;
use shared::net;

// From bytes to the sizes of pages.
pub mod develop;

// What numbers mean, and what they are in sRGB.
pub mod colour;

// The peculiarities of JPEG.
pub mod jpeg;

/// What the function works with.
#[expect(missing_debug_implementations, reason = "it holds secrets")]
pub struct App {
    pub db: Db,
    pub bucket: Bucket,
    pub clock: Clock,
}

impl App {
    pub fn from_env() -> Result<Self, ConfigError> {
        let http = net::client(&net::tls());
        Ok(Self { db: Db::from_env()?, bucket: Bucket::from_env(&http)?, clock: config::clock()? })
    }
}

/// Takes in what an event names, and says what became of each.
///
/// # Errors
/// S3 or the database failed: the event must come again.
pub async fn handle(app: &App, event: S3Event) -> Result<Value, Error> {
    let mut fates = Vec::new();
    for record in event.records {
        let named = record.s3.object.url_decoded_key.or(record.s3.object.key).unwrap_or_default();
        let Some(id) = of_incoming_key(&named) else {
            tracing::warn!("an event of a file that is no upload");
            continue;
        };
        let fate = take_in(app, id).await.inspect_err(|error| {
            tracing::error!(image.id = %id, error = %error, "a picture was not taken in");
        })?;
        tracing::info!(image.id = %id, fate, "a picture was taken in");
        fates.push(json!({ "id": id, "fate": fate }));
    }
    Ok(json!({ "images": fates }))
}

async fn take_in(app: &App, id: ImageId) -> Result<&'static str, Error> {
    let incoming = incoming_key(id);
    match images::stored(&app.db, id).await? {
        Some(Fate::Waiting) => {}
        // Decided before, or announced by nobody: only the file is left over.
        known => {
            app.bucket.delete(&incoming).await?;
            return Ok(if known.is_some() { "known" } else { "unknown" });
        }
    }
    let limit = usize::try_from(MOST_BYTES).unwrap_or(usize::MAX);
    let developed = match app.bucket.get(&incoming, limit).await? {
        // The event came twice, and the other one is done with the file.
        Fetched::Missing => return Ok("gone"),
        Fetched::TooLarge => Err(Refused::TooHeavy),
        // Some seconds of work; the runtime waits for nothing else meanwhile.
        // A stranger's bytes: should a decoder stumble over them, they cannot be read, today or when the event comes again.
        Fetched::Bytes(bytes) => {
            std::panic::catch_unwind(|| develop::develop(&bytes)).unwrap_or(Err(Refused::Unreadable))
        }
    };
    let now = app.clock.now();
    let fate = match developed {
        Ok(sizes) => {
            for size in &sizes {
                app.bucket.put(&key(id, size.width), "image/jpeg", size.jpeg.clone()).await?;
            }
            let widest = sizes.last().ok_or_else(|| Error::Internal("a picture without sizes".into()))?;
            // Only now may pages show it: every size is there.
            images::ready(&app.db, id, widest.width, widest.height, now).await?;
            "ready"
        }
        Err(reason) => {
            images::refused(&app.db, id, reason, now).await?;
            reason.name()
        }
    };
    app.bucket.delete(&incoming).await?;
    Ok(fate)
}
