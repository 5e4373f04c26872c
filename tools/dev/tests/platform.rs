//! The whole platform: it comes up with every function, its switches do what they say, and it leaves nothing behind.

use std::time::Duration;

use dev::aws::Ministack;
use dev::platform::{Options, Platform};
use dev::postgres::{Postgres, Purpose, connect};
use reqwest::{Client, Method};
use serde_json::{Value, json};

struct Site {
    platform: Platform,
    client: Client,
}

impl Site {
    async fn start() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let options = Options::for_test().expect("options").with_services_of_its_own();
        let platform = Platform::start(options).await.expect("it starts: cargo build --workspace --bins");
        Self { platform, client: Client::new() }
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let mut request = self.client.request(method, format!("{}{path}", self.platform.site()));
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.expect("an answer");
        let status = answer.status().as_u16();
        let text = answer.text().await.expect("text");
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.ask(Method::POST, path, Some(body)).await
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        self.ask(Method::GET, path, None).await
    }
}

/// The processes that mention this text in their command line or environment of work.
fn processes_of(text: &str) -> Vec<String> {
    let entries = std::fs::read_dir("/proc").expect("Linux").flatten();
    entries
        .filter_map(|entry| std::fs::read_to_string(entry.path().join("environ")).ok().map(|env| (entry, env)))
        .filter(|(entry, env)| {
            let line = std::fs::read_to_string(entry.path().join("cmdline")).unwrap_or_default();
            env.contains(text) || line.contains(text)
        })
        .map(|(entry, _)| entry.file_name().to_string_lossy().into_owned())
        .filter(|pid| *pid != std::process::id().to_string())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_comes_up_and_nothing_is_left() {
    let site = Site::start().await;
    let (code, artist) = site.get("/api/artists/lea-marchetti").await;
    assert_eq!(code, 200, "{artist}");
    let port = site.platform.site().rsplit(':').next().expect("a port").to_owned();
    let traces = [
        format!("PUBLIC_URL=http://127.0.0.1:{port}"),
        format!("port={}", site.platform.postgres().expect("its own").port()),
        format!("GATEWAY_PORT={}", site.platform.ministack().expect("its own").port()),
    ];
    for trace in &traces {
        assert!(!processes_of(trace).is_empty(), "{trace} is somewhere");
    }
    let stripe = site.platform.stripe().expect("a stand-in").url();
    let state = site.platform.state().to_owned();
    assert!(state.is_dir());
    site.platform.stop().await.expect("it stops");
    for trace in &traces {
        assert!(processes_of(trace).is_empty(), "{trace} is left");
    }
    assert!(site.client.get(stripe).send().await.is_err(), "the stand-ins are gone too");
    assert!(!state.exists(), "its folder is deleted");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_switches_do_what_they_say() {
    let site = Site::start().await;
    let artist = "/api/artists/lea-marchetti";

    let (code, positions) = site.post("/dev/switches", json!({ "postgres": "down", "mail": "bounce" })).await;
    assert_eq!((code, &positions["postgres"], &positions["mail"]), (200, &json!("down"), &json!("bounce")));
    assert!(site.get(artist).await.0 >= 500);
    let (_, positions) = site.post("/dev/switches", json!({ "postgres": "ok" })).await;
    assert_eq!((&positions["postgres"], &positions["mail"]), (&json!("ok"), &json!("bounce")));
    assert_eq!(site.get(artist).await.0, 200, "the functions find it again by themselves");
    assert_eq!(site.post("/dev/switches", json!({ "no_such": "ok" })).await.0, 422);

    let (_, before) = site.get("/dev/status.json").await;
    assert_eq!(before["clock_shift_seconds"], 0);
    assert_eq!(site.post("/dev/clock", json!({ "advance_seconds": 1860 })).await.1["clock_shift_seconds"], 1860);
    assert_eq!(site.post("/dev/clock", json!({ "advance_seconds": 60 })).await.1["clock_shift_seconds"], 1920);
    let drift = site.platform.stripe().expect("a stand-in").now() - jiff::Timestamp::now().as_second();
    assert!((1919..=1921).contains(&drift), "the stand-ins go along: {drift}");
    assert_eq!(site.get(artist).await.0, 200, "so do the functions");

    let (_, killed) = site.post("/dev/kill", json!({ "function": "artist-page" })).await;
    assert_eq!(killed["killed"], 1);
    assert_eq!(site.get(artist).await.0, 200);
    assert_eq!(site.post("/dev/kill", json!({ "function": "no-such" })).await.0, 404);
    assert_eq!(site.post("/dev/sweep", json!({})).await.0, 200);

    let client = dev::postgres::connect(site.platform.database_url()).await.expect("the owner");
    client.batch_execute("delete from flashes; update artists set bio = 'mine'").await.expect("a change");
    assert_eq!(site.post("/dev/reset", json!({})).await.0, 200);
    let flashes = client.query_one("select count(*) from flashes", &[]).await.expect("a count").get::<_, i64>(0);
    assert_eq!(flashes, 8, "the demo is back");
    assert_eq!(site.get("/dev/status.json").await.1["clock_shift_seconds"], 0);
    site.platform.stop().await.expect("it stops");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_switches_answer_only_to_this_machine_and_to_its_own_pages() {
    let site = Site::start().await;
    let sweep = || site.client.post(format!("{}/dev/sweep", site.platform.site()));
    let code = async |request: reqwest::RequestBuilder| request.send().await.expect("an answer").status().as_u16();
    assert_eq!(code(sweep().header("host", "evil.example")).await, 403, "a name pointed at 127.0.0.1");
    assert_eq!(code(sweep().header("origin", "https://evil.example")).await, 403, "another site's page");
    assert_eq!(code(sweep().header("sec-fetch-site", "cross-site")).await, 403);
    assert_eq!(code(sweep().header("origin", site.platform.site())).await, 200);
    let mails = site.client.get(format!("{}/dev/mails.json", site.platform.site())).header("host", "evil.example");
    assert_eq!(code(mails).await, 403);
    let invoke = format!("{}/2015-03-31/functions/sweeper/invocations", site.platform.site());
    assert_eq!(code(site.client.post(&invoke).body("{}").header("host", "evil.example")).await, 403);
    assert_eq!(code(site.client.post(&invoke).body(r#"{"id":"1"}"#)).await, 200, "cargo lambda invoke");
    let outside = site.client.get(format!("{}/dev/..%2f..%2fCargo.toml", site.platform.site()));
    assert_eq!(code(outside).await, 404);
    site.platform.stop().await.expect("it stops");
}

#[tokio::test(flavor = "multi_thread")]
async fn stories_share_one_server_and_one_ministack_without_meeting() {
    let folder = std::env::temp_dir().join(format!("inkflow-shared-{}", std::process::id()));
    let postgres = Postgres::start(&folder, None, Purpose::Throwaway).await.expect("a server");
    let ministack = Ministack::start(&folder, None).await.expect("ministack");
    let start = async || {
        let mut options = Options::for_test().expect("options");
        options.database_url = Some(postgres.url("postgres"));
        options.template = None;
        options.ministack_url = Some(ministack.url());
        Platform::start(options).await.expect("it starts")
    };
    let (one, two) = (start().await, start().await);
    assert!(one.app_database_url().contains("inkflow_app"), "the functions are not the owner");
    assert_ne!(one.database_url(), two.database_url());
    assert_ne!(one.queues().jobs, two.queues().jobs);
    let artists = |platform: &Platform| reqwest::get(format!("{}/api/artists/noa-keller", platform.site()));
    assert_eq!(artists(&one).await.expect("an answer").status(), 200);
    one.stop().await.expect("it stops");
    assert_eq!(artists(&two).await.expect("an answer").status(), 200);
    two.stop().await.expect("it stops");
    let left = connect(&postgres.url("postgres")).await.expect("the server is still there");
    let left = left.query("select 1 from pg_database where datname like 'story%'", &[]).await.expect("a list");
    assert!(left.is_empty(), "their databases are gone");
    ministack.stop().await.expect("it stops");
    postgres.stop().await.expect("it stops");
    std::fs::remove_dir_all(folder).expect("ours");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_port_is_named_and_nothing_is_started() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = taken.local_addr().expect("bound").port();
    let mut options = Options::for_test().expect("options").with_services_of_its_own();
    options.port = Some(port);
    let state = options.state.clone();
    let started = tokio::time::timeout(Duration::from_secs(2), Platform::start(options)).await.expect("at once");
    let Err(error) = started else { panic!("it must not start") };
    let words = error.to_string();
    assert!(words.contains(&port.to_string()) && words.contains("PORT="), "{words}");
    assert!(!state.exists());
}
