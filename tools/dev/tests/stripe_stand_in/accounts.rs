//! Connected accounts: what is whose, and who is told.

use dev::stripe::{Options, Outcome};
use serde_json::{Value, json};

use crate::shop::{KEY, SECRET, Shop, kinds, receiver, text};

const LEA: &str = "acct_1LeaStandIn00001";
const NOUR: &str = "acct_1NourStandIn0001";

#[tokio::test]
async fn only_a_declared_account_may_be_acted_for() {
    let mut shop = Shop::open(Options::default()).await;
    shop.account = Some(LEA);
    let (status, refused) = shop.get("/v1/events").await;
    assert_eq!((status, &refused["error"]["code"]), (403, &json!("account_invalid")));
    let control = shop.stripe.url() + "/_control/accounts";
    let declare = async |id: &str| {
        shop.http.post(&control).json(&json!({"id": id})).send().await.expect("it answers").status().as_u16()
    };
    assert_eq!((declare("lea").await, declare(LEA).await), (409, 200));
    assert_eq!(shop.get("/v1/events").await.0, 200);
    shop.account = Some(NOUR);
    assert_eq!(shop.get("/v1/events").await.0, 403);
    shop.stripe.declare_account(NOUR).expect("an account");
    assert_eq!(shop.get("/v1/webhook_endpoints").await.0, 400, "those are the platform's");
}

#[tokio::test]
async fn nobody_sees_or_touches_what_belongs_to_another_account() {
    let mut shop = Shop::open(Options::default()).await;
    shop.stripe.declare_account(LEA).expect("an account");
    shop.stripe.declare_account(NOUR).expect("an account");
    shop.account = Some(LEA);
    let params = shop.session_params();
    let (_, _, session) = shop.create_with(&params, Some("checkout:1")).await;
    let session = text(&session["id"]);
    shop.stripe.pay(&session, Outcome::Paid).expect("it is open");
    let intent = text(&shop.stripe.payment_intents()[0]["id"]);
    let charge = text(&shop.stripe.charges()[0]["id"]);
    let (_, _, refund) = shop.post("/v1/refunds", &[("payment_intent", &intent), ("amount", "1000")], None).await;
    let dispute = shop.stripe.dispute(&intent, "fraudulent").expect("it is paid");
    let (_, movements) = shop.get("/v1/balance_transactions").await;
    let event = text(&shop.stripe.events()[0]["id"]);
    let paths = [
        format!("/v1/checkout/sessions/{session}"),
        format!("/v1/payment_intents/{intent}"),
        format!("/v1/charges/{charge}"),
        format!("/v1/refunds/{}", text(&refund["id"])),
        format!("/v1/disputes/{dispute}"),
        format!("/v1/balance_transactions/{}", text(&movements["data"][0]["id"])),
        format!("/v1/events/{event}"),
    ];
    let lists =
        ["checkout/sessions", "payment_intents", "charges", "refunds", "disputes", "balance_transactions", "events"];
    for (account, status) in [(Some(LEA), 200), (Some(NOUR), 404), (None, 404)] {
        shop.account = account;
        for path in &paths {
            assert_eq!(shop.get(path).await.0, status, "{path} as {account:?}");
        }
        for list in lists {
            let rows = shop.get(&format!("/v1/{list}")).await.1["data"].as_array().map(Vec::len);
            assert_eq!(rows != Some(0), account == Some(LEA), "{list} as {account:?}");
        }
        let cents = shop.get("/v1/balance").await.1["pending"][0]["amount"].as_i64().expect("cents");
        assert_eq!(cents, shop.stripe.balance(account, "eur"));
        assert_eq!(cents != 0, account == Some(LEA));
    }
    shop.account = Some(NOUR);
    assert_eq!(shop.post("/v1/refunds", &[("payment_intent", &intent)], None).await.0, 400);
    assert_eq!(shop.post("/v1/refunds", &[("charge", &charge)], None).await.0, 400);
    assert_eq!(shop.post(&format!("/v1/disputes/{dispute}/close"), &[], None).await.0, 404);
    assert_eq!(shop.post(&format!("/v1/disputes/{dispute}"), &[("submit", "true")], None).await.0, 404);
    assert_eq!(shop.post(&format!("/v1/checkout/sessions/{session}/expire"), &[], None).await.0, 404);
    assert_eq!(shop.get(&format!("/v1/refunds?starting_after={}", text(&refund["id"]))).await.0, 400);
    let (_, headers, other) = shop.create_with(&params, Some("checkout:1")).await;
    assert!(!headers.contains_key("idempotent-replayed"), "each account has keys of its own");
    assert_ne!(other["id"], session.as_str());
}

#[tokio::test]
async fn what_happens_in_an_account_is_told_to_endpoints_for_accounts_only() {
    let (own, own_letters) = receiver(0).await;
    let mut shop = Shop::open(Options { webhook_url: Some(own), ..Options::default() }).await;
    shop.stripe.declare_account(LEA).expect("an account");
    let (connected, letters) = receiver(0).await;
    let params = [("url", connected.as_str()), ("enabled_events[]", "*"), ("connect", "true")];
    let (status, _, endpoint) = shop.post("/v1/webhook_endpoints", &params, None).await;
    assert_eq!(status, 200, "{endpoint}");
    assert_ne!(endpoint["secret"], SECRET);
    letters.lock().expect("no receiver panics").secret = text(&endpoint["secret"]);

    shop.paid_intent().await;
    shop.stripe.settled().await;
    let heard = || (own_letters.lock().expect("no panic").took.len(), letters.lock().expect("no panic").took.len());
    assert_eq!(heard(), (4, 0));
    shop.account = Some(LEA);
    shop.paid_intent().await;
    shop.stripe.settled().await;
    assert_eq!(heard(), (4, 4));
    assert!(letters.lock().expect("no panic").took.iter().all(|event| event["account"] == LEA));
    assert!(own_letters.lock().expect("no panic").took.iter().all(|event| event.get("account").is_none()));

    let (_, mine) = shop.get("/v1/events").await;
    let mine = mine["data"].as_array().cloned().expect("a list");
    assert_eq!((mine.len(), &mine[0]["account"]), (4, &json!(LEA)));
    assert!(kinds(&mine).contains(&"checkout.session.completed".to_owned()));
    let url = shop.stripe.url() + "/v1/events";
    let all = shop.http.get(url).bearer_auth(KEY).send().await.expect("it answers").json::<Value>().await;
    assert_eq!(all.expect("JSON")["data"].as_array().map(Vec::len), Some(4), "the platform's own");
}
