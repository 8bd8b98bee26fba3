//! V4 signatures in the `authorization` header.

use super::additional_headers::additional_headers;
use super::canonical_headers::canonical_headers;
use super::canonical_query::canonical_query;
use super::canonical_request::{CanonicalParts, UNSIGNED_PAYLOAD, canonical_request};
use super::canonical_uri::canonical_uri;
use super::signature::signature;
use super::signing_key::signing_key;
use super::string_to_sign::{ALGORITHM, string_to_sign};
use super::{CredentialScope, PRODUCT_OSS, Signer};
use crate::credential::AccessKey;
use crate::oss::UnsignedRequest;
use crate::timestamp;

/// Adds a V4 signature in the `authorization` header.
pub(super) fn sign(signer: &Signer<'_>, mut request: UnsignedRequest) -> UnsignedRequest {
    let AccessKey { access_key_id, access_key_secret, security_token } = signer.credential;
    let timestamp = timestamp::iso8601_basic(signer.now);
    let scope = scope(signer, &timestamp);
    request.headers.push(("x-oss-content-sha256".to_owned(), UNSIGNED_PAYLOAD.to_owned()));
    request.headers.push(("x-oss-date".to_owned(), timestamp.clone()));
    if let Some(token) = security_token {
        request.headers.push(("x-oss-security-token".to_owned(), token.expose().to_owned()));
    }
    let canonical = canonical_form(signer.bucket.name(), &request, &[]);
    let string_to_sign = string_to_sign(&timestamp, &scope, &canonical);
    let signature = signature(&signing_key(access_key_secret, &scope), &string_to_sign);
    let authorization = v4_authorization(access_key_id, &scope, &[], &signature);
    request.headers.push(("authorization".to_owned(), authorization));
    request
}

/// The value of the `authorization` header. As in the official SDKs, `AdditionalHeaders` is omitted
/// if `additional` is empty.
#[must_use]
pub fn v4_authorization(
    access_key_id: &str,
    scope: &CredentialScope<'_>,
    additional: &[String],
    signature: &str,
) -> String {
    let additional = match additional {
        [] => String::new(),
        names => format!(",AdditionalHeaders={}", names.join(";")),
    };
    format!("{ALGORITHM} Credential={access_key_id}/{scope}{additional},Signature={signature}")
}

/// The canonical request of a request with complete headers and query.
pub(super) fn canonical_form(
    bucket: &str,
    request: &UnsignedRequest,
    requested_headers: &[&str],
) -> String {
    let additional = additional_headers(requested_headers, &request.headers);
    canonical_request(CanonicalParts {
        method: &request.method,
        uri: &canonical_uri(Some(bucket), Some(&request.key)),
        query: &canonical_query(&request.query),
        headers: &canonical_headers(&request.headers, &additional),
        additional: &additional,
    })
}

/// The scope of a signature at `timestamp`. A bucket with V4 signatures has a region.
pub(super) fn scope<'a>(signer: &Signer<'a>, timestamp: &'a str) -> CredentialScope<'a> {
    let (date, _) = timestamp.split_at(DATE_CHARS);
    let region = signer.bucket.region().unwrap_or_default();
    CredentialScope { date, region, product: PRODUCT_OSS }
}

/// `YYYYMMDD`
const DATE_CHARS: usize = 8;
