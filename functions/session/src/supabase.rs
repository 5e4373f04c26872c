//! The calls to Supabase Auth, and what its refusals mean here.

use std::net::IpAddr;
use std::time::Duration;

use lambda_http::http::StatusCode;
use reqwest::RequestBuilder;
use serde::Deserialize;
use serde_json::{Value, json};
use shared::config::{self, ConfigError, Secret};
use shared::error::{Error, FieldError};

/// How long a call may take. Sending a mail is part of some.
const TIMEOUT: Duration = Duration::from_secs(8);

/// How long somebody waits whom Supabase itself calls too eager; it does not say how long.
const TOO_EAGER: Duration = Duration::from_secs(60);

/// Supabase Auth of one project.
#[derive(Debug)]
pub struct Supabase {
    http: reqwest::Client,
    base: String,
    key: String,
    /// With it Supabase believes us whom it serves.
    secret_key: Option<Secret>,
}

/// The header in which Supabase is told whom it serves. It believes it beside a secret key only, and where the project has
/// switched it on (Authentication, Rate Limits, IP address forwarding).
const FORWARDED_FOR: &str = "sb-forwarded-for";

/// What a successful sign-in brings.
#[derive(Debug)]
pub struct Grant {
    /// Says who it is, for an hour.
    pub access_token: Secret,
    /// Buys the next pair, once.
    pub refresh_token: Secret,
    /// The life of the access token, in seconds.
    pub expires_in: i64,
}

#[derive(Deserialize)]
struct GrantAnswer {
    access_token: String,
    refresh_token: String,
    expires_in: i64,
}

/// What came of a sign-up.
#[derive(Debug)]
pub enum SignedUp {
    /// The project wants no confirmation.
    Entered(Grant),
    /// A mail is on its way, by which the address is confirmed.
    Unconfirmed,
    /// The address has an account, and Supabase has done nothing.
    Known,
}

/// A refusal, in Supabase's words.
#[derive(Debug, Default, Deserialize)]
struct Refused {
    #[serde(default)]
    error_code: String,
    #[serde(default)]
    msg: String,
    #[serde(default)]
    message: String,
}

impl Supabase {
    /// Reads `SUPABASE_URL`, `SUPABASE_PUBLISHABLE_KEY` and, if it is set, `SUPABASE_SECRET_KEY`.
    pub fn from_env(http: reqwest::Client) -> Result<Self, ConfigError> {
        let secret_key = config::optional("SUPABASE_SECRET_KEY").map(Secret::new);
        if secret_key.as_ref().is_some_and(|key| !key.expose().starts_with("sb_secret_")) {
            // The legacy service_role key may do as much, but Supabase believes no address beside it.
            let why = "must begin with sb_secret_".into();
            return Err(ConfigError::Invalid { name: "SUPABASE_SECRET_KEY", why });
        }
        let url = config::url("SUPABASE_URL")?;
        Ok(Self::new(http, &url, &config::required("SUPABASE_PUBLISHABLE_KEY")?, secret_key))
    }

    pub fn new(http: reqwest::Client, url: &str, key: &str, secret_key: Option<Secret>) -> Self {
        Self { http, base: format!("{}/auth/v1", url.trim_end_matches('/')), key: key.to_owned(), secret_key }
    }

    /// Whether Supabase counts each visitor by their own address, and not all of them by ours.
    pub fn tells_whom_it_serves(&self) -> bool {
        self.secret_key.is_some()
    }

    /// Signs in with a password.
    ///
    /// # Errors
    /// [`Error::WrongCredentials`], or Supabase does not answer.
    pub async fn sign_in(&self, email: &str, password: &str, visitor: &str) -> Result<Grant, Error> {
        let body = json!({ "email": email, "password": password });
        grant(self.call("/token?grant_type=password", &body, visitor).await?)
    }

    /// Swaps a refresh token for the next pair.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when it is used up or its session has ended.
    pub async fn refresh(&self, token: &str, visitor: &str) -> Result<Grant, Error> {
        grant(self.call("/token?grant_type=refresh_token", &json!({ "refresh_token": token }), visitor).await?)
    }

    /// Opens an account.
    ///
    /// # Errors
    /// The password is too weak, the address no address, accounts are not opened here, or Supabase does not answer.
    pub async fn sign_up(&self, email: &str, password: &str, visitor: &str) -> Result<SignedUp, Error> {
        let body = json!({ "email": email, "password": password });
        let answer = self.send(self.post("/signup", visitor).json(&body)).await?;
        match answer {
            Ok(body) if body["access_token"].is_string() => grant(body).map(SignedUp::Entered),
            // Where addresses are confirmed, an account that is there already is answered as if it were new, by a user that is
            // nobody: only that it has no identity tells. Who has yet to confirm has one, and gets the mail once more.
            Ok(body) if body["identities"].as_array().is_some_and(Vec::is_empty) => Ok(SignedUp::Known),
            Ok(_) => Ok(SignedUp::Unconfirmed),
            Err(refused) if matches!(refused.code(), "user_already_exists" | "email_exists") => Ok(SignedUp::Known),
            // It was asked for a moment ago: the mail of that time is on its way.
            Err(refused) if refused.code() == "over_email_send_rate_limit" => Ok(SignedUp::Unconfirmed),
            Err(refused) => Err(refused.into_error()),
        }
    }

