//! `make artist`: whom the operator asks to open a page, whether deposits are taken there, and whether it is shown at all.

use anyhow::{Context as _, Result, bail, ensure};
use tokio_postgres::Client;
use tokio_postgres::types::Type;

/// What the operator wishes for an address.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// The address of the account.
    pub email: String,
    /// Whether deposits may be taken, where anything is said.
    pub payments: Option<bool>,
    /// Whether the page is shown, where anything is said.
    pub shown: Option<bool>,
}

impl Wish {
    /// Reads `EMAIL`, `PAYMENTS`, `CLOSE` and `OPEN` as `make` hands them over.
    ///
    /// # Errors
    /// One says something else than it may.
    pub fn read(given: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let given = |name: &str| given(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        let yes = |name: &str| match given(name).as_deref() {
            None => Ok(None),
            Some("yes" | "1") => Ok(Some(true)),
            Some("no" | "0") => Ok(Some(false)),
            Some(other) => bail!("{name} is yes or no, not \"{other}\""),
        };
        let email = given("EMAIL").context("Whom? make artist EMAIL=lou@studio.example ENV=prod")?.to_lowercase();
        let plain = email.split_once('@').is_some_and(|(name, domain)| !name.is_empty() && domain.contains('.'));
        ensure!(plain && !email.contains(char::is_whitespace), "EMAIL is an address, not \"{email}\"");
        let (close, open) = (yes("CLOSE")? == Some(true), yes("OPEN")? == Some(true));
        ensure!(!(close && open), "CLOSE and OPEN at once?");
        let shown = if close { Some(false) } else { open.then_some(true) };
        Ok(Self { email, payments: yes("PAYMENTS")?, shown })
    }
}

/// Does what is wished, and says what has become of it.
///
/// # Errors
/// The database refuses, or a page is to be closed that is not there.
pub async fn carry_out(client: &Client, wish: &Wish) -> Result<String> {
    // By the account's own address where it is known, else by where the page's mails go.
    let known = r"select id::text, slug from artists where lower(account_email) = $1
        union all select id::text, slug from artists where account_email is null and lower(email) = $1";
    let rows = client.query_typed(known, &[(&wish.email, Type::TEXT)]).await.context("reading the artists")?;
    match rows.as_slice() {
        [] => invite(client, wish).await,
        [row] => change(client, row.get(0), row.get(1), wish).await,
        several => {
            let slugs: Vec<&str> = several.iter().map(|row| row.get(1)).collect();
            bail!("{} pages have this address: {}. Change them by hand", several.len(), slugs.join(", "))
        }
    }
}

async fn invite(client: &Client, wish: &Wish) -> Result<String> {
    ensure!(wish.shown != Some(true), "{} has no page that could be opened", wish.email);
    if wish.shown == Some(false) {
        let taken = client
            .query_typed("delete from invitations where email = $1 returning email", &[(&wish.email, Type::TEXT)])
            .await
            .context("taking the invitation back")?;
        ensure!(!taken.is_empty(), "{} has neither a page nor an invitation", wish.email);
        return Ok(format!("{} is not invited any more", wish.email));
    }
    let sql = r"insert into invitations (email, takes_deposits, invited_at) values ($1, coalesce($2, false), now())
        on conflict (email) do update set takes_deposits = coalesce($2, invitations.takes_deposits) returning takes_deposits";
    let rows = client
        .query_typed(sql, &[(&wish.email, Type::TEXT), (&wish.payments, Type::BOOL)])
        .await
        .context("inviting")?;
    let takes: bool = rows[0].get(0);
    let deposits = if takes {
        "takes deposits from the first day"
    } else {
        "takes no deposits yet: PAYMENTS=yes, when you know them"
    };
    Ok(format!("{} is invited: a page that they open with this address {deposits}", wish.email))
}

async fn change(client: &Client, id: &str, slug: &str, wish: &Wish) -> Result<String> {
    let sql = r"update artists set takes_deposits = coalesce($2, takes_deposits), active = coalesce($3, active),
            updated_at = now()
        where id = $1::uuid returning active, takes_deposits or stripe_account_id is not null";
    let rows = client
        .query_typed(sql, &[(&id, Type::TEXT), (&wish.payments, Type::BOOL), (&wish.shown, Type::BOOL)])
        .await
        .context("changing the page")?;
    let (shown, takes): (bool, bool) = (rows[0].get(0), rows[0].get(1));
    let shown = if shown {
        "is shown"
    } else {
        "is closed: nobody sees it and nobody books there; bookings that are there live on"
    };
    let takes = if takes { "takes deposits" } else { "takes no deposits: PAYMENTS=yes lets it" };
    Ok(format!("/artist/{slug} {shown}, and {takes}"))
}
