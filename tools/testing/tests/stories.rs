//! The main flow as people live it: through the compiled functions under the Lambda runtime API, the gateway, the
//! pay page's own form and the signed webhooks. Then the same with everything that can go wrong going wrong.

use std::time::{Duration, Instant};

use dev::aws::{Condition, Mail};
use dev::demo;
use dev::platform::{Options, Platform};
use reqwest::redirect::Policy;
use serde_json::{Value, json};
use tokio_postgres::{Client, NoTls};

/// How long a follow-up may take before the story says that it did not come.
const PATIENCE: Duration = Duration::from_secs(30);

struct Story {
    platform: Platform,
    browser: reqwest::Client,
    database: Client,
}

struct Booked {
    id: String,
    checkout_url: String,
    email: String,
}

impl Story {
    async fn begin() -> Self {
        Self::begin_with(Options::for_test().expect("options")).await
    }

    async fn begin_with(options: Options) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let platform = Platform::start(options).await.expect("it starts: cargo build --workspace --bins");
        let database = connect(platform.database_url()).await;
        // As a browser: follows no redirect by itself, so that the story sees where it is sent.
        let browser = reqwest::Client::builder().redirect(Policy::none()).build().expect("a client");
        Self { platform, browser, database }
    }

    async fn end(self) {
        drop(self.database);
        self.platform.stop().await.expect("it stops");
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        let answer = self.browser.get(format!("{}{path}", self.platform.site())).send().await.expect("an answer");
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap_or(Value::Null))
    }

    async fn free_slots(&self, artist: &str, flash: &str) -> Vec<String> {
        let (status, body) = self.get(&format!("/api/calendar/slots?artist={artist}&flash={flash}&days=14")).await;
        assert_eq!(status, 200, "{body}");
        let days = body["days"].as_array().expect("days");
        days.iter().filter_map(|day| day["slots"][0]["start"].as_str()).map(str::to_owned).collect()
    }

    async fn create(&self, artist: &str, flash: &str, start: &str, who: &str) -> (u16, Value) {
        let body = json!({
            "artist": artist, "type": "flash", "flash_id": flash, "start": start, "locale": "fr",
            "client": { "name": format!("Client {who}"), "email": format!("{who}@example.fr"), "phone": "06 12 34 56 78" },
        });
        let url = format!("{}/api/bookings/create", self.platform.site());
        let answer = self.browser.post(url).json(&body).send().await.expect("an answer");
        (answer.status().as_u16(), answer.json().await.expect("JSON"))
    }

    /// Books the first free slot of the artist's first flash.
    async fn book(&self, artist: &demo::Artist, flash: usize, who: &str) -> Booked {
        let flash = artist.flashes[flash].id.to_string();
        let start = self.free_slots(artist.slug, &flash).await.remove(0);
        let (status, body) = self.create(artist.slug, &flash, &start, who).await;
        assert_eq!(status, 201, "{body}");
        Booked {
            id: body["booking_id"].as_str().expect("an id").to_owned(),
            checkout_url: body["checkout_url"].as_str().expect("a page to pay").to_owned(),
            email: format!("{who}@example.fr"),
        }
    }

    /// Presses a button of the pay page, and gives where it leads.
    async fn pay(&self, booked: &Booked, outcome: &str) -> String {
        let page = self.browser.get(&booked.checkout_url).send().await.expect("the pay page");
        assert_eq!(page.status(), 200);
        let answer =
            self.browser.post(&booked.checkout_url).form(&[("outcome", outcome)]).send().await.expect("an answer");
        let location = answer.headers().get("location").and_then(|value| value.to_str().ok());
        location.unwrap_or_default().to_owned()
    }

    async fn status(&self, booked: &Booked) -> Value {
        let (status, body) = self.get(&format!("/api/bookings/{}", booked.id)).await;
        assert_eq!(status, 200, "{body}");
        body
    }

    async fn until_status(&self, booked: &Booked, wanted: &str) -> Value {
        let begun = Instant::now();
        loop {
            let body = self.status(booked).await;
            if body["status"] == wanted {
                return body;
            }
            assert!(begun.elapsed() < PATIENCE, "still {}", body["status"]);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn mail(&self, to: &str, about: &Booked, subject: &str) -> Mail {
        let fits = |mail: &Mail| mail.to.contains(to) && mail.subject.contains(subject) && mail.text.len() > 40;
        let Some(mail) = self.platform.mails().wait_for(PATIENCE, fits).await else {
            let have: Vec<_> =
                self.platform.mails().messages().into_iter().map(|mail| (mail.to, mail.subject)).collect();
            panic!("no mail to {to} about booking {}: {have:?}; jobs: {:?}", about.id, self.open_jobs().await);
        };
        mail
    }

    async fn rows(&self, sql: &str) -> Vec<Value> {
        let sql = format!("select to_jsonb(r) as row from ({sql}) r");
        self.database
            .query_typed(&sql, &[])
            .await
            .expect("the statement is right")
            .iter()
            .map(|row| row.get("row"))
            .collect()
    }

    async fn open_jobs(&self) -> Vec<Value> {
        // A hold puts its reminder by for later.
        self.rows(
            r"select kind, args->>'template' as template, attempts, last_error from outbox
                 where done_at is null and (attempts > 0 or args->>'template' is distinct from 'client_held')",
        )
        .await
    }

    /// Waits until nothing is left to do.
    async fn until_quiet(&self) {
        let begun = Instant::now();
        while !self.open_jobs().await.is_empty() {
            assert!(begun.elapsed() < Duration::from_secs(90), "jobs are left: {:?}", self.open_jobs().await);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// One row of ledger and one mail of each kind: what a paid booking leaves, however often anything was said.
    async fn assert_paid_once(&self, booked: &Booked) {
        let ledger =
            self.rows(&format!("select kind, amount_cents from payments where booking_id = '{}'", booked.id)).await;
        assert_eq!(ledger, [json!({ "kind": "capture", "amount_cents": 5000 })]);
        let mails = self.platform.mails().messages_to(&booked.email);
        assert_eq!(mails.len(), 1, "{:?}", mails.iter().map(|mail| &mail.subject).collect::<Vec<_>>());
        let twice = self
            .rows("select booking_id, template, occurrence from email_deliveries group by 1, 2, 3 having count(*) > 1")
            .await;
        assert_eq!(twice, Vec::<Value>::new());
    }
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("Postgres answers");
    tokio::spawn(connection);
    client
}

/// The flash of Léa's that costs 50 € ahead: what the stories book.
fn fifty() -> usize {
    demo::LEA.flashes.iter().position(|flash| flash.deposit == Some("50.00")).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_books_pays_and_everybody_hears_of_it() {
    let story = Story::begin().await;
    // 1 and 2: the vitrine and its flashes.
    let (status, artist) = story.get("/api/artists/lea-marchetti").await;
    assert_eq!(status, 200);
    let flash = artist["flashes"][fifty()].clone();
    assert_eq!(flash["state"], "available");
    // 3 to 5: the form, the slot, the hold, the page to pay.
    let booked = story.book(&demo::LEA, fifty(), "camille").await;
    let pending = story.status(&booked).await;
    assert_eq!((&pending["status"], &pending["acompte_paid"]), (&json!("pending"), &json!(false)));
    if !flash["repeatable"].as_bool().unwrap_or_default() {
        let (_, artist) = story.get("/api/artists/lea-marchetti").await;
        assert_eq!(artist["flashes"][fifty()]["state"], "held");
    }
    // 5 to 7: the payment, the webhook, the success page.
    let back = story.pay(&booked, "paid").await;
    assert_eq!(back, format!("{}/booking/success?id={}", story.platform.site(), booked.id));
    let confirmed = story.until_status(&booked, "confirmed").await;
    assert_eq!((&confirmed["acompte_paid"], &confirmed["payment_status"]), (&json!(true), &json!("paid")));
    assert_eq!(confirmed["checkout_url"], Value::Null);
    // 6: the mails, with a calendar file.
    let mail = story.mail(&booked.email, &booked, "").await;
    let file = mail.attachments.first().expect("an appointment to keep");
    assert!(file.content.contains("BEGIN:VEVENT") && file.content.contains(&booked.id), "{}", file.content);
    let invitation = mail.invitation.as_ref().expect("an invitation");
    assert_eq!(invitation.content, file.content);
    assert!(invitation.content_type.contains("method=REQUEST"), "{}", invitation.content_type);
    let to_artist = story.mail(demo::LEA.email, &booked, "").await;
    assert!(to_artist.subject.starts_with("Confirmé"), "the first that the artist hears: {}", to_artist.subject);
    story.until_quiet().await;
    story.assert_paid_once(&booked).await;
    story.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_artist_on_cal_com_finds_the_booking_in_the_calendar() {
    let story = Story::begin().await;
    let booked = story.book(&demo::NOA, 0, "sacha").await;
    story.until_quiet().await;
    let there = story.rows("select cal_com_booking_id, calendar_state from bookings").await;
    assert_eq!(there[0]["calendar_state"], "synced", "created when the slot was held");
    story.pay(&booked, "paid").await;
    let confirmed = story.until_status(&booked, "confirmed").await;
    story.until_quiet().await;
    let uid = there[0]["cal_com_booking_id"].as_str().expect("a uid");
    let url = confirmed["calendar_url"].as_str().expect("a link");
    assert!(url.ends_with(&format!("/booking/{uid}")), "{url}");
    let bookings = story.platform.calcom().expect("a stand-in").bookings();
    assert_eq!(bookings.len(), 1, "{bookings:?}");
    story.end().await;
}

/// Field failure F5.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_webhook_is_found_by_the_sweeper() {
    let story = Story::begin().await;
    let booked = story.book(&demo::LEA, fifty(), "lou").await;
    story.pay(&booked, "webhook_lost").await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(story.status(&booked).await["status"], "pending");
    // A hold is left alone for its first seconds, so a sweep may come too early; the second never does.
    story.platform.set_clock(30);
    story.platform.sweep().await.expect("a sweep");
    if story.status(&booked).await["status"] != "confirmed" {
        story.platform.sweep().await.expect("a sweep");
    }
    assert_eq!(story.status(&booked).await["status"], "confirmed");
    story.mail(&booked.email, &booked, "").await;
    story.until_quiet().await;
    story.assert_paid_once(&booked).await;
    story.end().await;
}

/// Field failure F7.
#[tokio::test(flavor = "multi_thread")]
async fn a_doubled_webhook_does_nothing_twice() {
    let story = Story::begin().await;
    let booked = story.book(&demo::LEA, fifty(), "max").await;
    story.pay(&booked, "webhook_doubled").await;
    story.until_status(&booked, "confirmed").await;
    story.platform.stripe().expect("a stand-in").settled().await;
    story.until_quiet().await;
    story.assert_paid_once(&booked).await;
    story.end().await;
}

/// Field failure F8.
#[tokio::test(flavor = "multi_thread")]
async fn a_declined_card_ends_nothing_and_the_next_one_pays() {
    let story = Story::begin().await;
    let booked = story.book(&demo::LEA, fifty(), "noe").await;
    story.pay(&booked, "declined").await;
    assert_eq!(story.status(&booked).await["status"], "pending");
    story.pay(&booked, "paid").await;
    story.until_status(&booked, "confirmed").await;
    story.until_quiet().await;
    story.assert_paid_once(&booked).await;
    story.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_payment_gives_the_slot_back() {
    let story = Story::begin().await;
    let booked = story.book(&demo::LEA, fifty(), "eli").await;
    let start = story.status(&booked).await["start"].clone();
    story.pay(&booked, "expire").await;
    let released = story.until_status(&booked, "cancelled").await;
    assert_eq!(released["cancel_reason"], "hold_expired");
    let flash = demo::LEA.flashes[fifty()].id.to_string();
    let (status, body) = story.create("lea-marchetti", &flash, start.as_str().expect("a start"), "next").await;
    assert_eq!(status, 201, "{body}");
    story.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_browsers_on_one_slot_get_one_booking_and_one_clear_refusal() {
    let story = Story::begin().await;
    let repeatable =
        demo::LEA.flashes.iter().find(|flash| flash.repeatable).expect("a repeatable flash").id.to_string();
    let start = story.free_slots("lea-marchetti", &repeatable).await.remove(0);
    let (one, other) = tokio::join!(
        story.create("lea-marchetti", &repeatable, &start, "ana"),
        story.create("lea-marchetti", &repeatable, &start, "ben"),
    );
    let (won, lost) = if one.0 == 201 { (one, other) } else { (other, one) };
    assert_eq!((won.0, lost.0), (201, 409), "{} {}", won.1, lost.1);
    assert!(lost.1["type"].as_str().is_some_and(|kind| kind.ends_with("/problems#slot-taken")), "{}", lost.1);
    let fresh: Vec<&serde_json::Value> = lost.1["slots"]
        .as_array()
        .expect("days")
        .iter()
        .flat_map(|day| day["slots"].as_array().expect("slots"))
        .map(|slot| &slot["start"])
        .collect();
    assert!(!fresh.is_empty() && !fresh.contains(&&json!(start)), "fresh slots without the taken one: {fresh:?}");
    story.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_killed_between_claim_and_effect_loses_nothing() {
    let mut options = Options::for_test().expect("options");
    // So that the story need not wait for a production lease.
    options.settings.push(("JOB_LEASE_SECONDS".into(), "4".into()));
    let story = Story::begin_with(options).await;
    story.platform.queue().set(Condition::Down);
    let booked = story.book(&demo::LEA, fifty(), "kim").await;
    story.pay(&booked, "paid").await;
    story.until_status(&booked, "confirmed").await;
    // SES is slow, so the worker dies while it waits: the jobs are claimed and their effect is not known.
    story.platform.mails().set(Condition::Slow);
    let killed = story.platform.host().kill_during_next("worker", Duration::from_millis(700));
    story.platform.queue().set(Condition::Ok);
    story.platform.set_clock(35);
    story.platform.sweep().await.expect("a sweep");
    assert!(killed.await.expect("the worker got work"), "it was at work when it was killed");
    story.platform.mails().set(Condition::Ok);
    let begun = Instant::now();
    while !story.open_jobs().await.is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(90), "{:?}", story.open_jobs().await);
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    // A process that dies inside the send itself cannot know: the mail may have gone out before.
    let mails = story.platform.mails().messages_to(&booked.email);
    assert!((1..=2).contains(&mails.len()), "{} mails", mails.len());
    let ledger = story.rows("select kind, amount_cents from payments").await;
    assert_eq!(ledger.len(), 1);
    story.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_is_down_delays_and_loses_nothing() {
    let story = Story::begin().await;
    story.platform.queue().set(Condition::Down);
    let booked = story.book(&demo::LEA, fifty(), "ida").await;
    story.pay(&booked, "paid").await;
    story.until_status(&booked, "confirmed").await;
    story.platform.set_clock(40);
    story.platform.sweep().await.expect("a sweep says that it could not relay");
    assert!(story.platform.mails().messages_to(&booked.email).is_empty());
    story.platform.queue().set(Condition::Ok);
    story.platform.sweep().await.expect("a sweep");
    story.mail(&booked.email, &booked, "").await;
    story.until_quiet().await;
    story.assert_paid_once(&booked).await;
    story.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_that_stops_for_ten_seconds_loses_no_payment() {
    let mut story = Story::begin_with(Options::for_test().expect("options").with_services_of_its_own()).await;
    let booked = story.book(&demo::LEA, fifty(), "ada").await;
    story.until_quiet().await;
    story.platform.postgres().expect("its own").stop().await.expect("it stops");
    // The payment goes through; its webhooks meet a function without a database, and Stripe tries again.
    story.pay(&booked, "paid").await;
    let (status, _) = story.get(&format!("/api/bookings/{}", booked.id)).await;
    assert!(status >= 500, "{status}");
    tokio::time::sleep(Duration::from_secs(10)).await;
    story.platform.postgres().expect("its own").restart().await.expect("it starts again");
    story.database = connect(story.platform.database_url()).await;
    story.until_status(&booked, "confirmed").await;
    story.mail(&booked.email, &booked, "").await;
    story.until_quiet().await;
    story.assert_paid_once(&booked).await;
    story.end().await;
}

/// Field failure F4.
#[tokio::test(flavor = "multi_thread")]
async fn money_that_comes_after_the_slot_is_gone_goes_back() {
    let story = Story::begin().await;
    let booked = story.book(&demo::LEA, fifty(), "zoe").await;
    let start = story.status(&booked).await["start"].as_str().expect("a start").to_owned();
    // The hold is cancelled under the client's feet while Stripe's page is still open, and somebody else takes the slot.
    story
        .database
        .batch_execute(
            "update bookings set status = 'cancelled', cancel_reason = 'hold_expired', hold_expires_at = null, version = version + 1",
        )
        .await
        .expect("a legal transition");
    let flash = demo::LEA.flashes[fifty()].id.to_string();
    let (status, body) = story.create("lea-marchetti", &flash, &start, "fast").await;
    assert_eq!(status, 201, "{body}");
    story.pay(&booked, "paid").await;
    let begun = Instant::now();
    while story.status(&booked).await["payment_status"] != "refunded" {
        assert!(begun.elapsed() < PATIENCE, "{}", story.status(&booked).await);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let shown = story.status(&booked).await;
    assert_eq!((&shown["status"], &shown["refunded_cents"]), (&json!("cancelled"), &shown["deposit_cents"]));
    story.mail(&booked.email, &booked, "").await;
    story.until_quiet().await;
    let refunds = story.platform.stripe().expect("a stand-in").refunds();
    assert_eq!(refunds.len(), 1, "{refunds:?}");
    let balance =
        story.rows(&format!("select sum(amount_cents) as sum from payments where booking_id = '{}'", booked.id)).await;
    assert_eq!(balance, [json!({ "sum": 0 })]);
    story.end().await;
}

/// Every file of a folder, as text.
fn all_text(folder: &std::path::Path) -> String {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries
        .flatten()
        .map(|entry| entry.path())
        .map(|path| match path.is_dir() {
            true => all_text(&path),
            false => String::from_utf8_lossy(&std::fs::read(&path).expect("a readable log")).into_owned(),
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_line_of_a_whole_story_holds_a_secret_or_a_person() {
    let story = Story::begin().await;
    // A booking on Cal.com that is paid, one that is given back, one whose artist cancels in the calendar, and failures.
    let paid = story.book(&demo::NOA, 0, "secretive").await;
    story.until_quiet().await;
    story.platform.calcom().expect("a stand-in").switch(|switches| switches.api.lose_answer = 1);
    story.platform.stripe().expect("a stand-in").switch(|switches| switches.api.fail_after_executing = 1);
    story.platform.mails().set(Condition::Down);
    story.pay(&paid, "webhook_doubled").await;
    story.until_status(&paid, "confirmed").await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    story.platform.mails().set(Condition::Ok);
    let given_back = story.book(&demo::LEA, fifty(), "secretive").await;
    let url = format!("{}/api/bookings/{}/release", story.platform.site(), given_back.id);
    assert_eq!(story.browser.post(url).send().await.expect("an answer").status(), 200);
    story.until_quiet().await;
    let uid = story.rows(&format!("select cal_com_booking_id as uid from bookings where id = '{}'", paid.id)).await;
    let uid = uid[0]["uid"].as_str().expect("it is in the calendar").to_owned();
    story.platform.calcom().expect("a stand-in").cancel(&uid, "Je suis malade").expect("it is there");
    story.until_status(&paid, "cancelled").await;
    story.until_quiet().await;
    story.platform.sweep().await.expect("a sweep");
    for (body, header) in [("{}", "t=1,v1=00"), ("not json", "")] {
        let url = format!("{}/api/webhooks/stripe", story.platform.site());
        let answer = story.browser.post(url).header("stripe-signature", header).body(body).send().await;
        assert_eq!(answer.expect("an answer").status(), 401);
    }

    let logs = all_text(&story.platform.state().join("logs"));
    assert!(logs.contains("job done") && logs.contains("event applied"), "the logs are somewhere else now");
    let account = demo::NOA.calcom.as_ref().expect("Noa uses Cal.com");
    let mut private: Vec<String> =
        [account.api_key, account.webhook_secret, "secretive", "06 12 34 56 78", "612345678", demo::NOA.email]
            .map(str::to_owned)
            .into();
    let secret =
        ["STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRETS", "ENCRYPTION_KEY", "DATABASE_URL", "AWS_SECRET_ACCESS_KEY"];
    private.extend(story.platform.function_env().iter().filter(|(name, _)| secret.contains(&name.as_str())).map(
        |(_, value)| {
            // Of a URL it is the password that nobody may read.
            let password = value
                .split_once("://")
                .and_then(|(_, rest)| rest.split_once('@'))
                .and_then(|(who, _)| who.split_once(':'));
            password.map_or_else(|| value.clone(), |(_, password)| format!(":{password}@"))
        },
    ));
    for line in logs.lines() {
        for word in &private {
            assert!(word.len() < 5 || !line.contains(word.as_str()), "a log holds {word:?}: {line}");
        }
    }
    story.end().await;
}
