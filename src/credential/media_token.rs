//! Media tokens: proof that a client owns the media that the worker issued for it.
//!
//! A media ID is public, so it authorizes nothing. A token is `<expiry>.<mac>`: the expiry in
//! seconds since the Unix epoch, and the unpadded base64url of HMAC-SHA256 (RFC 2104) over the
//! media ID, a zero byte and the expiry, under a key derived from the [`SealKey`].

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;

use super::seal::{SealKey, keyed};
use crate::units::UnixMillis;

/// Issues and verifies media tokens.
#[derive(Clone)]
pub struct MediaTokenKey(Hmac<Sha256>);

impl MediaTokenKey {
    /// Derives the token key from `seal_key`. A token reveals nothing about sealed records.
    #[must_use]
    pub fn derive(seal_key: &SealKey) -> Self {
        Self(keyed(&seal_key.derive(DERIVATION_LABEL)))
    }

    /// The token for `media_id`, valid before `expires_at` (whole seconds).
    #[must_use]
    pub fn issue(&self, media_id: &str, expires_at: UnixMillis) -> String {
        let expiry_s = (expires_at.0 / 1_000).to_string();
        let mac = self.mac(media_id, &expiry_s).finalize().into_bytes();
        format!("{expiry_s}.{}", URL_SAFE_NO_PAD.encode(mac))
    }

    /// Returns true if `token` was issued for `media_id` under this key and has not expired. The
    /// comparison takes constant time.
    #[must_use]
    pub fn verify(&self, media_id: &str, token: &str, now: UnixMillis) -> bool {
        let Some((expiry_s, mac)) = token.split_once('.') else { return false };
        let Ok(mac) = URL_SAFE_NO_PAD.decode(mac) else { return false };
        let is_current = expiry_s.parse::<u64>().is_ok_and(|expiry_s| now.0 / 1_000 < expiry_s);
        self.mac(media_id, expiry_s).verify_slice(&mac).is_ok() && is_current
    }

    fn mac(&self, media_id: &str, expiry_s: &str) -> Hmac<Sha256> {
        self.0.clone().chain_update(media_id).chain_update([0]).chain_update(expiry_s)
    }
}

impl std::fmt::Debug for MediaTokenKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MediaTokenKey([redacted])")
    }
}

/// Separates this use of the seal key from all others.
const DERIVATION_LABEL: &[u8] = b"vod-uploader media token 1";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;

    const NOW: UnixMillis = UnixMillis(1_700_000_000_000);
    const LATER: UnixMillis = UnixMillis(1_700_000_060_000);

    fn key(byte: u8) -> MediaTokenKey {
        let base64 = base64::engine::general_purpose::STANDARD.encode([byte; 32]);
        MediaTokenKey::derive(&SealKey::parse(&base64).unwrap())
    }

    #[test]
    fn a_token_is_valid_for_its_media_id_until_it_expires() {
        let token = key(1).issue("93ab", LATER);
        assert!(key(1).verify("93ab", &token, NOW));
        assert!(!key(1).verify("93ab", &token, LATER));
        assert!(!key(1).verify("93ac", &token, NOW));
        assert!(!key(2).verify("93ab", &token, NOW));
    }

    #[test]
    fn a_token_with_another_expiry_or_mac_is_rejected() {
        let token = key(1).issue("93ab", LATER);
        let (expiry, mac) = token.split_once('.').unwrap();
        let truncated = &mac[..mac.len() - 4];
        for forged in [
            format!("9{expiry}.{mac}"),
            format!("{expiry}.{truncated}"),
            format!("{expiry}."),
            format!(".{mac}"),
            mac.to_owned(),
            String::new(),
        ] {
            assert!(!key(1).verify("93ab", &forged, NOW), "{forged}");
        }
    }

    #[test]
    fn a_token_does_not_contain_the_seal_key() {
        let key = key(7);
        assert!(!format!("{key:?}").contains('7'));
        let token = key.issue("93ab", LATER);
        assert_eq!(token.split('.').count(), 2);
        assert_eq!(token.len(), "1700000060".len() + 1 + 43);
    }
}
