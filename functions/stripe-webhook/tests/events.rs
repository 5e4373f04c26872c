//! Each sample of `events/stripe`, signed now, delivered twice: the first changes what it should, the second nothing.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dev::demo::LEA;
use serde_json::{Value, json};
use shared::config::Secret;
use stripe_webhook::{App, handle};
use testing::{self, World, stripe_event};

const SECRET: &str = "whsec_Samples4Rk8Vb2Nq6Xw1Lz5Tm9Pc3Hd7";

/// The booking that all samples are about.
const BOOKING: &str = "019aa000-0000-7000-8000-0000000000b0";

/// What a sample does to a booking.
struct Case {
    kind: &'static str,
    /// The samples that were delivered before.
    after: &'static [&'static str],
    outcome: &'static str,
    /// Status, payment status, reason of a cancellation, problem.
    state: [Option<&'static str>; 4],
    /// The movements that it adds to the ledger.
    ledger: &'static [(&'static str, i64)],
    /// The jobs that it adds.
    jobs: &'static [&'static str],
}

const PAID: &[&str] = &["checkout.session.completed"];
const CONFIRMED: [Option<&str>; 4] = [Some("confirmed"), Some("paid"), None, None];
const CONFIRMATIONS: &[&str] = &["artist_confirmed", "client_confirmed"];

/// What changed is read at Stripe.
const READ: &[&str] = &["settle_payment"];

const CASES: &[Case] = &[
    Case {
        kind: "checkout.session.completed",
        after: &[],
        outcome: "confirmed",
        state: CONFIRMED,
        ledger: &[("capture", 5_000)],
        jobs: CONFIRMATIONS,
    },
    Case {
        kind: "checkout.session.async_payment_succeeded",
        after: &[],
        outcome: "confirmed",
        state: CONFIRMED,
        ledger: &[("capture", 5_000)],
        jobs: CONFIRMATIONS,
    },
    Case {
        kind: "payment_intent.succeeded",
        after: &[],
        outcome: "confirmed",
        state: CONFIRMED,
        ledger: &[("capture", 5_000)],
        jobs: CONFIRMATIONS,
    },
    // The other event of the same payment.
    Case {
        kind: "payment_intent.succeeded",
        after: PAID,
        outcome: "already_applied",
        state: CONFIRMED,
        ledger: &[],
        jobs: &[],
    },
    // Late money: the hold had run out, and nobody has taken the slot.
    Case {
        kind: "checkout.session.completed",
        after: &["checkout.session.expired"],
        outcome: "revived",
        state: CONFIRMED,
        ledger: &[("capture", 5_000)],
        jobs: CONFIRMATIONS,
    },
    Case {
        kind: "checkout.session.expired",
        after: &[],
        outcome: "released",
        state: [Some("cancelled"), Some("unpaid"), Some("hold_expired"), None],
        ledger: &[],
        jobs: &[],
    },
    Case {
        kind: "checkout.session.async_payment_failed",
        after: &[],
        outcome: "released",
        state: [Some("cancelled"), Some("unpaid"), Some("payment_failed"), None],
        ledger: &[],
        jobs: &[],
    },
    Case {
        kind: "payment_intent.payment_failed",
        after: &[],
        outcome: "declined",
        state: [Some("pending"), Some("unpaid"), None, None],
        ledger: &[],
        jobs: &[],
    },
    Case {
        kind: "charge.refunded",
        after: PAID,
        outcome: "refunds_to_read",
        state: CONFIRMED,
        ledger: &[],
        jobs: READ,
    },
    Case { kind: "refund.updated", after: PAID, outcome: "refunds_to_read", state: CONFIRMED, ledger: &[], jobs: READ },
    Case { kind: "refund.failed", after: PAID, outcome: "refunds_to_read", state: CONFIRMED, ledger: &[], jobs: READ },
    Case {
        kind: "charge.dispute.created",
        after: PAID,
        outcome: "dispute_to_read",
        state: CONFIRMED,
        ledger: &[],
        jobs: READ,
    },
    Case {
        kind: "charge.dispute.updated",
        after: PAID,
        outcome: "dispute_to_read",
        state: CONFIRMED,
        ledger: &[],
        jobs: READ,
    },
    Case {
        kind: "charge.dispute.funds_withdrawn",
        after: PAID,
        outcome: "dispute_to_read",
        state: CONFIRMED,
        ledger: &[],
        jobs: READ,
    },
    Case {
        kind: "charge.dispute.funds_reinstated",
        after: PAID,
        outcome: "dispute_to_read",
        state: CONFIRMED,
        ledger: &[],
        jobs: READ,
    },
    Case {
        kind: "charge.dispute.closed",
        after: PAID,
        outcome: "dispute_to_read",
        state: CONFIRMED,
        ledger: &[],
        jobs: READ,
    },
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/stripe")
}

