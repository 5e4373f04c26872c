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
                r"insert into images (id, artist_id, kind, content_type, size, status, width, height, created_at, updated_at)
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

/// The worker, for the mails that a setting causes.
async fn work(world: &World) {
    let jobs: Vec<shared::domain::ids::JobId> =
        world.open_jobs().await.iter().map(|job| job["id"].as_str().expect("an id").parse().expect("an id")).collect();
    let app = worker::App {
        db: world.db(),
        queue: world.queue(),
        mailer: world.mailer(),
        stripe: world.stripe_client(),
        calendars: world.calendars(),
        clock: world.clock(),
        public_url: PUBLIC_URL.into(),
        calcom_pages: "https://cal.test".into(),
        lease: std::time::Duration::from_secs(90),
        max_attempts: 8,
    };
    let event = serde_json::from_value(testing::messages(&jobs)).expect("an SQS event");
    #[expect(clippy::disallowed_methods, reason = "the deadline is on the system's clock")]
    let deadline = std::time::SystemTime::now() + std::time::Duration::from_secs(15);
    worker::handle(&app, event, deadline).await;
}

/// What the newest link to an address carries.
fn token(world: &World, address: &str) -> String {
    let mails = world.mails.messages_to(address);
    let (_, rest) = mails.first().expect("a mail").text.split_once("?contact=").expect("a link");
    rest.chars().take_while(char::is_ascii_hexdigit).collect()
}

async fn contact(world: &World) -> Vec<Value> {
    world.rows(&format!("select email, email_wanted from artists where id = '{}'", LEA.id), &[]).await
}

async fn with_email(world: &World, email: &str) -> Answer {
    let mut profile = get(world, &LEA, "profile").await;
    profile["email"] = email.into();
    put(world, &LEA, "profile", profile).await
}

#[test]
fn an_address_is_written_to_once_its_link_is_followed() {
    World::run(|world| async move {
        let saved = with_email(world, "studio@lea.example").await;
        assert_eq!(saved.status, 200, "{}", saved.body);
        assert_eq!(
            (&saved.body["email"], &saved.body["email_for_now"]),
            (&json!("studio@lea.example"), &json!(LEA.email))
        );
        assert_eq!(contact(world).await, [json!({ "email": LEA.email, "email_wanted": "studio@lea.example" })]);
        work(world).await;
        let token = token(world, "studio@lea.example");
        // The database alone makes nobody a link.
        let kept = world
            .rows("select to_jsonb(l)::text as row, (select args::text from outbox) as args from contact_links l", &[])
            .await;
        assert!(kept.len() == 1 && !format!("{kept:?}").contains(&token), "{kept:?}");
        let by_another = post(world, &NOA, "profile/email/follow", json!({ "token": token })).await;
        assert_eq!((by_another.status, by_another.pointers()), (422, vec!["#/token"]), "{}", by_another.body);
        for _ in 0..2 {
            let followed = post(world, &LEA, "profile/email/follow", json!({ "token": token })).await;
            assert_eq!((followed.status, &followed.body["email_for_now"]), (200, &Value::Null), "{}", followed.body);
        }
        assert_eq!(contact(world).await, [json!({ "email": "studio@lea.example", "email_wanted": null })]);
        // Saved again it asks nothing; back to the account's own address neither, and the old link does not lead forward again.
        assert_eq!(with_email(world, "studio@lea.example").await.body["email_for_now"], Value::Null);
        assert_eq!(with_email(world, LEA.email).await.body["email_for_now"], Value::Null);
        assert_eq!(contact(world).await, [json!({ "email": LEA.email, "email_wanted": null })]);
        let old = post(world, &LEA, "profile/email/follow", json!({ "token": token })).await;
        assert_eq!(old.pointers(), ["#/token"]);
        assert!(world.open_jobs().await.is_empty());
    });
}

#[test]
fn a_link_runs_out_and_another_wish_makes_it_worthless() {
    World::run(|world| async move {
        with_email(world, "one@lea.example").await;
        work(world).await;
        let one = token(world, "one@lea.example");
        with_email(world, "two@lea.example").await;
        work(world).await;
        let two = token(world, "two@lea.example");
        let follow =
            async |token: &str| post(world, &LEA, "profile/email/follow", json!({ "token": token })).await.status;
        assert_eq!(follow(&one).await, 422);
        world.advance_minutes(49 * 60);
        assert_eq!(follow(&two).await, 422);
        for (nonsense, status) in [("", 422), ("\u{0}", 400), ("x", 422), ("a".repeat(64).as_str(), 422)] {
            assert_eq!(follow(nonsense).await, status, "{nonsense:?}");
        }
        let again = post(world, &LEA, "profile/email/link", json!({})).await;
        assert_eq!(again.status, 202, "{}", again.body);
        work(world).await;
        let three = token(world, "two@lea.example");
        assert_ne!(two, three);
        assert_eq!(follow(&three).await, 200);
        // Nothing waits any more: the press of another tab is no mistake.
        assert_eq!(post(world, &LEA, "profile/email/link", json!({})).await.status, 202);
        assert!(world.open_jobs().await.is_empty());
    });
}

