//! The rules of the Stripe stand-in: what it refuses, what it replays, what it sends and when.

#[path = "stripe_stand_in/accounts.rs"]
mod accounts;
#[path = "stripe_stand_in/disputes.rs"]
mod disputes;
#[path = "stripe_stand_in/endpoints.rs"]
mod endpoints;
#[path = "stripe_stand_in/money.rs"]
mod money;
#[path = "stripe_stand_in/shop.rs"]
mod shop;

use std::time::Duration;

use dev::stripe::{Closed, Down, Options, Outcome, RefundMode, StandIn};
use serde_json::{Value, json};

use crate::shop::{KEY, Shop, kinds, receiver, text};

#[tokio::test]
async fn a_session_is_as_it_was_asked_for_and_has_no_payment_intent_yet() {
    let shop = Shop::open(Options::default()).await;
    let params = shop.session_params();
    let (status, headers, session) = shop.create_with(&params, Some("checkout:1:1")).await;
    assert_eq!(status, 200, "{session}");
    assert!(headers["request-id"].to_str().is_ok_and(|id| id.starts_with("req_")));
    assert_eq!(session["amount_total"], 8000);
    assert_eq!(session["currency"], "eur");
    assert_eq!(session["status"], "open");
    assert_eq!(session["payment_status"], "unpaid");
    assert_eq!(session["payment_intent"], Value::Null);
    assert_eq!(session["metadata"]["booking_id"], "booking-1");
    assert_eq!(session["adaptive_pricing"]["enabled"], false);
    assert_eq!(session["expires_at"].to_string(), params["expires_at"]);
    assert!(text(&session["url"]).starts_with(&shop.stripe.url()));
    let asked = &shop.stripe.requests()[0];
    assert_eq!(asked.param("client_reference_id"), Some("booking-1"));
    assert_eq!(asked.header("idempotency-key"), Some("checkout:1:1"));
}

#[tokio::test]
async fn a_wrong_request_is_refused_as_stripe_refuses_it() {
    let shop = Shop::open(Options::default()).await;
    let now = shop.stripe.now();
    let long = |most: usize| Some(format!("https://a.example/{}", "x".repeat(most - 17)));
    let cases: [(&str, Option<String>, &str, Option<&str>); 20] = [
        ("succes_url", Some("http://a.example".into()), "parameter_unknown", Some("succes_url")),
        (
            "line_items[0][price_data][colour]",
            Some("red".into()),
            "parameter_unknown",
            Some("line_items[0][price_data][colour]"),
        ),
        ("success_url", None, "parameter_missing", Some("success_url")),
        ("mode", None, "parameter_missing", Some("mode")),
        (
            "line_items[0][price_data][unit_amount]",
            None,
            "parameter_missing",
            Some("line_items[0][price_data][unit_amount]"),
        ),
        (
            "line_items[0][price_data][unit_amount]",
            Some("80.00".into()),
            "parameter_invalid_integer",
            Some("line_items[0][price_data][unit_amount]"),
        ),
        ("line_items[0][price_data][unit_amount]", Some("49".into()), "amount_too_small", None),
        ("line_items[0][quantity]", Some("12500".into()), "amount_too_large", None),
        ("customer_email", Some("camille".into()), "email_invalid", Some("customer_email")),
        ("customer_email", Some("é@exemple.fr".into()), "email_invalid", Some("customer_email")),
        ("customer_email", Some("jo@exemple..fr".into()), "email_invalid", Some("customer_email")),
        ("customer_email", Some("jo..e@exemple.fr".into()), "email_invalid", Some("customer_email")),
        ("success_url", long(5001), "", Some("success_url")),
        ("cancel_url", long(5001), "", Some("cancel_url")),
        (
            "line_items[0][price_data][product_data][name]",
            long(5001),
            "",
            Some("line_items[0][price_data][product_data][name]"),
        ),
        ("client_reference_id", Some(String::new()), "parameter_invalid_empty", Some("client_reference_id")),
        ("cancel_url", Some("/booking".into()), "url_invalid", Some("cancel_url")),
        (
            "payment_method_types[0]",
            Some("card".into()),
            "payment_method_types_no_longer_supported",
            Some("payment_method_types"),
        ),
        ("expires_at", Some((now + 29 * 60).to_string()), "", None),
        ("expires_at", Some((now + 25 * 3600).to_string()), "", None),
    ];
    for (name, value, code, param) in cases {
        let mut params = shop.session_params();
        match &value {
            Some(value) => params.insert(name, value.clone()),
            None => params.remove(name),
        };
        let (status, _, answer) = shop.create_with(&params, None).await;
        assert_eq!(status, 400, "{name}={value:?}: {answer}");
        assert_eq!(answer["error"]["type"], "invalid_request_error");
        assert_eq!(answer["error"]["code"].as_str().unwrap_or_default(), code, "{answer}");
        assert_eq!(answer["error"]["param"].as_str(), param, "{answer}");
    }
    assert!(shop.stripe.sessions().is_empty());
}

