//! Files that are canceled, deleted or removed with the list.

use serde_json::json;
use vod_uploader_component_tests::app_host::{AppHost, PART_BYTES};
use vod_uploader_component_tests::application::{Application, Mode, OfferedFile};
use vod_uploader_component_tests::key_value;

use crate::support::assert_complete;

#[test]
fn a_canceled_file_leaves_nothing_and_the_next_file_starts() {
    let host = AppHost::start();
    let (mut application, id, next) = in_the_middle(&host);
    assert_eq!(host.sandbox.uploads().len(), 1);
    application.call_file("cancel-file", id);
    let canceled = application.run_until(|event| event.is("Canceled", id));
    assert!(canceled.payload["leftover_error"].is_null(), "{canceled}");
    assert!(host.sandbox.uploads().is_empty());
    let more = json!({ "file": id, "offset": paused_file().size });
    application.app.call("send-until", more).unwrap();
    application.finish();
    let rejected: Vec<_> = application.app.rejected.iter().map(|(file, _)| *file).collect();
    assert_eq!(rejected, [id]);
    assert_complete(&host, &application, next.0, &next.1);
    assert_eq!(host.sandbox.objects().len(), 1);
    let again = application.try_call_file("cancel-file", id).unwrap_err();
    assert_eq!(again.code(), "FileStateWrong");
    assert_eq!(application.try_call_file("get-checkpoint", id).unwrap(), json!(null));
}

#[test]
fn a_canceled_file_restarts_from_the_beginning() {
    let host = AppHost::start();
    let (mut application, id, _) = in_the_middle(&host);
    application.call_file("cancel-file", id);
    application.finish();
    application.call_file("resume-file", id);
    application.offer_all(id);
    application.start();
    application.finish();
    let started = application.last("UploadStarted", id);
    assert_eq!((started.text("media_id"), &started.payload["durable"]), (None, &json!(0)));
    assert_eq!(application.last("SourceRequested", id).payload["offset"], 0);
    assert_eq!(host.sandbox.objects().len(), 2);
}

#[test]
fn a_file_deleted_during_its_upload_is_canceled_first() {
    let host = AppHost::start();
    let (mut application, id, next) = in_the_middle(&host);
    application.call_file("delete-file", id);
    application.finish();
    assert_eq!(application.event_names(id).last(), Some(&"Canceled"));
    assert!(host.sandbox.uploads().is_empty());
    assert_eq!(application.try_call_file("get-checkpoint", id).unwrap_err().code(), "FileUnknown");
    assert_complete(&host, &application, next.0, &next.1);
}

#[test]
fn a_canceled_stopped_file_leaves_nothing() {
    let host = AppHost::start();
    let (mut application, id, _) = in_the_middle(&host);
    application.app.call("stop-upload", json!({})).unwrap();
    application.run_until(|event| event.is("Stopped", id));
    assert_eq!(host.sandbox.uploads().len(), 1);
    application.call_file("cancel-file", id);
    application.run_until(|event| event.is("Canceled", id));
    assert!(host.sandbox.uploads().is_empty());
    assert!(key_value::entries(&host.host_dir()).is_empty());
}

#[test]
fn a_cleaned_list_stops_active_files_and_keeps_stored_uploads() {
    let host = AppHost::start();
    let (mut application, id, _) = in_the_middle(&host);
    application.app.call("clean-list", json!({})).unwrap();
    application.finish();
    assert_eq!(application.event_names(id).last(), Some(&"Stopped"));
    assert_eq!(application.app.call("list-files", json!({})).unwrap(), json!([]));
    assert_eq!(application.app.call("state", json!({})).unwrap(), "Init");
    assert_eq!(host.sandbox.uploads().len(), 1);
    // The same file resumes.
    let file = paused_file().pause_at(paused_file().size);
    let id = application.add(file.clone());
    application.offer_all(id);
    application.start();
    application.finish();
    let started = application.last("UploadStarted", id);
    assert!(started.payload["durable"].as_u64().unwrap() >= 3 * PART_BYTES, "{started}");
    assert_complete(&host, &application, id, &file);
}

/// A run whose first file has three stored parts and waits for bytes, and whose second file has not
/// started.
fn in_the_middle(host: &AppHost) -> (Application<'_>, u64, (u64, OfferedFile)) {
    let mut application = host.application(Mode::Credential, &json!({}));
    let id = application.add(paused_file());
    let next = OfferedFile::new("next.mp4", 12, 2 * PART_BYTES);
    let next_id = application.add(next.clone());
    application.start();
    application.run_until_durable(id, 3 * PART_BYTES);
    (application, id, (next_id, next))
}

fn paused_file() -> OfferedFile {
    OfferedFile::new("film.mp4", 11, 8 * PART_BYTES).last_modified().pause_at(3 * PART_BYTES + 9)
}
