//! Disputes as banks have them: several on one payment, inquiries, appeals, and the money of each.

use dev::stripe::{DisputeStatus, NewDispute, Options};
use serde_json::{Value, json};

use crate::shop::{KEY, Shop, kinds, text};

impl Shop {
    async fn dispute(&self, id: &str) -> Value {
        let (status, dispute) = self.get(&format!("/v1/disputes/{id}")).await;
        assert_eq!(status, 200, "{dispute}");
        dispute
    }

    fn opened(&self, payment: &str, amount: impl Into<Option<i64>>, status: DisputeStatus) -> String {
        let new = NewDispute { amount: amount.into(), status, ..NewDispute::default() };
        self.stripe.open_dispute(payment, &new).expect("a payment can be disputed")
    }

    /// What has been told about disputes since that many events.
    fn told_since(&self, events: usize) -> Vec<String> {
        kinds(&self.stripe.events()[events..])
            .into_iter()
            .filter_map(|kind| kind.strip_prefix("charge.dispute.").map(str::to_owned))
            .collect()
    }

    fn told(&self) -> usize {
        self.stripe.events().len()
    }
}

/// The amount and the fee of each movement.
fn moved(dispute: &Value) -> Vec<(i64, i64)> {
    let cents = |movement: &Value, name: &str| movement[name].as_i64().expect("cents");
    let movements = dispute["balance_transactions"].as_array().expect("a list");
    movements.iter().map(|movement| (cents(movement, "amount"), cents(movement, "fee"))).collect()
}

#[tokio::test]
async fn a_chargeback_takes_the_money_and_a_fee_at_once() {
    let shop = Shop::open(Options::default()).await;
    let intent = shop.paid_intent().await;
    let before = shop.stripe.balance(None, "eur");
    let told = shop.told();
    let id = shop.stripe.dispute(&intent, "product_not_received").expect("it is paid");
    assert_eq!(shop.told_since(told), ["created", "funds_withdrawn"]);
    let events = shop.stripe.events();
    assert_eq!(moved(&events[told]["data"]["object"]), [], "nothing had moved when it began");
    assert_eq!(moved(&events[told + 1]["data"]["object"]), [(-8000, 2000)]);
    let dispute = shop.dispute(&id).await;
    assert_eq!((&dispute["status"], &dispute["reason"]), (&json!("needs_response"), &json!("product_not_received")));
    assert_eq!((&dispute["amount"], &dispute["is_charge_refundable"]), (&json!(8000), &json!(false)));
    assert_eq!(dispute["evidence_details"]["due_by"], json!(shop.stripe.now() + 9 * 86_400));
    assert_eq!(dispute["evidence_details"]["submission_method"], "not_submitted");
    assert_eq!(dispute["payment_method_details"]["card"]["case_type"], "chargeback");
    let withdrawal = &dispute["balance_transactions"][0];
    assert_eq!(
        ["type", "reporting_category", "source", "currency"].map(|name| withdrawal[name].as_str()),
        [Some("adjustment"), Some("dispute"), Some(id.as_str()), Some("eur")]
    );
    assert_eq!((&withdrawal["net"], &withdrawal["fee_details"][0]["amount"]), (&json!(-10_000), &json!(2000)));
    assert_eq!(shop.stripe.balance(None, "eur"), before - 10_000);

    let told = shop.told();
    shop.stripe.close_dispute(&id, true).expect("it is open");
    assert_eq!(shop.told_since(told), ["closed", "funds_reinstated"]);
    let dispute = shop.dispute(&id).await;
    assert_eq!(moved(&dispute), [(-8000, 2000), (8000, 0)]);
    assert_eq!(dispute["balance_transactions"][1]["reporting_category"], "dispute_reversal");
    assert_eq!(shop.stripe.balance(None, "eur"), before - 2000, "the fee is not returned");
    assert_eq!(shop.stripe.charges()[0]["disputed"], true, "it was disputed once");
    assert_eq!(shop.post("/v1/refunds", &[("payment_intent", &intent)], None).await.0, 200);
}

