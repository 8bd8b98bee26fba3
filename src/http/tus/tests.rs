#![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

use ::http::Method;

use super::*;
use crate::error::{Error, ErrorKind};
use crate::http::fixtures::upload_record;
use crate::http::{RequestHead, UploadStatus};
use crate::units::{ByteCount, UnixMillis};
use crate::upload::{Checkpoint, CompletedObject, UploadId, UploadKind, UploadPhase, UploadRecord};

const SIZE_MAX: ByteCount = ByteCount(1000);

fn head(headers: &[(&str, &str)]) -> RequestHead {
    RequestHead::new(Method::POST, "/v1/files", headers.iter().copied())
}

fn creation(headers: &[(&str, &str)]) -> crate::Result<CreationRequest> {
    CreationRequest::parse(&head(headers), SIZE_MAX)
}

/// The field for which a creation is rejected.
fn rejected_field(headers: &[(&str, &str)]) -> String {
    creation(headers).unwrap_err().field().unwrap().name.clone()
}

fn status(durable: u64, length: Option<u64>, kind: UploadKind) -> UploadStatus {
    UploadStatus {
        record: UploadRecord {
            length_bytes: length,
            client_metadata: Some("filename YS5tcDQ=".into()),
            kind,
            ..upload_record()
        },
        checkpoint: Checkpoint { parts_bytes: durable, ..Checkpoint::empty() },
        paused: false,
        expired: false,
        expires_at: Some(UnixMillis(784_111_777_000)),
    }
}

const NAME: (&str, &str) = ("Upload-Metadata", "filename YS5tcDQ=,filetype dmlkZW8vbXA0");
const TYPED: (&str, &str) = ("Content-Type", "application/offset+octet-stream");

#[test]
fn a_creation_declares_its_length_and_file_name() {
    let creation = creation(&[("Upload-Length", "1000"), NAME]).unwrap();
    assert_eq!(creation.length, Some(ByteCount(1000)));
    assert_eq!(creation.file_name.resolve(None).unwrap().as_str(), "a.mp4");
    assert_eq!(creation.content_type.as_deref(), Some("video/mp4"));
    assert_eq!(creation.concat, Concat::Regular);
    assert!(creation.chunk.is_none());
}

#[test]
fn a_length_can_be_deferred_and_be_zero() {
    assert_eq!(creation(&[("Upload-Defer-Length", "1"), NAME]).unwrap().length, None);
    let empty = creation(&[("Upload-Length", "0"), NAME]).unwrap();
    assert_eq!(empty.length, Some(ByteCount::ZERO));
}

#[test]
fn the_error_for_an_invalid_creation_contains_the_field() {
    assert_eq!(rejected_field(&[NAME]), "upload-length");
    for length in ["-1", "+1", "1.0", "", "99999999999999999999"] {
        assert_eq!(rejected_field(&[NAME, ("Upload-Length", length)]), "upload-length", "{length}");
    }
    let twice = [NAME, ("Upload-Length", "1"), ("Upload-Length", "2")];
    assert_eq!(rejected_field(&twice), "upload-length");
    let unnamed = creation(&[("Upload-Length", "1")]).unwrap().file_name.resolve(None);
    assert_eq!(unnamed.unwrap_err().field().unwrap().name, "upload-metadata");
    for value in ["0", "2", "true", ""] {
        let deferred = [NAME, ("Upload-Defer-Length", value)];
        assert_eq!(rejected_field(&deferred), "upload-defer-length", "{value}");
    }
    let both = [NAME, ("Upload-Defer-Length", "1"), ("Upload-Length", "1")];
    assert_eq!(rejected_field(&both), "upload-length");
    let folder = ("Upload-Metadata", "filename Li4vYS5tcDQ=");
    let named = creation(&[folder, ("Upload-Length", "1")]).unwrap().file_name;
    assert_eq!(named.resolve(Some("mp4")).unwrap().as_str(), "a.mp4");
    let large = creation(&[NAME, ("Upload-Length", "1001")]).unwrap_err();
    assert_eq!(large.kind(), ErrorKind::FileTooLarge);
}

