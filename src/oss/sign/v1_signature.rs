//! V1, step 2: the signature.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::hmac::hmac_sha1;
use crate::credential::Secret;

/// The signature of a string to sign (or of a form's policy), in Base64.
#[must_use]
pub fn v1_signature(secret: &Secret, string_to_sign: &str) -> String {
    STANDARD.encode(hmac_sha1(secret.expose().as_bytes(), string_to_sign.as_bytes()))
}
