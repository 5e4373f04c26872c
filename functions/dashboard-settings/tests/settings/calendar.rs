//! The way into Cal.com: kept sealed, tried in words.

use shared::domain::ids::ArtistId;

use super::*;

const KEY: &str = "cal_test_noa_6f1d2c9b7a5e4038";

fn noa() -> Value {
    json!({ "username": "noa-keller", "event_type_id": 4_210_001, "api_key": KEY, "create_at": "booking" })
}

/// The checks of a test by name: whether each is as it should be.
fn verdicts(answer: &Answer) -> Vec<(&str, bool)> {
    let checks = answer.body["checks"].as_array().expect("checks");
    checks.iter().map(|check| (check["name"].as_str().expect("a name"), check["ok"] == true)).collect()
}

fn check<'a>(answer: &'a Answer, name: &str) -> &'a Value {
    let checks = answer.body["checks"].as_array().expect("checks");
    checks.iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("{name}: {}", answer.body))
}

#[test]
fn a_connection_is_made_seen_without_its_key_and_ended() {
    World::run(|world| async move {
        let before = get(world, &LEA, "calendar").await;
        assert_eq!((&before["connected"], &before["has_key"]), (&json!(false), &json!(false)));
        let made = put(world, &LEA, "calendar", noa()).await;
        assert_eq!(
            (made.status, &made.body["connected"], &made.body["webhook"]),
            (200, &json!(true), &json!("subscribed")),
            "{}",
            made.body
        );
        let seen = get(world, &LEA, "calendar").await;
        assert_eq!(seen["webhook_url"], format!("{PUBLIC_URL}/api/webhooks/calcom?artist={}", LEA.id));
        assert!(!seen.to_string().contains("6f1d") && !made.body.to_string().contains("6f1d"), "{seen}");

        let row = world.rows(&format!("select * from artists where id = '{}'", LEA.id), &[]).await.remove(0);
        assert!(!row.to_string().contains("cal_test"), "the database alone tells no key");
        assert!(!slots(world, LEA.slug, "2027-02-04").await.is_empty(), "slots come from Cal.com now");
        // The key is kept when none is sent.
        let mut kept = noa();
        kept.as_object_mut().expect("an object").remove("api_key");
        kept["create_at"] = "payment".into();
        assert_eq!(put(world, &LEA, "calendar", kept).await.body["create_at"], "payment");
        let opened = world.calendars();
        let sealed: Vec<u8> = world
            .owner
            .query_typed(
                "select cal_com_api_key, cal_com_webhook_secret from artists where id = $1",
                &[(&LEA.id, tokio_postgres::types::Type::UUID)],
            )
            .await
            .expect("a row")[0]
            .get(0);
        let key = opened.vault().open(ArtistId::new(LEA.id).uuid(), &sealed).expect("sealed for her");
        assert_eq!(key.expose(), KEY);

        assert_eq!(ask(world, &LEA, "DELETE", "calendar", None).await.status, 204);
        assert_eq!(get(world, &LEA, "calendar").await["connected"], false);
        let gone = world
            .rows(&format!("select cal_com_api_key, cal_com_webhook_secret from artists where id = '{}'", LEA.id), &[])
            .await;
        assert_eq!(gone[0], json!({ "cal_com_api_key": null, "cal_com_webhook_secret": null }));
    });
}

#[test]
fn cal_com_is_told_where_to_tell_of_changes_once_and_with_our_secret() {
    World::run(|world| async move {
        // The demo's own subscription is not in question.
        world.execute("update artists set cal_com_webhook_secret = null").await;
        for _ in 0..2 {
            assert_eq!(put(world, &NOA, "calendar", noa()).await.body["webhook"], "subscribed");
        }
        let app = app(world).await;
        let secrets = world
            .owner
            .query_typed(
                "select cal_com_webhook_secret from artists where id = $1",
                &[(&NOA.id, tokio_postgres::types::Type::UUID)],
            )
            .await
            .expect("a row");
        let secret =
            app.calendars.vault().open(NOA.id, secrets[0].get::<_, Vec<u8>>(0).as_slice()).expect("sealed for Noa");
        assert_eq!(secret.expose().len(), 64);
        let answer = reqwest::Client::new()
            .get(format!("{}/v2/event-types/4210001/webhooks", world.calcom.url()))
            .bearer_auth(KEY)
            .send()
            .await
            .expect("Cal.com answers");
        let listed: Value = serde_json::from_str(&answer.text().await.expect("text")).expect("JSON");
        let webhooks = listed["data"].as_array().expect("webhooks");
        assert_eq!(webhooks.len(), 1, "{listed}");
        assert_eq!(webhooks[0]["subscriberUrl"], format!("{PUBLIC_URL}/api/webhooks/calcom?artist={}", NOA.id));
    });
}