/// The bytes of a sample, as Stripe would send them.
fn sample(kind: &str) -> String {
    fs::read_to_string(folder().join(format!("{kind}.json"))).unwrap_or_else(|error| panic!("{kind}: {error}"))
}

fn app(world: &World) -> App {
    App {
        db: world.db(),
        queue: world.queue(),
        secrets: Arc::new([Secret::new(SECRET.into())]),
        livemode: false,
        clock: world.clock(),
    }
}

/// Puts the samples' booking in place of all there is: Léa's swallow, held and about to be paid.
async fn hold(world: &World) {
    let (artist, flash) = (LEA.id, LEA.flashes[0].id);
    world
        .execute(&format!(
            r#"truncate bookings, booking_events, payments, stripe_events, outbox cascade;
             insert into bookings (id, artist_id, type, scheduled_at, ends_at, acompte_amount, price, title, policy,
                 flash_id, client_name, client_email, client_phone, hold_expires_at, stripe_checkout_session_id,
                 created_at, updated_at)
             values ('{BOOKING}', '{artist}', 'flash', '2035-06-05T08:00:00Z', '2035-06-05T10:00:00Z', 50, 150, 'Hirondelle',
                 '{{"full_refund_hours": 72, "late_refund_percent": 0, "free_moves": 1, "nature": "acompte"}}',
                 '{flash}', 'Camille Durand', 'camille@example.com', '+33612345678', '2027-02-01T08:30:00Z',
                 'cs_test_a1SampleSession', '2027-02-01T08:00:00Z', '2027-02-01T08:00:00Z')"#
        ))
        .await;
}

async fn deliver(app: &App, world: &World, kind: &str) -> String {
    let request = stripe_event(&sample(kind), SECRET, world.now());
    let answer = testing::ask(&world.web(), request, |request| handle(app, request)).await;
    assert_eq!((answer.status, &answer.body["received"]), (200, &json!(true)), "{kind}: {:?}", answer.body);
    answer.body["outcome"].as_str().expect("an outcome").to_owned()
}

/// Everything that an event may change.
async fn everything(world: &World) -> Value {
    json!({
        "booking": world.booking(BOOKING).await, "history": world.history(BOOKING).await,
        "ledger": world.ledger(BOOKING).await, "jobs": world.jobs().await, "events": world.count("stripe_events").await,
    })
}

#[test]
fn every_sample_does_what_its_kind_means_and_does_it_once() {
    World::run(|world| async move {
        let app = app(world);
        for Case { kind, after, outcome, state, ledger, jobs } in CASES {
            hold(world).await;
            for earlier in *after {
                deliver(&app, world, earlier).await;
            }
            let (ledger_before, jobs_before) = (world.ledger(BOOKING).await, world.jobs().await);

            assert_eq!(deliver(&app, world, kind).await, *outcome, "{kind} after {after:?}");
            let booking = world.booking(BOOKING).await;
            let fields = ["status", "payment_status", "cancel_reason", "payment_problem"];
            assert_eq!(fields.map(|field| booking[field].as_str()), *state, "{kind} after {after:?}");
            let moved = world.ledger(BOOKING).await.split_off(ledger_before.len());
            let moved: Vec<(&str, i64)> = moved.iter().map(|(kind, cents)| (kind.as_str(), *cents)).collect();
            assert_eq!(moved, *ledger, "{kind} after {after:?}");
            let mut added = world.jobs().await.split_off(jobs_before.len());
            added.sort();
            assert_eq!(added, *jobs, "{kind} after {after:?}");

            let once = everything(world).await;
            assert_eq!(deliver(&app, world, kind).await, "known_event", "{kind} after {after:?}");
            assert_eq!(everything(world).await, once, "{kind} after {after:?}, twice");
        }
    });
}

