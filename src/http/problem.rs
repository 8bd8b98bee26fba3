//! Errors as problem details (RFC 9457, <https://www.rfc-editor.org/rfc/rfc9457>).

use serde_json::{Value, json};

use super::Response;
use crate::error::{Error, ErrorClass, Retry};

/// The HTTP status of a class of errors.
#[must_use]
pub const fn status_of(class: ErrorClass) -> u16 {
    match class {
        ErrorClass::InvalidRequest => 400,
        ErrorClass::Unauthenticated => 401,
        ErrorClass::PermissionDenied => 403,
        ErrorClass::NotFound => 404,
        ErrorClass::MethodNotSupported => 405,
        ErrorClass::Conflict => 409,
        ErrorClass::Gone => 410,
        ErrorClass::VersionNotSupported => 412,
        ErrorClass::TooLarge => 413,
        ErrorClass::MediaTypeNotSupported => 415,
        ErrorClass::CorruptState | ErrorClass::Misconfigured | ErrorClass::Internal => 500,
        ErrorClass::UpstreamRejected => 502,
        ErrorClass::Unavailable => 503,
    }
}

/// The answer to a request that ended with `error`. `media_id` is named where a new upload may
/// carry it.
#[must_use]
pub fn problem(error: &Error, media_id: Option<&str>) -> Response {
    let status = status_of(error.class());
    let body = details(error, media_id);
    let response = Response::json_as("application/problem+json", status, &body);
    if status == 503 { response.with_header("retry-after", "5") } else { response }
}

/// The same with a status that its protocol has for it, and that status's name.
pub(super) fn problem_of_status(
    status: u16,
    title: &str,
    error: &Error,
    media_id: Option<&str>,
) -> Response {
    let mut body = details(error, media_id);
    if let Some(fields) = body.as_object_mut() {
        fields.insert("status".to_owned(), Value::from(status));
        fields.insert("title".to_owned(), Value::from(title));
    }
    Response::json_as("application/problem+json", status, &body)
}

/// The problem details of `error`.
pub(super) fn details(error: &Error, media_id: Option<&str>) -> Value {
    let kind = error.kind();
    let status = status_of(kind.class());
    let mut body = json!({
        "type": "about:blank",
        "title": title(status),
        "status": status,
        "detail": error.message(),
        "code": code(error),
        "action": kind.action(),
        "retryable": kind.retry() == Retry::Later,
    });
    if let (Some(field), Some(fields)) = (error.field(), body.as_object_mut()) {
        fields.insert("field".to_owned(), Value::from(field.name.as_str()));
        fields.insert("allowed".to_owned(), Value::from(field.allowed.as_str()));
    }
    if let (Some(store), Some(fields)) = (error.store(), body.as_object_mut()) {
        for (name, value) in [
            ("store_code", &store.code),
            ("store_request_id", &store.request_id),
            ("store_ec", &store.ec),
        ] {
            if !value.is_empty() {
                fields.insert(name.to_owned(), Value::from(value.as_str()));
            }
        }
    }
    if let (Some(media_id), Some(fields)) =
        (media_id.filter(|id| !id.is_empty()), body.as_object_mut())
    {
        fields.insert("media_id".to_owned(), Value::from(media_id));
    }
    body
}

/// The stable code: of a field that was refused its name and `-invalid`, such as
/// `upload-offset-invalid`.
fn code(error: &Error) -> String {
    match error.field() {
        Some(field) => format!("{}-invalid", field.name),
        None => error.kind().code().to_owned(),
    }
}

