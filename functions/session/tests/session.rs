//! Signing in and out: through `handle`, with a real database and a Supabase Auth that signs in earnest.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use dev::demo::{self, LEA, NOA};
use dev::supabase::Down;
use lambda_http::http::Method;
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use session::device::{DEVICE_COOKIE, Devices};
use session::supabase::Supabase;
use session::{App, handle};
use shared::auth::{Auth, REFRESH_COOKIE, SESSION_COOKIE};
use shared::config::{Secret, SignUp};
use shared::db::Db;
use shared::net;
use testing::{Answer, Logs, PUBLIC_URL, World, ask, request};

const KEY: &str = "sb_publishable_standin";

fn app_with(world: &World, db: Db) -> App {
    App {
        db,
        auth: world.auth(),
        supabase: Supabase::new(net::client(&net::tls()), &world.supabase.url(), KEY, None),
        devices: Devices::new(&Secret::new("postgres://of-a-test".into())),
        web: world.web(),
        clock: world.clock(),
        sign_up: SignUp::Open,
        tries_per_hour: 20,
    }
}

/// A refresh token that Supabase never gave, of a shape that only Supabase can tell from its own.
fn invented(number: u32) -> String {
    let message = [&[0][..], &[7; 16], &[1], &number.to_be_bytes(), &[9; 12]].concat();
    let checksum = digest(&SHA256, &message);
    BASE64_URL_SAFE_NO_PAD.encode([&message[..], &checksum.as_ref()[..4]].concat())
}

async fn call_on(app: &App, method: Method, path: &str, headers: &[(&str, &str)], body: Option<&Value>) -> Answer {
    let headers = [&[("origin", PUBLIC_URL), ("content-type", "application/json")], headers].concat();
    let request = request(method, path, &headers, body.map(Value::to_string));
    ask(&app.web, request, |request| handle(app, request)).await
}

async fn post(world: &World, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
    call_on(&app_with(world, world.db()), Method::POST, path, headers, Some(body)).await
}

async fn sign_in(world: &World, email: &str, password: &str) -> Answer {
    post(world, "/api/session", &[], &json!({ "email": email, "password": password })).await
}

/// A cookie that an answer sets: its value and its attributes.
fn cookie(answer: &Answer, name: &str) -> Option<(String, String)> {
    answer.headers.get_all("set-cookie").iter().find_map(|line| {
        let (given, rest) = line.to_str().ok()?.split_once('=')?;
        let (value, attributes) = rest.split_once(';')?;
        (given == name).then(|| (value.to_owned(), attributes.to_owned()))
    })
}

/// What a browser sends after this answer.
fn cookies(answer: &Answer) -> String {
    [SESSION_COOKIE, REFRESH_COOKIE]
        .map(|name| format!("{name}={}", cookie(answer, name).expect("a cookie").0))
        .join("; ")
}

async fn who(world: &World, cookies: &str) -> Answer {
    let app = app_with(world, world.db());
    call_on(&app, Method::GET, "/api/session", &[("cookie", cookies)], None).await
}

/// The token in the newest mail to somebody.
fn link_in_mail(world: &World, to: &str) -> Option<String> {
    let mail = world.mails.messages_to(to).into_iter().next()?;
    let (_, rest) = mail.text.split_once(&format!("{PUBLIC_URL}/dashboard?token_hash="))?;
    rest.split_once('&').map(|(token, _)| token.to_owned())
}

#[test]
fn an_artist_signs_in_and_no_script_can_read_what_the_browser_keeps() {
    World::run(|world| async move {
        let answer = sign_in(world, LEA.email, demo::PASSWORD).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.body["user_id"], json!(LEA.user_id));
        assert_eq!(answer.body["email"], LEA.email);
        let page = json!({
            "id": LEA.id, "slug": LEA.slug, "display_name": LEA.display_name, "timezone": "Europe/Paris",
            "timezone_fr": "heure de Paris", "timezone_en": "Paris time", "locale": "fr",
        });
        assert_eq!(answer.body["artist"], page);
        let text = answer.body.to_string();
        for (name, age) in [(SESSION_COOKIE, "3600"), (REFRESH_COOKIE, "2592000"), (DEVICE_COOKIE, "34560000")] {
            let (value, attributes) = cookie(&answer, name).expect("a cookie");
            assert_eq!(attributes, format!(" Path=/; Max-Age={age}; Secure; HttpOnly; SameSite=Strict"), "{name}");
            assert!(!text.contains(&value), "a token is in the body, where scripts read it");
        }
        assert_eq!(answer.header("cache-control"), "no-store");

        let again = who(world, &cookies(&answer)).await;
        assert_eq!((again.status, &again.body["artist"]["slug"]), (200, &json!(LEA.slug)));
        assert_eq!(who(world, "").await.problem(), "unauthenticated");
    });
}

#[test]
fn a_wrong_password_and_an_unknown_address_are_the_same_answer() {
    World::run(|world| async move {
        let wrong = sign_in(world, LEA.email, "not-the-password").await;
        let unknown = sign_in(world, "nobody@example.fr", "not-the-password").await;
        for answer in [&wrong, &unknown] {
            assert_eq!((answer.status, answer.problem()), (401, "wrong-credentials"));
            assert!(answer.headers.get("set-cookie").is_none());
        }
        let words = |answer: &Answer| (answer.body["title"].clone(), answer.body["detail"].clone());
        assert_eq!(words(&wrong), words(&unknown));
    });
}

#[test]
fn what_cannot_be_an_address_or_a_password_is_named() {
    World::run(|world| async move {
        for (body, pointers) in [
            (json!({}), vec!["#/email", "#/password"]),
            (json!({ "email": "lea", "password": "x" }), vec!["#/email"]),
            (json!({ "email": LEA.email, "password": "" }), vec!["#/password"]),
            (json!({ "email": LEA.email, "password": "x".repeat(73) }), vec!["#/password"]),
        ] {
            for path in ["/api/session", "/api/session/signup"] {
                let answer = post(world, path, &[], &body).await;
                assert_eq!((answer.status, answer.pointers()), (422, pointers.clone()), "{body}");
            }
        }
        assert_eq!(post(world, "/api/session/link", &[], &json!({})).await.pointers(), ["#/email"]);
        assert_eq!(post(world, "/api/session", &[], &json!([])).await.problem(), "malformed");
        assert!(world.supabase.requests().is_empty(), "nothing of that is worth a call");

        let weak = post(world, "/api/session/signup", &[], &json!({ "email": "a@b.fr", "password": "short" })).await;
        assert_eq!((weak.status, weak.pointers()), (422, vec!["#/password"]), "{}", weak.body);
    });
}