#[test]
fn a_stranger_gets_a_few_links_and_nothing_else() {
    World::run(|world| async move {
        let victim = "victim@elsewhere.example";
        // Saved once and again in turn, and pressed: two artists, one address.
        for _ in 0..4 {
            for artist in [&LEA, &NOA] {
                for email in [victim, artist.email] {
                    let mut profile = get(world, artist, "profile").await;
                    profile["email"] = email.into();
                    assert_eq!(put(world, artist, "profile", profile).await.status, 200);
                    work(world).await;
                }
            }
        }
        with_email(world, victim).await;
        let pressed = post(world, &LEA, "profile/email/link", json!({})).await;
        assert_eq!((pressed.status, pressed.problem()), (429, "too-many-requests"), "{}", pressed.body);
        work(world).await;
        let mails = world.mails.messages_to(victim);
        assert_eq!(mails.len(), 3, "three an hour");
        for mail in &mails {
            assert!(
                !mail.text.contains("Léa") && !mail.text.contains("Noa") && !mail.from.contains("Léa"),
                "{}",
                mail.text
            );
        }
        world.advance_minutes(60);
        assert_eq!(post(world, &LEA, "profile/email/link", json!({})).await.status, 202);
        // Nor do the mails of a booking go there meanwhile, and nobody's answers.
        let held = world.hold(&testing::Plan::of(&LEA, 0, "2027-02-02T09:00:00Z")).await;
        world.confirm(&held).await;
        work(world).await;
        assert!(world.mails.messages_to(victim).iter().all(|mail| mail.text.contains("?contact=")));
        assert!(!world.mails.messages_to(LEA.email).is_empty());
        let to_client = world.mails.messages_to("jo@example.fr");
        assert!(to_client.iter().all(|mail| mail.reply_to == LEA.email), "{to_client:?}");
    });
}

#[test]
fn ten_presses_at_once_are_no_more_than_one_after_the_other() {
    World::run(|world| async move {
        let mut profile = get(world, &LEA, "profile").await;
        profile["email"] = "victim@elsewhere.example".into();
        put(world, &LEA, "profile", profile).await;
        let mut apps = Vec::new();
        for _ in 0..10 {
            apps.push(app(world).await);
        }
        let web = world.web();
        let presses = apps.iter().map(|app| {
            let asked = request(world, &LEA, "POST", "profile/email/link", Some(&json!({})));
            testing::ask(&web, asked, move |request| handle(app, request))
        });
        let answers = futures_util::future::join_all(presses).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 202).count(), 2);
        assert_eq!(world.count("contact_links").await, 3);
    });
}

#[test]
fn a_page_begins_with_the_address_of_the_account() {
    World::run(|world| async move {
        let (user, mut first) = (uuid::Uuid::now_v7(), sam());
        first["email"] = "victim@elsewhere.example".into();
        let created = as_user(world, user, "PUT", "profile", Some(&first)).await;
        assert_eq!(
            (created.status, &created.body["email_for_now"]),
            (201, &json!("sam@nouveau.example")),
            "{}",
            created.body
        );
        // An account without an address has none to begin with.
        let app = app(world).await;
        let token = format!("Bearer {}", world.supabase.token(uuid::Uuid::now_v7(), ""));
        first["slug"] = "sans-adresse".into();
        let asked = with_token(&token, "PUT", "profile", Some(&first));
        let refused = testing::ask(&world.web(), asked, |request| handle(&app, request)).await;
        assert_eq!((refused.status, refused.pointers()), (422, vec!["#/email"]), "{}", refused.body);
    });
}

