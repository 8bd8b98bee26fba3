//! V1 signatures in the `authorization` header.

use super::Signer;
use super::v1_signature::v1_signature;
use super::v1_string_to_sign::{V1Parts, v1_string_to_sign};
use crate::credential::AccessKey;
use crate::oss::UnsignedRequest;
use crate::timestamp;

/// Adds a V1 signature in the `authorization` header.
///
/// The date is sent as `x-oss-date`, which is signed twice: as the date and as a header.
pub(super) fn sign(signer: &Signer<'_>, mut request: UnsignedRequest) -> UnsignedRequest {
    let AccessKey { access_key_id, access_key_secret, security_token } = signer.credential;
    let date = timestamp::imf_fixdate(signer.now);
    request.headers.push(("x-oss-date".to_owned(), date.clone()));
    if let Some(token) = security_token {
        request.headers.push(("x-oss-security-token".to_owned(), token.expose().to_owned()));
    }
    let string_to_sign = v1_string_to_sign(&V1Parts {
        method: &request.method,
        headers: &request.headers,
        date: &date,
        bucket: Some(signer.bucket.name()),
        key: Some(&request.key),
        query: &request.query,
        extra_sub_resources: &[],
    });
    let authorization =
        v1_authorization(access_key_id, &v1_signature(access_key_secret, &string_to_sign));
    request.headers.push(("authorization".to_owned(), authorization));
    request
}

/// The value of the `authorization` header.
#[must_use]
pub fn v1_authorization(access_key_id: &str, signature: &str) -> String {
    format!("OSS {access_key_id}:{signature}")
}
