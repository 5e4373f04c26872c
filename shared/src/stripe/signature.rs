//! Who may say that it is Stripe: the signature of webhooks, and the form of the secrets behind it.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use ring::hmac;
use thiserror::Error;

use crate::config::{self, ConfigError, Secret};

/// How old a webhook's signature may be, as in Stripe's own libraries
/// (<https://docs.stripe.com/webhooks#replay-attacks>).
const SIGNATURE_TOLERANCE_SECONDS: i64 = 300;

/// Why a webhook is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SignatureError {
    /// The header is missing or not of Stripe's form.
    #[error("the signature header is missing or malformed")]
    Malformed,
    /// The time stamp is too far from now.
    #[error("the signature is too old or from the future")]
    OutsideTolerance,
    /// No signature fits any of our secrets.
    #[error("no signature fits")]
    NoMatch,
}

/// Verifies the header `Stripe-Signature` over the raw bytes of a webhook.
///
/// Accepts any `v1` signature under any of `secrets`: both sides send or keep two while a secret is
/// rotated (<https://docs.stripe.com/webhooks#verify-manually>). Compares in constant time.
///
/// # Errors
/// [`SignatureError`]; the caller answers the same for each.
pub fn verify(payload: &[u8], header: &str, secrets: &[Secret], now: Timestamp) -> Result<(), SignatureError> {
    let mut time = None;
    let mut signatures = Vec::new();
    for part in header.split(',') {
        match part.trim().split_once('=') {
            Some(("t", value)) => time = value.parse::<i64>().ok(),
            Some(("v1", value)) => signatures.extend(hex::decode(value)),
            _ => {}
        }
    }
    let time = time.ok_or(SignatureError::Malformed)?;
    if signatures.is_empty() {
        return Err(SignatureError::Malformed);
    }
    if now.as_second().saturating_sub(time).unsigned_abs() > SIGNATURE_TOLERANCE_SECONDS.unsigned_abs() {
        return Err(SignatureError::OutsideTolerance);
    }
    let signed = [time.to_string().as_bytes(), b".", payload].concat();
    let fits = secrets.iter().any(|secret| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
        signatures.iter().any(|signature| hmac::verify(&key, &signed, signature).is_ok())
    });
    if fits { Ok(()) } else { Err(SignatureError::NoMatch) }
}

/// The header by which `make doctor` says that it is the one who sends what is not signed, to see that it is refused.
///
/// Signed over [`PROBE`] by one of our secrets, as an event is. No event, so that nothing can be made of it.
pub const PROBE_HEADER: &str = "x-inkflow-probe";

/// What that header is signed over.
pub const PROBE: &str = "inkflow.doctor.probe";

/// Whether that header was signed by one of our secrets, and just now.
pub fn is_probe(header: &str, secrets: &[Secret], now: Timestamp) -> bool {
    verify(PROBE.as_bytes(), header, secrets, now).is_ok()
}

/// Whether a text is of the form of Stripe's secret or restricted keys.
pub fn is_secret_key(text: &str) -> bool {
    let rest = ["sk_test_", "sk_live_", "rk_test_", "rk_live_"].iter().find_map(|prefix| text.strip_prefix(prefix));
    rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'))
}

/// What `STRIPE_WEBHOOK_SECRETS` says as long as Stripe has no endpoint of ours: then no event is believed. An empty value
/// would be a setting that was forgotten, and SSM keeps none.
pub const NO_WEBHOOK_SECRET: &str = "none";

/// How many characters follow `whsec_` at least. Stripe's dashboard makes 32, its command line tool 64.
const WEBHOOK_SECRET_LETTERS: usize = 24;

/// How many of them differ at least: fewer are somebody's `xxxxxxxx`.
const WEBHOOK_SECRET_VARIETY: usize = 8;

/// Why `STRIPE_WEBHOOK_SECRETS` is not taken. What it says is in none of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum WebhookSecretsError {
    /// One is no secret of Stripe: a word that stands for one, or a part of it. Whoever knows it could confirm bookings unpaid.
    #[error(
        "each is whsec_ and {WEBHOOK_SECRET_LETTERS} letters and digits or more, whole, as Stripe shows it; \"{NO_WEBHOOK_SECRET}\" \
         alone while there is no endpoint"
    )]
    NotOne,
    /// There are more than a rotation needs.
    #[error("there are two at most, the new one and the old one while it is rotated")]
    TooMany,
}

