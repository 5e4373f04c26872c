//! The secrets of an environment. They are in SSM and nowhere else: what may be put there, and how each is made, changed and
//! taken away. The checks are those that the functions make when they start.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail, ensure};
use shared::auth;
use shared::config::Secret;
use shared::stripe::{NO_WEBHOOK_SECRET, is_secret_key, parse_webhook_secrets};
use shared::vault::{Vault, random_key};
use tokio_postgres::Client;

use crate::database;
use crate::environment::Outputs;
use crate::sealed::{self, Survey};
use crate::shelf::Shelf;

/// The functions' way into the database. `make database` makes it.
pub const DATABASE_URL: &str = "DATABASE_URL";
/// What calls Stripe.
pub const STRIPE_SECRET_KEY: &str = "STRIPE_SECRET_KEY";
/// What Stripe's events are signed with.
pub const STRIPE_WEBHOOK_SECRETS: &str = "STRIPE_WEBHOOK_SECRETS";
/// What the artists' own secrets are sealed with. Made here, and shown to nobody who does not ask.
pub const ENCRYPTION_KEY: &str = "ENCRYPTION_KEY";
/// What a Supabase project of the old kind signs with.
pub const SUPABASE_JWT_SECRET: &str = "SUPABASE_JWT_SECRET";

/// What tells Supabase whom it serves.
pub const SUPABASE_SECRET_KEY: &str = "SUPABASE_SECRET_KEY";

pub const NAMES: [&str; 6] =
    [DATABASE_URL, STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRETS, ENCRYPTION_KEY, SUPABASE_JWT_SECRET, SUPABASE_SECRET_KEY];

/// Whether a value can be that secret, by the checks that the functions make when they start.
///
/// # Errors
/// It cannot; the value itself is not told.
pub fn check(name: &str, value: &str) -> Result<()> {
    match name {
        DATABASE_URL => database::check(value),
        STRIPE_SECRET_KEY => {
            ensure!(
                is_secret_key(value),
                "it must be a key that begins with sk_ or rk_, whole: Stripe, Developers, API keys"
            );
            Ok(())
        }
        STRIPE_WEBHOOK_SECRETS => Ok(parse_webhook_secrets(value).map(drop)?),
        ENCRYPTION_KEY => Ok(Vault::new(&Secret::new(value.to_owned())).map(drop)?),
        SUPABASE_JWT_SECRET => {
            ensure!(auth::is_legacy_secret(value), "it must be the whole secret: 32 characters or more");
            Ok(())
        }
        SUPABASE_SECRET_KEY => {
            ensure!(
                value.strip_prefix("sb_secret_").is_some_and(|key| key.len() >= 16),
                "it must be a key that begins with sb_secret_, whole: Supabase, Project settings, API keys"
            );
            Ok(())
        }
        _ => bail!("there is no secret {name}. There are: {}", NAMES.join(", ")),
    }
}

/// Puts a secret that somebody else has made. Says whether it is another one than before.
///
/// # Errors
/// It is made here and not entered, it is none, or SSM refuses.
pub async fn put(shelf: &Shelf, name: &str, value: &str) -> Result<bool> {
    ensure!(name != ENCRYPTION_KEY, "ENCRYPTION_KEY is made and not entered; RESTORE=1 puts back one that was kept");
    check(name, value)?;
    if shelf.value(name).await?.as_deref() == Some(value) {
        return Ok(false);
    }
    shelf.put(name, value, true).await?;
    Ok(true)
}

/// Makes `ENCRYPTION_KEY`, once for all: a second one would open nothing of what the first has sealed.
///
/// # Errors
/// There is one, or there was one that has sealed something, or neither can be found out.
pub async fn make_key(shelf: &Shelf, ca: Option<&str>) -> Result<()> {
    ensure!(
        shelf.value(ENCRYPTION_KEY).await?.is_none(),
        "there is an ENCRYPTION_KEY, and what it has sealed opens with no other. ROTATE=1 puts a new one in front"
    );
    let survey = look(shelf, None, ca).await.context("whether something is sealed already cannot be found out")?;
    ensure!(
        survey.is_empty(),
        "{} values in the database are sealed with a key that is lost to SSM: put it back with RESTORE=1, from where you keep it",
        survey.closed.len()
    );
    shelf.put(ENCRYPTION_KEY, random_key()?.expose(), false).await?;
    Ok(())
}

