//! Boundary sizes of files, for each kind of request.

use serde_json::json;
use vod_uploader_component_tests::body::Body;
use vod_uploader_component_tests::edge::{Edge, Setup};
use vod_uploader_component_tests::key_value;
use vod_uploader_component_tests::sandbox::BUCKET;
use vod_uploader_component_tests::source::{MIB, Source, sha256};
use vod_uploader_component_tests::tus::{self, Upload};

/// One byte, around the smallest part, one part, one part and a byte, and many parts.
const SIZES: [u64; 6] = [1, 99_999, 102_400, MIB, MIB + 1, 64 * MIB];

#[test]
fn a_put_of_declared_length_is_stored_unchanged() {
    let edge = Setup::new().start();
    for size in SIZES {
        let source = Source::new(size, size);
        put_and_compare(&edge, &source, &Body::Range(&source, source.all()));
    }
}

#[test]
fn a_put_of_undeclared_length_is_stored_unchanged() {
    let edge = Setup::new().start();
    for size in SIZES {
        let source = Source::new(size, size);
        put_and_compare(&edge, &source, &Body::Chunked(&source, source.all()));
    }
}

#[test]
fn a_put_signed_with_v1_is_stored_unchanged() {
    let edge = Setup::new().variable("signature_version", "v1").start();
    for size in [1, MIB + 1] {
        let source = Source::new(size, size);
        put_and_compare(&edge, &source, &Body::Chunked(&source, source.all()));
    }
}

#[test]
fn a_tus_upload_in_one_request_is_stored_unchanged() {
    let edge = Setup::new().start();
    for size in SIZES {
        let source = Source::new(size, size);
        let upload = Upload::create(&edge, size);
        let stored = upload.patch(&edge, &source, source.all()).unwrap();
        assert_eq!(stored.status, 204, "{}", stored.text());
        assert_eq!(stored.offset(), size);
        assert_eq!(stored.header("media-id"), Some(upload.media_id.as_str()));
        let status = edge.request("GET", &upload.path, &[], &Body::None).unwrap().json();
        let object = status["object"].as_str().unwrap();
        let parts = if size < 102_400 { 1 } else { size.div_ceil(MIB) };
        let expected = json!({
            "state": "completed",
            "reason": null,
            "role": "whole",
            "bytes_durable": size,
            "bytes_total": size,
            "parts": parts,
            "file_name": "clip.mp4",
            "media_id": upload.media_id,
            "bucket": BUCKET,
            "object": object,
            "crc64": source.crc64(),
            "expires_at": null,
        });
        assert_eq!(status, expected);
        assert_eq!(sha256(&edge.sandbox.object_bytes(object)), source.sha256());
    }
}

#[test]
fn a_tus_upload_in_a_request_of_undeclared_length_is_stored_unchanged() {
    let edge = Setup::new().start();
    for size in SIZES {
        let source = Source::new(size, size);
        let upload = Upload::create(&edge, size);
        let body = Body::Chunked(&source, source.all());
        let stored = upload.patch_with(&edge, &[], 0, &body).unwrap();
        assert_eq!((stored.status, stored.offset()), (204, size));
        let status = edge.request("GET", &upload.path, &[], &Body::None).unwrap().json();
        let object = status["object"].as_str().unwrap();
        assert_eq!(sha256(&edge.sandbox.object_bytes(object)), source.sha256());
    }
}

#[test]
fn a_tus_upload_in_small_requests_is_stored_unchanged() {
    let edge = Setup::new().start();
    let source = Source::new(3, 3 * MIB + 77);
    let upload = Upload::create(&edge, source.length());
    let mut offset = 0;
    // Below the smallest part, above it, and above a part.
    for length in [1, 50_000, 60_000, 200_000, 3, 1_500_000, 99_999].into_iter().cycle() {
        let end = (offset + length).min(source.length());
        let stored = upload.patch(&edge, &source, offset..end).unwrap();
        assert_eq!((stored.status, stored.offset()), (204, end));
        assert_eq!(upload.offset(&edge), end);
        offset = end;
        if offset == source.length() {
            break;
        }
    }
    let object = edge.sandbox.only_object();
    assert_eq!(object.crc64, source.crc64());
    assert_eq!(sha256(&edge.sandbox.object_bytes(&object.key)), source.sha256());
}

#[test]
fn an_empty_put_is_rejected_before_anything_is_created() {
    let edge = Setup::new().start();
    let empty = Source::new(0, 0);
    let refusals = [edge.put(&[], &Body::Bytes(b"")), edge.put(&[], &Body::Chunked(&empty, 0..0))];
    for rejection in refusals {
        assert_eq!((rejection.status, rejection.code().as_str()), (400, "file-empty"));
    }
    assert!(edge.sandbox.operations().is_empty(), "{:?}", edge.sandbox.operations());
    assert!(edge.sandbox.objects().is_empty());
    assert_eq!(key_value::records(&edge.host_dir()).len(), 0);
}

#[test]
fn an_empty_tus_upload_is_complete_at_creation() {
    let edge = Setup::new().start();
    let typed = [tus::CHUNK_TYPE, ("content-length", "0")];
    for (number, more) in [&[][..], &typed].into_iter().enumerate() {
        let created = tus::create(&edge, 0, &[], more);
        assert_eq!(created.offset(), 0);
        let upload = Upload::from_response(&created);
        assert_eq!(upload.state(&edge), "completed");
        let head = upload.head(&edge);
        assert_eq!((head.offset(), head.header("upload-length")), (0, Some("0")));
        let objects = edge.sandbox.objects();
        assert_eq!(objects.len(), number + 1);
        assert!(objects.iter().all(|object| (object.size, object.crc64.as_str()) == (0, "0")));
    }
    assert!(edge.sandbox.uploads().is_empty());
}

fn put_and_compare(edge: &Edge, source: &Source, body: &Body<'_>) {
    let created = edge.put(&[], body);
    assert_eq!(created.status, 201, "{} bytes: {}", source.length(), created.text());
    assert_eq!(created.header("content-type"), Some("application/json"));
    let created = created.json();
    let media_id = created["media_id"].as_str().unwrap();
    let key = created["object"].as_str().unwrap();
    assert!(!media_id.is_empty());
    let objects = edge.sandbox.objects();
    let object = objects.iter().find(|object| object.key == key).unwrap();
    let expected = json!({
        "media_id": media_id,
        "kind": "video",
        "bucket": BUCKET,
        "object": key,
        "size": source.length(),
        "crc64": source.crc64(),
        "etag": object.etag,
    });
    assert_eq!(created, expected);
    assert_eq!((object.size, &object.crc64), (source.length(), &source.crc64()));
    assert_eq!(sha256(&edge.sandbox.object_bytes(key)), source.sha256());
    assert!(edge.sandbox.uploads().is_empty());
}
