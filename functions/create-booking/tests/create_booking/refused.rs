//! Everything that is no booking: unreadable, incomplete, not offered, not now.

use dev::stripe::Down;
use lambda_http::http::Method;
use testing::request;

use super::*;

async fn send_raw(world: &World, method: Method, headers: &[(&str, &str)], body: &str) -> Answer {
    let app = app(world);
    let request = request(method, "/api/bookings/create", headers, Some(body.to_owned()));
    testing::ask(&world.web(), request, |request| handle(&app, request)).await
}

const JSON: &[(&str, &str)] = &[("content-type", "application/json")];

/// Nothing was written and nobody was asked.
async fn left_no_trace(world: &World) {
    for table in ["bookings", "booking_events", "outbox", "idempotency_keys"] {
        assert_eq!(world.count(table).await, 0, "{table}");
    }
    assert!(world.stripe.requests().is_empty());
}

mod unreadable {
    use super::*;

    #[test]
    fn a_body_that_is_no_json_is_malformed() {
        World::run(|world| async move {
            for body in [
                "",
                "{",
                "null",
                "\"jo@example.fr\"",
                "{\"artist\":\"lea-marchetti\"",
                "{\"client\":\"Jo Martin\"}",
                "{\"artist\":7}",
                "\u{0}",
            ] {
                let answer = send_raw(world, Method::POST, JSON, body).await;
                is_refused(&answer, 400, "malformed");
            }
            left_no_trace(world).await;
        });
    }

    #[test]
    fn a_body_that_is_not_declared_as_json_is_not_read() {
        World::run(|world| async move {
            let body = wish(&LEA, HIRONDELLE, TUESDAY_AT_TEN).to_string();
            for kind in
                ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonp", "multipart/form-data"]
            {
                is_refused(
                    &send_raw(world, Method::POST, &[("content-type", kind)], &body).await,
                    415,
                    "unsupported-media-type",
                );
            }
            left_no_trace(world).await;
            let answer =
                send_raw(world, Method::POST, &[("content-type", "Application/JSON; charset=utf-8")], &body).await;
            assert_eq!(answer.status, 201);
        });
    }

    #[test]
    fn a_body_of_more_than_sixty_four_kilobytes_is_not_read() {
        World::run(|world| async move {
            let mut body = project(&LEA, TUESDAY_AT_TEN);
            body["project"]["description"] = json!("x".repeat(64 * 1024));
            is_refused(&send_raw(world, Method::POST, JSON, &body.to_string()).await, 413, "payload-too-large");
            // One that just fits is read, and refused for what it says.
            body["project"]["description"] = json!("x".repeat(63 * 1024));
            is_refused(&send_raw(world, Method::POST, JSON, &body.to_string()).await, 422, "invalid");
            left_no_trace(world).await;
        });
    }

    #[test]
    fn a_body_may_come_in_base64() {
        World::run(|world| async move {
            use lambda_http::Body;
            let app = app(world);
            let mut request = post("/api/bookings/create", &[], &json!({}));
            *request.body_mut() = Body::Binary(wish(&LEA, HIRONDELLE, TUESDAY_AT_TEN).to_string().into_bytes());
            let answer = testing::ask(&world.web(), request, |request| handle(&app, request)).await;
            assert_eq!(answer.status, 201);
        });
    }

    #[test]
    fn only_post_is_answered() {
        World::run(|world| async move {
            for method in [Method::GET, Method::PUT, Method::DELETE] {
                is_refused(&send_raw(world, method, JSON, "{}").await, 405, "method-not-allowed");
            }
        });
    }
}

mod incomplete {
    use super::*;

    #[test]
    fn every_field_that_is_missing_is_named_at_once() {
        World::run(|world| async move {
            let answer = book(world, &json!({})).await;
            is_refused(&answer, 422, "invalid");
            assert_eq!(
                answer.pointers(),
                ["#/artist", "#/start", "#/client/name", "#/client/email", "#/client/phone", "#/type"]
            );
            left_no_trace(world).await;
        });
    }

