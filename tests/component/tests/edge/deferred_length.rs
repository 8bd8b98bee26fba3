//! tus: uploads of deferred length.

use vod_uploader_component_tests::body::Body;
use vod_uploader_component_tests::edge::{Edge, Setup};
use vod_uploader_component_tests::source::{MIB, Source, sha256};
use vod_uploader_component_tests::tus::{self, Upload, VERSION};
use vod_uploader_wire::Response;

#[test]
fn a_deferred_length_can_be_declared_by_any_chunk_and_is_durable() {
    let mut edge = Setup::new().start();
    let source = Source::new(550, 3 * MIB + 123);
    let upload = deferred(&edge);
    let middle = MIB + 40_000;
    assert_eq!(upload.patch(&edge, &source, 0..middle).unwrap().offset(), middle);
    let head = upload.head(&edge);
    assert_eq!(head.header("upload-defer-length"), Some("1"));
    assert_eq!(head.header("upload-length"), None);
    assert!(upload.status(&edge)["bytes_total"].is_null());
    edge.kill_host();
    edge.start_host();
    let next = 2 * MIB;
    let body = Body::Range(&source, middle..next);
    let stored = declaring(&edge, &upload, source.length(), middle, &body);
    assert_eq!((stored.status, stored.offset()), (204, next), "{}", stored.text());
    edge.kill_host();
    edge.start_host();
    let head = upload.head(&edge);
    assert_eq!(head.header("upload-defer-length"), None);
    assert_eq!(head.header("upload-length"), Some(source.length().to_string().as_str()));
    upload.finish(&edge, &source);
    assert_complete(&edge, &source);
}

#[test]
fn a_changed_length_is_rejected_and_the_first_one_remains() {
    let edge = Setup::new().start();
    let source = Source::new(551, 2 * MIB);
    let upload = deferred(&edge);
    let declared = declaring(&edge, &upload, source.length(), 0, &Body::Range(&source, 0..MIB));
    assert_eq!((declared.status, declared.offset()), (204, MIB));
    for (other, range) in [
        (source.length() + 1, MIB..source.length()),
        (source.length() - 1, MIB..MIB + 1),
        (MIB, MIB..MIB),
        (0, MIB..MIB),
    ] {
        let body = Body::Range(&source, range);
        let rejected = declaring(&edge, &upload, other, MIB, &body);
        assert_eq!((rejected.status, rejected.code().as_str()), (400, "length-inconsistent"));
        assert_eq!(upload.offset(&edge), MIB);
    }
    let body = Body::Range(&source, MIB..source.length());
    assert_eq!(declaring(&edge, &upload, source.length(), MIB, &body).status, 204);
    assert_complete(&edge, &source);
}

#[test]
fn a_length_below_the_offset_is_rejected() {
    let edge = Setup::new().start();
    let source = Source::new(552, 2 * MIB);
    let upload = deferred(&edge);
    assert_eq!(upload.patch(&edge, &source, 0..MIB + 5).unwrap().offset(), MIB + 5);
    let rejected = declaring(&edge, &upload, MIB, MIB + 5, &Body::Bytes(b""));
    assert_eq!((rejected.status, rejected.code().as_str()), (400, "length-inconsistent"));
    let body = Body::Range(&source, MIB + 5..MIB + 9);
    let rejected = declaring(&edge, &upload, MIB + 8, MIB + 5, &body);
    assert_eq!((rejected.status, rejected.code().as_str()), (400, "length-mismatch"));
    assert!(upload.status(&edge)["bytes_total"].is_null());
    assert_eq!(upload.offset(&edge), MIB + 5);
}

#[test]
fn an_empty_chunk_that_declares_the_current_length_completes_the_upload() {
    let mut edge = Setup::new().start();
    // Parts and a tail; less than a part; no bytes.
    for (seed, length) in [(553, 2 * MIB + 50_000), (554, 70_000), (555, 0)] {
        let source = Source::new(seed, length);
        let upload = deferred(&edge);
        if length > 0 {
            assert_eq!(upload.patch(&edge, &source, source.all()).unwrap().offset(), length);
        }
        assert_eq!(upload.state(&edge), "receiving");
        edge.kill_host();
        edge.start_host();
        let ended = declaring(&edge, &upload, length, length, &Body::Bytes(b""));
        assert_eq!((ended.status, ended.offset()), (204, length), "{}", ended.text());
        let status = upload.status(&edge);
        assert_eq!(
            (&status["state"], &status["bytes_total"]),
            (&"completed".into(), &length.into())
        );
        let bytes = edge.sandbox.object_bytes(status["object"].as_str().unwrap());
        assert_eq!(sha256(&bytes), source.sha256());
    }
    assert!(edge.sandbox.uploads().is_empty());
}

#[test]
fn an_empty_chunk_can_declare_a_length_above_the_offset() {
    let mut edge = Setup::new().start();
    let source = Source::new(556, MIB + 1);
    let upload = deferred(&edge);
    assert_eq!(upload.patch(&edge, &source, 0..77).unwrap().offset(), 77);
    let declared = declaring(&edge, &upload, source.length(), 77, &Body::Bytes(b""));
    assert_eq!((declared.status, declared.offset()), (204, 77), "{}", declared.text());
    edge.kill_host();
    edge.start_host();
    assert_eq!(upload.status(&edge)["bytes_total"], source.length());
    upload.finish(&edge, &source);
    assert_complete(&edge, &source);
}

fn deferred(edge: &Edge) -> Upload {
    let metadata = tus::metadata(&[("filename", "clip.mp4")]);
    let headers = [VERSION, ("upload-defer-length", "1"), ("upload-metadata", metadata.as_str())];
    Upload::from_response(&edge.request("POST", "/v1/files", &headers, &Body::None).unwrap())
}

fn declaring(edge: &Edge, upload: &Upload, length: u64, at: u64, body: &Body<'_>) -> Response {
    let length = length.to_string();
    upload.patch_with(edge, &[("upload-length", &length)], at, body).unwrap()
}

fn assert_complete(edge: &Edge, source: &Source) {
    let object = edge.sandbox.only_object();
    assert_eq!(sha256(&edge.sandbox.object_bytes(&object.key)), source.sha256());
    assert!(edge.sandbox.uploads().is_empty());
}
