//! V4, step 6: the string to sign.

use sha2::{Digest as _, Sha256};

use super::CredentialScope;
use crate::hex;

/// Algorithm, timestamp (the `x-oss-date`), scope and hash of the canonical request, one per line.
#[must_use]
pub fn string_to_sign(
    timestamp: &str,
    scope: &CredentialScope<'_>,
    canonical_request: &str,
) -> String {
    let hash = hex::encode(&Sha256::digest(canonical_request));
    format!("{ALGORITHM}\n{timestamp}\n{scope}\n{hash}")
}

/// The name of V4 in the string to sign, the `authorization` header and the query.
pub(super) const ALGORITHM: &str = "OSS4-HMAC-SHA256";
