use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, SystemTime};

use aws_lambda_events::sqs::SqsEvent;
use chaos::{Call, Death, Outside, Step, Weather};
use dev::aws::Condition;
use dev::demo::{self, LEA, NOA};
use dev::stripe::{DisputeStatus, Down, NewDispute, Outcome, RefundMode};
use futures_util::future::join_all;
use jiff::SignedDuration;
use lambda_http::http::Method;
use serde_json::{Value, json};
use shared::config::Secret;
use shared::db::bookings::Reference;
use shared::db::{Db, holds};
use shared::domain::booking::{Booking, CancelReason, Change};
use shared::domain::ids::BookingId;
use shared::domain::policy::Canceller;
use shared::settle;
use testing::{PUBLIC_URL, World, answer, at, post, request, stripe_event};

/// What a dispute can become.
const STATES: [DisputeStatus; 10] = [
    DisputeStatus::WarningNeedsResponse,
    DisputeStatus::WarningUnderReview,
    DisputeStatus::WarningClosed,
    DisputeStatus::NeedsResponse,
    DisputeStatus::UnderReview,
    DisputeStatus::Won,
    DisputeStatus::Lost,
    DisputeStatus::Prevented,
    DisputeStatus::AppealNeedsResponse,
    DisputeStatus::AppealUnderReview,
];

const SECRET: &str = dev::stripe::WEBHOOK_SECRET;

/// The slots that everybody wants: few, and every second overlaps the one before.
const STARTS: [&str; 6] = [
    "2027-02-09T09:00:00Z",
    "2027-02-09T10:00:00Z",
    "2027-02-10T09:00:00Z",
    "2027-02-10T10:00:00Z",
    "2027-02-16T09:00:00Z",
    "2027-02-18T13:00:00Z",
];

/// How many sweeps may pass before all is right again.
const SWEEPS: usize = 40;

/// A plan under way.
pub(crate) struct Run<'a> {
    world: &'a World,
    /// Messages that were delivered and come again.
    again: Vec<Value>,
    /// Answers that nobody should ever get.
    pub(crate) unexpected: Vec<String>,
    /// What happened, for whoever must find out why.
    pub(crate) story: Vec<String>,
}

/// Drops a future where it waits for the n-th time: what it was doing stays half done, as when a process is killed.
async fn mortal<T>(future: impl Future<Output = T>, death: Death) -> Option<T> {
    let mut future = pin!(future);
    let mut left = match death {
        Death::AtAwait(polls) => Some(polls),
        _ => None,
    };
    poll_fn(|context| {
        if let Some(left) = &mut left {
            if *left == 0 {
                return Poll::Ready(None);
            }
            *left -= 1;
        }
        future.as_mut().poll(context).map(Some)
    })
    .await
}

fn nth<T>(list: &[T], n: u8) -> Option<&T> {
    if list.is_empty() { None } else { list.iter().rev().nth(usize::from(n) % list.len()) }
}

#[expect(clippy::disallowed_methods, reason = "the deadline is on the system's clock")]
fn in_seconds(seconds: u64) -> SystemTime {
    SystemTime::now() + Duration::from_secs(seconds)
}

impl<'a> Run<'a> {
    pub(crate) async fn begin(world: &'a World) -> Self {
        // The webhooks of Cal.com go nowhere by themselves: the plan says which arrive, and when.
        let secret = NOA.calcom.as_ref().map(|account| account.webhook_secret);
        world.calcom.subscribe(noa(), "http://127.0.0.1:9/", secret, &[]).expect("Noa is there");
        Self { world, again: Vec::new(), unexpected: Vec::new(), story: Vec::new() }
    }

