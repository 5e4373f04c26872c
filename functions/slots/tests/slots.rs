//! `GET /api/calendar/slots` through `handle`: what it lists, what it refuses, and what it never guesses.

use dev::demo::{LEA, NOA};
use dev::stripe::Down;
use lambda_http::http::Method;
use serde_json::Value;
use slots::{App, handle};
use testing::{self, Answer, Plan, World, at, get};

/// Léa's repeatable flash of two hours.
const HIRONDELLE: &str = "019aa000-0000-7000-8000-0000000000f1";
/// Léa's unique flash of four hours.
const PIVOINE: &str = "019aa000-0000-7000-8000-0000000000f2";
/// Noa's repeatable flash of two hours.
const DAGUE: &str = "019aa000-0000-7000-8000-0000000000f6";

fn app(world: &World) -> App {
    App { db: world.db(), calendars: world.calendars(), clock: world.clock(), web: world.web() }
}

async fn ask(world: &World, query: &str) -> Answer {
    let app = app(world);
    testing::ask(&world.web(), get(&format!("/api/calendar/slots?{query}")), |request| handle(&app, request)).await
}

/// The starts of one date, as `HH:MM` in UTC.
fn starts(answer: &Answer, date: &str) -> Vec<String> {
    let days = answer.body["days"].as_array().expect("days");
    let day = days.iter().find(|day| day["date"] == date).unwrap_or_else(|| panic!("no {date} in {days:?}"));
    let slots = day["slots"].as_array().expect("slots");
    slots.iter().map(|slot| start(slot)[11..16].to_owned()).collect()
}

/// When a slot starts, in UTC.
fn start(slot: &Value) -> String {
    at(slot["start"].as_str().expect("a start")).to_string()
}

fn every_start(answer: &Answer) -> Vec<String> {
    let days = answer.body["days"].as_array().expect("days");
    days.iter().flat_map(|day| day["slots"].as_array().expect("slots")).map(start).collect()
}

mod with_hours_of_her_own {
    use super::*;

