//! What the holder of an unpaid booking's link may do, and what not: through `handle`, on the real parts.

use dev::demo;
use dev::stripe::Outcome;
use lambda_http::http::Method;
use release_booking::{App, handle};
use serde_json::{Value, json};
use shared::db::Db;
use testing::{World, answer, get, request};
use uuid::Uuid;

fn app(world: &World, db: Db) -> App {
    App {
        db,
        stripe: world.stripe_client(),
        queue: world.queue(),
        clock: world.clock(),
        public_url: testing::PUBLIC_URL.into(),
    }
}

async fn release(world: &World, id: &str) -> (u16, Value) {
    let app = app(world, world.db());
    let request = request(Method::POST, &format!("/api/bookings/{id}/release"), &[], None);
    answer(&world.web(), request, |request| handle(&app, request)).await
}

async fn check(world: &World, id: &str) -> (u16, Value) {
    let app = app(world, world.db());
    let request = request(Method::POST, &format!("/api/bookings/{id}/check"), &[], None);
    answer(&world.web(), request, |request| handle(&app, request)).await
}

/// A hold with an open page at Stripe, as `create-booking` leaves it.
async fn hold(world: &World) -> (String, String) {
    let app = create_booking::App {
        db: world.db(),
        calendars: world.calendars(),
        stripe: world.stripe_client(),
        queue: world.queue(),
        web: world.web(),
        clock: world.clock(),
        hold: jiff::SignedDuration::from_mins(30),
        limits: create_booking::Limits { requests_per_hour: 100, holds_per_client: 10, holds_per_artist: 10 },
    };
    let slots = slots::App { db: world.db(), calendars: world.calendars(), clock: world.clock(), web: world.web() };
    let question = get(&format!("/api/calendar/slots?artist={}&days=14", demo::LEA.slug));
    let (_, free) = answer(&world.web(), question, |request| slots::handle(&slots, request)).await;
    let start = free["days"].as_array().expect("days").iter().find_map(|day| day["slots"][0]["start"].as_str());
    let body = json!({
        "artist": demo::LEA.slug, "type": "project", "start": start.expect("a free slot"), "locale": "fr",
        "project": { "description": "Une pivoine au trait fin", "body_zone": "avant-bras" },
        "client": { "name": "Jo Martin", "email": "jo@example.fr", "phone": "06 12 34 56 78" },
    });
    let wish = testing::post("/api/bookings/create", &[], &body);
    let (status, body) = answer(&world.web(), wish, |request| create_booking::handle(&app, request)).await;
    assert_eq!(status, 201, "{body}");
    let id = body["booking_id"].as_str().expect("an id").to_owned();
    let session = world.booking(&id).await["stripe_checkout_session_id"].as_str().expect("a session").to_owned();
    (id, session)
}

#[test]
fn an_unpaid_hold_is_given_back_once_its_page_is_closed() {
    World::run(|world| async move {
        let (id, session) = hold(world).await;
        let (status, body) = release(world, &id).await;
        assert_eq!((status, &body["cancel_reason"]), (200, &json!("client")), "{body}");
        assert_eq!(world.stripe.session(&session).expect("the session")["status"], "expired");
        let row = world.booking(&id).await;
        assert_eq!((&row["status"], &row["cancel_reason"]), (&json!("cancelled"), &json!("client")));
        // Twice is the same as once.
        assert_eq!(release(world, &id).await.0, 200);
    });
}

#[test]
fn a_payment_in_flight_is_not_cancelled_under_the_payers_feet() {
    World::run(|world| async move {
        let (id, session) = hold(world).await;
        world.stripe.switch(|switches| switches.drop_webhooks = true);
        world.stripe.pay(&session, Outcome::Paid).expect("it is paid");
        let (status, body) = release(world, &id).await;
        assert_eq!(status, 409, "{body}");
        assert!(body["type"].as_str().is_some_and(|kind| kind.ends_with("#already-paid")), "{body}");
        assert_eq!(world.booking(&id).await["status"], "confirmed", "the payment was found on the way");
        assert_eq!(release(world, &id).await.0, 409);
    });
}

#[test]
fn nothing_is_given_back_while_stripe_cannot_say_whether_it_is_paid() {
    World::run(|world| async move {
        let (id, _) = hold(world).await;
        world.stripe.switch(|switches| switches.api.down = Some(dev::stripe::Down::Unavailable));
        let (status, body) = release(world, &id).await;
        assert_eq!(status, 502, "{body}");
        assert_eq!(world.booking(&id).await["status"], "pending");
    });
}