#[tokio::test]
async fn a_session_has_at_most_a_hundred_lines() {
    let shop = Shop::open(Options::default()).await;
    let mut pairs: Vec<(String, String)> =
        shop.session_params().into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let lines = |from: usize, to: usize| {
        (from..to).flat_map(|at| {
            [
                (format!("line_items[{at}][quantity]"), "1".to_owned()),
                (format!("line_items[{at}][price_data][currency]"), "eur".to_owned()),
                (format!("line_items[{at}][price_data][unit_amount]"), "100".to_owned()),
                (format!("line_items[{at}][price_data][product_data][name]"), "Acompte".to_owned()),
            ]
        })
    };
    pairs.extend(lines(1, 100));
    let create = async |pairs: &[(String, String)]| {
        let pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        shop.post("/v1/checkout/sessions", &pairs, None).await.0
    };
    assert_eq!(create(&pairs).await, 200);
    pairs.extend(lines(100, 101));
    assert_eq!(create(&pairs).await, 400);
}

#[tokio::test]
async fn only_versions_that_exist_are_spoken() {
    let shop = Shop::open(Options::default()).await;
    for (version, status) in [
        ("2026-09-30.endive", 200),
        ("2026-10-28.endive", 200),
        ("2022-11-15", 200),
        ("2031-01-01.zinnia", 400),
        ("2026-09-30", 400),
    ] {
        let request =
            shop.http.get(shop.stripe.url() + "/v1/events").bearer_auth(KEY).header("stripe-version", version);
        assert_eq!(request.send().await.expect("it answers").status().as_u16(), status, "{version}");
    }
}

#[tokio::test]
async fn only_the_test_key_opens_and_live_keys_are_refused() {
    let shop = Shop::open(Options::default()).await;
    let url = shop.stripe.url() + "/v1/events";
    for key in ["sk_live_abc", "sk_test_other", ""] {
        let answer = shop.http.get(&url).bearer_auth(key).send().await.expect("it answers");
        assert_eq!(answer.status(), 401, "{key}");
    }
    let basic = shop.http.get(&url).basic_auth(KEY, Some("")).send().await.expect("it answers");
    assert_eq!(basic.status(), 200);
    let live = Options { secret_key: "sk_live_abc".to_owned(), ..Options::default() };
    assert!(StandIn::start(live).await.is_err());
    let outside = Options { addr: ([0, 0, 0, 0], 0).into(), ..Options::default() };
    assert!(StandIn::start(outside).await.is_err());
    let json = shop.http.post(shop.stripe.url() + "/v1/refunds").bearer_auth(KEY).json(&json!({"charge": "ch_1"}));
    assert_eq!(json.send().await.expect("it answers").status(), 400, "JSON bodies are not Stripe's");
}