    #[test]
    fn a_flash_is_offered_within_the_opening_hours() {
        World::run(|world| async move {
            let answer = ask(world, &format!("artist=lea-marchetti&date=2027-02-02&days=2&flash={HIRONDELLE}")).await;
            assert_eq!(answer.status, 200);
            assert_eq!(answer.header("content-type"), "application/json");
            assert_eq!(answer.header("cache-control"), "no-store");
            // Open 10-19 on Tuesday, 10-13 and 14-19 on Wednesday, an hour ahead of UTC; two hours each.
            insta::assert_json_snapshot!(answer.body, { ".days[].slots" => insta::dynamic_redaction(|slots, _| {
                slots.as_slice().map_or(0, |slots| slots.len() as u64)
            }) }, @r#"
            {
              "artist": "lea-marchetti",
              "bookable_until": "2027-07-31",
              "days": [
                {
                  "date": "2027-02-02",
                  "frees_at": null,
                  "full": false,
                  "slots": 15
                },
                {
                  "date": "2027-02-03",
                  "frees_at": null,
                  "full": false,
                  "slots": 10
                }
              ],
              "duration_minutes": 120,
              "timezone": "Europe/Paris",
              "today": "2027-02-01"
            }
            "#);
            assert_eq!(
                starts(&answer, "2027-02-03"),
                ["09:00", "09:30", "10:00", "13:00", "13:30", "14:00", "14:30", "15:00", "15:30", "16:00"]
            );
            let last = answer.body["days"][0]["slots"].as_array().and_then(|slots| slots.last()).expect("a slot");
            assert_eq!(last["start"], "2027-02-02T17:00:00+01:00");
            assert_eq!(last["end"], "2027-02-02T19:00:00+01:00");
        });
    }

    #[test]
    fn a_project_takes_the_time_the_artist_gives_it() {
        World::run(|world| async move {
            let answer = ask(world, "artist=lea-marchetti&date=2027-02-03&days=1").await;
            assert_eq!(answer.body["duration_minutes"], LEA.project_duration_minutes);
            assert_eq!(starts(&answer, "2027-02-03"), ["09:00", "13:00", "13:30", "14:00", "14:30", "15:00"]);
        });
    }

    #[test]
    fn seven_days_from_today_are_shown_when_nobody_says() {
        World::run(|world| async move {
            let answer = ask(world, &format!("artist=lea-marchetti&flash={HIRONDELLE}")).await;
            let dates: Vec<&str> = answer.body["days"]
                .as_array()
                .expect("days")
                .iter()
                .map(|day| day["date"].as_str().expect("a date"))
                .collect();
            assert_eq!(dates.len(), 7);
            assert_eq!((dates[0], dates[6]), ("2027-02-01", "2027-02-07"));
            // Closed on Monday, and too soon anyway.
            assert_eq!(starts(&answer, "2027-02-01"), Vec::<String>::new());
        });
    }

    #[test]
    fn nothing_sooner_than_the_minimum_notice_is_offered() {
        World::run_at("2027-02-02T11:10:00Z", |world| async move {
            let answer = ask(world, &format!("artist=lea-marchetti&date=2027-02-02&days=2&flash={HIRONDELLE}")).await;
            assert_eq!(starts(&answer, "2027-02-02"), Vec::<String>::new());
            assert_eq!(starts(&answer, "2027-02-03")[0], "13:00");
        });
    }

    #[test]
    fn a_date_in_the_past_has_its_entry_and_no_slots() {
        World::run(|world| async move {
            let answer = ask(world, "artist=lea-marchetti&date=2026-02-03&days=2").await;
            assert_eq!(answer.status, 200);
            assert_eq!(answer.body["days"].as_array().expect("days").len(), 2);
            assert_eq!(every_start(&answer), Vec::<String>::new());
        });
    }

    #[test]
    fn nothing_is_offered_after_the_last_bookable_day_and_calcom_is_not_asked_for_it() {
        World::run(|world| async move {
            for artist in ["lea-marchetti", "noa-keller"] {
                let last = ask(world, &format!("artist={artist}&date=2027-07-28&days=7")).await;
                // Thursday to Saturday the 31st; on the 3rd of August nothing.
                assert_eq!((last.status, &last.body["bookable_until"]), (200, &"2027-07-31".into()), "{}", last.body);
                assert!(!starts(&last, "2027-07-29").is_empty(), "{}", last.body);
                assert!(starts(&last, "2027-08-03").is_empty(), "{}", last.body);
            }
            let asked = world.calcom.requests().len();
            let beyond = ask(world, "artist=noa-keller&date=2031-01-06&days=31").await;
            assert_eq!((beyond.status, every_start(&beyond).len()), (200, 0), "{}", beyond.body);
            assert_eq!(world.calcom.requests().len(), asked);
        });
    }

    #[test]
    fn days_off_are_empty() {
        World::run(|world| async move {
            let answer = ask(world, &format!("artist=lea-marchetti&date=2027-02-10&days=4&flash={HIRONDELLE}")).await;
            assert!(!starts(&answer, "2027-02-10").is_empty());
            assert_eq!(starts(&answer, "2027-02-11"), Vec::<String>::new());
            assert_eq!(starts(&answer, "2027-02-12"), Vec::<String>::new());
            assert!(!starts(&answer, "2027-02-13").is_empty());
        });
    }

    #[test]
    fn an_evening_that_ends_at_midnight_is_offered_to_its_end() {
        World::run(|world| async move {
            let answer = ask(world, &format!("artist=lea-marchetti&date=2027-02-05&days=1&flash={HIRONDELLE}")).await;
            assert_eq!(starts(&answer, "2027-02-05").last().map(String::as_str), Some("21:00"));
        });
    }

    #[test]
    fn a_live_hold_hides_its_slot_and_its_pauses() {
        World::run(|world| async move {
            // 12:00 to 14:00 in Paris, and half an hour around it.
            world.hold(&Plan::of(&LEA, 0, "2027-02-02T11:00:00Z")).await;
            let answer = ask(world, &format!("artist=lea-marchetti&date=2027-02-02&days=1&flash={HIRONDELLE}")).await;
            assert_eq!(starts(&answer, "2027-02-02"), ["13:30", "14:00", "14:30", "15:00", "15:30", "16:00"]);
        });
    }

    #[test]
    fn a_slot_may_start_when_another_appointment_ends() {
        World::run(|world| async move {
            world.execute("update artists set buffer_minutes = 0").await;
            world.hold(&Plan::of(&LEA, 0, "2027-02-02T11:00:00Z")).await;
            let answer = ask(world, &format!("artist=lea-marchetti&date=2027-02-02&days=1&flash={HIRONDELLE}")).await;
            let starts = starts(&answer, "2027-02-02");
            assert_eq!(&starts[..2], ["09:00", "13:00"]);
        });
    }

    /// Field failure F1.
    #[test]
    fn a_lapsed_hold_shows_its_slot_at_once_and_without_any_sweep() {
        World::run(|world| async move {
            let query = format!("artist=lea-marchetti&date=2027-02-03&days=1&flash={HIRONDELLE}");
            let before = ask(world, &query).await;
            let held = world.hold(&Plan::of(&LEA, 0, "2027-02-03T13:00:00Z")).await;
            assert!(!starts(&ask(world, &query).await, "2027-02-03").contains(&"13:00".to_owned()));

            world.advance_minutes(30);
            assert_eq!(ask(world, &query).await.body, before.body);
            assert_eq!(world.booking(&held.id()).await["status"], "pending", "nobody has released it");
        });
    }

    #[test]
    fn a_confirmed_booking_hides_its_slot_for_good() {
        World::run(|world| async move {
            let held = world.hold(&Plan::of(&LEA, 0, "2027-02-03T13:00:00Z")).await;
            world.confirm(&held).await;
            world.advance_minutes(60);
            let answer = ask(world, &format!("artist=lea-marchetti&date=2027-02-03&days=1&flash={HIRONDELLE}")).await;
            assert_eq!(starts(&answer, "2027-02-03"), ["09:00", "09:30", "10:00", "15:30", "16:00"]);
        });
    }

    #[test]
    fn a_cancelled_booking_gives_its_slot_back() {
        World::run(|world| async move {
            let held = world.hold(&Plan::of(&LEA, 0, "2027-02-03T13:00:00Z")).await;
            world
                .execute(&format!(
                    r"update bookings set status = 'cancelled', cancel_reason = 'artist', hold_expires_at = null,
                     version = version + 1 where id = '{}'",
                    held.id
                ))
                .await;
            let answer = ask(world, &format!("artist=lea-marchetti&date=2027-02-03&days=1&flash={HIRONDELLE}")).await;
            assert!(starts(&answer, "2027-02-03").contains(&"13:00".to_owned()));
        });
    }

    /// Field failure F21.
    #[test]
    fn the_studio_opens_at_ten_on_both_sides_of_the_clock_change() {
        World::run_at("2027-03-24T08:00:00Z", |world| async move {
            // Summer time begins on Sunday the 28th.
            let answer = ask(world, &format!("artist=lea-marchetti&date=2027-03-27&days=4&flash={HIRONDELLE}")).await;
            assert_eq!(starts(&answer, "2027-03-27")[0], "09:00");
            assert_eq!(starts(&answer, "2027-03-30")[0], "08:00");
        });
        World::run_at("2027-10-27T08:00:00Z", |world| async move {
            // And ends on Sunday the 31st.
            let answer = ask(world, &format!("artist=lea-marchetti&date=2027-10-30&days=4&flash={HIRONDELLE}")).await;
            assert_eq!(starts(&answer, "2027-10-30")[0], "08:00");
            assert_eq!(starts(&answer, "2027-11-02")[0], "09:00");
        });
    }

    #[test]
    fn a_studio_overseas_opens_on_its_own_clock_and_its_own_date() {
        World::run(|world| async move {
            for (zone, utc) in [
                ("America/Martinique", "2027-02-03T14:00:00Z"),
                ("America/Cayenne", "2027-02-03T13:00:00Z"),
                ("Indian/Reunion", "2027-02-03T06:00:00Z"),
                ("Pacific/Noumea", "2027-02-02T23:00:00Z"),
                ("Pacific/Kiritimati", "2027-02-02T20:00:00Z"),
            ] {
                world.execute(&format!("update artists set timezone = '{zone}' where slug = 'lea-marchetti'")).await;
                let answer =
                    ask(world, &format!("artist=lea-marchetti&date=2027-02-03&days=1&flash={HIRONDELLE}")).await;
                assert_eq!(answer.body["timezone"], zone);
                assert_eq!(every_start(&answer)[0], utc, "{zone}");
            }
        });
    }

    #[test]
    fn one_flight_to_the_database_is_enough() {
        World::run(|world| async move {
            let wire = world.wire().await;
            let app = App { db: world.db_through(&wire).await, ..app(world) };
            for query in [
                format!("artist=lea-marchetti&flash={HIRONDELLE}&days=31"),
                "artist=lea-marchetti".to_owned(),
                "artist=noa-keller".to_owned(),
                "artist=nobody".to_owned(),
            ] {
                wire.reset();
                testing::ask(&world.web(), get(&format!("/api/calendar/slots?{query}")), |request| {
                    handle(&app, request)
                })
                .await;
                assert_eq!(wire.flights(), 1, "{query}");
            }
        });
    }
}

mod with_a_calendar_outside {
    use super::*;

