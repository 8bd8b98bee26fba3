//! V1 signatures in the URL.

use std::time::Duration;

use super::Signer;
use super::v1_signature::v1_signature;
use super::v1_string_to_sign::{V1Parts, v1_string_to_sign};
use crate::credential::AccessKey;
use crate::error::{Error, ErrorKind, Result};
use crate::oss::UnsignedRequest;

/// Adds a V1 signature to the query.
pub(super) fn presign(
    signer: &Signer<'_>,
    mut request: UnsignedRequest,
    expires: Duration,
) -> Result<UnsignedRequest> {
    let AccessKey { access_key_id, access_key_secret, security_token } = signer.credential;
    if expires.as_secs() == 0 {
        return Err(Error::new(
            ErrorKind::RequestInvalid,
            "a V1 URL must be valid for at least 1 second",
        ));
    }
    if let Some(token) = security_token {
        request.query.push(("security-token".to_owned(), Some(token.expose().to_owned())));
    }
    let expires = (signer.now + expires).secs().to_string();
    let string_to_sign = v1_string_to_sign(&V1Parts {
        method: &request.method,
        headers: &request.headers,
        date: &expires,
        bucket: Some(signer.bucket.name()),
        key: Some(&request.key),
        query: &request.query,
        extra_sub_resources: &[],
    });
    let signature = v1_signature(access_key_secret, &string_to_sign);
    let mut add = |name: &str, value: String| request.query.push((name.to_owned(), Some(value)));
    add("OSSAccessKeyId", access_key_id.clone());
    add("Expires", expires);
    add("Signature", signature);
    Ok(request)
}
