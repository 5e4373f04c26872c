//! Who the artist is, and how a page begins.

use super::*;

fn sam() -> Value {
    json!({
        "slug": "sam-nouveau", "display_name": "Sam Nouveau", "email": "sam@nouveau.example", "bio": "Points et lignes.",
        "city": "Nantes", "address": "1 rue du Calvaire, 44000 Nantes", "locale": "fr", "timezone": "Europe/Paris",
        "hero_image": null,
    })
}

async fn as_user(world: &World, user: uuid::Uuid, method: &str, path: &str, body: Option<&Value>) -> Answer {
    let app = app(world).await;
    let token = format!("Bearer {}", world.supabase.token(user, "sam@nouveau.example"));
    testing::ask(&world.web(), with_token(&token, method, path, body), |request| handle(&app, request)).await
}

#[test]
fn the_first_profile_creates_the_page_and_a_bookable_one_follows_step_by_step() {
    World::run(|world| async move {
        let user = uuid::Uuid::now_v7();
        assert_eq!(as_user(world, user, "GET", "profile", None).await.problem(), "no-artist");
        let created = as_user(world, user, "PUT", "profile", Some(&sam())).await;
        assert_eq!(created.status, 201, "{}", created.body);
        assert_eq!(created.body["public_url"], format!("{PUBLIC_URL}/artist/sam-nouveau"));
        assert_eq!((&created.body["complete"], &created.body["has_hours"]), (&json!(false), &json!(false)));
        let again = as_user(world, user, "PUT", "profile", Some(&sam())).await;
        assert_eq!(again.status, 200, "{}", again.body);
        assert_eq!(page(world, "sam-nouveau").await["display_name"], "Sam Nouveau");

        let hours = json!({ "hours": [{ "weekday": 3, "opens": "10:00", "closes": "24:00" }] });
        assert_eq!(as_user(world, user, "PUT", "hours", Some(&hours)).await.status, 200);
        // Wednesday until midnight: two hours of a project, and a notice of a day.
        let free = slots(world, "sam-nouveau", "2027-02-03").await;
        assert_eq!(
            (free.first().map(String::as_str), free.last().map(String::as_str)),
            (Some("2027-02-03T10:00:00+01:00"), Some("2027-02-03T22:00:00+01:00"))
        );

        let artist = world.rows(&format!("select id from artists where user_id = '{user}'"), &[]).await;
        let picture = uuid::Uuid::now_v7();
        world
            .execute(&format!(
                "insert into images (id, artist_id, kind, content_type, size, status, width, height, created_at, updated_at) \
                 values ('{picture}', '{}', 'flash', 'image/jpeg', 10, 'ready', 900, 900, now(), now())",
                artist[0]["id"].as_str().expect("an id")
            ))
            .await;
        let flash = json!({ "title": "Lune", "price_cents": 20_000, "duration_minutes": 90, "image_id": picture });
        assert_eq!(as_user(world, user, "POST", "flashes", Some(&flash)).await.status, 201);
        let profile = as_user(world, user, "GET", "profile", None).await.body;
        assert_eq!((&profile["complete"], &profile["has_flash"]), (&json!(true), &json!(true)), "{profile}");
        let page = page(world, "sam-nouveau").await;
        // Thirty percent by default.
        assert_eq!(page["flashes"][0]["deposit_cents"], 6_000, "{page}");
        assert_eq!(page["flashes"][0]["image"], format!("/images/{picture}/900.jpg"));
    });
}

#[test]
fn an_address_that_is_taken_is_refused_with_free_ones_beside_it() {
    World::run(|world| async move {
        let mut wish = sam();
        wish["slug"] = "lea-marchetti".into();
        let refused = as_user(world, uuid::Uuid::now_v7(), "PUT", "profile", Some(&wish)).await;
        assert_eq!((refused.status, refused.pointers()), (422, vec!["#/slug"]), "{}", refused.body);
        let error = &refused.body["errors"][0];
        assert_eq!(error["detail"], "Cette adresse est déjà prise.");
        assert_eq!(error["suggestions"], json!(["sam-nouveau", "lea-marchetti-nantes", "lea-marchetti-tattoo"]));
        assert_eq!(world.count("artists").await, 2);
        // One's own is not taken.
        let mut own = get(world, &LEA, "profile").await;
        own["bio"] = "Autre chose.".into();
        let changed = put(world, &LEA, "profile", own).await;
        assert_eq!((changed.status, &changed.body["bio"]), (200, &json!("Autre chose.")), "{}", changed.body);
    });
}