    #[test]
    fn what_calcom_calls_free_is_cut_to_the_opening_hours() {
        World::run(|world| async move {
            // Cal.com says 9-19 every day; the studio's door is open 9-13 on Tuesdays, and never on Sundays.
            world
                .execute("update availability set closes_minute = 780 where weekday = 2 and artist_id = (select id from artists where slug = 'noa-keller')")
                .await;
            let answer = ask(world, &format!("artist=noa-keller&date=2027-02-02&days=6&flash={DAGUE}")).await;
            assert_eq!(answer.body["duration_minutes"], 120);
            assert_eq!(starts(&answer, "2027-02-02"), ["08:00", "08:30", "09:00", "09:30", "10:00"]);
            assert_eq!(starts(&answer, "2027-02-03").len(), 17);
            assert_eq!(starts(&answer, "2027-02-07"), Vec::<String>::new());
        });
    }

    #[test]
    fn what_is_taken_in_calcom_or_here_is_not_offered() {
        World::run(|world| async move {
            world
                .calcom
                .block("noa-keller", at("2027-02-02T08:00:00Z"), at("2027-02-02T11:00:00Z"), "Dentiste")
                .expect("Noa is there");
            world.hold(&Plan::of(&NOA, 0, "2027-02-02T13:00:00Z")).await;
            let answer = ask(world, &format!("artist=noa-keller&date=2027-02-02&days=1&flash={DAGUE}")).await;
            assert_eq!(starts(&answer, "2027-02-02"), ["11:00", "15:00", "15:30", "16:00"]);
        });
    }

