//! Error responses of OSS and the error kinds that they map to.
//!
//! <https://www.alibabacloud.com/help/en/oss/user-guide/error-responses>

use super::{HttpResponse, xml};
use crate::credential::decode_base64;
use crate::error::{Error, ErrorKind, ServiceError};
use crate::timestamp;

/// Parses an error response. If the body is not the XML of OSS (a gateway's HTML, or empty), the
/// status alone determines the kind.
///
/// The response to a HEAD request contains its XML in the header `x-oss-err`, in Base64.
pub(super) fn parse(response: &HttpResponse) -> Error {
    let document = error_document(response);
    let field = |name| document.as_ref().and_then(|error| error.text_of(name)).unwrap_or_default();
    let or_header = |value: &str, header| match value {
        "" => response.header(header).unwrap_or_default().trim().to_owned(),
        value => value.to_owned(),
    };
    let (status, code) = (response.status.as_u16(), field("Code"));
    let is_skewed = code == CLOCK_SKEW;
    let store = ServiceError {
        status,
        code: code.to_owned(),
        message: field("Message").to_owned(),
        request_id: or_header(field("RequestId"), "x-oss-request-id"),
        ec: or_header(field("EC"), "x-oss-ec"),
        server_time: is_skewed.then(|| timestamp::parse_iso8601(field("ServerTime"))).flatten(),
    };
    Error::from_response(kind_of(status, code), "OSS", store)
}

/// Returns true if the same request, signed again, may succeed shortly afterwards.
pub(crate) fn is_temporary(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::StoreUnavailable | ErrorKind::StoreReplyInvalid)
}

/// The error for a successful response that lacks required data.
pub(super) fn invalid_response(response: &HttpResponse, what: &str) -> Error {
    let store = ServiceError {
        status: response.status.as_u16(),
        request_id: request_id(response),
        ..ServiceError::default()
    };
    Error::new(ErrorKind::StoreReplyInvalid, what).with_service(store)
}

/// The request ID in the header of a response; empty if absent.
pub(super) fn request_id(response: &HttpResponse) -> String {
    response.header("x-oss-request-id").unwrap_or_default().trim().to_owned()
}

fn error_document(response: &HttpResponse) -> Option<xml::Element> {
    let in_header = || decode_base64(response.header("x-oss-err")?);
    let document = if response.body.is_empty() {
        xml::parse(&String::from_utf8_lossy(&in_header()?))
    } else {
        xml::parse(&String::from_utf8_lossy(&response.body))
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

/// The codes whose kind does not follow from the status.
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

/// The suffix of throttling codes, such as `TotalQpsLimitExceeded` and
/// `UploadTrafficRateLimitExceeded`.
const LIMIT_EXCEEDED: &str = "LimitExceeded";

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
    fn an_error_contains_the_fields_of_the_response_except_secrets() {
        let error = parse(&response(
            403,
            "\n<?xml version=\"1.0\"?>\n<Error xmlns=\"http://doc.oss\"><Code>SignatureDoesNotMatch\
             </Code><Message>It does not match.</Message><RequestId>5F</RequestId>\
             <SignatureProvided>hush1</SignatureProvided><StringToSign>hush2</StringToSign>\
             <OSSAccessKeyId>hush3</OSSAccessKeyId><EC>0002-00000040</EC></Error>",
        ));
        assert_eq!(error.kind(), ErrorKind::CredentialRejected);
        let expected = ServiceError {
            status: 403,
            code: "SignatureDoesNotMatch".into(),
            message: "It does not match.".into(),
            request_id: "5F".into(),
            ec: "0002-00000040".into(),
            server_time: None,
        };
        assert_eq!(error.service(), Some(&expected));
        assert_eq!(error.message(), "OSS returned SignatureDoesNotMatch: It does not match.");
    }

    #[test]
    fn every_code_has_its_kind() {
        use ErrorKind::*;
        for (status, code, expected) in [
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
            let error = parse(&response(status, &format!("<Error><Code>{code}</Code></Error>")));
            assert_eq!(error.kind(), expected, "{code}");
        }
    }

    #[test]
    fn without_an_xml_body_the_status_determines_the_kind() {
        use ErrorKind::*;
        let html = "<!DOCTYPE html><html><body><h1>400</h1><p>hush<br></body></html>";
        for body in ["", html, "upstream hush", "<Error><Code>NoSuchUpload</Co", "{}"] {
            for (status, expected) in [
                (400, StoreRejected),
                (401, CredentialRejected),
                (403, AccessDenied),
                (404, StoreRejected),
                (408, StoreUnavailable),
                (429, StoreUnavailable),
                (502, StoreUnavailable),
                (302, StoreRejected),
            ] {
                let error = parse(&response(status, body));
                assert_eq!(error.kind(), expected, "{status} {body}");
                assert!(!error.to_string().contains("hush"), "{error}");
                assert_eq!(
                    error.message(),
                    format!("OSS returned status {status} without an error code")
                );
            }
        }
    }

    #[test]
    fn the_error_of_a_head_request_is_read_from_its_header() {
        let xml = "<Error><Code>SecurityTokenExpired</Code><RequestId>5F</RequestId></Error>";
        let response = HttpResponse::new(
            StatusCode::FORBIDDEN,
            [("X-Oss-Err", STANDARD.encode(xml))],
            Vec::new(),
        );
        assert_eq!(parse(&response).kind(), ErrorKind::CredentialExpired);
        assert_eq!(parse(&response).service().unwrap().request_id, "5F");
    }

    #[test]
    fn headers_supply_fields_that_the_body_lacks() {
        let headers = [("x-oss-request-id", "5F"), ("x-oss-ec", "0001")];
        let response = HttpResponse::new(StatusCode::INTERNAL_SERVER_ERROR, headers, Vec::new());
        let error = parse(&response);
        let store = error.service().unwrap();
        assert_eq!((store.request_id.as_str(), store.ec.as_str()), ("5F", "0001"));
    }

    #[test]
    fn a_clock_skew_error_contains_the_time_of_oss() {
        let server_time = |error: &Error| error.service().unwrap().server_time;
        let skewed = |code: &str| {
            parse(&response(
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
        assert_eq!(server_time(&parse(&response(500, ""))), None);
    }

    #[test]
    fn only_unavailable_and_invalid_responses_are_temporary() {
        assert!(is_temporary(&parse(&response(503, ""))));
        assert!(is_temporary(&invalid_response(&response(200, ""), "no ETag")));
        assert!(!is_temporary(&parse(&response(403, ""))));
        assert!(!is_temporary(&parse(&response(400, ""))));
    }

    #[test]
    fn long_messages_are_truncated_at_a_character() {
        let body = format!("<Error><Code>A</Code><Message>{}</Message></Error>", "é".repeat(600));
        assert_eq!(parse(&response(400, &body)).service().unwrap().message, "é".repeat(512));
    }

    proptest! {
        #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(1), ..Default::default() })]

        #[test]
        fn parsing_never_panics(status in 100..1000_u16, body: Vec<u8>, header: String) {
            let status = StatusCode::from_u16(status).unwrap();
            let _ = parse(&HttpResponse { status, headers: HeaderMap::new(), body });
            let _ = parse(&HttpResponse::new(status, [("x-oss-err", header)], Vec::new()));
        }
    }

    fn response(status: u16, body: &str) -> HttpResponse {
        let status = StatusCode::from_u16(status).unwrap();
        HttpResponse { status, headers: HeaderMap::new(), body: body.as_bytes().to_vec() }
    }
}
