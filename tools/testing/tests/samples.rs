//! The samples of `events/`, handed to the compiled functions as Lambda hands them over: what `cargo lambda invoke
//! --data-file` does with them.

use std::collections::BTreeSet;

use dev::demo::LEA;
use dev::platform::{Options, Platform, checkout};
use jiff::Timestamp;
use serde_json::{Value, json};

/// The booking that no database has.
const NOBODYS: &str = "019aa000-0000-7000-8000-0000000000b0";

/// Some days before the appointments of the samples.
const SAMPLES_DAY: &str = "2035-05-28T10:00:00Z";

struct Stage {
    platform: Platform,
    tried: BTreeSet<String>,
}

impl Stage {
    /// Gives a sample to its function, changed by `change`.
    async fn invoke_with(&mut self, sample: &str, change: impl FnOnce(String) -> String) -> Value {
        let path = checkout().join("events").join(format!("{sample}.json"));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let function = sample.split_once('.').map_or(sample, |(function, _case)| function);
        let answer = self.platform.host().invoke(function, change(text)).await;
        let answer = answer.unwrap_or_else(|error| panic!("{sample}: {error:?}"));
        self.tried.insert(sample.to_owned());
        serde_json::from_slice(&answer).unwrap_or(Value::Null)
    }

    async fn invoke(&mut self, sample: &str) -> Value {
        self.invoke_with(sample, |text| text).await
    }

    /// What an artist sets: nothing without a token, and with Léa's every sample as its function says.
    async fn settings(&mut self) {
        let token = self.platform.supabase().expect("a stand-in").token(LEA.user_id, LEA.email);
        let hers = move |text: String| text.replace("<token>", &token);
        for (sample, status) in [
            ("profile", 200),
            ("profile-save", 200),
            ("profile-email-link", 202),
            ("profile-email-follow", 422),
            ("rules", 200),
            ("rules-save", 200),
            ("policy", 200),
            ("policy-save", 200),
            ("policy-preview", 200),
            ("hours", 200),
            ("hours-save", 200),
            ("time-off", 200),
            ("time-off-take", 201),
            ("time-off-delete", 204),
            ("flashes", 200),
            // Its picture is nobody's.
            ("flash-create", 422),
            ("flash-change", 200),
            ("flash-archive", 200),
            ("flash-restore", 200),
            ("image-announce", 201),
            ("image", 404),
            ("calendar", 200),
            ("calendar-save", 200),
            ("calendar-test", 200),
            ("calendar-disconnect", 204),
        ] {
            let sample = format!("dashboard-settings.{sample}");
            assert_eq!(self.ask(&sample).await.0, 401, "{sample}");
            let (answered, body) = status_and_body(&self.invoke_with(&sample, hers.clone()).await);
            assert_eq!(answered, status, "{sample}: {body}");
        }
    }

    /// The samples of signing in and out, as Léa's browser would send them.
    async fn session(&mut self) {
        let site = self.platform.site().to_owned();
        let from_our_page = |text: String| text.replace("https://inkflow.example", &site);
        assert_eq!(self.ask("session").await.0, 401);
        assert_eq!(self.ask("session.sign-in").await.0, 403);
        let answer = self.invoke_with("session.sign-in", from_our_page).await;
        assert_eq!(answer["statusCode"], 200, "{answer}");
        let cookies: Vec<String> = answer["cookies"].as_array().into_iter().flatten().map(value_of).collect();
        let signed_in = |text: String| {
            from_our_page(text).replace("<access token>", &cookies[0]).replace("<refresh token>", &cookies[1])
        };
        let (status, session) = status_and_body(&self.invoke_with("session", signed_in).await);
        assert_eq!((status, &parsed(&session)["artist"]["slug"]), (200, &json!("lea-marchetti")));
        self.dashboard(&signed_in).await;
        for (sample, status) in [
            ("session.doors", 200),
            ("session.signup", 202),
            ("session.link", 202),
            ("session.verify", 401),
            ("session.refresh", 200),
            ("session.sign-out", 204),
        ] {
            let answer = self.invoke_with(sample, signed_in).await;
            assert_eq!(answer["statusCode"], status, "{sample}: {answer}");
        }
    }

    /// The samples of the dashboard, as Léa's browser would send them about a booking that she does not have.
    async fn dashboard(&mut self, signed_in: &impl Fn(String) -> String) {
        for sample in
            ["dashboard-stats", "dashboard-bookings", "dashboard-bookings.csv", "dashboard-bookings.suspicious"]
        {
            assert_eq!(self.ask(sample).await.0, 401, "{sample}");
            let answer = self.invoke_with(sample, signed_in).await;
            assert_eq!(answer["statusCode"], 200, "{sample}: {answer}");
        }
        let answer = self.invoke_with("dashboard-bookings.suspicious-end", signed_in).await;
        assert_eq!(answer["statusCode"], 200, "nothing that was shown is left: {answer}");
        let actions = [
            "detail",
            "confirm",
            "undo-confirm",
            "cancel",
            "put-back",
            "complete",
            "no-show",
            "refund",
            "accept",
            "note",
            "resend",
            "retry",
        ];
        for action in actions {
            let answer = self.invoke_with(&format!("dashboard-bookings.{action}"), signed_in).await;
            assert_eq!(answer["statusCode"], 404, "{action}: {answer}");
        }
    }

