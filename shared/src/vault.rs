//! Seals the artists' Cal.com keys and the secrets of their webhooks: AES-256-GCM, bound to the artist they belong to.
//!
//! The database alone reveals none of them, and a sealed value moved to another row does not open.
//!
//! A sealed value names its key, so that keys can change: version, key id, nonce, ciphertext, tag. What was sealed before
//! there were ids has neither version nor id, and is tried with each key.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::digest;
use ring::rand::{SecureRandom, SystemRandom};
use uuid::Uuid;

use crate::config::Secret;

/// The first byte of a sealed value.
const VERSION: u8 = 1;

/// The bytes of a key's id.
const ID_LEN: usize = 8;

/// Version and key id.
const HEADER_LEN: usize = 1 + ID_LEN;

/// Opens and seals secrets with the keys of this deployment.
#[derive(Debug)]
pub struct Vault {
    /// The one that seals.
    first: Key,
    /// Those that only open, while what they sealed is sealed anew.
    older: Vec<Key>,
}

#[derive(Debug)]
struct Key {
    id: [u8; ID_LEN],
    key: LessSafeKey,
}

/// What a sealed value holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    pub secret: Secret,
    /// Whether the first key has sealed it, and its id is on it: then no other key is needed for it.
    pub is_current: bool,
}

/// Why a secret could not be sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// `ENCRYPTION_KEY` is not 32 bytes of base64, nor several of them.
    #[error(
        "ENCRYPTION_KEY must be 32 bytes in base64; while it is changed two of them, comma separated, the new one first"
    )]
    BadKey,
    /// The value was sealed with another key, for another owner, or was altered.
    #[error("the sealed value does not open with this key")]
    DoesNotOpen,
}

impl Vault {
    /// A vault with the keys of `ENCRYPTION_KEY`: each 32 bytes in base64, comma separated. The first one seals.
    ///
    /// # Errors
    /// [`VaultError::BadKey`] when it is not that.
    pub fn new(keys: &Secret) -> Result<Self, VaultError> {
        let mut keys = keys.expose().split(',').map(Key::read);
        let first = keys.next().ok_or(VaultError::BadKey)??;
        Ok(Self { first, older: keys.collect::<Result<_, _>>()? })
    }

    /// Whether there is another key than the one that seals.
    pub fn is_rotated(&self) -> bool {
        !self.older.is_empty()
    }

    /// Seals `secret` for `owner`, with the first key.
    ///
    /// # Errors
    /// The system has no randomness to give.
    pub fn seal(&self, owner: Uuid, secret: &str) -> Result<Vec<u8>, VaultError> {
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).map_err(|_| VaultError::DoesNotOpen)?;
        let header = self.first.header();
        let mut sealed = secret.as_bytes().to_vec();
        self.first
            .key
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from([&header[..], owner.as_bytes()].concat()),
                &mut sealed,
            )
            .map_err(|_| VaultError::DoesNotOpen)?;
        Ok([&header[..], &nonce[..], &sealed].concat())
    }

    /// Opens what [`Self::seal`] made for the same owner, with whichever key.
    ///
    /// # Errors
    /// [`VaultError::DoesNotOpen`].
    pub fn open(&self, owner: Uuid, sealed: &[u8]) -> Result<Secret, VaultError> {
        self.look(owner, sealed).map(|opened| opened.secret)
    }

    /// The same, and whether an older key was needed.
    ///
    /// # Errors
    /// [`VaultError::DoesNotOpen`].
    pub fn look(&self, owner: Uuid, sealed: &[u8]) -> Result<Opened, VaultError> {
        let keys = || std::iter::once(&self.first).chain(&self.older);
        if let Some((header, body)) = sealed.split_at_checked(HEADER_LEN)
            && let Some(key) = keys().find(|key| key.header() == header)
            && let Some(secret) = key.open(&[header, owner.as_bytes()].concat(), body)
        {
            return Ok(Opened { secret, is_current: key.id == self.first.id });
        }
        // From before there were ids; or a nonce of that time that begins like an id of ours.
        let secret = keys().find_map(|key| key.open(owner.as_bytes(), sealed)).ok_or(VaultError::DoesNotOpen)?;
        Ok(Opened { secret, is_current: false })
    }
}

impl Key {
    fn read(text: &str) -> Result<Self, VaultError> {
        let bytes = BASE64_STANDARD.decode(text.trim()).map_err(|_| VaultError::BadKey)?;
        let key = UnboundKey::new(&AES_256_GCM, &bytes).map_err(|_| VaultError::BadKey)?;
        let digest = digest::digest(&digest::SHA256, &[&b"InkFlow, the id of a key\0"[..], &bytes].concat());
        let mut id = [0; ID_LEN];
        id.copy_from_slice(&digest.as_ref()[..ID_LEN]);
        Ok(Self { id, key: LessSafeKey::new(key) })
    }

    fn header(&self) -> [u8; HEADER_LEN] {
        let mut header = [VERSION; HEADER_LEN];
        header[1..].copy_from_slice(&self.id);
        header
    }

    /// Opens nonce, ciphertext and tag.
    fn open(&self, associated: &[u8], sealed: &[u8]) -> Option<Secret> {
        let (nonce, body) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut body = body.to_vec();
        let opened = self.key.open_in_place(nonce, Aad::from(associated), &mut body).ok()?;
        String::from_utf8(opened.to_vec()).map(Secret::new).ok()
    }
}

