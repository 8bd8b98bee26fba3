//! V4 signatures in the URL.

use std::time::Duration;

use super::Signer;
use super::signature::signature;
use super::signing_key::signing_key;
use super::string_to_sign::{ALGORITHM, string_to_sign};
use super::v4_header::{canonical_form, scope};
use crate::credential::AccessKey;
use crate::error::{Error, ErrorKind, Result};
use crate::oss::UnsignedRequest;
use crate::timestamp;

/// Adds a V4 signature to the query.
pub(super) fn presign(
    signer: &Signer<'_>,
    mut request: UnsignedRequest,
    expires: Duration,
) -> Result<UnsignedRequest> {
    let AccessKey { access_key_id, access_key_secret, security_token } = signer.credential;
    if !(1..=EXPIRES_SECS_MAX).contains(&expires.as_secs()) {
        return Err(Error::new(
            ErrorKind::RequestInvalid,
            "a V4 URL must be valid for 1 to 604800 seconds",
        ));
    }
    let timestamp = timestamp::iso8601_basic(signer.now);
    let scope = scope(signer, &timestamp);
    let mut add = |name: &str, value: String| request.query.push((name.to_owned(), Some(value)));
    add("x-oss-signature-version", ALGORITHM.to_owned());
    add("x-oss-credential", format!("{access_key_id}/{scope}"));
    add("x-oss-date", timestamp.clone());
    add("x-oss-expires", expires.as_secs().to_string());
    if let Some(token) = security_token {
        add("x-oss-security-token", token.expose().to_owned());
    }
    let canonical = canonical_form(signer.bucket.name(), &request, &[]);
    let string_to_sign = string_to_sign(&timestamp, &scope, &canonical);
    let signature = signature(&signing_key(access_key_secret, &scope), &string_to_sign);
    request.query.push(("x-oss-signature".to_owned(), Some(signature)));
    Ok(request)
}

/// Seven days.
const EXPIRES_SECS_MAX: u64 = 604_800;
