//! Who is let in to the dashboard: every route of the table, with every token that must not open it, by cookie and as a
//! bearer. Driven by `infra/routes.json`, so that a route that comes later is asked too.

use dev::demo::{LEA, NOA};
use dev::platform::{Options, Platform, checkout};
use dev::supabase::{StandIn, hs256_token, token};
use serde_json::{Value, json};

/// The booking of Noa that Léa must not see.
const NOAS: &str = "019aa000-0000-7000-8000-0000000000c0";

struct Route {
    method: String,
    path: String,
    function: String,
}

impl Route {
    fn writes(&self) -> bool {
        self.method != "GET"
    }

    /// The path of something of Noa's.
    fn of_noa(&self) -> String {
        let thing = match self.path.split('/').nth(3) {
            Some("bookings") => NOAS.to_owned(),
            Some("flashes") => NOA.flashes[0].id.to_string(),
            _ => "019aa000-0000-7000-8000-0000000000c1".to_owned(),
        };
        let segments =
            self.path.split('/').map(|segment| if segment.starts_with('{') { thing.as_str() } else { segment });
        segments.collect::<Vec<_>>().join("/")
    }

    /// A body that would be accepted, so that nothing but the owner is in the way.
    fn body(&self) -> Value {
        match self.path.rsplit('/').next() {
            Some("confirm" | "undo-confirm" | "complete" | "no-show" | "put-back" | "accept") => {
                json!({ "version": 1 })
            }
            Some("refund") => json!({ "version": 1, "amount_cents": 100 }),
            Some("cancel") => json!({ "version": 1, "refund_cents": 0 }),
            Some("note") => json!({ "note": "" }),
            Some("resend") => json!({ "template": "client_confirmed" }),
            _ if self.path == "/api/dashboard/flashes/{id}" => json!({
                "title": "À elle", "price_cents": 10_000, "deposit_cents": null, "duration_minutes": 60,
                "repeatable": false, "image_id": null, "position": 1,
            }),
            _ => json!({}),
        }
    }
}

fn dashboard() -> Vec<Route> {
    let table = std::fs::read_to_string(checkout().join("infra/routes.json")).expect("the routes");
    let table: Vec<Value> = serde_json::from_str(&table).expect("JSON");
    let text = |route: &Value, field: &str| route[field].as_str().expect("text").to_owned();
    let routes = table.iter().map(|route| Route {
        method: text(route, "method"),
        path: text(route, "path"),
        function: text(route, "function"),
    });
    let asks_who = |route: &Route| {
        route.path.starts_with("/api/dashboard") || (route.path == "/api/session" && route.method == "GET")
    };
    let routes: Vec<Route> = routes.filter(asks_who).collect();
    assert!(routes.len() > 10, "the dashboard has moved");
    routes
}

/// Every token that must not open anything, by what is wrong with it.
fn forgeries(project: &StandIn) -> Vec<(&'static str, Option<String>)> {
    let claims = project.claims(LEA.user_id, LEA.email);
    let with = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        claims
    };
    let kid = project.key_id();
    let pem = project.public_key();
    let header = |alg: &str| json!({ "alg": alg, "kid": kid, "typ": "JWT" });
    let by_public_key = |message: &[u8]| {
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, pem.as_bytes());
        ring::hmac::sign(&key, message).as_ref().to_vec()
    };
    let sound = project.sign(&claims);
    let (signed, signature) = sound.rsplit_once('.').expect("three parts");
    let other = project.token(NOA.user_id, NOA.email);
    let body_of_another = other.split('.').nth(1).expect("three parts");
    let api_key = |role: &str| {
        let claims =
            json!({ "iss": "supabase", "ref": "abcdefghijklmnop", "role": role, "iat": 0, "exp": 4_102_444_800_i64 });
        hs256_token(b"super-secret-jwt-token-with-at-least-32-characters", &claims)
    };
    vec![
        ("no token", None),
        ("nonsense", Some("nonsense".into())),
        ("expired", Some(project.sign(&with("exp", json!(1_700_000_000))))),
        ("another issuer", Some(project.sign(&with("iss", json!("https://other.supabase.co/auth/v1"))))),
        ("another audience", Some(project.sign(&with("aud", json!("anon"))))),
        ("another role", Some(project.sign(&with("role", json!("service_role"))))),
        ("anonymous", Some(project.sign(&with("is_anonymous", json!(true))))),
        ("another algorithm", Some(token(&header("RS256"), &claims, |_| vec![1; 256]))),
        ("alg: none", Some(token(&header("none"), &claims, |_| Vec::new()))),
        ("HS256 with the public key", Some(token(&header("HS256"), &claims, by_public_key))),
        ("ES256 with the public key as a secret", Some(token(&header("ES256"), &claims, by_public_key))),
        ("an unknown key", Some(token(&json!({ "alg": "ES256", "kid": "mine" }), &claims, |_| vec![1; 64]))),
        (
            "somebody else's name under our signature",
            Some({
                let header = signed.split('.').next().expect("three parts");
                format!("{header}.{body_of_another}.{signature}")
            }),
        ),
        ("the anon key", Some(api_key("anon"))),
        ("the service_role key", Some(api_key("service_role"))),
        ("the publishable key", Some("sb_publishable_standin".into())),
    ]
}

