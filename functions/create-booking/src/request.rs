//! The request of a booking, parsed once: what comes in is text, what goes on is trusted.
//! Price, duration, deposit and URLs are not in it: they come from the database.

use jiff::Timestamp;
use lambda_http::Request;
use serde::Deserialize;
use serde_json::Value;
use shared::domain::contact::{Country, EmailAddress, FullName, InvalidField, PhoneNumber, ProjectBrief};
use shared::domain::ids::FlashId;
use shared::domain::locale::Locale;
use shared::domain::money::Cents;
use shared::error::Error;
use shared::http::{self, Fields};

/// Where the number stands in the body.
const PHONE: &str = "/client/phone";

/// The body as it comes in. Every field is optional here, so that the client hears of all that is wrong at once.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[derive(schemars::JsonSchema)]
pub struct BookingRequest {
    #[schemars(required)]
    artist: Option<String>,
    #[schemars(required)]
    #[serde(rename = "type")]
    kind: Option<String>,
    flash_id: Option<String>,
    project: Option<ProjectRequest>,
    #[schemars(required)]
    client: Option<ClientRequest>,
    #[schemars(required)]
    start: Option<String>,
    locale: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[derive(schemars::JsonSchema)]
struct ProjectRequest {
    #[schemars(required)]
    description: Option<String>,
    #[schemars(required)]
    body_zone: Option<String>,
    /// Euros, as a number or as text.
    budget: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[derive(schemars::JsonSchema)]
struct ClientRequest {
    #[schemars(required)]
    name: Option<String>,
    #[schemars(required)]
    email: Option<String>,
    #[schemars(required)]
    phone: Option<String>,
}

/// What the client wants to book.
#[derive(Debug)]
pub enum Choice {
    /// A flash of the artist.
    Flash(FlashId),
    /// A project of their own.
    Project(ProjectBrief),
}

/// A wish that is well formed; whether it can be granted is another matter.
#[derive(Debug)]
pub struct Wish {
    /// The artist's slug.
    pub artist: String,
    pub choice: Choice,
    pub name: FullName,
    pub email: EmailAddress,
    /// How the artist calls back, as typed: what it means depends on where the artist is.
    pub phone: String,
    pub start: Timestamp,
    /// The client's language.
    pub locale: Locale,
}

impl Wish {
    /// The number to call back, read where the artist is.
    ///
    /// # Errors
    /// It is no number there, and none of another country.
    pub fn phone_at(&self, zone: &str) -> Result<PhoneNumber, Error> {
        let mut fields = Fields::default();
        let read = PhoneNumber::parse(&self.phone, Country::of_zone(zone));
        fields.keep(PHONE, read, |error| error.sentence(self.locale).to_owned()).ok_or_else(|| fields.into_error())
    }

    /// The flash, if it is one.
    pub fn flash(&self) -> Option<FlashId> {
        match self.choice {
            Choice::Flash(id) => Some(id),
            Choice::Project(_) => None,
        }
    }
}

/// Reads the wish of a request; the number to call back only as far as `zone`, the artist's, is known.
///
/// # Errors
/// The body cannot be read, or fields are wrong: then all of them are named.
pub fn parse(request: &Request, zone: Option<&str>) -> Result<Wish, Error> {
    let body: BookingRequest = http::json(request)?;
    let locale = body.locale.as_deref().map_or_else(|| http::language(request), Locale::from_tag);
    let mut fields = Fields::default();
    let missing = || locale.pick("Ce champ est obligatoire.", "This field is required.").to_owned();
    let words = |error: InvalidField| error.sentence(locale).to_owned();

    let artist = fields.keep("/artist", body.artist.filter(|slug| !slug.is_empty()).ok_or(()), |()| missing());
    let start = match body.start.as_deref() {
        None => fields.keep("/start", Err(()), |()| missing()),
        // Postgres knows no instant before 4713 BC.
        Some(text) => {
            fields.keep("/start", text.parse().ok().filter(|start| *start > Timestamp::UNIX_EPOCH).ok_or(()), |()| {
                locale
                    .pick(
                        "L’heure doit être au format RFC 3339, par exemple 2026-12-01T09:00:00Z.",
                        "The time must be RFC 3339, e.g. 2026-12-01T09:00:00Z.",
                    )
                    .to_owned()
            })
        }
    };
    let client = body.client.unwrap_or_default();
    let name = fields.keep("/client/name", FullName::parse(client.name.as_deref().unwrap_or_default()), words);
    let email = fields.keep("/client/email", EmailAddress::parse(client.email.as_deref().unwrap_or_default()), words);
    let phone = client.phone.unwrap_or_default();
    let flaw = match zone {
        Some(zone) => PhoneNumber::parse(&phone, Country::of_zone(zone)).err(),
        None => PhoneNumber::flaw_anywhere(&phone),
    };
    let phone = fields.keep(PHONE, flaw.map_or(Ok(phone), Err), words);
    let choice = match body.kind.as_deref() {
        Some("flash") => fields.keep("/flash_id", body.flash_id.unwrap_or_default().parse().map(Choice::Flash), |_| {
            locale.pick("Choisissez un flash.", "Choose a flash.").to_owned()
        }),
        Some("project") => project(body.project.unwrap_or_default(), &mut fields, locale).map(Choice::Project),
        _ => fields.keep("/type", Err(()), |()| {
            locale.pick("Doit être « flash » ou « project ».", "Must be “flash” or “project”.").to_owned()
        }),
    };
    match (artist, choice, name, email, phone, start) {
        (Some(artist), Some(choice), Some(name), Some(email), Some(phone), Some(start)) if fields.is_empty() => {
            Ok(Wish { artist, choice, name, email, phone, start, locale })
        }
        _ => Err(fields.into_error()),
    }
}

/// The artist of a request that cannot be granted, if what is wrong with its number depends on where they are.
pub fn artist_to_ask(request: &Request) -> Option<String> {
    let body: BookingRequest = http::json(request).ok()?;
    let phone = body.client?.phone?;
    body.artist.filter(|_| PhoneNumber::flaw_anywhere(&phone).is_none() && !phone.contains('+'))
}

fn project(request: ProjectRequest, fields: &mut Fields, locale: Locale) -> Option<ProjectBrief> {
    let budget = match request.budget {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) if text.trim().is_empty() => None,
        Some(value) => {
            let text = match &value {
                Value::String(text) => text.trim().replace(',', "."),
                other => other.to_string(),
            };
            fields.keep("/project/budget", Cents::from_euros(&text), |_| {
                locale
                    .pick("Indiquez un montant en euros, par exemple 300.", "Give an amount in euros, e.g. 300.")
                    .to_owned()
            })
        }
    };
    let description = request.description.unwrap_or_default();
    let body_zone = request.body_zone.unwrap_or_default();
    match ProjectBrief::parse(&description, &body_zone, budget) {
        Ok(brief) => Some(brief),
        Err(errors) => {
            for (field, error) in errors {
                fields.refuse(&format!("/project/{field}"), error.sentence(locale));
            }
            None
        }
    }
}
