#![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

use super::*;
use crate::http::fixtures::upload_record;

const LIMITS: Limits = Limits {
    size_max: ByteCount(1000),
    append_size_max: Some(ByteCount(500)),
    append_size_min: Some(ByteCount(5)),
    max_age_s: Some(3600),
};

fn key() -> UploadId {
    UploadId::new("a1").unwrap()
}

#[test]
fn the_response_to_a_creation_contains_the_url_and_the_limits() {
    let response = creation_response(InteropVersion::V8, &key(), "vid", ByteCount(7), &LIMITS);
    assert_eq!(response.status, 201);
    for (name, value) in [
        ("location", "/v1/files/a1"),
        ("upload-complete", "?0"),
        ("upload-offset", "7"),
        ("upload-limit", "max-size=1000, max-append-size=500, min-append-size=5, max-age=3600"),
        ("upload-draft-interop-version", "8"),
        ("media-id", "vid"),
    ] {
        assert_eq!(response.header(name), Some(value), "{name}");
    }
}

#[test]
fn responses_to_older_versions_have_their_headers() {
    let response = creation_response(InteropVersion::V3, &key(), "", ByteCount::ZERO, &LIMITS);
    assert_eq!(response.header("upload-incomplete"), Some("?1"));
    assert_eq!(response.header("upload-complete"), None);
    assert_eq!(response.header("upload-limit"), None);
    assert_eq!(response.header("upload-draft-interop-version"), Some("3"));
    assert_eq!(response.header("media-id"), None);
    let limits = Limits { append_size_max: None, append_size_min: None, ..LIMITS };
    let response = creation_response(InteropVersion::V6, &key(), "", ByteCount::ZERO, &limits);
    assert_eq!(response.header("upload-limit"), Some("max-size=1000, expires=3600"));
    for (version, status) in [
        (InteropVersion::V3, 201),
        (InteropVersion::V4, 201),
        (InteropVersion::V5, 201),
        (InteropVersion::V6, 204),
        (InteropVersion::V8, 204),
    ] {
        assert_eq!(
            append_response(version, ByteCount(9), "", &LIMITS).status,
            status,
            "{version:?}"
        );
    }
}

#[test]
fn the_response_to_an_append_reports_an_incomplete_upload() {
    let response = append_response(InteropVersion::V8, ByteCount(9), "vid", &LIMITS);
    assert_eq!(response.header("upload-complete"), Some("?0"));
    assert_eq!(response.header("upload-offset"), Some("9"));
    // "These interim responses MUST NOT include the Location header field", nor does the last.
    assert_eq!(response.header("location"), None);
    assert!(response.body.into_bytes().is_empty());
}

#[test]
fn the_response_to_the_last_request_is_that_of_a_plain_upload() {
    let object = CompletedObject { size_bytes: 12, crc64: 5, etag: "E".into() };
    let response = completion_response(InteropVersion::V8, Some(&key()), &upload_record(), &object);
    assert_eq!(response.status, 201);
    assert_eq!(response.body, plain::created(&upload_record(), &object).body);
    for (name, value) in [
        ("upload-complete", "?1"),
        ("upload-offset", "12"),
        ("location", "/v1/files/a1"),
        ("media-id", "vid"),
        ("content-type", "application/json"),
    ] {
        assert_eq!(response.header(name), Some(value), "{name}");
    }
    let response = completion_response(InteropVersion::V3, None, &upload_record(), &object);
    assert_eq!(response.header("upload-incomplete"), Some("?0"));
    assert_eq!(response.header("location"), None);
}

#[test]
fn the_state_contains_offset_length_and_completeness() {
    let with_state =
        |state| with_state(InteropVersion::V8, Response::empty(StatusCode::NO_CONTENT), state);
    let response = with_state(OffsetState::new(Some(ByteCount(100))));
    assert_eq!(response.header("upload-offset"), Some("0"));
    assert_eq!(response.header("upload-length"), Some("100"));
    assert_eq!(response.header("upload-complete"), Some("?0"));
    let unknown = with_state(OffsetState { complete: true, ..OffsetState::new(None) });
    assert_eq!(unknown.header("upload-length"), None);
    assert_eq!(unknown.header("upload-complete"), Some("?1"));
}

#[test]
fn the_options_response_contains_the_media_type_and_the_limits() {
    let response = LIMITS.with_options_headers(Response::empty(StatusCode::NO_CONTENT));
    assert_eq!(response.header("accept-patch"), Some("application/partial-upload"));
    assert!(response.header("upload-limit").unwrap().starts_with("max-size=1000, "));
}

#[test]
fn limits_are_structured_integers() {
    let limits = Limits { size_max: ByteCount(u64::MAX), max_age_s: None, ..LIMITS };
    let response = limits.with_options_headers(Response::empty(StatusCode::NO_CONTENT));
    let value = response.header("upload-limit").unwrap();
    let limits: sfv::Dictionary = sfv::Parser::new(value).parse().unwrap();
    assert_eq!(limits.len(), 3);
    assert!(value.starts_with("max-size=999999999999999,"), "{value}");
}
