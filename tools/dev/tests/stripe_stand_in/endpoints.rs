//! Webhook endpoints: what they may ask for, how they change, and when Stripe gives up on one.

use std::time::Duration;

use dev::stripe::Options;
use serde_json::{Value, json};

use crate::shop::{Shop, receiver, text};

#[tokio::test]
async fn an_endpoint_asks_for_events_and_versions_that_exist() {
    let shop = Shop::open(Options::default()).await;
    let ask = async |url: &str, event: &str, version: &str| {
        let params = [
            ("url", url),
            ("enabled_events[0]", "refund.failed"),
            ("enabled_events[1]", event),
            ("api_version", version),
        ];
        shop.post("/v1/webhook_endpoints", &params, None).await
    };
    const ADDRESS: &str = "https://shop.example/hook";
    const VERSION: &str = "2026-09-30.endive";
    for (url, event, version, param) in [
        (ADDRESS, "no.such.event", VERSION, "enabled_events[1]"),
        (ADDRESS, "charge.dispute.close", VERSION, "enabled_events[1]"),
        (ADDRESS, "charge.dispute.closed", "2031-01-01.zinnia", "api_version"),
        ("http://shop.example/hook", "charge.dispute.closed", VERSION, "url"),
        ("http://127.0.0.1.shop.example/hook", "charge.dispute.closed", VERSION, "url"),
    ] {
        let (status, _, refused) = ask(url, event, version).await;
        assert_eq!((status, &refused["error"]["param"]), (400, &json!(param)), "{refused}");
    }
    for url in [ADDRESS, "http://127.0.0.1:8080/hook", "http://localhost:8080/hook", "http://[::1]:8080/hook"] {
        assert_eq!(ask(url, "charge.dispute.closed", VERSION).await.0, 200, "{url}");
    }
}

#[tokio::test]
async fn an_endpoint_is_changed_in_place_and_keeps_its_secret() {
    let (url, letters) = receiver(0).await;
    let shop = Shop::open(Options::default()).await;
    let params = [("url", "https://shop.example/hook"), ("enabled_events[]", "refund.failed")];
    let (_, _, made) = shop.post("/v1/webhook_endpoints", &params, None).await;
    let path = format!("/v1/webhook_endpoints/{}", text(&made["id"]));
    letters.lock().expect("no receiver panics").secret = text(&made["secret"]);
    let change = [("url", url.as_str()), ("enabled_events[]", "charge.succeeded"), ("description", "ours")];
    let (status, _, changed) = shop.post(&path, &change, None).await;
    assert_eq!((status, &changed["url"], &changed["description"]), (200, &json!(url), &json!("ours")), "{changed}");
    assert_eq!((&changed["enabled_events"], changed.get("secret")), (&json!(["charge.succeeded"]), None));
    shop.paid_intent().await;
    shop.stripe.settled().await;
    assert_eq!(letters.lock().expect("no receiver panics").took.len(), 1);

    let (_, _, off) = shop.post(&path, &[("disabled", "true"), ("description", "")], None).await;
    assert_eq!((&off["status"], &off["description"]), (&json!("disabled"), &Value::Null));
    shop.paid_intent().await;
    shop.stripe.settled().await;
    assert_eq!(letters.lock().expect("no receiver panics").took.len(), 1, "it hears nothing");
    assert_eq!(shop.post(&path, &[("enabled_events[]", "no.such.event")], None).await.0, 400);
    assert_eq!(shop.post(&path, &[("api_version", "2026-09-30.endive")], None).await.0, 400, "it keeps its version");
    assert_eq!(shop.post("/v1/webhook_endpoints/we_none", &[("disabled", "true")], None).await.0, 404);
}

#[tokio::test]
async fn an_endpoint_that_fails_for_three_days_is_disabled() {
    const DAY: Duration = Duration::from_secs(86_400);
    let (url, letters) = receiver(usize::MAX).await;
    let shop = Shop::open(Options { webhook_url: Some(url), ..Options::default() }).await;
    let status = async || shop.get("/v1/webhook_endpoints").await.1["data"][0]["status"].clone();
    let pay = async || {
        shop.paid_intent().await;
        shop.stripe.settled().await;
        letters.lock().expect("no receiver panics").took.len()
    };
    pay().await;
    shop.stripe.advance(DAY * 2);
    pay().await;
    assert_eq!(status().await, "enabled", "two days are not enough");
    letters.lock().expect("no receiver panics").refuses = 0;
    pay().await;
    letters.lock().expect("no receiver panics").refuses = usize::MAX;
    shop.stripe.advance(DAY * 2);
    pay().await;
    assert_eq!(status().await, "enabled", "it worked in between");
    shop.stripe.advance(DAY * 3);
    let tried = pay().await;
    assert_eq!(status().await, "disabled");
    assert_eq!(pay().await, tried, "nothing is sent there any more");
    let path = format!("/v1/webhook_endpoints/{}", text(&shop.get("/v1/webhook_endpoints").await.1["data"][0]["id"]));
    assert_eq!(shop.post(&path, &[("disabled", "false")], None).await.2["status"], "enabled");
    assert!(pay().await > tried);
}
