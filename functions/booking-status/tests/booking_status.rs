//! `GET /api/bookings/{id}` through `handle`: the truth of the database, and nothing of a person.

use booking_status::{App, handle};
use dev::demo::{LEA, NOA};
use lambda_http::http::Method;
use serde_json::{Value, json};
use shared::settle;
use testing::{self, Answer, Held, Plan, World, get};

fn app(world: &World) -> App {
    App {
        db: world.db(),
        clock: world.clock(),
        calcom_pages: "https://cal.test/".into(),
        public_url: testing::PUBLIC_URL.into(),
    }
}

async fn ask(world: &World, id: &str) -> Answer {
    let app = app(world);
    testing::ask(&world.web(), get(&format!("/api/bookings/{id}")), |request| handle(&app, request)).await
}

async fn show(world: &World, held: &Held) -> Value {
    let answer = ask(world, &held.id()).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    assert_eq!(answer.header("cache-control"), "no-store");
    answer.body
}

/// Cancels as a person would, with what Stripe was asked to give back.
async fn cancel(world: &World, held: &Held, reason: &str, payment_status: &str) {
    world
        .execute(&format!(
            r"update bookings set status = 'cancelled', cancel_reason = '{reason}', hold_expires_at = null,
             payment_status = '{payment_status}', version = version + 1 where id = '{}'",
            held.id
        ))
        .await;
}

async fn refund(world: &World, held: &Held, kind: &str, cents: i64) {
    world
        .execute(&format!(
            r"insert into payments select gen_random_uuid(), id, artist_id, '{kind}', {cents}, 'eur', gen_random_uuid()::text,
             stripe_payment_intent_id, now(), now() from bookings where id = '{}'",
            held.id
        ))
        .await;
}

#[test]
fn a_hold_says_where_and_until_when_to_pay() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default()).await;
        let shown = show(world, &held).await;
        assert_eq!(shown["booking_id"], held.id());
        let url = shown["checkout_url"].as_str().expect("a page");
        assert!(url.contains(&held.session), "{url}");
        insta::assert_json_snapshot!(shown, {
            ".booking_id" => "[id]", ".checkout_url" => "[url]", ".hold_expires_at" => insta::dynamic_redaction(|value, _| {
                assert!(value.as_str().expect("an instant").starts_with("2027-02-01T09:30:") && value.as_str().expect("an instant").ends_with("+01:00"), "{value:?}");
                "[half an hour later]"
            }),
        }, @r#"
        {
          "acompte_paid": false,
          "artist": {
            "address": null,
            "city": "Strasbourg",
            "display_name": "Noa Keller",
            "email": null,
            "locale": "fr",
            "map_url": null,
            "slug": "noa-keller"
          },
          "booking_id": "[id]",
          "calendar_url": null,
          "cancel_reason": null,
          "checkout_url": "[url]",
          "currency": "eur",
          "deposit_cents": 6000,
          "end": "2027-02-02T12:00:00+01:00",
          "hold_expires_at": "[half an hour later]",
          "hold_lapsed": false,
          "links": null,
          "lost_cents": 0,
          "on_its_way_cents": 0,
          "paid_cents": 0,
          "payment_status": "unpaid",
          "price_cents": 20000,
          "received_otherwise": null,
          "refundable_until": null,
          "refunded_cents": 0,
          "rest_cents": 14000,
          "start": "2027-02-02T10:00:00+01:00",
          "status": "pending",
          "terms": null,
          "timezone": "Europe/Paris",
          "timezone_en": "Paris time",
          "timezone_fr": "heure de Paris",
          "title": "Dague et ruban",
          "type": "flash"
        }
        "#);
    });
}

