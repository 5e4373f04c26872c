//! Who may do what here: an artist their own page, nobody anything else.

use super::*;

const ROUTES: &[(&str, &str)] = &[
    ("GET", "profile"),
    ("PUT", "profile"),
    ("POST", "profile/email/link"),
    ("POST", "profile/email/follow"),
    ("GET", "rules"),
    ("PUT", "rules"),
    ("GET", "policy"),
    ("PUT", "policy"),
    ("POST", "policy/preview"),
    ("GET", "hours"),
    ("PUT", "hours"),
    ("GET", "time-off"),
    ("POST", "time-off"),
    ("DELETE", "time-off/019aa000-0000-7000-8000-00000000c001"),
    ("GET", "flashes"),
    ("POST", "flashes"),
    ("PUT", "flashes/019aa000-0000-7000-8000-0000000000f1"),
    ("POST", "flashes/019aa000-0000-7000-8000-0000000000f1/archive"),
    ("POST", "flashes/019aa000-0000-7000-8000-0000000000f1/restore"),
    ("POST", "images"),
    ("GET", "images/019aa000-0000-7000-8000-0000000000e1"),
    ("GET", "calendar"),
    ("PUT", "calendar"),
    ("DELETE", "calendar"),
    ("POST", "calendar/test"),
];

/// A body that every route accepts, as far as it reads it.
fn body(path: &str) -> Option<Value> {
    Some(match path.split('/').next().unwrap_or_default() {
        "profile" => json!({ "slug": "sam-nouveau", "display_name": "Sam Nouveau", "email": "sam@nouveau.example" }),
        "rules" => json!({
            "deposit_percent": 1, "deposit_minimum_cents": 100, "project_deposit_cents": 100, "project_duration_minutes": 60,
            "minimum_notice_minutes": 0, "buffer_minutes": 0, "slot_step_minutes": 15, "horizon_days": 30,
        }),
        "policy" => json!({ "full_refund_hours": 1, "late_refund_percent": 1, "free_moves": 1, "nature": "arrhes" }),
        "hours" => json!({ "hours": [{ "weekday": 1, "opens": "10:00", "closes": "12:00" }] }),
        "time-off" => json!({ "starts_at": "2027-03-01T00:00:00Z", "ends_at": "2027-03-02T00:00:00Z" }),
        "flashes" => json!({
            "title": "Vol", "price_cents": 9000, "duration_minutes": 60, "repeatable": true,
            "image_id": "019aa000-0000-7000-8000-0000000000e1",
        }),
        "images" => json!({ "kind": "flash", "content_type": "image/png", "size": 10 }),
        "calendar" => json!({ "username": "noa-keller", "event_type_id": 1, "api_key": "cal_test_123456" }),
        _ => return None,
    })
}

async fn asked_with(world: &World, app: &App, token: &str, method: &str, path: &str) -> Answer {
    let body = if method == "GET" { None } else { body(path) };
    testing::ask(&world.web(), with_token(token, method, path, body.as_ref()), |request| handle(app, request)).await
}

/// Everything of the artists that these routes could change.
async fn everything(world: &World) -> Vec<Value> {
    world
        .rows(
            r"select (select jsonb_agg(a order by id) from artists a) as artists,
                 (select jsonb_agg(v order by id) from availability v) as hours,
                 (select jsonb_agg(t order by id) from time_off t) as off,
                 (select jsonb_agg(f order by id) from flashes f) as flashes,
                 (select jsonb_agg(i order by id) from images i) as images",
            &[],
        )
        .await
}

#[test]
fn nobody_sets_anything_without_a_token_that_is_true() {
    World::run(|world| async move {
        let app = app(world).await;
        let before = everything(world).await;
        let true_one = world.bearer(&LEA);
        let forged = format!("{}x", true_one);
        for (method, path) in ROUTES {
            for token in ["", "Bearer ", "Bearer nothing", "Bearer eyJhbGciOiJub25lIn0.e30.", &forged] {
                let answer = asked_with(world, &app, token, method, path).await;
                assert_eq!((answer.status, answer.problem()), (401, "unauthenticated"), "{method} {path} {token}");
            }
        }
        assert_eq!(everything(world).await, before);
    });
}

