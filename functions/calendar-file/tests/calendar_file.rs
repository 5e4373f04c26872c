//! The calendar file of an appointment, through `handle`.

use calendar_file::{App, handle};
use dev::demo::LEA;
use lambda_http::http::Method;
use shared::http;
use testing::{Held, Plan, World, answer, get, request};
use uuid::Uuid;

fn app(world: &World) -> App {
    App {
        db: world.db(),
        clock: world.clock(),
        public_url: testing::PUBLIC_URL.into(),
        sender: "bookings@ink.test".into(),
    }
}

fn path(held: &Held) -> String {
    format!("/api/bookings/{}/calendar.ics", held.id)
}

#[test]
fn only_an_appointment_that_stands_has_a_calendar_file() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default().by("jo@example.fr")).await;
        let app = app(world);
        assert_eq!(answer(&world.web(), get(&path(&held)), |request| handle(&app, request)).await.0, 404);
        world.confirm(&held).await;
        let response = http::answer(&world.web(), get(&path(&held)), |request| handle(&app, request)).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/calendar; charset=utf-8; method=PUBLISH");
        let file = String::from_utf8(response.body().to_vec()).expect("text");
        assert!(file.contains("BEGIN:VEVENT") && file.contains(&held.id()), "{file}");
        assert!(!file.contains("jo@example.fr") && !file.contains("Jo Martin"), "{file}");
    });
}

/// The event of a calendar file, without the line that only an invitation has.
fn event(file: &str) -> String {
    let file = file.replace("\r\n ", "");
    let (_, event) = file.split_once("BEGIN:VEVENT").expect("an event");
    event.lines().filter(|line| !line.starts_with("ATTENDEE")).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_file_of_the_page_and_of_the_mail_is_one() {
    World::run(|world| async move {
        // A project is called by what it is in each reader's language.
        let held = world.hold(&Plan::of(&LEA, 0, "2027-02-02T09:00:00Z").project()).await;
        // The town stands in the address, as many people write it; the title is each reader's own.
        world.execute("update artists set address = '14 montée de la Grande-Côte, 69001 Lyon', city = 'Lyon'").await;
        let jobs = world.confirm(&held).await;
        let app = app(world);
        let response = http::answer(&world.web(), get(&path(&held)), |request| handle(&app, request)).await;
        let by_link = String::from_utf8(response.body().to_vec()).expect("text");
        let worker = worker::App {
            db: world.db(),
            queue: world.queue(),
            mailer: world.mailer(),
            stripe: world.stripe_client(),
            calendars: world.calendars(),
            clock: world.clock(),
            public_url: testing::PUBLIC_URL.into(),
            calcom_pages: "https://cal.test".into(),
            lease: std::time::Duration::from_secs(90),
            max_attempts: 8,
        };
        let batch = serde_json::from_value(testing::messages(&jobs)).expect("an SQS event");
        #[expect(clippy::disallowed_methods, reason = "the deadline is on the system's clock")]
        let deadline = std::time::SystemTime::now() + std::time::Duration::from_secs(15);
        worker::handle(&worker, batch, deadline).await;
        let mails = world.mails.messages_to("jo@example.fr");
        let by_mail = &mails.iter().find_map(|mail| mail.invitation.as_ref()).expect("an invitation").content;
        // The stamp is when each was written.
        let stamped =
            |file: &str| event(file).lines().filter(|line| !line.starts_with("DTSTAMP")).collect::<Vec<_>>().join("\n");
        assert_eq!(stamped(&by_link), stamped(by_mail));
        assert!(by_link.contains("LOCATION:14 montée de la Grande-Côte\\, 69001 Lyon\r\n"), "{by_link}");
        assert!(event(&by_link).contains("SUMMARY:Projet sur mesure – Léa Marchetti"), "{by_link}");
        assert!(event(&by_link).contains("DESCRIPTION:Répondre"), "{by_link}");
    });
}

#[test]
fn an_unknown_booking_and_another_method_have_none() {
    World::run(|world| async move {
        let app = app(world);
        let ask = async |method: Method, path: String| {
            answer(&world.web(), request(method, &path, &[], None), |request| handle(&app, request)).await.0
        };
        assert_eq!(ask(Method::GET, format!("/api/bookings/{}/calendar.ics", Uuid::now_v7())).await, 404);
        assert_eq!(ask(Method::GET, "/api/bookings/not-an-id/calendar.ics".into()).await, 404);
        assert_eq!(ask(Method::POST, format!("/api/bookings/{}/calendar.ics", Uuid::now_v7())).await, 405);
        assert_eq!(ask(Method::GET, format!("/api/bookings/{}/more/calendar.ics", Uuid::now_v7())).await, 404);
    });
}
