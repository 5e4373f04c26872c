//! Whether a peer does the same work: it is only measured if it answers what we answer and writes what we write.

use anyhow::{Result, ensure};
use serde_json::{Map, Value, json};

use crate::lambda::Instance;
use crate::work::{Desk, Work};
use crate::world::World;

/// What differs between two bookings by their nature.
const OWN: &[&str] = &[
    "id",
    "booking_id",
    "created_at",
    "updated_at",
    "received_at",
    "recorded_at",
    "confirmed_at",
    "hold_expires_at",
    "checkout_expires_at",
    "checkout_url",
    "stripe_checkout_session_id",
    "stripe_payment_intent_id",
    "client_email",
    "search",
    "client_origin",
    "client_wide",
    "artist_id",
    "scheduled_at",
    "ends_at",
    "at",
    "relay_at",
    "dedupe_key",
    "payload",
    "stripe_id",
    "occurred_at",
    "payment_intent",
    "start",
    "end",
    "booking",
    "key",
    "request_hash",
];

/// What we also work out, and a peer does not: it does less, which is to its advantage.
const MORE: &[&str] = &["refundable_until", "frees_at", "full"];

/// Gives both the same kind of event and compares the answers and the rows.
///
/// # Errors
/// They differ; the words say in what.
pub fn check(world: &World, desk: &mut Desk<'_>) -> Result<()> {
    for work in Work::WITH_PEER {
        let mut ours = Instance::start(&world.function(work.function()))?;
        let mut theirs = Instance::start(&world.peer(work.function()))?;
        let mut answers = Vec::new();
        for instance in [&mut ours, &mut theirs] {
            let before = last_rows(world)?;
            let event = desk.event(*work)?;
            let body: Value = serde_json::from_str(&work.check(&instance.invoke(&event)?.answer)?)?;
            let written = if *work == Work::Slots { json!(null) } else { written_since(world, &before)? };
            let body = without_more(body);
            answers.push(if *work == Work::Slots { (body, written) } else { (masked(body), masked(written)) });
            // The same event again finds what the first one did.
            let again: Value = serde_json::from_slice(&instance.invoke(&event)?.answer)?;
            let again: Value = serde_json::from_str(again["body"].as_str().unwrap_or("null"))?;
            let pair = answers.last_mut().expect("one was just pushed");
            pair.1 = json!({ "rows": pair.1, "again": masked(without_more(again)) });
        }
        let [ours, theirs] = &answers[..] else { unreachable!("two were asked") };
        ensure!(ours.0 == theirs.0, "{}: Node.js answers\n{}\nand we\n{}", work.function(), theirs.0, ours.0);
        ensure!(ours.1 == theirs.1, "{}: Node.js writes\n{:#}\nand we\n{:#}", work.function(), theirs.1, ours.1);
    }
    Ok(())
}

/// The tables that a booking touches.
const TABLES: &[&str] = &["bookings", "booking_events", "payments", "stripe_events", "outbox", "idempotency_keys"];

/// The physical place of the newest version of every row.
fn last_rows(world: &World) -> Result<String> {
    let client = world.demo_owner()?;
    let row = world.wait(client.query_one("select pg_current_xact_id()::text", &[]))?;
    Ok(row.get(0))
}

/// The rows that were written since a transaction.
fn written_since(world: &World, before: &str) -> Result<Value> {
    let client = world.demo_owner()?;
    let mut tables = Map::new();
    for table in TABLES {
        let sql = format!(
            r"select coalesce(jsonb_agg(to_jsonb(t) order by to_jsonb(t)->>'kind', to_jsonb(t)->>'dedupe_key'), '[]')
             from {table} t where t.xmin::text::bigint > ({before} % 4294967296)"
        );
        tables.insert((*table).to_owned(), world.wait(client.query_one(&sql, &[]))?.get(0));
    }
    Ok(Value::Object(tables))
}

fn without_more(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .filter(|(name, _)| !MORE.contains(&name.as_str()))
            .map(|(name, value)| (name, without_more(value)))
            .collect(),
        Value::Array(values) => values.into_iter().map(without_more).collect(),
        other => other,
    }
}

fn masked(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, value)| {
                let value = if OWN.contains(&name.as_str()) && !value.is_null() { json!("…") } else { masked(value) };
                (name, value)
            })
            .collect(),
        Value::Array(values) => values.into_iter().map(masked).collect(),
        other => other,
    }
}