    pub(crate) async fn step(&mut self, step: &Step) {
        match step {
            Step::Outside(outside) => {
                let what = self.outside(outside).await;
                self.story.push(format!("{outside:?}: {what}"));
            }
            Step::Calls { weather, calls } => {
                self.set(*weather);
                let mut batches = Vec::new();
                for (call, _) in calls {
                    batches.push(if let Call::Work { messages, doubled } = call {
                        self.messages(*messages, *doubled).await
                    } else {
                        Vec::new()
                    });
                }
                let this = &*self;
                let answers = join_all(calls.iter().zip(&batches).map(|((call, death), batch)| async move {
                    let said = this.call(call, *death, batch).await;
                    // A storm or a death of a neighbour may be what broke it.
                    (format!("{call:?} {death:?}"), said)
                }))
                .await;
                let calm = *weather == Weather::Calm && calls.iter().all(|(_, death)| *death == Death::None);
                for (asked, said) in answers {
                    if calm && said.as_deref().is_some_and(|said| said.starts_with("500")) {
                        self.unexpected.push(format!("{asked}: {said:?} although nothing was wrong"));
                    }
                    self.story.push(format!("{weather:?} {asked}: {said:?}"));
                }
                self.set(Weather::Calm);
            }
        }
    }

    fn set(&self, weather: Weather) {
        let world = self.world;
        world.stripe.switch(|switches| {
            switches.api = dev::stripe::Troubles::default();
            match weather {
                Weather::StripeDown => switches.api.down = Some(Down::Cut),
                Weather::StripeSilent(times) => switches.api.lose_answer = times.into(),
                Weather::StripeFails(times) => switches.api.fail_after_executing = times.into(),
                _ => {}
            }
        });
        world.calcom.switch(|switches| {
            switches.api = dev::calcom::Troubles::default();
            switches.conflict = 0;
            match weather {
                Weather::CalendarDown => switches.api.down = Some(Down::Unavailable),
                Weather::CalendarSilent(times) => switches.api.lose_answer = times.into(),
                Weather::CalendarConflict => switches.conflict = 2,
                Weather::CalendarLimited => switches.api.rate_limited = true,
                Weather::CalendarSlow(milliseconds) => switches.api.slow_ms = milliseconds.into(),
                _ => {}
            }
        });
        world.sqs_gate.set(if weather == Weather::QueueDown { Condition::Down } else { Condition::Ok });
        world.mails.set(match weather {
            Weather::MailDown => Condition::Down,
            Weather::MailMute => Condition::Mute,
            _ => Condition::Ok,
        });
    }

    /// A database for one process, which may lose an answer.
    async fn db(&self, death: Death) -> Db {
        match death {
            Death::AnswerLost(flights) => {
                let wire = self.world.wire().await;
                let db = self.world.db_through(&wire).await;
                wire.lose_answer_after(u64::from(flights));
                db
            }
            _ => self.world.db(),
        }
    }

