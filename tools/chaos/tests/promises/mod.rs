//! What must hold once all is quiet, asked of the rows and of what the services outside say: never of our own code.

use std::collections::BTreeMap;

use dev::aws::MailGate;
use dev::{calcom, stripe};
use jiff::Timestamp;
use serde_json::Value;
use tokio_postgres::Client;

/// Where to look.
pub(crate) struct Evidence<'a> {
    /// The database, as its owner.
    pub(crate) owner: &'a Client,
    pub(crate) stripe: &'a stripe::StandIn,
    pub(crate) calcom: &'a calcom::StandIn,
    pub(crate) mails: &'a MailGate,
    /// The time, as the functions have it.
    pub(crate) now: Timestamp,
}

impl Evidence<'_> {
    /// Asks the database; one JSON object a row.
    pub(crate) async fn rows(&self, sql: &str) -> Vec<Value> {
        let sql = format!("select to_jsonb(r) as row from ({sql}) r");
        let rows = self.owner.query_typed(&sql, &[]).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        rows.iter().map(|row| row.get("row")).collect()
    }

    /// What does not hold, one sentence each.
    pub(crate) async fn broken(&self) -> Vec<String> {
        let mut broken = Vec::new();
        once(self, &mut broken).await;
        money(self, &mut broken).await;
        words(self, &mut broken).await;
        bookings(self, &mut broken).await;
        sessions(self, &mut broken);
        calendar(self, &mut broken).await;
        mails(self, &mut broken).await;
        broken
    }
}

/// A chair is taken once, a unique flash sold once.
async fn once(world: &Evidence<'_>, broken: &mut Vec<String>) {
    let doubles = world
        .rows(
            r"select a.id as one, b.id as other from bookings a join bookings b on a.id < b.id
             where a.status in ('pending', 'confirmed', 'completed') and b.status in ('pending', 'confirmed', 'completed')
                 and ((a.artist_id = b.artist_id and a.scheduled_at < b.ends_at and b.scheduled_at < a.ends_at)
                      or a.unique_flash_id = b.unique_flash_id)")
        .await;
    broken.extend(doubles.iter().map(|row| format!("sold twice: {row}")));
}

fn text<'a>(row: &'a Value, field: &str) -> &'a str {
    row[field].as_str().unwrap_or_default()
}

/// What Stripe itself says is left of each payment, in cents.
fn at_stripe(world: &Evidence<'_>) -> BTreeMap<String, i64> {
    let mut left = BTreeMap::new();
    for intent in world.stripe.payment_intents() {
        if intent["status"] == "succeeded" {
            left.insert(text(&intent, "id").to_owned(), intent["amount_received"].as_i64().unwrap_or_default());
        }
    }
    for refund in world.stripe.refunds() {
        if !matches!(text(&refund, "status"), "failed" | "canceled") {
            *left.entry(text(&refund, "payment_intent").to_owned()).or_default() -=
                refund["amount"].as_i64().unwrap_or_default();
        }
    }
    for dispute in world.stripe.disputes() {
        let moved = dispute["balance_transactions"].as_array().into_iter().flatten();
        *left.entry(text(&dispute, "payment_intent").to_owned()).or_default() +=
            moved.map(|transaction| transaction["amount"].as_i64().unwrap_or_default()).sum::<i64>();
    }
    left
}

/// What Stripe says of the refunds and disputes of one payment.
#[derive(Default)]
struct Objects {
    /// What the client has paid.
    came: i64,
    arrived: i64,
    on_its_way: i64,
    contested: bool,
    lost: bool,
}

fn objects(world: &Evidence<'_>) -> BTreeMap<String, Objects> {
    let mut of: BTreeMap<String, Objects> = BTreeMap::new();
    for intent in world.stripe.payment_intents() {
        let came = intent["amount_received"].as_i64().unwrap_or_default();
        of.entry(text(&intent, "id").to_owned()).or_default().came = came;
    }
    for refund in world.stripe.refunds() {
        let payment = of.entry(text(&refund, "payment_intent").to_owned()).or_default();
        match text(&refund, "status") {
            "succeeded" => payment.arrived += refund["amount"].as_i64().unwrap_or_default(),
            "failed" | "canceled" => {}
            _ => payment.on_its_way += refund["amount"].as_i64().unwrap_or_default(),
        }
    }
    for dispute in world.stripe.disputes() {
        let payment = of.entry(text(&dispute, "payment_intent").to_owned()).or_default();
        match text(&dispute, "status") {
            "lost" => payment.lost = true,
            "won" | "prevented" => {}
            status if status.starts_with("warning") => {}
            _ => payment.contested = true,
        }
    }
    of
}

