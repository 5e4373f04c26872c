//! What a client typed stays between the client, the database, Stripe and the artist: never a word of it in a log.

use dev::stripe::{CreateFailure, Down};
use testing::{Logs, Plan};

use super::*;

const PRIVATE: &[&str] = &[
    "jo@example",
    "Martin",
    "06 12 34",
    "33612345678",
    "olivier",
    "avant-bras",
    "198.51.100.7",
    "sk_test",
    "cal_test",
];

#[test]
fn no_log_line_holds_what_a_client_typed_however_the_request_ends() {
    World::run(|world| async move {
        let logs = Logs::listen();
        // Granted, asked again, and refused because it is taken.
        let body = project(&LEA, TUESDAY_AT_TEN);
        id(&book(world, &body).await);
        id(&book(world, &body).await);
        book_from_afar(world, &of_sam(&body)).await;
        // Not valid, and not even of the right type: serde quotes what it read.
        let mut wrong = body.clone();
        wrong["client"]["email"] = json!("jo@example");
        wrong["project"]["budget"] = json!("Martin");
        is_422(&book(world, &wrong).await);
        for part in ["artist", "client", "project"] {
            let mut malformed = body.clone();
            malformed[part] = json!(["jo@example.fr", "Martin"]);
            book(world, &malformed).await;
            malformed[part] = json!({ "name": 33_612_345_678_u64, "description": { "olivier": 1 } });
            book(world, &malformed).await;
        }
        // Stripe down, Stripe refusing in the client's own words, Cal.com down.
        world.stripe.switch(|switches| switches.api.down = Some(Down::Cut));
        book(world, &wish(&LEA, HIRONDELLE, "2027-02-04T09:00:00Z")).await;
        world.stripe.switch(|switches| {
            switches.api.down = None;
            switches.fail_create_session = Some(CreateFailure {
                status: 400,
                code: Some("email_invalid".into()),
                message: "Invalid email address: jo@example.fr".into(),
                times: 1,
            });
        });
        book(world, &wish(&LEA, HIRONDELLE, "2027-02-04T14:00:00Z")).await;
        world.calcom.switch(|switches| switches.api.down = Some(Down::InternalError));
        book(world, &wish(&NOA, DAGUE, TUESDAY_AT_TEN)).await;
        // The database refuses a row, and would quote all of it.
        world.execute("alter table bookings add constraint nobody check (client_email = 'nobody') not valid").await;
        let answer = book_from_afar(world, &wish(&LEA, HIRONDELLE, "2027-02-06T13:00:00Z")).await;
        is_refused(&answer, 500, "internal");
        logs.hold_nothing_of(PRIVATE);
        assert!(logs.text().contains("nobody"), "the constraint itself is named: {}", logs.text());
    });
}

fn is_422(answer: &Answer) {
    assert_eq!(answer.status, 422, "{:?}", answer.body);
}

#[test]
fn a_log_line_names_the_booking_and_not_its_page() {
    World::run(|world| async move {
        let logs = Logs::listen();
        let held = world.hold(&Plan::of(&LEA, 0, "2027-02-04T09:00:00Z").by("slow@example.fr")).await;
        world.advance_minutes(31);
        id(&book(world, &wish(&LEA, HIRONDELLE, "2027-02-04T09:00:00Z")).await);
        // Whoever reads a log must not be able to pay, or to look at, somebody's booking.
        let url = world.stripe.session(&held.session).map(|session| session["url"].to_string()).unwrap_or_default();
        logs.hold_nothing_of(&["/c/pay/", "slow@example.fr", if url.len() > 6 { &url } else { "/c/pay/" }]);
    });
}
