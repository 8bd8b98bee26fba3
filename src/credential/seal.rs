//! Encryption of credentials in a key-value store.
//!
//! XChaCha20-Poly1305 (<https://datatracker.ietf.org/doc/html/draft-irtf-cfrg-xchacha>): its nonce
//! is long enough to be random for every record, and it is fast without AES hardware.

use std::fmt;

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::decode_base64;
use crate::error::{Error, ErrorKind, Result};
use crate::hex;

/// The key that encrypts stored credentials: 32 secret bytes.
#[derive(Clone)]
pub struct SealKey(Zeroizing<[u8; KEY_BYTES]>);

impl SealKey {
    /// Parses a configured key: Base64 of 32 bytes, with either alphabet.
    ///
    /// # Errors
    /// Returns [`ErrorKind::Misconfigured`] if it is not Base64 of 32 bytes.
    pub fn parse(base64: &str) -> Result<Self> {
        let misconfigured = |found: String| {
            Error::new(
                ErrorKind::Misconfigured,
                format!("the seal key must be Base64 of {KEY_BYTES} bytes, but is {found}"),
            )
        };
        let bytes = decode_base64(base64).ok_or_else(|| misconfigured("not Base64".into()))?;
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        if bytes.len() != KEY_BYTES {
            return Err(misconfigured(format!("of {} bytes", bytes.len())));
        }
        key.copy_from_slice(&bytes);
        Ok(Self(key))
    }

    /// Encrypts `plain` and binds it to `aad`, the key of the record, so that a record that was
    /// moved to another key does not open.
    ///
    /// The nonce must be random and unique for every call. The result consists of a version byte,
    /// the nonce, the ciphertext and the tag.
    #[must_use]
    pub fn seal(&self, nonce: [u8; NONCE_BYTES], aad: &[u8], plain: &[u8]) -> Vec<u8> {
        let aad = versioned(aad);
        #[expect(clippy::expect_used, reason = "it fails only above 256 GiB of plaintext")]
        let sealed = self
            .cipher()
            .encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: &aad })
            .expect("a record fits into one message");
        let mut record = Vec::with_capacity(1 + NONCE_BYTES + sealed.len());
        record.push(VERSION);
        record.extend_from_slice(&nonce);
        record.extend_from_slice(&sealed);
        record
    }

    /// Decrypts the result of [`seal`](Self::seal) with the same `aad`.
    ///
    /// # Errors
    /// Returns [`ErrorKind::CredentialRequired`] if the key is another one, or the record was
    /// modified, moved, truncated or written by a newer version.
    pub fn open(&self, aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        self.try_open(aad, sealed).ok_or_else(|| {
            Error::new(
                ErrorKind::CredentialRequired,
                "the stored credential cannot be decrypted: the seal key or the record has changed",
            )
        })
    }

    fn try_open(&self, aad: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (&VERSION, rest) = sealed.split_first()? else { return None };
        let (nonce, ciphertext) = rest.split_first_chunk::<NONCE_BYTES>()?;
        let aad = versioned(aad);
        let plain = self
            .cipher()
            .decrypt(&XNonce::from(*nonce), Payload { msg: ciphertext, aad: &aad })
            .ok()?;
        Some(Zeroizing::new(plain))
    }

    /// Returns a text that identifies the key and reveals nothing about it.
    #[must_use]
    pub fn id(&self) -> String {
        hex::encode(&self.derive(ID_LABEL)[..ID_BYTES])
    }

    /// Derives a key for another use, which `label` identifies: HMAC-SHA256 (RFC 2104).
    pub(super) fn derive(&self, label: &[u8]) -> [u8; KEY_BYTES] {
        keyed(&self.0[..]).chain_update(label).finalize().into_bytes().into()
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&Key::from(*self.0))
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealKey([redacted])")
    }
}

/// Authenticates the version as well: a later version may interpret the same bytes differently.
fn versioned(aad: &[u8]) -> Vec<u8> {
    let mut bytes = vec![VERSION];
    bytes.extend_from_slice(aad);
    bytes
}

pub(super) fn keyed(key: &[u8]) -> Hmac<Sha256> {
    #[expect(clippy::expect_used, reason = "HMAC accepts keys of any length")]
    Hmac::new_from_slice(key).expect("a key of any length")
}

const ID_LABEL: &[u8] = b"vod-uploader seal key id 1";
const ID_BYTES: usize = 8;

const VERSION: u8 = 1;
const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "a failed assumption fails the test"
    )]

    use super::*;

    const NONCE: [u8; NONCE_BYTES] = [7; NONCE_BYTES];

    #[test]
    fn a_sealed_record_opens_with_the_same_key_and_name() {
        let sealed = key(1).seal(NONCE, b"upload/7", b"plain");
        assert_eq!(sealed.len(), 1 + NONCE_BYTES + 5 + 16);
        assert_eq!(key(1).open(b"upload/7", &sealed).unwrap().as_slice(), b"plain");
        assert!(!sealed.windows(5).any(|window| window == b"plain"));
    }

    #[test]
    fn a_record_with_any_bit_changed_does_not_open() {
        let sealed = key(1).seal(NONCE, b"upload/7", b"plain");
        for index in 0..sealed.len() * 8 {
            let mut changed = sealed.clone();
            changed[index / 8] ^= 1 << (index % 8);
            assert_closed(key(1).open(b"upload/7", &changed));
        }
        for length in 0..sealed.len() {
            assert_closed(key(1).open(b"upload/7", &sealed[..length]));
        }
    }

    #[test]
    fn a_record_does_not_open_with_another_key_or_under_another_name() {
        let sealed = key(1).seal(NONCE, b"upload/7", b"plain");
        assert_closed(key(2).open(b"upload/7", &sealed));
        assert_closed(key(1).open(b"upload/8", &sealed));
    }

    #[test]
    fn an_invalid_key_is_rejected_and_not_printed() {
        for text in ["", "aHVzaA==", "not base64!", &"A".repeat(44)] {
            let error = SealKey::parse(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Misconfigured, "{text}");
        }
        assert!(SealKey::parse(&format!(" {} ", "A".repeat(43))).is_ok());
        assert_eq!(format!("{:?}", key(1)), "SealKey([redacted])");
    }

    fn key(seed: u8) -> SealKey {
        SealKey(Zeroizing::new([seed; KEY_BYTES]))
    }

    fn assert_closed(opened: Result<Zeroizing<Vec<u8>>>) {
        assert_eq!(opened.unwrap_err().kind(), ErrorKind::CredentialRequired);
    }
}