/// Another Cal.com, whose event type and hours are changed by `change`.
async fn studio(world: &World, change: impl FnOnce(&mut dev::calcom::User)) -> dev::calcom::StandIn {
    let mut options = testing::calcom_options(world);
    // Everything that Noa offers.
    options.users[0].event_types[0].lengths = vec![120, 210, 300];
    change(&mut options.users[0]);
    dev::calcom::StandIn::start(options).await.expect("it starts")
}

async fn tested_at(world: &World, calcom: &str, body: Value) -> Answer {
    let app = app_at(world, calcom).await;
    let request = request(world, &NOA, "POST", "calendar/test", Some(&body));
    testing::ask(&world.web(), request, |request| handle(&app, request)).await
}

#[test]
fn a_connection_that_works_says_so() {
    World::run(|world| async move {
        let calcom = studio(world, |_| {}).await;
        let tested = tested_at(world, &calcom.url(), noa()).await;
        assert_eq!((tested.status, &tested.body["ok"]), (200, &json!(true)), "{}", tested.body);
        assert_eq!(
            verdicts(&tested),
            [("key", true), ("username", true), ("event_type", true), ("cancelling", true), ("slots", true)]
        );
        // With the key that is stored, and nothing written.
        let before = get(world, &NOA, "calendar").await;
        let mut stored = noa();
        stored.as_object_mut().expect("an object").remove("api_key");
        assert_eq!(tested_at(world, &calcom.url(), stored.clone()).await.body["ok"], true);
        assert_eq!(get(world, &NOA, "calendar").await, before);
        let nothing = post(world, &LEA, "calendar/test", stored).await;
        assert_eq!((nothing.status, nothing.pointers()), (422, vec!["#/api_key"]));
    });
}

#[test]
fn a_wrong_key_a_wrong_name_and_an_unknown_event_type_are_told_apart() {
    World::run(|world| async move {
        let with = |field: &str, value: Value| {
            let mut body = noa();
            body[field] = value;
            body
        };
        let wrong = post(world, &NOA, "calendar/test", with("api_key", json!("cal_test_of_nobody"))).await;
        assert_eq!((verdicts(&wrong), &wrong.body["ok"]), (vec![("key", false)], &json!(false)));
        assert_eq!(check(&wrong, "key")["detail"], "Cal.com refuse cette clé.");
        assert!(check(&wrong, "key")["advice"].as_str().expect("advice").contains("API keys"));

        let name = post(world, &NOA, "calendar/test", with("username", json!("somebody"))).await;
        assert_eq!(verdicts(&name)[1], ("username", false));
        assert!(check(&name, "username")["detail"].as_str().expect("words").contains("noa-keller"));

        let unknown = post(world, &NOA, "calendar/test", with("event_type_id", json!(999))).await;
        assert_eq!(verdicts(&unknown), [("key", true), ("username", true), ("event_type", false)]);
        assert!(check(&unknown, "event_type")["detail"].as_str().expect("words").contains("999"));
    });
}