#[test]
fn a_link_by_mail_opens_the_dashboard_once() {
    World::run(|world| async move {
        let asked = post(world, "/api/session/link", &[], &json!({ "email": " Lea@Marchetti.example " })).await;
        assert_eq!((asked.status, &asked.body), (202, &json!({})));
        let token_hash = link_in_mail(world, LEA.email).expect("a mail");

        let entered = post(world, "/api/session/verify", &[], &json!({ "token_hash": token_hash })).await;
        assert_eq!((entered.status, &entered.body["artist"]["slug"]), (200, &json!(LEA.slug)));
        assert_eq!(who(world, &cookies(&entered)).await.status, 200);

        let twice = post(world, "/api/session/verify", &[], &json!({ "token_hash": token_hash })).await;
        assert_eq!((twice.status, twice.problem()), (401, "link-expired"));
    });
}

#[test]
fn a_link_is_good_for_an_hour_and_no_invented_one_ever() {
    World::run(|world| async move {
        post(world, "/api/session/link", &[], &json!({ "email": LEA.email })).await;
        let token_hash = link_in_mail(world, LEA.email).expect("a mail");
        world.advance_minutes(61);
        for token in [
            json!(token_hash),
            json!("0".repeat(56)),
            json!(""),
            json!("../user"),
            json!("a".repeat(5000)),
            json!(null),
        ] {
            let answer = post(world, "/api/session/verify", &[], &json!({ "token_hash": token })).await;
            assert_eq!((answer.status, answer.problem()), (401, "link-expired"), "{token}");
        }
    });
}

#[test]
fn nobody_learns_who_has_an_account() {
    World::run(|world| async move {
        for email in [LEA.email, LEA.email, "nobody@example.fr"] {
            let answer = post(world, "/api/session/link", &[], &json!({ "email": email })).await;
            assert_eq!((answer.status, &answer.body), (202, &json!({})), "{email}");
        }
        assert!(world.mails.messages_to("nobody@example.fr").is_empty());
        assert_eq!(world.mails.messages_to(LEA.email).len(), 1, "one mail a minute");
        assert!(world.supabase.account("nobody@example.fr").is_none(), "a link opens no account");

        for email in [LEA.email, "new@example.fr", "new@example.fr"] {
            let body = json!({ "email": email, "password": "a-good-password" });
            let answer = post(world, "/api/session/signup", &[], &body).await;
            assert_eq!((answer.status, &answer.body), (202, &json!({ "confirmation_required": true })), "{email}");
            assert!(answer.headers.get("set-cookie").is_none());
        }
        // The password of a stranger did not become Léa's.
        assert_eq!(sign_in(world, LEA.email, "a-good-password").await.status, 401);
        assert_eq!(sign_in(world, LEA.email, demo::PASSWORD).await.status, 200);
    });
}

#[test]
fn whoever_signs_up_with_an_account_that_is_there_gets_a_link_and_nobody_else_learns_of_it() {
    World::run(|world| async move {
        let app = app_with(world, world.db());
        let sign_up = async |from: &str, email: &str, password: &str| {
            let body = json!({ "email": email, "password": password });
            call_on(&app, Method::POST, "/api/session/signup", &[(":source-ip", from)], Some(&body)).await
        };
        // One that is there, one that is new, and one that has yet to be confirmed.
        let there = sign_up("203.0.113.1", LEA.email, "a-good-password").await;
        let new = sign_up("203.0.113.2", "mia@example.fr", "a-good-password").await;
        world.advance(Duration::from_secs(61));
        let waiting = sign_up("203.0.113.3", "mia@example.fr", "another-password").await;
        let names = |answer: &Answer| answer.headers.keys().map(|name| name.as_str().to_owned()).collect::<Vec<_>>();
        for answer in [&there, &new, &waiting] {
            assert_eq!((answer.status, &answer.body), (202, &json!({ "confirmation_required": true })));
            assert_eq!(names(answer), names(&new), "nor do the headers tell");
            assert!(answer.headers.get("set-cookie").is_none());
        }
        assert_eq!(world.mails.messages_to("mia@example.fr").len(), 2, "the confirmation is sent anew");
        assert!(world.supabase.account("mia@example.fr").is_some_and(|mia| mia.confirmed_at.is_none()));

        // The mail that the page speaks of is in the mailbox, and lets its owner in.
        let link = link_in_mail(world, LEA.email).expect("a mail");
        let entered = post(world, "/api/session/verify", &[], &json!({ "token_hash": link })).await;
        assert_eq!((entered.status, &entered.body["artist"]["slug"]), (200, &json!(LEA.slug)));
        // Whoever knows the password is in at once.
        let hers = sign_up("203.0.113.4", LEA.email, demo::PASSWORD).await;
        assert_eq!((hers.status, &hers.body["artist"]["slug"]), (201, &json!(LEA.slug)), "{}", hers.body);
        assert_eq!(who(world, &cookies(&hers)).await.status, 200);
    });
}

#[test]
fn a_sign_up_fills_no_mailbox_and_does_not_tell_that_supabase_had_enough_of_an_account() {
    World::run(|world| async move {
        let app = App { tries_per_hour: 1_000, ..app_with(world, world.db()) };
        let sign_up = async |email: &str| {
            let body = json!({ "email": email, "password": "a-good-password" });
            let answer = call_on(&app, Method::POST, "/api/session/signup", &[], Some(&body)).await;
            (answer.status, answer.body)
        };
        let accepted = (202, json!({ "confirmation_required": true }));
        for _ in 0..30 {
            assert_eq!(sign_up(LEA.email).await, accepted);
            world.advance(Duration::from_secs(61));
        }
        // Half an hour of it, over the full hour or not.
        let mails = world.mails.messages_to(LEA.email).len();
        assert!((5..=10).contains(&mails), "{mails}");

        // Of a new address no password is looked at, so that what is left of them must not tell either.
        world.supabase.switch(|switches| switches.rate_limits = true);
        for _ in 0..40 {
            let _ = app.supabase.sign_in(NOA.email, "guess", "").await;
        }
        assert_eq!(sign_in(world, NOA.email, demo::PASSWORD).await.status, 429);
        assert_eq!((sign_up(NOA.email).await, sign_up("new@example.fr").await), (accepted.clone(), accepted));
        assert_eq!(world.mails.messages_to(NOA.email).len(), 1);
    });
}

