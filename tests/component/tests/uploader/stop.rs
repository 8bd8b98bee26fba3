//! Runs that are stopped and resumed.

use serde_json::json;
use vod_uploader_component_tests::app_host::{AppHost, PART_BYTES};
use vod_uploader_component_tests::application::{Mode, OfferedFile};

use crate::support::{assert_complete, part_bytes_sent};

#[test]
fn a_stopped_run_resumes_from_the_checkpoint() {
    let host = AppHost::start();
    let mut application = host.application(Mode::Credential, &json!({}));
    let file = OfferedFile::new("film.mp4", 1, 20 * PART_BYTES + 20).last_modified();
    let id = application.add(file.clone().pause_at(10 * PART_BYTES + 9));
    application.start();
    application.run_until_durable(id, 10 * PART_BYTES);
    application.app.call("stop-upload", json!({})).unwrap();
    let again = application.app.call("stop-upload", json!({})).unwrap_err();
    assert_eq!(again.code(), "QueueStateWrong");
    let stopped = application.run_until(|event| event.is("Stopped", id));
    let durable = stopped.payload["durable"].as_u64().unwrap();
    assert!(durable >= 10 * PART_BYTES, "{stopped}");
    assert_eq!(application.app.call("state", json!({})).unwrap(), "Stop");
    let checkpoint = application.try_call_file("get-checkpoint", id).unwrap();
    assert_eq!(checkpoint["durable"], durable);
    assert_eq!(checkpoint["media_id"], host.sandbox.media()[0]["id"]);
    assert_eq!(checkpoint["upload_id"], host.sandbox.uploads()[0]["upload_id"]);

    application.offer_all(id);
    application.start();
    application.finish();
    let requested = application.last("SourceRequested", id);
    assert_eq!(requested.payload["offset"], durable);
    assert_complete(&host, &application, id, &file);
    assert_eq!(part_bytes_sent(&host), file.size);
    assert_eq!(application.try_call_file("get-checkpoint", id).unwrap(), json!(null));
}

#[test]
fn a_stop_during_requests_repeats_at_most_those_requests() {
    let host = AppHost::start();
    let mut application = host.application(Mode::Credential, &json!({}));
    let file = OfferedFile::new("film.mp4", 2, 12 * PART_BYTES);
    let id = application.add(file.clone());
    let hang = json!({ "operation": "UploadPart", "nth": 6, "times": 0, "kind": "hang" });
    host.sandbox.fault(&hang);
    application.start();
    // Five of the first seven parts are stored: at least three in a row.
    application.run_until_durable(id, 3 * PART_BYTES);
    application.app.call("stop-upload", json!({})).unwrap();
    application.run_until(|event| event.is("Stopped", id));
    host.sandbox.clear_faults();
    application.start();
    application.finish();
    assert_complete(&host, &application, id, &file);
    let again = part_bytes_sent(&host) - file.size;
    assert!(again <= 5 * PART_BYTES, "{again} bytes were sent again");
}

#[test]
fn a_file_supplied_in_several_streams_is_requested_where_each_ends() {
    let host = AppHost::start();
    let mut application = host.application(Mode::Credential, &json!({}));
    let file = OfferedFile::new("film.mp4", 3, 5 * PART_BYTES + 5);
    let id = application.add(file.clone().pause_at(0));
    application.start();
    let mut end = 0;
    let mut streams = 0;
    while end < file.size {
        let requested = application.run_until(|event| event.is("SourceRequested", id));
        assert_eq!(requested.payload["offset"], end);
        end = (end + PART_BYTES + 30_000).min(file.size);
        application.app.call("send-until", json!({ "file": id, "offset": end })).unwrap();
        application.call_file("end-source", id);
        streams += 1;
    }
    application.finish();
    assert_eq!(streams, 4);
    assert_complete(&host, &application, id, &file);
}