#[test]
fn a_payment_that_no_webhook_brought_is_found_when_its_client_asks() {
    World::run(|world| async move {
        let (id, session) = hold(world).await;
        assert_eq!(check(world, &id).await, (200, json!({ "booking_id": id, "payment": "open" })));
        assert_eq!(world.booking(&id).await["status"], "pending");

        world.stripe.pay(&session, Outcome::WebhookLost).expect("the page is open");
        world.advance(std::time::Duration::from_secs(4));
        assert_eq!(check(world, &id).await, (200, json!({ "booking_id": id, "payment": "paid" })));
        let row = world.booking(&id).await;
        assert_eq!((&row["status"], &row["payment_status"]), (&json!("confirmed"), &json!("paid")));
        assert!(world.jobs().await.contains(&"client_confirmed".to_owned()));
        // There is nothing left to ask.
        world.advance(std::time::Duration::from_secs(4));
        assert_eq!(check(world, &id).await, (200, json!({ "booking_id": id, "payment": null })));
        assert_eq!(world.rows("select id from payments", &[]).await.len(), 1);
    });
}

#[test]
fn a_payment_after_a_confirmation_by_hand_is_found_too() {
    World::run(|world| async move {
        let (id, session) = hold(world).await;
        world.execute("update bookings set status = 'confirmed', hold_expires_at = null, version = version + 1").await;
        world.stripe.pay(&session, Outcome::WebhookLost).expect("the page is open");
        assert_eq!(check(world, &id).await.1["payment"], "paid");
        assert_eq!(world.booking(&id).await["payment_status"], "paid");
    });
}

#[test]
fn stripe_is_asked_once_in_a_few_seconds_however_many_ask() {
    World::run(|world| async move {
        let (id, _) = hold(world).await;
        world.stripe.clear_requests();
        let one = app(world, world.db());
        let two = app(world, world.db());
        let asked = || request(Method::POST, &format!("/api/bookings/{id}/check"), &[], None);
        let web = world.web();
        let (first, second) = tokio::join!(
            answer(&web, asked(), |request| handle(&one, request)),
            answer(&web, asked(), |request| handle(&two, request))
        );
        assert_eq!((first.0, second.0), (200, 200));
        for _ in 0..5 {
            assert_eq!(check(world, &id).await.0, 200);
        }
        assert_eq!(world.stripe.requests().len(), 1, "{first:?} {second:?}");
        world.advance(std::time::Duration::from_secs(3));
        check(world, &id).await;
        assert_eq!(world.stripe.requests().len(), 2);
    });
}

#[test]
fn a_check_is_one_flight_when_nothing_is_news() {
    World::run(|world| async move {
        let (id, _) = hold(world).await;
        let wire = world.wire().await;
        let app = app(world, world.db_through(&wire).await);
        for id in [id, Uuid::now_v7().to_string()] {
            wire.reset();
            let asked = request(Method::POST, &format!("/api/bookings/{id}/check"), &[], None);
            answer(&world.web(), asked, |request| handle(&app, request)).await;
            assert_eq!(wire.flights(), 1);
        }
    });
}

#[test]
fn nothing_is_said_of_a_payment_while_stripe_does_not_answer() {
    World::run(|world| async move {
        let (id, _) = hold(world).await;
        world.stripe.switch(|switches| switches.api.down = Some(dev::stripe::Down::Unavailable));
        let (status, body) = check(world, &id).await;
        assert_eq!(status, 502, "{body}");
        assert!(body["type"].as_str().is_some_and(|kind| kind.ends_with("#stripe-unavailable")), "{body}");
        assert_eq!(world.booking(&id).await["status"], "pending");
    });
}

#[test]
fn an_unknown_booking_and_an_unknown_wish_are_not_found() {
    World::run(|world| async move {
        assert_eq!(release(world, &Uuid::now_v7().to_string()).await.0, 404);
        assert_eq!(release(world, "not-an-id").await.0, 404);
        assert_eq!(check(world, &Uuid::now_v7().to_string()).await.0, 404);
        let app = app(world, world.db());
        let asked = get(&format!("/api/bookings/{}/release", Uuid::now_v7()));
        assert_eq!(answer(&world.web(), asked, |request| handle(&app, request)).await.0, 405);
    });
}
