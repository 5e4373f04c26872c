//! Where each cent is: payments with their fees, refunds in every state, and the balance as the sum of all.

use std::time::Duration;

use dev::stripe::{NewDispute, Options, RefundMode};
use serde_json::{Value, json};

use crate::shop::{Shop, kinds, text};

impl Shop {
    async fn refund(&self, intent: &str, amount: &str) -> Value {
        let (status, _, refund) =
            self.post("/v1/refunds", &[("payment_intent", intent), ("amount", amount)], None).await;
        assert_eq!(status, 200, "{refund}");
        refund
    }

    async fn amounts_of(&self, source: &str) -> Vec<(String, i64)> {
        let (_, list) = self.get(&format!("/v1/balance_transactions?source={source}")).await;
        let rows = list["data"].as_array().expect("a list");
        rows.iter().map(|row| (text(&row["type"]), row["amount"].as_i64().expect("cents"))).collect()
    }
}

#[tokio::test]
async fn a_payment_shows_its_charge_and_what_stripe_kept_of_it() {
    let shop = Shop::open(Options::default()).await;
    let intent = shop.paid_intent().await;
    let (_, whole) =
        shop.get(&format!("/v1/payment_intents/{intent}?expand[]=latest_charge.balance_transaction")).await;
    let charge = &whole["latest_charge"];
    assert_eq!(
        (&charge["disputed"], &charge["refunded"], &charge["amount_refunded"]),
        (&json!(false), &json!(false), &json!(0))
    );
    let movement = &charge["balance_transaction"];
    assert_eq!((&movement["type"], &movement["amount"]), (&json!("charge"), &json!(8000)));
    assert_eq!((&movement["fee"], &movement["net"]), (&json!(145), &json!(7855)), "1.5 % and 25 cents");
    assert_eq!(movement["fee_details"][0]["type"], "stripe_fee");
    assert_eq!((&movement["created"], &movement["source"]), (&charge["created"], &charge["id"]));
    let id = text(&charge["id"]);
    let (_, alone) = shop.get(&format!("/v1/charges/{id}?expand[]=payment_intent")).await;
    assert_eq!(alone["payment_intent"]["id"], intent.as_str());
    shop.paid_intent().await;
    let (_, listed) = shop.get(&format!("/v1/charges?payment_intent={intent}&expand[]=data.balance_transaction")).await;
    assert_eq!(listed["data"].as_array().map(Vec::len), Some(1));
    assert_eq!(listed["data"][0]["balance_transaction"]["net"], 7855);
    assert_eq!(shop.get(&format!("/v1/charges/{id}?expand[]=outcome")).await.0, 400);
}

#[tokio::test]
async fn a_refund_that_fails_comes_back_as_a_movement_of_its_own() {
    let shop = Shop::open(Options::default()).await;
    shop.stripe.switch(|switches| switches.refunds = RefundMode::StayPending);
    let intent = shop.paid_intent().await;
    let before = shop.stripe.balance(None, "eur");
    let refund = shop.refund(&intent, "3000").await;
    let id = text(&refund["id"]);
    assert_eq!((&refund["status"], &refund["pending_reason"]), (&json!("pending"), &json!("processing")));
    assert_eq!(shop.stripe.balance(None, "eur"), before - 3000, "it is on its way");
    let told = shop.stripe.events().len();
    assert!(shop.stripe.fail_refund(&id, "bad weather").is_err());
    shop.stripe.fail_refund(&id, "declined").expect("it is pending");
    assert_eq!(kinds(&shop.stripe.events()[told..]), ["refund.failed", "refund.updated", "charge.refund.updated"]);
    let (_, failed) = shop.get(&format!("/v1/refunds/{id}?expand[]=failure_balance_transaction")).await;
    assert_eq!((&failed["status"], &failed["failure_reason"]), (&json!("failed"), &json!("declined")));
    assert_eq!(failed["failure_balance_transaction"]["type"], "refund_failure");
    assert_eq!(shop.amounts_of(&id).await, [("refund_failure".to_owned(), 3000), ("refund".to_owned(), -3000)]);
    assert_eq!(shop.stripe.balance(None, "eur"), before);
    assert_eq!(shop.stripe.charges()[0]["amount_refunded"], 0);
    assert!(shop.stripe.cancel_refund(&id).is_err() && shop.stripe.complete_refund(&id).is_err());
}

