//! The work that is given to the functions: events as they arrive on Lambda, each one fresh, and the rows they need.

use anyhow::{Context, Result, ensure};
use dev::demo;
use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};

use crate::world::{JWT_SECRET, SITE, WEBHOOK_SECRET, World, now};

/// How many artists' chairs there are to book.
pub const CHAIRS: u64 = 400;

/// The days that one chair can be booked for: one booking a day, so that the weeks around it stay alike.
const DAYS: u64 = 300;

/// How many unpaid holds are made at a time, for the webhook and the worker.
pub const BATCH: u64 = 2_000;

/// The demo's artist with opening hours of her own, and the flash that she tattoos more than once.
const LEA: &str = "lea-marchetti&flash=019aa000-0000-7000-8000-0000000000f1";

/// One kind of invocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// `floor-http`: nothing at all.
    Hello,
    /// `floor-select`: one bare question to the database.
    Select,
    /// `floor-clients`: what `create-booking` asks of others, and nothing else.
    BookingExchanges,
    /// `floor-clients`: what `stripe-webhook` asks of others, and nothing else.
    PaymentExchanges,
    /// `slots`: a week of an artist's free times for a flash.
    Slots,
    /// `create-booking`: a hold of a free slot.
    CreateBooking,
    /// `stripe-webhook`: the payment of a hold.
    StripeWebhook,
    /// `worker`: one mail.
    Worker,
    /// `booking-status`: the page after the payment.
    BookingStatus,
    /// `calendar-file`: an appointment as a file.
    CalendarFile,
    /// `artist-page`: the artist as JSON.
    ArtistPage,
    /// `stripe-webhook`: a refund of a payment that nobody knows.
    Stray,
    /// `dashboard-stats`: an artist's figures.
    Stats,
    /// `dashboard-bookings`: the first page of an artist's list.
    Bookings,
    /// `sweeper`: a minute in which nothing is wrong.
    Sweeper,
    /// `session`: who is signed in.
    Session,
    /// `dashboard-settings`: the rules of an artist's page.
    Settings,
    /// `calcom-webhook`: an appointment of the artist's own.
    CalcomWebhook,
    /// `image-intake`: a photograph of 1200 by 630 pixels.
    Image,
}

impl Work {
    pub const ALL: &[Self] = &[
        Self::Hello,
        Self::Select,
        Self::BookingExchanges,
        Self::PaymentExchanges,
        Self::Slots,
        Self::CreateBooking,
        Self::StripeWebhook,
        Self::BookingStatus,
        Self::CalendarFile,
        Self::ArtistPage,
        Self::Stats,
        Self::Bookings,
        Self::Session,
        Self::Settings,
        Self::CalcomWebhook,
        Self::Image,
        Self::Worker,
        Self::Sweeper,
    ];

    /// The endpoints that there are in Node.js too.
    pub const WITH_PEER: &[Self] = &[Self::Slots, Self::CreateBooking, Self::StripeWebhook];

    /// The floors that there are in Node.js too: between them no program is better than the other at its work.
    pub const FLOORS: &[Self] = &[Self::Hello, Self::BookingExchanges, Self::PaymentExchanges];

    /// The function that does it.
    pub fn function(self) -> &'static str {
        match self {
            Self::Hello => "floor-http",
            Self::Select => "floor-select",
            Self::BookingExchanges | Self::PaymentExchanges => "floor-clients",
            Self::Slots => "slots",
            Self::CreateBooking => "create-booking",
            Self::StripeWebhook | Self::Stray => "stripe-webhook",
            Self::Worker => "worker",
            Self::BookingStatus => "booking-status",
            Self::CalendarFile => "calendar-file",
            Self::ArtistPage => "artist-page",
            Self::Stats => "dashboard-stats",
            Self::Bookings => "dashboard-bookings",
            Self::Sweeper => "sweeper",
            Self::Session => "session",
            Self::Settings => "dashboard-settings",
            Self::CalcomWebhook => "calcom-webhook",
            Self::Image => "image-intake",
        }
    }

    /// Whether there is the same in Node.js.
    pub fn has_peer(self) -> bool {
        Self::FLOORS.contains(&self) || Self::WITH_PEER.contains(&self)
    }

    /// What the tables call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stray => "stripe-webhook, of a stranger",
            Self::BookingExchanges => "floor of create-booking",
            Self::PaymentExchanges => "floor of stripe-webhook",
            _ => self.function(),
        }
    }

    /// The status of a good answer; none where the answer is no HTTP.
    fn status(self) -> Option<i64> {
        match self {
            Self::CreateBooking => Some(201),
            Self::Worker | Self::Sweeper | Self::Select | Self::Image => None,
            _ => Some(200),
        }
    }

    /// Looks whether the work was done; gives the body where there is one.
    ///
    /// # Errors
    /// It was not: what was measured would be a refusal.
    pub fn check(self, answer: &[u8]) -> Result<String> {
        let answer: Value = serde_json::from_slice(answer).context("the answer is not JSON")?;
        if let Some(wanted) = self.status() {
            ensure!(answer["statusCode"] == wanted, "{} answers {answer}", self.function());
        }
        if self == Self::Worker {
            ensure!(answer["batchItemFailures"] == json!([]), "the worker answers {answer}");
        }
        if self == Self::Image {
            ensure!(answer["images"][0]["fate"] == "ready", "image-intake answers {answer}");
        }
        Ok(answer["body"].as_str().unwrap_or_default().to_owned())
    }
}

