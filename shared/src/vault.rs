//! Seals the artists' Cal.com keys: AES-256-GCM, bound to the artist they belong to.
//! The database alone reveals none of them, and a sealed value moved to another row does not open.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use uuid::Uuid;

use crate::config::Secret;

/// Opens and seals secrets with the key of this deployment.
#[derive(Debug)]
pub struct Vault {
    key: LessSafeKey,
}

/// Why a secret could not be sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// `ENCRYPTION_KEY` is not 32 bytes of base64.
    #[error("ENCRYPTION_KEY must be 32 bytes in base64 (openssl rand -base64 32)")]
    BadKey,
    /// The value was sealed with another key, for another owner, or was altered.
    #[error("the sealed value does not open with this key")]
    DoesNotOpen,
}

impl Vault {
    /// A vault with the key of `ENCRYPTION_KEY`: 32 bytes in base64.
    ///
    /// # Errors
    /// [`VaultError::BadKey`] when it is not that.
    pub fn new(key: &Secret) -> Result<Self, VaultError> {
        let bytes = BASE64_STANDARD.decode(key.expose().trim()).map_err(|_| VaultError::BadKey)?;
        let key = UnboundKey::new(&AES_256_GCM, &bytes).map_err(|_| VaultError::BadKey)?;
        Ok(Self { key: LessSafeKey::new(key) })
    }

    /// Seals `secret` for `owner`: nonce, ciphertext, tag.
    ///
    /// # Errors
    /// The system has no randomness to give.
    pub fn seal(&self, owner: Uuid, secret: &str) -> Result<Vec<u8>, VaultError> {
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).map_err(|_| VaultError::DoesNotOpen)?;
        let mut sealed = secret.as_bytes().to_vec();
        self.key
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(owner.as_bytes()), &mut sealed)
            .map_err(|_| VaultError::DoesNotOpen)?;
        Ok([&nonce[..], &sealed].concat())
    }

    /// Opens what [`Self::seal`] made for the same owner.
    ///
    /// # Errors
    /// [`VaultError::DoesNotOpen`].
    pub fn open(&self, owner: Uuid, sealed: &[u8]) -> Result<Secret, VaultError> {
        let (nonce, body) = sealed.split_at_checked(NONCE_LEN).ok_or(VaultError::DoesNotOpen)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| VaultError::DoesNotOpen)?;
        let mut body = body.to_vec();
        let opened = self
            .key
            .open_in_place(nonce, Aad::from(owner.as_bytes()), &mut body)
            .map_err(|_| VaultError::DoesNotOpen)?;
        String::from_utf8(opened.to_vec()).map(Secret::new).map_err(|_| VaultError::DoesNotOpen)
    }
}

/// A new secret for others to sign with: 32 random bytes in hexadecimal.
///
/// # Errors
/// The system has no randomness to give.
pub fn random_secret() -> Result<Secret, VaultError> {
    use std::fmt::Write as _;
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).map_err(|_| VaultError::DoesNotOpen)?;
    Ok(Secret::new(bytes.iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vault() -> Vault {
        Vault::new(&Secret::new(BASE64_STANDARD.encode([7; 32]))).expect("32 bytes")
    }

    #[test]
    fn a_sealed_key_opens_for_its_owner_only() {
        let (owner, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let sealed = vault().seal(owner, "cal_test_1").expect("randomness");
        assert_eq!(vault().open(owner, &sealed).expect("same owner").expose(), "cal_test_1");
        assert_eq!(vault().open(other, &sealed), Err(VaultError::DoesNotOpen));
    }

    #[test]
    fn an_altered_or_short_value_is_refused() {
        let owner = Uuid::from_u128(1);
        let mut sealed = vault().seal(owner, "cal_test_1").expect("randomness");
        *sealed.last_mut().expect("not empty") ^= 1;
        assert_eq!(vault().open(owner, &sealed), Err(VaultError::DoesNotOpen));
        assert_eq!(vault().open(owner, b"short"), Err(VaultError::DoesNotOpen));
        assert!(Vault::new(&Secret::new("c2hvcnQ=".into())).is_err());
    }
}