#[test]
fn an_artist_says_whether_to_be_mailed_before_the_payment() {
    World::run(|world| async move {
        world.execute("update artists set pending_mails = default").await;
        let mut profile = get(world, &LEA, "profile").await;
        assert_eq!(profile["pending_mails"], false, "artists hear of what is paid");
        profile["pending_mails"] = true.into();
        assert_eq!(put(world, &LEA, "profile", profile.clone()).await.body["pending_mails"], true);
        // A page of before knows nothing of it, and changes nothing.
        profile.as_object_mut().expect("an object").remove("pending_mails");
        assert_eq!(put(world, &LEA, "profile", profile.clone()).await.body["pending_mails"], true);
        profile["pending_mails"] = "oui".into();
        assert_eq!(put(world, &LEA, "profile", profile).await.status, 400);
        let (user, mut first) = (uuid::Uuid::now_v7(), sam());
        first["pending_mails"] = true.into();
        assert_eq!(as_user(world, user, "PUT", "profile", Some(&first)).await.body["pending_mails"], true);
    });
}

#[test]
fn a_new_account_that_clicks_twice_has_one_page() {
    World::run(|world| async move {
        let user = uuid::Uuid::now_v7();
        let (app_a, app_b) = (app(world).await, app(world).await);
        let token = format!("Bearer {}", world.supabase.token(user, "sam@nouveau.example"));
        let (web, body) = (world.web(), sam());
        let one = testing::ask(&web, with_token(&token, "PUT", "profile", Some(&body)), |r| handle(&app_a, r));
        let two = testing::ask(&web, with_token(&token, "PUT", "profile", Some(&body)), |r| handle(&app_b, r));
        let (one, two) = tokio::join!(one, two);
        for answer in [&one, &two] {
            // Whoever met the other one is asked to try again.
            assert!([200, 201, 422, 503].contains(&answer.status), "{}", answer.body);
        }
        assert!(one.status == 201 || two.status == 201, "{} {}", one.body, two.body);
        assert_eq!(world.rows(&format!("select id from artists where user_id = '{user}'"), &[]).await.len(), 1);
    });
}

#[test]
fn what_the_profile_says_can_be_sent_back_and_keeps_the_picture() {
    World::run(|world| async move {
        let before = get(world, &LEA, "profile").await;
        assert_eq!((&before["hero_image"], &before["complete"]), (&json!("/hero/lea-marchetti.svg"), &json!(true)));
        let kept = put(world, &LEA, "profile", before.clone()).await;
        assert_eq!((kept.status, &kept.body), (200, &before));

        let upload = picture(world, &LEA).await;
        let mut with_upload = before.clone();
        with_upload["hero_image"] = upload.clone().into();
        let changed = put(world, &LEA, "profile", with_upload).await.body;
        assert_eq!(
            (&changed["hero_image"], &changed["hero"]),
            (&json!(upload), &json!(format!("/images/{upload}/1600.jpg")))
        );
        assert_eq!(page(world, LEA.slug).await["hero_image"], changed["hero"]);
        assert_eq!(put(world, &LEA, "profile", changed.clone()).await.body, changed);

        let mut bare = changed;
        bare["hero_image"] = Value::Null;
        assert_eq!(put(world, &LEA, "profile", bare).await.body["hero"], Value::Null);
        // A path of one's choice is no picture of one's own.
        let mut foreign = before;
        foreign["hero_image"] = "https://tracker.example/pixel.gif".into();
        let refused = put(world, &LEA, "profile", foreign).await;
        assert_eq!((refused.status, refused.pointers()), (422, vec!["#/hero_image"]));
    });
}

#[test]
fn every_field_that_is_wrong_is_named_in_the_language_of_the_page() {
    World::run(|world| async move {
        let app = app(world).await;
        let body = json!({
            "slug": "Léa !", "display_name": "L", "email": "lea", "city": "a\nb", "locale": "de", "timezone": "Mars/Base",
        });
        let english = [
            ("authorization", &*world.bearer(&LEA)),
            ("content-type", "application/json"),
            ("accept-language", "en-GB,en;q=0.9"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let english: Vec<(&str, &str)> = english.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let asked = testing::request(Method::PUT, "/api/dashboard/profile", &english, Some(body.to_string()));
        let answer = testing::ask(&world.web(), asked, |request| handle(&app, request)).await;
        assert_eq!(answer.status, 422);
        assert_eq!(answer.pointers(), ["#/display_name", "#/slug", "#/email", "#/city", "#/locale", "#/timezone"]);
        assert_eq!(answer.body["errors"][2]["detail"], "The email address is missing an @.");
        let french = put(world, &LEA, "profile", body).await;
        assert_eq!(french.body["errors"][2]["detail"], "Il manque un @ dans l’adresse e-mail.");
    });
}