#[test]
fn a_page_begins_by_invitation_where_the_doors_are_not_open() {
    World::run(|world| async move {
        let user = uuid::Uuid::now_v7();
        let token = format!("Bearer {}", world.supabase.token(user, "Sam@nouveau.example"));
        let put = async |sign_up| {
            let app = App { sign_up, ..app(world).await };
            let asked = with_token(&token, "PUT", "profile", Some(&sam()));
            testing::ask(&world.web(), asked, |request| handle(&app, request)).await
        };
        // An account that was opened at Supabase itself, round our own door.
        for sign_up in [SignUp::Closed, SignUp::Invited] {
            let refused = put(sign_up).await;
            assert_eq!((refused.status, refused.problem()), (403, "sign-up-closed"), "{}", refused.body);
        }
        assert_eq!(world.count("artists").await, 2);
        world.execute("insert into invitations (email, takes_deposits, invited_at) values ('sam@nouveau.example', true, now())").await;
        assert_eq!(put(SignUp::Closed).await.status, 201, "whom the operator has asked, and who has an account");
        let row = "select takes_deposits, account_email from artists where slug = 'sam-nouveau'";
        assert_eq!(
            world.rows(row, &[]).await,
            [json!({ "takes_deposits": true, "account_email": "Sam@nouveau.example" })]
        );
        // A page that is there is changed whatever the doors say.
        assert_eq!(put(SignUp::Closed).await.status, 200);
    });
}

#[test]
fn a_new_page_takes_no_deposits_and_its_artist_cannot_say_otherwise() {
    World::run(|world| async move {
        let mut wish = sam();
        for (name, value) in
            [("takes_deposits", json!(true)), ("active", json!(true)), ("stripe_account_id", json!("acct_x"))]
        {
            wish[name] = value;
        }
        assert_eq!(as_user(world, uuid::Uuid::now_v7(), "PUT", "profile", Some(&wish)).await.status, 201);
        let row = "select takes_deposits, stripe_account_id from artists where slug = 'sam-nouveau'";
        assert_eq!(world.rows(row, &[]).await, [json!({ "takes_deposits": false, "stripe_account_id": null })]);
        assert_eq!(page(world, "sam-nouveau").await["takes_bookings"], false);
    });
}

/// Until whoever runs the site lets the page take deposits its clients see it and cannot book, and its artist is told so.
#[test]
fn an_artist_is_told_whether_clients_can_book_as_the_page_itself_tells_them() {
    World::run(|world| async move {
        let user = uuid::Uuid::now_v7();
        assert_eq!(as_user(world, user, "PUT", "profile", Some(&sam())).await.body["takes_bookings"], false);
        for (change, can_book) in [
            ("takes_deposits = true", true),
            ("takes_deposits = false", false),
            ("stripe_account_id = 'acct_own'", true),
            ("takes_deposits = true", true),
        ] {
            world.execute(&format!("update artists set {change} where slug = 'sam-nouveau'")).await;
            let profile = as_user(world, user, "GET", "profile", None).await.body;
            assert_eq!(profile["takes_bookings"], can_book, "{change}: {profile}");
            assert_eq!(page(world, "sam-nouveau").await["takes_bookings"], can_book, "{change}");
        }
    });
}

#[test]
fn an_address_that_was_given_up_rests_for_a_year_and_may_be_taken_back() {
    World::run(|world| async move {
        let rename = async |slug: &str| {
            let mut profile = get(world, &LEA, "profile").await;
            profile["slug"] = slug.into();
            put(world, &LEA, "profile", profile).await
        };
        assert_eq!(rename("lea-ailleurs").await.status, 200);
        let mut wish = sam();
        wish["slug"] = LEA.slug.into();
        let newcomer = uuid::Uuid::now_v7();
        let refused = as_user(world, newcomer, "PUT", "profile", Some(&wish)).await;
        assert_eq!((refused.status, refused.pointers()), (422, vec!["#/slug"]), "{}", refused.body);
        let suggested = refused.body["errors"][0]["suggestions"].to_string();
        assert!(!suggested.contains("\"lea-marchetti\""), "{suggested}");
        // Nor does somebody who has a page already get it; she herself does, and the other one rests then.
        let mut noas = get(world, &NOA, "profile").await;
        noas["slug"] = LEA.slug.into();
        assert_eq!(put(world, &NOA, "profile", noas.clone()).await.pointers(), ["#/slug"]);
        assert_eq!(rename(LEA.slug).await.status, 200);
        noas["slug"] = "lea-ailleurs".into();
        assert_eq!(put(world, &NOA, "profile", noas.clone()).await.pointers(), ["#/slug"]);
        world.advance_minutes(366 * 24 * 60);
        assert_eq!(put(world, &NOA, "profile", noas).await.status, 200);
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
