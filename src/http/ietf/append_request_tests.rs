#![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

use ::http::Method;
use proptest::prelude::*;

use super::*;
use crate::http::ietf::testing::head;

const TYPED: (&str, &str) = ("Content-Type", "application/partial-upload");
const AT_100: (&str, &str) = ("Upload-Offset", "100");
const MORE: (&str, &str) = ("Upload-Complete", "?0");
const LAST: (&str, &str) = ("Upload-Complete", "?1");

fn append(headers: &[(&str, &str)]) -> Result<AppendRequest> {
    AppendRequest::parse(&head(Method::PATCH, headers), InteropVersion::V8)
}

fn checked(headers: &[(&str, &str)], progress: OffsetState) -> Result<(), ErrorKind> {
    let headers = [&[TYPED], headers].concat();
    append(&headers).unwrap().check(&progress).map_err(|error| error.kind())
}

fn at(offset: u64, length: Option<u64>) -> OffsetState {
    OffsetState { offset: ByteCount(offset), length: length.map(ByteCount), complete: false }
}

#[test]
fn an_append_declares_its_offset_and_whether_it_is_the_last() {
    let append = append(&[TYPED, AT_100, LAST, ("Content-Length", "20")]).unwrap();
    assert_eq!(append.offset, ByteCount(100));
    assert!(append.complete);
    assert_eq!(append.length, Some(ByteCount(120)));
    assert_eq!(append.end(), Some(ByteCount(120)));
}

#[test]
fn the_error_for_a_missing_or_malformed_header_contains_its_name() {
    let field = |headers: &[(&str, &str)]| {
        append(headers).unwrap_err().field().map(|field| field.name.clone()).unwrap()
    };
    assert_eq!(field(&[TYPED, MORE]), "upload-offset");
    for offset in ["-1", "+1", "1.5", "\"1\"", "9999999999999999", ""] {
        assert_eq!(field(&[TYPED, MORE, ("Upload-Offset", offset)]), "upload-offset", "{offset:?}");
    }
    assert_eq!(field(&[TYPED, AT_100]), "upload-complete");
    assert_eq!(field(&[TYPED, AT_100, ("Upload-Complete", "yes")]), "upload-complete");
    let head = head(Method::PATCH, &[AT_100]);
    let error = AppendRequest::parse(&head, InteropVersion::V3).unwrap_err();
    assert_eq!(error.field().unwrap().name, "upload-incomplete");
}

#[test]
fn the_media_type_is_required_since_interop_6() {
    let kind = |version, content_type: &str| {
        let incomplete = ("Upload-Incomplete", "?1");
        let headers = [AT_100, MORE, incomplete, ("Content-Type", content_type)];
        AppendRequest::parse(&head(Method::PATCH, &headers), version).map_err(|error| error.kind())
    };
    let rejected = Err(ErrorKind::MediaTypeUnsupported);
    for version in [InteropVersion::V6, InteropVersion::V8] {
        assert_eq!(kind(version, "application/offset+octet-stream"), rejected);
        assert_eq!(kind(version, ""), rejected);
        assert!(kind(version, "Application/Partial-Upload; x=y").is_ok());
    }
    for version in [InteropVersion::V3, InteropVersion::V4, InteropVersion::V5] {
        assert!(kind(version, "video/mp4").is_ok());
    }
}

#[test]
fn an_append_must_start_at_the_offset_of_the_upload() {
    for offset in [0, 99, 101] {
        assert_eq!(checked(&[AT_100, MORE], at(offset, None)), Err(ErrorKind::OffsetMismatch));
    }
    assert_eq!(checked(&[AT_100, MORE], at(100, None)), Ok(()));
    // For a complete upload, too, a wrong offset is reported first.
    let complete = OffsetState { complete: true, ..at(200, Some(200)) };
    assert_eq!(checked(&[AT_100, MORE], complete), Err(ErrorKind::OffsetMismatch));
}