#[tokio::test]
async fn an_inquiry_moves_nothing_and_ends_when_everything_is_given_back() {
    let shop = Shop::open(Options::default()).await;
    let intent = shop.paid_intent().await;
    let told = shop.told();
    let id = shop.opened(&intent, None, DisputeStatus::WarningNeedsResponse);
    assert_eq!(shop.told_since(told), ["created"]);
    let dispute = shop.dispute(&id).await;
    assert_eq!((&dispute["is_charge_refundable"], moved(&dispute)), (&json!(true), vec![]));
    assert_eq!(dispute["payment_method_details"]["card"]["case_type"], "inquiry");
    assert!(shop.stripe.close_dispute(&id, false).is_err(), "an inquiry takes no money");

    let told = shop.told();
    let part = [("payment_intent", intent.as_str()), ("amount", "3000")];
    assert_eq!(shop.post("/v1/refunds", &part, None).await.0, 200);
    assert!(shop.told_since(told).is_empty());
    assert_eq!(shop.post("/v1/refunds", &[("payment_intent", &intent)], None).await.0, 200);
    assert_eq!(shop.told_since(told), ["closed"]);
    let dispute = shop.dispute(&id).await;
    assert_eq!((&dispute["status"], moved(&dispute)), (&json!("warning_closed"), vec![]));
}

#[tokio::test]
async fn an_inquiry_can_become_a_chargeback_about_what_is_left() {
    let shop = Shop::open(Options::default()).await;
    let intent = shop.paid_intent().await;
    let id = shop.opened(&intent, None, DisputeStatus::WarningNeedsResponse);
    assert_eq!(shop.post("/v1/refunds", &[("payment_intent", &intent), ("amount", "3000")], None).await.0, 200);
    let told = shop.told();
    shop.stripe.move_dispute(&id, DisputeStatus::NeedsResponse).expect("it becomes one");
    assert_eq!(shop.told_since(told), ["updated", "funds_withdrawn"]);
    assert_eq!(shop.stripe.events()[told]["data"]["previous_attributes"]["status"], "warning_needs_response");
    let dispute = shop.dispute(&id).await;
    assert_eq!((&dispute["amount"], moved(&dispute)), (&json!(5000), vec![(-5000, 2000)]));
    let (_, _, refused) = shop.post("/v1/refunds", &[("payment_intent", &intent)], None).await;
    assert_eq!(refused["error"]["code"], "charge_disputed");
}

#[tokio::test]
async fn a_lost_dispute_is_won_on_appeal_and_the_money_comes_back_once() {
    let shop = Shop::open(Options::default()).await;
    let intent = shop.paid_intent().await;
    let id = shop.stripe.dispute(&intent, "fraudulent").expect("it is paid");
    let told = shop.told();
    for status in [
        DisputeStatus::UnderReview,
        DisputeStatus::Lost,
        DisputeStatus::AppealNeedsResponse,
        DisputeStatus::AppealUnderReview,
        DisputeStatus::Won,
    ] {
        shop.stripe.move_dispute(&id, status).expect("that is the way");
        assert_eq!(shop.dispute(&id).await["status"], status.as_str());
    }
    assert_eq!(shop.told_since(told), ["updated", "closed", "updated", "updated", "closed", "funds_reinstated"]);
    assert_eq!(moved(&shop.dispute(&id).await), [(-8000, 2000), (8000, 0)]);
    assert!(shop.stripe.move_dispute(&id, DisputeStatus::Lost).is_err(), "a won one is over");
}

#[tokio::test]
async fn a_prevented_dispute_is_over_at_once_and_moves_nothing() {
    let shop = Shop::open(Options::default()).await;
    let intent = shop.paid_intent().await;
    let told = shop.told();
    let id = shop.opened(&intent, None, DisputeStatus::Prevented);
    assert_eq!(shop.told_since(told), ["created", "closed"]);
    let dispute = shop.dispute(&id).await;
    assert_eq!((moved(&dispute), &dispute["evidence_details"]["due_by"]), (vec![], &Value::Null));
    assert_eq!(shop.post("/v1/refunds", &[("payment_intent", &intent)], None).await.0, 200);
}

