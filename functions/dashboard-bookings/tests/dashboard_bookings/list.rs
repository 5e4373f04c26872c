//! The list: its order, its pages, its words, its file.

use dev::demo::NOA;
use serde_json::{Value, json};
use testing::{Plan, World};

use crate::{act, app_with, call, get, run_everything, shown};

/// The ids of a list, page by page of `limit`, and how many pages there were.
pub(crate) async fn ids(world: &World, query: &str, limit: usize) -> (Vec<String>, usize) {
    let mut ids = Vec::new();
    let mut cursor = String::new();
    for page in 1.. {
        let path = format!("/api/dashboard/bookings?limit={limit}{query}{cursor}");
        let answer = get(world, &NOA, &path).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let bookings = answer.body["bookings"].as_array().expect("a list");
        assert!(bookings.len() <= limit);
        ids.extend(bookings.iter().map(|row| row["id"].as_str().expect("an id").to_owned()));
        match answer.body["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return (ids, page),
        }
    }
    unreachable!("a list ends")
}

/// How many cells a program sees that takes each of these characters for the end of one.
fn columns(line: &str, separators: &[char]) -> usize {
    let mut quoted = false;
    let ends = line.chars().filter(|character| {
        quoted ^= *character == '"';
        !quoted && separators.contains(character)
    });
    ends.count() + 1
}

/// Noa's bookings of every kind, in the order of the list; it is Monday, 8 o'clock UTC.
async fn some_of_every_kind(world: &World) -> Vec<(&'static str, String)> {
    let hold = async |start: &str, email: &str| world.hold(&Plan::of(&NOA, 0, start).by(email)).await;
    let over = hold("2027-02-02T09:00:00Z", "over@example.fr").await;
    world.confirm(&over).await;
    let done = hold("2027-02-02T12:00:00Z", "done@example.fr").await;
    world.confirm(&done).await;
    let gone = hold("2027-02-03T09:00:00Z", "gone@example.fr").await;
    world.confirm(&gone).await;
    let far = hold("2027-03-05T09:00:00Z", "far@example.fr").await;
    world.confirm(&far).await;
    run_everything(world).await;
    // Tuesday evening.
    world.advance_minutes(36 * 60);
    assert_eq!(act(world, &done.id(), "complete").await.status, 200);
    let row = shown(world, &gone.id()).await;
    let body = json!({ "version": row["version"], "refund_cents": row["cancellation"]["refund_cents"] });
    let cancelled = crate::post(world, &NOA, &format!("{}/cancel", crate::path(&gone.id())), body).await;
    assert_eq!(cancelled.status, 200, "{}", cancelled.body);
    let near = hold("2027-02-05T09:00:00Z", "near@example.fr").await;
    world.confirm(&near).await;
    run_everything(world).await;
    let waiting = hold("2027-02-10T09:00:00Z", "waiting@example.fr").await;
    vec![
        ("over", over.id()),
        ("waiting", waiting.id()),
        ("near", near.id()),
        ("far", far.id()),
        ("gone", gone.id()),
        ("done", done.id()),
    ]
}

#[test]
fn what_waits_for_the_artist_comes_first_then_what_comes_then_the_rest_backwards() {
    World::run(|world| async move {
        let all = some_of_every_kind(world).await;
        let id = |name: &str| all.iter().find(|(known, _)| *known == name).expect("a booking").1.clone();
        let in_order: Vec<String> = all.iter().map(|(_, id)| id.clone()).collect();
        for limit in [1, 2, 4, 100] {
            assert_eq!(ids(world, "", limit).await.0, in_order, "by {limit}");
        }
        for (view, names) in [
            ("todo", vec!["over", "waiting"]),
            ("upcoming", vec!["near", "waiting", "far"]),
            ("past", vec!["done", "over"]),
            ("cancelled", vec!["gone"]),
        ] {
            let wanted: Vec<String> = names.into_iter().map(id).collect();
            for limit in [1, 100] {
                assert_eq!(ids(world, &format!("&view={view}"), limit).await.0, wanted, "{view} by {limit}");
            }
        }
        let rows = get(world, &NOA, "/api/dashboard/bookings").await.body["bookings"].clone();
        let told: Vec<(&Value, &Value)> =
            rows.as_array().expect("rows").iter().map(|r| (&r["todo"], &r["actions"])).collect();
        assert_eq!(
            told,
            [
                (&json!(["outcome"]), &json!(["cancel", "refund", "complete", "no_show"])),
                (&json!(["confirm"]), &json!(["confirm", "cancel"])),
                (&json!([]), &json!(["cancel", "refund"])),
                (&json!([]), &json!(["cancel", "refund"])),
                (&json!([]), &json!([])),
                (&json!([]), &json!(["refund", "no_show"])),
            ]
        );
    });
}