#[test]
fn the_stand_in_answers_a_known_address_as_supabase_does() {
    World::run(|world| async move {
        let http = net::client(&net::tls());
        let sign_up = async |email: &str| {
            let body = json!({ "email": email, "password": "a-good-password" });
            let url = format!("{}/auth/v1/signup", world.supabase.url());
            let answer = http.post(url).header("apikey", KEY).json(&body).send().await.expect("an answer");
            (answer.status().as_u16(), answer.json::<Value>().await.expect("JSON"))
        };
        let (there, new) = (sign_up(LEA.email).await, sign_up("mia@example.fr").await);
        assert_eq!((there.0, new.0), (200, 200));
        let (there, new) = (there.1, new.1);
        assert_eq!(
            (&there["identities"], &there["role"], &there["user_metadata"]),
            (&json!([]), &json!(""), &json!({}))
        );
        assert_ne!(there["id"], json!(LEA.user_id), "an id by chance");
        assert_eq!((&there["email"], &new["identities"][0]["email"]), (&json!(LEA.email), &json!("mia@example.fr")));
        let names = |user: &Value| user.as_object().expect("a user").keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&there), names(&new), "they have the same fields");
        assert!(world.mails.messages_to(LEA.email).is_empty(), "it writes to the new one only");
        // Who waits for a mail has an identity, and the mail of a moment ago.
        assert_eq!(sign_up("mia@example.fr").await.1["error_code"], "over_email_send_rate_limit");
        world.advance(Duration::from_secs(61));
        assert_eq!(sign_up("mia@example.fr").await.1["identities"][0]["user_id"], new["id"]);
    });
}

#[test]
fn a_new_artist_confirms_the_address_and_has_no_page_yet() {
    World::run(|world| async move {
        let body = json!({ "email": "Mia@Example.fr", "password": "a-good-password" });
        assert_eq!(post(world, "/api/session/signup", &[], &body).await.status, 202);
        assert_eq!(sign_in(world, "mia@example.fr", "a-good-password").await.problem(), "wrong-credentials");
        let token_hash = link_in_mail(world, "mia@example.fr").expect("a mail");
        let entered = post(world, "/api/session/verify", &[], &json!({ "token_hash": token_hash })).await;
        assert_eq!((entered.status, &entered.body["artist"]), (200, &Value::Null), "{}", entered.body);
        assert_eq!(sign_in(world, "mia@example.fr", "a-good-password").await.status, 200);
    });
}

#[test]
fn where_no_confirmation_is_asked_a_sign_up_still_tells_nobody_who_has_an_account() {
    World::run(|world| async move {
        world.supabase.switch(|switches| switches.autoconfirm = true);
        let body = json!({ "email": "mia@example.fr", "password": "a-good-password" });
        let opened = post(world, "/api/session/signup", &[], &body).await;
        let link = link_in_mail(world, "mia@example.fr").expect("the mail that the answer speaks of");
        // Somebody else tries her address, and Léa's.
        for email in ["mia@example.fr", LEA.email] {
            let other = json!({ "email": email, "password": "another-password" });
            let answer = post(world, "/api/session/signup", &[], &other).await;
            assert_eq!((answer.status, &answer.body), (opened.status, &opened.body), "{email}");
            assert_eq!((answer.status, &answer.body), (202, &json!({ "confirmation_required": true })));
            assert!(answer.headers.get("set-cookie").is_none());
        }
        let entered = post(world, "/api/session/verify", &[], &json!({ "token_hash": link })).await;
        assert_eq!((entered.status, &entered.body["email"]), (200, &json!("mia@example.fr")));
        // She forgot that she had done so.
        assert_eq!(post(world, "/api/session/signup", &[], &body).await.status, 201);

        world.supabase.switch(|switches| switches.signup_disabled = true);
        let closed = json!({ "email": "late@example.fr", "password": "a-good-password" });
        assert_eq!(post(world, "/api/session/signup", &[], &closed).await.problem(), "forbidden");
    });
}

#[test]
fn who_may_open_an_account_is_the_operators_word() {
    World::run(|world| async move {
        world.execute("insert into invitations (email, invited_at) values ('mia@example.fr', now())").await;
        let sign_up = async |mode, email: &str| {
            let app = App { sign_up: mode, ..app_with(world, world.db()) };
            let body = json!({ "email": email, "password": "a-good-password" });
            let answer = call_on(&app, Method::POST, "/api/session/signup", &[], Some(&body)).await;
            let told = call_on(&app, Method::GET, "/api/session/signup", &[], None).await;
            assert_eq!((told.status, &told.body["sign_up"]), (200, &json!(mode.name())));
            if answer.status == 202 { "opened".to_owned() } else { format!("{} {}", answer.status, answer.problem()) }
        };
        assert_eq!(sign_up(SignUp::Closed, "mia@example.fr").await, "403 sign-up-closed", "whoever it is");
        assert_eq!(sign_up(SignUp::Invited, "lou@example.fr").await, "403 sign-up-closed");
        assert!(
            world.supabase.account("lou@example.fr").is_none() && world.supabase.account("mia@example.fr").is_none()
        );
        assert_eq!(sign_up(SignUp::Invited, "Mia@Example.fr").await, "opened");
        assert_eq!(sign_up(SignUp::Open, "lou@example.fr").await, "opened");
    });
}

#[test]
fn a_sign_up_that_is_refused_counts_and_takes_nothing_of_what_all_strangers_have_at_supabase() {
    World::run(|world| async move {
        world.execute("insert into invitations (email, invited_at) values ('mia@example.fr', now())").await;
        let app = App { sign_up: SignUp::Invited, tries_per_hour: 3, ..app_with(world, world.db()) };
        let sign_up = async |from: &str, email: &str| {
            let body = json!({ "email": email, "password": "a-good-password" });
            call_on(&app, Method::POST, "/api/session/signup", &[(":source-ip", from)], Some(&body)).await.status
        };
        for number in 0..3 {
            assert_eq!(sign_up("203.0.113.1", &format!("lou{number}@example.fr")).await, 403);
        }
        assert_eq!(sign_up("203.0.113.1", "mia@example.fr").await, 429, "whoever asks who is invited is stopped");
        // Twelve links an hour are what all strangers have together.
        for place in 0..40 {
            assert_eq!(sign_up(&format!("198.51.100.{place}"), &format!("zoe{place}@example.fr")).await, 403);
        }
        assert!(world.supabase.requests().is_empty());
        assert_eq!(sign_up("203.0.113.2", "mia@example.fr").await, 202);
    });
}

