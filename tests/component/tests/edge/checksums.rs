//! tus: checksums of chunks. No byte of a chunk with a wrong checksum is stored, and the correct
//! chunk continues at its offset.

use serde_json::json;
use vod_uploader_component_tests::body::Body;
use vod_uploader_component_tests::checksum::{ALGORITHMS, tus_checksum};
use vod_uploader_component_tests::edge::{Edge, Setup};
use vod_uploader_component_tests::source::{KIB, MIB, Source};
use vod_uploader_component_tests::tus::{self, CHUNK_TYPE, Upload, VERSION};
use vod_uploader_component_tests::wait;
use vod_uploader_wire::{Framing, Request, Response};

const HEADER: &str = "upload-checksum";

#[test]
fn a_chunk_is_stored_only_if_its_checksum_matches() {
    let edge = Setup::new().start();
    for (seed, algorithm) in (500..).zip(ALGORITHMS) {
        let source = Source::new(seed, 2 * MIB + 77);
        let upload = Upload::create(&edge, source.length());
        for (begin, end) in [(0, MIB + 700_000), (MIB + 700_000, MIB + 700_010)]
            .into_iter()
            .chain([(MIB + 700_010, MIB + 700_099), (MIB + 700_099, source.length())])
        {
            let bytes = source.bytes(begin..end);
            let checksum = tus_checksum(algorithm, &bytes);
            let mut wrong = bytes.clone();
            *wrong.last_mut().unwrap() ^= 1;
            assert_rejected(&checked(&edge, &upload, &checksum, begin, &wrong), begin);
            assert_eq!(upload.offset(&edge), begin, "{algorithm}");
            let stored = checked(&edge, &upload, &checksum, begin, &bytes);
            assert_eq!((stored.status, stored.offset()), (204, end), "{algorithm}");
            assert_eq!(upload.offset(&edge), end, "{algorithm}");
        }
        upload.assert_complete(&edge, &source);
    }
}

#[test]
fn a_wrong_checksum_of_a_chunk_of_many_parts_stores_none_of_them() {
    let edge = Setup::new().start();
    let source = Source::new(510, 24 * MIB);
    let upload = Upload::create(&edge, source.length());
    // After complete parts, and after less than a part.
    for begin in [0, 20 * MIB + 1_000] {
        let end = (begin + 20 * MIB).min(source.length());
        if begin > 0 {
            let stored = upload.patch(&edge, &source, 0..begin).unwrap();
            assert_eq!((stored.status, stored.offset()), (204, begin));
        }
        let bytes = source.bytes(begin..end);
        let checksum = tus_checksum("sha256", &bytes);
        for at in [0, bytes.len() / 2, bytes.len() - 1] {
            let mut wrong = bytes.clone();
            wrong[at] ^= 0x80;
            assert_rejected(&checked(&edge, &upload, &checksum, begin, &wrong), begin);
            assert_eq!(upload.offset(&edge), begin);
        }
    }
    let begin = 20 * MIB + 1_000;
    let bytes = source.bytes(begin..source.length());
    let stored = checked(&edge, &upload, &tus_checksum("md5", &bytes), begin, &bytes);
    assert_eq!((stored.status, stored.offset()), (204, source.length()));
    upload.assert_complete(&edge, &source);
}

#[test]
fn a_creation_with_a_wrong_checksum_creates_an_empty_upload() {
    let edge = Setup::new().start();
    for (seed, length) in [(520, 90 * KIB), (521, 2 * MIB + 5)] {
        let source = Source::new(seed, length);
        let bytes = source.bytes(source.all());
        let other = Source::new(seed + 10, length).bytes(source.all());
        let checksum = tus_checksum("sha1", &bytes);
        let rejected = created_with(&edge, &checksum, length, &other);
        assert_rejected(&rejected, 0);
        let path = rejected.header("location").expect("it was created").to_owned();
        let upload = Upload { path, media_id: String::new(), media_token: String::new() };
        assert_eq!(upload.offset(&edge), 0);
        let stored = checked(&edge, &upload, &checksum, 0, &bytes);
        assert_eq!((stored.status, stored.offset()), (204, length), "{}", stored.text());
        upload.assert_complete(&edge, &source);

        let created = created_with(&edge, &checksum, length, &bytes);
        assert_eq!((created.status, created.offset()), (201, length), "{}", created.text());
        Upload::from_response(&created).assert_complete(&edge, &source);
    }
}

#[test]
fn a_checksum_in_a_trailer_is_verified() {
    let edge = Setup::new().start();
    let source = Source::new(530, MIB + 9);
    let bytes = source.bytes(source.all());
    for algorithm in ALGORITHMS {
        let right = tus_checksum(algorithm, &bytes);
        let wrong = tus_checksum(algorithm, &bytes[1..]);
        let upload = Upload::create(&edge, source.length());
        assert_rejected(&with_trailer(&edge, &upload, &bytes, Some((HEADER, &wrong))), 0);
        let invalid =
            [Some(("x-other", right.as_str())), Some((HEADER, "crc64 AAAAAAAAAAA=")), None];
        for trailer in invalid.into_iter().chain([Some((HEADER, ""))]) {
            let rejected = with_trailer(&edge, &upload, &bytes, trailer);
            assert_eq!((rejected.status, rejected.offset()), (400, 0), "{trailer:?}");
            assert_eq!(rejected.code(), "upload-checksum-invalid", "{trailer:?}");
            assert_eq!(upload.offset(&edge), 0, "{trailer:?}");
        }
        let stored = with_trailer(&edge, &upload, &bytes, Some((HEADER, &right)));
        assert_eq!((stored.status, stored.offset()), (204, source.length()), "{algorithm}");
        upload.assert_complete(&edge, &source);
    }
}

