//! A hold that has run out is in the way: first Stripe closes its page, then the slot goes to the next client.

use dev::stripe::{Down, Outcome};
use shared::settle;
use testing::{Held, PUBLIC_URL, Plan};

use super::*;

/// A slot that is still far enough away after an hour.
const THURSDAY_AT_TEN: &str = "2027-02-04T09:00:00Z";

async fn lapsed(world: &World, plan: Plan) -> Held {
    let held = world.hold(&plan).await;
    world.advance_minutes(31);
    held
}

fn session_status(world: &World, session: &str) -> Value {
    world.stripe.session(session).expect("the session")["status"].clone()
}

/// Field failure F1.
#[test]
fn the_page_of_a_lapsed_hold_is_closed_at_stripe_before_somebody_else_has_its_slot() {
    World::run(|world| async move {
        let old = lapsed(world, Plan::of(&LEA, 0, THURSDAY_AT_TEN).by("slow@example.fr")).await;
        let answer = book(world, &wish(&LEA, HIRONDELLE, THURSDAY_AT_TEN)).await;
        let new = id(&answer);
        assert_ne!(new, old.id());
        assert_eq!(asked(world), ["POST /v1/checkout/sessions/…/expire", "POST /v1/checkout/sessions"]);
        assert_eq!(session_status(world, &old.session), "expired");

        let row = world.booking(&old.id()).await;
        assert_eq!((&row["status"], &row["cancel_reason"]), (&json!("cancelled"), &json!("hold_expired")));
        assert_eq!(row["hold_expires_at"], Value::Null);
        assert_eq!(row["client_origin"], Value::Null, "the hash of the address is forgotten with the hold");
        assert_eq!(world.history(&old.id()).await, ["client held", "system hold_expired"]);
        assert_eq!(world.booking(&new).await["status"], "pending");
    });
}

#[test]
fn the_calendar_hears_that_it_is_gone() {
    World::run(|world| async move {
        lapsed(world, Plan::of(&NOA, 0, THURSDAY_AT_TEN).by("slow@example.fr")).await;
        id(&book(world, &wish(&NOA, DAGUE, THURSDAY_AT_TEN)).await);
        assert_eq!(
            world.jobs().await,
            ["artist_pending", "sync_calendar", "sync_calendar", "artist_pending", "sync_calendar"]
        );
    });
}

#[test]
fn a_lapsed_hold_that_merely_overlaps_is_closed_too() {
    World::run(|world| async move {
        let old = lapsed(world, Plan::of(&LEA, 0, "2027-02-04T10:00:00Z").by("slow@example.fr")).await;
        id(&book(world, &wish(&LEA, HIRONDELLE, THURSDAY_AT_TEN)).await);
        assert_eq!(world.booking(&old.id()).await["status"], "cancelled");
    });
}

#[test]
fn several_in_the_way_are_all_closed() {
    World::run(|world| async move {
        for start in ["2027-02-04T09:00:00Z", "2027-02-04T11:30:00Z"] {
            world.hold(&Plan::of(&LEA, 0, start).by("slow@example.fr")).await;
        }
        world.advance_minutes(31);
        // Four hours across both.
        id(&book(world, &wish(&LEA, PIVOINE, THURSDAY_AT_TEN)).await);
        assert_eq!(statuses(world).await, ["cancelled", "cancelled", "pending"]);
    });
}

#[test]
fn one_that_holds_the_unique_flash_at_another_time_is_closed() {
    World::run(|world| async move {
        let old = lapsed(world, Plan::of(&LEA, 1, "2027-02-06T13:00:00Z").by("slow@example.fr")).await;
        id(&book(world, &wish(&LEA, PIVOINE, THURSDAY_AT_TEN)).await);
        assert_eq!(world.booking(&old.id()).await["status"], "cancelled");
        assert_eq!(session_status(world, &old.session), "expired");
    });
}

#[test]
fn one_that_is_not_in_the_way_is_left_to_the_sweeper() {
    World::run(|world| async move {
        let old = lapsed(world, Plan::of(&LEA, 0, "2027-02-06T13:00:00Z").by("slow@example.fr")).await;
        id(&book(world, &wish(&LEA, HIRONDELLE, THURSDAY_AT_TEN)).await);
        assert_eq!(world.booking(&old.id()).await["status"], "pending");
        assert_eq!(asked(world), ["POST /v1/checkout/sessions"]);
    });
}

/// Field failure F4.
#[test]
fn a_lapsed_hold_that_was_paid_at_the_last_moment_is_confirmed_and_the_newcomer_is_told() {
    World::run(|world| async move {
        let old = world.hold(&Plan::of(&LEA, 0, THURSDAY_AT_TEN).by("payer@example.fr")).await;
        world.advance_minutes(29);
        world.pay(&old);
        world.advance_minutes(2);

        let answer = book(world, &wish(&LEA, HIRONDELLE, THURSDAY_AT_TEN)).await;
        is_refused(&answer, 409, "slot-taken");
        let row = world.booking(&old.id()).await;
        assert_eq!((&row["status"], &row["acompte_paid"]), (&json!("confirmed"), &json!(true)));
        assert_eq!(world.ledger(&old.id()).await, [("capture".to_owned(), 5_000)]);
        assert_eq!(world.jobs().await, ["artist_pending", "artist_confirmed", "client_confirmed"]);
        assert_eq!(statuses(world).await, ["confirmed"], "the newcomer left nothing");
        assert!(
            !fresh(&answer).contains(&THURSDAY_AT_TEN.to_owned()),
            "what was just paid is not offered: {:?}",
            fresh(&answer)
        );
        assert_eq!(world.stripe.sessions().len(), 1);
    });
}