#[tokio::test]
async fn a_key_replays_its_first_answer_and_refuses_other_parameters() {
    let shop = Shop::open(Options::default()).await;
    let params = shop.session_params();
    let (_, first_headers, first) = shop.create_with(&params, Some("checkout:1:1")).await;
    let (status, headers, second) = shop.create_with(&params, Some("checkout:1:1")).await;
    assert_eq!((status, &second), (200, &first));
    assert_eq!(headers["idempotent-replayed"], "true");
    assert_eq!(headers["original-request"], first_headers["request-id"]);
    assert_eq!(shop.stripe.sessions().len(), 1);

    let mut other = params.clone();
    other.insert("line_items[0][price_data][unit_amount]", "9000".to_owned());
    let (status, _, refused) = shop.create_with(&other, Some("checkout:1:1")).await;
    assert_eq!((status, refused["error"]["type"].as_str()), (400, Some("idempotency_error")));

    shop.stripe.advance(Duration::from_secs(25 * 3600));
    let (status, headers, _) = shop.create_with(&shop.session_params(), Some("checkout:1:1")).await;
    assert_eq!(status, 200, "a key is forgotten after a day");
    assert!(!headers.contains_key("idempotent-replayed"));
}

#[tokio::test]
async fn a_refused_parameter_is_not_stored_for_its_key() {
    let shop = Shop::open(Options::default()).await;
    let mut params = shop.session_params();
    params.insert("colour", "red".to_owned());
    assert_eq!(shop.create_with(&params, Some("k")).await.0, 400);
    params.remove("colour");
    assert_eq!(shop.create_with(&params, Some("k")).await.0, 200);
}

#[tokio::test]
async fn a_500_after_the_work_is_stored_and_replayed() {
    let shop = Shop::open(Options::default()).await;
    shop.stripe.switch(|switches| switches.api.fail_after_executing = 1);
    let params = shop.session_params();
    assert_eq!(shop.create_with(&params, Some("k")).await.0, 500);
    assert_eq!(shop.stripe.sessions().len(), 1, "the work was done");
    let (status, headers, _) = shop.create_with(&params, Some("k")).await;
    assert_eq!((status, headers.contains_key("idempotent-replayed")), (500, true));
    assert_eq!(shop.create_with(&params, Some("k:2")).await.0, 200);
    assert_eq!(shop.stripe.sessions().len(), 2);
}

#[tokio::test]
async fn a_lost_answer_is_found_again_with_the_same_key() {
    let shop = Shop::open(Options::default()).await;
    shop.stripe.switch(|switches| switches.api.lose_answer = 1);
    let params = shop.session_params();
    let pairs: Vec<(&str, &str)> = params.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert!(shop.try_post("/v1/checkout/sessions", &pairs, Some("k")).await.is_err(), "no answer comes");
    let (status, headers, session) = shop.create_with(&params, Some("k")).await;
    assert_eq!((status, headers.contains_key("idempotent-replayed")), (200, true));
    assert_eq!(shop.stripe.sessions()[0]["id"], session["id"]);
    assert_eq!(shop.stripe.sessions().len(), 1);
}

#[tokio::test]
async fn two_requests_with_one_key_at_once_conflict() {
    let shop = Shop::open(Options::default()).await;
    shop.stripe.switch(|switches| switches.api.slow_ms = 200);
    let params = shop.session_params();
    let (one, two) = tokio::join!(shop.create_with(&params, Some("k")), shop.create_with(&params, Some("k")));
    let mut statuses = [one.0, two.0];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    assert_eq!(shop.stripe.sessions().len(), 1);
}

#[tokio::test]
async fn down_slow_and_rate_limited_leave_nothing_behind() {
    let shop = Shop::open(Options::default()).await;
    let params = shop.session_params();
    let pairs: Vec<(&str, &str)> = params.iter().map(|(name, value)| (*name, value.as_str())).collect();
    shop.stripe.switch(|switches| switches.api.down = Some(Down::Cut));
    assert!(shop.try_post("/v1/checkout/sessions", &pairs, None).await.is_err());
    shop.stripe.switch(|switches| switches.api.down = Some(Down::Unavailable));
    assert_eq!(shop.create_with(&params, None).await.0, 503);
    shop.stripe.switch(|switches| {
        switches.api.down = None;
        switches.api.rate_limited = true;
    });
    assert_eq!(shop.create_with(&params, None).await.0, 429);
    shop.stripe.switch(|switches| *switches = dev::stripe::Switches::default());
    assert!(shop.stripe.sessions().is_empty());
    let statuses: Vec<u16> = shop.stripe.requests().iter().map(|request| request.status).collect();
    assert_eq!(statuses.last(), Some(&429));
}