#[test]
fn another_artists_things_are_not_found() {
    World::run(|world| async move {
        let app = app(world).await;
        let lea = picture(world, &LEA).await;
        let before = everything(world).await;
        let noa = world.bearer(&NOA);
        let off = "time-off/019aa000-0000-7000-8000-00000000c001";
        let flash = "flashes/019aa000-0000-7000-8000-0000000000f1";
        let image = format!("images/{lea}");
        for (method, path) in [
            ("DELETE", off),
            ("POST", &format!("{flash}/archive")),
            ("POST", &format!("{flash}/restore")),
            ("GET", &image),
        ] {
            let answer = asked_with(world, &app, &noa, method, path).await;
            assert_eq!((answer.status, answer.problem()), (404, "not-found"), "{method} {path}");
        }
        let change = json!({ "title": "Vol", "price_cents": 9000, "duration_minutes": 60, "repeatable": true });
        let answer = put(world, &NOA, flash, change.clone()).await;
        assert_eq!((answer.status, answer.problem()), (404, "not-found"), "{}", answer.body);
        // Nor can a picture of somebody else's be put on one's own page.
        let mut with_image = change;
        with_image["image_id"] = lea.clone().into();
        let own = put(world, &NOA, &format!("flashes/{}", NOA.flashes[0].id), with_image.clone()).await;
        assert_eq!((own.status, own.pointers()), (422, vec!["#/image_id"]), "{}", own.body);
        assert_eq!(post(world, &NOA, "flashes", with_image).await.pointers(), ["#/image_id"]);
        assert_eq!(everything(world).await, before);
    });
}

#[test]
fn an_account_without_a_page_is_told_to_create_it() {
    World::run(|world| async move {
        let app = app(world).await;
        let before = everything(world).await;
        let nobody = format!("Bearer {}", world.supabase.token(uuid::Uuid::now_v7(), "sam@nouveau.example"));
        for (method, path) in ROUTES {
            if (*method, *path) == ("PUT", "profile") || *path == "policy/preview" {
                continue;
            }
            let answer = asked_with(world, &app, &nobody, method, path).await;
            assert_eq!((answer.status, answer.problem()), (404, "no-artist"), "{method} {path}: {}", answer.body);
        }
        assert_eq!(everything(world).await, before);
    });
}

#[test]
fn a_write_with_a_cookie_comes_from_a_page_of_ours() {
    World::run(|world| async move {
        let app = app(world).await;
        let cookie = world.cookie(&LEA);
        for (origin, status) in [(PUBLIC_URL, 200), ("https://evil.example", 403), ("null", 403)] {
            let headers = [("cookie", cookie.as_str()), ("content-type", "application/json"), ("origin", origin)];
            let body = json!({ "hours": [] }).to_string();
            let asked = testing::request(Method::PUT, "/api/dashboard/hours", &headers, Some(body));
            let answer = testing::ask(&world.web(), asked, |request| handle(&app, request)).await;
            assert_eq!(answer.status, status, "{origin}: {}", answer.body);
        }
    });
}

#[test]
fn unknown_paths_and_methods_are_refused_with_a_problem() {
    World::run(|world| async move {
        for (method, path, status) in [
            ("GET", "nothing", 404),
            ("GET", "profile/1", 404),
            ("POST", "flashes/1/sell", 404),
            ("PUT", "flashes/not-an-id", 404),
            ("DELETE", "profile", 405),
            ("DELETE", "flashes/019aa000-0000-7000-8000-0000000000f1", 405),
            ("GET", "calendar/test", 405),
            ("DELETE", "time-off/not-an-id", 404),
            ("GET", "images/not-an-id", 404),
        ] {
            let answer = ask(world, &LEA, method, path, Some(&json!({}))).await;
            assert_eq!(answer.status, status, "{method} {path}: {}", answer.body);
        }
    });
}

#[test]
fn what_cannot_be_read_is_a_problem_and_never_a_panic() {
    World::run(|world| async move {
        let app = app(world).await;
        let token = world.bearer(&LEA);
        let headers = |kind| [("authorization", token.as_str()), ("content-type", kind)];
        for (method, path) in ROUTES.iter().filter(|(method, path)| {
            // The others are sent without a body.
            ["PUT", "POST"].contains(method) && !["archive", "restore", "link"].iter().any(|last| path.ends_with(last))
        }) {
            let method: Method = method.parse().expect("a method");
            let path = format!("/api/dashboard/{path}");
            for (kind, body, status) in [
                ("application/json", "{", 400),
                ("application/json", "7", 400),
                (
                    "application/json",
                    r#"{"slug": 7, "hours": 7, "title": 7, "kind": 7, "nature": 7, "starts_at": 7, "deposit_percent": "x", "username": 7, "token": 7}"#,
                    400,
                ),
                ("text/plain", "{}", 415),
            ] {
                let asked = testing::request(method.clone(), &path, &headers(kind), Some(body.to_owned()));
                let answer = testing::ask(&world.web(), asked, |request| handle(&app, request)).await;
                assert_eq!(answer.status, status, "{method} {path} {body}: {}", answer.body);
            }
            let long = format!("{{\"bio\": \"{}\"}}", "x".repeat(70_000));
            let asked = testing::request(method.clone(), &path, &headers("application/json"), Some(long));
            assert_eq!(testing::ask(&world.web(), asked, |request| handle(&app, request)).await.status, 413, "{path}");
        }
    });
}
