//! What is accepted, and above all what is not: against the key set of a stand-in that signs in earnest.

use std::time::Duration;

use axum::Router;
use axum::routing::get;
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use dev::supabase::{Down, Options, StandIn, hs256_token, token};
use lambda_http::Body;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair, RsaPublicKeyComponents};
use serde_json::{Value, json};
use uuid::uuid;

use super::*;
use crate::net;

const USER: Uuid = uuid!("019aa000-0000-7000-8000-0000000000aa");
const EMAIL: &str = "lea@marchetti.example";
const SECRET: &str = "a-shared-secret-of-at-least-32-characters";
const NOW: &str = "2027-02-01T08:00:00Z";

fn now() -> Timestamp {
    NOW.parse().expect("an instant")
}

fn web() -> Web {
    Web {
        public_url: "https://ink.example".into(),
        cors_origins: vec!["https://site.example".into()],
        client_ip_header: None,
    }
}

/// A project whose clock stands at [`NOW`], and what accepts its tokens.
async fn project() -> (StandIn, Auth) {
    let shift = now().as_second() - crate::clock::Clock::default().now().as_second();
    let options = Options { clock_shift_seconds: shift, ..Options::default() };
    let project = StandIn::start(options).await.expect("it stands in");
    let auth = Auth::new(net::client(&net::tls()), &project.url(), None, &web());
    (project, auth)
}

fn fetches(project: &StandIn) -> usize {
    project.requests().iter().filter(|request| request.path.ends_with("jwks.json")).count()
}

fn with(claims: &Value, name: &str, value: Value) -> Value {
    let mut claims = claims.clone();
    claims[name] = value;
    claims
}

fn without(claims: &Value, name: &str) -> Value {
    let mut claims = claims.clone();
    claims.as_object_mut().expect("claims").remove(name);
    claims
}

fn after(seconds: i64) -> Timestamp {
    now().checked_add(SignedDuration::from_secs(seconds)).expect("in range")
}

async fn is_refused(auth: &Auth, what: &str, token: &str) {
    match auth.verify(token, now()).await {
        Err(Error::Unauthenticated(_)) => {}
        other => panic!("{what}: {other:?}"),
    }
}

#[tokio::test]
async fn a_user_of_the_project_is_known_by_the_subject() {
    let (project, auth) = project().await;
    let claims = project.claims(USER, EMAIL);
    for claims in [claims.clone(), with(&claims, "aud", json!(["else", "authenticated"]))] {
        let somebody = auth.verify(&project.sign(&claims), now()).await.expect("accepted");
        assert_eq!((somebody.user_id, somebody.email.as_str()), (USER, EMAIL));
        assert_eq!(Some(somebody.expires_at.as_second()), claims["exp"].as_i64());
        assert!(!format!("{somebody:?}").contains(EMAIL));
    }
}

#[tokio::test]
async fn what_does_not_claim_to_be_a_signed_in_user_of_this_project_is_refused() {
    let (project, auth) = project().await;
    let claims = project.claims(USER, EMAIL);
    assert!(auth.verify(&project.sign(&claims), now()).await.is_ok());
    for (name, value) in [
        ("iss", json!("https://other.supabase.co/auth/v1")),
        ("iss", json!("supabase")),
        ("iss", json!(format!("{}/auth/v1/", project.url()))),
        ("aud", json!("anon")),
        ("aud", json!(["anon"])),
        ("aud", json!([])),
        ("role", json!("anon")),
        ("role", json!("service_role")),
        ("is_anonymous", json!(true)),
        ("is_anonymous", json!("false")),
        ("sub", json!("lea-marchetti")),
        ("sub", json!("")),
        ("session_id", json!("")),
        ("session_id", json!(null)),
        ("exp", json!(now().as_second() - 3600)),
        ("exp", json!(i64::MIN)),
        ("exp", json!("2030-01-01T00:00:00Z")),
        ("nbf", json!(now().as_second() + 3600)),
    ] {
        is_refused(&auth, &format!("{name} = {value}"), &project.sign(&with(&claims, name, value))).await;
    }
    for name in ["iss", "aud", "sub", "role", "exp", "is_anonymous", "session_id"] {
        is_refused(&auth, &format!("no {name}"), &project.sign(&without(&claims, name))).await;
    }
}