#[test]
fn a_booking_confirmed_without_deposit_leaves_all_of_the_price_to_pay_on_site() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default()).await;
        world.execute("update bookings set status = 'confirmed', hold_expires_at = null, version = version + 1").await;
        let shown = show(world, &held).await;
        assert_eq!((&shown["rest_cents"], &shown["paid_cents"]), (&json!(20_000), &json!(0)));
        assert_eq!(shown["checkout_url"], Value::Null);
        world.pay(&held);
        let paid = world.stripe_client().session(&held.session, None).await.expect("Stripe answers");
        settle::session(&world.db(), held.id, &paid, world.now()).await.expect("the database answers");
        let shown = show(world, &held).await;
        assert_eq!((&shown["rest_cents"], &shown["paid_cents"]), (&json!(14_000), &json!(6_000)));
        refund(world, &held, "refund", -6_000).await;
        let shown = show(world, &held).await;
        assert_eq!((&shown["rest_cents"], &shown["paid_cents"]), (&json!(20_000), &json!(0)));
        cancel(world, &held, "artist", "refunded").await;
        assert_eq!(show(world, &held).await["rest_cents"], Value::Null);
    });
}

#[test]
fn an_appointment_that_stands_opens_in_calendars_and_in_a_mail_to_the_artist() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default()).await;
        let before = show(world, &held).await;
        assert_eq!((&before["links"], &before["artist"]["email"]), (&Value::Null, &Value::Null));
        world.confirm(&held).await;
        let shown = show(world, &held).await;
        let link = |name: &str| shown["links"][name].as_str().unwrap_or_default().to_owned();
        let google = link("google");
        assert!(
            google.starts_with("https://calendar.google.com/calendar/render?action=TEMPLATE&text=Dague"),
            "{google}"
        );
        assert!(google.contains("&dates=20270202T090000Z%2F20270202T110000Z&"), "{google}");
        assert!(google.contains(&held.id()), "{google}");
        let outlook = link("outlook");
        assert!(outlook.contains("&startdt=2027-02-02T09%3A00%3A00Z&enddt=2027-02-02T11%3A00%3A00Z&"), "{outlook}");
        assert_eq!(shown["artist"]["email"], "noa@keller.example");
        cancel(world, &held, "artist", "refunded").await;
        let after = show(world, &held).await;
        assert_eq!((&after["links"], &after["artist"]["email"]), (&Value::Null, &Value::Null));
    });
}

#[test]
fn a_lapsed_hold_is_called_so_and_cannot_be_paid() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default()).await;
        world.advance_minutes(30);
        let shown = show(world, &held).await;
        assert_eq!(shown["status"], "pending", "the status is the database's");
        assert_eq!(shown["hold_lapsed"], true);
        assert_eq!(shown["checkout_url"], Value::Null);
    });
}

#[test]
fn a_hold_whose_page_is_not_open_yet_has_no_page() {
    World::run(|world| async move {
        let (id, _jobs) = world.hold_unopened(&Plan::default()).await;
        let answer = ask(world, &id.to_string()).await;
        assert_eq!((answer.status, &answer.body["checkout_url"]), (200, &Value::Null));
        assert_eq!(answer.body["hold_lapsed"], false);
    });
}

#[test]
fn nothing_is_called_paid_because_a_url_says_so() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default()).await;
        world.pay(&held);
        let answer = ask(world, &format!("{}?session_id={}&paid=true", held.id, held.session)).await;
        assert_eq!(
            (answer.status, &answer.body["acompte_paid"], &answer.body["status"]),
            (200, &json!(false), &json!("pending"))
        );
    });
}

#[test]
fn a_confirmed_booking_is_paid_and_links_to_the_calendar() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default()).await;
        world.confirm(&held).await;
        assert_eq!(show(world, &held).await["calendar_url"], Value::Null, "Cal.com has not been told yet");
        world.execute("update bookings set cal_com_booking_id = 'uid123', calendar_state = 'synced'").await;

        let shown = show(world, &held).await;
        let facts = [
            "status",
            "payment_status",
            "acompte_paid",
            "hold_lapsed",
            "hold_expires_at",
            "checkout_url",
            "calendar_url",
            "refunded_cents",
        ];
        assert_eq!(
            facts.map(|fact| shown[fact].clone()),
            [
                json!("confirmed"),
                json!("paid"),
                json!(true),
                json!(false),
                Value::Null,
                Value::Null,
                json!("https://cal.test/booking/uid123"),
                json!(0),
            ]
        );
    });
}