/// Puts `ENCRYPTION_KEY` back from where it was kept.
///
/// # Errors
/// It is none, the one that is there opens what is sealed, this one does not, or neither can be found out.
pub async fn restore_key(shelf: &Shelf, value: &str, ca: Option<&str>) -> Result<()> {
    let vault = Vault::new(&Secret::new(value.to_owned()))?;
    if let Some(there) = shelf.value(ENCRYPTION_KEY).await? {
        if there == value {
            return Ok(());
        }
        let there = Vault::new(&Secret::new(there)).ok();
        let survey = look(shelf, there.as_ref(), ca).await?;
        ensure!(survey.current + survey.older == 0, "the ENCRYPTION_KEY that is there opens what is sealed: it stays");
    }
    let survey = look(shelf, Some(&vault), ca).await?;
    ensure!(survey.closed.is_empty(), "this key does not open {}", survey.closed.join(", "));
    shelf.put(ENCRYPTION_KEY, value, true).await?;
    Ok(())
}

/// Puts a new key or secret in front of the one that is there, which stays for as long as it is needed: a new `ENCRYPTION_KEY`
/// is made, a new secret of the webhook is `value`.
///
/// # Errors
/// There is nothing to rotate, or two of them already; the new one is none.
pub async fn rotate(shelf: &Shelf, name: &str, value: &str) -> Result<()> {
    let there = shelf.value(name).await?.with_context(|| format!("there is no {name} yet"))?;
    check(name, &there).context("the one that is there")?;
    let new = match name {
        ENCRYPTION_KEY => random_key()?.expose().to_owned(),
        STRIPE_WEBHOOK_SECRETS => {
            let new = parse_webhook_secrets(value)?;
            ensure!(new.len() == 1, "one new secret, alone");
            value.to_owned()
        }
        _ => bail!("{name} is replaced and not rotated: without ROTATE=1"),
    };
    ensure!(!there.contains(','), "there are two of them already: first DROP_OLD=1");
    let both = if there == NO_WEBHOOK_SECRET { new } else { format!("{new},{there}") };
    ensure!(
        both.split(',').collect::<std::collections::BTreeSet<_>>().len() == both.split(',').count(),
        "it is there already"
    );
    shelf.put(name, &both, true).await?;
    Ok(())
}

/// Takes the older one away. For `ENCRYPTION_KEY`, with what Terraform says where something is deployed: no function may still
/// seal with it, and nothing that is sealed may need it.
///
/// # Errors
/// There is only one, or it is still needed, or that cannot be found out.
pub async fn drop_old(shelf: &Shelf, name: &str, outputs: Option<&Outputs>, ca: Option<&str>) -> Result<()> {
    let there = shelf.read(&[name]).await?.remove(name).with_context(|| format!("there is no {name}"))?;
    let Some((first, _)) = there.value.split_once(',') else { bail!("there is only one, and it stays") };
    if name == ENCRYPTION_KEY {
        if let Some(outputs) = outputs {
            functions_know(outputs, there.version)?;
        }
        let survey = look(shelf, Some(&Vault::new(&Secret::new(first.to_owned()))?), ca).await?;
        let open = survey.older + survey.closed.len();
        ensure!(open == 0, "{open} sealed values still need the old key: make reseal");
    } else {
        check(name, first)?;
    }
    shelf.put(name, first, true).await?;
    Ok(())
}

/// Whether the functions were started with the keys that SSM has now. One that does not know the new key could not open what is
/// sealed with it, and would go on sealing with the old one.
///
/// # Errors
/// They were not.
pub fn functions_know(outputs: &Outputs, version: i64) -> Result<()> {
    let deployed = outputs.secret_versions.get(ENCRYPTION_KEY).copied().unwrap_or_default();
    ensure!(deployed == version, "the functions do not know the new key yet: make deploy, then this again");
    Ok(())
}