#[tokio::test]
async fn the_algorithm_is_ours_to_choose_and_not_the_tokens() {
    let (project, auth) = project().await;
    let claims = project.claims(USER, EMAIL);
    let kid = project.key_id();
    let none = |_: &[u8]| Vec::new();
    for alg in ["none", "None", "NONE", "", "HS256", "ES384", "EdDSA"] {
        is_refused(&auth, alg, &token(&json!({ "alg": alg, "kid": kid }), &claims, none)).await;
    }
    // The oldest trick: the public key, which everybody has, as the secret of an HMAC.
    let pem = project.public_key();
    let der = BASE64_STANDARD.decode(pem.lines().filter(|line| !line.starts_with('-')).collect::<String>());
    let der = der.expect("base64");
    for secret in [pem.as_bytes(), pem.trim().as_bytes(), &der[..], &der[26..], &der[27..], b""] {
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret);
        for alg in ["HS256", "ES256"] {
            let header = json!({ "alg": alg, "kid": kid, "typ": "JWT" });
            let forged = token(&header, &claims, |message| ring::hmac::sign(&key, message).as_ref().to_vec());
            is_refused(&auth, "signed with the public key", &forged).await;
        }
    }
    // A sound signature under a name that is not the key's.
    let sound = project.sign(&claims);
    let (signed, signature) = sound.rsplit_once('.').expect("three parts");
    let (_, body) = signed.split_once('.').expect("three parts");
    let renamed = BASE64_URL_SAFE_NO_PAD.encode(json!({ "alg": "RS256", "kid": kid }).to_string());
    is_refused(&auth, "renamed", &format!("{renamed}.{body}.{signature}")).await;
}

#[tokio::test]
async fn a_token_that_was_touched_is_refused() {
    let (project, auth) = project().await;
    let claims = project.claims(USER, EMAIL);
    let sound = project.sign(&claims);
    let (signed, signature) = sound.rsplit_once('.').expect("three parts");
    let (header, body) = signed.split_once('.').expect("three parts");
    let other = BASE64_URL_SAFE_NO_PAD.encode(with(&claims, "sub", json!(Uuid::nil())).to_string());
    let crit = json!({ "alg": "ES256", "kid": project.key_id(), "crit": ["exp"] });
    for (what, token) in [
        ("another body", format!("{header}.{other}.{signature}")),
        ("no signature", format!("{header}.{body}.")),
        ("half a signature", format!("{header}.{body}.{}", &signature[..43])),
        ("padding", format!("{sound}=")),
        ("one part more", format!("{sound}.x")),
        ("two parts", format!("{header}.{body}")),
        ("nothing", String::new()),
        ("dots", "..".into()),
        ("no JSON", format!("{}.{body}.{signature}", BASE64_URL_SAFE_NO_PAD.encode("{"))),
        ("no key", token(&json!({ "alg": "ES256" }), &claims, |_| vec![1; 64])),
        ("zeros for a signature", token(&json!({ "alg": "ES256", "kid": project.key_id() }), &claims, |_| vec![0; 64])),
        ("an unknown extension", token(&crit, &claims, |_| vec![1; 64])),
        ("a book", format!("{header}.{}.{signature}", "a".repeat(100_000))),
    ] {
        is_refused(&auth, what, &token).await;
    }
}

#[tokio::test]
async fn the_project_keys_are_nobody() {
    let (project, auth) = project().await;
    // What anon and service_role keys look like, new and old, and the new publishable keys.
    for role in ["anon", "service_role"] {
        let claims =
            json!({ "iss": "supabase", "ref": "abcdefghijklmnop", "role": role, "iat": 0, "exp": 4_102_444_800_i64 });
        is_refused(&auth, role, &hs256_token(SECRET.as_bytes(), &claims)).await;
        is_refused(&auth, role, &project.sign(&claims)).await;
        let legacy = Auth::new(net::client(&net::tls()), &project.url(), Some(&Secret::new(SECRET.into())), &web());
        is_refused(&legacy, role, &hs256_token(SECRET.as_bytes(), &claims)).await;
    }
    is_refused(&auth, "a publishable key", "sb_publishable_abcdefghijklmnop").await;
    is_refused(&auth, "a secret key", "sb_secret_abcdefghijklmnop").await;
}

