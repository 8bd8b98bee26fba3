//! V4, step 8: the signature.

use super::hmac::hmac_sha256;
use crate::hex;

/// The signature of a string to sign (or of a form's policy), in lower-case hexadecimal.
#[must_use]
pub fn signature(signing_key: &[u8; 32], string_to_sign: &str) -> String {
    hex::encode(&hmac_sha256(signing_key, string_to_sign.as_bytes()))
}
