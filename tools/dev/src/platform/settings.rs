//! The settings of the functions: what Terraform hands them in production, from what runs around them here.

use std::fs;

use anyhow::{Context, Result, bail};

use super::database::Database;
use super::kept::Secrets;
use super::options::{Options, SETTINGS, STAND_IN_KEY};
use super::services::{Amazon, SENDER_DOMAIN, StandIns};
use crate::aws;

/// All of them, by their names; of two with one name the later one counts.
pub(super) fn of_functions(
    options: &Options,
    site: &str,
    secrets: &Secrets,
    database: &Database,
    amazon: &Amazon,
    stand_ins: &StandIns,
) -> Result<Vec<(String, String)>> {
    let assets = options.root.join("frontend/dist/assets.json");
    let assets = fs::read_to_string(&assets)
        .with_context(|| format!("{} is missing: run `make site` first", assets.display()))?;
    let mut all: Vec<(&str, String)> = SETTINGS.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    all.push(("DATABASE_URL", database.app_url.clone()));
    all.push(("PUBLIC_URL", site.to_owned()));
    all.push(("ASSETS", assets.trim().to_owned()));
    all.extend(of_stripe(options, secrets, stand_ins)?);
    all.extend(of_calcom(options, stand_ins)?);
    all.extend(of_supabase(options, stand_ins)?);
    all.extend([
        ("ENCRYPTION_KEY", secrets.encryption_key.clone()),
        ("QUEUE_URL", amazon.queues.jobs.clone()),
        ("AWS_ACCESS_KEY_ID", aws::ACCESS_KEY.to_owned()),
        ("AWS_SECRET_ACCESS_KEY", aws::ACCESS_KEY.to_owned()),
        ("AWS_ENDPOINT_URL_SQS", amazon.sqs_gate.url().to_owned()),
        ("AWS_ENDPOINT_URL_SESV2", amazon.mail_gate.url().to_owned()),
        ("AWS_ENDPOINT_URL_S3", amazon.s3.clone()),
        ("IMAGES_BUCKET", amazon.bucket.clone()),
        ("MAIL_FROM", format!("InkFlow <bonjour@{SENDER_DOMAIN}>")),
        ("CLIENT_IP_HEADER", "cloudfront-viewer-address".to_owned()),
    ]);
    let own = all.into_iter().map(|(name, value)| (name.to_owned(), value));
    Ok(own.chain(options.settings.iter().cloned()).collect())
}

fn of_stripe(options: &Options, secrets: &Secrets, stand_ins: &StandIns) -> Result<[(&'static str, String); 4]> {
    let (key, api, webhook_secrets) = match (&stand_ins.stripe, &options.real_stripe) {
        (Some(stand_in), _) => (secrets.stripe_secret_key.clone(), stand_in.url(), secrets.webhook_secret.clone()),
        (None, Some(real)) => (real.secret_key.clone(), real.api_base.clone(), real.webhook_secrets.clone()),
        (None, None) => bail!("neither Stripe nor its stand-in"),
    };
    Ok([
        ("STRIPE_SECRET_KEY", key),
        ("STRIPE_API_BASE", api),
        ("STRIPE_WEBHOOK_SECRETS", webhook_secrets),
        ("STRIPE_LIVE", "false".to_owned()),
    ])
}

fn of_calcom(options: &Options, stand_ins: &StandIns) -> Result<[(&'static str, String); 2]> {
    let (api, web) = match (&stand_ins.calcom, &options.real_calcom) {
        (Some(stand_in), _) => (stand_in.url(), stand_in.url()),
        (None, Some(real)) => real.clone(),
        (None, None) => bail!("neither Cal.com nor its stand-in"),
    };
    Ok([("CALCOM_API_BASE", api), ("CALCOM_WEB_BASE", web)])
}

fn of_supabase(options: &Options, stand_ins: &StandIns) -> Result<Vec<(&'static str, String)>> {
    Ok(match (&stand_ins.supabase, &options.real_supabase) {
        (Some(stand_in), _) => {
            vec![("SUPABASE_URL", stand_in.url()), ("SUPABASE_PUBLISHABLE_KEY", STAND_IN_KEY.to_owned())]
        }
        (None, Some(real)) => vec![
            ("SUPABASE_URL", real.url.clone()),
            ("SUPABASE_PUBLISHABLE_KEY", real.publishable_key.clone()),
            ("SUPABASE_JWT_SECRET", real.jwt_secret.clone().unwrap_or_default()),
        ],
        (None, None) => bail!("neither Supabase nor its stand-in"),
    })
}
