//! What the project knows: accounts, sessions with their rotating refresh tokens, links in mails that work once.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64_URL;
use jiff::{SignedDuration, Timestamp};
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::error::ApiError;
use super::keys::Key;
use crate::machine::hex;
use crate::stand_in::alphanumeric;

/// How long an access token lives; a project's default.
pub(super) const TOKEN_SECONDS: i64 = 3600;

/// How long a link in a mail works.
const LINK: SignedDuration = SignedDuration::from_hours(1);

/// How long a refresh token may be used twice, for two tabs that do it at once.
const REUSE: SignedDuration = SignedDuration::from_secs(10);

/// How soon another mail may be asked for.
const MAIL_PAUSE: SignedDuration = SignedDuration::from_secs(60);

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Account {
    /// The subject of its tokens.
    pub id: Uuid,
    /// Its address, in lower case.
    pub email: String,
    /// The hash of its password; none for one that only ever used links.
    password: Option<String>,
    /// When its address was confirmed.
    pub confirmed_at: Option<Timestamp>,
    created_at: Timestamp,
    last_sign_in_at: Option<Timestamp>,
    mailed_at: Option<Timestamp>,
}

impl Account {
    pub(super) fn new(id: Uuid, email: &str, password: Option<&str>, now: Timestamp) -> Self {
        let password = password.map(|password| hashed(id, password));
        Self {
            id,
            email: email.to_lowercase(),
            password,
            confirmed_at: None,
            created_at: now,
            last_sign_in_at: None,
            mailed_at: None,
        }
    }

    pub(super) fn confirmed(mut self, now: Timestamp) -> Self {
        self.confirmed_at = Some(now);
        self
    }

    fn object(&self) -> Value {
        let (id, email) = (self.id.to_string(), self.email.as_str());
        let verified = self.confirmed_at.is_some();
        let mut object = json!({
            "id": id, "aud": "authenticated", "role": "authenticated", "email": email, "phone": "",
            "app_metadata": { "provider": "email", "providers": ["email"] },
            "user_metadata": { "sub": id, "email": email, "email_verified": verified, "phone_verified": false },
            "identities": [self.identity()], "created_at": self.created_at, "updated_at": self.created_at,
            "is_anonymous": false,
        });
        // What has not been yet is left out.
        for (name, at) in [
            ("email_confirmed_at", self.confirmed_at),
            ("confirmed_at", self.confirmed_at),
            ("confirmation_sent_at", self.mailed_at),
            ("last_sign_in_at", self.last_sign_in_at),
        ] {
            if let Some(at) = at {
                object[name] = json!(at);
            }
        }
        object
    }

    fn identity(&self) -> Value {
        let id = self.id.to_string();
        let data = json!({ "sub": id, "email": self.email, "email_verified": false, "phone_verified": false });
        json!({
            "identity_id": id, "id": id, "user_id": id, "identity_data": data, "provider": "email",
            "last_sign_in_at": self.created_at, "created_at": self.created_at, "updated_at": self.created_at,
            "email": self.email,
        })
    }

    /// What a sign-up is answered whose address is somebody's already, where addresses are confirmed: a user of an id by chance,
    /// made and mailed just now, and nothing of the one who is there. It looks new but for this: it has no identity and no role.
    ///
    /// As `sanitizeUser` in Supabase Auth's `internal/api/signup.go`.
    pub(super) fn nobody(email: &str, now: Timestamp) -> Value {
        json!({
            "id": Uuid::now_v7(), "aud": "authenticated", "role": "", "email": email, "phone": "",
            "confirmation_sent_at": now, "app_metadata": { "provider": "email", "providers": ["email"] },
            "user_metadata": {}, "identities": [], "created_at": now, "updated_at": now, "is_anonymous": false,
        })
    }
}

// Passwords of a stand-in: no slow hash, so that a test of many sign-ins does not wait for one.
fn hashed(salt: Uuid, password: &str) -> String {
    hex(digest(&SHA256, &[salt.as_bytes(), password.as_bytes()].concat()).as_ref())
}

#[derive(Clone, Serialize, Deserialize)]
struct Refresh {
    token: String,
    parent: Option<String>,
    session: Uuid,
    user: Uuid,
    revoked_at: Option<Timestamp>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Link {
    token_hash: String,
    user: Uuid,
    sent_at: Timestamp,
}

/// All of it, as it is kept across restarts.
#[derive(Clone, Serialize, Deserialize)]
pub struct Book {
    /// The newest signs.
    pub(super) keys: Vec<Key>,
    pub(super) accounts: Vec<Account>,
    refreshes: Vec<Refresh>,
    links: Vec<Link>,
    #[serde(default)]
    counter: u64,
    /// The project gives the older kind of refresh tokens.
    #[serde(default)]
    pub(super) older_tokens: bool,
}

impl Book {
    pub(super) fn new() -> Self {
        Self {
            keys: vec![Key::generate()],
            accounts: Vec::new(),
            refreshes: Vec::new(),
            links: Vec::new(),
            counter: 0,
            older_tokens: false,
        }
    }

