//! Clients that go away in the middle, and clients that only seem to be there.

use std::time::{Duration, Instant};

use vod_uploader_component_tests::edge::Setup;
use vod_uploader_component_tests::source::{MIB, Source, sha256};
use vod_uploader_component_tests::tus::Upload;
use vod_uploader_component_tests::wait;

#[test]
fn everything_acknowledged_stays_when_a_client_closes_the_connection() {
    let edge = Setup::new().start();
    let source = Source::new(61, 8 * MIB);
    let upload = Upload::create(&edge, source.length());
    let sent = 3 * MIB + 500_000;
    let mut patch = upload.begin_patch(&edge.client(), 0, source.length()).unwrap();
    assert!(patch.send(&source.bytes(0..sent)));
    wait::until("three parts are acknowledged", || (upload.offset(&edge) == 3 * MIB).then_some(()));
    drop(patch);
    // What came of the fourth part is kept as a short one.
    wait::until("the rest of the request is acknowledged", || {
        (upload.offset(&edge) == sent).then_some(())
    });
    upload.finish(&edge, &source);
    let object = edge.sandbox.only_object();
    assert_eq!(sha256(&edge.sandbox.object_bytes(&object.key)), source.sha256());
    // Nothing was sent twice.
    assert_eq!(edge.sandbox.counts("UploadPart")["bytes"], source.length());
}

#[test]
fn a_few_bytes_of_a_client_that_closes_are_kept_too() {
    let edge = Setup::new().start();
    let source = Source::new(62, 2 * MIB);
    let upload = Upload::create(&edge, source.length());
    let mut patch = upload.begin_patch(&edge.client(), 0, source.length()).unwrap();
    assert!(patch.send(&source.bytes(0..1_234)));
    drop(patch);
    wait::until("the bytes are acknowledged", || (upload.offset(&edge) == 1_234).then_some(()));
    assert_eq!(edge.sandbox.requests("UploadPart"), 0);
    upload.finish(&edge, &source);
    assert_eq!(edge.sandbox.only_object().crc64, source.crc64());
}

#[test]
fn a_file_put_by_a_client_that_goes_away_leaves_nothing_on_the_store() {
    use vod_uploader_component_tests::http::Framing;
    for framing in [Framing::Length(8 * MIB), Framing::Chunked] {
        let edge = Setup::new().start();
        let source = Source::new(63, 8 * MIB);
        let client = edge.client();
        let mut put = client.begin("PUT", "/v1/uploads/clip.mp4", &[], framing).unwrap();
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

#[test]
fn while_a_client_hangs_another_connection_learns_the_offset_and_takes_over() {
    let edge = Setup::new().start();
    let source = Source::new(64, 8 * MIB);
    let upload = Upload::create(&edge, source.length());
    let mut hung = upload.begin_patch(&edge.client(), 0, source.length()).unwrap();
    assert!(hung.send(&source.bytes(0..3 * MIB + 500_000)));
    let offset = wait::until("three parts are acknowledged", || {
        let offset = upload.offset(&edge);
        (offset >= 3 * MIB).then_some(offset)
    });
    assert_eq!(offset, 3 * MIB);

    let mut latencies: Vec<_> = (0..15)
        .map(|_| {
            let asked = Instant::now();
            assert_eq!(upload.offset(&edge), offset);
            asked.elapsed()
        })
        .collect();
    latencies.sort_unstable();
    assert!(latencies[7] < Duration::from_millis(200), "{latencies:?}");

    let stored = upload.patch(&edge, &source, offset..source.length()).unwrap();
    assert_eq!((stored.status, stored.offset()), (204, source.length()), "{}", stored.text());
    let object = edge.sandbox.only_object();
    assert_eq!(sha256(&edge.sandbox.object_bytes(&object.key)), source.sha256());

    // The hung one goes on, and must not be told that it succeeded.
    hung.send(&source.bytes(3 * MIB + 500_000..source.length()));
    if let Ok(answer) = hung.finish() {
        assert_eq!((answer.status, answer.code().as_str()), (409, "taken-over"));
    }
    assert_eq!(edge.sandbox.only_object(), object);
    assert_eq!(upload.offset(&edge), source.length());
}

#[test]
fn a_client_that_hung_without_a_whole_part_is_taken_over_at_the_offset_before() {
    let edge = Setup::new().start();
    let source = Source::new(65, 3 * MIB);
    let upload = Upload::create(&edge, source.length());
    let mut hung = upload.begin_patch(&edge.client(), 0, source.length()).unwrap();
    assert!(hung.send(&source.bytes(0..400_000)));
    // Whichever of the two comes to the upload first: the one that goes on asking gets it.
    upload.finish(&edge, &source);
    drop(hung);
    assert_eq!(edge.sandbox.only_object().crc64, source.crc64());
    assert_eq!(upload.state(&edge), "completed");
}