#[tokio::test]
async fn paying_sends_signed_events_and_retries_what_is_not_taken() {
    let (url, letters) = receiver(2).await;
    let shop = Shop::open(Options { webhook_url: Some(url), ..Options::default() }).await;
    let session = shop.session().await;
    let events = shop.stripe.pay(&session, Outcome::Paid).expect("it is open");
    shop.stripe.settled().await;
    assert_eq!(
        kinds(&shop.stripe.events()),
        ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded", "checkout.session.completed"]
    );
    let letters = letters.lock().expect("no receiver panics").took.clone();
    assert_eq!(letters.len(), events.len() + 2, "two were refused once, and came again");
    let completed = letters.iter().find(|event| event["type"] == "checkout.session.completed").expect("it came");
    let object = &completed["data"]["object"];
    assert_eq!((object["status"].as_str(), object["payment_status"].as_str()), (Some("complete"), Some("paid")));
    assert_eq!(completed["livemode"], false);
    assert_eq!(completed["api_version"], "2026-09-30.endive");
    let intent = shop.get(&format!("/v1/payment_intents/{}", text(&object["payment_intent"]))).await.1;
    assert_eq!(intent["amount_received"], 8000);
    assert_eq!(intent["metadata"]["booking_id"], "booking-1");
    assert!(shop.stripe.events().iter().all(|event| event["pending_webhooks"] == 0));
    assert_eq!(shop.stripe.pay(&session, Outcome::Paid), Err(Closed::Complete));
}

#[tokio::test]
async fn lost_late_and_doubled_webhooks_are_what_they_say() {
    let (url, letters) = receiver(0).await;
    let shop = Shop::open(Options { webhook_url: Some(url), ..Options::default() }).await;
    let count = || letters.lock().expect("no receiver panics").took.len();

    let lost = shop.session().await;
    let lost_events = shop.stripe.pay(&lost, Outcome::WebhookLost).expect("it is open");
    shop.stripe.settled().await;
    assert_eq!(count(), 0);
    let (_, listed) = shop.get("/v1/events?types[]=checkout.session.completed&delivery_success=false").await;
    assert_eq!(listed["data"][0]["data"]["object"]["id"], lost.as_str(), "the list of events has it");

    let late = shop.session().await;
    shop.stripe.pay(&late, Outcome::WebhookLate).expect("it is open");
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(count(), 0);
    shop.stripe.settled().await;
    assert_eq!(count(), 4);

    let doubled = shop.session().await;
    let events = shop.stripe.pay(&doubled, Outcome::WebhookDoubled).expect("it is open");
    shop.stripe.settled().await;
    assert_eq!(count(), 4 + 2 * events.len());

    let again = shop.stripe.deliver(&lost_events[0]).await;
    assert_eq!((again.len(), again[0].taken(), count()), (1, true, 13));
}

#[tokio::test]
async fn a_declined_card_leaves_the_session_open_and_keeps_one_intent() {
    let shop = Shop::open(Options::default()).await;
    let session = shop.session().await;
    shop.stripe.pay(&session, Outcome::Declined).expect("it is open");
    shop.stripe.pay(&session, Outcome::Declined).expect("it is still open");
    shop.stripe.pay(&session, Outcome::Paid).expect("it is still open");
    assert_eq!(shop.stripe.payment_intents().len(), 1);
    assert_eq!(shop.stripe.charges().len(), 3);
    let failed: Vec<Value> =
        shop.stripe.events().into_iter().filter(|event| event["type"] == "payment_intent.payment_failed").collect();
    assert_eq!(failed.len(), 2);
    assert_eq!(failed[0]["data"]["object"]["last_payment_error"]["code"], "card_declined");
}

