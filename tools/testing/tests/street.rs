//! Who learns the street of a studio: every public route of the table, for bookings in every state, under each of the
//! artist's choices. Driven by `infra/routes.json`, so that a route that comes later is asked too.

use dev::demo::LEA;
use dev::platform::{Options, Platform, checkout};
use serde_json::{Value, json};

/// Part of Léa's street, as it stands in a text and in an address of the web.
const STREET: &str = "Grande-C";

/// A booking of Léa's: its id, its state in SQL, and under which choices its client is told the street.
struct Case {
    id: &'static str,
    state: &'static str,
    told: &'static [&'static str],
}

const CASES: [Case; 5] = [
    Case { id: "019aa000-0000-7000-8000-0000000000d1", state: HELD, told: &["with_summary", "public"] },
    Case {
        id: "019aa000-0000-7000-8000-0000000000d2",
        state: "'pending', null, now() - interval '1 hour'",
        told: &["public"],
    },
    Case {
        id: "019aa000-0000-7000-8000-0000000000d3",
        state: "'confirmed', null, null",
        told: &["after_payment", "with_summary", "public"],
    },
    Case { id: "019aa000-0000-7000-8000-0000000000d4", state: "'cancelled', 'client', null", told: &["public"] },
    Case { id: "019aa000-0000-7000-8000-0000000000d5", state: "'cancelled', 'hold_expired', null", told: &["public"] },
];

const HELD: &str = "'pending', null, now() + interval '20 minutes'";

/// Held too, to be given back.
const SPARE: &str = "019aa000-0000-7000-8000-0000000000d6";

fn public_routes() -> Vec<(String, String)> {
    let table = std::fs::read_to_string(checkout().join("infra/routes.json")).expect("the routes");
    let table: Vec<Value> = serde_json::from_str(&table).expect("JSON");
    let text = |route: &Value, field: &str| route[field].as_str().expect("text").to_owned();
    let routes = table.iter().map(|route| (text(route, "method"), text(route, "path")));
    let routes: Vec<_> = routes.filter(|(_, path)| !path.starts_with("/api/dashboard")).collect();
    assert!(routes.len() > 10, "the table has moved");
    routes
}

struct Sweep {
    platform: Platform,
    database: tokio_postgres::Client,
    http: reqwest::Client,
}

impl Sweep {
    async fn begin() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let platform = Platform::start(Options::for_test().expect("options")).await;
        let platform = platform.expect("it starts: cargo build --workspace --bins");
        let (database, connection) =
            tokio_postgres::connect(platform.database_url(), tokio_postgres::NoTls).await.expect("the database");
        tokio::spawn(connection);
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        let sweep = Self { platform, database, http };
        for (day, (id, state)) in CASES.iter().map(|case| (case.id, case.state)).chain([(SPARE, HELD)]).enumerate() {
            sweep.book(id, state, day + 30).await;
        }
        sweep
    }

    async fn book(&self, id: &str, state: &str, days_ahead: usize) {
        let start = format!("date_trunc('hour', now()) + interval '{days_ahead} days'");
        self.run(&format!(
            r#"insert into bookings (id, artist_id, type, status, cancel_reason, hold_expires_at, checkout_expires_at,
                 scheduled_at, ends_at, acompte_amount, title, policy, project_description, client_name, client_email,
                 client_phone, created_at, updated_at)
             values ('{id}', '{}', 'project', {state}, now() + interval '1 hour', {start}, {start} + interval '1 hour', 80,
                 'Projet', '{{"full_refund_hours": 72, "late_refund_percent": 0, "free_moves": 1, "nature": "acompte"}}',
                 'x', 'Jo', 'jo@example.fr', '+33612345678', now(), now())"#,
            LEA.id
        ))
        .await;
    }

    async fn run(&self, sql: &str) {
        self.database.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }

    /// The whole answer, its lines unfolded: head and body.
    async fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, String) {
        let method = reqwest::Method::from_bytes(method.as_bytes()).expect("a method");
        let mut request = self.http.request(method.clone(), format!("{}{path}", self.platform.site()));
        if method != reqwest::Method::GET {
            let body = body.cloned().unwrap_or_else(|| json!({}));
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let answer = request.send().await.expect("an answer");
        let (status, head) = (answer.status().as_u16(), format!("{:?}", answer.headers()));
        (status, head + &answer.text().await.expect("text").replace("\r\n ", ""))
    }
}

/// What a visitor may send without holding anything.
fn paths(path: &str) -> Vec<String> {
    let with_slug = path.replace("{slug}", LEA.slug);
    match path {
        "/api/calendar/slots" => vec![format!("{path}?artist={}&days=31", LEA.slug)],
        "/artist/{slug}" => vec![format!("{with_slug}?lang=fr"), format!("{with_slug}?lang=en"), with_slug],
        _ => vec![with_slug],
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_public_answer_tells_the_street_before_the_artist_chose_to() {
    let sweep = Sweep::begin().await;
    for (day, choice) in ["after_payment", "with_summary", "public"].into_iter().enumerate() {
        sweep.run(&format!("update artists set address_shown = '{choice}' where id = '{}'", LEA.id)).await;
        for (method, path) in public_routes() {
            if path.contains("{id}") {
                continue;
            }
            let wish = json!({
                "artist": LEA.slug, "type": "project", "start": free_slot(&sweep, day).await, "locale": "fr",
                "project": { "description": "Une pivoine au trait fin", "body_zone": "bras" },
                "client": { "name": "Ana Silva", "email": format!("ana{day}@example.fr"), "phone": "06 12 34 56 78" },
            });
            let body = (path == "/api/bookings/create").then_some(&wish);
            for path in paths(&path) {
                let (status, answer) = sweep.ask(&method, &path, body).await;
                assert!(status < 500, "{method} {path}: {status} {answer}");
                assert!(body.is_none() || status == 201, "the wish is granted: {status} {answer}");
                // The page of an artist tells it; the list of all of them has no street.
                let told = choice == "public" && path.contains(LEA.slug) && path.contains("/artist");
                assert_eq!(answer.contains(STREET), told, "{choice}: {method} {path} answers {answer}");
            }
        }
        for case in &CASES {
            for (method, path) in public_routes() {
                if !path.contains("{id}") {
                    continue;
                }
                let held = case.state == HELD;
                let id = if path.ends_with("/release") && held { SPARE } else { case.id };
                let (status, answer) = sweep.ask(&method, &path.replace("{id}", id), None).await;
                assert!(status < 500, "{method} {path}: {status} {answer}");
                let told = match path.as_str() {
                    "/api/bookings/{id}" => case.told.contains(&choice),
                    "/api/bookings/{id}/calendar.ics" => case.state.starts_with("'confirmed'"),
                    _ => false,
                };
                assert_eq!(answer.contains(STREET), told, "{choice}, {}: {method} {path} answers {answer}", case.state);
            }
        }
    }
    drop(sweep.database);
    sweep.platform.stop().await.expect("it stops");
}

/// The first free start after some days, another each time.
async fn free_slot(sweep: &Sweep, day: usize) -> String {
    let (_, answer) = sweep.ask("GET", &format!("/api/calendar/slots?artist={}&days=31", LEA.slug), None).await;
    let (_, body) = answer.split_once("{\"artist\"").expect("JSON");
    let answer: Value = serde_json::from_str(&format!("{{\"artist\"{body}")).expect("slots");
    let days = answer["days"].as_array().expect("days");
    let starts: Vec<&str> = days.iter().filter_map(|day| day["slots"][0]["start"].as_str()).collect();
    starts[day].to_owned()
}
