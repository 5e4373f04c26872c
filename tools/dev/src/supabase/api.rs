//! The API under `/auth/v1`: the gateway's key, the body, the route, and the answers in the shapes of the real one.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::response::IntoResponse;
use http::{Method, StatusCode, header};
use serde_json::{Value, json};

use super::book::{Account, Book};
use super::error::ApiError;
use super::limits;
use super::service::{Inner, Letter};
use crate::machine::lock;
use crate::stand_in::{self, AfterWrite, Answered, Api, Down, Service, Troubles};

/// The shortest password; the project of the demo asks for eight characters.
const SHORTEST_PASSWORD: usize = 8;

/// A call of the project.
struct Call(stand_in::Call);

impl Deref for Call {
    type Target = stand_in::Call;

    fn deref(&self) -> &stand_in::Call {
        &self.0
    }
}

impl Call {
    fn json(&self) -> Result<Value, ApiError> {
        serde_json::from_str(&self.body)
            .ok()
            .filter(Value::is_object)
            .ok_or_else(|| ApiError::bad_request("bad_json", "Could not parse request body as JSON"))
    }

    fn bearer(&self) -> Option<&str> {
        self.header(header::AUTHORIZATION.as_str()).and_then(|value| value.strip_prefix("Bearer "))
    }
}

/// What the work gave: a status and a body, or none.
type Outcome = Result<(StatusCode, Option<Value>), ApiError>;

impl Api for Inner {
    async fn answer(self: &Arc<Self>, call: stand_in::Call, troubles: &Troubles) -> Answered {
        let call = Call(call);
        let outcome = match troubles.down {
            Some(Down::InternalError) => Err(ApiError::unexpected()),
            Some(_) => Err(ApiError::unavailable()),
            None if troubles.rate_limited => Err(ApiError::too_many()),
            None => self.work(&call),
        };
        let after = match (&outcome, &call.method) {
            (Ok(_), &Method::POST) => lock(&self.base.switches).api.take_after_write(),
            _ => AfterWrite::Answer,
        };
        if troubles.slow_ms > 0 {
            tokio::time::sleep(Duration::from_millis(troubles.slow_ms)).await;
        }
        let response = match outcome {
            _ if after == AfterWrite::Fail => ApiError::unexpected().into_response(),
            Ok((status, Some(body))) => (status, Json(body)).into_response(),
            Ok((status, None)) => status.into_response(),
            Err(error) => error.into_response(),
        };
        Answered { response, lost: after == AfterWrite::Lose }
    }
}

impl Inner {
    fn work(&self, call: &Call) -> Outcome {
        let Some(path) = call.path.strip_prefix("/auth/v1/") else { return Err(ApiError::no_route()) };
        let (get, post) = (call.method == Method::GET, call.method == Method::POST);
        // The one path that needs no key: whoever verifies tokens reads it.
        if path == ".well-known/jwks.json" && get {
            let keys: Vec<Value> = self.book().keys.iter().map(super::keys::Key::jwk).collect();
            return Ok((StatusCode::OK, Some(json!({ "keys": keys }))));
        }
        let address = self.address(call)?;
        let limited = lock(&self.base.switches).rate_limits;
        if limited && !limits::take(&mut lock(&self.buckets), path, &address, self.base.clock.now()) {
            return Err(ApiError::too_many());
        }
        let outcome = match path {
            "token" if post => self.token(call),
            "signup" if post => self.signup(call),
            "otp" if post => self.otp(call),
            "verify" if post => self.verify(call),
            "logout" if post => self.logout(call),
            "user" if get => self.user(call),
            "health" if get => Ok((StatusCode::OK, Some(json!({ "name": "GoTrue", "version": "stand-in" })))),
            _ => Err(ApiError::no_route()),
        };
        self.changed();
        outcome
    }

    /// Looks at the key, and says at which address the caller is counted.
    fn address(&self, call: &Call) -> Result<String, ApiError> {
        let forwarded = call.header("sb-forwarded-for");
        let (own, switches) = ("127.0.0.1".to_owned(), lock(&self.base.switches).clone());
        match call.header("apikey").or_else(|| call.param("apikey")) {
            None => Err(ApiError::no_api_key()),
            Some(key) if key == self.secret_key => {
                if call.header("user-agent").is_some_and(|agent| agent.contains("Mozilla")) {
                    return Err(ApiError::secret_key_in_a_browser());
                }
                // The first value counts, if it is an address and the project has switched it on.
                let first = forwarded.and_then(|list| list.split(',').next()).map(str::trim);
                let address = first.and_then(|text| text.parse::<std::net::IpAddr>().ok());
                Ok(address.filter(|_| switches.forwarding).map_or(own, |address| address.to_string()))
            }
            Some(key) if key != self.publishable_key => Err(ApiError::wrong_api_key()),
            Some(_) if forwarded.is_some() => Err(ApiError::forwarded_without_a_secret_key()),
            Some(_) => Ok(own),
        }
    }

