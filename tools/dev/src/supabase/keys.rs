//! The signing keys of a project: ES256, published as a key set, rotated like the real ones.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64_URL;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, UnparsedPublicKey,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

/// Where the point begins in a P-256 key in DER (RFC 5480).
const SPKI: &str = "3059301306072a8648ce3d020106082a8648ce3d030107034200";

/// A key, as it is kept across restarts.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Key {
    pub(super) kid: String,
    /// PKCS#8, in base64 for URLs.
    private: String,
}

impl Key {
    pub(super) fn generate() -> Self {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)
            .expect("the system has a random source");
        Self { kid: Uuid::now_v7().to_string(), private: BASE64_URL.encode(document) }
    }

    fn pair(&self) -> EcdsaKeyPair {
        let document = BASE64_URL.decode(&self.private).expect("a key of our own");
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &document, &SystemRandom::new())
            .expect("a key of our own")
    }

    /// The public half, as the key set has it.
    pub(super) fn jwk(&self) -> Value {
        let pair = self.pair();
        let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
        json!({
            "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "key_ops": ["verify"], "ext": true,
            "kid": self.kid, "x": BASE64_URL.encode(x), "y": BASE64_URL.encode(y),
        })
    }

    /// The public half as a PEM file: what somebody may try as a secret.
    pub(super) fn pem(&self) -> String {
        let prefix: Vec<u8> =
            (0..SPKI.len()).step_by(2).map(|at| u8::from_str_radix(&SPKI[at..at + 2], 16).expect("hex")).collect();
        let der = [&prefix[..], self.pair().public_key().as_ref()].concat();
        let body = base64::engine::general_purpose::STANDARD.encode(der);
        let lines: Vec<&str> = body.as_bytes().chunks(64).map(|l| std::str::from_utf8(l).expect("base64")).collect();
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"))
    }

    /// A token with these claims.
    pub(super) fn sign(&self, claims: &Value) -> String {
        let header = json!({ "alg": "ES256", "kid": self.kid, "typ": "JWT" });
        token(&header, claims, |message| {
            self.pair().sign(&SystemRandom::new(), message).expect("a sound key").as_ref().to_vec()
        })
    }

    /// The claims of a token that this key has signed.
    pub(super) fn open(&self, token: &str) -> Option<Value> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let header: Value = serde_json::from_slice(&BASE64_URL.decode(header).ok()?).ok()?;
        if header["kid"] != self.kid.as_str() || header["alg"] != "ES256" {
            return None;
        }
        let pair = self.pair();
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, pair.public_key().as_ref())
            .verify(signed.as_bytes(), &BASE64_URL.decode(signature).ok()?)
            .ok()?;
        serde_json::from_slice(&BASE64_URL.decode(claims).ok()?).ok()
    }
}

/// A token of any header and claims, with whatever `sign` makes of its first two parts.
///
/// For tests that forge one.
pub fn token(header: &Value, claims: &Value, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let part = |value: &Value| BASE64_URL.encode(value.to_string());
    let signed = format!("{}.{}", part(header), part(claims));
    let signature = BASE64_URL.encode(sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}

/// A token that is signed with a shared secret, as projects did before they had keys.
pub fn hs256_token(secret: &[u8], claims: &Value) -> String {
    token(&json!({ "alg": "HS256", "typ": "JWT" }), claims, |message| {
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret);
        ring::hmac::sign(&key, message).as_ref().to_vec()
    })
}