#[tokio::test]
async fn a_payment_has_as_many_disputes_as_have_room_in_it() {
    let shop = Shop::open(Options::default()).await;
    let intent = shop.paid_intent().await;
    let one = shop.opened(&intent, 2000, DisputeStatus::NeedsResponse);
    let two = shop.opened(&intent, 3000, DisputeStatus::WarningNeedsResponse);
    let beyond = NewDispute { amount: Some(3001), ..NewDispute::default() };
    assert!(shop.stripe.open_dispute(&intent, &beyond).is_err(), "3000 are left");
    let three = shop.stripe.dispute(&intent, "duplicate").expect("3000 are left");
    assert_eq!(shop.dispute(&three).await["amount"], 3000);
    assert!(shop.stripe.dispute(&intent, "duplicate").is_err(), "nothing is left");
    let (_, listed) = shop.get(&format!("/v1/disputes?payment_intent={intent}&limit=2")).await;
    assert_eq!((&listed["data"][0]["id"], &listed["has_more"]), (&json!(three), &json!(true)));
    let charge = text(&listed["data"][0]["charge"]);
    let (_, listed) = shop.get(&format!("/v1/disputes?charge={charge}&starting_after={two}")).await;
    assert_eq!((&listed["data"][0]["id"], &listed["data"][1]), (&json!(one), &Value::Null));

    shop.stripe.close_dispute(&one, false).expect("it is open");
    shop.stripe.close_dispute(&two, true).expect("it is open");
    let refund = async |amount: &str| {
        shop.post("/v1/refunds", &[("payment_intent", intent.as_str()), ("amount", amount)], None).await.0
    };
    assert_eq!(refund("1").await, 400, "the third is open");
    shop.stripe.close_dispute(&three, true).expect("it is open");
    assert_eq!(refund("6001").await, 400, "2000 were lost");
    assert_eq!(refund("6000").await, 200);
    let (_, _, refused) = shop.post("/v1/refunds", &[("payment_intent", &intent)], None).await;
    assert_eq!(refused["error"]["code"], "charge_disputed", "the rest is the bank's");
}

#[tokio::test]
async fn an_answer_is_kept_and_sent_within_the_limits() {
    let shop = Shop::open(Options::default()).await;
    let intent = shop.paid_intent().await;
    let id = shop.stripe.dispute(&intent, "fraudulent").expect("it is paid");
    let path = format!("/v1/disputes/{id}");
    let told = shop.told();
    let draft = [
        ("evidence[product_description]", "A swallow"),
        ("metadata[case]", "7"),
        ("submit", "false"),
        ("expand[]", "charge"),
    ];
    let (status, _, dispute) = shop.post(&path, &draft, None).await;
    assert_eq!((status, &dispute["status"]), (200, &json!("needs_response")), "{dispute}");
    assert_eq!(
        (&dispute["evidence"]["product_description"], &dispute["metadata"]["case"]),
        (&json!("A swallow"), &json!("7"))
    );
    assert_eq!(
        (&dispute["evidence_details"]["has_evidence"], &dispute["charge"]["disputed"]),
        (&json!(true), &json!(true))
    );

    let long = "x".repeat(20_000);
    for (name, value, code, param) in [
        ("evidence[colour]", "red", "parameter_unknown", "evidence[colour]"),
        ("evidence[receipt]", "file_none", "resource_missing", "evidence[receipt]"),
        ("evidence[service_date]", "", "parameter_invalid_empty", "evidence[service_date]"),
        ("submit", "yes", "", "submit"),
    ] {
        let (status, _, refused) = shop.post(&path, &[(name, value)], None).await;
        assert_eq!(status, 400, "{name}");
        assert_eq!(refused["error"]["code"].as_str().unwrap_or_default(), code, "{refused}");
        assert_eq!(refused["error"]["param"], param, "{refused}");
    }
    let names = [
        "evidence[access_activity_log]",
        "evidence[cancellation_policy_disclosure]",
        "evidence[cancellation_rebuttal]",
        "evidence[duplicate_charge_explanation]",
        "evidence[refund_policy_disclosure]",
        "evidence[refund_refusal_explanation]",
        "evidence[uncategorized_text]",
        "evidence[customer_name]",
    ];
    let too_much: Vec<(&str, &str)> = names.iter().map(|name| (*name, long.as_str())).collect();
    let (status, _, refused) = shop.post(&path, &too_much, None).await;
    assert_eq!((status, &refused["error"]["param"]), (400, &json!("evidence")), "160 000 characters");
    assert_eq!(shop.post(&path, &[("evidence[uncategorized_text]", &format!("{long}x"))], None).await.0, 400);

    let (status, _, dispute) = shop.post(&path, &[("submit", "true")], Some("answer")).await;
    assert_eq!((status, &dispute["status"]), (200, &json!("under_review")));
    assert_eq!(dispute["evidence_details"]["submission_count"], 1);
    assert_eq!(dispute["evidence_details"]["submission_method"], "manual");
    assert_eq!(shop.told_since(told), ["updated", "updated"]);
    let late = [("evidence[customer_name]", "Camille")];
    assert_eq!(shop.post(&path, &late, None).await.0, 400, "it has been sent");
    shop.stripe.close_dispute(&id, false).expect("it is open");
    let (status, _, refused) = shop.post(&path, &late, Some("late")).await;
    assert_eq!((status, &refused["error"]["type"]), (400, &json!("invalid_request_error")));
    assert!(shop.post(&path, &late, Some("late")).await.1.contains_key("idempotent-replayed"), "it was executed");
    assert_eq!(shop.post(&path, &[("metadata[case]", "")], None).await.2["metadata"], json!({}));
}

