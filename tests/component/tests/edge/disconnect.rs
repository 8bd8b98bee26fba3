//! Clients that disconnect or stall within a request.

use std::time::{Duration, Instant};

use vod_uploader_component_tests::edge::Setup;
use vod_uploader_component_tests::key_value;
use vod_uploader_component_tests::source::{MIB, Source, sha256};
use vod_uploader_component_tests::tus::Upload;
use vod_uploader_component_tests::wait;

#[test]
fn acknowledged_bytes_remain_after_a_client_disconnects() {
    let edge = Setup::new().start();
    let source = Source::new(61, 8 * MIB);
    let upload = Upload::create(&edge, source.length());
    let sent = 3 * MIB + 500_000;
    let mut patch = upload.start_patch(&edge.client(), 0, source.length()).unwrap();
    assert!(patch.send(&source.bytes(0..sent)));
    wait::until("three parts are acknowledged", || {
        (upload.bytes_durable(&edge) == 3 * MIB).then_some(())
    });
    drop(patch);
    // The received bytes of the fourth part are stored as a short part.
    wait::until("the rest of the request is acknowledged", || {
        (upload.bytes_durable(&edge) == sent).then_some(())
    });
    upload.finish(&edge, &source);
    let object = edge.sandbox.only_object();
    assert_eq!(sha256(&edge.sandbox.object_bytes(&object.key)), source.sha256());
    assert_eq!(edge.sandbox.counts("UploadPart")["bytes"], source.length());
}

#[test]
fn fewer_bytes_than_a_part_remain_after_a_client_disconnects() {
    let edge = Setup::new().start();
    let source = Source::new(62, 2 * MIB);
    let upload = Upload::create(&edge, source.length());
    let mut patch = upload.start_patch(&edge.client(), 0, source.length()).unwrap();
    assert!(patch.send(&source.bytes(0..1_234)));
    drop(patch);
    wait::until("the bytes are acknowledged", || {
        (upload.bytes_durable(&edge) == 1_234).then_some(())
    });
    assert_eq!(edge.sandbox.requests("UploadPart"), 0);
    upload.finish(&edge, &source);
    assert_eq!(edge.sandbox.only_object().crc64, source.crc64());
}

#[test]
fn an_interrupted_put_leaves_nothing_in_oss() {
    use vod_uploader_wire::Framing;
    for framing in [Framing::Length(8 * MIB), Framing::Chunked] {
        let edge = Setup::new().start();
        let source = Source::new(63, 8 * MIB);
        let mut put = edge.start("PUT", "/v1/uploads/clip.mp4", &[], framing);
        assert!(put.send(&source.bytes(0..3 * MIB)));
        wait::until("parts are on the store", || {
            (edge.sandbox.requests("UploadPart") >= 2).then_some(())
        });
        drop(put);
        wait::until("the upload is aborted", || {
            let aborted = edge.sandbox.requests("AbortMultipartUpload") > 0;
            (aborted && edge.sandbox.uploads().is_empty()).then_some(())
        });
        assert!(edge.sandbox.objects().is_empty());
    }
}

/// Offset at which a client stalls: three parts and half of the fourth.
const STALLED_AT: u64 = 3 * MIB + 500_000;

#[test]
fn another_connection_takes_over_from_a_stalled_client() {
    let edge = Setup::new().start();
    let source = Source::new(64, 8 * MIB);
    let upload = Upload::create(&edge, source.length());
    let mut stalled = upload.start_patch(&edge.client(), 0, source.length()).unwrap();
    assert!(stalled.send(&source.bytes(0..STALLED_AT)));
    wait::until("three parts are acknowledged", || {
        (upload.bytes_durable(&edge) == 3 * MIB).then_some(())
    });
    // The offset query ends the stalled request, and all received bytes are stored.
    assert_eq!(upload.offset(&edge), STALLED_AT);
    let ended = stalled.response().unwrap();
    assert!(!ended.is_success(), "{}", ended.status);
    assert_eq!(ended.offset(), STALLED_AT);

    let stored = upload.patch(&edge, &source, STALLED_AT..source.length()).unwrap();
    assert_eq!((stored.status, stored.offset()), (204, source.length()), "{}", stored.text());
    let object = edge.sandbox.only_object();
    assert_eq!(sha256(&edge.sandbox.object_bytes(&object.key)), source.sha256());
    assert_eq!(edge.sandbox.counts("UploadPart")["bytes"], source.length());
    assert_eq!(upload.offset(&edge), source.length());
}

