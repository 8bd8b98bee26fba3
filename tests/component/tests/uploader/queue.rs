//! Complete runs of several files.

use serde_json::json;
use vod_uploader_component_tests::app_host::{AppHost, PART_BYTES};
use vod_uploader_component_tests::application::{Application, Mode, OfferedFile};

use crate::support::assert_complete;

#[test]
fn one_run_uploads_three_media_kinds_with_server_credentials() {
    let host = AppHost::start();
    let application = uploads_three_kinds(&host, Mode::Credential);
    // Each has a media ID of the application's calls.
    let mut kinds: Vec<_> = host.sandbox.media().iter().map(|m| m["kind"].to_string()).collect();
    kinds.sort();
    assert_eq!(kinds, ["\"attached\"", "\"image\"", "\"video\""]);
    assert_eq!(application.supplied.len(), 3);
}

#[test]
fn one_run_uploads_three_media_kinds_with_an_sts_token() {
    let host = AppHost::start();
    let application = uploads_three_kinds(&host, Mode::Sts);
    for call in ["CreateUploadVideo", "CreateUploadImage", "CreateUploadAttachedMedia"] {
        assert_eq!(host.sandbox.requests(call), 1, "{call}");
    }
    assert_eq!(host.sandbox.requests("RefreshUploadVideo"), 0);
    // Only VOD returns the URLs of images and auxiliary media.
    let urls: Vec<_> =
        (1..=3).map(|id| application.last("Succeeded", id).text("media_url").is_some()).collect();
    assert_eq!(urls.iter().filter(|has| **has).count(), 2, "{urls:?}");
}

#[test]
fn one_run_uploads_three_files_without_vod() {
    let host = AppHost::start();
    let application = uploads_three_kinds(&host, Mode::Direct);
    assert!(host.sandbox.media().is_empty());
    let mut keys: Vec<_> = host.sandbox.objects().into_iter().map(|object| object.key).collect();
    keys.sort();
    assert_eq!(keys, ["direct/film.mp4", "direct/poster.png", "direct/subtitles.srt"]);
    assert!((1..=3).all(|id| application.last("Succeeded", id).text("media_id").is_none()));
}

#[test]
fn parallel_files_limits_the_number_of_active_files() {
    let host = AppHost::start();
    let mut application = host.application(Mode::Credential, &json!({ "parallel_files": 2 }));
    let files: Vec<_> =
        (0..5).map(|n| OfferedFile::new(&format!("{n}.mp4"), n, 3 * PART_BYTES + n)).collect();
    let ids: Vec<_> = files.iter().map(|file| application.add(file.clone())).collect();
    application.start();
    application.finish();
    let mut running = 0;
    for event in &application.events {
        match event.name.as_str() {
            "UploadStarted" => running += 1,
            "Succeeded" => running -= 1,
            _ => {}
        }
        assert!(running <= 2, "{running} at once");
    }
    let started = application.events.iter().filter(|event| event.name == "UploadStarted");
    let started: Vec<_> = started.filter_map(|event| event.file()).collect();
    assert_eq!(started, ids, "not in the order of the list");
    for (id, file) in ids.iter().zip(&files) {
        assert_complete(&host, &application, *id, file);
    }
}

#[test]
fn vod_receives_the_files_param_data() {
    let host = AppHost::start();
    let mut application = host.application(Mode::Sts, &json!({}));
    let param_data = json!({ "Vod": { "Title": "Titel & mehr", "Tags": "a,b", "CateId": 7 } });
    let file = OfferedFile::new("film.mp4", 4, 1_000).with("param_data", param_data.to_string());
    let id = application.add(file.clone());
    application.start();
    application.finish();
    assert_complete(&host, &application, id, &file);
    let media = host.sandbox.media();
    assert_eq!(media[0]["parameters"]["Title"], "Titel & mehr");
    assert_eq!(media[0]["parameters"]["Tags"], "a,b");
    assert_eq!(media[0]["parameters"]["CateId"], "7");
}

#[test]
fn a_file_of_unknown_length_ends_with_its_stream() {
    let host = AppHost::start();
    let mut application = host.application(Mode::Credential, &json!({}));
    let file = OfferedFile::new("live.mp4", 5, 12 * PART_BYTES + 5).with("size", json!(null));
    let id = application.add(file.clone());
    application.start();
    application.finish();
    assert_complete(&host, &application, id, &file);
}

#[test]
fn files_can_be_added_and_deleted_during_a_run() {
    let host = AppHost::start();
    let mut application = host.application(Mode::Credential, &json!({}));
    let first = OfferedFile::new("first.mp4", 6, 4 * PART_BYTES).pause_at(2 * PART_BYTES + 9);
    let first_id = application.add(first.clone());
    let second_id = application.add(OfferedFile::new("second.mp4", 7, PART_BYTES));
    application.start();
    application.run_until_durable(first_id, 2 * PART_BYTES);
    application.call_file("delete-file", second_id);
    let third = OfferedFile::new("third.mp4", 8, 2 * PART_BYTES);
    let third_id = application.add(third.clone());
    let listed = application.app.call("list-files", json!({})).unwrap();
    let ids: Vec<_> = listed.as_array().unwrap().iter().map(|file| file["id"].clone()).collect();
    assert_eq!(ids, [json!(first_id), json!(third_id)]);
    assert_eq!(listed[0]["state"], json!({ "Uploading": "Transferring" }));
    assert_eq!(application.app.call("state", json!({})).unwrap(), "Start");
    application.release(first_id);
    application.finish();
    assert_eq!(application.app.call("state", json!({})).unwrap(), "End");
    assert_complete(&host, &application, first_id, &first);
    assert_complete(&host, &application, third_id, &third);
    assert!(!application.event_names(second_id).contains(&"UploadStarted"));
    assert_eq!(host.sandbox.objects().len(), 2);
}

fn uploads_three_kinds(host: &AppHost, mode: Mode) -> Application<'_> {
    let mut application = host.application(mode, &json!({}));
    let files = [
        OfferedFile::new("film.mp4", 1, 7 * PART_BYTES + 777),
        OfferedFile::new("poster.png", 2, 2 * PART_BYTES),
        OfferedFile::new("subtitles.srt", 3, 5_000),
    ];
    let ids: Vec<_> = files.iter().map(|file| application.add(file.clone())).collect();
    application.start();
    application.finish();
    for (id, file) in ids.iter().zip(&files) {
        let object = assert_complete(host, &application, *id, file);
        if mode != Mode::Direct {
            let media_id = application.last("Succeeded", *id).text("media_id").unwrap();
            assert!(object.key.to_lowercase().contains(media_id), "{media_id} in {}", object.key);
        }
    }
    assert!(host.sandbox.uploads().is_empty());
    application
}
