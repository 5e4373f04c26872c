//! What a granted wish leaves in the database, asks of Stripe and tells the client.

use super::*;

#[test]
fn a_flash_is_held_and_can_be_paid() {
    World::run(|world| async move {
        let answer = book(world, &wish(&LEA, HIRONDELLE, TUESDAY_AT_TEN)).await;
        let id = id(&answer);
        let url = answer.body["checkout_url"].as_str().expect("a page").to_owned();
        assert_eq!(answer.header("cache-control"), "no-store");
        insta::assert_json_snapshot!(answer.body, {
            ".booking_id" => "[id]", ".checkout_url" => "[url]", ".hold_expires_at" => insta::dynamic_redaction(at_half_past_nine),
        }, @r#"
        {
          "booking_id": "[id]",
          "checkout_url": "[url]",
          "currency": "eur",
          "deposit_cents": 5000,
          "end": "2027-02-02T12:00:00+01:00",
          "hold_expires_at": "[half an hour later]",
          "refundable_until": null,
          "start": "2027-02-02T10:00:00+01:00",
          "status": "pending"
        }
        "#);

        let row = world.booking(&id).await;
        assert_eq!(row["checkout_url"], url);
        let sessions = world.stripe.sessions();
        assert_eq!(sessions.len(), 1);
        assert_eq!(row["stripe_checkout_session_id"], sessions[0]["id"]);
        insta::assert_json_snapshot!("the_row_of_a_held_flash", row, {
            ".id" => "[id]", ".artist_id" => "[Léa]", ".checkout_url" => "[url]", ".stripe_checkout_session_id" => "[session]",
            ".hold_expires_at" => "[…]", ".checkout_expires_at" => "[…]", ".created_at" => "[…]", ".updated_at" => "[…]",
            ".client_wide" => "[hash]",
            ".client_origin" => insta::dynamic_redaction(|value, _| {
                assert_eq!(value.as_str().expect("bytes").len(), 2 + 64, "a hash, not the address");
                "[hash]"
            }),
        });
        assert_eq!(world.history(&id).await, ["client held"]);
    });
}

fn at_half_past_nine(value: insta::internals::Content, _path: insta::internals::ContentPath<'_>) -> &'static str {
    assert!(value.as_str().expect("an instant").starts_with("2027-02-01T09:30:"), "{value:?}");
    "[half an hour later]"
}

#[test]
fn stripe_is_asked_for_exactly_this_booking_once() {
    World::run(|world| async move {
        let id = id(&book(world, &wish(&LEA, HIRONDELLE, TUESDAY_AT_TEN)).await);
        assert_eq!(asked(world), ["POST /v1/checkout/sessions"]);
        let request = &opened(world)[0];
        assert_eq!(request.header("idempotency-key"), Some(format!("checkout:{id}:1").as_str()));
        assert_eq!(request.header("stripe-version"), Some("2026-09-30.endive"));
        assert_eq!(request.header("authorization"), Some("Bearer sk_test_standin"));
        assert_eq!(request.header("stripe-account"), None);

        // The page outlives the hold by five minutes, which are Stripe's to lose.
        let hold_end = testing::at(world.booking(&id).await["hold_expires_at"].as_str().expect("an instant"));
        let expires_at: i64 = request.param("expires_at").expect("an end").parse().expect("seconds");
        assert_eq!(expires_at, hold_end.as_second() + 300);

        let mut parameters: Vec<String> = request
            .params
            .iter()
            .filter(|(name, _)| name != "expires_at")
            .map(|(name, value)| format!("{name}={}", value.replace(&id, "[id]")))
            .collect();
        parameters.sort();
        insta::assert_snapshot!(parameters.join("\n"), @r"
        adaptive_pricing[enabled]=false
        allowed_payment_method_types[0]=card
        cancel_url=https://ink.test/booking/cancel?id=[id]
        client_reference_id=[id]
        custom_text[submit][message]=Votre créneau est gardé jusqu’à 9 h 30, heure de Paris. Ce rendez-vous est dans moins de 72 heures : l’acompte n’est plus remboursable.
        customer_email=jo@example.fr
        line_items[0][price_data][currency]=eur
        line_items[0][price_data][product_data][name]=Acompte – Hirondelle
        line_items[0][price_data][unit_amount]=5000
        line_items[0][quantity]=1
        locale=fr
        metadata[booking_id]=[id]
        mode=payment
        payment_intent_data[description]=Acompte – Hirondelle
        payment_intent_data[metadata][booking_id]=[id]
        success_url=https://ink.test/booking/success?id=[id]
        ");
    });
}

#[test]
fn a_deposit_of_fifty_euros_is_five_thousand_cents() {
    World::run(|world| async move {
        let answer = book(world, &wish(&LEA, HIRONDELLE, TUESDAY_AT_TEN)).await;
        assert_eq!(answer.body["deposit_cents"], 5_000);
        assert_eq!(opened(world)[0].param("line_items[0][price_data][unit_amount]"), Some("5000"));
        assert_eq!(world.stripe.sessions()[0]["amount_total"], 5_000);
        let row = world.booking(&id(&answer)).await;
        assert_eq!((&row["price"], &row["acompte_amount"]), (&json!(150.0), &json!(50.0)));
    });
}

#[test]
fn a_deposit_in_percent_is_rounded_to_a_cent_once() {
    World::run(|world| async move {
        world.execute(&format!("update flashes set price = 333.33, deposit = null where id = '{HIRONDELLE}'")).await;
        let answer = book(world, &wish(&LEA, HIRONDELLE, TUESDAY_AT_TEN)).await;
        // 30 percent of 333.33 euros.
        assert_eq!(answer.body["deposit_cents"], 10_000);
        assert_eq!(opened(world)[0].param("line_items[0][price_data][unit_amount]"), Some("10000"));
        assert_eq!(world.booking(&id(&answer)).await["acompte_amount"], json!(100.0));
    });
}

#[test]
fn a_project_is_held_for_the_artists_time_and_deposit() {
    World::run(|world| async move {
        let answer = book(world, &project(&LEA, TUESDAY_AT_TEN)).await;
        let row = world.booking(&id(&answer)).await;
        assert_eq!(
            (&answer.body["deposit_cents"], &answer.body["end"]),
            (&json!(8_000), &json!("2027-02-02T13:00:00+01:00"))
        );
        let facts = [
            "type",
            "title",
            "flash_id",
            "unique_flash_id",
            "price",
            "acompte_amount",
            "project_description",
            "project_body_zone",
            "project_budget",
        ];
        assert_eq!(
            facts.map(|fact| row[fact].clone()),
            [
                json!("project"),
                json!(""),
                Value::Null,
                Value::Null,
                Value::Null,
                json!(80.0),
                json!("Une branche d’olivier, trait fin, sans couleur."),
                json!("avant-bras"),
                json!(300.5),
            ]
        );
        assert!(!opened(world)[0].body.contains("olivier"), "Stripe is not told what the client wrote");
    });
}

#[test]
fn a_budget_may_be_left_out_or_written_as_people_write() {
    World::run(|world| async move {
        for (start, budget, stored) in [
            ("2027-02-02T09:00:00Z", json!("300,50"), json!(300.5)),
            ("2027-02-03T09:00:00Z", Value::Null, Value::Null),
            ("2027-02-04T09:00:00Z", json!("  "), Value::Null),
            ("2027-02-04T14:00:00Z", json!(450), json!(450.0)),
        ] {
            let mut body = project(&LEA, start);
            body["project"]["budget"] = budget;
            body["client"]["email"] = json!(format!("jo{}@example.fr", &start[8..13]));
            body["client"]["phone"] = json!(format!("06 12 34 56 {}", &start[8..10]));
            let answer = send(&app(world), world, &[(":source-ip", &start[8..13])], &body).await;
            assert_eq!(world.booking(&id(&answer)).await["project_budget"], stored);
        }
    });
}

#[test]
fn the_artist_and_their_calendar_hear_of_it_by_jobs_in_the_queue() {
    World::run(|world| async move {
        book(world, &wish(&LEA, HIRONDELLE, TUESDAY_AT_TEN)).await;
        assert_eq!(world.jobs().await, ["artist_pending"]);
        book(world, &wish(&NOA, DAGUE, TUESDAY_AT_TEN)).await;
        assert_eq!(world.jobs().await, ["artist_pending", "artist_pending", "sync_calendar"]);

        let open: Vec<Value> = world.open_jobs().await.iter().map(|job| job["id"].clone()).collect();
        let received = world.receive().await;
        let mut sent: Vec<Value> = received["Records"]
            .as_array()
            .expect("records")
            .iter()
            .map(|record| {
                serde_json::from_str::<Value>(record["body"].as_str().expect("a body")).expect("JSON")["job_id"].clone()
            })
            .collect();
        sent.sort_by_key(Value::to_string);
        assert_eq!(sent, open);
        assert!(world.mails.messages().is_empty(), "nothing is sent from here");
        assert!(world.calcom.bookings().is_empty(), "nothing is written there from here");
    });
}

#[test]
fn no_artist_is_mailed_before_the_payment_who_did_not_ask_for_it() {
    World::run(|world| async move {
        world.execute("update artists set pending_mails = default").await;
        let answer = book(world, &wish(&LEA, HIRONDELLE, TUESDAY_AT_TEN)).await;
        assert_eq!(world.jobs().await, Vec::<String>::new());
        // What is put by is the client's one reminder, and the queue does not bring it now.
        let rows = world.rows("select args->>'template' as template, relay_at, created_at from outbox", &[]).await;
        let [reminder] = &rows[..] else { panic!("{rows:?}") };
        assert_eq!(reminder["template"], "client_held");
        let at =
            |field: &str| reminder[field].as_str().expect("an instant").parse::<jiff::Timestamp>().expect("an instant");
        assert_eq!(at("relay_at").duration_since(at("created_at")).as_secs(), 10 * 60 + 30);
        assert_eq!(world.receive().await["Records"], json!([]));
        // Once it is paid, given back or lapsed, nothing is left to do.
        let hold = world.stored_hold(id(&answer).parse().expect("an id")).await;
        let reason = shared::domain::booking::CancelReason::Client;
        shared::settle::close(&world.db(), &world.stripe_client(), &hold, testing::PUBLIC_URL, reason, world.now())
            .await
            .expect("closed");
        assert_eq!(world.rows("select outcome from outbox", &[]).await, [json!({ "outcome": "done" })]);
    });
}

#[test]
fn an_artist_who_wants_cal_com_told_after_the_payment_only_is_heard() {
    World::run(|world| async move {
        world.execute("update artists set cal_com_create_at = 'payment' where slug = 'noa-keller'").await;
        let answer = book(world, &wish(&NOA, DAGUE, TUESDAY_AT_TEN)).await;
        assert_eq!(world.jobs().await, ["artist_pending"]);
        assert_eq!(world.booking(&id(&answer)).await["calendar_state"], "waiting");
    });
}

#[test]
fn an_instant_may_be_written_with_an_offset() {
    World::run(|world| async move {
        let answer = book(world, &wish(&LEA, HIRONDELLE, "2027-02-02T10:00:00+01:00")).await;
        assert_eq!((answer.status, &answer.body["start"]), (201, &json!("2027-02-02T10:00:00+01:00")));
    });
}

#[test]
fn what_is_stored_is_what_was_parsed() {
    World::run(|world| async move {
        let mut body = wish(&LEA, HIRONDELLE, TUESDAY_AT_TEN);
        body["client"] = json!({ "name": "  Jo Martin ", "email": " Jo@Example.FR ", "phone": "06.12.34.56.78" });
        body["locale"] = json!("en-GB");
        let row = world.booking(&id(&book(world, &body).await)).await;
        let facts = ["client_name", "client_email", "client_phone", "client_locale"];
        assert_eq!(
            facts.map(|fact| row[fact].clone()),
            ["Jo Martin", "jo@example.fr", "+33612345678", "en"].map(Value::from)
        );
        assert_eq!(opened(world)[0].param("locale"), Some("en"));
    });
}

#[test]
fn a_number_without_its_code_is_one_of_the_artists_country() {
    World::run(|world| async move {
        for (zone, start, phone, stored) in [
            ("Europe/Brussels", "2027-02-02T09:00:00Z", "0450 00 12 34", "+32450001234"),
            ("Europe/Zurich", "2027-02-03T09:00:00Z", "078 123 45 67", "+41781234567"),
            ("Europe/Paris", "2027-02-04T09:00:00Z", "+32 (0)450 00 12 34", "+32450001234"),
        ] {
            world.execute(&format!("update artists set timezone = '{zone}' where slug = 'lea-marchetti'")).await;
            let mut body = wish(&LEA, HIRONDELLE, start);
            body["client"]["phone"] = json!(phone);
            body["client"]["email"] = json!("jo@bücher.example");
            let row = world.booking(&id(&book(world, &body).await)).await;
            assert_eq!(
                (&row["client_phone"], &row["client_email"]),
                (&json!(stored), &json!("jo@xn--bcher-kva.example"))
            );
        }
    });
}

#[test]
fn the_language_is_the_browsers_when_the_body_names_none() {
    World::run(|world| async move {
        for (start, header, locale) in
            [("2027-02-02T09:00:00Z", "en-US,en;q=0.9,fr;q=0.8", "en"), ("2027-02-03T09:00:00Z", "de-DE", "fr")]
        {
            let mut body = wish(&LEA, HIRONDELLE, start);
            body["locale"] = Value::Null;
            let answer = send(&app(world), world, &[("accept-language", header)], &body).await;
            assert_eq!(world.booking(&id(&answer)).await["client_locale"], locale);
        }
    });
}

/// Field failure F11.
#[test]
fn the_policy_of_the_day_is_kept_with_the_booking() {
    World::run(|world| async move {
        let id = id(&book(world, &wish(&NOA, DAGUE, TUESDAY_AT_TEN)).await);
        world.execute("update artists set policy_full_refund_hours = 1, policy_late_refund_percent = 0, deposit_nature = 'arrhes'").await;
        assert_eq!(
            world.booking(&id).await["policy"],
            json!({ "full_refund_hours": 96, "late_refund_percent": 50, "free_moves": 2, "nature": "acompte" })
        );
    });
}

#[test]
fn what_the_database_knows_is_not_taken_from_the_client() {
    World::run(|world| async move {
        let mut forged = wish(&LEA, HIRONDELLE, TUESDAY_AT_TEN);
        // The amount, the times, the addresses, and whether it is paid.
        for (name, value) in [
            ("price", json!(1)),
            ("price_cents", json!(1)),
            ("amount", json!(1)),
            ("deposit_cents", json!(1)),
            ("acompte_amount", json!(0.01)),
            ("duration_minutes", json!(15)),
            ("end", json!("2027-02-02T09:15:00Z")),
            ("artist_id", json!(NOA.id)),
            ("success_url", json!("https://evil.example")),
            ("cancel_url", json!("https://evil.example")),
            ("status", json!("confirmed")),
            ("payment_status", json!("paid")),
            ("acompte_paid", json!(true)),
            ("hold_expires_at", Value::Null),
            ("currency", json!("jpy")),
            ("booking_id", json!("019aa000-0000-7000-8000-000000000001")),
            ("stripe_account_id", json!("acct_evil")),
        ] {
            forged[name] = value;
        }
        let answer = book(world, &forged).await;
        let row = world.booking(&id(&answer)).await;
        let facts = [
            "artist_id",
            "acompte_amount",
            "price",
            "currency",
            "ends_at",
            "status",
            "payment_status",
            "acompte_paid",
            "stripe_account_id",
        ];
        assert_eq!(
            facts.map(|fact| row[fact].clone()),
            [
                json!(LEA.id),
                json!(50.0),
                json!(150.0),
                json!("eur"),
                json!("2027-02-02T11:00:00+00:00"),
                json!("pending"),
                json!("unpaid"),
                json!(false),
                Value::Null,
            ]
        );
        let request = &opened(world)[0];
        assert!(!request.body.contains("evil"), "{}", request.body);
        assert_eq!(request.param("line_items[0][price_data][unit_amount]"), Some("5000"));
        assert_eq!(
            request.param("success_url"),
            Some(format!("https://ink.test/booking/success?id={}", id(&answer)).as_str())
        );
    });
}

#[test]
fn the_same_address_under_another_name_renames_nobody() {
    World::run(|world| async move {
        let first = id(&book(world, &wish(&LEA, HIRONDELLE, TUESDAY_AT_TEN)).await);
        let mut body = wish(&NOA, DAGUE, TUESDAY_AT_TEN);
        body["client"]["name"] = json!("Somebody Else");
        let second = id(&book(world, &body).await);
        assert_eq!(world.booking(&first).await["client_name"], "Jo Martin");
        assert_eq!(world.booking(&second).await["client_name"], "Somebody Else");
    });
}

#[test]
fn three_flights_to_the_database_are_enough() {
    World::run(|world| async move {
        let wire = world.wire().await;
        let app = App { db: world.db_through(&wire).await, ..app(world) };
        for body in [wish(&LEA, HIRONDELLE, TUESDAY_AT_TEN), project(&NOA, TUESDAY_AT_TEN)] {
            wire.reset();
            id(&send(&app, world, &[("idempotency-key", body["artist"].as_str().expect("a slug"))], &body).await);
            assert_eq!(wire.flights(), 3);
        }
        wire.reset();
        id(&send(&app, world, &[], &wish(&LEA, HIRONDELLE, TUESDAY_AT_TEN)).await);
        assert_eq!(wire.flights(), 1, "asked again");
    });
}

/// Field failure F21.
#[test]
fn an_appointment_after_the_clock_change_is_at_ten_on_the_new_clock() {
    World::run_at("2027-03-25T08:00:00Z", |world| async move {
        // Saturday the 27th is winter, Tuesday the 30th is summer: ten o'clock is another instant.
        is_refused(&book(world, &wish(&LEA, HIRONDELLE, "2027-03-27T08:00:00Z")).await, 409, "slot-taken");
        id(&book(world, &wish(&LEA, HIRONDELLE, "2027-03-27T09:00:00Z")).await);
        is_refused(&book(world, &wish(&LEA, HIRONDELLE, "2027-03-30T07:30:00Z")).await, 409, "slot-taken");
        id(&book(world, &wish(&LEA, HIRONDELLE, "2027-03-30T08:00:00Z")).await);
    });
    World::run_at("2027-10-28T08:00:00Z", |world| async move {
        // And back: Saturday the 30th is summer, Tuesday the 2nd is winter.
        id(&book(world, &wish(&LEA, HIRONDELLE, "2027-10-30T08:00:00Z")).await);
        is_refused(&book(world, &wish(&LEA, HIRONDELLE, "2027-11-02T08:00:00Z")).await, 409, "slot-taken");
        id(&book(world, &wish(&LEA, HIRONDELLE, "2027-11-02T09:00:00Z")).await);
    });
}

/// Field failure F21.
#[test]
fn a_night_session_across_the_clock_change_takes_its_real_time() {
    World::run_at("2027-03-25T08:00:00Z", |world| async move {
        // Open from midnight to six on Sunday, when two o'clock is three o'clock.
        world
            .execute(
                "insert into availability select gen_random_uuid(), id, 7, 0, 360 from artists where slug = 'lea-marchetti'",
            )
            .await;
        let answer = book(world, &wish(&LEA, HIRONDELLE, "2027-03-28T00:00:00Z")).await;
        // 01:00 to 04:00 on the clock, two hours of work.
        assert_eq!((answer.status, &answer.body["start"]), (201, &json!("2027-03-28T01:00:00+01:00")));
        assert_eq!(answer.body["end"], "2027-03-28T04:00:00+02:00");
    });
}
