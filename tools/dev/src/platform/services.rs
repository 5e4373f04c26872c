//! The services around the functions: a local AWS with its gates, and the stand-ins.

use std::net::Ipv4Addr;

use anyhow::{Context, Result};
use tracing::info;
use uuid::Uuid;

use super::kept::{Ports, Secrets};
use super::options::{Options, STAND_IN_KEY};
use crate::aws::{self, MailGate, Ministack, Queues, SqsGate};
use crate::{calcom, demo, stripe, supabase};

/// The domain that mails are sent from.
pub(super) const SENDER_DOMAIN: &str = "inkflow.example";

/// The local AWS, and the gates before it.
pub(crate) struct Amazon {
    pub(super) ministack: Option<Ministack>,
    pub(crate) queues: Queues,
    pub(crate) sqs_gate: SqsGate,
    pub(crate) mail_gate: MailGate,
    pub(super) s3: String,
    pub(super) bucket: String,
    pub(super) uploads: String,
}

pub(super) async fn amazon(options: &Options, ports: &Ports, site: &str) -> Result<Amazon> {
    let (ministack, url, suffix) = match &options.ministack_url {
        Some(url) => (None, url.clone(), format!("-{}", Uuid::now_v7().simple())),
        None => {
            let ministack = Ministack::start(&options.state, ports.ministack).await?;
            let url = ministack.url();
            info!(port = ministack.port(), "SQS, SES and S3 by ministack");
            (Some(ministack), url, String::new())
        }
    };
    let queues = aws::provide(&url, SENDER_DOMAIN, &suffix).await?;
    let sqs_gate = SqsGate::start(&url, ports.sqs).await?;
    let mail_gate = MailGate::start_with(&url, ports.mail, Some(options.state.join("mails.jsonl"))).await?;
    mail_gate.tell(aws::Sqs::at(sqs_gate.url()), queues.jobs.clone());
    let uploads = aws::provide_uploads(&url, &suffix).await?;
    let bucket = format!("{}{suffix}", aws::PICTURES);
    let told = uploads.rsplit('/').next().unwrap_or_default();
    aws::provide_bucket(&url, &bucket, site, Some(told)).await?;
    Ok(Amazon { ministack, queues, sqs_gate, mail_gate, s3: url, bucket, uploads })
}

/// The stand-ins, each unless the real service is used.
pub(crate) struct StandIns {
    pub(crate) stripe: Option<stripe::StandIn>,
    pub(crate) calcom: Option<calcom::StandIn>,
    pub(crate) supabase: Option<supabase::StandIn>,
}

impl StandIns {
    pub(super) fn set_clock(&self, shift_seconds: i64) {
        if let Some(stripe) = &self.stripe {
            stripe.set_clock_shift_seconds(shift_seconds);
        }
        if let Some(calcom) = &self.calcom {
            calcom.set_clock_shift_seconds(shift_seconds);
        }
        if let Some(supabase) = &self.supabase {
            supabase.set_clock_shift_seconds(shift_seconds);
        }
    }

    pub(super) fn reset(&self) {
        if let Some(stripe) = &self.stripe {
            stripe.reset();
        }
        if let Some(calcom) = &self.calcom {
            calcom.reset();
        }
        if let Some(supabase) = &self.supabase {
            supabase.reset();
        }
    }
}

pub(super) async fn stripe_stand_in(
    options: &Options,
    ports: &Ports,
    secrets: &Secrets,
    site: &str,
) -> Result<Option<stripe::StandIn>> {
    if let Some(real) = &options.real_stripe {
        info!(api = real.api_base, "the real Stripe, in test mode");
        return Ok(None);
    }
    let stand_in = stripe::StandIn::start(stripe::Options {
        addr: (Ipv4Addr::LOCALHOST, ports.stripe.unwrap_or(0)).into(),
        secret_key: secrets.stripe_secret_key.clone(),
        webhook_secret: secrets.webhook_secret.clone(),
        webhook_url: Some(format!("{site}/api/webhooks/stripe")),
        state_file: Some(options.state.join("stripe.json")),
        ..stripe::Options::default()
    })
    .await
    .context("the Stripe stand-in")?;
    info!(url = stand_in.url(), "a stand-in for Stripe: no card, no money");
    Ok(Some(stand_in))
}

pub(super) async fn calcom_stand_in(options: &Options, ports: &Ports, site: &str) -> Result<Option<calcom::StandIn>> {
    if let Some((api, _)) = &options.real_calcom {
        info!(api, "the real Cal.com");
        return Ok(None);
    }
    let stand_in = calcom::StandIn::start(calcom::Options {
        addr: (Ipv4Addr::LOCALHOST, ports.calcom.unwrap_or(0)).into(),
        users: [&demo::LEA, &demo::NOA].into_iter().filter_map(demo::Artist::calendar).collect(),
        state_file: Some(options.state.join("calcom.json")),
        // As the real one; machines that play a day in a minute have no quota.
        rate_limit_per_minute: options.keep.then_some(120),
        ..calcom::Options::default()
    })
    .await
    .context("the Cal.com stand-in")?;
    for account in [&demo::LEA, &demo::NOA].into_iter().filter_map(|artist| artist.calcom.as_ref()) {
        let url = format!("{site}/api/webhooks/calcom");
        stand_in
            .subscribe(account.username, &url, Some(account.webhook_secret), &[])
            .map_err(|error| anyhow::anyhow!("subscribing to Cal.com: {error}"))?;
    }
    info!(url = stand_in.url(), "a stand-in for Cal.com");
    Ok(Some(stand_in))
}

pub(super) async fn supabase_stand_in(
    options: &Options,
    ports: &Ports,
    mail_gate: &MailGate,
    site: &str,
) -> Result<Option<supabase::StandIn>> {
    if let Some(real) = &options.real_supabase {
        info!(url = real.url, "the accounts of a real Supabase project");
        return Ok(None);
    }
    let stand_in = supabase::StandIn::start(supabase::Options {
        addr: (Ipv4Addr::LOCALHOST, ports.supabase.unwrap_or(0)).into(),
        publishable_key: STAND_IN_KEY.to_owned(),
        users: [&demo::LEA, &demo::NOA].map(demo::Artist::account).to_vec(),
        site_url: site.to_owned(),
        inbox: Some(mail_gate.inbox()),
        state_file: Some(options.state.join("supabase.json")),
        ..supabase::Options::default()
    })
    .await
    .context("the Supabase stand-in")?;
    info!(url = stand_in.url(), "a stand-in for Supabase Auth");
    Ok(Some(stand_in))
}