    #[test]
    fn the_question_names_the_event_type_the_length_and_nothing_of_the_past() {
        World::run(|world| async move {
            ask(world, "artist=noa-keller&date=2027-02-01&days=7").await;
            let requests = world.calcom.requests();
            assert_eq!(requests.len(), 1);
            let request = &requests[0];
            assert_eq!((request.method.as_str(), request.path.as_str()), ("GET", "/v2/slots"));
            assert_eq!(request.param("eventTypeId"), Some("4210001"));
            assert_eq!(request.param("duration"), Some("120"));
            assert_eq!(request.header("cal-api-version"), Some("2024-09-04"));
            assert_eq!(request.header("authorization"), Some("Bearer cal_test_noa_6f1d2c9b7a5e4038"));
            assert!(at(request.param("start").expect("a start")) >= at(testing::START), "{:?}", request.param("start"));
        });
    }

    #[test]
    fn slots_that_calcom_lists_outside_the_range_are_dropped() {
        World::run(|world| async move {
            let honest = ask(world, &format!("artist=noa-keller&date=2027-02-03&days=2&flash={DAGUE}")).await;
            world.calcom.switch(|switches| switches.slots_outside_range = true);
            let answer = ask(world, &format!("artist=noa-keller&date=2027-02-03&days=2&flash={DAGUE}")).await;
            assert_eq!(answer.body, honest.body);
            assert!(
                every_start(&answer)
                    .iter()
                    .all(|start| start.starts_with("2027-02-03") || start.starts_with("2027-02-04"))
            );
        });
    }