#[test]
fn nobody_may_open_an_account_where_nothing_is_said() {
    assert_eq!(SignUp::default(), SignUp::Closed);
    for name in ["closed", "invited", "open"] {
        assert_eq!(name.parse::<SignUp>().map(SignUp::name), Ok(name));
    }
    assert!("Open".parse::<SignUp>().is_err() && "yes".parse::<SignUp>().is_err());
}

#[test]
fn a_session_is_renewed_with_a_token_that_is_good_once() {
    World::run(|world| async move {
        let first = sign_in(world, LEA.email, demo::PASSWORD).await;
        world.advance_minutes(61);
        assert_eq!(who(world, &cookies(&first)).await.problem(), "unauthenticated", "an hour is over");
        let renew = async |cookies: &str| post(world, "/api/session/refresh", &[("cookie", cookies)], &json!({})).await;

        let second = renew(&cookies(&first)).await;
        assert_eq!((second.status, &second.body["artist"]["slug"]), (200, &json!(LEA.slug)), "{}", second.body);
        assert_eq!(who(world, &cookies(&second)).await.status, 200);
        let third = renew(&cookies(&second)).await;
        assert_eq!(third.status, 200);
        world.advance_minutes(1);
        // Somebody uses a copy of the first one: the whole session ends, for whoever holds it.
        assert_eq!(renew(&cookies(&first)).await.problem(), "unauthenticated");
        assert_eq!(renew(&cookies(&third)).await.problem(), "unauthenticated");
        for nothing in ["", "x=1", &format!("{REFRESH_COOKIE}=invented")] {
            assert_eq!(renew(nothing).await.problem(), "unauthenticated");
        }
    });
}

#[test]
fn an_answer_that_was_lost_signs_nobody_out() {
    World::run(|world| async move {
        let first = sign_in(world, LEA.email, demo::PASSWORD).await;
        let renew = async |cookies: &str| post(world, "/api/session/refresh", &[("cookie", cookies)], &json!({})).await;
        world.supabase.switch(|switches| switches.api.lose_answer = 1);
        assert_eq!(renew(&cookies(&first)).await.problem(), "sign-in-unavailable");
        assert_eq!(renew(&cookies(&first)).await.status, 200);
    });
}

#[test]
fn signing_out_ends_the_session_here_and_there() {
    World::run(|world| async move {
        let out = async |cookies: &str| {
            let app = app_with(world, world.db());
            call_on(&app, Method::DELETE, "/api/session", &[("cookie", cookies)], None).await
        };
        let renew = async |cookies: &str| post(world, "/api/session/refresh", &[("cookie", cookies)], &json!({})).await;
        let cleared = |answer: &Answer| {
            assert_eq!(answer.status, 204);
            for name in [SESSION_COOKIE, REFRESH_COOKIE] {
                let (value, attributes) = cookie(answer, name).expect("a cookie");
                assert!(value.is_empty() && attributes.contains("Max-Age=0"), "{name}: {attributes}");
            }
        };
        let (phone, laptop) =
            (sign_in(world, LEA.email, demo::PASSWORD).await, sign_in(world, LEA.email, demo::PASSWORD).await);
        cleared(&out(&cookies(&phone)).await);
        assert_eq!(renew(&cookies(&phone)).await.problem(), "unauthenticated");
        assert_eq!(renew(&cookies(&laptop)).await.status, 200, "another device stays signed in");

        // A day later, when the access token has run out.
        let tablet = sign_in(world, LEA.email, demo::PASSWORD).await;
        world.advance(Duration::from_secs(86_400));
        cleared(&out(&cookies(&tablet)).await);
        assert_eq!(renew(&cookies(&tablet)).await.problem(), "unauthenticated");

        cleared(&out("").await);
    });
}

#[test]
fn signing_out_ends_the_access_at_once_and_not_when_the_token_runs_out() {
    World::run(|world| async move {
        let app = app_with(world, world.db());
        let out = async |cookies: &str| {
            call_on(&app, Method::DELETE, "/api/session", &[("cookie", cookies)], None).await.status
        };
        let (phone, laptop) =
            (sign_in(world, LEA.email, demo::PASSWORD).await, sign_in(world, LEA.email, demo::PASSWORD).await);
        assert_eq!(who(world, &cookies(&phone)).await.status, 200);
        assert_eq!(out(&cookies(&phone)).await, 204);
        let copy = who(world, &cookies(&phone)).await;
        assert_eq!((copy.status, copy.problem()), (401, "unauthenticated"), "whoever has a copy is out as well");
        assert_eq!(who(world, &cookies(&laptop)).await.status, 200, "another device stays signed in");

        // Once is enough: the same again asks nobody.
        world.supabase.clear_requests();
        assert_eq!(out(&cookies(&phone)).await, 204);
        assert!(world.supabase.requests().is_empty());
    });
}

#[test]
fn signing_out_while_supabase_is_away_ends_it_here_says_so_and_is_made_up_for() {
    World::run(|world| async move {
        let app = app_with(world, world.db());
        app.auth.warm_up(world.now()).await;
        let out =
            async |cookies: &str| call_on(&app, Method::DELETE, "/api/session", &[("cookie", cookies)], None).await;
        let who = async |cookies: &str| call_on(&app, Method::GET, "/api/session", &[("cookie", cookies)], None).await;
        let renew = async |cookies: &str| post(world, "/api/session/refresh", &[("cookie", cookies)], &json!({})).await;
        for older in [false, true] {
            if older {
                world.supabase.give_older_tokens();
            }
            let (phone, laptop, tablet) = (
                sign_in(world, LEA.email, demo::PASSWORD).await,
                sign_in(world, LEA.email, demo::PASSWORD).await,
                sign_in(world, LEA.email, demo::PASSWORD).await,
            );
            world.supabase.switch(|switches| switches.api.down = Some(Down::Unavailable));
            for device in [&phone, &laptop] {
                let answer = out(&cookies(device)).await;
                assert_eq!((answer.status, answer.problem()), (503, "sign-out-incomplete"), "{}", answer.body);
                assert!(answer.headers.get("set-cookie").is_none(), "the browser keeps what it takes to try again");
                assert_eq!(who(&cookies(device)).await.problem(), "unauthenticated", "here it has ended");
            }
            // The access token has run out, so that nobody but Supabase knows of which session the other one is.
            let tablet_later = format!("{REFRESH_COOKIE}={}", cookie(&tablet, REFRESH_COOKIE).expect("a cookie").0);
            assert_eq!(out(&tablet_later).await.problem(), "sign-out-incomplete");

            world.supabase.switch(|switches| switches.api.down = None);
            // Pressed once more.
            assert_eq!(out(&cookies(&phone)).await.status, 204);
            assert_eq!(out(&tablet_later).await.status, 204);
            // Or not: the next visit, by whoever has the token, ends it there too.
            assert_eq!(renew(&cookies(&laptop)).await.problem(), "unauthenticated");
            for device in [&phone, &laptop, &tablet] {
                let token = cookie(device, REFRESH_COOKIE).expect("a cookie").0;
                let there = app.supabase.refresh(&token, "").await;
                assert!(there.is_err(), "the session lives on at Supabase");
            }
            assert_eq!(world.rows("select 1 as one from ended_sessions where not confirmed", &[]).await.len(), 0);
        }
    });
}