/// Makes the events of one database, never the same twice.
pub struct Desk<'a> {
    world: &'a World,
    database: &'static str,
    today: Timestamp,
    asked_about: &'static str,
    user: String,
    booked: u64,
    paid: u64,
    mailed: u64,
    strays: u64,
    hooks: u64,
    uploads: u64,
    prepared: u64,
}

impl<'a> Desk<'a> {
    /// A desk before a database with its chairs.
    pub fn open(world: &'a World, database: &'static str) -> Result<Self> {
        world.run(database, &chairs_sql())?;
        let day = now().as_second().div_euclid(86_400);
        let today = Timestamp::from_second(day * 86_400)?;
        let mut this = Self {
            world,
            database,
            today,
            asked_about: LEA,
            user: demo::LEA.user_id.to_string(),
            booked: 0,
            paid: 0,
            mailed: 0,
            strays: 0,
            hooks: 0,
            uploads: 0,
            prepared: 0,
        };
        this.prepare(1)?;
        Ok(this)
    }

    /// Asks for the free times and the dashboard of the first of the many artists instead of Léa's.
    pub fn ask_about_the_many(&mut self) {
        self.asked_about = "grown-0";
        self.user = id('9', 0);
    }

    /// Sees to it that there are `count` more holds to pay and as many mails to send.
    pub fn prepare(&mut self, count: u64) -> Result<()> {
        // Even ones are paid, odd ones have their mail sent: a mail about a paid hold would be out of date.
        while self.prepared < 2 * (self.paid.max(self.mailed) + count) {
            self.world.run(self.database, &holds_sql(self.prepared, self.prepared + BATCH))?;
            self.prepared += BATCH;
        }
        Ok(())
    }

    /// An event for this work.
    pub fn event(&mut self, work: Work) -> Result<Vec<u8>> {
        let event = match work {
            Work::Stats => self.signed_in("/api/dashboard/stats", ""),
            Work::Bookings => self.signed_in("/api/dashboard/bookings", "view=all"),
            Work::Hello => http("GET", "/", "", None),
            Work::Select => json!({ "series": 1 }),
            Work::BookingExchanges => http("GET", "/", "selects=3&calls=1&messages=1", None),
            Work::PaymentExchanges => http("GET", "/", "selects=2&messages=1", None),
            Work::Slots => {
                let date = self.today.to_zoned(jiff::tz::TimeZone::UTC).date().checked_add(2.days())?;
                let query = format!("artist={}&date={date}&days=7", self.asked_about);
                http("GET", "/api/calendar/slots", &query, None)
            }
            Work::CreateBooking => {
                let number = self.booked;
                self.booked += 1;
                booking(number % CHAIRS, self.start(number / CHAIRS)?, number)
            }
            Work::StripeWebhook => {
                self.prepare(1)?;
                let number = self.paid;
                self.paid += 1;
                webhook(2 * number)
            }
            Work::Stray => {
                self.strays += 1;
                stray(self.strays)
            }
            Work::Worker => {
                self.prepare(1)?;
                let number = self.mailed;
                self.mailed += 1;
                worker(&[2 * number + 1])
            }
            Work::BookingStatus => http("GET", &format!("/api/bookings/{}", id('b', 0)), "", None),
            Work::CalendarFile => http("GET", &format!("/api/bookings/{}/calendar.ics", id('c', 0)), "", None),
            Work::ArtistPage => http("GET", "/api/artists/lea-marchetti", "", None),
            Work::Session => self.signed_in("/api/session", ""),
            Work::Settings => self.signed_in("/api/dashboard/rules", ""),
            Work::CalcomWebhook => {
                self.hooks += 1;
                calcom_webhook(self.hooks)?
            }
            Work::Image => {
                self.uploads += 1;
                self.upload(self.uploads)?
            }
            Work::Sweeper => json!({ "version": "0", "source": "aws.scheduler", "detail": "{}" }),
        };
        Ok(event.to_string().into_bytes())
    }