    /// What a function said; nothing when its process died.
    async fn call(&self, call: &Call, death: Death, batch: &[Value]) -> Option<String> {
        let world = self.world;
        let db = self.db(death).await;
        let web = world.web();
        let said = |(status, body): (u16, Value)| {
            let problem = body["type"].as_str().and_then(|kind| kind.split_once('#')).map(|(_, slug)| slug.to_owned());
            format!("{status} {}", problem.unwrap_or_else(|| body["outcome"].as_str().unwrap_or_default().to_owned()))
        };
        match call {
            Call::Book { client, artist, piece, slot } => {
                let app = create_booking::App {
                    db,
                    calendars: world.calendars(),
                    stripe: world.stripe_client(),
                    queue: world.queue(),
                    web: world.web(),
                    clock: world.clock(),
                    hold: SignedDuration::from_mins(30),
                    limits: create_booking::Limits {
                        requests_per_hour: 100_000,
                        holds_per_client: 1_000,
                        holds_per_artist: 1_000,
                    },
                };
                let wish = post("/api/bookings/create", &[], &wish(*client, *artist, *piece, *slot));
                mortal(answer(&web, wish, |request| create_booking::handle(&app, request)), death).await.map(said)
            }
            Call::GiveBack { booking } => {
                let id = self.booking(*booking).await?;
                let app = release_booking::App {
                    db,
                    stripe: world.stripe_client(),
                    queue: world.queue(),
                    clock: world.clock(),
                    public_url: PUBLIC_URL.into(),
                };
                let wish = request(Method::POST, &format!("/api/bookings/{id}/release"), &[], None);
                mortal(answer(&web, wish, |request| release_booking::handle(&app, request)), death).await.map(said)
            }
            Call::Deliver { event, twice } => {
                let events = world.stripe.events();
                let event = nth(&events, *event)?;
                let payload = world.stripe.event_payload(event["id"].as_str()?)?;
                let deliver = async |db: Db| {
                    let app = stripe_webhook::App {
                        db,
                        queue: world.queue(),
                        secrets: Arc::new([Secret::new(SECRET.into())]),
                        livemode: false,
                        clock: world.clock(),
                    };
                    let request = stripe_event(&payload, SECRET, world.now());
                    answer(&web, request, |request| stripe_webhook::handle(&app, request)).await
                };
                let kind = event["type"].as_str().unwrap_or_default();
                let first = mortal(deliver(db), death);
                let answer = if *twice {
                    let (first, _second) = tokio::join!(first, deliver(world.db()));
                    first
                } else {
                    first.await
                };
                answer.map(said).map(|said| format!("{said} {kind}"))
            }
            Call::Sweep => {
                let app = self.sweeper(db);
                let swept = mortal(sweeper::sweep(&app, in_seconds(25)), death).await?;
                Some(swept.map_or_else(|error| format!("failed: {error}"), |report| format!("{report:?}")))
            }
            Call::Work { .. } => {
                let handles = self.work(db, death, batch).await?;
                Some(format!("{handles} of {} come again", batch.len()))
            }
            Call::Notify { hook } => {
                let sent = world.calcom.deliveries();
                let hook = nth(&sent, *hook)?;
                let app = calcom_webhook::App {
                    db,
                    calendars: world.calendars(),
                    queue: world.queue(),
                    clock: world.clock(),
                };
                let headers = [("x-cal-signature-256", hook.signature.as_str())];
                let wish = request(Method::POST, "/api/webhooks/calcom", &headers, Some(hook.payload.clone()));
                let answer = mortal(answer(&web, wish, |request| calcom_webhook::handle(&app, request)), death).await;
                answer.map(said).map(|said| format!("{said} {}", hook.trigger))
            }
            Call::CancelByArtist { booking } => {
                let id = self.booking(*booking).await?.parse().expect("an id");
                mortal(self.cancel(&db, id, CancelReason::Artist, Canceller::Artist), death).await
            }
            Call::CancelByClient { booking } => {
                let id = self.booking(*booking).await?.parse().expect("an id");
                mortal(self.cancel(&db, id, CancelReason::Client, Canceller::Client), death).await
            }
            Call::ConfirmByArtist { booking } => {
                let id = self.booking(*booking).await?.parse().expect("an id");
                let now = world.now();
                mortal(self.decide(&db, id, move |booking: &Booking| booking.confirm_by_hand(now)), death).await
            }
        }
    }

    /// Calls a booking off: an unpaid page is closed first, as the functions do.
    async fn cancel(&self, db: &Db, id: BookingId, reason: CancelReason, by: Canceller) -> String {
        let now = self.world.now();
        match holds::get(db, id).await {
            Ok(Some(hold)) => {
                let stripe = self.world.stripe_client();
                match settle::close(db, &stripe, &hold, PUBLIC_URL, reason, now).await {
                    Ok(closed) => closed.settled().outcome().to_string(),
                    Err(error) => error.to_string(),
                }
            }
            Ok(None) => self.decide(db, id, move |booking: &Booking| booking.cancel(reason, by, now)).await,
            Err(error) => error.to_string(),
        }
    }