#[test]
fn every_sample_is_tried() {
    let files = fs::read_dir(folder()).expect("the samples").map(|entry| entry.expect("a file").path());
    let files: BTreeSet<String> =
        files.map(|path| path.file_stem().and_then(|name| name.to_str()).expect("a name").to_owned()).collect();
    let tried: BTreeSet<String> = CASES.iter().map(|case| case.kind.to_owned()).collect();
    assert_eq!(tried, files);
}

#[test]
fn the_functions_own_sample_is_refused_until_it_is_signed() {
    World::run(|world| async move {
        let app = app(world);
        hold(world).await;
        let path = folder().join("../stripe-webhook.json");
        let mut event: Value = serde_json::from_str(&fs::read_to_string(path).expect("the sample")).expect("JSON");
        let ask = async |event: &Value| {
            let request = lambda_http::request::from_str(&event.to_string()).expect("a function-URL event");
            testing::ask(&world.web(), request, |request| handle(&app, request)).await
        };
        assert_eq!(ask(&event).await.status, 401);
        assert_eq!(world.count("stripe_events").await, 0);

        let body = event["body"].as_str().expect("a body");
        event["headers"]["stripe-signature"] = dev::stripe::sign(body, SECRET, world.now().as_second()).into();
        let answer = ask(&event).await;
        assert_eq!((answer.status, &answer.body["outcome"]), (200, &json!("confirmed")));
    });
}

/// Every pointer to a text in a value.
fn texts(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::String(_) => found.push(at.to_owned()),
        Value::Object(members) => members.iter().for_each(|(name, value)| texts(value, &format!("{at}/{name}"), found)),
        Value::Array(values) => {
            values.iter().enumerate().for_each(|(index, value)| texts(value, &format!("{at}/{index}"), found));
        }
        _ => {}
    }
}

#[test]
fn what_stripe_signed_is_taken_with_a_nul_in_any_text_and_with_nothing_in_any_field_that_may_be_empty() {
    World::run(|world| async move {
        let app = app(world);
        hold(world).await;
        for file in fs::read_dir(folder()).expect("the samples").flatten() {
            let event: Value = serde_json::from_str(&fs::read_to_string(file.path()).expect("a sample")).expect("JSON");
            let mut places = Vec::new();
            texts(&event, "", &mut places);
            let mut bent = Vec::new();
            for place in places {
                let mut event = event.clone();
                let text = event.pointer_mut(&place).expect("a place of it");
                *text = format!("{}\0", text.as_str().unwrap_or_default()).into();
                bent.push((place, event));
            }
            for name in ["metadata", "client_reference_id", "customer_email", "url", "status"] {
                let mut event = event.clone();
                event["data"]["object"][name] = Value::Null;
                bent.push((name.to_owned(), event));
            }
            for (number, (place, mut event)) in bent.into_iter().enumerate() {
                let id = event["id"].as_str().expect("an id").to_owned();
                event["id"] = format!("{id}{number}").into();
                let request = stripe_event(&event.to_string(), SECRET, world.now());
                let answer = testing::ask(&world.web(), request, |request| handle(&app, request)).await;
                assert_eq!(answer.status, 200, "{place} of {}: {}", event["type"], answer.body);
            }
        }
    });
}
