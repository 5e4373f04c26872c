//! Requests in, responses out: the only place where an error becomes an answer (RFC 9457) and where it is logged.
//! A handler's `Err` never reaches the runtime, which would answer a bare 502 for it.

use std::borrow::Cow;
use std::future::Future;
use std::time::{Duration, Instant};

use ::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use lambda_http::request::RequestContext;
use lambda_http::{Body, LambdaEvent, Request, RequestExt, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::config::{self, ConfigError};
use crate::domain::contact::Locale;
use crate::domain::refusal::Refusal;
use crate::domain::settings::Flaws;
use crate::error::{Error, FieldError};
use crate::network::{Network, without_port};
use crate::redact::{without_addresses, without_values};

// The payloads of a function URL.
mod event;

/// What a handler answers.
pub type Reply = Result<Response<Body>, Error>;

/// The most that a JSON request of ours may weigh, in bytes. The longest legal booking request is under 10 kB.
pub const JSON_LIMIT: usize = 64 * 1024;

/// What every function knows of the web around it.
#[derive(Debug, Clone)]
pub struct Web {
    /// Origin of the site; problem types are anchors of its page `/problems`.
    pub public_url: String,
    /// Other origins whose pages may call us, exactly as browsers send them.
    pub cors_origins: Vec<String>,
    /// The header that carries the client's address, when something trustworthy sets it.
    pub client_ip_header: Option<HeaderName>,
}

impl Web {
    /// Reads `PUBLIC_URL`, `CORS_ORIGINS` and `CLIENT_IP_HEADER`.
    ///
    /// # Errors
    /// A setting is missing or malformed.
    pub fn from_env() -> Result<Self, ConfigError> {
        let client_ip_header = config::optional("CLIENT_IP_HEADER")
            .map(|name| name.to_ascii_lowercase().parse())
            .transpose()
            .map_err(|_| ConfigError::Invalid { name: "CLIENT_IP_HEADER", why: "must be a header name".into() })?;
        Ok(Self { public_url: config::public_url()?, cors_origins: config::list("CORS_ORIGINS"), client_ip_header })
    }

    /// The client's network address. What is counted is [`Self::network`].
    ///
    /// The configured header (CloudFront overwrites `CloudFront-Viewer-Address` whatever the client sent),
    /// else the address that AWS saw. Never `X-Forwarded-For`, which anybody writes.
    pub fn client_address(&self, request: &Request) -> String {
        if let Some(name) = &self.client_ip_header
            && let Some(value) = request.headers().get(name).and_then(|value| value.to_str().ok())
        {
            return without_port(value).to_owned();
        }
        match request.request_context_ref() {
            Some(RequestContext::ApiGatewayV2(context)) => context.http.source_ip.clone().unwrap_or_default(),
            _ => String::new(),
        }
    }
}

impl Web {
    /// The client's network: what limits are counted by. Where it is kept, [`crate::db::Db::pseudonym`] stands for it.
    pub fn network(&self, request: &Request) -> Network {
        Network::of(&self.client_address(request))
    }
}

/// Runs a function behind the Lambda runtime until the sandbox ends.
///
/// # Errors
/// The runtime API cannot be reached.
pub async fn serve<F, Fut>(web: Web, handler: F) -> Result<(), lambda_http::Error>
where
    F: Fn(Request) -> Fut + Sync,
    Fut: Future<Output = Reply> + Send,
{
    let (web, handler) = (&web, &handler);
    lambda_runtime::run(lambda_runtime::service_fn(move |event: LambdaEvent<Box<RawValue>>| async move {
        let (request, unreadable) = match event::read(event.payload.get()) {
            Ok(request) => (request, None),
            Err(error) => (Request::default(), Some(error)),
        };
        let request = request.with_lambda_context(event.context);
        let response = match unreadable {
            // On the heap, because a future of futures of this size is more than the compiler lays out in one piece.
            None => Box::pin(answer(web, request, handler)).await,
            Some(error) => answer(web, request, |_| std::future::ready(Err(error))).await,
        };
        Ok::<_, std::convert::Infallible>(event::written(response))
    }))
    .await
}

/// Answers one request: runs the handler, turns its error into a problem, adds the headers that every
/// response has, and writes one log line.
pub async fn answer<F, Fut>(web: &Web, request: Request, handler: F) -> Response<Body>
where
    F: FnOnce(Request) -> Fut,
    Fut: Future<Output = Reply>,
{
    let started = Instant::now();
    let request_id = request_id(&request);
    let origin = request.headers().get(header::ORIGIN).cloned();
    let method = request.method().clone();
    let path = route(&as_routed(request.uri().path()));
    let reply = if !plainly_spelled(request.uri().path()) {
        Err(Error::NotFound)
    } else if method == Method::OPTIONS {
        preflight()
    } else if let Err(error) = without_nul(&request) {
        Err(error)
    } else {
        handler(request).await
    };
    let mut response = match reply {
        Ok(response) => response,
        Err(error) => {
            let problem = problem(&error);
            // Some failures quote what was asked, in words of Postgres or serde.
            let words = without_addresses(&error.to_string());
            if problem.status == StatusCode::INTERNAL_SERVER_ERROR {
                tracing::error!(request.id = %request_id, error = words, "request failed");
            } else if problem.status.is_server_error() {
                tracing::error!(request.id = %request_id, error = words, "request not served");
            } else {
                tracing::info!(request.id = %request_id, problem = problem.slug, error = words, "request refused");
            }
            problem_response(web, &problem, &error, &request_id)
        }
    };
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        headers.insert("x-request-id", value);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    cors(web, origin.as_ref(), headers);
    tracing::info!(
        request.id = %request_id,
        method = plain(&method),
        path,
        status = response.status().as_u16(),
        duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        "answered"
    );
    response
}

/// Refuses U+0000 in the address. No text of ours holds one, and Postgres takes none: it would say so too late and as if it
/// were our failure. That an escaped percent sign stands before cannot be: `%2500` has no `%00`.
fn without_nul(request: &Request) -> Result<(), Error> {
    let address = [Some(request.uri().path()), request.uri().query()];
    if address.into_iter().flatten().any(|part| part.contains("%00")) {
        return Err(Error::Malformed("U+0000 stands in no address here".into()));
    }
    Ok(())
}

/// A route has one spelling. `/%61pi/…`, `//api/…` and `/api/./…` mean the same to some and something else to others: what is before
/// the functions counts, keeps and routes by the path, so they answer to no other. What must be encoded ("é") may be.
fn plainly_spelled(path: &str) -> bool {
    let needless = |code: &str| {
        let byte = code.get(..2).and_then(|code| u8::from_str_radix(code, 16).ok());
        byte.is_none_or(|byte| byte.is_ascii_alphanumeric() || b"-._~/\\%".contains(&byte))
    };
    !path.contains("//")
        && !path.split('/').any(|segment| segment == "." || segment == "..")
        && !path.split('%').skip(1).any(needless)
}

/// The path without ids, so that logs group and carry nothing that opens a booking's page.
pub fn route(path: &str) -> String {
    path.split('/')
        .map(|segment| if uuid::Uuid::try_parse(segment).is_ok() { "{id}" } else { segment })
        .collect::<Vec<_>>()
        .join("/")
}

/// The method, as far as HTTP itself has it: it is a word that a client may choose.
fn plain(method: &Method) -> &str {
    match *method {
        Method::GET | Method::HEAD | Method::POST | Method::PUT | Method::DELETE | Method::OPTIONS | Method::PATCH => {
            method.as_str()
        }
        _ => "…",
    }
}

/// The path as far as the table of routes knows its words, and `…` for any other: somebody may write an address or a name
/// there, and what no route takes is not worth knowing.
fn as_routed(path: &str) -> String {
    const ROUTES: &str = include_str!("../../infra/routes.json");
    // More than any route has.
    const DEEPEST: usize = 12;
    let known = |segment: &str| {
        segment.is_empty()
            || uuid::Uuid::try_parse(segment).is_ok()
            || ROUTES.split(['/', '"']).any(|word| word == segment)
    };
    let segments = path.split('/').take(DEEPEST);
    segments.map(|segment| if known(segment) { segment } else { "…" }).collect::<Vec<_>>().join("/")
}

fn request_id(request: &Request) -> String {
    request
        .lambda_context_ref()
        .map(|context| context.request_id.clone())
        .filter(|id| !id.is_empty())
        .unwrap_or_else(|| uuid::Uuid::now_v7().to_string())
}

fn preflight() -> Reply {
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST, PUT, DELETE, OPTIONS"));
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        HeaderValue::from_static("content-type, idempotency-key, x-proof, x-amz-content-sha256, authorization"),
    );
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    Ok(response)
}