    async fn decide(&self, db: &Db, id: BookingId, rule: impl Fn(&Booking) -> Change) -> String {
        let reference = Reference::booking(id);
        let settled = settle::settle(db, &reference, None, self.world.now(), |booking, _| rule(booking)).await;
        // The jobs are left to the sweeper: whoever decided died right after.
        settled.map_or_else(|error| error.to_string(), |settled| settled.outcome().to_string())
    }

    fn sweeper(&self, db: Db) -> sweeper::App {
        let world = self.world;
        sweeper::App {
            db,
            queue: world.queue(),
            stripe: world.stripe_client(),
            calendars: world.calendars(),
            clock: world.clock(),
            public_url: PUBLIC_URL.into(),
        }
    }

    /// Takes messages out of the queue. They are gone from it whatever becomes of them: what is lost on the way is the
    /// sweeper's business.
    async fn messages(&mut self, at_most: u8, doubled: bool) -> Vec<Value> {
        let mut batch = std::mem::take(&mut self.again);
        let received = self.world.receive().await;
        for record in received["Records"].as_array().cloned().unwrap_or_default() {
            self.world.delete(record["receiptHandle"].as_str().unwrap_or_default()).await;
            batch.push(record);
        }
        let rest = batch.split_off(batch.len().min(usize::from(at_most)));
        self.again = rest;
        if doubled {
            self.again.extend(batch.iter().cloned());
        }
        batch
    }

    /// Hands a batch to a worker; how many should come again, or nothing when it died.
    async fn work(&self, db: Db, death: Death, batch: &[Value]) -> Option<usize> {
        let world = self.world;
        let app = worker::App {
            db,
            queue: world.queue(),
            mailer: world.mailer(),
            stripe: world.stripe_client(),
            calendars: world.calendars(),
            clock: world.clock(),
            public_url: PUBLIC_URL.into(),
            calcom_pages: "https://cal.test".into(),
            lease: Duration::from_secs(90),
            // A plan has more outages than a week.
            max_attempts: 1_000,
        };
        let event: SqsEvent = serde_json::from_value(json!({ "Records": batch })).expect("an SQS event");
        let response = mortal(worker::handle(&app, event, in_seconds(15)), death).await?;
        Some(response.batch_item_failures.len())
    }

    async fn booking(&self, n: u8) -> Option<String> {
        let rows = self.world.rows("select id from bookings order by id", &[]).await;
        nth(&rows, n).and_then(|row| row["id"].as_str()).map(str::to_owned)
    }

