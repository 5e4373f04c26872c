//! Payments whose booking the database does not have: what a restore has lost. Stripe names each booking in the payment's
//! metadata, and in its description what was booked.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value;
use shared::stripe::API_VERSION;
use tokio_postgres::SimpleQueryMessage;
use uuid::Uuid;

use super::database::connected;
use super::finding::{BOUND, Finding, Report};
use crate::environment::Environment;

/// How far back it looks: the age of the oldest backup that Supabase keeps on its Pro plan, and some days.
const LOOKED_AT: SignedDuration = SignedDuration::from_hours(10 * 24);

/// Pages of a hundred: beyond, a person asks Stripe's own reports.
const PAGES: usize = 20;

/// How many are named one by one.
const NAMED: usize = 20;

#[derive(Deserialize)]
struct Page {
    data: Vec<Payment>,
    has_more: bool,
}

#[derive(Deserialize)]
struct Payment {
    id: String,
    created: i64,
    amount_received: i64,
    status: String,
    description: Option<String>,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
}

/// Names the payments of the last days that belong to no booking.
pub(super) async fn payments(environment: &Environment, now: Timestamp) -> Vec<Finding> {
    let mut report = Report::on("payments");
    let Some((paid, whole)) = paid(environment, now).await else {
        report.notice(
            "whether a payment has lost its booking cannot be told",
            "a restricted key must also read payment intents",
        );
        return report.findings;
    };
    // What the database and Stripe have to say for themselves is told by their own checks.
    let Ok(client) = connected(environment).await else { return report.findings };
    let known = async |ids: &[Uuid]| {
        let list = ids.iter().map(|id| format!("'{id}'")).collect::<Vec<_>>().join(",");
        let rows = client.simple_query(&format!("select id::text from bookings where id in ({list})")).await.ok()?;
        let ids = rows.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0)?.parse().ok(),
            _ => None,
        });
        Some(ids.collect::<Vec<Uuid>>())
    };
    let mut lost = Vec::new();
    for some in paid.chunks(500) {
        let ids: Vec<Uuid> = some.iter().map(|(booking, _)| *booking).collect();
        let Some(known) = known(&ids).await else { return report.findings };
        lost.extend(some.iter().filter(|(booking, _)| !known.contains(booking)));
    }
    for (booking, payment) in lost.iter().take(NAMED) {
        report.bad(
            format!(
                "{} paid {} cents on {} for booking {booking}, which the database does not have: {}",
                payment.id,
                payment.amount_received,
                Timestamp::from_second(payment.created).map(|at| at.to_string()).unwrap_or_default(),
                payment.description.as_deref().unwrap_or("without a description"),
            ),
            "infra/README.md, \"What a restore loses\": ask the client, book it anew, or refund it in Stripe",
        );
    }
    if lost.len() > NAMED {
        report.bad(
            format!("and {} more such payments", lost.len() - NAMED),
            "make doctor names the next ones once these are settled",
        );
    }
    if lost.is_empty() {
        report.good(format!(
            "each of {} payments of the last {} days has its booking",
            paid.len(),
            LOOKED_AT.as_hours() / 24
        ));
    }
    if !whole {
        report.notice(
            format!("only the newest {} payments were looked at", PAGES * 100),
            "Stripe, Reports, Payments lists the rest; the booking is in the metadata",
        );
    }
    report.findings
}

/// The bookings that Stripe has money for, and whether that is all of them.
async fn paid(environment: &Environment, now: Timestamp) -> Option<(Vec<(Uuid, Payment)>, bool)> {
    let base = environment.setting("STRIPE_API_BASE").trim_end_matches('/');
    let since = (now - LOOKED_AT).as_second().to_string();
    let mut found = Vec::new();
    let mut after: Option<String> = None;
    for _page in 0..PAGES {
        let mut query = vec![("limit", "100"), ("created[gte]", since.as_str())];
        if let Some(after) = &after {
            query.push(("starting_after", after.as_str()));
        }
        let asked = environment
            .http
            .get(format!("{base}/v1/payment_intents"))
            .query(&query)
            .bearer_auth(environment.secret("STRIPE_SECRET_KEY"))
            .header("stripe-version", API_VERSION)
            .timeout(BOUND);
        let page: Value = asked.send().await.ok()?.error_for_status().ok()?.json().await.ok()?;
        let page: Page = serde_json::from_value(page).ok()?;
        after = page.data.last().map(|payment| payment.id.clone());
        for payment in page.data {
            let booking = payment.metadata.get("booking_id").and_then(|id| id.parse().ok());
            if let Some(booking) = booking
                && payment.status == "succeeded"
            {
                found.push((booking, payment));
            }
        }
        if !page.has_more || after.is_none() {
            return Some((found, true));
        }
    }
    Some((found, false))
}