#[test]
fn lengths_must_be_those_of_earlier_requests() {
    let inconsistent = Err(ErrorKind::LengthInconsistent);
    let content = ("Content-Length", "20");
    // A declared length, the end of the last content, and an end past the length.
    assert_eq!(
        checked(&[AT_100, MORE, ("Upload-Length", "121")], at(100, Some(120))),
        inconsistent
    );
    assert_eq!(checked(&[AT_100, LAST, content], at(100, Some(121))), inconsistent);
    assert_eq!(checked(&[AT_100, MORE, content], at(100, Some(119))), inconsistent);
    assert_eq!(checked(&[AT_100, LAST, content], at(100, Some(120))), Ok(()));
    assert_eq!(checked(&[AT_100, MORE, content], at(100, Some(120))), Ok(()));
    assert_eq!(checked(&[AT_100, LAST], at(100, Some(120))), Ok(()));
    // Within one request.
    let headers = [TYPED, AT_100, LAST, content, ("Upload-Length", "121")];
    assert_eq!(append(&headers).unwrap_err().kind(), ErrorKind::LengthInconsistent);
}

#[test]
fn an_empty_append_completes() {
    let empty = ("Content-Length", "0");
    assert_eq!(checked(&[AT_100, LAST, empty], at(100, Some(100))), Ok(()));
    assert_eq!(checked(&[AT_100, LAST, empty], at(100, None)), Ok(()));
    assert_eq!(
        checked(&[AT_100, LAST, empty], at(100, Some(101))),
        Err(ErrorKind::LengthInconsistent)
    );
}

#[test]
fn a_complete_upload_accepts_no_bytes() {
    let complete = OffsetState { complete: true, ..at(100, Some(100)) };
    let bytes = [AT_100, LAST, ("Content-Length", "1")];
    assert_eq!(
        checked(&bytes, OffsetState { length: None, ..complete }),
        Err(ErrorKind::LengthInconsistent)
    );
    assert_eq!(checked(&bytes[..2], complete), Err(ErrorKind::LengthInconsistent));
    let none = [AT_100, LAST, ("Content-Length", "0")];
    assert_eq!(checked(&none, complete), Err(ErrorKind::UploadEnded));
}

#[test]
fn an_append_beyond_a_length_is_detected() {
    let append = append(&[TYPED, AT_100, MORE, ("Content-Length", "20")]).unwrap();
    assert!(append.exceeds(ByteCount(119)));
    assert!(!append.exceeds(ByteCount(120)));
}

proptest! {
    #[test]
    fn parsing_never_panics(offset: String, complete: String, length: String) {
        let headers = [
            TYPED,
            ("Upload-Offset", offset.as_str()),
            ("Upload-Complete", complete.as_str()),
            ("Upload-Length", length.as_str()),
            ("Content-Length", length.as_str()),
        ];
        let _ = append(&headers);
    }

    #[test]
    fn an_accepted_append_is_within_the_length(
        offset in 0..300_u64,
        content in 0..300_u64,
        declared in prop::option::of(0..300_u64),
        known in prop::option::of(0..300_u64),
        complete: bool,
    ) {
        let (at_offset, content) = (offset.to_string(), content.to_string());
        let declared = declared.map(|length| length.to_string());
        let mut headers = vec![
            TYPED,
            ("Upload-Offset", at_offset.as_str()),
            ("Content-Length", content.as_str()),
            if complete { LAST } else { MORE },
        ];
        headers.extend(declared.as_deref().map(|length| ("Upload-Length", length)));
        let Ok(append) = append(&headers) else { return Ok(()) };
        if append.check(&at(offset, known)).is_ok() {
            for length in [append.length, known.map(ByteCount)].into_iter().flatten() {
                prop_assert!(!append.exceeds(length));
                prop_assert!(!complete || append.end() == Some(length));
            }
        }
    }
}
