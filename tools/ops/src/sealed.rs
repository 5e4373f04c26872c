//! What is sealed in the database: whether the keys of `ENCRYPTION_KEY` open it, and how all of it gets the first one.

use anyhow::{Context as _, Result};
use shared::vault::Vault;
use tokio_postgres::Client;
use tokio_postgres::types::Type;
use uuid::Uuid;

/// The columns that hold sealed values, and what they are called.
const COLUMNS: [(&str, &str); 2] = [("cal_com_api_key", "Cal.com key"), ("cal_com_webhook_secret", "webhook secret")];

/// How many artists are read at once.
const BATCH: i64 = 100;

/// How the sealed values stand to a set of keys.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Survey {
    /// How many need the first key alone.
    pub current: usize,
    /// How many open, and need to be sealed anew before an older key may go.
    pub older: usize,
    /// Those that no key opens, in words.
    pub closed: Vec<String>,
}

impl Survey {
    /// Whether nothing is sealed at all.
    pub fn is_empty(&self) -> bool {
        self.current + self.older + self.closed.len() == 0
    }
}

/// One sealed value.
struct Value {
    artist: Uuid,
    slug: String,
    column: usize,
    sealed: Vec<u8>,
}

impl Value {
    fn in_words(&self) -> String {
        format!("{}'s {}", self.slug, COLUMNS[self.column].1)
    }
}

/// The values of the artists after `last`, in their order; none when there is no such table yet.
async fn batch(client: &Client, last: Uuid) -> Result<Vec<Value>> {
    let [(key, _), (secret, _)] = COLUMNS;
    let sql = format!(
        r"select id, slug, {key}, {secret} from artists where id > $1 and ({key} is not null or {secret} is not null)
         order by id limit $2"
    );
    let rows = client.query_typed(&sql, &[(&last, Type::UUID), (&BATCH, Type::INT8)]).await?;
    let mut values = Vec::new();
    for row in rows {
        for column in 0..COLUMNS.len() {
            if let Some(sealed) = row.try_get::<_, Option<Vec<u8>>>(2 + column)? {
                values.push(Value { artist: row.try_get(0)?, slug: row.try_get(1)?, column, sealed });
            }
        }
    }
    Ok(values)
}

async fn is_migrated(client: &Client) -> Result<bool> {
    let row = client.query_typed("select to_regclass('public.artists') is not null", &[]).await?;
    Ok(row.first().context("no answer")?.try_get(0)?)
}

/// Looks at every sealed value. Without keys, none opens.
pub async fn survey(client: &Client, vault: Option<&Vault>) -> Result<Survey> {
    let (mut survey, mut last) = (Survey::default(), Uuid::nil());
    if !is_migrated(client).await? {
        return Ok(survey);
    }
    loop {
        let values = batch(client, last).await?;
        let Some(end) = values.last() else { return Ok(survey) };
        last = end.artist;
        for value in &values {
            match vault.map(|vault| vault.look(value.artist, &value.sealed)) {
                Some(Ok(opened)) if opened.is_current => survey.current += 1,
                Some(Ok(_)) => survey.older += 1,
                _ => survey.closed.push(value.in_words()),
            }
        }
    }
}

/// Seals with the first key whatever an older one has sealed, or was sealed before sealed values named their key.
///
/// May be broken off and repeated: each value is a statement of its own, which changes nothing when the artist has changed it
/// meanwhile. Returns how many were sealed anew.
///
/// # Errors
/// The database cannot be asked, or the system has no randomness to give.
pub async fn reseal(client: &Client, vault: &Vault) -> Result<usize> {
    let (mut anew, mut last) = (0, Uuid::nil());
    loop {
        let values = batch(client, last).await?;
        let Some(end) = values.last() else { return Ok(anew) };
        last = end.artist;
        for value in &values {
            let Ok(opened) = vault.look(value.artist, &value.sealed) else { continue };
            if opened.is_current {
                continue;
            }
            let sealed = vault.seal(value.artist, opened.secret.expose())?;
            let column = COLUMNS[value.column].0;
            let sql = format!("update artists set {column} = $3 where id = $1 and {column} = $2");
            let parameters: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 3] =
                [(&value.artist, Type::UUID), (&value.sealed, Type::BYTEA), (&sealed, Type::BYTEA)];
            anew += usize::try_from(client.execute_typed(&sql, &parameters).await?)?;
        }
    }
}
