//! A picture from its announcement to the page, through the real presigned address and the real bucket.

use aws_lambda_events::s3::S3Event;

use super::*;

async fn announce(world: &World, content_type: &str, size: usize) -> Value {
    let wish = json!({ "kind": "flash", "content_type": content_type, "size": size });
    let answer = post(world, &LEA, "images", wish).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.body
}

async fn send(upload: &Value, content_type: &str, bytes: Vec<u8>) -> u16 {
    let url = upload["upload"]["url"].as_str().expect("an address");
    let sent = reqwest::Client::new().put(url).header("content-type", content_type).body(bytes).send().await;
    sent.expect("the bucket answers").status().as_u16()
}

/// The event that the bucket sends of an upload.
fn event(upload: &Value) -> S3Event {
    let key = format!("incoming/{}", upload["id"].as_str().expect("an id"));
    serde_json::from_value(json!({ "Records": [{
        "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "eu-west-3", "eventTime": "2027-02-01T08:00:00.000Z",
        "eventName": "ObjectCreated:Put", "userIdentity": {}, "requestParameters": {}, "responseElements": {},
        "s3": { "bucket": { "name": "b" }, "object": { "key": key, "size": 1 } },
    }] }))
    .expect("an event")
}

async fn take_in(world: &World, upload: &Value) {
    let app = image_intake::App { db: world.db(), bucket: world.bucket().await, clock: world.clock() };
    image_intake::handle(&app, event(upload)).await.expect("it is taken in");
}

async fn fate(world: &World, upload: &Value) -> Value {
    get(world, &LEA, &format!("images/{}", upload["id"].as_str().expect("an id"))).await
}

#[test]
fn an_uploaded_picture_hangs_on_the_page() {
    World::run(|world| async move {
        let png = include_bytes!("../fixtures/leaf.png").to_vec();
        let upload = announce(world, "image/png", png.len()).await;
        assert_eq!(upload["upload"]["method"], "PUT");
        assert_eq!(upload["upload"]["headers"], json!({ "content-type": "image/png" }));
        assert_eq!(fate(world, &upload).await["status"], "waiting");
        assert_eq!(send(&upload, "image/png", png).await, 200);
        take_in(world, &upload).await;
        let ready = fate(world, &upload).await;
        assert_eq!(ready["status"], "ready", "{ready}");
        let path = ready["image"].as_str().expect("a path").to_owned();
        let flash = json!({ "title": "Feuille", "price_cents": 9_000, "duration_minutes": 60, "image_id": upload["id"], "position": 0 });
        assert_eq!(post(world, &LEA, "flashes", flash).await.status, 201);
        assert_eq!(page(world, LEA.slug).await["flashes"][0]["image"], path);
        let app = artist_page::App {
            db: world.db(),
            clock: world.clock(),
            public_url: PUBLIC_URL.into(),
            hold_minutes: 30,
            assets: artist_page::PageAssets::parse(r#"{"artist":{"js":"/a.js","css":[],"preload":[]}}"#)
                .expect("assets"),
        };
        let html =
            testing::ask(&world.web(), testing::get("/artist/lea-marchetti"), |r| artist_page::handle(&app, r)).await;
        let html = html.body.as_str().expect("a page").to_owned();
        assert!(html.contains(&format!("src=\"{path}\" srcset=\"")), "{html}");
    });
}

#[test]
fn the_address_takes_exactly_what_was_announced() {
    World::run(|world| async move {
        let upload = announce(world, "image/png", 100).await;
        assert_eq!(send(&upload, "image/png", vec![0; 101]).await, 403, "more bytes");
        assert_eq!(send(&upload, "image/png", vec![0; 99]).await, 403, "fewer bytes");
        assert_eq!(send(&upload, "text/html", vec![0; 100]).await, 403, "another type");
        let other = upload["upload"]["url"].as_str().expect("an address").replace("incoming/", "images/");
        let sent =
            reqwest::Client::new().put(other).header("content-type", "image/png").body(vec![0; 100]).send().await;
        assert_eq!(sent.expect("the bucket answers").status(), 403, "another key");
        assert_eq!(send(&upload, "image/png", vec![0; 100]).await, 200);
    });
}

/// ministack answers every preflight with a star, so this reads what the bucket was told: the rule that S3 applies.
#[test]
fn pages_of_the_site_may_upload_and_no_others() {
    World::run(|world| async move {
        let upload = announce(world, "image/png", 100).await;
        let url = upload["upload"]["url"].as_str().expect("an address");
        let (bucket, _key) = url.split_once("/incoming/").expect("a key");
        let rule = reqwest::Client::new().get(format!("{bucket}?cors")).send().await.expect("the bucket answers");
        let rule = rule.text().await.expect("a rule");
        for part in [
            format!("<AllowedOrigin>{PUBLIC_URL}</AllowedOrigin>"),
            "<AllowedMethod>PUT</AllowedMethod>".into(),
            "<AllowedHeader>content-type</AllowedHeader>".into(),
        ] {
            assert_eq!(rule.matches(&part).count(), 1, "{part} in {rule}");
        }
        assert!(!rule.contains('*'), "{rule}");
    });
}

#[test]
fn what_is_no_picture_is_refused_in_words() {
    World::run(|world| async move {
        let upload = announce(world, "image/png", 9).await;
        assert_eq!(send(&upload, "image/png", b"<svg/>   ".to_vec()).await, 200);
        take_in(world, &upload).await;
        let refused = fate(world, &upload).await;
        assert_eq!((&refused["status"], &refused["code"]), (&json!("refused"), &json!("not_a_picture")), "{refused}");
        assert_eq!(refused["reason"], "Ce fichier n’est pas une image JPEG, PNG ou WebP.");
    });
}

#[test]
fn a_picture_that_never_comes_is_not_waited_for() {
    World::run(|world| async move {
        let upload = announce(world, "image/png", 9).await;
        world.advance_minutes(16);
        assert_eq!(fate(world, &upload).await["code"], "not_received");
    });
}

#[test]
fn an_announcement_out_of_bounds_is_refused_and_too_many_are_slowed() {
    World::run(|world| async move {
        let refused =
            post(world, &LEA, "images", json!({ "kind": "x", "content_type": "image/gif", "size": 15_728_641 })).await;
        assert_eq!((refused.status, refused.pointers()), (422, vec!["#/kind", "#/content_type", "#/size"]));
        world
            .execute(&format!(
                r"insert into images (id, artist_id, kind, content_type, size, created_at, updated_at)
                 select gen_random_uuid(), '{}', 'flash', 'image/png', 1, '2027-02-01T07:30:00Z', now() from generate_series(1, 100)",
                LEA.id
            ))
            .await;
        let wish = json!({ "kind": "flash", "content_type": "image/png", "size": 10 });
        let slowed = post(world, &LEA, "images", wish.clone()).await;
        assert_eq!((slowed.status, slowed.problem()), (429, "too-many-requests"));
        assert_eq!(post(world, &NOA, "images", wish.clone()).await.status, 201, "nobody else is");
        world.advance_minutes(31);
        assert_eq!(post(world, &LEA, "images", wish).await.status, 201);
    });
}
