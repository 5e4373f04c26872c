//! `/api/dashboard/calendar`: the way into the artist's Cal.com, and a test that says in words what is wrong with it.

use jiff::{SignedDuration, Timestamp};
use lambda_http::http::StatusCode;
use serde::{Deserialize, Serialize};
use shared::calcom::connection::EventType;
use shared::calcom::{Calcom, CalcomError};
use shared::config::Secret;
use shared::db::settings::calendar::{self as store, Stored};
use shared::domain::ids::ArtistId;
use shared::domain::locale::Locale;
use shared::domain::settings::calendar::{Connection, ConnectionDraft, CreateAt};
use shared::domain::time::after;
use shared::error::Error;
use shared::http::{self, Reply};

use crate::{Asked, body};

/// How far the test looks for free times.
const AHEAD: SignedDuration = SignedDuration::from_hours(14 * 24);

/// A connection as it comes in.
#[derive(Default, Deserialize)]
#[serde(default)]
#[derive(schemars::JsonSchema)]
#[expect(missing_debug_implementations, reason = "it holds a key")]
pub struct ConnectionInput {
    #[schemars(required)]
    username: Option<String>,
    #[schemars(required)]
    event_type_id: Option<i64>,
    /// Never told again. Without one the stored key is kept.
    api_key: Option<String>,
    /// `booking` or `payment`.
    create_at: Option<String>,
}

/// A connection as it is. No key.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct ConnectionView {
    /// Whether slots come from Cal.com and bookings go there.
    pub connected: bool,
    /// Their name at Cal.com.
    pub username: Option<String>,
    /// The event type that clients book.
    pub event_type_id: Option<i64>,
    /// When Cal.com is told: `booking` or `payment`.
    pub create_at: String,
    /// Whether a key is stored.
    pub has_key: bool,
    /// Where Cal.com tells of changes.
    pub webhook_url: String,
    /// After a change: whether Cal.com will tell of changes, `subscribed` or `failed`.
    pub webhook: Option<&'static str>,
}

/// What a test found.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct TestView {
    /// Whether clients can book.
    pub ok: bool,
    /// What was looked at, in order; nothing after a key that opens nothing.
    pub checks: Vec<Check>,
}

/// One thing that was looked at.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct Check {
    /// `key`, `username`, `event_type`, `cancelling` or `slots`.
    pub name: &'static str,
    /// Whether it is as it should be.
    pub ok: bool,
    /// What was found.
    pub detail: String,
    /// What to do.
    pub advice: Option<String>,
}

impl Check {
    fn good(name: &'static str, detail: String) -> Self {
        Self { name, ok: true, detail, advice: None }
    }

    fn bad(name: &'static str, detail: String, advice: &str) -> Self {
        Self { name, ok: false, detail, advice: Some(advice.to_owned()) }
    }
}

fn view(asked: &Asked<'_>, stored: Stored, webhook: Option<&'static str>) -> ConnectionView {
    let has_key = stored.sealed_key.is_some();
    ConnectionView {
        connected: has_key && stored.event_type_id.is_some(),
        username: stored.username,
        event_type_id: stored.event_type_id,
        create_at: stored.create_at,
        has_key,
        webhook_url: webhook_url(asked, stored.artist),
        webhook,
    }
}

/// Where Cal.com tells of an artist's changes: with whose they are, so that the right secret is tried.
fn webhook_url(asked: &Asked<'_>, artist: ArtistId) -> String {
    format!("{}?artist={artist}", asked.app.calcom_webhook_url)
}

fn parsed(asked: &Asked<'_>) -> Result<Connection, Error> {
    let input: ConnectionInput = body(asked.request)?;
    Connection::parse(&ConnectionDraft {
        username: input.username.as_deref(),
        event_type_id: input.event_type_id,
        api_key: input.api_key.as_deref(),
        create_at: input.create_at.as_deref(),
    })
    .map_err(|flaws| asked.refuse(flaws))
}

/// Opens what was sealed for an artist; none when another `ENCRYPTION_KEY` sealed it, which a new key mends.
fn opened(asked: &Asked<'_>, artist: ArtistId, sealed: Option<&[u8]>) -> Option<Secret> {
    asked.app.calendars.vault().open(artist.uuid(), sealed?).ok()
}