#[test]
fn a_creation_can_contain_the_first_bytes() {
    let sized = [NAME, TYPED, ("Upload-Length", "10"), ("Content-Length", "7")];
    let chunk = creation(&sized).unwrap().chunk.unwrap();
    assert_eq!((chunk.offset, chunk.length), (ByteCount::ZERO, Some(ByteCount(7))));
    let unsized_body = creation(&[NAME, TYPED, ("Upload-Length", "10")]).unwrap();
    assert_eq!(unsized_body.chunk.unwrap().length, None);
    let none = [NAME, TYPED, ("Upload-Length", "10"), ("Content-Length", "0")];
    assert!(creation(&none).unwrap().chunk.is_none());
    let untyped = [NAME, ("Upload-Length", "10"), ("Content-Length", "7")];
    assert_eq!(creation(&untyped).unwrap_err().kind(), ErrorKind::MediaTypeUnsupported);
    let long = [NAME, TYPED, ("Upload-Length", "10"), ("Content-Length", "11")];
    assert_eq!(creation(&long).unwrap_err().kind(), ErrorKind::LengthMismatch);
}

#[test]
fn a_partial_upload_requires_no_name_and_a_final_one_no_length() {
    let partial = creation(&[("Upload-Concat", "partial"), ("Upload-Length", "5")]).unwrap();
    assert_eq!(partial.concat, Concat::Partial);
    let joined = ("Upload-Concat", "final;/v1/files/a /v1/files/b");
    let last = creation(&[joined, NAME]).unwrap();
    assert!(matches!(last.concat, Concat::Final(keys) if keys.len() == 2));
    assert_eq!(rejected_field(&[joined, NAME, ("Upload-Length", "5")]), "upload-length");
    let brings = creation(&[joined, NAME, TYPED, ("Content-Length", "5")]).unwrap_err();
    assert_eq!(brings.kind(), ErrorKind::UploadIsFinal);
}

#[test]
fn a_patch_requires_its_content_type_and_offset() {
    let typed = ("Content-Type", "Application/Offset+Octet-Stream; charset=binary");
    let chunk =
        PatchRequest::parse(&head(&[typed, ("Upload-Offset", "5"), ("Content-Length", "7")]))
            .unwrap();
    assert_eq!((chunk.offset, chunk.length), (ByteCount(5), Some(ByteCount(7))));
    assert!(chunk.checks.is_empty());
    let kind = |headers: &[(&str, &str)]| PatchRequest::parse(&head(headers)).unwrap_err().kind();
    assert_eq!(kind(&[("Upload-Offset", "5")]), ErrorKind::MediaTypeUnsupported);
    assert_eq!(kind(&[TYPED]), ErrorKind::RequestInvalid);
    assert_eq!(kind(&[TYPED, ("Upload-Offset", "-5")]), ErrorKind::RequestInvalid);
    let checksum = ("Upload-Checksum", "xxh3 AA==");
    assert_eq!(kind(&[TYPED, ("Upload-Offset", "5"), checksum]), ErrorKind::RequestInvalid);
}

#[test]
fn the_error_for_another_protocol_version_contains_the_supported_one() {
    assert_eq!(unsupported_version(&head(&[("Tus-Resumable", "1.0.0")])), None);
    for headers in [&[][..], &[("Tus-Resumable", "0.2.2")][..]] {
        let rejected = unsupported_version(&head(headers)).unwrap();
        assert_eq!(rejected.status, 412);
        assert_eq!(rejected.header("tus-version"), Some("1.0.0"));
    }
}