#[test]
fn what_is_no_refresh_token_is_not_worth_a_call() {
    World::run(|world| async move {
        let app = app_with(world, world.db());
        for number in 0..60 {
            let cookie = format!("{REFRESH_COOKIE}=made-up-{number}");
            for (method, path, status) in
                [(Method::POST, "/api/session/refresh", 401), (Method::DELETE, "/api/session", 204)]
            {
                let answer = call_on(&app, method, path, &[("cookie", &cookie)], Some(&json!({}))).await;
                assert_eq!(answer.status, status, "{path}");
            }
        }
        assert!(world.supabase.requests().is_empty());
    });
}

#[test]
fn renewing_and_ending_sessions_is_counted_like_trying_to_sign_in() {
    World::run(|world| async move {
        let app = app_with(world, world.db());
        let lea = sign_in(world, LEA.email, demo::PASSWORD).await;
        world.supabase.clear_requests();
        let ask = async |method: Method, path: &str, from: &str, cookie: &str| {
            let headers = [(":source-ip", from), ("cookie", cookie)];
            call_on(&app, method, path, &headers, Some(&json!({}))).await.status
        };
        let mut statuses = Vec::new();
        for number in 0..15 {
            let cookie = format!("{REFRESH_COOKIE}={}", invented(number));
            statuses.push(ask(Method::POST, "/api/session/refresh", "203.0.113.1", &cookie).await);
            statuses.push(ask(Method::DELETE, "/api/session", "203.0.113.1", &cookie).await);
        }
        assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 10, "{statuses:?}");
        assert_eq!(world.supabase.requests().len(), 20);
        // From ever new addresses: strangers together have a part of what Supabase allows us, and leave the rest.
        for number in 0..400 {
            let cookie = format!("{REFRESH_COOKIE}={}", invented(100 + number));
            ask(Method::POST, "/api/session/refresh", &format!("203.0.{}.{}", number / 250, number % 250), &cookie)
                .await;
        }
        // Her own sign-in was one of the three hundred.
        assert_eq!(world.supabase.requests().len(), 299);
        // Whoever has signed in here before is not one of them, wherever they are.
        let hers = format!("{}; {DEVICE_COOKIE}={}", cookies(&lea), cookie(&lea, DEVICE_COOKIE).expect("a cookie").0);
        assert_eq!(ask(Method::POST, "/api/session/refresh", "203.0.113.1", &hers).await, 200);
        assert_eq!(ask(Method::POST, "/api/session/refresh", "203.0.0.200", &cookies(&lea)).await, 429);
    });
}

#[test]
fn supabase_is_told_whom_it_serves_and_one_visitor_uses_up_nobody_elses_share() {
    World::run(|world| async move {
        world.supabase.switch(|switches| (switches.rate_limits, switches.forwarding) = (true, true));
        let told = App {
            supabase: Supabase::new(
                net::client(&net::tls()),
                &world.supabase.url(),
                KEY,
                Some(Secret::new("sb_secret_standin".into())),
            ),
            tries_per_hour: 1_000,
            ..app_with(world, world.db())
        };
        let untold = App { tries_per_hour: 1_000, ..app_with(world, world.db()) };
        let body = json!({ "email": LEA.email, "password": demo::PASSWORD });
        for (app, hers) in [(&told, 200), (&untold, 429)] {
            let mut statuses = Vec::new();
            for number in 0..40 {
                let cookie = format!("{REFRESH_COOKIE}={}", invented(number));
                let headers = [(":source-ip", "203.0.113.1"), ("cookie", &cookie)];
                statuses
                    .push(call_on(app, Method::POST, "/api/session/refresh", &headers, Some(&json!({}))).await.status);
            }
            assert!(statuses.contains(&429), "Supabase itself stops that visitor: {statuses:?}");
            let lea = call_on(app, Method::POST, "/api/session", &[(":source-ip", "2001:db8::7")], Some(&body)).await;
            assert_eq!(lea.status, hers, "{}", lea.body);
        }
        let requests = world.supabase.requests();
        let forwarded = |address: &str| {
            let of = |request: &&dev::supabase::Recorded| {
                request.headers.iter().any(|(name, value)| name == "sb-forwarded-for" && value == address)
            };
            requests.iter().filter(of).count()
        };
        assert_eq!((forwarded("203.0.113.1"), forwarded("2001:db8::7")), (40, 1));
    });
}