#[tokio::test]
async fn a_refund_can_wait_for_the_customer_and_be_called_off() {
    let shop = Shop::open(Options::default()).await;
    shop.stripe.switch(|switches| switches.refunds = RefundMode::RequiresAction);
    let intent = shop.paid_intent().await;
    let before = shop.stripe.balance(None, "eur");
    let (one, two) = (shop.refund(&intent, "3000").await, shop.refund(&intent, "1000").await);
    assert_eq!((&one["status"], &one["balance_transaction"]), (&json!("requires_action"), &Value::Null));
    assert_eq!(one["next_action"]["display_details"]["email_sent"]["email_sent_to"], "camille@example.com");
    assert_eq!(
        (shop.stripe.balance(None, "eur"), &shop.stripe.charges()[0]["amount_refunded"]),
        (before, &json!(4000))
    );

    let cancel = format!("/v1/refunds/{}/cancel", text(&one["id"]));
    let told = shop.stripe.events().len();
    let (status, _, canceled) = shop.post(&cancel, &[], None).await;
    assert_eq!((status, &canceled["status"]), (200, &json!("canceled")));
    assert_eq!(kinds(&shop.stripe.events()[told..]), ["refund.updated", "charge.refund.updated"]);
    assert_eq!(shop.post(&cancel, &[], None).await.0, 400, "it is off already");
    assert_eq!(shop.post("/v1/refunds/re_none/cancel", &[], None).await.0, 404);
    shop.stripe.complete_refund(&text(&two["id"])).expect("it waits");
    assert_eq!(shop.stripe.balance(None, "eur"), before - 1000);
    assert_eq!(shop.stripe.charges()[0]["amount_refunded"], 1000);
    assert_eq!(shop.post(&format!("/v1/refunds/{}/cancel", text(&two["id"])), &[], None).await.0, 400);

    shop.stripe.switch(|switches| switches.refunds = RefundMode::CancelLater);
    let three = shop.refund(&intent, "500").await;
    assert_eq!(three["status"], "pending");
    shop.stripe.settled().await;
    assert_eq!(shop.stripe.refunds()[2]["status"], "canceled");
    assert_eq!(shop.stripe.balance(None, "eur"), before - 1000);
}

#[tokio::test]
async fn a_refund_that_the_balance_does_not_cover_is_refused_and_stays_refused_under_its_key() {
    let shop = Shop::open(Options::default()).await;
    shop.stripe.switch(|switches| switches.balance = Some(4000));
    let intent = shop.paid_intent().await;
    let ask = async |key: &str| {
        shop.post("/v1/refunds", &[("payment_intent", intent.as_str()), ("amount", "3000")], Some(key)).await
    };
    assert_eq!(ask("one").await.0, 200);
    let (status, _, refused) = ask("two").await;
    assert_eq!((status, &refused["error"]["code"]), (400, &json!("balance_insufficient")), "{refused}");
    shop.stripe.switch(|switches| switches.balance = Some(3000));
    let (status, headers, replayed) = ask("two").await;
    assert_eq!((status, &replayed), (400, &refused));
    assert_eq!(headers["idempotent-replayed"], "true");
    assert_eq!(ask("three").await.0, 200);
    shop.stripe.switch(|switches| assert_eq!(switches.balance, Some(0)));
}

#[tokio::test]
async fn the_balance_is_the_sum_of_all_movements() {
    let shop = Shop::open(Options::default()).await;
    let [refunded, failed, disputed, won, lost] = [
        shop.paid_intent().await,
        shop.paid_intent().await,
        shop.paid_intent().await,
        shop.paid_intent().await,
        shop.paid_intent().await,
    ];
    shop.refund(&refunded, "1234").await;
    let back = shop.refund(&failed, "8000").await;
    shop.stripe.fail_refund(&text(&back["id"]), "unknown").expect("banks do that");
    shop.stripe.open_dispute(&disputed, &NewDispute { amount: Some(777), ..NewDispute::default() }).expect("paid");
    for (payment, is_won) in [(&won, true), (&lost, false)] {
        let id = shop.stripe.dispute(payment, "general").expect("it is paid");
        shop.stripe.close_dispute(&id, is_won).expect("it is open");
    }
    let expected = 5 * 7855 - 1234 - 777 - 8000 - 3 * 2000;
    let (_, first) = shop.get("/v1/balance_transactions?limit=7").await;
    let last = text(&first["data"][6]["id"]);
    let (_, rest) = shop.get(&format!("/v1/balance_transactions?limit=100&starting_after={last}")).await;
    let rows: Vec<Value> =
        [first, rest].iter().flat_map(|page| page["data"].as_array().cloned().expect("a list")).collect();
    assert_eq!(rows.len(), 12);
    let nets: i64 = rows.iter().map(|row| row["net"].as_i64().expect("cents")).sum();
    for row in &rows {
        assert_eq!(
            row["net"].as_i64(),
            Some(row["amount"].as_i64().expect("cents") - row["fee"].as_i64().expect("cents"))
        );
        assert_eq!(shop.get(&format!("/v1/balance_transactions/{}", text(&row["id"]))).await.1, *row);
    }
    let (_, balance) = shop.get("/v1/balance").await;
    let sides = ["available", "pending"].map(|side| balance[side][0]["amount"].as_i64().expect("cents"));
    assert_eq!((nets, sides[0] + sides[1]), (expected, expected));
    assert_eq!(sides[0], 0, "it has to wait");
    shop.stripe.advance(Duration::from_secs(5 * 86_400));
    assert_eq!(shop.get("/v1/balance").await.1["available"][0]["amount"], expected);

    let of_type = async |kind: &str| shop.get(&format!("/v1/balance_transactions?type={kind}")).await;
    assert_eq!(of_type("adjustment").await.1["data"].as_array().map(Vec::len), Some(4));
    assert_eq!(of_type("payout").await.1["data"].as_array().map(Vec::len), Some(0));
    assert_eq!(of_type("tip").await.0, 400);
    let (_, none) = shop.get(&format!("/v1/balance_transactions?created[lt]={}", shop.stripe.now() - 6 * 86_400)).await;
    assert_eq!(none["data"].as_array().map(Vec::len), Some(0));
    assert_eq!(shop.get("/v1/balance_transactions?payout=po_none").await.1["error"]["code"], "resource_missing");
    assert_eq!(shop.get("/v1/balance_transactions/txn_none").await.0, 404);
}
