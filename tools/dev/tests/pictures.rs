//! A picture's whole way on the platform: announced, sent to the bucket, taken in by the compiled function, shown by the
//! site.

use std::time::Duration;

use dev::demo::LEA;
use dev::platform::{Options, Platform};
use serde_json::{Value, json};

struct Studio {
    platform: Platform,
    http: reqwest::Client,
    token: String,
}

impl Studio {
    async fn open() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let platform = Platform::start(Options::for_test().expect("options")).await;
        let platform = platform.expect("it starts: cargo build --workspace --bins");
        let token = platform.supabase().expect("a stand-in").token(LEA.user_id, LEA.email);
        Self { platform, http: reqwest::Client::new(), token }
    }

    async fn ask(&self, method: reqwest::Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let url = format!("{}/api/dashboard/{path}", self.platform.site());
        let mut request = self.http.request(method, url);
        // CloudFront overwrites `Authorization`, so a browser's session is a cookie, and its writes name their page.
        request = request
            .header("cookie", format!("__Host-inkflow_session={}", self.token))
            .header("origin", self.platform.site());
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let answer = request.send().await.expect("the site answers");
        let status = answer.status().as_u16();
        (status, serde_json::from_str(&answer.text().await.expect("text")).unwrap_or_default())
    }

    /// Sends a file and waits for what becomes of it.
    async fn upload(&self, content_type: &str, bytes: Vec<u8>) -> Value {
        let wish = json!({ "kind": "hero", "content_type": content_type, "size": bytes.len() });
        let (status, announced) = self.ask(reqwest::Method::POST, "images", Some(wish)).await;
        assert_eq!(status, 201, "{announced}");
        let url = announced["upload"]["url"].as_str().expect("an address").to_owned();
        let page = self.http.get(format!("{}/artist/{}", self.platform.site(), LEA.slug)).send().await.expect("a page");
        let policy = page.headers()["content-security-policy"].to_str().expect("text").to_owned();
        let origin = url.split('/').take(3).collect::<Vec<_>>().join("/");
        assert!(policy.contains(&format!("connect-src 'self' {origin};")), "pages may send it there: {policy}");
        let sent = self.http.put(&url).header("content-type", content_type).body(bytes).send().await;
        assert_eq!(sent.expect("the bucket answers").status(), 200);
        let path = format!("images/{}", announced["id"].as_str().expect("an id"));
        for _ in 0..300 {
            let (_, fate) = self.ask(reqwest::Method::GET, &path, None).await;
            if fate["status"] != "waiting" {
                return fate;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("nobody took the picture in");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_goes_from_the_phone_to_the_page() {
    let studio = Studio::open().await;
    let png = include_bytes!("../../../functions/dashboard-settings/tests/fixtures/leaf.png").to_vec();
    let fate = studio.upload("image/png", png).await;
    assert_eq!(fate["status"], "ready", "{fate}");
    let path = fate["image"].as_str().expect("a path");
    let shown = studio.http.get(format!("{}{path}", studio.platform.site())).send().await.expect("the site answers");
    assert_eq!(shown.status(), 200);
    assert_eq!(shown.headers()["content-type"], "image/jpeg");
    assert_eq!(shown.headers()["cache-control"], "public, max-age=31536000, immutable");
    assert!(shown.bytes().await.expect("bytes").starts_with(b"\xff\xd8\xff"));

    let (_, mut profile) = studio.ask(reqwest::Method::GET, "profile", None).await;
    profile["hero_image"] = fate["id"].clone();
    let (status, saved) = studio.ask(reqwest::Method::PUT, "profile", Some(profile)).await;
    assert_eq!((status, &saved["hero"]), (200, &fate["image"]), "{saved}");
    let page = studio.http.get(format!("{}/artist/{}", studio.platform.site(), LEA.slug)).send().await.expect("a page");
    let page = page.text().await.expect("text");
    assert!(page.contains(&format!("property=\"og:image\" content=\"{}{path}\"", studio.platform.site())), "{page}");
    assert!(page.contains(&format!("{} 480w", path.replace("/640.jpg", "/480.jpg"))), "{page}");

    // The original and everything else of the bucket is nobody's business.
    let id = fate["id"].as_str().expect("an id");
    for path in [format!("/images/../incoming/{id}"), format!("/images/{id}/9.jpg"), "/images/".into()] {
        let answer = studio.http.get(format!("{}{path}", studio.platform.site())).send().await.expect("an answer");
        assert_eq!(answer.status(), 404, "{path}");
    }
    let refused = studio.upload("image/jpeg", b"GIF89a is no JPEG".to_vec()).await;
    assert_eq!((&refused["status"], &refused["code"]), (&json!("refused"), &json!("not_a_picture")), "{refused}");
    studio.platform.stop().await.expect("it stops");
}
