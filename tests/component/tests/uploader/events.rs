//! The order of events, and unread events.

use serde_json::json;
use vod_uploader_component_tests::app_host::{AppHost, PART_BYTES};
use vod_uploader_component_tests::application::{Mode, OfferedFile};
use vod_uploader_component_tests::vod::create_upload_video;
use vod_uploader_component_tests::wait;

use crate::support::assert_complete;

const EVENT_ORDER: [&str; 5] =
    ["FileAdded", "UploadStarted", "SourceRequested", "Progress", "Succeeded"];

#[test]
fn events_are_emitted_in_the_documented_order() {
    let host = AppHost::start();
    let mut application = host.application(Mode::Credential, &json!({ "parallel_files": 3 }));
    let files: Vec<_> =
        (1..=3).map(|n| OfferedFile::new(&format!("{n}.mp4"), n, 9 * PART_BYTES + n)).collect();
    let ids: Vec<_> = files.iter().map(|file| application.add(file.clone())).collect();
    application.start();
    application.finish();
    for (id, file) in ids.into_iter().zip(&files) {
        assert_eq!(application.event_names(id), EVENT_ORDER);
        let progress: Vec<_> =
            application.events.iter().filter(|event| event.is("Progress", id)).collect();
        let durable: Vec<_> = progress.iter().filter_map(|event| event.durable(id)).collect();
        assert!(durable.is_sorted(), "{durable:?}");
        assert_eq!(durable.last(), Some(&file.size));
        for event in &progress[..progress.len() - 1] {
            let progress = &event.payload["progress"];
            assert!(progress["fraction"].as_f64().unwrap() <= 0.99, "{event}");
            assert!(progress["sent"].as_u64().unwrap() >= event.durable(id).unwrap(), "{event}");
            assert_eq!(progress["total"], file.size);
        }
        assert_eq!(progress.last().unwrap().payload["progress"]["fraction"], 1.0);
    }
    assert_eq!(application.events.last().unwrap().name, "UploadEnd");
    // A run without work ends immediately.
    application.start();
    application.finish();
    let ends = application.events.iter().filter(|event| event.name == "UploadEnd").count();
    assert_eq!(ends, 2);
}

#[test]
fn an_upload_completes_although_its_events_are_not_read() {
    for reader in ["unread-events", "drop-events"] {
        let host = AppHost::start();
        let mut app = host.converse();
        let options = json!({ "part_size": PART_BYTES });
        app.call("create", json!({ "options": options })).unwrap();
        app.call("unread-events", json!({})).unwrap();
        if reader == "drop-events" {
            app.call("drop-events", json!({})).unwrap();
        }
        let file = OfferedFile::new("film.mp4", 1, 40 * PART_BYTES + 1);
        let new = json!({ "name": file.name, "size": file.size });
        let id = app.call("add-file", json!({ "file": new })).unwrap();
        let credential = create_upload_video(&host.sandbox, &host.sandbox.nonce());
        let supplied = json!({
            "file": id,
            "upload_auth": credential.auth,
            "upload_address": credential.address,
            "media_id": credential.media_id,
        });
        app.call("set-upload-auth-and-address", supplied).unwrap();
        app.call("start-upload", json!({})).unwrap();
        let mut state = || app.call("list-files", json!({})).unwrap()[0]["state"].clone();
        wait::until("bytes are requested", || {
            (state() == json!({ "Uploading": "AwaitingSource" })).then_some(())
        });
        let supply = json!({ "file": id, "offset": 0, "seed": file.seed, "tells_end": false });
        app.call("supply-source", supply).unwrap();
        app.call("send-until", json!({ "file": id, "offset": file.size })).unwrap();
        app.call("end-source", json!({ "file": id })).unwrap();
        let mut state = || app.call("list-files", json!({})).unwrap()[0]["state"].clone();
        wait::until("the file is uploaded", || (state() == "Success").then_some(()));
        assert_eq!(host.sandbox.only_object().crc64, file.source().crc64());
    }
}

#[test]
fn dropping_the_uploader_ends_its_events_and_keeps_durable_bytes() {
    let host = AppHost::start();
    let mut application = host.application(Mode::Credential, &json!({}));
    let file = OfferedFile::new("film.mp4", 2, 8 * PART_BYTES).last_modified();
    let id = application.add(file.clone().pause_at(3 * PART_BYTES + 9));
    application.start();
    application.run_until_durable(id, 3 * PART_BYTES);
    assert_eq!(application.supplied.len(), 1);
    application.app.call("drop", json!({})).unwrap();
    while let Some(event) = application.app.event() {
        assert_ne!(event.name, "Succeeded");
    }
    // The reader of the stream was dropped: further bytes are not accepted.
    application.app.call("send-until", json!({ "file": id, "offset": file.size })).unwrap();
    application.app.end();

    let mut next = host.application(Mode::Credential, &json!({}));
    let id = next.add(file.clone());
    next.start();
    next.finish();
    let started = next.last("UploadStarted", id);
    assert!(started.text("media_id").is_some(), "{started}");
    assert!(started.payload["durable"].as_u64().unwrap() >= 3 * PART_BYTES, "{started}");
    assert_complete(&host, &next, id, &file);
}