#[tokio::test]
async fn clocks_may_be_half_a_minute_apart_and_not_more() {
    let (project, auth) = project().await;
    let token = project.sign(&with(&project.claims(USER, EMAIL), "exp", json!(now().as_second())));
    assert!(auth.verify(&token, after(29)).await.is_ok());
    assert!(auth.verify(&token, after(30)).await.is_err());
    let token = project.sign(&with(&project.claims(USER, EMAIL), "nbf", json!(now().as_second() + 30)));
    assert!(auth.verify(&token, now()).await.is_ok());
    assert!(auth.verify(&token, after(-1)).await.is_err());
}

#[tokio::test]
async fn a_project_with_a_shared_secret_takes_that_and_nothing_else() {
    let (project, _) = project().await;
    let legacy = Auth::new(net::client(&net::tls()), &project.url(), Some(&Secret::new(SECRET.into())), &web());
    let claims = project.claims(USER, EMAIL);
    let sound = hs256_token(SECRET.as_bytes(), &claims);
    assert_eq!(legacy.verify(&sound, now()).await.expect("accepted").user_id, USER);
    is_refused(&legacy, "ES256", &project.sign(&claims)).await;
    is_refused(&legacy, "another secret", &hs256_token(b"another-secret", &claims)).await;
    is_refused(&legacy, "no secret", &hs256_token(b"", &claims)).await;
    is_refused(&legacy, "expired", &hs256_token(SECRET.as_bytes(), &with(&claims, "exp", json!(1)))).await;
    for alg in ["none", "HS512", "ES256", "RS256"] {
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, SECRET.as_bytes());
        let sign = |message: &[u8]| ring::hmac::sign(&key, message).as_ref().to_vec();
        is_refused(&legacy, alg, &token(&json!({ "alg": alg }), &claims, sign)).await;
    }
    assert_eq!(fetches(&project), 0, "the published keys play no part");
    assert!(!format!("{legacy:?}").contains(SECRET));
}

#[tokio::test]
async fn keys_are_fetched_once_in_ten_minutes() {
    let (project, auth) = project().await;
    auth.warm_up(now()).await;
    for minute in 0..10 {
        assert!(auth.verify(&project.token(USER, EMAIL), after(minute * 60)).await.is_ok());
    }
    assert_eq!(fetches(&project), 1);
    assert!(auth.verify(&project.token(USER, EMAIL), after(600)).await.is_ok());
    assert_eq!(fetches(&project), 2);
}

#[tokio::test]
async fn a_new_key_is_found_and_an_invented_one_costs_one_fetch_a_minute() {
    let (project, auth) = project().await;
    auth.warm_up(now()).await;
    project.rotate(true);
    let new = project.token(USER, EMAIL);
    assert!(auth.verify(&new, after(59)).await.is_err(), "not asked again within a minute");
    assert!(auth.verify(&new, after(60)).await.is_ok());
    assert_eq!(fetches(&project), 2);
    for attempt in 0..50 {
        let forged = token(&json!({ "alg": "ES256", "kid": format!("{attempt}") }), &json!({}), |_| vec![1; 64]);
        assert!(auth.verify(&forged, after(61 + attempt)).await.is_err());
    }
    assert_eq!(fetches(&project), 2);
    assert!(auth.verify(&new, after(120)).await.is_ok());
}

#[tokio::test]
async fn a_key_that_was_taken_back_is_forgotten_with_the_next_fetch() {
    let (project, auth) = project().await;
    let old = project.token(USER, EMAIL);
    assert!(auth.verify(&old, now()).await.is_ok());
    project.rotate(false);
    assert!(auth.verify(&old, after(600)).await.is_err());
}