#[test]
fn guesses_of_strangers_do_not_lock_out_an_artist_whose_browser_is_known() {
    World::run(|world| async move {
        let app = app_with(world, world.db());
        let (lea, noa) =
            (sign_in(world, LEA.email, demo::PASSWORD).await, sign_in(world, NOA.email, demo::PASSWORD).await);
        let try_it = async |from: &str, password: &str, device: &str| {
            let headers = [(":source-ip", from), ("cookie", device)];
            let body = json!({ "email": LEA.email, "password": password });
            call_on(&app, Method::POST, "/api/session", &headers, Some(&body)).await.status
        };
        for place in 1..=5 {
            for _ in 0..20 {
                try_it(&format!("203.0.113.{place}"), "guess", "").await;
            }
        }
        let known = |answer: &Answer| format!("{DEVICE_COOKIE}={}", cookie(answer, DEVICE_COOKIE).expect("a cookie").0);
        // A browser in which nobody has signed in to this account, Noa's, and a forged one: stopped, as the guesses are.
        let forged = known(&lea).replace("=0", "=1");
        for stranger in ["", &known(&noa), &forged, &known(&lea)[..60]] {
            assert_eq!(try_it("198.51.100.9", demo::PASSWORD, stranger).await, 429, "{stranger}");
        }
        // Hers, from a new address and from one that guesses came from; also after she has signed out.
        for from in ["198.51.100.9", "203.0.113.1"] {
            assert_eq!(try_it(from, demo::PASSWORD, &known(&lea)).await, 200, "{from}");
        }
        call_on(&app, Method::DELETE, "/api/session", &[("cookie", &cookies(&lea))], None).await;
        assert_eq!(try_it("198.51.100.9", demo::PASSWORD, &known(&lea)).await, 200);
        // Whoever sits at her browser has twenty tries an hour, as everybody has.
        for _ in 0..17 {
            assert_eq!(try_it("198.51.100.9", "guess", &known(&lea)).await, 401);
        }
        assert_eq!(try_it("198.51.100.9", "guess", &known(&lea)).await, 429);
    });
}

#[test]
fn one_ipv6_line_does_not_use_up_what_all_strangers_have() {
    World::run(|world| async move {
        let app = app_with(world, world.db());
        let ask = async |path: &str, from: &str, body: &Value| {
            call_on(&app, Method::POST, path, &[(":source-ip", from)], Some(body)).await.status
        };
        // A /56 has 256 networks of a household's size, a /48 has 65 536.
        for household in 0..6 {
            let from = format!("2001:db8:1:{household:x}::1");
            for number in 0..20 {
                let body = json!({ "email": format!("nobody{household}-{number}@example.fr") });
                ask("/api/session/link", &from, &body).await;
            }
        }
        let hers = json!({ "email": LEA.email });
        assert_eq!(ask("/api/session/link", "2001:db8:1:ff::1", &hers).await, 429, "that line has had its part");
        assert_eq!(ask("/api/session/link", "198.51.100.1", &hers).await, 202);
        let token_hash = link_in_mail(world, LEA.email).expect("a mail");
        let followed = json!({ "token_hash": token_hash });
        assert_eq!(ask("/api/session/verify", "198.51.100.1", &followed).await, 200);

        for household in 0..20 {
            let from = format!("2001:db8:2:{household:x}::1");
            for number in 0..20 {
                let body = json!({ "email": format!("nobody{household}-{number}@example.fr"), "password": "guess" });
                ask("/api/session", &from, &body).await;
            }
        }
        let hers = json!({ "email": LEA.email, "password": demo::PASSWORD });
        assert_eq!(ask("/api/session", "2001:db8:2:ff::1", &hers).await, 429);
        for elsewhere in ["198.51.100.2", "2001:db8:3::1"] {
            assert_eq!(ask("/api/session", elsewhere, &hers).await, 200, "{elsewhere}");
        }
    });
}

#[test]
fn the_network_around_a_household_is_counted_at_every_door() {
    World::run(|world| async move {
        let told = || {
            let key = Some(Secret::new("sb_secret_standin".into()));
            Supabase::new(net::client(&net::tls()), &world.supabase.url(), KEY, key)
        };
        let app = App { supabase: told(), tries_per_hour: 2, ..app_with(world, world.db()) };
        let link = json!({ "token_hash": "a".repeat(56) });
        let renewal = format!("{REFRESH_COOKIE}={}", invented(1));
        for (site, method, path) in [
            (1, Method::POST, "/api/session"),
            (2, Method::POST, "/api/session/signup"),
            (3, Method::POST, "/api/session/link"),
            (4, Method::POST, "/api/session/verify"),
            (5, Method::POST, "/api/session/refresh"),
            (6, Method::DELETE, "/api/session"),
        ] {
            let knock = async |from: String, number: u32| {
                let headers = [(":source-ip", from.as_str()), ("cookie", renewal.as_str())];
                let email = format!("nobody{site}-{number}@example.fr");
                let body = match path {
                    "/api/session/verify" => link.clone(),
                    _ => json!({ "email": email, "password": "a-good-password" }),
                };
                call_on(&app, method.clone(), path, &headers, Some(&body)).await.status
            };
            // Ten households of one site have two tries each, the eleventh has none.
            for number in 0..20 {
                let status = knock(format!("2001:db8:{site:x}:{:x}::1", number / 2), number).await;
                assert_ne!(status, 429, "{method} {path}, try {number}");
            }
            assert_eq!(knock(format!("2001:db8:{site:x}:ff::1"), 20).await, 429, "{method} {path}");
            assert_ne!(knock(format!("2001:db8:{:x}:ff::1", site + 100), 21).await, 429, "another site's");
        }
    });
}

#[test]
fn a_browser_that_is_known_for_the_account_gets_its_link_whatever_strangers_have_used_up() {
    World::run(|world| async move {
        let app = app_with(world, world.db());
        let known = |answer: &Answer| format!("{DEVICE_COOKIE}={}", cookie(answer, DEVICE_COOKIE).expect("a cookie").0);
        let lea = known(&sign_in(world, LEA.email, demo::PASSWORD).await);
        let noa = known(&sign_in(world, NOA.email, demo::PASSWORD).await);
        for number in 0..80 {
            let from = format!("203.0.113.{}", number / 20);
            let body = json!({ "email": format!("nobody{number}@example.fr") });
            let answer = call_on(&app, Method::POST, "/api/session/link", &[(":source-ip", &from)], Some(&body)).await;
            assert_eq!(answer.status, 202, "{number}");
        }
        let ask = async |path: &str, device: &str, body: Value| {
            let headers = [(":source-ip", "198.51.100.9"), ("cookie", device)];
            call_on(&app, Method::POST, path, &headers, Some(&body)).await.status
        };
        let hers = || json!({ "email": LEA.email });
        for stranger in ["", &noa, &lea[..60]] {
            assert_eq!(ask("/api/session/link", stranger, hers()).await, 429, "{stranger}");
        }
        world.supabase.clear_requests();
        assert_eq!(ask("/api/session/link", &lea, hers()).await, 202);
        let token_hash = link_in_mail(world, LEA.email).expect("a mail");
        let followed = || json!({ "token_hash": token_hash });
        assert_eq!(ask("/api/session/verify", "", followed()).await, 429);
        assert_eq!(ask("/api/session/verify", &lea, followed()).await, 200);

        // Whoever sits there has twenty of them an hour, of which the mailbox gets the first few; and passwords beside them.
        for _ in 0..18 {
            assert_eq!(ask("/api/session/link", &lea, hers()).await, 202);
        }
        assert_eq!(ask("/api/session/link", &lea, hers()).await, 429);
        let mailed = world.supabase.requests().iter().filter(|request| request.path.ends_with("/otp")).count();
        assert!((5..=6).contains(&mailed), "{mailed}");
        assert_eq!(ask("/api/session", &lea, json!({ "email": LEA.email, "password": demo::PASSWORD })).await, 200);
    });
}