#[tokio::test]
async fn a_session_expires_by_call_or_by_itself_and_then_for_good() {
    let shop = Shop::open(Options::default()).await;
    let by_call = shop.session().await;
    let path = format!("/v1/checkout/sessions/{by_call}/expire");
    let (status, _, session) = shop.post(&path, &[], None).await;
    assert_eq!((status, session["status"].as_str(), &session["url"]), (200, Some("expired"), &Value::Null));
    let (status, _, refused) = shop.post(&path, &[], None).await;
    assert_eq!(status, 400);
    assert!(text(&refused["error"]["message"]).contains("status of `expired`"));

    let by_time = shop.session().await;
    shop.stripe.advance(Duration::from_secs(34 * 60));
    assert_eq!(shop.get(&format!("/v1/checkout/sessions/{by_time}")).await.1["status"], "open");
    shop.stripe.advance(Duration::from_secs(60));
    assert_eq!(shop.get(&format!("/v1/checkout/sessions/{by_time}")).await.1["status"], "expired");
    assert_eq!(shop.stripe.pay(&by_time, Outcome::Paid), Err(Closed::Expired));
    assert_eq!(kinds(&shop.stripe.events()), ["checkout.session.expired", "checkout.session.expired"]);

    let (status, missing) = shop.get("/v1/checkout/sessions/cs_test_none").await;
    assert_eq!((status, missing["error"]["code"].as_str()), (404, Some("resource_missing")));
}

#[tokio::test]
async fn refunds_never_exceed_what_was_paid() {
    let shop = Shop::open(Options::default()).await;
    let intent = shop.paid_intent().await;
    let refund = async |amount: &str| {
        shop.post("/v1/refunds", &[("payment_intent", &intent), ("amount", amount), ("reason", "duplicate")], None)
            .await
    };
    let (status, _, first) = refund("3000").await;
    assert_eq!((status, first["status"].as_str()), (200, Some("succeeded")));
    let (status, _, too_much) = refund("5001").await;
    assert_eq!(status, 400);
    assert_eq!(
        too_much["error"]["message"],
        "Refund amount (€50.01) is greater than unrefunded amount on charge (€50.00)"
    );
    assert_eq!(refund("5000").await.0, 200);
    assert_eq!(refund("1").await.2["error"]["code"], "charge_already_refunded");
    let (_, list) = shop.get(&format!("/v1/refunds?payment_intent={intent}")).await;
    assert_eq!(list["data"].as_array().map(Vec::len), Some(2));
    assert_eq!(shop.get(&format!("/v1/refunds/{}", text(&first["id"]))).await.1["amount"], 3000);
    assert_eq!(shop.stripe.charges()[0]["refunded"], true);
    let events = kinds(&shop.stripe.events());
    for kind in ["refund.created", "charge.refunded", "refund.updated"] {
        assert_eq!(events.iter().filter(|event| *event == kind).count(), 2, "{kind} in {events:?}");
    }
    let open = shop.session().await;
    shop.stripe.pay(&open, Outcome::Declined).expect("it is open");
    let unpaid = text(&shop.stripe.payment_intents()[1]["id"]);
    assert_eq!(shop.post("/v1/refunds", &[("payment_intent", &unpaid)], None).await.0, 400);
    assert_eq!(shop.post("/v1/refunds", &[("amount", "1")], None).await.0, 400);
}

#[tokio::test]
async fn a_refund_can_fail_later_and_gives_the_charge_back() {
    let shop = Shop::open(Options::default()).await;
    shop.stripe.switch(|switches| switches.refunds = RefundMode::FailLater);
    let intent = shop.paid_intent().await;
    let (_, _, refund) = shop.post("/v1/refunds", &[("payment_intent", &intent)], Some("refund:1")).await;
    assert_eq!(refund["status"], "pending");
    shop.stripe.settled().await;
    assert_eq!(shop.stripe.refunds()[0]["status"], "failed");
    assert_eq!(shop.stripe.charges()[0]["amount_refunded"], 0);
    assert!(kinds(&shop.stripe.events()).contains(&"refund.failed".to_owned()));
}