/// The key to use: the one that was sent, else the stored one.
fn key(asked: &Asked<'_>, connection: &Connection, stored: &Stored) -> Result<Secret, Error> {
    let sent = connection.api_key.clone().map(Secret::new);
    sent.or_else(|| opened(asked, stored.artist, stored.sealed_key.as_deref()))
        .ok_or_else(|| asked.refuse(Connection::without_key()))
}

pub(crate) async fn show(asked: &Asked<'_>) -> Reply {
    let stored = store::read(&asked.app.db, asked.who.account()).await?;
    http::reply(StatusCode::OK, &view(asked, stored, None))
}

pub(crate) async fn save(asked: &Asked<'_>) -> Reply {
    let connection = parsed(asked)?;
    let stored = store::read(&asked.app.db, asked.who.account()).await?;
    let key = key(asked, &connection, &stored)?;
    // A secret that is stored is known to Cal.com: events on their way are signed with it.
    let secret = match opened(asked, stored.artist, stored.sealed_secret.as_deref()) {
        Some(secret) => secret,
        None => new_secret()?,
    };
    let seal = |secret: &Secret| {
        let vault = asked.app.calendars.vault();
        vault.seal(stored.artist.uuid(), secret.expose()).map_err(|error| Error::Internal(error.to_string()))
    };
    let (sealed_key, sealed_secret) = (seal(&key)?, seal(&secret)?);
    store::write(&asked.app.db, asked.who.account(), &connection, &sealed_key, &sealed_secret, asked.now).await?;
    // The connection stands without it: the sweeper looks at Cal.com too. The test says why it failed.
    let url = webhook_url(asked, stored.artist);
    let subscribed = asked.app.calendars.calcom().subscribe(&key, connection.event_type_id, &url, &secret).await;
    if let Err(error) = &subscribed {
        tracing::warn!(error = %error, "Cal.com will not tell of changes");
    }
    let webhook = if subscribed.is_ok() { "subscribed" } else { "failed" };
    let now = Stored {
        username: Some(connection.username),
        event_type_id: Some(connection.event_type_id),
        create_at: connection.create_at.name().to_owned(),
        sealed_key: Some(sealed_key),
        ..stored
    };
    http::reply(StatusCode::OK, &view(asked, now, Some(webhook)))
}

/// 32 random bytes, as Cal.com takes a secret: a text.
fn new_secret() -> Result<Secret, Error> {
    shared::vault::random_secret().map_err(|error| Error::Internal(error.to_string()))
}

/// Forgets the connection. Bookings that are at Cal.com stay there.
pub(crate) async fn disconnect(asked: &Asked<'_>) -> Reply {
    let stored = store::read(&asked.app.db, asked.who.account()).await?;
    store::delete(&asked.app.db, asked.who.account(), asked.now).await?;
    if let (Some(key), Some(event_type)) =
        (opened(asked, stored.artist, stored.sealed_key.as_deref()), stored.event_type_id)
    {
        let url = webhook_url(asked, stored.artist);
        if let Err(error) = asked.app.calendars.calcom().unsubscribe(&key, event_type, &url).await {
            tracing::info!(error = %error, "Cal.com goes on telling of changes");
        }
    }
    Ok(http::no_content())
}

pub(crate) async fn test(asked: &Asked<'_>) -> Reply {
    let connection = parsed(asked)?;
    let stored = store::read(&asked.app.db, asked.who.account()).await?;
    let key = key(asked, &connection, &stored)?;
    let calcom = asked.app.calendars.calcom();
    let checks = checks(calcom, &key, &connection, &stored.lengths, asked.now, asked.locale).await;
    http::reply(StatusCode::OK, &TestView { ok: checks.iter().all(|check| check.ok), checks })
}

async fn checks(
    calcom: &Calcom,
    key: &Secret,
    connection: &Connection,
    lengths: &[u32],
    now: Timestamp,
    locale: Locale,
) -> Vec<Check> {
    let owner = match calcom.username(key).await {
        Ok(owner) => owner.unwrap_or_default(),
        Err(error) => return vec![wrong_key(&error, locale)],
    };
    let mut checks = vec![
        Check::good("key", locale.pick("La clé ouvre un compte Cal.com.", "The key opens a Cal.com account.").into()),
        username(&owner, connection, locale),
    ];
    let (found, check) = event_type(calcom, key, connection, lengths, locale).await;
    checks.push(check);
    if let Some(found) = found {
        checks.push(cancelling(&found, locale));
        checks.push(slots(calcom, key, connection, lengths, now, locale).await);
    }
    checks
}