    /// A request of the artist, with a token as Supabase Auth signs it.
    fn signed_in(&self, path: &str, query: &str) -> Value {
        let claims = json!({
            "iss": format!("{SITE}/auth/v1"), "sub": self.user, "aud": "authenticated", "role": "authenticated",
            "exp": now().as_second() + 3600, "session_id": id('5', 0), "is_anonymous": false, "email": "artist@bench.example",
        });
        let mut event = http("GET", path, query, None);
        event["headers"]["authorization"] =
            format!("Bearer {}", dev::supabase::hs256_token(JWT_SECRET.as_bytes(), &claims)).into();
        event
    }

    /// An upload that was announced and has arrived.
    fn upload(&self, number: u64) -> Result<Value> {
        let (id, artist) = (id('7', number), id('a', 0));
        self.world.run(
            self.database,
            &format!(
                r"insert into images (id, artist_id, kind, content_type, size, created_at, updated_at)
                 values ('{id}', '{artist}', 'flash', 'image/jpeg', 86106, now(), now())"
            ),
        )?;
        let key = format!("incoming/{id}");
        self.world.upload(&key)?;
        Ok(json!({ "Records": [{
            "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "eu-west-3", "eventTime": now(),
            "eventName": "ObjectCreated:Put", "userIdentity": { "principalId": "AWS:AROAEXAMPLE" },
            "requestParameters": { "sourceIPAddress": "203.0.113.7" }, "responseElements": {},
            "s3": {
                "s3SchemaVersion": "1.0", "configurationId": "uploads",
                "bucket": { "name": dev::aws::PICTURES, "ownerIdentity": {}, "arn": "arn:aws:s3:::inkflow-images" },
                "object": { "key": key, "size": 86106, "eTag": "0123456789abcdef", "sequencer": "0055AED6DCD90281E5" },
            },
        }] }))
    }

    /// Events of jobs, `batch` of them in each.
    pub fn batches(&mut self, count: u64, batch: u64) -> Result<Vec<Vec<u8>>> {
        self.prepare(count * batch)?;
        let events = (0..count).map(|_| {
            let numbers: Vec<u64> = (self.mailed..self.mailed + batch).map(|number| 2 * number + 1).collect();
            self.mailed += batch;
            worker(&numbers).to_string().into_bytes()
        });
        Ok(events.collect())
    }

    /// Many clients for one and the same slot, which is still free.
    ///
    /// # Errors
    /// The calendar ends.
    pub fn rush(&mut self, clients: u64) -> Result<Vec<Vec<u8>>> {
        let first = self.booked.next_multiple_of(CHAIRS);
        self.booked = first + clients.next_multiple_of(CHAIRS);
        let start = self.start(first / CHAIRS)?;
        Ok((0..clients).map(|client| booking(0, start, first + client).to_string().into_bytes()).collect())
    }

    fn start(&self, day: u64) -> Result<Timestamp> {
        ensure!(day < DAYS, "all chairs are booked for {DAYS} days: the bench needs more of them");
        let hours = 24 * (i64::try_from(day)? + 3) + 10;
        Ok(self.today.checked_add(hours.hours())?)
    }

    /// Ends the holds so far: what waits for a payment is never many in a day's work.
    pub fn let_holds_go(&self) -> Result<()> {
        self.world.run(
            self.database,
            r"update bookings set status = 'confirmed', hold_expires_at = null, version = version + 1
             where status = 'pending' and id >= '01a00000-0000-7000-8000-000000000000' and stripe_checkout_session_id is not null",
        )?;
        self.world.run(self.database, "vacuum analyze bookings")
    }
}

/// The id of the row number `number` of a family, the same here and in SQL.
pub fn id(family: char, number: u64) -> String {
    format!("019aaaa{family}-0000-7000-8000-{number:012x}")
}

/// The SQL that makes the id of the row number `n`.
pub fn sql_id(family: char) -> String {
    format!("('019aaaa{family}-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid")
}

