//! Hosts that are killed during an upload.

use serde_json::json;
use vod_uploader_component_tests::app_host::{AppHost, PART_BYTES};
use vod_uploader_component_tests::application::{Mode, OfferedFile};
use vod_uploader_component_tests::wait;

use crate::support::{assert_complete, part_bytes_sent};

const LENGTH: u64 = 24 * PART_BYTES + 24;

#[test]
fn a_file_identified_by_its_modification_time_resumes_after_a_kill() {
    survives_a_kill(&OfferedFile::new("film.mp4", 1, LENGTH).last_modified());
}

#[test]
fn a_file_identified_by_its_content_sample_resumes_after_a_kill() {
    let file = OfferedFile::new("film.mp4", 2, LENGTH);
    let source = file.source();
    let edges = json!({
        "first": source.bytes(0..65_536),
        "last": source.bytes(LENGTH - 65_536..LENGTH),
    });
    survives_a_kill(&file.with("content_sample", edges));
}

#[test]
fn a_file_without_a_fingerprint_restarts_after_a_kill() {
    let host = AppHost::start();
    let file = OfferedFile::new("film.mp4", 3, LENGTH);
    kill_in_the_middle(&host, &file);
    let mut application = host.application(Mode::Credential, &json!({}));
    let id = application.add(file.clone());
    application.start();
    application.finish();
    let started = application.last("UploadStarted", id);
    assert_eq!((started.text("media_id"), &started.payload["durable"]), (None, &json!(0)));
    assert_complete(&host, &application, id, &file);
}

#[test]
fn a_file_with_another_modification_time_does_not_resume() {
    let host = AppHost::start();
    let file = OfferedFile::new("film.mp4", 4, LENGTH).last_modified();
    kill_in_the_middle(&host, &file);
    let mut application = host.application(Mode::Credential, &json!({}));
    let id = application.add(file.with("last_modified", 1_800_000_000_000_u64));
    application.start();
    application.finish();
    assert_eq!(application.last("UploadStarted", id).payload["durable"], 0);
}

fn survives_a_kill(file: &OfferedFile) {
    let host = AppHost::start();
    let durable = kill_in_the_middle(&host, file);
    let media_id = host.sandbox.media()[0]["id"].clone();
    let sent_before = part_bytes_sent(&host);
    let mut application = host.application(Mode::Credential, &json!({}));
    let id = application.add(file.clone());
    application.start();
    application.finish();
    let started = application.last("UploadStarted", id);
    assert_eq!(started.payload["media_id"], media_id);
    let continued = started.payload["durable"].as_u64().unwrap();
    assert!(continued >= durable, "{continued} after {durable}");
    assert_eq!(application.last("SourceRequested", id).payload["offset"], continued);
    assert_complete(&host, &application, id, file);
    assert_eq!(part_bytes_sent(&host) - sent_before, LENGTH - continued);
    assert_eq!(host.sandbox.requests("CreateUploadVideo"), 1);
    assert!(host.sandbox.uploads().is_empty());
}

/// Kills the host while parts are in flight, and returns the durable offset.
fn kill_in_the_middle(host: &AppHost, file: &OfferedFile) -> u64 {
    let mut application = host.application(Mode::Credential, &json!({}));
    let id = application.add(file.clone());
    let hang = json!({ "operation": "UploadPart", "nth": 12, "times": 0, "kind": "hang" });
    host.sandbox.fault(&hang);
    application.start();
    // Eleven of the first thirteen parts are stored: at least nine in a row.
    application.run_until_durable(id, 9 * PART_BYTES);
    host.kill_host();
    host.sandbox.clear_faults();
    wait::until("OSS has no request in progress", || {
        (host.sandbox.counts("UploadPart")["in_flight"] == 0).then_some(())
    });
    let durable = application.last("Progress", id).durable(id).unwrap();
    host.start_host();
    durable
}