    async fn is_unavailable(world: &World) -> Answer {
        let answer = ask(world, &format!("artist=noa-keller&flash={DAGUE}")).await;
        assert_eq!((answer.status, answer.problem()), (503, "calendar-unavailable"));
        assert_eq!(answer.header("retry-after"), "10");
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert_eq!(answer.body["days"], Value::Null, "nothing is guessed");
        answer
    }

    /// Field failure F20.
    #[test]
    fn a_calendar_that_is_down_is_no_empty_week_and_no_full_one() {
        World::run(|world| async move {
            for down in [Down::Cut, Down::InternalError, Down::Unavailable] {
                world.calcom.switch(|switches| switches.api.down = Some(down));
                let answer = is_unavailable(world).await;
                assert!(!answer.body.to_string().contains("cal_test"), "{:?}", answer.body);
            }
            world.calcom.switch(|switches| *switches = Default::default());
            world.calcom.switch(|switches| switches.api.rate_limited = true);
            is_unavailable(world).await;
            world.calcom.switch(|switches| *switches = Default::default());
            assert_eq!(ask(world, "artist=noa-keller").await.status, 200, "and it is asked anew at once");
        });
    }

    /// Field failure F20.
    #[test]
    fn a_calendar_that_does_not_answer_in_time_is_not_waited_for() {
        World::run(|world| async move {
            world.calcom.switch(|switches| switches.api.slow_ms = 8_000);
            let started = std::time::Instant::now();
            is_unavailable(world).await;
            assert!(started.elapsed().as_millis() < 6_000, "{:?}", started.elapsed());
        });
    }

    /// Field failure F20.
    #[test]
    fn a_calendar_that_talks_nonsense_is_not_believed() {
        for nonsense in [
            "",
            "<html>502</html>",
            "{\"status\":\"success\"}",
            "{\"status\":\"success\",\"data\":[1]}",
            "{\"status\":\"success\",\"data\":{\"2027-02-02\":[{\"start\":\"tomorrow\"}]}}",
        ] {
            World::run(|world| async move {
                let base = testing::answers_always(200, nonsense).await;
                let app = App { calendars: world.calendars_at(&base), ..app(world) };
                let answer = testing::ask(&world.web(), get("/api/calendar/slots?artist=noa-keller"), |request| {
                    handle(&app, request)
                })
                .await;
                assert_eq!((answer.status, answer.problem()), (503, "calendar-unavailable"), "{nonsense}");
            });
        }
    }