#[test]
fn the_options_response_lists_version_extensions_algorithms_and_max_size() {
    let response = options_response(SIZE_MAX, true, true);
    assert_eq!(response.status, 204);
    let extensions = response.header("tus-extension").unwrap();
    let extensions: Vec<_> = extensions.split(',').collect();
    assert_eq!(
        extensions,
        [
            "creation",
            "creation-with-upload",
            "creation-defer-length",
            "expiration",
            "checksum",
            "checksum-trailer",
            "termination",
            "concatenation",
            "concatenation-unfinished"
        ]
    );
    assert_eq!(response.header("tus-max-size"), Some("1000"));
    assert_eq!(response.header("tus-checksum-algorithm"), Some("sha1,md5,crc32,sha256"));
    let without = options_response(SIZE_MAX, false, false);
    let extensions = without.header("tus-extension").unwrap();
    assert!(!extensions.contains("expiration") && !extensions.contains("concatenation"));
}

#[test]
fn the_head_response_contains_the_offset_and_the_known_properties() {
    let response = head_response(&status(3, Some(9), UploadKind::Regular));
    assert_eq!(response.header("upload-offset"), Some("3"));
    assert_eq!(response.header("upload-length"), Some("9"));
    assert_eq!(response.header("cache-control"), Some("no-store"));
    assert_eq!(response.header("upload-metadata"), Some("filename YS5tcDQ="));
    assert_eq!(response.header("media-id"), Some("vid"));
    // The example of RFC 9110, section 5.6.7.
    assert_eq!(response.header("upload-expires"), Some("Sun, 06 Nov 1994 08:49:37 GMT"));
    let deferred = head_response(&status(3, None, UploadKind::Partial));
    assert_eq!(deferred.header("upload-defer-length"), Some("1"));
    assert_eq!(deferred.header("upload-concat"), Some("partial"));
}

#[test]
fn a_final_upload_has_an_offset_once_it_is_complete() {
    let role =
        || UploadKind::Final { partials: ["b", "a"].map(|id| format!("/v1/files/{id}")).to_vec() };
    let open = head_response(&status(3, Some(9), role()));
    assert_eq!(open.header("upload-offset"), None);
    assert_eq!(open.header("upload-concat"), Some("final;/v1/files/b /v1/files/a"));
    let object = CompletedObject { size_bytes: 9, crc64: 0, etag: String::new() };
    let mut complete = status(9, Some(9), role());
    complete.checkpoint.phase = UploadPhase::Completed(object);
    assert_eq!(head_response(&complete).header("upload-offset"), Some("9"));
    assert_eq!(head_response(&complete).header("upload-expires"), None);
}

#[test]
fn the_response_to_a_creation_contains_url_and_offset() {
    let id = UploadId::new("a1").unwrap();
    let expires_at = Some(UnixMillis(784_111_777_000));
    let response = creation_response(&id, "vid", Some(ByteCount(3)), expires_at);
    assert_eq!(response.status, 201);
    assert_eq!(response.header("location"), Some("/v1/files/a1"));
    assert_eq!(response.header("upload-offset"), Some("3"));
    assert_eq!(response.header("upload-expires"), Some("Sun, 06 Nov 1994 08:49:37 GMT"));
}

#[test]
fn the_error_for_a_patch_contains_the_offset() {
    let error = Error::new(ErrorKind::OffsetMismatch, "elsewhere");
    let response = patch_error_response(&error, Some(ByteCount(3)), "vid", None);
    assert_eq!(response.status, 409);
    assert_eq!(response.header("upload-offset"), Some("3"));
    assert_eq!(response.header("tus-resumable"), Some("1.0.0"));
}

#[test]
fn a_checksum_mismatch_has_its_own_status_in_head_and_problem() {
    let error = Error::new(ErrorKind::DigestMismatch, "other bytes");
    let response = patch_error_response(&error, Some(ByteCount(3)), "", None);
    assert_eq!(response.status, 460);
    let problem: serde_json::Value = serde_json::from_slice(&response.body.into_bytes()).unwrap();
    assert_eq!((&problem["status"], &problem["title"]), (&460.into(), &"Checksum Mismatch".into()));
}