#[test]
fn a_client_is_found_by_name_address_number_and_title_whatever_the_accents() {
    World::run(|world| async move {
        let held = world.hold(&Plan::of(&NOA, 0, "2027-02-02T09:00:00Z").by("zoe.dupont@example.fr")).await;
        let other = world.hold(&Plan::of(&NOA, 0, "2027-02-03T09:00:00Z").by("other@example.fr")).await;
        world
            .execute(&format!(
                "update bookings set client_name = 'Zoé d’Ålesund 100%', client_phone = '+33698765432' where id = '{}'",
                held.id()
            ))
            .await;
        for words in [
            "zoe",
            "ZO%C3%89",
            "d%27alesund",
            "dupont%40example",
            "06+98+76",
            "%2B33698765432",
            "0698.76",
            "100%25",
            "zoe++d%27",
        ] {
            assert_eq!(ids(world, &format!("&q={words}"), 10).await.0, [held.id()], "{words}");
        }
        assert_eq!(ids(world, "&q=other%40", 10).await.0, [other.id()]);
        for nothing in ["zoe_", "1000%25", "%5C", "06+11+11", "nobody"] {
            assert!(ids(world, &format!("&q={nothing}"), 10).await.0.is_empty(), "{nothing}");
        }
        let title = NOA.flashes[0].title.to_lowercase();
        let (first, _) = title.split_once(' ').unwrap_or((&title, ""));
        assert_eq!(ids(world, &format!("&q={first}"), 10).await.0.len(), 2, "{first}");
    });
}

#[test]
fn the_file_opens_in_a_spreadsheet_and_runs_nothing_there() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default()).await;
        world.confirm(&held).await;
        let other = world.hold(&Plan::of(&NOA, 0, "2027-03-27T23:30:00Z").by("late@example.fr")).await;
        world
            .execute(&format!(
                "update bookings set client_name = '=cmd|'' /c calc''!A1; \"x\"' where id = '{}'",
                held.id()
            ))
            .await;
        let answer = get(world, &NOA, "/api/dashboard/bookings.csv").await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8");
        assert_eq!(answer.header("content-disposition"), "attachment; filename=\"reservations.csv\"");
        let text = answer.body.as_str().expect("text");
        assert!(text.starts_with("\u{feff}Date;Début;Fin;"), "{text}");
        let lines: Vec<&str> = text.trim_end().split("\r\n").collect();
        assert_eq!(lines.len(), 3);
        // With every separator that LibreOffice begins with.
        let width = lines[0].split(';').count();
        assert!(lines.iter().all(|line| columns(line, &[',', ';', '\t']) == width), "{text}");
        let line = |id: &str| *lines.iter().find(|line| line.ends_with(id)).expect("a line");
        let paid = line(&held.id());
        assert!(paid.contains(";\"'=cmd|' /c calc'!A1; \"\"x\"\"\";"), "{paid}");
        assert!(paid.contains(";\"200,00\";\"60,00\";\"60,00\";\"0,00\";"), "{paid}");
        assert!(paid.contains(";+33 6 12 34 56 78;"), "{paid}");
        assert!(paid.contains(";Flash;") && paid.contains(";Confirmé;;Payé;"), "{paid}");
        // Half past midnight in Paris, on the day whose night loses an hour.
        let late = line(&other.id());
        assert!(late.starts_with("2027-03-28;00:30;03:30;"), "{late}");

        for (query, found) in [
            ("from=2027-03-28", 1),
            ("from=2027-03-28&to=2027-03-28", 1),
            ("to=2027-03-27", 1),
            ("from=2027-02-02&to=2027-02-02", 1),
            ("from=2027-02-03&to=2027-03-27", 0),
            ("view=cancelled", 0),
            ("q=late", 1),
        ] {
            let answer = get(world, &NOA, &format!("/api/dashboard/bookings.csv?{query}")).await;
            let lines = answer.body.as_str().expect("text").trim_end().split("\r\n").count();
            assert_eq!(lines - 1, found, "{query}");
        }
    });
}

#[test]
fn a_page_and_a_booking_cost_one_flight_each() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default()).await;
        world.confirm(&held).await;
        let wire = world.wire().await;
        let app = app_with(world, world.db_through(&wire).await);
        for path in [
            "/api/dashboard/bookings".to_owned(),
            "/api/dashboard/bookings?view=past&q=jo".to_owned(),
            "/api/dashboard/bookings.csv".to_owned(),
            crate::path(&held.id()),
        ] {
            wire.reset();
            let answer = call(&app, world, &NOA, lambda_http::http::Method::GET, &path, Value::Null).await;
            assert_eq!((answer.status, wire.flights()), (200, 1), "{path}");
        }
    });
}

#[test]
fn list_page_and_file_tell_an_hour_that_comes_twice_and_the_clock_of_a_guest_spot() {
    World::run_at("2027-10-01T08:00:00Z", |world| async move {
        let night = world.hold(&Plan::of(&NOA, 0, "2027-10-31T00:30:00Z").by("night@example.fr")).await;
        world
            .execute(&format!(
                "update bookings set ends_at = '2027-10-31T01:30:00Z', version = version + 1 where id = '{}'",
                night.id
            ))
            .await;
        let row = shown(world, &night.id()).await;
        assert_eq!(
            (&row["start_turn"], &row["end_turn"], &row["clock"]),
            (&json!("summer"), &json!("winter"), &Value::Null)
        );
        let file = async || {
            let answer = get(world, &NOA, "/api/dashboard/bookings.csv").await;
            answer.body.as_str().expect("text").lines().nth(1).expect("a line").to_owned()
        };
        assert!(file().await.starts_with("2027-10-31;02:30 heure d’été;02:30 heure d’hiver;"), "{}", file().await);

        world.execute(&format!("update artists set timezone = 'Europe/Brussels' where id = '{}'", NOA.id)).await;
        let row = shown(world, &night.id()).await;
        assert_eq!(
            (&row["start"], &row["clock"]["timezone_fr"]),
            (&json!("2027-10-31T02:30:00+02:00"), &json!("heure de Paris"))
        );
        let file = file().await;
        assert!(file.starts_with("2027-10-31;02:30 heure d’été heure de Paris;"), "{file}");
    });
}