/// The secrets of `STRIPE_WEBHOOK_SECRETS`: one, two while it is rotated, or none.
///
/// # Errors
/// It is not set, or [`WebhookSecretsError`].
pub fn webhook_secrets() -> Result<Arc<[Secret]>, ConfigError> {
    let text = config::required("STRIPE_WEBHOOK_SECRETS")?;
    parse_webhook_secrets(&text)
        .map(Into::into)
        .map_err(|why| ConfigError::Invalid { name: "STRIPE_WEBHOOK_SECRETS", why: why.to_string() })
}

/// Reads secrets, comma separated, or [`NO_WEBHOOK_SECRET`].
///
/// # Errors
/// [`WebhookSecretsError`].
pub fn parse_webhook_secrets(text: &str) -> Result<Vec<Secret>, WebhookSecretsError> {
    if text.trim() == NO_WEBHOOK_SECRET {
        return Ok(Vec::new());
    }
    let secrets: Vec<&str> = text.split(',').map(str::trim).collect();
    if secrets.len() > 2 {
        return Err(WebhookSecretsError::TooMany);
    }
    if !secrets.iter().all(|secret| is_webhook_secret(secret)) {
        return Err(WebhookSecretsError::NotOne);
    }
    Ok(secrets.into_iter().map(|secret| Secret::new(secret.to_owned())).collect())
}