#[tokio::test]
async fn an_outage_of_supabase_signs_nobody_out_for_an_hour() {
    let (project, auth) = project().await;
    let in_two_hours = with(&project.claims(USER, EMAIL), "exp", json!(after(7200).as_second()));
    let token = project.sign(&in_two_hours);
    assert!(auth.verify(&token, now()).await.is_ok());
    for down in [Down::Unavailable, Down::InternalError, Down::Cut] {
        project.switch(|switches| switches.api.down = Some(down));
        assert!(auth.verify(&token, after(3599)).await.is_ok(), "{down:?}");
    }
    let outage = auth.verify(&token, after(3610)).await;
    assert!(matches!(outage, Err(Error::SignInUnavailable(_))), "{outage:?}");
    project.switch(|switches| switches.api.down = None);
    let too_soon = auth.verify(&token, after(3611)).await;
    assert!(matches!(too_soon, Err(Error::SignInUnavailable(_))), "{too_soon:?}");
    assert!(auth.verify(&token, after(3615)).await.is_ok());
}

#[tokio::test]
async fn without_keys_nobody_is_let_in_and_nobody_is_called_a_stranger() {
    let (project, auth) = project().await;
    project.switch(|switches| switches.api.down = Some(Down::Unavailable));
    let answer = auth.verify(&project.token(USER, EMAIL), now()).await;
    assert!(matches!(answer, Err(Error::SignInUnavailable(_))), "{answer:?}");
}

/// Serves a key set. Gives the project's URL.
async fn publish(keys: Value) -> String {
    let router = Router::new()
        .route("/auth/v1/.well-known/jwks.json", get(move || async move { axum::Json(json!({ "keys": keys })) }));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("a bound socket"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

#[tokio::test]
async fn rsa_keys_are_known_too_and_what_else_is_published_is_passed_over() {
    let text: String = include_str!("rsa_of_the_tests.b64").split_whitespace().collect();
    let pair = RsaKeyPair::from_pkcs8(&BASE64_STANDARD.decode(text).expect("base64")).expect("a key");
    let number = |n: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(n);
    let RsaPublicKeyComponents { n, e } = RsaPublicKeyComponents::<Vec<u8>>::from(pair.public());
    let rsa = json!({ "kty": "RSA", "alg": "RS256", "use": "sig", "kid": "rsa", "n": number(&n), "e": number(&e) });
    let padded = with(&with(&rsa, "kid", json!("padded")), "n", json!(number(&[&[0, 0], &n[..]].concat())));
    let url = publish(json!([
        { "kty": "oct", "alg": "HS256", "kid": "oct", "k": number(SECRET.as_bytes()) },
        { "kty": "OKP", "crv": "Ed25519", "kid": "okp", "x": number(&[1; 32]) },
        { "kty": "EC", "crv": "P-256", "kid": "short", "x": "AQ", "y": "AQ" },
        with(&rsa, "kid", json!("for-encryption")).as_object().map(|k| with(&json!(k), "use", json!("enc"))),
        "nonsense", 7, rsa, padded,
    ]))
    .await;
    let auth = Auth::new(net::client(&net::tls()), &url, None, &web());
    let claims = json!({
        "iss": format!("{url}/auth/v1"), "sub": USER, "aud": "authenticated", "role": "authenticated",
        "exp": now().as_second() + 60, "is_anonymous": false, "session_id": USER,
    });
    let sign = |message: &[u8]| {
        let mut signature = vec![0; pair.public().modulus_len()];
        pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).expect("signed");
        signature
    };
    for kid in ["rsa", "padded"] {
        let sound = token(&json!({ "alg": "RS256", "kid": kid }), &claims, sign);
        let somebody = auth.verify(&sound, now()).await.expect("accepted");
        assert_eq!((somebody.user_id, somebody.email.as_str()), (USER, ""));
    }
    for kid in ["for-encryption", "oct", "okp", "short", "nowhere"] {
        is_refused(&auth, kid, &token(&json!({ "alg": "RS256", "kid": kid }), &claims, sign)).await;
    }
    is_refused(&auth, "ES256", &token(&json!({ "alg": "ES256", "kid": "rsa" }), &claims, sign)).await;
    // A secret that somebody published by mistake signs nothing here.
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, SECRET.as_bytes());
    let with_secret =
        token(&json!({ "alg": "HS256", "kid": "oct" }), &claims, |m| ring::hmac::sign(&key, m).as_ref().to_vec());
    is_refused(&auth, "HS256", &with_secret).await;
}