    /// Status and body of a sample's answer.
    async fn ask(&mut self, sample: &str) -> (u64, String) {
        let answer = self.invoke(sample).await;
        status_and_body(&answer)
    }
}

fn status_and_body(answer: &Value) -> (u64, String) {
    (answer["statusCode"].as_u64().expect("a status"), answer["body"].as_str().unwrap_or_default().to_owned())
}

/// The value of a cookie that is being set.
fn value_of(cookie: &Value) -> String {
    let (_name, rest) = cookie.as_str().expect("text").split_once('=').expect("a cookie");
    rest.split(';').next().unwrap_or_default().to_owned()
}

fn parsed(body: &str) -> Value {
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{body}: {error}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_functions_sample_is_answered_by_the_compiled_function() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let platform = Platform::start(Options::for_test().expect("options")).await;
    let platform = platform.expect("it starts: cargo build --workspace --bins");
    // The samples name days of June 2035, which no artist's books are open for today.
    #[expect(clippy::disallowed_methods, reason = "the shift is from the machine's own clock")]
    let shift = SAMPLES_DAY.parse::<Timestamp>().expect("an instant").duration_since(Timestamp::now());
    platform.set_clock(shift.as_secs());
    let mut stage = Stage { platform, tried: BTreeSet::new() };

    let (status, artist) = stage.ask("artist-page").await;
    assert_eq!((status, &parsed(&artist)["slug"]), (200, &json!("lea-marchetti")));
    let (status, page) = stage.ask("artist-page.html").await;
    assert_eq!(status, 200);
    assert!(page.contains("Léa Marchetti"), "{page}");
    let (status, list) = stage.ask("artist-page.list").await;
    assert_eq!((status, &parsed(&list)["artists"][0]["slug"]), (200, &json!("lea-marchetti")));
    for (sample, minutes) in [("slots", 120), ("slots.project", 180)] {
        let (status, slots) = stage.ask(sample).await;
        let slots = parsed(&slots);
        assert_eq!((status, &slots["duration_minutes"]), (200, &json!(minutes)), "{slots}");
        assert!(slots["days"][0]["slots"].as_array().is_some_and(|slots| !slots.is_empty()), "{slots}");
    }

    let (status, reading) = stage.ask("contact").await;
    let reading = parsed(&reading);
    assert_eq!((status, &reading["phone"]["written"]), (200, &json!("+32 470 12 34 56")), "{reading}");

    let (status, held) = stage.ask("create-booking.flash").await;
    let held = parsed(&held);
    assert_eq!((status, &held["deposit_cents"]), (201, &json!(5_000)), "{held}");
    let (_status, again) = stage.ask("create-booking.flash").await;
    assert_eq!(parsed(&again)["booking_id"], held["booking_id"], "the same wish is the same hold");
    let (status, project) = stage.ask("create-booking.project").await;
    assert_eq!(status, 201, "{project}");

    let id = held["booking_id"].as_str().expect("an id").to_owned();
    let with_id = |text: String| text.replace(NOBODYS, &id);
    assert_eq!(stage.ask("booking-status").await.0, 404);
    let (status, booking) = status_and_body(&stage.invoke_with("booking-status", with_id).await);
    assert_eq!((status, &parsed(&booking)["status"]), (200, &json!("pending")));
    // An appointment that does not stand yet has no calendar file.
    assert_eq!(stage.ask("calendar-file").await.0, 404);
    assert_eq!(stage.ask("release-booking.release").await.0, 404);
    assert_eq!(stage.ask("release-booking.check").await.0, 404);
    let (status, released) = status_and_body(&stage.invoke_with("release-booking.release", with_id).await);
    assert_eq!((status, &parsed(&released)["cancel_reason"]), (200, &json!("client")));

    assert_eq!(stage.ask("page-errors").await.0, 202);
    stage.session().await;

    assert_eq!(stage.ask("stripe-webhook").await.0, 401);
    assert_eq!(stage.ask("calcom-webhook").await.0, 401);
    let batch = stage.invoke("worker").await;
    assert_eq!(batch["batchItemFailures"], json!([]), "a job that nobody knows is nothing to do: {batch}");
    let report = stage.invoke("sweeper").await;
    assert_eq!(report["failed"], json!(0), "{report}");

    stage.settings().await;
    let fates = stage.invoke("image-intake").await;
    assert_eq!(fates["images"][0]["fate"], json!("unknown"), "nobody announced it: {fates}");

    let files = std::fs::read_dir(checkout().join("events")).expect("the samples").flatten();
    let files: BTreeSet<String> = files
        .filter_map(|entry| entry.file_name().to_str().and_then(|name| name.strip_suffix(".json")).map(str::to_owned))
        .collect();
    assert_eq!(stage.tried, files);
    stage.platform.stop().await.expect("it stops");
}