#[test]
fn an_event_type_that_leaves_a_held_time_free_is_told_with_what_to_do() {
    World::run(|world| async move {
        let asks = studio(world, |user| {
            user.event_types[0].requires_confirmation = true;
            user.event_types[0].blocks_while_pending = false;
        })
        .await;
        let tested = tested_at(world, &asks.url(), noa()).await;
        assert_eq!(verdicts(&tested)[2], ("event_type", false), "{}", tested.body);
        assert!(check(&tested, "event_type")["advice"].as_str().expect("advice").contains("Requires confirmation"));
        // Nothing waits there when Cal.com is told only of what is paid.
        let mut after = noa();
        after["create_at"] = "payment".into();
        assert_eq!(tested_at(world, &asks.url(), after).await.body["ok"], true);
        let blocks = studio(world, |user| {
            user.event_types[0].requires_confirmation = true;
            user.event_types[0].blocks_while_pending = true;
        })
        .await;
        assert_eq!(tested_at(world, &blocks.url(), noa()).await.body["ok"], true);
    });
}

#[test]
fn an_event_type_that_forbids_to_cancel_is_told_with_what_to_do() {
    World::run(|world| async move {
        let strict = studio(world, |user| user.event_types[0].disable_cancelling = true).await;
        let tested = tested_at(world, &strict.url(), noa()).await;
        assert_eq!((verdicts(&tested)[3], &tested.body["ok"]), (("cancelling", false), &json!(false)));
        assert!(check(&tested, "cancelling")["advice"].as_str().expect("advice").contains("Disable cancelling"));
        // Nobody there moves it: InkFlow does not either.
        let still = studio(world, |user| user.event_types[0].disable_rescheduling = true).await;
        let tested = tested_at(world, &still.url(), noa()).await;
        assert_eq!(tested.body["ok"], true, "{}", tested.body);
        assert!(check(&tested, "cancelling")["detail"].as_str().expect("words").contains("déplacer"));
    });
}

#[test]
fn every_word_about_the_key_names_the_page_where_it_is_made() {
    World::run(|world| async move {
        let mut body = noa();
        body["api_key"] = json!("cal_test_of_nobody");
        let refused = post(world, &NOA, "calendar/test", body.clone()).await;
        assert!(check(&refused, "key")["advice"].as_str().expect("advice").contains("Settings, Developer, API keys"));
        body["api_key"] = json!("sk_live_1");
        let malformed = post(world, &NOA, "calendar/test", body).await;
        assert!(malformed.body.to_string().contains("Settings, Developer, API keys"), "{}", malformed.body);
    });
}

#[test]
fn an_event_type_without_the_lengths_that_clients_book_is_told() {
    World::run(|world| async move {
        let short = studio(world, |user| user.event_types[0].lengths = vec![60, 120]).await;
        let tested = tested_at(world, &short.url(), noa()).await;
        assert_eq!(verdicts(&tested)[2], ("event_type", false), "{}", tested.body);
        // Noa's flashes take 120, 210 and 300 minutes, a project 120.
        assert!(
            check(&tested, "event_type")["detail"].as_str().expect("words").contains("210, 300"),
            "{}",
            tested.body
        );
    });
}

#[test]
fn a_calendar_without_a_free_time_and_one_that_does_not_answer_are_told() {
    World::run(|world| async move {
        let closed = studio(world, |user| user.hours = Vec::new()).await;
        let tested = tested_at(world, &closed.url(), noa()).await;
        assert_eq!(verdicts(&tested)[4], ("slots", false), "{}", tested.body);

        let down = studio(world, |_| {}).await;
        let url = down.url();
        down.switch(|switches| switches.api.down = Some(dev::calcom::Down::Unavailable));
        let tested = tested_at(world, &url, noa()).await;
        assert_eq!((tested.status, verdicts(&tested)), (200, vec![("key", false)]), "{}", tested.body);
        assert_eq!(check(&tested, "key")["detail"], "Cal.com ne répond pas.");
        let strange = testing::answers_always(200, "{}").await;
        assert_eq!(verdicts(&tested_at(world, &strange, noa()).await), [("key", false)]);
    });
}

#[test]
fn a_connection_is_kept_although_cal_com_is_down() {
    World::run(|world| async move {
        world.calcom.switch(|switches| switches.api.down = Some(dev::calcom::Down::Unavailable));
        let made = put(world, &LEA, "calendar", noa()).await;
        assert_eq!(
            (made.status, &made.body["connected"], &made.body["webhook"]),
            (200, &json!(true), &json!("failed"))
        );
    });
}