    async fn outside(&mut self, outside: &Outside) -> String {
        let world = self.world;
        let id = |object: &Value| object["id"].as_str().unwrap_or_default().to_owned();
        let session = |n: u8| nth(&world.stripe.sessions(), n).map(id);
        let pay = |n: u8, outcome: Outcome| match session(n) {
            None => "no session".to_owned(),
            Some(session) => match world.stripe.pay(&session, outcome) {
                Ok(events) => format!("{} events", events.len()),
                Err(closed) => closed.to_string(),
            },
        };
        let done = |result: Result<(), String>| result.map_or_else(|why| why, |()| "done".to_owned());
        let payments: Vec<Value> =
            world.stripe.payment_intents().into_iter().filter(|intent| intent["status"] == "succeeded").collect();
        match outside {
            Outside::Pay { session } => pay(*session, Outcome::WebhookLost),
            Outside::Decline { session } => pay(*session, Outcome::Declined),
            Outside::PayLater { session } => pay(*session, Outcome::PaidLater),
            Outside::BankAnswers { session: n, yes } => match session(*n) {
                None => "no session".to_owned(),
                Some(session) => world.stripe.settle(&session, *yes).map_or_else(|why| why, |_| "done".to_owned()),
            },
            Outside::RefundAtStripe { payment } => match nth(&payments, *payment) {
                None => "no payment".to_owned(),
                Some(payment) => self.refund_at_stripe(&id(payment), None).await,
            },
            Outside::RefundFails { refund } => match nth(&world.stripe.refunds(), *refund) {
                None => "no refund".to_owned(),
                Some(refund) => done(world.stripe.fail_refund(&id(refund), "lost_or_stolen_card")),
            },
            Outside::Dispute { payment } => match nth(&payments, *payment) {
                None => "no payment".to_owned(),
                Some(payment) => world.stripe.dispute(&id(payment), "fraudulent").unwrap_or_else(|why| why),
            },
            Outside::PartRefundAtStripe { payment, percent } => match nth(&payments, *payment) {
                None => "no payment".to_owned(),
                Some(payment) => {
                    let cents = payment["amount_received"].as_i64().unwrap_or_default() * i64::from(*percent) / 100;
                    self.refund_at_stripe(&id(payment), Some(cents)).await
                }
            },
            Outside::RefundsWait { for_customer } => {
                let mode = if *for_customer { RefundMode::RequiresAction } else { RefundMode::StayPending };
                world.stripe.switch(|switches| switches.refunds = mode);
                "done".to_owned()
            }
            Outside::RefundsAreMade => {
                world.stripe.switch(|switches| switches.refunds = RefundMode::Succeed);
                "done".to_owned()
            }
            Outside::RefundEnds { refund, made } => match nth(&world.stripe.refunds(), *refund) {
                None => "no refund".to_owned(),
                Some(refund) if *made => done(world.stripe.complete_refund(&id(refund))),
                Some(refund) => done(world.stripe.cancel_refund(&id(refund))),
            },
            Outside::DisputePart { payment, percent, inquiry } => match nth(&payments, *payment) {
                None => "no payment".to_owned(),
                Some(payment) => {
                    let cents = payment["amount_received"].as_i64().unwrap_or_default() * i64::from(*percent) / 100;
                    let status =
                        if *inquiry { DisputeStatus::WarningNeedsResponse } else { DisputeStatus::NeedsResponse };
                    let new = NewDispute { amount: Some(cents), status, ..NewDispute::default() };
                    world.stripe.open_dispute(&id(payment), &new).unwrap_or_else(|why| why)
                }
            },
            Outside::DisputeMoves { dispute, to } => match nth(&world.stripe.disputes(), *dispute) {
                None => "no dispute".to_owned(),
                Some(dispute) => done(world.stripe.move_dispute(&id(dispute), STATES[usize::from(*to) % STATES.len()])),
            },
            Outside::DisputeDecided { dispute, won } => match nth(&world.stripe.disputes(), *dispute) {
                None => "no dispute".to_owned(),
                Some(dispute) => done(world.stripe.close_dispute(&id(dispute), *won)),
            },
            Outside::TakenElsewhere { slot } => {
                let start = at(STARTS[usize::from(*slot) % STARTS.len()]);
                let end = start.saturating_add(SignedDuration::from_mins(60)).expect("in range");
                match world.calcom.block(noa(), start, end, "Pris ailleurs") {
                    Ok(_block) => "blocked".to_owned(),
                    Err(why) => why,
                }
            }
            Outside::MovedInCalendar { booking, slot } => match nth(&self.in_calendar(), *booking) {
                None => "no booking".to_owned(),
                Some(uid) => world
                    .calcom
                    .reschedule(uid, at(STARTS[usize::from(*slot) % STARTS.len()]))
                    .unwrap_or_else(|why| why),
            },
            Outside::CancelledInCalendar { booking } => match nth(&self.in_calendar(), *booking) {
                None => "no booking".to_owned(),
                Some(uid) => done(world.calcom.cancel(uid, "Le studio est fermé ce jour-là")),
            },
            Outside::Minutes(minutes) => {
                world.advance_minutes(u64::from(*minutes));
                format!("{} now", world.now())
            }
        }
    }