/// What is said of a booking's money is what Stripe's own objects say.
async fn words(world: &Evidence<'_>, broken: &mut Vec<String>) {
    let of = objects(world);
    // What a bank takes beside a refund is its own business.
    let given_back = of.iter().filter(|(_, one)| one.arrived + one.on_its_way > one.came);
    broken.extend(given_back.map(|(payment, _)| format!("more than all of {payment} was given back")));
    let rows = world
        .rows(
            r"select b.id, b.status, b.payment_status, array_agg(distinct p.stripe_payment_intent_id) as payments
             from bookings b join payments p on p.booking_id = b.id and p.kind = 'capture'
                 and (b.status = 'cancelled' or p.stripe_payment_intent_id = b.stripe_payment_intent_id)
             group by b.id order by b.id",
        )
        .await;
    for row in rows {
        let payments = row["payments"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let objects: Vec<&Objects> = payments.filter_map(|payment| of.get(payment)).collect();
        let any = |is: fn(&Objects) -> bool| objects.iter().any(|one| is(one));
        let said = text(&row, "payment_status");
        let mut complain = |what: &str| broken.push(format!("{row}: {what}"));
        if (said == "disputed") != any(|one| one.contested) {
            complain("a dispute is open at Stripe and not here, or here and not there");
        }
        if said == "refunded" && (any(|one| one.on_its_way > 0) || !any(|one| one.arrived > 0)) {
            complain("is called refunded, and Stripe does not say so");
        }
        if said == "lost" && !any(|one| one.lost) {
            complain("is called lost, and no bank has taken it");
        }
    }
}

/// The ledger says what Stripe says, payment by payment, and no payment is missing.
async fn money(world: &Evidence<'_>, broken: &mut Vec<String>) {
    let stripe = at_stripe(world);
    let rows = world
        .rows(
            r"select stripe_payment_intent_id as id, sum(amount_cents)::bigint as cents,
                 count(*) filter (where kind = 'capture') as captures from payments group by 1",
        )
        .await;
    let ours: BTreeMap<String, i64> =
        rows.iter().map(|row| (text(row, "id").to_owned(), row["cents"].as_i64().unwrap_or_default())).collect();
    broken.extend(rows.iter().filter(|row| row["captures"] != 1).map(|row| format!("not captured once: {row}")));
    for (payment, cents) in &stripe {
        match ours.get(payment) {
            None => broken.push(format!("the payment {payment} of {cents} cents is in no ledger")),
            Some(known) if known != cents => {
                broken.push(format!("of {payment} {cents} cents are left at Stripe, {known} in the ledger"));
            }
            Some(_) => {}
        }
    }
    broken.extend(ours.keys().filter(|id| !stripe.contains_key(*id)).map(|id| format!("Stripe knows no payment {id}")));
}

/// Each booking is where its money says it is, and nothing is left waiting.
async fn bookings(world: &Evidence<'_>, broken: &mut Vec<String>) {
    let rows = world
        .rows(
            r"select b.*, (b.acompte_amount * 100)::bigint as deposit_cents,
                 coalesce((select sum(amount_cents) from payments p where p.booking_id = b.id
                     and p.stripe_payment_intent_id = b.stripe_payment_intent_id), 0)::bigint as own,
                 coalesce((select sum(amount_cents) from payments p where p.booking_id = b.id
                     and p.stripe_payment_intent_id is distinct from b.stripe_payment_intent_id), 0)::bigint as others,
                 exists (select from payments p where p.booking_id = b.id and p.kind = 'capture'
                     and p.stripe_payment_intent_id = b.stripe_payment_intent_id) as captured,
                 exists (select from booking_events e where e.booking_id = b.id and e.actor = 'artist'
                     and e.kind like 'confirmed%') as by_hand,
                 coalesce((select max(e.data::text) from booking_events e where e.booking_id = b.id
                     and e.kind = 'cancelled'), '') as cancellation
             from bookings b order by b.id",
        )
        .await;
    for row in rows {
        let is = |field: &str, value: &str| text(&row, field) == value;
        let cents = |field: &str| row[field].as_i64().unwrap_or_default();
        let mut complain = |what: &str| {
            broken.push(format!(
                "booking {} ({}, {}, {}, problem {}, own {}, others {}): {what}",
                text(&row, "id"),
                text(&row, "status"),
                text(&row, "payment_status"),
                row["cancel_reason"],
                row["payment_problem"],
                cents("own"),
                cents("others"),
            ));
        };
        let stands = is("status", "confirmed") || is("status", "completed");
        let flagged =
            !row["payment_problem"].is_null() || is("payment_status", "disputed") || is("payment_status", "lost");
        if stands && row["captured"] != true && row["by_hand"] != true {
            complain("stands, and nobody paid or confirmed it");
        }
        if is("status", "pending") && row["captured"] == true && row["payment_problem"].is_null() {
            complain("is paid and still pending");
        }
        if is("status", "pending") && !row["hold_expires_at"].is_null() {
            complain("is still held");
        }
        if stands && row["captured"] == true {
            let whole = cents("own") == cents("deposit_cents");
            match text(&row, "payment_status") {
                "paid" if cents("own") <= 0 => complain("is called paid, and nothing of the money is here"),
                "refunded" if cents("own") != 0 => complain("is called refunded, and money is here"),
                "unpaid" => complain("is called unpaid, and was paid"),
                "refund_pending" if whole && !flagged => complain("waits for a refund that nobody makes"),
                _ => {}
            }
        }
        if cents("others") != 0 && !flagged {
            complain("keeps money of a second payment");
        }
        // A refund beyond the terms is somebody's own decision, in Stripe's dashboard.
        if is("status", "cancelled") && cents("own") > cents("kept_cents") && !flagged {
            complain("is cancelled and keeps more than its terms");
        }
        if is("status", "cancelled") && is("payment_status", "refund_pending") && !flagged {
            complain("still waits for its refund");
        }
        if !row["calendar_locked_until"].is_null()
            && text(&row, "calendar_locked_until") > world.now.to_string().as_str()
        {
            complain("has a calendar lease although nobody works");
        }
    }
    let left =
        world.rows("select kind, outcome, last_error from outbox where done_at is null or outcome = 'dead'").await;
    broken.extend(left.iter().map(|job| format!("a job is not done: {job}")));
}

/// Nobody can pay for what is not theirs any more.
fn sessions(world: &Evidence<'_>, broken: &mut Vec<String>) {
    for session in world.stripe.sessions() {
        if session["status"] == "open" {
            broken.push(format!("the page {} can still be paid", text(&session, "id")));
        }
    }
}

/// What stands is in the artist's Cal.com once, what does not is not.
async fn calendar(world: &Evidence<'_>, broken: &mut Vec<String>) {
    let there = world.calcom.bookings();
    let rows = world
        .rows(
            r"select b.id, b.status, b.calendar_state, b.calendar_note, b.scheduled_at from bookings b
             join artists a on a.id = b.artist_id where a.cal_com_event_type_id is not null order by b.id",
        )
        .await;
    for row in rows {
        let live: Vec<&Value> = there
            .iter()
            .filter(|booking| matches!(booking["status"].as_str(), Some("accepted" | "pending")))
            .filter(|booking| booking["metadata"]["inkflow_booking_id"] == row["id"])
            .collect();
        let starts: Vec<&str> = live.iter().map(|booking| text(booking, "start")).collect();
        let mut complain = |what: &str| broken.push(format!("{row} in Cal.com {starts:?}: {what}"));
        if live.len() > 1 {
            complain("is there more than once");
        }
        match (text(&row, "status"), text(&row, "calendar_state")) {
            ("cancelled", _) if !live.is_empty() => complain("is cancelled and still there"),
            ("confirmed", "synced") if live.is_empty() => complain("is said to be there"),
            ("confirmed", "waiting") => complain("waits for nobody"),
            ("confirmed", "synced") => {
                let start: jiff::Timestamp = starts[0].parse().expect("an instant");
                let ours: jiff::Timestamp = text(&row, "scheduled_at").parse().expect("an instant");
                if start != ours && row["calendar_note"].is_null() {
                    complain("is there at another time, and nobody says so");
                }
            }
            _ => {}
        }
    }
}

/// What SES got: each mail once, and a second time only where a try had gone unanswered, as the row says.
pub(crate) async fn copies(world: &Evidence<'_>) -> (usize, Vec<String>) {
    let mut got: BTreeMap<(String, String), i64> = BTreeMap::new();
    // What Supabase sends has no tags.
    for mail in world.mails.messages().iter().filter(|mail| !mail.tag("booking").is_empty()) {
        *got.entry((mail.tag("booking").to_owned(), mail.tag("template").to_owned())).or_default() += 1;
    }
    let rows = world
        .rows(
            r"select booking_id, template, count(*) filter (where status = 'sent') as sent, count(*) as occasions,
                 sum(tries) as tries, max(tries) as most, count(*) filter (where status = 'sending') as open
             from email_deliveries group by 1, 2",
        )
        .await;
    let (mut copies, mut broken) = (0, Vec::new());
    for row in rows {
        let number = |name: &str| row[name].as_i64().unwrap_or_default();
        let key = (text(&row, "booking_id").to_owned(), text(&row, "template").to_owned());
        let arrived = got.remove(&key).unwrap_or_default();
        if arrived < number("sent") || arrived > number("tries") || number("most") > 2 {
            broken.push(format!("{arrived} mails arrived: {row}"));
        }
        if number("open") > 0 {
            broken.push(format!("a mail is being sent for ever: {row}"));
        }
        copies += usize::try_from(arrived - number("occasions")).unwrap_or_default();
    }
    broken.extend(got.into_keys().map(|(booking, template)| format!("nobody wanted {template} of {booking}")));
    (copies, broken)
}

/// Each mail once, but for a process that died in the send itself and cannot know: then at most twice.
async fn mails(world: &Evidence<'_>, broken: &mut Vec<String>) {
    broken.extend(copies(world).await.1);
}