#[tokio::test]
async fn a_key_set_that_cannot_be_read_is_an_outage() {
    for body in [json!("none"), json!({}), json!(null)] {
        let auth = Auth::new(net::client(&net::tls()), &publish(body).await, None, &web());
        let header = json!({ "alg": "ES256", "kid": "any" });
        let answer = auth.verify(&token(&header, &json!({}), |_| vec![1; 64]), now()).await;
        assert!(matches!(answer, Err(Error::SignInUnavailable(_))), "{answer:?}");
    }
}

fn request(method: &str, headers: &[(&str, &str)]) -> Request {
    let mut request = ::http::Request::builder().method(method).uri("https://x/api/dashboard/stats");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::Empty).expect("a request")
}

#[tokio::test]
async fn a_write_with_a_cookie_must_come_from_a_page_of_ours() {
    let (project, auth) = project().await;
    let token = project.token(USER, EMAIL);
    let cookie = format!("theme=dark; {SESSION_COOKIE}={token}; other=1");
    let bearer = format!("Bearer {token}");
    let ask = async |method: &str, headers: &[(&str, &str)]| auth.signed_in(&request(method, headers), now()).await;

    assert!(ask("GET", &[("cookie", &cookie)]).await.is_ok());
    assert!(ask("GET", &[("cookie", &cookie), ("origin", "https://evil.example")]).await.is_ok());
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        for ours in ["https://ink.example", "https://site.example"] {
            assert!(ask(method, &[("cookie", &cookie), ("origin", ours)]).await.is_ok());
        }
        for theirs in [
            "https://evil.example",
            "https://ink.example.evil",
            "http://ink.example",
            "https://ink.example:444",
            "https://ink.example/",
            "null",
            "",
        ] {
            let answer = ask(method, &[("cookie", &cookie), ("origin", theirs)]).await;
            assert!(matches!(answer, Err(Error::Forbidden(_))), "{method} {theirs}: {answer:?}");
        }
        let answer = ask(method, &[("cookie", &cookie)]).await;
        assert!(matches!(answer, Err(Error::Forbidden(_))), "{method} without an origin: {answer:?}");
        let twice =
            [("cookie", cookie.as_str()), ("origin", "https://ink.example"), ("origin", "https://evil.example")];
        assert!(matches!(ask(method, &twice).await, Err(Error::Forbidden(_))));
        // A program says who it is on purpose; no page of a stranger can.
        assert!(ask(method, &[("authorization", &bearer)]).await.is_ok());
    }
}

#[tokio::test]
async fn the_token_is_found_where_it_may_be() {
    let (project, auth) = project().await;
    let token = project.token(USER, EMAIL);
    let cookie = format!("{SESSION_COOKIE}={token}");
    let ask = async |headers: &[(&str, &str)]| auth.signed_in(&request("GET", headers), now()).await;

    assert!(ask(&[("authorization", &format!("bearer {token}"))]).await.is_ok());
    // What access control of CloudFront puts there is no answer to who is asking.
    assert!(ask(&[("authorization", "AWS4-HMAC-SHA256 Credential=…"), ("cookie", &cookie)]).await.is_ok());
    for headers in [
        &[][..],
        &[("cookie", "")],
        &[("cookie", "inkflow_session=x")],
        &[("cookie", &format!("{SESSION_COOKIE}="))],
        &[("cookie", &format!("x{SESSION_COOKIE}={token}"))],
        &[("cookie", &format!("{REFRESH_COOKIE}={token}"))],
        &[("authorization", &token)],
        &[("authorization", "Bearer")],
        &[("authorization", "Bearer ")],
        // A bad bearer token is not made good by a good cookie.
        &[("authorization", "Bearer x.y.z"), ("cookie", &cookie)],
        &[("x-session", &token)],
    ] {
        let answer = ask(headers).await;
        assert!(matches!(answer, Err(Error::Unauthenticated(_))), "{headers:?}: {answer:?}");
    }
}

#[tokio::test]
async fn a_slow_project_does_not_hold_a_function_for_ever() {
    let (project, auth) = project().await;
    project.switch(|switches| switches.api.slow_ms = 60_000);
    let answer = tokio::time::timeout(Duration::from_secs(10), auth.verify(&project.token(USER, EMAIL), now())).await;
    assert!(matches!(answer, Ok(Err(Error::SignInUnavailable(_)))), "{answer:?}");
}