/// A new key for [`Vault::new`].
///
/// # Errors
/// The system has no randomness to give.
pub fn random_key() -> Result<Secret, VaultError> {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).map_err(|_| VaultError::DoesNotOpen)?;
    Ok(Secret::new(BASE64_STANDARD.encode(bytes)))
}

/// A new secret for others to sign with: 32 random bytes in hexadecimal.
///
/// # Errors
/// The system has no randomness to give.
pub fn random_secret() -> Result<Secret, VaultError> {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).map_err(|_| VaultError::DoesNotOpen)?;
    Ok(Secret::new(hex::encode(bytes)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(byte: u8) -> String {
        BASE64_STANDARD.encode([byte; 32])
    }

    fn vault(keys: &[u8]) -> Vault {
        let keys: Vec<String> = keys.iter().map(|byte| key(*byte)).collect();
        Vault::new(&Secret::new(keys.join(","))).expect("32 bytes each")
    }

    /// As all was sealed before sealed values named their key.
    fn sealed_without_id(key: u8, owner: Uuid, secret: &str, nonce: [u8; 12]) -> Vec<u8> {
        dev::demo::seal(&self::key(key), owner, secret, &nonce).expect("a key")
    }

    #[test]
    fn a_sealed_key_opens_for_its_owner_only() {
        let (owner, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let sealed = vault(&[7]).seal(owner, "cal_test_1").expect("randomness");
        assert_eq!(vault(&[7]).open(owner, &sealed).expect("same owner").expose(), "cal_test_1");
        assert_eq!(vault(&[7]).open(other, &sealed), Err(VaultError::DoesNotOpen));
    }

    #[test]
    fn an_altered_or_short_value_is_refused() {
        let owner = Uuid::from_u128(1);
        assert_eq!(vault(&[7]).open(owner, b"short"), Err(VaultError::DoesNotOpen));
        assert_eq!(vault(&[7]).open(owner, &[]), Err(VaultError::DoesNotOpen));
        for wrong in
            ["c2hvcnQ=", "", ",", &format!("{},", key(7)), &format!("{},c2hvcnQ=", key(7)), "<32 bytes in base64>"]
        {
            assert!(Vault::new(&Secret::new(wrong.into())).is_err(), "{wrong}");
        }
        assert!(Vault::new(&Secret::new(format!(" {} , {}\n", key(7), key(8)))).expect("two keys").is_rotated());
    }

    #[test]
    fn the_id_of_a_key_is_the_beginning_of_its_own_hash() {
        // sha256("InkFlow, the id of a key\0" and 32 times 0x07), by another program.
        let sealed = vault(&[7]).seal(Uuid::nil(), "x").expect("randomness");
        assert_eq!(sealed[..HEADER_LEN], [1, 0x57, 0xea, 0xf4, 0x21, 0x47, 0xca, 0x30, 0x6a]);
    }

    proptest! {
        /// Whatever the order and the number of keys: what any of them sealed opens, the first one seals, and only what the
        /// first one sealed is current.
        #[test]
        fn every_key_opens_what_it_sealed_and_the_first_one_seals(
            keys in proptest::sample::subsequence((0..20u8).collect::<Vec<_>>(), 1..5).prop_shuffle(),
            at in any::<proptest::sample::Index>(), owner in any::<u128>(), secret in ".{0,80}", nonce in any::<[u8; 12]>(),
        ) {
            let (owner, sealer) = (Uuid::from_u128(owner), *at.get(&keys));
            let all = vault(&keys);
            let with_id = vault(&[sealer]).seal(owner, &secret).expect("randomness");
            let opened = all.look(owner, &with_id).expect("one of its keys");
            prop_assert_eq!(opened.secret.expose(), secret.as_str());
            prop_assert_eq!(opened.is_current, sealer == keys[0]);
            let without_id = sealed_without_id(sealer, owner, &secret, nonce);
            let opened = all.look(owner, &without_id).expect("one of its keys");
            prop_assert_eq!(opened.secret.expose(), secret.as_str());
            prop_assert!(!opened.is_current, "it names no key yet");
            let anew = all.seal(owner, &secret).expect("randomness");
            prop_assert!(vault(&keys[..1]).look(owner, &anew).expect("the first key is enough").is_current);
            prop_assert_eq!(vault(&[99]).look(owner, &anew), Err(VaultError::DoesNotOpen));
        }

        /// No bit of a sealed value can be changed, nor can it be cut: neither nonce and text, nor version and key id.
        #[test]
        fn no_altered_value_opens(
            secret in ".{0,40}", at in any::<proptest::sample::Index>(), bit in 0..8u32, legacy in any::<bool>(), nonce in any::<[u8; 12]>(),
        ) {
            let owner = Uuid::from_u128(7);
            let all = vault(&[1, 2]);
            let sealed = if legacy { sealed_without_id(2, owner, &secret, nonce) } else { all.seal(owner, &secret).expect("randomness") };
            let place = at.index(sealed.len());
            let mut altered = sealed.clone();
            altered[place] ^= 1 << bit;
            prop_assert_eq!(all.open(owner, &altered), Err(VaultError::DoesNotOpen));
            prop_assert_eq!(all.open(owner, &sealed[..place]), Err(VaultError::DoesNotOpen));
            prop_assert_eq!(all.open(Uuid::from_u128(8), &sealed), Err(VaultError::DoesNotOpen));
        }
    }
}
