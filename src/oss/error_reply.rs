//! What OSS says when it refuses, and what that means here.
//!
//! <https://www.alibabacloud.com/help/en/oss/user-guide/error-responses>

use super::{HttpResponse, xml};
use crate::credential::decode_base64;
use crate::error::{Error, ErrorKind, StoreError};
use crate::timestamp;

/// Reads the reply to a refused request. It never fails: a body that is not OSS's XML (HTML of a
/// gateway, or nothing) leaves the status to tell what happened.
///
/// The reply to a HEAD carries its XML in the header `x-oss-err`, in Base64.
#[must_use]
pub fn read(reply: &HttpResponse) -> Error {
    let store = store_error(reply);
    let kind = kind_of(store.status, &store.code);
    let cause = if store.code.is_empty() {
        format!("the store answered status {} without a code", store.status)
    } else if store.message.is_empty() {
        format!("the store answered {}", store.code)
    } else {
        format!("the store answered {}: {}", store.code, store.message)
    };
    Error::new(kind, cause).with_store(store)
}

/// True where the same request, signed again, may succeed a moment later.
#[must_use]
pub fn is_temporary(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::StoreUnavailable | ErrorKind::StoreReplyInvalid)
}

/// The error for a reply of success that lacks something.
pub(super) fn unreadable(reply: &HttpResponse, what: &str) -> Error {
    let store = StoreError {
        status: reply.status.as_u16(),
        request_id: request_id(reply),
        ..StoreError::default()
    };
    Error::new(ErrorKind::StoreReplyInvalid, what).with_store(store)
}

/// The request id that the reply's header names, or nothing.
pub(super) fn request_id(reply: &HttpResponse) -> String {
    reply.header("x-oss-request-id").unwrap_or_default().trim().to_owned()
}

fn store_error(reply: &HttpResponse) -> StoreError {
    let document = error_document(reply);
    let field = |name| document.as_ref().and_then(|error| error.text_of(name)).unwrap_or_default();
    let or_header = |value: &str, header| match value {
        "" => reply.header(header).unwrap_or_default().trim().to_owned(),
        value => value.to_owned(),
    };
    let code = field("Code");
    let is_skewed = code == CLOCK_SKEW;
    StoreError {
        status: reply.status.as_u16(),
        code: code.to_owned(),
        message: field("Message").chars().take(MESSAGE_CHARS_MAX).collect(),
        request_id: or_header(field("RequestId"), "x-oss-request-id"),
        ec: or_header(field("EC"), "x-oss-ec"),
        server_time: is_skewed.then(|| timestamp::parse_iso8601(field("ServerTime"))).flatten(),
    }
}

fn error_document(reply: &HttpResponse) -> Option<xml::Element> {
    let in_header = || decode_base64(reply.header("x-oss-err")?);
    let document = if reply.body.is_empty() {
        xml::parse(&String::from_utf8_lossy(&in_header()?))
    } else {
        xml::parse(&String::from_utf8_lossy(&reply.body))
    };
    document.filter(|root| root.name == "Error")
}

fn kind_of(status: u16, code: &str) -> ErrorKind {
    match KINDS.iter().find(|(listed, _)| *listed == code) {
        Some((_, kind)) => *kind,
        None if code.ends_with(LIMIT_EXCEEDED) => ErrorKind::StoreUnavailable,
        None => match status {
            401 => ErrorKind::CredentialRejected,
            403 => ErrorKind::AccessDenied,
            408 | 429 | 500.. => ErrorKind::StoreUnavailable,
            200..=299 if code.is_empty() => ErrorKind::StoreReplyInvalid,
            _ => ErrorKind::StoreRejected,
        },
    }
}