    pub(super) fn key(&self) -> &Key {
        self.keys.last().expect("a project has a key")
    }

    pub(super) fn account(&self, email: &str) -> Option<&Account> {
        let email = email.to_lowercase();
        self.accounts.iter().find(|account| account.email == email)
    }

    pub(super) fn by_id(&self, id: Uuid) -> Option<&Account> {
        self.accounts.iter().find(|account| account.id == id)
    }

    fn by_id_mut(&mut self, id: Uuid) -> Option<&mut Account> {
        self.accounts.iter_mut().find(|account| account.id == id)
    }

    /// Forgets everything but the keys.
    pub(super) fn clear(&mut self) {
        self.accounts.clear();
        self.refreshes.clear();
        self.links.clear();
    }

    /// Signs in with a password.
    pub(super) fn sign_in(&self, email: &str, password: &str) -> Result<Uuid, ApiError> {
        let account = self.account(email).ok_or_else(ApiError::invalid_credentials)?;
        if account.password.as_deref() != Some(hashed(account.id, password).as_str()) {
            return Err(ApiError::invalid_credentials());
        }
        if account.confirmed_at.is_none() {
            return Err(ApiError::bad_request("email_not_confirmed", "Email not confirmed"));
        }
        Ok(account.id)
    }

    /// The start of a session: what a successful sign-in answers.
    pub(super) fn begin(&mut self, user: Uuid, method: &str, issuer: &str, now: Timestamp) -> Value {
        if let Some(account) = self.by_id_mut(user) {
            account.last_sign_in_at = Some(now);
        }
        let session = Uuid::now_v7();
        let refresh = Refresh { token: self.refresh_token(session), parent: None, session, user, revoked_at: None };
        self.refreshes.push(refresh.clone());
        self.answer(&refresh, method, issuer, now)
    }

    /// A refresh token: letters and digits, or in projects that have moved on a message that names its session, with a
    /// signature and a checksum. Only what is in the book is good, so the signature is by chance.
    fn refresh_token(&mut self, session: Uuid) -> String {
        if self.older_tokens {
            return alphanumeric(12).to_lowercase();
        }
        self.counter += 1;
        let counter = u8::try_from(self.counter % 128).unwrap_or_default();
        let signature = digest(&SHA256, alphanumeric(32).as_bytes());
        let message = [&[0][..], session.as_bytes(), &[counter], &signature.as_ref()[..16]].concat();
        let checksum = digest(&SHA256, &message);
        BASE64_URL.encode([&message[..], &checksum.as_ref()[..4]].concat())
    }

    /// Whether a text can be a refresh token at all, as the real one looks before it looks into its tables.
    fn is_refresh_token(text: &str) -> bool {
        if text.len() == 12 {
            return text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        }
        let Ok(bytes) = BASE64_URL.decode(text) else { return false };
        let Some((message, checksum)) = bytes.len().checked_sub(4).map(|at| bytes.split_at(at)) else { return false };
        (34..=42).contains(&message.len()) && message[0] == 0 && digest(&SHA256, message).as_ref()[..4] == *checksum
    }

    /// Whether somebody is signed in by this session still.
    pub(super) fn has_session(&self, claims: &Value) -> bool {
        let session = claims["session_id"].as_str().and_then(|text| text.parse::<Uuid>().ok());
        self.refreshes.iter().any(|refresh| Some(refresh.session) == session)
    }

    /// Swaps a refresh token for the next one.
    pub(super) fn refresh(&mut self, token: &str, issuer: &str, now: Timestamp) -> Result<Value, ApiError> {
        if !Self::is_refresh_token(token) {
            return Err(ApiError::validation_failed("Refresh token is not valid"));
        }
        let Some(found) = self.refreshes.iter().find(|refresh| refresh.token == token).cloned() else {
            return Err(ApiError::bad_request(
                "refresh_token_not_found",
                "Invalid Refresh Token: Refresh Token Not Found",
            ));
        };
        if let Some(revoked_at) = found.revoked_at {
            // The parent of the active one is let in again: an answer was lost. So is any within a few seconds.
            let active = self.refreshes.iter().find(|r| r.session == found.session && r.revoked_at.is_none()).cloned();
            return match active {
                Some(active) if active.parent.as_deref() == Some(token) || now.duration_since(revoked_at) <= REUSE => {
                    Ok(self.answer(&active, "token_refresh", issuer, now))
                }
                _ => {
                    self.end_session(found.session);
                    Err(ApiError::bad_request("refresh_token_already_used", "Invalid Refresh Token: Already Used"))
                }
            };
        }
        for refresh in self.refreshes.iter_mut().filter(|refresh| refresh.token == token) {
            refresh.revoked_at = Some(now);
        }
        let next = Refresh { token: self.refresh_token(found.session), parent: Some(token.to_owned()), ..found };
        self.refreshes.push(next.clone());
        Ok(self.answer(&next, "token_refresh", issuer, now))
    }