/// An origin is allowed by exact equality or not at all; the site itself needs no CORS.
fn cors(web: &Web, origin: Option<&HeaderValue>, headers: &mut ::http::HeaderMap) {
    if web.cors_origins.is_empty() {
        return;
    }
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    if let Some(origin) =
        origin.filter(|origin| web.cors_origins.iter().any(|ours| ours.as_bytes() == origin.as_bytes()))
    {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("x-request-id, retry-after"));
    }
}

/// The bytes of the body, at most `limit` of them.
///
/// # Errors
/// [`Error::PayloadTooLarge`].
pub fn bytes(request: &Request, limit: usize) -> Result<&[u8], Error> {
    let bytes: &[u8] = request.body();
    if bytes.len() > limit { Err(Error::PayloadTooLarge { limit }) } else { Ok(bytes) }
}

/// Reads the JSON body.
///
/// # Errors
/// It is too large, is not declared as JSON, or is not what `T` is.
pub fn json<T: DeserializeOwned>(request: &Request) -> Result<T, Error> {
    let declared =
        request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !declared.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
        return Err(Error::UnsupportedMediaType);
    }
    let bytes = bytes(request, JSON_LIMIT)?;
    if holds_nul(bytes) {
        return Err(Error::Malformed("U+0000 stands in no text here".into()));
    }
    serde_json::from_slice(bytes).map_err(|error| {
        Error::Malformed(format!("the body is not the JSON expected here: {}", without_values(&error)))
    })
}