/// Looks at what is sealed, as the functions do.
async fn look(shelf: &Shelf, vault: Option<&Vault>, ca: Option<&str>) -> Result<Survey> {
    let url = shelf.value(DATABASE_URL).await?.context("there is no DATABASE_URL: first make database")?;
    sealed::survey(&connected(&url, ca).await?, vault).await
}

async fn connected(url: &str, ca: Option<&str>) -> Result<Client> {
    database::connect(url, ca).await.context("the database does not let the functions in")
}

/// What a deploy needs to know of the secrets.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Ready {
    /// The version of each, by name: the functions start anew when one of theirs has another.
    pub versions: BTreeMap<String, i64>,
    /// Whether the key of Stripe moves real money.
    pub stripe_live: bool,
    /// Those that [`make`] will make.
    pub to_make: Vec<String>,
}

/// Whether all of `names` are there, can be what they should be, and open what is sealed. What a first deploy makes by itself
/// counts as there.
///
/// # Errors
/// In lines, all that is missing or wrong, with what to do.
pub async fn ready(shelf: &Shelf, names: &[&str], env: &str, ca: Option<&str>) -> Result<Ready> {
    let there = shelf.read(names).await?;
    let (mut ready, mut wrong) = (Ready::default(), Vec::new());
    for name in names {
        match there.get(*name) {
            Some(secret) => {
                ready.versions.insert((*name).to_owned(), secret.version);
                if let Err(why) = check(name, &secret.value) {
                    wrong.push(format!("{name} cannot stand: {why}\n    make secret ENV={env} NAME={name}"));
                }
            }
            None if [ENCRYPTION_KEY, STRIPE_WEBHOOK_SECRETS].contains(name) => {
                ready.versions.insert((*name).to_owned(), 1);
                ready.to_make.push((*name).to_owned());
            }
            None if *name == DATABASE_URL => wrong.push(format!("{name} is missing\n    make database ENV={env}")),
            None => wrong.push(format!("{name} is missing\n    make secret ENV={env} NAME={name}")),
        }
    }
    let value = |name: &str| there.get(name).map(|secret| secret.value.clone());
    ready.stripe_live = value(STRIPE_SECRET_KEY).is_some_and(|key| key.contains("_live_"));
    if let Some(url) = value(DATABASE_URL).filter(|url| database::check(url).is_ok()) {
        let vault = value(ENCRYPTION_KEY).and_then(|keys| Vault::new(&Secret::new(keys)).ok());
        match connected(&url, ca).await {
            Err(why) => wrong.push(format!("{why:#}\n    make database ENV={env}")),
            Ok(client) => {
                let survey = sealed::survey(&client, vault.as_ref()).await?;
                if !survey.closed.is_empty() {
                    wrong.push(format!(
                        "ENCRYPTION_KEY does not open {}\n    put the one back that sealed it: make secret ENV={env} \
                         NAME=ENCRYPTION_KEY RESTORE=1. If it is lost, these artists enter their keys again: delete what is sealed",
                        survey.closed.join(", ")
                    ));
                }
            }
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(ready)
}

/// Makes what a first deploy makes by itself: `ENCRYPTION_KEY`, and the word that there is no secret of the webhook yet.
///
/// # Errors
/// As for [`make_key`].
pub async fn make(shelf: &Shelf, names: &[&str], ca: Option<&str>) -> Result<Vec<String>> {
    let there = shelf.read(names).await?;
    let mut made = Vec::new();
    for name in names.iter().filter(|name| !there.contains_key(**name)) {
        match *name {
            ENCRYPTION_KEY => make_key(shelf, ca).await?,
            STRIPE_WEBHOOK_SECRETS => drop(shelf.put(name, NO_WEBHOOK_SECRET, false).await?),
            _ => bail!("{name} is missing"),
        }
        made.push((*name).to_owned());
    }
    Ok(made)
}