struct Asked {
    status: u64,
    problem: String,
}

/// Asks through the front, as a browser does.
async fn by_cookie(
    http: &reqwest::Client,
    platform: &Platform,
    route: &Route,
    token: Option<&str>,
    origin: &str,
) -> Asked {
    let method = reqwest::Method::from_bytes(route.method.as_bytes()).expect("a method");
    let mut request = http.request(method, format!("{}{}", platform.site(), route.of_noa())).header("origin", origin);
    if let Some(token) = token {
        request = request.header("cookie", format!("__Host-inkflow_session={token}"));
    }
    if route.writes() {
        request = request.header("content-type", "application/json").body(route.body().to_string());
    }
    let answer = request.send().await.expect("an answer");
    let status = u64::from(answer.status().as_u16());
    let body: Value = answer.json().await.unwrap_or_default();
    Asked { status, problem: slug(&body) }
}

/// Asks the function itself, as a program does.
async fn by_bearer(platform: &Platform, route: &Route, token: Option<&str>) -> Asked {
    let sample = std::fs::read_to_string(checkout().join("events/release-booking.release.json")).expect("the sample");
    let mut event: Value = serde_json::from_str(&sample).expect("JSON");
    event["rawPath"] = json!(route.of_noa());
    event["requestContext"]["http"]["path"] = event["rawPath"].clone();
    event["requestContext"]["http"]["method"] = json!(route.method);
    event["headers"].as_object_mut().expect("headers").remove("origin");
    if let Some(token) = token {
        event["headers"]["authorization"] = json!(format!("Bearer {token}"));
    }
    if route.writes() {
        event["body"] = json!(route.body().to_string());
    }
    let answer = platform.host().invoke(&route.function, event.to_string()).await.expect("an answer");
    let answer: Value = serde_json::from_slice(&answer).expect("JSON");
    let body = answer["body"].as_str().and_then(|body| serde_json::from_str(body).ok()).unwrap_or_default();
    Asked { status: answer["statusCode"].as_u64().expect("a status"), problem: slug(&body) }
}

fn slug(body: &Value) -> String {
    body["type"].as_str().and_then(|kind| kind.split_once('#')).map(|(_, slug)| slug.to_owned()).unwrap_or_default()
}

async fn write_noas_booking(platform: &Platform) -> tokio_postgres::Client {
    let (client, connection) =
        tokio_postgres::connect(platform.database_url(), tokio_postgres::NoTls).await.expect("the database");
    tokio::spawn(connection);
    client
        .batch_execute(&format!(
            r#"insert into bookings (id, artist_id, type, status, scheduled_at, ends_at, acompte_amount, title, policy,
                 project_description, client_name, client_email, client_phone, created_at, updated_at)
             values ('{NOAS}', '{}', 'project', 'confirmed', now() + interval '90 days', now() + interval '90 days 1 hour', 60,
                 'Projet', '{{"full_refund_hours": 72, "late_refund_percent": 0, "free_moves": 1, "nature": "acompte"}}',
                 'x', 'Jo', 'jo@example.fr', '+33612345678', now(), now())"#,
            NOA.id
        ))
        .await
        .expect("the booking");
    client
}