    #[test]
    fn a_key_that_cannot_be_opened_is_our_own_failure_and_is_not_told() {
        World::run(|world| async move {
            // Sealed for another artist: a row's secret copied into another row opens nothing.
            let sealed = dev::demo::seal(testing::ENCRYPTION_KEY, LEA.id, "cal_test_copied", &[7; 12]).expect("sealed");
            let hex: String = sealed.iter().map(|byte| format!("{byte:02x}")).collect();
            world.execute(&format!("update artists set cal_com_api_key = '\\x{hex}' where slug = 'noa-keller'")).await;
            let answer = ask(world, &format!("artist=noa-keller&flash={DAGUE}")).await;
            assert_eq!((answer.status, answer.problem()), (500, "internal"));
            assert_eq!(answer.body["detail"], Value::Null);
            assert!(world.calcom.requests().is_empty());
        });
    }

    #[test]
    fn an_artist_without_a_calendar_is_served_while_calcom_is_down() {
        World::run(|world| async move {
            world.calcom.switch(|switches| switches.api.down = Some(Down::Cut));
            assert_eq!(ask(world, "artist=lea-marchetti").await.status, 200);
            assert!(world.calcom.requests().is_empty());
        });
    }
}

mod refusals {
    use super::*;

    #[test]
    fn an_unknown_or_hidden_artist_is_not_found() {
        World::run(|world| async move {
            world.execute("update artists set active = false where slug = 'noa-keller'").await;
            for artist in ["nobody", "noa-keller", "%27--", "Lea-Marchetti"] {
                let answer = ask(world, &format!("artist={artist}")).await;
                assert_eq!((answer.status, answer.problem()), (404, "not-found"), "{artist}");
            }
        });
    }

    #[test]
    fn a_flash_of_another_artist_or_off_sale_is_not_found() {
        World::run(|world| async move {
            world.execute(&format!("update flashes set state = 'archived' where id = '{PIVOINE}'")).await;
            for flash in [DAGUE, PIVOINE, "019aa000-0000-7000-8000-000000000999"] {
                let answer = ask(world, &format!("artist=lea-marchetti&flash={flash}")).await;
                assert_eq!((answer.status, answer.problem()), (404, "not-found"), "{flash}");
            }
        });
    }

    #[test]
    fn every_field_that_is_wrong_is_named_at_once() {
        World::run(|world| async move {
            let answer = ask(world, "date=tomorrow&days=0&flash=1").await;
            assert_eq!((answer.status, answer.problem()), (422, "invalid"));
            assert_eq!(answer.pointers(), ["#/artist", "#/date", "#/days", "#/flash"]);
        });
    }

    #[test]
    fn between_one_and_thirty_one_days_can_be_asked_for() {
        World::run(|world| async move {
            for (days, status) in
                [("1", 200), ("31", 200), ("0", 422), ("32", 422), ("-1", 422), ("256", 422), ("", 422), ("7.0", 422)]
            {
                let answer = ask(world, &format!("artist=lea-marchetti&days={days}")).await;
                assert_eq!(answer.status, status, "{days}");
                if status == 200 {
                    let listed = answer.body["days"].as_array().expect("days").len();
                    assert_eq!(listed.to_string(), days);
                }
            }
        });
    }

    #[test]
    fn the_ends_of_the_calendar_are_dates_like_others() {
        World::run(|world| async move {
            for (date, status) in [
                ("9999-12-31", 200),
                ("0001-01-01", 200),
                ("2028-02-29", 200),
                ("-009999-01-01", 422),
                ("0000-01-01", 422),
                ("2027-02-29", 422),
                ("2027-13-01", 422),
                ("", 422),
            ] {
                let answer = ask(world, &format!("artist=lea-marchetti&date={date}&days=31")).await;
                assert_eq!(answer.status, status, "{date}");
            }
        });
    }

    #[test]
    fn a_parameter_given_twice_is_refused() {
        World::run(|world| async move {
            let answer = ask(world, "artist=lea-marchetti&days=1&days=2").await;
            assert!([400, 422].contains(&answer.status), "{}", answer.status);
        });
    }