#[tokio::test]
async fn evidence_is_sent_unless_it_is_said_otherwise_and_a_dispute_can_be_given_up() {
    let shop = Shop::open(Options::default()).await;
    let (asked, charged) = (shop.paid_intent().await, shop.paid_intent().await);
    let inquiry = shop.opened(&asked, None, DisputeStatus::WarningNeedsResponse);
    let evidence = [("evidence[uncategorized_text]", "They came.")];
    let (_, _, dispute) = shop.post(&format!("/v1/disputes/{inquiry}"), &evidence, None).await;
    assert_eq!(dispute["status"], "warning_under_review");
    assert_eq!(shop.post(&format!("/v1/disputes/{inquiry}/close"), &[], None).await.0, 400);

    let id = shop.stripe.dispute(&charged, "fraudulent").expect("it is paid");
    let (status, _, dispute) = shop.post(&format!("/v1/disputes/{id}/close"), &[], None).await;
    assert_eq!((status, &dispute["status"]), (200, &json!("lost")));
    assert_eq!(shop.post(&format!("/v1/disputes/{id}/close"), &[], None).await.0, 400);
    assert_eq!(shop.get("/v1/disputes/du_none").await.0, 404);
}

#[tokio::test]
async fn disputes_are_opened_and_moved_over_http() {
    let shop = Shop::open(Options::default()).await;
    let intent = shop.paid_intent().await;
    let control = async |path: &str, body: Value| {
        let answer = shop.http.post(format!("{}/_control/disputes{path}", shop.stripe.url())).json(&body).send().await;
        let answer = answer.expect("it answers");
        (answer.status().as_u16(), answer.json::<Value>().await.expect("JSON"))
    };
    let new = json!({"payment": intent, "amount": 2500, "status": "warning_needs_response", "due_in_days": 3});
    let (status, opened) = control("", new).await;
    assert_eq!(status, 200, "{opened}");
    let id = text(&opened["id"]);
    let dispute = shop.dispute(&id).await;
    assert_eq!(
        (&dispute["amount"], &dispute["evidence_details"]["due_by"]),
        (&json!(2500), &json!(shop.stripe.now() + 3 * 86_400))
    );
    let (status, illegal) = control(&format!("/{id}/move"), json!({"status": "won"})).await;
    assert_eq!(status, 409);
    assert!(text(&illegal["error"]).contains("is warning_needs_response: it cannot become won"), "{illegal}");
    assert_eq!(control(&format!("/{id}/move"), json!({"status": "needs_response"})).await.0, 200);
    assert_eq!(control(&format!("/{id}/close"), json!({"won": true})).await.0, 200);
    assert_eq!(control("", json!({"payment": intent, "reason": "bored"})).await.0, 409);
    assert_eq!(control("", json!({"payment": intent, "status": "under_review"})).await.0, 409);
    assert_eq!(control("", json!({"payment": intent, "due_in_days": i64::MAX})).await.0, 409);
    let rest = control("", json!({"payment": intent})).await.1;
    assert_eq!(shop.dispute(&text(&rest["id"])).await["amount"], 8000, "the first was won");
    let listed = shop.http.get(shop.stripe.url() + "/v1/disputes").bearer_auth(KEY).send().await.expect("it answers");
    assert_eq!(listed.json::<Value>().await.expect("JSON")["data"].as_array().map(Vec::len), Some(2));
}