#[test]
fn an_interrupted_chunk_with_a_checksum_does_not_change_the_offset() {
    let edge = Setup::new().start();
    let source = Source::new(540, 6 * MIB);
    let upload = Upload::create(&edge, source.length());
    let begin = MIB + 50_000;
    assert_eq!(upload.patch(&edge, &source, 0..begin).unwrap().offset(), begin);
    let bytes = source.bytes(begin..source.length());
    let checksum = tus_checksum("crc32", &bytes);
    let offset = begin.to_string();
    let headers = [VERSION, CHUNK_TYPE, (HEADER, checksum.as_str()), ("upload-offset", &offset)];
    let framing = Framing::Length(bytes.len() as u64);
    // With a disconnect, and with an offset query of a stalled client.
    for stalls in [false, true] {
        edge.sandbox.reset_requests();
        let mut patch = edge.start("PATCH", &upload.path, &headers, framing);
        patch.send(&bytes[..3 << 20]);
        wait::until("parts are on the store", || {
            (edge.sandbox.requests("UploadPart") >= 2).then_some(())
        });
        assert_eq!(upload.bytes_durable(&edge), begin);
        let patch = stalls.then_some(patch);
        assert_eq!(upload.offset(&edge), begin);
        if let Some(ended) = patch {
            let ended = ended.response().unwrap();
            assert_eq!((ended.status, ended.code().as_str()), (409, "taken-over"));
        }
    }
    let stored = checked(&edge, &upload, &checksum, begin, &bytes);
    assert_eq!((stored.status, stored.offset()), (204, source.length()), "{}", stored.text());
    upload.assert_complete(&edge, &source);
}

#[test]
fn a_wrong_checksum_detected_before_oss_responds_stores_nothing() {
    let edge = Setup::new().start();
    let source = Source::new(550, 3 * MIB);
    let bytes = source.bytes(source.all());
    let (right, wrong) = (tus_checksum("sha1", &bytes), tus_checksum("sha1", &bytes[1..]));
    for operation in ["InitiateMultipartUpload", "UploadPart"] {
        let upload = Upload::create(&edge, source.length());
        let slow = json!({ "operation": operation, "kind": "delay", "delay_ms": 400 });
        edge.sandbox.fault(&slow);
        assert_rejected(&checked(&edge, &upload, &wrong, 0, &bytes), 0);
        assert_eq!(upload.offset(&edge), 0);
        let stored = checked(&edge, &upload, &right, 0, &bytes);
        assert_eq!((stored.status, stored.offset()), (204, source.length()), "{operation}");
        upload.assert_complete(&edge, &source);
        edge.sandbox.clear_faults();
    }
}

#[test]
fn a_kill_during_a_chunk_with_a_checksum_does_not_change_the_offset() {
    let mut edge = Setup::new().start();
    let source = Source::new(545, 6 * MIB);
    let upload = Upload::create(&edge, source.length());
    let begin = 2 * MIB + 70_000;
    assert_eq!(upload.patch(&edge, &source, 0..begin).unwrap().offset(), begin);
    let bytes = source.bytes(begin..source.length());
    let checksum = tus_checksum("md5", &bytes);
    for _ in 0..2 {
        edge.sandbox.reset_requests();
        let offset = begin.to_string();
        let headers =
            [VERSION, CHUNK_TYPE, (HEADER, checksum.as_str()), ("upload-offset", &offset)];
        let framing = Framing::Length(bytes.len() as u64);
        let mut patch = edge.start("PATCH", &upload.path, &headers, framing);
        // These bytes differ from those of the checksum.
        patch.send(&source.bytes(0..3 * MIB));
        wait::until("parts are on the store", || {
            (edge.sandbox.requests("UploadPart") >= 2).then_some(())
        });
        edge.kill_host();
        edge.start_host();
        assert_eq!(upload.offset(&edge), begin);
    }
    let stored = checked(&edge, &upload, &checksum, begin, &bytes);
    assert_eq!((stored.status, stored.offset()), (204, source.length()), "{}", stored.text());
    upload.assert_complete(&edge, &source);
}

fn checked(edge: &Edge, upload: &Upload, checksum: &str, begin: u64, bytes: &[u8]) -> Response {
    upload.patch_with(edge, &[(HEADER, checksum)], begin, &Body::Bytes(bytes)).unwrap()
}

fn created_with(edge: &Edge, checksum: &str, length: u64, bytes: &[u8]) -> Response {
    let length = length.to_string();
    let metadata = tus::metadata(&[("filename", "clip.mp4")]);
    let headers = [
        VERSION,
        CHUNK_TYPE,
        (HEADER, checksum),
        ("upload-length", &length),
        ("upload-metadata", &metadata),
    ];
    edge.request("POST", "/v1/files", &headers, &Body::Bytes(bytes)).unwrap()
}

fn with_trailer(
    edge: &Edge,
    upload: &Upload,
    bytes: &[u8],
    trailer: Option<(&str, &str)>,
) -> Response {
    let headers = [VERSION, CHUNK_TYPE, ("upload-offset", "0"), ("trailer", "Upload-Checksum")];
    let mut request =
        Request::new("PATCH", &upload.path).headers(&headers).framing(Framing::Chunked);
    request.trailers.extend(trailer.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let mut patch = edge.client().start(&request).unwrap();
    patch.send(bytes);
    patch.finish().unwrap()
}

fn assert_rejected(response: &Response, offset: u64) {
    assert_eq!(response.status, 460, "{}", response.text());
    assert_eq!((response.code().as_str(), response.offset()), ("digest-mismatch", offset));
    assert_eq!(response.json()["title"], "Checksum Mismatch");
}