    async fn refund_at_stripe(&self, payment: &str, cents: Option<i64>) -> String {
        let mut form = vec![("payment_intent", payment.to_owned())];
        form.extend(cents.map(|cents| ("amount", cents.to_string())));
        // Whoever is at Stripe's dashboard uses the same API, with a key of their own.
        let client = reqwest::Client::new();
        let answer = client
            .post(format!("{}/v1/refunds", self.world.stripe.url()))
            .bearer_auth("sk_test_standin")
            .form(&form)
            .send()
            .await;
        answer.map_or_else(|error| error.to_string(), |answer| answer.status().to_string())
    }

    /// The live bookings of Noa's Cal.com.
    fn in_calendar(&self) -> Vec<String> {
        let live = |booking: &Value| matches!(booking["status"].as_str(), Some("accepted" | "pending"));
        let bookings = self.world.calcom.bookings();
        bookings.iter().filter(|booking| live(booking)).filter_map(|b| b["uid"].as_str().map(str::to_owned)).collect()
    }

    /// Lets everything come to rest: the services work, the banks answer, the schedule runs. No webhook comes any more.
    /// Gives what does not come to rest.
    pub(crate) async fn quiet(&mut self) -> Vec<String> {
        let world = self.world;
        self.set(Weather::Calm);
        for session in world.stripe.sessions() {
            let id = session["id"].as_str().unwrap_or_default();
            let _ = world.stripe.settle(id, false);
        }
        world.stripe.switch(|switches| switches.refunds = RefundMode::Succeed);
        for refund in world.stripe.refunds() {
            let _ = world.stripe.complete_refund(refund["id"].as_str().unwrap_or_default());
        }
        let mut calm = 0;
        for _ in 0..SWEEPS {
            world.advance_minutes(11);
            let swept = sweeper::sweep(&self.sweeper(world.db()), in_seconds(60)).await;
            let report = match swept {
                Ok(report) => report,
                Err(error) => return vec![format!("the sweep fails with nothing wrong: {error}")],
            };
            loop {
                let batch = self.messages(10, false).await;
                if batch.is_empty() {
                    break;
                }
                self.work(world.db(), Death::None, &batch).await;
            }
            self.story.push(format!("quiet: {report:?}"));
            // What only a person can decide stays.
            let nothing = sweeper::Report {
                asked: report.asked,
                checked: report.checked,
                completed: report.completed,
                forgotten: report.forgotten,
                refunds_stuck: report.refunds_stuck,
                ..sweeper::Report::default()
            };
            let holds =
                world.rows("select 1 from bookings where status = 'pending' and hold_expires_at is not null", &[]);
            let at_rest = report == nothing && holds.await.is_empty() && world.open_jobs().await.is_empty();
            calm = if at_rest { calm + 1 } else { 0 };
            if calm == 3 {
                return Vec::new();
            }
        }
        vec![format!("it never comes to rest; jobs {:?}", world.open_jobs().await)]
    }
}

fn noa() -> &'static str {
    NOA.calcom.as_ref().map_or("", |account| account.username)
}

fn wish(client: u8, artist: u8, piece: u8, slot: u8) -> Value {
    let artist: &demo::Artist = if artist == 0 { &LEA } else { &NOA };
    let flash = artist.flashes.get(usize::from(piece) % (artist.flashes.len() + 1));
    let mut wish = json!({
        "artist": artist.slug, "type": if flash.is_some() { "flash" } else { "project" },
        "start": STARTS[usize::from(slot) % STARTS.len()], "locale": "fr",
        "client": { "name": format!("Client {client}"), "email": format!("client{client}@example.fr"), "phone": "06 12 34 56 78" },
    });
    match flash {
        Some(flash) => wish["flash_id"] = json!(flash.id),
        None => wish["project"] = json!({ "description": "Une pivoine au trait fin", "body_zone": "avant-bras" }),
    }
    wish
}