#[tokio::test]
async fn disputes_and_slow_methods_tell_their_story_in_events() {
    let shop = Shop::open(Options::default()).await;
    let intent = shop.paid_intent().await;
    let dispute = shop.stripe.dispute(&intent, "fraudulent").expect("a payment can be disputed once");
    assert!(shop.stripe.dispute(&intent, "fraudulent").is_err());
    let (_, _, refused) = shop.post("/v1/refunds", &[("payment_intent", &intent)], None).await;
    assert_eq!(refused["error"]["code"], "charge_disputed");
    shop.stripe.close_dispute(&dispute, true).expect("it is open");
    assert_eq!(shop.post("/v1/refunds", &[("payment_intent", &intent)], None).await.0, 200);

    let slow = shop.session().await;
    shop.stripe.pay(&slow, Outcome::PaidLater).expect("it is open");
    let session = shop.stripe.session(&slow).expect("it exists");
    assert_eq!((session["status"].as_str(), session["payment_status"].as_str()), (Some("complete"), Some("unpaid")));
    shop.stripe.settle(&slow, true).expect("it is under way");
    assert_eq!(shop.stripe.session(&slow).expect("it exists")["payment_status"], "paid");
    let events = kinds(&shop.stripe.events());
    for kind in ["charge.dispute.created", "charge.dispute.closed", "checkout.session.async_payment_succeeded"] {
        assert!(events.contains(&kind.to_owned()), "{kind} in {events:?}");
    }
}

#[tokio::test]
async fn lists_are_newest_first_and_paged() {
    let shop = Shop::open(Options::default()).await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(shop.session().await);
    }
    let (_, first) = shop.get("/v1/checkout/sessions?limit=2").await;
    assert_eq!((&first["data"][0]["id"], &first["has_more"]), (&json!(ids[2]), &json!(true)));
    let (_, rest) = shop.get(&format!("/v1/checkout/sessions?limit=2&starting_after={}", ids[1])).await;
    assert_eq!((rest["data"].as_array().map(Vec::len), &rest["has_more"]), (Some(1), &json!(false)));
    shop.stripe.pay(&ids[0], Outcome::Paid).expect("it is open");
    let (_, complete) =
        shop.get("/v1/checkout/sessions?status=complete&expand[]=data.payment_intent.latest_charge").await;
    assert_eq!(complete["data"][0]["payment_intent"]["latest_charge"]["paid"], true);
    let (_, recent) = shop.get(&format!("/v1/events?created[gte]={}&limit=100", shop.stripe.now() - 60)).await;
    assert_eq!(recent["data"].as_array().map(Vec::len), Some(4));
    let (_, none) = shop.get(&format!("/v1/events?created[lt]={}", shop.stripe.now() - 60)).await;
    assert_eq!(none["data"].as_array().map(Vec::len), Some(0));
    assert_eq!(shop.get("/v1/events?limit=101").await.0, 400);
    assert_eq!(shop.get("/v1/events?kind=x").await.1["error"]["code"], "parameter_unknown");
    assert_eq!(shop.get("/v1/nothing").await.0, 404);
}