#[test]
fn the_offset_is_reported_within_200_ms_while_a_client_is_stalled() {
    let edge = Setup::new().start();
    let source = Source::new(66, 4 * MIB);
    let mut latencies: Vec<_> = (0..9)
        .map(|_| {
            let upload = Upload::create(&edge, source.length());
            let mut stalled = upload.start_patch(&edge.client(), 0, source.length()).unwrap();
            assert!(stalled.send(&source.bytes(0..MIB + 9)));
            wait::until("a part is acknowledged", || {
                (upload.bytes_durable(&edge) == MIB).then_some(())
            });
            let asked = Instant::now();
            assert_eq!(upload.offset(&edge), MIB + 9);
            asked.elapsed()
        })
        .collect();
    latencies.sort_unstable();
    assert!(latencies[4] < Duration::from_millis(200), "{latencies:?}");
}

#[test]
fn a_stalled_client_in_another_instance_is_stopped() {
    let edge = Setup::new().start();
    let source = Source::new(68, 3 * MIB);
    let client = edge.client();
    // More requests than one instance serves concurrently.
    let stalled: Vec<_> = (0..24)
        .map(|number| {
            let upload = Upload::create(&edge, source.length());
            let mut patch = upload.start_patch(&client, 0, source.length()).unwrap();
            let sent = MIB + 1_000 * number;
            assert!(patch.send(&source.bytes(0..sent)));
            wait::until("a part is acknowledged", || {
                (upload.bytes_durable(&edge) == MIB).then_some(())
            });
            (upload, patch, sent)
        })
        .collect();
    assert!(edge.stats().count("instances_live") > 1, "{:?}", edge.stats());
    for (upload, patch, sent) in stalled {
        assert_eq!(upload.offset(&edge), sent);
        let ended = patch.response().unwrap();
        assert!(!ended.is_success(), "{}", ended.status);
        assert_eq!(ended.offset(), sent);
    }
}

#[test]
fn a_takeover_without_an_offset_query_resumes_at_the_last_part() {
    let edge = Setup::new().start();
    let source = Source::new(67, 8 * MIB);
    let upload = Upload::create(&edge, source.length());
    let mut stalled = upload.start_patch(&edge.client(), 0, source.length()).unwrap();
    assert!(stalled.send(&source.bytes(0..STALLED_AT)));
    wait::until("three parts are acknowledged", || {
        (upload.bytes_durable(&edge) == 3 * MIB).then_some(())
    });
    // The second request may receive the final offset of the stalled request.
    let response = upload.patch(&edge, &source, 3 * MIB..source.length()).unwrap();
    if !response.is_success() {
        assert_eq!(response.status, 409, "{}", response.text());
        upload.finish(&edge, &source);
    }
    // The stalled request continues, and must not succeed.
    stalled.send(&source.bytes(STALLED_AT..source.length()));
    if let Ok(response) = stalled.finish() {
        assert_eq!(response.status, 409, "{}", response.text());
    }
    let object = edge.sandbox.only_object();
    assert_eq!(sha256(&edge.sandbox.object_bytes(&object.key)), source.sha256());
    assert_eq!(upload.state(&edge), "completed");
}

#[test]
fn a_stalled_client_with_less_than_a_part_loses_no_bytes() {
    let edge = Setup::new().start();
    let source = Source::new(65, 3 * MIB);
    let upload = Upload::create(&edge, source.length());
    let mut stalled = upload.start_patch(&edge.client(), 0, source.length()).unwrap();
    assert!(stalled.send(&source.bytes(0..400_000)));
    wait::until("it is active", || {
        let records = key_value::records(&edge.host_dir());
        records.iter().any(|(key, _)| key.ends_with(".c.1")).then_some(())
    });
    assert_eq!(upload.offset(&edge), 400_000);
    upload.finish(&edge, &source);
    drop(stalled);
    assert_eq!(edge.sandbox.only_object().crc64, source.crc64());
    assert_eq!(upload.state(&edge), "completed");
}