fn is_webhook_secret(text: &str) -> bool {
    text.strip_prefix("whsec_").is_some_and(|rest| {
        let different: BTreeSet<u8> = rest.bytes().collect();
        rest.len() >= WEBHOOK_SECRET_LETTERS
            && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && different.len() >= WEBHOOK_SECRET_VARIETY
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"{"id":"evt_1"}"#;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("in range")
    }

    fn sign(secret: &str, time: i64, body: &[u8]) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let tag = hmac::sign(&key, &[time.to_string().as_bytes(), b".", body].concat());
        hex::encode(tag)
    }

    fn secrets(names: &[&str]) -> Vec<Secret> {
        names.iter().map(|name| Secret::new((*name).to_owned())).collect()
    }

    #[test]
    fn either_secret_is_accepted_while_one_is_rotated() {
        let header = format!(
            "t=1000,v1={},v1={}",
            sign("whsec_Old1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p", 1000, BODY),
            sign("whsec_New9z8Y7x6W5v4U3t2S1r0Q9p8O7n6M5", 1000, BODY)
        );
        for secret in ["whsec_Old1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p", "whsec_New9z8Y7x6W5v4U3t2S1r0Q9p8O7n6M5"] {
            assert_eq!(verify(BODY, &header, &secrets(&[secret]), at(1000)), Ok(()));
        }
        let one = format!("t=1000,v1={}", sign("whsec_Old1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p", 1000, BODY));
        assert_eq!(
            verify(
                BODY,
                &one,
                &secrets(&["whsec_New9z8Y7x6W5v4U3t2S1r0Q9p8O7n6M5", "whsec_Old1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p"]),
                at(1000)
            ),
            Ok(())
        );
    }

    #[test]
    fn a_key_is_whole() {
        for good in ["sk_test_standin", "rk_live_51AbC", "sk_live_4eC39HqLyjWDarjtT1zdp7dc"] {
            assert!(is_secret_key(good), "{good}");
        }
        for wrong in
            ["", "sk_test_", "sk_test_…", "sk_test_<key>", "pk_test_51AbC", "sk_51AbC", "whsec_51AbC", "sk_test_5 1"]
        {
            assert!(!is_secret_key(wrong), "{wrong}");
        }
    }

    #[test]
    fn a_webhook_secret_is_whole_or_there_is_none() {
        let (dashboard, cli) =
            ("whsec_w3Kd9TzQ5bXn7RmV2cLs8YpH4gJf6AuE", format!("whsec_{}", "0123456789abcdef".repeat(4)));
        let read = |text: &str| {
            parse_webhook_secrets(text)
                .map(|secrets| secrets.iter().map(|one| one.expose().to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(read(dashboard), Ok(vec![dashboard.to_owned()]));
        assert_eq!(read(&format!(" {cli} ,{dashboard}")), Ok(vec![cli.clone(), dashboard.to_owned()]));
        assert_eq!(read(" none\n"), Ok(Vec::new()));
        let cut = &dashboard[..29];
        let some_words = [
            "",
            ",",
            "whsec_",
            "whsec_later",
            "whsec_<secret>",
            "whsec_…",
            "None",
            "none,none",
            "whsec_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            "w3Kd9TzQ5bXn7RmV2cLs8YpH4gJf6AuE",
            "sk_test_w3Kd9TzQ5bXn7RmV2cLs8YpH4gJf6AuE",
            "whsec_w3Kd9TzQ5bXn7RmV2cLs8YpH4gJf6Au!",
            cut,
        ];
        for wrong in some_words {
            assert_eq!(read(wrong), Err(WebhookSecretsError::NotOne), "{wrong}");
            assert!(read(&format!("{dashboard},{wrong}")).is_err(), "beside a good one: {wrong}");
        }
        assert_eq!(read(&format!("{dashboard},{cli},{dashboard}")), Err(WebhookSecretsError::TooMany));
    }

    #[test]
    fn without_a_secret_no_signature_fits() {
        let header = format!("t=1000,v1={}", sign("", 1000, BODY));
        assert_eq!(verify(BODY, &header, &[], at(1000)), Err(SignatureError::NoMatch));
    }

    #[test]
    fn the_tolerance_is_five_minutes_both_ways() {
        let header = format!("t=1000,v1={}", sign("whsec_One1b2C3d4E5f6G7h8I9j0K1l2M3n4O5", 1000, BODY));
        assert_eq!(verify(BODY, &header, &secrets(&["whsec_One1b2C3d4E5f6G7h8I9j0K1l2M3n4O5"]), at(1300)), Ok(()));
        for now in [1301, 699] {
            assert_eq!(
                verify(BODY, &header, &secrets(&["whsec_One1b2C3d4E5f6G7h8I9j0K1l2M3n4O5"]), at(now)),
                Err(SignatureError::OutsideTolerance)
            );
        }
    }

    #[test]
    fn an_altered_body_time_or_signature_is_refused() {
        let secret = secrets(&["whsec_One1b2C3d4E5f6G7h8I9j0K1l2M3n4O5"]);
        let good = sign("whsec_One1b2C3d4E5f6G7h8I9j0K1l2M3n4O5", 1000, BODY);
        assert_eq!(verify(b"{}", &format!("t=1000,v1={good}"), &secret, at(1000)), Err(SignatureError::NoMatch));
        assert_eq!(verify(BODY, &format!("t=1001,v1={good}"), &secret, at(1000)), Err(SignatureError::NoMatch));
        assert_eq!(verify(BODY, &format!("t=1000,v0={good}"), &secret, at(1000)), Err(SignatureError::Malformed));
        for nonsense in ["", "t=,v1=", "v1=aa", "t=1000", "t=1000,v1=zz", "t=1000,v1=é", "t=99999999999999999999,v1=aa"]
        {
            assert_eq!(verify(BODY, nonsense, &secret, at(1000)), Err(SignatureError::Malformed), "{nonsense}");
        }
        assert_eq!(
            verify(BODY, &format!("t={},v1={good}", i64::MIN), &secret, at(1000)),
            Err(SignatureError::OutsideTolerance)
        );
    }

    #[test]
    fn a_probe_is_known_by_a_secret_of_ours_and_is_no_signature_of_an_event() {
        let ours = secrets(&["whsec_1", "whsec_2"]);
        let by = |secret: &str, time: i64| format!("t={time},v1={}", sign(secret, time, PROBE.as_bytes()));
        assert!(is_probe(&by("whsec_1", 1000), &ours, at(1000)));
        for header in [
            by("whsec_3", 1000),
            by("whsec_1", 600),
            format!("t=1000,v1={}", sign("whsec_1", 1000, BODY)),
            String::new(),
        ] {
            assert!(!is_probe(&header, &ours, at(1000)), "{header}");
        }
        assert_eq!(verify(BODY, &by("whsec_1", 1000), &ours, at(1000)), Err(SignatureError::NoMatch));
    }
}