const fn title(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        410 => "Gone",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        _ => "Internal Server Error",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;
    use crate::error::{ErrorKind, StoreError};

    #[test]
    fn a_problem_names_code_cause_action_and_the_store_s_request_id() {
        let error =
            Error::new(ErrorKind::UploadLost, "the store forgot it").with_store(StoreError {
                status: 404,
                code: "NoSuchUpload".into(),
                request_id: "6F".into(),
                ..StoreError::default()
            });
        let response = problem(&error, Some("vid"));
        assert_eq!(response.status, 410);
        let body: Value = serde_json::from_slice(&response.body).unwrap();
        assert_eq!(body["code"], "upload-lost");
        assert_eq!(body["store_request_id"], "6F");
        assert_eq!(body["media_id"], "vid");
        assert!(response.headers.contains(&("content-type", "application/problem+json".into())));
    }

    #[test]
    fn a_field_that_was_refused_is_named_by_the_code() {
        let response = problem(&Error::field_invalid("upload-offset", "an integer"), None);
        assert_eq!(response.status, 400);
        let body: Value = serde_json::from_slice(&response.body).unwrap();
        assert_eq!(body["code"], "upload-offset-invalid");
        assert_eq!(
            (&body["field"], &body["allowed"]),
            (&"upload-offset".into(), &"an integer".into())
        );
    }

    #[test]
    fn every_kind_of_error_has_its_status() {
        let statuses = [
            (400, "Bad Request", KINDS_400),
            (401, "Unauthorized", KINDS_401),
            (403, "Forbidden", KINDS_403),
            (404, "Not Found", KINDS_404),
            (405, "Method Not Allowed", &[ErrorKind::MethodUnsupported]),
            (409, "Conflict", KINDS_409),
            (410, "Gone", KINDS_410),
            (412, "Precondition Failed", &[ErrorKind::ProtocolVersionUnsupported]),
            (413, "Content Too Large", &[ErrorKind::FileTooLarge, ErrorKind::RequestTooSmall]),
            (415, "Unsupported Media Type", &[ErrorKind::MediaTypeUnsupported]),
            (500, "Internal Server Error", KINDS_500),
            (502, "Bad Gateway", KINDS_502),
            (503, "Service Unavailable", KINDS_503),
        ];
        for kind in ErrorKind::ALL {
            let actual = status_of(kind.class());
            let expected: Vec<_> = statuses.iter().filter(|(_, _, of)| of.contains(kind)).collect();
            let &[(status, title, _)] = expected.as_slice() else {
                assert_eq!(expected.len(), 1, "{kind:?}");
                continue;
            };
            assert_eq!((actual, super::title(actual)), (*status, *title), "{kind:?}");
        }
    }

    const KINDS_400: &[ErrorKind] = &[
        ErrorKind::RequestInvalid,
        ErrorKind::FileDuplicate,
        ErrorKind::EventsTaken,
        ErrorKind::SourceBroken,
        ErrorKind::CredentialNotRefreshable,
        ErrorKind::FileEmpty,
        ErrorKind::LengthMismatch,
        ErrorKind::LengthInconsistent,
        ErrorKind::DigestMismatch,
        ErrorKind::CredentialInvalid,
        ErrorKind::CredentialsSwapped,
    ];
    const KINDS_401: &[ErrorKind] =
        &[ErrorKind::CredentialRequired, ErrorKind::CredentialExpired, ErrorKind::SignatureWrong];
    const KINDS_403: &[ErrorKind] = &[
        ErrorKind::CredentialRejected,
        ErrorKind::AccessDenied,
        ErrorKind::UploadIsFinal,
        ErrorKind::ConcatenationUnavailable,
        ErrorKind::MediaNotOwned,
        ErrorKind::OriginNotAllowed,
    ];
    const KINDS_404: &[ErrorKind] =
        &[ErrorKind::UploadNotFound, ErrorKind::MediaNotFound, ErrorKind::FileUnknown];
    const KINDS_409: &[ErrorKind] = &[
        ErrorKind::OffsetMismatch,
        ErrorKind::TakenOver,
        ErrorKind::UploadEnded,
        ErrorKind::UploadStopped,
        ErrorKind::UploadPaused,
        ErrorKind::FileStateWrong,
        ErrorKind::QueueStateWrong,
        ErrorKind::CredentialForOtherObject,
    ];
    const KINDS_410: &[ErrorKind] =
        &[ErrorKind::UploadLost, ErrorKind::UploadAborted, ErrorKind::UploadExpired];
    const KINDS_500: &[ErrorKind] = &[
        ErrorKind::CheckpointCorrupt,
        ErrorKind::CheckpointNewer,
        ErrorKind::Misconfigured,
        ErrorKind::Internal,
    ];
    const KINDS_502: &[ErrorKind] = &[
        ErrorKind::ChecksumMismatch,
        ErrorKind::StoreRejected,
        ErrorKind::StoreReplyInvalid,
        ErrorKind::VodRejected,
    ];
    const KINDS_503: &[ErrorKind] = &[
        ErrorKind::StoreUnavailable,
        ErrorKind::VodUnavailable,
        ErrorKind::KeyValueUnavailable,
        ErrorKind::CompletionUnknown,
        ErrorKind::DeadlineExceeded,
        ErrorKind::Busy,
    ];
}
