//! Errors as problem details (RFC 9457, <https://www.rfc-editor.org/rfc/rfc9457>).

use ::http::StatusCode;
use serde::{Serialize, Serializer};

use crate::credential::Secret;
use crate::error::{Error, ErrorClass, ErrorKind, Retry, ServiceError};

/// Problem details. The members are in alphabetical order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// What the client or the operator must do.
    pub action: &'static str,
    /// The valid values of that field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed: Option<String>,
    /// The stable code of the error; for an invalid field, its name and `-invalid`, such as
    /// `upload-offset-invalid`.
    pub code: String,
    /// The cause.
    pub detail: String,
    /// The offset of the upload, in bytes, if the request specified another one (IETF draft).
    #[serde(rename = "expected-offset", skip_serializing_if = "Option::is_none")]
    pub expected_offset: Option<u64>,
    /// The invalid field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The ID of the media asset that a new upload may continue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media_id: Option<String>,
    /// The token with which a new upload can continue the asset.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "expose")]
    pub media_token: Option<Secret>,
    /// The offset that the request specified, in bytes, if it is not that of the upload (IETF
    /// draft).
    #[serde(rename = "provided-offset", skip_serializing_if = "Option::is_none")]
    pub provided_offset: Option<u64>,
    /// Whether the same request may succeed later.
    pub retryable: bool,
    /// The status of the response.
    #[serde(serialize_with = "status_number")]
    pub status: StatusCode,
    /// The error code of OSS or VOD.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub store_code: Option<String>,
    /// The detailed error code of OSS (`EC`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub store_ec: Option<String>,
    /// The request ID of OSS or VOD.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub store_request_id: Option<String>,
    /// The name of the type, or of the status if there is no type.
    pub title: &'static str,
    /// The URI of the type, or `about:blank`.
    #[serde(rename = "type")]
    pub type_uri: &'static str,
}

impl Problem {
    /// The problem of a request that ended with `error`. `media_id` is that of the upload, unless
    /// it is empty.
    #[must_use]
    pub fn new(error: &Error, media_id: Option<&str>) -> Self {
        let kind = error.kind();
        let status = status_of(kind.class());
        let of_store = |member: fn(&ServiceError) -> &String| non_empty(member(error.service()?));
        Self {
            action: kind.action(),
            allowed: error.field().map(|field| field.allowed.clone()),
            code: match error.field() {
                Some(field) => format!("{}-invalid", field.name),
                None => kind.code().to_owned(),
            },
            detail: match kind {
                // Details of the configuration are for its operator only.
                ErrorKind::Misconfigured => MISCONFIGURED.to_owned(),
                _ => error.message().to_owned(),
            },
            expected_offset: None,
            field: error.field().map(|field| field.name.clone()),
            media_id: media_id.and_then(non_empty),
            media_token: None,
            provided_offset: None,
            retryable: kind.retry() == Retry::Retryable,
            status,
            store_code: of_store(|store| &store.code),
            store_ec: of_store(|store| &store.ec),
            store_request_id: of_store(|store| &store.request_id),
            title: title(status),
            type_uri: "about:blank",
        }
    }
}

/// The HTTP status of a class of errors.
#[must_use]
pub const fn status_of(class: ErrorClass) -> StatusCode {
    match class {
        ErrorClass::InvalidRequest => StatusCode::BAD_REQUEST,
        ErrorClass::Unauthenticated => StatusCode::UNAUTHORIZED,
        ErrorClass::PermissionDenied => StatusCode::FORBIDDEN,
        ErrorClass::NotFound => StatusCode::NOT_FOUND,
        ErrorClass::MethodNotSupported => StatusCode::METHOD_NOT_ALLOWED,
        ErrorClass::Conflict => StatusCode::CONFLICT,
        ErrorClass::Gone => StatusCode::GONE,
        ErrorClass::VersionNotSupported => StatusCode::PRECONDITION_FAILED,
        ErrorClass::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorClass::MediaTypeNotSupported => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ErrorClass::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
        ErrorClass::UpstreamRejected => StatusCode::BAD_GATEWAY,
        ErrorClass::Unavailable | ErrorClass::Misconfigured => StatusCode::SERVICE_UNAVAILABLE,
        ErrorClass::CorruptState | ErrorClass::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The name of a status (RFC 9110 §15).
fn title(status: StatusCode) -> &'static str {
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => "Content Too Large",
        _ => status.canonical_reason().unwrap_or_default(),
    }
}

fn non_empty(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn status_number<S: Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}

fn expose<S: Serializer>(token: &Option<Secret>, serializer: S) -> Result<S::Ok, S::Error> {
    token.as_ref().map(Secret::expose).serialize(serializer)
}

/// What clients learn about an invalid configuration.
const MISCONFIGURED: &str = "the worker is misconfigured; its log has the cause";

#[cfg(test)]
#[path = "problem_tests.rs"]
mod tests;