    #[test]
    fn only_get_is_answered() {
        World::run(|world| async move {
            let app = app(world);
            let request = testing::request(Method::POST, "/api/calendar/slots?artist=lea-marchetti", &[], None);
            let answer = testing::ask(&world.web(), request, |request| handle(&app, request)).await;
            assert_eq!((answer.status, answer.problem()), (405, "method-not-allowed"));
        });
    }

    #[test]
    fn a_database_that_is_away_is_a_503_that_says_when_to_come_back() {
        World::run(|world| async move {
            let wire = world.wire().await;
            let app = App { db: world.db_through(&wire).await, ..app(world) };
            wire.cut();
            let request = || get("/api/calendar/slots?artist=lea-marchetti");
            let answer = testing::ask(&world.web(), request(), |request| handle(&app, request)).await;
            assert_eq!((answer.status, answer.problem()), (503, "try-again"));
            assert!(!answer.header("retry-after").is_empty());
            wire.mend();
            let answer = testing::ask(&world.web(), request(), |request| handle(&app, request)).await;
            assert_eq!(answer.status, 200, "the next request connects again");
        });
    }
}

mod with_a_quota_outside {
    use std::time::Duration;

    use shared::http::Web;

    use super::*;

    /// Another visitor: the address stands in a header here.
    async fn ask_from(world: &World, app: &App, address: &str, query: &str) -> Answer {
        let headers = [("x-address", address)];
        let request = testing::request(Method::GET, &format!("/api/calendar/slots?{query}"), &headers, None);
        testing::ask(&world.web(), request, |request| handle(app, request)).await
    }

    fn app_with_addresses(world: &World) -> App {
        let web =
            Web { client_ip_header: Some(lambda_http::http::HeaderName::from_static("x-address")), ..world.web() };
        App { web, ..app(world) }
    }

    /// The same sandbox, later.
    fn later(world: &World, app: App) -> App {
        App { clock: world.clock(), ..app }
    }

    fn asked(world: &World) -> usize {
        world.calcom.requests().iter().filter(|request| request.path == "/v2/slots").count()
    }

    #[test]
    fn the_same_days_are_asked_for_once_in_some_seconds_whoever_looks() {
        World::run(|world| async move {
            let app = app_with_addresses(world);
            let query = "artist=noa-keller&date=2027-02-02&days=7";
            let first = ask_from(world, &app, "198.51.100.1:1", query).await;
            assert_eq!(first.body, ask_from(world, &app, "198.51.100.2:1", query).await.body);
            assert_eq!(asked(world), 1);
            // What one sandbox knows, the others have from the database.
            let other = app_with_addresses(world);
            assert_eq!(first.body, ask_from(world, &other, "198.51.100.3:1", query).await.body);
            assert_eq!(asked(world), 1);
            // What is booked here is taken at once; what is taken there, after some seconds.
            world.hold(&Plan::of(&NOA, 0, "2027-02-02T13:00:00Z")).await;
            assert!(
                !starts(&ask_from(world, &app, "198.51.100.1:1", query).await, "2027-02-02").contains(&"13:00".into())
            );
            world.advance(Duration::from_secs(16));
            let app = later(world, app);
            ask_from(world, &app, "198.51.100.1:1", query).await;
            assert_eq!(asked(world), 2);
        });
    }

    #[test]
    fn however_the_days_of_half_a_year_are_asked_for_calcom_hears_a_handful_of_questions() {
        World::run(|world| async move {
            let app = app_with_addresses(world);
            for n in 0..150_i64 {
                let day =
                    at("2027-02-02T00:00:00Z").saturating_add(jiff::SignedDuration::from_hours(24 * n)).expect("near");
                let query = format!("artist=noa-keller&date={}&days={}", &day.to_string()[..10], 1 + n % 31);
                let answer = ask_from(world, &app, &format!("198.51.100.{}:1", n % 2), &query).await;
                assert_eq!(answer.status, 200, "{query}: {}", answer.body);
            }
            assert!(asked(world) <= 7, "{}", asked(world));
        });
    }

