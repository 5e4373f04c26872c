//! The doors of InkFlow, each with a way to throw bytes at it: what the fuzz targets and the hostile tests share.
//!
//! Nothing behind them is running, so every answer is one that the door itself gives.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;
use lambda_http::Request;
use ring::hmac;
use serde_json::{Value, json};
use shared::auth::Auth;
use shared::calcom::Calcom;
use shared::calcom::calendars::Calendars;
use shared::clock::Clock;
use shared::config::Secret;
use shared::db::Db;
use shared::http::{self, Reply, Web};
use shared::queue::Queue;
use shared::stripe::Stripe;
use shared::vault::Vault;
use shared::{aws, net};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// A place where strangers' bytes come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// The body of a webhook that Stripe signed.
    StripeEvent,
    /// The signature of a webhook that it did not.
    StripeSignature,
    /// The body of Cal.com's webhook.
    CalcomEvent,
    /// The query of the slots.
    SlotsQuery,
    /// The body of a booking.
    BookingBody,
    /// The path of a booking.
    BookingPath,
    /// What Cal.com answers.
    CalcomAnswer,
    /// What Stripe answers.
    StripeAnswer,
    /// The token of somebody who says that they are signed in.
    Token,
}

impl Door {
    pub const ALL: [Self; 9] = [
        Self::StripeEvent,
        Self::StripeSignature,
        Self::CalcomEvent,
        Self::SlotsQuery,
        Self::BookingBody,
        Self::BookingPath,
        Self::CalcomAnswer,
        Self::StripeAnswer,
        Self::Token,
    ];
}

const SECRET: &str = "whsec_Hostile4Rk8Vb2Nq6Xw1Lz5Tm9Pc3Hd7";

/// All doors, and whoever stands behind them.
#[expect(missing_debug_implementations, reason = "it holds secrets")]
pub struct House {
    runtime: tokio::runtime::Runtime,
    web: Web,
    stripe_webhook: stripe_webhook::App,
    calcom_webhook: calcom_webhook::App,
    slots: slots::App,
    create_booking: create_booking::App,
    release_booking: release_booking::App,
    auth: Auth,
    calcom: Calcom,
    stripe: Stripe,
    said: Arc<Mutex<Vec<u8>>>,
}