#[test]
fn whoever_makes_many_browsers_known_for_an_account_has_no_more_than_the_account_has() {
    World::run(|world| async move {
        let app = App { tries_per_hour: 2, ..app_with(world, world.db()) };
        let ask = async |method: Method, path: &str, from: &str, cookie: &str, body: Value| {
            call_on(&app, method, path, &[(":source-ip", from), ("cookie", cookie)], Some(&body)).await
        };
        let mut devices = Vec::new();
        for place in 0..6 {
            let body = json!({ "email": LEA.email, "password": demo::PASSWORD });
            let from = format!("203.0.113.{place}");
            let answer = ask(Method::POST, "/api/session", &from, "", body).await;
            devices.push(format!("{DEVICE_COOKIE}={}", cookie(&answer, DEVICE_COOKIE).expect("a cookie").0));
        }
        for (path, times) in [("/api/session", 1), ("/api/session/verify", 1), ("/api/session/refresh", 6)] {
            let mut served = 0;
            for device in &devices {
                for _ in 0..2 * times {
                    let body = match path {
                        "/api/session" => json!({ "email": LEA.email, "password": "guess" }),
                        _ => json!({ "token_hash": "a".repeat(56) }),
                    };
                    let cookie = format!("{device}; {REFRESH_COOKIE}={}", invented(1));
                    let answer = ask(Method::POST, path, "198.51.100.9", &cookie, body).await;
                    served += i32::from(answer.status != 429);
                }
            }
            assert_eq!(served, 10 * times, "{path}");
        }
    });
}

#[test]
fn a_mailbox_gets_a_handful_of_links_an_hour_whoever_asks() {
    World::run(|world| async move {
        let app = app_with(world, world.db());
        for place in 0..30 {
            let from = format!("203.0.113.{place}");
            let body = json!({ "email": LEA.email });
            let answer = call_on(&app, Method::POST, "/api/session/link", &[(":source-ip", &from)], Some(&body)).await;
            assert_eq!((answer.status, &answer.body), (202, &json!({})));
            world.advance(Duration::from_secs(61));
        }
        // Half an hour of it, over the full hour or not.
        assert!((5..=10).contains(&world.supabase.requests().len()), "{}", world.supabase.requests().len());
    });
}

#[test]
fn a_link_does_not_take_the_place_of_a_session_without_a_question() {
    World::run(|world| async move {
        let alice = sign_in(world, LEA.email, demo::PASSWORD).await;
        post(world, "/api/session/link", &[], &json!({ "email": NOA.email })).await;
        let token_hash = link_in_mail(world, NOA.email).expect("a mail");
        let hers = cookies(&alice);
        let follow = async |body: Value| post(world, "/api/session/verify", &[("cookie", &hers)], &body).await;
        let asked = follow(json!({ "token_hash": token_hash })).await;
        assert_eq!((asked.status, asked.problem()), (409, "already-signed-in"));
        assert!(asked.headers.get("set-cookie").is_none());
        let entered = follow(json!({ "token_hash": token_hash, "replace": true })).await;
        assert_eq!((entered.status, &entered.body["email"]), (200, &json!(NOA.email)), "the link was not used up");
    });
}

#[test]
fn nothing_is_done_for_a_page_of_somebody_else() {
    World::run(|world| async move {
        let app = app_with(world, world.db());
        let credentials = json!({ "email": LEA.email, "password": demo::PASSWORD }).to_string();
        for (method, path) in [
            (Method::POST, "/api/session"),
            (Method::POST, "/api/session/signup"),
            (Method::POST, "/api/session/link"),
            (Method::POST, "/api/session/verify"),
            (Method::POST, "/api/session/refresh"),
            (Method::DELETE, "/api/session"),
        ] {
            for origin in [Some("https://evil.example"), Some("null"), None] {
                let headers: Vec<_> =
                    [Some(("content-type", "application/json")), origin.map(|origin| ("origin", origin))]
                        .into_iter()
                        .flatten()
                        .collect();
                let request = request(method.clone(), path, &headers, Some(credentials.clone()));
                let answer = ask(&app.web, request, |request| handle(&app, request)).await;
                assert_eq!((answer.status, answer.problem()), (403, "forbidden"), "{method} {path} {origin:?}");
                assert!(answer.headers.get("set-cookie").is_none());
            }
        }
        assert!(world.supabase.requests().is_empty());
    });
}

#[test]
fn guessing_is_slowed_down_by_address_and_by_account() {
    World::run(|world| async move {
        let app = App { tries_per_hour: 3, ..app_with(world, world.db()) };
        let guess = async |from: &str, email: &str| {
            let body = json!({ "email": email, "password": "guess" });
            call_on(&app, Method::POST, "/api/session", &[(":source-ip", from)], Some(&body)).await
        };
        for _ in 0..3 {
            assert_eq!(guess("203.0.113.1", LEA.email).await.status, 401);
        }
        let stopped = guess("203.0.113.1", LEA.email).await;
        assert_eq!((stopped.status, stopped.problem()), (429, "too-many-requests"));
        let wait: i64 = stopped.header("retry-after").parse().expect("seconds");
        assert!((1..=3600).contains(&wait), "{wait}");
        assert_eq!(
            guess("203.0.113.1", "other@example.fr").await.status,
            429,
            "the address is stopped, not the account"
        );

        // From ever new addresses: fifteen in all for one account.
        for place in 0..12 {
            assert_eq!(guess(&format!("203.0.113.{}", 10 + place), LEA.email).await.status, 401, "{place}");
        }
        assert_eq!(guess("203.0.113.99", LEA.email).await.status, 429);
        assert_eq!(guess("203.0.113.98", "other@example.fr").await.status, 401);
        // All addresses of a household are one.
        for (number, status) in [401, 401, 401, 429].into_iter().enumerate() {
            assert_eq!(guess(&format!("2001:db8:1:1::{number}"), &format!("{number}@example.fr")).await.status, status);
        }
        // A link still brings the artist in.
        let body = json!({ "email": LEA.email });
        let link =
            call_on(&app, Method::POST, "/api/session/link", &[(":source-ip", "203.0.113.97")], Some(&body)).await;
        assert_eq!(link.status, 202);

        let buckets = world.rows("select bucket from rate_limits", &[]).await;
        assert!(!buckets.is_empty());
        for row in buckets {
            let bucket = row["bucket"].as_str().expect("text");
            assert!(!bucket.contains("203.0") && !bucket.contains('@'), "{bucket}");
        }
    });
}

