//! Error responses of VOD and the error kinds that they map to.

use serde::Deserialize;

use super::http_date;
use crate::error::{Error, ErrorKind, ServiceError};
use crate::oss::HttpResponse;

/// Parses an error response. If the body is not VOD's JSON, the status alone determines the kind.
///
/// A rejection because of clock skew carries VOD's time, which is the response's `Date` and precise
/// to the second. Without a `Date` no correction is possible, and the kind is
/// [`ErrorKind::VodRejected`].
pub(super) fn parse(response: &HttpResponse) -> Error {
    let status = response.status.as_u16();
    let body: ErrorBody = serde_json::from_slice(&response.body).unwrap_or_default();
    let server_time = is_clock_skew_code(&body.code)
        .then(|| http_date::parse(response.header("date")?))
        .flatten();
    let kind = match server_time {
        Some(_) => ErrorKind::VodUnavailable,
        None => kind_of(status, &body.code),
    };
    let store = ServiceError {
        status,
        message: without_request(&body.message).to_owned(),
        code: body.code,
        request_id: body.request_id,
        server_time,
        ..ServiceError::default()
    };
    Error::from_response(kind, "VOD", store)
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct ErrorBody {
    code: String,
    message: String,
    request_id: String,
}

fn kind_of(status: u16, code: &str) -> ErrorKind {
    match KINDS.iter().find(|(prefix, _)| code.starts_with(prefix)) {
        Some((_, kind)) => *kind,
        None => match status {
            408 | 429 | 500.. => ErrorKind::VodUnavailable,
            _ => ErrorKind::VodRejected,
        },
    }
}

/// The VOD documentation spells it `TimeStamp` as well as `Timestamp`.
fn is_clock_skew_code(code: &str) -> bool {
    code.eq_ignore_ascii_case(CLOCK_SKEW)
}

/// The message without the part that repeats the request: SignatureDoesNotMatch includes the string
/// to sign, which contains the security token.
fn without_request(message: &str) -> &str {
    let end = message.find(REPEATED_REQUEST).unwrap_or(message.len());
    message[..end].trim_end()
}

/// The kinds by prefix of the code; the first match applies.
const KINDS: &[(&str, ErrorKind)] = &[
    ("InvalidVideo.NotFound", ErrorKind::MediaNotFound),
    ("InvalidSecurityToken.Expired", ErrorKind::CredentialExpired),
    ("SecurityTokenExpired", ErrorKind::CredentialExpired),
    ("InvalidSecurityToken", ErrorKind::CredentialRejected),
    ("MissingSecurityToken", ErrorKind::CredentialRejected),
    ("SignatureDoesNotMatch", ErrorKind::CredentialRejected),
    ("IncompleteSignature", ErrorKind::CredentialRejected),
    ("InvalidAccessKeyId", ErrorKind::CredentialRejected),
    ("Forbidden", ErrorKind::AccessDenied),
    ("NoPermission", ErrorKind::AccessDenied),
    ("Throttling", ErrorKind::VodUnavailable),
    ("ServiceUnavailable", ErrorKind::VodUnavailable),
    ("InternalError", ErrorKind::VodUnavailable),
    // The response to an earlier attempt was lost; a retry has another nonce.
    ("SignatureNonceUsed", ErrorKind::VodUnavailable),
];

/// The code for a `Timestamp` that is too old or too new.
const CLOCK_SKEW: &str = "InvalidTimeStamp.Expired";

/// The start of the repeated request.
const REPEATED_REQUEST: &str = "server string to sign";

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "a failed assumption fails the test"
    )]

    use http::header::DATE;
    use http::{HeaderMap, HeaderValue, StatusCode};
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    use super::*;
    use crate::units::UnixMillis;

    #[test]
    fn every_code_has_its_kind() {
        use ErrorKind::*;
        for (status, code, expected) in [
            (404, "InvalidVideo.NotFound", MediaNotFound),
            (403, "InvalidSecurityToken.Expired", CredentialExpired),
            (400, "InvalidSecurityToken.Malformed", CredentialRejected),
            (400, "SignatureDoesNotMatch", CredentialRejected),
            (404, "InvalidAccessKeyId.NotFound", CredentialRejected),
            (400, "InvalidAccessKeyId.Inactive", CredentialRejected),
            (403, "Forbidden.RAM", AccessDenied),
            (403, "NoPermission", AccessDenied),
            (400, "Throttling.User", VodUnavailable),
            (503, "ServiceUnavailable", VodUnavailable),
            (500, "Whatever", VodUnavailable),
            (400, "SignatureNonceUsed", VodUnavailable),
            (400, "InvalidParameter.TitleInvalid", VodRejected),
            (404, "InvalidVideo.Damaged", VodRejected),
        ] {
            let body =
                format!(r#"{{"Code":"{code}","Message":"No.","RequestId":"R","HostId":"vod"}}"#);
            let error = parse(&response(status, body.as_bytes()));
            assert_eq!(error.kind(), expected, "{code}");
            let expected = ServiceError {
                status,
                code: code.into(),
                message: "No.".into(),
                request_id: "R".into(),
                ..ServiceError::default()
            };
            assert_eq!(error.service(), Some(&expected));
        }
    }

    #[test]
    fn without_a_json_body_the_status_determines_the_kind() {
        for body in [&b""[..], b"<html>hush</html>", b"null", b"[]", br#"{"Code":7}"#, b"\xFF"] {
            for (status, expected) in [
                (502, ErrorKind::VodUnavailable),
                (429, ErrorKind::VodUnavailable),
                (404, ErrorKind::VodRejected),
            ] {
                let error = parse(&response(status, body));
                assert_eq!(error.kind(), expected);
                assert_eq!(
                    error.message(),
                    format!("VOD returned status {status} without an error code")
                );
            }
        }
    }

    #[test]
    fn a_signature_error_does_not_contain_the_token() {
        let body = "{\"Code\":\"SignatureDoesNotMatch\",\"Message\":\"It is not matched. \
                    server string to sign is:POST&%2F&SecurityToken%3Dhush\"}";
        let error = parse(&response(400, body.as_bytes()));
        assert_eq!(error.kind(), ErrorKind::CredentialRejected);
        assert_eq!(error.message(), "VOD returned SignatureDoesNotMatch: It is not matched.");
        assert!(!format!("{:?}", error.service()).contains("hush"));
    }

    #[test]
    fn a_clock_skew_error_contains_the_time_of_vod() {
        let skewed = |code: &str, date: Option<&str>| {
            let body = format!(r#"{{"Code":"{code}","Message":"No."}}"#);
            let mut response = response(400, body.as_bytes());
            response.headers.extend(date.map(|date| (DATE, HeaderValue::from_str(date).unwrap())));
            parse(&response)
        };
        let date = Some("Wed, 28 Dec 2022 10:27:41 GMT");
        for code in ["InvalidTimeStamp.Expired", "InvalidTimestamp.Expired"] {
            let error = skewed(code, date);
            let server_time = error.service().unwrap().server_time;
            assert_eq!(server_time, Some(UnixMillis(1_672_223_261_000)));
            assert_eq!(error.kind(), ErrorKind::VodUnavailable);
            for date in [None, Some("soon")] {
                let error = skewed(code, date);
                assert_eq!(error.service().unwrap().server_time, None);
                assert_eq!(error.kind(), ErrorKind::VodRejected);
            }
        }
        for code in ["InvalidTimeStamp.Format", "Forbidden.RAM", ""] {
            let error = skewed(code, date);
            assert_eq!(error.service().unwrap().server_time, None, "{code}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(1), ..Default::default() })]

        #[test]
        fn parsing_never_panics(status in 100..1000_u16, body: Vec<u8>) {
            let _ = parse(&response(status, &body));
        }
    }

    fn response(status: u16, body: &[u8]) -> HttpResponse {
        let status = StatusCode::from_u16(status).unwrap();
        HttpResponse { status, headers: HeaderMap::new(), body: body.to_vec() }
    }
}
