//! `/api/dashboard/flashes`: what is for sale.

use lambda_http::http::StatusCode;
use serde::{Deserialize, Serialize};
use shared::db::settings::flashes::{self as store, Stored, Written};
use shared::domain::ids::{FlashId, ImageId};
use shared::domain::money::Cents;
use shared::domain::picture::Picture;
use shared::domain::settings::flash::{FlashDraft, FlashSheet};
use shared::error::Error;
use shared::http::{self, Reply};
use uuid::Uuid;

use crate::{Asked, body};

/// A flash as it comes in.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[derive(schemars::JsonSchema)]
pub struct FlashInput {
    #[schemars(required)]
    title: Option<String>,
    #[schemars(required)]
    price_cents: Option<i64>,
    /// Null leaves it to the artist's rule.
    deposit_cents: Option<i64>,
    #[schemars(required)]
    duration_minutes: Option<i64>,
    /// Whether it may be tattooed more than once.
    repeatable: Option<bool>,
    /// A picture that is ready. A new flash needs one; without it a flash keeps the one it has.
    image_id: Option<String>,
    /// Its place in the gallery; without it the last, or the one it has.
    position: Option<i64>,
}

/// A flash as its artist sees it.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct OwnFlash {
    /// Its id.
    pub id: FlashId,
    /// Its name.
    pub title: String,
    /// The whole price.
    pub price_cents: Cents,
    /// What is paid ahead, when it says so itself.
    pub deposit_cents: Option<Cents>,
    /// What is paid ahead.
    pub effective_deposit_cents: Cents,
    /// How long it takes.
    pub duration_minutes: u32,
    /// False for a unique piece.
    pub repeatable: bool,
    /// `available` or `archived`.
    pub state: &'static str,
    /// The path of its picture.
    pub image: String,
    /// Its picture, when it was uploaded.
    pub image_id: Option<ImageId>,
    /// Its place in the gallery.
    pub position: i32,
    /// A unique one that is booked.
    pub sold: bool,
    /// A unique one that somebody is paying for.
    pub held: bool,
}

/// Every flash of an artist.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct OwnFlashes {
    /// Those on sale first, in the order of the gallery.
    pub flashes: Vec<OwnFlash>,
}

impl OwnFlash {
    fn of(flash: Stored, now: jiff::Timestamp) -> Self {
        let live = flash.holder.as_ref().filter(|holder| !holder.has_lapsed(now));
        Self {
            held: live.is_some_and(|holder| holder.is_held(now)),
            sold: live.is_some_and(|holder| !holder.is_held(now)),
            image_id: Picture::of_path(&flash.image).map(Picture::id),
            id: flash.id,
            title: flash.title,
            price_cents: flash.price,
            deposit_cents: flash.deposit,
            effective_deposit_cents: flash.effective_deposit,
            duration_minutes: flash.duration_minutes,
            repeatable: flash.repeatable,
            state: if flash.archived { "archived" } else { "available" },
            image: flash.image,
            position: flash.position,
        }
    }
}

fn parsed(asked: &Asked<'_>, new: bool) -> Result<FlashSheet, Error> {
    let input: FlashInput = body(asked.request)?;
    let draft = FlashDraft {
        title: input.title.as_deref(),
        price_cents: input.price_cents,
        deposit_cents: input.deposit_cents,
        duration_minutes: input.duration_minutes,
        repeatable: input.repeatable,
        image_id: input.image_id.as_deref(),
        position: input.position,
    };
    FlashSheet::parse(&draft, new).map_err(|flaws| asked.refuse(flaws))
}

pub(crate) async fn list(asked: &Asked<'_>) -> Reply {
    let flashes = store::list(&asked.app.db, asked.who.account()).await?;
    let flashes = flashes.into_iter().map(|flash| OwnFlash::of(flash, asked.now)).collect();
    http::reply(StatusCode::OK, &OwnFlashes { flashes })
}

pub(crate) async fn create(asked: &Asked<'_>) -> Reply {
    let sheet = parsed(asked, true)?;
    let id = FlashId::new(Uuid::now_v7());
    written(asked, StatusCode::CREATED, store::create(&asked.app.db, asked.who.account(), id, &sheet, asked.now).await?)
}

pub(crate) async fn change(asked: &Asked<'_>, id: &str) -> Reply {
    let id: FlashId = id.parse().map_err(|_| Error::NotFound)?;
    let sheet = parsed(asked, false)?;
    written(asked, StatusCode::OK, store::change(&asked.app.db, asked.who.account(), id, &sheet, asked.now).await?)
}

fn written(asked: &Asked<'_>, status: StatusCode, written: Written) -> Reply {
    let refuse = |pointer, fr, en| Err(asked.refuse_field(pointer, fr, en));
    match written {
        Written::Flash(flash) => http::reply(status, &OwnFlash::of(*flash, asked.now)),
        Written::Missing => Err(Error::NotFound),
        Written::NoPicture => refuse(
            "/image_id",
            "Cette image n’est pas encore prête, ou n’est pas à vous.",
            "This picture is not ready yet, or is not yours.",
        ),
        Written::KeepsKind => refuse(
            "/repeatable",
            "Ce flash est réservé\u{a0}: il reste la pièce unique, ou non, que le client a choisie. Archivez-le et \
             créez-en un autre.",
            "This flash is booked: it stays the one of a kind, or not, that the client chose. Archive it and make a new one.",
        ),
        Written::KeepsPicture => refuse(
            "/image_id",
            "Cette pièce unique est réservée\u{a0}: elle garde le dessin que le client a choisi. Archivez-la et créez-en \
             une autre.",
            "This one of a kind is booked: it keeps the drawing that the client chose. Archive it and make a new one.",
        ),
        Written::TooMany => refuse(
            "/title",
            "Vous avez déjà 500 flashs, archives comprises.",
            "You already have 500 flashes, archived ones included.",
        ),
    }
}

pub(crate) async fn set_archived(asked: &Asked<'_>, id: &str, archived: bool) -> Reply {
    let id: FlashId = id.parse().map_err(|_| Error::NotFound)?;
    let flash = store::set_archived(&asked.app.db, asked.who.account(), id, archived, asked.now).await?;
    http::reply(StatusCode::OK, &OwnFlash::of(flash.ok_or(Error::NotFound)?, asked.now))
}