#[test]
fn a_refund_rule_is_a_date_until_it_is_over_and_then_says_so() {
    World::run(|world| async move {
        // Noa's terms: everything up to 96 hours before, then half. It is Monday, the appointment on Wednesday of next week.
        let held = world.hold(&Plan::of(&NOA, 0, "2027-02-10T09:00:00Z")).await;
        assert_eq!(show(world, &held).await["terms"], Value::Null, "there is nothing to give back yet");
        world.confirm(&held).await;
        let shown = show(world, &held).await;
        assert_eq!(shown["refundable_until"].as_str().map(jiff_of), Some(jiff_of("2027-02-06T09:00:00Z")));
        assert_eq!(
            shown["terms"]["fr"],
            "L’acompte est remboursable jusqu’au samedi 6\u{a0}février 2027 à 10\u{a0}h\u{a0}00\u{202f}; ensuite, il est rendu à \
             50\u{a0}%. Pour annuler, répondez à l’e-mail de confirmation. Si l’artiste annule, tout vous est rendu."
        );
        world.advance_minutes(6 * 24 * 60);
        let shown = show(world, &held).await;
        assert_eq!(shown["refundable_until"], Value::Null);
        let terms = shown["terms"]["en"].as_str().expect("terms");
        assert!(terms.starts_with("This appointment is less than 4\u{a0}days away: 50% of the deposit"), "{terms}");
        world.advance_minutes(10 * 24 * 60);
        assert_eq!(show(world, &held).await["terms"], Value::Null, "it is over");
    });
}

fn jiff_of(text: &str) -> jiff::Timestamp {
    text.parse().expect("an instant")
}

#[test]
fn a_project_has_a_deposit_and_no_price_yet() {
    World::run(|world| async move {
        let held = world.hold(&Plan::of(&LEA, 0, "2027-02-02T09:00:00Z").project()).await;
        let shown = show(world, &held).await;
        let facts = ["type", "title", "price_cents", "rest_cents", "deposit_cents"];
        assert_eq!(
            facts.map(|fact| shown[fact].clone()),
            [json!("project"), json!(""), Value::Null, Value::Null, json!(8000)]
        );
        assert!(!shown.to_string().contains("olivier"), "what the client wrote is not shown: {shown}");
    });
}

#[test]
fn a_cancelled_booking_says_why_and_what_was_given_back() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default()).await;
        world.confirm(&held).await;
        world.execute("update bookings set cal_com_booking_id = 'uid123', calendar_state = 'removed'").await;
        cancel(world, &held, "artist", "refund_pending").await;
        let shown = show(world, &held).await;
        assert_eq!((&shown["status"], &shown["cancel_reason"]), (&json!("cancelled"), &json!("artist")));
        assert_eq!((&shown["payment_status"], &shown["refunded_cents"]), (&json!("refund_pending"), &json!(0)));
        assert_eq!(shown["calendar_url"], Value::Null, "it does not stand any more");
        assert_eq!(shown["checkout_url"], Value::Null);

        refund(world, &held, "refund", -2_000).await;
        assert_eq!(show(world, &held).await["refunded_cents"], 2_000);
        refund(world, &held, "refund", -4_000).await;
        cancel(world, &held, "artist", "refunded").await;
        let shown = show(world, &held).await;
        assert_eq!((&shown["refunded_cents"], &shown["acompte_paid"]), (&json!(6_000), &json!(false)));
        // The bank could not take 40 euros of it back.
        refund(world, &held, "refund_failed", 4_000).await;
        assert_eq!(show(world, &held).await["refunded_cents"], 2_000);
    });
}