fn wrong_key(error: &CalcomError, locale: Locale) -> Check {
    match error {
        CalcomError::Unauthorised => Check::bad(
            "key",
            locale.pick("Cal.com refuse cette clé.", "Cal.com refuses this key.").into(),
            locale.pick(
                "Créez une clé dans Cal.com (Settings, Developer, API keys), sans date de fin, et copiez-la en entier.",
                "Make a key in Cal.com (Settings, Developer, API keys) that never expires, and copy all of it.",
            ),
        ),
        error => unreachable("key", error, locale),
    }
}

/// Cal.com did not answer, or not in a way that says anything about the settings.
fn unreachable(name: &'static str, error: &CalcomError, locale: Locale) -> Check {
    tracing::info!(error = %error, check = name, "a connection cannot be tested");
    Check::bad(
        name,
        match error {
            CalcomError::RateLimited { .. } => {
                locale.pick("Cal.com limite les questions en ce moment.", "Cal.com limits questions right now.")
            }
            CalcomError::Unavailable(_) => locale.pick("Cal.com ne répond pas.", "Cal.com does not answer."),
            _ => locale.pick("Cal.com a répondu autrement que prévu.", "Cal.com answered in an unexpected way."),
        }
        .into(),
        locale.pick("Réessayez dans quelques minutes.", "Try again in a few minutes."),
    )
}

fn username(owner: &str, connection: &Connection, locale: Locale) -> Check {
    if owner.eq_ignore_ascii_case(&connection.username) {
        return Check::good(
            "username",
            locale.pick(format!("C’est bien la clé de {owner}."), format!("The key is {owner}’s.")),
        );
    }
    Check::bad(
        "username",
        locale.pick(
            format!("Cette clé est celle de «\u{a0}{owner}\u{a0}», pas de «\u{a0}{}\u{a0}».", connection.username),
            format!("This key is “{owner}”’s, not “{}”’s.", connection.username),
        ),
        locale.pick(
            "Corrigez le nom, ou créez la clé depuis l’autre compte.",
            "Correct the name, or make the key in the other account.",
        ),
    )
}

/// The event type, if there is one, and what is wrong with it.
async fn event_type(
    calcom: &Calcom,
    key: &Secret,
    connection: &Connection,
    lengths: &[u32],
    locale: Locale,
) -> (Option<EventType>, Check) {
    const NAME: &str = "event_type";
    let id = connection.event_type_id;
    let found = match calcom.event_type(key, id).await {
        Ok(found) => found,
        Err(CalcomError::NotFound | CalcomError::Unauthorised) => {
            let check = Check::bad(
                NAME,
                locale.pick(
                    format!("Ce compte n’a pas de type d’événement {id}."),
                    format!("This account has no event type {id}."),
                ),
                locale.pick(
                    "Ouvrez le type d’événement dans Cal.com\u{a0}: son numéro est à la fin de l’adresse \
                     (…/event-types/123456).",
                    "Open the event type in Cal.com: its number is at the end of the address (…/event-types/123456).",
                ),
            );
            return (None, check);
        }
        Err(error) => return (None, unreachable(NAME, &error, locale)),
    };
    let title = found.title.clone();
    if found.requires_confirmation && !found.blocks_while_pending && connection.create_at == CreateAt::Booking {
        let check = Check::bad(
            NAME,
            locale.pick(
                format!("«\u{a0}{title}\u{a0}» demande votre confirmation, et laisse l’heure libre en attendant."),
                format!("“{title}” requires your confirmation, and leaves the time free until then."),
            ),
            locale.pick(
                "Dans Cal.com, type d’événement, Advanced\u{a0}: désactivez «\u{a0}Requires confirmation\u{a0}», ou \
                 activez «\u{a0}Block unconfirmed bookings\u{a0}». Sinon, deux personnes peuvent payer la même heure.",
                "In Cal.com, event type, Advanced: turn off “Requires confirmation”, or turn on “Block unconfirmed \
                 bookings”. Otherwise two people may pay for the same time.",
            ),
        );
        return (Some(found), check);
    }
    let missing: Vec<String> =
        lengths.iter().filter(|minutes| !found.lengths.contains(minutes)).map(ToString::to_string).collect();
    if !missing.is_empty() {
        let missing = missing.join(", ");
        let check = Check::bad(
            NAME,
            locale.pick(
                format!("«\u{a0}{title}\u{a0}» n’offre pas ces durées\u{a0}: {missing} minutes."),
                format!("“{title}” does not offer these lengths: {missing} minutes."),
            ),
            locale.pick(
                "Dans Cal.com, cochez «\u{a0}Allow multiple durations\u{a0}» et ajoutez-les\u{a0}: sinon l’agenda garde \
                 une autre durée que le rendez-vous.",
                "In Cal.com, tick “Allow multiple durations” and add them: otherwise the calendar keeps another length \
                 than the appointment.",
            ),
        );
        return (Some(found), check);
    }
    let detail = if found.requires_confirmation {
        locale.pick(
            format!("«\u{a0}{title}\u{a0}»\u{a0}: InkFlow confirme à votre place quand l’acompte est payé."),
            format!("“{title}”: InkFlow confirms in your place when the deposit is paid."),
        )
    } else {
        locale.pick(format!("«\u{a0}{title}\u{a0}» convient."), format!("“{title}” fits."))
    };
    (Some(found), Check::good(NAME, detail))
}