/// Whether a text of this JSON holds U+0000, which Postgres keeps neither as text nor as `jsonb`. As itself it is no JSON.
pub fn holds_nul(json: &[u8]) -> bool {
    nuls(json).next().is_some()
}

/// This JSON with U+FFFD in place of each U+0000: for what somebody signed and so must be taken.
pub fn with_nul_replaced(json: &[u8]) -> Cow<'_, [u8]> {
    let mut replaced = Cow::Borrowed(json);
    for at in nuls(json) {
        replaced.to_mut()[at..at + NUL.len()].copy_from_slice(b"\\ufffd");
    }
    replaced
}

/// How JSON writes U+0000.
const NUL: &[u8] = b"\\u0000";

/// Where a U+0000 is written. A backslash that is escaped itself begins nothing: `\\u0000` are six letters.
fn nuls(json: &[u8]) -> impl Iterator<Item = usize> {
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < json.len() {
            let here = at;
            at += if json[here] == b'\\' { 2 } else { 1 };
            if json[here..].starts_with(NUL) {
                return Some(here);
            }
        }
        None
    })
}

/// The one value of a query parameter.
///
/// # Errors
/// It is given more than once.
pub fn query(request: &Request, name: &str) -> Result<Option<String>, Error> {
    let map = request.query_string_parameters();
    match map.all(name).unwrap_or_default()[..] {
        [] => Ok(None),
        [one] => Ok(Some(one.to_owned())),
        _ => Err(Error::Malformed(format!("the parameter `{name}` is given more than once"))),
    }
}

/// The language of the browser, for words that belong to no booking.
pub fn language(request: &Request) -> Locale {
    preferred_language(request).unwrap_or_default()
}

/// The one of our languages that the browser likes best; none when it names neither. As `infra/edge/preferred.js` reads it.
pub fn preferred_language(request: &Request) -> Option<Locale> {
    let header = request.headers().get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok())?;
    let mut best = None;
    let mut most = 0.0;
    for range in header.split(',') {
        let (tag, weight) = range.split_once(';').unwrap_or((range, ""));
        let weight = weight.split_once('=').filter(|(name, _)| name.trim().eq_ignore_ascii_case("q"));
        let number = weight.map(|(_, number)| number.trim()).filter(|number| !number.starts_with(['-', '+']));
        let quality = number.and_then(|number| number.parse::<f32>().ok()).filter(|quality| quality.is_finite());
        let quality = quality.unwrap_or(1.0);
        if let Some(locale) = Locale::of_tag(tag)
            && quality > most
        {
            (best, most) = (Some(locale), quality);
        }
    }
    best
}

/// The last segment of the path, percent-decoded where it matters: ids and slugs need no decoding.
pub fn last_segment(request: &Request) -> &str {
    request.uri().path().trim_end_matches('/').rsplit('/').next().unwrap_or_default()
}

/// Answers `value` as JSON.
///
/// # Errors
/// It cannot be serialised, which is a mistake of ours.
pub fn reply(status: StatusCode, value: &impl Serialize) -> Reply {
    let body = serde_json::to_string(value).map_err(|error| Error::Internal(error.to_string()))?;
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::Text(body))
        .map_err(|error| Error::Internal(error.to_string()))
}

/// The public face of an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The HTTP status.
    pub status: StatusCode,
    /// The anchor on the site's page of problems, and the stable code.
    pub slug: &'static str,
    /// What it is, the same for every occurrence.
    pub title: &'static str,
    /// What happened and what to do; none for our own failures.
    pub detail: Option<String>,
    /// When it is worth trying again.
    pub retry_after: Option<Duration>,
}

