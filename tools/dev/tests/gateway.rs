//! The front before a real function: what passes, what is refused, and in which words.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use dev::gateway::{self, HandedOn, Options, ResponseHeaders, Route, Share};
use dev::host::{FunctionSpec, Host};
use reqwest::{Method, RequestBuilder, Response};

struct Front {
    host: Host,
    url: String,
    site: PathBuf,
    client: reqwest::Client,
}

impl Front {
    async fn start(name: &str) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let exe = std::env::current_exe().expect("a test knows where it is");
        let built = exe.parent().and_then(|deps| deps.parent()).expect("target/<profile>/deps/<test>");
        let spec = FunctionSpec {
            name: "echo".to_owned(),
            binary: built.join("examples/bootstrap"),
            env: Vec::new(),
            timeout: Duration::from_secs(5),
            max_instances: 1,
        };
        let host = Host::start(vec![spec], dev::host::Options::default()).await.expect("the host starts");
        let site = std::env::temp_dir().join(format!("inkflow-site-{name}-{}", std::process::id()));
        std::fs::create_dir_all(site.join("booking")).expect("a folder for the site");
        std::fs::write(site.join("index.html"), "home").expect("a page");
        std::fs::write(site.join("booking/success.html"), "paid").expect("a page");
        std::fs::write(site.join("404.html"), "lost").expect("a page");
        std::fs::create_dir_all(site.join("en")).expect("a folder for the site");
        std::fs::write(site.join("en/index.html"), "home, in English").expect("a page");
        std::fs::write(site.join("en/404.html"), "lost, in English").expect("a page");
        let route = |method: &str, path: &str, function: &str| Route {
            method: method.to_owned(),
            path: path.to_owned(),
            function: function.to_owned(),
        };
        let headers: ResponseHeaders = serde_json::from_value(serde_json::json!({
            "site": { "content-security-policy": "default-src 'none'" }, "api": { "x-content-type-options": "nosniff" }
        }))
        .expect("headers");
        let options = Options {
            routes: vec![
                route("POST", "/api/things", "echo"),
                route("GET", "/api/things/{id}", "echo"),
                route("GET", "/api/broken", "echo"),
                route("POST", "/api/webhooks/stripe", "echo"),
                route("GET", "/api/missing", "not-there"),
            ],
            headers,
            handed_on: HandedOn {
                headers: ["content-type", "x-amz-content-sha256"].map(str::to_owned).to_vec(),
                cookies: Share::All,
                queries: Share::All,
                shared: Vec::new(),
            },
            site: site.clone(),
            domain: "inkflow.localhost".to_owned(),
            pictures: None,
        };
        let service = gateway::router(options, host.clone()).into_make_service_with_connect_info::<SocketAddr>();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        tokio::spawn(async move { axum::serve(listener, service).await });
        Self { host, url, site, client: reqwest::Client::new() }
    }

    fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }

    async fn end(self) {
        self.host.stop().await;
        std::fs::remove_dir_all(self.site).expect("ours");
    }
}

async fn sent(request: RequestBuilder) -> Response {
    request.send().await.expect("an answer")
}

