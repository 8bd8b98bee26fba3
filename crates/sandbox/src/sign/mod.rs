//! Who signed a request: OSS V1 and V4 in header and in query, and the RPC signature of VOD.
//!
//! Each scheme reads a request into a [`Claim`]: which key is said to have signed what. The
//! claim is then compared with what that key's secret gives.

mod authenticate;
mod rpc;
mod v1;
mod v4;
#[cfg(test)]
mod vectors;

pub(crate) use authenticate::Authenticator;
pub(crate) use rpc::signature as rpc_signature;
pub(crate) use rpc::string_to_sign as rpc_string_to_sign;

use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use sha1::Sha1;
use sha2::Sha256;

use crate::oss::OssError;

/// What a signed request says of itself.
#[derive(Debug)]
pub(crate) struct Claim {
    /// The key that is said to have signed.
    pub(crate) access_key_id: String,
    /// The token that goes with a temporary key.
    pub(crate) security_token: Option<String>,
    /// The signature as sent.
    pub(crate) signature: String,
    /// What must have been signed.
    pub(crate) string_to_sign: String,
    /// The canonical request behind a V4 string to sign.
    pub(crate) canonical_request: Option<String>,
    /// How the signature is made from the secret.
    pub(crate) scheme: Scheme,
}

/// How a signature is made from a secret and a string to sign.
#[derive(Debug)]
pub(crate) enum Scheme {
    /// Base64 of HMAC-SHA1.
    V1,
    /// Hex of HMAC-SHA256 under a key derived from the scope.
    V4(v4::Scope),
}

impl Claim {
    /// The signature that `secret` gives.
    pub(crate) fn expected_signature(&self, secret: &str) -> String {
        match &self.scheme {
            Scheme::V1 => v1::signature(secret, &self.string_to_sign),
            Scheme::V4(scope) => v4::signature(&scope.signing_key(secret), &self.string_to_sign),
        }
    }
}

fn hmac_sha1(key: &[u8], message: &str) -> Vec<u8> {
    // HMAC takes keys of any length; an empty tag cannot equal any signature sent.
    Hmac::<Sha1>::new_from_slice(key)
        .map(|mac| mac.chain_update(message).finalize().into_bytes().to_vec())
        .unwrap_or_default()
}

fn hmac_sha256(key: &[u8], message: &str) -> Vec<u8> {
    Hmac::<Sha256>::new_from_slice(key)
        .map(|mac| mac.chain_update(message).finalize().into_bytes().to_vec())
        .unwrap_or_default()
}

/// Refuses a request whose date is more than 15 minutes from the server's.
fn check_skew(signed_at: Timestamp, now: Timestamp) -> Result<(), OssError> {
    if signed_at.duration_since(now).abs() > MAX_SKEW {
        return Err(OssError::skewed(signed_at, now));
    }
    Ok(())
}

/// <https://www.alibabacloud.com/help/en/oss/developer-reference/include-signatures-in-the-authorization-header>
pub(crate) const MAX_SKEW: SignedDuration = SignedDuration::from_mins(15);