    /// Has a link sent, to somebody who has an account. Who has none gets none, and nobody learns of it.
    ///
    /// # Errors
    /// Supabase does not answer, or refuses everybody.
    pub async fn send_link(&self, email: &str, visitor: &str) -> Result<(), Error> {
        let body = json!({ "email": email, "create_user": false });
        let answer = self.send(self.post("/otp", visitor).json(&body)).await?;
        match answer {
            Ok(_) => Ok(()),
            Err(refused)
                if matches!(
                    refused.code(),
                    "otp_disabled" | "signup_disabled" | "user_not_found" | "over_email_send_rate_limit"
                ) =>
            {
                Ok(())
            }
            Err(refused) => Err(refused.into_error()),
        }
    }

    /// Follows the link of a mail. The type `email` covers both confirmations and magic links.
    ///
    /// # Errors
    /// [`Error::LinkExpired`] when it was used before or is too old.
    pub async fn follow(&self, token_hash: &str, visitor: &str) -> Result<Grant, Error> {
        grant(self.call("/verify", &json!({ "type": "email", "token_hash": token_hash }), visitor).await?)
    }

    /// Ends the session that an access token belongs to, and no other of the same person.
    ///
    /// # Errors
    /// Supabase does not answer or does not know it.
    pub async fn sign_out(&self, access_token: &str, visitor: &str) -> Result<(), Error> {
        let answer = self.send(self.post("/logout?scope=local", visitor).bearer_auth(access_token)).await?;
        answer.map(drop).map_err(Refused::into_error)
    }

    /// A call on behalf of the visitor at this address.
    fn post(&self, path: &str, visitor: &str) -> RequestBuilder {
        let request = self.http.post(format!("{}{path}", self.base)).timeout(TIMEOUT);
        match (&self.secret_key, visitor.parse::<IpAddr>()) {
            (Some(key), Ok(address)) => {
                request.header("apikey", key.expose()).header(FORWARDED_FOR, address.to_string())
            }
            _ => request.header("apikey", &self.key),
        }
    }

    async fn call(&self, path: &str, body: &Value, visitor: &str) -> Result<Value, Error> {
        self.send(self.post(path, visitor).json(body)).await?.map_err(Refused::into_error)
    }

    /// Sends a request: its answer, or its refusal. A failure of Supabase is an error.
    async fn send(&self, request: RequestBuilder) -> Result<Result<Value, Refused>, Error> {
        let unavailable = |error: reqwest::Error| Error::SignInUnavailable(error.without_url().to_string());
        let answer = request.send().await.map_err(unavailable)?;
        let status = answer.status();
        let bytes = answer.bytes().await.map_err(unavailable)?;
        if status.is_success() {
            // A sign-out answers nothing at all.
            return Ok(Ok(serde_json::from_slice(&bytes).unwrap_or_default()));
        }
        let refused: Refused = serde_json::from_slice(&bytes).unwrap_or_default();
        if status.is_server_error() {
            return Err(Error::SignInUnavailable(format!("{status} {}", refused.code())));
        }
        if status == StatusCode::UNAUTHORIZED && refused.error_code.is_empty() {
            return Err(Error::Internal(format!("the key of Supabase is refused: {}", refused.message)));
        }
        if status == StatusCode::TOO_MANY_REQUESTS && refused.error_code.is_empty() {
            return Err(Error::TooManyRequests { retry_after: TOO_EAGER });
        }
        Ok(Err(refused))
    }
}

fn grant(body: Value) -> Result<Grant, Error> {
    let answer: GrantAnswer = serde_json::from_value(body)
        .map_err(|_| Error::SignInUnavailable("the answer has no tokens, or is no answer".into()))?;
    Ok(Grant {
        access_token: Secret::new(answer.access_token),
        refresh_token: Secret::new(answer.refresh_token),
        expires_in: answer.expires_in,
    })
}

impl Refused {
    fn code(&self) -> &str {
        &self.error_code
    }

    fn into_error(self) -> Error {
        let field = |pointer: &str, detail: &str| Error::Invalid(vec![FieldError::new(pointer, detail)]);
        match self.code() {
            // Whose address is not confirmed learns no more than whose password is wrong: a link by mail helps both.
            "invalid_credentials" | "email_not_confirmed" | "user_not_found" => Error::WrongCredentials,
            "otp_expired" | "bad_code_verifier" => Error::LinkExpired,
            "refresh_token_not_found"
            | "refresh_token_already_used"
            | "session_not_found"
            | "session_expired"
            | "bad_jwt"
            | "no_authorization" => Error::Unauthenticated("the session is over"),
            "user_banned" => Error::Forbidden("this account is closed"),
            "signup_disabled" | "email_provider_disabled" => Error::Forbidden("no account is opened here"),
            "over_request_rate_limit" | "over_email_send_rate_limit" => {
                Error::TooManyRequests { retry_after: TOO_EAGER }
            }
            // Its sentence says what the project asks for.
            "weak_password" => field("#/password", &self.msg),
            "validation_failed" | "email_address_invalid" => field("#/email", &self.msg),
            // The address is right, and the project's own sender writes to its team only: nothing that a visitor could mend.
            "email_address_not_authorized" => Error::SignInUnavailable(
                "Supabase sends by its built-in mailer, to the project's team only: give it an SMTP server (docs/deploy.md, step 8)"
                    .to_owned(),
            ),
            code => Error::Internal(format!("Supabase Auth refuses with {code:?}")),
        }
    }
}