fn header(response: &Response, name: &str) -> String {
    response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

const BODY: &str = r#"{"a":1}"#;
const HASH: &str = "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862";

#[tokio::test]
async fn a_request_reaches_its_function_with_the_exact_body() {
    let front = Front::start("exact").await;
    let answer = sent(front.ask(Method::GET, "/api/things/7?x=1")).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(header(&answer, "x-content-type-options"), "nosniff");
    assert_eq!(answer.text().await.expect("text"), r#"{"body":null,"path":"/api/things/7"}"#);
    let post = front.ask(Method::POST, "/api/things").header("content-type", "application/json").body("{ \"a\" : 1 }");
    assert_eq!(sent(post).await.text().await.expect("text"), r#"{"body":"{ \"a\" : 1 }","path":"/api/things"}"#);
    front.end().await;
}

#[tokio::test]
async fn a_browser_must_sign_for_the_body_it_sends() {
    let front = Front::start("hash").await;
    let post = || front.ask(Method::POST, "/api/things").body(BODY);
    let browser = || post().header("sec-fetch-site", "same-origin");
    assert_eq!(sent(browser().header("x-amz-content-sha256", HASH)).await.status(), 200);
    let refused = sent(browser()).await;
    assert_eq!(refused.status(), 403);
    assert_eq!(header(&refused, "x-amzn-errortype"), "InvalidSignatureException");
    assert_eq!(sent(post()).await.status(), 200, "a script is only warned");
    assert_eq!(sent(post().header("x-amz-content-sha256", "00")).await.status(), 403);
    let webhook = front.ask(Method::POST, "/api/webhooks/stripe").body(BODY).header("sec-fetch-site", "none");
    assert_eq!(sent(webhook).await.status(), 200, "webhooks have URLs of their own");
    front.end().await;
}

#[tokio::test]
async fn a_page_is_compressed_as_cloudfront_does_and_the_api_is_not() {
    let front = Front::start("gzip").await;
    std::fs::write(front.site.join("site.css"), "a { color: red }\n".repeat(100)).expect("a style sheet");
    let encoding = async |path: &str, accepted: &str| {
        let answer = sent(front.ask(Method::GET, path).header("accept-encoding", accepted)).await;
        (answer.status().as_u16(), header(&answer, "content-encoding"))
    };
    assert_eq!(encoding("/site.css", "gzip, br").await, (200, "gzip".to_owned()));
    assert_eq!(encoding("/site.css", "identity").await, (200, String::new()));
    assert_eq!(encoding("/", "gzip").await, (200, String::new()), "too small to gain");
    let long = format!("/api/things/{}", "x".repeat(2_000));
    assert_eq!(encoding(&long, "gzip").await, (200, String::new()));
    front.end().await;
}

#[tokio::test]
async fn what_no_route_takes_is_refused_in_the_right_words() {
    let front = Front::start("words").await;
    let wrong_method = sent(front.ask(Method::DELETE, "/api/things/7")).await;
    assert_eq!((wrong_method.status().as_u16(), header(&wrong_method, "allow")), (405, "GET".to_owned()));
    assert_eq!(header(&wrong_method, "content-type"), "application/problem+json");
    assert_eq!(sent(front.ask(Method::GET, "/api/nothing")).await.status(), 404);
    let large = front.ask(Method::POST, "/api/things").body(vec![b'x'; dev::host::PAYLOAD_LIMIT + 1]);
    assert_eq!(sent(large).await.status(), 413);
    for path in ["/api/broken", "/api/missing"] {
        let broken = sent(front.ask(Method::GET, path)).await;
        assert_eq!(broken.status(), 502, "{path}");
        assert_eq!(header(&broken, "x-amzn-errortype"), "InternalServerErrorException");
        assert_eq!(broken.text().await.expect("text"), r#"{"Message":"Internal Server Error"}"#);
    }
    front.end().await;
}

#[tokio::test]
async fn who_reads_english_gets_the_english_page_where_there_is_one() {
    let front = Front::start("languages").await;
    for (path, languages, text) in [
        ("/", "en-GB,en;q=0.9,fr;q=0.8", "home, in English"),
        ("/", "de,en;q=0.5,fr;q=0.2", "home, in English"),
        ("/", "fr,en;q=0.9", "home"),
        ("/", "de", "home"),
        ("/?lang=fr", "en", "home"),
        ("/?lang=en", "fr", "home, in English"),
        ("/en", "fr", "home, in English"),
        ("/booking/success", "en", "paid"),
        ("/nothing", "en", "lost, in English"),
    ] {
        let page = sent(front.ask(Method::GET, path).header("accept-language", languages)).await;
        assert_eq!(page.text().await.expect("text"), text, "{path}, {languages}");
    }
    front.end().await;
}

#[tokio::test]
async fn the_site_is_served_with_the_headers_of_production() {
    let front = Front::start("site").await;
    for (path, status, text) in [("/", 200, "home"), ("/booking/success?id=1", 200, "paid"), ("/nothing", 404, "lost")]
    {
        let page = sent(front.ask(Method::GET, path)).await;
        assert_eq!(page.status(), status, "{path}");
        assert_eq!(header(&page, "content-security-policy"), "default-src 'none'");
        assert_eq!(page.text().await.expect("text"), text);
    }
    let head = sent(front.ask(Method::HEAD, "/")).await;
    assert_eq!((head.status().as_u16(), header(&head, "content-length")), (200, "4".to_owned()));
    assert_eq!(sent(front.ask(Method::POST, "/")).await.status(), 405);
    front.end().await;
}
