//! Runs that are stopped, and go on.

use serde_json::json;
use vod_uploader_component_tests::app_host::{AppHost, PART_BYTES};
use vod_uploader_component_tests::application::{Mode, OfferedFile};

use crate::support::{is_whole, part_bytes_sent};

#[test]
fn a_run_that_was_stopped_goes_on_from_the_checkpoint() {
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
    let checkpoint = application.about("get-checkpoint", id).unwrap();
    assert_eq!(checkpoint["durable"], durable);
    assert_eq!(checkpoint["media_id"], host.sandbox.media()[0]["id"]);
    assert_eq!(checkpoint["upload_id"], host.sandbox.uploads()[0]["upload_id"]);

    application.offer_whole(id);
    application.start();
    application.finish();
    let wanted = application.last("SourceRequested", id);
    assert_eq!(wanted.payload["offset"], durable);
    is_whole(&host, &application, id, &file);
    assert_eq!(part_bytes_sent(&host), file.size);
    assert_eq!(application.about("get-checkpoint", id).unwrap(), json!(null));
}

#[test]
fn a_stop_in_the_middle_of_requests_sends_at_most_those_again() {
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
    is_whole(&host, &application, id, &file);
    let again = part_bytes_sent(&host) - file.size;
    assert!(again <= 5 * PART_BYTES, "{again} bytes were sent again");
}

#[test]
fn a_file_that_is_handed_in_piece_by_piece_is_asked_for_where_each_piece_ends() {
    let host = AppHost::start();
    let mut application = host.application(Mode::Credential, &json!({}));
    let file = OfferedFile::new("film.mp4", 3, 5 * PART_BYTES + 5);
    let id = application.add(file.clone().pause_at(0));
    application.start();
    let mut end = 0;
    let mut pieces = 0;
    while end < file.size {
        let wanted = application.run_until(|event| event.is("SourceRequested", id));
        assert_eq!(wanted.payload["offset"], end);
        end = (end + PART_BYTES + 30_000).min(file.size);
        application.app.call("send-until", json!({ "file": id, "offset": end })).unwrap();
        application.does("end-source", id);
        pieces += 1;
    }
    application.finish();
    assert_eq!(pieces, 4);
    is_whole(&host, &application, id, &file);
}