/// Whether Cal.com lets InkFlow take a cancelled appointment out.
fn cancelling(found: &EventType, locale: Locale) -> Check {
    const NAME: &str = "cancelling";
    let title = &found.title;
    if found.cancelling_disabled {
        return Check::bad(
            NAME,
            locale.pick(
                format!("«\u{a0}{title}\u{a0}» interdit d’annuler, à InkFlow aussi\u{a0}: le moment d’un rendez-vous annulé \
                         reste occupé dans Cal.com."),
                format!("“{title}” forbids to cancel, to InkFlow as well: the time of a cancelled appointment stays taken \
                         in Cal.com."),
            ),
            locale.pick(
                "Dans Cal.com, type d’événement, Advanced\u{a0}: désactivez «\u{a0}Disable cancelling\u{a0}». Un client qui \
                 annule dans Cal.com est remboursé selon vos conditions, pas davantage.",
                "In Cal.com, event type, Advanced: turn off “Disable cancelling”. A client who cancels in Cal.com is \
                 refunded by your terms, and no further.",
            ),
        );
    }
    let detail = if found.rescheduling_disabled {
        locale.pick(
            "Un rendez-vous annulé libère votre agenda. Personne ne peut le déplacer dans Cal.com.",
            "A cancelled appointment frees your calendar. Nobody can move it in Cal.com.",
        )
    } else {
        locale.pick("Un rendez-vous annulé libère votre agenda.", "A cancelled appointment frees your calendar.")
    };
    Check::good(NAME, detail.into())
}

async fn slots(
    calcom: &Calcom,
    key: &Secret,
    connection: &Connection,
    lengths: &[u32],
    now: Timestamp,
    locale: Locale,
) -> Check {
    const NAME: &str = "slots";
    let minutes = lengths.first().copied().unwrap_or(60);
    let until = after(now, AHEAD);
    match calcom.slots(key, connection.event_type_id, now, until, minutes).await {
        Ok(free) if free.is_empty() => Check::bad(
            NAME,
            locale.pick("Aucune heure libre dans les 14 prochains jours.", "No free time in the next 14 days.").into(),
            locale.pick(
                "Vérifiez dans Cal.com vos disponibilités (Availability), le délai minimum et les agendas reliés.",
                "Check your availability, the minimum notice and the connected calendars in Cal.com.",
            ),
        ),
        Ok(free) => Check::good(
            NAME,
            locale.pick(
                format!("{} heures libres dans les 14 prochains jours.", free.len()),
                format!("{} free times in the next 14 days.", free.len()),
            ),
        ),
        Err(error) => unreachable(NAME, &error, locale),
    }
}
