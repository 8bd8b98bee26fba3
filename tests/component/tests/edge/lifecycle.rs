//! The end of uploads, and concurrent writers.

use std::thread;

use vod_uploader_component_tests::body::Body;
use vod_uploader_component_tests::edge::Setup;
use vod_uploader_component_tests::source::{KIB, MIB, Source, sha256};
use vod_uploader_component_tests::tus::{CHUNK_TYPE, Upload, VERSION};
use vod_uploader_component_tests::wait;
use vod_uploader_wire::Response;

#[test]
fn a_deleted_upload_leaves_no_parts_and_no_records() {
    let edge = Setup::new().start();
    let source = Source::new(51, 4 * MIB);
    // With parts, with a tail, and without bytes.
    for sent in [2 * MIB, 2 * MIB + 10, 10, 0] {
        let upload = Upload::create(&edge, source.length());
        if sent > 0 {
            assert_eq!(upload.patch(&edge, &source, 0..sent).unwrap().offset(), sent);
        }
        assert_eq!(upload.delete(&edge).status, 204);
        assert!(edge.sandbox.uploads().is_empty());
        assert_eq!(upload.head(&edge).status, 410);
        assert_eq!(upload.state(&edge), "aborted");
        let rejected = upload.patch(&edge, &source, sent..source.length()).unwrap();
        assert_eq!((rejected.status, rejected.code().as_str()), (410, "upload-aborted"));
    }
    assert!(edge.sandbox.objects().is_empty());
}

#[test]
fn deleting_an_upload_ends_its_active_request() {
    let edge = Setup::new().start();
    let source = Source::new(52, 8 * MIB);
    let upload = Upload::create(&edge, source.length());
    let mut patch = upload.start_patch(&edge.client(), 0, source.length()).unwrap();
    patch.send(&source.bytes(0..3 * MIB));
    wait::until("parts are acknowledged", || (upload.bytes_durable(&edge) > 0).then_some(()));
    assert_eq!(upload.delete(&edge).status, 204);
    patch.send(&source.bytes(3 * MIB..source.length()));
    if let Ok(response) = patch.finish() {
        assert!(!response.is_success(), "{}", response.status);
    }
    assert_eq!(upload.head(&edge).status, 410);
    assert!(edge.sandbox.objects().is_empty());
    assert!(edge.sandbox.uploads().is_empty(), "{:?}", edge.sandbox.uploads());
}

#[test]
fn deleting_a_complete_upload_keeps_its_object() {
    let edge = Setup::new().start();
    let source = Source::new(53, 2 * MIB);
    let upload = Upload::create(&edge, source.length());
    upload.finish(&edge, &source);
    assert_eq!(upload.delete(&edge).status, 204);
    assert_eq!(edge.sandbox.only_object().crc64, source.crc64());
    assert_eq!(upload.head(&edge).status, 404);
}

#[test]
fn at_most_one_of_two_concurrent_requests_succeeds() {
    let edge = Setup::new().start();
    let source = Source::new(54, 4 * MIB);
    for round in 0..8 {
        // Complete parts, a file for one PutObject, and the rest of an upload.
        let (length, begin) = [(4 * MIB, 0), (60 * KIB, 0), (4 * MIB, 1_500_000)][round % 3];
        let upload = Upload::create(&edge, length);
        if begin > 0 {
            assert_eq!(upload.patch(&edge, &source, 0..begin).unwrap().offset(), begin);
        }
        let send = || upload.patch(&edge, &source, begin..length).unwrap();
        let (first, second) = thread::scope(|scope| {
            let first = scope.spawn(send);
            (send(), first.join().unwrap())
        });
        let winners =
            [&first, &second].into_iter().filter(|response| response.is_success()).count();
        // None, if each was rejected because of the offset of the other.
        assert!(winners <= 1, "{} {}", described(&first), described(&second));
        for loser in [&first, &second].into_iter().filter(|response| !response.is_success()) {
            assert_eq!(loser.status, 409, "{}", described(loser));
            assert!(["taken-over", "offset-mismatch"].contains(&loser.code().as_str()));
        }
        upload.finish(&edge, &Source::new(54, length));
        let objects = edge.sandbox.objects();
        assert_eq!(objects.len(), round + 1);
        let mine = objects.iter().find(|object| object.key.contains(&upload.media_id)).unwrap();
        let bytes = edge.sandbox.object_bytes(&mine.key);
        assert_eq!(sha256(&bytes), sha256(&source.bytes(0..length)));
    }
}

#[test]
fn a_complete_upload_accepts_no_bytes_and_reports_its_offset() {
    let edge = Setup::new().start();
    let source = Source::new(55, MIB);
    let upload = Upload::create(&edge, source.length());
    upload.finish(&edge, &source);
    let empty = upload.patch(&edge, &source, MIB..MIB).unwrap();
    assert_eq!((empty.status, empty.offset()), (204, MIB));
    let again = upload.patch(&edge, &source, 0..MIB).unwrap();
    assert_eq!((again.status, again.code().as_str()), (409, "offset-mismatch"));
    assert_eq!(again.offset(), MIB);
    assert_eq!(edge.sandbox.requests("CompleteMultipartUpload"), 1);
}

#[test]
fn a_post_with_a_method_override_is_supported() {
    let edge = Setup::new().start();
    let source = Source::new(56, MIB + 1);
    let upload = Upload::create(&edge, source.length());
    let meant = |method, more: &[_], body: &Body<'_>| {
        let headers = [&[VERSION, ("x-http-method-override", method)], more].concat();
        edge.request("POST", &upload.path, &headers, body).unwrap()
    };
    let body = Body::Range(&source, 0..MIB);
    let stored = meant("PATCH", &[CHUNK_TYPE, ("upload-offset", "0")], &body);
    assert_eq!((stored.status, stored.offset()), (204, MIB), "{}", stored.text());
    let head = meant("HEAD", &[], &Body::Bytes(b""));
    assert_eq!((head.status, head.offset()), (200, MIB));
    assert!(head.body.is_empty());
    assert_eq!(meant("DELETE", &[], &Body::Bytes(b"")).status, 204);
    assert_eq!(upload.state(&edge), "aborted");
    assert_eq!(meant("MOVE", &[], &Body::Bytes(b"")).status, 405);
}

fn described(response: &Response) -> String {
    format!("{} {}", response.status, response.text())
}
