//! Files that are canceled, deleted or cleaned away.

use serde_json::json;
use vod_uploader_component_tests::app_host::{AppHost, PART_BYTES};
use vod_uploader_component_tests::application::{Application, Mode, OfferedFile};
use vod_uploader_component_tests::key_value;

use crate::support::is_whole;

#[test]
fn a_file_that_is_canceled_in_the_middle_leaves_nothing_and_the_next_has_its_turn() {
    let host = AppHost::start();
    let (mut application, id, next) = in_the_middle(&host);
    assert_eq!(host.sandbox.uploads().len(), 1);
    application.does("cancel-file", id);
    let canceled = application.run_until(|event| event.is("Canceled", id));
    assert!(canceled.payload["left_over"].is_null(), "{canceled}");
    assert!(host.sandbox.uploads().is_empty());
    // No more of its bytes are read.
    let more = json!({ "file": id, "offset": held().size });
    application.app.call("send-until", more).unwrap();
    application.finish();
    let refused: Vec<_> = application.app.refused.iter().map(|(file, _)| *file).collect();
    assert_eq!(refused, [id]);
    is_whole(&host, &application, next.0, &next.1);
    assert_eq!(host.sandbox.objects().len(), 1);
    let again = application.about("cancel-file", id).unwrap_err();
    assert_eq!(again.code(), "FileStateWrong");
    assert_eq!(application.about("get-checkpoint", id).unwrap(), json!(null));
}

#[test]
fn a_canceled_file_that_is_resumed_starts_from_its_beginning() {
    let host = AppHost::start();
    let (mut application, id, _) = in_the_middle(&host);
    application.does("cancel-file", id);
    application.finish();
    application.does("resume-file", id);
    application.offer_whole(id);
    application.start();
    application.finish();
    let started = application.last("UploadStarted", id);
    assert_eq!((started.text("media_id"), &started.payload["durable"]), (None, &json!(0)));
    assert_eq!(application.last("SourceRequested", id).payload["offset"], 0);
    assert_eq!(host.sandbox.objects().len(), 2);
}

#[test]
fn a_file_that_is_deleted_in_the_middle_is_canceled_first() {
    let host = AppHost::start();
    let (mut application, id, next) = in_the_middle(&host);
    application.does("delete-file", id);
    application.finish();
    assert_eq!(application.story(id).last(), Some(&"Canceled"));
    assert!(host.sandbox.uploads().is_empty());
    assert_eq!(application.about("get-checkpoint", id).unwrap_err().code(), "FileUnknown");
    is_whole(&host, &application, next.0, &next.1);
}

#[test]
fn a_stopped_file_that_is_canceled_leaves_nothing_either() {
    let host = AppHost::start();
    let (mut application, id, _) = in_the_middle(&host);
    application.app.call("stop-upload", json!({})).unwrap();
    application.run_until(|event| event.is("Stopped", id));
    assert_eq!(host.sandbox.uploads().len(), 1);
    application.does("cancel-file", id);
    application.run_until(|event| event.is("Canceled", id));
    assert!(host.sandbox.uploads().is_empty());
    assert!(key_value::entries(&host.host_folder()).is_empty());
}

#[test]
fn cleaning_the_list_stops_what_runs_and_keeps_what_was_stored() {
    let host = AppHost::start();
    let (mut application, id, _) = in_the_middle(&host);
    application.app.call("clean-list", json!({})).unwrap();
    application.finish();
    assert_eq!(application.story(id).last(), Some(&"Stopped"));
    assert_eq!(application.app.call("list-files", json!({})).unwrap(), json!([]));
    assert_eq!(application.app.call("state", json!({})).unwrap(), "Init");
    assert_eq!(host.sandbox.uploads().len(), 1);
    // The same file resumes.
    let file = held().pause_at(held().size);
    let id = application.add(file.clone());
    application.offer_whole(id);
    application.start();
    application.finish();
    let started = application.last("UploadStarted", id);
    assert!(started.payload["durable"].as_u64().unwrap() >= 3 * PART_BYTES, "{started}");
    is_whole(&host, &application, id, &file);
}

/// A run whose first file has three parts stored and waits for bytes, and whose second waits for
/// its turn.
fn in_the_middle(host: &AppHost) -> (Application<'_>, u64, (u64, OfferedFile)) {
    let mut application = host.application(Mode::Credential, &json!({}));
    let id = application.add(held());
    let next = OfferedFile::new("next.mp4", 12, 2 * PART_BYTES);
    let next_id = application.add(next.clone());
    application.start();
    application.run_until_durable(id, 3 * PART_BYTES);
    (application, id, (next_id, next))
}

fn held() -> OfferedFile {
    OfferedFile::new("film.mp4", 11, 8 * PART_BYTES).last_modified().pause_at(3 * PART_BYTES + 9)
}