#[test]
fn a_released_hold_says_that_nobody_paid() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default()).await;
        cancel(world, &held, "hold_expired", "unpaid").await;
        let shown = show(world, &held).await;
        assert_eq!((&shown["status"], &shown["cancel_reason"]), (&json!("cancelled"), &json!("hold_expired")));
        assert_eq!((&shown["hold_lapsed"], &shown["checkout_url"]), (&json!(false), &Value::Null));
    });
}

#[test]
fn a_payment_that_is_not_as_asked_is_neither_paid_nor_payable() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default()).await;
        world
            .execute("update bookings set payment_problem = 'mismatch', hold_expires_at = null, version = version + 1")
            .await;
        let shown = show(world, &held).await;
        assert_eq!(
            (&shown["acompte_paid"], &shown["checkout_url"], &shown["status"]),
            (&json!(false), &Value::Null, &json!("pending"))
        );
    });
}

#[test]
fn an_id_that_is_none_is_as_unknown_as_any_other() {
    World::run(|world| async move {
        let nobody = ask(world, "01a20000-0000-7000-8000-000000000000").await;
        assert_eq!((nobody.status, nobody.problem()), (404, "not-found"));
        for id in
            ["1", "lea-marchetti", "", "'; drop table bookings; --", "01a20000-0000-7000-8000-00000000000g", "null"]
        {
            let answer = ask(world, &id.replace(' ', "%20")).await;
            let same = ["type", "title", "status", "detail"].map(|field| answer.body[field] == nobody.body[field]);
            assert_eq!((answer.status, same), (404, [true; 4]), "{id}: {:?}", answer.body);
        }
    });
}

#[test]
fn no_name_no_address_and_no_number_is_ever_told() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default()).await;
        let forbidden =
            ["Jo Martin", "Martin", "jo@example.fr", "+336", "12345678", "keller.example", "origin", "policy"];
        let check = async |state: &str| {
            let shown = show(world, &held).await;
            let keys: Vec<&String> = shown.as_object().expect("an object").keys().collect();
            assert!(
                !keys.iter().any(|key| key.starts_with("client") || key.contains("mail") || key.contains("phone")),
                "{keys:?}"
            );
            for word in forbidden {
                // Who has an appointment knows how to write to the artist.
                let told = word == "keller.example" && state == "confirmed";
                assert_eq!(shown.to_string().contains(word), told, "{word} of a {state} booking: {shown}");
            }
        };
        check("pending").await;
        world.confirm(&held).await;
        check("confirmed").await;
        cancel(world, &held, "client", "refunded").await;
        check("cancelled").await;
    });
}

/// Each state of a booking, under each of the artist's choices.
#[test]
fn the_street_is_told_from_when_the_artist_chose_and_only_while_the_booking_stands() {
    World::run(|world| async move {
        const STREET: &str = "9 rue du Fossé-des-Tanneurs, 67000 Strasbourg";
        let held = world.hold(&Plan::default()).await;
        let later = world.hold(&Plan::of(&NOA, 1, "2027-02-03T09:00:00Z").by("ana@example.fr")).await;
        let check = async |held: &Held, state: &str, told: [bool; 3]| {
            for (choice, told) in ["after_payment", "with_summary", "public"].into_iter().zip(told) {
                world.execute(&format!("update artists set address_shown = '{choice}'")).await;
                let shown = show(world, held).await;
                let address = if told { Value::from(STREET) } else { Value::Null };
                assert_eq!(shown["artist"]["address"], address, "{choice}, {state}");
                assert_eq!(shown.to_string().contains("Tanneurs"), told, "{choice}, {state}: {shown}");
                assert_eq!(shown["artist"]["map_url"].is_string(), told, "{choice}, {state}");
                assert_eq!(shown["artist"]["city"], "Strasbourg");
            }
        };
        check(&held, "held", [false, true, true]).await;
        world.confirm(&held).await;
        check(&held, "confirmed", [true, true, true]).await;
        cancel(world, &held, "client", "refunded").await;
        check(&held, "cancelled", [false, false, true]).await;
        world.advance_minutes(31);
        check(&later, "lapsed", [false, false, true]).await;
    });
}

