//! Parts that are too large for a buffer are streamed from the source to OSS.

use serde_json::json;
use vod_uploader_component_tests::app_host::AppHost;
use vod_uploader_component_tests::application::{Mode, OfferedFile};

use crate::support::assert_complete;

const PART_BYTES: u64 = 20 << 20;

#[test]
fn the_bytes_of_a_failed_streamed_part_are_requested_again() {
    let host = AppHost::start();
    let mut application = host.application(Mode::Credential, &options(3));
    let file = OfferedFile::new("film.mp4", 1, 2 * PART_BYTES + 5_000_000);
    let id = application.add(file.clone());
    host.sandbox.fault(&fails(2, 1));
    application.start();
    application.finish();
    assert_complete(&host, &application, id, &file);
    let requested = application.events.iter().filter(|event| event.is("SourceRequested", id));
    let offsets: Vec<_> =
        requested.map(|event| event.payload["offset"].as_u64().unwrap()).collect();
    assert_eq!(offsets, [0, PART_BYTES]);
}

#[test]
fn a_streamed_part_is_retried_as_often_as_any_request() {
    let host = AppHost::start();
    let mut application = host.application(Mode::Credential, &options(2));
    let file = OfferedFile::new("film.mp4", 1, 2 * PART_BYTES);
    let id = application.add(file);
    host.sandbox.fault(&fails(2, 0));
    application.start();
    application.finish();
    let failed = application.last("Failed", id);
    assert_eq!(failed.payload["durable"], PART_BYTES, "{failed}");
    let requested = application.events.iter().filter(|event| event.is("SourceRequested", id));
    assert_eq!(requested.count(), 3);
}

fn options(retry_count: u32) -> serde_json::Value {
    json!({ "part_size": PART_BYTES, "retry_count": retry_count, "retry_duration": 0 })
}

fn fails(nth: u64, times: u64) -> serde_json::Value {
    json!({
        "operation": "UploadPart",
        "nth": nth,
        "times": times,
        "kind": "status",
        "status": 503,
        "code": "ServiceUnavailable",
    })
}