/// Artists whose chair is free around the clock.
fn chairs_sql() -> String {
    let artist = sql_id('a');
    let confirmed = sql_id('c');
    format!(
        r"insert into artists (id, slug, display_name, email, address, city, minimum_notice_minutes, slot_step_minutes,
             horizon_days, project_duration_minutes, project_deposit, takes_deposits)
         select {artist}, 'chair-' || n, 'Chair ' || n, 'chair-' || n || '@bench.example', '1 rue du Banc', 'Lyon', 0, 60, 730, 60, 50, true
         from generate_series(0, {CHAIRS} - 1) n;
         insert into availability (id, artist_id, weekday, opens_minute, closes_minute)
         select gen_random_uuid(), {artist}, weekday, 0, 1440
         from generate_series(0, {CHAIRS} - 1) n, generate_series(1, 7) weekday;
         insert into bookings (id, artist_id, type, status, scheduled_at, ends_at, acompte_amount, title, policy, payment_status,
             project_description, client_name, client_email, client_phone, created_at, updated_at, confirmed_at)
         select {confirmed}, '{chair}', 'project', 'confirmed', now() + interval '400 days', now() + interval '400 days 1 hour', 50,
             'Projet sur mesure', {POLICY}, 'paid', 'Une pivoine', 'Jo Martin', 'jo@example.fr', '+33612345678', now(), now(), now()
         from generate_series(0, 0) n",
        chair = id('a', 0),
    )
}

/// The policy that every booking of the bench was promised.
pub const POLICY: &str =
    r#"'{"full_refund_hours": 72, "late_refund_percent": 0, "free_moves": 1, "nature": "acompte"}'::jsonb"#;

/// Unpaid holds with their open page, and a mail to send for each. They lie far in the past of the calendar, out of the
/// way of whoever books now, and do not lapse while the bench runs.
fn holds_sql(from: u64, to: u64) -> String {
    let (booking, job) = (sql_id('b'), sql_id('d'));
    format!(
        r"insert into bookings (id, artist_id, type, status, scheduled_at, ends_at, acompte_amount, title, policy,
             project_description, client_name, client_email, client_phone, hold_expires_at, checkout_expires_at,
             stripe_checkout_session_id, checkout_url, created_at, updated_at)
         select {booking}, ('019aaaaa-0000-7000-8000-' || lpad(to_hex(n % {CHAIRS}), 12, '0'))::uuid, 'project', 'pending',
             timestamptz '2000-01-01' + (n / {CHAIRS}) * interval '1 hour',
             timestamptz '2000-01-01' + (n / {CHAIRS} + 1) * interval '1 hour', 50, 'Projet sur mesure', {POLICY},
             'Une pivoine', 'Jo Martin', 'jo' || n || '@example.fr', '+33612345678', null, now() + interval '1 day',
             'cs_test_bench' || n, 'http://127.0.0.1/pay/' || n, now(), now()
         from generate_series({from}, {to} - 1) n;
         insert into outbox (id, kind, booking_id, args, dedupe_key, created_at, relay_at)
         select {job}, 'send_email', {booking},
             jsonb_build_object('kind', 'send_email', 'booking', {booking}, 'template', 'artist_pending', 'occurrence', 'bench'),
             'bench:' || n, now(), now() + interval '1 day'
         from generate_series({from}, {to} - 1) n;
         analyze bookings, outbox"
    )
}

/// A function URL's request.
fn http(method: &str, path: &str, query: &str, body: Option<String>) -> Value {
    let parameters: serde_json::Map<String, Value> = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_owned(), Value::from(value)))
        .collect();
    json!({
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": query,
        "headers": {
            "accept": "application/json", "content-type": "application/json",
            "cloudfront-viewer-address": "203.0.113.7:51234",
            "host": "abcdefghij0123456789.lambda-url.eu-west-3.on.aws",
            "user-agent": "Mozilla/5.0 (X11; Linux x86_64)", "x-forwarded-for": "203.0.113.7",
            "x-forwarded-port": "443", "x-forwarded-proto": "https",
        },
        "queryStringParameters": parameters,
        "requestContext": {
            "accountId": "anonymous", "apiId": "abcdefghij0123456789",
            "domainName": "abcdefghij0123456789.lambda-url.eu-west-3.on.aws", "domainPrefix": "abcdefghij0123456789",
            "http": { "method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7",
                "userAgent": "Mozilla/5.0 (X11; Linux x86_64)" },
            "requestId": "5f0f0b4e-7a55-4b3c-9a0e-6d9d2f1c0a11", "routeKey": "$default", "stage": "$default",
            "time": "05/Jun/2035:06:00:00 +0000", "timeEpoch": 2_064_636_000_000_i64,
        },
        "body": body, "isBase64Encoded": false,
    })
}

