//! What stays in the platform's folder until RESET=1: its secrets, its ports, how far its clock is shifted, and whose the
//! folder is.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};

use super::options::Options;
use crate::machine::{free_port, hex, is_free, write_private};
use crate::postgres::Postgres;

/// What is made once and stays until RESET=1.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Secrets {
    pub(super) postgres_password: String,
    pub(super) app_password: String,
    pub(super) encryption_key: String,
    pub(super) stripe_secret_key: String,
    pub(super) webhook_secret: String,
}

impl Secrets {
    pub(super) fn of(state: &Path) -> Result<Self> {
        let path = state.join("secrets.json");
        if let Ok(kept) = fs::read(&path) {
            return serde_json::from_slice(&kept).with_context(|| format!("reading {}", path.display()));
        }
        let random = |bytes: &mut [u8]| {
            SystemRandom::new().fill(bytes).map_err(|_| anyhow::anyhow!("the system has no random numbers"))
        };
        let word = || {
            let mut bytes = [0; 16];
            random(&mut bytes)?;
            anyhow::Ok(hex(&bytes))
        };
        let mut key = [0; 32];
        random(&mut key)?;
        let this = Self {
            postgres_password: word()?,
            app_password: word()?,
            encryption_key: BASE64.encode(key),
            stripe_secret_key: format!("sk_test_standin{}", word()?),
            webhook_secret: format!("whsec_{}", word()?),
        };
        write_private(&path, &serde_json::to_string_pretty(&this)?)?;
        Ok(this)
    }
}

/// The ports of the last run: links in old mails and pay pages go on working.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Ports {
    pub(super) stripe: Option<u16>,
    pub(super) calcom: Option<u16>,
    pub(super) supabase: Option<u16>,
    pub(super) postgres: Option<u16>,
    pub(super) ministack: Option<u16>,
    pub(super) sqs: Option<u16>,
    pub(super) mail: Option<u16>,
}

impl Ports {
    pub(super) fn of(options: &Options) -> Self {
        if !options.keep {
            return Self::default();
        }
        let kept = fs::read(options.state.join("ports.json")).ok();
        let mut this: Self = kept.and_then(|kept| serde_json::from_slice(&kept).ok()).unwrap_or_default();
        // Beside the site's port, where a person finds them.
        this.stripe = this.stripe.or(options.port.and_then(|port| port.checked_add(1)));
        this.calcom = this.calcom.or(options.port.and_then(|port| port.checked_add(2)));
        this.supabase = this.supabase.or(options.port.and_then(|port| port.checked_add(3)));
        for port in [&mut this.stripe, &mut this.calcom, &mut this.supabase] {
            *port = port.filter(|port| is_free(*port)).or_else(|| free_port().ok());
        }
        this
    }

    pub(super) fn keep(&self, state: &Path) -> Result<()> {
        fs::write(state.join("ports.json"), serde_json::to_vec_pretty(self)?)?;
        Ok(())
    }
}

/// Takes the folder for this process; the lock ends with the returned file.
pub(super) fn sole_owner(state: &Path) -> Result<File> {
    let path = state.join("lock");
    let mut file = File::options().create(true).read(true).write(true).truncate(false).open(&path)?;
    if file.try_lock().is_err() {
        let owner = fs::read_to_string(&path).unwrap_or_default();
        bail!("another make dev runs in this checkout (process {}): stop it first with Ctrl-C", owner.trim());
    }
    file.set_len(0)?;
    writeln!(file, "{}", std::process::id())?;
    Ok(file)
}

/// Deletes all that `make dev` keeps in `state`.
pub async fn reset(state: &Path) -> Result<()> {
    fs::create_dir_all(state)?;
    let _lock = sole_owner(state)?;
    Postgres::delete_data(state).await?;
    for entry in fs::read_dir(state)? {
        let path = entry?.path();
        if path.is_dir() {
            fs::remove_dir_all(&path)?;
        } else if path.file_name().is_some_and(|name| name != "lock") {
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}

/// How many seconds the clock of the last run was shifted.
pub(super) fn clock(state: &Path) -> i64 {
    fs::read_to_string(state.join("clock")).ok().and_then(|text| text.trim().parse().ok()).unwrap_or_default()
}

/// Holds made in the shifted time are in the database: the next start must not go back before them.
pub(super) fn keep_clock(state: &Path, shift_seconds: i64) {
    let _ = fs::write(state.join("clock"), shift_seconds.to_string());
}