    fn token(&self, call: &Call) -> Outcome {
        let body = call.json()?;
        let text = |name: &str| body[name].as_str().unwrap_or_default();
        let now = self.base.clock.now();
        let mut book = self.book();
        let answer = match call.param("grant_type") {
            Some("password") => {
                if text("email").is_empty() {
                    return Err(ApiError::validation_failed("missing email or phone"));
                }
                let user = book.sign_in(text("email"), text("password"))?;
                book.begin(user, "password", &self.issuer, now)
            }
            Some("refresh_token") => {
                if text("refresh_token").is_empty() {
                    return Err(ApiError::validation_failed("refresh_token required"));
                }
                book.refresh(text("refresh_token"), &self.issuer, now)?
            }
            _ => return Err(ApiError::bad_request("unsupported_grant_type", "unsupported_grant_type")),
        };
        Ok((StatusCode::OK, Some(answer)))
    }

    fn signup(&self, call: &Call) -> Outcome {
        let body = call.json()?;
        let (email, password) = credentials(&body)?;
        let switches = lock(&self.base.switches).clone();
        if switches.signup_disabled {
            return Err(ApiError::signup_disabled());
        }
        if password.chars().count() < SHORTEST_PASSWORD {
            return Err(ApiError::weak_password());
        }
        let now = self.base.clock.now();
        let mut book = self.book();
        let known = book.account(&email).is_some_and(|account| account.confirmed_at.is_some());
        let user = book.sign_up(&email, Some(&password), switches.autoconfirm, now)?;
        if switches.autoconfirm {
            return Ok((StatusCode::OK, Some(book.begin(user, "password", &self.issuer, now))));
        }
        if known {
            return Ok((StatusCode::OK, Some(Account::nobody(&email, now))));
        }
        self.may_write_to(&email)?;
        let link = book.link(user, now)?;
        let user = book.user(user);
        drop(book);
        self.send(Letter::Confirmation, &email, &link);
        Ok((StatusCode::OK, user))
    }

    fn may_write_to(&self, email: &str) -> Result<(), ApiError> {
        if lock(&self.base.switches).built_in_sender { Err(ApiError::address_not_authorized(email)) } else { Ok(()) }
    }

    fn otp(&self, call: &Call) -> Outcome {
        let body = call.json()?;
        let email = body["email"].as_str().unwrap_or_default().trim().to_lowercase();
        if !email.contains('@') {
            return Err(ApiError::validation_failed("One of email or phone must be set"));
        }
        let now = self.base.clock.now();
        let mut book = self.book();
        let known = book.account(&email).is_some();
        if !known && body["create_user"] == json!(false) {
            return Err(ApiError::otp_disabled());
        }
        if !known && lock(&self.base.switches).signup_disabled {
            return Err(ApiError::signup_disabled());
        }
        let user = book.sign_up(&email, None, false, now)?;
        self.may_write_to(&email)?;
        let link = book.link(user, now)?;
        drop(book);
        self.send(Letter::MagicLink, &email, &link);
        Ok((StatusCode::OK, Some(json!({}))))
    }

    fn verify(&self, call: &Call) -> Outcome {
        let body = call.json()?;
        let text = |name: &str| body[name].as_str().unwrap_or_default();
        if !matches!(text("type"), "email" | "magiclink" | "signup") {
            return Err(ApiError::validation_failed("Verify requires a verification type"));
        }
        if text("token_hash").is_empty() {
            return Err(ApiError::validation_failed("Verify requires a token or a token hash"));
        }
        let now = self.base.clock.now();
        let mut book = self.book();
        let user = book.follow(text("token_hash"), now)?;
        Ok((StatusCode::OK, Some(book.begin(user, "otp", &self.issuer, now))))
    }

    fn logout(&self, call: &Call) -> Outcome {
        let claims = self.claims(call)?;
        let everywhere = match call.param("scope") {
            None | Some("global") => true,
            Some("local") => false,
            Some(other) => {
                return Err(ApiError::validation_failed(&format!("Unsupported logout scope \"{other}\"")));
            }
        };
        if !self.book().has_session(&claims) {
            return Err(ApiError::session_not_found());
        }
        self.book().sign_out(&claims, everywhere);
        Ok((StatusCode::NO_CONTENT, None))
    }

    fn user(&self, call: &Call) -> Outcome {
        let claims = self.claims(call)?;
        let id = claims["sub"].as_str().and_then(|id| id.parse().ok()).unwrap_or_default();
        let user = self.book().user(id);
        user.map(|user| (StatusCode::OK, Some(user))).ok_or_else(ApiError::bad_jwt)
    }

    /// The claims of the caller's own token.
    fn claims(&self, call: &Call) -> Result<Value, ApiError> {
        let token = call.bearer().ok_or_else(ApiError::no_authorization)?;
        let claims = {
            let book: &Book = &self.book();
            book.keys.iter().find_map(|key| key.open(token))
        };
        claims
            .filter(|claims| claims["exp"].as_i64().is_some_and(|exp| exp > self.base.clock.now_unix()))
            .ok_or_else(ApiError::bad_jwt)
    }
}

fn credentials(body: &Value) -> Result<(String, String), ApiError> {
    let text = |name: &str| body[name].as_str().unwrap_or_default();
    let (email, password) = (text("email").trim().to_lowercase(), text("password").to_owned());
    if password.is_empty() {
        return Err(ApiError::validation_failed("Signup requires a valid password"));
    }
    let sound = email.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'));
    if !sound {
        return Err(ApiError::validation_failed("Unable to validate email address: invalid format"));
    }
    Ok((email, password))
}
