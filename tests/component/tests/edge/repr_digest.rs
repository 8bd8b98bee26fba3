//! The digest of a file in several requests (RFC 9530), declared or requested at its creation.

use vod_uploader_component_tests::body::Body;
use vod_uploader_component_tests::checksum::digest_field;
use vod_uploader_component_tests::edge::{Edge, Setup};
use vod_uploader_component_tests::ietf;
use vod_uploader_component_tests::source::{MIB, Source};
use vod_uploader_component_tests::tus::Upload;
use vod_uploader_wire::Headers;
use vod_uploader_wire::ietf::NEWEST;

#[test]
fn a_requested_digest_is_returned_at_completion_also_after_a_restart() {
    let mut edge = Setup::new().start();
    let source = Source::new(800, 3 * MIB + 5);
    let upload = create(&edge, &[("want-repr-digest", "sha-256=10")]);
    send(&edge, &upload, &source, 0..MIB);
    edge.kill_host();
    edge.start_host();
    send(&edge, &upload, &source, MIB..2 * MIB + 7);
    let rest = 2 * MIB + 7..source.length();
    let last = (rest.start, true);
    let stored =
        ietf::append(NEWEST, &edge, &upload, last, &[], &Body::Range(&source, rest)).unwrap();
    assert_eq!(stored.status, 201, "{}", stored.text());
    assert_eq!(stored.header("repr-digest"), Some(digest(&source).as_str()));
}

#[test]
fn a_file_that_matches_its_repr_digest_is_stored() {
    let edge = Setup::new().start();
    let source = Source::new(801, 2 * MIB + 5);
    let upload = create(&edge, &[("repr-digest", &digest(&source))]);
    send(&edge, &upload, &source, 0..MIB);
    let rest = MIB..source.length();
    let stored =
        ietf::append(NEWEST, &edge, &upload, (MIB, true), &[], &Body::Range(&source, rest))
            .unwrap();
    assert_eq!(stored.status, 201, "{}", stored.text());
    assert_eq!(edge.sandbox.only_object().crc64, source.crc64());
}

#[test]
fn a_file_that_does_not_match_its_repr_digest_is_aborted() {
    let edge = Setup::new().start();
    let source = Source::new(802, 2 * MIB + 5);
    let upload = create(&edge, &[("repr-digest", &digest(&Source::new(803, 5)))]);
    send(&edge, &upload, &source, 0..MIB);
    let rest = MIB..source.length();
    let rejected =
        ietf::append(NEWEST, &edge, &upload, (MIB, true), &[], &Body::Range(&source, rest))
            .unwrap();
    assert_eq!((rejected.status, rejected.code().as_str()), (410, "upload-aborted"));
    assert_eq!(rejected.json()["retryable"], false);
    assert_eq!(ietf::head(NEWEST, &edge, &upload).status, 410);
    assert!(edge.sandbox.objects().is_empty());
    assert!(edge.sandbox.uploads().is_empty());
}

fn create(edge: &Edge, more: Headers<'_>) -> Upload {
    Upload::from_response(&ietf::create(NEWEST, edge, false, more, &Body::Bytes(b"")))
}

fn send(edge: &Edge, upload: &Upload, source: &Source, range: std::ops::Range<u64>) {
    let (begin, end) = (range.start, range.end);
    let body = Body::Range(source, range);
    let stored = ietf::append(NEWEST, edge, upload, (begin, false), &[], &body).unwrap();
    assert_eq!((stored.status, stored.offset()), (204, end), "{}", stored.text());
}

fn digest(source: &Source) -> String {
    digest_field("sha-256", &source.bytes(source.all()))
}
