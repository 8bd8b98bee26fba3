//! Parts that are too large for a buffer are streamed.

use serde_json::json;
use vod_uploader_component_tests::body::Body;
use vod_uploader_component_tests::edge::{Edge, Setup};
use vod_uploader_component_tests::source::{MIB, Source, sha256};
use vod_uploader_component_tests::tus::Upload;
use vod_uploader_component_tests::wait;

const PART_BYTES: u64 = 20 * MIB;

#[test]
fn parts_of_20_mib_are_streamed_with_little_memory() {
    let edge = large_parts();
    let source = Source::new(41, 64 * MIB);
    let created = edge.put(&[], &Body::Range(&source, source.all()));
    assert_eq!(created.status, 201, "{}", created.text());
    assert_complete(&edge, &source);
    let counts = edge.sandbox.counts("UploadPart");
    assert_eq!(counts["by_part"], json!({ "1": 1, "2": 1, "3": 1, "4": 1 }));
    assert_eq!(counts["bytes"], source.length());
    let peak = edge.stats().count("component_memory_peak_bytes");
    // The last part has 4 MiB and is buffered.
    assert!(peak < 4 * MIB + 8 * MIB, "{peak} bytes of memory");
}

#[test]
fn a_client_disconnected_within_a_streamed_part_resumes_at_its_start() {
    let edge = large_parts();
    let source = Source::new(42, 64 * MIB);
    let upload = Upload::create(&edge, source.length());
    let mut patch = upload.start_patch(&edge.client(), 0, source.length()).unwrap();
    source.read(0..30 * MIB, |chunk| patch.send(chunk));
    wait::until("the first part is acknowledged", || {
        (upload.bytes_durable(&edge) == PART_BYTES).then_some(())
    });
    drop(patch);
    wait::until("OSS has no request in progress", || {
        (edge.sandbox.counts("UploadPart")["in_flight"] == 0).then_some(())
    });
    assert_eq!(upload.offset(&edge), PART_BYTES);
    let stored = upload.patch(&edge, &source, PART_BYTES..source.length()).unwrap();
    assert_eq!((stored.status, stored.offset()), (204, source.length()), "{}", stored.text());
    assert_complete(&edge, &source);
}

#[test]
fn a_streamed_part_interrupted_by_oss_is_an_error_and_can_be_resumed() {
    let edge = large_parts();
    let source = Source::new(43, 48 * MIB);
    for kind in ["reset-mid-body", "reset-after-body", "commit-then-reset", "wrong-crc"] {
        let upload = Upload::create(&edge, source.length());
        edge.sandbox.fault(&json!({ "operation": "UploadPart", "nth": 2, "kind": kind }));
        let rejected = upload.patch(&edge, &source, source.all()).unwrap();
        let code = if kind == "wrong-crc" { "checksum-mismatch" } else { "store-unavailable" };
        assert_eq!(rejected.code(), code, "{kind}: {} {}", rejected.status, rejected.text());
        assert_eq!(edge.sandbox.fault_hits(), 1, "{kind}");
        edge.sandbox.clear_faults();
        let offset = upload.offset(&edge);
        assert_eq!(offset, PART_BYTES, "{kind}");
        let stored = upload.patch(&edge, &source, offset..source.length()).unwrap();
        assert_eq!((stored.status, stored.offset()), (204, source.length()), "{kind}");
    }
    assert!(edge.sandbox.objects().iter().all(|object| object.crc64 == source.crc64()));
}

#[test]
fn a_request_of_unknown_length_is_split_into_buffered_parts() {
    let edge = large_parts();
    let source = Source::new(44, 50 * MIB);
    let created = edge.put(&[], &Body::Chunked(&source, source.all()));
    assert_eq!(created.status, 201, "{}", created.text());
    assert_complete(&edge, &source);
    let upload = Upload::create(&edge, source.length());
    let body = Body::Chunked(&source, source.all());
    let stored = upload.patch_with(&edge, &[], 0, &body).unwrap();
    assert_eq!((stored.status, stored.offset()), (204, source.length()), "{}", stored.text());
}

fn large_parts() -> Edge {
    Setup::new().variable("part_size_bytes", &PART_BYTES.to_string()).start()
}

fn assert_complete(edge: &Edge, source: &Source) {
    let object = edge.sandbox.only_object();
    assert_eq!((object.size, &object.crc64), (source.length(), &source.crc64()));
    assert_eq!(sha256(&edge.sandbox.object_bytes(&object.key)), source.sha256());
}