#[test]
fn a_booking_id_alone_changes_nothing() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default()).await;
        let before = world.booking(&held.id()).await;
        let app = app(world);
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            let request = testing::request(method, &format!("/api/bookings/{}", held.id), &[], Some("{}".into()));
            let answer = testing::ask(&world.web(), request, |request| handle(&app, request)).await;
            assert_eq!((answer.status, answer.problem()), (405, "method-not-allowed"));
        }
        show(world, &held).await;
        assert_eq!(world.booking(&held.id()).await, before);
    });
}

#[test]
fn one_flight_to_the_database_is_enough() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default()).await;
        let wire = world.wire().await;
        let app = App { db: world.db_through(&wire).await, ..app(world) };
        for (id, flights) in
            [(held.id(), 1), ("01a20000-0000-7000-8000-000000000000".into(), 1), ("nonsense".into(), 0)]
        {
            wire.reset();
            testing::ask(&world.web(), get(&format!("/api/bookings/{id}")), |request| handle(&app, request)).await;
            assert_eq!(wire.flights(), flights, "{id}");
        }
        assert!(world.stripe.requests().is_empty(), "and Stripe is not asked");
    });
}

#[test]
fn a_booking_is_told_on_the_clock_it_was_made_for_wherever_the_artist_goes() {
    World::run(|world| async move {
        let moves_to = async |zone: &str| {
            world.execute(&format!("update artists set timezone = '{zone}' where id = '{}'", NOA.id)).await;
        };
        let at_home = world.hold(&Plan::of(&NOA, 0, "2027-02-02T09:00:00Z")).await;
        moves_to("Australia/Lord_Howe").await;
        let abroad = world.hold(&Plan::of(&NOA, 0, "2027-02-03T00:45:00Z").by("guest@example.fr")).await;
        let told = async |held: &Held| {
            let shown = show(world, held).await;
            (shown["start"].clone(), shown["timezone_fr"].clone())
        };
        let paris = (json!("2027-02-02T10:00:00+01:00"), json!("heure de Paris"));
        let lord_howe = (json!("2027-02-03T11:45:00+11:00"), json!("heure de Lord Howe"));
        assert_eq!((told(&at_home).await, told(&abroad).await), (paris.clone(), lord_howe.clone()));
        for zone in ["Europe/Paris", "America/Vancouver"] {
            moves_to(zone).await;
            assert_eq!((told(&at_home).await, told(&abroad).await), (paris.clone(), lord_howe.clone()), "{zone}");
        }
    });
}

#[test]
fn a_clock_that_changed_its_rules_is_told_as_it_goes_now() {
    World::run_at("2026-12-01T08:00:00Z", |world| async move {
        // Tables of before 2026 say ten o'clock.
        world.execute(&format!("update artists set timezone = 'America/Vancouver' where id = '{}'", NOA.id)).await;
        let held = world.hold(&Plan::of(&NOA, 0, "2027-01-15T18:00:00Z")).await;
        let shown = show(world, &held).await;
        assert_eq!(
            (&shown["start"], &shown["timezone_fr"]),
            (&json!("2027-01-15T11:00:00-07:00"), &json!("heure de Vancouver"))
        );
    });
}

#[test]
fn both_turns_of_an_hour_that_comes_twice_are_named() {
    World::run_at("2027-10-01T08:00:00Z", |world| async move {
        let first = world.hold(&Plan::of(&NOA, 0, "2027-10-31T00:30:00Z")).await;
        world
            .execute(&format!(
                "update bookings set ends_at = '2027-10-31T01:30:00Z', version = version + 1 where id = '{}'",
                first.id
            ))
            .await;
        let shown = show(world, &first).await;
        assert_eq!(
            (&shown["start"], &shown["end"]),
            (&json!("2027-10-31T02:30:00+02:00"), &json!("2027-10-31T02:30:00+01:00"))
        );
        assert_eq!((&shown["start_turn"], &shown["end_turn"]), (&json!("summer"), &json!("winter")));
    });
}
