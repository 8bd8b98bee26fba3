#![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

use serde_json::Value;

use super::*;
use crate::http::problem_response;

const LIMITS: Limits = Limits {
    size_max: ByteCount(1000),
    append_size_max: None,
    append_size_min: None,
    max_age_s: None,
};

fn untouched(error: &Error) -> ErrorContext<'_> {
    let (progress, provided_offset, media_id) = (None, None, None);
    ErrorContext { error, progress, provided_offset, media_id, limits: &LIMITS }
}

fn body(response: &Response) -> Value {
    serde_json::from_slice(&response.body.clone().into_bytes()).unwrap()
}

fn at(offset: u64, complete: bool) -> Option<OffsetState> {
    Some(OffsetState { offset: ByteCount(offset), length: None, complete })
}

#[test]
fn the_error_for_a_mismatching_offset_contains_the_correct_one() {
    let error = Error::new(ErrorKind::OffsetMismatch, "elsewhere");
    let context = ErrorContext {
        progress: at(12_500_000, false),
        provided_offset: Some(ByteCount(25_000_000)),
        media_id: Some("vid"),
        ..untouched(&error)
    };
    let response = error_response(InteropVersion::V8, &context);
    assert_eq!(response.status, 409);
    assert_eq!(response.header("upload-complete"), Some("?0"));
    assert_eq!(response.header("upload-offset"), Some("12500000"));
    assert_eq!(response.header("content-type"), Some("application/problem+json"));
    let body = body(&response);
    assert_eq!(
        body["type"],
        "https://iana.org/assignments/http-problem-types#mismatching-upload-offset"
    );
    assert_eq!(
        (&body["expected-offset"], &body["provided-offset"]),
        (&12_500_000.into(), &25_000_000.into())
    );
    assert_eq!((&body["code"], &body["media_id"]), (&"offset-mismatch".into(), &"vid".into()));
    let old = error_response(InteropVersion::V3, &context);
    assert_eq!(old.header("upload-incomplete"), Some("?1"));
}

#[test]
fn each_problem_of_the_draft_has_its_type_and_status() {
    for (kind, status, name) in [
        (ErrorKind::OffsetMismatch, 409, "mismatching-upload-offset"),
        (ErrorKind::LengthInconsistent, 400, "inconsistent-upload-length"),
        (ErrorKind::LengthMismatch, 400, "inconsistent-upload-length"),
        (ErrorKind::UploadEnded, 400, "completed-upload"),
    ] {
        let response = error_response(InteropVersion::V8, &untouched(&Error::new(kind, "so")));
        let body = body(&response);
        assert_eq!(response.status, status);
        assert_eq!(body["status"], status);
        assert_eq!(body["type"], format!("https://iana.org/assignments/http-problem-types#{name}"));
        assert_eq!(body["code"], kind.code());
    }
}

#[test]
fn other_problems_are_unchanged() {
    for kind in ErrorKind::ALL {
        let error = Error::new(*kind, "so");
        let response = error_response(InteropVersion::V8, &untouched(&error));
        let plain = problem_response(&error, None);
        assert_eq!(body(&response)["code"], body(&plain)["code"]);
        assert!(response.status == plain.status || *kind == ErrorKind::UploadEnded);
        assert_eq!(response.header("upload-draft-interop-version"), Some("8"));
    }
}

#[test]
fn an_error_is_that_of_an_incomplete_upload_unless_the_client_must_not_resume() {
    for kind in ErrorKind::ALL {
        let error = Error::new(*kind, "so");
        let is_permanent =
            [ErrorKind::FileTooLarge, ErrorKind::StoreRejected, ErrorKind::VodRejected]
                .contains(kind);
        for version in InteropVersion::ALL {
            let context = ErrorContext { progress: at(9, true), ..untouched(&error) };
            let response = error_response(version, &context);
            assert_eq!(response.header("upload-offset"), Some("9"));
            let is_over = is_permanent && version >= InteropVersion::V9;
            let expected = if is_over || version == InteropVersion::V3 { "?1" } else { "?0" };
            let sent = response.header(version.completeness_header());
            assert_eq!(sent, Some(expected), "{kind:?} {version:?}");
        }
    }
}

#[test]
fn the_problem_of_a_completed_upload_has_a_type_until_interop_8() {
    let error = Error::new(ErrorKind::UploadEnded, "so");
    for version in [InteropVersion::V9, InteropVersion::V10] {
        let response = error_response(version, &untouched(&error));
        assert_eq!(
            (response.status.as_u16(), &body(&response)["type"]),
            (400, &"about:blank".into())
        );
    }
}

#[test]
fn errors_contain_the_limits_or_the_supported_type() {
    let error = Error::new(ErrorKind::FileTooLarge, "so");
    let context = untouched(&error);
    let response = error_response(InteropVersion::V8, &context);
    assert_eq!(response.header("upload-limit"), Some("max-size=1000"));
    let error = Error::new(ErrorKind::MediaTypeUnsupported, "so");
    let response = error_response(InteropVersion::V8, &untouched(&error));
    assert_eq!(response.status, 415);
    assert_eq!(response.header("accept-patch"), Some("application/partial-upload"));
}