#[tokio::test(flavor = "multi_thread")]
async fn no_route_of_the_dashboard_opens_to_anybody_but_its_artist() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let platform = Platform::start(Options::for_test().expect("options")).await;
    let platform = platform.expect("it starts: cargo build --workspace --bins");
    let database = write_noas_booking(&platform).await;
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let project = platform.supabase().expect("the stand-in");
    let site = platform.site().to_owned();
    let forgeries = forgeries(project);
    let (lea, noa) = (project.token(LEA.user_id, LEA.email), project.token(NOA.user_id, NOA.email));

    for route in &dashboard() {
        let name = format!("{} {}", route.method, route.path);
        for (what, token) in &forgeries {
            for (way, asked) in [
                ("cookie", by_cookie(&http, &platform, route, token.as_deref(), &site).await),
                ("bearer", by_bearer(&platform, route, token.as_deref()).await),
            ] {
                assert_eq!(
                    (asked.status, asked.problem.as_str()),
                    (401, "unauthenticated"),
                    "{name}, {what}, by {way}"
                );
            }
        }
        if route.writes() {
            for origin in ["https://evil.example", "null"] {
                let asked = by_cookie(&http, &platform, route, Some(&lea), origin).await;
                assert_eq!((asked.status, asked.problem.as_str()), (403, "forbidden"), "{name} from {origin}");
            }
        }
        if route.path.contains('{') {
            for asked in [
                by_cookie(&http, &platform, route, Some(&lea), &site).await,
                by_bearer(&platform, route, Some(&lea)).await,
            ] {
                assert_eq!((asked.status, asked.problem.as_str()), (404, "not-found"), "{name}, as another artist");
            }
        }
        // The door is not simply shut.
        if !route.writes() {
            let asked = by_cookie(&http, &platform, route, Some(&noa), &site).await;
            assert!(![401, 403, 500, 502, 503].contains(&asked.status), "{name} as the artist: {}", asked.status);
        }
    }
    let untouched = "select status, version, note from bookings where id = '019aa000-0000-7000-8000-0000000000c0'";
    let row = database.query_typed_one(untouched, &[]).await.expect("the booking");
    assert_eq!((row.get::<_, &str>(0), row.get::<_, i32>(1), row.get::<_, &str>(2)), ("confirmed", 1, ""));
    platform.stop().await.expect("it stops");
}

/// A request of every route of the dashboard that would be granted, from the samples of `events/`.
fn granted(token: &str) -> Vec<(String, Value)> {
    let mut routes = dashboard();
    let mut requests = Vec::new();
    for file in std::fs::read_dir(checkout().join("events")).expect("the samples").flatten() {
        let name = file.file_name().into_string().expect("text");
        let Some(name) = name.strip_suffix(".json") else { continue };
        let mut event: Value =
            serde_json::from_str(&std::fs::read_to_string(file.path()).expect("a sample")).expect("JSON");
        let path = event["rawPath"].as_str().unwrap_or_default().to_owned();
        let method = event["requestContext"]["http"]["method"].as_str().unwrap_or_default().to_owned();
        let of = |route: &Route| {
            let (pattern, given): (Vec<&str>, Vec<&str>) = (route.path.split('/').collect(), path.split('/').collect());
            route.method == method
                && pattern.len() == given.len()
                && pattern.iter().zip(given).all(|(wanted, is)| wanted.starts_with('{') || *wanted == is)
        };
        if path.starts_with("/api/dashboard") || (path == "/api/session" && method == "GET") {
            routes.retain(|route| !of(route));
            event["headers"]["authorization"] = format!("Bearer {token}").into();
            let function = name.split_once('.').map_or(name, |(function, _case)| function).to_owned();
            requests.push((function, event));
        }
    }
    assert!(routes.is_empty(), "no sample asks {}", routes[0].path);
    requests
}

#[tokio::test(flavor = "multi_thread")]
async fn no_route_of_the_dashboard_opens_to_a_token_whose_session_has_ended() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let platform = Platform::start(Options::for_test().expect("options")).await;
    let platform = platform.expect("it starts: cargo build --workspace --bins");
    let (database, connection) =
        tokio_postgres::connect(platform.database_url(), tokio_postgres::NoTls).await.expect("the database");
    tokio::spawn(connection);
    let project = platform.supabase().expect("the stand-in");
    let claims = project.claims(LEA.user_id, LEA.email);
    let session = claims["session_id"].as_str().expect("a session").to_owned();
    let state = r"select md5(string_agg(t::text, ' ')) from (select a::text from artists a union all select f::text from flashes f
         union all select o::text from time_off o union all select v::text from availability v
         union all select i::text from images i union all select b::text from bookings b) t";
    let before: String = database.query_typed_one(state, &[]).await.expect("a row").get(0);
    for ended in [false, true] {
        if ended {
            let sql = format!("insert into ended_sessions (session_id, ended_at) values ('{session}', now())");
            database.batch_execute(&sql).await.expect("it has ended");
        }
        for (function, event) in granted(&project.sign(&claims)) {
            // What is open is only read, so that the state can be compared. A preview is a sum and asks nobody.
            let reads = event["requestContext"]["http"]["method"] == "GET";
            if (!ended && !reads) || event["rawPath"] == "/api/dashboard/policy/preview" {
                continue;
            }
            let answer = platform.host().invoke(&function, event.to_string()).await.expect("an answer");
            let answer: Value = serde_json::from_slice(&answer).expect("JSON");
            let what = format!("{} {}: {answer}", event["requestContext"]["http"]["method"], event["rawPath"]);
            assert_eq!(answer["statusCode"] == 401, ended, "{what}");
        }
    }
    let after: String = database.query_typed_one(state, &[]).await.expect("a row").get(0);
    assert_eq!(before, after, "something was changed by a token whose session has ended");
    platform.stop().await.expect("it stops");
}
