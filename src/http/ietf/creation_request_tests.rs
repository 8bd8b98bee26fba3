#![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

use ::http::Method;
use proptest::prelude::*;

use super::*;
use crate::http::ietf::testing::head;

const SIZE_MAX: ByteCount = ByteCount(1000);

fn creation(headers: &[(&str, &str)]) -> Result<CreationRequest> {
    CreationRequest::parse(&head(Method::POST, headers), InteropVersion::V8, SIZE_MAX)
}

fn kind(headers: &[(&str, &str)]) -> ErrorKind {
    creation(headers).unwrap_err().kind()
}

const WHOLE: (&str, &str) = ("Upload-Complete", "?1");
const MORE: (&str, &str) = ("Upload-Complete", "?0");

#[test]
fn a_single_request_upload_declares_its_length_by_its_content() {
    let creation = creation(&[WHOLE, ("Content-Length", "100"), ("Content-Type", "video/mp4")]);
    let creation = creation.unwrap();
    assert!(creation.complete);
    assert_eq!(creation.length, Some(ByteCount(100)));
    assert_eq!(creation.content_type.as_deref(), Some("video/mp4"));
}

#[test]
fn the_first_part_of_a_file_may_declare_its_length() {
    let part = [MORE, ("Content-Length", "25"), ("Upload-Length", "100")];
    let declared = creation(&part).unwrap();
    assert!(!declared.complete);
    assert_eq!(declared.length, Some(ByteCount(100)));
    assert_eq!(declared.content_length, Some(ByteCount(25)));
    let unknown = creation(&part[..2]).unwrap();
    assert_eq!(unknown.length, None);
    let streamed = creation(&[WHOLE]).unwrap();
    assert_eq!((streamed.length, streamed.content_length), (None, None));
}

#[test]
fn a_creation_may_have_no_content() {
    let creation = creation(&[MORE, ("Content-Length", "0")]).unwrap();
    assert_eq!((creation.length, creation.content_length), (None, Some(ByteCount::ZERO)));
}

#[test]
fn contradictory_lengths_are_rejected() {
    let length = ("Upload-Length", "100");
    for content_length in ["99", "101"] {
        let content = ("Content-Length", content_length);
        assert_eq!(kind(&[WHOLE, length, content]), ErrorKind::LengthInconsistent);
    }
    assert_eq!(kind(&[MORE, length, ("Content-Length", "101")]), ErrorKind::LengthInconsistent);
    assert!(creation(&[MORE, length, ("Content-Length", "100")]).is_ok());
}

#[test]
fn too_large_files_are_rejected() {
    assert_eq!(kind(&[MORE, ("Upload-Length", "1001")]), ErrorKind::FileTooLarge);
    assert_eq!(kind(&[MORE, ("Content-Length", "1001")]), ErrorKind::FileTooLarge);
    assert!(creation(&[MORE, ("Upload-Length", "1000")]).is_ok());
}

#[test]
fn a_file_may_be_empty() {
    for headers in [[WHOLE, ("Content-Length", "0")], [MORE, ("Upload-Length", "0")]] {
        assert_eq!(creation(&headers).unwrap().length, Some(ByteCount::ZERO));
    }
}

#[test]
fn a_malformed_field_is_ignored_and_reported_as_missing() {
    for value in ["1", "true", "?2", ""] {
        let error = creation(&[("Upload-Complete", value)]).unwrap_err();
        assert_eq!(error.field().unwrap().name, "upload-complete", "{value:?}");
    }
    let ignored = creation(&[MORE, ("Upload-Length", "+100"), ("Content-Length", "5")]).unwrap();
    assert_eq!(ignored.length, None);
    let head = head(Method::POST, &[("Upload-Complete", "?0")]);
    let error = CreationRequest::parse(&head, InteropVersion::V3, SIZE_MAX).unwrap_err();
    assert_eq!(error.field().unwrap().name, "upload-incomplete");
}

#[test]
fn the_name_is_that_of_the_disposition_the_metadata_or_the_type() {
    let metadata = ("Upload-Metadata", "filename Yi5tcDQ=,filetype dmlkZW8vbXA0");
    let disposed = ("Content-Disposition", "inline; filename=\"a.mp4\"");
    let name = |headers: &[(&str, &str)]| {
        let creation = creation(headers).unwrap();
        let name = creation.file_name.resolve(None);
        (name.map(|name| name.as_str().to_owned()), creation.content_type)
    };
    assert_eq!(name(&[MORE, disposed, metadata]).0.unwrap(), "a.mp4");
    let (named, typed) = name(&[MORE, metadata]);
    assert_eq!(named.unwrap(), "b.mp4");
    assert_eq!(typed.as_deref(), Some("video/mp4"));
    assert_eq!(name(&[MORE, ("Content-Type", "video/webm")]).0.unwrap(), "upload.webm");
    let error = name(&[MORE]).0.unwrap_err();
    assert_eq!(error.field().unwrap().name, "content-disposition");
}

#[test]
fn the_media_type_of_the_request_is_not_that_of_the_file() {
    let typed = ("Content-Type", "application/partial-upload");
    assert_eq!(creation(&[MORE, typed]).unwrap().content_type, None);
}

proptest! {
    #[test]
    fn parsing_never_panics(complete: String, length: String, disposition: String) {
        let _ = creation(&[
            ("Upload-Complete", &complete),
            ("Upload-Length", &length),
            ("Content-Length", &length),
            ("Content-Disposition", &disposition),
        ]);
        let _ =
            creation(&[MORE, ("Upload-Length", &length), ("Content-Disposition", &disposition)]);
    }

    #[test]
    fn an_accepted_creation_is_consistent(
        complete: bool,
        content in prop::option::of(0..1200_u64),
        length in prop::option::of(0..1200_u64),
    ) {
        let (content, length) = (content.map(|n| n.to_string()), length.map(|n| n.to_string()));
        let mut headers = vec![if complete { WHOLE } else { MORE }];
        headers.extend(content.as_deref().map(|value| ("Content-Length", value)));
        headers.extend(length.as_deref().map(|value| ("Upload-Length", value)));
        if let Ok(creation) = creation(&headers) {
            let is_valid = |length: ByteCount| !length.is_zero() && length <= SIZE_MAX;
            prop_assert!(creation.length.is_none_or(is_valid));
            if let (Some(content), Some(length)) = (creation.content_length, creation.length) {
                prop_assert!(content == length || (!complete && content < length));
            }
        }
    }
}