/// Gives every error its status, its slug and its words. Exhaustive: a new error does not compile
/// until it has them.
pub fn problem(error: &Error) -> Problem {
    let face = |status, slug, title, detail: Option<&str>| Problem {
        status,
        slug,
        title,
        detail: detail.map(str::to_owned),
        retry_after: None,
    };
    match error {
        Error::Shown { error, .. } => problem(error),
        Error::Refused(refusal) | Error::RefusedWithSlots { refusal, .. } => match refusal {
            Refusal::SlotTaken => face(
                StatusCode::CONFLICT,
                "slot-taken",
                "This slot is no longer free",
                Some("Somebody else has just taken this slot. Choose another one."),
            ),
            Refusal::TooFarAhead => face(
                StatusCode::CONFLICT,
                "too-far-ahead",
                "This date cannot be booked yet",
                Some("The artist's books are not open that far ahead. Choose a date up to `bookable_until`."),
            ),
            Refusal::FlashTaken => face(
                StatusCode::CONFLICT,
                "flash-taken",
                "This flash is no longer free",
                Some("This unique flash is held or sold. It comes back if the payment is abandoned."),
            ),
            Refusal::FlashUnavailable => {
                face(StatusCode::NOT_FOUND, "not-found", "Not found", Some("This flash is not on sale."))
            }
            Refusal::AlreadyPaid => face(
                StatusCode::CONFLICT,
                "already-paid",
                "This booking is paid",
                Some("The deposit has arrived, so the appointment stands. Write to the artist to cancel it."),
            ),
            Refusal::TooManyHoldsByClient => face(
                StatusCode::TOO_MANY_REQUESTS,
                "too-many-holds",
                "Too many unpaid bookings",
                Some("You already hold several unpaid slots. Pay or release one, or wait until it lapses."),
            ),
            Refusal::NotOpenYet => face(
                StatusCode::CONFLICT,
                "opens-soon",
                "Bookings open soon",
                Some("This artist takes no bookings online at the moment."),
            ),
            Refusal::ChangedMeanwhile => face(
                StatusCode::CONFLICT,
                "changed-meanwhile",
                "This has changed meanwhile",
                Some("It was changed since it was shown to you, perhaps in another tab. Look again, then decide."),
            ),
            Refusal::NotPossible => face(
                StatusCode::CONFLICT,
                "not-possible",
                "This is not possible now",
                Some("The state it is in does not allow this."),
            ),
            Refusal::TooLate => {
                face(StatusCode::CONFLICT, "too-late", "It is too late for that", Some("The time to do this is over."))
            }
            Refusal::MoneyChanged => face(
                StatusCode::CONFLICT,
                "money-changed",
                "The amount has changed",
                Some("The amount that would move now is not the one you were shown. Look again, then decide."),
            ),
        },
        Error::Invalid(errors) => face(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid",
            "Some fields need your attention",
            Some(&match errors.len() {
                1 => "1 field is not valid.".to_owned(),
                n => format!("{n} fields are not valid."),
            }),
        ),
        Error::Malformed(why) => face(StatusCode::BAD_REQUEST, "malformed", "The request cannot be read", Some(why)),
        Error::UnsupportedMediaType => face(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported-media-type",
            "The body must be JSON",
            Some("Send the body with Content-Type: application/json."),
        ),
        Error::PayloadTooLarge { limit } => face(
            StatusCode::PAYLOAD_TOO_LARGE,
            "payload-too-large",
            "The body is too large",
            Some(&format!("At most {limit} bytes are read here.")),
        ),
        Error::Unauthenticated(why) => {
            face(StatusCode::UNAUTHORIZED, "unauthenticated", "Not authenticated", Some(why))
        }
        Error::WrongCredentials => face(
            StatusCode::UNAUTHORIZED,
            "wrong-credentials",
            "The address or the password is wrong",
            Some("Check both, or ask for a link by mail."),
        ),
        Error::LinkExpired => face(
            StatusCode::UNAUTHORIZED,
            "link-expired",
            "This link works no more",
            Some("A link works once and for an hour. Ask for a new one."),
        ),
        Error::SignInUnavailable(_) => Problem {
            retry_after: Some(Duration::from_secs(10)),
            ..face(
                StatusCode::SERVICE_UNAVAILABLE,
                "sign-in-unavailable",
                "Signing in is not possible right now",
                Some("The service that knows the accounts does not answer. Try again in a moment."),
            )
        },
        Error::SignOutIncomplete(_) => Problem {
            retry_after: Some(Duration::from_secs(10)),
            ..face(
                StatusCode::SERVICE_UNAVAILABLE,
                "sign-out-incomplete",
                "You are not signed out everywhere",
                Some(
                    "The service that knows the accounts does not answer, so the session has not ended there. Sign out once \
                     more in a moment, and until then leave this browser to nobody.",
                ),
            )
        },
        Error::AlreadySignedIn => face(
            StatusCode::CONFLICT,
            "already-signed-in",
            "Somebody is signed in already",
            Some("Send `replace` once the person has said that the link's account may take the place of this session."),
        ),
        Error::Forbidden(why) => face(StatusCode::FORBIDDEN, "forbidden", "Forbidden", Some(why)),
        Error::SignUpClosed => face(
            StatusCode::FORBIDDEN,
            "sign-up-closed",
            "No page is opened here without an invitation",
            Some("Ask whoever runs this site to invite the address you sign in with."),
        ),
        Error::NoArtist => face(
            StatusCode::NOT_FOUND,
            "no-artist",
            "Create your page first",
            Some("This account has no artist's page yet. Save your profile to create it."),
        ),
        Error::NotFound => face(StatusCode::NOT_FOUND, "not-found", "Not found", None),
        Error::MethodNotAllowed => {
            face(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "This method is not allowed here", None)
        }
        Error::TooManyRequests { retry_after } => Problem {
            retry_after: Some(*retry_after),
            ..face(
                StatusCode::TOO_MANY_REQUESTS,
                "too-many-requests",
                "Too many requests",
                Some("You have sent many requests. Wait a little and try again."),
            )
        },
        Error::NetworkIsFull { retry_after } => Problem {
            retry_after: Some(*retry_after),
            ..face(
                StatusCode::TOO_MANY_REQUESTS,
                "network-full",
                "Many unpaid bookings from your network",
                Some("Many slots are held unpaid from your network. One of them is free again soon: try again then."),
            )
        },
        Error::FlashRests { until, retry_after } => Problem {
            retry_after: Some(*retry_after),
            ..face(
                StatusCode::TOO_MANY_REQUESTS,
                "flash-rests",
                "This flash is for others for a while",
                Some(&format!(
                    "It was held for you several times and not paid. You can hold it again from {until} on."
                )),
            )
        },
        Error::ProofRequired { .. } => face(
            StatusCode::FORBIDDEN,
            "proof-required",
            "A small proof of work is needed",
            Some(
                "Solve the puzzle in `proof` and send the same request again, with the solution in the header X-Proof.",
            ),
        ),
        Error::HeldByYou { .. } => face(
            StatusCode::CONFLICT,
            "flash-yours",
            "You hold this flash already",
            Some("You hold this unique flash for another slot. Pay it there, or release it to choose another one."),
        ),
        Error::IdempotencyMismatch => face(
            StatusCode::CONFLICT,
            "idempotency-mismatch",
            "This idempotency key belongs to another request",
            Some("Use a new Idempotency-Key for a new request."),
        ),
        Error::RequestInProgress => Problem {
            retry_after: Some(Duration::from_secs(2)),
            ..face(
                StatusCode::CONFLICT,
                "request-in-progress",
                "The same request is in progress",
                Some("Try again in a few seconds with the same Idempotency-Key."),
            )
        },
        Error::CalendarUnavailable(_) => Problem {
            retry_after: Some(Duration::from_secs(10)),
            ..face(
                StatusCode::SERVICE_UNAVAILABLE,
                "calendar-unavailable",
                "The artist's calendar does not answer",
                Some("No slot can be promised without it. Try again in a moment."),
            )
        },
        Error::PaymentUnavailable(_) => Problem {
            retry_after: Some(Duration::from_secs(10)),
            ..face(
                StatusCode::BAD_GATEWAY,
                "payment-unavailable",
                "The payment page cannot be opened",
                Some("Your slot is held. Try again in a moment: you will get the same booking."),
            )
        },
        Error::CheckoutStaysOpen(_) => Problem {
            retry_after: Some(Duration::from_secs(10)),
            ..face(
                StatusCode::BAD_GATEWAY,
                "stripe-unavailable",
                "Stripe does not answer",
                Some("It is not known whether the client is paying at this moment. Nothing was changed: try again."),
            )
        },
        Error::DatabaseUnavailable(_) | Error::Conflict => Problem {
            retry_after: Some(Duration::from_secs(5)),
            ..face(StatusCode::SERVICE_UNAVAILABLE, "try-again", "Try again in a moment", None)
        },
        Error::Outside { .. } | Error::Database(_) | Error::Internal(_) => {
            face(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Something went wrong on our side", None)
        }
    }
}

fn problem_response(web: &Web, problem: &Problem, error: &Error, request_id: &str) -> Response<Body> {
    let mut body = json!({
        "type": format!("{}/problems#{}", web.public_url, problem.slug),
        "title": problem.title,
        "status": problem.status.as_u16(),
        "instance": format!("urn:uuid:{request_id}"),
    });
    if let Some(detail) = &problem.detail {
        body["detail"] = Value::from(detail.as_str());
    }
    if let Error::Invalid(errors) = error {
        body["errors"] = json!(errors);
    }
    if let Error::RefusedWithSlots { slots, .. } = error {
        body["slots"] = slots.clone();
    }
    if let Error::HeldByYou { own } = error {
        body["own"] = own.clone();
    }
    if let Error::ProofRequired { proof } = error {
        body["proof"] = proof.clone();
    }
    if let Error::FlashRests { until, .. } = error {
        body["until"] = json!(until);
    }
    let (kind, body) = match error {
        Error::Shown { page, .. } => ("text/html; charset=utf-8", page.clone()),
        _ => ("application/problem+json", body.to_string()),
    };
    let mut response = Response::new(Body::Text(body));
    *response.status_mut() = problem.status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if problem.status == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if let Some(after) = problem.retry_after {
        // Rounded up: who comes back on the second must not be told again.
        let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
    }
    response
}

/// Collects what is wrong with a request's fields, so that the client hears of all at once.
#[derive(Debug, Default)]
pub struct Fields(Vec<FieldError>);

impl Fields {
    /// Notes that the field at `pointer` is wrong.
    pub fn refuse(&mut self, pointer: &str, detail: impl Into<String>) {
        self.0.push(FieldError::new(format!("#{pointer}"), detail));
    }

    /// Keeps a good value, notes a bad one.
    pub fn keep<T, E>(&mut self, pointer: &str, value: Result<T, E>, words: impl FnOnce(E) -> String) -> Option<T> {
        match value {
            Ok(value) => Some(value),
            Err(error) => {
                self.refuse(pointer, words(error));
                None
            }
        }
    }

    /// Notes everything that a rule of the domain found, in this language.
    pub fn refuse_all(&mut self, flaws: Flaws, locale: Locale) {
        self.0.extend(flaws.into_vec().into_iter().map(|flaw| FieldError {
            pointer: format!("#{}", flaw.pointer),
            detail: flaw.sentence(locale).to_owned(),
            suggestions: flaw.suggestions,
        }));
    }

    /// The error that says it all.
    pub fn into_error(self) -> Error {
        Error::Invalid(self.0)
    }

    /// True while nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn web() -> Web {
        Web {
            public_url: "https://ink.example".into(),
            cors_origins: vec!["https://site.example".into()],
            client_ip_header: None,
        }
    }

    #[test]
    fn the_language_a_browser_likes_best_is_found_by_weight_and_then_by_order() {
        for (header, wanted) in [
            ("en-CA,en;q=0.9,fr-CA;q=0.8", Some(Locale::En)),
            ("de-DE,de;q=0.9,en;q=0.7,fr;q=0.3", Some(Locale::En)),
            ("en;q=0.5, fr;q=0.8", Some(Locale::Fr)),
            ("FR-ch", Some(Locale::Fr)),
            ("fr,en", Some(Locale::Fr)),
            ("en;q=0,fr;q=0.1", Some(Locale::Fr)),
            ("en;q=0", None),
            ("de,*;q=0.5", None),
            ("", None),
            ("english", None),
            ("en;q=nonsense", Some(Locale::En)),
        ] {
            let asked = ::http::Request::builder().header("accept-language", header);
            let asked = asked.body(lambda_http::Body::Empty).expect("a request");
            assert_eq!(preferred_language(&asked), wanted, "{header}");
        }
    }

    #[tokio::test]
    async fn a_route_answers_to_one_spelling() {
        for (path, found) in [
            ("/api/session", true),
            ("/artist/l%C3%A9a", true),
            ("/artist/a%20b", true),
            ("/%61pi/session", false),
            ("/api/sessio%6E", false),
            ("/api%2Fsession", false),
            ("/api/%2e%2E/session", false),
            ("/api/%252e/session", false),
            ("/api/a%", false),
            ("/api/a%zz", false),
            ("//api/session", false),
            ("/api//session", false),
            ("/api/./session", false),
            ("/api/x/../session", false),
        ] {
            let asked = ::http::Request::builder().uri(path).body(Body::Empty).expect("a request");
            let answer = answer(&web(), asked, |_| async { reply(StatusCode::OK, &json!({})) }).await;
            assert_eq!(answer.status() == StatusCode::OK, found, "{path}: {}", answer.status());
            assert!(found || answer.status() == StatusCode::NOT_FOUND, "{path}: {}", answer.status());
        }
    }

    fn request(method: &str, origin: &str) -> Request {
        ::http::Request::builder()
            .method(method)
            .uri("https://x/api/bookings/0190a0a0-0000-7000-8000-000000000000")
            .header("origin", origin)
            .body(Body::Empty)
            .expect("a request")
    }

    fn every_error() -> Vec<Error> {
        vec![
            Refusal::SlotTaken.into(),
            Refusal::TooFarAhead.into(),
            Refusal::FlashTaken.into(),
            Refusal::FlashUnavailable.into(),
            Refusal::AlreadyPaid.into(),
            Refusal::TooManyHoldsByClient.into(),
            Refusal::NotOpenYet.into(),
            Refusal::ChangedMeanwhile.into(),
            Refusal::NotPossible.into(),
            Refusal::TooLate.into(),
            Refusal::MoneyChanged.into(),
            Error::RefusedWithSlots { refusal: Refusal::SlotTaken, slots: json!([]) },
            Error::HeldByYou { own: json!({}) },
            Error::NetworkIsFull { retry_after: Duration::from_secs(7) },
            Error::FlashRests { until: "2027-02-02T10:00:00+01:00".into(), retry_after: Duration::from_secs(7) },
            Error::ProofRequired { proof: json!({}) },
            Error::Invalid(vec![FieldError {
                pointer: "#/a".into(),
                detail: "b".into(),
                suggestions: vec!["c".into()],
            }]),
            Error::Malformed("x".into()),
            Error::UnsupportedMediaType,
            Error::PayloadTooLarge { limit: 1 },
            Error::Unauthenticated("x"),
            Error::WrongCredentials,
            Error::LinkExpired,
            Error::SignInUnavailable("secret".into()),
            Error::SignOutIncomplete("secret".into()),
            Error::AlreadySignedIn,
            Error::Forbidden("x"),
            Error::SignUpClosed,
            Error::NoArtist,
            Error::NotFound,
            Error::MethodNotAllowed,
            Error::TooManyRequests { retry_after: Duration::from_secs(7) },
            Error::IdempotencyMismatch,
            Error::RequestInProgress,
            Error::CalendarUnavailable("secret".into()),
            Error::PaymentUnavailable("secret".into()),
            Error::CheckoutStaysOpen("secret".into()),
            Error::Outside { service: crate::error::Service::Stripe, why: "secret".into() },
            Error::DatabaseUnavailable("secret".into()),
            Error::Conflict,
            Error::Internal("secret".into()),
        ]
    }

    #[tokio::test]
    async fn every_problem_has_its_anchor_and_tells_no_secret() {
        let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../frontend/problems.html"))
            .expect("the page of problems");
        for error in every_error() {
            let problem = problem(&error);
            assert!(page.contains(&format!("id=\"{}\"", problem.slug)), "no anchor for {}", problem.slug);
            let response = answer(&web(), request("GET", "https://other.example"), |_| async { Err(error) }).await;
            assert_eq!(response.headers()["content-type"], "application/problem+json");
            let body: Value = serde_json::from_slice(response.body()).expect("JSON");
            assert_eq!(body["status"], response.status().as_u16());
            assert!(!body.to_string().contains("secret"), "{body}");
            assert!(response.headers().contains_key("x-request-id"));
        }
    }

    #[tokio::test]
    async fn only_the_configured_origin_is_allowed() {
        let answered = |origin: &'static str| async move {
            let response = answer(&web(), request("OPTIONS", origin), |_| async { Err(Error::NotFound) }).await;
            assert_eq!(response.status(), StatusCode::NO_CONTENT);
            response.headers().get("access-control-allow-origin").cloned()
        };
        assert_eq!(answered("https://site.example").await, Some(HeaderValue::from_static("https://site.example")));
        for other in ["https://site.example.evil", "http://site.example", "null", "https://SITE.example"] {
            assert_eq!(answered(other).await, None);
        }
    }

    #[test]
    fn the_forwarded_header_is_not_believed() {
        let request = ::http::Request::builder()
            .header("x-forwarded-for", "203.0.113.9")
            .header("cloudfront-viewer-address", "198.51.100.7:4711")
            .body(Body::Empty)
            .expect("a request");
        assert_eq!(web().client_address(&request), "");
        let behind = Web { client_ip_header: Some(HeaderName::from_static("cloudfront-viewer-address")), ..web() };
        assert_eq!(behind.client_address(&request), "198.51.100.7");
    }

    #[test]
    fn a_parse_error_does_not_repeat_what_the_client_typed() {
        for typed in [r#""jo@example.fr""#, r#""a, expected jo@example.fr""#, "33612345678", "336.12345678"] {
            let request = ::http::Request::builder()
                .header("content-type", "application/json; charset=utf-8")
                .body(Body::Text(typed.into()))
                .expect("a request");
            let error = json::<Vec<bool>>(&request).expect_err("not a list").to_string();
            assert!(!error.contains("jo@") && !error.contains("336"), "{error}");
            assert!(error.contains("expected a sequence"), "{error}");
        }
    }

    #[tokio::test]
    async fn no_address_and_no_text_holds_a_nul() {
        for uri in ["/api/a%00", "/api?x=%00", "/api?%00=x", "/api?x=%%00", "/api?x=%25%00"] {
            let request = ::http::Request::builder().uri(uri).body(Body::Empty).expect("a request");
            let response = answer(&web(), request, |_| async { reply(StatusCode::OK, &json!({})) }).await;
            assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{uri}");
        }
        // The letters %00 are no NUL; in a path they are another spelling of it.
        for (uri, status) in [("/api?x=%2500&y=%0&z=0%", StatusCode::OK), ("/api/a%2500", StatusCode::NOT_FOUND)] {
            let request = ::http::Request::builder().uri(uri).body(Body::Empty).expect("a request");
            let response = answer(&web(), request, |_| async { reply(StatusCode::OK, &json!({})) }).await;
            assert_eq!(response.status(), status, "{uri}");
        }
        let read = |body: &str| {
            let request = ::http::Request::builder().header("content-type", "application/json");
            json::<Value>(&request.body(Body::Text(body.into())).expect("a request"))
        };
        for body in [r#""\u0000""#, r#"{"a":{"b":["x\u0000y"]}}"#, r#"{"\u0000":1}"#, r#""\\\u0000""#, "\"\0\"", "\0"] {
            assert!(matches!(read(body), Err(Error::Malformed(_))), "{body}");
        }
        for (body, text) in [(r#""\\u0000""#, r"\u0000"), (r#""u0000""#, "u0000"), (r#""\u0001""#, "\u{1}")] {
            assert_eq!(read(body).expect("no NUL"), Value::from(text));
        }
        let signed = br#"{"a":"x\u0000","b":"\\u0000\u0000"}"#;
        let kept: Value = serde_json::from_slice(&with_nul_replaced(signed)).expect("JSON still");
        assert_eq!(kept, json!({ "a": "x\u{fffd}", "b": "\\u0000\u{fffd}" }));
        assert!(matches!(with_nul_replaced(b"{}"), Cow::Borrowed(_)));
    }

    #[test]
    fn logs_name_the_route_and_not_the_booking() {
        assert_eq!(route("/api/bookings/0190a0a0-0000-7000-8000-000000000000"), "/api/bookings/{id}");
        for (path, logged) in [
            ("/api/session/jo@example.fr/link", "/api/session/…/link"),
            ("/api/session/jo%40example.fr", "/api/session/…"),
            ("/api/artists/lea-marchetti", "/api/artists/…"),
            ("/+33612345678//", "/…//"),
            ("/api/dashboard/bookings.csv", "/api/dashboard/bookings.csv"),
            ("/api/bookings/0190a0a0-0000-7000-8000-000000000000/check", "/api/bookings/{id}/check"),
        ] {
            assert_eq!(route(&as_routed(path)), logged);
        }
        assert!(as_routed(&"/a".repeat(4_000)).len() < 60, "a long one is cut");
    }

    #[cfg(feature = "testing")]
    #[tokio::test]
    async fn a_stranger_writes_no_word_and_no_long_line_into_the_log() {
        let logs = crate::testing::Logs::listen();
        let long = format!("jo@example.fr {}", "A".repeat(20_000));
        for error in [Error::Malformed(long.clone()), Error::Internal(long.clone()), Error::SignInUnavailable(long)] {
            let request = ::http::Request::builder().method("J0612345678").uri("/a".repeat(3_000));
            let request = request.body(Body::Empty).expect("a request");
            answer(&web(), request, |_| async { Err(error) }).await;
        }
        logs.hold_nothing_of(&["jo@example.fr", "0612345678"]);
        let text = logs.text();
        assert_eq!(text.lines().count(), 6, "{text}");
        assert!(text.lines().all(|line| line.len() < 600), "{text}");
    }
}