impl House {
    /// Opens them.
    ///
    /// # Errors
    /// The machine has no port or no threads left.
    pub fn open() -> Result<Self, Box<dyn std::error::Error>> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let said = Arc::new(Mutex::new(Vec::new()));
        let outside = runtime.block_on(says(Arc::clone(&said)))?;
        let http = net::client(&net::tls());
        // Nobody listens there: what gets past the door ends at once.
        let db = || Db::new("postgres://nobody:nothing@127.0.0.1:1/nowhere", None);
        let key = Secret::new(BASE64.encode([7; 32]));
        let calendars = || {
            Ok::<_, Box<dyn std::error::Error>>(Calendars::new(
                Calcom::new(http.clone(), outside.clone()),
                Vault::new(&key)?,
            ))
        };
        let credentials = aws_sdk_sqs::config::Credentials::new("none", "none", None, None, "none");
        let sdk = aws::with(&http, "eu-west-3".into(), credentials);
        let queue = || Queue::new(&sdk, Some("http://127.0.0.1:1".into()), "http://127.0.0.1:1/queue".into());
        let stripe = || Stripe::new(http.clone(), outside.clone(), Secret::new("sk_test_hostile".into()));
        let web = || Web { public_url: "https://ink.test".into(), cors_origins: Vec::new(), client_ip_header: None };
        Ok(Self {
            stripe_webhook: stripe_webhook::App {
                db: db()?,
                queue: queue(),
                secrets: Arc::new([Secret::new(SECRET.into())]),
                livemode: false,
                clock: Clock::default(),
            },
            calcom_webhook: calcom_webhook::App {
                db: db()?,
                calendars: calendars()?,
                queue: queue(),
                clock: Clock::default(),
            },
            slots: slots::App { db: db()?, calendars: calendars()?, clock: Clock::default(), web: web() },
            create_booking: create_booking::App {
                db: db()?,
                calendars: calendars()?,
                stripe: stripe(),
                queue: queue(),
                web: web(),
                clock: Clock::default(),
                hold: jiff::SignedDuration::from_mins(30),
                limits: create_booking::Limits { requests_per_hour: 20, holds_per_client: 3, holds_per_artist: 30 },
            },
            release_booking: release_booking::App {
                db: db()?,
                stripe: stripe(),
                queue: queue(),
                clock: Clock::default(),
                public_url: "https://ink.test".into(),
            },
            auth: Auth::new(
                http.clone(),
                "http://127.0.0.1:1",
                Some(&Secret::new("a legacy secret of thirty-two bytes".into())),
                &web(),
            ),
            calcom: Calcom::new(http.clone(), outside.clone()),
            stripe: stripe(),
            web: web(),
            said,
            runtime,
        })
    }

    /// Throws `data` at a door and gives the status of the answer; for what is no request, 0.
    ///
    /// # Panics
    /// The door does: that is what whoever calls this wants to know.
    pub fn knock(&self, door: Door, data: &[u8]) -> u16 {
        self.runtime.block_on(async {
            match door {
                Door::StripeEvent => self.stripe_event(&signed(data), data).await,
                Door::StripeSignature => {
                    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
                    let (header, body) = data.split_at(end);
                    self.stripe_event(&String::from_utf8_lossy(header), body).await
                }
                Door::CalcomEvent => {
                    let headers = json!({ "x-cal-signature-256": "no-secret-provided" });
                    let request = request("POST", "/api/webhooks/calcom", "", &headers, data);
                    self.status(request, |request| calcom_webhook::handle(&self.calcom_webhook, request)).await
                }
                Door::SlotsQuery => {
                    let request = request("GET", "/api/calendar/slots", &as_sent(data), &json!({}), b"");
                    self.status(request, |request| slots::handle(&self.slots, request)).await
                }
                Door::BookingBody => {
                    let headers = json!({ "content-type": "application/json" });
                    let request = request("POST", "/api/bookings/create", "", &headers, data);
                    self.status(request, |request| create_booking::handle(&self.create_booking, request)).await
                }
                Door::BookingPath => {
                    let path = format!("/api/bookings/{}/release", as_sent(data));
                    let request = request("POST", &path, "", &json!({}), b"");
                    self.status(request, |request| release_booking::handle(&self.release_booking, request)).await
                }
                Door::CalcomAnswer => {
                    self.will_say(data);
                    let key = Secret::new("cal_test_hostile".into());
                    let (from, to) =
                        (Timestamp::UNIX_EPOCH, Timestamp::from_second(4_000_000_000).unwrap_or(Timestamp::MAX));
                    let _ = self.calcom.slots(&key, 1, from, to, 60).await;
                    let _ = self.calcom.get(&key, "uid").await;
                    let _ = self.calcom.ours_between(&key, from, to).await;
                    0
                }
                Door::StripeAnswer => {
                    self.will_say(data);
                    let _ = self.stripe.session("cs_test_1", None).await;
                    let _ = self.stripe.refunds("pi_1", None).await;
                    0
                }
                Door::Token => {
                    let token = String::from_utf8_lossy(data);
                    u16::from(self.auth.verify(&token, Clock::default().now()).await.is_ok())
                }
            }
        })
    }

    async fn stripe_event(&self, signature: &str, body: &[u8]) -> u16 {
        let headers = json!({ "stripe-signature": signature });
        let request = request("POST", "/api/webhooks/stripe", "", &headers, body);
        self.status(request, |request| stripe_webhook::handle(&self.stripe_webhook, request)).await
    }

    async fn status<Answer>(&self, request: Request, handle: impl FnOnce(Request) -> Answer) -> u16
    where
        Answer: Future<Output = Reply>,
    {
        http::answer(&self.web, request, handle).await.status().as_u16()
    }

    /// As [`Self::knock`], within a time after which it counts as hanging.
    pub fn knock_within(&self, door: Door, data: &[u8], patience: Duration) -> Option<u16> {
        let begun = std::time::Instant::now();
        let status = self.knock(door, data);
        (begun.elapsed() < patience).then_some(status)
    }

    fn will_say(&self, data: &[u8]) {
        *self.said.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = data.to_vec();
    }
}

/// Bytes as they can stand in an address: what cannot, AWS passes on percent-encoded, and what is longer it refuses.
fn as_sent(data: &[u8]) -> String {
    data.iter().take(4_000).fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/%".contains(byte) {
            text.push(char::from(*byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
        text
    })
}

/// The signature of an event that Stripe would have sent now.
fn signed(event: &[u8]) -> String {
    let now = Clock::default().now().as_second();
    let tag = hmac::sign(
        &hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes()),
        &[now.to_string().as_bytes(), b".", event].concat(),
    );
    let tag: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={now},v1={tag}")
}

/// A request as a function URL hands it over, its body as bytes.
fn request(method: &str, path: &str, query: &str, headers: &Value, body: &[u8]) -> Request {
    let event = json!({
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": query, "headers": headers,
        "requestContext": {
            "accountId": "anonymous", "apiId": "test", "domainName": "test.lambda-url.eu-west-3.on.aws",
            "domainPrefix": "test", "requestId": "hostile", "routeKey": "$default", "stage": "$default",
            "time": "01/Feb/2027:08:00:00 +0000", "timeEpoch": 0,
            "http": { "method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "198.51.100.7", "userAgent": "hostile" },
        },
        "body": BASE64.encode(body), "isBase64Encoded": true,
    });
    // What the runtime itself refuses never reaches a function.
    lambda_http::request::from_str(&event.to_string()).unwrap_or_default()
}

/// A service that answers everything with what it was told to say.
async fn says(what: Arc<Mutex<Vec<u8>>>) -> std::io::Result<String> {
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let body = what.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
            tokio::spawn(async move {
                let mut request = vec![0; 16 * 1024];
                let _ = client.read(&mut request).await;
                let head = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                    body.len()
                );
                let _ = client.write_all(head.as_bytes()).await;
                let _ = client.write_all(&body).await;
            });
        }
    });
    Ok(url)
}
