//! What VOD says when it refuses, and what that means here.

use serde::Deserialize;

use super::http_date;
use crate::error::{Error, ErrorKind, StoreError};
use crate::oss::Reply;
use crate::units::UnixMillis;

/// VOD's own time, where it refused a call because our clock is off by more than 15 minutes: the
/// call may succeed when it is signed again by the corrected clock.
///
/// It is the reply's `Date`, to the second. Where the reply has none, the refusal is
/// [`ErrorKind::VodRejected`]: nobody can tell what to correct.
#[must_use]
pub fn is_clock_skew(error: &Error) -> Option<UnixMillis> {
    let store = error.store()?;
    store.server_time.filter(|_| is_about_our_clock(&store.code))
}

/// Reads the reply to a refused call. It never fails: a body that is not VOD's JSON leaves the
/// status to tell what happened.
pub(super) fn parse(reply: &Reply) -> Error {
    let refusal: Refusal = serde_json::from_slice(&reply.body).unwrap_or_default();
    let server_time = is_about_our_clock(&refusal.code)
        .then(|| http_date::parse(reply.header("date")?))
        .flatten();
    let kind = match server_time {
        Some(_) => ErrorKind::VodUnavailable,
        None => kind_of(reply.status, &refusal.code),
    };
    let message = shown(&refusal.message);
    let cause = if refusal.code.is_empty() {
        format!("VOD answered status {} without a code", reply.status)
    } else {
        format!("VOD answered {}: {message}", refusal.code)
    };
    Error::new(kind, cause).with_store(StoreError {
        status: reply.status,
        message,
        code: refusal.code,
        request_id: refusal.request_id,
        server_time,
        ..StoreError::default()
    })
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Refusal {
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

/// The vendor's pages write both `TimeStamp` and `Timestamp`.
fn is_about_our_clock(code: &str) -> bool {
    code.eq_ignore_ascii_case(CLOCK_SKEW)
}

/// The message up to what it repeats of the request: a refused signature is answered with the
/// string that VOD signed, and that holds the security token.
fn shown(message: &str) -> String {
    let end = message.find(REPEATED_REQUEST).unwrap_or(message.len());
    message[..end].trim_end().chars().take(MESSAGE_CHARS_MAX).collect()
}

/// The first prefix that a code begins with decides.
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
    // The reply to the first request was lost; another one has another nonce.
    ("SignatureNonceUsed", ErrorKind::VodUnavailable),
];

/// How VOD refuses a `Timestamp` that is too old, or too new.
const CLOCK_SKEW: &str = "InvalidTimeStamp.Expired";

/// How the repetition of the request begins.
const REPEATED_REQUEST: &str = "server string to sign";

const MESSAGE_CHARS_MAX: usize = 512;

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "a failed assumption fails the test"
    )]

    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    use super::*;

    #[test]
    fn every_code_has_its_kind() {
        use ErrorKind::*;
        for (status, code, wanted) in [
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
            let error = parse(&reply(status, body.as_bytes()));
            assert_eq!(error.kind(), wanted, "{code}");
            let wanted = StoreError {
                status,
                code: code.into(),
                message: "No.".into(),
                request_id: "R".into(),
                ..StoreError::default()
            };
            assert_eq!(error.store(), Some(&wanted));
        }
    }

    #[test]
    fn a_body_that_is_not_json_leaves_the_status_to_tell() {
        for body in [&b""[..], b"<html>hush</html>", b"null", b"[]", br#"{"Code":7}"#, b"\xFF"] {
            for (status, wanted) in [
                (502, ErrorKind::VodUnavailable),
                (429, ErrorKind::VodUnavailable),
                (404, ErrorKind::VodRejected),
            ] {
                let error = parse(&reply(status, body));
                assert_eq!(error.kind(), wanted);
                assert_eq!(error.message(), format!("VOD answered status {status} without a code"));
            }
        }
    }

    #[test]
    fn a_refused_signature_does_not_repeat_the_token() {
        let body = r#"{"Code":"SignatureDoesNotMatch","Message":"It is not matched. server string to sign is:POST&%2F&SecurityToken%3Dhush"}"#;
        let error = parse(&reply(400, body.as_bytes()));
        assert_eq!(error.kind(), ErrorKind::CredentialRejected);
        assert_eq!(error.message(), "VOD answered SignatureDoesNotMatch: It is not matched.");
        assert!(!format!("{:?}", error.store()).contains("hush"));
    }

    #[test]
    fn a_skewed_clock_is_told_vods_time() {
        let skewed = |code: &str, date: Option<&str>| {
            let body = format!(r#"{{"Code":"{code}","Message":"No."}}"#);
            let mut reply = reply(400, body.as_bytes());
            reply.headers.extend(date.map(|date| ("Date".to_owned(), date.to_owned())));
            parse(&reply)
        };
        let date = Some("Wed, 28 Dec 2022 10:27:41 GMT");
        for code in ["InvalidTimeStamp.Expired", "InvalidTimestamp.Expired"] {
            let error = skewed(code, date);
            assert_eq!(is_clock_skew(&error), Some(UnixMillis(1_672_223_261_000)));
            assert_eq!(error.kind(), ErrorKind::VodUnavailable);
            for date in [None, Some("soon")] {
                let error = skewed(code, date);
                assert_eq!(is_clock_skew(&error), None);
                assert_eq!(error.kind(), ErrorKind::VodRejected);
            }
        }
        for code in ["InvalidTimeStamp.Format", "Forbidden.RAM", ""] {
            let error = skewed(code, date);
            assert_eq!(is_clock_skew(&error), None, "{code}");
            assert_eq!(error.store().unwrap().server_time, None);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(1), ..Default::default() })]

        #[test]
        fn no_bytes_make_reading_panic(status: u16, body: Vec<u8>) {
            let _ = parse(&reply(status, &body));
        }
    }

    fn reply(status: u16, body: &[u8]) -> Reply {
        Reply { status, headers: Vec::new(), body: body.to_vec() }
    }
}
