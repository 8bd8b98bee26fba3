#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed assumption fails the test")]

use ::http::Method;

use super::*;
use crate::error::{ErrorKind, Result};
use crate::http::form::{Field, form_file_name};
use crate::http::{Metadata, RequestHead};
use crate::units::{ByteCount, UnixMillis};
use crate::upload::UploadId;

const SIZE_MAX: ByteCount = ByteCount(1000);

fn call(method: Method, id: &str, query: &str, headers: &[(&str, &str)]) -> Result<FilePondCall> {
    let target = format!("/v1/filepond?{query}");
    let head = RequestHead::new(method, &target, headers.iter().copied());
    FilePondCall::parse(&head, id, SIZE_MAX)
}

fn id(id: &str) -> UploadId {
    UploadId::new(id).unwrap()
}

const CHUNK: &[(&str, &str)] = &[
    ("Content-Type", "application/offset+octet-stream"),
    ("Upload-Offset", "500"),
    ("Upload-Length", "900"),
    ("Upload-Name", "测试 1.mp4"),
    ("Content-Length", "250"),
];

fn chunk() -> FilePondChunk {
    match call(Method::PATCH, "", "patch=a1", CHUNK).unwrap() {
        FilePondCall::Chunk(chunk) => chunk,
        other => panic!("{other:?}"),
    }
}

fn transfer() -> FilePondTransfer {
    let mut metadata = Metadata::default();
    metadata.set("media_id", "m1");
    metadata.set("upload_auth", "secret");
    FilePondTransfer::new(UnixMillis(7), ByteCount(900), &metadata)
        .with_chunk_size(Some(ByteCount(250)))
}

#[test]
fn the_calls_of_filepond_are_distinguished() {
    let length = [("Upload-Length", "900")];
    let start = FilePondCall::Start { length: ByteCount(900) };
    assert_eq!(call(Method::POST, "", "", &length).unwrap(), start);
    assert_eq!(call(Method::POST, "", "", &[]).unwrap(), FilePondCall::Process);
    assert_eq!(
        call(Method::HEAD, "", "x=1&patch=a1", &[]).unwrap(),
        FilePondCall::Offset(id("a1"))
    );
    assert_eq!(call(Method::HEAD, "a1", "", &[]).unwrap(), FilePondCall::Offset(id("a1")));
    assert_eq!(call(Method::DELETE, "", "", &[]).unwrap(), FilePondCall::Revert(None));
    assert_eq!(call(Method::DELETE, "a1", "", &[]).unwrap(), FilePondCall::Revert(Some(id("a1"))));
    let expected = FilePondChunk {
        id: id("a1"),
        offset: ByteCount(500),
        length: Some(ByteCount(250)),
        file_length: ByteCount(900),
        file_name: form_file_name("测试 1.mp4"),
    };
    assert_eq!(chunk(), expected);
}

#[test]
fn the_error_for_a_missing_or_invalid_header_contains_its_name() {
    for missing in ["Upload-Offset", "Upload-Length"] {
        let rest: Vec<_> = CHUNK.iter().copied().filter(|(name, _)| *name != missing).collect();
        let error = call(Method::PATCH, "a1", "", &rest).unwrap_err();
        assert_eq!(error.field().unwrap().name, missing.to_lowercase());
    }
    for (method, id, query, headers, kind) in [
        (Method::PATCH, "", "", CHUNK, ErrorKind::UploadNotFound),
        (Method::PATCH, "a1", "", &[], ErrorKind::MediaTypeUnsupported),
        (Method::HEAD, "", "patch=%2e%2e", &[], ErrorKind::UploadNotFound),
        (Method::POST, "", "", &[("Upload-Length", "0")], ErrorKind::FileEmpty),
        (Method::POST, "", "", &[("Upload-Length", "1001")], ErrorKind::FileTooLarge),
        (Method::POST, "", "", &[("Upload-Length", "x")], ErrorKind::RequestInvalid),
    ] {
        assert_eq!(
            call(method, id, query, headers).unwrap_err().kind(),
            kind,
            "{query} {headers:?}"
        );
    }
}

#[test]
fn an_offset_within_a_chunk_is_reported_as_its_start() {
    for (durable, offset) in [(0, 0), (249, 0), (250, 250), (640, 500), (899, 750), (900, 900)] {
        assert_eq!(transfer().resume_offset(ByteCount(durable)), ByteCount(offset), "{durable}");
    }
    let unknown = transfer().with_chunk_size(None);
    assert_eq!(unknown.resume_offset(ByteCount(640)), ByteCount(640));
}

#[test]
fn stored_bytes_of_a_chunk_are_counted_up_to_its_end() {
    for (durable, known) in [(500, 0), (640, 140), (750, 250), (900, 250)] {
        assert_eq!(chunk().known_len(ByteCount(durable)).unwrap(), ByteCount(known));
    }
    let error = chunk().known_len(ByteCount(499)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OffsetMismatch);
}

#[test]
fn a_transfer_round_trips_and_a_newer_or_corrupt_one_is_rejected() {
    let bytes = transfer().encode().unwrap();
    assert!(!String::from_utf8_lossy(&bytes).contains("secret"));
    assert_eq!(transfer().media_id(), Some("m1"));
    assert_eq!(FilePondTransfer::decode(&bytes).unwrap(), transfer());
    let newer = String::from_utf8(bytes).unwrap().replace("\"version\":1", "\"version\":2");
    let error = FilePondTransfer::decode(newer.as_bytes()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CheckpointNewer);
    for broken in ["", "{}", "[1]"] {
        let error = FilePondTransfer::decode(broken.as_bytes()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::CheckpointCorrupt);
    }
}

#[test]
fn upload_creation_is_recorded_and_unknown_in_older_records() {
    assert!(!transfer().is_upload_created());
    let made = transfer().mark_upload_created();
    let bytes = made.encode().unwrap();
    assert_eq!(FilePondTransfer::decode(&bytes).unwrap(), made);
    assert!(made.is_upload_created());
    assert_eq!(made.resume_offset(ByteCount(640)), ByteCount(500));
    let older = String::from_utf8(bytes).unwrap().replace(",\"upload_made\":true", "");
    assert_eq!(FilePondTransfer::decode(older.as_bytes()).unwrap(), transfer());
}

#[test]
fn a_chunk_of_another_file_is_rejected() {
    assert!(transfer().check(&chunk()).is_ok());
    let other = FilePondChunk { file_length: ByteCount(901), ..chunk() };
    let error = transfer().check(&other).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LengthInconsistent);
}

#[test]
fn metadata_is_converted_to_fields_and_other_fields_are_kept() {
    let field = |name: &str, value: &str| Field {
        name: name.into(),
        value: value.as_bytes().to_vec().into(),
    };
    let metadata =
        field("filepond", r#"{"media_id":"m1","other":"x","title":5,"upload_auth":"s"}"#);
    let mut meant = metadata_fields(metadata);
    meant.sort_by(|a, b| a.name.cmp(&b.name));
    assert_eq!(meant, [field("media_id", "m1"), field("upload_auth", "s")]);
    for value in ["", "m2", "[1]", "5"] {
        assert_eq!(metadata_fields(field("media_id", value)), [field("media_id", value)]);
    }
}

#[test]
fn an_id_is_parsed_from_a_body() {
    assert_eq!(id_in_body(b" a1\n").unwrap(), id("a1"));
    for body in [&b""[..], b"../x", b"\xff"] {
        assert_eq!(id_in_body(body).unwrap_err().kind(), ErrorKind::UploadNotFound);
    }
}