#[test]
fn when_supabase_fails_nobody_is_told_that_the_password_is_wrong() {
    World::run(|world| async move {
        for down in [Down::Unavailable, Down::InternalError, Down::Cut] {
            world.supabase.switch(|switches| switches.api.down = Some(down));
            for (path, body) in [
                ("/api/session", json!({ "email": LEA.email, "password": demo::PASSWORD })),
                ("/api/session/signup", json!({ "email": "a@b.fr", "password": "a-good-password" })),
                ("/api/session/link", json!({ "email": LEA.email })),
                ("/api/session/verify", json!({ "token_hash": "abc" })),
            ] {
                let answer = post(world, path, &[], &body).await;
                assert_eq!((answer.status, answer.problem()), (503, "sign-in-unavailable"), "{down:?} {path}");
                assert!(!answer.header("retry-after").is_empty());
            }
        }
        world.supabase.switch(|switches| {
            switches.api.down = None;
            switches.api.rate_limited = true;
        });
        assert_eq!(sign_in(world, LEA.email, demo::PASSWORD).await.problem(), "too-many-requests");
    });
}

#[test]
fn a_project_that_writes_to_its_team_only_is_no_fault_of_the_address() {
    World::run(|world| async move {
        world.supabase.switch(|switches| switches.built_in_sender = true);
        for (path, body) in [
            ("/api/session/signup", json!({ "email": "new@artist.fr", "password": "a-good-password" })),
            ("/api/session/link", json!({ "email": LEA.email })),
        ] {
            let answer = post(world, path, &[], &body).await;
            assert_eq!((answer.status, answer.problem()), (503, "sign-in-unavailable"), "{path}");
            assert!(answer.body["errors"].is_null(), "nothing that the visitor wrote is wrong: {}", answer.body);
        }
    });
}

#[test]
fn a_wrong_setup_is_our_own_failure_and_hands_out_no_session() {
    World::run(|world| async move {
        let body = json!({ "email": LEA.email, "password": demo::PASSWORD });
        let wrong_key = App {
            supabase: Supabase::new(net::client(&net::tls()), &world.supabase.url(), "sb_publishable_other", None),
            ..app_with(world, world.db())
        };
        // The project signs with its keys, and we were told of a secret.
        let secret = Secret::new("a-shared-secret-of-at-least-32-characters".into());
        let wrong_mode = App {
            auth: Auth::new(net::client(&net::tls()), &world.supabase.url(), Some(&secret), &world.web()),
            ..app_with(world, world.db())
        };
        for app in [wrong_key, wrong_mode] {
            let answer = call_on(&app, Method::POST, "/api/session", &[], Some(&body)).await;
            assert_eq!((answer.status, answer.problem()), (500, "internal"));
            assert!(answer.headers.get("set-cookie").is_none());
        }
    });
}

#[test]
fn neither_passwords_nor_tokens_nor_addresses_are_logged() {
    World::run(|world| async move {
        let logs = Logs::listen();
        let entered = sign_in(world, LEA.email, demo::PASSWORD).await;
        sign_in(world, LEA.email, "a-wrong-password").await;
        post(world, "/api/session", &[], &json!({ "email": [LEA.email], "password": demo::PASSWORD })).await;
        post(world, "/api/session/link", &[], &json!({ "email": LEA.email })).await;
        let token_hash = link_in_mail(world, LEA.email).expect("a mail");
        post(world, "/api/session/verify", &[], &json!({ "token_hash": token_hash })).await;
        post(world, "/api/session/refresh", &[("cookie", &cookies(&entered))], &json!({})).await;
        world.supabase.switch(|switches| switches.api.down = Some(Down::Cut));
        let app = app_with(world, world.db());
        call_on(&app, Method::DELETE, "/api/session", &[("cookie", &cookies(&entered))], None).await;
        let tokens = [SESSION_COOKIE, REFRESH_COOKIE].map(|name| cookie(&entered, name).expect("a cookie").0);
        logs.hold_nothing_of(&[LEA.email, demo::PASSWORD, "a-wrong-password", &token_hash, &tokens[0], &tokens[1]]);
    });
}

#[test]
fn who_is_signed_in_costs_one_flight_and_signing_in_two() {
    World::run(|world| async move {
        let wire = world.wire().await;
        let app = app_with(world, world.db_through(&wire).await);
        let body = json!({ "email": LEA.email, "password": demo::PASSWORD });
        let entered = call_on(&app, Method::POST, "/api/session", &[], Some(&body)).await;
        assert_eq!((entered.status, wire.flights()), (200, 2));
        wire.reset();
        let again = call_on(&app, Method::GET, "/api/session", &[("cookie", &cookies(&entered))], None).await;
        assert_eq!((again.status, wire.flights()), (200, 1));
    });
}

#[test]
fn other_methods_and_other_paths_are_refused() {
    World::run(|world| async move {
        let app = app_with(world, world.db());
        for (method, path, status) in [
            (Method::PUT, "/api/session", 405),
            (Method::GET, "/api/session/link", 405),
            (Method::DELETE, "/api/session/refresh", 405),
            (Method::POST, "/api/session/admin", 404),
        ] {
            assert_eq!(call_on(&app, method, path, &[], None).await.status, status, "{path}");
        }
    });
}

#[test]
fn what_somebody_writes_into_an_address_is_not_in_the_log() {
    World::run(|world| async move {
        let logs = Logs::listen();
        let odd = post(world, "/api/session/jo@example.fr/link", &[], &json!({})).await;
        assert_eq!((odd.status, odd.problem()), (404, "not-found"));
        assert_eq!(post(world, "/api/session/Camille/0612345678", &[], &json!({})).await.status, 404);
        logs.hold_nothing_of(&["jo@example.fr", "Camille", "0612345678"]);
        assert!(logs.text().contains("/api/session/…/link"), "{}", logs.text());
    });
}