/// The codes whose meaning the status alone does not tell.
const KINDS: &[(&str, ErrorKind)] = &[
    ("SecurityTokenExpired", ErrorKind::CredentialExpired),
    ("InvalidSecurityToken.Expired", ErrorKind::CredentialExpired),
    ("InvalidSecurityToken", ErrorKind::CredentialRejected),
    ("InvalidAccessKeyId", ErrorKind::CredentialRejected),
    ("SignatureDoesNotMatch", ErrorKind::CredentialRejected),
    ("AccessKeyIdAndSecurityTokenNotMatch", ErrorKind::CredentialRejected),
    ("SecurityTokenNotSupported", ErrorKind::CredentialRejected),
    ("AccessDenied", ErrorKind::AccessDenied),
    ("NoSuchUpload", ErrorKind::UploadLost),
    ("InvalidDigest", ErrorKind::ChecksumMismatch),
    ("InvalidCRC64", ErrorKind::ChecksumMismatch),
    (CLOCK_SKEW, ErrorKind::StoreUnavailable),
    ("RequestTimeout", ErrorKind::StoreUnavailable),
    ("IncompleteBody", ErrorKind::StoreUnavailable),
    ("InternalError", ErrorKind::StoreUnavailable),
    ("ServiceUnavailable", ErrorKind::StoreUnavailable),
];

const CLOCK_SKEW: &str = "RequestTimeTooSkewed";

/// How the throttling codes end: `TotalQpsLimitExceeded`, `UploadTrafficRateLimitExceeded` and
/// their like.
const LIMIT_EXCEEDED: &str = "LimitExceeded";