    #[test]
    fn what_is_wrong_is_said_in_the_clients_language() {
        World::run(|world| async move {
            let mut body = project(&LEA, "tomorrow at ten");
            body["client"] = json!({ "name": "J", "email": "jo.example.fr", "phone": "12" });
            body["project"] = json!({ "description": "court", "body_zone": "", "budget": "beaucoup" });
            let french = book(world, &body).await;
            is_refused(&french, 422, "invalid");
            insta::assert_json_snapshot!(french.body["errors"], @r##"
            [
              {
                "detail": "L’heure doit être au format RFC 3339, par exemple 2026-12-01T09:00:00Z.",
                "pointer": "#/start"
              },
              {
                "detail": "Indiquez votre nom (2 caractères au moins).",
                "pointer": "#/client/name"
              },
              {
                "detail": "Il manque un @ dans l’adresse e-mail.",
                "pointer": "#/client/email"
              },
              {
                "detail": "Il manque des chiffres à ce numéro, ou l’indicatif de son pays, comme +32 ou +687.",
                "pointer": "#/client/phone"
              },
              {
                "detail": "Indiquez un montant en euros, par exemple 300.",
                "pointer": "#/project/budget"
              },
              {
                "detail": "Décrivez votre projet en quelques mots (10 caractères au moins).",
                "pointer": "#/project/description"
              },
              {
                "detail": "Indiquez la zone du corps.",
                "pointer": "#/project/body_zone"
              }
            ]
            "##);
            body["locale"] = json!("en");
            let english = book(world, &body).await;
            assert_eq!(english.pointers(), french.pointers());
            insta::assert_json_snapshot!(english.body["errors"], @r##"
            [
              {
                "detail": "The time must be RFC 3339, e.g. 2026-12-01T09:00:00Z.",
                "pointer": "#/start"
              },
              {
                "detail": "Enter your name (at least 2 characters).",
                "pointer": "#/client/name"
              },
              {
                "detail": "The email address is missing an @.",
                "pointer": "#/client/email"
              },
              {
                "detail": "This number is missing some digits, or its country code, such as +44 or +32.",
                "pointer": "#/client/phone"
              },
              {
                "detail": "Give an amount in euros, e.g. 300.",
                "pointer": "#/project/budget"
              },
              {
                "detail": "Describe your project in a few words (at least 10 characters).",
                "pointer": "#/project/description"
              },
              {
                "detail": "Say where on the body.",
                "pointer": "#/project/body_zone"
              }
            ]
            "##);
            left_no_trace(world).await;
        });
    }

    #[test]
    fn a_number_that_is_none_where_the_artist_is_is_named_with_everything_else() {
        World::run(|world| async move {
            world.execute("update artists set timezone = 'Europe/Brussels' where slug = 'lea-marchetti'").await;
            let mut body = wish(&LEA, HIRONDELLE, TUESDAY_AT_TEN);
            // A French number, without its code, for a Belgian artist.
            body["client"] = json!({ "name": "J", "email": "jo@example.fr", "phone": "06 12 34 56 78" });
            let answer = book(world, &body).await;
            is_refused(&answer, 422, "invalid");
            assert_eq!(answer.pointers(), ["#/client/name", "#/client/phone"]);
            body["client"]["name"] = json!("Jo Martin");
            let answer = book(world, &body).await;
            is_refused(&answer, 422, "invalid");
            assert_eq!(answer.pointers(), ["#/client/phone"]);
            // Of an artist whom nobody knows, nothing is said of the number.
            body["client"]["name"] = json!("J");
            body["artist"] = json!("nobody");
            assert_eq!(book(world, &body).await.pointers(), ["#/client/name"]);
            left_no_trace(world).await;
        });
    }

    #[test]
    fn a_flash_booking_needs_the_id_of_a_flash() {
        World::run(|world| async move {
            for flash in [Value::Null, json!(""), json!("hirondelle"), json!("019aa000-0000-7000-8000-0000000000f")] {
                let mut body = wish(&LEA, HIRONDELLE, TUESDAY_AT_TEN);
                body["flash_id"] = flash;
                let answer = book(world, &body).await;
                is_refused(&answer, 422, "invalid");
                assert_eq!(answer.pointers(), ["#/flash_id"]);
            }
        });
    }

    #[test]
    fn an_instant_without_a_zone_or_beyond_all_calendars_is_none() {
        World::run(|world| async move {
            for start in [
                "2027-02-02",
                "2027-02-02T10:00:00",
                "10:00",
                "-009999-01-01T00:00:00Z",
                "1969-12-31T23:59:59Z",
                "99999-01-01T00:00:00Z",
                "2027-02-30T10:00:00Z",
            ] {
                let answer = book(world, &wish(&LEA, HIRONDELLE, start)).await;
                is_refused(&answer, 422, "invalid");
                assert_eq!(answer.pointers(), ["#/start"], "{start}");
            }
        });
    }

    #[test]
    fn a_budget_must_be_money() {
        World::run(|world| async move {
            for budget in [
                json!(0),
                json!(-50),
                json!("1e5"),
                json!("300.123"),
                json!(true),
                json!([300]),
                json!(99_999_999_999_u64),
            ] {
                let mut body = project(&LEA, TUESDAY_AT_TEN);
                body["project"]["budget"] = budget.clone();
                let answer = book(world, &body).await;
                is_refused(&answer, 422, "invalid");
                assert_eq!(answer.pointers(), ["#/project/budget"], "{budget}");
            }
            left_no_trace(world).await;
        });
    }

    #[test]
    fn a_line_break_reaches_no_name_and_no_address() {
        World::run(|world| async move {
            let mut body = wish(&LEA, HIRONDELLE, TUESDAY_AT_TEN);
            body["client"]["name"] = json!("Jo\r\nBcc: everybody@example.fr");
            body["client"]["email"] = json!("jo@example.fr\r\nBcc: everybody@example.fr");
            let answer = book(world, &body).await;
            is_refused(&answer, 422, "invalid");
            assert_eq!(answer.pointers(), ["#/client/name", "#/client/email"]);
        });
    }
}

mod not_offered {
    use super::*;

    #[test]
    fn an_artist_or_a_flash_that_is_not_there_is_not_found() {
        World::run(|world| async move {
            world.execute(&format!("update flashes set state = 'archived' where id = '{PIVOINE}'")).await;
            let mut nobody = wish(&LEA, HIRONDELLE, TUESDAY_AT_TEN);
            nobody["artist"] = json!("nobody");
            for body in [
                nobody,
                wish(&LEA, PIVOINE, TUESDAY_AT_TEN),
                // Noa's flash at Léa's.
                wish(&LEA, DAGUE, TUESDAY_AT_TEN),
                wish(&LEA, "019aa000-0000-7000-8000-000000000999", TUESDAY_AT_TEN),
            ] {
                is_refused(&book(world, &body).await, 404, "not-found");
            }
            world.execute("update artists set active = false").await;
            is_refused(&book(world, &wish(&LEA, HIRONDELLE, TUESDAY_AT_TEN)).await, 404, "not-found");
            left_no_trace(world).await;
        });
    }

    #[test]
    fn a_time_that_is_not_listed_is_not_accepted() {
        World::run(|world| async move {
            for (start, why) in [
                ("2027-02-02T08:30:00Z", "before she opens"),
                ("2027-02-02T16:30:00Z", "two hours do not fit before she closes"),
                ("2027-02-03T11:00:00Z", "across her lunch"),
                ("2027-02-07T09:00:00Z", "on a Sunday"),
                ("2027-02-02T09:10:00Z", "off the grid"),
                ("2027-02-02T09:00:00.5Z", "off the grid by half a second"),
                ("2027-02-01T13:00:00Z", "too soon"),
                ("2027-01-26T09:00:00Z", "in the past"),
                ("2027-02-11T09:00:00Z", "while she is away"),
            ] {
                let answer = book(world, &wish(&LEA, HIRONDELLE, start)).await;
                assert_eq!((answer.status, answer.problem()), (409, "slot-taken"), "{start}: {why}");
                assert!(!fresh(&answer).contains(&start.to_owned()), "{start}: {why}");
            }
            left_no_trace(world).await;
        });
    }

    /// Books open for 180 days from the first of February: the last is the thirty-first of July, a Saturday.
    #[test]
    fn a_date_beyond_the_horizon_is_refused_in_its_own_words_and_the_last_one_is_not() {
        World::run(|world| async move {
            for start in ["2027-08-03T08:00:00Z", "2031-01-07T09:00:00Z"] {
                let answer = book(world, &wish(&LEA, HIRONDELLE, start)).await;
                is_refused(&answer, 409, "too-far-ahead");
                assert!(
                    answer.body["detail"].as_str().expect("words").contains("not open that far"),
                    "{}",
                    answer.body
                );
            }
            // Whatever Cal.com has there: it is not even asked.
            let noa = world.calcom.requests().len();
            is_refused(&book(world, &wish(&NOA, DAGUE, "2027-08-03T08:00:00Z")).await, 409, "too-far-ahead");
            assert_eq!(world.calcom.requests().len(), noa);
            left_no_trace(world).await;
            world.execute("update artists set horizon_days = 183").await;
            id(&book(world, &wish(&LEA, HIRONDELLE, "2027-08-03T08:00:00Z")).await);
        });
    }

    #[test]
    fn the_last_instant_of_all_calendars_is_refused_like_another() {
        World::run(|world| async move {
            is_refused(&book(world, &wish(&LEA, HIRONDELLE, "9999-12-30T22:00:00Z")).await, 409, "too-far-ahead");
        });
    }

    #[test]
    fn notice_is_counted_to_the_minute() {
        World::run_at("2027-02-02T09:00:30Z", |world| async move {
            // 24 hours before Wednesday at ten, less half a minute.
            is_refused(&book(world, &wish(&LEA, HIRONDELLE, "2027-02-03T09:00:00Z")).await, 409, "slot-taken");
            id(&book(world, &wish(&LEA, HIRONDELLE, "2027-02-03T09:30:00Z")).await);
        });
    }
}

mod not_now {
    use super::*;

    /// Field failure F20.
    #[test]
    fn without_the_calendar_nothing_is_promised_and_nothing_written() {
        World::run(|world| async move {
            for down in [Down::Cut, Down::InternalError, Down::Unavailable] {
                world.calcom.switch(|switches| switches.api.down = Some(down));
                let answer = book(world, &wish(&NOA, DAGUE, TUESDAY_AT_TEN)).await;
                is_refused(&answer, 503, "calendar-unavailable");
                assert_eq!(answer.header("retry-after"), "10");
            }
            left_no_trace(world).await;
            // Léa has no Cal.com to wait for.
            id(&book(world, &wish(&LEA, HIRONDELLE, TUESDAY_AT_TEN)).await);
            world.calcom.switch(|switches| switches.api.down = None);
            id(&book(world, &wish(&NOA, DAGUE, TUESDAY_AT_TEN)).await);
        });
    }

    #[test]
    fn without_the_database_it_is_a_503_that_says_when_to_come_back() {
        World::run(|world| async move {
            let wire = world.wire().await;
            let app = App { db: world.db_through(&wire).await, ..app(world) };
            wire.cut();
            let answer = send(&app, world, &[], &wish(&LEA, HIRONDELLE, TUESDAY_AT_TEN)).await;
            is_refused(&answer, 503, "try-again");
            assert_eq!(answer.header("retry-after"), "5");
            wire.mend();
            left_no_trace(world).await;
            id(&send(&app, world, &[], &wish(&LEA, HIRONDELLE, TUESDAY_AT_TEN)).await);
        });
    }
}

mod of_artists_who_take_none {
    use super::*;

    #[test]
    fn a_new_page_takes_no_deposit_until_the_operator_or_an_own_account_says_so() {
        World::run(|world| async move {
            world.execute("update artists set takes_deposits = false").await;
            let flash = book(world, &wish(&LEA, HIRONDELLE, TUESDAY_AT_TEN)).await;
            let idea = book_from_afar(world, &of_sam(&project(&LEA, TUESDAY_AT_TEN))).await;
            for answer in [&flash, &idea] {
                is_refused(answer, 409, "opens-soon");
            }
            left_no_trace(world).await;
            world.execute(&format!("update artists set stripe_account_id = 'acct_own' where id = '{}'", LEA.id)).await;
            // The hold is written; of that account the stand-in knows nothing.
            let held = book(world, &wish(&LEA, HIRONDELLE, TUESDAY_AT_TEN)).await;
            assert_ne!(held.problem(), "opens-soon");
            assert_eq!(world.count("bookings").await, 1);
            world.execute("update artists set takes_deposits = true, stripe_account_id = null").await;
            assert_eq!(book(world, &wish(&NOA, DAGUE, TUESDAY_AT_TEN)).await.status, 201);
        });
    }

    #[test]
    fn a_closed_page_holds_nothing_more_and_what_was_booked_lives_on() {
        World::run(|world| async move {
            let before = book(world, &wish(&LEA, HIRONDELLE, TUESDAY_AT_TEN)).await;
            let id = id(&before);
            world.execute(&format!("update artists set active = false where id = '{}'", LEA.id)).await;
            let refused = book_from_afar(world, &of_sam(&project(&LEA, "2027-02-03T09:00:00Z"))).await;
            is_refused(&refused, 404, "not-found");
            // Whoever read the page before it was closed meets the database.
            let late = format!(
                r"insert into bookings (id, artist_id, type, status, scheduled_at, ends_at, acompte_amount, title, policy,
                     project_description, client_name, client_email, client_phone, created_at, updated_at)
                 select gen_random_uuid(), artist_id, 'project', 'pending', scheduled_at + interval '1 day', ends_at + interval '1 day',
                     50, '', policy, 'Un renard', client_name, client_email, client_phone, now(), now() from bookings where id = '{id}'"
            );
            let refused = world.owner.batch_execute(&late).await.expect_err("closed");
            let constraint = refused.as_db_error().and_then(|error| error.constraint()).map(str::to_owned);
            assert_eq!(constraint.as_deref(), Some("bookings_artist_is_open"));
            world.execute(&format!("update bookings set status = 'confirmed', hold_expires_at = null, version = version + 1 where id = '{id}'")).await;
            assert_eq!(world.booking(&id).await["status"], "confirmed");
        });
    }
}

#[test]
fn a_name_that_leads_somewhere_is_no_name() {
    World::run(|world| async move {
        for (name, taken) in
            [("Jo, voir evil.example/compte", false), ("www.evil.example", false), ("Jo St.Pauli", true)]
        {
            let mut body = wish(&LEA, HIRONDELLE, TUESDAY_AT_TEN);
            body["client"]["name"] = name.into();
            let answer = book(world, &body).await;
            if taken {
                assert_eq!(answer.status, 201, "{}", answer.body);
            } else {
                is_refused(&answer, 422, "invalid");
                assert_eq!(answer.pointers(), ["#/client/name"]);
                left_no_trace(world).await;
            }
        }
    });
}