/// Field failure F9.
#[test]
fn a_lapsed_hold_whose_bank_is_still_thinking_keeps_its_slot() {
    World::run(|world| async move {
        let old = world.hold(&Plan::of(&LEA, 0, THURSDAY_AT_TEN).by("payer@example.fr")).await;
        world.stripe.pay(&old.session, Outcome::PaidLater).expect("open");
        world.advance_minutes(31);
        is_refused(&book(world, &wish(&LEA, HIRONDELLE, THURSDAY_AT_TEN)).await, 409, "slot-taken");
        let row = world.booking(&old.id()).await;
        assert_eq!((&row["status"], &row["acompte_paid"]), (&json!("pending"), &json!(false)));
        assert!(row["hold_expires_at"].as_str().expect("an end") > "2027-02-08", "{row}");
    });
}

#[test]
fn one_whose_page_nobody_recorded_is_found_and_closed() {
    World::run(|world| async move {
        let (old, _jobs) = world.hold_unopened(&Plan::of(&LEA, 0, THURSDAY_AT_TEN).by("slow@example.fr")).await;
        let hold = world.stored_hold(old).await;
        let checkout = settle::checkout_of(&hold, PUBLIC_URL).expect("a deposit");
        let session = world.stripe_client().open_checkout(&checkout).await.expect("opened").id;
        world.stripe.clear_requests();
        world.advance_minutes(31);

        id(&book(world, &wish(&LEA, HIRONDELLE, THURSDAY_AT_TEN)).await);
        // The same call with the same key finds it.
        assert_eq!(
            asked(world),
            ["POST /v1/checkout/sessions", "POST /v1/checkout/sessions/…/expire", "POST /v1/checkout/sessions"]
        );
        assert_eq!(session_status(world, &session), "expired");
        assert_eq!(world.booking(&old.to_string()).await["status"], "cancelled");
    });
}

#[test]
fn one_whose_page_nobody_recorded_may_have_been_paid_all_the_same() {
    World::run(|world| async move {
        let (old, _jobs) = world.hold_unopened(&Plan::of(&LEA, 0, THURSDAY_AT_TEN).by("payer@example.fr")).await;
        let hold = world.stored_hold(old).await;
        let checkout = settle::checkout_of(&hold, PUBLIC_URL).expect("a deposit");
        let session = world.stripe_client().open_checkout(&checkout).await.expect("opened").id;
        world.stripe.pay(&session, Outcome::WebhookLost).expect("open");
        world.advance_minutes(31);

        is_refused(&book(world, &wish(&LEA, HIRONDELLE, THURSDAY_AT_TEN)).await, 409, "slot-taken");
        assert_eq!(world.booking(&old.to_string()).await["status"], "confirmed");
    });
}

#[test]
fn one_that_never_reached_stripe_is_released() {
    World::run(|world| async move {
        let (old, _jobs) = world.hold_unopened(&Plan::of(&LEA, 0, THURSDAY_AT_TEN).by("slow@example.fr")).await;
        world.advance_minutes(31);
        id(&book(world, &wish(&LEA, HIRONDELLE, THURSDAY_AT_TEN)).await);
        assert_eq!(world.booking(&old.to_string()).await["status"], "cancelled");
        assert_eq!(world.stripe.sessions().len(), 1, "no page was opened for it");
    });
}

/// Field failure F4.
#[test]
fn while_stripe_cannot_say_no_slot_is_given_away() {
    World::run(|world| async move {
        let old = lapsed(world, Plan::of(&LEA, 0, THURSDAY_AT_TEN).by("slow@example.fr")).await;
        for down in [Down::Cut, Down::Unavailable] {
            world.stripe.switch(|switches| switches.api.down = Some(down));
            is_refused(&book(world, &wish(&LEA, HIRONDELLE, THURSDAY_AT_TEN)).await, 502, "payment-unavailable");
        }
        assert_eq!(statuses(world).await, ["pending"]);
        world.stripe.switch(|switches| switches.api.down = None);
        id(&book(world, &wish(&LEA, HIRONDELLE, THURSDAY_AT_TEN)).await);
        assert_eq!(world.booking(&old.id()).await["status"], "cancelled");
    });
}

#[test]
fn two_newcomers_who_both_close_it_do_not_both_get_the_slot() {
    World::run(|world| async move {
        lapsed(world, Plan::of(&LEA, 0, THURSDAY_AT_TEN).by("slow@example.fr")).await;
        let body = wish(&LEA, HIRONDELLE, THURSDAY_AT_TEN);
        let sam = of_sam(&body);
        let (one, two) = (app(world), app(world));
        let (first, second) =
            tokio::join!(send(&one, world, &[], &body), send(&two, world, &[(":source-ip", "203.0.113.9")], &sam));
        let mut ended = [first.status, second.status];
        ended.sort_unstable();
        assert_eq!(ended, [201, 409], "{:?} {:?}", first.body, second.body);
        assert_eq!(statuses(world).await, ["cancelled", "pending"]);
    });
}

/// Field failure F4.
#[test]
fn a_client_who_comes_back_gets_a_new_hold_and_never_two_pages_to_pay() {
    World::run(|world| async move {
        let body = wish(&LEA, HIRONDELLE, THURSDAY_AT_TEN);
        let first = book(world, &body).await;
        world.advance_minutes(31);
        let second = book(world, &body).await;
        assert_ne!(id(&first), id(&second));
        let open: Vec<Value> = world
            .stripe
            .sessions()
            .iter()
            .filter(|session| session["status"] == "open")
            .map(|session| session["url"].clone())
            .collect();
        assert_eq!(open, [second.body["checkout_url"].clone()]);
    });
}