    fn end_session(&mut self, session: Uuid) {
        self.refreshes.retain(|refresh| refresh.session != session);
    }

    /// Ends the session of these claims, or all of its user.
    pub(super) fn sign_out(&mut self, claims: &Value, everywhere: bool) {
        let uuid = |name: &str| claims[name].as_str().and_then(|text| text.parse::<Uuid>().ok()).unwrap_or_default();
        let (session, user) = (uuid("session_id"), uuid("sub"));
        let sessions: Vec<Uuid> = self
            .refreshes
            .iter()
            .filter(|refresh| refresh.session == session || (everywhere && refresh.user == user))
            .map(|refresh| refresh.session)
            .collect();
        for session in sessions {
            self.end_session(session);
        }
    }

    /// A new account that waits for its address to be confirmed, or the confirmed one where that is not asked for.
    pub(super) fn sign_up(
        &mut self,
        email: &str,
        password: Option<&str>,
        autoconfirm: bool,
        now: Timestamp,
    ) -> Result<Uuid, ApiError> {
        if let Some(account) = self.account(email) {
            let known = account.confirmed_at.is_some();
            return if known && autoconfirm { Err(ApiError::user_already_exists()) } else { Ok(account.id) };
        }
        let account = Account::new(Uuid::now_v7(), email, password, now);
        let id = account.id;
        self.accounts.push(if autoconfirm { account.confirmed(now) } else { account });
        Ok(id)
    }

    /// A link for a mail; refused when one has just been sent.
    pub(super) fn link(&mut self, user: Uuid, now: Timestamp) -> Result<String, ApiError> {
        let Some(account) = self.by_id_mut(user) else { return Err(ApiError::invalid_credentials()) };
        let next = account.mailed_at.and_then(|at| at.checked_add(MAIL_PAUSE).ok()).filter(|next| *next > now);
        if let Some(next) = next {
            return Err(ApiError::mail_too_soon(next.duration_since(now).as_secs().max(1)));
        }
        account.mailed_at = Some(now);
        let token_hash = hex(&digest(&SHA256, alphanumeric(32).as_bytes()).as_ref()[..28]);
        // One link an account: the newest mail is the one that works.
        self.links.retain(|link| link.user != user);
        self.links.push(Link { token_hash: token_hash.clone(), user, sent_at: now });
        Ok(token_hash)
    }

    /// Follows a link: once, and in time.
    pub(super) fn follow(&mut self, token_hash: &str, now: Timestamp) -> Result<Uuid, ApiError> {
        let at = self.links.iter().position(|link| link.token_hash == token_hash);
        let link = at.map(|at| self.links.remove(at)).ok_or_else(ApiError::otp_expired)?;
        if now.duration_since(link.sent_at) > LINK {
            return Err(ApiError::otp_expired());
        }
        if let Some(account) = self.by_id_mut(link.user) {
            account.confirmed_at.get_or_insert(now);
        }
        Ok(link.user)
    }

    /// The claims of an access token, as the real ones have them.
    pub(super) fn claims(user: Uuid, email: &str, issuer: &str, now: Timestamp) -> Value {
        json!({
            "iss": issuer, "sub": user, "aud": "authenticated", "role": "authenticated",
            "iat": now.as_second(), "exp": now.as_second() + TOKEN_SECONDS,
            "email": email, "phone": "", "is_anonymous": false, "aal": "aal1",
            "amr": [{ "method": "password", "timestamp": now.as_second() }], "session_id": Uuid::now_v7(),
            "app_metadata": { "provider": "email", "providers": ["email"] },
            "user_metadata": { "sub": user, "email": email, "email_verified": true, "phone_verified": false },
        })
    }

    fn answer(&self, refresh: &Refresh, method: &str, issuer: &str, now: Timestamp) -> Value {
        let account = self.by_id(refresh.user);
        let email = account.map(|account| account.email.as_str()).unwrap_or_default();
        let mut claims = Self::claims(refresh.user, email, issuer, now);
        claims["session_id"] = json!(refresh.session);
        claims["amr"] = json!([{ "method": method, "timestamp": now.as_second() }]);
        json!({
            "access_token": self.key().sign(&claims), "token_type": "bearer", "expires_in": TOKEN_SECONDS,
            "expires_at": now.as_second() + TOKEN_SECONDS, "refresh_token": refresh.token,
            "user": account.map(Account::object),
        })
    }

    /// The account as `/user` shows it.
    pub(super) fn user(&self, id: Uuid) -> Option<Value> {
        self.by_id(id).map(Account::object)
    }
}