#[tokio::test]
async fn the_pay_page_says_it_is_none_and_has_one_button_per_outcome() {
    let shop = Shop::open(Options::default()).await;
    let session = shop.session().await;
    let url = text(&shop.stripe.session(&session).expect("it exists")["url"]);
    let page = shop.http.get(&url).send().await.expect("it answers");
    let policy = page.headers()["content-security-policy"].to_str().expect("ASCII").to_owned();
    assert!(policy.contains("form-action 'self' http://127.0.0.1:8080"), "{policy}");
    let html = page.text().await.expect("it is text");
    assert!(html.contains("Paiement de démonstration") && html.contains("aucun vrai paiement"));
    assert!(html.contains("80,00\u{a0}€") && html.contains("Acompte – Hirondelle"));
    for outcome in ["paid", "declined", "webhook_lost", "webhook_late", "webhook_doubled", "expire"] {
        assert_eq!(html.matches(&format!("name=\"outcome\" value=\"{outcome}\"")).count(), 1, "{outcome}");
    }
    let submit =
        async |outcome: &str| shop.http.post(&url).form(&[("outcome", outcome)]).send().await.expect("it answers");
    let declined = submit("declined").await;
    assert_eq!(declined.status(), 200);
    assert!(declined.text().await.expect("it is text").contains("refusée par la banque"));
    assert_eq!(submit("nonsense").await.status(), 400);
    let paid = submit("paid").await;
    assert_eq!(paid.status(), 303);
    assert_eq!(
        paid.headers()["location"].to_str().ok(),
        Some(format!("http://127.0.0.1:8080/booking/success?id=1&s={session}").as_str())
    );
    assert_eq!(submit("paid").await.status(), 409);
    assert!(
        shop.http.get(&url).send().await.expect("it answers").text().await.expect("text").contains("déjà enregistré")
    );

    let other = shop.session().await;
    let url = text(&shop.stripe.session(&other).expect("it exists")["url"]);
    let expired = shop.http.post(&url).form(&[("outcome", "expire")]).send().await.expect("it answers");
    assert_eq!(expired.headers()["location"], "http://127.0.0.1:8080/booking/cancel?id=1");
    assert_eq!(shop.http.get(&url).send().await.expect("it answers").status(), 410);
}

#[tokio::test]
async fn the_state_survives_a_restart_and_the_switches_work_over_http() {
    let folder = std::env::temp_dir().join(format!("stripe-stand-in-{}", uuid::Uuid::now_v7()));
    let options = || Options { state_file: Some(folder.join("stripe.json")), ..Options::default() };
    let shop = Shop::open(options()).await;
    let intent = shop.paid_intent().await;
    let params = shop.session_params();
    let (_, _, session) = shop.create_with(&params, Some("k")).await;
    let dispute = shop.stripe.dispute(&intent, "fraudulent").expect("it is paid");
    shop.stripe.declare_account("acct_1LeaStandIn00001").expect("an account");
    let (disputes, balance) = (shop.stripe.disputes(), shop.stripe.balance(None, "eur"));
    drop(shop);

    let mut shop = Shop::open(options()).await;
    assert_eq!((shop.stripe.disputes(), shop.stripe.balance(None, "eur")), (disputes, balance));
    assert!(shop.stripe.close_dispute(&dispute, false).is_ok());
    shop.account = Some("acct_1LeaStandIn00001");
    assert_eq!(shop.get("/v1/events").await.0, 200);
    shop.account = None;
    assert_eq!(shop.get(&format!("/v1/payment_intents/{intent}")).await.1["status"], "succeeded");
    let (_, headers, replayed) = shop.create_with(&params, Some("k")).await;
    assert_eq!(
        (replayed["id"].as_str(), &headers["idempotent-replayed"]),
        (session["id"].as_str(), &"true".parse().expect("ASCII"))
    );

    let control = shop.stripe.url() + "/_control/switches";
    let on = shop.http.post(&control).json(&json!({"down": "internal_error"})).send().await.expect("it answers");
    assert_eq!(on.status(), 200);
    assert_eq!(shop.get("/v1/events").await.0, 500);
    let unknown = shop.http.post(&control).json(&json!({"dwon": "cut"})).send().await.expect("it answers");
    assert_eq!(unknown.status(), 400);
    let foreign = shop.http.post(&control).header("sec-fetch-site", "cross-site").json(&json!({})).send().await;
    assert_eq!(foreign.expect("it answers").status(), 403);
    std::fs::remove_dir_all(&folder).expect("the folder is ours");
}