/// A client's wish. Each client comes from an address of their own, or the counter of one address would be what is measured.
fn booking(chair: u64, start: Timestamp, client: u64) -> Value {
    let body = json!({
        "artist": format!("chair-{chair}"), "type": "project", "start": start, "locale": "fr",
        "project": { "description": "Une pivoine au trait fin, sur l’avant-bras", "body_zone": "avant-bras", "budget": 300 },
        "client": { "name": "Jo Martin", "email": format!("client{client}@example.fr"), "phone": "06 12 34 56 78" },
    });
    let mut event = http("POST", "/api/bookings/create", "", Some(body.to_string()));
    let address = format!("10.{}.{}.{}:51234", client >> 16 & 255, client >> 8 & 255, client & 255);
    event["headers"]["cloudfront-viewer-address"] = address.into();
    event["headers"]["idempotency-key"] = format!("bench-{client}").into();
    event
}

/// The payment of the hold number `number`, as Stripe tells of it.
fn webhook(number: u64) -> Value {
    let booking = id('b', number);
    let at = now().as_second();
    let payload = json!({
        "id": format!("evt_bench{number}"), "object": "event", "api_version": dev::stripe::API_VERSION, "created": at,
        "data": { "object": {
            "id": format!("cs_test_bench{number}"), "object": "checkout.session", "amount_subtotal": 5000, "amount_total": 5000,
            "cancel_url": format!("https://inkflow.example/booking/cancel?id={booking}"), "client_reference_id": booking,
            "created": at, "currency": "eur", "customer_email": "jo@example.fr", "expires_at": at + 2100, "livemode": false,
            "locale": "fr", "metadata": { "booking_id": booking }, "mode": "payment",
            "payment_intent": format!("pi_bench{number}"), "payment_status": "paid", "status": "complete",
            "success_url": format!("https://inkflow.example/booking/success?id={booking}"), "url": null,
        } },
        "livemode": false, "pending_webhooks": 1, "request": { "id": null, "idempotency_key": null },
        "type": "checkout.session.completed",
    });
    signed(&payload)
}

/// A refund of a payment that is in no ledger of ours: it is looked for everywhere.
fn stray(number: u64) -> Value {
    let at = now().as_second();
    signed(&json!({
        "id": format!("evt_stray{number}"), "object": "event", "api_version": dev::stripe::API_VERSION, "created": at,
        "data": { "object": {
            "id": format!("re_stray{number}"), "object": "refund", "amount": 5000, "currency": "eur", "created": at,
            "payment_intent": format!("pi_stray{number}"), "status": "succeeded", "metadata": {},
        } },
        "livemode": false, "pending_webhooks": 1, "request": { "id": null, "idempotency_key": null }, "type": "refund.updated",
    }))
}

/// Something that Noa entered in Cal.com by hand: it is for no booking of ours.
fn calcom_webhook(number: u64) -> Result<Value> {
    let account = demo::NOA.calcom.as_ref().context("the demo's Noa uses Cal.com")?;
    let payload = json!({
        "triggerEvent": "BOOKING_CREATED", "createdAt": now(),
        "payload": {
            "type": "prive", "title": "Rendez-vous", "uid": format!("own{number}"), "eventTypeId": account.event_type_id,
            "organizer": { "name": demo::NOA.display_name, "username": account.username, "timeZone": "Europe/Paris" },
            "startTime": now(), "endTime": now(), "metadata": {}, "status": "ACCEPTED",
        },
    })
    .to_string();
    let signature = dev::calcom::sign(&payload, Some(account.webhook_secret));
    let mut event = http("POST", "/api/webhooks/calcom", "", Some(payload));
    event["headers"]["x-cal-signature-256"] = signature.into();
    Ok(event)
}

fn signed(payload: &Value) -> Value {
    let payload = payload.to_string();
    let signature = dev::stripe::sign(&payload, WEBHOOK_SECRET, now().as_second());
    let mut event = http("POST", "/api/webhooks/stripe", "", Some(payload));
    event["headers"]["stripe-signature"] = signature.into();
    event
}

/// Jobs, as SQS hands them over.
fn worker(jobs: &[u64]) -> Value {
    let records: Vec<Value> = jobs
        .iter()
        .map(|job| {
            json!({
                "messageId": id('e', *job), "receiptHandle": "bench",
                "body": json!({ "job_id": id('d', *job) }).to_string(),
                "attributes": { "ApproximateReceiveCount": "1", "SentTimestamp": "2064636000000" },
                "messageAttributes": {}, "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:eu-west-3:000000000000:inkflow-jobs", "awsRegion": "eu-west-3",
            })
        })
        .collect();
    json!({ "Records": records })
}