const MESSAGE_CHARS_MAX: usize = 512;

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "a failed assumption fails the test"
    )]

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use http::{HeaderMap, StatusCode};
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    use super::*;
    use crate::units::UnixMillis;

    #[test]
    fn what_the_store_says_is_kept_without_its_secrets() {
        let error = read(&reply(
            403,
            "\n<?xml version=\"1.0\"?>\n<Error xmlns=\"http://doc.oss\"><Code>SignatureDoesNotMatch\
             </Code><Message>It does not match.</Message><RequestId>5F</RequestId>\
             <SignatureProvided>hush1</SignatureProvided><StringToSign>hush2</StringToSign>\
             <OSSAccessKeyId>hush3</OSSAccessKeyId><EC>0002-00000040</EC></Error>",
        ));
        assert_eq!(error.kind(), ErrorKind::CredentialRejected);
        let wanted = StoreError {
            status: 403,
            code: "SignatureDoesNotMatch".into(),
            message: "It does not match.".into(),
            request_id: "5F".into(),
            ec: "0002-00000040".into(),
            server_time: None,
        };
        assert_eq!(error.store(), Some(&wanted));
        assert_eq!(error.message(), "the store answered SignatureDoesNotMatch: It does not match.");
    }

    #[test]
    fn every_code_has_its_kind() {
        use ErrorKind::*;
        for (status, code, wanted) in [
            (403, "SecurityTokenExpired", CredentialExpired),
            (403, "InvalidSecurityToken", CredentialRejected),
            (403, "InvalidAccessKeyId", CredentialRejected),
            (403, "SignatureDoesNotMatch", CredentialRejected),
            (403, "AccessKeyIdAndSecurityTokenNotMatch", CredentialRejected),
            (403, "AccessDenied", AccessDenied),
            (403, "UserDisable", AccessDenied),
            (404, "NoSuchUpload", UploadLost),
            (404, "NoSuchBucket", StoreRejected),
            (403, "RequestTimeTooSkewed", StoreUnavailable),
            (400, "RequestTimeout", StoreUnavailable),
            (400, "IncompleteBody", StoreUnavailable),
            (503, "TotalQpsLimitExceeded", StoreUnavailable),
            (400, "QpsLimitExceeded", StoreUnavailable),
            (500, "InternalError", StoreUnavailable),
            (400, "InvalidDigest", ChecksumMismatch),
            (400, "InvalidCRC64", ChecksumMismatch),
            (400, "InvalidPart", StoreRejected),
            (409, "FileAlreadyExists", StoreRejected),
        ] {
            let error = read(&reply(status, &format!("<Error><Code>{code}</Code></Error>")));
            assert_eq!(error.kind(), wanted, "{code}");
        }
    }

    #[test]
    fn a_body_that_is_not_the_stores_leaves_the_status_to_tell() {
        use ErrorKind::*;
        let html = "<!DOCTYPE html><html><body><h1>400</h1><p>hush<br></body></html>";
        for body in ["", html, "upstream hush", "<Error><Code>NoSuchUpload</Co", "{}"] {
            for (status, wanted) in [
                (400, StoreRejected),
                (401, CredentialRejected),
                (403, AccessDenied),
                (404, StoreRejected),
                (408, StoreUnavailable),
                (429, StoreUnavailable),
                (502, StoreUnavailable),
                (302, StoreRejected),
            ] {
                let error = read(&reply(status, body));
                assert_eq!(error.kind(), wanted, "{status} {body}");
                assert!(!error.to_string().contains("hush"), "{error}");
                assert_eq!(
                    error.message(),
                    format!("the store answered status {status} without a code")
                );
            }
        }
    }

    #[test]
    fn the_reply_to_a_head_is_read_from_its_header() {
        let xml = "<Error><Code>SecurityTokenExpired</Code><RequestId>5F</RequestId></Error>";
        let reply = HttpResponse::new(
            StatusCode::FORBIDDEN,
            [("X-Oss-Err", STANDARD.encode(xml))],
            Vec::new(),
        );
        assert_eq!(read(&reply).kind(), ErrorKind::CredentialExpired);
        assert_eq!(read(&reply).store().unwrap().request_id, "5F");
    }

    #[test]
    fn headers_fill_in_what_the_body_lacks() {
        let headers = [("x-oss-request-id", "5F"), ("x-oss-ec", "0001")];
        let reply = HttpResponse::new(StatusCode::INTERNAL_SERVER_ERROR, headers, Vec::new());
        let error = read(&reply);
        let store = error.store().unwrap();
        assert_eq!((store.request_id.as_str(), store.ec.as_str()), ("5F", "0001"));
    }

    #[test]
    fn a_skewed_clock_is_told_the_stores_time() {
        let server_time = |error: &Error| error.store().unwrap().server_time;
        let skewed = |code: &str| {
            read(&reply(
                403,
                &format!(
                    "<Error><Code>{code}</Code><ServerTime>2022-12-28T10:27:41.000Z</ServerTime>\
                     </Error>"
                ),
            ))
        };
        let error = skewed("RequestTimeTooSkewed");
        assert_eq!(server_time(&error), Some(UnixMillis(1_672_223_261_000)));
        assert!(is_temporary(&error));
        assert_eq!(server_time(&skewed("AccessDenied")), None);
        assert_eq!(server_time(&read(&reply(500, ""))), None);
    }

    #[test]
    fn only_what_may_pass_is_temporary() {
        assert!(is_temporary(&read(&reply(503, ""))));
        assert!(is_temporary(&unreadable(&reply(200, ""), "no ETag")));
        assert!(!is_temporary(&read(&reply(403, ""))));
        assert!(!is_temporary(&read(&reply(400, ""))));
    }

    #[test]
    fn long_messages_are_cut_at_a_character() {
        let body = format!("<Error><Code>A</Code><Message>{}</Message></Error>", "é".repeat(600));
        assert_eq!(read(&reply(400, &body)).store().unwrap().message, "é".repeat(512));
    }

    proptest! {
        #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(1), ..Default::default() })]

        #[test]
        fn no_bytes_make_reading_panic(status in 100..1000_u16, body: Vec<u8>, header: String) {
            let status = StatusCode::from_u16(status).unwrap();
            let _ = read(&HttpResponse { status, headers: HeaderMap::new(), body });
            let _ = read(&HttpResponse::new(status, [("x-oss-err", header)], Vec::new()));
        }
    }

    fn reply(status: u16, body: &str) -> HttpResponse {
        let status = StatusCode::from_u16(status).unwrap();
        HttpResponse { status, headers: HeaderMap::new(), body: body.as_bytes().to_vec() }
    }
}
