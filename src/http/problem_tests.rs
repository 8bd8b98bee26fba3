#![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

use super::*;
use crate::error::ErrorKind;
use crate::http::{Response, problem_response};

fn json(response: Response) -> String {
    String::from_utf8(response.body.into_bytes()).unwrap()
}

#[test]
fn a_problem_contains_code_cause_action_and_request_id() {
    let error =
        Error::new(ErrorKind::UploadLost, "the store forgot it").with_service(ServiceError {
            status: 404,
            code: "NoSuchUpload".into(),
            request_id: "6F".into(),
            ..ServiceError::default()
        });
    let response = problem_response(&error, Some("vid"));
    assert_eq!(response.status, 410);
    assert_eq!(response.header("content-type"), Some("application/problem+json"));
    assert_eq!(response.header("cache-control"), Some("no-store"));
    let expected = "{\"action\":\"Create a new upload, which can use the same media ID.\",\
        \"code\":\"upload-lost\",\"detail\":\"the store forgot it\",\"media_id\":\"vid\",\
        \"retryable\":false,\"status\":410,\"store_code\":\"NoSuchUpload\",\
        \"store_request_id\":\"6F\",\"title\":\"Gone\",\"type\":\"about:blank\"}";
    assert_eq!(json(response), expected);
}

#[test]
fn the_code_of_an_invalid_field_is_its_name() {
    let response = problem_response(&Error::field_invalid("upload-offset", "an integer"), Some(""));
    assert_eq!(response.status, 400);
    let expected = "{\"action\":\"Correct the field in the message.\",\
        \"allowed\":\"an integer\",\"code\":\"upload-offset-invalid\",\
        \"detail\":\"upload-offset must be an integer\",\"field\":\"upload-offset\",\
        \"retryable\":false,\"status\":400,\"title\":\"Bad Request\",\"type\":\"about:blank\"}";
    assert_eq!(json(response), expected);
}

#[test]
fn a_temporary_failure_has_a_retry_after() {
    let response = problem_response(&Error::new(ErrorKind::Busy, "full"), None);
    assert_eq!((response.status.as_u16(), response.header("retry-after")), (503, Some("5")));
}

#[test]
fn a_token_is_sent_and_never_printed() {
    let error = Error::new(ErrorKind::StoreUnavailable, "no response");
    let token = Some(Secret::new("planted-token"));
    let problem = Problem { media_token: token, ..Problem::new(&error, Some("vid")) };
    assert!(!format!("{problem:?}").contains("planted"), "{problem:?}");
    assert!(json(problem.into()).contains("\"media_token\":\"planted-token\""));
}

#[test]
fn a_client_does_not_learn_what_is_misconfigured() {
    let error = Error::new(ErrorKind::Misconfigured, "vod_access_key_id: must be set");
    let problem = Problem::new(&error, None);
    let text = serde_json::to_string(&problem).unwrap();
    assert!(!text.contains("vod_access_key_id") && text.contains("misconfigured"), "{text}");
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
        (415, "Unsupported Media Type", KINDS_415),
        (429, "Too Many Requests", &[ErrorKind::TooManyRequests]),
        (500, "Internal Server Error", KINDS_500),
        (502, "Bad Gateway", KINDS_502),
        (503, "Service Unavailable", KINDS_503),
    ];
    for kind in ErrorKind::ALL {
        let problem = Problem::new(&Error::new(*kind, "so"), None);
        let expected: Vec<_> = statuses.iter().filter(|(_, _, of)| of.contains(kind)).collect();
        let &[(status, title, _)] = expected.as_slice() else {
            assert_eq!(expected.len(), 1, "{kind:?}");
            continue;
        };
        assert_eq!((problem.status.as_u16(), problem.title), (*status, *title), "{kind:?}");
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
const KINDS_401: &[ErrorKind] = &[
    ErrorKind::CredentialRequired,
    ErrorKind::CredentialExpired,
    ErrorKind::SignatureWrong,
    ErrorKind::OperatorRequired,
];
const KINDS_403: &[ErrorKind] = &[
    ErrorKind::CredentialRejected,
    ErrorKind::AccessDenied,
    ErrorKind::UploadIsFinal,
    ErrorKind::ConcatenationUnavailable,
    ErrorKind::MediaNotOwned,
    ErrorKind::OriginNotAllowed,
    ErrorKind::HostNotAllowed,
    ErrorKind::CredentialNotStorable,
    ErrorKind::ClientCredentialsOff,
    ErrorKind::EndpointNotAllowed,
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
const KINDS_410: &[ErrorKind] = &[
    ErrorKind::UploadLost,
    ErrorKind::UploadAborted,
    ErrorKind::UploadExpired,
    ErrorKind::CompletionUnknown,
];
const KINDS_415: &[ErrorKind] =
    &[ErrorKind::MediaTypeUnsupported, ErrorKind::ContentEncodingUnsupported];
const KINDS_500: &[ErrorKind] =
    &[ErrorKind::CheckpointCorrupt, ErrorKind::CheckpointNewer, ErrorKind::Internal];
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
    ErrorKind::Misconfigured,
    ErrorKind::DeadlineExceeded,
    ErrorKind::Busy,
];
