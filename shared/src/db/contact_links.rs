//! Links that confirm an artist's address, for 48 hours. What the mail carries is kept as a hash.

use jiff::Timestamp;
use ring::digest::{SHA256, digest};
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::{Db, Repeat, get};
use crate::auth::Account;
use crate::domain::locale::Locale;
use crate::error::Error;

/// How many links one address gets within an hour and within a day, and how many one artist asks for.
pub(crate) const ALLOWED: [i32; 4] = [3, 6, 5, 10];

/// A link that is about to be mailed.
#[derive(Debug)]
pub struct Wanted {
    pub email: String,
    /// The artist's language.
    pub locale: Locale,
}

/// Notes the token of a link that is about to be mailed; nothing when it was mailed before, or the artist has another wish
/// by now. One flight.
pub async fn begin(db: &Db, link: Uuid, token: &str, now: Timestamp) -> Result<Option<Wanted>, Error> {
    const SQL: &str = r"update contact_links l set token_hash = $2 from artists a
         where l.id = $1 and l.token_hash is null and l.used_at is null and l.expires_at > $3
             and a.id = l.artist_id and a.email_wanted = l.email
         returning l.email, a.locale";
    // Sent twice, the second finds the first's hash: no mail, and the artist asks for another.
    let row = db
        .row(Repeat::Safe, SQL, &[(&link, Type::UUID), (&hash(token), Type::BYTEA), (&now, Type::TIMESTAMPTZ)])
        .await?;
    row.map(|row| Ok(Wanted { email: get(&row, "email")?, locale: Locale::from_tag(get(&row, "locale")?) })).transpose()
}

/// Takes the token back: SES did not take the mail. One flight.
pub async fn not_taken(db: &Db, link: Uuid) -> Result<(), Error> {
    let sql = "update contact_links set token_hash = null where id = $1 and used_at is null";
    db.rows(Repeat::Safe, sql, &[(&link, Type::UUID)]).await?;
    Ok(())
}

/// Follows a link: from now on the artist of this account is written to there.
///
/// False when it is not theirs, was used for something else since, or has run out. Followed twice, it says the same twice.
/// One flight.
///
/// # Errors
/// [`Error::NoArtist`], or the database failed.
pub async fn follow(db: &Db, user: Account, token: &str, now: Timestamp) -> Result<bool, Error> {
    const SQL: &str = r"with link as materialized (
             select l.id, l.artist_id, l.email, a.email as current, a.email_wanted as wanted from contact_links l
             join artists a on a.id = l.artist_id where l.token_hash = $2 and a.user_id = account($1) and l.expires_at > $3
         ), used as (
             update contact_links l set used_at = $3 from link where l.id = link.id and l.used_at is null and link.wanted = link.email
             returning l.artist_id, l.email
         ), changed as (
             update artists a set email = used.email, email_wanted = null, updated_at = $3 from used
             where a.id = used.artist_id and a.email_wanted = used.email returning a.id
         ) select exists (select from changed) or exists (select from link where link.current = link.email) as confirmed
         from artists where user_id = account($1)";
    let row = db
        .row(Repeat::Safe, SQL, &[(&user, Type::UUID_ARRAY), (&hash(token), Type::BYTEA), (&now, Type::TIMESTAMPTZ)])
        .await?
        .ok_or(Error::NoArtist)?;
    get(&row, "confirmed")
}

fn hash(token: &str) -> Vec<u8> {
    digest(&SHA256, token.as_bytes()).as_ref().to_vec()
}