    /// Asks for a flash whose appointment is of another length each time: Cal.com must be asked for each.
    async fn ask_for_length(world: &World, app: &App, minutes: i64, from: &str) -> Answer {
        world.execute(&format!("update flashes set duration_minutes = {minutes} where id = '{DAGUE}'")).await;
        ask_from(world, app, from, &format!("artist=noa-keller&date=2027-02-02&days=7&flash={DAGUE}")).await
    }

    #[test]
    fn one_visitor_does_not_use_up_the_artists_calls() {
        World::run(|world| async move {
            let app = app_with_addresses(world);
            let mut refused = 0;
            for n in 0..50 {
                let answer = ask_for_length(world, &app, 30 + n, "198.51.100.1:1").await;
                if answer.status != 200 {
                    assert_eq!((answer.status, answer.problem()), (429, "too-many-requests"), "{}", answer.body);
                    refused += 1;
                }
            }
            assert_eq!((refused, asked(world)), (20, 30));
            // Everybody else still sees the page, and the artist's calendar has calls left.
            assert_eq!(ask_for_length(world, &app, 200, "198.51.100.2:1").await.status, 200);
            assert!(world.calcom.requests().len() < 60);
        });
    }

    #[test]
    fn many_visitors_leave_half_of_the_calls_to_those_who_book() {
        World::run(|world| async move {
            let app = app_with_addresses(world);
            let usual = "artist=noa-keller&date=2027-02-02&days=7";
            assert_eq!(ask_from(world, &app, "198.51.100.250:1", usual).await.status, 200);
            world.advance(Duration::from_secs(16));
            let app = later(world, app);
            for n in 0..100 {
                ask_for_length(world, &app, 30 + n, &format!("198.51.100.{n}:1")).await;
            }
            assert!(asked(world) <= 61, "{}", asked(world));
            // The days that people look at are still shown, as they were a moment ago.
            let shown = ask_from(world, &app, "198.51.100.251:1", usual).await;
            assert_eq!((shown.status, starts(&shown, "2027-02-02").len()), (200, 17));
            let unknown = ask_for_length(world, &app, 300, "198.51.100.251:1").await;
            assert_eq!((unknown.status, unknown.problem()), (503, "calendar-unavailable"));
            // And the next minute brings new ones.
            world.advance_minutes(1);
            let app = later(world, app);
            assert_eq!(ask_for_length(world, &app, 300, "198.51.100.251:1").await.status, 200);
        });
    }

    #[test]
    fn while_calcom_limits_us_the_page_shows_what_it_knew_and_asks_no_more() {
        World::run(|world| async move {
            let app = app_with_addresses(world);
            let query = "artist=noa-keller&date=2027-02-02&days=7";
            let first = ask_from(world, &app, "198.51.100.1:1", query).await;
            world.calcom.switch(|switches| switches.api.rate_limited = true);
            world.advance(Duration::from_secs(16));
            let app = later(world, app);
            for _ in 0..3 {
                assert_eq!(first.body, ask_from(world, &app, "198.51.100.1:1", query).await.body);
            }
            assert_eq!(asked(world), 2, "it said for how long");
            let nothing_known =
                ask_from(world, &app, "198.51.100.1:1", "artist=noa-keller&date=2027-03-02&days=7").await;
            assert_eq!((nothing_known.status, nothing_known.problem()), (503, "calendar-unavailable"));
            // Too old to be shown.
            world.advance_minutes(11);
            let app = later(world, app);
            assert_eq!(ask_from(world, &app, "198.51.100.1:1", query).await.status, 503);
            world.calcom.switch(|switches| switches.api.rate_limited = false);
            world.advance_minutes(2);
            let app = later(world, app);
            assert_eq!(ask_from(world, &app, "198.51.100.1:1", query).await.status, 200);
        });
    }
}
